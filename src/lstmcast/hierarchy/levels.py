"""The totals of a panel: the series that each one sums, read from the id columns.

Series with the id columns `store` and `department` have totals by store, by department, and a grand
total. In a panel with totals, a total has "all" in each column that it sums over.

    S series · B series at the bottom · G totals of a level · T time
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, compress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.keys import OWN_NAME, Keys, texts_of
from lstmcast.data.kinds import common_kind
from lstmcast.data.observed import ObservedCalendar, occurring
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of, places, series_numbers
from lstmcast.data.read import as_panel
from lstmcast.data.table import format_time
from lstmcast.data.times.frequency import OFF_GRID
from lstmcast.errors import DataError, UsageError
from lstmcast.util.objects import objects

ALL = "all"  # the id of a total in a column that it sums over
TOTAL = "total"  # the level of the grand total
MOST_COLUMNS = 6  # up to which totals of every combination are formed


class Level(NamedTuple):
    """Totals by the same columns: group (B,) is the number of each bottom series' total."""

    names: tuple[str, ...]
    group: NDArray

    @property
    def size(self) -> int:
        """The number of totals."""
        return int(self.group.max()) + 1

    def members(self, number: int) -> NDArray:
        """The bottom series of a total."""
        return np.flatnonzero(self.group == number)

    def firsts(self) -> NDArray:
        """The first bottom series of each total."""
        return np.unique(self.group, return_index=True)[1]


@dataclass(frozen=True, eq=False)
class Structure:
    """Which series of a panel are totals, and what they sum.

    bottom (B,): positions of the series that are not totals · totals: positions of the others ·
    members, begins: the bottom series of each total, one total after the other, numbered from 0 to
    B − 1.
    """

    bottom: NDArray
    totals: NDArray
    members: NDArray
    begins: NDArray

    @classmethod
    def of(cls, keys: Keys) -> Structure:
        """The structure of a panel with totals; DataError if there are none, or if a total has no
        series to sum."""
        columns = [texts_of(column) for column in keys.values()]
        if not columns:
            raise DataError(_NO_TOTALS)
        summed = np.stack([column == ALL for column in columns], axis=1)
        is_total = summed.any(axis=1)
        bottom = np.flatnonzero(~is_total)
        totals = np.flatnonzero(is_total)
        if not len(totals) or not len(bottom):
            raise DataError(_NO_TOTALS)
        by_place = _members(columns, summed, bottom, totals)
        members = [by_place[place] for place in totals.tolist()]
        lengths = np.array([len(of_total) for of_total in members])
        if not lengths.all():
            empty = totals[lengths == 0][0]
            name = "/".join(str(column[empty]) for column in columns)
            raise DataError(f"the total {name!r} has none of the series that it sums.")
        return cls(bottom, totals, np.concatenate(members), offsets_of(lengths)[:-1])

    def sums(self, values_BX: NDArray) -> NDArray:
        """The totals of values of the bottom series, along the first axis."""
        return np.add.reduceat(values_BX[self.members], self.begins, axis=0)

    def everywhere(self, values_BX: NDArray) -> NDArray:
        """The values of all series, given those at the bottom (S, X)."""
        series = len(self.bottom) + len(self.totals)
        values_SX = np.empty((series, *values_BX.shape[1:]))
        values_SX[self.bottom] = values_BX
        values_SX[self.totals] = self.sums(values_BX)
        return values_SX

    def matrix(self) -> NDArray:
        """The bottom series that each total sums, as ones and zeros (totals, B)."""
        matrix = np.zeros((len(self.totals), len(self.bottom)))
        rows = np.repeat(np.arange(len(self.totals)), self._lengths())
        matrix[rows, self.members] = 1.0
        return matrix

    @property
    def whole(self) -> int | None:
        """The number of the grand total among the totals; None if there is none."""
        complete = np.flatnonzero(self._lengths() == len(self.bottom))
        return int(complete[0]) if len(complete) else None

    def _lengths(self) -> NDArray:
        """The number of series that each total sums."""
        return np.diff(np.append(self.begins, len(self.members)))


_NO_TOTALS = (
    "these series have no totals among them. Add them first: lc.with_totals(panel), or let "
    "lc.reconcile(model, data) do it."
)


def _members(
    columns: list[NDArray], summed: NDArray, bottom: NDArray, totals: NDArray
) -> dict[int, NDArray]:
    """The bottom series that each total sums: those with the same ids in all other columns."""
    members: dict[int, NDArray] = {}
    for pattern in np.unique(summed[totals], axis=0):
        naming = list(compress(columns, ~pattern))
        by_name: dict[tuple[str, ...], list[int]] = {}
        for number, place in enumerate(bottom.tolist()):
            by_name.setdefault(_name_in(naming, place), []).append(number)
        has_pattern = (summed[totals] == pattern).all(axis=1)
        for place in totals[has_pattern].tolist():
            numbers = by_name.get(_name_in(naming, place), [])
            members[place] = np.array(numbers, np.int64)
    return members


