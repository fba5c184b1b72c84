"""Intervals that contain what they promise: conformal calibration on held-out cutoffs.

The network's quantiles say how uncertain it is in relative terms; how wide an interval must be is
measured: at cutoffs before the forecast, how many times its own half-width would each interval have
needed to be to contain the actual value? The quantile of these scores at the interval's level is
the factor by which the interval is widened (split conformal prediction: Vovk, Gammerman & Shafer
2005; scores normalised by the predicted spread: Romano, Patterson & Candès 2019).

Where nothing was trained on the data, each forecast is calibrated at cutoffs before it
(`calibrated`). Where something was, only what comes after the training part is held out: the
factors are measured once, when the training ends, and kept (`measured_factors`, `widened`).

    S series · O origins · G origins that share a calibration · J held-out cutoffs · H horizon
    Q quantile levels, symmetric about the median · I central intervals, narrow ones first
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN
from lstmcast.model.inputs.adaptive import OUTER
from lstmcast.model.inputs.axis import LINEAR, LOG, ROOT, from_axis, to_axis

# held out for the intervals of one origin: more for one series than for hundreds
MOST_CUTOFFS, FEWEST_CUTOFFS = 24, 4
ENOUGH_SERIES = 250  # of which four cutoffs, a horizon apart, are enough
EARLIEST = 8  # observations that a held-out cutoff must know
ENOUGH = 60  # scores for one interval at one horizon
# held-out cutoffs that a series calibrated alone must have: the scores of one cutoff are alike
OWN_CUTOFFS = 8
MOST_WIDENED = 3.0  # times its own width, beyond which an interval is held to errors of that size
# held-out cutoffs whose scores weigh as much as the prior (the network; all series together)
TRUST = 4.0

# quantiles (O, H, Q) at `heads.HEAD_QUANTILES`, in the units of the data
Decode = Callable[[Panel, Origins, int], NDArray]


def calibrated(decode: Decode, panel: Panel, origins: Origins, horizon: int) -> NDArray:
    """Quantiles (O, H, Q), their intervals calibrated at held-out cutoffs before each origin."""
    held_out = _held_out(origins, horizon, len(panel))
    everything = np.concatenate([np.stack(origins), held_out.reshape(2, -1)], axis=1)
    different, place = np.unique(everything, axis=1, return_inverse=True)
    known = different[1] > 0
    quantiles = np.full((different.shape[1], horizon, len(HEAD_QUANTILES)), np.nan)
    quantiles[known] = decode(panel, Origins(*different[:, known]), horizon)
    quantiles = quantiles[place]
    count = len(origins.series)
    result, before = quantiles[:count], quantiles[count:].reshape(*held_out.shape[1:], horizon, -1)
    actual = _actual(panel, origins.series, held_out[1], origins.counts, horizon)
    axes_O = _axes(result, before, actual)
    result, before, actual = (_on_axis(part, axes_O) for part in (result, before, actual))
    for group in _groups(origins, len(panel)):
        result[group] = calibrate(result[group], HEAD_QUANTILES, before[group], actual[group])
    return _back(result, axes_O)


def measured_factors(decode: Decode, panel: Panel, ends: NDArray, horizon: int) -> NDArray:
    """How much wider intervals must be (H, I), measured at cutoffs from `ends` (S,) on.

    1 where no series has a value after its end.
    """
    spacing = horizon if len(panel) >= ENOUGH_SERIES else max(1, horizon // 3)
    most = FEWEST_CUTOFFS if len(panel) >= ENOUGH_SERIES else MOST_CUTOFFS
    counts = ends[:, None] + spacing * np.arange(most)
    counts = np.where((counts < panel.lengths[:, None]) & (ends[:, None] > 0), counts, 0)
    series, cutoff = np.nonzero(counts)
    if not len(series):
        return np.ones((horizon, MEDIAN))
    origins = Origins(series, counts[series, cutoff])
    quantiles = decode(panel, origins, horizon)
    actual = _actual(panel, series, origins.counts[:, None], panel.lengths[series], horizon)[:, 0]
    axes_O = _axes(quantiles, actual)
    quantiles, actual = _on_axis(quantiles, axes_O), _on_axis(actual, axes_O)
    return interval_factors(HEAD_QUANTILES, quantiles[None], actual[None])[0]


def widened(quantiles_OHQ: NDArray, factors_HI: NDArray) -> NDArray:
    """Quantiles whose intervals are widened by measured factors, later steps by the last one's."""
    last = np.minimum(np.arange(quantiles_OHQ.shape[1]), len(factors_HI) - 1)
    factors_OHI = np.broadcast_to(
        factors_HI[last], (len(quantiles_OHQ), len(last), factors_HI.shape[1])
    )
    axes_O = _axes(quantiles_OHQ)
    return _back(widen(_on_axis(quantiles_OHQ, axes_O), HEAD_QUANTILES, factors_OHI), axes_O)


