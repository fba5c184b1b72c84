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


def tune(
    data: Data,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="DIR",
            parser=named,
            help="Where trials, the best model and its settings go.",
        ),
    ],
    reading: ReadingOptions,
    horizon: Horizon = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            metavar="N", help="Time for everything; 10 minutes unless --trials limits the search."
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(metavar="N", help="Maximum number of trials, in place of a time.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.")] = 0,
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where to train.")] = "cpu",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Search the settings of fit that suit the data, within a time.

    Networks of many sizes and settings, fine-tuned and from scratch, are trained and compared at
    held-out cutoffs; poor ones are stopped early. The best is judged on a last part of the data
    that the search has not seen, and then trained with all of it. DIR/model is the model,
    DIR/settings.toml its settings, from which lstmcast fit --settings trains the same. A search
    that was stopped continues when the same command is given again.
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
