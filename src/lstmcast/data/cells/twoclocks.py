"""Two columns of times that show the same instants, in UTC and on local clocks."""

# N rows

from __future__ import annotations

import re

import numpy as np
from numpy import ndarray

from lstmcast.data.sheet import Column, columns_without

_UTC = re.compile(r"utc|gmt", re.IGNORECASE)
_FARTHEST = np.timedelta64(14, "h")  # from UTC
_QUARTER = np.timedelta64(15, "m")


def on_one_clock(dated: list[Column]) -> list[Column]:
    """Of two such columns, the local one; where clocks were changed, that of UTC, so that each hour
    is one step. Other columns are returned as they are."""
    if len(dated) != 2:
        return dated
    in_utc = [column for column in dated if _UTC.search(column.name)]
    local = columns_without(dated, in_utc)
    if len(in_utc) != 1 or len(local) != 1:
        return dated
    offsets = np.unique(_micros_of(local[0]) - _micros_of(in_utc[0]))
    if len(offsets) > 2 or not all(map(_is_zone, offsets)):
        return dated
    return local if len(offsets) == 1 else in_utc


def _micros_of(column: Column) -> ndarray:
    """The times of a column (N,), NaT where there is none."""
    times = column.times
    if times is None or times.values.dtype.kind != "M":
        return np.full(len(column), "NaT", "datetime64[us]")
    return column.spread(times.values).astype("datetime64[us]")


def _is_zone(offset: np.timedelta64) -> bool:
    return abs(offset) <= _FARTHEST and offset % _QUARTER == np.timedelta64(0)
