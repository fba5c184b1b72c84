"""Read large text files and Parquet through DuckDB, without downloads."""

# N rows · U distinct texts

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np

from lstmcast.data.cells.separators import doubtful_mark
from lstmcast.data.files.frames import sheet_from_relation
from lstmcast.data.files.grids import sheet_from_grid
from lstmcast.data.files.lineprotocol import is_line_protocol
from lstmcast.data.files.textfiles import read_text
from lstmcast.data.findings import dropped_lines
from lstmcast.data.limits import require_cells, require_plausible
from lstmcast.data.missingwords import MISSING
from lstmcast.data.numbers import DECIMAL_COMMA
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.table import Finding
from lstmcast.databases.offline import connected
from lstmcast.databases.quoting import quoted_column, quoted_text
from lstmcast.errors import DataError, LstmcastError

_MISSING = ", ".join(map(quoted_text, sorted(MISSING)))
_HEAD = 1 << 17  # bytes that show delimiter and header
_TAIL_LINES = 40
# largest number of distinct texts kept as text; DuckDB converts columns with more to numbers or
# times
_FEW = 100_000
_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_COMMA = r"[+-]?(\d+,?\d*|,\d+)"
_WHOLE = r"[+-]?\d{1,18}"
_STAMP = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?"


def read_parquet(path: Path) -> Sheet:
    """A Parquet file as a sheet; DataError if it is damaged or empty."""
    import duckdb

    connection = connected()
    try:
        relation = connection.read_parquet(_literal(path))
        # from the metadata of the file, before its data are read
        ((rows,),) = relation.aggregate("count(*)").fetchall()
        column_count = len(relation.columns)
        require_cells(rows, column_count, path.name)
        require_plausible(rows, column_count, path.stat().st_size, path.name)
        relation.create_view("sheet")
        sheet = sheet_from_relation(
            relation, lambda name: text_column(connection, name, "sheet")
        )
    # DuckDB reports broken contents, such as ids that are not UTF-8, by several kinds of errors
    except (duckdb.Error, RuntimeError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path.name} cannot be read as Parquet ({_first_line(error)}). Write the file again."
        ) from None
    if not len(sheet):
        names = ", ".join(sheet.names[:6])
        raise DataError(
            f"{path.name} has columns ({names}) but no rows. Dates and values are expected."
        )
    return Sheet(sheet.columns, sheet.lines, path.name, "file", (), path.stem)


def _literal(path: Path) -> str:
    """The name of a file with *, ? and [ escaped for DuckDB, which reads patterns."""
    return re.sub(r"[*?\[]", lambda letter: f"[{letter[0]}]", str(path))


def text_column(connection: Any, name: str, rows: str) -> Column | None:
    """A column of the view or table `rows` as distinct texts in order of appearance, with codes.

    Codes save memory with millions of rows. Returns None if there is no text.
    """
    cell = f"nullif(CAST({quoted_column(name)} AS VARCHAR), '')"
    connection.execute(
        "CREATE OR REPLACE TEMP TYPE texts AS ENUM "
        f"(SELECT DISTINCT {cell} AS x FROM {rows} WHERE x IS NOT NULL)"
    )
    query = "SELECT CAST(unnest(enum_range(NULL::texts)) AS VARCHAR) AS x"
    distinct = connection.execute(query).fetchnumpy()["x"]
    if not len(distinct):
        return None
    query = f"SELECT coalesce(enum_code(CAST({cell} AS texts)), {len(distinct)}) AS k FROM {rows}"
    codes = connection.execute(query).fetchnumpy()["k"].astype(np.int64)
    texts = np.append(np.asarray(distinct, object), "")
    return _in_order_of_rows(name, texts, codes)


def _in_order_of_rows(name: str, texts: np.ndarray, codes: np.ndarray) -> Column:
    """A column of distinct texts in order of their first rows."""
    row_count = len(codes)
    first_rows = np.full(len(texts), row_count)
    # the last assignment wins: that of the first row
    first_rows[codes[::-1]] = np.arange(row_count)[::-1]
    order = np.argsort(first_rows, kind="stable")
    order = order[first_rows[order] < row_count]
    places = np.empty(len(texts), np.int64)
    places[order] = np.arange(len(order))
    return Column(name, texts[order], places[codes], dtype="text")


def read_large(path: Path, source: str, label: str) -> Sheet | None:
    """A large, regular UTF-8 file as a sheet; None for other files, which are read in Python."""
    head, tail, newlines = _look_over(path)
    if is_line_protocol(head.decode("utf-8", "replace")):
        return None
    try:
        grid = read_text(head, source)
        top = sheet_from_grid(grid, source, label)
    except LstmcastError:
        return None
    width = len(grid.rows[-1])
    skipped = int(top.lines[0]) - 1
    line_count = int(top.lines[-1]) - skipped
    if grid.delimiter == " " or grid.notes or len(top) != line_count:
        # blank lines, titles or line breaks within cells: lines cannot be counted from the start
        return None
    import duckdb

    trailing = _lines_after_data(tail, grid.delimiter, width, newlines)
    try:
        connection = connected()
        rows = _load(connection, path, grid.delimiter, width, skipped)
        if rows + skipped + len(trailing) != newlines or len(top.columns) != width:
            return None  # another line was not a row of cells
        columns = []
        for number, column in enumerate(top.columns):
            columns.append(_large_column(connection, number, column, rows))
    except (duckdb.Error, RuntimeError, UnicodeDecodeError):
        return None
    lines = np.arange(skipped + 1, skipped + rows + 1)
    notes = (*top.notes, *dropped_lines(trailing), *_comma_notes(columns, top))
    return Sheet(tuple(columns), lines, source, "file", notes, label)


