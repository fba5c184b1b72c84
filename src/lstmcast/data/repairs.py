"""From a table to regular series: sorted, one row per time, trimmed, on a grid.

Each repair is a function.
"""

# S series · N rows · G groups of rows

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy import ndarray

from lstmcast.data import checks
from lstmcast.data.aggregating import aggregated
from lstmcast.data.cells.codes import codes_for_missing
from lstmcast.data.covariates.placing import placed
from lstmcast.data.covariates.placingnotes import Grid
from lstmcast.data.features import Future
from lstmcast.data.findings import GAPS, Finding, Findings
from lstmcast.data.frequencychecks import frequency_of, off_grid, table_offsets
from lstmcast.data.gapchecks import gaps, too_sparse
from lstmcast.data.keys import Keys
from lstmcast.data.kinds import kind_findings, recognise
from lstmcast.data.limits import require_span
from lstmcast.data.observed import Clock, ObservedCalendar, occurring_at
from lstmcast.data.observing import Grids, Remembered, findings_of, found_in
from lstmcast.data.ragged import offsets_of, places, series_numbers
from lstmcast.data.steadying import on_business_days, steadied
from lstmcast.data.table import ReadOptions, Table
from lstmcast.data.tablerows import (
    group_begins,
    grouped,
    in_order,
    only,
    select_rows,
    with_rows_of_zeros,
)
from lstmcast.data.times.frequency import OFF_GRID, Frequency
from lstmcast.data.times.frequency_inference import infer
from lstmcast.data.tolerance import without_series


@dataclass(frozen=True, eq=False)
class Regular:
    """Series on their grids: values (N,), offsets (S+1,), ids (S,), keys, starts (S,),
    covariates."""

    values: ndarray
    offsets: ndarray
    ids: ndarray
    starts: ndarray
    frequency: Frequency
    keys: Keys
    recognised: ndarray  # recognised kind of each series (S,)
    past: Mapping[str, ndarray]
    calendar: ObservedCalendar | None
    future: Future


def regularise(
    table: Table, options: ReadOptions, remembered: Remembered | None = None
) -> tuple[Regular | None, Findings]:
    """Check and repair a table; returns regular series (None if errors) and findings.

    remembered: the calendar of a saved model that the data continue.

    Rules that depend on a failed step (a grid without a frequency) are skipped; all others run.
    """
    if emptiness := checks.empty(table, options):
        return None, Findings([*table.dropped, *emptiness])
    findings = [*table.dropped, *checks.time_zone(table)]
    findings += checks.unsorted(table)
    table = without_coming(in_order(table))
    findings += checks.infinite(table)
    findings += codes_for_missing(table)
    table = _with_finite_values(table)
    table, frequency, notes = _without_repeats(table, options)
    findings += notes
    between = between_values(table)
    findings += checks.edges(table, between)
    before_trimming = table
    table = only(table, between | _newest_of_void(table, between))
    findings += checks.negative(table, options)
    findings += checks.fractional(table, options)
    if options.aggregate is None:
        table, notes = steadied(table)
        findings += notes
        frequency, notes = frequency_of(table, options)
        findings += notes
    if options.aggregate is None and frequency is not None:
        table, notes = on_business_days(table, frequency)
        findings += notes
    # with mixed frequencies, no grid is informative
    if frequency is None or Findings(notes).errors:
        findings += checks.missing(table, options)
        return None, Findings(findings)
    findings += checks.stopped(before_trimming, between, frequency)
    starts, ends = _first_and_last_times(table)
    require_span(starts, ends, table.source)
    regular, notes = _gridded(table, frequency, options, remembered)
    findings = Findings([*findings, *notes])
    return (None if findings.errors else regular), findings


def _with_finite_values(table: Table) -> Table:
    past = {name: _finite(column) for name, column in table.past.items()}
    return replace(table, values=_finite(table.values), past=past)


def _first_and_last_times(table: Table) -> tuple[ndarray, ndarray]:
    """The first and last time of each series (S,). table: sorted."""
    offsets = table_offsets(table)
    first_rows = offsets[:-1]
    last_rows = offsets[1:] - 1
    return table.times[first_rows], table.times[last_rows]


def skipping(
    table: Table, options: ReadOptions, remembered: Remembered | None = None
) -> tuple[Table, ReadOptions]:
    """A table without unusable series, and the options with the most common frequency.

    Each series is checked separately. If no series or all series are usable, none is left out.
    """
    table = in_order(table)
    if options.frequency is None and options.aggregate is None:
        options = replace(options, frequency=_common_frequency(table))
    reasons = {}
    for number in range(len(table.ids)):
        single_series = _alone(table, number)
        regular, findings = regularise(single_series, options, remembered)
        if regular is None:
            reasons[number] = "; ".join(finding.text for finding in findings.errors)
    if not reasons or len(reasons) == len(table.ids):
        return table, options
    return without_series(table, reasons), options


