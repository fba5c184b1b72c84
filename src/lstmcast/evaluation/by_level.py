"""Accuracy at each level of a hierarchy, before forecasts were reconciled and after."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmcast.evaluation.metrics import Scales
from lstmcast.evaluation.summary import HEADINGS, Scored, table
from lstmcast.forecast import Forecast
from lstmcast.hierarchy.levels import level_names
from lstmcast.util.text import number, percent

BASE = "base"  # what the forecasts are called that were not reconciled yet


def by_level(scored: Scored, base: Forecast | None) -> dict[str, Any]:
    """All metrics of each model at each level, as columns: level, model, metrics."""
    if not scored.forecasts:
        return {}
    first, *others = scored.forecasts.items()
    forecasts = dict([first]) | ({} if base is None else {BASE: base}) | dict(others)
    levels = level_names(first[1].keys)
    tables = []
    for level in dict.fromkeys(levels.tolist()):
        here = levels == level
        part = Scored(
            {name: forecast.rows(here) for name, forecast in forecasts.items()},
            scored.actual[here],
            Scales(*(scale[here] for scale in scored.scales)),
        )
        columns = table(part, "level", np.array([level], object), axis=None)
        tables.append({name: columns[name] for name in columns if not name.startswith("skill")})
    # as columns of one table, the level first
    names = ["level", *(name for name in tables[0] if name != "level")]
    return {name: np.concatenate([columns[name] for columns in tables]) for name in names}


def level_rows(columns: dict[str, Any], model: str, measure: str) -> list[list[str]]:
    """The errors at each level as texts, the header first, with what reconciling gained."""
    heading = f"{HEADINGS[measure]} by level"
    models = list(dict.fromkeys(columns["model"].tolist()))
    others = [name for name in models if name not in (model, BASE)]
    rows = [[heading, "reconciled", BASE, "gain", *others]]
    for level in dict.fromkeys(columns["level"].tolist()):
        here = columns["level"] == level
        own = dict(zip(columns["model"][here], columns[measure][here], strict=True))
        gain = 1 - own[model] / own[BASE] if own[BASE] else np.nan
        simple = [number(own[name]) for name in others]
        rows.append([level, number(own[model]), number(own[BASE]), percent(gain), *simple])
    return rows
