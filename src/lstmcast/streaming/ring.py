"""A ring buffer with the newest values of the rows of a stream.

S series, a row each · R rows of a tick · T ticks · L newest ticks kept
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins, window
from lstmcast.data.panel import Panel
from lstmcast.streaming.rows import Rows


class Ring:
    """Keeps the values that forecasts of rows have read, so that they can be read again.

    Args:
        rows: the rows whose values are kept; the required state is added to them.
        length: L.
    """

    def __init__(self, rows: Rows, length: int) -> None:
        self.rows = rows
        self.length = length
        rows.add("newest", lambda count: np.full((count, length), np.nan))

    def history(self, panel: Panel, origins: Origins) -> None:
        """Keep the newest values of each series of a panel."""
        first_S1 = origins.counts[:, None] - self.length
        steps_SL = first_S1 + np.arange(self.length)
        place_SL = steps_SL % self.length
        values_SL = window(panel, origins, self.length)
        np.put_along_axis(self.rows["newest"], place_SL, values_SL, axis=1)

    def tick(self, row_R: NDArray, count_R: NDArray, values_R: NDArray) -> None:
        """Store the newest value of rows; `count_R` includes it."""
        place_R = (count_R - 1) % self.length
        newest_SL = self.rows["newest"]
        newest_SL[row_R, place_R] = values_R

    def since(self, first_R: NDArray, count_R: NDArray, row_R: NDArray) -> NDArray:
        """Values (R, T) of rows from tick `first_R` up to `count_R`, right-aligned."""
        newest_RL = self.rows.of("newest", row_R)
        read_R = count_R - first_R
        ticks = int(read_R.max(initial=0))
        first_step_R1 = count_R[:, None] - ticks
        steps_RT = first_step_R1 + np.arange(ticks)
        place_RT = steps_RT % self.length
        values_RT = np.take_along_axis(newest_RL, place_RT, axis=1)
        is_read_RT = steps_RT >= first_R[:, None]
        return np.where(is_read_RT, values_RT, np.nan)

    def last(self, ticks: int, count_R: NDArray, row_R: NDArray) -> NDArray:
        """The values of the newest ticks of rows (R, T)."""
        back_T = np.arange(ticks, 0, -1)
        steps_RT = count_R[:, None] - back_T
        place_RT = steps_RT % self.length
        newest_SL = self.rows["newest"]
        return newest_SL[row_R[:, None], place_RT]
