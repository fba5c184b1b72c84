"""Times whose parts stand in columns of their own: a date and a clock time, a year and a month or
quarter, joined where that makes times unique."""

# N rows

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.partcolumns import Part, clock_of, kind_of_name, parts_by_kind, sums_of
from lstmcast.data.partjoining import carried_numbers, carried_times, last_filled, with_parts
from lstmcast.data.sheet import Column, Sheet, columns_without, dropped_lines
from lstmcast.errors import DataError

# what follows what: a date continues with a clock time, a year with a part of it
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
_FOLLOWING = 0.9  # share of the months that follow the one above them, at least
_UNREAD = 0.02  # share of rows whose parts make no time, at most, for them to be believed


def with_joined_times(
    sheet: Sheet, taken: Sequence[Column] = (), time: str | Sequence[str] | None = None
) -> Sheet:
    """The sheet with the columns of parts of the time replaced by one column of times, where that
    makes the times of more rows distinct; as it is where there are none.

    taken: columns that are something else. time: the column that was named as the time, of which
    parts in other columns may be a refinement; or all columns that are to be joined.
    """
    if time is not None and not isinstance(time, str) and len(time) > 1:
        return _joined_as_said(sheet, [_column(sheet, name) for name in time])
    free = columns_without(sheet.columns, taken)
    if len(free) < 2:
        return sheet
    if time is None:
        named, candidates = None, free
    else:
        named = _named_base(free, time if isinstance(time, str) else time[0])
        if named is None:
            return sheet
        candidates = [named]
    dates = [column for column in candidates if _is_dates(column)]
    if dates:
        return _joined_to_date(sheet, free, dates)
    return _joined_to_year(sheet, free, named)


def parts_of_name(names: Sequence[str], joined: str) -> list[str]:
    """The columns of which a joined column was made and called; none where these have no such.

    >>> parts_of_name(["Year", "Month", "y"], "Year-Month")
    ['Year', 'Month']
    """
    if joined in names:
        return [joined]
    for name in names:
        if joined.startswith(f"{name}-"):
            rest = parts_of_name(names, joined.removeprefix(f"{name}-"))
            if rest:
                return [name, *rest]
    return []


def _column(sheet: Sheet, name: str) -> Column:
    """A column that was named to be joined."""
    folded = name.strip().casefold()
    for column in sheet.columns:
        if column.name.strip().casefold() == folded:
            return column
    raise DataError(
        f"{sheet.source} has no column {name!r} for the time. Its columns are:\n{sheet.describe()}"
    )


def _named_base(free: Sequence[Column], name: str) -> Column | None:
    folded = name.strip().casefold()
    for column in free:
        if column.name.strip().casefold() == folded:
            return column
    return None


def _is_dates(column: Column) -> bool:
    """Whether a column holds dates, and nothing that numbers could be."""
    if column.data.dtype.kind != "M" and not column.is_text:
        return False
    times = column.times
    if times is None or times.form not in ("date", "number") or column.time_share <= 0.5:
        return False
    known = times.values[~np.isnat(times.values)]
    years = known.astype("datetime64[Y]")
    if len(np.unique(years)) < 2:
        return True
    # 2020年度, FY19: years in words, which a month or a quarter may refine
    return bool((known != years).any())


def _joined_to_date(sheet: Sheet, free: list[Column], dates: list[Column]) -> Sheet:
    for date in dates:
        if date.times is None:
            continue
        others = columns_without(free, [date, *dates])
        if date.times.problem is not None:
            settled = _settled_by_clocks(sheet, date, others)
            if settled is not None:
                return settled
            continue
        values, parts = _date_and_clock(date, others)
        if parts:
            columns = [date, *(part.column for part in parts)]
            return _replaced(sheet, columns, with_parts(values, parts), *date.times.notes)
    return sheet


def _date_and_clock(date: Column, others: Sequence[Column]) -> tuple[ndarray, list[Part]]:
    """The days of a column, and the columns that refine them, if there are some."""
    if date.times is None:
        return np.zeros(0), []
    values = carried_times(date.spread(date.times.values), date.missing)
    if not _on_days(values):
        return values, []
    return values, _clock_parts(others, values)


def _settled_by_clocks(sheet: Sheet, date: Column, others: Sequence[Column]) -> Sheet | None:
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
    known = values[~np.isnat(values)]
    return len(known) > 1 and bool((known == known.astype("datetime64[D]")).all())


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
    if not clocks or not _refines(values, with_parts(values, clocks[:1])):
        return []
    return clocks[:1] if clocks[0].kind == "clock" else clocks


def _hours_or_slots(columns: Sequence[Column]) -> list[Part]:
    by_kind = parts_by_kind(columns)
    for kind in ("hour", "slot"):
        if kind in by_kind:
            return _chain(by_kind[kind], by_kind)
    return []


def _all_month_starts(values: ndarray) -> bool:
    known = values[~np.isnat(values)]
    return bool((known == known.astype("datetime64[M]")).all())


def _days_of_month(columns: Sequence[Column]) -> list[Part]:
    by_kind = parts_by_kind(columns)
    return _chain(by_kind["day"], by_kind) if "day" in by_kind else []


def _refines(coarse: ndarray, fine: ndarray) -> bool:
    """Whether a finer time tells most rows of a coarser one apart."""
    known = ~np.isnat(fine)
    if not known.any():
        return False
    rows = np.flatnonzero(known)
    body = known[rows[0] : rows[-1] + 1]  # titles and notes stand around it
    if np.count_nonzero(~body) > _UNREAD * len(body) or 2 * len(body) < len(fine):
        return False
    distinct_fine = len(np.unique(fine[known]))
    distinct_coarse = len(np.unique(coarse[known]))
    return distinct_fine >= 1.5 * distinct_coarse


