"""Rows of what is known in advance onto the grids of series, from their first step on and beyond
their ends; other frequencies are brought to that of the series."""

# R rows · G groups of rows · S series · M steps of all series that something is known of · K cells

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.data.calendars import DAY, HOUR, MINUTE, SECOND, WEEK, micros_of
from lstmcast.data.features import Future, reduced_by
from lstmcast.data.findings import Finding
from lstmcast.data.frequency import OFF_GRID, Frequency
from lstmcast.data.frequency_inference import infer
from lstmcast.data.known import KnownRows
from lstmcast.data.levels import recoded
from lstmcast.data.placingnotes import (
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
from lstmcast.data.ragged import offsets_of, segments, series_numbers
from lstmcast.data.ragged import places as steps_of
from lstmcast.data.reducing import reduced
from lstmcast.data.table import ReadOptions
from lstmcast.errors import DataError

_LATE = 0.02  # of a step: by so much a clock may be early or late
_MOST_STEPS = 50_000_000  # of all series: more, and a date in the future table is a mistake
_LENGTHS = {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY, "week": WEEK}
_LENGTHS |= {"business day": DAY, "half month": 15 * DAY, "month": 30 * DAY}
_LENGTHS |= {"quarter": 91 * DAY, "year": 365 * DAY}
_FIXED_UNITS = ("second", "minute", "hour", "day", "week")


class _Cells(NamedTuple):
    """Values at steps of series: their numbers and steps (K,), and columns (K,) by name."""

    series: ndarray
    steps: ndarray
    columns: Mapping[str, ndarray]
    levels: Mapping[str, tuple[str, ...]]


def placed(
    known: Sequence[KnownRows], grid: Grid, options: ReadOptions
) -> tuple[Future, list[Finding]]:
    """What is known in advance on the grids of series, and what was noticed on the way, errors
    included. Rows of later tables count where several say something of one step."""
    own_tables = [rows for rows in known if rows.own]
    findings = silent_series(own_tables, grid)
    tables = []
    for rows in known:
        cells, notes = _cells(rows, grid, options)
        findings += notes
        tables.append(cells)
    findings += mixed_columns(known)
    if any(finding.severity == "error" for finding in findings):
        return Future(), findings
    future = _joined(tables, len(grid.ids))
    return future, findings + coverage_notes(future, grid)


def _cells(rows: KnownRows, grid: Grid, options: ReadOptions) -> tuple[_Cells, list[Finding]]:
    """One table on the grids."""
    rows, groups = rows.of(grid.ids)
    if rows.times.dtype.kind != grid.starts.dtype.kind:
        return _nothing(rows), [other_times(rows, grid)]
    if not len(rows.series):
        return _nothing(rows), []
    if not rows.own and options.aggregate is not None:
        return _by_period(rows, groups, grid, reduced_by(options.aggregate)), []
    own = _frequency_of(rows) if rows.own else None
    longer = 0 if own is None else _compared(own, grid.frequency)
    if longer < 0:
        note = alignment_note(rows, own, f"means over each step ({grid.frequency.name})")
        return _by_period(rows, groups, grid, "mean"), [note]
    repeated = repeated_rows(rows, groups, grid)
    refuses_repeats = options.duplicates == "error"
    if len(repeated) and (rows.own or refuses_repeats):
        return _nothing(rows), [duplicate_rows(rows, repeated, groups, grid)]
    how = "first" if refuses_repeats else reduced_by(options.duplicates)
    rows = _one_row_per_time(rows, how)
    if longer > 0 and own is not None:
        note = alignment_note(rows, own, f"each value is held for its {_held(own)}")
        return _held_on(rows, groups, grid, own), [note]
    return _as_they_are(rows, groups, grid)


def _nothing(rows: KnownRows) -> _Cells:
    nowhere = np.zeros(0, np.int64)
    columns = {name: np.zeros(0) for name in rows.columns}
    return _Cells(nowhere, nowhere, columns, rows.levels)


def _as_they_are(rows: KnownRows, groups: ndarray, grid: Grid) -> tuple[_Cells, list[Finding]]:
    """Rows at the steps whose times they have."""
    series, row_numbers = _rows_of_series(rows, groups)
    times, starts = rows.times[row_numbers], grid.starts[series]
    steps = _steps_since(times, starts, grid.frequency)
    off = np.flatnonzero(steps == OFF_GRID)
    if len(off):
        return _nothing(rows), [off_grid_rows(rows, row_numbers, series, off, grid)]
    return _cells_of(rows, row_numbers, series, steps), []


def _rows_of_series(rows: KnownRows, groups: ndarray) -> tuple[ndarray, ndarray]:
    """The rows of each series, one series after the other: numbers of series and of rows (K,)."""
    begins = np.searchsorted(rows.series, groups, side="left")
    ends = np.searchsorted(rows.series, groups, side="right")
    counts = np.where(groups < 0, 0, ends - begins)
    all_rows = np.array([0, len(rows.series)])
    first_part = np.zeros(len(groups), np.int64)
    row_numbers, _ = segments(all_rows, first_part, begins, counts)
    return np.repeat(np.arange(len(groups)), counts), row_numbers


def _cells_of(rows: KnownRows, row_numbers: ndarray, series: ndarray, steps: ndarray) -> _Cells:
    """Cells of rows, without those before the series begin."""
    has_begun = steps >= 0
    row_numbers = row_numbers[has_begun]
    columns = {name: values[row_numbers] for name, values in rows.columns.items()}
    return _Cells(series[has_begun], steps[has_begun], columns, rows.levels)


def _steps_since(times: ndarray, starts: ndarray, frequency: Frequency) -> ndarray:
    """Steps of times after the starts of their series; OFF_GRID where none leads there, but for
    clocks that are a little off."""
    if frequency.anchor.startswith("business"):
        times = frequency.advance(times, np.zeros(len(times), np.int64))
    steps = frequency.position(times, starts)
    if frequency.unit not in _FIXED_UNITS or times.dtype.kind != "M":
        return steps
    length = _LENGTHS[frequency.unit] * frequency.every
    distance = micros_of(times) - micros_of(starts)
    nearest = np.rint(distance / length).astype(np.int64)
    is_near = np.abs(distance - nearest * length) <= _LATE * length
    return np.where((steps == OFF_GRID) & is_near, nearest, steps)


def period_of(frequency: Frequency) -> Frequency:
    """The calendar periods that steps of a frequency stand for. Weeks that are called after their
    Monday begin with it; all others end on the day that they are called after.

    >>> period_of(Frequency("week", anchor="MON")).code, period_of(Frequency("month")).code
    ('W-SUN', 'MS')
    """
    if frequency.unit == "week" and frequency.anchor == "MON":
        return replace(frequency, anchor="SUN")
    late = frequency.anchor[:6] in ("day 29", "day 30", "day 31")
    if late:  # not every month has it: the month is meant
        return replace(frequency, anchor=f"end{frequency.anchor[6:]}")
    return frequency.grounded()


def _by_period(rows: KnownRows, groups: ndarray, grid: Grid, how: str) -> _Cells:
    """One value for all rows within a step of the series."""
    period = period_of(grid.frequency)
    rows = replace(rows, times=period.bins(rows.times))
    rows = _one_row_per_time(rows, how)
    series, row_numbers = _rows_of_series(rows, groups)
    first_bins = period.bins(grid.starts)
    steps = rows.times[row_numbers] - first_bins[series]
    return _cells_of(rows, row_numbers, series, steps)


def _one_row_per_time(rows: KnownRows, how: str) -> KnownRows:
    """Rows of one group and time as one row; of categories the commonest."""
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
            columns[name] = reduced(values, begins, how)
    return replace(rows.take(begins), columns=columns)


def _commonest(codes: ndarray, begins: ndarray) -> ndarray:
    """The most frequent known code of each run, the least of several; NaN where none is known."""
    lengths = np.diff(np.r_[begins, len(codes)])
    runs = np.repeat(np.arange(len(begins)), lengths)
    known = ~np.isnan(codes)
    pairs = np.stack([runs[known], codes[known].astype(np.int64)], axis=1)
    pairs, counts = np.unique(pairs, axis=0, return_counts=True)
    run, code = pairs.T
    order = np.lexsort((-code, counts, run))  # the last one of a run is its own
    commonest = np.full(len(begins), np.nan)
    commonest[run[order]] = code[order]
    return commonest


def _frequency_of(rows: KnownRows) -> Frequency | None:
    """The frequency that the rows of a table of its own show."""
    single = _one_row_per_time(rows, "first")
    _, counts = np.unique(single.series, return_counts=True)
    return infer(single.times, offsets_of(counts)).frequency


def _compared(own: Frequency, other: Frequency) -> int:
    """1 where steps of the first frequency are longer than those of the other, −1 where they are
    shorter, 0 where they are alike."""
    if "integer" in (own.unit, other.unit):
        return 0  # every tenth number may be a table of events
    same = own.unit == other.unit and own.every == other.every
    if same or {own.unit, other.unit} == {"day", "business day"}:
        return 0
    own_length = _LENGTHS[own.unit] * own.every
    other_length = _LENGTHS[other.unit] * other.every
    return int(np.sign(own_length - other_length))


def _held(own: Frequency) -> str:
    """What a value of a longer step is held for, in words."""
    return own.unit if own.every == 1 else f"{own.every} {own.unit}s"


def _held_on(rows: KnownRows, groups: ndarray, grid: Grid, own: Frequency) -> _Cells:
    """Each row at all steps of its period: of its month, quarter or day by the calendar, and for
    the seven days from its own on where it stands for a week."""
    begins = np.searchsorted(rows.series, groups, side="left")
    ends = np.searchsorted(rows.series, groups, side="right")
    has_rows = np.flatnonzero((groups >= 0) & (ends > begins))
    last_times = rows.times[ends[has_rows] - 1]
    offsets = offsets_of(_covered(grid, own, has_rows, last_times))
    series = has_rows[series_numbers(offsets)]
    steps = steps_of(offsets)
    times = grid.frequency.advance(grid.starts[series], steps)
    periods = _periods(times, own, rows.times)
    row_periods = _periods(rows.times, own, rows.times)
    # groups and periods as one number, in which the rows are in order
    first = row_periods.min()
    span = max(int(row_periods.max() - first) + 1, 1)
    is_inside = (periods >= first) & (periods < first + span)
    row_keys = rows.series * span + row_periods - first
    keys = groups[series] * span + periods - first
    row_numbers = np.minimum(np.searchsorted(row_keys, keys), len(row_keys) - 1)
    has_row = is_inside & (row_keys[row_numbers] == keys)
    return _cells_of(rows, row_numbers[has_row], series[has_row], steps[has_row])


def _periods(times: ndarray, own: Frequency, row_times: ndarray) -> ndarray:
    """The number of the longer period that times fall into."""
    if own.unit not in _FIXED_UNITS:
        return period_of(own).bins(times)
    length = _LENGTHS[own.unit] * own.every
    phase = 0
    if own.unit == "week" or own.every > 1:
        # a day is that of the calendar; a week begins on the day that the table has
        phase = int(micros_of(row_times[:1])[0] % length)
    return (micros_of(times) - phase) // length


def _covered(grid: Grid, own: Frequency, series: ndarray, last: ndarray) -> ndarray:
    """How many steps of series the rows until their last ones may say something of (S,)."""
    # two periods on: what lies beyond the last period finds no row
    end = micros_of(own.advance(last, 2))
    step = _LENGTHS[grid.frequency.unit] * grid.frequency.every
    steps = (end - micros_of(grid.starts[series])) // step + 1
    return np.clip(steps, 0, None)


def _joined(tables: Sequence[_Cells], count: int) -> Future:
    """All cells as columns that are as long as the longest of a series."""
    names = list(dict.fromkeys(name for cells in tables for name in cells.columns))
    if not names:
        return Future()
    lengths = np.zeros(count, np.int64)
    for cells in tables:
        np.maximum.at(lengths, cells.series, cells.steps + 1)
    offsets = offsets_of(lengths)
    if offsets[-1] > _MOST_STEPS:
        raise DataError(
            f"what is known in advance spans {int(offsets[-1]):,} steps, and up to "
            f"{_MOST_STEPS:,} are expected. Look for a time that is a mistake, such as the year "
            "2924."
        )
    columns, levels = {}, {}
    for name in names:
        with_column = [cells for cells in tables if name in cells.columns]
        texts = {text for cells in with_column for text in cells.levels.get(name, ())}
        union = tuple(sorted(texts))
        columns[name] = np.full(offsets[-1], np.nan)
        for cells in with_column:
            values = recoded(cells.columns[name], cells.levels.get(name), union)
            is_known = ~np.isnan(values)
            places = offsets[cells.series[is_known]] + cells.steps[is_known]
            columns[name][places] = values[is_known]
        if union:
            levels[name] = union
    return Future(columns, offsets, levels)
