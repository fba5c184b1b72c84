"""A table of arrays with one row per series: rows join and leave by id, and nothing else has to
know how.

S series · R some of their rows
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import UsageError


class Rows:
    """Named arrays (S, …) and the value that every new row of each begins with.

    >>> rows = Rows(["a", "b"])
    >>> rows.add("count", (), int, 0)
    >>> rows["count"][rows.at(["b"])] = 7
    >>> rows.join(["c"]); rows.leave(["a"])
    >>> rows.ids.tolist(), rows["count"].tolist()
    (['b', 'c'], [7, 0])
    """

    def __init__(self, ids: Iterable[Any]) -> None:
        self.ids = np.array([], object)
        self._places: dict[Any, int] = {}
        self._arrays: dict[str, NDArray] = {}
        self._fills: dict[str, Any] = {}
        self.join(ids)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, name: str) -> NDArray:
        return self._arrays[name]

    def add(self, name: str, shape: tuple[int, ...], kind: Any, fill: Any) -> None:
        """One more array, of rows of this shape."""
        self._arrays[name] = np.full((len(self), *shape), fill, kind)
        self._fills[name] = fill

    def at(self, ids: Iterable[Any] | None) -> NDArray:
        """Where the rows of these ids are (R,); all rows for None. UsageError for one that is
        not here, or twice."""
        if ids is None:
            return np.arange(len(self))
        ids = _listed(ids)
        unknown = [name for name in ids if name not in self._places]
        if unknown:
            raise UsageError(
                f"There are no rows {_named(unknown)}. Let them join first: join({unknown[:3]!r})."
            )
        _refuse_twice(ids)
        return np.array([self._places[name] for name in ids], np.int64)

    def new(self, ids: Iterable[Any]) -> list[Any]:
        """Ids that may join, as a list; UsageError for one that is here already, or given twice."""
        ids = _listed(ids)
        here = [name for name in ids if name in self._places]
        if here:
            raise UsageError(
                f"The rows {_named(here)} are here already. Use reset to begin them anew."
            )
        _refuse_twice(ids)
        return ids

    def join(self, ids: Iterable[Any]) -> None:
        """New rows at the end; UsageError as of `new`."""
        ids = self.new(ids)
        for name, array in self._arrays.items():
            new = np.full((len(ids), *array.shape[1:]), self._fills[name], array.dtype)
            self._arrays[name] = np.concatenate([array, new])
        self._name(np.concatenate([self.ids, np.array([*ids, None], object)[:-1]]))

    def leave(self, ids: Iterable[Any]) -> None:
        """Without these rows; the others keep their order."""
        kept = np.setdiff1d(np.arange(len(self)), self.at(ids))
        self._arrays = {name: array[kept] for name, array in self._arrays.items()}
        self._name(self.ids[kept])

    def clear(self, at: NDArray) -> None:
        """Rows as they were when they joined."""
        for name, array in self._arrays.items():
            array[at] = self._fills[name]

    def arrays(self) -> dict[str, NDArray]:
        """All of them by name."""
        return dict(self._arrays)

    def put(self, arrays: dict[str, NDArray]) -> None:
        """Set what `arrays` gave, with the same ids; KeyError or ValueError where they do not
        fit."""
        for name, array in self._arrays.items():
            array[...] = arrays[name]

    def _name(self, ids: NDArray) -> None:
        self.ids = ids
        self._places = {name: place for place, name in enumerate(ids)}


def _listed(ids: Iterable[Any]) -> list[Any]:
    """Texts and whole numbers, which a manifest can hold, as they are. UsageError for what is no
    collection of ids."""
    try:
        given = [ids] if isinstance(ids, str) else list(ids)
    except TypeError as error:
        raise UsageError(
            f"ids={ids!r} does not name rows: a list of texts or whole numbers is expected, such "
            "as ['a', 'b'], and for one row a list of one. Use [] for no rows yet."
        ) from error
    return [
        name if isinstance(name, str) else int(name) if _is_whole(name) else str(name)
        for name in given
    ]


def _is_whole(name: Any) -> bool:
    return isinstance(name, (int, np.integer)) and not isinstance(name, bool)


def _refuse_twice(ids: list[Any]) -> None:
    if len(set(ids)) < len(ids):
        twice = sorted({str(name) for name in ids if ids.count(name) > 1})
        raise UsageError(
            f"The ids {_named(twice)} are given more than once. One row per id is expected."
        )


def _named(ids: list[Any]) -> str:
    return ", ".join(repr(name) for name in ids[:5]) + (
        f" and {len(ids) - 5} more" if len(ids) > 5 else ""
    )
