"""A result as the page shows it: the pieces of the report, what its charts draw, and parts of it
that are asked for one by one."""

# T time · H horizon

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.data.table import format_time
from lstmcast.evaluation.backtest import backtest
from lstmcast.evaluation.summary import labelled
from lstmcast.forecaster import LSTMForecaster
from lstmcast.output.places import Outputs
from lstmcast.output.report import Report
from lstmcast.scenarios import compare_scenarios, with_plan
from lstmcast.server.page.asked import Compare, WhatIf
from lstmcast.server.page.results import Kept
from lstmcast.server.problems import Problem
from lstmcast.util.html import page_table
from lstmcast.util.language import Words
from lstmcast.writing.tables import plain_list, without_formulas, write_table

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.forecast import Forecast

MOST_SERIES = 2_000  # names that can be chosen
MOST_ROWS = 200  # series whose sums are compared
PARTS = ("title", "subtitle", "verdict", "tiles", "chart_note", "series", "accuracy")
CUTOFFS = 3  # held out where methods are compared
GIVEN, PLANNED = "as given", "what if"
TYPES = {
    "forecast.csv": "text/csv; charset=utf-8",
    "forecast.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "totals.csv": "text/csv; charset=utf-8",
    "report.html": "text/html; charset=utf-8",
}
Document = dict[str, Any]


def shown(kept: Kept, words: Words, series: list[str] | None = None) -> Document:
    """A result for the page; `series`: that are drawn first."""
    report = _report(kept, words, series)
    parts = report.parts()
    panel = kept.result.panel
    return {
        "parts": {name: parts[name] for name in PARTS},
        "charts": report.charts(),
        "command": kept.command,
        "series": list(map(str, kept.result.forecast.ids[:MOST_SERIES])),
        "known": list(panel.covariates.future.columns),
        "totals": kept.result.totals is not None,
    }


def chart_of(kept: Kept, words: Words, series: str) -> Document:
    """What the chart of one series draws."""
    require_series(kept, series)
    return _report(kept, words, [series]).charts()


def _report(kept: Kept, words: Words, series: list[str] | None) -> Report:
    result = kept.result
    return Report.from_forecast(
        result.forecast,
        result.panel,
        result.backtest,
        model=kept.model,
        made_by=kept.command,
        language=words.language,
        totals=result.totals,
        series=series,
    )


def require_series(kept: Kept, series: str) -> None:
    """Problem where a result has no such series."""
    if series not in set(map(str, kept.result.forecast.ids)):
        raise Problem(404, f"The forecast has no series {series[:100]!r}.", "series")


# ---------------------------------------------------------------- files


def file_of(kept: Kept, words: Words, name: str) -> bytes:
    """A file to keep. Problem for one that there is not."""
    if name not in TYPES or (name == "totals.csv" and kept.result.totals is None):
        raise Problem(404, f"There is no file {name[:100]!r} of a forecast.", "name")
    result = kept.result
    with tempfile.TemporaryDirectory(prefix="lstmcast-") as folder:
        place = Path(folder, name)
        if name == "totals.csv":
            assert result.totals is not None  # asked above
            write_table(without_formulas(result.totals.columns_dict()), place)
        elif name == "report.html":
            _report(kept, words, None).save(place)
        else:
            # what a browser loads is opened in a spreadsheet next
            outputs = Outputs(table=place, language=words.language, escape_formulas=True)
            outputs.write(result.forecast, result.panel, result.backtest, kept.model, result.totals)
        return place.read_bytes()


# ---------------------------------------------------------------- other plans


