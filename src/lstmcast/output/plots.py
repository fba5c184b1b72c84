"""Pictures of forecasts. Computed once, drawn later: the page and the picture read the same object.

matplotlib is imported when something is drawn, and without pyplot: no window system is touched and
no state is shared.
"""

# T time · H horizon · O origins

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.table import format_time
from lstmcast.errors import UsageError
from lstmcast.forecast import NETWORK
from lstmcast.util.config import is_whole
from lstmcast.util.files import check_output, whole_file
from lstmcast.util.fonts import fonts_with
from lstmcast.util.language import ENGLISH, Words, words_of
from lstmcast.util.text import some_names
from lstmcast.writing.tables import plain_list

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lstmcast.data.frequency import Frequency
    from lstmcast.data.panel import Panel
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.forecast import Forecast

ENDINGS = (".png", ".svg", ".pdf")
MOST_PANES = 6  # of one picture, or of a page
MOST_PAGES = 40  # of a PDF
BEYOND = 0.35  # of what is shown, as far as a wide interval may stretch the axis

INK, FAINT, GRID = "#1f2933", "#6b7785", "#e4e8ec"
# bands: the wide one, the narrow one
BLUE, BANDS, AMBER = "#1556b0", ("#d3e3f8", "#9dc1ee"), "#d9822b"


class Palette(NamedTuple):
    """The colours of a picture."""

    ink: str
    faint: str
    grid: str
    blue: str
    bands: tuple[str, str]
    amber: str
    ground: str


LIGHT = Palette(INK, FAINT, GRID, BLUE, BANDS, AMBER, "white")
DARK = Palette(
    "#e6ebf0", "#9aa7b4", "#333d48", "#7db3ff", ("#22344d", "#345a8a"), "#f0a858", "#12171c"
)

LONG = 600  # values, beyond which a line is thin

# the legend's words, in English as the catalogue of a language has them
HISTORY, HELD_OUT, FORECAST = "history", "earlier forecasts, held out", "forecast"

# How dates on an axis are written, from years to microseconds: ticks, ticks where a longer unit
# begins, and what is said of all of them at the end of the axis. English is matplotlib's own.
_DATES = {
    "ja": {
        "formats": ["%Y年", "%m月", "%d日", "%H:%M", "%H:%M", "%S.%f"],
        "zero_formats": ["", "%Y年", "%m月", "%m月%d日", "%H:%M", "%H:%M"],
        "offset_formats": [
            "",
            "%Y年",
            "%Y年%m月",
            "%Y年%m月%d日",
            "%Y年%m月%d日",
            "%Y年%m月%d日 %H:%M",
        ],
    }
}


@dataclass(frozen=True, eq=False)
class Band:
    """A central interval that is meant to hold `level` percent of what comes: bounds of (H,)."""

    level: float
    lower: ndarray
    upper: ndarray


@dataclass(frozen=True, eq=False)
class Line:
    """A forecast that was made at an earlier cutoff, whose outcome is known: times and points of
    (H,)."""

    times: ndarray
    point: ndarray


@dataclass(frozen=True, eq=False)
class Pane:
    """One series: its recent history (T,), its forecast (H,), and forecasts at held-out cutoffs."""

    name: str
    times: ndarray
    values: ndarray
    future: ndarray
    point: ndarray
    bands: tuple[Band, ...]  # wide ones first, so that narrow ones are drawn over them
    held_out: tuple[Line, ...] = ()
    # of the values, the newest that a look at the forecast needs; None: all
    recent: int | None = None


