"""A saved thing is a folder: `manifest.json` and one `NAME.safetensors` per group of arrays.

    airline-model/
        manifest.json            what it is, and the size and SHA-256 of each file beside it
        weights.safetensors      named arrays
        state.safetensors        named arrays

The store knows no classes: a manifest is a dictionary of JSON values, arrays are NumPy arrays.
Nothing in such a folder is ever run as code.

A folder is written under a temporary name beside its place and brought to the disk. Then the old
and the new one change places in one step where the system can (Linux). Elsewhere that takes two
renames (old one aside, new one in), as no system renames over a full folder; a crash between the
two leaves the old one whole under `.NAME.previous-…`, where `load` and the next `save` find it.
Files that are not the store's own, such as a note of the user's, stay in a folder that is replaced.

Others may load and save the same folder meanwhile. What fails is tried again, for about a second,
if the folder was replaced while it was read: one that is just damaged is reported at once.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy import ndarray

from lstmcast.errors import ModelError, OutputError
from lstmcast.util.files import (
    checked_path,
    exchange,
    make_durable,
    output_errors,
    require_writable,
    umask,
)

FORMAT = "lstmcast store"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
# written by the store, not by callers
OWN_KEYS = ("format", "format_version", "package_version", "files", "sha256")

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FILE = re.compile(r"[a-z][a-z0-9_]*\.safetensors")
T = TypeVar("T")
PATIENCE = 1.0  # seconds for another process to finish replacing a folder

# seconds after which an unfinished folder belongs to a process that was killed
_LEFT_BEHIND = 3600.0


def save(
    folder: str | Path, manifest: Mapping[str, Any], arrays: Mapping[str, Mapping[str, ndarray]]
) -> None:
    """Write a manifest and groups of named arrays as one folder: all of it, or nothing.

    `arrays` maps a group's name to its arrays: `{"weights": {"w": ...}}` becomes
    `weights.safetensors`. A store that is there already is replaced; a folder that holds something
    else is left alone. The keys in `OWN_KEYS` of a manifest that was loaded before are written
    anew. Raises OutputError, and UsageError for what is no path.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     save(place + "/model", {"name": "airline"}, {"weights": {"w": np.arange(3.0)}})
    ...     manifest, arrays = load(place + "/model")
    >>> manifest["name"], arrays["weights"]["w"].tolist()
    ('airline', [0.0, 1.0, 2.0])
    """
    place = Path(os.path.realpath(checked_path(folder)))
    blobs = {f"{_checked_name(name)}.safetensors": _packed(group) for name, group in arrays.items()}
    text = _manifest_text(manifest, blobs)
    with output_errors(folder):
        place.parent.mkdir(parents=True, exist_ok=True)
        _restore_previous(place)
        _refuse_unless_replaceable(place)
        _remove_left_behind(place)
        _write_and_swap(place, {**blobs, MANIFEST: text})


def load(folder: str | Path) -> tuple[dict[str, Any], dict[str, dict[str, ndarray]]]:
    """Read a folder that `save` wrote: its manifest, and its arrays by group.

    Every file is compared with its checksum. Raises ModelError for a folder that is missing, not a
    store, damaged, or of a newer format, UsageError for what is no path. Arrays may be read-only.
    See `save` for a run.
    """
    path = checked_path(folder)
    _restore_previous(Path(os.path.realpath(path)))

    def read() -> tuple[dict[str, Any], dict[str, dict[str, ndarray]]]:
        manifest = read_manifest(path)
        return manifest, _read_arrays(path, manifest)

    return _settled(path, read)


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest of a saved folder, checked, without reading its arrays. Raises ModelError,
    UsageError."""
    place = checked_path(folder)
    manifest = _settled(place, lambda: _parsed_manifest(place))
    _check_version(place, manifest)
    if manifest.get("sha256") != _digest(manifest):
        raise _damaged(place, MANIFEST, "its contents do not fit the checksum in it")
    files = manifest["files"] if isinstance(manifest.get("files"), dict) else {"": None}
    for name, entry in files.items():
        if not (
            _FILE.fullmatch(name)
            and isinstance(entry, dict)
            and {"bytes", "sha256"} <= entry.keys()
        ):
            raise _damaged(
                place, MANIFEST, f"it lists {name!r}, which is not a file of a saved model"
            )
    return manifest


