"""Grids of cells to sheets: where the header is, which lines are data, and which are titles,
notes and blanks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lstmcast.data.dates import parse_times
from lstmcast.data.numbers import is_missing, parse_numbers
from lstmcast.data.sheet import Column, Sheet, dropped_lines
from lstmcast.data.table import Finding
from lstmcast.data.textfiles import CellGrid
from lstmcast.errors import DataError

_HEADER_WITHIN = 40  # rows; titles above a header are never longer in practice
# more rows than this with too many cells, and the file is refused instead of thinned out
_LONG_SHARE = 0.01


class _Row(NamedTuple):
    line: int
    cells: list[str]


def sheet_from_grid(grid: CellGrid, source: str, label: str) -> Sheet:
    """Find header and data in a grid. Other lines are reported with their numbers; DataError if
    none is data.

    >>> cells = [["Sales report"], ["month", "sales"], ["2024-01", "5"], ["2024-02", "6"], []]
    >>> grid = CellGrid([*cells, ["Source: us"]], [1, 2, 3, 4, 5, 6], ",")
    >>> sheet = sheet_from_grid(grid, "sales.csv", "sales")
    >>> sheet.names, sheet.lines.tolist(), sheet.notes[0].count
    (['month', 'sales'], [3, 4], 3)
    """
    rows = [_Row(line, cells) for line, cells in zip(grid.lines, grid.rows, strict=True)]
    full = [row for row in rows if any(cell.strip() for cell in row.cells)]
    if not full:
        raise DataError(
            f"{source} is empty. A table with a column of dates and a column of numbers is "
            "expected."
        )
    width = _width(full)
    kept, dropped = _regular(full, width, source)
    header, first = _find_header(kept)
    dropped |= {
        row.line: _quote(row, "before the header") for row in kept[:first] if row is not header
    }
    names = _names(header.cells if header else [], width)
    data = [row for row in kept[first:] if header is None or row.cells != header.cells]
    dropped |= {
        row.line: "the header again" for row in kept[first:] if header and row.cells == header.cells
    }
    if not data:
        shown = ", ".join(names[:6])
        raise DataError(
            f"{source} has a header ({shown}) but no rows below it. Dates and values are expected."
        )
    dropped |= {row.line: "blank" for row in rows if not any(cell.strip() for cell in row.cells)}
    notes = (*grid.notes, *dropped_lines(dropped), *((_NO_HEADER,) if header is None else ()))
    lines = np.array([row.line for row in data], np.int64)
    return Sheet(_columns(data, names, header, grid), lines, source, "file", notes, label)


_NO_HEADER = Finding(
    "header", "note", "there is no header line", "The columns are called column1, column2, …."
)


def _columns(
    data: list[_Row], names: list[str], header: _Row | None, grid: CellGrid
) -> tuple[Column, ...]:
    likely = grid.delimiter in (";", "\t")
    columns = [
        Column.of_texts(
            name, (row.cells[j] for row in data), decimal_comma_likely=likely, plain=grid.plain
        )
        for j, name in enumerate(names)
    ]
    unnamed = [header is None or not header.cells[j].strip() for j in range(len(names))]
    filled = [not column.missing.all() for column in columns]
    return tuple(
        c for c, no_name, some in zip(columns, unnamed, filled, strict=True) if some or not no_name
    )


def _width(full: list[_Row]) -> int:
    """Cells per row: the commonest count, the larger one in a draw."""
    counts = Counter(len(row.cells) for row in full)
    return max(counts, key=lambda width: (counts[width], width))


def _regular(full: list[_Row], width: int, source: str) -> tuple[list[_Row], dict[int, str]]:
    """Rows with `width` cells, and why each other line was dropped. Short rows that begin as
    data are filled up."""
    kept, dropped, long = [], {}, []
    for row in full:
        spare = row.cells[width:]
        if len(row.cells) >= width and not any(cell.strip() for cell in spare):
            kept.append(_Row(row.line, row.cells[:width]))
        elif len(row.cells) < width and _is_value(row.cells[0]):
            kept.append(_Row(row.line, row.cells + [""] * (width - len(row.cells))))
        else:
            dropped[row.line] = _quote(
                row, f"{len(row.cells)} {_fields(row.cells)} where {width} are expected"
            )
            long += [row] if len(row.cells) > width and _is_value(row.cells[0]) else []
    if len(long) > max(3, _LONG_SHARE * len(full)):
        raise DataError(
            f"{source} has {len(long)} rows with more than {width} cells; the first is line "
            f"{long[0].line}: {_clip(', '.join(long[0].cells))!r}. Put numbers with commas and "
            "text with commas in quotes, or use semicolons between the cells."
        )
    return kept, dropped


def _find_header(rows: list[_Row]) -> tuple[_Row | None, int]:
    """The header row, if any, and the position of the first row of data."""
    kinds = _kinds(rows)
    fits = (i for i, row in enumerate(rows[:_HEADER_WITHIN]) if _is_data(row, kinds))
    first = next(fits, None)
    if first == 0:
        return (rows[0], 1) if _names_times(rows[0]) and len(rows) > 1 else (None, 0)
    # nothing but text, or text among the first numbers: the fullest row names the columns
    if first is None:
        first = 1 + max(
            range(min(len(rows), _HEADER_WITHIN)), key=lambda i: (_fullness(rows[i]), -i)
        )
        return rows[first - 1], first
    fullest = max(_fullness(row) for row in rows[:first])
    named = [row for row in rows[:first] if _fullness(row) == fullest]
    return named[0] if _is_units(named[-1]) else named[-1], first


def _kinds(rows: list[_Row]) -> list[str]:
    """What each column mostly holds below the header: "time", "number", or "" for text."""
    skipped = min(_HEADER_WITHIN, len(rows) // 2)
    body = rows[skipped : skipped + 60]
    return (
        [_kind([row.cells[j] for row in body]) for j in range(len(rows[0].cells))] if rows else []
    )


def _kind(cells: Sequence[str]) -> str:
    there = [cell for cell in cells if not is_missing(cell)]
    if not there:
        return ""
    if parse_numbers(there).bad.mean() < 0.5:
        return "number"
    times = parse_times(there)
    return "time" if times is not None and times.bad.mean() < 0.5 else ""


def _is_data(row: _Row, kinds: list[str]) -> bool:
    typed = [
        (cell, kind)
        for cell, kind in zip(row.cells, kinds, strict=True)
        if kind and not is_missing(cell)
    ]
    return len(typed) > 0 and all(_kind([cell]) == kind for cell, kind in typed)


def _names_times(row: _Row) -> bool:
    """Whether a row of numbers is a header of consecutive years or months, as in tables with a
    column per year."""
    cells = [cell for cell in row.cells if _kind([cell])]
    times = parse_times(cells) if len(cells) >= 4 else None
    if times is None or times.form == "index" or times.bad.any():
        return False
    months = times.values.astype("datetime64[M]").astype(np.int64)
    return bool(len(set(np.diff(months))) == 1 and months[1] != months[0])


def _fullness(row: _Row) -> int:
    return len({cell.strip() for cell in row.cells} - {""})


def _is_units(row: _Row) -> bool:
    named = [cell.strip() for cell in row.cells if cell.strip()]
    return all(cell[0] in "([" for cell in named)


def _is_value(cell: str) -> bool:
    return bool(_kind([cell]))


def _names(cells: list[str], width: int) -> list[str]:
    """Distinct names: empty ones numbered, repeated ones with _2, _3, …"""
    taken: set[str] = set()
    for j in range(width):
        wanted = (
            " ".join(cells[j].split()) if j < len(cells) and cells[j].strip() else f"column{j + 1}"
        )
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        taken.add(name)
        cells = [*cells[:j], name, *cells[j + 1 :]]
    return cells


def _fields(cells: list[str]) -> str:
    return "cell" if len(cells) == 1 else "cells"


def _quote(row: _Row, why: str) -> str:
    text = ", ".join(cell.strip() for cell in row.cells if cell.strip())
    return f"{_clip(text)!r}: {why}"


def _clip(text: str) -> str:
    return text if len(text) <= 48 else text[:47] + "…"
