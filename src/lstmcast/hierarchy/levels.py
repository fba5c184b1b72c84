"""The totals of a panel: which of its series each one sums, read from their columns of ids.

Series that are told apart by `store` and `department` have totals by store, by department, and one
of everything. In a panel that holds its totals, such a series says "all" in each column that it
sums over.

    S series · B series at the bottom · G totals of a level · T time
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.frequency import OFF_GRID
from lstmcast.data.keys import OWN_NAME, Keys, texts_of
from lstmcast.data.kinds import common_kind
from lstmcast.data.observed import ObservedCalendar, occurring
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of, places, series_numbers
from lstmcast.data.table import format_time
from lstmcast.errors import DataError, UsageError
from lstmcast.util.objects import objects

ALL = "all"  # what a total says in a column that it sums over
TOTAL = "total"  # the level of the total of everything
MOST_COLUMNS = 6  # of which every combination is looked at


class Level(NamedTuple):
    """Totals by the same columns: group (B,) numbers the total that each bottom series is in."""

    names: tuple[str, ...]
    group: NDArray

    @property
    def size(self) -> int:
        """How many totals there are."""
        return int(self.group.max()) + 1

    def firsts(self) -> NDArray:
        """The first bottom series of each total."""
        return np.unique(self.group, return_index=True)[1]


@dataclass(frozen=True, eq=False)
class Structure:
    """Which series of a panel are totals of which others.

    bottom (B,): places of the series that are no totals · totals: places of the others · members,
    begins: the bottom series of each total, one total after the other, as numbers from 0 to B − 1.
    """

    bottom: NDArray
    totals: NDArray
    members: NDArray
    begins: NDArray

    @classmethod
    def of(cls, keys: Keys) -> Structure:
        """That of a panel that holds its totals. DataError where it holds none, or a total without
        the series that it sums."""
        columns = [texts_of(column) for column in keys.values()]
        if not columns:
            raise DataError(_NO_TOTALS)
        summed = np.stack([column == ALL for column in columns], axis=1)
        bottom = np.flatnonzero(~summed.any(axis=1))
        totals = np.flatnonzero(summed.any(axis=1))
        if not len(totals) or not len(bottom):
            raise DataError(_NO_TOTALS)
        found = _members(columns, summed, bottom, totals)
        lengths = np.array([len(found[place]) for place in totals.tolist()])
        if not lengths.all():
            missing = totals[lengths == 0][0]
            name = "/".join(str(column[missing]) for column in columns)
            raise DataError(f"the total {name!r} has none of the series that it sums.")
        members = np.concatenate([found[place] for place in totals.tolist()])
        return cls(bottom, totals, members, offsets_of(lengths)[:-1])

    def sums(self, values_BX: NDArray) -> NDArray:
        """The totals of some values of the bottom series, along the first axis."""
        return np.add.reduceat(values_BX[self.members], self.begins, axis=0)

    def everywhere(self, values_BX: NDArray) -> NDArray:
        """Values of all series that add up to those of the bottom ones: (S, X)."""
        result = np.empty((len(self.bottom) + len(self.totals), *values_BX.shape[1:]))
        result[self.bottom] = values_BX
        result[self.totals] = self.sums(values_BX)
        return result

    def matrix(self) -> NDArray:
        """Which bottom series each total sums: ones and zeros (totals, B)."""
        lengths = np.diff(np.append(self.begins, len(self.members)))
        result = np.zeros((len(self.totals), len(self.bottom)))
        result[np.repeat(np.arange(len(self.totals)), lengths), self.members] = 1.0
        return result

    @property
    def whole(self) -> int | None:
        """The number, among the totals, of the one that sums everything; None without one."""
        lengths = np.diff(np.append(self.begins, len(self.members)))
        complete = np.flatnonzero(lengths == len(self.bottom))
        return int(complete[0]) if len(complete) else None


_NO_TOTALS = (
    "these series have no totals among them. Add them first: lc.with_totals(panel), or let "
    "lc.reconcile(model, data) do it."
)


def _members(
    columns: list[NDArray], summed: NDArray, bottom: NDArray, totals: NDArray
) -> dict[int, NDArray]:
    """The bottom series that each total sums: those that say the same in all other columns."""
    found: dict[int, NDArray] = {}
    for pattern in np.unique(summed[totals], axis=0):
        kept = [column for column, is_summed in zip(columns, pattern, strict=True) if not is_summed]
        by_name: dict[tuple[str, ...], list[int]] = {}
        for number, place in enumerate(bottom.tolist()):
            by_name.setdefault(tuple(str(column[place]) for column in kept), []).append(number)
        alike = totals[(summed[totals] == pattern).all(axis=1)]
        for place in alike.tolist():
            name = tuple(str(column[place]) for column in kept)
            found[place] = np.array(by_name.get(name, []), np.int64)
    return found


def level_names(keys: Keys) -> NDArray:
    """The level of each series: "total", or the columns that it does not sum over, (S,)."""
    names = list(keys)
    kept = [texts_of(column) != ALL for column in keys.values()]
    patterns = zip(*kept, strict=True) if kept else ()
    return objects(_level_name(names, pattern) for pattern in patterns)


def _level_name(names: list[str], pattern: Sequence[bool]) -> str:
    chosen = [name for name, is_kept in zip(names, pattern, strict=True) if is_kept]
    return " × ".join(chosen) or TOTAL


# ---------------------------------------------------------------- totals of a panel


def with_totals(panel: Panel, levels: Sequence[str | Sequence[str]] | None = None) -> Panel:
    """The panel with the totals of its series in front of them.

    A total is a series like any other, whose columns of ids say "all" where it sums. Before a
    series begins it counts as 0; where one of its series is unknown, a total is unknown.

    Args:
        panel: Series that are told apart by columns of ids, all with the same last time.
        levels: The columns that totals are made by, such as ["store", ["store", "department"]];
            every combination of columns unless given. The total of everything is always there.

    Raises:
        UsageError: No such column; there are several targets, or columns beside the target.
        DataError: Series end at different times, lie on different grids, or are totals already.

    >>> panel = Panel.from_arrays({"a": [1, 2, 3], "b": [5, 7]}, start=[1, 2])
    >>> with_totals(panel).series(0)
    array([ 1.,  7., 10.])
    """
    keys = panel.keys if len(panel.keys) else Keys({OWN_NAME: panel.ids.copy()})
    _require_summable(panel, keys)
    chosen = _levels(keys, levels)
    values, starts = _summed(panel, _first_steps(panel), chosen)
    recognised = None
    if panel.recognised is not None:
        recognised = np.concatenate([_kinds(panel.recognised, chosen), panel.recognised])
    ids = objects([*_ids(keys, chosen), *panel.ids])
    if len(set(ids)) < len(ids):
        raise DataError("a total has the name of a series. Rename the series that has it.")
    return replace(
        panel,
        values=np.concatenate([*values, panel.values]),
        offsets=offsets_of(np.concatenate([[len(one) for one in values], panel.lengths])),
        ids=ids,
        starts=np.concatenate([panel.starts[starts], panel.starts]),
        keys=_keys(keys, chosen),
        recognised=recognised,
        kind=panel.kind if recognised is None else common_kind(recognised),
        calendar=_calendar(panel.calendar, chosen),
        earlier=None,
    )


def _require_summable(panel: Panel, keys: Keys) -> None:
    if panel.keys.targets is not None:
        raise UsageError(
            "Totals are sums of one column of values, and these series have several. Name one "
            "(--target, target=)."
        )
    if panel.covariates:
        raise UsageError(
            "Columns beside the target have no totals, so forecasts with them cannot be made to "
            "add up. Leave --past, --future, --holidays and --static out."
        )
    if len(panel) < 2:
        raise UsageError("Totals are sums over series, and the data have one.")
    taken = [name for name, column in keys.items() if (texts_of(column) == ALL).any()]
    if taken:
        raise DataError(
            f"column {taken[0]!r} says {ALL!r} in some rows: the data seem to hold totals already. "
            "Leave those rows out: they are made anew."
        )
    ends = panel.ends
    if (ends != ends[0]).any():
        early, late = int(ends.argmin()), int(ends.argmax())
        raise DataError(
            f"series {str(panel.ids[early])!r} ends at {format_time(ends[early])} and "
            f"{str(panel.ids[late])!r} at {format_time(ends[late])}. Totals need series that end "
            "together: leave out those that ended earlier, or give them rows with 0 until the end."
        )


def _first_steps(panel: Panel) -> NDArray:
    """How many steps after the first time of all each series begins, (S,)."""
    start = panel.starts.min()
    first = np.asarray(panel.frequency.position(panel.starts, start))
    off = np.flatnonzero(first == OFF_GRID)
    if len(off):
        raise DataError(
            f"series {str(panel.ids[off[0]])!r} begins at {format_time(panel.starts[off[0]])}, no "
            f"whole number of steps after {format_time(start)}. Totals need series on one grid."
        )
    return first


def _levels(keys: Keys, asked: Sequence[str | Sequence[str]] | None) -> list[Level]:
    """The levels above the bottom, the total first; none twice, and none that is the bottom."""
    names = tuple(keys)
    columns = {name: np.unique(texts_of(keys[name]), return_inverse=True)[1] for name in names}
    found: list[Level] = []
    seen: set[bytes] = set()
    for subset in _asked(names, asked):
        codes = np.zeros(len(next(iter(columns.values()))), np.int64)
        for name in subset:
            codes = codes * (columns[name].max() + 1) + columns[name]
            codes = np.unique(codes, return_inverse=True)[1]
        level = Level(subset, _in_order(codes))
        # regions within states: by region and by state and region are the same
        if level.size < len(codes) and level.group.tobytes() not in seen:
            seen.add(level.group.tobytes())
            found.append(level)
    return sorted(found, key=lambda level: level.size)


def _asked(
    names: tuple[str, ...], asked: Sequence[str | Sequence[str]] | None
) -> Iterator[tuple[str, ...]]:
    """The sets of columns to sum by: nothing first, then those that say most."""
    yield ()
    if asked is None:
        if len(names) > MOST_COLUMNS:
            raise UsageError(
                f"{len(names)} columns name the series, and they have too many combinations. Say "
                "by which of them totals are made (--hierarchy, levels=)."
            )
        for size in range(len(names), 0, -1):
            yield from combinations(names, size)
        return
    for one in [asked] if isinstance(asked, str) else asked:
        subset = list(one) if isinstance(one, Sequence) and not isinstance(one, str) else [one]
        unknown = [name for name in subset if name not in names]
        if unknown:
            raise UsageError(
                f"{unknown[0]!r} is not a column that names series. There are: "
                f"{', '.join(map(repr, names))}."
            )
        yield tuple(name for name in names if name in subset)


def _in_order(codes: NDArray) -> NDArray:
    """Numbers of groups in the order in which they come first."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def _summed(panel: Panel, first: NDArray, levels: Sequence[Level]) -> tuple[list[NDArray], NDArray]:
    """The values of each total, and the bottom series that begins first in it."""
    series = series_numbers(panel.offsets)
    step = first[series] + places(panel.offsets)
    here = occurring(panel)
    unknown = np.isnan(panel.values) & here
    known = np.where(np.isnan(panel.values), 0.0, panel.values)
    length = int(step.max()) + 1
    values: list[NDArray] = []
    starts: list[int] = []
    for level in levels:
        size = level.size * length
        cell = level.group[series] * length + step
        total = np.bincount(cell, known, size)
        holes = np.bincount(cell, unknown, size) > 0
        is_open = np.bincount(cell, here, size) > 0
        total_GT = np.where(holes | ~is_open, np.nan, total).reshape(level.size, length)
        for number, total_T in enumerate(total_GT):
            members = np.flatnonzero(level.group == number)
            begin = members[first[members].argmin()]
            values.append(total_T[first[begin] :])
            starts.append(int(begin))
    return values, np.array(starts)


