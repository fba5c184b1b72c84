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

from lstmcast.data.extremes import Top, top_of
from lstmcast.data.origins import Origins, last_known
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import reduced_parts

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

    def any(self) -> bool:
        """Whether any forecast has a bound."""
        return bool(np.isfinite(self.low_O).any() or np.isfinite(self.high_O).any())

    def put(self, row_R: NDArray, top: Top, bottom: Top) -> None:
        """Those of some forecasts, of whose values these are the largest ones, and the largest
        ones of the negated values."""
        self.high_O[row_R] = top.limits()
        self.low_O[row_R] = -bottom.limits()
        rises_R = top.only_rises()
        falls_R = bottom.only_rises()
        self.only_rise_O[row_R] = rises_R
        self.only_fall_O[row_R] = falls_R
        self.low_O[row_R[rises_R]] = top.highest_S[rises_R]
        self.high_O[row_R[falls_R]] = -bottom.highest_S[falls_R]


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
        values_RT = _read(panel.values, begin_O[row_R], end_O[row_R])
        bounds.put(row_R, top_of(values_RT), top_of(-values_RT))
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


def within(answers_OHX: NDArray, bounds: Bounds | None) -> NDArray:
    """Answers (O, H, …) that are nowhere beyond their bounds; unknown ones stay so.

    >>> bounds = Bounds.none(1)
    >>> values_RT = np.arange(30.0)[None]
    >>> bounds.put(np.array([0]), top_of(values_RT), top_of(-values_RT))
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


def _without_steps_back(
    answers_OHX: NDArray, rows_O: NDArray, extreme: np.ufunc
) -> None:
    """Some of the answers, each step the largest (or smallest) so far; unknown ones stay so."""
    if not rows_O.any():
        return
    answers_RHX = answers_OHX[rows_O]
    so_far_RHX = extreme.accumulate(answers_RHX, axis=1)
    is_unknown_RHX = np.isnan(answers_RHX)
    answers_OHX[rows_O] = np.where(is_unknown_RHX, np.nan, so_far_RHX)
