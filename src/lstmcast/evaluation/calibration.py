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

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import FEWEST_CUTOFFS, MOST_CUTOFFS, held_out_counts
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN
from lstmcast.model.inputs.adaptive import OUTER
from lstmcast.model.inputs.axis import LINEAR, LOG, ROOT, from_axis, to_axis

ENOUGH_SERIES = 250  # of which four cutoffs, a horizon apart, are enough
ENOUGH = 60  # scores for one interval at one step
NEAR = 3  # steps before it that a step may share the scores of, in a series calibrated alone
# held-out cutoffs that a series calibrated alone must have: the scores of one cutoff are alike
OWN_CUTOFFS = 8
MOST_WIDENED = 1.5  # times its own width, beyond which an interval is held to errors of that size
# held-out cutoffs whose scores weigh as much as the prior (the network; all series together)
TRUST = 4.0
# and as much as what shorter steps say of one that fewer cutoffs, or none, could measure
FROM_SHORTER = 8.0
GROWN = 4.0  # held-out cutoffs that say as much of the growth of errors as the network does
STEEPEST = 0.5  # growth of a walk's errors, beyond what the network's own widths grow
SMOOTHED, SMOOTHED_SHARE = 3, 4  # steps to each side, or a part of the distance
# Forecasts, at origins and at held-out cutoffs, whose quantiles are worked on together, and origins
# whose intervals are widened together: of 100,000 series all of them would be gigabytes.
AT_ONCE, WIDENED_AT_ONCE = 1 << 15, 1 << 13
FIRST = 24  # steps that are looked at together, however few are asked for

