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
    found = silent_series([rows for rows in known if rows.own], grid)
    parts = []
    for rows in known:
        cells, told = _cells(rows, grid, options)
        found += told
        parts.append(cells)
    found += mixed_columns(known)
    if any(finding.severity == "error" for finding in found):
        return Future(), found
    future = _joined(parts, len(grid.ids))
    return future, found + coverage_notes(future, grid)


def _cells(rows: KnownRows, grid: Grid, options: ReadOptions) -> tuple[_Cells, list[Finding]]:
    """One table on the grids."""
    rows, groups = rows.of(grid.ids)
    if rows.times.dtype.kind != grid.starts.dtype.kind:
        return _nothing(rows), [other_times(rows, grid)]
    if not len(rows.series):
        return _nothing(rows), []
    found: list[Finding] = []
    if not rows.own and options.aggregate is not None:
        return _by_period(rows, groups, grid, reduced_by(options.aggregate)), found
    own = _frequency_of(rows) if rows.own else None
    side = 0 if own is None else _compared(own, grid.frequency)
    if side < 0:
        told = alignment_note(rows, own, f"means over each step ({grid.frequency.name})")
        return _by_period(rows, groups, grid, "mean"), [*found, told]
    repeated = repeated_rows(rows, groups, grid)
    if len(repeated) and (rows.own or options.duplicates == "error"):
        return _nothing(rows), [*found, duplicate_rows(rows, repeated, groups, grid)]
    how = "first" if options.duplicates == "error" else reduced_by(options.duplicates)
    rows = _one_row_per_time(rows, how)
    if side > 0 and own is not None:
        told = alignment_note(rows, own, f"each value is held for its {_held(own)}")
        return _held_on(rows, groups, grid, own), [*found, told]
    cells, told = _as_they_are(rows, groups, grid)
    return cells, found + told


def _nothing(rows: KnownRows) -> _Cells:
    none = np.zeros(0, np.int64)
    return _Cells(none, none, {name: np.zeros(0) for name in rows.columns}, rows.levels)


def _as_they_are(rows: KnownRows, groups: ndarray, grid: Grid) -> tuple[_Cells, list[Finding]]:
    """Rows at the steps whose times they have."""
    series, chosen = _rows_of_series(rows, groups)
    steps = _steps_since(rows.times[chosen], grid.starts[series], grid.frequency)
    off = np.flatnonzero(steps == OFF_GRID)
    if len(off):
        return _nothing(rows), [off_grid_rows(rows, chosen, series, off, grid)]
    return _cells_of(rows, chosen, series, steps), []


def _rows_of_series(rows: KnownRows, groups: ndarray) -> tuple[ndarray, ndarray]:
    """The rows of each series, one series after the other: numbers of series and of rows (K,)."""
    begins = np.searchsorted(rows.series, groups, side="left")
    counts = np.searchsorted(rows.series, groups, side="right") - begins
    counts = np.where(groups < 0, 0, counts)
    whole = np.array([0, len(rows.series)])
    chosen, _ = segments(whole, np.zeros(len(groups), np.int64), begins, counts)
    return np.repeat(np.arange(len(groups)), counts), chosen


def _cells_of(rows: KnownRows, chosen: ndarray, series: ndarray, steps: ndarray) -> _Cells:
    """Cells of rows, without those before the series begin."""
    kept = steps >= 0
    columns = {name: values[chosen[kept]] for name, values in rows.columns.items()}
    return _Cells(series[kept], steps[kept], columns, rows.levels)


def _steps_since(times: ndarray, starts: ndarray, frequency: Frequency) -> ndarray:
    """Steps of times after the starts of their series; OFF_GRID where none leads there, but for
    clocks that are a little off."""
    if frequency.anchor.startswith("business"):
        times = frequency.advance(times, np.zeros(len(times), np.int64))
    steps = frequency.position(times, starts)
    if frequency.unit not in _LENGTHS or times.dtype.kind != "M":
        return steps
    length = _LENGTHS[frequency.unit] * frequency.every
    apart = micros_of(times) - micros_of(starts)
    nearest = np.rint(apart / length).astype(np.int64)
    near = np.abs(apart - nearest * length) <= _LATE * length
    fixed = frequency.unit in ("second", "minute", "hour", "day", "week")
    return np.where((steps == OFF_GRID) & near & fixed, nearest, steps)


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
    bins = period.bins(rows.times)
    rows = _one_row_per_time(replace(rows, times=bins), how)
    series, chosen = _rows_of_series(rows, groups)
    return _cells_of(rows, chosen, series, rows.times[chosen] - period.bins(grid.starts)[series])


