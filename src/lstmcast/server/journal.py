"""The ticks that a stream has read since its state was last written, one line of JSON for each.

A line is appended before the stream changes, so that no acknowledged tick is lost if the process is
killed. Writing the whole state takes much longer than a tick, so it is written only occasionally;
the ticks since then are in this file, which is read again at the next start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lstmcast.util.files import output_errors


class Journal:
    """An open journal. `path`: its file, created if necessary.

    An incomplete last line was never acknowledged, and is removed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     journal = Journal(Path(place, "journal.jsonl"))
    ...     _ = journal.append({"number": 1}), journal.append({"number": 2})
    ...     journal.close()
    ...     again = Journal(Path(place, "journal.jsonl"))
    ...     print([entry["number"] for entry in again.entries()])
    ...     again.close()
    [1, 2]
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with output_errors(path):
            self._file = path.open("a+b", buffering=0)
            self._size = self._whole()
            self._file.truncate(self._size)

    def entries(self) -> Iterator[dict[str, Any]]:
        """The entries, from first to last."""
        self._file.seek(0)
        for line in self._file.read(self._size).splitlines():
            yield json.loads(line)

    def append(self, entry: dict[str, Any]) -> int:
        """Append an entry, and return the previous size of the journal, for `undo`. If it raises
        OutputError, the journal is unchanged."""
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        size_before = self._size
        with output_errors(self.path):
            try:
                count = self._file.write(line)
                # the disk is full: writing the rest raises the error
                if count < len(line):
                    self._file.write(line[count:])
            except OSError:
                self._file.truncate(size_before)
                raise
        self._size = size_before + len(line)
        return size_before

    def undo(self, size: int) -> None:
        """Remove everything that was appended since the journal had this size."""
        with output_errors(self.path):
            self._file.truncate(size)
        self._size = size

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _whole(self) -> int:
        """The size of all complete lines in bytes."""
        self._file.seek(0)
        size = 0
        for line in self._file.read().splitlines(keepends=True):
            if not line.endswith(b"\n") or not _is_object(line):
                break
            size += len(line)
        return size


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
