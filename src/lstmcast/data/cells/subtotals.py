"""Rows that sum up others: totals of a year, region or page, and years among months."""

# N rows

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from lstmcast.data.findings import dropped_lines
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.data.times.dates import parse_times
from lstmcast.data.times.periodwords import named_period
from lstmcast.data.times.shapes import DIGITS, MONTHS, match_shape, tidied
from lstmcast.util.patterns import pattern_of

_WORDS = (
    r"(?:grand |sub-?|page |overall )?totals?|gesamt(?:ergebnis|summe)?|(?:zwischen)?summe|"
    r"ergebnis|"
    r"razem|ogółem|celkem|spolu|összesen|toplam|genel toplam|yhteensä|totalt|i alt|summa|ukupno|"
    r"skupaj|σύνολο|kokku|kopā|iš viso|jumlah|tổng(?: cộng)?|total geral|всего|усього|разом|"
    r"(?:sous-)?total(?: général)?|somme|suma|totale|soma|totaal|общий итог|итого?|"
    r"合計|小計|総計|総合計|計|合计|小计|总计|합계|소계|총계"
)
_TOTAL = pattern_of(
    rf"(?:{_WORDS})(?:[ :].*)?|\S.* (?:{_WORDS}):?|\S+(?:合計|小計|合计|小计)"
)
_YEAR = pattern_of(r"(?:fy|cy)? ?\d{4}(?: ?年度?)?")
# periods, the longer ones first, and how many months they have
_LENGTHS = {"year": 12, "half": 6, "quarter": 3, "month": 1, "week": 0, "day": 0}
_MOST_TEXTS = 5000
# smallest share of filled cells in other rows, of a column that is empty in totals
_FILLED = 0.5
_CLASSED = 0.95  # smallest share of rows whose labels are periods


def without_totals(sheet: Sheet) -> Sheet:
    """The sheet without rows that sum up others, with a note.

    A row is a total if its only label is a word for totals and cells that other rows fill are
    empty, or if that word replaces a time. A series called "Total" with its own times is kept.
    """
    for column in sheet.columns:
        if not column.is_text or len(column.data) > _MOST_TEXTS:
            continue
        rows = _totals_of(sheet, column)
        if rows.any() and not rows.all():
            reasons = {
                int(sheet.lines[row]): f"{column.cell(row)!r} sums up others"
                for row in np.flatnonzero(rows).tolist()
            }
            sheet = sheet.take(np.flatnonzero(~rows), *dropped_lines(reasons))
    return _without_longer_periods(sheet)


def is_word_for_totals(text: str) -> bool:
    """Whether a name says nothing but that what it names sums up others."""
    return _TOTAL.fullmatch(tidied(text)) is not None


def _totals_of(sheet: Sheet, column: Column) -> ndarray:
    """Whether each row has a word for totals in this column and no other name (N,)."""
    words = [is_word_for_totals(str(text)) for text in column.data]
    are_totals = column.spread(np.array(words, bool))
    nowhere = np.zeros(len(column), bool)
    if not are_totals.any() or are_totals.all():
        return nowhere
    labels = [
        label for label in columns_without(sheet.columns, [column]) if _is_label(label)
    ]
    for label in labels:
        are_totals = are_totals & label.missing
    ordinary = ~are_totals & ~column.missing
    if not ordinary.any():
        return nowhere
    if any((~label.missing[ordinary]).mean() >= _FILLED for label in labels):
        return are_totals
    ordinary_texts = [str(text) for text in column.take(ordinary).data]
    in_place_of_times = _are_times(ordinary_texts) or _are_days(ordinary_texts)
    return are_totals if in_place_of_times else nowhere


def _is_label(column: Column) -> bool:
    """Whether a column names rows: texts, times, months."""
    if column.number_share < 0.5:
        return not column.missing.all()
    return column.data.dtype.kind == "M"


def _are_times(texts: Sequence[str]) -> bool:
    tidy = [tidied(text).rstrip(".") for text in texts]
    if all(text in MONTHS for text in tidy):
        return True
    times = parse_times(texts)
    return (
        times is not None and times.values.dtype.kind == "M" and times.bad.mean() < 0.5
    )


def _are_days(texts: Sequence[str]) -> bool:
    """Whether texts are the numbers of days of months, or of weeks or months."""
    return all(text.isdecimal() and 1 <= int(text[:3]) <= 53 for text in texts)


