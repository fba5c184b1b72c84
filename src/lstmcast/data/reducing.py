"""Reducing several rows of one time or period to one value."""

# N rows · G runs of rows

from __future__ import annotations

import numpy as np
from numpy import ndarray


def reduced(values: ndarray, begins: ndarray, method: str) -> ndarray:
    """Reduce runs of values to one each (G,). Missing values are skipped, unless all are missing.

    >>> reduced(np.array([1.0, 2.0, np.nan, np.nan]), np.array([0, 2]), "mean")
    array([1.5, nan])
    """
    is_known = np.isfinite(values)
    counts = np.add.reduceat(is_known.astype(np.int64), begins)
    if method == "count":
        return counts.astype(np.float64)
    if method == "min":
        return np.fmin.reduceat(values, begins)
    if method == "max":
        return np.fmax.reduceat(values, begins)
    if method in ("sum", "mean"):
        zero_filled = np.where(is_known, values, 0.0)
        sums = np.add.reduceat(zero_filled, begins)
        sums[counts == 0] = np.nan
        return sums if method == "sum" else sums / np.maximum(counts, 1)
    ordered = values[is_known]
    if method == "median":
        lengths = np.diff(np.r_[begins, len(values)])
        groups = np.repeat(np.arange(len(begins)), lengths)
        order = np.lexsort((ordered, groups[is_known]))
        ordered = ordered[order]
    return _picked(ordered, counts, method)


def _picked(ordered: ndarray, counts: ndarray, method: str) -> ndarray:
    """The first, last or middle value of each run; ordered: the known values, run after run."""
    begins = np.cumsum(counts) - counts
    ends = begins + counts - 1
    low, high = {
        "first": (begins, begins),
        "last": (ends, ends),
        "median": ((begins + ends) // 2, (begins + ends + 1) // 2),
    }[method]
    has_values = counts > 0
    low_values = ordered[low[has_values]]
    high_values = ordered[high[has_values]]
    picked = np.full(len(counts), np.nan)
    picked[has_values] = (low_values + high_values) / 2
    return picked
