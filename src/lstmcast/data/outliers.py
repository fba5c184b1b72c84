"""How unusual each value is beside its neighbours one season away, for all series of a panel at
once."""

# S series · N observations of all series

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.data.ragged import places, series_numbers

AT_ONCE = 1 << 19  # values, of which a dozen arrays are made


def outlier_scores(values: ndarray, offsets: ndarray, periods: tuple[int, ...]) -> ndarray:
    """Distance of each value from both its neighbours one season away, in robust standard
    deviations of such changes.

    A level shift or a trend moves a value away from one neighbour only and scores low; a spike
    moves it away from both. The season is the longest period of which a series has three cycles,
    else one step. values (N,) with NaN = missing, offsets (S+1,); returns (N,), 0 where a value or
    a neighbour is missing or the series has fewer than 8 values.

    >>> spike = np.array([1.0, 2.0, 1.0, 2.0, 30.0, 2.0, 1.0, 2.0, 1.0, 2.0])
    >>> int(np.argmax(outlier_scores(spike, np.array([0, 10]), (1,))))
    4
    """
    scores, first = np.zeros(len(values)), 0
    while first < len(offsets) - 1:
        stop = int(np.searchsorted(offsets, offsets[first] + AT_ONCE, side="right")) - 1
        stop = max(stop, first + 1)
        part = slice(offsets[first], offsets[stop])
        own = offsets[first : stop + 1] - offsets[first]
        scores[part] = _scores(values[part], own, periods)
        first = stop
    return scores


def _scores(values: ndarray, offsets: ndarray, periods: tuple[int, ...]) -> ndarray:
    """The scores of some of the series."""
    lengths = np.diff(offsets)
    series = series_numbers(offsets)
    lags = _lags(lengths, periods)[series]
    place, length = places(offsets), lengths[series]
    fits = length >= np.maximum(3 * lags, 8)
    # the first season looks ahead twice, the last one back twice
    before = np.where(place >= lags, -lags, 2 * lags)
    after = np.where(place + lags < length, lags, -2 * lags)
    change = np.where(fits & (place >= lags), values - _at(values, -lags, fits), np.nan)
    drift = _medians(change, series, len(lengths))
    away = np.abs(change - drift[series])
    scale = _scales(away, series, len(lengths))[series]
    one = values - _at(values, before, fits) + drift[series] * before / lags
    other = values - _at(values, after, fits) + drift[series] * after / lags
    distance = np.where(one * other > 0, np.minimum(np.abs(one), np.abs(other)), 0.0)
    return np.divide(distance, scale, out=np.zeros(len(values)), where=fits & (scale > 0))


def _lags(lengths: ndarray, periods: tuple[int, ...]) -> ndarray:
    lags = np.ones(len(lengths), dtype=np.int64)
    for period in periods:
        lags[lengths >= 3 * period] = period
    return lags


def _at(values: ndarray, shift: ndarray, fits: ndarray) -> ndarray:
    """values[t + shift[t]] where it fits, else NaN."""
    rows = np.arange(len(values)) + np.where(fits, shift, 0)
    return np.where(fits, values[np.clip(rows, 0, max(len(values) - 1, 0))], np.nan)


def _scales(away: ndarray, series: ndarray, count: int) -> ndarray:
    """Standard deviation as the median distance tells it, or as the mean one does if that is
    larger.

    Of a normal distribution the mean is the smaller one. It is larger where most changes are tiny
    and many are not, as in nights and days of solar power: those are no outliers.
    """
    robust = 1.4826 * _medians(away, series, count)
    known = np.isfinite(away)
    total = np.bincount(series[known], away[known], minlength=count)
    mean = total / np.maximum(np.bincount(series[known], minlength=count), 1)
    return np.fmax(robust, mean)


def _medians(values: ndarray, series: ndarray, count: int) -> ndarray:
    """Median of the finite values of each series: (S,), NaN where there are none."""
    known = np.isfinite(values)
    order = np.lexsort((values[known], series[known]))
    ordered = values[known][order]
    sizes = np.bincount(series[known], minlength=count)
    begins = np.cumsum(sizes) - sizes
    medians = np.full(count, np.nan)
    some = sizes > 0
    low, high = begins[some] + (sizes[some] - 1) // 2, begins[some] + sizes[some] // 2
    medians[some] = (ordered[low] + ordered[high]) / 2
    return medians
