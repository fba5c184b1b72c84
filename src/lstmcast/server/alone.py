"""Folders that only one server at a time may use."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from lstmcast.errors import OutputError
from lstmcast.util.files import locked, output_errors

LOCK = ".lock"


def take(folder: Path, stack: ExitStack) -> None:
    """Create a folder if necessary, and hold its lock as long as `stack`; OutputError if another
    server holds it."""
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if not stack.enter_context(locked(folder / LOCK)):
        raise OutputError(
            f"{str(folder)!r} is used by another server. Stop it, or name another folder."
        )
