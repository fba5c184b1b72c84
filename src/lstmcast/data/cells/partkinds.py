"""Which columns hold which part of a time: by their names, or by what they hold where they have no
names."""

# N rows

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from lstmcast.data.cells.partcolumns import (
    Part,
    part_number,
    part_numbers,
    part_of,
    slot_of_letters,
    year_part,
)
from lstmcast.data.cells.partnames import kind_of_name, kinds_of_stem, likely_kind_of
from lstmcast.data.sheet import Column, folded
from lstmcast.data.times.seasonlabels import middle_month
from lstmcast.data.times.shapes import month_named
from lstmcast.util.patterns import pattern_of

_FOOTERS = 0.2  # largest share of rows below a table without a month
_MONTHS_OF_YEAR = set(range(1, 13))
_MINUTES_LONG = {2: 30, 4: 15, 6: 10, 12: 5}
_QUARTERS = 4  # of a year
# all numbers that parts of years have
_COUNTS = {
    "week": (set(range(1, 53)), set(range(1, 54))),
    "month": (_MONTHS_OF_YEAR,),
    "quarter": (set(range(1, 5)),),
}
_MONTH_CODE = pattern_of(r"(?:m|mm|monat|month|mes|mois|mese|per|period|p)[ _.-]?\d\d?")


def parts_by_kind(columns: Sequence[Column]) -> dict[str, Part]:
    """The first column of each kind of part, by name and content."""
    by_kind: dict[str, Part] = {}
    kinds_beside = kinds_of_stem([column.name for column in columns])
    for column in columns:
        kind = kind_of_name(column.name) or kinds_beside.get(column.name)
        if kind == "month" and {"month", "hour"} <= by_kind.keys():
            kind = "minute"  # YY MM DD hh mm
        if kind is None or kind in by_kind:
            continue
        part = part_of(column, kind)
        if part is not None:
            by_kind.setdefault(part.kind, part)
    by_kind = _with_minutes_of_slots(by_kind)
    by_kind = _with_likely_part(by_kind, columns)
    by_kind = _with_named_months(by_kind, columns)
    return by_kind or _unnamed_year_days(columns) or _unnamed_parts(columns)


def _with_minutes_of_slots(by_kind: dict[str, Part]) -> dict[str, Part]:
    """The parts of times with minutes, where intervals of five or fifteen of them are numbered in
    each hour."""
    hour, slot = by_kind.get("hour"), by_kind.get("slot")
    if hour is None or slot is None or "minute" in by_kind:
        return by_kind
    numbers = np.unique(slot.numbers[np.isfinite(slot.numbers)])
    length = _MINUTES_LONG.get(len(numbers))
    counts_on = (
        len(numbers) > 1 and (np.diff(numbers) == 1).all() and numbers[0] in (0, 1)
    )
    if length is None or not counts_on:
        return by_kind
    minutes = (slot.numbers - numbers[0]) * length
    return by_kind | {"minute": Part(slot.column, "minute", minutes)}


def _with_likely_part(
    by_kind: dict[str, Part], columns: Sequence[Column]
) -> dict[str, Part]:
    """The parts of times with a column of all weeks, months or quarters beside years, whose name
    says so among other words, such as epidemiological week."""
    if by_kind.keys() != {"year"}:
        return by_kind
    for column in columns:
        kind = likely_kind_of(column.name)
        if kind is None and column.is_text and len(column.data) == _QUARTERS:
            kind = slot_of_letters(column)  # Q1 to Q4, whatever their name
        if kind is None or kind not in _COUNTS:
            continue
        part = part_of(column, kind)
        if part is None or part.kind != kind:
            continue
        numbers = part.numbers[np.isfinite(part.numbers)]
        if set(numbers.tolist()) in _COUNTS[kind]:
            return by_kind | {kind: part}
    return by_kind


def _with_named_months(
    by_kind: dict[str, Part], columns: Sequence[Column]
) -> dict[str, Part]:
    """The parts of times with a column of the names or codes of all months, whatever it is called,
    beside years."""
    if not by_kind.keys().isdisjoint(
        ("half", "quarter", "month", "week", "yearday", "slot")
    ):
        return by_kind
    months = next(filter(_names_months, columns), None)
    years = by_kind.get("year")
    if months is not None and years is None:
        years = next(filter(None, map(year_part, filter(_is_years, columns))), None)
    if months is None or years is None:
        return by_kind
    return by_kind | {
        "year": years,
        "month": Part(months, "month", part_numbers(months)),
    }


def _names_months(column: Column) -> bool:
    """Whether a column of texts holds the twelve months of a year and nothing else."""
    if not column.is_text or len(column.data) != len(_MONTHS_OF_YEAR):
        return False
    texts = [folded(text) for text in column.data]
    namings = (month_named, middle_month, _MONTH_CODE.fullmatch)
    if not any(all(map(naming, texts)) for naming in namings):
        return False
    return {part_number(text) for text in texts} == _MONTHS_OF_YEAR


def _is_years(column: Column) -> bool:
    return (
        column.times is not None
        and column.times.form == "year"
        and column.time_share == 1
    )


def _unnamed_parts(columns: Sequence[Column]) -> dict[str, Part]:
    """Adjacent unnamed columns of year, month and perhaps day and hour."""
    for place, column in enumerate(columns[:-1]):
        beside_it = columns[place + 1]
        if not (_is_unnamed(column) and _is_unnamed(beside_it)):
            continue
        letters = slot_of_letters(beside_it) if beside_it.is_text else None
        year, month = year_part(column), part_of(beside_it, letters or "month")
        if year is None or month is None or month.column.missing.mean() > _FOOTERS:
            continue
        days = _unnamed_days(columns[place + 2 : place + 4])
        return {"year": year, month.kind: month} | days
    return {}


def _unnamed_year_days(columns: Sequence[Column]) -> dict[str, Part]:
    """Adjacent unnamed columns of year, day of the year and hour."""
    for adjacent in zip(columns, columns[1:], columns[2:], strict=False):
        if not all(map(_is_unnamed, adjacent)):
            continue
        year = year_part(adjacent[0])
        days, hours = part_of(adjacent[1], "yearday"), part_of(adjacent[2], "hour")
        if year is None or days is None or hours is None:
            continue
        # with an hour beside it, no month: one without its day has many of the same hour
        moments = np.stack([year.numbers, days.numbers, hours.numbers])
        are_distinct = np.unique(moments, axis=1).shape[1] == moments.shape[1]
        if are_distinct and len(np.unique(hours.numbers)) in (23, 24):
            return {"year": year, "yearday": days, "hour": hours}
    return {}


def _unnamed_days(columns: Sequence[Column]) -> dict[str, Part]:
    """Unnamed columns of day, and perhaps hour, after year and month."""
    parts = []
    for kind, column in zip(("day", "hour"), columns, strict=False):
        part = part_of(column, kind)
        if part is None or not _is_unnamed(column):
            break
        parts.append(part)
    if len(parts) == 2 and len(np.unique(parts[1].numbers)) in (23, 24):
        return {part.kind: part for part in parts}
    by_kind = {}
    for part in parts:
        if np.nanmax(part.numbers) <= 12:
            break
        by_kind[part.kind] = part
    return by_kind


def _is_unnamed(column: Column) -> bool:
    return re.fullmatch(r"column\d+", column.name) is not None
