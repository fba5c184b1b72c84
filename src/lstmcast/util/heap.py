"""Memory that a process keeps while it works, instead of giving it back and asking for it again
at every step."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt, from glibc's malloc.h
_ALL = 1 << 30
# as far as glibc raises them by itself
_USUAL = {_TRIM_THRESHOLD: 1 << 26, _MMAP_THRESHOLD: 1 << 25}


@contextmanager
def kept_memory() -> Iterator[None]:
    """Within this, freed memory stays with the process; afterwards it is given back. Nothing where
    glibc is not used.

    A training step frees and takes the same arrays over and over. glibc gives the end of its heap
    back to the system whenever some of it is free, and gets it back page by page: by where the
    arrays happen to lie that is nothing, or 7,000 pages in a step and 40 % of its time.
    """
    library = _glibc()
    if library is None:
        yield
        return
    for threshold in _USUAL:
        library.mallopt(threshold, _ALL)
    try:
        yield
    finally:
        for threshold, usual in _USUAL.items():
            library.mallopt(threshold, usual)
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
