"""Weights from Keras and PyTorch without either: shapes, names, files written by hand, and what
cannot be read."""

from __future__ import annotations

import io
import json
import pickle
import sys
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

import lstmcast as lc
from builders import drawn_network, plain_config
from lstmcast.errors import MissingExtraError, ModelError, OutputError, UsageError
from lstmcast.interop import kerasfiles
from lstmcast.interop.keras import from_keras, to_keras
from lstmcast.interop.pytorch import from_pytorch, to_pytorch
from lstmcast.model.inputs import Adaptive, Transformed
from lstmcast.model.lstm import Cell


def network(members=1, **options):
    config = plain_config(**{"layers": (5, 4, 3), "horizon": 2} | options)
    return drawn_network(config, members, size=1.0)


def assert_same(one, other):
    assert one.config == other.config
    for mine, theirs in zip(one.members, other.members, strict=True):
        assert mine.keys() == theirs.keys()
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)


VARIANTS = {
    "stacked": {},
    "one layer": {"layers": (3,)},
    "equal layers": {"layers": (4, 4, 4)},
    "two columns": {"inputs": Transformed(columns=2), "horizon": 3},
    "dense": {"before": (6, 2), "after": (7,), "activation": "tanh"},
    "one step": {"layers": (1,), "horizon": 1},
}


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
def test_what_goes_out_comes_back(options):
    start = network(**options)
    activation = start.config.activation
    assert_same(from_keras(to_keras(start), activation=activation), start)
    assert_same(from_pytorch(to_pytorch(start), activation=activation), start)


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
def test_what_is_written_is_read(options, tmp_path):
    pytest.importorskip("h5py", reason="needs the keras extra")
    start = network(**options)
    to_keras(start, tmp_path / "model.keras")
    assert_same(from_keras(str(tmp_path / "model.keras")), start)
    # in the older layout the order is known, and activations are not
    to_keras(start, tmp_path / "weights.h5")
    assert_same(
        from_keras(tmp_path / "weights.h5", activation=start.config.activation), start
    )


def test_safetensors_are_written_and_read(tmp_path):
    start = network()
    to_pytorch(start, tmp_path / "model.safetensors")
    assert_same(from_pytorch(tmp_path / "model.safetensors"), start)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_the_formulas_are_those_of_keras():
    """Constant weights and the expected values of Keras' own LSTMTest.test_correctness."""
    kernel, recurrent, bias = (
        np.full((4, 12), 0.01),
        np.full((3, 12), 0.02),
        np.full(12, 0.03),
    )
    bias[3:6] = 1.0
    loaded = from_keras([kernel, recurrent, bias, np.eye(3, 4), np.zeros(4)])
    x_TBC = np.arange(72, dtype=np.float32).reshape(3, 6, 4).transpose(1, 0, 2)
    (hidden_TBD,), _ = loaded.run(x_TBC, np.ones((6, 3), bool), loaded.start(3))
    np.testing.assert_allclose(
        hidden_TBD[-1][:, 0], [0.6288687, 0.86899155, 0.9460773], atol=1e-6
    )


# ---------------------------------------------------------------- Keras: the older file, by hand


def legacy(path, layers, weights, *, config=True, version=b"2.4.0"):
    """An .h5 file as Keras 2 lays it out."""
    h5py = pytest.importorskip("h5py", reason="needs the keras extra")
    with h5py.File(path, "w") as file:
        if config:
            described = [
                {"class_name": kind, "config": options} for kind, options in layers
            ]
            model = {
                "class_name": "Sequential",
                "config": {"name": "sequential", "layers": described},
            }
            file.attrs["model_config"] = json.dumps(model).encode()
        if version is not None:
            file.attrs["keras_version"] = version
        root = file.create_group("model_weights") if config else file
        root.attrs["layer_names"] = [name.encode() for name in weights]
        for name, arrays in weights.items():
            root.create_group(name).attrs["weight_names"] = [
                f"{name}/{part}:0".encode() for part in arrays
            ]
            for part, array in arrays.items():
                root[f"{name}/{name}/{part}:0"] = array
        file.create_group("optimizer_weights").attrs["weight_names"] = [b"iterations:0"]
    return path


RNG = np.random.default_rng(5)
KERNEL, RECURRENT, BIAS = (RNG.normal(size=shape) for shape in ((1, 8), (2, 8), (8,)))
LAYERS = [
    ("InputLayer", {"batch_input_shape": [None, 12, 1], "name": "lstm_7_input"}),
    (
        "LSTM",
        {
            "name": "lstm_7",
            "units": 2,
            "activation": "tanh",
            "recurrent_activation": "sigmoid",
            "use_bias": True,
        },
    ),
    ("Dropout", {"name": "dropout_3", "rate": 0.2}),
    (
        "Dense",
        {"name": "dense_9", "units": 3, "activation": "linear", "use_bias": True},
    ),
]
WEIGHTS = {
    "lstm_7": {
        "lstm_cell_7/kernel": KERNEL,
        "lstm_cell_7/recurrent_kernel": RECURRENT,
        "lstm_cell_7/bias": BIAS,
    },
    "dropout_3": {},
    "dense_9": {"kernel": RNG.normal(size=(2, 3)), "bias": RNG.normal(size=3)},
}


