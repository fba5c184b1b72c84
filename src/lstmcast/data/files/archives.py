"""Packed files: gzip, bzip2, xz and ZIP archives with one table in them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, Any

from lstmcast.data.limits import blocks_of, unpacked_bytes
from lstmcast.errors import DataError

_WORKBOOK_PARTS = ("[content_types].xml", "mimetype", "xl/", "content.xml")
_HIDDEN = ("__macosx/", ".ds_store")
_TABLES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".xlsx", ".xls", ".ods", ".tsf", ".parquet")


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


def unpacked(packed: bytes, source: str) -> tuple[bytes, str]:
    """The content of a packed file and its name.

    Raises DataError if it is damaged, too large or holds several tables.
    """
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
    return content, source.rsplit(".", 1)[0]


def _read(file: IO[bytes], source: str, packed: int) -> bytes:
    """The content of a packed file; DataError if it is implausibly large."""
    limit = unpacked_bytes(packed)
    refusal = (
        f"{source} holds more than {limit:,} bytes in a compressed file of {packed:,}, which is "
        "unusual for a table. If it is one, unpack it and give the unpacked file, which is read "
        "without holding all of it in memory."
    )
    return b"".join(blocks_of(file, limit, refusal))


def _unzipped(packed: bytes, source: str) -> tuple[bytes, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            table = _only_table(archive, source)
            with archive.open(table) as file:
                content = _read(file, source, len(packed))
            return content, PurePosixPath(table.filename).name
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(
            f"{source} is a ZIP archive that cannot be opened ({error}). Unpack it first."
        ) from None


def _only_table(archive: zipfile.ZipFile, source: str) -> zipfile.ZipInfo:
    """The only table in an archive, by file name, or its only file; else DataError."""
    files = []
    tables = []
    for info in archive.infolist():
        name = info.filename.casefold()
        if info.is_dir() or name.startswith(_HIDDEN):
            continue
        files.append(info)
        if name.endswith(_TABLES):
            tables.append(info)
    tables = tables or files
    if len(tables) == 1:
        return tables[0]
    names = ", ".join(repr(info.filename) for info in tables[:6]) or "none"
    if len(tables) > 6:
        names += f" and {len(tables) - 6} more"
    raise DataError(
        f"{source} is a ZIP archive with {len(tables)} files: {names}. One table is expected. "
        "Unpack it, and name the files."
    )
