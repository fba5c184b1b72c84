"""Distributions of counts and amounts that the heads of demand need, in NumPy alone.

Quantiles come from tables: of the gamma distribution over its shape, and of sums of a random number
of exponential amounts over the mean of that number. They are made when they are first asked for,
in some hundredths of a second. What training needs is written over the array namespace.

Q levels · K shapes of a table · X places of a table
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.levels import HEAD_QUANTILES

LARGE = 50.0  # mean from which counts are read off the gamma distribution
SMALL_SHAPES = (0.01, 25.0)  # of the table; beyond it Wilson and Hilferty are exact enough
FEW_SUMMANDS = (1e-3, 200.0)  # likewise, of the mean number of amounts
MOST_TERMS = 400  # of a sum over counts
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680)
# Abramowitz & Stegun 9.8.3 and 9.8.4: polynomials of the Bessel function I₁
_BESSEL_NEAR = (0.5, 0.87890594, 0.51498869, 0.15084934, 0.02658733, 0.00301532, 0.00032411)
_BESSEL_FAR = (
    *(0.39894228, -0.03988024, -0.00362018, 0.00163801, -0.01031555),
    *(0.02282967, -0.02895312, 0.01787654, -0.00420059),
)


def log_gamma(x: Any, xp: Any) -> Any:
    """log Γ(x) for x > 0: Stirling's series, seven steps further on.

    >>> bool(np.allclose(np.exp(log_gamma(np.array([1.0, 5.0]), np)), [1, 24]))
    True
    """
    shift = sum(xp.log(x + k) for k in range(7))
    x = x + 7
    series = sum(c / x ** (2 * k + 1) for k, c in enumerate(_STIRLING))
    return (x - 0.5) * xp.log(x) - x + 0.5 * math.log(2 * math.pi) + series - shift


def log_bessel(z: Any, xp: Any) -> Any:
    """log(exp(−z) I₁(z)) for z > 0."""
    near, far = xp.minimum(z, xp.ones_like(z) * 3.75), xp.maximum(z, xp.ones_like(z) * 3.75)
    of_near = _polynomial(_BESSEL_NEAR, (near / 3.75) ** 2)
    of_far = _polynomial(_BESSEL_FAR, 3.75 / far)
    logs = xp.log(near) + xp.log(of_near) - near
    return xp.where(z < 3.75, logs, xp.log(of_far) - 0.5 * xp.log(far))


def _polynomial(factors: tuple[float, ...], x: Any) -> Any:
    value = factors[-1]
    for factor in factors[-2::-1]:
        value = value * x + factor
    return value


def negative_binomial_quantiles(mean: NDArray, shape: NDArray, level_Q: NDArray) -> NDArray:
    """Quantiles (…, Q) of counts with these means and shapes (…): variance mean + mean²/shape.

    Small ones are counted up; large ones are those of the gamma distribution with the same mean and
    variance. level_Q: (Q,), or (…, Q) where each has its own.

    >>> negative_binomial_quantiles(np.array(2.0), np.array(1.0), np.array([0.1, 0.5, 0.9]))
    array([0., 1., 5.])
    """
    mean, shape = np.broadcast_arrays(np.asarray(mean, float), np.asarray(shape, float))
    levels = np.broadcast_to(level_Q, (*mean.shape, np.shape(level_Q)[-1]))
    result = np.empty(levels.shape)
    small = mean <= LARGE
    result[small] = _counted_up(mean[small], shape[small], levels[small])
    mean, shape, levels = mean[~small], shape[~small], levels[~small]
    gamma_shape = 1 / (1 / shape + 1 / mean)
    amounts = gamma_quantiles(gamma_shape, levels) * (mean / gamma_shape)[..., None]
    result[~small] = np.maximum(np.ceil(amounts - 0.5), 0.0)
    return result


def _counted_up(mean_N: NDArray, shape_N: NDArray, level_NQ: NDArray) -> NDArray:
    """From cumulative probabilities, count by count, of those that need more (N, Q)."""
    count_NQ, rows = np.zeros(level_NQ.shape), np.arange(len(mean_N))
    log_N = shape_N * np.log(shape_N / (shape_N + mean_N))
    below_N = np.exp(log_N)
    ratio_N = np.log(mean_N / (shape_N + mean_N))
    k = 0
    while len(rows):
        further_NQ = below_N[:, None] < level_NQ[rows] - 1e-12
        going_N = further_NQ.any(axis=1)
        # a tail that no longer adds anything is at its end
        going_N &= (log_N > -60) | (below_N < 0.5)
        count_NQ[rows] += further_NQ
        rows, log_N, below_N = rows[going_N], log_N[going_N], below_N[going_N]
        log_N = log_N + np.log((k + shape_N[rows]) / (k + 1)) + ratio_N[rows]
        below_N = below_N + np.exp(log_N)
        k += 1
    return count_NQ


def gamma_quantiles(shape: NDArray, level: NDArray) -> NDArray:
    """Quantiles (…, Q) of the gamma distribution with shape (…) and scale 1 at levels (…, Q).

    >>> gamma_quantiles(np.array([1.0]), np.array([[0.5]])).round(2)
    array([[0.69]])
    """
    shape, level = np.asarray(shape, float)[..., None], np.asarray(level, float)
    table = _gamma_table()
    odds = _log_odds(level)
    few, many = SMALL_SHAPES
    small = np.clip(shape, few, many)
    # below the table too, log x times the shape hardly depends on the shape
    logs = table.at(np.log(small), odds) / np.minimum(shape, 1.0)
    score = np.interp(odds, *_score_table())
    # Wilson & Hilferty (1931): the cube root is nearly normal
    root = 1 - 1 / (9 * shape) + score / (3 * np.sqrt(shape))
    return np.where(shape <= many, np.exp(logs), shape * np.maximum(root, 0.0) ** 3)


def amount_quantiles(number: NDArray) -> NDArray:
    """Quantiles (…, Q) at `HEAD_QUANTILES` of sums of exponential amounts of mean 1, of which there
    are as many as a Poisson variable with this mean (…) says.

    >>> amount_quantiles(np.array(0.01)).round(3).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    number = np.asarray(number, float)
    few, many = FEW_SUMMANDS
    logs_K, table_KQ = _amount_table()
    at = np.log(np.clip(number, few, many)).ravel()
    columns = [np.interp(at, logs_K, table_K) for table_K in table_KQ.T]
    small = np.stack(columns, axis=-1).reshape(*number.shape, len(HEAD_QUANTILES))
    levels = np.broadcast_to(HEAD_QUANTILES, small.shape)
    large = 2 * gamma_quantiles(np.maximum(number, many) / 2, levels)
    return np.where(number[..., None] <= many, small, large)