def by_hand(x_T):
    """The forecast of the model above after x, in the formulas of the papers."""
    h, c = np.zeros(2), np.zeros(2)
    for x in x_T:
        i, f, g, o = np.split(x * KERNEL[0] + h @ RECURRENT + BIAS, 4)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
    return h @ WEIGHTS["dense_9"]["kernel"] + WEIGHTS["dense_9"]["bias"]


@pytest.mark.parametrize("config", [True, False], ids=["model", "weights only"])
def test_the_layout_of_keras_2(tmp_path, config):
    loaded = from_keras(legacy(tmp_path / "model.h5", LAYERS, WEIGHTS, config=config))
    assert (loaded.config.layers, loaded.config.horizon, loaded.config.residual) == (
        (2,),
        3,
        False,
    )
    x_T = np.array([0.5, -1.0, 2.0, 0.3])
    (hidden_TBD,), _ = loaded.run(
        x_T[:, None, None].astype(np.float32), np.ones((4, 1), bool), loaded.start(1)
    )
    np.testing.assert_allclose(
        next(loaded.raw([hidden_TBD[-1]], x_T[None, -1:]))[0, :, 0, 0],
        by_hand(x_T),
        atol=1e-6,
    )


def changed(kind, **options):
    """LAYERS with other options in the layer of a kind."""
    return [
        (name, config | (options if name == kind else {})) for name, config in LAYERS
    ]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            changed("LSTM", recurrent_activation="tanh"),
            r"'lstm_7' has recurrent_activation='tanh', which must be 'sigmoid' or 'hard_sigmoid'",
        ),
        (
            changed("LSTM", activation="swish"),
            r"'lstm_7' has activation='swish', which must be 'linear' or 'tanh' or 'relu' or 'sig",
        ),
        (
            [*LAYERS, ("Activation", {"name": "end", "activation": "softmax"})],
            "'dense_9' has activation='softmax'",
        ),
        (
            [
                *LAYERS[:2],
                ("Activation", {"name": "end", "activation": "relu"}),
                LAYERS[3],
            ],
            "'end' applies 'relu' to something other than a Dense layer",
        ),
        (
            [("Activation", {"name": "end", "activation": "relu"}), *LAYERS],
            "'end' applies 'relu' to something other than a Dense layer",
        ),
        (changed("LSTM", go_backwards=True), "go_backwards=True"),
        (changed("LSTM", return_state=True), "return_state=True"),
        (
            changed("Dense", activation="swish"),
            "'dense_9' has activation='swish'.*'linear' or 'tanh' or 'relu'",
        ),
        (
            changed("LSTM", units=4),
            r"'lstm_7' has the shape \(1, 8\); \(1, 16\) is expected",
        ),
        (
            changed("Dense", use_bias=False),
            r"'dense_9' has 2 arrays, but should have 1 with use_bias=False",
        ),
        (
            [("GRU", {"name": "gru"}), *LAYERS[2:]],
            "'gru' is of the class GRU, which has no counterpart",
        ),
        (
            [LAYERS[1], ("Bidirectional", {"name": "both"})],
            "'both' is of the class Bidirectional",
        ),
        ([LAYERS[3]], "no LSTM layer"),
        (
            [LAYERS[1], LAYERS[3], ("LSTM", {"name": "x", "units": 4})],
            r"'x' has 0 arrays, but should have 3 with use_bias=True",
        ),
        ([("LSTM", {"name": "lstm_7"})], "not laid out as expected .*units"),
    ],
)
def test_layers_without_counterpart_are_named(tmp_path, layers, message):
    path = legacy(tmp_path / "model.h5", layers, WEIGHTS)
    with pytest.raises(ModelError, match=f"model.h5' cannot be loaded: .*{message}"):
        from_keras(path)


# ---------------------------------------------------------------- Keras: functions of the cell


def clipped(slope):
    return lambda a: np.clip(slope * a + 0.5, 0, 1)


def by_formula(x_TB, weights, gate, curve):
    """Answers (B, H) after x of an LSTM layer and a Dense layer, in double precision."""
    kernel, recurrent, bias, dense, dense_bias = (
        np.asarray(array, float) for array in weights
    )
    h = c = np.zeros((x_TB.shape[1], len(recurrent)))
    for x_B in x_TB:
        i, f, g, o = np.split(x_B[:, None] @ kernel + h @ recurrent + bias, 4, axis=1)
        c = gate(f) * c + gate(i) * curve(g)
        h = gate(o) * curve(c)
    return h @ dense + dense_bias


