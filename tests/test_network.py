"""The network: members, readings, shapes, and what its folder may hold."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from builders import network_of_seeds
from lstmcast import store
from lstmcast.errors import ModelError, UsageError
from lstmcast.evaluation.resuming import facts
from lstmcast.model.heads import HEAD_QUANTILES
from lstmcast.model.inputs import Adaptive, Grid, Running, Transformed
from lstmcast.model.inputs.adaptive import VERSION
from lstmcast.model.inputs.base import positions_of
from lstmcast.model.network import (
    Network,
    NetworkConfig,
    array_shapes,
    described,
    load_network,
)
from lstmcast.pretrained import shipped
from lstmcast.transforms import Difference, Log1p
from lstmcast.util.states import rows_of

CONFIG = NetworkConfig(layers=(6, 6), inputs=Adaptive(window=4), horizon=5)
VALUES = np.exp(np.random.default_rng(0).normal(size=(3, 40)).cumsum(axis=1) / 10)


def network(*seeds):
    return network_of_seeds(CONFIG, *seeds)


def start(net, rows, periods):
    grid = Grid(CONFIG.horizon, periods, "monthly", np.ones(rows, bool))
    return CONFIG.inputs.start(grid, rows), net.start(rows)


def read(net, state, values):
    """What is known at every step, and the state after the last."""
    seen, inputs = CONFIG.inputs.advance(state[0], values[:, :, None])
    x_TBC = np.ascontiguousarray(seen.x_BTC.transpose(1, 0, 2))
    hidden, recurrent = net.run(x_TBC, seen.begun_BT.T, state[1])
    return (hidden, seen), (inputs, recurrent)


def answered(net, reading, step=-1):
    """Quantiles (B, H, Q) on the reading axis after one of the steps."""
    hidden, seen = reading
    every = np.arange(seen.x_BTC.shape[0])
    answer = net.answer([out_TBD[step] for out_TBD in hidden], seen.x_BTC[:, step])
    return CONFIG.inputs.place(answer, positions_of(seen.known, every, step))[:, :, 0]


def answer(net, values=VALUES):
    return answered(net, read(net, start(net, len(values), (12,)), values)[0])


def test_several_members_answer_with_the_average_of_their_quantiles():
    alone = [answer(network(seed)) for seed in (1, 2, 3)]
    np.testing.assert_allclose(
        answer(network(1, 2, 3)), np.mean(alone, axis=0), rtol=1e-6
    )
    assert abs(alone[0] - alone[1]).max() > 0.01


def test_fixed_weights_read_the_same_bits_and_answer_within_a_rounding():
    moving, states = network(1, 2), []
    fixed = Network(CONFIG, moving.members, moving.head, fixed=True)
    for net in (moving, fixed):
        states.append(read(net, start(net, len(VALUES), (12,)), VALUES)[1][1])
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(answer(fixed), answer(moving), rtol=1e-12, atol=1e-13)


def test_of_an_answer_the_first_steps_may_be_asked_for_alone():
    net = network(1, 2)
    (hidden, seen), _ = read(net, start(net, len(VALUES), (12,)), VALUES)
    newest = [out_TBD[-1] for out_TBD in hidden], seen.x_BTC[:, -1]
    np.testing.assert_array_equal(
        net.answer(*newest, steps=2), net.answer(*newest)[:, :2]
    )


def test_an_answer_has_quantiles_that_do_not_cross_for_each_step():
    quantiles = answer(network(1, 2))
    assert quantiles.shape == (3, CONFIG.horizon, len(HEAD_QUANTILES))
    assert (np.diff(quantiles, axis=-1) >= 0).all()


def test_readings_at_every_step_are_those_of_the_shorter_series():
    net = network(1)
    every, _ = read(net, start(net, len(VALUES), (12,)), VALUES)
    for steps in (1, 7, 40):
        np.testing.assert_allclose(
            answer(net, VALUES[:, :steps]),
            answered(net, every, steps - 1),
            rtol=1e-5,
            atol=1e-5,
        )


def test_reading_goes_on_from_its_state():
    net = network(1, 2)
    state = start(net, 3, (12,))
    for part in np.split(VALUES, [13, 14, 30], axis=1):
        reading, state = read(net, state, part)
    np.testing.assert_allclose(answered(net, reading), answer(net), rtol=1e-5)


def test_rows_of_states_and_readings_are_those_series():
    net, rows = network(1, 2), np.array([2, 0])
    _, state = read(net, start(net, 3, (4, 12)), VALUES[:, :30])
    some, _ = read(net, rows_of(state, rows), VALUES[rows, 30:])
    every, _ = read(net, state, VALUES[:, 30:])
    np.testing.assert_allclose(
        answered(net, some), answered(net, every)[rows], rtol=1e-5
    )


def test_weights_of_another_shape_are_refused():
    (arrays,) = network(1).members
    with pytest.raises(ModelError, match=r"embed\.0\.bias.*do not fit"):
        Network(CONFIG, [{**arrays, "embed.0.bias": np.zeros(7, np.float32)}])
    with pytest.raises(ModelError, match=r"lstm\.1\.bias"):
        Network(
            CONFIG,
            [
                arrays,
                {
                    name: array
                    for name, array in arrays.items()
                    if name != "lstm.1.bias"
                },
            ],
        )
    with pytest.raises(ModelError, match="extra"):
        Network(CONFIG, [{**arrays, "extra": np.zeros(1, np.float32)}])
    with pytest.raises(ModelError, match="without weights"):
        Network(CONFIG, [])


def test_a_saved_network_answers_the_same(tmp_path):
    about, weights = described(network(1, 2))
    store.save(tmp_path / "net", {"kind": "network", **about}, {"weights": weights})
    loaded, manifest = load_network(tmp_path / "net")
    assert loaded.config == CONFIG and manifest["members"] == 2
    np.testing.assert_array_equal(answer(loaded), answer(network(1, 2)))


def test_weights_that_were_trained_on_inputs_of_version_2_go_on(tmp_path):
    about, weights = described(network(1, 2))
    old = {"kind": "network", **about, "inputs_version": 2}
    store.save(tmp_path / "net", old, {"weights": weights})
    loaded, _ = load_network(tmp_path / "net")
    np.testing.assert_array_equal(answer(loaded), answer(network(1, 2)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"inputs_version": VERSION + 1},
            f"version {VERSION + 1}.*makes version {VERSION}",
        ),
        ({"inputs_version": 1}, "version 1.*Fit the model again"),
        ({"inputs_version": None}, "version None"),
        ({"network": {"layers": [0], "horizon": 5}}, "does not describe a network"),
        ({"network": {"layers": [6], "wide": 3}}, "does not describe a network"),
        ({"network": None}, "does not describe a network"),
        ({"members": 1}, "does not describe a network"),
        ({"members": 3}, "does not describe a network"),
        ({"members": "two"}, "does not describe a network"),
        ({"members": 0}, "does not describe a network"),
    ],
    ids=str,
)
def test_a_folder_of_another_making_is_refused(tmp_path, change, message):
    about, weights = described(network(1, 2))
    store.save(
        tmp_path / "net", {"kind": "network", **about, **change}, {"weights": weights}
    )
    with pytest.raises(ModelError, match=message):
        load_network(tmp_path / "net")


@pytest.mark.parametrize("key", ["network", "members"])
def test_a_manifest_without_a_key_is_refused(tmp_path, key):
    about, weights = described(network(1))
    del about[key]
    store.save(tmp_path / "net", {"kind": "network", **about}, {"weights": weights})
    with pytest.raises(ModelError, match=key):
        load_network(tmp_path / "net")


def test_a_folder_without_weights_is_refused(tmp_path):
    about, weights = described(network(1))
    store.save(tmp_path / "none", {"kind": "network", **about}, {})
    store.save(
        tmp_path / "nameless",
        {"kind": "network", **about},
        {"weights": {"bias": weights["0.embed.0.bias"]}},
    )
    for name in ("none", "nameless"):
        with pytest.raises(ModelError, match="does not describe a network"):
            load_network(tmp_path / name)


def test_a_config_fills_in_what_its_inputs_need():
    adaptive, transformed = (
        NetworkConfig(layers=(32,)),
        NetworkConfig(layers=(5, 4, 3), inputs=Transformed()),
    )
    assert (adaptive.before, adaptive.residual) == ((32,), True)
    assert (transformed.before, transformed.residual, transformed.width) == (
        (),
        False,
        1,
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": ()}, "must have at least one LSTM layer"),
        ({"inputs": "lagged"}, "inputs='lagged' are not inputs"),
        ({"layers": (0,)}, "layers"),
        ({"dropout": 1.0}, "dropout"),
        ({"units": 3}, "units"),
        ({"layers": 32}, r"NetworkConfig\(layers=32\)"),
    ],
    ids=str,
)
def test_a_senseless_config_is_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        NetworkConfig(**wrong)


def test_a_network_needs_its_horizon():
    with pytest.raises(UsageError, match="horizon of the network is not set"):
        array_shapes(NetworkConfig())


def test_old_names_of_inputs_are_taken_with_a_note():
    with pytest.warns(DeprecationWarning, match="inputs=Transformed") as told:
        old = NetworkConfig(inputs="plain", channels=3, horizon=1)
    assert told[0].filename == __file__  # where the old name is
    assert old == NetworkConfig(inputs=Transformed(columns=3), horizon=1)
    with pytest.warns(DeprecationWarning, match="inputs=Adaptive"):
        assert NetworkConfig(window=5) == NetworkConfig(inputs=Adaptive(window=5))
    with (
        pytest.raises(UsageError, match="channels=2"),
        pytest.warns(DeprecationWarning),
    ):
        NetworkConfig(inputs="causal", channels=2)


@pytest.mark.parametrize(
    "inputs",
    [
        Adaptive(window=7),
        Transformed(Log1p(), Difference(12), columns=2),
        Running("returns"),
    ],
    ids=str,
)
def test_a_described_config_comes_back(inputs):
    config = NetworkConfig(layers=(4,), inputs=inputs, horizon=2)
    described = json.loads(json.dumps(config.described()))
    assert NetworkConfig(**described) == config


def test_a_network_goes_to_other_processes():
    network = shipped()
    again = pickle.loads(pickle.dumps(network))
    assert facts(again) == facts(network)
