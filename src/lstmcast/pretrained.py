"""What a forecaster begins with: arguments, checked; the weights that training starts from, and
what those have seen.

S series
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast import store, transformed
from lstmcast.data.panel import Panel
from lstmcast.data.table import format_time
from lstmcast.errors import UsageError
from lstmcast.fitted import Beginning, known_ends, last_times
from lstmcast.model import heads
from lstmcast.model.heads import Head
from lstmcast.model.network import Network, NetworkConfig, load_network, network_of
from lstmcast.training_config import Batching, TrainingConfig, Windows, training_from_json
from lstmcast.transforms import Transforms
from lstmcast.util.config import checked_seed, is_whole
from lstmcast.util.files import checked_path
from lstmcast.util.text import some_names
from lstmcast.windows import FitData, PlainData, default_length, parts_of

WEIGHTS = Path(__file__).parent / "weights"
HEAD = ("name", "outputs", "location", "point", "quantiles", "loss", "sample", "initial")

Start = Network | NetworkConfig


class Given(NamedTuple):
    """What a forecaster is made from.

    `start`: a network, or what a new one is like; `began`: in a word, where that is from. `seen`:
    until when it has seen which series. `transforms`, `batching`: those of a saved network with
    plain inputs, which needs them.
    """

    start: Start
    began: Beginning
    seen: Mapping[str, Any]
    transforms: Transforms = Transforms()
    batching: Batching | None = None


def start_of(
    weights: str | Path | Network,
    network: NetworkConfig | None,
    head: Head | str | None,
    horizon: int,
) -> Given:
    """What training starts from. UsageError for what does not go together, ModelError for a
    folder that is no model."""
    if weights == "scratch":
        config = network or NetworkConfig()
        named = config.head if head is None else head if isinstance(head, str) else head.name
        heads.head_named(named, None if isinstance(head, str) else head)
        return Given(replace(config, horizon=config.horizon or horizon, head=named), "scratch", {})
    if network is not None or isinstance(head, str):
        raise UsageError(
            f"network= and head= describe a network from scratch, but weights={weights!r} has its "
            "own. Use weights='scratch' with them, or leave them out."
        )
    if isinstance(weights, Network):
        if head is not None:
            heads.head_named(weights.head.name, head)
        return Given(weights, "given", {})
    if weights == "pretrained":
        if head is not None:
            raise UsageError(
                f"head={head!r}: the shipped network has a head of its own. Use weights='scratch' "
                "with it, or leave it out."
            )
        return Given(shipped(), "pretrained", {})
    manifest, arrays = store.load(weights)
    start, seen = network_of(Path(weights), manifest, arrays, head), known_ends(arrays)
    known = "training" in manifest and not start.config.is_causal
    batching = training_from_json(manifest["training"]).batching if known else None
    return Given(
        start, "given", seen, Transforms.from_json(manifest.get("transforms", {})), batching
    )


def with_length(training: TrainingConfig, data: FitData) -> TrainingConfig:
    """The same with the length of its windows, where plain series decide about it."""
    batching = training.batching
    if not (
        isinstance(batching, Windows) and batching.length is None and isinstance(data, PlainData)
    ):
        return training
    return replace(training, batching=replace(batching, length=default_length(parts_of(data))))


def usual_training(start: Start, batching: Batching | None) -> TrainingConfig:
    """The settings that suit it, where none are given; with the batching scheme that its network
    was trained in, if any."""
    config = start.config if isinstance(start, Network) else start
    if not config.is_causal:
        usual = TrainingConfig.plain()
        return usual if batching is None else replace(usual, batching=batching)
    return (
        TrainingConfig.fine_tuning()
        if isinstance(start, Network)
        else TrainingConfig.from_scratch()
    )


@cache
def shipped() -> Network:
    """The network that comes with the package."""
    return load_network(WEIGHTS)[0]


def check_kinds(weights: Any, network: Any, training: Any, head: Any, seed: Any) -> None:
    """UsageError for an argument of another kind than is expected."""
    if not isinstance(weights, (str, Path, Network)):
        raise UsageError(
            f"{weights=} are no weights. Use 'pretrained', 'scratch', a folder or a Network."
        )
    for name, given, kind, example in (
        ("network", network, NetworkConfig, "layers=(32,)"),
        ("training", training, TrainingConfig, "epochs=50"),
    ):
        if given is not None and not isinstance(given, kind):
            raise UsageError(
                f"{name}={given!r} is no {kind.__name__}. Give one, such as "
                f"{kind.__name__}({example})."
            )
    missing = (
        []
        if head is None or isinstance(head, str)
        else [name for name in HEAD if not hasattr(head, name)]
    )
    if missing or isinstance(head, type):
        lacks = (
            f"it lacks {', '.join(missing)}"
            if missing
            else "it is a class, and one of its objects is expected"
        )
        raise UsageError(f"{head=} is no head: {lacks}. See lstmcast.model.heads.Head.")
    checked_seed(seed)


def check_fit(
    training: TrainingConfig, loss: Any, callbacks: Any, folder: Any, resume: bool, threads: Any
) -> None:
    """UsageError for arguments of `fit` that make no sense, before anything is read."""
    if loss is not None and not callable(loss):
        raise UsageError(
            f"{loss=} is no function of (point, target). A loss by name goes into "
            f"TrainingConfig(loss={loss!r})."
        )
    if loss is not None and training.loss.name != "auto":
        raise UsageError(
            f"TrainingConfig(loss={training.loss.name!r}) and {loss=}: one of them can be "
            "minimised. Leave one out."
        )
    if not isinstance(callbacks, Sequence) or not all(map(callable, callbacks)):
        raise UsageError(
            f"{callbacks=} are no callbacks. A list of functions is expected, such as "
            "[PrintTable()]."
        )
    if classes := [callback.__name__ for callback in callbacks if isinstance(callback, type)]:
        raise UsageError(
            f"callbacks={classes} are classes: objects of them are expected, such as "
            f"{classes[0]}(…)."
        )
    if folder is not None:
        checked_path(folder)
    if resume and folder is None:
        raise UsageError(
            "resume=True needs folder=…: the place of the checkpoints that training goes on from."
        )
    if threads is not None and not is_whole(threads, 1):
        raise UsageError(f"{threads=} makes no sense: a number of processors from 1 is expected.")


def checked_quantiles(quantiles: Iterable[float]) -> tuple[float, ...]:
    """Quantile levels in order, each once; UsageError where they are none."""
    try:
        checked = tuple(sorted({float(level) for level in quantiles}))
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{quantiles=} are not quantile levels. A list is expected, such as [0.1, 0.5, 0.9]."
        ) from error
    if not all(0.001 <= level <= 0.999 for level in checked):
        raise UsageError(
            f"{quantiles=} are not quantile levels. Numbers between 0.001 and 0.999 are expected, "
            "such as 0.1 and 0.9."
        )
    return checked


def check_together(
    start: Start,
    config: NetworkConfig,
    transforms: Transforms,
    horizon: int,
    training: TrainingConfig,
) -> None:
    """UsageError where network, transforms and training do not go together."""
    if config.is_causal and any(chain.steps for chain in transforms.chains):
        raise UsageError(
            "transforms= are for networks with plain inputs: causal inputs are made from raw "
            "observations. Use weights='scratch' with network=NetworkConfig(inputs='plain', …), or "
            "leave the transforms out."
        )
    transformed.check_quantiles(config, transforms, horizon)
    given = len(start.members) if isinstance(start, Network) else None
    if given is not None and training.members not in (1, given):
        raise UsageError(
            f"TrainingConfig(members={training.members}) is for networks from scratch: the weights "
            f"that are trained on have {given} member{'s' * (given != 1)}. Use weights='scratch', "
            "or leave members out."
        )


def require_unseen(seen: Mapping[str, Any], panel: Panel) -> None:
    """UsageError where the weights that training starts from know what comes after the data of a
    series."""
    for name, until, end in _seen_after(seen, panel, panel.ends):
        raise UsageError(
            f"series {name!r}: the weights that training starts from were trained on it until "
            f"{format_time(until)}, and these data end at {format_time(end)}: the model would have "
            "seen what it is to forecast. Start from weights='pretrained' or 'scratch', give data "
            "that go further, or, if this is another series, give it another id."
        )


def seen_notes(seen: Mapping[str, Any], panel: Panel, ends: NDArray) -> tuple[str, ...]:
    """What is to be said where the start has seen a part of what is held back after `ends` (S,)."""
    after = _seen_after(seen, panel, last_times(panel, ends))
    if not after:
        return ()
    return (
        "the weights that training started from had seen a part of what is held back of "
        f"{len(after)} of {len(panel)} series: validation losses are too low, and intervals may be "
        "too narrow",
    )


def unused_notes(transforms: Transforms, panel: Panel) -> tuple[str, ...]:
    """What is to be said of transforms for series that are not there: an id may be mistyped."""
    known = set(map(str, panel.ids))
    unknown = [name for name in transforms.by_series if name not in known]
    return (
        (f"transforms are given for series that the data do not have: {some_names(unknown)}",)
        if unknown
        else ()
    )


def unmeasured_notes(panel: Panel, ends: NDArray) -> tuple[str, ...]:
    """What is to be said of intervals where nothing after `ends` (S,) could say how wide they
    must be."""
    if np.any((ends > 0) & (ends < panel.lengths)):
        return ()
    return (
        "no end of a series was held back to measure intervals with: they are as wide as the "
        "network has them",
    )


def _seen_after(seen: Mapping[str, Any], panel: Panel, ends: NDArray) -> list[tuple[str, Any, Any]]:
    """Series whose values after their time in `ends` (S,) the start has seen: until when, and
    that time."""
    pairs = [
        (str(name), seen.get(str(name)), end) for name, end in zip(panel.ids, ends, strict=True)
    ]
    alike = [pair for pair in pairs if np.asarray(pair[1]).dtype.kind == ends.dtype.kind]
    return [pair for pair in alike if pair[1] > pair[2]]
