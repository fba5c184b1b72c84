"""The loop that trains one network, whatever the batching scheme.

`train` can be read aloud; what a run consists of is in `TrainingRun`, and everything that the next
epoch depends on goes into a checkpoint and comes back from it.
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
from lstmcast.training.batching import BatchingScheme, BatchReader, Update
from lstmcast.training.checkpoint import Found, Groups, Keeper
from lstmcast.training.losses import Sums, added
from lstmcast.training.optim import make_optimiser, rate, set_rate
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
    """One member's training: what is trained, and how far it has come."""

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
    grown_at: int = 0  # the epoch after which data had grown: patience counts from there
    losses: list[float] = field(default_factory=list)  # of the updates of the newest epoch

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
    """Train until the last epoch, until patience is lost, or until a callback says stop."""
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
        if schedule.kind == "plateau" and run.waited and run.waited % schedule.every == 0:
            run.drops += 1
        if keeper.due():
            keeper.save(*state_of(run))
    keeper.save(*state_of(run))


def train_epoch(run: TrainingRun, epoch: int) -> tuple[float, float]:
    """One epoch of updates: the mean loss over its targets, and the last learning rate."""
    config = run.config.optimiser
    rng = np.random.default_rng([*run.seeds, epoch])
    if run.reader.module.config.dropout > 0:
        torch.manual_seed(int(rng.integers(2**63)))
    tally, learning_rate = Tally(run, epoch), config.learning_rate
    for update in run.batching.updates(run.reader, epoch, rng):
        done = (epoch - 1 + update.done) / run.config.epochs
        learning_rate = config.learning_rate * rate(config.schedule, done, epoch - 1, run.drops)
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
    """Adds up the losses of an epoch, and stops where one is not a number."""

    def __init__(self, run: TrainingRun, epoch: int) -> None:
        self.run, self.epoch, self.updates = run, epoch, 0
        self.folded: list[Sums] = []
        self.recent: list[Update] = []
        self.losses: list[float] = []  # the mean loss of each update

    def add(self, update: Update) -> None:
        """One more update. Numbers are asked for a few at a time: each one would make a GPU
        wait."""
        self.recent.append(
            update._replace(sums=Sums(update.sums.total.detach(), update.sums.targets))
        )
        if len(self.recent) == CHECKED_TOGETHER:
            self._fold()

    def mean(self) -> float:
        """The mean loss over all targets so far; NaN before the first."""
        self._fold()
        return float(added(self.folded).mean()) if self.folded else math.nan

    def _fold(self) -> None:
        if not self.recent:
            return
        # numbers are taken out of PyTorch once: one by one, a GPU would have to wait for each
        totals = torch.stack([update.sums.total for update in self.recent]).tolist()
        wrong = [number for number, total in enumerate(totals) if not math.isfinite(total)]
        if wrong:
            first = wrong[0]
            raise ModelError(
                _diverged(self.run, self.epoch, self.updates + first + 1, self.recent[first].series)
            )
        self.updates += len(self.recent)
        targets = _counts([update.sums for update in self.recent])
        self.losses += [total / max(many, 1) for total, many in zip(totals, targets, strict=True)]
        self.folded = [added([*self.folded, *(update.sums for update in self.recent)])]
        self.recent.clear()


def _counts(parts: list[Sums]) -> list[float]:
    """How many targets each part has."""
    counts = [part.targets for part in parts]
    tensors = [count for count in counts if isinstance(count, torch.Tensor)]
    if len(tensors) < len(counts):
        return [float(count) for count in counts]
    return torch.stack(tensors).tolist()


def require_finite(run: TrainingRun) -> None:
    """ModelError where the weights are no finite numbers.

    The loss of an update is that of the weights before it. So where nothing is held back, no loss
    tells what the very last update did.
    """
    if not all(bool(torch.isfinite(weight).all()) for weight in run.weights):
        raise ModelError(
            f"The weights are no longer finite numbers after epoch {run.epoch}, update {run.step}, "
            + _largest_and_advice(run, run.read)
        )


def _diverged(run: TrainingRun, epoch: int, update: int, series: NDArray) -> str:
    where = f"in epoch {epoch}, update {update}"
    advice = _largest_and_advice(run, series)
    return f"The loss is no longer a finite number {where}, {advice}"


def _largest_and_advice(run: TrainingRun, series: NDArray) -> str:
    """Names the series that most likely did it: those with the largest numbers, infinite ones
    first."""
    series = np.unique(series)
    largest = run.batching.feed.largest(series)
    order = np.argsort(-largest, kind="stable")[:3]
    named = ", ".join(f"{str(run.ids[series[k]])!r} (up to {largest[k]:.3g})" for k in order)
    return (
        f"which read {len(series)} series; those with the largest values are {named}.\nTry a lower "
        f"learning rate (it is {run.config.optimiser.learning_rate:g}), gradient clipping "
        "(Optimiser(clip=1.0)), or a transform that scales the series."
    )


