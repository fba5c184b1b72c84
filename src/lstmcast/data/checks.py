"""Rules about data as read: small functions that check a table and return findings.

Rules change nothing; repairs.py does. A problem in many series gives one finding with examples.
"""

# S series · N rows or observations of all series

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.findings import (
    DUPLICATE_TIMES,
    MISSING_VALUES,
    NO_RECENT_VALUES,
    Case,
    Finding,
    Severity,
    per_series,
)
from lstmcast.data.table import ReadOptions, Table, format_time
from lstmcast.data.times.calendars import HOUR, clock_change, micros_of
from lstmcast.data.times.frequency import Frequency
from lstmcast.util.text import are

# steps that a series may end before others: reports are late, shops close at weekends
_LATE = 3


def empty(table: Table, options: ReadOptions) -> list[Finding]:
    """Too few rows have both a time and a value."""
    values = int(np.count_nonzero(np.isfinite(table.values)))
    if not len(table):
        return [
            Finding(
                "no rows",
                "error",
                "there are no rows of data",
                "At least three values are needed.",
            )
        ]
    if not values:
        message = f"all {len(table):,} values of {table.columns.target!r} are missing"
        return [
            Finding(
                "no values",
                "error",
                message,
                "Is it the right target column?",
                count=len(table),
            )
        ]
    if values < options.fewest:
        count = "is only one value" if values == 1 else f"are only {values} values"
        message = f"there {count} of {table.columns.target!r}"
        action = (
            f"At least {options.fewest} are needed for a forecast, and a few seasonal cycles for "
            "a good one. Give a longer history."
        )
        return [Finding("too few values", "error", message, action, count=values)]
    return []


def time_zone(table: Table) -> list[Finding]:
    """Times have a time zone; they are stored without it."""
    if table.time_zone is None:
        return []
    message = f"the times have the time zone {table.time_zone}"
    return [
        Finding(
            "time zone",
            "note",
            message,
            "They are used as local times of that zone.",
            value=table.time_zone,
        )
    ]


def unsorted(table: Table) -> list[Finding]:
    """Rows of a series are not in time order."""
    order = np.argsort(table.series, kind="stable")
    series = table.series[order]
    times = table.times[order]
    same_series = series[1:] == series[:-1]
    steps_back = np.flatnonzero(same_series & (times[1:] < times[:-1])) + 1
    if not len(steps_back):
        return []
    reverse = len(steps_back) == np.count_nonzero(same_series)
    row = int(order[steps_back[0]])
    message = (
        "the rows run from the newest to the oldest"
        if reverse
        else "rows are not in time order"
    )
    message += (
        ""
        if reverse
        else f", first at {format_time(table.times[row])} ({table.place(row)})"
    )
    line = int(table.lines[row])
    return [
        Finding(
            "unsorted rows",
            "note",
            message,
            "They are sorted.",
            line=line,
            count=len(steps_back),
        )
    ]


def infinite(table: Table) -> list[Finding]:
    """Infinite values are treated as missing."""
    return _values_finding(
        table,
        np.flatnonzero(np.isinf(table.values)),
        Finding("infinite values", "warning", "", "{They} {are} treated as missing."),
        "{count} of {total} values {are} infinite, the first",
    )


def missing(table: Table, options: ReadOptions) -> list[Finding]:
    """Rows without a value."""
    advice = advise("missing", "interpolate")
    masked = f"{{They}} {{are}} masked: the forecast skips {{them}}. {advice} fills {{them}} in."
    between = "{They} {are} interpolated between {their} neighbours."
    action = masked if options.missing == "mask" else between
    return _values_finding(
        table,
        np.flatnonzero(np.isnan(table.values)),
        Finding(MISSING_VALUES, "warning", "", action),
        "{count} of {total} values {are} missing, the first",
    )


