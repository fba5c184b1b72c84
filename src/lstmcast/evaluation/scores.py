"""Metrics of models as columns, and the reference for their skill.

Shapes: S series, K cutoffs, O = S · K origins (series-major), H horizon.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from lstmcast.evaluation import metrics
from lstmcast.evaluation.verdict import familiar_of, reference_of, skill_of
from lstmcast.forecast import Forecast

ROUNDING = 1e-12  # relative to the actual value: rounding error of a 64-bit forecast
HEADINGS = {
    "mae": "MAE",
    "rmse": "RMSE",
    "mape": "MAPE %",
    "smape": "sMAPE %",
    "mase": "MASE",
    "rmsse": "RMSSE",
    "pinball": "pinball",
    "crps": "CRPS",
    "skill": "skill",
    "skill_familiar": "skill",  # the heading names the reference
}


class Scored(NamedTuple):
    """Forecasts, actual values and scales that metrics are computed from."""

    forecasts: dict[str, Forecast]
    actual: np.ndarray  # (O, H)
    scales: metrics.Scales


def errors_of(scored: Scored) -> tuple[str, dict[str, float]]:
    """The name of the error that verdicts use, and that error of each forecast."""
    ruler = Ruler.of(scored)
    overall = table(scored, "part", np.array(["all"]), axis=None, ruler=ruler)
    errors = dict(zip(scored.forecasts, overall[ruler.measure].tolist(), strict=True))
    return HEADINGS[ruler.measure], errors


def table(
    scored: Scored,
    label: str,
    values: np.ndarray,
    axis: metrics.Axis,
    shape: tuple[int, ...] | None = None,
    ruler: Ruler | None = None,
) -> dict[str, Any]:
    """All metrics of all models as columns: `model`, `label` (with `values`), then the metrics
    along `axis`."""
    if not scored.forecasts:
        return {}
    if shape is None:
        shape = scored.actual.shape
    if ruler is None:
        ruler = Ruler.of(scored)
    rows = {}
    for name, forecast in scored.forecasts.items():
        rows[name] = _metrics(forecast, scored, axis, shape)
    columns = {
        "model": np.repeat(np.array(list(rows), object), len(values)),
        label: np.tile(values, len(rows)),
    }
    unknown = np.full(len(values), np.nan)
    for key in dict.fromkeys(chain.from_iterable(rows.values())):
        cells = [np.atleast_1d(row.get(key, unknown)) for row in rows.values()]
        columns[key] = np.concatenate(cells)
    return columns | ruler.skills(rows)


class Ruler(NamedTuple):
    """The error measure, and the simple forecasts that serve as references."""

    measure: str  # "mae", or "mase" if series have different scales
    reference: str | None  # the best simple forecast overall
    familiar: str | None  # the (seasonal) naive forecast, if it is not the reference

    @classmethod
    def of(cls, scored: Scored) -> Ruler:
        """Choose measure and reference; the MAE of several series would be that of the largest."""
        model = next(iter(scored.forecasts))
        measure = "mae"
        errors = _errors(scored, measure)
        if len(set(scored.forecasts[model].ids)) > 1:
            relative = _errors(scored, "mase")
            if np.isfinite(list(relative.values())).all():
                measure = "mase"
                errors = relative
        reference = reference_of(model, errors)
        familiar = familiar_of(model, reference, errors)
        return cls(measure, reference, familiar)

    def skills(self, rows: dict[str, dict[str, Any]]) -> dict[str, np.ndarray]:
        """Columns of skill from the metrics of each model."""
        errors = {name: np.atleast_1d(row[self.measure]) for name, row in rows.items()}
        columns = {}
        for key, base in (("skill", self.reference), ("skill_familiar", self.familiar)):
            if base is not None:
                skills = [skill_of(error, errors[base]) for error in errors.values()]
                columns[key] = np.concatenate(skills)
        return columns


def _errors(scored: Scored, measure: str) -> dict[str, float]:
    """The error of each model over all origins and steps."""
    actual = scored.actual
    errors = {}
    for name, forecast in scored.forecasts.items():
        point = _rounded(forecast.point, actual)
        if measure == "mase":
            error = metrics.mase(actual, point, scored.scales.absolute)
        else:
            error = metrics.mae(actual, point)
        errors[name] = float(error)
    return errors


def _metrics(
    forecast: Forecast, scored: Scored, axis: metrics.Axis, shape: tuple[int, ...]
) -> dict[str, Any]:
    actual = scored.actual.reshape(shape)
    point = _rounded(forecast.point.reshape(shape), actual)
    absolute = scored.scales.absolute.reshape(shape[:-1])
    squared = scored.scales.squared.reshape(shape[:-1])
    row = {
        "mae": metrics.mae(actual, point, axis),
        "rmse": metrics.rmse(actual, point, axis),
        "mape": metrics.mape(actual, point, axis),
        "smape": metrics.smape(actual, point, axis),
        "mase": metrics.mase(actual, point, absolute, axis),
        "rmsse": metrics.rmsse(actual, point, squared, axis),
    }
    if forecast.quantile_levels:
        quantiles = forecast.quantiles.reshape(*shape, -1)
        row["pinball"] = metrics.pinball(
            actual, quantiles, forecast.quantile_levels, axis
        )
        row["crps"] = 2 * row["pinball"]
    for level in forecast.interval_levels:
        interval = forecast.interval(level)
        lower = interval.lower.reshape(shape)
        upper = interval.upper.reshape(shape)
        row[f"coverage_{level:g}"] = metrics.coverage(actual, lower, upper, axis)
    return row


def _rounded(point: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Forecasts equal to the actual values up to rounding are set to them, as rounding would
    otherwise decide on constant series."""
    is_equal = np.abs(point - actual) <= ROUNDING * np.abs(actual)
    return np.where(is_equal, actual, point)
