"""Factors that widen intervals, estimated from held-out cutoffs.

A score is the factor on its half-width with which an interval would just have contained the actual
value. The quantile of the scores at the level of the interval is its factor; if scores are few, it
is shrunk towards neighbouring steps, other series and the network's own width (1).

    G origins that share a calibration · J held-out cutoffs · N of several series · H horizon
    Q quantile levels, symmetric about the median · I central intervals, narrow ones first
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import MOST_CUTOFFS

ENOUGH = 60  # scores for one interval at one step
NEAR = 3  # steps before it that a step may share the scores of, in a series calibrated alone
# held-out cutoffs that a series calibrated alone must have: the scores of one cutoff are alike
OWN_CUTOFFS = 8
# held-out cutoffs whose scores weigh as much as the prior (the network; all series together)
TRUST = 4.0
# and as much as what shorter steps say of one that fewer cutoffs, or none, could measure
FROM_SHORTER = 8.0
GROWN = 4.0  # held-out cutoffs that say as much of the growth of errors as the network does
STEEPEST = 0.5  # growth of a walk's errors, beyond what the network's own widths grow
SMOOTHED, SMOOTHED_SHARE = 3, 4  # steps to each side, or a part of the distance
FIRST = 24  # steps that are looked at together, however few are asked for


def interval_factors(
    quantile_levels: tuple[float, ...],
    held_out_GJHQ: NDArray,
    actual_GJH: NDArray,
    apart_G: NDArray | None = None,
) -> NDArray:
    """How much wider each central interval must be, (G, H, I), narrow intervals first; 1 where
    nothing was held out."""
    middle = quantile_levels.index(0.5)
    scores = (
        scores_of(held_out_GJHQ, actual_GJH, low, middle, high)
        for low, high in _intervals(quantile_levels)
    )
    return factors_of(scores, quantile_levels, apart_G)


def _intervals(quantile_levels: tuple[float, ...]) -> list[tuple[int, int]]:
    """The places of the bounds of each central interval, narrow ones first.

    >>> _intervals((0.1, 0.25, 0.5, 0.75, 0.9))
    [(1, 3), (0, 4)]
    """
    middle = quantile_levels.index(0.5)
    return [(middle - width, middle + width) for width in range(1, middle + 1)]


def factors_of(
    scores: Iterable[NDArray], quantile_levels: tuple[float, ...], apart_G: NDArray | None
) -> NDArray:
    """Factors (G, H, I) from the scores (G, J, H) of each interval, narrow ones first."""
    factors = []
    for scores_GJH, (low, high) in zip(scores, _intervals(quantile_levels), strict=True):
        level = quantile_levels[high] - quantile_levels[low]
        factors.append(_factors(scores_GJH, level, apart_G))
    return np.stack(factors, axis=2)


def scores_of(
    held_out_GJHQ: NDArray, actual_GJH: NDArray, low: int, middle: int, high: int
) -> NDArray:
    """The factor by which the interval would just have contained the actual value (G, J, H); NaN
    = unknown."""
    median = held_out_GJHQ[..., middle]
    error = actual_GJH - median
    above = held_out_GJHQ[..., high] - median
    below = median - held_out_GJHQ[..., low]
    width = np.where(error >= 0, above, below)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        score = np.abs(error) / width
    of_no_width = np.where(error == 0, 0.0, np.nan)
    return np.where(np.isfinite(score), score, of_no_width)


def _factors(scores_GJH: NDArray, level: float, apart_G: NDArray | None) -> NDArray:
    """Factors (G, H) for one interval: of each series alone where it has enough scores, else of
    all together."""
    G, J, H = scores_GJH.shape
    if np.isnan(scores_GJH).all():
        return np.ones((G, H))
    trials_GH = _trials(scores_GJH, apart_G)
    pooled_1NH = scores_GJH.reshape(1, -1, H)
    pooled_H = _of_group(pooled_1NH, level, H, np.ones(H), trials_GH.sum(axis=0))
    factors_GH = np.tile(pooled_H, (G, 1))
    if G == 1 or J < OWN_CUTOFFS:
        return factors_GH
    for row in range(G):
        scores_1JH = scores_GJH[row : row + 1]
        if any(len(_nearest(scores_1JH, step, NEAR)) >= ENOUGH for step in range(H)):
            factors_GH[row] = _of_group(scores_1JH, level, NEAR, pooled_H, trials_GH[row])
    return factors_GH


def _trials(scores_GJH: NDArray, apart_G: NDArray | None) -> NDArray:
    """How many independent trials the known scores of each step are (G, H).

    Errors at step h of cutoffs that lie fewer steps apart have most of their causes in common.
    """
    known_GH = np.count_nonzero(~np.isnan(scores_GJH), axis=1)
    if apart_G is None:
        return known_GH.astype(float)
    steps_H = np.arange(1, scores_GJH.shape[2] + 1)
    return known_GH * np.minimum(1.0, apart_G[:, None] / steps_H)


def _of_group(
    scores_1NH: NDArray, level: float, farthest: int, before_H: NDArray, trials_H: NDArray
) -> NDArray:
    """Factors (H,) from N held-out cutoffs: the smallest window of steps with enough scores
    decides each.

    Few cutoffs are few independent trials, however many steps they have: the prior keeps a say.
    Of far steps there are fewer trials than of near ones: what the near ones measured, and how it
    grew with the distance, stands in for those that are missing.
    """
    measured_H = _measured(scores_1NH, level, farthest, trials_H)
    ratio_H = np.log(measured_H / before_H)
    weight_H = np.where(np.isnan(ratio_H), 0.0, trials_H)
    ratio_H = _smoothed(ratio_H, weight_H)
    largest = weight_H.max()
    if largest == 0:
        return before_H.copy()
    missing_H = np.minimum(largest - weight_H, FROM_SHORTER)
    evidence_H = weight_H * np.nan_to_num(ratio_H) + missing_H * _grown(ratio_H, weight_H)
    mean_H = evidence_H / (weight_H + missing_H)
    return before_H * np.exp(mean_H * largest / (largest + TRUST))


def _measured(scores_1NH: NDArray, level: float, farthest: int, trials_H: NDArray) -> NDArray:
    """The factor that the scores of each step ask for (H,); NaN where there are none.

    Errors of a walk at cutoffs that lie close together are nearly one trial, those of a season
    nearly as many as there are: the quantile is taken as of a number between the two.
    """
    known_H = np.count_nonzero(~np.isnan(scores_1NH), axis=(0, 1))
    alone_H = np.sqrt(trials_H / np.maximum(known_H, 1))
    measured_H = np.full(len(trials_H), np.nan)
    for step, trials in enumerate(trials_H):
        scores = _nearest(scores_1NH, step, farthest)
        if len(scores) and trials > 0:
            factor = _conformal_quantile(scores, level, len(scores) * alone_H[step])
            measured_H[step] = np.clip(factor, 0.05, 20.0)
    return measured_H


def _smoothed(ratio_H: NDArray, weight_H: NDArray) -> NDArray:
    """Averages over neighbouring steps, the nearer the more (H,): one surprise among the cutoffs
    decides the factor of the steps that it met, and no reader believes bounds that jump.

    Where a step was tried many times its neighbours say little of it. Steps beyond the first ones
    look back only: what they say must not depend on the horizon.
    """
    steps = len(ratio_H)
    at_H = np.arange(steps)
    last_H = np.maximum(at_H, min(FIRST, steps) - 1)
    reach_H = np.maximum(SMOOTHED, at_H // SMOOTHED_SHARE) + 1.0
    distance_HH = np.abs(at_H[:, None] - at_H)
    near_HH = np.maximum(1 - distance_HH / reach_H[:, None], 0.0)
    is_allowed_HH = at_H <= last_H[:, None]
    near_HH = np.where(is_allowed_HH, near_HH, 0.0)
    near_HH = near_HH * np.minimum(weight_H, MOST_CUTOFFS)
    np.fill_diagonal(near_HH, weight_H)
    total_H = near_HH.sum(axis=1)
    mean_H = near_HH @ np.nan_to_num(ratio_H) / np.maximum(total_H, 1e-12)
    return np.where(np.isnan(ratio_H), np.nan, mean_H)


def _grown(ratio_H: NDArray, weight_H: NDArray) -> NDArray:
    """What the steps up to each say of it (H,): a straight line over the logarithm of the
    distance, whose slope is held towards none."""
    steps = len(ratio_H)
    ahead_H = np.log(np.arange(1, steps + 1))
    ratio_H = np.nan_to_num(ratio_H)
    # The first steps share their line, so that it begins with more than a point.
    until_H = np.maximum(np.arange(steps), min(FIRST, steps) - 1)

    def up_to(numbers_H: NDArray) -> NDArray:
        return np.cumsum(numbers_H)[until_H]

    total_H = np.maximum(up_to(weight_H), 1e-12)
    middle_H = up_to(weight_H * ahead_H) / total_H
    mean_H = up_to(weight_H * ratio_H) / total_H
    square_H = up_to(weight_H * ahead_H**2) / total_H
    product_H = up_to(weight_H * ahead_H * ratio_H) / total_H
    spread_H = np.maximum(square_H - middle_H**2, 1e-9)
    slope_H = (product_H - middle_H * mean_H) / spread_H
    slope_H = np.clip(slope_H, -STEEPEST, STEEPEST)
    trust = weight_H.max() / (weight_H.max() + GROWN)
    return mean_H + trust * slope_H * (ahead_H - middle_H)


def _nearest(scores_1NH: NDArray, step: int, farthest: int) -> NDArray:
    """Known scores of a step and of as few others as give enough of them: those before it, and
    for the first steps those after it."""
    scores = np.empty(0)
    for width in range(farthest + 1):
        first = max(0, step - width)
        stop = max(step, width) + 1
        scores = scores_1NH[:, :, first:stop].ravel()
        scores = scores[~np.isnan(scores)]
        if len(scores) >= ENOUGH:
            break
    return scores


def _conformal_quantile(scores: NDArray, level: float, trials: float) -> float:
    """The ⌈(n + 1) level⌉-th smallest of n scores, or the largest; of scores that are but so many
    independent trials, the one at the same share of them."""
    trials = min(max(trials, 1.0), len(scores))
    rank = int(np.ceil((trials + 1) * level / trials * len(scores)))
    rank = min(rank, len(scores))
    return float(np.partition(scores, rank - 1)[rank - 1])