def answer(network, x_TB):
    """Of a network of one column, after x (B, H)."""
    x_TB1 = x_TB[:, :, None].astype(np.float32)
    hidden, _ = network.run(
        x_TB1, np.ones(x_TB.shape, bool), network.start(x_TB.shape[1])
    )
    return next(network.raw([hidden[0][-1]], x_TB1[-1]))[:, :, 0, 0]


def keras_of_2018(path, weights):
    """What `model.save` of Keras 2.1.6 writes for the model of a tutorial of that year."""
    common = {"use_bias": True, "trainable": True, "kernel_constraint": None}
    constant = {"class_name": "Constant", "config": {"value": 0.0549}}
    lstm = common | {
        "name": "lstm_1",
        "batch_input_shape": [None, 80, 1],
        "dtype": "float32",
        "units": 300,
        "activation": "tanh",
        "recurrent_activation": "hard_sigmoid",
        "bias_initializer": constant,
        "unit_forget_bias": True,
        "return_sequences": False,
        "return_state": False,
        "go_backwards": False,
        "stateful": False,
        "implementation": 1,
    }
    dense = common | {"name": "dense_1", "units": 1, "activation": "linear"}
    layers = [
        {"class_name": "LSTM", "config": lstm},
        {"class_name": "Dense", "config": dense},
    ]
    named = {
        "lstm_1": dict(
            zip(("kernel", "recurrent_kernel", "bias"), weights[:3], strict=True)
        ),
        "dense_1": dict(zip(("kernel", "bias"), weights[3:], strict=True)),
    }
    legacy(path, [], named, version=b"2.1.6")
    with pytest.importorskip("h5py").File(path, "a") as file:
        file.attrs["model_config"] = json.dumps(
            {"class_name": "Sequential", "config": layers}
        )
        file.attrs["training_config"] = b'{"loss": "mean_squared_error"}'
    return path


def test_a_tutorial_of_2018_is_read(tmp_path):
    """LSTM(300) on windows of 80 steps, Dense(1): the same answers to 1e-6."""
    rng = np.random.default_rng(0)
    weights = [
        rng.uniform(-0.07, 0.07, (1, 1200)),
        np.linalg.qr(rng.normal(size=(1200, 300)))[0].T,
        rng.normal(0.0549, 0.3, 1200),
        rng.uniform(-0.14, 0.14, (300, 1)),
        np.full(1, 0.1),
    ]
    weights = [array.astype(np.float32) for array in weights]
    x_TB = np.sin(2 * np.pi * (np.arange(80)[:, None] + np.arange(20)) / 80)
    loaded = from_keras(keras_of_2018(tmp_path / "model.h5", weights))
    assert loaded.config.cell == Cell("tanh", "hard_sigmoid")
    expected = by_formula(x_TB, weights, clipped(0.2), np.tanh)
    np.testing.assert_allclose(answer(loaded, x_TB), expected, atol=1e-6)
    assert (
        abs(by_formula(x_TB, weights, clipped(1 / 6), np.tanh) - expected).max() > 1e-3
    )


def test_layers_with_several_functions_are_refused(tmp_path):
    second = ("LSTM", {"name": "second", "units": 2, "activation": "relu"})
    weights = {"kernel": np.ones((2, 8)), "recurrent_kernel": RECURRENT, "bias": BIAS}
    path = legacy(
        tmp_path / "model.h5", [*LAYERS[:2], second], WEIGHTS | {"second": weights}
    )
    message = "different activations: 'lstm_7' tanh, sigmoid, 'second' relu, sigmoid"
    with pytest.raises(ModelError, match=message):
        from_keras(path)


HARD = changed("LSTM", recurrent_activation="hard_sigmoid", activation="relu")
X_TB = np.random.default_rng(6).normal(size=(5, 4))


@pytest.mark.parametrize(
    ("version", "slope"),
    [
        (b"1.2.2", 0.2),
        (b"2.2.4-tf", 0.2),
        ("2.15.0", 0.2),
        (b"3.0.0", 1 / 6),
        ("3.10.1", 1 / 6),
    ],
)
def test_the_hard_sigmoid_is_that_of_the_version(tmp_path, version, slope):
    loaded = from_keras(legacy(tmp_path / "model.h5", HARD, WEIGHTS, version=version))
    weights = [KERNEL, RECURRENT, BIAS, *WEIGHTS["dense_9"].values()]
    expected = by_formula(X_TB, weights, clipped(slope), lambda a: np.maximum(a, 0))
    np.testing.assert_allclose(answer(loaded, X_TB), expected, atol=1e-6)


