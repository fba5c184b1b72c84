"""The commands that forecast: `forecast`, `predict`, and `check` before them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstmcast.cli import echo
from lstmcast.cli.commands import common, parts
from lstmcast.cli.commands.common import end, require_one_end, source_ahead
from lstmcast.cli.options.chunks import Chunks
from lstmcast.cli.options.common import (
    Data,
    HeldOut,
    Horizon,
    Json,
    Method,
    Outlying,
    Quiet,
    Until,
    Workers,
    named,
)
from lstmcast.cli.options.database import TableRows
from lstmcast.cli.options.hierarchy import Reconciling
from lstmcast.cli.options.output import Output
from lstmcast.cli.options.reading import ReadingOptions, RepairingOptions
from lstmcast.cli.options.training import Testing
from lstmcast.cli.starting import all_loaded

if TYPE_CHECKING:
    from lstmcast.jobs import ForecastJob, Source

Scenarios = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Table with coming values of --future columns to compare; repeat for several; the "
        "first one is forecast.",
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a report as an .html page."),
]
Save = Annotated[
    Path | None,
    typer.Option(metavar="DIR", parser=named, help="Save the model for `predict`."),
]
Model = Annotated[
    Path,
    typer.Option(
        "--model",
        "-m",
        metavar="DIR",
        help="A model saved by `fit` or `forecast --save`.",
    ),
]
NewerData = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="DATA", help="Newer data (default: forecast from the saved data)."
    ),
]
OwnHorizon = Annotated[
    int | None,
    typer.Option(
        "--horizon",
        "-H",
        metavar="N",
        help="Number of steps to forecast (default: that of the model).",
    ),
]
Update = Annotated[
    bool,
    typer.Option(
        "--update",
        help="Save the model with the newer data, for the next run to continue from.",
    ),
]


def forecast(
    context: typer.Context,
    data: Data,
    reading: RepairingOptions,
    testing: Testing,
    output: Output,
    rows: TableRows,
    reconciling: Reconciling,
    chunks: Chunks,
    horizon: Horizon = None,
    until: Until = None,
    method: Method = "auto",
    outliers: Outlying = None,
    scenario: Scenarios = None,
    report: Report = None,
    save: Save = None,
    workers: Workers = None,
    quiet: Quiet = False,
    as_json: Json = False,
    held_out: HeldOut = False,
) -> None:
    """Check data, measure accuracy, and forecast.

    Reports what was read and compares the accuracy at held-out cutoffs with simple forecasts, then
    forecasts.
    """
    all_loaded()
    require_one_end(horizon, until)
    if chunks.chunk is not None:
        unsupported = {"outliers": outliers, "until": until, "scenario": scenario}
        unsupported |= {"report": report, "save": save}
        idle = parts.idle_options((output, testing, reconciling, rows), unsupported)
        make = parts.forecasts(horizon, output.quantile_levels(), method)
        job = chunks.job(reading.source(data), output.out, make, workers, idle)
        parts.run(job, quiet, as_json)
        return
    chunks.require_chunks(workers)
    output.require_one_text(as_json)
    hierarchy = reconciling.asked()
    outputs = output.places(report, save, context.obj, rows)
    outputs.check(data)  # before anything else is found wrong
    as_read, repairs = reading.repairs(outliers)
    source, steps, notify = source_ahead(as_read.source(data), horizon, until, quiet)
    model = common.forecaster_for(steps, output.quantile_levels(), method=method)
    options = (testing.cutoffs, testing.compared(), outputs, output.totals(), until)
    job = _job(model, source, options, scenario, hierarchy, repairs)
    outcome = job.run(notify)
    echo.forecast(outcome, quiet, as_json, output.to_screen, held_out)
    end(echo.skipped(outcome.panel))


def _job(
    model: Any,
    source: Source,
    options: tuple[int, Any, Any, Any, str | None],
    scenario: Sequence[Path] | None,
    hierarchy: Any,
    repairs: Any,
) -> ForecastJob:
    """The job of a command, whose modules are imported only now."""
    from lstmcast.jobs import ForecastJob

    scenarios = tuple(scenario or ())
    return ForecastJob(model, source, *options, scenarios, hierarchy, repairs)


def check(
    data: Data,
    reading: ReadingOptions,
    anomalies: Annotated[
        bool,
        typer.Option("--anomalies", help="Also look for anomalies."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what the data contain, and what is wrong with them.

    Each finding says what is wrong and where, and what will be done or what to do.
    """
    from lstmcast.jobs import CheckJob

    all_loaded()
    outcome = CheckJob(reading.source(data), anomalies).run()
    echo.check(outcome, as_json)
    if outcome.inspection.findings.errors:
        raise typer.Exit(1)


def predict(
    model: Model,
    reading: ReadingOptions,
    output: Output,
    rows: TableRows,
    data: NewerData = None,
    horizon: OwnHorizon = None,
    until: Until = None,
    method: Method = "auto",
    update: Update = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Forecast with a saved model.

    Newer data are read with the options of the saved data. If they continue the saved data,
    possibly after a short gap, the forecast uses both; otherwise only the newer data are used.
    """
    from lstmcast.jobs import PredictJob

    all_loaded()
    require_one_end(horizon, until)
    output.require_one_text(as_json)
    reading.require_use_by(data)
    outputs = output.places(rows=rows)
    outputs.check(data or ())  # before anything else is found wrong
    source = reading.source(data) if data else None
    own_method = None if method == "auto" else method  # else as it was saved
    levels = output.quantile_levels()
    totals = output.totals()
    settings = (
        horizon,
        levels,
        outputs,
        own_method,
        totals,
        until,
        update,
        reading.beside(),
    )
    outcome = PredictJob(model, source, *settings).run(echo.notes(quiet))
    echo.forecast(outcome, quiet, as_json, output.to_screen)
    end(echo.skipped(outcome.newer))
