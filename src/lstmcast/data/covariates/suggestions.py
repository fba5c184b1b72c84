"""Suggest what unnamed columns may be: known in advance, if they continue after the target, or
attributes of series."""

# R rows of the sheet · K target columns

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.cells.columns import CALENDAR_PARTS
from lstmcast.data.cells.values import is_plain
from lstmcast.data.covariates.leaks import same
from lstmcast.data.features import listed
from lstmcast.data.findings import Finding
from lstmcast.data.ragged import lagged
from lstmcast.data.sheet import Column, folded
from lstmcast.util.patterns import pattern_of

RULE = "likely known in advance"
STATIC_RULE = "likely static"
_MOST = 8
_LAGS = (0, 1, 2, 7)  # rows by which a column may be the target
# names of columns that only number or date the rows
_COUNTERS = pattern_of(r"(unnamed.*|column\d+|index|id|no|nr|row|instant|#)\.?")


def going_on(
    columns: Sequence[Column], times: ndarray, codes: ndarray, values: ndarray
) -> list[Finding]:
    """The findings about columns with values after the last one of the target.

    Those that do not change within a series are likely static; those that never change are left
    out, and so are those that hold earlier values of the target.
    columns: unused columns · times, codes (R,): time and series of each row · values (R, K): the
        targets.
    """
    is_known = np.asarray(np.isfinite(values).any(axis=1))
    is_after = _after(times, codes, is_known)
    if not is_after.any():
        return []
    in_advance, static = [], []
    for column in columns:
        if column.missing[is_after].all() or _is_counter(column):
            continue
        if _is_attribute(column, codes):
            static.append(column.name)
        elif is_plain(column) and not _says_nothing(column, times, codes, values):
            in_advance.append(column.name)
    return _suggested(in_advance) + _suggested_static(static)


def _suggested(continued: list[str]) -> list[Finding]:
    """The note on columns that are likely known in advance; none without any."""
    names = continued[:_MOST]
    if not names:
        return []
    verb, are_known = (
        ("continues", "it is") if len(names) == 1 else ("continue", "they are")
    )
    message = f"{listed(names)} {verb} after the last values of the target"
    option = advise("future", ",".join(names))
    action = f"If {are_known} known in advance, use {option}."
    return [Finding(RULE, "note", message, action, count=len(continued))]


def _suggested_static(attributes: list[str]) -> list[Finding]:
    """The note on columns that describe series; none without any."""
    names = attributes[:_MOST]
    if not names:
        return []
    verb = "does" if len(names) == 1 else "do"
    message = f"{listed(names)} {verb} not change within a series"
    role = "it as a static column" if len(names) == 1 else "them as static columns"
    action = f"To use {role}, use {advise('static', ','.join(names))}."
    return [Finding(STATIC_RULE, "note", message, action, count=len(attributes))]


def _after(times: ndarray, codes: ndarray, is_known: ndarray) -> ndarray:
    """Whether each row is after the last known value of its series (R,); False without values."""
    if not is_known.any() or is_known.all():
        return np.zeros(len(times), bool)
    order = np.lexsort((times, codes))
    known_rows = order[is_known[order]]
    last_rows = np.full(int(codes.max()) + 1, -1)
    last_rows[codes[known_rows]] = known_rows  # the last assignment stays
    last_row = last_rows[codes]
    last_times = times[np.maximum(last_row, 0)]
    is_later = (last_row >= 0) & (times > last_times)
    return is_later & ~is_known


def _is_counter(column: Column) -> bool:
    """Whether a column is a part of the date, or numbers the rows."""
    name = folded(column.name)
    return name in CALENDAR_PARTS or _COUNTERS.fullmatch(name) is not None


def _is_attribute(column: Column, codes: ndarray) -> bool:
    """Whether a column has one value in each series, but not one in all: a size, or a group.

    A text that no two series share is a second name of theirs, and says nothing.
    """
    cells_U, cell_R = np.unique(column.cell_keys, return_inverse=True)
    if len(cells_U) < 2:
        return False
    first_S = np.full(int(codes.max()) + 1, -1)
    first_S[codes[::-1]] = cell_R[::-1]  # the last assignment stays
    is_one_value = bool((first_S[codes] == cell_R).all())
    return is_one_value and (is_plain(column) or len(cells_U) < len(first_S))


def _says_nothing(
    column: Column, times: ndarray, codes: ndarray, values: ndarray
) -> bool:
    """Whether a column never changes, or holds the target of the rows before."""
    if len(np.unique(column.cell_keys[~column.missing])) < 2:
        return True
    if column.numbers is None:
        return False
    order = np.lexsort((times, codes))
    bounds = np.flatnonzero(np.diff(codes[order], prepend=-1, append=-1))
    column_R = column.spread(column.numbers.values)[order]
    target_R = values[order, 0]
    return any(same(column_R, lagged(target_R, bounds, lag)) for lag in _LAGS)