# quantiles (O, H, Q) at `heads.HEAD_QUANTILES`, in the units of the data
Decode = Callable[[Panel, Origins, int], NDArray]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Origins, and the cutoffs before each of them (O, J) that were held out; count 0 = none."""

    origins: Origins
    counts_OJ: NDArray
    apart_O: NDArray  # steps between these cutoffs

    @classmethod
    def of(cls, panel: Panel, origins: Origins) -> HeldOut:
        """The cutoffs that say how good forecasts would have been: many of few series, few of each
        of many."""
        cutoffs = FEWEST_CUTOFFS if len(panel) >= ENOUGH_SERIES else MOST_CUTOFFS
        return cls(origins, *held_out_counts(origins.counts, panel.periods, cutoffs))

    @property
    def distinct(self) -> Origins:
        """All origins and cutoffs, once each, whichever origins share them: what `forecasts` asks
        its forecaster for."""
        return Origins(*self._distinct()[0])

    def forecasts(self, answer: Callable[[Origins], NDArray]) -> tuple[NDArray, NDArray]:
        """What a forecaster answers at the origins (O, …) and at the held-out cutoffs (O, J, …).

        It is asked once for each cutoff of a series, whichever origins share it. NaN where there
        is no cutoff.
        """
        count = len(self.origins.series)
        different, known, place = self._distinct()
        answers = answer(Origins(*different))
        filled = np.full((len(known), *answers.shape[1:]), np.nan)
        filled[known] = answers
        filled = filled[place].reshape(count, -1, *answers.shape[1:])
        return filled[:, 0], filled[:, 1:]

    def _distinct(self) -> tuple[NDArray, NDArray, NDArray]:
        """Series and counts that are asked for (2, A), which of the different pairs they are, and
        the pair of each origin and each of its cutoffs."""
        everything = np.concatenate([self.origins.counts[:, None], self.counts_OJ], axis=1)
        series = np.broadcast_to(self.origins.series[:, None], everything.shape)
        pairs = np.stack([series.ravel(), everything.ravel()])
        different, place = np.unique(pairs, axis=1, return_inverse=True)
        known = different[1] > 0
        return different[:, known], known, place

    def tried(self, decode: Decode, panel: Panel, horizon: int) -> Tried:
        """The network's forecasts, and what came after the held-out cutoffs."""
        return self.whole(self.tried_in_parts(decode, panel, horizon))

    def whole(self, parts: Iterable[tuple[slice, Tried]]) -> Tried:
        """What was tried of some origins after the other, together."""
        whole: Tried | None = None
        for rows, tried in parts:
            if rows == slice(0, len(self.counts_OJ)):
                return tried
            if whole is None:
                whole = Tried(*(np.empty((len(self.counts_OJ), *part.shape[1:])) for part in tried))
            for everything, part in zip(whole, tried, strict=True):
                everything[rows] = part
        assert whole is not None  # there is at least one part
        return whole

    def tried_in_parts(
        self, decode: Decode, panel: Panel, horizon: int
    ) -> Iterator[tuple[slice, Tried]]:
        """`tried` of some origins after the other, and which they are."""
        for rows in self.parts(len(panel)):
            own = self.rows(rows)
            quantiles, before = own.forecasts(lambda at: decode(panel, at, horizon))
            series, until = own.origins
            actual = _actual(panel, series, own.counts_OJ, until, horizon)
            yield rows, Tried(quantiles, before, actual)

    def rows(self, rows: slice) -> HeldOut:
        """Some of the origins."""
        origins = Origins(self.origins.series[rows], self.origins.counts[rows])
        return HeldOut(origins, self.counts_OJ[rows], self.apart_O[rows])

    def parts(self, series: int) -> list[slice]:
        """The origins of some series after the other, all cutoffs of a series together."""
        count, cutoffs = self.counts_OJ.shape
        per_series = max(count // max(series, 1), 1)
        size = max(AT_ONCE // (per_series * (1 + cutoffs)), 1) * per_series
        return [slice(k, min(k + size, count)) for k in range(0, max(count, 1), size)]


class Tried(NamedTuple):
    """Quantiles at origins and at the held-out cutoffs before them, with what came after those."""

    quantiles_OHQ: NDArray
    before_OJHQ: NDArray
    actual_OJH: NDArray  # as far as it may be known, then NaN

    def rows(self, rows: slice | NDArray) -> Tried:
        """Some of the origins."""
        return Tried(*(part[rows] for part in self))

    @property
    def positive(self) -> NDArray:
        """Where all of it is above 0, so that logarithms can be taken (O,)."""
        return (
            all_positive(self.quantiles_OHQ)
            & all_positive(self.before_OJHQ)
            & (all_positive(self.actual_OJH))
        )


def calibrated(parts: Iterable[tuple[slice, Tried]], held_out: HeldOut, series: int) -> NDArray:
    """Quantiles (O, H, Q), their intervals calibrated at held-out cutoffs before each origin.

    parts: what was tried of some origins after the other, and which they are. Of the quantiles at
    held-out cutoffs no more is kept than how wide intervals had to be.
    """
    measured: Measured | None = None
    for rows, tried in parts:
        measured = measured or Measured.none(len(held_out.counts_OJ), tried)
        measured.put(rows, tried)
    assert measured is not None  # there is at least one part
    result_OHQ, axes_O, scores_IOJH, below_OH, above_OH = measured
    for group in groups_of(held_out.origins, series):
        own = group if len(group) < len(result_OHQ) else slice(None)  # no copies of all of them
        scores = (scores_OJH[own] for scores_OJH in scores_IOJH)
        factors_GHI = _factors_of(scores, HEAD_QUANTILES, held_out.apart_O[group])
        for first in range(0, len(group), WIDENED_AT_ONCE):
            some = group[first : first + WIDENED_AT_ONCE]
            factors = factors_GHI[first : first + WIDENED_AT_ONCE]
            reached = below_OH[some], above_OH[some]
            wide = widen(result_OHQ[some], HEAD_QUANTILES, factors, reached)
            result_OHQ[some] = _back(wide, axes_O[some])
    return result_OHQ


class Measured(NamedTuple):
    """What calibration needs of the forecasts, on the axis of each origin."""

    quantiles_OHQ: NDArray
    axes_O: NDArray
    scores_IOJH: NDArray  # by how much each interval would have had to be wider
    below_OH: NDArray  # the largest errors seen on each side
    above_OH: NDArray

    @classmethod
    def none(cls, count: int, tried: Tried) -> Measured:
        """Room for so many origins, of as many cutoffs, steps and levels as some of them have."""
        _, J, H, Q = tried.before_OJHQ.shape
        sides = np.empty((count, H)), np.empty((count, H))
        scores_IOJH = np.empty((MEDIAN, count, J, H))
        return cls(np.empty((count, H, Q)), np.empty(count, np.int64), scores_IOJH, *sides)

    def put(self, rows: slice, tried: Tried) -> None:
        """Take in what was tried of some origins."""
        axes = axes_of(*tried)
        quantiles, before, actual = (_on_axis(part, axes) for part in tried)
        self.quantiles_OHQ[rows], self.axes_O[rows] = quantiles, axes
        for i in range(MEDIAN):
            self.scores_IOJH[i, rows] = _scores(
                before, actual, MEDIAN - 1 - i, MEDIAN, MEDIAN + 1 + i
            )
        error = actual - before[..., MEDIAN]
        self.below_OH[rows], self.above_OH[rows] = _largest(-error), _largest(error)


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
    axes_O = axes_of(quantiles, actual)
    quantiles, actual = _on_axis(quantiles, axes_O), _on_axis(actual, axes_O)
    return interval_factors(HEAD_QUANTILES, quantiles[None], actual[None])[0]


def widened(quantiles_OHQ: NDArray, factors_HI: NDArray) -> NDArray:
    """Quantiles whose intervals are widened by measured factors, later steps by the last one's."""
    last = np.minimum(np.arange(quantiles_OHQ.shape[1]), len(factors_HI) - 1)
    factors_OHI = np.broadcast_to(
        factors_HI[last], (len(quantiles_OHQ), len(last), factors_HI.shape[1])
    )
    axes_O = axes_of(quantiles_OHQ)
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
    apart_G: NDArray | None = None,
) -> NDArray:
    """Widened quantiles (G, H, Q): each interval times the factor measured at the held-out
    cutoffs.

    `held_out_GJHQ`: quantiles forecast at J earlier cutoffs of the same series; `actual_GJH`: the
    actual values (NaN = unknown); `apart_G`: steps between these cutoffs, which are taken for
    independent unless given. A series with enough scores of its own, from the step and those
    before it, is calibrated alone; otherwise the scores of all G series are pooled, over as many
    steps as it takes. The median stays.

    >>> wide = np.array([[[-9.0, 0.0, 9.0]]])
    >>> actual = np.linspace(-1, 1, 200).reshape(1, 200, 1)
    >>> calibrate(wide, (0.1, 0.5, 0.9), np.repeat(wide[:, None], 200, 1), actual).round(1)
    array([[[-0.8,  0. ,  0.8]]])
    """
    factors_GHI = interval_factors(quantile_levels, held_out_GJHQ, actual_GJH, apart_G)
    error_GJH = actual_GJH - held_out_GJHQ[..., quantile_levels.index(0.5)]
    reached = _largest(-error_GJH), _largest(error_GJH)
    return widen(quantiles_GHQ, quantile_levels, factors_GHI, reached)


def _largest(error_GJH: NDArray) -> NDArray:
    """The largest error of the steps up to each (G, H), of the first steps together, 0 where all
    lie on the other side; infinite where none is known."""
    known_GJH = np.where(np.isnan(error_GJH), -np.inf, np.maximum(error_GJH, 0.0))
    largest_GH = known_GJH.max(axis=1, initial=-np.inf)
    largest_GH = np.maximum.accumulate(largest_GH, axis=1)
    until_H = np.maximum(np.arange(largest_GH.shape[1]), min(FIRST, largest_GH.shape[1]) - 1)
    return np.where(largest_GH < 0, np.inf, largest_GH)[:, until_H]


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
        _scores(held_out_GJHQ, actual_GJH, middle - 1 - i, middle, middle + 1 + i)
        for i in range(middle)
    )
    return _factors_of(scores, quantile_levels, apart_G)


