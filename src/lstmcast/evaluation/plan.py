"""The plan of a backtest: everything that its forecasts depend on, and its jobs.

Fitting and forecasting only receive observations before the cutoff, so that later values cannot
leak. "The k-th cutoff" means the k-th cutoffs of all series together.

Shapes: S series, K cutoffs, P cutoffs of one part, H horizon, Q quantile levels.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np

from lstmcast.data.origins import known_counts, origins_of
from lstmcast.data.panel import Panel
from lstmcast.data.table import format_time
from lstmcast.errors import LstmcastError, MissingExtraError, ModelError
from lstmcast.evaluation.resuming import facts
from lstmcast.forecast import Forecast
from lstmcast.util.parallel import interruptible

Refit = Literal["once", "each", "never"]
# options of fit that only affect where it runs: a backtest may continue elsewhere
HARDWARE = ("device", "threads")


class Forecasts(Protocol):
    """A model that can be tested: LSTMForecaster, every baseline, or any object with this
    method."""

    def predict(
        self,
        panel: Panel,
        horizon: int | None = None,
        /,
        *,
        cutoffs: np.ndarray | None = None,
    ) -> Forecast: ...


@runtime_checkable
class Trainable(Forecasts, Protocol):
    """A model that can be fitted: `fit` returns a fitted forecaster, possibly itself.

    `fit` always starts from the configured weights. Backtests fit copies, so that the model itself
    is unchanged. Three attributes are optional. `needs_fit`: whether it cannot forecast before.
    `trained_ends`: {id: the last training time of the series}, None if it was not trained on data
    of the user. `unfitted()`: an unfitted copy; by default, `copy.copy` is used.
    """

    def fit(self, panel: Panel, /) -> Forecasts: ...


class Part(NamedTuple):
    """Forecasts of one model at some of the cutoffs; NaN at origins that do not count."""

    point: np.ndarray  # (S, P, H)
    quantiles: np.ndarray  # (S, P, H, Q)
    quantile_levels: tuple[float, ...]
    # quantiles before those of counts were made whole; None if none was
    fractional: np.ndarray | None = None

    @property
    def before_whole(self) -> np.ndarray:
        """The quantiles before those of counts were made whole (S, P, H, Q)."""
        return self.quantiles if self.fractional is None else self.fractional


class BacktestJob(NamedTuple):
    """The smallest unit of a backtest that is run and saved."""

    model: str
    columns: tuple[int, ...]  # indices of the K cutoffs

    def __str__(self) -> str:
        oldest = self.columns[0] + 1
        newest = self.columns[-1] + 1
        if oldest == newest:
            return f"{self.model}, cutoff {oldest}"
        return f"{self.model}, cutoffs {oldest} to {newest}"


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that the forecasts of a backtest depend on."""

    panel: Panel
    counts: np.ndarray  # (S, K) known observations; 0 if an origin does not count
    horizon: int
    models: Mapping[str, Forecasts]
    modes: Mapping[str, Refit]  # mode of each model
    # options for fitting the tested model
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tested(self) -> str:
        """The tested model. (In worker processes, `models` only contains those to be fitted.)"""
        return next(iter(self.modes))

    @property
    def asked(self) -> np.ndarray:
        """`counts` with the end of the series for origins that do not count (S, K): every origin is
        forecast."""
        return np.where(self.counts > 0, self.counts, self.panel.lengths[:, None])

    @cached_property
    def informed(self) -> np.ndarray:
        """Which origins count and have a known value: (S, K) bool."""
        origins = origins_of(self.panel, self.asked)
        known_O = known_counts(self.panel, origins)
        known_SK = known_O.reshape(self.counts.shape)
        return (self.counts > 0) & (known_SK > 0)

    def jobs(self) -> list[BacktestJob]:
        """One job per cutoff for a model that is fitted at each cutoff; one job for any other."""
        informed = np.flatnonzero(self.informed.any(axis=0)).tolist()
        columns_of: dict[Refit, list[tuple[int, ...]]] = {
            "each": [(column,) for column in informed],
            "once": [],
            "never": [tuple(range(self.counts.shape[1]))],
        }
        if informed:
            columns_of["once"] = [tuple(informed)]
        jobs = []
        for label, mode in self.modes.items():
            jobs += [BacktestJob(label, columns) for columns in columns_of[mode]]
        return jobs

    def run(self, job: BacktestJob) -> Part:
        """Run a job. Errors of the model name its cutoff."""
        model = self.models[job.model]
        if self.modes[job.model] == "never" or not isinstance(model, Trainable):
            forecast = model.predict(self.panel, self.horizon, cutoffs=self.asked)
            require_shape(job.model, forecast, (self.counts.size, self.horizon))
            return _part(forecast, self.counts.shape)
        oldest = job.columns[0]
        with interruptible():
            with self._told(job.model, oldest, "fitting for "):
                options = self.options if job.model == self.tested else {}
                fitted = _fitted(model, self.before(oldest), options)
            by_cutoff = [self._at(job.model, fitted, column) for column in job.columns]
            return _side_by_side(by_cutoff)

    def before(self, column: int) -> Panel:
        """The data known at one of the cutoffs, of the series that have it."""
        rows = self.informed[:, column]
        series = self.panel.select(self.panel.ids[rows])
        return series.until(self.counts[rows, column])

    def _at(self, label: str, fitted: Forecasts, column: int) -> Part:
        rows = self.informed[:, column]
        with self._told(label, column):
            forecast = fitted.predict(self.before(column), self.horizon)
            require_shape(label, forecast, (int(rows.sum()), self.horizon))
        of_rows = _part(forecast, (len(forecast.point), 1))
        series_count = len(self.panel)
        point = np.full((series_count, *of_rows.point.shape[1:]), np.nan)
        point[rows] = of_rows.point
        quantiles = np.full((series_count, *of_rows.quantiles.shape[1:]), np.nan)
        quantiles[rows] = of_rows.quantiles
        fractional = None
        if of_rows.fractional is not None:
            fractional = np.full_like(quantiles, np.nan)
            fractional[rows] = of_rows.fractional
        return Part(point, quantiles, of_rows.quantile_levels, fractional)

    @contextmanager
    def _told(self, label: str, column: int, doing: str = "") -> Iterator[None]:
        """Prefix errors in the block with the cutoff; errors of this package keep their type."""
        try:
            yield
        except MissingExtraError:
            raise  # the same at every cutoff
        except Exception as error:
            cutoff = (
                f"cutoff {column + 1} of {self.counts.shape[1]} ({self.times(column)})"
            )
            where = f"{label}, {doing}{cutoff}"
            if isinstance(error, LstmcastError):
                raise type(error)(f"{where}: {error.message}") from error
            raise ModelError(f"{where}: {type(error).__name__}: {error}") from error

    def times(self, column: int) -> str:
        """The last known time at a cutoff; a range if series differ."""
        rows = self.counts[:, column] > 0
        times = cutoff_times(self.panel, self.counts)[rows, column]
        first = format_time(times.min())
        latest = format_time(times.max())
        return first if first == latest else f"{first} to {latest}"

    def facts(self) -> dict[str, str]:
        """Properties that distinguish this backtest from others, as text."""
        from lstmcast._version import __version__

        models = dict(self.models)
        for label, model in self.models.items():
            # Earlier fits do not matter for models that are fitted again.
            if self.modes[label] != "never":
                models[label] = copy_to_fit(model)
        options = {
            name: value for name, value in self.options.items() if name not in HARDWARE
        }
        work = {
            "version": __version__,
            "horizon": self.horizon,
            "cutoffs": self.counts,
            "data": _data_facts(self.panel),
            "refit": self.modes,
            "models": models,
            "fit_options": options,
        }
        return facts(work)

    def notes(self) -> tuple[str, ...]:
        """Notes on how the first model was fitted."""
        mode = self.modes[self.tested]
        columns = np.flatnonzero(self.informed.any(axis=0))
        if mode == "never" or not len(columns):
            return ()
        if mode == "each":
            cutoffs = f"{len(columns)} cutoffs"
            return (
                f"The model was refitted at each of {cutoffs}, on the data before it.",
            )
        oldest = columns[0]
        first = self.times(oldest)
        note = (
            f"The model was fitted once, on the data before the first cutoff ({first})."
        )
        begins_later = self.informed.any(axis=1) & ~self.informed[:, oldest]
        if not begins_later.any():
            return (note,)
        return (
            note,
            f"{begins_later.sum()} of {len(begins_later)} series have a later first cutoff, so "
            "the model was not fitted on them.",
        )


