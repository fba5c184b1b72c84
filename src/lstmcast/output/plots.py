"""Plots of forecasts. Computed once, drawn later: page and plot read the same object.

matplotlib is imported when something is drawn, and without pyplot: no window system is used and no
state is shared.
"""

# T time · H horizon · O origins

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lstmcast.errors import UsageError
from lstmcast.forecast import NETWORK
from lstmcast.output.drawing import draw_pane, figure_of
from lstmcast.output.looks import DARK, LIGHT, Palette, letters_of
from lstmcast.output.panes import (
    FORECAST,
    HELD_OUT,
    HISTORY,
    Pane,
    band_text,
    held_out_lines,
    pane_json,
    pane_of,
    reach_of,
)
from lstmcast.util.config import is_whole
from lstmcast.util.files import check_output, whole_file
from lstmcast.util.fonts import fonts_with
from lstmcast.util.language import ENGLISH, Words, words_of
from lstmcast.util.text import some_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lstmcast.data.panel import Panel
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.forecast import Forecast

ENDINGS = (".png", ".svg", ".pdf")
MOST_PANES = 6  # of one plot, or of a page
MOST_PAGES = 40  # pages of a PDF


@dataclass(frozen=True, eq=False)
class ForecastPlot:
    """A plot of forecasts with their history: up to six series as small multiples.

    >>> import numpy as np
    >>> from lstmcast.data.panel import Panel
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

    name: str  # of the series, or of the target if several series are shown
    reach: str  # such as "12 months"
    available: int  # series in the forecast, the first few of which are shown
    panes: tuple[Pane, ...]
    language: str = "en"  # of the plot's texts; names are not translated
    method: str = ""  # the name of the simple forecast, if it is a single one
    unit: str = ""  # unit of the values, for their axis
    dark: bool = False  # light lines on a dark background

    def __repr__(self) -> str:
        """The series, how many are shown, and how far they are forecast."""
        shown = f"{len(self.panes)} of {self.available:,} series"
        return f"ForecastPlot({self.name!r}, {shown}, {self.reach} ahead)"

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
        series: Sequence[str] | str | None = None,
        unit: str | None = None,
        dark: bool = False,
    ) -> ForecastPlot:
        """Make the plot of a forecast of a panel, with held-out forecasts of a backtest if given.

        `most`: maximum number of series; `longest`: maximum number of historical values (default:
        the recent past); `language`: "en" or "ja"; `series`: ids to show, in this order; `unit`:
        unit of the values, for the axis; `dark`: colours for a dark page. Raises UsageError if
        forecast and panel have no series in common, or a series in `series` is missing.
        """
        _require_count("most", most, "series")
        words_of(language)
        if longest is not None:
            _require_count("longest", longest, "values")
        places = {name: place for place, name in enumerate(panel.ids)}
        newest = _newest_origins(forecast, places)
        origins = _asked(newest, series)[:most]
        shown_ids = {forecast.ids[origin] for origin in origins}
        held_out = held_out_lines(backtest, shown_ids)
        panes = []
        for origin in origins:
            name = forecast.ids[origin]
            lines = held_out.get(name, ())
            panes.append(pane_of(forecast, origin, panel, places[name], lines, longest))
        name, unit = _name_and_unit(panes, panel, unit)
        return cls(
            name=name,
            reach=reach_of(forecast.horizon, panel.frequency),
            available=len(newest),
            panes=tuple(panes),
            language=language,
            method=_single_method(forecast),
            unit=unit,
            dark=dark,
        )

    @property
    def words(self) -> Words:
        """The language of the plot."""
        return words_of(self.language)

    @property
    def title(self) -> str:
        """The title of the plot."""
        return f"{self.name}: {self.words(self.summary)}"

    @property
    def summary(self) -> str:
        """The title without the name, in English."""
        method = f", {self.method}" if self.method else ""
        text = f"{self.reach} ahead{method}"
        if self.available > len(self.panes):
            text += f" ({len(self.panes)} of {self.available:,} series)"
        return text

    def draw(self, ax: Axes, pane: int = 0) -> Axes:
        """Draw one series on a matplotlib Axes, with its fonts."""
        draw_pane(ax, self.panes[pane], self.words, self.palette)
        return ax

    @property
    def palette(self) -> Palette:
        """The colours of the plot."""
        return DARK if self.dark else LIGHT

    def pages(self) -> list[ForecastPlot]:
        """The plot as pages of six series."""
        firsts = range(0, len(self.panes), MOST_PANES)
        return [
            replace(self, panes=self.panes[first : first + MOST_PANES])
            for first in firsts
        ]

    def figure(self) -> Figure:
        """The plot as a matplotlib Figure, which notebooks display."""
        with fonts_with(self._letters()) as missing:
            return figure_of(self, missing)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the plot as .png, .svg or .pdf (more than six series: a PDF with pages).

        Raises OutputError if that fails, without a partial file.
        """
        if Path(path).suffix.lower() != ".pdf" or len(self.panes) <= MOST_PANES:
            return save_picture(
                path, self._letters(), lambda missing: figure_of(self, missing)
            )
        return save_pages(
            path,
            self._letters(),
            lambda missing: (figure_of(page, missing) for page in self.pages()),
        )

    def missing_letters(self) -> str:
        """Letters that no installed font has.

        Series with such names are shown as 'series 1', …, and texts with them in English.
        """
        with fonts_with(self._letters()) as missing:
            return "".join(sorted(missing))

    @property
    def lacks_words(self) -> bool:
        """Whether texts are in English because no font has the letters of the language."""
        return self.drawn_words(set(self.missing_letters())) is not self.words

    def letters_of_names(self) -> set[str]:
        """The letters of the series' names and of the target's."""
        return set(self.name).union(self.unit, *(pane.name for pane in self.panes))

    def to_json(self) -> str:
        """The data of the plot as JSON, with times as text and unknown numbers as null."""
        return json.dumps(
            {
                "title": self.title,
                "unit": self.unit,
                "panes": [pane_json(pane) for pane in self.panes],
            },
            ensure_ascii=False,
        )

    def _letters(self) -> set[str]:
        return self.letters_of_names() | letters_of(self._texts(), self.language)

    def _texts(self) -> set[str]:
        levels = {band.level for pane in self.panes for band in pane.bands}
        return {HISTORY, HELD_OUT, FORECAST, self.summary, *map(band_text, levels)}

    def drawn_words(self, missing: set[str]) -> Words:
        """The language in which texts are drawn if fonts lack these letters."""
        lacking = missing & letters_of(self._texts(), self.language)
        return ENGLISH if lacking else self.words


