"""Work on several processors: batches in threads of their own, and the next one made while one
is used."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")


def side_by_side(fill: Callable[[Item], None], batches: Iterable[Item]) -> None:
    """Each batch in a thread of its own, as many at a time as there are processors; each fills rows
    of its own.

    The matrices of one step are small: a library that spreads each product over threads spends most
    of its time waiting for them (measured: five times the processor time on two cores), so it is
    held to one while batches run.
    """
    waiting = list(batches)
    with threadpool_limits(limits=1, user_api="blas"):
        if len(waiting) == 1:
            fill(waiting[0])
            return
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(fill, waiting):  # an error in a thread is raised here
                pass


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items in the same order; while one is used, the next is made in a thread of its own.

    >>> list(ahead(n * n for n in range(4)))
    [0, 1, 4, 9]
    """
    made, end = iter(items), object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, made, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, made, end)
            yield item  # pyright: ignore[reportReturnType]
