"""Callbacks, which follow a training run.

A callback is a function of an `EpochReport`, called at the end of each epoch; returning True stops
training. A method `close`, if there is one, is called when training ends for any reason. A refit on
all data is only reported to callbacks with a true attribute `follows_refit`.
"""

from __future__ import annotations

import math
import string
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from numpy.typing import NDArray

from lstmcast import store
from lstmcast.errors import MissingExtraError, ModelError, UsageError
from lstmcast.model.network import Network, described
from lstmcast.training_config import TrainingConfig, to_json
from lstmcast.util.files import checked_path

LINE_EVERY = 10.0  # seconds, where the progress line cannot be rewritten
# a manifest and groups of arrays, for the store
Stored = tuple[dict[str, Any], Mapping[str, Mapping[str, NDArray]]]
# of `EpochReport.values`, to try a name with
EXAMPLE = {"member": 0, "epoch": 1, "step": 1, "loss": 1.0, "val_loss": 1.0}


@dataclass(frozen=True, eq=False)
class EpochReport:
    """The argument of callbacks. Losses are means; NaN is a loss that was not measured.

    `network()`: the network of this member with its current weights. `stored()`: the manifest and
    arrays that `save` writes; None if a network is trained without a forecaster.
    """

    member: int
    members: int
    epoch: int
    epochs: int
    step: int
    train_loss: float
    validation_loss: float
    best_epoch: int
    learning_rate: float
    seconds: float
    improved: bool
    network: Callable[[], Network] = field(repr=False)
    training: TrainingConfig | None = field(default=None, repr=False)
    refit: bool = False
    update_losses: tuple[float, ...] = ()  # the mean loss of each update of this epoch
    stored: Callable[[], Stored] | None = field(default=None, repr=False)

    def arrays(self) -> dict[str, NDArray]:
        """The current weights of the member by name."""
        return self.network().members[0]

    @property
    def values(self) -> dict[str, Any]:
        """The fields of file names; `loss` and `val_loss` are named as in Keras."""
        return {
            "member": self.member,
            "epoch": self.epoch,
            "step": self.step,
            "loss": self.train_loss,
            "val_loss": self.validation_loss,
        }

    def save(self, folder: str | Path, *, durable: bool = True) -> None:
        """Save the current forecaster with transforms, intervals and context, for `lstmcast.load`.

        `durable`: whether to wait until it is on the disk. Raises OutputError.
        """
        manifest, groups = (
            self._network_alone() if self.stored is None else self.stored()
        )
        losses = {"train": self.train_loss, "validation": self.validation_loss}
        of: dict[str, Any] = {"epoch": self.epoch, "epochs": self.epochs}
        if self.members > 1:
            of |= {"member": self.member, "members": self.members}
        of["loss"] = {name: loss for name, loss in losses.items() if loss == loss}
        store.save(folder, {**manifest, "snapshot": of}, groups, durable=durable)

    def _network_alone(self) -> Stored:
        """The weights alone."""
        about, weights = described(self.network())
        # says what it may read
        trained = {} if self.training is None else {"training": to_json(self.training)}
        return {"kind": "network", **about, **trained}, {"weights": weights}


Callback = Callable[[EpochReport], bool | None]


class _Snapshots:
    """What `SaveBest` and `SaveEvery` share: forecasters in folders, the newest one brought to the
    disk when the training ends.

    Waiting for the disk in each epoch would take longer than many an epoch.
    """

    def __init__(self) -> None:
        self.newest: Path | None = None

    def save(self, folder: Path, report: EpochReport) -> None:
        report.save(folder, durable=False)
        self.newest = folder

    def close(self) -> None:
        if self.newest is not None:
            store.make_durable(self.newest)


