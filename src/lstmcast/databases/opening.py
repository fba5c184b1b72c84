"""Open a database by its address, and find the table that is meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from lstmcast.databases.address import IN_FILES, Address
from lstmcast.databases.connections import Database
from lstmcast.databases.passwords import password_of
from lstmcast.databases.problems import telling
from lstmcast.errors import DataError


@contextmanager
def opened(address: Address, writes: bool = False) -> Iterator[Database]:
    """An open database whose errors are DataErrors, or OutputErrors if it is opened to write.

    A transaction that the block does not commit changes nothing. Raises MissingExtraError if the
    driver is missing.
    """
    password = None if address.engine in IN_FILES else password_of(address)
    if address.engine == "duckdb":
        from lstmcast.databases.duckdbfiles import DuckDBFile as Opened
    elif address.engine == "sqlite":
        from lstmcast.databases.sqlitefiles import SQLiteFile as Opened
    else:
        from lstmcast.databases.servers import Server as Opened
    with telling(address, password, Opened.errors_of(), writes):
        database = Opened(address, password, writes)
        try:
            yield database
        finally:
            database.close()


def found_table(database: Database, address: Address) -> str:
    """The name of the table that an address means: the only one if it names none.

    Raises DataError, which lists similar names, if there is no such table."""
    table_names = database.tables()
    if address.table is None:
        if len(table_names) == 1:
            return table_names[0]
        raise DataError(
            f"{address.place}: which table is meant? {_listed(table_names)} Add ?table=NAME to the "
            "address, or a query with --query."
        )
    if address.table in table_names:
        return address.table
    alike = [
        name for name in table_names if name.casefold() == address.table.casefold()
    ]
    if len(alike) == 1:
        return alike[0]
    # not listed, such as a table of a system schema
    if database.columns(address.table):
        return address.table
    near = get_close_matches(address.table, table_names, 3)
    meant = (
        f"Did you mean {' or '.join(map(repr, near))}?"
        if near
        else _listed(table_names)
    )
    raise DataError(f"{address.place} has no table {address.table!r}. {meant}")


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "This user has access to no table."
    first_names = ", ".join(names[:12])
    return f"There are: {first_names}{' and more' if len(names) > 12 else ''}."
