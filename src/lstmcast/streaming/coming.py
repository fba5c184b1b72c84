"""Future columns of a tick: checked values of the tick and of coming ones.

R rows of a tick · C columns
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.features import listed
from lstmcast.data.levels import number_text
from lstmcast.data.missingwords import is_missing
from lstmcast.errors import DataError, UsageError
from lstmcast.streaming.ticks import by_label
from lstmcast.util.text import brief, counted, is_number

Cell: TypeAlias = float | str | None  # a number, a category, or missing
# The cells of each column and row (C, R): of this tick and the next ones; empty if none are given.
Told: TypeAlias = list[list[list[Cell]]]


def checked_future(future: Any, names: Sequence[str], ids: NDArray) -> Told:
    """The cells of each column and row.

    Args:
        future: by name, as a mapping or a frame: a cell for all rows, or for each row, in order or
            by id, a cell or a list of cells: of this tick and the next ones.
        names: names of the columns, in order; those that are left out have no new values.
        ids: names of the rows (R,).

    Raises:
        UsageError: A column is not a future column of the stream, or a row is unknown.
        DataError: A cell is not a number, a text or a boolean.
    """
    if future is None:
        return [_nothing(ids) for _ in names]
    if not names:
        raise UsageError(
            "future= is given, but this stream has no columns that are known in advance. Start it "
            "with a Panel that has them, or name them: Stream(…, future=['price'])."
        )
    if not isinstance(future, Mapping) and not hasattr(future, "columns"):
        raise UsageError(
            f"future={brief(future)} does not name columns. Give "
            f"{{{names[0]!r}: a value for each row, "
            "or a list with those of the coming ticks after it}."
        )
    columns = list(future) if isinstance(future, Mapping) else list(future.columns)
    unread = [name for name in columns if name not in names]
    if unread:
        raise UsageError(
            f"future=: {unread[0]!r} is not a column that is known in advance. These are "
            f"{listed(names)}."
        )
    cells_CR: Told = []
    for name in names:
        cells_R = (
            _of_rows(name, future[name], ids) if name in columns else _nothing(ids)
        )
        cells_CR.append(cells_R)
    return cells_CR


def _nothing(ids: NDArray) -> list[list[Cell]]:
    """A column without cells for any row."""
    return [[] for _ in ids]


def _of_rows(name: str, column: Any, ids: NDArray) -> list[list[Cell]]:
    """The cells of one column by row."""
    if isinstance(column, str) or (
        np.ndim(column) == 0 and not isinstance(column, Mapping)
    ):
        return [_cells(name, column, row) for row in ids.tolist()]
    values, row_ids = by_label(column, None)
    values = list(values)
    if row_ids is not None:
        by_id = dict(zip(row_ids, values, strict=True))
        return [_cells(name, by_id.get(row, ()), row) for row in ids.tolist()]
    if len(values) != len(ids):
        raise UsageError(
            f"future column {name!r} has {len(values):,} entries, but the tick has "
            f"{counted(len(ids), 'row')}. One entry per row is expected: a value, or a list that "
            f"continues with coming ticks, such as {{{name!r}: [[1, 0, 0]]}} for one row."
        )
    return [
        _cells(name, cells, row)
        for cells, row in zip(values, ids.tolist(), strict=True)
    ]


def _cells(name: str, cells: Any, row: Any) -> list[Cell]:
    """The cells of one row."""
    if isinstance(cells, str) or np.ndim(cells) == 0:
        return [_cell(name, cells, row)]
    return [_cell(name, cell, row) for cell in cells]


def _cell(name: str, value: Any, row: Any) -> Cell:
    if value is None or (isinstance(value, str) and is_missing(value)):
        return None
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (int, float, np.integer, np.floating, np.bool_)):
        return _number(name, value, row)
    raise DataError(
        f"Row {row!r}: future column {name!r} holds {value!r}, but a number, a text or yes and no "
        "is expected."
    )


def _number(name: str, value: Any, row: Any) -> float | None:
    try:
        number = float(value)
    except OverflowError as error:
        raise DataError(
            f"Row {row!r}: future column {name!r} holds too large a number."
        ) from error
    return number if math.isfinite(number) else None


def longest(cells_CR: Told) -> int:
    """The largest number of ticks with cells, including this one; at least 1."""
    return max((len(cells) for rows in cells_CR for cells in rows), default=0) or 1


def is_text(cell: Cell) -> bool:
    """Whether a cell is the text of a category."""
    return isinstance(cell, str) and not is_number(cell)


def as_number(cell: Cell) -> float:
    """A cell of a numeric column; NaN if it is missing. ValueError for texts."""
    return math.nan if cell is None else float(cell)


def as_category(cell: Cell) -> str | None:
    """A cell of a categorical column."""
    return cell if cell is None or isinstance(cell, str) else number_text(cell)
