"""Rules about panels: short or constant series, unusual values, uninformative covariates."""

# S series · N observations of all series

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy import ndarray

from lstmcast.data.covariates.leaks import at_targets, leaks
from lstmcast.data.covariates.public_holidays import MADE
from lstmcast.data.findings import (
    MISSING_VALUES,
    OUTLIERS,
    Case,
    Finding,
    Findings,
    per_series,
)
from lstmcast.data.observed import occurring
from lstmcast.data.outliers import outlier_scores
from lstmcast.data.ragged import series_numbers
from lstmcast.data.table import format_time
from lstmcast.util.spelling import did_you_mean
from lstmcast.util.text import are

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel

SHORT = 4  # observed values below which a series gets the naive forecast
_OUTLIER = 8.0  # in robust standard deviations of seasonal changes


def check_panel(panel: Panel) -> Findings:
    """Check a panel for constant and short series, outliers, and unreported missing values.

    >>> from lstmcast.data.panel import Panel
    >>> print(check_panel(Panel.from_arrays({"a": [1.0, 2.0], "b": [5.0, 5.0, 5.0, 5.0]})))
    note: series 'a': only 2 values. It gets the naive forecast.
    note: series 'b': all 4 values are 5. The forecast repeats it.
    """
    series = series_numbers(panel.offsets)
    is_known = np.isfinite(panel.values)
    counts = np.bincount(series[is_known], minlength=len(panel))
    findings = _short(panel, counts)
    findings += _constant(panel, counts)
    findings += _outliers(panel, series)
    # made from arrays: no rows were read, so this is not reported yet
    if panel.report.rows == 0:
        findings += _unknown(panel, series, ~is_known)
    occurs = occurring(panel)
    for name in panel.covariates.past:
        findings += _beside(panel, series, name, occurs)
    for name in panel.covariates.future.columns:
        findings += _known(panel, name, occurs)
        findings += _new_categories(panel, name)
    findings += leaks(panel)
    return Findings(findings)


def _short(panel: Panel, counts: ndarray) -> list[Finding]:
    if panel.covariates.static:  # static columns describe such series
        return []
    rule = Finding("too short", "note", "", "It gets the naive forecast.")

    def say(series: ndarray) -> Case:
        count = counts[series[0]]
        noun = "value" if count == 1 else "values"
        return Case(f"only {count} {noun}")

    short = np.flatnonzero(counts < SHORT)
    return per_series(panel.ids, np.arange(len(panel)), short, rule, say)


def _constant(panel: Panel, counts: ndarray) -> list[Finding]:
    begins = panel.offsets[:-1]
    low = np.fmin.reduceat(panel.values, begins)
    high = np.fmax.reduceat(panel.values, begins)
    rule = Finding("constant series", "note", "", "The forecast repeats it.")

    def say(series: ndarray) -> Case:
        first = series[0]
        value = f"{low[first]:g}"
        return Case(f"all {counts[first]:,} values are {value}", value=value)

    constant = np.flatnonzero((low == high) & (counts >= SHORT))
    return per_series(panel.ids, np.arange(len(panel)), constant, rule, say)


def _unknown(panel: Panel, series: ndarray, missing: ndarray) -> list[Finding]:
    rule = Finding(
        MISSING_VALUES, "warning", "", "{They} {are} masked: the forecast skips {them}."
    )

    def say(rows: ndarray) -> Case:
        length = panel.lengths[series[rows[0]]]
        return Case(f"{len(rows):,} of {length:,} values {are(len(rows))} missing")

    return per_series(panel.ids, series, np.flatnonzero(missing), rule, say)


