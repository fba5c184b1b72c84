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

from collections.abc import Iterable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.evaluation.factors import FIRST as FIRST
from lstmcast.evaluation.factors import factors_of, scores_of
from lstmcast.evaluation.factors import interval_factors as interval_factors
from lstmcast.evaluation.held_out import Decode as Decode
from lstmcast.evaluation.held_out import HeldBack as HeldBack
from lstmcast.evaluation.held_out import HeldOut as HeldOut
from lstmcast.evaluation.held_out import Tried as Tried
from lstmcast.evaluation.held_out import all_positive as all_positive
from lstmcast.evaluation.held_out import groups_of as groups_of
from lstmcast.evaluation.held_out import held_back as held_back
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN
from lstmcast.model.inputs.adaptive import OUTER
from lstmcast.model.inputs.axis import LINEAR, LOG, ROOT, from_axis, to_axis

MOST_WIDENED = 1.5  # times its own width, beyond which an interval is held to errors of that size
# Origins whose intervals are widened together: of 100,000 series all of them would be gigabytes.
WIDENED_AT_ONCE = 1 << 12


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
        factors_GHI = factors_of(scores, HEAD_QUANTILES, held_out.apart_O[group])
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
            self.scores_IOJH[i, rows] = scores_of(
                before, actual, MEDIAN - 1 - i, MEDIAN, MEDIAN + 1 + i
            )
        error = actual - before[..., MEDIAN]
        self.below_OH[rows], self.above_OH[rows] = _largest(-error), _largest(error)


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


def on_axis(values: NDArray, positive: NDArray) -> NDArray:
    """Logarithms where all is positive: there, intervals are widened as ratios and stay above
    0."""
    rows = positive.reshape(-1, *[1] * (values.ndim - 1))
    return np.where(rows, np.log(np.where(rows, values, 1.0)), values)
