"""A page to hand on: data, forecast, accuracy and how it was made, in one HTML file that needs no
network.

The page draws what the pictures and the backtest hold: one computation, two ways to look at it. Its
text is made here, its looks and its charts are in `report.html`; plotly's JavaScript, which draws
them, comes from plotly's package.
"""

# O origins · H horizon

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast._version import __version__
from lstmcast.data.table import format_time
from lstmcast.errors import UsageError
from lstmcast.evaluation.summary import HEADINGS, PLAIN, SEASONAL, number, percent
from lstmcast.output.cards import TrainingRecord, card_of
from lstmcast.output.plots import ForecastPlot
from lstmcast.util.files import check_output, whole_file
from lstmcast.util.html import escape, facts, markdown, page_table, script_data
from lstmcast.writing.tables import plain_list

if TYPE_CHECKING:
    from lstmcast.data.panel import Finding, Panel
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.evaluation.summary import Summary
    from lstmcast.forecast import Forecast

ENDINGS = (".html",)
# series with a chart, series in the table, findings
MOST_CHARTS, MOST_ROWS, MOST_FINDINGS = 24, 200, 40
MOST_VALUES = 40_000  # of all charts together: beyond that a page opens slowly
MADE_BY = "lstmcast.Report.from_forecast(…) in Python"


