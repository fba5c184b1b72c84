"""The commands about saved models: `info`, `importance`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lstmcast._version import __version__
from lstmcast.cli import echo, manner
from lstmcast.cli.commands.common import end, require_one_end
from lstmcast.cli.options.common import Data, Folder, Json, Quiet
from lstmcast.cli.options.importance import Permuting
from lstmcast.cli.options.reading import ReadingOptions


def info(folder: Folder, as_json: Json = False) -> None:
    """Show what is in a saved model."""
    from lstmcast.cli import console
    from lstmcast.store import OWN_KEYS, load

    manifest, _ = load(folder)  # arrays too: a damaged model should not look well
    if as_json:
        echo.document({"lstmcast": __version__, "model": manifest})
        return
    size = sum(entry["bytes"] for entry in manifest["files"].values())
    saved = f"saved by lstmcast {manifest['package_version']}, {size / 1e6:.2f} MB of arrays"
    echo.result(f"{folder}: {console.snapshot(manifest)}{saved}")
    # a snapshot of an unfinished training
    hidden = OWN_KEYS if "trained" in manifest else (*OWN_KEYS, "training", "seed")
    entries = {name: value for name, value in manifest.items() if name not in hidden}
    typer.echo("\n".join(console.tree(entries)))


def importance(
    data: Data,
    model: Annotated[
        Path,
        typer.Option("--model", "-m", metavar="DIR", help="A saved model."),
    ],
    reading: ReadingOptions,
    permuting: Permuting,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Show which columns a saved model depends on.

    Each column and each part of the past is permuted: its values are taken from other times of the
    series, static ones from other series. The more the error at held-out cutoffs grows, the more
    the forecast depends on it. Nothing is trained. DATA must contain values that the model was not
    trained on; those held back in training are enough.
    """
    from lstmcast.jobs import ImportanceJob

    require_one_end(permuting.horizon)
    job = ImportanceJob(
        reading.source(data),
        model,
        horizon=permuting.horizon,
        cutoffs=permuting.cutoffs,
        repeats=permuting.repeats,
        seed=permuting.seed,
        table=permuting.out,
        plot=permuting.plot,
        language=manner.words().language,
    )
    outcome = job.run(echo.notes(quiet))
    echo.importance(outcome, quiet, as_json)
    end(echo.skipped(outcome.panel))
