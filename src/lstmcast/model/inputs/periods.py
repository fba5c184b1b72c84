"""Seasonal periods inferred from a series whose frequency implies none, or another one.

Values one period apart are alike: the mean change over that number of steps is small compared with
fewer steps. A period is used only if it is clear in both halves of the values, as a wrong one is
worse than none.

    R series · T values of each, NaN = missing or before they begin · P lags
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import shortest_season
from lstmcast.data.times.frequency import Frequency
from lstmcast.model.inputs.axis import decided

# Number of cycles of the usual period, and smallest number of values, that are examined: enough to
# distinguish neighbouring periods. Without a usual period: this many newest values, and periods up
# to a quarter of them.
CYCLES, FEWEST, NEWEST = 12, 128, 512
KNOWN = 0.75  # share of the examined values that must be known
# Limits of the score, relative to the largest mean change over fewer steps: for a season; for
# one that differs from the usual period; and relative to the score of the usual period.
ALIKE, ALIKE_UNUSUAL, BETTER = 0.4, 0.2, 0.3
# Tolerance on the best score: the shortest period within it is used, longer ones are multiples
NEARLY = 1.3
AT_ONCE = 4096  # series per chunk
FEWEST_PAIRS = 8  # pairs of values that many steps apart
# units whose usual period does not come from the calendar
CHECKED = ("day", "hour", "minute", "second")


def may_differ(periods: tuple[int, ...], frequency: Frequency) -> bool:
    """Whether periods of these series are inferred: not if the user set them, nor for calendar
    periods."""
    if periods != frequency.seasonal_periods:
        return False
    shortest = shortest_season(periods)
    return not shortest or frequency.unit in CHECKED


def looked_at(usual_period: int) -> int:
    """The number of newest values that are examined, given the usual period (0: none)."""
    return max(CYCLES * usual_period, FEWEST) if usual_period else NEWEST


def periods_in_force(
    values_between: Callable[[NDArray, NDArray, NDArray], NDArray],
    first_R: NDArray,
    count_R: NDArray,
    usual_period: int,
) -> NDArray:
    """The additional period (R,) in force, or 0 for the usual one, after `count_R` observations of
    series that are read from `first_R` on.

    It was chosen at the times given by `decided`. `values_between(rows, begin, until)` returns
    those observations of some of the series, the same number of each.
    """
    until_R = first_R + decided(count_R - first_R)
    begin_R = np.maximum(first_R, until_R - looked_at(usual_period))
    length_R = until_R - begin_R
    period_R = np.zeros(len(first_R), np.int64)
    for length in np.unique(length_R):
        alike = np.flatnonzero(length_R == length)
        batches = -(-len(alike) // AT_ONCE)
        for rows in np.array_split(alike, batches):
            values_RT = values_between(rows, begin_R[rows], until_R[rows])
            period_R[rows] = own_period(values_RT, usual_period)
    return period_R


def own_period(values_RT: NDArray, usual_period: int = 0) -> NDArray:
    """The period (R,) that each series clearly shows; 0 if there is none, or it is the usual one.

    >>> steps = np.arange(230)
    >>> own_period(np.sin(2 * np.pi * steps / 23)[None] + 3, usual_period=24)
    array([23])
    """
    values_RT = values_RT[:, -looked_at(usual_period) :]
    period_R = np.zeros(len(values_RT), np.int64)
    T = values_RT.shape[1]
    longest = T // 4
    if usual_period:
        longest = min(2 * usual_period, longest)
    if longest < max(3, usual_period):
        return period_R
    z_RT = _where_positive_logarithms(values_RT)
    score_RP = _scores(z_RT, longest)
    found_R = _best(score_RP)
    enough_R = (~np.isnan(z_RT)).mean(axis=1) >= KNOWN
    rows = np.flatnonzero(enough_R & _is_clear(score_RP, found_R, usual_period))
    for half in (slice(None, T // 2), slice(T // 2, None)):
        score_NP = _scores(z_RT[rows, half], longest)
        rows = rows[_is_clear(score_NP, found_R[rows], usual_period)]
    period_R[rows] = found_R[rows]
    return period_R


def _where_positive_logarithms(values_RT: NDArray) -> NDArray:
    """Logarithms of series that are all positive; other series divided by their largest value."""
    positive_R1 = ~(values_RT <= 0).any(axis=1, keepdims=True)
    size_RT = np.abs(np.nan_to_num(values_RT))
    largest_R1 = size_RT.max(axis=1, keepdims=True, initial=0.0)
    parts_RT = values_RT / np.where(largest_R1 > 0, largest_R1, 1.0)
    logarithms_RT = np.log(np.where(positive_R1, values_RT, 1.0))
    return np.where(positive_R1, logarithms_RT, parts_RT)


def _scores(z_RT: NDArray, longest: int) -> NDArray:
    """Mean change over each number of steps, minus the mean drift, relative to the largest one
    over fewer steps (R, 1 + P); infinite if undefined.

    Means are squared means of square roots, so that a spike counts for little.
    """
    mean_RP = np.full((len(z_RT), longest + 1), np.nan)
    is_complete = not np.isnan(z_RT).any()
    longest_lag = min(longest, z_RT.shape[1] - FEWEST_PAIRS)
    for lag in range(1, longest_lag + 1):
        change_RT = z_RT[:, lag:] - z_RT[:, :-lag]
        if is_complete:
            mean_RP[:, lag] = _mean_change(change_RT, change_RT.shape[1])
            continue
        known_RT = ~np.isnan(change_RT)
        count_R = known_RT.sum(axis=1)
        mean_R = _mean_change(np.where(known_RT, change_RT, 0.0), count_R, known_RT)
        mean_RP[:, lag] = np.where(count_R >= FEWEST_PAIRS, mean_R, np.nan)
    fewer_RP = np.fmax.accumulate(mean_RP, axis=1)[:, :-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        score_RP = mean_RP[:, 1:] / fewer_RP
    score_RP = np.where(np.isfinite(score_RP), score_RP, np.inf)
    no_lag_R1 = np.full((len(z_RT), 1), np.inf)
    return np.concatenate([no_lag_R1, score_RP], axis=1)


def _mean_change(
    change_RT: NDArray, count: Any, known_RT: NDArray | None = None
) -> NDArray:
    """The squared mean of square roots of changes in excess of the mean drift (R,); overwrites the
    changes."""
    drift_R = change_RT.sum(axis=1) / np.maximum(count, 1)
    change_RT -= drift_R[:, None]
    np.abs(change_RT, out=change_RT)
    np.sqrt(change_RT, out=change_RT)
    if known_RT is not None:
        change_RT *= known_RT
    mean_R = change_RT.sum(axis=1) / np.maximum(count, 1)
    return mean_R**2


def _best(score_RP: NDArray) -> NDArray:
    """The shortest period whose score is close to the best."""
    good_RP = score_RP <= NEARLY * score_RP.min(axis=1, keepdims=True)
    first_R = good_RP.argmax(axis=1)
    # the best of adjacent periods: neighbours of a smooth season's period score nearly as well
    distance_RP = np.abs(np.arange(score_RP.shape[1]) - first_R[:, None])
    near_RP = distance_RP <= first_R[:, None] // 8
    return np.where(near_RP, score_RP, np.inf).argmin(axis=1)


def _is_clear(score_RP: NDArray, period_R: NDArray, usual_period: int) -> NDArray:
    """Whether the scores support these periods (R,)."""
    own_R = score_RP[np.arange(len(period_R)), period_R]
    if not usual_period:
        return own_R < ALIKE
    clear_R = (own_R < ALIKE_UNUSUAL) & (own_R < BETTER * score_RP[:, usual_period])
    return clear_R & (period_R != usual_period)
