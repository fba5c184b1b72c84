"""Columns that count the hours or other slots of each day, whatever they are called."""

# N rows

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.partcolumns import Part, part_numbers
from lstmcast.data.cells.serieskeys import is_code
from lstmcast.data.sheet import Column

_COUNTS = (24, 48, 96, 144, 288)  # slots of a day
_SAMPLE = 600  # cells, which are enough for two days of the shortest slots
_FOLLOWING = 0.99  # share of rows that are the next slot, at least


def counted_slots(columns: Sequence[Column], dates: ndarray) -> Part | None:
    """The column that counts from row to row within dates (N,), and begins again with the next
    one; None where there is none."""
    for column in columns:
        if is_code(column.name) or not _has_count(column):
            continue
        numbers = part_numbers(column)
        if not np.isfinite(numbers).all() or not _is_count(np.unique(numbers)):
            continue
        if _counts_on(numbers, dates):
            return Part(column, "slot", numbers)
    return None


def _has_count(column: Column) -> bool:
    """Whether a column may have as many distinct cells as a day has slots, at a glance."""
    if column.is_text:
        return len(column.data) in _COUNTS
    if column.data.dtype.kind not in "if":
        return False
    return len(np.unique(column.data[:_SAMPLE])) in _COUNTS


def _is_count(distinct: ndarray) -> bool:
    """Whether numbers count from 0 or 1 to the last slot of a day."""
    first, count = distinct[0], len(distinct)
    if count not in _COUNTS or first not in (0, 1):
        return False
    return bool((distinct == first + np.arange(count)).all())


def _counts_on(numbers: ndarray, dates: ndarray) -> bool:
    """Whether each row is the next slot of its date, or the first one of another date."""
    same_date = dates[1:] == dates[:-1]
    steps = np.diff(numbers)
    goes_on = np.where(same_date, steps == steps[0], steps * steps[0] < 0)
    return bool(abs(steps[0]) == 1 and goes_on.mean() >= _FOLLOWING)
