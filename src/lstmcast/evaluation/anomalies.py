"""Anomaly scores from 0 to 1 by comparing values with earlier forecasts, and alerts.

Two errors of each value are used: that of the forecast one step ahead, in units of the predicted
spread, which shows spikes; and that of the forecast with the full horizon, which shows changed
levels and shapes. Each is ranked among earlier errors of the same series: a share p of them was at
least as large. Later values do not change a score. Streams and whole files use the same `advance`.

    S series · R some of them · M errors remembered · H steps of the head · Q quantiles
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import UsageError
from lstmcast.model.heads import HEAD_QUANTILES

MEMORY = 2048  # errors of each kind that are stored: enough for a tail of 1 in 1,000
# number of errors below which their mean is uncertain, so the margin of a record counts less
FEW = 100
QUIET = 150  # ticks after an alert in which only a larger score raises another one
# lower bound of the predicted spread, against overconfident networks
LEAST_SPREAD = 1e-3
MIDDLE = HEAD_QUANTILES.index(0.5)
LOWER = HEAD_QUANTILES.index(0.1)
UPPER = HEAD_QUANTILES.index(0.9)


@dataclass(frozen=True)
class Alerts:
    """Settings of alerts.

    rate: rate of false alarms per value if the distribution of errors does not change: 0.001 is at
        most one in 1,000 values. A series needs about 1/rate values before its first alert.
    """

    rate: float = 0.001

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1:
            raise UsageError(
                f"rate={self.rate!r} is not a rate of false alarms. Give a number between 0 and 1, "
                "such as 0.001 for one in 1,000 values."
            )


class Surprises(NamedTuple):
    """The memory of each series: recent errors, and forecasts of coming values."""

    count_S: NDArray  # number of values so far, including unknown ones
    near_SM: NDArray  # one-step errors, in units of the spread
    near_count_S: NDArray
    far_SM: NDArray  # errors of the forecasts H steps before
    far_count_S: NDArray
    ahead_SH: NDArray  # forecasts of the next steps, each made H steps before
    recent_SW: NDArray  # how unlikely the newest values were


def start(rows: int, steps: int) -> Surprises:
    """The initial state for a number of series and a horizon."""
    zeros_S = np.zeros(rows, np.int64)
    errors_SM = np.zeros((rows, MEMORY), np.float32)
    return Surprises(
        count_S=zeros_S,
        near_SM=errors_SM,
        near_count_S=zeros_S.copy(),
        far_SM=errors_SM.copy(),
        far_count_S=zeros_S.copy(),
        ahead_SH=np.full((rows, steps), np.nan),
        recent_SW=np.ones((rows, QUIET)),
    )


def advance(
    state: Surprises,
    values_R: NDArray,
    near_RQ: NDArray,
    far_R: NDArray,
    alerts: Alerts,
) -> tuple[NDArray, NDArray]:
    """Scores (R,) of the next value of each series, and whether it raises an alert (R,).

    The score is NaN, without alert, for a value that is unknown or was not forecast.

    Args:
        state: state of these series; it is changed in place.
        values_R: the values.
        near_RQ: their one-step forecasts: quantiles, or points (R, 1).
        far_R: the current forecasts H steps ahead, counting from `values_R`.
        alerts: settings of alerts.
    """
    H = state.ahead_SH.shape[1]
    row = np.arange(len(values_R))
    state.ahead_SH[row, (state.count_S - 1) % H] = far_R
    expected_R = state.ahead_SH[row, state.count_S % H]
    near_error_R = _near_error(values_R, near_RQ)
    near_p_R = _ranked(state.near_SM, state.near_count_S, near_error_R)
    with np.errstate(over="ignore"):
        far_error_R = np.abs(values_R - expected_R)
    far_p_R = _ranked(state.far_SM, state.far_count_S, far_error_R)
    # Two tests per value: without the factor, there would be up to twice as many false alarms.
    p_R = np.minimum(2 * np.fmin(near_p_R, far_p_R), 1.0)
    known_R = np.isfinite(p_R)
    p_R = np.where(known_R, p_R, 1.0)
    least_recent_R = state.recent_SW.min(axis=1, initial=1.0)
    is_rare_R = p_R <= alerts.rate
    alert_R = is_rare_R & (p_R < least_recent_R)
    state.recent_SW[row, state.count_S % QUIET] = p_R
    state.count_S[:] += 1
    state.near_count_S[:] += np.isfinite(near_p_R)
    state.far_count_S[:] += np.isfinite(far_p_R)
    return np.where(known_R, 1 - p_R, np.nan), alert_R


def _near_error(values_R: NDArray, near_RQ: NDArray) -> NDArray:
    """One-step errors in units of the spread on their side; unscaled for points."""
    if near_RQ.shape[1] == 1:
        return np.abs(values_R - near_RQ[:, 0])
    middle_R = near_RQ[:, MIDDLE]
    smallest = np.finfo(np.float32).tiny
    least_R = LEAST_SPREAD * np.abs(middle_R) + smallest
    with np.errstate(over="ignore", invalid="ignore"):
        above_R = near_RQ[:, UPPER] - middle_R
        below_R = middle_R - near_RQ[:, LOWER]
        spread_R = np.where(values_R > middle_R, above_R, below_R)
        error_R = np.abs(values_R - middle_R)
        return error_R / (spread_R + least_R)


def _ranked(errors_RM: NDArray, count_R: NDArray, error_R: NDArray) -> NDArray:
    """The share (R,) of earlier errors at least as large as these; stores the errors.

    It is (k + u) / (n + 1) for k of n errors; u, between 0 and 1, measures the distance to the next
    smaller errors, so that a record by a wide margin differs from a narrow one.
    """
    known_R = ~np.isnan(error_R)
    largest = float(np.finfo(np.float32).max)
    error_R = np.where(known_R, error_R, 0.0)
    error_R = np.minimum(error_R, largest).astype(np.float32)
    n_R = np.minimum(count_R, MEMORY)
    is_larger_RM = errors_RM >= error_R[:, None]
    k_R = np.minimum(is_larger_RM.sum(axis=1), n_R)
    mean_R = errors_RM.sum(axis=1, dtype=float) / np.maximum(n_R, 1)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        is_comparable_R = (error_R > 0) & (n_R > 0)
        ratio_R = np.where(is_comparable_R, error_R / mean_R, 0.0)
        u_R = (1 + ratio_R) ** -np.minimum(n_R / FEW, 1.0)
    share_R = (k_R + u_R) / (n_R + 1)
    rows = np.flatnonzero(known_R)
    place = count_R[rows] % MEMORY
    errors_RM[rows, place] = error_R[rows]
    return np.where(known_R, share_R, np.nan)
