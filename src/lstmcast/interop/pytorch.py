"""PyTorch models that are sequences of nn.LSTM and nn.Linear, by names and shapes in a state dict.

PyTorch has two biases in each LSTM layer, and only their sum matters. PyTorch itself is not needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import ModelError, UsageError
from lstmcast.interop.parts import (
    Dense,
    Named,
    Part,
    Recurrent,
    is_network,
    loading,
    network_of_parts,
    numbers,
    parts_of_network,
    require_activation,
)
from lstmcast.model.activations import Activation
from lstmcast.model.network import Network
from lstmcast.util.files import check_output, whole_file
from lstmcast.util.patterns import pattern_of

MOST_MODULES = 8  # modules whose order is searched: all orders are tried
EXPECTED = "The weights of nn.LSTM and nn.Linear modules are expected"
_ENTRY = pattern_of(
    r"(?:(?P<module>.+)\.)?(?P<array>(?:weight|bias)(?:_(?:ih|hh|hr)(?:_l\d+)?(?:_reverse)?)?)"
)
Blocks = dict[str, list[Part]]  # a module and its layers: nn.LSTM may have several


def from_pytorch(
    source: Any,
    *,
    activation: Activation | None = None,
    horizon: int | None = None,
    channels: int | None = None,
    modules: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    target: str | None = None,
) -> Network:
    """Convert a PyTorch model of nn.LSTM and nn.Linear layers to a network with point forecasts.

    `source`: `model.state_dict()` or any mapping from such names to arrays, the model, or a
    .safetensors file. `activation`: activation after the linear layers before the last, if there
    are any. `modules`: names of the modules in the order of computation; by default the order of
    the mapping, if sizes fit, or for a file, the order determined by the sizes. `horizon`,
    `channels`, `columns`, `target`: as in `from_keras`. Raises ModelError for parts without a
    counterpart.

    >>> lstm = {"lstm.weight_ih_l0": np.zeros((20, 1)), "lstm.weight_hh_l0": np.zeros((20, 5))}
    >>> head = {"out.weight": np.zeros((12, 5)), "out.bias": np.zeros(12)}
    >>> from_pytorch({**lstm, **head}).config.horizon
    12
    """
    with loading(source):
        is_file = isinstance(source, (str, os.PathLike))
        state: Any = _read(Path(source)) if is_file else source
        if hasattr(state, "state_dict"):
            state = state.state_dict()
        blocks = _blocks(state)
        if modules is not None and sorted(modules) != sorted(blocks):
            raise UsageError(
                f"modules={list(modules)} is not an order of the model's modules, {list(blocks)}."
            )
        naming = Named.of(columns, target)
        order = modules or _order(blocks, not is_file, horizon, channels, naming)
        layers = _joined(blocks, order)
        for index, layer in enumerate(layers[:-1]):
            if isinstance(layer, Dense):
                layers[index] = layer._replace(activation=activation)
        network = network_of_parts(layers, horizon, channels, naming)
        return require_activation(network, activation)


def to_pytorch(
    network: Network,
    path: str | os.PathLike[str] | None = None,
    *,
    member: int | None = None,
) -> dict[str, NDArray]:
    """The arrays of a network with PyTorch names; the second bias of each LSTM layer is zero.

    Modules are before.0, …; lstm (an nn.LSTM of several layers), or lstm.0, lstm.1, … if their
    widths differ; after.0, …; head. `path`: a .safetensors file to write as well. `member`: the
    member of an ensemble. Raises ModelError for a network that is not a sequence of layers, or
    whose LSTM layers use other activations than tanh and sigmoid.

    >>> lstm = {"lstm.weight_ih_l0": np.zeros((20, 1)), "lstm.weight_hh_l0": np.zeros((20, 5))}
    >>> list(to_pytorch(from_pytorch(lstm | {"out.weight": np.zeros((12, 5))})))
    ['lstm.weight_ih_l0', 'lstm.weight_hh_l0', 'lstm.bias_ih_l0', 'lstm.bias_hh_l0',
     'head.weight', 'head.bias']
    """
    if not network.config.cell.is_usual:
        raise ModelError(
            f"The LSTM layers of this network use the functions {network.config.cell}, but "
            "nn.LSTM supports only tanh and sigmoid. A network with cell=Cell() is expected; "
            "to_keras writes any."
        )
    state: dict[str, NDArray] = {}
    is_one_module = len(set(network.config.layers)) == 1
    for layer in parts_of_network(network, member):
        if isinstance(layer, Recurrent):
            state |= _lstm_entries(layer, is_one_module)
        else:
            name = layer.name.replace("embed.", "before.").replace("dense.", "after.")
            state |= {f"{name}.weight": layer.weight, f"{name}.bias": layer.bias}
    if path is not None:
        from safetensors.numpy import save

        check_output(path, (".safetensors",))
        with whole_file(path) as temporary:
            temporary.write_bytes(save(state))
    return state


def _lstm_entries(layer: Recurrent, is_one_module: bool) -> dict[str, NDArray]:
    group, _, number = layer.name.partition(".")
    module, end = (group, f"_l{number}") if is_one_module else (layer.name, "_l0")
    arrays = {
        "weight_ih": layer.weight_ih,
        "weight_hh": layer.weight_hh,
        "bias_ih": layer.bias,
    }
    arrays["bias_hh"] = np.zeros_like(layer.bias)
    return {f"{module}.{name}{end}": array for name, array in arrays.items()}


def _read(path: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if path.suffix.lower() != ".safetensors":
        raise ModelError(
            "it is not a .safetensors file. Other files of PyTorch are pickles, which may run "
            "code when they are read. Save by safetensors.torch.save_file(model.state_dict(), "
            "'model.safetensors'), or pass model.state_dict()."
        )
    try:
        # the file does not preserve the order
        return dict(sorted(load(path.read_bytes()).items()))
    except SafetensorError as error:
        raise ModelError(f"it is damaged ({error}). Save it again.") from error
    except KeyError as error:
        raise ModelError(
            f"it holds numbers of the type {error}. Save float32: model.float().state_dict()."
        ) from error


def _blocks(state: Mapping[str, Any]) -> Blocks:
    """Modules in the order of their first entries."""
    modules: dict[str, dict[str, Any]] = {}
    if not state:
        raise ModelError(f"it is empty. {EXPECTED}.")
    for key, value in state.items():
        if isinstance(value, Mapping):
            raise ModelError(
                f"{key!r} is itself a mapping. Pass the state dict, such as checkpoint[{key!r}]."
            )
        match = _ENTRY.fullmatch(key)
        if match is None:
            raise ModelError(
                f"{key!r} has no counterpart. {EXPECTED}. Leave others out of the mapping."
            )
        modules.setdefault(match["module"] or "", {})[match["array"]] = value
    return {module: _layers(module, arrays) for module, arrays in modules.items()}


def _layers(module: str, arrays: Mapping[str, Any]) -> list[Part]:
    if unfit := [name for name in arrays if name.endswith("_reverse") or "_hr" in name]:
        is_bidirectional = unfit[0].endswith("_reverse")
        feature = (
            "is bidirectional" if is_bidirectional else "has a projection (proj_size)"
        )
        raise ModelError(
            f"the module {module!r} {feature}, which has no counterpart. {EXPECTED}."
        )
    if any("_ih" in name or "_hh" in name for name in arrays):
        count = max(sum("weight_ih" in name for name in arrays), 1)
        # nn.LSTMCell has no layer number
        ends = (
            [f"_l{number}" for number in range(count)]
            if "weight_ih" not in arrays
            else [""]
        )
        return [_recurrent(f"{module}{end}", end, arrays) for end in ends]
    weight = numbers(module, arrays["weight"]) if "weight" in arrays else np.zeros(0)
    if weight.ndim != 2:
        raise ModelError(
            f"the module {module!r} with weights of shape {weight.shape} has no counterpart. "
            f"{EXPECTED}."
        )
    bias = np.zeros(len(weight), np.float32)
    if "bias" in arrays:
        bias = numbers(f"{module}.bias", arrays["bias"], weight.shape[:1])
    return [Dense(module, weight, bias)]


def _recurrent(name: str, end: str, arrays: Mapping[str, Any]) -> Recurrent:
    weight_ih, weight_hh = (
        numbers(name, arrays[f"weight_{side}{end}"]) for side in ("ih", "hh")
    )
    gates, units = weight_hh.shape
    if gates != 4 * units or weight_ih.shape[:1] != (gates,):
        raise ModelError(
            f"{name!r} has weights of shapes {weight_ih.shape} and {weight_hh.shape}, which are "
            f"not those of an LSTM (a GRU or an RNN may have them). {EXPECTED}."
        )
    biases = [
        numbers(name, arrays[key], (gates,))
        for key in (f"bias_ih{end}", f"bias_hh{end}")
        if key in arrays
    ]
    return Recurrent(
        name,
        weight_ih,
        weight_hh,
        np.sum([np.zeros(gates, np.float32), *biases], axis=0),
    )


# ---------------------------------------------------------------- which module follows which


def _joined(blocks: Blocks, order: Sequence[str]) -> list[Part]:
    return [layer for module in order for layer in blocks[module]]


def _order(
    blocks: Blocks,
    is_ordered: bool,
    horizon: int | None,
    channels: int | None,
    naming: Named | None,
) -> Sequence[str]:
    """The order of the mapping if it is meaningful and fits (in memory it is the order of
    construction), else the only one that sizes allow."""

    def works(order: Sequence[str]) -> bool:
        layers = _joined(blocks, order)
        ends_well = isinstance(layers[-1], Dense) or not any(
            isinstance(layer, Dense) for layer in layers
        )
        return ends_well and is_network(layers, horizon, channels, naming)

    if len(blocks) == 1 or (is_ordered and works(list(blocks))):
        return list(blocks)
    possible = []
    if len(blocks) <= MOST_MODULES:
        orders = filter(works, _chains(blocks, ()))
        # two are enough to know that the order is ambiguous
        possible = list(islice(orders, 2))
    if len(possible) > 1:
        examples = " or ".join(" → ".join(order) for order in possible)
        raise ModelError(
            f"the order of its modules is not clear: {examples}, for example. Name them in the "
            f"order of computation: modules={list(possible[0])}."
        )
    # what is wrong is reported when the parts are joined
    return possible[0] if possible else list(blocks)


def _chains(blocks: Blocks, visited: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield orders in which each module takes as many numbers as the one before it gives."""
    if len(visited) == len(blocks):
        yield visited
    for module in blocks:
        if module not in visited and (
            not visited or blocks[visited[-1]][-1].units == blocks[module][0].inputs
        ):
            yield from _chains(blocks, (*visited, module))
