"""A network as a sequence of layers, the form that Keras and PyTorch models share.

C inputs · D units of a layer
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import LstmcastError, ModelError, UsageError
from lstmcast.model.activations import Activation
from lstmcast.model.inputs import Transformed
from lstmcast.model.lstm import USUAL, Cell, Layer
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.util.text import counted

_OF_DENSE = ("weight", "bias")


class Dense(NamedTuple):
    """activation(W x + b)."""

    name: str
    weight: NDArray  # (D, C)
    bias: NDArray  # (D,)
    activation: str | None = None  # None if unknown

    @property
    def inputs(self) -> int:
        """C."""
        return self.weight.shape[1]

    @property
    def units(self) -> int:
        """D."""
        return self.weight.shape[0]


class Recurrent(NamedTuple):
    """An LSTM layer; gates in the order input, forget, candidate, output."""

    name: str
    weight_ih: NDArray  # (4D, C)
    weight_hh: NDArray  # (4D, D)
    bias: NDArray  # (4D,)
    cell: Cell | None = None  # its functions; None if unknown

    @property
    def inputs(self) -> int:
        """C."""
        return self.weight_ih.shape[1]

    @property
    def units(self) -> int:
        """D."""
        return self.weight_hh.shape[1]


Part = Dense | Recurrent


class Named(NamedTuple):
    """The columns that a model reads, in order, and the one that it forecasts."""

    columns: Sequence[str]
    target: str

    @classmethod
    def of(cls, columns: Sequence[str] | None, target: str | None) -> Named | None:
        """The named columns; None without names; UsageError if the arguments do not agree."""
        if columns is None and target is None:
            return None
        if columns is None or target is None or isinstance(columns, str):
            raise UsageError(
                f"{columns=} and {target=}: the names of all columns that the model reads, in its "
                "order, and of the one that it forecasts are required together, such as "
                "columns=['wind', 'load'], target='load'."
            )
        if len(set(columns)) < len(columns) or target not in columns:
            raise UsageError(
                f"{target=} must be one of {columns=}, each of which is named once. Correct them."
            )
        return cls(tuple(columns), target)

    def target_first(self, layers: Sequence[Part]) -> list[Part]:
        """The parts, changed so that the first one reads the target before the other columns."""
        first, *following = layers
        order = [self.columns.index(name) for name in (self.target, *self.past)]
        if isinstance(first, Dense):
            return [first._replace(weight=first.weight[:, order]), *following]
        return [first._replace(weight_ih=first.weight_ih[:, order]), *following]

    def require_all(self, read: int) -> None:
        """Raise ModelError if the model reads another number of columns."""
        if read != len(self.columns):
            raise ModelError(
                f"it reads {counted(read, 'column')}, but columns= names {len(self.columns)}. Name "
                "all of them, in the order in which the model reads them."
            )

    @property
    def past(self) -> tuple[str, ...]:
        """The columns that are only read."""
        return tuple(name for name in self.columns if name != self.target)


def network_of_parts(
    layers: Sequence[Part],
    horizon: int | None = None,
    channels: int | None = None,
    naming: Named | None = None,
) -> Network:
    """A network with transformed inputs and a point head; ModelError if the parts do not make one.

    The last dense layer becomes the head if it is linear; otherwise the head is the identity.
    `naming`: the columns, if one of several is forecast.
    """
    _require_chain(layers)
    steps, columns = _steps_of(layers, horizon, channels, naming)
    layers = naming.target_first(layers) if naming else layers
    *body, head = layers
    if isinstance(head, Recurrent) or head.activation not in (None, "linear"):
        body = list(layers)
        identity = np.eye(head.units, dtype=np.float32)
        head = Dense("", identity, np.zeros(head.units, np.float32))
    first = next(
        index for index, layer in enumerate(body) if isinstance(layer, Recurrent)
    )
    stack = [layer for layer in body if isinstance(layer, Recurrent)]
    dense_before = [layer for layer in body[:first] if isinstance(layer, Dense)]
    dense_after = [layer for layer in body[first:] if isinstance(layer, Dense)]
    past = naming.past if naming else None
    config = NetworkConfig(
        layers=tuple(layer.units for layer in stack),
        inputs=Transformed(columns=columns, past=past),
        head="point",
        horizon=steps,
        before=tuple(layer.units for layer in dense_before),
        after=tuple(layer.units for layer in dense_after),
        activation=_one_activation(dense_before + dense_after),
        residual=False,
        cell=_one_cell(stack),
    )
    arrays = _named_arrays("lstm", stack, Layer._fields)
    arrays |= _named_arrays("embed", dense_before, _OF_DENSE)
    arrays |= _named_arrays("dense", dense_after, _OF_DENSE)
    return Network(
        config, [arrays | {"head.weight": head.weight, "head.bias": head.bias}]
    )


def _named_arrays(
    group: str, layers: Sequence[Part], names: Sequence[str]
) -> dict[str, NDArray]:
    """The arrays of layers, by their names in a network."""
    arrays = {}
    for index, layer in enumerate(layers):
        for name in names:
            arrays[f"{group}.{index}.{name}"] = getattr(layer, name)
    return arrays


def is_network(
    layers: Sequence[Part],
    horizon: int | None = None,
    channels: int | None = None,
    naming: Named | None = None,
) -> bool:
    """Whether the parts in this order make a network."""
    try:
        _require_chain(layers)
        _steps_of(layers, horizon, channels, naming)
    except ModelError:
        return False
    return True


def parts_of_network(network: Network, member: int | None = None) -> list[Part]:
    """The parts of one member, which must be given if there are several; ModelError if the network
    is not a plain sequence of layers."""
    config = network.config
    if config.static:
        raise ModelError(
            "A network that reads static columns "
            f"({', '.join(column.name for column in config.static)}) is not a sequence of layers "
            "and cannot be written for Keras or PyTorch. NetworkConfig(static=()) is expected."
        )
    if config.inputs.skips or config.residual:
        feature = "adaptive inputs" if config.inputs.skips else "residual connections"
        raise ModelError(
            f"A network with {feature} is not a sequence of layers and cannot be written for "
            "Keras or PyTorch. NetworkConfig(inputs=Transformed(), residual=False) is expected."
        )
    members = len(network.members)
    if (member is None and members > 1) or not 0 <= (member or 0) < members:
        raise UsageError(
            f"{member=}: the network has {counted(members, 'member')}. Name one: member=0 is the "
            "first."
        )
    arrays = network.members[member or 0]

    def dense(name: str, activation: str) -> Dense:
        return Dense(name, arrays[f"{name}.weight"], arrays[f"{name}.bias"], activation)

    def recurrent(name: str) -> Recurrent:
        weights = (arrays[f"{name}.{field}"] for field in Layer._fields)
        return Recurrent(name, *weights, cell=config.cell)

    layers: list[Part] = []
    for index in range(len(config.before or ())):
        layers.append(dense(f"embed.{index}", config.activation))
    for index in range(len(config.layers)):
        layers.append(recurrent(f"lstm.{index}"))
    for index in range(len(config.after)):
        layers.append(dense(f"dense.{index}", config.activation))
    return [*layers, dense("head", "linear")]


def _require_chain(layers: Sequence[Part]) -> None:
    lstms = [
        index for index, layer in enumerate(layers) if isinstance(layer, Recurrent)
    ]
    if not lstms:
        raise ModelError(
            "it has no LSTM layer. At least one is expected, with dense layers before or after it."
        )
    between = [
        layer.name for layer in layers[lstms[0] : lstms[-1]] if isinstance(layer, Dense)
    ]
    if between:
        raise ModelError(
            f"the dense layer {between[0]!r} lies between LSTM layers, which must follow each "
            "other "
            "directly."
        )
    for previous, following in pairwise(layers):
        if previous.units != following.inputs:
            raise ModelError(
                f"{previous.name!r} gives {previous.units} numbers, and {following.name!r} after "
                f"it takes {following.inputs}. Both numbers must be equal."
            )


def _steps_of(
    layers: Sequence[Part],
    horizon: int | None,
    channels: int | None,
    naming: Named | None,
) -> tuple[int, int]:
    """The numbers of steps and of columns that the parts forecast."""
    read = layers[0].inputs
    answered = layers[-1].units
    if naming is not None:
        naming.require_all(read)
        if horizon not in (None, answered):
            raise ModelError(
                f"it forecasts {counted(answered, 'step')} of its target, but {horizon=} was "
                "given. "
                "Correct it, or leave it out."
            )
        return answered, 1
    columns = read if channels is None else channels
    steps = max(answered // max(columns, 1), 1) if horizon is None else horizon
    if columns != read or steps * columns != answered:
        raise ModelError(
            f"it reads {counted(read, 'column')} and returns {counted(answered, 'number')}. To "
            f"forecast {counted(steps, 'step')} of {counted(columns, 'column')}, it must read "
            f"{columns} and return {steps * columns}: a network forecasts all the columns that it "
            "reads. If it forecasts one of them, name them all with columns= and that one with "
            "target=; else correct horizon= and channels=."
        )
    return steps, columns


def require_activation(network: Network, activation: str | None) -> Network:
    """The network; UsageError if the given activation is not that of its dense layers, or if it has
    no dense layers."""
    actual = network.config.activation
    if activation not in (None, actual):
        dense = network.config.before or network.config.after
        reason = (
            f"the model itself says {actual!r}"
            if dense
            else "there are no dense layers before the last"
        )
        raise UsageError(f"activation={activation!r}: {reason}. Leave it out.")
    return network


def require_cell(network: Network, cell: Cell | None) -> Network:
    """The network; UsageError if the given cell is not that of its LSTM layers."""
    actual = network.config.cell
    if cell not in (None, actual):
        raise UsageError(
            f"cell={cell!r}: the model itself says {actual!r}. Leave it out."
        )
    return network


def _one_cell(layers: Sequence[Recurrent]) -> Cell:
    """The cell of all layers; the default one if it is unknown."""
    names = {layer.cell or USUAL: layer.name for layer in layers}
    if len(names) > 1:
        listing = ", ".join(f"{name!r} {cell}" for cell, name in names.items())
        raise ModelError(
            f"its LSTM layers have different activations: {listing}. All of them must have the "
            "same."
        )
    return next(iter(names))


def _one_activation(layers: Sequence[Dense]) -> Activation:
    names = {layer.activation: layer.name for layer in layers}
    if None in names:
        raise ModelError(
            f"the weights do not say which activation follows the dense layer {names[None]!r}. "
            "Give activation='relu', 'tanh' or 'linear'."
        )
    if len(names) > 1:
        listing = ", ".join(
            f"{name!r} {activation}" for activation, name in names.items()
        )
        raise ModelError(
            f"its dense layers have different activations: {listing}. All but the last must "
            "have the same."
        )
    return cast(Activation, next(iter(names), "linear"))


def numbers(name: str, value: Any, shape: tuple[int, ...] | None = None) -> NDArray:
    """An array or a tensor as float32; ModelError if it is not an array of finite floating-point
    numbers with that shape.

    >>> numbers("bias", [0.5, 1.0], (2,))
    array([0.5, 1. ], dtype=float32)
    """
    # for tensors of PyTorch; float, as NumPy has no bfloat16
    for step in ("detach", "cpu", "float"):
        value = getattr(value, step)() if hasattr(value, step) else value
    array = np.asarray(value)
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        problem = (
            "are not all finite"
            if array.dtype.kind == "f"
            else f"have the type {array.dtype}"
        )
        raise ModelError(
            f"the values of {name!r} {problem}. Finite floating-point numbers, such as float32, "
            "are expected."
        )
    if shape is not None and array.shape != shape:
        raise ModelError(
            f"{name!r} has the shape {array.shape}; {shape} is expected. Save layers and weights "
            "together."
        )
    return np.ascontiguousarray(array, np.float32)


@contextmanager
def loading(source: Any) -> Iterator[None]:
    """Turn whatever a foreign model can raise into a ModelError that names the model."""
    is_file = isinstance(source, (str, os.PathLike))
    subject = f"{str(source) if is_file else type(source).__name__!r} cannot be loaded"
    try:
        yield
    except ModelError as error:
        raise ModelError(f"{subject}: {error.message}") from error.__cause__
    except LstmcastError:
        raise
    except FileNotFoundError:
        raise ModelError(f"{subject}: there is no such file. Check the name.") from None
    except (
        OSError,
        EOFError,
        zipfile.BadZipFile,
        RuntimeError,
        json.JSONDecodeError,
        UnicodeDecodeError,
    ) as error:
        raise ModelError(
            f"{subject}: it cannot be read or is damaged ({error}). Save the model again."
        ) from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise ModelError(
            f"{subject}: it is not laid out as expected ({problem}). Save the model again."
        ) from error
