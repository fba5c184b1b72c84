"""Intervals that contain what they promise: conformal calibration on held-out cutoffs.

The network's quantiles say how uncertain it is in relative terms; how wide an interval must be is
measured: at cutoffs before the forecast, how many times its own half-width would each interval have
needed to be to contain the actual value? The quantile of these scores at the interval's level is
the factor by which the interval is widened (split conformal prediction: Vovk, Gammerman & Shafer
2005; scores normalised by the predicted spread: Romano, Patterson & Candès 2019).

Where nothing was trained on the data, each forecast is calibrated at cutoffs before it
(`HeldOut`, `calibrated`). Where something was, only what comes after the training part is held out:
the factors are measured once, when the training ends, and kept (`measured_factors`, `widened`).

    S series · O origins · G origins that share a calibration · J held-out cutoffs · H horizon
    Q quantile levels, symmetric about the median · I central intervals, narrow ones first
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN
from lstmcast.model.inputs.adaptive import from_axis

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


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Origins, and the cutoffs before each of them (O, J) that were held out; count 0 = none."""

    origins: Origins
    counts_OJ: NDArray

    @classmethod
    def of(cls, panel: Panel, origins: Origins, horizon: int) -> HeldOut:
        """The cutoffs that say how good forecasts of so many steps would have been."""
        return cls(origins, _held_out(origins.counts, horizon, len(panel)))

    def forecasts(self, answer: Callable[[Origins], NDArray]) -> tuple[NDArray, NDArray]:
        """What a forecaster answers at the origins (O, …) and at the held-out cutoffs (O, J, …).

        It is asked once for each cutoff of a series, whichever origins share it. NaN where there
        is no cutoff.
        """
        count = len(self.origins.series)
        everything = np.concatenate([self.origins.counts[:, None], self.counts_OJ], axis=1)
        series = np.broadcast_to(self.origins.series[:, None], everything.shape)
        pairs = np.stack([series.ravel(), everything.ravel()])
        different, place = np.unique(pairs, axis=1, return_inverse=True)
        known = different[1] > 0
        answers = answer(Origins(*different[:, known]))
        filled = np.full((len(known), *answers.shape[1:]), np.nan)
        filled[known] = answers
        filled = filled[place].reshape(count, -1, *answers.shape[1:])
        return filled[:, 0], filled[:, 1:]

    def tried(self, decode: Decode, panel: Panel, horizon: int) -> Tried:
        """The network's forecasts, and what came after the held-out cutoffs."""
        quantiles, before = self.forecasts(lambda at: decode(panel, at, horizon))
        series, until = self.origins
        return Tried(quantiles, before, _actual(panel, series, self.counts_OJ, until, horizon))


class Tried(NamedTuple):
    """Quantiles at origins and at the held-out cutoffs before them, with what came after those."""

    quantiles_OHQ: NDArray
    before_OJHQ: NDArray
    actual_OJH: NDArray  # as far as it may be known, then NaN

    @property
    def positive(self) -> NDArray:
        """Where all of it is above 0, so that logarithms can be taken (O,)."""
        return (
            all_positive(self.quantiles_OHQ)
            & all_positive(self.before_OJHQ)
            & (all_positive(self.actual_OJH))
        )


def calibrated(tried: Tried, origins: Origins, series: int) -> NDArray:
    """Quantiles (O, H, Q), their intervals calibrated at held-out cutoffs before each origin."""
    positive = tried.positive
    result, before, actual = (on_axis(part, positive) for part in tried)
    for group in groups_of(origins, series):
        result[group] = calibrate(result[group], HEAD_QUANTILES, before[group], actual[group])
    return np.where(positive[:, None, None], from_axis(result, log=True), result)


class HeldBack(NamedTuple):
    """Forecasts by weights that had not seen what they are compared with."""

    origins: Origins
    quantiles_OHQ: NDArray
    actual_OH: NDArray


