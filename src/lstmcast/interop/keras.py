"""Models of Keras: LSTM and Dense layers in a row.

Keras keeps matrices as (inputs, outputs), the transpose of ours; its gates have our order. What the
layers are is read from the model's config, in all the forms that Keras 2 and 3 write.

    C inputs · D units of a layer · H horizon
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import ModelError
from lstmcast.interop import kerasfiles
from lstmcast.interop.parts import (
    Dense,
    Part,
    Recurrent,
    loading,
    network_of_parts,
    numbers,
    parts_of_network,
    require_activation,
)
from lstmcast.model.activations import ACTIVATIONS, Activation
from lstmcast.model.network import Network

MODELS = ("Sequential", "Functional", "Model")
WITHOUT_WEIGHTS = ("InputLayer", "Dropout")  # these change nothing in a forecast
ALLOWED = {
    "LSTM": {
        "activation": ("tanh",),
        "recurrent_activation": ("sigmoid",),
        "go_backwards": (False,),
        "return_state": (False,),
    },
    "Dense": {"activation": tuple(ACTIVATIONS)},
}


def from_keras(
    source: Any,
    *,
    activation: Activation | None = None,
    horizon: int | None = None,
    channels: int | None = None,
) -> Network:
    """The network that a Keras model is: plain inputs, LSTM and Dense layers, point forecasts.

    `source`: a file that `model.save("model.keras")` or the older `model.save("model.h5")` wrote, a
    model, or the list that `model.get_weights()` gives. A list does not tell the `activation` of
    the Dense layers before the last: say it. A model that reads C columns and ends in a layer of H
    · C units (all columns of the first step, then of the second, …) answers H steps at once;
    `horizon` and `channels` have that checked. ModelError names the layer that has no counterpart;
    MissingExtraError: files need h5py.

    >>> lstm = [np.zeros((1, 20)), np.zeros((5, 20)), np.zeros(20)]
    >>> from_keras([*lstm, np.zeros((5, 12)), np.zeros(12)]).config.horizon
    12
    """
    with loading(source):
        return require_activation(
            network_of_parts(list(_parts(source, activation)), horizon, channels), activation
        )


def to_keras(
    network: Network, path: str | os.PathLike[str] | None = None, *, member: int | None = None
) -> list[NDArray]:
    """The arrays of a network in the order of `model.set_weights`, for a Keras model of the same
    layers.

    `path`: a file to write too. One that ends in .keras is a whole model, for
    `keras.models.load_model`; one in .h5 holds the weights, for `model.load_weights`. `member`:
    which one of a network that has several. ModelError for a network that is not a row of layers;
    MissingExtraError: files need h5py.

    >>> lstm = [np.zeros((1, 20)), np.zeros((5, 20)), np.zeros(20)]
    >>> network = from_keras([*lstm, np.zeros((5, 12)), np.zeros(12)])
    >>> [array.shape for array in to_keras(network)]
    [(1, 20), (5, 20), (20,), (5, 12), (12,)]
    """
    parts = parts_of_network(network, member)
    weights = [(_kind(part), _arrays(part)) for part in parts]
    if path is not None:
        kerasfiles.write(path, _config(parts), weights)
    return [array for _, arrays in weights for array in arrays]


# ---------------------------------------------------------------- in


def _parts(source: Any, activation: str | None) -> Iterator[Part]:
    if isinstance(source, (str, os.PathLike)):
        config, stored = kerasfiles.read(Path(source))
        if config is None:
            return _listed([array for layer in stored.of_all() for array in layer], activation)
        return (
            _part(layer, stored.of_layer(layer["config"]["name"], layer["class_name"]))
            for layer in _layers(config)
        )
    if hasattr(source, "get_weights"):
        weights = {layer.name: layer.get_weights() for layer in source.layers}
        return (
            _part(layer, weights[layer["config"]["name"]])
            for layer in _layers(json.loads(source.to_json()))
        )
    return _listed(source, activation)


def _layers(model: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The config of each layer with weights, in the order in which data pass them."""
    if model["class_name"] not in MODELS:
        raise ModelError(
            f"it is a {model['class_name']}, whose layers only its own code knows. Expected is a "
            "Sequential or a functional model. Hand over model.get_weights() instead."
        )
    config = model["config"]
    layers = config["layers"] if isinstance(config, dict) else config  # Keras 2.2: the list itself
    if model["class_name"] != "Sequential":
        _require_row(config)
    for layer in layers:
        if layer["class_name"] not in WITHOUT_WEIGHTS:
            _require_known(layer)
    return [layer for layer in layers if layer["class_name"] not in WITHOUT_WEIGHTS]


def _require_row(config: Mapping[str, Any]) -> None:
    """ModelError unless each layer of a functional model reads the one before it, and the last
    is the output."""
    names = [layer["name"] for layer in config["layers"]]
    for before, layer in zip([None, *names], config["layers"], strict=False):
        sources = list(_origins(layer["inbound_nodes"]))
        if sources != ([before] if before else []):
            raise ModelError(
                f"the layer {layer['name']!r} reads "
                f"{' and '.join(map(repr, sources)) or 'nothing'}. Expected are layers in a row, "
                f"each reading the one before it: here {before!r}."
            )
    if list(_origins(config["output_layers"])) != names[-1:]:
        raise ModelError(
            f"it has other outputs than its last layer, {names[-1]!r}. One output is expected."
        )


