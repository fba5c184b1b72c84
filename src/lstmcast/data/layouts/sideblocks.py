"""Blocks of the same columns beside each other: Month, Sales | Month, Sales | Month, Sales, each
with a year of its own."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

import numpy as np

from lstmcast.data.findings import Finding
from lstmcast.data.layouts.stacking import stacked_column
from lstmcast.data.sheet import Column, Sheet
from lstmcast.util.patterns import pattern_of

_NUMBERED = pattern_of(r"(.+)_\d+")
_MOST_BLOCKS = 60


def with_blocks_stacked(sheet: Sheet) -> Sheet:
    """The sheet with blocks of the same columns under each other, where the first column of each
    holds times and no time is in two blocks; as it is elsewhere.

    The name of a column that came again ends in _2, _3, …, as `column_names` makes it.
    """
    blocks = _blocks_of(sheet.columns)
    if not blocks or _times_repeat([block[0] for block in blocks]):
        return sheet
    rows_of_blocks = [_rows_with_times(block[0]) for block in blocks]
    columns = []
    for place, _ in enumerate(blocks[0]):
        block_columns = []
        for block, rows in zip(blocks, rows_of_blocks, strict=True):
            block_columns.append(block[place].take(rows))
        stacked = stacked_column(block_columns)
        if stacked is None:
            return sheet
        columns.append(stacked)
    lines = np.concatenate([sheet.lines[rows] for rows in rows_of_blocks])
    names = ", ".join(column.name for column in blocks[0])
    message = (
        f"{len(blocks)} blocks of {names} beside each other were put under each other"
    )
    notes = (*sheet.notes, Finding("layout", "note", message, count=len(blocks)))
    return replace(sheet, columns=tuple(columns), lines=lines, notes=notes)


def _blocks_of(columns: Sequence[Column]) -> list[Sequence[Column]]:
    """The blocks that columns of texts are; none where they are no such blocks."""
    names = {column.name for column in columns}
    bases = [_base(column.name, names) for column in columns]
    width = len(dict.fromkeys(bases))
    if width < 2 or len(bases) % width or not all(column.is_text for column in columns):
        return []
    count = len(bases) // width
    if not 1 < count <= _MOST_BLOCKS or bases != bases[:width] * count:
        return []
    return [columns[place : place + width] for place in range(0, len(bases), width)]


def _base(name: str, names: Container[str]) -> str:
    """The name of a column without the number that told it from another one."""
    match = _NUMBERED.fullmatch(name)
    return match[1] if match is not None and match[1] in names else name


def _rows_with_times(time: Column) -> np.ndarray:
    return np.flatnonzero(~time.missing)


def _times_repeat(columns: Sequence[Column]) -> bool:
    """Whether columns that should hold dates hold something else, or one of them twice."""
    days = []
    for column in columns:
        times = column.times
        if times is None or times.values.dtype.kind != "M" or column.time_share < 1:
            return True
        days.append(column.spread(times.values)[~column.missing])
    all_days = np.concatenate(days)
    return len(np.unique(all_days)) < len(all_days)
