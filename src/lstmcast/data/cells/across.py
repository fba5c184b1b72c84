"""Calendars across columns, such as a row per year with a column per month, unfolded to rows."""

# R rows of the sheet · P parts of a period across the columns

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.acrossparts import (
    Grid,
    days_across,
    halves_across,
    hours_across,
    months_across,
    quarters_across,
    slots_across,
    unnamed_months,
    weekdays_across,
    weeks_across,
)
from lstmcast.data.cells.clockdays import times_across
from lstmcast.data.findings import Finding
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.data.times.calendars import (
    micros_of,
    month_of,
    month_start,
    times_of,
    weekday_of,
)
from lstmcast.data.times.shapes import from_fields
from lstmcast.data.times.timenumbers import iso_weeks
from lstmcast.util.objects import objects
from lstmcast.util.patterns import pattern_of

TOTALS = pattern_of(
    r"(?:total|totals|sum|annual|year|yearly|avg|average|mean|ann|j-d|d-n|ytd|jahr|gesamt|summe|"
    r"mittel|total général|somme|計|合計|年計|年間|年平均|平均|年).*|"
    r"d-?j-?f|m-?a-?m|j-?j-?a|s-?o-?n|metann"
)
_FEWEST, _MOST = 3, 400  # columns of a table that may have a calendar across


def unfolded(sheet: Sheet, excluded: Sequence[str] = ()) -> Sheet:
    """The sheet with one row per time if its columns are months, quarters, days, weekdays or hours.

    Other sheets are returned unchanged. excluded: names that the user gave.

    The new columns are called `time` and as the sheet.
    """
    if not _FEWEST <= len(sheet.columns) <= _MOST:
        return sheet
    for find, base_of in _READINGS:
        grid = find(sheet)
        if grid is None:
            continue
        if not _part_names(grid).isdisjoint(excluded):
            continue
        remaining = columns_without(sheet.columns, grid.columns)
        column_and_times = base_of(remaining, grid)
        if column_and_times is not None:
            base, times_RP = column_and_times
            return long_sheet_of(sheet, grid, remaining, base, times_RP)
    return sheet


def _part_names(grid: Grid) -> set[str]:
    return {column.name.strip().casefold() for column in grid.columns}


# ---------------------------------------------------------------- which column is divided


def _by_year(columns: list[Column], grid: Grid) -> tuple[Column, ndarray] | None:
    """The column of years, and the times of its rows and parts (R, P)."""
    for column in columns:
        years = _years_of(column)
        if years is None:
            continue
        if grid.kind == "week":
            return column, mondays(years[:, None], grid.numbers)
        part_length = {"month": 1, "quarter": 3, "half": 6}[grid.kind]
        first_month_R1 = 12 * (years - 1970)[:, None]
        month_in_year_P = part_length * (grid.numbers - 1)
        months_RP = first_month_R1 + month_in_year_P
        return column, times_of(month_start(months_RP))
    return None


def mondays(years: ndarray, weeks: ndarray) -> ndarray:
    """The Mondays of ISO weeks, NaT where a year has no week 53."""
    monday = iso_weeks(years, weeks)
    thursdays = monday.astype("datetime64[D]") + 3
    exists = thursdays.astype("datetime64[Y]").astype(np.int64) + 1970 == years
    return np.where(exists, monday, np.datetime64("NaT"))


def _dates_of(column: Column) -> ndarray | None:
    """The times of a column (R,) if all are dates, else None."""
    times = column.times
    if times is None or column.missing.any():
        return None
    if times.values.dtype.kind != "M":
        return None
    values = column.spread(times.values)
    return None if np.isnat(values).any() else values


def are_whole(dates: ndarray, unit: str) -> bool:
    """Whether times are starts of a unit: "Y", "M" or "D"."""
    begins = dates.astype(f"datetime64[{unit}]")
    return bool((dates == begins).all())


def _is_doubtful(column: Column) -> bool:
    """Whether dates of a column are ambiguous."""
    return column.times is not None and bool(column.times.problem)


def _years_of(column: Column) -> ndarray | None:
    """The years of a column (R,), None if it holds anything else."""
    dates = _dates_of(column)
    if dates is None or _is_doubtful(column) or not are_whole(dates, "Y"):
        return None
    return month_of(micros_of(dates)) // 12 + 1970


def _by_month(columns: list[Column], grid: Grid) -> tuple[Column, ndarray] | None:
    """The column of months for days across, NaT where a month has no such day."""
    for column in columns:
        dates = _dates_of(column)
        if dates is None or not are_whole(dates, "M"):
            continue
        months = month_of(micros_of(dates))
        if _years_of(column) is not None and len(column) > 1:
            continue  # these are years: the months are elsewhere
        years, month_of_year = np.divmod(months[:, None], 12)
        days_1P = grid.numbers[None, :]
        return column, from_fields(years + 1970, month_of_year + 1, days_1P)
    return None


def _by_day(columns: list[Column], grid: Grid) -> tuple[Column, ndarray] | None:
    """The column of dates for hours across, or of the first days of weeks for weekdays."""
    for column in columns:
        dates = _dates_of(column)
        if dates is None or _is_doubtful(column) or not are_whole(dates, "D"):
            continue
        if column.times is None or column.times.form == "year":
            continue
        if grid.kind == "minute":
            return column, _hours_of_days(dates, grid)
        if _is_always(dates, weekday=grid.numbers[0]):
            days_after = grid.numbers - grid.numbers[0]
            shift_P = days_after.astype("timedelta64[D]")
            return column, dates[:, None] + shift_P
    return None


