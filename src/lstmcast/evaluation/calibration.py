"""Intervals that contain what they promise: conformal calibration on held-out cutoffs.

The network's quantiles say how uncertain it is in relative terms; how wide an interval must be is
measured: at cutoffs before the forecast, how many times its own half-width would each interval have
needed to be to contain what came? The quantile of these scores at the interval's level is the
factor by which the interval is widened (split conformal prediction: Vovk, Gammerman & Shafer
2005; scores normalised by the predicted spread: Romano, Patterson & Candès 2019).

G origins that share a calibration · J calibration cutoffs · H horizon · Q quantile levels,
symmetric about the median
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ENOUGH = 60  # scores for one interval at one horizon
# held-out cutoffs that a series calibrated alone must have: those of one cutoff tell the same story
OWN_CUTOFFS = 8
MOST_WIDENED = 3.0  # times its own width, beyond which an interval is held to errors of that size
# held-out cutoffs at which they and what was thought before (the network; all series) have equal
# say
TRUST = 4.0


def calibrate(
    quantiles_GHQ: NDArray,
    quantile_levels: tuple[float, ...],
    held_out_GJHQ: NDArray,
    actual_GJH: NDArray,
) -> NDArray:
    """Widened quantiles (G, H, Q): each interval times the factor measured at the held-out
    cutoffs.

    `held_out_GJHQ`: quantiles forecast at J earlier cutoffs of the same series, `actual_GJH`: what
    came (NaN = unknown). A series with enough scores of its own, from the horizon and its
    neighbours, is calibrated alone; otherwise the scores of all G series are pooled, over as many
    neighbouring horizons as it takes. The median stays.

    >>> wide = np.array([[[-9.0, 0.0, 9.0]]])
    >>> actual = np.linspace(-1, 1, 200).reshape(1, 200, 1)
    >>> calibrate(wide, (0.1, 0.5, 0.9), np.repeat(wide[:, None], 200, 1), actual).round(1)
    array([[[-0.8,  0. ,  0.8]]])
    """
    factors_GHI = interval_factors(quantile_levels, held_out_GJHQ, actual_GJH)
    middle = quantile_levels.index(0.5)
    error_GJH = np.abs(actual_GJH - held_out_GJHQ[..., middle])
    largest_G = np.where(np.isnan(error_GJH), -np.inf, error_GJH).max(axis=(1, 2), initial=-np.inf)
    return widen(
        quantiles_GHQ, quantile_levels, factors_GHI, np.where(largest_G < 0, np.inf, largest_G)
    )


def interval_factors(
    quantile_levels: tuple[float, ...], held_out_GJHQ: NDArray, actual_GJH: NDArray
) -> NDArray:
    """How much wider each central interval must be, (G, H, I), narrow intervals first; 1 where
    nothing was held out."""
    G, _, H = actual_GJH.shape
    middle = quantile_levels.index(0.5)
    factors_GHI = np.ones((G, H, middle))
    for i in range(middle):
        low, high = middle - 1 - i, middle + 1 + i
        scores_GJH = _scores(held_out_GJHQ, actual_GJH, low, middle, high)
        factors_GHI[:, :, i] = _factors(scores_GJH, quantile_levels[high] - quantile_levels[low])
    return factors_GHI


def widen(
    quantiles_GHQ: NDArray,
    quantile_levels: tuple[float, ...],
    factors_GHI: NDArray,
    largest_G: NDArray | None = None,
) -> NDArray:
    """Quantiles whose distance to the median is multiplied by their interval's factor; never
    crossing.

    `largest_G`: the largest error seen. A level shift or a spike shows twice, in the network's own
    spread and in the factor: beyond `MOST_WIDENED` times its own an interval grows only as far as
    an error has reached.
    """
    middle = quantile_levels.index(0.5)
    median = quantiles_GHQ[:, :, middle : middle + 1]
    inward = factors_GHI[:, :, ::-1]
    factors_GHQ = np.concatenate([inward, np.ones_like(median), factors_GHI], axis=2)
    own = quantiles_GHQ - median
    distance = own * factors_GHQ
    if largest_G is not None:
        farthest = np.maximum(MOST_WIDENED * np.abs(own), largest_G[:, None, None])
        distance = np.clip(distance, -farthest, farthest)
    return np.sort(median + distance, axis=2)


def _scores(
    held_out_GJHQ: NDArray, actual_GJH: NDArray, low: int, middle: int, high: int
) -> NDArray:
    """The factor by which the interval would just have contained the actual value (G, J, H); NaN
    = unknown."""
    error = actual_GJH - held_out_GJHQ[..., middle]
    median = held_out_GJHQ[..., middle]
    width = np.where(
        error >= 0, held_out_GJHQ[..., high] - median, median - held_out_GJHQ[..., low]
    )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        score = np.abs(error) / width
    return np.where(np.isfinite(score), score, np.where(error == 0, 0.0, np.nan))


def _factors(scores_GJH: NDArray, level: float) -> NDArray:
    """Factors (G, H) for one interval: of each series alone where it has enough scores, else of
    all together."""
    G, J, H = scores_GJH.shape
    if np.isnan(scores_GJH).all():
        return np.ones((G, H))
    pooled_1H = _of_group(scores_GJH.reshape(1, -1, H), level, H, np.ones((1, H)))
    pooled_GH = np.broadcast_to(pooled_1H, (G, H))
    if G == 1 or J < OWN_CUTOFFS:
        return pooled_GH
    near = max(1, H // 4)
    own_count = np.stack(
        [_window(~np.isnan(scores_GJH), h, near).sum(axis=(1, 2)) for h in range(H)], axis=1
    )
    enough_GH = own_count >= ENOUGH
    own_GH = pooled_GH.copy()
    for g in np.flatnonzero(enough_GH.any(axis=1)):
        own_GH[g] = _of_group(scores_GJH[g : g + 1], level, near, pooled_1H)[0]
    return np.where(enough_GH, own_GH, pooled_GH)


def _of_group(scores_1NH: NDArray, level: float, farthest: int, before_1H: NDArray) -> NDArray:
    """Factors (1, H) from N held-out cutoffs: the smallest window of horizons with enough scores
    decides each.

    Few cutoffs are few independent trials, however many horizons they have: what was thought before
    keeps a say.
    """
    cutoffs = int(np.count_nonzero(~np.isnan(scores_1NH).all(axis=2)))
    share = cutoffs / (cutoffs + TRUST)
    factors = before_1H.copy()
    for h in range(scores_1NH.shape[2]):
        scores = _nearest(scores_1NH, h, farthest)
        if len(scores):
            measured = np.clip(_conformal_quantile(scores, level), 0.05, 20.0)
            factors[0, h] = measured**share * before_1H[0, h] ** (1 - share)
    return factors


def _nearest(scores_1NH: NDArray, h: int, farthest: int) -> NDArray:
    """Known scores of horizon `h` and as few neighbours as give enough of them."""
    scores = np.empty(0)
    for width in range(farthest + 1):
        scores = _window(scores_1NH, h, width).ravel()
        scores = scores[~np.isnan(scores)]
        if len(scores) >= ENOUGH:
            break
    return scores


def _window(values_GJH: NDArray, h: int, width: int) -> NDArray:
    return values_GJH[:, :, max(0, h - width) : h + width + 1]


def _conformal_quantile(scores: NDArray, level: float) -> float:
    """The ⌈(n + 1) level⌉-th smallest of n scores, or the largest."""
    rank = min(int(np.ceil((len(scores) + 1) * level)), len(scores))
    return float(np.partition(scores, rank - 1)[rank - 1])
