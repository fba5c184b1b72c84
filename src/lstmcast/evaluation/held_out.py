"""Intervals as wide as held-out cutoffs say they must be, for whatever gives quantiles.

Where nothing was trained on the data, each forecast is measured at cutoffs before it. Where
something was, only what came after the training part is held out: it is measured once, when the
training ends, and its factors are kept.

S series · O origins · J held-out cutoffs · H horizon · I intervals · Q quantile levels of the head
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.evaluation.calibration import calibrate, interval_factors, widen
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN
from lstmcast.model.inputs.adaptive import from_axis

# held out for the intervals of one origin: more for one series than for hundreds
MOST_CUTOFFS, FEWEST_CUTOFFS = 24, 4
ENOUGH_SERIES = 250  # of which four cutoffs, a horizon apart, are enough
EARLIEST = 8  # observations that a held-out cutoff must know

# quantiles (O, H, Q) at `heads.HEAD_QUANTILES`, in the units of the data
Decode = Callable[[Panel, Origins, int], NDArray]


def calibrated(decode: Decode, panel: Panel, origins: Origins, horizon: int) -> NDArray:
    """Quantiles (O, H, Q) whose intervals are widened by what held-out cutoffs before each
    origin showed."""
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
    positive = _all_positive(result) & _all_positive(before) & _all_positive(actual)
    result, before, actual = (_on_axis(part, positive) for part in (result, before, actual))
    for group in _groups(origins, len(panel)):
        result[group] = calibrate(result[group], HEAD_QUANTILES, before[group], actual[group])
    return np.where(positive[:, None, None], from_axis(result, log=True), result)


def measured_factors(decode: Decode, panel: Panel, ends: NDArray, horizon: int) -> NDArray:
    """How much wider intervals must be (H, I), measured at cutoffs from `ends` (S,) on; 1 where
    nothing came after."""
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
    positive = _all_positive(quantiles) & _all_positive(actual)
    quantiles, actual = _on_axis(quantiles, positive), _on_axis(actual, positive)
    return interval_factors(HEAD_QUANTILES, quantiles[None], actual[None])[0]


def widened(quantiles_OHQ: NDArray, factors_HI: NDArray) -> NDArray:
    """Quantiles whose intervals are as many times wider as was measured; those of later steps as
    the last one's."""
    last = np.minimum(np.arange(quantiles_OHQ.shape[1]), len(factors_HI) - 1)
    factors_OHI = np.broadcast_to(
        factors_HI[last], (len(quantiles_OHQ), len(last), factors_HI.shape[1])
    )
    positive = _all_positive(quantiles_OHQ)
    wider = widen(_on_axis(quantiles_OHQ, positive), HEAD_QUANTILES, factors_OHI)
    return np.where(positive[:, None, None], from_axis(wider, log=True), wider)


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


def _all_positive(values: NDArray) -> NDArray:
    """Which origins have no known value that is 0 or less (O,)."""
    return np.logical_not((values <= 0).reshape(len(values), -1).any(axis=1))


def _on_axis(values: NDArray, positive: NDArray) -> NDArray:
    """Logarithms where all is positive: there, intervals are widened as ratios and stay above
    0."""
    rows = positive.reshape(-1, *[1] * (values.ndim - 1))
    return np.where(rows, np.log(np.where(rows, values, 1.0)), values)


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
    """What came after each held-out cutoff (O, J, H), as far as it may be known; NaN beyond."""
    steps = held_out[:, :, None] + np.arange(horizon)
    known = (steps < known_until[:, None, None]) & (held_out[:, :, None] > 0)
    positions = panel.offsets[series][:, None, None] + np.where(known, steps, 0)
    return np.where(known, panel.values[positions], np.nan)


def _groups(origins: Origins, series: int) -> list[NDArray]:
    """Origins that share a calibration: the k-th cutoff of every series."""
    per_series = len(origins.series) // max(series, 1)
    return [np.arange(k, len(origins.series), per_series) for k in range(per_series)]
