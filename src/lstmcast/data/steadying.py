"""Move times that are nearly on a grid onto it: inexact clocks, and business days moved by
holidays."""

# S series · N rows

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.findings import Finding
from lstmcast.data.table import Table, format_time
from lstmcast.data.times.anchors import HOLIDAYS
from lstmcast.data.times.calendars import DAY, HOUR, MINUTE, SECOND, micros_of, times_of
from lstmcast.data.times.frequency import Frequency
from lstmcast.util.text import are, in_number

_ROUND = np.array(
    [
        *(seconds * SECOND for seconds in (1, 2, 5, 10, 15, 20, 30)),
        *(minutes * MINUTE for minutes in (1, 2, 3, 5, 6, 10, 12, 15, 20, 30)),
        *(hours * HOUR for hours in (1, 2, 3, 4, 6, 8, 12, 24)),
    ]
)  # common round steps
_LATE = 0.02  # largest share of a step by which a clock may be early or late
_FEWEST = 10  # smallest number of rows to decide
# share of rows off the grid above which the clock is inexact, not single times wrong
_SOME = 0.2


def steadied(table: Table) -> tuple[Table, list[Finding]]:
    """Move times within a few percent of a step from a grid of round steps onto that grid.

    Other tables are returned unchanged. table: sorted, without repeats.

    >>> late = np.arange(12) * 600 + np.arange(12) % 3 - 1  # every 10 minutes, by a second
    >>> times = np.datetime64("2024-01-01T00:00", "us") + late * np.timedelta64(1, "s")
    >>> ids, values = np.array(["y"], object), np.arange(12.0)
    >>> table, found = steadied(Table(np.zeros(12, int), ids, times, values, np.arange(12)))
    >>> print(table.times[0], found[0].message)
    2024-01-01T00:00:00.000000 times are up to 1 s off a grid of 10 minutes
    """
    if table.times.dtype.kind != "M" or len(table) < _FEWEST:
        return table, []
    micros = micros_of(table.times)
    same_series = table.series[1:] == table.series[:-1]
    distances = np.diff(micros)[same_series]
    step = _round_step(distances)
    if step is None or not np.any(distances % step):
        return table, []
    off = _off(micros, step)
    farthest = int(np.abs(off).max())
    on_grid = micros - off
    repeats = np.any(same_series & (np.diff(on_grid) <= 0))
    if farthest > _LATE * step or repeats or np.mean(off != 0) < _SOME:
        return table, []
    message = f"times are up to {_length(farthest)} off a grid of {_length(step)}"
    action = "They are rounded to it."
    note = Finding("uneven times", "note", message, action, count=len(table))
    return replace(table, times=times_of(on_grid)), [note]


def _round_step(distances: ndarray) -> int | None:
    """The round step close to most distances between rows."""
    if not len(distances):
        return None
    median = float(np.median(distances))
    nearest_place = np.argmin(np.abs(_ROUND - median))
    nearest = int(_ROUND[nearest_place])
    return nearest if abs(nearest - median) <= _LATE * nearest else None


def _off(micros: ndarray, step: int) -> ndarray:
    """Distance of times from full steps of the clock, or from steps with their own phase."""
    off = _distance_from_steps(micros, step)
    if np.abs(off).max() <= _LATE * step:
        return off
    # the mean phase, as the angle of a circle that has the length of a step
    after_step = micros % step
    points = np.exp(2j * np.pi * after_step / step)
    angle = np.angle(points.mean())
    phase_seconds = round(angle / (2 * np.pi) * step / SECOND)
    return _distance_from_steps(micros - phase_seconds * SECOND, step)


def _distance_from_steps(micros: ndarray, step: int) -> ndarray:
    half = step // 2
    return (micros + half) % step - half


def on_business_days(table: Table, frequency: Frequency) -> tuple[Table, list[Finding]]:
    """Move first or last business days that a holiday shifted to the edge of their month."""
    if not frequency.anchor.startswith("business"):
        return table, []
    expected = frequency.advance(table.times, np.zeros(len(table), np.int64))
    moved_rows = np.flatnonzero(expected != table.times)
    distances = np.abs(micros_of(expected) - micros_of(table.times))
    if not len(moved_rows) or not (distances <= HOLIDAYS * DAY).all():
        return table, []
    first = moved_rows[0]
    message = (
        f"{len(moved_rows):,} of {len(table):,} times {are(len(moved_rows))} not the "
        f"{frequency.anchor[9:12]} business day of their month, the first "
        f"{format_time(table.times[first])} ({table.place(first)})"
    )
    action = in_number(
        "{They} {are} treated as such, since holidays move it.", len(moved_rows)
    )
    note = Finding("moved by holidays", "note", message, action, count=len(moved_rows))
    return replace(table, times=expected), [note]


def _length(micros: int) -> str:
    """A length of time in its longest whole unit."""
    for unit, length in (("days", DAY), ("hours", HOUR), ("minutes", MINUTE)):
        if micros >= length and micros % length == 0:
            count = micros // length
            return f"{count} {unit if count > 1 else unit[:-1]}"
    return f"{micros / SECOND:g} s"
