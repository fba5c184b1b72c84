"""DuckDB files, which are read and written in this process, column by column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from lstmcast.databases.address import Address
from lstmcast.databases.connections import ROWS, Columns, Kind, Known, Rows
from lstmcast.databases.offline import connected, tables_only
from lstmcast.databases.quoting import quoted, quoted_column, schema_and_name
from lstmcast.errors import DataError

_TABLES = """
    SELECT CASE WHEN table_schema = 'main' THEN table_name
           ELSE table_schema || '.' || table_name END
    FROM information_schema.tables
    WHERE table_catalog = current_database() ORDER BY 1
"""
_COLUMNS = """
    SELECT column_name, data_type FROM information_schema.columns
    WHERE table_catalog = current_database() AND lower(table_schema) = lower(?)
    AND lower(table_name) = lower(?)
    ORDER BY ordinal_position
"""
_SCHEMAS = """
    SELECT count(*) FROM information_schema.schemata
    WHERE catalog_name = current_database() AND lower(schema_name) = lower(?)
"""

_TYPES: Mapping[Kind, str] = {
    "whole": "BIGINT",
    "number": "DOUBLE",
    "truth": "BOOLEAN",
    "date": "DATE",
    "time": "TIMESTAMP",
    "text": "VARCHAR",
}


class DuckDBFile:
    """An open DuckDB file."""

    def __init__(self, address: Address, password: str | None, writes: bool) -> None:
        self.types: Mapping[Kind, str] = _TYPES
        self.dropping = "DROP TABLE {}"
        import duckdb

        try:
            self.connection = connected(address.path, read_only=not writes)
        except duckdb.ConnectionException:
            # this process has opened the file already, with other settings
            self.connection = tables_only(duckdb.connect(address.path))
        if writes:
            self.connection.begin()

    @staticmethod
    def errors_of() -> tuple[type[Exception], ...]:
        import duckdb

        return (duckdb.Error, RuntimeError)

    def quoted(self, name: str) -> str:
        return quoted(name) if self._has_schema(name) else quoted_column(name)

    def quoted_column(self, name: str) -> str:
        return quoted_column(name)

    def tables(self) -> list[str]:
        return [name for (name,) in self.connection.execute(_TABLES).fetchall()]

    def columns(self, table: str) -> list[Known]:
        place = (
            schema_and_name(table, "main")
            if self._has_schema(table)
            else ("main", table)
        )
        rows = self.connection.execute(_COLUMNS, [*place]).fetchall()
        return [Known(name, kind.lower()) for name, kind in rows]

    def _has_schema(self, table: str) -> bool:
        """Whether a name begins with a schema; a dot can also be part of a name."""
        schema, point, _ = table.partition(".")
        if not point:
            return False
        return self.connection.execute(_SCHEMAS, [schema]).fetchall()[0][0] > 0

    def require_reading(self, query: str) -> None:
        """Raise DataError for several statements, or one that changes something.

        A file that is open for writing in this process is writable for every connection in it."""
        import duckdb

        statements = self.connection.extract_statements(query)
        if [statement.type for statement in statements] != [
            duckdb.StatementType.SELECT
        ]:
            raise DataError(
                "a query must be a single statement that only reads. Give one such as SELECT … "
                "FROM …."
            )

    def select(self, query: str) -> Rows:
        cursor = self.connection.execute(query)
        names = [column[0] for column in cursor.description or ()]
        return Rows(names, _blocks(cursor))

    def run(self, statement: str) -> None:
        self.connection.execute(statement)

    def insert(self, table: str, columns: Columns) -> None:
        readable = {name: _known_to_duckdb(column) for name, column in columns.items()}
        names = ", ".join(map(quoted_column, readable))
        selected = ", ".join(
            _selected(name, column) for name, column in readable.items()
        )
        self.connection.register("lstmcast_new_rows", readable)
        self.run(
            f"INSERT INTO {self.quoted(table)} ({names}) SELECT {selected} FROM lstmcast_new_rows"
        )
        self.connection.unregister("lstmcast_new_rows")

    def lock(self, table: str) -> None:
        """Nothing to do: of two conflicting transactions, DuckDB refuses the second."""

    def undo_making(self, table: str) -> None:
        """Nothing to do: the rollback removes the table."""

    def commit(self) -> None:
        self.connection.commit()

    def rollback(self) -> None:
        self.connection.rollback()

    def close(self) -> None:
        self.connection.close()


def _known_to_duckdb(column: NDArray) -> NDArray:
    """A column in a type that DuckDB reads: it has no arrays of days."""
    return column.astype("datetime64[us]") if column.dtype.kind == "M" else column


def _selected(name: str, column: NDArray) -> str:
    """The expression for a column of new rows, NULL for unknown numbers and times."""
    cell = quoted_column(name)
    return (
        f"CASE WHEN isfinite({cell}) THEN {cell} END"
        if column.dtype.kind in "fM"
        else cell
    )


def _blocks(cursor: Any) -> Iterator[Sequence[Sequence[Any]]]:
    while block := cursor.fetchmany(ROWS):
        yield block
