"""Register the functions in a connection, and run queries that call them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.databases.address import Address, address_of
from lstmcast.databases.offline import connected, tables_only
from lstmcast.databases.opening import opened
from lstmcast.duckdb.functions import Functions
from lstmcast.errors import DataError, UsageError
from lstmcast.util.objects import objects
from lstmcast.util.patterns import pattern_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# what DuckDB puts before the errors of Python functions
_IN_FUNCTION = pattern_of(
    r"^.*Python exception occurred while executing the UDF: (\w+: )?"
)
_ROWS = (
    "STRUCT(id VARCHAR[], times TIMESTAMP[], point DOUBLE[], quantiles DOUBLE[][], "
    "flags BOOLEAN[])"
)
_MACROS = """
CREATE OR REPLACE TEMP MACRO lstmcast_forecast(
    data, "timestamp" := NULL, value := NULL, id := [], horizon := NULL, level := 80,
    method := 'auto', frequency := NULL
) AS TABLE FROM query(lstmcast_forecast_query(
    data, "timestamp", value, id, horizon, CAST(level AS VARCHAR), method, frequency));
CREATE OR REPLACE TEMP MACRO lstmcast_anomalies(
    data, "timestamp" := NULL, value := NULL, id := [], rate := 0.001, frequency := NULL
) AS TABLE FROM query(lstmcast_anomalies_query(data, "timestamp", value, id, rate, frequency));
"""


def register(connection: DuckDBPyConnection) -> None:
    """Add `lstmcast_forecast` and `lstmcast_anomalies` to a connection.

    Both take the name of a table, a file, or the text of a query, and `timestamp`, `value`, `id` (a
    list of the columns that distinguish series) and `frequency`. `lstmcast_forecast` also takes
    `horizon`, `level` (a percentage, or a list of them) and `method`; `lstmcast_anomalies` takes
    `rate`. They see only committed data: no temporary tables, and no Python data frames.

    >>> import duckdb
    >>> with duckdb.connect() as con:
    ...     register(con)
    ...     _ = con.execute("CREATE TABLE sales AS SELECT DATE '2024-01-01' + i::INT AS day, "
    ...         "100 + i % 7 AS sold FROM range(56) t(i)")
    ...     con.sql("SELECT round(forecast_value) FROM lstmcast_forecast('sales', horizon := 2)"
    ...         ).fetchall()
    [(100.0,), (101.0,)]
    """
    _registered(connection)


def query(
    statement: str, database: str | Address | None = None
) -> dict[str, np.ndarray]:
    """Run a query that may call these functions, and return its columns.

    Args:
        statement: A query in DuckDB's SQL. Files are tables: `FROM lstmcast_forecast('sales.csv')`.
        database: The address of a DuckDB file, such as "duckdb:///shop.db", which is opened
            read-only. Defaults to a database in memory.

    Raises:
        DataError: The query fails.
        UsageError: An argument, also of the functions, is invalid, or the database is not DuckDB.

    >>> query("SELECT 6 * 7 AS answer")
    {'answer': array([42], dtype=int32)}
    """
    if database is None:
        with connected() as connection:
            return _answer(connection, statement)
    address = address_of(database)
    if address.engine != "duckdb" or address.table is not None:
        raise UsageError(
            f"{address} is not a DuckDB file. Write duckdb:///shop.db; read tables of other "
            "databases with lstmcast.read."
        )
    with opened(address) as file:
        return _answer(file.connection, statement)  # pyright: ignore[reportAttributeAccessIssue]


def _answer(connection: Any, statement: str) -> dict[str, np.ndarray]:
    import duckdb

    functions = _registered(connection)
    tables_only(connection)
    try:
        relation = connection.execute(statement)
        if relation is None:
            raise UsageError(
                "The query is empty. Write what to read, such as SELECT 6 * 7."
            )
        if relation.description is None:
            return {}
        return {name: _plain(column) for name, column in relation.fetchnumpy().items()}
    except duckdb.Error as error:
        if functions.error is not None:
            raise functions.error from None
        message = _IN_FUNCTION.sub("", " ".join(str(error).split()))
        raise DataError(f"the query failed: {message[:500]}") from None


def _plain(column: Any) -> np.ndarray:
    """A column without a mask: NaN or NaT if unknown, in other columns an empty text."""
    if column.dtype.kind in "Om":
        cells = np.ma.filled(column.astype(object), "")
        return objects([_cell(value) for value in cells])
    if not isinstance(column, np.ma.MaskedArray):
        return np.asarray(column)
    if column.dtype.kind in "iub" and column.mask.any():
        return np.where(column.mask, np.nan, column.data.astype(np.float64))
    missing = {"f": np.nan, "M": np.datetime64("NaT")}
    return column.filled(missing.get(column.dtype.kind))


def _cell(value: Any) -> Any:
    """A cell for files and JSON: lists, structures, intervals and bytes become texts."""
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", errors="backslashreplace")
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return value if isinstance(value, (str, bool, int, float)) else str(value)


def _registered(connection: Any) -> Functions:
    """The functions of a connection, registered if they were not."""
    functions = Functions(weakref.ref(connection))
    text, names = "VARCHAR", "VARCHAR[]"
    options: dict[str, Any] = {"null_handling": "special"}
    common = [text, text, text, names]
    queries = {
        "lstmcast_forecast_query": (
            functions.forecast_query,
            [*common, "BIGINT", text, text, text],
        ),
        "lstmcast_anomalies_query": (
            functions.anomalies_query,
            [*common, "DOUBLE", text],
        ),
    }
    for name, (function, types) in queries.items():
        _replace(connection, name, function, types, text, options)
    run = options | {"side_effects": True}
    _replace(
        connection, "lstmcast_rows", functions.rows, [text, "BIGINT"], f"{_ROWS}[]", run
    )
    connection.execute(_MACROS)
    return functions


def _replace(
    connection: Any, name: str, function: Any, types: Any, gives: str, options: Any
) -> None:
    """Register a scalar function, replacing that of an earlier call."""
    import duckdb

    try:
        connection.create_function(name, function, types, gives, **options)
    except duckdb.NotImplementedException:  # it exists
        connection.remove_function(name)
        connection.create_function(name, function, types, gives, **options)
