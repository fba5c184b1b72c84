"""Columns of numbers that are codes of the names in another column: 11 for Seoul."""

# N rows

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.data.sheet import Column, Sheet

_MOST_CODES = 1 / 3  # of the rows


def without_codes(sheet: Sheet, numeric: list[Column]) -> list[Column]:
    """Columns of numbers without those that say the same as a column of texts."""
    texts = [_codes_of(column) for column in sheet.columns if column.number_share == 0]
    return [column for column in numeric if not _are_codes(column, texts)]


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
