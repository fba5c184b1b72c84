"""The initial weights of a forecaster, and the data they were trained on.

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
from lstmcast.fitted import in_format_2, inputs_in
from lstmcast.model.heads import Head, head_named
from lstmcast.model.inputs import FittedTransforms, Transformed
from lstmcast.model.network import Network, NetworkConfig, load_network, network_of
from lstmcast.training_config import Batching, training_from_json
from lstmcast.training_record import Groups, InitialWeights, seen_in
from lstmcast.transforms import Transforms

WEIGHTS = Path(__file__).parent / "weights"


class Start(NamedTuple):
    """The starting point of training, with which an unfitted forecaster forecasts.

    `network`: None if random weights are drawn when training begins. `trained_until`: the last time
    of each series, by id, that the weights were trained on. `batching`: the batching scheme in
    which a saved network with transformed inputs was trained. `inputs`: its fitted transforms, used
    until it is fitted again. `combines`: whether it is the shipped network without further
    training, which by default is combined with simple forecasts.
    """

    config: NetworkConfig
    network: Network | None
    initial_weights: InitialWeights
    trained_until: Mapping[str, Any] = {}
    batching: Batching | None = None
    inputs: FittedTransforms | None = None
    combines: bool = False

    def with_transforms(self, transforms: Transforms) -> Start:
        """The same with other transforms around the network; UsageError if it uses none."""
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
    """The starting point that these arguments of a forecaster describe.

    Raises:
        UsageError: They contradict each other.
        ModelError: The folder holds no model or a damaged one.
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
    """The starting point in a folder that was read."""
    batching = None
    if "training" in manifest and not network.config.inputs.from_context:
        batching = training_from_json(manifest["training"]).batching
    inputs = inputs_in(network, manifest, groups)
    # saved without training, it is still the shipped network
    combines = manifest.get("method") == COMBINED and "trained" not in manifest
    return Start(
        network.config, network, "given", seen_in(groups), batching, inputs, combines
    )


def _require_transforms(folder: str | Path, manifest: Mapping[str, Any]) -> None:
    """Raise ModelError for old snapshots without transforms.

    Their forecasts would be mistaken for values in the units of the data.
    """
    config = manifest.get("network", {})
    has_transforms = "transforms" in manifest or config.get("inputs") != "plain"
    if has_transforms or "epoch" not in manifest:
        return
    raise ModelError(
        f"The snapshot in {str(folder)!r} was written by an older lstmcast, which did not keep the "
        "transforms of its network: forecasts would not be in the units of the data. Train again, "
        "or name the transforms: weights=lstmcast.model.network.load_network(folder)[0]"
        ".with_inputs(Transformed(…))."
    )


def _from_scratch(
    network: NetworkConfig, head: Head | str | None, horizon: int
) -> Start:
    own_head = None
    name = network.head
    if isinstance(head, str):
        name = head
    elif head:
        own_head = head
        name = head.name
    head_named(name, own_head)
    config = replace(network, horizon=network.horizon or horizon, head=name)
    return Start(config, None, "scratch")


def _written(weights: str | Path | Network) -> str:
    if isinstance(weights, Path):
        return repr(str(weights))
    return repr(weights)


@cache
def shipped() -> Network:
    """The pretrained network of the package."""
    return load_network(WEIGHTS)[0]


def same_weights(first: Network, second: Network) -> bool:
    """Whether two networks have exactly the same weights."""
    if first.config != second.config or len(first.members) != len(second.members):
        return False
    for arrays, second_arrays in zip(first.members, second.members, strict=True):
        if not all(
            np.array_equal(arrays[name], second_arrays[name]) for name in arrays
        ):
            return False
    return True


def require_unseen(trained_until: Mapping[str, Any], panel: Panel) -> None:
    """Raise UsageError if the initial weights were trained on values after the data of a series."""
    for name, until, end in _seen_after(trained_until, panel, panel.ends):
        raise UsageError(
            f"series {name!r}: the initial weights were trained on it until {format_time(until)}, "
            f"and these data end at {format_time(end)}: the model would have seen the values that "
            "it forecasts. Start from weights='pretrained' or 'scratch', give data that end "
            "later, or, if this is another series, give it another id."
        )


def seen_notes(
    trained_until: Mapping[str, Any], panel: Panel, ends: NDArray
) -> tuple[str, ...]:
    """A note where the initial weights were trained on validation data after `ends` (S,)."""
    seen_after = _seen_after(trained_until, panel, last_times(panel, ends))
    if not seen_after:
        return ()
    return (
        f"the initial weights were trained on part of the validation data of {len(seen_after)} of "
        f"{len(panel)} series: validation losses are too low, and intervals may be too narrow",
    )


def _seen_after(
    trained_until: Mapping[str, Any], panel: Panel, ends: NDArray
) -> list[tuple[str, Any, Any]]:
    """Series seen after their time in `ends` (S,): the last time seen, and that in `ends`."""
    seen_after = []
    for name, end in zip(map(str, panel.ids), ends, strict=True):
        until = trained_until.get(name)
        if np.asarray(until).dtype.kind == ends.dtype.kind and until > end:
            seen_after.append((name, until, end))
    return seen_after


def last_times(panel: Panel, ends: NDArray) -> NDArray:
    """The time of the `ends`-th observation of each series (S,)."""
    return panel.frequency.advance(panel.starts, np.maximum(ends, 1) - 1)
