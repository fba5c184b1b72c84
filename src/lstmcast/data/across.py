"""Calendars across the columns: a row per year with a column per month, a row per day with a column
per hour, unfolded to one time per row."""

# R rows of the sheet · P parts of a period across the columns

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.findings import Finding
from lstmcast.data.shapes import MONTHS, from_fields
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.util.objects import objects

_TOTALS = re.compile(
    r"(?:total|totals|sum|annual|year|yearly|avg|average|mean|ann|j-d|d-n|ytd|jahr|gesamt|summe|"
    r"mittel|total général|somme|計|合計|年計|年間|年平均|平均|年).*|"
    r"d-?j-?f|m-?a-?m|j-?j-?a|s-?o-?n|metann"
)
_WEEKDAY_WORDS = (
    "mon monday mo montag lundi lun 月",
    "tue tues tuesday di dienstag mardi mar 火",
    "wed wednesday mi mittwoch mercredi mer 水",
    "thu thur thurs thursday do donnerstag jeudi jeu 木",
    "fri friday fr freitag vendredi ven 金",
    "sat saturday sa samstag samedi sam 土",
    "sun sunday so sonntag dimanche dim 日",
)
_WEEKDAYS = {word: day for day, words in enumerate(_WEEKDAY_WORDS) for word in words.split()}
_HOUR = re.compile(
    r"(?:h|hr|hour|he|hour ending|stunde|kwh|load)?[ _.]?(\d{1,2})(?:[:.h]?(\d\d))?(?::00)?"
    r"(?: ?([ap])m)?(?: ?(?:h|uhr|時))?(?: ?[-~–] ?\d{1,2}[:.]?(?:\d\d)? ?(?:h|uhr|時)?)?"
)
_SLOT = re.compile(r"(?:p|sp|period|value|v|slot|interval|settlement period)[ _.]?(\d{1,3})")
_DAY = re.compile(r"(?:d|day|tag)?[ _.]?(\d{1,2})(?:st|nd|rd|th|日)?")
_MONTH = re.compile(r"(?:m|month|mon|value)?[ _.]?(\d{1,2})(?:月)?")
_QUARTER = re.compile(
    r"(?:q|qtr|quarter|t|k)[ _.]?([1-4])|([1-4])(?:q|(?:st|nd|rd|th) quarter)|第?([1-4])四半期"
)
_FEWEST, _MOST = 5, 400  # columns of a table that may have a calendar across
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}


class _Grid(NamedTuple):
    """Columns that are the parts of a period: what they are, which ones, and their numbers (P,)."""

    kind: str
    columns: list[Column]
    numbers: ndarray


def unfolded(sheet: Sheet, taken: Sequence[str] = ()) -> Sheet:
    """The sheet with a row per time where its columns are months of years, quarters, days of
    months, weekdays or hours; as it is where they are not. taken: names that the user gave.

    The new columns are called `time` and after the sheet.
    """
    if not _FEWEST <= len(sheet.columns) <= _MOST:
        return sheet
    for find, base_of in _READINGS:
        grid = find(sheet)
        if grid is None or any(c.name.strip().casefold() in taken for c in grid.columns):
            continue
        others = columns_without(sheet.columns, grid.columns)
        base = base_of(others, grid)
        if base is not None:
            return _long(sheet, grid, others, *base)
    return sheet


# ---------------------------------------------------------------- which columns are parts


def _numbered(
    sheet: Sheet, kind: str, number_of: Callable[[str], int | None], counts: Sequence[Sequence[int]]
) -> _Grid | None:
    """The columns whose names are numbers of a kind that count on without a gap."""
    numbers = [number_of(" ".join(column.name.split()).casefold()) for column in sheet.columns]
    places = [place for place, number in enumerate(numbers) if number is not None]
    found = [numbers[place] for place in places]
    if not any(found == list(count) for count in counts):
        return None
    columns = [sheet.columns[place] for place in places]
    numeric = [c.missing.all() or c.number_share >= 0.5 for c in columns]
    if not all(numeric):
        return None
    return _Grid(kind, columns, np.array(found))


def _months(sheet: Sheet) -> _Grid | None:
    grid = _numbered(sheet, "month", lambda name: MONTHS.get(name.rstrip(".")), _ROTATED)
    if grid is not None:  # from April on: January belongs to the next year
        return grid._replace(numbers=grid.numbers + 12 * (grid.numbers < grid.numbers[0]))
    grid = _numbered(sheet, "month", _number_in(_MONTH), [range(1, 13)])
    lettered = grid is not None and not all(c.name.strip().isdigit() for c in grid.columns)
    return grid if lettered or (grid is not None and len(sheet.columns) > 12) else None


