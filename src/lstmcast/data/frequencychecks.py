"""Rules about the frequency of a table and times that are not on its grid."""

# S series · N rows or observations of all series

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.findings import (
    EXAMPLES,
    Case,
    Finding,
    per_series,
)
from lstmcast.data.ragged import offsets_of
from lstmcast.data.table import ReadOptions, Table, format_time
from lstmcast.data.times.calendars import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    WEEK,
    micros_of,
)
from lstmcast.data.times.frequency import OFF_GRID, Frequency, parse_frequency
from lstmcast.data.times.frequency_inference import Inference, infer
from lstmcast.data.times.weekmonths import months_of_weeks
from lstmcast.util.text import are

# periods people think in
_ROUND = {
    "s": SECOND,
    "min": MINUTE,
    "15min": 15 * MINUTE,
    "h": HOUR,
    "D": DAY,
    "W": WEEK,
}


def frequency_of(
    table: Table, options: ReadOptions
) -> tuple[Frequency | None, list[Finding]]:
    """The frequency that is given or inferred, with findings. table: sorted, without repeats."""
    is_date = table.times.dtype.kind == "M"
    if options.frequency is not None:
        frequency = parse_frequency(options.frequency)
        if is_date == (frequency.unit == "integer"):
            return None, [_unit_mismatch(frequency, is_date)]
        return frequency.anchored(table.times), []
    # checked first: in a single year, steps may look like 4 weeks or like weeks with gaps
    if is_date and (weeks := months_of_weeks(table.times)) is not None:
        return None, [_months_of_weeks(table, *weeks)]
    inferred = infer(table.times, table_offsets(table))
    if inferred.frequency is None:
        return None, [_untellable(table)]
    return inferred.frequency, _mixed(table, inferred)


def table_offsets(table: Table) -> ndarray:
    """The start of each series in a sorted table (S+1,)."""
    return offsets_of(np.bincount(table.series, minlength=len(table.ids)))


def _unit_mismatch(frequency: Frequency, is_date: bool) -> Finding:
    times, fitting = ("dates", "D or MS") if is_date else ("plain numbers", "integer")
    message = f"the frequency {frequency.code!r} does not fit times that are {times}"
    return Finding(
        "frequency",
        "error",
        message,
        f"Use for example {fitting}, or leave it out.",
        value=frequency.code,
    )


def _untellable(table: Table) -> Finding:
    same_series = table.series[1:] == table.series[:-1]
    if not same_series.any():
        message = "no series has two times, so the frequency cannot be inferred"
        # with a frequency, each series would still be a single value
        if len(table.ids) > 1:
            action = (
                "Name the columns that distinguish the series (--series NAME), "
                "or give more rows."
            )
            return Finding("frequency", "error", message, action)
        return Finding(
            "frequency",
            "error",
            message,
            f"Give it, for example {advise('frequency', 'MS')}.",
        )
    row = int(np.flatnonzero(same_series)[0]) + 1
    step = np.diff(micros_of(table.times))[row - 1] / SECOND
    message = f"times are not whole seconds apart ({step:g} s at {table.place(row)})"
    action = (
        f"Aggregate them: {advise('aggregate', 'mean')} with {advise('frequency', 's')}, or "
        "number them: --time index."
    )
    return Finding("frequency", "error", message, action, line=int(table.lines[row]))


def _mixed(table: Table, inference: Inference) -> list[Finding]:
    if inference.frequency is None or not inference.others:
        return []
    phrases = []
    for frequency, series in inference.others:
        verb = "is" if len(series) == 1 else "are"
        names = ", ".join(repr(str(table.ids[code])) for code in series[:EXAMPLES])
        if len(series) > EXAMPLES:
            names += ", …"
        phrases.append(f"{len(series):,} {verb} {frequency.name} ({names})")
    message = f"most series are {inference.frequency.name}, but {'; '.join(phrases)}"
    action = (
        f"Forecast them separately, or convert all to one frequency: {advise('aggregate', 'sum')} "
        "with a frequency."
    )
    frequency, series = inference.others[0]
    count = sum(len(series) for _, series in inference.others)
    return [
        Finding(
            "mixed frequencies",
            "error",
            message,
            action,
            str(table.ids[series[0]]),
            None,
            frequency.code,
            count,
        )
    ]


