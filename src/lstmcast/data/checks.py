"""Rules about data as read: each is a small function that looks at a table and returns what it
noticed.

Rules change nothing; repairs.py does. A rule that finds the same in many series says it once, with
examples.
"""

# S series · N rows or observations of all series

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.calendars import (
    CLOCK_CHANGES,
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    WEEK,
    clock_change,
    micros_of,
)
from lstmcast.data.findings import (
    EXAMPLES,
    GAPS,
    MISSING_VALUES,
    NO_RECENT_VALUES,
    Case,
    Finding,
    Severity,
    advise,
    per_series,
)
from lstmcast.data.frequency import OFF_GRID, Frequency, parse_frequency
from lstmcast.data.frequency_inference import Inference, infer
from lstmcast.data.ragged import offsets_of
from lstmcast.data.table import ReadOptions, Table, format_time
from lstmcast.data.weekmonths import months_of_weeks

# periods people think in
_ROUND = {"s": SECOND, "min": MINUTE, "15min": 15 * MINUTE, "h": HOUR, "D": DAY, "W": WEEK}
_SPARSE = 4  # times without a row for each with one, from which rows look like single events
_MANY_ABSENT = 0.1  # times without a row for each with one, from which they may well mean zeros
# steps that a series may end before the others: reports come late, shops are closed at a weekend
_LATE = 3
_CHANCE = 0.05  # of gaps at a change of clocks that are no consequence of it
_MOST_CELLS = 10_000_000  # of a grid that is filled without asking, however thinly it is occupied


def empty(table: Table, options: ReadOptions) -> list[Finding]:
    """No row has both a time and a value, or fewer have than are of use: nothing can be learnt
    from them."""
    values = int(np.count_nonzero(np.isfinite(table.values)))
    if not len(table):
        return [
            Finding(
                "no rows", "error", "there are no rows of data", "At least three values are needed."
            )
        ]
    if not values:
        message = f"all {len(table):,} values of {table.columns.target!r} are missing"
        return [
            Finding(
                "no values", "error", message, "Is it the right target column?", count=len(table)
            )
        ]
    if values < options.fewest:
        known = "is only one value" if values == 1 else f"are only {values} values"
        message = f"there {known} of {table.columns.target!r}"
        action = (
            f"At least {options.fewest} are needed to continue a series, and a few seasonal cycles "
            "to continue it well. Give a longer history."
        )
        return [Finding("too few values", "error", message, action, count=values)]
    return []


def time_zone(table: Table) -> list[Finding]:
    """Times came with a time zone; they are kept without it."""
    if table.time_zone is None:
        return []
    message = f"the times carry the time zone {table.time_zone}"
    return [
        Finding(
            "time zone",
            "note",
            message,
            "They are used as clock times of that zone.",
            value=table.time_zone,
        )
    ]


def unsorted(table: Table) -> list[Finding]:
    """Rows of a series are not in order of time."""
    order = np.argsort(table.series, kind="stable")
    series, times = table.series[order], table.times[order]
    same = series[1:] == series[:-1]
    back = np.flatnonzero(same & (times[1:] < times[:-1])) + 1
    if not len(back):
        return []
    reverse = len(back) == np.count_nonzero(same)
    row = int(order[back[0]])
    message = (
        "the rows run from the newest to the oldest" if reverse else "rows are not in order of time"
    )
    message += "" if reverse else f", first at {format_time(table.times[row])} ({table.place(row)})"
    line = int(table.lines[row])
    return [
        Finding("unsorted rows", "note", message, "They are sorted.", line=line, count=len(back))
    ]


def infinite(table: Table) -> list[Finding]:
    """Infinite values are no measurements."""
    return _values_finding(
        table,
        np.flatnonzero(np.isinf(table.values)),
        Finding("infinite values", "warning", "", "They are treated as missing."),
        "{count} of {total} values are infinite, the first",
    )


def missing(table: Table, options: ReadOptions) -> list[Finding]:
    """Rows without a value."""
    filled = advise("missing", "interpolate")
    masked = f"They are masked: the forecast skips them. {filled} fills them in."
    action = (
        masked if options.missing == "mask" else "They are interpolated between their neighbours."
    )
    return _values_finding(
        table,
        np.flatnonzero(np.isnan(table.values)),
        Finding(MISSING_VALUES, "warning", "", action),
        "{count} of {total} values are missing, the first",
    )