def _name_in(columns: list[NDArray], place: int) -> tuple[str, ...]:
    """The ids of a series in some columns."""
    return tuple(str(column[place]) for column in columns)


def level_names(keys: Keys) -> NDArray:
    """The level of each series: "total", or the columns that it does not sum over, (S,)."""
    if not keys:
        return objects(())
    is_named = [texts_of(column) != ALL for column in keys.values()]
    return objects(
        _level_name(keys, pattern) for pattern in zip(*is_named, strict=True)
    )


def _level_name(names: Iterable[str], pattern: Sequence[bool]) -> str:
    return " × ".join(compress(names, pattern)) or TOTAL


# ---------------------------------------------------------------- totals of a panel


def with_totals(
    panel: Any, levels: Sequence[str | Sequence[str]] | None = None
) -> Panel:
    """The panel with totals of its series added before them.

    A total is a series with "all" in the id columns that it sums over. A series counts as 0 before
    its start; a total is missing where any of its series is.

    Args:
        panel: A panel, or anything that `lstmcast.read` reads, with id columns, whose series end at
            the same time.
        levels: Columns by which totals are formed, such as ["store", ["store", "department"]].
            Defaults to every combination. The grand total is always included.

    Raises:
        UsageError: A column does not exist, or there are several targets or covariates.
        DataError: Series end at different times, have different grids, or include totals already.

    >>> panel = Panel.from_arrays({"a": [1, 2, 3], "b": [5, 7]}, start=[1, 2])
    >>> with_totals(panel).series(0)
    array([ 1.,  7., 10.])
    """
    panel = as_panel(panel)
    keys = panel.keys if len(panel.keys) else Keys({OWN_NAME: panel.ids.copy()})
    _require_summable(panel, keys)
    above = _levels(keys, levels)
    totals, first_series = _summed(panel, _first_steps(panel), above)
    recognised = None
    kind = panel.kind
    if panel.recognised is not None:
        recognised = np.concatenate([_kinds(panel.recognised, above), panel.recognised])
        kind = common_kind(recognised)
    ids = objects([*_ids(keys, above), *panel.ids])
    if len(set(ids)) < len(ids):
        raise DataError(
            "a total has the name of a series. Rename the series that has it."
        )
    lengths = [len(total_T) for total_T in totals]
    return replace(
        panel,
        values=np.concatenate([*totals, panel.values]),
        offsets=offsets_of(np.concatenate([lengths, panel.lengths])),
        ids=ids,
        starts=np.concatenate([panel.starts[first_series], panel.starts]),
        keys=_keys(keys, above),
        recognised=recognised,
        kind=kind,
        calendar=_calendar(panel.calendar, above),
        earlier=None,
    )


def _require_summable(panel: Panel, keys: Keys) -> None:
    if panel.keys.targets is not None:
        raise UsageError(
            "Totals are sums of one target, but these series have several. Name one with --target."
        )
    if panel.covariates:
        raise UsageError(
            "Covariates have no totals, so forecasts with them cannot be reconciled. Leave out "
            "--past, --future, --holidays and --static."
        )
    if len(panel) < 2:
        raise UsageError("Totals are sums over series, but the data have only one.")
    for name, column in keys.items():
        if (texts_of(column) == ALL).any():
            raise DataError(
                f"column {name!r} is {ALL!r} in some rows, so the data seem to include totals "
                "already. Leave out those rows; totals are computed."
            )
    ends = panel.ends
    if (ends != ends[0]).any():
        early = int(ends.argmin())
        late = int(ends.argmax())
        raise DataError(
            f"series {str(panel.ids[early])!r} ends at {format_time(ends[early])} and "
            f"{str(panel.ids[late])!r} at {format_time(ends[late])}. Totals need series that end "
            "together: leave out those that ended earlier, or give them rows with 0 until the end."
        )


def _first_steps(panel: Panel) -> NDArray:
    """The number of steps from the earliest start to the start of each series (S,)."""
    start = panel.starts.min()
    first_S = np.asarray(panel.frequency.position(panel.starts, start))
    off_grid = np.flatnonzero(first_S == OFF_GRID)
    if len(off_grid):
        series = off_grid[0]
        raise DataError(
            f"series {str(panel.ids[series])!r} begins at {format_time(panel.starts[series])}, "
            f"which is not a whole number of steps after {format_time(start)}. Totals need series "
            "on one grid."
        )
    return first_S


