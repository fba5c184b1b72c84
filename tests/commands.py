"""Commands run in the process of the tests: one of its own loads everything again, which takes
longer than most commands."""

from __future__ import annotations

import contextlib
import io
import json
import signal
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from lstmcast.cli import app as cli


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def message(self) -> str:
        """What was said against the input: the notes before it are of no interest here."""
        return self.err.partition("lstmcast: ")[2] or self.err


def here(*arguments: object, folder: Path | None = None, typed: str = "") -> Done:
    """Run a command in this process: in that folder, with that text as its standard input.

    The fixture `run` does the same within a test; this is for what several tests share.
    """
    # which a command handles in a way of its own
    terminated = signal.getsignal(signal.SIGTERM)
    out, err = (
        io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)
    )
    stdin = io.TextIOWrapper(io.BytesIO(typed.encode()), "utf-8")
    with contextlib.ExitStack() as around:
        around.enter_context(contextlib.chdir(folder or Path.cwd()))
        around.callback(signal.signal, signal.SIGTERM, terminated)
        around.enter_context(contextlib.redirect_stdout(out))
        around.enter_context(contextlib.redirect_stderr(err))
        around.enter_context(mock.patch("sys.stdin", stdin))
        ended = around.enter_context(pytest.raises(SystemExit))
        cli.main([str(argument) for argument in arguments])
    said = [stream.buffer.getvalue().decode() for stream in (out, err)]
    assert "Traceback" not in "".join(said)
    return Done(int(ended.value.code or 0), *said)
