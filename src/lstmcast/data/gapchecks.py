"""Rules about missing times of a grid: gaps, skipped hours, and single events."""

# S series · N rows or observations of all series

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.findings import (
    GAPS,
    Case,
    Finding,
    Severity,
    per_series,
)
from lstmcast.data.frequencychecks import advised_periods, looks_like, table_offsets
from lstmcast.data.ragged import offsets_of
from lstmcast.data.table import ReadOptions, Table, format_time
from lstmcast.data.times.calendars import (
    CLOCK_CHANGES,
    HOUR,
    clock_change,
    micros_of,
)
from lstmcast.data.times.frequency import Frequency

_SPARSE = 4  # ratio of missing times to rows above which rows look like single events
_MANY_ABSENT = 0.1  # ratio of missing times to rows above which they may mean zeros
_OFTEN_ABSENT = 0.5  # the same of amounts, which may be measurements
_FAR = 2  # ratio of their quartiles, at least
_CHANCE = 0.05  # probability of gaps at a clock change by chance
# size of a grid that is filled without asking, however sparse the rows
_MOST_CELLS = 10_000_000


def gaps(
    table: Table,
    positions: ndarray,
    frequency: Frequency,
    options: ReadOptions,
    occurs: ndarray | None = None,
) -> list[Finding]:
    """Times of the grid without a row; hours skipped by daylight saving time are named separately.

    occurs: whether each time of all grids (N,) is expected to have a row; None for all.
    """
    same_series = table.series[1:] == table.series[:-1]
    absent = np.where(same_series, np.diff(positions) - 1, 0)
    is_skipped_hour = _skipped_hours(table, absent, frequency)
    missed = _Absent.of(table, positions, occurs)
    rows = np.flatnonzero((missed.steps > 0) & ~is_skipped_hour)
    findings = _gap_findings(table, missed, rows, frequency, options)
    skipped = np.flatnonzero(is_skipped_hour)
    if len(skipped):
        findings.append(_skipped_note(table, skipped, frequency, options))
    return findings


def _skipped_note(
    table: Table, skipped: ndarray, frequency: Frequency, options: ReadOptions
) -> Finding:
    """The finding about hours that are missing because clocks are set forward."""
    row = int(skipped[0])
    first = format_time(frequency.advance(table.times[row], 1))
    hours = "1 hour" if len(skipped) == 1 else f"{len(skipped):,} hours"
    message = (
        f"{hours} missing because clocks are set forward (daylight saving time), "
        f"first {first}"
    )
    verb = "It is" if len(skipped) == 1 else "They are"
    action = f"{verb} {_FILLINGS[options.missing]}."
    return Finding(
        "daylight-saving step",
        "note",
        message,
        action,
        line=int(table.lines[row]),
        value=first,
        count=len(skipped),
    )


def _skipped_hours(table: Table, absent: ndarray, frequency: Frequency) -> ndarray:
    """The gaps of one hour where clocks are set forward, unless they are there by chance."""
    no_gap = np.zeros(len(absent), dtype=bool)
    if frequency.unit not in ("hour", "minute", "second"):
        return no_gap
    micros = micros_of(table.times)
    epoch = np.datetime64(0, "us")
    step = micros_of(frequency.advance(epoch, 1))
    hour_long = (absent > 0) & (np.diff(micros) == step + HOUR)
    if not hour_long.any():
        return no_gap
    change = clock_change(micros[:-1] + step)
    is_candidate = hour_long & (change > 0)
    counts = np.bincount(change[is_candidate], minlength=2)
    # a time zone changes its clocks in one week, at one hour
    at_change = change == np.argmax(counts)
    if not counts.any() or _by_chance(hour_long, at_change):
        return no_gap
    return hour_long & at_change


def _by_chance(hour_long: ndarray, at_change: ndarray) -> bool:
    """Whether this many one-hour gaps may fall on clock changes by chance.

    Their expected number at usual clock changes follows from the rate of such gaps at other times.
    """
    trials = np.count_nonzero(at_change)
    hits = np.count_nonzero(hour_long & at_change)
    elsewhere = np.count_nonzero(hour_long & ~at_change)
    usual_rate = elsewhere / max(len(at_change) - trials, 1)
    if usual_rate == 0:
        return False
    misses = trials - hits
    log_ways = math.lgamma(trials + 1) - math.lgamma(hits + 1) - math.lgamma(misses + 1)
    log_chance = log_ways + hits * math.log(usual_rate)
    return math.log(CLOCK_CHANGES) + log_chance > math.log(_CHANCE)