def coming(kept: Kept, series: str) -> Document:
    """The coming values of what is known in advance, of one series: those that are planned with."""
    require_series(kept, series)
    panel, forecast = kept.result.panel, kept.result.forecast
    row = list(map(str, panel.ids)).index(series)
    future, length = panel.covariates.future, int(panel.lengths[row])
    if not future:
        return {"times": [], "columns": {}}
    first, last = int(future.offsets[row]) + length, int(future.offsets[row + 1])
    # steps of the grid: closed ones, which are not forecast, have coming values too
    origin = list(map(str, forecast.ids)).index(series)
    steps = int(panel.frequency.position(forecast.times[origin].max(), panel.ends[row]))
    columns = {}
    for name, values in future.columns.items():
        known_H = np.full(steps, np.nan)
        here = values[first:last][:steps]
        known_H[: len(here)] = here
        levels = future.levels.get(name)
        columns[name] = {"values": _in_words(known_H, levels), "levels": levels}
    times = panel.frequency.range(panel.ends[row], steps, 1)
    return {"times": list(map(format_time, times)), "columns": columns}


def _in_words(values: np.ndarray, levels: tuple[str, ...] | None) -> list[Any]:
    """Numbers, or the categories that they stand for; None where nothing is known."""
    plain = plain_list(values)
    if levels is None:
        return plain
    return [None if value is None else levels[int(value)] for value in plain]


def what_if(kept: Kept, words: Words, asked: WhatIf) -> Document:
    """The forecast with another plan beside that of the result. Problem, UsageError."""
    require_series(kept, asked.series)
    panel = _alone(kept.result.panel, asked)
    planned = with_plan(panel, asked.values, None if asked.everywhere else [asked.series])
    horizon = kept.result.forecast.horizon
    found = compare_scenarios(kept.model, {GIVEN: panel, PLANNED: planned}, horizon)
    origin = list(map(str, panel.ids)).index(asked.series)
    header, *rows = found.rows(MOST_ROWS)
    return {
        "point": plain_list(found.forecasts[PLANNED].point[origin]),
        "difference": [plain_list(part) for part in found.differences[PLANNED][origin].T],
        "table": page_table([_scenario(name, words) for name in header], rows),
        "name": words(PLANNED),
    }


def _alone(panel: Panel, asked: WhatIf) -> Panel:
    """What has to be forecast for a plan: one series, unless it is for all."""
    return panel if asked.everywhere else panel.select([asked.series])


def _scenario(heading: str, words: Words) -> str:
    """A heading of the table of scenarios: one name, or one less another."""
    return " − ".join(map(words, heading.split(" less ")))


# ---------------------------------------------------------------- methods beside each other


@dataclass(frozen=True, eq=False)
class Method:
    """A forecaster under the name of its method."""

    model: LSTMForecaster
    name: str

    @property
    def horizon(self) -> int:
        """How many steps it forecasts."""
        return self.model.horizon

    def predict(
        self, panel: Panel, horizon: int | None = None, /, *, cutoffs: np.ndarray | None = None
    ) -> Forecast:
        """What comes after each series, or after its cutoffs."""
        return self.model.predict(panel, horizon, cutoffs=cutoffs)


def compared(kept: Kept, words: Words, asked: Compare) -> Document:
    """Forecasts by several methods, and how accurate each was. UsageError, Problem."""
    require_series(kept, asked.series)
    panel, first = kept.result.panel, kept.result.forecast
    names = list(dict.fromkeys(asked.methods))
    methods = [
        Method(LSTMForecaster(first.horizon, method=name), words(METHODS.get(name, name)))
        for name in names
    ]
    tested = backtest(methods[0], panel, cutoffs=CUTOFFS, baselines=methods[1:])
    summary = tested.summary()
    header, *rows = labelled(summary.overall(), words) if summary.scores else [[]]
    one = panel.select([asked.series])
    drawn = {method.name: plain_list(method.predict(one).point[0]) for method in methods}
    return {
        "points": drawn,
        "table": page_table(header, rows) if rows else "",
        "note": words(summary.reason) if summary.reason else "",
        "times": _times(first, asked.series),
    }


def _times(forecast: Forecast, series: str) -> list[str]:
    origin = list(map(str, forecast.ids)).index(series)
    return list(map(format_time, forecast.times[origin]))


# methods that the page offers, as it calls them
METHODS = {
    "auto": "combination",
    "network": "network alone",
    "best": "best single forecast",
    "seasonal naive": "seasonal naive",
    "naive": "naive",
    "linear map": "linear map",
}