def check_place(folder: str | Path) -> None:
    """Raise the OutputError that `save` would raise for this folder, before long work begins;
    writes nothing."""
    place = Path(os.path.realpath(checked_path(folder)))
    with output_errors(folder):
        if place.exists():
            _refuse_unless_replaceable(place)
        parent = next(parent for parent in place.parents if parent.exists())
        if not parent.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        require_writable(parent)


def is_store(folder: str | Path) -> bool:
    """Whether a folder holds a manifest of this format, of whatever version, whatever its arrays
    are like."""
    place = Path(folder)
    try:
        return _settled(place, lambda: _parsed_manifest(place)).get("format") == FORMAT
    except ModelError:
        return False


def kind_of(manifest: Mapping[str, Any]) -> str:
    """What a store holds, for messages.

    >>> kind_of({"kind": "forecaster"}), kind_of({"kind": "online"}), kind_of({})
    ('a forecaster', 'an online network', 'a thing of no kind')
    """
    kind = str(manifest.get("kind", "thing of no kind"))
    kind = "online network" if kind == "online" else kind
    return f"{'an' if kind[:1] in set('aeiou') else 'a'} {kind}"


def remove_stores(folder: str | Path, kind: str, unfinished: bool = False) -> None:
    """Remove the stores of a kind that lie in a folder, and the folder itself if nothing else does.

    `unfinished`: also what processes left that were killed while they saved, whatever its kind. Only
    who keeps others from saving there can know that nobody is writing it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     save(place + "/runs/member-0", {"kind": "checkpoint"}, {})
    ...     save(place + "/runs/sales", {"kind": "forecaster"}, {})
    ...     remove_stores(place + "/runs", kind="checkpoint")
    ...     os.listdir(place + "/runs")
    ['sales']
    """
    place = Path(folder)
    for part in place.iterdir() if place.is_dir() else ():
        if is_store(part) and _parsed_manifest(part).get("kind") == kind:
            shutil.rmtree(part, ignore_errors=True)
    for part in (*place.glob(".*.new-*"), *place.glob(".*.previous-*")) if unfinished else ():
        _remove(part)
    with contextlib.suppress(OSError):
        place.rmdir()


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot name a group of arrays: lower-case letters, digits and _ are expected"
        )
    return name


def _packed(group: Mapping[str, ndarray]) -> bytes:
    from safetensors.numpy import save as pack

    return pack({name: _plain(name, values) for name, values in group.items()})


def _plain(name: str, values: ndarray) -> ndarray:
    values = np.asarray(values)
    if values.dtype.kind not in "fiub":
        raise TypeError(
            f"array {name!r} is of {values.dtype}: only numbers and booleans can be saved"
        )
    # Little-endian and contiguous: a view with strides would be written in the order of its base.
    return np.array(values, dtype=values.dtype.newbyteorder("<"), order="C", copy=None)


