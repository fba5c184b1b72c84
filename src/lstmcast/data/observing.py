"""The observed calendar of data: found in their times, joined with newer ones, and put in words."""

# S series · N times of all their grids · M patterns · W slots of a week · C cells, such as days
# O origins · H rows to come · G steps of the grid

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.calendars import DAY, MINUTE, MONDAY, WEEK, micros_of, month_of
from lstmcast.data.findings import Finding, advise
from lstmcast.data.frequency import Frequency
from lstmcast.data.observed import BLOCK, Clock, ObservedCalendar
from lstmcast.data.ragged import places as places_of
from lstmcast.data.ragged import series_numbers
from lstmcast.util.text import some_names

OBSERVED = "observed calendar"  # the rule of findings about it
# How often a day or time must have come without a row before it counts as one that never occurs.
FEWEST, FEWEST_YEARS = 3, 2
# A few rows at a time that is closed otherwise are exceptions, as Sundays before Christmas are,
# but not two of the newest occasions: a shop may have begun to open on Sundays.
_EXCEPTIONS = 0.04
_NEWEST, _MOST_LATELY = 4, 1
# Closed for so long at the end that what was before no longer counts: half a year of weeks.
_ENDED = 26
# Times that do occur must mostly have rows: where events are rare, an empty hour says nothing.
_FILLED = 0.5
# The chance that all that is missing is so by accident, for all days or times of a series together.
_ACCIDENT = 1e-3
_SHORT = ("second", "minute", "hour")


class Grids(NamedTuple):
    """Where series have rows: present (N,) bool on their grids."""

    present: ndarray
    offsets: ndarray
    starts: ndarray
    frequency: Frequency


def found_in(grids: Grids, clock: Clock, asked: bool = False) -> ObservedCalendar | None:
    """The calendar that the rows of series show; None where all times occur, or nothing tells.

    asked: a calendar is known to be there, so that one empty occasion is enough.

    >>> days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    >>> here = np.arange(60) % 7 != 6  # 2024 began on a Monday
    >>> daily = Frequency("day")
    >>> found_in(Grids(here, np.array([0, 60]), days[:1], daily), Clock()).name
    'Monday to Saturday'
    """
    unit, every = grids.frequency.unit, grids.frequency.every
    known = np.add.reduceat(grids.present.astype(np.int64), grids.offsets[:-1])
    chosen = np.flatnonzero(known < np.diff(grids.offsets))
    if not len(chosen) or unit in ("integer", "year"):
        return None
    cells = _cells(grids, chosen, clock)
    months = _closed_months(cells, len(chosen), asked)
    slots = np.zeros((len(chosen), 1), bool)
    if (every == 1 and unit in ("day", "business day", *_SHORT)) or unit in _SHORT:
        open_now = ~months[cells.series, month_of(cells.micros) % 12]
        pooled = len(chosen) == len(known)
        slots = _closed_slots(cells.where(open_now), len(chosen), grids.frequency, asked, pooled)
    if not months.any() and not slots.any():
        return None
    week, of_year = np.ones((len(known), slots.shape[1]), bool), np.ones((len(known), 12), bool)
    week[chosen], of_year[chosen] = ~slots, ~months
    both, pattern = np.unique(np.hstack([week, of_year]), axis=0, return_inverse=True)
    return ObservedCalendar(both[:, :-12], both[:, -12:], pattern.ravel().astype(np.int64), clock)


class _Cells(NamedTuple):
    """Pieces of series, in their order: times of the grid, then days, then months."""

    series: ndarray  # (C,) numbers
    micros: ndarray  # (C,) of the clock that is shown
    present: ndarray  # (C,) whether a row lies in it

    def where(self, chosen: ndarray) -> _Cells:
        return _Cells(*(part[chosen] for part in self))

    def by(self, number: ndarray) -> _Cells:
        """Cells of one series and number as one, which has a row where one of them has."""
        if not len(number):
            return self
        differ = (np.diff(self.series) != 0) | (np.diff(number) != 0)
        begins = np.flatnonzero(np.r_[True, differ])
        present = np.logical_or.reduceat(self.present, begins)
        return _Cells(self.series[begins], self.micros[begins], present)


def _cells(grids: Grids, chosen: ndarray, clock: Clock) -> _Cells:
    """The times of the grids of some series."""
    lengths = np.diff(grids.offsets)[chosen]
    offsets = np.r_[0, np.cumsum(lengths)]
    series, step = series_numbers(offsets), places_of(offsets)
    times = grids.frequency.advance(grids.starts[chosen][series], step)
    present = grids.present[grids.offsets[:-1][chosen][series] + step]
    return _Cells(series, clock.micros(times), present)