# ---------------------------------------------------------------- years and quarters among months


def _without_longer_periods(sheet: Sheet) -> Sheet:
    """The sheet without rows of years and quarters if most rows are their months or days."""
    has_dates = any(map(_holds_dates, sheet.columns))
    for column in sheet.columns:
        if not 2 < len(column.data) <= _MOST_TEXTS:
            continue
        if has_dates and column.number_share == 1:
            continue  # 1457 beside 1300.5 is a value
        sums = _thirteenth_months(column)
        if sums.any():
            reasons = {
                int(sheet.lines[row]): f"{column.cell(row)!r} sums up a year"
                for row in np.flatnonzero(sums).tolist()
            }
            return sheet.take(np.flatnonzero(~sums), *dropped_lines(reasons))
        if not column.is_text:
            continue
        units = _units([str(text) for text in column.data])
        if len(set(units) - {""}) < 2:
            continue
        rows = _longer(column, np.array(units))
        if rows.any():
            finest = column.spread(np.array(units))[~rows][0]
            reasons = {
                int(sheet.lines[row]): f"{column.cell(row)!r} sums up {finest}s"
                for row in np.flatnonzero(rows).tolist()
            }
            return sheet.take(np.flatnonzero(~rows), *dropped_lines(reasons))
    return sheet


def _holds_dates(column: Column) -> bool:
    """Whether a column holds dates, and no numbers that could be any."""
    if column.number_share > 0 and column.is_text:
        return False
    return (
        column.times is not None
        and column.times.form == "date"
        and column.time_share == 1
    )


def _thirteenth_months(column: Column) -> ndarray:
    """Whether each row is the thirteenth month of a year that has others, 202413 (N,)."""
    nowhere = np.zeros(len(column), bool)
    first = str(column.data[0]).strip().removesuffix(".0")
    if len(first) != 6 or not first.isdecimal() or column.numbers is None:
        return nowhere
    numbers = column.spread(column.numbers.values)
    if not np.isfinite(numbers).all():
        return nowhere
    years, months = np.divmod(numbers, 100)
    is_month = np.isin(months, np.arange(1, 14)) & (years > 1500) & (years < 2200)
    is_sum = months == 13
    years_with_months = np.unique(years[~is_sum])
    are_beside = np.isin(years[is_sum], years_with_months).all()
    return is_sum if is_month.all() and are_beside else nowhere


def _units(texts: Sequence[str]) -> list[str]:
    """The period of each label, "" if it is none."""
    of_shapes: dict[str, str] = {}
    units = []
    for text in map(tidied, texts):
        shape = text.translate(DIGITS)
        if shape not in of_shapes:
            of_shapes[shape] = _unit_of(text, shape)
        units.append(of_shapes[shape])
    return units


def _unit_of(text: str, shape: str) -> str:
    if _YEAR.fullmatch(text):
        return "year"
    match = match_shape(shape)
    if match is not None:
        fields = {
            name for name, field in match.groupdict().items() if field is not None
        }
        for names, unit in ((("d", "a"), "day"), (("q",), "quarter"), (("w",), "week")):
            if fields & set(names):
                return unit
        return "month" if fields & {"m", "name", "b"} else "year"
    period = named_period(text)
    return "" if period is None else period.unit


def _longer(column: Column, units: ndarray) -> ndarray:
    """Whether each row is a period that contains rows of the most common, shortest period (N,)."""
    none = np.zeros(len(column), bool)
    of_rows = column.spread(units)
    there = of_rows != ""
    kinds = [unit for unit in _LENGTHS if (of_rows == unit).any()]
    finest = kinds[-1]
    is_finest = of_rows == finest
    if there.mean() < _CLASSED or is_finest.mean() < 0.5:
        return none
    months = _months_of(column, units == finest)
    for unit in kinds[:-1]:
        length = _LENGTHS[unit]
        starts = _months_of(column, units == unit)
        inside = [
            ((months >= start) & (months < start + length)).any() for start in starts
        ]
        if not length or not all(inside):
            return none
    return there & ~is_finest


def _months_of(column: Column, chosen: ndarray) -> ndarray:
    """The months in which the chosen distinct labels begin, counted from 1970."""
    times = parse_times([str(text) for text in column.data[chosen]])
    if times is None or times.values.dtype.kind != "M":
        return np.zeros(0, np.int64)
    return times.values[~times.bad].astype("datetime64[M]").astype(np.int64)
