"""Loading a saved forecaster from its folder."""

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
from lstmcast.fitted import Fitted, in_format_2
from lstmcast.forecast import NETWORK
from lstmcast.forecaster import LSTMForecaster
from lstmcast.model.heads import Head
from lstmcast.model.network import Network, network_of
from lstmcast.pretrained import Start, start_in
from lstmcast.specification import KIND, Specification, checked_quantiles
from lstmcast.training_config import training_from_json
from lstmcast.training_record import Groups


def load(
    folder: str | Path,
    *,
    quantiles: Iterable[float] | None = None,
    head: Head | None = None,
    method: str | None = None,
    levels: Iterable[float] | None = None,
) -> LSTMForecaster:
    """Load a model that `LSTMForecaster.save` wrote, with its saved context.

    The specification equals that of a forecaster with `weights=folder`.

    Args:
        folder: The folder of the saved model.
        quantiles: Quantile levels of its forecasts. Defaults to those it was saved with.
        head: Your own head object, if the network was made with one.
        method: As in LSTMForecaster. Defaults to the saved method.
        levels: The former name of `quantiles`.

    Raises:
        ModelError: The folder holds no model, is damaged, or has a newer format.
    """
    if levels is not None:
        warn("levels= is now called quantiles=.", DeprecationWarning, stacklevel=2)
        quantiles = levels
    manifest, groups = store.load(folder)
    if manifest.get("kind") != KIND:
        raise ModelError(_not_a_forecaster(folder, manifest))
    network = network_of(Path(folder), manifest, groups, head)
    checked = None if quantiles is None else checked_quantiles(quantiles)
    with store.complete(folder):
        model = _loaded(
            Path(folder), *in_format_2(manifest, groups), network, head, checked
        )
    if method is None:
        return model
    candidates = checked_candidates(model.specification.candidates)
    specification = replace(
        model.specification, method=checked_method(method, candidates)
    )
    return LSTMForecaster._from_parts(specification, model.start, model.fitted)


def _not_a_forecaster(folder: str | Path, manifest: Mapping[str, Any]) -> str:
    """The error for a folder that holds something else, with advice."""
    holds = f"{folder} holds {store.kind_of(manifest)}, not a saved forecaster."
    if manifest.get("kind") != "network":
        return holds
    use = (
        f"To train it further or forecast with it, use weights={str(folder)!r}: its transforms, "
        "if any, are fitted to the data."
    )
    if "epoch" not in manifest:
        return f"{holds} {use}"
    return (
        f"{folder} holds a snapshot of an older lstmcast: the network alone, without fitted "
        f"transforms and data. Train again: newer snapshots can be loaded. {use}"
    )


def _loaded(
    folder: Path,
    manifest: Mapping[str, Any],
    groups: Groups,
    network: Network,
    head: Head | None,
    quantiles: tuple[float, ...] | None,
) -> LSTMForecaster:
    """The forecaster in a folder of the current format."""
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
    # a snapshot, or an interrupted training
    if training.members not in (1, len(network.members)):
        training = replace(training, members=1)
    if training != specification.resolved_training(start):
        specification = replace(specification, training=training)
    fitted = Fitted.from_saved(manifest, groups, network)
    specification = _answering(specification, start, fitted, manifest)
    return LSTMForecaster._from_parts(specification, start, fitted)


def _answering(
    specification: Specification,
    start: Start,
    fitted: Fitted,
    manifest: Mapping[str, Any],
) -> Specification:
    """The forecaster with its saved method, if not the default.

    Models of older versions forecast with the network alone.
    """
    candidates = tuple(manifest.get("candidates", ()))
    specification = replace(specification, candidates=candidates)
    method = manifest.get("method", NETWORK)
    if method == specification.resolved_method(start, fitted):
        return specification
    return replace(specification, method=method)
