"""Packed files: gzip, bzip2, xz, ZIP and tar archives, unpacked."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Any, NamedTuple

from lstmcast.data.findings import Finding
from lstmcast.data.limits import blocks_of, unpacked_bytes
from lstmcast.data.sheet import Chosen
from lstmcast.errors import DataError

_WORKBOOK_PARTS = ("[content_types].xml", "mimetype", "xl/", "content.xml")
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
    ".feather",
    ".arrow",
)
_TAR_MARK = slice(257, 262)
LONGEST_MAGIC = 262  # first bytes of a file that tell how it is packed

_MOST_TABLES = 200  # in one archive


def packing(magic: bytes) -> str:
    """The packing of a file by its first bytes: "gzip", "bzip2", "xz", "zip", "tar" or ""."""
    if magic[_TAR_MARK] == b"ustar":
        return "tar"
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
    kind = packing(packed[:LONGEST_MAGIC])
    if kind == "zip":
        return _unzipped(packed, source)
    if kind == "tar":
        return _untarred(packed, source)
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


class _Entry(NamedTuple):
    """A file in an archive: its name with folders, its size in bytes, and how to open it."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def _unzipped(packed: bytes, source: str) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            entries = []
            for info in archive.infolist():
                if not info.is_dir():
                    open_file = partial(archive.open, info)
                    entries.append(_Entry(info.filename, info.file_size, open_file))
            return _contents(entries, f"{source} is a ZIP archive", source, len(packed))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(
            f"{source} is a ZIP archive that cannot be opened ({error}). Unpack it first."
        ) from None


def _untarred(packed: bytes, source: str) -> dict[str, bytes]:
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as archive:
            entries = []
            for info in archive:
                if info.isfile():
                    open_file: Any = partial(archive.extractfile, info)
                    entries.append(_Entry(info.name, info.size, open_file))
            return _contents(entries, f"{source} is a tar archive", source, len(packed))
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise DataError(
            f"{source} is a tar archive that cannot be opened ({error}). Unpack it first."
        ) from None


def _contents(
    entries: Sequence[_Entry], archive: str, source: str, packed: int
) -> dict[str, bytes]:
    """The contents of the tables of an archive, by their names, with folders where those repeat."""
    tables = _tables_in(entries, archive, packed)
    names = [PurePosixPath(table.name).name for table in tables]
    are_distinct = len(set(names)) == len(names)
    contents = {}
    for table, name in zip(tables, names, strict=True):
        with table.open() as file:
            content = _read(file, source, packed)
        contents[name if are_distinct else table.name] = content
    return contents


def _tables_in(entries: Sequence[_Entry], archive: str, packed: int) -> list[_Entry]:
    """The files in an archive that are tables, by their names, or the only file; else DataError."""
    files = []
    tables = []
    for entry in entries:
        path = PurePosixPath(entry.name.casefold())
        is_hidden = path.parts[:1] == ("__macosx",) or path.name == ".ds_store"
        if is_hidden or path.name.startswith("._"):
            continue
        files.append(entry)
        if path.name.endswith(_TABLES):
            tables.append(entry)
    if not tables and len(files) == 1:
        return files
    unpacked_size = sum(entry.size for entry in tables)
    is_large = len(tables) > 1 and unpacked_size > unpacked_bytes(packed)
    if 0 < len(tables) <= _MOST_TABLES and not is_large:
        return tables
    names = ", ".join(repr(entry.name) for entry in (tables or files)[:6]) or "none"
    count = len(tables or files)
    if count > 6:
        names += f" and {count - 6} more"
    raise DataError(
        f"{archive} with {count} files: {names}. One table is expected. "
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
    action = ""
    if other_names:
        action = f"Others in the archive: {', '.join(other_names)}."
    return (Finding("sheet", "note", message, action, value=first),)
