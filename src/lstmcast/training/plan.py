"""From data and settings to a batching scheme, with training and validation segments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lstmcast import training_config as settings
from lstmcast import windows
from lstmcast.context import Blocks
from lstmcast.data.features import listed
from lstmcast.errors import DataError, UsageError
from lstmcast.fit_data import AdaptiveData, FitData, TransformedData
from lstmcast.model.network import NetworkConfig
from lstmcast.training import batching as schemes
from lstmcast.training.batching import BatchingScheme
from lstmcast.training.feeds import AdaptiveFeed
from lstmcast.training.transformedfeed import TransformedFeed
from lstmcast.training_config import TrainingConfig
from lstmcast.windows import Segments, Split

SHORTEST_ADAPTIVE = 5  # observations: a position has seen three, and one comes after it
# steps of a segment of adaptive inputs, unless the batching scheme says so
ADAPTIVE_LENGTH = 96
NOTHING_HELD_BACK = (
    "nothing could be held back for validation, "
    "so the weights of the last epoch are kept"
)


def check_plan(network: NetworkConfig, data: FitData, config: TrainingConfig) -> None:
    """Raise UsageError if network, data and batching scheme contradict each other."""
    kind = config.batching.kind
    is_adaptive = network.inputs.from_context
    if is_adaptive != isinstance(data, AdaptiveData):
        expected = (
            "AdaptiveData (a panel)"
            if is_adaptive
            else "TransformedData (transformed series)"
        )
        raise UsageError(
            f"A network with inputs={network.inputs!r} learns from {expected}, not from "
            f"{type(data).__name__}."
        )
    if is_adaptive and kind in ("stateful", "rollout"):
        raise UsageError(
            f"The batching scheme {type(config.batching).__name__} needs Transformed() inputs, "
            "but this network has adaptive ones. Use Windows or WholeSequence, or transformed "
            "inputs."
        )
    if is_adaptive and isinstance(config.batching, settings.Windows):
        _check_adaptive_windows(config.batching, config.validation)
    if kind == "rollout" and network.steps != 1:
        raise UsageError(
            "The batching scheme Rollout feeds back one step at a time, but the network forecasts "
            f"{network.steps} at once. Use NetworkConfig(horizon=1), which forecasts any horizon "
            "recursively, or another batching scheme."
        )
    if kind == "rollout" and network.inputs.past:
        raise UsageError(
            "The batching scheme Rollout trains a network to continue from its own predictions, "
            f"but this one also reads {listed(network.inputs.past)}, which it does not predict. "
            "Use Windows, WholeSequence or Stateful, and NetworkConfig(horizon=…) for the steps "
            "to be forecast."
        )
    if isinstance(data, TransformedData):
        _check_columns(network, data)


def _check_columns(network: NetworkConfig, data: TransformedData) -> None:
    columns = data.inputs.shape[1], data.labels.shape[1]
    if columns == (network.width, network.inputs.columns):
        return
    past = len(network.inputs.past) + len(network.static)
    reads = f"{network.inputs.columns}" + (f" and {past} more columns" if past else "")
    raise UsageError(
        f"The data have {columns[0]} inputs and {columns[1]} labels at each step, but the network "
        f"reads {reads}. Use Transformed(columns={columns[1]})."
    )


def _check_adaptive_windows(
    batching: settings.Windows, validation: settings.Validation | None
) -> None:
    unused = [
        name
        for name in ("stride", "shuffle")
        if getattr(batching, name) != getattr(settings.Windows(), name)
    ]
    if unused:
        raise UsageError(
            f"Windows({unused[0]}={getattr(batching, unused[0])!r}) is for transformed inputs: "
            "segments of adaptive inputs end at random places. Leave it out, or use "
            "NetworkConfig(inputs=Transformed())."
        )
    if validation is not None and validation.by == "windows":
        raise UsageError(
            "Validation(by='windows') is for transformed inputs: segments of adaptive ones end at "
            "random places, so none can be held back. Use by='time'."
        )


def make_batching(
    network: NetworkConfig,
    data: FitData,
    config: TrainingConfig,
    device: str,
    seed: int,
    affine: bool = True,
) -> tuple[BatchingScheme, tuple[str, ...]]:
    """The batching scheme over these data, for a head that is `affine` or not, and notes on what it
    leaves out. DataError where nothing can be trained on."""
    split = windows.split_of(data)
    if not len(split.series):
        raise DataError(
            "There are no training data: no series has a known value in its training part."
        )
    if isinstance(data, AdaptiveData):
        adaptive_feed = AdaptiveFeed(data, network, device, affine)
        return _adaptive(adaptive_feed, split, data, config, seed)
    feed = TransformedFeed(data, network, device)
    batching = config.batching
    if isinstance(batching, settings.Windows):
        return _transformed_windows(feed, split, batching, config, seed)
    if isinstance(batching, settings.Rollout):
        return _transformed_rollout(feed, split, batching, config, seed)
    trained, notes = windows.long_enough(split, 2, "training")
    held_back = windows.validation_whole(split, fresh_state=_is_fresh(config))
    held_back = _held_back(held_back, config, seed)
    sizes = (config.batch_size, held_back)
    if isinstance(batching, settings.Stateful):
        return schemes.Stateful(feed, trained, batching, *sizes), notes
    return schemes.WholeSequence(feed, trained, batching.chunk, *sizes), notes


def _is_fresh(config: TrainingConfig) -> bool:
    """Whether validation begins with a fresh state."""
    return config.validation is not None and config.validation.fresh


def _transformed_rollout(
    feed: TransformedFeed,
    split: Split,
    batching: settings.Rollout,
    config: TrainingConfig,
    seed: int,
) -> tuple[BatchingScheme, tuple[str, ...]]:
    """Rollouts over transformed values, and notes on what is left out."""
    length = batching.length
    name = f"Rollout(length={length})"
    trained, notes = windows.long_enough(split, length + 1, name)
    held_back = windows.validation_windows(
        split, length, every_step=True, fresh_state=_is_fresh(config)
    )
    held_back = _held_back(held_back, config, seed)
    sizes = (config.batch_size, config.steps_per_epoch, config.epochs, held_back)
    return schemes.Rollout(feed, trained, batching, *sizes), notes


def _adaptive(
    feed: AdaptiveFeed,
    split: Split,
    data: AdaptiveData,
    config: TrainingConfig,
    seed: int,
) -> tuple[BatchingScheme, tuple[str, ...]]:
    enough, notes = windows.long_enough(split, SHORTEST_ADAPTIVE, "training")
    fresh_state = config.validation is not None and config.validation.fresh
    held_back = windows.validation_whole(split, fresh_state=fresh_state)
    # as far back as a forecast reads
    context = Blocks.of(data.panel.periods).start(held_back.begin)
    held_back = _held_back(
        held_back._replace(first=np.maximum(held_back.first, context)), config, seed
    )
    if isinstance(config.batching, settings.WholeSequence):
        return schemes.WholeSequence(
            feed, enough, config.batching.chunk, config.batch_size, held_back
        ), notes
    assert isinstance(config.batching, settings.Windows)
    return schemes.AdaptiveWindows(
        feed,
        enough,
        config.batching.length or ADAPTIVE_LENGTH,
        config.batch_size,
        config.steps_per_epoch,
        held_back,
    ), notes


def _transformed_windows(
    feed: TransformedFeed,
    split: Split,
    batching: settings.Windows,
    config: TrainingConfig,
    seed: int,
) -> tuple[BatchingScheme, tuple[str, ...]]:
    batching = replace(
        batching, length=batching.length or windows.default_length(split)
    )
    assert batching.length is not None
    enough, notes = windows.long_enough(
        split, batching.length + 1, f"Windows(length={batching.length})"
    )
    total = int(windows.window_counts(enough, batching.length, batching.stride).sum())
    numbers = np.arange(total)
    validation = config.validation
    share = (
        validation.share
        if validation is not None and validation.by == "windows"
        else None
    )
    if share is not None or batching.shuffle == "once":
        numbers = np.random.default_rng([seed, 0]).permutation(total)
    if share is not None:
        numbers, left_out = _divided(numbers, share)
        if batching.shuffle != "once":
            numbers = np.sort(numbers)
        held_back = windows.windows(
            enough, left_out, batching.length, batching.stride, every_step=False
        )
    else:
        fresh_state = validation is not None and validation.fresh
        held_back = windows.validation_windows(
            split, batching.length, every_step=False, fresh_state=fresh_state
        )
    held_back = _held_back(held_back, config, seed)
    scheme = schemes.TransformedWindows(
        feed,
        enough,
        batching,
        config.batch_size,
        config.steps_per_epoch,
        held_back,
        numbers,
    )
    return scheme, notes


def _divided(permuted: NDArray, share: float) -> tuple[NDArray, NDArray]:
    """Windows to train on, and the last share of them, which is held back."""
    left_out = round(share * len(permuted))
    if not 0 < left_out < len(permuted):
        raise DataError(
            f"A share {share} of {len(permuted)} windows leaves nothing to train on or to "
            "validate. Use shorter windows."
        )
    return permuted[:-left_out], np.sort(permuted[-left_out:])


def _held_back(segments: Segments, config: TrainingConfig, seed: int) -> Segments:
    """What is validated on: nothing without a validation, and at most as many segments as it
    says."""
    if config.validation is None:
        return segments.rows(slice(0, 0))
    limit = config.validation.most
    if limit is None or len(segments.series) <= limit:
        return segments
    rows = np.random.default_rng([seed, 1]).permutation(len(segments.series))[:limit]
    return segments.rows(np.sort(rows))
