"""Conversion of local times between time zones."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy import ndarray

from lstmcast.data.times.frequency import Frequency
from lstmcast.util.patterns import pattern_of

_OFFSET = pattern_of(r"(?:UTC|GMT)?([+-])(\d\d):?(\d\d)")
_NO_OFFSET = ("UTC", "GMT", "Z", "Etc/UTC")


def converted(times: ndarray, zone: str, to: str) -> ndarray | None:
    """Convert local times (N,) of a zone to another; None if one of them is unknown here.

    >>> times = np.array(["2024-01-01T15:00"], "datetime64[us]")
    >>> converted(times, "UTC", "UTC+09:00").astype("datetime64[h]").tolist()
    [datetime.datetime(2024, 1, 2, 0, 0)]
    """
    source_zone = zone_of(zone)
    target_zone = zone_of(to)
    if source_zone is None or target_zone is None:
        return None
    if isinstance(source_zone, datetime.timezone) and isinstance(
        target_zone, datetime.timezone
    ):
        shift = target_zone.utcoffset(None) - source_zone.utcoffset(None)
        return times + np.timedelta64(shift, "us")
    distinct, places = np.unique(times, return_inverse=True)
    converted_times = []
    for time in distinct.tolist():
        converted_time = time.replace(tzinfo=source_zone).astimezone(target_zone)
        converted_times.append(converted_time.replace(tzinfo=None))
    return np.array(converted_times, "datetime64[us]")[places]


def instants(times: ndarray, zone: str) -> ndarray | None:
    """Convert local times of a zone, of any shape, to UTC; None if the zone is unknown here.

    An ambiguous time, when clocks are set back, is the earlier one. A skipped time, when clocks are
    set forward, uses the offset before the change: 02:30 becomes 03:30.

    >>> clock = np.array(["2024-03-31T02:30", "2024-10-27T02:30"], "datetime64[m]")
    >>> print(instants(clock, "Europe/Berlin"))
    ['2024-03-31T01:30:00.000000' '2024-10-27T00:30:00.000000']
    """
    utc_times = converted(times.ravel(), zone, "UTC")
    return None if utc_times is None else utc_times.reshape(times.shape)


def same_zone(first: str, second: str) -> bool:
    """Whether two names mean the same zone.

    >>> same_zone("UTC", "+00:00"), same_zone("UTC+09:00", "UTC")
    (True, False)
    """
    if first == second:
        return True
    zone = zone_of(first)
    return zone is not None and zone == zone_of(second)


def on_midnights(times: ndarray, frequency: Frequency) -> bool:
    """Whether times are days or longer periods, which start at midnight, so that the zone is
    irrelevant.

    The offset of such times changes with daylight saving, and the days do not.
    """
    if frequency.unit in ("integer", "hour", "minute", "second"):
        return False
    midnights = times.astype("datetime64[D]")
    return bool((times == midnights).all())


def zone_of(name: str) -> datetime.tzinfo | None:
    """A time zone by its name or offset from UTC; None if it is unknown here."""
    if name in _NO_OFFSET:
        return datetime.UTC
    if match := _OFFSET.fullmatch(name):
        sign, hours, minutes = match.groups()
        offset = datetime.timedelta(hours=int(hours), minutes=int(minutes))
        if sign == "-":
            offset = -offset
        return datetime.timezone(offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