def _common_frequency(table: Table) -> str | None:
    """The frequency that most of a sorted table has."""
    single = one_row_per_time(table, "first")
    frequency = infer(single.times, table_offsets(single)).frequency
    return None if frequency is None else frequency.code


def _alone(table: Table, number: int) -> Table:
    """The table with one of its series. table: sorted."""
    first, stop = table_offsets(table)[number : number + 2]
    rows = select_rows(table, np.arange(first, stop))
    series_row = np.array([number])
    return replace(
        rows,
        series=np.zeros(len(rows), np.int64),
        ids=table.ids[series_row],
        keys=table.keys.take(series_row),
        dropped=(),
        skipped={},
    )


def _finite(values: ndarray) -> ndarray:
    return np.where(np.isinf(values), np.nan, values)


def _without_repeats(
    table: Table, options: ReadOptions
) -> tuple[Table, Frequency | None, list[Finding]]:
    if options.aggregate is not None:
        return aggregated(table, options)
    findings = checks.duplicates(table, options)
    # an error was found: continue to collect
    method = "first" if options.duplicates == "error" else options.duplicates
    return one_row_per_time(table, method), None, findings


def one_row_per_time(table: Table, method: str) -> Table:
    """Reduce rows of one series and time to one row. table: sorted."""
    begins = group_begins(table.series, table.times)
    return table if len(begins) == len(table) else grouped(table, begins, method)


def _step_count(table: Table, positions: ndarray) -> int:
    """The number of steps from the first to the last time of each series, of all together."""
    last_positions = positions[table_offsets(table)[1:] - 1]
    return int((last_positions + 1).sum())


def _gridded(
    table: Table,
    frequency: Frequency,
    options: ReadOptions,
    remembered: Remembered | None,
) -> tuple[Regular | None, list[Finding]]:
    positions = grid_positions(table, frequency)
    findings = checks.missing(table, options) + off_grid(table, positions, frequency)
    if np.any(positions == OFF_GRID):
        return None, findings
    sparse = too_sparse(table, _step_count(table, positions), frequency)
    if sparse:
        return None, findings + sparse
    if options.gaps == "zero":
        table, positions, notes = _zeros_between(table, positions, frequency)
        findings += notes
    values, offsets = filled(table, positions, table.values)
    # added periods and times with value 0 have no line
    present = _on_grid(table, positions, table.lines > 0) == 1
    starts, _ = _first_and_last_times(table)
    grids = Grids(present, offsets, starts, frequency)
    calendar = _calendar(table, grids, options, remembered)
    occurs = occurring_at(calendar, offsets, starts, frequency)
    findings += gaps(table, positions, frequency, options, occurs)
    if calendar is not None:
        findings += findings_of(calendar, table.ids)
    values = np.where(occurs | present, values, np.nan)
    # before interpolation makes fractions of counts
    recognised = recognise(values, offsets)
    if not options.kind:
        findings += kind_findings(table.ids, recognised)
    if options.missing == "interpolate":
        line = interpolated(values, as_integers=options.kind == "count")
        values = np.where(occurs, line, values)
    grid = Grid(table.ids, starts, np.diff(offsets), frequency)
    future, notes = placed(table.known, grid, options)
    findings += notes
    regular = Regular(
        values=values,
        offsets=offsets,
        ids=table.ids,
        starts=starts,
        frequency=frequency,
        keys=table.keys,
        recognised=recognised,
        past=_past_on_grid(table, positions),
        calendar=calendar,
        future=future,
    )
    return regular, findings


def _past_on_grid(table: Table, positions: ndarray) -> dict[str, ndarray]:
    """Covariates, of which missing ones are not interpolated: that would use later values."""
    columns = table.past.items()
    return {name: _on_grid(table, positions, column) for name, column in columns}


def _calendar(
    table: Table, grids: Grids, options: ReadOptions, remembered: Remembered | None
) -> ObservedCalendar | None:
    """The times that occur, if not all do.

    If a missing row means 0, all do unless options say otherwise.
    """
    zeros = options.gaps == "zero" or options.aggregate in ("sum", "count")
    if options.calendar == "all" or (zeros and options.calendar is None):
        return None
    if remembered is not None:
        return remembered.of(table.ids, grids)
    clock = Clock(table.time_zone, table.frame_zone)
    return found_in(grids, clock, is_expected=options.calendar == "observed")


