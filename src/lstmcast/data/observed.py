"""The observed calendar: which times of a regular grid occur, where a shop is closed on Sundays, an
office in August or a market at night.

The grid stays regular inside, with missing values where nothing occurs; what is handed out holds
the times that occur. A calendar is a table of a week beside one of the months of a year, for each
series one of a few patterns. It is found from which times of the grid have a row.
"""

# S series · N times of all their grids · M patterns · W slots of a week · C cells, such as days
# O origins · H rows to come · G steps of the grid

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.calendars import DAY, MINUTE, MONDAY, WEEK, micros_of, month_of
from lstmcast.data.findings import Finding, advise
from lstmcast.data.frequency import Frequency
from lstmcast.data.ragged import places as places_of
from lstmcast.data.ragged import series_numbers
from lstmcast.data.zones import converted
from lstmcast.errors import ModelError
from lstmcast.util.text import some_names

if TYPE_CHECKING:
    from lstmcast.data.origins import Origins
    from lstmcast.data.panel import Panel

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
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SHORT = ("second", "minute", "hour")
_BLOCK = 1 << 22  # cells of a table that are looked at together


class Clock(NamedTuple):
    """By which clock weekdays and hours are told: `inside` is the zone of the times of a grid,
    `shown` that of the clocks that open and close; None where the two are one."""

    inside: str | None = None
    shown: str | None = None

    def micros(self, times: ndarray) -> ndarray:
        """Times of the grid, of any shape, as microseconds of the clock that is shown."""
        if self.inside is None or self.shown is None or self.inside == self.shown:
            return micros_of(times)
        moved = converted(np.ravel(times), self.inside, self.shown)
        return micros_of(times if moved is None else moved.reshape(np.shape(times)))


_ONE_CLOCK = Clock()


