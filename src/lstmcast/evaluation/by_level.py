"""Accuracy at each level of a hierarchy, before and after reconciliation."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmcast.evaluation.metrics import Scales
from lstmcast.evaluation.scores import HEADINGS, Scored, table
from lstmcast.forecast import Forecast
from lstmcast.hierarchy.levels import level_names
from lstmcast.util.text import number, percent

BASE = "base"  # name of the forecasts before reconciliation


def by_level(scored: Scored, base: Forecast | None) -> dict[str, Any]:
    """All metrics of each model at each level, as columns: level, model, metrics."""
    if not scored.forecasts:
        return {}
    forecasts = _with_base(scored.forecasts, base)
    model_forecast = next(iter(forecasts.values()))
    levels = level_names(model_forecast.keys)
    tables = []
    for level in dict.fromkeys(levels.tolist()):
        rows = levels == level
        at_level = Scored(
            forecasts={
                name: forecast.rows(rows) for name, forecast in forecasts.items()
            },
            actual=scored.actual[rows],
            scales=Scales(*(scale[rows] for scale in scored.scales)),
        )
        label = np.array([level], object)
        tables.append(table(at_level, "level", label, axis=None))
    # columns of one table, with the level first; the reference of skill differs by level
    columns = {"level": np.concatenate([columns.pop("level") for columns in tables])}
    for name in tables[0]:
        if not name.startswith("skill"):
            columns[name] = np.concatenate([columns[name] for columns in tables])
    return columns


def _with_base(
    forecasts: dict[str, Forecast], base: Forecast | None
) -> dict[str, Forecast]:
    """The forecasts with the base forecasts after those of the model, which come first."""
    if base is None:
        return forecasts
    model, *baselines = forecasts
    forecasts_by_name = {model: forecasts[model], BASE: base}
    return forecasts_by_name | {name: forecasts[name] for name in baselines}


def level_rows(columns: dict[str, Any], model: str, measure: str) -> list[list[str]]:
    """The errors at each level as text, header first, with the gain from reconciliation."""
    heading = f"{HEADINGS[measure]} by level"
    models = list(dict.fromkeys(columns["model"].tolist()))
    baselines = [name for name in models if name not in (model, BASE)]
    rows = [[heading, "reconciled", BASE, "gain", *baselines]]
    for level in dict.fromkeys(columns["level"].tolist()):
        at_level = columns["level"] == level
        names = columns["model"][at_level]
        errors = dict(zip(names, columns[measure][at_level], strict=True))
        reconciled = errors[model]
        base = errors[BASE]
        gain = 1 - reconciled / base if base else np.nan
        simple = [number(errors[name]) for name in baselines]
        rows.append([level, number(reconciled), number(base), percent(gain), *simple])
    return rows
