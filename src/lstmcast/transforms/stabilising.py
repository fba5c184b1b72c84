"""Stabilising transforms, for fluctuations that grow with the level and targets that have limits.

All are increasing, so quantiles stay quantiles. A value outside of a domain is a DataError that
names it and says what would work. Inversion never leaves the domain: its results can be transformed
again.

    N observations · S series · O origins · H horizon · X points, quantiles or samples
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from lstmcast.data.ragged import means, reduced, spread
from lstmcast.transforms.base import LARGEST, State, finite, named, require_domain
from lstmcast.transforms.differencing import Nothing
from lstmcast.util.config import settings

# where `exp` is positive and finite
LOG_LARGEST = np.log(LARGEST)
LOG_SMALLEST = -744.0
# span of the logarithms below which all powers are the same line, up to rounding
SMALLEST_SPAN = 1e-5
# λ is fitted between these, as in R's forecast::BoxCox.lambda; beyond, inversion is unstable
LMBDAS = (-1.0, 2.0)
GRID, REFINEMENTS = 13, 24  # a grid of steps of 1/4, then golden sections to about 5e-6
GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
NEAR_ZERO = 1e-12  # λ below which the power is the logarithm
FLAT = 1e-6  # λ below which the likelihood is that of 0


@settings
class Log1p:
    """log(1 + y), for values above -1: multiplicative growth becomes additive; zeros are allowed.

    >>> log1p, values, offsets = Log1p(), np.array([0.0, np.e - 1.0]), np.array([0, 2])
    >>> log1p.apply(values, offsets, log1p.fit(values, offsets))
    array([0., 1.])
    """

    name: Literal["log1p"] = named("log1p")
    lag: ClassVar[int] = 0
    learns: ClassVar[type] = Nothing

    def fit(self, values: NDArray, offsets: NDArray) -> Nothing:
        """Fit nothing."""
        return Nothing()

    def apply(self, values: NDArray, offsets: NDArray, state: State) -> NDArray:
        """Apply the logarithm; DataError for values of -1 or less."""
        advice = (
            "Use Difference(), Standard() or another scaling, which accept any values, or add a "
            "constant to all values."
        )
        require_domain(
            values > -1.0,
            values,
            offsets,
            "Log1p() accepts only values above -1",
            advice,
        )
        return np.log1p(values)

    def invert(self, values_OHX: NDArray, state: State, tail_OL: NDArray) -> NDArray:
        """exp(z) − 1."""
        smallest = np.nextafter(-1.0, 0.0)
        values = np.expm1(np.minimum(values_OHX, LOG_LARGEST))
        return np.maximum(values, smallest)


class Power(NamedTuple):
    """The exponent of each series."""

    lmbda_S: NDArray


@settings
class BoxCox:
    """(y^λ − 1) / λ, or log(y) for λ = 0, for positive values: stabilises the variance.

    λ is given, or fitted for each series by maximum likelihood between -1 and 2. It is 1 for series
    that do not determine it.

    >>> boxcox, values, offsets = BoxCox(), np.exp([0.0, 1.0, 2.0, 3.0]), np.array([0, 4])
    >>> state = boxcox.fit(values, offsets)
    >>> np.abs(state.lmbda_S) < 1e-5, boxcox.apply(values, offsets, state).round(3)
    (array([ True]), array([0., 1., 2., 3.]))

    Box, G. E. P. & Cox, D. R., "An analysis of transformations", J. R. Statist. Soc. B 26 (1964),
    211–252; the likelihood is their equation 8.
    """

    lmbda: Annotated[float, Field(ge=-5, le=5)] | None = None
    name: Literal["boxcox"] = named("boxcox")
    lag: ClassVar[int] = 0
    learns: ClassVar[type] = Power

    def fit(self, values: NDArray, offsets: NDArray) -> Power:
        """Fit λ of each series; DataError for values that are not positive."""
        _require_positive(values, offsets)
        if self.lmbda is not None:
            return Power(np.full(len(offsets) - 1, self.lmbda))
        log = np.log(values)
        span_S = reduced(np.fmax, log, offsets) - reduced(np.fmin, log, offsets)
        has_span_S = span_S > SMALLEST_SPAN  # False for NaN
        return Power(np.where(has_span_S, _likeliest(log, offsets), 1.0))

    @np.errstate(over="ignore")
    def apply(self, values: NDArray, offsets: NDArray, state: State) -> NDArray:
        """Apply the power transform; DataError for values that are not positive."""
        _require_positive(values, offsets)
        lmbda_N = spread(state[0], offsets)
        return finite(power(np.log(values), lmbda_N))

    @np.errstate(over="ignore", divide="ignore")
    def invert(self, values_OHX: NDArray, state: State, tail_OL: NDArray) -> NDArray:
        """(λz + 1)^(1/λ), limited to positive finite numbers."""
        lmbda = state[0][:, None, None]
        divisor, is_zero = _apart_from_zero(lmbda)
        log = np.log1p(np.maximum(divisor * values_OHX, -1.0)) / divisor
        log = np.where(is_zero, values_OHX, log)
        return np.exp(np.clip(log, LOG_SMALLEST, LOG_LARGEST))


@settings
class Logit:
    """log((y − low) / (high − y)), for values strictly between limits, which forecasts also
    respect.

    >>> logit, values, offsets = Logit(0, 100), np.array([50.0, 90.0]), np.array([0, 2])
    >>> logit.apply(values, offsets, logit.fit(values, offsets)).round(3)
    array([0.   , 2.197])
    >>> logit.invert(np.array([[[999.0]]]), (), np.empty((1, 0))).item() < 100
    True
    """

    low: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    high: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    name: Literal["logit"] = named("logit")
    lag: ClassVar[int] = 0
    learns: ClassVar[type] = Nothing

    @model_validator(mode="after")
    def _ordered(self) -> Logit:
        if not self.low < self.high:
            raise ValueError(f"low={self.low:g} must be below high={self.high:g}")
        return self

    def fit(self, values: NDArray, offsets: NDArray) -> Nothing:
        """Fit nothing: the limits are given."""
        return Nothing()

    def apply(self, values: NDArray, offsets: NDArray, state: State) -> NDArray:
        """Apply the logit; DataError for values on or beyond a limit."""
        advice = "Give slightly wider limits that no value reaches, or use MinMax()."
        is_inside = (values > self.low) & (values < self.high)
        rule = f"{self} accepts only values between its limits"
        require_domain(is_inside, values, offsets, rule, advice)
        return np.log(values - self.low) - np.log(self.high - values)

    def invert(self, values_OHX: NDArray, state: State, tail_OL: NDArray) -> NDArray:
        """low + (high − low) / (1 + exp(−z)), between the limits."""
        exponent = np.minimum(-values_OHX, LOG_LARGEST - 1.0)
        share = 1.0 / (1.0 + np.exp(exponent))
        values = self.low + (self.high - self.low) * share
        lowest = np.nextafter(self.low, self.high)
        highest = np.nextafter(self.high, self.low)
        return np.clip(values, lowest, highest)


def _require_positive(values: NDArray, offsets: NDArray) -> None:
    advice = (
        "Use Log1p() for values above -1, or Difference(), Standard() or another scaling, which "
        "accept any values."
    )
    require_domain(
        values > 0.0, values, offsets, "BoxCox() accepts only positive values", advice
    )


def _apart_from_zero(lmbda: NDArray) -> tuple[NDArray, NDArray]:
    """λ with zeros replaced so that it can be a divisor, and where it is zero."""
    is_zero = np.abs(lmbda) < NEAR_ZERO
    return np.where(is_zero, 1.0, lmbda), is_zero


def power(log: NDArray, lmbda: NDArray) -> NDArray:
    """(y^λ − 1) / λ from log(y); `expm1` keeps the digits if λ is small."""
    divisor, is_zero = _apart_from_zero(lmbda)
    powers = np.expm1(divisor * log) / divisor
    return np.where(is_zero, log, powers)


@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def _likeliest(log: NDArray, offsets: NDArray) -> NDArray:
    """λ of maximum likelihood (S,), from the logarithms.

    In units of the geometric mean the Jacobian is 1 (Box & Cox, equation 9), so the most likely λ
    has the smallest variance.
    """
    is_known = ~np.isnan(log)
    count_S = reduced(np.add, is_known.astype(float), offsets, empty=0.0)
    bounds = np.concatenate([[0], np.cumsum(count_S)]).astype(np.int64)
    mean_log_N = spread(means(log, offsets), offsets)
    unit = (log - mean_log_N)[is_known]

    def variance(lmbda_S: NDArray) -> NDArray:
        is_flat_S = np.abs(lmbda_S) < FLAT
        lmbda_S = np.where(is_flat_S, FLAT, lmbda_S)
        # centred at 0, so that one pass over it loses no digits
        powers = np.expm1(spread(lmbda_S, bounds) * unit)
        mean_S = reduced(np.add, powers, bounds) / count_S
        square_S = reduced(np.add, powers**2, bounds) / count_S
        variance_S = (square_S - mean_S**2) / lmbda_S**2
        return np.nan_to_num(variance_S, nan=np.inf, posinf=np.inf)

    lowest_S = reduced(np.fmin, unit, bounds)
    highest_S = reduced(np.fmax, unit, bounds)
    varies_S = highest_S > lowest_S
    return np.where(varies_S, _minimum(variance, len(count_S)), 1.0)


def _minimum(function: Callable[[NDArray], NDArray], count: int) -> NDArray:
    """The minima of `count` functions within LMBDAS: the best points of a grid, refined by golden
    sections.

    Kiefer, J., "Sequential minimax search for a maximum", Proc. Amer. Math. Soc. 4 (1953), 502–506.
    """
    grid = np.linspace(*LMBDAS, GRID)
    at_grid = [function(np.full(count, point)) for point in grid]
    nearest = np.argmin(at_grid, axis=0)
    low = grid[np.maximum(nearest - 1, 0)]
    high = grid[np.minimum(nearest + 1, GRID - 1)]
    lower = high - GOLDEN * (high - low)
    upper = low + GOLDEN * (high - low)
    at_lower = function(lower)
    at_upper = function(upper)
    for _ in range(REFINEMENTS):
        # keep the side of the smaller value, and one of the two points with it
        is_lower = at_lower < at_upper
        low = np.where(is_lower, low, lower)
        high = np.where(is_lower, upper, high)
        section = GOLDEN * (high - low)
        point = np.where(is_lower, high - section, low + section)
        at_point = function(point)
        lower, upper = (
            np.where(is_lower, point, upper),
            np.where(is_lower, lower, point),
        )
        at_lower, at_upper = (
            np.where(is_lower, at_point, at_upper),
            np.where(is_lower, at_lower, at_point),
        )
    return (low + high) / 2.0
