"""Seasons as known at each step: indices of every period, and shares.

Each period has tables of indices with different decay: one follows a changing season, one
remembers the long run. A period that is a multiple of another one has a table of what the shorter
period does not repeat: days of a week in addition to hours of a day. The *shares* of the tables say
how much of their predicted changes was realised: they come from a ridge regression of actual on
predicted changes. A share of the long run below 0 extrapolates a change of the season.

Periods that do not divide each other explain, one after the other, the residuals of those before.

    B series of a batch · T steps · U steps with the tail before them · W window · H coming steps
    D those of them that differ · E steps around now whose indices are computed · K tables of a
    family
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
    # Of the coming steps, or of one cycle if all repeat it: the part of the tables that the shares
    # exclude, and the indices of the newest cycles minus the usual indices.
    doubted_BTD: NDArray
    late_BTD: NDArray
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
    of_periods = families(periods)
    around = [_Around.of(family, window, horizon) for family in of_periods]
    distinct = around[0].coming if len(around) == 1 else horizon
    past_BWT = np.zeros((B, window, T))
    ahead = np.zeros((3, B, distinct, T))
    settled_BT = np.zeros((B, T), bool)
    explained: list[Explained] = []
    new_states, shares = [], []
    for state, family, steps in zip(states, of_periods, around, strict=True):
        new_state, indices, shares_BT, late = _read_family(
            state, family, reading, explained
        )
        at_steps = [index.ahead(steps.distances) for index in indices]
        own_share_BT, own_BET = _add_ahead(
            ahead, family, steps, at_steps, shares_BT, late
        )
        past_BWT += own_BET[:, steps.past]
        shares.append(own_share_BT)
        for index, share_BT in zip(indices, shares_BT, strict=True):
            settled_BT |= index.settled()
            explained.append(Explained(index, share_BT))
        new_states.append(new_state)
    past_BTW = past_BWT.swapaxes(1, 2)
    expected_BDT, doubted_BDT, late_BDT = ahead
    expected_BHT = expected_BDT
    if distinct < horizon:
        expected_BHT = expected_BDT[:, np.arange(horizon) % distinct]
    total = Seasonal(
        past_BTW,
        expected_BTH=expected_BHT.swapaxes(1, 2),
        doubted_BTD=doubted_BDT.swapaxes(1, 2),
        late_BTD=late_BDT.swapaxes(1, 2),
        settled_BT=settled_BT,
    )
    return tuple(new_states), shares, total


class _Around(NamedTuple):
    """The steps around now whose indices are computed: a cycle, if it has fewer steps than the
    window and the horizon, which then repeat it."""

    distances: range
    past: NDArray  # which of them are the W newest steps, newest first
    begin: int  # which of them is the next step
    coming: int  # how many of the coming steps differ

    @classmethod
    def of(cls, family: Family, window: int, horizon: int) -> _Around:
        """Those of a family."""
        newest_first = np.arange(window)
        cycle = max(family.periods)
        if cycle < window + horizon:
            past = (cycle - 1 - newest_first) % cycle
            return cls(range(1, 1 + cycle), past, 0, min(cycle, horizon))
        distances = range(1 - window, 1 + horizon)
        return cls(distances, window - 1 - newest_first, window, horizon)


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
    total_3BDT: NDArray,
    family: Family,
    around: _Around,
    indices: list[NDArray],
    shares: list[NDArray],
    late: list[Indices],
) -> tuple[NDArray, NDArray]:
    """Add a family's expected, excluded and latest season of the next steps to the sums; return the
    share of its shortest period (B, T), and what it expects of the steps around now (B, E, T).
    `indices`: of each table for these steps (B, E, T)."""
    coming = slice(around.begin, around.begin + around.coming)
    coming_distances = range(1, 1 + around.coming)
    expected_BDT, doubted_BDT, late_BDT = total_3BDT
    around_BET = np.zeros(indices[0].shape)
    period_shares = []
    for period, newest in zip(family.periods, late, strict=True):
        places = family.of(period)
        own_indices = [indices[place] for place in places]
        own_shares = [shares[place] for place in places]
        share_BT = np.minimum(sum(own_shares), 1.0)
        # the part of the indices that the shares exclude, weighted like the sum
        inverse_BT = np.minimum(1 / np.maximum(share_BT, 1e-9), MOST_DOUBTED)
        doubt_BT = (1 - share_BT) * inverse_BT
        own_BET = _weighted(own_indices, own_shares)
        around_BET += own_BET
        own_BDT = own_BET[:, coming]
        is_small_BT = share_BT < 0.05
        factor_BT = np.where(is_small_BT, 0.0, 1 / np.maximum(share_BT, 0.05))
        plain_BDT = own_BDT * factor_BT[:, None]
        if is_small_BT.any():
            first_BDT = own_indices[0][:, coming]
            plain_BDT = np.where(is_small_BT[:, None], first_BDT, plain_BDT)
        _add_cycles(expected_BDT, own_BDT)
        _add_cycles(doubted_BDT, doubt_BT[:, None] * own_BDT)
        _add_cycles(late_BDT, newest.ahead(coming_distances) - plain_BDT)
        period_shares.append(share_BT)
    return period_shares[0], around_BET


def _add_cycles(total_BHT: NDArray, cycle_BDT: NDArray) -> None:
    """Add what repeats after D steps to all of H steps."""
    cycle = cycle_BDT.shape[1]
    for first in range(0, total_BHT.shape[1], cycle):
        steps_BDT = total_BHT[:, first : first + cycle]
        steps_BDT += cycle_BDT[:, : steps_BDT.shape[1]]
