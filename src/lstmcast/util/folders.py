"""Folders that are replaced as a whole: readers see the old one or the new one, never a mixture.

A folder is written under a temporary name beside its place and flushed to disk. Then the old and
the new one are exchanged atomically if the system supports it (Linux). Elsewhere that takes two
renames (move the old one aside, then the new one in), as no system renames over a full folder; a
crash between the two leaves the old one whole under `.NAME.previous-…`, where the next reader and
the next writer find it.

Others may read and replace the same folder at the same time. If the folder was replaced while it
was read, a failed read is repeated for about a second; a damaged folder is reported at once.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lstmcast.errors import ModelError
from lstmcast.util.files import exchange, is_left_behind, make_durable, own_mark, umask
from lstmcast.util.patterns import pattern_of

T = TypeVar("T")
PATIENCE = 1.0  # seconds that another process has to finish replacing a folder
# seconds after which an unfinished folder must belong to a killed process
_LEFT_BEHIND = 3600.0
_UNFINISHED = pattern_of(
    r"\..+\.new-(?:[0-9a-f]+at[0-9a-f]{8}-)?[a-z0-9_]{8}", re.DOTALL
)  # the names that `replace` gives them


@dataclass(frozen=True)
class AtomicFolder:
    """A folder that is replaced as a whole, possibly by several processes.

    `place`: its path, with links resolved. `is_whole`: tells whether a folder is complete, so that
    it may be put back.
    """

    place: Path
    is_whole: Callable[[Path], bool]

    def settled(self, act: Callable[[], T]) -> T:
        """The result of `act`, which is tried again for a while if it fails while another process
        replaces the folder."""
        until = None
        while True:
            identity = self._identity()
            try:
                return act()
            except (ModelError, OSError):
                # measured from here, as `act` itself may have been delayed
                until = until or time.monotonic() + PATIENCE
                replaced = self._identity() != identity or self._set_aside()
                if not replaced or time.monotonic() > until:
                    raise
            time.sleep(0.005)

    def restore(self) -> None:
        """Put back a folder that was moved aside, unless its replacement is finished within a
        second: then its process has ended. Raises ModelError if it cannot be put back."""
        until = time.monotonic() + PATIENCE
        while previous := self._set_aside():
            if time.monotonic() > until:
                self._put_back(previous)
                return
            time.sleep(0.005)

    def replace(
        self,
        contents: Mapping[str, bytes],
        copied_files: Callable[[], Iterable[Path]] = tuple,
        durable: bool = True,
    ) -> None:
        """Replace the folder by one with these files, as a whole or not at all. Raises OSError.

        `copied_files`: the files to copy from the old folder into the new one; it is called when
        the new one is ready, and again if another process was faster. `durable`: whether to wait
        until it is on disk; other processes see all of it or nothing anyway.
        """
        to_disk = make_durable if durable else _left_to_the_system
        prefix = f".{self.place.name}.new-{own_mark()}-"
        staging = Path(tempfile.mkdtemp(prefix=prefix, dir=self.place.parent))
        try:
            # mkdtemp creates a private folder; this one must have ordinary permissions
            staging.chmod(0o777 & ~umask())
            for name, blob in contents.items():
                (staging / name).write_bytes(blob)
                to_disk(staging / name)
            self.settled(lambda: _copy(copied_files(), staging))
            to_disk(staging)
            if not exchange(staging, self.place):
                self.settled(lambda: self._swap_in_two_steps(staging))
            to_disk(self.place.parent)
        finally:
            _remove(staging)  # holds the old folder if the two were exchanged

    def remove_left_behind(self) -> None:
        """Remove what killed processes have left beside the folder."""
        obsolete = self._beside("previous*")
        # in this order: a folder put in place since then is newer than one moved aside
        if os.path.exists(self.place):
            for folder in obsolete:
                _remove(folder)
        for folder in self._beside("new-*"):
            # its own process has removed it
            with contextlib.suppress(FileNotFoundError):
                is_old = time.time() - folder.stat().st_mtime > _LEFT_BEHIND
                if is_old or is_left_behind(folder.name):
                    _remove(folder)

    def _identity(self) -> tuple[int, int] | None:
        """What distinguishes this folder from its replacements; None if there is no folder."""
        try:
            status = self.place.stat()
        except OSError:
            return None
        # the inode number alone may soon belong to another folder
        return status.st_ino, status.st_mtime_ns

    def _beside(self, ending: str) -> list[Path]:
        """Folders of processes that are replacing this one, or ended while doing so."""
        literal = re.sub(r"([*?\[])", r"[\1]", self.place.name)
        return list(self.place.parent.glob(f".{literal}.{ending}"))

    def _set_aside(self) -> Path | None:
        """The newest complete folder that was moved aside, if nothing is in its place now."""
        if os.path.exists(self.place):
            return None
        with contextlib.suppress(FileNotFoundError):  # put in place in the meantime
            return max(
                filter(self.is_whole, self._beside("previous*")),
                key=lambda folder: folder.stat().st_mtime,
                default=None,
            )
        return None

    def _put_back(self, previous: Path) -> None:
        try:
            previous.rename(self.place)
        except OSError as error:
            if os.path.exists(self.place):  # another process was faster
                return
            raise ModelError(
                f"The model {str(self.place)!r} was being replaced when its process ended, and "
                f"cannot be put back: {error.strerror or error}.\nRename the folder "
                f"{previous.name!r} beside it to {self.place.name!r}."
            ) from error

    def _swap_in_two_steps(self, staging: Path) -> None:
        # a unique name, like that of `new`
        unique = staging.name.rpartition("-")[2]
        aside = self.place.with_name(f".{self.place.name}.previous-{unique}")
        if self.place.exists():
            self.place.rename(aside)
        try:
            staging.rename(self.place)
        except OSError:
            with contextlib.suppress(OSError):
                aside.rename(self.place)
            if self.place.exists():  # the old folder again, or that of another process
                _remove(aside)
            raise
        _remove(aside)


def unfinished_in(folder: Path) -> list[Path]:
    """Unfinished folders in this one, left by processes that were killed.

    Must not be called while a process writes there, as its folders would look the same.
    """
    return [entry for entry in folder.iterdir() if _UNFINISHED.fullmatch(entry.name)]


def _left_to_the_system(path: Path) -> None:
    """Do nothing: the system flushes files to disk within half a minute or so."""


def _copy(entries: Iterable[Path], folder: Path) -> None:
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, folder / entry.name, dirs_exist_ok=True)
        else:
            shutil.copy2(entry, folder / entry.name)


def _remove(folder: Path) -> None:
    """Remove a folder, as far as possible."""
    with contextlib.suppress(OSError):
        folder.chmod(0o700)  # a read-only folder could not be emptied
    shutil.rmtree(folder, ignore_errors=True)
