"""The network: causal inputs, recurrent stack, quantile head; to and from named arrays.

    x_t → linear → LSTM + residual, L times → linear → H × Q raw quantiles (+ a linear path from x_t to the medians)

The head's answers are in units of the scale at t, relative to level and season at t (see `inputs`). A network may have
several members, equal but for their weights: each reads the same inputs, and their quantiles are averaged.

    B series of a batch · T steps · N positions · M members · D units · H horizon · Q quantiles
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from lstmcast import store
from lstmcast.errors import ModelError
from lstmcast.model import inputs as causal
from lstmcast.model.heads import LEVELS, MEDIAN, quantiles_from_raw
from lstmcast.model.inputs import InputConfig, InputState, SeasonState
from lstmcast.model.lstm import Layer, State, run_stack, zero_state


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class NetworkConfig:
    """Size of each member of a network.

    `units`: width of each LSTM layer; `layers`: how many; `window`: adjusted values seen at each step; `horizon`: steps
    that the head answers at once (longer forecasts feed back).
    """

    units: int = Field(default=64, ge=1)
    layers: int = Field(default=2, ge=1)
    window: int = Field(default=12, ge=2)
    horizon: int = Field(default=24, ge=1)

    @property
    def inputs(self) -> InputConfig:
        """The part that concerns the inputs."""
        return InputConfig(self.window, self.horizon)


class ReadingState(NamedTuple):
    """Everything kept between two observations: what the inputs and the recurrent layers remember."""

    inputs: InputState
    recurrent: tuple[State, ...]  # one per member

    def rows(self, rows: NDArray) -> ReadingState:
        """The state of some of the series."""
        inputs = self.inputs._replace(
            **{name: part[rows] for name, part in self.inputs._asdict().items() if name != "seasons"},
            seasons=tuple(SeasonState(*(part[rows] for part in season)) for season in self.inputs.seasons),
        )
        return ReadingState(inputs, tuple((h[:, rows], c[:, rows]) for h, c in self.recurrent))


class Reading(NamedTuple):
    """What the network knows at some steps: enough to answer, in units, without the history.

    N positions, whatever they are (series at one cutoff, or steps of one series).
    """

    hidden_MND: NDArray
    x_NC: NDArray
    level_N: NDArray
    scale_N: NDArray
    seasonal_NH: NDArray

    def rows(self, rows: NDArray) -> Reading:
        """Some of the positions."""
        return Reading(self.hidden_MND[:, rows], *(part[rows] for part in self[1:]))


class Network:
    """A network with its weights: reads batches of series on one axis, answers with quantiles on that axis.

    `members`: the named arrays of each member (`array_shapes`). Raises `ModelError` when they do not fit the config.
    """

    def __init__(self, config: NetworkConfig, members: Sequence[dict[str, NDArray]]) -> None:
        expected = array_shapes(config)
        for arrays in members:
            found = {name: array.shape for name, array in arrays.items()}
            if found != expected:
                wrong = sorted({name for name, _ in found.items() ^ expected.items()})
                raise ModelError(f"The weights {wrong[:4]} do not fit {config}. Use the weights of that network.")
        if not members:
            raise ModelError("A network without weights cannot forecast. At least one member is expected.")
        self.config = config
        self.members = tuple(members)
        self._layers = tuple(
            tuple(Layer(*(arrays[f"lstm.{k}.{part}"] for part in Layer._fields)) for k in range(config.layers))
            for arrays in self.members
        )

    def start(self, batch: int, periods: tuple[int, ...]) -> ReadingState:
        """State before the first observation of `batch` series."""
        recurrent = tuple(zero_state(self.config.layers, batch, self.config.units) for _ in self.members)
        return ReadingState(causal.start(batch, periods, self.config.inputs), recurrent)

    def read(
        self,
        state: ReadingState,
        values_BT: NDArray,
        periods: tuple[int, ...],
        family: str,
        log: bool,
        every: bool = False,
    ) -> tuple[Reading, ReadingState]:
        """Read T observations of each series (NaN = missing): the reading at the last, or at every one (B·T rows)."""
        z_BT = causal.to_axis(values_BT, log)
        seen, inputs_state = causal.advance(state.inputs, z_BT, periods, family, log, self.config.inputs)
        x_TBC = np.ascontiguousarray(seen.x_BTC.transpose(1, 0, 2))
        hidden, recurrent = [], []
        for arrays, layers, member_state in zip(self.members, self._layers, state.recurrent, strict=True):
            embedded_TBD = x_TBC @ arrays["embed.weight"].T + arrays["embed.bias"]
            hidden_TBD, member_state = run_stack(embedded_TBD, seen.begun_BT.T, layers, member_state)
            hidden.append(_rows(hidden_TBD.transpose(1, 0, 2), every))
            recurrent.append(member_state)
        known = (_rows(part, every) for part in (seen.x_BTC, seen.level_BT, seen.scale_BT, seen.seasonal_BTH))
        return Reading(np.stack(hidden), *known), ReadingState(inputs_state, tuple(recurrent))

    def answer(self, reading: Reading) -> NDArray:
        """Quantiles (N, H, Q) at `heads.LEVELS` of the next H observations, on the reading axis."""
        members = zip(self.members, reading.hidden_MND, strict=True)
        answers = (self._head(arrays, hidden_ND, reading.x_NC) for arrays, hidden_ND in members)
        units_NHQ = sum(answers) / len(self.members) * reading.scale_N[:, None, None]
        return units_NHQ + (reading.level_N[:, None] + reading.seasonal_NH)[:, :, None]

    def _head(self, arrays: dict[str, NDArray], hidden_ND: NDArray, x_NC: NDArray) -> NDArray:
        raw_NR = hidden_ND @ arrays["head.weight"].T + arrays["head.bias"]
        raw_NHQ = raw_NR.reshape(len(raw_NR), self.config.horizon, len(LEVELS)).astype(float)
        raw_NHQ[:, :, MEDIAN] += x_NC @ arrays["skip.weight"].T
        return quantiles_from_raw(raw_NHQ, np)


def _rows(part_BT: NDArray, every: bool) -> NDArray:
    """All steps as rows (B·T, …), or the last step of each series."""
    return part_BT.reshape(-1, *part_BT.shape[2:]) if every else part_BT[:, -1]


def array_shapes(config: NetworkConfig) -> dict[str, tuple[int, ...]]:
    """Names and shapes of one member's arrays."""
    D, C, H = config.units, config.inputs.channels, config.horizon
    shapes: dict[str, tuple[int, ...]] = {"embed.weight": (D, C), "embed.bias": (D,)}
    for k in range(config.layers):
        shapes |= {
            f"lstm.{k}.weight_ih": (4 * D, D),
            f"lstm.{k}.weight_hh": (4 * D, D),
            f"lstm.{k}.bias": (4 * D,),
        }
    return shapes | {"head.weight": (H * len(LEVELS), D), "head.bias": (H * len(LEVELS),), "skip.weight": (H, C)}


