"""Sheets whose rows are times: columns of values become one long table."""

# N rows of the table · R rows of the sheet · T time · K target columns

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.rowmarks import doubtful_rows, with_debits
from lstmcast.data.cells.values import known_values, numbers_of, past_values
from lstmcast.data.covariates.roles import Names, columns_beside, taken_columns
from lstmcast.data.covariates.static import static_columns
from lstmcast.data.covariates.suggestions import going_on
from lstmcast.data.keys import Keys
from lstmcast.data.known import KnownRows, StaticColumns
from lstmcast.data.layouts.rowids import (
    joined_ids,
    targets_and_series,
    with_an_id,
    without_id,
)
from lstmcast.data.layouts.rowtimes import notes_of_time, times_of
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.data.table import Columns, Finding, Table
from lstmcast.data.tablerows import select_rows
from lstmcast.util.objects import objects


class _MainColumns(NamedTuple):
    """The columns of a sheet that were chosen as times, targets and series."""

    time: Column | None
    targets: list[Column]
    series: list[Column]

    def moved(self, source: Sheet, target: Sheet) -> _MainColumns:
        """The same columns of a sheet that has some of the rows."""
        time = self.time
        if time is not None:
            (time,) = same_columns([time], source, target)
        targets = same_columns(self.targets, source, target)
        series = same_columns(self.series, source, target)
        return _MainColumns(time, targets, series)

    def zones(self) -> tuple[str | None, str | None]:
        """The zone of the times, and that of the frame where it is another."""
        if self.time is None or self.time.times is None:
            return None, None
        return self.time.times.zone, self.time.times.frame_zone


def long_table(sheet: Sheet, names: Names, time: Column | None) -> Table:
    """A table with a time in every row, and one or several columns of values."""
    times = _row_times(sheet, time)
    free_sheet = without_columns(sheet, taken_columns(sheet, names))
    targets, series, each_is_series = targets_and_series(free_sheet, names, times, time)
    main = _MainColumns(time, targets, series)
    has_id = with_an_id(sheet, series)
    if not has_id.all():
        whole_sheet = sheet
        sheet = whole_sheet.take(has_id, without_id(whole_sheet, series, ~has_id))
        main = main.moved(whole_sheet, sheet)
        times = times[has_id]
    label = "" if each_is_series else sheet.label
    codes, ids, keys = joined_ids(main.series, len(sheet), label)
    columns_by_role = columns_beside(sheet, names)
    used_columns = [main.time, *main.targets, *main.series]
    for columns in columns_by_role.values():
        used_columns += columns.values()
    notes = [*sheet.notes, *notes_of_time(main.time)]
    notes += left_out_columns(sheet, used_columns, names)
    past = _past(sheet, columns_by_role["past"], names, notes)
    in_advance = columns_by_role["future"] | columns_by_role["hindsight"]
    known = _known_rows(sheet, in_advance, names, times, codes, ids, notes)
    static = _static(sheet, columns_by_role["static"], names, codes, ids, notes)
    numbers_RK = _numbers(sheet, main.targets, names, notes)
    unused_columns = other_columns(sheet, used_columns)
    values_RK, notes_on_debits = with_debits(sheet, unused_columns, numbers_RK)
    notes += notes_on_debits + doubtful_rows(sheet, unused_columns, codes)
    notes += going_on(unused_columns, times, codes, values_RK)
    zone, frame_zone = main.zones()
    table = Table(
        series=codes,
        ids=ids,
        times=times,
        values=values_RK[:, 0],
        lines=sheet.lines,
        columns=_column_names(main, each_is_series),
        source=sheet.source,
        dropped=tuple(notes),
        frame=sheet.frame,
        time_zone=zone,
        frame_zone=frame_zone,
        keys=keys,
        past=past,
        known=known,
        static=static,
    )
    return _with_each_target(table, main, values_RK) if each_is_series else table


def _past(
    sheet: Sheet, columns: Mapping[str, Column], names: Names, notes: list[Finding]
) -> dict[str, ndarray]:
    """The values of past covariates (R,), by name; notes on them are appended."""
    past = {}
    for name, column in columns.items():
        past[name] = past_values(sheet, column, names.written, notes)
    return past


def _numbers(
    sheet: Sheet, targets: Sequence[Column], names: Names, notes: list[Finding]
) -> ndarray:
    """The numbers of targets (R, K); notes on them are appended."""
    numbers = []
    for target in targets:
        numbers.append(numbers_of(sheet, target, names.written, notes))
    return np.stack(numbers, axis=1)


