"""Intervals as a graph: quantiles around a point, widened, limited at 0 and whole for counts.

It computes the same as `decoding.whole`, `evaluation.calibration.widened`, `data.kinds` and
`data.wholes`.

    N rows and columns · T steps · H horizon · X one point, or quantiles · Q quantile levels
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.kinds import SMALL
from lstmcast.data.wholes import FEWEST, LARGEST
from lstmcast.export.symbols import Symbol, reduced
from lstmcast.model.heads import MEDIAN, SCORES
from lstmcast.model.inputs.adaptive import OUTER
from lstmcast.transforms.stabilising import LOG_LARGEST, LOG_SMALLEST

LEAST_CHANGE = 1e-12  # for a series that never changed, as in `decoding.whole`


def around(point_NH1: Symbol, change_N: Symbol, horizon: int) -> Symbol:
    """Quantiles (N, H, Q) of a random walk whose steps are as large as the series' own."""
    steps_H = np.arange(1, horizon + 1)
    root_H = np.sqrt(steps_H)
    step_size_N = np.maximum(change_N, LEAST_CHANGE)
    spread_NH = step_size_N[:, None] * root_H
    distance_NHQ = spread_NH[:, :, None] * SCORES
    return point_NH1 + distance_NHQ


def mean_change(values_NT: Symbol) -> Symbol:
    """The mean absolute change between known neighbours (N,); 0 if there are none."""
    newer_NT = values_NT[:, 1:]
    older_NT = values_NT[:, :-1]
    change_NT = np.abs(newer_NT - older_NT)
    is_unknown_NT = np.isnan(change_NT)
    known_change_NT = np.where(is_unknown_NT, 0.0, change_NT)
    total_N1 = reduced(known_change_NT, 1)
    count_N1 = _count(is_unknown_NT)
    mean_N1 = total_N1 / np.maximum(count_N1, 1.0)
    return mean_N1[:, 0]


def _count(is_unknown_NT: Symbol) -> Symbol:
    """The number of known values of each row (N, 1)."""
    known_NT = np.where(is_unknown_NT, 0.0, 1.0)
    return reduced(known_NT, 1)


def widened(quantiles_NHQ: Symbol, factors_HI: NDArray, horizon: int) -> Symbol:
    """Quantiles with their distances to the median multiplied by the interval's factor: in
    logarithms if all are positive, in square roots if some are 0, else as they are."""
    is_unknown_NHQ = np.isnan(quantiles_NHQ)
    low_N11 = _lowest(quantiles_NHQ, is_unknown_NHQ)
    is_log = low_N11 > 0.0
    is_root = low_N11 == 0.0
    z_NHQ = _on_axis(quantiles_NHQ, is_log, is_root)
    factors_HQ = _factors_of_quantiles(factors_HI, horizon)
    wide_NHQ = _stretched(z_NHQ, factors_HQ)
    widened_NHQ = _from_axis(wide_NHQ, is_log, is_root)
    return np.where(is_unknown_NHQ, np.nan, widened_NHQ)


def _lowest(quantiles_NHQ: Symbol, is_unknown_NHQ: Symbol) -> Symbol:
    """The lowest known quantile of each row, at any step (N, 1, 1)."""
    known_NHQ = np.where(is_unknown_NHQ, np.inf, quantiles_NHQ)
    low_NH1 = reduced(known_NHQ, 2, "Min")
    return reduced(low_NH1, 1, "Min")


def _on_axis(quantiles_NHQ: Symbol, is_log: Symbol, is_root: Symbol) -> Symbol:
    """Logarithms or square roots of the quantiles where these are flagged."""
    positive_NHQ = np.where(is_log, quantiles_NHQ, 1.0)
    logs_NHQ = np.log(positive_NHQ)
    at_least_zero_NHQ = np.maximum(quantiles_NHQ, 0.0)
    roots_NHQ = np.sqrt(at_least_zero_NHQ)
    z_NHQ = np.where(is_log, logs_NHQ, quantiles_NHQ)
    return np.where(is_root, roots_NHQ, z_NHQ)


def _from_axis(z_NHQ: Symbol, is_log: Symbol, is_root: Symbol) -> Symbol:
    """The inverse of `_on_axis`, limited to finite numbers."""
    logs_NHQ = np.where(is_log, z_NHQ, 0.0)
    logs_NHQ = np.clip(logs_NHQ, LOG_SMALLEST, LOG_LARGEST)
    values_of_logs_NHQ = np.exp(logs_NHQ)
    roots_NHQ = np.maximum(z_NHQ, 0.0)
    values_of_roots_NHQ = roots_NHQ**2.0
    values_NHQ = np.where(is_log, values_of_logs_NHQ, z_NHQ)
    return np.where(is_root, values_of_roots_NHQ, values_NHQ)


def _factors_of_quantiles(factors_HI: NDArray, horizon: int) -> NDArray:
    """The factor of each quantile (H, Q): that of its interval, 1 for the median; steps beyond the
    last one have its factors."""
    last_step = len(factors_HI) - 1
    step_H = np.minimum(np.arange(horizon), last_step)
    upper_HI = factors_HI[step_H]
    lower_HI = upper_HI[:, ::-1]
    median_H1 = np.ones((horizon, 1))
    return np.concatenate([lower_HI, median_H1, upper_HI], axis=1)


