"""Sheets with one series per row and times in the header."""

# N rows of the table · R rows of the sheet · T time · K target columns

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.columns import (
    named_columns,
)
from lstmcast.data.cells.leveltimes import times_of_names
from lstmcast.data.cells.serieskeys import names_of_rows
from lstmcast.data.cells.values import numbers_of
from lstmcast.data.cells.yearless import is_yearless
from lstmcast.data.covariates.roles import Names
from lstmcast.data.findings import dropped_lines
from lstmcast.data.layouts.longtables import left_out_columns, same_columns
from lstmcast.data.layouts.rowids import joined_ids, with_an_id, without_id
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.data.table import Columns, Finding, Table
from lstmcast.data.times.dates import parse_times
from lstmcast.data.times.timenumbers import integer_times
from lstmcast.data.times.times import Times
from lstmcast.errors import DataError
from lstmcast.util.objects import objects
from lstmcast.util.patterns import pattern_of

_PREFIXED = pattern_of(r"([^\W\d]+[ _.-]?)((?:19|20)\d\d[ _./-]?\d\d(?:[ _./-]?\d\d)?)")
_WORDS_AND_YEAR = pattern_of(r"(\D*?)[ _(]*((?:19|20)\d\d)[ _)]*(\D*)")
# 1990F, 2010_flag, 2021-03 Status: marks that say of 1990 what its values are
_FLAG_NAME = pattern_of(r"(.*\d)[ _.-]?(?:[a-z]|flags?|status|symbol|note|code)", re.I)
_FIRST_YEAR, _LAST_YEAR = 1800, 2100  # of names such as X1990


class HeaderTimes(NamedTuple):
    """Columns whose names are times, or count on (d_1, d_2, …): their times (T,), and notes."""

    columns: list[Column]
    times: ndarray
    notes: tuple[str, ...]


def header_times(sheet: Sheet) -> HeaderTimes | None:
    """The columns whose names are times; None if there are none."""
    years = _years_beside_labels(sheet)
    if years is not None:
        return years
    sheet = _without_flags(sheet)
    names = []
    for name in sheet.names:
        without_unit = re.sub(r"\s*\[.*\]$", "", name)
        names.append(without_unit.strip())
    if sum(map(_is_digits, names)) >= 3:
        places, times = _numbered_names(names)
    else:
        places, times = _dated_names(sheet, names)
    if times is None or len(places) < 3:
        places, times = _prefixed_names(names)
    if times is None or len(places) < 3:
        places, times = _names_with_the_same_words(names)
    if times is None or len(places) < 3 or times.form == "index":
        leveled = [place for place, name in enumerate(names) if name.count("/") > 1]
        leveled_names = [names[place] for place in leveled]
        level_times = times_of_names(leveled_names)
        if level_times:
            places = leveled
            times = level_times
    if times is None or len(places) < 3 or times.form == "index":
        first_column = sheet.columns[0]
        is_text = first_column.number_share < 0.5 and not first_column.missing.all()
        places, times = _counted_names(names, is_text)
    count = len(places)
    are_distinct = len(np.unique(times.values)) == count
    if count < max(3, 0.5 * len(names)) or not are_distinct:
        return None
    columns = [sheet.columns[place] for place in places]
    if not all(map(_is_empty_or_numeric, columns)):
        return None
    return HeaderTimes(columns, times.values, times.notes)


def _years_beside_labels(sheet: Sheet) -> HeaderTimes | None:
    """Two or more columns of years, which may have the same words around them, beside parts of a
    year: 2022, 2023 and Sales 2022, Sales 2023."""
    if not is_yearless(sheet.columns[0]):
        return None
    columns_by_words: dict[tuple[str, str], list[Column]] = {}
    numbers = []
    for column in sheet.columns[1:]:
        match = _WORDS_AND_YEAR.fullmatch(column.name)
        if match is not None:
            before_year, year, after_year = match.groups()
            words = (before_year, after_year)
            columns_by_words.setdefault(words, []).append(column)
            numbers.append(int(year))
    if len(columns_by_words) != 1:
        return None
    (columns,) = columns_by_words.values()
    has_words = columns_by_words.keys() != {("", "")}
    count = len(numbers)
    if count < 2 or len(set(numbers)) < count:
        return None
    if not has_words and count > 2:
        return None  # as other names that are times
    span = max(numbers) - min(numbers)
    follow = span == count - 1
    if not follow or not all(map(_is_empty_or_numeric, columns)):
        return None
    times = integer_times(np.array(numbers))
    return HeaderTimes(columns, times.values, ())


