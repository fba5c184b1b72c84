"""States: NamedTuples and tuples, nested or not, whose arrays have a row per series.

B rows
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

State = TypeVar("State")


def mapped(change: Callable[..., NDArray], *states: State) -> State:
    """A state with the results of `change` on the arrays of the given states; anything else is
    taken from the first.

    >>> from typing import NamedTuple
    >>> class Two(NamedTuple):
    ...     a: NDArray
    ...     name: str
    >>> mapped(lambda a: a[1:], Two(np.arange(3), "x"))
    Two(a=array([1, 2]), name='x')
    """
    first = states[0]
    if isinstance(first, np.ndarray):
        return change(*states)  # pyright: ignore[reportReturnType]
    if not isinstance(first, tuple):
        return first
    children = [mapped(change, *siblings) for siblings in zip(*states, strict=True)]  # pyright: ignore
    return type(first)(*children) if hasattr(first, "_fields") else tuple(children)  # pyright: ignore


def arrays_of(state: Any, place: str = "") -> Iterator[tuple[str, NDArray]]:
    """Yield the arrays of a state with their places in it.

    >>> [place for place, _ in arrays_of((np.zeros(2), (np.ones(2), "x")))]
    ['.0', '.1.0']
    """
    if isinstance(state, np.ndarray):
        yield place, state
    elif isinstance(state, tuple):
        names = getattr(state, "_fields", range(len(state)))
        for name, child in zip(names, state, strict=True):
            yield from arrays_of(child, f"{place}.{name}")


def rows_of(state: State, rows: NDArray | slice) -> State:
    """The state of some of the rows, in that order."""
    return mapped(lambda array_B: array_B[rows], state)


def with_rows(state: State, rows: NDArray, replacement: State) -> State:
    """The state with some rows replaced."""

    def replaced(array_B: NDArray, new_R: NDArray) -> NDArray:
        array_B = array_B.copy()
        array_B[rows] = new_R
        return array_B

    return mapped(replaced, state, replacement)


def joined(*states: State) -> State:
    """The rows of several states, one after the other."""
    return mapped(lambda *arrays: np.concatenate(arrays), *states)