def off_grid(table: Table, positions: ndarray, frequency: Frequency) -> list[Finding]:
    """Times that are not a whole number of steps after the start of the series."""
    rows = np.flatnonzero(positions == OFF_GRID)
    if not len(rows):
        return []
    if (
        table.times.dtype.kind == "M"
        and (weeks := months_of_weeks(table.times)) is not None
    ):
        return [_months_of_weeks(table, *weeks)]
    totals = np.bincount(table.series, minlength=len(table.ids))
    # a single time fits any frequency
    steps = np.any(table.series[1:] == table.series[:-1])
    if (
        steps
        and table.times.dtype.kind == "M"
        and 2 * len(rows) > len(table)
        and not looks_like(table, frequency)
    ):
        return [_irregular(table, rows, frequency)]
    action = (
        f"{looks_like(table, frequency)}Correct the times, give their true frequency, or "
        f"aggregate them: {advise('aggregate', 'mean')} (or sum, last) with "
        f"{advise('frequency', frequency.code)}."
    )

    def say(rows: ndarray) -> Case:
        first = rows[0]
        time = format_time(table.times[rows[0]])
        total = totals[table.series[first]]
        message = (
            f"{len(rows):,} of {total:,} times {are(len(rows))} not {frequency.name}, "
            f"the first {time} ({table.place(first)})"
        )
        return Case(message, int(table.lines[first]), time)

    return per_series(
        table.ids,
        table.series,
        rows,
        Finding("times off the grid", "error", "", action),
        say,
    )


def _months_of_weeks(table: Table, days: ndarray, months: ndarray) -> Finding:
    """The finding about a 4-4-5 calendar, whose periods are months by name but have no
    frequency."""
    first, second = (format_time(day) for day in days[:2])
    message = (
        f"the times are those of a 4-4-5 calendar, whose months are 4 or 5 weeks long ({first}, "
        f"{second}, …), which no frequency describes"
    )
    action = (
        f"Name each period by its month, {months[0]} for {first} and {months[1]} for {second}: "
        "then the data are monthly."
    )
    line = int(table.lines[0])
    return Finding(
        "times off the grid", "error", message, action, None, line, first, len(table)
    )


def _irregular(table: Table, rows: ndarray, frequency: Frequency) -> Finding:
    """The finding about mostly irregular times: single events, or an inexact clock."""
    first = rows[0]
    message = (
        f"the times have no regular frequency: {len(rows):,} of {len(table):,} are not on the "
        f"grid of the most likely one, {frequency.name}, the first "
        f"{format_time(table.times[first])} ({table.place(first)})"
    )
    time = format_time(table.times[first])
    line = int(table.lines[first])
    return Finding(
        "times off the grid",
        "error",
        message,
        advised_periods(table),
        None,
        line,
        time,
        len(rows),
    )


def advised_periods(table: Table) -> str:
    all_steps = np.diff(micros_of(table.times))
    is_within_series = table.series[1:] == table.series[:-1]
    steps = all_steps[is_within_series]
    usual_step = 0.75 * np.median(steps)
    longer = next(
        (code for code, length in _ROUND.items() if length >= usual_step), "MS"
    )
    return (
        f"Aggregate them, with {advise('aggregate', 'sum')} for events and sales or mean for "
        f"measurements, and {advise('frequency', longer)} or longer."
    )


def looks_like(table: Table, frequency: Frequency) -> str:
    """A hint on the frequency inferred from the times, if it is another one."""
    inferred = infer(table.times, table_offsets(table)).frequency
    return (
        f"The times look {inferred.name}: {advise('frequency', inferred.code)}. "
        if inferred not in (None, frequency)
        else ""
    )
