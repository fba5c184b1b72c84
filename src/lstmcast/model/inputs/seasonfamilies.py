"""Families of seasonal tables for the periods of a frequency.

A period that is a multiple of the previous one joins its family; otherwise it starts a new one.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from lstmcast.errors import UsageError

# Share of a deviation that remains after one more cycle, for long-run tables. Beside a longer
# period, the long run belongs to that period.
SEASON, LONG_RUN, BESIDE_LONGER = 0.8, 0.95, 0.9


class Table(NamedTuple):
    """A table of a family.

    `inner`: a shorter period whose pattern every index contains and which is removed; the period
    itself if there is none. `first`: index of the first table of the same period.
    """

    period: int
    decay: float
    inner: int
    first: int


class Family(NamedTuple):
    """Tables whose shares are estimated jointly, from the changes over some lags."""

    tables: tuple[Table, ...]
    lags: tuple[int, ...]

    @property
    def periods(self) -> tuple[int, ...]:
        """Periods in ascending order."""
        return tuple(dict.fromkeys(table.period for table in self.tables))

    def of(self, period: int) -> list[int]:
        """Indices of the tables of a period."""
        return [
            place for place, table in enumerate(self.tables) if table.period == period
        ]


def seasonal(periods: tuple[int, ...]) -> tuple[int, ...]:
    """The periods that are seasons: in ascending order, without 1."""
    if any(period < 1 for period in periods):
        raise UsageError(f"Seasonal periods must be at least 1 step, got {periods}.")
    return tuple(sorted({period for period in periods if period > 1}))


@cache
def families(periods: tuple[int, ...]) -> tuple[Family, ...]:
    """The families of tables for ascending periods.

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
    slow = LONG_RUN
    if longer:
        slow = BESIDE_LONGER ** (shortest / longer[0])
    tables = [Table(shortest, SEASON, shortest, 0), Table(shortest, slow, shortest, 0)]
    inner_periods = (shortest, *longer)[:-1]
    for inner, period in zip(inner_periods, longer, strict=True):
        tables.append(Table(period, BESIDE_LONGER, inner, first=len(tables)))
    lags = (max(1, shortest // 6), *inner_periods)
    return Family(tuple(tables), lags)
