"""Output of commands on standard output and standard error; the text comes from `console.py`.

Texts are translated here; the rest of the package writes English. JSON and names from the data are
not translated.
"""

from __future__ import annotations

import codecs
import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import typer

from lstmcast._version import __version__
from lstmcast.cli.manner import has_json_errors, has_log, log, words
from lstmcast.databases.address import hidden
from lstmcast.util.language import Spoken

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


def result(text: str) -> None:
    """Write a text to standard output, translated."""
    typer.echo(words()(text))


def spoken(stream: TextIO) -> Spoken:
    """A stream, such as that of a progress line, that translates."""
    return Spoken(stream, lambda text: words()(text))


def notes(quiet: bool) -> Notify:
    """Write the notes of a job to standard error."""
    from lstmcast.cli import console
    from lstmcast.jobs import Note

    def notify(event: Event) -> None:
        if has_log():
            log(*console.event_lines(event))
        if not quiet or (isinstance(event, Note) and event.urgent):
            for line in console.event_lines(event, words()):
                typer.echo(line, err=True)

    return notify


def note(quiet: bool, *lines: str) -> None:
    """Write lines to standard error, translated."""
    log(*lines)
    for line in () if quiet else lines:
        typer.echo(words()(line), err=True)


class Warnings(logging.Handler):
    """Warnings of the library, shown as notes even with --quiet."""

    def emit(self, record: logging.LogRecord) -> None:
        note(False, record.getMessage())


