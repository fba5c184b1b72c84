"""What `LSTMForecaster.fit` does around the training itself: from a panel to what a network learns
from, and from trained weights to a fitted model with measured intervals.

S series · H horizon · I central intervals
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins, mean_changes
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.evaluation.calibration import MOST_CUTOFFS, measured_factors
from lstmcast.fitted import Fitted, Record, context_for
from lstmcast.model.inputs import FittedTransforms
from lstmcast.pretrained import Start, last_times, require_unseen, seen_notes
from lstmcast.specification import Specification
from lstmcast.training_config import TrainingConfig, Windows
from lstmcast.util.config import is_whole
from lstmcast.util.files import checked_path
from lstmcast.util.text import some_names
from lstmcast.windows import FitData, TransformedData, default_length, parts_of

if TYPE_CHECKING:
    from lstmcast.training.fitting import Trained


class Prepared(NamedTuple):
    """A panel that is ready to be trained on.

    `ends` (S,): how many values of each series are its training part. `data`: what the network
    learns from; `inputs`: what their transforms learned, from the training part alone.
    """

    panel: Panel
    ends: NDArray
    data: FitData
    training: TrainingConfig
    inputs: FittedTransforms | None

    def fitted(self, trained: Trained, start: Start, horizon: int) -> Fitted:
        """The model of trained weights: its intervals measured, its data remembered."""
        validated = Fitted(
            trained.validated,
            self.inputs,
            context_for(trained.validated, self.training.batching),
            self._mean_changes(),
        )
        # Measured with weights that have not seen what is held back.
        factors_HI = measured_factors(validated.decode, self.panel, self.ends, horizon)
        return replace(
            validated,
            network=trained.network,
            factors_HI=factors_HI,
            saved_context=validated.context_of(self.panel, horizon, MOST_CUTOFFS),
            record=self._record(trained, start),
        )

    def _record(self, trained: Trained, start: Start) -> Record:
        ends = self.panel.lengths if trained.refitted else self.ends
        notes = (
            trained.notes
            + seen_notes(start.seen, self.panel, self.ends)
            + unused_notes(self.inputs, self.panel)
            + unread_notes(trained.network.config.inputs.past, self.panel)
            + unmeasured_notes(self.panel, self.ends)
        )
        return Record(
            self.panel.ids,
            last_times(self.panel, ends),
            self.training,
            trained.history,
            start.initial_weights,
            notes,
            start.seen,
        )

    def _mean_changes(self) -> dict[str, float]:
        """The mean absolute change of each series in its training part, by its id."""
        origins = Origins(np.arange(len(self.panel)), self.ends)
        changes, _ = mean_changes(self.panel, origins)
        changes = np.nan_to_num(changes)  # nothing to compare is no change
        return dict(zip(map(str, self.panel.ids), changes.tolist(), strict=True))


def prepared(specification: Specification, start: Start, panel: Panel) -> Prepared:
    """A panel made ready for training.

    Raises:
        UsageError: The weights that training starts from were trained on what comes after it.
        DataError: Its values cannot be transformed.
    """
    require_unseen(start.seen, panel)
    training, ends = specification.resolved_training(start), panel.lengths
    if training.validation is not None:
        ends = training.validation.training_ends(panel.lengths, specification.horizon)
    data, inputs = start.config.inputs.data(panel, ends, specification.horizon)
    return Prepared(panel, ends, data, _with_window_length(training, data), inputs)


def _with_window_length(training: TrainingConfig, data: FitData) -> TrainingConfig:
    """The same with the length of its windows, where that follows from transformed series."""
    batching = training.batching
    if (
        not isinstance(batching, Windows)
        or batching.length
        or not isinstance(data, TransformedData)
    ):
        return training
    return replace(training, batching=replace(batching, length=default_length(parts_of(data))))


def unused_notes(inputs: FittedTransforms | None, panel: Panel) -> tuple[str, ...]:
    """A note on transforms for series that are not in the data: an id may be mistyped."""
    known = set(map(str, panel.ids))
    by_series = inputs.transforms.by_series if inputs else {}
    unknown = [name for name in by_series if name not in known]
    if not unknown:
        return ()
    return (f"transforms are given for series that the data do not have: {some_names(unknown)}",)


def unread_notes(past: tuple[str, ...], panel: Panel) -> tuple[str, ...]:
    """A note on columns beside the target that the network does not read."""
    unread = panel.covariates.unread(past)
    return () if unread is None else (unread,)


def unmeasured_notes(panel: Panel, ends: NDArray) -> tuple[str, ...]:
    """A note where no value after `ends` (S,) could say how wide intervals must be."""
    if np.any((ends > 0) & (ends < panel.lengths)):
        return ()
    return (
        "no end of a series was held back to measure intervals with: they are as wide as the "
        "network has them",
    )


def check_fit(
    training: TrainingConfig,
    loss: Callable[[Any, Any], Any] | None,
    callbacks: Sequence[Callable[[Any], Any]],
    folder: Any,
    resume: bool,
    threads: int | None,
) -> None:
    """UsageError for arguments of `fit` that cannot be used, before anything is read."""
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