def _origins(node: Any) -> Iterator[str]:
    """Names of layers in a config: wherever [name, number, number, …] stands."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        if len(node) > 2 and isinstance(node[0], str) and isinstance(node[1], int):
            yield node[0]
        for item in node:
            yield from _origins(item)


def _require_known(layer: Mapping[str, Any]) -> None:
    kind, config = layer["class_name"], layer["config"]
    if kind == "TimeDistributed":
        layer = config["layer"]
        kind, config = layer["class_name"], layer["config"]
    name = config["name"]
    if kind not in ALLOWED or layer.get("registered_name") not in (None, kind):
        raise ModelError(
            f"the layer {name!r} is of the class {kind}, which has no counterpart. Expected are "
            "LSTM, Dense, TimeDistributed(Dense) and Dropout layers. If it only changes shapes, "
            "hand over model.get_weights(); else train a model without it."
        )
    for option, allowed in ALLOWED[kind].items():
        value = config.get(option, allowed[0])
        if value not in allowed:
            raise ModelError(
                f"the {kind} layer {name!r} has {option}={value!r}. Expected is "
                f"{' or '.join(map(repr, allowed))}. Train the model with that."
            )


def _part(layer: Mapping[str, Any], arrays: Sequence[Any]) -> Part:
    config = layer["config"]
    name, is_lstm = config["name"], layer["class_name"] == "LSTM"
    config = config["layer"]["config"] if layer["class_name"] == "TimeDistributed" else config
    matrices = 2 if is_lstm else 1
    if len(arrays) != matrices + bool(config.get("use_bias", True)):
        raise ModelError(
            f"the layer {name!r} has {len(arrays)} array(s); {matrices + 1} are expected, or "
            f"{matrices} without a bias. Save layers and weights together."
        )
    return _built(
        name,
        config["units"],
        arrays[:matrices],
        arrays[matrices:],
        config.get("activation", "linear"),
    )


def _built(
    name: str, units: int, matrices: Sequence[Any], bias: Sequence[Any], activation: str | None
) -> Part:
    """A part from what Keras keeps: one matrix for Dense, two for LSTM, and a bias or none."""
    outputs = units * (4 if len(matrices) == 2 else 1)
    kernel_CD = numbers(name, matrices[0], (np.shape(matrices[0])[0], outputs))
    bias_D = numbers(name, bias[0], (outputs,)) if len(bias) else np.zeros(outputs, np.float32)
    if len(matrices) == 1:
        return Dense(name, np.ascontiguousarray(kernel_CD.T), bias_D, activation)
    recurrent = numbers(name, matrices[1], (units, outputs))
    return Recurrent(
        name, np.ascontiguousarray(kernel_CD.T), np.ascontiguousarray(recurrent.T), bias_D
    )


def _listed(arrays: Sequence[Any], activation: str | None) -> Iterator[Part]:
    """Layers by the shapes of arrays: a matrix (C, 4D) before one (D, 4D) is an LSTM's, any
    other a Dense layer's."""
    rest = [numbers(f"array {k}", array) for k, array in enumerate(arrays)]
    while rest:
        if rest[0].ndim != 2:
            position = len(arrays) - len(rest)
            raise ModelError(
                f"array {position} has the shape {rest[0].shape}, and no LSTM or Dense layer "
                "begins with such a one. Expected is model.get_weights() of LSTM and Dense layers."
            )
        outputs = rest[0].shape[1]
        is_lstm = len(rest) > 1 and rest[1].shape == (outputs // 4, outputs) and outputs % 4 == 0
        matrices, rest = rest[: 1 + is_lstm], rest[1 + is_lstm :]
        has_bias = bool(rest) and rest[0].shape == (outputs,)
        bias, rest = rest[:has_bias], rest[has_bias:]
        name = f"array {len(arrays) - len(rest) - len(bias) - len(matrices)}"
        is_last = not rest and not is_lstm
        yield _built(
            name, outputs // (4 if is_lstm else 1), matrices, bias, None if is_last else activation
        )


# ---------------------------------------------------------------- out


def _kind(part: Part) -> str:
    return "LSTM" if isinstance(part, Recurrent) else "Dense"


def _arrays(part: Part) -> list[NDArray]:
    matrices = [part.weight_ih, part.weight_hh] if isinstance(part, Recurrent) else [part.weight]
    return [*(np.ascontiguousarray(matrix.T) for matrix in matrices), part.bias]


def _config(parts: Sequence[Part]) -> dict[str, Any]:
    """A Sequential model of these layers, in the words of Keras 3. It answers after the last
    step it reads."""
    last = max(k for k, part in enumerate(parts) if isinstance(part, Recurrent))
    layers = [
        _layer(
            "InputLayer", batch_shape=[None, None, parts[0].inputs], dtype="float32", name="input"
        )
    ]
    for k, part in enumerate(parts):
        if isinstance(part, Recurrent):
            layers.append(
                _layer(
                    "LSTM",
                    name=part.name.replace(".", "_"),
                    units=part.units,
                    return_sequences=k < last,
                )
            )
        else:
            name = part.name.replace(".", "_")
            layers.append(_layer("Dense", name=name, units=part.units, activation=part.activation))
    return _layer("Sequential", module="keras", name="lstmcast", layers=layers)


def _layer(kind: str, *, module: str = "keras.layers", **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}
