"""Rows of events that are counted, which need no column of numbers."""

# R rows of the sheet

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lstmcast.data.cells.columns import numeric_columns
from lstmcast.data.covariates.roles import Names
from lstmcast.data.sheet import Column, Sheet, folded

_NAME = "rows"


def with_countable_rows(
    sheet: Sheet, names: Names, time: Column | None
) -> tuple[Sheet, Names]:
    """The sheet with a 1 in each row of a column of texts that is to be counted, or, where there is
    no column of numbers, in each row. Without `aggregate="count"` all stays as it is."""
    if names.aggregate != "count":
        return sheet, names
    for place, column in enumerate(sheet.columns):
        if folded(column.name) == folded(names.target) and column.number_share < 0.5:
            ones = np.where(column.missing, np.nan, 1.0)
            columns = list(sheet.columns)
            columns[place] = Column(column.name, ones)
            return replace(sheet, columns=tuple(columns)), names
    times = [time] if time is not None else []
    if names.target or numeric_columns(sheet, times):
        return sheet, names
    return _with_ones(sheet), replace(names, target=_NAME)


def with_counted_before(sheet: Sheet, names: Names) -> Sheet:
    """The sheet with the column that a saved model counted, as it was called here."""
    is_counted = names.aggregate == "count" and names.target == _NAME
    return _with_ones(sheet) if is_counted and not sheet.has_column(_NAME) else sheet


def _with_ones(sheet: Sheet) -> Sheet:
    rows = Column(_NAME, np.ones(len(sheet)), invented=True)
    return replace(sheet, columns=(*sheet.columns, rows))
