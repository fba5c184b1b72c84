"""Rules about a panel itself: series that are short or constant, unusual values, columns beside the
target that say nothing."""

# S series · N observations of all series

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy import ndarray

from lstmcast.data.findings import MISSING_VALUES, Case, Finding, Findings, per_series
from lstmcast.data.leaks import at_targets, leaks
from lstmcast.data.outliers import outlier_scores
from lstmcast.data.public_holidays import MADE
from lstmcast.data.ragged import series_numbers
from lstmcast.data.table import format_time
from lstmcast.util.text import are

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel

SHORT = 4  # observed values below which a series gets the naive forecast
_OUTLIER = 8.0  # in robust standard deviations of seasonal changes


def check_panel(panel: Panel) -> Findings:
    """All rules about a panel itself: constant and short series, outliers; missing values where no
    reader told them.

    >>> from lstmcast.data.panel import Panel
    >>> print(check_panel(Panel.from_arrays({"a": [1.0, 2.0], "b": [5.0, 5.0, 5.0, 5.0]})))
    note: series 'a': only 2 values. It gets the naive forecast.
    note: series 'b': all 4 values are 5. The forecast repeats it.
    """
    series = series_numbers(panel.offsets)
    known = np.isfinite(panel.values)
    counts = np.bincount(series[known], minlength=len(panel))
    rules = [_short(panel, counts), _constant(panel, counts), _outliers(panel, series)]
    if panel.report.rows == 0:  # made from arrays: no rows were read, and nobody has said so yet
        rules.append(_unknown(panel, series, ~known))
    rules += [_beside(panel, series, name) for name in panel.covariates.past]
    rules += [_known(panel, name) for name in panel.covariates.future.columns]
    rules.append(leaks(panel))
    return Findings(finding for findings in rules for finding in findings)


def _short(panel: Panel, counts: ndarray) -> list[Finding]:
    if panel.covariates.static:  # which say what such series are like
        return []
    rule = Finding("too short", "note", "", "It gets the naive forecast.")

    def say(series: ndarray) -> Case:
        count = counts[series[0]]
        return Case(f"only {count} value{'s' * bool(count != 1)}")

    return per_series(panel.ids, np.arange(len(panel)), np.flatnonzero(counts < SHORT), rule, say)


def _constant(panel: Panel, counts: ndarray) -> list[Finding]:
    low = np.fmin.reduceat(panel.values, panel.offsets[:-1])
    high = np.fmax.reduceat(panel.values, panel.offsets[:-1])
    rule = Finding("constant series", "note", "", "The forecast repeats it.")

    def say(series: ndarray) -> Case:
        return Case(
            f"all {counts[series[0]]:,} values are {low[series[0]]:g}", value=f"{low[series[0]]:g}"
        )

    return per_series(
        panel.ids,
        np.arange(len(panel)),
        np.flatnonzero((low == high) & (counts >= SHORT)),
        rule,
        say,
    )


def _unknown(panel: Panel, series: ndarray, missing: ndarray) -> list[Finding]:
    rule = Finding(MISSING_VALUES, "warning", "", "{They} {are} masked: the forecast skips {them}.")

    def say(rows: ndarray) -> Case:
        count, total = len(rows), panel.lengths[series[rows[0]]]
        return Case(f"{count:,} of {total:,} values {are(count)} missing")

    return per_series(panel.ids, series, np.flatnonzero(missing), rule, say)


def _beside(panel: Panel, series: ndarray, name: str) -> list[Finding]:
    """What is wrong with a column beside the target."""
    values = panel.covariates.past[name]
    known = np.isfinite(values)
    if not known.any() or np.nanmin(values) == np.nanmax(values):
        what = f"all values of the past column {name!r} are " + (
            f"{np.nanmax(values):g}" if known.any() else "missing"
        )
        return [Finding("constant column", "warning", what, "A network learns nothing from it.")]
    unknown = np.flatnonzero(np.bincount(series[known], minlength=len(panel)) == 0)
    absent = Finding(
        "missing column", "warning", "", "A network that reads it has no forecast for the series."
    )
    told = per_series(
        panel.ids,
        np.arange(len(panel)),
        unknown,
        absent,
        lambda _: Case(f"no value of the past column {name!r} is known"),
    )
    some = ~known & ~np.isin(series, unknown)
    if some.any():
        count = int(np.count_nonzero(some))
        missing = f"{count:,} of {len(values):,} values of the past column {name!r}"
        message = f"{missing} {are(count)} missing"
        told.append(
            Finding("missing covariates", "note", message, "The newest known one is read instead.")
        )
    return told


def _known(panel: Panel, name: str) -> list[Finding]:
    """What is wrong with a column that is known in advance, at the observations of the target."""
    values = at_targets(panel, name)
    known = np.isfinite(values)
    if name in MADE or (known.any() and np.nanmin(values) != np.nanmax(values)):
        missing = int(np.count_nonzero(~known))
        if not missing:
            return []
        unknown = f"{missing:,} of {len(values):,} values of the future column {name!r}"
        message = f"{unknown} {are(missing)} missing"
        return [Finding("missing covariates", "note", message)]
    levels = panel.covariates.future.levels.get(name)
    same = "missing" if not known.any() else f"{np.nanmax(values):g}"
    if levels and known.any():
        same = repr(levels[int(np.nanmax(values))])
    message = f"all values of the future column {name!r} are {same}"
    return [Finding("constant column", "warning", message, "It says nothing of the others.")]


def _outliers(panel: Panel, series: ndarray) -> list[Finding]:
    """Values far from both of their neighbours one season away, in units of the usual seasonal
    difference."""
    scores = outlier_scores(panel.values, panel.offsets, panel.periods)
    rule = Finding("outliers", "note", "", "Nothing is changed.")

    def say(rows: ndarray) -> Case:
        worst = rows[np.argmax(scores[rows])]
        code = series[worst]
        time = panel.frequency.advance(panel.starts[code], worst - panel.offsets[code])
        value = f"{panel.values[worst]:g}"
        far = f"{scores[worst]:.0f} times the usual seasonal change away"
        unusual = f"{len(rows):,} unusual value{'s' * (len(rows) > 1)}"
        farthest = f"the farthest {value} at {format_time(time)}"
        return Case(f"{unusual}, {farthest}, {far}", value=value)

    return per_series(panel.ids, series, np.flatnonzero(scores > _OUTLIER), rule, say)
