"""Numbers that are times: years, 202403, 20240301, 2024030115, seconds to nanoseconds since 1970,
or a plain index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.times.shapes import from_fields
from lstmcast.data.times.times import Times

# U distinct numbers

_UNITS = (
    ("s", 1, "seconds"),
    ("ms", 10**3, "milliseconds"),
    ("us", 10**6, "microseconds"),
    ("ns", 10**9, "nanoseconds"),
)
# the first and the last second since 1970 that are believed: March 1973, June 2128
_FIRST_SECOND = 10**8
_LAST_SECOND = 5 * 10**9
# seconds of 2000, where 1904 is the origin
_FIRST_OF_1904 = np.datetime64("2066-01-01", "us")
_FROM_1904 = np.timedelta64(24_107, "D")
_OTHER_ORIGIN = (
    "seconds since 1970 would be of {}, and seconds since 1904, as LabVIEW counts them, of {}. "
    "Write dates instead, or, if the rows are in time order, number them with --time index "
    "--period N, where N rows are one season."
)
_FEWEST_MONTHS = 6
_FEWEST_WEEKS = 13
_SHARE_OF_WEEKS = 0.9  # that follow the one before, at least
# the year that tenths of microseconds are counted from, those of 2000 and of 2060
_TENTHS_SINCE = (
    (1601, 125_911_584 * 10**9, 144_846_144 * 10**9),
    (1, 630_822_816 * 10**9, 649_757_376 * 10**9),
)
_PIVOT = 40  # two-digit years are 1941 … 2040
_CENTURIES = ("19", "20")


def integer_times(numbers: ndarray) -> Times:
    """Read whole numbers as times: years, 202403, 20240301, unix seconds to nanoseconds, or a plain
    index.

    >>> integer_times(np.array([202401, 202402])).values.astype("datetime64[M]").tolist()
    [datetime.date(2024, 1, 1), datetime.date(2024, 2, 1)]
    """
    numbers = np.asarray(numbers, np.int64)
    if len(numbers):
        lowest = int(numbers.min())
        highest = int(numbers.max())
        for reading in (
            _year_months,
            _year_weeks,
            _years,
            _quarters,
            _months,
            _short_days,
            _weeks,
            _days,
            _hours,
            _codes_of_e_stat,
            _tenths_of_micros,
            _since_1970,
        ):
            times = reading(numbers, lowest, highest)
            if times is not None:
                return times
    return Times.of(numbers, "index")


def decimal_times(numbers: ndarray) -> Times | None:
    """Read seconds since 1970 with a fraction as times; None where the numbers are anything else.

    >>> decimal_times(np.array([1640995200.0, 1640995200.5])).values.tolist()[1].microsecond
    500000
    """
    numbers = np.asarray(numbers, np.float64)
    if not len(numbers) or not np.isfinite(numbers).all():
        return None
    if numbers.min() < _FIRST_SECOND * 10 or numbers.max() >= _LAST_SECOND:
        return None
    micros = np.rint(numbers * 10**6).astype(np.int64)
    return _times_of_clock(micros.astype("datetime64[us]"), "seconds")


def _times_of_clock(values: ndarray, unit: str) -> Times:
    """Times that were counted in a unit since 1970, in UTC."""
    note = f"whole numbers read as {unit} since 1970 (UTC)"
    times = Times.of(values, "number", note, zone="UTC")
    if unit == "seconds" and len(values) and values.min() >= _FIRST_OF_1904:
        year = str(values.min())[:4]
        other_year = str(values.min() - _FROM_1904)[:4]
        return replace(times, problem=_OTHER_ORIGIN.format(year, other_year))
    return times


def _year_months(numbers: ndarray, low: int, high: int) -> Times | None:
    """2101 and 12021 as January 2021, where all of them follow each other month by month."""
    if low < 101 or high > 122_100 or len(numbers) < _FEWEST_MONTHS:
        return None
    split = (
        (numbers % 10_000, numbers // 10_000)
        if high > 9912
        else (numbers // 100, numbers % 100)
    )
    years, months = split
    if not _within(months, 1, 12) or (high > 9912 and not _within(years, 1900, 2100)):
        return None
    if high <= 9912:
        years = np.where(years > _PIVOT, 1900, 2000) + years
    steps = np.diff(12 * years + months)
    # twelve years such as 2001 to 2012 are years
    is_even = (steps == steps[0]).all()
    if abs(steps[0]) != 1 or not is_even:
        return None
    if len(np.unique(years)) < 2:
        return None
    return Times.of(
        from_fields(years, months, 1), "number", "whole numbers read as year and month"
    )


def _year_weeks(numbers: ndarray, low: int, high: int) -> Times | None:
    """1952 and 2001 as the last week of 2019 and the first of 2020, where weeks follow each other
    over the end of a year, as years do not."""
    if low < 101 or high > 9953 or len(numbers) < _FEWEST_WEEKS:
        return None
    years, weeks = numbers // 100, numbers % 100
    if not _within(weeks, 1, 53) or len(np.unique(years)) < 2:
        return None
    years = np.where(years > _PIVOT, 1900, 2000) + years
    mondays = iso_weeks(years, weeks)
    steps = np.abs(np.diff(mondays)) / np.timedelta64(7, "D")
    if np.mean(steps == 1) < _SHARE_OF_WEEKS:
        return None
    notes = ("whole numbers read as years and ISO weeks", *absent_weeks(years, weeks))
    return Times.of(mondays, "number", *notes)


def _years(numbers: ndarray, low: int, high: int) -> Times | None:
    if low < 1500 or high > 2200:
        return None
    years = (numbers - 1970).astype("datetime64[Y]")
    return Times.of(years.astype("datetime64[us]"), "year")


def _months(numbers: ndarray, low: int, high: int) -> Times | None:
    years = numbers // 100
    months = numbers % 100
    if low < 150001 or high > 220012 or not _within(months, 1, 12):
        return None
    if are_quarters(years, months):
        values = from_fields(years, 3 * months - 2, 1)
        note = "whole numbers read as years and quarters: none is above 4"
        return Times.of(values, "number", note)
    return Times.of(from_fields(years, months, 1), "number")


def are_quarters(years: ndarray, numbers: ndarray) -> bool:
    """Whether numbers behind years are 1 to 4 in every year but the first and the last, and so no
    months.

    >>> are_quarters(np.repeat([2020, 2021, 2022], 4), np.tile([1, 2, 3, 4], 3))
    True
    """
    if set(numbers.tolist()) != {1, 2, 3, 4}:
        return False
    moments = np.unique(10 * years + numbers)
    distinct_years, counts = np.unique(moments // 10, return_counts=True)
    are_next = np.diff(distinct_years) == 1
    return len(counts) > 2 and bool((counts[1:-1] == 4).all() and are_next.all())


def _quarters(numbers: ndarray, low: int, high: int) -> Times | None:
    """20001 to 20004: years and quarters, where every year but the first and the last has four."""
    years = numbers // 10
    quarters = numbers % 10
    if low < 19001 or high > 21004 or not _within(quarters, 1, 4):
        return None
    if not are_quarters(years, quarters):
        return None
    values = from_fields(years, 3 * quarters - 2, 1)
    return Times.of(values, "number", "whole numbers read as years and quarters")


def _short_days(numbers: ndarray, low: int, high: int) -> Times | None:
    """240131, a day in a year of two digits: days of several months, a month apart at most."""
    if low < 100_101 or high > 991_231 or len(np.unique(numbers // 100)) < 2:
        return None
    days = numbers % 100
    if not 12 < days.max() <= 31 or not _within(numbers // 100 % 100, 1, 12):
        return None
    short = numbers // 10_000
    years = np.where(short > _PIVOT, 1900, 2000) + short
    values = from_fields(years, numbers // 100 % 100, days)
    if np.isnat(values).any():
        return None
    steps = np.diff(np.unique(values))
    if np.median(steps) > np.timedelta64(31, "D"):
        return None
    return Times.of(values, "number", "whole numbers read as year, month and day")


def _codes_of_e_stat(numbers: ndarray, low: int, high: int) -> Times | None:
    """2024000101 as January 2024, 2024000103 as a quarter, 2024000000 and 2024100000 as a year."""
    if low < 1_500_000_000 or high > 2_200_999_999 or len(numbers) < 2:
        return None
    years, codes = numbers // 10**6, numbers % 10**6
    first_months, end_months = codes // 100, codes % 100
    is_year = np.isin(codes, (0, 100_000))
    are_months = (first_months >= 1) & (first_months <= end_months)
    are_months &= end_months <= 12
    if not (is_year | are_months).all():
        return None
    note = "codes of e-Stat read as years, quarters or months"
    months = np.where(is_year, 1, first_months)
    return Times.of(from_fields(years, months, 1), "number", note)


def _weeks(numbers: ndarray, low: int, high: int) -> Times | None:
    """Years and ISO weeks, 202401 to 202453: more than twelve of them, or they are months."""
    years = numbers // 100
    weeks = numbers % 100
    if low < 190001 or high > 210053 or not _within(weeks, 1, 53):
        return None
    values = iso_weeks(years, weeks)
    notes = ("whole numbers read as years and ISO weeks", *absent_weeks(years, weeks))
    return Times.of(values, "number", *notes)


def iso_weeks(years: ndarray, weeks: ndarray) -> ndarray:
    """The Mondays of ISO weeks as datetime64[us]: week 1 is the one with 4 January in it."""
    years_since_1970 = (years - 1970).astype("datetime64[Y]")
    fourth = years_since_1970.astype("datetime64[D]") + 3
    weekday = (fourth.astype(np.int64) + 3) % 7
    first_monday = fourth - weekday
    mondays = first_monday + 7 * (weeks - 1)
    return mondays.astype("datetime64[us]")


def absent_weeks(years: ndarray, weeks: ndarray) -> tuple[str, ...]:
    """A note for each year of 52 weeks whose week 53 is among these.

    >>> absent_weeks(np.array([2020, 2021]), np.array([53, 53]))
    ('2021 has no ISO week 53: it is read as the week of 2022-01-03',)
    """
    mondays = iso_weeks(years, weeks)
    is_absent = (weeks == 53) & (mondays == iso_weeks(years + 1, np.ones_like(weeks)))
    notes = {}
    for year, monday in zip(years[is_absent].tolist(), mondays[is_absent], strict=True):
        day = monday.astype("datetime64[D]")
        notes[year] = f"{year} has no ISO week 53: it is read as the week of {day}"
    return tuple(notes[year] for year in sorted(notes))


def _days(numbers: ndarray, low: int, high: int) -> Times | None:
    if low >= 15000101 and high <= 22001231:
        values = _day_numbers(numbers)
        if np.isnat(values).any():
            return None
        return Times.of(values, "number")
    years = numbers // 1000
    days = numbers % 1000
    if low < 1900001 or high > 2100366 or not _within(days, 1, 366):
        return None
    if days.max() <= 12 and len(np.unique(years)) > 1:
        note = "whole numbers read as years and months of three digits"
        return Times.of(from_fields(years, days, 1), "number", note)
    values = from_fields(years, 1, 1) + _days_long(days - 1)
    return Times.of(
        values, "number", "whole numbers read as years and days of the year"
    )


def _day_numbers(numbers: ndarray) -> ndarray:
    """20240301 as 1 March 2024."""
    years = numbers // 10_000
    months = numbers // 100 % 100
    days = numbers % 100
    return from_fields(years, months, days)


def _hours(numbers: ndarray, low: int, high: int) -> Times | None:
    """2024030115, the hour 15 of a day; seconds since 1970 would be of 2030 or later."""
    if low < 1900010100 or high > 2100123124:
        return None
    days = numbers // 100
    hours = numbers % 100
    values = _day_numbers(days)
    if np.isnat(values).any() or not _within(hours, 0, 24):
        return None
    values = values + hours.astype("timedelta64[h]")
    return Times.of(values, "number", "whole numbers read as year, month, day and hour")


def _tenths_of_micros(numbers: ndarray, low: int, high: int) -> Times | None:
    """Windows' FILETIME and .NET's ticks, which would be nanoseconds of 1973 and of 1990."""
    for year, lowest, highest in _TENTHS_SINCE:
        if lowest <= low and high < highest:
            origin = np.datetime64(f"{year:04d}-01-01", "us")
            values = origin + (numbers // 10).astype("timedelta64[us]")
            note = f"whole numbers read as tenths of microseconds since the year {year}"
            return Times.of(values, "number", note)
    return None


def _since_1970(numbers: ndarray, low: int, high: int) -> Times | None:
    for code, scale, unit in _UNITS:
        if _FIRST_SECOND * scale <= low and high < _LAST_SECOND * scale:
            values = numbers.astype(f"datetime64[{code}]")
            return _times_of_clock(values.astype("datetime64[us]"), unit)
    return None


def _within(numbers: ndarray, low: int, high: int) -> bool:
    is_within = (numbers >= low) & (numbers <= high)
    return bool(is_within.all())


def _days_long(days: ndarray) -> ndarray:
    return days.astype("timedelta64[D]").astype("timedelta64[us]")


def whole_number_texts(tidy: list[str], dates: Callable[[list[str]], Times]) -> Times:
    """Texts of digits only, "" where missing, as times; `dates` reads texts that are no numbers."""
    is_text = np.array([text != "" for text in tidy])
    digits = [text for text in tidy if text]
    values = np.full(len(tidy), np.datetime64("NaT", "us"))
    if any(_is_beyond_times(text) for text in digits):
        return Times(values, is_text, "index")
    stamped = _stamped(tidy, digits, dates)
    if stamped is not None:
        return stamped
    numbers = np.array([int(text) for text in digits], np.int64)
    times = integer_times(numbers)
    if times.form == "index":
        indices = np.zeros(len(tidy), np.int64)
        indices[is_text] = times.values
        # a missing index has no NaT to stand for it
        return replace(times, values=indices, bad=~is_text)
    values[is_text] = times.values
    return replace(times, values=values, bad=np.zeros(len(tidy), bool))


def _is_beyond_times(text: str) -> bool:
    """Whether digits are more than nanoseconds since 1970 can be."""
    return len(text) > 18 and int(text) >= _LAST_SECOND * 10**9


def _stamped(
    tidy: list[str], digits: list[str], dates: Callable[[list[str]], Times]
) -> Times | None:
    """202403011530 and 20240301153000 as date and time, 01032024 as day, month and year."""
    lengths = {len(text) for text in digits}
    begin_as_years = all(text[:2] in _CENTURIES for text in digits)
    if lengths in ({12}, {14}) and begin_as_years:
        rewrite = _date_and_clock
    elif lengths in ({8}, {7, 8}) and not begin_as_years:
        # spreadsheets take the first zero off: 1012024 beside 31012024
        if not all(text.zfill(8)[4:6] in _CENTURIES for text in digits):
            return None
        rewrite = _day_month_year
    else:
        return None
    rewritten = list(tidy)
    for place, text in enumerate(tidy):
        if text:
            rewritten[place] = rewrite(text)
    times = dates(rewritten)
    return None if times.bad.any() else replace(times, form="number")


def _date_and_clock(digits: str) -> str:
    return f"{digits[:8]} {digits[8:]}"


def _day_month_year(digits: str) -> str:
    digits = digits.zfill(8)
    return f"{digits[:2]}/{digits[2:4]}/{digits[4:]}"
