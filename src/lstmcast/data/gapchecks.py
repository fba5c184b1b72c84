"""Rules about times of a grid without a row: gaps, skipped hours, rows that are single events."""

# S series · N rows or observations of all series

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.calendars import (
    CLOCK_CHANGES,
    HOUR,
    clock_change,
    micros_of,
)
from lstmcast.data.findings import (
    GAPS,
    Case,
    Finding,
    Severity,
    advise,
    per_series,
)
from lstmcast.data.frequency import Frequency
from lstmcast.data.frequencychecks import advised_periods, looks_like, table_offsets
from lstmcast.data.ragged import offsets_of
from lstmcast.data.table import ReadOptions, Table, format_time

_SPARSE = 4  # times without a row for each with one, from which rows look like single events
_MANY_ABSENT = 0.1  # times without a row for each with one, from which they may well mean zeros
_CHANCE = 0.05  # of gaps at a change of clocks that are no consequence of it
_MOST_CELLS = 10_000_000  # of a grid that is filled without asking, however thinly it is occupied


def gaps(
    table: Table,
    positions: ndarray,
    frequency: Frequency,
    options: ReadOptions,
    occurs: ndarray | None = None,
) -> list[Finding]:
    """Times of the grid without a row; the hour that daylight saving skips is named apart.

    occurs: which times of all grids (N,) are expected to have one; all for None.
    """
    inside = table.series[1:] == table.series[:-1]
    absent = np.where(inside, np.diff(positions) - 1, 0)
    clock = _skipped_hours(table, absent, frequency)
    missed = _Absent.of(table, positions, occurs)
    rows = np.flatnonzero((missed.steps > 0) & ~clock)
    findings = _gap_findings(table, missed, rows, frequency, options)
    skipped = np.flatnonzero(clock)
    if len(skipped):
        first = format_time(frequency.advance(table.times[skipped[0]], 1))
        message = (
            f"{len(skipped):,} hour{'s' * (len(skipped) > 1)} missing where clocks are put forward "
            f"(daylight saving), first {first}"
        )
        action = "It is " * (len(skipped) == 1) + "They are " * (len(skipped) > 1)
        action += "masked." if options.missing == "mask" else "interpolated."
        line = int(table.lines[skipped[0]])
        findings.append(
            Finding(
                "daylight-saving step", "note", message, action, None, line, first, len(skipped)
            )
        )
    return findings


def _skipped_hours(table: Table, absent: ndarray, frequency: Frequency) -> ndarray:
    """Which gaps are one hour long and lie where clocks are put forward, if those are no chance."""
    if frequency.unit not in ("hour", "minute", "second"):
        return np.zeros(len(absent), dtype=bool)
    micros = micros_of(table.times)
    step = micros_of(frequency.advance(np.datetime64(0, "us"), 1))
    hour_long = (absent > 0) & (np.diff(micros) == step + HOUR)
    possible = clock_change(micros[:-1] + step)
    counts = np.bincount(possible[hour_long & (possible > 0)], minlength=2)
    # a zone changes in one week, at one hour
    at_change = possible == np.argmax(counts)
    if not counts.any() or _by_chance(hour_long, at_change):
        return np.zeros(len(absent), dtype=bool)
    return hour_long & at_change


def _by_chance(hour_long: ndarray, at_change: ndarray) -> bool:
    """Whether so many gaps of an hour may lie at a change of clocks by chance: where many hours are
    missing, some of them do.

    That is so where at one of all usual changes as many are expected, as often as such gaps come at
    other times.
    """
    tried, found = np.count_nonzero(at_change), np.count_nonzero(hour_long & at_change)
    usual = np.count_nonzero(hour_long & ~at_change) / max(len(at_change) - tried, 1)
    if usual == 0:
        return False
    ways = math.lgamma(tried + 1) - math.lgamma(found + 1) - math.lgamma(tried - found + 1)
    return math.log(CLOCK_CHANGES) + ways + found * math.log(usual) > math.log(_CHANCE)


