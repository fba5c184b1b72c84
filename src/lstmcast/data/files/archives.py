"""Packed files: gzip, bzip2, xz and ZIP archives, unpacked."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import IO, Any

from lstmcast.data.findings import Finding
from lstmcast.data.limits import blocks_of, unpacked_bytes
from lstmcast.data.sheet import Chosen
from lstmcast.errors import DataError

_WORKBOOK_PARTS = ("[content_types].xml", "mimetype", "xl/", "content.xml")
_HIDDEN = ("__macosx/", ".ds_store")
_TABLES = (
    ".csv",
    ".tsv",
    ".txt",
    ".json",
    ".jsonl",
    ".xlsx",
    ".xls",
    ".ods",
    ".tsf",
    ".parquet",
)


_MOST_TABLES = 200  # in one archive


def packing(magic: bytes) -> str:
    """The compression of a file by its first bytes: "gzip", "bzip2", "xz", "zip" or ""."""
    for start, name in (
        (b"\x1f\x8b", "gzip"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ", "xz"),
        (b"PK\x03\x04", "zip"),
    ):
        if magic.startswith(start):
            return name
    return ""


def is_workbook_archive(content: bytes) -> bool:
    """Whether a ZIP archive is a workbook: .xlsx, .xlsb or .ods."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name.casefold() for name in archive.namelist()[:200]]
    except zipfile.BadZipFile:
        return True  # damaged: the reader of workbooks reports it
    return any(name.startswith(_WORKBOOK_PARTS) for name in names)


def unpacked(packed: bytes, source: str) -> dict[str, bytes]:
    """The contents of a packed file, by what they are called: of an archive all that may be tables.
    DataError where it is damaged or too large, or holds too many."""
    kind = packing(packed[:8])
    if kind == "zip":
        return _unzipped(packed, source)
    opened: Any = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}[kind]
    try:
        with opened(io.BytesIO(packed)) as file:
            content = _read(file, source, len(packed))
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(
            f"{source} is a damaged {kind} file ({error}). Download it or compress it again."
        ) from None
    return {source.rsplit(".", 1)[0]: content}


def _read(file: IO[bytes], source: str, packed: int) -> bytes:
    """The content of a packed file; DataError if it is implausibly large."""
    limit = unpacked_bytes(packed)
    refusal = (
        f"{source} holds more than {limit:,} bytes in a compressed file of {packed:,}, which is "
        "unusual for a table. If it is one, unpack it and give the unpacked file, which is read "
        "without holding all of it in memory."
    )
    return b"".join(blocks_of(file, limit, refusal))


def _unzipped(packed: bytes, source: str) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            contents = {}
            tables = _tables_in(archive, source, len(packed))
            names = [PurePosixPath(table.filename).name for table in tables]
            are_distinct = len(set(names)) == len(names)
            for table, name in zip(tables, names, strict=True):
                with archive.open(table) as file:
                    whole_name = name if are_distinct else table.filename
                    contents[whole_name] = _read(file, source, len(packed))
            return contents
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(
            f"{source} is a ZIP archive that cannot be opened ({error}). Unpack it first."
        ) from None


def _tables_in(
    archive: zipfile.ZipFile, source: str, packed: int
) -> list[zipfile.ZipInfo]:
    """The files in an archive that are tables, by their names, or the only file; else DataError."""
    files = []
    tables = []
    for info in archive.infolist():
        name = info.filename.casefold()
        if info.is_dir() or name.startswith(_HIDDEN):
            continue
        files.append(info)
        if name.endswith(_TABLES):
            tables.append(info)
    if not tables and len(files) == 1:
        return files
    unpacked_size = sum(info.file_size for info in tables)
    is_large = len(tables) > 1 and unpacked_size > unpacked_bytes(packed)
    if 0 < len(tables) <= _MOST_TABLES and not is_large:
        return tables
    names = ", ".join(repr(info.filename) for info in (tables or files)[:6]) or "none"
    count = len(tables or files)
    if count > 6:
        names += f" and {count - 6} more"
    raise DataError(
        f"{source} is a ZIP archive with {count} files: {names}. One table is expected. "
        "Unpack it, and name the files."
    )


def files_note(choice: Chosen, names: Sequence[str]) -> tuple[Finding, ...]:
    """The finding about which of several files of an archive were read."""
    chosen_names = choice.names
    first = chosen_names[0]
    if choice.are_series:
        message = (
            f"the {len(chosen_names)} files {first!r} to {chosen_names[-1]!r} in the archive have "
            "the same columns: each became a series"
        )
        return (Finding("sheet", "note", message, value=", ".join(chosen_names)),)
    if len(chosen_names) > 1:
        span = f"the {len(chosen_names)} files {first!r} to {chosen_names[-1]!r}"
        message = f"{span} in the archive have the same columns: their rows were joined"
        return (Finding("sheet", "note", message, value=", ".join(chosen_names)),)
    other_names = [name for name in names if name != first]
    message = f"the file {first!r} was read"
    action = f"Others in the archive: {', '.join(other_names)}."
    return (Finding("sheet", "note", message, action, value=first),)
