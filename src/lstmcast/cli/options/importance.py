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
            help="How many steps to forecast; as many as the model was trained for unless given.",
        ),
    ] = None
    cutoffs: Annotated[
        int,
        typer.Option(
            metavar="K", help="Held-out cutoffs, as far as there are values not trained on."
        ),
    ] = 3
    repeats: Annotated[int, typer.Option(metavar="N", help="How often each is permuted.")] = 10
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.")] = 0
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw it as .png, .svg or .pdf.")
    ] = None
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it as .csv, .parquet, .jsonl or .xlsx."),
    ] = None
