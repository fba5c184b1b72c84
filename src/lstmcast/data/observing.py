"""The observed calendar: inferred from times, joined with newer data, and described in words."""

# S series · N times of all their grids · M patterns · W slots of a week · C cells, such as days
# O origins · H rows to come · G steps of the grid

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.findings import Finding
from lstmcast.data.observed import BLOCK, Clock, ObservedCalendar
from lstmcast.data.ragged import places as places_of
from lstmcast.data.ragged import series_numbers
from lstmcast.data.times.calendars import DAY, MINUTE, MONDAY, WEEK, micros_of, month_of
from lstmcast.data.times.frequency import Frequency
from lstmcast.util.text import some_names

OBSERVED = "observed calendar"  # the rule of findings about it
# How often a day or time must be without a row before it counts as closed.
FEWEST, FEWEST_YEARS = 3, 2
# A few rows at a closed time are exceptions, such as Sundays before Christmas, but not two of the
# newest occasions: a shop may have started to open on Sundays.
_EXCEPTIONS = 0.04
_NEWEST, _MOST_LATELY = 4, 1
# Weeks without rows at the end after which earlier rows no longer count: half a year.
_ENDED = 26
# Open times must mostly have rows: if events are rare, an empty hour means nothing.
_FILLED = 0.5
# Probability that all missing times of a series are missing by chance.
_ACCIDENT = 1e-3
_SHORT = ("second", "minute", "hour")


class Grids(NamedTuple):
    """Where series have rows: present (N,) bool on their grids."""

    present: ndarray
    offsets: ndarray
    starts: ndarray
    frequency: Frequency


class _Search(NamedTuple):
    """How closed times are looked for: in how many series, whether a calendar is known to be there,
    and whether all series of a panel may be looked at together."""

    series_count: int
    is_expected: bool
    pooled: bool


def found_in(
    grids: Grids, clock: Clock, is_expected: bool = False
) -> ObservedCalendar | None:
    """The calendar that the rows of series show; None where all times occur, or it cannot be seen.

    is_expected: a calendar is known to be there, so that one empty occasion is enough.

    >>> days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    >>> here = np.arange(60) % 7 != 6  # 2024 began on a Monday
    >>> daily = Frequency("day")
    >>> found_in(Grids(here, np.array([0, 60]), days[:1], daily), Clock()).name
    'Monday to Saturday'
    """
    frequency = grids.frequency
    has_row = grids.present.astype(np.int64)
    row_counts = np.add.reduceat(has_row, grids.offsets[:-1])
    series_count = len(row_counts)
    with_gaps = np.flatnonzero(row_counts < np.diff(grids.offsets))
    count = len(with_gaps)
    if not count or frequency.unit in ("integer", "year"):
        return None
    cells = _cells(grids, with_gaps, clock)
    search = _Search(count, is_expected, pooled=count == series_count)
    closed_months = _closed_months(cells, search)
    closed_slots = np.zeros((count, 1), bool)
    if _has_slots(frequency):
        month_of_year = month_of(cells.micros) % 12
        is_open = ~closed_months[cells.series, month_of_year]
        cells = cells.where(is_open)
        closed_slots = _closed_slots(cells, frequency, search)
    if not closed_months.any() and not closed_slots.any():
        return None
    week = np.ones((series_count, closed_slots.shape[1]), bool)
    months = np.ones((series_count, 12), bool)
    week[with_gaps] = ~closed_slots
    months[with_gaps] = ~closed_months
    return _calendar_of(week, months, clock)


def _has_slots(frequency: Frequency) -> bool:
    """Whether steps are days, or pieces of them."""
    is_daily = frequency.every == 1 and frequency.unit in ("day", "business day")
    return is_daily or frequency.unit in _SHORT


def _calendar_of(week: ndarray, months: ndarray, clock: Clock) -> ObservedCalendar:
    """The calendar of series with these weeks (S, W) and months (S, 12); alike ones are one."""
    slots_and_months = np.hstack([week, months])
    patterns, pattern = np.unique(slots_and_months, axis=0, return_inverse=True)
    pattern = pattern.ravel().astype(np.int64)
    week = patterns[:, :-12]
    months = patterns[:, -12:]
    return ObservedCalendar(week, months, pattern, clock)


