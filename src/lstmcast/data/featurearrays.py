"""Covariates of series that are already on a grid, from mappings of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmcast.data.features import Covariates, Future
from lstmcast.data.levels import coded
from lstmcast.data.ragged import offsets_of
from lstmcast.errors import DataError, UsageError

Given = Mapping[str, Mapping[str, ArrayLike] | ArrayLike]  # columns, as people give them


def covariates_from_arrays(
    past: Given | None,
    future: Given | None,
    static: Given | None,
    rows: NDArray,
    lengths: NDArray,
) -> Covariates:
    """Covariates of series that are already on a grid.

    Args:
        past: {name: {id: values}}, {name: values} that all series share, or {name: (S, T) values}.
        future: the same, with values of coming steps after those of the series; texts are
            categories.
        static: {name: {id: value}}, or {name: values} of all series in their order.
        rows: id of each series (S,), without the name of its target.
        lengths: of each series (S,).

    Raises:
        UsageError: they are no mapping of names.
        DataError: they have other lengths than the series, or are no numbers.
    """
    beside = {
        name: np.concatenate([np.zeros(0), *parts])
        for name, parts in _parts(past, "past", rows, lengths).items()
    }
    constant, levels = _static(static, rows)
    return Covariates(beside, _future(_parts(future, "future", rows, lengths)), constant, levels)


def _static(
    given: Given | None, rows: NDArray
) -> tuple[dict[str, NDArray], dict[str, tuple[str, ...]]]:
    """Columns that do not change, (S,) each, and the names of their categories."""
    columns, levels = {}, {}
    for name, one in (_mapping(given, "static") if given is not None else {}).items():
        if isinstance(one, Mapping):
            by_id = {str(key): value for key, value in one.items()}
            one = [by_id.get(str(row), np.nan) for row in rows.tolist()]
        values = _numbers(one, "static", name)
        if values.shape != rows.shape:
            raise DataError(
                f"static column {name!r} has the shape {values.shape}, and there are {len(rows)} "
                "series. One value for each series is expected."
            )
        if values.dtype.kind == "O":
            (values,), levels[name] = coded([values])
        columns[name] = _finite(values)
    return columns, levels


def _future(parts: Mapping[str, list[NDArray]]) -> Future:
    """Columns that are known in advance, from those of each series: all as long as the longest of
    the series, NaN where nothing is known."""
    if not parts:
        return Future()
    lengths_S = np.max([[len(part) for part in each] for each in parts.values()], axis=0)
    columns, levels = {}, {}
    for name, each in parts.items():
        if any(part.dtype.kind == "O" for part in each):
            each, levels[name] = coded(each)
        joined = np.full(int(lengths_S.sum()), np.nan)
        for part, begin in zip(each, offsets_of(lengths_S)[:-1].tolist(), strict=True):
            joined[begin : begin + len(part)] = part
        columns[name] = joined
    return Future(columns, offsets_of(lengths_S), levels)


def _parts(
    given: Given | None, role: str, rows: NDArray, lengths: NDArray
) -> dict[str, list[NDArray]]:
    """The values of each series, by the name of the column."""
    if given is None:
        return {}
    named = _mapping(given, role)
    return {name: _column(role, name, one, rows, lengths) for name, one in named.items()}


def _mapping(given: object, role: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise UsageError(
            f"{role}={given!r} does not name columns. Give {{name: values}}, the values in the "
            "form that the target has."
        )
    return {str(name): one for name, one in given.items()}


def _column(
    role: str,
    name: str,
    given: Mapping[str, ArrayLike] | ArrayLike,
    rows: NDArray,
    lengths: NDArray,
) -> list[NDArray]:
    """One covariate of each series."""
    if isinstance(given, Mapping):
        by_id = {str(key): array for key, array in given.items()}
        absent = [row for row in rows.tolist() if row not in by_id]
        if absent:
            raise DataError(
                f"{role} column {name!r} has no values of series {absent[0]!r}. Give them for "
                "every series; nan stands for a missing value."
            )
        parts = [_numbers(by_id[row], role, name) for row in rows.tolist()]
    else:
        array = _numbers(given, role, name)
        parts = list(array) if array.ndim == 2 and len(array) == len(rows) else [array] * len(rows)
    for part, row, length in zip(parts, rows, lengths, strict=True):
        enough = part.ndim == 1 and len(part) >= length if role == "future" else False
        if not enough and part.shape != (length,):
            more = ", and those of coming steps after them" if role == "future" else ""
            raise DataError(
                f"{role} column {name!r} has the shape {part.shape} for series {str(row)!r}, which "
                f"has {length} values. One value for each of the target's is expected{more}."
            )
    return [_finite(part) for part in parts]


def _finite(part: NDArray) -> NDArray:
    if part.dtype.kind == "O":
        return part
    return np.where(np.isinf(part), np.nan, part)


def _numbers(array: ArrayLike, role: str, name: str) -> NDArray:
    """As numbers; texts of what is known in advance as they are, which are categories."""
    given = np.asarray(array)
    if role != "past" and given.dtype.kind in "OUT" and _has_texts(given):
        return given.astype(object)
    try:
        return np.asarray(array, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{role} column {name!r} cannot be read as numbers ({error}). Write categories as "
            "numbers; nan stands for a missing value."
        ) from None


def _has_texts(given: NDArray) -> bool:
    return any(isinstance(cell, str) for cell in given.ravel().tolist())
