"""What every transform keeps to.

A transform is a frozen description; what it learns from data is a NamedTuple of arrays with a row
per series. Series lie one after the other, as in `data.ragged`, whose arithmetic transforms are
made of.

    N observations of all series · S series · O origins · H horizon · L lag
    X what there is per step: one point, quantiles or samples
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
    """One reversible step from the units of the data towards what a network learns easily.

    Missing values stay missing and no array is written to. `apply` looks at nothing after t for its
    value at t.
    """

    @property
    def name(self) -> str:
        """What it is called in JSON."""
        ...

    @property
    def lag(self) -> int:
        """How many values before the cutoff `invert` needs; 0 = it works element by element."""
        ...

    @property
    def learns(self) -> type[Any]:
        """The NamedTuple that `fit` returns; one without fields where there is nothing to learn."""
        ...

    def fit(self, values: NDArray, offsets: NDArray) -> State:
        """What it learns from the training part of each series."""
        ...

    def apply(self, values: NDArray, offsets: NDArray, state: State) -> NDArray:
        """The transformed values, as many; NaN where there is none, as at the first `lag` of
        each series."""
        ...

    def invert(self, values_OHX: NDArray, state: State, tail_OL: NDArray) -> NDArray:
        """Back: H values that follow each origin, whose series' rows are in `state` and whose
        last inputs in `tail`."""
        ...


class OutsideDomain(DataError):
    """A value that a transform is not defined for; it knows the series, so that a caller can
    name it."""

    def __init__(self, rule: str, where: str, advice: str, series: int) -> None:
        super().__init__(f"{rule}: series {series} has {where}.\n{advice}")
        self.series = series
        self._description = (rule, where, advice)

    def named(self, name: str) -> DataError:
        """The same, with the series' id instead of its position."""
        rule, where, advice = self._description
        return DataError(f"{rule}: series {name!r} has {where}.\n{advice}")


def require_domain(
    inside_N: NDArray, values: NDArray, offsets: NDArray, rule: str, advice: str
) -> None:
    """Raise OutsideDomain for the first known value that is not inside."""
    outside = np.flatnonzero(~inside_N & ~np.isnan(values))
    if len(outside):
        first = outside[0]
        series = int(np.searchsorted(offsets, first, side="right")) - 1
        ending = f", and {len(outside) - 1:,} more such values follow" if len(outside) > 1 else ""
        position = f"position {first - offsets[series]} (counted from 0)"
        where = f"{float(values[first])!r} at {position}{ending}"
        raise OutsideDomain(rule, where, advice, series)


def named(name: str) -> Any:
    """The field by which JSON tells transforms apart: given by keyword, if at all, and not
    shown."""
    return field(default=name, kw_only=True, repr=False)


def finite(values: NDArray) -> NDArray:
    """What would be larger than any number is the largest number, with its sign; NaN stays NaN."""
    return np.clip(values, -LARGEST, LARGEST)