class SaveBest:
    """Save the forecaster whenever the validation loss reaches a new minimum.

    The saved model has the weights of that epoch, and is read by `lstmcast.load` and `lstmcast
    predict --model`. The folder name may contain `epoch`, `loss`, `val_loss`, `step` and `member`
    (from 0). With several members, a name without `member` gets it as prefix. `only`: keep just the
    best model of all members, by validation loss, or by training loss without validation data; its
    default name is "best". Raises UsageError for other fields in the name.
    """

    def __init__(
        self, folder: str | Path, name: str | None = None, only: bool = False
    ) -> None:
        default_name = (
            "best" if only else "model{epoch:03d}-loss{loss:.3f}-vloss{val_loss:.3f}"
        )
        name = _checked(name or default_name)
        if only and _carried(name):
            raise UsageError(
                f"{name=}: only=True keeps one forecaster, in a folder with a fixed name, such as "
                "'best'."
            )
        self.folder = checked_path(folder)
        self.name = name
        self.only = only
        self.snapshots = _Snapshots()
        self.earlier = False  # whether what is saved there is of an earlier fit

    def __call__(self, report: EpochReport) -> None:
        if report.member == 0 and report.epoch == 1:
            self.earlier = True
        if not report.improved or (self.only and not self._leads(report)):
            return
        self.earlier = False
        place = self.name if self.only else _named(self.name, report)
        self.snapshots.save(self.folder / place, report)

    def close(self) -> None:
        """Wait until the last saved model is on the disk."""
        self.snapshots.close()

    def _leads(self, report: EpochReport) -> bool:
        """Whether the forecaster is better than what this fit has saved; the file knows, if the fit
        was interrupted."""
        if report.members == 1 or self.earlier:
            return True
        try:
            manifest, _ = store.load(self.folder / self.name)
        except ModelError:  # nothing that could be used
            return True
        kind, loss = _judged(report)
        return loss < manifest.get("snapshot", {}).get("loss", {}).get(kind, math.inf)


class SaveEvery:
    """Save the forecaster at the end of every n-th epoch.

    Model and folder name are as in `SaveBest`. Raises UsageError for an invalid name, or `epochs`
    below 1.
    """

    def __init__(
        self, folder: str | Path, epochs: int = 10, name: str = "snapshot{epoch:04d}"
    ) -> None:
        self.folder = checked_path(folder)
        self.epochs = _counted("epochs", epochs)
        self.name = _checked(name)
        self.snapshots = _Snapshots()

    def __call__(self, report: EpochReport) -> None:
        if report.epoch % self.epochs == 0:
            self.snapshots.save(self.folder / _named(self.name, report), report)

    def close(self) -> None:
        """Wait until the last saved model is on the disk."""
        self.snapshots.close()


def _checked(name: str) -> str:
    """The pattern of a name; UsageError where it could not be filled in."""
    try:
        name.format(**EXAMPLE)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{name=} is not a valid name ({type(error).__name__}: {error}). A text is expected, "
            f"which may contain {', '.join(EXAMPLE)} in braces. Use for example "
            "'epoch{epoch:03d}-loss{loss:.3f}'."
        ) from error
    return name


def _carried(name: str) -> set[str]:
    """Which values the pattern of a name carries."""
    return {field for _, field, _, _ in string.Formatter().parse(name) if field}


def _counted(name: str, epochs: int) -> int:
    if not isinstance(epochs, int) or isinstance(epochs, bool) or epochs < 1:
        raise UsageError(
            f"{name}={epochs!r} must be a whole number of epochs of at least 1."
        )
    return epochs


def _named(name: str, report: EpochReport) -> Path:
    """The name for this epoch; it tells the member where there are several."""
    place = Path(name.format(**report.values))
    if report.members == 1 or "member" in _carried(name):
        return place
    return place.parent / f"member{report.member}-{place.name}"


def _judged(report: EpochReport) -> tuple[str, float]:
    """The loss by which members are compared, and what a manifest calls it."""
    if math.isnan(report.validation_loss):
        return "train", report.train_loss
    return "validation", report.validation_loss


