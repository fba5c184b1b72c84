"""Static columns, such as the size of a shop or the group of a product.

They come from the data or from a separate table.
"""

# R rows · G groups: series, or several that share a row · S series

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.cellformat import CellFormat
from lstmcast.data.cells.values import known_values
from lstmcast.data.features import listed
from lstmcast.data.findings import Finding
from lstmcast.data.known import StaticColumns
from lstmcast.data.levels import CodedColumns, Levels, numbers_beside, recoded, union_of
from lstmcast.data.sheet import Column, Sheet
from lstmcast.errors import DataError

RULE = "static columns"
ACTION = (
    "Series with little history are forecast like those with the same values; networks read "
    "static columns if they were trained with them."
)


def static_columns(
    sheet: Sheet,
    columns: Mapping[str, Column],
    cell_format: CellFormat,
    codes: ndarray,
    ids: ndarray,
    notes: list[Finding],
) -> StaticColumns | None:
    """Static columns of the data; DataError for a column that is not constant in a series.

    codes (R,): the series of each row, as an index into ids.
    """
    if not columns:
        return None
    values, levels = {}, {}
    for name, column in columns.items():
        cells, categories = known_values(sheet, column, cell_format, notes, "static")
        values[name] = _constant(sheet, column, cells, codes, ids)
        if categories:
            levels[name] = categories
    groups = {str(name): place for place, name in enumerate(ids)}
    return StaticColumns(groups, values, levels, sheet.source)


def _constant(
    sheet: Sheet, column: Column, values: ndarray, codes: ndarray, ids: ndarray
) -> ndarray:
    """The only value of each group (G,), NaN if it has none."""
    known_rows = np.flatnonzero(~np.isnan(values))
    first = np.full(len(ids), -1)
    first[codes[known_rows[::-1]]] = known_rows[::-1]  # the last assignment stays
    expected = values[first[codes[known_rows]]]
    changed_rows = known_rows[values[known_rows] != expected]
    if len(changed_rows):
        row = int(changed_rows[0])
        series = codes[row]
        begin = int(first[series])
        raise DataError(
            f"{sheet.source}: the static column {column.name!r} changes in series "
            f"{str(ids[series])!r}: {column.cell(begin)!r} in {sheet.row_word} "
            f"{sheet.lines[begin]}, {column.cell(row)!r} in {sheet.row_word} {sheet.lines[row]}. "
            "One value per series is expected. If it changes, name it with --future if it is "
            "known in advance, else with --past."
        )
    return np.where(first >= 0, values[first], np.nan)


def of_series(tables: Iterable[StaticColumns], ids: ndarray) -> CodedColumns:
    """The columns of some series (S,), the names of their categories, and findings.

    Later tables win if several have a value for a series.
    """
    tables = list(tables)
    columns: dict[str, ndarray] = {}
    levels: dict[str, Levels] = {}
    findings: list[Finding] = []
    for name in dict.fromkeys(name for table in tables for name in table.columns):
        with_column = [table for table in tables if name in table.columns]
        union = union_of(table.levels.get(name, ()) for table in with_column)
        columns[name] = np.full(len(ids), np.nan)
        for table in with_column:
            _require_alike(name, table, union)
            values = _values_of_series(name, table, union, ids)
            columns[name] = np.where(np.isnan(values), columns[name], values)
        if union:
            levels[name] = union
        findings += _missing(name, columns[name], ids)
    if columns:
        message = f"static columns: {', '.join(columns)}"
        findings.append(Finding(RULE, "note", message, ACTION))
    return CodedColumns(columns, levels, findings)


def _values_of_series(
    name: str, table: StaticColumns, union: Levels, ids: ndarray
) -> ndarray:
    """A column of a table for each series (S,), NaN if it has no value."""
    values = recoded(table.columns[name], table.levels.get(name), union)
    groups = np.array([table.groups.get(str(series), -1) for series in ids])
    return np.append(values, np.nan)[groups]


def _require_alike(name: str, table: StaticColumns, union: Levels) -> None:
    """Raise DataError for numbers that are not among the categories of another table."""
    if not union or name in table.levels:
        return
    uncategorised = numbers_beside(table.columns[name], union)
    if uncategorised:
        raise DataError(
            f"the column {name!r} holds categories such as {union[0]!r}, but numbers such as "
            f"{uncategorised[0]} in {table.source}. Write it the same way everywhere."
        )


def _missing(name: str, values: ndarray, ids: ndarray) -> list[Finding]:
    """A warning about series without a value in a static column."""
    silent = np.flatnonzero(np.isnan(values))
    count = len(silent)
    if not count:
        return []
    examples = listed([str(name) for name in ids[silent[:3]]])
    message = (
        f"the static column {name!r} is missing for {count:,} of {len(ids):,} series"
    )
    message += f", the first {examples}" if count > 1 else f": {examples}"
    return [
        Finding(
            RULE, "warning", message, "It is treated as unknown there.", count=count
        )
    ]
