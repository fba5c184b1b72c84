"""Forecasts and anomalies as table functions of a DuckDB connection.

    con.sql("FROM lstmcast_forecast('sales', timestamp := 'day', value := 'sold', id := ['store'])")

Python cannot add table functions to DuckDB, so each is a macro over two scalar functions. When a
query is bound, one writes the SELECT with the requested columns; when the query runs, the other
returns one row per series of a chunk, whose lists are unnested.
"""

from __future__ import annotations

from lstmcast.duckdb.registering import query as query
from lstmcast.duckdb.registering import register as register
