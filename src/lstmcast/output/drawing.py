"""A picture of forecasts as a matplotlib figure, drawn from what was computed before."""

# T time · H horizon · O origins

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy import ndarray

from lstmcast.output.looks import (
    LIGHT,
    Palette,
    dress,
    dress_times,
    heading,
    positions,
    printable,
    tick_format,
)
from lstmcast.output.panes import FORECAST, HELD_OUT, HISTORY, Pane, band_text
from lstmcast.util.language import Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lstmcast.output.plots import ForecastPlot


BEYOND = 0.35  # of what is shown, as far as a wide interval may stretch the axis
LONG = 600  # values, beyond which a line is thin


def figure_of(plot: ForecastPlot, missing: set[str]) -> Figure:
    """The whole picture; `missing`: letters that no font has."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = 1 if len(plot.panes) == 1 else 2
    rows = -(-len(plot.panes) // columns)
    size = (10.0, 5.0) if columns == 1 else (12.0, 0.9 + 2.7 * rows)
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08, hspace=0.04, wspace=0.03)
    palette = plot.palette
    figure = Figure(figsize=size, layout=layout, facecolor=palette.ground)
    words = plot.drawn_words(missing)
    grid = figure.subplots(rows, columns, squeeze=False)
    for place, ax in enumerate(grid.flat):
        if place >= len(plot.panes):
            ax.set_axis_off()
            continue
        draw_pane(ax, plot.panes[place], words, palette)
        if len(plot.panes) == 1 and plot.unit and not missing.intersection(plot.unit):
            ax.set_ylabel(printable(plot.unit), fontsize=9, color=palette.faint, parse_math=False)
        if len(plot.panes) > 1:
            # numbered where no font has its letters: a row of boxes names nothing
            name, numbered = plot.panes[place].name, words(f"series {place + 1}")
            name = numbered if missing.intersection(name) else printable(name)
            ax.set_title(name, loc="left", fontsize=10, color=palette.ink, parse_math=False)
    named = not missing.intersection(plot.name)
    title = f"{printable(plot.name, 75)}: " * named + words(plot.summary)
    _draw_head(figure, title, words, palette)
    return figure


def _draw_head(figure: Figure, title: str, words: Words, palette: Palette) -> None:
    figure.suptitle(title, x=0.013, **heading(words, palette))
    legends = [
        zip(*reversed(ax.get_legend_handles_labels()), strict=True) for ax in reversed(figure.axes)
    ]
    handles = dict(entry for legend in legends for entry in legend)  # one of each label
    labels = sorted(handles, key=lambda label: _legend_place(label, words))
    figure.legend(
        [handles[label] for label in labels],
        labels,
        loc="outside lower left",
        ncols=max(len(labels), 1),
        frameon=False,
        fontsize=9,
        labelcolor=palette.ink,
        handlelength=1.6,
        columnspacing=1.8,
    )


def _legend_place(label: str, words: Words) -> tuple[int, float]:
    order = [words(HISTORY), words(HELD_OUT), words(FORECAST)]
    return (order.index(label), 0) if label in order else (len(order), float(label.split("%")[0]))


def draw_pane(ax: Axes, pane: Pane, words: Words, palette: Palette = LIGHT) -> None:
    ax.set_facecolor(palette.ground)
    history, future = positions(pane.times), positions(pane.future, pane.times)
    joint, level = _joint(pane, history)
    x = np.append(joint, future)
    for band, colour in zip(pane.bands, _band_colours(len(pane.bands), palette), strict=True):
        lower, upper = np.append(level, band.lower), np.append(level, band.upper)
        label = words(band_text(band.level))
        ax.fill_between(x, lower, upper, color=colour, linewidth=0, label=label, zorder=1)
    for number, line in enumerate(pane.held_out):
        label = words(HELD_OUT) if number == 0 else None
        ax.plot(
            positions(line.times, pane.times),
            line.point,
            color=palette.amber,
            linewidth=1.1,
            label=label,
            zorder=3,
        )
    marker = "o" if np.isfinite(pane.values).sum() <= 40 else None
    if len(history):
        # where what is known ends
        ax.axvline(history[-1], color=palette.faint, linewidth=0.9, linestyle=":", zorder=1)
    ax.plot(
        history,
        pane.values,
        color=palette.ink,
        linewidth=1.3 if len(history) <= LONG else 0.7,  # long ones would be a solid area
        marker=marker,
        markersize=2.6,
        label=words(HISTORY),
        zorder=2,
    )
    _mark_lone_values(ax, history, pane.values, palette)
    style = {"marker": "o", "markersize": 3.2} if len(future) == 1 else {}
    point = np.append(level, pane.point)
    ax.plot(
        x,
        point,
        color=palette.blue,
        linewidth=1.9,
        label=words(FORECAST),
        zorder=4,
        solid_capstyle="round",
        **style,
    )
    _dress_pane(ax, pane, words, palette)


def _joint(pane: Pane, history: ndarray) -> tuple[ndarray, ndarray]:
    """The last known point, from which the forecast is drawn; none where the newest values are
    missing."""
    known = len(pane.values) > 0 and np.isfinite(pane.values[-1])
    return (history[-1:], pane.values[-1:]) if known else (history[:0], pane.values[:0])


def _band_colours(count: int, palette: Palette) -> list[str]:
    from matplotlib.colors import to_hex, to_rgb

    wide, narrow = (np.array(to_rgb(colour)) for colour in palette.bands)
    shares = np.linspace(0, 1, count) if count > 1 else np.full(count, 0.6)
    return [to_hex(tuple((wide + share * (narrow - wide)).tolist())) for share in shares]


def _mark_lone_values(ax: Axes, x: ndarray, values: ndarray, palette: Palette) -> None:
    """A value between two missing ones makes no line: give it a dot."""
    known = np.isfinite(np.concatenate([[np.nan], values, [np.nan]]))
    lone = known[1:-1] & ~known[:-2] & ~known[2:]
    if lone.any():
        dots = {"linestyle": "none", "marker": "o", "markersize": 2.6, "color": palette.ink}
        ax.plot(x[lone], values[lone], zorder=2, **dots)


def _dress_pane(ax: Axes, pane: Pane, words: Words, palette: Palette) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    dress(ax, palette)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5))
    if limits := _limits(pane):
        ax.set_ylim(*limits)
    low, high = ax.get_ylim()
    if low < 0 <= _lowest(pane):
        # nothing negative was seen or forecast: an axis below zero would suggest it
        ax.set_ylim(0, high)
    ax.yaxis.set_major_formatter(FuncFormatter(tick_format(np.asarray(ax.get_yticks()))))
    dress_times(ax, np.concatenate([pane.times, pane.future]), words, palette)


def _limits(pane: Pane) -> tuple[float, float] | None:
    """From where to where the axis reaches: over all lines and the narrowest interval. A wide one
    may stretch it by a third, and leaves it where it is wider, so that it does not rule it."""
    lines = [pane.values, pane.point, *(line.point for line in pane.held_out)]
    lines += [side for band in pane.bands[-1:] for side in (band.lower, band.upper)]
    shown = np.concatenate(lines)
    shown = shown[np.isfinite(shown)]
    if not len(shown) or shown.min() == shown.max():
        return None
    low, high = float(shown.min()), float(shown.max())
    room = BEYOND * (high - low)
    wide = [side for band in pane.bands[:-1] for side in (band.lower, band.upper)]
    bounds = np.concatenate([*wide, shown])
    bounds = np.clip(bounds[np.isfinite(bounds)], low - room, high + room)
    low, high = float(bounds.min()), float(bounds.max())
    space = 0.06 * (high - low)
    return low - space, high + space


def _lowest(pane: Pane) -> float:
    values = np.concatenate([pane.values, pane.point, *(band.lower for band in pane.bands)])
    return float(np.nanmin(values, initial=np.inf, where=np.isfinite(values)))
