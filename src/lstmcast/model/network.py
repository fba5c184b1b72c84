"""The network: dense layers, recurrent stack and head, and its named arrays.

    x_t → dense layers → LSTM layers → dense layers → K columns × H steps × R raw numbers of the
    head

The inputs (`model.inputs`) define x_t and the meaning of answers; with adaptive inputs there is
also a linear path from x_t to the locations of the head. A network may have several members that
differ only in their weights: all read the same inputs, and their answers are averaged.

    B rows of a batch · T steps · N positions · M members · D units · C input channels · H horizon
    K columns · R raw numbers · X quantiles, or one point
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast import store
from lstmcast.errors import ModelError, UsageError
from lstmcast.model.activations import ACTIVATIONS, QuickNumbers
from lstmcast.model.count_heads import COUNTS
from lstmcast.model.heads import (
    HEADS,
    ONE,
    ZERO,
    Head,
    answer_of,
    head_named,
    values_of,
)
from lstmcast.model.inputs import Adaptive, Inputs, Transformed
from lstmcast.model.inputs.adaptive import READABLE, VERSION
from lstmcast.model.lstm import Fused, Layer, State, fused, run_stack, zero_state
from lstmcast.model.network_config import NetworkConfig as NetworkConfig
from lstmcast.model.static import embedded, table_name
from lstmcast.model.wide import WideReading, is_wide, run_wide
from lstmcast.transforms import Transforms
from lstmcast.util.config import adapter

MANY = 64  # rows of a tick from which the precision of numbers matters for its speed


class Network:
    """A network with its weights.

    `members`: the named arrays of each member (`array_shapes`). `head`: the custom head, if the
    config names one. `fixed`: whether the arrays never change, so that derived values can be cached
    for fast single steps. Raises `ModelError` if the arrays do not fit the config.
    """

    def __init__(
        self,
        config: NetworkConfig,
        members: Sequence[dict[str, NDArray]],
        head: Head | None = None,
        *,
        fixed: bool = False,
    ) -> None:
        self.head = head_named(config.head, head)
        _require_weights(members, config, self.head)
        self.config = config
        self.members = tuple(members)
        # A custom head receives NumPy itself.
        is_ours = self.head is HEADS.get(config.head)
        # None stands for NumPy: a module can be neither pickled nor fingerprinted
        self._quick = QuickNumbers() if fixed and is_ours else None
        layers = tuple(_layers(arrays, config) for arrays in self.members)
        if fixed and config.cell.is_usual:
            layers = tuple(tuple(map(fused, member_layers)) for member_layers in layers)
        self._layers: tuple[tuple[Layer | Fused, ...], ...] = layers

    def __repr__(self) -> str:
        numbers = sum(
            array.size for arrays in self.members for array in arrays.values()
        )
        units = "-".join(map(str, self.config.layers))
        cell = "" if self.config.cell.is_usual else f" ({self.config.cell})"
        static = "".join(f", {column.name}" for column in self.config.static)
        network = f"{self.config.inputs}{static} inputs, {self.head.name} head, {numbers:,} weights"
        return f"Network({len(self.members)} × LSTM {units}{cell}, {network})"

    def start(self, batch: int) -> tuple[State, ...]:
        """The initial state of each member."""
        return tuple(zero_state(self.config.layers, batch) for _ in self.members)

    def run(
        self,
        x_TBC: NDArray,
        begun_TB: NDArray,
        state: tuple[State, ...],
        *,
        wide: bool = False,
    ) -> tuple[list[NDArray], tuple[State, ...]]:
        """Read T steps; return the outputs of the stack (T, B, D) of each member and the new
        state.

        `wide`: read many rows with units first, which is faster and rounds sums otherwise.
        """
        config = self.config
        wide = wide and config.cell.is_usual
        activation = ACTIVATIONS[config.activation]
        residual = bool(config.residual)
        hidden, states = [], []
        for arrays, layers, member_state in zip(
            self.members, self._layers, state, strict=True
        ):
            read_TBC = embedded(x_TBC, config.static, arrays)
            dense = _dense_layers(arrays, "embed", config.before or ())
            if wide and is_wide(read_TBC):
                read = WideReading(read_TBC, begun_TB, dense, activation)
                hidden_TBD, member_state = run_wide(
                    read, layers, member_state, residual=residual
                )
            else:
                hidden_TBD, member_state = run_stack(
                    _through(dense, activation, read_TBC),
                    begun_TB,
                    layers,
                    member_state,
                    residual=residual,
                    cell=config.cell,
                )
            hidden.append(hidden_TBD)
            states.append(member_state)
        return hidden, tuple(states)

    def raw(
        self,
        hidden_MND: Sequence[NDArray] | NDArray,
        x_NC: NDArray,
        steps: int | None = None,
    ) -> Iterator[NDArray]:
        """Raw numbers (N, H, K, R) of each member after the dense layers; `steps`: of the first
        steps only, if given.

        In float64, but for ticks of many rows and affine heads: functions of float32 are several
        times as fast, and as exact as the products before them.
        """
        is_tick = self._quick is not None
        are_narrow = is_tick and self.head.affine and len(x_NC) >= MANY
        activation = ACTIVATIONS[self.config.activation]
        shape_HKR = (self.config.steps, self.config.inputs.columns, self.head.outputs)
        for arrays, hidden_ND in zip(self.members, hidden_MND, strict=True):
            dense = _dense_layers(arrays, "dense", self.config.after)
            dense_ND = _through(dense, activation, hidden_ND)
            raw_NF = dense_ND @ arrays["head.weight"].T
            raw_NF += arrays["head.bias"]
            raw_NHKR = raw_NF.reshape(len(raw_NF), *shape_HKR)[:, :steps]
            if not are_narrow:
                raw_NHKR = raw_NHKR.astype(float)
            if self.config.inputs.skips:
                skip_NH = x_NC[:, : self.config.own_width] @ arrays["skip.weight"].T
                raw_NHKR[:, :, 0, self.head.center] += skip_NH[:, :steps]
            yield raw_NHKR

    def answer(
        self,
        hidden_MND: Sequence[NDArray] | NDArray,
        x_NC: NDArray,
        location: NDArray = ZERO,
        scale: NDArray = ONE,
        steps: int | None = None,
        *,
        wide: bool = False,
    ) -> NDArray:
        """The mean answer of the members: quantiles (N, H, K, Q) or points (N, H, K, 1).

        `steps`: only the first steps, if given. `wide`: by functions of many numbers at once, which
        are faster and round otherwise.
        """
        if location.ndim:
            location = location[:, :steps]
            scale = scale[:, :steps]
        numbers = np if self._quick is None else self._quick
        if wide and self.head is HEADS.get(self.config.head):
            numbers = QuickNumbers()
        answers = [
            answer_of(self.head, raw_NHKR, location, scale, numbers)
            for raw_NHKR in self.raw(hidden_MND, x_NC, steps)
        ]
        total = sum(answers[1:], answers[0])
        return total.astype(float) / len(answers)

    def draw(
        self,
        hidden_MND: Sequence[NDArray] | NDArray,
        x_NC: NDArray,
        rng: np.random.Generator,
        location: NDArray = ZERO,
        scale: NDArray = ONE,
    ) -> NDArray:
        """One random draw (N, H, K, 1) at each position, from one of the members."""
        raws = np.stack(list(self.raw(hidden_MND, x_NC)))
        position_N = np.arange(raws.shape[1])
        raw_NHKR = raws[position_N % len(raws), position_N]
        return self.head.sample(raw_NHKR, location, scale, rng)[..., None]

    def units(self, z_NHKX: NDArray, known: Any) -> NDArray:
        """Answers on the axis of the inputs in the units of the data. Only answers of an affine
        head may be shifted; for other heads, widened bounds stay within what the head can
        answer."""
        values = self.config.inputs.units(z_NHKX, known, moves=self.head.affine)
        kind = values_of(self.head)
        if kind == COUNTS:
            values = np.rint(values)
        return values if kind == "real" else np.maximum(values, 0.0)

    def with_inputs(self, inputs: Inputs) -> Network:
        """The same weights with other inputs of the same width, such as transforms for an imported
        network."""
        return Network(replace(self.config, inputs=inputs), self.members, self.head)


def _dense_layers(
    arrays: dict[str, NDArray], name: str, sizes: tuple[int, ...]
) -> list[tuple[NDArray, NDArray]]:
    """Weights and bias of each of some dense layers."""
    names = [f"{name}.{layer}" for layer in range(len(sizes))]
    return [(arrays[f"{own}.weight"], arrays[f"{own}.bias"]) for own in names]


def _through(
    dense: Sequence[tuple[NDArray, NDArray]],
    activation: Callable[[NDArray], NDArray],
    values: NDArray,
) -> NDArray:
    """What dense layers make of values."""
    for weight, bias in dense:
        values = values @ weight.T
        values += bias
        values = activation(values)
    return values


def _require_weights(
    members: Sequence[dict[str, NDArray]], config: NetworkConfig, head: Head
) -> None:
    """Raise ModelError if the arrays of a member do not fit the config, or if there are none."""
    expected = array_shapes(config, head)
    for arrays in members:
        shapes = {name: array.shape for name, array in arrays.items()}
        if shapes != expected:
            unfit = sorted({name for name, _ in shapes.items() ^ expected.items()})
            raise ModelError(
                f"The weights {unfit[:4]} do not fit {config}. Use the weights of that network."
            )
    if not members:
        raise ModelError(
            "A network without weights cannot forecast. At least one member is expected."
        )


def _layers(arrays: dict[str, NDArray], config: NetworkConfig) -> tuple[Layer, ...]:
    """The LSTM layers of one member."""
    return tuple(
        Layer(*(arrays[f"lstm.{layer}.{field_name}"] for field_name in Layer._fields))
        for layer in range(len(config.layers))
    )


def array_shapes(
    config: NetworkConfig, head: Head | None = None
) -> dict[str, tuple[int, ...]]:
    """Names and shapes of one member's arrays, in the order of the forward pass."""
    outputs = (
        config.steps * config.inputs.columns * head_named(config.head, head).outputs
    )
    tables = {
        table_name(place): (len(column.levels), column.units)
        for place, column in enumerate(config.static)
        if column.units
    }
    shapes, width = _dense_shapes("embed", config.read_width, config.before or ())
    shapes = tables | shapes
    for layer, units in enumerate(config.layers):
        shapes |= {
            f"lstm.{layer}.weight_ih": (4 * units, width),
            f"lstm.{layer}.weight_hh": (4 * units, units),
            f"lstm.{layer}.bias": (4 * units,),
        }
        width = units
    dense, width = _dense_shapes("dense", width, config.after)
    shapes |= dense | {"head.weight": (outputs, width), "head.bias": (outputs,)}
    if not config.inputs.skips:
        return shapes
    return shapes | {"skip.weight": (config.steps, config.own_width)}


