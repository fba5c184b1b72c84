"""Sheets whose rows are times: columns of values become one long table."""

# N rows of the table · R rows of the sheet · T time · K target columns

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.keys import Keys
from lstmcast.data.known import KnownRows
from lstmcast.data.roles import Names, columns_beside, taken_columns
from lstmcast.data.rowids import joined_ids, targets_and_series, with_an_id, without_id
from lstmcast.data.rowtimes import notes_of_time, times_of
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.data.static import static_columns
from lstmcast.data.suggestions import going_on
from lstmcast.data.table import Columns, Finding, Table
from lstmcast.data.values import known_values, numbers_of, past_values
from lstmcast.util.objects import objects


def long_table(sheet: Sheet, names: Names, time: Column | None) -> Table:
    """A table with a time in every row, and one or several columns of values."""
    times = np.arange(1, len(sheet) + 1) if time is None else time.spread(times_of(time).values)
    free = without_columns(sheet, taken_columns(sheet, names))
    targets, series, every = targets_and_series(free, names, times, time)
    named = with_an_id(sheet, series)
    if not named.all():
        whole, times = sheet, times[named]
        sheet = sheet.take(named, without_id(sheet, series, ~named))
        parts = ([] if time is None else [time], targets, series)
        kept, targets, series = (same_columns(part, whole, sheet) for part in parts)
        time = kept[0] if kept else None
    codes, ids, keys = joined_ids(series, len(sheet), "" if every else sheet.label)
    beside = columns_beside(sheet, names)
    used = [time, *targets, *series, *(c for each in beside.values() for c in each.values())]
    notes = [*sheet.notes, *notes_of_time(time), *left_out_columns(sheet, used, names)]
    row_times, row_codes = times, codes
    past = {
        name: past_values(sheet, column, names.written, notes)
        for name, column in beside["past"].items()
    }
    in_advance = beside["future"] | beside["hindsight"]
    known = _known_rows(sheet, in_advance, names, times, codes, notes)
    static = static_columns(sheet, beside["static"], names.written, codes, ids, notes)
    k = len(targets) if every else 1
    if every:
        codes, ids, keys = _each_target(targets, codes, ids, keys if series else None)
        times, lines = np.repeat(times, k), np.repeat(sheet.lines, k)
        past = {name: np.repeat(column, k) for name, column in past.items()}
    else:
        lines = sheet.lines
    numbers = [numbers_of(sheet, target, names.written, notes) for target in targets]
    notes += going_on(other_columns(sheet, used), row_times, row_codes, np.stack(numbers, axis=1))
    values = np.stack(numbers, axis=1).ravel()
    groups = {str(name): place // k for place, name in enumerate(ids)}
    columns = _column_names(series, time, None if every else targets[0])
    read = time.times if time is not None else None
    order = np.argsort(codes, kind="stable") if every else slice(None)
    return Table(
        codes[order],
        ids,
        times[order],
        values[order],
        lines[order],
        columns,
        sheet.source,
        tuple(notes),
        sheet.frame,
        read.zone if read else None,
        frame_zone=read.frame_zone if read else None,
        keys=keys,
        past={name: column[order] for name, column in past.items()},
        known=tuple(replace(rows, groups=groups) for rows in known),
        static=() if static is None else (replace(static, groups=groups),),
    )


def _each_target(
    targets: list[Column], codes: ndarray, ids: ndarray, keys: Keys | None
) -> tuple[ndarray, ndarray, Keys]:
    """Codes of rows, ids and keys where each target is a series; keys: None without any."""
    k = len(targets)
    codes = (codes[:, None] * k + np.arange(k)).ravel()
    each = objects([target.name for _ in ids for target in targets])
    if keys is not None:
        keys = replace(keys.take(np.repeat(np.arange(len(ids)), k)), targets=each)
    ids = objects([f"{name}/{t.name}" if name else t.name for name in ids for t in targets])
    return codes, ids, Keys() if keys is None else keys


def _known_rows(
    sheet: Sheet,
    columns: Mapping[str, Column],
    names: Names,
    times: ndarray,
    codes: ndarray,
    notes: list[Finding],
) -> tuple[KnownRows, ...]:
    """The columns that are known in advance, of rows (R,) with these times and codes of series."""
    if not columns:
        return ()
    read = {
        name: known_values(sheet, column, names.written, notes) for name, column in columns.items()
    }
    return (
        KnownRows(
            codes,
            {},
            times,
            sheet.lines,
            {name: values for name, (values, _) in read.items()},
            {name: levels for name, (_, levels) in read.items() if levels},
            sheet.source,
            sheet.row_word,
        ),
    )


def without_columns(sheet: Sheet, columns: list[Column]) -> Sheet:
    """The sheet with the columns that are still free to be target or series."""
    others = tuple(c for c in sheet.columns if not any(c is column for column in columns))
    return replace(sheet, columns=others)


def same_columns(columns: list[Column], whole: Sheet, part: Sheet) -> list[Column]:
    """Columns of a sheet in another one that has some of its rows."""
    return [part.columns[_place_of(column, whole)] for column in columns]


def _column_names(series: list[Column], time: Column | None, target: Column | None) -> Columns:
    """What the columns of a long table are called; the usual names where the data have no such
    column, or several."""
    usual = Columns()
    return Columns(
        series[0].name if len(series) == 1 else usual.series,
        usual.time if time is None else time.name,
        usual.target if target is None else target.name,
    )


def _place_of(column: Column, sheet: Sheet) -> int:
    return next(place for place, own in enumerate(sheet.columns) if own is column)


def other_columns(sheet: Sheet, used: Sequence[Column | None]) -> list[Column]:
    return columns_without(sheet.columns, used)


def left_out_columns(sheet: Sheet, used: Sequence[Column | None], names: Names) -> list[Finding]:
    unused = [column.name for column in other_columns(sheet, used)]
    if not unused:
        return []
    shown = ", ".join(unused[:8]) + (f" and {len(unused) - 8} more" if len(unused) > 8 else "")
    action = (
        "Name those that tell series apart with --series."
        if names.aggregate and not names.series
        else ""
    )
    return [
        Finding(
            "columns", "note", f"columns that were not used: {shown}", action, count=len(unused)
        )
    ]
