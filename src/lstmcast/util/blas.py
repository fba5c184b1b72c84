"""One thread for the products of small matrices.

A library that spreads each product over all processors spends most of its time waiting for its
threads where the matrices are small (measured on two cores: five times the processor time of a
forecast, and four to twenty times that of a tick of 400 rows, the more the busier the machine is).
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
    """Within this, products of matrices use one thread, in the whole process.

    Where another thread holds the library already, nothing is changed: each would restore what the
    other has set.

    >>> import numpy as np
    >>> with one_blas_thread():
    ...     np.ones((2, 2)) @ np.ones(2)
    array([2., 2.])
    """
    if not _HOLDING.acquire(blocking=False):
        yield
        return
    try:
        with _library().limit(limits=1):
            yield
    finally:
        _HOLDING.release()


@cache
def _library() -> ThreadpoolController:
    """The library of NumPy; finding it takes a quarter of a millisecond, so it is kept."""
    return ThreadpoolController().select(user_api="blas")
