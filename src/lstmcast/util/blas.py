"""One thread for products of small matrices.

A library that spreads each product over all processors spends most of its time waiting for its
threads if the matrices are small (measured on two cores: five times the processor time of a
forecast, and four to twenty times that of a tick of 400 rows, more on a busier machine).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController

_HOLDING = Lock()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Use one thread for matrix products in the block, in the whole process.

    If another thread is in such a block already, nothing is changed: each would restore what the
    other has set.

    >>> import numpy as np
    >>> with one_blas_thread():
    ...     np.ones((2, 2)) @ np.ones(2)
    array([2., 2.])
    """
    libraries = _library().lib_controllers
    threads = [library.num_threads for library in libraries]
    has_one = all(count == 1 for count in threads)
    if has_one or not _HOLDING.acquire(blocking=False):
        yield
        return
    # Not by `limit` of the controller, which takes several times as long: a tenth of a tick.
    try:
        for library in libraries:
            library.set_num_threads(1)
        yield
    finally:
        for library, count in zip(libraries, threads, strict=True):
            library.set_num_threads(count)
        _HOLDING.release()


@cache
def _library() -> ThreadpoolController:
    """The BLAS library of NumPy, cached because finding it takes a quarter of a millisecond."""
    return ThreadpoolController().select(user_api="blas")
