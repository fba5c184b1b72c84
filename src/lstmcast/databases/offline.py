"""DuckDB, opened so that it downloads nothing and reads no Python variables as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NO_EXTENSIONS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


def connected(
    path: str = ":memory:", *, read_only: bool = False, **settings: Any
) -> DuckDBPyConnection:
    """A connection to a file, or to a database in memory.

    settings: other settings of DuckDB.

    >>> with connected(threads=1) as connection:
    ...     connection.sql("SELECT current_setting('threads')").fetchall()
    [(1,)]
    """
    import duckdb  # imported late: it takes longer than the forecast of one series

    config = {**_NO_EXTENSIONS, **settings}
    return tables_only(duckdb.connect(path, read_only=read_only, config=config))


def tables_only(connection: DuckDBPyConnection) -> DuckDBPyConnection:
    """The connection, which from now on does not read Python variables as tables."""
    connection.execute("SET SESSION python_enable_replacements = false")
    return connection
