"""Keras models that are sequences of LSTM and Dense layers.

Keras stores matrices as (inputs, outputs), the transpose of ours; its gates have our order. The
layers are read from the model's config, in all forms that Keras 2 and 3 write.

"hard_sigmoid" is a different function in Keras 3 than in earlier versions, so the version that
wrote a model is read too. Models are written for Keras 3.

    C inputs · D units of a layer · H horizon
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import ModelError
from lstmcast.interop import kerasfiles
from lstmcast.interop.kerasconfig import layers_of
from lstmcast.interop.parts import (
    Dense,
    Named,
    Part,
    Recurrent,
    loading,
    network_of_parts,
    numbers,
    parts_of_network,
    require_activation,
    require_cell,
)
from lstmcast.model.activations import Activation, GateActivation
from lstmcast.model.lstm import USUAL, Cell
from lstmcast.model.network import Network
from lstmcast.util.text import counted

# clip(0.2 a + 0.5, 0, 1) is the hard sigmoid of Keras 3, clip(b / 6 + 0.5, 0, 1), of b = 1.2 a
STEEPER = 1.2


def from_keras(
    source: Any,
    *,
    activation: Activation | None = None,
    cell: Cell | None = None,
    horizon: int | None = None,
    channels: int | None = None,
    columns: Sequence[str] | None = None,
    target: str | None = None,
) -> Network:
    """Convert a Keras model of LSTM and Dense layers to a network with point forecasts.

    `source`: a file written by `model.save("model.keras")` or the older `model.save("model.h5")`, a
    model, or the list from `model.get_weights()`. A list lacks the `activation` of the Dense layers
    before the last and the `cell` of the LSTM layers, so give them if they are not the defaults. A
    model that reads C columns and ends in a layer of H · C units (all columns of the first step,
    then of the second, …) forecasts H steps at once; `horizon` and `channels` check this. A model
    that forecasts one of several columns needs their names in order (`columns`) and that of the
    forecast one (`target`); the others become past covariates. Raises ModelError for a layer
    without a counterpart, and MissingExtraError if h5py, which files need, is not installed.

    >>> lstm = [np.zeros((1, 20)), np.zeros((5, 20)), np.zeros(20)]
    >>> from_keras([*lstm, np.zeros((5, 12)), np.zeros(12)]).config.horizon
    12
    >>> lstm[0] = np.zeros((2, 20))
    >>> read = from_keras([*lstm, np.zeros((5, 1)), np.zeros(1)], columns=["p", "T"], target="T")
    >>> read.config.inputs.past
    ('p',)
    """
    with loading(source):
        layers = list(_parts(source, activation, cell))
        network = network_of_parts(layers, horizon, channels, Named.of(columns, target))
        return require_cell(require_activation(network, activation), cell)


def to_keras(
    network: Network,
    path: str | os.PathLike[str] | None = None,
    *,
    member: int | None = None,
) -> list[NDArray]:
    """The arrays of a network in the order of `model.set_weights`, for the same layers in Keras 3.

    `path`: a file to write as well: with .keras a whole model for `keras.models.load_model`, with
    .h5 weights for `model.load_weights`. `member`: the member of an ensemble. If the gates have the
    hard sigmoid of Keras 1 and 2, their weights are multiplied by 1.2, which makes them equivalent
    with that of Keras 3. Raises ModelError for a network that is not a sequence of layers, and
    MissingExtraError if h5py, which files need, is not installed.

    >>> lstm = [np.zeros((1, 20)), np.zeros((5, 20)), np.zeros(20)]
    >>> network = from_keras([*lstm, np.zeros((5, 12)), np.zeros(12)])
    >>> [array.shape for array in to_keras(network)]
    [(1, 20), (5, 20), (20,), (5, 12), (12,)]
    """
    layers = [_for_keras_3(layer) for layer in parts_of_network(network, member)]
    weights = [(_kind(layer), _arrays(layer)) for layer in layers]
    if path is not None:
        kerasfiles.write(path, _config(layers), weights)
    return [array for _, arrays in weights for array in arrays]


# ---------------------------------------------------------------- in


def _parts(source: Any, activation: str | None, cell: Cell | None) -> Iterator[Part]:
    if isinstance(source, (str, os.PathLike)):
        config, stored, version = kerasfiles.read(Path(source))
        if config is None:
            arrays = [array for layer in stored.of_all() for array in layer]
            return _listed(arrays, activation, cell)
        gates = _gates_by_name(version, cell)
        return (
            _part(
                layer,
                stored.of_layer(layer["config"]["name"], layer["class_name"]),
                gates,
            )
            for layer in layers_of(config)
        )
    if hasattr(source, "get_weights"):
        weights = {layer.name: layer.get_weights() for layer in source.layers}
        config = json.loads(source.to_json())
        gates = _gates_by_name(_version_of(source, config), cell)
        return (
            _part(layer, weights[layer["config"]["name"]], gates)
            for layer in layers_of(config)
        )
    return _listed(source, activation, cell)


def _version_of(model: Any, config: Mapping[str, Any]) -> str | None:
    """The version of Keras that a model in memory belongs to; Keras 2 writes it into the config."""
    package = sys.modules.get(type(model).__module__.partition(".")[0])
    return config.get("keras_version") or getattr(package, "__version__", None)


def _gates_by_name(version: str | None, cell: Cell | None) -> dict[str, GateActivation]:
    """The gate activations by their names in that version of Keras, without the ambiguous one if
    neither the version nor the caller determines it."""
    major = re.match(r"\d+", version or "")
    if major:
        hard = "hard_sigmoid" if int(major[0]) < 3 else "hard_sigmoid_keras3"
        return {"sigmoid": "sigmoid", "hard_sigmoid": hard}
    if cell is None or cell.recurrent_activation == "sigmoid":
        return {"sigmoid": "sigmoid"}
    return {"sigmoid": "sigmoid", "hard_sigmoid": cell.recurrent_activation}


def _part(
    layer: Mapping[str, Any], arrays: Sequence[Any], gates: Mapping[str, GateActivation]
) -> Part:
    config = layer["config"]
    name = config["name"]
    is_lstm = layer["class_name"] == "LSTM"
    config = (
        config["layer"]["config"]
        if layer["class_name"] == "TimeDistributed"
        else config
    )
    matrices = 2 if is_lstm else 1
    has_bias = bool(config.get("use_bias", True))
    if len(arrays) != matrices + has_bias:
        raise ModelError(
            f"the layer {name!r} has {counted(len(arrays), 'array')}, but should have "
            f"{matrices + has_bias} with use_bias={has_bias}. Save layers and weights together."
        )
    built = _built(name, config["units"], arrays[:matrices], arrays[matrices:])
    if isinstance(built, Recurrent):
        return built._replace(cell=_cell(config, gates))
    return built._replace(activation=config.get("activation", "linear"))


def _cell(config: Mapping[str, Any], gates: Mapping[str, GateActivation]) -> Cell:
    activation = config.get("recurrent_activation", "sigmoid")
    if activation not in gates:
        raise ModelError(
            f"the LSTM layer {config['name']!r} has recurrent_activation={activation!r}, but the "
            "version of Keras that wrote it is unknown: Keras 1 and 2 use another function under "
            "this name than Keras 3. Give cell=Cell(recurrent_activation='hard_sigmoid') for "
            "Keras 1 and 2, or 'hard_sigmoid_keras3'."
        )
    return Cell(config.get("activation", "tanh"), gates[activation])


def _built(name: str, units: int, matrices: Sequence[Any], bias: Sequence[Any]) -> Part:
    """A part from the arrays of Keras: one matrix for Dense, two for LSTM, and an optional bias."""
    outputs = units * (4 if len(matrices) == 2 else 1)
    kernel_CD = numbers(name, matrices[0], (np.shape(matrices[0])[0], outputs))
    bias_D = (
        numbers(name, bias[0], (outputs,))
        if len(bias)
        else np.zeros(outputs, np.float32)
    )
    if len(matrices) == 1:
        return Dense(name, np.ascontiguousarray(kernel_CD.T), bias_D)
    recurrent = numbers(name, matrices[1], (units, outputs))
    return Recurrent(
        name,
        np.ascontiguousarray(kernel_CD.T),
        np.ascontiguousarray(recurrent.T),
        bias_D,
    )


def _listed(
    arrays: Sequence[Any], activation: str | None, cell: Cell | None
) -> Iterator[Part]:
    """Layers from the shapes of arrays: a matrix (C, 4D) before one (D, 4D) belongs to an LSTM, any
    other to a Dense layer."""
    remaining = [numbers(f"array {index}", array) for index, array in enumerate(arrays)]
    while remaining:
        if remaining[0].ndim != 2:
            position = len(arrays) - len(remaining)
            raise ModelError(
                f"array {position} has the shape {remaining[0].shape}, but no LSTM or Dense layer "
                "starts with such an array. The result of model.get_weights() of LSTM and Dense "
                "layers is expected."
            )
        name = f"array {len(arrays) - len(remaining)}"
        outputs = remaining[0].shape[1]
        units, odd = divmod(outputs, 4)
        is_lstm = (
            not odd and len(remaining) > 1 and remaining[1].shape == (units, outputs)
        )
        matrices = remaining[: 1 + is_lstm]
        remaining = remaining[1 + is_lstm :]
        has_bias = bool(remaining) and remaining[0].shape == (outputs,)
        bias = remaining[:has_bias]
        remaining = remaining[has_bias:]
        if not is_lstm:
            units = outputs
        layer = _built(name, units, matrices, bias)
        if isinstance(layer, Recurrent):
            layer = layer._replace(cell=cell)
        elif remaining:  # the last layer is linear
            layer = layer._replace(activation=activation)
        else:
            layer = layer._replace(activation=None)
        yield layer


# ---------------------------------------------------------------- out


def _for_keras_3(layer: Part) -> Part:
    """The same layer with functions that Keras 3 has."""
    if isinstance(layer, Dense) or layer.cell is None:
        return layer
    if layer.cell.recurrent_activation != "hard_sigmoid":
        return layer
    # for i, f, g and o
    factors = np.array([STEEPER, STEEPER, 1.0, STEEPER], np.float32)
    times_G1 = np.repeat(factors, layer.units)[:, None]
    return Recurrent(
        layer.name,
        layer.weight_ih * times_G1,
        layer.weight_hh * times_G1,
        layer.bias * times_G1[:, 0],
        replace(layer.cell, recurrent_activation="hard_sigmoid_keras3"),
    )


def _kind(layer: Part) -> str:
    return "LSTM" if isinstance(layer, Recurrent) else "Dense"


def _arrays(layer: Part) -> list[NDArray]:
    matrices = (
        [layer.weight_ih, layer.weight_hh]
        if isinstance(layer, Recurrent)
        else [layer.weight]
    )
    return [*(np.ascontiguousarray(matrix.T) for matrix in matrices), layer.bias]


def _config(layers: Sequence[Part]) -> dict[str, Any]:
    """The config of a Sequential model of these layers for Keras 3, which outputs its answer after
    the last step."""
    last_lstm = max(
        index for index, layer in enumerate(layers) if isinstance(layer, Recurrent)
    )
    configs = [
        _layer(
            "InputLayer",
            batch_shape=[None, None, layers[0].inputs],
            dtype="float32",
            name="input",
        )
    ]
    for index, layer in enumerate(layers):
        if isinstance(layer, Recurrent):
            configs.append(
                _layer(
                    "LSTM",
                    name=layer.name.replace(".", "_"),
                    units=layer.units,
                    return_sequences=index < last_lstm,
                    **_functions(layer.cell or USUAL),
                )
            )
        else:
            name = layer.name.replace(".", "_")
            configs.append(
                _layer(
                    "Dense", name=name, units=layer.units, activation=layer.activation
                )
            )
    return _layer("Sequential", module="keras", name="lstmcast", layers=configs)


def _functions(cell: Cell) -> dict[str, str]:
    """The functions of a cell by their names in Keras 3."""
    return {
        "activation": cell.activation,
        "recurrent_activation": cell.recurrent_activation.removesuffix("_keras3"),
    }


def _layer(kind: str, *, module: str = "keras.layers", **config: Any) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": kind,
        "config": config,
        "registered_name": None,
    }
