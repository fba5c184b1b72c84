"""Arrays of objects, and arrays as lists of objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def objects(items: Iterable[Any]) -> NDArray:
    """Texts, names and the like as an array of objects (N,): `np.array` would turn tuples into more
    dimensions, and texts into another dtype.

    >>> objects(name for name in ("a", "bc"))
    array(['a', 'bc'], dtype=object)
    """
    entries = list(items)
    array = np.empty(len(entries), object)
    array[:] = entries
    return array


def none_where_unknown(numbers: NDArray) -> list[Any]:
    """Numbers as a list, with None for those that are not finite.

    >>> none_where_unknown(np.array([1.5, np.nan]))
    [1.5, None]
    """
    is_known = np.isfinite(numbers)
    if is_known.all():
        return numbers.tolist()
    cells = numbers.astype(object)
    cells[~is_known] = None
    return cells.tolist()
