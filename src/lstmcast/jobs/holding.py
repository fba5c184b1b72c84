"""Checks that must hold before a job writes anything."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstmcast.data.panel import Panel
from lstmcast.data.table import format_time
from lstmcast.errors import CheckError
from lstmcast.jobs.jobfile import ChecksSection

if TYPE_CHECKING:
    from lstmcast.evaluation.backtest import Backtest


class Held(NamedTuple):
    """One check: the expected and the actual value, and whether it holds."""

    name: str
    expected: Any
    found: Any
    holds: bool


def data_checks(
    section: ChecksSection, panel: Panel, now: datetime.datetime
) -> list[Held]:
    """The checks of the data.

    >>> panel = Panel.from_arrays([1.0, 2.0], frequency="D", start="2024-03-01")
    >>> asked = ChecksSection(least_series=2)
    >>> data_checks(asked, panel, datetime.datetime(2024, 3, 4))
    [Held(name='least_series', expected=2, found=1, holds=False)]
    """
    series = len(panel)
    values = int(panel.lengths.min())
    limits = [
        ("least_series", section.least_series, series, 1),
        ("most_series", section.most_series, series, -1),
        ("least_values", section.least_values, values, 1),
    ]
    checks = [
        Held(name, bound, measured, measured * sign >= bound * sign)
        for name, bound, measured, sign in limits
        if bound is not None
    ]
    if section.newest is not None:
        checks.append(_newest(section, panel, now))
    if section.most_missing is not None:
        share = round(float(np.isnan(panel.values).mean()), 4)
        checks.append(
            Held(
                "most_missing",
                section.most_missing,
                share,
                share <= section.most_missing,
            )
        )
    if section.warnings == "refuse":
        warnings = [
            finding.text for finding in panel.check() if finding.severity == "warning"
        ]
        checks.append(Held("warnings", "none", warnings[:3] or "none", not warnings))
    return checks


def accuracy_checks(section: ChecksSection, tested: Backtest | None) -> list[Held]:
    """The check of the accuracy at held-out cutoffs."""
    if section.least_skill is None:
        return []
    summary = None if tested is None else tested.summary()
    scores = {} if summary is None else summary.scores.get(summary.model, {})
    skill = scores.get("skill")
    holds = skill is not None and skill >= section.least_skill
    measured = "not measured" if skill is None else round(float(skill), 4)
    return [Held("least_skill", section.least_skill, measured, holds)]


def require_holding(checks: list[Held], job: str) -> None:
    """Raise CheckError, which lists the checks that do not hold, if there are any."""
    broken = [check for check in checks if not check.holds]
    if broken:
        listing = "\n".join(
            f"  {check.name} = {check.expected}: found {check.found}"
            for check in broken
        )
        raise CheckError(
            f"{job}: the [checks] do not hold. Nothing was written.\n{listing}\nCorrect the data, "
            "or change [checks]."
        )


def _newest(section: ChecksSection, panel: Panel, now: datetime.datetime) -> Held:
    """The check that the newest value of any series, or of each, is recent enough; numbered steps
    have no age."""
    limit = section.newest
    assert limit is not None  # the caller checked it
    expected = f"{limit:g} hours old at most"
    if panel.ends.dtype.kind != "M":
        return Held("newest", expected, "steps without a date", False)
    of_each = section.newest_of == "all"
    row = panel.ends.argmin() if of_each else panel.ends.argmax()
    end = panel.ends[row].astype("datetime64[us]")
    age = (np.datetime64(now, "us") - end) / np.timedelta64(1, "h")
    measured = f"{format_time(end)}, {age:.0f} hours ago"
    if of_each and len(panel) > 1:
        measured += f", in series {str(panel.ids[row])!r}"
    return Held("newest", expected, measured, bool(age <= limit))
