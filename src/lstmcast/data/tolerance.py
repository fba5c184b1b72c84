"""Leaving out series that cannot be read, instead of an error (`on_error="skip"`).

Text in place of a number normally stops reading. If series may be skipped, it is recorded here, and
its series is left out; problems of a table are then found series by series.
"""

# S series · N rows

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

import numpy as np
from numpy import ndarray

from lstmcast.data.findings import Finding
from lstmcast.data.table import Table
from lstmcast.data.tablerows import select_rows
from lstmcast.errors import DataError

SKIPPED = "skipped series"  # the rule of findings about them


@dataclass
class BadCells:
    """Cells that are not numbers: lines of the source by column, and messages."""

    lines: dict[str, set[int]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def without(self, table: Table) -> Table:
        """The table without the series that such cells belong to; DataError where none is left."""
        if not self.lines:
            return table
        reasons: dict[int, str] = {}
        for name, lines in self.lines.items():
            is_bad = np.isin(table.lines, list(lines))
            # of a table with several columns of values each is a series, called after it
            is_named = np.array([_is_called(str(series), name) for series in table.ids])
            if len(table.ids) > 1 and is_named.any():
                is_bad &= is_named[table.series]
            bad_series = np.unique(table.series[is_bad]).tolist()
            reasons |= dict.fromkeys(bad_series, self.reasons[name])
        return without_series(table, reasons)


def _is_called(series: str, name: str) -> bool:
    return series == name or series.endswith(f"/{name}")


_collected: ContextVar[BadCells | None] = ContextVar("bad cells", default=None)


@contextmanager
def collecting(skip: bool) -> Iterator[BadCells]:
    """A context that records cells that are not numbers, if series may be skipped."""
    cells = BadCells()
    collected = cells if skip else None
    token = _collected.set(collected)
    try:
        yield cells
    finally:
        _collected.reset(token)


def refuse(name: str, lines: ndarray, error: DataError) -> None:
    """Raise the error about cells of a column, or record them if series may be skipped."""
    cells = _collected.get()
    if cells is None or not len(lines):
        raise error
    lines_of_column = cells.lines.setdefault(name, set())
    lines_of_column.update(np.asarray(lines).tolist())
    cells.reasons[name] = error.message


def without_series(table: Table, reasons: Mapping[int, str]) -> Table:
    """The table without some series, with reasons; DataError if none is left."""
    if not reasons:
        return table
    remaining = np.setdiff1d(np.arange(len(table.ids)), list(reasons))
    if not len(remaining):
        raise DataError(next(iter(reasons.values())))
    skipped = dict(table.skipped)
    for number, reason in reasons.items():
        skipped[str(table.ids[number])] = reason
    rows = np.isin(table.series, remaining)
    table = select_rows(table, rows)
    return replace(
        table,
        series=np.searchsorted(remaining, table.series),
        ids=table.ids[remaining],
        keys=table.keys.take(remaining),
        skipped=skipped,
    )


def skipped_findings(skipped: Mapping[str, str]) -> list[Finding]:
    """The finding about series that were left out: their number and the first reason."""
    if not skipped:
        return []
    name, reason = next(iter(skipped.items()))
    which = f"series {name!r} is left out"
    if len(skipped) > 1:
        which = f"{len(skipped):,} series are left out, the first {name!r}"
    # a line of its own: the reason is a whole message, which is looked up when it is translated
    message = f"{which}:\n{reason}"
    return [Finding(SKIPPED, "warning", message, series=name, count=len(skipped))]
