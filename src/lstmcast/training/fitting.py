"""Training as one call: from data and settings to a network, its history, and notes on what
happened.

Import this only after `training.config.require_torch()`, which says what to install where PyTorch
is missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lstmcast.data.findings import advise
from lstmcast.errors import ModelError, UsageError
from lstmcast.growing import Lineage
from lstmcast.model.heads import Head, head_named, values_of
from lstmcast.model.network import Network, NetworkConfig, with_even_widths
from lstmcast.store import remove_stores
from lstmcast.training import loop
from lstmcast.training.batching import BatchReader
from lstmcast.training.callbacks import Callback, EpochReport, Stored
from lstmcast.training.checkpoint import KIND, Found, Keeper, claimed
from lstmcast.training.loop import TrainingRun
from lstmcast.training.losses import criterion
from lstmcast.training.module import NetworkModule, arrays_from_state, module_from_arrays
from lstmcast.training.plan import NOTHING_HELD_BACK, check_plan, make_batching
from lstmcast.training.settings import training_settings
from lstmcast.training_config import TrainingConfig, WholeSequence, to_json
from lstmcast.training_history import Epoch, History, kept
from lstmcast.util.parallel import kept_memory
from lstmcast.windows import FitData, require_values

OwnLoss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
# multiplications of a batch's step, below which several threads cost more than they bring
SMALL = 1e7


class Trained(NamedTuple):
    """What training gives.

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
    """What all members of a fit share."""

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


class Member(NamedTuple):
    """One trained member."""

    arrays: dict[str, NDArray]
    rows: tuple[Epoch, ...]
    best_epoch: int
    interrupted: bool
    notes: tuple[str, ...] = ()


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
    everything: FitData | None = None,
    stored: Store | None = None,
    lineage: Lineage | None = None,
) -> Trained:
    """Train a network: a new one of this config, or each member of one that has weights, one after
    the other.

    `folder`: where checkpoints go, instead of earlier ones; with `resume`, training continues from
    those that are there, to the same bits (on the same kind of CPU, with the same `threads`).
    `loss`: your own, of (point, target), both (…), to the loss of each value. `everything`: what a
    refit learns from, where its transforms differ from those of `data`. `stored`: how a forecaster
    is saved that has the weights so far, for callbacks that do so; the network alone without it.
    `lineage`: which data checkpoints may be of, and a record of these data to be kept beside them.
    After Ctrl-C the best so far is returned. DataError where nothing can be trained on, UsageError
    where settings do not go together, OutputError where checkpoints cannot be written or another
    training is writing them there, ModelError where the loss is no longer a number, memory does not
    suffice, or a checkpoint is of another run.
    """
    network = with_even_widths(start.config if isinstance(start, Network) else start)
    head = head or (start.head if isinstance(start, Network) else None)
    check_device(device)
    check_plan(network, data, config)
    answers = head_named(network.head, head)
    require_values(data, values_of(answers), answers.name)
    given = list(start.members) if isinstance(start, Network) else [None] * config.members
    place = None if folder is None else Path(folder)
    job = Job(
        network,
        config,
        head,
        loss,
        seed,
        device,
        place,
        resume,
        callbacks,
        len(given),
        stored,
        lineage,
    )
    threads = threads or _default_threads(network, config)
    with (
        claimed(place),
        training_settings(threads),
        _random_numbers(device),
        kept_memory(),
        _memory_errors(config),
        _closing(callbacks),
    ):
        if place is not None and not resume:
            # what an earlier run left there would be taken for this one's
            remove_stores(place, KIND)
        members, notes = _train_all(job, data, given)
        notes += _slow_precision(job)
        interrupted = any(member.interrupted for member in members) or len(members) < len(given)
        history = History(tuple(row for member in members for row in member.rows))
        refits = []
        if config.refit and not interrupted:
            refits, refit_notes = _refit_all(job, everything or data.everything(), given, members)
            notes += refit_notes
    validated, last = (
        Network(network, [member.arrays for member in part], head)
        for part in (members, refits or members)
    )
    return Trained(last, history, notes, bool(refits), validated)


def _train_all(
    job: Job, data: FitData, given: Sequence[Any]
) -> tuple[list[Member], tuple[str, ...]]:
    members: list[Member] = []
    notes: tuple[str, ...] = ()
    for number, arrays in enumerate(given):
        run, run_notes = _prepare(job, data, number, arrays)
        notes = run_notes
        try:
            members.append(_train_one(job, data, run, number, arrays))
        except KeyboardInterrupt:  # before anything was trained
            if not members:
                raise
        if len(members) <= number or members[-1].interrupted:
            return members, (*notes, *_went_on(members), _interrupted(members, job))
    return members, (*notes, *_went_on(members), *_kept_starts(members))