class PrintTable:
    """Print a row for every n-th epoch: epoch, training and validation loss, learning rate,
    seconds.

    UsageError for `every` below 1.
    """

    def __init__(self, stream: TextIO | None = None, every: int = 1) -> None:
        if stream is not None and not hasattr(stream, "write"):
            raise UsageError(
                f"{stream=} cannot be written to. An open file is expected, such as sys.stdout."
            )
        self.stream, self.every = stream or sys.stdout, _counted("every", every)
        self.begun = False

    def __call__(self, report: EpochReport) -> None:
        if not self.begun:
            self.stream.write(
                f"{'epoch':>7}{'train loss':>14}{'validation':>14}{'rate':>11}{'seconds':>10}\n"
            )
            self.begun = True
        if report.epoch % self.every == 0:
            mark = " *" if report.improved else ""
            self.stream.write(
                f"{report.epoch:>7}{report.train_loss:>14.6g}{report.validation_loss:>14.6g}"
                f"{report.learning_rate:>11.3g}{report.seconds:>10.1f}{mark}\n"
            )


class ProgressLine:
    """Show the remaining time in one line, rewritten on a terminal, repeated at intervals
    elsewhere."""

    follows_refit = True

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.stream = stream or sys.stderr
        self.clock = clock
        self.rewrites = self.stream.isatty()
        self.told = -LINE_EVERY
        self.width = 0
        self.newest: EpochReport | None = None  # while its line may still be rewritten
        self.began = clock()

    def __call__(self, report: EpochReport) -> None:
        is_last = report.epoch == report.epochs
        self.newest = None if is_last else report
        seconds = self.clock() - self.began
        pause = 0.1 if self.rewrites else LINE_EVERY
        if seconds - self.told < pause and not is_last:
            return
        self.told = seconds
        end = "\n" if is_last or not self.rewrites else ""
        self._write(report, end)

    def close(self) -> None:
        """End the line of a training that stopped before its last epoch."""
        if self.rewrites and self.newest is not None:
            self._write(self.newest, "\n")
        self.newest = None

    def stage(self, text: str) -> None:
        """Show a stage after the last epoch."""
        self.close()
        self.stream.write(f"{text} …\n")
        self.stream.flush()

    def _write(self, report: EpochReport, end: str) -> None:
        line = _line(report)
        text = f"\r{line.ljust(self.width)}" if self.rewrites else line
        self.stream.write(text + end)
        self.stream.flush()
        self.width = 0 if end else len(line)


def _line(report: EpochReport) -> str:
    phrases = []
    if report.refit:
        phrases.append("on everything")
    if report.members > 1:
        phrases.append(f"member {report.member + 1} of {report.members}")
    phrases.append(f"epoch {report.epoch} of {report.epochs}")
    phrases.append(f"loss {report.train_loss:.4g}")
    if not math.isnan(report.validation_loss):
        best_epoch = f"best in epoch {report.best_epoch}"
        phrases.append(f"validation {report.validation_loss:.4g} ({best_epoch})")
    epochs_left = report.epochs - report.epoch
    if epochs_left > 0:
        seconds_left = report.seconds / max(report.epoch, 1) * epochs_left
        phrases.append(f"{_duration(seconds_left)} left")
    else:
        phrases.append(f"{report.seconds:.1f} s")
    return ", ".join(phrases)


def _duration(seconds: float) -> str:
    """A readable, rounded duration.

    >>> _duration(4), _duration(75), _duration(9000)
    ('4 s', '1 min 15 s', '2 h 30 min')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, seconds_over = divmod(round(seconds), 60)
    return (
        f"{minutes} min {seconds_over} s"
        if minutes < 60
        else f"{minutes // 60} h {minutes % 60} min"
    )


class TensorBoard:
    """Write losses and the learning rate for TensorBoard; MissingExtraError if it is not
    installed."""

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError(
                "The TensorBoard callback needs the package tensorboard. Install it with pip "
                "install tensorboard."
            ) from error
        self.writer = SummaryWriter(str(checked_path(folder)))

    def __call__(self, report: EpochReport) -> None:
        prefix = f"member_{report.member}/" if report.members > 1 else ""
        scalars = {
            "loss/train": report.train_loss,
            "loss/validation": report.validation_loss,
            "rate": report.learning_rate,
        }
        for name, value in scalars.items():
            if value == value:
                self.writer.add_scalar(prefix + name, value, report.epoch)
        self.writer.flush()

    def close(self) -> None:
        """Close the file."""
        self.writer.close()
