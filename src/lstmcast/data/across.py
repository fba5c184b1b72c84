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
        if grid is None:
            continue
        names = [column.name.strip().casefold() for column in grid.columns]
        if any(name in taken for name in names):
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
    names = [" ".join(column.name.split()).casefold() for column in sheet.columns]
    numbers, columns = [], []
    for name, column in zip(names, sheet.columns, strict=True):
        number = number_of(name)
        if number is not None:
            numbers.append(number)
            columns.append(column)
    if not any(numbers == list(count) for count in counts):
        return None
    if not all(column.missing.all() or column.number_share >= 0.5 for column in columns):
        return None
    return _Grid(kind, columns, np.array(numbers))


def _months(sheet: Sheet) -> _Grid | None:
    grid = _numbered(sheet, "month", lambda name: MONTHS.get(name.rstrip(".")), _ROTATED)
    if grid is not None:
        return _from_first(grid)
    grid = _numbered(sheet, "month", _number_in(_MONTH), _ROTATED)
    if grid is None:
        return None
    all_digits = all(column.name.strip().isdigit() for column in grid.columns)
    return _from_first(grid) if not all_digits or len(sheet.columns) > 12 else None


def _from_first(grid: _Grid) -> _Grid:
    """Months from April on, say: January belongs to the next year."""
    is_next_year = grid.numbers < grid.numbers[0]
    return grid._replace(numbers=grid.numbers + 12 * is_next_year)


_ROTATED = [[(first + month) % 12 + 1 for month in range(12)] for first in range(12)]


def _number_in(pattern: re.Pattern[str]) -> Callable[[str], int | None]:
    def number_of(name: str) -> int | None:
        match = pattern.fullmatch(name)
        if match is None:
            return None
        return int(next(group for group in match.groups() if group))

    return number_of


def _quarters(sheet: Sheet) -> _Grid | None:
    number_in = _number_in(_QUARTER)

    def number_of(name: str) -> int | None:
        return number_in(name) or _ROMAN.get(name)

    return _numbered(sheet, "quarter", number_of, [range(1, 5)])


def _days(sheet: Sheet) -> _Grid | None:
    return _numbered(sheet, "day", _number_in(_DAY), [range(1, 32)])


def _weekdays(sheet: Sheet) -> _Grid | None:
    return _numbered(sheet, "weekday", lambda name: _WEEKDAYS.get(name.rstrip(".")), _WEEKS)


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
    steps = (60, 30, 15, 10, 5)
    by_begin = [range(0, 1440, step) for step in steps]
    by_end = [range(step, 1441, step) for step in steps]
    grid = _numbered(sheet, "minute", _minute_of_day, [*by_begin, *by_end])
    if grid is None:
        return None
    # 1 to 24, or 0:15 to 24:00: parts named by their ends
    return grid._replace(numbers=grid.numbers - grid.numbers[0])


def _slots(sheet: Sheet) -> _Grid | None:
    counts = [range(1, count + 1) for count in (24, 48, 96, 144, 288)]
    grid = _numbered(sheet, "minute", _number_in(_SLOT), counts)
    if grid is None:
        return None
    minutes = 1440 // len(grid.columns)
    return grid._replace(numbers=(grid.numbers - 1) * minutes)


# ---------------------------------------------------------------- which column is divided


def _by_year(others: list[Column], grid: _Grid) -> tuple[Column, ndarray] | None:
    """The column of years, and the times that its rows and the parts make (R, P)."""
    for column in others:
        years = _years_of(column)
        if years is None:
            continue
        length = {"month": 1, "quarter": 3}[grid.kind]
        first_month = (years - 1970) * 12
        months = first_month[:, None] + (grid.numbers - 1)[None, :] * length
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
        if _years_of(column) is not None and len(column) > 1:
            continue  # years: the months stand elsewhere
        years, month_of_year = np.divmod(months.astype(np.int64)[:, None], 12)
        times_RP = from_fields(years + 1970, month_of_year + 1, grid.numbers[None, :])
        return column, times_RP
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
            micros = grid.numbers * 60 * 10**6
            return column, values[:, None] + micros.astype("timedelta64[us]")
        weekdays = np.unique((days.astype(np.int64) + 3) % 7)
        if len(weekdays) == 1 and weekdays[0] == grid.numbers[0]:
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
        first_months = times.astype("datetime64[M]").astype(np.int64)
        within_year = ((numbers - 1) * length).astype(np.int64)
        months = first_months[None, :] + within_year[:, None]
        grid = _Grid("year", list(years), np.arange(len(years)))
        times_RP = months.astype("datetime64[M]").astype("datetime64[us]")
        times_RP[numbers <= 0] = np.datetime64("NaT")
        return _long(sheet, grid, others, column, times_RP)
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
    others = columns_without(others, [base])
    totals = [column for column in others if _is_totals(column)]
    repeated = [column.take(rows) for column in columns_without(others, totals)]
    notes_of_base = base.times.notes if base.times else ()
    time = Column(base.name, times[rows, parts], notes=notes_of_base)
    notes = [_told(grid, base)]
    if totals:
        names = ", ".join(repr(column.name) for column in totals)
        are_left_out = "column of totals is" if len(totals) == 1 else "columns of totals are"
        notes.append(Finding("columns", "note", f"the {are_left_out} left out: {names}"))
    long_sheet = replace(
        sheet,
        columns=(time, *repeated, stacked),
        lines=sheet.lines[rows],
        notes=(*sheet.notes, *notes),
    )
    filled = ~stacked.missing
    latest = time.data[filled].max() if filled.any() else time.data.max()
    has_come = time.data <= latest  # months that have not come yet are no rows
    return long_sheet if has_come.all() else long_sheet.take(np.flatnonzero(has_come))


def _is_totals(column: Column) -> bool:
    name = column.name.strip().casefold()
    return column.number_share >= 0.5 and _TOTALS.fullmatch(name) is not None


def _stacked(columns: list[Column], rows: ndarray, parts: ndarray, label: str) -> Column:
    """The cells of several columns as one column, (rows,)."""
    if all(column.is_text for column in columns):
        places: dict[str, int] = {}  # of distinct texts of all columns
        codes_of_columns = []
        for column in columns:
            codes = [places.setdefault(str(text), len(places)) for text in column.data]
            codes_of_columns.append(np.array(codes, np.int64)[column.codes])
        codes = np.stack(codes_of_columns, axis=1)[rows, parts]
        return replace(columns[0], name=label, data=objects(places), codes=codes)
    cells = np.stack([_numbers_of(column) for column in columns], axis=1)
    return Column(label, cells[rows, parts])


def _numbers_of(column: Column) -> ndarray:
    """The numbers of a column, NaN where it has none."""
    if column.numbers is None:
        return np.full(len(column), np.nan)
    return column.spread(column.numbers.values)


def _told(grid: _Grid, base: Column) -> Finding:
    what = {"minute": "times of the day", "year": "years"}.get(grid.kind, f"{grid.kind}s")
    first, last = grid.columns[0].name, grid.columns[-1].name
    message = f"the columns {first!r} to {last!r} are {what}: one row for each was made of them"
    return Finding("layout", "note", message, count=len(grid.columns))
