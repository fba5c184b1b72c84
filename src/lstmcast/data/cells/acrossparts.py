"""Columns named after parts of a period: months, quarters, days, weekdays or times of day."""

# P parts of a period across the columns

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.scripts import in_western_signs
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.data.times.periodwords import named_period
from lstmcast.data.times.seasonlabels import middle_month
from lstmcast.data.times.shapes import month_named
from lstmcast.util.patterns import pattern_of

_WEEKDAY_WORDS = (
    "mon monday mo montag lundi lun 月",
    "tue tues tuesday di dienstag mardi mar 火",
    "wed wednesday mi mittwoch mercredi mer 水",
    "thu thur thurs thursday do donnerstag jeudi jeu 木",
    "fri friday fr freitag vendredi ven 金",
    "sat saturday sa samstag samedi sam 土",
    "sun sunday so sonntag dimanche dim 日",
)
WEEKDAYS = {
    word: day for day, words in enumerate(_WEEKDAY_WORDS) for word in words.split()
}
_HOUR = pattern_of(
    r"(?:h|hr|hour|he|hour ending|stunde|std|heure|hora|ora|uur|time|timme|godz|godzina|óra|tunti|"
    r"saat|час|ώρα|時刻|kwh|load)?[ _.]?(\d{1,2})(?:[:.h]?(\d\d))?(?::00)?"
    r"(?: ?([ap])m)?(?: ?(?:h|uhr|時))?(?: ?[-~–] ?\d{1,2}[:.]?(?:\d\d)? ?(?:h|uhr|時)?)?"
)
_SLOT = pattern_of(
    r"(?:p|sp|period|value|v|slot|interval|settlement period|hh|half[ _-]?hour)?[ _.]?(\d{1,3})"
)
_DAY = pattern_of(r"(?:d|day|tag)?[ _.]?(\d{1,2})(?:st|nd|rd|th|日)?")
_MONTH = pattern_of(r"(?:m|month|mon|value)?[ _.]?(\d{1,2})(?:月)?")
_QUARTER = pattern_of(
    r"(?:q|qtr|quarter|t|k)[ _.]?([1-4])|([1-4])(?:q|(?:st|nd|rd|th) (?:quarter|qtr\.?))|"
    r"第?([1-4])四半期|"
    r"([1-4])\.? ?(?:quartal|trimestre|kwartał|kvartal)"
)
_MONTHS_OF_QUARTER = pattern_of(
    r"([^\W\d_]+|\d\d?)\.?月? ?[-~–—〜～/] ?([^\W\d_]+|\d\d?)\.?(?:月期?)?"
)
_HALF = pattern_of(
    r"(?:h|s|hy|half|semester|semestre|sem)[ _.]?([12])|([12])(?:h|st half|nd half)"
)
_HALVES = {
    "上期": 1,
    "下期": 2,
    "上半期": 1,
    "下半期": 2,
    "first half": 1,
    "second half": 2,
}
_WEEK = pattern_of(r"(?:w|wk|week|kw|woche|semaine|s)?[ _.]?(\d{1,2})(?:週)?")
_UPPER_LEVEL = pattern_of(r"[^/]*[^/\d]/(?=[^/]+$)")  # hours of the day/1
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}


_SOME_YEAR = 2000
NumberOf = Callable[[str], int | None]  # parser of a part, by its name


class Grid(NamedTuple):
    """Columns that are parts of a period: kind, names and numbers (P,)."""

    kind: str
    columns: list[Column]
    numbers: ndarray


def _numbered(
    sheet: Sheet, kind: str, number_of: NumberOf, counts: Sequence[Sequence[int]]
) -> Grid | None:
    """The columns whose names are consecutive numbers of a kind."""
    numbers, columns = [], []
    for column in sheet.columns:
        number = number_of(_tidy_name(column))
        if number is not None:
            numbers.append(number)
            columns.append(column)
    counts_on = any(numbers == list(count) for count in counts)
    if counts_on and all(map(_may_be_numbers, columns)):
        return Grid(kind, columns, np.array(numbers))
    return None


def _may_be_numbers(column: Column) -> bool:
    return bool(column.missing.all()) or column.number_share >= 0.5


def months_across(sheet: Sheet) -> Grid | None:
    for number_of in (month_named, middle_month):
        grid = _numbered(sheet, "month", number_of, _ROTATED)
        if grid is not None:
            return _from_first(grid)
    grid = _numbered(sheet, "month", number_in(_MONTH), _ROTATED)
    if grid is None:
        return None
    all_digits = all(column.name.strip().isdigit() for column in grid.columns)
    has_only_these = len(sheet.columns) == len(grid.columns)
    return None if all_digits and has_only_these else _from_first(grid)


def unnamed_months(sheet: Sheet) -> Grid | None:
    """Twelve columns without names behind one of years that follow each other, as climatologists
    write them."""
    first, *columns = sheet.columns
    are_nameless = all(re.fullmatch(r"column\d+", name) for name in sheet.names)
    if len(columns) != 12 or not are_nameless or len(sheet) < 3:
        return None
    if first.times is None or first.times.form != "year":
        return None
    years = first.spread(first.times.values).astype("datetime64[Y]")
    steps = np.diff(years).astype(np.int64)
    if (steps != 1).any() or not all(map(_may_be_numbers, columns)):
        return None
    return Grid("month", columns, np.arange(1, 13))


def _from_first(grid: Grid) -> Grid:
    """Number months that start, for example, in April: January belongs to the next year."""
    is_next_year = grid.numbers < grid.numbers[0]
    return grid._replace(numbers=grid.numbers + 12 * is_next_year)


_YEAR = [*range(1, 13)]
_ROTATED = [_YEAR[first:] + _YEAR[:first] for first in range(12)]


