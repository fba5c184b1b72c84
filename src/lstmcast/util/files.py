"""Files that appear whole or not at all, locks, and plain messages for errors of the system."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import platform
import re
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lstmcast.errors import OutputError, UsageError

# What happened and what to do about it, by the system's error number.
_REASONS = {
    errno.ENOSPC: "the disk is full. Free some space, or name a place on another disk.",
    errno.EDQUOT: "your quota is used up. Free some space, or name a place on another disk.",
    errno.EFBIG: "it exceeds the maximum file size here. Name a place on another disk.",
    errno.EACCES: "permission to write there is missing. Name a place that you may write to.",
    errno.EPERM: "permission to write there is missing. Name a place that you may write to.",
    errno.EROFS: "the disk is read-only. Name a place that you may write to.",
    errno.ENOENT: "its folder does not exist. Create the folder first, or name another place.",
    errno.ENOTDIR: "a part of the path is a file, not a folder. Name another place.",
    errno.EISDIR: "it is a folder, but a file is expected. Name a file.",
    errno.EEXIST: "a file of that name already exists. Name another place.",
    errno.ENAMETOOLONG: "the name is too long. Choose a shorter one.",
}

# AT_FDCWD and the flag of renameat2, from Linux's fcntl.h and fs.h
_HERE = -100
_RENAME_EXCHANGE = 2


def checked_path(path: object) -> Path:
    """The path of a file or a folder; UsageError if it is not a path.

    >>> checked_path("forecast.csv").suffix
    '.csv'
    >>> checked_path(5)
    Traceback (most recent call last):
    lstmcast.errors.UsageError: 5 is not a path. A text or a pathlib.Path is expected, such as
    'results/model'.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise UsageError(
            f"{path!r} is not a path. A text or a pathlib.Path is expected, such as "
            f"'results/model'."
        )
    return Path(text)


def check_output(path: str | os.PathLike[str], endings: Sequence[str]) -> Path:
    """The path, if a file with one of these extensions can be written; otherwise an OutputError
    with the reason.

    Called before long work begins, so that nobody waits for a result that cannot be written. A
    device or a pipe may have any name. UsageError if it is not a path.

    >>> check_output("forecast.xyz", (".csv", ".parquet"))
    Traceback (most recent call last):
    lstmcast.errors.OutputError: 'forecast.xyz' cannot be written: ... that ends in .csv or
    .parquet.
    """
    place = _resolved(checked_path(path))
    with output_errors(path):
        if place.is_dir():
            raise _os_error(errno.EISDIR)
        if not Path(path).name.lower().endswith(tuple(endings)) and not _is_special(
            place
        ):
            raise OutputError(
                f"{str(path)!r} cannot be written: the format of its extension is unknown. Name a "
                f"file that ends in {' or '.join(endings)}."
            )
        if not place.parent.is_dir():
            number = errno.ENOTDIR if place.parent.exists() else errno.ENOENT
            raise _os_error(number)
        touched = [place] if _is_special(place) else [place.parent, place]
        for needed in touched:
            require_writable(needed)
    return Path(path)


def require_writable(place: Path) -> None:
    """Raise the OSError that writing there would raise, as far as it is known without writing."""
    if place.exists() and not os.access(place, os.W_OK):
        read_only = hasattr(os, "statvfs") and os.statvfs(place).f_flag & os.ST_RDONLY
        number = errno.EROFS if read_only else errno.EACCES
        raise _os_error(number)


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside `path`, which is renamed to `path` if the block succeeds and removed
    if it fails.

    Readers of `path` see the old file or the new one, never a part. The temporary name keeps the
    extension, as writers choose their format by it. Raises OutputError, and UsageError if it is not
    a path.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with whole_file(place + "/a.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     print(Path(place, "a.txt").read_text(), len(list(Path(place).iterdir())))
    whole 1
    """
    place = _resolved(checked_path(path))
    temporary: Path | None = None
    with output_errors(path):
        try:
            if place.is_dir():
                raise _os_error(errno.EISDIR)
            special = _is_special(place)
            folder = None if special else place.parent
            beginning = f".{place.stem[:100]}."
            if folder is not None:
                remove_left_behind(folder, beginning, place.suffix)
            handle, name = tempfile.mkstemp(
                prefix=f"{beginning}{own_mark()}-", suffix=place.suffix, dir=folder
            )
            os.close(handle)
            temporary = Path(name)
            yield temporary
            if special:
                place.write_bytes(temporary.read_bytes())
            else:
                make_durable(temporary)
                _take_over_mode(place, temporary)
                temporary.replace(place)
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)


def own_mark() -> str:
    """The part of temporary file names that identifies this process among others, here and on other
    machines that share the disk, so that files of killed processes can be removed."""
    return f"{os.getpid():x}at{_machine()}"


def is_left_behind(name: str) -> bool:
    """Whether a temporary file or folder belongs to a process of this machine that has ended.

    >>> is_left_behind(f".f.{own_mark()}-x1.csv"), is_left_behind(".f.x1.csv")
    (False, False)
    """
    mark = re.search(r"[.-]([0-9a-f]{1,8})at([0-9a-f]{8})-", name)
    return (
        mark is not None and mark[2] == _machine() and not _is_running(int(mark[1], 16))
    )


def remove_left_behind(folder: Path, beginning: str, ending: str) -> None:
    """Remove temporary files that ended processes left for one file, as far as possible."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            name = entry.name
            is_ours = name.startswith(beginning) and name.endswith(ending)
            if (
                is_ours
                and is_left_behind(name)
                and entry.is_file(follow_symlinks=False)
            ):
                os.unlink(entry.path)


def _machine() -> str:
    """A name of this machine or container."""
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _is_running(process: int) -> bool:
    if os.name == "nt":
        return True  # the call below would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it belongs to another user
    return True


@contextmanager
def output_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn an OSError in the block into an OutputError that says what to do."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{str(path)!r} cannot be written: {_reason(error)}"
        ) from error


