"""Intervals as a graph: quantiles around a point, widened and limited at 0.

It computes the same as `decoding.whole`, `evaluation.calibration.widened` and `data.kinds`.

    N rows and columns · T steps · H horizon · X one point, or quantiles · Q quantile levels
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.kinds import SMALL
from lstmcast.export.graphs import Symbol, reduced
from lstmcast.model.heads import MEDIAN, SCORES
from lstmcast.model.inputs.adaptive import OUTER
from lstmcast.transforms.stabilising import LOG_LARGEST, LOG_SMALLEST

LEAST_CHANGE = 1e-12  # for a series that never changed, as in `decoding.whole`


def around(point_NH1: Symbol, change_N: Symbol, horizon: int) -> Symbol:
    """Quantiles (N, H, Q) of a random walk whose steps are as large as the series' own."""
    root_H = np.sqrt(np.arange(1, horizon + 1))
    spread_NH = np.maximum(change_N, LEAST_CHANGE)[:, None] * root_H
    return point_NH1 + spread_NH[:, :, None] * SCORES


def mean_change(values_NT: Symbol) -> Symbol:
    """The mean absolute change between known neighbours (N,); 0 if there are none."""
    newer_NT = values_NT[:, 1:]
    older_NT = values_NT[:, :-1]
    change_NT = np.abs(newer_NT - older_NT)
    is_unknown_NT = np.isnan(change_NT)
    total_N = reduced(np.where(is_unknown_NT, 0.0, change_NT), 1)[:, 0]
    count_N = reduced(np.where(is_unknown_NT, 0.0, 1.0), 1)[:, 0]
    return total_N / np.maximum(count_N, 1.0)


def widened(quantiles_NHQ: Symbol, factors_HI: NDArray, horizon: int) -> Symbol:
    """Quantiles with their distances to the median multiplied by the interval's factor: in
    logarithms if all are positive, in square roots if some are 0, else as they are."""
    is_unknown_NHQ = np.isnan(quantiles_NHQ)
    known_NHQ = np.where(is_unknown_NHQ, np.inf, quantiles_NHQ)
    low_N1Q = reduced(known_NHQ, 2, "Min")
    low_N11 = reduced(low_N1Q, 1, "Min")
    is_log = low_N11 > 0.0
    is_root = low_N11 == 0.0
    logs_NHQ = np.log(np.where(is_log, quantiles_NHQ, 1.0))
    roots_NHQ = np.sqrt(np.maximum(quantiles_NHQ, 0.0))
    z_NHQ = np.where(is_log, logs_NHQ, quantiles_NHQ)
    z_NHQ = np.where(is_root, roots_NHQ, z_NHQ)
    wide_NHQ = _stretched(z_NHQ, _factors_of_quantiles(factors_HI, horizon))
    safe_NHQ = np.where(is_log, wide_NHQ, 0.0)
    ratios_NHQ = np.exp(np.clip(safe_NHQ, LOG_SMALLEST, LOG_LARGEST))
    squares_NHQ = np.maximum(wide_NHQ, 0.0) ** 2.0
    widened_NHQ = np.where(is_log, ratios_NHQ, wide_NHQ)
    widened_NHQ = np.where(is_root, squares_NHQ, widened_NHQ)
    return np.where(is_unknown_NHQ, np.nan, widened_NHQ)


def _factors_of_quantiles(factors_HI: NDArray, horizon: int) -> NDArray:
    """The factor of each quantile (H, Q): that of its interval, 1 for the median; steps beyond the
    last one have its factors."""
    step_H = np.minimum(np.arange(horizon), len(factors_HI) - 1)
    upper_HI = factors_HI[step_H]
    lower_HI = upper_HI[:, ::-1]
    return np.concatenate([lower_HI, np.ones((horizon, 1)), upper_HI], axis=1)


def _stretched(z_NHQ: Symbol, factors_HQ: NDArray) -> Symbol:
    levels = factors_HQ.shape[1]
    median_NH1 = z_NHQ[:, :, MEDIAN : MEDIAN + 1]
    distance_NHQ = z_NHQ - median_NH1
    lower = _reaches(z_NHQ, distance_NHQ, slice(None, OUTER))
    upper = _reaches(z_NHQ, distance_NHQ, slice(-OUTER, None))
    inner = [lower[:, :, :1] * 0.0] * (levels - 2 * OUTER)
    reaches_NHQ = np.concatenate([lower, *inner, upper], axis=2)
    stretched_NHQ = np.where(reaches_NHQ > 0.0, distance_NHQ, distance_NHQ * factors_HQ)
    return (median_NH1 + stretched_NHQ).sorted(levels)


def _reaches(z_NHQ: Symbol, distance_NHQ: Symbol, side: slice) -> Symbol:
    """1 if the outer bounds of a side coincide, away from the median and 0: they mark another
    level, and are not widened."""
    outer = z_NHQ[:, :, side]
    first = outer[:, :, :1]
    second = outer[:, :, 1:]
    distance = distance_NHQ[:, :, side][:, :, :1]
    is_apart = np.abs(distance) > 0.0
    reaches = (first == second) & (np.abs(first) > 0.0) & is_apart
    return np.concatenate([reaches.astype(float)] * OUTER, axis=2)


def stops_at_zero(values_NT: Symbol) -> Symbol:
    """Which series stop at 0 (N, 1): those never below it that touch it or are counts."""
    is_unknown_NT = np.isnan(values_NT)
    low_N1 = reduced(np.where(is_unknown_NT, np.inf, values_NT), 1, "Min")
    fraction_NT = np.abs(values_NT - np.rint(values_NT))
    fraction_NT = np.where(is_unknown_NT, 0.0, fraction_NT)
    is_whole_N1 = reduced(fraction_NT, 1, "Max") == 0.0
    is_small_N1 = _has_small_median(values_NT, is_unknown_NT)
    is_count_N1 = is_whole_N1 & (low_N1 > 0.0) & is_small_N1
    return (low_N1 == 0.0) | is_count_N1


def _has_small_median(values_NT: Symbol, is_unknown_NT: Symbol) -> Symbol:
    """Whether the median is small enough for counts (N, 1)."""
    is_below_NT = values_NT < float(SMALL)  # False for NaN
    count_N1 = reduced(np.where(is_unknown_NT, 0.0, 1.0), 1)
    below_N1 = reduced(is_below_NT.astype(float), 1)
    above_N1 = count_N1 - below_N1
    # If as many are below as above, the median is the mean of the two in the middle.
    greatest_below_N1 = reduced(np.where(is_below_NT, values_NT, -np.inf), 1, "Max")
    above_NT = np.where(is_below_NT | is_unknown_NT, np.inf, values_NT)
    least_above_N1 = reduced(above_NT, 1, "Min")
    middle_N1 = 0.5 * (greatest_below_N1 + least_above_N1)
    is_even_N1 = below_N1 == above_N1
    return (below_N1 > above_N1) | (is_even_N1 & (middle_N1 < float(SMALL)))
