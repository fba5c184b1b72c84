"""Effects as curves: what each value of a column that is known in advance does to a series.

P columns of the regression · G values of the column · W phases of a week or a day
"""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.columns import About, Kind, Known, design
from lstmcast.covariates.effects import Effects
from lstmcast.covariates.estimate import Solution
from lstmcast.data.features import listed
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.model.inputs.axis import LOG, ROOT
from lstmcast.writing.tables import frame_of

POINTS = 25  # of a curve, between the smallest and the largest value that is known
UNITS = {LOG: "percent", ROOT: "square root"}  # of effects, by axis; else those of the data


def effect_curves(
    data: Panel,
    column: str,
    *,
    series: str | None = None,
    level: float = 80,
    kind: str = "arrays",
) -> Any:
    """What each value of a known column does to a series, as the newest regression has it.

    Args:
        data: a Panel with columns that are known in advance.
        column: one of them.
        series: the id of a series; all of them unless given.
        level: of the interval, in percent.
        kind: "arrays" for columns by name, or a frame: "pandas", "polars" or "pyarrow".

    Returns:
        A long table: unique_id, the value of the column, `effect`, `lower`, `upper` and `unit`:
        effects are relative to the mean of the past, in percent where the series is read in
        logarithms, else in units of the data. No rows of series without an effect.

    Raises:
        UsageError: There is no such column or series.

    >>> rng = np.random.default_rng(0)
    >>> sale = (rng.random(120) < 0.3) * 1.0
    >>> sold = 50 * np.exp(0.5 * sale + rng.normal(0, 0.05, 120))
    >>> panel = Panel.from_arrays(
    ...     sold, frequency="D", start="2024-01-01", future={"sale": sale})
    >>> curve = effect_curves(panel, "sale")
    >>> curve["sale"].tolist(), np.diff(curve["effect"]).round(-1), curve["unit"][0]
    (['0', '1'], array([60.]), 'percent')
    """
    names = list(data.covariates.future.columns)
    if column not in names:
        known = f"Known in advance are {listed(names)}." if names else "Nothing is."
        raise UsageError(f"{column!r} is not a column that is known in advance. {known}")
    spread = NormalDist().inv_cdf(0.5 + level / 200)
    chosen = data.ids if series is None else data.select([series]).ids
    # Of all series, as some lean on the others.
    solutions = dict(zip(data.ids.tolist(), Effects(data).solutions_S, strict=True))
    parts = [
        _curve(str(name), solutions[name][-1], column, spread)
        for name in chosen.tolist()
        if solutions[name] and solutions[name][-1].coefficients_P.any()
    ]
    parts = [part for part in parts if part]
    heads = ("unique_id", column, "effect", "lower", "upper", "unit")
    columns = {
        name: np.concatenate([part[name] for part in parts]) if parts else np.empty(0)
        for name in heads
    }
    return frame_of(columns, kind)


def _curve(series: str, solution: Solution, column: str, spread: float) -> dict[str, NDArray]:
    """The curve of one series; nothing where the column has no effect."""
    known = solution.known
    what = next((one for one in solution.what if known.names[one.column] == column), None)
    if what is None:
        return {}
    grid_G = _grid(known, what)
    rows_GP = _rows(solution, what, grid_G)
    away_GP = rows_GP - solution.middle_P
    effect_G = away_GP @ solution.coefficients_P
    wide_G = spread * solution.uncertainty(away_GP)
    bounds = (effect_G, effect_G - wide_G, effect_G + wide_G)
    shown = [100 * np.expm1(part) if solution.axis == LOG else part for part in bounds]
    unit = UNITS.get(solution.axis, "units of the data")
    return {
        "unique_id": np.full(len(grid_G), series, object),
        column: _called(known, what, grid_G),
        "effect": shown[0],
        "lower": shown[1],
        "upper": shown[2],
        "unit": np.full(len(grid_G), unit, object),
    }


def _grid(known: Known, what: About) -> NDArray:
    """The categories of a column, or values between its smallest and largest."""
    values = known.values_CM[what.column]
    values = values[np.isfinite(values)]
    return np.unique(values) if what.categories else np.linspace(values.min(), values.max(), POINTS)


def _called(known: Known, what: About, grid_G: NDArray) -> NDArray:
    """Values as they are, categories by their names."""
    levels = known.levels[what.column]
    if levels:
        return np.array([levels[int(value)] for value in grid_G], object)
    if what.categories:
        return np.array([f"{value:g}" for value in grid_G], object)
    return grid_G


def _rows(solution: Solution, what: About, grid_G: NDArray) -> NDArray:
    """Columns of the regression where the column has had such a value for long, the mean over a
    week or a day; all others as they usually are (G, P)."""
    known = solution.known
    phases_W = np.unique(known.phases_M)
    values = np.repeat(grid_G, len(phases_W))[None]
    alone = replace(
        known,
        names=(known.names[what.column],),
        values_CM=values,
        carried_CM=values,
        smooth_CM=values,
        levels=(known.levels[what.column],),
        phases_M=np.tile(phases_W, len(grid_G)),
        waves=(),
        first=0,
    )
    steps = np.arange(values.shape[1])
    made = design(alone, (what._replace(column=0),), steps, solution.count)
    mean_GK = made.columns_NP.reshape(len(grid_G), len(phases_W), -1).mean(axis=1)
    rows_GP = np.tile(solution.middle_P, (len(grid_G), 1))
    places = {
        group: np.flatnonzero(np.array(solution.groups, object) == group) for group in made.groups
    }
    kinds = dict(zip(made.groups, made.kinds, strict=True))
    for group, kind in kinds.items():
        if kind is not Kind.BESIDE:
            here = np.flatnonzero(np.array(made.groups, object) == group)
            rows_GP[:, places[group]] = mean_GK[:, here]
    return rows_GP