@pytest.mark.parametrize("version", [None, b"", b"head"])
def test_a_hard_sigmoid_of_no_version_has_to_be_said(tmp_path, version):
    path = legacy(tmp_path / "model.h5", HARD, WEIGHTS, version=version)
    for said in (None, Cell("relu")):
        with pytest.raises(
            ModelError, match=r"'lstm_7' has .*version of Keras .*unknown.*cell="
        ):
            from_keras(path, cell=said)
    for name in ("hard_sigmoid", "hard_sigmoid_keras3"):
        assert from_keras(path, cell=Cell("relu", name)).config.cell == Cell(
            "relu", name
        )
    with pytest.raises(
        UsageError, match=r"cell=Cell\(activation='tanh'.*the model itself says"
    ):
        from_keras(path, cell=Cell("tanh", "hard_sigmoid"))


@pytest.mark.parametrize(
    ("about", "expected"), [({"keras_version": "2.13.1"}, "hard_sigmoid"), (None, None)]
)
def test_the_version_of_a_keras_file(tmp_path, about, expected):
    to_keras(network(layers=(2,), horizon=3), tmp_path / "start.keras")
    with zipfile.ZipFile(tmp_path / "start.keras") as archive:
        weights = archive.read("model.weights.h5")
    layers = [{"class_name": kind, "config": config} for kind, config in HARD]
    config = {"class_name": "Sequential", "config": {"layers": layers}}
    path = keras_file(tmp_path / "model.keras", config, weights)
    if about is None:
        with pytest.raises(ModelError, match="version of Keras"):
            from_keras(path)
        return
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("metadata.json", json.dumps(about))
    assert from_keras(path).config.cell == Cell("relu", expected)


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize(
    "cell",
    [Cell("relu"), Cell("tanh", "hard_sigmoid_keras3"), Cell("elu", "hard_sigmoid")],
    ids=str,
)
def test_cells_are_written_and_read(options, cell, tmp_path):
    """Files are those of Keras 3, whose hard sigmoid takes other weights to do the same."""
    pytest.importorskip("h5py", reason="needs the keras extra")
    start = network(cell=cell, **options)
    arrays = to_keras(start, tmp_path / "model.keras")
    loaded = from_keras(tmp_path / "model.keras")
    x_TBC = RNG.normal(size=(6, 3, start.config.inputs.columns)).astype(np.float32)
    ours, theirs = (
        one.run(x_TBC, np.ones((6, 3), bool), one.start(3))[0][0]
        for one in (start, loaded)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    gates = cell.recurrent_activation
    written = Cell(
        cell.activation, "hard_sigmoid_keras3" if "hard" in gates else "sigmoid"
    )
    assert loaded.config.cell == written
    from_list = from_keras(arrays, activation=start.config.activation, cell=written)
    assert_same(from_list, loaded)
    if gates != "hard_sigmoid":
        assert_same(loaded, start)


def test_layers_of_activations_belong_to_the_dense_layer_before(tmp_path):
    layers = [
        *LAYERS[:2],
        ("Activation", {"name": "none", "activation": "linear"}),
        *LAYERS[2:],
        ("Activation", {"name": "end", "activation": "softsign"}),
    ]
    loaded = from_keras(legacy(tmp_path / "model.h5", layers, WEIGHTS))
    assert (loaded.config.after, loaded.config.activation) == ((3,), "softsign")


class LiveModel:
    """What is asked of a model in memory."""

    def __init__(self, version):
        self.layers = [LiveLayer("lstm_7"), LiveLayer("dense_9")]
        self.version = {"keras_version": version} if version else {}

    def get_weights(self):
        raise AssertionError("layer by layer")

    def to_json(self):
        layers = [{"class_name": kind, "config": config} for kind, config in HARD]
        return json.dumps(
            {"class_name": "Sequential", "config": {"layers": layers}} | self.version
        )


class LiveLayer:
    def __init__(self, name):
        self.name = name

    def get_weights(self):
        return list(WEIGHTS[self.name].values())


def test_the_version_of_a_model_in_memory(monkeypatch):
    assert from_keras(LiveModel("2.15.0")).config.cell == Cell("relu", "hard_sigmoid")
    with pytest.raises(ModelError, match="version of Keras"):
        from_keras(LiveModel(None))
    monkeypatch.setattr(LiveModel, "__module__", "its_keras.models")
    monkeypatch.setitem(sys.modules, "its_keras", SimpleNamespace(__version__="3.1"))
    assert from_keras(LiveModel(None)).config.cell == Cell(
        "relu", "hard_sigmoid_keras3"
    )


def test_an_lstm_of_pytorch_has_the_usual_cell_only():
    with pytest.raises(
        ModelError, match=r"functions relu, sigmoid, but nn\.LSTM supports only tanh"
    ):
        to_pytorch(network(cell=Cell("relu")))


# ---------------------------------------------------------------- Keras: other bad files


def keras_file(path, config, weights=b""):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "config.json", config if isinstance(config, str) else json.dumps(config)
        )
        if weights is not None:
            archive.writestr("model.weights.h5", weights)
    return path


