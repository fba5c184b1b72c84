"""Aggregate the rows of each period to one value, and handle incomplete periods."""

# S series · N rows · G groups of rows

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.features import reduced_by
from lstmcast.data.findings import Finding, Findings
from lstmcast.data.frequencychecks import frequency_of, table_offsets
from lstmcast.data.gapchecks import too_sparse
from lstmcast.data.ragged import offsets_of, places, series_numbers
from lstmcast.data.table import ReadOptions, Table, format_time
from lstmcast.data.tablerows import (
    group_begins,
    grouped,
    select_rows,
    with_rows_of_zeros,
)
from lstmcast.data.times.calendars import WEEKDAYS
from lstmcast.data.times.frequency import Frequency, parse_frequency

FEWEST_COPIES = 3  # rows, and values: fewer may be chance
COPIED_SHARE = 0.05  # of all rows
_DAY_NAMES = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)


def aggregated(
    table: Table, options: ReadOptions
) -> tuple[Table, Frequency | None, list[Finding]]:
    """One row per series and calendar period of the frequency; sums and counts are 0 in periods
    without rows.

    An incomplete first or last period is left out. table: sorted.
    """
    frequency, findings = _period(table, options)
    method = options.aggregate
    if frequency is None or method is None:
        return table, None, findings
    adds = method in ("sum", "count")
    bins = frequency.bins(table.times)
    first_bin, last_bin, notes = _whole_periods(table, bins, frequency, adds)
    is_inside = (bins >= first_bin) & (bins <= last_bin)
    rows = select_rows(table, np.flatnonzero(is_inside))
    bins = bins[is_inside]
    begins = group_begins(rows.series, bins)
    bins = bins[begins]
    table = grouped(rows, begins, method)
    table = replace(table, times=frequency.bin_labels(bins))
    findings.append(_aggregated_note(rows, table, frequency, method))
    if adds:
        findings += _copies(rows)
    findings += notes
    findings += _weeks_note(frequency)
    if adds:
        table, notes = _with_zeros(table, bins, last_bin, frequency, options)
        findings += notes
    has_errors = bool(Findings(notes).errors)
    return table, None if has_errors else frequency, findings


def _aggregated_note(
    rows: Table, table: Table, frequency: Frequency, method: str
) -> Finding:
    counts = f"{len(rows):,} rows were aggregated to {len(table):,} values"
    message = f"{counts}, {frequency.name}, by {method}"
    covariate_method = reduced_by(method)
    if table.past and covariate_method != method:
        message += f", columns beside the target by {covariate_method}"
    return Finding("aggregated", "note", message, count=len(rows))


def _copies(rows: Table) -> list[Finding]:
    """A warning where rows look like copies, as in a file that was exported twice: sums count them
    again.

    Sales that happen to be equal on one day are no copies: some differ there, or all are alike.
    rows: sorted.
    """
    is_again = (rows.series[1:] == rows.series[:-1]) & (
        rows.times[1:] == rows.times[:-1]
    )
    is_equal = rows.values[1:] == rows.values[:-1]
    count = int(is_again.sum())
    is_rare = count < max(FEWEST_COPIES, COPIED_SHARE * len(rows))
    values = rows.values[1:][is_again]
    if (
        is_rare
        or not is_equal[is_again].all()
        or len(np.unique(values)) < FEWEST_COPIES
    ):
        return []
    message = (
        f"{count:,} of {len(rows):,} rows have the same time and value as another row of their "
        "series, and count as well"
    )
    return [
        Finding(
            "copies",
            "warning",
            message,
            "If they are copies, remove them.",
            count=count,
        )
    ]


def _weeks_note(frequency: Frequency) -> list[Finding]:
    """A note on the days that make a week."""
    if frequency.unit != "week":
        return []
    last_day = WEEKDAYS.index(frequency.anchor or "SUN")
    first_day = (last_day + 1) % 7
    begin = _DAY_NAMES[first_day]
    end = _DAY_NAMES[last_day]
    message = f"weeks are those from {begin} to {end}, named by their {end}"
    if end == "Sunday":
        return [Finding("weeks", "note", message)]
    action = f"Weeks from Monday to Sunday: {advise('frequency', 'W-SUN')}."
    return [Finding("weeks", "note", message, action)]


def _period(
    table: Table, options: ReadOptions
) -> tuple[Frequency | None, list[Finding]]:
    """The frequency to aggregate to: the one given, else days, hours for a short span."""
    if options.frequency is not None:
        frequency, findings = frequency_of(table, options)
        if frequency is not None:
            frequency = parse_frequency(options.frequency).grounded()
        return frequency, findings
    if table.times.dtype.kind != "M":
        return Frequency("integer"), []
    span = table.times.max() - table.times.min()
    is_short = span < np.timedelta64(3, "D")
    unit = "hour" if is_short else "day"
    frequency = Frequency(unit)
    message = (
        f"no frequency was given for the aggregation: the values are {frequency.name}"
    )
    action = f"Other periods: {advise('frequency', 'W-SUN')}, MS, …."
    return frequency, [Finding("frequency", "note", message, action)]


