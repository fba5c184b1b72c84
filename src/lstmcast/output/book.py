"""A forecast as a workbook to share: sheets for the forecast with a chart, the history, the
accuracy, the totals, and notes on the data."""

# O origins · H horizon · S series · T times

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast._version import __version__
from lstmcast.data.observed import occurring, value_count
from lstmcast.data.table import format_times
from lstmcast.util.language import ENGLISH, Words
from lstmcast.writing.workbook import (
    MOST_ROWS,
    Chart,
    Line,
    Share,
    Sheet,
    write_sheets,
)

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.forecast import Forecast
    from lstmcast.totals import Totals

FEW = 20  # series up to which each has its own column
DRAWN = 6  # series in the chart
RECENT = 4  # minimum history in the chart, in horizons
LEAST_RECENT = 36  # minimum history in the chart, in values
COLOURS = ("#1556b0", "#d9822b", "#1d8a54", "#8a4fbf", "#b03a48", "#5b6b7a")
INK, FAINT = "#1f2933", "#9dc1ee"
# the limits of Excel for names of sheets: number of characters, forbidden characters
LONGEST_NAME = 31
FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", " "))


class Book(NamedTuple):
    """The contents of a workbook."""

    forecast: Forecast
    panel: Panel
    backtest: Backtest | None = None
    totals: Totals | None = None
    words: Words = ENGLISH

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the workbook; if it raises OutputError, nothing was written."""
        return write_sheets(self.sheets(), path)

    def sheets(self) -> list[Sheet]:
        """The sheets, in order."""
        history, left_out = self._history()
        sheets = [self._forecast(history)]
        if self._wide and len(self.forecast.ids) > 1:
            sheets.append(Sheet(self._name("Intervals"), self.forecast.columns_dict()))
        if history is not None:
            sheets.append(history)
        if self.backtest is not None:
            sheets.append(self._accuracy())
        if self.totals is not None:
            sheets.append(Sheet(self._name("Totals"), self._totals(self.totals)))
        sheets.append(self._notes(left_out))
        return sheets

    @property
    def _wide(self) -> bool:
        """Whether each series has its own column: there are few, with one cutoff each."""
        ids = self.forecast.ids
        return len(ids) <= FEW and len(set(ids)) == len(ids)

    def _name(self, text: str) -> str:
        return self.words(text).translate(FORBIDDEN)[:LONGEST_NAME]

    def _forecast(self, history: Sheet | None) -> Sheet:
        name = self._name("Forecast")
        if not self._wide:
            return Sheet(name, self.forecast.columns_dict())
        is_many = len(self.forecast.ids) > 1
        columns = self._points_of_series() if is_many else self._intervals_of_one()
        return Sheet(name, columns, chart=self._chart(name, columns, history))

    def _points_of_series(self) -> dict[str, ndarray]:
        """The point forecasts, a column for each series."""
        forecast = self.forecast
        times = np.unique(forecast.times[forecast.wanted])
        columns = {self.panel.columns.time: times}
        for origin, series in enumerate(map(str, forecast.ids)):
            is_wanted = forecast.wanted[origin]
            own_times = forecast.times[origin][is_wanted]
            point = forecast.point[origin][is_wanted]
            columns[_free(series, columns)] = _at(times, own_times, point)
        return columns

    def _intervals_of_one(self) -> dict[str, ndarray]:
        """The forecast of a single series, with the bounds of its intervals."""
        forecast = self.forecast
        is_wanted = forecast.wanted[0]
        columns = {self.panel.columns.time: forecast.times[0][is_wanted]}
        columns[_free(self.words("forecast"), columns)] = forecast.point[0][is_wanted]
        for level in forecast.interval_levels:
            band = forecast.interval(level)
            for side, bound in (("from", band.lower), ("to", band.upper)):
                header = self.words(f"{level:g}% interval, {side}")
                columns[header] = bound[0][is_wanted]
        return columns

    def _totals(self, totals: Totals) -> dict[str, ndarray]:
        """The totals under names for people where series are few: the period, and bounds."""
        from lstmcast.totals import pairs_of_bounds

        if not self._wide:
            return totals.columns_dict()
        columns = {}
        for name, names in totals.names.items():
            if len(set(names.tolist())) > 1:
                columns[name] = names
        facts = {totals.span: totals.times}
        if (totals.series > 1).any():
            facts["series"] = totals.series
        facts |= {"steps": totals.steps, "complete": totals.complete}
        facts["total"] = totals.total
        quantiles = dict(zip(totals.quantile_levels, totals.quantiles.T, strict=True))
        for low, high in pairs_of_bounds(totals.quantile_levels):
            level = f"{100 * (high - low):g}% interval"
            facts |= {f"{level}, from": quantiles[low], f"{level}, to": quantiles[high]}
        if totals.order is not None:
            facts[f"enough for {totals.service_level:g}%"] = totals.order
        for header, cells in facts.items():
            columns[_free(self.words(header), columns)] = cells
        return columns

    def _chart(
        self, name: str, columns: dict[str, ndarray], history: Sheet | None
    ) -> Chart | None:
        rows = len(next(iter(columns.values())))
        if not rows:
            return None
        is_many = len(self.forecast.ids) > 1
        span = (0, rows - 1)
        lines = []
        for place, header in enumerate(list(columns)[1 : 1 + DRAWN]):
            is_bound = not is_many and place > 0
            colour = FAINT if is_bound else COLOURS[place]
            if history is not None and not is_bound:
                past_colour = colour if is_many else INK
                past = self._past(history, header, rows, past_colour)
                if past is not None:
                    lines.append(past)
            lines.append(Line(header, name, 0, place + 1, span, colour, is_bound))
        dated = self.forecast.times.dtype.kind == "M"
        corner = f"{_letter(len(columns) + 1)}2"
        return Chart(self.panel.columns.target, lines, dated, corner)

    def _past(
        self, history: Sheet, header: str, ahead: int, colour: str
    ) -> Line | None:
        """The newest values of a series, drawn before its forecast."""
        columns = history.columns or {}
        is_many = len(self.forecast.ids) > 1
        if is_many and header not in columns:
            return None
        column = list(columns).index(header) if is_many else 1
        length = len(next(iter(columns.values())))
        newest = max(LEAST_RECENT, RECENT * ahead)
        span = (max(0, length - newest), length - 1)
        label = self.words("history")
        if is_many:
            label = f"{header} ({label})"
        return Line(label, history.name, 0, column, span, colour, is_many)

    def _history(self) -> tuple[Sheet | None, str]:
        """The sheet of known values, with a column for each series if there are few; None and the
        reason if there are too many values for a sheet."""
        panel = self.panel
        if len(panel) > FEW and len(panel.values) > MOST_ROWS:
            return None, _too_many(panel)
        columns = _wide_history(panel) if len(panel) <= FEW else _long_history(panel)
        if len(next(iter(columns.values()))) > MOST_ROWS:
            return None, _too_many(panel)
        return Sheet(self._name("History"), columns), ""

    def _accuracy(self) -> Sheet:
        assert self.backtest is not None
        summary = self.backtest.summary()
        words = self.words
        lines: list[list[Any]] = [
            [words(f"Accuracy on held-out data: {summary.verdict}")],
            [],
        ]
        headers = []
        tables = (summary.overall, summary.by_step) if summary.scores else ()
        for table in tables:
            header, *rows = table()
            headers.append(len(lines))
            lines.append([words(cell) for cell in header])
            for label, *cells in rows:
                lines.append([words(label), *map(_number, cells)])
            lines.append([])
        lines += [[words(f"warning: {text}")] for text in summary.warnings]
        lines += [[words(f"note: {text}")] for text in summary.notes]
        return Sheet(self._name("Accuracy"), lines=lines, headers=headers)

    def _notes(self, left_out: str) -> Sheet:
        panel = self.panel
        words = self.words
        combination = self.forecast.combination
        span = " to ".join(format_times([panel.starts.min(), panel.ends.max()]))
        methods = "network 100%" if combination is None else str(combination)
        facts: dict[str, Any] = {
            "Source": panel.report.source,
            "Target": panel.columns.target,
            "Series": len(panel),
            "Values": value_count(panel),
            "Frequency": words(panel.frequency.name),
            "Time": words(span),
            "Made of": words(methods),
            "Versions": f"lstmcast {__version__}",
        }
        lines: list[list[Any]] = [[words(name), value] for name, value in facts.items()]
        lines += [[], [words("Findings")]]
        texts = [f"{finding.severity}: {finding.text}" for finding in panel.check()]
        if not texts:
            texts.append("Nothing unusual was found.")
        if left_out:
            texts.append(left_out)
        lines += [[words(text)] for text in texts]
        return Sheet(self._name("Data notes"), lines=lines, headers=[len(facts) + 1])


def _wide_history(panel: Panel) -> dict[str, ndarray]:
    """The known values at all times, with a column for each series."""
    is_shown = np.split(_shown(panel), panel.offsets[1:-1])
    all_times = [panel.times(series)[is_shown[series]] for series in range(len(panel))]
    times = np.unique(np.concatenate(all_times))
    columns: dict[str, ndarray] = {panel.columns.time: times}
    headers = list(map(str, panel.ids)) if len(panel) > 1 else [panel.columns.target]
    for series, header in enumerate(headers):
        column = _at(times, all_times[series], panel.series(series)[is_shown[series]])
        columns[_free(header, columns)] = column
    return columns


def _long_history(panel: Panel) -> dict[str, ndarray]:
    """The known values, with a row for each."""
    is_shown = _shown(panel)
    times = np.concatenate([panel.times(series) for series in range(len(panel))])
    columns = {}
    for name, names in panel.keys.columns(panel.ids).items():
        columns[name] = np.repeat(names, panel.lengths)[is_shown]
    columns["ds"] = times[is_shown]
    columns[_free(panel.columns.target, columns)] = panel.values[is_shown]
    return columns


def _shown(panel: Panel) -> ndarray:
    """Which values are written (N,): those at times that occur, and others that are known."""
    return occurring(panel) | np.isfinite(panel.values)


def _too_many(panel: Panel) -> str:
    return f"The history has {len(panel.values):,} values, too many for a sheet."


def _free(name: str, columns: dict[str, ndarray]) -> str:
    """A header that differs from all other columns."""
    while name in columns:
        name += "_"
    return name


def _at(times: ndarray, own_times: ndarray, values: ndarray) -> ndarray:
    """Values on another axis of times, NaN where there are none."""
    aligned = np.full(len(times), np.nan)
    aligned[np.searchsorted(times, own_times)] = values
    return aligned


def _number(text: str) -> Any:
    """A cell of a table, as a number if it is one."""
    plain = text.replace(",", "")
    try:
        if plain.endswith("%"):
            return Share(float(plain.removesuffix("%")) / 100)
        return float(plain)
    except ValueError:
        return text or None


def _letter(column: int) -> str:
    """The letters of a column: 0 is A, 26 is AA.

    >>> _letter(0), _letter(27)
    ('A', 'AB')
    """
    text = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        text = chr(65 + digit) + text
    return text
