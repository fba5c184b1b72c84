"""A page to hand on: data, forecast, accuracy and how it was made, in one HTML file that needs no
network.

The page draws what the pictures and the backtest hold: one computation, two ways to look at it. Its
text is made here, as `parts`; its looks are in `report.css` and its charts in `charts.js`, which
the page of the server uses as well. What draws them is the basic bundle of plotly (npm package
plotly.js-basic-dist-min), which lies beside it: the whole of plotly would make each page five times
as large. `words` are those of the page's language: in `report.html`, a text in double braces is one
of the catalogue, and so is what `say` is given in a script.
"""

# O origins · H horizon

from __future__ import annotations

import gzip
import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast._version import __version__
from lstmcast.data.kinds import kind_counts
from lstmcast.data.table import format_time
from lstmcast.errors import UsageError
from lstmcast.evaluation.summary import HEADINGS, labelled, number, percent
from lstmcast.output.cards import TrainingRecord, card_of
from lstmcast.output.plots import ForecastPlot
from lstmcast.util.files import check_output, whole_file
from lstmcast.util.html import escape, facts, markdown, page_table, script_data
from lstmcast.util.language import Words, words_of
from lstmcast.writing.tables import plain_list

if TYPE_CHECKING:
    from lstmcast.data.panel import Finding, Panel
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.evaluation.summary import Summary
    from lstmcast.forecast import Forecast
    from lstmcast.totals import Totals

