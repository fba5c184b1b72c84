"""Forecasts and anomalies as table functions of a DuckDB connection.

    con.sql("FROM lstmcast_forecast('sales', timestamp := 'day', value := 'sold', id := ['store'])")

Python cannot add table functions to DuckDB. So each is a macro over two scalar functions: one
writes, when a query is bound, the SELECT with the columns that are asked for; the other gives, when
it runs, one row per series of a chunk, whose lists are unnested.
"""

from __future__ import annotations

import json
import os
import re
import uuid
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.data.panel import Panel
from lstmcast.data.read import read
from lstmcast.databases.address import Address, address_of
from lstmcast.databases.opening import opened
from lstmcast.databases.quoting import quoted, quoted_column, quoted_text
from lstmcast.errors import DataError, LstmcastError, UsageError
from lstmcast.util.objects import objects

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CHUNK = 500  # series that are forecast at a time
_STATEMENT = re.compile(r"\s*(select|from|with|values|table|\()", re.IGNORECASE)
# what DuckDB puts before the errors of functions that are Python
_IN_FUNCTION = re.compile(r"^.*Python exception occurred while executing the UDF: (\w+: )?")
# names in a query are tables, never variables of this program
_NO_VARIABLES = "SET SESSION python_enable_replacements = false"
_ROWS = (
    "STRUCT(id VARCHAR[], times TIMESTAMP[], point DOUBLE[], quantiles DOUBLE[][], flags BOOLEAN[])"
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

    Both take a table by its name, a file, or a query as text, and `timestamp`, `value`, `id` (a
    list of the columns that tell series apart) and `frequency`; `lstmcast_forecast` also `horizon`,
    `level` (a percent, or a list of them) and `method`, `lstmcast_anomalies` `rate`. They see what
    has been committed: no temporary tables, and no frames of Python.

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


def query(statement: str, database: str | Address | None = None) -> dict[str, np.ndarray]:
    """What a query gives that may call these functions, as columns.

    Args:
        statement: in DuckDB's SQL. Files are tables: `FROM lstmcast_forecast('sales.csv')`.
        database: the address of a DuckDB file, such as "duckdb:///shop.db", which is read only; a
            database in memory unless given.

    Raises:
        DataError: for a query that fails.
        UsageError: for senseless arguments, also of the functions, and other databases.

    >>> query("SELECT 6 * 7 AS answer")
    {'answer': array([42], dtype=int32)}
    """
    import duckdb

    if database is None:
        with duckdb.connect() as connection:
            return _answer(connection, statement)
    address = address_of(database)
    if address.engine != "duckdb" or address.table is not None:
        raise UsageError(
            f"{address} is no DuckDB file. Write duckdb:///shop.db; tables of others are read with "
            "lstmcast.read."
        )
    with opened(address) as file:
        return _answer(file.connection, statement)  # pyright: ignore[reportAttributeAccessIssue]


def _answer(connection: Any, statement: str) -> dict[str, np.ndarray]:
    import duckdb

    functions = _registered(connection)
    connection.execute(_NO_VARIABLES)
    try:
        result = connection.execute(statement)
        if result is None:
            raise UsageError("The query is empty. Write what to read, such as SELECT 6 * 7.")
        if result.description is None:
            return {}
        return {name: _plain(column) for name, column in result.fetchnumpy().items()}
    except duckdb.Error as error:
        if functions.error is not None:
            raise functions.error from None
        told = _IN_FUNCTION.sub("", " ".join(str(error).split()))
        raise DataError(f"the query failed: {told[:500]}") from None


def _plain(column: Any) -> np.ndarray:
    """A column without a mask: unknown numbers and times as such, other cells as empty texts."""
    if column.dtype.kind in "Om":
        filled = np.ma.filled(column.astype(object), "")
        return objects([_cell(value) for value in filled])
    if not isinstance(column, np.ma.MaskedArray):
        return np.asarray(column)
    if column.dtype.kind in "iub" and column.mask.any():
        return np.where(column.mask, np.nan, column.data.astype(np.float64))
    nothing = {"f": np.nan, "M": np.datetime64("NaT")}
    return column.filled(nothing.get(column.dtype.kind))


def _cell(value: Any) -> Any:
    """A cell as files and JSON can hold it: lists, structures, spans and bytes are texts."""
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", errors="backslashreplace")
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return value if isinstance(value, (str, bool, int, float)) else str(value)


def _registered(connection: Any) -> _Functions:
    """The functions of a connection, which it has from now on."""
    functions = _Functions(weakref.ref(connection))
    text, names = "VARCHAR", "VARCHAR[]"
    how: dict[str, Any] = {"null_handling": "special"}
    asked = [text, text, text, names]
    more = {
        "lstmcast_forecast_query": (functions.forecast_query, [*asked, "BIGINT", text, text, text]),
        "lstmcast_anomalies_query": (functions.anomalies_query, [*asked, "DOUBLE", text]),
    }
    for name, (function, types) in more.items():
        _replace(connection, name, function, types, text, how)
    run = how | {"side_effects": True}
    _replace(connection, "lstmcast_rows", functions.rows, [text, "BIGINT"], f"{_ROWS}[]", run)
    connection.execute(_MACROS)
    return functions


def _replace(connection: Any, name: str, function: Any, types: Any, gives: str, how: Any) -> None:
    """Make a scalar function, in place of one of an earlier call."""
    import duckdb

    try:
        connection.create_function(name, function, types, gives, **how)
    except duckdb.NotImplementedException:  # there is one
        connection.remove_function(name)
        connection.create_function(name, function, types, gives, **how)


@dataclass(frozen=True)
class _Asked:
    """What one call of a table function asks for."""

    data: str
    time: str | None
    value: str | None
    ids: Sequence[str]
    frequency: str | None
    horizon: int | None = None
    levels: Sequence[float] = ()
    method: str = "auto"
    rate: float | None = None


@dataclass
class _Functions:
    """The scalar functions of a connection, and what they hold between two chunks."""

    connection: weakref.ref[Any]
    asked: dict[str, _Asked] = field(default_factory=dict)
    panels: dict[str, Panel] = field(default_factory=dict)
    error: LstmcastError | None = None  # the last one, which DuckDB wraps

    def forecast_query(
        self,
        data: str,
        time: str | None,
        value: str | None,
        ids: Sequence[str] | None,
        horizon: int | None,
        level: str,
        method: str | None,
        frequency: str | None,
    ) -> str:
        """The SELECT of a forecast."""
        from lstmcast.predict import quantiles_of

        self.error = None
        levels = self._percents(level)
        names = tuple(ids or ())
        asked = _Asked(data, time, value, names, frequency, horizon, levels, method or "auto")
        quantiles = quantiles_of(levels)
        tail = round((1 - levels[0] / 100) / 2, 6)
        low, high = quantiles.index(tail) + 1, quantiles.index(round(1 - tail, 6)) + 1
        columns = [
            "unnest(r.times) AS forecast_timestamp",
            "unnest(r.point) AS forecast_value",
            f"{levels[0] / 100:g}::DOUBLE AS confidence_level",
            f"unnest(r.quantiles[{low}]) AS prediction_interval_lower_bound",
            f"unnest(r.quantiles[{high}]) AS prediction_interval_upper_bound",
            "CASE WHEN isfinite(r.point[1]) THEN '' ELSE 'no known values to forecast from' END "
            "AS ai_forecast_status",
        ]
        columns += [
            f"unnest(r.quantiles[{place}]) AS {quoted_column(f'q{quantile:g}')}"
            for place, quantile in enumerate(quantiles, start=1)
        ]
        return self._query(asked, columns)

    def anomalies_query(
        self,
        data: str,
        time: str | None,
        value: str | None,
        ids: Sequence[str] | None,
        rate: float,
        frequency: str | None,
    ) -> str:
        """The SELECT of anomalies."""
        asked = _Asked(data, time, value, tuple(ids or ()), frequency, rate=rate)
        columns = [
            "unnest(r.times) AS timestamp",
            "unnest(r.point) AS value",
            "unnest(r.quantiles[1]) AS score",
            "unnest(r.flags) AS is_anomaly",
        ]
        return self._query(asked, columns)

    def rows(self, call: str, chunk: int) -> list[dict[str, Any]]:
        """What is known of each series of a chunk."""
        asked = self.asked[call]
        with_panel = self.panels
        try:
            if call not in with_panel:
                with_panel.clear()  # of a query that did not come to its end
                with_panel[call] = self._panel(asked)
            panel = with_panel[call]
            chosen = panel.ids[chunk * CHUNK : (chunk + 1) * CHUNK]
            if (chunk + 1) * CHUNK >= len(panel):
                del with_panel[call]
            if not len(chosen):
                return []
            part = panel if len(chosen) == len(panel) else panel.select(chosen)
            return _forecast_rows(asked, part) if asked.rate is None else _score_rows(asked, part)
        except LstmcastError as error:
            self.error = error
            raise

    def _query(self, asked: _Asked, columns: Sequence[str]) -> str:
        """A SELECT over the chunks of a table, with its ids in their own types."""
        self.error = None
        if not asked.data or not asked.data.strip():
            self.error = UsageError(
                "Name a table, a file or a query, as in lstmcast_forecast('sales')."
            )
            raise self.error
        cursor = self._cursor()
        table = relation_text(asked.data)
        described = cursor.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
        types = {name: kind for name, kind, *_ in described}
        for name in asked.ids:
            if name not in types:
                self.error = UsageError(
                    f"id {name!r} is no column of {asked.data}. There are: {', '.join(types)}."
                )
                raise self.error
        chunks = 1
        if asked.ids:
            keys = ", ".join(map(quoted_column, asked.ids))
            count = f"SELECT count(*) FROM (SELECT DISTINCT {keys} FROM {table})"
            chunks = max(1, -(-cursor.execute(count).fetchall()[0][0] // CHUNK))
        call = uuid.uuid4().hex
        self.asked[call] = asked
        ids = [
            f"r.id[{place}]::{types[name]} AS {quoted_column(name)}"
            for place, name in enumerate(asked.ids, start=1)
        ]
        return (
            f"SELECT {', '.join([*ids, *columns])} FROM (SELECT unnest(lstmcast_rows('{call}', "
            f"chunk)) AS r FROM range({chunks}) chunks(chunk))"
        )

    def _panel(self, asked: _Asked) -> Panel:
        relation = self._cursor().sql(f"SELECT * FROM {relation_text(asked.data)}")
        words: dict[str, Any] = {"time": asked.time, "target": asked.value}
        words |= {"series": list(asked.ids) or None, "frequency": asked.frequency}
        panel = read(relation, **words)
        if panel.ends.dtype.kind != "M":
            raise UsageError(
                f"timestamp: {asked.data} has numbered steps in {panel.columns.time!r}. A column "
                "of dates or times is expected."
            )
        if len(panel) > 1 and not asked.ids:
            raise UsageError(
                f"{asked.data} has {len(panel):,} series, by {', '.join(panel.keys)}. Say which "
                f"columns tell them apart: id := {json.dumps(list(panel.keys))}."
            )
        return panel

    def _percents(self, level: str | None) -> list[float]:
        """Levels from DuckDB's text of a number or a list; UsageError."""
        from lstmcast.predict import quantiles_of

        try:
            levels = [float(part) for part in str(level).strip("[] ").split(",")]
            quantiles_of(levels)
        except ValueError:  # UsageError is one
            self.error = UsageError(f"level := {level} is no percent. Give 80, or [80, 95].")
            raise self.error from None
        return levels

    def _cursor(self) -> Any:
        """A connection of its own: that of the query is at work."""
        connection = self.connection()
        assert connection is not None  # it runs the query
        cursor = connection.cursor()
        cursor.execute(_NO_VARIABLES)
        return cursor


def relation_text(data: str) -> str:
    """What stands after FROM for a table, a file, or a query.

    >>> relation_text("archive.sales"), relation_text("SELECT 1 AS a")
    ('"archive"."sales"', '(SELECT 1 AS a)')
    """
    if _STATEMENT.match(data) and " " in data.strip():
        return f"({data.strip().rstrip(';')})"
    if os.path.isfile(data):
        return quoted_text(data)
    return quoted(data)


def _forecast_rows(asked: _Asked, panel: Panel) -> list[dict[str, Any]]:
    from lstmcast.data.ahead import one_season
    from lstmcast.forecaster import LSTMForecaster
    from lstmcast.predict import quantiles_of

    steps = one_season(panel) if asked.horizon is None else asked.horizon
    model = LSTMForecaster(steps, quantiles=quantiles_of(asked.levels), method=asked.method)
    forecast = model.predict(panel)
    return [
        {
            "id": _texts(panel, row),
            "times": forecast.times[row].astype("datetime64[us]").tolist(),
            "point": _known(forecast.point[row]),
            "quantiles": [_known(one) for one in forecast.quantiles[row].T],
            "flags": [],
        }
        for row in range(len(panel))
    ]


def _score_rows(asked: _Asked, panel: Panel) -> list[dict[str, Any]]:
    from lstmcast.alerting import anomalies

    assert asked.rate is not None  # it is one of anomalies
    found = anomalies(panel, rate=asked.rate)
    bounds = panel.offsets
    return [
        {
            "id": _texts(panel, row),
            "times": panel.times(row).astype("datetime64[us]").tolist(),
            "point": _known(panel.values[bounds[row] : bounds[row + 1]]),
            "quantiles": [_known(found.scores[bounds[row] : bounds[row + 1]])],
            "flags": found.alerts[bounds[row] : bounds[row + 1]].tolist(),
        }
        for row in range(len(panel))
    ]


def _texts(panel: Panel, row: int) -> list[str]:
    """What the ids of a series are, as texts."""
    return [str(column[row]) for column in panel.keys.values()]


def _known(numbers: np.ndarray) -> list[float | None]:
    """Numbers, None where they are unknown."""
    return [value if np.isfinite(value) else None for value in numbers.tolist()]
