"""Covariates from mappings of arrays, for series that are already on a grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmcast.data.features import Covariates, Future
from lstmcast.data.levels import coded
from lstmcast.data.ragged import offsets_of
from lstmcast.errors import DataError, UsageError
from lstmcast.util.text import brief

# columns in the accepted forms
Given = Mapping[str, Mapping[str, ArrayLike] | ArrayLike]


def covariates_from_arrays(
    past: Given | None,
    future: Given | None,
    static: Given | None,
    rows: NDArray,
    lengths: NDArray,
) -> Covariates:
    """Make covariates for series that are already on a grid.

    Args:
        past: {name: {id: values}}, {name: values} shared by all series, or {name: (S, T) values}.
        future: the same, with values of coming steps after those of the series; texts are
            categories.
        static: {name: {id: value}}, or {name: values} for all series in order.
        rows: id of each series (S,), without the name of its target.
        lengths: length of each series (S,).

    Raises:
        UsageError: The columns are not a mapping of names.
        DataError: Their lengths differ from those of the series, or they are not numbers.
    """
    past_columns = {}
    for name, arrays in _parts(past, "past", rows, lengths).items():
        past_columns[name] = np.concatenate([np.zeros(0), *arrays])
    static_columns, levels = _static(static, rows)
    future_columns = _future(_parts(future, "future", rows, lengths))
    return Covariates(past_columns, future_columns, static_columns, levels)


def _static(
    static: Given | None, rows: NDArray
) -> tuple[dict[str, NDArray], dict[str, tuple[str, ...]]]:
    """Static columns (S,) and the names of their categories."""
    columns, levels = {}, {}
    if static is None:
        return columns, levels
    for name, values in _mapping(static, "static").items():
        if isinstance(values, Mapping):
            by_id = {str(key): value for key, value in values.items()}
            values = [by_id.get(row, np.nan) for row in map(str, rows.tolist())]
        array = _numbers(values, "static", name)
        if array.shape != rows.shape:
            raise DataError(
                f"static column {name!r} has shape {array.shape}, and there are {len(rows)} "
                "series. One value per series is expected."
            )
        if array.dtype.kind == "O":
            (array,), levels[name] = coded([array])
        columns[name] = _finite(array)
    return columns, levels


def _future(parts_of_columns: Mapping[str, list[NDArray]]) -> Future:
    """Future columns from those of each series, as long as the longest, NaN where unknown."""
    if not parts_of_columns:
        return Future()
    lengths = [list(map(len, series)) for series in parts_of_columns.values()]
    lengths_S = np.max(lengths, axis=0)
    offsets = offsets_of(lengths_S)
    columns, levels = {}, {}
    for name, series in parts_of_columns.items():
        if any(values.dtype.kind == "O" for values in series):
            series, levels[name] = coded(series)
        joined_M = np.full(offsets[-1], np.nan)
        for values, begin in zip(series, offsets[:-1].tolist(), strict=True):
            joined_M[begin : begin + len(values)] = values
        columns[name] = joined_M
    return Future(columns, offsets, levels)


def _parts(
    columns: Given | None, role: str, rows: NDArray, lengths: NDArray
) -> dict[str, list[NDArray]]:
    """The values of each series, by the name of the column."""
    if columns is None:
        return {}
    parts_of_columns = {}
    for name, values in _mapping(columns, role).items():
        parts_of_columns[name] = _column(role, name, values, rows, lengths)
    return parts_of_columns


def _mapping(columns: object, role: str) -> dict[str, Any]:
    if not isinstance(columns, Mapping):
        raise UsageError(
            f"{role}={brief(columns)} does not name columns. Give {{name: values}}, with "
            "values in the same form as the target."
        )
    return {str(name): values for name, values in columns.items()}


def _column(
    role: str,
    name: str,
    values: Mapping[str, ArrayLike] | ArrayLike,
    rows: NDArray,
    lengths: NDArray,
) -> list[NDArray]:
    """One covariate of each series."""
    if isinstance(values, Mapping):
        arrays = _arrays_by_id(role, name, values, rows)
    else:
        array = _numbers(values, role, name)
        has_row_of_each = array.ndim == 2 and len(array) == len(rows)
        arrays = list(array) if has_row_of_each else [array] * len(rows)
    may_be_longer = role == "future"
    for array, row, length in zip(arrays, rows, lengths, strict=True):
        is_long_enough = may_be_longer and array.ndim == 1 and len(array) >= length
        if not is_long_enough and array.shape != (length,):
            coming = ", and those of coming steps after them" if may_be_longer else ""
            raise DataError(
                f"{role} column {name!r} has shape {array.shape} for series {str(row)!r}, which "
                f"has {length} values. One value for each value of the target is expected{coming}."
            )
    return [_finite(array) for array in arrays]


def _arrays_by_id(
    role: str, name: str, values: Mapping[str, ArrayLike], rows: NDArray
) -> list[NDArray]:
    """The values of a column for each series, from those by id."""
    by_id = {str(key): array for key, array in values.items()}
    absent = [row for row in rows.tolist() if row not in by_id]
    if absent:
        raise DataError(
            f"{role} column {name!r} has no values for series {absent[0]!r}. Give values for "
            "every series, and nan for missing ones."
        )
    return [_numbers(by_id[row], role, name) for row in rows.tolist()]


def _finite(values: NDArray) -> NDArray:
    if values.dtype.kind == "O":
        return values
    return np.where(np.isinf(values), np.nan, values)


def _numbers(array: ArrayLike, role: str, name: str) -> NDArray:
    """As numbers; texts of future columns are kept, as categories."""
    cells = np.asarray(array)
    if role != "past" and cells.dtype.kind in "OUT" and _has_texts(cells):
        return cells.astype(object)
    try:
        return np.asarray(array, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{role} column {name!r} cannot be read as numbers ({error}). Write categories as "
            "numbers, and nan for a missing value."
        ) from None


def _has_texts(cells: NDArray) -> bool:
    return any(isinstance(cell, str) for cell in cells.ravel().tolist())
