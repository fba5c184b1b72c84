"""Scaling: subtract a centre and divide by a scale, so that one network can learn from series of
any size.

Constant series have scale 1, so they become 0 and are inverted exactly. Series without any known
value have centre 0 and scale 1.

    N observations · S series · G groups: the series, or the whole panel · O origins · H horizon · X
    points or samples
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from lstmcast.data.ragged import means, quantiles, reduced, spread
from lstmcast.transforms.base import State, finite, named
from lstmcast.util.config import settings

Per = Literal["series", "panel"]  # what shares a centre and a scale


class Scaling(NamedTuple):
    """The centre and scale of each series."""

    centre_S: NDArray
    scale_S: NDArray


@settings
class Standard:
    """(y − mean) / standard deviation of the training part (population, divided by n).

    `per="panel"` uses one mean and deviation for all series, so that their sizes stay comparable.

    >>> standard = Standard()
    >>> values, offsets = np.array([1.0, 3.0, 10.0, 10.0]), np.array([0, 2, 4])
    >>> standard.apply(values, offsets, standard.fit(values, offsets))
    array([-1.,  1.,  0.,  0.])
    """

    per: Per = "series"
    name: Literal["standard"] = named("standard")
    lag: ClassVar[int] = 0
    learns: ClassVar[type] = Scaling

    def fit(self, values: NDArray, offsets: NDArray) -> Scaling:
        """The mean and standard deviation."""
        groups = _groups(self.per, offsets)
        low_G, span_G = _ranges(values, groups)
        # Relative to the lowest value and in units of the range: no digits are lost to a large
        # mean, and no square overflows.
        divisor_G = np.where(span_G > 0, span_G, 1.0)
        unit_N = _scaled(values, groups, Scaling(low_G, divisor_G))
        mean_G = means(unit_N, groups)
        deviation_N = unit_N - spread(mean_G, groups)
        deviation_G = np.sqrt(means(deviation_N**2, groups))
        return _settled(low_G + span_G * mean_G, span_G * deviation_G, offsets)

    def apply(self, values: NDArray, offsets: NDArray, state: State) -> NDArray:
        """The distances from the mean in standard deviations."""
        return _scaled(values, offsets, state)

    def invert(self, values_OHX: NDArray, state: State, tail_OL: NDArray) -> NDArray:
        """The values in the units of the data."""
        return _unscaled(values_OHX, state)


@settings
class MinMax:
    """Scale the range of the training part to [low, high]; later values may lie outside it.

    >>> minmax, values, offsets = MinMax(-1, 1), np.array([2.0, 3.0, 6.0]), np.array([0, 3])
    >>> minmax.apply(values, offsets, minmax.fit(values[:2], np.array([0, 2])))
    array([-1.,  1.,  7.])
    """

    low: float = Field(default=0.0, allow_inf_nan=False)
    high: float = Field(default=1.0, allow_inf_nan=False)
    per: Per = "series"
    name: Literal["minmax"] = named("minmax")
    lag: ClassVar[int] = 0
    learns: ClassVar[type] = Scaling

    @model_validator(mode="after")
    def _ordered(self) -> MinMax:
        if not self.low < self.high:
            raise ValueError(f"low={self.low:g} must be below high={self.high:g}")
        return self

    def fit(self, values: NDArray, offsets: NDArray) -> Scaling:
        """The minimum and range."""
        low_G, span_G = _ranges(values, _groups(self.per, offsets))
        return _settled(low_G, span_G, offsets)

    @np.errstate(over="ignore")
    def apply(self, values: NDArray, offsets: NDArray, state: State) -> NDArray:
        """The values scaled to [low, high]; those beyond the training part lie outside."""
        span = self.high - self.low
        return finite(self.low + span * _scaled(values, offsets, state))

    @np.errstate(over="ignore")
    def invert(self, values_OHX: NDArray, state: State, tail_OL: NDArray) -> NDArray:
        """The values in the units of the data."""
        span = self.high - self.low
        unit_OHX = finite((values_OHX - self.low) / span)
        return _unscaled(unit_OHX, state)


@settings
class Robust:
    """(y − median) / interquartile range of the training part, which is robust to outliers.

    If at least half of the values are equal, as in series that are mostly 0, the range is 0 and the
    scale is 1.

    >>> robust, values, offsets = Robust(), np.array([1.0, 2.0, 3.0, 4.0, 900.0]), np.array([0, 5])
    >>> robust.apply(values, offsets, robust.fit(values, offsets))
    array([ -1. ,  -0.5,   0. ,   0.5, 448.5])
    """

    per: Per = "series"
    name: Literal["robust"] = named("robust")
    lag: ClassVar[int] = 0
    learns: ClassVar[type] = Scaling

    @np.errstate(over="ignore")
    def fit(self, values: NDArray, offsets: NDArray) -> Scaling:
        """The median and interquartile range."""
        groups = _groups(self.per, offsets)
        low_G, middle_G, high_G = quantiles(values, groups, (0.25, 0.5, 0.75)).T
        return _settled(middle_G, finite(high_G - low_G), offsets)

    def apply(self, values: NDArray, offsets: NDArray, state: State) -> NDArray:
        """The distances from the median in interquartile ranges."""
        return _scaled(values, offsets, state)

    def invert(self, values_OHX: NDArray, state: State, tail_OL: NDArray) -> NDArray:
        """The values in the units of the data."""
        return _unscaled(values_OHX, state)


@settings
class MeanAbs:
    """y / mean absolute value of the training part: keeps zeros and signs, for demand and changes.

    >>> meanabs, values, offsets = MeanAbs(), np.array([0.0, 2.0, 4.0]), np.array([0, 3])
    >>> meanabs.apply(values, offsets, meanabs.fit(values, offsets))
    array([0., 1., 2.])

    Salinas et al., "DeepAR: probabilistic forecasting with autoregressive recurrent networks", IJF
    36 (2020), section 3.3 (there 1 is added to the mean).
    """

    per: Per = "series"
    name: Literal["meanabs"] = named("meanabs")
    lag: ClassVar[int] = 0
    learns: ClassVar[type] = Scaling

    def fit(self, values: NDArray, offsets: NDArray) -> Scaling:
        """Zero and the mean absolute value."""
        groups = _groups(self.per, offsets)
        largest_G = reduced(np.fmax, np.abs(values), groups)
        # so no sum overflows
        divisor_G = np.where(largest_G > 0, largest_G, 1.0)
        unit_N = np.abs(values) / spread(divisor_G, groups)
        scale_G = largest_G * means(unit_N, groups)
        return _settled(np.zeros(len(largest_G)), scale_G, offsets)

    def apply(self, values: NDArray, offsets: NDArray, state: State) -> NDArray:
        """The values divided by the mean absolute value."""
        return _scaled(values, offsets, state)

    def invert(self, values_OHX: NDArray, state: State, tail_OL: NDArray) -> NDArray:
        """The values in the units of the data."""
        return _unscaled(values_OHX, state)


def _groups(per: Per, offsets: NDArray) -> NDArray:
    """The bounds of groups that share a centre and a scale."""
    return offsets if per == "series" else offsets[[0, -1]]


@np.errstate(over="ignore")
def _ranges(values: NDArray, groups: NDArray) -> tuple[NDArray, NDArray]:
    """The lowest value of each group, and its range."""
    low_G = reduced(np.fmin, values, groups)
    high_G = reduced(np.fmax, values, groups)
    return low_G, finite(high_G - low_G)


def _settled(centre_G: NDArray, scale_G: NDArray, offsets: NDArray) -> Scaling:
    """A row for each series, with the defaults for groups that are constant or unknown."""
    centre_G = np.nan_to_num(centre_G)
    scale_G = np.where(scale_G > 0, scale_G, 1.0)
    series = len(offsets) - 1
    return Scaling(
        centre_S=np.broadcast_to(centre_G, series).copy(),
        scale_S=np.broadcast_to(scale_G, series).copy(),
    )


@np.errstate(over="ignore")
def _scaled(values: NDArray, offsets: NDArray, state: State) -> NDArray:
    centre_S, scale_S = state
    centre_N = spread(centre_S, offsets)
    scale_N = spread(scale_S, offsets)
    return finite((values - centre_N) / scale_N)


@np.errstate(over="ignore")
def _unscaled(values_OHX: NDArray, state: State) -> NDArray:
    centre_O, scale_O = state
    centre_O11 = centre_O[:, None, None]
    scale_O11 = scale_O[:, None, None]
    return finite(values_OHX * scale_O11 + centre_O11)