def at_levels(quantiles: NDArray, quantile_levels: tuple[float, ...]) -> NDArray:
    """Quantiles at other levels than the head's: straight lines between them over the normal
    distribution's scores."""
    scores = np.array([NormalDist().inv_cdf(level) for level in HEAD_QUANTILES])
    result = np.empty((*quantiles.shape[:2], len(quantile_levels)))
    for i, level in enumerate(quantile_levels):
        score = NormalDist().inv_cdf(level)
        right = int(np.clip(np.searchsorted(scores, score), 1, len(scores) - 1))
        share = (score - scores[right - 1]) / (scores[right] - scores[right - 1])
        low, high = quantiles[:, :, right - 1], quantiles[:, :, right]
        result[:, :, i] = low + share * (high - low)
    return result


def calibrate(
    quantiles_GHQ: NDArray,
    quantile_levels: tuple[float, ...],
    held_out_GJHQ: NDArray,
    actual_GJH: NDArray,
) -> NDArray:
    """Widened quantiles (G, H, Q): each interval times the factor measured at the held-out
    cutoffs.

    `held_out_GJHQ`: quantiles forecast at J earlier cutoffs of the same series; `actual_GJH`: the
    actual values (NaN = unknown). A series with enough scores of its own, from the horizon and its
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
    distance = np.where(_reached(quantiles_GHQ, own), own, distance)
    return np.sort(median + distance, axis=2)


def _reached(quantiles_GHQ: NDArray, own_GHQ: NDArray) -> NDArray:
    """Which bounds reach another level rather than being spread (G, H, Q): the outer two of a side
    in one place, which is not 0. They stay there."""
    result = np.zeros(quantiles_GHQ.shape, bool)
    if quantiles_GHQ.shape[2] > 2 * OUTER:
        for side in (slice(None, OUTER), slice(-OUTER, None)):
            outer, own = quantiles_GHQ[..., side], own_GHQ[..., side]
            one = (outer[..., :1] == outer[..., 1:]) & (outer[..., :1] != 0) & (own[..., :1] != 0)
            result[..., side] = one
    return result


def _axes(*parts: NDArray) -> NDArray:
    """The axis on which the intervals of each origin are widened (O,), by all values known of it:
    as ratios where all are positive; as square roots where some are 0, which is not passed then;
    else as they are."""
    low_O = np.full(len(parts[0]), np.inf)
    for part in parts:
        low_O = np.fmin(low_O, np.fmin.reduce(part.reshape(len(part), -1), axis=1))
    return np.select([low_O > 0, low_O == 0], [LOG, ROOT], LINEAR)


def _on_axis(values: NDArray, axes_O: NDArray) -> NDArray:
    return to_axis(values, axes_O == LOG, axes_O == ROOT)


def _back(values: NDArray, axes_O: NDArray) -> NDArray:
    return from_axis(values, axes_O == LOG, axes_O == ROOT)


def _held_out(origins: Origins, horizon: int, series: int) -> NDArray:
    """Series and counts (2, O, J) of cutoffs before each origin, in the later half of what it
    knows; count 0 = none.

    Few series need many cutoffs, so these overlap; those of many series lie a horizon apart, as a
    backtest's do.
    """
    many = series >= ENOUGH_SERIES
    cutoffs, spacing = (FEWEST_CUTOFFS, horizon) if many else (MOST_CUTOFFS, max(1, horizon // 3))
    counts = origins.counts[:, None] - spacing * np.arange(1, cutoffs + 1)
    usable = counts >= np.maximum(EARLIEST, origins.counts[:, None] // 2)
    return np.stack(
        [np.broadcast_to(origins.series[:, None], counts.shape), np.where(usable, counts, 0)]
    )


def _actual(
    panel: Panel, series: NDArray, held_out: NDArray, known_until: NDArray, horizon: int
) -> NDArray:
    """Actual values after each held-out cutoff (O, J, H), as far as they may be known, then NaN."""
    steps = held_out[:, :, None] + np.arange(horizon)
    known = (steps < known_until[:, None, None]) & (held_out[:, :, None] > 0)
    positions = panel.offsets[series][:, None, None] + np.where(known, steps, 0)
    return np.where(known, panel.values[positions], np.nan)


def _groups(origins: Origins, series: int) -> list[NDArray]:
    """Origins that share a calibration: the k-th cutoff of every series."""
    per_series = len(origins.series) // max(series, 1)
    return [np.arange(k, len(origins.series), per_series) for k in range(per_series)]


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

    Few cutoffs are few independent trials, however many horizons they have: the prior keeps a say.
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
