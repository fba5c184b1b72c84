"""What a backtest says: tables of metrics, a plain verdict, and a warning of forecasts that only
repeat the last value.

Shapes: S series, K cutoffs, O = S · K origins (series-major), H horizon.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from lstmcast.evaluation import metrics
from lstmcast.evaluation.verdict import (
    Compared,
    Standing,
    familiar_of,
    judge,
    reference_of,
    skill_of,
)
from lstmcast.forecast import Forecast
from lstmcast.util.html import block
from lstmcast.util.html import paragraph as html_text
from lstmcast.util.html import table as html_table
from lstmcast.util.language import Words, words_of
from lstmcast.util.lines import fitting
from lstmcast.util.text import number as number
from lstmcast.util.text import percent as percent
from lstmcast.writing.tables import frame_of

COPY_EVIDENCE = 10  # one-step forecasts that it takes to speak of a lagged copy
COPY_SHARE = 0.9  # of them that lie nearer to the value before than to what came
FEW_VALUES = 10  # held out, below which a verdict is said to hang on chance
ROUNDING = 1e-12  # of the actual value: what numbers of 64 bits lose in a forecast
SHOWN_STEPS = 24  # rows of the printed table by step
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
    "skill_familiar": "skill",  # said against which
}
SKILLS = ("skill", "skill_familiar")


class Scored(NamedTuple):
    """What metrics are made of."""

    forecasts: dict[str, Forecast]
    actual: np.ndarray  # (O, H)
    scales: metrics.Scales


@dataclass(frozen=True)
class Summary:
    """The accuracy of a model on held-out cutoffs, beside the baselines.

    `scores` and `per_horizon` hold mae, rmse, mape, smape, mase, rmsse, for models with quantiles
    pinball, crps and coverage_80, coverage_95 (0 to 1), and skill: 1 − error / error of
    `reference`, the best simple forecast. The error is `measure` throughout: "mae" of one series,
    "mase" of several. Where the reference is another one than the (seasonal) naive forecast, the
    skill against that, `familiar`, is skill_familiar.
    """

    model: str
    reference: str | None  # the baseline that skill is measured against
    scores: dict[str, dict[str, float]]
    per_horizon: dict[str, list[Any]]  # columns: model, step, metrics
    verdict: str
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    origins: int  # that were compared
    series: int
    reason: str = ""
    measure: str = "mae"
    familiar: str | None = None
    standing: Standing = "unknown"
    better: str = ""  # the simple forecast with less error, where one has

    def __str__(self) -> str:
        return self.text()

    def text(self, language: str = "en", columns: int | None = None) -> str:
        """The verdict, the tables, the warnings and the notes, as text in "en" or "ja"; tables no
        wider than so many columns of a terminal, where that is said."""
        words = words_of(language)
        parts = [words(f"Accuracy on held-out data: {self.verdict}")]
        if self.scores:
            for rows in (self.overall(), self.by_step()):
                header, *body = labelled(rows, words)
                parts.append(fitting(header, body, columns, left_aligned=header[:1]))
        parts += [words(f"warning: {text}") for text in self.warnings]
        parts += [words(f"note: {text}") for text in self.notes]
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        """The tables for notebooks."""
        tables = [self.overall(), self.by_step()] if self.scores else []
        said = [f"warning: {line}" for line in self.warnings] + [
            f"note: {line}" for line in self.notes
        ]
        parts = [html_table(rows[0], rows[1:]) for rows in tables]
        return block(f"Accuracy on held-out data: {self.verdict}", *parts, *map(html_text, said))

    def as_dict(self) -> dict[str, Any]:
        """Plain values only: unknown numbers are None."""
        return _plain_values(asdict(self))

    def frame(self, kind: str = "pandas") -> Any:
        """The metrics of each model over everything: a "pandas", "polars" or "pyarrow" frame, or
        "arrays" by name."""
        names = list(dict.fromkeys(name for row in self.scores.values() for name in row))
        columns = {
            name: np.array([row.get(name, np.nan) for row in self.scores.values()])
            for name in names
        }
        return frame_of({"model": np.array(list(self.scores), object), **columns}, kind)

    def to_json(self) -> str:
        """The summary as one JSON object; unknown numbers as null."""
        return json.dumps(self.as_dict(), ensure_ascii=False)

    def overall(self) -> list[list[str]]:
        """The table of all models as text, its header first."""
        own = self.scores[self.model]
        names = [name for name in ("mae", "rmse", "mape", "smape", "mase", *SKILLS) if name in own]
        cover = [name for name in own if name.startswith("coverage_")]
        count = f"{self.origins:,} forecast{'s' * (self.origins != 1)}"
        head = [count, *map(self._heading, names)]
        rows = [[*head, *(f"in {name[9:]}% interval" for name in cover)]]
        for model, scores in self.scores.items():
            inside = [percent(scores[name]) if name in scores else "" for name in cover]
            rows.append([model, *(_shown(name, scores[name]) for name in names), *inside])
        return rows

    def by_step(self) -> list[list[str]]:
        """The table of errors by step as text, its header first."""
        models = list(self.scores)
        columns = self.per_horizon
        shown = [self.measure, *(["skill"] if self.reference else [])]
        at = {
            (model, step): row
            for model, step, *row in zip(
                columns["model"], columns["step"], *(columns[name] for name in shown), strict=True
            )
        }
        steps = [
            step for step in sorted(set(columns["step"])) if np.isfinite(at[self.model, step][0])
        ]
        heading = f"{HEADINGS[self.measure]} by step"
        rows = [[heading, *models, *(["skill"] if self.reference else [])]]
        for step in steps[:: math.ceil(len(steps) / SHOWN_STEPS)]:
            skill = [percent(value) for value in at[self.model, step][1:]]
            rows.append([str(step), *(number(at[model, step][0]) for model in models), *skill])
        return rows

    def _heading(self, name: str) -> str:
        return f"against {self.familiar}" if name == "skill_familiar" else HEADINGS[name]


def labelled(rows: list[list[str]], words: Words) -> list[list[str]]:
    """A table with its header and the names of its rows in other words."""
    header, *body = rows
    return [[words(name) for name in header], *([words(row[0]), *row[1:]] for row in body)]


def summarise(
    scored: Scored, model: str, last: np.ndarray, notes: tuple[str, ...], reason: str
) -> Summary:
    """The summary of a backtest; `last` (O,) is the last known value before each cutoff."""
    if not scored.forecasts:
        return Summary(model, None, {}, {}, f"not judged: {reason}", (), notes, 0, 0, reason)
    ruler, steps = Ruler.of(scored), np.arange(1, scored.actual.shape[1] + 1)
    overall = table(scored, "part", np.array(["all"]), axis=None, ruler=ruler)
    by_step = table(scored, "step", steps, axis=0, ruler=ruler)
    scores = {
        name: {
            key: float(column[i])
            for key, column in overall.items()
            if _has(scored.forecasts[name], key)
        }
        for i, name in enumerate(scored.forecasts)
    }
    errors = {name: row[ruler.measure] for name, row in scores.items()}
    each = {name: by_step[ruler.measure][by_step["model"] == name] for name in scored.forecasts}
    said = judge(Compared(model, errors, each, HEADINGS[ruler.measure]))
    compared = np.isfinite(scored.actual).any(1)
    copy = lagged_copy(scored.forecasts[model].point[:, 0], last, scored.actual[:, 0])
    return Summary(
        model,
        ruler.reference,
        scores,
        {name: column.tolist() for name, column in by_step.items()},
        said.text,
        (copy,) if copy else (),
        (*notes, *_little(scored.actual)),
        int(compared.sum()),
        len(set(scored.forecasts[model].ids[compared])),
        measure=ruler.measure,
        familiar=ruler.familiar,
        standing=said.standing,
        better=said.better,
    )


def errors_of(scored: Scored) -> tuple[str, dict[str, float]]:
    """The error that verdicts are made by, as people call it, and that of each forecast."""
    ruler = Ruler.of(scored)
    overall = table(scored, "part", np.array(["all"]), axis=None, ruler=ruler)
    errors = dict(zip(scored.forecasts, overall[ruler.measure].tolist(), strict=True))
    return HEADINGS[ruler.measure], errors


def _little(actual: np.ndarray) -> list[str]:
    """What is said where little could be compared with the actual values (O, H)."""
    values = int(np.isfinite(actual).sum())
    steps = np.flatnonzero(np.isfinite(actual).any(0)) + 1
    notes = []
    if values < FEW_VALUES:
        notes.append(
            f"Only {values} held-out value{'s' * (values != 1)} could be compared: chance decides "
            "much here."
        )
    if len(steps) and steps[-1] < actual.shape[1]:
        notes.append(f"Only steps up to {steps[-1]} of {actual.shape[1]} could be compared.")
    return notes


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
    shape = scored.actual.shape if shape is None else shape
    rows = {
        name: _metrics(forecast, scored, axis, shape) for name, forecast in scored.forecasts.items()
    }
    keys = list(dict.fromkeys(key for row in rows.values() for key in row))
    unknown = np.full(len(values), np.nan)
    columns = {
        key: np.concatenate([np.atleast_1d(row.get(key, unknown)) for row in rows.values()])
        for key in keys
    }
    columns |= (ruler or Ruler.of(scored)).skills(rows)
    models = np.repeat(np.array(list(rows), object), len(values))
    return {"model": models, label: np.tile(values, len(rows)), **columns}


class Ruler(NamedTuple):
    """What models are measured by: which error, and against which simple forecasts."""

    measure: str  # "mae", or "mase" where series have sizes of their own
    reference: str | None  # the best of the simple forecasts, over everything
    familiar: str | None  # (seasonal) naive, where that is another one

    @classmethod
    def of(cls, scored: Scored) -> Ruler:
        """The mean absolute error of several series would be that of the largest."""
        model, measure = next(iter(scored.forecasts)), "mae"
        errors = _errors(scored, measure)
        if len(set(scored.forecasts[model].ids)) > 1:
            relative = _errors(scored, "mase")
            if np.isfinite(list(relative.values())).all():
                measure, errors = "mase", relative
        reference = reference_of(model, errors)
        return cls(measure, reference, familiar_of(model, reference, errors))

    def skills(self, rows: dict[str, dict[str, Any]]) -> dict[str, np.ndarray]:
        """Columns of skill from the metrics of each model."""
        errors = {name: np.atleast_1d(row[self.measure]) for name, row in rows.items()}
        against = {"skill": self.reference, "skill_familiar": self.familiar}
        return {
            key: np.concatenate([skill_of(error, errors[base]) for error in errors.values()])
            for key, base in against.items()
            if base is not None
        }


def _errors(scored: Scored, measure: str) -> dict[str, float]:
    """The error of each model over all origins and steps."""
    actual, errors = scored.actual, {}
    for name, forecast in scored.forecasts.items():
        point = _rounded(forecast.point, actual)
        relative = measure == "mase"
        errors[name] = float(
            metrics.mase(actual, point, scored.scales.absolute)
            if relative
            else metrics.mae(actual, point)
        )
    return errors


def lagged_copy(forecast_O: np.ndarray, last_O: np.ndarray, actual_O: np.ndarray) -> str:
    """A warning when one-step forecasts only repeat the last value, which looks good in a picture;
    else "".

    Said when, of at least `COPY_EVIDENCE` forecasts for which a change came, nine in ten lie nearer
    to the value before than to the actual one, and their mean absolute error is no smaller than
    that of
    repeating the last value.

    >>> walk = np.cumsum(np.tile([1.0, -2.0, 4.0], 5))
    >>> lagged_copy(walk[:-1] - 0.1, walk[:-1], walk[1:])[:55]
    'The one-step forecasts only repeat the last value: 14 o'
    """
    moved = np.isfinite(actual_O) & (actual_O != last_O)
    forecast, last, actual = forecast_O[moved], last_O[moved], actual_O[moved]
    if len(actual) < COPY_EVIDENCE:
        return ""
    nearer = np.abs(forecast - last) < np.abs(forecast - actual)
    if nearer.mean() < COPY_SHARE or metrics.mae(actual, forecast) < metrics.mae(actual, last):
        return ""
    return (
        f"The one-step forecasts only repeat the last value: {nearer.sum()} of {len(nearer)} lie "
        "nearer to the value before than to the actual one, and they are no better than the naive "
        "forecast. A curve drawn through them looks right, one step late."
    )


def plain(column: np.ndarray) -> list[Any]:
    """A column for JSON: times as ISO text, unknown numbers as None."""
    texts = np.datetime_as_string(column) if column.dtype.kind == "M" else column
    return _plain_values(texts.tolist())


def _plain_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain_values(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_values(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _metrics(
    forecast: Forecast, scored: Scored, axis: metrics.Axis, shape: tuple[int, ...]
) -> dict[str, Any]:
    actual = scored.actual.reshape(shape)
    point = _rounded(forecast.point.reshape(shape), actual)
    absolute, squared = (scale.reshape(shape[:-1]) for scale in scored.scales)
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
        row["pinball"] = metrics.pinball(actual, quantiles, forecast.quantile_levels, axis)
        row["crps"] = 2 * row["pinball"]
    for level in forecast.interval_levels:
        _, lower, upper = forecast.interval(level)
        inside = metrics.coverage(actual, lower.reshape(shape), upper.reshape(shape), axis)
        row[f"coverage_{level:g}"] = inside
    return row


def _rounded(point: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Forecasts without what only rounding sets apart from the actual values: on a constant it
    would decide."""
    return np.where(np.abs(point - actual) <= ROUNDING * np.abs(actual), actual, point)


def _has(forecast: Forecast, key: str) -> bool:
    probabilistic = key in ("pinball", "crps") or key.startswith("coverage_")
    return key not in ("model", "part") and (bool(forecast.quantile_levels) or not probabilistic)


def _shown(name: str, value: float) -> str:
    return percent(value) if name in SKILLS else number(value)