def _beside(panel: Panel, series: ndarray, name: str, occurs: ndarray) -> list[Finding]:
    """Findings about a past covariate."""
    values = panel.covariates.past[name]
    is_known = np.isfinite(values)
    if not is_known.any() or np.nanmin(values) == np.nanmax(values):
        only_value = f"{np.nanmax(values):g}" if is_known.any() else "missing"
        message = f"all values of the past column {name!r} are {only_value}"
        action = "A network learns nothing from it."
        return [Finding("constant column", "warning", message, action)]
    counts = np.bincount(series[is_known], minlength=len(panel))
    unknown = np.flatnonzero(counts == 0)
    action = "A network that reads it cannot forecast the series."
    rule = Finding("missing column", "warning", "", action)
    case = Case(f"no value of the past column {name!r} is known")
    rows = np.arange(len(panel))
    findings = per_series(panel.ids, rows, unknown, rule, lambda _: case)
    is_missing = occurs & ~is_known & ~np.isin(series, unknown)
    if is_missing.any():
        count = int(np.count_nonzero(is_missing))
        some = f"{count:,} of {np.count_nonzero(occurs):,} values of the past column {name!r}"
        message = f"{some} {are(count)} missing"
        action = "The last known value is used instead."
        findings.append(Finding("missing covariates", "note", message, action))
    return findings


def _known(panel: Panel, name: str, occurs: ndarray) -> list[Finding]:
    """Findings about a future column at the observations of the target."""
    values = at_targets(panel, name)[occurs]
    is_known = np.isfinite(values)
    any_known = is_known.any()
    is_constant = not any_known or np.nanmin(values) == np.nanmax(values)
    if is_constant and name not in MADE:
        only_value = _text_of_value(panel, name, values) if any_known else "missing"
        message = f"all values of the future column {name!r} are {only_value}"
        return [
            Finding(
                "constant column",
                "warning",
                message,
                "The effect of other values is unknown.",
            )
        ]
    missing = int(np.count_nonzero(~is_known))
    if not missing:
        return []
    some = f"{missing:,} of {len(values):,} values of the future column {name!r}"
    message = f"{some} {are(missing)} missing"
    return [Finding("missing covariates", "note", message)]


def _new_categories(panel: Panel, name: str) -> list[Finding]:
    """A warning about the first category that occurs among coming steps only."""
    future = panel.covariates.future
    levels = future.levels.get(name)
    if not levels or name in MADE:
        return []
    values_M = future.columns[name]
    before_N = at_targets(panel, name)
    seen_codes = np.unique(before_N[np.isfinite(before_N)])
    is_new_M = np.isfinite(values_M) & ~np.isin(values_M, seen_codes)
    if not len(seen_codes) or not is_new_M.any():
        return []
    place = int(np.flatnonzero(is_new_M)[0])
    series = int(np.searchsorted(future.offsets, place, side="right")) - 1
    step = place - int(future.offsets[series])
    time = format_time(panel.frequency.advance(panel.starts[series], step)[()])
    category = levels[int(values_M[place])]
    meant = did_you_mean(category, [levels[int(code)] for code in seen_codes])
    message = (
        f"series {str(panel.ids[series])!r}, column {name!r}: {category!r} at {time} occurs "
        "among the coming steps only"
    )
    action = f"Its effect is unknown.{meant}"
    count = int(np.count_nonzero(is_new_M))
    return [
        Finding(
            "new category",
            "warning",
            message,
            action,
            str(panel.ids[series]),
            count=count,
        )
    ]


def _text_of_value(panel: Panel, name: str, values: ndarray) -> str:
    """The only value of a column that is known in advance: a number, or a category."""
    value = np.nanmax(values)
    levels = panel.covariates.future.levels.get(name)
    return repr(levels[int(value)]) if levels else f"{value:g}"


def _outliers(panel: Panel, series: ndarray) -> list[Finding]:
    """Findings about values far from both neighbours one season away."""
    scores = outlier_scores(panel.values, panel.offsets, panel.periods)
    rule = Finding(OUTLIERS, "note", "", "Nothing is changed.")

    def say(rows: ndarray) -> Case:
        worst = rows[np.argmax(scores[rows])]
        code = series[worst]
        step = worst - panel.offsets[code]
        time = panel.frequency.advance(panel.starts[code], step)
        number = panel.values[worst]
        value = f"{number:,.0f}" if 1e6 <= abs(number) < 1e15 else f"{number:g}"
        noun = "value" if len(rows) == 1 else "values"
        message = (
            f"{len(rows):,} unusual {noun}, the farthest {value} at {format_time(time)}, "
            f"{scores[worst]:.0f} times the usual seasonal change away"
        )
        return Case(message, value=value)

    unusual = np.flatnonzero(scores > _OUTLIER)
    return per_series(panel.ids, series, unusual, rule, say)
