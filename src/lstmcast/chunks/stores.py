"""Tables on disk whose rows are read by their place: Parquet files and DuckDB tables.

Rows are ordered by the name of their file, then by their number in the file. A span of rows is
read without the rest, as DuckDB skips row groups whose row numbers lie outside of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from lstmcast.databases.address import parsed
from lstmcast.databases.offline import connected
from lstmcast.databases.quoting import quoted_column, quoted_text
from lstmcast.errors import DataError, UsageError

MEMORY = "400MB"  # of DuckDB, in each process
FILE, ROW = "lstmcast_file", "lstmcast_row"  # columns that hold the place of a row
DUCKDB = "duckdb"


class Place(NamedTuple):
    """Where a row is: the number of its file, and its number in that file."""

    file: int
    row: int


class Span(NamedTuple):
    """Rows from one place up to another, which is excluded; None stands for the end."""

    begin: Place
    end: Place | None


class Store(Protocol):
    """A table whose rows can be read by their place."""

    @property
    def name(self) -> str:
        """Its name in messages."""
        ...

    @property
    def paths(self) -> list[str]:
        """Its files, which must not be overwritten."""
        ...

    def identity(self) -> dict[str, Any]:
        """JSON values that change when the table changes."""
        ...

    def connect(self) -> Any:
        """A DuckDB connection on which its queries can be run."""
        ...

    def numbered(self, columns: str) -> str:
        """A query for columns and the place of each row (FILE, ROW), in order."""
        ...

    def within(self, span: Span) -> str:
        """A query for the rows of a span."""
        ...

    @property
    def everything(self) -> str:
        """A query for all rows."""
        ...


def opened(data: Any) -> Store:
    """The table that a command or a call names: Parquet files, a folder of them, a pattern, or
    `duckdb:///FILE?table=NAME`. UsageError for anything else, DataError where nothing is there."""
    items = data if isinstance(data, (list, tuple)) else [data]
    texts = [
        os.fspath(source) for source in items if isinstance(source, (str, os.PathLike))
    ]
    if len(texts) != len(items) or not texts:
        raise UsageError(_EXPECTED)
    if texts[0].startswith(f"{DUCKDB}:"):
        if len(texts) > 1:
            raise UsageError(
                f"{len(texts)} sources: one table of DuckDB is read at a time."
            )
        return _duckdb_table(texts[0])
    files = tuple(sorted({str(path) for text in texts for path in _files(text)}))
    name = texts[0] if len(texts) == 1 else f"{len(files)} files"
    return ParquetFiles(files, name)


_EXPECTED = (
    "Series are read in parts from Parquet (a file, a folder, a pattern) or from a table of DuckDB "
    "(duckdb:///shop.db?table=sales). Write other data as one of them first, for example with "
    "duckdb -c \"COPY (FROM 'sales.csv') TO 'sales.parquet'\"."
)


@contextmanager
def readable(store: Store) -> Iterator[Any]:
    """A connection to a table; DataError if DuckDB cannot read it."""
    import duckdb

    try:
        with store.connect() as connection:
            yield connection
    except duckdb.Error as error:
        reason = str(error).splitlines()[0][:300]
        raise DataError(f"{store.name} cannot be read ({reason}).") from None


def small() -> Any:
    """A DuckDB connection that uses one thread and little memory."""
    return connected(threads=1, memory_limit=MEMORY)


# ---------------------------------------------------------------- Parquet


@dataclass(frozen=True)
class ParquetFiles:
    """Parquet files that are read one after the other."""

    files: tuple[str, ...]
    name: str

    @property
    def paths(self) -> list[str]:
        """The files."""
        return list(self.files)

    def identity(self) -> dict[str, Any]:
        """Names, sizes and modification times (in nanoseconds) of the files."""
        status = [Path(file).stat() for file in self.files]
        return {
            "files": list(self.files),
            "sizes": [entry.st_size for entry in status],
            "changed": [entry.st_mtime_ns for entry in status],
        }

    def connect(self) -> Any:
        """A connection."""
        return small()

    @property
    def everything(self) -> str:
        """A query for all rows."""
        return f"SELECT * FROM {_parquet(self.files)}"

    def numbered(self, columns: str) -> str:
        """A query for columns and the place of each row (FILE, ROW), in order."""
        # DuckDB reports file names as they were given
        places = ", ".join(
            f"{quoted_text(file)}: {number}" for number, file in enumerate(self.files)
        )
        table = _parquet(self.files, "filename = true, file_row_number = true")
        number = f"map {{{places}}}[filename]" if len(self.files) > 1 else "0"
        return f"SELECT {number} AS {FILE}, file_row_number AS {ROW}, {columns} FROM {table}"

    def within(self, span: Span) -> str:
        """A query for the rows of a span."""
        begin, end = span
        last_file = len(self.files) if end is None else end.file
        if begin.file == last_file and end is not None:
            return self._rows(begin.file, begin.row, end.row)
        queries = [self._rows(begin.file, begin.row, None)]
        if begin.file + 1 < last_file:
            queries.append(
                f"SELECT * FROM {_parquet(self.files[begin.file + 1 : last_file])}"
            )
        if end is not None and end.row > 0:
            queries.append(self._rows(end.file, 0, end.row))
        return " UNION ALL BY NAME ".join(queries)

    def _rows(self, file: int, begin: int, end: int | None) -> str:
        table = _parquet(self.files[file : file + 1], "file_row_number = true")
        where = f"file_row_number >= {begin}"
        where += "" if end is None else f" AND file_row_number < {end}"
        return f"SELECT * EXCLUDE (file_row_number) FROM {table} WHERE {where}"


def _parquet(files: Sequence[str], options: str = "") -> str:
    names = ", ".join(map(quoted_text, files))
    return f"read_parquet([{names}]{', ' + options if options else ''})"


def _files(text: str) -> list[Path]:
    """The Parquet files that match a path or a pattern."""
    path = Path(text)
    if path.is_dir():
        # other programs write folders such as store=north/, and files such as _SUCCESS beside them
        paths = [
            candidate
            for candidate in path.rglob("*.parquet")
            if not _hidden(candidate.relative_to(path))
        ]
        if not paths:
            raise DataError(f"{text} contains no Parquet file (*.parquet). {_EXPECTED}")
        return paths
    if path.exists():
        paths = [path]
    else:
        from glob import glob

        paths = [Path(candidate) for candidate in glob(text, recursive=True)]
    if not paths:
        raise DataError(f"there is no file {text!r}. {_EXPECTED}")
    unsuitable = [
        candidate
        for candidate in paths
        if candidate.suffix.lower() not in (".parquet", ".pq")
    ]
    if unsuitable:
        raise UsageError(f"{unsuitable[0]} is not a Parquet file. {_EXPECTED}")
    return paths


def _hidden(path: Path) -> bool:
    return any(name.startswith((".", "_")) for name in path.parts)


# ---------------------------------------------------------------- DuckDB


@dataclass(frozen=True)
class DuckDBTable:
    """A table in a DuckDB file."""

    path: str
    table: str

    @property
    def name(self) -> str:
        """Its name in messages."""
        return f"{self.table} in {self.path}"

    @property
    def paths(self) -> list[str]:
        """The file."""
        return [self.path]

    def identity(self) -> dict[str, Any]:
        """Name, size and modification time of the file, which change with any of its tables."""
        status = Path(self.path).stat()
        return {
            "files": [self.path],
            "table": self.table,
            "sizes": [status.st_size],
            "changed": [status.st_mtime_ns],
        }

    def connect(self) -> Any:
        """A connection that can only read the file."""
        import duckdb

        connection = small()
        try:
            connection.execute(f"ATTACH {quoted_text(self.path)} AS stored (READ_ONLY)")
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise DataError(
                f"{self.path} cannot be read as a file of DuckDB ({reason})."
            ) from None
        return connection

    @property
    def everything(self) -> str:
        """A query for all rows."""
        return f"SELECT * FROM {self._quoted}"

    def numbered(self, columns: str) -> str:
        """A query for columns and the place of each row (FILE, ROW), in order."""
        return f"SELECT 0 AS {FILE}, rowid AS {ROW}, {columns} FROM {self._quoted}"

    def within(self, span: Span) -> str:
        """A query for the rows of a span."""
        end = "" if span.end is None else f" AND rowid < {span.end.row}"
        return f"SELECT * FROM {self._quoted} WHERE rowid >= {span.begin.row}{end}"

    @property
    def _quoted(self) -> str:
        return ".".join(map(quoted_column, ("stored", *self.table.split("."))))


def _duckdb_table(address: str) -> DuckDBTable:
    """The table that duckdb:///FILE?table=NAME names, which must exist."""
    place = parsed(address)
    path = place.path
    table = place.table
    if table is None:
        raise UsageError(
            f"{address!r} does not name a table. Give duckdb:///shop.db?table=sales."
        )
    if not Path(path).exists():
        raise DataError(f"there is no file {path!r}.")
    stored = DuckDBTable(path, table)
    query = "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = ?"
    views = query.replace("duckdb_tables", "duckdb_views").replace(
        "table_name", "view_name"
    )
    with stored.connect() as connection:
        tables = [name for (name,) in connection.execute(query, ["stored"]).fetchall()]
        view_rows = connection.execute(
            f"{views} AND NOT internal", ["stored"]
        ).fetchall()
    if not _named(table, tables):
        if _named(table, [name for (name,) in view_rows]):
            raise UsageError(
                f"{table!r} in {path} is a view, from which an interrupted run cannot continue. "
                f"Make a table of it (CREATE TABLE … AS FROM {table})."
            )
        listing = ", ".join(name.removeprefix("main.") for name in tables) or "none"
        raise DataError(f"{path} has no table {table!r}. There are: {listing}.")
    return stored


def _named(table: str, names: Sequence[str]) -> bool:
    return table.lower() in {name.lower().removeprefix("main.") for name in names} or (
        table.lower() in {name.lower() for name in names}
    )
