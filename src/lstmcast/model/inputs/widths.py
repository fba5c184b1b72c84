"""Relative widths of intervals by phase of the season: solar power varies at noon, not at night.

The mean change over one season, |z_t − z_{t−m}|, is tracked for each phase of the shortest season,
with decay. Its ratio to the mean over all phases says how large errors are in that phase: the
quantiles of an answer are stretched about their median by it.

    B series of a batch · T steps · M steps of the season · H coming steps · D phases
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from lstmcast.model.inputs.tables import sums_by_phase

SHORTEST_SEASON = 24  # steps; phases of shorter ones hardly differ
DECAY = 0.977  # weight of a change one season later: it halves after thirty seasons
PRIOR = 5.0  # prior weight, in seasons, of the mean over all phases
POWER = 0.75  # errors differ less from phase to phase than changes do
LEAST, MOST = 0.33, 3.0  # bounds of the ratio


class WidthState(NamedTuple):
    """Decayed sums of the changes at the last M steps, and of their number."""

    change_BM: NDArray
    count_BM: NDArray


def season_of(periods: tuple[int, ...]) -> int:
    """Length of the season whose phases have their own widths; 0 if there is none.

    >>> season_of((24, 168)), season_of((7,)), season_of((52,))
    (24, 0, 52)
    """
    shortest = min(periods, default=0)
    return shortest if shortest >= SHORTEST_SEASON else 0


def start_widths(rows: int, season: int) -> WidthState:
    """The state before the first change."""
    return WidthState(np.zeros((rows, season)), np.zeros((rows, season)))


def read_widths(
    state: WidthState, change_BT: NDArray, horizon: int
) -> tuple[NDArray, WidthState]:
    """Relative widths of the next steps, as known at each of T steps (B, T, H), and the state after
    them. `change_BT`: changes over one season; NaN = unknown."""
    season = state.change_BM.shape[1]
    steps = change_BT.shape[1]
    known_BT = ~np.isnan(change_BT)
    size_BT = np.where(known_BT, np.abs(change_BT), 0.0)
    changes, counts = sums_by_phase(*state, size_BT, known_BT, DECAY)
    new_state = WidthState(changes[:, -season:], counts[:, -season:])
    total_BT = _over_phases(changes, season)
    number_BT = _over_phases(counts, season)
    mean_BT = total_BT / np.where(number_BT > 0, number_BT, 1.0)
    mean_BT1 = mean_BT[:, :, None]
    change_BTH = _ahead(changes, season, steps, horizon) + PRIOR * mean_BT1
    usual_BTH = (_ahead(counts, season, steps, horizon) + PRIOR) * mean_BT1
    beside_BTH = np.ones_like(change_BTH)
    np.divide(change_BTH, usual_BTH, out=beside_BTH, where=usual_BTH > 0)
    return np.clip(beside_BTH, LEAST, MOST) ** POWER, new_state


def _over_phases(columns: NDArray, season: int) -> NDArray:
    """Sum of the last m columns, at each of T steps (B, T)."""
    windows_BTM = sliding_window_view(columns[:, 1:], season, axis=1)
    return windows_BTM.sum(axis=2)


def _ahead(columns: NDArray, season: int, steps: int, horizon: int) -> NDArray:
    """Columns of the phases of the next steps, each averaged with its neighbours (B, T, H)."""
    first = _first_columns(horizon + 2, season)
    phases_BDT = sliding_window_view(columns, steps, axis=1)[:, first]
    neighbours_BHT = phases_BDT[:, :-2] + phases_BDT[:, 2:]
    mean_BHT = 0.25 * neighbours_BHT + 0.5 * phases_BDT[:, 1:-1]
    return mean_BHT.swapaxes(1, 2)


@cache
def _first_columns(distances: int, season: int) -> NDArray:
    """The columns of the newest changes of the phases at the next distances, from 0 on, as known at
    the first step."""
    distance = np.arange(distances)
    seasons = -(-distance // season)
    return season + distance - season * seasons