def _hours_of_days(dates: ndarray, grid: Grid) -> ndarray:
    """The times of hours or shorter slots across, (R, P)."""
    are_even = len(set(np.diff(grid.numbers))) == 1
    if are_even:
        is_filled = ~np.stack([column.missing for column in grid.columns], axis=1)
        return times_across(dates, grid.numbers, is_filled)
    shift_P = grid.numbers.astype("timedelta64[m]")
    return _without_unused(dates[:, None] + shift_P, grid)


def _without_unused(times_RP: ndarray, grid: Grid) -> ndarray:
    """Times of hours, NaT where an hour that comes twice in a year has no second value."""
    for place in np.flatnonzero(np.diff(grid.numbers) == 0) + 1:
        times_RP[grid.columns[place].missing, place] = np.datetime64("NaT")
    return times_RP


def _is_always(dates: ndarray, weekday: int) -> bool:
    """Whether all dates are this day of the week; 0 = Monday."""
    weekdays = weekday_of(micros_of(dates))
    return bool((weekdays == weekday).all())


_READINGS = (
    (months_across, _by_year),
    (unnamed_months, _by_year),
    (quarters_across, _by_year),
    (halves_across, _by_year),
    (weeks_across, _by_year),
    (days_across, _by_month),
    (weekdays_across, _by_day),
    (slots_across, _by_day),
    (hours_across, _by_day),
)

# ---------------------------------------------------------------- unfolding


def long_sheet_of(
    sheet: Sheet, grid: Grid, remaining: list[Column], base: Column, times: ndarray
) -> Sheet:
    """One row per row and part, in time order within each row, without empty cells at the end."""
    rows, part_numbers = np.nonzero(~np.isnat(times))
    stacked = stacked_cells(grid.columns, rows, part_numbers, sheet.label)
    remaining = columns_without(remaining, [base])
    totals = [column for column in remaining if is_totals(column)]
    remaining = columns_without(remaining, totals)
    repeated = [column.take(rows) for column in remaining]
    notes_of_base = base.times.notes if base.times else ()
    long_times = times[rows, part_numbers]
    time = Column(base.name, long_times, notes=notes_of_base)
    notes = [_unfolding_note(grid), *_fiscal_notes(grid, times)]
    if totals:
        notes.append(_totals_note(totals))
    long_sheet = replace(
        sheet,
        columns=(time, *repeated, stacked),
        lines=sheet.lines[rows],
        notes=(*sheet.notes, *notes),
    )
    known_times = long_times[~stacked.missing]
    if not len(known_times):
        return long_sheet
    has_come = long_times <= known_times.max()  # future months are not rows
    if has_come.all():
        return long_sheet
    return long_sheet.take(np.flatnonzero(has_come))


def _fiscal_notes(grid: Grid, times: ndarray) -> list[Finding]:
    """What is said of years that begin with another month than January."""
    if grid.kind != "month" or not grid.numbers[0] > 1 or np.isnat(times).any():
        return []
    first = str(times[0, 0])[:7]
    last = str(times[-1, -1])[:7]
    return [
        Finding(
            "layout", "note", f"years begin with month {first[5:]}: {first} to {last}"
        )
    ]


def _totals_note(totals: list[Column]) -> Finding:
    names = ", ".join(repr(column.name) for column in totals)
    are_left_out = (
        "column of totals is" if len(totals) == 1 else "columns of totals are"
    )
    return Finding("columns", "note", f"the {are_left_out} left out: {names}")


def is_totals(column: Column) -> bool:
    name = column.name.strip().casefold()
    return column.number_share >= 0.5 and TOTALS.fullmatch(name) is not None


def stacked_cells(
    columns: list[Column], rows: ndarray, part_numbers: ndarray, label: str
) -> Column:
    """The cells of several columns as one column, (rows,)."""
    if not all(column.is_text for column in columns):
        cells_RP = np.stack([_numbers_of(column) for column in columns], axis=1)
        return Column(label, cells_RP[rows, part_numbers])
    places: dict[str, int] = {}  # of distinct texts of all columns
    codes_of_columns = []
    for column in columns:
        codes = []
        for text in map(str, column.data):
            codes.append(places.setdefault(text, len(places)))
        codes_R = np.array(codes, np.int64)[column.codes]
        codes_of_columns.append(codes_R)
    codes_RP = np.stack(codes_of_columns, axis=1)
    codes = codes_RP[rows, part_numbers]
    return replace(columns[0], name=label, data=objects(places), codes=codes)


_PART_NAMES = {
    "minute": "times of the day",
    "half": "half-years",
    "week": "weeks of the year",
}


def _unfolding_note(grid: Grid) -> Finding:
    part_names = _PART_NAMES.get(grid.kind, f"{grid.kind}s")
    first_name = grid.columns[0].name
    last_name = grid.columns[-1].name
    message = (
        f"the columns {first_name!r} to {last_name!r} are {part_names}: each of their cells "
        "became a row"
    )
    return Finding("layout", "note", message, count=len(grid.columns))


def _numbers_of(column: Column) -> ndarray:
    """The numbers of a column, NaN where it has none."""
    if column.numbers is None:
        return np.full(len(column), np.nan)
    return column.spread(column.numbers.values)
