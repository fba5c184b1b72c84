"""A table of arrays with one row per series, which join and leave by id.

S series · R some of their rows
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import UsageError
from lstmcast.util.objects import objects
from lstmcast.util.states import arrays_of, joined, mapped, rows_of, with_rows
from lstmcast.util.text import are, brief, in_number


class Rows:
    """Named states with a row per id, and how rows that join are begun.

    A state is an array (S, …) or a tuple of states; see `util.states`.

    >>> rows = Rows(["a", "b"])
    >>> rows.add("count", lambda new: np.zeros(new, int))
    >>> rows["count"][rows.at(["b"])] = 7
    >>> rows.join(["c"]); rows.leave(["a"])
    >>> rows.ids.tolist(), rows["count"].tolist()
    (['b', 'c'], [7, 0])
    """

    def __init__(self, ids: Iterable[Any]) -> None:
        self.ids, self._everything = np.array([], object), np.arange(0)
        self._places: dict[Any, int] = {}
        self._states: dict[str, Any] = {}
        self._fresh: dict[str, Callable[[int], Any]] = {}
        self.join(ids)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, name: str) -> Any:
        return self._states[name]

    def __contains__(self, name: str) -> bool:
        return name in self._states

    def has(self, row: Any) -> bool:
        """Whether a row of this id is here."""
        return row in self._places

    def add(self, name: str, start: Callable[[int], Any]) -> None:
        """One more state; `start` begins so many rows of it."""
        self._states[name] = start(len(self))
        self._fresh[name] = start

    def of(self, name: str, row_R: NDArray) -> Any:
        """A state of some of the rows."""
        state = self._states[name]
        return state if self._all(row_R) else rows_of(state, row_R)

    def put(self, name: str, row_R: NDArray, new_state: Any) -> None:
        """Replace a state of some of the rows."""
        if not self._all(row_R):
            new_state = with_rows(self._states[name], row_R, new_state)
        self._states[name] = new_state

    def _all(self, row_R: NDArray) -> bool:
        if row_R is self._everything:
            return True
        return len(row_R) == len(self) and np.array_equal(row_R, self._everything)

    def at(self, ids: Iterable[Any] | None) -> NDArray:
        """Where the rows of these ids are (R,); all rows for None. UsageError for one that is
        not here, or twice."""
        if ids is None:
            return self._everything
        ids = _listed(ids)
        unknown = [name for name in ids if name not in self._places]
        if unknown:
            count = len(unknown)
            raise UsageError(
                in_number("There {are} no ", count)
                + f"{_named(unknown)}. "
                + in_number("Add {them} first with ", count)
                + f"join({unknown[:3]!r})."
            )
        _refuse_twice(ids)
        return np.array([self._places[name] for name in ids], np.int64)

    def new(self, ids: Iterable[Any]) -> list[Any]:
        """Ids that may join, as a list; UsageError for one that is here already, or given twice."""
        ids = _listed(ids)
        present = [name for name in ids if name in self._places]
        if present:
            count = len(present)
            raise UsageError(
                f"The {_named(present)} already exist{'s' * (count == 1)}. "
                + in_number("Use reset to start {them} again.", count)
            )
        _refuse_twice(ids)
        return ids

    def join(self, ids: Iterable[Any]) -> None:
        """New rows at the end; UsageError as of `new`."""
        ids = self.new(ids)
        for name, state in self._states.items():
            self._states[name] = joined(state, self._fresh[name](len(ids)))
        self._name(np.concatenate([self.ids, objects(ids)]))

    def leave(self, ids: Iterable[Any]) -> None:
        """Without these rows; the others keep their order."""
        row_R = np.setdiff1d(np.arange(len(self)), self.at(ids))
        self._states = {
            name: rows_of(state, row_R) for name, state in self._states.items()
        }
        self._name(self.ids[row_R])

    def clear(self, row_R: NDArray) -> None:
        """Rows as they were when they joined."""
        for name, state in self._states.items():
            self._states[name] = with_rows(state, row_R, self._fresh[name](len(row_R)))

    def arrays(self) -> dict[str, NDArray]:
        """All arrays of all states, by name and place."""
        return {
            f"{name}{place}": array
            for name, state in self._states.items()
            for place, array in arrays_of(state)
        }

    def restore(
        self, arrays: Mapping[str, NDArray], renewable: tuple[str, ...] = ()
    ) -> None:
        """Set what `arrays` gave, with the same ids; KeyError or ValueError where they do not
        fit. States that are `renewable` stay as they are then."""
        for name, state in self._states.items():
            if name in renewable and not self._fits(name, arrays):
                continue
            saved = iter([arrays[f"{name}{place}"] for place, _ in arrays_of(state)])
            self._states[name] = mapped(partial(_restored, saved), state)

    def take_up(self, earlier: Rows, fresh: tuple[str, ...] = ()) -> None:
        """Go on with the states of earlier rows with the same ids; those that are `fresh`, or were
        not there, stay as they begin."""
        for name in self._states:
            if name in earlier and name not in fresh:
                self._states[name] = earlier[name]

    def _fits(self, name: str, arrays: Mapping[str, NDArray]) -> bool:
        """Whether all arrays of a state are there."""
        return all(
            f"{name}{place}" in arrays for place, _ in arrays_of(self._states[name])
        )

    def _name(self, ids: NDArray) -> None:
        self.ids, self._everything = ids, np.arange(len(ids))
        self._everything.setflags(write=False)
        self._places = {name: place for place, name in enumerate(ids)}


def _restored(saved: Iterator[NDArray], like: NDArray) -> NDArray:
    array = next(saved)
    if array.shape != like.shape:
        raise ValueError(
            f"an array has the shape {array.shape}, and {like.shape} is expected"
        )
    return array.astype(like.dtype)


def _listed(ids: Iterable[Any]) -> list[Any]:
    """Texts and whole numbers, which a manifest can hold, as they are. UsageError for what is no
    collection of ids."""
    try:
        names = [ids] if isinstance(ids, str) else list(ids)
    except TypeError as error:
        raise UsageError(
            f"ids={brief(ids)} does not name rows. A list of texts or whole numbers is "
            "expected, such as ['a', 'b'], or [] for no rows yet."
        ) from error
    return [_row_name(name) for name in names]


def _row_name(name: Any) -> str | int:
    if _is_whole(name):
        return int(name)
    return name if isinstance(name, str) else str(name)


def _is_whole(name: Any) -> bool:
    return isinstance(name, (int, np.integer)) and not isinstance(name, bool)


def _refuse_twice(ids: list[Any]) -> None:
    if len(set(ids)) < len(ids):
        twice = sorted({str(name) for name in ids if ids.count(name) > 1})
        raise UsageError(
            f"The {_named(twice)} {are(len(twice))} given more than once. One row per id is "
            "expected."
        )


def _named(ids: list[Any]) -> str:
    noun = "row" if len(ids) == 1 else "rows"
    text = f"{noun} " + ", ".join(repr(name) for name in ids[:5])
    if len(ids) > 5:
        text += f" and {len(ids) - 5} more"
    return text
