"""Seasons as known at each step: indices of every period, and how much of them to believe.

Each period has tables of indices of different speeds: one that follows a changing season, one that
remembers the long run. A period that is a multiple of another one has a table of what the shorter
one does not repeat: days of a week beside hours of a day. The *shares* of the tables, how much of
what they foretold came true, are a ridge regression of the changes that came on the changes that
they foretold; a share of the long run below 0 continues with a change of the season.

Periods of which none divides the next explain, one after the other, what those before them left.

    B series of a batch · T steps · U steps with the tail before them · W window · H coming steps
    K tables of a family · L lags
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import UsageError
from lstmcast.model.inputs.tables import (
    LEAST_SURPRISE,
    WHOLE_CYCLE,
    Indices,
    TableState,
    add_to_table,
    deviations,
    newest_columns,
    plain_table,
    start_table,
)

# What is left of a deviation after one more cycle: of the season, in the long run, of late. Beside
# a longer period, the long run is that period's.
SEASON, LONG_RUN, BESIDE_LONGER, LATE = 0.8, 0.95, 0.9, 0.3
# Of the shares before anything came true, in observations: of a period's first table, and of what
# another one adds.
PRIOR_WEIGHT, PRIOR_SHARE, PRIOR_WEIGHT_OF_OTHERS = 4.0, 0.5, 30.0
LEAST_OF_OTHERS = -0.5  # share of a table that is not the first of its period
SWEEPS = 4  # of the regression
# What the shares are estimated from: changes up to so many times the usual one, once so many came.
MOST_CHANGE, FEWEST_CHANGES = 10.0, 8
MOST_DOUBTED = 3.0  # times the share: without a season there is nothing to doubt


class Table(NamedTuple):
    """A table of a family.

    `inner`: a shorter period whose pattern is in every index, and taken out; the period itself for
    none. `first`: the place of its period's first table.
    """

    period: int
    decay: float
    inner: int
    first: int


class Family(NamedTuple):
    """Tables whose shares are estimated together, from the changes over some lags."""

    tables: tuple[Table, ...]
    lags: tuple[int, ...]

    @property
    def periods(self) -> tuple[int, ...]:
        """Ascending."""
        return tuple(dict.fromkeys(table.period for table in self.tables))

    def of(self, period: int) -> list[int]:
        """The places of a period's tables."""
        return [place for place, table in enumerate(self.tables) if table.period == period]


class ShareState(NamedTuple):
    """The sums that the shares of a family's tables are made of."""

    square_BKK: NDArray  # Σ foretold change × foretold change
    product_BK: NDArray  # Σ change × foretold change
    count_B: NDArray  # of the changes
    change_BL2: NDArray  # over each lag: Σ √|change|, their number


class FamilyState(NamedTuple):
    """What is remembered of a family."""

    tables: tuple[TableState, ...]
    late: tuple[TableState, ...]  # of each period: its newest cycles
    passed: tuple[NDArray, ...]  # of each period: steps since the first deviation (B,)
    shares: ShareState
    read_B4: NDArray  # steps, known ones, their absolute changes, the number of those


class Seasonal(NamedTuple):
    """Sum over the periods, at every step: for the W newest steps and for the next H."""

    past_BTW: NDArray
    expected_BTH: NDArray  # each table times its share: what is taken out of the target
    doubted_BTH: NDArray  # what the shares left out
    late_BTH: NDArray  # newest cycles less the indices
    settled_BT: NDArray  # whether a season became known at this step


class Reading(NamedTuple):
    """T steps on the reading axis with the tail before them, and which of them are known."""

    z_BU: NDArray
    known_BU: NDArray
    seen_BU: NDArray
    steps: int  # T

    def change(self, lag: int) -> NDArray:
        """z_t − z_{t − lag} for the last T steps; NaN where one of the two is missing."""
        first = self.z_BU.shape[1] - self.steps
        earlier = slice(first - lag, self.z_BU.shape[1] - lag)
        both_known_BT = self.known_BU[:, first:] & self.known_BU[:, earlier]
        return np.where(both_known_BT, self.z_BU[:, first:] - self.z_BU[:, earlier], np.nan)


def seasonal(periods: tuple[int, ...]) -> tuple[int, ...]:
    """The periods that are seasons: ascending, without 1."""
    if any(period < 1 for period in periods):
        raise UsageError(f"A seasonal period is a number of steps, at least 1, but got {periods}.")
    return tuple(sorted({period for period in periods if period > 1}))


