"""From a table as read to regular series: sorted, one row per time, trimmed, on a grid. Each
repair is a function."""

# S series · N rows · G groups of rows

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy import ndarray

from lstmcast.data import checks
from lstmcast.data.aggregating import aggregated
from lstmcast.data.codes import codes_for_missing
from lstmcast.data.features import Future
from lstmcast.data.findings import GAPS, Finding, Findings
from lstmcast.data.frequency import OFF_GRID, Frequency
from lstmcast.data.frequency_inference import infer
from lstmcast.data.frequencychecks import frequency_of, off_grid, table_offsets
from lstmcast.data.gapchecks import gaps, too_sparse
from lstmcast.data.keys import Keys
from lstmcast.data.kinds import kind_findings, recognise
from lstmcast.data.limits import require_span
from lstmcast.data.observed import Clock, ObservedCalendar, occurring_at
from lstmcast.data.observing import Grids, Remembered, findings_of, found_in
from lstmcast.data.placing import placed
from lstmcast.data.placingnotes import Grid
from lstmcast.data.ragged import offsets_of, places, series_numbers
from lstmcast.data.steadying import on_business_days, steadied
from lstmcast.data.table import ReadOptions, Table
from lstmcast.data.tablerows import group_begins, grouped, in_order, only, select_rows
from lstmcast.data.tolerance import without_series


@dataclass(frozen=True, eq=False)
class Regular:
    """Series on their grids: values (N,), offsets (S+1,), ids (S,) and their keys, starts (S,), and
    the columns beside the target, by name (N,), and those that are known in advance."""

    values: ndarray
    offsets: ndarray
    ids: ndarray
    starts: ndarray
    frequency: Frequency
    keys: Keys
    recognised: ndarray  # what each series looks like, (S,)
    past: Mapping[str, ndarray]
    calendar: ObservedCalendar | None
    future: Future


def regularise(
    table: Table, options: ReadOptions, remembered: Remembered | None = None
) -> tuple[Regular | None, Findings]:
    """Check and repair a table: regular series, None where errors are in the way, and all findings.
    remembered: the calendar of a saved model that the data continue.

    Rules that need what an error denies (a grid without a frequency) are left out; all others have
    spoken.
    """
    if nothing := checks.empty(table, options):
        return None, Findings([*table.dropped, *nothing])
    found = [*table.dropped, *checks.time_zone(table), *checks.unsorted(table)]
    table = without_coming(in_order(table))
    found += checks.infinite(table)
    found += codes_for_missing(table)
    past = {name: _finite(column) for name, column in table.past.items()}
    table = replace(table, values=_finite(table.values), past=past)
    table, frequency, told = _without_repeats(table, options)
    kept = between_values(table)
    found += told + checks.edges(table, kept)
    whole, table = table, only(table, kept | _newest_of_void(table, kept))
    found += checks.negative(table, options) + checks.fractional(table, options)
    if options.aggregate is None:
        table, told = steadied(table)
        found += told
        frequency, told = frequency_of(table, options)
        found += told
    if options.aggregate is None and frequency is not None:
        table, told = on_business_days(table, frequency)
        found += told
    # of mixed frequencies, none has a grid that says more
    if frequency is None or Findings(told).errors:
        return None, Findings([*found, *checks.missing(table, options)])
    found += checks.stopped(whole, kept, frequency)
    times = table.times[table_offsets(table)[:-1]], table.times[table_offsets(table)[1:] - 1]
    require_span(*times, table.source)
    regular, told = _gridded(table, frequency, options, remembered)
    findings = Findings([*found, *told])
    return (None if findings.errors else regular), findings


def skipping(
    table: Table, options: ReadOptions, remembered: Remembered | None = None
) -> tuple[Table, ReadOptions]:
    """A table without the series with which it could not be used, and the options with the
    frequency that most of it has.

    Each series is looked at alone. Where none can be used, or none is to blame, nothing is left
    out.
    """
    table = in_order(table)
    frequency = options.frequency
    if frequency is None and options.aggregate is None:
        single = one_row_per_time(table, "first")
        found = infer(single.times, table_offsets(single))
        frequency = None if found.frequency is None else found.frequency.code
    options = replace(options, frequency=frequency)
    offsets, reasons = table_offsets(table), {}
    for number in range(len(table.ids)):
        alone = select_rows(table, np.arange(offsets[number], offsets[number + 1]))
        chosen = np.array([number])
        alone = replace(
            alone,
            series=np.zeros(len(alone), np.int64),
            ids=table.ids[chosen],
            keys=table.keys.take(chosen),
            dropped=(),
            skipped={},
        )
        regular, findings = regularise(alone, options, remembered)
        if regular is None:
            reasons[number] = "; ".join(finding.text for finding in findings.errors)
    if not reasons or len(reasons) == len(table.ids):
        return table, options
    return without_series(table, reasons), options


