"""The quantile head: quantiles never cross, the median is the raw one, NumPy and PyTorch agree."""

from __future__ import annotations

import numpy as np
import pytest

from lstmcast.model.heads import LEVELS, MEDIAN, quantiles_from_raw

RAW = np.random.default_rng(0).normal(0, 20, (50, 6, len(LEVELS)))


def test_the_levels_are_symmetric_about_the_median():
    assert LEVELS[MEDIAN] == 0.5 and len(LEVELS) == 2 * MEDIAN + 1
    np.testing.assert_allclose(np.add(LEVELS, LEVELS[::-1]), 1)
    assert list(LEVELS) == sorted(LEVELS)


def test_quantiles_never_cross_and_the_median_is_exact():
    quantiles = quantiles_from_raw(RAW, np)
    assert quantiles.shape == RAW.shape
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    np.testing.assert_array_equal(quantiles[..., MEDIAN], RAW[..., MEDIAN])


def test_each_step_is_the_softplus_of_its_own_raw_number():
    raw = np.linspace(-2.0, 2.0, len(LEVELS))
    step = np.log1p(np.exp(raw))
    expected = [
        *(raw[MEDIAN] - np.cumsum(step[MEDIAN - 1 :: -1]))[::-1],
        raw[MEDIAN],
        *(raw[MEDIAN] + np.cumsum(step[MEDIAN + 1 :])),
    ]
    np.testing.assert_allclose(quantiles_from_raw(raw, np), expected, rtol=1e-12)


def test_extreme_numbers_stay_finite():
    for size in (-1e4, 1e4):
        quantiles = quantiles_from_raw(np.full((1, 1, len(LEVELS)), size), np)
        assert np.isfinite(quantiles).all() and (np.diff(quantiles) >= 0).all()


def test_numpy_and_pytorch_agree():
    torch = pytest.importorskip("torch", reason="needs the train extra")
    theirs = quantiles_from_raw(torch.from_numpy(RAW), torch).numpy()
    np.testing.assert_allclose(theirs, quantiles_from_raw(RAW, np), rtol=1e-12)
