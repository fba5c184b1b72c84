"""Columns that nobody named, and that look as if they were known in advance: they continue where
the
target has ended."""

# R rows of the sheet · K target columns

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from lstmcast.data.columns import CALENDAR_PARTS, ask
from lstmcast.data.features import listed
from lstmcast.data.findings import Finding
from lstmcast.data.sheet import Column
from lstmcast.data.values import is_plain

RULE = "likely known in advance"
_MOST = 8  # columns that are named
# what only numbers or dates the rows
_COUNTERS = re.compile(r"(unnamed.*|column\d+|index|id|no|nr|row|instant|#)\.?")


def going_on(
    columns: Sequence[Column], times: ndarray, codes: ndarray, values: ndarray
) -> list[Finding]:
    """What is said of columns with values after the last one of the target.

    columns: those that are not used · times, codes (R,): of the rows, and of their series · values
    (R, K): the targets.
    """
    known = np.asarray(np.isfinite(values).any(axis=1))
    after = _after(times, codes, known)
    if not after.any():
        return []
    findings = [
        column for column in columns if _is_likely(column) and not column.missing[after].all()
    ]
    names = [column.name for column in findings[:_MOST]]
    if not names:
        return []
    one = len(names) == 1
    verb = "continues" if one else "continue"
    message = f"{listed(names)} {verb} after the last values of the target"
    how = ask("future", ",".join(names))
    action = f"If {'it is' if one else 'they are'} known in advance, use {how}."
    return [Finding(RULE, "note", message, action, count=len(findings))]


def _after(times: ndarray, codes: ndarray, known: ndarray) -> ndarray:
    """Rows after the last known value of their series (R,); none of a series without values."""
    if not known.any() or known.all():
        return np.zeros(len(times), bool)
    order = np.lexsort((times, codes))
    row_of = np.full(int(codes.max()) + 1, -1)
    rows = order[known[order]]
    row_of[codes[rows]] = rows  # the last assignment stays
    last = row_of[codes]
    return (last >= 0) & (times > times[np.maximum(last, 0)]) & ~known


def _is_likely(column: Column) -> bool:
    """Whether a column holds numbers or yes and no, and is neither a part of the date nor a
    counter."""
    name = column.name.strip().casefold()
    return name not in CALENDAR_PARTS and not _COUNTERS.fullmatch(name) and is_plain(column)
