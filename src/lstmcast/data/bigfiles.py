"""Large text files and Parquet through DuckDB: typed columns straight from disk, nothing
downloaded."""

# N rows · U distinct texts

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np

from lstmcast.data.frames import sheet_from_relation
from lstmcast.data.grids import sheet_from_grid
from lstmcast.data.limits import require_cells
from lstmcast.data.numbers import DECIMAL_COMMA, MISSING
from lstmcast.data.separators import doubtful_mark
from lstmcast.data.sheet import Column, Sheet, dropped_lines
from lstmcast.data.table import Finding
from lstmcast.data.textfiles import read_text
from lstmcast.databases.offline import connected
from lstmcast.databases.quoting import quoted_column, quoted_text
from lstmcast.errors import DataError, LstmcastError

_MISSING = ", ".join(map(quoted_text, sorted(MISSING)))
_HEAD = 1 << 17  # bytes that show delimiter and header
_TAIL_LINES = 40
# distinct texts that are kept as texts; columns with more are turned into numbers or times by
# DuckDB
_FEW = 100_000
_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_COMMA = r"[+-]?(\d+,?\d*|,\d+)"
_WHOLE = r"[+-]?\d{1,18}"
_STAMP = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?"


def read_parquet(path: Path) -> Sheet:
    """A Parquet file as a sheet; DataError when it is damaged or empty."""
    import duckdb

    connection = connected()
    try:
        # as a name: of what stands for other letters in a pattern, each stands for itself
        named = re.sub(r"[*?\[]", lambda letter: f"[{letter[0]}]", str(path))
        relation = connection.read_parquet(named)
        # from the file's own description, before anything of it is read
        ((rows,),) = relation.aggregate("count(*)").fetchall()
        require_cells(rows, len(relation.columns), path.name)
        relation.create_view("sheet")
        sheet = sheet_from_relation(relation, lambda name: text_column(connection, name, "sheet"))
    # DuckDB tells broken contents, such as ids that are not UTF-8, in errors of several kinds
    except (duckdb.Error, RuntimeError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path.name} cannot be read as Parquet ({_first_line(error)}). Write it again."
        ) from None
    if not len(sheet):
        shown = ", ".join(sheet.names[:6])
        raise DataError(
            f"{path.name} has columns ({shown}) but no rows. Dates and values are expected."
        )
    return Sheet(sheet.columns, sheet.lines, path.name, "file", (), path.stem)


def text_column(connection: Any, name: str, rows: str) -> Column | None:
    """A column of the view or table `rows` as distinct texts in order of appearance, and codes into
    them: a text for each of a million rows would be most of the memory. None where there is no
    text."""
    cell = f"nullif(CAST({quoted_column(name)} AS VARCHAR), '')"
    connection.execute(
        "CREATE OR REPLACE TEMP TYPE texts AS ENUM "
        f"(SELECT DISTINCT {cell} AS x FROM {rows} WHERE x IS NOT NULL)"
    )
    ask = "SELECT CAST(unnest(enum_range(NULL::texts)) AS VARCHAR) AS x"
    distinct = connection.execute(ask).fetchnumpy()["x"]
    if not len(distinct):
        return None
    ask = f"SELECT coalesce(enum_code(CAST({cell} AS texts)), {len(distinct)}) AS k FROM {rows}"
    codes = connection.execute(ask).fetchnumpy()["k"].astype(np.int64)
    # the last of several assignments stays: that of the first row
    first = np.full(len(distinct) + 1, len(codes))
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    order = np.argsort(first, kind="stable")
    order = order[first[order] < len(codes)]
    place = np.empty(len(first), np.int64)
    place[order] = np.arange(len(order))
    texts = np.append(np.asarray(distinct, object), "")[order]
    return Column(name, texts, place[codes], dtype="text")


def read_large(path: Path, source: str, label: str) -> Sheet | None:
    """A large, regular UTF-8 file as a sheet; None where it is anything else, and should be read
    patiently instead."""
    head, tail, newlines = _look_over(path)
    try:
        grid = read_text(head, source)
        top = sheet_from_grid(grid, source, label)
    except LstmcastError:
        return None
    skipped = int(top.lines[0]) - 1
    if grid.delimiter == " " or grid.notes or len(top) != int(top.lines[-1]) - skipped:
        # blank lines, titles or line breaks within cells: lines cannot be counted from the start
        return None
    import duckdb

    after = _lines_after_data(tail, grid.delimiter, len(grid.rows[-1]), newlines)
    try:
        connection = connected()
        rows = _load(connection, path, grid.delimiter, len(grid.rows[-1]), skipped)
        if rows + skipped + len(after) != newlines or len(top.columns) != len(grid.rows[-1]):
            return None  # some other line was no row of cells
        columns = [_large_column(connection, j, c, rows) for j, c in enumerate(top.columns)]
        commas = [
            c.name
            for c, t in zip(columns, top.columns, strict=True)
            if not c.is_text and _decimal_comma(t)
        ]
    except (duckdb.Error, RuntimeError, UnicodeDecodeError):
        return None
    lines = np.arange(skipped + 1, skipped + rows + 1)
    notes = [Finding("numbers", "note", f"column {name!r}: {DECIMAL_COMMA}") for name in commas]
    return Sheet(
        tuple(columns), lines, source, "file", (*top.notes, *dropped_lines(after), *notes), label
    )


