"""The series that each row of a sheet belongs to."""

# N rows of the table · R rows of the sheet · T time · K target columns

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.data.columns import (
    ask,
    find_target,
    named_columns,
    numeric_columns,
)
from lstmcast.data.keys import Keys
from lstmcast.data.roles import Names
from lstmcast.data.serieskeys import find_series
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.table import Finding
from lstmcast.errors import DataError
from lstmcast.util.objects import objects


def with_an_id(sheet: Sheet, series: list[Column], together: bool = False) -> ndarray:
    """Which rows have a cell in every column of ids (N,), or in one of them where they name rows
    together; DataError where none has."""
    empty = [column.nameless for column in series]
    if not series:
        return np.ones(len(sheet), bool)
    named = ~(np.all(empty, axis=0) if together else np.any(empty, axis=0))
    if len(sheet) and not named.any():
        raise DataError(
            f"{sheet.source}: no row has a cell in {_columns_of(series)}, which should name its "
            f"series. Name another column with {ask('series', 'NAME')}."
        )
    return named


def without_id(sheet: Sheet, series: list[Column], nameless: ndarray) -> Finding:
    """What is said of rows without an id."""
    count, line = int(np.count_nonzero(nameless)), int(sheet.lines[np.argmax(nameless)])
    rows, first = ("1 row has", "") if count == 1 else (f"{count:,} rows have", "the first is ")
    message = f"{rows} an empty cell in {_columns_of(series)}: {first}{sheet.row_word} {line}"
    action = "It belongs to no series and is left out."
    if count > 1:
        action = "They belong to no series and are left out."
    return Finding("missing ids", "warning", message, action, line=line, count=count)


def _columns_of(series: list[Column]) -> str:
    names = " or ".join(repr(column.name) for column in series)
    return f"the column{'s' * (len(series) > 1)} {names}"


def joined_ids(series: list[Column], size: int, label: str) -> tuple[ndarray, ndarray, Keys]:
    """Codes (N,), ids (S,) and their keys; the ids of several columns are joined with a slash."""
    if not series:
        return np.zeros(size, np.int64), objects([label]), Keys()
    codes, ids = series[0].as_ids()
    for column in series[1:]:
        more, names = column.as_ids()
        joint, first, codes = np.unique(
            codes * len(names) + more, return_index=True, return_inverse=True
        )
        rank = np.argsort(np.argsort(first))
        pairs = [divmod(int(joint[i]), len(names)) for i in np.argsort(first)]
        ids = objects(_slashed(str(ids[i]), str(names[j])) for i, j in pairs)
        codes = rank[codes]
    if len(set(ids)) < len(ids):
        twice = next(name for k, name in enumerate(ids) if name in ids[:k])
        names = " and ".join(repr(column.name) for column in series)
        raise DataError(
            f"Two different series are called {twice!r} when the columns {names} are joined with a "
            f"slash. Write one column of ids, and name it with {ask('series', 'NAME')}."
        )
    return codes, ids, _keys_of(series, codes)


def _slashed(first: str, second: str) -> str:
    """Two ids as one; an empty one, of a row that another column names, leaves no trace."""
    return f"{first}/{second}" if first and second else first + second


def _keys_of(series: list[Column], codes: ndarray) -> Keys:
    """What the first row of each series has in the columns of ids."""
    first_rows = np.unique(codes, return_index=True)[1]
    own = [column for column in series if not column.invented]
    arrays = {column.name: column.key(first_rows) for column in own}
    categories = {
        column.name: column.categories
        for column in own
        if column.categories is not None
        # texts that are written in another way than their category stay texts
        and column.categories.values.dtype == arrays[column.name].dtype
        and set(arrays[column.name].tolist()) <= set(column.categories.values.tolist())
    }
    return Keys(arrays, categories)


def targets_and_series(sheet: Sheet, names: Names, times: ndarray, time: Column | None):
    """Target columns, series columns, and whether each target is a series of its own."""
    known = [time] if time is not None else []
    series = named_columns(sheet, names.series, "series") if names.series else None
    if names.target is None:
        if series is None:
            series = _found_series(sheet, names, times, time, None)
        return [find_target(sheet, [*known, *series])], series, False
    if names.target == "*" and not any(column.name == "*" for column in sheet.columns):
        if series is None:
            series = _found_series(sheet, names, times, time, None)
        targets = numeric_columns(sheet, [*known, *series])
        if not targets:
            raise DataError(
                f"{sheet.source} has no column of numbers to forecast. The columns "
                f"are:\n{sheet.describe()}"
            )
        return targets, series, True
    targets = named_columns(sheet, names.target, "target")
    if not targets:
        raise DataError(
            f"target={names.target!r} names no column. The columns of {sheet.source} "
            f"are:\n{sheet.describe()}"
        )
    if series is None:
        series = _found_series(sheet, names, times, time, targets[0])
    return targets, [c for c in series if c not in targets], len(targets) > 1


def _found_series(
    sheet: Sheet, names: Names, times: ndarray, time: Column | None, target: Column | None
) -> list[Column]:
    # many rows per period are expected here, so repeated times say nothing about series
    if names.aggregate:
        every = np.arange(len(times))
        return find_series(sheet, every, time, target)
    return find_series(sheet, times, time, target)
