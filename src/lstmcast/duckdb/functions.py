"""The scalar functions: what they do when a query is bound, and when it runs."""

from __future__ import annotations

import json
import os
import re
import uuid
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lstmcast.data.panel import Panel
from lstmcast.data.read import read
from lstmcast.databases.offline import tables_only
from lstmcast.databases.quoting import quoted, quoted_column, quoted_text
from lstmcast.duckdb.rows import forecast_rows, score_rows
from lstmcast.errors import LstmcastError, UsageError
from lstmcast.util.patterns import pattern_of

CHUNK = 500  # series that are forecast at a time
_STATEMENT = pattern_of(r"\s*(select|from|with|values|table|\()", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """The arguments of one call of a table function."""

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
class Functions:
    """The scalar functions of a connection, and what they keep between chunks."""

    connection: weakref.ref[Any]
    calls: dict[str, Asked] = field(default_factory=dict)
    panels: dict[str, Panel] = field(default_factory=dict)
    error: LstmcastError | None = None  # the last error, which DuckDB wraps in its own

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
        from lstmcast.evaluation.calibration import quantiles_of

        self.error = None
        levels = self._percents(level)
        names = tuple(ids or ())
        request = Asked(
            data, time, value, names, frequency, horizon, levels, method or "auto"
        )
        quantiles = quantiles_of(levels)
        tail = round((1 - levels[0] / 100) / 2, 6)
        low = quantiles.index(tail) + 1
        high = quantiles.index(round(1 - tail, 6)) + 1
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
        return self._query(request, columns)

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
        request = Asked(data, time, value, tuple(ids or ()), frequency, rate=rate)
        columns = [
            "unnest(r.times) AS timestamp",
            "unnest(r.point) AS value",
            "unnest(r.quantiles[1]) AS score",
            "unnest(r.flags) AS is_anomaly",
        ]
        return self._query(request, columns)

    def rows(self, call: str, chunk: int) -> list[dict[str, Any]]:
        """The row of each series of a chunk."""
        request = self.calls[call]
        with_panel = self.panels
        try:
            if call not in with_panel:
                with_panel.clear()  # left by a query that did not finish
                with_panel[call] = self._panel(request)
            panel = with_panel[call]
            ids = panel.ids[chunk * CHUNK : (chunk + 1) * CHUNK]
            if (chunk + 1) * CHUNK >= len(panel):
                del with_panel[call]
            if not len(ids):
                return []
            chunk_panel = panel if len(ids) == len(panel) else panel.select(ids)
            if request.rate is not None:
                return score_rows(chunk_panel, request.rate)
            return forecast_rows(
                chunk_panel, request.horizon, request.levels, request.method
            )
        except LstmcastError as error:
            self.error = error
            raise

    def _query(self, request: Asked, columns: Sequence[str]) -> str:
        """A SELECT over the chunks of a table, with its ids in their original types."""
        self.error = None
        if not request.data or not request.data.strip():
            self.error = UsageError(
                "Name a table, a file or a query, as in lstmcast_forecast('sales')."
            )
            raise self.error
        cursor = self._cursor()
        table = relation_text(request.data)
        description = cursor.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
        types = {name: kind for name, kind, *_ in description}
        for name in request.ids:
            if name not in types:
                self.error = UsageError(
                    f"id {name!r} is not a column of {request.data}. There are: {', '.join(types)}."
                )
                raise self.error
        chunks = 1
        if request.ids:
            keys = ", ".join(map(quoted_column, request.ids))
            count = f"SELECT count(*) FROM (SELECT DISTINCT {keys} FROM {table})"
            chunks = max(1, -(-cursor.execute(count).fetchall()[0][0] // CHUNK))
        call = uuid.uuid4().hex
        self.calls[call] = request
        ids = [
            f"r.id[{place}]::{types[name]} AS {quoted_column(name)}"
            for place, name in enumerate(request.ids, start=1)
        ]
        return (
            f"SELECT {', '.join([*ids, *columns])} FROM (SELECT unnest(lstmcast_rows('{call}', "
            f"chunk)) AS r FROM range({chunks}) chunks(chunk))"
        )

    def _panel(self, request: Asked) -> Panel:
        relation = self._cursor().sql(f"SELECT * FROM {relation_text(request.data)}")
        words: dict[str, Any] = {"time": request.time, "target": request.value}
        words |= {"series": list(request.ids) or None, "frequency": request.frequency}
        panel = read(relation, **words)
        if panel.ends.dtype.kind != "M":
            raise UsageError(
                f"timestamp: {request.data} has numbered steps in {panel.columns.time!r}. A column "
                "of dates or times is expected."
            )
        if len(panel) > 1 and not request.ids:
            raise UsageError(
                f"{request.data} has {len(panel):,} series, by {', '.join(panel.keys)}. Name the "
                f"columns that distinguish them: id := {json.dumps(list(panel.keys))}."
            )
        return panel

    def _percents(self, level: str | None) -> list[float]:
        """Levels from DuckDB's text of a number or a list; UsageError."""
        from lstmcast.evaluation.calibration import quantiles_of

        try:
            levels = [float(number) for number in str(level).strip("[] ").split(",")]
            quantiles_of(levels)
        except ValueError:  # includes UsageError
            self.error = UsageError(
                f"level := {level} is not a percentage. Give 80, or [80, 95]."
            )
            raise self.error from None
        return levels

    def _cursor(self) -> Any:
        """A second connection, as the first is running the query."""
        connection = self.connection()
        assert connection is not None  # the query is running on it
        return tables_only(connection.cursor())


def relation_text(data: str) -> str:
    """The text after FROM for a table, a file or a query.

    >>> relation_text("archive.sales"), relation_text("SELECT 1 AS a")
    ('"archive"."sales"', '(SELECT 1 AS a)')
    """
    if _STATEMENT.match(data) and " " in data.strip():
        return f"({data.strip().rstrip(';')})"
    if os.path.isfile(data):
        return quoted_text(data)
    return quoted(data)
