"""Sheets to tables: long, wide (a column per series) and wide the other way (a row per series)."""

# N rows of the table · R rows of the sheet · T time · K target columns

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.cells.across import unfolded
from lstmcast.data.cells.acrossrows import days_in_rows, hours_in_rows, months_in_rows
from lstmcast.data.cells.acrossvalues import with_values_apart
from lstmcast.data.cells.carried import with_carried_keys, with_carried_labels
from lstmcast.data.cells.codedlabels import without_codes
from lstmcast.data.cells.columns import changes, named_column
from lstmcast.data.cells.durations import with_durations
from lstmcast.data.cells.elapsed import with_elapsed_steps
from lstmcast.data.cells.shortyearcolumns import with_full_years
from lstmcast.data.cells.subtotals import without_totals
from lstmcast.data.cells.yearless import is_yearless
from lstmcast.data.cells.zonecolumns import with_zones_applied
from lstmcast.data.covariates.roles import Names as Names
from lstmcast.data.layouts.countedrows import with_counted_before
from lstmcast.data.layouts.longtables import long_table
from lstmcast.data.layouts.rowtimes import (
    drop_undated,
    no_dates_error,
    require_free_dates,
    time_column,
    with_one_time,
)
from lstmcast.data.layouts.sideblocks import with_blocks_stacked
from lstmcast.data.layouts.titletimes import with_time_of_titles
from lstmcast.data.layouts.widerows import header_times, series_in_rows
from lstmcast.data.limits import LARGEST
from lstmcast.data.sheet import Column, Sheet, columns_without, folded
from lstmcast.data.table import Table
from lstmcast.errors import DataError


def table_from_sheet(sheet: Sheet, names: Names) -> Table:
    """Assign the columns and convert the sheet to long form; DataError with advice if that
    fails."""
    sheet = names.written.applied(sheet)
    if isinstance(names.time, str) and names.time != "index":
        sheet, _ = with_elapsed_steps(sheet, names.time)
    sheet = with_durations(sheet, _only_target(names))
    sheet = with_counted_before(sheet, names)
    if sheet.wide and names.target is None and not names.past:
        names = replace(names, target="*")
    if names.time == "index":
        return _checked(long_table(sheet, names, None))
    if names.time is None:
        sheet = with_values_apart(with_blocks_stacked(sheet))
    sheet = without_totals(sheet)
    if names.time is None:
        sheet = with_time_of_titles(sheet, names.written.day_first)
    sheet, names = _unfolded(with_carried_labels(sheet), names)
    apart = sheet
    sheet, names = with_one_time(sheet, names)
    if sheet is not apart:  # a year and a month, and days across
        sheet, names = _unfolded(sheet, names)
    time = time_column(sheet, names)
    if time is None or _is_beside_times(sheet, time, names):
        return _table_without_dates(sheet, names)
    if time.times is not None and time.times.problem:
        below_years = _below_years(sheet, time, names)
        if below_years is not None:
            return table_from_sheet(below_years, names)
        raise DataError(f"{sheet.source}, column {time.name!r}: {time.times.problem}")
    sheet = with_carried_keys(drop_undated(sheet, time), time.name)
    sheet, time = with_zones_applied(sheet, named_column(sheet, time.name, "time"))
    return _checked(long_table(sheet, names, time))


def _only_target(names: Names) -> str | None:
    """The one column that is named as target; None for none, several or all."""
    if not isinstance(names.target, str) or names.target == "*":
        return None
    return names.target


def _unfolded(sheet: Sheet, names: Names) -> tuple[Sheet, Names]:
    """A sheet with its months or hours under each other, where they stand in columns."""
    unfolded_sheet = unfolded(sheet, _said_names(names))
    if unfolded_sheet is not sheet and names.target is None:
        names = replace(names, target=unfolded_sheet.columns[-1].name)
    return unfolded_sheet, names


def _below_years(sheet: Sheet, time: Column, names: Names) -> Sheet | None:
    """A sheet of days without their years, which stand across, with one row per time."""
    if names.time is not None or names.target is not None or not is_yearless(time):
        return None
    header = header_times(sheet)
    return header and months_in_rows(sheet, header.columns, header.times)


