"""Quantiles of the distributions of heads, in NumPy.

Quantiles of counts and amounts are interpolated in tables: of the gamma distribution over its
shape, and of sums of a Poisson number of exponential amounts over the mean of that number. Tables
are computed on first use, which takes a few hundredths of a second. Functions that training needs
take the array namespace as an argument.

Q levels · K shapes of a table · X places of a table
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.levels import HEAD_QUANTILES, MEDIAN, SCORES

# means from which quantiles of counts are taken from the gamma distribution
LARGE = 50.0
# range of the table; beyond it Wilson and Hilferty are exact enough
SMALL_SHAPES = (0.01, 25.0)
FEW_SUMMANDS = (1e-3, 200.0)  # range of the table for the mean number of amounts
MOST_TERMS = 400  # terms of a sum over counts
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680)
# Abramowitz & Stegun 9.8.3 and 9.8.4: polynomials of the Bessel function I₁
_BESSEL_NEAR = (
    0.5,
    0.87890594,
    0.51498869,
    0.15084934,
    0.02658733,
    0.00301532,
    0.00032411,
)
_BESSEL_FAR = (
    *(0.39894228, -0.03988024, -0.00362018, 0.00163801, -0.01031555),
    *(0.02282967, -0.02895312, 0.01787654, -0.00420059),
)


def log_gamma(value: Any, xp: Any) -> Any:
    """log Γ(x) for x > 0, from Stirling's series at x + 7.

    >>> bool(np.allclose(np.exp(log_gamma(np.array([1.0, 5.0]), np)), [1, 24]))
    True
    """
    shift = sum(xp.log(value + step) for step in range(7))
    value = value + 7
    series = 0
    for order, term in enumerate(_STIRLING):
        exponent = 2 * order + 1
        series = series + term / value**exponent
    half_log_of_turn = 0.5 * math.log(2 * math.pi)
    main = (value - 0.5) * xp.log(value)
    main = main - value + half_log_of_turn
    return main + series - shift


def log_gamma_ratio(value: Any, xp: Any) -> Any:
    """log Γ(x + ½) − log Γ(x) for x ≥ 1: the asymptotic series (Abramowitz & Stegun 6.1.47),
    shifted by three steps."""
    shift = 0
    for step in range(3):
        ratio = (value + step) / (value + step + 0.5)
        shift = shift + xp.log(ratio)
    value = value + 3
    main = shift + 0.5 * xp.log(value)
    first = 1 / (8 * value)
    second = 1 / (192 * value**3)
    third = 1 / (640 * value**5)
    return main - first + second - third


def log_bessel(value: Any, xp: Any) -> Any:
    """log(exp(−z) I₁(z)) for z > 0."""
    border = xp.ones_like(value) * 3.75
    near = xp.minimum(value, border)
    far = xp.maximum(value, border)
    near_square = (near / 3.75) ** 2
    of_near = _polynomial(_BESSEL_NEAR, near_square)
    log_near = xp.log(near) + xp.log(of_near) - near
    of_far = _polynomial(_BESSEL_FAR, 3.75 / far)
    log_far = xp.log(of_far) - 0.5 * xp.log(far)
    return xp.where(value < 3.75, log_near, log_far)


def _polynomial(factors: tuple[float, ...], variable: Any) -> Any:
    value = factors[-1]
    for factor in factors[-2::-1]:
        value = value * variable + factor
    return value


def student_scores(freedom: NDArray) -> NDArray:
    """Quantiles (…, Q) at `HEAD_QUANTILES` of Student's t with these degrees of freedom (…), which
    must be at least 2.

    G. W. Hill, "Algorithm 396: Student's t-quantiles", Communications of the ACM 13 (1970), whose
    letters a to d are used here.

    >>> student_scores(np.array(5.0)).round(3).tolist()
    [-2.571, -1.476, -0.727, 0.0, 0.727, 1.476, 2.571]
    """
    degrees = freedom[..., None]
    upper_levels = np.array(HEAD_QUANTILES[MEDIAN + 1 :])
    tails = 2 * (1 - upper_levels)
    normal_Q = -SCORES[MEDIAN + 1 :]
    a = 1 / (degrees - 0.5)
    b = 48 / a**2
    c = 20700 * a / b - 98
    c = (c * a - 16) * a + 96.36
    d = (94.5 / (b + c) - 3) / b + 1
    d = d * np.sqrt(a * math.pi / 2) * degrees
    far = (d * tails) ** (2 / degrees)

    correction = 0.3 * (degrees - 4.5) * (normal_Q + 0.6)
    divisor = c + np.where(degrees < 5, correction, 0)
    cubic = 0.05 * d * normal_Q - 5
    cubic = (cubic * normal_Q - 7) * normal_Q - 2
    divisor = cubic * normal_Q + b + divisor
    square = normal_Q**2
    sextic = (0.4 * square + 6.3) * square + 36
    sextic = sextic * square + 94.5
    root = (sextic / divisor - square - 3) / b + 1
    root = root * normal_Q
    near = np.expm1(a * root**2)

    slope = (degrees + 6) / (degrees * far)
    slope = slope - 0.089 * d - 0.822
    tail = 1 / (slope * (degrees + 2) * 3)
    tail = tail + 0.5 / (degrees + 4)
    tail = (tail * far - 1) * (degrees + 1) / (degrees + 2)
    tail = tail + 1 / far

    is_near = far > 0.05 + a
    score = np.sqrt(degrees * np.where(is_near, near, tail))
    lower = -score[..., ::-1]
    median = np.zeros_like(degrees)
    return np.concatenate([lower, median, score], axis=-1)


def negative_binomial_quantiles(
    mean: NDArray, shape: NDArray, level_Q: NDArray
) -> NDArray:
    """Quantiles (…, Q) of counts with these means and shapes (…): variance mean + mean²/shape.

    Small means sum up probabilities; large means use the gamma distribution with the same mean
    and variance. `level_Q`: (Q,), or (…, Q) for separate levels.

    >>> negative_binomial_quantiles(np.array(2.0), np.array(1.0), np.array([0.1, 0.5, 0.9]))
    array([0., 1., 5.])
    """
    mean = np.asarray(mean, float)
    shape = np.asarray(shape, float)
    mean, shape = np.broadcast_arrays(mean, shape)
    level_count = np.shape(level_Q)[-1]
    levels = np.broadcast_to(level_Q, (*mean.shape, level_count))
    quantiles = np.empty(levels.shape)
    small = mean <= LARGE
    large = ~small
    quantiles[small] = _counted_up(mean[small], shape[small], levels[small])
    quantiles[large] = _as_gamma(mean[large], shape[large], levels[large])
    return quantiles


def _as_gamma(mean_N: NDArray, shape_N: NDArray, level_NQ: NDArray) -> NDArray:
    """Quantiles of the gamma distribution with the same mean and variance, rounded (N, Q)."""
    gamma_shape_N = 1 / (1 / shape_N + 1 / mean_N)
    scale_N = mean_N / gamma_shape_N
    unit_amounts_NQ = gamma_quantiles(gamma_shape_N, level_NQ)
    amounts_NQ = unit_amounts_NQ * scale_N[..., None]
    counts_NQ = np.ceil(amounts_NQ - 0.5)
    return np.maximum(counts_NQ, 0.0)


def _counted_up(mean_N: NDArray, shape_N: NDArray, level_NQ: NDArray) -> NDArray:
    """Quantiles (N, Q) from cumulative probabilities, one count at a time."""
    count_NQ = np.zeros(level_NQ.shape)
    rows = np.arange(len(mean_N))
    total_N = shape_N + mean_N
    log_N = shape_N * np.log(shape_N / total_N)
    below_N = np.exp(log_N)
    ratio_N = np.log(mean_N / total_N)
    count = 0
    while len(rows):
        reached_NQ = level_NQ[rows] - 1e-12
        further_NQ = below_N[:, None] < reached_NQ
        going_N = further_NQ.any(axis=1)
        # the tail has ended once it adds nothing
        adds_something_N = (log_N > -60) | (below_N < 0.5)
        going_N &= adds_something_N
        count_NQ[rows] += further_NQ
        rows = rows[going_N]
        log_N = log_N[going_N]
        below_N = below_N[going_N]
        growth_N = np.log((count + shape_N[rows]) / (count + 1))
        log_N = log_N + growth_N + ratio_N[rows]
        below_N = below_N + np.exp(log_N)
        count += 1
    return count_NQ


def gamma_quantiles(shape: NDArray, level: NDArray) -> NDArray:
    """Quantiles (…, Q) of the gamma distribution with shape (…) and scale 1 at levels (…, Q).

    >>> gamma_quantiles(np.array([1.0]), np.array([[0.5]])).round(2)
    array([[0.69]])
    """
    shape = np.asarray(shape, float)[..., None]
    odds = _log_odds(np.asarray(level, float))
    fewest, largest = SMALL_SHAPES
    in_table = np.clip(shape, fewest, largest)
    # below the table too, log x times the shape hardly depends on the shape
    scaled_logs = _gamma_table().at(np.log(in_table), odds)
    logs = scaled_logs / np.minimum(shape, 1.0)
    score = np.interp(odds, *_score_table())
    # Wilson & Hilferty (1931): the cube root is nearly normal
    mean_root = 1 - 1 / (9 * shape)
    root = mean_root + score / (3 * np.sqrt(shape))
    beyond_table = shape * np.maximum(root, 0.0) ** 3
    return np.where(shape <= largest, np.exp(logs), beyond_table)


def amount_quantiles(number: NDArray) -> NDArray:
    """Quantiles (…, Q) at `HEAD_QUANTILES` of sums of exponential amounts of mean 1, whose number
    is Poisson with this mean (…).

    >>> amount_quantiles(np.array(0.01)).round(3).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    number = np.asarray(number, float)
    fewest, largest = FEW_SUMMANDS
    logs_K, table_KQ = _amount_table()
    in_table = np.clip(number, fewest, largest)
    log_number = np.log(in_table).ravel()
    columns = []
    for table_K in table_KQ.T:
        columns.append(np.interp(log_number, logs_K, table_K))
    shape = (*number.shape, len(HEAD_QUANTILES))
    small = np.stack(columns, axis=-1).reshape(shape)
    levels = np.broadcast_to(HEAD_QUANTILES, shape)
    half_number = np.maximum(number, largest) / 2
    large = 2 * gamma_quantiles(half_number, levels)
    is_in_table = number[..., None] <= largest
    return np.where(is_in_table, small, large)


