"""Training processes, begun in a folder."""

from __future__ import annotations

import subprocess

from lstmcast.server import children
from lstmcast.server.trainings.folder import Folder

PROCESS = "lstmcast.server.trainings.process"


def started(folder: Folder) -> subprocess.Popen[bytes]:
    """The process of a training. OSError."""
    with folder.log.open("wb") as log:
        path = str(folder.path.resolve())
        return children.started(PROCESS, path, output=log, errors=log)
