"""Seasonal indices of one period: a decayed mean for each phase, as known at each step.

A step's deviation from the centred mean of its cycle updates the index of its phase. Deviations
far beyond the usual surprise are capped: a closed day or a spike is not a season.

    B series of a batch · T steps · M steps of a period · U steps with the tail before them
    D distances
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from lstmcast.model.inputs.rolling import centred_sum, rolling_sum

LIMIT = 8.0  # cap of a deviation, in usual surprises
# Lower bound of the usual surprise, which starts at 0, as a share of the mean change per step.
LEAST_SURPRISE = 0.05
SURPRISE_RATE = 0.2  # weight of the newest surprise in a phase's usual surprise
SETTLED = 1.5  # weight from which surprises are defined: more than one cycle
# Share of the steps of a cycle, apart from those usually missing, that must be known for its mean.
WHOLE_CYCLE = 0.6
# values per cycle over all rows, up to which tables of one period are updated together
FEW_VALUES = 64


class Reading(NamedTuple):
    """T steps on the reading axis with the tail before them, and which of them are known."""

    z_BU: NDArray
    known_BU: NDArray
    seen_BU: NDArray
    steps: int  # T

    def change(self, lag: int) -> NDArray:
        """z_t − z_{t − lag} for the last T steps; NaN where one of the two is missing."""
        stop = self.z_BU.shape[1]
        first = stop - self.steps
        earlier = slice(first - lag, stop - lag)
        both_known_BT = self.known_BU[:, first:] & self.known_BU[:, earlier]
        change_BT = self.z_BU[:, first:] - self.z_BU[:, earlier]
        return np.where(both_known_BT, change_BT, np.nan)


class TableState(NamedTuple):
    """Decayed sums of deviations of the last m steps with an index; usual surprises of 2m steps."""

    sum_BM: NDArray
    weight_BM: NDArray
    surprise_BM: NDArray  # (B, 2m)


def start_table(rows: int, period: int) -> TableState:
    """The state before any phase is observed."""
    zeros = np.zeros((rows, period))
    return TableState(zeros, zeros.copy(), np.zeros((rows, 2 * period)))


def deviations(
    z_BU: NDArray, known_BU: NDArray, seen_BU: NDArray, period: int, enough_BT: NDArray
) -> tuple[NDArray, NDArray]:
    """z minus the centred moving average over one cycle, for the step m//2 before each of the last
    T; and whether it is known.

    `enough_BT`: the share of a cycle's steps that must be known.
    """
    stop = z_BU.shape[1]
    half = period // 2
    tail = stop - enough_BT.shape[1]
    total_BT = centred_sum(z_BU, period, tail)
    weight_BT = centred_sum(known_BU.astype(float), period, tail)
    begin = slice(tail - 2 * half, stop - 2 * half)
    centre = slice(tail - half, stop - half)
    whole_BT = seen_BU[:, begin]  # the cycle lies within the series
    are_enough_BT = weight_BT >= enough_BT * period
    known_BT = known_BU[:, centre] & whole_BT & are_enough_BT
    mean_BT = total_BT / np.maximum(weight_BT, 1.0)
    deviation_BT = z_BU[:, centre] - mean_BT
    return deviation_BT, known_BT


def add_to_tables(
    states: Sequence[TableState],
    deviation_BT: NDArray,
    known_BT: NDArray,
    decays: Sequence[float],
    least_BT: NDArray,
) -> list[TableState]:
    """`add_to_table` for several tables of one period. With few rows, they are stacked as rows of
    one table, as the overhead of calls would dominate there."""
    B, period = states[0].sum_BM.shape
    count = len(states)
    are_many = B * period > FEW_VALUES
    is_short = deviation_BT.shape[1] <= period
    if count == 1 or are_many or is_short:
        tables = []
        for state, decay in zip(states, decays, strict=True):
            tables.append(add_to_table(state, deviation_BT, known_BT, decay, least_BT))
        return tables
    arrays_of_states = zip(*states, strict=True)
    stacked = TableState(*map(np.concatenate, arrays_of_states))
    deviation_NT = np.tile(deviation_BT, (count, 1))
    known_NT = np.tile(known_BT, (count, 1))
    least_NT = np.tile(least_BT, (count, 1))
    decay_N = np.repeat(decays, B)
    columns = add_to_table(stacked, deviation_NT, known_NT, decay_N[:, None], least_NT)
    split = [np.split(array_NM, count) for array_NM in columns]
    return [TableState(*arrays) for arrays in zip(*split, strict=True)]


def add_to_table(
    state: TableState,
    deviation_BT: NDArray,
    known_BT: NDArray,
    decay: float | NDArray,
    least_BT: NDArray,
) -> TableState:
    """The columns of a table followed by T more; each step starts from the one a cycle before.

    `decay`: one for all rows, or one each (B, 1); `least_BT`: lower bound of the usual surprise.
    """
    period = state.sum_BM.shape[1]
    T = deviation_BT.shape[1]
    sums, weights, surprises = _extended(state, deviation_BT)
    for first in range(0, T, period):
        stop = min(first + period, T)
        # In the table, the T new steps follow one period behind the old columns.
        cycle_before = slice(first, stop)
        cycle_now = slice(period + first, period + stop)
        known_BN = known_BT[:, cycle_before]
        sum_BN = sums[:, cycle_before]
        weight_BN = weights[:, cycle_before]
        begun_BN = weight_BN > 0
        mean_BN = sum_BN / np.where(begun_BN, weight_BN, 1.0)
        deviation_BN = np.where(known_BN, deviation_BT[:, cycle_before], mean_BN)
        surprise_BN = np.where(begun_BN, deviation_BN - mean_BN, 0.0)
        cycle_BN = _cycle_means(surprises[:, first : stop + period], period)
        usual_BN = np.maximum(cycle_BN, least_BT[:, cycle_before])
        is_settled_BN = weight_BN >= SETTLED
        limit_BN = np.where(is_settled_BN, LIMIT * usual_BN, np.inf)
        surprise_BN = np.maximum(surprise_BN, -limit_BN)
        surprise_BN = np.minimum(surprise_BN, limit_BN)
        limited_BN = np.where(begun_BN, mean_BN + surprise_BN, deviation_BN)

        new_sum_BN = decay * sum_BN + limited_BN
        new_weight_BN = decay * weight_BN + 1.0
        sums[:, cycle_now] = np.where(known_BN, new_sum_BN, sum_BN)
        weights[:, cycle_now] = np.where(known_BN, new_weight_BN, weight_BN)
        usual_before_BN = surprises[:, cycle_now]
        is_first_BN = weight_BN <= 1.0
        rate_BN = np.where(is_first_BN, 1.0, SURPRISE_RATE)
        rate_BN = rate_BN * (known_BN & begun_BN)
        growth_BN = np.abs(surprise_BN) - usual_before_BN
        newest = slice(2 * period + first, 2 * period + stop)
        surprises[:, newest] = usual_before_BN + rate_BN * growth_BN
    return TableState(sums, weights, surprises)


def plain_table(
    state: TableState, deviation_BT: NDArray, known_BT: NDArray, decay: float
) -> TableState:
    """`add_to_table` without a cap."""
    sums, weights = sums_by_phase(
        state.sum_BM, state.weight_BM, deviation_BT, known_BT, decay
    )
    return TableState(sums, weights, state.surprise_BM)


def sums_by_phase(
    sum_BM: NDArray,
    weight_BM: NDArray,
    values_BT: NDArray,
    known_BT: NDArray,
    decay: float,
) -> tuple[NDArray, NDArray]:
    """Decayed sums of the values of each phase and of their number, of the last M steps and T more
    (B, M + T): a step starts from the one a cycle before, and repeats it if its value is
    unknown."""
    period = sum_BM.shape[1]
    T = values_BT.shape[1]
    sums, weights = _extended((sum_BM, weight_BM), values_BT)
    for first in range(0, T, period):
        stop = min(first + period, T)
        cycle_before = slice(first, stop)
        cycle_now = slice(period + first, period + stop)
        known_BN = known_BT[:, cycle_before]
        sum_BN = sums[:, cycle_before]
        weight_BN = weights[:, cycle_before]
        new_sum_BN = decay * sum_BN + values_BT[:, cycle_before]
        new_weight_BN = decay * weight_BN + 1.0
        sums[:, cycle_now] = np.where(known_BN, new_sum_BN, sum_BN)
        weights[:, cycle_now] = np.where(known_BN, new_weight_BN, weight_BN)
    return sums, weights


def _extended(arrays: Iterable[NDArray], values_BT: NDArray) -> list[NDArray]:
    """Arrays with T columns of zeros appended."""
    zeros_BT = np.zeros_like(values_BT)
    extended = []
    for array_BM in arrays:
        extended.append(np.concatenate([array_BM, zeros_BT], axis=1))
    return extended


def newest_columns(table: TableState, period: int) -> TableState:
    """The state after the newest step of a table, from all its columns."""
    sums = table.sum_BM[:, -period:]
    weights = table.weight_BM[:, -period:]
    surprises = table.surprise_BM[:, -2 * period :]
    return TableState(sums, weights, surprises)


def _cycle_means(surprises_BN: NDArray, period: int) -> NDArray:
    """Mean of the known surprises of each cycle (N − m values)."""
    is_known_BN = surprises_BN > 0
    count = rolling_sum(is_known_BN.astype(float), period)
    total = rolling_sum(surprises_BN, period)
    means = total / np.maximum(count, 1.0)
    return means[:, :-1]


class Indices:
    """Seasonal indices of one period as known at each of T steps, for any distance from that
    step.

    Args:
        table: its columns, beginning with the previous period's.
        period: number of steps.
        inner: a shorter period whose pattern every index contains and which is removed; the period
            itself if there is none.
        passed_BT: number of steps since the first deviation.
    """

    def __init__(
        self, table: TableState, period: int, inner: int, passed_BT: NDArray
    ) -> None:
        # (B, m + T): one column per new phase; weights are 0 or at least 1
        is_known = table.weight_BM > 0
        mean = table.sum_BM / np.maximum(table.weight_BM, 1.0)
        # One earlier step as well: (B, 1 + T).
        count = rolling_sum(is_known.astype(float), period)
        total = rolling_sum(mean, period)
        # less than a cycle is no season; phases that are never observed do not delay it
        enough = 0.9 * period
        are_several = count >= 2
        is_past = passed_BT >= enough
        was_past = passed_BT - 1 >= enough
        self._whole = are_several[:, 1:] & is_past
        self._whole_before = are_several[:, :-1] & was_past
        centre = total / np.maximum(count, 1.0)
        self._centre = centre[:, 1:]
        self._mean = mean
        self._known = is_known
        self._period = period
        self._steps = passed_BT.shape[1]
        self._inner = inner
        self._inner_mean = mean
        if inner < period:
            self._inner_mean = _strided_mean(mean, is_known, period, inner)

    def at(self, distance: int) -> NDArray:
        """Index for the step `distance` after each step (B, T)."""
        return self.ahead(range(distance, distance + 1))[:, 0]

    def ahead(self, distances: range) -> NDArray:
        """Indices for several distances, (B, D, T)."""
        index = self._several(self._mean, self._period, distances)
        if self._inner < self._period:
            index = index - self._several(self._inner_mean, self._inner, distances)
        else:
            index = index - self._centre[:, None]
        known_BDT = self._several(self._known, self._period, distances)
        return np.where(self._whole[:, None] & known_BDT, index, 0.0)

    def _several(
        self, columns: NDArray, cycle: int, distances: range, asof: int = 0
    ) -> NDArray:
        """Columns for several distances, as known some steps earlier (B, D, T), in one gather: it
        is also used for single steps of a stream."""
        first = _columns_ahead(self._period, cycle, distances, asof)
        if self._steps == 1:
            return columns[:, first, None]
        return sliding_window_view(columns, self._steps, axis=1)[:, first]

    def foretold_change(self, lag: int) -> NDArray:
        """The predicted change over the last `lag` steps from the indices known one step earlier
        (B, T); 0 if one of the two phases was never observed."""
        begin = self._columns(self._period, -lag, 1)
        end = self._columns(self._period, 0, 1)
        both_known = self._known[:, begin] & self._known[:, end]
        is_known = self._whole_before & both_known
        change = self._before(0) - self._before(-lag)
        return np.where(is_known, change, 0.0)

    def zigzags(self, lag: int, steps: int, times: float) -> NDArray:
        """Whether each of the newest `steps` changes between consecutive steps is predicted to be
        more than `times` as large as the one over `lag` steps, as known one step earlier (B, T)."""
        farthest = 1 - steps - lag
        distances = range(farthest, 1)
        mean_BDT = self._several(self._mean, self._period, distances, asof=1)
        newest_BST = mean_BDT[:, lag:]
        before_BST = mean_BDT[:, lag - 1 : -1]
        apart_BST = mean_BDT[:, :-lag]
        change_BST = np.abs(newest_BST - before_BST)
        over_lag_BST = np.abs(newest_BST - apart_BST)
        is_larger_BST = change_BST > times * over_lag_BST
        return self._whole_before & is_larger_BST.all(axis=1)

    def _before(self, distance: int) -> NDArray:
        """Mean of the phase at a distance, known one step earlier (B, T); not centred, as the
        centre cancels in differences."""
        columns = self._columns(self._period, distance, 1)
        index = self._mean[:, columns]
        if self._inner < self._period:
            inner_columns = self._columns(self._inner, distance, 1)
            index = index - self._inner_mean[:, inner_columns]
        return index

    def settled(self) -> NDArray:
        """Whether the indices became known at each step (B, T)."""
        return self._whole & ~self._whole_before

    def _columns(self, cycle: int, distance: int, asof: int) -> slice:
        """The columns of the newest index of a cycle's phase at that distance, as known at each
        step."""
        distances = range(distance, distance + 1)
        columns = _columns_ahead(self._period, cycle, distances, asof)
        first = int(columns[0])
        return slice(first, first + self._steps)


def _strided_mean(mean: NDArray, is_known: NDArray, period: int, inner: int) -> NDArray:
    """Mean over those of the last m columns that are a multiple of `inner` back, for the columns
    of the newest inner cycle and later: the part of a table that an inner cycle repeats."""
    columns = mean.shape[1]
    newest = period - inner
    total = np.zeros((len(mean), columns - newest))
    count = np.zeros_like(total)
    for distance in range(0, period, inner):
        back = slice(newest - distance, columns - distance)
        total += mean[:, back]
        count += is_known[:, back]
    return total / np.maximum(count, 1.0)


@cache
def _columns_ahead(period: int, cycle: int, distances: range, asof: int = 0) -> NDArray:
    """The columns, in a table of a period that begins with its last cycle, of the newest index of
    the phases at some distances, as known at the first step."""
    # from the newest step that has an index
    ahead = np.array(distances) + asof + period // 2
    cycles = -(-ahead // cycle)
    return cycle + ahead - cycle * cycles - asof
