"""Sheets of a workbook, or files of an archive, that go through the years or months of one table:
2021, 2022, 2023; Jan 2024, Feb 2024; sales_2023.csv, sales_2024.csv."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lstmcast.data.findings import Finding
from lstmcast.data.layouts.layout import Names, table_from_sheet
from lstmcast.data.sheet import Column, Sheet, folded
from lstmcast.data.table import Table
from lstmcast.data.times.shapes import MONTHS
from lstmcast.errors import LstmcastError

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d")
_WORD = re.compile(r"[^\W\d_]+")


def joined_periods(sheets: Mapping[str, Sheet], names: Names) -> Sheet | None:
    """The rows of all sheets under each other, where their names are periods of one table, their
    columns are called alike and no time comes twice; None elsewhere.

    Where the rows have no year, the one in the name of their sheet is a column in front of them.
    """
    if len(sheets) < 2 or not _are_periods(list(sheets)):
        return None
    first = next(iter(sheets.values()))
    columns = [folded(name) for name in first.names]
    if any(sorted(map(folded, sheet.names)) != sorted(columns) for sheet in sheets.values()):
        return None
    stacked = _stacked(sheets, columns)
    if stacked is None:
        return None
    years = [_YEAR.search(name) for name in sheets]
    ways = [stacked]
    if all(years) and not stacked.has_column("year"):
        texts = [year[0] for year in years if year is not None]
        ways.append(_with_years(stacked, texts, list(map(len, sheets.values()))))
    return next((way for way in ways if _is_one_table(way, names)), None)


def _are_periods(names: Sequence[str]) -> bool:
    """Whether names are alike but for years, quarters and months, and each has one of those."""
    stems = set()
    for name in names:
        stem = _WORD.sub(lambda word: "" if word[0].casefold() in MONTHS else word[0], name)
        has_period = _YEAR.search(name) is not None or stem != name
        if not has_period:
            return False
        stems.add(re.sub(r"[\d\W_]+", "", stem).casefold())
    return len(stems) == 1


def _stacked(sheets: Mapping[str, Sheet], names: Sequence[str]) -> Sheet | None:
    """The rows of sheets under each other; None where a column holds no texts."""
    columns = []
    for name in names:
        alike = [
            next(column for column in sheet.columns if folded(column.name) == name)
            for sheet in sheets.values()
        ]
        if not all(column.is_text for column in alike):
            return None
        cells = [text for column in alike for text in column.spread(column.data).tolist()]
        columns.append(
            Column.of_texts(
                alike[0].name,
                cells,
                decimal_comma_likely=any(column.decimal_comma_likely for column in alike),
                plain=all(column.plain for column in alike),
            )
        )
    notes = []
    for name, sheet in sheets.items():
        notes += [replace(note, message=f"{name}: {note.message}") for note in sheet.notes]
    first = next(iter(sheets.values()))
    lines = np.concatenate([sheet.lines for sheet in sheets.values()])
    return replace(first, columns=tuple(columns), lines=lines, notes=tuple(notes))


def _with_years(sheet: Sheet, years: Sequence[str], row_counts: Sequence[int]) -> Sheet:
    """The sheet with the year of each row in front."""
    texts = np.repeat(np.array(years, object), row_counts)
    year = replace(Column.of_texts("year", texts.tolist()), invented=True)
    note = Finding("sheet", "note", "the years in their names became the column 'year'")
    return replace(sheet, columns=(year, *sheet.columns), notes=(*sheet.notes, note))


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
