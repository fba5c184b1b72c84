"""Intervals around forecasts that are points only: measured at held-out cutoffs, as the network's
are.

    O origins · H horizon · Q quantiles of the head · N observations of all series
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.observed import on_grid
from lstmcast.data.origins import Origins, checked_horizon, lowest, mean_changes, origins_of
from lstmcast.data.panel import Panel
from lstmcast.evaluation.calibration import FIRST, HeldOut, at_levels, calibrated
from lstmcast.evaluation.dependence import dependence_of
from lstmcast.forecast import Forecast
from lstmcast.model.heads import SCORES

DEVIATION = 1.25  # standard deviations in a mean absolute one, of normal errors

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

    How wide an interval is follows from the errors of the same points at cutoffs before each
    origin; until there are some, from the changes over a `period`.

    >>> values = np.random.default_rng(0).normal(50, 5, 200)
    >>> panel, last = Panel.from_arrays(values), Origins(np.array([0]), np.array([200]))
    >>> mean = lambda panel, origins, steps: np.full((len(origins.series), steps), 50.0)
    >>> forecast = with_quantiles(mean, panel, last, 2, (0.1, 0.5, 0.9))
    >>> forecast.interval(80).lower.round()
    array([[45., 44.]])
    """

    def decode(panel: Panel, at: Origins, steps: int) -> NDArray:
        return _around(points(panel, at, steps), panel, at, period)

    held_out = HeldOut.of(panel, origins)
    # as many steps as are looked at together, so that no horizon moves the interval of a date
    tried = held_out.tried(decode, panel, max(horizon, FIRST))
    parts = [(rows, tried.rows(rows)) for rows in held_out.parts(len(panel))]
    quantiles_OHQ = calibrated(parts, held_out, len(panel))[:, :horizon]
    return Forecast.at_origins(
        panel,
        origins,
        points(panel, origins, horizon),
        at_levels(quantiles_OHQ, quantile_levels),
        quantile_levels,
        dependence=dependence_of(panel, tried.rows, held_out),
    )


def _around(point_OH: NDArray, panel: Panel, origins: Origins, period: int) -> NDArray:
    """Quantiles about points, to be calibrated: of errors as large as the changes over a period,
    which add up from one period to the next; as ratios where all values are positive."""
    grown_H = np.sqrt(1 + np.arange(point_OH.shape[1]) // period)[None, :, None] * SCORES
    logs_N = np.log(np.where(panel.values > 0, panel.values, np.nan))
    positive_O = (lowest(panel, origins) > 0) & (point_OH > 0).all(axis=1)
    ratio_O, change_O = (
        _deviation(panel, origins, period, values_N) for values_N in (logs_N, panel.values)
    )
    with np.errstate(over="ignore", invalid="ignore"):
        by_ratio = point_OH[..., None] * np.exp(ratio_O[:, None, None] * grown_H)
    added = point_OH[..., None] + change_O[:, None, None] * grown_H
    return np.where(positive_O[:, None, None] & np.isfinite(by_ratio), by_ratio, added)


def _deviation(panel: Panel, origins: Origins, period: int, values_N: NDArray) -> NDArray:
    """The size of the changes over a period, from step to step where that is too long (O,)."""
    mean_O, pairs_O = mean_changes(panel, origins, period, values_N)
    short_O, _ = mean_changes(panel, origins, 1, values_N)
    mean_O = np.where(pairs_O > 0, mean_O, short_O)
    return np.maximum(np.nan_to_num(DEVIATION * mean_O), 1e-12)


class Pointwise(Protocol):
    """What baselines have in common that are points first of all."""

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
    """The forecast at some cutoffs, with intervals where quantiles are wanted."""
    origins = origins_of(panel, cutoffs)
    _, steps, rows = on_grid(panel, origins, checked_horizon(horizon, baseline.horizon))
    if not baseline.quantiles:
        point = baseline.points(panel, origins, steps)
        return Forecast.at_origins(panel, origins, point, rows=rows)
    levels = tuple(baseline.quantiles)
    made = with_quantiles(baseline.points, panel, origins, steps, levels, period)
    return made if rows is None else made.at_steps(rows)
