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
    """Observations (B, …) on the reading axis: logarithms, square roots, or unchanged.

    Values that an axis cannot represent are missing.
    """
    z_B = np.array(values_B, float)
    log_B = _of_rows(log, len(z_B))
    root_B = _of_rows(root, len(z_B))
    if log_B.all():
        z_B[z_B <= 0] = np.nan
        return np.log(z_B, out=z_B)
    if log_B.any():
        values_N = z_B[log_B]
        z_B[log_B] = np.log(np.where(values_N > 0, values_N, np.nan))
    if root_B.any():
        values_N = z_B[root_B]
        z_B[root_B] = np.sqrt(np.where(values_N >= 0, values_N, np.nan))
    return z_B


def from_axis(z_B: NDArray, log: NDArray | bool, root: NDArray | bool = False) -> NDArray:
    """The inverse of `to_axis`, limited to finite positive floats."""
    values_B = np.array(z_B, float)
    log_B = _of_rows(log, len(values_B))
    root_B = _of_rows(root, len(values_B))
    if log_B.all():
        np.clip(values_B, -744.0, 709.0, out=values_B)
        return np.exp(values_B, out=values_B)
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
    size_BT = np.abs(np.nan_to_num(values_BT))
    largest_B = size_BT.max(axis=1, initial=0.0)
    exponent_B = np.frexp(largest_B)[1]
    return np.ldexp(1.0, (exponent_B - 1) // 2 * 2)


def decided(counts: NDArray) -> NDArray:
    """The number of values at the last choice of the axis: eight choices while it doubles.

    >>> decided(np.array([0, 5, 17, 100, 1000])).tolist()
    [0, 5, 16, 96, 960]
    """
    doublings = np.floor(np.log2(np.maximum(counts, 1)))
    step = np.maximum(np.exp2(doublings - 3), 1).astype(np.int64)
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
    unread_R1 = T - counts_R[:, None]
    steps_RT = np.arange(1, T + 1) - unread_R1
    no_logarithm_RT = np.where(values_RT <= 0, steps_RT, 0)
    newest_R = no_logarithm_RT.max(axis=1, initial=0)
    after_it_R = np.where(newest_R > 0, newest_R + 1, 0)
    until_R = np.maximum(decided(counts_R), after_it_R)
    known_RT = np.where(steps_RT <= until_R[:, None], values_RT, np.nan)
    return reading_axis(known_RT, periods, affine, roots)


def reading_axis(
    values_RT: NDArray, periods: tuple[int, ...] = (), affine: bool = True, roots: bool = True
) -> NDArray:
    """The axis (R,) that suits these values of series.

    Square roots where a tenth is 0, not counting the longest run that is over, or many of the
    newest are, or the same step of every cycle is. Fewer zeros, those before the first other value,
    and single negative values far from all near them have no logarithm and are missing there. The
    values themselves where others are negative, where they differ by less than a hundredth, or
    where changes are more alike in size than as ratios. Else logarithms. Without `roots` zeros are
    no bound: such values are read as they are.

    >>> reading_axis(np.array([[1.0, 2, 4, 8, 17], [0, 0, 3, 5, 4], [5, 0, 0, 0, 3]])).tolist()
    [1, 1, 2]
    """
    if not affine:
        return np.full(len(values_RT), LINEAR)
    # Sums of any numbers stay within range.
    values_RT = values_RT / _power_of_four(values_RT)[:, None]
    values_RT = np.where(_before_first(values_RT), np.nan, values_RT)
    positive_RT = np.where(values_RT > 0, values_RT, np.nan)
    below_R = _falls_below(values_RT, positive_RT)
    touches_R = (values_RT == 0).any(axis=1)
    is_often_zero_R = _is_often_zero(values_RT)
    is_often_zero_R |= _zeros_recur(values_RT, ~is_often_zero_R & touches_R, periods)
    low_R = np.fmin.reduce(positive_RT, axis=1)
    high_R = np.fmax.reduce(positive_RT, axis=1)
    flat_R = (low_R >= (1 - FLAT) * high_R) & (low_R < high_R)
    wide_R = (low_R < NARROW * high_R) & ~below_R & ~is_often_zero_R
    additive_R = np.zeros(len(values_RT), bool)
    additive_R[wide_R] = _is_additive(positive_RT[wide_R], touches_R[wide_R], periods)
    zero_axis = ROOT if roots else LINEAR
    cases = [below_R, touches_R & is_often_zero_R, flat_R | additive_R]
    return np.select(cases, [LINEAR, zero_axis, LINEAR], LOG)


def _before_first(values_RT: NDArray) -> NDArray:
    """Zeros before the first other value; none where there is no other."""
    is_other_RT = ~np.isnan(values_RT) & (values_RT != 0)
    begun_RT = np.logical_or.accumulate(is_other_RT, axis=1)
    return ~begun_RT & begun_RT[:, -1:]


def _is_often_zero(values_RT: NDArray) -> NDArray:
    """Whether a tenth of the values is 0, an outage apart, or the newest ones fall to 0 (R,)."""
    known_R = np.maximum((~np.isnan(values_RT)).sum(axis=1), 1)
    zeros_R = (values_RT == 0).sum(axis=1)
    lasting_R = zeros_R - _longest_outage(values_RT)
    return (lasting_R >= MANY_ZEROS * known_R) | _ends_without(values_RT)


def _falls_below(values_RT: NDArray, positive_RT: NDArray) -> NDArray:
    """Whether each series has negative values (R,), except for a few strays before a positive
    one."""
    below_RT = values_RT < 0
    falls_R = np.asarray(below_RT.any(axis=1))
    has_positive_R = ~np.isnan(positive_RT).all(axis=1)
    for row in np.flatnonzero(falls_R & has_positive_R):
        known_T = np.flatnonzero(~np.isnan(values_RT[row]))
        falls_R[row] = not _strays_only(values_RT[row, known_T], below_RT[row, known_T])
    return falls_R


def _strays_only(value_T: NDArray, below_T: NDArray) -> bool:
    """Whether the negative values of a series are few, in the past, and far from their
    neighbours."""
    positive_T = value_T[~below_T]
    is_rare = below_T.sum() <= max(1, FEW * len(value_T))
    is_over = not below_T[-2:].all()
    if not is_rare or not is_over or len(positive_T) < ENOUGH:
        return False
    limit = STRAY * _mean_change(positive_T)
    steps = np.flatnonzero(below_T).tolist()
    distances = (_distance(value_T, below_T, step) for step in steps)
    return not any(distance < limit for distance in distances)


def _distance(value_T: NDArray, below_T: NDArray, step: int) -> float:
    """How far a negative value is from the nearest other within three steps."""
    around = slice(max(step - 3, 0), step + 4)
    positive = value_T[around][~below_T[around]]
    distances = np.abs(positive - value_T[step])
    return float(distances.min(initial=np.inf))


def _mean_change(value_T: NDArray) -> float:
    if len(value_T) < 2:
        return 0.0
    return float(np.abs(np.diff(value_T)).mean())


def _longest_outage(values_RT: NDArray) -> NDArray:
    """How long the longest run of zeros is that is over (R,): once is no habit. 0 where it is
    short."""
    result_R = np.zeros(len(values_RT), np.int64)
    has_zero_R = (values_RT == 0).any(axis=1)
    for row in np.flatnonzero(has_zero_R):
        is_zero_T = _known(values_RT[row]) == 0
        padded_T = np.concatenate([[0], is_zero_T, [0]])
        edges = np.flatnonzero(np.diff(padded_T))
        lengths = np.diff(edges)[::2]  # of zeros; the others are between them
        over = lengths[:-1] if is_zero_T[-1] else lengths
        longest = over.max(initial=0)
        result_R[row] = longest if longest >= OUTAGE else 0
    return result_R


def _zeros_recur(values_RT: NDArray, asked_R: NDArray, periods: tuple[int, ...]) -> NDArray:
    """Which of the asked series are 0 at the same step of every cycle, however few steps that are
    (R,): a month of holidays, hours without service."""
    result_R = np.zeros(len(values_RT), bool)
    for r in np.flatnonzero(asked_R):
        known = np.flatnonzero(~np.isnan(values_RT[r]))
        is_zero = values_RT[r, known] == 0
        for period in periods:
            # one step of a shorter cycle is a tenth of the values anyway
            expected = MANY_ZEROS * period
            if 1 < expected <= MANY_ZEROS * LONGEST_CYCLE:
                count_P = np.bincount(known % period, minlength=period)
                zeros_P = np.bincount(known[is_zero] % period, minlength=period)
                always_P = (count_P >= CYCLES) & (zeros_P == count_P)
                result_R[r] |= 2 * zeros_P[always_P].sum() > is_zero.sum()
    return result_R


def _ends_without(values_RT: NDArray) -> NDArray:
    """Whether the newest two known values have no logarithm, which was so never before, or
    several of the newest ones apart from each other (R,)."""
    result_R = np.zeros(len(values_RT), bool)
    is_wanting_R = (values_RT <= 0).any(axis=1)
    for row in np.flatnonzero(is_wanting_R):
        without_T = _known(values_RT[row]) <= 0
        run = int(np.append(without_T[::-1], False).argmin())
        earlier_T = without_T[: len(without_T) - run]
        was_twice = (earlier_T[1:] & earlier_T[:-1]).any()
        recent_T = without_T[-RECENT:].astype(int)
        begins_T = np.diff(recent_T, prepend=0) > 0
        is_new = run > 1 and not was_twice
        result_R[row] = is_new or begins_T.sum() >= RECENT // 6
    return result_R


def _known(value_T: NDArray) -> NDArray:
    return value_T[~np.isnan(value_T)]


def _is_additive(positive_RT: NDArray, touches_R: NDArray, periods: tuple[int, ...]) -> NDArray:
    """Whether changes are more alike in size as they are than as ratios (R,): by their likelihood
    under a Laplace distribution on both axes, from value to value and from cycle to cycle.

    A small gain is enough where the series touches 0, or stands near 0 at its end and could cross
    it.
    """
    season = shortest_season(periods) or 1
    gain_R, count_R = _gain(_packed(positive_RT), 1)
    is_long_R = (~np.isnan(positive_RT)).sum(axis=1) > 3 * season
    if season > 1 and is_long_R.any():
        seasonal_R, _ = _gain(positive_RT, season)
        gain_R = np.where(is_long_R, np.minimum(gain_R, seasonal_R), gain_R)
    total_R = gain_R * np.maximum(count_R, 1)
    is_clear_R = (gain_R >= CLEAR_GAIN) & (total_R >= SURE / 2)
    is_near_R = touches_R | _stands_near_zero(positive_RT, max(season, 5))
    is_sure_R = total_R >= SURE
    return is_clear_R | (is_sure_R & is_near_R)


def _gain(positive_RT: NDArray, lag: int) -> tuple[NDArray, NDArray]:
    """Log likelihood of a change by which the linear axis is ahead of the logarithmic one (R,), and
    of how many changes."""
    pairs = max(positive_RT.shape[1] - lag, 0)
    now_RT = positive_RT[:, lag:]
    before_RT = positive_RT[:, :pairs]
    known_RT = ~np.isnan(now_RT) & ~np.isnan(before_RT)
    count_R = known_RT.sum(axis=1)
    log_RT = np.log(now_RT)
    log_before_RT = np.log(before_RT)
    linear_R = _spread(now_RT - before_RT, count_R)
    ratio_R = _spread(log_RT - log_before_RT, count_R, CAP)
    log_sum_R = np.where(known_RT, log_RT, 0.0).sum(axis=1)
    density_R = log_sum_R / np.maximum(count_R, 1)
    # no spread at all is a straight line on that axis
    with np.errstate(divide="ignore", invalid="ignore"):
        gain_R = np.log(ratio_R) - np.log(linear_R) + density_R
    is_enough_R = (count_R >= ENOUGH) & ~np.isnan(gain_R)
    return np.where(is_enough_R, gain_R, -np.inf), count_R


def _spread(changes_RT: NDArray, count_R: NDArray, largest: float = np.inf) -> NDArray:
    """Mean distance (R,) of changes from their median, each counted as at most so many medians of
    these distances: a closed day says nothing about an axis."""
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
    return np.nansum(limited_RT, axis=1) / np.maximum(count_R, 1)


def _median(values_RT: NDArray, count_R: NDArray) -> NDArray:
    """The lower median of the known values of each row, so many (R,)."""
    rows = np.arange(len(values_RT))
    middle_R = np.maximum(count_R - 1, 0) // 2
    return np.sort(values_RT, axis=1)[rows, middle_R]


def _stands_near_zero(positive_RT: NDArray, newest: int) -> NDArray:
    """Whether so many newest values are within a few usual changes of 0 (R,)."""
    packed_RT = _packed(positive_RT)
    count_R = (~np.isnan(packed_RT)).sum(axis=1)
    newest_RN = np.sort(packed_RT[:, -newest:], axis=1)  # unknown ones last
    rows = np.arange(len(newest_RN))
    known_R = np.minimum(count_R, newest_RN.shape[1])
    known_R = np.maximum(known_R, 1)
    low_R = newest_RN[rows, (known_R - 1) // 2]
    high_R = newest_RN[rows, known_R // 2]
    median_R = (low_R + high_R) / 2
    change_RT = np.abs(np.diff(packed_RT, axis=1))
    change_R = np.nansum(change_RT, axis=1) / np.maximum(count_R - 1, 1)
    return (count_R > 1) & (median_R < NEAR * change_R)


def _packed(values_RT: NDArray) -> NDArray:
    """The known values of each row, right-aligned."""
    order_RT = np.argsort(~np.isnan(values_RT), axis=1, kind="stable")
    return np.take_along_axis(values_RT, order_RT, axis=1)