def _whole_periods(
    table: Table, bins: ndarray, frequency: Frequency, adds: bool
) -> tuple[int, int, list[Finding]]:
    """The first and last period that the rows of all series cover, and findings about others."""
    periods, period_of_row = np.unique(bins, return_inverse=True)
    moments = table.times.astype(np.int64)
    first_moments, last_moments = _covered(moments, period_of_row)
    begins = frequency.bin_starts(periods).astype(np.int64)
    ends = frequency.bin_starts(periods + 1).astype(np.int64)
    lengths = ends - begins
    uncovered_at_end = ends - last_moments
    uncovered_at_begin = first_moments - begins
    findings = []
    whole_periods = periods
    if len(whole_periods) > 1 and _is_partial(uncovered_at_end[::-1], lengths[-1]):
        whole_periods = whole_periods[:-1]
        end = format_time(table.times.max())
        reason = f"its rows end at {end}"
        findings.append(_partial("last", frequency, periods[-1], reason))
    is_partial = adds and _is_partial(uncovered_at_begin, lengths[0])
    if len(whole_periods) > 1 and is_partial:
        whole_periods = whole_periods[1:]
        begin = format_time(table.times.min())
        reason = f"its rows begin at {begin}"
        findings.append(_partial("first", frequency, periods[0], reason))
    return int(whole_periods[0]), int(whole_periods[-1]), findings


def _covered(times: ndarray, groups: ndarray) -> tuple[ndarray, ndarray]:
    """The earliest and the latest time of each group (G,)."""
    group_count = groups.max() + 1
    limits = np.iinfo(np.int64)
    earliest = np.full(group_count, limits.max)
    latest = np.full(group_count, limits.min)
    np.minimum.at(earliest, groups, times)
    np.maximum.at(latest, groups, times)
    return earliest, latest


def _is_partial(distances: ndarray, length: int) -> bool:
    """Whether rows end clearly farther from the edge of the first period than of the others."""
    if len(distances) < 2:
        return False
    usual_distance = np.quantile(distances[1:], 0.9)
    limit = max(0.1 * length, 1.5 * usual_distance)
    return bool(distances[0] > limit)


def _partial(edge: str, frequency: Frequency, period: int, reason: str) -> Finding:
    labels = frequency.bin_labels(np.array([period]))
    label = format_time(labels[0])
    message = f"the {edge} period, {label}, is incomplete: {reason}"
    return Finding(
        "incomplete period", "warning", message, "It is left out.", value=label
    )


def _with_zeros(
    table: Table,
    bins: ndarray,
    last_bin: int,
    frequency: Frequency,
    options: ReadOptions,
) -> tuple[Table, list[Finding]]:
    """Add rows with value 0 for periods without rows, up to the last period of all series."""
    begins = table_offsets(table)
    is_present = np.diff(begins) > 0
    first_rows = begins[:-1][is_present]
    starts = np.full(len(table.ids), last_bin + 1)  # of series without rows: no period
    starts[is_present] = bins[first_rows]
    grid = offsets_of(last_bin + 1 - starts)
    periods_in_all = int(grid[-1])
    sparse = too_sparse(table, periods_in_all, frequency)
    if sparse or periods_in_all == len(table):
        return table, sparse
    cells_of_series = grid[:-1] - starts
    cells = cells_of_series[table.series] + bins
    series_of_cells = series_numbers(grid)
    bins_of_cells = starts[series_of_cells] + places(grid)
    times = frequency.bin_labels(bins_of_cells)
    with_zeros = with_rows_of_zeros(table, grid, cells, times)
    is_empty = np.ones(periods_in_all, dtype=bool)
    is_empty[cells] = False
    bins_in_all = last_bin - int(bins.min()) + 1
    silent = bins_in_all - len(np.unique(bins))
    finding = _empty_periods(with_zeros, np.flatnonzero(is_empty), silent, options)
    return with_zeros, [finding]


def _empty_periods(
    table: Table, empty: ndarray, silent: int, options: ReadOptions
) -> Finding:
    """Findings about periods without rows, which count as 0.

    A period without rows in any series is a warning, since data may be missing.
    """
    row = empty[0]
    first = format_time(table.times[row])
    have_none = (
        f"has no rows: {first}"
        if len(empty) == 1
        else f"have no rows, the first {first}"
    )
    message = f"{len(empty):,} of {len(table):,} periods {have_none}"
    if len(table.ids) > 1:
        name = str(table.ids[table.series[row]])
        message += f" of series {name!r}"
        message += f"; in {silent:,} there are none in any series" if silent else ""
    if options.gaps == "error":
        severity = "error"
        action = (
            f"Add the rows, or use {advise('gaps', 'fill')}, which counts them as 0."
        )
    else:
        severity = "warning" if silent else "note"
        mean = advise("aggregate", "mean")
        action = f"They count as 0. To leave them missing, use {mean}."
    return Finding(
        "empty periods", severity, message, action, value=first, count=len(empty)
    )
