"""Refine times by their parts, and fill empty cells from above."""

# N rows

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.clockdays import as_clocks_show
from lstmcast.data.cells.columns import words_of
from lstmcast.data.cells.partcolumns import Part
from lstmcast.data.cells.partnames import kind_of_name
from lstmcast.data.times.timenumbers import absent_weeks, iso_weeks

_SLOTS = (
    (25, 60),
    (50, 30),
    (100, 15),
    (144, 10),
    (300, 5),
)  # slots of a day: largest number, minutes of each
_MONTHS_LONG = {"half": 6, "quarter": 3, "bimonth": 2, "month": 1}
_HOUR = 3600 * 10**6
_MINUTE = 60 * 10**6
_ROUNDED = 20 * 10**6  # microseconds that the digits of a fraction may be off
_FRACTION_OF = {"day": 24 * _HOUR, "yearday": 24 * _HOUR, "hour": _HOUR}


def with_parts(values: ndarray, parts: Sequence[Part]) -> ndarray:
    """Refine times (N,) by their parts; NaT if a part is missing or not in the calendar."""
    start = np.datetime64("1970-01-01", "us")
    for part in parts:
        is_known = np.isfinite(part.numbers) & ~np.isnat(values)
        numbers = np.where(is_known, part.numbers, 1).astype(np.int64)
        base = np.where(is_known, values, start)
        refined, exists = _refined(base, part.kind, numbers)
        if part.kind in _FRACTION_OF:
            length = _FRACTION_OF[part.kind]
            shares = np.where(is_known, part.numbers % 1, 0)
            refined = refined + _fractions(shares * length)
        exists = exists & is_known
        values = np.where(exists, refined, np.datetime64("NaT"))
    return values


def _fractions(micros: ndarray) -> ndarray:
    """Fractions of days or hours, to the minute where all are near one, as digits are rounded."""
    minutes = np.rint(micros / _MINUTE)
    is_near = np.abs(micros - minutes * _MINUTE) <= _ROUNDED
    if is_near.all():
        rounded = minutes * _MINUTE
    else:
        rounded = np.rint(micros / 10**6) * 10**6
    return rounded.astype(np.int64).astype("timedelta64[us]")


def _refined(base: ndarray, kind: str, numbers: ndarray) -> tuple[ndarray, ndarray]:
    """Times refined by one part, and whether each exists."""
    if kind in _MONTHS_LONG:
        length = _MONTHS_LONG[kind]
        months = base.astype("datetime64[M]") + (numbers - 1) * length
        is_in_year = numbers * length <= 12
        return months.astype("datetime64[us]"), is_in_year & (numbers >= 1)
    if kind == "week":
        years = base.astype("datetime64[Y]").astype(np.int64) + 1970
        exists = (numbers >= 1) & (numbers <= 53)
        return iso_weeks(years, numbers), exists
    if kind == "weekday":
        return base + (numbers - 1).astype("timedelta64[D]"), numbers <= 7
    if kind in ("day", "yearday"):
        unit = "datetime64[M]" if kind == "day" else "datetime64[Y]"
        days = base.astype("datetime64[D]") + (numbers - 1)
        is_inside = days.astype(unit) == base.astype(unit)
        return days.astype("datetime64[us]"), is_inside & (numbers > 0)
    if kind in ("hour", "slot"):
        numbers = as_clocks_show(base, numbers)
    micros = _micros(kind, numbers)
    return base + micros.astype("timedelta64[us]"), numbers >= 0


def _micros(kind: str, numbers: ndarray) -> ndarray:
    """Parts of a day in microseconds since midnight."""
    if kind == "clock":
        return numbers
    if kind == "hour":
        # 1 to 24: hours named by their ends, as at power exchanges
        hours = numbers - _counts_from_one(numbers)
        return hours * _HOUR
    if kind == "slot":
        minutes = (numbers - numbers.min(initial=1)) * _slot_minutes(numbers)
        return minutes * 60 * 10**6
    seconds = {"minute": 60, "second": 1}[kind]
    return numbers * seconds * 10**6


