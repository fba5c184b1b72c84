"""Future and static columns as rows of a table, before series have grids."""

# R rows · G groups: those of a series, or of several that share them

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy import ndarray


@dataclass(frozen=True, eq=False)
class KnownRows:
    """Future columns with a row for each time, past and coming.

    series (R,): the group of each row · groups: of each id, several of which may share one · times
    (R,) · lines (R,): of the file or frame · columns: by name (R,), NaN = missing · levels: the
    categories that a column's numbers stand for · source, word: where rows stand, such as "line" in
    "plan.csv" · own: whether they came in a separate table.
    """

    series: ndarray
    groups: Mapping[str, int]
    times: ndarray
    lines: ndarray
    columns: Mapping[str, ndarray]
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source: str = ""
    word: str = "row"
    own: bool = False

    def of(self, ids: Iterable[str]) -> tuple[KnownRows, ndarray]:
        """The rows of some series that say something, by group and time, and the group of each of
        the ids, -1 for none."""
        group_list = [self.groups.get(name, -1) for name in map(str, ids)]
        groups = np.array(group_list, np.int64)
        has_value = np.zeros(len(self.series), bool)
        for values in self.columns.values():
            has_value |= ~np.isnan(values)
        is_asked = np.isin(self.series, groups)
        rows = np.flatnonzero(has_value & is_asked)
        series = self.series[rows]
        times = self.times[rows]
        order = np.lexsort((times, series))
        return self.take(rows[order]), groups

    def take(self, rows: ndarray) -> KnownRows:
        """Some of the rows."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return replace(
            self,
            series=self.series[rows],
            times=self.times[rows],
            lines=self.lines[rows],
            columns=columns,
        )

    def latest(self, ids: Iterable[str]) -> tuple[ndarray, ndarray]:
        """The last time with a value for each series (S,), and whether there is one."""
        rows, groups = self.of(ids)
        if not len(rows.series):
            no_times = np.zeros(len(groups), self.times.dtype)
            return no_times, np.zeros(len(groups), bool)
        last_rows = np.searchsorted(rows.series, groups, side="right") - 1
        is_before_all = last_rows < 0
        last_rows = np.maximum(last_rows, 0)
        has_rows = rows.series[last_rows] == groups
        is_known = (groups >= 0) & ~is_before_all & has_rows
        return rows.times[last_rows], is_known

    def place(self, row: int | np.integer) -> str:
        """The place of a row: 'line 7' of the data, 'line 7 of plan.csv' of a separate table."""
        place = f"{self.word} {self.lines[row]}"
        return f"{place} of {self.source}" if self.own else place


@dataclass(frozen=True, eq=False)
class StaticColumns:
    """Static columns by name (G,), NaN = missing, and the group of each id.

    levels: the categories that a column's numbers stand for · source: of the table · own: whether
    it is one of its own.
    """

    groups: Mapping[str, int]
    columns: Mapping[str, ndarray]
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source: str = ""
    own: bool = False
