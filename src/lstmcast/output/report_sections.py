"""The sections of a report, as HTML."""

# O origins · H horizon

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast._version import __version__
from lstmcast.data.kinds import kind_counts
from lstmcast.data.table import format_times
from lstmcast.evaluation.summary import number, percent
from lstmcast.output.plots import ForecastPlot
from lstmcast.output.report_charts import MOST_VALUES, PLOTLY_VERSION
from lstmcast.output.report_tables import coverages_of
from lstmcast.util.html import escape, facts, markdown
from lstmcast.util.language import Words

if TYPE_CHECKING:
    from lstmcast.data.panel import Finding, Panel
    from lstmcast.evaluation.summary import Summary
    from lstmcast.forecast import Forecast


MOST_FINDINGS = 40


def subtitle_of(forecast: Forecast, plot: ForecastPlot) -> str:
    count = plot.available
    series = f" of {count:,} series" if count > 1 else ""
    ends = format_times([forecast.times.min(), forecast.times.max()])
    span = " to ".join(dict.fromkeys(ends))
    return f"Forecast{series}, {plot.reach} ahead: {span}"


def chart_notes(forecast: Forecast, plot: ForecastPlot, panel: Panel) -> list[str]:
    """The notes below the chart."""
    combination = forecast.combination
    note = _chart_note(plot, panel)
    return [note] if combination is None else [note, f"Made of: {combination}."]


def _chart_note(plot: ForecastPlot, panel: Panel) -> str:
    notes = []
    if plot.available > len(plot.panes):
        notes.append(
            f"Charts: the first {len(plot.panes)} of {plot.available:,} series."
        )
    longest = int(panel.lengths.max())
    if longest > (limit := MOST_VALUES // len(plot.panes)):
        notes.append(f"For long histories, the newest {limit:,} values are shown.")
    return " ".join(notes)


_STYLES = {"best": "good", "middle": "middle", "poor": "poor", "unknown": "unknown"}


def verdict_line(summary: Summary | None, words: Words) -> str:
    if summary is None:
        verdict, style = "Accuracy was not measured: nothing was held out.", "unknown"
    elif not summary.scores:
        verdict = f"Accuracy on held-out data: {summary.verdict}"
        style = "unknown"
    else:
        verdict = f"Accuracy on held-out data: {summary.verdict}"
        style = _STYLES[summary.standing]
    return f'<p class="verdict {style}">{escape(words(verdict))}</p>'


def tiles_section(summary: Summary | None, words: Words) -> str:
    """The few numbers that most readers want, with their meanings."""
    if summary is None or not summary.scores:
        return ""
    scores = summary.scores[summary.model]
    tiles = [(number(scores["mae"]), "mean absolute error, in the data’s units")]
    if np.isfinite(scores["mape"]):
        tiles.append((f"{scores['mape']:.1f}%", "mean error, in percent of the value"))
    against = {"skill": summary.reference, "skill_familiar": summary.familiar}
    for key, name in against.items():
        if name is not None and np.isfinite(scores[key]):
            comparison = "less" if scores[key] >= 0 else "more"
            tiles.append(
                (
                    _difference(abs(scores[key])),
                    f"{comparison} error than the {name} forecast",
                )
            )
    tiles += [
        (percent(share), f"of the actual values were in the {level}% interval")
        for level, share in coverages_of(scores).items()
    ]
    cells = "".join(
        f"<div><b>{escape(value)}</b><span>{escape(words(meaning))}</span></div>"
        for value, meaning in tiles
    )
    return f'<div class="tiles">{cells}</div>'


def _difference(share: float) -> str:
    """A difference in percent; one that would be rounded to 0% is said to be small."""
    return "< 1%" if 0 < share < 0.005 else percent(share)


def series_picker(plot: ForecastPlot, words: Words) -> str:
    if len(plot.panes) == 1:
        return ""
    options = "".join(
        f'<option value="{place}">{escape(pane.name)}</option>'
        for place, pane in enumerate(plot.panes)
    )
    return f'<label class="picker">{words("Series")} <select id="picker">{options}</select></label>'


def data_section(panel: Panel, words: Words) -> str:
    lengths = panel.lengths
    missing = int(np.isnan(panel.values).sum())
    count = f"{len(panel.values):,}"
    ends = dict.fromkeys((lengths.min(), lengths.max()))
    values = f"{count}, {' to '.join(f'{length:,}' for length in ends)} each"
    periods = ", ".join(
        words(f"{period:,} steps") for period in panel.periods if period > 1
    )
    start, end = format_times([panel.starts.min(), panel.ends.max()])
    entries = {
        "Source": panel.report.source,
        "Rows read": f"{panel.report.rows:,}" if panel.report.rows else "",
        "Target": panel.columns.target,
        "Past covariates": ", ".join(panel.covariates.past),
        "Known in advance": ", ".join(panel.covariates.future.columns),
        "Static": ", ".join(panel.covariates.static),
        "Series": f"{len(panel):,}",
        "Values": words(values) if len(panel) > 1 else count,
        "Missing": f"{missing:,}" if missing else words("none"),
        "Frequency": words(panel.frequency.name),
        "Seasons": periods or words("none"),
        "Time": words(f"{start} to {end}"),
        "Kind": _kind(panel, words),
    }
    return facts({words(name): value for name, value in entries.items()})


def _kind(panel: Panel, words: Words) -> str:
    """The kinds of values, and whether they were declared or recognised."""
    counts = kind_counts(panel.kinds)
    if len(counts) == 1 and panel.kind == "real":
        return words("real")
    origin = "declared" if panel.recognised is None else "recognised"
    names = list(counts)
    if len(counts) > 1:
        names = [f"{count:,} series {name}" for name, count in counts.items()]
    return f"{', '.join(map(words, names))} ({words(origin)})"


def findings_section(findings: Sequence[Finding], words: Words) -> str:
    if not findings:
        return f"<p>{words('Nothing unusual was found.')}</p>"
    order = {"error": 0, "warning": 1, "note": 2}
    ordered = sorted(findings, key=lambda entry: order[entry.severity])
    items = "".join(
        f'<li class="{finding.severity}"><b>{words(f"{finding.severity}:").rstrip(":")}</b> '
        f"<span>{escape(words(finding.text))}</span></li>"
        for finding in ordered[:MOST_FINDINGS]
    )
    beyond = len(ordered) - MOST_FINDINGS
    ending = words(f"… and {beyond:,} more: lstmcast check shows all.")
    overflow = f"<p class=note>{ending}</p>" if beyond > 0 else ""
    return f'<ul class="findings">{items}</ul>{overflow}'


def card_section(card: str, words: Words) -> str:
    if not card:
        return ""
    return (
        f"<section><details><summary>{words('Model card')}</summary>"
        f"{markdown(card, words)}</details></section>"
    )


def made_section(made_by: str, made_on: date, words: Words) -> str:
    versions = (
        f"lstmcast {__version__}, Python {platform.python_version()}, NumPy {version('numpy')}, "
        f"plotly.js {PLOTLY_VERSION}"
    )
    dated = facts({words("Date"): made_on.isoformat(), words("Versions"): versions})
    return f"<pre>{escape(made_by)}</pre>{dated}"


def components_section(charts: list[dict[str, Any]] | None, words: Words) -> str:
    """The section in which the components of a series are drawn."""
    if charts is None:
        return ""
    note = "Seasons and effects are changes of the level; the rest is the remainder."
    content = (
        f'<div id="components" class="chart"></div><p class=note>{words(note)}</p>'
    )
    return f'<section id="apart-section"><h2>{words("What it is made of")}</h2>{content}</section>'
