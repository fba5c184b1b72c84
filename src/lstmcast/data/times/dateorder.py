"""The order of day, month and year in dates, and their calendar, decided for a whole column."""

# U distinct texts

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.times.persian import gregorian, is_persian
from lstmcast.data.times.shapes import from_fields

_PIVOT = 40  # two-digit years are 1941 … 2040


@dataclass(eq=False)
class Fields:
    """What has been cut out so far, one row per distinct text; −1 = not read. Filled shape by
    shape."""

    year: ndarray
    month: ndarray
    day: ndarray
    first: ndarray  # of 01/02/2020, where the order is not known yet
    second: ndarray
    last: ndarray  # of 01/02/20, where the year may come first; else −1
    micros: ndarray  # since midnight; −1 where no clock shows that time
    offset: ndarray  # minutes east of UTC, NO_ZONE where none is written
    marks: set[str] = field(default_factory=set)
    week_notes: set[str] = field(default_factory=set)  # about weeks that do not exist

    @classmethod
    def empty(cls, size: int) -> Fields:
        year, month, day, first, second, last = np.full((6, size), -1, np.int64)
        micros = np.zeros(size, np.int64)
        offset = np.full(size, NO_ZONE)
        return cls(year, month, day, first, second, last, micros, offset)


NO_ZONE = np.iinfo(np.int64).min


def century(years: ndarray) -> ndarray:
    """Convert two-digit years to full years."""
    return np.where(years > _PIVOT, 1900, 2000) + years


_RARELY_EVEN = 0.5  # largest share of even steps of a reading that is given up


def year_first(
    fields: Fields, said: bool | None
) -> tuple[tuple[str, ...], None] | None:
    """24/01/31 and 24-01-31 as year, month and day, where only that makes even steps; None
    elsewhere, with nothing settled."""
    rows = np.flatnonzero(fields.first >= 0)
    if said is not None or len(rows) < 3 or (fields.last[rows] < 0).any():
        return None
    if not (fields.second[rows] <= 12).all():
        return None
    years = century(fields.first[rows])
    month = fields.second[rows]
    day = fields.last[rows]
    micros = fields.micros[rows]
    as_year_first = _regularity(from_fields(years, month, day), micros)
    late_years = fields.year[rows]
    otherwise = max(
        _regularity(from_fields(late_years, month, fields.first[rows]), micros),
        _regularity(from_fields(late_years, fields.first[rows], month), micros),
    )
    if as_year_first < 0.9 or as_year_first <= otherwise:
        return None
    if fields.marks == {"."} and otherwise > _RARELY_EVEN:
        return None  # the day comes first, as usual
    fields.year[rows] = years
    fields.month[rows] = month
    fields.day[rows] = day
    return ("dates read as year/month/day, which makes them evenly spaced",), None


_THAI_YEARS = (2450, 2650)
_PERSIAN_YEARS = (1300, 1450)
_BUDDHIST = 543  # years that its era is ahead


def settle_calendar(
    fields: Fields, notes: tuple[str, ...], problem: str | None
) -> tuple[tuple[str, ...], str | None]:
    """Convert years of the Buddhist era; report calendars with other months as a problem."""
    years = fields.year[fields.year >= 0]
    if not len(years):
        return notes, problem
    first = int(years.min())
    latest = int(years.max())
    if _THAI_YEARS[0] <= first and latest <= _THAI_YEARS[1]:
        fields.year[fields.year >= 0] -= _BUDDHIST
        note = f"years such as {first} read as those of the Buddhist era: {first - _BUDDHIST}"
        return (*notes, note), problem
    if _PERSIAN_YEARS[0] <= first and latest <= _PERSIAN_YEARS[1]:
        return _settle_persian(fields, notes, first)
    return notes, problem


