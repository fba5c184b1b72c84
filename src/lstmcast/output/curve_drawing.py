"""Learning curves, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.errors import UsageError
from lstmcast.output.looks import AMBER, BLUE, FAINT, INK, dress, heading, tick_format
from lstmcast.util.language import ENGLISH, words_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lstmcast.output.learning_curve import LearningCurve

# The labels of the plot; each may be replaced, for example by its translation.
LABELS = {
    "title": "Learning curve",
    "epoch": "epoch",
    "loss": "loss",
    "train": "training",
    "validation": "validation",
    "start": "start",
    "kept": "kept",
    "mean": "mean",
}


def curve_figure(picture: LearningCurve, log: bool, missing: set[str]) -> Figure:
    """A figure of its own; `missing`: letters that no font has."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    # Labels whose letters no font has are drawn in English, not as rows of boxes.
    labels = dict(picture.labels)
    for name, text in picture.labels.items():
        if missing.intersection(text):
            labels[name] = LABELS[name]
    figure = Figure(
        figsize=(9.0, 4.8),
        layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08),
        facecolor="white",
    )
    ax = figure.subplots()
    draw_curve(ax, picture, log, labels)
    words = ENGLISH if missing else words_of(picture.language)
    figure.suptitle(labels["title"], x=0.016, **heading(words))
    figure.legend(
        loc="outside lower left",
        ncols=4,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handlelength=1.6,
        columnspacing=1.8,
    )
    return figure


def draw_curve(
    ax: Axes, picture: LearningCurve, log: bool, labels: Mapping[str, str]
) -> None:
    """Lines, kept epochs and axes of a learning curve. Raises UsageError."""
    if log and not picture.is_positive:
        raise UsageError(
            "log=True needs positive losses, but some are not, as is possible with likelihoods. "
            "Use log=False."
        )
    for label, line in _lines(picture, labels):
        ax.plot(line.pop("x"), line.pop("y"), label=label, **line)
    _draw_starts(ax, picture, labels)
    best_epochs = [
        (curve.kept, curve.loss) for curve in picture.curves if curve.kept is not None
    ]
    if best_epochs:
        ax.plot(
            *zip(*best_epochs, strict=True),
            label=picture.kept_text(labels),
            linestyle="none",
            marker="o",
            markersize=7,
            color=AMBER,
            markeredgecolor="white",
            zorder=5,
            clip_on=False,
        )
    ax.set_xlabel(labels["epoch"], color=FAINT, fontsize=9, parse_math=False)
    ax.set_ylabel(labels["loss"], color=FAINT, fontsize=9, parse_math=False)
    _dress(ax, picture, log)


def _lines(
    picture: LearningCurve, labels: Mapping[str, str]
) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Yield the two lines of each member; the first of each kind has a label for the legend."""
    is_many = len(picture.curves) > 1
    for kind, colour, order in (("train", FAINT, 2), ("validation", BLUE, 3)):
        label = labels[kind]
        for curve in picture.curves:
            losses = getattr(curve, kind)
            is_known = np.isfinite(losses)
            if not is_known.any():
                continue
            yield (
                label,
                {
                    "x": curve.epochs[is_known],
                    "y": losses[is_known],
                    "color": colour,
                    "zorder": order,
                    "linewidth": 1.0 if is_many else 1.7,
                    "alpha": 0.8 if is_many else 1.0,
                    "marker": "o" if is_known.sum() <= 30 else None,
                    "markersize": 2.6,
                },
            )
            label = None


def _draw_starts(ax: Axes, picture: LearningCurve, labels: Mapping[str, str]) -> None:
    label = picture.start_text(labels)
    for start in sorted(
        {curve.start for curve in picture.curves if np.isfinite(curve.start)}
    ):
        ax.axhline(
            start,
            color=INK,
            linewidth=1.0,
            linestyle=(0, (4, 3)),
            label=label,
            zorder=1,
        )
        label = None


def _dress(ax: Axes, picture: LearningCurve, log: bool) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    dress(ax)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, steps=[1, 2, 5, 10]))
    if all(len(curve.epochs) < 2 for curve in picture.curves):
        ax.set_xlim(-0.1, 2.1)  # one epoch, or none, does not determine an axis
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    if log:
        ax.set_yscale("log")
        ax.yaxis.set_minor_locator(NullLocator())
    # a smaller range contains fewer than two ticks of 1, 2, 5 times a power of ten
    if log and picture.falls > 5:
        subs = (1, 2, 5) if picture.falls < 1000 else (1,)
        ax.yaxis.set_major_locator(LogLocator(subs=subs))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        return
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5))
    low, high = ax.get_ylim()
    if low < 0 <= picture._losses().min():
        ax.set_ylim(0, high)
    ax.yaxis.set_major_formatter(
        FuncFormatter(tick_format(np.asarray(ax.get_yticks())))
    )
