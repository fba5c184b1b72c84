"""Months made of whole weeks, as a 4-4-5 calendar of the retail trade has them.

Its periods are 4 or 5 weeks long, and 6 where a year has 53 weeks. Their first or last days have no
frequency: which steps are long is a matter of the calendar that a company keeps. Named by the
month that each stands for they are monthly data, with a season of 12.
"""

# N times

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.data.times.calendars import DAY, WEEK, micros_of, month_of

_FEWEST = 6  # steps that tell
# A period may be meant by its first or its last day: its middle is two weeks later or earlier.
_MIDDLES = (-2 * WEEK, 2 * WEEK, -WEEK, WEEK, 0)


def months_of_weeks(times: ndarray) -> tuple[ndarray, ndarray] | None:
    """The distinct times in order, and the month (datetime64[M]) that each stands for; None where
    they are not days of periods of 4 and 5 weeks, one for each month.

    >>> ends = np.datetime64("2022-01-29") + 7 * np.cumsum([4, 4, 5, 4, 4, 5, 4, 4])
    >>> days, months = months_of_weeks(ends)
    >>> print(days[0], months[0], months[-1])
    2022-02-26T00:00:00.000000 2022-02 2022-09
    """
    times = np.asarray(times, "datetime64[us]")
    if not _are_weeks_apart(micros_of(times)):
        return None
    days = np.unique(times)
    micros = micros_of(days)
    steps = np.diff(micros)
    if len(steps) < _FEWEST:
        return None
    lengths = set((steps // WEEK).tolist())
    if not {4, 5} <= lengths <= {4, 5, 6}:
        return None
    for shift in _MIDDLES:
        months = month_of(micros + shift)
        if np.all(np.diff(months) == 1):
            return days, months.astype("datetime64[M]")
    return None


def _are_weeks_apart(micros: ndarray) -> bool:
    """Whether all are days, whole weeks apart: then it is worth sorting them."""
    earliest = micros[:1]
    return not np.any(earliest % DAY) and not np.any((micros - earliest) % WEEK)