def _reason(error: OSError) -> str:
    return _REASONS.get(
        error.errno or 0, f"{error.strerror or error}. Name another place."
    )


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _resolved(path: Path) -> Path:
    """The target of a link, so that the link is kept; but an open pipe such as /dev/stdout has no
    target."""
    return path if _is_special(path) else Path(os.path.realpath(path))


def _is_special(place: Path) -> bool:
    """Whether it is a device or a pipe such as /dev/stdout, which is written to, never replaced."""
    return place.exists() and not place.is_file() and not place.is_dir()


def exchange(first: Path, second: Path) -> bool:
    """Exchange two files or folders atomically, and return whether that was possible.

    False, with nothing changed, if one is missing or if the system or disk does not support it; so
    far only Linux does.
    """
    if sys.platform != "linux":
        return False
    import ctypes

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):  # a C library without this function
        return False
    return (
        rename(_HERE, os.fsencode(first), _HERE, os.fsencode(second), _RENAME_EXCHANGE)
        == 0
    )


# how often other processes may remove the folder of a lock before no folder can be made there
_REMOVALS = 100


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold a lock in the block, by a file that exists only there; yields whether it was obtained.

    Its folder is created if necessary, and removed if it is empty afterwards. The system releases
    the lock when the process ends in any way, so a killed process blocks nobody. If the system or
    disk has no such locks, the lock is always obtained.
    """
    handle = _lock_handle(path)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            _give_up_lock(path, handle)


def _lock_handle(path: Path) -> int | None:
    """An open file that holds the lock; None if another process holds it."""
    removals = 0
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            # another process that ended removed the folder just after it was made
            removals += 1
            # /proc and the like say the same of every folder
            if removals > _REMOVALS:
                raise
            continue
        if not _take_lock(handle):
            os.close(handle)
            return None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        # the previous holder has removed the file: a lock on it would exclude nobody
        os.close(handle)


def _take_lock(handle: int) -> bool:
    if not _has_flock():
        return _take_windows_lock(handle)
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a disk without locks, as some network disks are
        return True
    return True


def _has_flock() -> bool:
    """Whether this is a POSIX system, as all but Windows are."""
    return importlib.util.find_spec("fcntl") is not None


def _take_windows_lock(handle: int) -> bool:
    """Lock the first byte of a file, and return whether that was possible."""
    try:
        import msvcrt
    except ImportError:  # no locks of either kind
        return True
    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
    except OSError:
        return False
    return True


def _give_up_lock(path: Path, handle: int) -> None:
    """Remove the file and release the lock; remove its folder too if it is empty.

    The file is removed first, as it may belong to another process afterwards. Windows removes
    neither an open file nor one that another process has opened in the meantime.
    """
    if not _has_flock():
        os.close(handle)
    with contextlib.suppress(OSError):
        path.unlink()
    if _has_flock():
        os.close(handle)
    with contextlib.suppress(OSError):
        path.parent.rmdir()


def make_durable(path: Path) -> None:
    """Flush a file or a folder to disk, so that it is whole after a power cut."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open folders
    mode = os.O_RDONLY if path.is_dir() else os.O_RDWR
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _take_over_mode(place: Path, temporary: Path) -> None:
    """Give the new file the permissions of the old one, or those of any new file: mkstemp creates
    private files."""
    mode = 0o666 & ~umask()
    if place.exists():
        mode = place.stat().st_mode & 0o777
    temporary.chmod(mode)


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
