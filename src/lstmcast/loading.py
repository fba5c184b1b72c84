"""A saved forecaster, read from its folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from warnings import warn

from lstmcast import store
from lstmcast.data.origins import checked_horizon
from lstmcast.errors import ModelError
from lstmcast.evaluation.methods import checked_candidates, checked_method
from lstmcast.fitted import Fitted, Groups, in_format_2
from lstmcast.forecast import NETWORK
from lstmcast.forecaster import LSTMForecaster
from lstmcast.model.heads import Head
from lstmcast.model.network import Network, network_of
from lstmcast.pretrained import Start, start_in
from lstmcast.specification import KIND, Specification, checked_quantiles
from lstmcast.training_config import training_from_json


def load(
    folder: str | Path,
    *,
    quantiles: Iterable[float] | None = None,
    head: Head | None = None,
    method: str | None = None,
    levels: Iterable[float] | None = None,
) -> LSTMForecaster:
    """A model saved by `LSTMForecaster.save`, with what it remembers.

    Its specification is that of a forecaster with `weights=folder`.

    Args:
        folder: Where it was saved.
        quantiles: Quantile levels of its forecasts, those that it was saved with unless given.
        head: Your own head, for a network that was made with it.
        method: What answers, as the argument of LSTMForecaster; as it was saved unless given.
        levels: The former name of `quantiles`.

    Raises:
        ModelError: The folder holds something else, is damaged, or of a newer format.
    """
    if levels is not None:
        warn("levels= is called quantiles= now.", DeprecationWarning, stacklevel=2)
        quantiles = levels
    manifest, groups = store.load(folder)
    if manifest.get("kind") != KIND:
        raise ModelError(_not_a_forecaster(folder, manifest))
    network = network_of(Path(folder), manifest, groups, head)
    checked = None if quantiles is None else checked_quantiles(quantiles)
    with store.complete(folder):
        model = _loaded(Path(folder), *in_format_2(manifest, groups), network, head, checked)
    if method is None:
        return model
    candidates = checked_candidates(model.specification.candidates)
    specification = replace(model.specification, method=checked_method(method, candidates))
    return LSTMForecaster._from_parts(specification, model.start, model.fitted)


def _not_a_forecaster(folder: str | Path, manifest: Mapping[str, Any]) -> str:
    """What a folder holds instead, and what can be done with it."""
    holds = f"{folder} holds {store.kind_of(manifest)}, not a saved forecaster."
    if manifest.get("kind") != "network":
        return holds
    use = (
        f"Train on from it or forecast data with it by weights={str(folder)!r}: its transforms, if "
        "it has any, learn from the data that it is given."
    )
    if "epoch" not in manifest:
        return f"{holds} {use}"
    return (
        f"{folder} holds a snapshot of an older lstmcast: the network alone, without what its "
        "transforms had learned and without data. Train again, which writes snapshots that can be "
        f"loaded. {use}"
    )


def _loaded(
    folder: Path,
    manifest: Mapping[str, Any],
    groups: Groups,
    network: Network,
    head: Head | None,
    quantiles: tuple[float, ...] | None,
) -> LSTMForecaster:
    """The forecaster that a folder of the current format holds."""
    start = start_in(network, manifest, groups)
    if quantiles is None:
        quantiles = checked_quantiles(manifest["quantiles"])
    specification = Specification(
        checked_horizon(manifest["horizon"]),
        folder,
        head=head,
        quantiles=quantiles,
        seed=manifest.get("seed", 0),
    )
    training = training_from_json(manifest["training"])
    if training.members not in (1, len(network.members)):  # a snapshot of one, or interrupted
        training = replace(training, members=1)
    if training != specification.resolved_training(start):
        specification = replace(specification, training=training)
    fitted = Fitted.from_saved(manifest, groups, network)
    specification = _answering(specification, start, fitted, manifest)
    return LSTMForecaster._from_parts(specification, start, fitted)


def _answering(
    specification: Specification, start: Start, fitted: Fitted, manifest: Mapping[str, Any]
) -> Specification:
    """The same with the method that was saved, where it is another one than is usual; models of
    older versions answer alone."""
    candidates = tuple(manifest.get("candidates", ()))
    specification = replace(specification, candidates=candidates)
    method = manifest.get("method", NETWORK)
    if method == specification.resolved_method(start, fitted):
        return specification
    return replace(specification, method=method)