@torch.no_grad()
def validate(run: TrainingRun) -> float:
    """The mean loss over what is held back; NaN where nothing is."""
    module = run.reader.module
    noisy = module.config.dropout > 0
    if noisy:
        module.eval()
    parts = list(run.batching.validation(run.reader))
    if noisy:
        module.train()
    if not parts:
        return math.nan
    loss = float(added(parts).mean())
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
    best = run.best if run.best is not None else run.average.values()
    if best is not None:
        put(run.weights, best)


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
    groups: Groups = {
        "weights": _arrays(run.weights),
        "best": _arrays(run.best or []),
        "average": {
            f"{k}.{n}": a
            for k, taken in enumerate(run.average.taken)
            for n, a in _arrays(taken).items()
        },
        "carried": _arrays([part for pair in run.batching.carried for part in pair]),
        "optimiser": {
            f"{k}.{name}": torch.as_tensor(value).cpu().numpy()
            for k, values in run.optimiser.state_dict()["state"].items()
            for name, value in values.items()
        },
        "history": History(tuple(run.rows)).columns(),
    }
    return state, groups


def go_on(run: TrainingRun, found: Found, growth: str = "") -> None:
    """Go on from a checkpoint, which may be that of a training of fewer epochs, or on data that
    have grown since; `growth`: by how much, in words."""
    take_up(run, found.state, found.groups)
    if found.grown:
        meet_growth(run, growth)
    if run.epochs > found.epochs:
        run.stopped = False  # what a callback said, it said of the shorter one
    if run.config.epochs != found.paced_by and run.config.paced_by_epochs and not run.ended:
        run.notes.append(
            f"continued after epoch {run.epoch} of {found.paced_by}: the learning rate, or "
            f"the share "
            f"of own predictions, is as in a training of {run.config.epochs} epochs from there on, "
            f"so the result is not that of {run.config.epochs} at once"
        )


def meet_growth(run: TrainingRun, growth: str) -> None:
    """Validate the best weights so far on what is held back now, with which later ones are
    compared."""
    run.stopped, run.grown_at = False, run.epoch
    run.batching.carried = []  # there may be other rows now
    note = (
        f"continued after epoch {run.epoch} with data that have grown ({growth}): the state of the "
        "optimiser and what the transforms had learned are kept; losses before are those of the "
        "earlier data"
    )
    if run.best is not None:
        newest = copied(run.weights)
        put(run.weights, run.best)
        loss = validate(run)
        put(run.weights, newest)
        known = math.isfinite(loss)
        run.best, run.best_loss = (run.best, loss) if known else (None, math.inf)
        run.rows = [
            row._replace(validation_loss=loss) if row.epoch == run.best_epoch else row
            for row in run.rows
        ]
        note += f", but for the best epoch so far ({run.best_epoch}), which was validated again"
    validation = run.config.validation
    if validation is not None and validation.by == "windows":
        note += "; some windows that are held back now were trained on before"
    run.notes.append(note)


def take_up(run: TrainingRun, state: dict[str, Any], groups: Groups) -> None:
    """Go on where `state_of` was asked."""
    device = run.weights[0].device

    def tensors(group: dict[str, NDArray]) -> Values:
        return [torch.from_numpy(group[str(k)].copy()).to(device) for k in range(len(group))]

    run.epoch, run.step, run.drops = state["epoch"], state["step"], state["drops"]
    run.seconds, run.best_epoch = state["seconds"], state["best_epoch"]
    run.stopped, run.notes = state.get("stopped", False), list(state.get("notes", []))
    run.grown_at = state.get("grown_at", 0)
    run.best_loss = math.inf if state["best_loss"] is None else state["best_loss"]
    put(run.weights, tensors(groups["weights"]))
    run.best = tensors(groups["best"]) or None
    taken: dict[int, dict[str, NDArray]] = {}
    for name, array in groups["average"].items():
        taken.setdefault(int(name.partition(".")[0]), {})[name.partition(".")[2]] = array
    run.average.taken = [tensors(taken[k]) for k in sorted(taken)]
    carried = tensors(groups["carried"])
    run.batching.carried = list(zip(carried[::2], carried[1::2], strict=True))
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, array in groups["optimiser"].items():
        moments.setdefault(int(name.partition(".")[0]), {})[name.partition(".")[2]] = (
            torch.from_numpy(array.copy())
        )
    run.optimiser.load_state_dict(
        {"state": moments, "param_groups": run.optimiser.state_dict()["param_groups"]}
    )
    run.rows = list(History.from_columns({name: groups["history"][name] for name in DTYPES}).epochs)
    run.began = time.monotonic() - run.seconds


def _arrays(tensors: Values | list[torch.nn.Parameter]) -> dict[str, NDArray]:
    return {str(k): tensor.detach().cpu().numpy() for k, tensor in enumerate(tensors)}
