"""Effects of the slow clock, known in advance, for the series of a panel.

They are estimated once per panel. What a saved model knows of values before the panel is included.

    S series · R, B some of them · T steps · H coming steps · J columns of the effect
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.data.times.frequency import Frequency
from lstmcast.model.inputs.axis import to_axis
from lstmcast.model.inputs.slow_clock import (
    AXES,
    HARMONICS,
    Clock,
    SlowState,
    advance_slow,
    clock_of,
    effect_of,
    put_rows,
    start_slow,
)
from lstmcast.util.parallel import side_by_side
from lstmcast.util.states import arrays_of, rows_of

VERSION = 1  # version of the sums in saved models
# series that are read together: few enough for the caches, and of similar length
BATCH_ROWS, LENGTHS_ALIKE = 64, 1.25


_MOST = 1e250  # limit of sums and solutions that summarise earlier values
_SOLVED = ("sums_B3M", "weight_B", "coefficients_BK", "phi_B", "came_B2", "newest_BRJ")


class Earlier(NamedTuple):
    """Summary of the values before the saved context of a saved model."""

    count_S: NDArray  # number of steps before the first value
    slow: tuple[SlowState, ...]  # of each axis: linear, logarithmic


class Effects:
    """The effects in force at the steps of a panel's series, on one of the axes.

    Args:
        panel: The series.
        log: Whether they are read on the logarithmic axis.
    """

    def __init__(self, panel: Panel, log: bool) -> None:
        clock = clock_of(panel.frequency)
        assert clock is not None
        self.clock = clock
        self.log = log
        self.before_S = steps_before(panel)
        steps_S = self.before_S + panel.lengths
        renewals_S = clock.renewals(steps_S)
        self.solution_SRJ = np.zeros(
            (len(panel), 1 + int(renewals_S.max(initial=0)), 2 * HARMONICS)
        )
        # True without anything to estimate
        self.known_S = steps_S < clock.fewest * clock.steps

    def estimate(self, panel: Panel, series_R: NDArray) -> None:
        """Estimate the effects of these series of the panel, unless that is done."""
        waiting = np.unique(series_R[~self.known_S[series_R]])
        if len(waiting):
            batches = _alike(self.before_S, panel.lengths, waiting)
            side_by_side(partial(self._fill, panel), batches)
            self.known_S[waiting] = True

    def _fill(self, panel: Panel, series_B: NDArray) -> None:
        count = int(self.before_S[series_B[0]])
        state = _before(panel, self.clock, series_B, self.log)
        first = int(self.clock.renewals(np.array(count)))
        self.solution_SRJ[series_B, first] = state.newest_BRJ[:, -1]
        z_BT = to_axis(_left_aligned(panel, series_B), self.log)
        _, solutions = advance_slow(self.clock, state, z_BT, count)
        for renewal, solution_BJ in enumerate(solutions, start=first + 1):
            self.solution_SRJ[series_B, renewal] = solution_BJ

    def known(
        self, series_B: NDArray, steps_BT: NDArray, horizon: int
    ) -> NDArray | None:
        """Effects at some steps and the H after each, as known at that step (B, T, 1 + H), in the
        units of the axis; None if there are none.

        `steps_BT`: counted from the first value of each series in the panel.
        """
        if not self.solution_SRJ[series_B].any():
            return None
        steps_BT = self.before_S[series_B][:, None] + steps_BT
        renewal_BT = self.clock.renewals(np.maximum(steps_BT + 1, 0))
        solution_BTJ = self.solution_SRJ[series_B[:, None], renewal_BT]
        return effect_of(self.clock, solution_BTJ, steps_BT, np.arange(1 + horizon))


def steps_before(panel: Panel) -> NDArray:
    """Number of steps of each series (S,) before its first value in the panel."""
    return (
        np.zeros(len(panel), np.int64)
        if panel.earlier is None
        else panel.earlier.count_S
    )


def _before(
    panel: Panel, clock: Clock, series_B: NDArray, log: bool, solutions: int = 1
) -> SlowState:
    """The summary of the values of some series before those of the panel."""
    state = start_slow(clock, len(series_B), solutions)
    if panel.earlier is None:
        return state
    earlier = rows_of(panel.earlier.slow[log], series_B)
    state.newest_BRJ[:, -1] = earlier.newest_BRJ[:, -1]
    return earlier._replace(newest_BRJ=state.newest_BRJ)


def earlier_than(panel: Panel, first_S: NDArray, solutions: int = 1) -> Earlier | None:
    """The summary of the first `first_S` values of each series, for a panel without them; None if
    there is nothing to summarise. `solutions`: number of solutions to keep."""
    clock = clock_of(panel.frequency)
    before_S = steps_before(panel)
    if clock is None or not np.any(before_S + first_S):
        return None
    slow = [start_slow(clock, len(panel), solutions) for _ in AXES]
    groups = np.unique(np.stack([before_S, first_S]), axis=1).T
    for count, steps in groups.tolist():
        series_R = np.flatnonzero((before_S == count) & (first_S == steps))
        for first in range(0, len(series_R), BATCH_ROWS):
            series_B = series_R[first : first + BATCH_ROWS]
            places = panel.offsets[series_B][:, None] + np.arange(steps)
            for log in AXES:
                state = _before(panel, clock, series_B, log, solutions)
                if steps:
                    z_BT = to_axis(panel.values[places], log)
                    state, _ = advance_slow(clock, state, z_BT, count)
                put_rows(slow[log], series_B, state)
    return Earlier(before_S + first_S, tuple(slow))


def joined_earlier(
    earlier: Earlier | None, frequency: Frequency, places_S: NDArray
) -> Earlier | None:
    """The summaries of the series at these indices; empty ones at −1."""
    clock = clock_of(frequency)
    if earlier is None or clock is None:
        return None
    series_R = np.flatnonzero(places_S >= 0)
    count_S = np.zeros(len(places_S), np.int64)
    count_S[series_R] = earlier.count_S[places_S[series_R]]
    slow = [start_slow(clock, len(places_S)) for _ in AXES]
    for log in AXES:
        put_rows(slow[log], series_R, rows_of(earlier.slow[log], places_S[series_R]))
    return Earlier(count_S, tuple(slow))


def saved_earlier(earlier: Earlier | None) -> dict[str, NDArray]:
    """Named arrays of the summaries for the store, of series with earlier values."""
    if earlier is None:
        return {}
    series_R = np.flatnonzero(earlier.count_S)
    slow = {
        f"slow{place}": array
        for place, array in arrays_of(rows_of(earlier.slow, series_R))
    }
    return {"earlier": earlier.count_S, "slow.version": np.array([VERSION]), **slow}


def earlier_from(arrays: Mapping[str, NDArray], frequency: Frequency) -> Earlier | None:
    """The inverse of `saved_earlier`; of sums from another version, only the step counts are used.
    KeyError if an array is missing."""
    clock = clock_of(frequency)
    if "earlier" not in arrays or clock is None:
        return None
    count_S = arrays["earlier"]
    slow = tuple(start_slow(clock, len(count_S)) for _ in AXES)
    if int(arrays["slow.version"][0]) == VERSION:
        series_R = np.flatnonzero(count_S)
        saved = iter([arrays[f"slow{place}"] for place, _ in arrays_of(slow)])
        for state in slow:
            for array in state:
                array[series_R] = next(saved)
    return Earlier(count_S, slow)


def require_sound_earlier(earlier: Earlier | None, series: int) -> None:
    """Raise ValueError for summaries that cannot belong to this number of series."""
    if earlier is None:
        return
    count_S = earlier.count_S
    if (
        count_S.shape != (series,)
        or count_S.dtype.kind not in "iu"
        or (count_S < 0).any()
    ):
        raise ValueError("what is known of earlier values is of other series")
    for state in earlier.slow:
        for name, array in state._asdict().items():
            unsound = np.isinf(array)
            if name in _SOLVED:  # other fields may be NaN for unknown values
                unsound |= ~(np.abs(array) <= _MOST)
            if unsound.any() or not (state.unit_B > 0).all():
                raise ValueError(
                    f"what is known of earlier values has impossible {name}"
                )


def _alike(
    before_S: NDArray, lengths_S: NDArray, series_R: NDArray
) -> Iterator[NDArray]:
    """Groups of series that are read together: with equally many steps before, of similar
    length."""
    order = series_R[np.lexsort((lengths_S[series_R], before_S[series_R]))]
    start = 0
    while start < len(order):
        group = order[start : start + BATCH_ROWS]
        same_count = before_S[group] == before_S[group[0]]
        near = lengths_S[group] <= LENGTHS_ALIKE * lengths_S[group[0]]
        yield group[same_count & near]
        start += int(np.count_nonzero(same_count & near))


def _left_aligned(panel: Panel, series_B: NDArray) -> NDArray:
    """Whole series (B, T), padded with NaN at the end."""
    lengths_B = panel.lengths[series_B]
    steps_T = np.arange(int(lengths_B.max()))
    inside_BT = steps_T < lengths_B[:, None]
    places = panel.offsets[series_B][:, None] + np.where(inside_BT, steps_T, 0)
    return np.where(inside_BT, panel.values[places], np.nan)


# An Effects holds no reference to its panel, so that it is freed with the panel.
_KNOWN: WeakKeyDictionary[Panel, dict[bool, Effects]] = WeakKeyDictionary()


def effects_of(
    panel: Panel, log: bool, series_R: NDArray | None = None
) -> Effects | None:
    """The effects of some or all series of a panel on an axis; None if there are none.

    They are cached as long as the panel lives: calibration, forecast and variants share them.
    """
    clock = clock_of(panel.frequency)
    if clock is None:
        return None
    of_panel = _KNOWN.setdefault(panel, {})
    if log not in of_panel:
        of_panel[log] = Effects(panel, log)
    series_R = np.arange(len(panel)) if series_R is None else series_R
    of_panel[log].estimate(panel, series_R)
    return of_panel[log] if of_panel[log].solution_SRJ[series_R].any() else None
