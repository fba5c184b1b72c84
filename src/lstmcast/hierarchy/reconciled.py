"""A forecaster that reconciles the forecasts of another one, so that they add up.

S series · K cutoffs · O = S · K origins · H horizon · N paths · Q quantiles
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.data.words import Words
from lstmcast.errors import DataError
from lstmcast.forecast import Forecast
from lstmcast.hierarchy.covariance import Covariance, Errors
from lstmcast.hierarchy.joint import Joint
from lstmcast.hierarchy.levels import Structure, level_names, with_totals
from lstmcast.hierarchy.reconciling import (
    Reconciliation,
    checked_reconciliation,
    rule_of,
)
from lstmcast.paths import PATHS, USUAL


def reconcile(
    model: Any,
    data: Any,
    method: str = "mint",
    *,
    levels: Sequence[str | Sequence[str]] | None = None,
    horizon: int | None = None,
    **words: Unpack[Words],
) -> Forecast:
    """Forecast series and their totals so that they add up.

    Quantiles and sample paths belong to a joint distribution in which every total is the sum of its
    series. Points add up too: they are the reconciled medians.

    Args:
        model: A forecaster, such as `LSTMForecaster(12)`.
        data: A Panel, or anything that `lstmcast.read` reads, with id columns.
        method: "mint" combines the forecasts of all levels by the covariance of their one-step
            errors (minimum trace); "bottom-up" sums the forecasts of the single series; "top-down"
            splits the forecast of the grand total by the shares of the series.
        levels: Columns by which totals are formed, as in `with_totals`.
        horizon: Number of steps to forecast. Defaults to the forecaster's.
        words: Keyword arguments of `lstmcast.read`: time, target, series, ….

    Raises:
        DataError, UsageError: As in `with_totals`, or the method is unknown.

    >>> import lstmcast as lc
    >>> sales = {"tea": [5.0, 7, 6, 8] * 6, "milk": [9.0, 8, 9, 7] * 6}
    >>> forecast = lc.reconcile(lc.LSTMForecaster(2), lc.Panel.from_arrays(sales))
    >>> total, tea, milk = forecast.point
    >>> bool(np.allclose(total, tea + milk))
    True
    """
    # imported here, as a caller with a Panel does not need all the readers
    from lstmcast.data.read import as_panel

    reconciled = Reconciled(model, method)
    panel = as_panel(data, getattr(model, "past", ()), words)
    return reconciled.predict(with_totals(panel, levels), horizon)


@dataclass(frozen=True)
class Hierarchy:
    """The arguments of `reconcile`: which totals to form, and how to make forecasts add up."""

    method: str
    levels: Sequence[str | Sequence[str]] | None = None

    def __post_init__(self) -> None:
        checked_reconciliation(self.method)

    def panel(self, panel: Panel) -> Panel:
        """The panel with its totals."""
        return with_totals(panel, self.levels)

    def model(self, model: Any) -> Reconciled:
        """The forecaster whose forecasts add up."""
        return Reconciled(model, self.method)


@dataclass(frozen=True)
class Reconciled:
    """A forecaster that reconciles the forecasts of another one, `base`; see `reconcile`.

    It forecasts panels with totals, as made by `with_totals`, so that `backtest` can compare it
    with its base at every level.

    >>> import lstmcast as lc
    >>> panel = lc.with_totals(lc.Panel.from_arrays({"a": [1.0, 5] * 20, "b": [2.0, 3] * 20}))
    >>> tested = lc.backtest(lc.Reconciled(lc.LSTMForecaster(2)), panel, cutoffs=2)
    >>> tested.per_level()["level"].tolist()[::6]
    ['total', 'unique_id']
    """

    base: Any
    method: str = "mint"

    def __post_init__(self) -> None:
        checked_reconciliation(self.method)

    @property
    def name(self) -> str:
        """The name of its base, for tables."""
        return str(getattr(self.base, "name", type(self.base).__name__))

    @property
    def horizon(self) -> int:
        """Default number of steps to forecast."""
        return self.base.horizon

    @property
    def trained_ends(self) -> Any:
        """The last time of each series that the base was trained on."""
        return getattr(self.base, "trained_ends", None)

    def predict(
        self,
        panel: Panel,
        horizon: int | None = None,
        *,
        cutoffs: NDArray | None = None,
    ) -> Forecast:
        """Forecast the steps after each series of a panel with totals, or after each cutoff."""
        Structure.of(panel.keys)  # check before the work
        return self.reconciled(
            panel, self.base.predict(panel, horizon, cutoffs=cutoffs)
        )

    def reconciled(self, panel: Panel, forecast: Forecast) -> Forecast:
        """Reconcile a forecast of the base on this panel at each cutoff.

        Series that are unknown at a cutoff are left out of its totals.
        """
        method: Reconciliation = checked_reconciliation(self.method)
        errors = Errors.of(self.base, panel, forecast.cutoffs.min())
        numbers = {name: number for number, name in enumerate(panel.ids)}
        series_O = np.array([numbers[name] for name in forecast.ids], np.int64)
        point = forecast.point.copy()
        quantiles = forecast.quantiles.copy()
        joint = None
        for cutoff in np.unique(forecast.cutoffs):
            rows = np.flatnonzero(forecast.cutoffs == cutoff)
            at_cutoff = forecast.rows(rows)
            try:
                structure = Structure.of(at_cutoff.keys)
            except DataError:
                # series too short for an earlier cutoff are forecast from their end
                continue
            _require_same_times(at_cutoff)
            errors_then = errors.rows(series_O[rows]).until(cutoff)
            joint = _joint(at_cutoff, structure, errors_then, method)
            point[rows], quantiles[rows] = _coherent(at_cutoff, joint)
        if joint is not None and len(joint.ids) < len(forecast.ids):
            joint = None  # several cutoffs have no single joint distribution
        return replace(
            forecast, point=point, quantiles=quantiles, fractional=None, joint=joint
        )


def _joint(
    forecast: Forecast, structure: Structure, errors: Errors, method: Reconciliation
) -> Joint:
    # only MinT needs them
    covariance = Covariance.unknown(len(forecast.ids))
    if method == "mint" or errors.enough:
        covariance = errors.covariance(forecast.ids, level_names(forecast.keys))
    lasting, near = USUAL[:2]
    if forecast.dependence is not None:
        lasting, near = (float(np.mean(values)) for values in forecast.dependence[:2])
    stops = forecast.stops is not None and bool(forecast.stops.all())
    quantiles = forecast.quantiles
    if forecast.fractional is not None:
        quantiles = forecast.fractional
    return Joint(
        ids=forecast.ids,
        quantiles_SHQ=quantiles,
        quantile_levels=forecast.quantile_levels,
        lasting=lasting,
        near=near,
        covariance=covariance,
        structure=structure,
        rule=rule_of(method, structure, covariance),
        stops=stops,
        chosen=np.arange(len(forecast.ids)),
    )


def _coherent(forecast: Forecast, joint: Joint) -> tuple[NDArray, NDArray]:
    """Points (S, H) and quantiles (S, H, Q) that add up."""
    point_HS = joint.coherent(forecast.point.T)
    quantiles = np.empty_like(forecast.quantiles)
    if forecast.quantile_levels:
        for step, drawn_NS in enumerate(joint.steps(PATHS, seed=0)):
            quantiles_QS = np.quantile(drawn_NS, forecast.quantile_levels, axis=0)
            quantiles[:, step] = quantiles_QS.T
    return point_HS.T, quantiles


def _require_same_times(forecast: Forecast) -> None:
    times = forecast.times
    if (times != times[0]).any():
        raise DataError(
            "the series have different calendars, so their steps fall on different times and "
            "cannot be summed. Read the data with one calendar: --calendar all."
        )
