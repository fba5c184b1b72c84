"""Columns of frames and arrays as columns of a sheet: numbers, times, categories."""

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
from lstmcast.data.times.zones import zone_of
from lstmcast.util.categories import Categories
from lstmcast.util.objects import objects
from lstmcast.util.text import storable

_NUMBERS = (int, float, decimal.Decimal, np.number)
_LARGEST = np.iinfo(np.int64).max


def column_of(name: str, array: Any, zone: str | None = None) -> Column:
    """A column from a one-dimensional array of any type, including masked arrays."""
    if isinstance(array, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(array)
        data = np.asarray(array.data)
    else:
        data = np.asarray(array)
        mask = np.zeros(data.shape, bool)
    kind = data.dtype.kind
    if kind in "iu" and data.max(initial=0) <= _LARGEST:
        data = data.astype(np.int64)
    elif kind in "fu":
        data = data.astype(np.float64)
    elif kind == "M":
        data = data.astype("datetime64[us]")
    elif kind != "b":
        data = data.astype(object)
        data[mask] = None
        return _object_column(name, data.tolist())
    if mask.any():
        is_time = kind == "M"
        data = data.copy() if is_time else data.astype(np.float64)
        data[mask] = np.datetime64("NaT") if is_time else np.nan
    return Column(name, data, None, zone)


def _zoned_column(name: str, wall: Any, utc: Any, zone: str) -> Column:
    """Times as local times of their zone, or in UTC if local hours are repeated or skipped.

    Steps of an hour or less use UTC if the zone changes its clocks at all, so that each hour is one
    step. Longer ones do if only there all are alike, such as every two hours.
    """
    clock = _distinct_times(wall)
    instants = _distinct_times(utc)
    if len(clock) != len(instants):
        note = (
            f"clocks of {zone} are set back and repeat an hour: times converted to UTC"
        )
        column = column_of(name, utc, "UTC")
        return replace(column, frame_zone=zone, notes=(note,))
    steps = np.diff(instants)
    hour = np.timedelta64(1, "h")
    is_short = len(steps) > 0 and np.median(steps) <= hour
    is_even_in_utc_only = _are_even(steps) and not _are_even(np.diff(clock))
    if is_even_in_utc_only or (is_short and _clocks_change(zone)):
        column = column_of(name, utc, "UTC")
        return replace(column, frame_zone=zone)
    return column_of(name, wall, zone)


def _are_even(steps: ndarray) -> bool:
    """Whether all steps between times are multiples of the usual one."""
    if not len(steps):
        return False
    return bool((steps % np.median(steps) == np.timedelta64(0, "us")).all())


def _distinct_times(times: Any) -> ndarray:
    distinct = np.unique(np.asarray(times, "datetime64[us]"))
    return distinct[~np.isnat(distinct)]


def _clocks_change(zone: str) -> bool:
    """Whether the clocks of a zone change for summer time."""
    zone_info = zone_of(zone)
    if zone_info is None:
        return False
    winter = datetime.datetime(2024, 1, 15)
    summer = datetime.datetime(2024, 7, 15)
    return zone_info.utcoffset(winter) != zone_info.utcoffset(summer)


def _object_column(name: str, values: Sequence[Any]) -> Column:
    """Python objects: numbers stay numbers, dates become ISO text, everything else its text."""
    plain = [_plain(value) for value in values]
    present = [value for value in plain if value is not None]
    kinds = set(map(type, present))
    if kinds == {datetime.date}:
        days = np.array(plain, "datetime64[D]")
        return Column(name, days.astype("datetime64[us]"), dtype="date")
    if present and all(map(_is_number, present)):
        try:
            return Column(name, np.array(plain, np.float64))
        except OverflowError:
            pass
    return Column.of_texts(name, map(text_of, plain), dtype="text")


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    """None for NaN, NaT and pandas' NA, which do not compare equal to themselves."""
    is_missing = value is None or type(value).__name__ == "NAType" or value != value
    return None if is_missing else value


def text_of(value: Any) -> str:
    """The content of a cell as text."""
    if value is None:
        return ""
    if isinstance(value, (datetime.datetime, datetime.date)):
        return "" if str(value) == "NaT" else value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    return storable(str(value))


def label_of(name: Any) -> str:
    """The name of a column of a frame, with its levels joined."""
    if not isinstance(name, tuple):
        return text_of(name)
    levels = map(str, name)
    return "/".join(filter(None, levels))


def frame_column(name: str, series: Any, nw: Any) -> Column:
    """The column of a frame, and what type it has there; nw: narwhals."""
    column = _frame_column(name, series, nw)
    return replace(column, frame_dtype=_frame_dtype(series))


def _frame_dtype(series: Any) -> str:
    """The library of a frame and the name of a type in it: "pandas:Int64", "polars:UInt8"; "bytes"
    for objects that are."""
    native = series.to_native()
    library = series.implementation.name.lower()
    dtype = str(getattr(native, "dtype", getattr(native, "type", "")))
    if library == "pandas" and dtype == "object" and len(native):
        is_bytes = all(isinstance(value, bytes) for value in native.dropna().unique())
        dtype = "bytes" if is_bytes else dtype
    return f"{library}:{dtype}"


def _frame_column(name: str, series: Any, nw: Any) -> Column:
    kind = series.dtype
    if kind in (nw.Unknown, nw.Object):
        periods = _period_starts(series.to_native())
        if periods is not None:
            return column_of(name, periods)
    if kind == nw.Unknown:
        native = series.to_native()
        if hasattr(getattr(native, "dtype", None), "tz"):
            # narwhals 2 does not know zones of pandas with an underscore, such as America/New_York
            wall = native.dt.tz_localize(None).to_numpy()
            utc = native.dt.tz_convert(None).to_numpy()
            return _zoned_column(name, wall, utc, str(native.dtype.tz))
    if kind == nw.Datetime and kind.time_zone:
        wall = series.dt.replace_time_zone(None)
        in_utc = series.dt.convert_time_zone("UTC")
        utc = in_utc.dt.replace_time_zone(None)
        return _zoned_column(name, wall.to_numpy(), utc.to_numpy(), kind.time_zone)
    if kind == nw.Datetime:
        return column_of(name, series.to_numpy())
    if kind == nw.Date:
        times = series.cast(nw.Datetime("us"))
        return replace(column_of(name, times.to_numpy()), dtype="date")
    if kind.is_numeric():
        if series.null_count() > 0 or kind == nw.Decimal:
            series = series.cast(nw.Float64)
        return column_of(name, series.to_numpy())
    if kind == nw.Boolean and not series.null_count():
        return column_of(name, np.asarray(series.to_list(), bool))
    if kind in (nw.Categorical, nw.Enum):
        texts = series.cast(nw.String).to_list()
        column = _object_column(name, texts)
        return replace(column, categories=_categories(series))
    return _object_column(name, series.to_list())


def _period_starts(native: Any) -> ndarray | None:
    """The starts of pandas periods, by their fiscal anchor; None for anything else."""
    if type(getattr(native, "dtype", None)).__name__ != "PeriodDtype":
        return None
    return native.dt.start_time.to_numpy()


def _categories(series: Any) -> Categories | None:
    """The categories of a column of a frame in order; None for other libraries."""
    native = series.to_native()
    library = series.implementation.name.lower()
    if library == "pandas":
        values = _category_array(native.cat.categories.tolist())
        return Categories(values, bool(native.cat.ordered))
    if library == "pyarrow":
        chunks = native.unify_dictionaries().chunks
        texts = chunks[0].dictionary.to_pylist() if chunks else []
        return Categories(_category_array(texts), native.type.ordered)
    if library != "polars":
        return None
    is_fixed = type(native.dtype).__name__ == "Enum"
    if is_fixed:
        categories = native.dtype.categories
    else:
        categories = native.drop_nulls().unique(maintain_order=True)
    return Categories(_category_array(categories.to_list()), fixed=is_fixed)


def _category_array(categories: list[Any]) -> ndarray:
    """Numbers and booleans as they are, everything else as text."""
    values = np.asarray(categories)
    kind = values.dtype.kind
    if kind == "i":
        return values.astype(np.int64)
    if kind == "f":
        return values.astype(np.float64)
    return values if kind == "b" else objects(map(str, categories))
