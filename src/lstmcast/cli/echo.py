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
    timestamp = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    with contextlib.suppress(OSError):
        for line in lines:
            file.write(f"{timestamp} {words()(line).strip()}\n")
        file.flush()


def errors_as_json(is_wanted: bool) -> None:
    """Whether a command that fails puts a JSON document on standard output, as one that is done
    does."""
    _errors_as_json.set(is_wanted)


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
        details = {"kind": kind, "message": message, "exit_status": status}
        document({"lstmcast": __version__, "error": details})


def document(entries: dict[str, Any]) -> None:
    """One JSON document on standard output."""
    # JSON is UTF-8; what the system calls something else may be anything, and escapes are right
    # everywhere.
    readable = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    typer.echo(json.dumps(entries, ensure_ascii=not readable, indent=1))


def skipped(panel: Panel | None) -> int:
    """Series that could not be read, listed at the end; the exit status: 3 where there are some."""
    series = {} if panel is None else panel.report.skipped
    for name, reason in series.items():
        line = f"  skipped: {name}: {reason}"
        log(line)
        typer.echo(words()(line), err=True)
    return 3 if series else 0


def check(outcome: CheckResult, as_json: bool) -> None:
    """What is in the data, and what is wrong."""
    from lstmcast.cli import console

    if as_json:
        document(outcome.document())
    else:
        typer.echo(console.inspection(outcome.inspection, words()))
        if outcome.anomalies is not None:
            _alerts(outcome.anomalies, quiet=False)


def forecast(
    outcome: ForecastResult | PredictResult,
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

        if isinstance(outcome, ForecastResult):
            document(outcome.document(held_out))
        else:
            document(outcome.document())
        return
    if as_csv:
        _csv(outcome.forecast)
        if outcome.backtest is not None:
            note(quiet, f"Accuracy on held-out data: {outcome.backtest.summary().verdict}")
        if outcome.written.files:
            note(quiet, "written: " + ", ".join(outcome.written.files))
        return
    if outcome.backtest is not None:
        _accuracy(outcome.backtest)
        typer.echo("")
    if outcome.forecast.combination is not None and not quiet:
        typer.echo(words()(f"Made of: {outcome.forecast.combination}") + "\n")
    typer.echo(console.forecast_table(outcome.forecast, words()))
    if outcome.totals is not None:
        typer.echo("\n" + console.totals_table(outcome.totals, words()))
    scenarios = getattr(outcome, "scenarios", None)
    if scenarios is not None:
        typer.echo("\n" + console.scenarios_table(scenarios, words()))
    note(quiet, *(console.note_line(text) for text in outcome.written.notes))
    if outcome.written.files:
        note(quiet, "written: " + ", ".join(outcome.written.files))


def _csv(table: Forecast) -> None:
    """The long table on standard output, as a file of it would be."""
    with tempfile.TemporaryDirectory(prefix="lstmcast-") as folder:
        path = table.write(f"{folder}/forecast.csv")
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
        quoted = f'"{better}"' if " " in better else better
        typer.echo("\n" + words()(f"--method {quoted} gives the {summary.better} forecast."))


def backtest(outcome: BacktestResult, quiet: bool, as_json: bool, held_out: bool = False) -> None:
    """The accuracy, and whether the held-out forecasts were written."""
    if as_json:
        document(outcome.document(held_out))
        return
    _accuracy(outcome.backtest)
    note(quiet, *outcome.written.notes, *(f"written: {file}" for file in outcome.written.files))


def anomalies(outcome: AnomalyResult, quiet: bool, as_json: bool) -> None:
    """The alerts, and how many could be false."""
    if as_json:
        document(outcome.document())
        return
    _alerts(outcome.anomalies, quiet)
    note(quiet, *(f"written: {file}" for file in outcome.written.files))


def _alerts(scored: Anomalies, quiet: bool) -> None:
    """A table of alerts, and how many could be false."""
    from lstmcast.cli import console

    columns = scored.columns(only_alerts=True)
    rows = [
        [series, str(time).removesuffix("T00:00:00.000000"), f"{value:g}", f"{score:.5f}"]
        for series, time, value, score in zip(
            columns["series"], columns["time"], columns["value"], columns["score"], strict=True
        )
    ]
    if rows:
        header = [words()(name) for name in ("series", "time", "value", "score")]
        typer.echo(console.aligned(header, rows[:MOST_ALERTS], left_aligned=header[:2]))
    if len(rows) > MOST_ALERTS:
        hidden = len(rows) - MOST_ALERTS
        note(quiet, f"… {hidden} more alerts; lstmcast anomalies DATA --out FILE writes all")
    typer.echo(words()(str(scored)))


def file_job(outcome: FileResult, quiet: bool, as_json: bool) -> None:
    """What a job did, in a few lines."""
    if as_json:
        document(outcome.document())
        return
    for condition in outcome.checks:
        note(quiet, f"check: {condition.name} = {condition.expected}: found {condition.found}")
    if outcome.result is None:
        typer.echo(words()(f"{outcome.name}: everything is ready. Nothing was written."))
        return
    forecast, tested = outcome.result.forecast, outcome.result.backtest
    if tested is not None:
        typer.echo(words()(f"Accuracy on held-out data: {tested.summary().verdict}"))
    steps = f"{len(forecast.ids):,} series, {len(forecast):,} rows"
    typer.echo(words()(f"{outcome.name}: done. {steps}"))
    for text in outcome.written.notes:
        note(quiet, text)
    if outcome.written.files:
        note(quiet, "written: " + ", ".join(outcome.written.files))


def preset(outcome: PresetDone, quiet: bool, as_json: bool) -> None:
    """What a preset compared, what answers, and where it is."""
    if as_json:
        document(outcome.document())
        return
    typer.echo(words()(str(outcome.result)))
    note(quiet, f"written: {outcome.folder}")


def tuned(outcome: TuneDone, quiet: bool, as_json: bool) -> None:
    """What a search found, and where it is."""
    if as_json:
        document(outcome.document())
        return
    typer.echo(outcome.result.text(words().language))
    note(quiet, f"written: {', '.join(outcome.files())}")


def importance(outcome: ImportanceResult, quiet: bool, as_json: bool) -> None:
    """What a model owes to columns and lags."""
    if as_json:
        document(outcome.document())
        return
    typer.echo(outcome.importance.text(words().language))
    note(quiet, *outcome.written.notes)
    if outcome.written.files:
        note(quiet, f"written: {', '.join(outcome.written.files)}")


def fit(outcome: FitResult, quiet: bool, as_json: bool) -> None:
    """What happened in the training, the accuracy, and how an interrupted one continues."""
    from lstmcast.cli import console

    if as_json:
        document(outcome.document())
    else:
        typer.echo(words()(f"{outcome.model.history}\n"))
        if outcome.backtest is not None:
            columns = console.terminal_columns()
            typer.echo(outcome.backtest.summary().text(words().language, columns))
        note(quiet, *(console.note_line(text) for text in (*outcome.notes, *outcome.written.notes)))
        note(quiet, "written: " + ", ".join(outcome.written.files))
    if outcome.interrupted:
        advice = "No epoch was done that --resume could continue from."
        if outcome.resumable:
            advice = "The same command with --resume continues it."
        failure(f"stopped. {advice}")