def _finite(values: ndarray) -> ndarray:
    return np.where(np.isinf(values), np.nan, values)


def _without_repeats(
    table: Table, options: ReadOptions
) -> tuple[Table, Frequency | None, list[Finding]]:
    if options.aggregate is not None:
        return aggregated(table, options)
    found = checks.duplicates(table, options)
    # an error has been found: keep looking
    how = "first" if options.duplicates == "error" else options.duplicates
    return one_row_per_time(table, how), None, found


def one_row_per_time(table: Table, how: str) -> Table:
    """Rows of one series and time as one row, their values reduced. table: sorted."""
    begins = group_begins(table.series, table.times)
    return table if len(begins) == len(table) else grouped(table, begins, how)


def _gridded(
    table: Table, frequency: Frequency, options: ReadOptions, remembered: Remembered | None
) -> tuple[Regular | None, list[Finding]]:
    positions = grid_positions(table, frequency)
    found = checks.missing(table, options) + off_grid(table, positions, frequency)
    if np.any(positions == OFF_GRID):
        return None, found
    sparse = too_sparse(table, int((positions[table_offsets(table)[1:] - 1] + 1).sum()), frequency)
    if sparse:
        return None, found + sparse
    if options.gaps == "zero":
        table, positions, told = _zeros_between(table, positions, frequency)
        found += told
    values, offsets = filled(table, positions, table.values)
    # periods and times that were made 0 have no line
    present = filled(table, positions, table.lines > 0)[0] == 1
    starts = table.times[table_offsets(table)[:-1]]
    grids = Grids(present, offsets, starts, frequency)
    calendar = _calendar(table, grids, options, remembered)
    occurs = occurring_at(calendar, offsets, starts, frequency)
    found += gaps(table, positions, frequency, options, occurs)
    found += [] if calendar is None else findings_of(calendar, table.ids)
    values = np.where(occurs | present, values, np.nan)
    recognised = recognise(values, offsets)  # before straight lines put fractions between counts
    found += [] if options.kind else kind_findings(table.ids, recognised)
    # What is missing beside the target stays so: a line would end at values that came later.
    past = {name: filled(table, positions, part)[0] for name, part in table.past.items()}
    if options.missing == "interpolate":
        line = interpolated(values, whole=options.kind == "count")
        values = np.where(occurs, line, values)
    grid = Grid(table.ids, starts, np.diff(offsets), frequency)
    future, told = placed(table.known, grid, options)
    about = (table.ids, starts, frequency, table.keys, recognised)
    return Regular(values, offsets, *about, past, calendar, future), found + told


def _calendar(
    table: Table, grids: Grids, options: ReadOptions, remembered: Remembered | None
) -> ObservedCalendar | None:
    """Which times occur, where not all do. Where an absent row means 0 all do, unless somebody
    says otherwise."""
    zeros = options.gaps == "zero" or options.aggregate in ("sum", "count")
    if options.calendar == "all" or (zeros and options.calendar is None):
        return None
    if remembered is not None:
        return remembered.of(table.ids, grids)
    clock = Clock(table.time_zone, table.frame_zone)
    return found_in(grids, clock, asked=options.calendar == "observed")


