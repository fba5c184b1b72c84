"""Tables of equally long columns, as frames of other libraries and as files.

N rows
"""

from __future__ import annotations

import datetime
import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np

from lstmcast.databases.address import DatabaseTable, hidden, is_target
from lstmcast.databases.offline import connected
from lstmcast.databases.quoting import quoted_column, quoted_text
from lstmcast.databases.writing import write_to_database
from lstmcast.errors import MissingExtraError, UsageError
from lstmcast.util.categories import Categories
from lstmcast.util.files import check_output, whole_file
from lstmcast.util.objects import none_where_unknown, objects
from lstmcast.util.patterns import pattern_of

FRAMES = ("arrays", "pandas", "polars", "pyarrow")
ENDINGS = (".csv", ".parquet", ".xlsx", ".jsonl", ".csv.gz")


class Zoned(NamedTuple):
    """A column of times with a time zone: the times in UTC (N,), and the zone."""

    instants: np.ndarray
    zone: datetime.tzinfo


class ColumnTypes(NamedTuple):
    """Properties of columns that arrays do not have: their categories, times with a zone, and their
    types in frames of a library ("pandas:Int64")."""

    categories: Mapping[str, Categories] = {}
    zoned: Mapping[str, Zoned] = {}
    frame_dtypes: Mapping[str, str] = {}

    def dtypes_in(self, library: str) -> dict[str, str]:
        """The types that are those of frames of a library."""
        dtypes = {}
        for name, frame_dtype in self.frame_dtypes.items():
            of_library, _, dtype = frame_dtype.partition(":")
            if of_library == library and name not in self.categories:
                dtypes[name] = dtype
        return dtypes


PLAIN = ColumnTypes()


def frame_of(
    columns: dict[str, np.ndarray],
    kind: str | None,
    of_data: str = "arrays",
    types: ColumnTypes = PLAIN,
) -> Any:
    """Columns as a "pandas", "polars" or "pyarrow" frame, or for "arrays" as they are.

    Args:
        columns: Equally long arrays by name.
        kind: The requested kind of frame. Defaults to that of the data.
        of_data: The kind of the data; any but those three gives arrays.
        types: The columns with categories or a time zone in a frame.

    Raises:
        UsageError: The kind is unknown.
        MissingExtraError: The library is not installed.
    """
    if kind is not None and kind not in FRAMES:
        raise UsageError(
            f"{kind=} is not a kind of frame. Use one of {', '.join(map(repr, FRAMES))}."
        )
    kind = kind or of_data
    if kind not in FRAMES or kind == "arrays":
        return columns
    makers = {"pandas": _pandas_frame, "polars": _polars_frame, "pyarrow": _arrow_table}
    try:
        return makers[kind](columns, types)
    except ImportError as error:
        raise MissingExtraError(
            f"A {kind} frame needs {kind}, which is not installed. Install it with "
            f"'pip install {kind}', or ask for frame(\"arrays\")."
        ) from error


def _pandas_frame(columns: dict[str, np.ndarray], types: ColumnTypes) -> Any:
    import pandas

    frame = pandas.DataFrame(columns, copy=True)
    for name, dtype in types.dtypes_in("pandas").items():
        frame[name] = _as_pandas(frame[name], dtype)
    for name, categories in types.categories.items():
        dtype = pandas.CategoricalDtype(categories.values.tolist(), categories.ordered)
        frame[name] = frame[name].astype(dtype)
    for name, (times, zone) in types.zoned.items():
        # by its name, so that pandas makes the same kind of zone object as for the user's data
        frame[name] = pandas.DatetimeIndex(times, tz="UTC").tz_convert(
            getattr(zone, "key", zone)
        )
    return frame


_POLARS_NUMBERS = (
    "Int8",
    "Int16",
    "Int32",
    "UInt8",
    "UInt16",
    "UInt32",
    "Float32",
    "Float64",
)


def _as_pandas(column: Any, dtype: str) -> Any:
    """A column in a type of pandas; as it is where its values have another meaning there."""
    if dtype == "bytes":
        return column.str.encode("utf-8")
    try:
        return column.astype(dtype)
    except (TypeError, ValueError, OverflowError):
        # a zone, say, or a type of another version
        return column


