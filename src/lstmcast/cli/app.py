"""The command line: one command = parse, run a job, print.

Results go to standard output or the named files; notes go to standard error. Exit status: 0 done, 1
the data, the model or a place for results cannot be used, 2 wrong usage. Everything but typer is
imported where it is used, so that `lstmcast --help` answers at once.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lstmcast._version import __version__
from lstmcast.cli import echo
from lstmcast.cli.help import Command, Group
from lstmcast.cli.options import (
    OLD_NAME,
    Data,
    ExampleOptions,
    FitOutput,
    Folder,
    HeldOut,
    Horizon,
    Json,
    Language,
    LineOptions,
    Method,
    Output,
    Quiet,
    Rate,
    ReadingOptions,
    Refitting,
    SavedOrShipped,
    Serving,
    Testing,
    Training,
    Until,
    known_language,
    language_of,
    log_file_of,
    named,
    with_groups,
)
from lstmcast.cli.status import failed, open_closed_streams, status_of, terminated
from lstmcast.errors import LstmcastError, UsageError
from lstmcast.util.language import LANGUAGES

if TYPE_CHECKING:
    from lstmcast.jobs import Event, Notify, Source

app = typer.Typer(
    name="lstmcast",
    cls=Group,
    help="From a messy CSV to a forecast that can be trusted. The network is already trained; "
    "nothing else is needed.",
    epilog="Example: lstmcast forecast airline.csv --horizon 12 --plot forecast.png --out "
    "forecast.csv",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help needs no further import and reads well in a pipe
    pretty_exceptions_enable=False,
)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Register a command under the name of its function."""
    return app.command(cls=Command)(with_groups(function))


# ---------------------------------------------------------------- the commands


@command
def forecast(
    context: typer.Context,
    data: Data,
    reading: ReadingOptions,
    testing: Testing,
    output: Output,
    horizon: Horizon = None,
    until: Until = None,
    method: Method = "auto",
    scenario: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Coming values to compare, as a table of --future columns; again for several, of "
            "which the first is forecast.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all of it as one page to hand on, .html."),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="DIR", parser=named, help="Save the model, ready for `predict`."),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
    held_out: HeldOut = False,
) -> None:
    """Read, check, test, forecast, write.

    Says what was read, how accurate forecasts at held-out cutoffs were beside simple ones, and what
    comes next.
    """
    from lstmcast.jobs import ForecastJob

    _require_one(horizon, until)
    output.require_one_text(as_json)
    outputs, totals = output.places(report, save, context.obj), output.totals()
    outputs.check(data)  # before anything else is found wrong
    source, steps, notify = _ahead(reading.source(data), horizon, until, quiet)
    job = ForecastJob(
        _model(steps, output.quantile_levels(), method=method),
        source,
        testing.cutoffs,
        testing.compared(),
        outputs,
        totals,
        until,
        tuple(scenario or ()),
    )
    result = job.run(notify)
    echo.forecast(result, quiet, as_json, output.to_screen, held_out)
    _end(echo.skipped(result.panel))


