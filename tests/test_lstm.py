"""The recurrent stack: golden numbers, an independent implementation, and state in, state out."""

from __future__ import annotations

import numpy as np
import pytest

from lstmcast.model.lstm import Layer, run_stack, zero_state


def random_layers(seed, layers, units, dtype=np.float64):
    rng = np.random.default_rng(seed)
    shapes = {
        "weight_ih": (4 * units, units),
        "weight_hh": (4 * units, units),
        "bias": (4 * units,),
    }
    return tuple(
        Layer(
            **{
                name: rng.normal(0, 0.5, shape).astype(dtype)
                for name, shape in shapes.items()
            }
        )
        for _ in range(layers)
    )


def all_begun(x_TBD):
    return np.ones(x_TBD.shape[:2], bool)


@pytest.mark.parametrize(
    ("forget_bias", "expected"),
    [
        (1.0, (0.62886867, 0.86899145, 0.94607728)),
        (0.03, (0.57019703, 0.86619149, 0.94596217)),
    ],
)
def test_golden_numbers(forget_bias, expected):
    """The constant weights of Keras' LSTMTest.test_correctness, 3 units on 4 inputs."""
    C, D = 4, 3
    recurrent = np.full((4 * D, D), 0.02)
    bias = np.full(4 * D, 0.03)
    bias[D : 2 * D] = forget_bias
    x_TBD = np.arange(72.0).reshape(3, 6, C).transpose(1, 0, 2)
    layer = Layer(np.full((4 * D, C), 0.01), recurrent, bias)
    _, ((h_BD, _),) = run_stack(
        x_TBD,
        all_begun(x_TBD),
        (layer,),
        zero_state((D,), 3, np.float64),
        residual=True,
    )
    np.testing.assert_allclose(
        h_BD, np.repeat(np.array(expected)[:, None], 3, axis=1), rtol=2e-7
    )


def test_one_step_by_hand():
    """One unit, all weights different, so that no two gates can change places unnoticed."""
    layer = Layer(
        np.array([[1.0], [2.0], [3.0], [4.0]]),
        np.array([[0.5], [0.6], [0.7], [0.8]]),
        np.array([0.1, 0.2, 0.3, 0.4]),
    )

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    x, h, c = 0.25, -0.3, 0.6
    i, f, o = (
        sigmoid(x + 0.5 * h + 0.1),
        sigmoid(2 * x + 0.6 * h + 0.2),
        sigmoid(4 * x + 0.8 * h + 0.4),
    )
    c_new = f * c + i * np.tanh(3 * x + 0.7 * h + 0.3)
    h_new = o * np.tanh(c_new)
    out, ((h_BD, c_BD),) = run_stack(
        np.full((1, 1, 1), x),
        np.ones((1, 1), bool),
        (layer,),
        ((np.full((1, 1), h), np.full((1, 1), c)),),
        residual=True,
    )
    assert (h_BD.item(), c_BD.item()) == pytest.approx((h_new, c_new), rel=1e-12)
    assert out.item() == pytest.approx(x + h_new, rel=1e-12)  # the residual path


def test_the_stack_equals_pytorch():
    torch = pytest.importorskip("torch", reason="needs the train extra")
    T, B, D = 9, 4, 5
    layers = random_layers(0, 2, D)
    x_TBD = np.random.default_rng(1).normal(size=(T, B, D))
    ours, states = run_stack(
        x_TBD,
        all_begun(x_TBD),
        layers,
        zero_state((D, D), B, np.float64),
        residual=True,
    )
    theirs = torch.from_numpy(x_TBD)
    for k, layer in enumerate(layers):
        module = torch.nn.LSTM(D, D, dtype=torch.float64)
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
        with torch.no_grad():
            for name, array in zip(names, layer, strict=True):
                module.get_parameter(name).copy_(torch.from_numpy(array))
            module.get_parameter("bias_hh_l0").zero_()
            out, (h, c) = module(theirs)
        theirs = theirs + out
        np.testing.assert_allclose(states[k][0], h[0].numpy(), rtol=1e-12)
        np.testing.assert_allclose(states[k][1], c[0].numpy(), rtol=1e-12)
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    "bounds",
    [range(1, 12), [5], [1, 10]],
    ids=["one by one", "two parts", "three parts"],
)
def test_a_sequence_in_parts_is_the_whole_sequence(bounds):
    layers = random_layers(2, 3, 4)
    x_TBD = np.random.default_rng(3).normal(size=(12, 2, 4))
    whole, last = run_stack(
        x_TBD,
        all_begun(x_TBD),
        layers,
        zero_state((4, 4, 4), 2, np.float64),
        residual=True,
    )
    state, parts = zero_state((4, 4, 4), 2, np.float64), []
    for part in np.split(x_TBD, list(bounds)):
        out, state = run_stack(part, all_begun(part), layers, state, residual=True)
        parts.append(out)
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-12)
    np.testing.assert_allclose(state, last, rtol=1e-12)


