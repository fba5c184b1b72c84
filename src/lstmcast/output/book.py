"""A forecast as a workbook that can be handed on: sheets for the forecast with a chart, the
history, the accuracy, the totals, and notes on the data."""

# O origins · H horizon · S series · T times

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast._version import __version__
from lstmcast.data.keys import OWN_NAME
from lstmcast.data.table import format_time
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

FEW = 20  # series that have a column each
DRAWN = 6  # of them in the chart
RECENT = 4  # horizons of the history in the chart, and at least
LEAST_RECENT = 36  # values
COLOURS = ("#1556b0", "#d9822b", "#1d8a54", "#8a4fbf", "#b03a48", "#5b6b7a")
INK, FAINT = "#1f2933", "#9dc1ee"
# Excel allows no more letters, and none of these, in the name of a sheet
LONGEST_NAME, FORBIDDEN = 31, str.maketrans(dict.fromkeys("[]:*?/\\", " "))


class Book(NamedTuple):
    """What a workbook is made of."""

    forecast: Forecast
    panel: Panel
    backtest: Backtest | None = None
    totals: Totals | None = None
    words: Words = ENGLISH

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write it: the whole file or, with an OutputError, nothing."""
        return write_sheets(self.sheets(), path)

    def sheets(self) -> list[Sheet]:
        """The sheets, in the order in which they are read."""
        history, left_out = self._history()
        sheets = [self._forecast(history)]
        if self._wide and len(self.forecast.ids) > 1:
            sheets.append(Sheet(self._name("Intervals"), self.forecast.columns_dict()))
        sheets += [] if history is None else [history]
        if self.backtest is not None:
            sheets.append(self._accuracy())
        if self.totals is not None:
            sheets.append(Sheet(self._name("Totals"), self.totals.columns_dict()))
        return [*sheets, self._notes(left_out)]

    @property
    def _wide(self) -> bool:
        """Whether each series has a column: few of them, at one cutoff each."""
        ids = self.forecast.ids
        return len(ids) <= FEW and len(set(ids)) == len(ids)

    def _name(self, text: str) -> str:
        return self.words(text).translate(FORBIDDEN)[:LONGEST_NAME]

    def _forecast(self, history: Sheet | None) -> Sheet:
        name = self._name("Forecast")
        if not self._wide:
            return Sheet(name, self.forecast.columns_dict())
        wanted, time = self.forecast.wanted, self.panel.columns.time
        if len(self.forecast.ids) > 1:
            times = np.unique(self.forecast.times[wanted])
            columns = {time: times}
            for o, series in enumerate(map(str, self.forecast.ids)):
                known = self.forecast.times[o][wanted[o]], self.forecast.point[o][wanted[o]]
                columns[_free(series, columns)] = _at(times, *known)
        else:
            kept = wanted[0]
            columns = {time: self.forecast.times[0][kept]}
            label = _free(self.words("forecast"), columns)
            columns[label] = self.forecast.point[0][kept]
            for level in self.forecast.interval_levels:
                band = self.forecast.interval(level)
                for side, bound in (("from", band.lower), ("to", band.upper)):
                    header = self.words(f"{level:g}% interval, {side}")
                    columns[header] = bound[0][kept]
        return Sheet(name, columns, chart=self._chart(name, columns, history))

    def _chart(self, name: str, columns: dict[str, ndarray], history: Sheet | None) -> Chart | None:
        rows = len(next(iter(columns.values())))
        several, lines = len(self.forecast.ids) > 1, []
        for place, header in enumerate(list(columns)[1 : 1 + DRAWN]):
            bound = not several and place > 0
            colour = FAINT if bound else COLOURS[place]
            if history is not None and not bound:
                past = self._past(history, header, rows, colour if several else INK)
                lines += [] if past is None else [past]
            lines.append(Line(header, name, 0, place + 1, (0, rows - 1), colour, bound))
        dated = self.forecast.times.dtype.kind == "M"
        corner = f"{_letter(len(columns) + 1)}2"
        return Chart(self.panel.columns.target, lines, dated, corner) if rows else None

    def _past(self, history: Sheet, header: str, ahead: int, colour: str) -> Line | None:
        """The newest values of a series, to stand before its forecast."""
        columns = history.columns or {}
        several = len(self.forecast.ids) > 1
        if several and header not in columns:
            return None
        y = list(columns).index(header) if several else 1
        length = len(next(iter(columns.values())))
        first = max(0, length - max(LEAST_RECENT, RECENT * ahead))
        said = self.words("history")
        named = f"{header} ({said})" if several else said
        return Line(named, history.name, 0, y, (first, length - 1), colour, several)

    def _history(self) -> tuple[Sheet | None, str]:
        """The known values, a column for each of few series; nothing, and why, where they are too
        many for a sheet."""
        name, panel = self._name("History"), self.panel
        if len(panel) <= FEW:
            times = np.unique(np.concatenate([panel.times(s) for s in range(len(panel))]))
            columns: dict[str, ndarray] = {panel.columns.time: times}
            for s, series in enumerate(map(str, panel.ids)):
                header = series if len(panel) > 1 else panel.columns.target
                columns[_free(header, columns)] = _at(times, panel.times(s), panel.series(s))
            if len(times) <= MOST_ROWS:
                return Sheet(name, columns), ""
        elif len(panel.values) <= MOST_ROWS:
            ids = np.repeat(panel.ids, panel.lengths)
            every = np.concatenate([panel.times(s) for s in range(len(panel))])
            return Sheet(name, {OWN_NAME: ids, "ds": every, panel.columns.target: panel.values}), ""
        return None, f"The history has {len(panel.values):,} values, too many for a sheet."

    def _accuracy(self) -> Sheet:
        assert self.backtest is not None
        summary, words = self.backtest.summary(), self.words
        lines: list[list[Any]] = [[words(f"Accuracy on held-out data: {summary.verdict}")], []]
        headers = []
        for table in (summary.overall, summary.by_step) if summary.scores else ():
            header, *rows = table()
            headers.append(len(lines))
            lines.append([words(cell) for cell in header])
            lines += [[words(row[0]), *map(_number, row[1:])] for row in rows] + [[]]
        lines += [[words(f"warning: {text}")] for text in summary.warnings]
        lines += [[words(f"note: {text}")] for text in summary.notes]
        return Sheet(self._name("Accuracy"), lines=lines, headers=headers)

    def _notes(self, left_out: str) -> Sheet:
        panel, words, made = self.panel, self.words, self.forecast.combination
        span = f"{format_time(panel.starts.min())} to {format_time(panel.ends.max())}"
        facts = {
            "Source": panel.report.source,
            "Target": panel.columns.target,
            "Series": f"{len(panel):,}",
            "Values": f"{len(panel.values):,}",
            "Frequency": words(panel.frequency.name),
            "Time": words(span),
            "Made of": words(str(made)) if made is not None else words("network 100%"),
            "Versions": f"lstmcast {__version__}",
        }
        lines: list[list[Any]] = [[words(name), value] for name, value in facts.items()]
        lines += [[], [words("Findings")]]
        found = [f"{finding.severity}: {finding.text}" for finding in panel.check()]
        said = found or ["Nothing unusual was noticed."]
        lines += [[words(text)] for text in [*said, *([left_out] if left_out else [])]]
        return Sheet(self._name("Data notes"), lines=lines, headers=[len(facts) + 1])


def _free(name: str, taken: dict[str, ndarray]) -> str:
    """A header that no other column has."""
    while name in taken:
        name += "_"
    return name


def _at(times: ndarray, known: ndarray, values: ndarray) -> ndarray:
    """Values on another axis of times, unknown where they have none."""
    result = np.full(len(times), np.nan)
    result[np.searchsorted(times, known)] = values
    return result


def _number(text: str) -> Any:
    """A cell of a table as the number that it is."""
    plain = text.replace(",", "")
    try:
        return Share(float(plain.removesuffix("%")) / 100) if plain.endswith("%") else float(plain)
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
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
