"""The command about saved models: `info`."""

from __future__ import annotations

import typer

from lstmcast._version import __version__
from lstmcast.cli import echo
from lstmcast.cli.options.common import Folder, Json


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
    # of a training that was not done
    hidden = OWN_KEYS if "trained" in manifest else (*OWN_KEYS, "training", "seed")
    described = {name: value for name, value in manifest.items() if name not in hidden}
    typer.echo("\n".join(console.tree(described)))