def _settle_persian(
    fields: Fields, notes: tuple[str, ...], first: int
) -> tuple[tuple[str, ...], str | None]:
    """Convert days of the Persian calendar; say that months of it are kept as they are."""
    seem = f"years such as {first} look like those of the Persian or Islamic calendar"
    if not (fields.day > 1).any():
        return (*notes, f"{seem}: its months are kept as they are"), None
    if not is_persian(fields.month, fields.day):
        return notes, (
            f"{seem}, and no day shows which. Convert them to dates such as 2024-03-20."
        )
    rows = np.flatnonzero(fields.year >= 0)
    dates = gregorian(fields.year[rows], fields.month[rows], fields.day[rows])
    months = dates.astype("datetime64[M]")
    since_1970 = months.astype(np.int64)
    is_day = ~np.isnat(dates)
    fields.year[rows] = np.where(is_day, since_1970 // 12 + 1970, fields.year[rows])
    fields.month[rows] = np.where(is_day, since_1970 % 12 + 1, 99)
    fields.day[rows] = (dates - months).astype(np.int64) + 1
    note = f"years such as {first} read as those of the Persian calendar: {dates[0]}"
    return (*notes, note), None


def settle_order(
    fields: Fields, day_first: bool | None = None
) -> tuple[tuple[str, ...], str | None]:
    """Decide from the whole column whether 01/02/2020 is 1 February or 2 January."""
    rows = np.flatnonzero(fields.first >= 0)
    if not len(rows):
        return (), None
    ordered = _Ordered.of(fields, rows)
    reason = "same"  # if it was given, there is nothing to report
    if day_first is None:
        day_first, reason = ordered.day_first(fields.marks)
    fields.day[rows] = ordered.first if day_first else ordered.second
    fields.month[rows] = ordered.second if day_first else ordered.first
    if reason == "same":
        return (), None
    if reason:
        order = "day/month/year" if day_first else "month/day/year"
        return (f"dates read as {order}: {reason}",), None
    return (), (
        f"dates such as {ordered.example()} can be read as day/month/year or as month/day/year, "
        "and the column does not show which. Choose with --day-first or --month-first."
    )


_FEWEST = 3  # dates of each kind


def swapped_back(fields: Fields) -> tuple[str, ...]:
    """Dates that a spreadsheet took for others, as they were: it reads 01/02/2024 as 2 January
    where it can, and leaves 13/02/2024 as text. A note, if there are any."""
    is_text = fields.first >= 0
    is_date = ~is_text & (fields.year >= 0) & (fields.day >= 1)
    is_told = (fields.day[is_text] > 12).all() and (fields.day[is_date] <= 12).all()
    if not is_told or min(is_text.sum(), is_date.sum()) < _FEWEST:
        return ()
    is_read = is_text | is_date
    as_written = from_fields(fields.year, fields.month, fields.day)[is_read]
    days = np.where(is_date, fields.month, fields.day)
    months = np.where(is_date, fields.day, fields.month)
    interchanged = from_fields(fields.year, months, days)[is_read]
    micros = fields.micros[is_read]
    is_evener = _regularity(interchanged, micros) > _regularity(as_written, micros)
    if not is_evener or _is_in_order(as_written) or not _is_in_order(interchanged):
        return ()
    changes = np.flatnonzero(is_date & (fields.month != fields.day))
    row = changes[0]
    example = f"{fields.year[row]}-{fields.month[row]:02d}-{fields.day[row]:02d}"
    fields.month[:], fields.day[:] = months, days
    return (
        f"days and months of {len(changes)} dates such as {example} interchanged, as a spreadsheet "
        "had read them the other way round: the dates are in order then",
    )


def _is_in_order(dates: ndarray) -> bool:
    """Whether dates go up, or down, from each to the next."""
    steps = np.diff(dates.astype(np.int64))
    return bool((steps > 0).all() or (steps < 0).all())


_NEXT_DAY = 1
_FAR = 20  # days between dates with clock times, if days and months are confused


class _Ordered(NamedTuple):
    """Dates such as 01/02/2020, whose first two numbers are day and month or month and day."""

    first: ndarray
    second: ndarray
    year: ndarray
    micros: ndarray

    @classmethod
    def of(cls, fields: Fields, rows: ndarray) -> _Ordered:
        return cls(
            fields.first[rows],
            fields.second[rows],
            fields.year[rows],
            fields.micros[rows],
        )

    def day_first(self, marks: set[str]) -> tuple[bool, str]:
        """Whether the first number is the day, and why; "" where nothing tells."""
        over_first = int((self.first > 12).sum())
        over_second = int((self.second > 12).sum())
        # both: the rarer ones are mistakes and will be reported as invalid dates
        if over_first or over_second:
            day_first = over_first >= over_second
            days = self.first if day_first else self.second
            return day_first, f"{int(days.max())} can only be a day"
        if (self.first == self.second).all():
            return True, "same"
        if marks == {"."}:
            return True, "as usual for dates with points"
        with_day_first = from_fields(self.year, self.second, self.first)
        with_month_first = from_fields(self.year, self.first, self.second)
        as_day_first = _regularity(with_day_first, self.micros)
        as_month_first = _regularity(with_month_first, self.micros)
        margin = 0 if max(as_day_first, as_month_first) == 1 else 0.1
        if abs(as_day_first - as_month_first) > margin:
            return as_day_first > as_month_first, "which makes the dates evenly spaced"
        if (self.micros != self.micros[0]).any():
            gaps = _longest_gap(with_day_first), _longest_gap(with_month_first)
            if min(gaps) <= _NEXT_DAY and max(gaps) >= _FAR * min(gaps):
                return gaps[0] < gaps[1], "then the days follow each other"
        return True, ""

    def example(self) -> str:
        """The first date that the order changes."""
        row = np.flatnonzero(self.first != self.second)[0]
        return f"{self.first[row]:02d}/{self.second[row]:02d}/{self.year[row]}"


def _longest_gap(times: ndarray) -> int:
    """Days from one date to the next one, where they are farthest from each other."""
    days = np.unique(times[~np.isnat(times)].astype("datetime64[D]"))
    return int(np.diff(days).astype(np.int64).max(initial=1))


def _regularity(times: ndarray, micros: ndarray) -> float:
    """Share of the commonest step between neighbouring dates; months count as equal, best when
    on the first or last. Clock times, micros after midnight, count too where there are some."""
    is_known = ~np.isnat(times)
    if (micros != micros[0]).any():
        is_known &= micros >= 0
        clock = micros[is_known].astype("timedelta64[us]")
        moments = np.unique(times[is_known] + clock)
        steps = np.diff(moments)
        return _commonest(steps) / max(len(steps), 1)
    days = np.unique(times[is_known].astype("datetime64[D]"))
    steps = np.diff(days.astype(np.int64))
    if len(steps) < 2:
        return 0.0
    is_month = (steps >= 28) & (steps <= 31)
    months = days.astype("datetime64[M]")
    day_of_month = (days - months).astype(np.int64) + 1
    on_first = (day_of_month == 1).all()
    near_last = (day_of_month >= 28).all()
    weight = 1.0 if on_first or near_last else 0.5
    month_count = is_month.sum() * weight
    commonest = max(month_count, _commonest(steps[~is_month]))
    return commonest / len(steps)


def _commonest(steps: ndarray) -> int:
    """How often the commonest step occurs."""
    _, counts = np.unique(steps, return_counts=True)
    return int(counts.max(initial=0))
