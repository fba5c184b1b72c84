"""What is said of rows that are known in advance: how far they reach, what fits no grid."""

# R rows · G groups of rows · S series · M steps of all series that something is known of · K cells

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.features import Future, listed
from lstmcast.data.findings import Finding
from lstmcast.data.frequency import Frequency
from lstmcast.data.known import KnownRows
from lstmcast.data.levels import number_text
from lstmcast.data.table import format_time

OFF = "known times"  # the rule of findings about times that are not on the grid


class Grid(NamedTuple):
    """Where series lie: their ids and first times, (S,) each, the time after whose step they end,
    and the frequency of all."""

    ids: ndarray
    starts: ndarray
    lengths: ndarray
    frequency: Frequency


def coverage_notes(future: Future, grid: Grid) -> list[Finding]:
    """How far the columns continue after the last values; those that go as far are told
    together."""
    spans: dict[tuple[int, int], list[str]] = {}
    for name, values in future.columns.items():
        ahead = np.maximum(steps_beyond(values, future, grid.lengths), 0)
        span = int(ahead.min()), int(ahead.max())
        spans.setdefault(span, []).append(name)
    return [_going_on(names, *span) for span, names in spans.items()]


def _going_on(names: Sequence[str], least: int, most: int) -> Finding:
    columns = listed(names)
    is_or_are = "is" if len(names) == 1 else "are"
    if not most:
        end = "ends" if len(names) == 1 else "end"
        message = f"{columns} {is_or_are} known in advance, and {end} with the values"
        action = "Give coming values as rows without a target, or in a table of their own."
        return Finding("known in advance", "warning", message, action)
    steps = f"{most:,} step{'s' * (most > 1)}"
    if least != most:
        steps = f"{least:,} to {steps}"
    message = f"{columns} {is_or_are} known for {steps} after the last values"
    if not least:
        action = "Series of which nothing is known there have no forecast, or a shorter one."
        return Finding("known in advance", "warning", message, action, count=most)
    return Finding("known in advance", "note", message, count=most)


def steps_beyond(values: ndarray, future: Future, lengths: ndarray) -> ndarray:
    """Steps after the end of each series until the last one that a column (M,) says something of:
    (S,), 0 or less where it ends with the series."""
    known = np.flatnonzero(~np.isnan(values))
    series = np.repeat(np.arange(len(lengths)), future.lengths)[known]
    steps = known - future.offsets[series]
    last = np.full(len(lengths), -1)
    np.maximum.at(last, series, steps)
    return last + 1 - lengths


def alignment_note(rows: KnownRows, own: Frequency | None, how: str) -> Finding:
    finer_or_longer = own.name if own else "finer"
    message = f"{rows.source}: {listed(rows.columns)} {_are(rows)} {finer_or_longer}"
    return Finding("other frequency", "note", message, f"Aligned: {how}.")


def _are(rows: KnownRows) -> str:
    return "is" if len(rows.columns) == 1 else "are"


def other_times(rows: KnownRows, grid: Grid) -> Finding:
    theirs, ours = ("dates", "numbers") if rows.times.dtype.kind == "M" else ("numbers", "dates")
    message = f"{rows.source}: its times are {theirs}, and those of the series are {ours}"
    return Finding(OFF, "error", message, "Give both the same sort of times.")


def silent_series(tables: Sequence[KnownRows], grid: Grid) -> list[Finding]:
    """An error where tables of their own say nothing of a series; those that hold the same columns,
    as of several files, are one."""
    for names in dict.fromkeys(tuple(rows.columns) for rows in tables):
        alike = [rows for rows in tables if tuple(rows.columns) == names]
        has_rows = np.zeros(len(grid.ids), bool)
        for rows in alike:
            keyed, groups = rows.of(grid.ids)
            has_rows |= np.isin(groups, keyed.series)
        if not has_rows.all():
            return [_silent_series_of(alike[0], np.flatnonzero(~has_rows), grid)]
    return []


def _silent_series_of(rows: KnownRows, silent: ndarray, grid: Grid) -> Finding:
    name = str(grid.ids[silent[0]])
    others = f" and {len(silent) - 1:,} more" if len(silent) > 1 else ""
    message = f"{rows.source} has no values of {listed(rows.columns)} for series {name!r}{others}"
    action = "Add rows for it, leave out its key to share rows, or leave the series out."
    return Finding("known values", "error", message, action, series=name, count=len(silent))


def repeated_rows(rows: KnownRows, groups: ndarray, grid: Grid) -> ndarray:
    """Rows whose group and time the row before has as well."""
    same_series = rows.series[1:] == rows.series[:-1]
    same_time = rows.times[1:] == rows.times[:-1]
    return np.flatnonzero(same_series & same_time) + 1


def duplicate_rows(rows: KnownRows, repeated: ndarray, groups: ndarray, grid: Grid) -> Finding:
    row = repeated[0]
    name = str(grid.ids[np.argmax(groups == rows.series[row])])
    message = (
        f"series {name!r}, column {_first_known(rows, row)!r}: two rows for "
        f"{format_time(rows.times[row])} ({rows.place(row - 1)}, {rows.place(row)})"
    )
    action = "One row for each series and time is expected: drop one, or name the keys as the data."
    line, count = int(rows.lines[row]), len(repeated)
    return Finding("duplicate known times", "error", message, action, name, line, count=count)


def _first_known(rows: KnownRows, row: int | np.integer) -> str:
    """The first column that has a value in a row."""
    return next(name for name, values in rows.columns.items() if not np.isnan(values[row]))


def off_grid_rows(
    rows: KnownRows, chosen: ndarray, series: ndarray, off: ndarray, grid: Grid
) -> Finding:
    row, name = int(chosen[off[0]]), str(grid.ids[series[off[0]]])
    start = format_time(grid.starts[series[off[0]]])
    message = (
        f"series {name!r}, column {_first_known(rows, row)!r}: {format_time(rows.times[row])} "
        f"({rows.place(row)}) is not on the grid, {grid.frequency.name} from {start} on"
    )
    action = "Give the times of coming steps, or the whole table in another regular frequency."
    line = int(rows.lines[row])
    return Finding(OFF, "error", message, action, name, line, count=len(off))


def mixed_columns(known: Sequence[KnownRows]) -> list[Finding]:
    """An error for a column that holds categories in one table and in another numbers that are none
    of them: where most are "0" and few are "a", a table may have nothing but 0."""
    for name in dict.fromkeys(name for rows in known for name in rows.columns):
        tables = [rows for rows in known if name in rows.columns]
        levels = {text for rows in tables for text in rows.levels.get(name, ())}
        if not levels:
            continue
        for rows in tables:
            if name in rows.levels:
                continue
            numbers = {number_text(number) for number in np.unique(rows.columns[name])}
            other = numbers - levels - {""}
            if other:
                message = (
                    f"the column {name!r} holds categories such as {min(levels)!r}, and numbers "
                    f"such as {min(other)} in {rows.source}"
                )
                return [Finding("known values", "error", message, "Write it alike everywhere.")]
    return []