def _factors_of(
    scores: Iterable[NDArray], quantile_levels: tuple[float, ...], apart_G: NDArray | None
) -> NDArray:
    """Factors (G, H, I) from the scores (G, J, H) of each interval, narrow ones first."""
    middle = quantile_levels.index(0.5)
    factors = [
        _factors(
            scores_GJH, quantile_levels[middle + 1 + i] - quantile_levels[middle - 1 - i], apart_G
        )
        for i, scores_GJH in enumerate(scores)
    ]
    return np.stack(factors, axis=2)


def widen(
    quantiles_GHQ: NDArray,
    quantile_levels: tuple[float, ...],
    factors_GHI: NDArray,
    reached: tuple[NDArray, NDArray] | None = None,
) -> NDArray:
    """Quantiles whose distance to the median is multiplied by their interval's factor; never
    crossing.

    `reached`: the largest errors seen below and above the median, (G, H) each. A level shift or a
    spike shows twice, in the network's own spread and in the factor: beyond `MOST_WIDENED` times
    its own an interval grows on a side only as far as an error has reached there.
    """
    middle = quantile_levels.index(0.5)
    median = quantiles_GHQ[:, :, middle : middle + 1]
    inward = factors_GHI[:, :, ::-1]
    factors_GHQ = np.concatenate([inward, np.ones_like(median), factors_GHI], axis=2)
    own = quantiles_GHQ - median
    distance = own * factors_GHQ
    if reached is not None:
        below, above = (
            np.maximum(MOST_WIDENED * np.abs(own), side_GH[:, :, None]) for side_GH in reached
        )
        distance = np.clip(distance, -below, above)
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


def axes_of(*parts: NDArray) -> NDArray:
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


def all_positive(values: NDArray) -> NDArray:
    """Which origins have no known value that is 0 or less (O,)."""
    return np.logical_not((values <= 0).reshape(len(values), -1).any(axis=1))


def on_axis(values: NDArray, positive: NDArray) -> NDArray:
    """Logarithms where all is positive: there, intervals are widened as ratios and stay above
    0."""
    rows = positive.reshape(-1, *[1] * (values.ndim - 1))
    return np.where(rows, np.log(np.where(rows, values, 1.0)), values)


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


