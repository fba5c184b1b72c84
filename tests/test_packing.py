"""Quantiles that wait in half of the memory come back as they were, whole numbers exactly."""

from __future__ import annotations

import numpy as np

from lstmcast.evaluation.packing import PackedQuantiles


def test_whole_numbers_come_back_exactly():
    rng = np.random.default_rng(0)
    counts = np.sort(rng.poisson(3.0, (50, 4, 7)), axis=2).astype(float)
    # between two bounds of 0, say
    medians = counts + np.where(np.arange(7) == 3, 0.37, 0.0)
    for quantiles in (counts, medians):
        np.testing.assert_array_equal(
            PackedQuantiles.of(quantiles).unpacked(), quantiles
        )


def test_other_numbers_come_back_to_a_ten_millionth_of_the_largest_distance():
    rng = np.random.default_rng(1)
    quantiles = 1e6 + np.sort(rng.normal(0, 50, (20, 3, 5, 7)), axis=3)
    packed = PackedQuantiles.of(quantiles)
    largest = packed.largest_O[:, None, None, None]
    assert (np.abs(packed.unpacked() - quantiles) <= 2.5e-7 * largest).all()
    np.testing.assert_array_equal(packed.unpacked()[..., 3], quantiles[..., 3])


def test_what_is_unknown_stays_so():
    quantiles = np.full((2, 3, 7), np.nan)
    quantiles[0] = np.arange(7.0)
    np.testing.assert_array_equal(PackedQuantiles.of(quantiles).unpacked(), quantiles)
