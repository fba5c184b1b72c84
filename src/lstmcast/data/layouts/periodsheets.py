"""Sheets of a workbook, or files of an archive, that go through the years or months of one table:
2021, 2022, 2023; Jan 2024, Feb 2024; sales_2023.csv, sales_2024.csv."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from lstmcast.data.cells.yearless import has_digits, is_yearless, with_years
from lstmcast.data.findings import Finding
from lstmcast.data.layouts.layout import Names, table_from_sheet
from lstmcast.data.layouts.stacking import stacked_column
from lstmcast.data.sheet import Column, Sheet, folded
from lstmcast.data.table import Table
from lstmcast.data.times.shapes import month_named
from lstmcast.errors import LstmcastError
from lstmcast.util.patterns import pattern_of

_YEAR = pattern_of(r"(?<!\d)(?:19|20)\d\d(?=\D|$)")
# 'Jan 23, Sales FY21
_SHORT_YEAR = pattern_of(r"(?<![^\W\d_])(?:fy|[^\W\d_]{3,})[ '’_-]{0,2}(\d\d)(?!\d)")
_Y, _M, _D = r"(?:19|20)\d\d", r"0[1-9]|1[0-2]", r"0[1-9]|[12]\d|3[01]"
_DAY = pattern_of(
    rf"(?<!\d)(?:(?P<y>{_Y})[-_.]?(?P<m>{_M})[-_.]?(?P<d>{_D})|"
    rf"(?P<d2>{_D})[-_.](?P<m2>{_M})[-_.](?P<y2>{_Y}))(?!\d)"
)
_MONTH = pattern_of(
    rf"(?<!\d)(?:(?P<y>{_Y})[-_. ]?(?P<m>{_M})|(?P<m2>{_M})[-_. ]?(?P<y2>{_Y}))(?!\d)"
)


def joined_periods(sheets: Mapping[str, Sheet], names: Names) -> Sheet | None:
    """The rows of all sheets under each other, where their names are periods of one table, their
    columns are called alike and no time comes twice; None elsewhere.

    Where the rows have no year, month or day, what the name of their sheet says completes them.
    """
    if len(sheets) < 2 or not are_periods(sheets):
        return None
    stacked = stacked_sheets(list(sheets.values()))
    if stacked is None:
        return None
    notes = []
    for name, sheet in sheets.items():
        for note in sheet.notes:
            notes.append(replace(note, message=f"{name}: {note.message}"))
    stacked = replace(stacked, notes=tuple(notes))
    if is_one_table(stacked, names):
        return stacked
    for with_period in _with_periods(stacked, sheets):
        if is_one_table(with_period, names):
            return with_period
    return None


def are_periods(names: Iterable[str]) -> bool:
    """Whether names are alike but for years, quarters and months, and each has one of those."""
    stems = set()
    for name in names:
        words = re.findall(r"[^\W\d_]+", PurePosixPath(name).stem.casefold())
        other_words = [
            word
            for word in words
            if not month_named(word) and word not in ("月", "월", "年", "년", "fy")
        ]
        if named_time(name) == NamedTime("", "", ""):
            return False
        stems.add(" ".join(other_words))
    return len(stems) == 1


def stacked_sheets(sheets: Sequence[Sheet]) -> Sheet | None:
    """The rows of sheets under each other; None where their columns are not called alike, or do not
    hold texts."""
    first = sheets[0]
    columns_of_sheets = []
    for sheet in sheets:
        by_name = {folded(column.name): column for column in sheet.columns}
        columns_of_sheets.append(by_name)
    columns = []
    for column in first.columns:
        name = folded(column.name)
        same_columns = []
        for by_name in columns_of_sheets:
            if name in by_name:
                same_columns.append(by_name[name])
        stacked = stacked_column(same_columns)
        if len(same_columns) < len(sheets) or stacked is None:
            return None
        columns.append(stacked)
    if any(len(by_name) != len(columns) for by_name in columns_of_sheets):
        return None
    lines = np.concatenate([sheet.lines for sheet in sheets])
    return replace(first, columns=tuple(columns), lines=lines)


def _with_periods(stacked: Sheet, sheets: Mapping[str, Sheet]) -> Iterator[Sheet]:
    """The stacked sheet with the period of each row, as the names of sheets say it: in labels that
    lack the year, or in columns in front."""
    times = [named_time(name) for name in sheets]
    lengths = list(map(len, sheets.values()))
    years = np.repeat([time.year for time in times], lengths).tolist()
    months = np.repeat([time.month for time in times], lengths).tolist()
    days = np.repeat([time.day for time in times], lengths).tolist()
    if all(days):
        yield _in_front(stacked, {"date": days})
        return
    if not all(years):
        return
    labels = next(filter(is_yearless, stacked.columns), None)
    if labels is not None and has_digits(labels):
        yield _completed(stacked, labels, years)
    if not stacked.has_column("year"):
        yield _in_front(stacked, {"year": years})
        if all(months) and not stacked.has_column("month"):
            yield _in_front(stacked, {"year": years, "month": months})


def _completed(sheet: Sheet, labels: Column, years: Sequence[str]) -> Sheet:
    """A sheet whose labels have the year of each row."""
    columns = list(sheet.columns)
    place = next(place for place, column in enumerate(columns) if column is labels)
    columns[place] = with_years(labels, years)
    note = Finding(
        "sheet", "note", f"the years in their names complete {labels.name!r}"
    )
    return replace(sheet, columns=tuple(columns), notes=(*sheet.notes, note))


def _in_front(sheet: Sheet, cells_of_columns: Mapping[str, list[str]]) -> Sheet:
    """A sheet with columns of what the names of its parts say."""
    columns = []
    notes = []
    for name, cells in cells_of_columns.items():
        columns.append(replace(Column.of_texts(name, cells), invented=True))
        message = f"the {name}s in their names became the column {name!r}"
        notes.append(Finding("sheet", "note", message))
    columns += sheet.columns
    return replace(sheet, columns=tuple(columns), notes=(*sheet.notes, *notes))


class NamedTime(NamedTuple):
    """What a name says of a time: the year, the month from 01 and the day, "" where it does not."""

    year: str
    month: str
    day: str


def named_time(name: str) -> NamedTime:
    """The year, month and day in the name of a sheet or file.

    >>> named_time("sales 2023-03"), named_time("load_20230301.csv").day, named_time("März").month
    (NamedTime(year='2023', month='03', day=''), '2023-03-01', '03')
    """
    match = _DAY.search(name)
    if match is not None:
        year, month, day = (
            match["y"] or match["y2"],
            match["m"] or match["m2"],
            match["d"],
        )
        day = day or match["d2"]
        return NamedTime(year, month, f"{year}-{month}-{day}")
    match = _MONTH.search(name)
    if match is not None:
        return NamedTime(match["y"] or match["y2"], match["m"] or match["m2"], "")
    year = _YEAR.search(name)
    folded_name = name.casefold()
    short_year = _SHORT_YEAR.search(folded_name)
    numbers = [month_named(word) for word in re.findall(r"[^\W\d_]+", folded_name)]
    months = list(filter(None, numbers))
    east_asian = re.search(r"(?<!\d)(\d\d?) ?[月월]", name)
    if east_asian is not None:
        months = [int(east_asian[1])]
    month = f"{months[0]:02d}" if len(months) == 1 else ""
    named_year = "" if year is None else year[0]
    if not named_year and short_year is not None and _says_time(short_year[0]):
        named_year = f"20{short_year[1]}"
    return NamedTime(named_year, month, "")


def _says_time(text: str) -> bool:
    """Whether a short year stands behind a month, or behind FY."""
    word = re.split(r"[\W\d_]", text)[0]
    return word == "fy" or bool(month_named(word))


def is_one_table(sheet: Sheet, names: Names) -> bool:
    """Whether a sheet can be read, and no series has a time twice."""
    table = table_of(sheet, names) or table_of(sheet, replace(names, target="*"))
    if table is None or table.times.dtype.kind != "M":
        return False
    places = np.stack([table.series, table.times.astype(np.int64)], axis=1)
    return len(np.unique(places, axis=0)) == len(places)


def table_of(sheet: Sheet, names: Names) -> Table | None:
    try:
        return table_from_sheet(sheet, names)
    except LstmcastError:
        return None