@dataclass(frozen=True, eq=False)
class ObservedCalendar:
    """Which times of the grids of some series occur.

    week (M, W) bool: the slots of a week, Monday first · months (M, 12) bool · pattern (S,) int64:
    which of the M patterns each series has · clock: by which clock they are told.

    >>> open_days = np.array([[True, True, True, True, True, True, False]])
    >>> shop = ObservedCalendar(open_days, np.ones((1, 12), bool), np.array([0]))
    >>> days = np.array(["2024-03-02", "2024-03-03"], "datetime64[us]")
    >>> shop.occurs(days, 0), shop.name
    (array([ True, False]), 'Monday to Saturday')
    """

    week: ndarray
    months: ndarray
    pattern: ndarray
    clock: Clock = _ONE_CLOCK

    def __len__(self) -> int:
        return len(self.pattern)

    @property
    def slot(self) -> int:
        """The length of a slot of the week, in microseconds."""
        return WEEK // self.week.shape[1]

    def occurs(self, times: ndarray, series: ndarray | int) -> ndarray:
        """Whether times (…) of series (…) occur; the shapes are broadcast against each other."""
        micros, pattern = self.clock.micros(times), self.pattern[series]
        in_week = self.week[pattern, (micros - MONDAY) % WEEK // self.slot]
        return in_week & self.months[pattern, month_of(micros) % 12]

    def take(self, rows: ndarray) -> ObservedCalendar:
        """That of some of the series."""
        return replace(self, pattern=self.pattern[rows])

    @property
    def names(self) -> list[str]:
        """What each pattern is called, for people; empty where all times occur."""
        each = zip(self.week, self.months, strict=True)
        return [_name(week, months, self.slot) for week, months in each]

    @property
    def name(self) -> str:
        """What it is called: the pattern where all series have one, else how many there are."""
        names = self.names
        used = [names[k] or "all times" for k in np.unique(self.pattern)]
        return used[0] if len(used) == 1 else f"{len(used)} calendars"

    def as_dict(self, ids: ndarray) -> list[dict[str, Any]]:
        """Each pattern and how many series have it, for JSON; the first of these by name."""
        return [
            {
                "times": self.names[k] or "all times",
                "series": int((self.pattern == k).sum()),
                "first": str(ids[np.flatnonzero(self.pattern == k)[0]]),
            }
            for k in np.unique(self.pattern).tolist()
        ]

    def arrays(self) -> dict[str, ndarray]:
        """Under names for the store."""
        return {
            "calendar_week": self.week,
            "calendar_months": self.months,
            "calendar_pattern": self.pattern,
        }

    @classmethod
    def from_saved(
        cls, arrays: Mapping[str, ndarray], clock: Clock, series: int
    ) -> ObservedCalendar | None:
        """What `arrays` gave; None where a model has none. ValueError for what cannot be."""
        if "calendar_week" not in arrays:
            return None
        week, months = arrays["calendar_week"], arrays["calendar_months"]
        pattern = arrays["calendar_pattern"]
        sound = (
            week.ndim == 2
            and week.dtype == months.dtype == bool
            and months.shape == (len(week), 12)
            and WEEK % week.shape[1] == 0
            and week.any(axis=1).all()
            and months.any(axis=1).all()
            and pattern.shape == (series,)
            and pattern.dtype.kind in "iu"
            and ((pattern >= 0) & (pattern < len(week))).all()
        )
        if not sound:
            raise ValueError("the observed calendar is none")
        return cls(week, months, pattern, clock)


# ---------------------------------------------------------------- found in data


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
    block = max(1, _BLOCK // phases)
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


# ---------------------------------------------------------------- from the grid to rows and back


def on_grid(panel: Panel, origins: Origins, horizon: int) -> tuple[Panel, int, ndarray | None]:
    """A panel without its calendar, how many steps of its grid hold the next `horizon` rows of all
    origins, and which of the steps these are, (O, H) from 0; None where all times occur."""
    plain, steps = without(panel), rows_ahead(panel, origins, horizon)
    return plain, horizon if steps is None else int(steps.max(initial=0)) + 1, steps


def without(panel: Panel) -> Panel:
    """The panel as one whose times all occur."""
    return panel if panel.calendar is None else replace(panel, calendar=None)


def rows_ahead(panel: Panel, origins: Origins, horizon: int) -> ndarray | None:
    """Which of the next steps of the grid occur: the first `horizon` of them, (O, H) from 0; None
    where all times occur.

    ModelError for a calendar in which too few ever do.
    """
    calendar = panel.calendar
    if calendar is None:
        return None
    result = np.empty((len(origins.series), horizon), np.int64)
    block = max(1, _BLOCK // max(horizon, 64))
    for first in range(0, len(result), block):
        series = origins.series[first : first + block]
        counts = origins.counts[first : first + block]
        result[first : first + block] = steps_ahead(
            calendar, panel.frequency, panel.starts[series], series, counts, horizon
        )
    return result


def steps_ahead(
    calendar: ObservedCalendar,
    frequency: Frequency,
    starts: ndarray,
    series: ndarray,
    counts: ndarray,
    horizon: int,
) -> ndarray:
    """The same of grids that begin at `starts` (O,), after `counts` (O,) of their steps."""
    size = 2 * horizon + 16
    while True:
        steps_OG = counts[:, None] + np.arange(size)
        times_OG = frequency.advance(starts[:, None], steps_OG)
        occurs_OG = calendar.occurs(times_OG, series[:, None])
        if (occurs_OG.sum(axis=1) >= horizon).all():
            break
        if size > 400 * horizon + 20_000_000:
            raise ModelError(
                "The calendar of a series has no time that occurs. Read the data again, or use "
                f"{advise('calendar', 'all')}."
            )
        size *= 2
    rank_OG = np.cumsum(occurs_OG, axis=1)
    chosen_OG = occurs_OG & (rank_OG <= horizon)
    return np.nonzero(chosen_OG)[1].reshape(len(series), horizon)


def occurring(panel: Panel) -> ndarray:
    """Which of all times of a panel occur, (N,) bool."""
    return occurring_at(panel.calendar, panel.offsets, panel.starts, panel.frequency)


def occurring_at(
    calendar: ObservedCalendar | None, offsets: ndarray, starts: ndarray, frequency: Frequency
) -> ndarray:
    """Which of all times of some grids occur, (N,) bool."""
    if calendar is None:
        return np.ones(int(offsets[-1]), bool)
    series, step = series_numbers(offsets), places_of(offsets)
    return calendar.occurs(frequency.advance(starts[series], step), series)


# ---------------------------------------------------------------- for people


def _name(week: ndarray, months: ndarray, slot: int) -> str:
    """When values come, such as "Monday to Friday, 09:30 to 15:30, but not in August"."""
    days = week.reshape(7, -1) if len(week) % 7 == 0 else np.ones((7, 1), bool)
    open_days = np.asarray(days.any(axis=1))
    parts = [] if open_days.all() else [_named(open_days, _DAYS)]
    if not days[open_days].all():
        parts.append(_hours(days, slot))
    text = ", ".join(parts)
    if months.all():
        return text
    return f"{text}{', ' * bool(text)}{_named(months, _MONTHS)}"


def _hours(days: ndarray, slot: int) -> str:
    """From when to when values come on days that are open, or how many times of a week there
    are."""
    hours = days[days.any(axis=1)]
    alike = (hours == hours[0]).all()
    edges = np.flatnonzero(np.diff(hours[0].astype(np.int64)))
    if not alike or len(edges) > 2 or (hours[0][0] and hours[0][-1] and len(edges) > 1):
        return f"{int(days.sum()):,} of {days.size:,} times of a week"
    there = np.flatnonzero(hours[0])
    return f"{_hour(there[0] * slot)} to {_hour(there[-1] * slot)}"


def _hour(micros: int) -> str:
    minutes = int(micros) // MINUTE
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _named(there: ndarray, names: tuple[str, ...]) -> str:
    """Days or months, those in a row as a span."""
    chosen = np.flatnonzero(there)
    span = chosen[-1] - chosen[0] + 1 == len(chosen)
    if span and len(chosen) > 2:
        return f"{names[chosen[0]]} to {names[chosen[-1]]}"
    absent = np.flatnonzero(~there)
    if len(names) == 12 and len(absent) < len(chosen):
        return f"but not in {_named(~there, names)}"
    listed = [names[k] for k in chosen]
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"
