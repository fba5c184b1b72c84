"""What the network sees of adaptive inputs: values, seasons and age, in units of the scale.

B series of a batch · T steps · W values of the window · C channels · H horizon
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import CONTEXT
from lstmcast.data.frequency import FAMILIES
from lstmcast.model.inputs.base import Grid
from lstmcast.model.inputs.seasons import (
    seasonal,
)

CLIP = 20.0


def channels_of(
    grid: Grid,
    window: tuple[NDArray, NDArray],
    level_BT: NDArray,
    scale_BT: NDArray,
    smooth_BTA: NDArray,
    age_BT: NDArray,
    shares_PBT: list[NDArray],
    ahead: tuple[NDArray, ...],
) -> NDArray:
    """What the network sees (B, T, C): values relative to the newest one, in units of the scale."""
    adjusted_BTW, known_BTW = window
    # Nothing has changed yet: nothing to see.
    unit_BT1 = np.where(scale_BT > 0, scale_BT, np.inf)[:, :, None]
    relative_BTW = _clipped((adjusted_BTW - level_BT[:, :, None]) / unit_BT1)
    channels = [
        relative_BTW[:, :, 1:],
        known_BTW,
        _clipped((smooth_BTA - level_BT[:, :, None]) / unit_BT1),
        _context(relative_BTW, scale_BT, age_BT, shares_PBT, grid),
        np.broadcast_to(_one_hot(grid.family), (*age_BT.shape, len(FAMILIES))),
        *(_clipped(ahead_BTH / unit_BT1) for ahead_BTH in ahead),
    ]
    widths = [channel.shape[2] for channel in channels]
    x_BTC, end = np.empty((*age_BT.shape, sum(widths)), np.float32), 0
    for channel, width in zip(channels, widths, strict=True):
        begin, end = end, end + width
        x_BTC[:, :, begin:end] = channel
    return x_BTC


def _clipped(values: NDArray) -> NDArray:
    """In place: `np.clip` of large arrays costs as much again as what makes them."""
    np.maximum(values, -CLIP, out=values)
    return np.minimum(values, CLIP, out=values)


def adjusted_window(
    level_BL: NDArray, z_BU: NDArray, known_BU: NDArray, past_BTW: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """The W newest values less their seasonal part, newest first; a missing one repeats the
    level known at its time."""
    T, W = past_BTW.shape[1:]
    tail = level_BL.shape[1]
    level_BT = _carry_forward(
        level_BL[:, -1], z_BU[:, tail:] - past_BTW[:, :, 0], known_BU[:, tail:]
    )
    level_BU = np.concatenate([level_BL, level_BT], axis=1)
    columns_TW = tail + np.arange(T)[:, None] - np.arange(W)
    known_BTW = known_BU[:, columns_TW]
    adjusted_BTW = np.where(known_BTW, z_BU[:, columns_TW] - past_BTW, level_BU[:, columns_TW])
    return adjusted_BTW, known_BTW, level_BU


def _carry_forward(before_B: NDArray, values_BT: NDArray, known_BT: NDArray) -> NDArray:
    """Each unknown value becomes the newest known one, or `before_B`."""
    newest = np.maximum.accumulate(
        np.where(known_BT, np.arange(1, known_BT.shape[1] + 1), 0), axis=1
    )
    with_before = np.concatenate([before_B[:, None], values_BT], axis=1)
    return with_before[np.arange(len(newest))[:, None], newest]


def _context(
    relative_BTW: NDArray, scale_BT: NDArray, age_BT: NDArray, shares_PBT: list[NDArray], grid: Grid
) -> NDArray:
    """About the whole series: scale, recent against usual change, age, trust in the season, its
    length, the axis."""
    recent_BT = np.abs(relative_BTW[:, :, 1:] - relative_BTW[:, :, :-1]).mean(axis=2)
    share_BT = shares_PBT[0] if shares_PBT else np.zeros_like(age_BT)
    longest = max(seasonal(grid.periods), default=1)
    log_BT = np.broadcast_to(grid.log_B[:, None], scale_BT.shape)
    channels = [
        np.log(scale_BT, out=np.full_like(scale_BT, -3.0), where=log_BT) + 3.0,
        np.log(recent_BT + 0.05),
        np.log1p(np.minimum(age_BT, CONTEXT)) - 3.5,
        share_BT,
        np.full_like(age_BT, np.log(longest) - 1.5),
        np.where(log_BT, 1.0, -1.0),
    ]
    return np.stack(channels, axis=2)


def _one_hot(family: str) -> NDArray:
    """Code of the family of frequencies; all zeros for one that is not known."""
    return np.array([float(family == name) for name in FAMILIES], np.float32)