@command
def fit(
    context: typer.Context,
    data: Data,
    model: Annotated[
        Path,
        typer.Option(
            "--model", "-m", metavar="DIR", parser=named, help="Where the trained model goes."
        ),
    ],
    reading: ReadingOptions,
    training: Training,
    run: FitOutput,
    horizon: Horizon = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train a network on the data, or fine-tune the shipped one.

    The end of each series is held back: it says which epoch was the best, and how accurate the
    model is there. A training that was stopped, however it was, goes on with --resume, and so does
    one that ended with --keep-checkpoints: for more epochs, or with newer data.
    """
    from lstmcast.jobs import FitJob, check_fit_places
    from lstmcast.training.callbacks import ProgressLine

    _require_one(horizon)
    check_fit_places(model, run.plot, run.report, data)  # before anything else is found wrong
    told: Any = echo.Spoken(sys.stderr)
    past = reading.past_names()
    source = _for_training(reading.source(data), horizon, training, past)
    source, steps, notify = _ahead(source, horizon, None, quiet)
    job = FitJob(
        _model(steps, training=training, past=past),
        source,
        model,
        plot=run.plot,
        report=run.report,
        made_by=context.obj,
        language=echo.words().language,
        resume=run.resume,
        keep_checkpoints=run.keep_checkpoints,
        device=training.device,
        threads=training.threads,
        callbacks=[] if quiet else [ProgressLine(told)],
    )
    result = job.run(notify)
    echo.fit(result, quiet, as_json)
    if result.interrupted:
        raise typer.Exit(130)
    _end(echo.skipped(result.panel))


@command
def check(data: Data, reading: ReadingOptions, as_json: Json = False) -> None:
    """What is in the data, and what is wrong.

    Each finding says where, what, and what will be done about it or what to do.
    """
    from lstmcast.jobs import CheckJob

    result = CheckJob(reading.source(data)).run()
    echo.check(result, as_json)
    if result.inspection.findings.errors:
        raise typer.Exit(1)


@command
def backtest(
    data: Data,
    reading: ReadingOptions,
    testing: Testing,
    refitting: Refitting,
    training: Training,
    horizon: Horizon = None,
    method: Method = "auto",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the held-out forecasts as .csv, .csv.gz, .parquet, .jsonl or .xlsx.",
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
    held_out: HeldOut = False,
) -> None:
    """Measure accuracy at earlier cutoffs.

    Forecasts the end of the data from earlier points and compares with what came, and with simple
    forecasts. The network is used as it is, or with --refit trained on what was known at the first
    cutoff, or at each.
    """
    from lstmcast.jobs import BacktestJob

    _require_one(horizon)
    if testing.cutoffs == 0:
        raise UsageError("--cutoffs 0 leaves nothing to compare. Give 1 or more.")
    refitting.require_use_of(training)
    Output(out=out).places().check(data)  # before anything else is found wrong
    past = reading.past_names()
    source = _for_training(reading.source(data), horizon, training, past)
    source, steps, notify = _ahead(source, horizon, None, quiet)
    job = BacktestJob(
        _model(steps, training=training, past=past, method=method),
        source,
        testing.cutoffs,
        testing.compared(),
        refit=refitting.chosen(),
        fit_options=training.hardware(),
        workers=refitting.workers,
        folder=refitting.folder,
        table=out,
    )
    result = job.run(notify)
    echo.backtest(result, quiet, as_json, held_out)
    if result.backtest.reason:
        raise typer.Exit(1)
    _end(echo.skipped(result.panel))


@command
def predict(
    model: Annotated[
        Path,
        typer.Option(
            "--model", "-m", metavar="DIR", help="A model saved by `fit` or `forecast --save`."
        ),
    ],
    reading: ReadingOptions,
    output: Output,
    data: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DATA", help="Newer data; what the model has seen last unless given."
        ),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            "--horizon", "-H", metavar="N", help="How many steps; the model's own unless given."
        ),
    ] = None,
    until: Until = None,
    method: Method = "auto",
    update: Annotated[
        bool,
        typer.Option(
            "--update", help="Save the model with the newer data: the next run goes on from there."
        ),
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Forecast with a saved model.

    Newer data are read as the saved ones were. The forecast goes on from where the model stopped,
    if they join, across a few missing steps too; it starts afresh if not.
    """
    from lstmcast.jobs import PredictJob

    _require_one(horizon, until)
    output.require_one_text(as_json)
    reading.require_use_by(data)
    outputs = output.places()
    outputs.check(data or ())  # before anything else is found wrong
    source = reading.source(data) if data else None
    chosen = None if method == "auto" else method  # else as it was saved
    levels, totals = output.quantile_levels(), output.totals()
    how = horizon, levels, outputs, chosen, totals, until, update, reading.beside()
    result = PredictJob(model, source, *how).run(echo.notes(quiet))
    echo.forecast(result, quiet, as_json, output.to_screen)
    _end(echo.skipped(result.newer))


@command
def anomalies(
    data: Data,
    reading: ReadingOptions,
    rate: Rate = 0.001,
    model: SavedOrShipped = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the score of each value as .csv, .parquet, .xlsx."
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Which values are unlike what was expected of them.

    Each value is compared with what was forecast before it was known, and scored from 0 to 1. An
    alert is a value whose error would come by chance as seldom as the rate says.
    """
    from lstmcast.jobs import AnomalyJob

    Output(out=out).places().check(data)  # before anything else is found wrong
    job = AnomalyJob(reading.source(data), model, rate, out)
    echo.anomalies(job.run(echo.notes(quiet)), quiet, as_json)


@command
def stream(
    lines: LineOptions,
    model: SavedOrShipped = None,
    horizon: Annotated[
        int,
        typer.Option("--horizon", "-H", metavar="N", help="How many steps to forecast each time."),
    ] = 1,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=named,
            help="Keep the state there, and go on from it at the next start.",
        ),
    ] = None,
    save_every: Annotated[
        int, typer.Option(metavar="N", help="Save the state after every N lines.")
    ] = 100,
) -> None:
    """Forecast what arrives on standard input, line by line.

    CSV with a header or JSON objects go in; for each of their series a JSON line with its forecast
    comes out, at once. A line that cannot be used is answered with an error and changes nothing.
    """
    from lstmcast.cli import piping
    from lstmcast.data.origins import checked_horizon
    from lstmcast.store import check_place
    from lstmcast.streaming.pipe import Pipe, Place

    checked_horizon(horizon)
    if save_every < 1:
        raise UsageError(f"--save-every {save_every} is not a number of lines. Give 1 or more.")
    if state is None and save_every != 100:
        raise UsageError("--save-every says when --state is saved. Give --state DIR with it.")
    if state is not None:
        check_place(state)  # before the first line arrives
    opened, clocks = piping.opened(model, state, horizon, lines)
    place = None if state is None else Place(state, save_every)
    pipe = Pipe(opened, horizon, lines.naming(), clocks, place)
    status = piping.run(pipe, sys.stdin.buffer, sys.stdout)
    if status:
        raise typer.Exit(status)


@command
def serve(
    serving: Serving,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME=DIR",
            help="A saved model, by a name of its own; again for several. The shipped network is "
            "served anyway.",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Forecast over HTTP.

    Tables and histories are forecast by the shipped network or by saved models, streams read tick
    by tick; the addresses are listed at /openapi.json. Ctrl-C ends it, streams are saved then.
    """
    from lstmcast.server.run import require_server, serve

    require_server()
    settings = serving.settings(model or ())
    if serving.open_to_all:
        echo.note(
            False,
            "warning: everybody who reaches this address may ask the server, as there is no "
            "token. LSTMCAST_TOKEN sets one.",
        )

    def ready(address: str) -> None:
        echo.note(quiet, f"serving at {address} (Ctrl-C ends it)")

    serve(settings, serving.host, serving.port, ready)


@command
def mcp(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder whose files may be read.")
    ],
) -> None:
    """Offer forecasts to an assistant.

    An assistant starts this command and speaks the Model Context Protocol with it, over standard
    input and output: its tools look at the data of the folder, forecast, backtest, and find
    anomalies. Nothing is written.
    """
    from lstmcast.server.mcp import Assistant, run
    from lstmcast.server.tools import Tools

    if not folder.is_dir():
        raise UsageError(f"{str(folder)!r} is no folder. Name the one that holds the data.")
    run(Assistant(Tools(folder)), sys.stdin.buffer, sys.stdout)


@command
def info(folder: Folder, as_json: Json = False) -> None:
    """What is in a saved model."""
    from lstmcast.cli import console
    from lstmcast.store import OWN_KEYS, load

    manifest, _ = load(folder)  # arrays too: a damaged model should not look well
    if as_json:
        echo.document({"lstmcast": __version__, "model": manifest})
        return
    size = sum(entry["bytes"] for entry in manifest["files"].values())
    saved = f"saved by lstmcast {manifest['package_version']}, {size / 1e6:.2f} MB of arrays"
    echo.result(f"{folder}: {console.snapshot(manifest)}{saved}")
    # of a training that was not done
    hidden = OWN_KEYS if "trained" in manifest else (*OWN_KEYS, "training", "seed")
    described = {name: value for name, value in manifest.items() if name not in hidden}
    typer.echo("\n".join(console.tree(described)))


@command
def example(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="airline, sine, beats, sine-cosine, stocks, temperature, or all."
        ),
    ],
    run: ExampleOptions,
    quiet: Quiet = False,
) -> None:
    """Run the system of a published tutorial.

    Pictures, tables, log, measures and the trained model go to a folder. A run that was interrupted
    goes on.
    """
    from lstmcast import articles
    from lstmcast.cli import console

    known_language(run.labels, OLD_NAME)
    words = echo.words()
    asked = articles.Request(
        run.faithful, run.seed, run.seeds, run.epochs, run.device, words.language, quiet
    )._asdict()
    own = {"data": run.data, "column": run.column, "time": run.time}
    if name != "all":
        header, rows = articles.measured(articles.run(name, out=run.out, **own, **asked))
    elif any(given is not None for given in own.values()):
        raise UsageError(
            "--data, --column and --time are for one example. Name it instead of 'all'."
        )
    else:
        header, rows = articles.compared(articles.run_all(out=run.out, **asked))
    texts = [words(column) for column in header if column in articles.TEXTS]
    typer.echo(console.aligned(list(map(words, header)), rows, left=texts))
    echo.note(quiet, f"written: {run.out or f'lstmcast-{name}'}")


