"""Place rows of future columns on the grids of series, also beyond their ends.

Other frequencies are converted to that of the series.
"""

# R rows · G groups of rows · S series · M steps of all series that something is known of · K cells

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.covariates.placingnotes import (
    Grid,
    alignment_note,
    coverage_notes,
    duplicate_rows,
    mixed_columns,
    off_grid_rows,
    other_times,
    repeated_rows,
    silent_series,
)
from lstmcast.data.features import Future, reduced_by
from lstmcast.data.findings import Finding
from lstmcast.data.known import KnownRows
from lstmcast.data.levels import Levels, recoded, union_of
from lstmcast.data.ragged import offsets_of, segments, series_numbers
from lstmcast.data.ragged import places as steps_of
from lstmcast.data.reducing import reduced
from lstmcast.data.table import ReadOptions
from lstmcast.data.times.calendars import DAY, HOUR, MINUTE, SECOND, WEEK, micros_of
from lstmcast.data.times.frequency import OFF_GRID, Frequency
from lstmcast.data.times.frequency_inference import infer
from lstmcast.errors import DataError

_LATE = 0.02  # share of a step by which a clock may be early or late
_MOST_STEPS = 50_000_000  # above it, a future date is a mistake
_LENGTHS = {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY, "week": WEEK}
_LENGTHS |= {"business day": DAY, "half month": 15 * DAY, "month": 30 * DAY}
_LENGTHS |= {"quarter": 91 * DAY, "year": 365 * DAY}
_FIXED_UNITS = ("second", "minute", "hour", "day", "week")


class _Cells(NamedTuple):
    """Values at steps of series: indices of series and steps (K,), and columns (K,) by name."""

    series: ndarray
    steps: ndarray
    columns: Mapping[str, ndarray]
    levels: Mapping[str, Levels]


def placed(
    tables_of_rows: Sequence[KnownRows], grid: Grid, options: ReadOptions
) -> tuple[Future, list[Finding]]:
    """Place future columns on the grids of series; returns findings, errors included.

    Later tables win if several have a value for a step.
    """
    own_tables = [rows for rows in tables_of_rows if rows.own]
    findings = silent_series(own_tables, grid)
    tables = []
    for rows in tables_of_rows:
        cells, notes = _cells(rows, grid, options)
        findings += notes
        tables.append(cells)
    findings += mixed_columns(tables_of_rows)
    if any(finding.severity == "error" for finding in findings):
        return Future(), findings
    future = _joined(tables, len(grid.ids))
    return future, findings + coverage_notes(future, grid)


def _cells(
    rows: KnownRows, grid: Grid, options: ReadOptions
) -> tuple[_Cells, list[Finding]]:
    """One table on the grids."""
    rows, groups = rows.of(grid.ids)
    if rows.times.dtype.kind != grid.starts.dtype.kind:
        return _nothing(rows), [other_times(rows, grid)]
    if not len(rows.series):
        return _nothing(rows), []
    if not rows.own and options.aggregate is not None:
        method = reduced_by(options.aggregate)
        return _by_period(rows, groups, grid, method), []
    own_frequency = _frequency_of(rows) if rows.own else None
    longer = 0 if own_frequency is None else _compared(own_frequency, grid.frequency)
    if longer < 0:
        alignment = f"means over each step ({grid.frequency.name})"
        note = alignment_note(rows, own_frequency, alignment)
        return _by_period(rows, groups, grid, "mean"), [note]
    repeated = repeated_rows(rows)
    refuses_repeats = options.duplicates == "error"
    if len(repeated) and (rows.own or refuses_repeats):
        return _nothing(rows), [duplicate_rows(rows, repeated, groups, grid)]
    method = "first" if refuses_repeats else reduced_by(options.duplicates)
    rows = _one_row_per_time(rows, method)
    if own_frequency is not None and longer > 0:
        alignment = f"each value is repeated for its {_held(own_frequency)}"
        note = alignment_note(rows, own_frequency, alignment)
        return _held_on(rows, groups, grid, own_frequency), [note]
    return _as_they_are(rows, groups, grid)


def _nothing(rows: KnownRows) -> _Cells:
    nowhere = np.zeros(0, np.int64)
    columns = {name: np.zeros(0) for name in rows.columns}
    return _Cells(nowhere, nowhere, columns, rows.levels)


def _as_they_are(
    rows: KnownRows, groups: ndarray, grid: Grid
) -> tuple[_Cells, list[Finding]]:
    """Rows whose times are steps."""
    series, row_numbers = _rows_of_series(rows, groups)
    times = rows.times[row_numbers]
    steps = _steps_since(times, grid.starts[series], grid.frequency)
    off = np.flatnonzero(steps == OFF_GRID)
    if len(off):
        problem = off_grid_rows(rows, row_numbers[off], series[off], grid)
        return _nothing(rows), [problem]
    return _cells_of(rows, row_numbers, series, steps), []


