"""Arrays of objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def objects(items: Iterable[Any]) -> NDArray:
    """Texts, names and the like as an array (N,), each as it is: `np.array` would make more
    dimensions of tuples, and another dtype of texts.

    >>> objects(name for name in ("a", "bc"))
    array(['a', 'bc'], dtype=object)
    """
    listed = list(items)
    array = np.empty(len(listed), object)
    array[:] = listed
    return array
