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
from lstmcast.data.tablerows import group_begins, grouped, select_rows

_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def aggregated(table: Table, options: ReadOptions) -> tuple[Table, Frequency | None, list[Finding]]:
    """One row per series and calendar period of the frequency; sums and counts are 0 in periods
    without rows.

    A first or last period that the rows cover only in part is left out. table: sorted.
    """
    frequency, found = _period(table, options)
    if frequency is None or options.aggregate is None:
        return table, None, found
    bins = frequency.bins(table.times)
    adds = options.aggregate in ("sum", "count")
    first, last, told = _whole_periods(table, bins, frequency, adds)
    kept = (bins >= first) & (bins <= last)
    table, bins = select_rows(table, np.flatnonzero(kept)), bins[kept]
    begins = group_begins(table.series, bins)
    rows, bins = len(table), bins[begins]
    table = grouped(table, begins, options.aggregate)
    message = (
        f"{rows:,} rows were made {len(table):,} values, {frequency.name}, by {options.aggregate}"
    )
    if table.past and reduced_by(options.aggregate) != options.aggregate:
        message += f", columns beside the target by {reduced_by(options.aggregate)}"
    found += [Finding("aggregated", "note", message, count=rows), *told]
    table = replace(table, times=frequency.bin_labels(bins))
    found += _weeks_told(frequency)
    if adds:
        table, told = _with_zeros(table, bins, last, frequency, options)
        found += told
    return table, None if Findings(told).errors else frequency, found


def _weeks_told(frequency: Frequency) -> list[Finding]:
    """Which days weeks are made of."""
    if frequency.unit != "week":
        return []
    last = WEEKDAYS.index(frequency.anchor or "SUN")
    begin, end = _DAY_NAMES[(last + 1) % 7], _DAY_NAMES[last]
    message = f"weeks are those from {begin} to {end}, named by their {end}"
    action = f"Weeks from Monday to Sunday: {advise('frequency', 'W-SUN')}."
    return [Finding("weeks", "note", message, "" if last == 6 else action)]


def _period(table: Table, options: ReadOptions) -> tuple[Frequency | None, list[Finding]]:
    """The frequency to aggregate to: the one given, else days, hours for a short span."""
    if options.frequency is not None:
        frequency, found = frequency_of(table, options)
        return (parse_frequency(options.frequency).grounded() if frequency else None), found
    if table.times.dtype.kind != "M":
        return Frequency("integer"), []
    short = (table.times.max() - table.times.min()).astype(np.int64) < 3 * DAY
    frequency = Frequency("hour" if short else "day")
    message = f"no frequency was given for the aggregation: the values are {frequency.name}"
    return frequency, [
        Finding(
            "frequency", "note", message, f"Other periods: {advise('frequency', 'W-SUN')}, MS, …."
        )
    ]


def _whole_periods(
    table: Table, bins: ndarray, frequency: Frequency, adds: bool
) -> tuple[int, int, list[Finding]]:
    """First and last period that the rows of all series together cover, and findings about those
    that they do not."""
    periods, which = np.unique(bins, return_inverse=True)
    times = table.times.astype(np.int64)
    earliest, latest = (
        np.full(len(periods), np.iinfo(np.int64).max),
        np.full(len(periods), np.iinfo(np.int64).min),
    )
    np.minimum.at(earliest, which, times)
    np.maximum.at(latest, which, times)
    begins, ends = (frequency.bin_starts(periods + shift).astype(np.int64) for shift in (0, 1))
    first, last, found = 0, len(periods) - 1, []
    if _is_partial((ends - latest)[::-1], ends[-1] - begins[-1]) and last > first:
        last -= 1
        found.append(
            _partial(
                "last", frequency, periods[-1], f"its rows end at {format_time(table.times.max())}"
            )
        )
    if adds and _is_partial(earliest - begins, ends[0] - begins[0]) and last > first:
        first += 1
        found.append(
            _partial(
                "first",
                frequency,
                periods[0],
                f"its rows begin at {format_time(table.times.min())}",
            )
        )
    return int(periods[first]), int(periods[last]), found


def _is_partial(distances: ndarray, length: int) -> bool:
    """Whether rows stay clearly farther from the edge of the first of these periods than from
    those of the others."""
    return bool(
        len(distances) > 1
        and distances[0] > max(0.1 * length, 1.5 * np.quantile(distances[1:], 0.9))
    )


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
    sparse = too_sparse(table, int(grid[-1]), frequency)
    if sparse or grid[-1] == len(table):
        return table, sparse
    series = series_numbers(grid)
    values, lines = np.zeros(grid[-1]), np.zeros(grid[-1], dtype=np.int64)
    cells = grid[:-1][table.series] + bins - starts[table.series]
    values[cells], lines[cells] = table.values, table.lines
    past = {name: np.full(grid[-1], np.nan) for name in table.past}
    for name, column in table.past.items():
        past[name][cells] = column
    times = frequency.bin_labels(places(grid) + starts[series])
    silent = last - int(bins.min()) + 1 - len(np.unique(bins))
    whole = replace(table, series=series, times=times, values=values, lines=lines, past=past)
    empty = np.ones(len(values), dtype=bool)
    empty[cells] = False
    return whole, [_empty_periods(whole, np.flatnonzero(empty), silent, options)]


def _empty_periods(table: Table, empty: ndarray, silent: int, options: ReadOptions) -> Finding:
    """Periods without rows count as 0; where no series has a row, data may be missing, which
    deserves a warning."""
    several, first = len(table.ids) > 1, format_time(table.times[empty[0]])
    message = f"{len(empty):,} of {len(table):,} periods "
    message += f"has no rows: {first}" if len(empty) == 1 else f"have no rows, the first {first}"
    message += f" of series {str(table.ids[table.series[empty[0]]])!r}" if several else ""
    message += f"; in {silent:,} there are none in any series" if silent and several else ""
    if options.gaps == "error":
        action = f"Add the rows, or use {advise('gaps', 'fill')}, which counts them as 0."
        return Finding("empty periods", "error", message, action, value=first, count=len(empty))
    missing = advise("aggregate", "mean")
    action = f"They count as 0. Where they should not, {missing} leaves them missing."
    return Finding(
        "empty periods",
        "warning" if silent else "note",
        message,
        action,
        value=first,
        count=len(empty),
    )
