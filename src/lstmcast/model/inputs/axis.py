"""The axis on which adaptive inputs read a series: logarithms, square roots, or the values.

R rows · T values of each, NaN = missing or before they begin
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import shortest_season

LINEAR, LOG, ROOT = range(3)
FLAT = 0.01  # of the largest value: series that differ by less are read on the linear axis
# Of the largest value: with a smallest one above it, the axes are nearly the same.
NARROW = 0.5
# Cycles in all of which a step is 0, and how long they may be, for its zeros to count as a habit.
CYCLES, LONGEST_CYCLE = 3, 60
OUTAGE = 6  # zeros in a row, from which they are one
MANY_ZEROS = 0.1  # of the values: where more are 0, the logarithms of the others say too little
RECENT = 24  # newest values, in which a sixth of them may not fall to 0
FEW = 0.02  # of the values, which may be negative and yet missing, STRAY usual changes from others
STRAY = 6.0
ENOUGH = 4  # values that say something about an axis
CAP = 20.0  # medians, which a change counts as at most
# Log likelihood per change, and of all: the linear axis is ahead (measured: by that its errors are
# smaller too); near 0, NEAR usual changes away, it must only be sure.
CLEAR_GAIN, SURE, NEAR = 0.15, 5.0, 3.0


def to_axis(values_B: NDArray, log: NDArray | bool, root: NDArray | bool = False) -> NDArray:
    """Observations (B, …) on the reading axis: their logarithms, square roots, or themselves.

    What an axis cannot read is missing there.
    """
    z_B = np.array(values_B, float)
    log_B, root_B = _of_rows(log, len(z_B)), _of_rows(root, len(z_B))
    if log_B.any():
        z_B[log_B] = np.log(np.where(z_B[log_B] > 0, z_B[log_B], np.nan))
    if root_B.any():
        z_B[root_B] = np.sqrt(np.where(z_B[root_B] >= 0, z_B[root_B], np.nan))
    return z_B


def from_axis(z_B: NDArray, log: NDArray | bool, root: NDArray | bool = False) -> NDArray:
    """The inverse of `to_axis`; beyond the largest and the smallest positive float it stops
    there."""
    values_B = np.array(z_B, float)
    log_B, root_B = _of_rows(log, len(values_B)), _of_rows(root, len(values_B))
    if log_B.any():
        values_B[log_B] = np.exp(np.clip(values_B[log_B], -744.0, 709.0))
    if root_B.any():
        values_B[root_B] = np.maximum(values_B[root_B], 0.0) ** 2
    return values_B


def _of_rows(flag: NDArray | bool, rows: int) -> NDArray:
    """One for each row."""
    if isinstance(flag, np.ndarray) and len(flag) == rows:
        return flag
    return np.broadcast_to(flag, rows)


def units_of(values_BT: NDArray, axes_B: NDArray, affine: bool = True) -> NDArray:
    """The unit (B,) in which series are read: a power of four near their largest value; 1 on the
    axis of logarithms and for a head that is not `affine`.

    Squares of any numbers stay within range, and no digit changes, not even of square roots, so it
    does not matter that it depends on values after t.
    """
    if not affine:
        return np.ones(len(values_BT))
    return np.where(axes_B == LOG, 1.0, _power_of_four(values_BT))


def _power_of_four(values_BT: NDArray) -> NDArray:
    """Near the largest value of each series (B,)."""
    largest_B = np.abs(np.nan_to_num(values_BT)).max(axis=1, initial=0.0)
    return np.ldexp(1.0, (np.frexp(largest_B)[1] - 1) // 2 * 2)


def decided(counts: NDArray) -> NDArray:
    """After how many values the axis was chosen that is in force after so many: eight times while
    their number doubles.

    >>> decided(np.array([0, 5, 17, 100, 1000])).tolist()
    [0, 5, 16, 96, 960]
    """
    step = np.maximum(np.exp2(np.floor(np.log2(np.maximum(counts, 1))) - 3), 1).astype(np.int64)
    return counts // step * step


def axis_in_force(
    values_RT: NDArray,
    counts_R: NDArray,
    periods: tuple[int, ...],
    affine: bool = True,
    roots: bool = True,
) -> NDArray:
    """The axis (R,) of series whose newest `counts_R` values these are, right-aligned.

    It was chosen when `decided` says, or at the newest value that has no logarithm and the one
    after it.
    """
    T = values_RT.shape[1]
    steps_RT = np.arange(1, T + 1) - (T - counts_R[:, None])
    newest_R = np.where(values_RT <= 0, steps_RT, 0).max(axis=1, initial=0)
    until_R = np.maximum(decided(counts_R), np.where(newest_R > 0, newest_R + 1, 0))
    known_RT = np.where(steps_RT <= until_R[:, None], values_RT, np.nan)
    return reading_axis(known_RT, periods, affine, roots)


def reading_axis(
    values_RT: NDArray, periods: tuple[int, ...] = (), affine: bool = True, roots: bool = True
) -> NDArray:
    """The axis (R,) that suits these values of series.

    Square roots where a tenth is 0, not counting the longest run that is over, or many of the
    newest are, or the same step of every cycle is. Fewer zeros, those before the first other value,
    and single negative values far from all near them have no logarithm and are missing there. The
    values themselves where others are negative, where they differ by a hair only, or where changes
    are more alike in size than as ratios. Else logarithms. Without `roots` zeros are no bound: such
    values are read as they are.

    >>> reading_axis(np.array([[1.0, 2, 4, 8, 17], [0, 0, 3, 5, 4], [5, 0, 0, 0, 3]])).tolist()
    [1, 1, 2]
    """
    if not affine:
        return np.full(len(values_RT), LINEAR)
    # Sums of any numbers stay within range.
    values_RT = values_RT / _power_of_four(values_RT)[:, None]
    values_RT = np.where(_before_first(values_RT), np.nan, values_RT)
    known_R = np.maximum((~np.isnan(values_RT)).sum(axis=1), 1)
    positive_RT = np.where(values_RT > 0, values_RT, np.nan)
    below_R = _falls_below(values_RT, positive_RT)
    zeros_R = (values_RT == 0).sum(axis=1)
    lasting_R = zeros_R - _longest_outage(values_RT)
    many_R = (lasting_R >= MANY_ZEROS * known_R) | _ends_without(values_RT)
    many_R |= _zeros_recur(values_RT, ~many_R & (zeros_R > 0), periods)
    low_R, high_R = np.fmin.reduce(positive_RT, axis=1), np.fmax.reduce(positive_RT, axis=1)
    flat_R = (low_R >= (1 - FLAT) * high_R) & (low_R < high_R)
    wide_R = np.flatnonzero((low_R < NARROW * high_R) & ~below_R & ~many_R)
    additive_R = np.zeros(len(values_RT), bool)
    additive_R[wide_R] = _is_additive(positive_RT[wide_R], zeros_R[wide_R] > 0, periods)
    return np.select(
        [below_R, (zeros_R > 0) & many_R, flat_R | additive_R],
        [LINEAR, ROOT if roots else LINEAR, LINEAR],
        LOG,
    )


def _before_first(values_RT: NDArray) -> NDArray:
    """Zeros before the first other value; none where there is no other."""
    begun_RT = np.logical_or.accumulate(~np.isnan(values_RT) & (values_RT != 0), axis=1)
    return ~begun_RT & begun_RT[:, -1:]


def _falls_below(values_RT: NDArray, positive_RT: NDArray) -> NDArray:
    """Which series have negative values (R,), but for a few that are far from all near them, once
    there was a positive one again."""
    negative_RT = values_RT < 0
    result_R = np.asarray(negative_RT.any(axis=1))
    rows = np.flatnonzero(result_R & ~np.isnan(positive_RT).all(axis=1))
    for r in rows:
        known = np.flatnonzero(~np.isnan(values_RT[r]))
        x, below = values_RT[r, known], negative_RT[r, known]
        usual = _mean_change(x[~below])
        few = below.sum() <= max(1, FEW * len(x)) and not below[-2:].all()
        if few and len(x) - below.sum() >= ENOUGH:
            result_R[r] = any(
                _near(x, below, t) < STRAY * usual for t in np.flatnonzero(below).tolist()
            )
    return result_R


def _near(x: NDArray, below: NDArray, t: int) -> float:
    """How far a negative value is from the nearest other within three steps."""
    around = slice(max(t - 3, 0), t + 4)
    others = x[around][~below[around]]
    return float(np.abs(others - x[t]).min(initial=np.inf))


def _mean_change(x: NDArray) -> float:
    return float(np.abs(np.diff(x)).mean()) if len(x) > 1 else 0.0


def _longest_outage(values_RT: NDArray) -> NDArray:
    """How long the longest run of zeros is that is over (R,): once is no habit. 0 where it is
    short."""
    result_R = np.zeros(len(values_RT), np.int64)
    for r in np.flatnonzero((values_RT == 0).any(axis=1)):
        zero = values_RT[r][~np.isnan(values_RT[r])] == 0
        edges = np.flatnonzero(np.diff(np.concatenate([[0], zero, [0]])))
        lengths = np.diff(edges)[::2]
        over = lengths[: len(lengths) - int(zero[-1])]
        longest = over.max(initial=0)
        result_R[r] = longest if longest >= OUTAGE else 0
    return result_R


def _zeros_recur(values_RT: NDArray, asked_R: NDArray, periods: tuple[int, ...]) -> NDArray:
    """Which of the asked series are 0 at the same step of every cycle, however few steps that are
    (R,): a month of holidays, hours without service."""
    result_R = np.zeros(len(values_RT), bool)
    for r in np.flatnonzero(asked_R):
        known = np.flatnonzero(~np.isnan(values_RT[r]))
        is_zero = values_RT[r, known] == 0
        for period in periods:
            if 1 < period <= LONGEST_CYCLE:
                count_P = np.bincount(known % period, minlength=period)
                zeros_P = np.bincount(known[is_zero] % period, minlength=period)
                always_P = (count_P >= CYCLES) & (zeros_P == count_P)
                result_R[r] |= 2 * zeros_P[always_P].sum() > is_zero.sum()
    return result_R


def _ends_without(values_RT: NDArray) -> NDArray:
    """Whether the newest two known values have no logarithm, which was so never before, or
    several of the newest ones apart from each other (R,)."""
    result_R = np.zeros(len(values_RT), bool)
    for r in np.flatnonzero((values_RT <= 0).any(axis=1)):
        without = values_RT[r][~np.isnan(values_RT[r])] <= 0
        run = int(np.append(without[::-1], False).argmin())
        before = without[: len(without) - run]
        ended = run > 1 and not (before[1:] & before[:-1]).any()
        runs = np.diff(without[-RECENT:].astype(int), prepend=0) > 0
        result_R[r] = ended or runs.sum() >= RECENT // 6
    return result_R


def _is_additive(positive_RT: NDArray, touches_R: NDArray, periods: tuple[int, ...]) -> NDArray:
    """Whether changes are more alike in size as they are than as ratios (R,): by their likelihood
    under a Laplace distribution on both axes, from value to value and from cycle to cycle.

    A small gain is enough where the series touches 0, or stands near 0 at its end and could cross
    it.
    """
    season = shortest_season(periods) or 1
    gain_R, count_R = _gain(_packed(positive_RT), 1)
    long_R = (~np.isnan(positive_RT)).sum(axis=1) > 3 * season
    if season > 1 and long_R.any():
        gain_R = np.where(long_R, np.minimum(gain_R, _gain(positive_RT, season)[0]), gain_R)
    total_R = gain_R * np.maximum(count_R, 1)
    clear_R = (gain_R >= CLEAR_GAIN) & (total_R >= SURE / 2)
    near_R = touches_R | _stands_near_zero(positive_RT, max(season, 5))
    return clear_R | ((total_R >= SURE) & near_R)


def _gain(positive_RT: NDArray, lag: int) -> tuple[NDArray, NDArray]:
    """Log likelihood of a change by which the linear axis is ahead of the logarithmic one (R,), and
    of how many changes."""
    now_RT, before_RT = positive_RT[:, lag:], positive_RT[:, : max(positive_RT.shape[1] - lag, 0)]
    known_RT = ~np.isnan(now_RT) & ~np.isnan(before_RT)
    count_R = known_RT.sum(axis=1)
    log_RT, log_before_RT = (np.log(part_RT) for part_RT in (now_RT, before_RT))
    linear_R = _spread(now_RT - before_RT, count_R)
    ratio_R = _spread(log_RT - log_before_RT, count_R, CAP)
    density_R = np.where(known_RT, log_RT, 0.0).sum(axis=1) / np.maximum(count_R, 1)
    # no spread at all is a straight line on that axis
    with np.errstate(divide="ignore", invalid="ignore"):
        gain_R = np.log(ratio_R) - np.log(linear_R) + density_R
    enough_R = (count_R >= ENOUGH) & ~np.isnan(gain_R)
    return np.where(enough_R, gain_R, -np.inf), count_R


def _spread(changes_RT: NDArray, count_R: NDArray, most: float = np.inf) -> NDArray:
    """Mean distance (R,) of changes from their median, each counted as at most so many medians of
    these distances: a closed day says nothing about an axis."""
    if not changes_RT.shape[1]:
        return np.zeros(len(changes_RT))
    distance_RT = np.abs(changes_RT - _median(changes_RT, count_R)[:, None])
    usual_R = _median(distance_RT, count_R)
    most_R = np.where(usual_R > 0, most, np.inf) * np.where(usual_R > 0, usual_R, 1.0)
    return np.nansum(np.minimum(distance_RT, most_R[:, None]), axis=1) / np.maximum(count_R, 1)


def _median(values_RT: NDArray, count_R: NDArray) -> NDArray:
    """The lower median of the known values of each row, so many (R,)."""
    middle_R = np.maximum(count_R - 1, 0) // 2
    return np.sort(values_RT, axis=1)[np.arange(len(values_RT)), middle_R]


def _stands_near_zero(positive_RT: NDArray, newest: int) -> NDArray:
    """Whether so many newest values are within a few usual changes of 0 (R,)."""
    packed_RT = _packed(positive_RT)
    count_R = (~np.isnan(packed_RT)).sum(axis=1)
    newest_RN = np.sort(packed_RT[:, -newest:], axis=1)  # unknown ones last
    known_R = np.maximum(np.minimum(count_R, newest_RN.shape[1]), 1)
    rows = np.arange(len(newest_RN))
    median_R = (newest_RN[rows, (known_R - 1) // 2] + newest_RN[rows, known_R // 2]) / 2
    change_R = np.nansum(np.abs(np.diff(packed_RT, axis=1)), axis=1) / np.maximum(count_R - 1, 1)
    return (count_R > 1) & (median_R < NEAR * change_R)


def _packed(values_RT: NDArray) -> NDArray:
    """The known values of each row, right-aligned."""
    order_RT = np.argsort(~np.isnan(values_RT), axis=1, kind="stable")
    return np.take_along_axis(values_RT, order_RT, axis=1)
