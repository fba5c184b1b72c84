"""Forecasts of past cutoffs by models that are fitted for them: once, at each cutoff anew, or
never.

A model that is fitted, and that then forecasts, is given the observations before the cutoff and
nothing else: what comes later cannot reach it. The k-th cutoffs of all series belong together and
are "the k-th cutoff".

Shapes: S series, K cutoffs, P cutoffs of one part, H horizon, Q quantile levels.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, get_args, runtime_checkable

import numpy as np

from lstmcast.data.origins import known_counts, origins_of
from lstmcast.data.panel import Panel
from lstmcast.data.table import format_time
from lstmcast.errors import LstmcastError, MissingExtraError, ModelError, UsageError
from lstmcast.evaluation.resuming import Finished, facts
from lstmcast.forecast import Forecast
from lstmcast.util.parallel import interruptible, spread

Refit = Literal["once", "each", "never"]
# options of fit that say where it runs: a backtest may continue elsewhere
HARDWARE = ("device", "threads")
OWN = ("folder", "resume")  # that belong to one training


class Forecasts(Protocol):
    """What can be tested: LSTMForecaster, every baseline, and whatever has this method."""

    def predict(
        self, panel: Panel, horizon: int | None = None, /, *, cutoffs: np.ndarray | None = None
    ) -> Forecast: ...


@runtime_checkable
class Trainable(Forecasts, Protocol):
    """What can be fitted: `fit` returns a fitted forecaster, itself or another one, and always
    starts from the configured weights.

    Backtests fit copies, so that the model itself stays as it is. Three attributes are optional.
    `needs_fit`: it cannot forecast before. `trained_ends`: {id: the last time of the series that it
    was trained on}, None where it was trained on none of the user's data. `unfitted()`: a copy to
    fit, without what the model was fitted to; `copy.copy` makes one otherwise.
    """

    def fit(self, panel: Panel, /) -> Forecasts: ...


class Part(NamedTuple):
    """Forecasts of one model at some of the cutoffs; NaN at origins that do not count."""

    point: np.ndarray  # (S, P, H)
    quantiles: np.ndarray  # (S, P, H, Q)
    quantile_levels: tuple[float, ...]


class BacktestJob(NamedTuple):
    """The smallest piece of a backtest that is done, and kept, as a whole."""

    model: str
    columns: tuple[int, ...]  # which of the K cutoffs

    def __str__(self) -> str:
        first, last = self.columns[0] + 1, self.columns[-1] + 1
        return f"{self.model}, " + (
            f"cutoff {first}" if first == last else f"cutoffs {first} to {last}"
        )


@dataclass(frozen=True)
class Progress:
    """How far a backtest is: what was just finished. `kept`: it was found finished in the
    folder."""

    done: int
    total: int
    job: BacktestJob
    kept: bool


@dataclass(frozen=True, eq=False)
class Plan:
    """All that the forecasts of a backtest depend on."""

    panel: Panel
    counts: np.ndarray  # (S, K) known observations; 0 where an origin does not count
    horizon: int
    models: Mapping[str, Forecasts]
    modes: Mapping[str, Refit]  # of each model
    options: Mapping[str, Any] = field(default_factory=dict)  # of the tested model's fit

    @property
    def tested(self) -> str:
        """The model that the others are compared with. (Of `models`, a process has those only
        that it fits.)"""
        return next(iter(self.modes))

    @property
    def asked(self) -> np.ndarray:
        """(S, K) like counts, with the end of the series where an origin does not count: every
        origin is forecast."""
        return np.where(self.counts > 0, self.counts, self.panel.lengths[:, None])

    @cached_property
    def informed(self) -> np.ndarray:
        """Which origins count and know a value: (S, K) bool."""
        known = known_counts(self.panel, origins_of(self.panel, self.asked)).reshape(
            self.counts.shape
        )
        return (self.counts > 0) & (known > 0)

    def jobs(self) -> list[BacktestJob]:
        """A model that is fitted at each cutoff has a job for each one; every other model has
        one job."""
        every = range(self.counts.shape[1])
        some = [k for k in every if self.informed[:, k].any()]
        apart = {
            "each": [(k,) for k in some],
            "once": [tuple(some)] if some else [],
            "never": [tuple(every)],
        }
        return [
            BacktestJob(label, columns)
            for label, mode in self.modes.items()
            for columns in apart[mode]
        ]

    def run(self, job: BacktestJob) -> Part:
        """Do a job. An error of the model is told with its cutoff."""
        model = self.models[job.model]
        if self.modes[job.model] == "never" or not isinstance(model, Trainable):
            forecast = model.predict(self.panel, self.horizon, cutoffs=self.asked)
            require_shape(job.model, forecast, (self.counts.size, self.horizon))
            return _part(forecast, self.counts.shape)
        with interruptible():
            with self._told(job.model, job.columns[0], "fitting for "):
                options = self.options if job.model == self.tested else {}
                fitted = _fitted(model, self.before(job.columns[0]), options)
            return _side_by_side([self._at(job.model, fitted, k) for k in job.columns])

    def before(self, k: int) -> Panel:
        """What is known at the k-th cutoff, of the series that have it."""
        chosen = self.informed[:, k]
        return self.panel.select(self.panel.ids[chosen]).until(self.counts[chosen, k])

    def _at(self, label: str, fitted: Forecasts, k: int) -> Part:
        with self._told(label, k):
            forecast = fitted.predict(self.before(k), self.horizon)
            require_shape(label, forecast, (int(self.informed[:, k].sum()), self.horizon))
        known = _part(forecast, (len(forecast.point), 1))
        point = np.full((len(self.panel), *known.point.shape[1:]), np.nan)
        quantiles = np.full((len(self.panel), *known.quantiles.shape[1:]), np.nan)
        point[self.informed[:, k]], quantiles[self.informed[:, k]] = known.point, known.quantiles
        return Part(point, quantiles, known.quantile_levels)

    @contextmanager
    def _told(self, label: str, k: int, doing: str = "") -> Iterator[None]:
        """An error in the block becomes one that says at which cutoff; its kind stays where it
        is one of ours."""
        try:
            yield
        except MissingExtraError:
            raise  # the same at every cutoff
        except Exception as error:
            ours = isinstance(error, LstmcastError)
            where = f"{label}, {doing}cutoff {k + 1} of {self.counts.shape[1]} ({self.times(k)})"
            text = str(error) if ours else f"{type(error).__name__}: {error}"
            raise (type(error) if ours else ModelError)(f"{where}: {text}") from error

    def times(self, k: int) -> str:
        """The last time that the k-th cutoff knows; from when to when where series differ."""
        times = _cutoff_times(self.panel, self.counts)[self.counts[:, k] > 0, k]
        first, last = format_time(times.min()), format_time(times.max())
        return first if first == last else f"{first} to {last}"

    def facts(self) -> dict[str, str]:
        """What tells this backtest from others, as texts."""
        from lstmcast._version import __version__

        panel = self.panel
        grid = {
            name: getattr(panel, name) for name in ("offsets", "ids", "starts", "periods", "kinds")
        }
        data = {"values": panel.values, **grid, "frequency": panel.frequency.code}
        if panel.covariates:
            data["past"] = dict(panel.covariates.past)
            future = panel.covariates.future
            data["future"] = dict(future.columns) | {"offsets": future.offsets}
            data["levels"] = {name: list(levels) for name, levels in future.levels.items()}
        own = {
            "version": __version__,
            "horizon": self.horizon,
            "cutoffs": self.counts,
            "data": data,
        }
        options = {name: value for name, value in self.options.items() if name not in HARDWARE}
        # What a model was fitted to before does not matter where it is fitted anew.
        models = {
            label: model if self.modes[label] == "never" else copy_to_fit(model)
            for label, model in self.models.items()
        }
        return facts(own | {"refit": self.modes, "models": models, "fit_options": options})

    def notes(self) -> tuple[str, ...]:
        """What has to be known of how the first model was fitted."""
        mode, columns = self.modes[self.tested], np.flatnonzero(self.informed.any(axis=0))
        if mode == "never" or not len(columns):
            return ()
        if mode == "each":
            cutoffs = f"{len(columns)} cutoffs"
            return (f"The model was fitted anew at each of {cutoffs}, on what precedes it.",)
        first = self.times(columns[0])
        said = f"The model was fitted once, on what precedes the first cutoff ({first})."
        later = self.informed.any(axis=1) & ~self.informed[:, columns[0]]
        if not later.any():
            return (said,)
        return (
            said,
            f"{later.sum()} of {len(later)} series have their first cutoff later: it was not "
            "fitted on them.",
        )


def modes_of(models: Mapping[str, Forecasts], refit: Refit | None) -> dict[str, Refit]:
    """How each model is fitted; the first is the one that is tested. UsageError where that cannot
    be.

    None: once where a model cannot forecast without, else never. Models to compare with follow, as
    far as they can be fitted.
    """
    if refit is not None and refit not in get_args(Refit):
        raise UsageError(f"{refit=} is not known. Use 'once', 'each' or 'never', or leave it out.")
    label, tested = next(iter(models.items()))
    if refit in ("once", "each") and not isinstance(tested, Trainable):
        raise UsageError(
            f"{refit=}: {label} has no method fit, so it cannot be fitted. Leave refit out."
        )
    if refit == "never" and _needs_fit(tested):
        raise UsageError(
            f"refit='never' uses {label} as it is, and it was not fitted. Fit it first, on what "
            "precedes the first cutoff, or leave refit out: then that is done for you."
        )
    return {name: _mode(model, refit) for name, model in models.items()}


def _mode(model: Forecasts, refit: Refit | None) -> Refit:
    if refit in (None, "never") or not isinstance(model, Trainable):
        return "once" if _needs_fit(model) else "never"
    return refit


def require_use_of(options: Mapping[str, Any], mode: Refit) -> None:
    """Raise a UsageError for options of fit that would have no effect, or that are of one
    training and no other."""
    if options and mode == "never":
        raise UsageError(
            f"fit_options, {', '.join(map(str, options))}, would have no effect, as nothing is "
            "fitted. Use refit='once' or refit='each' with them, or leave them out."
        )
    if wrong := [name for name in OWN if name in options]:
        raise UsageError(
            f"{wrong[0]!r} in fit_options: many trainings cannot share one folder of checkpoints. "
            "Use backtest(…, folder=…): what is finished is kept there, and an interrupted "
            "backtest continues."
        )


def _needs_fit(model: Forecasts) -> bool:
    return isinstance(model, Trainable) and bool(getattr(model, "needs_fit", False))


def require_unseen(plan: Plan) -> None:
    """Raise a UsageError where a model that is used as it is was trained on what comes after a
    cutoff."""
    times = _cutoff_times(plan.panel, plan.counts)
    for label, mode in plan.modes.items():
        ends = getattr(plan.models[label], "trained_ends", None)
        if mode != "never" or not ends:
            continue
        trained = np.array(
            [ends.get(str(name), times.min()) for name in plan.panel.ids], times.dtype
        )
        seen = np.argwhere((plan.counts > 0) & (times < trained[:, None]))
        if len(seen):
            series, k = seen[0]
            raise UsageError(
                f"series {str(plan.panel.ids[series])!r}: the cutoff "
                f"{format_time(times[series, k])} lies before {format_time(trained[series])}, the "
                f"end of what {label} was trained on: it has seen what it would forecast. Give "
                "later cutoffs, fit it on less, or have it fitted for the backtest: refit='once' "
                "or refit='each'."
            )


def forecasts_of(
    plan: Plan,
    workers: int | None = None,
    folder: str | Path | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> dict[str, Forecast]:
    """The forecasts of every model at every origin, by its name, as Plan says; see `backtest`
    for the arguments."""
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise UsageError(f"workers must be a whole number of at least 1, got {workers!r}.")
    finished = None if folder is None else Finished(folder, plan.facts())
    jobs, parts = plan.jobs(), {}
    kept = {
        job: part
        for job in jobs
        if finished is not None and (part := _load(finished, plan, job)) is not None
    }
    for job, part in kept.items():
        parts[job] = part
        _tell(progress, Progress(len(parts), len(jobs), job, True))
    with closing(_done(plan, [job for job in jobs if job not in kept], workers or 1)) as results:
        for job, part in results:
            parts[job] = part
            if finished is not None:
                arrays = {"point": part.point, "quantiles": part.quantiles}
                finished.keep(_name(plan, job), arrays, {"levels": list(part.quantile_levels)})
            _tell(progress, Progress(len(parts), len(jobs), job, False))
    return {
        label: _whole(plan, {job: part for job, part in parts.items() if job.model == label})
        for label in plan.models
    }


def _done(plan: Plan, jobs: list[BacktestJob], workers: int) -> Generator[tuple[BacktestJob, Part]]:
    """The results of the jobs: quick ones first and here, the fits here or in processes of their
    own."""
    fits = [job for job in jobs if plan.modes[job.model] != "never"]
    here = jobs if workers == 1 or len(fits) < 2 else [job for job in jobs if job not in fits]
    for job in sorted(here, key=fits.__contains__):
        yield job, plan.run(job)
    if here is not jobs:
        needed = {job.model: plan.models[job.model] for job in fits}
        with closing(spread(replace(plan, models=needed).run, fits, workers)) as results:
            yield from results


def _tell(progress: Callable[[Progress], object] | None, report: Progress) -> None:
    if progress is not None:
        progress(report)


def _name(plan: Plan, job: BacktestJob) -> str:
    model = f"model_{list(plan.models).index(job.model)}"
    return f"{model}_cutoff_{job.columns[0] + 1}" if plan.modes[job.model] == "each" else model


def _load(finished: Finished, plan: Plan, job: BacktestJob) -> Part | None:
    found = finished.part(_name(plan, job))
    return (
        None
        if found is None
        else Part(found[0]["point"], found[0]["quantiles"], tuple(found[1]["levels"]))
    )


def _whole(plan: Plan, parts: Mapping[BacktestJob, Part]) -> Forecast:
    """One forecast of all origins, series-major, from parts with some of the cutoffs."""
    quantile_levels = next((part.quantile_levels for part in parts.values()), ())
    shape = (*plan.counts.shape, plan.horizon)
    point, quantiles = np.full(shape, np.nan), np.full((*shape, len(quantile_levels)), np.nan)
    for job, part in parts.items():
        point[:, job.columns], quantiles[:, job.columns] = part.point, part.quantiles
    rows = (plan.counts.size, plan.horizon)
    origins = origins_of(plan.panel, plan.asked)
    return Forecast.at_origins(
        plan.panel, origins, point.reshape(rows), quantiles.reshape(*rows, -1), quantile_levels
    )


def _part(forecast: Forecast, shape: tuple[int, int]) -> Part:
    point = np.asarray(forecast.point, np.float64)
    rows = (shape[0], shape[1], point.shape[1])
    quantiles = np.asarray(forecast.quantiles)
    return Part(
        point.reshape(rows),
        quantiles.reshape(*rows[:2], *quantiles.shape[1:]),
        forecast.quantile_levels,
    )


def _side_by_side(parts: list[Part]) -> Part:
    points, quantiles, quantile_levels = zip(*parts, strict=True)
    return Part(
        np.concatenate(points, axis=1), np.concatenate(quantiles, axis=1), quantile_levels[0]
    )


def require_shape(name: str, forecast: Forecast, shape: tuple[int, int]) -> None:
    """Raise a ModelError unless the forecast has a row for each origin and a column for each
    step."""
    if forecast.point.shape != shape:
        raise ModelError(
            f"{name}: the forecast has shape {forecast.point.shape}; one row per origin and one "
            f"column per step, {shape}, are expected of predict(panel, horizon, cutoffs=counts)."
        )


def copy_to_fit(model: Any) -> Any:
    """A copy of a model, which may be fitted in place of it."""
    unfitted = getattr(model, "unfitted", None)
    return unfitted() if callable(unfitted) else copy.copy(model)


def _fitted(model: Any, panel: Panel, options: Mapping[str, Any]) -> Forecasts:
    fitted = copy_to_fit(model).fit(panel, **options)
    if not callable(getattr(fitted, "predict", None)):
        raise ModelError(
            f"fit() gave {type(fitted).__name__}: a fitted forecaster, with predict, is expected "
            "of it."
        )
    return fitted


def _cutoff_times(panel: Panel, counts: np.ndarray) -> np.ndarray:
    """The last known time of each origin, (S, K); that before the first where nothing counts."""
    return panel.frequency.advance(panel.starts[:, None], counts - 1)
