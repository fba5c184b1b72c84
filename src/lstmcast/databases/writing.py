"""Results into tables of a database: all of them in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import numpy as np
from numpy.typing import NDArray

from lstmcast.databases.address import DatabaseTable, address_of, file_of, is_address
from lstmcast.databases.connections import Columns, Database, Known, kind_of, listed
from lstmcast.databases.opening import opened
from lstmcast.errors import OutputError, UsageError
from lstmcast.util.files import output_errors, require_writable

_STAGE = "lstmcast_staged"  # a table of the connection alone


def write_to_database(table: DatabaseTable, columns: Columns, **beside: Columns) -> list[str]:
    """Write columns into a table, and others into tables beside it, in one transaction.

    beside: by what they are called after the table, such as `totals`. Returns the tables as
    messages name them. Raises OutputError, and nothing has changed then; UsageError for a key that
    the columns do not have.
    """
    tables = [table, *(table.beside(what) for what in beside)]
    parts = list(zip(tables, (columns, *beside.values()), strict=True))
    for one, part in parts:  # before anything is opened
        key = key_of(one, part)
        if one.if_exists == "upsert":
            _require_unique(one, part, key)
    made: list[str] = []
    with opened(table.address, writes=True) as database, _taken_back(database, made):
        for one, part in parts:
            _write(database, one, part, made)
        database.commit()
    return [str(one) for one in tables]


def key_of(table: DatabaseTable, columns: Columns) -> tuple[str, ...]:
    """The columns that name a row: those that were asked for; else ids and times, with the cutoff
    where there is one. UsageError.

    >>> table = DatabaseTable("f@sqlite:///shop.db", "upsert")
    >>> key_of(table, dict.fromkeys(["store", "ds", "step", "forecast"], np.zeros(1)))
    ('store', 'ds')
    """
    names = list(columns)
    missing = [name for name in table.key if name not in names]
    if missing:
        raise UsageError(
            f"key {missing[0]!r} (--key) is not a column of the result. There are: "
            f"{', '.join(names)}."
        )
    if table.key:
        return tuple(table.key)
    if "time" in names:
        return tuple(names[: names.index("time") + 1])
    before = names[: names.index("ds") + 1] if "ds" in names else names[:1]
    return (*before, *(["cutoff"] if "cutoff" in names else []))


def _require_unique(table: DatabaseTable, columns: Columns, key: Sequence[str]) -> None:
    """OutputError where rows that are to be written lack a value of the key, or share one."""
    keys = list(zip(*(listed(columns[name]) for name in key), strict=True))
    places: dict[tuple[object, ...], int] = {}
    for row, one in enumerate(keys, start=1):
        if None in one:
            raise OutputError(
                f"{table}: row {row} of the result has no value in its key "
                f"({_shown(key, one)}), so it could not be found again. Nothing was changed. Name "
                "other columns with --key, or write with --if-exists append."
            )
        first = places.setdefault(one, row)
        if first != row:
            raise OutputError(
                f"{table}: rows {first} and {row} of the result have the same key "
                f"({_shown(key, one)}). Nothing was changed. Name a further column with --key "
                "that tells them apart."
            )


def _shown(key: Sequence[str], values: Sequence[object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(key, values, strict=True))


def require_table(table: DatabaseTable, sources: Sequence[object] = ()) -> None:
    """Raise before the work where its result could not be written, or would be written over one
    of the sources: OutputError, UsageError."""
    for source in sources:
        if is_address(source) and table.address.is_table_of(address_of(source)):  # pyright: ignore[reportArgumentType]
            raise UsageError(f"{table} is the data itself, and would be changed. Name another.")
    file = file_of(table.address)
    if file is not None and not file.exists():
        _require_new_file(table)
        return
    with opened(table.address, writes=True) as database:
        name = str(table.address.table)
        place = database.quoted(name)
        if database.columns(name):
            # a right is asked for where no row is meant as well
            database.run(f"DELETE FROM {place} WHERE 1 = 0")
            database.run(f"INSERT INTO {place} SELECT * FROM {place} WHERE 1 = 0")
        database.rollback()


def _require_new_file(table: DatabaseTable) -> None:
    """OutputError where the file of a database cannot be made."""
    file = file_of(table.address)
    assert file is not None  # it was asked for
    if not file.parent.is_dir():
        raise OutputError(
            f"{table} cannot be written: its folder {str(file.parent)!r} does not exist. Make the "
            "folder first, or name another place."
        )
    with output_errors(str(table)):
        require_writable(file.parent)


@contextmanager
def _taken_back(database: Database, made: Sequence[str]) -> Iterator[None]:
    """Take back what the block did where it does not end well."""
    try:
        yield
    except BaseException:
        with suppress(Exception):  # the first error counts, and closing takes back as well
            database.rollback()
            for name in made:
                database.undo_making(name)
        raise


def _write(database: Database, table: DatabaseTable, columns: Columns, made: list[str]) -> None:
    name = str(table.address.table)
    place = database.quoted(name)
    if not database.columns(name):
        described = _described(database, _as_stored(columns, ()))
        made.append(name)
        database.run(f"CREATE TABLE IF NOT EXISTS {place} ({described})")
    database.lock(name)
    known = database.columns(name)
    _require_fitting(table, columns, known)
    stored = _as_stored(columns, known)
    if table.if_exists == "upsert":
        _upsert(database, name, stored, key_of(table, columns))
        return
    if table.if_exists == "replace":
        database.run(f"DELETE FROM {place}")
    database.insert(name, stored)


def _upsert(database: Database, name: str, columns: Columns, key: Sequence[str]) -> None:
    """Rows of the same key go, and the new ones come, by way of a table of this connection."""
    place, stage = database.quoted(name), database.quoted(_STAGE)
    keys = [database.quoted_column(one) for one in key]
    described = f"{_described(database, columns)}, PRIMARY KEY ({', '.join(keys)})"
    database.run(f"CREATE TEMPORARY TABLE {stage} ({described})")
    database.insert(_STAGE, columns)
    same = " AND ".join(f"{stage}.{one} = {place}.{one}" for one in keys)
    database.run(f"DELETE FROM {place} WHERE EXISTS (SELECT 1 FROM {stage} WHERE {same})")
    names = ", ".join(map(database.quoted_column, columns))
    database.run(f"INSERT INTO {place} ({names}) SELECT {names} FROM {stage}")
    database.run(database.dropping.format(stage))


def _described(database: Database, columns: Columns) -> str:
    """The columns of a table that is made."""
    return ", ".join(
        f"{database.quoted_column(name)} {database.types[kind_of(column)]}"
        for name, column in columns.items()
    )


def _as_stored(columns: Columns, known: Sequence[Known]) -> Columns:
    """Times as days where the table has days, or where it is new and all of several are
    midnights: of one midnight alone nobody knows whether it is a day or an hour."""
    types = {column.name: column.type for column in known}
    return {
        name: column.astype("datetime64[D]") if _is_days(column, types.get(name, "")) else column
        for name, column in columns.items()
    }


def _is_days(column: NDArray, known: str) -> bool:
    if column.dtype.kind != "M" or not _midnights(column):
        return False
    if known.startswith(("date", "timestamp")):
        return known == "date"
    return len(np.unique(column)) > 1


def _midnights(times: NDArray) -> bool:
    there = times[~np.isnat(times)]
    return bool(np.all(there == there.astype("datetime64[D]")))


def _require_fitting(table: DatabaseTable, columns: Columns, known: Sequence[Known]) -> None:
    """OutputError where a table has other columns than the rows that are to be written."""
    types = {column.name: column.type for column in known}
    missing = [name for name in columns if name not in types]
    others = [name for name in types if name not in columns]
    if table.if_exists != "replace":
        others = []  # they stay empty in new rows
    hours = [
        name
        for name, column in columns.items()
        if types.get(name) == "date" and column.dtype.kind == "M" and not _midnights(column)
    ]
    wrong = []
    if missing:
        wrong.append(f"it has no column {', '.join(map(repr, missing))}")
    if others:
        wrong.append(f"it has {', '.join(map(repr, others))}, which the result has not")
    if hours:
        wrong.append(f"its column {hours[0]!r} holds days, and the result has hours")
    if wrong:
        raise OutputError(
            f"{table} does not fit the result: {'; '.join(wrong)}. Nothing was changed. Name "
            "another table, or drop this one if it is an old result."
        )
