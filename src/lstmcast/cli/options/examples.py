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
        typer.Option(
            metavar="FILE", help="Your own series instead of those of the example."
        ),
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
            metavar="COLUMN",
            help="Column of the data with the times; 'index' numbers the rows.",
        ),
    ] = None
    faithful: Annotated[
        bool,
        typer.Option(
            "--faithful",
            help="Use the sizes, optimiser, epochs and initialisers of the article.",
        ),
    ] = False
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for results (default: lstmcast-NAME)."
        ),
    ] = None
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.")] = 0
    seeds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Run N times with different seeds, and report medians and ranges.",
        ),
    ] = None
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Maximum number of epochs, instead of that of the example.",
        ),
    ] = None
    device: Annotated[
        str, typer.Option(metavar="cpu|cuda", help="Device to train on.")
    ] = "cpu"
    labels: Annotated[str | None, typer.Option(hidden=True)] = None