def _manifest_text(manifest: Mapping[str, Any], blobs: Mapping[str, bytes]) -> bytes:
    from lstmcast._version import __version__

    files = {
        name: {"bytes": len(blob), "sha256": hashlib.sha256(blob).hexdigest()}
        for name, blob in blobs.items()
    }
    head = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "package_version": __version__,
    }
    described = {key: value for key, value in manifest.items() if key not in OWN_KEYS}
    whole = {**head, **described, "files": files}
    whole["sha256"] = _digest(whole)
    return (json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _digest(manifest: Mapping[str, Any]) -> str:
    """SHA-256 over everything but itself, whatever the spaces and the order of keys."""
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _parsed_manifest(place: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise _not_there(place) from None
    except OSError as error:
        raise _unreadable(place / MANIFEST, error) from error
    # UnicodeDecodeError and JSONDecodeError are ValueErrors
    except (ValueError, RecursionError) as error:
        raise _damaged(place, MANIFEST, f"it is not JSON ({error})") from error
    if not isinstance(manifest, dict):
        raise _damaged(place, MANIFEST, "it does not hold a JSON object")
    return manifest


def _not_there(place: Path) -> ModelError:
    if not os.path.exists(place):
        what = f"there is no folder {str(place)!r}"
    elif not os.path.isdir(place):
        what = f"{str(place)!r} is a file"
    else:
        what = f"the folder {str(place)!r} holds no {MANIFEST}"
    return ModelError(
        f"No saved model: {what}.\nA folder written by `lstmcast fit … --model DIR` or `lstmcast "
        "forecast … --save DIR` is expected."
    )


def _check_version(place: Path, manifest: Mapping[str, Any]) -> None:
    version = manifest.get("format_version")
    if manifest.get("format") != FORMAT or not isinstance(version, int):
        raise ModelError(
            f"{str(place / MANIFEST)!r} does not describe a saved model of lstmcast: it is of "
            f"format {manifest.get('format')!r}, and {FORMAT!r} is expected."
        )
    if not 1 <= version <= FORMAT_VERSION:
        raise ModelError(
            f"The model in {str(place)!r} has format version {version}; this lstmcast reads "
            f"versions up to {FORMAT_VERSION}.\nInstall a newer lstmcast (pip install --upgrade "
            "lstmcast), or save the model again."
        )


def _read_arrays(place: Path, manifest: Mapping[str, Any]) -> dict[str, dict[str, ndarray]]:
    return {
        Path(name).stem: _read_group(place, name, entry)
        for name, entry in manifest["files"].items()
    }


def _read_group(place: Path, name: str, entry: Mapping[str, Any]) -> dict[str, ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load as unpack

    try:
        blob = (place / name).read_bytes()
    except FileNotFoundError:
        raise _damaged(place, name, "it is missing") from None
    except OSError as error:
        raise _unreadable(place / name, error) from error
    if len(blob) != entry["bytes"]:
        raise _damaged(
            place, name, f"it has {len(blob):,} bytes and {entry['bytes']:,} are expected"
        )
    if hashlib.sha256(blob).hexdigest() != entry["sha256"]:
        raise _damaged(place, name, f"its contents do not fit the checksum in {MANIFEST}")
    try:
        return unpack(blob)
    except SafetensorError as error:
        raise _damaged(place, name, f"it does not hold arrays ({error})") from error


def _damaged(place: Path, name: str, what: str) -> ModelError:
    return ModelError(
        f"The model in {str(place)!r} is damaged: {name}: {what}.\n"
        "Save the model again, or copy the whole folder again from where it came."
    )


def _unreadable(path: Path, error: OSError) -> ModelError:
    """It may be as good as ever: nothing is said of damage."""
    if error.errno in (errno.EACCES, errno.EPERM):
        why = "there is no permission to read it.\nAsk the owner of the folder for it, or use a copy that you may read."
    else:
        why = f"{error.strerror or error}.\nTry again, or copy the whole folder again from where it came."
    return ModelError(f"{str(path)!r} cannot be read: {why}")


def _settled(folder: Path, act: Callable[[], T]) -> T:
    """What `act` gives; where it fails while another process replaces the folder, it is tried
    again for a while."""
    place, until = Path(os.path.realpath(folder)), None
    while True:
        seen = _identity(place)
        try:
            return act()
        except (ModelError, OSError):
            # from here: `act` itself may have been held up
            until = until or time.monotonic() + PATIENCE
            replaced = _identity(place) != seen or _set_aside(place)
            if not replaced or time.monotonic() > until:
                raise
        time.sleep(0.005)


def _identity(place: Path) -> tuple[int, int] | None:
    """What tells this folder from one that takes its place; None where there is none."""
    try:
        found = place.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns  # the number alone is soon given to another folder


def _previous(place: Path) -> list[Path]:
    """What was set aside by processes that are replacing the folder, or ended while they did."""
    return list(place.parent.glob(f".{_glob_literal(place.name)}.previous*"))


def _set_aside(place: Path) -> Path | None:
    """The newest store that was set aside, where nothing is in its place now."""
    if os.path.exists(place):
        return None
    with contextlib.suppress(FileNotFoundError):  # put in place meanwhile
        return max(
            filter(is_store, _previous(place)),
            key=lambda folder: folder.stat().st_mtime,
            default=None,
        )
    return None


def _restore_previous(place: Path) -> None:
    """Put back what was set aside for a replacement, unless that is finished within a second:
    its process has ended."""
    until = time.monotonic() + PATIENCE
    while old := _set_aside(place):
        if time.monotonic() > until:
            _put_back(old, place)
            return
        time.sleep(0.005)


def _put_back(old: Path, place: Path) -> None:
    try:
        old.rename(place)
    except OSError as error:
        if os.path.exists(place):  # another process was faster
            return
        raise ModelError(
            f"The model {str(place)!r} was being replaced when its process ended, and cannot be "
            f"put back: {error.strerror or error}.\nRename the folder {old.name!r} beside it to "
            f"{place.name!r}."
        ) from error


def _refuse_unless_replaceable(place: Path) -> None:
    if (
        not place.exists()
        or is_store(place)
        or (place.is_dir() and (not any(place.iterdir()) or _was_store(place)))
    ):
        _refuse_where_we_are(place)
        return
    kind = "a folder with other things in it" if place.is_dir() else "a file"
    raise OutputError(
        f"{str(place)!r} is {kind}, not a saved model, and is left alone.\n"
        "Name a new folder, an empty one, or one that holds a saved model."
    )


def _was_store(place: Path) -> bool:
    """Whether a folder holds a broken manifest and arrays, and nothing else: advice to save
    again must hold."""
    arrays = {entry.name for entry in place.iterdir()} - {MANIFEST}
    try:
        blob = (place / MANIFEST).read_bytes()
    except OSError:
        return False
    with contextlib.suppress(ValueError, RecursionError):
        json.loads(blob)
        return False  # whole, and somebody else's
    ours = bool(arrays) or f'"{FORMAT}"'.encode() in blob
    return ours and all(map(_FILE.fullmatch, arrays))


def _refuse_where_we_are(place: Path) -> None:
    """A folder that is replaced is another one afterwards: whoever was in it, a shell too, would
    be nowhere."""
    if place.exists() and Path(os.path.realpath(os.curdir)).is_relative_to(place):
        raise OutputError(
            f"{str(place)!r} is the folder you are in, or one above it, and would be replaced.\n"
            "Name another folder, or go to another one first."
        )


def _remove_left_behind(place: Path) -> None:
    """Remove what processes that were killed have left beside the folder."""
    obsolete = _previous(place)
    # asked in this order: what came into place since is newer than what was set aside
    if os.path.exists(place):
        for folder in obsolete:
            _remove(folder)
    for folder in place.parent.glob(f".{_glob_literal(place.name)}.new-*"):
        with contextlib.suppress(FileNotFoundError):  # its process has removed it
            if time.time() - folder.stat().st_mtime > _LEFT_BEHIND:
                _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder, as far as that can be done."""
    with contextlib.suppress(OSError):
        folder.chmod(0o700)  # a read-only one could not be emptied
    shutil.rmtree(folder, ignore_errors=True)


def _glob_literal(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def _write_and_swap(place: Path, contents: Mapping[str, bytes]) -> None:
    new = Path(tempfile.mkdtemp(prefix=f".{place.name}.new-", dir=place.parent))
    try:
        # mkdtemp makes a private folder; a saved model is an ordinary one
        new.chmod(0o777 & ~umask())
        for name, blob in contents.items():
            (new / name).write_bytes(blob)
            make_durable(new / name)
        _settled(place, lambda: _keep_files_of_others(place, new, contents))
        make_durable(new)
        _swap(place, new)
    finally:
        _remove(new)  # holds the old one by now where the two have changed places


def _keep_files_of_others(place: Path, new: Path, contents: Mapping[str, bytes]) -> None:
    if not place.exists() or not is_store(place):
        return
    own = {MANIFEST, *(_parsed_manifest(place).get("files") or {}), *contents}
    for entry in place.iterdir():
        if entry.name in own:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, new / entry.name, dirs_exist_ok=True)
        else:
            shutil.copy2(entry, new / entry.name)


def _swap(place: Path, new: Path) -> None:
    if not exchange(new, place):
        _settled(place, lambda: _swap_in_two_steps(place, new))
    make_durable(place.parent)


def _swap_in_two_steps(place: Path, new: Path) -> None:
    # a name of its own, as `new` has
    aside = place.with_name(f".{place.name}.previous-{new.name.rpartition('-')[2]}")
    if place.exists():
        place.rename(aside)
    try:
        new.rename(place)
    except OSError:
        with contextlib.suppress(OSError):
            aside.rename(place)
        if place.exists():  # the old one again, or another process's
            _remove(aside)
        raise
    _remove(aside)
