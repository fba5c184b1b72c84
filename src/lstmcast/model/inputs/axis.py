"""The axis on which adaptive inputs read a series: logarithms, square roots, or the values.

R rows · T values of each, NaN = missing or before they begin
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.inputs.additive import ENOUGH, is_additive

LINEAR, LOG, ROOT = range(3)
# share of the largest value: series that vary by less are read on the linear axis
FLAT = 0.01
# Share of the largest value: if the smallest one is above it, the axes are nearly equivalent.
NARROW = 0.5
# Number of cycles in which a step must always be 0, and their largest length, for zeros to count
# as a pattern.
CYCLES, LONGEST_CYCLE = 3, 60
OUTAGE = 6  # zeros in a row that count as an outage
# share of zeros above which the logarithms of the other values carry too little information
MANY_ZEROS = 0.1
# number of newest values, of which at least a sixth being 0 counts as falling to 0
RECENT = 24
# largest share of negative values that can count as missing, if STRAY usual changes from others
FEW = 0.02
STRAY = 6.0
NEARBY = 12  # values on each side that count as neighbours of a stray value
# codes for missing values
CODES = (-99.0, -999.0, -9999.0, -99999.0, -999999.0, -99.9, -999.9, -9999.9)


def to_axis(
    values_B: NDArray, log: NDArray | bool, root: NDArray | bool = False
) -> NDArray:
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
        positive_N = np.where(values_N > 0, values_N, np.nan)
        z_B[log_B] = np.log(positive_N)
    if root_B.any():
        values_N = z_B[root_B]
        not_negative_N = np.where(values_N >= 0, values_N, np.nan)
        z_B[root_B] = np.sqrt(not_negative_N)
    return z_B


def from_axis(
    z_B: NDArray, log: NDArray | bool, root: NDArray | bool = False
) -> NDArray:
    """The inverse of `to_axis`, clipped to finite positive floats."""
    values_B = np.array(z_B, float)
    log_B = _of_rows(log, len(values_B))
    root_B = _of_rows(root, len(values_B))
    if log_B.all():
        np.clip(values_B, -744.0, 709.0, out=values_B)
        return np.exp(values_B, out=values_B)
    if log_B.any():
        logs_N = np.clip(values_B[log_B], -744.0, 709.0)
        values_B[log_B] = np.exp(logs_N)
    if root_B.any():
        roots_N = np.maximum(values_B[root_B], 0.0)
        values_B[root_B] = roots_N**2
    return values_B


def _of_rows(flag: NDArray | bool, rows: int) -> NDArray:
    """The flag broadcast to one per row."""
    if isinstance(flag, np.ndarray) and len(flag) == rows:
        return flag
    return np.broadcast_to(flag, rows)


def units_of(values_BT: NDArray, axes_B: NDArray, affine: bool = True) -> NDArray:
    """The unit (B,) in which series are read: a power of four near their largest value; 1 on the
    logarithmic axis and for a head that is not `affine`.

    It keeps squares within range and is exact, even for square roots. So it does not matter that it
    depends on values after t.
    """
    if not affine:
        return np.ones(len(values_BT))
    is_log_B = axes_B == LOG
    return np.where(is_log_B, 1.0, _power_of_four(values_BT))


def _power_of_four(values_BT: NDArray) -> NDArray:
    """A power of four near the largest value of each series (B,)."""
    size_BT = np.abs(np.nan_to_num(values_BT))
    largest_B = size_BT.max(axis=1, initial=0.0)
    _, exponent_B = np.frexp(largest_B)
    even_exponent_B = (exponent_B - 1) // 2 * 2
    return np.ldexp(1.0, even_exponent_B)


def decided(counts: NDArray) -> NDArray:
    """The number of values at the latest choice of the axis: it is chosen eight times per doubling.

    >>> decided(np.array([0, 5, 17, 100, 1000])).tolist()
    [0, 5, 16, 96, 960]
    """
    at_least_one = np.maximum(counts, 1)
    doublings = np.floor(np.log2(at_least_one))
    eighth = np.exp2(doublings - 3)
    step = np.maximum(eighth, 1).astype(np.int64)
    return counts // step * step


def axis_in_force(
    values_RT: NDArray,
    counts_R: NDArray,
    periods: tuple[int, ...],
    affine: bool = True,
    roots: bool = True,
) -> NDArray:
    """The axis (R,) in force for series whose newest `counts_R` values these are, right-aligned.

    It was chosen at the times given by `decided`, or at the newest value without a logarithm and
    the one after it.
    """
    T = values_RT.shape[1]
    unread_R1 = T - counts_R[:, None]
    steps_RT = np.arange(1, T + 1) - unread_R1
    no_logarithm_RT = np.where(values_RT <= 0, steps_RT, 0)
    newest_R = no_logarithm_RT.max(axis=1, initial=0)
    after_it_R = np.where(newest_R > 0, newest_R + 1, 0)
    until_R = np.maximum(decided(counts_R), after_it_R)
    is_known_RT = steps_RT <= until_R[:, None]
    known_RT = np.where(is_known_RT, values_RT, np.nan)
    return reading_axis(known_RT, periods, affine, roots)


def reading_axis(
    values_RT: NDArray,
    periods: tuple[int, ...] = (),
    affine: bool = True,
    roots: bool = True,
) -> NDArray:
    """The axis (R,) that suits the values of each series.

    Square roots if a tenth of the values is 0 (not counting the longest run of zeros that has
    ended), if many of the newest are, or if the same step of every cycle is. Fewer zeros, leading
    zeros, and isolated negative values far from their neighbours have no logarithm and are missing
    on the logarithmic axis. Unchanged values if others are negative, if they vary by less than a
    hundredth, or if changes are more alike in size than as ratios. Logarithms otherwise. Without
    `roots`, zeros are not a bound and such series are read unchanged.

    >>> reading_axis(np.array([[1.0, 2, 4, 8, 17], [0, 0, 3, 5, 4], [5, 0, 0, 0, 3]])).tolist()
    [1, 1, 2]
    """
    if not affine:
        return np.full(len(values_RT), LINEAR)
    values_RT = _without_codes(values_RT)
    # Scaling keeps sums within range.
    unit_R = _power_of_four(values_RT)
    values_RT = values_RT / unit_R[:, None]
    before_first_RT = _before_first(values_RT)
    values_RT = np.where(before_first_RT, np.nan, values_RT)
    positive_RT = np.where(values_RT > 0, values_RT, np.nan)
    below_R = _falls_below(values_RT, positive_RT)
    touches_R = (values_RT == 0).any(axis=1)
    reaches_R = _reaches_zero(values_RT, touches_R)
    is_often_zero_R = _is_often_zero(values_RT)
    may_recur_R = touches_R & ~is_often_zero_R
    is_often_zero_R |= _zeros_recur(values_RT, may_recur_R, periods)

    low_R = np.fmin.reduce(positive_RT, axis=1)
    high_R = np.fmax.reduce(positive_RT, axis=1)
    differs_R = low_R < high_R
    flat_R = differs_R & (low_R >= (1 - FLAT) * high_R)
    is_wide_R = low_R < NARROW * high_R
    undecided_R = is_wide_R & ~below_R & ~is_often_zero_R
    additive_R = np.zeros(len(values_RT), bool)
    reaching_R = reaches_R[undecided_R]
    additive_R[undecided_R] = is_additive(positive_RT[undecided_R], reaching_R, periods)

    zero_axis = ROOT if roots else LINEAR
    conditions = [below_R, touches_R & is_often_zero_R, flat_R | additive_R]
    return np.select(conditions, [LINEAR, zero_axis, LINEAR], LOG)


def _without_codes(values_RT: NDArray) -> NDArray:
    """The values, with −999 and similar codes missing in series otherwise far above them."""
    is_code_RT = np.isin(values_RT, CODES)
    values_RT = values_RT.copy()
    for row in np.flatnonzero(is_code_RT.any(axis=1)):
        other_T = _known(np.where(is_code_RT[row], np.nan, values_RT[row]))
        code = values_RT[row, is_code_RT[row]].max()
        is_usual = 2 * len(other_T) <= _known(values_RT[row]).size
        if len(other_T) < ENOUGH or is_usual or other_T.min() < 0:
            continue
        if other_T.min() - code >= STRAY * _mean_change(other_T):
            values_RT[row, is_code_RT[row]] = np.nan
    return values_RT


def _before_first(values_RT: NDArray) -> NDArray:
    """Leading zeros; none in a series of zeros only."""
    is_known_RT = ~np.isnan(values_RT)
    is_other_RT = is_known_RT & (values_RT != 0)
    begun_RT = np.logical_or.accumulate(is_other_RT, axis=1)
    begins_R1 = begun_RT[:, -1:]
    return ~begun_RT & begins_R1


def _is_often_zero(values_RT: NDArray) -> NDArray:
    """Whether a tenth of the values is 0, apart from an outage, or the newest fall to 0 (R,).

    It is a tenth of the values outside of the outage: a product that hardly ever sells has one run
    of zeros that is nearly all of its history, and others.
    """
    is_known_RT = ~np.isnan(values_RT)
    zeros_R = (values_RT == 0).sum(axis=1)
    outage_R = _longest_outage(values_RT)
    others_R = np.maximum(is_known_RT.sum(axis=1) - outage_R, 1)
    are_many_R = zeros_R - outage_R >= MANY_ZEROS * others_R
    return are_many_R | _ends_without(values_RT)


def _falls_below(values_RT: NDArray, positive_RT: NDArray) -> NDArray:
    """Whether each series has negative values (R,), apart from a few stray ones before a positive
    one."""
    falls_R = np.asarray((values_RT < 0).any(axis=1))
    has_positive_R = ~np.isnan(positive_RT).all(axis=1)
    for row in np.flatnonzero(falls_R & has_positive_R):
        known_T = _known(values_RT[row])
        falls_R[row] = not _strays_only(known_T, known_T < 0)
    return falls_R


def _strays_only(value_T: NDArray, below_T: NDArray) -> bool:
    """Whether the negative values of a series are few, in the past, and far from their
    neighbours."""
    positive_T = value_T[~below_T]
    most_strays = max(1, FEW * len(value_T))
    is_rare = below_T.sum() <= most_strays
    is_over = not below_T[-2:].all()
    if not (is_rare and is_over):
        return False
    if len(positive_T) < ENOUGH:
        return False
    steps = np.flatnonzero(below_T).tolist()
    usual_change = _mean_change(positive_T)
    return all(_is_stray(value_T, below_T, step, usual_change) for step in steps)


def _is_stray(
    value_T: NDArray, below_T: NDArray, step: int, usual_change: float
) -> bool:
    """Whether a negative value is far from the nearest other within three steps, in usual changes
    of the whole series, or of its neighbourhood if these are smaller."""
    around = slice(max(step - 3, 0), step + 4)
    positive = value_T[around][~below_T[around]]
    distance = float(np.abs(positive - value_T[step]).min(initial=np.inf))
    nearby = slice(max(step - NEARBY, 0), step + NEARBY + 1)
    nearby_T = value_T[nearby][~below_T[nearby]]
    if len(nearby_T) >= ENOUGH:
        usual_change = min(usual_change, _mean_change(nearby_T))
    return distance >= STRAY * usual_change


def _reaches_zero(values_RT: NDArray, touches_R: NDArray) -> NDArray:
    """Which of the series that touch 0 approach it gradually (R,), rather than in isolated
    drops."""
    reaches_R = touches_R.copy()
    for row in np.flatnonzero(touches_R):
        value_T = _known(values_RT[row])
        is_zero_T = value_T == 0
        outage = _longest_run(is_zero_T)
        kept = np.r_[: outage.start, outage.stop : len(value_T)]
        is_kept_zero_T = is_zero_T[kept]
        reaches_R[row] = is_kept_zero_T.any() and not _strays_only(
            value_T[kept], is_kept_zero_T
        )
    return reaches_R


def _mean_change(value_T: NDArray) -> float:
    if len(value_T) < 2:
        return 0.0
    changes = np.abs(np.diff(value_T))
    return float(changes.mean())


def _longest_outage(values_RT: NDArray) -> NDArray:
    """The length of the longest run of zeros that has ended (R,), a single event rather than a
    pattern; 0 if it is short."""
    longest_R = np.zeros(len(values_RT), np.int64)
    has_zero_R = (values_RT == 0).any(axis=1)
    for row in np.flatnonzero(has_zero_R):
        outage = _longest_run(_known(values_RT[row]) == 0)
        longest_R[row] = outage.stop - outage.start
    return longest_R


def _longest_run(is_zero_T: NDArray) -> slice:
    """The longest run of zeros that has ended; empty if it is short."""
    padded_T = np.concatenate([[0], is_zero_T, [0]])
    edges = np.flatnonzero(np.diff(padded_T))
    runs = edges.reshape(-1, 2)  # of zeros; other values lie between them
    over = runs[:-1] if is_zero_T[-1:].any() else runs
    lengths = over[:, 1] - over[:, 0]
    if lengths.max(initial=0) < OUTAGE:
        return slice(0, 0)
    begin, end = over[lengths.argmax()].tolist()
    return slice(begin, end)


def _zeros_recur(
    values_RT: NDArray, asked_R: NDArray, periods: tuple[int, ...]
) -> NDArray:
    """Which of the selected series are 0 at the same step of every cycle (R,), even if few steps
    are: a month of holidays, hours without service."""
    # one step of a shorter cycle is a tenth of the values anyway
    most_expected = MANY_ZEROS * LONGEST_CYCLE
    long_periods = [
        period for period in periods if 1 < MANY_ZEROS * period <= most_expected
    ]
    recur_R = np.zeros(len(values_RT), bool)
    for row in np.flatnonzero(asked_R):
        steps = np.flatnonzero(~np.isnan(values_RT[row]))
        is_zero = values_RT[row, steps] == 0
        recur_R[row] = any(
            _zeros_recur_at(steps, is_zero, period) for period in long_periods
        )
    return recur_R


def _zeros_recur_at(steps: NDArray, is_zero: NDArray, period: int) -> bool:
    """Whether most zeros are at phases that are 0 in every cycle, given the known steps."""
    phases = steps % period
    count_P = np.bincount(phases, minlength=period)
    zeros_P = np.bincount(phases[is_zero], minlength=period)
    is_seen_P = count_P >= CYCLES
    always_P = is_seen_P & (zeros_P == count_P)
    recurring = zeros_P[always_P].sum()
    return bool(2 * recurring > is_zero.sum())


def _ends_without(values_RT: NDArray) -> NDArray:
    """Whether the newest two known values are the first two in a row without a logarithm, or
    several isolated ones of the newest are (R,)."""
    ends_R = np.zeros(len(values_RT), bool)
    is_wanting_R = (values_RT <= 0).any(axis=1)
    for row in np.flatnonzero(is_wanting_R):
        without_T = _known(values_RT[row]) <= 0
        recent_T = without_T[-RECENT:].astype(int)
        begins_T = np.diff(recent_T, prepend=0) > 0
        are_several = begins_T.sum() >= RECENT // 6
        ends_R[row] = are_several or _is_first_run(without_T)
    return ends_R


def _is_first_run(flag_T: NDArray) -> bool:
    """Whether the newest two flags are true, and no two adjacent ones before that run were."""
    newest_first_T = np.append(flag_T[::-1], False)
    run = int(newest_first_T.argmin())
    earlier_T = flag_T[: len(flag_T) - run]
    was_twice = (earlier_T[1:] & earlier_T[:-1]).any()
    return bool(run > 1 and not was_twice)


def _known(value_T: NDArray) -> NDArray:
    return value_T[~np.isnan(value_T)]