class _Bounds(NamedTuple):
    """The first and last row of each series among those of all groups (S,)."""

    begins: ndarray
    ends: ndarray


def _bounds(rows: KnownRows, groups: ndarray) -> _Bounds:
    begins = np.searchsorted(rows.series, groups, side="left")
    ends = np.searchsorted(rows.series, groups, side="right")
    return _Bounds(begins, ends)


def _rows_of_series(rows: KnownRows, groups: ndarray) -> tuple[ndarray, ndarray]:
    """The rows of each series, concatenated: indices of series and of rows (K,)."""
    bounds = _bounds(rows, groups)
    counts = np.where(groups < 0, 0, bounds.ends - bounds.begins)
    # all rows as one segment, of which each series takes a part
    offsets = np.array([0, len(rows.series)])
    segment = np.zeros(len(groups), np.int64)
    row_numbers, _ = segments(offsets, segment, bounds.begins, counts)
    series = np.repeat(np.arange(len(groups)), counts)
    return series, row_numbers


def _cells_of(
    rows: KnownRows, row_numbers: ndarray, series: ndarray, steps: ndarray
) -> _Cells:
    """Cells of rows, without those before the start of a series."""
    has_begun = steps >= 0
    row_numbers = row_numbers[has_begun]
    columns = {}
    for name, values in rows.columns.items():
        columns[name] = values[row_numbers]
    return _Cells(series[has_begun], steps[has_begun], columns, rows.levels)


def _steps_since(times: ndarray, starts: ndarray, frequency: Frequency) -> ndarray:
    """Steps from the start of each series to the times; OFF_GRID for times off the grid.

    Clocks may be slightly off.
    """
    if frequency.anchor.startswith("business"):
        no_steps = np.zeros(len(times), np.int64)
        times = frequency.advance(times, no_steps)
    steps = frequency.position(times, starts)
    if frequency.unit not in _FIXED_UNITS or times.dtype.kind != "M":
        return steps
    length = _length(frequency)
    distance = micros_of(times) - micros_of(starts)
    nearest = np.rint(distance / length).astype(np.int64)
    deviation = np.abs(distance - nearest * length)
    is_late = (steps == OFF_GRID) & (deviation <= _LATE * length)
    return np.where(is_late, nearest, steps)


def _length(frequency: Frequency) -> int:
    """The typical length of a step in microseconds."""
    return _LENGTHS[frequency.unit] * frequency.every


def period_of(frequency: Frequency) -> Frequency:
    """The calendar periods of the steps of a frequency.

    Weeks named by their Monday begin with it; other weeks end on the day that names them.

    >>> period_of(Frequency("week", anchor="MON")).code, period_of(Frequency("month")).code
    ('W-SUN', 'MS')
    """
    if frequency.unit == "week" and frequency.anchor == "MON":
        return replace(frequency, anchor="SUN")
    anchor = frequency.anchor
    if anchor[:6] in (
        "day 29",
        "day 30",
        "day 31",
    ):  # not every month has this day: the month is meant
        return replace(frequency, anchor=f"end{anchor[6:]}")
    return frequency.grounded()


def _by_period(rows: KnownRows, groups: ndarray, grid: Grid, method: str) -> _Cells:
    """Reduce the rows within a step of the series to one value."""
    period = period_of(grid.frequency)
    rows = replace(rows, times=period.bins(rows.times))
    rows = _one_row_per_time(rows, method)
    series, row_numbers = _rows_of_series(rows, groups)
    first_bins = period.bins(grid.starts)
    bins = rows.times[row_numbers]
    return _cells_of(rows, row_numbers, series, bins - first_bins[series])


def _one_row_per_time(rows: KnownRows, method: str) -> KnownRows:
    """Reduce rows of one group and time to one row; categories to the most frequent one."""
    differs = rows.series[1:] != rows.series[:-1]
    differs |= rows.times[1:] != rows.times[:-1]
    begins = np.flatnonzero(np.r_[True, differs])
    if len(begins) == len(rows.series):
        return rows
    columns = {}
    for name, values in rows.columns.items():
        if name in rows.levels:
            columns[name] = _commonest(values, begins)
        else:
            columns[name] = reduced(values, begins, method)
    return replace(rows.take(begins), columns=columns)


def _commonest(codes: ndarray, begins: ndarray) -> ndarray:
    """The most frequent known code of each run, the smallest if tied; NaN if none is known."""
    lengths = np.diff(np.r_[begins, len(codes)])
    runs = np.repeat(np.arange(len(begins)), lengths)
    is_known = ~np.isnan(codes)
    known_runs = runs[is_known]
    known_codes = codes[is_known].astype(np.int64)
    pairs = np.stack([known_runs, known_codes], axis=1)
    distinct, counts = np.unique(pairs, axis=0, return_counts=True)
    run, code = distinct.T
    order = np.lexsort((-code, counts, run))  # the last row of a run ends it
    commonest = np.full(len(begins), np.nan)
    commonest[run[order]] = code[order]
    return commonest


