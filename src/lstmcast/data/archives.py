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
    """How a file is packed, by its first bytes: "gzip", "bzip2", "xz", "zip", or "" where it is
    not."""
    for start, name in (
        (b"\x1f\x8b", "gzip"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ", "xz"),
        (b"PK\x03\x04", "zip"),
    ):
        if magic.startswith(start):
            return name
    return ""


def is_workbook_archive(raw: bytes) -> bool:
    """Whether a ZIP archive is a workbook: .xlsx, .xlsb or .ods."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = [name.casefold() for name in archive.namelist()[:200]]
    except zipfile.BadZipFile:
        return True  # damaged: whoever opens workbooks says so
    return any(name.startswith(_WORKBOOK_PARTS) for name in names)


def unpacked(raw: bytes, source: str) -> tuple[bytes, str]:
    """The content of a packed file, and what it is called; DataError where it is damaged, too large
    or holds several tables."""
    kind = packing(raw[:8])
    if kind == "zip":
        return _unzipped(raw, source)
    opened: Any = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}[kind]
    try:
        with opened(io.BytesIO(raw)) as file:
            content = _read(file, source, len(raw))
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(
            f"{source} is a damaged {kind} file ({error}). Download or pack it again."
        ) from None
    return content, source.rsplit(".", 1)[0]


def _read(file: IO[bytes], source: str, packed: int) -> bytes:
    """All that a packed file of so many bytes holds; DataError where that is far more than tables
    hold."""
    most = unpacked_bytes(packed)
    refusal = (
        f"{source} holds more than {most:,} bytes, in a packed file of {packed:,}: tables do not "
        "shrink so much. If it is one, unpack it first and give the unpacked file: it is read "
        "without holding all of it in memory."
    )
    return b"".join(blocks_of(file, most, refusal))


def _unzipped(raw: bytes, source: str) -> tuple[bytes, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            files = [
                info
                for info in archive.infolist()
                if not info.is_dir() and not info.filename.casefold().startswith(_HIDDEN)
            ]
            tables = [i for i in files if i.filename.casefold().endswith(_TABLES)] or files
            if len(tables) != 1:
                shown = ", ".join(repr(info.filename) for info in tables[:6])
                more = f" and {len(tables) - 6} more" if len(tables) > 6 else ""
                raise DataError(
                    f"{source} is a ZIP archive with {len(tables)} files: {shown or 'none'}{more}. "
                    "One table is expected. Unpack it, and name the files."
                )
            with archive.open(tables[0]) as file:
                return _read(file, source, len(raw)), PurePosixPath(tables[0].filename).name
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(
            f"{source} is a ZIP archive that cannot be opened ({error}). Unpack it first."
        ) from None
