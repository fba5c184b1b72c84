"""Data in memory to sheets: pandas, polars, Arrow, DuckDB relations, NumPy arrays and dicts of
arrays."""

# N rows

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.columns import TARGET_NAMES
from lstmcast.data.files.framecolumns import column_of, frame_column, label_of, text_of
from lstmcast.data.keys import OWN_NAME
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.times.dates import parse_times
from lstmcast.databases.quoting import quoted_column
from lstmcast.errors import DataError, UsageError
from lstmcast.util.objects import objects
from lstmcast.util.text import storable

ARRAYS = "dict of arrays"  # the source of a dict, in reports and messages


def sheet_from_object(data: object) -> Sheet:
    """A sheet from anything that is not a file: UsageError naming what is understood otherwise."""
    if isinstance(data, Mapping):
        if data and all(map(_is_timed_series, data.values())):
            sheet = _sheet_of_frame(_with_index(_beside_each_other(data)))
            return replace(sheet, wide=True)
        if data and all(isinstance(values, Mapping) for values in data.values()):
            return replace(sheet_from_dict(_by_time(data)), wide=True)
        return sheet_from_dict(data)
    if isinstance(data, np.ndarray):
        fields = data.dtype.names
        if not fields:
            return _sheet_of_array(data)
        return sheet_from_dict({name: data[name] for name in fields})
    if _is_relation(data):
        return sheet_from_relation(data)
    if isinstance(data, (list, tuple)):
        if data and all(isinstance(record, Mapping) for record in data):
            return sheet_from_dict(_columns_of(data))
        return _sheet_of_array(_as_array(data))
    sheet = _sheet_of_frame(_with_index(data))
    return replace(sheet, wide=True) if _is_wide(data) else sheet


def _columns_of(records: Sequence[Mapping[Any, Any]]) -> dict[Any, list[Any]]:
    """Records, {"day": "2024-03-01", "y": 5}, as columns."""
    names = dict.fromkeys(chain.from_iterable(records))
    return {name: [record.get(name) for record in records] for name in names}


def _by_time(values_by_name: Mapping[Any, Mapping[Any, Any]]) -> dict[Any, list[Any]]:
    """Series as mappings, {"a": {"2024-03-01": 5}}, as columns beside all of their times."""
    times = dict.fromkeys(chain.from_iterable(values_by_name.values()))
    columns: dict[Any, list[Any]] = {"ds": list(times)}
    for name, values in values_by_name.items():
        columns[name] = [values.get(time) for time in times]
    return columns


def _is_timed_series(data: object) -> bool:
    """Whether an object is a Series of pandas with times in its index."""
    is_series = _is_pandas(data) and type(data).__name__ == "Series"
    return is_series and _is_timed(getattr(data, "index", None))


def _beside_each_other(series_by_name: Mapping[Any, Any]) -> Any:
    """Series of pandas as the columns of a frame, with all of their times as its rows."""
    pandas = __import__("pandas")
    for name, series in series_by_name.items():
        if series.index.has_duplicates:
            time = series.index[series.index.duplicated()][0]
            raise DataError(
                f"series {str(name)!r} has two values for {time}. One value per series and time is "
                "expected."
            )
    return pandas.DataFrame(dict(series_by_name)).rename_axis(index="ds")


def _is_relation(data: object) -> bool:
    """Whether an object is a relation of DuckDB."""
    library = type(data).__module__.split(".")[0]
    return library in ("duckdb", "_duckdb") and hasattr(data, "fetchnumpy")


def sheet_from_dict(data: Mapping[Any, Any]) -> Sheet:
    """Named columns if one of them is a time or text, else {id: values}, where lengths may differ.

    >>> sheet_from_dict({"a": [1, 2], "b": [3, 4, 5]}).names
    ['unique_id', 't', 'y']
    """
    if not data:
        raise DataError(
            "the dict is empty. Columns {'ds': dates, 'y': values} or {'name': values} are "
            "expected."
        )
    arrays = {}
    for key, values in data.items():
        arrays[storable(str(key))] = _as_array(values)
    columns = []
    for name, array in arrays.items():
        if array.ndim != 1:
            raise DataError(
                f"{name!r} has shape {array.shape}. One value per row is expected in a dict of "
                "arrays."
            )
        columns.append(column_of(name, array))
    has_target = "y" in arrays and len(arrays) > 1
    if not has_target and not any(map(_may_be_time, columns)):
        return _sheet_of_series(arrays, ARRAYS)
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        listing = [f"{name!r}: {length}" for name, length in lengths.items()]
        examples = ", ".join(listing[:6])
        raise DataError(
            f"the columns have different lengths ({examples}). Columns of equal length are "
            "expected."
        )
    lines = _rows(len(columns[0]))
    return Sheet(tuple(columns), lines, ARRAYS, "arrays", (), "y")


def _may_be_time(column: Column) -> bool:
    """Whether a column of a dict is one of times or texts, by what it holds or its name."""
    if column.is_text or column.data.dtype.kind == "M":
        return True
    return column.name in ("ds", "t", "time")