def _joined_to_year(sheet: Sheet, free: list[Column], named: Column | None) -> Sheet:
    by_kind = parts_by_kind(free)
    year = by_kind.get("year")
    if named is not None and (year is None or year.column is not named):
        return sheet
    kinds = [kind for kind in ("month", *_AFTER_YEAR) if kind in by_kind]
    if year is None or not kinds:
        return sheet
    parts = _chain(by_kind[kinds[0]], by_kind)
    sums = sums_of(parts[0].column)
    if sums.any():
        return _joined_to_year_without(sheet, sums, [year, *parts], free)
    values = _years(year)
    joined = with_parts(values, parts)
    if not _refines(values, joined):
        return sheet
    columns = [year.column, *(part.column for part in parts)]
    if _begins_within(joined, parts[0]):
        is_next_year = parts[0].numbers < parts[0].numbers[0]
        joined = with_parts(_years(year, is_next_year), parts)
        first, last = (str(time)[:7] for time in (joined[0], joined[-1]))
        return _replaced(
            sheet, columns, joined, f"years begin with month {first[5:]}: {first} to {last}"
        )
    return _replaced(sheet, columns, joined)


def _begins_within(joined: ndarray, month: Part) -> bool:
    """Whether years begin with the month of the first row: only then the rows follow each other,
    and what comes before that month belongs to the next year."""
    if month.kind != "month" or not month.numbers[0] > 1 or np.isnat(joined).any():
        return False
    months = joined.astype("datetime64[M]").astype(np.int64)
    as_fiscal = months + 12 * (month.numbers < month.numbers[0])
    follows, follows_then = (np.isin(np.diff(m), (0, 1)).mean() for m in (months, as_fiscal))
    return bool(follows_then >= _FOLLOWING and follows_then > follows)


def _joined_to_year_without(
    sheet: Sheet, sums: ndarray, parts: list[Part], free: list[Column]
) -> Sheet:
    """The sheet without the rows that sum up a year, joined."""
    rows = np.flatnonzero(~sums)
    if not len(rows):
        return sheet
    words = parts[1].column
    reasons = {}
    for row in np.flatnonzero(sums).tolist():
        reasons[int(sheet.lines[row])] = f"{words.cell(row)!r} sums up others"
    places = [_place_of(column, sheet) for column in free]
    filled = _with_carried(sheet, parts[0].column)
    shorter = filled.take(rows, *dropped_lines(reasons))
    still_free = [shorter.columns[place] for place in places]
    return _joined_to_year(shorter, still_free, None)


def _place_of(column: Column, sheet: Sheet) -> int:
    return next(place for place, other in enumerate(sheet.columns) if other is column)


def _with_carried(sheet: Sheet, column: Column) -> Sheet:
    """The sheet with empty cells of a column filled by what stands above them."""
    if not column.missing.any():
        return sheet
    filled = column.take(last_filled(column.missing))
    columns = list(sheet.columns)
    columns[_place_of(column, sheet)] = filled
    return replace(sheet, columns=tuple(columns))


def _years(part: Part, is_next: ndarray | int = 0) -> ndarray:
    numbers = carried_numbers(part.numbers) + is_next
    known = np.isfinite(numbers)
    years = np.where(known, numbers, 1970).astype(np.int64) - 1970
    times = years.astype("datetime64[Y]").astype("datetime64[us]")
    return np.where(known, times, np.datetime64("NaT"))


def _chain(first: Part, by_kind: dict[str, Part]) -> list[Part]:
    """A part and the finer ones that follow it."""
    chain = [first]
    while True:
        kinds = [kind for kind in _FINER.get(chain[-1].kind, ()) if kind in by_kind]
        if not kinds:
            return chain
        chain.append(by_kind[kinds[0]])


def _replaced(sheet: Sheet, parts: list[Column], joined: ndarray, *further: str) -> Sheet:
    """The sheet with one column of times in the place of its parts."""
    names = [part.name for part in parts]
    notes = [f"joined to one time: {', '.join(names)}", *further]
    carried = ~np.isnat(joined[parts[0].missing])
    if carried.any():
        notes.append(f"empty cells of {names[0]} read as the one above them")
    times = Column("-".join(names), joined, notes=tuple(notes))
    others = columns_without(sheet.columns, parts)
    return replace(sheet, columns=(times, *others))


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
        part = clock_of(column) or next(iter(parts_by_kind([column]).values()), None)
        if part is None or part.kind == "year":
            raise DataError(_no_join(sheet, column, "a clock time, an hour, a month or a quarter"))
        parts.append(part)
    values = carried_times(base.spread(times.values), base.missing)
    joined = with_parts(values, parts)
    if np.isnat(joined).all():
        raise DataError(_no_join(sheet, columns[-1], "a part of the times before it"))
    return _replaced(sheet, columns, joined)


def _no_join(sheet: Sheet, column: Column, expected: str) -> str:
    rows = np.flatnonzero(~column.missing)[:4]
    shown = ", ".join(repr(column.cell(row)) for row in rows) or "it is empty"
    return (
        f"{sheet.source}: the column {column.name!r} cannot be joined to a time: {shown}. "
        f"{expected[:1].upper()}{expected[1:]} is expected there; of the columns named with "
        "--time, the first one holds dates or years, the others what is finer."
    )
