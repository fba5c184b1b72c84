"""Weekdays that never sell: steps of the week at which values that stop at 0 have been 0 for so
long that it is no chance, as those of a shop that is closed on Sundays.

Their forecast is 0, from every quantile on. The newest weeks alone say so, which whatever forecasts
has read; one sale ends it.

    R forecasts · T values of one · W weeks · D steps of a week · H horizon
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import shortest_season
from lstmcast.data.origins import Origins, window
from lstmcast.data.panel import Panel

WEEKS = 32  # newest ones that say it
FEWEST = 5  # of these, at least
CHANCE = 1e-6  # that a product sells at none of them, as seldom as on other days
DAYS = 5, 7  # steps of a week
AT_ONCE = 1 << 14  # forecasts that are looked at together


def week_of(family: str, periods: tuple[int, ...]) -> int:
    """The steps of a week of daily values; 0 for others."""
    season = shortest_season(periods)
    return season if family == "daily" and season in DAYS else 0


def unsold(panel: Panel, origins: Origins, horizon: int) -> NDArray | None:
    """Whether values are 0 at each coming step of origins, by what their week has been (R, H);
    None if none is."""
    week = week_of(panel.frequency.family, panel.periods)
    row_R = np.flatnonzero(panel.kinds[origins.series] != "real")
    if not week or not len(row_R):
        return None
    closed_RD = np.zeros((len(origins.series), week), bool)
    for first in range(0, len(row_R), AT_ONCE):
        some_R = row_R[first : first + AT_ONCE]
        at_rows = Origins(origins.series[some_R], origins.counts[some_R])
        closed_RD[some_R] = _unsold(panel, at_rows, week)
    if not closed_RD.any():
        return None
    return closed_RD[:, np.arange(horizon) % week]


def _unsold(panel: Panel, origins: Origins, week: int) -> NDArray:
    """At which steps of the coming week nothing is sold (R, D)."""
    few_RT = window(panel, origins, FEWEST * week)
    closed_RD = _silent(few_RT, week)
    row_R = np.flatnonzero(closed_RD.any(axis=1))
    if len(row_R):
        at_rows = Origins(origins.series[row_R], origins.counts[row_R])
        closed_RD[row_R] = never_sold(window(panel, at_rows, WEEKS * week), week)
    return closed_RD


def _silent(values_RT: NDArray, week: int) -> NDArray:
    """At which steps of the week some values are 0, and none is another one (R, D)."""
    by_week_RWD = values_RT.reshape(len(values_RT), -1, week)
    is_zero_RWD = by_week_RWD == 0
    is_unknown_RWD = np.isnan(by_week_RWD)
    return (is_zero_RWD | is_unknown_RWD).all(axis=1) & is_zero_RWD.any(axis=1)


def never_sold(values_RT: NDArray, week: int) -> NDArray:
    """At which of the coming steps of a week values have always been 0 lately, where chance cannot
    explain it (R, D); NaN = unknown.

    >>> days = np.resize([4.0, 2, 5, 0, 3, 1, 0], (1, 70))
    >>> days[0, 3] = 2
    >>> never_sold(days, 7).tolist()
    [[False, False, False, True, False, False, True]]
    """
    newest_first_RWD = values_RT.reshape(len(values_RT), -1, week)[:, ::-1]
    is_known_RWD = np.isfinite(newest_first_RWD)
    is_zero_RWD = newest_first_RWD == 0
    has_run_RWD = np.logical_and.accumulate(is_zero_RWD | ~is_known_RWD, axis=1)
    zeros_RD = (has_run_RWD & is_zero_RWD).sum(axis=1)
    other_zeros_RD = _on_other_days(is_zero_RWD, has_run_RWD)
    others_RD = _on_other_days(is_known_RWD, has_run_RWD)
    share_RD = other_zeros_RD / np.maximum(others_RD, 1)
    is_no_chance_RD = share_RD**zeros_RD < CHANCE
    return is_no_chance_RD & (zeros_RD >= FEWEST) & (others_RD > 0)


def _on_other_days(is_so_RWD: NDArray, has_run_RWD: NDArray) -> NDArray:
    """How often it is so on the other days of the weeks of a run (R, D)."""
    of_week_RW1 = is_so_RWD.sum(axis=2, keepdims=True)
    return ((of_week_RW1 - is_so_RWD) * has_run_RWD).sum(axis=1)


def shut(answers: NDArray, closed_RH: NDArray | None) -> NDArray:
    """Answers (R, H, …), 0 at closed steps."""
    if closed_RH is None:
        return answers
    is_closed = closed_RH.reshape(*closed_RH.shape, *[1] * (answers.ndim - 2))
    return np.where(is_closed & ~np.isnan(answers), 0.0, answers)
