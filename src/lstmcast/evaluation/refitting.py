"""Forecasts at past cutoffs by models that are fitted once, at each cutoff, or never.

Shapes: S series, K cutoffs, P cutoffs of one part, H horizon, Q quantile levels.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from lstmcast.data.origins import origins_of
from lstmcast.data.table import format_time
from lstmcast.errors import UsageError
from lstmcast.evaluation.plan import BacktestJob, Part, Plan, Trainable, cutoff_times
from lstmcast.evaluation.plan import Forecasts as Forecasts
from lstmcast.evaluation.plan import Refit as Refit
from lstmcast.evaluation.resuming import Finished
from lstmcast.forecast import Forecast
from lstmcast.util.parallel import spread
from lstmcast.util.spelling import did_you_mean

OWN = ("folder", "resume")  # options that belong to a single training


@dataclass(frozen=True)
class Progress:
    """Progress of a backtest: the part just finished. `kept`: whether it was read from the
    folder."""

    done: int
    total: int
    job: BacktestJob
    kept: bool


def modes_of(models: Mapping[str, Forecasts], refit: Refit | None) -> dict[str, Refit]:
    """How each model is fitted; the first one is the tested model. UsageError if that is
    impossible.

    None: once if a model cannot forecast otherwise, else never. The other models follow it, if they
    can be fitted.
    """
    if refit is not None and refit not in get_args(Refit):
        meant = did_you_mean(refit, ("once", "each", "never"))
        raise UsageError(
            f"{refit=} is not known.{meant} Use 'once', 'each' or 'never', or leave it out."
        )
    label, tested = next(iter(models.items()))
    if refit in ("once", "each") and not isinstance(tested, Trainable):
        raise UsageError(f"{refit=}: {label} has no method fit. Leave out refit.")
    if refit == "never" and _needs_fit(tested):
        raise UsageError(
            f"refit='never' uses {label} as it is, but it is not fitted. Fit it first on the data "
            "before the first cutoff, or leave out refit to have it fitted."
        )
    return {name: _mode(model, refit) for name, model in models.items()}


def _mode(model: Forecasts, refit: Refit | None) -> Refit:
    if refit in (None, "never") or not isinstance(model, Trainable):
        return "once" if _needs_fit(model) else "never"
    return refit


def require_use_of(options: Mapping[str, Any], mode: Refit) -> None:
    """Raise UsageError for options of fit that would have no effect, or that belong to a single
    training."""
    if options and mode == "never":
        raise UsageError(
            f"fit_options, {', '.join(map(str, options))}, would have no effect: nothing is "
            "fitted. Add refit='once' or refit='each', or leave them out."
        )
    for name in OWN:
        if name in options:
            raise UsageError(
                f"{name!r} in fit_options: several trainings cannot share a folder of "
                "checkpoints. Use backtest(…, folder=…), from which an interrupted backtest can "
                "be resumed."
            )


def _needs_fit(model: Forecasts) -> bool:
    return isinstance(model, Trainable) and bool(getattr(model, "needs_fit", False))


def require_unseen(plan: Plan) -> None:
    """Raise UsageError if a model that is used as it is was trained on values after a cutoff."""
    times = cutoff_times(plan.panel, plan.counts)
    for label, mode in plan.modes.items():
        ends = getattr(plan.models[label], "trained_ends", None)
        if mode != "never" or not ends:
            continue
        earliest = times.min()
        trained_until = [ends.get(str(name), earliest) for name in plan.panel.ids]
        trained_S = np.array(trained_until, times.dtype)
        is_seen = (plan.counts > 0) & (times < trained_S[:, None])
        if is_seen.any():
            series, column = np.argwhere(is_seen)[0]
            raise UsageError(
                f"series {str(plan.panel.ids[series])!r}: the cutoff "
                f"{format_time(times[series, column])} lies before "
                f"{format_time(trained_S[series])}, the end of the training data of {label}, "
                "which has seen the values to be forecast. Give later cutoffs, fit it on fewer "
                "data, or use refit='once' or refit='each'."
            )


def forecasts_of(
    plan: Plan,
    workers: int | None = None,
    folder: str | Path | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> dict[str, Forecast]:
    """The forecasts of every model at every origin, by name, following the plan; see `backtest`
    for the arguments."""
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise UsageError(
            f"workers must be a whole number of at least 1, got {workers!r}."
        )
    finished = None if folder is None else Finished(folder, plan.facts())
    jobs = plan.jobs()
    results = _stored(plan, jobs, finished)
    for count, job in enumerate(results, start=1):
        _tell(progress, Progress(count, len(jobs), job, True))
    open_jobs = [job for job in jobs if job not in results]
    with closing(_done(plan, open_jobs, workers or 1)) as computed:
        for job, partial_forecast in computed:
            results[job] = partial_forecast
            if finished is not None:
                _store(plan, job, partial_forecast, finished)
            _tell(progress, Progress(len(results), len(jobs), job, False))
    forecasts = {}
    for label in plan.models:
        of_model = {
            job: partial_forecast
            for job, partial_forecast in results.items()
            if job.model == label
        }
        forecasts[label] = _whole(plan, of_model)
    return forecasts


def _stored(
    plan: Plan, jobs: list[BacktestJob], finished: Finished | None
) -> dict[BacktestJob, Part]:
    """The results of jobs in the folder."""
    results: dict[BacktestJob, Part] = {}
    if finished is None:
        return results
    for job in jobs:
        stored = finished.part(_name(plan, job))
        if stored is not None:
            arrays, about = stored
            levels = tuple(about["levels"])
            fractional = arrays.get("fractional")
            results[job] = Part(
                arrays["point"], arrays["quantiles"], levels, fractional
            )
    return results


def _store(
    plan: Plan, job: BacktestJob, partial_forecast: Part, finished: Finished
) -> None:
    arrays = {"point": partial_forecast.point, "quantiles": partial_forecast.quantiles}
    if partial_forecast.fractional is not None:
        arrays["fractional"] = partial_forecast.fractional
    about = {"levels": list(partial_forecast.quantile_levels)}
    finished.keep(_name(plan, job), arrays, about)


def _done(
    plan: Plan, jobs: list[BacktestJob], workers: int
) -> Generator[tuple[BacktestJob, Part]]:
    """The results of the jobs: quick ones first and in this process, fits here or in worker
    processes."""
    fits = [job for job in jobs if plan.modes[job.model] != "never"]
    quick = [job for job in jobs if job not in fits]
    in_processes = workers > 1 and len(fits) > 1
    for job in quick:
        yield job, plan.run(job)
    if not in_processes:
        for job in fits:
            yield job, plan.run(job)
        return
    models = {job.model: plan.models[job.model] for job in fits}
    with closing(spread(replace(plan, models=models).run, fits, workers)) as results:
        yield from results


def _tell(progress: Callable[[Progress], object] | None, report: Progress) -> None:
    if progress is not None:
        progress(report)


def _name(plan: Plan, job: BacktestJob) -> str:
    model = f"model_{list(plan.models).index(job.model)}"
    return (
        f"{model}_cutoff_{job.columns[0] + 1}"
        if plan.modes[job.model] == "each"
        else model
    )


def _whole(plan: Plan, by_job: Mapping[BacktestJob, Part]) -> Forecast:
    """One forecast of all origins, series-major, from parts with some of the cutoffs."""
    quantile_levels: tuple[float, ...] = ()
    if by_job:
        quantile_levels = next(iter(by_job.values())).quantile_levels
    shape = (*plan.counts.shape, plan.horizon)
    point_SKH = np.full(shape, np.nan)
    quantiles_SKHQ = np.full((*shape, len(quantile_levels)), np.nan)
    before_SKHQ = quantiles_SKHQ.copy()
    for job, partial_forecast in by_job.items():
        point_SKH[:, job.columns] = partial_forecast.point
        quantiles_SKHQ[:, job.columns] = partial_forecast.quantiles
        before_SKHQ[:, job.columns] = partial_forecast.before_whole
    rows = (plan.counts.size, plan.horizon)
    forecast = Forecast.at_origins(
        plan.panel,
        origins_of(plan.panel, plan.asked),
        point_SKH.reshape(rows),
        quantiles_SKHQ.reshape(*rows, -1),
        quantile_levels,
    )
    if all(forecasts.fractional is None for forecasts in by_job.values()):
        return forecast
    return replace(forecast, fractional=before_SKHQ.reshape(*rows, -1))
