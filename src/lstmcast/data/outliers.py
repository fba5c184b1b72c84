"""How unusual each value is compared with its neighbours one season away."""

# S series · N observations of all series

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.data.ragged import places, series_numbers

AT_ONCE = 1 << 19  # values, of which a dozen arrays are made


def outlier_scores(
    values: ndarray, offsets: ndarray, periods: tuple[int, ...]
) -> ndarray:
    """Distance of each value from its neighbours one season away, in robust standard deviations.

    A level shift or trend moves a value away from only one neighbour and scores low; a spike moves
    it away from both. The season is the longest period with three cycles in the series, else one
    step. values (N,) with NaN = missing, offsets (S+1,); returns (N,), 0 where a value or a
    neighbour is missing or the series has fewer than 8 values.

    >>> spike = np.array([1.0, 2.0, 1.0, 2.0, 30.0, 2.0, 1.0, 2.0, 1.0, 2.0])
    >>> int(np.argmax(outlier_scores(spike, np.array([0, 10]), (1,))))
    4
    """
    scores = np.zeros(len(values))
    first = 0
    while first < len(offsets) - 1:
        limit = offsets[first] + AT_ONCE
        fitting = int(np.searchsorted(offsets, limit, side="right"))
        stop = max(fitting - 1, first + 1)
        block = slice(offsets[first], offsets[stop])
        block_offsets = offsets[first : stop + 1] - offsets[first]
        scores[block] = _scores(values[block], block_offsets, periods)
        first = stop
    return scores


def _scores(values: ndarray, offsets: ndarray, periods: tuple[int, ...]) -> ndarray:
    """The scores of some of the series."""
    lengths = np.diff(offsets)
    count = len(lengths)
    series = series_numbers(offsets)
    lags = _lags(lengths, periods)[series]
    place = places(offsets)
    length = lengths[series]
    fits = length >= np.maximum(3 * lags, 8)
    has_earlier = place >= lags
    has_later = place + lags < length
    change = values - _at(values, -lags, fits)
    change = np.where(fits & has_earlier, change, np.nan)
    drift = _medians(change, series, count)[series]
    deviation = np.abs(change - drift)
    scale = _scales(deviation, series, count)[series]
    # the first season looks ahead twice, the last one back twice
    earlier_lag = np.where(has_earlier, -lags, 2 * lags)
    later_lag = np.where(has_later, lags, -2 * lags)
    from_earlier = values - _at(values, earlier_lag, fits) + drift * earlier_lag / lags
    from_later = values - _at(values, later_lag, fits) + drift * later_lag / lags
    nearest = np.minimum(np.abs(from_earlier), np.abs(from_later))
    same_side = from_earlier * from_later > 0
    distance = np.where(same_side, nearest, 0.0)
    has_score = fits & (scale > 0)
    scores = np.zeros(len(values))
    return np.divide(distance, scale, out=scores, where=has_score)


def _lags(lengths: ndarray, periods: tuple[int, ...]) -> ndarray:
    lags = np.ones(len(lengths), dtype=np.int64)
    for period in periods:
        lags[lengths >= 3 * period] = period
    return lags


def _at(values: ndarray, shift: ndarray, fits: ndarray) -> ndarray:
    """values[t + shift[t]] where it fits, else NaN."""
    last_row = max(len(values) - 1, 0)
    shift = np.where(fits, shift, 0)
    rows = np.arange(len(values)) + shift
    rows = np.clip(rows, 0, last_row)
    return np.where(fits, values[rows], np.nan)


def _scales(deviation: ndarray, series: ndarray, count: int) -> ndarray:
    """Standard deviation estimated from the median distance, or from the mean one if that is
    larger.

    For a normal distribution the mean is smaller. It is larger if most changes are tiny but many
    are not, as with solar power at night and by day: those are not outliers.
    """
    robust = 1.4826 * _medians(deviation, series, count)
    is_known = np.isfinite(deviation)
    known_series = series[is_known]
    total = np.bincount(known_series, deviation[is_known], minlength=count)
    number = np.bincount(known_series, minlength=count)
    mean = total / np.maximum(number, 1)
    return np.fmax(robust, mean)


def _medians(values: ndarray, series: ndarray, count: int) -> ndarray:
    """Median of the finite values of each series, one after the other: (S,), NaN where there are
    none."""
    is_known = np.isfinite(values)
    ordered = values[is_known]
    sizes = np.bincount(series[is_known], minlength=count)
    stops = np.cumsum(sizes)
    begins = stops - sizes
    for begin, stop in zip(begins.tolist(), stops.tolist(), strict=True):
        # many times as fast as a sort of all by series and value
        ordered[begin:stop].sort()
    medians = np.full(count, np.nan)
    has_values = sizes > 0
    begins = begins[has_values]
    sizes = sizes[has_values]
    low = begins + (sizes - 1) // 2
    high = begins + sizes // 2
    medians[has_values] = (ordered[low] + ordered[high]) / 2
    return medians
