"""The exit status of a command: 0 done, 1 cannot be done, 2 wrong usage, 130 stopped by Ctrl-C."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

from lstmcast.cli import echo
from lstmcast.errors import LstmcastError


def status_of(run: Callable[[], int]) -> int:
    """The status of a command, which whatever went wrong has told in one message."""
    try:
        status = run()
        # a full disk behind a redirection shows here, not after the last line of Python
        sys.stdout.flush()
        return status
    except LstmcastError as error:
        return _fail(str(error), error.exit_status)
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


def _fail(message: str, status: int = 1) -> int:
    echo.failure(message)
    return status


def _silenced() -> int:
    """The reader of our output went away, as `head` does: no reason for a message, now or while
    Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