def negative(table: Table, options: ReadOptions) -> list[Finding]:
    """Negative values in a target declared not to have any."""
    if options.kind is None or options.kind == "real":
        return []
    return _values_finding(
        table,
        np.flatnonzero(table.values < 0),
        Finding(
            "negative values",
            "error",
            "",
            f"Correct {{them}}, or use {advise('kind', 'real')}.",
        ),
        "{count} of {total} values {are} negative, but the target is declared "
        + options.kind
        + "; the first is {value}",
    )


def fractional(table: Table, options: ReadOptions) -> list[Finding]:
    """Fractions in a target declared a count."""
    if options.kind != "count":
        return []
    return _values_finding(
        table,
        np.flatnonzero(
            np.isfinite(table.values) & (table.values != np.rint(table.values))
        ),
        Finding(
            "fractional counts",
            "error",
            "",
            f"Correct {{them}}, or use {advise('kind', 'positive')}.",
        ),
        "{count} of {total} values {are} not whole numbers, but the target is declared count; the "
        "first is {value}",
    )


def _values_finding(
    table: Table, rows: ndarray, rule: Finding, text: str
) -> list[Finding]:
    """A finding about single values; text: the sentence up to the time of the first one."""
    totals = (
        np.bincount(table.series, minlength=len(table.ids))
        if len(rows)
        else np.zeros(0)
    )

    def say(rows: ndarray) -> Case:
        first = rows[0]
        value = f"{table.values[first]:g}"
        sentence = text.format(
            count=f"{len(rows):,}",
            total=f"{totals[table.series[first]]:,}",
            value=value,
            are=are(len(rows)),
        )
        message = (
            f"{sentence} at {format_time(table.times[first])} ({table.place(first)})"
        )
        return Case(message, int(table.lines[first]), value)

    return per_series(table.ids, table.series, rows, rule, say)


def duplicates(table: Table, options: ReadOptions) -> list[Finding]:
    """Several rows for one time. table: sorted."""
    repeated = (table.series[1:] == table.series[:-1]) & (
        table.times[1:] == table.times[:-1]
    )
    rows = np.flatnonzero(repeated) + 1
    if not len(rows):
        return []
    if options.duplicates == "error" and repeats_hours(table, rows):
        options = replace(options, duplicates="mean")
    severity: Severity = "error" if options.duplicates == "error" else "warning"
    hint = _duplicates_hint(table, rows)
    action = hint + _duplicates_action(options)

    def say(rows: ndarray) -> Case:
        first = rows[0]
        time = format_time(table.times[rows[0]])
        places = f"{table.place(first - 1)} and {table.place(first)}"
        message = f"there are two rows for {time} ({places})"
        times = len(np.unique(table.times[rows]))
        message += (
            f", and repeated rows for {times - 1:,} other time{'s' * (times > 2)}"
            if times > 1
            else ""
        )
        return Case(message, int(table.lines[first]), time)

    return per_series(
        table.ids,
        table.series,
        rows,
        Finding(DUPLICATE_TIMES, severity, "", action),
        say,
    )


def repeats_hours(table: Table, rows: ndarray) -> bool:
    """Whether all repeated rows are in hours that clocks show twice when they are set back.

    table: sorted; rows: those that repeat the time of the row before.
    """
    if table.times.dtype.kind != "M" or not len(rows):
        return False
    micros = micros_of(table.times)
    thrice = np.isin(rows - 1, rows).any()
    if thrice or not (clock_change(micros[rows]) > 0).all():
        return False
    inner_rows = rows[rows > 1]
    steps = micros[inner_rows] - micros[inner_rows - 2]
    return bool(((steps > 0) & (steps <= HOUR)).all())


def _duplicates_action(options: ReadOptions) -> str:
    if options.duplicates != "error":
        actions = {"mean": "Their mean is used", "sum": "They are added up"}
        return (
            actions.get(options.duplicates, f"The {options.duplicates} of them is used")
            + "."
        )
    return (
        "One value per series and time is expected. For several series in one file, name the "
        "column that distinguishes them (--series NAME). For repeated measurements, use "
        f"{advise('duplicates', 'mean')}, or sum, first or last. For single events or sales, use "
        f"{advise('aggregate', 'sum')} with a frequency."
    )