def _dense_shapes(
    name: str, width: int, sizes: tuple[int, ...]
) -> tuple[dict[str, tuple[int, ...]], int]:
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, units in enumerate(sizes):
        shapes |= {
            f"{name}.{layer}.weight": (units, width),
            f"{name}.{layer}.bias": (units,),
        }
        width = units
    return shapes, width


def load_network(
    folder: Path, head: Head | None = None
) -> tuple[Network, dict[str, Any]]:
    """Load the network in a folder of the store; return it with the folder's manifest.

    `head`: the custom head, if the network was made with one. Raises `ModelError` if the folder
    is incomplete or holds something else.
    """
    manifest, groups = store.load(folder)
    return network_of(folder, manifest, groups, head), manifest


def network_of(
    folder: Path,
    manifest: dict[str, Any],
    groups: dict[str, dict[str, NDArray]],
    head: Head | None = None,
) -> Network:
    """The network from the contents of a folder of the store; errors as in `load_network`."""
    version = manifest.get("inputs_version")
    if version not in READABLE:
        raise ModelError(
            f"The weights in {folder} were trained on inputs of version {version}; this lstmcast "
            f"makes version {VERSION}. Fit the model again, or use weights made for it."
        )
    try:
        config = _config_of(manifest)
        if manifest["members"] != len(
            {name.partition(".")[0] for name in groups["weights"]}
        ):
            raise ValueError("the weights do not fit the number of members")
        members: list[dict[str, NDArray]] = [{} for _ in range(manifest["members"])]
        for name, array in groups["weights"].items():
            member, _, array_name = name.partition(".")
            members[int(member)][array_name] = array
            if array.dtype.kind != "f" or not np.isfinite(array).all():
                raise ValueError(f"weights {name!r} are not numbers")
        assert config.steps, "every network answers some"  # raises if no horizon is set
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(
            f"The manifest in {folder} does not describe a network ({error}). Save the model again."
        ) from error
    try:
        return Network(config, members, head)
    except UsageError as error:
        if head is not None:
            raise  # the error is about the custom head, or a missing one
        raise ModelError(
            f"The manifest in {folder} does not describe a network ({error}). Save the model again."
        ) from error


def with_even_widths(config: NetworkConfig) -> NetworkConfig:
    """The config with even widths, for a network that learns from data how wide its intervals are
    in each phase of a season."""
    inputs = config.inputs
    if not isinstance(inputs, Adaptive) or inputs.widths == "even":
        return config
    return replace(config, inputs=replace(inputs, widths="even"))


def _config_of(manifest: dict[str, Any]) -> NetworkConfig:
    """The config in a manifest; format 1 stored the transforms beside it."""
    config = adapter(NetworkConfig).validate_python(manifest["network"])
    if "transforms" in manifest and isinstance(config.inputs, Transformed):
        transforms = Transforms.from_json(manifest["transforms"])
        return replace(config, inputs=config.inputs.with_transforms(transforms))
    return config


def described(network: Network) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """The manifest entries of a network, and its arrays under the names that `load_network`
    expects."""
    manifest = {
        "inputs_version": VERSION,
        "network": network.config.described(),
        "members": len(network.members),
    }
    arrays = {
        f"{number}.{name}": array
        for number, member in enumerate(network.members)
        for name, array in member.items()
    }
    return manifest, arrays
