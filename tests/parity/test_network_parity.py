"""The network in NumPy and as a PyTorch module are one and the same: values and gradients."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from builders import drawn_network, plain_config
from lstmcast.errors import UsageError
from lstmcast.model.inputs import Adaptive, Grid, Transformed
from lstmcast.model.lstm import Cell, zero_state
from lstmcast.model.network import Network, NetworkConfig, array_shapes
from lstmcast.training_config import Initialiser

torch = pytest.importorskip("torch", reason="needs the train extra")

from lstmcast.training.losses import weighted_pinball  # noqa: E402
from lstmcast.training.module import (  # noqa: E402
    NetworkModule,
    arrays_from_state,
    module_from_arrays,
)

CONFIG = NetworkConfig(layers=(7, 7), inputs=Adaptive(window=4), horizon=5)
B, T = 3, 30
PARAMETERS = {
    "weight_ih": "weight_ih_l0",
    "weight_hh": "weight_hh_l0",
    "bias": "bias_ih_l0",
}


def random_arrays(seed):
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0, 0.3, shape).astype(np.float32)
        for name, shape in array_shapes(CONFIG).items()
    }


def series(log):
    z_BT = np.random.default_rng(1).normal(size=(B, T)).cumsum(axis=1) / 5
    z_BT[:, 1:][np.random.default_rng(2).random((B, T - 1)) < 0.1] = np.nan
    return np.exp(z_BT) if log else z_BT


def in_numpy(arrays, log):
    """Quantiles at every step, in units of the scale."""
    network = Network(CONFIG, [arrays])
    seen = inputs(log)
    x_TBC = np.ascontiguousarray(seen.x_BTC.transpose(1, 0, 2))
    hidden, _ = network.run(x_TBC, seen.begun_BT.T, network.start(B))
    hidden_MND = [out_TBD.transpose(1, 0, 2).reshape(B * T, -1) for out_TBD in hidden]
    return network.answer(hidden_MND, seen.x_BTC.reshape(B * T, -1))[:, :, 0]


def quantiles(module, x, positions):
    return module.answers.quantiles(
        module(x, positions)[:, :, 0], torch.zeros(()), torch.ones(()), torch
    )


def inputs(log):
    grid = Grid(CONFIG.horizon, (12,), "monthly", np.full(B, log))
    return CONFIG.inputs.advance(CONFIG.inputs.start(grid, B), series(log)[:, :, None])[
        0
    ]


@pytest.mark.parametrize("log", [False, True])
def test_values(log):
    arrays = random_arrays(3)
    with torch.no_grad():
        theirs = quantiles(
            module_from_arrays(arrays, CONFIG),
            torch.from_numpy(inputs(log).x_BTC),
            torch.arange(B * T),
        ).numpy()
    usable = inputs(log).known.scale.ravel() > 0
    np.testing.assert_allclose(
        in_numpy(arrays, log)[usable], theirs[usable], rtol=1e-4, atol=1e-4
    )


def test_values_agree_to_the_last_digits_in_double_precision():
    arrays = {name: array.astype(float) for name, array in random_arrays(4).items()}
    x = torch.from_numpy(inputs(True).x_BTC).double()
    with torch.no_grad():
        theirs = quantiles(
            module_from_arrays(random_arrays(4), CONFIG).double(),
            x,
            torch.arange(B * T),
        ).numpy()
    np.testing.assert_allclose(in_numpy(arrays, True), theirs, rtol=1e-10, atol=1e-10)


def test_positions_are_rows_of_the_flattened_batch():
    module, x = (
        module_from_arrays(random_arrays(5), CONFIG),
        torch.from_numpy(inputs(True).x_BTC),
    )
    with torch.no_grad():
        some = module(x, torch.tensor([4, T + 2])).numpy()
        whole = module(x, torch.arange(B * T)).numpy()
    np.testing.assert_allclose(some, whole[[4, T + 2]], rtol=1e-5)


def test_gradients_equal_finite_differences_of_the_numpy_forward():
    arrays = {name: array.astype(float) for name, array in random_arrays(6).items()}
    direction = np.random.default_rng(7).normal(size=(B * T, CONFIG.horizon, 7))
    module = module_from_arrays(random_arrays(6), CONFIG).double()
    x = torch.from_numpy(inputs(True).x_BTC).double()
    (
        quantiles(module, x, torch.arange(B * T)) * torch.from_numpy(direction)
    ).sum().backward()
    rng, step = np.random.default_rng(8), 1e-6
    for name, array in arrays.items():
        prefix, _, part = name.rpartition(".")
        theirs = module.get_parameter(
            f"{prefix}.{PARAMETERS[part]}" if "lstm" in name else name
        ).grad.numpy()
        for place in rng.choice(array.size, min(4, array.size), replace=False):
            shifted = [array.copy(), array.copy()]
            shifted[0].flat[place] += step
            shifted[1].flat[place] -= step
            up, down = (
                (in_numpy({**arrays, name: one}, True) * direction).sum()
                for one in shifted
            )
            assert theirs.flat[place] == pytest.approx(
                (up - down) / (2 * step), rel=1e-5, abs=1e-5
            ), name


def test_arrays_to_module_and_back():
    arrays = random_arrays(9)
    again = arrays_from_state(module_from_arrays(arrays, CONFIG).state_dict(), CONFIG)
    assert again.keys() == arrays.keys() == array_shapes(CONFIG).keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array, err_msg=name)
        assert again[name].dtype == np.float32


def test_a_new_module_fits_and_one_bias_of_two_stays_zero():
    torch.manual_seed(0)
    module = NetworkModule(CONFIG)
    Network(CONFIG, [arrays_from_state(module.state_dict(), CONFIG)])
    idle = {
        name
        for name, parameter in module.named_parameters()
        if not parameter.requires_grad
    }
    assert idle == {"lstm.0.bias_hh_l0", "lstm.1.bias_hh_l0"}
    assert not any(module.get_parameter(name).any() for name in idle)


def test_a_new_module_spreads_its_quantiles_like_a_random_walk():
    torch.manual_seed(0)
    with torch.no_grad():
        spread = quantiles(
            NetworkModule(CONFIG),
            torch.zeros(1, 1, CONFIG.width),
            torch.zeros(1, dtype=torch.int64),
        )
    width = (spread[0, :, -1] - spread[0, :, 0]).numpy()
    np.testing.assert_allclose(width / width[0], np.sqrt(np.arange(1, 6)), rtol=0.35)


def test_the_loss_is_the_weighted_pinball_over_known_targets():
    quantiles = np.sort(np.random.default_rng(10).normal(size=(4, 5, 7)), axis=-1)
    target = np.random.default_rng(11).normal(size=(4, 5))
    target[0, 2:] = np.nan
    weight = np.array([1.0, 2.0, 0.5, 3.0])
    levels = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
    total, count = 0.0, 0
    for n, h in np.argwhere(~np.isnan(target)):
        miss = target[n, h] - quantiles[n, h]
        total += (
            2
            * weight[n]
            * np.mean(
                [
                    level * e if e >= 0 else (level - 1) * e
                    for level, e in zip(levels, miss, strict=True)
                ]
            )
        )
        count += 1
    ours = weighted_pinball(
        *(torch.from_numpy(part) for part in (quantiles, target, weight))
    )
    assert float(ours) == pytest.approx(total / count, rel=1e-6)


def test_the_loss_of_unknown_targets_is_zero_and_has_a_gradient():
    quantiles = torch.zeros(2, 5, 7, requires_grad=True)
    loss = weighted_pinball(quantiles, torch.full((2, 5), torch.nan), torch.ones(2))
    loss.backward()
    assert loss.item() == 0 and torch.equal(quantiles.grad, torch.zeros(2, 5, 7))


PLAIN = {
    "article 1": NetworkConfig(
        layers=(5, 4, 3), inputs=Transformed(), head="point", horizon=1
    ),
    "many columns": NetworkConfig(
        layers=(6,), inputs=Transformed(columns=3), head="point", horizon=2, before=(4,)
    ),
    "dense layers": NetworkConfig(
        layers=(4, 4),
        inputs=Transformed(),
        head="normal",
        horizon=3,
        before=(5, 4),
        after=(3,),
        activation="tanh",
        residual=True,
    ),
    "student_t": NetworkConfig(
        layers=(3,),
        inputs=Transformed(),
        head="student_t",
        horizon=2,
        after=(6,),
        activation="relu",
    ),
    "cell": NetworkConfig(
        layers=(3, 3),
        inputs=Transformed(),
        head="point",
        horizon=1,
        before=(4,),
        activation="softsign",
        cell=Cell("softsign", "hard_sigmoid"),
    ),
}


@pytest.mark.parametrize("config", PLAIN.values(), ids=PLAIN)
@pytest.mark.parametrize(
    "initialiser",
    ["default", "pytorch", "keras", "chainer", "chainer1", "zeros", "ones"],
)
def test_plain_networks_agree_however_they_begin(config, initialiser):
    torch.manual_seed(1)
    module = NetworkModule(config, initialiser=initialiser)
    x_BTC = (
        np.random.default_rng(2)
        .normal(size=(B, T, config.inputs.columns))
        .astype(np.float32)
    )
    network = Network(config, [arrays_from_state(module.state_dict(), config)])
    hidden, state = network.run(
        x_BTC.transpose(1, 0, 2), np.ones((T, B), bool), network.start(B)
    )
    (ours,) = network.raw(
        [hidden[0].reshape(T * B, -1)], x_BTC.transpose(1, 0, 2).reshape(T * B, -1)
    )
    with torch.no_grad():
        theirs = (
            module(torch.from_numpy(x_BTC), torch.arange(B * T))
            .unflatten(0, (B, T))
            .transpose(0, 1)
            .flatten(0, 1)
        )
        _, left = module.hidden(torch.from_numpy(x_BTC))
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-4, atol=1e-5)
    for (h_BD, c_BD), (h, c) in zip(state[0], left, strict=True):
        np.testing.assert_allclose(h_BD, h[0].numpy(), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(c_BD, c[0].numpy(), rtol=1e-4, atol=1e-5)


def test_initialisers_draw_what_they_say():
    config = NetworkConfig(
        layers=(40, 30),
        inputs=Transformed(columns=20),
        head="point",
        horizon=1,
        before=(20,),
    )
    drawn = {}
    for name in ("pytorch", "keras", "chainer", "chainer1", "zeros", "ones"):
        torch.manual_seed(0)
        drawn[name] = arrays_from_state(
            NetworkModule(config, initialiser=name).state_dict(), config
        )
    forget = np.zeros((4, 40))
    forget[1] = 1.0
    for name in ("keras", "chainer", "zeros", "ones"):
        np.testing.assert_array_equal(drawn[name]["lstm.0.bias"], forget.ravel())
        assert not drawn[name]["head.bias"].any()
    assert (
        abs(drawn["pytorch"]["lstm.0.weight_ih"]).max() <= 40**-0.5
        and drawn["pytorch"]["lstm.0.bias"].any()
    )
    recurrent = drawn["keras"]["lstm.0.weight_hh"]
    # orthogonal
    np.testing.assert_allclose(recurrent.T @ recurrent, np.eye(40), atol=1e-5)
    assert abs(drawn["keras"]["lstm.0.weight_ih"]).max() == pytest.approx(
        (6 / (20 + 160)) ** 0.5, rel=0.01
    )
    assert drawn["chainer"]["lstm.0.weight_ih"].std() == pytest.approx(
        20**-0.5, rel=0.05
    )
    assert (
        not drawn["zeros"]["lstm.0.weight_ih"].any()
        and drawn["zeros"]["lstm.0.weight_hh"].any()
    )
    assert (drawn["ones"]["lstm.1.weight_ih"] == 1).all()
    orthogonal = drawn["ones"]["lstm.0.weight_hh"]
    np.testing.assert_allclose(orthogonal.T @ orthogonal, np.eye(40), atol=1e-5)
    assert (
        drawn["chainer"].pop("lstm.0.bias").any()
        and not drawn["chainer1"]["lstm.0.bias"].any()
    )
    assert drawn["chainer"]["lstm.0.weight_hh"].std() == pytest.approx(
        40**-0.5, rel=0.05
    )
    assert drawn["chainer"]["embed.0.weight"].std() == pytest.approx(20**-0.5, rel=0.1)
    assert abs(drawn["keras"]["embed.0.weight"]).max() == pytest.approx(
        (6 / 40) ** 0.5, rel=0.02
    )
    with pytest.raises(
        UsageError, match=r"initialiser='twos' is not known.*'chainer1', 'zeros'"
    ):
        NetworkModule(config, initialiser="twos")


def test_initialisers_piece_by_piece():
    config = NetworkConfig(
        layers=(40,), inputs=Transformed(columns=20), head="point", horizon=1
    )

    def drawn(initialiser):
        torch.manual_seed(0)
        return arrays_from_state(
            NetworkModule(config, initialiser=initialiser).state_dict(), config
        )

    lecun = "lecun_normal"
    for name, pieces in (
        ("keras", Initialiser()),
        ("zeros", Initialiser("zeros")),
        ("ones", Initialiser("ones")),
        ("chainer", Initialiser(lecun, lecun, dense=lecun)),
        ("chainer1", Initialiser(lecun, lecun, forget_bias=0, dense=lecun)),
    ):
        named, own = drawn(name), drawn(pieces)
        assert all(np.array_equal(named[key], own[key]) for key in named)
    own = drawn(Initialiser("orthogonal", "uniform", bias=0.05, forget_bias=2.0))
    np.testing.assert_allclose(
        own["lstm.0.bias"].reshape(4, 40),
        np.repeat([[0.05], [2], [0.05], [0.05]], 40, 1),
    )
    for how in ("zeros", "ones"):
        dense = drawn(Initialiser(dense=how))
        assert (dense["head.weight"] == (how == "ones")).all() and not dense[
            "head.bias"
        ].any()
        assert dense["lstm.0.weight_ih"].std() > 0
    uniform = drawn(Initialiser("uniform", dense="uniform"))
    for name in ("lstm.0.weight_ih", "head.weight"):
        assert 0.9 * 40**-0.5 < abs(uniform[name]).max() <= 40**-0.5
    kernel, recurrent = own["lstm.0.weight_ih"], own["lstm.0.weight_hh"]
    np.testing.assert_allclose(kernel.T @ kernel, np.eye(20), atol=1e-5)
    assert 0.15 < abs(recurrent).max() <= 40**-0.5 and abs(
        recurrent
    ).mean() == pytest.approx(40**-0.5 / 2, rel=0.05)


CELLS = [
    Cell(name) for name in ("linear", "tanh", "relu", "sigmoid", "softsign", "elu")
] + [
    Cell(recurrent_activation="hard_sigmoid"),
    Cell("relu", "hard_sigmoid_keras3"),
]


def cell_case(cell):
    """A module of two layers in double precision, its arrays, and what it reads."""
    config = plain_config(layers=(4, 3), inputs=Transformed(columns=2), cell=cell)
    arrays = {
        name: a.astype(float)
        for name, a in drawn_network(config, size=0.6).members[0].items()
    }
    module = module_from_arrays(
        drawn_network(config, size=0.6).members[0], config
    ).double()
    return module, arrays, np.random.default_rng(3).normal(0, 2, (B, 9, 2))


def hidden_in_numpy(config, arrays, x_BTC):
    x_TBC = np.ascontiguousarray(x_BTC.transpose(1, 0, 2))
    fresh = (zero_state(config.layers, len(x_BTC), np.float64),)
    hidden, state = Network(config, [arrays]).run(
        x_TBC, np.ones(x_TBC.shape[:2], bool), fresh
    )
    return hidden[0].transpose(1, 0, 2), state[0]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cells_agree_and_go_on_from_their_state(cell):
    module, arrays, x_BTC = cell_case(cell)
    ours, state = hidden_in_numpy(module.config, arrays, x_BTC)
    with torch.no_grad():
        theirs, left = module.hidden(torch.from_numpy(x_BTC))
        first, between = module.hidden(torch.from_numpy(x_BTC[:, :4]))
        second, _ = module.hidden(torch.from_numpy(x_BTC[:, 4:]), between)
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        torch.cat([first, second], 1).numpy(), ours, rtol=1e-10, atol=1e-12
    )
    for one, other in zip(state, left, strict=True):
        for part, tensor in zip(one, other, strict=True):
            np.testing.assert_allclose(part, tensor[0].numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_gradients_of_cells_equal_finite_differences(cell):
    module, arrays, x_BTC = cell_case(cell)
    hidden_BTD, _ = module.hidden(torch.from_numpy(x_BTC))
    direction = np.random.default_rng(4).normal(size=hidden_BTD.shape)
    (hidden_BTD * torch.from_numpy(direction)).sum().backward()
    rng, step = np.random.default_rng(5), 1e-6
    for k, part in itertools.product((0, 1), ("weight_ih", "weight_hh", "bias")):
        name = f"lstm.{k}.{part}"
        gradient = module.get_parameter(f"lstm.{k}.{PARAMETERS[part]}").grad.numpy()
        for place in rng.choice(arrays[name].size, 6, replace=False):
            sides = []
            for moved in (step, -step):
                shifted = arrays[name].copy()
                shifted.flat[place] += moved
                outs, _ = hidden_in_numpy(
                    module.config, arrays | {name: shifted}, x_BTC
                )
                sides.append((outs * direction).sum())
            expected = (sides[0] - sides[1]) / (2 * step)
            assert gradient.flat[place] == pytest.approx(
                expected, rel=1e-5, abs=1e-6
            ), name
    assert module.get_parameter("lstm.0.bias_hh_l0").grad is None


def test_the_usual_cell_is_one_kernel_and_others_are_not(monkeypatch):
    """Where PyTorch has a fused kernel, training uses it."""
    called = []
    forward = torch.nn.LSTM.forward
    monkeypatch.setattr(
        torch.nn.LSTM,
        "forward",
        lambda self, *given: called.append(1) or forward(self, *given),
    )
    for cell, calls in ((Cell(), 2), (Cell(recurrent_activation="hard_sigmoid"), 2)):
        module, _, x_BTC = cell_case(cell)
        module.hidden(torch.from_numpy(x_BTC))
        assert len(called) == calls


def test_dropout_is_for_training_only():
    config = NetworkConfig(
        layers=(8, 8), inputs=Transformed(), head="point", horizon=1, dropout=0.5
    )
    module, x, at = NetworkModule(config), torch.randn(2, 6, 1), torch.tensor([5])
    with torch.no_grad():
        assert not torch.equal(module(x, at), module(x, at))
        module.eval()
        assert torch.equal(module(x, at), module(x, at))
