"""The summary of a backtest: tables of metrics, a verdict, and warnings.

Shapes: S series, K cutoffs, O = S · K origins (series-major), H horizon.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import numpy as np

from lstmcast.evaluation import metrics
from lstmcast.evaluation.scores import HEADINGS as HEADINGS
from lstmcast.evaluation.scores import Ruler, Scored, table
from lstmcast.evaluation.verdict import Compared, Standing, judge
from lstmcast.forecast import Forecast
from lstmcast.util.html import block
from lstmcast.util.html import paragraph as html_text
from lstmcast.util.html import table as html_table
from lstmcast.util.language import Words, words_of
from lstmcast.util.lines import fitting
from lstmcast.util.text import counted
from lstmcast.util.text import number as number
from lstmcast.util.text import percent as percent
from lstmcast.writing.tables import frame_of

COPY_EVIDENCE = 10  # number of one-step forecasts needed to detect a lagged copy
# share of them that are closer to the previous value than to the actual one
COPY_SHARE = 0.9
FEW_VALUES = 10  # number of held-out values below which a verdict is uncertain
SHOWN_STEPS = 24  # rows of the printed table by step
SKILLS = ("skill", "skill_familiar")
# metrics in the printed table
SHOWN = ("mae", "rmse", "mape", "smape", "mase", *SKILLS)


@dataclass(frozen=True)
class Summary:
    """The accuracy of a model and of baselines at held-out cutoffs.

    `scores` and `per_horizon` hold mae, rmse, mape, smape, mase, rmsse; for models with quantiles
    also pinball, crps and coverage_80, coverage_95 (0 to 1); and skill: 1 − error / error of
    `reference`, the best simple forecast. The error is `measure` throughout: "mae" for one series,
    "mase" for several. If the reference is not the (seasonal) naive forecast, skill_familiar is the
    skill against the latter, `familiar`.
    """

    model: str
    reference: str | None  # the reference of skill
    scores: dict[str, dict[str, float]]
    per_horizon: dict[str, list[Any]]  # columns: model, step, metrics
    verdict: str
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    origins: int  # number of compared origins
    series: int
    reason: str = ""
    measure: str = "mae"
    familiar: str | None = None
    standing: Standing = "unknown"
    better: str = ""  # the simple forecast with a smaller error, if there is one

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def text(self, language: str = "en", columns: int | None = None) -> str:
        """The verdict, the tables, the warnings and the notes, as text in "en" or "ja"; `columns`
        limits the width of tables."""
        words = words_of(language)
        sections = [words(f"Accuracy on held-out data: {self.verdict}")]
        for rows in self._tables():
            header, *body = labelled(rows, words)
            sections.append(fitting(header, body, columns, left_aligned=header[:1]))
        sections += [words(f"warning: {text}") for text in self.warnings]
        sections += [words(f"note: {text}") for text in self.notes]
        return "\n\n".join(sections)

    def _repr_html_(self) -> str:
        """The tables for notebooks."""
        tables = [html_table(header, rows) for header, *rows in self._tables()]
        warnings = [html_text(f"warning: {text}") for text in self.warnings]
        notes = [html_text(f"note: {text}") for text in self.notes]
        heading = f"Accuracy on held-out data: {self.verdict}"
        return block(heading, *tables, *warnings, *notes)

    def _tables(self) -> list[list[list[str]]]:
        return [self.overall(), self.by_step()] if self.scores else []

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain values, with None for unknown numbers."""
        return _plain_values(asdict(self))

    def frame(self, kind: str = "pandas") -> Any:
        """The metrics of each model overall: a "pandas", "polars" or "pyarrow" frame, or "arrays"
        by name."""
        rows = list(self.scores.values())
        columns = {"model": np.array(list(self.scores), object)}
        for name in dict.fromkeys(chain.from_iterable(rows)):
            columns[name] = np.array([row.get(name, np.nan) for row in rows])
        return frame_of(columns, kind)

    def to_json(self) -> str:
        """The summary as one JSON object; unknown numbers as null."""
        return json.dumps(self.as_dict(), ensure_ascii=False)

    def overall(self) -> list[list[str]]:
        """The table of all models as text, header first."""
        model_scores = self.scores[self.model]
        names = [name for name in SHOWN if name in model_scores]
        coverages = [name for name in model_scores if name.startswith("coverage_")]
        header = [counted(self.origins, "forecast")]
        header += [self._heading(name) for name in names]
        header += [
            f"in {name.removeprefix('coverage_')}% interval" for name in coverages
        ]
        rows = [header]
        for model, scores in self.scores.items():
            row = [model]
            row += [_shown(name, scores[name]) for name in names]
            row += [_share(scores.get(name)) for name in coverages]
            rows.append(row)
        return rows

    def by_step(self) -> list[list[str]]:
        """The table of errors by step as text, header first."""
        models = list(self.scores)
        errors = self._at_each_step(self.measure)
        skills = self._at_each_step("skill") if self.reference else {}
        header = [f"{HEADINGS[self.measure]} by step", *models]
        if self.reference:
            header.append("skill")
        rows = [header]
        all_steps = sorted(set(self.per_horizon["step"]))
        steps = [step for step in all_steps if np.isfinite(errors[self.model, step])]
        stride = math.ceil(len(steps) / SHOWN_STEPS)
        for step in steps[::stride]:
            row = [str(step)]
            row += [number(errors[model, step]) for model in models]
            if self.reference:
                row.append(percent(skills[self.model, step]))
            rows.append(row)
        return rows

    def _at_each_step(self, name: str) -> dict[tuple[str, int], float]:
        """A metric by model and step."""
        columns = self.per_horizon
        keys = zip(columns["model"], columns["step"], strict=True)
        return dict(zip(keys, columns[name], strict=True))

    def _heading(self, name: str) -> str:
        return (
            f"against {self.familiar}" if name == "skill_familiar" else HEADINGS[name]
        )


