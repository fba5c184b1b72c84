"""Columns of categories: their possible values, which frames of other libraries store."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Categories:
    """All possible values of a column of categories (K,), in order.

    `ordered`: whether the order has a meaning. `fixed`: whether no other value is possible, as in
    polars' Enum.
    """

    values: NDArray
    ordered: bool = False
    fixed: bool = False

    def same(self, other: Categories | None) -> bool:
        """Whether both have the same values in the same order, and the same properties."""
        if other is None or (self.ordered, self.fixed) != (other.ordered, other.fixed):
            return False
        return np.array_equal(self.values, other.values)