def test_files_that_are_none(tmp_path):
    pytest.importorskip("h5py", reason="needs the keras extra")
    path = tmp_path / "model.keras"
    with pytest.raises(ModelError, match="no such file"):
        from_keras(path)
    for content in (b"", b"date,sales\n2024-01-01,3\n", b"PK\x03\x04 cut"):
        path.write_bytes(content)
        with pytest.raises(
            ModelError, match=r"neither a \.keras nor an \.h5 file, or not whole"
        ):
            from_keras(path)
    with pytest.raises(ModelError, match="it is a folder"):
        from_keras(tmp_path)


def test_archives_that_lack_something(tmp_path):
    pytest.importorskip("h5py", reason="needs the keras extra")
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w"):
        pass
    with pytest.raises(ModelError, match=r"no config\.json"):
        from_keras(path)
    with pytest.raises(ModelError, match=r"no model\.weights\.h5"):
        from_keras(keras_file(path, {}, None))
    with pytest.raises(ModelError, match="damaged"):
        from_keras(keras_file(path, {}, b"no weights"))
    to_keras(network(), path)
    with zipfile.ZipFile(path) as archive:
        weights = archive.read("model.weights.h5")
    for config in (
        "{",
        '{"class_name": "Sequential"}',
        "[]",
        '{"class_name": "Sequential", "config": {"layers": [1]}}',
    ):
        with pytest.raises(
            ModelError,
            match=r"model\.keras' cannot be loaded: it (is not laid out|cannot be read)",
        ):
            from_keras(keras_file(path, config, weights))
    with pytest.raises(
        ModelError, match=r"it is a MyModel.*Pass model\.get_weights\(\)"
    ):
        from_keras(keras_file(path, {"class_name": "MyModel", "config": {}}, weights))
    config = {
        "class_name": "Sequential",
        "config": {"layers": [{"class_name": "LSTM", "config": LAYERS[1][1]}]},
    }
    with pytest.raises(
        ModelError, match=r"'lstm_7' has the shape \(1, 20\); \(1, 8\) is expected"
    ):
        from_keras(keras_file(path, config, weights))


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
@pytest.mark.parametrize("share", [0.05, 0.4, 0.8, 0.99])
def test_truncated_files(tmp_path, name, share):
    pytest.importorskip("h5py", reason="needs the keras extra")
    path = tmp_path / name
    to_keras(network(), path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ModelError, match=f"{name}' cannot be loaded: .*[Ss]ave"):
        from_keras(path)


@pytest.mark.parametrize("root", ["layers", "_layer_checkpoint_dependencies"])
def test_layers_are_counted_by_class(tmp_path, root):
    """Keras counts in the model's order; some versions leave numbers out."""
    h5py = pytest.importorskip("h5py", reason="needs the keras extra")
    first, second, last = (
        [np.full(shape, value) for shape in shapes]
        for value, shapes in enumerate(
            ([(1, 8), (2, 8), (8,)], [(2, 8), (2, 8), (8,)], [(2, 1), (1,)])
        )
    )
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for place, arrays in (
            ("lstm/cell", first),
            ("lstm_10/cell", second),
            ("dense_4", last),
        ):
            for k, array in enumerate(arrays):
                file[f"{root}/{place}/vars/{k}"] = array.astype(float)
        file["optimizer/vars/0"] = np.zeros(1)
    lstm = {"units": 2}
    layers = [
        ("LSTM", {"name": "a"} | lstm),
        ("LSTM", {"name": "b"} | lstm),
        ("Dense", {"name": "c", "units": 1}),
    ]
    config = {
        "class_name": "Sequential",
        "config": [{"class_name": kind, "config": config} for kind, config in layers],
    }
    loaded = from_keras(
        keras_file(tmp_path / "model.keras", config, content.getvalue())
    )
    found = [
        loaded.members[0][name].max()
        for name in ("lstm.0.bias", "lstm.1.weight_ih", "head.bias")
    ]
    assert found == [0, 1, 2]


def test_names_and_arrays_of_an_absurd_size_are_not_read(tmp_path, monkeypatch):
    path = legacy(tmp_path / "model.h5", LAYERS, WEIGHTS)
    for limit, message in (
        ("LARGEST", "is too large"),
        ("MOST_BYTES", "its layer_names are damaged"),
    ):
        monkeypatch.setattr(kerasfiles, limit, 4)
        with pytest.raises(ModelError, match=message):
            from_keras(path)


def test_weights_of_keras_3_need_their_layers(tmp_path):
    h5py = pytest.importorskip("h5py", reason="needs the keras extra")
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w") as file:
        file["layers/lstm/cell/vars/0"] = KERNEL
    with pytest.raises(
        ModelError, match=r"holds weights, not the layers.*model\.get_weights\(\)"
    ):
        from_keras(path)


