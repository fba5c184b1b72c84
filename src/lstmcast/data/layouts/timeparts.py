"""Join times whose parts are in separate columns, such as a date and a clock time."""

# N rows

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.partcolumns import Part, clock_of, parts_by_kind, sums_of
from lstmcast.data.cells.partjoining import (
    carried_numbers,
    carried_times,
    last_filled,
    notes_on_periods,
    notes_on_weeks,
    periods_of_years,
    with_parts,
)
from lstmcast.data.cells.partnames import kind_of_name
from lstmcast.data.cells.splitparts import whole_names, with_whole_parts
from lstmcast.data.covariates.beside import ColumnNames
from lstmcast.data.sheet import Column, Sheet, columns_without, dropped_lines, folded
from lstmcast.errors import DataError

# which part refines which: a clock time a date, a month a year
_AFTER_YEAR = ("half", "quarter", "month", "week", "yearday")
_FINER = {
    "date": ("hour", "slot"),
    "month": ("day",),
    "day": ("hour", "slot"),
    "yearday": ("hour",),
    "hour": ("minute",),
    "week": ("weekday",),
    "minute": ("second",),
}
_HOUR_AND_MINUTES = re.compile(r"\d\d?[hH]\d\d")
_FOLLOWING = 0.9  # share of the months that follow the one above them, at least
# share of rows whose parts make no time, at most, for them to be believed
_UNREAD = 0.02


def with_joined_times(
    sheet: Sheet, used_columns: Sequence[Column] = (), time: ColumnNames = None
) -> Sheet:
    """The sheet with columns of time parts joined into one, if more rows then have distinct times.

    used_columns: columns with another role. time: the column named as the time, which other columns
        may refine, or all columns to be joined.
    """
    whole_sheet = with_whole_parts(sheet, used_columns)
    if whole_sheet is not sheet:
        names = (
            time
            if time is None or isinstance(time, str)
            else whole_names(whole_sheet, time)
        )
        joined = with_joined_times(whole_sheet, used_columns, names)
        return sheet if joined is whole_sheet else joined
    if time is not None and not isinstance(time, str) and len(time) > 1:
        return _joined_as_said(sheet, [_column(sheet, name) for name in time])
    free_columns = columns_without(sheet.columns, used_columns)
    if len(free_columns) < 2:
        return sheet
    base, candidates = None, free_columns
    if time is not None:
        name = time if isinstance(time, str) else time[0]
        base = _named_base(free_columns, name)
        if base is None:
            return sheet
        candidates = [base]
    dates = [column for column in candidates if _is_dates(column)]
    if dates:
        return _joined_to_date(sheet, free_columns, dates)
    return _joined_to_year(sheet, free_columns, base)


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
        values, parts = _date_and_clock(date, clock_columns)
        if parts:
            columns = [date, *(part.column for part in parts)]
            return _replaced(
                sheet, columns, with_parts(values, parts), *date.times.notes
            )
    return sheet


def _date_and_clock(
    date: Column, others: Sequence[Column]
) -> tuple[ndarray, list[Part]]:
    """The days of a column, and the columns that refine them, if there are some."""
    if date.times is None:
        return np.zeros(0), []
    values = carried_times(date.spread(date.times.values), date.missing)
    if not _on_days(values):
        return values, []
    return values, _clock_parts(others, values)


def _settled_by_clocks(
    sheet: Sheet, date: Column, others: Sequence[Column]
) -> Sheet | None:
    """Dates whose order of day and month only the clock times beside them tell, joined: one order
    makes steps that are all alike, the other one does not."""
    readings = []
    for day_first in (True, False):
        values, parts = _date_and_clock(replace(date, day_first=day_first), others)
        joined = with_parts(values, parts)
        steps = np.diff(np.unique(joined[~np.isnat(joined)]))
        if parts and len(steps) > 2 and (steps == steps[0]).all():
            order = "day/month/year" if day_first else "month/day/year"
            note = f"dates read as {order}: then the times are evenly spaced"
            readings.append((joined, parts, note))
    if len(readings) != 1:
        return None
    joined, parts, note = readings[0]
    return _replaced(sheet, [date, *(part.column for part in parts)], joined, note)