def _is_beside_times(sheet: Sheet, time: Column, names: Names) -> bool:
    """Whether the only date of all rows, such as that of an update, stands beside times across."""
    if names.time is not None or changes(time):
        return False
    others = replace(sheet, columns=tuple(columns_without(sheet.columns, [time])))
    return len(others.columns) > 3 and header_times(others) is not None


def _table_without_dates(sheet: Sheet, names: Names) -> Table:
    """The table of a sheet without a column of times, which are in its header then."""
    header = header_times(sheet) if names.time is None else None
    if header is None:
        reading = _otherwise_timed(sheet, names) if names.time is None else None
        if reading is not None:
            return table_from_sheet(*reading)
        require_free_dates(sheet, names)
        raise DataError(no_dates_error(sheet))
    if not names.target:
        for in_rows in (months_in_rows, hours_in_rows, days_in_rows):
            unfolded_sheet = in_rows(sheet, header.columns, header.times)
            if unfolded_sheet is not None:
                return table_from_sheet(unfolded_sheet, names)
    elif names.target != "*":
        raise DataError(_one_of_many_targets(sheet, names.target, header.columns))
    if names.first_beside is not None:
        raise DataError(
            f"{sheet.source} has one series per row, with times in the column names, so "
            f"{advise(*names.first_beside)} cannot be used. Give a table with one row per time, "
            "with columns for series, time, target and covariates."
        )
    return _checked(series_in_rows(sheet, names, header))


def _otherwise_timed(sheet: Sheet, names: Names) -> tuple[Sheet, Names] | None:
    """A sheet whose times are counted, labels, short years or numbers of rows, and what is said of
    it then; None where they are nothing of this."""
    counted, time = with_elapsed_steps(sheet, None)
    if counted is not sheet:
        return counted, replace(names, time=time)
    dated = with_full_years(without_codes(sheet))
    if dated is not sheet:
        return dated, names
    if _is_one_of_numbers(sheet):
        return sheet, replace(names, time="index")
    return None


def _is_one_of_numbers(sheet: Sheet) -> bool:
    """Whether there is one column, of numbers alone: the rows can only be in the order of time."""
    column = sheet.columns[0]
    return len(sheet.columns) == 1 and column.number_share == 1


def _said_names(names: Names) -> list[str]:
    """The columns that the user named as target or series, in small letters."""
    chosen_names = []
    for choice in (names.target, names.series, names.past, *names.beside.given()):
        chosen_names += [choice] if isinstance(choice, str) else choice or ()
    spellings = []
    for name in chosen_names:
        spellings += [folded(part) for part in (name, *name.split(","))]
    return spellings


def _one_of_many_targets(
    sheet: Sheet, target: str | Sequence[str], columns: list[Column]
) -> str:
    targets = [target] if isinstance(target, str) else target
    target_names = " and ".join(map(repr, targets))
    example_names = ", ".join(column.name for column in columns[:3])
    return (
        f"{sheet.source} has one series per row, with times in the column names ({example_names}, "
        f"…): {target_names} alone cannot be the target. Leave out --target to "
        f"read every column, name a column of times with {advise('time', 'NAME')}, or number the "
        f"rows with {advise('time', 'index')}."
    )


def _checked(table: Table) -> Table:
    """Raise DataError for tables without values or with values that are too large."""
    _require_sensible(table, table.place, table.past)
    _require_sensible(table, table.place, {table.columns.target: table.values})
    for rows in table.known:
        _require_sensible(table, rows.place, rows.columns)
    if np.isnan(table.values).all():
        raise DataError(
            f"{table.source}: all {len(table)} values of the target {table.columns.target!r} are "
            f"missing. Numbers are expected; name another column with {advise('target', 'NAME')}."
        )
    return table


def _require_sensible(
    table: Table, place: Callable[[int], str], columns: Mapping[str, ndarray]
) -> None:
    """Raise DataError for values that are too large. place: the place of a row in the data."""
    for name, values in columns.items():
        is_huge = np.isfinite(values) & (np.abs(values) > LARGEST)
        if is_huge.any():
            row = int(np.argmax(is_huge))
            raise DataError(
                f"{table.source}: {place(row)} has {values[row]:g} in {name!r}. Values up to "
                f"{LARGEST:g} are expected. Correct it, or leave the cell empty if the value is "
                "unknown."
            )
