"""Sums over cycles: many rows take another way than few, with the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

from lstmcast.model.inputs.rolling import (
    MANY_NUMBERS,
    centred_sum,
    rolling_sum,
)

TAIL = 30


def values_of(steps: int) -> np.ndarray:
    """Rows (B, tail + steps) that are many together and few alone."""
    rows = MANY_NUMBERS // TAIL + 1
    return np.random.default_rng(0).normal(size=(rows, TAIL + steps))


@pytest.mark.parametrize("steps", [1, 8])
@pytest.mark.parametrize("period", [2, 7, 24])
def test_many_rows_have_the_sums_of_their_runs(period, steps):
    values = values_of(steps)
    expected = np.stack(
        [
            values[:, first : first + period].sum(axis=1)
            for first in range(values.shape[1] - period + 1)
        ],
        axis=1,
    )
    newest = values[:, -(period + steps - 1) :]
    many = rolling_sum(newest, period)
    np.testing.assert_allclose(many, expected[:, -steps:], rtol=0, atol=1e-12)
    few = rolling_sum(newest[:2], period)
    np.testing.assert_allclose(few, many[:2], rtol=0, atol=1e-12)


@pytest.mark.parametrize("steps", [1, 8])
@pytest.mark.parametrize("period", [2, 7, 24])
def test_many_rows_have_the_sums_of_their_cycles(period, steps):
    values = values_of(steps)
    weights = np.ones(period + 1)
    weights[0] = 0.0
    if period % 2 == 0:  # both ends count half
        weights[[0, -1]] = 0.5
    expected = np.stack(
        [
            values[:, TAIL + step - period : TAIL + step + 1] @ weights
            for step in range(steps)
        ],
        axis=1,
    )
    many = centred_sum(values, period, TAIL)
    np.testing.assert_allclose(many, expected, rtol=0, atol=1e-12)
    few = centred_sum(values[:2], period, TAIL)
    np.testing.assert_allclose(few, many[:2], rtol=0, atol=1e-12)