def _on_days(values: ndarray) -> bool:
    known_times = values[~np.isnat(values)]
    days = known_times.astype("datetime64[D]")
    return len(known_times) > 1 and bool((known_times == days).all())


def _clock_parts(columns: Sequence[Column], values: ndarray) -> list[Part]:
    """The columns that tell rows of one date apart as a clock does, if there are some."""
    clocks = [part for part in map(clock_of, columns) if part is not None]
    names_say_so = any(kind_of_name(column.name) is not None for column in columns)
    if not clocks and not names_say_so:
        return []
    if len(np.unique(values)) > 0.9 * len(values):
        return []
    if not clocks and _all_month_starts(values):
        clocks = _days_of_month(columns)
    if not clocks:
        clocks = _hours_or_slots(columns)
    if not clocks:
        return []
    first_clock = clocks[:1]
    if not _refines(values, with_parts(values, first_clock)):
        return []
    return first_clock if clocks[0].kind == "clock" else clocks


def _hours_or_slots(columns: Sequence[Column]) -> list[Part]:
    by_kind = parts_by_kind(columns)
    for kind in ("hour", "slot"):
        if kind in by_kind:
            return _chain(by_kind[kind], by_kind)
    return []


def _all_month_starts(values: ndarray) -> bool:
    known_times = values[~np.isnat(values)]
    months = known_times.astype("datetime64[M]")
    return bool((known_times == months).all())


def _days_of_month(columns: Sequence[Column]) -> list[Part]:
    by_kind = parts_by_kind(columns)
    return _chain(by_kind["day"], by_kind) if "day" in by_kind else []


def _refines(coarse: ndarray, fine: ndarray) -> bool:
    """Whether a finer time tells most rows of a coarser one apart."""
    is_known = ~np.isnat(fine)
    if not is_known.any():
        return False
    rows = np.flatnonzero(is_known)
    body = is_known[rows[0] : rows[-1] + 1]  # titles and notes stand around it
    if np.count_nonzero(~body) > _UNREAD * len(body) or 2 * len(body) < len(fine):
        return False
    distinct_fine = len(np.unique(fine[is_known]))
    distinct_coarse = len(np.unique(coarse[is_known]))
    return distinct_fine >= 1.5 * distinct_coarse


def _joined_to_year(
    sheet: Sheet, free_columns: list[Column], base: Column | None
) -> Sheet:
    by_kind = parts_by_kind(free_columns)
    year = by_kind.get("year")
    if base is not None and (year is None or year.column is not base):
        return sheet
    kinds = [kind for kind in ("month", *_AFTER_YEAR) if kind in by_kind]
    if year is None or not (kinds or "slot" in by_kind):
        return sheet
    first = (
        by_kind[kinds[0]] if kinds else periods_of_years(_years(year), by_kind["slot"])
    )
    if first is None:
        return sheet
    if first.kind == "four weeks":
        raise DataError(_four_weeks(sheet, first))
    parts = _chain(first, by_kind)
    is_weekly = parts[0].kind == "week"  # of which there is a 13th
    sums = sums_of(parts[0].column)
    if sums.any() and not is_weekly:
        return _joined_to_year_without(sheet, sums, [year, *parts], free_columns)
    years = _years(year)
    times = with_parts(years, parts)
    if not _refines(years, times):
        return sheet
    parts = _with_clock(parts, times, columns_without(free_columns, [year.column]))
    times = with_parts(years, parts)
    columns = [year.column, *(part.column for part in parts)]
    if _begins_within(times, parts[0]):
        is_next_year = parts[0].numbers < parts[0].numbers[0]
        times = with_parts(_years(year, is_next_year), parts)
        span = f"{str(times[0])[:7]} to {str(times[-1])[:7]}"
        return _replaced(
            sheet, columns, times, f"years begin with month {span[5:7]}: {span}"
        )
    weeks = notes_on_weeks(year, parts[0]) if is_weekly else ()
    notes = (*notes_on_periods(year, parts[0]), *weeks)
    return _replaced(sheet, columns, times, *notes)


