"""Findings about rows of future columns: how far they reach, and what is off the grid."""

# R rows · G groups of rows · S series · M steps of all series that something is known of · K cells

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.features import Future, listed
from lstmcast.data.findings import Finding
from lstmcast.data.known import KnownRows
from lstmcast.data.levels import numbers_beside, union_of
from lstmcast.data.sheet import Column
from lstmcast.data.table import format_time
from lstmcast.data.times.frequency import Frequency
from lstmcast.util.spelling import did_you_mean

OFF = "known times"  # rule name of findings about times off the grid


class Grid(NamedTuple):
    """The grids of series: ids, first and last times (S,), and the common frequency."""

    ids: ndarray
    starts: ndarray
    lengths: ndarray
    frequency: Frequency


def coverage_notes(future: Future, grid: Grid) -> list[Finding]:
    """Findings on how far columns continue after the last values, one per length."""
    names_by_span: dict[tuple[int, int, int], list[str]] = {}
    for name, values in future.columns.items():
        ahead = steps_beyond(values, future, grid.lengths)
        fewest_steps = max(int(ahead.min()), 0)
        most_steps = max(int(ahead.max()), 0)
        span = (fewest_steps, most_steps, int(ahead.argmin()))
        names_by_span.setdefault(span, []).append(name)
    findings = []
    for (fewest_steps, most_steps, series), names in names_by_span.items():
        first = str(grid.ids[series])
        findings.append(_going_on(names, fewest_steps, most_steps, first))
    return findings


def _going_on(
    names: Sequence[str], fewest_steps: int, most_steps: int, first: str
) -> Finding:
    """The finding about columns that are known for so many steps; `first`: ends first."""
    columns = listed(names)
    is_or_are, end = ("is", "ends") if len(names) == 1 else ("are", "end")
    if not most_steps:
        message = f"{columns} {is_or_are} known in advance, but {end} with the values"
        action = "Give coming values as rows without a target, or in a separate table."
        return Finding("known in advance", "warning", message, action)
    steps = f"{most_steps:,} step{'s' * (most_steps > 1)}"
    if fewest_steps != most_steps:
        steps = f"{fewest_steps:,} to {steps}"
    message = f"{columns} {is_or_are} known for {steps} after the last values"
    if fewest_steps != most_steps:
        message += f", the fewest in series {first!r}"
    if not fewest_steps:
        action = "Series without coming values have no forecast, or a shorter one."
        return Finding("known in advance", "warning", message, action, count=most_steps)
    return Finding("known in advance", "note", message, count=most_steps)


def steps_beyond(values: ndarray, future: Future, lengths: ndarray) -> ndarray:
    """Steps from the end of each series to the last value of a column (M,): (S,), possibly ≤ 0."""
    known_places = np.flatnonzero(~np.isnan(values))
    series_of_places = np.repeat(np.arange(len(lengths)), future.lengths)
    series = series_of_places[known_places]
    steps = known_places - future.offsets[series]
    last_steps = np.full(len(lengths), -1)
    np.maximum.at(last_steps, series, steps)
    return last_steps + 1 - lengths


def alignment_note(
    rows: KnownRows, frequency: Frequency | None, method: str
) -> Finding:
    finer_or_longer = frequency.name if frequency else "finer"
    message = f"{rows.source}: {listed(rows.columns)} {_are(rows)} {finer_or_longer}"
    return Finding("other frequency", "note", message, f"Aligned: {method}.")


def _are(rows: KnownRows) -> str:
    return "is" if len(rows.columns) == 1 else "are"


def other_times(rows: KnownRows, grid: Grid) -> Finding:
    row_times, series_times = "numbers", "dates"
    if rows.times.dtype.kind == "M":
        row_times, series_times = series_times, row_times
    message = (
        f"{rows.source}: its times are {row_times}, "
        f"but those of the series are {series_times}"
    )
    return Finding(OFF, "error", message, "Give both the same kind of times.")


def silent_series(tables: Sequence[KnownRows], grid: Grid) -> list[Finding]:
    """An error for series without values in separate tables.

    Tables with the same columns, as from several files, count as one.
    """
    tables_by_columns: dict[tuple[str, ...], list[KnownRows]] = {}
    for rows in tables:
        tables_by_columns.setdefault(tuple(rows.columns), []).append(rows)
    for alike in tables_by_columns.values():
        has_rows = np.zeros(len(grid.ids), bool)
        for rows in alike:
            keyed, groups = rows.of(grid.ids)
            has_rows |= np.isin(groups, keyed.series)
        if not has_rows.all():
            silent = np.flatnonzero(~has_rows)
            return [_silent_series_of(alike[0], silent, grid)]
    return []


