"""Factors that widen intervals, estimated from held-out cutoffs.

A score is the factor on its half-width with which an interval would just have contained the actual
value. The quantile of the scores at the level of the interval is its factor; if scores are few, it
is shrunk towards neighbouring steps, other series and the network's own width (1).

    P groups of equal size · G origins that share a calibration · J held-out cutoffs
    R rows of scores · N cutoffs of one or several series · H horizon
    Q quantile levels, symmetric about the median · I central intervals, narrow ones first
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import MOST_CUTOFFS

ENOUGH = 60  # number of scores needed for one interval at one step
NEAR = 3  # earlier steps whose scores a step may use, in a series calibrated alone
# held-out cutoffs needed to calibrate a series alone: scores of one cutoff are correlated
OWN_CUTOFFS = 8
# held-out cutoffs that weigh as much as the prior (the network; all series together)
TRUST = 4.0
# held-out cutoffs that weigh as much as the extrapolation from shorter steps
FROM_SHORTER = 8.0
# held-out cutoffs that weigh as much as the network, for the growth of errors
GROWN = 4.0
# largest growth of errors beyond that of the network's widths; 0.5 is that of a random walk
STEEPEST = 0.5
SMOOTHED, SMOOTHED_SHARE = 3, 4  # steps to each side, or a share of the distance
FIRST = 24  # first steps that are processed together, whatever the horizon
AT_ONCE = 1 << 21  # numbers per batch


def interval_factors(
    quantile_levels: tuple[float, ...],
    held_out_GJHQ: NDArray,
    actual_GJH: NDArray,
    apart_G: NDArray | None = None,
) -> NDArray:
    """The factors of each central interval (G, H, I), narrow intervals first; 1 if nothing was held
    out."""
    middle = quantile_levels.index(0.5)
    scores = [
        scores_of(held_out_GJHQ, actual_GJH, low, middle, high)
        for low, high in _intervals(quantile_levels)
    ]
    apart_1G = None if apart_G is None else apart_G[None]
    return factors_of(np.stack(scores)[:, None], quantile_levels, apart_1G)[0]


def _intervals(quantile_levels: tuple[float, ...]) -> list[tuple[int, int]]:
    """The indices of the bounds of each central interval, narrow ones first.

    >>> _intervals((0.1, 0.25, 0.5, 0.75, 0.9))
    [(1, 3), (0, 4)]
    """
    middle = quantile_levels.index(0.5)
    return [(middle - width, middle + width) for width in range(1, middle + 1)]


def factors_of(
    scores_IPGJH: NDArray, quantile_levels: tuple[float, ...], apart_PG: NDArray | None
) -> NDArray:
    """Factors (P, G, H, I) from the scores of each interval: of each series alone if it has enough
    scores, else of its whole group."""
    levels = []
    for low, high in _intervals(quantile_levels):
        levels.append(quantile_levels[high] - quantile_levels[low])
    I, P, G, J, H = scores_IPGJH.shape
    R = I * P
    is_unknown = np.isnan(scores_IPGJH)
    known_IPGH = J - np.count_nonzero(is_unknown, axis=3)
    trials_IPGH = _trials(known_IPGH, apart_PG)
    pooled = Scores(
        scores_RNH=scores_IPGJH.reshape(R, G * J, H),
        known_RH=_pooled(known_IPGH),
        trials_RH=_pooled(trials_IPGH),
        level_R=np.repeat(levels, P),
    )
    before_RH = np.ones((R, H))
    pooled_RH = pooled.factors(H, before_RH)
    pooled_IP1H = pooled_RH.reshape(I, P, 1, H)
    factors_IPGH = np.repeat(pooled_IP1H, G, axis=2)
    if G > 1 and J >= OWN_CUTOFFS:
        nearby_IPGH = _in_windows(known_IPGH, NEAR)
        has_own_IPG = (nearby_IPGH >= ENOUGH).any(axis=3)
        rows_I = has_own_IPG.sum(axis=(1, 2))
        of_series = Scores(
            scores_RNH=scores_IPGJH[has_own_IPG],
            known_RH=known_IPGH[has_own_IPG],
            trials_RH=trials_IPGH[has_own_IPG],
            level_R=np.repeat(levels, rows_I),
        )
        before_RH = factors_IPGH[has_own_IPG]
        factors_IPGH[has_own_IPG] = of_series.factors(NEAR, before_RH)
    return np.moveaxis(factors_IPGH, 0, 3)


def scores_of(
    held_out_GJHQ: NDArray, actual_GJH: NDArray, low: int, middle: int, high: int
) -> NDArray:
    """The factor at which the interval would just have contained the actual value (G, J, H); NaN
    if unknown."""
    median = held_out_GJHQ[..., middle]
    error = actual_GJH - median
    above = held_out_GJHQ[..., high] - median
    below = median - held_out_GJHQ[..., low]
    width = np.where(error >= 0, above, below)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        score = np.abs(error) / width
    of_no_width = np.where(error == 0, 0.0, np.nan)
    return np.where(np.isfinite(score), score, of_no_width)


def _trials(known_IPGH: NDArray, apart_PG: NDArray | None) -> NDArray:
    """The number of independent trials that the known scores of each step represent (I, P, G, H).

    Errors at step h of cutoffs fewer than h steps apart have most of their causes in common.
    """
    if apart_PG is None:
        return known_IPGH.astype(float)
    steps_H = np.arange(1, known_IPGH.shape[3] + 1)
    trial_PGH = np.minimum(1.0, apart_PG[..., None] / steps_H)
    return known_IPGH * trial_PGH


def _pooled(count_IPGH: NDArray) -> NDArray:
    """Sums over the series of each group (R, H)."""
    count_IPH = count_IPGH.sum(axis=2)
    return count_IPH.reshape(-1, count_IPH.shape[2])


class Scores(NamedTuple):
    """The scores of one interval in each row, and its level."""

    scores_RNH: NDArray
    known_RH: NDArray  # number of known scores
    trials_RH: NDArray  # number of independent trials they represent
    level_R: NDArray

    def factors(self, farthest: int, before_RH: NDArray) -> NDArray:
        """Factors (R, H), each from the smallest window of steps with enough scores.

        Few cutoffs are few independent trials, whatever the number of steps, so they are shrunk
        towards the prior. Later steps have fewer trials than early ones: missing ones are replaced
        by an extrapolation of what the early steps measured.
        """
        measured_RH = self._measured(farthest)
        ratio_RH = np.log(measured_RH / before_RH)
        weight_RH = np.where(np.isnan(ratio_RH), 0.0, self.trials_RH)
        ratio_RH = _smoothed(ratio_RH, weight_RH)
        largest_R1 = weight_RH.max(axis=1, keepdims=True)
        missing_RH = np.minimum(largest_R1 - weight_RH, FROM_SHORTER)
        grown_RH = _grown(ratio_RH, weight_RH)
        evidence_RH = weight_RH * np.nan_to_num(ratio_RH)
        evidence_RH += missing_RH * grown_RH
        total_RH = weight_RH + missing_RH
        # avoids division by zero where nothing was measured
        mean_RH = evidence_RH / np.where(largest_R1 > 0, total_RH, 1.0)
        mean_RH = mean_RH * largest_R1 / (largest_R1 + TRUST)
        return before_RH * np.exp(mean_RH)

    def _measured(self, farthest: int) -> NDArray:
        """The factor that the scores of each step imply (R, H); NaN if there are none.

        For a random walk, errors at nearby cutoffs are almost one trial; for a season, almost
        independent: the quantile is computed for a number in between.
        """
        width_RH = _widths(self.known_RH, farthest)
        count_RH = _in_windows(self.known_RH, width_RH)
        known_RH = np.maximum(self.known_RH, 1)
        trial_RH = np.sqrt(self.trials_RH / known_RH)
        trials_RH = count_RH * trial_RH
        level_R1 = self.level_R[:, None]
        rank_RH = _ranks(count_RH, level_R1, trials_RH)
        has_trials_RH = self.trials_RH > 0
        is_measured_RH = has_trials_RH & (count_RH > 0)
        measured_RH = np.full(count_RH.shape, np.nan)
        widths = np.unique(width_RH[is_measured_RH])
        for width in widths.tolist():
            has_width_RH = is_measured_RH & (width_RH == width)
            for row, step in self._cells(has_width_RH, width):
                scores = self._in_window(row, step, width)
                measured_RH[row, step] = _ranked(scores, rank_RH[row, step])
        return np.clip(measured_RH, 0.05, 20.0)

    def _cells(
        self, is_cell_RH: NDArray, width: int
    ) -> Iterator[tuple[NDArray, NDArray]]:
        """Batches of rows and steps with a limited number of scores."""
        row, step = np.nonzero(is_cell_RH)
        scores_of_cell = (width + 1) * self.scores_RNH.shape[1]
        size = max(1, AT_ONCE // scores_of_cell)
        for begin in range(0, len(row), size):
            chunk = slice(begin, begin + size)
            yield row[chunk], step[chunk]

    def _in_window(self, row_X: NDArray, step_X: NDArray, width: int) -> NDArray:
        """The scores of some steps and of their windows (X, N), including unknown ones."""
        first_X = np.maximum(0, step_X - width)
        window = min(width + 1, self.scores_RNH.shape[2])
        steps_XW = first_X[:, None] + np.arange(window)
        scores_XWN = self.scores_RNH[row_X[:, None], :, steps_XW]
        return scores_XWN.reshape(len(row_X), -1)


def _widths(known_RH: NDArray, farthest: int) -> NDArray:
    """The width of each step's window (R, H): the smallest with enough scores."""
    width_RH = np.full(known_RH.shape, farthest)
    for width in range(farthest):
        has_enough_RH = _in_windows(known_RH, width) >= ENOUGH
        smaller_RH = np.minimum(width_RH, width)
        width_RH = np.where(has_enough_RH, smaller_RH, width_RH)
        if has_enough_RH.all():
            break
    return width_RH


