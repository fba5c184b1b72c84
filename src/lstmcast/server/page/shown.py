"""A result as the page shows it: the parts of the report, the data of its charts, and parts that
are requested one by one."""

# T time · H horizon

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.data.table import format_time
from lstmcast.output.places import Outputs
from lstmcast.output.report import Report
from lstmcast.output.report_tables import scenarios_note
from lstmcast.scenarios import compare_scenarios, with_plan
from lstmcast.server.page.asked import WhatIf
from lstmcast.server.page.results import Kept
from lstmcast.server.problems import Problem
from lstmcast.util.html import page_table
from lstmcast.util.language import Words
from lstmcast.writing.tables import plain_list, without_formulas, write_table

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel

MOST_SERIES = 2_000  # names that can be selected
MOST_ROWS = 200  # series whose sums are compared
PARTS = ("title", "subtitle", "verdict", "tiles", "chart_note", "series", "accuracy")
GIVEN, PLANNED = "as given", "what if"
TYPES = {
    "forecast.csv": "text/csv; charset=utf-8",
    "forecast.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "totals.csv": "text/csv; charset=utf-8",
    "report.html": "text/html; charset=utf-8",
}
Document = dict[str, Any]


def shown(stored: Kept, words: Words, series: list[str] | None = None) -> Document:
    """A result for the page; `series`: the series that are drawn first."""
    report = _report(stored, words, series)
    pieces = report.parts()
    panel = stored.result.panel
    return {
        "parts": {name: pieces[name] for name in PARTS},
        "charts": report.charts(),
        "command": stored.command,
        "series": list(map(str, stored.result.forecast.ids[:MOST_SERIES])),
        "known": list(panel.covariates.future.columns),
        "totals": stored.result.totals is not None,
    }


def chart_of(stored: Kept, words: Words, series: str) -> Document:
    """The data for the chart of one series."""
    require_series(stored, series)
    return _report(stored, words, [series]).charts()


def _report(stored: Kept, words: Words, series: list[str] | None) -> Report:
    outcome = stored.result
    return Report.from_forecast(
        outcome.forecast,
        outcome.panel,
        outcome.backtest,
        model=stored.model,
        made_by=stored.command,
        language=words.language,
        totals=outcome.totals,
        series=series,
    )


def require_series(stored: Kept, series: str) -> None:
    """Raise Problem if a result does not have this series."""
    if series not in set(map(str, stored.result.forecast.ids)):
        raise Problem(404, f"The forecast has no series {series[:100]!r}.", "series")


# ---------------------------------------------------------------- files


def file_of(stored: Kept, words: Words, name: str) -> bytes:
    """A file to download. Raises Problem if there is no such file."""
    if name not in TYPES or (name == "totals.csv" and stored.result.totals is None):
        raise Problem(404, f"There is no file {name[:100]!r} of a forecast.", "name")
    outcome = stored.result
    with tempfile.TemporaryDirectory(prefix="lstmcast-") as folder:
        place = Path(folder, name)
        if name == "totals.csv":
            assert outcome.totals is not None  # checked above
            write_table(without_formulas(outcome.totals.columns_dict()), place)
        elif name == "report.html":
            _report(stored, words, None).save(place)
        else:
            # a downloaded file is likely to be opened in a spreadsheet
            outputs = Outputs(
                table=place, language=words.language, escape_formulas=True
            )
            outputs.write(
                outcome.forecast,
                outcome.panel,
                outcome.backtest,
                stored.model,
                outcome.totals,
            )
        return place.read_bytes()


# ---------------------------------------------------------------- other plans


def coming(stored: Kept, series: str) -> Document:
    """The coming values of columns known in advance, for one series."""
    require_series(stored, series)
    panel = stored.result.panel
    forecast = stored.result.forecast
    row = list(map(str, panel.ids)).index(series)
    future = panel.covariates.future
    length = int(panel.lengths[row])
    if not future:
        return {"times": [], "columns": {}}
    first = int(future.offsets[row]) + length
    end = int(future.offsets[row + 1])
    # all steps of the grid: closed ones, which are not forecast, have coming values too
    origin = list(map(str, forecast.ids)).index(series)
    steps = int(panel.frequency.position(forecast.times[origin].max(), panel.ends[row]))
    columns = {}
    for name, values in future.columns.items():
        known_H = np.full(steps, np.nan)
        values_here = values[first:end][:steps]
        known_H[: len(values_here)] = values_here
        levels = future.levels.get(name)
        columns[name] = {"values": _in_words(known_H, levels), "levels": levels}
    times = panel.frequency.range(panel.ends[row], steps, 1)
    return {"times": list(map(format_time, times)), "columns": columns}


def _in_words(values: np.ndarray, levels: tuple[str, ...] | None) -> list[Any]:
    """Numbers, or the categories that they stand for; None if unknown."""
    plain = plain_list(values)
    if levels is None:
        return plain
    words = dict(enumerate(levels))
    return [words.get(value) for value in plain]


def what_if(stored: Kept, words: Words, plan: WhatIf) -> Document:
    """The forecast with another plan beside that of the result. Raises Problem, UsageError."""
    require_series(stored, plan.series)
    panel = _alone(stored.result.panel, plan)
    series = None if plan.everywhere else [plan.series]
    planned = with_plan(panel, plan.values, series)
    horizon = stored.result.forecast.horizon
    scenarios = compare_scenarios(
        stored.model, {GIVEN: panel, PLANNED: planned}, horizon
    )
    origin = list(map(str, panel.ids)).index(plan.series)
    header, *rows = scenarios.rows(MOST_ROWS)
    table = page_table([_scenario(name, words) for name in header], rows)
    note = scenarios_note(scenarios, words)
    return {
        "point": plain_list(scenarios.forecasts[PLANNED].point[origin]),
        "difference": [
            plain_list(bound) for bound in scenarios.differences[PLANNED][origin].T
        ],
        "table": f"{table}{note}",
        "name": words(PLANNED),
    }


def _alone(panel: Panel, plan: WhatIf) -> Panel:
    """The panel to forecast for a plan: one series, unless the plan is for all."""
    return panel if plan.everywhere else panel.select([plan.series])


def _scenario(heading: str, words: Words) -> str:
    """A heading in the table of scenarios: one name, or a difference of two."""
    return " − ".join(map(words, heading.split(" less ")))