class Table(NamedTuple):
    """Values (K, X) over rows and evenly spaced columns."""

    row_K: NDArray
    column_X: NDArray
    value_KX: NDArray

    def at(self, row: NDArray, column: NDArray) -> NDArray:
        """Bilinear interpolation."""
        first_row, row_share = _place(self.row_K, row)
        first_column, column_share = _place(self.column_X, column)
        low = self._along_row(first_row, first_column, column_share)
        high = self._along_row(first_row + 1, first_column, column_share)
        return (1 - row_share) * low + row_share * high

    def _along_row(self, row: NDArray, column: NDArray, share: NDArray) -> NDArray:
        below = self.value_KX[row, column]
        above = self.value_KX[row, column + 1]
        return (1 - share) * below + share * above


def _place(grid: NDArray, value: NDArray) -> tuple[NDArray, NDArray]:
    """Positions of values on an evenly spaced grid: the index below, and the share of the next."""
    last_place = len(grid) - 1
    spacing = grid[1] - grid[0]
    position = (value - grid[0]) / spacing
    position = np.clip(position, 0, last_place)
    # NaN stays NaN in the share
    place = np.nan_to_num(position).astype(np.int64)
    place = np.minimum(place, last_place - 1)
    share = position - place
    return place, share


def _log_odds(level: NDArray) -> NDArray:
    level = np.clip(level, 1e-7, 1 - 1e-7)
    odds = level / (1 - level)
    return np.log(odds)


