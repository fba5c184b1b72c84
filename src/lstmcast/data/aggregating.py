"""Rows of each period as one value: sums, means and the like, with periods that are not whole."""

# S series · N rows · G groups of rows

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.calendars import DAY, WEEKDAYS
from lstmcast.data.features import reduced_by
from lstmcast.data.findings import Finding, Findings, advise
from lstmcast.data.frequency import Frequency, parse_frequency
from lstmcast.data.frequencychecks import frequency_of, table_offsets
from lstmcast.data.gapchecks import too_sparse
from lstmcast.data.ragged import offsets_of, places, series_numbers
from lstmcast.data.table import ReadOptions, Table, format_time
from lstmcast.data.tablerows import group_begins, grouped, select_rows, with_rows_of_zeros

_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def aggregated(table: Table, options: ReadOptions) -> tuple[Table, Frequency | None, list[Finding]]:
    """One row per series and calendar period of the frequency; sums and counts are 0 in periods
    without rows.

    A first or last period that the rows cover only in part is left out. table: sorted.
    """
    frequency, findings = _period(table, options)
    how = options.aggregate
    if frequency is None or how is None:
        return table, None, findings
    bins = frequency.bins(table.times)
    adds = how in ("sum", "count")
    first, last, notes = _whole_periods(table, bins, frequency, adds)
    is_inside = (bins >= first) & (bins <= last)
    table, bins = select_rows(table, np.flatnonzero(is_inside)), bins[is_inside]
    begins = group_begins(table.series, bins)
    rows, bins = len(table), bins[begins]
    table = grouped(table, begins, how)
    message = f"{rows:,} rows were made {len(table):,} values, {frequency.name}, by {how}"
    if table.past and reduced_by(how) != how:
        message += f", columns beside the target by {reduced_by(how)}"
    findings += [Finding("aggregated", "note", message, count=rows), *notes]
    table = replace(table, times=frequency.bin_labels(bins))
    findings += _weeks_told(frequency)
    if adds:
        table, notes = _with_zeros(table, bins, last, frequency, options)
        findings += notes
    return table, None if Findings(notes).errors else frequency, findings


def _weeks_told(frequency: Frequency) -> list[Finding]:
    """Which days weeks are made of."""
    if frequency.unit != "week":
        return []
    last = WEEKDAYS.index(frequency.anchor or "SUN")
    begin, end = _DAY_NAMES[(last + 1) % 7], _DAY_NAMES[last]
    message = f"weeks are those from {begin} to {end}, named by their {end}"
    if end == "Sunday":
        return [Finding("weeks", "note", message)]
    action = f"Weeks from Monday to Sunday: {advise('frequency', 'W-SUN')}."
    return [Finding("weeks", "note", message, action)]


def _period(table: Table, options: ReadOptions) -> tuple[Frequency | None, list[Finding]]:
    """The frequency to aggregate to: the one given, else days, hours for a short span."""
    if options.frequency is not None:
        frequency, findings = frequency_of(table, options)
        if frequency is not None:
            frequency = parse_frequency(options.frequency).grounded()
        return frequency, findings
    if table.times.dtype.kind != "M":
        return Frequency("integer"), []
    span = (table.times.max() - table.times.min()).astype(np.int64)
    frequency = Frequency("hour" if span < 3 * DAY else "day")
    message = f"no frequency was given for the aggregation: the values are {frequency.name}"
    action = f"Other periods: {advise('frequency', 'W-SUN')}, MS, …."
    return frequency, [Finding("frequency", "note", message, action)]


def _whole_periods(
    table: Table, bins: ndarray, frequency: Frequency, adds: bool
) -> tuple[int, int, list[Finding]]:
    """First and last period that the rows of all series together cover, and findings about those
    that they do not."""
    periods, which = np.unique(bins, return_inverse=True)
    times = table.times.astype(np.int64)
    smallest, largest = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    earliest = np.full(len(periods), largest)
    latest = np.full(len(periods), smallest)
    np.minimum.at(earliest, which, times)
    np.maximum.at(latest, which, times)
    begins = frequency.bin_starts(periods).astype(np.int64)
    ends = frequency.bin_starts(periods + 1).astype(np.int64)
    first, last = 0, len(periods) - 1
    findings = []
    if _is_partial((ends - latest)[::-1], ends[-1] - begins[-1]) and last > first:
        last -= 1
        why = f"its rows end at {format_time(table.times.max())}"
        findings.append(_partial("last", frequency, periods[-1], why))
    if adds and _is_partial(earliest - begins, ends[0] - begins[0]) and last > first:
        first += 1
        why = f"its rows begin at {format_time(table.times.min())}"
        findings.append(_partial("first", frequency, periods[0], why))
    return int(periods[first]), int(periods[last]), findings


def _is_partial(distances: ndarray, length: int) -> bool:
    """Whether rows stay clearly farther from the edge of the first of these periods than from
    those of the others."""
    if len(distances) < 2:
        return False
    usual = np.quantile(distances[1:], 0.9)
    return bool(distances[0] > max(0.1 * length, 1.5 * usual))


def _partial(which: str, frequency: Frequency, period: int, why: str) -> Finding:
    label = format_time(frequency.bin_labels(np.array([period]))[0])
    message = f"the {which} period, {label}, is incomplete: {why}"
    return Finding("incomplete period", "warning", message, "It is left out.", value=label)


def _with_zeros(
    table: Table, bins: ndarray, last: int, frequency: Frequency, options: ReadOptions
) -> tuple[Table, list[Finding]]:
    """Rows of value 0 for periods without rows, from the first one of each series to the last
    one of all."""
    offsets = table_offsets(table)
    present = np.diff(offsets) > 0
    starts = np.zeros(len(table.ids), dtype=np.int64)
    starts[present] = bins[offsets[:-1][present]]
    grid = offsets_of(np.where(present, last - starts + 1, 0))
    periods_in_all = int(grid[-1])
    sparse = too_sparse(table, periods_in_all, frequency)
    if sparse or periods_in_all == len(table):
        return table, sparse
    cells = grid[:-1][table.series] + bins - starts[table.series]
    times = frequency.bin_labels(places(grid) + starts[series_numbers(grid)])
    with_zeros = with_rows_of_zeros(table, grid, cells, times)
    silent = last - int(bins.min()) + 1 - len(np.unique(bins))
    is_empty = np.ones(periods_in_all, dtype=bool)
    is_empty[cells] = False
    empty = np.flatnonzero(is_empty)
    return with_zeros, [_empty_periods(with_zeros, empty, silent, options)]


def _empty_periods(table: Table, empty: ndarray, silent: int, options: ReadOptions) -> Finding:
    """Periods without rows count as 0; where no series has a row, data may be missing, which
    deserves a warning."""
    several = len(table.ids) > 1
    first = format_time(table.times[empty[0]])
    message = f"{len(empty):,} of {len(table):,} periods "
    message += f"has no rows: {first}" if len(empty) == 1 else f"have no rows, the first {first}"
    if several:
        message += f" of series {str(table.ids[table.series[empty[0]]])!r}"
    if several and silent:
        message += f"; in {silent:,} there are none in any series"
    if options.gaps == "error":
        action = f"Add the rows, or use {advise('gaps', 'fill')}, which counts them as 0."
        return Finding("empty periods", "error", message, action, value=first, count=len(empty))
    missing = advise("aggregate", "mean")
    action = f"They count as 0. Where they should not, {missing} leaves them missing."
    severity = "warning" if silent else "note"
    return Finding("empty periods", severity, message, action, value=first, count=len(empty))
