"""Columns of one series that grow step by step, with all that is known so far.

K rows of numbers · C columns as given · M steps
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.columns import Columns, Running


class Grown:
    """Rows of numbers (K, M) to which steps are added, most of the time without a copy.

    >>> rows = Grown(np.array([[1.0, 2.0]]))
    >>> rows.grow(3)
    >>> rows.values
    array([[ 1.,  2., nan]])
    """

    def __init__(self, values_KM: NDArray) -> None:
        self._all = values_KM.copy()
        self.length = values_KM.shape[1]

    @property
    def values(self) -> NDArray:
        """A view of the rows (K, M), which may be written to."""
        return self._all[:, : self.length]

    def grow(self, length: int) -> None:
        """Extend the rows to at least this many steps; new values are NaN."""
        if length <= self.length:
            return
        if length > self._all.shape[1]:
            self._make_room(length)
        self._all[:, self.length : length] = np.nan
        self.length = length

    def _make_room(self, length: int) -> None:
        added = max(length - self.length, self.length // 2)
        room_KM = np.empty((len(self._all), added))
        self._all = np.concatenate([self.values, room_KM], axis=1)


class GrownColumns:
    """What is known in advance about one series so far.

    `observed`: the number of past steps; `told_C`: for each column, the number of steps up to the
    last one with a value.
    """

    def __init__(self, columns: int) -> None:
        empty = np.empty((columns, 0))
        self._values = Grown(empty)
        self._carried = Grown(empty)
        self._smooth = Grown(empty)
        self._running = Running.start(columns)  # of the past steps
        self.observed = 0
        self.told_C = np.zeros(columns, np.int64)

    @property
    def length(self) -> int:
        """The number of steps that have known values or are past."""
        return self._values.length

    @property
    def values_CM(self) -> NDArray:
        """The columns as given, NaN where values are unknown."""
        return self._values.values

    def part(self, first: int, stop: int) -> Columns:
        """The columns at some steps."""
        return Columns(
            values_CM=self._values.values[:, first:stop].copy(),
            carried_CM=self._carried.values[:, first:stop].copy(),
            smooth_CM=self._smooth.values[:, first:stop].copy(),
        )

    def begin(self, columns_CM: NDArray) -> None:
        """Set all that is known at the start."""
        self._grow(columns_CM.shape[1])
        self.values_CM[:] = columns_CM
        self._carry_on()

    def tell(self, steps_N: NDArray, columns: Sequence[NDArray]) -> None:
        """Set what is now known about coming steps: for each column, numbers for the first of the
        steps; NaN leaves earlier values in place."""
        for column, values in enumerate(columns):
            if not len(values):
                continue
            steps = steps_N[: len(values)]
            stop = int(steps[-1]) + 1
            self._grow(stop)
            is_known = ~np.isnan(values)
            self.values_CM[column, steps[is_known]] = values[is_known]
            self.told_C[column] = max(self.told_C[column], stop)
        self._carry_on()

    def pass_on(self, steps: int = 1) -> None:
        """Move this many steps into the past."""
        stop = self.observed + steps
        if stop > self.length:  # they have no known values
            self._grow(stop)
            self._carry_on()
        for step in range(self.observed, stop):
            self._running = self._running.after(self.values_CM[:, step])
        self.observed = stop

    def _grow(self, stop: int) -> None:
        for rows in (self._values, self._carried, self._smooth):
            rows.grow(stop)

    def _carry_on(self) -> None:
        """Update the means and carried values of the steps to come, whose values may have
        changed."""
        running = self._running
        for step in range(self.observed, self.length):
            running = running.after(self.values_CM[:, step])
            self._carried.values[:, step] = running.newest_C
            self._smooth.values[:, step] = running.mean_C

    # ---- saving

    def arrays(self) -> dict[str, NDArray]:
        """The whole state, as arrays whose last axis may have any length."""
        running = self._running
        return {
            "values": self._values.values,
            "carried": self._carried.values,
            "smooth": self._smooth.values,
            "told": self.told_C[:, None],
            "sum": running.sum_C[:, None],
            "weight": running.weight_C[:, None],
            "newest": running.newest_C[:, None],
        }

    @classmethod
    def from_saved(cls, arrays: Mapping[str, NDArray], observed: int) -> GrownColumns:
        """Restore what `arrays` returned after this number of observed steps."""
        columns = cls(len(arrays["values"]))
        columns._values = Grown(arrays["values"])
        columns._carried = Grown(arrays["carried"])
        columns._smooth = Grown(arrays["smooth"])
        columns.told_C = arrays["told"][:, 0].astype(np.int64)
        columns._running = Running(
            sum_C=arrays["sum"][:, 0],
            weight_C=arrays["weight"][:, 0],
            newest_C=arrays["newest"][:, 0],
        )
        columns.observed = observed
        return columns
