"""Midnights of a zone whose clocks change, written in UTC (22:00 and 23:00): read as its days."""

# N rows

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.findings import Finding
from lstmcast.data.table import Table
from lstmcast.data.tablerows import in_order
from lstmcast.data.times.calendars import DAY, HOUR, micros_of, times_of
from lstmcast.data.times.zones import same_zone

_MONTHS_OF_CHANGES = (3, 4, 9, 10, 11)
_MOST_CHANGES = 3  # of each year
_FIRST = 50  # rows


def on_local_days(table: Table) -> Table:
    """The table with days in place of times that are midnights elsewhere; others as they are.

    They are told by two clock times an hour apart, which take turns in spring and autumn.
    """
    is_utc = table.time_zone is None or same_zone(table.time_zone, "UTC")
    if not is_utc or table.times.dtype.kind != "M" or len(table) < 3:
        return table
    # most tables are told by their first rows
    may_be = _two_hours(micros_of(table.times[:_FIRST]), fewest=1) is not None
    hours = _two_hours(micros_of(table.times)) if may_be else None
    if hours is None or not _change_by_season(in_order(table), hours):
        return table
    days = _days(micros_of(table.times))
    clock = " and ".join(f"{hour:02d}:00" for hour in sorted(hours))
    message = (
        f"times are midnights of a zone whose clocks change ({clock} in UTC): "
        "read as its days"
    )
    note = Finding("time zone", "note", message)
    return replace(
        table,
        times=times_of(days),
        time_zone=None,
        frame_zone=None,
        dropped=(*table.dropped, note),
    )


def _two_hours(micros: ndarray, fewest: int = 2) -> tuple[int, int] | None:
    """The earlier and the later of two full hours that follow each other, if times have just
    these; neither is midnight itself. fewest: 1 lets one be enough."""
    clocks = np.unique(micros % DAY)
    if not fewest <= len(clocks) <= 2 or (clocks % HOUR).any() or not clocks[0]:
        return None
    earliest, latest = int(clocks[0] // HOUR), int(clocks[-1] // HOUR)
    are_next = latest - earliest == len(clocks) - 1
    return (earliest, latest) if are_next else None


def _change_by_season(table: Table, hours: tuple[int, int]) -> bool:
    """Whether the hours take turns when clocks change, of days or longer periods of a series."""
    micros = micros_of(table.times)
    is_same = table.series[1:] == table.series[:-1]
    if (np.diff(micros)[is_same] < DAY - HOUR).any():
        return False
    is_summer = micros % DAY == hours[0] * HOUR
    changes = np.flatnonzero(is_same & (is_summer[1:] != is_summer[:-1]))
    months = table.times.astype("datetime64[M]").astype(np.int64) % 12 + 1
    months_around = np.stack([months[changes], months[changes + 1]])
    in_season = np.isin(months_around, _MONTHS_OF_CHANGES).any(axis=0)
    span = micros.max() - micros.min()
    series_count = len(table.ids)
    most = _MOST_CHANGES * series_count * (1 + span / (365 * DAY))
    return 0 < len(changes) <= most and bool(in_season.all())


def _days(micros: ndarray) -> ndarray:
    """The local midnights: the next one east of Greenwich, where they come before UTC's."""
    is_east = (micros % DAY).max() >= DAY // 2
    days = micros // DAY
    return (days + 1) * DAY if is_east else days * DAY