def _polars_frame(columns: dict[str, np.ndarray], types: ColumnTypes) -> Any:
    import polars

    frame = polars.DataFrame(
        {name: _listed_text(column) for name, column in columns.items()}
    )
    changed = []
    for name, dtype in types.dtypes_in("polars").items():
        if dtype in _POLARS_NUMBERS:
            changed.append(polars.col(name).cast(getattr(polars, dtype)))
    for name, categories in types.categories.items():
        if categories.values.dtype != object:  # categories in polars are texts
            continue
        kind: Any = polars.Categorical
        if categories.fixed:
            kind = polars.Enum(categories.values.tolist())
        changed.append(polars.col(name).cast(kind))
    for name, (times, zone) in types.zoned.items():
        instants = polars.Series(name, times, polars.Datetime("us", "UTC"))
        changed.append(instants.dt.convert_time_zone(_polars_zone(zone)))
    return frame.with_columns(changed)


def _polars_zone(zone: datetime.tzinfo) -> str:
    """The name of a zone in polars, which names offsets of whole hours from UTC, but no others."""
    text = _zone_text(zone)
    if text[0] not in "+-":
        return text
    hours, minutes = text[1:].split(":")
    if minutes != "00":
        return "UTC"
    # POSIX counts hours west of Greenwich as positive
    sign = "-" if text[0] == "+" else "+"
    return f"Etc/GMT{sign}{int(hours)}"


def _zone_text(zone: datetime.tzinfo) -> str:
    """The name of a zone, or its offset: 'Europe/Berlin', 'UTC', '+09:00'."""
    if zone == datetime.UTC:
        return "UTC"
    return getattr(zone, "key", "") or str(zone).removeprefix("UTC")


def _arrow_table(columns: dict[str, np.ndarray], types: ColumnTypes) -> Any:
    import pyarrow

    arrays = {
        name: pyarrow.array(_listed_text(column)) for name, column in columns.items()
    }
    for name, (times, zone) in types.zoned.items():
        unit = pyarrow.timestamp("us", tz=_zone_text(zone))
        microseconds = times.astype("datetime64[us]").astype(np.int64)
        arrays[name] = pyarrow.array(microseconds).cast(unit)
    for name, categories in types.categories.items():
        values = categories.values.tolist()
        ordered = categories.ordered
        places = {value: place for place, value in enumerate(values)}
        codes = pyarrow.array(
            [places[value] for value in columns[name].tolist()], "int32"
        )
        arrays[name] = pyarrow.DictionaryArray.from_arrays(
            codes, values, ordered=ordered
        )
    return pyarrow.table(arrays)


def _listed_text(column: np.ndarray) -> Any:
    return column.tolist() if column.dtype == object else column


_FORMULAS = set("=+-@\t\r")  # first characters of a formula
_NUMBER = pattern_of(r"[+-]?\d[\d.,eE+-]*")


@overload
def write_table(
    columns: dict[str, np.ndarray],
    path: str | os.PathLike[str],
    about: Mapping[str, str] | None = None,
) -> Path: ...
@overload
def write_table(
    columns: dict[str, np.ndarray],
    path: DatabaseTable,
    about: Mapping[str, str] | None = None,
) -> DatabaseTable: ...
def write_table(
    columns: dict[str, np.ndarray],
    path: str | os.PathLike[str] | DatabaseTable,
    about: Mapping[str, str] | None = None,
) -> Path | DatabaseTable:
    """Write equally long columns atomically as .csv, .csv.gz, .parquet, .jsonl (a JSON object on
    each line) or .xlsx, or into a database table.

    In text formats, times become dates if all of them are midnights. `about`: metadata of the
    table, for Parquet.
    """
    if isinstance(path, DatabaseTable):
        write_to_database(path, columns)
        return path
    if is_target(path):
        raise UsageError(
            f"{hidden(str(path))!r} is a database table. Give it as lstmcast.DatabaseTable."
        )
    path = check_output(path, ENDINGS)
    ending = path.suffix.lower()
    if ending == ".xlsx":
        from lstmcast.writing.workbook import write_workbook

        return write_workbook(columns, path)
    if ending == ".jsonl":
        return _write_lines(columns, path)
    parquet = ending == ".parquet"
    names = ", ".join(
        _selected(name, column, parquet) for name, column in columns.items()
    )
    notes: list[str] = []
    options = "format csv, header"
    if ending == ".gz":
        options += ", compression gzip"
    if parquet:
        options = "format parquet"
        if about:
            places = ", ".join(f"{quoted_column(name)}: ?" for name in about)
            options += f", kv_metadata {{{places}}}"
            notes = list(about.values())
    with whole_file(path) as temporary:
        target = quoted_text(str(temporary))
        _copy(
            columns,
            f"copy (select {names} from written) to {target} ({options})",
            notes,
        )
    return path


