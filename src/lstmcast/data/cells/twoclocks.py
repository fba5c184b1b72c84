"""Columns that tell the same moments by two clocks, such as UTC and local time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lstmcast.data.cells.columns import micros_of, words_of
from lstmcast.data.sheet import Column

_UTC = frozenset(["utc", "gmt", "zulu", "z", "universal"])
_FARTHEST = np.timedelta64(14, "h")  # zone of Kiribati
_STEP = np.timedelta64(15, "m")  # offsets of zones are multiples of it


def by_one_clock(columns: Sequence[Column]) -> list[Column]:
    """Columns of dates without one of two that differ by their time zone alone.

    The local clock is kept, as days and weeks go by it; UTC where the difference changes, since the
    local clock then leaves an hour out or shows it twice.
    """
    if len(columns) != 2:
        return list(columns)
    in_utc = [column for column in columns if is_utc(column)]
    local = [column for column in columns if not is_utc(column)]
    if len(in_utc) != 1:
        return list(columns)
    shifts = _shifts(in_utc[0], local[0])
    if shifts is None:
        return list(columns)
    return local if len(shifts) == 1 else in_utc


def is_utc(column: Column) -> bool:
    """Whether a column is named as universal time, or its times end in Z."""
    words = words_of(column.name)
    by_ends = any(word.endswith(("utc", "gmt")) for word in words)
    zone = column.times.zone if column.times is not None else None
    return by_ends or not _UTC.isdisjoint(words) or zone == "UTC"


def _shifts(first: Column, second: Column) -> np.ndarray | None:
    """The differences of two columns that may be zones: one, or two with an hour between them."""
    times, others = micros_of(first), micros_of(second)
    if times is None or others is None or np.isnat(times - others).any():
        return None
    shifts = np.unique(others - times)
    if len(shifts) > 2 or (np.abs(shifts) > _FARTHEST).any():
        return None
    are_offsets = (shifts % _STEP == np.timedelta64(0, "us")).all()
    is_hour = len(shifts) == 1 or shifts[1] - shifts[0] == np.timedelta64(1, "h")
    return shifts if are_offsets and is_hour else None
