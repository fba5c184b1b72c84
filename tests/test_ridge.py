"""Ridge regressions of many steps at once."""

from __future__ import annotations

import numpy as np
import pytest

from lstmcast.evaluation.ridge import Ridge


def examples(seed=0, steps=3, count=200, columns=5, noise=0.1):
    rng = np.random.default_rng(seed)
    read = rng.normal(0, 1, (steps, count, columns))
    weights = rng.normal(0, 1, (steps, columns))
    target = (
        2 + (read * weights[:, None]).sum(axis=2) + rng.normal(0, noise, (steps, count))
    )
    return read, target, weights


def fitted(read, target, weight=None, sizes=None):
    weight = np.ones(target.shape) if weight is None else weight
    return Ridge.fitted(
        read, target, weight, np.ones(read.shape[2]) if sizes is None else sizes
    )


def test_it_finds_what_made_the_values():
    read, target, weights = examples()
    ridge = fitted(read, target)
    np.testing.assert_allclose(ridge.weights_HP, weights, atol=0.05)
    np.testing.assert_allclose(ridge.intercept_H, 2, atol=0.05)
    np.testing.assert_allclose(ridge.applied(read), target, atol=0.6)


def test_unusual_examples_hardly_count():
    read, target, weights = examples()
    target[:, ::20] += 50
    np.testing.assert_allclose(fitted(read, target).weights_HP, weights, atol=0.1)


def test_examples_without_weight_do_not_count():
    read, target, _ = examples()
    weight = np.ones(target.shape)
    weight[:, ::2] = 0
    changed = np.where(weight > 0, target, -9.0)
    one, other = fitted(read, target, weight), fitted(read[:, 1::2], changed[:, 1::2])
    np.testing.assert_allclose(one.weights_HP, other.weights_HP, rtol=0.05)


def test_noise_moves_nothing():
    rng = np.random.default_rng(1)
    read, _, _ = examples(columns=40)
    ridge = fitted(read, rng.normal(0, 1, read.shape[:2]))
    assert np.abs(ridge.weights_HP).max() < 0.1


def test_units_of_columns_do_not_matter():
    read, target, _ = examples()
    units = np.array([1.0, 1e6, 1e-6, 10.0, 0.1])
    np.testing.assert_allclose(
        fitted(read * units, target).applied(read * units),
        fitted(read, target).applied(read),
        rtol=1e-6,
    )


def test_smaller_columns_have_smaller_effects():
    read, target, weights = examples(count=12, noise=1.0)
    usual, smaller = fitted(read, target), fitted(read, target, sizes=np.full(5, 0.3))
    few = fitted(read, target, sizes=np.array([0.01, 1, 1, 1, 1]))
    assert (
        np.abs(few.weights_HP[:, 0]).max() < 0.1 * np.abs(usual.weights_HP[:, 0]).max()
    )
    assert smaller.weights_HP.shape == weights.shape


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_constant_columns_and_targets_are_possible(value):
    read, target, _ = examples()
    read[:, :, 1] = value
    assert (fitted(read, target).weights_HP[:, 1] == 0).all()
    level = fitted(read, np.full(target.shape, value))
    np.testing.assert_allclose(level.applied(read), value, atol=1e-9)


def test_more_columns_than_examples_are_possible():
    read, target, _ = examples(count=10, columns=30)
    assert np.isfinite(fitted(read, target).applied(read)).all()
