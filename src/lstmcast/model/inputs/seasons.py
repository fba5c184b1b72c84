"""Seasons as known at each step: indices of every period, and shares.

Each period has tables of indices with different decay: one follows a changing season, one
remembers the long run. A period that is a multiple of another one has a table of what the shorter
period does not repeat: days of a week in addition to hours of a day. The *shares* of the tables say
how much of their predicted changes was realised: they come from a ridge regression of actual on
predicted changes. A share of the long run below 0 extrapolates a change of the season.

Periods that do not divide each other explain, one after the other, the residuals of those before.

    B series of a batch · T steps · U steps with the tail before them · W window · H coming steps
    K tables of a family
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.inputs.seasonfamilies import Family, families
from lstmcast.model.inputs.seasonfamilies import seasonal as seasonal
from lstmcast.model.inputs.seasonshares import (
    Explained,
    ShareState,
    read_shares,
    start_shares,
)
from lstmcast.model.inputs.tables import (
    LEAST_SURPRISE,
    WHOLE_CYCLE,
    Indices,
    Reading,
    TableState,
    add_to_tables,
    deviations,
    newest_columns,
    plain_table,
    start_table,
)

# share of a deviation that remains after one more cycle, in the tables of newest cycles
LATE = 0.3
# limit in multiples of the share: without a season there is nothing to doubt
MOST_DOUBTED = 3.0


class FamilyState(NamedTuple):
    """The state of a family."""

    tables: tuple[TableState, ...]
    late: tuple[TableState, ...]  # of each period: indices from its newest cycles
    # of each period: number of steps since the first deviation (B,)
    passed: tuple[NDArray, ...]
    shares: ShareState
    # steps, known ones, their absolute changes, and the number of those
    read_B4: NDArray


class Seasonal(NamedTuple):
    """Sums over the periods at every step: for the W newest steps and the next H."""

    past_BTW: NDArray
    # tables weighted by their shares: the seasonal part that is removed
    expected_BTH: NDArray
    doubted_BTH: NDArray  # the part of the tables that the shares exclude
    late_BTH: NDArray  # indices of the newest cycles minus the usual indices
    settled_BT: NDArray  # whether a season became known at this step


def start_seasons(rows: int, periods: tuple[int, ...]) -> tuple[FamilyState, ...]:
    """The state before any season is known."""
    return tuple(_start(rows, family) for family in families(periods))


def _start(rows: int, family: Family) -> FamilyState:
    return FamilyState(
        tables=tuple(start_table(rows, table.period) for table in family.tables),
        late=tuple(start_table(rows, period) for period in family.periods),
        passed=tuple(np.zeros(rows) for _ in family.periods),
        shares=start_shares(rows, family),
        read_B4=np.zeros((rows, 4)),
    )


def read_seasons(
    states: tuple[FamilyState, ...],
    periods: tuple[int, ...],
    reading: Reading,
    window: int,
    horizon: int,
) -> tuple[tuple[FamilyState, ...], list[NDArray], Seasonal]:
    """Read each family on the residuals of the previous ones; also return the share (B, T) of
    each."""
    B = len(reading.z_BU)
    T = reading.steps
    past_BWT = np.zeros((B, window, T))
    ahead = np.zeros((3, B, horizon, T))
    settled_BT = np.zeros((B, T), bool)
    explained: list[Explained] = []
    new_states, shares = [], []
    for state, family in zip(states, families(periods), strict=True):
        new_state, indices, shares_BT, late = _read_family(
            state, family, reading, explained
        )
        around = [index.ahead(range(1 - window, 1 + horizon)) for index in indices]
        past = [around_BDT[:, window - 1 :: -1] for around_BDT in around]
        past_BWT += _weighted(past, shares_BT)
        coming = [around_BDT[:, window:] for around_BDT in around]
        shares.append(_add_ahead(ahead, family, coming, shares_BT, late))
        for index, share_BT in zip(indices, shares_BT, strict=True):
            settled_BT |= index.settled()
            explained.append(Explained(index, share_BT))
        new_states.append(new_state)
    past_BTW = past_BWT.swapaxes(1, 2)
    expected_BTH, doubted_BTH, late_BTH = ahead.swapaxes(2, 3)
    total = Seasonal(past_BTW, expected_BTH, doubted_BTH, late_BTH, settled_BT)
    return tuple(new_states), shares, total


def _read_family(
    state: FamilyState, family: Family, reading: Reading, explained: list[Explained]
) -> tuple[FamilyState, list[Indices], list[NDArray], list[Indices]]:
    """The state after T more steps; the indices and share of each table (B, T); and the indices of
    the newest cycles of each period."""
    read_BT4, enough_BT, least_BT = _read_so_far(state.read_B4, reading)
    tables: list[TableState] = []
    late, passed, indices, late_indices = [], [], [], []
    for period, late_state, before_B in zip(
        family.periods, state.late, state.passed, strict=True
    ):
        deviation_BT, known_BT = deviations(*reading[:3], period, enough_BT)
        for shorter, share_BT in explained:
            deviation_BT = deviation_BT - share_BT * shorter.at(-(period // 2))
        begun_BT = np.maximum.accumulate(known_BT, axis=1)
        begun_BT = (before_B[:, None] > 0) | begun_BT
        passed_BT = before_B[:, None] + np.cumsum(begun_BT, axis=1)
        passed.append(passed_BT[:, -1])
        places = family.of(period)
        states = [state.tables[place] for place in places]
        decays = [family.tables[place].decay for place in places]
        added = add_to_tables(states, deviation_BT, known_BT, decays, least_BT)
        for place, columns in zip(places, added, strict=True):
            indices.append(
                Indices(columns, period, family.tables[place].inner, passed_BT)
            )
            tables.append(newest_columns(columns, period))
        columns = plain_table(late_state, deviation_BT, known_BT, LATE)
        inner = family.tables[places[0]].inner
        late_indices.append(Indices(columns, period, inner, passed_BT))
        late.append(newest_columns(columns, period))
    shares, sums = read_shares(state.shares, family, reading, indices, explained)
    new_state = FamilyState(
        tuple(tables), tuple(late), tuple(passed), sums, read_BT4[:, -1]
    )
    return new_state, indices, shares, late_indices


def _read_so_far(
    read_B4: NDArray, reading: Reading
) -> tuple[NDArray, NDArray, NDArray]:
    """Sums of what was read up to each step (B, T, 4); the share of a cycle that must be known; and
    the lower bound of the usual deviation."""
    first = reading.z_BU.shape[1] - reading.steps
    known_BT = reading.known_BU[:, first:]
    seen_BT = reading.seen_BU[:, first:]
    move_BT = reading.change(1)
    moved_BT = ~np.isnan(move_BT)
    size_BT = np.where(moved_BT, abs(move_BT), 0.0)
    newest_BT4 = np.stack([seen_BT, known_BT, size_BT, moved_BT], axis=2)
    read_BT4 = read_B4[:, None] + np.cumsum(newest_BT4, axis=1)
    steps_BT, count_BT, total_BT, pairs_BT = np.moveaxis(read_BT4, 2, 0)
    enough_BT = WHOLE_CYCLE * count_BT / np.maximum(steps_BT, 1.0)
    least_BT = LEAST_SURPRISE * total_BT / np.maximum(pairs_BT, 1.0)
    return read_BT4, enough_BT, least_BT


def _weighted(indices: list[NDArray], shares: list[NDArray]) -> NDArray:
    """Sum of the indices of tables (B, D, T) weighted by their shares (B, T)."""
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
    """Add a family's expected, excluded and latest season of the next steps to the sums; return the
    share of its shortest period (B, T). `indices`: of each table for the next steps (B, H, T)."""
    coming = range(1, total_3BHT.shape[2] + 1)
    expected_BHT, doubted_BHT, late_BHT = total_3BHT
    period_shares = []
    for period, newest in zip(family.periods, late, strict=True):
        places = family.of(period)
        own_indices = [indices[place] for place in places]
        own_shares = [shares[place] for place in places]
        share_BT = np.minimum(sum(own_shares), 1.0)
        # the part of the indices that the shares exclude, weighted like the sum
        inverse_BT = np.minimum(1 / np.maximum(share_BT, 1e-9), MOST_DOUBTED)
        doubt_BT = (1 - share_BT) * inverse_BT
        own_BHT = _weighted(own_indices, own_shares)
        is_small_BT = share_BT < 0.05
        factor_BT = np.where(is_small_BT, 0.0, 1 / np.maximum(share_BT, 0.05))
        plain_BHT = own_BHT * factor_BT[:, None]
        if is_small_BT.any():
            plain_BHT = np.where(is_small_BT[:, None], own_indices[0], plain_BHT)
        expected_BHT += own_BHT
        doubted_BHT += doubt_BT[:, None] * own_BHT
        late_BHT += newest.ahead(coming) - plain_BHT
        period_shares.append(share_BT)
    return period_shares[0]
