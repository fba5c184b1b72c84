"""Ticks and whole histories read into the lanes of a stream's rows.

S series, a row each · R rows of a tick · K columns of a row · P columns beside them · T ticks
L newest ticks kept
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import shortest_season
from lstmcast.data.frequency import some_frequency
from lstmcast.data.origins import Origins, window
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of
from lstmcast.decoding import ForecastState
from lstmcast.decoding.intermittent import NEWEST, with_own_past
from lstmcast.model.inputs import FittedTransforms
from lstmcast.model.inputs.adaptivestate import with_effects_ahead
from lstmcast.model.inputs.axis import ROOT, decided
from lstmcast.model.inputs.periods import periods_in_force
from lstmcast.model.inputs.slow_clock import Clock
from lstmcast.streaming.lanes import Lane, LaneReader, block_of
from lstmcast.streaming.rows import Rows
from lstmcast.streaming.slow import SlowReader
from lstmcast.util.states import rows_of

USUAL = 0  # stands for the period of the grid
# Ticks that a younger state reads at once: nobody asks it before it takes over. So many rows read
# at the same tick, the next ones at another.
TOGETHER, ROWS_TOGETHER = 8, 512


class RowReader:
    """Reads into rows: an older lane that forecasts, and where contexts begin anew a newer one.

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
        self.reader, self.rows, self.context = reader, rows, reader.context
        self.own_periods, self._readers = own_periods, {USUAL: reader}
        rows.add("count", lambda count: np.zeros(count, np.int64))
        for name in ("older", "newer")[: 2 if block_of(self.context) else 1]:
            rows.add(name, self._fresh)
            if name == "newer":  # how far it has read
                rows.add("newer count", lambda count: np.zeros(count, np.int64))
            if own_periods:
                rows.add(f"{name} period", lambda count: np.zeros(count, np.int64))
        if reader.inputs.from_context:
            longest = 2 * (block_of(self.context) or 0)
            rows.add("newest", lambda count: np.full((count, longest), np.nan))
            self.slow = None if clock is None else SlowReader(clock, rows, longest)
        else:
            self.slow = None

    def follow(self, fitted: FittedTransforms) -> None:
        """Go on with what the inputs learned of the rows that are here now."""
        K = self.reader.inputs.columns
        series_SK = np.arange(len(self.rows) * K).reshape(-1, K)
        lane: Lane = self.rows["older"]
        inputs = lane.inputs._replace(fitted=fitted, series_BK=series_SK)
        self.rows.put("older", np.arange(len(self.rows)), lane._replace(inputs=inputs))

    def history(self, panel: Panel) -> None:
        """Read the series of a panel, each to its end."""
        row_S, counts = np.arange(len(panel)), panel.lengths
        origins = Origins(row_S, counts)
        self.rows.put("count", row_S, counts.copy())
        K = block_of(self.context)
        if K is None:
            values_ST = window(panel, origins, int(counts.max()))
            past_STP = self._beside(panel, origins, int(counts.max()))
            lane = self.reader.advance(self.rows["older"], values_ST[:, :, None], past_STP)
            self.rows.put("older", row_S, lane)
            return
        self._keep_newest(panel, origins)
        if self.slow is not None:
            self.slow.history(panel)
        self._read_kept(counts, K)

    @property
    def renewable(self) -> tuple[str, ...]:
        """Names of states that can be made of the newest values, which are kept beside them."""
        return ("older", "newer", "newer count") if "newest" in self.rows else ()

    def read_again(self) -> None:
        """Read what is kept of each row: the states that were saved are those of other inputs."""
        K = block_of(self.context)
        if K is not None:
            self._read_kept(self.rows["count"], K)

    def _read_kept(self, counts: NDArray, K: int) -> None:
        """Read the newest values of all rows, of which so many came, into both lanes."""
        self.rows.put("newer count", np.arange(len(counts)), counts.copy())
        begun_N = np.flatnonzero(counts)
        older, newer = self.context.start(counts), counts // K * K
        second = np.flatnonzero((newer > 0) & (counts > newer))
        for name, first, row_R in (("older", older, begun_N), ("newer", newer, second)):
            if len(row_R):
                values_RT = self._since(first[row_R], counts[row_R], row_R)
                read = counts[row_R] - first[row_R]
                period_R = self._periods(row_R, first[row_R], counts[row_R])
                self._read_anew(name, row_R, values_RT, read, period_R)

    def _beside(self, panel: Panel, origins: Origins, width: int) -> NDArray | None:
        """The same of the columns that are only read (S, T, P); None without any."""
        names, past = self.reader.inputs.past, panel.covariates.past
        columns = [window(panel, origins, width, past[name]) for name in names]
        return np.stack(columns, axis=2) if columns else None

    def _keep_newest(self, panel: Panel, origins: Origins) -> None:
        """The newest values of each series, each where its step falls in a ring of L."""
        newest_SL = self.rows["newest"]
        length = newest_SL.shape[1]
        steps_SL = origins.counts[:, None] - length + np.arange(length)
        values_SL = window(panel, origins, length)
        np.put_along_axis(newest_SL, steps_SL % length, values_SL, axis=1)

    def _since(self, first_R: NDArray, count_R: NDArray, row_R: NDArray) -> NDArray:
        """What rows of so many ticks have read since one of each (R, T), right-aligned."""
        newest_RL = self.rows.of("newest", row_R)
        length = int((count_R - first_R).max(initial=0))
        steps_RT = count_R[:, None] - length + np.arange(length)
        values_RT = np.take_along_axis(newest_RL, steps_RT % newest_RL.shape[1], axis=1)
        return np.where(steps_RT >= first_R[:, None], values_RT, np.nan)

    def read_by(self, row_R: NDArray) -> tuple[Panel, Origins]:
        """What forecasts of these rows have read, as series of their own, and where they end."""
        count_R, grid = self.rows["count"][row_R], self.reader.grid
        length_R = count_R - self.context.start(count_R)
        values_RT = self._since(count_R - length_R, count_R, row_R)
        read_RT = np.arange(values_RT.shape[1]) >= values_RT.shape[1] - length_R[:, None]
        panel = Panel(
            values=values_RT[read_RT],
            offsets=offsets_of(length_R),
            ids=self.rows.ids[row_R].astype(str),
            starts=np.zeros(len(row_R), np.int64),
            frequency=some_frequency(grid.family),
            periods=grid.periods,
        )
        return panel, Origins(np.arange(len(row_R)), length_R)

    def tick(self, row_R: NDArray, values_RK: NDArray, past_RP: NDArray | None = None) -> None:
        """Read a tick into the lanes of these rows, `past_RP` of the columns beside them."""
        count_R, K = self.rows["count"][row_R] + 1, block_of(self.context)
        if "newest" in self.rows:
            newest_SL = self.rows["newest"]
            newest_SL[row_R, (count_R - 1) % newest_SL.shape[1]] = values_RK[:, 0]
        if self.slow is not None:
            self.slow.tick(row_R, values_RK[:, 0])
        # Transforms that cannot be applied raise here, before anything has changed.
        first_R = self.context.start(count_R - 1)
        self._read_lane("older", row_R, values_RK[:, None], first_R, count_R, past_RP)
        self.rows["count"][row_R] = count_R
        if K is not None:
            self._read_newer(row_R, count_R, K)

    def _read_newer(self, row_R: NDArray, count_R: NDArray, K: int) -> None:
        """The younger states of rows whose turn it is read what came since the last time; where K
        more have come, they take over."""
        over_R = count_R % K == 0
        turn_R = over_R | ((count_R + row_R // ROWS_TOGETHER) % TOGETHER == 0)
        due = np.flatnonzero(turn_R & (count_R > K))
        if not len(due):
            return
        rows, until_R = row_R[due], count_R[due]
        first_R = (until_R - 1) // K * K
        waiting_R = until_R - np.maximum(self.rows["newer count"][rows], first_R)
        for waiting in np.unique(waiting_R).tolist():
            same_wait = np.flatnonzero(waiting_R == waiting)
            values_RT = self._since(
                until_R[same_wait] - waiting, until_R[same_wait], rows[same_wait]
            )
            self._read_lane(
                "newer",
                rows[same_wait],
                values_RT[:, :, None],
                first_R[same_wait],
                until_R[same_wait],
            )
        self.rows["newer count"][rows] = until_R
        self._take_over(row_R[over_R & (count_R > K)])

    def _take_over(self, row_R: NDArray) -> None:
        """The younger states of these rows forecast from here on, and others begin."""
        for period, places in self._by_period("newer", row_R):
            rows = row_R[places]
            taken_over = rows_of(self.rows[self._lane("newer", period)], rows)
            self.rows.put(self._lane("older", period), rows, taken_over)
            new_lane = self._readers[period].start(len(rows))
            self.rows.put(self._lane("newer", period), rows, new_lane)
            if self.own_periods:
                self.rows["older period"][rows], self.rows["newer period"][rows] = period, USUAL

    def _read_lane(
        self,
        name: str,
        row_R: NDArray,
        values_RTK: NDArray,
        first_R: NDArray,
        count_R: NDArray,
        past_RP: NDArray | None = None,
    ) -> None:
        """Read the newest ticks into one lane; rows whose period or axis is another one now are
        read anew from its beginning."""
        changed_R = np.zeros(len(row_R), bool)
        if self.own_periods:
            period_R = self._periods_now(name, row_R, first_R, count_R, values_RTK.shape[1])
            changed_R = period_R != self.rows.of(f"{name} period", row_R)
            if changed_R.any():
                values_RT = self._since(first_R[changed_R], count_R[changed_R], row_R[changed_R])
                read_R = (count_R - first_R)[changed_R]
                self._read_anew(name, row_R[changed_R], values_RT, read_R, period_R[changed_R])
        unchanged = np.flatnonzero(~changed_R)
        for period, places in self._by_period(name, row_R[unchanged]):
            rows = unchanged[places]
            past_NP = None if past_RP is None else past_RP[rows]
            arguments = row_R[rows], values_RTK[rows], first_R[rows], count_R[rows], past_NP
            self._read_rows(name, period, *arguments)

    def _read_rows(
        self,
        name: str,
        period: int,
        row_R: NDArray,
        values_RTK: NDArray,
        first_R: NDArray,
        count_R: NDArray,
        past_RP: NDArray | None,
    ) -> None:
        """Read ticks into rows of one lane that have one period."""
        reader, ticks = self._readers[period], values_RTK.shape[1]
        lane: Lane = self.rows.of(self._lane(name, period), row_R)
        axes_R = self._axes(lane, row_R, first_R, count_R, ticks)
        stale_R = reader.stale(lane, values_RTK, axes_R)
        going = np.flatnonzero(~stale_R)
        if len(going):
            going_lane = lane if len(going) == len(row_R) else rows_of(lane, going)
            beside_N = None if past_RP is None else past_RP[going, None]
            if self.slow is not None:
                axes_R = reader.own_axes(going_lane)
                beside_N = self.slow.known(row_R[going], axes_R, ticks, reader.grid.horizon)
            read = reader.advance(going_lane, values_RTK[going], beside_N)
            self.rows.put(self._lane(name, period), row_R[going], read)
        if stale_R.any():
            rows = row_R[stale_R]
            values_RT = self._since(first_R[stale_R], count_R[stale_R], rows)
            period_R = np.full(len(rows), period)
            self._read_anew(name, rows, values_RT, (count_R - first_R)[stale_R], period_R)

    def _read_anew(
        self, name: str, row_R: NDArray, values_RT: NDArray, read_R: NDArray, period_R: NDArray
    ) -> None:
        """Rows whose newest values these are, so many of each, read by these periods and on the
        axis that suits them, with the effects that were in force at each step."""
        axes_R = self.reader.axes(values_RT, read_R)
        if self.own_periods:
            self.rows[f"{name} period"][row_R] = period_R
        for period in np.unique(period_R).tolist():
            same_period = np.flatnonzero(period_R == period)
            known_RTF, lane = None, self._lane(name, period)
            if self.slow is not None:
                length, horizon = values_RT.shape[1], self.reader.grid.horizon
                known_RTF = self.slow.known(
                    row_R[same_period], axes_R[same_period], length, horizon
                )
            read = self._readers[period].on_axis(
                values_RT[same_period], axes_R[same_period], known_RTF
            )
            self.rows.put(lane, row_R[same_period], read)

    def _periods_now(
        self, name: str, row_R: NDArray, first_R: NDArray, count_R: NDArray, ticks: int
    ) -> NDArray:
        """The period of rows after some ticks (R,): their own, except where it is chosen anew."""
        period_R = self.rows.of(f"{name} period", row_R).copy()
        due = np.flatnonzero(decided(count_R - first_R) > count_R - first_R - ticks)
        if len(due):
            period_R[due] = self._periods(row_R[due], first_R[due], count_R[due])
        return period_R

    def _periods(self, row_R: NDArray, first_R: NDArray, count_R: NDArray) -> NDArray:
        """The period (R,) that is read by after so many ticks of rows, read since one of each."""
        if not self.own_periods:
            return np.full(len(row_R), USUAL)
        usual_period = shortest_season(self.reader.grid.periods)

        def values_between(rows: NDArray, begin_R: NDArray, until_R: NDArray) -> NDArray:
            return self._since(begin_R, until_R, row_R[rows])

        return periods_in_force(values_between, first_R, count_R, usual_period)

    def _by_period(self, name: str, row_R: NDArray) -> list[tuple[int, NDArray]]:
        """Where in `row_R` the rows of a lane lie that have one period, for each."""
        if not len(row_R):
            return []
        if not self.own_periods:
            return [(USUAL, np.arange(len(row_R)))]
        period_R = self.rows[f"{name} period"][row_R]
        return [
            (period, np.flatnonzero(period_R == period)) for period in np.unique(period_R).tolist()
        ]

    def _lane(self, name: str, period: int) -> str:
        """The name of the states of rows of a period in a lane, which begins with the first."""
        if period == USUAL:
            return name
        if period not in self._readers:
            grid = self.reader.grid._replace(periods=(period,))
            self._readers[period] = LaneReader(self.reader.network, grid, self.context)
        lane = f"{name} {period}"
        if lane not in self.rows:
            self.rows.add(lane, self._readers[period].start)
        return lane

    def restore(self, arrays: Mapping[str, NDArray]) -> None:
        """Go on with saved rows."""
        for place in arrays:
            name, _, period = place.partition(".")[0].partition(" ")
            if period.isdigit():
                self._lane(name, int(period))
        self.rows.restore(arrays, self.renewable)
        if self.rows.arrays().keys() - arrays.keys():  # an older version of the inputs
            self.read_again()

    def answering(self, row_R: NDArray, row_limit: int) -> Iterator[tuple[NDArray, Lane]]:
        """Where in `row_R` rows lie that have begun, and their lane: those of one period together,
        so many at most."""
        for period, rows in self._by_period("older", row_R):
            lane: Lane = self.rows.of(self._lane("older", period), row_R[rows])
            begun_N = np.flatnonzero(lane.begun_S)
            lane = lane if len(begun_N) == len(rows) else rows_of(lane, begun_N)
            if len(begun_N) <= row_limit:
                yield from [(rows[begun_N], lane)] if len(begun_N) else []
                continue
            for first in range(0, len(begun_N), row_limit):
                some_rows = slice(first, first + row_limit)
                yield rows[begun_N[some_rows]], rows_of(lane, some_rows)

    def _axes(
        self, lane: Lane, row_R: NDArray, first_R: NDArray, count_R: NDArray, ticks: int
    ) -> NDArray:
        """The axis of rows after some ticks (R,): their own, except where it is chosen anew."""
        axes_R, read_R = self.reader.own_axes(lane), count_R - first_R
        if not self.reader.inputs.from_context:
            return axes_R
        is_due_R = self.reader.chooses(self._newest(count_R, row_R, 1 + ticks), read_R)
        if is_due_R.any():
            values_RT = self._since(first_R[is_due_R], count_R[is_due_R], row_R[is_due_R])
            axes_R[is_due_R] = self.reader.axes(values_RT, read_R[is_due_R])
        return axes_R

    def with_own_past(self, values_RHKX: NDArray, lane: Lane, row_R: NDArray) -> NDArray:
        """Answers of rows with what was read last in view, where they are mostly 0."""
        root_R = self.reader.own_axes(lane) == ROOT
        if not root_R.any():
            return values_RHKX
        count_R = self.rows["count"][row_R]
        first_R = np.maximum(self.context.start(count_R), count_R - NEWEST)
        newest_RW = self._since(first_R, count_R, row_R)
        season = shortest_season(lane.inputs.grid.periods) or 1
        return with_own_past(values_RHKX[:, :, 0], newest_RW, root_R, season)[:, :, None]

    def _newest(self, count_R: NDArray, row_R: NDArray, ticks: int) -> NDArray:
        """The values of so many newest ticks of rows (R, T)."""
        newest_SL = self.rows["newest"]
        places_RT = (count_R[:, None] - np.arange(ticks, 0, -1)) % newest_SL.shape[1]
        return newest_SL[row_R[:, None], places_RT]

    def forecast_state(self, lane: Lane, row_R: NDArray, fed: int) -> ForecastState:
        """What the network knows of these rows, whose lane this is, and the effects of so many
        coming steps as are `fed` back."""
        state = self.reader.forecast_state(lane)
        if self.slow is None or not fed:
            return state
        axes_R, ahead = self.reader.own_axes(lane), fed + self.reader.grid.horizon
        known_R1F = self.slow.known(row_R, axes_R, 1, ahead)
        if known_R1F is None:
            return state
        inputs = with_effects_ahead(lane.inputs, known_R1F[:, 0, 1:])
        return state._replace(inputs=inputs)

    def _fresh(self, rows: int) -> Lane:
        """Rows of which nothing was read; what was fitted to them is set by `follow`."""
        return self.reader.start(rows, self.reader.inputs.of_rows(None, []))