def _copy(columns: dict[str, np.ndarray], statement: str, values: list[str]) -> None:
    """Run a DuckDB statement on columns, which are its table `written`."""
    import duckdb  # imported late: it takes longer than the forecast of one series

    table = {name: _known_to_duckdb(column) for name, column in columns.items()}
    with connected() as connection:
        connection.register("written", table)
        try:
            connection.execute(statement, values or None)
        except duckdb.IOException as error:
            raise OSError(_system_number(error), str(error).strip()) from error


def _write_lines(columns: dict[str, np.ndarray], path: Path) -> Path:
    """A JSON object for each row."""
    with whole_file(path) as temporary, open(temporary, "w", encoding="utf-8") as lines:
        for row in zip(*map(plain_list, columns.values()), strict=True):
            cells = dict(zip(columns, row, strict=True))
            lines.write(json.dumps(cells, ensure_ascii=False, default=str) + "\n")
    return path


def formulas_in(column: np.ndarray) -> list[str]:
    """The texts of a column that a spreadsheet would treat as formulas: those that begin like one
    and are not numbers.

    >>> formulas_in(np.array(["=1+1", "a", "-5", "-5+A1"], object))
    ['=1+1', '-5+A1']
    """
    if column.dtype != object:
        return []
    texts = dict.fromkeys(str(text) for text in column.tolist())
    return [
        text for text in texts if text[:1] in _FORMULAS and not _NUMBER.fullmatch(text)
    ]


def without_formulas(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns, with an apostrophe before each text that would be a formula."""
    escaped = {}
    for name, column in columns.items():
        escaped[name] = column
        formulas = {text: f"'{text}" for text in formulas_in(column)}
        if formulas:
            escaped[name] = objects(
                formulas.get(text, text) for text in column.tolist()
            )
    return escaped


def _known_to_duckdb(column: np.ndarray) -> np.ndarray:
    return (
        column.astype("datetime64[us]") if column.dtype == "datetime64[D]" else column
    )


def _system_number(error: Exception) -> int:
    """The system's error number: DuckDB reports a full disk only in words."""
    return errno.ENOSPC if "no space left" in str(error).lower() else 0


def _selected(name: str, column: np.ndarray, parquet: bool) -> str:
    """The expression for a column of the query: NULL for unknown numbers; Parquet always gets the
    same type of time."""
    quoted = quoted_column(name)
    if column.dtype.kind == "f":
        return f"case when isfinite({quoted}) then {quoted} end as {quoted}"
    is_date = column.dtype == "datetime64[D]"
    if column.dtype.kind == "M" and not parquet:
        is_date = is_date or whole_days(column)
    return f"{quoted}::date as {quoted}" if is_date else quoted


def whole_days(times: np.ndarray) -> bool:
    """Whether all times are midnights."""
    return bool(np.all(times == times.astype("datetime64[D]")))


def json_of(columns: Mapping[str, np.ndarray]) -> str:
    """A table as one JSON object of lists.

    >>> json_of({"step": np.array([1, 2]), "forecast": np.array([5.0, np.nan])})
    '{"step": [1, 2], "forecast": [5.0, null]}'
    """
    lists = {name: plain_list(column) for name, column in columns.items()}
    return json.dumps(lists, ensure_ascii=False)


def plain_list(column: np.ndarray) -> list[Any]:
    """A column for JSON: None for unknown numbers, ISO text for times, dates if all are midnights.

    >>> times = np.array(["2024-03-01T00:00"], "datetime64[us]")
    >>> plain_list(np.array([1.5, np.nan])), plain_list(times)
    ([1.5, None], ['2024-03-01'])
    """
    if column.dtype.kind == "f":
        return none_where_unknown(column)
    if column.dtype.kind == "M":
        unit = "D" if whole_days(column) else "auto"
        return np.datetime_as_string(column, unit=unit).tolist()
    return column.tolist()
