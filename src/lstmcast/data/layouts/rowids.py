"""The series that each row of a sheet belongs to."""

# N rows of the table · R rows of the sheet · T time · K target columns

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.cells.columns import (
    find_target,
    named_columns,
    numeric_columns,
)
from lstmcast.data.cells.serieskeys import find_series
from lstmcast.data.covariates.roles import Names
from lstmcast.data.keys import Keys
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.data.table import Finding
from lstmcast.errors import DataError
from lstmcast.util.objects import objects
from lstmcast.util.text import brief


def with_an_id(sheet: Sheet, series: list[Column], together: bool = False) -> ndarray:
    """Which rows have a cell in every column of ids (N,), or in one of them where they name rows
    together; DataError where none has."""
    if not series:
        return np.ones(len(sheet), bool)
    empty = [column.nameless for column in series]
    in_columns = np.all if together else np.any
    is_nameless = in_columns(empty, axis=0)
    if len(sheet) and is_nameless.all():
        raise DataError(
            f"{sheet.source}: no row has a cell in {_columns_of(series)}, which should name the "
            f"series. Name another column with {advise('series', 'NAME')}."
        )
    return ~is_nameless


def without_id(sheet: Sheet, series: list[Column], nameless: ndarray) -> Finding:
    """The finding about rows without an id."""
    count = int(np.count_nonzero(nameless))
    line = int(sheet.lines[np.argmax(nameless)])
    place = f"{sheet.row_word} {line}"
    columns = _columns_of(series)
    if count == 1:
        message = f"1 row has an empty cell in {columns}: {place}"
        action = "It belongs to no series and is left out."
    else:
        message = (
            f"{count:,} rows have an empty cell in {columns}: the first is {place}"
        )
        action = "They belong to no series and are left out."
    return Finding("missing ids", "warning", message, action, line=line, count=count)


def _columns_of(series: list[Column]) -> str:
    names = " or ".join(repr(column.name) for column in series)
    return f"the column{'s' * (len(series) > 1)} {names}"


def joined_ids(
    series: list[Column], size: int, label: str
) -> tuple[ndarray, ndarray, Keys]:
    """Codes (N,), ids (S,) and their keys; the ids of several columns are joined with a slash."""
    if not series:
        return np.zeros(size, np.int64), objects([label]), Keys()
    codes, ids = series[0].as_ids()
    for column in series[1:]:
        column_codes, names = column.as_ids()
        pair_numbers = codes * len(names) + column_codes
        distinct, first, codes = np.unique(
            pair_numbers, return_index=True, return_inverse=True
        )
        in_order = np.argsort(first)
        codes = np.argsort(in_order)[codes]
        pair_names = []
        for number in distinct[in_order].tolist():
            place, column_place = divmod(number, len(names))
            first_id = str(ids[place])
            second_id = str(names[column_place])
            pair_names.append(_slashed(first_id, second_id))
        ids = objects(pair_names)
    _require_distinct(ids, series)
    return codes, ids, _keys_of(series, codes)


def _require_distinct(ids: ndarray, series: list[Column]) -> None:
    """DataError for two series of one name."""
    names = ids.tolist()
    if len(set(names)) == len(names):
        return
    repeated, _ = Counter(names).most_common(1)[0]
    columns = " and ".join(repr(column.name) for column in series)
    raise DataError(
        f"Two different series are called {repeated!r} when the columns {columns} are joined with "
        f"a slash. Use a single column of ids, and name it with {advise('series', 'NAME')}."
    )


def _slashed(first: str, second: str) -> str:
    """Two ids as one; an empty one, of a row that another column names, leaves no trace."""
    return f"{first}/{second}" if first and second else first + second


def _keys_of(series: list[Column], codes: ndarray) -> Keys:
    """What the first row of each series has in the columns of ids."""
    first_rows = np.unique(codes, return_index=True)[1]
    arrays, categories, frame_dtypes = {}, {}, {}
    for column in series:
        if column.invented:
            continue
        key = column.key(first_rows)
        arrays[column.name] = key
        if column.frame_dtype:
            frame_dtypes[column.name] = column.frame_dtype
        if column.categories is not None and _are_among(key, column.categories.values):
            categories[column.name] = column.categories
    return Keys(arrays, categories, frame_dtypes=frame_dtypes)


def _are_among(key: ndarray, values: ndarray) -> bool:
    """Whether all of a key are such values: texts that are written in another way than their
    category stay texts."""
    return values.dtype == key.dtype and set(key.tolist()) <= set(values.tolist())


def targets_and_series(
    sheet: Sheet, names: Names, times: ndarray, time: Column | None
) -> tuple[list[Column], list[Column], bool]:
    """Target columns, series columns, and whether each target is a series of its own."""
    series = named_columns(sheet, names.series, "series") if names.series else None
    targets = None
    wants_all = names.target == "*" and "*" not in sheet.names
    if names.target is not None and not wants_all:
        targets = _named_targets(sheet, names.target)
    if series is None:
        first_target = targets[0] if targets else None
        series = _found_series(sheet, names, times, time, first_target)
    if targets is not None:
        return targets, columns_without(series, targets), len(targets) > 1
    used_columns = series if time is None else [time, *series]
    if not wants_all:
        return [find_target(sheet, used_columns, series)], series, False
    targets = numeric_columns(sheet, used_columns)
    if not targets:
        raise DataError(
            f"{sheet.source} has no column of numbers to forecast. The columns "
            f"are:\n{sheet.describe()}"
        )
    return targets, series, True


def _named_targets(sheet: Sheet, target: str | Sequence[str]) -> list[Column]:
    targets = named_columns(sheet, target, "target")
    if not targets:
        raise DataError(
            f"target={brief(target)} does not name a column. The columns of {sheet.source} "
            f"are:\n{sheet.describe()}"
        )
    return targets


def _found_series(
    sheet: Sheet,
    names: Names,
    times: ndarray,
    time: Column | None,
    target: Column | None,
) -> list[Column]:
    # many rows per period are expected here, so repeated times say nothing about series
    # many rows per period are expected here, so repeated times say nothing about series
    if names.aggregate:
        times = np.arange(len(times))
    return find_series(sheet, times, time, target)
