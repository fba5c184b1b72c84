"""Write results into database tables: all in one transaction, or nothing."""

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

_STAGE = "lstmcast_staged"  # a temporary table of the connection


def write_to_database(
    table: DatabaseTable, columns: Columns, **side_tables: Columns
) -> list[str]:
    """Write columns into a table, and side tables beside it, in one transaction.

    side_tables: columns by the suffix of the table's name, such as `totals`. Returns the names of
    the tables in messages. Raises OutputError, in which case nothing was changed, and UsageError
    for a key that the columns do not have.
    """
    tables = [table, *(table.beside(suffix) for suffix in side_tables)]
    targets = list(zip(tables, (columns, *side_tables.values()), strict=True))
    for target, rows in targets:  # check before anything is opened
        key = key_of(target, rows)
        if target.if_exists == "upsert":
            _require_unique(target, rows, key)
    created: list[str] = []
    with opened(table.address, writes=True) as database, _taken_back(database, created):
        for target, rows in targets:
            _write(database, target, rows, created)
        database.commit()
    return [str(target) for target in tables]


def key_of(table: DatabaseTable, columns: Columns) -> tuple[str, ...]:
    """The columns that identify a row: the given key, else ids and times, with the cutoff if there
    is one.

    Raises UsageError if the key is not among the columns.

    >>> table = DatabaseTable("f@sqlite:///shop.db", "upsert")
    >>> key_of(table, dict.fromkeys(["store", "ds", "step", "forecast"], np.zeros(1)))
    ('store', 'ds')
    """
    names = list(columns)
    missing = [name for name in table.key if name not in names]
    if missing:
        raise UsageError(
            f"--key {missing[0]} is not a column of the result. There are: {', '.join(names)}."
        )
    if table.key:
        return tuple(table.key)
    if "time" in names:
        return tuple(names[: names.index("time") + 1])
    prefix = names[: names.index("ds") + 1] if "ds" in names else names[:1]
    return (*prefix, *(["cutoff"] if "cutoff" in names else []))


def _require_unique(table: DatabaseTable, columns: Columns, key: Sequence[str]) -> None:
    """Raise OutputError if new rows lack a value of the key, or if two have the same key."""
    keys = list(zip(*(listed(columns[name]) for name in key), strict=True))
    places: dict[tuple[object, ...], int] = {}
    for row, row_key in enumerate(keys, start=1):
        if None in row_key:
            raise OutputError(
                f"{table}: row {row} of the result has no value in its key "
                f"({_shown(key, row_key)}), so it cannot be identified. Nothing was changed. Name "
                "other columns with --key, or write with --if-exists append."
            )
        first = places.setdefault(row_key, row)
        if first != row:
            raise OutputError(
                f"{table}: rows {first} and {row} of the result have the same key "
                f"({_shown(key, row_key)}). Nothing was changed. Name a further column with --key "
                "that distinguishes them."
            )


