"""Which series of a panel a network of several columns reads together."""

# R rows · K columns

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy import ndarray

from lstmcast.data.table import format_time
from lstmcast.errors import DataError

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel


def rows_together(panel: Panel, columns: int) -> ndarray:
    """The indices of the series of each row (R, K). Raises DataError if there are no such rows."""
    grouped = None
    if panel.target_names is not None:
        grouped = _grouped(panel, panel.target_names)
    if grouped is not None and grouped.shape[1] == columns:
        _require_alike(panel, grouped)
        return grouped
    has_one_length = len(set(panel.lengths.tolist())) == 1
    has_one_start = len(set(panel.starts.tolist())) == 1
    are_alike = has_one_length and has_one_start
    if len(panel) == columns and are_alike:
        return np.arange(columns)[None]
    actual = f"{len(panel)} series"
    if not are_alike:
        actual += " with different times"
    if grouped is not None:
        actual = f"{len(grouped)} rows of {grouped.shape[1]} columns"
    raise DataError(
        f"The network reads {columns} columns together, but the data have {actual}. Exactly "
        f"{columns} series with the same first and last time are expected."
    )


def _grouped(panel: Panel, targets: ndarray) -> ndarray:
    """The series of each row, (R, K), in the order in which rows and columns come first."""
    row_names = panel.keys.row_names(panel.ids).tolist()
    column_names = targets.tolist()
    rows = list(dict.fromkeys(row_names))
    columns = list(dict.fromkeys(column_names))
    place_of_row = {name: place for place, name in enumerate(rows)}
    place_of_column = {name: place for place, name in enumerate(columns)}
    row_places = [place_of_row[name] for name in row_names]
    column_places = [place_of_column[name] for name in column_names]
    grouped = np.full((len(rows), len(columns)), -1)
    grouped[row_places, column_places] = np.arange(len(panel))
    absent = np.argwhere(grouped < 0)
    if len(absent):
        row, column = absent[0]
        raise DataError(
            f"row {rows[row]!r} has no column {columns[column]!r}. Rows that are read together "
            f"need the same columns: {', '.join(columns)}."
        )
    return grouped


def _require_alike(panel: Panel, grouped: ndarray) -> None:
    """Raise DataError unless the columns of each row have the same first and last time."""
    lengths = panel.lengths[grouped]
    starts = panel.starts[grouped]
    other_length = lengths != lengths[:, :1]
    other_start = starts != starts[:, :1]
    differs = (other_length | other_start).any(axis=1)
    if not differs.any():
        return
    row = int(np.argmax(differs))
    series = grouped[row]
    names = " and ".join(repr(str(name)) for name in panel.ids[series])
    first_time = panel.starts[series].max()
    last_time = panel.ends[series].min()
    raise DataError(
        f"The network reads {grouped.shape[1]} columns together, but {names} have different "
        "times. The columns of a row need the same first and last time: leave out values before "
        f"{format_time(first_time)} and after {format_time(last_time)}."
    )
