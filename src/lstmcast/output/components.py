"""A series decomposed into level, seasons and remainder, as a plot.

The level is a moving average over the longest season, including the forecast, so that it reaches
the present. A season consists of the means of its phases after removing the level and shorter
seasons; it is in percent of the level if all values are positive, else in the units of the data.
This is a way to look at data, not what the network reads (see `model/inputs/tables.py`).

The effects of columns that are known in advance are removed first, as estimated by the newest
regression, and each is a component of its own.
"""

# T time · H horizon · P periods

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from lstmcast.covariates.effects import effects_of, less
from lstmcast.errors import UsageError
from lstmcast.evaluation.candidates import span
from lstmcast.model.inputs.axis import LOG
from lstmcast.output.looks import (
    DARK,
    LIGHT,
    Palette,
    dress,
    dress_times,
    heading,
    letters_of,
    positions,
    printable,
    tick_format,
)
from lstmcast.output.plots import save_picture
from lstmcast.util.language import Words, words_of
from lstmcast.util.text import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lstmcast.data.panel import Panel
    from lstmcast.forecast import Forecast

CYCLES = 2.5  # minimum number of cycles of a season in the history
SHOWN = 3  # minimum number of cycles of the longest season in the plot
LEAST_SHOWN = 200  # minimum number of values in the plot
# relative to the values: smaller effects are drawn as 0, not magnified
LEAST_EFFECT = 1e-3


@dataclass(frozen=True, eq=False)
class Part:
    """One component (T,), with its name and whether it is in percent of the level."""

    name: str
    values: ndarray
    percent: bool = False


