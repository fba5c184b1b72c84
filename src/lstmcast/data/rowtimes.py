"""The time of each row of a sheet, and what to do about rows without one."""

# N rows of the table · R rows of the sheet · T time · K target columns

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstmcast.data.columns import (
    ask,
    find_time,
    named_column,
    named_columns,
    names_in,
)
from lstmcast.data.roles import Names, columns_beside, taken_columns
from lstmcast.data.sheet import Column, Sheet, columns_without, dropped_lines
from lstmcast.data.table import Finding
from lstmcast.data.timeparts import parts_of_name, with_joined_times
from lstmcast.data.times import Times
from lstmcast.errors import DataError, UsageError

# rows without a time among the others: up to this share they are dropped, with a warning
_UNDATED_SHARE = 0.02
_TITLES_SHARE = 0.3  # the same for rows without a number
_SHOWN = 4


def dated(sheet: Sheet, names: Names) -> tuple[Sheet, Column] | None:
    """A sheet with a time in every row, and its column of times; None where it has none."""
    sheet, names = with_one_time(names.written.applied(sheet), names)
    time = time_column(sheet, names)
    if time is None:
        return None
    if time.times is not None and time.times.problem:
        raise DataError(f"{sheet.source}, column {time.name!r}: {time.times.problem}")
    sheet = drop_undated(sheet, time)
    return sheet, named_column(sheet, time.name, "time")


def with_one_time(sheet: Sheet, names: Names) -> tuple[Sheet, Names]:
    """The sheet with one column of times where several hold parts of them, and what is known of the
    columns then."""
    if names.time == "index":
        return sheet, names
    said = names_in(sheet, names.time) if names.time else []
    taken = taken_columns(sheet, names)
    taken += named_columns(sheet, names.series, "series") if names.series else []
    if names.target and names.target != "*":
        taken += named_columns(sheet, names.target, "target")
    if len(said) > 1:
        sheet = with_joined_times(sheet, taken, said)
        return sheet, replace(names, time=sheet.columns[0].name)
    if said and _holds(sheet, said[0]):
        joined = with_joined_times(sheet, taken, said[0])
        return joined, replace(names, time=said[0] if joined is sheet else joined.columns[0].name)
    if said:  # the name that joined columns had when a model was saved
        parts = parts_of_name(sheet.names, said[0])
        return with_joined_times(sheet, taken, parts or None), replace(names, time=said[0])
    return with_joined_times(sheet, taken), names


def _holds(sheet: Sheet, name: str) -> bool:
    return name.strip().casefold() in (own.strip().casefold() for own in sheet.names)


def time_column(sheet: Sheet, names: Names) -> Column | None:
    if names.time is None:
        taken = named_columns(sheet, names.series, "series") if names.series else []
        if names.target and names.target != "*":
            taken += named_columns(sheet, names.target, "target")
        taken += taken_columns(sheet, names)
        free = tuple(columns_without(sheet.columns, taken))
        return find_time(Sheet(free, sheet.lines, sheet.source, sheet.frame)) if free else None
    column = named_column(sheet, _first_name(names.time), "time")
    if column.times is None or column.time_share == 0:
        raise DataError(
            f"{sheet.source}: the column {column.name!r} holds no dates that can be read: "
            f"{_examples(column)}. Dates such as 2024-03-01, 2024-03, 01.03.2024, 2024Q1, 2024-W09 "
            "or whole numbers are expected."
        )
    return column


def _examples(column: Column) -> str:
    rows = np.flatnonzero(~column.missing)[:_SHOWN]
    return ", ".join(repr(column.cell(row)) for row in rows) or "it is empty"


def _first_name(names: str | Sequence[str]) -> str:
    return names if isinstance(names, str) else names[0]


def require_free_dates(sheet: Sheet, names: Names) -> None:
    """UsageError where the only dates are in a column that was named for something else."""
    for role, columns in columns_beside(sheet, names).items():
        for column in columns.values():
            if column.times is not None and column.times.form == "date" and column.time_share == 1:
                raise UsageError(
                    f"the column {column.name!r} is named as {role} covariate, and it is the only "
                    "column of dates: the times are there. Leave it out."
                )


