"""Correlations of errors across steps and series at held-out cutoffs, for sums.

O origins · G origins that share a calibration · J held-out cutoffs · H horizon
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.data.times.frequency import OFF_GRID
from lstmcast.evaluation.calibration import HeldOut, Tried
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN
from lstmcast.paths import USUAL, Dependence

LARGEST = 4.0  # clip of errors, in usual errors, for correlations
TRUST = 4.0  # non-overlapping forecasts that weigh as much as the prior
MOST = 0.95  # largest correlation
MOST_SERIES = 500  # largest number of series used
INNER = HEAD_QUANTILES.index(0.1), HEAD_QUANTILES.index(0.9)


def dependence_of(
    panel: Panel, forecasts_of: Callable[[NDArray], Tried], held_out: HeldOut
) -> Dependence:
    """The correlations of each origin, estimated from all series of its group.

    forecasts_of: the results for some origins, which are among those in `looked_at`.
    """
    dependence = Dependence.usual(len(held_out.origins.series))
    for group in held_out.groups:
        sample = looked_at(group)
        scores_GJH = _scores(forecasts_of(sample))
        windows = _windows(held_out, sample, scores_GJH.shape[2])
        over_steps = _over_steps(scores_GJH, windows)
        times_GJ = _clock(panel, held_out, sample)
        trials = windows * len(sample)
        between = _between(scores_GJH, times_GJ, trials, over_steps)
        correlations = (*over_steps, *between)
        for array, correlation in zip(dependence, correlations, strict=True):
            array[group] = correlation
    return dependence


class Sample:
    """Collects the results of the origins in `looked_at` from batches."""

    def __init__(self, held_out: HeldOut) -> None:
        samples = [looked_at(group) for group in held_out.groups]
        self._origins = np.sort(np.concatenate(samples))
        self._batches: list[Tried] = []

    def seen(
        self, batches: Iterable[tuple[slice, Tried]]
    ) -> Iterator[tuple[slice, Tried]]:
        """Yield the same batches, and store the sampled origins of each."""
        for rows, forecasts in batches:
            is_inside = (self._origins >= rows.start) & (self._origins < rows.stop)
            sample = self._origins[is_inside]
            self._batches.append(forecasts.rows(sample - rows.start))
            yield rows, forecasts

    def tried(self, origins: NDArray) -> Tried:
        """The results for some of these origins, once all batches have passed."""
        columns = zip(*self._batches, strict=True)
        forecasts = Tried(*(np.concatenate(arrays) for arrays in columns))
        return forecasts.rows(np.searchsorted(self._origins, origins))


def looked_at(group: NDArray) -> NDArray:
    """The origins of a group that are used: a sample if it has many series."""
    stride = -(-len(group) // MOST_SERIES)
    return group[::stride] if len(group) else group


def _clock(panel: Panel, held_out: HeldOut, group: NDArray) -> NDArray:
    """The time of each held-out cutoff, in steps of a common clock (G, J); unique numbers for
    series whose times do not share a grid."""
    series = held_out.origins.series[group]
    begin_G = panel.frequency.position(panel.starts[series], panel.starts.min())
    own_clock_G = -(1 + np.arange(len(series))) * (1 << 32)
    begin_G = np.where(begin_G == OFF_GRID, own_clock_G, begin_G)
    return begin_G[:, None] + held_out.counts_OJ[group]


def _scores(forecasts: Tried) -> NDArray:
    """Errors in units of their usual size at each step and series (G, J, H); NaN = unknown."""
    quantiles = forecasts.before_OJHQ
    lower, upper = INNER
    width = quantiles[..., upper] - quantiles[..., lower]
    error = forecasts.actual_OJH - quantiles[..., MEDIAN]
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(width > 0, error / width, np.nan)
        for axes in ((0, 1), (1, 2)):
            is_known = np.isfinite(score)
            square = np.where(is_known, score, 0.0) ** 2
            total = square.sum(axis=axes, keepdims=True)
            count = is_known.sum(axis=axes, keepdims=True)
            size = np.sqrt(total / count)
            score = np.clip(score / size, -LARGEST, LARGEST)
    return score


def _windows(held_out: HeldOut, group: NDArray, horizon: int) -> float:
    """The average number of non-overlapping forecasts at the cutoffs of a series."""
    is_cutoff = held_out.counts_OJ[group] > 0
    cutoffs = is_cutoff.sum(axis=1)
    overlap = np.minimum(1.0, held_out.apart_O[group] / horizon)
    windows = cutoffs * overlap
    return float(windows.mean())


def _over_steps(score_GJH: NDArray, windows: float) -> tuple[float, float]:
    """The lasting and the near correlation: of steps far apart, and of adjacent steps."""
    horizon = score_GJH.shape[2]
    prior_far, prior_near = USUAL[:2]
    prior_next = prior_far + (1 - prior_far) * prior_near
    trials = windows * min(len(score_GJH), 10)
    if horizon < 2:
        return prior_far, prior_near
    neighbours = _drawn(_correlation(score_GJH, [1]), prior_next, trials)
    shortest = max(2, horizon // 2)
    longest = max(2, 3 * horizon // 4)
    far_lags = [lag for lag in range(shortest, longest + 1) if lag < horizon]
    far = _drawn(_correlation(score_GJH, far_lags), prior_far, trials)
    lasting = _limited(far)
    near = (neighbours - lasting) / max(1 - lasting, 1e-9)
    return lasting, _limited(near)


def _limited(correlation: float) -> float:
    return float(np.clip(correlation, 0.0, MOST))


def _correlation(score_GJH: NDArray, lags: list[int]) -> float:
    total = 0.0
    pairs = 0
    for lag in lags:
        product = score_GJH[..., lag:] * score_GJH[..., :-lag]
        is_known = np.isfinite(product)
        total += float(product[is_known].sum())
        pairs += int(is_known.sum())
    scores = score_GJH[np.isfinite(score_GJH)]
    square = float((scores**2).sum())
    if not pairs or not square:
        return np.nan
    variance = square / len(scores)
    return (total / pairs) / variance


def _drawn(measured: float, prior: float, trials: float) -> float:
    """A correlation shrunk towards the prior, depending on the number of trials."""
    if not np.isfinite(measured):
        return prior
    return (trials * measured + TRUST * prior) / (trials + TRUST)


def _between(
    score_GJH: NDArray,
    times_GJ: NDArray,
    trials: float,
    over_steps: tuple[float, float],
) -> tuple[float, float]:
    """The correlations of different series at the same time, of the component that lasts across
    steps and of the one that does not.

    The mean over the steps of a forecast consists mostly of the lasting component, a single step of
    both: two measurements for two numbers.
    """
    together, at_once = USUAL[2:]
    lasting, near = over_steps
    passing = 1 - lasting
    if len(score_GJH) < 2:
        return together, at_once
    averaged = passing * _variance_of_mean(near, score_GJH.shape[2])
    variance = lasting + averaged
    prior_of_mean = lasting / variance * together + averaged / variance * at_once
    prior_of_step = lasting * together + passing * at_once
    of_mean = _drawn(_pairwise(_means(score_GJH), times_GJ), prior_of_mean, trials)
    of_step = _drawn(_pairwise(score_GJH, times_GJ), prior_of_step, trials)
    # of_mean · variance = lasting · together + averaged · at_once
    # of_step = lasting · together + passing · at_once
    if lasting > 0.01 and passing - averaged > 0.01:
        at_once = (of_step - of_mean * variance) / (passing - averaged)
        at_once = _limited(at_once)
        together = (of_mean * variance - averaged * at_once) / lasting
    else:
        together = at_once = of_step
    return _limited(together), _limited(at_once)


def _means(score_GJH: NDArray) -> NDArray:
    """Means over the steps (G, J, 1), NaN unless all are known."""
    with np.errstate(invalid="ignore"):
        is_known = np.isfinite(score_GJH)
        total = np.where(is_known, score_GJH, 0).sum(2, keepdims=True)
        count = np.where(is_known.all(2), score_GJH.shape[2], np.nan)
        return total / count[..., None]


def _variance_of_mean(near: float, steps: int) -> float:
    """The variance of the mean of this number of steps with this correlation of neighbours."""
    lags = np.arange(1, steps)
    covariances = ((steps - lags) * near**lags).sum()
    return float((steps + 2 * covariances) / steps**2)


def _pairwise(score_GJX: NDArray, times_GJ: NDArray) -> float:
    """The average correlation of two series at equal times; NaN if they have none."""
    times, place = np.unique(times_GJ.ravel(), return_inverse=True)
    steps = score_GJX.shape[2]
    scores = score_GJX.reshape(-1, steps)
    is_known = np.isfinite(scores)
    scores = np.where(is_known, scores, 0.0)

    def sums(numbers: NDArray) -> NDArray:
        """Sums over the series at each time and step."""
        totals = np.zeros((len(times), steps))
        np.add.at(totals, place, numbers)
        return totals

    total = sums(scores)
    square = sums(scores**2)
    count = sums(is_known.astype(float))
    pairs = float((count * (count - 1)).sum())
    if not pairs or not square.sum():
        return np.nan
    covariance = float((total**2 - square).sum()) / pairs
    variance = float(square.sum() / count.sum())
    return covariance / variance