def _stretched(z_NHQ: Symbol, factors_HQ: NDArray) -> Symbol:
    levels = factors_HQ.shape[1]
    median_NH1 = z_NHQ[:, :, MEDIAN : MEDIAN + 1]
    distance_NHQ = z_NHQ - median_NH1
    lower = _reaches(z_NHQ, distance_NHQ, slice(None, OUTER))
    upper = _reaches(z_NHQ, distance_NHQ, slice(-OUTER, None))
    no_level_NH1 = lower[:, :, :1] * 0.0
    inner_levels = levels - 2 * OUTER
    inner = [no_level_NH1] * inner_levels
    reaches_NHQ = np.concatenate([lower, *inner, upper], axis=2)
    is_kept_NHQ = reaches_NHQ > 0.0
    multiplied_NHQ = distance_NHQ * factors_HQ
    stretched_NHQ = np.where(is_kept_NHQ, distance_NHQ, multiplied_NHQ)
    quantiles_NHQ = median_NH1 + stretched_NHQ
    return quantiles_NHQ.sorted(levels)


def _reaches(z_NHQ: Symbol, distance_NHQ: Symbol, side: slice) -> Symbol:
    """1 if the outer bounds of a side coincide, away from the median and 0: they mark another
    level, and are not widened."""
    outer = z_NHQ[:, :, side]
    first = outer[:, :, :1]
    second = outer[:, :, 1:]
    distances = distance_NHQ[:, :, side]
    first_distance = distances[:, :, :1]
    is_apart = np.abs(first_distance) > 0.0
    is_not_zero = np.abs(first) > 0.0
    coincide = first == second
    reaches = coincide & is_not_zero & is_apart
    reaches = reaches.astype(float)
    return np.concatenate([reaches] * OUTER, axis=2)


def stops_at_zero(values_NT: Symbol) -> Symbol:
    """Which series stop at 0 (N, 1): those never below it that touch it or are counts."""
    is_unknown_NT = np.isnan(values_NT)
    known_NT = np.where(is_unknown_NT, np.inf, values_NT)
    low_N1 = reduced(known_NT, 1, "Min")
    is_whole_N1 = _are_whole(values_NT, is_unknown_NT)
    is_small_N1 = _has_small_median(values_NT, is_unknown_NT)
    is_positive_N1 = low_N1 > 0.0
    is_count_N1 = is_whole_N1 & is_positive_N1 & is_small_N1
    touches_N1 = low_N1 == 0.0
    return touches_N1 | is_count_N1


def whole_numbers(values_NT: Symbol) -> Symbol:
    """Which series are answered in whole numbers (N, 1): counts, and those above 0 that had small
    whole numbers only."""
    is_unknown_NT = np.isnan(values_NT)
    is_small_N1 = _has_small_median(values_NT, is_unknown_NT)
    low_N1 = reduced(np.where(is_unknown_NT, np.inf, values_NT), 1, "Min")
    high_N1 = reduced(np.where(is_unknown_NT, -np.inf, values_NT), 1, "Max")
    is_low_N1 = (high_N1 <= LARGEST) & (_count(is_unknown_NT) >= float(FEWEST))
    is_positive_N1 = low_N1 > 0.0
    may_be_whole_N1 = is_positive_N1 & (is_small_N1 | is_low_N1)
    touches_N1 = low_N1 == 0.0
    return _are_whole(values_NT, is_unknown_NT) & (touches_N1 | may_be_whole_N1)


def _are_whole(values_NT: Symbol, is_unknown_NT: Symbol) -> Symbol:
    """Whether all known values of a row are whole numbers (N, 1)."""
    nearest_NT = np.rint(values_NT)
    fraction_NT = np.abs(values_NT - nearest_NT)
    fraction_NT = np.where(is_unknown_NT, 0.0, fraction_NT)
    largest_N1 = reduced(fraction_NT, 1, "Max")
    return largest_N1 == 0.0


def _has_small_median(values_NT: Symbol, is_unknown_NT: Symbol) -> Symbol:
    """Whether the median is small enough for counts (N, 1)."""
    is_below_NT = values_NT < float(SMALL)  # False for NaN
    count_N1 = _count(is_unknown_NT)
    below_N1 = reduced(is_below_NT.astype(float), 1)
    above_N1 = count_N1 - below_N1
    # If as many are below as above, the median is the mean of the two in the middle.
    below_NT = np.where(is_below_NT, values_NT, -np.inf)
    greatest_below_N1 = reduced(below_NT, 1, "Max")
    is_not_above_NT = is_below_NT | is_unknown_NT
    above_NT = np.where(is_not_above_NT, np.inf, values_NT)
    least_above_N1 = reduced(above_NT, 1, "Min")
    middle_N1 = 0.5 * (greatest_below_N1 + least_above_N1)
    is_middle_small_N1 = middle_N1 < float(SMALL)
    is_even_N1 = below_N1 == above_N1
    most_are_below_N1 = below_N1 > above_N1
    return most_are_below_N1 | (is_even_N1 & is_middle_small_N1)