def _prepare(
    job: Job, data: FitData, number: int, arrays: dict[str, NDArray] | None
) -> tuple[TrainingRun, tuple[str, ...]]:
    """A run that has not begun."""
    torch.manual_seed(int(np.random.default_rng([job.seed, number]).integers(2**63)))
    if arrays is None:
        module = NetworkModule(job.network, job.head, job.config.initialiser)
    else:
        module = module_from_arrays(arrays, job.network, job.head)
    head = head_named(job.network.head, job.head)
    each = criterion(job.config.loss, head, job.loss)
    reader = BatchReader(module.to(job.device), each, job.device, job.config.precision == "mixed")
    batching, notes = make_batching(
        job.network, data, job.config, job.device, job.seed, head.affine
    )
    if job.config.validation is not None and not len(batching.held_back.segments.series):
        notes += (NOTHING_HELD_BACK,)
    seeds = (job.seed, number)
    return TrainingRun(
        reader, batching, job.config, seeds, np.asarray(data.ids), job.config.epochs
    ), notes


def _train_one(
    job: Job,
    data: FitData,
    run: TrainingRun,
    number: int,
    start: dict[str, NDArray] | None,
    part: str = "member",
) -> Member:
    """Train a prepared run to its end, or until Ctrl-C: the best so far."""
    about = {
        "network": job.network.described(),
        "training": to_json(job.config),
        "seed": job.seed,
        "start": _fingerprint(start) if job.folder else "",
        "data": data.fingerprint() if job.folder else "",
        "epochs": run.epochs,
        "own loss": ""
        if job.loss is None
        else getattr(job.loss, "__qualname__", type(job.loss).__name__),
    }
    place = None if job.folder is None else job.folder / f"{part}-{number}"
    keeper = Keeper(place, about, lineage=job.lineage)
    interrupted = False
    try:
        found = _found(job, run, keeper, again=part != "member")
        if found is not None:
            loop.go_on(run, found, job.lineage.growth if job.lineage else "")
        elif start is not None and part == "member":
            loop.validate_start(run)
        loop.train(run, keeper, partial(_tell, job, number, part != "member"))
    except KeyboardInterrupt:
        interrupted = True
        if run.best is None and run.epoch == 0:
            raise
    loop.use_best(run)
    loop.require_finite(run)
    arrays = arrays_from_state(run.reader.module.state_dict(), job.network)
    rows = kept(run.rows, run.best_epoch)
    return Member(arrays, rows, run.best_epoch, interrupted, tuple(run.notes))


def _found(job: Job, run: TrainingRun, keeper: Keeper, again: bool) -> Found | None:
    """The checkpoint that a run continues from; `again`: a refit, which starts over where that
    would give other bits."""
    found = keeper.load(again) if job.resume else None
    if found is None:
        return None
    done = found.state["epoch"]
    if again:
        paced = found.paced_by != run.config.epochs and run.config.paced_by_epochs
        return None if paced or found.grown or done > run.epochs else found
    if done == run.epochs and found.grown:
        raise UsageError(
            f"The data have grown, and the training in {str(keeper.folder)!r} has done all of its "
            f"{done} epochs: nothing would be learned from what is new. Ask for more epochs, of "
            f"which the first {done} are done: TrainingConfig(epochs={2 * done}), "
            f"--epochs {2 * done}."
        )
    if done > run.epochs:
        raise ModelError(
            f"The checkpoint in {str(keeper.folder)!r} has been trained for {done} epochs already, "
            f"and {run.epochs} are asked for. Ask for {done} epochs or more, name another folder, "
            "or begin anew without resuming."
        )
    return found


def _tell(job: Job, number: int, refit: bool, run: TrainingRun, row: Epoch, improved: bool) -> bool:
    """EpochReport to every callback, of a refit to those that follow it; whether one of them says
    stop."""
    callbacks = [
        callback
        for callback in job.callbacks
        if not refit or getattr(callback, "follows_refit", False)
    ]
    if not callbacks:
        return False

    def network() -> Network:
        return Network(
            job.network, [arrays_from_state(run.reader.module.state_dict(), job.network)], job.head
        )

    def stored() -> Stored:
        assert job.stored is not None
        history, note = History(kept(run.rows, row.epoch)), _snapshot(job, run)
        now = network()
        return job.stored(Trained(now, history, (note,), False, now))

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
        None if job.stored is None else stored,
    )
    answers = [callback(report) for callback in callbacks]  # all are told, whoever says stop
    return any(isinstance(answer, (bool, np.bool_)) and bool(answer) for answer in answers)


def _refit_all(
    job: Job, data: FitData, given: Sequence[Any], members: list[Member]
) -> tuple[list[Member], tuple[str, ...]]:
    """Each member again, on everything, up to its best epoch; none where training gave nothing
    or is interrupted."""
    if any(member.best_epoch == 0 for member in members):
        return [], (
            "not trained again on everything: the weights that training started from were the best",
        )
    again = job._replace(config=replace(job.config, validation=None, patience=None, refit=False))
    refits = []
    for number, (arrays, member) in enumerate(zip(given, members, strict=True)):
        run, _ = _prepare(again, data, number, arrays)
        run.epochs = member.best_epoch
        again = again._replace(stored=_stored_refitted(job, member))
        try:
            refit = _train_one(again, data, run, number, arrays, "refit")
        except KeyboardInterrupt:
            refit = member._replace(interrupted=True)
        if refit.interrupted:
            return [], (
                "interrupted while training again on everything: what was trained without the last "
                "part is kept",
            )
        refits.append(refit)
    epochs = ", ".join(str(member.best_epoch) for member in members)
    return refits, (f"trained again on everything, for as many epochs as the best had ({epochs})",)