def _kinds(recognised: NDArray, levels: Sequence[Level]) -> NDArray:
    """What the values of each total can be: what holds of all that it sums."""
    return np.array(
        [
            common_kind(recognised[level.group == number])
            for level in levels
            for number in range(level.size)
        ],
        recognised.dtype,
    )


def _keys(keys: Keys, levels: Sequence[Level]) -> Keys:
    columns: dict[str, NDArray] = {}
    for name, column in keys.items():
        texts = texts_of(column)
        totals: list[str] = []
        for level in levels:
            named = texts[level.firsts()] if name in level.names else [ALL] * level.size
            totals += list(named)
        columns[name] = objects([*totals, *texts])
    return Keys(columns)


def _ids(keys: Keys, levels: Sequence[Level]) -> list[str]:
    columns = _keys(keys, levels).values()
    count = sum(level.size for level in levels)
    return ["/".join(cells) for cells in zip(*(column[:count] for column in columns), strict=True)]


def _calendar(
    calendar: ObservedCalendar | None, levels: Sequence[Level]
) -> ObservedCalendar | None:
    """A total occurs whenever one of its series may."""
    if calendar is None:
        return None
    weeks, months = [calendar.week], [calendar.months]
    for level in levels:
        for number in range(level.size):
            patterns = np.unique(calendar.pattern[level.group == number])
            weeks.append(np.asarray(calendar.week[patterns].any(axis=0))[None])
            months.append(np.asarray(calendar.months[patterns].any(axis=0))[None])
    own = len(calendar.week) + np.arange(len(weeks) - 1)
    return replace(
        calendar,
        week=np.concatenate(weeks),
        months=np.concatenate(months),
        pattern=np.concatenate([own, calendar.pattern]),
    )
