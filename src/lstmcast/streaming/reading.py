"""Reading ticks and histories into the lanes of a stream.

S series, a row each · R rows of a tick · K columns of a row · P columns beside them · T ticks
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins, window
from lstmcast.data.panel import Panel
from lstmcast.model.inputs import FittedTransforms
from lstmcast.model.inputs.axis import decided
from lstmcast.model.inputs.slow_clock import Clock
from lstmcast.streaming.lanes import Lane, LaneReader, block_of
from lstmcast.streaming.limits import LIMIT_STATES, LimitReader
from lstmcast.streaming.ownperiods import PeriodLanes, places_of
from lstmcast.streaming.ring import Ring
from lstmcast.streaming.rows import Rows
from lstmcast.streaming.slow import SlowReader
from lstmcast.util.states import rows_of

# Number of ticks that the younger state reads at once, since it is not used before it takes over.
# So many rows read at the same tick, the next ones at another.
TOGETHER, ROWS_TOGETHER = 8, 512


class Ticks(NamedTuple):
    """Ticks of some rows, which have read since `first_R`, and so many with these."""

    row_R: NDArray
    values_RTK: NDArray
    first_R: NDArray
    count_R: NDArray
    past_RP: NDArray | None = None  # of the columns beside them

    @property
    def length(self) -> int:
        """T."""
        return self.values_RTK.shape[1]

    @property
    def read_R(self) -> NDArray:
        """How many ticks the rows have read with these."""
        return self.count_R - self.first_R

    def of(self, places: NDArray) -> Ticks:
        """Those of the rows at these ascending places."""
        if len(places) == len(self.row_R):
            return self
        past_NP = None if self.past_RP is None else self.past_RP[places]
        return Ticks(
            row_R=self.row_R[places],
            values_RTK=self.values_RTK[places],
            first_R=self.first_R[places],
            count_R=self.count_R[places],
            past_RP=past_NP,
        )


class RowReader:
    """Reads ticks into rows: an older lane for forecasts, and a newer one if contexts restart.

    Args:
        reader: reads a tick into a lane.
        rows: what is read into; they get the states that reading needs.
        clock: how steps make years, where effects of a long past are known; None where none are.
        own_periods: whether rows are read by the seasonal period that they clearly show; those of
            one period have lanes of their own.
    """

    def __init__(
        self,
        reader: LaneReader,
        rows: Rows,
        clock: Clock | None = None,
        own_periods: bool = False,
    ) -> None:
        self.reader = reader
        self.rows = rows
        self.context = reader.context
        from_context = reader.inputs.from_context
        self.lanes = PeriodLanes(reader, rows, own_periods and from_context)
        self.slow: SlowReader | None = None
        self._ring: Ring | None = None
        self.limits: LimitReader | None = None
        block = block_of(self.context)
        rows.add("count", lambda count: np.zeros(count, np.int64))
        self.lanes.add("older")
        self.lanes.add_period("older")
        if block is not None:
            self.lanes.add("newer")
            # how far it has read
            rows.add("newer count", lambda count: np.zeros(count, np.int64))
            self.lanes.add_period("newer")
        if from_context:
            longest = 2 * (block or 0)
            self._ring = Ring(rows, longest)
            if reader.grid.roots:  # else the values were declared to be anything
                self.limits = LimitReader(rows, self._ring, self.context)
            if clock is not None:
                self.slow = SlowReader(clock, rows, longest)

    @property
    def ring(self) -> Ring:
        """The newest values, of rows whose forecasts have read a context."""
        assert self._ring is not None
        return self._ring

    def follow(self, fitted: FittedTransforms) -> None:
        """Use the fitted transforms of the current rows."""
        K = self.reader.inputs.columns
        row_S = np.arange(len(self.rows))
        series_SK = np.arange(len(self.rows) * K).reshape(-1, K)
        lane: Lane = self.rows["older"]
        inputs = lane.inputs._replace(fitted=fitted, series_BK=series_SK)
        self.rows.put("older", row_S, lane._replace(inputs=inputs))

    # ---- histories

    def history(self, panel: Panel) -> None:
        """Read the series of a panel, each to its end."""
        row_S = np.arange(len(panel))
        counts = panel.lengths
        origins = Origins(row_S, counts)
        self.rows.put("count", row_S, counts.copy())
        block = block_of(self.context)
        if block is None:
            longest = int(counts.max())
            values_ST = window(panel, origins, longest)
            past_STP = self._beside(panel, origins, longest)
            lane = self.reader.advance(
                self.rows["older"], values_ST[:, :, None], past_STP
            )
            self.rows.put("older", row_S, lane)
            return
        self.ring.history(panel, origins)
        if self.slow is not None:
            self.slow.history(panel)
        self._read_kept(counts, block)

    def _beside(self, panel: Panel, origins: Origins, width: int) -> NDArray | None:
        """The same of the columns that are only read (S, T, P); None without any."""
        names = self.reader.inputs.past
        past = panel.covariates.past
        if not names:
            return None
        columns = [window(panel, origins, width, past[name]) for name in names]
        return np.stack(columns, axis=2)

    @property
    def renewable(self) -> tuple[str, ...]:
        """Names of states that can be made of the newest values, which are kept beside them."""
        if self._ring is None:
            return ()
        return "older", "newer", "newer count", *LIMIT_STATES

    def restore(self, arrays: Mapping[str, NDArray]) -> None:
        """Go on with saved rows."""
        for place in arrays:
            self.lanes.begin(place.partition(".")[0])
        self.rows.restore(arrays, self.renewable)
        if self.rows.arrays().keys() - arrays.keys():  # an older version of the inputs
            self.read_again()

    def read_again(self) -> None:
        """Read what is kept of each row: the states that were saved are those of other inputs."""
        block = block_of(self.context)
        if block is not None:
            self._read_kept(self.rows["count"], block)

    def _read_kept(self, counts: NDArray, block: int) -> None:
        """Read the newest values of all rows, of which so many came, into both lanes."""
        every_row = np.arange(len(counts))
        if self.limits is not None:
            self.limits.read_again(every_row)
        self.rows.put("newer count", every_row, counts.copy())
        begun_N = np.flatnonzero(counts)
        older = self.context.start(counts)
        newer = counts // block * block
        second_N = np.flatnonzero((newer > 0) & (counts > newer))
        for name, first, row_R in (
            ("older", older, begun_N),
            ("newer", newer, second_N),
        ):
            if len(row_R):
                first_R = first[row_R]
                count_R = counts[row_R]
                period_R = self.lanes.chosen(self.ring, row_R, first_R, count_R)
                self._read_anew(name, row_R, first_R, count_R, period_R)

    # ---- ticks

    def tick(
        self, row_R: NDArray, values_RK: NDArray, past_RP: NDArray | None = None
    ) -> None:
        """Read a tick into the lanes of these rows, `past_RP` of the columns beside them."""
        count_R = self.rows["count"][row_R] + 1
        block = block_of(self.context)
        if self._ring is not None:
            self._ring.tick(row_R, count_R, values_RK[:, 0])
        if self.slow is not None:
            self.slow.tick(row_R, values_RK[:, 0])
        # Transforms that cannot be applied raise here, before anything has changed.
        first_R = self.context.start(count_R - 1)
        self._read_lane(
            "older", Ticks(row_R, values_RK[:, None], first_R, count_R, past_RP)
        )
        self.rows["count"][row_R] = count_R
        if self.limits is not None:
            self.limits.tick(row_R, values_RK[:, 0])
        if block is not None:
            self._read_newer(row_R, count_R, block)

    def _read_newer(self, row_R: NDArray, count_R: NDArray, block: int) -> None:
        """The younger states of rows whose turn it is read what came since the last time; where
        a block more has come, they take over."""
        over_R = count_R % block == 0
        turn_R = over_R | ((count_R + row_R // ROWS_TOGETHER) % TOGETHER == 0)
        due = np.flatnonzero(turn_R & (count_R > block))
        if not len(due):
            return
        rows = row_R[due]
        until_R = count_R[due]
        first_R = (until_R - 1) // block * block
        self.lanes.begin_newer(rows[self.rows["newer count"][rows] <= first_R])
        waiting_R = until_R - np.maximum(self.rows["newer count"][rows], first_R)
        for waiting in np.unique(waiting_R).tolist():
            group = np.flatnonzero(waiting_R == waiting)
            row_N = rows[group]
            until_N = until_R[group]
            values_NT = self.ring.since(until_N - waiting, until_N, row_N)
            ticks = Ticks(row_N, values_NT[:, :, None], first_R[group], until_N)
            self._read_lane("newer", ticks)
        self.rows["newer count"][rows] = until_R
        self.lanes.take_over(row_R[over_R & (count_R > block)])

    def _read_lane(self, name: str, ticks: Ticks) -> None:
        """Read the newest ticks into one lane; rows whose period or axis is another one now are
        read anew from its beginning."""
        if self.lanes.own_periods:
            ticks = self._of_same_period(name, ticks)
        for period, places in self.lanes.by_period(name, ticks.row_R):
            self._read_rows(name, period, ticks.of(places))

    def _of_same_period(self, name: str, ticks: Ticks) -> Ticks:
        """The ticks of rows whose period is the same as before; others are read anew."""
        row_R = ticks.row_R
        is_due_R = self._is_due(name, ticks)
        period_R = self.lanes.now(
            self.ring, name, row_R, ticks.first_R, ticks.count_R, is_due_R
        )
        changed_R = period_R != self.rows.of(f"{name} period", row_R)
        if not changed_R.any():
            return ticks
        changed = ticks.of(np.flatnonzero(changed_R))
        self._read_anew(
            name,
            changed.row_R,
            changed.first_R,
            changed.count_R,
            period_R[changed_R],
        )
        return ticks.of(np.flatnonzero(~changed_R))

    def _is_due(self, name: str, ticks: Ticks) -> NDArray:
        """Whether periods are chosen anew with these ticks (R,): those of the newer lane when it
        takes over, as nobody asks it before."""
        if name == "newer":
            return ticks.read_R == block_of(self.context)
        return decided(ticks.read_R) > ticks.read_R - ticks.length

    def _read_rows(self, name: str, period: int, ticks: Ticks) -> None:
        """Read ticks into rows of one lane that have one period."""
        lane = self.lanes.get(name, period, ticks.row_R)
        if not self.reader.inputs.from_context:
            self._read_on(name, period, lane, ticks)
            return
        axes_R = self._axes(lane, ticks)
        stale_R = self.lanes.reader(period).stale(lane, ticks.values_RTK, axes_R)
        if not stale_R.any():
            self._read_on(name, period, lane, ticks)
            return
        unchanged = np.flatnonzero(~stale_R)
        if len(unchanged):
            lane = rows_of(lane, unchanged)
            self._read_on(name, period, lane, ticks.of(unchanged))
        stale = ticks.of(np.flatnonzero(stale_R))
        period_R = np.full(len(stale.row_R), period)
        self._read_anew(name, stale.row_R, stale.first_R, stale.count_R, period_R)

    def _read_on(self, name: str, period: int, lane: Lane, ticks: Ticks) -> None:
        """Read ticks into rows of one lane, which have this state."""
        reader = self.lanes.reader(period)
        extra = None if ticks.past_RP is None else ticks.past_RP[:, None]
        if self.slow is not None:
            axes_R = reader.own_axes(lane)
            horizon = reader.grid.horizon
            extra = self.slow.known(ticks.row_R, axes_R, ticks.length, horizon)
        lane = reader.advance(lane, ticks.values_RTK, extra)
        self.lanes.put(name, period, ticks.row_R, lane)

    def _axes(self, lane: Lane, ticks: Ticks) -> NDArray:
        """The axis of rows after some ticks (R,): their own, except where it is chosen anew."""
        axes_R = self.reader.own_axes(lane)
        newest_RU = self.ring.last(1 + ticks.length, ticks.count_R, ticks.row_R)
        due_R = self.reader.chooses(newest_RU, ticks.read_R)
        if due_R.any():
            due = ticks.of(np.flatnonzero(due_R))
            values_RT = self.ring.since(due.first_R, due.count_R, due.row_R)
            axes_R[due_R] = self.reader.axes(values_RT, due.read_R)
        return axes_R

    def _read_anew(
        self,
        name: str,
        row_R: NDArray,
        first_R: NDArray,
        count_R: NDArray,
        period_R: NDArray,
    ) -> None:
        """Read rows of so many ticks since one of each, by these periods and on the axis that
        suits them, with the effects that were in force at each step."""
        values_RT = self.ring.since(first_R, count_R, row_R)
        axes_R = self.reader.axes(values_RT, count_R - first_R)
        self.lanes.set(name, row_R, period_R)
        length = values_RT.shape[1]
        horizon = self.reader.grid.horizon
        for period, places in places_of(period_R):
            row_N = row_R[places]
            axes_N = axes_R[places]
            known_NTF = None
            if self.slow is not None:
                known_NTF = self.slow.known(row_N, axes_N, length, horizon)
            lane = self.lanes.reader(period).on_axis(
                values_RT[places], axes_N, known_NTF
            )
            self.lanes.put(name, period, row_N, lane)
