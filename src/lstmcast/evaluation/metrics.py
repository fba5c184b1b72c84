"""Metrics of forecast accuracy.

Each metric is the mean (for RMSE and RMSSE its root) of an error over all points, or over the
axes named by `axis`: `axis=0` of (O, H) arrays gives one number per horizon, `axis=1` one per
origin, `axis=None` one for all. Points whose actual value is unknown (NaN) are skipped; without any
point the result is NaN. A NaN forecast of a known value makes the result NaN, so that a model is
not rewarded for missing forecasts.

Shapes: O origins, H horizon, Q quantile levels; other leading shapes work as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.origins import mean_changes

if TYPE_CHECKING:
    from lstmcast.data.origins import Origins
    from lstmcast.data.panel import Panel

# Metrics return a number, or an array if an axis is given: `float | Any` tells type checkers so
# without requiring users to narrow the type.
Axis = int | tuple[int, ...] | None


def mae(actual_OH: ndarray, forecast_OH: ndarray, axis: Axis = None) -> float | Any:
    """Mean absolute error, in the units of the target.

    >>> mae(np.array([3.0, 5.0, np.nan]), np.array([2.0, 5.0, 9.0]))
    0.5
    """
    return _mean(np.abs(actual_OH - forecast_OH), actual_OH, axis)


def rmse(actual_OH: ndarray, forecast_OH: ndarray, axis: Axis = None) -> float | Any:
    """Root of the mean squared error over all points, in the units of the target.

    >>> rmse(np.array([3.0, 5.0, 1.0, 1.0]), np.array([3.0, 9.0, 1.0, 1.0]))
    2.0
    """
    return _root_mean_square(actual_OH - forecast_OH, actual_OH, axis)


def mape(actual_OH: ndarray, forecast_OH: ndarray, axis: Axis = None) -> float | Any:
    """Mean absolute error in percent of the actual value; points with an actual value of 0 are
    skipped.

    >>> mape(np.array([10.0, 0.0]), np.array([9.0, 1.0]))
    10.0
    """
    divisor_OH = np.where(actual_OH == 0, np.nan, actual_OH)
    share_OH = np.abs((divisor_OH - forecast_OH) / divisor_OH)
    return 100 * _mean(share_OH, divisor_OH, axis)


def smape(actual_OH: ndarray, forecast_OH: ndarray, axis: Axis = None) -> float | Any:
    """Symmetric mean absolute percentage error, from 0 to 200: the error relative to the mean of
    both sizes.

    200·|y − f| / (|y| + |f|) as in the M4 competition, and 0 if actual value and forecast are both
    0.

    >>> smape(np.array([10.0, 0.0]), np.array([30.0, 0.0]))
    50.0

    Makridakis et al., "The M4 Competition", IJF 36 (2020).
    """
    size = np.abs(actual_OH) + np.abs(forecast_OH)
    divisor = np.where(size == 0, 1, size)
    share = np.abs(actual_OH - forecast_OH) / divisor
    return 200 * _mean(share, actual_OH, axis)


def mase(
    actual_OH: ndarray,
    forecast_OH: ndarray,
    scale_O: ndarray | float,
    axis: Axis = None,
) -> float | Any:
    """Mean absolute error divided by `scale_O`, that of the seasonal naive forecast on the history.

    1.0 means "as large as the one-step seasonal naive error on the history", which `naive_scales`
    computes. Unitless. Origins without a scale (NaN) are skipped.

    >>> mase(np.array([[3.0, 5.0]]), np.array([[2.0, 5.0]]), np.array([1.0]))
    0.5

    Hyndman & Koehler, "Another look at measures of forecast accuracy", IJF 22 (2006).
    """
    scale_O1, judged_OH = _scaled(actual_OH, scale_O)
    error_OH = np.abs(actual_OH - forecast_OH) / scale_O1
    return _mean(error_OH, judged_OH, axis)


def rmsse(
    actual_OH: ndarray,
    forecast_OH: ndarray,
    scale_O: ndarray | float,
    axis: Axis = None,
) -> float | Any:
    """Root of the mean of the squared errors divided by `scale_O`, the root mean squared seasonal
    naive error.

    Unitless. One number per origin, as in the M5 competition, is `axis=-1`; over several origins
    the mean is taken before the root. Origins without a scale (NaN) are skipped.

    >>> rmsse(np.array([[3.0, 5.0]]), np.array([[1.0, 7.0]]), np.array([4.0]))
    0.5

    Makridakis et al., "M5 accuracy competition", IJF 38 (2022).
    """
    scale_O1, judged_OH = _scaled(actual_OH, scale_O)
    error_OH = (actual_OH - forecast_OH) / scale_O1
    return _root_mean_square(error_OH, judged_OH, axis)


def pinball(
    actual_OH: ndarray,
    quantiles_OHQ: ndarray,
    levels_Q: Sequence[float],
    axis: Axis = None,
) -> float | Any:
    """Mean pinball (quantile) loss over points and levels, in the units of the target.

    For a level q it is q·(y − f) where the actual value is above the quantile and (1 − q)·(f − y)
    where it is below.

    >>> pinball(np.array([10.0]), np.array([[8.0, 12.0]]), [0.25, 0.75])
    0.5

    Koenker & Bassett, "Regression quantiles", Econometrica 46 (1978).
    """
    quantile_levels = np.asarray(levels_Q, np.float64)
    if not len(quantile_levels):
        unknown_OH = np.full(actual_OH.shape, np.nan)
        return _mean(unknown_OH, actual_OH, axis)
    above = actual_OH[..., None] - quantiles_OHQ
    loss_above = quantile_levels * above
    loss_below = (quantile_levels - 1) * above
    loss = np.maximum(loss_above, loss_below)
    return _mean(loss.mean(-1), actual_OH, axis)


def crps(
    actual_OH: ndarray,
    quantiles_OHQ: ndarray,
    levels_Q: Sequence[float],
    axis: Axis = None,
) -> float | Any:
    """Continuous ranked probability score, approximated by quantiles: twice the mean pinball loss,
    in the units of the target.

    It approaches the exact score with many evenly spaced levels; with few, only compare forecasts
    at the same levels. With the median alone it is the mean absolute error.

    >>> crps(np.array([10.0]), np.array([[8.0]]), [0.5])
    2.0

    Gneiting & Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA 102
    (2007).
    """
    return 2 * pinball(actual_OH, quantiles_OHQ, levels_Q, axis)


def coverage(
    actual_OH: ndarray, lower_OH: ndarray, upper_OH: ndarray, axis: Axis = None
) -> float | Any:
    """Share of the actual values, 0 to 1, that lie inside their interval, bounds included.

    >>> coverage(np.array([1.0, 2.0, 3.0, 4.0]), np.full(4, 2.0), np.full(4, 3.0))
    0.5
    """
    is_inside = (lower_OH <= actual_OH) & (actual_OH <= upper_OH)
    is_unbounded = np.isnan(lower_OH + upper_OH)
    inside_or_unknown = np.where(is_unbounded, np.nan, is_inside)
    return _mean(inside_or_unknown, actual_OH, axis)


class Scales(NamedTuple):
    """The size of the one-step seasonal naive error on the history before each origin; NaN if it
    is 0 or unknown."""

    absolute: ndarray  # (O,) mean absolute error, for MASE
    squared: ndarray  # (O,) root mean squared error, for RMSSE


def naive_scales(panel: Panel, origins: Origins, period: int | None = None) -> Scales:
    """The divisors of MASE and RMSSE, from the values known at each origin, in the units of the
    target.

    The period is the first one of the panel, or 1 if the history is shorter than a cycle and one
    more value. A constant history has no scale: NaN.
    """
    period = int(panel.periods[0]) if period is None else period
    exponent_S, values = _near_one(panel)

    def mean_size(measure: np.ufunc) -> ndarray:
        seasonal_O, _ = mean_changes(panel, origins, period, values, measure)
        plain_O, _ = mean_changes(panel, origins, 1, values, measure)
        has_cycle_O = origins.counts > period
        mean_O = np.where(has_cycle_O, seasonal_O, plain_O)
        return np.where(mean_O > 0, mean_O, np.nan)

    exponent_O = exponent_S[origins.series]
    absolute_O = np.ldexp(mean_size(np.abs), exponent_O)
    squared_O = np.ldexp(np.sqrt(mean_size(np.square)), exponent_O)
    return Scales(absolute_O, squared_O)


def _near_one(panel: Panel) -> tuple[ndarray, ndarray]:
    """An exponent for each series, and the values divided by 2 to that power, so that squares of
    their changes neither overflow nor underflow."""
    size = np.where(np.isfinite(panel.values), np.abs(panel.values), 0.0)
    largest_S = np.maximum.reduceat(size, panel.offsets[:-1])
    _, exponent_S = np.frexp(largest_S)
    exponent_N = np.repeat(exponent_S, panel.lengths)
    return exponent_S, np.ldexp(panel.values, -exponent_N)


def _scaled(actual: ndarray, scale: ndarray | float) -> tuple[ndarray, ndarray]:
    """The scale broadcast to the points, and the points that have one."""
    scale_O1 = np.asarray(scale, np.float64)[..., None]
    is_unknown = np.isnan(scale_O1)
    divisor_O1 = np.where(is_unknown, 1.0, scale_O1)
    judged = np.where(is_unknown, np.nan, actual)
    return divisor_O1, judged


def _mean(error: ndarray, actual: ndarray, axis: Axis) -> float | Any:
    """Mean of the errors, which are not negative, where `actual` is not NaN."""
    return _power_mean(error, actual, axis, 1)


def _root_mean_square(error: ndarray, actual: ndarray, axis: Axis) -> float | Any:
    """Root of the mean of the squared errors where `actual` is not NaN."""
    return _power_mean(np.abs(error), actual, axis, 2)


@np.errstate(over="ignore")
def _power_mean(error: ndarray, actual: ndarray, axis: Axis, power: int) -> float | Any:
    """Mean of error^power where `actual` is not NaN, to the power of 1 / `power`: 1 or 2.

    Errors are first divided by a power of two near the largest one: squares of 1e200 and 1e-200
    then stay in range, sums stay finite, and other results do not change in any digit.
    """
    is_judged = ~np.isnan(actual)
    error = np.where(is_judged, error, 0.0)
    largest = error.max(axis, keepdims=True, initial=0.0)
    finite = np.where(np.isfinite(largest), largest, 1.0)
    _, exponent = np.frexp(finite)
    powers = np.ldexp(error, -exponent) ** power
    count = is_judged.sum(axis)
    total = np.where(count > 0, powers.sum(axis), np.nan)
    mean = total / np.maximum(count, 1)
    root = np.sqrt(mean) if power == 2 else mean
    root = np.ldexp(root, exponent.squeeze(axis))
    return float(root) if root.ndim == 0 else root
