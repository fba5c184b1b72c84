"""What becomes of answers, as a graph: quantiles about a point, wider ones, none below 0.

It is what `decoding.whole`, `evaluation.calibration.widened` and `data.kinds` do.

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

LEAST_CHANGE = 1e-12  # of a series that never moved, as in `decoding.whole`


def around(point_NH1: Symbol, change_N: Symbol, horizon: int) -> Symbol:
    """Quantiles (N, H, Q) of a random walk whose steps are as large as the series' own."""
    root_H = np.sqrt(np.arange(1, horizon + 1))
    spread_NH = np.maximum(change_N, LEAST_CHANGE)[:, None] * root_H
    return point_NH1 + spread_NH[:, :, None] * SCORES


def mean_change(values_NT: Symbol) -> Symbol:
    """The mean absolute change between neighbours that are known (N,); 0 without any."""
    change_NT = np.abs(values_NT[:, 1:] - values_NT[:, :-1])
    unknown_NT = np.isnan(change_NT)
    total_N = reduced(np.where(unknown_NT, 0.0, change_NT), 1)[:, 0]
    count_N = reduced(np.where(unknown_NT, 0.0, 1.0), 1)[:, 0]
    return total_N / np.maximum(count_N, 1.0)


def widened(quantiles_NHQ: Symbol, factors_HI: NDArray, horizon: int) -> Symbol:
    """Quantiles whose distance to the median is multiplied by their interval's factor: in
    logarithms where all are positive, in square roots where some are 0, else as they are."""
    known = np.where(np.isnan(quantiles_NHQ), np.inf, quantiles_NHQ)
    low_N11 = reduced(reduced(known, 2, "Min"), 1, "Min")
    last = np.minimum(np.arange(horizon), len(factors_HI) - 1)
    factors_HI = factors_HI[last]
    factors_HQ = np.concatenate([factors_HI[:, ::-1], np.ones((horizon, 1)), factors_HI], axis=1)
    is_log, is_root = low_N11 > 0.0, low_N11 == 0.0
    safe = np.where(is_log, np.log(np.where(is_log, quantiles_NHQ, 1.0)), quantiles_NHQ)
    z_NHQ = np.where(is_root, np.sqrt(np.maximum(quantiles_NHQ, 0.0)), safe)
    wide = _stretched(z_NHQ, factors_HQ)
    ratios = np.exp(np.clip(np.where(is_log, wide, 0.0), LOG_SMALLEST, LOG_LARGEST))
    squares = np.maximum(wide, 0.0) ** 2.0
    result = np.where(is_root, squares, np.where(is_log, ratios, wide))
    return np.where(np.isnan(quantiles_NHQ), np.nan, result)


def _stretched(z_NHQ: Symbol, factors_HQ: NDArray) -> Symbol:
    own_NHQ = z_NHQ - z_NHQ[:, :, MEDIAN : MEDIAN + 1]
    parts = [own_NHQ * factors_HQ]
    sides = [_reaches(z_NHQ, own_NHQ, side) for side in (slice(None, OUTER), slice(-OUTER, None))]
    levels = factors_HQ.shape[1]
    middle = sides[0][:, :, :1] * 0.0
    reached = np.concatenate([sides[0], *[middle] * (levels - 2 * OUTER), sides[1]], axis=2)
    distance = np.where(reached > 0.0, own_NHQ, parts[0])
    return (z_NHQ[:, :, MEDIAN : MEDIAN + 1] + distance).sorted(levels)


def _reaches(z_NHQ: Symbol, own_NHQ: Symbol, side: slice) -> Symbol:
    """1 where the outer bounds of a side stand in one place, which is not 0: they reach another
    level, and stay."""
    outer, own = z_NHQ[:, :, side], own_NHQ[:, :, side]
    first, last = outer[:, :, :1], outer[:, :, 1:]
    one = (first == last) & (np.abs(first) > 0.0) & (np.abs(own[:, :, :1]) > 0.0)
    return np.concatenate([one.astype(float)] * OUTER, axis=2)


def stops_at_zero(values_NT: Symbol) -> Symbol:
    """Which series stop at 0 (N, 1): those that touch it, and counts, and are never below."""
    unknown_NT = np.isnan(values_NT)
    low_N1 = reduced(np.where(unknown_NT, np.inf, values_NT), 1, "Min")
    fraction_NT = np.where(unknown_NT, 0.0, np.abs(values_NT - np.rint(values_NT)))
    is_whole_N1 = reduced(fraction_NT, 1, "Max") == 0.0
    is_count_N1 = is_whole_N1 & (low_N1 > 0.0) & _has_small_median(values_NT, unknown_NT)
    return (low_N1 == 0.0) | is_count_N1


def _has_small_median(values_NT: Symbol, unknown_NT: Symbol) -> Symbol:
    """Whether the median is below that of what looks like counts (N, 1)."""
    below_NT = values_NT < float(SMALL)  # NaN is not
    less_N1 = reduced(below_NT.astype(float), 1)
    more_N1 = reduced(np.where(unknown_NT, 0.0, 1.0), 1) - less_N1
    # Where as many are below as above, the median is the mean of the two in the middle.
    last_N1 = reduced(np.where(below_NT, values_NT, -np.inf), 1, "Max")
    next_NT = np.where(below_NT | unknown_NT, np.inf, values_NT)
    middle_N1 = 0.5 * (last_N1 + reduced(next_NT, 1, "Min"))
    return (less_N1 > more_N1) | ((less_N1 == more_N1) & (middle_N1 < float(SMALL)))
