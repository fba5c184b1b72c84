"""Every error that lstmcast raises on purpose.

    LstmcastError                 anything that the caller can fix
    ├── DataError                 the data cannot be read or used                 (exit status 1)
    ├── ModelError                a saved model is damaged, newer, or does not fit (exit status 1)
    ├── OutputError               a result cannot be written                      (exit status 1)
    ├── CheckError                a job's checks do not hold                      (exit status 4)
    ├── BusyError                 another run of the job is in progress          (exit status 5)
    ├── MissingExtraError         an optional package is not installed            (exit status 1)
    └── UsageError                an argument is invalid                          (exit status 2)

A message says what happened and where, what was expected, and what to do.
"""

from __future__ import annotations

from lstmcast.advice import in_python

# bounds of a message, since data can put anything into it
_LONGEST_LINE, _MOST_LINES = 2_000, 60


class LstmcastError(Exception):
    """Base class of all errors that lstmcast raises."""

    exit_status = 1

    def __str__(self) -> str:
        """The message for a reader in Python."""
        return in_python(self.message)

    @property
    def message(self) -> str:
        """The message as it was written, with options of the command (`advice`)."""
        return bounded(super().__str__())


def bounded(text: str) -> str:
    """A message cut to a sensible length.

    >>> len(bounded("x" * 1_000_000)) < 2_100
    True
    """
    lines = text.split("\n")
    shortened = [_cut(line) for line in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        shortened.append(f"… and {len(lines) - _MOST_LINES:,} more lines")
    return "\n".join(shortened)


def _cut(line: str) -> str:
    if len(line) <= _LONGEST_LINE:
        return line
    half = _LONGEST_LINE // 2
    return (
        f"{line[:half]} … ({len(line) - 2 * half:,} letters left out) … {line[-half:]}"
    )


class DataError(LstmcastError):
    """The data cannot be read or used as they are."""


class ModelError(LstmcastError):
    """A saved model is damaged, newer than this package, or does not fit the data."""


class OutputError(LstmcastError):
    """A result cannot be written."""


class CheckError(LstmcastError):
    """A check of a job does not hold."""

    exit_status = 4


class BusyError(LstmcastError):
    """Another run of the same job is still in progress."""

    exit_status = 5


class MissingExtraError(LstmcastError, ImportError):
    """A feature needs a package that an extra of lstmcast installs."""


class UsageError(LstmcastError, ValueError):
    """An argument is invalid, whatever the data."""

    exit_status = 2
