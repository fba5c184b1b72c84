"""Sheets to tables: long, wide (a column per series) and wide the other way (a row per series)."""

# N rows of the table · R rows of the sheet · T time · K target columns

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstmcast.data.across import months_in_rows, unfolded
from lstmcast.data.carried import with_carried_keys, with_carried_labels
from lstmcast.data.columns import (
    ask,
    named_column,
)
from lstmcast.data.limits import LARGEST
from lstmcast.data.longtables import long_table
from lstmcast.data.roles import Names as Names
from lstmcast.data.rowtimes import (
    drop_undated,
    no_dates_error,
    require_free_dates,
    time_column,
    with_one_time,
)
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.subtotals import without_totals
from lstmcast.data.table import Table
from lstmcast.data.widerows import header_times, series_in_rows
from lstmcast.errors import DataError


def table_from_sheet(sheet: Sheet, names: Names) -> Table:
    """Decide what the columns are and bring the sheet into long form; DataError with what to do
    where that fails."""
    sheet = names.written.applied(sheet)
    if sheet.wide and names.target is None and not names.past:
        names = replace(names, target="*")
    if names.time != "index":
        sheet = with_carried_labels(without_totals(sheet))
        sheet, names = _unfolded(sheet, names)
    apart, (sheet, names) = sheet, with_one_time(sheet, names)
    if sheet is not apart:  # a year and a month, and days across
        sheet, names = _unfolded(sheet, names)
    time = None if names.time == "index" else time_column(sheet, names)
    if time is None and names.time != "index":
        header = header_times(sheet) if names.time is None else None
        part = None if header is None or names.target else months_in_rows(sheet, *header[:2])
        if part is not None:
            return table_from_sheet(part, names)
        if header is None:
            require_free_dates(sheet, names)
            raise DataError(no_dates_error(sheet))
        if names.target and names.target != "*":
            raise DataError(_one_of_many_targets(sheet, names.target, header[0]))
        beside = names.first_beside
        if beside is not None:
            raise DataError(
                f"{sheet.source} has one series per row, its times in the column names: there is "
                f"no column beside a target that {ask(*beside)} could "
                "read. Give a table with a row for each time, as columns of series, time, target "
                "and covariates."
            )
        return _checked(series_in_rows(sheet, names, *header))
    if time is not None and time.times is not None and time.times.problem:
        raise DataError(f"{sheet.source}, column {time.name!r}: {time.times.problem}")
    if time is not None:
        sheet = with_carried_keys(drop_undated(sheet, time), time.name)
        time = named_column(sheet, time.name, "time")
    return _checked(long_table(sheet, names, time))


def _unfolded(sheet: Sheet, names: Names) -> tuple[Sheet, Names]:
    """A sheet with a calendar across its columns unfolded, and its only target."""
    unfolded_sheet = unfolded(sheet, _said_names(names))
    if unfolded_sheet is not sheet and names.target is None:
        names = replace(names, target=unfolded_sheet.columns[-1].name)
    return unfolded_sheet, names


def _said_names(names: Names) -> list[str]:
    """The columns that the user named as target or series, in small letters."""
    said = [names.target, names.series, names.past, *names.beside.given()]
    listed = [name for each in said for name in ([each] if isinstance(each, str) else each or ())]
    parts = [part for name in listed for part in (name, *name.split(","))]
    return [part.strip().casefold() for part in parts]


def _one_of_many_targets(sheet: Sheet, target: str | Sequence[str], columns: list[Column]) -> str:
    given = " and ".join(map(repr, [target] if isinstance(target, str) else target))
    shown = ", ".join(column.name for column in columns[:3])
    return (
        f"{sheet.source} has one series per row, its times in the column names ({shown}, …): "
        f"{given} alone cannot be the target. Leave --target out (in Python: target=) to read "
        f"every column, name a column of times with {ask('time', 'NAME')}, or number the rows with "
        f"{ask('time', 'index')}."
    )


def _checked(table: Table) -> Table:
    """Refuse what no forecast can come of: no values at all, or values beyond every measure."""
    known = [(rows.place, one) for rows in table.known for one in rows.columns.items()]
    own = [(table.place, one) for one in table.past.items()]
    own.append((table.place, (table.columns.target, table.values)))
    for place, (name, values) in (*own, *known):
        huge = np.flatnonzero(np.isfinite(values) & (np.abs(values) > LARGEST))
        if len(huge):
            raise DataError(
                f"{table.source}: {place(int(huge[0]))} has {values[huge[0]]:g} in "
                f"{name!r}. Values up to {LARGEST:g} are expected. Correct it, or leave the cell "
                "empty if the value is not known."
            )
    if np.isnan(table.values).all():
        raise DataError(
            f"{table.source}: all {len(table)} values of the target {table.columns.target!r} are "
            f"missing. Numbers are expected; name another column with {ask('target', 'NAME')}."
        )
    return table
