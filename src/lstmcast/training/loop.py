"""The training loop of one network, for any batching scheme.

`TrainingRun` holds the parts of a run; everything that the next epoch depends on is stored in
checkpoints.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lstmcast.errors import ModelError
from lstmcast.training.batching import BatchingScheme
from lstmcast.training.checkpoint import (
    Found,
    Groups,
    Keeper,
    by_number,
    load_optimiser,
    optimiser_arrays,
)
from lstmcast.training.losses import Sums, added
from lstmcast.training.module import Arrays
from lstmcast.training.optim import make_optimiser, rate, set_rate
from lstmcast.training.reading import BatchReader, Update
from lstmcast.training.settings import seed_torch
from lstmcast.training.weights import (
    Values,
    average_of,
    averaged,
    copied,
    put,
    trained_weights,
    zero_gradients,
)
from lstmcast.training_config import TrainingConfig
from lstmcast.training_history import DTYPES, Epoch, History

CHECKED_TOGETHER = 64  # losses on CUDA: asking for each one would make the device wait


@dataclass
class TrainingRun:
    """The training of one member: its parts and its progress."""

    reader: BatchReader
    batching: BatchingScheme
    config: TrainingConfig
    seeds: tuple[int, ...]  # of every draw, together with the epoch
    ids: NDArray  # names of the series, for messages
    # to train for; the config's, or fewer when a refit repeats a run up to its best epoch
    epochs: int
    epoch: int = 0
    step: int = 0
    drops: int = 0  # of the learning rate, on plateaus
    seconds: float = 0.0
    stopped: bool = False  # by a callback
    best: Values | None = None  # None: the weights as they are
    best_epoch: int = 0
    best_loss: float = math.inf
    rows: list[Epoch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # the epoch after which data had grown: patience counts from there
    grown_at: int = 0
    # of the updates of the newest epoch
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.read = np.arange(len(self.ids))  # the series that the newest update read
        self.weights = trained_weights(self.reader.module)
        self.optimiser = make_optimiser(self.config.optimiser, self.weights)
        self.average = average_of(self.config.average, self.weights)
        self.began = time.monotonic()

    @property
    def waited(self) -> int:
        """Epochs since the best one, on these data."""
        return self.epoch - max(self.best_epoch, self.grown_at)

    @property
    def ended(self) -> bool:
        """Whether a callback has stopped it, or patience is lost."""
        patience = self.config.patience
        return self.stopped or (patience is not None and self.waited >= patience)


# of a run, its newest epoch, and whether that was the best: whether to stop
Tell = Callable[[TrainingRun, Epoch, bool], bool]


def train(run: TrainingRun, keeper: Keeper, tell: Tell) -> None:
    """Train until the last epoch, early stopping, or the stop of a callback."""
    config = run.config
    while run.epoch < run.epochs and not run.ended:
        train_loss, learning_rate = train_epoch(run, run.epoch + 1)
        run.epoch += 1
        run.average.after_epoch(run.weights)
        with averaged(run.weights, run.average):
            validation_loss = validate(run)
            improved = keep_best(run, validation_loss)
            run.seconds = time.monotonic() - run.began
            row = Epoch(
                run.seeds[1],
                run.epoch,
                run.step,
                train_loss,
                validation_loss,
                learning_rate,
                run.seconds,
                False,
            )
            run.rows.append(row)
            run.stopped = tell(run, row, improved)
        schedule = config.optimiser.schedule
        if (
            schedule.kind == "plateau"
            and run.waited
            and run.waited % schedule.every == 0
        ):
            run.drops += 1
        if keeper.due():
            keeper.save(*state_of(run))
    keeper.save(*state_of(run))


def train_epoch(run: TrainingRun, epoch: int) -> tuple[float, float]:
    """One epoch of updates: the mean loss over its targets, and the last learning rate."""
    config = run.config.optimiser
    rng = np.random.default_rng([*run.seeds, epoch])
    if run.reader.module.config.dropout > 0:
        seed_torch(rng)
    tally, learning_rate = Tally(run, epoch), config.learning_rate
    for update in run.batching.updates(run.reader, epoch, rng):
        share_done = (epoch - 1 + update.share_done) / run.config.epochs
        share = rate(config.schedule, share_done, epoch - 1, run.drops)
        learning_rate = config.learning_rate * share
        set_rate(run.optimiser, learning_rate)
        zero_gradients(run.weights)
        update.sums.mean().backward()
        if config.clip is not None:
            torch.nn.utils.clip_grad_norm_(run.weights, config.clip)
        run.optimiser.step()
        run.step += 1
        run.average.after_update(run.weights, run.step)
        run.read = update.series
        tally.add(update)
    mean = tally.mean()
    run.losses = tally.losses
    return mean, learning_rate


class Tally:
    """Adds up the losses of an epoch, and raises an error if one is not finite."""

    def __init__(self, run: TrainingRun, epoch: int) -> None:
        self.run, self.epoch, self.updates = run, epoch, 0
        self.folded: list[Sums] = []
        self.recent: list[Update] = []
        self.losses: list[float] = []  # the mean loss of each update

    def add(self, update: Update) -> None:
        """One more update. Numbers are asked for a few at a time: each one would make a GPU
        wait."""
        sums = update.sums._replace(total=update.sums.total.detach())
        self.recent.append(update._replace(sums=sums))
        if len(self.recent) == CHECKED_TOGETHER:
            self._fold()

    def mean(self) -> float:
        """The mean loss over all targets so far; NaN before the first."""
        self._fold()
        return float(added(self.folded).mean()) if self.folded else math.nan

    def _fold(self) -> None:
        if not self.recent:
            return
        sums = [update.sums for update in self.recent]
        # numbers are taken out of PyTorch once: one by one, a GPU would have to wait for each
        totals = torch.stack([batch_sums.total for batch_sums in sums]).tolist()
        for total, update in zip(totals, self.recent, strict=True):
            self.updates += 1
            if not math.isfinite(total):
                raise ModelError(
                    _diverged(self.run, self.epoch, self.updates, update.series)
                )
        for total, count in zip(totals, _counts(sums), strict=True):
            self.losses.append(total / max(count, 1))
        self.folded = [added(self.folded + sums)]
        self.recent.clear()


def _counts(sums: list[Sums]) -> list[float]:
    """How many targets each part has."""
    counts = [batch_sums.targets for batch_sums in sums]
    tensors = [count for count in counts if isinstance(count, torch.Tensor)]
    if len(tensors) < len(counts):
        return [float(count) for count in counts]
    return torch.stack(tensors).tolist()


def require_finite(run: TrainingRun) -> None:
    """Raise ModelError if the weights are not finite.

    The loss of an update is that of the weights before it. So where nothing is held back, no loss
    tells what the very last update did.
    """
    if all(bool(torch.isfinite(weight).all()) for weight in run.weights):
        return
    advice = _largest_and_advice(run, run.read)
    raise ModelError(
        f"The weights are no longer finite numbers after epoch {run.epoch}, update {run.step}, "
        f"{advice}"
    )


def _diverged(run: TrainingRun, epoch: int, update: int, series: NDArray) -> str:
    where = f"in epoch {epoch}, update {update}"
    advice = _largest_and_advice(run, series)
    return f"The loss is no longer a finite number {where}, {advice}"


def _largest_and_advice(run: TrainingRun, series: NDArray) -> str:
    """Name the most likely causes: series with the largest values, infinite ones first."""
    series = np.unique(series)
    largest = run.batching.feed.largest(series)
    order = np.argsort(-largest, kind="stable")[:3]
    names = []
    for name, value in zip(run.ids[series[order]], largest[order], strict=True):
        names.append(f"{str(name)!r} (up to {value:.3g})")
    first_names = ", ".join(names)
    return (
        f"which read {len(series)} series; those with the largest values are {first_names}.\n"
        f"Try a lower learning rate (it is {run.config.optimiser.learning_rate:g}), gradient "
        "clipping (Optimiser(clip=1.0)), or a transform that scales the series."
    )


@torch.no_grad()
def validate(run: TrainingRun) -> float:
    """The mean loss over what is held back; NaN where nothing is."""
    module = run.reader.module
    noisy = module.config.dropout > 0
    if noisy:
        module.eval()
    losses = list(run.batching.validation(run.reader))
    if noisy:
        module.train()
    if not losses:
        return math.nan
    loss = float(added(losses).mean())
    if not math.isfinite(loss):
        segments = run.batching.held_back.segments
        raise ModelError(_diverged(run, run.epoch, run.step, segments.series))
    return loss


def keep_best(run: TrainingRun, loss: float) -> bool:
    """Remember the weights if the validation loss is a new lowest, or if there is none: then the
    newest count."""
    if math.isnan(loss):
        run.best_epoch = run.epoch
        return True
    if loss >= run.best_loss:
        return False
    run.best, run.best_epoch, run.best_loss = copied(run.weights), run.epoch, loss
    return True


def validate_start(run: TrainingRun) -> None:
    """Epoch 0: the weights that training starts from, so that it never gives worse ones."""
    loss = validate(run)
    if not math.isnan(loss):
        keep_best(run, loss)
        run.rows.append(Epoch(run.seeds[1], 0, 0, math.nan, loss, 0.0, 0.0, False))


def use_best(run: TrainingRun) -> None:
    """Set the module to the weights that training gives: of the best epoch, or the average so
    far."""
    values = run.best if run.best is not None else run.average.values()
    if values is not None:
        put(run.weights, values)


def state_of(run: TrainingRun) -> tuple[dict[str, Any], Groups]:
    """All that the next epoch depends on."""
    state = {
        "epoch": run.epoch,
        "step": run.step,
        "drops": run.drops,
        "seconds": run.seconds,
        "stopped": run.stopped,
        "notes": run.notes,
        "grown_at": run.grown_at,
        "best_epoch": run.best_epoch,
        "best_loss": run.best_loss if math.isfinite(run.best_loss) else None,
    }
    averages = {}
    for number, weights in enumerate(run.average.taken):
        for name, array in _arrays(weights).items():
            averages[f"{number}.{name}"] = array
    carried = [tensor for layer_state in run.batching.carried for tensor in layer_state]
    groups: Groups = {
        "weights": _arrays(run.weights),
        "best": _arrays(run.best or []),
        "average": averages,
        "carried": _arrays(carried),
        "optimiser": optimiser_arrays(run.optimiser),
        "history": History(tuple(run.rows)).columns(),
    }
    return state, groups


def go_on(run: TrainingRun, checkpoint: Found, growth: str = "") -> None:
    """Go on from a checkpoint, which may be that of a training of fewer epochs, or on data that
    have grown since; `growth`: by how much, in words."""
    take_up(run, checkpoint.state, checkpoint.groups)
    if checkpoint.grown:
        meet_growth(run, growth)
    if run.epochs > checkpoint.epochs:
        run.stopped = False  # what a callback said, it said of the shorter one
    epochs = run.config.epochs
    other_pace = epochs != checkpoint.paced_by and run.config.paced_by_epochs
    if other_pace and not run.ended:
        run.notes.append(
            f"continued after epoch {run.epoch} of {checkpoint.paced_by}: from there on, the "
            f"learning rate or the share of own predictions follows a training of {epochs} "
            f"epochs, so the result differs from {epochs} epochs at once"
        )


def meet_growth(run: TrainingRun, growth: str) -> None:
    """Validate the best weights so far on what is held back now, with which later ones are
    compared."""
    run.stopped, run.grown_at = False, run.epoch
    run.batching.carried = []  # there may be other rows now
    note = (
        f"continued after epoch {run.epoch} with more data ({growth}): the optimiser state and "
        "the fitted transforms are kept; earlier losses are those of the earlier data"
    )
    if run.best is not None:
        newest = copied(run.weights)
        put(run.weights, run.best)
        loss = validate(run)
        put(run.weights, newest)
        run.best_loss = loss
        if not math.isfinite(loss):
            run.best, run.best_loss = None, math.inf
        for place, row in enumerate(run.rows):
            if row.epoch == run.best_epoch:
                run.rows[place] = row._replace(validation_loss=loss)
        note += f", except for the best epoch so far ({run.best_epoch}), which was validated again"
    validation = run.config.validation
    if validation is not None and validation.by == "windows":
        note += "; some windows in the validation data were trained on before"
    run.notes.append(note)


def take_up(run: TrainingRun, state: dict[str, Any], groups: Groups) -> None:
    """Go on where `state_of` was asked."""
    device = run.weights[0].device

    def tensors(arrays: Arrays) -> Values:
        in_order = [arrays[str(number)] for number in range(len(arrays))]
        return [torch.from_numpy(array.copy()).to(device) for array in in_order]

    run.epoch, run.step, run.drops = state["epoch"], state["step"], state["drops"]
    run.seconds, run.best_epoch = state["seconds"], state["best_epoch"]
    run.stopped = state.get("stopped", False)
    run.notes = list(state.get("notes", []))
    run.grown_at = state.get("grown_at", 0)
    run.best_loss = math.inf if state["best_loss"] is None else state["best_loss"]
    put(run.weights, tensors(groups["weights"]))
    run.best = tensors(groups["best"]) or None
    averages = by_number(groups["average"])
    run.average.taken = [tensors(averages[number]) for number in sorted(averages)]
    carried = tensors(groups["carried"])
    pairs = zip(carried[::2], carried[1::2], strict=True)
    run.batching.carried = list(pairs)
    load_optimiser(run.optimiser, groups["optimiser"])
    columns = {name: groups["history"][name] for name in DTYPES}
    run.rows = list(History.from_columns(columns).epochs)
    run.began = time.monotonic() - run.seconds


def _arrays(tensors: Values | list[torch.nn.Parameter]) -> Arrays:
    arrays = {}
    for number, tensor in enumerate(tensors):
        arrays[str(number)] = tensor.detach().cpu().numpy()
    return arrays