def _name_and_unit(
    panes: Sequence[Pane], panel: Panel, unit: str | None
) -> tuple[str, str]:
    """The name of the plot (its only series, or the target of several) and the unit of the values,
    which for a single series is by default the target."""
    target = panel.columns.target
    name = panes[0].name if len(panes) == 1 and len(panel) > 1 else target
    if unit is None:
        unit = target if target != name else ""
    return name, unit


def _single_method(forecast: Forecast) -> str:
    """The name of the simple forecast, if the forecast is a single one."""
    combination = forecast.combination
    if combination is None or combination.single in (None, NETWORK):
        return ""
    return str(combination.single)


def save_picture(
    path: str | os.PathLike[str], letters: set[str], make: Callable[[set[str]], Figure]
) -> Path:
    """Write atomically what `make` draws, in fonts that have the letters; its argument is the
    letters that no font has."""
    path = check_output(path, ENDINGS)
    ending = path.suffix.lower().lstrip(".") or "png"
    # no dates, so that the same forecast gives the same bytes
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with fonts_with(letters) as missing, whole_file(path) as temporary:
        make(missing).savefig(
            temporary, format=ending, dpi=144, metadata=dates.get(ending)
        )
    return path


def save_pages(
    path: str | os.PathLike[str],
    letters: set[str],
    make: Callable[[set[str]], Iterable[Figure]],
) -> Path:
    """Write what `make` draws as the pages of a PDF, like `save_picture`."""
    path = check_output(path, (".pdf",))
    with fonts_with(letters) as missing, whole_file(path) as temporary:
        from matplotlib.backends.backend_pdf import PdfPages

        with PdfPages(temporary, metadata={"CreationDate": None}) as pages:
            for figure in make(missing):
                pages.savefig(figure)
    return path


def _newest_origins(
    forecast: Forecast, places: Mapping[object, int]
) -> dict[object, int]:
    """The last origin of each series that has a place in the panel. Raises UsageError."""
    newest: dict[object, int] = {}
    for origin, name in enumerate(forecast.ids):
        if name in places:
            newest[name] = origin
    if not newest:
        raise UsageError(
            "The forecast has no series of this panel. Give the panel that was forecast."
        )
    return newest


def _asked(
    newest: Mapping[object, int], series: Sequence[str] | str | None
) -> list[int]:
    """The origins of the requested series, in that order, by default all; UsageError names a series
    that does not exist."""
    places = {str(name): origin for name, origin in newest.items()}
    if series is None:
        return list(places.values())
    series = [series] if isinstance(series, str) else series
    for name in series:
        if name not in places:
            raise UsageError(
                f"There is no series {name!r} to draw. There are: {some_names(list(places))}."
            )
    return [places[name] for name in series]


def _require_count(name: str, value: object, noun: str) -> None:
    if not is_whole(value, 1):
        raise UsageError(
            f"{name} must be a number of {noun} of at least 1, got {value!r}."
        )
