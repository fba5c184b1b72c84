"""The exit status of a command: 0 done, 1 cannot be done, 2 wrong usage, 3 done
but for series that were skipped, 130 stopped by Ctrl-C, 143 ended by the system."""

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
    """End as after an error, so that temporary files go: by itself Python would just stop."""
    _signals.append(number)
    sys.exit(128 + number)


def status_of(run: Callable[[], int]) -> int:
    """The status of a command, which whatever went wrong has told in one message."""
    try:
        status = _status(run)
    except BaseException:
        if not _signals:
            raise
        status = 0
    # a library that is told to end may call it an error of its own
    return 128 + _signals[-1] if _signals else status


def _status(run: Callable[[], int]) -> int:
    try:
        status = run()
        # a full disk behind a redirection shows here, not after the last line of Python
        sys.stdout.flush()
        return status
    except LstmcastError as error:
        return failed(error)
    except KeyboardInterrupt:
        return _fail("stopped. Nothing was left half-written.", 130)
    except MemoryError:
        return _fail(
            "there is not enough memory for this. Forecast fewer series at a time, or a shorter "
            "horizon."
        )
    except BrokenPipeError:
        return _silenced()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _fail("the disk is full. Make room and try again.")
        return _fail(f"the system refused: {error}")
    except Exception as error:
        if os.environ.get("LSTMCAST_DEBUG"):
            raise
        return _fail(
            f"a defect in lstmcast: {type(error).__name__}: {error}\n"
            "Please report it, with the command and what LSTMCAST_DEBUG=1 shows before it."
        )


def failed(error: LstmcastError) -> int:
    """Tell an error, and give the status of a command that ends with it."""
    return _fail(str(error), error.exit_status, type(error).__name__)


def _fail(message: str, status: int = 1, kind: str = "Error") -> int:
    if not _signals:
        echo.failure(message, kind, status)
    return status


def _silenced() -> int:
    """The reader of our output went away, as `head` does: no reason for a message, now or while
    Python ends."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return 1


def open_closed_streams() -> None:
    """Streams that were closed, as by >&-, lead nowhere: no file that is opened later should take
    their place."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(handle)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
