"""Many rows are read with units first, by the formulas of the recurrent stack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from builders import network_of_seeds
from lstmcast.data.origins import Origins, origins_of
from lstmcast.decoding import decode, feeding
from lstmcast.decoding.along import FED_TOGETHER
from lstmcast.model.inputs import Adaptive
from lstmcast.model.network import NetworkConfig
from lstmcast.model.wide import FEWEST_ROWS, FEWEST_STEPS, is_wide
from lstmcast.pretrained import shipped

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


def test_far_answers_of_many_cutoffs_are_fed_back_together(monkeypatch):
    """Cutoffs at many steps: pauses are joined, and answer as those of fewer series."""
    rng = np.random.default_rng(4)
    steps = np.cumsum(rng.normal(0, 0.05, (ROWS, 60)), axis=1)
    series = {f"s{row}": 100 * np.exp(own_T) for row, own_T in enumerate(steps)}
    panel = lc.Panel.from_arrays(series, frequency="MS", start="2015-01-01")
    cutoffs = np.tile(np.arange(28, 60, 4), (ROWS, 1))
    fed: list[int] = []
    before = feeding._fed
    monkeypatch.setattr(
        feeding,
        "_fed",
        lambda network, state, *given: (
            fed.append(len(state.x_NC)) or before(network, state, *given)
        ),
    )
    reader = feeding.Reader(shipped())
    origins = origins_of(panel, cutoffs)
    together_OHQ = decode(reader, panel, origins, 30)
    assert max(fed) >= FED_TOGETHER
    few = Origins(origins.series[:50], origins.counts[:50])
    alone_OHQ = decode(reader, panel, few, 30)
    np.testing.assert_allclose(together_OHQ[:50], alone_OHQ, rtol=1e-5)
