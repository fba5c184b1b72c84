"""The importance of columns and lags as a plot, with a bar and an interval for each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmcast.evaluation.importance import Importance, Permuted
from lstmcast.output.looks import (
    DARK,
    LIGHT,
    Palette,
    dress,
    heading,
    letters_of,
    printable,
)
from lstmcast.output.plots import save_picture
from lstmcast.util.fonts import fonts_with
from lstmcast.util.language import ENGLISH, words_of
from lstmcast.util.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "What the forecast relies on"
AXIS = "error grows by, in percent, where it is permuted"
MOST_BARS = 24


@dataclass(frozen=True, eq=False)
class ImportancePlot:
    """A bar plot of an `Importance`, largest first."""

    parts: tuple[Permuted, ...]
    language: str = "en"
    dark: bool = False

    def __repr__(self) -> str:
        return f"ImportancePlot({counted(len(self.parts), 'part')})"

    @classmethod
    def from_importance(
        cls, found: Importance, *, language: str = "en", dark: bool = False
    ) -> ImportancePlot:
        """Make the plot of the 24 largest parts."""
        return cls(found.parts[:MOST_BARS], language, dark)

    def figure(self) -> Figure:
        """The plot as a matplotlib Figure, which notebooks display."""
        with fonts_with(self._letters()) as missing:
            return _figure(self, missing)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the plot as .png, .svg or .pdf; OutputError if that fails, without a partial
        file."""
        return save_picture(
            path, self._letters(), lambda missing: _figure(self, missing)
        )

    def missing_letters(self) -> str:
        """Letters that no installed font has; if there are any, the plot is in English."""
        with fonts_with(self._letters()) as missing:
            return "".join(sorted(missing))

    def _letters(self) -> set[str]:
        texts = {TITLE, AXIS}
        for measured in self.parts:
            texts |= {measured.name, measured.role}
        return letters_of(texts, self.language)


def _figure(plot: ImportancePlot, missing: set[str]) -> Figure:
    from matplotlib.figure import Figure

    palette = DARK if plot.dark else LIGHT
    words = ENGLISH if missing else words_of(plot.language)
    height = 1.3 + 0.34 * len(plot.parts)
    figure = Figure(figsize=(8.0, height), layout="constrained")
    figure.set_facecolor(palette.ground)
    ax = figure.subplots()
    ax.set_facecolor(palette.ground)
    dress(ax, palette)
    _bars(ax, plot, palette)
    labels = []
    for measured in plot.parts:
        name = printable(words(measured.name))
        labels.append(f"{name} ({words(measured.role)})")
    ax.set_yticks(range(len(labels)), labels, parse_math=False)
    ax.set_xlabel(words(AXIS), color=palette.faint, fontsize=9)
    figure.suptitle(words(TITLE), x=0.016, **heading(words, palette))
    return figure


def _bars(ax: Axes, plot: ImportancePlot, palette: Palette) -> None:
    """Draw a bar for the growth of each error, and a line between the bounds of its interval."""
    style: dict[str, Any] = {"color": palette.ink, "linewidth": 1.2, "zorder": 3}
    for row, measured in enumerate(plot.parts):
        ax.barh(row, measured.growth, height=0.62, color=palette.blue, zorder=2)
        ax.plot([measured.lower, measured.upper], [row, row], **style)
    ax.axvline(0.0, color=palette.faint, linewidth=0.9)
    ax.invert_yaxis()