def test_arrays_outside_the_file_are_not_read(tmp_path):
    h5py = pytest.importorskip("h5py", reason="needs the keras extra")
    path = legacy(tmp_path / "model.h5", LAYERS, WEIGHTS)
    (tmp_path / "secret").write_bytes(bytes(64))
    with h5py.File(path, "a") as file:
        del file["model_weights/dense_9/dense_9/bias:0"]
        place = file["model_weights/dense_9/dense_9"]
        place.create_dataset(
            "bias:0", (3,), "f4", external=[(str(tmp_path / "secret"), 0, 12)]
        )
    with pytest.raises(ModelError, match="outside the file"):
        from_keras(path)
    with h5py.File(path, "a") as file:
        del file["model_weights/dense_9/dense_9/bias:0"]
        file["model_weights/dense_9/dense_9/bias:0"] = h5py.ExternalLink(
            str(tmp_path / "other.h5"), "/x"
        )
    with pytest.raises(ModelError, match="not laid out as expected"):
        from_keras(path)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.zeros(3)
    with pytest.raises(ModelError, match="outside the file"):
        from_keras(path)


def functional(*layers, outputs=("out",)):
    made = []
    for name, kind, sources in layers:
        nodes = [[[source, 0, 0, {}] for source in sources]] if sources else []
        config = {"name": name, "units": 2}
        made.append(
            {"class_name": kind, "name": name, "config": config, "inbound_nodes": nodes}
        )
    return {
        "class_name": "Functional",
        "config": {"layers": made, "output_layers": [[o, 0, 0] for o in outputs]},
    }


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            functional(
                ("a", "InputLayer", ()), ("b", "LSTM", ("a",)), ("out", "Dense", ("a",))
            ),
            "'out' reads 'a'.*'b'",
        ),
        (
            functional(
                ("a", "InputLayer", ()),
                ("b", "LSTM", ("a",)),
                ("out", "Dense", ("b", "a")),
            ),
            "'b' and 'a'",
        ),
        (
            functional(
                ("a", "InputLayer", ()),
                ("z", "InputLayer", ()),
                ("out", "LSTM", ("z",)),
            ),
            "'z' reads nothing",
        ),
        (
            functional(
                ("a", "InputLayer", ()), ("out", "LSTM", ("a",)), outputs=("a", "out")
            ),
            "its only output must be",
        ),
    ],
)
def test_functional_models_must_be_a_row(tmp_path, config, message):
    h5py = pytest.importorskip("h5py", reason="needs the keras extra")
    content = io.BytesIO()
    h5py.File(content, "w").close()
    with pytest.raises(ModelError, match=message):
        from_keras(keras_file(tmp_path / "model.keras", config, content.getvalue()))


def test_a_row_in_the_words_of_keras_2(tmp_path):
    config = functional(
        ("a", "InputLayer", ()),
        ("lstm_7", "LSTM", ("a",)),
        ("out", "Dense", ("lstm_7",)),
    )
    weights = {
        "lstm_7": WEIGHTS["lstm_7"],
        "out": {"kernel": np.ones((2, 2)), "bias": np.zeros(2)},
    }
    path = legacy(tmp_path / "model.h5", [], weights)
    with pytest.importorskip("h5py").File(path, "a") as file:
        file.attrs["model_config"] = json.dumps(config)
    assert from_keras(path).config.horizon == 2


def test_files_without_h5py(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"lstmcast\[keras\]"):
        from_keras(tmp_path / "model.keras")
    with pytest.raises(MissingExtraError, match=r"lstmcast\[keras\]"):
        to_keras(network(), tmp_path / "model.keras")


# ---------------------------------------------------------------- lists and live models


def test_lists_of_other_layers():
    with pytest.raises(
        ModelError,
        match=r"array 3 has the shape \(7,\), but no LSTM or Dense layer starts",
    ):
        from_keras([KERNEL, RECURRENT, BIAS, np.zeros(7)])
    with pytest.raises(
        ModelError,
        match=r"activation follows the dense layer 'array 3'. Give activation='relu'",
    ):
        from_keras(
            [KERNEL, RECURRENT, BIAS, np.ones((2, 3)), np.zeros(3), np.ones((3, 1))]
        )
    with pytest.raises(
        ModelError, match="'array 0' gives 2 numbers, and 'array 3' after it takes 5"
    ):
        from_keras([KERNEL, RECURRENT, BIAS, np.ones((5, 3))])
    with pytest.raises(ModelError, match="between LSTM layers"):
        from_keras([KERNEL, RECURRENT, BIAS, np.ones((2, 1)), KERNEL, RECURRENT, BIAS])
    with pytest.raises(ModelError, match="no LSTM layer"):
        from_keras([])
    with pytest.raises(ModelError, match="not all finite"):
        from_keras([KERNEL, RECURRENT * np.nan, BIAS])
    with pytest.raises(ModelError, match="have the type int8"):
        from_keras([KERNEL.astype(np.int8), RECURRENT, BIAS])


