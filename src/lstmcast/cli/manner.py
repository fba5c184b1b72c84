"""How a command speaks, whatever it does: its language, its log file, its errors as JSON."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO

from lstmcast.util.files import checked_path, output_errors
from lstmcast.util.language import ENGLISH, Words, words_of

# The language of this process, or of this thread if several commands run.
_words: ContextVar[Words] = ContextVar("words", default=ENGLISH)
# Where notes and errors go beside standard error, and whether errors are JSON on standard output.
_log: ContextVar[TextIO | None] = ContextVar("log", default=None)
_errors_as_json: ContextVar[bool] = ContextVar("errors as JSON", default=False)


@contextmanager
def logged(path: str | None) -> Iterator[None]:
    """A context in which notes, warnings and errors are also appended to a file, with time.

    Raises OutputError if it cannot be written.
    """
    if path is None:
        yield
        return
    with output_errors(path):
        file = checked_path(path).open("a", encoding="utf-8", errors="backslashreplace")
    with file:
        token = _log.set(file)
        try:
            yield
        finally:
            _log.reset(token)


def log(*lines: str) -> None:
    """Append entries of one line to the log file, if there is one; a full disk does not end the
    command."""
    file = _log.get()
    if file is None:
        return
    timestamp = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    with contextlib.suppress(OSError):
        for line in lines:
            entry = " ".join(words()(line).strip().split("\n"))
            file.write(f"{timestamp} {entry}\n")
        file.flush()


def has_log() -> bool:
    """Whether there is a log file."""
    return _log.get() is not None


def errors_as_json(is_wanted: bool) -> None:
    """Whether errors are written as JSON on standard output too."""
    _errors_as_json.set(is_wanted)


def has_json_errors() -> bool:
    """Whether errors are written as JSON too."""
    return _errors_as_json.get()


def speak(language: str) -> None:
    """Set the language of texts."""
    _words.set(words_of(language))


def words() -> Words:
    """The current language."""
    return _words.get()
