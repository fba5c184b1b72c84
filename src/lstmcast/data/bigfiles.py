"""Large text files and Parquet through DuckDB: typed columns straight from disk, nothing downloaded."""

# N rows · U distinct texts

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lstmcast.data.frames import sheet_from_relation
from lstmcast.data.grids import sheet_from_grid
from lstmcast.data.numbers import MISSING, parse_numbers
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.textfiles import read_text
from lstmcast.errors import DataError, LstmcastError

_HEAD = 1 << 17  # bytes that show delimiter and header
_FEW = 100_000  # distinct texts that are kept as texts; columns with more are turned into numbers or times by DuckDB
_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_WHOLE = r"[+-]?\d{1,18}"
_STAMP = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?"


def read_parquet(path: Path) -> Sheet:
    """A Parquet file as a sheet; DataError when it is damaged or empty."""
    import duckdb

    connection = _connect()
    try:
        relation = connection.read_parquet(str(path).replace("[", "[[]"))
        sheet = sheet_from_relation(relation)
    except duckdb.Error as error:
        raise DataError(f"{path.name} cannot be read as Parquet ({_first_line(error)}). Write it again.") from None
    if not len(sheet):
        raise DataError(f"{path.name} has columns ({', '.join(sheet.names[:6])}) but no rows. Dates and values are expected.")
    return Sheet(sheet.columns, sheet.lines, path.name, "file", (), path.stem)


def read_large(path: Path, source: str, label: str) -> Sheet | None:
    """A large, regular UTF-8 file as a sheet; None where it is anything else, and should be read patiently instead."""
    head, newlines = _look_over(path)
    try:
        top = sheet_from_grid(read_text(head, source), source, label)
    except LstmcastError:
        return None
    delimiter = read_text(head, source).delimiter
    if delimiter == " " or any(note.rule in ("encoding", "quotes") for note in top.notes):
        return None
    import duckdb

    skipped = int(top.lines[0]) - 1
    if len(top) != int(top.lines[-1]) - skipped:
        return None  # blank lines, titles or line breaks within cells: lines cannot be counted from the start
    try:
        connection = _connect()
        rows = _load(connection, path, delimiter, len(top.columns), skipped)
        if rows + skipped != newlines:
            return None
        columns = [_large_column(connection, j, c, rows) for j, c in enumerate(top.columns)]
    except duckdb.Error:
        return None
    return Sheet(tuple(columns), np.arange(skipped + 1, skipped + rows + 1), source, "file", top.notes, label)


def _connect() -> Any:
    import duckdb

    off = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    return duckdb.connect(config=off)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]


def _look_over(path: Path) -> tuple[bytes, int]:
    """The first whole lines, and the number of lines."""
    newlines, last = 0, b"\n"
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(0)
        while block := file.read(1 << 22):
            newlines += block.count(b"\n")
            last = block[-1:]
    return head[: head.rfind(b"\n") + 1], newlines + (last != b"\n")


def _load(connection: Any, path: Path, delimiter: str, width: int, skipped: int) -> int:
    """Read the cells as text into the table `raw`; the number of rows."""
    columns = ", ".join(f"'c{j}': 'VARCHAR'" for j in range(width))
    escaped = str(path).replace("'", "''")
    connection.execute(
        f"CREATE TABLE raw AS SELECT * FROM read_csv('{escaped}', auto_detect=false, header=false, skip={skipped}, "
        f"delim='{delimiter}', quote='\"', escape='\"', columns={{{columns}}}, compression='none')"
    )
    return connection.execute("SELECT count(*) FROM raw").fetchone()[0]


def _large_column(connection: Any, j: int, top: Column, rows: int) -> Column:
    cell = f"trim(coalesce(c{j}, ''))"
    missing = ", ".join("'" + marker.replace("'", "''") + "'" for marker in sorted(MISSING))
    distinct = connection.execute(f"SELECT approx_count_distinct(c{j}) FROM raw").fetchone()[0]
    if distinct > min(_FEW, rows / 5):
        fits = ", ".join(
            f"bool_and(regexp_full_match({cell}, '{pattern}') OR lower({cell}) IN ({missing}))"
            for pattern in (_WHOLE, _NUMBER, _STAMP)
        )
        any_missing = f"bool_or(lower({cell}) IN ({missing}))"
        whole, number, stamp, holes = connection.execute(f"SELECT {fits}, {any_missing} FROM raw").fetchone()
        plain = number and not parse_numbers(top.data.tolist()).notes  # else points may be thousands separators
        kind = "BIGINT" if whole and plain and not holes else "DOUBLE" if plain else "TIMESTAMP" if stamp else ""
        if kind:
            fetched = connection.execute(f"SELECT try_cast({cell} AS {kind}) AS x FROM raw").fetchnumpy()["x"]
            return _typed(top.name, fetched)
    return _encoded(connection, j, top)


def _typed(name: str, fetched: Any) -> Column:
    data = np.asarray(fetched.data if isinstance(fetched, np.ma.MaskedArray) else fetched)
    if isinstance(fetched, np.ma.MaskedArray) and fetched.mask is not np.ma.nomask:
        data = data.copy()
        data[fetched.mask] = np.datetime64("NaT") if data.dtype.kind == "M" else np.nan
    return Column(name, data.astype("datetime64[us]") if data.dtype.kind == "M" else data)


def _encoded(connection: Any, j: int, top: Column) -> Column:
    """Distinct texts in order of appearance, and codes into them; both made by DuckDB."""
    cell = f"coalesce(c{j}, '')"
    connection.execute(f"CREATE TABLE d{j} AS SELECT x, row_number() OVER (ORDER BY m) - 1 AS k FROM "
                       f"(SELECT {cell} AS x, min(rowid) AS m FROM raw GROUP BY 1)")  # fmt: skip
    texts = connection.execute(f"SELECT x FROM d{j} ORDER BY k").fetchnumpy()["x"]
    codes = connection.execute(
        f"SELECT k FROM raw JOIN d{j} ON {cell} = d{j}.x ORDER BY raw.rowid"
    ).fetchnumpy()["k"]
    return Column(top.name, np.asarray(texts, object), np.asarray(codes, np.int64), None, top.decimal_comma_likely)


def read_bytes_large(raw: bytes, source: str, label: str, folder: Path) -> Sheet | None:
    """As read_large, for what came out of a gzip file."""
    path = folder / "table.csv"
    path.write_bytes(raw)
    return read_large(path, source, label)
