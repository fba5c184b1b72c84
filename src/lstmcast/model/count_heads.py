"""Heads for demand: counts and amounts that are often 0 and never negative.

These heads answer on the axis of the data, like all heads that are not affine (see
`model.heads`). The mean is computed from location and scale and kept above 0; the other parameters
have raw numbers of their own. Losses are negative log-likelihoods.

R raw numbers per value · Q quantiles, in the order of `HEAD_QUANTILES` · H horizon
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.distributions import (
    amount_quantiles,
    log_bessel,
    log_gamma,
    negative_binomial_quantiles,
)
from lstmcast.model.levels import HEAD_QUANTILES

SMALLEST_UNIT = 1e-2  # as a share of the location and of the unit of the data
SMALLEST_MEAN = 1e-4  # in units of the scale
SMALLEST_SPREAD = 1e-3  # smallest a, the dispersion in excess of a Poisson variable's
MOST_ZEROS = 0.98  # largest share of additional zeros
COUNTS, AMOUNTS = "count", "positive"  # kinds of values that a head can be trained on


class _OfMean:
    """Base of these heads: the first raw number sets the mean, which is the point forecast."""

    spreads = True
    center = 0
    affine = False

    def point(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """The mean."""
        return _mean(raw, location, scale, xp)


class NegativeBinomial(_OfMean):
    """Counts with variance mean + a · mean².

    Raw numbers: the mean and a. Training needs whole numbers from 0.
    """

    name = "negative_binomial"
    values = COUNTS
    outputs = 2

    def quantiles(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """Counts (NumPy only: training does not need them)."""
        mean = _mean(raw, location, scale, np)
        shape = _shape(raw, np)
        level_Q = np.array(HEAD_QUANTILES)
        return negative_binomial_quantiles(mean, shape, level_Q)

    def loss(self, raw: Any, target: Any, location: Any, scale: Any, xp: Any) -> Any:
        """−log p(target)."""
        mean = _mean(raw, location, scale, xp)
        shape = _shape(raw, xp)
        return -_log_chance(target, mean, shape, xp)

    def sample(
        self, raw: NDArray, location: NDArray, scale: NDArray, rng: np.random.Generator
    ) -> NDArray:
        """A Poisson draw about a gamma draw."""
        mean = _mean(raw, location, scale, np)
        shape = _shape(raw, np)
        return _drawn(mean, shape, rng)

    def initial(self, horizon: int) -> NDArray:
        """Start at the location, with a of about one half."""
        return np.tile([0.0, -0.5], (horizon, 1))


class ZeroInflated(_OfMean):
    """Counts of a negative binomial distribution with additional zeros.

    Raw numbers: the mean, with the additional zeros; a; and the log odds of these zeros. Training
    needs whole numbers from 0.
    """

    name = "zero_inflated"
    values = COUNTS
    outputs = 3

    def quantiles(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """Counts (NumPy only: training does not need them)."""
        zeros = _zeros(raw, np)
        share = 1 - zeros  # of the counts from the negative binomial distribution
        beyond_zeros = np.array(HEAD_QUANTILES) - zeros[..., None]
        level_Q = beyond_zeros / share[..., None]
        mean = _mean(raw, location, scale, np) / share
        shape = _shape(raw, np)
        positive_level_Q = np.maximum(level_Q, 0.0)
        counts = negative_binomial_quantiles(mean, shape, positive_level_Q)
        # not `level > zeros`: a NaN level must not become 0
        return np.where(level_Q <= 0, 0.0, counts)

    def loss(self, raw: Any, target: Any, location: Any, scale: Any, xp: Any) -> Any:
        """−log p(target)."""
        zeros = _zeros(raw, xp)
        share = 1 - zeros
        mean = _mean(raw, location, scale, xp) / share
        shape = _shape(raw, xp)
        chance = _log_chance(target, mean, shape, xp)
        logs = xp.log(share) + chance
        logs_of_zero = xp.logaddexp(xp.log(zeros), logs)
        is_zero = target == 0
        return -xp.where(is_zero, logs_of_zero, logs)

    def sample(
        self, raw: NDArray, location: NDArray, scale: NDArray, rng: np.random.Generator
    ) -> NDArray:
        """Zero, or a draw from the negative binomial distribution."""
        zeros = _zeros(raw, np)
        mean = _mean(raw, location, scale, np) / (1 - zeros)
        shape = _shape(raw, np)
        count = _drawn(mean, shape, rng)
        is_zero = rng.random(zeros.shape) < zeros
        return np.where(is_zero, 0.0, count)

    def initial(self, horizon: int) -> NDArray:
        """Start at the location, with few additional zeros."""
        return np.tile([0.0, -0.5, -3.0], (horizon, 1))


class Tweedie(_OfMean):
    """Amounts that are 0 or positive, such as money: sums of a random number of exponential ones.

    This is Tweedie's distribution of power 1.5: the variance is φ · mean^1.5. Raw numbers: the
    mean and φ. Jørgensen, "The Theory of Dispersion Models" (1997).
    """

    name = "tweedie"
    values = AMOUNTS
    outputs = 2

    def quantiles(self, raw: Any, location: Any, scale: Any, xp: Any) -> Any:
        """Quantiles, 0 up to the probability of zero (NumPy only: training does not need them)."""
        number, size = _amounts(raw, location, scale, np)
        return size[..., None] * amount_quantiles(number)

    def loss(self, raw: Any, target: Any, location: Any, scale: Any, xp: Any) -> Any:
        """−log p(target), with a density for targets above 0."""
        number, size = _amounts(raw, location, scale, xp)
        is_positive = target > 0
        size_of_all = xp.ones_like(target) * size
        positive = xp.where(is_positive, target, size_of_all) / size
        # exp(−λ − t) √(λ/t) I₁(2√(λt)) / θ with t = y/θ; exponents are combined to keep precision
        root_gap = xp.sqrt(number) - xp.sqrt(positive)
        root_of_product = xp.sqrt(number * positive)
        bessel = log_bessel(2 * root_of_product, xp)
        log_ratio = xp.log(number) - xp.log(positive)
        half_ratio = 0.5 * log_ratio
        logs = bessel - root_gap**2 + half_ratio - xp.log(size)
        return xp.where(is_positive, -logs, number)

    def sample(
        self, raw: NDArray, location: NDArray, scale: NDArray, rng: np.random.Generator
    ) -> NDArray:
        """The sum of a Poisson number of exponential draws."""
        number, size = _amounts(raw, location, scale, np)
        return size * rng.gamma(rng.poisson(number))

    def initial(self, horizon: int) -> NDArray:
        """Start at the location, with φ of about one half."""
        return np.tile([0.0, 0.0], (horizon, 1))


COUNT_HEADS = (NegativeBinomial(), ZeroInflated(), Tweedie())


def _softplus(value: Any, xp: Any) -> Any:
    return xp.logaddexp(value, xp.zeros_like(value))


def _mean(raw: Any, location: Any, scale: Any, xp: Any) -> Any:
    """Location plus scale times the first raw number; close to 0 where that is very negative."""
    unit = _unit(location, scale, xp)
    distance = location / unit + raw[..., 0]
    above_zero = _softplus(distance, xp)
    return unit * (above_zero + SMALLEST_MEAN)


def _unit(location: Any, scale: Any, xp: Any) -> Any:
    """The scale, but at least a small share of the level: constant series need a unit too."""
    level = xp.abs(location) + SMALLEST_UNIT
    return xp.maximum(scale, SMALLEST_UNIT * level)


def _shape(raw: Any, xp: Any) -> Any:
    """1/a of a negative binomial distribution."""
    spread = _softplus(raw[..., 1], xp)
    return 1 / (spread + SMALLEST_SPREAD)


def _zeros(raw: Any, xp: Any) -> Any:
    """The share of additional zeros, kept above 0 so that its logarithm is finite."""
    odds = _softplus(-raw[..., 2], xp)
    largest = xp.ones_like(odds) * 30.0
    limited = xp.minimum(odds, largest)
    return MOST_ZEROS * xp.exp(-limited)


def _amounts(raw: Any, location: Any, scale: Any, xp: Any) -> tuple[Any, Any]:
    """The mean number of amounts and their mean size; φ is measured in units of the scale."""
    unit = _unit(location, scale, xp)
    mean = _mean(raw, location, scale, xp) / unit
    spread = _softplus(raw[..., 1], xp) + SMALLEST_SPREAD
    root = xp.sqrt(mean)
    number = 2 * root / spread
    size = 0.5 * unit * spread * root
    return number, size


def _log_chance(target: Any, mean: Any, shape: Any, xp: Any) -> Any:
    """log p of a count by a negative binomial distribution."""
    total = shape + mean
    choices = log_gamma(target + shape, xp) - log_gamma(shape, xp)
    choices = choices - log_gamma(target + 1, xp)
    of_shape = shape * xp.log(shape / total)
    of_target = target * xp.log(mean / total)
    return choices + of_shape + of_target


def _drawn(mean: NDArray, shape: NDArray, rng: np.random.Generator) -> NDArray:
    rate = rng.gamma(shape, mean / shape)
    count = rng.poisson(rate)
    return count.astype(float)