class Table(NamedTuple):
    """Values (K, X) over rows and evenly spaced columns."""

    row_K: NDArray
    column_X: NDArray
    value_KX: NDArray

    def at(self, row: NDArray, column: NDArray) -> NDArray:
        """Straight lines between four neighbours."""
        r, share_r = _place(self.row_K, row)
        c, share_c = _place(self.column_X, column)
        low = (1 - share_c) * self.value_KX[r, c] + share_c * self.value_KX[r, c + 1]
        high = (1 - share_c) * self.value_KX[r + 1, c] + share_c * self.value_KX[r + 1, c + 1]
        return (1 - share_r) * low + share_r * high


def _place(grid: NDArray, value: NDArray) -> tuple[NDArray, NDArray]:
    """Where values lie on an evenly spaced grid: the place below, and the share of the next."""
    at = np.clip((value - grid[0]) / (grid[1] - grid[0]), 0, len(grid) - 1)
    # NaN has a share that is NaN
    place = np.minimum(np.nan_to_num(at).astype(np.int64), len(grid) - 2)
    return place, at - place


def _log_odds(level: NDArray) -> NDArray:
    level = np.clip(level, 1e-7, 1 - 1e-7)
    return np.log(level / (1 - level))


@cache
def _gamma_table() -> Table:
    """Logarithms of quantiles, times the shape where that is below 1, over the logarithm of the
    shape and the log odds of the level."""
    shape_K = np.geomspace(*SMALL_SHAPES, 120)
    odds_X = np.linspace(-16.0, 16.0, 801)
    value_KX = np.stack([_gamma_row(float(shape), odds_X) for shape in shape_K])
    return Table(np.log(shape_K), odds_X, value_KX * np.minimum(shape_K, 1.0)[:, None])


def _gamma_row(shape: float, odds_X: NDArray) -> NDArray:
    """Logarithms of the quantiles of one shape, from its distribution function on a fine grid."""
    # far below, P(k, x) is xᵏ / Γ(k + 1): that says where the lowest level is
    lowest = (math.log(1e-8) + math.lgamma(shape + 1)) / shape
    highest = math.log(shape + 12 * math.sqrt(shape) + 30)
    log_x = np.linspace(max(lowest, -650.0), highest, 1000)
    return np.interp(odds_X, _log_odds(_gamma_below(shape, np.exp(log_x))), log_x)


def _gamma_below(shape: float, x: NDArray) -> NDArray:
    """The regularised incomplete gamma function P(shape, x) of rising x, by its series."""
    term, total = np.ones_like(x), np.ones_like(x)
    n = 0
    while n < x[-1] or term[-1] > 1e-12 * total[-1]:
        n += 1
        term = term * x / (shape + n)
        total = total + term
    return np.exp(shape * np.log(x) - x - math.lgamma(shape + 1) + np.log(total))


@cache
def _score_table() -> tuple[NDArray, NDArray]:
    """Scores of the normal distribution over log odds."""
    odds_X = np.linspace(-16.0, 16.0, 641)
    levels = 1 / (1 + np.exp(-odds_X))
    return odds_X, np.array([NormalDist().inv_cdf(level) for level in levels.tolist()])


@cache
def _amount_table() -> tuple[NDArray, NDArray]:
    """The logarithm of the mean number (K,), and quantiles (K, Q) of the sum.

    The sum is at most x as likely as one Poisson variable, with mean x, is at least another one,
    with the mean number.
    """
    number_K = np.geomspace(*FEW_SUMMANDS, 241)
    most = FEW_SUMMANDS[1] + 8 * math.sqrt(2 * FEW_SUMMANDS[1]) + 20
    sum_X = most * np.linspace(0, 1, 3001) ** 3
    at_most_KN = np.cumsum(_poisson(number_K), axis=1)
    below_KX = at_most_KN @ _poisson(sum_X).T
    quantiles = [np.interp(HEAD_QUANTILES, below_X, sum_X) for below_X in below_KX]
    return np.log(number_K), np.stack(quantiles)


def _poisson(mean_M: NDArray) -> NDArray:
    """How likely each count is (M, N)."""
    n = np.arange(MOST_TERMS + 250)
    log_factorial_N = np.array([math.lgamma(k + 1) for k in n])
    log_mean_M1 = np.log(np.maximum(mean_M, 1e-300))[:, None]
    return np.exp(n * log_mean_M1 - mean_M[:, None] - log_factorial_N)