def _zeros_between(
    table: Table, positions: ndarray, frequency: Frequency
) -> tuple[Table, ndarray, list[Finding]]:
    """Add rows with value 0 for times without a row, from the start of each series to the last
    time."""
    starts, _ = _first_and_last_times(table)
    latest = np.broadcast_to(table.times.max(), len(table.ids))
    last_steps = frequency.position(latest, starts)
    own_last_steps = positions[table_offsets(table)[1:] - 1]
    grid = offsets_of(np.maximum(own_last_steps, last_steps) + 1)
    step_count = int(grid[-1])
    if step_count == len(table) or too_sparse(table, step_count, frequency):
        return table, positions, []
    steps = places(grid)
    cells = grid[:-1][table.series] + positions
    times = frequency.advance(starts[series_numbers(grid)], steps)
    with_zeros = with_rows_of_zeros(table, grid, cells, times)
    count = step_count - len(table)
    verb, action = (
        ("has", "It counts as 0.") if count == 1 else ("have", "They count as 0.")
    )
    message = f"{count:,} of {step_count:,} times {verb} no row"
    note = Finding(GAPS, "note", message, action, count=count)
    return with_zeros, steps, [note]


def without_coming(table: Table) -> Table:
    """The table without rows after the last value of series with future columns.

    They are coming steps, not missing values. table: sorted.
    """
    if not table.known:
        return table
    known_rows = np.flatnonzero(np.isfinite(table.values))
    last_row = np.full(len(table.ids), len(table))
    last_row[table.series[known_rows]] = known_rows  # the last assignment stays
    last_times = table.times[np.minimum(last_row, len(table) - 1)]
    goes_on = np.zeros(len(table.ids), bool)
    for rows in table.known:
        times, has_rows = rows.latest(table.ids)
        are_comparable = rows.times.dtype.kind == table.times.dtype.kind
        if len(known_rows) and are_comparable:
            goes_on |= has_rows & (times > last_times)
    is_after = np.arange(len(table)) > last_row[table.series]
    is_coming = is_after & goes_on[table.series]
    return select_rows(table, np.flatnonzero(~is_coming))


def _newest_of_void(table: Table, is_kept: ndarray) -> ndarray:
    """The last row of each series without values that has static columns (N,)."""
    newest = np.zeros(len(is_kept), bool)
    if not table.static:
        return newest
    has_value = np.zeros(len(table.ids), bool)
    has_value[table.series[is_kept]] = True
    is_other_next = table.series[1:] != table.series[:-1]
    is_last = np.append(is_other_next, True)
    return is_last & ~has_value[table.series]


def between_values(table: Table) -> ndarray:
    """Whether each row is between the first and last value of its series (N,). table: sorted."""
    known_rows = np.flatnonzero(np.isfinite(table.values))
    known_series = table.series[known_rows]
    first_row = np.full(len(table.ids), len(table))
    last_row = np.full(len(table.ids), -1)
    first_row[known_series[::-1]] = known_rows[::-1]  # the last assignment stays
    last_row[known_series] = known_rows
    rows = np.arange(len(table))
    is_after = rows >= first_row[table.series]
    is_before = rows <= last_row[table.series]
    return is_after & is_before


def grid_positions(table: Table, frequency: Frequency) -> ndarray:
    """Steps of each row since the first row of its series; OFF_GRID if off the grid. table:
    sorted."""
    count = len(table.ids)
    starts, ends = _first_and_last_times(table)
    positions = frequency.position(table.times, starts[table.series])
    off_grid_counts = np.bincount(table.series[positions == OFF_GRID], minlength=count)
    lengths = np.diff(table_offsets(table))
    suspects = np.flatnonzero(off_grid_counts > 0.5 * lengths)
    if not len(suspects):
        return positions
    # perhaps only the first row is off: count from the last one, to name the right rows
    rows = np.isin(table.series, suspects)
    series = table.series[rows]
    from_end = frequency.position(table.times[rows], ends[series])
    counts_from_end = np.bincount(series[from_end == OFF_GRID], minlength=count)
    has_fewer = counts_from_end < off_grid_counts
    positions[rows] = np.where(has_fewer[series], from_end, positions[rows])
    return positions


def filled(
    table: Table, positions: ndarray, column: ndarray
) -> tuple[ndarray, ndarray]:
    """A column of the table on the whole grid, NaN without a row, and the offsets of the series."""
    offsets = table_offsets(table)
    last_positions = positions[offsets[1:] - 1]
    grid = offsets_of(last_positions + 1)
    begins = grid[:-1]
    values = np.full(grid[-1], np.nan)
    values[begins[table.series] + positions] = column
    return values, grid


def _on_grid(table: Table, positions: ndarray, column: ndarray) -> ndarray:
    values, _ = filled(table, positions, column)
    return values


def interpolated(values: ndarray, as_integers: bool) -> ndarray:
    """Interpolate missing values linearly; every series starts and ends with a value."""
    is_known = np.isfinite(values)
    rows = np.arange(len(values))
    line = np.interp(rows, rows[is_known], values[is_known])
    if as_integers:
        line = np.rint(line)
    return np.where(is_known, values, line)