def sheet_from_relation(
    relation: Any, encoded: Callable[[str], Column | None] | None = None
) -> Sheet:
    """A sheet from a DuckDB relation; types are made plain inside DuckDB, so nothing is
    converted row by row.

    `encoded`: makes a column of texts, given its name, where that is cheaper than fetching the text
    of every row; or None for this column.
    """
    kinds = list(zip(relation.columns, map(str, relation.types), strict=True))
    ready: dict[str, Column] = {}
    selected: list[str] = []
    for name, kind in dict(kinds).items():
        plain = _plain_type(name, kind)
        column = encoded(name) if encoded and " AS VARCHAR) " in plain else None
        if column is not None:
            ready[name] = column
        else:
            selected.append(plain)
    fetched = {}
    if selected:
        fetched = relation.project(", ".join(selected)).fetchnumpy()
    columns = []
    for name, kind in kinds:
        column = ready.get(name)
        if column is None:
            zone = "UTC" if kind in _ZONED else None
            column = column_of(name, fetched[name], zone)
        if kind == "DATE":
            column = replace(column, dtype="date")
        columns.append(column)
    lines = _rows(len(columns[0]))
    return Sheet(tuple(columns), lines, "DuckDB relation", "duckdb", (), "y")


_ZONED = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS")
_INTEGERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
)
_FLOATS = ("FLOAT", "DOUBLE", "HUGEINT", "UBIGINT", "UHUGEINT")


def _plain_type(name: str, kind: str) -> str:
    quoted = quoted_column(name)
    if kind in _ZONED:
        return f"make_timestamp(epoch_us(CAST({quoted} AS TIMESTAMPTZ))) AS {quoted}"
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        return f"CAST({quoted} AS TIMESTAMP) AS {quoted}"
    if kind in _INTEGERS:
        return f"CAST({quoted} AS BIGINT) AS {quoted}"
    if kind in _FLOATS or kind.startswith("DECIMAL"):
        return f"CAST({quoted} AS DOUBLE) AS {quoted}"
    return quoted if kind == "BOOLEAN" else f"CAST({quoted} AS VARCHAR) AS {quoted}"


def _rows(count: int) -> ndarray:
    return np.arange(1, count + 1, dtype=np.int64)


def _as_array(values: Any) -> ndarray:
    if isinstance(values, np.ndarray):
        return values
    try:
        return np.asarray(values)
    except ValueError:  # rows of different lengths
        return np.asarray([_as_list(row) for row in values], dtype=object)


def _as_list(row: Any) -> list[Any] | None:
    return None if row is None else list(row)


def _sheet_of_array(array: ndarray) -> Sheet:
    """One series (1-D), or series in rows (2-D)."""
    is_list_of_lists = array.dtype == object and array.ndim == 1
    if is_list_of_lists and all(isinstance(row, list) for row in array):
        return _sheet_of_series(_numbered(map(_as_array, array)), "list of lists")
    if array.dtype.kind not in "iufO" or array.ndim not in (1, 2):
        raise DataError(
            f"an array of shape {array.shape} and type {array.dtype} cannot be read. Numbers are "
            "expected: one series (1-D), or series in rows (2-D). With dates, give a dict of "
            "columns: {'ds': dates, 'y': values}."
        )
    if array.ndim == 1:
        return _sheet_of_series({"y": array}, "array")
    if array.shape[1] <= 2 < array.shape[0]:
        raise DataError(
            f"an array of shape {array.shape} has short rows. Series are expected in rows: "
            "transpose it."
        )
    return _sheet_of_series(_numbered(array), "array")


def _numbered(rows: Iterable[ndarray]) -> dict[str, ndarray]:
    """Series without names, named by their numbers."""
    return {f"series_{number}": row for number, row in enumerate(rows, start=1)}


def _sheet_of_series(arrays: Mapping[str, ndarray], source: str) -> Sheet:
    """Series under each other, with times 1, 2, 3, … each."""
    values = [_series_values(name, array) for name, array in arrays.items()]
    if not any(np.isfinite(numbers).any() for numbers in values):
        raise DataError(f"{source}: no value is known. Numbers are expected.")
    lengths = [len(array) for array in values]
    names = objects(arrays)
    codes = np.repeat(np.arange(len(names)), lengths)
    times = np.concatenate([_rows(length) for length in lengths])
    columns = (
        Column(OWN_NAME, names, codes, invented=True),
        Column("t", times),
        Column("y", np.concatenate(values)),
    )
    return Sheet(columns, times, source, "arrays", (), "y")


def _series_values(name: str, array: ndarray) -> ndarray:
    """The numbers of a series; DataError where it holds anything else."""
    column = column_of(name, array)
    numbers = column.numbers
    is_bad = ~column.missing if numbers is None else column.spread(numbers.bad)
    if is_bad.any():
        row = int(np.argmax(is_bad))
        raise DataError(
            f"series {name!r} has {column.cell(row)!r} at position {row + 1}. Numbers are "
            "expected, NaN where missing."
        )
    if numbers is None:
        return np.full(len(array), np.nan)
    return column.spread(numbers.values)


