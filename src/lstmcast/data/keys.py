"""What the data call each series: columns of ids in their own types, and the column of its values.

Inside of the package a series is known by one text, its id ("north/milk"). What stood in the data
(store and item, numbers, dates or categories) goes along in `Keys` and comes back in forecasts.

    S series, or other rows that are taken from them
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.util.categories import Categories
from lstmcast.util.objects import objects

OWN_NAME = "unique_id"  # of the column of ids, where the data have none
TARGET_NAME = "target"  # of the column that says which of several targets a row is about
# what a long table of forecasts has beside the keys
_TAKEN = frozenset(("ds", "step", "cutoff", "forecast", "actual", TARGET_NAME))


@dataclass(frozen=True, eq=False)
class Keys(Mapping[str, NDArray]):
    """The columns of ids of each series, by name: (S,) each, in the type that the data gave them.

    Integers are int64, dates datetime64[D], times datetime64[us], texts objects. `categories`: of
    those that were columns of categories. `targets` (S,): which column of values each series is,
    where each row of ids has several; None where it has one.

    >>> items = np.array(["milk", "tea", "tea"], object)
    >>> keys = Keys({"store": np.array([3, 3, 7]), "item": items})
    >>> keys.take(np.array([2, 0]))["store"].tolist(), list(keys)
    ([7, 3], ['store', 'item'])
    """

    arrays: Mapping[str, NDArray] = field(default_factory=dict)
    categories: Mapping[str, Categories] = field(default_factory=dict)
    targets: NDArray | None = None

    def __post_init__(self) -> None:
        targets = () if self.targets is None else (self.targets,)
        for array in (*self.arrays.values(), *targets):
            array.flags.writeable = False

    def __getitem__(self, name: str) -> NDArray:
        return self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def take(self, rows: NDArray) -> Keys:
        """Those of some series (numbers or a mask), in that order."""
        arrays = {name: array[rows] for name, array in self.arrays.items()}
        return Keys(arrays, self.categories, None if self.targets is None else self.targets[rows])

    def row_names(self, ids: NDArray) -> NDArray:
        """The ids without the name of the target, which the series of one row do not share:
        (S,)."""
        if self.targets is None:
            return ids
        return objects(
            str(name).removesuffix(f"/{target}")
            for name, target in zip(ids, self.targets, strict=True)
        )

    def columns(self, ids: NDArray) -> dict[str, NDArray]:
        """The columns that name series in a long table: the keys, or ids where there are none.

        A key whose name the table needs for something else is called with "_id" behind it.

        >>> Keys().columns(np.array(["a"], object))
        {'unique_id': array(['a'], dtype=object)}
        """
        named = {column_name(name): array for name, array in self.arrays.items()}
        named = named or {OWN_NAME: self.row_names(ids)}
        return named if self.targets is None else named | {TARGET_NAME: self.targets}

    def column_categories(self) -> dict[str, Categories]:
        """The categories of those columns."""
        return {column_name(name): found for name, found in self.categories.items()}


def column_name(key: str) -> str:
    """What the column of a key is called in a long table of forecasts.

    >>> column_name("store"), column_name("step")
    ('store', 'step_id')
    """
    is_quantile = key[:1] == "q" and key[1:].replace(".", "", 1).isdecimal()
    return f"{key}_id" if key in _TAKEN or is_quantile else key


def joined(parts: Sequence[Keys]) -> Keys:
    """The keys of series of several sources, one after the other.

    Without any where the sources have other keys each. Types that differ become text, categories
    that differ are not kept.
    """
    first = parts[0]
    if any(list(part) != list(first) for part in parts):
        return Keys()
    arrays = {name: _one_type([part[name] for part in parts]) for name in first}
    same = {
        name: kept
        for name, kept in first.categories.items()
        if all(kept.same(part.categories.get(name)) for part in parts)
    }
    targets = [part.targets for part in parts if part.targets is not None]
    return Keys(arrays, same, np.concatenate(targets) if len(targets) == len(parts) else None)


def _one_type(arrays: list[NDArray]) -> NDArray:
    if len({array.dtype for array in arrays}) == 1:
        return np.concatenate(arrays)
    return np.concatenate([texts_of(array) for array in arrays])


def texts_of(array: NDArray) -> NDArray:
    """A key as texts, (S,) objects: whole numbers without a point, days without a clock."""
    return objects(map(str, array.tolist()))


# ------------------------------------------------------------------ saved and read back


def described(keys: Keys) -> list[dict[str, Any]]:
    """The names and types of keys, for a manifest: what `packed_keys` puts into arrays."""
    return [
        {"name": name, "type": _type_of(array)} | _categories_described(keys.categories.get(name))
        for name, array in keys.arrays.items()
    ]


def _categories_described(kept: Categories | None) -> dict[str, Any]:
    if kept is None:
        return {}
    values = kept.values.astype(str) if _is_time(kept.values) else kept.values
    listed = {"values": values.tolist(), "type": _type_of(kept.values)}
    return {"categories": listed | {"ordered": kept.ordered, "fixed": kept.fixed}}


def packed_keys(keys: Keys) -> dict[str, NDArray]:
    """Keys as arrays of numbers under names for the store: "key0" is the first one."""
    targets = {} if keys.targets is None else {"targets": keys.targets}
    named = {f"key{i}": array for i, array in enumerate(keys.arrays.values())} | targets
    packed_columns: dict[str, NDArray] = {}
    for name, array in named.items():
        if array.dtype.kind == "O":
            packed_columns |= packed(array, name, f"{name}_lengths")
        else:
            packed_columns[name] = array.astype(np.int64) if _is_time(array) else array
    return packed_columns


def keys_from_saved(said: Sequence[Mapping[str, Any]], arrays: Mapping[str, NDArray]) -> Keys:
    """What `described` and `packed_keys` gave; nothing where an older version saved."""
    columns = {
        str(one["name"]): _unpacked(f"key{i}", one["type"], arrays) for i, one in enumerate(said)
    }
    categories = {
        str(one["name"]): Categories(
            np.array(one["categories"]["values"], _dtype_of(one["categories"]["type"])),
            one["categories"]["ordered"],
            one["categories"]["fixed"],
        )
        for one in said
        if "categories" in one
    }
    targets = _unpacked("targets", "text", arrays) if "targets" in arrays else None
    return Keys(columns, categories, targets)


def _unpacked(name: str, kind: str, arrays: Mapping[str, NDArray]) -> NDArray:
    if kind == "text":
        return unpacked(arrays[name], arrays[f"{name}_lengths"])
    return arrays[name].astype(_dtype_of(kind))


_DTYPES = {
    "text": np.dtype(object),
    "integer": np.dtype(np.int64),
    "number": np.dtype(np.float64),
    "boolean": np.dtype(bool),
    "date": np.dtype("datetime64[D]"),
    "time": np.dtype("datetime64[us]"),
}


def _dtype_of(kind: str) -> np.dtype:
    return _DTYPES[kind]


def _type_of(array: NDArray) -> str:
    return next(kind for kind, dtype in _DTYPES.items() if dtype == array.dtype)


def _is_time(array: NDArray) -> bool:
    return array.dtype.kind == "M"


def packed(texts: NDArray, letters: str = "ids", lengths: str = "id_lengths") -> dict[str, NDArray]:
    """Texts as arrays of numbers, for the store: all letters, and how many each text has.

    >>> packed(np.array(["a", "bc"], object))
    {'ids': array([97, 98, 99], dtype=uint8), 'id_lengths': array([1, 2])}
    """
    encoded = [str(text).encode() for text in texts]
    return {
        letters: np.frombuffer(b"".join(encoded), np.uint8),
        lengths: np.array([len(text) for text in encoded], np.int64),
    }


def unpacked(letters: NDArray, lengths: NDArray) -> NDArray:
    """The texts again: (S,) objects."""
    ends = np.cumsum(lengths)
    text = letters.tobytes()
    return objects(
        text[end - length : end].decode() for end, length in zip(ends, lengths, strict=True)
    )