def _shown(key: Sequence[str], values: Sequence[object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(key, values, strict=True))


def require_table(table: DatabaseTable, sources: Sequence[object] = ()) -> None:
    """Raise OutputError before the work if its result could not be written, or UsageError if it
    would overwrite one of the sources."""
    for source in sources:
        if is_address(source) and table.address.is_table_of(address_of(source)):  # pyright: ignore[reportArgumentType]
            raise UsageError(
                f"{table} is the table of the data and would be changed. Name another one."
            )
    file = file_of(table.address)
    if file is not None and not file.exists():
        _require_new_file(table)
        return
    with opened(table.address, writes=True) as database:
        name = str(table.address.table)
        place = database.quoted(name)
        if database.columns(name):
            # permissions are checked even if no row matches
            database.run(f"DELETE FROM {place} WHERE 1 = 0")
            database.run(f"INSERT INTO {place} SELECT * FROM {place} WHERE 1 = 0")
        database.rollback()


def _require_new_file(table: DatabaseTable) -> None:
    """Raise OutputError if the database file cannot be created."""
    file = file_of(table.address)
    assert file is not None  # the caller checked it
    if not file.parent.is_dir():
        raise OutputError(
            f"{table} cannot be written: its folder {str(file.parent)!r} does not exist. Create "
            "the folder first, or name another place."
        )
    with output_errors(str(table)):
        require_writable(file.parent)


@contextmanager
def _taken_back(database: Database, created: Sequence[str]) -> Iterator[None]:
    """Undo the changes of the block if it raises."""
    try:
        yield
    except BaseException:
        # the first error is reported, and closing rolls back too
        with suppress(Exception):
            database.rollback()
            for name in created:
                database.undo_making(name)
        raise


def _write(
    database: Database, table: DatabaseTable, columns: Columns, created: list[str]
) -> None:
    name = str(table.address.table)
    place = database.quoted(name)
    if not database.columns(name):
        definition = _described(database, _as_stored(columns, ()))
        created.append(name)
        database.run(f"CREATE TABLE IF NOT EXISTS {place} ({definition})")
    database.lock(name)
    existing = database.columns(name)
    _require_fitting(table, columns, existing)
    stored = _as_stored(columns, existing)
    if table.if_exists == "upsert":
        _upsert(database, name, stored, key_of(table, columns))
        return
    if table.if_exists == "replace":
        database.run(f"DELETE FROM {place}")
    database.insert(name, stored)


def _upsert(
    database: Database, name: str, columns: Columns, key: Sequence[str]
) -> None:
    """Replace rows with the same key, by way of a temporary table."""
    place = database.quoted(name)
    stage = database.quoted(_STAGE)
    keys = [database.quoted_column(column) for column in key]
    definition = f"{_described(database, columns)}, PRIMARY KEY ({', '.join(keys)})"
    database.run(f"CREATE TEMPORARY TABLE {stage} ({definition})")
    database.insert(_STAGE, columns)
    condition = " AND ".join(f"{stage}.{column} = {place}.{column}" for column in keys)
    database.run(
        f"DELETE FROM {place} WHERE EXISTS (SELECT 1 FROM {stage} WHERE {condition})"
    )
    names = ", ".join(map(database.quoted_column, columns))
    database.run(f"INSERT INTO {place} ({names}) SELECT {names} FROM {stage}")
    database.run(database.dropping.format(stage))


def _described(database: Database, columns: Columns) -> str:
    """The column definitions of a new table."""
    return ", ".join(
        f"{database.quoted_column(name)} {database.types[kind_of(column)]}"
        for name, column in columns.items()
    )


def _as_stored(columns: Columns, existing: Sequence[Known]) -> Columns:
    """Columns whose times become days if the table has days, or if it is new and all of several
    times are midnights: a single midnight may be a day or an hour."""
    types = {column.name: column.type for column in existing}
    stored = dict(columns)
    for name, column in columns.items():
        if _is_days(column, types.get(name, "")):
            stored[name] = column.astype("datetime64[D]")
    return stored


def _is_days(column: NDArray, stored_type: str) -> bool:
    if column.dtype.kind != "M" or not _midnights(column):
        return False
    if stored_type.startswith(("date", "timestamp")):
        return stored_type == "date"
    return len(np.unique(column)) > 1


def _midnights(times: NDArray) -> bool:
    known_times = times[~np.isnat(times)]
    return bool(np.all(known_times == known_times.astype("datetime64[D]")))


def _require_fitting(
    table: DatabaseTable, columns: Columns, existing: Sequence[Known]
) -> None:
    """Raise OutputError if the columns of a table do not match those of the new rows."""
    types = {column.name: column.type for column in existing}
    missing = [name for name in columns if name not in types]
    surplus = [name for name in types if name not in columns]
    if table.if_exists != "replace":
        surplus = []  # left empty in new rows
    hours = [
        name
        for name, column in columns.items()
        if types.get(name) == "date"
        and column.dtype.kind == "M"
        and not _midnights(column)
    ]
    problems = []
    if missing:
        problems.append(f"it has no column {', '.join(map(repr, missing))}")
    if surplus:
        problems.append(
            f"it has {', '.join(map(repr, surplus))}, which the result does not have"
        )
    if hours:
        problems.append(f"its column {hours[0]!r} holds days, and the result has hours")
    if problems:
        raise OutputError(
            f"{table} does not fit the result: {'; '.join(problems)}. Nothing was changed. Name "
            "another table, or drop this one if it is an old result."
        )
