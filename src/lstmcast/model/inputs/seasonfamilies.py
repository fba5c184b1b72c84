"""Which tables of seasonal indices the periods of a frequency have, in families.

A period that is a multiple of the one before it belongs to its family; others begin their own.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from lstmcast.errors import UsageError

# What is left of a deviation after one more cycle: of the season, in the long run. Beside a longer
# period, the long run is that period's.
SEASON, LONG_RUN, BESIDE_LONGER = 0.8, 0.95, 0.9


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
    slow = LONG_RUN
    if longer:
        slow = BESIDE_LONGER ** (shortest / longer[0])
    tables = [Table(shortest, SEASON, shortest, 0), Table(shortest, slow, shortest, 0)]
    inner_periods = (shortest, *longer)[:-1]
    for inner, period in zip(inner_periods, longer, strict=True):
        tables.append(Table(period, BESIDE_LONGER, inner, first=len(tables)))
    lags = (max(1, shortest // 6), *inner_periods)
    return Family(tuple(tables), lags)