class _Cells(NamedTuple):
    """Pieces of series, in their order: times of the grid, then days, then months."""

    series: ndarray  # (C,) numbers
    micros: ndarray  # (C,) of the clock that is shown
    present: ndarray  # (C,) whether a row lies in it

    def where(self, mask: ndarray) -> _Cells:
        return _Cells(self.series[mask], self.micros[mask], self.present[mask])

    def by(self, number: ndarray) -> _Cells:
        """Cells of one series and number as one, which has a row where one of them has."""
        if not len(number):
            return self
        is_first = np.r_[True, _changes(self, number)]
        begins = np.flatnonzero(is_first)
        present = np.logical_or.reduceat(self.present, begins)
        return _Cells(self.series[begins], self.micros[begins], present)


def _cells(grids: Grids, series_rows: ndarray, clock: Clock) -> _Cells:
    """The times of the grids of some series."""
    lengths = np.diff(grids.offsets)[series_rows]
    offsets = np.r_[0, np.cumsum(lengths)]
    series = series_numbers(offsets)
    step = places_of(offsets)
    starts = grids.starts[series_rows]
    begins = grids.offsets[:-1][series_rows]
    times = grids.frequency.advance(starts[series], step)
    present = grids.present[begins[series] + step]
    return _Cells(series, clock.micros(times), present)


def _closed_months(cells: _Cells, search: _Search) -> ndarray:
    """Which months of the year never have a row, (S, 12)."""
    months = cells.by(month_of(cells.micros))
    month_of_year = month_of(months.micros) % 12
    table = _Table.of(months, month_of_year, search.series_count, 12)
    fewest = 1 if search.is_expected else FEWEST_YEARS
    never = (table.row_counts == 0) & (table.chances >= fewest)
    return never & (search.is_expected | table.by_no_accident(never))


def _closed_slots(cells: _Cells, frequency: Frequency, search: _Search) -> ndarray:
    """Which slots of the week do not occur, (S, W): first whole days, then times of all days, then
    times of single weekdays."""
    since_monday = cells.micros - MONDAY
    day_of_cell = since_monday // DAY
    days = cells.by(day_of_cell)
    weekday = (days.micros - MONDAY) // DAY % 7
    closed_days = _closed(days, weekday, 7, search)
    closed_days |= _weekends(_Table.of(days, weekday, search.series_count, 7))
    first_step = frequency.advance(np.datetime64(0, "us"), 1)
    step = int(micros_of(first_step))
    if frequency.unit not in _SHORT or DAY % step:
        return closed_days
    slot = max(step, MINUTE)
    per_day = DAY // slot
    # days without any row, such as holidays, say nothing of the hours
    if len(cells.series):
        starts_day = _changes(cells, day_of_cell)
        day_number = np.r_[0, np.cumsum(starts_day)]
        cells = cells.where(days.present[day_number])
    slot_of_day = (cells.micros - MONDAY) % DAY // slot
    closed_times = _closed(cells, slot_of_day, per_day, search)
    is_closed = closed_times[cells.series, slot_of_day]
    cells = cells.where(~is_closed)
    slot_of_week = (cells.micros - MONDAY) % WEEK // slot
    closed = _closed(cells, slot_of_week, 7 * per_day, search)
    all_day = np.repeat(closed_days, per_day, axis=1)
    every_day = np.tile(closed_times, 7)
    return closed | all_day | every_day


def _changes(cells: _Cells, number: ndarray) -> ndarray:
    other_series = np.diff(cells.series) != 0
    other_number = np.diff(number) != 0
    return other_series | other_number


