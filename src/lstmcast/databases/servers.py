"""PostgreSQL and MySQL or MariaDB, through SQLAlchemy and the drivers of the extra `sql`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstmcast.databases.address import Address
from lstmcast.databases.connections import ROWS, Columns, Kind, Known, Rows, rows_of
from lstmcast.databases.quoting import quoted, quoted_column, schema_and_name
from lstmcast.errors import MissingExtraError, OutputError

_DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
_MARK = {"postgresql": '"', "mysql": "`"}  # quotes around names
_USUAL: Mapping[Kind, str] = {
    "whole": "BIGINT",
    "number": "DOUBLE PRECISION",
    "truth": "BOOLEAN",
    "date": "DATE",
    "time": "TIMESTAMP",
    "text": "TEXT",
}
# MySQL ignores case when it compares texts unless told otherwise, and keys must be short texts
_MYSQL: Mapping[Kind, str] = {
    "time": "DATETIME(6)",
    "text": "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
}
_NO_DRIVER = (
    "PostgreSQL and MySQL need SQLAlchemy and a driver, which are not installed. Install them with "
    "'pip install lstmcast[sql]'."
)


class Server:
    """An open connection to a server."""

    def __init__(self, address: Address, password: str | None, writes: bool) -> None:
        import sqlalchemy

        self.engine = address.engine
        overrides = {} if self.engine == "postgresql" else _MYSQL
        self.types: Mapping[Kind, str] = {**_USUAL, **overrides}
        self.mark = _MARK[self.engine]
        # without TEMPORARY, MySQL would commit the transaction
        self.dropping = (
            "DROP TEMPORARY TABLE {}" if self.engine == "mysql" else "DROP TABLE {}"
        )
        url = sqlalchemy.URL.create(
            _DRIVERS[self.engine],
            address.user or None,
            password,
            address.host or None,
            address.port,
            address.path,
        )
        engine = sqlalchemy.create_engine(
            url, poolclass=sqlalchemy.NullPool, connect_args=_arguments(address)
        )
        # statements are run as they are: % is an ordinary character in them
        self.connection = engine.connect().execution_options(no_parameters=True)
        self.timeout = address.timeout
        self.result: Any = None
        self.held: set[str] = set()  # locked tables
        self._begin(writes)

    @staticmethod
    def errors_of() -> tuple[type[Exception], ...]:
        try:
            import psycopg
            import pymysql
            from sqlalchemy.exc import SQLAlchemyError
        except ImportError as error:
            raise MissingExtraError(_NO_DRIVER) from error
        return (SQLAlchemyError, psycopg.Error, pymysql.MySQLError)

    def quoted(self, name: str) -> str:
        return quoted(name, self.mark)

    def quoted_column(self, name: str) -> str:
        return quoted_column(name, self.mark)

    def tables(self) -> list[str]:
        import sqlalchemy

        inspector = sqlalchemy.inspect(self.connection)
        default = inspector.default_schema_name
        system = ("information_schema", "mysql", "performance_schema", "sys")
        names = []
        schemas = (
            inspector.get_schema_names() if self.engine == "postgresql" else [default]
        )
        for schema in schemas:
            if schema in system or str(schema).startswith("pg_"):
                continue
            relations = [
                *inspector.get_table_names(schema),
                *inspector.get_view_names(schema),
            ]
            names += (
                relations
                if schema == default
                else [f"{schema}.{name}" for name in relations]
            )
        return sorted(names)

    def columns(self, table: str) -> list[Known]:
        import sqlalchemy
        from sqlalchemy.exc import NoSuchTableError

        if self.engine == "mysql":
            return self._columns_of_mysql(table)
        schema, point, name = table.partition(".")
        place = (name, schema) if point else (table, None)
        try:
            descriptions = sqlalchemy.inspect(self.connection).get_columns(*place)
        except NoSuchTableError:
            return []
        return [
            Known(column["name"], str(column["type"]).lower())
            for column in descriptions
        ]

    def _columns_of_mysql(self, table: str) -> list[Known]:
        """Columns from MySQL's catalogue: SQLAlchemy doubles the backticks in SHOW CREATE TABLE."""
        query = (
            "SELECT column_name, column_type FROM information_schema.columns "
            f"WHERE {_is_table(table)} ORDER BY ordinal_position"
        )
        rows = self.connection.exec_driver_sql(query).all()
        return [Known(name, kind.lower()) for name, kind in rows]

    def select(self, query: str) -> Rows:
        streamed = {"stream_results": True, "max_row_buffer": ROWS}
        self.result = self.connection.execution_options(**streamed).exec_driver_sql(
            query
        )
        return Rows(list(self.result.keys()), _blocks(self.result))

    def run(self, statement: str) -> None:
        self.connection.exec_driver_sql(statement)

    def insert(self, table: str, columns: Columns) -> None:
        names = ", ".join(map(self.quoted_column, columns))
        cursor = self.connection.connection.cursor()
        if self.engine == "postgresql":
            with cursor.copy(f"COPY {self.quoted(table)} ({names}) FROM STDIN") as copy:  # type: ignore[attr-defined]
                for rows in rows_of(columns):
                    for row in rows:
                        copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(columns))
        place = f"{self.quoted(table)} ({names})".replace("%", "%%")  # % in a name
        statement = f"INSERT INTO {place} VALUES ({marks})"
        for rows in rows_of(columns):
            cursor.executemany(statement, rows)

    def lock(self, table: str) -> None:
        if self.engine == "postgresql":
            self.run(f"LOCK TABLE {self.quoted(table)} IN SHARE ROW EXCLUSIVE MODE")
            return
        name = "lstmcast " + hashlib.sha1(table.encode()).hexdigest()
        query = f"SELECT GET_LOCK('{name}', {self.timeout})"
        if self.connection.exec_driver_sql(query).scalar() != 1:
            raise OutputError(
                f"{table}: another lstmcast process is writing to it. Try again later. Nothing was "
                "changed."
            )
        self.held.add(table)
        self._require_transactions(table)

    def undo_making(self, table: str) -> None:
        """Drop a new table, which MySQL keeps after a rollback; one with rows is another run's."""
        if self.engine != "mysql" or table not in self.held:
            return
        place = self.quoted(table)
        if (
            self.connection.exec_driver_sql(f"SELECT 1 FROM {place} LIMIT 1").first()
            is None
        ):
            self.run(f"DROP TABLE {place}")

    def commit(self) -> None:
        self.connection.commit()

    def rollback(self) -> None:
        self.connection.rollback()

    def close(self) -> None:
        if self.result is not None:
            self.result.close()  # after an error, unread rows may be left
        self.connection.close()

    def _begin(self, writes: bool) -> None:
        wait = max(1, round(self.timeout))
        if self.engine == "postgresql":
            self.run(f"SET lock_timeout = '{wait}s'")
            access = "READ WRITE" if writes else "READ ONLY"
            self.run(f"SET TRANSACTION {access}")
            return
        self.run(
            f"SET SESSION innodb_lock_wait_timeout = {wait}, lock_wait_timeout = {wait}"
        )
        self.connection.commit()
        if not writes:
            self.run("SET SESSION TRANSACTION READ ONLY")

    def _require_transactions(self, table: str) -> None:
        """Raise OutputError for a table whose changes cannot be rolled back."""
        query = f"SELECT engine FROM information_schema.tables WHERE {_is_table(table)}"
        kept_by = self.connection.exec_driver_sql(query).scalar()
        if kept_by is not None and str(kept_by).lower() != "innodb":
            raise OutputError(
                f"{table} uses the engine {kept_by}, which has no transactions: a failed run would "
                f"leave it half-written. Nothing was changed. Run ALTER TABLE {table} "
                "ENGINE=InnoDB first, or name another table."
            )


def _is_table(table: str) -> str:
    """The condition for the rows about a table in MySQL's catalogue."""
    schema, name = schema_and_name(table, "")
    place = _text(schema) if schema else "database()"
    return f"table_name = {_text(name)} AND table_schema = {place}"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _arguments(address: Address) -> dict[str, Any]:
    """Arguments of the drivers besides the address."""
    wait = max(1, round(address.timeout))
    arguments: dict[str, Any] = {"connect_timeout": wait, **dict(address.options)}
    if address.engine == "mysql":
        arguments.setdefault("charset", "utf8mb4")
        options_file = os.path.expanduser("~/.my.cnf")
        if os.path.exists(options_file):
            arguments.setdefault("read_default_file", options_file)
    return arguments


def _blocks(rows: Any) -> Iterator[Sequence[Sequence[Any]]]:
    yield from rows.partitions(ROWS)
