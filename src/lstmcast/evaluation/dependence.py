"""How errors hang together over the steps of a forecast and between series, measured at held-out
cutoffs: what sums need to know.

    O origins · G origins that share a calibration · J held-out cutoffs · H horizon
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.frequency import OFF_GRID
from lstmcast.data.panel import Panel
from lstmcast.evaluation.calibration import HeldOut, Tried, groups_of
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN
from lstmcast.paths import USUAL, Dependence

LARGEST = 4.0  # times the usual error, beyond which one says no more of how errors hang together
TRUST = 4.0  # forecasts that do not overlap and weigh as much as what is usual
MOST = 0.95  # of a correlation
MOST_SERIES = 500  # that are looked at
INNER = HEAD_QUANTILES.index(0.1), HEAD_QUANTILES.index(0.9)


def dependence_of(panel: Panel, tried: Callable[[NDArray], Tried], held_out: HeldOut) -> Dependence:
    """The correlations of each origin, measured over the series of its group together.

    tried: what was tried of some origins, which are among those that are `looked_at`.
    """
    result = Dependence.usual(len(held_out.origins.series))
    for group in groups_of(held_out.origins, len(panel)):
        chosen = looked_at(group)
        scores = _scores(tried(chosen))
        windows = _windows(held_out, chosen, scores.shape[2])
        over_steps = _over_steps(scores, windows)
        times_GJ = _clock(panel, held_out, chosen)
        between = _between(scores, times_GJ, windows * len(chosen), over_steps)
        correlations = (*over_steps, *between)
        for array, correlation in zip(result, correlations, strict=True):
            array[group] = correlation
    return result


class Sample:
    """Of what was tried in parts, that of the origins that are `looked_at`."""

    def __init__(self, held_out: HeldOut, series: int) -> None:
        groups = groups_of(held_out.origins, series)
        self._origins = np.sort(np.concatenate([looked_at(group) for group in groups]))
        self._tried: list[Tried] = []

    def seen(self, parts: Iterable[tuple[slice, Tried]]) -> Iterator[tuple[slice, Tried]]:
        """The same parts, noted in passing."""
        for rows, tried in parts:
            is_inside = (self._origins >= rows.start) & (self._origins < rows.stop)
            inside = self._origins[is_inside]
            self._tried.append(tried.rows(inside - rows.start))
            yield rows, tried

    def tried(self, chosen: NDArray) -> Tried:
        """What was tried of some of these origins, once all parts have passed."""
        columns = zip(*self._tried, strict=True)
        joined = Tried(*(np.concatenate(arrays) for arrays in columns))
        return joined.rows(np.searchsorted(self._origins, chosen))


def looked_at(group: NDArray) -> NDArray:
    """The origins of a group that say how errors hang together: those of some of many series."""
    stride = -(-len(group) // MOST_SERIES)
    return group[::stride] if len(group) else group


def _clock(panel: Panel, held_out: HeldOut, chosen: NDArray) -> NDArray:
    """When each held-out cutoff was, in steps on one clock (G, J); numbers of their own for series
    whose times lie on no common grid."""
    series = held_out.origins.series[chosen]
    begin_G = panel.frequency.position(panel.starts[series], panel.starts.min())
    own_clock_G = -(1 + np.arange(len(series))) * (1 << 32)
    begin_G = np.where(begin_G == OFF_GRID, own_clock_G, begin_G)
    return begin_G[:, None] + held_out.counts_OJ[chosen]


def _scores(tried: Tried) -> NDArray:
    """Errors in units of their usual size at each step and series (G, J, H); NaN = unknown."""
    before = tried.before_OJHQ
    error = tried.actual_OJH - before[..., MEDIAN]
    width = before[..., INNER[1]] - before[..., INNER[0]]
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(width > 0, error / width, np.nan)
        for axes in ((0, 1), (1, 2)):
            known = np.isfinite(score)
            square = np.where(known, score, 0.0) ** 2
            total = square.sum(axis=axes, keepdims=True)
            count = known.sum(axis=axes, keepdims=True)
            size = np.sqrt(total / count)
            score = np.clip(score / size, -LARGEST, LARGEST)
    return score


def _windows(held_out: HeldOut, group: NDArray, horizon: int) -> float:
    """How many forecasts that do not overlap the cutoffs are, of a series on average."""
    used = (held_out.counts_OJ[group] > 0).sum(axis=1)
    overlap = np.minimum(1.0, held_out.apart_O[group] / horizon)
    return float((used * overlap).mean())


def _over_steps(score_GJH: NDArray, windows: float) -> tuple[float, float]:
    """The lasting and the near correlation: of steps far apart, and of neighbours."""
    horizon = score_GJH.shape[2]
    usual_far, usual_near = USUAL[:2]
    usual_next = usual_far + (1 - usual_far) * usual_near
    trials = windows * min(len(score_GJH), 10)
    if horizon < 2:
        return usual_far, usual_near
    neighbours = _drawn(_correlation(score_GJH, [1]), usual_next, trials)
    lags = range(max(2, horizon // 2), max(3, 3 * horizon // 4 + 1))
    far_lags = [lag for lag in lags if lag < horizon]
    far = _drawn(_correlation(score_GJH, far_lags), usual_far, trials)
    lasting = float(np.clip(far, 0.0, MOST))
    near = (neighbours - lasting) / max(1 - lasting, 1e-9)
    return lasting, float(np.clip(near, 0.0, MOST))


def _correlation(score_GJH: NDArray, lags: list[int]) -> float:
    total, pairs = 0.0, 0
    for lag in lags:
        product = score_GJH[..., lag:] * score_GJH[..., :-lag]
        known = np.isfinite(product)
        total += float(product[known].sum())
        pairs += int(known.sum())
    known = np.isfinite(score_GJH)
    square = float((score_GJH[known] ** 2).sum())
    if not pairs or not square:
        return np.nan
    variance = square / int(known.sum())
    return (total / pairs) / variance


def _drawn(measured: float, usual: float, trials: float) -> float:
    """A correlation, drawn towards what is usual where little was measured."""
    if not np.isfinite(measured):
        return usual
    return (trials * measured + TRUST * usual) / (trials + TRUST)


def _between(
    score_GJH: NDArray, times_GJ: NDArray, trials: float, over_steps: tuple[float, float]
) -> tuple[float, float]:
    """The correlations of different series at the same time, in what lasts over the steps and in
    what does not.

    The mean over the steps of a forecast holds mostly what lasts, a single step both: two
    measurements for two numbers.
    """
    together, at_once = USUAL[2:]
    lasting, near = over_steps
    passing = 1 - lasting
    if len(score_GJH) < 2:
        return together, at_once
    kept = passing * _variance_of_mean(near, score_GJH.shape[2])
    share_of_mean = lasting / (lasting + kept)
    usual_of_mean = share_of_mean * together + kept / (lasting + kept) * at_once
    usual_of_step = lasting * together + passing * at_once
    of_mean = _drawn(_pairwise(_means(score_GJH), times_GJ), usual_of_mean, trials)
    of_step = _drawn(_pairwise(score_GJH, times_GJ), usual_of_step, trials)
    # of_mean (lasting + kept) = lasting together + kept at_once; of_step = lasting together + ...
    if lasting > 0.01 and passing - kept > 0.01:
        at_once = (of_step - of_mean * (lasting + kept)) / (passing - kept)
        at_once = float(np.clip(at_once, 0.0, MOST))
        together = (of_mean * (lasting + kept) - kept * at_once) / lasting
    else:
        together = at_once = of_step
    return float(np.clip(together, 0.0, MOST)), float(np.clip(at_once, 0.0, MOST))


def _means(score_GJH: NDArray) -> NDArray:
    """Means over the steps (G, J, 1), NaN where not all are known."""
    with np.errstate(invalid="ignore"):
        known = np.isfinite(score_GJH)
        total = np.where(known, score_GJH, 0).sum(2, keepdims=True)
        count = np.where(known.all(2), score_GJH.shape[2], np.nan)
        return total / count[..., None]


def _variance_of_mean(near: float, steps: int) -> float:
    """The variance of the mean of so many steps whose neighbours are so correlated."""
    lags = np.arange(1, steps)
    covariances = ((steps - lags) * near**lags).sum()
    return float((steps + 2 * covariances) / steps**2)


def _pairwise(score_GJX: NDArray, times_GJ: NDArray) -> float:
    """The correlation of two series on average, at equal times; NaN where none are equal."""
    times, place = np.unique(times_GJ.ravel(), return_inverse=True)
    flat = score_GJX.reshape(-1, score_GJX.shape[2])
    known = np.isfinite(flat)
    values = np.where(known, flat, 0.0)

    def sums(numbers: NDArray) -> NDArray:
        """Over the series at each time and step."""
        result = np.zeros((len(times), flat.shape[1]))
        np.add.at(result, place, numbers)
        return result

    total, square, count = sums(values), sums(values**2), sums(known.astype(float))
    pairs = float((count * (count - 1)).sum())
    if not pairs or not square.sum():
        return np.nan
    covariance = float((total**2 - square).sum()) / pairs
    variance = float(square.sum() / count.sum())
    return covariance / variance
