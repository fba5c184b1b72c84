"""Forecasts and anomalies as table functions of a DuckDB connection.

    con.sql("FROM lstmcast_forecast('sales', timestamp := 'day', value := 'sold', id := ['store'])")

Python cannot add table functions to DuckDB. So each is a macro over two scalar functions: one
writes, when a query is bound, the SELECT with the columns that are asked for; the other gives, when
it runs, one row per series of a chunk, whose lists are unnested.
"""

from __future__ import annotations

from lstmcast.duckdb.registering import query as query
from lstmcast.duckdb.registering import register as register