@dataclass(frozen=True, eq=False)
class ForecastPlot:
    """A forecast beside the history that it continues: up to six series, as small multiples.

    >>> from lstmcast.data.panel import Columns, Panel
    >>> from lstmcast.forecast import Forecast
    >>> panel = Panel.from_arrays({"a": [1.0, 2.0, 3.0]})
    >>> point = np.array([[4.0, 5.0]])
    >>> bounds = np.stack([point - 1, point + 1], axis=2)
    >>> times = np.array([[4, 5]])
    >>> forecast = Forecast(panel.ids, panel.ends, times, point, bounds, quantile_levels=(0.1, 0.9))
    >>> plot = ForecastPlot.from_forecast(forecast, panel)
    >>> plot.panes[0].point.tolist(), [band.level for band in plot.panes[0].bands]
    ([4.0, 5.0], [80.0])
    """

    name: str  # of the series, or of the target where several series are shown
    reach: str  # such as "12 months"
    available: int  # series in the forecast, of which the first few are shown
    panes: tuple[Pane, ...]
    language: str = "en"  # of the texts of the picture; names stay as they are
    method: str = ""  # the simple forecast that it is, where it is one alone
    unit: str = ""  # of the values, beside their axis
    dark: bool = False  # light lines on a dark ground

    @classmethod
    def from_forecast(
        cls,
        forecast: Forecast,
        panel: Panel,
        backtest: Backtest | None = None,
        *,
        most: int = MOST_PANES,
        longest: int | None = None,
        language: str = "en",
        series: Sequence[str] | None = None,
        unit: str | None = None,
        dark: bool = False,
    ) -> ForecastPlot:
        """The picture of a forecast from the ends of a panel's series; held-out forecasts where a
        backtest is given.

        `most`: how many series are shown; `longest`: how many of their newest values, the recent
        past unless given; `language`: "en" or "ja"; `series`: ids of those to show, in this order;
        `unit`: of the values, for their axis; `dark`: for a dark page. UsageError where forecast
        and panel share no series, or have none that was asked for.
        """
        _require_count("most", most, "series")
        words_of(language)
        if longest is not None:
            _require_count("longest", longest, "values")
        places = {name: place for place, name in enumerate(panel.ids)}
        origins = list(
            {name: origin for origin, name in enumerate(forecast.ids) if name in places}.values()
        )
        if not origins:
            raise UsageError(
                "The forecast has no series of this panel. Give the panel that was forecast."
            )
        shown = (origins if series is None else _asked(forecast, origins, series))[:most]
        held_out = _held_out(backtest, {forecast.ids[origin] for origin in shown})
        panes = tuple(
            _pane(
                forecast,
                origin,
                panel,
                places[forecast.ids[origin]],
                held_out.get(forecast.ids[origin], ()),
                longest,
            )
            for origin in shown
        )
        name = panes[0].name if len(panes) == 1 and len(panel) > 1 else panel.columns.target
        reach = reach_of(forecast.horizon, panel.frequency)
        made = forecast.combination
        method = "" if made is None or made.single in (None, NETWORK) else str(made.single)
        target = panel.columns.target
        unit = (target if target != name else "") if unit is None else unit
        return cls(name, reach, len(origins), panes, language, method, unit, dark)

    @property
    def words(self) -> Words:
        """The words of the picture's language."""
        return words_of(self.language)

    @property
    def title(self) -> str:
        """What the picture shows, in one line."""
        return f"{self.name}: {self.words(self.summary)}"

    @property
    def summary(self) -> str:
        """The title without the name, in English."""
        few = (
            f" ({len(self.panes)} of {self.available:,} series)"
            if self.available > len(self.panes)
            else ""
        )
        by = f", {self.method}" if self.method else ""
        return f"{self.reach} ahead{by}{few}"

    def draw(self, ax: Axes, pane: int = 0) -> Axes:
        """Draw one series on a matplotlib Axes, in the fonts that are set there."""
        _draw_pane(ax, self.panes[pane], self.words, self.palette)
        return ax

    @property
    def palette(self) -> Palette:
        """The colours that it is drawn in."""
        return DARK if self.dark else LIGHT

    def pages(self) -> list[ForecastPlot]:
        """The same on pages of six series."""
        firsts = range(0, len(self.panes), MOST_PANES)
        return [replace(self, panes=self.panes[i : i + MOST_PANES]) for i in firsts]

    def figure(self) -> Figure:
        """The whole picture as a matplotlib Figure, which notebooks show by themselves."""
        with fonts_with(self._letters()) as missing:
            return _figure(self, missing)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as .png, .svg or .pdf, a PDF of more than six series on pages: the
        whole file or, with an OutputError, nothing."""
        if Path(path).suffix.lower() != ".pdf" or len(self.panes) <= MOST_PANES:
            return save_picture(path, self._letters(), lambda missing: _figure(self, missing))
        return save_pages(
            path,
            self._letters(),
            lambda missing: (_figure(page, missing) for page in self.pages()),
        )

    def missing_letters(self) -> str:
        """Letters that no installed font has: series with such names are drawn as 'series 1', …,
        and texts that need them in English."""
        with fonts_with(self._letters()) as missing:
            return "".join(sorted(missing))

    @property
    def lacks_words(self) -> bool:
        """Whether the texts are drawn in English, as no font has the letters of their language."""
        return self._drawn_words(set(self.missing_letters())) is not self.words

    def letters_of_names(self) -> set[str]:
        """The letters of the series' names and of the target's."""
        return set(self.name).union(self.unit, *(pane.name for pane in self.panes))

    def to_json(self) -> str:
        """Everything that is drawn, as JSON; times as text, unknown numbers as null."""
        return json.dumps(
            {
                "title": self.title,
                "unit": self.unit,
                "panes": [_pane_json(pane) for pane in self.panes],
            },
            ensure_ascii=False,
        )

    def _letters(self) -> set[str]:
        return self.letters_of_names() | letters_of(self._texts(), self.language)

    def _texts(self) -> set[str]:
        levels = {band.level for pane in self.panes for band in pane.bands}
        return {HISTORY, HELD_OUT, FORECAST, self.summary, *map(_band_text, levels)}

    def _drawn_words(self, missing: set[str]) -> Words:
        lacking = missing & letters_of(self._texts(), self.language)
        return ENGLISH if lacking else self.words


def letters_of(texts: set[str], language: str) -> set[str]:
    """The letters that a font needs for these texts in a language, and for its dates."""
    words = words_of(language)
    dates = [text for texts in _DATES.get(language, {}).values() for text in texts]
    return set().union(*map(words, texts), *dates)


def save_picture(
    path: str | os.PathLike[str], letters: set[str], make: Callable[[set[str]], Figure]
) -> Path:
    """Write what `make` draws in fonts that have the letters; it is told which ones no font has.
    All or nothing."""
    path = check_output(path, ENDINGS)
    ending = path.suffix.lower().lstrip(".") or "png"
    # the same forecast gives the same bytes
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with fonts_with(letters) as missing, whole_file(path) as temporary:
        make(missing).savefig(temporary, format=ending, dpi=144, metadata=dates.get(ending))
    return path


def save_pages(
    path: str | os.PathLike[str], letters: set[str], make: Callable[[set[str]], Iterable[Figure]]
) -> Path:
    """Write what `make` draws as the pages of a PDF, as `save_picture` does."""
    path = check_output(path, (".pdf",))
    with fonts_with(letters) as missing, whole_file(path) as temporary:
        from matplotlib.backends.backend_pdf import PdfPages

        with PdfPages(temporary, metadata={"CreationDate": None}) as pages:
            for figure in make(missing):
                pages.savefig(figure)
    return path


# ---------------------------------------------------------------- what is drawn


def _asked(forecast: Forecast, origins: Sequence[int], series: Sequence[str]) -> list[int]:
    """The origins of the series that were asked for, in that order; UsageError names one that is
    not there."""
    places = {str(forecast.ids[origin]): origin for origin in origins}
    for name in series:
        if name not in places:
            raise UsageError(
                f"There is no series {name!r} to draw. There are: {some_names(list(places))}."
            )
    return [places[name] for name in series]


def _require_count(name: str, given: object, what: str) -> None:
    if not is_whole(given, 1):
        raise UsageError(f"{name} must be a number of {what} of at least 1, got {given!r}.")


def _pane(
    forecast: Forecast,
    origin: int,
    panel: Panel,
    place: int,
    held_out: Sequence[Line],
    longest: int | None,
) -> Pane:
    times, values = panel.times(place), panel.series(place)
    before = times <= forecast.cutoffs[origin]
    times, values = times[before], values[before]
    recent = _shown(
        len(times), panel.periods, forecast.horizon, sum(len(line.times) for line in held_out)
    )
    first = len(times) - (recent if longest is None else min(longest, len(times)))
    bands = [forecast.interval(level) for level in sorted(forecast.interval_levels, reverse=True)]
    wanted = forecast.wanted[origin]
    return Pane(
        name=str(forecast.ids[origin]),
        times=times[first:],
        values=values[first:],
        future=forecast.times[origin][wanted],
        point=forecast.point[origin][wanted],
        bands=tuple(
            Band(band.level, band.lower[origin][wanted], band.upper[origin][wanted])
            for band in bands
        ),
        held_out=tuple(line for line in held_out if line.times[0] >= times[first]),
        recent=recent,
    )


def reach_of(horizon: int, frequency: Frequency) -> str:
    unit = frequency.unit if frequency.every == 1 and frequency.unit != "integer" else "step"
    return f"{horizon:,} {unit}{'s' * (horizon > 1)}"


def _shown(length: int, periods: Sequence[int], horizon: int, held_out: int) -> int:
    """How much of a history: a few seasons and a few horizons, and all of it where little more
    is there."""
    season = next((period for period in periods if period > 1), 1)
    wanted = max(4 * season, 5 * min(horizon, length), held_out + 2 * season, 40)
    return length if length <= 1.5 * wanted else wanted


def _held_out(backtest: Backtest | None, ids: set[str]) -> dict[str, list[Line]]:
    """The model's forecasts at held-out cutoffs, by series, newest first; of overlapping ones
    the newest."""
    lines: dict[str, list[Line]] = {}
    if backtest is None or backtest.model not in backtest.forecasts:
        return lines
    forecast = backtest.forecasts[backtest.model]
    judged = np.flatnonzero(np.isfinite(backtest.actual).any(axis=1))
    for origin in judged[np.argsort(forecast.cutoffs[judged], kind="stable")[::-1]]:
        drawn = lines.setdefault(str(forecast.ids[origin]), [])
        line = Line(forecast.times[origin], forecast.point[origin])
        if forecast.ids[origin] in ids and (not drawn or line.times[-1] < drawn[-1].times[0]):
            drawn.append(line)
    return lines


def _pane_json(pane: Pane) -> dict[str, Any]:
    return {
        "name": pane.name,
        "times": [format_time(time) for time in pane.times],
        "values": plain_list(pane.values),
        "recent": pane.recent,
        "future": [format_time(time) for time in pane.future],
        "point": plain_list(pane.point),
        "bands": [
            {"level": b.level, "lower": plain_list(b.lower), "upper": plain_list(b.upper)}
            for b in pane.bands
        ],
        "held_out": [
            {"times": [format_time(time) for time in line.times], "point": plain_list(line.point)}
            for line in pane.held_out
        ],
    }


def printable(text: str, longest: int = 60) -> str:
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    if len(text) <= longest:
        return text
    words = text[:longest].rpartition(" ")[0]
    return (words if len(words) > longest // 2 else text[: longest - 2]).rstrip(" .,:;") + " …"


# ---------------------------------------------------------------- drawing


def _figure(plot: ForecastPlot, missing: set[str]) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = 1 if len(plot.panes) == 1 else 2
    rows = -(-len(plot.panes) // columns)
    size = (10.0, 5.0) if columns == 1 else (12.0, 0.9 + 2.7 * rows)
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08, hspace=0.04, wspace=0.03)
    palette = plot.palette
    figure = Figure(figsize=size, layout=layout, facecolor=palette.ground)
    words = plot._drawn_words(missing)
    grid = figure.subplots(rows, columns, squeeze=False)
    for place, ax in enumerate(grid.flat):
        if place >= len(plot.panes):
            ax.set_axis_off()
            continue
        _draw_pane(ax, plot.panes[place], words, palette)
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


def heading(words: Words, palette: Palette = LIGHT) -> dict[str, Any]:
    """How the title of a picture looks. Japanese fonts seldom have bold letters, and bold figures
    among plain ones look wrong."""
    weight = "bold" if words is ENGLISH else "normal"
    looks = {"ha": "left", "fontsize": 13, "fontweight": weight, "parse_math": False}
    return looks | {"color": palette.ink}


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
    return (order.index(label), 0) if label in order else (len(order), float(label.split(" ")[0]))


def _band_text(level: float) -> str:
    return f"{level:g} % interval"


def _draw_pane(ax: Axes, pane: Pane, words: Words, palette: Palette = LIGHT) -> None:
    ax.set_facecolor(palette.ground)
    history, future = positions(pane.times), positions(pane.future, pane.times)
    joint, level = _joint(pane, history)
    x = np.append(joint, future)
    for band, colour in zip(pane.bands, _band_colours(len(pane.bands), palette), strict=True):
        lower, upper = np.append(level, band.lower), np.append(level, band.upper)
        label = words(_band_text(band.level))
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


def positions(times: ndarray, axis: ndarray | None = None) -> ndarray:
    """Times as numbers for an axis: days for dates, years where Python's calendar ends, integers
    as they are."""
    if times.dtype.kind != "M":
        return times.astype(np.float64)
    if _beyond_calendars(times if axis is None else axis) or _beyond_calendars(times):
        return times.astype("datetime64[Y]").astype(np.float64) + 1970
    from matplotlib.dates import date2num

    return np.asarray(date2num(times))


def _beyond_calendars(times: ndarray) -> bool:
    years = (
        times[[0, -1]].astype("datetime64[Y]").astype(np.int64) + 1970
        if len(times)
        else np.array([2000])
    )
    return bool((years < 2).any() or (years > 9900).any())


def dress(ax: Axes, palette: Palette = LIGHT) -> None:
    """The looks that all pictures share: faint lines across, no frame, small grey numbers."""
    ax.set_axisbelow(True)
    ax.grid(axis="y", color=palette.grid, linewidth=0.8)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.spines["bottom"].set_color(palette.grid)
    ax.tick_params(colors=palette.faint, labelsize=9, length=0, pad=5)
    ax.margins(x=0.015, y=0.08)


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


def dress_times(ax: Axes, times: ndarray, words: Words, palette: Palette = LIGHT) -> None:
    """The axis of times, as dates or as numbers."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if times.dtype.kind == "M" and not _beyond_calendars(times):
        _dress_dates(ax, words, palette)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))


def _dress_dates(ax: Axes, words: Words, palette: Palette) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=4, maxticks=9)
    ax.xaxis.set_major_locator(locator)
    written: dict[str, Any] = _DATES.get(words.language, {})
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, **written))
    ax.xaxis.get_offset_text().set(color=palette.faint, fontsize=9)


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


def tick_format(ticks: ndarray) -> Callable[[float, int], str]:
    """Numbers as people write them: 1,200 · 3.5 M · 0.25; unit and decimals are the same for the
    whole axis."""
    size, step = np.abs(ticks).max(), np.diff(ticks).min()
    if size >= 1e18 or size < 1e-6:
        return lambda value, _: f"{value:.3g}".replace("-", "−")
    unit, sign = next(
        ((10.0**p, s) for p, s in ((12, " T"), (9, " bn"), (6, " M")) if size >= 2 * 10**p),
        (1.0, ""),
    )
    decimals = next(
        (d for d in range(12) if abs(round(step / unit, d) - step / unit) < 1e-6 * step / unit), 12
    )
    return lambda value, _: f"{value / unit + 0.0:,.{decimals}f}{sign}".replace("-", "−")