def _silent_series_of(rows: KnownRows, silent: ndarray, grid: Grid) -> Finding:
    name = str(grid.ids[silent[0]])
    others_text = f" and {len(silent) - 1:,} more" if len(silent) > 1 else ""
    message = (
        f"{rows.source} has no values of {listed(rows.columns)} "
        f"for series {name!r}{others_text}"
    )
    action = (
        "Add rows for it, leave out its key to share rows, or leave out the series."
    )
    return Finding(
        "known values", "error", message, action, series=name, count=len(silent)
    )


def repeated_rows(rows: KnownRows) -> ndarray:
    """Rows with the group and time of the row before."""
    same_series = rows.series[1:] == rows.series[:-1]
    same_time = rows.times[1:] == rows.times[:-1]
    return np.flatnonzero(same_series & same_time) + 1


def duplicate_rows(
    rows: KnownRows, repeated: ndarray, groups: ndarray, grid: Grid
) -> Finding:
    row = repeated[0]
    of_group = groups == rows.series[row]
    name = str(grid.ids[np.argmax(of_group)])
    message = (
        f"series {name!r}, column {_first_known(rows, row)!r}: two rows for "
        f"{format_time(rows.times[row])} ({rows.place(row - 1)}, {rows.place(row)})"
    )
    action = "One row per series and time is expected: drop one, or name the keys as in the data."
    line = int(rows.lines[row])
    rule = "duplicate known times"
    return Finding(rule, "error", message, action, name, line, count=len(repeated))


def _first_known(rows: KnownRows, row: int | np.integer) -> str:
    """The first column with a value in a row."""
    for name, values in rows.columns.items():
        if not np.isnan(values[row]):
            return name
    raise AssertionError("rows without any value were left out before")


def off_grid_rows(
    rows: KnownRows, row_numbers: ndarray, series: ndarray, grid: Grid
) -> Finding:
    """The finding about rows that are not on the grids of their series (R,)."""
    row = int(row_numbers[0])
    name = str(grid.ids[series[0]])
    start = format_time(grid.starts[series[0]])
    message = (
        f"series {name!r}, column {_first_known(rows, row)!r}: {format_time(rows.times[row])} "
        f"({rows.place(row)}) is not on the grid, {grid.frequency.name} from {start} on"
    )
    action = "Give the times of coming steps, or the whole table at another regular frequency."
    line = int(rows.lines[row])
    return Finding(OFF, "error", message, action, name, line, count=len(row_numbers))


def mixed_columns(tables_of_rows: Sequence[KnownRows]) -> list[Finding]:
    """An error for a column that holds categories in one table and other numbers in another.

    Numbers that are categories are allowed: a table may have only "0" of "0" and "a".
    """
    for name in dict.fromkeys(name for rows in tables_of_rows for name in rows.columns):
        tables = [rows for rows in tables_of_rows if name in rows.columns]
        union = union_of(rows.levels.get(name, ()) for rows in tables)
        numeric = [rows for rows in tables if name not in rows.levels]
        if not union:
            continue
        for rows in numeric:
            uncategorised = numbers_beside(rows.columns[name], union)
            if uncategorised:
                message = (
                    f"the column {name!r} holds categories such as {union[0]!r}, but numbers such "
                    f"as {uncategorised[0]} in {rows.source}"
                )
                return [
                    Finding(
                        "known values",
                        "error",
                        message,
                        "Write it the same way everywhere.",
                    )
                ]
    return []


def left_out(
    columns: Sequence[Column], absent: Sequence[str], unknown: int
) -> list[Finding]:
    """Columns of a separate table that were not used, and rows of series that the data lack.

    absent: names of columns that were asked for and are not in the table, or misspelt there.
    """
    findings = []
    if columns:
        findings.append(_not_used([column.name for column in columns], absent))
    if unknown:
        message = f"rows of {unknown:,} series that are not in the data"
        action = "They are left out."
        findings.append(
            Finding("unknown series", "note", message, action, count=unknown)
        )
    return findings


def _not_used(names: list[str], absent: Sequence[str]) -> Finding:
    """The finding about unused columns: a warning where one is like a column that is expected."""
    for name in names:
        meant = did_you_mean(name, absent)
        if meant:
            message = f"the column {name!r} was not used"
            return Finding(
                "columns", "warning", message, meant.strip(), count=len(names)
            )
    message = f"columns that were not used: {', '.join(names[:8])}"
    if len(names) > 8:
        message += f" and {len(names) - 8} more"
    return Finding("columns", "note", message, count=len(names))
