"""Conformal calibration of intervals on held-out cutoffs.

The quantiles of the network give relative uncertainty. The required width is measured at cutoffs
before the forecast: the score of an interval is the factor on its half-width at which it would have
contained the actual value. The quantile of these scores at the level of the interval is the factor
by which it is widened (split conformal prediction: Vovk, Gammerman & Shafer 2005; scores normalised
by the predicted spread: Romano, Patterson & Candès 2019).

Without training on the data, each forecast is calibrated at cutoffs before it (`HeldOut`,
`calibrated`). After training, only values after the training part are held out: the factors are
measured once, when training ends, and stored (`measured_factors`, `widened`).

    S series · O origins · G origins that share a calibration · J held-out cutoffs · H horizon
    Q quantile levels, symmetric about the median · I central intervals, narrow ones first
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import UsageError
from lstmcast.evaluation.factors import FIRST as FIRST
from lstmcast.evaluation.factors import factors_of, scores_of
from lstmcast.evaluation.factors import interval_factors as interval_factors
from lstmcast.evaluation.held_out import Decode as Decode
from lstmcast.evaluation.held_out import HeldBack as HeldBack
from lstmcast.evaluation.held_out import HeldOut as HeldOut
from lstmcast.evaluation.held_out import Tried as Tried
from lstmcast.evaluation.held_out import alike, per_origin
from lstmcast.evaluation.held_out import all_positive as all_positive
from lstmcast.evaluation.held_out import held_back as held_back
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN, SCORES
from lstmcast.model.inputs.adaptive import OUTER
from lstmcast.model.inputs.axis import LINEAR, LOG, ROOT, from_axis, to_axis

# intervals, in percent: quantiles reach to 0.999, and below 1 a share such as 0.8 was meant
NARROWEST, WIDEST = 1, 99.8
# multiple of its own width beyond which an interval is limited by observed errors
MOST_WIDENED = 1.5
# As a share of the usual error at held-out cutoffs: an outermost interval that is no wider counts
# as having no width, which happens for series that are constant between jumps. Its quantiles then
# start at this many usual errors, times the normal scores.
NO_WIDTH, LEAST = 0.1, 0.3
# Origins whose intervals are widened together: for 100,000 series at once, arrays would take
# gigabytes.
WIDENED_AT_ONCE = 1 << 12


def quantiles_of(level: float | Sequence[float]) -> tuple[float, ...]:
    """Quantile levels of the median and of intervals in percent; UsageError for invalid ones.

    >>> quantiles_of(80)
    (0.1, 0.5, 0.9)
    """
    percents = np.atleast_1d(np.asarray(level, np.float64))
    is_possible = (percents >= NARROWEST) & (percents <= WIDEST)
    if not len(percents) or not is_possible.all():
        raise UsageError(
            f"{level=} is not an interval. Give percentages from {NARROWEST:g} to {WIDEST:g}, "
            "such as 80 or [80, 95]."
        )
    quantiles = {0.5}
    for percent in percents.tolist():
        tail = round((1 - percent / 100) / 2, 6)
        quantiles |= {tail, round(1 - tail, 6)}
    return tuple(sorted(quantiles))


def calibrated(batches: Iterable[tuple[slice, Tried]], held_out: HeldOut) -> NDArray:
    """Quantiles (O, H, Q), their intervals calibrated at held-out cutoffs before each origin.

    batches: groups of origins, and the results for them. Of the quantiles at held-out cutoffs, only
        the required widths are kept.
    """
    measured: Measured | None = None
    for rows, forecasts in batches:
        measured = measured or Measured.none(len(held_out.counts_OJ), forecasts)
        measured.put(rows, forecasts)
    assert measured is not None  # there is at least one batch
    origin_count = len(measured.quantiles_OHQ)
    for groups_PG in alike(held_out.groups, WIDENED_AT_ONCE):
        is_all = groups_PG.shape == (1, origin_count)
        rows = np.s_[None] if is_all else groups_PG  # avoids copies if all are selected
        scores_IPGJH = measured.scores_IOJH[:, rows]
        factors_PGHI = factors_of(
            scores_IPGJH, HEAD_QUANTILES, held_out.apart_O[groups_PG]
        )
        factors_OHI = factors_PGHI.reshape(groups_PG.size, *factors_PGHI.shape[2:])
        for first in range(0, groups_PG.size, WIDENED_AT_ONCE):
            chunk = slice(first, first + WIDENED_AT_ONCE)
            measured.widen(groups_PG.ravel()[chunk], factors_OHI[chunk])
    return measured.quantiles_OHQ


class Measured(NamedTuple):
    """The values of the forecasts that calibration needs, on the axis of each origin."""

    quantiles_OHQ: NDArray
    axes_O: NDArray
    scores_IOJH: NDArray  # factor that each interval would have needed
    below_OH: NDArray  # the largest errors on each side
    above_OH: NDArray

    @classmethod
    def none(cls, count: int, forecasts: Tried) -> Measured:
        """Allocate space for a number of origins, with the cutoffs, steps and levels of a batch."""
        _, J, H, Q = forecasts.before_OJHQ.shape
        return cls(
            quantiles_OHQ=np.empty((count, H, Q)),
            axes_O=np.empty(count, np.int64),
            scores_IOJH=np.empty((MEDIAN, count, J, H)),
            below_OH=np.empty((count, H)),
            above_OH=np.empty((count, H)),
        )

    def put(self, rows: slice, forecasts: Tried) -> None:
        """Add the results for some origins."""
        axes_O = axes_of(*forecasts)
        before_OJHQ = _on_axis(forecasts.before_OJHQ, axes_O)
        actual_OJH = _on_axis(forecasts.actual_OJH, axes_O)
        error_OJH = actual_OJH - before_OJHQ[..., MEDIAN]
        least_OHQ = _least_distances(before_OJHQ, error_OJH)
        is_root_O = axes_O == ROOT  # where all bounds may be 0
        least_OHQ[is_root_O] = 0.0
        before_OJHQ = _apart(before_OJHQ, least_OHQ[:, None])
        self.axes_O[rows] = axes_O
        self.quantiles_OHQ[rows] = _apart(
            _on_axis(forecasts.quantiles_OHQ, axes_O), least_OHQ
        )
        for interval in range(MEDIAN):
            low = MEDIAN - 1 - interval
            high = MEDIAN + 1 + interval
            scores_OJH = scores_of(before_OJHQ, actual_OJH, low, MEDIAN, high)
            self.scores_IOJH[interval, rows] = scores_OJH
        error_OJH = actual_OJH - before_OJHQ[..., MEDIAN]
        self.below_OH[rows] = _largest(-error_OJH)
        self.above_OH[rows] = _largest(error_OJH)

    def widen(self, rows: NDArray, factors_GHI: NDArray) -> None:
        """Widen the intervals of some origins, and convert them back from their axis."""
        largest = self.below_OH[rows], self.above_OH[rows]
        wide = widen(self.quantiles_OHQ[rows], HEAD_QUANTILES, factors_GHI, largest)
        self.quantiles_OHQ[rows] = _back(wide, self.axes_O[rows])


def _least_distances(before_OJHQ: NDArray, error_OJH: NDArray) -> NDArray:
    """The smallest distances of quantiles from the median (O, H, Q), with sign: 0 where they have
    widths, else multiples of the usual error at held-out cutoffs, a squared mean of square roots,
    so that a jump counts for little."""
    known_OJH = ~np.isnan(error_OJH)
    count_OH = np.maximum(known_OJH.sum(axis=1), 1)

    def mean(values_OJH: NDArray) -> NDArray:
        known_values_OJH = np.where(known_OJH, values_OJH, 0.0)
        return known_values_OJH.sum(axis=1) / count_OH

    size_OJH = np.abs(error_OJH)
    usual_OH = mean(np.sqrt(size_OJH)) ** 2
    lowest_OJH = before_OJHQ[..., 0]
    highest_OJH = before_OJHQ[..., -1]
    width_OH = mean(highest_OJH - lowest_OJH)
    has_no_width_OH = width_OH < NO_WIDTH * usual_OH
    usual_OH = np.where(has_no_width_OH, usual_OH, 0.0)
    return LEAST * usual_OH[:, :, None] * SCORES


def _apart(quantiles: NDArray, distance: NDArray) -> NDArray:
    """Quantiles (…, Q) at least this far from the median; unchanged where they already are."""
    median = quantiles[..., MEDIAN : MEDIAN + 1]
    own_distance = np.abs(quantiles - median)
    is_near = own_distance < np.abs(distance)
    return np.where(is_near, median + distance, quantiles)


def measured_factors(measured: HeldBack | None, horizon: int) -> NDArray:
    """Factors by which intervals must be widened (H, I); 1 if nothing was held out."""
    if measured is None:
        return np.ones((horizon, MEDIAN))
    axes_O = axes_of(measured.quantiles_OHQ, measured.actual_OH)
    quantiles_OHQ = _on_axis(measured.quantiles_OHQ, axes_O)
    actual_OH = _on_axis(measured.actual_OH, axes_O)
    factors_1HI = interval_factors(HEAD_QUANTILES, quantiles_OHQ[None], actual_OH[None])
    return factors_1HI[0]


def widened(quantiles_OHQ: NDArray, factors_HI: NDArray) -> NDArray:
    """Widen intervals by measured factors; steps beyond the last one use its factor."""
    origins, horizon, _ = quantiles_OHQ.shape
    step_H = np.minimum(np.arange(horizon), len(factors_HI) - 1)
    shape = (origins, horizon, factors_HI.shape[1])
    factors_OHI = np.broadcast_to(factors_HI[step_H], shape)
    axes_O = axes_of(quantiles_OHQ)
    on_axis_OHQ = _on_axis(quantiles_OHQ, axes_O)
    wide_OHQ = widen(on_axis_OHQ, HEAD_QUANTILES, factors_OHI)
    return _back(wide_OHQ, axes_O)


def at_levels(quantiles: NDArray, quantile_levels: tuple[float, ...]) -> NDArray:
    """Quantiles at other levels, interpolated linearly over normal scores."""
    scores = np.array([NormalDist().inv_cdf(level) for level in HEAD_QUANTILES])
    at_levels = np.empty((*quantiles.shape[:2], len(quantile_levels)))
    for column, level in enumerate(quantile_levels):
        score = NormalDist().inv_cdf(level)
        upper = int(np.clip(np.searchsorted(scores, score), 1, len(scores) - 1))
        lower = upper - 1
        share = (score - scores[lower]) / (scores[upper] - scores[lower])
        low = quantiles[:, :, lower]
        high = quantiles[:, :, upper]
        at_levels[:, :, column] = low + share * (high - low)
    return at_levels


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
    actual values (NaN = unknown); `apart_G`: steps between these cutoffs, which are assumed
    independent by default. A series with enough scores, from the step and those before it, is
    calibrated alone; otherwise the scores of all G series are pooled, over as many steps as needed.
    The median is unchanged.

    >>> wide = np.array([[[-9.0, 0.0, 9.0]]])
    >>> actual = np.linspace(-1, 1, 200).reshape(1, 200, 1)
    >>> calibrate(wide, (0.1, 0.5, 0.9), np.repeat(wide[:, None], 200, 1), actual).round(1)
    array([[[-0.8,  0. ,  0.8]]])
    """
    factors_GHI = interval_factors(quantile_levels, held_out_GJHQ, actual_GJH, apart_G)
    middle = quantile_levels.index(0.5)
    error_GJH = actual_GJH - held_out_GJHQ[..., middle]
    largest = _largest(-error_GJH), _largest(error_GJH)
    return widen(quantiles_GHQ, quantile_levels, factors_GHI, largest)