def _factors(scores_GJH: NDArray, level: float, apart_G: NDArray | None) -> NDArray:
    """Factors (G, H) for one interval: of each series alone where it has enough scores, else of
    all together."""
    G, J, H = scores_GJH.shape
    if np.isnan(scores_GJH).all():
        return np.ones((G, H))
    trials_GH = _trials(scores_GJH, apart_G)
    pooled_1NH = scores_GJH.reshape(1, -1, H)
    pooled_H = _of_group(pooled_1NH, level, H, np.ones(H), trials_GH.sum(axis=0))
    result = np.tile(pooled_H, (G, 1))
    if G == 1 or J < OWN_CUTOFFS:
        return result
    for g in range(G):
        own_1JH = scores_GJH[g : g + 1]
        if any(len(_nearest(own_1JH, h, NEAR)) >= ENOUGH for h in range(H)):
            result[g] = _of_group(own_1JH, level, NEAR, pooled_H, trials_GH[g])
    return result


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
    ratio_H = np.log(_measured(scores_1NH, level, farthest, trials_H) / before_H)
    weight_H = np.where(np.isnan(ratio_H), 0.0, trials_H)
    ratio_H = _smoothed(ratio_H, weight_H)
    most = weight_H.max()
    if most == 0:
        return before_H.copy()
    missing_H = np.minimum(most - weight_H, FROM_SHORTER)
    said_H = weight_H * np.nan_to_num(ratio_H) + missing_H * _grown(ratio_H, weight_H)
    return before_H * np.exp(said_H / (weight_H + missing_H) * most / (most + TRUST))


def _measured(scores_1NH: NDArray, level: float, farthest: int, trials_H: NDArray) -> NDArray:
    """The factor that the scores of each step ask for (H,); NaN where there are none.

    Errors of a walk at cutoffs that lie close together are nearly one trial, those of a season
    nearly as many as there are: the quantile is taken as of a number between the two.
    """
    known_H = np.count_nonzero(~np.isnan(scores_1NH), axis=(0, 1))
    alone_H = np.sqrt(trials_H / np.maximum(known_H, 1))
    measured_H = np.full(len(trials_H), np.nan)
    for h in range(len(trials_H)):
        scores = _nearest(scores_1NH, h, farthest)
        if len(scores) and trials_H[h] > 0:
            factor = _conformal_quantile(scores, level, len(scores) * alone_H[h])
            measured_H[h] = np.clip(factor, 0.05, 20.0)
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
    near_HH = np.maximum(1 - np.abs(at_H[:, None] - at_H) / reach_H[:, None], 0.0)
    near_HH = np.where(at_H <= last_H[:, None], near_HH, 0.0) * np.minimum(weight_H, MOST_CUTOFFS)
    np.fill_diagonal(near_HH, weight_H)
    total_H = near_HH.sum(axis=1)
    mean_H = near_HH @ np.nan_to_num(ratio_H) / np.maximum(total_H, 1e-12)
    return np.where(np.isnan(ratio_H), np.nan, mean_H)


def _grown(ratio_H: NDArray, weight_H: NDArray) -> NDArray:
    """What the steps up to each say of it (H,): a straight line over the logarithm of the
    distance, whose slope is held towards none."""
    ahead_H = np.log(np.arange(1, len(ratio_H) + 1))
    ratio_H = np.nan_to_num(ratio_H)
    sums = [weight_H, weight_H * ahead_H, weight_H * ratio_H]
    sums += [weight_H * ahead_H**2, weight_H * ahead_H * ratio_H]
    # The first steps share their line, so that it begins with more than a point.
    until_H = np.maximum(np.arange(len(ratio_H)), min(FIRST, len(ratio_H)) - 1)
    total_H, x_H, y_H, xx_H, xy_H = (np.cumsum(part)[until_H] for part in sums)
    total_H = np.maximum(total_H, 1e-12)
    middle_H, mean_H = x_H / total_H, y_H / total_H
    spread_H = np.maximum(xx_H / total_H - middle_H**2, 1e-9)
    slope_H = np.clip((xy_H / total_H - middle_H * mean_H) / spread_H, -STEEPEST, STEEPEST)
    held = weight_H.max() / (weight_H.max() + GROWN)
    return mean_H + held * slope_H * (ahead_H - middle_H)


def _nearest(scores_1NH: NDArray, h: int, farthest: int) -> NDArray:
    """Known scores of step `h` and of as few others as give enough of them: those before it, and
    for the first steps those after it."""
    scores = np.empty(0)
    for width in range(farthest + 1):
        scores = scores_1NH[:, :, max(0, h - width) : max(h, width) + 1].ravel()
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