def test_the_state_stays_zero_until_the_series_has_begun():
    layers = random_layers(4, 2, 3)
    x_TBD = np.random.default_rng(5).normal(size=(8, 2, 3))
    begun_TB = np.ones((8, 2), bool)
    begun_TB[:5, 1] = False
    waiting, state = run_stack(
        x_TBD[:5],
        begun_TB[:5],
        layers,
        zero_state((3, 3), 2, np.float64),
        residual=True,
    )
    assert all(
        not h_BD[1].any() and not c_BD[1].any() and h_BD[0].all()
        for h_BD, c_BD in state
    )
    np.testing.assert_array_equal(waiting[:, 1], x_TBD[:5, 1])
    together, _ = run_stack(
        x_TBD, begun_TB, layers, zero_state((3, 3), 2, np.float64), residual=True
    )
    late = x_TBD[5:, 1:]
    alone, _ = run_stack(
        late, all_begun(late), layers, zero_state((3, 3), 1, np.float64), residual=True
    )
    np.testing.assert_allclose(together[5:, 1:], alone, rtol=1e-12)


def test_the_given_state_and_input_are_left_alone():
    layers = random_layers(6, 1, 3)
    x_TBD, state = np.ones((4, 2, 3)), ((np.full((2, 3), 0.1), np.full((2, 3), 0.2)),)
    run_stack(x_TBD, np.zeros((4, 2), bool), layers, state, residual=True)
    assert (
        (x_TBD == 1).all() and (state[0][0] == 0.1).all() and (state[0][1] == 0.2).all()
    )


def test_large_activations_saturate_without_warnings():
    layers = random_layers(7, 1, 3, np.float32)
    x_TBD = np.full((3, 1, 3), 1e6, np.float32)
    out, ((h_BD, _),) = run_stack(
        x_TBD, all_begun(x_TBD), layers, zero_state((3,), 1), residual=True
    )
    assert out.dtype == np.float32 and np.isfinite(out).all() and abs(h_BD).max() <= 1


def test_layers_of_other_widths_have_no_residual_path():
    """Widths 2 → 3 → 3: only the second layer can add its input."""
    rng = np.random.default_rng(8)
    layers = tuple(
        Layer(
            rng.normal(size=(12, wide)), rng.normal(size=(12, 3)), rng.normal(size=12)
        )
        for wide in (2, 3)
    )
    x_TBC = rng.normal(size=(5, 2, 2))
    first, _ = run_stack(
        x_TBC,
        all_begun(x_TBC),
        layers[:1],
        zero_state((3,), 2, np.float64),
        residual=True,
    )
    second, _ = run_stack(
        first,
        all_begun(x_TBC),
        layers[1:],
        zero_state((3,), 2, np.float64),
        residual=False,
    )
    both, _ = run_stack(
        x_TBC,
        all_begun(x_TBC),
        layers,
        zero_state((3, 3), 2, np.float64),
        residual=True,
    )
    plain, _ = run_stack(
        x_TBC,
        all_begun(x_TBC),
        layers,
        zero_state((3, 3), 2, np.float64),
        residual=False,
    )
    np.testing.assert_allclose(both, first + second, rtol=1e-12)
    np.testing.assert_allclose(plain, second, rtol=1e-12)