def _require_one(horizon: int | None, until: str | None = None) -> None:
    """UsageError for a horizon that is none, and where a date is given beside it."""
    from lstmcast.data.origins import checked_horizon

    if horizon is not None:
        checked_horizon(horizon)
        if until is not None:
            raise UsageError(
                f"--horizon {horizon} and --until {until} both say how far to forecast. Give one."
            )


def _ahead(
    source: Source, horizon: int | None, until: str | None, quiet: bool
) -> tuple[Source, int, Notify]:
    """The data, how many steps to forecast of them, and where notes go.

    Where the steps depend on the data, those are read here, once.
    """
    notify = echo.notes(quiet)
    if horizon is not None:
        return source, horizon, notify
    from lstmcast.data.ahead import horizon_note, one_season, steps_until
    from lstmcast.jobs import DataRead, Note

    panel = source.read()
    source = replace(source, data=panel)
    if until is not None:
        return source, steps_until(until, panel), notify

    def and_why(event: Event) -> None:
        notify(event)
        if isinstance(event, DataRead):
            notify(Note(horizon_note(panel)))

    return source, one_season(panel), and_why


def _for_training(
    source: Source, horizon: int | None, training: Training, past: Sequence[str]
) -> Source:
    """The data with the columns that the weights read, where they are read before the model is
    made."""
    return source if horizon is not None else source.of(_model(1, training=training, past=past))


