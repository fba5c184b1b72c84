"""Seasonal periods inferred per row of a stream, and the lanes that read rows by them.

S series, a row each · R rows of a tick
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import shortest_season
from lstmcast.model.inputs.periods import periods_in_force
from lstmcast.streaming.lanes import Lane, LaneReader
from lstmcast.streaming.ring import Ring
from lstmcast.streaming.rows import Rows

USUAL = 0  # stands for the period of the grid


class PeriodLanes:
    """The states of two lanes, "older" and "newer", grouped by the period of their rows.

    Args:
        reader: reads rows by the period of the grid.
        rows: the rows of the lanes; the required states are added to them.
        own_periods: whether rows are read by the seasonal period that they clearly show.
    """

    def __init__(self, reader: LaneReader, rows: Rows, own_periods: bool) -> None:
        self.rows = rows
        self.own_periods = own_periods
        self._readers = {USUAL: reader}

    def add(self, lane: str) -> None:
        """Add a lane to rows without history."""
        reader = self._readers[USUAL]

        def started(count: int) -> Lane:
            # `RowReader.follow` sets fitted parameters
            fitted = reader.inputs.of_rows(None, [])
            return reader.start(count, fitted)

        self.rows.add(lane, started)

    def add_period(self, lane: str) -> None:
        """Add the period by which a lane reads each row."""
        if not self.own_periods:
            return
        name = _period_name(lane)
        self.rows.add(name, lambda count: np.zeros(count, np.int64))

    def reader(self, period: int) -> LaneReader:
        """The reader for rows of a period."""
        if period not in self._readers:
            reader = self._readers[USUAL]
            own_grid = reader.grid._replace(periods=(period,))
            own_reader = LaneReader(reader.network, own_grid, reader.context)
            self._readers[period] = own_reader
        return self._readers[period]

    def get(self, lane: str, period: int, row_R: NDArray) -> Lane:
        """The states of rows with this period."""
        name = self._state(lane, period)
        return self.rows.of(name, row_R)

    def put(self, lane: str, period: int, row_R: NDArray, states: Lane) -> None:
        """Replace the states of rows with this period."""
        name = self._state(lane, period)
        self.rows.put(name, row_R, states)

    def begin(self, name: str) -> None:
        """Add the lane of a period under its name in a saved state."""
        lane, _, period = name.partition(" ")
        if period.isdigit():
            self._state(lane, int(period))

    def _state(self, lane: str, period: int) -> str:
        """The name of the states of a lane's rows of a period; they are added on first use."""
        if period == USUAL:
            return lane
        name = f"{lane} {period}"
        if name not in self.rows:
            self.rows.add(name, self.reader(period).start)
        return name

    def take_over(self, row_R: NDArray) -> None:
        """Replace the older states of these rows by the newer ones."""
        for period, places in self.by_period("newer", row_R):
            rows = row_R[places]
            younger = self.get("newer", period, rows)
            self.put("older", period, rows, younger)
            self.set("older", rows, np.full(len(rows), period))

    def begin_newer(self, row_R: NDArray) -> None:
        """Start the newer states of these rows, by the periods of their older ones."""
        for period, places in self.by_period("older", row_R):
            rows = row_R[places]
            fresh = self.reader(period).start(len(rows))
            self.put("newer", period, rows, fresh)
            self.set("newer", rows, np.full(len(rows), period))

    def by_period(self, lane: str, row_R: NDArray) -> list[tuple[int, NDArray]]:
        """The periods of a lane's rows, each with the indices into `row_R`."""
        if not len(row_R):
            return []
        if not self.own_periods:
            every_row = np.arange(len(row_R))
            return [(USUAL, every_row)]
        period_S = self.rows[_period_name(lane)]
        return places_of(period_S[row_R])

    def set(self, lane: str, row_R: NDArray, period_R: NDArray) -> None:
        """Set the periods by which a lane reads these rows from now on."""
        if not self.own_periods:
            return
        period_S = self.rows[_period_name(lane)]
        period_S[row_R] = period_R

    def chosen(
        self, ring: Ring, row_R: NDArray, first_R: NDArray, count_R: NDArray
    ) -> NDArray:
        """The period (R,) chosen after this number of ticks of rows, read since `first_R`."""
        if not self.own_periods:
            return np.full(len(row_R), USUAL)

        def values_between(
            rows: NDArray, begin_R: NDArray, until_R: NDArray
        ) -> NDArray:
            return ring.since(begin_R, until_R, row_R[rows])

        usual_grid = self._readers[USUAL].grid
        usual_period = shortest_season(usual_grid.periods)
        return periods_in_force(values_between, first_R, count_R, usual_period)

    def now(
        self,
        ring: Ring,
        lane: str,
        row_R: NDArray,
        first_R: NDArray,
        count_R: NDArray,
        is_due_R: NDArray,
    ) -> NDArray:
        """The period of rows after so many ticks (R,), chosen anew where that is due."""
        period_R = self.rows.of(_period_name(lane), row_R).copy()
        due = np.flatnonzero(is_due_R)
        if len(due):
            period_R[due] = self.chosen(ring, row_R[due], first_R[due], count_R[due])
        return period_R


def _period_name(lane: str) -> str:
    """The name of a lane's periods among the states of rows."""
    return f"{lane} period"


def places_of(period_R: NDArray) -> list[tuple[int, NDArray]]:
    """The indices of the rows of each period."""
    if len(period_R) and (period_R == period_R[0]).all():
        return [(int(period_R[0]), np.arange(len(period_R)))]
    places = []
    for period in np.unique(period_R).tolist():
        has_period_R = period_R == period
        places.append((period, np.flatnonzero(has_period_R)))
    return places