def _row_times(sheet: Sheet, time: Column | None) -> ndarray:
    if time is None:
        return np.arange(1, len(sheet) + 1)
    return time.spread(times_of(time).values)


def _with_each_target(table: Table, main: _MainColumns, values_RK: ndarray) -> Table:
    """The table with a series for each of its series and targets."""
    count = len(main.targets)
    codes, ids, keys = _each_target(main, table)
    groups = {str(name): place // count for place, name in enumerate(ids)}
    order = np.argsort(codes, kind="stable")
    table = select_rows(table, order // count)
    return replace(
        table,
        series=codes[order],
        ids=ids,
        keys=keys,
        values=values_RK.ravel()[order],
        known=tuple(replace(rows, groups=groups) for rows in table.known),
        static=tuple(replace(columns, groups=groups) for columns in table.static),
    )


def _each_target(main: _MainColumns, table: Table) -> tuple[ndarray, ndarray, Keys]:
    """Codes of rows and targets, ids and keys where each target is a series."""
    names = [target.name for target in main.targets]
    count = len(names)
    codes_RK = table.series[:, None] * count + np.arange(count)
    ids = []
    for series in table.ids:
        prefix = f"{series}/" if series else ""
        ids += [prefix + name for name in names]
    keys = Keys()
    if main.series:
        rows = np.repeat(np.arange(len(table.ids)), count)
        target_names = objects(names * len(table.ids))
        keys = replace(table.keys.take(rows), targets=target_names)
    return codes_RK.ravel(), objects(ids), keys


def _known_rows(
    sheet: Sheet,
    columns: Mapping[str, Column],
    names: Names,
    times: ndarray,
    codes: ndarray,
    ids: ndarray,
    notes: list[Finding],
) -> tuple[KnownRows, ...]:
    """The columns that are known in advance, of rows (R,) with these times and codes of ids; none
    without any."""
    if not columns:
        return ()
    values, levels = {}, {}
    for name, column in columns.items():
        values[name], categories = known_values(sheet, column, names.written, notes)
        if categories:
            levels[name] = categories
    rows = KnownRows(
        series=codes,
        groups={str(name): place for place, name in enumerate(ids)},
        times=times,
        lines=sheet.lines,
        columns=values,
        levels=levels,
        source=sheet.source,
        word=sheet.row_word,
    )
    return (rows,)


def _static(
    sheet: Sheet,
    columns: Mapping[str, Column],
    names: Names,
    codes: ndarray,
    ids: ndarray,
    notes: list[Finding],
) -> tuple[StaticColumns, ...]:
    """The columns that do not change within a series; none without any."""
    static = static_columns(sheet, columns, names.written, codes, ids, notes)
    return () if static is None else (static,)


def without_columns(sheet: Sheet, columns: list[Column]) -> Sheet:
    """The sheet with the columns that are still free to be target or series."""
    free_columns = columns_without(sheet.columns, columns)
    return replace(sheet, columns=tuple(free_columns))


def same_columns(columns: list[Column], source: Sheet, target: Sheet) -> list[Column]:
    """Columns of a sheet in another one that has some of its rows."""
    places = {id(column): place for place, column in enumerate(source.columns)}
    return [target.columns[places[id(column)]] for column in columns]


def _column_names(main: _MainColumns, each_is_series: bool) -> Columns:
    """What the columns of a long table are called; the usual names where the data have no such
    column, or several."""
    columns = Columns()
    if len(main.series) == 1:
        columns = replace(columns, series=main.series[0].name)
    if main.time is not None:
        columns = replace(columns, time=main.time.name)
    if not each_is_series:
        columns = replace(columns, target=main.targets[0].name)
    return columns


def other_columns(sheet: Sheet, used_columns: Sequence[Column | None]) -> list[Column]:
    return columns_without(sheet.columns, used_columns)


def left_out_columns(
    sheet: Sheet, used_columns: Sequence[Column | None], names: Names
) -> list[Finding]:
    unused = [column.name for column in other_columns(sheet, used_columns)]
    if not unused:
        return []
    count = len(unused)
    message = f"columns that were not used: {', '.join(unused[:8])}"
    if count > 8:
        message += f" and {count - 8} more"
    action = ""
    if names.aggregate and not names.series:
        action = "Name those that distinguish the series with --series."
    return [Finding("columns", "note", message, action, count=count)]
