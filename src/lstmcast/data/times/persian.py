"""Dates of the Persian calendar as those of the Gregorian one."""

# U distinct dates

from __future__ import annotations

import numpy as np
from numpy import ndarray

_FIRST_OF_1400 = np.datetime64("2021-03-21", "D")


def is_persian(month: ndarray, day: ndarray) -> bool:
    """Whether days are of the Persian calendar, of which the first six months have 31 days: those
    of the Islamic calendar have 30 at most."""
    is_long = day == 31
    return bool(is_long.any() and (month[is_long] <= 6).all())


def gregorian(year: ndarray, month: ndarray, day: ndarray) -> ndarray:
    """Dates of the Persian calendar (U,) as datetime64[D]; NaT for what it does not have.

    Leap years repeat every 33 years, which agrees with the calendar from 1799 to 2256.

    >>> gregorian(np.array([1403]), np.array([1]), np.array([1])).astype(str).tolist()
    ['2024-03-20']
    """
    first_of_1400 = _days_since(1400, 1, 1)
    days = _days_since(year, month, day)
    next_year = _days_since(year + 1, 1, 1)
    last_day = np.where(month <= 6, 31, 30)
    is_month = (month >= 1) & (month <= 12)
    is_day = (day >= 1) & (day <= last_day)
    exists = is_month & is_day & (days < next_year)
    dates = _FIRST_OF_1400 + (days - first_of_1400)
    return np.where(exists, dates, np.datetime64("NaT"))


def _days_since(
    year: ndarray | int, month: ndarray | int, day: ndarray | int
) -> ndarray:
    """Days since a day long ago."""
    years = np.asarray(year) + 1595
    cycles = years // 33
    years_of_cycle = years % 33
    leap_days = 8 * cycles + (years_of_cycle + 3) // 4
    months = np.asarray(month)
    long_months = 31 * (months - 1)
    short_months = 30 * (months - 7) + 186
    days_of_months = np.where(months < 7, long_months, short_months)
    days = 365 * years + leap_days + days_of_months
    return days + np.asarray(day)