def _comma_notes(columns: list[Column], top: Sheet) -> list[Finding]:
    """The notes on numeric columns that DuckDB read with a decimal comma."""
    notes = []
    for column, top_column in zip(columns, top.columns, strict=True):
        if not column.is_text and _decimal_comma(top_column):
            message = f"column {column.name!r}: {DECIMAL_COMMA}"
            notes.append(Finding("numbers", "note", message))
    return notes


def _lines_after_data(
    tail: bytes, delimiter: str, width: int, newlines: int
) -> dict[int, str]:
    """The lines at the end of a file that are not rows of cells, {line: reason}."""
    dropped: dict[int, str] = {}
    lines = tail.decode("utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
    for lines_back, line in enumerate(reversed(lines)):
        row = next(csv.reader([line], delimiter=delimiter), [])
        if len(row) == width:
            break
        text = line.strip()
        cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
        reason = f"{text[:48]!r}: {cells} where {width} are expected"
        dropped[newlines - lines_back] = reason if text else "blank"
    return dropped


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]


def _look_over(path: Path) -> tuple[bytes, bytes, int]:
    """The first whole lines, the last ones, and the number of lines."""
    newlines = 0
    tail = b"\n"
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(0)
        while block := file.read(1 << 22):
            newlines += block.count(b"\n")
            tail = (tail + block)[-_HEAD:]
    if not tail.endswith(b"\n"):
        newlines += 1
    whole_lines = head[: head.rfind(b"\n") + 1]
    return whole_lines, tail, newlines


def _load(connection: Any, path: Path, delimiter: str, width: int, skipped: int) -> int:
    """Read the cells as text into the table `raw`; the number of rows."""
    columns = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(width))
    connection.execute(
        f"CREATE TABLE raw AS SELECT * FROM read_csv({quoted_text(_literal(path))}, "
        f"auto_detect=false, header=false, skip={skipped}, delim='{delimiter}', quote='\"', "
        f"escape='\"', columns={{{columns}}}, compression='none', ignore_errors=true)"
    )
    return connection.execute("SELECT count(*) FROM raw").fetchone()[0]


def _large_column(connection: Any, number: int, top: Column, rows: int) -> Column:
    """A column as text if it has few distinct values, else as numbers or times if all cells are."""
    query = f"SELECT approx_count_distinct(c{number}) FROM raw"
    distinct = connection.execute(query).fetchone()[0]
    if distinct > min(_FEW, rows / 5):
        cell = f"trim(coalesce(c{number}, ''))"
        for pattern, kind in _patterns(top):
            if _all_fit(connection, cell, pattern, kind):
                text = f"replace({cell}, ',', '.')" if pattern == _COMMA else cell
                query = f"SELECT try_cast({text} AS {kind}) AS x FROM raw"
                fetched = connection.execute(query).fetchnumpy()
                return _typed(top.name, fetched["x"])
    return _encoded(connection, number, top)


def _all_fit(connection: Any, cell: str, pattern: str, kind: str) -> bool:
    """Whether all cells match a pattern, or are missing if the type allows that."""
    fits = f"regexp_full_match({cell}, '{pattern}')"
    missing = f"lower({cell}) IN ({_MISSING})"
    query = f"SELECT bool_and({fits} OR {missing}), bool_or({missing}) FROM raw"
    all_fit, any_missing = connection.execute(query).fetchone()
    return all_fit and not (any_missing and kind == "BIGINT")


def _patterns(top: Column) -> list[tuple[str, str]]:
    """Patterns that fit the first cells, and the DuckDB type for each."""
    if doubtful_mark(top):
        # 5.037: points may group thousands, which is decided later, from text
        return []
    if top.number_share < 0.5 or top.numbers is None:
        return [(_STAMP, "TIMESTAMP")]
    if _decimal_comma(top):
        return [(_COMMA, "DOUBLE")]
    if top.numbers.notes:
        return []  # thousands, units, currencies
    if top.times is None:
        return [(_NUMBER, "DOUBLE")]
    return [(_WHOLE, "BIGINT"), (_NUMBER, "DOUBLE")]


def _decimal_comma(top: Column) -> bool:
    return top.numbers is not None and top.numbers.notes == (DECIMAL_COMMA,)


def _typed(name: str, fetched: Any) -> Column:
    mask = np.ma.getmask(fetched)
    data = np.ma.getdata(fetched)
    is_time = data.dtype.kind == "M"
    if mask is not np.ma.nomask:
        data = data.copy()
        data[mask] = np.datetime64("NaT") if is_time else np.nan
    if is_time:
        data = data.astype("datetime64[us]")
    return Column(name, data)


def _encoded(connection: Any, number: int, top: Column) -> Column:
    """Distinct texts in order of appearance, and codes into them; both made by DuckDB."""
    cell = f"coalesce(c{number}, '')"
    connection.execute(
        f"CREATE TABLE d{number} AS SELECT x, row_number() OVER (ORDER BY m) - 1 AS k FROM "
        f"(SELECT {cell} AS x, min(rowid) AS m FROM raw GROUP BY 1)"
    )
    query = f"SELECT x FROM d{number} ORDER BY k"
    texts = connection.execute(query).fetchnumpy()["x"]
    query = (
        f"SELECT k FROM raw JOIN d{number} ON {cell} = d{number}.x ORDER BY raw.rowid"
    )
    codes = connection.execute(query).fetchnumpy()["k"]
    return Column(
        top.name,
        np.asarray(texts, object),
        np.asarray(codes, np.int64),
        decimal_comma_likely=top.decimal_comma_likely,
    )


def read_bytes_large(
    content: bytes, source: str, label: str, folder: Path
) -> Sheet | None:
    """Like read_large, for the content of a gzip file."""
    path = folder / "table.csv"
    path.write_bytes(content)
    return read_large(path, source, label)
