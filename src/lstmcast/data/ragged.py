"""Arithmetic on many series in one array.

Series i is values[offsets[i]:offsets[i+1]], NaN = missing.

No function loops over series or modifies its arguments.

    N observations of all series · S series (or other groups) · R chosen series, possibly with
    repeats · M observations of those · L levels · C channels
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def offsets_of(lengths_S: NDArray) -> NDArray:
    """Where each series begins, and where the last one ends: (S+1,) int64.

    >>> offsets_of(np.array([3, 2]))
    array([0, 3, 5])
    """
    ends_S = np.cumsum(lengths_S)
    return np.concatenate([[0], ends_S]).astype(np.int64)


def spread(part_S: NDArray, offsets: NDArray) -> NDArray:
    """The value of each series repeated at each of its observations (N,).

    >>> spread(np.array([7.0, 9.0]), np.array([0, 3, 5]))
    array([7., 7., 7., 9., 9.])
    """
    return np.repeat(part_S, np.diff(offsets))


def series_numbers(offsets: NDArray) -> NDArray:
    """The number of the series of each observation: (N,) int64.

    >>> series_numbers(np.array([0, 3, 5]))
    array([0, 0, 0, 1, 1])
    """
    numbers_S = np.arange(len(offsets) - 1)
    return spread(numbers_S, offsets)


def places(offsets: NDArray) -> NDArray:
    """The number of earlier observations of the same series for each observation (N,).

    >>> places(np.array([0, 3, 5]))
    array([0, 1, 2, 0, 1])
    """
    begins_N = spread(offsets[:-1], offsets)
    return np.arange(offsets[-1]) - begins_N


def segments(
    offsets: NDArray, rows_R: NDArray, first_R: NDArray | int, lengths_R: NDArray
) -> tuple[NDArray, NDArray]:
    """The indices of the observations of parts of series (M,), and the offsets of the parts (R+1,).

    Args:
        offsets: of all series, (S+1,).
        rows_R: the number of the series of each part, in any order and as often as wanted.
        first_R: how many observations of its series lie before each part.
        lengths_R: how many observations each part has.

    >>> segments(np.array([0, 3, 5]), np.array([1, 0]), 1, np.array([1, 2]))
    (array([4, 1, 2]), array([0, 1, 3]))
    """
    bounds = offsets_of(lengths_R)
    begins_R = offsets[rows_R] + first_R
    shift_M = spread(begins_R - bounds[:-1], bounds)
    places_M = np.arange(bounds[-1]) + shift_M
    return places_M, bounds


def subset(
    values: NDArray, offsets: NDArray, rows_R: NDArray
) -> tuple[NDArray, NDArray]:
    """Some series, in that order, as values and offsets of their own.

    >>> subset(np.array([1.0, 2.0, 3.0, 7.0, 8.0]), np.array([0, 3, 5]), np.array([1]))
    (array([7., 8.]), array([0, 2]))
    """
    lengths = np.diff(offsets)
    all_rows = np.arange(len(lengths))
    if np.array_equal(rows_R, all_rows):
        return values, offsets
    places_M, bounds = segments(offsets, rows_R, 0, lengths[rows_R])
    return values[places_M], bounds


def trimmed(
    values: NDArray, offsets: NDArray, first_steps: int, last_steps: int
) -> tuple[NDArray, NDArray]:
    """The series without their first and last so many observations, as values and offsets of their
    own.

    >>> trimmed(np.array([1.0, 2.0, 3.0, 7.0, 8.0]), np.array([0, 3, 5]), 1, 1)
    (array([2.]), array([0, 1, 1]))
    """
    lengths = np.diff(offsets) - first_steps - last_steps
    lengths = np.maximum(lengths, 0)
    series = np.arange(len(lengths))
    places_M, bounds = segments(offsets, series, first_steps, lengths)
    return values[places_M], bounds


def reduced(
    function: np.ufunc, values: NDArray, offsets: NDArray, empty: float = np.nan
) -> NDArray:
    """A ufunc over the observations of each series, (S,); `empty` for series without any."""
    has_values = np.diff(offsets) > 0
    reduced_S = np.full(len(has_values), empty)
    if has_values.any():
        begins = offsets[:-1][has_values]
        reduced_S[has_values] = function.reduceat(values, begins)
    return reduced_S


def reduced_parts(
    operation: np.ufunc, values_N: NDArray, begin_R: NDArray, end_R: NDArray
) -> NDArray:
    """An operation over parts of the array (R,), which may end behind the last value.

    >>> reduced_parts(np.fmax, np.array([3.0, 5, 4]), np.array([0, 2]), np.array([2, 3]))
    array([5., 4.])
    """
    padded_N = np.append(values_N, np.nan)
    spans = np.stack([begin_R, end_R], axis=1).ravel()
    # every second result is that of a part, the others lie between two of them
    return operation.reduceat(padded_N, spans)[::2]


def means(values: NDArray, offsets: NDArray) -> NDArray:
    """Mean of the known values of each series (S,), NaN without any."""
    is_known = ~np.isnan(values)
    zero_filled = np.where(is_known, values, 0.0)
    total_S = reduced(np.add, zero_filled, offsets)
    count_S = reduced(np.add, is_known.astype(float), offsets, empty=0.0)
    means_S = np.full(len(total_S), np.nan)
    return np.divide(total_S, count_S, out=means_S, where=count_S > 0)


def quantiles(values: NDArray, offsets: NDArray, levels: tuple[float, ...]) -> NDArray:
    """Quantiles of the known values of each series (S, L), linearly interpolated; NaN without any.

    Series of about the same length are sorted as the rows of one matrix: fifty times faster than
    sorting all at once.

    >>> values, offsets = np.array([3.0, 1.0, np.nan, 7.0, 5.0, 6.0, 9.0]), np.array([0, 3, 3, 7])
    >>> quantiles(values, offsets, (0.5,)).ravel()
    array([2. , nan, 6.5])
    """
    lengths = np.diff(offsets)
    quantiles_SL = np.full((len(lengths), len(levels)), np.nan)
    padded = np.append(values, np.nan)
    powers = np.ceil(np.log2(np.maximum(lengths, 1)))
    widths = 1 << powers.astype(np.int64)
    widths[lengths == 0] = 0
    for width in np.unique(widths):
        if width == 0:
            continue
        rows = np.flatnonzero(widths == width)
        steps = np.arange(width)
        in_series = steps < lengths[rows, None]
        places = offsets[rows, None] + steps
        places = np.where(in_series, places, len(values))
        ordered = np.sort(padded[places], axis=1)  # NaN comes last
        quantiles_SL[rows] = _sorted_quantiles(ordered, levels)
    return quantiles_SL


def _sorted_quantiles(ordered_RW: NDArray, levels: tuple[float, ...]) -> NDArray:
    """Quantiles (R, L) of rows that are sorted, their missing values last."""
    is_known_RW = ~np.isnan(ordered_RW)
    count_R = np.count_nonzero(is_known_RW, axis=1)
    last_R = np.maximum(count_R - 1, 0)
    place_RL = last_R[:, None] * np.array(levels)
    below_RL = np.floor(place_RL)
    above_RL = np.ceil(place_RL)
    low_RL = np.take_along_axis(ordered_RW, below_RL.astype(np.int64), axis=1)
    high_RL = np.take_along_axis(ordered_RW, above_RL.astype(np.int64), axis=1)
    fraction_RL = place_RL - below_RL
    return low_RL + fraction_RL * (high_RL - low_RL)


def lagged(values: NDArray, offsets: NDArray, lag: int) -> NDArray:
    """The value `lag` steps earlier in the same series; NaN before its start.

    >>> lagged(np.array([1.0, 2.0, 3.0, 7.0, 8.0]), np.array([0, 3, 5]), 1)
    array([nan,  1.,  2., nan,  7.])
    """
    earlier = np.full(len(values), np.nan)
    remaining = max(len(values) - lag, 0)
    earlier[lag:] = values[:remaining]
    not_begun = places(offsets) < lag
    earlier[not_begun] = np.nan
    return earlier


def carried(values: NDArray, offsets: NDArray, lag: int) -> NDArray:
    """Replace each missing value by the newest known one a multiple of `lag` steps earlier.

    No later values are used. Values without an earlier one stay NaN.

    >>> carried(np.array([1.0, 2.0, np.nan, np.nan, np.nan]), np.array([0, 5]), 2)
    array([1., 2., 1., 2., 1.])
    """
    longest = np.diff(offsets).max(initial=0)
    is_missing = np.isnan(values)
    while lag < longest and is_missing.any():
        values = np.where(is_missing, lagged(values, offsets, lag), values)
        is_missing = np.isnan(values)
        lag *= 2  # what is there now has been looked for in twice as many cycles
    return values


def newest_known(values: NDArray, offsets: NDArray) -> NDArray:
    # (N,) or (N, 1): against values of any number of channels
    """The index of the newest known value at or before each one in its series; -1 without any.

    values may be (N,) or (N, C): the result has the same shape, with channels treated separately.

    >>> newest_known(np.array([np.nan, 2.0, np.nan, np.nan, 8.0]), np.array([0, 3, 5]))
    array([-1,  1,  1, -1,  4])
    """
    shape = (-1,) + (1,) * (values.ndim - 1)
    steps = np.arange(len(values)).reshape(shape)
    known_steps = np.where(np.isnan(values), -1, steps)
    newest = np.maximum.accumulate(known_steps, axis=0)
    begins = spread(offsets[:-1], offsets).reshape(shape)
    return np.where(newest >= begins, newest, -1)


def forward_filled(values: NDArray, offsets: NDArray) -> NDArray:
    """Replace each missing value by the newest known one of its series; NaN before the first.

    values may be (N,) or (N, C).

    >>> forward_filled(np.array([np.nan, 2.0, np.nan, np.nan, 8.0]), np.array([0, 3, 5]))
    array([nan,  2.,  2., nan,  8.])
    """
    newest = newest_known(values, offsets)
    places = np.maximum(newest, 0)
    newest_values = np.take_along_axis(values, places, axis=0)
    return np.where(newest >= 0, newest_values, np.nan)