def negative(table: Table, options: ReadOptions) -> list[Finding]:
    """Values below zero in a target that was declared not to have any."""
    if options.kind is None or options.kind == "real":
        return []
    return _values_finding(
        table,
        np.flatnonzero(table.values < 0),
        Finding("negative values", "error", "", f"Correct them, or use {advise('kind', 'real')}."),
        "{count} of {total} values are negative, but the target is declared "
        + options.kind
        + "; the first is {value}",
    )


def fractional(table: Table, options: ReadOptions) -> list[Finding]:
    """Values that are no whole numbers in a target declared a count."""
    if options.kind != "count":
        return []
    return _values_finding(
        table,
        np.flatnonzero(np.isfinite(table.values) & (table.values != np.rint(table.values))),
        Finding(
            "fractional counts", "error", "", f"Correct them, or use {advise('kind', 'positive')}."
        ),
        "{count} of {total} values are not whole, but the target is declared count; the first is "
        "{value}",
    )


def _values_finding(table: Table, rows: ndarray, rule: Finding, text: str) -> list[Finding]:
    """Findings about single values; text: the sentence up to the time of the first one."""
    totals = np.bincount(table.series, minlength=len(table.ids)) if len(rows) else np.zeros(0)

    def say(rows: ndarray) -> Case:
        first = rows[0]
        value = f"{table.values[first]:g}"
        filled = text.format(
            count=f"{len(rows):,}", total=f"{totals[table.series[first]]:,}", value=value
        )
        message = f"{filled} at {format_time(table.times[first])} ({table.place(first)})"
        return Case(message, int(table.lines[first]), value)

    return per_series(table.ids, table.series, rows, rule, say)


def duplicates(table: Table, options: ReadOptions) -> list[Finding]:
    """Several rows for one time. table: sorted."""
    repeated = (table.series[1:] == table.series[:-1]) & (table.times[1:] == table.times[:-1])
    rows = np.flatnonzero(repeated) + 1
    if not len(rows):
        return []
    severity: Severity = "error" if options.duplicates == "error" else "warning"
    hint = _duplicates_hint(table, rows)
    action = hint + _duplicates_action(options)

    def say(rows: ndarray) -> Case:
        first, time = rows[0], format_time(table.times[rows[0]])
        message = (
            f"there are two rows for {time} ({table.place(first - 1)} and {table.place(first)})"
        )
        times = len(np.unique(table.times[rows]))
        message += (
            f", and repeated rows for {times - 1:,} other time{'s' * (times > 2)}"
            if times > 1
            else ""
        )
        return Case(message, int(table.lines[first]), time)

    return per_series(
        table.ids, table.series, rows, Finding("duplicate times", severity, "", action), say
    )


def _duplicates_action(options: ReadOptions) -> str:
    if options.duplicates != "error":
        kept = {"mean": "Their mean is used", "sum": "They are added up"}
        return kept.get(options.duplicates, f"The {options.duplicates} of them is used") + "."
    return (
        "One value per series and time is expected. Several series in one file: name the column "
        "that tells them apart (--series NAME). Repeated measurements: "
        f"{advise('duplicates', 'mean')}, or sum, first or last. Single events or sales: "
        f"{advise('aggregate', 'sum')} with a frequency."
    )


def _duplicates_hint(table: Table, rows: ndarray) -> str:
    """What the repeats look like: the hour that comes twice when clocks are put back, or plain
    copies."""
    if table.times.dtype.kind == "M" and np.all(clock_change(micros_of(table.times[rows])) > 0):
        return (
            "They look like the hour that comes twice when the clocks are put back (daylight "
            "saving). "
        )
    same = (table.values[rows] == table.values[rows - 1]) | np.isnan(table.values[rows])
    return "The repeated rows all carry the same value. " if same.all() and len(rows) > 1 else ""


def edges(table: Table, kept: ndarray) -> list[Finding]:
    """Series without any value, and missing values before the first or after the last one.

    table: sorted; kept (N,) bool: the rows between the first and the last value of each series.
    """
    has_value = np.zeros(len(table.ids), dtype=bool)
    has_value[table.series[kept]] = True
    void, after = ~kept & ~has_value[table.series], _after_last(table, kept)
    before = ~kept & ~void & ~after

    def say(which: str) -> Callable[[ndarray], Case]:
        def case(rows: ndarray) -> Case:
            missing = "value is missing" if len(rows) == 1 else f"{len(rows):,} values are missing"
            return Case(f"{which} {missing}", int(table.lines[rows[0]]))

        return case

    # what does not change says what a series without any value is like
    action = "It is forecast like series with the same static columns."
    left_out = Finding("no values", "warning", "", "The series is left out.")
    if table.static:
        left_out = Finding("no values", "note", "", action)
    late = Finding(
        MISSING_VALUES, "note", "", "They are left out: the series begins with its first value."
    )
    old = Finding(
        NO_RECENT_VALUES,
        "warning",
        "",
        "They are left out: the forecast starts after the last value.",
    )
    return [
        *per_series(table.ids, table.series, np.flatnonzero(void), left_out, say("all")),
        *per_series(table.ids, table.series, np.flatnonzero(before), late, say("the first")),
        *per_series(table.ids, table.series, np.flatnonzero(after), old, say("the last")),
    ]