_ROTATED = [[(first + month) % 12 + 1 for month in range(12)] for first in range(12)]


def _number_in(pattern: re.Pattern[str]) -> Callable[[str], int | None]:
    def number_of(name: str) -> int | None:
        match = pattern.fullmatch(name)
        return int(next(part for part in match.groups() if part)) if match else None

    return number_of


def _quarters(sheet: Sheet) -> _Grid | None:
    named = _number_in(_QUARTER)
    return _numbered(sheet, "quarter", lambda name: named(name) or _ROMAN.get(name), [range(1, 5)])


def _days(sheet: Sheet) -> _Grid | None:
    return _numbered(sheet, "day", _number_in(_DAY), [range(1, 32)])


def _weekdays(sheet: Sheet) -> _Grid | None:
    return _numbered(sheet, "weekday", lambda n: _WEEKDAYS.get(n.rstrip(".")), _WEEKS)


_WEEKS = [range(7), range(5)]


def _minute_of_day(name: str) -> int | None:
    match = _HOUR.fullmatch(name)
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3]:
        hour = hour % 12 + 12 * (match[3] == "p")
    return hour * 60 + minute if hour <= 24 and minute < 60 else None


def _hours(sheet: Sheet) -> _Grid | None:
    counts = [range(0, 1440, step) for step in (60, 30, 15, 10, 5)]
    ending = [range(step, 1441, step) for step in (60, 30, 15, 10, 5)]
    grid = _numbered(sheet, "minute", _minute_of_day, [*counts, *ending])
    if grid is None:
        return None
    # 1 to 24, or 0:15 to 24:00: parts named by their ends
    return grid._replace(numbers=grid.numbers - grid.numbers[0])


