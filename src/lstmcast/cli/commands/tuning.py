"""The command that searches settings of a training: `tune`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lstmcast.cli import echo
from lstmcast.cli.commands.common import end, require_one_end, source_ahead
from lstmcast.cli.options.common import Data, Horizon, Json, Quiet, named
from lstmcast.cli.options.reading import ReadingOptions

STOPPED = "stopped. The same command continues with the trials so far."
TrialFolder = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="DIR",
        parser=named,
        help="Folder for trials, the best model and its settings.",
    ),
]
Minutes = Annotated[
    float | None,
    typer.Option(
        metavar="N",
        help="Total time (default: 10 minutes, unless --trials limits the search).",
    ),
]


def tune(
    data: Data,
    out: TrialFolder,
    reading: ReadingOptions,
    horizon: Horizon = None,
    minutes: Minutes = None,
    trials: Annotated[
        int | None,
        typer.Option(metavar="N", help="Maximum number of trials, instead of a time."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.")] = 0,
    device: Annotated[
        str, typer.Option(metavar="cpu|cuda", help="Device to train on.")
    ] = "cpu",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Search for the best settings of fit within a time limit.

    Networks of many sizes and settings, fine-tuned and from scratch, are trained and compared at
    held-out cutoffs; poor ones are stopped early. The best one is evaluated on the last part of the
    data, which the search has not seen, and then trained on all data. DIR/model is the model,
    DIR/settings.toml its settings, with which lstmcast fit --settings trains the same network. The
    same command continues a stopped search.
    """
    from lstmcast.jobs import TuneJob

    require_one_end(horizon)
    source, steps, notify = source_ahead(reading.source(data), horizon, None, quiet)
    job = TuneJob(source, steps, out, minutes, trials, seed, device)
    try:
        outcome = job.run(notify)
    except KeyboardInterrupt:
        echo.failure(STOPPED)
        raise typer.Exit(130) from None
    echo.tuned(outcome, quiet, as_json)
    end(echo.skipped(outcome.panel))
