"""What commands put on standard output, and on standard error; the text is made in `console.py`."""

from __future__ import annotations

import codecs
import json
import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from lstmcast.jobs import (
        BacktestResult,
        CheckResult,
        Event,
        FitResult,
        ForecastResult,
        Notify,
        PredictResult,
    )


def notes(quiet: bool) -> Notify:
    """What a job reports while it runs, on standard error."""
    from lstmcast.cli import console
    from lstmcast.jobs import Note

    def notify(event: Event) -> None:
        if not quiet or (isinstance(event, Note) and event.urgent):
            note(False, *console.event_lines(event))

    return notify


def note(quiet: bool, *lines: str) -> None:
    """Lines on standard error."""
    for line in () if quiet else lines:
        typer.echo(line, err=True)


def document(parts: dict[str, Any]) -> None:
    """One JSON document on standard output."""
    # JSON is UTF-8; what the system calls something else may be anything, and escapes are right
    # everywhere.
    readable = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    typer.echo(json.dumps(parts, ensure_ascii=not readable, indent=1))


def check(result: CheckResult, as_json: bool) -> None:
    """What is in the data, and what is wrong."""
    from lstmcast.cli import console

    if as_json:
        document(result.document())
    else:
        typer.echo(console.inspection(result.inspection))


def forecast(result: ForecastResult | PredictResult, quiet: bool, as_json: bool) -> None:
    """The accuracy where it was measured, the forecast, and where it was written."""
    from lstmcast.cli import console

    if as_json:
        document(result.document())
        return
    if result.backtest is not None:
        typer.echo(f"{result.backtest.summary()}\n")
    typer.echo(console.forecast_table(result.forecast))
    note(quiet, *(f"  note:    {text}" for text in result.written.notes))
    if result.written.files:
        note(quiet, "written: " + ", ".join(result.written.files))


def backtest(result: BacktestResult, quiet: bool, as_json: bool) -> None:
    """The accuracy, and whether the held-out forecasts were written."""
    if as_json:
        document(result.document())
        return
    typer.echo(str(result.backtest.summary()))
    note(quiet, *result.written.notes, *(f"written: {file}" for file in result.written.files))


def fit(result: FitResult, quiet: bool, as_json: bool) -> None:
    """What happened in the training, the accuracy, and how an interrupted one goes on."""
    if as_json:
        document(result.document())
    else:
        typer.echo(f"{result.model.history}\n")
        if result.backtest is not None:
            typer.echo(str(result.backtest.summary()))
        note(quiet, *(f"  note:    {text}" for text in result.notes))
        note(quiet, "written: " + ", ".join(result.written.files))
    if result.interrupted:
        goes_on = "The same command with --resume goes on."
        first = "No epoch was done that --resume could go on from."
        note(False, f"lstmcast: stopped. {goes_on if result.resumable else first}")
