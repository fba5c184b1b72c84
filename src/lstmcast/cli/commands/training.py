"""The commands that train and measure: `fit`, `backtest`, `example`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstmcast.cli import echo, manner
from lstmcast.cli.commands import common, parts
from lstmcast.cli.commands.common import (
    end,
    require_one_end,
    source_ahead,
    source_for_training,
)
from lstmcast.cli.options.chunks import Chunks
from lstmcast.cli.options.common import (
    Data,
    HeldOut,
    Horizon,
    Json,
    Masking,
    Method,
    Quiet,
    named,
)
from lstmcast.cli.options.database import TableRows
from lstmcast.cli.options.examples import ExampleOptions
from lstmcast.cli.options.fitting import Choosing, FitOutput
from lstmcast.cli.options.hierarchy import Reconciling
from lstmcast.cli.options.language import OLD_NAME, known_language
from lstmcast.cli.options.output import Output
from lstmcast.cli.options.reading import ReadingOptions
from lstmcast.cli.options.training import Refitting, Testing, Training
from lstmcast.cli.starting import all_loaded
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.forecaster import LSTMForecaster
    from lstmcast.jobs import BacktestJob, FitJob, PresetJob, Source
    from lstmcast.jobs.events import Notify

ModelFolder = Annotated[
    Path,
    typer.Option(
        "--model",
        "-m",
        metavar="DIR",
        parser=named,
        help="Folder for the trained model.",
    ),
]
HeldOutPlace = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|TABLE@URL",
        help="Write the held-out forecasts as .csv, .csv.gz, .parquet, .jsonl or .xlsx, or "
        "into a table of a database.",
    ),
]


def fit(
    context: typer.Context,
    data: Data,
    model: ModelFolder,
    reading: ReadingOptions,
    training: Training,
    run: FitOutput,
    choosing: Choosing,
    horizon: Horizon = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train a network on the data, or fine-tune the shipped one.

    The end of each series is held back to select the best epoch and to measure the accuracy.
    --resume continues an interrupted training, or one that ended with --keep-checkpoints, for more
    epochs or with newer data.
    """
    from lstmcast.jobs import FitJob, PresetJob, check_fit_places

    require_one_end(horizon)
    # before anything else is found wrong
    check_fit_places(model, run.plot, run.report, data)
    choosing.require_alone(training, run)
    lines = _progress(quiet)
    source = reading.source(data)
    if choosing.preset is not None:
        source, steps, notify = source_ahead(source, horizon, None, quiet)
        preset = PresetJob(source, steps, choosing.preset, model, training.seed, lines)
        _run_preset(preset, notify, quiet, as_json)
        return
    forecaster = choosing.forecaster(horizon)
    notify = echo.notes(quiet)
    if forecaster is None:
        source, steps, notify = _source(data, horizon, training, reading, quiet)
        forecaster = _forecaster(steps, training, reading)
    job = FitJob(
        forecaster,
        source,
        model,
        made_by=context.obj,
        language=manner.words().language,
        callbacks=lines,
        **run.settings(),
        **training.hardware(),
    )
    _run_fit(job, notify, quiet, as_json)


def _run_fit(job: FitJob, notify: Notify, quiet: bool, as_json: bool) -> None:
    outcome = job.run(notify)
    echo.fit(outcome, quiet, as_json)
    if outcome.interrupted:
        raise typer.Exit(130)
    end(echo.skipped(outcome.panel))


def _source(
    data: list[str],
    horizon: int | None,
    training: Training,
    reading: ReadingOptions,
    quiet: bool,
) -> tuple[Source, int, Notify]:
    """The data for a training, the number of steps to forecast, and where notes go."""
    source = reading.source(data)
    source = source_for_training(source, horizon, training, reading.past_names())
    return source_ahead(source, horizon, None, quiet)


def _progress(quiet: bool) -> list[Any]:
    """The progress display of a training."""
    from lstmcast.training.callbacks import ProgressLine

    if quiet:
        return []
    stream: Any = echo.spoken(sys.stderr)
    return [ProgressLine(stream)]


