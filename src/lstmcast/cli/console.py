"""The output of commands as plain text: aligned columns, readable numbers, one sentence per
finding.

`words` are those of the reader's language; names from the data stay as they are.
"""

# O origins · H horizon

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.data.findings import NUMBERED, OUTLIERS
from lstmcast.data.observed import value_count
from lstmcast.data.table import format_times
from lstmcast.util.language import ENGLISH, Words
from lstmcast.util.lines import aligned as aligned
from lstmcast.util.lines import fitting, padded, wrapped
from lstmcast.util.text import counted
from lstmcast.util.text import number_format as number_format
from lstmcast.util.text import shortened as shortened

if TYPE_CHECKING:
    from lstmcast.data.inspection import Inspection
    from lstmcast.data.panel import Finding, Panel
    from lstmcast.forecast import Forecast
    from lstmcast.jobs.events import Event
    from lstmcast.scenarios import Scenarios
    from lstmcast.totals import Totals

# rows of a forecast on the screen, half for several series: longer ones are for files
MOST_ROWS, MOST_SERIES = 60, 10
MOST_FINDINGS = 8  # before a forecast; `lstmcast check` shows all


def panel_line(panel: Panel) -> str:
    """A summary of the data in one line.

    >>> from lstmcast.data.panel import Panel
    >>> panel_line(Panel.from_arrays([5.0, 6.0], frequency="MS", start="2024-01"))
    'arrays: 1 series, 2 values, monthly (month starts), 2024-01-01 to 2024-02-01'
    """
    parts = []
    if panel.report.rows:
        parts.append(counted(panel.report.rows, "row"))
    parts.append(f"{len(panel):,} series")
    parts.append(counted(value_count(panel), "value"))
    step = panel.frequency.name
    if panel.calendar:
        step += f" ({panel.calendar.name})"
    parts.append(step)
    start, end = format_times([panel.starts.min(), panel.ends.max()])
    parts.append(f"{start} to {end}")
    # recognised kinds are reported in a note
    if panel.recognised is None and panel.kind != "real":
        parts.append(f"declared {panel.kind}")
    if panel.covariates.past:
        parts.append(f"past: {', '.join(panel.covariates.past)}")
    return f"{panel.report.source}: {', '.join(parts)}"


def columns_lines(panel: Panel) -> list[str]:
    """The columns that were read, in one line per role; empty for data without columns.

    >>> from lstmcast.data.read import read
    >>> columns_lines(read({"day": ["2024-01-01", "2024-01-02", "2024-01-03"], "sold": [5, 6, 7]}))
    ['  columns: time day, target sold']
    """
    if not panel.report.rows:
        return []
    recipe = panel.report.recipe
    time = panel.columns.time
    target = panel.columns.target
    if any(finding.rule == NUMBERED for finding in panel.report.findings):
        time = "row numbers"
    if recipe is not None and recipe.target == "*":
        target = "every column of numbers"
    elif recipe is not None and not isinstance(recipe.target, str | None):
        target = ", ".join(recipe.target)
    series = f", series {', '.join(panel.keys)}" if len(panel.keys) else ""
    lines = [f"  columns: time {time}, target {target}{series}"]
    if panel.covariates.future.columns:
        lines.append(
            f"  known in advance: {', '.join(panel.covariates.future.columns)}"
        )
    if panel.covariates.static:
        lines.append(f"  static: {', '.join(panel.covariates.static)}")
    return lines


def event_lines(event: Event, words: Words = ENGLISH) -> list[str]:
    """The lines for an event that a job reports.

    >>> from lstmcast.jobs import Note
    >>> event_lines(Note("2 series are new"))
    ['  note:    2 series are new']
    """
    from lstmcast.jobs import DataJoined, DataRead, NewerRead, Note

    match event:
        case DataRead(panel):
            paragraphs = finding_lines(panel.check(), MOST_FINDINGS, words)
            return [
                words(panel_line(panel)),
                *map(words, columns_lines(panel)),
                *paragraphs,
            ]
        case NewerRead(panel):
            return [words(panel_line(panel)), *map(words, columns_lines(panel))]
        case DataJoined(continuation):
            findings = finding_lines(continuation.panel.check(), MOST_FINDINGS, words)
            return [*findings, note_line(str(continuation), words)]
        case Note(text):
            return [note_line(text, words)]
        case _:
            return [words(f"  {event.done} of {event.total}: {event.job}")]


def note_line(text: str, words: Words = ENGLISH) -> str:
    """A note about a run."""
    return f"  {_severity('note', words)}{words(text)}"


def _severity(severity: str, words: Words) -> str:
    return padded(words(f"{severity}:"), 9, is_left=True)


def inspection(inspected: Inspection, words: Words = ENGLISH) -> str:
    """The contents of a source, and its findings."""
    table, panel, findings = inspected
    if panel is None:
        rows = f"{len(table):,} rows"
        series = f"{len(table.ids):,} series"
        head = [f"{table.source}: {rows}, {series}: cannot be used as it is"]
    else:
        head = [panel_line(panel), *columns_lines(panel)]
    paragraphs = finding_lines(findings, words=words) or [words("  nothing to report")]
    return "\n".join([*map(words, head), *paragraphs])


def finding_lines(
    findings: Iterable[Finding], limit: int | None = None, words: Words = ENGLISH
) -> list[str]:
    """One paragraph per finding, errors first; those beyond `limit` are counted. An outlier is told
    rather than how cells were read."""
    order = {"error": 0, "warning": 1, "note": 2}
    ordered = sorted(findings, key=lambda finding: order[finding.severity])
    urgent = sorted(
        ordered, key=lambda one: (order[one.severity], one.rule != OUTLIERS)
    )
    told = {id(finding) for finding in urgent[:limit]}
    lines = []
    for finding in ordered:
        if id(finding) not in told:
            continue
        severity = _severity(finding.severity, words)
        text = " ".join(words(finding.text).split("\n"))
        lines.append(paragraph(f"{severity}{text}", indent=11))
    hidden = len(ordered) - len(lines)
    if hidden:
        lines.append(words(f"  … and {hidden:,} more: `lstmcast check` shows all"))
    return lines