@dataclass(frozen=True, eq=False)
class Report:
    """What an analyst hands on: a forecast with its data, its accuracy, and how it was made.

    `backtest` is None where accuracy was not measured; `card` is the network's model card in
    Markdown, or empty; `training` is None where nothing was trained.

    >>> import numpy as np, lstmcast as lc
    >>> panel = lc.Panel.from_arrays(10 + np.arange(48) % 12, frequency="MS", start="2020-01")
    >>> model = lc.LSTMForecaster(horizon=3)
    >>> forecast, backtest = model.predict(panel), lc.backtest(model, panel)
    >>> report = lc.Report.from_forecast(forecast, panel, backtest, model=model)
    >>> report.title
    'y: 3 months ahead'
    """

    forecast: Forecast
    panel: Panel
    plot: ForecastPlot  # the series that have a chart, with their history
    backtest: Backtest | None
    card: str
    training: TrainingRecord | None
    made_by: str
    made_on: date

    @classmethod
    def from_forecast(
        cls,
        forecast: Forecast,
        panel: Panel,
        backtest: Backtest | None = None,
        *,
        model: Any = None,
        made_by: str = MADE_BY,
        made_on: date | None = None,
    ) -> Report:
        """The report of a forecast from the ends of a panel's series.

        `model`: what made the forecast; its network and its training are described. `made_by`: the
        command or call, as readers should see it. `made_on`: today unless given. UsageError where
        forecast and panel share no series.
        """
        shared = len(set(forecast.ids) & set(panel.ids))
        if not shared:
            raise UsageError(
                "The forecast has no series of this panel. Give the panel that was forecast."
            )
        charts = min(shared, MOST_CHARTS)
        plot = ForecastPlot.from_forecast(
            forecast, panel, backtest, most=charts, longest=MOST_VALUES // charts
        )
        described = card_of(model), TrainingRecord.of(model)
        return cls(forecast, panel, plot, backtest, *described, made_by, made_on or date.today())

    @property
    def title(self) -> str:
        """What the report is about, in one line."""
        return f"{self.plot.name}: {self.plot.reach} ahead"

    def html(self) -> str:
        """The whole page."""
        from plotly.offline import get_plotlyjs

        page = (Path(__file__).parent / "report.html").read_text(encoding="utf-8")
        summary = self.backtest.summary() if self.backtest is not None else None
        return Template(page).substitute(
            title=escape(self.title),
            name=escape(self.plot.name),
            subtitle=escape(_subtitle(self.forecast, self.plot)),
            verdict=_verdict(summary),
            tiles=_tiles(summary),
            picker=_picker(self.plot, len(self.panel)),
            chart_note=escape(_chart_note(self.plot, self.panel)),
            series=_series_section(self.forecast, self.panel, self.plot, self.backtest),
            accuracy=_accuracy(summary),
            training=self.training.html() if self.training else "",
            data=_data(self.panel),
            findings=_findings(self.panel.check()),
            card=_card(self.card),
            made=_made(self.made_by, self.made_on),
            charts=script_data(_charts(self, summary)),
            plotly=get_plotlyjs(),
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page as .html: the whole file or, with an OutputError, nothing."""
        path = check_output(path, ENDINGS)
        page = self.html().encode("utf-8", "replace")
        with whole_file(path) as temporary:
            temporary.write_bytes(page)
        return path


# ---------------------------------------------------------------- what is on top


def _subtitle(forecast: Forecast, plot: ForecastPlot) -> str:
    count = plot.available
    series = f"{count:,} series, " if count > 1 else ""
    span = " to ".join(
        dict.fromkeys(format_time(time) for time in (forecast.times.min(), forecast.times.max()))
    )
    return f"Forecast of {series}{plot.reach} ahead: {span}"


def _verdict(summary: Summary | None) -> str:
    if summary is None:
        said, style = "Accuracy was not measured: nothing was held out.", "unknown"
    elif not summary.scores:
        said, style = f"Accuracy on held-out data: {summary.verdict}", "unknown"
    else:
        said = f"Accuracy on held-out data: {summary.verdict}"
        style = "good" if summary.verdict.startswith("better") else "poor"
    return f'<p class="verdict {style}">{escape(said)}</p>'


def _tiles(summary: Summary | None) -> str:
    """The few numbers that most readers want, each with its meaning."""
    if summary is None or not summary.scores:
        return ""
    own = summary.scores[summary.model]
    tiles = [(number(own["mae"]), "mean absolute error, in the data’s units")]
    if np.isfinite(own["mape"]):
        tiles.append((f"{own['mape']:.1f} %", "mean error, in percent of the value"))
    simple = {
        name: summary.scores[name]["mae"] for name in (SEASONAL, PLAIN) if name in summary.scores
    }
    best = min(simple, key=lambda name: simple[name], default="")  # as the verdict has it
    if best not in ("", summary.model) and simple[best] > 0:
        share = 1 - own["mae"] / simple[best]
        tiles.append(
            (
                percent(abs(share)),
                f"{'less' if share >= 0 else 'more'} error than the {best} forecast",
            )
        )
    tiles += [
        (percent(share), f"of what came lay in the {level} % interval")
        for level, share in _coverages(own).items()
    ]
    cells = "".join(
        f"<div><b>{escape(value)}</b><span>{escape(meaning)}</span></div>"
        for value, meaning in tiles
    )
    return f'<div class="tiles">{cells}</div>'


# ---------------------------------------------------------------- the forecast


def _picker(plot: ForecastPlot, available: int) -> str:
    if len(plot.panes) == 1:
        return ""
    options = "".join(
        f'<option value="{i}">{escape(pane.name)}</option>' for i, pane in enumerate(plot.panes)
    )
    return f'<label class="picker">Series <select id="picker">{options}</select></label>'


def _chart_note(plot: ForecastPlot, panel: Panel) -> str:
    notes = []
    if plot.available > len(plot.panes):
        notes.append(f"Charts: the first {len(plot.panes)} of {plot.available:,} series.")
    longest = int(panel.lengths.max())
    if longest > (kept := MOST_VALUES // len(plot.panes)):
        notes.append(f"Of long histories the newest {kept:,} values are drawn.")
    return " ".join(notes)


def _series_section(
    forecast: Forecast, panel: Panel, plot: ForecastPlot, tested: Backtest | None
) -> str:
    """All series in a table, where there are several."""
    if plot.available < 2:
        return ""
    header, rows = _series_rows(forecast, panel, tested)
    left = (
        f"<p class=note>The first {len(rows)} of {plot.available:,} series.</p>"
        if plot.available > len(rows)
        else ""
    )
    return f"<section><h2>Series</h2>{page_table(header, rows)}{left}</section>"


def _series_rows(
    forecast: Forecast, panel: Panel, tested: Backtest | None
) -> tuple[list[str], list[list[str]]]:
    places = {name: place for place, name in enumerate(panel.ids)}
    origins = list({name: o for o, name in enumerate(forecast.ids) if name in places}.values())[
        :MOST_ROWS
    ]
    scores = _series_scores(tested)
    header = ["series", "values", "until", "last value", "first forecast", "mean forecast"]
    rows = []
    for o in origins:
        name = forecast.ids[o]
        values = panel.series(places[name])
        known = values[np.isfinite(values)]
        last = number(float(known[-1])) if len(known) else "–"
        cells = [f"{len(values):,}", format_time(forecast.cutoffs[o]), last]
        cells += [number(float(forecast.point[o, 0])), number(float(forecast.point[o].mean()))]
        rows.append(
            [
                str(name),
                *cells,
                *(write(column.get(name, np.nan)) for column, write in scores.values()),
            ]
        )
    return [*header, *scores], rows


def _series_scores(tested: Backtest | None) -> dict[str, tuple[dict[str, float], Any]]:
    """Columns of the table of series that a backtest gives: numbers by series, and how to write
    them."""
    if tested is None or not tested.forecasts:
        return {}
    columns = tested.per_series()
    own = columns["model"] == tested.model
    writes = {"mae": number, "mase": number, "skill": percent}
    ids = tested.ids
    return {
        HEADINGS[key]: (dict(zip(ids, columns[key][own].tolist(), strict=True)), write)
        for key, write in writes.items()
        if key in columns
    }


# ---------------------------------------------------------------- accuracy


def _accuracy(summary: Summary | None) -> str:
    if summary is None or not summary.scores:
        return ""
    overall, steps = summary.overall(), summary.by_step()
    said = [*(f"Warning: {warning}" for warning in summary.warnings), *summary.notes]
    return (
        "<section><h2>How accurate it would have been</h2><p>The end of the data was hidden, "
        "forecast from earlier points, and compared with what came; simple forecasts had to answer "
        f"the same question.</p>{page_table(overall[0], overall[1:], summary.model)}"
        f"{_STEPS if len(steps) > 2 else ''}{_coverage(summary)}<details><summary>Errors by step, "
        f"as a table</summary>{page_table(steps[0], steps[1:])}</details>"
        f"{''.join(f'<p class=note>{escape(note)}</p>' for note in said)}<p "
        f"class=note>{_GLOSSARY}</p></section>"
    )


_STEPS = '<div id="steps" class="chart low"></div>'  # where there is more than one step
_GLOSSARY = (
    "MAE: mean absolute error. RMSE: large errors count more. MAPE, sMAPE: error in percent of the "
    "value, of the mean of value and forecast. MASE: error relative to that of the seasonal naive "
    "forecast within the history. Skill: how much smaller than the seasonal naive forecast’s the "
    "error was."
)


def _coverage(summary: Summary) -> str:
    """How many held-out values lay in each interval, beside how many should."""
    shares = _coverages(summary.scores[summary.model])
    if not shares:
        return ""
    bars = "".join(
        f'<div class="meter"><span>{escape(level)} % interval</span><div class="track"><div '
        f'class="bar" style="width:{100 * share:.1f}%"></div><div class="aim" '
        f'style="left:{float(level):.1f}%"></div></div><b>{percent(share)}</b></div>'
        for level, share in shares.items()
    )
    return (
        "<h3>Did the intervals hold what they promise?</h3><p>Share of held-out values inside each "
        f"interval; the mark is where it should be.</p>{bars}"
    )


def _coverages(scores: dict[str, float]) -> dict[str, float]:
    """The share of held-out values in each interval, by its level in percent."""
    named = {name.removeprefix("coverage_"): name for name in scores if "coverage_" in name}
    return {level: scores[name] for level, name in named.items() if np.isfinite(scores[name])}


# ---------------------------------------------------------------- the data, and how it was made


def _data(panel: Panel) -> str:
    lengths = panel.lengths
    missing = int(np.isnan(panel.values).sum())
    each = f"{lengths.min():,} to {lengths.max():,} each" if len(panel) > 1 else ""
    described = {
        "Source": panel.report.source,
        "Rows read": f"{panel.report.rows:,}" if panel.report.rows else "",
        "Target": panel.columns.target,
        "Read beside it": ", ".join(panel.covariates.past),
        "Series": f"{len(panel):,}",
        "Values": f"{len(panel.values):,}" + (f", {each}" if each else ""),
        "Missing": f"{missing:,}" if missing else "none",
        "Frequency": panel.frequency.name,
        "Seasons": ", ".join(f"{period:,} steps" for period in panel.periods if period > 1)
        or "none",
        "Time": f"{format_time(panel.starts.min())} to {format_time(panel.ends.max())}",
    }
    return facts(described)


def _findings(findings: Sequence[Finding]) -> str:
    order = {"error": 0, "warning": 1, "note": 2}
    found = sorted(findings, key=lambda finding: order[finding.severity])
    items = "".join(
        f'<li class="{f.severity}"><b>{f.severity}</b> <span>{escape(f.text)}</span></li>'
        for f in found[:MOST_FINDINGS]
    )
    more = len(found) - MOST_FINDINGS
    left = f"<p class=note>… and {more:,} more: lstmcast check shows all.</p>" if more > 0 else ""
    return (
        f'<ul class="findings">{items}</ul>{left}'
        if found
        else "<p>Nothing unusual was noticed.</p>"
    )


def _card(card: str) -> str:
    if not card:
        return ""
    return f"<section><details><summary>Model card</summary>{markdown(card)}</details></section>"


def _made(made_by: str, made_on: date) -> str:
    versions = (
        f"lstmcast {__version__}, Python {platform.python_version()}, NumPy {version('numpy')}"
    )
    dated = facts(
        {"Date": made_on.isoformat(), "Versions": f"{versions}, plotly {version('plotly')}"}
    )
    return f"<pre>{escape(made_by)}</pre>{dated}"


# ---------------------------------------------------------------- what the charts draw


def _charts(report: Report, summary: Summary | None) -> dict[str, Any]:
    return {
        "panes": json.loads(report.plot.to_json())["panes"],
        "axis": _axis(report.plot),
        "steps": _steps(report.backtest, summary),
        "learning": report.training.chart() if report.training else None,
    }


def _axis(plot: ForecastPlot) -> str:
    """Which kind of axis the times need: years that no calendar has are just names."""
    times = np.concatenate(
        [part for pane in plot.panes for part in (pane.times[:1], pane.future[-1:])]
    )
    if times.dtype.kind != "M":
        return "linear"
    years = times.astype("datetime64[Y]").astype(np.int64) + 1970
    return "date" if years.min() >= 1 and years.max() <= 9999 else "category"


def _steps(tested: Backtest | None, summary: Summary | None) -> dict[str, Any] | None:
    """The error at each step of each model: in the data's units for one series, relative to the
    history for several."""
    if tested is None or summary is None or not summary.scores:
        return None
    columns = tested.per_horizon()
    key = "mase" if summary.series > 1 and np.isfinite(columns["mase"]).any() else "mae"
    models = [
        {
            "name": name,
            "own": name == summary.model,
            "values": plain_list(columns[key][columns["model"] == name]),
        }
        for name in summary.scores
    ]
    return {"metric": HEADINGS[key], "models": models}