def _duplicates_hint(table: Table, rows: ndarray) -> str:
    """A hint on repeated rows: the repeated hour when clocks are set back, or plain copies."""
    if table.times.dtype.kind == "M" and np.all(
        clock_change(micros_of(table.times[rows])) > 0
    ):
        return "They look like the repeated hour when clocks are set back (daylight saving time). "
    is_equal = (table.values[rows] == table.values[rows - 1]) | np.isnan(
        table.values[rows]
    )
    return (
        "The repeated rows all have the same value. "
        if is_equal.all() and len(rows) > 1
        else ""
    )


def edges(table: Table, is_kept: ndarray) -> list[Finding]:
    """Series without any value, and missing values before the first or after the last one.

    table: sorted; kept (N,) bool: the rows between the first and the last value of each series.
    """
    has_value = np.zeros(len(table.ids), dtype=bool)
    has_value[table.series[is_kept]] = True
    is_void = ~is_kept & ~has_value[table.series]
    is_after = _after_last(table, is_kept)
    is_before = ~is_kept & ~is_void & ~is_after

    def told(which: str, is_missing: ndarray, rule: Finding) -> list[Finding]:
        def case(rows: ndarray) -> Case:
            missing = f"{which} {len(rows):,} values are missing"
            if len(rows) == 1:
                its_one = "its only" if which == "all" else which
                missing = f"{its_one} value is missing"
            return Case(missing, int(table.lines[rows[0]]))

        rows = np.flatnonzero(is_missing)
        return per_series(table.ids, table.series, rows, rule, case)

    # static columns describe a series without values
    action = "It is forecast like series with the same static columns."
    left_out = Finding("no values", "warning", "", "The series is left out.")
    if table.static:
        left_out = Finding("no values", "note", "", action)
    begins = "{They} {are} left out: the series begins with its first value."
    late = Finding(MISSING_VALUES, "note", "", begins)
    starts = "{They} {are} left out: the forecast starts after the last value."
    no_recent = Finding(NO_RECENT_VALUES, "warning", "", starts)
    return [
        *told("all", is_void, left_out),
        *told("the first", is_before, late),
        *told("the last", is_after, no_recent),
    ]


def _after_last(table: Table, is_kept: ndarray) -> ndarray:
    """Whether each row is after the last value of its series (N,); False without values."""
    last_rows = np.full(len(table.ids), len(is_kept))
    last_rows[table.series[is_kept]] = np.flatnonzero(is_kept)
    return np.arange(len(is_kept)) > last_rows[table.series]


def stopped(table: Table, is_kept: ndarray, frequency: Frequency) -> list[Finding]:
    """Series that end well before others, without rows that mark the rest as missing.

    table, kept: as in `edges`. Numbered steps that start together only show the lengths of series.
    """
    rows = np.flatnonzero(is_kept)
    if not len(rows):
        return []
    codes, begins = np.unique(table.series[rows], return_index=True)
    last_rows = rows[np.append(begins[1:], len(rows)) - 1]
    starts = table.times[rows[begins]]
    ends = table.times[last_rows]
    if frequency.unit == "integer" and (starts == starts[0]).all():
        return []
    latest = ends.max()
    reported = np.isin(codes, table.series[_after_last(table, is_kept)])
    early = np.flatnonzero((frequency.advance(ends, _LATE) < latest) & ~reported)

    def say(series: ndarray) -> Case:
        end = format_time(ends[series[0]])
        row = int(last_rows[series[0]])
        message = (
            f"the last value is at {end} ({table.place(row)}), but other series continue until "
            f"{format_time(latest)}"
        )
        return Case(message, int(table.lines[row]))

    rule = Finding(
        NO_RECENT_VALUES, "warning", "", "The forecast starts after the last value."
    )
    return per_series(table.ids[codes], np.arange(len(codes)), early, rule, say)
