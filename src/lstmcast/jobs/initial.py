"""The first version of a job file, made from data: what was found in them, for review."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstmcast.data.ahead import one_season
from lstmcast.data.opening import STDIN
from lstmcast.data.panel import Panel
from lstmcast.jobs.jobfile import job_from
from lstmcast.util.patterns import pattern_of

# what precedes and follows the path of a database file in an address
_IN_ADDRESS = pattern_of(
    r"((?:[^@]*@)?(?:duckdb|sqlite):///)([^?]*)(.*)", re.IGNORECASE
)
_HEAD = """\
# A job of lstmcast. `lstmcast run FILE` runs it; with --dry-run, nothing is written.
# Paths are relative to the folder of this file.
"""
_REST = """
[checks]  # if one of them does not hold, nothing is written
least_series = {series}
# newest = "3 days"        # how old the newest value may be
# newest_of = "all"        # in each series; "any": in one of them
# most_missing = 0.05      # share of values that are missing
# warnings = "refuse"      # no warnings of `lstmcast check`
# least_skill = 0.0        # 0: at least as accurate as the best simple forecast

[forecast]
horizon = {horizon}
level = [80, 95]
cutoffs = 5

# [model]                  # a model that is saved, and continued in the next run
# folder = "model"
# refit = "30 days"        # train it again after this time; "never": only update it

[output]
{output}
# report = "report.html"
summary = "summary.json"
"""


def _lines(settings: Mapping[str, Any]) -> str:
    """Settings as TOML, without those that are None."""
    lines = []
    for name, value in settings.items():
        if value is not None:
            lines.append(f"{name} = {_toml(value)}")
    return "\n".join(lines)


def job_text(
    data: list[str],
    words: Mapping[str, Any],
    panel: Panel,
    horizon: int | None = None,
    table: str = "forecast.csv",
    folder: str | Path = ".",
) -> str:
    """A job file as text.

    Args:
        data: Files, or the address of a table.
        words: Options for reading them, by their names in `lstmcast.read`.
        panel: The panel that was read.
        horizon: Number of steps (default: one season).
        table: Where the forecast is written.
        folder: The folder of the job file, to which relative paths are converted.

    Raises:
        UsageError: Options that no job file has.
    """
    columns = panel.columns
    report = panel.report
    places = [seen_from(folder, path) for path in data]
    settings: dict[str, Any] = {"data": places[0] if len(places) == 1 else places}
    if report.recipe is not None and report.frame != "arrays":
        settings |= {"time": columns.time, "target": columns.target}
        if len(panel.keys):
            settings["series"] = list(panel.keys)
        settings["frequency"] = panel.frequency.code
    for name, value in words.items():
        if value not in (None, [], ()):
            settings[name] = value
    for name in ("future_data", "static_data"):
        if settings.get(name):
            settings[name] = seen_from(folder, settings[name])
    source = _lines(settings)
    output = f"table = {_toml(seen_from(folder, table))}"
    if "@" in table and "://" in table:
        output += (
            '\nif_exists = "upsert"    # a second run on the same data changes nothing'
        )
    steps = horizon or one_season(panel)
    sections = _REST.format(series=len(panel), horizon=steps, output=output)
    text = f"{_HEAD}\n[source]\n{source}\n{sections}"
    job_from(text)  # check that the text can be read
    return text


def seen_from(folder: str | Path, place: str) -> str:
    """A relative path, or one in an address, as seen from another folder.

    >>> seen_from("jobs", "data/sales.csv"), seen_from("jobs", "fc@duckdb:///shop.db?timeout=3")
    ('../data/sales.csv', 'fc@duckdb:///../shop.db?timeout=3')
    """
    if os.path.realpath(folder) == os.path.realpath("."):
        return place
    match = _IN_ADDRESS.fullmatch(place)
    prefix, path, suffix = match.groups() if match else ("", place, "")
    if path == STDIN or "://" in path or path.startswith("~") or os.path.isabs(path):
        return place
    return prefix + os.path.relpath(path, folder) + suffix


def _toml(value: Any) -> str:
    """A value as TOML, whose texts, numbers and lists are written as in JSON."""
    return json.dumps(value, ensure_ascii=False)
