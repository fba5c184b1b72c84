"""A saved model is a folder: `manifest.json` and one `NAME.safetensors` per group of arrays.

    airline-model/
        manifest.json            settings, and size and SHA-256 of each file beside it
        weights.safetensors      named arrays
        state.safetensors        named arrays

The store knows no classes: a manifest is a dictionary of JSON values, arrays are NumPy arrays.
Nothing in such a folder is ever run as code.

A saved folder is replaced as a whole, and other processes may load and save it meanwhile: see
`util/folders.py`. Other files in it, such as the user's notes, are kept.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from lstmcast.errors import LstmcastError, ModelError, OutputError
from lstmcast.store_problems import MANIFEST, damaged, not_there, unreadable
from lstmcast.util.files import checked_path, output_errors, require_writable
from lstmcast.util.files import make_durable as to_disk
from lstmcast.util.folders import AtomicFolder, unfinished_in
from lstmcast.util.patterns import pattern_of

FORMAT = "lstmcast store"
FORMAT_VERSION = 2
# written by the store, not by callers
OWN_KEYS = ("format", "format_version", "package_version", "files", "sha256")

_NAME = pattern_of(r"[a-z][a-z0-9_]*")
_FILE = pattern_of(r"[a-z][a-z0-9_]*\.safetensors")


def save(
    folder: str | Path,
    manifest: Mapping[str, Any],
    arrays: Mapping[str, Mapping[str, ndarray]],
    *,
    durable: bool = True,
) -> None:
    """Write a manifest and groups of named arrays as one folder, completely or not at all.

    `arrays` maps a group's name to its arrays: `{"weights": {"w": ...}}` becomes
    `weights.safetensors`. An existing store is replaced; a folder that holds anything else is left
    alone. The keys in `OWN_KEYS` of a loaded manifest are written anew. `durable`: whether to wait
    until it is on the disk; otherwise a power failure may damage it, which loading detects. Raises
    OutputError, and UsageError for an argument that is not a path.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     save(place + "/model", {"name": "airline"}, {"weights": {"w": np.arange(3.0)}})
    ...     manifest, arrays = load(place + "/model")
    >>> manifest["name"], arrays["weights"]["w"].tolist()
    ('airline', [0.0, 1.0, 2.0])
    """
    target = _atomic(checked_path(folder))
    blobs = {
        f"{_checked_name(name)}.safetensors": _packed(group)
        for name, group in arrays.items()
    }
    contents = {**blobs, MANIFEST: _manifest_text(manifest, blobs)}
    with output_errors(folder):
        target.place.parent.mkdir(parents=True, exist_ok=True)
        target.restore()
        _refuse_unless_replaceable(target.place)
        target.remove_left_behind()
        target.replace(
            contents, lambda: _files_of_others(target.place, contents), durable
        )


def make_durable(folder: str | Path) -> None:
    """Wait until what `save` wrote is on the disk, if it still exists; raises OutputError."""
    place = Path(folder)
    with output_errors(folder), contextlib.suppress(ModelError, FileNotFoundError):
        file_names = [MANIFEST, *read_manifest(place)["files"]]
        for path in (*(place / name for name in file_names), place, place.parent):
            to_disk(path)


def load(folder: str | Path) -> tuple[dict[str, Any], dict[str, dict[str, ndarray]]]:
    """Read a folder that `save` wrote: its manifest, and its arrays by group.

    Every file is compared with its checksum. Raises ModelError for a folder that is missing, not a
    store, damaged, or of a newer format, and UsageError for an argument that is not a path. Arrays
    may be read-only. See `save` for an example.
    """
    path = checked_path(folder)
    target = _atomic(path)
    target.restore()

    def read() -> tuple[dict[str, Any], dict[str, dict[str, ndarray]]]:
        manifest = read_manifest(path)
        return manifest, _read_arrays(path, manifest)

    return target.settled(read)


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Read and check the manifest of a saved folder. Raises ModelError or UsageError."""
    place = checked_path(folder)
    manifest = _atomic(place).settled(lambda: _parsed_manifest(place))
    _check_version(place, manifest)
    if manifest.get("sha256") != _digest(manifest):
        raise damaged(place, MANIFEST, "its contents do not match its checksum")
    files = manifest["files"] if isinstance(manifest.get("files"), dict) else {"": None}
    for name, entry in files.items():
        if not (
            _FILE.fullmatch(name)
            and isinstance(entry, dict)
            and {"bytes", "sha256"} <= entry.keys()
        ):
            raise damaged(
                place,
                MANIFEST,
                f"it lists {name!r}, which is not a file of a saved model",
            )
    return manifest


@contextlib.contextmanager
def complete(folder: str | Path, noun: str = "the model") -> Iterator[None]:
    """Turn errors about missing entries in a manifest or its arrays into ModelError.

    `what` is the thing that should be saved again.
    """
    try:
        yield
    except ModelError:
        raise
    except (
        *(KeyError, TypeError, ValueError, IndexError, AttributeError),
        *(ArithmeticError, RecursionError, LstmcastError),
    ) as error:
        raise ModelError(
            f"The manifest in {folder} is incomplete ({error!r}). Save {noun} again."
        ) from error


def check_place(folder: str | Path) -> None:
    """Raise the OutputError that `save` would raise for this folder; writes nothing."""
    place = Path(os.path.realpath(checked_path(folder)))
    with output_errors(folder):
        if place.exists():
            _refuse_unless_replaceable(place)
        parent = next(parent for parent in place.parents if parent.exists())
        if not parent.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        require_writable(parent)


def is_store(folder: str | Path) -> bool:
    """Whether a folder holds a manifest of this format, of any version."""
    place = Path(folder)
    try:
        manifest = _atomic(place).settled(lambda: _parsed_manifest(place))
    except ModelError:
        return False
    return manifest.get("format") == FORMAT