ENDINGS = (".html",)
# series with a chart, series in the table, findings
MOST_CHARTS, MOST_ROWS, MOST_FINDINGS = 24, 200, 40
MOST_VALUES = 9_000  # of all charts together: a page has at most 1.5 MB
DIGITS = 7  # of the numbers that are drawn
HERE = Path(__file__).parent
PLOTLY, PLOTLY_VERSION = "plotly-basic.min.js.gz", "4.1.1"
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
    language: str = "en"
    totals: Totals | None = None

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
        language: str = "en",
        totals: Totals | None = None,
        series: Sequence[str] | None = None,
        unit: str | None = None,
    ) -> Report:
        """The report of a forecast from the ends of a panel's series.

        `model`: what made the forecast; its network and its training are described. `made_by`: the
        command or call, as readers should see it. `made_on`: today unless given. `language`: "en"
        or "ja". `totals`: sums of the forecast, as a table. `series`: ids of those to draw, in this
        order; `unit`: of the values, for the axis. UsageError where forecast and panel share no
        series, or have none that was asked for.
        """
        words_of(language)
        shared = len(set(forecast.ids) & set(panel.ids))
        if not shared:
            raise UsageError(
                "The forecast has no series of this panel. Give the panel that was forecast."
            )
        charts = min(len(set(series)) if series else shared, MOST_CHARTS)
        looks = {"series": series or None, "unit": unit}
        size = {"most": charts, "longest": MOST_VALUES // charts}
        plot = ForecastPlot.from_forecast(forecast, panel, backtest, **size, **looks)
        described = card_of(model), TrainingRecord.of(model)
        made = (made_by, made_on or date.today(), language)
        return cls(forecast, panel, plot, backtest, *described, *made, totals)

    @property
    def title(self) -> str:
        """What the report is about, in one line."""
        return f"{self.plot.name}: {self.words(f'{self.plot.reach} ahead')}"

    @property
    def words(self) -> Words:
        """The words of the page's language."""
        return words_of(self.language)

    def parts(self) -> dict[str, str]:
        """The pieces of the page by name, as HTML."""
        summary, words = self._summary(), self.words
        return {
            "title": escape(self.title),
            "name": escape(self.plot.name),
            "subtitle": escape(words(_subtitle(self.forecast, self.plot))),
            "verdict": _verdict(summary, words),
            "tiles": _tiles(summary, words),
            "picker": _picker(self.plot, words),
            "chart_note": escape(" ".join(map(words, _chart_notes(self)))),
            "series": _totals_section(self.totals, words) + _series_section(self, words),
            "accuracy": _accuracy(summary, words),
            "training": self.training.html(words) if self.training else "",
            "data": data_facts(self.panel, words),
            "findings": found_items(self.panel.check(), words),
            "card": _card(self.card, words),
            "made": _made(self.made_by, self.made_on, words),
        }

    def charts(self) -> dict[str, Any]:
        """What `charts.js` draws."""
        return _charts(self, self._summary())

    def html(self) -> str:
        """The whole page."""
        page, words = (HERE / "report.html").read_text("utf-8"), self.words
        drawing = (HERE / "charts.js").read_text("utf-8")
        drawn = {**self.charts(), "words": script_words(page + drawing, words)}
        return Template(in_words(page, words)).substitute(
            self.parts(),
            language=self.language,
            style=(HERE / "report.css").read_text("utf-8"),
            drawing=drawing,
            charts=script_data(drawn),
            plotly=gzip.decompress((HERE / PLOTLY).read_bytes()).decode("utf-8"),
        )

    def _summary(self) -> Summary | None:
        return self.backtest.summary() if self.backtest is not None else None

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page as .html: the whole file or, with an OutputError, nothing."""
        path = check_output(path, ENDINGS)
        page = self.html().encode("utf-8", "replace")
        with whole_file(path) as temporary:
            temporary.write_bytes(page)
        return path


# Texts of a page: `{{The numbers}}`, and `say("history")` in its scripts.
_IN_BRACES = re.compile(r"\{\{(.+?)\}\}")
_SAID = re.compile(r'\bsay\("([^"]+)"')


def in_words(page: str, words: Words) -> str:
    """A page with what stands in double braces in a language.

    >>> from lstmcast.util.language import words_of
    >>> in_words("<h2>{{Forecast}}</h2>", words_of("ja"))
    '<h2>予測</h2>'
    """
    return _IN_BRACES.sub(lambda found: escape(words(found[1])), page)


def script_words(scripts: str, words: Words) -> dict[str, str]:
    """The texts that scripts `say`, in a language.

    >>> from lstmcast.util.language import ENGLISH
    >>> script_words('draw(say("history"))', ENGLISH)
    {'history': 'history'}
    """
    return {text: words(text) for text in _SAID.findall(scripts)}


def _chart_notes(report: Report) -> list[str]:
    """What stands below the chart."""
    made = report.forecast.combination
    note = _chart_note(report.plot, report.panel)
    return [note] if made is None else [note, f"Made of: {made}."]


# ---------------------------------------------------------------- what is on top


def _subtitle(forecast: Forecast, plot: ForecastPlot) -> str:
    count = plot.available
    series = f"{count:,} series, " if count > 1 else ""
    span = " to ".join(
        dict.fromkeys(format_time(time) for time in (forecast.times.min(), forecast.times.max()))
    )
    return f"Forecast of {series}{plot.reach} ahead: {span}"


_STYLES = {"best": "good", "middle": "middle", "poor": "poor", "unknown": "unknown"}


def _verdict(summary: Summary | None, words: Words) -> str:
    if summary is None:
        said, style = "Accuracy was not measured: nothing was held out.", "unknown"
    elif not summary.scores:
        said, style = f"Accuracy on held-out data: {summary.verdict}", "unknown"
    else:
        said = f"Accuracy on held-out data: {summary.verdict}"
        style = _STYLES[summary.standing]
    return f'<p class="verdict {style}">{escape(words(said))}</p>'


def _tiles(summary: Summary | None, words: Words) -> str:
    """The few numbers that most readers want, each with its meaning."""
    if summary is None or not summary.scores:
        return ""
    own = summary.scores[summary.model]
    tiles = [(number(own["mae"]), "mean absolute error, in the data’s units")]
    if np.isfinite(own["mape"]):
        tiles.append((f"{own['mape']:.1f} %", "mean error, in percent of the value"))
    against = {"skill": summary.reference, "skill_familiar": summary.familiar}
    for key, name in against.items():
        if name is not None and np.isfinite(own[key]):
            more = "less" if own[key] >= 0 else "more"
            tiles.append((percent(abs(own[key])), f"{more} error than the {name} forecast"))
    tiles += [
        (percent(share), f"of what came lay in the {level} % interval")
        for level, share in _coverages(own).items()
    ]
    cells = "".join(
        f"<div><b>{escape(value)}</b><span>{escape(words(meaning))}</span></div>"
        for value, meaning in tiles
    )
    return f'<div class="tiles">{cells}</div>'


# ---------------------------------------------------------------- the forecast


def _picker(plot: ForecastPlot, words: Words) -> str:
    if len(plot.panes) == 1:
        return ""
    options = "".join(
        f'<option value="{i}">{escape(pane.name)}</option>' for i, pane in enumerate(plot.panes)
    )
    return f'<label class="picker">{words("Series")} <select id="picker">{options}</select></label>'


def _chart_note(plot: ForecastPlot, panel: Panel) -> str:
    notes = []
    if plot.available > len(plot.panes):
        notes.append(f"Charts: the first {len(plot.panes)} of {plot.available:,} series.")
    longest = int(panel.lengths.max())
    if longest > (kept := MOST_VALUES // len(plot.panes)):
        notes.append(f"Of long histories the newest {kept:,} values are drawn.")
    return " ".join(notes)


def _totals_section(totals: Totals | None, words: Words) -> str:
    """Sums over time and series, with their intervals."""
    if totals is None:
        return ""
    header, *rows = totals.rows(MOST_ROWS)
    left = f"The first {len(rows)} of {len(totals):,} rows." if len(totals) > len(rows) else ""
    note = f"<p class=note>{escape(words(left))}</p>" if left else ""
    listed = page_table([words(name) for name in header], rows)
    return f"<section><h2>{words('Totals')}</h2>{listed}{note}</section>"


def _series_section(report: Report, words: Words) -> str:
    """All series in a table, where there are several."""
    available = report.plot.available
    if available < 2:
        return ""
    header, rows = _series_rows(report.forecast, report.panel, report.backtest)
    left = f"The first {len(rows)} of {available:,} series." if available > len(rows) else ""
    note = f"<p class=note>{escape(words(left))}</p>" if left else ""
    listed = page_table([words(name) for name in header], rows)
    return f"<section><h2>{words('Series')}</h2>{listed}{note}</section>"


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


def _accuracy(summary: Summary | None, words: Words) -> str:
    if summary is None or not summary.scores:
        return ""
    overall, steps = (labelled(rows, words) for rows in (summary.overall(), summary.by_step()))
    said = [*(f"Warning: {warning}" for warning in summary.warnings), *summary.notes, _GLOSSARY]
    notes = "".join(f"<p class=note>{escape(words(note))}</p>" for note in said)
    return (
        f"<section><h2>{words('How accurate it would have been')}</h2><p>{words(_HELD_OUT)}</p>"
        f"{page_table(overall[0], overall[1:], words(summary.model))}"
        f"{_STEPS if len(steps) > 2 else ''}{_coverage(summary, words)}<details><summary>"
        f"{words('Errors by step, as a table')}</summary>{page_table(steps[0], steps[1:])}"
        f"</details>{notes}</section>"
    )


_HELD_OUT = (
    "The end of the data was hidden, forecast from earlier points, and compared with what came; "
    "simple forecasts had to answer the same question."
)
_STEPS = '<div id="steps" class="chart low"></div>'  # where there is more than one step
_GLOSSARY = (
    "MAE: mean absolute error. RMSE: large errors count more. MAPE, sMAPE: error in percent of the "
    "value, of the mean of value and forecast. MASE: error relative to that of the seasonal naive "
    "forecast within the history. Skill: how much smaller the error was than that of the best "
    "simple forecast."
)


def _coverage(summary: Summary, words: Words) -> str:
    """How many held-out values lay in each interval, beside how many should."""
    shares = _coverages(summary.scores[summary.model])
    if not shares:
        return ""
    bars = "".join(
        f'<div class="meter"><span>{escape(words(f"{level} % interval"))}</span>'
        f'<div class="track"><div class="bar" style="width:{100 * share:.1f}%"></div>'
        f'<div class="aim" style="left:{float(level):.1f}%"></div></div>'
        f"<b>{percent(share)}</b></div>"
        for level, share in shares.items()
    )
    return f"<h3>{words(_HELD)}</h3><p>{words(_INSIDE)}</p>{bars}"


_HELD = "Did the intervals hold what they promise?"
_INSIDE = "Share of held-out values inside each interval; the mark is where it should be."


def _coverages(scores: dict[str, float]) -> dict[str, float]:
    """The share of held-out values in each interval, by its level in percent."""
    named = {name.removeprefix("coverage_"): name for name in scores if "coverage_" in name}
    return {level: scores[name] for level, name in named.items() if np.isfinite(scores[name])}


# ---------------------------------------------------------------- the data, and how it was made


def data_facts(panel: Panel, words: Words) -> str:
    """What was read, as HTML: names beside values."""
    lengths = panel.lengths
    missing = int(np.isnan(panel.values).sum())
    count = f"{len(panel.values):,}"
    each = f"{count}, {lengths.min():,} to {lengths.max():,} each"
    periods = ", ".join(words(f"{period:,} steps") for period in panel.periods if period > 1)
    described = {
        "Source": panel.report.source,
        "Rows read": f"{panel.report.rows:,}" if panel.report.rows else "",
        "Target": panel.columns.target,
        "Read beside it": ", ".join(panel.covariates.past),
        "Known in advance": ", ".join(panel.covariates.future.columns),
        "Static": ", ".join(panel.covariates.static),
        "Series": f"{len(panel):,}",
        "Values": words(each) if len(panel) > 1 else count,
        "Missing": f"{missing:,}" if missing else words("none"),
        "Frequency": words(panel.frequency.name),
        "Seasons": periods or words("none"),
        "Time": words(f"{format_time(panel.starts.min())} to {format_time(panel.ends.max())}"),
        "Kind": _kind(panel, words),
    }
    return facts({words(name): value for name, value in described.items()})


def _kind(panel: Panel, words: Words) -> str:
    """What values can be, and whether that was said."""
    counts = kind_counts(panel.kinds)
    if len(counts) == 1 and panel.kind == "real":
        return words("real")
    how = words("declared" if panel.recognised is None else "recognised")
    names = [f"{n:,} series {name}" if len(counts) > 1 else name for name, n in counts.items()]
    return f"{', '.join(map(words, names))} ({how})"


def found_items(findings: Sequence[Finding], words: Words) -> str:
    """What was noticed, errors first, as HTML."""
    if not findings:
        return f"<p>{words('Nothing unusual was noticed.')}</p>"
    order = {"error": 0, "warning": 1, "note": 2}
    found = sorted(findings, key=lambda finding: order[finding.severity])
    items = "".join(
        f'<li class="{f.severity}"><b>{words(f"{f.severity}:").rstrip(":")}</b> '
        f"<span>{escape(words(f.text))}</span></li>"
        for f in found[:MOST_FINDINGS]
    )
    beyond = len(found) - MOST_FINDINGS
    more = words(f"… and {beyond:,} more: lstmcast check shows all.")
    left = f"<p class=note>{more}</p>" if beyond > 0 else ""
    return f'<ul class="findings">{items}</ul>{left}'


def _card(card: str, words: Words) -> str:
    if not card:
        return ""
    return (
        f"<section><details><summary>{words('Model card')}</summary>"
        f"{markdown(card, words)}</details></section>"
    )


def _made(made_by: str, made_on: date, words: Words) -> str:
    versions = (
        f"lstmcast {__version__}, Python {platform.python_version()}, NumPy {version('numpy')}, "
        f"plotly.js {PLOTLY_VERSION}"
    )
    dated = facts({words("Date"): made_on.isoformat(), words("Versions"): versions})
    return f"<pre>{escape(made_by)}</pre>{dated}"


# ---------------------------------------------------------------- what the charts draw


def _charts(report: Report, summary: Summary | None) -> dict[str, Any]:
    return {
        "panes": _shortened(json.loads(report.plot.to_json())["panes"]),
        "unit": report.plot.unit,
        "axis": _axis(report.plot),
        "steps": _steps(report.backtest, summary, report.words),
        "learning": report.training.chart(report.words) if report.training else None,
    }


def _shortened(value: Any) -> Any:
    """Numbers with as many digits as a chart can show: the others are half of a page."""
    if isinstance(value, dict):
        return {name: _shortened(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_shortened(part) for part in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _axis(plot: ForecastPlot) -> str:
    """Which kind of axis the times need: years that no calendar has are just names."""
    times = np.concatenate(
        [part for pane in plot.panes for part in (pane.times[:1], pane.future[-1:])]
    )
    if times.dtype.kind != "M":
        return "linear"
    years = times.astype("datetime64[Y]").astype(np.int64) + 1970
    return "date" if years.min() >= 1 and years.max() <= 9999 else "category"


def _steps(tested: Backtest | None, summary: Summary | None, words: Words) -> dict[str, Any] | None:
    """The error at each step of each model: in the data's units for one series, relative to the
    history for several."""
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
