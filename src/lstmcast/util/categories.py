"""Columns of categories: the values that they may have, which frames of other libraries keep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Categories:
    """All values that a column of categories may have, (K,), in their order.

    `ordered`: the order means something. `fixed`: no other value is possible, as in polars' Enum.
    """

    values: NDArray
    ordered: bool = False
    fixed: bool = False

    def same(self, other: Categories | None) -> bool:
        """Whether both have the same values, in the same order and sense."""
        if other is None or (self.ordered, self.fixed) != (other.ordered, other.fixed):
            return False
        return np.array_equal(self.values, other.values)
