"""Folders that change as a whole: readers see the old one or the new one, never a part of both.

A folder is written under a temporary name beside its place and brought to the disk. Then the old
and the new one change places in one step where the system can (Linux). Elsewhere that takes two
renames (old one aside, new one in), as no system renames over a full folder; a crash between the
two leaves the old one whole under `.NAME.previous-…`, where the next reader and the next writer
find it.

Others may read and replace the same folder meanwhile. What fails is tried again, for about a
second, if the folder was replaced while it was read: one that is just damaged is reported at once.
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

T = TypeVar("T")
PATIENCE = 1.0  # seconds for another process to finish replacing a folder
# seconds after which an unfinished folder belongs to a process that was killed
_LEFT_BEHIND = 3600.0
_UNFINISHED = re.compile(
    r"\..+\.new-(?:[0-9a-f]+at[0-9a-f]{8}-)?[a-z0-9_]{8}", re.DOTALL
)  # as `replace` names them


@dataclass(frozen=True)
class AtomicFolder:
    """A folder that is replaced as a whole, by several processes if need be.

    `place`: where it is, links followed. `is_whole`: whether a folder is a whole one of its kind,
    so that it may be put back.
    """

    place: Path
    is_whole: Callable[[Path], bool]

    def settled(self, act: Callable[[], T]) -> T:
        """What `act` gives; where it fails while another process replaces the folder, it is tried
        again for a while."""
        until = None
        while True:
            identity = self._identity()
            try:
                return act()
            except (ModelError, OSError):
                # from here: `act` itself may have been held up
                until = until or time.monotonic() + PATIENCE
                replaced = self._identity() != identity or self._set_aside()
                if not replaced or time.monotonic() > until:
                    raise
            time.sleep(0.005)

    def restore(self) -> None:
        """Put back what was set aside for a replacement, unless that is finished within a second:
        its process has ended. Raises ModelError where it cannot be put back."""
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
        """Put a folder with these files in place: all of it, or nothing. Raises OSError.

        `copied_files`: what is in the old folder and goes along into the new one. It is asked when
        the new one is ready, and asked again where another process was faster. `durable`: whether
        to wait until it is on the disk; other processes see all of it or nothing anyway.
        """
        to_disk = make_durable if durable else _left_to_the_system
        prefix = f".{self.place.name}.new-{own_mark()}-"
        staging = Path(tempfile.mkdtemp(prefix=prefix, dir=self.place.parent))
        try:
            # mkdtemp makes a private folder; this one becomes an ordinary one
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
            _remove(staging)  # holds the old one by now where the two have changed places

    def remove_left_behind(self) -> None:
        """Remove what processes that were killed have left beside the folder."""
        obsolete = self._beside("previous*")
        # asked in this order: what came into place since is newer than what was set aside
        if os.path.exists(self.place):
            for folder in obsolete:
                _remove(folder)
        for folder in self._beside("new-*"):
            with contextlib.suppress(FileNotFoundError):  # its process has removed it
                is_old = time.time() - folder.stat().st_mtime > _LEFT_BEHIND
                if is_old or is_left_behind(folder.name):
                    _remove(folder)

    def _identity(self) -> tuple[int, int] | None:
        """What tells this folder from one that takes its place; None where there is none."""
        try:
            status = self.place.stat()
        except OSError:
            return None
        # the number alone is soon given to another folder
        return status.st_ino, status.st_mtime_ns

    def _beside(self, ending: str) -> list[Path]:
        """Folders of processes that are replacing this one, or ended while they did."""
        literal = re.sub(r"([*?\[])", r"[\1]", self.place.name)
        return list(self.place.parent.glob(f".{literal}.{ending}"))

    def _set_aside(self) -> Path | None:
        """The newest whole folder that was set aside, where nothing is in its place now."""
        if os.path.exists(self.place):
            return None
        with contextlib.suppress(FileNotFoundError):  # put in place meanwhile
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
        # a name of its own, as `new` has
        unique = staging.name.rpartition("-")[2]
        aside = self.place.with_name(f".{self.place.name}.previous-{unique}")
        if self.place.exists():
            self.place.rename(aside)
        try:
            staging.rename(self.place)
        except OSError:
            with contextlib.suppress(OSError):
                aside.rename(self.place)
            if self.place.exists():  # the old one again, or another process's
                _remove(aside)
            raise
        _remove(aside)


def unfinished_in(folder: Path) -> list[Path]:
    """What processes that were killed while they replaced a folder in this one left unfinished.

    Nobody may be writing there meanwhile: it would look the same.
    """
    return [entry for entry in folder.iterdir() if _UNFINISHED.fullmatch(entry.name)]


def _left_to_the_system(path: Path) -> None:
    """It brings files to the disk within half a minute or so."""


def _copy(entries: Iterable[Path], folder: Path) -> None:
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, folder / entry.name, dirs_exist_ok=True)
        else:
            shutil.copy2(entry, folder / entry.name)


def _remove(folder: Path) -> None:
    """Remove a folder, as far as that can be done."""
    with contextlib.suppress(OSError):
        folder.chmod(0o700)  # a read-only one could not be emptied
    shutil.rmtree(folder, ignore_errors=True)
