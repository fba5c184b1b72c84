"""Simple, well-known and fast forecasts, which any network should outperform.

Each is a frozen configuration; `predict` uses only the values before each cutoff. Intervals are
measured at held-out cutoffs before each origin; with `quantiles=()` there are only points. Missing
values are filled forward, forecasts of counts and positive values are never below 0, and one known
value is enough for a forecast.

Shapes: O origins, H horizon, m seasonal period.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from lstmcast.data.origins import (
    Origins,
    last_known,
    lowest,
    mean_changes,
    window,
)
from lstmcast.data.ragged import carried
from lstmcast.data.read import as_panel
from lstmcast.errors import MissingExtraError, UsageError
from lstmcast.evaluation.demand import Demand, demand_named, origin_blocks
from lstmcast.evaluation.intervals import predicted
from lstmcast.evaluation.smoothing import holt_winters
from lstmcast.forecast import QUANTILES, Forecast
from lstmcast.util.config import is_whole

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel

# largest history of Holt–Winters, in values (or 8 cycles if that is more): older values hardly
# count
MEMORY = 400
ClassicalName = Literal["AutoETS", "AutoTheta", "AutoARIMA"]


@dataclass(frozen=True)
class Naive:
    """The last known value, for every step.

    >>> from lstmcast.data.panel import Panel
    >>> Naive().predict(Panel.from_arrays([3.0, np.nan, 5.0]), 2).point
    array([[5., 5.]])
    """

    horizon: int | None = None
    name: str = "naive"
    quantiles: tuple[float, ...] = QUANTILES

    def predict(
        self,
        panel: Any,
        horizon: int | None = None,
        *,
        cutoffs: np.ndarray | None = None,
    ) -> Forecast:
        """Forecast from the end of each series, or from `cutoffs` (S, K), counts of known
        observations. `panel`: a Panel or anything that `lstmcast.read` reads."""
        return predicted(self, as_panel(panel), horizon, cutoffs)

    def points(self, panel: Panel, origins: Origins, steps: int) -> np.ndarray:
        """Forecasts (O, H) at any origins."""
        return np.repeat(_newest(panel, origins), steps, axis=1)


class _Seasonal:
    """Base of baselines with a seasonal period."""

    horizon: int | None
    period: int | None  # None: the first period of the panel
    quantiles: tuple[float, ...]

    def __post_init__(self) -> None:
        _require_period(self.period)

    def predict(
        self,
        panel: Any,
        horizon: int | None = None,
        *,
        cutoffs: np.ndarray | None = None,
    ) -> Forecast:
        """Forecast from the end of each series, or from `cutoffs` (S, K), counts of known
        observations. `panel`: a Panel or anything that `lstmcast.read` reads."""
        panel = as_panel(panel)
        return predicted(self, panel, horizon, cutoffs, _period(panel, self.period))

    def points(self, panel: Panel, origins: Origins, steps: int) -> np.ndarray:
        """Forecasts (O, H) at any origins."""
        raise NotImplementedError


@dataclass(frozen=True)
class SeasonalNaive(_Seasonal):
    """The values of the last cycle, or the last known value if the history is shorter than a cycle.

    >>> from lstmcast.data.panel import Panel
    >>> SeasonalNaive(period=2).predict(Panel.from_arrays([3.0, 5.0, 4.0]), 3).point
    array([[5., 4., 5.]])
    """

    horizon: int | None = None
    period: int | None = None  # default: the first period of the panel
    name: str = "seasonal naive"
    quantiles: tuple[float, ...] = QUANTILES

    def points(self, panel: Panel, origins: Origins, steps: int) -> np.ndarray:
        """Forecasts (O, H) at any origins."""
        return _last_cycle(panel, origins, _period(panel, self.period), steps)


@dataclass(frozen=True)
class SeasonalNaiveDrift(_Seasonal):
    """The last cycle plus the mean change between cycles, in logarithms for positive values.

    There is no drift with fewer than two cycles or three changes.

    >>> from lstmcast.data.panel import Panel
    >>> panel = Panel.from_arrays([1.0, 3.0, 2.0, 6.0, 4.0])
    >>> SeasonalNaiveDrift(period=2).predict(panel, 4).point.round(6)
    array([[12.,  8., 24., 16.]])
    """

    horizon: int | None = None
    period: int | None = None  # default: the first period of the panel
    name: str = "seasonal naive with drift"
    quantiles: tuple[float, ...] = QUANTILES

    def points(self, panel: Panel, origins: Origins, steps: int) -> np.ndarray:
        """Forecasts (O, H) at any origins."""
        period = _period(panel, self.period)
        cycle_OH = _last_cycle(panel, origins, period, steps)
        return with_drift(cycle_OH, panel, origins, period)


@dataclass(frozen=True)
class HoltWinters(_Seasonal):
    """Exponential smoothing with trend and season, fitted to each history by one-step errors.

    Akaike's criterion selects an additive, a damped or no trend. The season is multiplicative if
    all known values are positive, else additive; with fewer than two cycles there is none (Holt's
    method). At most the newest `MEMORY` values or 8 cycles are used.

    Winters, "Forecasting sales by exponentially weighted moving averages", Management Science 6
    (1960).

    >>> from lstmcast.data.panel import Panel
    >>> HoltWinters(period=2).predict(Panel.from_arrays(np.tile([1.0, 3.0], 4)), 2).point.round(6)
    array([[1., 3.]])
    """

    horizon: int | None = None
    period: int | None = None  # default: the first period of the panel
    name: str = "Holt–Winters"
    quantiles: tuple[float, ...] = QUANTILES

    def points(self, panel: Panel, origins: Origins, steps: int) -> np.ndarray:
        """Forecasts (O, H) at any origins."""
        period = _period(panel, self.period)
        longest = int(origins.counts.max())
        width = min(longest, max(MEMORY, 8 * period))
        newest_O1 = _newest(panel, origins)
        points = []
        for block in origin_blocks(origins):
            history_OW = window(panel, block.origins, width)
            points.append(_smoothed(history_OW, newest_O1[block.rows], period, steps))
        return np.concatenate(points)


def _smoothed(
    history_OW: np.ndarray, newest_O1: np.ndarray, period: int, steps: int
) -> np.ndarray:
    """Holt–Winters for each history (O, W), in the form that its values allow; the newest value if
    no value is known."""
    is_known_OW = np.isfinite(history_OW)
    known_O = is_known_OW.sum(1)
    seasonal_O = (period > 1) & (known_O >= 2 * period)
    positive_O = np.where(is_known_OW, history_OW, np.inf).min(1) > 0
    point_OH = np.repeat(newest_O1, steps, axis=1)
    for rows_O, cycle, factors in (
        (seasonal_O & positive_O, period, True),
        (seasonal_O & ~positive_O, period, False),
        (~seasonal_O & (known_O > 0), 1, False),
    ):
        if rows_O.any():
            point_OH[rows_O] = holt_winters(history_OW[rows_O], cycle, steps, factors)
    return point_OH


@dataclass(frozen=True)
class Classical(_Seasonal):
    """A model of the statsforecast package, fitted at each cutoff, or the naive forecast if that
    fails.

    Missing values are filled forward first. `map` may be that of a process pool, since fits are
    independent. Raises MissingExtraError without the extra `baselines`.
    """

    name: ClassicalName
    horizon: int | None = None
    period: int | None = None  # default: the first period of the panel
    map: Callable[..., Iterable[np.ndarray]] = map
    quantiles: tuple[
        float, ...
    ] = ()  # quantiles are measured at some 25 cutoffs, each of which needs a fit

    def predict(
        self,
        panel: Any,
        horizon: int | None = None,
        *,
        cutoffs: np.ndarray | None = None,
    ) -> Forecast:
        """Forecast from the end of each series, or from `cutoffs` (S, K), counts of known
        observations. `panel`: a Panel or anything that `lstmcast.read` reads."""
        # checked here, to report a missing package before any work
        _statsforecast_models()
        return super().predict(panel, horizon, cutoffs=cutoffs)

    def points(self, panel: Panel, origins: Origins, steps: int) -> np.ndarray:
        """Forecasts (O, H) at any origins."""
        values = carried(panel.values, panel.offsets, 1)
        begins = panel.offsets[origins.series]
        ends = begins + origins.counts
        histories = [values[begin:end] for begin, end in zip(begins, ends, strict=True)]
        period = _period(panel, self.period)
        forecast = partial(_classical_forecast, self.name, period, steps)
        points = list(self.map(forecast, histories))
        return np.stack(points)


Baseline = Naive | SeasonalNaive | SeasonalNaiveDrift | HoltWinters | Classical | Demand


def default_baselines() -> tuple[Naive, SeasonalNaive, SeasonalNaiveDrift, HoltWinters]:
    """The fast baselines of every backtest, without intervals, as only points are compared."""
    return (
        Naive(quantiles=()),
        SeasonalNaive(quantiles=()),
        SeasonalNaiveDrift(quantiles=()),
        HoltWinters(quantiles=()),
    )


def classical_baselines() -> tuple[Classical, ...]:
    """AutoETS, AutoTheta and AutoARIMA of statsforecast, which take a second or more per cutoff.

    MissingExtraError without the extra `baselines`.
    """
    _statsforecast_models()
    return Classical("AutoETS"), Classical("AutoTheta"), Classical("AutoARIMA")


def without_quantiles(forecaster: Any) -> Any:
    """A baseline without intervals, for when they are not needed; other forecasters are
    unchanged."""
    return (
        replace(forecaster, quantiles=())
        if isinstance(forecaster, Baseline)
        else forecaster
    )


def baseline_named(name: str) -> Baseline | None:
    """A baseline by its name, or None.

    >>> baseline_named("AutoETS"), baseline_named("holt-winters").name
    (Classical(name='AutoETS', ...), 'Holt–Winters')
    """
    spelling = name.lower().replace("-", "–")
    for baseline in _named_baselines():
        if baseline.name.lower() == spelling:
            return baseline
    return demand_named(name)


def baseline_names() -> list[str]:
    """The names of all baselines that can be named, but those of demand."""
    return [baseline.name for baseline in _named_baselines()]


def _named_baselines() -> list[Baseline]:
    names: tuple[ClassicalName, ...] = get_args(ClassicalName)
    return [*default_baselines(), *map(Classical, names)]


def _statsforecast_models() -> Any:
    try:
        import statsforecast.models
    except ImportError as error:
        raise MissingExtraError(
            "The classical baselines need the package statsforecast. Install it with pip install "
            "'lstmcast[baselines]'."
        ) from error
    return statsforecast.models


def _classical_forecast(
    name: str, period: int, steps: int, history: np.ndarray
) -> np.ndarray:
    observed = history[np.isfinite(history)]  # only leading values can still be missing
    if not len(observed):
        return np.full(steps, np.nan)
    naive = np.repeat(observed[-1], steps)
    has_season = len(observed) >= 2 * period
    season_length = period if has_season else 1
    model_class = getattr(_statsforecast_models(), name)
    model = model_class(season_length=season_length)
    try:
        with warnings.catch_warnings():
            # warnings of its optimiser on short or constant histories
            warnings.simplefilter("ignore")
            forecast = model.forecast(y=observed, h=steps)
            point = np.asarray(forecast["mean"], np.float64)
    except Exception:  # raises errors of many types for short and constant histories
        return naive
    return point if np.isfinite(point).all() else naive


def _require_period(period: int | None) -> None:
    if period is not None and not is_whole(period, 1):
        raise UsageError(
            f"period must be a whole number of at least 1 step, such as 12, got {period!r}."
        )


def _period(panel: Panel, period: int | None) -> int:
    return int(panel.periods[0]) if period is None else period


def _last_cycle(panel: Panel, origins: Origins, period: int, steps: int) -> np.ndarray:
    """The last cycle repeated (O, H), with the last known value in place of missing ones."""
    newest_O1 = _newest(panel, origins)
    if period > origins.counts.max(initial=0):  # no series has a full cycle
        return np.repeat(newest_O1, steps, axis=1)
    values = carried(panel.values, panel.offsets, period)
    cycle = window(panel, origins, period, values)
    has_cycle = (origins.counts >= period)[:, None]
    cycle = np.where(has_cycle & np.isfinite(cycle), cycle, newest_O1)
    phases = np.arange(steps) % period
    return cycle[:, phases]


def _newest(panel: Panel, origins: Origins) -> np.ndarray:
    """The last known value before each cutoff (O, 1)."""
    return last_known(panel, origins)[:, None]


def with_drift(
    cycle_OH: np.ndarray,
    panel: Panel,
    origins: Origins,
    period: int,
    first_O: np.ndarray | int = 0,
) -> np.ndarray:
    """Repeated cycles, with the mean change between cycles added once per cycle, in logarithms for
    positive values. Histories are read from observation `first_O`."""
    cycles_H = 1 + np.arange(cycle_OH.shape[1]) // period
    logs = np.log(np.where(panel.values > 0, panel.values, np.nan))
    growth_O1 = _drift(panel, origins, period, logs, first_O)
    change_O1 = _drift(panel, origins, period, panel.values, first_O)
    multiplied_OH = cycle_OH * np.exp(growth_O1 * cycles_H)
    added_OH = cycle_OH + change_O1 * cycles_H
    is_positive_O = lowest(panel, origins, first_O) > 0
    return np.where(is_positive_O[:, None], multiplied_OH, added_OH)


def _drift(
    panel: Panel,
    origins: Origins,
    period: int,
    values: np.ndarray,
    first_O: np.ndarray | int,
) -> np.ndarray:
    """The mean change between cycles before each cutoff (O, 1); 0 if too few cycles are known."""
    mean_O, changes_O = mean_changes(
        panel, origins, period, values, np.positive, first_O
    )
    return np.where(changes_O >= max(3, period), mean_O, 0.0)[:, None]
