"""From a table as read to regular series: sorted, one row per time, trimmed, on a grid. Each
repair is a function."""

# S series · N rows · G groups of rows

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy import ndarray

from lstmcast.data import checks
from lstmcast.data.calendars import DAY, WEEKDAYS
from lstmcast.data.checks import table_offsets
from lstmcast.data.codes import codes_for_missing
from lstmcast.data.features import Future, reduced_by
from lstmcast.data.findings import Finding, Findings, advise
from lstmcast.data.frequency import OFF_GRID, Frequency, parse_frequency
from lstmcast.data.frequency_inference import infer
from lstmcast.data.keys import Keys
from lstmcast.data.kinds import kind_findings, recognise
from lstmcast.data.limits import require_span
from lstmcast.data.observed import (
    Clock,
    Grids,
    ObservedCalendar,
    Remembered,
    findings_of,
    found_in,
    occurring_at,
)
from lstmcast.data.placing import Grid, placed
from lstmcast.data.ragged import offsets_of, places, series_numbers
from lstmcast.data.reducing import reduced
from lstmcast.data.steadying import on_business_days, steadied
from lstmcast.data.table import ReadOptions, Table, format_time
from lstmcast.data.tolerance import without_series

_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


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
        frequency, told = checks.frequency_of(table, options)
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
        alone = _rows(table, np.arange(offsets[number], offsets[number + 1]))
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
    # an error has been found: go on looking
    how = "first" if options.duplicates == "error" else options.duplicates
    return one_row_per_time(table, how), None, found


def one_row_per_time(table: Table, how: str) -> Table:
    """Rows of one series and time as one row, their values reduced. table: sorted."""
    begins = _group_begins(table.series, table.times)
    return table if len(begins) == len(table) else grouped(table, begins, how)


def _gridded(
    table: Table, frequency: Frequency, options: ReadOptions, remembered: Remembered | None
) -> tuple[Regular | None, list[Finding]]:
    positions = grid_positions(table, frequency)
    found = checks.missing(table, options) + checks.off_grid(table, positions, frequency)
    if np.any(positions == OFF_GRID):
        return None, found
    sparse = checks.too_sparse(
        table, int((positions[table_offsets(table)[1:] - 1] + 1).sum()), frequency
    )
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
    found += checks.gaps(table, positions, frequency, options, occurs)
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
    if grid[-1] == len(table) or checks.too_sparse(table, int(grid[-1]), frequency):
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
    told = Finding(checks.GAPS, "note", message, "They count as 0.", count=count)
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
    return _rows(table, np.flatnonzero(~(after & goes_on[table.series])))


def in_order(table: Table) -> Table:
    """The rows sorted by series and time; rows of one time stay in their order."""
    same = np.diff(table.series)
    if np.all(
        (same > 0)
        | ((same == 0) & (np.diff(table.times) >= np.zeros(1, np.diff(table.times[:1]).dtype)))
    ):
        return table
    order = np.lexsort((table.times, table.series))
    return _rows(table, order)


def _rows(table: Table, rows: ndarray) -> Table:
    return replace(
        table,
        series=table.series[rows],
        times=table.times[rows],
        values=table.values[rows],
        lines=table.lines[rows],
        past={name: column[rows] for name, column in table.past.items()},
    )


def _group_begins(series: ndarray, keys: ndarray) -> ndarray:
    """Where runs of rows of one series with one key begin: (G,)."""
    if not len(series):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.r_[True, (series[1:] != series[:-1]) | (keys[1:] != keys[:-1])])


def grouped(table: Table, begins: ndarray, how: str) -> Table:
    """One row for each run of rows: the values reduced, everything else that of the first row."""
    past = {name: reduced(part, begins, reduced_by(how)) for name, part in table.past.items()}
    return replace(_rows(table, begins), values=reduced(table.values, begins, how), past=past)


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


def only(table: Table, kept: ndarray) -> Table:
    """The table without the other rows, and without series that have none left."""
    if kept.all() and np.bincount(table.series, minlength=len(table.ids)).all():
        return table
    table = _rows(table, np.flatnonzero(kept))
    present, series = np.unique(table.series, return_inverse=True)
    return replace(
        table,
        series=series.astype(np.int64),
        ids=table.ids[present],
        keys=table.keys.take(present),
    )


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
    table, bins = _rows(table, np.flatnonzero(kept)), bins[kept]
    begins = _group_begins(table.series, bins)
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
        frequency, found = checks.frequency_of(table, options)
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
    sparse = checks.too_sparse(table, int(grid[-1]), frequency)
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
