"""What forecasts of the rows of a stream continue from: states, newest values, limits.

R rows · N those that have begun · K columns of a row · H horizon · X quantiles or a point · T ticks
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import shortest_season
from lstmcast.data.bounds import within
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of
from lstmcast.data.times.frequency import some_frequency
from lstmcast.decoding import ForecastState
from lstmcast.decoding.intermittent import NEWEST, with_own_past
from lstmcast.decoding.weekdays import WEEKS, never_sold, shut, week_of
from lstmcast.model.inputs.adaptivestate import with_effects_ahead
from lstmcast.model.inputs.axis import ROOT
from lstmcast.streaming.lanes import Lane
from lstmcast.streaming.reading import RowReader
from lstmcast.util.states import rows_of


class RowContexts:
    """What a reader has read of rows, as forecasts need it."""

    def __init__(self, reading: RowReader) -> None:
        self.reading = reading
        self.reader = reading.reader
        self.rows = reading.rows
        self.context = reading.context

    def read_by(self, row_R: NDArray) -> tuple[Panel, Origins]:
        """What forecasts of these rows have read, as series of their own, and where they end."""
        count_R = self.rows["count"][row_R]
        grid = self.reader.grid
        length_R = count_R - self.context.start(count_R)
        values_RT = self.reading.ring.since(count_R - length_R, count_R, row_R)
        steps = values_RT.shape[1]
        read_RT = np.arange(steps) >= steps - length_R[:, None]
        panel = Panel(
            values=values_RT[read_RT],
            offsets=offsets_of(length_R),
            ids=self.rows.ids[row_R].astype(str),
            starts=np.zeros(len(row_R), np.int64),
            frequency=some_frequency(grid.family),
            periods=grid.periods,
        )
        return panel, Origins(np.arange(len(row_R)), length_R)

    def answering(
        self, row_R: NDArray, row_limit: int
    ) -> Iterator[tuple[NDArray, Lane]]:
        """Where in `row_R` rows lie that have begun, and their lane: those of one period together,
        so many at most."""
        for period, places in self.reading.lanes.by_period("older", row_R):
            row_N = row_R if len(places) == len(row_R) else row_R[places]
            lane = self.reading.lanes.get("older", period, row_N)
            begun_N = np.flatnonzero(lane.begun_S)
            if len(begun_N) < len(places):
                lane = rows_of(lane, begun_N)
            if 0 < len(begun_N) <= row_limit:
                yield places[begun_N], lane
                continue
            for first in range(0, len(begun_N), row_limit):
                some_rows = slice(first, first + row_limit)
                yield places[begun_N[some_rows]], rows_of(lane, some_rows)

    def with_own_past(
        self, values_RHKX: NDArray, lane: Lane, row_R: NDArray
    ) -> NDArray:
        """Answers of rows with what was read last in view, where they are mostly 0."""
        root_R = self.reader.own_axes(lane) == ROOT
        if not root_R.any():
            return values_RHKX
        count_R = self.rows["count"][row_R]
        first_R = np.maximum(self.context.start(count_R), count_R - NEWEST)
        newest_RW = self.reading.ring.since(first_R, count_R, row_R)
        season = shortest_season(lane.inputs.grid.periods) or 1
        answer_RHX = values_RHKX[:, :, 0]
        answer_RHX = with_own_past(answer_RHX, newest_RW, root_R, season)
        return answer_RHX[:, :, None]

    def shut(self, answer_RHKX: NDArray, row_R: NDArray, stops_R: NDArray) -> NDArray:
        """Answers of rows, 0 on weekdays that have never sold lately."""
        grid = self.reader.grid
        week = week_of(grid.family, grid.periods)
        if self.reading.limits is None or not week or not stops_R.any():
            return answer_RHKX
        count_R = self.rows["count"][row_R]
        ring = self.reading.ring
        newest_RT = ring.last(WEEKS * week, count_R, row_R)
        closed_RD = never_sold(newest_RT, week) & stops_R[:, None]
        ahead_H = np.arange(answer_RHKX.shape[1]) % week
        return shut(answer_RHKX, closed_RD[:, ahead_H])

    def within_bounds(self, answer_RHKX: NDArray, row_R: NDArray) -> NDArray:
        """Answers of rows that do not go beyond what the values that were read have never
        passed."""
        limits = self.reading.limits
        if limits is None:
            return answer_RHKX
        return within(answer_RHKX, limits.bounds(row_R))

    def forecast_state(self, lane: Lane, row_R: NDArray, fed: int) -> ForecastState:
        """What the network knows of these rows, whose lane this is, and the effects of so many
        coming steps as are `fed` back."""
        state = self.reader.forecast_state(lane)
        slow = self.reading.slow
        if slow is None or not fed:
            return state
        steps = fed + self.reader.grid.horizon
        known_R1F = slow.known(row_R, self.reader.own_axes(lane), 1, steps)
        if known_R1F is None:
            return state
        inputs = with_effects_ahead(lane.inputs, known_R1F[:, 0, 1:])
        return state._replace(inputs=inputs)