def held_back(decode: Decode, panel: Panel, ends: NDArray, horizon: int) -> HeldBack | None:
    """Forecasts at cutoffs from `ends` (S,) on; None where no series has a value after its end."""
    spacing = horizon if len(panel) >= ENOUGH_SERIES else max(1, horizon // 3)
    most = FEWEST_CUTOFFS if len(panel) >= ENOUGH_SERIES else MOST_CUTOFFS
    counts = ends[:, None] + spacing * np.arange(most)
    counts = np.where((counts < panel.lengths[:, None]) & (ends[:, None] > 0), counts, 0)
    series, cutoff = np.nonzero(counts)
    if not len(series):
        return None
    origins = Origins(series, counts[series, cutoff])
    quantiles = decode(panel, origins, horizon)
    actual = _actual(panel, series, origins.counts[:, None], panel.lengths[series], horizon)[:, 0]
    return HeldBack(origins, quantiles, actual)


def measured_factors(measured: HeldBack | None, horizon: int) -> NDArray:
    """How much wider intervals must be (H, I); 1 where nothing was held back."""
    if measured is None:
        return np.ones((horizon, MEDIAN))
    _, quantiles, actual = measured
    positive = all_positive(quantiles) & all_positive(actual)
    quantiles, actual = on_axis(quantiles, positive), on_axis(actual, positive)
    return interval_factors(HEAD_QUANTILES, quantiles[None], actual[None])[0]


def widened(quantiles_OHQ: NDArray, factors_HI: NDArray) -> NDArray:
    """Quantiles whose intervals are widened by measured factors, later steps by the last one's."""
    last = np.minimum(np.arange(quantiles_OHQ.shape[1]), len(factors_HI) - 1)
    factors_OHI = np.broadcast_to(
        factors_HI[last], (len(quantiles_OHQ), len(last), factors_HI.shape[1])
    )
    positive = all_positive(quantiles_OHQ)
    wider = widen(on_axis(quantiles_OHQ, positive), HEAD_QUANTILES, factors_OHI)
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
    return np.sort(median + distance, axis=2)


def all_positive(values: NDArray) -> NDArray:
    """Which origins have no known value that is 0 or less (O,)."""
    return np.logical_not((values <= 0).reshape(len(values), -1).any(axis=1))


def on_axis(values: NDArray, positive: NDArray) -> NDArray:
    """Logarithms where all is positive: there, intervals are widened as ratios and stay above
    0."""
    rows = positive.reshape(-1, *[1] * (values.ndim - 1))
    return np.where(rows, np.log(np.where(rows, values, 1.0)), values)


def _held_out(counts_O: NDArray, horizon: int, series: int) -> NDArray:
    """Counts (O, J) of cutoffs before each origin, in the later half of what it knows; 0 = none.

    Few series need many cutoffs, so these overlap; those of many series lie a horizon apart, as a
    backtest's do.
    """
    many = series >= ENOUGH_SERIES
    cutoffs, spacing = (FEWEST_CUTOFFS, horizon) if many else (MOST_CUTOFFS, max(1, horizon // 3))
    counts = counts_O[:, None] - spacing * np.arange(1, cutoffs + 1)
    return np.where(counts >= np.maximum(EARLIEST, counts_O[:, None] // 2), counts, 0)


def _actual(
    panel: Panel, series: NDArray, held_out: NDArray, known_until: NDArray, horizon: int
) -> NDArray:
    """Actual values after each held-out cutoff (O, J, H), as far as they may be known, then NaN."""
    steps = held_out[:, :, None] + np.arange(horizon)
    known = (steps < known_until[:, None, None]) & (held_out[:, :, None] > 0)
    positions = panel.offsets[series][:, None, None] + np.where(known, steps, 0)
    return np.where(known, panel.values[positions], np.nan)


def groups_of(origins: Origins, series: int) -> list[NDArray]:
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
