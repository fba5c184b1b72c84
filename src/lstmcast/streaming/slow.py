"""The slow clock of a stream's rows: what their whole past says in advance, in fixed memory.

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
    """Reads every value of a row once, and says which effects are in force.

    Args:
        clock: how steps make days, weeks and years.
        rows: what is read into; they get the states that this needs.
        longest: steps back for which the solutions that were in force are remembered.
    """

    def __init__(self, clock: Clock, rows: Rows, longest: int) -> None:
        self.clock, self.rows = clock, rows
        self.kept = longest // (clock.steps * clock.renewal) + 2
        rows.add("steps", lambda count: np.zeros(count, np.int64))
        rows.add("slow", lambda count: tuple(start_slow(clock, count, self.kept) for _ in AXES))

    def history(self, panel: Panel) -> None:
        """Read the series of a panel, each to its end."""
        read = earlier_than(panel, panel.lengths, self.kept)
        if read is not None:
            row_S = np.arange(len(panel))
            self.rows.put("steps", row_S, steps_before(panel) + panel.lengths)
            self.rows.put("slow", row_S, read.slow)

    def tick(self, row_R: NDArray, values_R: NDArray) -> None:
        """Read a value more of each of these rows."""
        clock = self.clock
        steps_R = self.rows["steps"][row_R]
        self.rows["steps"][row_R] = steps_R + 1
        days_R = steps_R // clock.steps
        over_R = (steps_R + 1) % clock.steps == 0
        since_R = (days_R - clock.first) % clock.renewal
        first_R = np.where(days_R < clock.first, 0, days_R - since_R)
        day_N = (days_R - first_R)[over_R]
        due_R = over_R & (clock.renewals(steps_R + 1) > clock.renewals(steps_R))
        due_days = np.unique(first_R[due_R]).tolist() if due_R.any() else []
        for log in AXES:
            state: SlowState = self.rows["slow"][log]
            z_R = to_axis(values_R, log)
            if clock.steps > 1:
                state.today_B[row_R] += z_R
                z_R = state.today_B[row_R] / clock.steps
                state.today_B[row_R[over_R]] = 0.0
            # Written to where it stands: copying it would cost more than reading a tick does.
            state.days_BD[row_R[over_R], day_N] = z_R[over_R]
            for first in due_days:
                rows = row_R[due_R & (first_R == first)]
                new_state = renewed(clock, rows_of(state, rows), *clock.chunk(first))
                put_rows(state, rows, new_state)

    def known(self, row_R: NDArray, axes_R: NDArray, length: int, horizon: int) -> NDArray | None:
        """Effects at the newest steps of these rows, and at the H after each, as known there (R,
        length, 1 + H), in the units of the axis; None where there are none.

        `axes_R`: the axis on which each row is read; there are none of square roots.
        """
        linear, logarithmic = (self.rows["slow"][log].newest_BRJ for log in AXES)
        if not (linear.any() or logarithmic.any()):
            return None
        is_log_R11 = (axes_R == LOG)[:, None, None]
        newest_RGJ = np.where(is_log_R11, logarithmic[row_R], linear[row_R])
        newest_RGJ[axes_R == ROOT] = 0.0
        count_R = self.rows["steps"][row_R]
        steps_RT = count_R[:, None] - length + np.arange(length)
        renewals_RT = self.clock.renewals(np.maximum(steps_RT + 1, 0))
        ago_RT = self.clock.renewals(count_R)[:, None] - renewals_RT
        place_RT = np.maximum(self.kept - 1 - ago_RT, 0)
        rows_R1 = np.arange(len(row_R))[:, None]
        solution_RTJ = newest_RGJ[rows_R1, place_RT]
        return effect_of(self.clock, solution_RTJ, steps_RT, np.arange(1 + horizon))