def _with_index(data: Any) -> Any:
    """A pandas object with a time or several levels in its index, as a frame with these as
    columns."""
    if not _is_pandas(data):
        return data
    pandas = __import__("pandas")
    if isinstance(data, pandas.Series):
        if isinstance(data.index, pandas.RangeIndex) and data.index.name is None:
            return data
        name = "y" if data.name is None else str(data.name)
        data = data.to_frame(name=name)
    if not isinstance(data, pandas.DataFrame):
        return data
    _require_distinct(data.columns)
    index = data.index
    is_timed = _is_timed(index)
    if is_timed or isinstance(index, pandas.MultiIndex) or index.name is not None:
        data = _with_index_columns(data, is_timed)
    return data.set_axis([label_of(name) for name in data.columns], axis=1)


def _with_index_columns(frame: Any, is_timed: bool) -> Any:
    """A pandas frame with the levels of its index as columns, unless it has columns of these
    names."""
    names = _level_names(frame.index, is_timed)
    _require_distinct(names)
    index_name = names if len(names) > 1 else names[0]
    frame = frame.rename_axis(index=index_name)
    drop = not set(names).isdisjoint(frame.columns)
    return frame.reset_index(drop=drop)


def _is_pandas(data: Any) -> bool:
    return type(data).__module__.startswith("pandas")


def _is_timed(index: Any) -> bool:
    """Whether an index of pandas is one of times."""
    pandas = __import__("pandas")
    kinds = (pandas.DatetimeIndex, pandas.PeriodIndex, pandas.TimedeltaIndex)
    return isinstance(index, kinds) or _holds_dates(index)


def _holds_dates(index: Any) -> bool:
    """Whether a nameless index holds dates, as texts or as Python's dates."""
    if index.name is not None or index.nlevels > 1:
        return False
    if index.dtype != object or not len(index):
        return False
    times = parse_times([text_of(value) for value in index[:200]])
    return times is not None and times.form == "date" and not times.bad.any()


def _level_names(index: Any, is_timed: bool) -> list[str]:
    """What the levels of an index are called; nameless ones after what they hold."""
    if index.nlevels == 1:
        nameless = "ds" if is_timed else "level"
        return [nameless if index.name is None else index.name]
    names = []
    for number, name in enumerate(index.names, start=1):
        if name is None:
            level = index.levels[number - 1]
            is_dated = level.dtype.kind == "M" or hasattr(level, "asfreq")
            may_be_ds = is_dated and "ds" not in names
            name = "ds" if may_be_ds else f"level_{number}"
        names.append(name)
    return names


def _is_wide(data: Any) -> bool:
    """Whether the columns of a pandas frame are series: times in its index, numbers in all of
    several columns, none of which has the name of a target."""
    is_frame = _is_pandas(data) and hasattr(data, "columns")
    if not is_frame or not _is_timed(data.index):
        return False
    are_numbers = [_kind(dtype).kind in "iuf" for dtype in data.dtypes]
    if len(are_numbers) < 2 or not all(are_numbers):
        return False
    if data.columns.nlevels > 1 or data.columns.name is not None:
        return True
    names = {str(name).strip().casefold() for name in data.columns}
    return names.isdisjoint(TARGET_NAMES)


def _kind(dtype: Any) -> Any:
    """The NumPy type of a column; of pandas' own types the one that they are made of."""
    return getattr(dtype, "numpy_dtype", dtype)


def _sheet_of_frame(data: Any) -> Sheet:
    import narwhals as nw

    try:
        frame = nw.from_native(data, allow_series=True)
        if isinstance(frame, nw.LazyFrame):
            frame = frame.collect()
    except nw.exceptions.DuplicateError:
        raise DataError(
            "the frame has several columns of the same name. Rename them, so that each can be "
            "named."
        ) from None
    except TypeError:
        raise UsageError(
            f"data of type {type(data).__name__} cannot be read. A file's path, a pandas, polars "
            "or Arrow frame, a DuckDB relation, a NumPy array or a dict of arrays is expected."
        ) from None
    kind = frame.implementation.name.lower()
    # pandas ones with dates in the index have become frames before
    if isinstance(frame, nw.Series):
        name = str(frame.name or "y")
        sheet = _sheet_of_series({name: _as_array(frame.to_list())}, "series")
        return replace(sheet, frame=kind)
    if not frame.columns or not len(frame):
        raise DataError(
            f"the {kind} frame is empty. A column of times and a column of numbers are expected."
        )
    columns = tuple(frame_column(name, frame[name], nw) for name in frame.columns)
    return Sheet(columns, _rows(len(frame)), f"{kind} frame", kind, (), "y")


def _require_distinct(names: Iterable[Any]) -> None:
    texts = [str(name) for name in names]
    if len(set(texts)) < len(texts):
        repeated = next(name for name in texts if texts.count(name) > 1)
        raise DataError(
            f"the frame has several columns {repeated!r}. Rename them, so that each can be named."
        )
