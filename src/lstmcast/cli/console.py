"""What the commands say, as plain text: aligned columns, numbers as people write them, one
sentence per finding."""

# O origins · H horizon

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.data.table import format_time
from lstmcast.util.text import number_format as number_format
from lstmcast.util.text import shortened as shortened

if TYPE_CHECKING:
    from lstmcast.data.inspection import Inspection
    from lstmcast.data.panel import Finding, Panel
    from lstmcast.forecast import Forecast
    from lstmcast.jobs import Event

# of a forecast on the screen, half the rows for several: a longer one is for a file
MOST_ROWS, MOST_SERIES = 60, 10
MOST_FINDINGS = 8  # before a forecast; `lstmcast check` shows all


def panel_line(panel: Panel) -> str:
    """What was read, in one line.

    >>> from lstmcast.data.panel import Panel
    >>> panel_line(Panel.from_arrays([5.0, 6.0], frequency="MS", start="2024-01"))
    'arrays: 1 series, 2 values, monthly (month starts), 2024-01-01 to 2024-02-01'
    """
    rows = (
        f"{panel.report.rows:,} row{'s' * (panel.report.rows != 1)}, " if panel.report.rows else ""
    )
    values = f"{len(panel.values):,} value{'s' * (len(panel.values) != 1)}"
    span = f"{format_time(panel.starts.min())} to {format_time(panel.ends.max())}"
    series = f"{len(panel):,} series"
    return f"{panel.report.source}: {rows}{series}, {values}, {panel.frequency.name}, {span}"


def event_lines(event: Event) -> list[str]:
    """What a job reports while it runs.

    >>> from lstmcast.jobs import Note
    >>> event_lines(Note("2 series are new"))
    ['  note:    2 series are new']
    """
    from lstmcast.jobs import DataJoined, DataRead, NewerRead, Note

    match event:
        case DataRead(panel):
            return [panel_line(panel), *finding_lines(panel.check(), MOST_FINDINGS)]
        case NewerRead(panel):
            return [panel_line(panel)]
        case DataJoined(continuation):
            findings = finding_lines(continuation.panel.check(), MOST_FINDINGS)
            return [*findings, f"  note:    {continuation}"]
        case Note(text):
            return [f"  note:    {text}"]
        case _:
            return [f"  {event.done} of {event.total}: {event.job}"]


def inspection(inspected: Inspection) -> str:
    """What is in a source and what is wrong with it."""
    table, panel, findings = inspected
    if panel is None:
        head = (
            f"{table.source}: {len(table):,} rows, {len(table.ids):,} series: cannot be used as it "
            "is"
        )
    else:
        head = panel_line(panel)
    return "\n".join([head, *(finding_lines(findings) or ["  nothing to report"])])


def finding_lines(findings: Iterable[Finding], most: int | None = None) -> list[str]:
    """One paragraph per finding, errors first; what is beyond `most` is counted."""
    order = {"error": 0, "warning": 1, "note": 2}
    found = sorted(findings, key=lambda finding: order[finding.severity])
    shown = found if most is None else found[:most]
    lines = [
        paragraph(f"{finding.severity + ':':<9}{finding.text}", indent=11) for finding in shown
    ]
    if len(found) > len(shown):
        lines.append(f"  … and {len(found) - len(shown):,} more: `lstmcast check` shows all")
    return lines


def paragraph(text: str, indent: int) -> str:
    """Text as wide as the terminal, later lines indented; unbroken where there is no terminal,
    for grep's sake."""
    if not sys.stderr.isatty():
        return "  " + text
    width = min(shutil.get_terminal_size().columns, 120)
    return textwrap.fill(text, width, initial_indent="  ", subsequent_indent=" " * indent)


def forecast_table(forecast: Forecast) -> str:
    """The first steps of the first series with their intervals, and how many rows there are beyond.

    >>> from lstmcast.forecast import Forecast
    >>> point = np.array([[446.91, 421.4]])
    >>> bounds = np.stack([point - 20, point + 21], axis=2)
    >>> ids, ends, times = np.array(["a"], object), np.array([7]), np.array([[8, 9]])
    >>> print(forecast_table(Forecast(ids, ends, times, point, bounds, quantile_levels=(0.1, 0.9))))
    ds  forecast    80 % interval
     8     446.9  426.9 … 467.9
     9     421.4  401.4 … 442.4
    """
    several = len(set(forecast.ids)) > 1
    most = MOST_ROWS // 2 if several else MOST_ROWS
    origins = range(min(len(forecast.ids), max(MOST_SERIES, most // forecast.horizon)))
    steps = range(min(forecast.horizon, most // max(1, len(origins))))
    writes = [
        number_format(np.append(forecast.point[o], forecast.quantiles[o].ravel())) for o in origins
    ]
    rows = [(o, h) for o in origins for h in steps]
    columns = (
        {forecast.columns.series: [shortened(str(forecast.ids[o])) for o, _ in rows]}
        if several
        else {}
    )
    columns[forecast.columns.time] = [format_time(forecast.times[row]) for row in rows]
    columns["forecast"] = [writes[row[0]](forecast.point[row]) for row in rows]
    for level in forecast.interval_levels:
        band = forecast.interval(level)
        columns[f"{level:g} % interval"] = [
            f"{writes[row[0]](band.lower[row])} … {writes[row[0]](band.upper[row])}" for row in rows
        ]
    left = [forecast.columns.series] if several else []
    text = aligned(list(columns), list(zip(*columns.values(), strict=True)), left)
    beyond = len(forecast) - len(rows)
    return text + (f"\n… {beyond:,} more rows; --out forecast.csv writes all" if beyond else "")


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[str] = ()) -> str:
    """Columns aligned to the right, or to the left for those named.

    >>> print(aligned(["model", "MAE"], [["naive", "12.5"], ["lstmcast", "7.25"]], left=["model"]))
    model      MAE
    naive     12.5
    lstmcast  7.25
    """
    widths = [max(map(_width, column)) for column in zip(header, *rows, strict=True)]
    sides = [name in left for name in header]
    lines = (
        "  ".join(
            _padded(cell, width, side) for cell, width, side in zip(row, widths, sides, strict=True)
        )
        for row in (header, *rows)
    )
    return "\n".join(line.rstrip() for line in lines)


def _padded(cell: str, width: int, left: bool) -> str:
    space = " " * (width - _width(cell))
    return cell + space if left else space + cell


def _width(text: str) -> int:
    """Columns that a terminal needs: two for an ideograph."""
    from unicodedata import combining, east_asian_width

    return sum(
        2 if east_asian_width(letter) in "WF" else 1 for letter in text if not combining(letter)
    )


def snapshot(manifest: Mapping[str, Any]) -> str:
    """Which epoch of a training a saved model is of; nothing where it is no snapshot.

    >>> snapshot({"kind": "forecaster", "snapshot": {"epoch": 5, "epochs": 20}})
    'a snapshot of epoch 5 of 20, '
    """
    if "snapshot" not in manifest:
        # older versions kept the network alone
        alone = f"a snapshot of epoch {manifest.get('epoch')}, its network alone, "
        return alone if manifest.get("kind") == "network" and "epoch" in manifest else ""
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
