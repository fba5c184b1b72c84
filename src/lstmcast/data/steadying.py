"""Times that are nearly on a grid, brought onto it: clocks that run a few seconds late, last
business days of a month that a holiday moves."""

# S series · N rows

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.anchors import HOLIDAYS
from lstmcast.data.calendars import DAY, HOUR, MINUTE, SECOND, micros_of, times_of
from lstmcast.data.findings import Finding
from lstmcast.data.frequency import Frequency
from lstmcast.data.table import Table, format_time
from lstmcast.util.text import are, in_number

_ROUND = np.array(
    [
        *(seconds * SECOND for seconds in (1, 2, 5, 10, 15, 20, 30)),
        *(minutes * MINUTE for minutes in (1, 2, 3, 5, 6, 10, 12, 15, 20, 30)),
        *(hours * HOUR for hours in (1, 2, 3, 4, 6, 8, 12, 24)),
    ]
)  # steps that people choose
_LATE = 0.02  # of a step: by so much a clock may be early or late, and no more
_FEWEST = 10  # rows that tell
_SOME = 0.2  # share of rows off the grid from which it is the clock, and no single wrong time


def steadied(table: Table) -> tuple[Table, list[Finding]]:
    """A table whose times are all within a few percent of a step from a grid of round steps, on
    that grid; any other as it is. table: sorted, no repeats.

    >>> late = np.arange(12) * 600 + np.arange(12) % 3 - 1  # every 10 minutes, by a second
    >>> times = np.datetime64("2024-01-01T00:00", "us") + late * np.timedelta64(1, "s")
    >>> ids, values = np.array(["y"], object), np.arange(12.0)
    >>> table, found = steadied(Table(np.zeros(12, int), ids, times, values, np.arange(12)))
    >>> print(table.times[0], found[0].message)
    2024-01-01T00:00:00.000000 times are up to 1 s off a grid of 10 minutes
    """
    if table.times.dtype.kind != "M" or len(table) < _FEWEST:
        return table, []
    micros, same = micros_of(table.times), table.series[1:] == table.series[:-1]
    apart = np.diff(micros)[same]
    step = _round_step(apart)
    if step is None or not np.any(apart % step):
        return table, []
    off = _off(micros, step)
    on_grid = micros - off
    repeats = np.any(same & (np.diff(on_grid) <= 0))
    if np.abs(off).max() > _LATE * step or repeats or np.mean(off != 0) < _SOME:
        return table, []
    worst = int(np.abs(off).max())
    message = f"times are up to {_length(worst)} off a grid of {_length(step)}"
    notes = Finding("uneven times", "note", message, "They are rounded to it.", count=len(table))
    return replace(table, times=times_of(on_grid)), [notes]


def _round_step(apart: ndarray) -> int | None:
    """The round step that most distances between rows are close to."""
    if not len(apart):
        return None
    usual = float(np.median(apart))
    nearest = int(_ROUND[np.argmin(np.abs(_ROUND - usual))])
    return nearest if abs(nearest - usual) <= _LATE * nearest else None


def _off(micros: ndarray, step: int) -> ndarray:
    """How far times are from full steps of the clock, else from steps of their own phase."""
    off = (micros + step // 2) % step - step // 2
    if np.abs(off).max() <= _LATE * step:
        return off
    angle = np.angle(np.exp(2j * np.pi * (micros % step) / step).mean())
    phase = round(angle / (2 * np.pi) * step / SECOND) * SECOND
    return (micros - phase + step // 2) % step - step // 2


def on_business_days(table: Table, frequency: Frequency) -> tuple[Table, list[Finding]]:
    """Times of first or last business days that a holiday moved, on the day next to the edge of
    their month."""
    if not frequency.anchor.startswith("business"):
        return table, []
    expected = frequency.advance(table.times, np.zeros(len(table), np.int64))
    moved = np.flatnonzero(expected != table.times)
    near = np.abs(micros_of(expected) - micros_of(table.times)) <= HOLIDAYS * DAY
    if not len(moved) or not near.all():
        return table, []
    first = moved[0]
    message = (
        f"{len(moved):,} of {len(table):,} times {are(len(moved))} not the "
        f"{frequency.anchor[9:12]} business day of their month, the first "
        f"{format_time(table.times[first])} ({table.place(first)})"
    )
    action = in_number("{They} {are} counted as it, as holidays move it.", len(moved))
    notes = Finding("moved by holidays", "note", message, action, count=len(moved))
    return replace(table, times=expected), [notes]


def _length(micros: int) -> str:
    """A length of time in its longest whole unit."""
    for unit, length in (("days", DAY), ("hours", HOUR), ("minutes", MINUTE)):
        if micros >= length and micros % length == 0:
            count = micros // length
            return f"{count} {unit if count > 1 else unit[:-1]}"
    return f"{micros / SECOND:g} s"
