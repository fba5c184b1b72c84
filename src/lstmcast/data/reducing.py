"""Several rows of one time or period as one value."""

# N rows · G runs of rows

from __future__ import annotations

import numpy as np
from numpy import ndarray


def reduced(values: ndarray, begins: ndarray, how: str) -> ndarray:
    """Reduce runs of values to one each: (G,). Missing values are skipped; a run of nothing else
    stays missing.

    >>> reduced(np.array([1.0, 2.0, np.nan, np.nan]), np.array([0, 2]), "mean")
    array([1.5, nan])
    """
    known = np.isfinite(values)
    counts = np.add.reduceat(known.astype(np.int64), begins)
    if how == "count":
        return counts.astype(np.float64)
    if how in ("min", "max"):
        return (np.fmin if how == "min" else np.fmax).reduceat(values, begins)
    if how in ("sum", "mean"):
        sums = np.add.reduceat(np.where(known, values, 0.0), begins)
        sums[counts == 0] = np.nan
        return sums if how == "sum" else sums / np.maximum(counts, 1)
    groups = np.repeat(np.arange(len(begins)), np.diff(np.r_[begins, len(values)]))[known]
    ordered = values[known]
    if how == "median":
        ordered = ordered[np.lexsort((ordered, groups))]
    return _picked(ordered, counts, how)


def _picked(ordered: ndarray, counts: ndarray, how: str) -> ndarray:
    """The first, last or middle value of each run; ordered: the known values, run after run."""
    begins = np.cumsum(counts) - counts
    low, high = {
        "first": (begins, begins),
        "last": (begins + counts - 1, begins + counts - 1),
        "median": (begins + (counts - 1) // 2, begins + counts // 2),
    }[how]
    some = counts > 0
    picked = np.full(len(counts), np.nan)
    picked[some] = (ordered[low[some]] + ordered[high[some]]) / 2
    return picked
