"""The config of a Keras model: which layers it has, whether they are in a row, what they may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstmcast.errors import ModelError
from lstmcast.model.activations import ACTIVATIONS

MODELS = ("Sequential", "Functional", "Model")
WITHOUT_WEIGHTS = ("InputLayer", "Dropout")  # these do not change a forecast
ALLOWED = {
    "LSTM": {
        "activation": tuple(ACTIVATIONS),
        "recurrent_activation": ("sigmoid", "hard_sigmoid"),
        "go_backwards": (False,),
        "return_state": (False,),
    },
    "Dense": {"activation": tuple(ACTIVATIONS)},
}


def layers_of(model: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The config of each layer with weights, in order of computation."""
    if model["class_name"] not in MODELS:
        raise ModelError(
            f"it is a {model['class_name']}, whose layers are defined only in its code. A "
            "Sequential or functional model is expected. Pass model.get_weights() instead."
        )
    config = model["config"]
    # Keras 2.2: a list
    layers = config["layers"] if isinstance(config, dict) else config
    if model["class_name"] != "Sequential":
        _require_row(config)
    with_weights: list[Mapping[str, Any]] = []
    for layer in layers:
        if layer["class_name"] == "Activation":
            with_weights[-1:] = _with_activation(with_weights[-1:], layer["config"])
        elif layer["class_name"] not in WITHOUT_WEIGHTS:
            with_weights.append(layer)
    for layer in with_weights:
        _require_known(layer)
    return with_weights


def _with_activation(
    layers: Sequence[Mapping[str, Any]], activation: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    """The layers with an Activation layer merged into the last one."""
    function = activation["activation"]
    if function == "linear":
        return layers
    for layer in layers:
        config = layer["config"]
        if (
            layer["class_name"] == "Dense"
            and config.get("activation", "linear") == "linear"
        ):
            return [{**layer, "config": {**config, "activation": function}}]
    raise ModelError(
        f"the layer {activation['name']!r} applies {function!r} to something other than a Dense "
        "layer without activation, which is what an Activation layer must follow. Train a model "
        "without it."
    )


def _require_row(config: Mapping[str, Any]) -> None:
    """Raise ModelError unless each layer of a functional model reads the one before it, and the
    last one is the output."""
    names = [layer["name"] for layer in config["layers"]]
    for previous, layer in zip([None, *names], config["layers"], strict=False):
        sources = list(_origins(layer["inbound_nodes"]))
        if sources != ([previous] if previous else []):
            raise ModelError(
                f"the layer {layer['name']!r} reads "
                f"{' and '.join(map(repr, sources)) or 'nothing'}. Each layer must read the one "
                "before it: "
                f"here {previous!r}."
            )
    if list(_origins(config["output_layers"])) != names[-1:]:
        raise ModelError(
            f"its only output must be its last layer, {names[-1]!r}. Train a model with that "
            "output."
        )


def _origins(node: Any) -> Iterator[str]:
    """Yield names of layers in a config, which stand in lists [name, number, number, …]."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        if len(node) > 2 and isinstance(node[0], str) and isinstance(node[1], int):
            yield node[0]
        for child in node:
            yield from _origins(child)


def _require_known(layer: Mapping[str, Any]) -> None:
    kind = layer["class_name"]
    config = layer["config"]
    if kind == "TimeDistributed":
        layer = config["layer"]
        kind = layer["class_name"]
        config = layer["config"]
    name = config["name"]
    if kind not in ALLOWED or layer.get("registered_name") not in (None, kind):
        raise ModelError(
            f"the layer {name!r} is of the class {kind}, which has no counterpart. LSTM, "
            "Dense, TimeDistributed(Dense) and Dropout layers are expected. If it only changes "
            "shapes, "
            "pass model.get_weights(); else train a model without it."
        )
    for option, allowed in ALLOWED[kind].items():
        value = config.get(option, allowed[0])
        if value not in allowed:
            raise ModelError(
                f"the {kind} layer {name!r} has {option}={value!r}, which must be "
                f"{' or '.join(map(repr, allowed))}. Train the model with that."
            )