def number_in(pattern: re.Pattern[str]) -> NumberOf:
    def number_of(name: str) -> int | None:
        match = pattern.fullmatch(name)
        if match is None:
            return None
        digits = next(group for group in match.groups() if group)
        return int(digits)

    return number_of


def quarters_across(sheet: Sheet) -> Grid | None:
    return _numbered(sheet, "quarter", quarter_of, [range(1, 5)])


def quarter_of(name: str) -> int | None:
    number = number_in(_QUARTER)(name) or _ROMAN.get(name) or _quarter_of_months(name)
    return number or _quarter_in_words(name)


def _quarter_in_words(name: str) -> int | None:
    """1 for I kw. and 1. čtvrtletí, as labels with a year are read."""
    period = named_period(f"{name} {_SOME_YEAR}")
    if period is None or period.unit != "quarter" or period.year != _SOME_YEAR:
        return None
    return period.number


def _quarter_of_months(name: str) -> int | None:
    """1 for Jan-Mar and 1-3月期."""
    match = _MONTHS_OF_QUARTER.fullmatch(name)
    if match is None:
        return None
    begin, end = map(_number_of_month, match.groups())
    is_quarter = begin in (1, 4, 7, 10) and end == begin + 2
    return (begin + 2) // 3 if is_quarter else None


def _number_of_month(text: str) -> int:
    """The number of a month, 0 for what is none."""
    if text.isdigit():
        return int(text)
    return month_named(text) or 0


def halves_across(sheet: Sheet) -> Grid | None:
    return _numbered(sheet, "half", half_of, [range(1, 3)])


def half_of(name: str) -> int | None:
    return number_in(_HALF)(name) or _HALVES.get(name)


def weeks_across(sheet: Sheet) -> Grid | None:
    return _numbered(sheet, "week", number_in(_WEEK), [range(1, 53), range(1, 54)])


_MONTHS_LONG = [range(1, days + 1) for days in (31, 30, 29, 28)]


def days_across(sheet: Sheet) -> Grid | None:
    return _numbered(sheet, "day", number_in(_DAY), _MONTHS_LONG)


def weekdays_across(sheet: Sheet) -> Grid | None:
    return _numbered(sheet, "weekday", _named_weekday, _WEEKS)


def _named_weekday(name: str) -> int | None:
    return WEEKDAYS.get(name.rstrip("."))


_WEEKS = [range(7), range(5)]


def _minute_of_day(name: str) -> int | None:
    match = _HOUR.fullmatch(name)
    if match is None:
        return None
    hour = int(match[1])
    minute = int(match[2] or 0)
    if match[3]:
        hour = hour % 12 + 12 * (match[3] == "p")
    # on the day when clocks are set back there is an hour 25
    is_time = minute < 60 and (hour <= 24 or (hour == 25 and not minute))
    return 60 * hour + minute if is_time else None


def hours_across(sheet: Sheet) -> Grid | None:
    steps = (60, 30, 15, 10, 5)
    by_begin = [range(0, 1440, step) for step in steps]
    by_end = [range(step, 1441, step) for step in steps]
    by_end.append(range(60, 1501, 60))
    second_of = _second_hours(sheet)
    columns = columns_without(sheet.columns, second_of.values())

    def number_of(name: str) -> int | None:
        if name in second_of:
            name = name[:-1]
        return _minute_of_day(name)

    grid = _numbered(
        replace(sheet, columns=tuple(columns)),
        "minute",
        number_of,
        [*by_begin, *by_end],
    )
    if grid is None:
        return None
    # 1 to 24, or 0:15 to 24:00: parts named by their ends
    minutes = grid.numbers - grid.numbers[0]
    all_columns, all_minutes = [], []
    for column, minute in zip(grid.columns, minutes.tolist(), strict=True):
        all_columns.append(column)
        all_minutes.append(minute)
        second = second_of.get(_tidy_name(column))
        if second is not None:
            all_columns.append(second)
            all_minutes.append(minute)
    return Grid("minute", all_columns, np.array(all_minutes))


def _second_hours(sheet: Sheet) -> dict[str, Column]:
    """Of the hour that comes twice when clocks are put back, "Hour 3A" and "Hour 3B": the second
    column by the name of the first."""
    by_name = {_tidy_name(column): column for column in sheet.columns}
    pairs = {}
    for name in by_name:
        second = by_name.get(f"{name[:-1]}b")
        if re.search(r"\d ?a$", name) and second is not None:
            pairs[name] = second
    return pairs


def _tidy_name(column: Column) -> str:
    name = " ".join(column.name.split()).casefold()
    name = _UPPER_LEVEL.sub("", name)
    if name.isascii():
        return name
    return in_western_signs(unicodedata.normalize("NFKC", name))


_SLOTS_OF_DAY = (24, 48, 96, 144, 288)
_ANY_SLOT = pattern_of(
    r"[^\W\d_]{0,12}[ _.-]?(\d{1,3})"
)  # QH1, where there are 48 or more


def slots_across(sheet: Sheet) -> Grid | None:
    grid = None
    for pattern, counts in ((_SLOT, _SLOTS_OF_DAY), (_ANY_SLOT, _SLOTS_OF_DAY[1:])):
        ranges = [range(1, count + 1) for count in counts]
        # with the hour that comes twice in a year
        ranges += [range(1, count + count // 24 + 1) for count in counts]
        ranges += [range(count) for count in counts]
        grid = grid or _numbered(sheet, "minute", number_in(pattern), ranges)
    if grid is None:
        return None
    slot_length = next(
        1440 // count for count in _SLOTS_OF_DAY if len(grid.columns) < 1.1 * count
    )
    minutes = (grid.numbers - grid.numbers[0]) * slot_length
    return grid._replace(numbers=minutes)