def _counts_from_one(hours: ndarray) -> int:
    if not len(hours):
        return 0
    return int(hours.min() >= 1 and hours.max() == 24)


def _slot_minutes(numbers: ndarray) -> int:
    highest = int(numbers.max(initial=1))
    for slot_count, minutes in _SLOTS:
        if highest <= slot_count:
            return minutes
    raise AssertionError("no kind of part has higher numbers than slots")


def carried_times(values: ndarray, missing: ndarray) -> ndarray:
    """Times with empty cells of merged cells filled from above."""
    return _filled(values, missing)


def carried_numbers(numbers: ndarray) -> ndarray:
    return _filled(numbers, ~np.isfinite(numbers))


def _filled(values: ndarray, missing: ndarray) -> ndarray:
    if not missing.any() or missing.all():
        return values
    return values[last_filled(missing)]


def last_filled(missing: ndarray) -> ndarray:
    """For each row the last filled row up to it, or else the first filled row."""
    rows = np.arange(len(missing))
    filled_rows = np.where(missing, -1, rows)
    newest = np.maximum.accumulate(filled_rows)
    first_filled = int(np.argmin(missing))
    return np.where(newest < 0, first_filled, newest)


def periods_of_years(years: ndarray, period: Part) -> Part | None:
    """A column of periods of years (N,) that are numbered from 1 to 13, 12, 4 or 2, as four weeks,
    months, quarters or half-years; None where they are numbered otherwise."""
    highest = int(np.nanmax(period.numbers))
    kind = _PERIODS.get(highest)
    if kind is None:
        return None
    all_numbers = set(range(1, highest + 1))
    known_years = np.unique(years[~np.isnat(years)])
    inner_years = known_years[1:-1]
    for year in inner_years:
        numbers = period.numbers[years == year]
        if set(numbers.tolist()) != all_numbers:
            return None
    return replace(period, kind=kind) if len(inner_years) else None


def notes_on_ends(clocks: Sequence[Part]) -> list[str]:
    """What is said of clock times that name periods by their ends, 01:00 to 24:00."""
    notes = []
    for clock in clocks:
        column = clock.column
        if clock.kind != "clock" or not column.is_text:
            continue
        texts = [str(text).strip() for text in column.data]
        has_end_of_day = any(text[:3] == "24:" for text in texts)
        if has_end_of_day and np.nanmax(clock.numbers) < 24 * _HOUR:
            notes.append(
                f"{column.name} names periods by their ends: each row has the time at which "
                "its own begins"
            )
    return notes


_PERIODS = {13: "four weeks", 12: "month", 4: "quarter", 2: "half"}
_UNITS = {"month": "months", "quarter": "quarters", "half": "half-years"}


def notes_on_periods(year: Part, period: Part) -> list[str]:
    """What is said where parts of fiscal years, or numbered ones, are placed."""
    name_kind = kind_of_name(period.column.name)
    is_numbered = name_kind == "slot" and period.kind == "month"
    year_name = year.column.name
    fiscal_words = {"fiscal", "fy"} & words_of(year_name)
    is_fiscal = "年度" in year_name or fiscal_words
    if period.kind not in _UNITS:
        return []
    if not (is_fiscal or is_numbered):
        return []
    unit = _UNITS[period.kind]
    return [f"periods of {year_name} read as {unit} of calendar years"]


def notes_on_weeks(year: Part, week: Part) -> tuple[str, ...]:
    """Notes about weeks that their years do not have."""
    years = carried_numbers(year.numbers)
    is_known = np.isfinite(years) & np.isfinite(week.numbers)
    known_years = years[is_known].astype(int)
    known_weeks = week.numbers[is_known].astype(int)
    return absent_weeks(known_years, known_weeks)