def _largest(error_GJH: NDArray) -> NDArray:
    """The largest error of the steps up to each (G, H), with the first steps pooled; 0 if all are
    on the other side, infinite if none is known."""
    size_GJH = np.maximum(error_GJH, 0.0)
    size_GJH = np.where(np.isnan(error_GJH), -np.inf, size_GJH)
    largest_GH = size_GJH.max(axis=1, initial=-np.inf)
    largest_GH = np.maximum.accumulate(largest_GH, axis=1)
    largest_GH = np.where(largest_GH < 0, np.inf, largest_GH)
    steps = largest_GH.shape[1]
    until_H = np.maximum(np.arange(steps), min(FIRST, steps) - 1)
    return largest_GH[:, until_H]


def widen(
    quantiles_GHQ: NDArray,
    quantile_levels: tuple[float, ...],
    factors_GHI: NDArray,
    largest: tuple[NDArray, NDArray] | None = None,
) -> NDArray:
    """Quantiles with their distance to the median multiplied by the factor of their interval;
    they never cross.

    `largest`: the largest errors seen below and above the median, (G, H) each. A level shift or a
    spike counts twice, in the network's own spread and in the factor: so beyond `MOST_WIDENED`
    times its own width, an interval is not widened past the largest error on that side.
    """
    middle = quantile_levels.index(0.5)
    median = quantiles_GHQ[:, :, middle : middle + 1]
    inward = factors_GHI[:, :, ::-1]
    factors_GHQ = np.concatenate([inward, np.ones_like(median), factors_GHI], axis=2)
    distance = quantiles_GHQ - median
    wide = distance * factors_GHQ
    if largest is not None:
        below_GH, above_GH = largest
        width_limit = MOST_WIDENED * np.abs(distance)
        below = np.maximum(width_limit, below_GH[:, :, None])
        above = np.maximum(width_limit, above_GH[:, :, None])
        wide = np.clip(wide, -below, above)
    stays = _reaches_level(quantiles_GHQ, distance)
    wide = np.where(stays, distance, wide)
    return np.sort(median + wide, axis=2)


