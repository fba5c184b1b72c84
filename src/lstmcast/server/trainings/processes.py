"""Start and end training processes."""

from __future__ import annotations

import os
import subprocess
import sys

from lstmcast.server.trainings.folder import Folder

ENDING = 5.0  # seconds that a process has to end
PROCESS = "lstmcast.server.trainings.process"
SECRETS = ("LSTMCAST_TOKEN",)  # environment variables that a training does not need


def started(folder: Folder) -> subprocess.Popen[bytes]:
    """Start the process of a training. Raises OSError."""
    environment = {
        name: text for name, text in os.environ.items() if name not in SECRETS
    }
    with folder.log.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", PROCESS, str(folder.path.resolve())],
            stdin=subprocess.PIPE,  # the process ends when this is closed
            stdout=log,
            stderr=log,
            env=environment,
            # Ctrl-C must reach only the server, which ends the process
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and wait for it."""
    process.terminate()
    try:
        process.wait(ENDING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
