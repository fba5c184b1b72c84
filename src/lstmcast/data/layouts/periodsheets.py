"""Sheets of a workbook, or files of an archive, that go through the years or months of one table:
2021, 2022, 2023; Jan 2024, Feb 2024; sales_2023.csv, sales_2024.csv."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from lstmcast.data.findings import Finding
from lstmcast.data.layouts.layout import Names, table_from_sheet
from lstmcast.data.sheet import Column, Sheet, folded, stacked_column
from lstmcast.data.table import Table
from lstmcast.data.times.shapes import MONTHS
from lstmcast.errors import LstmcastError

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d")


def joined_periods(sheets: Mapping[str, Sheet], names: Names) -> Sheet | None:
    """The rows of all sheets under each other, where their names are periods of one table, their
    columns are called alike and no time comes twice; None elsewhere.

    Where the rows have no year, the one in the name of their sheet is a column in front of them.
    """
    if len(sheets) < 2 or not _are_periods(sheets):
        return None
    stacked = _stacked(list(sheets.values()))
    if stacked is None:
        return None
    notes = []
    for name, sheet in sheets.items():
        for note in sheet.notes:
            notes.append(replace(note, message=f"{name}: {note.message}"))
    stacked = replace(stacked, notes=tuple(notes))
    if _is_one_table(stacked, names):
        return stacked
    with_years = _with_years(stacked, sheets)
    if with_years is not None and _is_one_table(with_years, names):
        return with_years
    return None


def _are_periods(names: Iterable[str]) -> bool:
    """Whether names are alike but for years, quarters and months, and each has one of those."""
    stems = set()
    for name in names:
        words = re.findall(r"[^\W\d_]+", name.casefold())
        other_words = [word for word in words if word not in MONTHS]
        has_month = len(other_words) < len(words)
        if not has_month and _YEAR.search(name) is None:
            return False
        stems.add(" ".join(other_words))
    return len(stems) == 1


def _stacked(sheets: Sequence[Sheet]) -> Sheet | None:
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


def _with_years(stacked: Sheet, sheets: Mapping[str, Sheet]) -> Sheet | None:
    """The stacked sheet with the year of each row in front; None where a name has none."""
    if stacked.has_column("year"):
        return None
    years_of_rows = []
    for name, sheet in sheets.items():
        match = _YEAR.search(name)
        if match is None:
            return None
        years_of_rows += [match[0]] * len(sheet)
    year = replace(Column.of_texts("year", years_of_rows), invented=True)
    note = Finding("sheet", "note", "the years in their names became the column 'year'")
    columns = (year, *stacked.columns)
    return replace(stacked, columns=columns, notes=(*stacked.notes, note))


def _is_one_table(sheet: Sheet, names: Names) -> bool:
    """Whether a sheet can be read, and no series has a time twice."""
    table = _table_of(sheet, names) or _table_of(sheet, replace(names, target="*"))
    if table is None or table.times.dtype.kind != "M":
        return False
    places = np.stack([table.series, table.times.astype(np.int64)], axis=1)
    return len(np.unique(places, axis=0)) == len(places)


def _table_of(sheet: Sheet, names: Names) -> Table | None:
    try:
        return table_from_sheet(sheet, names)
    except LstmcastError:
        return None