def _in_windows(known_RH: NDArray, width: NDArray | int) -> NDArray:
    """The number of known scores in each step's window (…, H): of the steps before it, and for the
    first steps also those after it."""
    shape = known_RH.shape
    steps_H = np.arange(shape[-1])
    first = np.maximum(0, steps_H - width)
    stop = np.maximum(steps_H, width) + 1
    stop = np.minimum(stop, len(steps_H))
    sums = np.zeros((*shape[:-1], len(steps_H) + 1), np.int64)
    np.cumsum(known_RH, axis=-1, out=sums[..., 1:])
    first = np.broadcast_to(first, shape)
    stop = np.broadcast_to(stop, shape)
    before_first = np.take_along_axis(sums, first, -1)
    before_stop = np.take_along_axis(sums, stop, -1)
    return before_stop - before_first


def _ranks(count: NDArray, level: NDArray, trials: NDArray) -> NDArray:
    """The rank of the conformal quantile: the ⌈(n + 1) level⌉-th smallest of n scores, or the
    largest; if scores represent fewer independent trials, the rank at the same share."""
    most_trials = np.maximum(count, 1)
    trials = np.minimum(np.maximum(trials, 1.0), most_trials)
    share = (trials + 1) * level / trials
    rank = np.ceil(share * count).astype(np.int64)
    return np.minimum(rank, count)


