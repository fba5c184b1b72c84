"""What commands put on standard output, and on standard error; the text is made in `console.py`.

Here texts get the language of whoever reads them: the rest of the package writes English. JSON, and
names from the data, stay as they are.
"""

from __future__ import annotations

import codecs
import contextlib
import datetime
import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TextIO

import typer

from lstmcast._version import __version__
from lstmcast.databases.address import hidden
from lstmcast.util.files import checked_path, output_errors
from lstmcast.util.language import ENGLISH, Spoken, Words, words_of

if TYPE_CHECKING:
    from lstmcast.alerting import Anomalies
    from lstmcast.data.panel import Panel
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.forecast import Forecast
    from lstmcast.jobs import (
        AnomalyResult,
        BacktestResult,
        CheckResult,
        FitResult,
        ForecastResult,
        ImportanceResult,
        PredictResult,
        PresetDone,
        TuneDone,
    )
    from lstmcast.jobs.events import Event, Notify
    from lstmcast.jobs.filed import FileResult


MOST_ALERTS = 40  # that are shown
# The language of this process, or of this thread of one that runs several commands.
_words: ContextVar[Words] = ContextVar("words", default=ENGLISH)


# Where notes and errors go beside standard error, and whether errors are JSON on standard output.
_log: ContextVar[TextIO | None] = ContextVar("log", default=None)
_errors_as_json: ContextVar[bool] = ContextVar("errors as JSON", default=False)


@contextmanager
def logged(path: str | None) -> Iterator[None]:
    """Within the block, notes, warnings and errors are appended to a file too, with their time.

    OutputError where that cannot be written.
    """
    if path is None:
        yield
        return
    with output_errors(path):
        file = checked_path(path).open("a", encoding="utf-8", errors="backslashreplace")
    with file:
        token = _log.set(file)
        try:
            yield
        finally:
            _log.reset(token)


def log(*lines: str) -> None:
    """Lines for the log file, if there is one; a disk that is full ends no command."""
    file = _log.get()
    if file is None:
        return
    now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    with contextlib.suppress(OSError):
        for line in lines:
            file.write(f"{now} {words()(line).strip()}\n")
        file.flush()


def errors_as_json(wanted: bool) -> None:
    """Whether a command that fails puts a JSON document on standard output, as one that is done
    does."""
    _errors_as_json.set(wanted)


def speak(language: str) -> None:
    """Put out texts in this language from here on."""
    _words.set(words_of(language))


def words() -> Words:
    """The words of the language that texts are put out in."""
    return _words.get()


def result(text: str) -> None:
    """A text on standard output, in the language that is spoken."""
    typer.echo(words()(text))


def spoken(stream: TextIO) -> Spoken:
    """A stream, such as that of a progress line, in the language that is spoken."""
    return Spoken(stream, lambda text: words()(text))


def notes(quiet: bool) -> Notify:
    """What a job reports while it runs, on standard error."""
    from lstmcast.cli import console
    from lstmcast.jobs import Note

    def notify(event: Event) -> None:
        if _log.get() is not None:
            log(*console.event_lines(event))
        if not quiet or (isinstance(event, Note) and event.urgent):
            for line in console.event_lines(event, words()):
                typer.echo(line, err=True)

    return notify


def note(quiet: bool, *lines: str) -> None:
    """Lines on standard error, in the language that is spoken."""
    log(*lines)
    for line in () if quiet else lines:
        typer.echo(words()(line), err=True)


class Warnings(logging.Handler):
    """What the library warns of while a command runs, as a note that is never left out."""

    def emit(self, record: logging.LogRecord) -> None:
        note(False, record.getMessage())


