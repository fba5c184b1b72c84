"""Arithmetic on many series in one array, against the same done series by series."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmcast.data.ragged import (
    carried,
    forward_filled,
    lagged,
    newest_known,
    offsets_of,
    places,
    quantiles,
    segments,
    series_numbers,
    spread,
    subset,
    trimmed,
)


def ragged(*series):
    values = np.concatenate([np.zeros(0), *series]).astype(float)
    return values, offsets_of(np.array([len(one) for one in series], int))


def split(values, offsets):
    return [values[begin:end].tolist() for begin, end in pairwise(offsets)]


LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=5)


@given(LENGTHS, st.randoms(use_true_random=False))
def test_segments_are_slices(lengths, random):
    values, offsets = ragged(*(np.arange(n) + 10.0 * i for i, n in enumerate(lengths)))
    rows = [random.randrange(len(lengths)) for _ in range(4)]
    first = [random.randint(0, lengths[row]) for row in rows]
    counts = [
        random.randint(0, lengths[row] - skip)
        for row, skip in zip(rows, first, strict=True)
    ]
    chosen, bounds = segments(
        offsets, np.array(rows), np.array(first), np.array(counts)
    )
    expected = [
        values[offsets[row] + skip : offsets[row] + skip + count].tolist()
        for row, skip, count in zip(rows, first, counts, strict=True)
    ]
    assert split(values[chosen], bounds) == expected


@given(LENGTHS, st.integers(0, 3), st.integers(0, 3))
def test_trimmed_series_lose_both_ends_and_short_ones_everything(lengths, first, last):
    series = [np.arange(n) + 10.0 * i for i, n in enumerate(lengths)]
    kept = split(*trimmed(*ragged(*series), first, last))
    assert kept == [one[first : max(len(one) - last, first)].tolist() for one in series]


def test_places_numbers_and_what_is_spread_follow_the_lengths():
    offsets = np.array([0, 2, 2, 5])
    assert places(offsets).tolist() == [0, 1, 0, 1, 2]
    assert series_numbers(offsets).tolist() == [0, 0, 2, 2, 2]
    assert spread(np.array([4.0, 5.0, 6.0]), offsets).tolist() == [4, 4, 6, 6, 6]


def test_a_subset_has_the_order_that_was_asked_for():
    values, offsets = ragged([1, 2], [3], [4, 5, 6])
    assert split(*subset(values, offsets, np.array([2, 0]))) == [[4, 5, 6], [1, 2]]
    same, bounds = subset(values, offsets, np.arange(3))
    assert same is values
    assert bounds is offsets


def test_quantiles_are_those_of_numpy():
    rng = np.random.default_rng(1)
    series = [rng.normal(size=n) for n in [1, 2, 3, 4, 5, 8, 9, 31, 64, 65]]
    for one in series[4:]:
        one[rng.integers(0, len(one), 2)] = np.nan
    levels = (0.0, 0.25, 0.5, 0.75, 1.0)
    np.testing.assert_allclose(
        quantiles(*ragged(*series), levels),
        [np.nanquantile(one, levels) for one in series],
    )


def test_lags_and_carried_values_stay_within_their_series():
    values, offsets = ragged([1.0, np.nan, np.nan, 4.0], [np.nan, 6.0, np.nan])
    np.testing.assert_array_equal(
        lagged(values, offsets, 2), [np.nan, np.nan, 1, np.nan, np.nan, np.nan, np.nan]
    )
    np.testing.assert_array_equal(
        carried(values, offsets, 1), [1, 1, 1, 4, np.nan, 6, 6]
    )
    np.testing.assert_array_equal(lagged(values, offsets, 99), np.full(7, np.nan))


@pytest.mark.parametrize("channels", [None, 2])
def test_values_are_filled_forward_within_their_series_and_channel(channels):
    values, offsets = ragged([np.nan, 2.0, np.nan], [np.nan, np.nan, 7.0, np.nan])
    expected = [np.nan, 2.0, 2.0, np.nan, np.nan, 7.0, 7.0]
    places_expected = [-1, 1, 1, -1, -1, 5, 5]
    if channels is not None:
        values, expected, places_expected = (
            np.stack([part, np.roll(part, 0)], axis=1)
            for part in (values, np.array(expected), np.array(places_expected))
        )
    np.testing.assert_array_equal(newest_known(values, offsets), places_expected)
    np.testing.assert_array_equal(forward_filled(values, offsets), expected)
    if channels is None:
        np.testing.assert_array_equal(carried(values, offsets, 1), expected)


def test_channels_are_filled_apart():
    values = np.array([[1.0, np.nan], [np.nan, 5.0], [np.nan, np.nan]])
    filled = forward_filled(values, np.array([0, 3]))
    np.testing.assert_array_equal(filled, [[1, np.nan], [1, 5], [1, 5]])
