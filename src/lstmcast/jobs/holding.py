"""What must hold before a job writes anything."""

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
    """One check: what was asked for, what there is, and whether it holds."""

    name: str
    expected: Any
    found: Any
    holds: bool


def data_checks(asked: ChecksSection, panel: Panel, now: datetime.datetime) -> list[Held]:
    """The checks of the data.

    >>> panel = Panel.from_arrays([1.0, 2.0], frequency="D", start="2024-03-01")
    >>> asked = ChecksSection(least_series=2)
    >>> data_checks(asked, panel, datetime.datetime(2024, 3, 4))
    [Held(name='least_series', expected=2, found=1, holds=False)]
    """
    series, values = len(panel), int(panel.lengths.min())
    counted = [
        ("least_series", asked.least_series, series, 1),
        ("most_series", asked.most_series, series, -1),
        ("least_values", asked.least_values, values, 1),
    ]
    checks = [
        Held(name, bound, found, found * sign >= bound * sign)
        for name, bound, found, sign in counted
        if bound is not None
    ]
    if asked.newest is not None:
        checks.append(_newest(asked, panel, now))
    if asked.most_missing is not None:
        share = round(float(np.isnan(panel.values).mean()), 4)
        checks.append(Held("most_missing", asked.most_missing, share, share <= asked.most_missing))
    if asked.warnings == "refuse":
        told = [finding.text for finding in panel.check() if finding.severity == "warning"]
        checks.append(Held("warnings", "none", told[:3] or "none", not told))
    return checks


def accuracy_checks(asked: ChecksSection, tested: Backtest | None) -> list[Held]:
    """The check of the accuracy at held-out cutoffs."""
    if asked.least_skill is None:
        return []
    summary = None if tested is None else tested.summary()
    scores = {} if summary is None else summary.scores.get(summary.model, {})
    skill = scores.get("skill")
    holds = skill is not None and skill >= asked.least_skill
    found = "not measured" if skill is None else round(float(skill), 4)
    return [Held("least_skill", asked.least_skill, found, holds)]


def require_holding(checks: list[Held], job: str) -> None:
    """CheckError that lists what does not hold."""
    broken = [one for one in checks if not one.holds]
    if broken:
        told = "\n".join(f"  {one.name} = {one.expected}: found {one.found}" for one in broken)
        raise CheckError(
            f"{job}: what [checks] ask for does not hold. Nothing was written.\n{told}\nLook at "
            "the data, or change [checks]."
        )


def _newest(asked: ChecksSection, panel: Panel, now: datetime.datetime) -> Held:
    """Whether the newest value of one series, or of each, is young enough; numbered steps have no
    age."""
    most = asked.newest
    assert most is not None  # it was asked for
    expected = f"{most:g} hours old at most"
    if panel.ends.dtype.kind != "M":
        return Held("newest", expected, "steps without a date", False)
    of_each = asked.newest_of == "all"
    row = int(panel.ends.argmin() if of_each else panel.ends.argmax())
    end = panel.ends[row].astype("datetime64[us]")
    age = (np.datetime64(now, "us") - end) / np.timedelta64(1, "h")
    found = f"{format_time(end)}, {age:.0f} hours ago"
    if of_each and len(panel) > 1:
        found += f", in series {str(panel.ids[row])!r}"
    return Held("newest", expected, found, bool(age <= most))
