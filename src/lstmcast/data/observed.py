"""The observed calendar: which times of a regular grid occur, such as the opening days of a shop.

Internally the grid stays regular, with missing values at times that do not occur; results hold only
the times that occur. A calendar is a table of the week and one of the months of the year; each
series has one of a few patterns, inferred from the times with rows.
"""

# S series · N times of all their grids · M patterns · W slots of a week · C cells, such as days
# O origins · H rows to come · G steps of the grid

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.ragged import places as places_of
from lstmcast.data.ragged import series_numbers
from lstmcast.data.times.calendars import MINUTE, MONDAY, WEEK, micros_of, month_of
from lstmcast.data.times.frequency import Frequency
from lstmcast.data.times.zones import converted
from lstmcast.errors import ModelError

if TYPE_CHECKING:
    from lstmcast.data.origins import Origins
    from lstmcast.data.panel import Panel

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
BLOCK = 1 << 22  # cells of a table that are looked at together


class Clock(NamedTuple):
    """The clock of weekdays and hours: `inside` is the time zone of the grid, `shown` the local
    one.

    None if both are the same.
    """

    inside: str | None = None
    shown: str | None = None

    def micros(self, times: ndarray) -> ndarray:
        """Times of the grid, of any shape, as microseconds of local time."""
        if self.inside is None or self.shown is None or self.inside == self.shown:
            return micros_of(times)
        shown_times = converted(np.ravel(times), self.inside, self.shown)
        if shown_times is None:
            return micros_of(times)
        micros = micros_of(shown_times)
        return micros.reshape(np.shape(times))


_ONE_CLOCK = Clock()


@dataclass(frozen=True, eq=False)
class ObservedCalendar:
    """Which times of the grids of some series occur.

    week (M, W) bool: the slots of a week, Monday first · months (M, 12) bool · pattern (S,) int64:
    which of the M patterns each series has · clock: the clock that they refer to.

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
        micros = self.clock.micros(times)
        pattern = self.pattern[series]
        slot_of_week = (micros - MONDAY) % WEEK // self.slot
        month_of_year = month_of(micros) % 12
        return self.week[pattern, slot_of_week] & self.months[pattern, month_of_year]

    def take(self, rows: ndarray) -> ObservedCalendar:
        """That of some of the series."""
        return replace(self, pattern=self.pattern[rows])

    @property
    def names(self) -> list[str]:
        """The name of each pattern; empty if all times occur."""
        patterns = zip(self.week, self.months, strict=True)
        return [_name(week, months, self.slot) for week, months in patterns]

    @property
    def name(self) -> str:
        """The name of the pattern if all series have one, else the number of patterns."""
        names = self.names
        used_names = [
            names[pattern] or "all times" for pattern in np.unique(self.pattern)
        ]
        return used_names[0] if len(used_names) == 1 else f"{len(used_names)} calendars"

    def as_dict(self, ids: ndarray) -> list[dict[str, Any]]:
        """Each pattern and how many series have it, for JSON; the first of these by name."""
        names = self.names
        descriptions = []
        for pattern in np.unique(self.pattern).tolist():
            series = np.flatnonzero(self.pattern == pattern)
            times = names[pattern] or "all times"
            first_id = str(ids[series[0]])
            descriptions.append(
                {"times": times, "series": len(series), "first": first_id}
            )
        return descriptions

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
        week = arrays["calendar_week"]
        months = arrays["calendar_months"]
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
            raise ValueError("the observed calendar is invalid")
        return cls(week, months, pattern, clock)


def on_grid(
    panel: Panel, origins: Origins, horizon: int
) -> tuple[Panel, int, ndarray | None]:
    """A panel without its calendar, the steps of its grid needed for `horizon` rows, and these
    rows.

    Rows are steps of the grid (O, H) from 0; None if all times occur.
    """
    steps = rows_ahead(panel, origins, horizon)
    if steps is None:
        return without(panel), horizon, None
    step_count = int(steps.max(initial=0)) + 1
    return without(panel), step_count, steps


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
    count = len(origins.series)
    steps = np.empty((count, horizon), np.int64)
    block_size = max(1, BLOCK // max(horizon, 64))
    for first in range(0, count, block_size):
        block = slice(first, first + block_size)
        series = origins.series[block]
        counts = origins.counts[block]
        starts = panel.starts[series]
        steps[block] = steps_ahead(
            calendar, panel.frequency, starts, series, counts, horizon
        )
    return steps


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
                "The calendar of a series contains no times. Read the data again, or use "
                f"{advise('calendar', 'all')}."
            )
        size *= 2
    rank_OG = np.cumsum(occurs_OG, axis=1)
    _, steps = np.nonzero(occurs_OG & (rank_OG <= horizon))
    return steps.reshape(len(series), horizon)


def occurring(panel: Panel) -> ndarray:
    """Which of all times of a panel occur, (N,) bool."""
    return occurring_at(panel.calendar, panel.offsets, panel.starts, panel.frequency)


def value_count(panel: Panel) -> int:
    """How many values a panel has, missing ones included, at the times that occur."""
    return int(np.count_nonzero(occurring(panel)))


def occurring_at(
    calendar: ObservedCalendar | None,
    offsets: ndarray,
    starts: ndarray,
    frequency: Frequency,
) -> ndarray:
    """Which of all times of some grids occur, (N,) bool."""
    if calendar is None:
        return np.ones(int(offsets[-1]), bool)
    series = series_numbers(offsets)
    steps = places_of(offsets)
    times = frequency.advance(starts[series], steps)
    return calendar.occurs(times, series)


def _name(week: ndarray, months: ndarray, slot: int) -> str:
    """When values come, such as "Monday to Friday, 09:30 to 15:30, but not in August"."""
    is_one_day = len(week) % 7 != 0
    days = np.ones((7, 1), bool) if is_one_day else week.reshape(7, -1)
    open_days = np.asarray(days.any(axis=1))
    names = []
    if not open_days.all():
        names.append(_named(open_days, _DAYS))
    if not days[open_days].all():
        names.append(_hours(days, slot))
    if not months.all():
        names.append(_named(months, _MONTHS))
    return ", ".join(names)


def _hours(days: ndarray, slot: int) -> str:
    """From when to when values come on days that are open, or how many times of a week there
    are."""
    open_days = days.any(axis=1)
    hours = days[open_days]
    first_day = hours[0]
    are_alike = (hours == first_day).all()
    edges = np.flatnonzero(np.diff(first_day.astype(np.int64)))
    over_midnight = first_day[0] and first_day[-1] and len(edges) > 1
    if not are_alike or len(edges) > 2 or over_midnight:
        return f"{int(days.sum()):,} of {days.size:,} times of a week"
    open_slots = np.flatnonzero(first_day)
    first_hour = _hour(open_slots[0] * slot)
    last_hour = _hour(open_slots[-1] * slot)
    return f"{first_hour} to {last_hour}"


def _hour(micros: int) -> str:
    minutes = int(micros) // MINUTE
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _named(occurs: ndarray, names: tuple[str, ...]) -> str:
    """Days or months, those in a row as a span."""
    places = np.flatnonzero(occurs)
    first = places[0]
    last_place = places[-1]
    count = len(places)
    in_a_row = last_place - first + 1 == count
    if in_a_row and count > 2:
        return f"{names[first]} to {names[last_place]}"
    if len(names) == 12 and np.count_nonzero(~occurs) < count:
        return f"but not in {_named(~occurs, names)}"
    *words, last_word = [names[place] for place in places]
    if not words:
        return last_word
    return f"{', '.join(words)} and {last_word}"
