"""The commands for what arrives or asks: `anomalies`, `stream`, `serve`, `mcp`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmcast.cli import echo
from lstmcast.cli.commands import parts
from lstmcast.cli.options.chunks import Chunks
from lstmcast.cli.options.common import (
    Data,
    Json,
    Quiet,
    Rate,
    SavedOrShipped,
    Workers,
    named,
    typed_options,
)
from lstmcast.cli.options.database import TableRows
from lstmcast.cli.options.live import LineOptions, Serving
from lstmcast.cli.options.output import Output
from lstmcast.cli.options.reading import ReadingOptions
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.jobs import Source


def anomalies(
    data: Data,
    reading: ReadingOptions,
    rows: TableRows,
    chunks: Chunks,
    rate: Rate = 0.001,
    model: SavedOrShipped = None,
    workers: Workers = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|TABLE@URL",
            help="Write the score of each value as .csv, .parquet, .xlsx, or into a table of a "
            "database.",
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Find values that are unlike what was expected.

    Each value is compared with what was forecast before it was known, and scored from 0 to 1. An
    alert is a value whose error is as rare as --rate asks.
    """
    from lstmcast.jobs import AnomalyJob

    if chunks.chunk is not None:
        source = reading.source(data)

        def make(first: Panel, source: Source) -> AnomalyJob:
            return AnomalyJob(source, model, rate)

        idle = typed_options(rows)
        parts.run(chunks.job(source, out, make, workers, idle), quiet, as_json)
        return
    chunks.require_chunks(workers)
    table = rows.place(out)
    Output(out=out).places(rows=rows).check(data)  # before anything else is found wrong
    job = AnomalyJob(reading.source(data), model, rate, table)
    echo.anomalies(job.run(echo.notes(quiet)), quiet, as_json)


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
            help="Keep the state there, and resume from it at the next start.",
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


def serve(
    serving: Serving,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME=DIR",
            help="A saved model, by a name of its own; repeat for several. The shipped network is "
            "served anyway.",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Forecast over HTTP.

    Forecasts tables and histories with the shipped network or saved models, and reads streams tick
    by tick. A page for browsers is at /, a list of all addresses at /openapi.json. Ctrl-C ends the
    server and saves its streams.
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
        raise UsageError(f"{str(folder)!r} is not a folder. Name the one that holds the data.")
    run(Assistant(Tools(folder)), sys.stdin.buffer, sys.stdout)
