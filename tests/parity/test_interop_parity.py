"""Networks that came from Keras or PyTorch, or went there, answer as the models do there."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lstmcast.errors import ModelError
from lstmcast.interop.keras import from_keras, to_keras
from lstmcast.interop.pytorch import from_pytorch, to_pytorch
from lstmcast.model.lstm import Cell

torch = pytest.importorskip("torch", reason="needs the train extra")

WORKER = Path(__file__).with_name("keras_models.py")
B, T = 4, 9


def series(columns):
    return (
        np.random.default_rng(columns).normal(size=(B, T, columns)).astype(np.float32)
    )


def answers(network, x_BTC):
    """At every step (B, T, H · K)."""
    (hidden_TBD,), _ = network.run(
        np.ascontiguousarray(x_BTC.transpose(1, 0, 2)),
        np.ones((T, B), bool),
        network.start(B),
    )
    raw_NHKR = next(
        network.raw([hidden_TBD.reshape(T * B, -1)], x_BTC.reshape(T * B, -1))
    )
    return raw_NHKR.reshape(T, B, -1).transpose(1, 0, 2)


def same(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


# ---------------------------------------------------------------- PyTorch


class Forecaster(torch.nn.Module):
    """Linear layers, LSTM modules of the given widths (width, layers), linear layers."""

    def __init__(
        self,
        columns,
        lstms,
        outputs,
        before=(),
        after=(),
        activation=torch.nn.Identity,
        bias=True,
    ):
        super().__init__()
        sizes = [columns, *before]
        self.before = torch.nn.ModuleList(map(torch.nn.Linear, sizes[:-1], sizes[1:]))
        sizes = [sizes[-1], *(width for width, _ in lstms)]
        modules = [
            torch.nn.LSTM(size, *lstm, bias=bias)
            for size, lstm in zip(sizes, lstms, strict=False)
        ]
        self.lstm = torch.nn.ModuleList(modules) if len(modules) > 1 else modules[0]
        sizes = [sizes[-1], *after]
        self.after = torch.nn.ModuleList(map(torch.nn.Linear, sizes[:-1], sizes[1:]))
        self.head = torch.nn.Linear(sizes[-1], outputs, bias=bias)
        self.activation = activation()

    def forward(self, x_BTC):
        x = x_BTC.transpose(0, 1)
        for layer in self.before:
            x = self.activation(layer(x))
        for layer in (
            self.lstm if isinstance(self.lstm, torch.nn.ModuleList) else [self.lstm]
        ):
            x, _ = layer(x)
        for layer in self.after:
            x = self.activation(layer(x))
        return self.head(x).transpose(0, 1)


TORCH = {
    "one layer": ((1, [(8, 1)], 1), {}, None),
    "three layers": ((1, [(8, 3)], 12), {}, None),
    "5-4-3": ((1, [(5, 1), (4, 1), (3, 1)], 1), {}, None),
    "without bias": ((1, [(6, 2)], 3), {"bias": False}, None),
    "columns": ((3, [(7, 2)], 6), {}, None),
    "tanh": (
        (1, [(6, 1)], 2),
        {"before": (4, 5), "after": (3,), "activation": torch.nn.Tanh},
        "tanh",
    ),
    "relu": (
        (2, [(6, 1), (5, 1)], 2),
        {"after": (9, 4), "activation": torch.nn.ReLU},
        "relu",
    ),
    "linear": ((1, [(6, 1)], 2), {"before": (4,)}, "linear"),
}


@pytest.fixture(params=TORCH.values(), ids=TORCH)
def pair(request):
    """A model with random weights, one like it with others, and its activation."""
    arguments, options, activation = request.param
    torch.manual_seed(1)
    return (
        Forecaster(*arguments, **options),
        Forecaster(*arguments, **options | {"bias": True}),
        activation,
    )


def test_from_pytorch_and_back(pair):
    model, other, activation = pair
    network = from_pytorch(model.state_dict(), activation=activation)
    x_BTC = series(network.config.inputs.columns)
    with torch.no_grad():
        expected = model(torch.from_numpy(x_BTC)).numpy()
        same(answers(network, x_BTC), expected)
        other.load_state_dict(
            {
                name: torch.from_numpy(array)
                for name, array in to_pytorch(network).items()
            }
        )
        same(other(torch.from_numpy(x_BTC)).numpy(), expected)


def test_modules_cells_and_other_precisions_of_pytorch():
    torch.manual_seed(2)
    model = Forecaster(1, [(5, 2)], 3).double().requires_grad_(True)
    x_BTC = series(1)
    expected = model(torch.from_numpy(x_BTC).double()).detach().numpy()
    same(answers(from_pytorch(model), x_BTC), expected)
    half = from_pytorch(
        {name: tensor.bfloat16() for name, tensor in model.state_dict().items()}
    )
    np.testing.assert_allclose(answers(half, x_BTC), expected, atol=0.02)
    cell, state = torch.nn.LSTMCell(1, 5), None
    for t in range(T):
        state = cell(torch.from_numpy(x_BTC[:, t]), state)
    same(
        answers(from_pytorch(cell.state_dict(), channels=1), x_BTC)[:, -1],
        state[0].detach().numpy(),
    )


def test_pytorch_reads_our_files_and_we_theirs(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    torch.manual_seed(3)
    model, other = (
        Forecaster(1, [(5, 1), (4, 1), (3, 1)], 2),
        Forecaster(1, [(5, 1), (4, 1), (3, 1)], 2),
    )
    safetensors.save_file(model.state_dict(), tmp_path / "theirs.safetensors")
    to_pytorch(
        from_pytorch(tmp_path / "theirs.safetensors"), tmp_path / "ours.safetensors"
    )
    other.load_state_dict(safetensors.load_file(tmp_path / "ours.safetensors"))
    x = torch.from_numpy(series(1))
    assert torch.equal(other(x), model(x))


@pytest.mark.parametrize("options", [{"bidirectional": True}, {"proj_size": 2}])
def test_what_pytorch_has_and_we_have_not(options):
    with pytest.raises(ModelError, match=r"bidirectional|projection"):
        from_pytorch(torch.nn.LSTM(1, 5, **options).state_dict())
    for other in (torch.nn.GRU(1, 5), torch.nn.RNN(1, 5)):
        with pytest.raises(ModelError, match="not those of an LSTM"):
            from_pytorch(other)


# ---------------------------------------------------------------- Keras


@contextlib.contextmanager
def keras(folder):
    """The worker, which saves models of Keras, and reads ours when this block ends: Keras chooses
    its backend when it is imported, and takes seconds to import."""
    variables = {
        "KERAS_BACKEND": "torch",
        "KERAS_HOME": str(folder),
        "OMP_NUM_THREADS": "1",
    }
    errors = folder / "errors"
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, str(WORKER), str(folder)],
            env=os.environ | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        assert process.stdout.readline() == "saved\n", errors.read_text()
        yield
        process.communicate("load\n", timeout=300)
    assert process.returncode == 0, errors.read_text()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Models of Keras in all its formats, and what they answer; then ours of the same weights,
    read by Keras."""
    for package in ("keras", "h5py"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"the package {package} is not installed (extra test)")
    folder = tmp_path_factory.mktemp("keras")
    with keras(folder):
        for path in sorted(folder.glob("*.keras")):
            name = path.name.removesuffix(".keras")
            network = from_keras(path)
            to_keras(network, folder / f"{name}.back.keras")
            to_keras(network, folder / f"{name}.back.weights.h5")
            to_keras(network, folder / f"{name}.back.h5")
            np.savez(folder / f"{name}.back.npz", *to_keras(network))
    return folder


