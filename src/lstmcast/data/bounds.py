"""What values have never done, though they could have: gone beyond a limit that they touched often,
as percentages touch 100 and a car park its places; or fallen, as readings of a meter do not.

Only what a forecast has read says so, never what came later. It is done once, by `within`, after
all else. Values that are declared to be anything have no such bounds.

    O forecasts · R some of them · N observations of all series · T values of one · H horizon
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins, last_known
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import reduced_parts

# How often a limit was touched, left and touched again: where values near it are rare, as those
# that were clipped are, and where they are not. What lies beyond would have been seen.
VISITS_ALONE, VISITS = 5, 20
ALONE = 3.0  # times as many values at a limit as at the nearest other value
SHARE = 0.02  # of all values, at the limit
RISES = 20  # changes that all went one way
TOGETHER = 200_000  # values that are looked at together


class Bounds(NamedTuple):
    """Of forecasts (O,): no value is below `low` or above `high`, which are infinite where there
    is no bound; where values `only_rise`, or only fall, no step is below, or above, the one
    before."""

    low_O: NDArray
    high_O: NDArray
    only_rise_O: NDArray
    only_fall_O: NDArray

    @classmethod
    def none(cls, count: int) -> Bounds:
        """Of so many forecasts."""
        unbounded_O = np.full(count, np.inf)
        return cls(
            low_O=-unbounded_O,
            high_O=unbounded_O,
            only_rise_O=np.zeros(count, bool),
            only_fall_O=np.zeros(count, bool),
        )

    def rows(self, origins: NDArray) -> Bounds:
        """Those of some forecasts."""
        return Bounds(
            low_O=self.low_O[origins],
            high_O=self.high_O[origins],
            only_rise_O=self.only_rise_O[origins],
            only_fall_O=self.only_fall_O[origins],
        )

    def put(self, row_R: NDArray, values_RT: NDArray) -> None:
        """Those of some forecasts that have read these values, NaN where one is unknown."""
        if not values_RT.size:
            return
        for row in _with_limits(values_RT).tolist():
            values_T = values_RT[row]
            low, high = limits_in(values_T[~np.isnan(values_T)])
            self.low_O[row_R[row]] = low
            self.high_O[row_R[row]] = high
        rises_R, newest_R = _only_rising(values_RT)
        self.only_rise_O[row_R[rises_R]] = True
        self.low_O[row_R[rises_R]] = newest_R[rises_R]
        falls_R, newest_R = _only_rising(-values_RT)
        self.only_fall_O[row_R[falls_R]] = True
        self.high_O[row_R[falls_R]] = -newest_R[falls_R]


def bounds_of(
    panel: Panel,
    origins: Origins,
    first_O: NDArray,
    *answers: NDArray,
) -> Bounds | None:
    """The bounds that what was read from observation `first_O` on says, of those whose answers
    (O, …) may be beyond them; None where none may."""
    count = len(origins.series)
    if panel.declared_real or not count:
        return None
    offset_O = panel.offsets[origins.series]
    begin_O = offset_O + first_O
    end_O = offset_O + origins.counts
    low_O = reduced_parts(np.fmin, panel.values, begin_O, end_O)
    high_O = reduced_parts(np.fmax, panel.values, begin_O, end_O)
    newest_O = last_known(panel, origins)
    may_pass_O = np.zeros(count, bool)
    for answer_OX in answers:
        if answer_OX.size:
            may_pass_O |= may_pass(answer_OX, low_O, high_O, newest_O)
    if not may_pass_O.any():
        return None
    bounds = Bounds.none(count)
    for row_R in _in_parts(np.flatnonzero(may_pass_O), end_O - begin_O):
        bounds.put(row_R, _read(panel.values, begin_O[row_R], end_O[row_R]))
    return bounds


def _in_parts(row_R: NDArray, length_O: NDArray) -> list[NDArray]:
    """Rows, as many at a time as make a small array."""
    together = max(1, TOGETHER // max(int(length_O[row_R].max()), 1))
    return [row_R[first : first + together] for first in range(0, len(row_R), together)]


def _read(values_N: NDArray, begin_R: NDArray, end_R: NDArray) -> NDArray:
    """What was read from one place to another, NaN beyond the end of shorter ones (R, T)."""
    longest = int((end_R - begin_R).max())
    place_RT = begin_R[:, None] + np.arange(longest)
    is_read_RT = place_RT < end_R[:, None]
    last_place = len(values_N) - 1
    return np.where(is_read_RT, values_N[np.minimum(place_RT, last_place)], np.nan)


def may_pass(
    answers_OX: NDArray,
    low_O: NDArray,
    high_O: NDArray,
    newest_O: NDArray,
) -> NDArray:
    """Whether answers (O, …) go beyond the smallest or the largest value of their series (O,), or
    the newest value is one of these, from which they could go back."""
    flat_OX = answers_OX.reshape(len(answers_OX), -1)
    lowest_O = np.fmin.reduce(flat_OX, axis=1)
    highest_O = np.fmax.reduce(flat_OX, axis=1)
    passes_O = (highest_O > high_O) | (lowest_O < low_O)
    is_extreme_O = (newest_O == high_O) | (newest_O == low_O)
    return passes_O | is_extreme_O


def _with_limits(values_RT: NDArray) -> NDArray:
    """The series whose smallest or largest value occurs so often that it may be a limit."""
    count_R = np.count_nonzero(~np.isnan(values_RT), axis=1)
    low_R1 = np.fmin.reduce(values_RT, axis=1)[:, None]
    high_R1 = np.fmax.reduce(values_RT, axis=1)[:, None]
    at_low_R = np.count_nonzero(values_RT == low_R1, axis=1)
    at_high_R = np.count_nonzero(values_RT == high_R1, axis=1)
    fewest_R = np.maximum(VISITS_ALONE, SHARE * count_R)
    return np.flatnonzero(np.maximum(at_low_R, at_high_R) >= fewest_R)


def _only_rising(values_RT: NDArray) -> tuple[NDArray, NDArray]:
    """Which series have risen often and never fallen (R,), and the newest value of those."""
    highest_RT = np.fmax.accumulate(values_RT, axis=1)
    has_fallen_R = (values_RT < highest_RT).any(axis=1)
    rise_count_R = np.count_nonzero(highest_RT[:, 1:] > highest_RT[:, :-1], axis=1)
    return ~has_fallen_R & (rise_count_R >= RISES), highest_RT[:, -1]


def limits_in(known_T: NDArray) -> tuple[float, float]:
    """The lower and the upper limit of one series; infinite where there is none.

    >>> low, high = limits_in(np.array([97.0, 100, 98.5, 100, 99, 100, 96, 100, 93, 100]))
    >>> float(low), float(high)
    (-inf, 100.0)
    """
    if len(known_T) < 2 * VISITS_ALONE:
        return -np.inf, np.inf
    low, high = known_T.min(), known_T.max()
    if low == high:
        return -np.inf, np.inf
    if not _is_limit(known_T, low, is_upper=False):
        low = -np.inf
    if not _is_limit(known_T, high, is_upper=True):
        high = np.inf
    return low, high


def _is_limit(known_T: NDArray, bound: float, is_upper: bool) -> bool:
    """Whether the largest or the smallest value was touched often enough to be a limit."""
    at_T = known_T == bound
    touches = np.count_nonzero(at_T)
    fewest = max(VISITS_ALONE, SHARE * len(known_T))
    if touches < fewest:
        return False
    begins_T = at_T.copy()
    begins_T[1:] &= ~at_T[:-1]
    visits = np.count_nonzero(begins_T)
    if visits >= VISITS:
        return True
    inner_T = known_T[~at_T]
    nearest = inner_T.max() if is_upper else inner_T.min()
    nearest_count = np.count_nonzero(inner_T == nearest)
    is_alone = touches >= ALONE * nearest_count
    return bool(visits >= VISITS_ALONE and is_alone)


def within(answers_OHX: NDArray, bounds: Bounds | None) -> NDArray:
    """Answers (O, H, …) that are nowhere beyond their bounds; unknown ones stay so.

    >>> bounds = Bounds.none(1)
    >>> bounds.put(np.array([0]), np.arange(30.0)[None])
    >>> within(np.array([[28.0, 31.0, 30.0, np.nan]]), bounds)
    array([[29., 31., 31., nan]])
    """
    if bounds is None:
        return answers_OHX
    other_axes = [1] * (answers_OHX.ndim - 1)
    low = bounds.low_O.reshape(-1, *other_axes)
    high = bounds.high_O.reshape(-1, *other_axes)
    result_OHX = np.clip(answers_OHX, low, high)
    _without_steps_back(result_OHX, bounds.only_rise_O, np.fmax)
    _without_steps_back(result_OHX, bounds.only_fall_O, np.fmin)
    return result_OHX


def _without_steps_back(answers_OHX: NDArray, rows_O: NDArray, extreme: np.ufunc) -> None:
    """Some of the answers, each step the largest (or smallest) so far; unknown ones stay so."""
    if not rows_O.any():
        return
    answers_RHX = answers_OHX[rows_O]
    so_far_RHX = extreme.accumulate(answers_RHX, axis=1)
    is_unknown_RHX = np.isnan(answers_RHX)
    answers_OHX[rows_O] = np.where(is_unknown_RHX, np.nan, so_far_RHX)
