"""Rows and columns of a wide table that sum up all others: Total, Grand Total, All."""

# S series · N rows · T time

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lstmcast.data.cells.subtotals import is_word_for_totals
from lstmcast.data.covariates.roles import Names
from lstmcast.data.findings import Finding
from lstmcast.data.table import Table
from lstmcast.data.tablerows import only

_MARGINS = "All"  # as pandas calls them
_CLOSE = 2e-3  # of the largest sum, as shown values are rounded
_MOSTLY = 0.95
_MOST_SERIES = 5000


def without_grand_totals(table: Table, names: Names) -> Table:
    """A wide table without the series that is called a total and sums up all others, with a note.

    A long table's stays: its rows were written as those of the others were.
    """
    is_named = names.target is not None and names.target != "*"
    if is_named or not 3 <= len(table.ids) <= _MOST_SERIES:
        return table
    totals = []
    for place, name in enumerate(map(str, table.ids)):
        if name == _MARGINS or is_word_for_totals(name):
            totals.append(place)
    if len(totals) != 1 or not _is_wide(table) or not _sums_up_others(table, totals[0]):
        return table
    name = str(table.ids[totals[0]])
    message = f"the series {name!r} sums up the {len(table.ids) - 1} others"
    action = "It is left out. Totals with intervals: --total-by all."
    note = Finding("totals", "note", message, action, value=name)
    shorter = only(table, table.series != totals[0])
    return replace(shorter, dropped=(*table.dropped, note))


def _is_wide(table: Table) -> bool:
    """Whether one line holds several values: of several series, or of several times."""
    return len(np.unique(table.lines)) < len(table.lines)


def _sums_up_others(table: Table, total: int) -> bool:
    """Whether a series is the sum of all others at nearly all of its times."""
    times, steps = np.unique(table.times, return_inverse=True)
    is_total = table.series == total
    values = np.nan_to_num(table.values)
    sums_T = np.bincount(steps[~is_total], values[~is_total], minlength=len(times))
    expected = sums_T[steps[is_total]]
    distances = np.abs(values[is_total] - expected)
    largest = np.abs(expected).max(initial=0)
    is_close = distances <= _CLOSE * largest
    return bool(largest > 0 and is_close.mean() >= _MOSTLY)
