"""Where a job keeps its lock and the time of its last training."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def kept_file(job: str | Path, kind: str) -> Path:
    """A file of a job: beside its own, or in the user's folder of states where nothing can be
    written there.

    >>> kept_file("job.toml", "lock").name
    '.job.toml.lock'
    """
    path = Path(job)
    if _can_write(path.parent):
        return path.with_name(f".{path.name}.{kind}")
    # jobs of the same name in several folders
    digest = hashlib.sha256(os.path.realpath(path).encode()).hexdigest()
    return _states() / f"{path.name}.{digest[:16]}.{kind}"


def _can_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK)


def _states() -> Path:
    """As the XDG Base Directory Specification says."""
    folder = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(folder) / "lstmcast"