def test_a_model_that_reads_more_than_it_forecasts():
    arrays = [np.zeros((3, 20)), np.zeros((5, 20)), np.zeros(20), np.zeros((5, 1))]
    with pytest.raises(ModelError, match="reads 3 columns and returns 1 number"):
        from_keras(arrays)
    two_columns = [np.zeros((2, 20)), *arrays[1:3], np.zeros((5, 8))]
    assert from_keras(two_columns, horizon=4, channels=2).config.horizon == 4
    for wrong in ({"horizon": 8}, {"channels": 1}, {"channels": 0}, {"horizon": 0}):
        with pytest.raises(ModelError, match="reads 2 columns and returns 8"):
            from_keras(two_columns, **wrong)


def test_a_model_that_forecasts_one_of_the_columns_it_reads():
    rng = np.random.default_rng(0)
    arrays = [
        rng.normal(0, 0.3, shape) for shape in ((3, 20), (5, 20), (20,), (5, 2), (2,))
    ]
    columns = ["wind", "load", "price"]
    network = from_keras(arrays, columns=columns, target="load")
    assert (
        network.config.inputs.past == ("wind", "price") and network.config.horizon == 2
    )
    x_TC = rng.normal(size=(30, 3)).astype(np.float32)
    x_TC = (x_TC - x_TC.mean(axis=0)) / x_TC.std(axis=0)  # what Standard() gives
    past = {"wind": x_TC[:, 0], "price": x_TC[:, 2]}
    panel = lc.Panel.from_arrays(x_TC[:, 1], past=past)
    point = lc.LSTMForecaster(2, weights=network).predict(panel).point
    # what its LSTM layer gives
    alike = from_keras([*arrays[:3], np.eye(5, 3), np.zeros(3)])
    (hidden_TBD,), _ = alike.run(x_TC[:, None], np.ones((30, 1), bool), alike.start(1))
    np.testing.assert_allclose(
        point[0], hidden_TBD[-1, 0] @ arrays[3] + arrays[4], atol=1e-5
    )
    with pytest.raises(ModelError, match="but columns= names 2"):
        from_keras(arrays, columns=["wind", "load"], target="load")
    with pytest.raises(ModelError, match="forecasts 2 steps of its target"):
        from_keras(arrays, columns=columns, target="load", horizon=3)
    for wrong in (
        {"columns": columns},
        {"target": "load"},
        {"columns": columns, "target": "sun"},
    ):
        with pytest.raises(UsageError, match="columns"):
            from_keras(arrays, **wrong)


def test_a_last_layer_that_is_no_linear_one_is_passed_on():
    loaded = from_keras([np.zeros((2, 8)), RECURRENT, BIAS])
    assert (loaded.config.layers, loaded.config.after, loaded.config.horizon) == (
        (2,),
        (),
        1,
    )
    np.testing.assert_array_equal(loaded.members[0]["head.weight"], np.eye(2))


# ---------------------------------------------------------------- PyTorch


def state(**changes):
    lstm = {"rnn.weight_ih_l0": np.ones((20, 1)), "rnn.weight_hh_l0": np.ones((20, 5))}
    biases = {"rnn.bias_ih_l0": np.full(20, 0.25), "rnn.bias_hh_l0": np.full(20, 0.5)}
    return (
        lstm
        | biases
        | {"out.weight": np.ones((3, 5)), "out.bias": np.ones(3)}
        | changes
    )


def test_two_biases_are_one():
    np.testing.assert_array_equal(
        from_pytorch(state()).members[0]["lstm.0.bias"], np.full(20, 0.75)
    )
    out = to_pytorch(from_pytorch(state()))
    np.testing.assert_array_equal(
        out["lstm.bias_ih_l0"] + out["lstm.bias_hh_l0"], np.full(20, 0.75)
    )


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (state(**{"rnn.weight_ih_l0_reverse": 1.0}), "'rnn' is bidirectional"),
        (state(**{"rnn.weight_hr_l0": np.ones((2, 5))}), "'rnn' has a projection"),
        (
            state(
                **{
                    "rnn.weight_hh_l0": np.ones((15, 5)),
                    "rnn.weight_ih_l0": np.ones((15, 1)),
                }
            ),
            "not those of an LSTM.*GRU",
        ),
        (
            state(**{"norm.weight": np.ones(5)}),
            r"'norm' with weights of shape \(5,\) has no counterpart",
        ),
        (
            state(**{"norm.running_mean": np.ones(5)}),
            "'norm.running_mean' has no counterpart",
        ),
        (
            state(**{"out.bias": np.ones(4)}),
            r"'out.bias' has the shape \(4,\); \(3,\) is expected",
        ),
        (
            state(**{"out.weight": np.ones((3, 6))}),
            "'rnn_l0' gives 5 numbers, and 'out' after it takes 6",
        ),
        (state(**{"out.weight": np.ones((3, 5), int)}), "have the type int64"),
        ({"state_dict": state(), "epoch": 3}, r"checkpoint\['state_dict'\]"),
        ({"out.weight": np.ones((3, 5))}, "no LSTM layer"),
        ({"rnn.weight_hh_l0": np.ones((20, 5))}, "weight_ih_l0"),
        ({}, "it is empty"),
        (
            state(**{"mid.weight": np.ones((5, 3)), "end.weight": np.ones((2, 5))}),
            "which activation follows.*'mid'",
        ),
        (5, "not laid out as expected"),
    ],
)
def test_modules_without_counterpart_are_named(entries, message):
    with pytest.raises(ModelError, match=f"cannot be loaded: .*{message}"):
        from_pytorch(entries)


