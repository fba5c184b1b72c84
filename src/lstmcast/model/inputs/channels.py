"""The channels of adaptive inputs: values, seasons and age, in units of the scale.

B series of a batch · T steps · W values of the window · C channels · H horizon
D coming steps that differ
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import CONTEXT
from lstmcast.data.times.frequency import FAMILIES
from lstmcast.model.inputs.adjusted import Adjusted
from lstmcast.model.inputs.base import Grid
from lstmcast.model.inputs.seasonfamilies import seasonal
from lstmcast.model.inputs.seasons import Seasonal

CLIP = 20.0
CALM = -5.0  # log scale that is shown for series on the linear axis


@np.errstate(over="ignore")  # infinite channels are clipped like all others
def channels_of(
    grid: Grid,
    adjusted: Adjusted,
    age_BT: NDArray,
    shares_PBT: list[NDArray],
    season: Seasonal,
) -> NDArray:
    """What the network sees (B, T, C): values relative to the newest one, in units of the scale."""
    level_BT1 = adjusted.level_BT[:, :, None]
    # As long as nothing has changed, the channels are zero.
    unit_BT = np.where(adjusted.scale_BT > 0, adjusted.scale_BT, np.inf)
    unit_BT1 = unit_BT[:, :, None]
    relative_BTW = adjusted.value_BTW - level_BT1
    relative_BTW /= unit_BT1
    _clipped(relative_BTW)
    family_BTF = np.broadcast_to(_one_hot(grid.family), (*age_BT.shape, len(FAMILIES)))
    channels = [
        relative_BTW[:, :, 1:],
        adjusted.known_BTW,
        _clipped((adjusted.smooth_BTA - level_BT1) / unit_BT1),
        _context(relative_BTW, adjusted.scale_BT, age_BT, shares_PBT, grid),
        family_BTF,
    ]
    width = sum(channel.shape[2] for channel in channels) + 3 * grid.horizon
    x_BTC = np.empty((*age_BT.shape, width), np.float32)
    end = 0
    for channel in channels:
        begin = end
        end = end + channel.shape[2]
        x_BTC[:, :, begin:end] = channel
    distinct = season.doubted_BTD.shape[2]
    expected_BTD = season.expected_BTH[:, :, :distinct]
    for ahead_BTD in (expected_BTD, season.doubted_BTD, season.late_BTD):
        ahead_BTD = _clipped(ahead_BTD / unit_BT1)
        for first in range(0, grid.horizon, distinct):
            begin = end
            end = end + min(distinct, grid.horizon - first)
            x_BTC[:, :, begin:end] = ahead_BTD[:, :, : end - begin]
    return x_BTC


def _clipped(values: NDArray) -> NDArray:
    """Clip in place: for large arrays, a copying `np.clip` would double the cost."""
    np.maximum(values, -CLIP, out=values)
    return np.minimum(values, CLIP, out=values)


def _context(
    relative_BTW: NDArray,
    scale_BT: NDArray,
    age_BT: NDArray,
    shares_PBT: list[NDArray],
    grid: Grid,
) -> NDArray:
    """Channels about the whole series: scale, recent relative to usual change, age, trust in the
    season, season length, axis."""
    changes_BTW = relative_BTW[:, :, 1:] - relative_BTW[:, :, :-1]
    recent_BT = np.abs(changes_BTW).mean(axis=2)
    share_BT = shares_PBT[0] if shares_PBT else np.zeros_like(age_BT)
    longest = max(seasonal(grid.periods), default=1)
    log_BT = np.broadcast_to(grid.log_B[:, None], scale_BT.shape)
    calm_B = np.where(grid.log_B | grid.root_B, -3.0, CALM)
    log_scale_BT = np.broadcast_to(calm_B[:, None], scale_BT.shape).copy()
    np.log(scale_BT, out=log_scale_BT, where=log_BT)
    is_root_BT = np.broadcast_to(grid.root_B[:, None], scale_BT.shape)
    channels = [
        log_scale_BT + 3.0,
        np.log(recent_BT + 0.05),
        np.log1p(np.minimum(age_BT, CONTEXT)) - 3.5,
        share_BT,
        np.full_like(age_BT, np.log(longest) - 1.5),
        np.where(is_root_BT, -1.0, 1.0),
    ]
    return np.stack(channels, axis=2)


def _one_hot(family: str) -> NDArray:
    """One-hot code of the frequency family; all zeros for an unknown family."""
    return np.array([float(family == name) for name in FAMILIES], np.float32)
