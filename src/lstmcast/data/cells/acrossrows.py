"""Calendars across columns whose rows are the finer parts: years across and months down, months
across and days down, days across and hours down."""

# R rows of the sheet · P parts of a period across the columns

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.across import TOTALS, are_whole, long_sheet_of, mondays
from lstmcast.data.cells.acrossparts import Grid, half_of, number_in, quarter_of
from lstmcast.data.cells.partcolumns import clock_of
from lstmcast.data.cells.partjoining import with_parts
from lstmcast.data.cells.partkinds import parts_by_kind
from lstmcast.data.cells.yearless import has_digits, is_yearless, with_years
from lstmcast.data.findings import Finding, dropped_lines
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.data.times.calendars import micros_of, month_of, month_start, times_of
from lstmcast.data.times.shapes import from_fields, month_named
from lstmcast.util.patterns import pattern_of

# texts beside twelve names of months: totals and means of years in any language
_MOST_UNKNOWN = 2
_FEWEST_DAYS = 20
_FEWEST_HOURS = 12  # rows of a table that may have the hours of a day


def months_in_rows(
    sheet: Sheet, years: Sequence[Column], times: ndarray
) -> Sheet | None:
    """A sheet with years as columns and months or quarters as rows, with one row per time.

    None if its rows are anything else.

    years: the columns whose names are years; times: those years (P,).
    """
    if not are_whole(times, "Y"):
        return None
    remaining = columns_without(sheet.columns, years)
    for column in remaining:
        weeks = _weeks_of(column)
        if weeks is not None:
            times_RP = mondays(month_of(micros_of(times)) // 12 + 1970, weeks[:, None])
            return long_sheet_of(
                sheet, _whole("year", years), remaining, column, times_RP
            )
        numbers, part_length = _parts_of_year(column)
        if numbers is None:
            days_RP = _days_of_years(column, years)
            if days_RP is None:
                continue
            whole_years = _whole("year", years)
            return _in_order(
                long_sheet_of(sheet, whole_years, remaining, column, days_RP)
            )
        first_month_P = month_of(micros_of(times))
        rows = np.flatnonzero(numbers > 0)
        begins_later = part_length == 1 and _is_rotated(numbers[rows])
        is_next_year = begins_later * (numbers < numbers[rows[0]])
        month_in_year_R = part_length * (numbers - 1) + 12 * is_next_year
        months_RP = first_month_P + month_in_year_R[:, None]
        times_RP = times_of(month_start(months_RP))
        times_RP[numbers <= 0] = np.datetime64("NaT")
        sheet = _with_note_on(sheet, column, numbers <= 0)
        unfolded_sheet = long_sheet_of(
            sheet, _whole("year", years), remaining, column, times_RP
        )
        if begins_later:
            return _in_order(_with_span(unfolded_sheet, times_RP[rows]))
        return unfolded_sheet
    return None


def _is_rotated(months: ndarray) -> bool:
    """Whether twelve months follow each other from another one than January: those before it
    belong to the next year."""
    follows = np.diff(months) % 12 == 1
    return len(months) == 12 and months[0] > 1 and bool(follows.all())


def _with_span(sheet: Sheet, times: ndarray) -> Sheet:
    """A sheet that says with which month its years begin. times: of rows and years (12, P)."""
    start, end = str(times[0, 0])[:7], str(times[-1, -1])[:7]
    message = f"years begin with month {start[5:]}: {start} to {end}"
    return replace(sheet, notes=(*sheet.notes, Finding("layout", "note", message)))


def _with_note_on(sheet: Sheet, column: Column, are_left_out: ndarray) -> Sheet:
    """A sheet that says which of its rows (R,) are no part of a year."""
    reasons = {}
    for row in np.flatnonzero(are_left_out).tolist():
        reasons[int(sheet.lines[row])] = f"{column.cell(row)!r} sums up others"
    return replace(sheet, notes=(*sheet.notes, *dropped_lines(reasons)))


def _days_of_years(column: Column, years: Sequence[Column]) -> ndarray | None:
    """The days of the years across that rows such as 1/31 and 31 Jan are, NaT where a year has none
    (R, P); None where the rows are anything else."""
    if not is_yearless(column) or not has_digits(column) or len(column) < _FEWEST_DAYS:
        return None
    texts = []
    for year in years:
        labels = with_years(column, [year.name] * len(column))
        texts += labels.spread(labels.data).tolist()
    days = Column.of_texts(column.name, texts)
    times = days.times
    if times is None or times.problem or times.form != "date":
        return None
    if times.bad.sum() > len(years):
        return None  # there is a 29 February in some
    return days.spread(times.values).reshape(len(years), len(column)).T


def days_in_rows(
    sheet: Sheet, months: Sequence[Column], times: ndarray
) -> Sheet | None:
    """A sheet whose columns are months and whose rows are their days, with a row per time; None
    where its rows are anything else.

    months: the columns whose names are months; times: those months (P,).
    """
    remaining = columns_without(sheet.columns, months)
    if (
        len(remaining) != 1
        or not are_whole(times, "M")
        or not _counts_to(remaining[0], "day", 31)
    ):
        return None
    (column,) = remaining
    years, month_of_year = np.divmod(month_of(micros_of(times)), 12)
    days_R1 = np.arange(1, 32)[:, None]
    times_RP = from_fields(years + 1970, month_of_year + 1, days_R1)
    return _in_order(
        long_sheet_of(sheet, _whole("month", months), remaining, column, times_RP)
    )


def _counts_to(column: Column, kind: str, *highest: int) -> bool:
    """Whether a column is named after a part of a time and numbers all of them from 1 on."""
    part = parts_by_kind([column]).get(kind)
    if part is None or len(column) not in highest:
        return False
    numbers = np.arange(1, len(column) + 1)
    return np.array_equal(part.numbers, numbers)


def _weeks_of(column: Column) -> ndarray | None:
    """The weeks 1 to 52 or 53 that rows are (R,); None where they are anything else."""
    if not _counts_to(column, "week", 52, 53):
        return None
    return np.arange(1, len(column) + 1)


def _in_order(sheet: Sheet) -> Sheet:
    in_order = np.argsort(sheet.columns[0].data, kind="stable")
    return sheet.take(in_order)


def hours_in_rows(sheet: Sheet, days: Sequence[Column], times: ndarray) -> Sheet | None:
    """A sheet whose columns are days and whose rows are the hours of a day, with a row per time;
    None where its rows are anything else.

    days: the columns whose names are days; times: those days (P,).
    """
    remaining = columns_without(sheet.columns, days)
    if len(remaining) != 1 or not are_whole(times, "D") or are_whole(times, "M"):
        return None
    (hours,) = remaining
    since_midnight = _since_midnight(hours)
    if since_midnight is None:
        return None
    times_RP = times.astype("datetime64[us]") + since_midnight[:, None]
    return _in_order(
        long_sheet_of(sheet, _whole("day", days), remaining, hours, times_RP)
    )


def _since_midnight(hours: Column) -> ndarray | None:
    """The times of a day that rows are, in even steps (R,); None where they are anything else."""
    clock = clock_of(hours) or parts_by_kind([hours]).get("hour")
    if clock is None or len(hours) < _FEWEST_HOURS:
        return None
    if not np.isfinite(clock.numbers).all():
        return None
    midnight = np.datetime64(0, "us")
    midnights = np.full(len(hours), midnight)
    since_midnight = with_parts(midnights, [clock]) - midnight
    steps = np.diff(since_midnight)
    if steps[0] <= np.timedelta64(0, "us") or (steps != steps[0]).any():
        return None
    return since_midnight


def _parts_of_year(column: Column) -> tuple[ndarray | None, int]:
    """The month (or quarter) of each row (R,), 0 for totals, and the length of one in months."""
    if not column.is_text:
        return None, 1
    for kind, parts_in_year in (("month", 12), ("quarter", 4)):
        if _counts_to(column, kind, parts_in_year):
            return np.arange(1, parts_in_year + 1), 12 // parts_in_year
    texts = [str(text).strip().casefold().rstrip(".") for text in column.data]
    is_totals = [TOTALS.fullmatch(text) is not None for text in texts]
    for number_of, parts_in_year in _PARTS_OF_YEAR:
        numbers = np.array(list(map(number_of, texts)), object)
        numbers[is_totals] = 0
        is_unknown = numbers == None  # noqa: E711
        if parts_in_year == 12 and is_unknown.sum() <= _MOST_UNKNOWN:
            numbers[is_unknown] = 0
        parts_seen = set(numbers) - {0}
        if None not in parts_seen and len(parts_seen) == parts_in_year:
            part_numbers = numbers.astype(np.int64)
            return column.spread(part_numbers), 12 // parts_in_year
    return None, 1


# parser of the names of a part of the year, and number of parts in a year
_PARTS_OF_YEAR = (
    (month_named, 12),
    (number_in(pattern_of(r"(\d{1,2})月|m(\d\d?)")), 12),
    (quarter_of, 4),
    (half_of, 2),
)


def _whole(kind: str, columns: Sequence[Column]) -> Grid:
    """The columns of whole periods, numbered from 0."""
    return Grid(kind, list(columns), np.arange(len(columns)))
