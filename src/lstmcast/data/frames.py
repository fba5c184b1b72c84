"""Data in memory to sheets: pandas, polars, Arrow, DuckDB relations, NumPy arrays and dicts of
arrays."""

# N rows

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy import ndarray

from lstmcast.data.columns import TARGET_NAMES
from lstmcast.data.dates import parse_times
from lstmcast.data.framecolumns import column_of, frame_column, label_of, text_of
from lstmcast.data.keys import OWN_NAME
from lstmcast.data.sheet import Column, Sheet
from lstmcast.databases.quoting import quoted_column
from lstmcast.errors import DataError, UsageError
from lstmcast.util.objects import objects
from lstmcast.util.text import storable

ARRAYS = "dict of arrays"  # the source of a dict, in reports and messages


def sheet_from_object(data: object) -> Sheet:
    """A sheet from anything that is not a file: UsageError naming what is understood otherwise."""
    if isinstance(data, Mapping):
        return sheet_from_dict(data)
    if isinstance(data, np.ndarray):
        fields = data.dtype.names
        return (
            sheet_from_dict({name: data[name] for name in fields})
            if fields
            else _sheet_of_array(data)
        )
    if type(data).__module__.split(".")[0] in ("duckdb", "_duckdb") and hasattr(data, "fetchnumpy"):
        return sheet_from_relation(data)
    if isinstance(data, (list, tuple)):
        return _sheet_of_array(_as_array(data))
    sheet = _sheet_of_frame(_with_index(data))
    return replace(sheet, wide=True) if _is_wide(data) else sheet


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
    arrays = {storable(str(name)): _as_array(values) for name, values in data.items()}
    for name, array in arrays.items():
        if array.ndim != 1:
            raise DataError(
                f"{name!r} has shape {array.shape}. One value per row is expected in a dict of "
                "arrays."
            )
    columns = [column_of(name, array) for name, array in arrays.items()]
    lengths = {len(array) for array in arrays.values()}
    has_time = any(
        column.is_text or column.data.dtype.kind == "M" or column.name in ("ds", "t", "time")
        for column in columns
    )
    if has_time or ("y" in arrays and len(arrays) > 1):
        if len(lengths) > 1:
            shown = ", ".join(f"{name!r}: {len(array)}" for name, array in list(arrays.items())[:6])
            raise DataError(
                f"the columns have different lengths ({shown}). Columns of equal length are "
                "expected."
            )
        return Sheet(tuple(columns), _rows(len(columns[0])), ARRAYS, "arrays", (), "y")
    return _sheet_of_series(arrays, ARRAYS)


def sheet_from_relation(
    relation: Any, encoded: Callable[[str], Column | None] | None = None
) -> Sheet:
    """A sheet from a DuckDB relation; types are made plain inside DuckDB, so nothing is
    converted row by row.

    `encoded`: makes a column of texts, given its name, where that is cheaper than fetching the text
    of every row; or None for this column.
    """
    plain = {
        name: _plain_type(name, str(kind))
        for name, kind in zip(relation.columns, relation.types, strict=True)
    }
    texts = [name for name, sql in plain.items() if encoded and " AS VARCHAR) " in sql]
    ready = {name: encoded(name) for name in texts} if encoded else {}
    ready = {name: column for name, column in ready.items() if column is not None}
    selected = ", ".join(sql for name, sql in plain.items() if name not in ready)
    fetched = relation.project(selected).fetchnumpy() if selected else {}
    zones = ["UTC" if str(kind) == "TIMESTAMP WITH TIME ZONE" else None for kind in relation.types]
    columns = [
        ready[name] if name in ready else column_of(name, fetched[name], zone)
        for name, zone in zip(relation.columns, zones, strict=True)
    ]
    columns = [
        replace(column, dtype="date") if str(kind) == "DATE" else column
        for column, kind in zip(columns, relation.types, strict=True)
    ]
    return Sheet(tuple(columns), _rows(len(columns[0])), "DuckDB relation", "duckdb", (), "y")


def _plain_type(name: str, kind: str) -> str:
    quoted = quoted_column(name)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"make_timestamp(epoch_us({quoted})) AS {quoted}"
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        return f"CAST({quoted} AS TIMESTAMP) AS {quoted}"
    if kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"):
        return f"CAST({quoted} AS BIGINT) AS {quoted}"
    if kind in ("FLOAT", "DOUBLE", "HUGEINT", "UBIGINT", "UHUGEINT") or kind.startswith("DECIMAL"):
        return f"CAST({quoted} AS DOUBLE) AS {quoted}"
    return quoted if kind == "BOOLEAN" else f"CAST({quoted} AS VARCHAR) AS {quoted}"


def _rows(count: int) -> ndarray:
    return np.arange(1, count + 1, dtype=np.int64)


def _as_array(values: Any) -> ndarray:
    try:
        return values if isinstance(values, np.ndarray) else np.asarray(values)
    except ValueError:  # rows of different lengths
        return np.asarray([None if row is None else list(row) for row in values], dtype=object)


