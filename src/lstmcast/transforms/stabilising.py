"""Stabilising: fluctuations that grow with the level, and targets that have limits.

Each is increasing, so quantiles stay quantiles. A value that one is not defined for is a DataError
that says which and what would work. Inversion never leaves the domain: what it gives can be
transformed again.

    N observations · S series · O origins · H horizon · X points, quantiles or samples
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from lstmcast.data.ragged import means, reduced, spread
from lstmcast.transforms.base import LARGEST, State, finite, named, require_domain
from lstmcast.transforms.differencing import Nothing
from lstmcast.util.config import settings

LOG_LARGEST, LOG_SMALLEST = np.log(LARGEST), -744.0  # within which `exp` gives a positive number
# of the logarithms, below which every power is the same straight line, less its digits
SMALLEST_SPAN = 1e-5
# fitted between these, as R's forecast::BoxCox.lambda does; beyond, inversion runs wild
LMBDAS = (-1.0, 2.0)
GRID, REFINEMENTS = 13, 24  # a first look at every 1/4; golden sections from there to about 5e-6
GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
NEAR_ZERO = 1e-12  # of a lambda: the power is the logarithm
FLAT = 1e-6  # of a lambda: the likelihood is that of 0


@settings
class Log1p:
    """log(1 + y), for values above -1: growth in percent becomes growth in steps, and zeros are
    allowed.

    >>> log1p, values, offsets = Log1p(), np.array([0.0, np.e - 1.0]), np.array([0, 2])
    >>> log1p.apply(values, offsets, log1p.fit(values, offsets))
    array([0., 1.])
    """

    name: Literal["log1p"] = named("log1p")
    lag: ClassVar[int] = 0
    learns: ClassVar[type] = Nothing

    def fit(self, values: NDArray, offsets: NDArray) -> Nothing:
        """Nothing."""
        return Nothing()

    def apply(self, values: NDArray, offsets: NDArray, state: State) -> NDArray:
        """The logarithms; DataError for values of -1 or less."""
        advice = (
            "Use Difference(), Standard() or another scaling, which take any values, or add a "
            "constant to all."
        )
        require_domain(values > -1.0, values, offsets, "Log1p() takes values above -1", advice)
        return np.log1p(values)

    def invert(self, values_OHX: NDArray, state: State, tail_OL: NDArray) -> NDArray:
        """exp(z) − 1."""
        return np.maximum(np.expm1(np.minimum(values_OHX, LOG_LARGEST)), np.nextafter(-1.0, 0.0))


class Power(NamedTuple):
    """The exponent of each series."""

    lmbda_S: NDArray


@settings
class BoxCox:
    """(y^λ − 1) / λ, or log(y) for λ = 0, for positive values: fluctuations as large at the top as
    at the bottom.

    λ is given, or fitted for each series by maximum likelihood between -1 and 2; series that say
    nothing have 1.

    >>> boxcox, values, offsets = BoxCox(), np.exp([0.0, 1.0, 2.0, 3.0]), np.array([0, 4])
    >>> state = boxcox.fit(values, offsets)
    >>> np.abs(state.lmbda_S) < 1e-5, boxcox.apply(values, offsets, state).round(3)
    (array([ True]), array([0., 1., 2., 3.]))

    Box, G. E. P. & Cox, D. R., "An analysis of transformations", J. R. Statist. Soc. B 26 (1964),
    211–252; the likelihood is their equation 8.
    """

    lmbda: float | None = Field(default=None, ge=-5, le=5)
    name: Literal["boxcox"] = named("boxcox")
    lag: ClassVar[int] = 0
    learns: ClassVar[type] = Power

    def fit(self, values: NDArray, offsets: NDArray) -> Power:
        """λ of each series; DataError for values that are not positive."""
        _require_positive(values, offsets)
        if self.lmbda is not None:
            return Power(np.full(len(offsets) - 1, self.lmbda))
        log = np.log(values)
        span_S = reduced(np.fmax, log, offsets) - reduced(np.fmin, log, offsets)
        # NaN is no span either
        return Power(np.where(span_S > SMALLEST_SPAN, _likeliest(log, offsets), 1.0))

    @np.errstate(over="ignore")
    def apply(self, values: NDArray, offsets: NDArray, state: State) -> NDArray:
        """The powers; DataError for values that are not positive."""
        _require_positive(values, offsets)
        return finite(power(np.log(values), spread(state[0], offsets)))

    @np.errstate(over="ignore", divide="ignore")
    def invert(self, values_OHX: NDArray, state: State, tail_OL: NDArray) -> NDArray:
        """(λz + 1)^(1/λ); no smaller than the smallest and no larger than the largest positive
        number."""
        lmbda = state[0][:, None, None]
        safe, zero = _apart_from_zero(lmbda)
        log = np.log1p(np.maximum(safe * values_OHX, -1.0)) / safe
        return np.exp(np.clip(np.where(zero, values_OHX, log), LOG_SMALLEST, LOG_LARGEST))


@settings
class Logit:
    """log((y − low) / (high − y)), for targets strictly between two limits: forecasts stay between
    them.

    >>> logit, values, offsets = Logit(0, 100), np.array([50.0, 90.0]), np.array([0, 2])
    >>> logit.apply(values, offsets, logit.fit(values, offsets)).round(3)
    array([0.   , 2.197])
    >>> logit.invert(np.array([[[999.0]]]), (), np.empty((1, 0))).item() < 100
    True
    """

    low: float = Field(default=0.0, allow_inf_nan=False)
    high: float = Field(default=1.0, allow_inf_nan=False)
    name: Literal["logit"] = named("logit")
    lag: ClassVar[int] = 0
    learns: ClassVar[type] = Nothing

    @model_validator(mode="after")
    def _ordered(self) -> Logit:
        if not self.low < self.high:
            raise ValueError(f"low={self.low:g} must lie below high={self.high:g}")
        return self

    def fit(self, values: NDArray, offsets: NDArray) -> Nothing:
        """Nothing: the limits are given."""
        return Nothing()

    def apply(self, values: NDArray, offsets: NDArray, state: State) -> NDArray:
        """The logits; DataError for values on or beyond a limit."""
        advice = (
            "Give limits that no value reaches, a little wider than the true ones, or use MinMax()."
        )
        inside = (values > self.low) & (values < self.high)
        require_domain(inside, values, offsets, f"{self} takes values between its limits", advice)
        return np.log(values - self.low) - np.log(self.high - values)

    def invert(self, values_OHX: NDArray, state: State, tail_OL: NDArray) -> NDArray:
        """low + (high − low) / (1 + exp(−z)), between the limits."""
        share = 1.0 / (1.0 + np.exp(np.minimum(-values_OHX, LOG_LARGEST - 1.0)))
        within = np.nextafter(self.low, self.high), np.nextafter(self.high, self.low)
        return np.clip(self.low + (self.high - self.low) * share, *within)


def _require_positive(values: NDArray, offsets: NDArray) -> None:
    advice = (
        "Use Log1p() for values above -1, or Difference(), Standard() or another scaling, which "
        "take any values."
    )
    require_domain(values > 0.0, values, offsets, "BoxCox() takes positive values", advice)


def _apart_from_zero(lmbda: NDArray) -> tuple[NDArray, NDArray]:
    """λ that can be divided by, and where it is zero."""
    zero = np.abs(lmbda) < NEAR_ZERO
    return np.where(zero, 1.0, lmbda), zero


def power(log: NDArray, lmbda: NDArray) -> NDArray:
    """(y^λ − 1) / λ from log(y); `expm1` keeps the digits where λ is small."""
    safe, zero = _apart_from_zero(lmbda)
    return np.where(zero, log, np.expm1(safe * log) / safe)


@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def _likeliest(log: NDArray, offsets: NDArray) -> NDArray:
    """λ of largest likelihood, (S,), from the logarithms.

    In units of the geometric mean the Jacobian is 1 (Box & Cox, equation 9): the likeliest λ has
    the smallest variance.
    """
    known = ~np.isnan(log)
    count = reduced(np.add, known.astype(float), offsets, empty=0.0)
    bounds = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    unit = (log - spread(means(log, offsets), offsets))[known]

    def variance(lmbda_S: NDArray) -> NDArray:
        lmbda = np.where(np.abs(lmbda_S) < FLAT, FLAT, lmbda_S)
        # around 0, so that one pass over it loses no digits
        power = np.expm1(spread(lmbda, bounds) * unit)
        mean, square = (
            reduced(np.add, power, bounds) / count,
            reduced(np.add, power**2, bounds) / count,
        )
        return np.nan_to_num((square - mean**2) / lmbda**2, nan=np.inf, posinf=np.inf)

    lowest, highest = (reduced(function, unit, bounds) for function in (np.fmin, np.fmax))
    return np.where(highest > lowest, _minimum(variance, len(count)), 1.0)


def _minimum(function: Callable[[NDArray], NDArray], count: int) -> NDArray:
    """Where `count` functions are smallest, each within LMBDAS: the best of a grid, refined by
    golden sections.

    Kiefer, J., "Sequential minimax search for a maximum", Proc. Amer. Math. Soc. 4 (1953), 502–506.
    """
    grid = np.linspace(*LMBDAS, GRID)
    best = np.argmin([function(np.full(count, point)) for point in grid], axis=0)
    a, b = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, GRID - 1)]
    c, d = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
    at_c, at_d = function(c), function(d)
    for _ in range(REFINEMENTS):
        left = at_c < at_d
        a, b = np.where(left, a, c), np.where(left, d, b)
        new = np.where(left, b - GOLDEN * (b - a), a + GOLDEN * (b - a))
        at_new = function(new)
        c, d = np.where(left, new, d), np.where(left, c, new)
        at_c, at_d = np.where(left, at_new, at_d), np.where(left, at_c, at_new)
    return (a + b) / 2.0
