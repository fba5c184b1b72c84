"""Differences, which remove trends and seasons that the network then need not learn.

N observations · O origins · H horizon · L lag · X points or samples
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lstmcast.data.ragged import lagged
from lstmcast.transforms.base import State, finite, named
from lstmcast.util.config import settings


class Nothing(NamedTuple):
    """The state of a transform that learns nothing."""


@settings
class Difference:
    """y[t] − y[t − lag]: lag 1 removes a trend, the seasonal period removes a constant season.

    The first `lag` values of a series have no difference and become NaN. `invert` continues from
    the last `lag` known values; beyond `lag` steps it adds forecasts to forecasts.

    >>> difference = Difference()
    >>> values, offsets = np.array([112.0, 118.0, 132.0]), np.array([0, 3])
    >>> difference.apply(values, offsets, difference.fit(values, offsets))
    array([nan,  6., 14.])
    >>> difference.invert(np.array([[[-3.0], [-8.0]]]), (), tail_OL=np.array([[132.0]])).ravel()
    array([129., 121.])

    Box, G. E. P. & Jenkins, G. M., "Time Series Analysis: Forecasting and Control" (1970).
    """

    lag: Annotated[int, Field(ge=1)] = 1
    name: Literal["difference"] = named("difference")
    learns: ClassVar[type] = Nothing

    def fit(self, values: NDArray, offsets: NDArray) -> Nothing:
        """Fit nothing: the values that `invert` continues from belong to a cutoff."""
        return Nothing()

    @np.errstate(over="ignore")
    def apply(self, values: NDArray, offsets: NDArray, state: State) -> NDArray:
        """The change over `lag` steps."""
        return finite(values - lagged(values, offsets, self.lag))

    @np.errstate(over="ignore")
    def invert(self, values_OHX: NDArray, state: State, tail_OL: NDArray) -> NDArray:
        """Cumulative sums from the tail; NaN after an unknown value of the tail."""
        _, horizon, width = values_OHX.shape
        levels_OHX = np.empty_like(values_OHX)
        cycle = np.broadcast_to(tail_OL[:, :, None], (*tail_OL.shape, width))
        for start in range(0, horizon, self.lag):
            steps = slice(start, start + self.lag)
            changes = values_OHX[:, steps]
            cycle = finite(cycle[:, : changes.shape[1]] + changes)
            levels_OHX[:, steps] = cycle
        return levels_OHX