def _sheet_of_array(array: ndarray) -> Sheet:
    """One series (1-D), or series in rows (2-D)."""
    if array.dtype == object and array.ndim == 1 and all(isinstance(row, list) for row in array):
        return _sheet_of_series(
            {f"series_{i}": _as_array(row) for i, row in enumerate(array, 1)}, "list of lists"
        )
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
    return _sheet_of_series({f"series_{i}": row for i, row in enumerate(array, start=1)}, "array")


def _sheet_of_series(arrays: Mapping[str, ndarray], source: str) -> Sheet:
    """Series under each other, with times 1, 2, 3, … each."""
    values = []
    for name, array in arrays.items():
        column = column_of(name, array)
        numbers = column.numbers
        bad = np.flatnonzero(~column.missing if numbers is None else column.spread(numbers.bad))
        if len(bad):
            place = f"{column.cell(bad[0])!r} at position {bad[0] + 1}"
            raise DataError(
                f"series {name!r} has {place}. Numbers are expected, NaN where missing."
            )
        values.append(
            np.full(len(array), np.nan) if numbers is None else column.spread(numbers.values)
        )
    lengths = [len(array) for array in values]
    names = objects(arrays)
    columns = (
        Column(OWN_NAME, names, np.repeat(np.arange(len(names)), lengths), invented=True),
        Column("t", np.concatenate([_rows(length) for length in lengths])),
        Column("y", np.concatenate(values)),
    )
    return Sheet(columns, columns[1].data, source, "arrays", (), "y")


def _with_index(data: Any) -> Any:
    """A pandas object with a time or several levels in its index, as a frame with these as
    columns."""
    if not type(data).__module__.startswith("pandas"):
        return data
    pandas = __import__("pandas")
    if isinstance(data, pandas.Series):
        if isinstance(data.index, pandas.RangeIndex):
            return data
        data = data.to_frame(name="y" if data.name is None else str(data.name))
    if not isinstance(data, pandas.DataFrame):
        return data
    _require_distinct(data.columns)
    index = data.index
    timed = isinstance(index, (pandas.DatetimeIndex, pandas.PeriodIndex)) or _holds_dates(index)
    if timed or isinstance(index, pandas.MultiIndex) or index.name is not None:
        names = _level_names(index, timed)
        _require_distinct(names)
        data = data.rename_axis(index=names if len(names) > 1 else names[0])
        data = (
            data.reset_index()
            if not set(names) & set(data.columns)
            else data.reset_index(drop=True)
        )
    return data.set_axis([label_of(name) for name in data.columns], axis=1)


def _holds_dates(index: Any) -> bool:
    """Whether a nameless index holds dates, as texts or as Python's dates."""
    if index.name is not None or index.nlevels > 1 or index.dtype != object or not len(index):
        return False
    times = parse_times([text_of(value) for value in index[:200]])
    return times is not None and times.form == "date" and not times.bad.any()


def _level_names(index: Any, timed: bool) -> list[str]:
    """What the levels of an index are called; nameless ones after what they hold."""
    if index.nlevels == 1:
        return [("ds" if timed else "level") if index.name is None else index.name]
    names = []
    for place, name in enumerate(index.names):
        if name is not None:
            names.append(name)
            continue
        dated = index.levels[place].dtype.kind == "M" or hasattr(index.levels[place], "asfreq")
        names.append("ds" if dated and "ds" not in names else f"level_{place + 1}")
    return names


def _is_wide(data: Any) -> bool:
    """Whether the columns of a pandas frame are series: times in its index, numbers in all of
    several columns, none of which has the name of a target."""
    if not type(data).__module__.startswith("pandas") or not hasattr(data, "columns"):
        return False
    pandas = __import__("pandas")
    timed = isinstance(data.index, (pandas.DatetimeIndex, pandas.PeriodIndex))
    if not timed and not _holds_dates(data.index):
        return False
    if len(data.columns) < 2 or any(kind.kind not in "iuf" for kind in map(_kind, data.dtypes)):
        return False
    if data.columns.nlevels > 1 or data.columns.name is not None:
        return True
    names = [str(name).strip().casefold() for name in data.columns]
    return not any(name in TARGET_NAMES for name in names)


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
            "the frame has several columns of one name. Rename them, so that each can be named."
        ) from None
    except TypeError:
        raise UsageError(
            f"data of type {type(data).__name__} cannot be read. A file's path, a pandas, polars "
            "or Arrow frame, a DuckDB relation, a NumPy array or a dict of arrays is expected."
        ) from None
    # pandas ones with dates in the index have become frames before
    if isinstance(frame, nw.Series):
        sheet = _sheet_of_series({str(frame.name or "y"): _as_array(frame.to_list())}, "series")
        return replace(sheet, frame=frame.implementation.name.lower())
    kind = frame.implementation.name.lower()
    if not frame.columns or not len(frame):
        raise DataError(
            f"the {kind} frame is empty. A column of times and a column of numbers are expected."
        )
    columns = tuple(frame_column(name, frame[name], nw) for name in frame.columns)
    return Sheet(columns, _rows(len(frame)), f"{kind} frame", kind, (), "y")


def _require_distinct(names: Iterable[Any]) -> None:
    listed = [str(name) for name in names]
    if len(set(listed)) < len(listed):
        repeated = next(name for name in listed if listed.count(name) > 1)
        raise DataError(
            f"the frame has several columns {repeated!r}. Rename them, so that each can be named."
        )
