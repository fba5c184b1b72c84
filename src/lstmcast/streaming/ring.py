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
    """Keeps what forecasts of rows have read, so that it can be read once more.

    Args:
        rows: whose values these are; they get the state that this needs.
        length: L.
    """

    def __init__(self, rows: Rows, length: int) -> None:
        self.rows, self.length = rows, length
        rows.add("newest", lambda count: np.full((count, length), np.nan))

    def history(self, panel: Panel, origins: Origins) -> None:
        """Keep the newest values of each series of a panel."""
        steps_SL = origins.counts[:, None] - self.length + np.arange(self.length)
        values_SL = window(panel, origins, self.length)
        np.put_along_axis(self.rows["newest"], steps_SL % self.length, values_SL, axis=1)

    def tick(self, row_R: NDArray, count_R: NDArray, values_R: NDArray) -> None:
        """Keep the newest value of rows, which have had so many with it."""
        self.rows["newest"][row_R, (count_R - 1) % self.length] = values_R

    def since(self, first_R: NDArray, count_R: NDArray, row_R: NDArray) -> NDArray:
        """What rows of so many ticks have read since one of each (R, T), right-aligned."""
        newest_RL = self.rows.of("newest", row_R)
        ticks = int((count_R - first_R).max(initial=0))
        steps_RT = count_R[:, None] - ticks + np.arange(ticks)
        values_RT = np.take_along_axis(newest_RL, steps_RT % self.length, axis=1)
        return np.where(steps_RT >= first_R[:, None], values_RT, np.nan)

    def last(self, ticks: int, count_R: NDArray, row_R: NDArray) -> NDArray:
        """The values of so many newest ticks of rows (R, T)."""
        steps_RT = count_R[:, None] - np.arange(ticks, 0, -1)
        return self.rows["newest"][row_R[:, None], steps_RT % self.length]
