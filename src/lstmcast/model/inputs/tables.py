"""Seasonal indices of one period: a decayed mean for each phase, as known at each step.

A step's deviation from the centred mean of its cycle goes into the index of its phase. Whatever is
far beyond the surprises that were usual goes in only so far: a closed day or a spike is no season.

    B series of a batch · T steps · M steps of a period · U steps with the tail before them
    D distances
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

LIMIT = 8.0  # times the usual surprise that one deviation can move its index by
# The usual surprise is at least this part of the mean change from step to step: it starts at 0.
LEAST_SURPRISE = 0.05
SURPRISE_RATE = 0.2  # of a phase's usual surprise towards the newest one
SETTLED = 1.5  # weight from which a surprise is one: more than one cycle
# Of a cycle's steps, less those that are missing as often as not, that must be known for its mean.
WHOLE_CYCLE = 0.6


class TableState(NamedTuple):
    """Decayed sums of deviations of the last m steps that have one; usual surprises of 2m."""

    sum_BM: NDArray
    weight_BM: NDArray
    surprise_BM: NDArray  # (B, 2m)


def start_table(rows: int, period: int) -> TableState:
    """Nothing is known of any phase."""
    return TableState(
        np.zeros((rows, period)), np.zeros((rows, period)), np.zeros((rows, 2 * period))
    )


def deviations(
    z_BU: NDArray, known_BU: NDArray, seen_BU: NDArray, period: int, enough_BT: NDArray
) -> tuple[NDArray, NDArray]:
    """z − centred moving average over one cycle, for the step m//2 before each of the last T; and
    where it is known.

    `enough_BT`: which part of a cycle's steps must be known.
    """
    tail = z_BU.shape[1] - enough_BT.shape[1]
    total_BT, weight_BT = (
        _centred_sum(values_BU, period, tail) for values_BU in (z_BU, known_BU.astype(float))
    )
    centre = slice(tail - period // 2, z_BU.shape[1] - period // 2)
    whole_BT = seen_BU[
        :, tail - 2 * (period // 2) : z_BU.shape[1] - 2 * (period // 2)
    ]  # the cycle had begun
    known_BT = known_BU[:, centre] & whole_BT & (weight_BT >= enough_BT * period)
    return z_BU[:, centre] - total_BT / np.maximum(weight_BT, 1.0), known_BT


def _centred_sum(values_BU: NDArray, period: int, tail: int) -> NDArray:
    """Sum over the cycle that ends at each step from `tail` on; an even cycle takes half of both
    its ends."""
    sums, end = _summed(values_BU), values_BU.shape[1]
    if period % 2:
        return sums[:, tail + 1 :] - sums[:, tail + 1 - period : end + 1 - period]
    ends = values_BU[:, tail:] + values_BU[:, tail - period : end - period]
    return sums[:, tail + 1 :] - sums[:, tail - period : end - period] - 0.5 * ends


def add_to_table(
    state: TableState, deviation_BT: NDArray, known_BT: NDArray, decay: float, least_BT: NDArray
) -> TableState:
    """The columns of a table with T more; a step starts from the one a cycle before. First come the
    old columns.

    `least_BT`: the usual surprise at the least.
    """
    period, T = state.sum_BM.shape[1], deviation_BT.shape[1]
    sums, weights, surprises = (
        np.concatenate([array, np.zeros_like(deviation_BT)], axis=1) for array in state
    )
    for first in range(0, T, period):
        stop = min(first + period, T)
        cycle, known_BN = slice(first, stop), known_BT[:, first:stop]
        weight_BN = weights[:, cycle]
        mean_BN = sums[:, cycle] / np.where(weight_BN > 0, weight_BN, 1.0)
        deviation_BN = np.where(known_BN, deviation_BT[:, cycle], mean_BN)
        surprise_BN = np.where(weight_BN > 0, deviation_BN - mean_BN, 0.0)
        usual_BN = np.maximum(
            _cycle_means(surprises[:, first : stop + period], period), least_BT[:, cycle]
        )
        limit_BN = np.where(weight_BN >= SETTLED, LIMIT * usual_BN, np.inf)
        surprise_BN = np.minimum(np.maximum(surprise_BN, -limit_BN), limit_BN)
        taken_BN = np.where(weight_BN > 0, mean_BN + surprise_BN, deviation_BN)

        new = slice(period + first, period + stop)
        sums[:, new] = np.where(known_BN, decay * sums[:, cycle] + taken_BN, sums[:, cycle])
        weights[:, new] = np.where(known_BN, decay * weight_BN + 1.0, weight_BN)
        before_BN, now_BN = surprises[:, new], np.abs(surprise_BN)
        rate_BN = np.where(weight_BN <= 1.0, 1.0, SURPRISE_RATE) * (known_BN & (weight_BN > 0))
        surprises[:, 2 * period + first : 2 * period + stop] = before_BN + rate_BN * (
            now_BN - before_BN
        )
    return TableState(sums, weights, surprises)


def plain_table(
    state: TableState, deviation_BT: NDArray, known_BT: NDArray, decay: float
) -> TableState:
    """`add_to_table` without a limit."""
    sums, weights = sums_by_phase(state.sum_BM, state.weight_BM, deviation_BT, known_BT, decay)
    return TableState(sums, weights, state.surprise_BM)


def sums_by_phase(
    sum_BM: NDArray, weight_BM: NDArray, values_BT: NDArray, known_BT: NDArray, decay: float
) -> tuple[NDArray, NDArray]:
    """Decayed sums of the values of each phase and of their number, of the last M steps and of T
    more (B, M + T): a step starts from the one a cycle before, and stays so where it is unknown."""
    m, T = sum_BM.shape[1], values_BT.shape[1]
    sums, weights = (
        np.concatenate([part, np.zeros_like(values_BT)], axis=1) for part in (sum_BM, weight_BM)
    )
    for first in range(0, T, m):
        last = min(first + m, T)
        old, new = slice(first, last), slice(m + first, m + last)
        known_BN = known_BT[:, old]
        total_BN = decay * sums[:, old] + values_BT[:, old]
        sums[:, new] = np.where(known_BN, total_BN, sums[:, old])
        weights[:, new] = np.where(known_BN, decay * weights[:, old] + 1.0, weights[:, old])
    return sums, weights


def newest_columns(table: TableState, m: int) -> TableState:
    """The state after the newest step of a table with all its columns."""
    return TableState(table.sum_BM[:, -m:], table.weight_BM[:, -m:], table.surprise_BM[:, -2 * m :])


def _cycle_means(surprises_BN: NDArray, m: int) -> NDArray:
    """Mean of the known surprises of each cycle, of N − m of them."""
    known = surprises_BN > 0
    count, total = (_rolling_sum(part, m) for part in (known.astype(float), surprises_BN))
    return (total / np.maximum(count, 1.0))[:, :-1]


class Indices:
    """Seasonal indices of one period as known at each of T steps, for any distance from that
    step.

    Args:
        table: its columns, the m old ones first.
        m: steps of the period.
        inner: a shorter period whose pattern is in every index, and taken out; m for none.
        passed_BT: steps since the first deviation.
    """

    def __init__(self, table: TableState, m: int, inner: int, passed_BT: NDArray) -> None:
        known = table.weight_BM > 0
        # (B, m + T): one step per new phase
        mean = np.where(known, table.sum_BM / np.where(known, table.weight_BM, 1.0), 0.0)
        # One step earlier too: (B, 1 + T).
        count, total = (_rolling_sum(part, m) for part in (known.astype(float), mean))
        # less than a cycle is no season; phases that are never observed are not waited for
        self._whole = (count[:, 1:] >= 2) & (passed_BT >= 0.9 * m)
        self._whole_before = (count[:, :-1] >= 2) & (passed_BT - 1 >= 0.9 * m)
        self._centre = (total / np.maximum(count, 1.0))[:, 1:]
        self._mean, self._known, self.m, self._T = mean, known, m, passed_BT.shape[1]
        self._inner, self._inner_mean = inner, _strided_mean(mean, known, m, inner)

    def at(self, distance: int) -> NDArray:
        """Index for the step `distance` after each step (B, T)."""
        return self.ahead(range(distance, distance + 1))[:, 0]

    def ahead(self, distances: range) -> NDArray:
        """Indices for several distances, (B, D, T)."""
        index = self._several(self._mean, self.m, distances)
        if self._inner < self.m:
            index = index - self._several(self._inner_mean, self._inner, distances)
        else:
            index = index - self._centre[:, None]
        known = self._several(self._known, self.m, distances)
        return np.where(self._whole[:, None] & known, index, 0.0)

    def _several(self, columns: NDArray, cycle: int, distances: range) -> NDArray:
        """Columns for several distances, (B, D, T): one gather, as single steps of a stream are
        read too."""
        first = _columns_ahead(self.m, cycle, distances)
        if self._T == 1:
            return columns[:, first, None]
        return sliding_window_view(columns, self._T, axis=1)[:, first]

    def foretold_change(self, lag: int) -> NDArray:
        """What the indices known one step earlier said about the change over the last `lag`
        steps (B, T); 0 where one of the two phases was never observed."""
        first, last = (self._columns(self.m, distance, 1) for distance in (-lag, 0))
        both = self._whole_before & self._known[:, first] & self._known[:, last]
        return np.where(both, self._before(0) - self._before(-lag), 0.0)

    def _before(self, distance: int) -> NDArray:
        """Mean of the phase at a distance, known one step before; without its centre, which cancels
        in differences (B, T)."""
        index = self._mean[:, self._columns(self.m, distance, 1)]
        if self._inner < self.m:
            index = index - self._inner_mean[:, self._columns(self._inner, distance, 1)]
        return index

    def settled(self) -> NDArray:
        """Whether the indices became known at each step (B, T)."""
        return self._whole & ~self._whole_before

    def _columns(self, cycle: int, distance: int, asof: int) -> slice:
        """Where the newest index of that phase of a cycle stands, as known at each step."""
        first = int(_columns_ahead(self.m, cycle, range(distance, distance + 1), asof)[0])
        return slice(first, first + self._T)


def _strided_mean(mean: NDArray, known: NDArray, m: int, inner: int) -> NDArray:
    """Mean over the last m columns of those a multiple of `inner` back: what an inner cycle
    repeats of a table."""
    if inner == m:
        return mean
    total, count = np.zeros_like(mean), np.zeros_like(mean)
    for back in range(0, m, inner):
        total[:, back:] += mean[:, : mean.shape[1] - back]
        count[:, back:] += known[:, : mean.shape[1] - back]
    return total / np.maximum(count, 1.0)


def _rolling_sum(values: NDArray, m: int) -> NDArray:
    sums = _summed(values)
    return sums[:, m:] - sums[:, :-m]


def _summed(values_BN: NDArray) -> NDArray:
    """Sums of the values before each, and of all (B, N + 1)."""
    sums = np.zeros((len(values_BN), values_BN.shape[1] + 1))
    values_BN.cumsum(axis=1, out=sums[:, 1:])
    return sums


@cache
def _columns_ahead(m: int, cycle: int, distances: range, asof: int = 0) -> NDArray:
    """Where the newest index of the phases at some distances stands among the columns of a table
    of m steps, as known at the first step."""
    ahead = np.array(distances) + asof + m // 2  # of the newest step with an index
    return m + ahead - cycle * -(-ahead // cycle) - asof