@dataclass(frozen=True, eq=False)
class ComponentsPlot:
    """A plot of the components of one series: level, seasons and remainder.

    >>> from lstmcast.data.panel import Panel
    >>> from lstmcast.evaluation.baselines import SeasonalNaive
    >>> values = 100 + 10 * (np.arange(48) % 4)
    >>> panel = Panel.from_arrays(values, frequency="QS", start="2010-01")
    >>> plot = ComponentsPlot.from_forecast(SeasonalNaive(4).predict(panel), panel)
    >>> [part.name for part in plot.parts], plot.parts[1].values[20:24].round()
    (['level', 'season of one year', 'remainder'], array([-12.,  -4.,   5.,  13.]))
    """

    name: str
    times: ndarray  # (T,), of history and forecast
    values: ndarray  # (T,)
    ahead: int  # number of forecast values
    parts: tuple[Part, ...]
    language: str = "en"
    dark: bool = False

    def __repr__(self) -> str:
        """The series, its components and how many values they have."""
        parts = ", ".join(part.name for part in self.parts)
        known = counted(len(self.values) - self.ahead, "value")
        steps = counted(self.ahead, "forecast step")
        return f"ComponentsPlot({self.name!r}, {parts}, {known} and {steps})"

    @classmethod
    def from_forecast(
        cls,
        forecast: Forecast,
        panel: Panel,
        series: str | None = None,
        *,
        language: str = "en",
        dark: bool = False,
    ) -> ComponentsPlot:
        """Decompose a series, by default the first; UsageError for an unknown id."""
        names = list(map(str, forecast.ids))
        own_names = list(map(str, panel.ids))
        drawable = [name for name in names if name in set(own_names)]
        if not drawable or (series is not None and series not in drawable):
            raise UsageError(
                f"There is no series {series!r} to take apart in this forecast."
            )
        name = series or drawable[0]
        origin = names.index(name)
        place = own_names.index(name)
        is_wanted = forecast.wanted[origin]
        point = forecast.point[origin][is_wanted]
        history = panel.series(place)
        values = np.concatenate([history, point])
        times = np.concatenate([panel.times(place), forecast.times[origin][is_wanted]])
        spans = {}
        for period in panel.periods:
            if period > 1 and CYCLES * period <= len(history):
                spans[period] = span(panel.frequency, period)
        cycles = SHOWN * max(spans, default=1)
        newest = min(max(LEAST_SHOWN, cycles) + len(point), len(values))
        bare, effects = _without_known(panel, name, values, newest)
        *seasons, remainder = taken_apart(bare, spans)
        components = []
        for component in (*seasons, *effects, remainder):
            components.append(replace(component, values=component.values[-newest:]))
        title = name if len(panel) > 1 else panel.columns.target
        return cls(
            title,
            times[-newest:],
            values[-newest:],
            len(point),
            tuple(components),
            language,
            dark,
        )

    @property
    def words(self) -> Words:
        """The language of the plot."""
        return words_of(self.language)

    def figure(self) -> Figure:
        """The plot as a matplotlib Figure."""
        return _figure(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the plot as .png, .svg or .pdf; OutputError if that fails, without a partial
        file."""
        names = {component.name for component in self.parts}
        letters = set(self.name) | letters_of(names, self.language)
        return save_picture(path, letters, lambda missing: _figure(self))


def _without_known(
    panel: Panel, name: str, values_T: ndarray, newest: int
) -> tuple[ndarray, list[Part]]:
    """The values of a series without the effects of known columns (NaN at closed steps), and these
    effects; of the calendar only those that are something among the newest values, which are
    drawn."""
    effects = effects_of(panel)
    if effects is None:
        return values_T, []
    place = list(map(str, panel.ids)).index(name)
    solution = effects.solution(place, int(panel.lengths[place]))
    if solution is None:
        return values_T, []
    steps = np.arange(len(values_T))
    is_closed = solution.closing.closed(steps)
    adjusted = less(values_T, solution.effect(steps), solution.axis)
    percent = solution.axis == LOG
    components = []
    for source, effect in solution.parts(steps).items():
        if percent:
            effect = 100 * np.expm1(effect)
        smallest = LEAST_EFFECT * (100 if percent else np.nanmax(np.abs(values_T)))
        effect = np.where(np.abs(effect) < smallest, 0.0, effect)
        if source not in panel.covariates.future.columns and not effect[-newest:].any():
            continue  # of the calendar: nobody asked for it
        effect = np.where(is_closed, np.nan, effect)
        components.append(Part(f"effect of {source}", effect, percent))
    return np.where(is_closed, np.nan, adjusted), components


def taken_apart(values_T: ndarray, periods: dict[int, str]) -> list[Part]:
    """The level, seasons and remainder of values (T,), NaN where unknown; `periods` has the names
    of seasons by their lengths."""
    known_values = values_T[np.isfinite(values_T)]
    as_ratios = len(known_values) > 0 and known_values.min() > 0
    remainder = np.log(values_T) if as_ratios else values_T.astype(float)
    seasons = []
    for period in sorted(periods):
        detrended = remainder - _moving_mean(remainder, period)
        season = _phase_means(detrended, period)
        seasons.append((period, season))
        remainder = remainder - season
    level = _moving_mean(remainder, max(periods, default=min(5, len(remainder))))
    remainder = remainder - level

    def in_units(component: ndarray) -> ndarray:
        return 100.0 * np.expm1(component) if as_ratios else 1.0 * component

    if as_ratios:
        level = np.exp(level)
    components = [Part("level", level)]
    for period, season in seasons:
        components.append(
            Part(f"season of {periods[period]}", in_units(season), as_ratios)
        )
    return [*components, Part("remainder", in_units(remainder), as_ratios)]


def _moving_mean(values_T: ndarray, period: int) -> ndarray:
    """The mean over a period around each value, with half weights at the ends of an even period; at
    the ends of the series, over the available part of it."""
    weights = np.ones(period + 1 - period % 2)
    if period % 2 == 0:
        weights[[0, -1]] = 0.5
    is_known = np.isfinite(values_T)
    known_or_zero = np.where(is_known, values_T, 0.0)
    length = len(values_T)
    total = np.convolve(known_or_zero, weights, "same")[:length]
    weight = np.convolve(is_known.astype(float), weights, "same")[:length]
    total = np.where(weight > 0, total, np.nan)
    return total / np.maximum(weight, 1e-12)


def _phase_means(values_T: ndarray, period: int) -> ndarray:
    """The mean of each phase, centred at 0 and repeated (T,)."""
    phase = np.arange(len(values_T)) % period
    is_known = np.isfinite(values_T)
    total = np.bincount(phase[is_known], values_T[is_known], minlength=period)
    count = np.bincount(phase[is_known], minlength=period)
    mean = total / np.maximum(count, 1)
    return (mean - mean.mean())[phase]


def _figure(plot: ComponentsPlot) -> Figure:
    from matplotlib.figure import Figure

    palette = DARK if plot.dark else LIGHT
    words = plot.words
    rows = 1 + len(plot.parts)
    figure = Figure(figsize=(10.0, 1.2 + 1.5 * rows), layout="constrained")
    figure.set_facecolor(palette.ground)
    axes: Any = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    x_values = positions(plot.times)
    _observed(axes[0], plot, x_values, palette)
    for ax, component in zip(axes[1:], plot.parts, strict=True):
        colour = palette.blue if component.name == "level" else palette.ink
        ax.plot(x_values, component.values, color=colour, linewidth=1.2)
    texts = ["history and forecast", *(component.name for component in plot.parts)]
    percents = [False, *(component.percent for component in plot.parts)]
    last_known = x_values[len(plot.values) - plot.ahead - 1]
    for ax, text, percent in zip(axes, texts, percents, strict=True):
        dress(ax, palette)
        ax.set_facecolor(palette.ground)
        ax.set_title(words(text), loc="left", fontsize=9.5, color=palette.ink)
        ax.axvline(last_known, color=palette.faint, linewidth=0.9, linestyle=":")
        unit = "%" if percent else ""
        _dress_values(ax, unit)
    dress_times(axes[-1], plot.times, words, palette)
    title = f"{printable(plot.name)}: {words(_title(plot))}"
    figure.suptitle(title, x=0.013, **heading(words, palette))
    return figure


def _dress_values(ax: Any, sign: str) -> None:
    """Format the axis of values, with a sign after its numbers."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.yaxis.set_major_locator(MaxNLocator(nbins=3))
    write = tick_format(np.asarray(ax.get_yticks()))
    ax.yaxis.set_major_formatter(
        FuncFormatter(lambda value, place: write(value, place) + sign)
    )


def _title(plot: ComponentsPlot) -> str:
    effects = any(component.name.startswith("effect of") for component in plot.parts)
    return (
        "level, seasons, effects and remainder"
        if effects
        else "level, seasons and remainder"
    )


def _observed(
    ax: Any, plot: ComponentsPlot, x_values: ndarray, palette: Palette
) -> None:
    ends = len(plot.values) - plot.ahead
    history = slice(None, ends)
    future = slice(ends - 1, None)
    ax.plot(x_values[history], plot.values[history], color=palette.ink, linewidth=1.2)
    ax.plot(x_values[future], plot.values[future], color=palette.blue, linewidth=1.8)
