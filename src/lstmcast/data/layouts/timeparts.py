"""Join times whose parts are in separate columns, such as a date and a clock time."""

# N rows

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.columns import NUMBER_SHARE, changes
from lstmcast.data.cells.countedslots import counted_slots
from lstmcast.data.cells.partcolumns import Part, clock_of
from lstmcast.data.cells.partjoining import (
    carried_times,
    notes_on_ends,
    with_parts,
)
from lstmcast.data.cells.partkinds import parts_by_kind
from lstmcast.data.cells.partnames import kind_of_name
from lstmcast.data.cells.splitparts import whole_names, with_whole_parts
from lstmcast.data.covariates.beside import ColumnNames
from lstmcast.data.layouts.yearparts import (
    finer_parts,
    joined_to_year,
    refines,
    with_one_time,
)
from lstmcast.data.sheet import Column, Sheet, columns_without, folded
from lstmcast.errors import DataError
from lstmcast.util.patterns import pattern_of

_HOUR_AND_MINUTES = pattern_of(r"\d\d?[hH]\d\d")


def with_joined_times(
    sheet: Sheet, used_columns: Sequence[Column] = (), time: ColumnNames = None
) -> Sheet:
    """The sheet with columns of time parts joined into one, if more rows then have distinct times.

    used_columns: columns with another role. time: the column named as the time, which other columns
        may refine, or all columns to be joined.
    """
    whole_sheet = with_whole_parts(sheet, used_columns)
    if whole_sheet is not sheet:
        names = time
        if time is not None and not isinstance(time, str):
            names = whole_names(whole_sheet, time)
        joined_sheet = with_joined_times(whole_sheet, used_columns, names)
        return sheet if joined_sheet is whole_sheet else joined_sheet
    if time is not None and not isinstance(time, str) and len(time) > 1:
        return _joined_as_said(sheet, [_column(sheet, name) for name in time])
    free_columns = columns_without(sheet.columns, used_columns)
    if len(free_columns) < 2:
        return sheet
    base = None
    candidates = free_columns
    if time is not None:
        name = time if isinstance(time, str) else time[0]
        base = _named_base(free_columns, name)
        if base is None:
            return sheet
        candidates = [base]
    dates = [column for column in candidates if _is_dates(column)]
    if dates:
        return _joined_to_date(sheet, free_columns, dates)
    return joined_to_year(sheet, free_columns, base)


def parts_of_name(names: Sequence[str], joined_name: str) -> list[str]:
    """The columns of which a joined column was made and called; none where these have no such.

    >>> parts_of_name(["Year", "Month", "y"], "Year-Month")
    ['Year', 'Month']
    """
    if joined_name in names:
        return [joined_name]
    for name in names:
        if joined_name.startswith(f"{name}-"):
            remaining_names = parts_of_name(names, joined_name.removeprefix(f"{name}-"))
            if remaining_names:
                return [name, *remaining_names]
    return []


def _column(sheet: Sheet, name: str) -> Column:
    """A column that was named to be joined."""
    column = _named_base(sheet.columns, name)
    if column is None:
        raise DataError(
            f"{sheet.source} has no column {name!r} for the time. Its columns "
            f"are:\n{sheet.describe()}"
        )
    return column


def _named_base(columns: Sequence[Column], name: str) -> Column | None:
    for column in columns:
        if folded(column.name) == folded(name):
            return column
    return None


def _is_dates(column: Column) -> bool:
    """Whether a column holds dates, and nothing that numbers could be."""
    if column.data.dtype.kind != "M" and not column.is_text:
        return False
    if column.is_text and all(
        _HOUR_AND_MINUTES.fullmatch(str(text)) for text in column.data
    ):
        return False  # 01h30 is no half-year
    times = column.times
    if (
        times is None
        or times.form not in ("date", "number")
        or column.time_share <= 0.5
    ):
        return False
    if times.form == "number" and times.zone is not None and not changes(column):
        return False  # the number of a station, and no second since 1970
    if times.form == "date" and column.number_share >= NUMBER_SHARE:
        return False  # 8000.5 is no month
    known_times = times.values[~np.isnat(times.values)]
    years = known_times.astype("datetime64[Y]")
    if (years == years[:1]).all():
        return True
    # 2020年度, FY19: years in words, which a month or a quarter may refine
    are_years = (known_times == years).all()
    return not are_years


def _joined_to_date(
    sheet: Sheet, free_columns: list[Column], dates: list[Column]
) -> Sheet:
    clock_columns = columns_without(free_columns, dates)
    for date in dates:
        if date.times is None:
            continue
        if date.times.problem is not None:
            settled = _settled_by_clocks(sheet, date, clock_columns)
            if settled is not None:
                return settled
            continue
        values, clocks = _date_and_clock(date, clock_columns)
        if clocks:
            columns = [date, *(clock.column for clock in clocks)]
            notes = (*date.times.notes, *notes_on_ends(clocks))
            times = with_parts(values, clocks)
            return with_one_time(sheet, columns, times, *notes)
    return sheet


