"""One training of a server, and its description."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstmcast.advice import in_fields
from lstmcast.server.trainings.folder import Folder, Line, epochs_of
from lstmcast.util.language import Words

WAITING = "waiting"
RUNNING = "running"
DONE = "done"
STOPPED = "stopped"
FAILED = "failed"
INTERRUPTED = "interrupted"
BEFORE_THE_END = (WAITING, RUNNING)
# described besides the state of a training
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
    """A training, whose state is stored in its folder.

    folder: the folder. job: the content of its file `job.json`.
    """

    def __init__(self, folder: Folder, job: Mapping[str, Any]) -> None:
        self.folder = folder
        self.job: dict[str, Any] = dict(job)
        self.process: subprocess.Popen[bytes] | None = None
        self.watch: threading.Thread | None = None  # waits for the process
        self.removed = False

    @property
    def name(self) -> str:
        """Its name, and that of its model."""
        return self.job["name"]

    @property
    def state(self) -> str:
        """Its state."""
        return self.job["state"]

    @property
    def has_ended(self) -> bool:
        """Whether no process works on it, nor will without a request."""
        return self.state not in BEFORE_THE_END

    @property
    def has_model(self) -> bool:
        """Whether its model can be used."""
        return self.state in (DONE, STOPPED) and self.folder.model.is_dir()

    def set(self, **changes: Any) -> None:
        """Change and store its data. If it raises OutputError, the change is only in memory."""
        self.job |= changes
        self.folder.write_job(self.job)

    def conclude(self, status: int | None) -> None:
        """Store how its process ended: as reported, or by its exit status; None if it ended with
        the server. Raises OutputError."""
        outcome = self.folder.outcome() or self._unexpected(status)
        self.process = None
        self.set(**outcome, ended=now())
        if self.has_model:
            self.folder.remove_data()

    def described(self, words: Words, number: int | None = None) -> dict[str, Any]:
        """Its entry in a list; `number`: its position among waiting trainings."""
        lines = epochs_of(self.folder.lines())
        detail = self.job.get("detail")
        return {
            **{name: self.job.get(name) for name in TOLD},
            "state": self.state,
            "waits_for": number,
            "detail": in_fields(words(detail)) if detail else None,
            "resumable": self.has_ended and bool(self.job.get("resumable")),
            "model": self.name if self.has_model else None,
            "newest": lines[-1] if lines else None,
        }

    def shown(self, words: Words, number: int | None = None) -> dict[str, Any]:
        """The same with its learning curve and accuracy."""
        lines = self.folder.lines()
        sentences = [line["note"] for line in lines if "note" in line]
        notes = [*sentences, *self.job.get("notes", [])]
        return {
            **self.described(words, number),
            "epochs": epochs_of(lines),
            "notes": [in_fields(words(note)) for note in notes],
            "accuracy": self.job.get("accuracy"),
            "preset": self.job.get("preset"),
        }

    def _unexpected(self, status: int | None) -> dict[str, Any]:
        """The outcome of a process that did not report one."""
        if status is None:
            detail = "The server ended while it was trained."
            return {"state": INTERRUPTED, "detail": detail, "resumable": True}
        return {"state": FAILED, "detail": self._reason(status), "resumable": True}

    def _reason(self, status: int) -> str:
        """The reason why a process ended without a report."""
        if status < 0:
            name = _signal_name(-status)
            return (
                f"The training process was ended by {name}. Systems do this when memory "
                "runs out: train on fewer series, or resume the training."
            )
        newest_line = _last_line(self.folder.log)
        return f"The training process ended unexpectedly, with status {status}: {newest_line}"


def taken_over(training: Training) -> None:
    """Restore a training of a server that has ended. Raises OutputError."""
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
    """The time in the format of documents."""
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