def _one_row_per_time(rows: KnownRows, how: str) -> KnownRows:
    """Rows of one group and time as one row; of categories the commonest."""
    new = (rows.series[1:] != rows.series[:-1]) | (rows.times[1:] != rows.times[:-1])
    begins = np.flatnonzero(np.r_[True, new])
    if len(begins) == len(rows.series):
        return rows
    columns = {
        name: _commonest(values, begins) if name in rows.levels else reduced(values, begins, how)
        for name, values in rows.columns.items()
    }
    return replace(rows.take(begins), columns=columns)


def _commonest(codes: ndarray, begins: ndarray) -> ndarray:
    """The most frequent known code of each run, the least of several; NaN where none is known."""
    groups = np.repeat(np.arange(len(begins)), np.diff(np.r_[begins, len(codes)]))
    known = ~np.isnan(codes)
    pairs, counts = np.unique(
        np.stack([groups[known], codes[known].astype(np.int64)], axis=1), axis=0, return_counts=True
    )
    order = np.lexsort((-pairs[:, 1], counts, pairs[:, 0]))  # the last one of a group is its own
    commonest = np.full(len(begins), np.nan)
    commonest[pairs[order, 0]] = pairs[order, 1]
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
    lengths = [_LENGTHS[one.unit] * one.every for one in (own, other)]
    alike = own.unit == other.unit and own.every == other.every
    if alike or {own.unit, other.unit} == {"day", "business day"}:
        return 0
    return int(np.sign(lengths[0] - lengths[1]))


def _held(own: Frequency) -> str:
    """What a value of a longer step is held for, in words."""
    return own.unit if own.every == 1 else f"{own.every} {own.unit}s"


def _held_on(rows: KnownRows, groups: ndarray, grid: Grid, own: Frequency) -> _Cells:
    """Each row at all steps of its period: of its month, quarter or day by the calendar, and for
    the seven days from its own on where it stands for a week."""
    low, high = (np.searchsorted(rows.series, groups, side=side) for side in ("left", "right"))
    series = np.flatnonzero((groups >= 0) & (high > low))
    steps = _covered(grid, own, series, rows.times[high[series] - 1])
    offsets = offsets_of(steps)
    numbers, places = series[series_numbers(offsets)], steps_of(offsets)
    wanted = _periods(grid.frequency.advance(grid.starts[numbers], places), own, rows.times)
    bins = _periods(rows.times, own, rows.times)
    # groups and periods as one number, in which the rows are in order
    first, span = bins.min(), max(int(bins.max() - bins.min()) + 1, 1)
    inside = (wanted >= first) & (wanted < first + span)
    keys = rows.series * span + bins - first
    asked = groups[numbers] * span + wanted - first
    found = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    kept = inside & (keys[found] == asked)
    return _cells_of(rows, found[kept], numbers[kept], places[kept])


def _periods(times: ndarray, own: Frequency, told: ndarray) -> ndarray:
    """The number of the longer period that times fall into; told: times of the rows."""
    if own.unit in ("week", "day", "hour", "minute", "second"):
        length = _LENGTHS[own.unit] * own.every
        # a day is that of the calendar; a week begins on the day that the table has
        phase = int(micros_of(told[:1])[0] % length) if own.unit == "week" or own.every > 1 else 0
        return (micros_of(times) - phase) // length
    return period_of(own).bins(times)


def _covered(grid: Grid, own: Frequency, series: ndarray, last: ndarray) -> ndarray:
    """How many steps of series the rows until their last ones may say something of (S,)."""
    # two periods on: what lies beyond the last period finds no row
    end = micros_of(own.advance(last, 2))
    step = _LENGTHS[grid.frequency.unit] * grid.frequency.every
    steps = (end - micros_of(grid.starts[series])) // step + 1
    return np.clip(steps, 0, None)


def _joined(parts: Sequence[_Cells], count: int) -> Future:
    """All cells as columns that are as long as the longest of a series."""
    names = list(dict.fromkeys(name for part in parts for name in part.columns))
    if not names:
        return Future()
    lengths = np.zeros(count, np.int64)
    for part in parts:
        np.maximum.at(lengths, part.series, part.steps + 1)
    offsets = offsets_of(lengths)
    if offsets[-1] > _MOST_STEPS:
        raise DataError(
            f"what is known in advance spans {int(offsets[-1]):,} steps, and up to "
            f"{_MOST_STEPS:,} are expected. Look for a time that is a mistake, such as the year "
            "2924."
        )
    columns, levels = {}, {}
    for name in names:
        own = [part for part in parts if name in part.columns]
        union = tuple(sorted({text for part in own for text in part.levels.get(name, ())}))
        columns[name] = np.full(offsets[-1], np.nan)
        for part in own:
            values = recoded(part.columns[name], part.levels.get(name), union)
            some = ~np.isnan(values)
            columns[name][offsets[part.series[some]] + part.steps[some]] = values[some]
        levels |= {name: union} if union else {}
    return Future(columns, offsets, levels)