def paragraph(text: str, indent: int) -> str:
    """Text wrapped to the terminal with hanging indent; unbroken without one, to suit grep."""
    if not sys.stderr.isatty():
        return "  " + text
    columns = min(shutil.get_terminal_size().columns, 120)
    return wrapped(text, columns, "  ", " " * indent)


def terminal_columns() -> int | None:
    """The maximum width of tables: that of the terminal, or none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def forecast_table(forecast: Forecast, words: Words = ENGLISH) -> str:
    """The first steps of the first series with intervals, and the number of further rows.

    >>> from lstmcast.forecast import Forecast
    >>> point = np.array([[446.91, 421.4]])
    >>> bounds = np.stack([point - 20, point + 21], axis=2)
    >>> ids, ends, times = np.array(["a"], object), np.array([7]), np.array([[8, 9]])
    >>> print(forecast_table(Forecast(ids, ends, times, point, bounds, quantile_levels=(0.1, 0.9))))
    ds  forecast    80% interval
     8     446.9  426.9 … 467.9
     9     421.4  401.4 … 442.4
    """
    is_many = len(set(forecast.ids)) > 1
    bands = [forecast.interval(level) for level in forecast.interval_levels]
    header = [forecast.columns.time, words("forecast")]
    header += [words(f"{level:g}% interval") for level in forecast.interval_levels]
    left_aligned = []
    if is_many:
        left_aligned = [forecast.columns.series]
        header = left_aligned + header
    rows = []
    limit = MOST_ROWS // 2 if is_many else MOST_ROWS
    origins = range(min(len(forecast.ids), max(MOST_SERIES, limit // forecast.horizon)))
    steps = range(min(forecast.horizon, limit // max(1, len(origins))))
    is_wanted = forecast.wanted
    counts = forecast.counts
    times = format_times(forecast.times[: len(origins)])
    for origin in origins:
        numbers = np.append(forecast.point[origin], forecast.quantiles[origin].ravel())
        write = number_format(numbers, counts[origin])
        for step in steps:
            place = origin, step
            if not is_wanted[place]:
                continue
            row = [shortened(str(forecast.ids[origin]))] if is_many else []
            time = times[origin * forecast.horizon + step]
            row += [time, write(forecast.point[place])]
            row += [
                f"{write(band.lower[place])} … {write(band.upper[place])}"
                for band in bands
            ]
            rows.append(row)
    keys = 2 if is_many else 1
    text = fitting(header, rows, terminal_columns(), left_aligned, keys)
    return text + _more_rows(len(forecast) - len(rows), words)


def _more_rows(count: int, words: Words) -> str:
    """How many rows are not shown; empty where all are."""
    if not count:
        return ""
    return words(f"\n… {count:,} more rows; --out forecast.csv writes all")


def totals_table(totals: Totals, words: Words = ENGLISH) -> str:
    """The first sums with their intervals."""
    header, *rows = totals.rows(MOST_ROWS // 2)
    # a period may say how much of it is forecast
    place = header.index(totals.span)
    for row in rows:
        row[place] = words(row[place])
    left_aligned = [*map(words, totals.names), words(totals.span)]
    header, keys = list(map(words, header)), place + 1
    text = fitting(header, rows, terminal_columns(), left_aligned, keys)
    hidden = _more_rows(len(totals) - len(rows), words)
    return words("Totals:") + "\n" + text + hidden


def levels_table(rows: list[list[str]], words: Words = ENGLISH) -> str:
    """Errors at each level of a hierarchy."""
    from lstmcast.evaluation.summary import labelled

    header, *body = labelled(rows, words)
    return fitting(header, body, terminal_columns(), header[:1])


def scenarios_table(scenarios: Scenarios, words: Words = ENGLISH) -> str:
    """The sums of scenarios over all steps and their differences, for the first series."""
    header, *rows = scenarios.rows(MOST_ROWS // 2)
    text = fitting(list(map(words, header)), rows, terminal_columns(), header[:1])
    title = f"Scenarios, sums over all steps, with {scenarios.level:g}% intervals of differences:"
    return words(title) + "\n" + text


def snapshot(manifest: Mapping[str, Any]) -> str:
    """The epoch of a snapshot; empty for other saved models.

    >>> snapshot({"kind": "forecaster", "snapshot": {"epoch": 5, "epochs": 20}})
    'a snapshot of epoch 5 of 20, '
    """
    if "snapshot" not in manifest:
        # older versions kept the network alone
        is_network = manifest.get("kind") == "network" and "epoch" in manifest
        return (
            f"a snapshot of epoch {manifest['epoch']}, its network alone, "
            if is_network
            else ""
        )
    of = manifest["snapshot"]
    member = f"member {of['member'] + 1} of {of['members']}, " if "member" in of else ""
    return f"a snapshot of {member}epoch {of['epoch']} of {of['epochs']}, "


def tree(values: Mapping[str, Any], indent: int = 1) -> list[str]:
    """Nested names and values as indented lines.

    >>> print("\\n".join(tree({"name": "airline", "scores": {"mase": 0.5}, "levels": [0.1, 0.9]})))
      name: airline
      scores:
        mase: 0.5
      levels: 0.1, 0.9
    """
    lines = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            lines += [f"{'  ' * indent}{name}:", *tree(value, indent + 1)]
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            lines.append(f"{'  ' * indent}{name}: {shortened(text, 100)}")
    return lines
