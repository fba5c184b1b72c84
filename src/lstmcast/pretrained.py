"""The weights that a forecaster starts from, and which data they have seen.

S series
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast import store
from lstmcast.data.panel import Panel
from lstmcast.data.table import format_time
from lstmcast.errors import ModelError, UsageError
from lstmcast.evaluation.methods import COMBINED
from lstmcast.fitted import Groups, InitialWeights, in_format_2, inputs_in, seen_in
from lstmcast.model.heads import Head, head_named
from lstmcast.model.inputs import FittedTransforms, Transformed
from lstmcast.model.network import Network, NetworkConfig, load_network, network_of
from lstmcast.training_config import Batching, training_from_json
from lstmcast.transforms import Transforms

WEIGHTS = Path(__file__).parent / "weights"


class Start(NamedTuple):
    """What training starts from, and what an unfitted forecaster forecasts with.

    `network`: None where weights are drawn when training begins. `seen`: the last time of each
    series, by its id, that the weights were trained on. `batching`: the scheme that a saved network
    with transformed inputs was trained in. `inputs`: what its transforms had learned, which it
    forecasts with until it is fitted. `combines`: whether it is the shipped network as it arrives,
    which answers in combination with simple forecasts unless it is asked for its own.
    """

    config: NetworkConfig
    network: Network | None
    initial_weights: InitialWeights
    seen: Mapping[str, Any] = {}
    batching: Batching | None = None
    inputs: FittedTransforms | None = None
    combines: bool = False

    def with_transforms(self, transforms: Transforms) -> Start:
        """The same with other transforms around the network; UsageError where it reads none."""
        if not isinstance(self.config.inputs, Transformed):
            if not any(chain.steps for chain in transforms.chains):
                return self
            raise UsageError(
                f"transforms= are for networks with transformed inputs, and this one has "
                f"inputs={self.config.inputs!r}. Use weights='scratch' with "
                "network=NetworkConfig(inputs=Transformed(…)), or leave them out."
            )
        inputs = self.config.inputs.with_transforms(transforms)
        network = self.network.with_inputs(inputs) if self.network else None
        config = replace(self.config, inputs=inputs)
        return self._replace(config=config, network=network, inputs=None)


def start_from(
    weights: str | Path | Network,
    network: NetworkConfig | None,
    head: Head | str | None,
    horizon: int,
) -> Start:
    """What these arguments of a forecaster make it start from.

    Raises:
        UsageError: They do not go together.
        ModelError: The folder holds no model, or a damaged one.
    """
    if weights == "scratch":
        return _from_scratch(network or NetworkConfig(), head, horizon)
    if network is not None or isinstance(head, str):
        raise UsageError(
            f"network= and head= describe a network from scratch, but weights={_written(weights)} "
            "has its own. Use weights='scratch' with them, or leave them out."
        )
    if isinstance(weights, Network):
        if head is not None:
            head_named(weights.head.name, head)
        return Start(weights.config, weights, "given")
    if weights == "pretrained":
        if head is not None:
            raise UsageError(
                f"head={head!r}: the shipped network has a head of its own. Use weights='scratch' "
                "with it, or leave it out."
            )
        return Start(shipped().config, shipped(), "pretrained", combines=True)
    manifest, groups = store.load(weights)
    _require_transforms(weights, manifest)
    saved = network_of(Path(weights), manifest, groups, head)
    with store.complete(weights):
        return start_in(saved, *in_format_2(manifest, groups))


def start_in(network: Network, manifest: Mapping[str, Any], groups: Groups) -> Start:
    """What a forecaster starts from that is given a folder, from what was read of it."""
    batching = None
    if "training" in manifest and not network.config.inputs.from_context:
        batching = training_from_json(manifest["training"]).batching
    inputs = inputs_in(network, manifest, groups)
    # saved as it arrives, it is still the shipped one
    combines = manifest.get("method") == COMBINED and "trained" not in manifest
    return Start(network.config, network, "given", seen_in(groups), batching, inputs, combines)


def _require_transforms(folder: str | Path, manifest: Mapping[str, Any]) -> None:
    """ModelError for a snapshot of the time when transforms were no part of a network: its answers
    would be taken for values in the units of the data."""
    config = manifest.get("network", {})
    named = "transforms" in manifest or config.get("inputs") != "plain"
    if named or "epoch" not in manifest:
        return
    raise ModelError(
        f"The snapshot in {str(folder)!r} was written by an older lstmcast, which did not keep the "
        "transforms of its network: forecasts would not be in the units of the data. Train again, "
        "or name the transforms: weights=lstmcast.model.network.load_network(folder)[0]"
        ".with_inputs(Transformed(…))."
    )


def _from_scratch(network: NetworkConfig, head: Head | str | None, horizon: int) -> Start:
    own = None if isinstance(head, str) else head
    name = head if isinstance(head, str) else own.name if own else network.head
    head_named(name, own)
    return Start(replace(network, horizon=network.horizon or horizon, head=name), None, "scratch")


def _written(weights: str | Path | Network) -> str:
    return repr(str(weights) if isinstance(weights, Path) else weights)


@cache
def shipped() -> Network:
    """The network that comes with the package."""
    return load_network(WEIGHTS)[0]


def same_weights(one: Network, other: Network) -> bool:
    """Whether two networks are equal, to the last bit of their weights."""
    if one.config != other.config or len(one.members) != len(other.members):
        return False
    pairs = zip(one.members, other.members, strict=True)
    return all(np.array_equal(ours[name], theirs[name]) for ours, theirs in pairs for name in ours)


def require_unseen(seen: Mapping[str, Any], panel: Panel) -> None:
    """UsageError where the initial weights were trained on what comes after the data of a
    series."""
    for name, until, end in _seen_after(seen, panel, panel.ends):
        raise UsageError(
            f"series {name!r}: the weights that training starts from were trained on it until "
            f"{format_time(until)}, and these data end at {format_time(end)}: the model would have "
            "seen what it is to forecast. Start from weights='pretrained' or 'scratch', give data "
            "that go further, or, if this is another series, give it another id."
        )


def seen_notes(seen: Mapping[str, Any], panel: Panel, ends: NDArray) -> tuple[str, ...]:
    """A note where the initial weights were trained on what is held back after `ends` (S,)."""
    after = _seen_after(seen, panel, last_times(panel, ends))
    if not after:
        return ()
    return (
        "the weights that training started from had seen a part of what is held back of "
        f"{len(after)} of {len(panel)} series: validation losses are too low, and intervals may be "
        "too narrow",
    )


def _seen_after(seen: Mapping[str, Any], panel: Panel, ends: NDArray) -> list[tuple[str, Any, Any]]:
    """Series that were seen after their time in `ends` (S,): until when, and that time."""
    pairs = [
        (str(name), seen.get(str(name)), end) for name, end in zip(panel.ids, ends, strict=True)
    ]
    alike = [pair for pair in pairs if np.asarray(pair[1]).dtype.kind == ends.dtype.kind]
    return [pair for pair in alike if pair[1] > pair[2]]


def last_times(panel: Panel, ends: NDArray) -> NDArray:
    """The time of the `ends`-th observation of each series (S,)."""
    return panel.frequency.advance(panel.starts, np.maximum(ends, 1) - 1)