@cache
def _gamma_table() -> Table:
    """Log quantiles, times the shape if it is below 1, over the log shape and the log odds of
    the level."""
    shape_K = np.geomspace(*SMALL_SHAPES, 120)
    odds_X = np.linspace(-16.0, 16.0, 801)
    rows = [_gamma_row(float(shape), odds_X) for shape in shape_K]
    factor_K = np.minimum(shape_K, 1.0)
    value_KX = np.stack(rows) * factor_K[:, None]
    return Table(np.log(shape_K), odds_X, value_KX)


def _gamma_row(shape: float, odds_X: NDArray) -> NDArray:
    """Log quantiles of one shape, from its distribution function on a fine grid."""
    # for small x, P(k, x) is xᵏ / Γ(k + 1), which gives the lowest level
    lowest = (math.log(1e-8) + math.lgamma(shape + 1)) / shape
    lowest = max(lowest, -650.0)
    far_above = shape + 12 * math.sqrt(shape) + 30
    log_x = np.linspace(lowest, math.log(far_above), 1000)
    below = _gamma_below(shape, np.exp(log_x))
    odds_below = _log_odds(below)
    return np.interp(odds_X, odds_below, log_x)


def _gamma_below(shape: float, values: NDArray) -> NDArray:
    """The regularised lower incomplete gamma function P(shape, x) of ascending x, by its series."""
    term = np.ones_like(values)
    total = np.ones_like(values)
    count = 0
    while count < values[-1] or term[-1] > 1e-12 * total[-1]:
        count += 1
        term = term * values / (shape + count)
        total = total + term
    log_factor = shape * np.log(values) - values
    log_factor = log_factor - math.lgamma(shape + 1)
    return np.exp(log_factor + np.log(total))


