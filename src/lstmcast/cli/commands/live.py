"""The commands `anomalies`, `stream`, `serve` and `mcp`."""

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
from lstmcast.cli.starting import all_loaded
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.jobs import Source

EachHorizon = Annotated[
    int,
    typer.Option(
        "--horizon",
        "-H",
        metavar="N",
        help="Number of steps to forecast each time.",
    ),
]
StateFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=named,
        help="Folder where the state is saved, and resumed from at the next start.",
    ),
]
SaveEvery = Annotated[
    int, typer.Option(metavar="N", help="Save the state after every N lines.")
]


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
    """Find anomalies: values that differ from their forecasts.

    Each value is compared with its forecast from earlier values and scored from 0 to 1. Values
    whose errors are as rare as --rate raise alerts.
    """
    from lstmcast.jobs import AnomalyJob

    all_loaded()
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
    horizon: EachHorizon = 1,
    state: StateFolder = None,
    save_every: SaveEvery = 100,
) -> None:
    """Forecast data from standard input, line by line.

    Input is CSV with a header, or JSON objects. For each series of a line, a JSON line with its
    forecast is written at once. An invalid line gets an error as answer and changes nothing.
    """
    from lstmcast.cli import piping
    from lstmcast.data.origins import checked_horizon
    from lstmcast.store import check_place
    from lstmcast.streaming.pipe import Pipe, Place

    checked_horizon(horizon)
    if save_every < 1:
        raise UsageError(
            f"--save-every {save_every} is invalid: the number of lines must be at least 1."
        )
    if state is None and save_every != 100:
        raise UsageError(
            "--save-every sets how often --state is saved. Give --state DIR too."
        )
    if state is not None:
        check_place(state)  # before the first line arrives
    late = lines.late_ticks()
    opened, clocks = piping.opened(model, state, horizon, lines)
    place = None if state is None else Place(state, save_every)
    pipe = Pipe(opened, horizon, lines.naming(), clocks, place, late)
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
            help="A saved model with a name; repeat for several. The shipped network is always "
            "served.",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Forecast over HTTP.

    Forecasts tables and histories with the shipped network or saved models, and reads streams tick
    by tick. A web page is at /, the API description at /openapi.json. Ctrl-C stops the server and
    saves its streams.
    """
    from lstmcast.server.run import require_server, serve

    require_server()
    settings = serving.settings(model or ())
    if serving.open_to_all:
        echo.note(
            False,
            "warning: anyone who can reach this address may use the server, since no token is "
            "set. Set one with LSTMCAST_TOKEN.",
        )

    def ready(address: str) -> None:
        echo.note(quiet, f"serving at {address} (Ctrl-C stops it)")

    serve(settings, serving.host, serving.port, ready)


def mcp(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder whose files may be read.")
    ],
) -> None:
    """Offer forecasts to an assistant.

    An assistant starts this command and communicates with it by the Model Context Protocol over
    standard input and output. Its tools inspect the data in the folder, forecast, backtest, and
    find anomalies. No files are written.
    """
    from lstmcast.server.mcp import Assistant, run
    from lstmcast.server.tools import Tools

    if not folder.is_dir():
        raise UsageError(
            f"{str(folder)!r} is not a folder. Name the one that holds the data."
        )
    run(Assistant(Tools(folder)), sys.stdin.buffer, sys.stdout)