def load_network(folder: Path) -> tuple[Network, dict[str, Any]]:
    """The network in a folder of the store, and the folder's manifest.

    `ModelError` where it is not whole or of another making.
    """
    manifest, groups = store.load(folder)
    return network_of(folder, manifest, groups), manifest


def network_of(folder: Path, manifest: dict[str, Any], groups: dict[str, dict[str, NDArray]]) -> Network:
    """The network in what was read from a folder of the store; errors as of `load_network`."""
    version = manifest.get("inputs_version")
    if version != causal.VERSION:
        raise ModelError(
            f"The weights in {folder} were trained on inputs of version {version}; this lstmcast makes version "
            f"{causal.VERSION}. Use weights made for it."
        )
    try:
        config = NetworkConfig(**manifest["network"])
        members: list[dict[str, NDArray]] = [{} for _ in range(manifest["members"])]
        for name, array in groups["weights"].items():
            member, _, part = name.partition(".")
            members[int(member)][part] = array
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(
            f"The manifest in {folder} does not describe a network ({error}). Save the model again."
        ) from error
    return Network(config, members)


def described(network: Network) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """What a manifest says of a network, and its arrays under the names in which `load_network` finds them."""
    manifest = {"inputs_version": causal.VERSION, "network": asdict(network.config), "members": len(network.members)}
    arrays = {f"{k}.{name}": array for k, member in enumerate(network.members) for name, array in member.items()}
    return manifest, arrays