def kind_of(manifest: Mapping[str, Any]) -> str:
    """What a store holds, with article, for messages.

    >>> kind_of({"kind": "forecaster"}), kind_of({"kind": "network"}), kind_of({})
    ('a forecaster', 'a network', 'a thing of no kind')
    """
    kind = str(manifest.get("kind", "thing of no kind"))
    return f"{'an' if kind[:1] in set('aeiou') else 'a'} {kind}"


def remove_stores(folder: str | Path, kind: str) -> None:
    """Remove the stores of a kind in a folder, and the folder itself if it is then empty.

    Unfinished ones of killed processes are removed too, so no process may be saving there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     save(place + "/runs/member-0", {"kind": "checkpoint"}, {})
    ...     save(place + "/runs/sales", {"kind": "forecaster"}, {})
    ...     remove_stores(place + "/runs", kind="checkpoint")
    ...     os.listdir(place + "/runs")
    ['sales']
    """
    place = Path(folder)
    for path in place.iterdir() if place.is_dir() else ():
        if is_store(path) and _parsed_manifest(path).get("kind") == kind:
            shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        for path in filter(_may_be_ours, unfinished_in(place)):
            shutil.rmtree(path, ignore_errors=True)
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
    settings = {key: value for key, value in manifest.items() if key not in OWN_KEYS}
    contents = {**head, **settings, "files": files}
    contents["sha256"] = _digest(contents)
    return (
        json.dumps(contents, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    ).encode()


def _digest(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of the manifest without itself, independent of spaces and the order of keys."""
    hashed = {key: value for key, value in manifest.items() if key != "sha256"}
    text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _parsed_manifest(place: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise not_there(place) from None
    except OSError as error:
        raise unreadable(place / MANIFEST, error) from error
    # UnicodeDecodeError and JSONDecodeError are ValueErrors
    except (ValueError, RecursionError) as error:
        raise damaged(place, MANIFEST, f"it is not JSON ({error})") from error
    if not isinstance(manifest, dict):
        raise damaged(place, MANIFEST, "it does not hold a JSON object")
    return manifest


def _check_version(place: Path, manifest: Mapping[str, Any]) -> None:
    version = manifest.get("format_version")
    if manifest.get("format") != FORMAT or not isinstance(version, int):
        raise ModelError(
            f"{str(place / MANIFEST)!r} does not describe a saved model of lstmcast: its format "
            f"is {manifest.get('format')!r}, not {FORMAT!r}."
        )
    if not 1 <= version <= FORMAT_VERSION:
        raise ModelError(
            f"The model in {str(place)!r} has format version {version}; this lstmcast reads "
            f"versions up to {FORMAT_VERSION}.\nInstall a newer lstmcast (pip install --upgrade "
            "lstmcast), or save the model again."
        )


def _read_arrays(
    place: Path, manifest: Mapping[str, Any]
) -> dict[str, dict[str, ndarray]]:
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
        raise damaged(place, name, "it is missing") from None
    except OSError as error:
        raise unreadable(place / name, error) from error
    if len(blob) != entry["bytes"]:
        raise damaged(
            place,
            name,
            f"it has {len(blob):,} bytes and {entry['bytes']:,} are expected",
        )
    if hashlib.sha256(blob).hexdigest() != entry["sha256"]:
        raise damaged(
            place, name, f"its contents do not match the checksum in {MANIFEST}"
        )
    try:
        return unpack(blob)
    except SafetensorError as error:
        raise damaged(place, name, f"it does not hold arrays ({error})") from error


def _atomic(folder: Path) -> AtomicFolder:
    return AtomicFolder(Path(os.path.realpath(folder)), is_store)


def _refuse_unless_replaceable(place: Path) -> None:
    if (
        not place.exists()
        or is_store(place)
        or (place.is_dir() and (not any(place.iterdir()) or _was_store(place)))
    ):
        _refuse_where_we_are(place)
        return
    kind = "a folder with other contents" if place.is_dir() else "a file"
    raise OutputError(
        f"{str(place)!r} is {kind}, not a saved model, and is left alone.\n"
        "Name a new folder, an empty one, or one that holds a saved model."
    )


def _was_store(place: Path) -> bool:
    """Whether a folder holds only a broken manifest and arrays, so that saving again works."""
    arrays = {entry.name for entry in place.iterdir()} - {MANIFEST}
    try:
        blob = (place / MANIFEST).read_bytes()
    except OSError:
        return False
    with contextlib.suppress(ValueError, RecursionError):
        json.loads(blob)
        return False  # intact, and not a store
    is_ours = bool(arrays) or f'"{FORMAT}"'.encode() in blob
    return is_ours and all(map(_FILE.fullmatch, arrays))


def _may_be_ours(unfinished: Path) -> bool:
    """Whether a folder holds only files that a save would write."""
    names = [entry.name for entry in unfinished.iterdir()]
    return all(name == MANIFEST or _FILE.fullmatch(name) for name in names)


def _refuse_where_we_are(place: Path) -> None:
    """Refuse to replace the working folder: processes in it would be left without one."""
    if place.exists() and Path(os.path.realpath(os.curdir)).is_relative_to(place):
        raise OutputError(
            f"{str(place)!r} is the current folder or one above it, and would be replaced.\n"
            "Name another folder, or change to another one first."
        )


def _files_of_others(place: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Other files in a saved folder than its own and those to be written."""
    if not place.exists() or not is_store(place):
        return []
    own_names = {MANIFEST, *(_parsed_manifest(place).get("files") or {}), *contents}
    return [entry for entry in place.iterdir() if entry.name not in own_names]
