"""The first version of a job file, from data: what was found in them, to be looked over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lstmcast.data.ahead import one_season
from lstmcast.data.panel import Panel
from lstmcast.jobs.jobfile import job_from

_HEAD = """\
# A job of lstmcast: `lstmcast run FILE` does it, `lstmcast run FILE --dry-run` only looks.
# Paths are relative to the folder of this file.
"""
_REST = """
[checks]  # what must hold, or nothing is written
least_series = {series}
# newest = "3 days"        # how old the newest value may be
# most_missing = 0.05      # share of values that are missing
# warnings = "refuse"      # no warnings of `lstmcast check`
# least_skill = 0.0        # at least as accurate as the best simple forecast

[forecast]
horizon = {horizon}
level = [80, 95]
cutoffs = 5

# [model]                  # a model that is saved, and goes on from run to run
# folder = "model"
# refit = "30 days"        # train it again when it is older; "never" only updates it

[output]
{output}
# report = "report.html"
summary = "summary.json"
"""


def job_text(
    data: list[str],
    words: Mapping[str, Any],
    panel: Panel,
    horizon: int | None = None,
    out: str = "forecast.csv",
) -> str:
    """A job file as text.

    Args:
        data: files, or the address of a table.
        words: what was said of how to read them, by the names of `lstmcast.read`.
        panel: what was read so.
        horizon: steps; one season unless given.
        out: where the forecast goes.

    Raises:
        UsageError: for words that no job file has.
    """
    columns, report = panel.columns, panel.report
    found: dict[str, Any] = {"data": data[0] if len(data) == 1 else data}
    if report.recipe is not None and report.frame != "arrays":
        found |= {"time": columns.time, "target": columns.target}
        if len(panel.keys):
            found["series"] = list(panel.keys)
        found["frequency"] = panel.frequency.code
    found |= {name: value for name, value in words.items() if value not in (None, [], ())}
    lines = [f"{name} = {_toml(value)}" for name, value in found.items() if value is not None]
    output = [f"table = {_toml(out)}"]
    if "@" in out and "://" in out:
        output.append('if_exists = "upsert"    # the same data twice leave the table as it is')
    rest = _REST.format(
        series=len(panel), horizon=horizon or one_season(panel), output="\n".join(output)
    )
    text = _HEAD + "\n[source]\n" + "\n".join(lines) + "\n" + rest
    job_from(text)  # what is written here must be read again
    return text


def _toml(value: Any) -> str:
    """A value as TOML: its texts, numbers and lists are those of JSON."""
    return json.dumps(value, ensure_ascii=False)
