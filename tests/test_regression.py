"""The Bayesian regression gives what direct computation on quasi-differences gives."""

from __future__ import annotations

import numpy as np
import pytest

from lstmcast.model.inputs.regression import (
    PHIS,
    Layout,
    base_sums,
    fit,
    products_of,
    sums_of,
)

DAYS = 400
LAYOUT = Layout(base=3, groups=(4,))


def columns(seed: int = 0, more: int = 4) -> np.ndarray:
    """A constant, a trend, a square, and waves or noise."""
    t = np.arange(DAYS)
    rng = np.random.default_rng(seed)
    waves = [np.cos(2 * np.pi * k * t / 90 + k) for k in range(1, 5)]
    noise = rng.normal(size=(DAYS, more - 4))
    return np.column_stack([np.ones(DAYS), t / 100, (t / 100) ** 2, *waves, noise])


def disturbed(phi: float, size: float, seed: int = 1, rows: int = 3) -> np.ndarray:
    """First-order autoregressions (B, D)."""
    rng = np.random.default_rng(seed)
    u_BD = np.zeros((rows, DAYS))
    for day in range(1, DAYS):
        u_BD[:, day] = phi * u_BD[:, day - 1] + size * rng.normal(size=rows)
    return u_BD


def fitted(columns_DK, z_BD, weight_BE=None, layout=LAYOUT, least_gain=3.0):
    if weight_BE is None:
        weight_BE = np.ones((len(z_BD), z_BD.shape[1] - 1))
    sums = sums_of(columns_DK, products_of(columns_DK), z_BD, weight_BE)
    return fit(*sums, layout, least_gain)


def quasi(of_D, phi):
    return of_D[1:] - phi * of_D[:-1]


def test_the_base_alone_is_least_squares_on_quasi_differences():
    X = columns()[:, :3]
    z_BD = 5 + 2 * X[:, 1] - X[:, 2] + disturbed(0.8, 0.3)
    result = fitted(X, z_BD, layout=Layout(3))
    for b, z_D in enumerate(z_BD):
        left = {}
        for phi in PHIS[:-1]:  # a constant says nothing of the changes of a random walk
            left[phi] = np.linalg.lstsq(quasi(X, phi), quasi(z_D, phi), rcond=None)
        best = min(left, key=lambda phi: float(left[phi][1][0]))
        assert result.phi_B[b] == best
        np.testing.assert_allclose(result.coefficients_BK[b], left[best][0], rtol=1e-5)
        freedom = DAYS - 1 - 3
        np.testing.assert_allclose(
            result.noise_B[b] ** 2, left[best][1][0] / freedom, rtol=1e-6
        )


def test_the_gain_is_the_evidence_that_a_search_finds():
    X = columns()
    z_BD = X @ [1, 2, 0, 0.3, 0.2, 0, 0.1] + disturbed(0.6, 0.2)
    result = fitted(X, z_BD, least_gain=-np.inf)
    for b, z_D in enumerate(z_BD[:2]):
        found = np.array([_evidences(X, z_D, phi) for phi in PHIS[:-1]])
        gain = found.max() - found[:, 0].max()
        assert result.gain_BG[b, 0] == pytest.approx(gain, abs=0.1)


def _evidences(X, z_D, phi):
    """Log density of what the base leaves, at the most likely variance of the noise, with prior
    variances from 0 to ten times that."""
    A, q = quasi(X, phi), quasi(z_D, phi)
    beyond = np.linalg.qr(A[:, :3], mode="complete")[0][:, 3:]
    variances, axes = np.linalg.eigh(beyond.T @ A[:, 3:] @ A[:, 3:].T @ beyond)
    y = axes.T @ beyond.T @ q
    result = []
    for ratio in (0.0, *np.geomspace(1e-4, 10, 60)):
        own = 1 + ratio * np.maximum(variances, 0)
        noise = np.mean(y**2 / own)
        result.append(-0.5 * (len(y) * (np.log(noise) + 1) + np.log(own).sum()))
    return result