def _closed_months(cells: _Cells, count: int, asked: bool) -> ndarray:
    """Which months of the year never have a row, (S, 12)."""
    months = cells.by(month_of(cells.micros))
    table = _Table.of(months, month_of(months.micros) % 12, count, 12)
    fewest = 1 if asked else FEWEST_YEARS
    never = (table.seen == 0) & (table.chances >= fewest)
    return never & (asked | table.by_no_accident(never))


def _closed_slots(
    cells: _Cells, count: int, frequency: Frequency, asked: bool, pooled: bool
) -> ndarray:
    """Which slots of the week do not occur, (S, W): first whole days, then times of all days, then
    times of single weekdays."""
    days = cells.by((cells.micros - MONDAY) // DAY)
    weekday = (days.micros - MONDAY) // DAY % 7
    closed_days = _closed(days, weekday, count, 7, asked, pooled)
    closed_days |= _weekends(_Table.of(days, weekday, count, 7))
    step = int(micros_of(frequency.advance(np.datetime64(0, "us"), 1)))
    if frequency.unit not in _SHORT or DAY % step:
        return closed_days
    slot = max(step, MINUTE)
    per_day = DAY // slot
    # days without any row, such as holidays, say nothing of the hours
    day_number = np.r_[0, np.cumsum(_changes(cells, (cells.micros - MONDAY) // DAY))]
    told = cells.where(days.present[day_number] if len(cells.series) else np.zeros(0, bool))
    of_day = (told.micros - MONDAY) % DAY // slot
    closed_times = _closed(told, of_day, count, per_day, asked, pooled)
    told = told.where(~closed_times[told.series, of_day])
    of_week = (told.micros - MONDAY) % WEEK // slot
    closed = _closed(told, of_week, count, 7 * per_day, asked, pooled)
    return closed | np.repeat(closed_days, per_day, axis=1) | np.tile(closed_times, 7)


def _changes(cells: _Cells, number: ndarray) -> ndarray:
    return (np.diff(cells.series) != 0) | (np.diff(number) != 0)


def _closed(
    cells: _Cells, phase: ndarray, count: int, phases: int, asked: bool, pooled: bool
) -> ndarray:
    """Which phases of a cycle do not occur, (S, P); for many series block by block."""
    result = np.zeros((count, phases), bool)
    block = max(1, BLOCK // phases)
    for first in range(0, count, block):
        here = (cells.series >= first) & (cells.series < first + block)
        part = _Cells(cells.series[here] - first, cells.micros[here], cells.present[here])
        table = _Table.of(part, phase[here], min(block, count - first), phases)
        result[first : first + block] = table.closed(asked)
    if pooled and count > 1:
        # short series of a panel are told by all of them together
        alike = _Cells(np.zeros_like(cells.series), cells.micros, cells.present)
        whole = _Table.of(alike, phase, 1, phases)
        result |= whole.closed(asked) & (whole.seen == 0)
    return result


def _weekends(table: _Table) -> ndarray:
    """Saturdays and Sundays of series that have rows on all other days: one weekend is enough, as
    it is where days are told from business days."""
    apart = (table.seen[:, 5:] == 0).all(axis=1) & (table.chances[:, 5:] > 0).all(axis=1)
    found = apart & (table.seen[:, :5] > 0).all(axis=1)
    return found[:, None] & (np.arange(7) >= 5)


class _Table(NamedTuple):
    """How often each phase came, (S, P), how often it had a row, how often of the newest times,
    and how often it came since it last had one."""

    chances: ndarray
    seen: ndarray
    lately: ndarray
    since: ndarray

    @classmethod
    def of(cls, cells: _Cells, phase: ndarray, count: int, phases: int) -> _Table:
        key, size = cells.series * phases + phase, count * phases
        chances = np.bincount(key, minlength=size)
        seen = np.bincount(key[cells.present], minlength=size)
        # the ordinal of a cell among those of its phase: cells are in the order of time
        order = np.argsort(key, kind="stable")
        ordinal = np.arange(len(key)) - np.repeat(np.cumsum(chances) - chances, chances)
        newest = np.full(size, -1)
        here = cells.present[order]
        newest[key[order][here]] = ordinal[here]  # the last assignment stays
        late = here & (ordinal >= chances[key[order]] - _NEWEST)
        lately = np.bincount(key[order][late], minlength=size)
        parts = (chances, seen, lately, chances - 1 - newest)
        return cls(*(part.reshape(count, phases) for part in parts))

    def closed(self, asked: bool) -> ndarray:
        """Which phases do not occur, (S, P)."""
        if asked:
            return (self.seen == 0) & (self.chances > 0)
        rare = (self.seen <= _EXCEPTIONS * self.chances) & (self.lately <= _MOST_LATELY)
        silent = (rare | (self.since >= _ENDED)) & (self.chances - self.seen >= FEWEST)
        return silent & self.by_no_accident(silent)

    def by_no_accident(self, silent: ndarray) -> ndarray:
        """Where so many empty occasions are no accident, as seldom as others are empty."""
        seen = np.where(silent, 0, self.seen).sum(axis=1, keepdims=True)
        came = np.where(silent, 0, self.chances).sum(axis=1, keepdims=True)
        filled = seen / np.maximum(came, 1)
        empty = np.where(self.since >= _ENDED, self.since, self.chances - self.seen)
        accident = self.chances.shape[1] * (1 - filled) ** empty
        return (filled >= _FILLED) & (accident < _ACCIDENT)


def findings_of(calendar: ObservedCalendar, ids: ndarray) -> list[Finding]:
    """What is said of a calendar, once for each of its first patterns."""
    found = []
    for k in np.unique(calendar.pattern).tolist():
        series, name = np.flatnonzero(calendar.pattern == k), calendar.names[k]
        if not name:
            continue
        whose = "values come" if len(series) == len(ids) else _whose(ids, series)
        undo = advise("calendar", "all")
        action = f"Forecasts are for these times, and steps count them; for all times, {undo}."
        message = f"{whose} {name} only"
        found.append(Finding(OBSERVED, "note", message, action, count=len(series), value=name))
    return found[:3]


class Remembered(NamedTuple):
    """The calendar of a saved model, and which series it is of."""

    calendar: ObservedCalendar
    ids: ndarray

    def of(self, ids: ndarray, grids: Grids) -> ObservedCalendar | None:
        """That of newer data alone; the only series of each is one and the same."""
        known = {name: place for place, name in enumerate(self.ids)}
        alone = len(ids) == 1 == len(self.ids)
        found = np.array([0 if alone else known.get(name, -1) for name in ids], np.int64)
        return joined_calendar(self.calendar, found, grids, np.zeros(len(ids), np.int64))


def joined_calendar(
    known: ObservedCalendar, places: ndarray, grids: Grids, first: ndarray
) -> ObservedCalendar | None:
    """The calendar of series that go on, with newer data joined; None where all times occur now.

    places (S,): which of the known series each one is, -1 for a new one, which gets the pattern of
    the others where they have one. first (S,): from which step on the data are newer: a row in them
    at a time that was closed opens it, unless it is an exception.
    """
    used = np.unique(known.pattern)
    week = np.vstack([known.week, np.ones((1, known.week.shape[1]), bool)])
    months = np.vstack([known.months, np.ones((1, 12), bool)])
    fresh = used[0] if len(used) == 1 else len(known.week)
    pattern = np.where(places < 0, fresh, known.pattern[np.maximum(places, 0)])
    going = ObservedCalendar(week, months, pattern, known.clock)
    found = found_in(grids, known.clock)
    series, step = series_numbers(grids.offsets), places_of(grids.offsets)
    times = grids.frequency.advance(grids.starts[series], step)
    opened = grids.present & (step >= first[series]) & ~going.occurs(times, series)
    if found is not None:
        opened &= found.occurs(times, series)
    if opened.any():
        going = _opened(going, times[opened], series[opened])
    return going if any(going.names[k] for k in np.unique(going.pattern)) else None


def side_by_side(
    one: ObservedCalendar | None, other: ObservedCalendar | None, first: int, second: int
) -> ObservedCalendar | None:
    """The calendar of the series of two panels, one after the other; of so many series each."""
    known = one or other
    if known is None:
        return None
    width = known.week.shape[1]
    parts = [
        part or _always(count, width, known.clock)
        for part, count in ((one, first), (other, second))
    ]
    pattern = np.concatenate([parts[0].pattern, parts[1].pattern + len(parts[0].week)])
    week, months = (np.vstack([getattr(p, name) for p in parts]) for name in ("week", "months"))
    return ObservedCalendar(week, months, pattern, known.clock)


def _always(count: int, width: int, clock: Clock) -> ObservedCalendar:
    """A calendar of series whose times all occur."""
    every = np.ones((1, width), bool), np.ones((1, 12), bool)
    return ObservedCalendar(*every, np.zeros(count, np.int64), clock)


def _opened(calendar: ObservedCalendar, times: ndarray, series: ndarray) -> ObservedCalendar:
    """The calendar with these times of these series open too; every series its own pattern."""
    week, months = calendar.week[calendar.pattern], calendar.months[calendar.pattern]
    micros = calendar.clock.micros(times)
    week[series, (micros - MONDAY) % WEEK // calendar.slot] = True
    months[series, month_of(micros) % 12] = True
    both, pattern = np.unique(np.hstack([week, months]), axis=0, return_inverse=True)
    return replace(calendar, week=both[:, :-12], months=both[:, -12:], pattern=pattern.ravel())


def _whose(ids: ndarray, series: ndarray) -> str:
    names = some_names(ids[series])
    return f"{len(series):,} of {len(ids):,} series ({names}) have values"