def _slots(sheet: Sheet) -> _Grid | None:
    counts = [range(1, count + 1) for count in (24, 48, 96, 144, 288)]
    grid = _numbered(sheet, "minute", _number_in(_SLOT), counts)
    if grid is None:
        return None
    return grid._replace(numbers=(grid.numbers - 1) * (1440 // len(grid.columns)))


# ---------------------------------------------------------------- which column is divided


def _by_year(others: list[Column], grid: _Grid) -> tuple[Column, ndarray] | None:
    """The column of years, and the times that its rows and the parts make (R, P)."""
    for column in others:
        years = _years_of(column)
        if years is not None:
            length = {"month": 1, "quarter": 3}[grid.kind]
            first = (years - 1970) * 12
            months = first[:, None] + (grid.numbers - 1)[None, :] * length
            return column, months.astype("datetime64[M]").astype("datetime64[us]")
    return None


def _years_of(column: Column) -> ndarray | None:
    """The years of a column (R,), None where it holds anything else."""
    times = column.times
    if times is None or times.values.dtype.kind != "M" or times.problem or column.missing.any():
        return None
    values = column.spread(times.values)
    if np.isnat(values).any() or not (values == values.astype("datetime64[Y]")).all():
        return None
    return values.astype("datetime64[Y]").astype(np.int64) + 1970


def _by_month(others: list[Column], grid: _Grid) -> tuple[Column, ndarray] | None:
    """The column of months for days across, NaT where a month has no such day."""
    for column in others:
        times = column.times
        if times is None or times.values.dtype.kind != "M" or column.missing.any():
            continue
        values = column.spread(times.values)
        months = values.astype("datetime64[M]")
        if np.isnat(values).any() or not (values == months).all():
            continue
        if _years_of(column) is not None and len(np.unique(months)) > 1:
            continue  # years: the months stand elsewhere
        count = months.astype(np.int64)
        years, numbers = count // 12 + 1970, count % 12 + 1
        return column, from_fields(years[:, None], numbers[:, None], grid.numbers[None, :])
    return None


def _by_day(others: list[Column], grid: _Grid) -> tuple[Column, ndarray] | None:
    """The column of dates for hours across, or of the first days of weeks for weekdays."""
    for column in others:
        times = column.times
        if times is None or times.values.dtype.kind != "M" or times.problem:
            continue
        if times.form == "year" or column.missing.any():
            continue
        values = column.spread(times.values)
        days = values.astype("datetime64[D]")
        if np.isnat(values).any() or not (values == days).all():
            continue
        if grid.kind == "minute":
            return column, values[:, None] + (grid.numbers * 60 * 10**6).astype("timedelta64[us]")
        weekday = (days.astype(np.int64) + 3) % 7
        if len(set(weekday.tolist())) == 1 and weekday[0] == grid.numbers[0]:
            shift = (grid.numbers - grid.numbers[0]).astype("timedelta64[D]")
            return column, (days[:, None] + shift).astype("datetime64[us]")
    return None


_READINGS = (
    (_months, _by_year),
    (_quarters, _by_year),
    (_days, _by_month),
    (_weekdays, _by_day),
    (_hours, _by_day),
    (_slots, _by_day),
)

# ---------------------------------------------------------------- years across, months in rows


def months_in_rows(sheet: Sheet, years: Sequence[Column], times: ndarray) -> Sheet | None:
    """A sheet whose columns are years and whose rows are months or quarters, with a row per time;
    None where its rows are anything else.

    years: the columns whose names are years; times: those years (P,).
    """
    if not (times == times.astype("datetime64[Y]")).all():
        return None
    others = columns_without(sheet.columns, years)
    for column in others:
        numbers, length = _parts_of_year(column)
        if numbers is None:
            continue
        months = times.astype("datetime64[M]").astype(np.int64)[None, :] + ((numbers - 1) * length)[
            :, None
        ].astype(np.int64)
        grid = _Grid("year", list(years), np.arange(len(years)))
        made = months.astype("datetime64[M]").astype("datetime64[us]")
        made[numbers <= 0] = np.datetime64("NaT")
        return _long(sheet, grid, others, column, made)
    return None


def _parts_of_year(column: Column) -> tuple[ndarray | None, int]:
    """Months (or quarters) that the rows are (R,), 0 for a row of totals; and how long one is."""
    if not column.is_text:
        return None, 1
    texts = [str(text).strip().casefold().rstrip(".") for text in column.data]
    quarter_of = _number_in(_QUARTER)
    for number_of, most, length in (
        (MONTHS.get, 12, 1),
        (_number_in(re.compile(r"(\d{1,2})月|m(\d\d?)")), 12, 1),
        (lambda text: quarter_of(text) or _ROMAN.get(text), 4, 3),
    ):
        numbers = [0 if _TOTALS.fullmatch(text) else number_of(text) for text in texts]
        if None not in numbers and len({n for n in numbers if n}) == most:
            return column.spread(np.array(numbers, np.int64)), length
    return None, 1


# ---------------------------------------------------------------- unfolding


def _long(sheet: Sheet, grid: _Grid, others: list[Column], base: Column, times: ndarray) -> Sheet:
    """One row per row and part, in order of time within each row; empty cells behind the last value
    are left out."""
    rows, parts = np.nonzero(~np.isnat(times))
    stacked = _stacked(grid.columns, rows, parts, sheet.label)
    totals = [
        c
        for c in others
        if c is not base and c.number_share >= 0.5 and _TOTALS.fullmatch(c.name.strip().casefold())
    ]
    kept = [column.take(rows) for column in columns_without(others, [base, *totals])]
    time = Column(base.name, times[rows, parts], notes=base.times.notes if base.times else ())
    notes = [_told(grid, base)]
    if totals:
        shown = ", ".join(repr(column.name) for column in totals)
        what = "column of totals is" if len(totals) == 1 else "columns of totals are"
        notes.append(Finding("columns", "note", f"the {what} left out: {shown}"))
    filled = ~stacked.missing
    latest = time.data[filled].max() if filled.any() else time.data.max()
    last = time.data <= latest  # months that have not come yet are no rows
    whole = replace(
        sheet,
        columns=(time, *kept, stacked),
        lines=sheet.lines[rows],
        notes=(*sheet.notes, *notes),
    )
    return whole if last.all() else whole.take(np.flatnonzero(last))


def _stacked(columns: list[Column], rows: ndarray, parts: ndarray, label: str) -> Column:
    """The cells of several columns as one column, (rows,)."""
    if all(column.is_text for column in columns):
        places: dict[str, int] = {}
        numbered = [[places.setdefault(str(t), len(places)) for t in c.data] for c in columns]
        codes = np.stack(
            [np.array(n, np.int64)[c.codes] for n, c in zip(numbered, columns, strict=True)], axis=1
        )
        return replace(columns[0], name=label, data=objects(places), codes=codes[rows, parts])
    cells = [
        np.full(len(c), np.nan) if c.numbers is None else c.spread(c.numbers.values)
        for c in columns
    ]
    return Column(label, np.stack(cells, axis=1)[rows, parts])


def _told(grid: _Grid, base: Column) -> Finding:
    what = {"minute": "times of the day", "year": "years"}.get(grid.kind, f"{grid.kind}s")
    first, last = grid.columns[0].name, grid.columns[-1].name
    message = f"the columns {first!r} to {last!r} are {what}: one row for each was made of them"
    return Finding("layout", "note", message, count=len(grid.columns))
