"""The data of a report's charts, for its script."""

# O origins · H horizon

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.evaluation.summary import HEADINGS
from lstmcast.output.components import ComponentsPlot
from lstmcast.output.panes import Pane
from lstmcast.output.plots import ForecastPlot
from lstmcast.util.language import Words
from lstmcast.util.objects import none_where_unknown
from lstmcast.writing.tables import plain_list

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.evaluation.summary import Summary
    from lstmcast.forecast import Forecast
    from lstmcast.scenarios import Scenarios

PLOTLY_VERSION = "4.1.1"
MOST_COMPONENTS = 4  # series that are decomposed
MOST_VALUES = 9_000  # values of all charts together: a page has at most 1.5 MB
DIGITS = 7  # significant digits of the numbers


def forecast_charts(plot: ForecastPlot) -> dict[str, Any]:
    """The forecast and history of each series with a chart."""
    return {
        "panes": shortened(json.loads(plot.to_json())["panes"]),
        "unit": plot.unit,
        "axis": _axis(plot),
    }


def shortened(value: Any, digits: int = DIGITS) -> Any:
    """Numbers with as many digits as a chart can show; more would double the size of a page."""
    if isinstance(value, dict):
        return {name: shortened(entry, digits) for name, entry in value.items()}
    if isinstance(value, list):
        return [shortened(entry, digits) for entry in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def _axis(plot: ForecastPlot) -> str:
    """The kind of axis for the times; years outside of calendars are shown as categories."""
    times = np.concatenate(
        [ends for pane in plot.panes for ends in (pane.times[:1], pane.future[-1:])]
    )
    if times.dtype.kind != "M":
        return "linear"
    years = times.astype("datetime64[Y]").astype(np.int64) + 1970
    return "date" if years.min() >= 1 and years.max() <= 9999 else "category"


def step_chart(
    tested: Backtest | None, summary: Summary | None, words: Words
) -> dict[str, Any] | None:
    """The error of each model at each step: in the units of the data for one series, relative to
    the history for several."""
    if tested is None or summary is None or not summary.scores:
        return None
    columns = tested.per_horizon()
    key = summary.measure
    models = [
        {
            "name": words(name),
            "own": name == summary.model,
            "values": plain_list(columns[key][columns["model"] == name]),
        }
        for name in summary.scores
    ]
    return {"metric": HEADINGS[key], "models": models}


def component_charts(
    plot: ForecastPlot, forecast: Forecast, panel: Panel, words: Words
) -> list[dict[str, Any]] | None:
    """The components of the first series with a chart that have a season or an effect; None if none
    has."""
    charts = [
        _components(
            ComponentsPlot.from_forecast(forecast, panel, pane.name), pane, words
        )
        for pane in plot.panes[:MOST_COMPONENTS]
    ]
    return charts if any(chart["parts"] for chart in charts) else None


def _components(plot: ComponentsPlot, pane: Pane, words: Words) -> dict[str, Any]:
    """The components at the newest times of a pane, and its future."""
    is_drawn = np.isin(plot.times, np.concatenate([pane.times, pane.future]))
    count = int(np.count_nonzero(is_drawn))
    components: list[dict[str, Any]] = []
    if len(plot.parts) > len(("level", "remainder")):
        for component in plot.parts:
            name = words(component.name)
            percent = bool(component.percent)
            values = shortened(none_where_unknown(component.values[is_drawn]), digits=5)
            components.append({"name": name, "percent": percent, "values": values})
    return {"parts": components, "count": count}


def scenario_charts(
    plot: ForecastPlot, scenarios: Scenarios | None
) -> dict[str, Any] | None:
    """The forecast of each scenario for the series with a chart, and its differences from the first
    scenario."""
    if scenarios is None:
        return None
    first = next(iter(scenarios.forecasts.values()))
    place = {str(name): origin for origin, name in enumerate(first.ids)}
    selected = [(place[pane.name], len(pane.future)) for pane in plot.panes]
    points, differences = {}, {}
    for name, forecast in scenarios.forecasts.items():
        points[name] = [
            none_where_unknown(forecast.point[origin, :steps])
            for origin, steps in selected
        ]
    for name, difference in scenarios.differences.items():
        differences[name] = [
            none_where_unknown(difference[origin, :steps].T)
            for origin, steps in selected
        ]
    return shortened(
        {"level": f"{scenarios.level:g}", "points": points, "apart": differences}
    )
