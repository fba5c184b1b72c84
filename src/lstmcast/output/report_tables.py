"""The tables of a report, as HTML: totals, series, accuracy."""

# O origins · H horizon

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.data.table import format_time
from lstmcast.evaluation.summary import HEADINGS, labelled, number, percent
from lstmcast.util.html import escape, page_table
from lstmcast.util.language import Words

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.evaluation.summary import Summary
    from lstmcast.forecast import Forecast
    from lstmcast.scenarios import Scenarios
    from lstmcast.totals import Totals

MOST_ROWS = 200


def totals_section(totals: Totals | None, words: Words) -> str:
    """Sums over time and series, with their intervals."""
    if totals is None:
        return ""
    header, *rows = totals.rows(MOST_ROWS)
    limit_note = (
        f"The first {len(rows)} of {len(totals):,} rows."
        if len(totals) > len(rows)
        else ""
    )
    note = f"<p class=note>{escape(words(limit_note))}</p>" if limit_note else ""
    # a period may say how much of it is forecast
    place = header.index(totals.span)
    for row in rows:
        row[place] = words(row[place])
    table = page_table([words(name) for name in header], rows)
    return f"<section><h2>{words('Totals')}</h2>{table}{note}</section>"


def scenarios_section(scenarios: Scenarios | None, words: Words) -> str:
    """Charts and sums of scenarios, and their differences."""
    if scenarios is None:
        return ""
    header, *rows = scenarios.rows(MOST_ROWS)
    table = page_table([words(name) for name in header], rows)
    note = scenarios_note(scenarios, words)
    charts = '<div id="scenarios" class="chart"></div><div id="apart" class="chart low"></div>'
    return f"<section><h2>{words('Scenarios')}</h2>{charts}{table}{note}</section>"


def scenarios_note(scenarios: Scenarios, words: Words) -> str:
    """What the numbers of a table of scenarios are."""
    note = (
        f"Sums over all steps; differences with their {scenarios.level:g}% intervals."
    )
    return f"<p class=note>{escape(words(note))}</p>"


def series_section(
    forecast: Forecast,
    panel: Panel,
    tested: Backtest | None,
    available: int,
    words: Words,
) -> str:
    """A table of all series, if there are several."""
    if available < 2:
        return ""
    header, rows = _series_rows(forecast, panel, tested)
    limit_note = (
        f"The first {len(rows)} of {available:,} series."
        if available > len(rows)
        else ""
    )
    note = f"<p class=note>{escape(words(limit_note))}</p>" if limit_note else ""
    table = page_table([words(name) for name in header], rows)
    return f"<section><h2>{words('Series')}</h2>{table}{note}</section>"


def _series_rows(
    forecast: Forecast, panel: Panel, tested: Backtest | None
) -> tuple[list[str], list[list[str]]]:
    places = {name: place for place, name in enumerate(panel.ids)}
    origins = list(
        {
            name: origin for origin, name in enumerate(forecast.ids) if name in places
        }.values()
    )[:MOST_ROWS]
    scores = _series_scores(tested)
    header = [
        "series",
        "values",
        "until",
        "last value",
        "first forecast",
        "mean forecast",
    ]
    rows = []
    for origin in origins:
        name = forecast.ids[origin]
        values = panel.series(places[name])
        known_values = values[np.isfinite(values)]
        newest = _observed(float(known_values[-1])) if len(known_values) else "–"
        cells = [f"{len(values):,}", format_time(forecast.cutoffs[origin]), newest]
        cells += [
            number(float(forecast.point[origin, 0])),
            number(float(forecast.point[origin].mean())),
        ]
        rows.append(
            [
                str(name),
                *cells,
                *(write(column.get(name, np.nan)) for column, write in scores.values()),
            ]
        )
    return [*header, *scores], rows


def _observed(value: float) -> str:
    """A value of the data: whole numbers without decimals."""
    return f"{value:,.0f}" if value.is_integer() else number(value)


def _series_scores(tested: Backtest | None) -> dict[str, tuple[dict[str, float], Any]]:
    """Columns of the table of series that come from a backtest: numbers by series, and formats."""
    if tested is None or not tested.forecasts:
        return {}
    columns = tested.per_series()
    is_model = columns["model"] == tested.model
    writes = {"mae": number, "mase": number, "skill": percent}
    ids = tested.ids
    return {
        HEADINGS[key]: (
            dict(zip(ids, columns[key][is_model].tolist(), strict=True)),
            write,
        )
        for key, write in writes.items()
        if key in columns
    }


def accuracy_section(summary: Summary | None, words: Words) -> str:
    if summary is None or not summary.scores:
        return ""
    overall, steps = (
        labelled(rows, words) for rows in (summary.overall(), summary.by_step())
    )
    sentences = [
        *(f"Warning: {warning}" for warning in summary.warnings),
        *summary.notes,
        _GLOSSARY,
    ]
    notes = "".join(f"<p class=note>{escape(words(note))}</p>" for note in sentences)
    return (
        f"<section><h2>{words('How accurate it would have been')}</h2><p>{words(_HELD_OUT)}</p>"
        f"{page_table(overall[0], overall[1:], words(summary.model))}"
        f"{_STEPS if len(steps) > 2 else ''}{_coverage(summary, words)}<details><summary>"
        f"{words('Errors by step, as a table')}</summary>{page_table(steps[0], steps[1:])}"
        f"</details>{notes}</section>"
    )


_HELD_OUT = (
    "The end of the data was held out, forecast from earlier cutoffs, and compared with the "
    "actual values, as were simple forecasts."
)
_STEPS = '<div id="steps" class="chart low"></div>'  # if there is more than one step
_GLOSSARY = (
    "MAE: mean absolute error. RMSE: large errors count more. MAPE, sMAPE: error in percent of the "
    "value, of the mean of value and forecast. MASE: error relative to that of the seasonal naive "
    "forecast within the history. Skill: how much smaller the error was than that of the best "
    "simple forecast."
)


def _coverage(summary: Summary, words: Words) -> str:
    """The share of held-out values in each interval, beside the stated one."""
    shares = coverages_of(summary.scores[summary.model])
    if not shares:
        return ""
    bars = "".join(
        f'<div class="meter"><span>{escape(words(f"{level}% interval"))}</span>'
        f'<div class="track"><div class="bar" style="width:{100 * share:.1f}%"></div>'
        f'<div class="aim" style="left:{float(level):.1f}%"></div></div>'
        f"<b>{percent(share)}</b></div>"
        for level, share in shares.items()
    )
    return f"<h3>{words(_HELD)}</h3><p>{words(_INSIDE)}</p>{bars}"


_HELD = "Do the intervals have their stated coverage?"
_INSIDE = (
    "Share of held-out values inside each interval; the mark shows the stated level."
)


def coverages_of(scores: dict[str, float]) -> dict[str, float]:
    """The share of held-out values in each interval, by the interval's level in percent."""
    names = {
        name.removeprefix("coverage_"): name for name in scores if "coverage_" in name
    }
    return {
        level: scores[name]
        for level, name in names.items()
        if np.isfinite(scores[name])
    }