class _Absent(NamedTuple):
    """Times that should have a row and have none, after each row but the last, (N − 1,).

    steps: how many · first, last: how many steps after the row and before the next one the outer
    ones are · totals (S,): how many times each series has in all.
    """

    steps: ndarray
    first: ndarray
    last: ndarray
    totals: ndarray

    @classmethod
    def of(cls, table: Table, positions: ndarray, occurs: ndarray | None) -> _Absent:
        """Between the rows of a table; occurs: which times of all grids are expected to have
        one."""
        offsets = table_offsets(table)
        same = table.series[1:] == table.series[:-1]
        apart, totals = np.diff(positions), positions[offsets[1:] - 1] + 1
        if occurs is None or occurs.all():
            one = np.ones(len(apart), np.int64)
            return cls(np.where(same, apart - 1, 0), one, one, totals)
        grid, here = offsets_of(totals), np.flatnonzero(occurs)
        cells = grid[:-1][table.series] + positions
        # how many expected times lie before each cell, and which one follows
        before = np.r_[0, np.cumsum(occurs)]
        after, until = before[cells[:-1] + 1], before[cells[1:]]
        padded = np.r_[here, len(occurs)]
        first, last = padded[after] - cells[:-1], cells[1:] - padded[np.maximum(until - 1, 0)]
        return cls(np.where(same, until - after, 0), first, last, np.diff(before[grid]))


def _gap_findings(
    table: Table, missed: _Absent, rows: ndarray, frequency: Frequency, options: ReadOptions
) -> list[Finding]:
    severity: Severity = "error" if options.gaps == "error" else "warning"
    absent, totals = missed.steps, missed.totals
    filled = "They become missing values and are " + (
        "masked." if options.missing == "mask" else "interpolated."
    )
    add = f"Add the rows, or use {advise('gaps', 'fill')}."
    action = add if options.gaps == "error" else filled + _zeros_hint(table, absent, rows)

    def say(rows: ndarray) -> Case:
        count, longest = int(absent[rows].sum()), rows[np.argmax(absent[rows])]
        begin = format_time(frequency.advance(table.times[longest], missed.first[longest]))
        end = format_time(frequency.advance(table.times[longest + 1], -missed.last[longest]))
        gap = f"is {begin}" if begin == end else f"is from {begin} to {end}"
        verb, where = ("has", begin) if count == 1 else ("have", f"the longest gap {gap}")
        message = f"{count:,} of {totals[table.series[longest]]:,} times {verb} no row: {where}"
        message += f" (after {table.place(longest)})"
        return Case(message, int(table.lines[longest]), begin, count)

    if options.frequency is not None and absent[rows].sum() > len(table):
        action = looks_like(table, frequency) + action
    elif table.times.dtype.kind == "M" and absent[rows].sum() > _SPARSE * len(table):
        action += f" Single events? {advised_periods(table)}"
    return per_series(table.ids, table.series[:-1], rows, Finding(GAPS, severity, "", action), say)


def _zeros_hint(table: Table, absent: ndarray, rows: ndarray) -> str:
    """How to count absent rows as 0, where rows look like counts of what happened."""
    known = table.values[np.isfinite(table.values)]
    counts = bool(len(known)) and known.min() >= 1 and bool((known == np.rint(known)).all())
    if not counts or absent[rows].sum() < _MANY_ABSENT * len(table):
        return ""
    return f" If no row means that nothing happened, use {advise('gaps', 'zero')}."


def too_sparse(table: Table, cells: int, frequency: Frequency) -> list[Finding]:
    """A grid of so many times (cells) for so few rows that a wrong date or frequency is the
    likelier reason."""
    if cells <= max(_MOST_CELLS, 20 * len(table)):
        return []
    times = table.times.astype(np.int64)
    jumps = np.where(table.series[1:] == table.series[:-1], np.diff(times), 0)
    row = int(np.argmax(jumps))
    before, after = format_time(table.times[row]), format_time(table.times[row + 1])
    message = (
        f"a grid that is {frequency.name} would have {cells:,} times for {len(table):,} rows; the "
        f"largest gap is from {before} ({table.place(row)}) to {after} ({table.place(row + 1)})"
    )
    action = "Correct a wrong date there, or give a longer frequency with --aggregate."
    return [Finding(GAPS, "error", message, action, None, int(table.lines[row + 1]), after, cells)]
