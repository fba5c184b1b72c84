"""Keys of series: the id columns of the data in their own types, and the target column.

Inside the package a series is identified by one text, its id ("north/milk"). The original columns
(store and item; numbers, dates or categories) are kept in `Keys` and returned in forecasts.

    S series, or other rows that are taken from them
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.util.categories import Categories
from lstmcast.util.objects import objects

OWN_NAME = "unique_id"  # name of the id column, if the data have none
TARGET_NAME = "target"  # name of the column that names one of several targets
# other columns of a long table of forecasts
_TAKEN = frozenset(("ds", "step", "cutoff", "forecast", "actual", TARGET_NAME))


@dataclass(frozen=True, eq=False)
class Keys(Mapping[str, NDArray]):
    """The id columns of the series by name: (S,) each, in their original types.

    Integers are int64, dates datetime64[D], times datetime64[us], texts objects. `categories`: the
    categories of categorical columns. `targets` (S,): the target column of each series, if there
    are several targets, else None. `frame_dtypes`: their types in the user's frame, such as
    "pandas:Int64".

    >>> items = np.array(["milk", "tea", "tea"], object)
    >>> keys = Keys({"store": np.array([3, 3, 7]), "item": items})
    >>> keys.take(np.array([2, 0]))["store"].tolist(), list(keys)
    ([7, 3], ['store', 'item'])
    """

    arrays: Mapping[str, NDArray] = field(default_factory=dict)
    categories: Mapping[str, Categories] = field(default_factory=dict)
    targets: NDArray | None = None
    frame_dtypes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for array in self.arrays.values():
            array.flags.writeable = False
        if self.targets is not None:
            self.targets.flags.writeable = False

    def __getitem__(self, name: str) -> NDArray:
        return self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def take(self, rows: NDArray) -> Keys:
        """The keys of some series (numbers in order, or a mask)."""
        arrays = {name: array[rows] for name, array in self.arrays.items()}
        targets = None if self.targets is None else self.targets[rows]
        return Keys(arrays, self.categories, targets, self.frame_dtypes)

    def row_names(self, ids: NDArray) -> NDArray:
        """The ids without the target name, which series of one row share (S,)."""
        if self.targets is None:
            return ids
        pairs = zip(map(str, ids), self.targets, strict=True)
        return objects(name.removesuffix(f"/{target}") for name, target in pairs)

    def columns(self, ids: NDArray) -> dict[str, NDArray]:
        """The columns that name series in a long table: the keys, or ids where there are none.

        A key with the name of another column of the table gets the suffix "_id".

        >>> Keys().columns(np.array(["a"], object))
        {'unique_id': array(['a'], dtype=object)}
        """
        columns = {column_name(name): array for name, array in self.arrays.items()}
        if not columns:
            columns[OWN_NAME] = self.row_names(ids)
        if self.targets is not None:
            columns[TARGET_NAME] = self.targets
        return columns

    def column_categories(self) -> dict[str, Categories]:
        """The categories of these columns."""
        return {
            column_name(name): categories
            for name, categories in self.categories.items()
        }

    def column_dtypes(self) -> dict[str, str]:
        """The types of these columns in the user's frame."""
        return {column_name(name): dtype for name, dtype in self.frame_dtypes.items()}


def column_name(key: str) -> str:
    """The column name of a key in a long table of forecasts.

    >>> column_name("store"), column_name("step")
    ('store', 'step_id')
    """
    probability = key[1:].replace(".", "", 1)
    is_quantile = key.startswith("q") and probability.isdecimal()
    return f"{key}_id" if key in _TAKEN or is_quantile else key


def joined(several_keys: Sequence[Keys]) -> Keys:
    """The keys of series of several sources, concatenated.

    Empty if the sources have different keys. Different types become text; different categories are
    not kept.
    """
    first = several_keys[0]
    names = list(first)
    if any(list(keys) != names for keys in several_keys):
        return Keys()
    arrays = {}
    for name in names:
        arrays[name] = _one_type([keys[name] for keys in several_keys])
    shared_categories = {}
    for name, categories in first.categories.items():
        if all(categories.same(keys.categories.get(name)) for keys in several_keys):
            shared_categories[name] = categories
    several_dtypes = [keys.frame_dtypes.items() for keys in several_keys]
    shared_dtypes = dict(set(several_dtypes[0]).intersection(*several_dtypes[1:]))
    targets = [keys.targets for keys in several_keys if keys.targets is not None]
    has_targets = len(targets) == len(several_keys)
    all_targets = np.concatenate(targets) if has_targets else None
    return Keys(arrays, shared_categories, all_targets, shared_dtypes)


def _one_type(arrays: list[NDArray]) -> NDArray:
    if len({array.dtype for array in arrays}) > 1:
        arrays = list(map(texts_of, arrays))
    return np.concatenate(arrays)