def _lines_after_data(tail: bytes, delimiter: str, width: int, newlines: int) -> dict[int, str]:
    """The lines at the end of a file that are no rows of cells, {line: why}."""
    dropped: dict[int, str] = {}
    for back, raw in enumerate(
        reversed(tail.decode("utf-8", errors="replace").splitlines()[-_TAIL_LINES:])
    ):
        row = next(csv.reader([raw], delimiter=delimiter), [])
        if len(row) == width:
            break
        cells = f"{len(row)} cell{'s' * (len(row) != 1)}"
        why = f"{raw.strip()[:48]!r}: {cells} where {width} are expected"
        dropped[newlines - back] = why if raw.strip() else "blank"
    return dropped


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]


def _look_over(path: Path) -> tuple[bytes, bytes, int]:
    """The first whole lines, the last ones, and the number of lines."""
    newlines, last = 0, b"\n"
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(0)
        while block := file.read(1 << 22):
            newlines += block.count(b"\n")
            last = (last + block)[-_HEAD:]
    return head[: head.rfind(b"\n") + 1], last, newlines + (not last.endswith(b"\n"))


def _load(connection: Any, path: Path, delimiter: str, width: int, skipped: int) -> int:
    """Read the cells as text into the table `raw`; the number of rows."""
    columns = ", ".join(f"'c{j}': 'VARCHAR'" for j in range(width))
    named = re.sub(r"[*?\[]", lambda letter: f"[{letter[0]}]", str(path))
    connection.execute(
        f"CREATE TABLE raw AS SELECT * FROM read_csv({quoted_text(named)}, auto_detect=false, "
        f"header=false, skip={skipped}, delim='{delimiter}', quote='\"', escape='\"', "
        f"columns={{{columns}}}, compression='none', ignore_errors=true)"
    )
    return connection.execute("SELECT count(*) FROM raw").fetchone()[0]


def _large_column(connection: Any, j: int, top: Column, rows: int) -> Column:
    """Texts while there are few distinct ones; else numbers or times where every cell is one."""
    distinct = connection.execute(f"SELECT approx_count_distinct(c{j}) FROM raw").fetchone()[0]
    if distinct > min(_FEW, rows / 5):
        cell = f"trim(coalesce(c{j}, ''))"
        for pattern, kind in _patterns(top):
            fits = f"regexp_full_match({cell}, '{pattern}')"
            holes = f"lower({cell}) IN ({_MISSING})"
            asked = f"SELECT bool_and({fits} OR {holes}), bool_or({holes}) FROM raw"
            all_fit, any_hole = connection.execute(asked).fetchone()
            if all_fit and not (any_hole and kind == "BIGINT"):
                text = f"replace({cell}, ',', '.')" if pattern == _COMMA else cell
                fetched = connection.execute(
                    f"SELECT try_cast({text} AS {kind}) AS x FROM raw"
                ).fetchnumpy()
                return _typed(top.name, fetched["x"])
    return _encoded(connection, j, top)


def _patterns(top: Column) -> list[tuple[str, str]]:
    """How the cells may be written, judged by the first ones, and the type that DuckDB gives
    them then."""
    if doubtful_mark(top):
        return []  # 5.037: points may group thousands, which texts can still tell
    if top.number_share < 0.5 or top.numbers is None:
        return [(_STAMP, "TIMESTAMP")]
    if not top.numbers.notes:
        return (
            [(_WHOLE, "BIGINT"), (_NUMBER, "DOUBLE")]
            if top.times is not None
            else [(_NUMBER, "DOUBLE")]
        )
    return [(_COMMA, "DOUBLE")] if _decimal_comma(top) else []  # else thousands, units, currencies


def _decimal_comma(top: Column) -> bool:
    return top.numbers is not None and top.numbers.notes == (DECIMAL_COMMA,)


def _typed(name: str, fetched: Any) -> Column:
    data = np.asarray(fetched.data if isinstance(fetched, np.ma.MaskedArray) else fetched)
    if isinstance(fetched, np.ma.MaskedArray) and fetched.mask is not np.ma.nomask:
        data = data.copy()
        data[fetched.mask] = np.datetime64("NaT") if data.dtype.kind == "M" else np.nan
    return Column(name, data.astype("datetime64[us]") if data.dtype.kind == "M" else data)


def _encoded(connection: Any, j: int, top: Column) -> Column:
    """Distinct texts in order of appearance, and codes into them; both made by DuckDB."""
    cell = f"coalesce(c{j}, '')"
    connection.execute(
        f"CREATE TABLE d{j} AS SELECT x, row_number() OVER (ORDER BY m) - 1 AS k FROM "
        f"(SELECT {cell} AS x, min(rowid) AS m FROM raw GROUP BY 1)"
    )
    texts = connection.execute(f"SELECT x FROM d{j} ORDER BY k").fetchnumpy()["x"]
    codes = connection.execute(
        f"SELECT k FROM raw JOIN d{j} ON {cell} = d{j}.x ORDER BY raw.rowid"
    ).fetchnumpy()["k"]
    return Column(
        top.name,
        np.asarray(texts, object),
        np.asarray(codes, np.int64),
        decimal_comma_likely=top.decimal_comma_likely,
    )


def read_bytes_large(raw: bytes, source: str, label: str, folder: Path) -> Sheet | None:
    """As read_large, for what came out of a gzip file."""
    path = folder / "table.csv"
    path.write_bytes(raw)
    return read_large(path, source, label)
