"""Columns of numbers that are no values: codes of names, as 11 for Seoul, and what stays the same
in each series, as the latitude of a station."""

# N rows

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from lstmcast.data.sheet import Column, Sheet

_MOST_CODES = 1 / 3  # of the rows


def without_codes(sheet: Sheet, numeric: list[Column]) -> list[Column]:
    """Columns of numbers without those that say the same as a column of texts."""
    texts = [_codes_of(column) for column in sheet.columns if column.number_share == 0]
    return [column for column in numeric if not _are_codes(column, texts)]


def without_traits(numeric: list[Column], series: Sequence[Column]) -> list[Column]:
    """Columns of numbers without those that stay the same in each of several series; all of them
    where none would be left."""
    if not series:
        return numeric
    keys = [_codes_of(column) for column in series]
    _, groups = np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)
    groups = groups.ravel()
    group_count = groups.max() + 1
    if not 1 < group_count < len(groups):
        return numeric
    changing = [column for column in numeric if _changes_within(column, groups)]
    return changing or numeric


def _changes_within(column: Column, groups: ndarray) -> bool:
    codes = _codes_of(column)
    pairs = np.unique(groups * (codes.max() + 1) + codes)
    return len(pairs) > groups.max() + 1


def _codes_of(column: Column) -> ndarray:
    """A number for each distinct cell of a column (N,)."""
    return np.unique(column.cell_keys, return_inverse=True)[1]


def _are_codes(column: Column, texts: list[ndarray]) -> bool:
    codes = _codes_of(column)
    count = codes.max() + 1
    if not 1 < count <= _MOST_CODES * len(codes):
        return False
    for names in texts:
        pairs = np.unique(codes * (names.max() + 1) + names)
        if len(pairs) == count == names.max() + 1:
            return True
    return False