def _without_flags(sheet: Sheet) -> Sheet:
    """The sheet without the columns of marks beside others, such as Y1990F beside Y1990."""
    names = set(sheet.names)
    remaining = []
    for column in sheet.columns:
        match = _FLAG_NAME.fullmatch(column.name)
        if match is None or match[1] not in names or column.number_share >= 0.5:
            remaining.append(column)
    return replace(sheet, columns=tuple(remaining))


def _is_digits(name: str) -> bool:
    return name.isascii() and name.isdecimal()


def _has_digit(name: str) -> bool:
    return any(letter.isdigit() for letter in name)


def _is_empty_or_numeric(column: Column) -> bool:
    return bool(column.missing.all()) or column.number_share >= 0.5


def _numbered_names(names: list[str]) -> tuple[list[int], Times]:
    """Names of digits only, and what times they are."""
    places = [place for place, name in enumerate(names) if _is_digits(name)]
    numbers = [int(names[place][:18]) for place in places]
    return places, integer_times(np.array(numbers))


def _dated_names(sheet: Sheet, names: list[str]) -> tuple[list[int], Times | None]:
    """Names that are dates, and the dates; None where there are none."""
    # names without a digit are no times, and their number must not speak against the others
    places = [place for place, name in enumerate(names) if _has_digit(name)]
    times = parse_times([names[place] for place in places])
    if times is None or times.form not in ("date", "year"):
        return [], None
    is_date = ~np.isnat(times.values)
    if not is_date.any():
        return [], None
    if times.problem:
        raise DataError(f"{sheet.source}, column names: {times.problem}")
    places = np.array(places)[is_date].tolist()
    times = replace(times, values=times.values[is_date], bad=times.bad[is_date])
    return places, times


def _prefixed_names(names: list[str]) -> tuple[list[int], Times | None]:
    """Names that are dates behind letters that all of them have: X2021.01, sales_2021_02."""
    last_match = _PREFIXED.fullmatch(names[-1])
    if last_match is None:
        return [], None
    prefix = last_match[1]
    places, dates = [], []
    for place, name in enumerate(names):
        match = _PREFIXED.fullmatch(name)
        if match is not None and match[1] == prefix:
            places.append(place)
            dates.append(match[2].replace("_", "-"))
    times = parse_times(dates)
    if (
        times is None
        or times.form not in ("date", "number")
        or times.bad.any()
        or times.problem
    ):
        return [], None
    note = f"dates read without {prefix!r} before them"
    return places, replace(times, notes=(*times.notes, note))


def _names_with_the_same_words(names: list[str]) -> tuple[list[int], Times | None]:
    """Names that are dates beside words that all of them have: total;March;2022;[pieces]."""
    last_words = _words_in(names[-1])
    places = []
    for place, name in enumerate(names):
        if _has_digit(name) and len(_words_in(name)) == len(last_words):
            places.append(place)
    if len(last_words) < 2 or len(places) < 3:
        return [], None
    words_PW = [_words_in(names[place]) for place in places]
    differing = [len(set(words)) > 1 for words in zip(*words_PW, strict=True)]
    years = [re.fullmatch(r"(?:19|20)\d\d", word) is not None for word in last_words]
    dates = []
    for words in words_PW:
        words_of_date = []
        for word, differs, is_year in zip(words, differing, years, strict=True):
            if differs or is_year:
                words_of_date.append(word)
        dates.append(" ".join(words_of_date))
    times = parse_times(dates)
    if times is None or times.form != "date" or times.bad.any() or times.problem:
        return [], None
    return places, times


def _words_in(name: str) -> list[str]:
    return [word.strip() for word in re.split(r"[;|,]| - ", name)]


