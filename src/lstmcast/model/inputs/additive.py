"""Additive series: changes are more alike in size than as ratios; values are read unchanged.

R rows · T values of each, NaN = missing or not positive
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import shortest_season

ENOUGH = 4  # changes, or values, needed to choose an axis
CAP = 20.0  # limit of a single change, in medians
# Gain in log likelihood of the linear axis, per change and in total, above which its forecasts
# were measured to be better; for series within NEAR usual changes of 0, a reliable gain is enough.
CLEAR_GAIN, SURE, NEAR = 0.15, 5.0, 3.0


def is_additive(
    positive_RT: NDArray, reaches_R: NDArray, periods: tuple[int, ...]
) -> NDArray:
    """Whether changes are more alike in size than as ratios (R,), by their likelihood under a
    Laplace distribution on both axes, from value to value and from cycle to cycle.

    A small gain is enough if the series reaches 0, or ends so close to 0 that it could cross it.
    """
    season = shortest_season(periods) or 1
    gain_R, count_R = _gain(_packed(positive_RT), 1)
    is_known_RT = ~np.isnan(positive_RT)
    is_long_R = is_known_RT.sum(axis=1) > 3 * season
    if season > 1 and is_long_R.any():
        seasonal_R, _ = _gain(positive_RT, season)
        gain_R = np.where(is_long_R, np.minimum(gain_R, seasonal_R), gain_R)
    total_R = gain_R * np.maximum(count_R, 1)
    is_likely_R = total_R >= SURE / 2
    is_clear_R = is_likely_R & (gain_R >= CLEAR_GAIN)
    newest = max(season, 5)
    is_near_R = reaches_R | _stands_near_zero(positive_RT, newest)
    is_sure_R = total_R >= SURE
    return is_clear_R | (is_sure_R & is_near_R)


def _gain(positive_RT: NDArray, lag: int) -> tuple[NDArray, NDArray]:
    """The gain in log likelihood per change of the linear over the logarithmic axis (R,), and the
    number of changes."""
    steps = positive_RT.shape[1]
    pairs = max(steps - lag, 0)
    now_RT = positive_RT[:, lag:]
    before_RT = positive_RT[:, :pairs]
    is_unknown_RT = np.isnan(now_RT) | np.isnan(before_RT)
    known_RT = ~is_unknown_RT
    count_R = known_RT.sum(axis=1)
    logs_RT = np.log(positive_RT)
    log_RT = logs_RT[:, lag:]
    log_before_RT = logs_RT[:, :pairs]
    linear_R = _spread(now_RT - before_RT, count_R)
    ratio_R = _spread(log_RT - log_before_RT, count_R, CAP)
    known_log_RT = np.where(known_RT, log_RT, 0.0)
    log_sum_R = known_log_RT.sum(axis=1)
    density_R = log_sum_R / np.maximum(count_R, 1)
    # zero spread means a straight line on that axis
    with np.errstate(divide="ignore", invalid="ignore"):
        gain_R = np.log(ratio_R) - np.log(linear_R) + density_R
    is_enough_R = (count_R >= ENOUGH) & ~np.isnan(gain_R)
    return np.where(is_enough_R, gain_R, -np.inf), count_R


def _spread(changes_RT: NDArray, count_R: NDArray, largest: float = np.inf) -> NDArray:
    """The mean distance (R,) of changes from their median, each capped at a multiple of the median
    distance so that a closed day does not decide the axis."""
    if not changes_RT.shape[1]:
        return np.zeros(len(changes_RT))
    median_R = _median(changes_RT, count_R)
    distance_RT = np.abs(changes_RT - median_R[:, None])
    usual_R = _median(distance_RT, count_R)
    varies_R = usual_R > 0
    multiple_R = np.where(varies_R, largest, np.inf)
    unit_R = np.where(varies_R, usual_R, 1.0)
    limit_R = multiple_R * unit_R
    limited_RT = np.minimum(distance_RT, limit_R[:, None])
    total_R = np.nansum(limited_RT, axis=1)
    return total_R / np.maximum(count_R, 1)


def _median(values_RT: NDArray, count_R: NDArray) -> NDArray:
    """The lower median of the known values of each row, given their number (R,)."""
    rows = np.arange(len(values_RT))
    middle_R = np.maximum(count_R - 1, 0) // 2
    sorted_RT = np.sort(values_RT, axis=1)
    return sorted_RT[rows, middle_R]


def _stands_near_zero(positive_RT: NDArray, newest: int) -> NDArray:
    """Whether the newest values are within a few usual changes of 0 (R,)."""
    packed_RT = _packed(positive_RT)
    is_known_RT = ~np.isnan(packed_RT)
    count_R = is_known_RT.sum(axis=1)
    median_R = _median_of_newest(packed_RT, count_R, newest)
    change_RT = np.abs(np.diff(packed_RT, axis=1))
    total_R = np.nansum(change_RT, axis=1)
    change_R = total_R / np.maximum(count_R - 1, 1)
    is_near_R = median_R < NEAR * change_R
    return is_near_R & (count_R > 1)


def _median_of_newest(packed_RT: NDArray, count_R: NDArray, newest: int) -> NDArray:
    """The median of the newest values (R,), which are right-aligned."""
    newest_RN = packed_RT[:, -newest:]
    sorted_RN = np.sort(newest_RN, axis=1)  # missing values come last
    rows, columns = sorted_RN.shape
    row_R = np.arange(rows)
    known_R = np.minimum(count_R, columns)
    known_R = np.maximum(known_R, 1)
    low_R = sorted_RN[row_R, (known_R - 1) // 2]
    high_R = sorted_RN[row_R, known_R // 2]
    return (low_R + high_R) / 2


def _packed(values_RT: NDArray) -> NDArray:
    """The known values of each row, right-aligned."""
    is_known_RT = ~np.isnan(values_RT)
    has_gap_RT = is_known_RT[:, :-1] & ~is_known_RT[:, 1:]
    if not has_gap_RT.any():
        return values_RT
    order_RT = np.argsort(is_known_RT, axis=1, kind="stable")
    return np.take_along_axis(values_RT, order_RT, axis=1)