def _stored_refitted(job: Job, member: Member) -> Store | None:
    """How a forecaster is saved while it is trained again on everything: its intervals are measured
    with the weights that saw nothing of what was held back."""
    if job.stored is None:
        return None
    stored, validated = job.stored, Network(job.network, [member.arrays], job.head)
    return lambda trained: stored(trained._replace(refitted=True, validated=validated))


def _went_on(members: list[Member]) -> tuple[str, ...]:
    """What there is to say of members that continued from a shorter training, each thing once."""
    return tuple(dict.fromkeys(note for member in members for note in member.notes))


def _kept_starts(members: list[Member]) -> tuple[str, ...]:
    kept_ones = [row for member in members for row in member.rows if row.best and row.epoch == 0]
    if not kept_ones:
        return ()
    which = (
        "its start is kept"
        if len(members) == 1
        else f"the start of {len(kept_ones)} of {len(members)} members is kept"
    )
    loss = kept_ones[0].validation_loss
    return (
        f"training did not lower the validation loss of the weights it started from ({loss:.4g}): "
        f"{which}",
    )


def _interrupted(members: list[Member], job: Job) -> str:
    done = f"in member {len(members)} of {job.members}, " if job.members > 1 else ""
    rows = members[-1].rows
    return f"interrupted {done}after epoch {rows[-1].epoch if rows else 0}: the best so far is kept"


def _snapshot(job: Job, run: TrainingRun) -> str:
    of = f"member {run.seeds[1] + 1} of {job.members}, " if job.members > 1 else ""
    return f"a snapshot of {of}epoch {run.epoch} of {run.epochs}"


def _fingerprint(start: dict[str, NDArray] | None) -> str:
    """Of weights that are given: fresh ones follow from seed and settings, in bits that depend
    on the threads."""
    import hashlib

    made = hashlib.sha256()
    for name, array in sorted((start or {}).items()):
        made.update(name.encode() + array.tobytes())
    return made.hexdigest()


def check_device(device: str) -> None:
    """UsageError for a device that is not known, or not there."""
    if device not in ("cpu", "cuda"):
        raise UsageError(f"{device=} is not known. Use 'cpu' or 'cuda'.")
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            f"PyTorch finds no CUDA device here. Use {advise('device', 'cpu')}, or install a "
            "PyTorch that is built for your GPU."
        )


def _slow_precision(job: Job) -> tuple[str, ...]:
    """A note where bfloat16 is computed without instructions for it."""
    able = any(
        there for name, there in torch.cpu.get_capabilities().items() if name.endswith("bf16")
    )
    if job.device == "cuda" or job.config.precision == "full" or able:
        return ()
    return (
        "precision 'mixed': this processor has no bfloat16 instructions, so 'full' is faster here",
    )


def _default_threads(network: NetworkConfig, config: TrainingConfig) -> int:
    """One for small networks, whose operations are too short to share; all processors otherwise."""
    widths = (*(network.before or (network.read_width,))[-1:], *network.layers)
    products = sum(
        4 * units * (units + below) for below, units in zip(widths, network.layers, strict=False)
    )
    rows = 1 if isinstance(config.batching, WholeSequence) else config.batch_size
    return 1 if products * rows < SMALL else os.cpu_count() or 1


@contextmanager
def _random_numbers(device: str) -> Iterator[None]:
    """Afterwards the random numbers of PyTorch continue as if nothing had been drawn."""
    devices = range(torch.cuda.device_count()) if device == "cuda" else ()
    with torch.random.fork_rng(devices=devices):
        yield


@contextmanager
def _closing(callbacks: Sequence[Callback]) -> Iterator[None]:
    """Afterwards, callbacks that have something to close do so."""
    try:
        yield
    finally:
        for callback in callbacks:
            getattr(callback, "close", _nothing)()


def _nothing() -> None:
    pass


@contextmanager
def _memory_errors(config: TrainingConfig) -> Iterator[None]:
    """What PyTorch and NumPy say when memory does not suffice, in words that help."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        text = str(error)
        if isinstance(error, RuntimeError) and not isinstance(error, torch.OutOfMemoryError):
            if "can't allocate memory" not in text and "not enough memory" not in text:
                raise
        raise ModelError(
            f"A batch of {config.batch_size} does not fit in memory "
            f"({text.splitlines()[0] if text else 'no more'}).\nUse a smaller batch_size, for "
            f"example {max(1, config.batch_size // 4)}, shorter segments, or a smaller network."
        ) from error
