"""Grids of cells to sheets: where the header is, which lines are data, and which are titles,
notes and blanks."""

from __future__ import annotations

from collections import Counter

import numpy as np

from lstmcast.data.headers import (
    Header,
    Row,
    column_names,
    find_header,
    header_at,
    kind_of,
    looks_like_data,
    without_comments,
)
from lstmcast.data.limits import require_columns
from lstmcast.data.sheet import Column, Sheet, dropped_lines
from lstmcast.data.table import Finding
from lstmcast.data.textfiles import CellGrid
from lstmcast.errors import DataError

# more rows than this with too many cells, and the file is refused instead of thinned out
_LONG_SHARE = 0.01


def sheet_from_grid(grid: CellGrid, source: str, label: str, header: int | None = None) -> Sheet:
    """Find header and data in a grid. Other lines are reported with their numbers; DataError if
    none is data.

    >>> cells = [["Sales report"], ["month", "sales"], ["2024-01", "5"], ["2024-02", "6"], []]
    >>> grid = CellGrid([*cells, ["Source: us"]], [1, 2, 3, 4, 5, 6], ",")
    >>> sheet = sheet_from_grid(grid, "sales.csv", "sales")
    >>> sheet.names, sheet.lines.tolist(), sheet.notes[0].count
    (['month', 'sales'], [3, 4], 3)
    """
    require_columns(max(map(len, grid.rows), default=0), source)
    rows = [Row(line, cells) for line, cells in zip(grid.lines, grid.rows, strict=True)]
    full = [row for row in rows if any(cell.strip() for cell in row.cells)]
    if not full:
        raise DataError(
            f"{source} is empty. A table with a column of dates and a column of numbers is "
            "expected."
        )
    full, comments = without_comments(full)
    kept, dropped = _regular(full, _width(full), source)
    dropped |= {row.line: _quote(row, "a comment") for row in comments}
    found = _header(kept, header, source)
    above = [row for row in kept[: found.first] if row not in found.rows]
    repeated = [row for row in kept[found.first :] if found.rows and row.cells == found.names]
    data = (
        [row for row in kept[found.first :] if row not in repeated]
        if repeated
        else kept[found.first :]
    )
    names = column_names(found.names)
    if not data:
        shown = ", ".join(names[:6])
        raise DataError(
            f"{source} has a header ({shown}) but no rows below it. Dates and values are expected."
        )
    dropped |= {row.line: "the header again" for row in repeated}
    dropped |= {row.line: "blank" for row in rows if not any(cell.strip() for cell in row.cells)}
    notes = (*grid.notes, *_told(above, dropped), *((_NO_HEADER,) if not found.rows else ()))
    lines = np.array([row.line for row in data], np.int64)
    return Sheet(_columns(data, names, found, grid), lines, source, "file", notes, label)


def _header(kept: list[Row], line: int | None, source: str) -> Header:
    """The header, found or in the line that was named."""
    if line is None:
        return find_header(kept)
    found = header_at(kept, line)
    if found is None:
        raise DataError(
            f"{source}: line {line} cannot be the header (--header): it is no row of the table, "
            f"which goes from line {kept[0].line} to line {kept[-1].line}."
        )
    return found


def _told(above: list[Row], dropped: dict[int, str]) -> tuple[Finding, ...]:
    """What is said of dropped lines: those above the data that look like data deserve a warning."""
    alike = [row for row in above if looks_like_data(row)]
    dropped = dropped | {
        row.line: _quote(row, "before the header") for row in above if row not in alike
    }
    warned = {row.line: _quote(row, "before the header, and it looks like data") for row in alike}
    return (*dropped_lines(dropped), *dropped_lines(warned, "warning"))


_NO_HEADER = Finding(
    "header", "note", "there is no header line", "The columns are called column1, column2, …."
)


def _columns(
    data: list[Row], names: list[str], header: Header, grid: CellGrid
) -> tuple[Column, ...]:
    likely = grid.delimiter in (";", "\t")
    columns = [
        Column.of_texts(
            name, (row.cells[j] for row in data), decimal_comma_likely=likely, plain=grid.plain
        )
        for j, name in enumerate(names)
    ]
    unnamed = [not name.strip() for name in header.names]
    filled = [not column.missing.all() for column in columns]
    return tuple(
        c for c, no_name, some in zip(columns, unnamed, filled, strict=True) if some or not no_name
    )


def _width(full: list[Row]) -> int:
    """Cells per row: the commonest count, the larger one in a draw."""
    counts = Counter(len(row.cells) for row in full)
    alone = [row.cells[0] for row in full if len(row.cells) == 1]
    if len(alone) < len(full) and not kind_of(alone):
        del counts[1]  # titles and notes
    return max(counts, key=lambda width: (counts[width], width))


def _regular(full: list[Row], width: int, source: str) -> tuple[list[Row], dict[int, str]]:
    """Rows with `width` cells, and why each other line was dropped. Short rows that begin as
    data are filled up."""
    kept, dropped, long = [], {}, []
    for row in full:
        spare = row.cells[width:]
        if len(row.cells) >= width and not any(cell.strip() for cell in spare):
            kept.append(Row(row.line, row.cells[:width]))
        elif len(row.cells) == width - 1 and row is full[0] and _names_rest(row, full):
            kept.append(Row(row.line, ["", *row.cells]))
        elif len(row.cells) < width and kind_of(row.cells[:1]):
            kept.append(Row(row.line, row.cells + [""] * (width - len(row.cells))))
        else:
            dropped[row.line] = _quote(
                row, f"{len(row.cells)} {_fields(row.cells)} where {width} are expected"
            )
            long += [row] if len(row.cells) > width and kind_of(row.cells[:1]) else []
    if len(long) > max(3, _LONG_SHARE * len(full)):
        raise DataError(
            f"{source} has {len(long)} rows with more than {width} cells; the first is line "
            f"{long[0].line}: {_clip(', '.join(long[0].cells))!r}. Put numbers with commas and "
            "text with commas in quotes, or use semicolons between the cells."
        )
    return kept, dropped


def _names_rest(row: Row, full: list[Row]) -> bool:
    """Whether a first row that is a cell short names all columns but that of row names, as R writes
    tables."""
    named = [cell.strip() for cell in row.cells]
    distinct = (
        all(named) and len(set(named)) == len(named) and not any(kind_of([cell]) for cell in named)
    )
    return distinct and len(row.cells) > 1 and all(len(r.cells) > len(named) for r in full[1:3])


def _fields(cells: list[str]) -> str:
    return "cell" if len(cells) == 1 else "cells"


def _quote(row: Row, why: str) -> str:
    text = ", ".join(cell.strip() for cell in row.cells if cell.strip())
    return f"{_clip(text)!r}: {why}"


def _clip(text: str) -> str:
    return text if len(text) <= 48 else text[:47] + "…"
