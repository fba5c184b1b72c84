"""What the values that forecasts of a stream's rows have read never passed, counted tick by tick.

R rows of a tick
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Context
from lstmcast.data.bounds import Bounds
from lstmcast.data.extremes import next_top, start_top, top_of
from lstmcast.streaming.ring import Ring
from lstmcast.streaming.rows import Rows

LIMIT_STATES = "top", "bottom", "limits since"


class LimitReader:
    """Counts how often the values of each row touched their largest and their smallest one.

    Args:
        rows: whose values these are; they get the states that this needs.
        ring: the newest values of the rows.
        context: which of them a forecast reads.
    """

    def __init__(self, rows: Rows, ring: Ring, context: Context) -> None:
        self.rows = rows
        self.ring = ring
        self.context = context
        rows.add("top", start_top)
        rows.add("bottom", start_top)  # of the negated values
        rows.add("limits since", lambda count: np.zeros(count, np.int64))

    def read_again(self, row_R: NDArray) -> None:
        """Count what forecasts of these rows read, which the ring holds."""
        count_R = self.rows["count"][row_R]
        first_R = self.context.start(count_R)
        values_RT = self.ring.since(first_R, count_R, row_R)
        self.rows.put("top", row_R, top_of(values_RT))
        self.rows.put("bottom", row_R, top_of(-values_RT))
        self.rows["limits since"][row_R] = first_R

    def tick(self, row_R: NDArray, values_R: NDArray) -> None:
        """Count a value more of each of these rows, which the ring holds already."""
        top = self.rows.of("top", row_R)
        bottom = self.rows.of("bottom", row_R)
        self.rows.put("top", row_R, next_top(top, values_R))
        self.rows.put("bottom", row_R, next_top(bottom, -values_R))
        first_R = self.context.start(self.rows["count"][row_R])
        has_other_context_R = first_R != self.rows["limits since"][row_R]
        if has_other_context_R.any():
            self.read_again(row_R[has_other_context_R])

    def bounds(self, row_R: NDArray) -> Bounds | None:
        """What no forecast of these rows goes beyond; None where any value may be forecast."""
        bounds = Bounds.none(len(row_R))
        top = self.rows.of("top", row_R)
        bottom = self.rows.of("bottom", row_R)
        bounds.put(np.arange(len(row_R)), top, bottom)
        return bounds if bounds.any() else None