def no_dates_error(sheet: Sheet) -> str:
    return (
        f"{sheet.source} has no column of dates. Name one with {ask('time', 'NAME')}, or number "
        f"the rows with {ask('time', 'index')} if they follow each other in time, and say how many "
        "make a season with --period N (in Python: periods=N). The columns are:\n"
        f"{sheet.describe()}"
    )


def drop_undated(sheet: Sheet, time: Column) -> Sheet:
    """Leave out the rows without a time: titles and totals at the ends, and a few in between,
    with a warning."""
    times = times_of(time)
    bad = time.spread(times.bad) | time.missing
    if not bad.any():
        return sheet
    dated = np.flatnonzero(~bad)
    inside = np.flatnonzero(
        bad & (np.arange(len(bad)) > dated[0]) & (np.arange(len(bad)) < dated[-1])
    )
    ends = np.setdiff1d(np.flatnonzero(bad), inside)
    # titles of pages and blank rows have no number either
    is_title = _without_numbers(sheet, time)[inside]
    if is_title.sum() <= _TITLES_SHARE * len(bad):
        ends, inside = np.union1d(ends, inside[is_title]), inside[~is_title]
    if len(inside) > max(3, _UNDATED_SHARE * len(bad)):
        shown = ", ".join(
            f"{sheet.row_word} {sheet.lines[row]} has {time.cell(row)!r}" for row in inside[:_SHOWN]
        )
        raise DataError(
            f"{sheet.source}: {len(inside)} of {len(bad)} cells of the time column {time.name!r} "
            f"are no dates: {shown}. Mend or remove these rows, or name another column with --time."
        )
    reasons = {
        int(sheet.lines[row]): _why_undated(time, row) for row in [*ends.tolist(), *inside.tolist()]
    }
    # "Total" below the data is none; a row with digits for a time and with a number looks like data
    doubtful = {int(sheet.lines[row]) for row in inside} | {
        int(sheet.lines[row]) for row in ends if _looks_like_data(sheet, time, row, row < dated[0])
    }
    notes = dropped_lines({line: why for line, why in reasons.items() if line not in doubtful})
    notes += dropped_lines(
        {line: why for line, why in reasons.items() if line in doubtful}, "warning"
    )
    return sheet.take(dated, *notes)


def _without_numbers(sheet: Sheet, time: Column) -> np.ndarray:
    """Which rows have no number beside their time (R,)."""
    empty = np.ones(len(sheet), bool)
    for column in columns_without(sheet.columns, [time]):
        if column.numbers is not None and column.number_share >= 0.5:
            empty &= column.missing | column.spread(column.numbers.bad)
    return empty


def _looks_like_data(sheet: Sheet, time: Column, row: int, at_top: bool) -> bool:
    """Whether a row without a readable time has a number elsewhere, and stands above all others or
    has digits in its place: "Total" below the data has none."""
    digits = any(letter.isdigit() for letter in time.cell(row))
    if time.missing[row] or not (digits or at_top):
        return False
    numeric = [
        column for column in sheet.columns if column is not time and column.number_share >= 0.5
    ]
    cells = (column for column in numeric if column.numbers is not None and not column.missing[row])
    return any(not c.spread(c.numbers.bad)[row] for c in cells if c.numbers is not None)


def _why_undated(time: Column, row: int) -> str:
    return "no date" if time.missing[row] else f"{time.cell(row)!r} is not a date"


def times_of(time: Column) -> Times:
    if time.times is None:
        raise DataError(f"the column {time.name!r} holds no dates: {_examples(time)}.")
    return time.times


def notes_of_time(time: Column | None) -> list[Finding]:
    if time is None:
        return [Finding("time", "note", "the rows were numbered 1, 2, 3, … as times")]
    return [
        Finding("dates", "note", f"column {time.name!r}: {note}") for note in times_of(time).notes
    ]