def labelled(rows: list[list[str]], words: Words) -> list[list[str]]:
    """A table with translated header and row names."""
    header, *body = rows
    table = [[words(name) for name in header]]
    for name, *cells in body:
        table.append([words(name), *cells])
    return table


def summarise(
    scored: Scored, model: str, last_O: np.ndarray, notes: tuple[str, ...], reason: str
) -> Summary:
    """The summary of a backtest; `last_O` is the last known value before each cutoff."""
    if not scored.forecasts:
        return _not_judged(model, notes, reason)
    ruler = Ruler.of(scored)
    steps = np.arange(1, scored.actual.shape[1] + 1)
    by_step = table(scored, "step", steps, axis=0, ruler=ruler)
    scores = _scores(scored, ruler)
    errors = {name: row[ruler.measure] for name, row in scores.items()}
    errors_by_step = {}
    for name in scored.forecasts:
        errors_by_step[name] = by_step[ruler.measure][by_step["model"] == name]
    verdict = judge(Compared(model, errors, errors_by_step, HEADINGS[ruler.measure]))
    forecast = scored.forecasts[model]
    is_compared = np.isfinite(scored.actual).any(1)
    copy_warning = lagged_copy(forecast.point[:, 0], last_O, scored.actual[:, 0])
    warnings = (copy_warning,) if copy_warning else ()
    return Summary(
        model=model,
        reference=ruler.reference,
        scores=scores,
        per_horizon={name: column.tolist() for name, column in by_step.items()},
        verdict=verdict.text,
        warnings=warnings,
        notes=(*notes, *_little(scored.actual)),
        origins=int(is_compared.sum()),
        series=len(set(forecast.ids[is_compared])),
        measure=ruler.measure,
        familiar=ruler.familiar,
        standing=verdict.standing,
        better=verdict.better,
    )


def _not_judged(model: str, notes: tuple[str, ...], reason: str) -> Summary:
    return Summary(
        model=model,
        reference=None,
        scores={},
        per_horizon={},
        verdict=f"not judged: {reason}",
        warnings=(),
        notes=notes,
        origins=0,
        series=0,
        reason=reason,
    )


def _scores(scored: Scored, ruler: Ruler) -> dict[str, dict[str, float]]:
    """The metrics of each model overall, as far as its forecasts allow."""
    overall = table(scored, "part", np.array(["all"]), axis=None, ruler=ruler)
    scores: dict[str, dict[str, float]] = {}
    for row, (name, forecast) in enumerate(scored.forecasts.items()):
        scores[name] = {}
        for key, column in overall.items():
            if _has(forecast, key):
                scores[name][key] = float(column[row])
    return scores


def _little(actual: np.ndarray) -> list[str]:
    """Notes if few values could be compared with the forecasts (O, H)."""
    values = int(np.isfinite(actual).sum())
    steps = np.flatnonzero(np.isfinite(actual).any(0)) + 1
    notes = []
    if values < FEW_VALUES:
        notes.append(
            f"Only {counted(values, 'held-out value')} could be compared, so the result "
            "is uncertain."
        )
    if len(steps) and steps[-1] < actual.shape[1]:
        notes.append(
            f"Only steps up to {steps[-1]} of {actual.shape[1]} could be compared."
        )
    return notes


def lagged_copy(
    forecast_O: np.ndarray, last_O: np.ndarray, actual_O: np.ndarray
) -> str:
    """A warning if one-step forecasts only repeat the last value, which looks good in a plot; else
    "".

    The warning applies if, of at least `COPY_EVIDENCE` forecasts with a change of the value, nine
    in ten are closer to the previous value than to the actual one, and their mean absolute error is
    no smaller than that of repeating the last value.

    >>> walk = np.cumsum(np.tile([1.0, -2.0, 4.0], 5))
    >>> lagged_copy(walk[:-1] - 0.1, walk[:-1], walk[1:])[:55]
    'The one-step forecasts only repeat the last value: 14 o'
    """
    has_moved = np.isfinite(actual_O) & (actual_O != last_O)
    forecast_O = forecast_O[has_moved]
    last_O = last_O[has_moved]
    actual_O = actual_O[has_moved]
    if len(actual_O) < COPY_EVIDENCE:
        return ""
    nearer = np.abs(forecast_O - last_O) < np.abs(forecast_O - actual_O)
    is_better = metrics.mae(actual_O, forecast_O) < metrics.mae(actual_O, last_O)
    if nearer.mean() < COPY_SHARE or is_better:
        return ""
    return (
        f"The one-step forecasts only repeat the last value: {nearer.sum()} of {len(nearer)} are "
        "closer to the previous value than to the actual one, and they are no better than the "
        "naive forecast. Their curve looks right, but is one step late."
    )


def plain(column: np.ndarray) -> list[Any]:
    """A column for JSON: times as ISO text, unknown numbers as None."""
    texts = np.datetime_as_string(column) if column.dtype.kind == "M" else column
    return _plain_values(texts.tolist())


def _plain_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain_values(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_values(child) for child in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _has(forecast: Forecast, key: str) -> bool:
    if key in ("model", "part"):
        return False
    if key in ("pinball", "crps") or key.startswith("coverage_"):
        return bool(forecast.quantile_levels)
    return True


def _shown(name: str, value: float) -> str:
    return percent(value) if name in SKILLS else number(value)


def _share(value: float | None) -> str:
    return "" if value is None else percent(value)