def test_what_is_in_the_columns_is_found_and_noise_is_not():
    X, truth = columns(), np.array([5, 2, -1, 0.5, 0.0, 0.3, 0.1])
    noise_BD = disturbed(0.5, 0.1)
    result = fitted(X, X @ truth + noise_BD)
    np.testing.assert_allclose(
        result.coefficients_BK[:, 3:], np.tile(truth[3:], (3, 1)), atol=0.05
    )
    np.testing.assert_allclose(result.noise_B, 0.1, rtol=0.15)
    nothing = fitted(X, 5 + noise_BD)
    assert (nothing.gain_BG < 3).all() and not nothing.coefficients_BK[:, 3:].any()


def test_a_random_walk_has_no_waves():
    rng = np.random.default_rng(5)
    walk_BD = np.cumsum(rng.normal(size=(20, DAYS)), axis=1)
    result = fitted(columns(), walk_BD)
    assert np.count_nonzero(result.coefficients_BK[:, 3:].any(axis=1)) <= 1


def test_each_group_is_used_for_itself():
    X, layout = columns(more=9), Layout(3, (4, 5))
    z_BD = X[:, :7] @ [5, 2, -1, 0.5, 0.0, 0.3, 0.1] + disturbed(0.5, 0.1)
    result = fitted(X, z_BD, layout=layout)
    assert (result.gain_BG[:, 0] > 20).all() and (result.gain_BG[:, 1] < 3).all()
    assert (
        result.coefficients_BK[:, 3:7].all() and not result.coefficients_BK[:, 7:].any()
    )
    alone = fitted(X[:, :7], z_BD)
    np.testing.assert_allclose(
        result.coefficients_BK[:, :7], alone.coefficients_BK, rtol=1e-6
    )


def test_pairs_without_weight_are_left_out():
    X, z_BD = columns(), disturbed(0.5, 0.1)
    weight_BE = np.ones((3, DAYS - 1))
    weight_BE[:, 99:101] = 0
    odd_BD = z_BD.copy()
    odd_BD[:, 100] = 1e6
    one, other = fitted(X, z_BD, weight_BE), fitted(X, odd_BD, weight_BE)
    np.testing.assert_array_equal(one.coefficients_BK, other.coefficients_BK)


def test_no_size_is_special():
    X = columns()
    z_BD = X @ [5, 2, -1, 0.5, 0.0, 0.3, 0.1] + disturbed(0.5, 0.1)
    one = fitted(X, z_BD)
    for factor in (1e-9, 1e9):
        other = fitted(X, factor * z_BD)
        np.testing.assert_allclose(
            other.coefficients_BK, factor * one.coefficients_BK, rtol=1e-6
        )
        np.testing.assert_allclose(other.gain_BG, one.gain_BG, rtol=1e-6)


def test_a_constant_and_a_series_without_noise_are_no_trouble():
    X = columns()
    z_BD = np.stack([np.full(DAYS, 3.0), np.zeros(DAYS), X[:, 4]])
    result = fitted(X, z_BD)
    assert (
        np.isfinite(result.coefficients_BK).all() and np.isfinite(result.noise_B).all()
    )
    np.testing.assert_allclose(result.coefficients_BK[:2, 3:], 0, atol=1e-9)
    np.testing.assert_allclose(result.coefficients_BK[2, 4], 1.0, rtol=1e-3)


def test_rows_do_not_depend_on_each_other():
    X, z_BD = columns(), disturbed(0.7, 0.2, rows=9)
    together, alone = fitted(X, z_BD), fitted(X, z_BD[4:5])
    np.testing.assert_array_equal(together.coefficients_BK[4], alone.coefficients_BK[0])


def test_the_sums_of_the_base_are_those_without_the_groups():
    X, z_BD = columns(), disturbed(0.7, 0.2)
    weight_BE = np.ones((3, DAYS - 1))
    whole, _ = sums_of(X, products_of(X), z_BD, weight_BE)
    base, _ = sums_of(X[:, :3], products_of(X[:, :3]), z_BD, weight_BE)
    np.testing.assert_allclose(base_sums(whole, LAYOUT), base, rtol=1e-12)
