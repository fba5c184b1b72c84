"""The exit status of a command: 0 done, 1 failed, 2 wrong usage, 3 done except for skipped series,
130 stopped by Ctrl-C, 143 terminated by the system."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from lstmcast.cli import echo
from lstmcast.errors import LstmcastError

_signals: list[int] = []  # of the system, to end


def terminated(number: int, _: object) -> NoReturn:
    """Exit as after an error, so that temporary files are removed: by default Python would just
    stop."""
    _signals.append(number)
    sys.exit(128 + number)


def status_of(run: Callable[[], int]) -> int:
    """The status of a command, with one message if it failed."""
    try:
        status = _status(run)
    except BaseException:
        if not _signals:
            raise
        status = 0
    # a library that is interrupted may raise its own error
    return 128 + _signals[-1] if _signals else status


def _status(run: Callable[[], int]) -> int:
    try:
        status = run()
        # a full disk behind a redirection is noticed here
        sys.stdout.flush()
        return status
    except LstmcastError as error:
        return failed(error)
    except KeyboardInterrupt:
        return _fail("stopped. No file was left incomplete.", 130)
    except MemoryError:
        return _fail(
            "there is not enough memory. Forecast fewer series at a time, or a shorter horizon."
        )
    except BrokenPipeError:
        return _silenced()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _fail("the disk is full. Free some space and try again.")
        return _fail(f"the system refused: {error}")
    except Exception as error:
        if os.environ.get("LSTMCAST_DEBUG"):
            raise
        return _fail(
            f"a bug in lstmcast: {type(error).__name__}: {error}\n"
            "Please report it with the command and its output with LSTMCAST_DEBUG=1."
        )


def failed(error: LstmcastError) -> int:
    """Report an error, and return the exit status."""
    return _fail(error.message, error.exit_status, type(error).__name__)


def _fail(message: str, status: int = 1, kind: str = "Error") -> int:
    if not _signals:
        echo.failure(message, kind, status)
    return status


def _silenced() -> int:
    """Ignore a closed output pipe, as after `head`, now and when Python exits."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return 1


def open_closed_streams() -> None:
    """Redirect closed streams, as by >&-, so that no file opened later takes their place."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(handle)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
