"""SQLite files, through Python's own module."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lstmcast.databases.address import Address
from lstmcast.databases.connections import ROWS, Columns, Kind, Known, Rows, rows_of
from lstmcast.databases.quoting import quoted, quoted_column, schema_and_name

_TABLES = (
    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' "
    "ESCAPE '\\' ORDER BY name"
)

_TYPES: Mapping[Kind, str] = {
    "whole": "INTEGER",
    "number": "REAL",
    "truth": "INTEGER",
    "date": "DATE",
    "time": "TIMESTAMP",
    "text": "TEXT",
}


class SQLiteFile:
    """An open SQLite file."""

    def __init__(self, address: Address, password: str | None, writes: bool) -> None:
        self.types: Mapping[Kind, str] = _TYPES
        self.dropping = "DROP TABLE {}"
        path = quote(str(Path(address.path).absolute()))
        mode = "rwc" if writes else "ro"
        # no implicit transactions
        self.connection = sqlite3.connect(
            f"file:{path}?mode={mode}",
            uri=True,
            timeout=address.timeout,
            isolation_level=None,
        )
        if writes:
            self.connection.execute("BEGIN IMMEDIATE")

    @staticmethod
    def errors_of() -> tuple[type[Exception], ...]:
        # the others: integers and texts that are too large for SQLite
        return (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeEncodeError)

    def quoted(self, name: str) -> str:
        has_schema = _schema_and_name(name)[1] != name
        return quoted(name) if has_schema else quoted_column(name)

    def quoted_column(self, name: str) -> str:
        return quoted_column(name)

    def tables(self) -> list[str]:
        return [name for (name,) in self.connection.execute(_TABLES)]

    def columns(self, table: str) -> list[Known]:
        schema, name = _schema_and_name(table)
        query = "SELECT name, type FROM pragma_table_info(?, ?)"
        return [
            Known(column, kind.lower())
            for column, kind in self.connection.execute(query, (name, schema))
        ]

    def select(self, query: str) -> Rows:
        cursor = self.connection.execute(query)
        names = [column[0] for column in cursor.description or ()]
        return Rows(names, _blocks(cursor))

    def run(self, statement: str) -> None:
        self.connection.execute(statement)

    def insert(self, table: str, columns: Columns) -> None:
        names = ", ".join(map(quoted_column, columns))
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {self.quoted(table)} ({names}) VALUES ({marks})"
        for rows in rows_of(columns):
            self.connection.executemany(
                statement, ([*map(_plain, row)] for row in rows)
            )

    def lock(self, table: str) -> None:
        """Nothing to do: the transaction locks the file."""

    def undo_making(self, table: str) -> None:
        """Nothing to do: the rollback removes the table."""

    def commit(self) -> None:
        self.connection.execute("COMMIT")

    def rollback(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def close(self) -> None:
        self.rollback()
        self.connection.close()


def _schema_and_name(table: str) -> tuple[str, str]:
    """As `schema_and_name`, but a file has few schemas: other dots are part of the name."""
    schema, name = schema_and_name(table, "main")
    return (schema, name) if schema.lower() in ("main", "temp") else ("main", table)


def _plain(value: Any) -> Any:
    """A value for SQLite, which has no times: they become texts that its functions can read."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else value


def _blocks(cursor: Any) -> Iterator[Sequence[Sequence[Any]]]:
    while block := cursor.fetchmany(ROWS):
        yield block
