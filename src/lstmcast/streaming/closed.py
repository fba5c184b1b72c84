"""Rows of a stream with times that do not occur, such as Sundays of a shop.

A tick is the next time that occurs; times in between are read as missing values.

S series, a row each · R some of their rows · H horizon
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.observed import Clock, ObservedCalendar, steps_ahead
from lstmcast.data.panel import Panel
from lstmcast.data.times.calendars import micros_of, times_of
from lstmcast.data.times.frequency import Frequency, parse_frequency
from lstmcast.streaming.rows import Rows

ALWAYS = -1  # the pattern of rows without closed times


@dataclass(frozen=True, eq=False)
class OpenTimes:
    """Which grid steps of each row occur, given by a pattern of the calendar or `ALWAYS`.

    Rows that join later, or are reset, have no times: all of their steps occur."""

    calendar: ObservedCalendar
    frequency: Frequency

    @classmethod
    def of(cls, panel: Panel | None) -> OpenTimes | None:
        """The open times of the series of a panel; None if all times occur."""
        if panel is None or panel.calendar is None:
            return None
        # the series that stands for a row's pattern
        patterns = np.arange(len(panel.calendar.week))
        return cls(replace(panel.calendar, pattern=patterns), panel.frequency)

    def begin(self, rows: Rows) -> None:
        """Add the state per row: its start, and its pattern."""
        rows.add("begins", lambda count: np.zeros(count, np.int64))
        rows.add("pattern", lambda count: np.full(count, ALWAYS, np.int64))

    def history(self, rows: Rows, panel: Panel) -> None:
        """Set the rows to the series of a panel."""
        assert panel.calendar is not None
        rows["begins"][:] = micros_of(panel.starts)
        rows["pattern"][:] = panel.calendar.pattern

    def ahead(self, rows: Rows, row_R: NDArray, horizon: int) -> NDArray:
        """Which of the next steps of rows occur: indices (R, H) from 0."""
        steps_RH = np.tile(np.arange(horizon), (len(row_R), 1))
        pattern_R = rows["pattern"][row_R]
        patterned = np.flatnonzero(pattern_R != ALWAYS)
        begins_R, count_R = (
            times_of(rows["begins"][row_R[patterned]]),
            rows["count"][row_R[patterned]],
        )
        if len(patterned):
            steps_RH[patterned] = steps_ahead(
                self.calendar,
                self.frequency,
                begins_R,
                pattern_R[patterned],
                count_R,
                horizon,
            )
        return steps_RH

    def described(self) -> dict[str, Any]:
        """The manifest entries; the rest is in the arrays."""
        return {"frequency": self.frequency.code, "clock": list(self.calendar.clock)}

    @classmethod
    def from_saved(
        cls, manifest: Mapping[str, Any], arrays: Mapping[str, NDArray]
    ) -> OpenTimes:
        """Rebuild from `described` and the arrays of the calendar; KeyError or ValueError if
        invalid."""
        clock = Clock(*manifest["clock"])
        patterns = len(arrays["calendar_week"])
        calendar = ObservedCalendar.from_saved(arrays, clock, patterns)
        assert calendar is not None
        return cls(calendar, parse_frequency(manifest["frequency"]))
