"""The JSON documents of jobs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lstmcast._version import __version__
from lstmcast.data.kinds import kind_counts
from lstmcast.data.observed import value_count
from lstmcast.data.panel import Panel
from lstmcast.data.table import format_time

if TYPE_CHECKING:
    from lstmcast.data.panel import Findings
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.forecast import Forecast
    from lstmcast.scenarios import Scenarios
    from lstmcast.totals import Totals


def as_document(**entries: Any) -> dict[str, Any]:
    return {"lstmcast": __version__, **entries}


def tested_document(
    panel: Panel, tested: Backtest | None, held_out: bool, **entries: Any
) -> dict[str, Any]:
    """A document that begins with the data and the accuracy; held-out forecasts on request."""
    return as_document(
        data=described(panel) | kind_of(panel),
        findings=rows_of(panel.check()),
        skipped=skipped_series(panel),
        accuracy=measured_of(tested, held_out),
        **entries,
    )


def described(panel: Panel) -> dict[str, Any]:
    return panel.covariates.roles() | {
        "source": panel.report.source,
        "rows": panel.report.rows,
        "columns": asdict(panel.columns) | {"keys": list(panel.keys)},
        "series": len(panel),
        "values": value_count(panel),
        "frequency": panel.frequency.code,
        "periods": list(panel.periods),
        "calendar": panel.calendar.as_dict(panel.ids) if panel.calendar else None,
        "start": format_time(panel.starts.min()),
        "end": format_time(panel.ends.max()),
    }


def kind_of(panel: Panel) -> dict[str, Any]:
    return {
        "kind": panel.kind,  # what holds for all series
        "kinds": kind_counts(panel.kinds),
        "kind_declared": panel.recognised is None,
    }


def rows_of(findings: Findings) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in findings]


def made_of(forecast: Forecast) -> dict[str, float] | None:
    """The shares of a combination by name; None for the network on its own."""
    return forecast.combination.as_dict() if forecast.combination else None


def skipped_series(panel: Panel | None) -> list[dict[str, str]]:
    """The series that were left out because they could not be read, with the reasons."""
    if panel is None:
        return []
    return [
        {"series": name, "reason": reason}
        for name, reason in panel.report.skipped.items()
    ]


def measured_of(tested: Backtest | None, held_out: bool = False) -> Any:
    """The accuracy; held-out forecasts are longer than everything else, so they are left out unless
    requested."""
    measured = parsed(tested)
    if measured is not None and not held_out:
        measured.pop("held_out", None)
    return measured


def parsed(answer: Forecast | Backtest | Totals | Scenarios | None) -> Any:
    return None if answer is None else json.loads(answer.to_json())
