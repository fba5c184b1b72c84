"""Sums over the steps of a cycle, at each of T steps.

For few steps of many rows they are one product with a matrix of ones: cumulative sums go through a
cycle number by number, which for a tick of a stream takes many times as long.

    B series of a batch · T steps · N columns, of which a cycle precedes the first step
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

# Up to so many sums per row (those around eight ticks) of at least so many numbers, products are
# faster.
FEW_SUMS, MANY_NUMBERS = 9, 2048


def rolling_sum(values_BN: NDArray, period: int) -> NDArray:
    """Sum over each run of `period` columns (B, N − period + 1).

    >>> rolling_sum(np.arange(6.0)[None], 3)
    array([[ 3.,  6.,  9., 12.]])
    """
    count = values_BN.shape[1] - period + 1
    if _are_few_of_many(count, values_BN):
        return values_BN @ _runs(period, count)
    sums = _summed(values_BN)
    return sums[:, period:] - sums[:, :-period]


def centred_sum(values_BU: NDArray, period: int, tail: int) -> NDArray:
    """Sum over the cycle that ends at each step from `tail` on; for an even cycle, both ends count
    half.

    >>> centred_sum(np.arange(8.0)[None], 4, 5)
    array([[12., 16., 20.]])
    """
    stop = values_BU.shape[1]
    first = tail - period
    is_odd = period % 2
    if _are_few_of_many(stop - tail, values_BU):
        runs = _runs(period, stop - tail) if is_odd else _even_runs(period, stop - tail)
        return values_BU[:, first + is_odd :] @ runs
    sums = _summed(values_BU)
    sums_until = sums[:, tail + 1 :]
    if is_odd:
        sums_before = sums[:, first + 1 : stop + 1 - period]
        return sums_until - sums_before
    cycle_before = slice(first, stop - period)
    sums_before = sums[:, cycle_before]
    ends = values_BU[:, tail:] + values_BU[:, cycle_before]
    return sums_until - sums_before - 0.5 * ends


def _are_few_of_many(count: int, values: NDArray) -> bool:
    return count <= FEW_SUMS and values.size >= MANY_NUMBERS


@cache
def _runs(length: int, count: int) -> NDArray:
    """The matrix by which columns become the sums of so many runs of them."""
    runs = np.zeros((length + count - 1, count))
    for first in range(count):
        runs[first : first + length, first] = 1.0
    return runs


@cache
def _even_runs(period: int, count: int) -> NDArray:
    """The same for runs of one more column, both ends of which count half."""
    runs = _runs(period + 1, count).copy()
    first = np.arange(count)
    runs[first, first] = 0.5
    runs[first + period, first] = 0.5
    return runs


def _summed(values_BN: NDArray) -> NDArray:
    """Cumulative sums with a leading zero (B, N + 1)."""
    rows, columns = values_BN.shape
    sums = np.zeros((rows, columns + 1))
    values_BN.cumsum(axis=1, out=sums[:, 1:])
    return sums