@cache
def _score_table() -> tuple[NDArray, NDArray]:
    """Scores of the normal distribution over log odds."""
    odds_X = np.linspace(-16.0, 16.0, 641)
    levels = 1 / (1 + np.exp(-odds_X))
    normal = NormalDist()
    scores = [normal.inv_cdf(level) for level in levels.tolist()]
    return odds_X, np.array(scores)


@cache
def _amount_table() -> tuple[NDArray, NDArray]:
    """The logarithm of the mean number (K,), and quantiles (K, Q) of the sum.

    P(sum ≤ x) is the probability that a Poisson variable with mean x is at least as large as
    another one with the mean number.
    """
    fewest, most = FEW_SUMMANDS
    number_K = np.geomspace(fewest, most, 241)
    largest = most + 8 * math.sqrt(2 * most) + 20
    share_X = np.linspace(0, 1, 3001)
    sum_X = largest * share_X**3
    chance_KN = _poisson(number_K)
    at_most_KN = np.cumsum(chance_KN, axis=1)
    chance_XN = _poisson(sum_X)
    below_KX = at_most_KN @ chance_XN.T
    quantiles = []
    for below_X in below_KX:
        quantiles.append(np.interp(HEAD_QUANTILES, below_X, sum_X))
    return np.log(number_K), np.stack(quantiles)


def _poisson(mean_M: NDArray) -> NDArray:
    """The probability of each count (M, N)."""
    count_N = np.arange(MOST_TERMS + 250)
    log_factorial_N = np.array([math.lgamma(count + 1) for count in count_N])
    positive_mean_M = np.maximum(mean_M, 1e-300)
    log_mean_M = np.log(positive_mean_M)
    log_power_MN = count_N * log_mean_M[:, None]
    log_chance_MN = log_power_MN - mean_M[:, None]
    log_chance_MN = log_chance_MN - log_factorial_N
    return np.exp(log_chance_MN)
