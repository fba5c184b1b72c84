"""A folder that keeps what is finished of long work, and knows which work it belongs to.

airline-backtest/
    manifest.json            the facts: what the work depends on, as text, large arrays by their
                             checksum
    model_0_cutoff_2/        one finished part, in the store's format
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from lstmcast import store
from lstmcast.errors import ModelError
from lstmcast.util.files import checked_path

Arrays = dict[str, np.ndarray]
KIND = "backtest"
MOST_DIFFERENCES = 3
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Finished:
    """The finished parts of one backtest in its folder, made where it is missing or empty.

    `facts`: what the forecasts depend on. Raises ModelError where the folder belongs to another
    backtest, saying what differs, or holds something else that was saved; OutputError where it
    holds other things or cannot be written.

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
        """The arrays of a finished part and what else was kept; None where it is not finished."""
        try:
            manifest, arrays = store.load(self.folder / name)
        except ModelError as error:
            if not (self.folder / name).exists():
                return None
            raise ModelError(
                f"{error}\nOr remove that folder: this part of the backtest is then done again."
            ) from None
        return arrays["forecast"], manifest

    def keep(self, name: str, arrays: Arrays, about: Mapping[str, Any]) -> None:
        """Store a finished part: the whole of it or, with an OutputError, nothing."""
        store.save(self.folder / name, {"kind": f"part of a {KIND}", **about}, {"forecast": arrays})


def _require_same(folder: Path, facts: dict[str, str]) -> None:
    manifest = store.read_manifest(folder)
    if manifest.get("kind") != KIND:
        raise ModelError(
            f"{str(folder)!r} holds {store.kind_of(manifest)}, not a backtest, and is left alone. "
            "Name a new folder."
        )
    kept = manifest["facts"]
    differing = [name for name in {**kept, **facts} if kept.get(name) != facts.get(name)]
    if differing:
        shown = [
            f"{name}: {kept.get(name, 'nothing')} there, {facts.get(name, 'nothing')} now"
            for name in differing
        ]
        shown.sort(key=len)  # plain settings before checksums
        more = (
            f"; and {len(shown) - MOST_DIFFERENCES} more" if len(shown) > MOST_DIFFERENCES else ""
        )
        raise ModelError(
            f"The folder {str(folder)!r} holds another backtest. "
            f"{'; '.join(shown[:MOST_DIFFERENCES])}{more}.\nName another folder, or remove this "
            "one to start over."
        )


def facts(thing: Any) -> dict[str, str]:
    """What an object consists of, as texts by the path to them; equal objects give equal facts in
    every process.

    An object may say it itself, by a method `described()`; else what pickle would take is followed,
    attributes that are only remembered (`cached_property`) left out.

    >>> work = {"horizon": 12, "network": {"layers": (64, 32)}, "weights": np.zeros(2)}
    >>> facts(work)["network.layers.1"]
    '32'
    """
    return dict(_facts(thing, "", ()))


def _facts(thing: Any, path: str, above: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(thing, np.ndarray):
        yield path, f"{thing.dtype} {thing.shape} {_checksum(thing)}"
    elif thing is None or isinstance(
        thing, (str, bool, int, float, complex, bytes, np.generic, PurePath)
    ):
        yield path, str(thing)
    elif isinstance(thing, type) or hasattr(thing, "__qualname__"):
        yield path, f"{thing.__module__}.{thing.__qualname__}"
    elif id(thing) in above:
        yield path, "itself"
    else:
        for name, part in _parts(thing):
            yield from _facts(part, f"{path}.{name}".strip("."), (*above, id(thing)))


def _parts(thing: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, Mapping):
        yield from sorted(
            ((str(key), value) for key, value in thing.items()), key=lambda item: item[0]
        )
    elif isinstance(thing, (list, tuple)):
        yield "length", len(thing)
        yield from ((str(place), value) for place, value in enumerate(thing))
    elif isinstance(thing, (set, frozenset)):
        yield "members", str(sorted(map(str, thing)))
    else:
        yield "type", type(thing)
        yield from _attributes(thing)


def _attributes(thing: Any) -> Iterator[tuple[str, Any]]:
    if callable(getattr(thing, "described", None)):
        yield from _parts({"described": thing.described()})
    elif isinstance(thing, partial):
        yield from _parts(
            {"function": thing.func, "arguments": thing.args, "named": thing.keywords}
        )
    elif (state := thing.__getstate__()) is None:
        yield "value", _ADDRESS.sub("", repr(thing))
    elif isinstance(state, dict):
        remembered = {
            name
            for name in state
            if isinstance(getattr(type(thing), str(name), None), cached_property)
        }
        yield from _parts({name: value for name, value in state.items() if name not in remembered})
    else:
        yield from _parts({"state": state})


def _checksum(array: np.ndarray) -> str:
    plain = (
        "\0".join(map(str, array.ravel())).encode() if array.dtype == object else array.tobytes()
    )
    return hashlib.sha256(plain).hexdigest()[:16]
