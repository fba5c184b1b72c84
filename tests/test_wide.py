"""Many rows are read with units first, by the formulas of the recurrent stack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import network_of_seeds
from lstmcast.model.inputs import Adaptive
from lstmcast.model.network import NetworkConfig
from lstmcast.model.wide import FEWEST_ROWS, FEWEST_STEPS, is_wide

CONFIG = NetworkConfig(
    layers=(6, 6, 4),
    inputs=Adaptive(window=4),
    horizon=5,
    before=(6,),
    activation="tanh",
)
ROWS, STEPS = FEWEST_ROWS, 2 * FEWEST_STEPS


@pytest.fixture(scope="module")
def values():
    """What is read at each step, and of which rows: some begin late."""
    rng = np.random.default_rng(0)
    width = CONFIG.inputs.width(CONFIG.horizon)
    x_TBC = rng.normal(size=(STEPS, ROWS, width)).astype(np.float32)
    begun_TB = np.arange(STEPS)[:, None] >= rng.integers(0, STEPS // 2, ROWS)
    x_TBC *= begun_TB[:, :, None]
    return x_TBC, begun_TB


def assert_alike(ours, theirs):
    for own, other in zip(ours, theirs, strict=True):
        assert own.dtype == other.dtype == np.float32
        np.testing.assert_allclose(own, other, atol=3e-6)


def differ(ours, theirs):
    """Whether arrays differ in any bit."""
    return not np.array_equal(ours, theirs)


def arrays_of(states):
    return [array for member in states for layer in member for array in layer]


@pytest.mark.parametrize("residual", [True, False])
def test_many_rows_give_the_numbers_of_the_stack(values, residual):
    net = network_of_seeds(replace(CONFIG, residual=residual), 1, 2)
    hidden, states = net.run(*values, net.start(ROWS), wide=True)
    other_hidden, other_states = net.run(*values, net.start(ROWS))
    assert any(map(differ, hidden, other_hidden))
    assert_alike(hidden, other_hidden)
    assert_alike(arrays_of(states), arrays_of(other_states))


def test_parts_give_the_numbers_of_the_whole(values):
    net = network_of_seeds(CONFIG, 3)
    x_TBC, begun_TB = values
    whole, last = net.run(x_TBC, begun_TB, net.start(ROWS), wide=True)
    state, parts = net.start(ROWS), []
    for part in (slice(None, FEWEST_STEPS), slice(FEWEST_STEPS, None)):
        given = [array.copy() for array in arrays_of(state)]
        before = state
        hidden, state = net.run(x_TBC[part], begun_TB[part], state, wide=True)
        assert_alike(arrays_of(before), given)
        parts.append(hidden[0])
    np.testing.assert_array_equal(np.concatenate(parts), whole[0])
    np.testing.assert_array_equal(arrays_of(state)[0], arrays_of(last)[0])


def test_many_values_are_read_with_units_first(values):
    """Few rows, few steps and 64 bits are not."""
    x_TBC, _ = values
    assert is_wide(x_TBC)
    assert not is_wide(x_TBC[:, 1:])
    assert not is_wide(x_TBC[: FEWEST_STEPS - 1])
    assert not is_wide(x_TBC.astype(float))
