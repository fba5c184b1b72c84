"""The loss of each epoch of a training as a plot, with labels in any language. Computed once, drawn
later."""

# E epochs

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from lstmcast.errors import UsageError
from lstmcast.output.curve_drawing import LABELS, curve_figure, draw_curve
from lstmcast.output.plots import save_picture
from lstmcast.util.fonts import fonts_with
from lstmcast.util.language import words_of
from lstmcast.util.text import counted, number_format

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lstmcast.training_history import Epoch, History


@dataclass(frozen=True, eq=False)
class Curve:
    """The losses of one member's epochs (E,), NaN if not measured.

    `start`: the validation loss before training, NaN unless it started from trained weights;
    `kept`: the selected epoch, 0 for the start, None if unknown; `loss`: its validation loss, or
    its training loss if nothing was held back.
    """

    member: int
    epochs: ndarray
    train: ndarray
    validation: ndarray
    start: float
    kept: int | None
    loss: float


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """A plot of training and validation loss by epoch, with the selected epoch and the initial
    loss.

    >>> from lstmcast.training_history import Epoch, History
    >>> rows = [Epoch(0, e, e, 1 / e, 0.5 + (e - 3) ** 2 / 9, 1e-3, 0.1 * e, e == 3)
    ...         for e in range(1, 6)]
    >>> curve = LearningCurve.from_history(History(tuple(rows)), {"epoch": "Epoche"})
    >>> curve.curves[0].kept, curve.kept_text(curve.labels)
    (3, 'kept: Epoche 3, 0.5000')
    """

    curves: tuple[Curve, ...]  # one for each member
    labels: Mapping[str, str]
    language: str = "en"

    def __repr__(self) -> str:
        """How many networks were trained, and for how many epochs in all."""
        epochs = sum(len(curve.epochs) for curve in self.curves)
        members = counted(len(self.curves), "member")
        return f"LearningCurve({members}, {counted(epochs, 'epoch')})"

    @classmethod
    def from_history(
        cls,
        history: History,
        labels: Mapping[str, str] | None = None,
        *,
        language: str = "en",
    ) -> LearningCurve:
        """Make the plot of a training run, in "en" or "ja".

        `labels`: replacements for some of `LABELS`. Raises UsageError if there is no epoch.
        """
        if not len(history):
            raise UsageError(
                "There is no learning curve: the history has no epochs, since nothing was trained."
            )
        members = sorted({row.member for row in history.epochs})
        return cls(
            tuple(_curve(history.member(number).epochs) for number in members),
            _checked(labels or {}, language),
            language,
        )

    @property
    def is_positive(self) -> bool:
        """Whether all losses are positive, as a logarithmic axis requires."""
        return bool((self._losses() > 0).all())

    @property
    def falls(self) -> float:
        """The ratio of the highest to the lowest loss; infinite if a loss is not positive."""
        losses = self._losses()
        return float(losses.max() / losses.min()) if self.is_positive else np.inf

    def draw(self, ax: Axes | None = None, log: bool = False) -> Axes:
        """Draw on a matplotlib Axes with its fonts, or on a new figure with title and legend.

        `log`: whether the axis of losses is logarithmic; UsageError if a loss is not positive.
        """
        if ax is None:
            return self.figure(log).axes[0]
        draw_curve(ax, self, log, self.labels)
        return ax

    def figure(self, log: bool = False) -> Figure:
        """The plot as a matplotlib Figure, which notebooks display."""
        with fonts_with(self._letters()) as missing:
            return curve_figure(self, log, missing)

    def save(self, path: str | os.PathLike[str], log: bool = False) -> Path:
        """Write the plot as .png, .svg or .pdf; OutputError if that fails, without a partial
        file."""
        return save_picture(
            path, self._letters(), lambda missing: curve_figure(self, log, missing)
        )

    def missing_letters(self) -> str:
        """Letters of the labels that no installed font has; such labels are in English."""
        with fonts_with(self._letters()) as missing:
            return "".join(sorted(missing))

    def to_json(self) -> str:
        """The data of the plot as JSON, with unknown numbers as null."""
        texts = {
            **self.labels,
            "start": self.start_text(self.labels),
            "kept": self.kept_text(self.labels),
        }
        members = [_curve_json(curve) for curve in self.curves]
        return json.dumps(
            {"labels": texts, "log": self.is_positive, "members": members},
            ensure_ascii=False,
        )

    def thinned(self, limit: int) -> LearningCurve:
        """The plot with about this many evenly spaced epochs of all members."""
        return replace(
            self,
            curves=tuple(
                _thinned(curve, max(limit // len(self.curves), 2))
                for curve in self.curves
            ),
        )

    def start_text(self, labels: Mapping[str, str]) -> str:
        """The legend of the initial loss; empty if it is unknown."""
        starts = [curve.start for curve in self.curves if np.isfinite(curve.start)]
        return f"{labels['start']}: {_mean_text(starts, labels)}" if starts else ""

    def kept_text(self, labels: Mapping[str, str]) -> str:
        """The legend of the selected epochs; empty if they are unknown."""
        best_epochs = [
            (curve.kept, curve.loss) for curve in self.curves if curve.kept is not None
        ]
        if not best_epochs:
            return ""
        first = min(best_epochs)[0]
        newest = max(best_epochs)[0]
        epochs = f"{first:,}" if first == newest else f"{first:,}–{newest:,}"
        loss = _mean_text([loss for _, loss in best_epochs], labels)
        return f"{labels['kept']}: {labels['epoch']} {epochs}, {loss}"

    def _letters(self) -> set[str]:
        return set().union(*self.labels.values())

    def _losses(self) -> ndarray:
        member_losses = [
            np.r_[curve.train, curve.validation, curve.start] for curve in self.curves
        ]
        losses = np.concatenate(member_losses)
        return losses[np.isfinite(losses)]


# ---------------------------------------------------------------- what is drawn


def _checked(labels: Mapping[str, str], language: str) -> dict[str, str]:
    if unknown := sorted(set(labels) - set(LABELS)):
        raise UsageError(
            f"labels= has {unknown[0]!r}, which is not a label of this plot. Its labels are "
            f"{', '.join(LABELS)}."
        )
    words = words_of(language)
    return {**{name: words(text) for name, text in LABELS.items()}, **labels}


def _curve(rows: tuple[Epoch, ...]) -> Curve:
    best_epoch = None
    best_loss = np.nan
    for row in rows:
        if row.best:
            best_epoch = row.epoch
            best_loss = _judged(row)
            break
    trained = [row for row in rows if row.epoch > 0]
    return Curve(
        member=rows[0].member,
        epochs=np.array([row.epoch for row in trained], np.int64),
        train=np.array([row.train_loss for row in trained], float),
        validation=np.array([row.validation_loss for row in trained], float),
        start=next((row.validation_loss for row in rows if row.epoch == 0), np.nan),
        kept=best_epoch,
        loss=best_loss,
    )


def _judged(row: Epoch) -> float:
    return row.validation_loss if np.isfinite(row.validation_loss) else row.train_loss


def _thinned(curve: Curve, limit: int) -> Curve:
    count = len(curve.epochs)
    if count <= limit:
        return curve
    places = np.linspace(0, count - 1, limit).round().astype(np.int64)
    # the selected epoch stays on the line
    places = np.union1d(places, np.flatnonzero(curve.epochs == curve.kept))
    return replace(
        curve,
        epochs=curve.epochs[places],
        train=curve.train[places],
        validation=curve.validation[places],
    )


def _curve_json(curve: Curve) -> dict[str, Any]:
    return {
        "member": curve.member,
        "epochs": curve.epochs.tolist(),
        "train": _numbers(curve.train),
        "validation": _numbers(curve.validation),
        "start": _number(curve.start),
        "kept": curve.kept,
        "loss": _number(curve.loss),
    }


def _numbers(values: ndarray) -> list[float | None]:
    return [_number(value) for value in values.tolist()]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _mean_text(losses: list[float], labels: Mapping[str, str]) -> str:
    write = number_format(np.array(losses))
    return (
        write(losses[0])
        if len(losses) == 1
        else f"{labels['mean']} {write(float(np.mean(losses)))}"
    )


# ---------------------------------------------------------------- drawing