def _ranked(scores_XN: NDArray, rank_X: NDArray) -> NDArray:
    """The score of each row with this rank (X,); unknown scores are sorted last."""
    # a full sort is as fast as a partial one here
    ordered_XN = np.sort(scores_XN, axis=1)
    place_X1 = rank_X[:, None] - 1
    return np.take_along_axis(ordered_XN, place_X1, axis=1)[:, 0]


def _smoothed(ratio_RH: NDArray, weight_RH: NDArray) -> NDArray:
    """Weighted averages over neighbouring steps (R, H), as a single outlier among the cutoffs
    affects the steps that it met, and bounds should not jump.

    The more trials a step has, the less its neighbours count. Steps beyond the first ones only use
    earlier steps, so that factors do not depend on the horizon.
    """
    nearness_HH = _nearness(ratio_RH.shape[1])
    mean_RH = np.empty_like(ratio_RH)
    size = max(1, AT_ONCE // nearness_HH.size)
    for begin in range(0, len(ratio_RH), size):
        rows = slice(begin, begin + size)
        mean_RH[rows] = _mean_of_near(nearness_HH, ratio_RH[rows], weight_RH[rows])
    return np.where(np.isnan(ratio_RH), np.nan, mean_RH)


def _nearness(steps: int) -> NDArray:
    """The weight of each step for another one (H, H), from 1 down to 0."""
    at_H = np.arange(steps)
    last_H = np.maximum(at_H, min(FIRST, steps) - 1)
    reach_H = np.maximum(SMOOTHED, at_H // SMOOTHED_SHARE) + 1.0
    distance_HH = np.abs(at_H[:, None] - at_H)
    near_HH = np.maximum(1 - distance_HH / reach_H[:, None], 0.0)
    is_allowed_HH = at_H <= last_H[:, None]
    return np.where(is_allowed_HH, near_HH, 0.0)


def _mean_of_near(
    nearness_HH: NDArray, ratio_RH: NDArray, weight_RH: NDArray
) -> NDArray:
    """The averages for a batch of rows."""
    share_RH = np.minimum(weight_RH, MOST_CUTOFFS)
    near_RHH = nearness_HH * share_RH[:, None]
    diagonal_H = np.arange(len(nearness_HH))
    near_RHH[:, diagonal_H, diagonal_H] = weight_RH
    total_RH = near_RHH.sum(axis=2)
    ratio_RH1 = np.nan_to_num(ratio_RH)[..., None]
    sum_RH1 = near_RHH @ ratio_RH1
    return sum_RH1[..., 0] / np.maximum(total_RH, 1e-12)


def _grown(ratio_RH: NDArray, weight_RH: NDArray) -> NDArray:
    """Extrapolation from the steps up to each (R, H): a straight line over the log distance, whose
    slope is shrunk towards 0."""
    steps = ratio_RH.shape[1]
    ahead_H = np.log(np.arange(1, steps + 1))
    ratio_RH = np.nan_to_num(ratio_RH)
    # The first steps share a line, so that it starts with more than one point.
    until_H = np.maximum(np.arange(steps), min(FIRST, steps) - 1)

    def up_to(numbers_RH: NDArray) -> NDArray:
        return np.cumsum(numbers_RH, axis=1)[:, until_H]

    total_RH = np.maximum(up_to(weight_RH), 1e-12)
    middle_RH = up_to(weight_RH * ahead_H) / total_RH
    mean_RH = up_to(weight_RH * ratio_RH) / total_RH
    square_RH = up_to(weight_RH * ahead_H**2) / total_RH
    product_RH = up_to(weight_RH * ahead_H * ratio_RH) / total_RH
    spread_RH = np.maximum(square_RH - middle_RH**2, 1e-9)
    slope_RH = (product_RH - middle_RH * mean_RH) / spread_RH
    slope_RH = np.clip(slope_RH, -STEEPEST, STEEPEST)
    largest_R1 = weight_RH.max(axis=1, keepdims=True)
    trust_R1 = largest_R1 / (largest_R1 + GROWN)
    distance_RH = ahead_H - middle_RH
    return mean_RH + trust_R1 * slope_RH * distance_RH
