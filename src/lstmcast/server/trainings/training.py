"""One training of a server: what is known of it, and what is told."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstmcast.server.trainings.folder import Folder, Line, epochs_of
from lstmcast.util.language import Words

WAITING = "waiting"
RUNNING = "running"
DONE = "done"
STOPPED = "stopped"
FAILED = "failed"
INTERRUPTED = "interrupted"
BEFORE_THE_END = (WAITING, RUNNING)
# told of a training besides its state
TOLD = (
    "name",
    "created",
    "began",
    "ended",
    "options",
    "horizon",
    "minutes",
    "data",
)


class Training:
    """A training, whose folder keeps what is known of it.

    folder: where it is kept. job: what its file `job.json` says.
    """

    def __init__(self, folder: Folder, job: Mapping[str, Any]) -> None:
        self.folder = folder
        self.job: dict[str, Any] = dict(job)
        self.process: subprocess.Popen[bytes] | None = None
        self.watch: threading.Thread | None = None  # which waits for the process
        self.removed = False

    @property
    def name(self) -> str:
        """What it is called, and its model."""
        return self.job["name"]

    @property
    def state(self) -> str:
        """How far it is."""
        return self.job["state"]

    @property
    def has_ended(self) -> bool:
        """Whether no process works on it, or will without being asked."""
        return self.state not in BEFORE_THE_END

    @property
    def has_model(self) -> bool:
        """Whether its model can be used."""
        return self.state in (DONE, STOPPED) and self.folder.model.is_dir()

    def set(self, **changes: Any) -> None:
        """Change what is known, and keep it. OutputError; the change counts for now then."""
        self.job |= changes
        self.folder.write_job(self.job)

    def conclude(self, status: int | None) -> None:
        """Take over how its process ended: in its own words, or by its status alone. None: with
        the server. OutputError."""
        outcome = self.folder.outcome() or self._unexpected(status)
        self.process = None
        self.set(**outcome, ended=now())
        if self.has_model:
            self.folder.remove_data()

    def described(self, words: Words, number: int | None = None) -> dict[str, Any]:
        """What a list tells of it; `number`: its place among those that wait."""
        lines = epochs_of(self.folder.lines())
        detail = self.job.get("detail")
        return {
            **{name: self.job.get(name) for name in TOLD},
            "state": self.state,
            "waits_for": number,
            "detail": words(detail) if detail else None,
            "resumable": self.has_ended and bool(self.job.get("resumable")),
            "model": self.name if self.has_model else None,
            "newest": lines[-1] if lines else None,
        }

    def shown(self, words: Words, number: int | None = None) -> dict[str, Any]:
        """The same with its learning curve, and how accurate it was."""
        lines = self.folder.lines()
        sentences = [line["note"] for line in lines if "note" in line]
        notes = [*sentences, *self.job.get("notes", [])]
        return {
            **self.described(words, number),
            "epochs": epochs_of(lines),
            "notes": [words(note) for note in notes],
            "accuracy": self.job.get("accuracy"),
            "preset": self.job.get("preset"),
        }

    def _unexpected(self, status: int | None) -> dict[str, Any]:
        """The outcome of a process that could not say it."""
        if status is None:
            detail = "The server ended while it was trained."
            return {"state": INTERRUPTED, "detail": detail, "resumable": True}
        return {"state": FAILED, "detail": self._reason(status), "resumable": True}

    def _reason(self, status: int) -> str:
        """Why a process ended that did not say so."""
        if status < 0:
            name = _signal_name(-status)
            return (
                f"The training process was ended by {name}. A system does so where memory runs "
                "out: train on fewer series then, or continue."
            )
        newest_line = _last_line(self.folder.log)
        return f"The training process ended unexpectedly, with status {status}: {newest_line}"


def taken_over(training: Training) -> None:
    """Take a training over from a server that is gone. OutputError."""
    if training.state == RUNNING:
        training.conclude(None)


def event(number: int, line: Line) -> str:
    """A line of progress as a server-sent event."""
    return f"id: {number}\n" + _event("progress", line)


def state_event(state: str) -> str:
    """A new state as a server-sent event."""
    return _event("state", {"state": state})


def _event(kind: str, document: Mapping[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(document)}\n\n"


def now() -> str:
    """The time, as documents tell it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _signal_name(number: int) -> str:
    """The name of a signal.

    >>> _signal_name(9)
    'SIGKILL'
    """
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_line(path: Path) -> str:
    """The last line that a process printed."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        text = ""
    return text.splitlines()[-1][:500] if text else "it printed nothing"
