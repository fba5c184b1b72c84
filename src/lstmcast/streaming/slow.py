"""The slow clock of a stream's rows: effects of their whole past, in fixed memory.

S series, a row each · R some of their rows · T steps · H coming steps · J columns of the effect
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.model.inputs.axis import LOG, ROOT, to_axis
from lstmcast.model.inputs.effects import earlier_than, steps_before
from lstmcast.model.inputs.slow_clock import (
    AXES,
    Clock,
    SlowState,
    effect_of,
    put_rows,
    renewed,
    start_slow,
)
from lstmcast.streaming.rows import Rows
from lstmcast.util.states import rows_of


class SlowReader:
    """Reads every value of a row once, and returns the effects in force.

    Args:
        clock: how steps form days, weeks and years.
        rows: the rows to read; the required states are added to them.
        longest: number of steps back for which past solutions are kept.
    """

    def __init__(self, clock: Clock, rows: Rows, longest: int) -> None:
        self.clock = clock
        self.rows = rows
        steps_of_solution = clock.steps * clock.renewal
        self.kept = longest // steps_of_solution + 2
        rows.add("steps", lambda count: np.zeros(count, np.int64))
        rows.add("slow", self._start)

    def _start(self, count: int) -> tuple[SlowState, ...]:
        """The initial states of rows, one for each axis."""
        return tuple(start_slow(self.clock, count, self.kept) for _ in AXES)

    def history(self, panel: Panel) -> None:
        """Read the series of a panel, each to its end."""
        read = earlier_than(panel, panel.lengths, self.kept)
        if read is None:
            return
        row_S = np.arange(len(panel))
        steps_S = steps_before(panel) + panel.lengths
        self.rows.put("steps", row_S, steps_S)
        self.rows.put("slow", row_S, read.slow)

    # sums that overflow are dropped when they are used
    @np.errstate(over="ignore", invalid="ignore")
    def tick(self, row_R: NDArray, values_R: NDArray) -> None:
        """Read one more value of each of these rows."""
        clock = self.clock
        steps_R = self.rows["steps"][row_R]
        steps_after_R = steps_R + 1
        self.rows["steps"][row_R] = steps_after_R
        days_R = steps_R // clock.steps
        first_R = self._first_of_chunk(days_R)
        over_R = steps_after_R % clock.steps == 0
        rows_over = row_R[over_R]
        day_N = (days_R - first_R)[over_R]
        has_new_renewal_R = clock.renewals(steps_after_R) > clock.renewals(steps_R)
        due_R = over_R & has_new_renewal_R
        due_days = np.unique(first_R[due_R]).tolist() if due_R.any() else []
        for log in AXES:
            state: SlowState = self.rows["slow"][log]
            z_R = to_axis(values_R, log)
            if clock.steps > 1:
                state.today_B[row_R] += z_R
                z_R = state.today_B[row_R] / clock.steps
                state.today_B[rows_over] = 0.0
            # In place: copying would cost more than reading a tick.
            state.days_BD[rows_over, day_N] = z_R[over_R]
            for first in due_days:
                rows_due = row_R[due_R & (first_R == first)]
                self._renew(state, rows_due, first)

    def _first_of_chunk(self, days_R: NDArray) -> NDArray:
        """The day from which each row keeps values for its next solution."""
        clock = self.clock
        since_R = (days_R - clock.first) % clock.renewal
        is_early_R = days_R < clock.first
        return np.where(is_early_R, 0, days_R - since_R)

    def _renew(self, state: SlowState, rows: NDArray, first: int) -> None:
        """Update the solution of rows whose chunk of days began with `first`."""
        chunk = self.clock.chunk(first)
        old_state = rows_of(state, rows)
        new_state = renewed(self.clock, old_state, *chunk)
        put_rows(state, rows, new_state)

    def known(
        self, row_R: NDArray, axes_R: NDArray, length: int, horizon: int
    ) -> NDArray | None:
        """Effects at the newest steps of these rows, and the H after each, as known at that step
        (R, length, 1 + H), in the units of the axis; None if there are none.

        `axes_R`: the reading axis of each row; the square-root axis has no effects.
        """
        linear, logarithmic = (self.rows["slow"][log].newest_BRJ for log in AXES)
        if not (linear.any() or logarithmic.any()):
            return None
        is_log_R = axes_R == LOG
        is_log_R11 = is_log_R[:, None, None]
        newest_RGJ = np.where(is_log_R11, logarithmic[row_R], linear[row_R])
        newest_RGJ[axes_R == ROOT] = 0.0

        count_R = self.rows["steps"][row_R]
        first_R1 = count_R[:, None] - length
        steps_RT = first_R1 + np.arange(length)
        steps_after_RT = np.maximum(steps_RT + 1, 0)
        renewals_RT = self.clock.renewals(steps_after_RT)
        renewals_R = self.clock.renewals(count_R)
        ago_RT = renewals_R[:, None] - renewals_RT
        newest_place = self.kept - 1
        place_RT = np.maximum(newest_place - ago_RT, 0)
        rows_R1 = np.arange(len(row_R))[:, None]
        solution_RTJ = newest_RGJ[rows_R1, place_RT]
        ahead = np.arange(1 + horizon)
        return effect_of(self.clock, solution_RTJ, steps_RT, ahead)