@contextmanager
def warnings() -> Iterator[None]:
    """Write warnings of the library, translated."""
    logger = logging.getLogger("lstmcast")
    handler = Warnings(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def failure(message: str, kind: str = "", status: int = 1) -> None:
    """Write the reason of a failure to standard error, and as JSON to standard output if
    requested."""
    message = hidden(message)
    log(f"error: {message}", f"exit status {status}")
    typer.echo(f"lstmcast: {words()(message)}", err=True)
    error_document(kind, message, status)


def error_document(kind: str, message: str, status: int) -> None:
    """The JSON document of a failed command, if JSON is requested."""
    if kind and has_json_errors():
        details = {"kind": kind, "message": message, "exit_status": status}
        document({"lstmcast": __version__, "error": details})


def document(entries: dict[str, Any]) -> None:
    """One JSON document on standard output."""
    # JSON is UTF-8; for other encodings, escapes are always correct.
    readable = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    typer.echo(json.dumps(entries, ensure_ascii=not readable, indent=1))


def skipped(panel: Panel | None) -> int:
    """List series that could not be read; returns the exit status, 3 if there are any."""
    series = {} if panel is None else panel.report.skipped
    for name, reason in series.items():
        log(f"  skipped: {name}: {reason}")
        # the reason by itself: it is a whole message
        typer.echo(f"  {words()('skipped')}: {name}: {words()(reason)}", err=True)
    return 3 if series else 0


def check(outcome: CheckResult, as_json: bool) -> None:
    """Write the contents of the data and the findings."""
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
    """Write the accuracy, if measured, the forecast and its files; or only the table, as CSV."""
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
            note(
                quiet,
                f"Accuracy on held-out data: {outcome.backtest.summary().verdict}",
            )
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
    """Write the long table to standard output, as in a file."""
    with tempfile.TemporaryDirectory(prefix="lstmcast-") as folder:
        path = table.write(f"{folder}/forecast.csv")
        typer.echo(path.read_text(encoding="utf-8"), nl=False)


def _accuracy(backtest: Backtest) -> None:
    """Write the tables, and how to use a better simple forecast."""
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
        typer.echo(
            "\n" + words()(f"--method {quoted} uses the {summary.better} forecast.")
        )


def backtest(
    outcome: BacktestResult, quiet: bool, as_json: bool, held_out: bool = False
) -> None:
    """Write the accuracy, and where held-out forecasts were written."""
    if as_json:
        document(outcome.document(held_out))
        return
    _accuracy(outcome.backtest)
    note(
        quiet,
        *outcome.written.notes,
        *(f"written: {file}" for file in outcome.written.files),
    )


def anomalies(outcome: AnomalyResult, quiet: bool, as_json: bool) -> None:
    """Write the alerts, and how many may be false."""
    if as_json:
        document(outcome.document())
        return
    _alerts(outcome.anomalies, quiet)
    note(quiet, *(f"written: {file}" for file in outcome.written.files))


def _alerts(scored: Anomalies, quiet: bool) -> None:
    """A table of alerts, and how many may be false."""
    from lstmcast.cli import console

    columns = scored.columns(only_alerts=True)
    rows = [
        [
            series,
            str(time).removesuffix("T00:00:00.000000"),
            f"{value:g}",
            f"{score:.5f}",
        ]
        for series, time, value, score in zip(
            columns["series"],
            columns["time"],
            columns["value"],
            columns["score"],
            strict=True,
        )
    ]
    if rows:
        header = [words()(name) for name in ("series", "time", "value", "score")]
        typer.echo(console.aligned(header, rows[:MOST_ALERTS], left_aligned=header[:2]))
    if len(rows) > MOST_ALERTS:
        hidden = len(rows) - MOST_ALERTS
        note(
            quiet,
            f"… {hidden} more alerts; lstmcast anomalies DATA --out FILE writes all",
        )
    typer.echo(words()(str(scored)))


def file_job(outcome: FileResult, quiet: bool, as_json: bool) -> None:
    """Write what a job did, in a few lines."""
    if as_json:
        document(outcome.document())
        return
    for condition in outcome.checks:
        note(
            quiet,
            f"check: {condition.name} = {condition.expected}: found {condition.found}",
        )
    if outcome.result is None:
        typer.echo(
            words()(f"{outcome.name}: everything is ready. Nothing was written.")
        )
        return
    forecast = outcome.result.forecast
    tested = outcome.result.backtest
    if tested is not None:
        typer.echo(words()(f"Accuracy on held-out data: {tested.summary().verdict}"))
    steps = f"{len(forecast.ids):,} series, {len(forecast):,} rows"
    typer.echo(words()(f"{outcome.name}: done. {steps}"))
    for text in outcome.written.notes:
        note(quiet, text)
    if outcome.written.files:
        note(quiet, "written: " + ", ".join(outcome.written.files))


def preset(outcome: PresetDone, quiet: bool, as_json: bool) -> None:
    """Write what a preset compared, the selected model, and its folder."""
    if as_json:
        document(outcome.document())
        return
    typer.echo(words()(str(outcome.result)))
    note(quiet, f"written: {outcome.folder}")


def tuned(outcome: TuneDone, quiet: bool, as_json: bool) -> None:
    """Write the result of a search, and its files."""
    if as_json:
        document(outcome.document())
        return
    typer.echo(outcome.result.text(words().language))
    note(quiet, f"written: {', '.join(outcome.files())}")


def importance(outcome: ImportanceResult, quiet: bool, as_json: bool) -> None:
    """Write how much a model depends on columns and lags."""
    if as_json:
        document(outcome.document())
        return
    typer.echo(outcome.importance.text(words().language))
    note(quiet, *outcome.written.notes)
    if outcome.written.files:
        note(quiet, f"written: {', '.join(outcome.written.files)}")


def fit(outcome: FitResult, quiet: bool, as_json: bool) -> None:
    """Write the training, the accuracy, and how to continue if it was interrupted."""
    from lstmcast.cli import console

    if as_json:
        document(outcome.document())
    else:
        typer.echo(words()(f"{outcome.model.history}\n"))
        if outcome.backtest is not None:
            columns = console.terminal_columns()
            typer.echo(outcome.backtest.summary().text(words().language, columns))
        note(
            quiet,
            *(
                console.note_line(text)
                for text in (*outcome.notes, *outcome.written.notes)
            ),
        )
        note(quiet, "written: " + ", ".join(outcome.written.files))
    if outcome.interrupted:
        advice = "No epoch was finished, so --resume has nothing to continue from."
        if outcome.resumable:
            advice = "To continue, run the same command with --resume."
        failure(f"stopped. {advice}")
