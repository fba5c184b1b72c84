"""Sort, group and select the rows of a table."""

# S series · N rows · G groups of rows

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy import ndarray

from lstmcast.data.features import reduced_by
from lstmcast.data.ragged import series_numbers
from lstmcast.data.reducing import reduced
from lstmcast.data.table import Table


def in_order(table: Table) -> Table:
    """The rows sorted by series and time; rows of one time stay in their order."""
    series_steps = np.diff(table.series)
    time_steps = np.diff(table.times)
    zero = np.zeros(1, time_steps.dtype)
    is_next = (series_steps > 0) | ((series_steps == 0) & (time_steps >= zero))
    if is_next.all():
        return table
    order = np.lexsort((table.times, table.series))
    return select_rows(table, order)


def select_rows(table: Table, rows: ndarray) -> Table:
    return replace(
        table,
        series=table.series[rows],
        times=table.times[rows],
        values=table.values[rows],
        lines=table.lines[rows],
        past={name: column[rows] for name, column in table.past.items()},
    )


def group_begins(series: ndarray, keys: ndarray) -> ndarray:
    """The starts of runs of rows of one series with one key (G,)."""
    if not len(series):
        return np.zeros(0, dtype=np.int64)
    other_series = series[1:] != series[:-1]
    other_key = keys[1:] != keys[:-1]
    is_first = np.r_[True, other_series | other_key]
    return np.flatnonzero(is_first)


def grouped(table: Table, begins: ndarray, method: str) -> Table:
    """One row for each run of rows: values are reduced, the rest is that of the first row."""
    past = {}
    for name, column in table.past.items():
        past[name] = reduced(column, begins, reduced_by(method))
    values = reduced(table.values, begins, method)
    return replace(select_rows(table, begins), values=values, past=past)


def only(table: Table, is_kept: ndarray) -> Table:
    """The table with only these rows, without series that become empty."""
    if is_kept.all() and np.bincount(table.series, minlength=len(table.ids)).all():
        return table
    table = select_rows(table, np.flatnonzero(is_kept))
    present, series = np.unique(table.series, return_inverse=True)
    return replace(
        table,
        series=series.astype(np.int64),
        ids=table.ids[present],
        keys=table.keys.take(present),
    )


def with_rows_of_zeros(
    table: Table, grid: ndarray, cells: ndarray, times: ndarray
) -> Table:
    """The table with a row at each step of its grids, with value 0 if it was missing.

    grid (S+1,): the offsets of the steps of all series · cells (N,): the steps of the rows · times:
        of all steps.
    """
    size = grid[-1]
    values = np.zeros(size)
    lines = np.zeros(size, dtype=np.int64)
    values[cells] = table.values
    lines[cells] = table.lines
    past = {}
    for name, column in table.past.items():
        past[name] = np.full(size, np.nan)
        past[name][cells] = column
    series = series_numbers(grid)
    return replace(
        table, series=series, times=times, values=values, lines=lines, past=past
    )
