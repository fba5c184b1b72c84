"""Sheets whose rows are series: the times are in the header."""

# N rows of the table · R rows of the sheet · T time · K target columns

from __future__ import annotations

import re

import numpy as np
from numpy import ndarray

from lstmcast.data.columns import (
    named_columns,
)
from lstmcast.data.dates import parse_times
from lstmcast.data.longtables import left_out_columns, same_columns
from lstmcast.data.roles import Names
from lstmcast.data.rowids import joined_ids, with_an_id, without_id
from lstmcast.data.serieskeys import names_of_rows
from lstmcast.data.sheet import Column, Sheet, columns_without, dropped_lines
from lstmcast.data.table import Columns, Finding, Table
from lstmcast.data.timenumbers import integer_times
from lstmcast.data.times import Times
from lstmcast.data.values import numbers_of
from lstmcast.errors import DataError
from lstmcast.util.objects import objects

_FIRST_YEAR, _LAST_YEAR = 1800, 2100  # of names such as X1990


def header_times(
    sheet: Sheet,
) -> tuple[list[Column], ndarray, tuple[str, ...]] | None:
    """The columns whose names are times or count on (d_1, d_2, …), the times, and notes; None if
    there are none."""
    names = [re.sub(r"\s*\[.*\]$", "", name).strip() for name in sheet.names]
    digits = [name.isascii() and name.isdecimal() for name in names]
    if sum(digits) >= 3:
        chosen = np.flatnonzero(digits)
        times = integer_times(np.array([int(names[j][:18]) for j in chosen]))
    else:
        # names without a digit are no times, and their number must not speak against the others
        dated = np.flatnonzero([any(letter.isdigit() for letter in name) for name in names])
        times = parse_times([names[j] for j in dated])
        found = np.zeros(0, np.int64)
        if times is not None and times.form == "date":
            found = np.flatnonzero(~np.isnat(times.values))
        chosen = dated[found]
        if times is not None and len(chosen):
            if times.problem:
                raise DataError(f"{sheet.source}, column names: {times.problem}")
            times = Times(
                times.values[found], times.bad[found], times.form, times.zone, times.notes
            )
    if times is None or len(chosen) < 3 or times.form == "index":
        is_text = sheet.columns[0].number_share < 0.5 and not sheet.columns[0].missing.all()
        chosen, counted = _counted_names(names, is_text)
        times = Times(counted, np.zeros(len(counted), bool), "index")
        if len(counted) and counted[0] >= _FIRST_YEAR and counted[-1] <= _LAST_YEAR:
            times = integer_times(counted)  # X1990, X1991, …
    columns = [sheet.columns[j] for j in chosen]
    if len(columns) < max(3, 0.5 * len(names)) or len(np.unique(times.values)) < len(columns):
        return None
    numeric = [column.missing.all() or column.number_share >= 0.5 for column in columns]
    return (columns, times.values, times.notes) if all(numeric) else None


def _counted_names(names: list[str], named_by_first: bool) -> tuple[ndarray, ndarray]:
    """Columns such as d_1, d_2, d_3, … or V2, V3, …: the longest run with one stem, from its
    first number up. named_by_first: the first column holds names, whatever it is called."""
    parts = [re.fullmatch(r"(.*?[^\d]?)(\d{1,6})", name) for name in names]
    stems = [match.group(1) if match else None for match in parts]
    last = stems[-1] if stems else None
    chosen = [j for j, stem in enumerate(stems) if stem is not None and stem == last]
    if named_by_first and len(chosen) == len(names):
        chosen = chosen[1:]  # V1 names the series, V2 to V40 hold their values
    numbers = np.array(
        [int(match.group(2)) for j, match in enumerate(parts) if match and j in set(chosen)],
        np.int64,
    )
    if len(chosen) < 4 or len(chosen) == len(names) or not (np.diff(numbers) == 1).all():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.array(chosen), numbers


def series_in_rows(
    sheet: Sheet, names: Names, columns: list[Column], times: ndarray, notes: tuple[str, ...]
) -> Table:
    """One row per series, one column per time. Empty cells before and after the values of a row
    are padding."""
    others = columns_without(sheet.columns, columns)
    if names.series:
        series = named_columns(sheet, names.series, "series")
    else:
        series = names_of_rows(others, len(sheet))
    named = with_an_id(sheet, series, together=True)
    if not named.all():
        before, sheet = sheet, sheet.take(named, without_id(sheet, series, ~named))
        columns = same_columns(columns, before, sheet)
        series = same_columns(series, before, sheet)
    codes, ids, keys = joined_ids(series, len(sheet), sheet.label)
    if not series and len(sheet) > 1:
        codes = np.arange(len(sheet))
        ids = objects([f"series_{number}" for number in range(1, len(sheet) + 1)])
    message = f"one series per row, {len(columns)} times in the column names"
    findings = [*sheet.notes, Finding("layout", "note", message)]
    findings += [Finding("dates", "note", f"column names: {note}") for note in notes]
    findings += left_out_columns(sheet, [*columns, *series], names)
    cells = [numbers_of(sheet, column, names.written, None) for column in columns]
    values = np.stack(cells, axis=1)  # (R, T)
    known = ~np.isnan(values)
    rows, steps = np.nonzero(_between_first_and_last(known))
    empty = {int(line): "a row without values" for line in sheet.lines[~known.any(axis=1)]}
    used, codes = np.unique(codes[rows], return_inverse=True)
    name = series[0].name if len(series) == 1 else "unique_id"
    return Table(
        codes.astype(np.int64),
        ids[used],
        times[steps],
        values[rows, steps],
        sheet.lines[rows],
        Columns(series=name),
        sheet.source,
        (*findings, *dropped_lines(empty)),
        sheet.frame,
        None,
        keys=keys.take(used) if series else keys,
    )


def _between_first_and_last(known: ndarray) -> ndarray:
    """Cells from the first known one of each row to its last (R, T)."""
    has_begun = np.maximum.accumulate(known, axis=1)
    goes_on = np.maximum.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    return has_begun & goes_on
