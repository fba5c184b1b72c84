"""The command line: one command = parse, call the public API, print.

Results go to standard output or the named files; notes go to standard error. Exit status: 0 done, 1
the data, the model or a place for results cannot be used, 2 wrong usage. Everything but typer is
imported where it is used, so that `lstmcast --help` answers at once.
"""

from __future__ import annotations

import codecs
import errno
import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lstmcast._version import __version__
from lstmcast.cli.options import (
    Data,
    Folder,
    Horizon,
    Json,
    Output,
    Quiet,
    Reading,
    Refitting,
    Testing,
    Training,
    check_place,
    named,
    with_groups,
)
from lstmcast.errors import DataError, LstmcastError, UsageError

if TYPE_CHECKING:
    from lstmcast.cli.options import Written
    from lstmcast.data.inspection import Inspection
    from lstmcast.data.panel import Findings, Panel
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.evaluation.refitting import Progress
    from lstmcast.forecast import Forecast
    from lstmcast.forecaster import LSTMForecaster

HELD_BACK = (
    "The same values chose the best epoch and the width of the intervals: errors here are a little "
    "too small, and the coverage is no test. `lstmcast backtest --refit once` measures both on "
    "values that decided nothing."
)

app = typer.Typer(
    name="lstmcast",
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
    return app.command()(with_groups(function))


# ---------------------------------------------------------------- the commands


@command
def forecast(
    context: typer.Context,
    data: Data,
    horizon: Horizon,
    reading: Reading,
    testing: Testing,
    output: Output,
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
) -> None:
    """Read, check, test, forecast, write.

    Says what was read, how accurate forecasts at held-out cutoffs were beside simple ones, and what
    comes next.
    """
    from lstmcast import store
    from lstmcast.data.origins import checked_horizon

    checked_horizon(horizon)
    output.check(data)
    if report is not None:
        check_place(report, (".html",), data)
    if save is not None:
        store.check_place(save)
    model = _model(horizon, output.quantile_levels())
    panel = _read(data, reading, quiet)
    output.check_rows(len(panel) * horizon)
    tested = _tested(model, panel, testing)
    result = model.predict(panel)
    silent = _without_forecast(result, panel)
    written = output.write(result, panel, tested)
    if report is not None:
        from lstmcast.output.report import Report

        page = Report.from_forecast(result, panel, tested, model=model, made_by=context.obj)
        written.files.append(str(page.save(report)))
    if save is not None:
        model.save(save, panel)
        written.files.append(str(save))
    if as_json:
        _print_json(
            {
                "data": _described(panel),
                "findings": _rows(panel.check()),
                "accuracy": _parsed(tested),
                "forecast": _parsed(result),
                "without_forecast": silent,
                "files": written.files,
            }
        )
    else:
        _print_forecast(result, tested, written, quiet)


@command
def fit(
    context: typer.Context,
    data: Data,
    horizon: Horizon,
    model: Annotated[
        Path,
        typer.Option(
            "--model", "-m", metavar="DIR", parser=named, help="Where the trained model goes."
        ),
    ],
    reading: Reading,
    training: Training,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a training that was interrupted.")
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the learning curve as .png, .svg or .pdf."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write training, accuracy and forecast as one page, .html."
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train a network on the data, or fine-tune the shipped one.

    The end of each series is held back: it says which epoch was the best, and how accurate the
    model is there. A training that was stopped, however it was, goes on with --resume.
    """
    from lstmcast import store
    from lstmcast.data.origins import checked_horizon
    from lstmcast.training_config import require_torch

    checked_horizon(horizon)
    store.check_place(model)
    for path, endings in ((plot, (".png", ".svg", ".pdf")), (report, (".html",))):
        if path is not None:
            check_place(path, endings, data)
    forecaster = _model(horizon, training=training)
    require_torch()
    from lstmcast.training import checkpoint

    # by whatever name: links, and parts of the path that have none
    place = Path(os.path.realpath(model))
    checkpoints = place.with_name(f"{place.name}.checkpoints")
    checkpoint.require_unclaimed(checkpoints)
    panel = _read(data, reading, quiet)
    fitted = _fitted(forecaster, panel, training, checkpoints, resume, quiet)
    assert fitted.learned is not None
    interrupted = fitted.learned.interrupted
    fitted.save(model)
    if not interrupted:
        checkpoint.discard(checkpoints)
    tested = _tested_where_held_back(fitted, panel)
    files = [str(model)]
    if plot is not None:
        from lstmcast.output.learning_curve import LearningCurve

        files.append(str(LearningCurve.from_history(fitted.history).save(plot)))
    if report is not None:
        from lstmcast.output.report import Report

        page = Report.from_forecast(
            fitted.predict(), panel, tested, model=fitted, made_by=context.obj
        )
        files.append(str(page.save(report)))
    if as_json:
        history = fitted.history.to_json()
        _print_json(
            {
                "data": _described(panel),
                "training": history,
                "notes": list(fitted.learned.notes),
                "accuracy": _parsed(tested),
                "files": files,
            }
        )
    else:
        typer.echo(f"{fitted.history}\n")
        if tested is not None:
            typer.echo(str(tested.summary()))
        _say(
            quiet,
            *(f"  note:    {note}" for note in fitted.learned.notes),
            "written: " + ", ".join(files),
        )
    if interrupted:
        goes_on = "The same command with --resume goes on."
        first = "No epoch was done that --resume could go on from."
        _note(f"lstmcast: stopped. {goes_on if checkpoint.kept_in(checkpoints) else first}")
        raise typer.Exit(130)


def _fitted(
    forecaster: LSTMForecaster,
    panel: Panel,
    training: Training,
    folder: Path,
    resume: bool,
    quiet: bool,
) -> LSTMForecaster:
    from lstmcast.training.callbacks import ProgressLine
    from lstmcast.training.checkpoint import kept_in

    callbacks = [] if quiet else [ProgressLine()]
    kept = kept_in(folder)
    if kept and not resume:
        _say(
            quiet,
            f"  note:    an interrupted training in {folder} is started again; --resume would have "
            "gone on",
        )
    if resume and not kept:  # said however quiet: what was asked for is not done
        _note(
            f"  note:    there is no interrupted training in {folder}: it starts at the beginning"
        )
    return forecaster.fit(
        panel, folder=folder, resume=resume, callbacks=callbacks, **training.hardware()
    )


def _tested_where_held_back(fitted: LSTMForecaster, panel: Panel) -> Backtest | None:
    """The accuracy on the part that was held back, beside the baselines; None where that is
    nothing."""
    from lstmcast.evaluation.backtest import backtest

    ends = fitted.held_back_from(panel)
    if ends is None:
        return None
    tested = backtest(fitted, panel, cutoffs=ends[:, None], refit="never")
    return replace(tested, notes=(*tested.notes, *([] if tested.reason else [HELD_BACK])))


@command
def check(data: Data, reading: Reading, as_json: Json = False) -> None:
    """What is in the data, and what is wrong.

    Each finding says where, what, and what will be done about it or what to do.
    """
    from lstmcast.data.inspection import inspect

    found = inspect(_source(data), reading.options(), **reading.columns())
    if as_json:
        described = {
            "source": found.table.source,
            "rows": len(found.table),
            "usable": found.panel is not None,
        }
        _print_json(
            {
                "data": _described(found.panel) if found.panel else described,
                "findings": _rows(found.findings),
            }
        )
    else:
        _print_findings(found)
    if found.findings.errors:
        raise typer.Exit(1)


@command
def backtest(
    data: Data,
    horizon: Horizon,
    reading: Reading,
    testing: Testing,
    refitting: Refitting,
    training: Training,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the held-out forecasts as .csv, .parquet or .xlsx."
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Measure accuracy at earlier cutoffs.

    Forecasts the end of the data from earlier points and compares with what came, and with simple
    forecasts. The network is used as it is, or with --refit trained on what was known at the first
    cutoff, or at each.
    """
    from lstmcast.data.origins import checked_horizon
    from lstmcast.writing.tables import write_table

    checked_horizon(horizon)
    if testing.cutoffs == 0:
        raise UsageError("--cutoffs 0 leaves nothing to compare. Give 1 or more.")
    refitting.require_use_of(training)
    Output(out=out).check(data)
    model = _model(horizon, training=training)
    panel = _read(data, reading, quiet)
    tested = _tested(model, panel, testing, (refitting, training), quiet)
    assert tested is not None
    if out is not None and not tested.reason:
        write_table(tested.held_out(), out)
    if as_json:
        findings = _rows(panel.check())
        _print_json({"data": _described(panel), "findings": findings, "accuracy": _parsed(tested)})
    else:
        typer.echo(str(tested.summary()))
        if out is not None and not quiet:
            _note(f"nothing written: {tested.reason}" if tested.reason else f"written: {out}")
    if tested.reason:
        raise typer.Exit(1)


@command
def predict(
    model: Annotated[
        Path,
        typer.Option(
            "--model", "-m", metavar="DIR", help="A model saved by `fit` or `forecast --save`."
        ),
    ],
    reading: Reading,
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
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Forecast with a saved model.

    Newer data are read as the saved ones were. The forecast goes on from where the model stopped,
    if they join, across a few missing steps too; it starts afresh if not.
    """
    from lstmcast.cli import console
    from lstmcast.data.origins import checked_horizon
    from lstmcast.forecaster import load

    if horizon is not None:
        checked_horizon(horizon)
    reading.require_use_by(data)
    output.check(data or ())
    saved = load(model, quantiles=output.quantile_levels() or None)
    assert saved.saved_context is not None  # a loaded model remembers its data
    panel, newer, joined = saved.saved_context.panel, None, None
    if data:
        from lstmcast.data.newer import read_newer

        newer = read_newer(
            _source(data), panel, reading.options(), **reading.columns(), said=reading.said()
        )
        _say(quiet, console.panel_line(newer))
        joined = saved.continued(newer)
        # what is too short alone may not be when joined: findings are those of the whole
        panel = joined.panel
        if not quiet:
            _say(
                quiet,
                *console.finding_lines(panel.check(), console.MOST_FINDINGS),
                f"  note:    {joined}",
            )
    output.check_rows(len(panel) * (horizon or saved.horizon))
    result = saved.predict(joined, horizon)
    silent = _without_forecast(result, panel)
    written = output.write(result, panel, None)
    if as_json:
        whole = {
            name: value
            for name, value in _described(panel).items()
            if name not in ("source", "rows")
        }
        _print_json(
            {
                "model": str(model),
                "data": _described(newer) if newer else None,
                "panel": whole,
                "continued": joined.as_dict() if joined else None,
                "findings": _rows(panel.check()),
                "forecast": _parsed(result),
                "without_forecast": silent,
                "files": written.files,
            }
        )
    else:
        _print_forecast(result, None, written, quiet)


@command
def info(folder: Folder, as_json: Json = False) -> None:
    """What is in a saved model."""
    from lstmcast.cli import console
    from lstmcast.store import OWN_KEYS, load

    manifest, _ = load(folder)  # arrays too: a damaged model should not look well
    if as_json:
        _print_json({"model": manifest})
        return
    size = sum(entry["bytes"] for entry in manifest["files"].values())
    typer.echo(
        f"{folder}: saved by lstmcast {manifest['package_version']}, {size / 1e6:.2f} MB of arrays"
    )
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
    faithful: Annotated[
        bool,
        typer.Option(
            "--faithful", help="With the article's own sizes, optimiser, epochs and initialisers."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where results go; lstmcast-NAME unless given."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of all that is drawn by chance.")] = 0,
    labels: Annotated[str, typer.Option(metavar="en|ja", help="Language of the pictures.")] = "en",
    quiet: Quiet = False,
) -> None:
    """Run the system of a published tutorial.

    Pictures, tables, log, measures and the trained model go to a folder. A run that was interrupted
    goes on.
    """
    from lstmcast import articles
    from lstmcast.cli import console

    if name != "all":
        found = articles.run(
            name, faithful=faithful, out=out, seed=seed, labels=labels, quiet=quiet
        )
        header, rows = articles.measured(found)
    else:
        header, rows = articles.compared(
            articles.run_all(faithful=faithful, out=out, seed=seed, labels=labels, quiet=quiet)
        )
    typer.echo(console.aligned(header, rows, left=header[:-2]))
    _say(quiet, f"written: {out or f'lstmcast-{name}'}")


def _print_findings(found: Inspection) -> None:
    from lstmcast.cli import console

    if found.panel is None:
        table = found.table
        typer.echo(
            f"{table.source}: {len(table):,} rows, {len(table.ids):,} series: cannot be used as it "
            "is"
        )
    else:
        typer.echo(console.panel_line(found.panel))
    typer.echo("\n".join(console.finding_lines(found.findings) or ["  nothing to report"]))


def _read(data: Sequence[str], reading: Reading, quiet: bool) -> Panel:
    from lstmcast.data.panel import panel_from_table

    options = reading.options()  # before the file is read: wrong usage should not wait for it
    from lstmcast.data.read import read_table

    panel = panel_from_table(
        read_table(_source(data), **reading.columns(), aggregate=options.aggregate), options
    )
    if not quiet:
        from lstmcast.cli import console

        _say(
            quiet,
            console.panel_line(panel),
            *console.finding_lines(panel.check(), console.MOST_FINDINGS),
        )
    return panel


def _say(quiet: bool, *lines: str) -> None:
    for line in () if quiet else lines:
        _note(line)


def _source(data: Sequence[str]) -> str | list[str]:
    return data[0] if len(data) == 1 else list(data)


def _model(
    horizon: int, quantiles: tuple[float, ...] = (), training: Training | None = None
) -> Any:
    from lstmcast.forecaster import LSTMForecaster

    if training is not None:
        return training.forecaster(horizon, quantiles)
    return LSTMForecaster(horizon, quantiles=quantiles) if quantiles else LSTMForecaster(horizon)


def _tested(
    model: Any,
    panel: Panel,
    testing: Testing,
    trained: tuple[Refitting, Training] | None = None,
    quiet: bool = True,
) -> Backtest | None:
    if testing.cutoffs == 0:
        return None
    from lstmcast.evaluation.backtest import backtest

    baselines = "classical" if testing.baselines == "classical" else True
    if trained is None:
        return backtest(model, panel, cutoffs=testing.cutoffs, baselines=baselines)
    refitting, training = trained
    trains = getattr(model, "needs_fit", False) or refitting.refit in ("once", "each")

    def told(part: Progress) -> None:
        _say(quiet or not trains, f"  {part.done} of {part.total}: {part.job}")

    return backtest(
        model,
        panel,
        cutoffs=testing.cutoffs,
        baselines=baselines,
        refit=refitting.chosen(),
        fit_options=training.hardware() if trains else None,
        workers=refitting.workers,
        folder=refitting.folder,
        progress=told,
    )


def _print_forecast(
    result: Forecast, tested: Backtest | None, written: Written, quiet: bool
) -> None:
    from lstmcast.cli import console

    if tested is not None:
        typer.echo(f"{tested.summary()}\n")
    typer.echo(console.forecast_table(result))
    if quiet:
        return
    for note in written.notes:
        _note(f"  note:    {note}")
    if written.files:
        _note("written: " + ", ".join(written.files))


def _without_forecast(result: Forecast, panel: Panel) -> list[str]:
    """The series without any forecast; DataError where that is all: blanks should not replace an
    older forecast."""
    silent = [
        str(name)
        for name, steps in zip(result.ids, result.point, strict=True)
        if (steps != steps).all()
    ]
    if len(silent) == len(result.ids):
        raise DataError(
            f"{panel.report.source}: no series has a forecast, as none has the known values that "
            "the model reads. Nothing was written. Give data with a longer history, or with fewer "
            "missing values at the end."
        )
    return silent


def _described(panel: Panel) -> dict[str, Any]:
    from lstmcast.data.table import format_time

    return {
        "source": panel.report.source,
        "rows": panel.report.rows,
        "series": len(panel),
        "values": len(panel.values),
        "frequency": panel.frequency.code,
        "periods": list(panel.periods),
        "start": format_time(panel.starts.min()),
        "end": format_time(panel.ends.max()),
    }


def _rows(findings: Findings) -> list[dict[str, Any]]:
    from dataclasses import asdict

    return [asdict(finding) for finding in findings]


def _parsed(result: Forecast | Backtest | None) -> Any:
    return None if result is None else json.loads(result.to_json())


def _print_json(document: dict[str, Any]) -> None:
    # JSON is UTF-8; what the system calls something else may be anything, and escapes are right
    # everywhere.
    readable = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    typer.echo(
        json.dumps({"lstmcast": __version__, **document}, ensure_ascii=not readable, indent=1)
    )


def _note(text: str) -> None:
    typer.echo(text, err=True)


# ---------------------------------------------------------------- around the commands


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"lstmcast {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 cannot be done (one message), 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        # a terminal that knows ASCII only should get escapes, not an error
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminated)
    sys.exit(_status(arguments))


def _terminated(number: int, _: object) -> NoReturn:
    """End as after an error, so that temporary files go: by itself Python would just stop."""
    sys.exit(128 + number)


def _status(arguments: Sequence[str] | None) -> int:
    try:
        status = _run(arguments)
        # a full disk behind a redirection shows here, not after the last line of Python
        sys.stdout.flush()
        return status
    except LstmcastError as error:
        return _fail(str(error), error.exit_status)
    except KeyboardInterrupt:
        return _fail("stopped. Nothing was left half-written.", 130)
    except MemoryError:
        return _fail(
            "there is not enough memory for this. Forecast fewer series at a time, or a shorter "
            "horizon."
        )
    except BrokenPipeError:
        return _silenced()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _fail("the disk is full. Make room and try again.")
        return _fail(f"the system refused: {error}")
    except Exception as error:
        if os.environ.get("LSTMCAST_DEBUG"):
            raise
        return _fail(
            f"a defect in lstmcast: {type(error).__name__}: {error}\n"
            "Please report it, with the command and what LSTMCAST_DEBUG=1 shows before it."
        )


def _run(arguments: Sequence[str] | None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    try:
        # the command, for reports
        app(arguments, prog_name="lstmcast", obj=shlex.join(["lstmcast", *given]))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0


def _fail(message: str, status: int = 1) -> int:
    _note(f"lstmcast: {message}")
    return status


def _silenced() -> int:
    """The reader of our output went away, as `head` does: no reason for a message, now or while
    Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