def _levels(keys: Keys, levels: Sequence[str | Sequence[str]] | None) -> list[Level]:
    """The levels above the bottom, the grand total first, without duplicates."""
    names = tuple(keys)
    columns = {name: _codes(texts_of(column)) for name, column in keys.items()}
    by_group: dict[bytes, Level] = {}
    for subset in _subsets(names, levels):
        codes_B = np.zeros(len(columns[names[0]]), np.int64)
        for name in subset:
            size = columns[name].max() + 1
            codes_B = _codes(codes_B * size + columns[name])
        level = Level(subset, _in_order(codes_B))
        # if regions lie within states, "by region" and "by state and region" are the same
        if level.size < len(codes_B):
            by_group.setdefault(level.group.tobytes(), level)
    return sorted(by_group.values(), key=lambda level: level.size)


def _codes(column: NDArray) -> NDArray:
    """A number for each different value."""
    return np.unique(column, return_inverse=True)[1]


def _subsets(
    names: tuple[str, ...], levels: Sequence[str | Sequence[str]] | None
) -> Iterator[tuple[str, ...]]:
    """The sets of columns to sum by: the empty set first, then the others."""
    yield ()
    if levels is None:
        if len(names) > MOST_COLUMNS:
            raise UsageError(
                f"{len(names)} columns name the series, with too many combinations. Choose the "
                "columns of totals with --hierarchy."
            )
        for size in range(len(names), 0, -1):
            yield from combinations(names, size)
        return
    for level in [levels] if isinstance(levels, str) else levels:
        is_several = isinstance(level, Sequence) and not isinstance(level, str)
        subset = list(level) if is_several else [level]
        unknown = [name for name in subset if name not in names]
        if unknown:
            raise UsageError(
                f"{unknown[0]!r} is not a column that names series. There are: "
                f"{', '.join(map(repr, names))}."
            )
        yield tuple(name for name in names if name in subset)


def _in_order(codes: NDArray) -> NDArray:
    """Group numbers in order of first appearance."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def _summed(
    panel: Panel, first: NDArray, levels: Sequence[Level]
) -> tuple[list[NDArray], NDArray]:
    """The values of each total, and its bottom series that begins first."""
    series_N = series_numbers(panel.offsets)
    step_N = first[series_N] + places(panel.offsets)
    occurs_N = occurring(panel)
    is_nan_N = np.isnan(panel.values)
    value_N = np.where(is_nan_N, 0.0, panel.values)
    length = int(step_N.max()) + 1
    totals: list[NDArray] = []
    first_series: list[int] = []
    for level in levels:
        size = level.size * length
        cell_N = level.group[series_N] * length + step_N
        total = np.bincount(cell_N, value_N, size)
        has_unknown = np.bincount(cell_N, is_nan_N & occurs_N, size) > 0
        is_open = np.bincount(cell_N, occurs_N, size) > 0
        total = np.where(has_unknown | ~is_open, np.nan, total)
        for number, total_T in enumerate(total.reshape(level.size, length)):
            members = level.members(number)
            earliest = members[first[members].argmin()]
            totals.append(total_T[first[earliest] :])
            first_series.append(int(earliest))
    return totals, np.array(first_series)


def _kinds(recognised: NDArray, levels: Sequence[Level]) -> NDArray:
    """The kind of values of each total: what holds for all series that it sums."""
    kinds = []
    for level in levels:
        for number in range(level.size):
            kinds.append(common_kind(recognised[level.members(number)]))
    return np.array(kinds, recognised.dtype)


def _keys(keys: Keys, levels: Sequence[Level]) -> Keys:
    columns: dict[str, NDArray] = {}
    for name, column in keys.items():
        texts = texts_of(column)
        totals: list[str] = []
        for level in levels:
            if name in level.names:
                totals += list(texts[level.firsts()])
            else:
                totals += [ALL] * level.size
        columns[name] = objects([*totals, *texts])
    return Keys(columns)


def _ids(keys: Keys, levels: Sequence[Level]) -> list[str]:
    count = sum(level.size for level in levels)
    columns = [column[:count] for column in _keys(keys, levels).values()]
    return ["/".join(cells) for cells in zip(*columns, strict=True)]


def _calendar(
    calendar: ObservedCalendar | None, levels: Sequence[Level]
) -> ObservedCalendar | None:
    """The calendar of each total: it may be observed whenever one of its series may."""
    if calendar is None:
        return None
    weeks = [calendar.week]
    months = [calendar.months]
    for level in levels:
        for number in range(level.size):
            patterns = np.unique(calendar.pattern[level.members(number)])
            weeks.append(np.asarray(calendar.week[patterns].any(axis=0))[None])
            months.append(np.asarray(calendar.months[patterns].any(axis=0))[None])
    pattern_of_total = len(calendar.week) + np.arange(len(weeks) - 1)
    return replace(
        calendar,
        week=np.concatenate(weeks),
        months=np.concatenate(months),
        pattern=np.concatenate([pattern_of_total, calendar.pattern]),
    )
