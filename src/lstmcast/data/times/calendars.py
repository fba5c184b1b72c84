"""Calendar arithmetic on arrays of times, as counts of microseconds, days, months and business
days since 1970."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MONTHS = (
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
)

# lengths in microseconds
SECOND = 10**6
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
MONDAY = 4 * DAY  # 1970-01-05, the first Monday since the epoch
# units whose length never changes
FIXED_UNITS = {
    "second": SECOND,
    "minute": MINUTE,
    "hour": HOUR,
    "day": DAY,
    "week": WEEK,
}

# Weeks (month, first day) whose Sunday changes the clocks in Europe, most of America, Australia,
# New Zealand and Chile. Approximate rules are enough: they only affect the wording of findings.
_CLOCK_WEEKS = ((3, 8), (3, 25), (4, 1), (9, 1), (9, 24), (10, 1), (10, 25), (11, 1))

_CLOCK_HOURS = 4  # of that Sunday, its first
CLOCK_CHANGES = len(_CLOCK_WEEKS) * _CLOCK_HOURS  # that are distinguished


def micros_of(times: ArrayLike) -> ndarray:
    """datetime64 of any unit -> int64 microseconds since 1970."""
    moments = np.asarray(times).astype("datetime64[us]", copy=False)
    return moments.astype(np.int64)


def times_of(micros: ndarray) -> ndarray:
    """int64 microseconds since 1970 -> datetime64[us]."""
    counts = np.asarray(micros, dtype=np.int64)
    return counts.astype("datetime64[us]")


def weekday_of(micros: ndarray) -> ndarray:
    """0 = Monday … 6 = Sunday.

    >>> int(weekday_of(micros_of("2024-02-29")))
    3
    """
    return (micros - MONDAY) // DAY % 7


def month_of(micros: ndarray) -> ndarray:
    """Months since January 1970."""
    return _once_each(_month_of_days, np.asarray(micros, dtype=np.int64) // DAY)


def _month_of_days(days: ndarray) -> ndarray:
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    return months.astype(np.int64)


def month_start(months: ndarray) -> ndarray:
    """Months since January 1970 -> microseconds of the first day's midnight."""
    return _once_each(_month_start, np.asarray(months, dtype=np.int64))


def _month_start(months: ndarray) -> ndarray:
    return micros_of(months.astype("datetime64[M]"))


def _once_each(function: Callable[[ndarray], ndarray], counts: ndarray) -> ndarray:
    """A function of counts, computed once for each one of their range where that is shorter: the
    days of many series are the same."""
    if not counts.size:
        return function(counts)
    first = counts.min()
    span = int(counts.max()) - int(first) + 1
    if span >= counts.size:
        return function(counts)
    return function(np.arange(first, first + span))[counts - first]


def days_in_month(months: ndarray) -> ndarray:
    """The number of days of a month.

    >>> days_in_month(np.array([0, 1, 25]))  # January and February 1970, February 1972
    array([31, 28, 29])
    """
    next_months = np.asarray(months) + 1
    return (month_start(next_months) - month_start(months)) // DAY


def day_of_month(micros: ndarray) -> ndarray:
    """1 … 31."""
    first_day = month_start(month_of(micros))
    return (micros - first_day) // DAY + 1


def half_month_of(micros: ndarray, by_ends: bool) -> ndarray:
    """Half months since January 1970: from the 1st and 15th, or up to the 15th and the last day.

    >>> half_month_of(micros_of(["1970-01-14", "1970-01-15", "1970-02-01"]), by_ends=False)
    array([0, 1, 2])
    """
    day = day_of_month(micros)
    is_second = day > 15 if by_ends else day >= 15
    return 2 * month_of(micros) + is_second


def half_month_start(halves: ndarray, by_ends: bool) -> ndarray:
    """The midnight of the day that stands for a half month: the 1st or 15th, or the 15th or the
    last day."""
    months, second = np.divmod(halves, 2)
    days = (15, days_in_month(months)) if by_ends else (1, 15)
    day = np.where(second == 1, days[1], days[0])
    return month_start(months) + (day - 1) * DAY


def business_day_of(micros: ndarray) -> ndarray:
    """Business days (Monday to Friday) since Monday 1970-01-05; a weekend counts as the Friday
    before it.

    >>> business_day_of(micros_of(["1970-01-09", "1970-01-11", "1970-01-12"]))
    array([4, 4, 5])
    """
    days_since = (micros - MONDAY) // DAY
    weeks, days = np.divmod(days_since, 7)
    return 5 * weeks + np.minimum(days, 4)


def business_day_start(business_days: ndarray) -> ndarray:
    """Inverse of business_day_of: microseconds of the day's midnight."""
    weeks, days = np.divmod(business_days, 5)
    return MONDAY + (7 * weeks + days) * DAY


def first_business_day(months: ndarray) -> ndarray:
    """The day of the month (1, 2 or 3) of the first weekday from Monday to Friday.

    >>> first_business_day(np.array([649, 650])).tolist()  # February and March 2024
    [1, 1]
    """
    first_weekday = weekday_of(month_start(months))
    return np.where(first_weekday < 5, 1, 8 - first_weekday)


def last_business_day(months: ndarray) -> ndarray:
    """The day of the month of the last weekday from Monday to Friday.

    >>> last_business_day(np.array([650, 651])).tolist()  # March and April 2024
    [29, 30]
    """
    days = days_in_month(months)
    last_day = month_start(months) + (days - 1) * DAY
    days_of_weekend = weekday_of(last_day) - 4
    return days - np.maximum(days_of_weekend, 0)


def clock_change(micros: ndarray) -> ndarray:
    """The usual clock change of a time, as a number from 1 for each week and hour; 0 for none.

    Changes are in the first four hours of a Sunday.

    >>> march = ["2023-03-26T02:00", "2024-03-31T02:30", "2024-03-31T12:00"]
    >>> clock_change(micros_of([*march, "2024-06-30T02:00"]))
    array([11, 11,  0,  0])
    """
    month = month_of(micros) % 12 + 1
    day = day_of_month(micros)
    hour = micros % DAY // HOUR
    change = np.zeros(np.shape(micros), dtype=np.int64)
    for number, (first_month, first_day) in enumerate(_CLOCK_WEEKS):
        in_month = month == first_month
        in_week = (day - first_day) // 7 == 0
        own_change = 8 * number + hour + 1
        change = np.where(in_month & in_week, own_change, change)
    is_sunday = weekday_of(micros) == 6
    is_early = hour < _CLOCK_HOURS
    return np.where(is_sunday & is_early, change, 0)
