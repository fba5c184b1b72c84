"""The steps of `LSTMForecaster.fit` around the training itself.

A panel becomes training data, and trained weights become a fitted model with measured intervals.

S series · H horizon · I central intervals
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.effects import adjusted, read_by, using_share
from lstmcast.data.observed import without
from lstmcast.data.origins import Origins, mean_changes
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.evaluation.calibration import held_back, measured_factors
from lstmcast.evaluation.combination import weighed
from lstmcast.evaluation.methods import AUTO, checked_candidates
from lstmcast.evaluation.trust import known_share, share_notes
from lstmcast.fit_data import FitData, TransformedData
from lstmcast.fit_notes import (
    failure_notes,
    unmeasured_notes,
    unread_notes,
    unused_notes,
)
from lstmcast.fitted import Fitted, context_for
from lstmcast.forecast import NETWORK
from lstmcast.growing import DataRecord, Lineage
from lstmcast.model.heads import head_named
from lstmcast.model.inputs import FittedTransforms, Inputs, Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.model.static import codes_of, learned
from lstmcast.pretrained import Start, last_times, require_unseen, seen_notes, shipped
from lstmcast.specification import Specification, folder_contents
from lstmcast.training_config import TrainingConfig, Windows, require_torch
from lstmcast.training_record import Arrays, Record
from lstmcast.transforms import MeanAbs
from lstmcast.util.config import is_whole
from lstmcast.util.files import checked_path
from lstmcast.windows import default_length, split_of

if TYPE_CHECKING:
    from lstmcast.training.members import Trained


class FitOptions(NamedTuple):
    """The arguments of `LSTMForecaster.fit` except for the data; they are described there."""

    loss: Callable[[Any, Any], Any] | None = None
    callbacks: Sequence[Callable[[Any], Any]] = ()
    folder: str | Path | None = None
    resume: bool = False
    device: str = "cpu"
    threads: int | None = None

    def check(self, training: TrainingConfig) -> None:
        """Raise UsageError for invalid arguments, before any data are read."""
        _check_loss(self.loss, training.loss.name)
        _check_callbacks(self.callbacks)
        if self.folder is not None:
            checked_path(self.folder)
        if self.resume and self.folder is None:
            raise UsageError(
                "resume=True needs folder=…: the folder with the checkpoints to continue from."
            )
        if self.threads is not None and not is_whole(self.threads, 1):
            raise UsageError(
                f"threads must be a whole number of at least 1, got {self.threads!r}."
            )


def fitted_on(
    specification: Specification, start: Start, data: Any, options: FitOptions
) -> Fitted:
    """Train a network on the data and keep their newest values; see `LSTMForecaster.fit`."""
    require_torch()
    options.check(specification.resolved_training(start))
    from lstmcast.data.read import as_panel
    from lstmcast.training.fitting import fit_network

    folder = None if options.folder is None else Path(options.folder)
    panel = as_panel(data, start.config.inputs.past)
    _require_rates(specification, start, panel)
    start = _with_static(start, panel)
    ready = prepared(specification, start, panel, folder, options.resume)

    def stored(trained: Trained) -> tuple[dict[str, Any], dict[str, Arrays]]:
        """A snapshot: a complete forecaster."""
        model = ready.fitted(trained, start, specification)
        return folder_contents(specification, start, model)

    trained = fit_network(
        start.network or start.config,
        ready.data,
        ready.training,
        seed=specification.seed,
        head=specification.own_head,
        stored=stored,
        lineage=ready.lineage,
        **options._asdict(),
    )
    for callback in options.callbacks:
        if stage := getattr(callback, "stage", None):
            stage("intervals are measured on what was held back")
    return ready.fitted(trained, start, specification)


def _with_static(start: Start, panel: Panel) -> Start:
    """The same start; a network from scratch gets the static columns of the panel."""
    static = start.config.static
    if start.network is not None or not static:
        codes_of(static, panel)  # so that a missing column is reported before any work
        return start
    return start._replace(config=replace(start.config, static=learned(static, panel)))


def _with_codes(data: FitData, config: NetworkConfig, panel: Panel) -> FitData:
    """Transformed values with static codes; adaptive inputs add these to each batch."""
    if not isinstance(data, TransformedData) or not config.static:
        return data
    assert isinstance(config.inputs, Transformed)
    codes_RP = codes_of(config.static, panel, config.inputs.rows(panel)[:, 0])
    assert codes_RP is not None
    codes_NP = np.repeat(codes_RP, np.diff(data.offsets), axis=0)
    return replace(data, inputs=np.concatenate([data.inputs, codes_NP], axis=1))


def _require_rates(specification: Specification, start: Start, panel: Panel) -> None:
    """UsageError where effects of known columns cannot multiply the mean of a head of counts or
    amounts, as a network reads them."""
    head, inputs = (
        head_named(start.config.head, specification.own_head),
        start.config.inputs,
    )
    if (
        head.affine
        or not panel.covariates.future
        or not isinstance(inputs, Transformed)
    ):
        return
    names = ", ".join(map(repr, panel.covariates.future.columns))
    steps = [step for chain in inputs.transforms.chains for step in chain.steps]
    no_scales = [step for step in steps if not isinstance(step, MeanAbs)]
    if no_scales:
        raise UsageError(
            f"head={head.name!r} answers a mean that the effects of columns that are known in "
            f"advance ({names}) multiply, and {no_scales[0]!r} keeps no ratios. Use Adaptive(), "
            "Transformed() with MeanAbs() alone, or leave the columns out."
        )
    if inputs.columns > 1:
        raise UsageError(
            f"The network reads {inputs.columns} columns together, and its head={head.name!r} "
            f"answers a mean that columns that are known in advance ({names}) multiply for one "
            "series alone. Use a network of one column, or leave them out."
        )


class Prepared(NamedTuple):
    """A panel that is ready for training.

    `ends` (S,): number of values in the training part of each series. `data`: what the network
    learns from. `inputs`: the inputs with their transforms fitted to the training part. `lineage`:
    which earlier data the checkpoints may belong to.
    """

    panel: Panel
    ends: NDArray
    data: FitData
    training: TrainingConfig
    inputs: FittedTransforms | None
    lineage: Lineage | None = None

    def fitted(
        self, trained: Trained, start: Start, specification: Specification
    ) -> Fitted:
        """The model with trained weights, measured intervals and the saved context.

        Where it is combined with simple forecasts, their shares are measured too.
        """
        horizon = specification.horizon
        method = specification.method
        validated = Fitted(
            trained.validated,
            self.inputs,
            context_for(trained.validated, self.training.batching),
            self._mean_changes(),
        )
        # Measured with weights that have not seen the validation data, at all steps of the grid.
        panel = without(self.panel)
        measured = held_back(validated.decode, panel, self.ends, horizon)
        shares = {}
        failed = failure_notes(measured, panel)
        if method == AUTO:
            method = NETWORK
        if method != NETWORK:
            candidates = checked_candidates(specification.candidates)
            measured, shares = weighed(method, panel, measured, candidates)
        return replace(
            validated,
            network=trained.network,
            factors_HI=measured_factors(measured, horizon),
            method=method,
            shares=shares,
            saved_context=validated.context_of(self.panel),
            record=self._record(trained, start, failed),
        )

    def _record(
        self, trained: Trained, start: Start, failed: tuple[str, ...]
    ) -> Record:
        ends = self.panel.lengths if trained.refitted else self.ends
        notes = (
            trained.notes
            + failed
            + seen_notes(start.trained_until, self.panel, self.ends)
            + unused_notes(self.inputs, self.panel)
            + share_notes(self.panel)
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
            start.trained_until,
        )

    def _mean_changes(self) -> dict[str, float]:
        """The mean absolute change of each series in its training part, by its id."""
        origins = Origins(np.arange(len(self.panel)), self.ends)
        changes, _ = mean_changes(adjusted(self.panel), origins)
        changes = np.nan_to_num(changes)  # without two values to compare, no change
        return dict(zip(map(str, self.panel.ids), changes.tolist(), strict=True))


def prepared(
    specification: Specification,
    start: Start,
    panel: Panel,
    folder: Path | None = None,
    resume: bool = False,
) -> Prepared:
    """Prepare a panel for training.

    `folder`: where checkpoints are kept; `resume`: whether training continues from those in it, on
    data that may have grown since.

    Raises:
        UsageError: The initial weights were trained on values after the data.
        DataError: The values cannot be transformed.
        ModelError: The past of the data is not what the checkpoints were trained on.
    """
    require_unseen(start.trained_until, panel)
    training = specification.resolved_training(start)
    ends = panel.lengths
    if training.validation is not None:
        ends = training.validation.training_ends(panel.lengths, specification.horizon)
    inputs = start.config.inputs
    horizon = specification.horizon
    past = _past(start, folder) if folder and resume else None
    panel = _with_known_share(panel, horizon, past)
    affine = head_named(start.config.head, specification.own_head).affine
    if folder is None:
        data, fitted = _read(inputs, panel, ends, horizon, affine)
        data = _with_codes(data, start.config, panel)
        return Prepared(panel, ends, data, _with_window_length(training, data), fitted)
    panel = past.named(panel) if past else panel
    record = DataRecord.of(panel, inputs, horizon)
    growth = past.growth_to(record, panel, folder) if past else ""
    past_transforms = past.fitted(inputs) if past else None
    data, fitted = _read(inputs, panel, ends, horizon, affine, past_transforms)
    data = _with_codes(data, start.config, panel)
    past_window = past.window if past else None
    training = _with_window_length(training, data, past_window)
    lineage = record.lineage(
        data.fingerprint(), fitted, training.batching, past, growth
    )
    return Prepared(panel, ends, data, training, fitted, lineage)


def _with_known_share(panel: Panel, horizon: int, past: DataRecord | None) -> Panel:
    """A panel that uses as much of the effects of its known columns as helps the shipped network,
    or as an earlier part of the training used."""
    if not panel.covariates.future:
        return panel
    if past is not None:
        return using_share(panel, past.share)
    whole = using_share(panel, 1.0)
    return using_share(whole, known_share(Fitted(shipped()).decode, whole, horizon))


def _read(
    inputs: Inputs,
    panel: Panel,
    ends: NDArray,
    horizon: int,
    affine: bool,
    past_transforms: FittedTransforms | None = None,
) -> tuple[FitData, FittedTransforms | None]:
    """What a network learns from of a panel, without the effects of its known columns, and what its
    transforms learned."""
    read = read_by(panel, affine)
    data, fitted = inputs.data(read.panel, ends, horizon, past_transforms)
    return replace(data, uplift=read.uplift_N), fitted


def _past(start: Start, folder: Path) -> DataRecord | None:
    """The data on which a network with these inputs was trained for the checkpoints in a folder.
    Checkpoints of other inputs are rejected when they are read."""
    past = DataRecord.in_folder(folder)
    if past is None or past.about["inputs"] != start.config.inputs.described():
        return None
    return past


def _with_window_length(
    training: TrainingConfig, data: FitData, earlier_length: int | None = None
) -> TrainingConfig:
    """The same with the window length, which stays as it was `before` the data grew."""
    batching = training.batching
    if (
        not isinstance(batching, Windows)
        or batching.length
        or not isinstance(data, TransformedData)
    ):
        return training
    length = earlier_length or default_length(split_of(data))
    return replace(training, batching=replace(batching, length=length))


def _check_loss(loss: Any, loss_name: str) -> None:
    if loss is not None and not callable(loss):
        raise UsageError(
            f"{loss=} is not a function of (point, target). A named loss goes into "
            f"TrainingConfig(loss={loss!r})."
        )
    if loss is not None and loss_name != "auto":
        raise UsageError(
            f"TrainingConfig(loss={loss_name!r}) and {loss=}: only one can be minimised. Leave "
            "one out."
        )


def _check_callbacks(callbacks: Any) -> None:
    if not isinstance(callbacks, Sequence) or not all(map(callable, callbacks)):
        raise UsageError(
            f"{callbacks=} are not callbacks. A list of functions is expected, such as "
            "[PrintTable()]."
        )
    if classes := [
        callback.__name__ for callback in callbacks if isinstance(callback, type)
    ]:
        raise UsageError(
            f"callbacks={classes} are classes: objects of them are expected, such as "
            f"{classes[0]}(…)."
        )