KERAS = [
    *("one", "stacked", "sequences", "dense", "relu", "columns"),
    *("functional", "distributed", "unbiased", "bare", "curved"),
    *("relu_lstm", "hard"),
]
TOLD = {  # what a list of weights does not tell
    "dense": {"activation": "tanh"},
    "relu": {"activation": "relu"},
    "relu_lstm": {"cell": Cell("relu")},
    "hard": {"activation": "elu", "cell": Cell("softsign", "hard_sigmoid_keras3")},
}


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("name", KERAS)
def test_from_keras(made, name, ending):
    expected = np.load(made / f"{name}.answer.npy")
    network = from_keras(made / f"{name}.{ending}")
    ours = answers(network, series(network.config.inputs.columns))
    same(ours if expected.ndim == 3 else ours[:, -1], expected)


# a list does not tell that the last is not linear
@pytest.mark.parametrize("name", sorted({*KERAS} - {"curved"}))
def test_from_a_list_of_weights(made, name):
    with np.load(made / f"{name}.weights.npz") as arrays:
        network = from_keras([arrays[key] for key in arrays], **TOLD.get(name, {}))
    expected = np.load(made / f"{name}.answer.npy")
    ours = answers(network, series(network.config.inputs.columns))
    same(ours if expected.ndim == 3 else ours[:, -1], expected)


@pytest.mark.parametrize("way", ["load_model", "weights.h5", "h5", "set_weights"])
@pytest.mark.parametrize("name", KERAS)
def test_back_to_keras(made, name, way):
    expected = np.load(made / f"{name}.answer.npy")
    same(
        np.load(made / f"{name}.{way}.npy"),
        expected[:, -1] if expected.ndim == 3 else expected,
    )


def test_a_live_model_is_as_its_file(made):
    assert (made / "live").read_text() == "same"


@pytest.mark.parametrize("name", ["bidirectional", "gru", "branch", "swish_lstm"])
def test_what_keras_has_and_we_have_not(made, name):
    for ending in ("keras_", "h5_"):
        with pytest.raises(ModelError, match=r"no counterpart|reads|has activation='"):
            from_keras(made / f"{name}.{ending}")