def _after_last(table: Table, kept: ndarray) -> ndarray:
    """Which rows come after the last value of their series (N,); none of a series without
    values."""
    last = np.full(len(table.ids), len(kept))
    last[table.series[kept]] = np.flatnonzero(kept)
    return np.arange(len(kept)) > last[table.series]


def stopped(table: Table, kept: ndarray, frequency: Frequency) -> list[Finding]:
    """Series that end well before others do, and have no rows there that would say so.

    table, kept: as for `edges`. Numbered steps that all begin alike only say how long series are.
    """
    rows = np.flatnonzero(kept)
    if not len(rows):
        return []
    codes, begins = np.unique(table.series[rows], return_index=True)
    last = rows[np.append(begins[1:], len(rows)) - 1]
    starts, ends = table.times[rows[begins]], table.times[last]
    if frequency.unit == "integer" and (starts == starts[0]).all():
        return []
    latest = ends.max()
    told = np.isin(codes, table.series[_after_last(table, kept)])
    early = np.flatnonzero((frequency.advance(ends, _LATE) < latest) & ~told)

    def say(series: ndarray) -> Case:
        end, row = format_time(ends[series[0]]), int(last[series[0]])
        message = (
            f"the last value is at {end} ({table.place(row)}), and other series go on until "
            f"{format_time(latest)}"
        )
        return Case(message, int(table.lines[row]))

    rule = Finding(NO_RECENT_VALUES, "warning", "", "The forecast starts after the last value.")
    return per_series(table.ids[codes], np.arange(len(codes)), early, rule, say)


def frequency_of(table: Table, options: ReadOptions) -> tuple[Frequency | None, list[Finding]]:
    """The frequency that is given or that the times show, and what speaks against it. table:
    sorted, no repeats."""
    is_date = table.times.dtype.kind == "M"
    if options.frequency is not None:
        given = parse_frequency(options.frequency)
        if is_date == (given.unit == "integer"):
            return None, [_unit_mismatch(given, is_date)]
        return given.anchored(table.times), []
    # asked first: of a single year most steps may be 4 weeks, or all of them weeks with gaps
    if is_date and (named := months_of_weeks(table.times)) is not None:
        return None, [_months_of_weeks(table, *named)]
    found = infer(table.times, table_offsets(table))
    if found.frequency is None:
        return None, [_untellable(table)]
    return found.frequency, _mixed(table, found)


def table_offsets(table: Table) -> ndarray:
    """Where each series begins in a sorted table: (S+1,)."""
    return offsets_of(np.bincount(table.series, minlength=len(table.ids)))


def _unit_mismatch(given: Frequency, is_date: bool) -> Finding:
    times, fitting = ("dates", "D or MS") if is_date else ("plain numbers", "integer")
    message = f"the frequency {given.code!r} does not fit times that are {times}"
    return Finding(
        "frequency",
        "error",
        message,
        f"Use for example {fitting}, or leave it out.",
        value=given.code,
    )


def _untellable(table: Table) -> Finding:
    same = table.series[1:] == table.series[:-1]
    if not same.any():
        message = "no series has two times, so that the frequency cannot be told"
        if len(table.ids) > 1:  # a frequency would make single values of them all
            action = (
                "Name the columns that tell the series apart (--series NAME), or give more rows."
            )
            return Finding("frequency", "error", message, action)
        return Finding(
            "frequency", "error", message, f"Give it, for example {advise('frequency', 'MS')}."
        )
    row = int(np.flatnonzero(same)[0]) + 1
    step = np.diff(micros_of(table.times))[row - 1] / SECOND
    message = f"times are not whole seconds apart ({step:g} s at {table.place(row)})"
    action = (
        f"Make periods of them: {advise('aggregate', 'mean')} with {advise('frequency', 's')}, or "
        "--time index."
    )
    return Finding("frequency", "error", message, action, line=int(table.lines[row]))


