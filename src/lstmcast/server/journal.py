"""What a stream has read since its state was last written: a line of JSON each, appended before the
stream moves, so that nothing that was acknowledged is lost when the process is killed.

Writing the whole state of a stream takes much longer than a tick. So it is written now and then,
and the ticks since then are kept in a file beside it, which is read again at the next start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lstmcast.util.files import output_errors


class Journal:
    """An open journal. `path`: its file, made if need be.

    A last line that is not whole was never acknowledged, and is removed.

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
        """What was appended, from the first to the last."""
        self._file.seek(0)
        for line in self._file.read(self._size).splitlines():
            yield json.loads(line)

    def append(self, entry: dict[str, Any]) -> int:
        """Keep an entry; how long the journal was before, for `undo`. OutputError, and then it is
        as it was."""
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        size_before = self._size
        with output_errors(self.path):
            try:
                count = self._file.write(line)
                if count < len(line):  # the disk is full: the rest says why
                    self._file.write(line[count:])
            except OSError:
                self._file.truncate(size_before)
                raise
        self._size = size_before + len(line)
        return size_before

    def undo(self, size: int) -> None:
        """Forget what was appended since the journal was so long."""
        with output_errors(self.path):
            self._file.truncate(size)
        self._size = size

    def close(self) -> None:
        """Append no more."""
        self._file.close()

    def _whole(self) -> int:
        """The bytes of the lines that are whole."""
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
