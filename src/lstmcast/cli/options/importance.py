"""How it is measured what a model depends on, and where that goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer


@dataclass(frozen=True)
class Permuting:
    """Where, and how often, columns and lags are permuted."""

    horizon: Annotated[
        int | None,
        typer.Option(
            "--horizon",
            "-H",
            metavar="N",
            help="Number of steps to forecast (default: the horizon of the model's training).",
        ),
    ] = None
    cutoffs: Annotated[
        int,
        typer.Option(
            metavar="K",
            help="Number of held-out cutoffs, as far as there are values not used in training.",
        ),
    ] = 3
    repeats: Annotated[
        int, typer.Option(metavar="N", help="Number of permutations of each.")
    ] = 10
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.")] = 0
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Plot the result as .png, .svg or .pdf."),
    ] = None
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the result as .csv, .parquet, .jsonl or .xlsx."
        ),
    ] = None