def _data_facts(panel: Panel) -> dict[str, Any]:
    """The properties of the data that forecasts depend on."""
    data = {
        "values": panel.values,
        "offsets": panel.offsets,
        "ids": panel.ids,
        "starts": panel.starts,
        "periods": panel.periods,
        "kinds": panel.kinds,
        "frequency": panel.frequency.code,
    }
    if panel.covariates:
        future = panel.covariates.future
        data["past"] = dict(panel.covariates.past)
        data["future"] = dict(future.columns) | {"offsets": future.offsets}
        data["levels"] = {name: list(levels) for name, levels in future.levels.items()}
    return data


def _part(forecast: Forecast, shape: tuple[int, int]) -> Part:
    point = np.asarray(forecast.point, np.float64)
    quantiles = np.asarray(forecast.quantiles)
    by_cutoff = (*shape, *quantiles.shape[1:])
    fractional = getattr(forecast, "fractional", None)
    if fractional is not None:
        fractional = fractional.reshape(by_cutoff)
    return Part(
        point=point.reshape(*shape, *point.shape[1:]),
        quantiles=quantiles.reshape(by_cutoff),
        quantile_levels=forecast.quantile_levels,
        fractional=fractional,
    )


def _side_by_side(by_cutoff: list[Part]) -> Part:
    points, quantiles, quantile_levels, fractional = zip(*by_cutoff, strict=True)
    all_fractional = None
    if any(array is not None for array in fractional):
        earlier = [forecast.before_whole for forecast in by_cutoff]
        all_fractional = np.concatenate(earlier, axis=1)
    return Part(
        point=np.concatenate(points, axis=1),
        quantiles=np.concatenate(quantiles, axis=1),
        quantile_levels=quantile_levels[0],
        fractional=all_fractional,
    )


def require_shape(name: str, forecast: Forecast, shape: tuple[int, int]) -> None:
    """Raise ModelError unless the forecast has a row for each origin and a column for each step."""
    if forecast.point.shape != shape:
        raise ModelError(
            f"{name}: the forecast has shape {forecast.point.shape}; predict(panel, horizon, "
            f"cutoffs=counts) should return one row per origin and one column per step, {shape}."
        )


def copy_to_fit(model: Any) -> Any:
    """A copy of a model that can be fitted without changing it."""
    unfitted = getattr(model, "unfitted", None)
    return unfitted() if callable(unfitted) else copy.copy(model)


def _fitted(model: Any, panel: Panel, options: Mapping[str, Any]) -> Forecasts:
    fitted = copy_to_fit(model).fit(panel, **options)
    if not callable(getattr(fitted, "predict", None)):
        raise ModelError(
            f"fit() gave {type(fitted).__name__}, but should return a fitted forecaster with a "
            "method predict."
        )
    return fitted


def cutoff_times(panel: Panel, counts: np.ndarray) -> np.ndarray:
    """The last known time of each origin (S, K); the time before the first one if nothing is
    known."""
    return panel.frequency.advance(panel.starts[:, None], counts - 1)