@cache
def families(periods: tuple[int, ...]) -> tuple[Family, ...]:
    """The tables of ascending periods.

    >>> [len(family.tables) for family in families((24, 168))], len(families((7, 30)))
    ([3], 2)
    """
    chains: list[list[int]] = []
    for period in periods:
        if chains and period % chains[-1][-1] == 0:
            chains[-1].append(period)
        else:
            chains.append([period])
    return tuple(_family(*chain) for chain in chains)


def _family(shortest: int, *longer: int) -> Family:
    slow = BESIDE_LONGER ** (shortest / longer[0]) if longer else LONG_RUN
    tables = [Table(shortest, SEASON, shortest, 0), Table(shortest, slow, shortest, 0)]
    inner = (shortest, *longer)[:-1]
    tables += [
        Table(period, BESIDE_LONGER, i, 2 + number)
        for number, (i, period) in enumerate(zip(inner, longer, strict=True))
    ]
    return Family(tuple(tables), (max(1, shortest // 6), *inner))


def start_seasons(rows: int, periods: tuple[int, ...]) -> tuple[FamilyState, ...]:
    """Nothing is known of any period."""
    return tuple(_start(rows, family) for family in families(periods))


def _start(rows: int, family: Family) -> FamilyState:
    K = len(family.tables)
    return FamilyState(
        tuple(start_table(rows, table.period) for table in family.tables),
        tuple(start_table(rows, period) for period in family.periods),
        tuple(np.zeros(rows) for _ in family.periods),
        ShareState(
            np.zeros((rows, K, K)),
            np.zeros((rows, K)),
            np.zeros(rows),
            np.zeros((rows, len(family.lags), 2)),
        ),
        np.zeros((rows, 4)),
    )


def read_seasons(
    states: tuple[FamilyState, ...],
    periods: tuple[int, ...],
    reading: Reading,
    window: int,
    horizon: int,
) -> tuple[tuple[FamilyState, ...], list[NDArray], Seasonal]:
    """Each family explains what those before it left; with the share (B, T) of each."""
    B, T = len(reading.z_BU), reading.steps
    past_BWT, ahead = np.zeros((B, window, T)), np.zeros((3, B, horizon, T))
    settled_BT = np.zeros((B, T), bool)
    explained: list[tuple[Indices, NDArray]] = []
    new_states, shares = [], []
    for state, family in zip(states, families(periods), strict=True):
        new_state, indices, share_BTK, late = _read_family(state, family, reading, explained)
        pairs = [(index, share_BTK[:, :, table]) for table, index in enumerate(indices)]
        around = [index.ahead(range(1 - window, 1 + horizon)) for index in indices]
        shares_BT = [share_BT for _, share_BT in pairs]
        past = [around_BDT[:, window - 1 :: -1] for around_BDT in around]
        past_BWT += _weighted(past, shares_BT)
        coming = [around_BDT[:, window:] for around_BDT in around]
        shares.append(_add_ahead(ahead, family, coming, shares_BT, late))
        for index in indices:
            settled_BT |= index.settled()
        explained += pairs
        new_states.append(new_state)
    past_BTW, (expected_BTH, doubted_BTH, late_BTH) = past_BWT.swapaxes(1, 2), ahead.swapaxes(2, 3)
    total = Seasonal(past_BTW, expected_BTH, doubted_BTH, late_BTH, settled_BT)
    return tuple(new_states), shares, total


def _read_family(
    state: FamilyState,
    family: Family,
    reading: Reading,
    explained: list[tuple[Indices, NDArray]],
) -> tuple[FamilyState, list[Indices], NDArray, list[Indices]]:
    """The state after T more steps; the indices of each table and its share (B, T, K); those of
    the newest cycles of each period."""
    first = reading.z_BU.shape[1] - reading.steps
    known_BT, seen_BT = reading.known_BU[:, first:], reading.seen_BU[:, first:]
    move_BT = reading.change(1)
    moved_BT = ~np.isnan(move_BT)
    moves = np.stack([seen_BT, known_BT, np.where(moved_BT, abs(move_BT), 0.0), moved_BT], axis=2)
    read_BT4 = state.read_B4[:, None] + np.cumsum(moves, axis=1)
    steps_BT, count_BT, size_BT, pairs_BT = np.moveaxis(read_BT4, 2, 0)
    enough_BT = WHOLE_CYCLE * count_BT / np.maximum(steps_BT, 1.0)
    least_BT = LEAST_SURPRISE * size_BT / np.maximum(pairs_BT, 1.0)

    tables: list[TableState] = []
    late, passed, indices, late_indices = [], [], [], []
    for period, late_state, before_B in zip(family.periods, state.late, state.passed, strict=True):
        deviation_BT, known_BT = deviations(*reading[:3], period, enough_BT)
        for shorter, share_BT in explained:
            deviation_BT = deviation_BT - share_BT * shorter.at(-(period // 2))
        begun_BT = (before_B[:, None] > 0) | np.maximum.accumulate(known_BT, axis=1)
        passed_BT = before_B[:, None] + np.cumsum(begun_BT, axis=1)
        for place in family.of(period):
            args = state.tables[place], deviation_BT, known_BT, family.tables[place].decay, least_BT
            columns = add_to_table(*args)
            indices.append(Indices(columns, period, family.tables[place].inner, passed_BT))
            tables.append(newest_columns(columns, period))
        columns = plain_table(late_state, deviation_BT, known_BT, LATE)
        inner = family.tables[family.of(period)[0]].inner
        late_indices.append(Indices(columns, period, inner, passed_BT))
        late.append(newest_columns(columns, period))
        passed.append(passed_BT[:, -1])
    share_BTK, sums = _shares(state.shares, family, reading, indices, explained)
    new_state = FamilyState(tuple(tables), tuple(late), tuple(passed), sums, read_BT4[:, -1])
    return new_state, indices, share_BTK, late_indices


def _weighted(indices: list[NDArray], shares: list[NDArray]) -> NDArray:
    """Sum of the indices of tables (B, D, T) times their shares (B, T)."""
    total_BDT = shares[0][:, None] * indices[0]
    for index_BDT, share_BT in zip(indices[1:], shares[1:], strict=True):
        total_BDT += share_BT[:, None] * index_BDT
    return total_BDT


def _add_ahead(
    total_3BHT: NDArray,
    family: Family,
    indices: list[NDArray],
    shares: list[NDArray],
    late: list[Indices],
) -> NDArray:
    """Add what a family expects of the next steps, doubts, and saw of late; the share of its
    shortest period (B, T). `indices`: of the next steps, those of each table (B, H, T)."""
    sums, coming = [], range(1, total_3BHT.shape[2] + 1)
    expected_BHT, doubted_BHT, late_BHT = total_3BHT
    for period, newest in zip(family.periods, late, strict=True):
        own_indices = [indices[place] for place in family.of(period)]
        own_shares = [shares[place] for place in family.of(period)]
        share_BT = np.minimum(sum(own_shares), 1.0)
        # of the indices that the shares left out; times the share, as the sum has it
        doubt_BT = (1 - share_BT) * np.minimum(1 / np.maximum(share_BT, 1e-9), MOST_DOUBTED)
        small_BT = share_BT < 0.05
        own_BHT = _weighted(own_indices, own_shares)
        plain_BHT = own_BHT * np.where(small_BT, 0.0, 1 / np.maximum(share_BT, 0.05))[:, None]
        if small_BT.any():
            plain_BHT = np.where(small_BT[:, None], own_indices[0], plain_BHT)
        expected_BHT += own_BHT
        doubted_BHT += doubt_BT[:, None] * own_BHT
        late_BHT += newest.ahead(coming) - plain_BHT
        sums.append(share_BT)
    return sums[0]


def _shares(
    state: ShareState,
    family: Family,
    reading: Reading,
    indices: list[Indices],
    explained: list[tuple[Indices, NDArray]],
) -> tuple[NDArray, ShareState]:
    """The share of each table (B, T, K), and the sums it is made of.

    The columns of the regression are what each period's first table foretold, and by how much the
    others differ from it: tables of one period are much alike.
    """
    B, T, K = len(reading.z_BU), reading.steps, len(indices)
    square_BTKK, product_BTK = np.zeros((B, T, K, K)), np.zeros((B, T, K))
    count_BT, sizes = np.zeros((B, T)), []
    for place, lag in enumerate(family.lags):
        change_BT, size_B2 = _limited(reading.change(lag), state.change_BL2[:, place])
        sizes.append(size_B2)
        for shorter, share_BT in explained:
            change_BT = change_BT - share_BT * shorter.foretold_change(lag)
        foretold = [index.foretold_change(lag) for index in indices]
        use_BT = ~np.isnan(change_BT) & np.logical_or.reduce(
            [foretold_BT != 0 for foretold_BT in foretold]
        )
        change_BT = np.where(use_BT, change_BT, 0.0)
        first = [foretold[table.first] for table in family.tables]
        columns = [
            np.where(use_BT, own if table.first == column else own - base, 0.0)
            for column, (table, own, base) in enumerate(
                zip(family.tables, foretold, first, strict=True)
            )
        ]
        for column, column_BT in enumerate(columns):
            product_BTK[:, :, column] += column_BT * change_BT
            for second in range(column, K):
                square_BTKK[:, :, column, second] += column_BT * columns[second]
                square_BTKK[:, :, second, column] = square_BTKK[:, :, column, second]
        if place == 0:
            count_BT += use_BT
    square_BTKK = state.square_BKK[:, None] + np.cumsum(square_BTKK, axis=1)
    product_BTK = state.product_BK[:, None] + np.cumsum(product_BTK, axis=1)
    count_BT = state.count_B[:, None] + np.cumsum(count_BT, axis=1)
    share_BTK = _ridge(square_BTKK, product_BTK, count_BT, family)
    new_state = ShareState(
        square_BTKK[:, -1], product_BTK[:, -1], count_BT[:, -1], np.stack(sizes, axis=1)
    )
    return share_BTK, new_state


def _limited(change_BT: NDArray, before_B2: NDArray) -> tuple[NDArray, NDArray]:
    """Changes that are not much larger than was usual before, and what usual is made of (B, 2)."""
    known_BT = ~np.isnan(change_BT)
    roots_BT = np.sqrt(np.abs(np.where(known_BT, change_BT, 0.0)))
    sums_BT2 = before_B2[:, None] + np.cumsum(np.stack([roots_BT, known_BT], axis=2), axis=1)
    earlier_BT2 = np.concatenate([before_B2[:, None], sums_BT2[:, :-1]], axis=1)
    usual_BT = (earlier_BT2[:, :, 0] / np.maximum(earlier_BT2[:, :, 1], 1.0)) ** 2
    limit_BT = np.where(earlier_BT2[:, :, 1] >= FEWEST_CHANGES, MOST_CHANGE * usual_BT, np.inf)
    return np.minimum(np.maximum(change_BT, -limit_BT), limit_BT), sums_BT2[:, -1]


def _ridge(
    square_BTKK: NDArray, product_BTK: NDArray, count_BT: NDArray, family: Family
) -> NDArray:
    """Coefficients within their bounds, one after the other (coordinate descent: Friedman, Hastie
    & Tibshirani 2010), as shares of the tables."""
    K = len(family.tables)
    is_first = np.array([table.first == column for column, table in enumerate(family.tables)])
    prior_K = np.where(is_first, PRIOR_SHARE, 0.0)
    weight_K = np.where(is_first, PRIOR_WEIGHT, PRIOR_WEIGHT_OF_OTHERS)
    least_K = np.where(is_first, 0.0, LEAST_OF_OTHERS)
    diagonal_BTK = np.einsum("btkk->btk", square_BTKK)
    penalty_BTK = weight_K * diagonal_BTK / np.maximum(count_BT, 1.0)[:, :, None]
    whole_BTK = diagonal_BTK + penalty_BTK
    safe_BTK = np.where(whole_BTK > 0, whole_BTK, 1.0)
    share_BTK = np.broadcast_to(prior_K, product_BTK.shape).copy()
    for _ in range(SWEEPS if K > 1 else 1):
        for column in range(K):
            rest_BT = product_BTK[:, :, column] + penalty_BTK[:, :, column] * prior_K[column]
            for second in range(K):
                if second != column:
                    rest_BT = rest_BT - square_BTKK[:, :, column, second] * share_BTK[:, :, second]
            best_BT = np.maximum(rest_BT / safe_BTK[:, :, column], least_K[column])
            best_BT = np.minimum(best_BT, 1.0)
            share_BTK[:, :, column] = np.where(
                whole_BTK[:, :, column] > 0, best_BT, prior_K[column]
            )
    for column, table in enumerate(family.tables):
        if table.first != column:
            share_BTK[:, :, table.first] -= share_BTK[:, :, column]
    return share_BTK