def _zeros_between(
    table: Table, positions: ndarray, frequency: Frequency
) -> tuple[Table, ndarray, list[Finding]]:
    """Rows of value 0 for times without a row, from the first one of each series to the last one
    of all that is on its grid."""
    offsets = table_offsets(table)
    last = frequency.position(
        np.broadcast_to(table.times.max(), len(table.ids)), table.times[offsets[:-1]]
    )
    grid = offsets_of(np.maximum(positions[offsets[1:] - 1], last) + 1)
    if grid[-1] == len(table) or too_sparse(table, int(grid[-1]), frequency):
        return table, positions, []
    series, steps = series_numbers(grid), places(grid)
    cells = grid[:-1][table.series] + positions
    values, lines = np.zeros(grid[-1]), np.zeros(grid[-1], dtype=np.int64)
    values[cells], lines[cells] = table.values, table.lines
    past = {name: np.full(grid[-1], np.nan) for name in table.past}
    for name, column in table.past.items():
        past[name][cells] = column
    times = frequency.advance(table.times[offsets[:-1]][series], steps)
    whole = replace(table, series=series, times=times, values=values, lines=lines, past=past)
    count = int(grid[-1]) - len(table)
    message = f"{count:,} of {int(grid[-1]):,} times have no row"
    told = Finding(GAPS, "note", message, "They count as 0.", count=count)
    return whole, steps, [told]


def without_coming(table: Table) -> Table:
    """The table without rows after the last value of each series that something is known in advance
    of: they are no missing values, but coming steps. table: sorted."""
    if not table.known:
        return table
    known = np.flatnonzero(np.isfinite(table.values))
    last = np.full(len(table.ids), len(table))
    last[table.series[known]] = known  # the last assignment stays
    goes_on = np.zeros(len(table.ids), bool)
    for rows in table.known:
        times, said = rows.latest(table.ids)
        if len(known) and rows.times.dtype.kind == table.times.dtype.kind:
            goes_on |= said & (times > table.times[np.minimum(last, len(table) - 1)])
    after = np.arange(len(table)) > last[table.series]
    return select_rows(table, np.flatnonzero(~(after & goes_on[table.series])))


def _newest_of_void(table: Table, kept: ndarray) -> ndarray:
    """The last row of each series without any value, of which static columns say something (N,)."""
    newest = np.zeros(len(kept), bool)
    if not table.static:
        return newest
    has_value = np.zeros(len(table.ids), bool)
    has_value[table.series[kept]] = True
    last = np.append(table.series[1:] != table.series[:-1], True)
    return last & ~has_value[table.series]


def between_values(table: Table) -> ndarray:
    """Which rows lie between the first and the last value of their series: (N,) bool. table:
    sorted."""
    known = np.flatnonzero(np.isfinite(table.values))
    first, last = np.full(len(table.ids), len(table)), np.full(len(table.ids), -1)
    first[table.series[known][::-1]] = known[::-1]  # the last assignment stays
    last[table.series[known]] = known
    rows = np.arange(len(table))
    return (rows >= first[table.series]) & (rows <= last[table.series])


def grid_positions(table: Table, frequency: Frequency) -> ndarray:
    """Steps of each row since the first row of its series; OFF_GRID where a row is not on the
    grid. table: sorted."""
    offsets = table_offsets(table)
    positions = frequency.position(table.times, table.times[offsets[:-1]][table.series])
    wrong = np.bincount(table.series[positions == OFF_GRID], minlength=len(table.ids))
    suspects = np.flatnonzero(wrong > 0.5 * np.diff(offsets))
    # perhaps only the first row is off: look from the last one, to name the right rows
    if len(suspects):
        rows = np.isin(table.series, suspects)
        again = frequency.position(
            table.times[rows], table.times[offsets[1:] - 1][table.series[rows]]
        )
        fewer = np.bincount(table.series[rows][again == OFF_GRID], minlength=len(table.ids)) < wrong
        positions[rows] = np.where(fewer[table.series[rows]], again, positions[rows])
    return positions


def filled(table: Table, positions: ndarray, column: ndarray) -> tuple[ndarray, ndarray]:
    """A column of the table on the whole grid, NaN where no row was, and the offsets of the
    series."""
    offsets = table_offsets(table)
    grid = offsets_of(positions[offsets[1:] - 1] + 1)
    values = np.full(grid[-1], np.nan)
    values[grid[:-1][table.series] + positions] = column
    return values, grid


def interpolated(values: ndarray, whole: bool) -> ndarray:
    """Missing values on the straight line between their neighbours; every series begins and ends
    with a value."""
    known = np.isfinite(values)
    rows = np.arange(len(values))
    line = np.interp(rows, rows[known], values[known])
    return np.where(known, values, np.rint(line) if whole else line)
