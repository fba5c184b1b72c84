"""Processes that a server starts, and which end with it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import IO, TypeAlias

ENDING = 5.0  # seconds that a process may take to end
SECRETS = ("LSTMCAST_TOKEN",)  # variables that no child has a use for
Stream: TypeAlias = "int | IO[bytes] | None"  # as for `subprocess.Popen`


def started(
    module: str, *arguments: str, output: Stream, errors: Stream = None
) -> subprocess.Popen[bytes]:
    """`python -m MODULE …`, whose standard input is a pipe: it has to end when that does.

    output, errors: its standard output, and its standard error, which is the server's unless given.
    Raises OSError.
    """
    environment = {name: text for name, text in os.environ.items() if name not in SECRETS}
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C is meant for the server, which ends it
        stdout=output,
        stderr=errors,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process, wait for it, and close the pipes to it."""
    process.terminate()
    try:
        process.wait(ENDING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):  # of what could not be sent any more
                pipe.close()
