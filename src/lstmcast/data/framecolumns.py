"""Columns of frames and arrays in memory as columns of a sheet: numbers, times, categories."""

# N rows

from __future__ import annotations

import datetime
import decimal
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy import ndarray

from lstmcast.data.sheet import Column
from lstmcast.data.zones import zone_of
from lstmcast.util.categories import Categories
from lstmcast.util.objects import objects
from lstmcast.util.text import storable

_NUMBERS = (int, float, decimal.Decimal, np.number)


def column_of(name: str, array: Any, zone: str | None = None) -> Column:
    """A column from a one-dimensional array of any type, masked ones included."""
    mask = np.ma.getmaskarray(array) if isinstance(array, np.ma.MaskedArray) else None
    data = np.asarray(array.data if mask is not None else array)
    if data.dtype.kind in "iu" and data.max(initial=0) <= np.iinfo(np.int64).max:
        data = data.astype(np.int64)
    elif data.dtype.kind in "fu":
        data = data.astype(np.float64)
    elif data.dtype.kind == "M":
        data = data.astype("datetime64[us]")
    elif data.dtype.kind != "b":
        return _object_column(
            name, [None if mask is not None and mask[i] else v for i, v in enumerate(data.tolist())]
        )
    if mask is not None and mask.any():
        data = data.astype(np.float64) if data.dtype.kind in "ib" else data.copy()
        data[mask] = np.datetime64("NaT") if data.dtype.kind == "M" else np.nan
    return Column(name, data, None, zone)


def _zoned_column(name: str, wall: Any, utc: Any, zone: str) -> Column:
    """Times as the clocks of their zone show them; those of UTC where an hour comes twice, and for
    steps of an hour or less where clocks change at all: only there each hour is one step."""
    clock = np.unique(np.asarray(wall, "datetime64[us]"))
    instants = np.unique(np.asarray(utc, "datetime64[us]"))
    clock, instants = clock[~np.isnat(clock)], instants[~np.isnat(instants)]
    if len(clock) != len(instants):
        note = f"clocks of {zone} are put back, and show an hour twice: times converted to UTC"
        return replace(column_of(name, utc, "UTC"), frame_zone=zone, notes=(note,))
    short = len(instants) > 1 and np.median(np.diff(instants)) <= np.timedelta64(1, "h")
    if short and _clocks_change(zone):
        return replace(column_of(name, utc, "UTC"), frame_zone=zone)
    return column_of(name, wall, zone)


def _clocks_change(zone: str) -> bool:
    """Whether the clocks of a zone are put forward and back."""
    known = zone_of(zone)
    if known is None:
        return False
    winter, summer = (datetime.datetime(2024, month, 15) for month in (1, 7))
    return known.utcoffset(winter) != known.utcoffset(summer)


def _object_column(name: str, values: Sequence[Any]) -> Column:
    """Python objects: numbers stay numbers, dates become ISO text, everything else its text."""
    there = [value for value in values if not _is_missing(value)]
    if there and all(type(value) is datetime.date for value in there):
        days = np.array(
            [None if _is_missing(value) else value for value in values], "datetime64[D]"
        )
        return Column(name, days.astype("datetime64[us]"), dtype="date")
    if there and all(
        isinstance(value, _NUMBERS) and not isinstance(value, bool) for value in there
    ):
        try:
            return Column(
                name,
                np.array(
                    [np.nan if _is_missing(value) else float(value) for value in values], np.float64
                ),
            )
        except OverflowError:
            pass
    texts = ("" if _is_missing(value) else text_of(value) for value in values)
    return Column.of_texts(name, texts, dtype="text")


def _is_missing(value: Any) -> bool:
    """None, NaN, NaT or pandas' NA, of which nobody can say whether it equals itself."""
    return value is None or type(value).__name__ == "NAType" or value != value


def text_of(value: Any) -> str:
    if value is None or value is False or value is True:
        return "" if value is None else str(value)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return "" if str(value) == "NaT" else value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    return storable(str(value))


def label_of(name: Any) -> str:
    return (
        "/".join(str(part) for part in name if str(part))
        if isinstance(name, tuple)
        else text_of(name)
    )


def frame_column(name: str, series: Any, nw: Any) -> Column:
    kind = series.dtype
    periods = _period_starts(series.to_native()) if kind in (nw.Unknown, nw.Object) else None
    if periods is not None:
        return column_of(name, periods)
    if kind == nw.Unknown and hasattr(getattr(native := series.to_native(), "dtype", None), "tz"):
        # narwhals 2 does not know pandas' zones with an underscore, such as America/New_York
        wall, utc = native.dt.tz_localize(None), native.dt.tz_convert(None)
        return _zoned_column(name, wall.to_numpy(), utc.to_numpy(), str(native.dtype.tz))
    if kind == nw.Datetime and kind.time_zone:
        wall = series.dt.replace_time_zone(None)
        utc = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return _zoned_column(name, wall.to_numpy(), utc.to_numpy(), kind.time_zone)
    if kind == nw.Datetime:
        return column_of(name, series.to_numpy())
    if kind == nw.Date:
        return replace(column_of(name, series.cast(nw.Datetime("us")).to_numpy()), dtype="date")
    if kind.is_numeric():
        has_nulls = series.null_count() > 0
        as_float = has_nulls or kind == nw.Decimal
        return column_of(
            name, series.cast(nw.Float64).to_numpy() if as_float else series.to_numpy()
        )
    if kind == nw.Boolean and not series.null_count():
        return column_of(name, np.asarray(series.to_list(), bool))
    if kind in (nw.Categorical, nw.Enum):
        texts = _object_column(name, series.cast(nw.String).to_list())
        return replace(texts, categories=_categories(series))
    return _object_column(name, series.to_list())


def _period_starts(native: Any) -> ndarray | None:
    """The first moments of pandas' periods, as their fiscal anchor has it; None for anything
    else."""
    if type(getattr(native, "dtype", None)).__name__ != "PeriodDtype":
        return None
    return native.dt.start_time.to_numpy()


def _categories(series: Any) -> Categories | None:
    """The categories of a column of a frame, in their order; None for other libraries."""
    native, library = series.to_native(), series.implementation.name.lower()
    if library == "pandas":
        return Categories(_category_array(native.cat.categories.tolist()), bool(native.cat.ordered))
    if library == "pyarrow":
        chunks = native.unify_dictionaries().chunks
        listed = chunks[0].dictionary.to_pylist() if chunks else []
        return Categories(_category_array(listed), native.type.ordered)
    if library == "polars":
        fixed = type(native.dtype).__name__ == "Enum"
        listed = (
            native.dtype.categories if fixed else native.drop_nulls().unique(maintain_order=True)
        )
        return Categories(_category_array(listed.to_list()), fixed=fixed)
    return None


def _category_array(listed: list[Any]) -> ndarray:
    """Numbers and truth values as such, everything else as texts."""
    values = np.asarray(listed)
    if values.dtype.kind in "if":
        return values.astype(np.int64 if values.dtype.kind == "i" else np.float64)
    return values if values.dtype.kind == "b" else objects(map(str, listed))