def _closed(cells: _Cells, phase: ndarray, phases: int, search: _Search) -> ndarray:
    """Which phases of a cycle do not occur, (S, P); for many series block by block."""
    is_closed = np.zeros((search.series_count, phases), bool)
    block = max(1, BLOCK // phases)
    for first in range(0, search.series_count, block):
        stop = min(first + block, search.series_count)
        in_block = (cells.series >= first) & (cells.series < stop)
        block_cells = cells.where(in_block)
        block_cells = block_cells._replace(series=block_cells.series - first)
        table = _Table.of(block_cells, phase[in_block], stop - first, phases)
        is_closed[first:stop] = table.closed(search.is_expected)
    if search.pooled and search.series_count > 1:
        # the short series of a panel show it together
        as_one = cells._replace(series=np.zeros_like(cells.series))
        table = _Table.of(as_one, phase, 1, phases)
        is_closed |= table.closed(search.is_expected) & (table.row_counts == 0)
    return is_closed


def _weekends(table: _Table) -> ndarray:
    """Saturdays and Sundays of series that have rows on all other days: one weekend is enough, as
    it is where days are distinguished from business days."""
    is_weekend = np.arange(7) >= 5
    weekend_rows = table.row_counts[:, is_weekend]
    weekend_chances = table.chances[:, is_weekend]
    never_open = (weekend_rows == 0).all(axis=1)
    came = (weekend_chances > 0).all(axis=1)
    other_days_open = (table.row_counts[:, ~is_weekend] > 0).all(axis=1)
    has_weekends = never_open & came & other_days_open
    return has_weekends[:, None] & is_weekend


class _Table(NamedTuple):
    """How often each phase came, (S, P), how often it had a row, how often of the newest times,
    and how often it came since it last had one."""

    chances: ndarray
    row_counts: ndarray
    lately: ndarray
    since: ndarray

    @classmethod
    def of(cls, cells: _Cells, phase: ndarray, count: int, phases: int) -> _Table:
        size = count * phases
        key = cells.series * phases + phase
        chances = np.bincount(key, minlength=size)
        row_counts = np.bincount(key[cells.present], minlength=size)
        # the ordinal of a cell among those of its phase: cells are in the order of time
        order = np.argsort(key, kind="stable")
        key = key[order]
        present = cells.present[order]
        begins = np.cumsum(chances) - chances
        ordinal = np.arange(len(key)) - np.repeat(begins, chances)
        newest = np.full(size, -1)
        newest[key[present]] = ordinal[present]  # the last assignment stays
        is_late = ordinal >= chances[key] - _NEWEST
        lately = np.bincount(key[present & is_late], minlength=size)
        since = chances - 1 - newest
        columns = (chances, row_counts, lately, since)
        return cls(*(column.reshape(count, phases) for column in columns))

    def closed(self, is_expected: bool) -> ndarray:
        """Which phases do not occur, (S, P)."""
        if is_expected:
            return (self.row_counts == 0) & (self.chances > 0)
        is_rare = self.row_counts <= _EXCEPTIONS * self.chances
        is_rare &= self.lately <= _MOST_LATELY
        has_ended = self.since >= _ENDED
        often_empty = self.chances - self.row_counts >= FEWEST
        silent = (is_rare | has_ended) & often_empty
        return silent & self.by_no_accident(silent)

    def by_no_accident(self, silent: ndarray) -> ndarray:
        """Where so many empty occasions are no accident, as seldom as others are empty."""
        other_rows = np.where(silent, 0, self.row_counts)
        other_chances = np.where(silent, 0, self.chances)
        rows_of_series = other_rows.sum(axis=1, keepdims=True)
        chances_of_series = other_chances.sum(axis=1, keepdims=True)
        row_share = rows_of_series / np.maximum(chances_of_series, 1)
        has_ended = self.since >= _ENDED
        empty = np.where(has_ended, self.since, self.chances - self.row_counts)
        phases = self.chances.shape[1]
        accident = phases * (1 - row_share) ** empty
        return (row_share >= _FILLED) & (accident < _ACCIDENT)


def findings_of(calendar: ObservedCalendar, ids: ndarray) -> list[Finding]:
    """Findings about a calendar, one for each of its first patterns."""
    findings = []
    undo = advise("calendar", "all")
    action = (
        f"Forecasts and step counts cover only these times. For all times, use {undo}."
    )
    names = calendar.names
    for pattern in np.unique(calendar.pattern).tolist():
        name = names[pattern]
        if not name:
            continue
        series = np.flatnonzero(calendar.pattern == pattern)
        count = len(series)
        whose = "values come" if count == len(ids) else _whose(ids, series)
        message = f"{whose} {name} only"
        findings.append(
            Finding(OBSERVED, "note", message, action, count=count, value=name)
        )
    return findings[:3]


class Remembered(NamedTuple):
    """The calendar of a saved model, and which series it is of."""

    calendar: ObservedCalendar
    ids: ndarray

    def of(self, ids: ndarray, grids: Grids) -> ObservedCalendar | None:
        """That of newer data alone; the only series of each is one and the same."""
        places = {name: place for place, name in enumerate(self.ids)}
        remembered = [places.get(name, -1) for name in ids]
        if len(ids) == 1 == len(self.ids):
            remembered = [0]
        begin = np.zeros(len(ids), np.int64)
        return joined_calendar(
            self.calendar, np.array(remembered, np.int64), grids, begin
        )


def joined_calendar(
    saved_calendar: ObservedCalendar, places: ndarray, grids: Grids, first: ndarray
) -> ObservedCalendar | None:
    """The calendar of series that continue, with newer data joined; None where all times occur now.

    places (S,): which of the known series each one is, -1 for a new one, which gets the pattern of
    the others where they have one. first (S,): from which step on the data are newer: a row in them
    at a time that was closed opens it, unless it is an exception.
    """
    always = _always(1, saved_calendar.week.shape[1], saved_calendar.clock)
    week = np.vstack([saved_calendar.week, always.week])
    months = np.vstack([saved_calendar.months, always.months])
    saved_patterns = np.unique(saved_calendar.pattern)
    new_pattern = (
        saved_patterns[0] if len(saved_patterns) == 1 else len(saved_calendar.week)
    )
    known_pattern = saved_calendar.pattern[np.maximum(places, 0)]
    pattern = np.where(places < 0, new_pattern, known_pattern)
    calendar = ObservedCalendar(week, months, pattern, saved_calendar.clock)
    series = series_numbers(grids.offsets)
    step = places_of(grids.offsets)
    times = grids.frequency.advance(grids.starts[series], step)
    opened = grids.present & (step >= first[series])
    opened &= ~calendar.occurs(times, series)
    newer = found_in(grids, saved_calendar.clock)
    if newer is not None:
        opened &= newer.occurs(times, series)
    if opened.any():
        calendar = _opened(calendar, times[opened], series[opened])
    names = calendar.names
    has_closed_times = any(names[pattern] for pattern in np.unique(calendar.pattern))
    return calendar if has_closed_times else None


def side_by_side(
    first: ObservedCalendar | None,
    second: ObservedCalendar | None,
    first_count: int,
    second_count: int,
) -> ObservedCalendar | None:
    """The calendar of the series of two panels, one after the other; of so many series each."""
    example = first or second
    if example is None:
        return None
    width = example.week.shape[1]
    first = first or _always(first_count, width, example.clock)
    second = second or _always(second_count, width, example.clock)
    pattern = np.concatenate([first.pattern, second.pattern + len(first.week)])
    week = np.vstack([first.week, second.week])
    months = np.vstack([first.months, second.months])
    return ObservedCalendar(week, months, pattern, example.clock)


def _always(count: int, width: int, clock: Clock) -> ObservedCalendar:
    """A calendar of series whose times all occur."""
    week = np.ones((1, width), bool)
    months = np.ones((1, 12), bool)
    pattern = np.zeros(count, np.int64)
    return ObservedCalendar(week, months, pattern, clock)


def _opened(
    calendar: ObservedCalendar, times: ndarray, series: ndarray
) -> ObservedCalendar:
    """The calendar with these times of these series open too; every series its own pattern."""
    week = calendar.week[calendar.pattern]
    months = calendar.months[calendar.pattern]
    micros = calendar.clock.micros(times)
    slot_of_week = (micros - MONDAY) % WEEK // calendar.slot
    month_of_year = month_of(micros) % 12
    week[series, slot_of_week] = True
    months[series, month_of_year] = True
    return _calendar_of(week, months, calendar.clock)


def _whose(ids: ndarray, series: ndarray) -> str:
    names = some_names(ids[series])
    return f"{len(series):,} of {len(ids):,} series ({names}) have values"