def _counted_names(names: list[str], named_by_first: bool) -> tuple[list[int], Times]:
    """Columns such as d_1, d_2, d_3, … or V2, V3, …: the longest run with one stem, from its
    first number up. named_by_first: the first column holds names, whatever it is called."""
    matches = [re.fullmatch(r"(.*?[^\d]?)(\d{1,6})", name) for name in names]
    last_match = matches[-1] if matches else None
    places = []
    numbers = []
    for place, match in enumerate(matches):
        if match and last_match and match[1] == last_match[1]:
            places.append(place)
            numbers.append(int(match[2]))
    if named_by_first and len(places) == len(names):
        # V1 names the series, V2 to V40 hold values
        places = places[1:]
        numbers = numbers[1:]
    counts_on = all(step == 1 for step in np.diff(numbers))
    if len(places) < 4 or len(places) == len(names) or not counts_on:
        places, numbers = [], []
    numbers_T = np.array(numbers, np.int64)
    if numbers and numbers[0] >= _FIRST_YEAR and numbers[-1] <= _LAST_YEAR:
        return places, integer_times(numbers_T)  # X1990, X1991, …
    return places, Times.of(numbers_T, "index")


def series_in_rows(sheet: Sheet, names: Names, header: HeaderTimes) -> Table:
    """One row per series, one column per time. Empty cells before and after the values of a row
    are padding."""
    sheet, header = _without_marks(sheet, header)
    columns = header.columns
    if names.series:
        series = named_columns(sheet, names.series, "series")
    else:
        remaining = columns_without(sheet.columns, columns)
        series = names_of_rows(remaining, len(sheet))
    has_id = with_an_id(sheet, series, together=True)
    if not has_id.all():
        whole_sheet = sheet
        finding = without_id(whole_sheet, series, ~has_id)
        sheet = whole_sheet.take(has_id, finding)
        columns = same_columns(columns, whole_sheet, sheet)
        series = same_columns(series, whole_sheet, sheet)
    codes, ids, keys = joined_ids(series, len(sheet), sheet.label)
    if not series and len(sheet) > 1:
        codes = np.arange(len(sheet))
        ids = objects(f"series_{number}" for number in range(1, len(sheet) + 1))
    findings = [*sheet.notes, *_notes_on_header(header)]
    findings += left_out_columns(sheet, [*columns, *series], names)
    cells = [numbers_of(sheet, column, names.written, None) for column in columns]
    values_RT = np.stack(cells, axis=1)
    is_known = ~np.isnan(values_RT)
    empty_lines = sheet.lines[~is_known.any(axis=1)]
    findings += dropped_lines(
        {int(line): "a row without values" for line in empty_lines}
    )
    rows, steps = np.nonzero(_between_first_and_last(is_known))
    used_series, codes = np.unique(codes[rows], return_inverse=True)
    columns_of_table = Columns()
    if series:
        keys = keys.take(used_series)
    if len(series) == 1:
        columns_of_table = Columns(series=series[0].name)
    return Table(
        series=codes.astype(np.int64),
        ids=ids[used_series],
        times=header.times[steps],
        values=values_RT[rows, steps],
        lines=sheet.lines[rows],
        columns=columns_of_table,
        source=sheet.source,
        dropped=tuple(findings),
        frame=sheet.frame,
        keys=keys,
    )


def _notes_on_header(header: HeaderTimes) -> list[Finding]:
    message = f"one series per row, {len(header.columns)} times in the column names"
    notes = [Finding("dates", "note", f"column names: {note}") for note in header.notes]
    return [Finding("layout", "note", message), *notes]


def _without_marks(sheet: Sheet, header: HeaderTimes) -> tuple[Sheet, HeaderTimes]:
    """A sheet without rows of marks, with a note, and the columns of times in it."""
    is_marks = _marks_only(header.columns, len(sheet))
    if not is_marks.any() or is_marks.all():
        return sheet, header
    reasons = {int(line): "a row of marks" for line in sheet.lines[is_marks]}
    shorter = sheet.take(np.flatnonzero(~is_marks), *dropped_lines(reasons))
    columns = same_columns(header.columns, sheet, shorter)
    return shorter, header._replace(columns=columns)


def _marks_only(columns: list[Column], row_count: int) -> ndarray:
    """Which rows have texts where others have numbers, and no number: marks of a row above (R,)."""
    has_text = np.zeros(row_count, bool)
    has_number = np.zeros(row_count, bool)
    for column in columns:
        if column.numbers is not None:
            is_bad = column.spread(column.numbers.bad)
            has_text |= is_bad
            has_number |= ~is_bad & ~column.missing
    return has_text & ~has_number


def _between_first_and_last(is_known: ndarray) -> ndarray:
    """Cells from the first known one of each row to its last (R, T)."""
    has_begun = np.maximum.accumulate(is_known, axis=1)
    from_last = np.maximum.accumulate(is_known[:, ::-1], axis=1)
    goes_on = from_last[:, ::-1]
    return has_begun & goes_on
