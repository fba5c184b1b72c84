"""What a table contains, before anything is forecast, for the options of the page."""

from __future__ import annotations

from typing import Any

from lstmcast.data.ahead import one_season
from lstmcast.data.covariates.suggestions import RULE
from lstmcast.data.findings import DUPLICATE_TIMES
from lstmcast.data.inspection import Inspection
from lstmcast.data.panel import Findings, Panel
from lstmcast.data.read import column_names
from lstmcast.errors import DataError
from lstmcast.jobs import Source
from lstmcast.output.panes import reach_of
from lstmcast.output.report_sections import data_section, findings_section
from lstmcast.server.labels import on_page
from lstmcast.server.requests import require_rows
from lstmcast.server.settings import Limits
from lstmcast.util.language import Words
from lstmcast.util.patterns import pattern_of

_OPTION = pattern_of(r"--([a-z-]+)")
_QUOTED = pattern_of(r"'([^']+)'")
MOST_COLUMNS = 200  # columns that can be chosen
FEW = 0.05  # of all rows: if so few times come twice, no column tells series apart
Document = dict[str, Any]


def look(source: Source, limits: Limits, words: Words) -> Document:
    """Columns, data and findings of a table. Raises DataError, UsageError, Problem.

    For a table that cannot be used as it is, the columns and the reason: another choice of columns
    may help.
    """
    names = column_names(source.data, source.sheet)[:MOST_COLUMNS]
    try:
        inspection = source.inspect()
    except DataError as error:
        return _unusable(names, error.message, "", words)
    panel = inspection.panel
    if panel is None:
        return {
            **_unusable(names, *_first_error(inspection), words),
            "findings": findings_section(inspection.findings, words),
        }
    require_rows(panel, limits)
    severe = [finding for finding in inspection.findings if finding.severity != "note"]
    return {
        "usable": True,
        "columns": names,
        "noticed": len(inspection.findings),
        "serious": bool(severe),
        "suggested": [name for name in going_on(inspection.findings) if name in names],
        "data": data_section(panel, words),
        "findings": findings_section(inspection.findings, words),
        **_chosen(panel),
        "usual": words(reach_of(one_season(panel), panel.frequency)),
    }


def _unusable(names: list[str], problem: str, field: str, words: Words) -> Document:
    """Why a table cannot be used as it is, and the option that would help first: the first one that
    the reason names, unless a field is given."""
    option = _OPTION.search(problem)
    message = on_page(words(problem), words)
    named = option[1].replace("-", "_") if option else "file"
    field = field or named
    return {"usable": False, "columns": names, "problem": message, "field": field}


def _chosen(panel: Panel) -> Document:
    """The roles of the columns."""
    covariates = panel.covariates
    return {
        "time": panel.columns.time,
        "target": panel.columns.target,
        "keys": list(panel.keys),
        "future": list(covariates.future.columns),
    }


def going_on(findings: Findings) -> list[str]:
    """The columns that continue beyond the target according to the findings, and were not named."""
    messages = [finding.message for finding in findings if finding.rule == RULE]
    return [name for message in messages for name in _QUOTED.findall(message)]


def _first_error(inspection: Inspection) -> tuple[str, str]:
    """Why a table cannot be used, and the field of the page that helps, if it is not the first one
    that the reason names."""
    errors = [finding for finding in inspection.findings if finding.severity == "error"]
    if not errors:
        return "The data cannot be used as they are.", ""
    first = errors[0]
    is_few = first.count <= FEW * len(inspection.table.values)
    field = "duplicates" if first.rule == DUPLICATE_TIMES and is_few else ""
    return first.text, field
