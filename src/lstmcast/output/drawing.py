"""Draw plots of forecasts as matplotlib figures, from data computed before."""

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
from lstmcast.util.text import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lstmcast.output.plots import ForecastPlot


BEYOND = 0.35  # share of the shown range by which a wide interval may stretch the axis
LONG = 600  # values beyond which a line is thin


def figure_of(plot: ForecastPlot, missing: set[str]) -> Figure:
    """The whole plot; `missing`: letters that no font has."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    is_single = len(plot.panes) == 1
    columns = 1 if is_single else 2
    rows = -(-len(plot.panes) // columns)
    size = (10.0, 5.0) if is_single else (12.0, 0.9 + 2.7 * rows)
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08, hspace=0.04, wspace=0.03)
    palette = plot.palette
    figure = Figure(figsize=size, layout=layout, facecolor=palette.ground)
    words = plot.drawn_words(missing)
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for place, pane in enumerate(plot.panes):
        draw_pane(axes[place], pane, words, palette)
        if not is_single:
            # numbered if no font has its letters: a row of boxes is not a name
            numbered = words(f"series {place + 1}")
            name = numbered if missing.intersection(pane.name) else printable(pane.name)
            _draw_name(axes[place], name, palette)
    for ax in axes[len(plot.panes) :]:
        ax.set_axis_off()
    if is_single and plot.unit and not missing.intersection(plot.unit):
        unit = printable(plot.unit)
        axes[0].set_ylabel(unit, fontsize=9, color=palette.faint, parse_math=False)
    title = words(plot.summary)
    if not missing.intersection(plot.name):
        title = f"{printable(plot.name, 75)}: {title}"
    _draw_head(figure, title, words, palette)
    return figure


def _draw_name(ax: Axes, name: str, palette: Palette) -> None:
    ax.set_title(name, loc="left", fontsize=10, color=palette.ink, parse_math=False)


def _draw_head(figure: Figure, title: str, words: Words, palette: Palette) -> None:
    figure.suptitle(title, x=0.013, **heading(words, palette))
    handles = {}  # one for each label
    for ax in reversed(figure.axes):
        ax_handles, ax_labels = ax.get_legend_handles_labels()
        handles.update(zip(ax_labels, ax_handles, strict=True))
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
    if label in order:
        return order.index(label), 0
    level = float(label.split("%")[0])
    return len(order), level


def draw_pane(ax: Axes, pane: Pane, words: Words, palette: Palette = LIGHT) -> None:
    ax.set_facecolor(palette.ground)
    history = positions(pane.times)
    future = positions(pane.future, pane.times)
    joint, level = _joint(pane, history)
    x_values = np.append(joint, future)
    colours = _band_colours(len(pane.bands), palette)
    for band, colour in zip(pane.bands, colours, strict=True):
        lower = np.append(level, band.lower)
        upper = np.append(level, band.upper)
        label = words(band_text(band.level))
        ax.fill_between(
            x_values, lower, upper, color=colour, linewidth=0, label=label, zorder=1
        )
    _draw_held_out(ax, pane, words, palette)
    _draw_history(ax, pane, history, words, palette)
    style = {"marker": "o", "markersize": 3.2} if len(future) == 1 else {}
    ax.plot(
        x_values,
        np.append(level, pane.point),
        color=palette.blue,
        linewidth=1.9,
        label=words(FORECAST),
        zorder=4,
        solid_capstyle="round",
        **style,
    )
    _dress_pane(ax, pane, words, palette)


def _draw_held_out(ax: Axes, pane: Pane, words: Words, palette: Palette) -> None:
    label: str | None = words(HELD_OUT)
    for line in pane.held_out:
        ax.plot(
            positions(line.times, pane.times),
            line.point,
            color=palette.amber,
            linewidth=1.1,
            label=label,
            zorder=3,
        )
        label = None  # only once in the legend


def _draw_history(
    ax: Axes, pane: Pane, history: ndarray, words: Words, palette: Palette
) -> None:
    are_few = np.isfinite(pane.values).sum() <= 40
    if len(history):
        # the end of the history
        ax.axvline(
            history[-1], color=palette.faint, linewidth=0.9, linestyle=":", zorder=1
        )
    width = 1.3 if len(history) <= LONG else 0.7  # long histories would be a solid area
    marker = "o" if are_few else None
    ax.plot(
        history,
        pane.values,
        color=palette.ink,
        linewidth=width,
        marker=marker,
        markersize=2.6,
        label=words(HISTORY),
        zorder=2,
    )
    _mark_lone_values(ax, history, pane.values, palette)


def _joint(pane: Pane, history: ndarray) -> tuple[ndarray, ndarray]:
    """The last known point, from which the forecast is drawn; empty if the newest values are
    missing."""
    is_known = len(pane.values) > 0 and np.isfinite(pane.values[-1])
    count = 1 if is_known else 0
    first = len(history) - count
    return history[first:], pane.values[first:]


def _band_colours(count: int, palette: Palette) -> list[str]:
    from matplotlib.colors import to_hex, to_rgb

    wide, narrow = (np.array(to_rgb(colour)) for colour in palette.bands)
    shares = np.linspace(0, 1, count) if count > 1 else np.full(count, 0.6)
    mixed = [wide + share * (narrow - wide) for share in shares]
    return [to_hex(tuple(colour.tolist())) for colour in mixed]


def _mark_lone_values(
    ax: Axes, x_values: ndarray, values: ndarray, palette: Palette
) -> None:
    """Draw a dot for values between two missing ones, which have no line."""
    is_known = np.isfinite(np.concatenate([[np.nan], values, [np.nan]]))
    lone = is_known[1:-1] & ~is_known[:-2] & ~is_known[2:]
    if lone.any():
        dots = {
            "linestyle": "none",
            "marker": "o",
            "markersize": 2.6,
            "color": palette.ink,
        }
        ax.plot(x_values[lone], values[lone], zorder=2, **dots)


def _dress_pane(ax: Axes, pane: Pane, words: Words, palette: Palette) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    dress(ax, palette)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5))
    if limits := _limits(pane):
        ax.set_ylim(*limits)
    low, high = ax.get_ylim()
    if low < 0 <= _lowest(pane):
        # without negative values, an axis below zero would suggest some
        ax.set_ylim(0, high)
    _mark_values_beyond(ax, pane, palette)
    number_text = tick_format(np.asarray(ax.get_yticks()))
    ax.yaxis.set_major_formatter(FuncFormatter(number_text))
    times = np.concatenate([pane.times, pane.future])
    dress_times(ax, times, words, palette)


def _mark_values_beyond(ax: Axes, pane: Pane, palette: Palette) -> None:
    """Values that the axis leaves out: an arrow at the edge, with the value."""
    if pane.usual is None:
        return
    low, high = pane.usual
    at_history = positions(pane.times)
    sides = (
        (pane.values > high, "▲", 1.0, "bottom"),
        (pane.values < low, "▼", 0.0, "top"),
    )
    for is_beyond, arrow, edge, alignment in sides:
        for place in np.flatnonzero(is_beyond):
            ax.annotate(
                f"{arrow} {number(float(pane.values[place]))}",
                (at_history[place], edge),
                xycoords=("data", "axes fraction"),
                ha="center",
                va=alignment,
                fontsize=8,
                color=palette.ink,
                annotation_clip=False,
            )


def _limits(pane: Pane) -> tuple[float, float] | None:
    """The limits of the axis: all lines and the narrowest interval. A wide interval may stretch
    them by a third and is cut off beyond, so that it does not dominate the plot."""
    history = pane.values if pane.usual is None else np.clip(pane.values, *pane.usual)
    lines = [history, pane.point, *(line.point for line in pane.held_out)]
    for band in pane.bands[-1:]:
        lines += [band.lower, band.upper]
    values = _finite(lines)
    if not len(values) or values.min() == values.max():
        return None
    low = float(values.min())
    high = float(values.max())
    room = BEYOND * (high - low)
    for band in pane.bands[:-1]:
        lines += [band.lower, band.upper]
    bounds = np.clip(_finite(lines), low - room, high + room)
    low = float(bounds.min())
    high = float(bounds.max())
    space = 0.06 * (high - low)
    return low - space, high + space


def _finite(lines: list[ndarray]) -> ndarray:
    values = np.concatenate(lines)
    return values[np.isfinite(values)]


def _lowest(pane: Pane) -> float:
    values = np.concatenate(
        [pane.values, pane.point, *(band.lower for band in pane.bands)]
    )
    return float(np.nanmin(values, initial=np.inf, where=np.isfinite(values)))