@contextmanager
def warnings() -> Iterator[None]:
    """Put out what the library warns of in the language that is spoken."""
    logger, handler = logging.getLogger("lstmcast"), Warnings(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def failure(message: str, kind: str = "", status: int = 1) -> None:
    """Why a command ends before its end, on standard error; where JSON is wanted, as a document on
    standard output too."""
    message = hidden(message)
    log(f"error: {message}", f"exit status {status}")
    typer.echo(f"lstmcast: {words()(message)}", err=True)
    error_document(kind, message, status)


def error_document(kind: str, message: str, status: int) -> None:
    """The JSON document of a command that fails, where JSON is wanted."""
    if kind and _errors_as_json.get():
        told = {"kind": kind, "message": message, "exit_status": status}
        document({"lstmcast": __version__, "error": told})


def document(parts: dict[str, Any]) -> None:
    """One JSON document on standard output."""
    # JSON is UTF-8; what the system calls something else may be anything, and escapes are right
    # everywhere.
    readable = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    typer.echo(json.dumps(parts, ensure_ascii=not readable, indent=1))


def skipped(panel: Panel | None) -> int:
    """Series that could not be read, listed at the end; the exit status: 3 where there are some."""
    series = {} if panel is None else panel.report.skipped
    for name, reason in series.items():
        line = f"  skipped: {name}: {reason}"
        log(line)
        typer.echo(words()(line), err=True)
    return 3 if series else 0


def check(result: CheckResult, as_json: bool) -> None:
    """What is in the data, and what is wrong."""
    from lstmcast.cli import console

    if as_json:
        document(result.document())
    else:
        typer.echo(console.inspection(result.inspection, words()))
        if result.anomalies is not None:
            _alerts(result.anomalies, quiet=False)


def forecast(
    result: ForecastResult | PredictResult,
    quiet: bool,
    as_json: bool,
    as_csv: bool = False,
    held_out: bool = False,
) -> None:
    """The accuracy where it was measured, the forecast, and where it was written; or the table
    alone, as CSV."""
    from lstmcast.cli import console

    if as_json:
        from lstmcast.jobs import ForecastResult

        measured = isinstance(result, ForecastResult)
        document(result.document(held_out) if measured else result.document())
        return
    if as_csv:
        _csv(result.forecast)
        if result.backtest is not None:
            note(quiet, f"Accuracy on held-out data: {result.backtest.summary().verdict}")
        if result.written.files:
            note(quiet, "written: " + ", ".join(result.written.files))
        return
    if result.backtest is not None:
        _accuracy(result.backtest)
        typer.echo("")
    if result.forecast.combination is not None and not quiet:
        typer.echo(words()(f"Made of: {result.forecast.combination}") + "\n")
    typer.echo(console.forecast_table(result.forecast, words()))
    if result.totals is not None:
        typer.echo("\n" + console.totals_table(result.totals, words()))
    scenarios = getattr(result, "scenarios", None)
    if scenarios is not None:
        typer.echo("\n" + console.scenarios_table(scenarios, words()))
    note(quiet, *(console.note_line(text) for text in result.written.notes))
    if result.written.files:
        note(quiet, "written: " + ", ".join(result.written.files))


def _csv(result: Forecast) -> None:
    """The long table on standard output, as a file of it would be."""
    with tempfile.TemporaryDirectory(prefix="lstmcast-") as folder:
        path = result.write(f"{folder}/forecast.csv")
        typer.echo(path.read_text(encoding="utf-8"), nl=False)


def _accuracy(backtest: Backtest) -> None:
    """The tables, and how to have a simple forecast that was better."""
    from lstmcast.cli import console
    from lstmcast.evaluation.baselines import baseline_named

    summary = backtest.summary()
    typer.echo(summary.text(words().language, console.terminal_columns()))
    rows = backtest.level_rows()
    if rows:
        typer.echo("\n" + console.levels_table(rows, words()))
    if summary.better and baseline_named(summary.better):
        better = summary.better.replace("–", "-")  # as keyboards have it
        asked = f'"{better}"' if " " in better else better
        typer.echo("\n" + words()(f"--method {asked} gives the {summary.better} forecast."))


def backtest(result: BacktestResult, quiet: bool, as_json: bool, held_out: bool = False) -> None:
    """The accuracy, and whether the held-out forecasts were written."""
    if as_json:
        document(result.document(held_out))
        return
    _accuracy(result.backtest)
    note(quiet, *result.written.notes, *(f"written: {file}" for file in result.written.files))


def anomalies(result: AnomalyResult, quiet: bool, as_json: bool) -> None:
    """The alerts, and how many could be false."""
    if as_json:
        document(result.document())
        return
    _alerts(result.anomalies, quiet)
    note(quiet, *(f"written: {file}" for file in result.written.files))


def _alerts(found: Anomalies, quiet: bool) -> None:
    """A table of alerts, and how many could be false."""
    from lstmcast.cli import console

    columns = found.columns(only_alerts=True)
    rows = [
        [series, str(time).removesuffix("T00:00:00.000000"), f"{value:g}", f"{score:.5f}"]
        for series, time, value, score in zip(
            columns["series"], columns["time"], columns["value"], columns["score"], strict=True
        )
    ]
    if rows:
        header = [words()(name) for name in ("series", "time", "value", "score")]
        typer.echo(console.aligned(header, rows[:MOST_ALERTS], left=header[:2]))
    if len(rows) > MOST_ALERTS:
        more = len(rows) - MOST_ALERTS
        note(quiet, f"… {more} more alerts; lstmcast anomalies DATA --out FILE writes all")
    typer.echo(words()(str(found)))


def file_job(result: FileResult, quiet: bool, as_json: bool) -> None:
    """What a job did, in a few lines."""
    if as_json:
        document(result.document())
        return
    for one in result.checks:
        note(quiet, f"check: {one.name} = {one.expected}: found {one.found}")
    if result.result is None:
        typer.echo(words()(f"{result.name}: everything is ready. Nothing was written."))
        return
    forecast, tested = result.result.forecast, result.result.backtest
    if tested is not None:
        typer.echo(words()(f"Accuracy on held-out data: {tested.summary().verdict}"))
    steps = f"{len(forecast.ids):,} series, {len(forecast):,} rows"
    typer.echo(words()(f"{result.name}: done. {steps}"))
    for text in result.written.notes:
        note(quiet, text)
    if result.written.files:
        note(quiet, "written: " + ", ".join(result.written.files))


def preset(done: PresetDone, quiet: bool, as_json: bool) -> None:
    """What a preset compared, what answers, and where it is."""
    if as_json:
        document(done.document())
        return
    typer.echo(words()(str(done.result)))
    note(quiet, f"written: {done.folder}")


def tuned(done: TuneDone, quiet: bool, as_json: bool) -> None:
    """What a search found, and where it is."""
    if as_json:
        document(done.document())
        return
    typer.echo(done.result.text(words().language))
    note(quiet, f"written: {', '.join(done.files())}")


def importance(result: ImportanceResult, quiet: bool, as_json: bool) -> None:
    """What a model owes to columns and lags."""
    if as_json:
        document(result.document())
        return
    typer.echo(result.importance.text(words().language))
    note(quiet, *result.written.notes)
    if result.written.files:
        note(quiet, f"written: {', '.join(result.written.files)}")


def fit(result: FitResult, quiet: bool, as_json: bool) -> None:
    """What happened in the training, the accuracy, and how an interrupted one continues."""
    from lstmcast.cli import console

    if as_json:
        document(result.document())
    else:
        typer.echo(words()(f"{result.model.history}\n"))
        if result.backtest is not None:
            columns = console.terminal_columns()
            typer.echo(result.backtest.summary().text(words().language, columns))
        note(quiet, *(console.note_line(text) for text in (*result.notes, *result.written.notes)))
        note(quiet, "written: " + ", ".join(result.written.files))
    if result.interrupted:
        goes_on = "The same command with --resume continues it."
        first = "No epoch was done that --resume could continue from."
        failure(f"stopped. {goes_on if result.resumable else first}")
