"""Cells with other functions than tanh and sigmoid: formulas, state in and state out, saved models.

The formulas are written here once more, in plain Python, from the pages of Keras.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import lstmcast as lc
from builders import drawn_network, plain_config, waves
from lstmcast.errors import UsageError
from lstmcast.model.activations import ACTIVATIONS, GATE_ACTIVATIONS
from lstmcast.model.lstm import Layer, run_stack, zero_state
from lstmcast.model.network import array_shapes, described, network_of

FUNCTIONS = {
    "linear": lambda a: a,
    "tanh": math.tanh,
    "relu": lambda a: max(a, 0.0),
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
    "softsign": lambda a: a / (1 + abs(a)),
    "elu": lambda a: a if a > 0 else math.exp(a) - 1,
}
GATES = {
    "sigmoid": FUNCTIONS["sigmoid"],
    "hard_sigmoid": lambda a: min(max(0.2 * a + 0.5, 0.0), 1.0),
    "hard_sigmoid_keras3": lambda a: min(max(a + 3, 0.0), 6.0) / 6,
}
CELLS = [lc.Cell(activation=name) for name in FUNCTIONS] + [
    lc.Cell(recurrent_activation="hard_sigmoid"),
    lc.Cell("relu", "hard_sigmoid_keras3"),
]
T, B, C, D = 6, 2, 3, 4


def drawn(seed, dtype=np.float64):
    """A layer whose gates are partly in the flat ends of a hard sigmoid, and what it reads."""
    rng = np.random.default_rng(seed)
    layer = Layer(
        rng.normal(size=(4 * D, C)), rng.normal(size=(4 * D, D)), rng.normal(size=4 * D)
    )
    x_TBC = rng.normal(0, 1.5, size=(T, B, C))
    return Layer(*(array.astype(dtype) for array in layer)), x_TBC.astype(dtype)


def by_hand(cell, layer, x_TC):
    """Outputs (T, D) of one series, unit by unit."""
    gate, curve = GATES[cell.recurrent_activation], FUNCTIONS[cell.activation]
    h, c, outs = [0.0] * D, [0.0] * D, []
    for x in x_TC:
        sums = layer.weight_ih @ x + layer.weight_hh @ np.array(h) + layer.bias
        i, f, g, o = (list(part) for part in np.split(sums, 4))
        c = [gate(f[k]) * c[k] + gate(i[k]) * curve(g[k]) for k in range(D)]
        h = [gate(o[k]) * curve(c[k]) for k in range(D)]
        outs.append(h)
    return np.array(outs)


def test_every_function_is_that_of_keras():
    assert (
        ACTIVATIONS.keys() == FUNCTIONS.keys()
        and GATE_ACTIVATIONS.keys() == GATES.keys()
    )
    for ours, theirs in ((ACTIVATIONS, FUNCTIONS), (GATE_ACTIVATIONS, GATES)):
        a = np.array([-50.0, -3.0, -2.75, -2.5, -0.3, 0.0, 0.7, 2.5, 2.75, 3.0, 50.0])
        for name, function in theirs.items():
            expected = [function(value) for value in a]
            np.testing.assert_allclose(ours[name](a), expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_kernel_computes_what_the_formulas_say(cell):
    layer, x_TBC = drawn(1)
    state = zero_state((D,), B, np.float64)
    out_TBD, ((h_BD, _),) = run_stack(
        x_TBC, np.ones((T, B), bool), (layer,), state, residual=False, cell=cell
    )
    for b in range(B):
        expected = by_hand(cell, layer, x_TBC[:, b])
        np.testing.assert_allclose(out_TBD[:, b], expected, rtol=1e-11, atol=1e-13)
    np.testing.assert_array_equal(h_BD, out_TBD[-1])


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_state_goes_in_and_out_and_waits_for_late_series(cell):
    layer, x_TBC = drawn(3)
    late = x_TBC[2:, 1:]
    begun_TB = np.ones((T, B), bool)
    begun_TB[:2, 1] = False
    state, outs = zero_state((D,), B, np.float64), []
    for t in range(T):
        out, state = run_stack(
            x_TBC[t : t + 1],
            begun_TB[t : t + 1],
            (layer,),
            state,
            residual=False,
            cell=cell,
        )
        outs.append(out)
    alone, _ = run_stack(
        late,
        np.ones((T - 2, 1), bool),
        (layer,),
        zero_state((D,), 1, np.float64),
        residual=False,
        cell=cell,
    )
    np.testing.assert_allclose(np.concatenate(outs)[2:, 1:], alone, rtol=1e-12)
    assert not outs[1][0, 1].any()


def test_single_precision_stays_single():
    layer, x_TBC = drawn(4, np.float32)
    for cell in CELLS:
        out_TBD, state = run_stack(
            100 * x_TBC[:2],
            np.ones((2, B), bool),
            (layer,),
            zero_state((D,), B),
            residual=False,
            cell=cell,
        )
        assert out_TBD.dtype == state[0][0].dtype == state[0][1].dtype == np.float32


# ---------------------------------------------------------------- the network that has one


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"activation": "swish"}, r"Cell\(activation='swish'\)"),
        ({"recurrent_activation": "tanh"}, r"Cell\(recurrent_activation='tanh'\)"),
        ({"gates": "sigmoid"}, "gates"),
    ],
)
def test_functions_that_are_not_known_are_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        lc.Cell(**wrong)


def test_the_activation_of_dense_layers_is_not_that_of_the_cell():
    with pytest.raises(UsageError, match=r"for the LSTM use cell=Cell\('relu'\)"):
        plain_config(activation="relu")
    with pytest.raises(UsageError, match="cell"):
        plain_config(cell="relu")


def test_manifests_name_a_cell_that_is_not_the_usual_one():
    config = plain_config(cell=lc.Cell("relu", "hard_sigmoid"))
    about = json.loads(json.dumps(config.described()))
    assert about["cell"] == {
        "activation": "relu",
        "recurrent_activation": "hard_sigmoid",
    }
    assert lc.NetworkConfig(**about) == config
    # as older versions wrote and read it
    assert "cell" not in plain_config().described()
    assert lc.NetworkConfig(**plain_config().described()).cell == lc.Cell()


def test_a_saved_model_answers_with_its_cell(tmp_path):
    """Forecasts, a stream and the saved model, all of the same numbers, which the usual cell does
    not give."""
    config = plain_config(
        layers=(4, 3), cell=lc.Cell("softsign", "hard_sigmoid"), horizon=2
    )
    network, panel = drawn_network(config), waves(2, 30)
    forecaster = lc.LSTMForecaster(2, weights=network)
    expected = forecaster.predict(panel).point
    forecaster.save(tmp_path / "model", panel)
    np.testing.assert_array_equal(
        lc.load(tmp_path / "model").predict(panel).point, expected
    )
    stream = lc.Stream(forecaster, list(panel.ids), frequency="MS")
    for t in range(30):
        stream.observe([panel.series(i)[t] for i in range(len(panel))])
    np.testing.assert_allclose(stream.predict(2), expected, rtol=1e-5)
    usual = lc.Network(plain_config(layers=(4, 3), horizon=2), network.members)
    other = lc.LSTMForecaster(2, weights=usual).predict(panel).point
    assert abs(other - expected).max() > 1e-3


def test_a_network_shows_its_cell():
    network = drawn_network(
        plain_config(layers=(4, 3), cell=lc.Cell("relu", "hard_sigmoid"))
    )
    assert "LSTM 4-3 (relu, hard_sigmoid)," in repr(network)
    table = str(lc.summary(network))
    assert (
        "lstm 0 (relu, hard_sigmoid)" in table
        and "lstm 1 (relu, hard_sigmoid)" in table
    )
    about, arrays = described(network)
    assert repr(network_of("folder", about, {"weights": arrays})) == repr(network)


def test_info_names_the_cell(tmp_path, run):
    config = plain_config(cell=lc.Cell(recurrent_activation="hard_sigmoid"))
    panel = waves(1, 30)
    lc.LSTMForecaster(1, weights=drawn_network(config)).save(tmp_path / "model", panel)
    assert "recurrent_activation: hard_sigmoid" in run("info", tmp_path / "model").out


@pytest.mark.parametrize(
    "cell", [lc.Cell("relu"), lc.Cell("tanh", "hard_sigmoid")], ids=str
)
def test_training_uses_the_cell(tmp_path, cell):
    """What is validated in PyTorch is what the saved model forecasts in NumPy."""
    pytest.importorskip("torch", reason="needs the train extra")
    wave = lc.Panel.from_arrays(
        np.sin(np.arange(80) / 5), frequency="D", start="2024-01-01"
    )
    training = lc.TrainingConfig(
        epochs=4, batching=lc.Windows(10), optimiser=lc.Optimiser(learning_rate=0.01)
    )
    config = plain_config(layers=(6,), cell=cell)
    model = lc.LSTMForecaster(1, weights="scratch", network=config, training=training)
    model.fit(wave)
    assert model.network.config.cell == cell
    losses = model.history.columns()["train_loss"]
    assert losses[-1] < 0.8 * losses[0]
    model.save(tmp_path / "model")
    again = lc.load(tmp_path / "model")
    assert again.network.config.cell == cell
    np.testing.assert_array_equal(again.predict().point, model.predict().point)


def test_a_state_that_grows_beyond_all_numbers_is_said(caplog):
    config = plain_config(layers=(6, 5), cell=lc.Cell("relu", "hard_sigmoid"))
    weights = {
        name: np.full(shape, 0.9, np.float32)
        for name, shape in array_shapes(config).items()
    }
    panel = lc.Panel.from_arrays(
        {"grown": 100 + np.arange(900.0) % 7, "empty": np.full(900, np.nan)},
        frequency="D",
        start="2000-01-01",
    )
    forecaster = lc.LSTMForecaster(3, weights=lc.Network(config, [weights]))
    assert np.isnan(forecaster.predict(panel).point).all()
    few, grown = (record.getMessage() for record in caplog.records)
    assert "1 of 2 series ('empty'): 1 known value is needed" in few
    assert "1 of 2 series ('grown'): the state of the LSTM overflowed" in grown
    assert "activation='relu'" in grown