def _with_clock(parts: list[Part], times: ndarray, columns: list[Column]) -> list[Part]:
    """Parts that end in a day, and the clock times that tell the rows of a day apart."""
    if parts[-1].kind not in ("day", "yearday", "weekday"):
        return parts
    used_columns = [part.column for part in parts]
    for clock in map(clock_of, columns_without(columns, used_columns)):
        if clock is not None and _refines(times, with_parts(times, [clock])):
            return [*parts, clock]
    return parts


def _four_weeks(sheet: Sheet, period: Part) -> str:
    return (
        f"{sheet.source}: the column {period.column.name!r} numbers 13 periods of each year, of "
        "four weeks probably, whose dates it does not tell. Give a column of dates, or, if the "
        "rows are in time order, number them with --time index --period 13 (in Python: "
        "time='index', periods=13)."
    )


def _begins_within(joined: ndarray, month: Part) -> bool:
    """Whether years begin with the month of the first row: only then the rows follow each other,
    and what comes before that month belongs to the next year."""
    if month.kind != "month" or not month.numbers[0] > 1 or np.isnat(joined).any():
        return False
    months = joined.astype("datetime64[M]").astype(np.int64)
    as_fiscal = months + 12 * (month.numbers < month.numbers[0])
    follows, follows_then = (
        np.isin(np.diff(m), (0, 1)).mean() for m in (months, as_fiscal)
    )
    return bool(follows_then >= _FOLLOWING and follows_then > follows)


def _joined_to_year_without(
    sheet: Sheet, sums: ndarray, parts: list[Part], free_columns: list[Column]
) -> Sheet:
    """The sheet without the rows that sum up a year, joined."""
    rows = np.flatnonzero(~sums)
    if not len(rows):
        return sheet
    words = parts[1].column
    reasons = {}
    for row in np.flatnonzero(sums).tolist():
        line = int(sheet.lines[row])
        reasons[line] = f"{words.cell(row)!r} sums up others"
    places = [_place_of(column, sheet) for column in free_columns]
    filled_sheet = _with_carried(sheet, parts[0].column)
    shorter = filled_sheet.take(rows, *dropped_lines(reasons))
    still_free = [shorter.columns[place] for place in places]
    return _joined_to_year(shorter, still_free, None)


def _place_of(column: Column, sheet: Sheet) -> int:
    return next(
        place for place, candidate in enumerate(sheet.columns) if candidate is column
    )


def _with_carried(sheet: Sheet, column: Column) -> Sheet:
    """The sheet with empty cells of a column filled by what stands above them."""
    if not column.missing.any():
        return sheet
    filled_column = column.take(last_filled(column.missing))
    columns = list(sheet.columns)
    columns[_place_of(column, sheet)] = filled_column
    return replace(sheet, columns=tuple(columns))


def _years(year: Part, is_next: ndarray | int = 0) -> ndarray:
    """The first times of years (N,), or of the next ones."""
    numbers = carried_numbers(year.numbers) + is_next
    is_known = np.isfinite(numbers)
    years = np.where(is_known, numbers, 1970).astype(np.int64)
    years_since_1970 = (years - 1970).astype("datetime64[Y]")
    times = years_since_1970.astype("datetime64[us]")
    return np.where(is_known, times, np.datetime64("NaT"))


def _chain(first: Part, by_kind: dict[str, Part]) -> list[Part]:
    """A part and the finer ones that follow it."""
    chain = [first]
    while True:
        kinds = [kind for kind in _FINER.get(chain[-1].kind, ()) if kind in by_kind]
        if not kinds:
            return chain
        chain.append(by_kind[kinds[0]])


def _replaced(
    sheet: Sheet, parts: list[Column], times_of_rows: ndarray, *further: str
) -> Sheet:
    """The sheet with one column of times in the place of its parts."""
    names = [column.name for column in parts]
    notes = [f"joined into one time: {', '.join(names)}", *further]
    carried_cells = times_of_rows[parts[0].missing]
    if not np.isnat(carried_cells).all():
        notes.append(f"empty cells of {names[0]} read as the cell above them")
    times = Column("-".join(names), times_of_rows, notes=tuple(notes))
    other_columns = columns_without(sheet.columns, parts)
    return replace(sheet, columns=(times, *other_columns))


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
    return _replaced(sheet, columns, joined_times)


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
