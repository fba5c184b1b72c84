"""A folder with finished parts of a long job, and facts that identify it.

airline-backtest/
    manifest.json            the facts: everything the job depends on, as text; large arrays by
                             their checksum
    model_0_cutoff_2/        one finished part, in the store's format
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from lstmcast import store
from lstmcast.errors import ModelError
from lstmcast.util.files import checked_path
from lstmcast.util.patterns import pattern_of

Arrays = dict[str, np.ndarray]
KIND = "backtest"
MOST_DIFFERENCES = 3
# Values that are used as facts directly.
PLAIN = (str, bool, int, float, complex, bytes, np.generic, PurePath)
_ARRAY = pattern_of(r"\S+ (\(.*\)) [0-9a-f]{16}")  # as `facts` writes arrays
_ADDRESS = pattern_of(r" at 0x[0-9a-fA-F]+")


class Finished:
    """The finished parts of one backtest in its folder, which is created if missing or empty.

    `facts`: everything the forecasts depend on. Raises ModelError if the folder belongs to another
    backtest, naming the differences, or holds something else that was saved; OutputError if it
    holds other files or cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     Finished(place, {"horizon": "12"}).keep("cutoff_1", {"point": np.ones(2)}, {})
    ...     print(Finished(place, {"horizon": "12"}).part("cutoff_1")[0]["point"])
    ...     Finished(place, {"horizon": "6"})
    Traceback (most recent call last):
    lstmcast.errors.ModelError: ... holds another backtest. horizon: 12 there, 6 now...
    """

    def __init__(self, folder: str | Path, facts: Mapping[str, str]) -> None:
        self.folder = checked_path(folder)
        if store.is_store(folder):
            _require_same(self.folder, dict(facts))
        else:
            store.save(folder, {"kind": KIND, "facts": dict(facts)}, {})

    def part(self, name: str) -> tuple[Arrays, dict[str, Any]] | None:
        """The arrays of a finished part and its other content; None if it is not finished."""
        try:
            manifest, arrays = store.load(self.folder / name)
        except ModelError as error:
            if not (self.folder / name).exists():
                return None
            raise ModelError(
                f"{error.message}\nOr remove that folder, to repeat this part of the backtest."
            ) from None
        return arrays["forecast"], manifest

    def keep(self, name: str, arrays: Arrays, about: Mapping[str, Any]) -> None:
        """Store a finished part as a whole; if that fails, nothing is stored and OutputError
        raised."""
        store.save(
            self.folder / name,
            {"kind": f"part of a {KIND}", **about},
            {"forecast": arrays},
        )


def _require_same(folder: Path, facts: dict[str, str]) -> None:
    manifest = store.read_manifest(folder)
    if manifest.get("kind") != KIND:
        raise ModelError(
            f"{str(folder)!r} holds {store.kind_of(manifest)}, not a backtest, and is left "
            "unchanged. Name a new folder."
        )
    stored = manifest["facts"]
    changed = [
        (name, stored.get(name, "nothing"), facts.get(name, "nothing"))
        for name in {**stored, **facts}
        if stored.get(name) != facts.get(name)
    ]
    if changed:
        changed.sort(key=lambda facts: sum(map(len, facts)))  # arrays last
        differences = [_difference(*change) for change in changed]
        left_out = len(differences) - MOST_DIFFERENCES
        ending = f"; and {left_out} more" if left_out > 0 else ""
        raise ModelError(
            f"The folder {str(folder)!r} holds another backtest. "
            f"{'; '.join(differences[:MOST_DIFFERENCES])}{ending}.\nName another folder, or remove "
            "this one to start over."
        )


def _difference(name: str, stored: str, current: str) -> str:
    """How a fact has changed; arrays, whose checksums say nothing to a reader, by their shape.

    >>> _difference("cutoffs", "int64 (1, 3) b344e0b3edafbf24", "int64 (1, 3) f0730c507882a79d")
    'cutoffs: other values now'
    >>> _difference("cutoffs", "int64 (1, 3) b344e0b3edafbf24", "int64 (1, 4) f0730c507882a79d")
    'cutoffs: shape (1, 3) there, shape (1, 4) now'
    """
    stored_array = _ARRAY.fullmatch(stored)
    current_array = _ARRAY.fullmatch(current)
    if stored_array and current_array and stored_array[1] == current_array[1]:
        return f"{name}: other values now"
    stored_text = f"shape {stored_array[1]}" if stored_array else stored
    current_text = f"shape {current_array[1]}" if current_array else current
    return f"{name}: {stored_text} there, {current_text} now"


def facts(work: Any) -> dict[str, str]:
    """The content of an object, as text by path; equal objects give equal facts in every process.

    An object may define it with a method `described()`; otherwise the state that pickle would save
    is traversed, without cached values (`cached_property`).

    >>> work = {"horizon": 12, "network": {"layers": (64, 32)}, "weights": np.zeros(2)}
    >>> facts(work)["network.layers.1"]
    '32'
    """
    return dict(_facts(work, "", ()))


def _facts(value: Any, path: str, above: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, np.ndarray):
        yield path, f"{value.dtype} {value.shape} {_checksum(value)}"
    elif value is None or isinstance(value, PLAIN):
        yield path, str(value)
    elif isinstance(value, type) or hasattr(value, "__qualname__"):
        yield path, f"{value.__module__}.{value.__qualname__}"
    elif id(value) in above:
        yield path, "itself"
    else:
        for name, child in _children(value):
            child_path = f"{path}.{name}".strip(".")
            yield from _facts(child, child_path, (*above, id(value)))


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        by_name = {str(key): child for key, child in value.items()}
        for name in sorted(by_name):
            yield name, by_name[name]
    elif isinstance(value, (list, tuple)):
        yield "length", len(value)
        for place, child in enumerate(value):
            yield str(place), child
    elif isinstance(value, (set, frozenset)):
        yield "members", str(sorted(map(str, value)))
    else:
        yield "type", type(value)
        yield from _attributes(value)


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    if callable(getattr(value, "described", None)):
        yield from _children({"described": value.described()})
    elif isinstance(value, partial):
        call = {
            "function": value.func,
            "arguments": value.args,
            "named": value.keywords,
        }
        yield from _children(call)
    elif (state := value.__getstate__()) is None:
        yield "value", _ADDRESS.sub("", repr(value))
    elif isinstance(state, dict):
        yield from _children(_without_remembered(state, type(value)))
    else:
        yield from _children({"state": state})


def _without_remembered(state: dict[str, Any], owner: type) -> dict[str, Any]:
    """Attributes that are not results of `cached_property`."""
    attributes = {}
    for name, value in state.items():
        if not isinstance(getattr(owner, str(name), None), cached_property):
            attributes[name] = value
    return attributes


def _checksum(array: np.ndarray) -> str:
    if array.dtype == object:
        content = "\0".join(map(str, array.ravel())).encode()
    else:
        content = array.tobytes()
    return hashlib.sha256(content).hexdigest()[:16]
