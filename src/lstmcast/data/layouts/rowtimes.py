"""The time of each row of a sheet, and what to do about rows without one."""

# N rows of the table · R rows of the sheet · T time · K target columns

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstmcast.advice import advise
from lstmcast.data.cells.columns import named_column, named_columns, names_in
from lstmcast.data.cells.timecolumns import find_time
from lstmcast.data.cells.yearless import is_yearless
from lstmcast.data.covariates.roles import Names, columns_beside, taken_columns
from lstmcast.data.findings import NUMBERED, dropped_lines
from lstmcast.data.layouts.timeparts import parts_of_name, with_joined_times
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.data.table import Finding
from lstmcast.data.times.times import Times
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
    time_names = names_in(sheet, names.time) if names.time else []
    used_columns = taken_columns(sheet, names) + _series_and_targets(sheet, names)
    if len(time_names) > 1:
        sheet = with_joined_times(sheet, used_columns, time_names)
        return sheet, replace(names, time=sheet.columns[0].name)
    if not time_names:
        return with_joined_times(sheet, used_columns), names
    name = time_names[0]
    if sheet.has_column(name):
        joined_sheet = with_joined_times(sheet, used_columns, name)
        if joined_sheet is not sheet:
            name = joined_sheet.columns[0].name
        return joined_sheet, replace(names, time=name)
    # the name that joined columns had when a model was saved
    part_names = parts_of_name(sheet.names, name)
    joined_sheet = with_joined_times(sheet, used_columns, part_names or None)
    return joined_sheet, replace(names, time=name)


def _series_and_targets(sheet: Sheet, names: Names) -> list[Column]:
    """The columns that are named as series or targets."""
    columns = []
    if names.series:
        columns += named_columns(sheet, names.series, "series")
    if names.target and names.target != "*":
        columns += named_columns(sheet, names.target, "target")
    return columns


def time_column(sheet: Sheet, names: Names) -> Column | None:
    if names.time is None:
        used_columns = _series_and_targets(sheet, names) + taken_columns(sheet, names)
        free_columns = columns_without(sheet.columns, used_columns)
        if not free_columns:
            return None
        return find_time(
            Sheet(tuple(free_columns), sheet.lines, sheet.source, sheet.frame)
        )
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
            if _is_all_dates(column):
                raise UsageError(
                    f"the column {column.name!r} is named as {role} covariate, but it is the only "
                    "column of dates, so it must be the time. Remove it from the covariates."
                )


def _is_all_dates(column: Column) -> bool:
    return (
        column.times is not None
        and column.times.form == "date"
        and column.time_share == 1
    )


def no_dates_error(sheet: Sheet) -> str:
    yearless = next(filter(is_yearless, sheet.columns), None)
    if yearless is not None:
        return (
            f"{sheet.source} has no column of dates: {yearless.name!r} has labels without a year, "
            f"such as {_examples(yearless)}. Write the year in them or in a column of its own, or "
            "number the rows with --time index --period N, N rows being one season."
        )
    return (
        f"{sheet.source} has no column of dates. Name one with --time NAME, or, if the "
        f"rows are in time order, number them with {advise('time', 'index')} and give the seasonal "
        "period with --period N. The columns are:\n"
        f"{sheet.describe()}"
    )


def drop_undated(sheet: Sheet, time: Column) -> Sheet:
    """Leave out the rows without a time: titles and totals at the ends, and a few in between,
    with a warning."""
    times = times_of(time)
    is_undated = time.spread(times.bad) | time.missing
    if not is_undated.any():
        return sheet
    dated_rows = np.flatnonzero(~is_undated)
    undated_rows = np.flatnonzero(is_undated)
    first_row = dated_rows[0]
    last_row = dated_rows[-1]
    is_inner = (undated_rows > first_row) & (undated_rows < last_row)
    # titles of pages and blank rows have no number either
    is_title = is_inner & _without_numbers(sheet, time)[undated_rows]
    if is_title.sum() <= _TITLES_SHARE * len(is_undated):
        is_inner &= ~is_title
    inner_rows = undated_rows[is_inner].tolist()
    if len(inner_rows) > max(3, _UNDATED_SHARE * len(is_undated)):
        examples = ", ".join(
            _undated_cell(sheet, time, row) for row in inner_rows[:_SHOWN]
        )
        raise DataError(
            f"{sheet.source}: {len(inner_rows)} of {len(is_undated)} cells of the time column "
            f"{time.name!r} are not dates: {examples}. Correct or remove these rows, or name "
            "another column with --time."
        )
    # "Total" below the data is none; a row with digits for a time and with a number looks like data
    are_inner = set(inner_rows)
    reasons, doubtful_reasons = {}, {}
    for row in undated_rows.tolist():
        at_top = row < first_row
        is_doubtful = row in are_inner or _looks_like_data(sheet, time, row, at_top)
        line = int(sheet.lines[row])
        if is_doubtful:
            doubtful_reasons[line] = _why_undated(time, row)
        else:
            reasons[line] = _why_undated(time, row)
    notes = [*dropped_lines(reasons), *dropped_lines(doubtful_reasons, "warning")]
    return sheet.take(dated_rows, *notes)


def _undated_cell(sheet: Sheet, time: Column, row: int) -> str:
    return f"{sheet.row_word} {sheet.lines[row]} has {time.cell(row)!r}"


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
    has_digits = any(letter.isdigit() for letter in time.cell(row))
    if time.missing[row] or not (has_digits or at_top):
        return False
    for column in sheet.columns:
        if column is time or column.number_share < 0.5 or column.missing[row]:
            continue
        if column.numbers is not None and not column.spread(column.numbers.bad)[row]:
            return True
    return False


def _why_undated(time: Column, row: int) -> str:
    return "no date" if time.missing[row] else f"{time.cell(row)!r} is not a date"


def times_of(time: Column) -> Times:
    if time.times is None:
        raise DataError(f"the column {time.name!r} holds no dates: {_examples(time)}.")
    return time.times


def notes_of_time(time: Column | None) -> list[Finding]:
    if time is None:
        return [Finding(NUMBERED, "note", "the rows were numbered 1, 2, 3, … as times")]
    notes = times_of(time).notes
    return [Finding("dates", "note", f"column {time.name!r}: {note}") for note in notes]
