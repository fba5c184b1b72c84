"""The folder of a training, which server and training process share.

job.json            the request and its state; written atomically
data/               the uploaded files, until there is a model
progress.jsonl      a line for each epoch, and for each message of a preset
outcome.json        how the training process ended, as it reports; written atomically
model/              the trained model; appears as a whole
model.checkpoints/  checkpoints from which an interrupted training continues
log.txt             the output of the process
stop                exists once a stop was requested
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstmcast.util.files import output_errors, whole_file

Line = dict[str, Any]


@dataclass(frozen=True)
class Folder:
    """The places in the folder of a training."""

    path: Path

    @property
    def data(self) -> Path:
        """The uploaded files."""
        return self.path / "data"

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.path / "model"

    @property
    def log(self) -> Path:
        """The output of the process."""
        return self.path / "log.txt"

    @property
    def stop(self) -> Path:
        """A file that asks the training to stop."""
        return self.path / "stop"

    @property
    def progress(self) -> Path:
        """The file with a line of JSON for each epoch."""
        return self.path / "progress.jsonl"

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint to continue from."""
        return any(self.path.glob("model.checkpoints/member-*"))

    # ---- job and outcome

    def job(self) -> dict[str, Any] | None:
        """The request; None if no server wrote it."""
        return _document(self.path / "job.json")

    def write_job(self, job: Mapping[str, Any]) -> None:
        """Write the request. Raises OutputError."""
        _write(self.path / "job.json", job)

    def outcome(self) -> dict[str, Any] | None:
        """How the process ended; None if it did not report it."""
        return _document(self.path / "outcome.json")

    def write_outcome(self, outcome: Mapping[str, Any]) -> None:
        """Write how the process ends. Raises OutputError."""
        _write(self.path / "outcome.json", outcome)

    # ---- progress

    def append(self, line: Line) -> None:
        """Append a line of progress. Raises OutputError."""
        with (
            output_errors(self.progress),
            self.progress.open("a", encoding="utf-8") as file,
        ):
            file.write(json.dumps(line) + "\n")

    def lines(self, first: int = 0) -> list[Line]:
        """The lines of progress from number `first` on, without an incomplete last one.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place:
        ...     folder = Folder(Path(place))
        ...     folder.append({"epoch": 1})
        ...     folder.append({"epoch": 2})
        ...     folder.lines(), folder.lines(first=1)
        ([{'epoch': 1}, {'epoch': 2}], [{'epoch': 2}])
        """
        try:
            text = self.progress.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        complete = text[: text.rfind("\n") + 1].splitlines()[first:]
        return [line for line in map(_parsed, complete) if line is not None]

    def begin(self) -> None:
        """Prepare the folder for another run, which keeps the progress if it has a checkpoint.
        Raises OutputError."""
        with output_errors(self.path):
            (self.path / "outcome.json").unlink(missing_ok=True)
            self.stop.unlink(missing_ok=True)
            if not self.has_checkpoint:
                self.progress.unlink(missing_ok=True)

    def remove_data(self) -> None:
        """Remove the data as far as possible: a model stores what it needs."""
        shutil.rmtree(self.data, ignore_errors=True)


def epochs_of(lines: list[Line]) -> list[Line]:
    """The epochs among lines of progress, each once; of repeated ones, the last.

    >>> epochs_of([{"epoch": 1, "train": 5}, {"epoch": 2}, {"epoch": 1, "train": 4}])
    [{'epoch': 1, 'train': 4}, {'epoch': 2}]
    """
    newest = {
        (line.get("run"), line.get("member"), line["epoch"]): line
        for line in lines
        if "epoch" in line
    }
    return list(newest.values())


def _write(path: Path, document: Mapping[str, Any]) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _document(path: Path) -> dict[str, Any] | None:
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