def _end(status: int) -> None:
    """End with this status, where it is not that of a command that is done."""
    if status:
        raise typer.Exit(status)


def _model(
    horizon: int,
    quantiles: tuple[float, ...] = (),
    training: Training | None = None,
    past: Sequence[str] = (),
    method: str = "auto",
) -> Any:
    from lstmcast.forecaster import LSTMForecaster

    if training is not None:
        return training.forecaster(horizon, quantiles, past, method)
    levels: dict[str, Any] = {"quantiles": quantiles} if quantiles else {}
    return LSTMForecaster(horizon, method=method, **levels)


# ---------------------------------------------------------------- around the commands


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    language: Language = None,
) -> None:
    known_language(language)
    if version:
        typer.echo(f"lstmcast {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 cannot be done (one message), 2 wrong usage."""
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # a terminal that knows ASCII only should get escapes, not an error
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminated)
    sys.exit(status_of(lambda: _run(arguments)))


def _run(arguments: Sequence[str] | None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    language = language_of(given, os.environ, sys.stdout.encoding or "ascii")
    echo.speak(language if language in LANGUAGES else "en")
    if any(one.partition("=")[0] == OLD_NAME for one in given):
        echo.note(False, f"note: {OLD_NAME} is called --language now")
    echo.errors_as_json("--json" in given)
    with echo.logged(log_file_of(given)):
        echo.log(f"command: {shlex.join(['lstmcast', *given])}")
        return _told(arguments, given)


def _told(arguments: Sequence[str] | None, given: Sequence[str]) -> int:
    try:
        with echo.warnings():
            status = app(
                arguments,
                prog_name="lstmcast",
                obj=shlex.join(["lstmcast", *given]),  # the command, for reports
                standalone_mode=False,
            )
    except LstmcastError as error:
        # here, while the log file is open
        return failed(error)
    except Exception as error:
        return _misused(error)
    status = status if isinstance(status, int) else 0
    echo.log(f"exit status {status}")
    return status


def _misused(error: Exception) -> int:
    """Tell what the parser says of a command line that it does not understand; raises any other
    error again."""
    # The class of these errors has no name that all versions of typer have.
    if not hasattr(error, "show") or not hasattr(error, "exit_code"):
        raise error
    told = StringIO()
    error.show(file=told)  # pyright: ignore[reportAttributeAccessIssue]
    echo.error_document("UsageError", told.getvalue().strip(), error.exit_code)  # pyright: ignore[reportAttributeAccessIssue]
    echo.note(False, *told.getvalue().splitlines())
    return error.exit_code  # pyright: ignore[reportAttributeAccessIssue]
