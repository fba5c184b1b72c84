"""The training of one member of a network, with checkpoints and callbacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from lstmcast.errors import ModelError, UsageError
from lstmcast.fit_data import FitData
from lstmcast.growing import Lineage
from lstmcast.model.heads import Head, head_named
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.training import loop
from lstmcast.training.callbacks import Callback, EpochReport, Stored
from lstmcast.training.checkpoint import Found, Keeper
from lstmcast.training.loop import TrainingRun
from lstmcast.training.losses import criterion
from lstmcast.training.module import (
    Arrays,
    NetworkModule,
    arrays_from_state,
    module_from_arrays,
)
from lstmcast.training.plan import NOTHING_HELD_BACK, make_batching
from lstmcast.training.reading import BatchReader
from lstmcast.training.settings import seed_torch
from lstmcast.training_config import TrainingConfig, to_json
from lstmcast.training_history import Epoch, History, kept

OwnLoss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Trained(NamedTuple):
    """The result of training.

    `refitted`: whether the network was trained again on everything; `validated`: the one that saw
    nothing of what was held back, which is the same unless it was.
    """

    network: Network
    history: History
    notes: tuple[str, ...]
    refitted: bool
    validated: Network


# what a forecaster of these weights would be saved as
Store = Callable[[Trained], Stored]


class Job(NamedTuple):
    """The common settings of all members of a fit."""

    network: NetworkConfig
    config: TrainingConfig
    head: Head | None
    loss: OwnLoss | None
    seed: int
    device: str
    folder: Path | None
    resume: bool
    callbacks: Sequence[Callback]
    members: int
    stored: Store | None
    lineage: Lineage | None

    def network_of(self, members: Sequence[Member]) -> Network:
        """The network of trained members."""
        return Network(self.network, [member.arrays for member in members], self.head)


class Member(NamedTuple):
    """One trained member."""

    arrays: Arrays
    rows: tuple[Epoch, ...]
    best_epoch: int
    interrupted: bool
    notes: tuple[str, ...] = ()


def prepare(
    job: Job, data: FitData, number: int, arrays: Arrays | None
) -> tuple[TrainingRun, tuple[str, ...]]:
    """Prepare a run."""
    seed_torch(np.random.default_rng([job.seed, number]))
    if arrays is None:
        module = NetworkModule(job.network, job.head, job.config.initialiser)
    else:
        module = module_from_arrays(arrays, job.network, job.head)
    head = head_named(job.network.head, job.head)
    value_loss = criterion(job.config.loss, head, job.loss)
    reader = BatchReader(
        module.to(job.device), value_loss, job.device, job.config.precision == "mixed"
    )
    batching, notes = make_batching(
        job.network, data, job.config, job.device, job.seed, head.affine
    )
    held_back = batching.held_back.segments.series
    if job.config.validation is not None and not len(held_back):
        notes += (NOTHING_HELD_BACK,)
    seeds = (job.seed, number)
    ids = np.asarray(data.ids)
    run = TrainingRun(reader, batching, job.config, seeds, ids, job.config.epochs)
    return run, notes


def train_one(
    job: Job,
    data: FitData,
    run: TrainingRun,
    number: int,
    start: Arrays | None,
    role: str = "member",
) -> Member:
    """Train a prepared run to its end, or until Ctrl-C: the best so far."""
    keeper = _keeper(job, data, run, start, f"{role}-{number}")
    interrupted = False
    try:
        checkpoint = _found(job, run, keeper, again=role != "member")
        if checkpoint is not None:
            growth = job.lineage.growth if job.lineage else ""
            loop.go_on(run, checkpoint, growth)
        elif start is not None and role == "member":
            loop.validate_start(run)
        loop.train(run, keeper, partial(_tell, job, number, role != "member"))
    except KeyboardInterrupt:
        interrupted = True
        if run.best is None and run.epoch == 0:
            raise
    loop.use_best(run)
    loop.require_finite(run)
    arrays = arrays_from_state(run.reader.module.state_dict(), job.network)
    rows = kept(run.rows, run.best_epoch)
    return Member(arrays, rows, run.best_epoch, interrupted, tuple(run.notes))


def _keeper(
    job: Job, data: FitData, run: TrainingRun, start: Arrays | None, name: str
) -> Keeper:
    """What keeps the checkpoints of a run; without a folder it keeps none."""
    about = {
        "network": job.network.described(),
        "training": to_json(job.config),
        "seed": job.seed,
        "start": "",
        "data": "",
        "epochs": run.epochs,
        "own loss": "",
    }
    if job.loss is not None:
        about["own loss"] = getattr(job.loss, "__qualname__", type(job.loss).__name__)
    if job.folder is None:
        return Keeper(None, about, lineage=job.lineage)
    about |= {"start": _fingerprint(start), "data": data.fingerprint()}
    return Keeper(job.folder / name, about, lineage=job.lineage)


def _found(job: Job, run: TrainingRun, keeper: Keeper, again: bool) -> Found | None:
    """The checkpoint that a run continues from; `again`: a refit, which starts over where that
    would give other bits."""
    checkpoint = keeper.load(again) if job.resume else None
    if checkpoint is None:
        return None
    epochs_done = checkpoint.state["epoch"]
    if again:
        other_pace = (
            checkpoint.paced_by != run.config.epochs and run.config.paced_by_epochs
        )
        too_far = epochs_done > run.epochs
        return None if other_pace or checkpoint.grown or too_far else checkpoint
    if epochs_done == run.epochs and checkpoint.grown:
        raise UsageError(
            f"The data have grown, but the training in {str(keeper.folder)!r} has finished its "
            f"{epochs_done} epochs, so nothing would be learned from the new values. Increase the "
            f"number of epochs, of which {epochs_done} are done: --epochs {2 * epochs_done}."
        )
    if epochs_done > run.epochs:
        raise ModelError(
            f"The checkpoint in {str(keeper.folder)!r} has already been trained for {epochs_done} "
            f"epochs, more than the {run.epochs} given. Give at least {epochs_done} epochs, name "
            "another folder, or start again without resuming."
        )
    return checkpoint


def _tell(
    job: Job, number: int, refit: bool, run: TrainingRun, row: Epoch, improved: bool
) -> bool:
    """EpochReport to every callback, of a refit to those that follow it; whether one of them says
    stop."""
    callbacks = list(job.callbacks)
    if refit:
        callbacks = [
            callback
            for callback in callbacks
            if getattr(callback, "follows_refit", False)
        ]
    if not callbacks:
        return False

    def network() -> Network:
        state = run.reader.module.state_dict()
        return Network(job.network, [arrays_from_state(state, job.network)], job.head)

    def stored() -> Stored:
        assert job.stored is not None
        current = network()
        history = History(kept(run.rows, row.epoch))
        note = _snapshot(job, run)
        return job.stored(Trained(current, history, (note,), False, current))

    report = EpochReport(
        number,
        job.members,
        row.epoch,
        run.epochs,
        row.step,
        row.train_loss,
        row.validation_loss,
        run.best_epoch,
        row.learning_rate,
        row.seconds,
        improved,
        network,
        job.config,
        refit,
        tuple(run.losses),
    )
    if job.stored is not None:
        report = replace(report, stored=stored)
    # all are told, whoever says stop
    answers = [callback(report) for callback in callbacks]
    return any(
        isinstance(answer, (bool, np.bool_)) and bool(answer) for answer in answers
    )


def _snapshot(job: Job, run: TrainingRun) -> str:
    of = f"member {run.seeds[1] + 1} of {job.members}, " if job.members > 1 else ""
    return f"a snapshot of {of}epoch {run.epoch} of {run.epochs}"


def _fingerprint(start: Arrays | None) -> str:
    """Of weights that are given: fresh ones follow from seed and settings, in bits that depend
    on the threads."""
    import hashlib

    digest = hashlib.sha256()
    for name, array in sorted((start or {}).items()):
        digest.update(name.encode() + array.tobytes())
    return digest.hexdigest()