def test_the_order_of_modules():
    late = state(**{"out.weight": np.ones((4, 5)), "out.bias": np.ones(4)}) | {
        "inp.weight": np.ones((1, 4))
    }
    # as it stands, the last does not fit
    loaded = from_pytorch(late, activation="relu", channels=4)
    assert (
        loaded.config.before,
        loaded.config.inputs.columns,
        loaded.config.activation,
    ) == (
        (1,),
        4,
        "relu",
    )


def test_of_possible_orders_that_of_construction_counts():
    lstm = {"rnn.weight_ih_l0": np.ones((20, 5)), "rnn.weight_hh_l0": np.ones((20, 5))}
    square = {
        "a.weight": np.full((5, 5), 2.0),
        **lstm,
        "z.weight": np.full((5, 5), 3.0),
    }
    for told, first in ((None, 2), (["a", "rnn", "z"], 2), (["z", "rnn", "a"], 3)):
        loaded = from_pytorch(square, activation="linear", modules=told)
        assert loaded.members[0]["embed.0.weight"][0, 0] == first


def test_an_order_that_is_not_clear(tmp_path):
    start = network(layers=(6,), before=(6,), horizon=1)
    to_pytorch(start, tmp_path / "m.safetensors")
    with pytest.raises(ModelError, match=r"not clear: .* → .* or .*modules=\["):
        from_pytorch(tmp_path / "m.safetensors", activation="linear")
    for told in ({"modules": ["before.0", "lstm", "head"]}, {"channels": 1}):
        assert_same(
            from_pytorch(tmp_path / "m.safetensors", activation="linear", **told), start
        )
    with pytest.raises(
        UsageError,
        match=r"not an order of the model's modules, \['before.0', 'head', 'lstm'\]",
    ):
        from_pytorch(tmp_path / "m.safetensors", modules=["lstm", "head"])


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").touch, ())

    for name in ("model.pt", "model.pth", "model.bin"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
        with pytest.raises(
            ModelError,
            match=r"pickles, which may run code.*safetensors\.torch\.save_file",
        ):
            from_pytorch(tmp_path / name)
    (tmp_path / "model.safetensors").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ModelError, match="damaged"):
        from_pytorch(tmp_path / "model.safetensors")
    assert not (tmp_path / "ran").exists()


def test_an_activation_that_the_model_does_not_have_is_refused(tmp_path):
    pytest.importorskip("h5py")
    to_keras(network(after=(3,), activation="tanh"), tmp_path / "model.keras")
    with pytest.raises(
        UsageError, match="activation='relu': the model itself says 'tanh'"
    ):
        from_keras(tmp_path / "model.keras", activation="relu")
    for load, save in ((from_keras, to_keras), (from_pytorch, to_pytorch)):
        with pytest.raises(
            UsageError,
            match="activation='tanh': there are no dense layers before the last",
        ):
            load(save(network()), activation="tanh")


# ---------------------------------------------------------------- out


def test_networks_that_are_no_row_of_layers():
    with pytest.raises(
        ModelError,
        match=r"with adaptive inputs is not a sequence of layers.*inputs=Transformed",
    ):
        to_keras(network(inputs=Adaptive()))
    with pytest.raises(ModelError, match="with residual connections is not"):
        to_pytorch(network(layers=(5, 5), residual=True))


def test_one_member_of_several():
    several = network(members=2)
    with pytest.raises(UsageError, match=r"member=None: the network has 2 members"):
        to_pytorch(several)
    with pytest.raises(UsageError, match="member=2"):
        to_keras(several, member=2)
    np.testing.assert_array_equal(
        to_keras(several, member=1)[-1], several.members[1]["head.bias"]
    )


def test_places_that_cannot_be_written(tmp_path):
    pytest.importorskip("h5py", reason="needs the keras extra")
    with pytest.raises(OutputError, match=r"ends in \.keras or \.h5"):
        to_keras(network(), tmp_path / "model.pb")
    with pytest.raises(OutputError, match=r"ends in \.safetensors"):
        to_pytorch(network(), tmp_path / "model.pt")
    with pytest.raises(OutputError, match="folder does not exist"):
        to_pytorch(network(), tmp_path / "none" / "model.safetensors")
    assert not list(tmp_path.iterdir())