def _date_and_clock(
    date: Column, clock_columns: Sequence[Column]
) -> tuple[ndarray, list[Part]]:
    """The days of a column, and the columns that refine them, if there are some."""
    if date.times is None:
        return np.zeros(0), []
    values = carried_times(date.spread(date.times.values), date.missing)
    if not _on_days(values):
        return values, []
    return values, _clock_parts(clock_columns, values)


def _settled_by_clocks(
    sheet: Sheet,
    date: Column,
    clock_columns: Sequence[Column],
) -> Sheet | None:
    """Dates whose order of day and month only the clock times beside them tell, joined: one order
    makes steps that are all alike, the other one does not."""
    readings = []
    for day_first in (True, False):
        ordered_date = replace(date, day_first=day_first)
        values, clocks = _date_and_clock(ordered_date, clock_columns)
        times = with_parts(values, clocks)
        known_times = times[~np.isnat(times)]
        steps = np.diff(np.unique(known_times))
        if clocks and len(steps) > 2 and (steps == steps[0]).all():
            order = "day/month/year" if day_first else "month/day/year"
            note = f"dates read as {order}: then the times are evenly spaced"
            readings.append((times, clocks, note))
    if len(readings) != 1:
        return None
    times, clocks, note = readings[0]
    columns = [date, *(clock.column for clock in clocks)]
    return with_one_time(sheet, columns, times, note)


def _on_days(values: ndarray) -> bool:
    known_times = values[~np.isnat(values)]
    days = known_times.astype("datetime64[D]")
    return len(known_times) > 1 and bool((known_times == days).all())


def _clock_parts(columns: Sequence[Column], values: ndarray) -> list[Part]:
    """The columns that tell rows of one date apart as a clock does, if there are some."""
    clocks = [part for part in map(clock_of, columns) if part is not None]
    names_say_so = any(kind_of_name(column.name) is not None for column in columns)
    if not clocks and not names_say_so:
        slots = counted_slots(columns, values)
        return [slots] if slots is not None else []
    if len(np.unique(values)) > 0.9 * len(values):
        return []
    if not clocks and _all_month_starts(values):
        clocks = _days_of_month(columns)
    if not clocks:
        clocks = _hours_or_slots(columns)
    if not clocks:
        slots = counted_slots(columns, values)
        clocks = [slots] if slots is not None else []
    if not clocks:
        return []
    first_clock = clocks[:1]
    if not refines(values, with_parts(values, first_clock)):
        return []
    return first_clock if clocks[0].kind == "clock" else clocks


def _hours_or_slots(columns: Sequence[Column]) -> list[Part]:
    by_kind = parts_by_kind(columns)
    for kind in ("hour", "slot"):
        if kind in by_kind:
            return finer_parts(by_kind[kind], by_kind)
    return []


def _all_month_starts(values: ndarray) -> bool:
    known_times = values[~np.isnat(values)]
    months = known_times.astype("datetime64[M]")
    return bool((known_times == months).all())


def _days_of_month(columns: Sequence[Column]) -> list[Part]:
    by_kind = parts_by_kind(columns)
    return finer_parts(by_kind["day"], by_kind) if "day" in by_kind else []


def _joined_as_said(sheet: Sheet, columns: list[Column]) -> Sheet:
    """The columns that were named, joined in their order."""
    base = columns[0]
    times = base.times
    if times is None or times.values.dtype.kind != "M" or base.time_share < 0.5:
        raise DataError(_no_join(sheet, base, "a date or a year"))
    if times.problem is not None:
        raise DataError(f"{sheet.source}, column {base.name!r}: {times.problem}")
    parts = []
    for column in columns[1:]:
        part = clock_of(column) or _only_part(column)
        if part is None or part.kind == "year":
            raise DataError(
                _no_join(sheet, column, "a clock time, an hour, a month or a quarter")
            )
        parts.append(part)
    values = carried_times(base.spread(times.values), base.missing)
    joined_times = with_parts(values, parts)
    if np.isnat(joined_times).all():
        raise DataError(_no_join(sheet, columns[-1], "a part of the times before it"))
    return with_one_time(sheet, columns, joined_times)


def _only_part(column: Column) -> Part | None:
    by_kind = parts_by_kind([column])
    return next(iter(by_kind.values()), None)


def _no_join(sheet: Sheet, column: Column, expected: str) -> str:
    rows = np.flatnonzero(~column.missing)[:4]
    examples = ", ".join(repr(column.cell(row)) for row in rows) or "it is empty"
    return (
        f"{sheet.source}: the column {column.name!r} cannot be part of a time: {examples}. "
        f"{expected[:1].upper()}{expected[1:]} is expected; of the columns named with --time, the "
        "first holds dates or years, the others finer parts."
    )
