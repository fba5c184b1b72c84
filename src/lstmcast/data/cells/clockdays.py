"""Days of 23 and 25 hours: numbered hours and slots as clocks show them."""

# N rows · D days · R rows and P columns of a calendar across

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.data.times.calendars import HOUR, clock_change, micros_of

_SLOTS_OF_HOUR = {24: 1, 48: 2, 96: 4, 288: 12}
_DAY_MINUTES = 1440
_HALF_HOURS = 2  # of an hour, as in Great Britain, whose clocks change at one


def as_clocks_show(days: ndarray, numbers: ndarray) -> ndarray:
    """Numbers of hours or slots (N,) of days (N,), of which each day has as many as others.

    On a day on which clocks are set forward, numbers after the change get one hour more; on one on
    which they are set back, one hour less, so that an hour comes twice.

    >>> days = np.repeat(np.array(["2023-10-28", "2023-10-29"], "datetime64[us]"), [24, 25])
    >>> as_clocks_show(days, np.r_[1:25, 1:26])[24:30]
    array([1, 2, 3, 3, 4, 5])
    """
    distinct, places = np.unique(days, return_inverse=True)
    if len(distinct) < 2 or len(distinct) == len(days):
        return numbers
    first = int(numbers.min())
    counts = np.zeros(len(distinct), np.int64)  # of slots of each day
    np.maximum.at(counts, places, numbers - first + 1)
    slots_of_day = int(np.median(counts))
    per_hour = _SLOTS_OF_HOUR.get(slots_of_day)
    if per_hour is None:
        return numbers
    is_sunday = clock_change(micros_of(distinct) + 2 * HOUR) > 0
    shift_D = np.where(is_sunday, slots_of_day - counts, 0)
    shift_D[np.abs(shift_D) != per_hour] = 0
    if not shift_D.any():
        return numbers
    shift = shift_D[places]
    is_after = numbers - first >= _changed(days, shift, per_hour)
    return numbers + np.where(is_after, shift, 0)


def times_across(dates: ndarray, minutes: ndarray, is_filled: ndarray) -> ndarray:
    """The times of cells (R, P) in rows of days (R,) and columns of slots, named by the minutes
    (P,) at which they begin; NaT for an hour that a day does not have.

    is_filled (R, P): which cells are not empty.
    """
    length = minutes[1] - minutes[0]
    slots_RP = np.broadcast_to(minutes // length, is_filled.shape)
    days_RP = np.broadcast_to(dates[:, None], is_filled.shape)
    shown_RP = slots_RP.copy()
    shown_RP[is_filled] = as_clocks_show(days_RP[is_filled], slots_RP[is_filled])
    times_RP = days_RP + (shown_RP * length).astype("timedelta64[m]")
    has_change_R = (shown_RP != slots_RP).any(axis=1)
    is_beyond = ~is_filled & (has_change_R[:, None] | (minutes >= _DAY_MINUTES))
    times_RP[is_beyond] = np.datetime64("NaT")
    return times_RP


def _changed(days: ndarray, shift: ndarray, per_hour: int) -> ndarray:
    """The first slot after the change of clocks on each of the days (N,)."""
    month = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    at_one = (month == 11) | (per_hour == _HALF_HOURS)
    hours = np.where(at_one, 1, 2)
    hours = hours + (shift < 0)  # the hour that comes twice
    return hours * per_hour