class _Absent(NamedTuple):
    """Missing times after each row but the last (N − 1,).

    steps: their number · first_steps, last_steps: distance of the outer ones to the row before and
        the row after · totals (S,): number of times of each series.
    """

    steps: ndarray
    first_steps: ndarray
    last_steps: ndarray
    totals: ndarray

    @classmethod
    def of(cls, table: Table, positions: ndarray, occurs: ndarray | None) -> _Absent:
        """Find the missing times of a table; occurs: whether each time of all grids is expected."""
        offsets = table_offsets(table)
        totals = positions[offsets[1:] - 1] + 1
        same_series = table.series[1:] == table.series[:-1]
        if occurs is None or occurs.all():
            steps = np.where(same_series, np.diff(positions) - 1, 0)
            ones = np.ones(len(steps), np.int64)
            return cls(steps, ones, ones, totals)
        grid = offsets_of(totals)
        cells = grid[:-1][table.series] + positions
        # number of expected times before each cell, and the cell of each
        count_before = np.r_[0, np.cumsum(occurs)]
        expected_cells = np.r_[np.flatnonzero(occurs), len(occurs)]
        begins = count_before[cells[:-1] + 1]
        ends = count_before[cells[1:]]
        first_cells = expected_cells[begins]
        last_cells = expected_cells[np.maximum(ends - 1, 0)]
        return cls(
            steps=np.where(same_series, ends - begins, 0),
            first_steps=first_cells - cells[:-1],
            last_steps=cells[1:] - last_cells,
            totals=np.diff(count_before[grid]),
        )


def _gap_findings(
    table: Table,
    missed: _Absent,
    rows: ndarray,
    frequency: Frequency,
    options: ReadOptions,
) -> list[Finding]:
    def say(rows: ndarray) -> Case:
        absent = missed.steps[rows]
        longest = rows[np.argmax(absent)]
        total = missed.totals[table.series[longest]]
        first_steps, last_steps = (
            missed.first_steps[longest],
            missed.last_steps[longest],
        )
        time_before, time_after = table.times[longest : longest + 2]
        begin = format_time(frequency.advance(time_before, first_steps))
        end = format_time(frequency.advance(time_after, -last_steps))
        count = int(absent.sum())
        if count == 1:
            message = f"1 of {total:,} times has no row: {begin}"
        else:
            gap = f"is {begin}" if begin == end else f"is from {begin} to {end}"
            message = f"{count:,} of {total:,} times have no row: the longest gap {gap}"
        message += f" (after {table.place(longest)})"
        return Case(message, int(table.lines[longest]), begin, count)

    absent_count = int(missed.steps[rows].sum())
    severity: Severity = "error" if options.gaps == "error" else "warning"
    action = _gaps_action(table, absent_count, frequency, options)
    rule = Finding(GAPS, severity, "", action)
    return per_series(table.ids, table.series[:-1], rows, rule, say)


_FILLINGS = {"mask": "masked", "interpolate": "interpolated"}


def _gaps_action(
    table: Table, absent_count: int, frequency: Frequency, options: ReadOptions
) -> str:
    """The action taken or advised for missing rows."""
    if options.gaps == "error":
        action = f"Add the rows, or use {advise('gaps', 'fill')}."
    else:
        filling = _FILLINGS[options.missing]
        action = f"They become missing values and are {filling}."
        if absent_count == 1:
            action = f"It becomes a missing value and is {filling}."
        action += _zeros_hint(table, absent_count)
    is_date = table.times.dtype.kind == "M"
    if options.frequency is not None and absent_count > len(table):
        return looks_like(table, frequency) + action
    if is_date and absent_count > _SPARSE * len(table):
        advice = advised_periods(table)
        action += f" If these are single events, {advice[:1].lower()}{advice[1:]}"
    return action


def _zeros_hint(table: Table, absent_count: int) -> str:
    """Advice to count missing rows as 0, if rows look like counts of events."""
    values = table.values[np.isfinite(table.values)]
    if not len(values) or absent_count < _MANY_ABSENT * len(table):
        return ""
    are_counts = values.min() >= 1 and (values == np.rint(values)).all()
    if not are_counts and not _are_amounts(values, absent_count / len(table)):
        return ""
    return (
        f" If a missing row means that nothing happened, use {advise('gaps', 'zero')}."
    )


def _are_amounts(values: ndarray, absent_share: float) -> bool:
    """Whether values look like sums of what happened, such as donations or rain: above 0, far from
    each other, and absent often."""
    if values.min() <= 0 or absent_share < _OFTEN_ABSENT:
        return False
    lower, upper = np.quantile(values, [0.25, 0.75])
    return bool(upper >= _FAR * lower)


def too_sparse(table: Table, cells: int, frequency: Frequency) -> list[Finding]:
    """The error for a grid with so few rows that a wrong date or frequency is more likely."""
    if cells <= max(_MOST_CELLS, 20 * len(table)):
        return []
    steps = np.diff(table.times.astype(np.int64))
    same_series = table.series[1:] == table.series[:-1]
    steps[~same_series] = 0
    row = int(np.argmax(steps))
    gap_begin = format_time(table.times[row])
    gap_end = format_time(table.times[row + 1])
    message = (
        f"a {frequency.name} grid would have {cells:,} times for {len(table):,} rows; the largest "
        f"gap is from {gap_begin} ({table.place(row)}) to {gap_end} ({table.place(row + 1)})"
    )
    action = "Correct a wrong date there, or use a longer frequency with --aggregate."
    line = int(table.lines[row + 1])
    return [Finding(GAPS, "error", message, action, None, line, gap_end, cells)]
