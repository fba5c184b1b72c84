"""Numbers that count days, under a name that says so: serial days of spreadsheets, Julian dates,
MATLAB's datenum, days of the year behind a year of two digits."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.scripts import REPUBLIC
from lstmcast.data.times.shapes import from_fields
from lstmcast.util.patterns import pattern_of

_DATED = pattern_of(
    r"(?:^|[\W_])(?:date|datum|day|tag|fecha|data|ds|datetime|timestamp)(?:$|[\W_])|date$|日|"
    r"^(?:excel[ _]?)?serial$"
)
_JULIAN = pattern_of(r"(?:^|[\W_])(?:julian|julday|jde|jdate)(?:$|[\W_]|date)")
_YEARS = pattern_of(r"^(?:fiscal |calendar )?(?:year|jahr|année|ano|año|anno|年|年度)$")
_BUDDHIST = pattern_of(r"พ\.? ?ศ\.?|ปี|buddhist|b\.e\.")
_REPUBLIC_NAMES = pattern_of(r"民國|日期|年月|月份|期別")
_REPUBLIC_NOTE = (
    "numbers read as years of the Republic of China and months (11301 = January 2024)"
)
_CLOCK_NAMES = pattern_of(
    r"(?:^|[\W_])(?:time|zeit|heure|hora|tijd|čas)(?:$|[\W_])|時刻|日時|时间"
)
_MJD_OF_1993 = 49_000  # and the serial day of a spreadsheet in 2034
_SECONDS = 86_400
# 2031; later dates may have a century in front, as IBM i writes them
_LAST_OF_REPUBLIC = 120
_CENTURY = 100_000  # of JD Edwards: 123001 is day 1 of 2023


class _Count(NamedTuple):
    """How days are counted: names of columns, the time of day 0, the first and the last day that
    are believed, and what is said."""

    names: re.Pattern[str]
    origin: np.datetime64
    lowest: float
    highest: float
    note: str


_COUNTS = (
    _Count(
        pattern_of(r"(?:^|[\W_])(?:mjd|modified julian|julian)(?:$|[\W_])"),
        np.datetime64("1858-11-17", "us"),
        33_282,
        88_069,
        "numbers read as modified Julian dates, days since 17 November 1858",
    ),
    _Count(
        pattern_of(r"(?:^|[\W_])(?:[hb]?jd|julian|julday)(?:$|[\W_])"),
        np.datetime64("1858-11-16T12", "us") - np.timedelta64(2_400_000, "D"),
        2_415_020,
        2_488_070,
        "numbers read as Julian dates, days that begin at noon",
    ),
    _Count(
        pattern_of(r"(?:^|[\W_])(?:datenum|matlab)"),
        np.datetime64("1970-01-01", "us") - np.timedelta64(719_529, "D"),
        693_962,
        767_010,
        "numbers read as MATLAB's datenum, days since the year 0",
    ),
    # day 0 of spreadsheets is 30 December 1899; days of 1980 to 2099
    _Count(
        _DATED,
        np.datetime64("1899-12-30", "us"),
        29_221,
        73_050,
        "numbers read as serial days of a spreadsheet, counted from the end of 1899",
    ),
)


def counted_days(name: str, numbers: ndarray) -> tuple[ndarray, str] | None:
    """Numbers of a column of that name as datetime64[us], NaT where NaN, and what is said; None
    where the name says nothing, or where a number lies outside of what is believed.

    >>> print(*counted_days("Date", np.array([44562.0, 44562.5]))[0])
    2022-01-01T00:00:00.000000 2022-01-01T12:00:00.000000
    >>> print(*counted_days("MJD", np.array([59945.0]))[0])
    2023-01-01T00:00:00.000000
    """
    is_known = np.isfinite(numbers)
    if not is_known.any():
        return None
    folded_name = name.casefold()
    if _JULIAN.search(folded_name):
        by_year = _days_of_years(numbers, is_known)
        if by_year is not None:
            return by_year, "numbers read as years and days of the year"
    if _REPUBLIC_NAMES.search(folded_name):
        of_republic = _of_republic(numbers, is_known)
        if of_republic is not None:
            return of_republic, _REPUBLIC_NOTE
    if _DATED.search(folded_name):
        with_century = _days_with_century(numbers, is_known)
        if with_century is not None:
            return (
                with_century,
                "numbers read as century, year, month and day (1240131)",
            )
    if _YEARS.search(folded_name) and _are_years(numbers[is_known]):
        return _years(numbers, is_known), "numbers read as years"
    if _BUDDHIST.search(folded_name) and _are_years(numbers[is_known] - 543):
        times = _years(numbers - 543, is_known)
        return times, "numbers read as years of the Buddhist era (2567 = 2024)"
    if _CLOCK_NAMES.search(folded_name) and _are_clock_steps(numbers):
        folded_name += " jd datenum"
        folded_name += " date" if numbers.max() < _MJD_OF_1993 else ""
    for count in _COUNTS:
        lowest = numbers[is_known].min()
        highest = numbers[is_known].max()
        is_believed = count.lowest <= lowest and highest <= count.highest
        if is_believed and count.names.search(folded_name):
            # to the second: a fraction of a day is never exact
            seconds = np.rint(np.where(is_known, numbers, 0) * _SECONDS)
            since_origin = seconds.astype(np.int64).astype("timedelta64[s]")
            times = np.where(
                is_known, count.origin + since_origin, np.datetime64("NaT")
            )
            return times, count.note
    return None


def _years(numbers: ndarray, is_known: ndarray) -> ndarray:
    years = np.where(is_known, numbers, 1970).astype(np.int64) - 1970
    times = years.astype("datetime64[Y]").astype("datetime64[us]")
    return np.where(is_known, times, np.datetime64("NaT"))


def _are_clock_steps(numbers: ndarray) -> bool:
    """Whether numbers with fractions are apart by an hour or another usual part of a day."""
    if (
        np.isnan(numbers).any()
        or len(numbers) < 3
        or (numbers == np.rint(numbers)).all()
    ):
        return False
    steps_per_day = 1 / np.median(np.diff(numbers))
    nearest = np.rint(steps_per_day)
    is_usual = nearest in (24, 48, 96, 144, 288, 1440)
    is_even = np.abs(np.diff(numbers) * nearest - 1).max() < 0.1
    return bool(is_usual and abs(steps_per_day - nearest) < 0.1 and is_even)


def _are_years(numbers: ndarray) -> bool:
    return bool(
        ((numbers == np.rint(numbers)) & (numbers >= 1500) & (numbers <= 2200)).all()
    )


def _days_with_century(numbers: ndarray, is_known: ndarray) -> ndarray | None:
    """1240131 as 31 January 2024: a century from 1900 on and six digits, as IBM i writes dates."""
    dates = np.where(is_known, numbers, 1_000_101)
    is_whole = dates == np.rint(dates)
    if not is_whole.all() or dates.min() < 1_000_101 or dates.max() > 1_991_231:
        return None
    dates = dates.astype(np.int64)
    years = 1900 + dates // 10_000
    times = from_fields(years, dates // 100 % 100, dates % 100)
    return (
        None
        if np.isnat(times).any()
        else np.where(is_known, times, np.datetime64("NaT"))
    )


def _of_republic(numbers: ndarray, is_known: ndarray) -> ndarray | None:
    """1130131 as 31 January 2024 and 11301 as its month, as Taiwan writes them; None where the
    numbers are anything else."""
    dates = np.where(is_known, numbers, numbers[is_known][0])
    if (dates != np.rint(dates)).any() or dates.min() < 8001:
        return None
    dates = dates.astype(np.int64)
    have_days = dates.max() > 99_999
    months = dates // 100 if have_days else dates
    days = dates % 100 if have_days else 1
    years = months // 100
    is_believed = years.min() >= 80 and 100 <= years.max() <= _LAST_OF_REPUBLIC
    times = from_fields(years + REPUBLIC, months % 100, days)
    if not is_believed or np.isnat(times).any():
        return None
    return np.where(is_known, times, np.datetime64("NaT"))


def _days_of_years(numbers: ndarray, is_known: ndarray) -> ndarray | None:
    """23001 and 123001 as 1 January 2023; None where the numbers are anything else."""
    dates = np.where(is_known, numbers, 1)
    is_whole = dates == np.rint(dates)
    days = dates % 1000
    if not is_whole.all() or days[is_known].min() < 1 or days.max() > 366:
        return None
    if numbers[is_known].max() >= 2 * _CENTURY:
        return None
    # with a century in front, 0 is 19 and 1 is 20; else two digits are 1941 to 2040
    years = dates // 1000
    has_century = numbers[is_known].max() >= _CENTURY
    years = 1900 + years + np.where(~np.array(has_century) & (years <= 40), 100, 0)
    first_days = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    times = (first_days + (days - 1).astype(np.int64)).astype("datetime64[us]")
    return np.where(is_known, times, np.datetime64("NaT"))
