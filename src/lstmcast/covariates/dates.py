"""Columns from the dates of a series: harmonics of the month and the year, days around New Year.

M steps with known values · P columns of the regression
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.times.frequency import Frequency
from lstmcast.model.inputs.slow_clock import clock_of, harmonics

YEAR = "day of the year"
MONTHS, YEARS = 4, 10  # harmonics of a month and of a year
# days before and after New Year that differ from all others: Christmas
BEFORE, AFTER = 17, 6
PATIENCE = 1.5  # years of data before effects of the year are estimated
TWO_MONTHS = 61  # days: what happened in one month alone may have had any reason


class Kind(Enum):
    """What a group of columns says about the column that it is made from."""

    ITSELF = "itself"
    MORE = "more"  # bends, hours, weekdays: left out if there are many columns
    BESIDE = "beside"  # the steps before and after
    DATES = "dates"  # made from the dates alone
    YEAR = "year"  # the yearly season, which adaptive inputs model themselves


class Waves(NamedTuple):
    """Columns made from the dates alone, and the number of steps that they need."""

    group: str
    columns_MP: NDArray
    fewest: int = 0
    kind: Kind = Kind.DATES


class Dates(NamedTuple):
    """The spacing of the steps of a series, and the time of the first one (None if unknown)."""

    frequency: Frequency
    start: Any = None

    @property
    def daily(self) -> bool:
        """Whether steps are days."""
        return self.frequency.unit in ("day", "business day")

    @property
    def day(self) -> int:
        """Steps per day; 1 for days and longer steps."""
        clock = clock_of(self.frequency)
        is_finer = not self.daily and self.frequency.unit != "week"
        return clock.steps if clock is not None and is_finer else 1

    @property
    def week(self) -> int:
        """Days per week."""
        clock = clock_of(self.frequency)
        return 7 if clock is None else clock.week

    def waves(self, steps_M: NDArray) -> Iterator[Waves]:
        """The columns that the dates give; none if steps are numbered."""
        unit = self.frequency.unit
        if unit in ("integer", "second"):
            return
        if self.start is not None:
            yield from self._of_months(steps_M)
        clock = clock_of(self.frequency)
        if clock is not None:
            year = clock.steps * clock.year
            waves_MP = harmonics_of(steps_M / year, YEARS)
            yield Waves(YEAR, waves_MP, int(PATIENCE * year), Kind.YEAR)

    def _of_months(self, steps_M: NDArray) -> Iterator[Waves]:
        is_single = self.frequency.every == 1
        times_M = self.frequency.advance(self.start, steps_M).astype("datetime64[us]")
        months_M = times_M.astype("datetime64[M]")
        first_M = months_M.astype("datetime64[D]")
        next_M = (months_M + 1).astype("datetime64[D]")
        length_M = (next_M - first_M).astype(float)
        if self.frequency.unit == "month" and is_single:
            log_length_M = np.log(length_M / 30.4)
            yield Waves("length of the month", log_length_M[:, None])
        if self.daily and is_single:
            days_M = times_M.astype("datetime64[D]")
            turns_M = (days_M - first_M).astype(float) / length_M
            yield Waves("day of the month", harmonics_of(turns_M, MONTHS), TWO_MONTHS)
            yield Waves(
                "turn of the year", _around_new_year(days_M), int(PATIENCE * 365)
            )


def _around_new_year(days_M: NDArray) -> NDArray:
    """An indicator of each day before and after the first of January (M, BEFORE + AFTER)."""
    year_M = days_M.astype("datetime64[Y]")
    this_new_year_M = year_M.astype("datetime64[D]")
    next_new_year_M = (year_M + 1).astype("datetime64[D]")
    to_next_M = (next_new_year_M - days_M).astype(int)
    since_M = (days_M - this_new_year_M).astype(int)
    away_M = np.where(to_next_M <= BEFORE, -to_next_M, since_M)
    is_day_MP = away_M[:, None] == np.arange(-BEFORE, AFTER)
    return is_day_MP.astype(float)


def harmonics_of(turns_M: NDArray, count: int) -> NDArray:
    """The first harmonics of a cycle, given the number of cycles passed (M, 2·count)."""
    return np.stack(harmonics(2 * np.pi * turns_M, count), axis=1)
