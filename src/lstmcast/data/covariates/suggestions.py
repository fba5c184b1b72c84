"""Suggest unnamed columns that may be known in advance: they continue after the target."""

# R rows of the sheet · K target columns

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.columns import CALENDAR_PARTS, ask
from lstmcast.data.cells.values import is_plain
from lstmcast.data.features import listed
from lstmcast.data.findings import Finding
from lstmcast.data.sheet import Column, folded

RULE = "likely known in advance"
_MOST = 8  # names of columns that only number or date the rows
_COUNTERS = re.compile(r"(unnamed.*|column\d+|index|id|no|nr|row|instant|#)\.?")


def going_on(
    columns: Sequence[Column], times: ndarray, codes: ndarray, values: ndarray
) -> list[Finding]:
    """The finding about columns with values after the last one of the target.

    columns: unused columns · times, codes (R,): time and series of each row · values (R, K): the
        targets.
    """
    is_known = np.asarray(np.isfinite(values).any(axis=1))
    is_after = _after(times, codes, is_known)
    if not is_after.any():
        return []
    continued = []
    for column in columns:
        if _is_likely(column) and not column.missing[is_after].all():
            continued.append(column)
    names = [column.name for column in continued[:_MOST]]
    if not names:
        return []
    verb, are_known = (
        ("continues", "it is") if len(names) == 1 else ("continue", "they are")
    )
    message = f"{listed(names)} {verb} after the last values of the target"
    option = ask("future", ",".join(names))
    action = f"If {are_known} known in advance, use {option}."
    return [Finding(RULE, "note", message, action, count=len(continued))]


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


def _is_likely(column: Column) -> bool:
    """Whether a column holds numbers or yes and no, and is not a part of the date or a counter."""
    name = folded(column.name)
    if name in CALENDAR_PARTS or _COUNTERS.fullmatch(name):
        return False
    return is_plain(column)
