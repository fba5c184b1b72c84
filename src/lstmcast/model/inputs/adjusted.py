"""Seasonally adjusted values of a series, with their level, scale, and exponential averages.

B series of a batch · T steps · U steps with the tail before them · W values of the window
A smoothing constants · L newest values
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from lstmcast.model.inputs.base import Grid, decayed_sums
from lstmcast.model.inputs.seasonfamilies import seasonal
from lstmcast.model.inputs.seasons import Seasonal
from lstmcast.model.inputs.tables import Reading

SMOOTHING = (0.5, 0.2, 0.05, 0.0)  # of the level; 0 is the mean of all values
# Memory of the scale: observations, or cycles of the shortest season.
SHORTEST_MEMORY, MEMORY_CYCLES = 32.0, 4.0
RELEARN = 0.1  # weight that changes from before a season was known keep
# Prior of the mean absolute change of a log series.
LOG_PRIOR_SCALE, LOG_PRIOR_COUNT = 0.05, 3.0


class LevelState(NamedTuple):
    """The state of the adjusted values."""

    level_BL: NDArray
    smooth_BA: NDArray
    scale_B3: NDArray


class Adjusted(NamedTuple):
    """Seasonally adjusted values, newest first, and statistics of them at each step."""

    value_BTW: NDArray
    known_BTW: NDArray
    level_BT: NDArray  # the newest adjusted value
    scale_BT: NDArray
    smooth_BTA: NDArray  # exponential averages of the level
    state: LevelState  # after them


def adjust(
    state: LevelState, reading: Reading, season: Seasonal, age_BT: NDArray, grid: Grid
) -> Adjusted:
    """The adjusted values of T more steps; a missing value repeats the level of its time."""
    value_BTW, known_BTW, level_BU = _window(state.level_BL, reading, season.past_BTW)
    tail = state.level_BL.shape[1]
    level_BT = level_BU[:, tail:]
    change_BT = np.abs(value_BTW[:, :, 0] - value_BTW[:, :, 1])
    is_change_BT = known_BTW[:, :, 0] & known_BTW[:, :, 1]
    scale_BT, scale_B3 = _running_scale(
        state.scale_B3, change_BT, is_change_BT, season.settled_BT, grid
    )
    smooth_BTA = _smooth(state.smooth_BA, level_BT, known_BTW[:, :, 0], age_BT)
    new_state = LevelState(level_BU[:, -tail:], smooth_BTA[:, -1], scale_B3)
    return Adjusted(value_BTW, known_BTW, level_BT, scale_BT, smooth_BTA, new_state)


def _window(
    level_BL: NDArray, reading: Reading, past_BTW: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """The W newest values minus their seasonal part, which of them are known, and the level."""
    T, W = past_BTW.shape[1:]
    tail = level_BL.shape[1]
    z_BU = reading.z_BU
    known_BU = reading.known_BU
    newest_BT = z_BU[:, tail:] - past_BTW[:, :, 0]
    level_BT = _carry_forward(level_BL[:, -1], newest_BT, known_BU[:, tail:])
    level_BU = np.concatenate([level_BL, level_BT], axis=1)
    known_BTW = _newest(known_BU, T, W)
    value_BTW = np.empty((len(z_BU), T, W))
    np.subtract(_newest(z_BU, T, W), past_BTW, out=value_BTW)
    if not known_BTW.all():
        np.copyto(value_BTW, _newest(level_BU, T, W), where=~known_BTW)
    return value_BTW, known_BTW, level_BU


def _newest(values_BU: NDArray, steps: int, window: int) -> NDArray:
    """The W newest values at each of the last T steps (B, T, W), newest first; a view."""
    first = values_BU.shape[1] - steps - window + 1
    if steps == 1:  # a tick
        return values_BU[:, None, first:][:, :, ::-1]
    return sliding_window_view(values_BU[:, first:], window, axis=1)[:, :, ::-1]


def _carry_forward(before_B: NDArray, values_BT: NDArray, known_BT: NDArray) -> NDArray:
    """Replace each missing value by the newest known one, or by `before_B`."""
    rows, steps = known_BT.shape
    known_steps_BT = np.where(known_BT, np.arange(1, steps + 1), 0)
    newest_BT = np.maximum.accumulate(known_steps_BT, axis=1)
    with_before = np.concatenate([before_B[:, None], values_BT], axis=1)
    return with_before[np.arange(rows)[:, None], newest_BT]


def _running_scale(
    sums_B3: NDArray,
    change_BT: NDArray,
    use_BT: NDArray,
    settled_BT: NDArray,
    grid: Grid,
) -> tuple[NDArray, NDArray]:
    """Mean absolute change of the adjusted series (B, T), with slow decay; on the log axis it
    starts from a prior.

    Before a season is known, its fluctuations count as changes: most of their weight is dropped
    when it becomes known.
    """
    change_BT = np.where(use_BT, change_BT, 0.0)
    newest_BT3 = np.stack([change_BT, use_BT, np.zeros_like(change_BT)], axis=2)
    shortest = min(seasonal(grid.periods), default=1)
    memory = max(SHORTEST_MEMORY, MEMORY_CYCLES * shortest)
    keep_BT = np.where(use_BT, 1.0 - 1.0 / memory, 1.0)
    keep_BT = keep_BT * np.where(settled_BT, RELEARN, 1.0)
    sums_TB3 = decayed_sums(sums_B3, keep_BT.T[:, :, None], newest_BT3.swapaxes(0, 1))
    total_BT, count_BT, prior_BT = sums_TB3[1:].T
    weight_BT = np.where(grid.log_B[:, None], LOG_PRIOR_COUNT * prior_BT, 0.0)
    total_BT = total_BT + weight_BT * LOG_PRIOR_SCALE
    count_BT = count_BT + weight_BT
    scale_BT = total_BT / np.where(count_BT > 0, count_BT, 1.0)
    return scale_BT, sums_TB3[-1].copy()


def _smooth(
    smooth_BA: NDArray, level_BT: NDArray, known_BT: NDArray, age_BT: NDArray
) -> NDArray:
    """Exponential smoothing of the level (Brown 1959), which starts as a plain mean for each
    constant (B, T, A)."""
    age_TB1 = np.maximum(age_BT.T, 1.0)[:, :, None]
    weight_TBA = np.maximum(SMOOTHING, 1.0 / age_TB1) * known_BT.T[:, :, None]
    level_TB1 = level_BT.T[:, :, None]
    result_TBA = np.empty(weight_TBA.shape)
    for step, newest_BA in enumerate(result_TBA):
        np.subtract(level_TB1[step], smooth_BA, out=newest_BA)
        np.multiply(weight_TBA[step], newest_BA, out=newest_BA)
        smooth_BA = np.add(smooth_BA, newest_BA, out=newest_BA)
    return result_TBA.swapaxes(0, 1)