def texts_of(array: NDArray) -> NDArray:
    """A key as text (S,): whole numbers without a decimal point, days without a time of day."""
    return objects(map(str, array.tolist()))


# ------------------------------------------------------------------ saved and read back


def described(keys: Keys) -> list[dict[str, Any]]:
    """The names and types of keys, for a manifest: what `packed_keys` puts into arrays."""
    descriptions = []
    for name, array in keys.arrays.items():
        description: dict[str, Any] = {"name": name, "type": _type_of(array)}
        if name in keys.frame_dtypes:
            description["frame_dtype"] = keys.frame_dtypes[name]
        categories = keys.categories.get(name)
        if categories is not None:
            description["categories"] = _categories_described(categories)
        descriptions.append(description)
    return descriptions


def _categories_described(categories: Categories) -> dict[str, Any]:
    kind = _type_of(categories.values)
    values = categories.values
    if _is_time(values):
        values = values.astype(str)
    return {
        "values": values.tolist(),
        "type": kind,
        "ordered": categories.ordered,
        "fixed": categories.fixed,
    }


def packed_keys(keys: Keys) -> dict[str, NDArray]:
    """Keys as arrays of numbers under names for the store: "key0" is the first one."""
    packed_columns: dict[str, NDArray] = {}
    for number, array in enumerate(keys.arrays.values()):
        packed_columns |= _packed_key(f"key{number}", array)
    if keys.targets is not None:
        packed_columns |= _packed_key("targets", keys.targets)
    return packed_columns


def _packed_key(name: str, array: NDArray) -> dict[str, NDArray]:
    if array.dtype.kind == "O":
        return packed(array, name, f"{name}_lengths")
    return {name: array.astype(np.int64) if _is_time(array) else array}


def keys_from_saved(
    descriptions: Sequence[Mapping[str, Any]], arrays: Mapping[str, NDArray]
) -> Keys:
    """Rebuild keys from `described` and `packed_keys`; empty for older versions."""
    columns: dict[str, NDArray] = {}
    categories: dict[str, Categories] = {}
    frame_dtypes: dict[str, str] = {}
    for number, description in enumerate(descriptions):
        name = str(description["name"])
        kind = description["type"]
        columns[name] = _unpacked(f"key{number}", kind, arrays)
        if "frame_dtype" in description:
            frame_dtypes[name] = str(description["frame_dtype"])
        if "categories" in description:
            categories[name] = _categories_from(description["categories"])
    targets = _unpacked("targets", "text", arrays) if "targets" in arrays else None
    return Keys(columns, categories, targets, frame_dtypes)


def _categories_from(description: Mapping[str, Any]) -> Categories:
    dtype = _DTYPES[description["type"]]
    values = np.array(description["values"], dtype)
    return Categories(values, description["ordered"], description["fixed"])


def _unpacked(name: str, kind: str, arrays: Mapping[str, NDArray]) -> NDArray:
    if kind == "text":
        return unpacked(arrays[name], arrays[f"{name}_lengths"])
    return arrays[name].astype(_DTYPES[kind])


_DTYPES = {
    "text": np.dtype(object),
    "integer": np.dtype(np.int64),
    "number": np.dtype(np.float64),
    "boolean": np.dtype(bool),
    "date": np.dtype("datetime64[D]"),
    "time": np.dtype("datetime64[us]"),
}


def _type_of(array: NDArray) -> str:
    return next(kind for kind, dtype in _DTYPES.items() if dtype == array.dtype)


def _is_time(array: NDArray) -> bool:
    return array.dtype.kind == "M"


def packed(
    texts: NDArray, letters: str = "ids", lengths: str = "id_lengths"
) -> dict[str, NDArray]:
    """Texts as arrays of numbers for the store: all letters, and the length of each text.

    >>> packed(np.array(["a", "bc"], object))
    {'ids': array([97, 98, 99], dtype=uint8), 'id_lengths': array([1, 2])}
    """
    encoded = [str(text).encode() for text in texts]
    all_letters = np.frombuffer(b"".join(encoded), np.uint8)
    text_lengths = np.array(list(map(len, encoded)), np.int64)
    return {letters: all_letters, lengths: text_lengths}


def unpacked(letters: NDArray, lengths: NDArray) -> NDArray:
    """The texts (S,), the inverse of `packed`."""
    text = letters.tobytes()
    texts = []
    begin = 0
    for length in lengths.tolist():
        end = begin + length
        texts.append(text[begin:end].decode())
        begin = end
    return objects(texts)


def refusal_of_key(name: str, names: Collection[str]) -> str:
    """The message about a column that names no series, with what to type if the data have it."""
    choices = ", ".join(map(repr, names))
    columns = [key for key in names if key != OWN_NAME]
    options = " ".join(f"--series {quote(key)}" for key in (*columns, name))
    return (
        f"{name!r} is not a column that names series. There are: {choices}; 'all' sums everything. "
        f"If the data have such a column, let it name series too: {options}."
    )
