"""Ticks and whole histories read into the lanes of a stream's rows.

S series, a row each · R rows of a tick · K columns of a row · P columns beside them · T ticks
L newest ticks kept
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.frequency import some_frequency
from lstmcast.data.origins import Origins, window
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of
from lstmcast.model.inputs import FittedTransforms
from lstmcast.streaming.lanes import Lane, LaneReader, block_of
from lstmcast.streaming.rows import Rows
from lstmcast.util.states import rows_of


class RowReader:
    """Reads into rows: an older lane that forecasts, and where contexts begin anew a newer one.

    Args:
        reader: reads a tick into a lane.
        rows: what is read into; they get the states that reading needs.
    """

    def __init__(self, reader: LaneReader, rows: Rows) -> None:
        self.reader, self.rows, self.context = reader, rows, reader.context
        rows.add("count", lambda new: np.zeros(new, np.int64))
        for name in ("older", "newer")[: 2 if block_of(self.context) else 1]:
            rows.add(name, self._fresh)
        if reader.inputs.from_context:
            longest = 2 * (block_of(self.context) or 0)
            rows.add("newest", lambda new: np.full((new, longest), np.nan))

    def follow(self, fitted: FittedTransforms) -> None:
        """Go on with what the inputs learned of the rows that are here now."""
        K = self.reader.inputs.columns
        series_SK = np.arange(len(self.rows) * K).reshape(-1, K)
        lane: Lane = self.rows["older"]
        inputs = lane.inputs._replace(fitted=fitted, series_BK=series_SK)
        self.rows.put("older", np.arange(len(self.rows)), lane._replace(inputs=inputs))

    def history(self, panel: Panel) -> None:
        """Read the series of a panel, each to its end."""
        everything, counts = np.arange(len(panel)), panel.lengths
        origins = Origins(everything, counts)
        self.rows.put("count", everything, counts.copy())
        K = block_of(self.context)
        if K is None:
            values_ST = window(panel, origins, int(counts.max()))
            past_STP = self._beside(panel, origins, int(counts.max()))
            lane = self.reader.advance(self.rows["older"], values_ST[:, :, None], past_STP)
            self.rows.put("older", everything, lane)
            return
        self._keep_newest(panel, origins)
        older, newer = self.context.start(counts), counts // K * K
        second = np.flatnonzero((newer > 0) & (counts > newer))
        for name, first, chosen in (("older", older, everything), ("newer", newer, second)):
            if len(chosen):
                values_RT = self._since(first[chosen], counts[chosen], chosen)
                self.rows.put(name, chosen, self.reader.on_axis(values_RT))

    def _beside(self, panel: Panel, origins: Origins, width: int) -> NDArray | None:
        """The same of the columns that are only read (S, T, P); None without any."""
        names, past = self.reader.inputs.past, panel.covariates.past
        parts = [window(panel, origins, width, past[name]) for name in names]
        return np.stack(parts, axis=2) if parts else None

    def _keep_newest(self, panel: Panel, origins: Origins) -> None:
        """The newest values of each series, each where its step falls in a ring of L."""
        newest_SL = self.rows["newest"]
        length = newest_SL.shape[1]
        steps_SL = origins.counts[:, None] - length + np.arange(length)
        values_SL = window(panel, origins, length)
        np.put_along_axis(newest_SL, steps_SL % length, values_SL, axis=1)

    def _since(self, first_R: NDArray, count_R: NDArray, at: NDArray) -> NDArray:
        """What rows of so many ticks have read since one of each (R, T), right-aligned."""
        newest_RL = self.rows.of("newest", at)
        length = int((count_R - first_R).max(initial=0))
        steps_RT = count_R[:, None] - length + np.arange(length)
        values_RT = np.take_along_axis(newest_RL, steps_RT % newest_RL.shape[1], axis=1)
        return np.where(steps_RT >= first_R[:, None], values_RT, np.nan)

    def read_by(self, at: NDArray) -> tuple[Panel, Origins]:
        """What forecasts of these rows have read, as series of their own, and where they end."""
        count_R, grid = self.rows["count"][at], self.reader.grid
        length_R = count_R - self.context.start(count_R)
        values_RT = self._since(count_R - length_R, count_R, at)
        read_RT = np.arange(values_RT.shape[1]) >= values_RT.shape[1] - length_R[:, None]
        panel = Panel(
            values=values_RT[read_RT],
            offsets=offsets_of(length_R),
            ids=self.rows.ids[at].astype(str),
            starts=np.zeros(len(at), np.int64),
            frequency=some_frequency(grid.family),
            periods=grid.periods,
        )
        return panel, Origins(np.arange(len(at)), length_R)

    def tick(self, at: NDArray, values_RK: NDArray, past_RP: NDArray | None = None) -> None:
        """Read a tick into the lanes of these rows, `past_RP` of the columns beside them."""
        count_R, K = self.rows["count"][at] + 1, block_of(self.context)
        if "newest" in self.rows:
            newest_SL = self.rows["newest"]
            newest_SL[at, (count_R - 1) % newest_SL.shape[1]] = values_RK[:, 0]
        # Transforms that cannot be applied raise here, before anything has changed.
        first_R = self.context.start(count_R - 1)
        self._read_lane("older", at, values_RK, first_R, count_R, past_RP)
        self.rows["count"][at] = count_R
        if K is None:
            return
        second, first_R = count_R > K, (count_R - 1) // K * K
        self._read_lane("newer", at[second], values_RK[second], first_R[second], count_R[second])
        over = at[second & (count_R % K == 0)]
        if len(over):  # the younger state takes over, and another one begins
            self.rows.put("older", over, rows_of(self.rows["newer"], over))
            self.rows.put("newer", over, self._fresh(len(over)))

    def _read_lane(
        self,
        name: str,
        at: NDArray,
        values_RK: NDArray,
        first_R: NDArray,
        count_R: NDArray,
        past_RP: NDArray | None = None,
    ) -> None:
        """Read a tick into one lane; rows whose axis is another one now are read anew from its
        beginning."""
        lane: Lane = self.rows.of(name, at)
        stale_R = self.reader.stale(lane, values_RK)
        going = np.flatnonzero(~stale_R)
        if len(going):
            own = lane if len(going) == len(at) else rows_of(lane, going)
            beside = None if past_RP is None else past_RP[going, None]
            read = self.reader.advance(own, values_RK[going, None], beside)
            self.rows.put(name, at[going], read)
        if stale_R.any():
            rows = at[stale_R]
            values_RT = self._since(first_R[stale_R], count_R[stale_R], rows)
            self.rows.put(name, rows, self.reader.on_axis(values_RT))

    def _fresh(self, rows: int) -> Lane:
        """Rows of which nothing was read; what was fitted to them is set by `follow`."""
        return self.reader.start(rows, self.reader.inputs.of_rows(None, []))
