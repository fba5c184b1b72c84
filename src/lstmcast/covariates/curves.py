"""Effects as curves: how each value of a column known in advance changes a series.

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

POINTS = 25  # points of a curve, between the smallest and the largest known value
UNITS = {LOG: "percent", ROOT: "square root"}  # on other axes: those of the data


def effect_curves(
    data: Panel,
    column: str,
    *,
    series: str | None = None,
    level: float = 80,
    kind: str = "arrays",
) -> Any:
    """The effect of each value of a future column on series, from the newest regression.

    Args:
        data: A Panel with future columns.
        column: Name of the column.
        series: Id of a series. Defaults to all.
        level: Level of the interval, in percent.
        kind: "arrays" for columns by name, or a frame: "pandas", "polars" or "pyarrow".

    Returns:
        A long table with unique_id, the value of the column, `effect`, `lower`, `upper` and `unit`.
        Effects are relative to the mean of the past, in percent if the series is read on a
        logarithmic axis, else in units of the data. Series without an effect have no rows.

    Raises:
        UsageError: The column or the series does not exist.

    >>> rng = np.random.default_rng(0)
    >>> sale = (rng.random(120) < 0.3) * 1.0
    >>> sold = 50 * np.exp(0.5 * sale + rng.normal(0, 0.05, 120))
    >>> panel = Panel.from_arrays(
    ...     sold, frequency="D", start="2024-01-01", future={"sale": sale})
    >>> curve = effect_curves(panel, "sale")
    >>> curve["sale"].tolist(), np.diff(curve["effect"]).round(-1), curve["unit"][0]
    (['0', '1'], array([60.]), 'percent')
    """
    _require_column(data, column)
    spread = NormalDist().inv_cdf(0.5 + level / 200)
    ids = data.ids if series is None else data.select([series]).ids
    # Solved for all series, as short ones borrow from the others.
    solutions = dict(zip(data.ids.tolist(), Effects(data).solutions_S, strict=True))
    curves = []
    for name in ids.tolist():
        if solutions[name]:
            curve = _curve(str(name), solutions[name][-1], column, spread)
            if curve:
                curves.append(curve)
    columns = {}
    for name in ("unique_id", column, "effect", "lower", "upper", "unit"):
        arrays = [curve[name] for curve in curves]
        columns[name] = np.concatenate(arrays) if arrays else np.empty(0)
    return frame_of(columns, kind)


def _require_column(data: Panel, column: str) -> None:
    names = list(data.covariates.future.columns)
    if column not in names:
        hint = f"These are {listed(names)}." if names else "Nothing is."
        raise UsageError(f"{column!r} is not a column that is known in advance. {hint}")


def _curve(
    series: str, solution: Solution, column: str, spread: float
) -> dict[str, NDArray]:
    """The curve of one series; empty if the column has no effect."""
    covariates = solution.covariates
    abouts = {covariates.names[about.column]: about for about in solution.abouts}
    if column not in abouts or not solution.coefficients_P.any():
        return {}
    about = abouts[column]
    grid_G = _grid(covariates, about)
    rows_GP = _rows(solution, about, grid_G)
    away_GP = rows_GP - solution.middle_P
    effect_G = away_GP @ solution.coefficients_P
    margin_G = spread * solution.uncertainty(away_GP)
    curve = {
        "unique_id": np.full(len(grid_G), series, object),
        column: _called(covariates, about, grid_G),
        "effect": effect_G,
        "lower": effect_G - margin_G,
        "upper": effect_G + margin_G,
        "unit": np.full(
            len(grid_G), UNITS.get(solution.axis, "units of the data"), object
        ),
    }
    if solution.axis == LOG:
        for name in ("effect", "lower", "upper"):
            curve[name] = 100 * np.expm1(curve[name])
    return curve


def _grid(covariates: Known, about: About) -> NDArray:
    """The categories of a column, or values between its smallest and largest."""
    values = covariates.values_CM[about.column]
    values = values[np.isfinite(values)]
    if about.categories:
        return np.unique(values)
    return np.linspace(values.min(), values.max(), POINTS)


def _called(covariates: Known, about: About, grid_G: NDArray) -> NDArray:
    """Numbers as they are, categories by their names."""
    levels = covariates.levels[about.column]
    if levels:
        return np.array([levels[int(value)] for value in grid_G], object)
    if about.categories:
        return np.array([f"{value:g}" for value in grid_G], object)
    return grid_G


def _rows(solution: Solution, about: About, grid_G: NDArray) -> NDArray:
    """Columns of the regression if the column has long had each value, averaged over a week or a
    day, with all other columns at their means (G, P)."""
    covariates = solution.covariates
    phases_W = np.unique(covariates.phases_M)
    values = np.repeat(grid_G, len(phases_W))[None]
    column = replace(
        covariates,
        names=(covariates.names[about.column],),
        values_CM=values,
        carried_CM=values,
        smooth_CM=values,
        levels=(covariates.levels[about.column],),
        phases_M=np.tile(phases_W, len(grid_G)),
        waves=(),
        first=0,
    )
    steps = np.arange(values.shape[1])
    column_design = design(column, (about._replace(column=0),), steps, solution.count)
    by_phase_GWK = column_design.columns_NP.reshape(len(grid_G), len(phases_W), -1)
    mean_GK = by_phase_GWK.mean(axis=1)
    rows_GP = np.tile(solution.middle_P, (len(grid_G), 1))
    groups_P = np.array(solution.groups, object)
    groups_K = np.array(column_design.groups, object)
    kinds = dict(zip(column_design.groups, column_design.kinds, strict=True))
    for group, kind in kinds.items():
        if kind is not Kind.BESIDE:
            places_P = np.flatnonzero(groups_P == group)
            places_K = np.flatnonzero(groups_K == group)
            rows_GP[:, places_P] = mean_GK[:, places_K]
    return rows_GP
