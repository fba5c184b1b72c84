"""Where a job stores its lock and the time of its last training."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def kept_file(job: str | Path, kind: str) -> Path:
    """The path of a file that belongs to a job: beside the job file, or in the user's state folder
    if nothing can be written there.

    >>> kept_file("job.toml", "lock").name
    '.job.toml.lock'
    """
    path = Path(job)
    if _can_write(path.parent):
        return path.with_name(f".{path.name}.{kind}")
    # distinguishes jobs of the same name in different folders
    digest = hashlib.sha256(os.path.realpath(path).encode()).hexdigest()
    return _states() / f"{path.name}.{digest[:16]}.{kind}"


def _can_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK)


def _states() -> Path:
    """The user's state folder, as in the XDG Base Directory Specification."""
    folder = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(folder) / "lstmcast"
