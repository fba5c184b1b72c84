"""Join a year and its finer parts: months, quarters, weeks, days, and clock times behind them."""

# N rows

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.partcolumns import Part, clock_of, sums_of
from lstmcast.data.cells.partjoining import (
    carried_numbers,
    last_filled,
    notes_on_periods,
    notes_on_weeks,
    periods_of_years,
    with_parts,
)
from lstmcast.data.cells.partkinds import parts_by_kind
from lstmcast.data.findings import dropped_lines
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.errors import DataError

_AFTER_YEAR = ("half", "quarter", "bimonth", "month", "week", "yearday")
# which part refines which: a clock time a date, a day a month
_FINER = {
    "date": ("hour", "slot"),
    "month": ("day",),
    "day": ("hour", "slot"),
    "yearday": ("hour",),
    "hour": ("minute",),
    "week": ("weekday",),
    "minute": ("second",),
}
_FOLLOWING = 0.9  # share of the months that follow the one above them, at least
# share of rows whose parts make no time, at most, for them to be believed
_UNREAD = 0.02


def refines(coarse: ndarray, fine: ndarray) -> bool:
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


def joined_to_year(
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
    parts = finer_parts(first, by_kind)
    is_weekly = parts[0].kind == "week"  # of which there is a 13th
    sums = sums_of(parts[0].column)
    if sums.any() and not is_weekly:
        return _joined_to_year_without(sheet, sums, [year, *parts], free_columns)
    years = _years(year)
    times = with_parts(years, parts)
    if not refines(years, times):
        return sheet
    parts = _with_clock(parts, times, columns_without(free_columns, [year.column]))
    times = with_parts(years, parts)
    columns = [year.column, *(part.column for part in parts)]
    if _begins_within(times, parts[0]):
        is_next_year = parts[0].numbers < parts[0].numbers[0]
        times = with_parts(_years(year, is_next_year), parts)
        span = f"{str(times[0])[:7]} to {str(times[-1])[:7]}"
        return with_one_time(
            sheet, columns, times, f"years begin with month {span[5:7]}: {span}"
        )
    weeks = notes_on_weeks(year, parts[0]) if is_weekly else ()
    notes = (*notes_on_periods(year, parts[0]), *weeks)
    return with_one_time(sheet, columns, times, *notes)


def _with_clock(parts: list[Part], times: ndarray, columns: list[Column]) -> list[Part]:
    """Parts that end in a day, and the clock times that tell the rows of a day apart."""
    if parts[-1].kind not in ("day", "yearday", "weekday"):
        return parts
    used_columns = [part.column for part in parts]
    for clock in map(clock_of, columns_without(columns, used_columns)):
        if clock is not None and refines(times, with_parts(times, [clock])):
            return [*parts, clock]
    return parts


def _four_weeks(sheet: Sheet, period: Part) -> str:
    return (
        f"{sheet.source}: the column {period.column.name!r} numbers 13 periods of each year, of "
        "four weeks probably, whose dates it does not tell. Give a column of dates, or, if the "
        "rows are in time order, number them with --time index --period 13."
    )


def _begins_within(joined: ndarray, month: Part) -> bool:
    """Whether years begin with the month of the first row: only then the rows follow each other,
    and what comes before that month belongs to the next year."""
    if month.kind != "month" or not month.numbers[0] > 1 or np.isnat(joined).any():
        return False
    months = joined.astype("datetime64[M]").astype(np.int64)
    as_fiscal = months + 12 * (month.numbers < month.numbers[0])
    follows = _share_following(months)
    follows_then = _share_following(as_fiscal)
    return bool(follows_then >= _FOLLOWING and follows_then > follows)


def _share_following(months: ndarray) -> np.floating:
    """The share of months that are the one above them or the next one."""
    return np.isin(np.diff(months), (0, 1)).mean()


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
    return joined_to_year(shorter, still_free, None)


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


def finer_parts(first: Part, by_kind: dict[str, Part]) -> list[Part]:
    """A part and the finer ones that follow it."""
    chain = [first]
    while True:
        kinds = [kind for kind in _FINER.get(chain[-1].kind, ()) if kind in by_kind]
        if not kinds:
            return chain
        chain.append(by_kind[kinds[0]])


def with_one_time(
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