def _reaches_level(quantiles_GHQ: NDArray, distance_GHQ: NDArray) -> NDArray:
    """Whether bounds mark another level (G, H, Q): the outer two of a side are equal and not 0.

    Such bounds are not moved.
    """
    reaches_GHQ = np.zeros(quantiles_GHQ.shape, bool)
    if quantiles_GHQ.shape[2] <= 2 * OUTER:
        return reaches_GHQ
    for side in (slice(None, OUTER), slice(-OUTER, None)):
        bounds = quantiles_GHQ[..., side]
        first = bounds[..., :1]
        is_apart = distance_GHQ[..., side][..., :1] != 0
        is_same = first == bounds[..., 1:]
        reaches_GHQ[..., side] = is_same & (first != 0) & is_apart
    return reaches_GHQ


def axes_of(*arrays: NDArray) -> NDArray:
    """The axis on which the intervals of each origin are widened (O,), given all of its values:
    logarithmic if all are positive; square roots if some are 0, which bounds then do not cross;
    linear otherwise."""
    low_O = np.full(len(arrays[0]), np.inf)
    for values in arrays:
        values_OX = values.reshape(len(values), -1)
        low_O = np.fmin(low_O, np.fmin.reduce(values_OX, axis=1))
    return np.select([low_O > 0, low_O == 0], [LOG, ROOT], LINEAR)


def _on_axis(values: NDArray, axes_O: NDArray) -> NDArray:
    return to_axis(values, axes_O == LOG, axes_O == ROOT)


def _back(values: NDArray, axes_O: NDArray) -> NDArray:
    return from_axis(values, axes_O == LOG, axes_O == ROOT)


def on_axis(values: NDArray, positive_O: NDArray) -> NDArray:
    """Logarithms for origins with only positive values: intervals are then widened as ratios and
    stay above 0."""
    is_positive = per_origin(positive_O, values)
    logs = np.log(np.where(is_positive, values, 1.0))
    return np.where(is_positive, logs, values)
