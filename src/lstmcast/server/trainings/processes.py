"""Training processes: begun in a folder, and ended."""

from __future__ import annotations

import os
import subprocess
import sys

from lstmcast.server.trainings.folder import Folder

ENDING = 5.0  # seconds that a process may take to end
PROCESS = "lstmcast.server.trainings.process"
SECRETS = ("LSTMCAST_TOKEN",)  # variables that a training has no use for


def started(folder: Folder) -> subprocess.Popen[bytes]:
    """The process of a training. OSError."""
    environment = {name: text for name, text in os.environ.items() if name not in SECRETS}
    with folder.log.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", PROCESS, str(folder.path.resolve())],
            stdin=subprocess.PIPE,  # it ends when this does
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,  # Ctrl-C is meant for the server, which ends it
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process, and wait for it."""
    process.terminate()
    try:
        process.wait(ENDING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
