"""Columns that do not change within a series, such as the size of a shop or the group of a product:
from the data, or from a table of their own."""

# R rows · G groups: series, or several that share a row · S series

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy import ndarray

from lstmcast.data.cellformat import CellFormat
from lstmcast.data.features import listed
from lstmcast.data.findings import Finding
from lstmcast.data.known import StaticColumns
from lstmcast.data.levels import number_text, recoded
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.values import known_values
from lstmcast.errors import DataError

RULE = "static columns"
ACTION = (
    "Series with little history are forecast like those with the same values; a network reads "
    "them where it is trained to."
)


def static_columns(
    sheet: Sheet,
    columns: Mapping[str, Column],
    written: CellFormat,
    codes: ndarray,
    ids: ndarray,
    notes: list[Finding],
) -> StaticColumns | None:
    """Columns of the data that are constant in each series; DataError for one that is not. codes
    (R,): the series of each row, by their number in ids; they are the groups."""
    if not columns:
        return None
    values, levels = {}, {}
    for name, column in columns.items():
        rows, own = known_values(sheet, column, written, notes, "static")
        values[name] = _constant(sheet, column, rows, codes, ids)
        levels |= {name: own} if own else {}
    groups = {str(name): place for place, name in enumerate(ids)}
    return StaticColumns(groups, values, levels, sheet.source)


def _constant(
    sheet: Sheet, column: Column, values: ndarray, codes: ndarray, ids: ndarray
) -> ndarray:
    """The only value of each group (G,), NaN where none is known."""
    known = np.flatnonzero(~np.isnan(values))
    first = np.full(len(ids), -1)
    first[codes[known[::-1]]] = known[::-1]  # the last assignment stays
    other = known[values[known] != values[first[codes[known]]]]
    if len(other):
        row = int(other[0])
        begin = int(first[codes[row]])
        raise DataError(
            f"{sheet.source}: the static column {column.name!r} changes in series "
            f"{str(ids[codes[row]])!r}: {column.cell(begin)!r} in {sheet.row_word} "
            f"{sheet.lines[begin]}, {column.cell(row)!r} in {sheet.row_word} {sheet.lines[row]}. "
            "One value for each series is expected. Name it with --future if it is known in "
            "advance, or with --past if not (in Python: future=, past=)."
        )
    return np.where(first >= 0, values[first], np.nan)


def of_series(
    parts: Iterable[StaticColumns], ids: ndarray
) -> tuple[dict[str, ndarray], dict[str, tuple[str, ...]], list[Finding]]:
    """The columns of some series (S,), the names of their categories, and what was noticed. Later
    tables count where several say something of a series."""
    parts = list(parts)
    columns: dict[str, ndarray] = {}
    levels: dict[str, tuple[str, ...]] = {}
    findings: list[Finding] = []
    for name in dict.fromkeys(name for part in parts for name in part.columns):
        own = [part for part in parts if name in part.columns]
        union = tuple(sorted({text for part in own for text in part.levels.get(name, ())}))
        columns[name] = np.full(len(ids), np.nan)
        for part in own:
            _require_alike(name, part, union)
            values = recoded(part.columns[name], part.levels.get(name), union)
            groups = np.array([part.groups.get(str(series), -1) for series in ids])
            there = np.append(values, np.nan)[groups]
            columns[name] = np.where(np.isnan(there), columns[name], there)
        levels |= {name: union} if union else {}
        findings += _missing(name, columns[name], ids)
    if columns:
        message = f"static columns: {', '.join(columns)}"
        findings.append(Finding(RULE, "note", message, ACTION))
    return columns, levels, findings


def _require_alike(name: str, part: StaticColumns, union: tuple[str, ...]) -> None:
    """DataError for a column of numbers that are none of the categories of another table."""
    if not union or name in part.levels:
        return
    other = {number_text(number) for number in part.columns[name].tolist()} - {*union, ""}
    if other:
        raise DataError(
            f"the column {name!r} holds categories such as {union[0]!r}, and numbers such as "
            f"{min(other)} in {part.source}. Write it alike everywhere."
        )


def _missing(name: str, values: ndarray, ids: ndarray) -> list[Finding]:
    """A warning about series of which a static column says nothing."""
    silent = np.flatnonzero(np.isnan(values))
    if not len(silent):
        return []
    some = listed([str(ids[i]) for i in silent[:3]])
    message = f"the static column {name!r} is missing for {len(silent):,} of {len(ids):,} series"
    message += f", the first {some}" if len(silent) > 1 else f": {some}"
    return [Finding(RULE, "warning", message, "It stays unknown there.", count=len(silent))]
