"""The interface of all transforms.

A transform is a frozen description; what it learns from data is a NamedTuple of arrays with a row
per series. Series are stored one after the other, as in `data.ragged`, whose functions transforms
use.

    N observations of all series · S series · O origins · H horizon · L lag
    X values per step: one point, quantiles or samples
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import DataError

LARGEST = np.finfo(float).max

State: TypeAlias = tuple[NDArray, ...]  # a NamedTuple; each array has a row per series


class Transform(Protocol):
    """One reversible step from the units of the data to values that a network learns easily.

    Missing values stay missing, and arrays are not modified. The value of `apply` at t does not
    depend on later values.
    """

    @property
    def name(self) -> str:
        """Its name in JSON."""
        ...

    @property
    def lag(self) -> int:
        """The number of values before the cutoff that `invert` needs; 0 if it is elementwise."""
        ...

    @property
    def learns(self) -> type[Any]:
        """The NamedTuple that `fit` returns, without fields if there is nothing to learn."""
        ...

    def fit(self, values: NDArray, offsets: NDArray) -> State:
        """Learn the state from the training part of each series."""
        ...

    def apply(self, values: NDArray, offsets: NDArray, state: State) -> NDArray:
        """The transformed values, NaN where there is none, as for the first `lag` values of each
        series."""
        ...

    def invert(self, values_OHX: NDArray, state: State, tail_OL: NDArray) -> NDArray:
        """Invert the H values after each origin; `state` has the row of its series, `tail` the last
        inputs before it."""
        ...


class OutsideDomain(DataError):
    """A value outside of a transform's domain, with the position of its series, so that a caller
    can name it."""

    def __init__(self, rule: str, where: str, advice: str, series: int) -> None:
        super().__init__(f"{rule}: series {series} has {where}.\n{advice}")
        self.series = series
        self._description = (rule, where, advice)

    def named(self, name: str) -> DataError:
        """The same error with the id of the series instead of its position."""
        rule, where, advice = self._description
        return DataError(f"{rule}: series {name!r} has {where}.\n{advice}")


def require_domain(
    inside_N: NDArray, values: NDArray, offsets: NDArray, rule: str, advice: str
) -> None:
    """Raise OutsideDomain for the first known value that is outside of the domain."""
    outside = np.flatnonzero(~inside_N & ~np.isnan(values))
    if len(outside):
        first = outside[0]
        series = int(np.searchsorted(offsets, first, side="right")) - 1
        ending = (
            f", and {len(outside) - 1:,} more such values follow"
            if len(outside) > 1
            else ""
        )
        position = f"position {first - offsets[series]} (counted from 0)"
        where = f"{float(values[first])!r} at {position}{ending}"
        raise OutsideDomain(rule, where, advice, series)


def named(name: str) -> Any:
    """The field that identifies a transform in JSON; keyword-only, and not shown."""
    return field(default=name, kw_only=True, repr=False)


def finite(values: NDArray) -> NDArray:
    """Values with infinity replaced by the largest number of its sign; NaN stays NaN."""
    return np.clip(values, -LARGEST, LARGEST)
