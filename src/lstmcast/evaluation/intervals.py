"""Intervals for point forecasts, measured at held-out cutoffs.

O origins · H horizon · Q quantiles of the head · N observations of all series
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.observed import on_grid
from lstmcast.data.origins import (
    Origins,
    checked_horizon,
    lowest,
    mean_changes,
    origins_of,
)
from lstmcast.data.panel import Panel
from lstmcast.evaluation.calibration import FIRST, HeldOut, at_levels, calibrated
from lstmcast.evaluation.dependence import dependence_of
from lstmcast.forecast import Forecast
from lstmcast.model.heads import SCORES

DEVIATION = 1.25  # ratio of standard to mean absolute deviation of normal errors

Points = Callable[[Panel, Origins, int], NDArray]  # forecasts (O, H)


def with_quantiles(
    points: Points,
    panel: Panel,
    origins: Origins,
    horizon: int,
    quantile_levels: tuple[float, ...],
    period: int = 1,
) -> Forecast:
    """Points with calibrated intervals around them.

    Widths are measured from the errors of the same points at cutoffs before each origin; until
    there are any, from the changes over a `period`.

    >>> values = np.random.default_rng(0).normal(50, 5, 200)
    >>> panel, last = Panel.from_arrays(values), Origins(np.array([0]), np.array([200]))
    >>> mean = lambda panel, origins, steps: np.full((len(origins.series), steps), 50.0)
    >>> forecast = with_quantiles(mean, panel, last, 2, (0.1, 0.5, 0.9))
    >>> forecast.interval(80).lower.round()
    array([[45., 44.]])
    """

    def decode(panel: Panel, origins: Origins, steps: int) -> NDArray:
        point_OH = points(panel, origins, steps)
        return _around(point_OH, panel, origins, period)

    held_out = HeldOut.of(panel, origins)
    # at least the first steps, so that no interval depends on the horizon
    forecasts = held_out.tried(decode, panel, max(horizon, FIRST))
    batches = [(rows, forecasts.rows(rows)) for rows in held_out.parts(len(panel))]
    quantiles_OHQ = calibrated(batches, held_out)[:, :horizon]
    return Forecast.at_origins(
        panel,
        origins,
        points(panel, origins, horizon),
        at_levels(quantiles_OHQ, quantile_levels),
        quantile_levels,
        dependence=dependence_of(panel, forecasts.rows, held_out),
    )


def _around(point_OH: NDArray, panel: Panel, origins: Origins, period: int) -> NDArray:
    """Uncalibrated quantiles about points: errors as large as the changes over a period, which
    accumulate from one period to the next; as ratios if all values are positive."""
    periods_H = 1 + np.arange(point_OH.shape[1]) // period
    grown_1HQ = np.sqrt(periods_H)[None, :, None] * SCORES
    point_OH1 = point_OH[..., None]
    logs_N = np.log(np.where(panel.values > 0, panel.values, np.nan))
    ratio_O = _deviation(panel, origins, period, logs_N)
    with np.errstate(over="ignore", invalid="ignore"):
        multiplied_OHQ = point_OH1 * np.exp(ratio_O[:, None, None] * grown_1HQ)
    change_O = _deviation(panel, origins, period, panel.values)
    added_OHQ = point_OH1 + change_O[:, None, None] * grown_1HQ
    positive_O = (lowest(panel, origins) > 0) & (point_OH > 0).all(axis=1)
    is_ratio_OHQ = positive_O[:, None, None] & np.isfinite(multiplied_OHQ)
    return np.where(is_ratio_OHQ, multiplied_OHQ, added_OHQ)


def _deviation(
    panel: Panel, origins: Origins, period: int, values_N: NDArray
) -> NDArray:
    """The mean absolute change over a period, or per step if the history is shorter (O,)."""
    mean_O, pairs_O = mean_changes(panel, origins, period, values_N)
    short_O, _ = mean_changes(panel, origins, 1, values_N)
    mean_O = np.where(pairs_O > 0, mean_O, short_O)
    return np.maximum(np.nan_to_num(DEVIATION * mean_O), 1e-12)


class Pointwise(Protocol):
    """The interface of baselines that forecast points."""

    @property
    def horizon(self) -> int | None: ...

    @property
    def quantiles(self) -> tuple[float, ...]: ...

    def points(self, panel: Panel, origins: Origins, steps: int) -> np.ndarray: ...


def predicted(
    baseline: Pointwise,
    panel: Panel,
    horizon: int | None,
    cutoffs: np.ndarray | None,
    period: int = 1,
) -> Forecast:
    """The forecast at these cutoffs, with intervals if there are quantile levels."""
    origins = origins_of(panel, cutoffs)
    horizon = checked_horizon(horizon, baseline.horizon)
    _, steps, rows = on_grid(panel, origins, horizon)
    if not baseline.quantiles:
        point = baseline.points(panel, origins, steps)
        return Forecast.at_origins(panel, origins, point, rows=rows)
    levels = tuple(baseline.quantiles)
    forecast = with_quantiles(baseline.points, panel, origins, steps, levels, period)
    return forecast if rows is None else forecast.at_steps(rows)
