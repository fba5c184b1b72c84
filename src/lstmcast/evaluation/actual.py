"""Actual values after the cutoffs of a backtest, and the grid of forecasts.

Shapes: S series, K cutoffs, O = S · K origins (series-major), H horizon.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lstmcast.data.origins import Origins, known_counts
from lstmcast.data.panel import Panel
from lstmcast.errors import ModelError, UsageError
from lstmcast.forecast import Forecast


class Grid(NamedTuple):
    """The grid that models forecast: origins, panel, number of steps, and steps that occur (O, H).

    None means that all steps occur.
    """

    origins: Origins
    panel: Panel
    steps: int
    rows: np.ndarray | None

    def occurring(self, forecast: Forecast) -> Forecast:
        """The steps of a forecast that occur."""
        return forecast if self.rows is None else forecast.at_steps(self.rows)


def checked_truth(panel: Panel, truth: Panel | None) -> Panel:
    """The values to compare with, by default the values of the data."""
    if truth is None:
        return panel
    alike = np.array_equal(truth.offsets, panel.offsets) and np.array_equal(
        truth.ids, panel.ids
    )
    if not alike or not np.array_equal(truth.starts, panel.starts):
        raise UsageError(
            f"truth= has different series or times than the data: {truth!r} and {panel!r}. Give "
            "the panel from which the data were repaired."
        )
    return truth


def actual_values(
    panel: Panel, origins: Origins, counts: np.ndarray, horizon: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Actual values after each origin (O, H), NaN if unknown or without known values before."""
    steps = origins.counts[:, None] + np.arange(horizon)
    counts_here = counts > 0
    occurs = (steps < panel.lengths[origins.series][:, None]) & counts_here[:, None]
    rows = panel.offsets[origins.series][:, None] + np.where(occurs, steps, 0)
    is_blind = counts_here & (known_counts(panel, origins) == 0)
    actual = np.where(occurs & ~is_blind[:, None], panel.values[rows], np.nan)
    if not is_blind.any():
        return actual, ()
    note = (
        f"{is_blind.sum()} origins have no known value before their cutoff "
        "and are not evaluated."
    )
    return actual, (note,)


def require_answers(name: str, forecast: Forecast, actual: np.ndarray) -> None:
    silent = np.argwhere(~np.isfinite(forecast.point) & np.isfinite(actual))
    if len(silent):
        origin, step = silent[0]
        raise ModelError(
            f"{name} gives no finite number for series {str(forecast.ids[origin])!r}, cutoff "
            f"{forecast.cutoffs[origin]}, step {step + 1}: {forecast.point[origin, step]}. It "
            "cannot be compared. Leave out the series, or use another model."
        )
