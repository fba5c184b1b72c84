"""Training in one call: from data and settings to a network, its history, and notes.

Import this only after `training.config.require_torch()`, which says what to install where PyTorch
is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lstmcast.fit_data import FitData, require_values
from lstmcast.growing import Lineage
from lstmcast.model.heads import Head, head_named, values_of
from lstmcast.model.network import Network, NetworkConfig, with_even_widths
from lstmcast.store import remove_stores
from lstmcast.training.callbacks import Callback
from lstmcast.training.checkpoint import KIND
from lstmcast.training.environment import (
    check_device,
    default_threads,
    slow_precision,
    training_environment,
)
from lstmcast.training.members import (
    Job,
    Member,
    OwnLoss,
    Store,
    Trained,
    prepare,
    train_one,
)
from lstmcast.training.plan import check_plan
from lstmcast.training_config import TrainingConfig
from lstmcast.training_history import History


def fit_network(
    start: Network | NetworkConfig,
    data: FitData,
    config: TrainingConfig,
    *,
    seed: int = 0,
    device: str = "cpu",
    threads: int | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    loss: OwnLoss | None = None,
    head: Head | None = None,
    stored: Store | None = None,
    lineage: Lineage | None = None,
) -> Trained:
    """Train a network: a new one of this config, or each member of one that has weights, one after
    the other.

    `folder`: where checkpoints go, instead of earlier ones; with `resume`, training continues from
    those that are there, to the same bits (on the same kind of CPU, with the same `threads`).
    `loss`: your own, of (point, target), both (…), to the loss of each value. `stored`: how a
    forecaster is saved that has the weights so far, for callbacks that do so; the network alone
    without it. `lineage`: which data checkpoints may be of, and a record of these data to be kept
    beside them. After Ctrl-C the best so far is returned. DataError where nothing can be trained
    on, UsageError where settings do not go together, OutputError where checkpoints cannot be
    written or another training is writing them there, ModelError where the loss is no longer a
    number, memory does not suffice, or a checkpoint is of another run.
    """
    starts: list[Any] = [None] * config.members
    if isinstance(start, Network):
        starts = list(start.members)
        head = head or start.head
        start = start.config
    network = with_even_widths(start)
    count = len(starts)
    place = None if folder is None else Path(folder)
    run = (seed, device, place, resume, callbacks, count, stored, lineage)
    job = Job(network, config, head, loss, *run)
    _check(job, data)
    threads = threads or default_threads(network, config)
    with training_environment(config, device, place, callbacks, threads):
        return _trained(job, data, starts)


def _check(job: Job, data: FitData) -> None:
    """UsageError or DataError where network, data and settings do not go together."""
    check_device(job.device)
    check_plan(job.network, data, job.config)
    answers = head_named(job.network.head, job.head)
    require_values(data, values_of(answers), answers.name)


def _trained(job: Job, data: FitData, starts: Sequence[Any]) -> Trained:
    if job.folder is not None and not job.resume:
        # what an earlier run left there would be taken for this one's
        remove_stores(job.folder, KIND)
    members, notes = _train_all(job, data, starts)
    notes += slow_precision(job.config, job.device)
    rows = [row for member in members for row in member.rows]
    refits = []
    if job.config.refit and not _is_interrupted(members, starts):
        refits, refit_notes = _refit_all(job, data.everything(), starts, members)
        notes += refit_notes
    validated = job.network_of(members)
    network = job.network_of(refits) if refits else validated
    return Trained(network, History(tuple(rows)), notes, bool(refits), validated)


def _is_interrupted(members: list[Member], starts: Sequence[Any]) -> bool:
    if len(members) < len(starts):
        return True
    return any(member.interrupted for member in members)


def _train_all(
    job: Job, data: FitData, starts: Sequence[Any]
) -> tuple[list[Member], tuple[str, ...]]:
    members: list[Member] = []
    notes: tuple[str, ...] = ()
    for number, arrays in enumerate(starts):
        run, run_notes = prepare(job, data, number, arrays)
        notes = run_notes
        try:
            members.append(train_one(job, data, run, number, arrays))
        except KeyboardInterrupt:  # before anything was trained
            if not members:
                raise
        if len(members) <= number or members[-1].interrupted:
            return members, (*notes, *_went_on(members), _interrupted(members, job))
    return members, (*notes, *_went_on(members), *_kept_starts(members))


def _refit_all(
    job: Job, data: FitData, starts: Sequence[Any], members: list[Member]
) -> tuple[list[Member], tuple[str, ...]]:
    """Refit each member on all data up to its best epoch, unless training failed or was
    interrupted."""
    if any(member.best_epoch == 0 for member in members):
        return [], (
            "not refitted on all data, since the initial weights were the best",
        )
    again = job._replace(
        config=replace(job.config, validation=None, patience=None, refit=False)
    )
    refits = []
    for number, (arrays, member) in enumerate(zip(starts, members, strict=True)):
        run, _ = prepare(again, data, number, arrays)
        run.epochs = member.best_epoch
        again = again._replace(stored=_stored_refitted(job, member))
        try:
            refit = train_one(again, data, run, number, arrays, "refit")
        except KeyboardInterrupt:
            refit = member._replace(interrupted=True)
        if refit.interrupted:
            return [], (
                "interrupted while refitting on all data: the model trained without validation "
                "data is kept",
            )
        refits.append(refit)
    epochs = ", ".join(str(member.best_epoch) for member in members)
    return refits, (f"retrained on all data, up to the best epoch ({epochs})",)


def _stored_refitted(job: Job, member: Member) -> Store | None:
    """How a forecaster is saved while it is trained again on everything: its intervals are measured
    with the weights that saw nothing of what was held back."""
    if job.stored is None:
        return None
    stored = job.stored
    validated = job.network_of([member])
    return lambda trained: stored(trained._replace(refitted=True, validated=validated))


def _went_on(members: list[Member]) -> tuple[str, ...]:
    """What there is to say of members that continued from a shorter training, each thing once."""
    notes = [note for member in members for note in member.notes]
    return tuple(dict.fromkeys(notes))


def _kept_starts(members: list[Member]) -> tuple[str, ...]:
    """A note if the initial weights were the best."""
    rows = [row for member in members for row in member.rows]
    kept_starts = [row for row in rows if row.best and row.epoch == 0]
    if not kept_starts:
        return ()
    outcome = "these weights are kept"
    if len(members) > 1:
        verb = "keeps" if len(kept_starts) == 1 else "keep"
        outcome = f"{len(kept_starts)} of {len(members)} members {verb} them"
    loss = kept_starts[0].validation_loss
    return (
        f"training did not lower the validation loss of the initial weights ({loss:.4g}): "
        f"{outcome}",
    )


def _interrupted(members: list[Member], job: Job) -> str:
    place = f"in member {len(members)} of {job.members}, " if job.members > 1 else ""
    rows = members[-1].rows
    epoch = rows[-1].epoch if rows else 0
    return f"interrupted {place}after epoch {epoch}: the best epoch is kept"