def _forecaster(
    horizon: int, training: Training, reading: ReadingOptions, method: str = "auto"
) -> LSTMForecaster:
    past = reading.past_names()
    static = reading.static_names()
    return common.forecaster_for(
        horizon, training=training, past=past, method=method, static=static
    )


def _run_preset(job: PresetJob, notify: Notify, quiet: bool, as_json: bool) -> None:
    outcome = job.run(notify)
    echo.preset(outcome, quiet, as_json)
    end(echo.skipped(outcome.panel))


# long because each option of the command is a parameter
def backtest(
    data: Data,
    reading: ReadingOptions,
    testing: Testing,
    refitting: Refitting,
    training: Training,
    rows: TableRows,
    reconciling: Reconciling,
    chunks: Chunks,
    horizon: Horizon = None,
    method: Method = "auto",
    outliers: Masking = None,
    out: HeldOutPlace = None,
    quiet: Quiet = False,
    as_json: Json = False,
    held_out: HeldOut = False,
) -> None:
    """Measure accuracy at earlier cutoffs.

    Forecasts the end of the data from earlier cutoffs, and compares the results with the actual
    values and with simple forecasts. The network is used as it is or, with --refit, trained on the
    data before the first or before each cutoff.
    """
    from lstmcast.jobs import BacktestJob

    all_loaded()
    require_one_end(horizon)
    if testing.cutoffs == 0:
        raise UsageError("--cutoffs must be at least 1 here, got 0.")
    tests = testing.cutoffs, testing.compared()
    if chunks.chunk is not None:
        unsupported = {"held-out": held_out, "outliers": outliers}
        idle = parts.idle_options([refitting], {}) + training.given()
        idle += parts.idle_options([reconciling, rows], unsupported)
        make = parts.backtests(horizon, method, *tests)
        job = chunks.job(reading.source(data), out, make, refitting.workers, idle)
        parts.run(job, quiet, as_json)
        return
    chunks.require_chunks(None)
    refitting.require_use_of(training)
    hierarchy = reconciling.asked()
    table = rows.place(out)
    Output(out=out).places(rows=rows).check(data)  # before anything else is found wrong
    reading, repairs = reading.repairs(outliers)
    source, steps, notify = _source(data, horizon, training, reading, quiet)
    forecaster = _forecaster(steps, training, reading, method)
    extras = {"table": table, "repairs": repairs, "hierarchy": hierarchy}
    settings = refitting.settings(training)
    job = BacktestJob(forecaster, source, *tests, **extras, **settings)
    _run_backtest(job, notify, quiet, as_json, held_out)


def _run_backtest(
    job: BacktestJob, notify: Notify, quiet: bool, as_json: bool, held_out: bool
) -> None:
    outcome = job.run(notify)
    echo.backtest(outcome, quiet, as_json, held_out)
    if outcome.backtest.reason:
        raise typer.Exit(1)
    end(echo.skipped(outcome.panel))


def example(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="airline, sine, beats, sine-cosine, stocks, temperature, or all.",
        ),
    ],
    run: ExampleOptions,
    quiet: Quiet = False,
) -> None:
    """Run the example of a published tutorial.

    Plots, tables, the log, the results and the trained model are written to a folder. An
    interrupted run can be resumed.
    """
    from lstmcast import articles
    from lstmcast.cli import console

    known_language(run.labels, OLD_NAME)
    words = manner.words()
    request = articles.Request(
        run.faithful, run.seed, run.seeds, run.epochs, run.device, words.language, quiet
    )._asdict()
    own_data = {"data": run.data, "column": run.column, "time": run.time}
    if name != "all":
        header, rows = articles.measured(
            articles.run(name, out=run.out, **own_data, **request)
        )
    elif any(value is not None for value in own_data.values()):
        raise UsageError(
            "--data, --column and --time are for a single example. Name it instead of 'all'."
        )
    else:
        header, rows = articles.compared(articles.run_all(out=run.out, **request))
    texts = [words(column) for column in header if column in articles.TEXTS]
    spoken = [[words(cell) for cell in row] for row in rows]
    typer.echo(console.aligned(list(map(words, header)), spoken, left_aligned=texts))
    echo.note(quiet, f"written: {run.out or f'lstmcast-{name}'}")
