"""Files of columns and of tables, which are no text: Parquet, Arrow, DuckDB and SQLite → sheet."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from lstmcast.data.limits import require_cells
from lstmcast.data.sheet import Sheet
from lstmcast.databases.address import Address
from lstmcast.errors import DataError, MissingExtraError

_ARROW_STREAM = b"\xff\xff\xff\xff"
_COLUMN_FILES = (b"PAR1", b"ARROW1", _ARROW_STREAM)


def sheet_of_binary(path: Path) -> Sheet | None:
    """The table in such a file; None for other files."""
    with path.open("rb") as file:
        head = file.read(16)
    address = _database(path, head)
    if address is None:
        return _columns(path, head)
    from lstmcast.data.files.dbtables import sheet_from_database

    return sheet_from_database(address)


def columns_in(content: bytes, source: str) -> Sheet | None:
    """The table in the bytes of a Parquet or Arrow file; None for others."""
    head = content[:16]
    if not head.startswith(_COLUMN_FILES):
        return None
    with tempfile.TemporaryDirectory(prefix="lstmcast-") as folder:
        path = Path(folder, Path(source).name)
        path.write_bytes(content)
        return _columns(path, head)


def _columns(path: Path, head: bytes) -> Sheet | None:
    if head.startswith(b"PAR1"):
        from lstmcast.data.files.bigfiles import read_parquet

        return read_parquet(path)
    if head.startswith(_COLUMN_FILES):
        return _read_arrow(path, is_stream=head.startswith(_ARROW_STREAM))
    return None


def database_in(path: Path) -> Address | None:
    """The address of the database that a file is; None for other files."""
    with path.open("rb") as file:
        return _database(path, file.read(16))


def _database(path: Path, head: bytes) -> Address | None:
    if head == b"SQLite format 3\0":
        return Address("sqlite", str(path))
    if head[8:12] == b"DUCK":
        return Address("duckdb", str(path))
    return None


def _read_arrow(path: Path, *, is_stream: bool) -> Sheet:
    """An Arrow or Feather file, by pyarrow or polars, whichever is installed."""
    from lstmcast.data.files.frames import sheet_from_object

    try:
        frame = _arrow_frame(path, is_stream=is_stream)
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{path.name} cannot be read as an Arrow file ({reason}). Write the file again."
        ) from None
    require_cells(len(frame), len(frame.columns), path.name)
    sheet = sheet_from_object(frame)
    return replace(sheet, source=path.name, frame="file", label=path.stem)


def _arrow_frame(path: Path, *, is_stream: bool) -> Any:
    try:
        import pyarrow
        from pyarrow import feather
    except ImportError:
        return _polars_frame(path, is_stream=is_stream)
    if is_stream:
        with pyarrow.OSFile(str(path)) as file:
            return pyarrow.ipc.open_stream(file).read_all()
    return feather.read_table(path)


def _polars_frame(path: Path, *, is_stream: bool) -> Any:
    try:
        import polars
    except ImportError:
        raise MissingExtraError(
            f"{path.name} is an Arrow file, which needs pyarrow or polars. Run pip install "
            "pyarrow, or write the table as Parquet."
        ) from None
    if is_stream:
        return polars.read_ipc_stream(path)
    return polars.read_ipc(path)
