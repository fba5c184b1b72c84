"""How an example is run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer


@dataclass(frozen=True)
class ExampleOptions:
    """What an example learns from, how it is run, and where its results go."""

    data: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Your own series, through the same system."),
    ] = None
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            "--target",
            metavar="COLUMN",
            help="Column of the data to learn from; repeat for several.",
        ),
    ] = None
    time: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Column of the data with the times; 'index' numbers the rows."
        ),
    ] = None
    faithful: Annotated[
        bool,
        typer.Option(
            "--faithful", help="With the article's own sizes, optimiser, epochs and initialisers."
        ),
    ] = False
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where results go; lstmcast-NAME unless given."),
    ] = None
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.")] = 0
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", help="Run N times, with N seeds: medians and their range."),
    ] = None
    epochs: Annotated[
        int | None,
        typer.Option(metavar="N", help="Maximum number of epochs, instead of the example's own."),
    ] = None
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where to train.")] = "cpu"
    labels: Annotated[str | None, typer.Option(hidden=True)] = None