def _frequency_of(rows: KnownRows) -> Frequency | None:
    """The frequency of the rows of a separate table."""
    single = _one_row_per_time(rows, "first")
    _, counts = np.unique(single.series, return_counts=True)
    return infer(single.times, offsets_of(counts)).frequency


def _compared(first: Frequency, second: Frequency) -> int:
    """1 if steps of the first frequency are longer than those of the other, −1 if shorter, else
    0."""
    units = {first.unit, second.unit}
    if "integer" in units:
        return 0  # a tenth of the steps may be a table of events
    is_same = first.unit == second.unit and first.every == second.every
    if is_same or units == {"day", "business day"}:
        return 0
    return int(np.sign(_length(first) - _length(second)))


def _held(frequency: Frequency) -> str:
    """The period for which a value of a longer step is repeated, in words."""
    return (
        frequency.unit
        if frequency.every == 1
        else f"{frequency.every} {frequency.unit}s"
    )


def _held_on(
    rows: KnownRows, groups: ndarray, grid: Grid, row_frequency: Frequency
) -> _Cells:
    """Repeat each row at all steps of its period.

    Periods are calendar months, quarters or days; a week is the seven days from that of the row.
    """
    bounds = _bounds(rows, groups)
    has_rows = np.flatnonzero((groups >= 0) & (bounds.ends > bounds.begins))
    last_rows = bounds.ends[has_rows] - 1
    counts = _covered(grid, row_frequency, has_rows, rows.times[last_rows])
    offsets = offsets_of(counts)
    series = has_rows[series_numbers(offsets)]
    steps = steps_of(offsets)
    times = grid.frequency.advance(grid.starts[series], steps)
    periods = _periods(times, row_frequency, rows.times)
    row_periods = _periods(rows.times, row_frequency, rows.times)
    # groups and periods as one number, by which the rows are sorted
    first = row_periods.min()
    last_period = row_periods.max()
    span = int(last_period - first) + 1
    row_keys = rows.series * span + row_periods - first
    keys = groups[series] * span + periods - first
    row_numbers = np.searchsorted(row_keys, keys)
    row_numbers = np.minimum(row_numbers, len(row_keys) - 1)
    is_inside = (periods >= first) & (periods < first + span)
    has_row = is_inside & (row_keys[row_numbers] == keys)
    return _cells_of(rows, row_numbers[has_row], series[has_row], steps[has_row])


def _periods(times: ndarray, frequency: Frequency, row_times: ndarray) -> ndarray:
    """The index of the longer period of each time."""
    if frequency.unit not in _FIXED_UNITS:
        return period_of(frequency).bins(times)
    length = _length(frequency)
    phase = 0
    if frequency.unit == "week" or frequency.every > 1:
        # days are calendar days; weeks begin on the weekday of the table
        first_micros = micros_of(row_times[:1])[0]
        phase = int(first_micros % length)
    return (micros_of(times) - phase) // length


def _covered(
    grid: Grid, row_frequency: Frequency, series: ndarray, last_times: ndarray
) -> ndarray:
    # two periods on: steps after the last period have no row
    """The largest number of steps of each series that the rows may cover (S,)."""
    end_times = row_frequency.advance(last_times, 2)
    span = micros_of(end_times) - micros_of(grid.starts[series])
    steps = span // _length(grid.frequency) + 1
    return np.clip(steps, 0, None)


def _joined(tables: Sequence[_Cells], count: int) -> Future:
    """All cells as columns as long as the longest one of each series."""
    names: dict[str, None] = {}  # in order, without repeats
    lengths = np.zeros(count, np.int64)
    for cells in tables:
        names |= dict.fromkeys(cells.columns)
        np.maximum.at(lengths, cells.series, cells.steps + 1)
    if not names:
        return Future()
    offsets = offsets_of(lengths)
    if offsets[-1] > _MOST_STEPS:
        raise DataError(
            f"the future columns span {int(offsets[-1]):,} steps; at most {_MOST_STEPS:,} are "
            "expected. Look for a wrong time, such as the year 2924."
        )
    columns, levels = {}, {}
    for name in names:
        with_column = [cells for cells in tables if name in cells.columns]
        columns[name], union = _joined_column(name, with_column, offsets)
        if union:
            levels[name] = union
    return Future(columns, offsets, levels)


def _joined_column(
    name: str, tables: Sequence[_Cells], offsets: ndarray
) -> tuple[ndarray, Levels]:
    """One column of all tables (M,), and its categories."""
    union = union_of(cells.levels.get(name, ()) for cells in tables)
    column = np.full(offsets[-1], np.nan)
    for cells in tables:
        values = recoded(cells.columns[name], cells.levels.get(name), union)
        is_known = ~np.isnan(values)
        begins = offsets[cells.series[is_known]]
        column[begins + cells.steps[is_known]] = values[is_known]
    return column, union