def _mixed(table: Table, found: Inference) -> list[Finding]:
    if found.frequency is None or not found.others:
        return []
    parts = []
    for other, series in found.others:
        names = ", ".join(repr(str(table.ids[code])) for code in series[:EXAMPLES]) + ", …" * (
            len(series) > EXAMPLES
        )
        parts.append(
            f"{len(series):,} {'is' if len(series) == 1 else 'are'} {other.name} ({names})"
        )
    message = f"most series are {found.frequency.name}, but {'; '.join(parts)}"
    action = (
        f"Forecast them apart, or bring all to one frequency: {advise('aggregate', 'sum')} with a "
        "frequency."
    )
    first, series = found.others[0]
    count = sum(len(series) for _, series in found.others)
    return [
        Finding(
            "mixed frequencies",
            "error",
            message,
            action,
            str(table.ids[series[0]]),
            None,
            first.code,
            count,
        )
    ]


def off_grid(table: Table, positions: ndarray, frequency: Frequency) -> list[Finding]:
    """Times that no number of steps from the series' start reaches."""
    rows = np.flatnonzero(positions == OFF_GRID)
    if not len(rows):
        return []
    if table.times.dtype.kind == "M" and (named := months_of_weeks(table.times)) is not None:
        return [_months_of_weeks(table, *named)]
    totals = np.bincount(table.series, minlength=len(table.ids))
    steps = np.any(table.series[1:] == table.series[:-1])  # one time alone keeps to any frequency
    if (
        steps
        and table.times.dtype.kind == "M"
        and 2 * len(rows) > len(table)
        and not _looks_like(table, frequency)
    ):
        return [_irregular(table, rows, frequency)]
    action = (
        f"{_looks_like(table, frequency)}Correct the times, give their true frequency, or make "
        f"periods of them: {advise('aggregate', 'mean')} (or sum, last) with "
        f"{advise('frequency', frequency.code)}."
    )

    def say(rows: ndarray) -> Case:
        first, time = rows[0], format_time(table.times[rows[0]])
        total = totals[table.series[first]]
        message = (
            f"{len(rows):,} of {total:,} times are not {frequency.name}, the first {time} "
            f"({table.place(first)})"
        )
        return Case(message, int(table.lines[first]), time)

    return per_series(
        table.ids, table.series, rows, Finding("times off the grid", "error", "", action), say
    )


def _months_of_weeks(table: Table, days: ndarray, months: ndarray) -> Finding:
    """Periods of a 4-4-5 calendar, which have no frequency, but are months by their names."""
    first, second = (format_time(day) for day in days[:2])
    message = (
        f"the times are those of a 4-4-5 calendar, whose months are 4 or 5 weeks long ({first}, "
        f"{second}, …): no frequency has such steps"
    )
    action = (
        f"Name each period by its month, {months[0]} for {first} and {months[1]} for {second}: "
        "then the data are monthly."
    )
    line = int(table.lines[0])
    return Finding("times off the grid", "error", message, action, None, line, first, len(table))


def _irregular(table: Table, rows: ndarray, frequency: Frequency) -> Finding:
    """Most times lie at no whole number of steps: single events, or a clock that is not exact."""
    first = rows[0]
    message = (
        f"the times keep to no frequency: {len(rows):,} of {len(table):,} lie off the likeliest "
        f"one, {frequency.name}, the first {format_time(table.times[first])} ({table.place(first)})"
    )
    time, line = format_time(table.times[first]), int(table.lines[first])
    return Finding(
        "times off the grid", "error", message, _advised_periods(table), None, line, time, len(rows)
    )


def _advised_periods(table: Table) -> str:
    steps = np.diff(micros_of(table.times))[table.series[1:] == table.series[:-1]]
    usual = 0.75 * np.median(steps)
    longer = next((code for code, length in _ROUND.items() if length >= usual), "MS")
    return (
        f"Make periods of them, with {advise('aggregate', 'sum')} for events and sales or mean for "
        f"measurements, and {advise('frequency', longer)} or longer."
    )


def _looks_like(table: Table, frequency: Frequency) -> str:
    """The frequency that the times themselves show, if it is another one."""
    shown = infer(table.times, table_offsets(table)).frequency
    return (
        f"The times look {shown.name}: {advise('frequency', shown.code)}. "
        if shown not in (None, frequency)
        else ""
    )


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
    found = _gap_findings(table, missed, rows, frequency, options)
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
        found.append(
            Finding(
                "daylight-saving step", "note", message, action, None, line, first, len(skipped)
            )
        )
    return found


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
        action = _looks_like(table, frequency) + action
    elif table.times.dtype.kind == "M" and absent[rows].sum() > _SPARSE * len(table):
        action += f" Single events? {_advised_periods(table)}"
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
