"""Paths, files and objects to sheets and tables: what `read` is given, opened."""

# N rows · S series

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import numpy as np

from lstmcast.data import formats
from lstmcast.data.archives import packing
from lstmcast.data.keys import joined
from lstmcast.data.layout import Names, table_from_sheet
from lstmcast.data.limits import is_source, regular_file, require_columns
from lstmcast.data.sheet import Sheet
from lstmcast.data.sheetchoice import choose_sheet
from lstmcast.data.table import (
    Finding,
    Recipe,
    Table,
    file_label,
)
from lstmcast.data.textfiles import refuse_binary
from lstmcast.databases.address import Address, address_of, hidden, is_address
from lstmcast.errors import DataError, UsageError
from lstmcast.util.objects import objects

STDIN = "-"  # the source that is read from standard input
_STDIN_NAME = "standard input"


def has_sheets(source: object) -> bool:
    """Whether a source is a workbook, or has one among its files."""
    return _first_workbook(paths_of(source)) is not None


def tables_of(source: object, names: Names, sheet: str | None) -> Table:
    """The table of a source, with what was said about how to read it."""
    paths = paths_of(source)
    if sheet is not None and not is_stdin(source):
        _require_workbook(paths, sheet)
    time, target, series, past = (
        name if name is None or isinstance(name, str) else tuple(name)
        for name in (names.time, names.target, names.series, names.past)
    )
    beside = names.beside.said()
    recipe = Recipe(time, target, series, sheet, past=past, **asdict(names.written), **beside)
    return replace(_read_paths(source, paths, names, sheet), recipe=recipe)


def _read_paths(
    source: object, paths: list[Path] | None, names: Names, sheet_name: str | None
) -> Table:
    if is_stdin(source):
        raw = sys.stdin.buffer.read()
        return table_from_sheet(_sheet_of(raw, _STDIN_NAME, sheet_name, names), names)
    if paths is None:
        sheet = sheet_of_object(source)
        require_columns(len(sheet.columns), sheet.source)
        return table_from_sheet(sheet, names)
    if len(paths) == 1:
        return table_from_sheet(read_file(paths[0], sheet_name, names), names)
    return _joined(
        [(path, table_from_sheet(read_file(path, sheet_name, names), names)) for path in paths]
    )


def sheet_of_object(source: object) -> Sheet:
    """What is no file as a sheet: a table of a database, or data in memory."""
    if isinstance(source, str | Address) and is_address(source):
        from lstmcast.data.dbtables import sheet_from_database

        return sheet_from_database(address_of(source))
    from lstmcast.data.frames import sheet_from_object

    return sheet_from_object(source)


def with_query(source: object, query: str | None) -> object:
    """A source whose rows a query gives, as far as there is one; UsageError where the source is no
    database."""
    if query is None:
        return source
    if not isinstance(source, str | Address) or not is_address(source):
        raise UsageError(
            "A query (--query) would have no effect: it is for one database, such as "
            "duckdb:///shop.db. Leave it out, or give the address of a database as the data."
        )
    return address_of(source, query)


def is_stdin(source: object) -> bool:
    return isinstance(source, str) and source == STDIN


def paths_of(source: object) -> list[Path] | None:
    """The files that a source names; None when it is data itself."""
    if (
        isinstance(source, (list, tuple))
        and source
        and all(isinstance(item, (str, os.PathLike)) for item in source)
    ):
        _require_files(source)
        return [path for item in source for path in paths_of(item) or ()]
    if not isinstance(source, (str, os.PathLike)) or is_address(source):
        return None
    text = os.path.expanduser(os.fspath(source))
    if text == STDIN:
        return None
    if isinstance(text, bytes) or "\0" in text or not text.strip():
        raise UsageError(
            f"{source!r} is not a path. Give the path of a file, or a glob such as 'data/*.csv'."
        )
    path = Path(text)
    try:
        if is_source(path):  # the name of a file is a name, whatever letters it has
            return [path]
        if path.is_dir():
            raise DataError(
                f"{text} is a folder. Give a file in it, or a glob: "
                f"'{os.path.join(text, '*.csv')}'."
            )
        found = sorted(
            Path(name) for name in glob.glob(text, recursive=True) if os.path.isfile(name)
        )
    except OSError as error:  # a text far too long for a path, for example
        raise DataError(
            f"{text[:80]!r} cannot be opened: {error.strerror}. The path of a file is expected."
        ) from None
    if not found:
        raise DataError(_not_there(text))
    return found


def _require_files(sources: Sequence[object]) -> None:
    """UsageError for a database among several sources."""
    for source in sources:
        if is_address(source):
            raise UsageError(
                f"{hidden(str(source))} stands in a list of sources; a database is read alone. "
                "Give a query that joins its tables, such as SELECT … UNION ALL SELECT …."
            )


def _not_there(text: str) -> str:
    if "://" in text:
        return (
            f"{hidden(text)} is an address. Download the file first and give its path. Databases "
            "are read from duckdb:///, sqlite:///, postgresql:// and mysql://."
        )
    if glob.has_magic(text):
        return f"no file fits {text!r}. Mind the quotes and the folder: this one is {os.getcwd()}."
    path = Path(text)
    folder = path.parent
    if path.is_symlink():
        return f"{text!r} is a link to {os.readlink(path)!r}, and nothing is there."
    if not folder.is_dir():
        return f"there is no file {text!r}: the folder {str(folder)!r} does not exist."
    near = get_close_matches(path.name, [entry.name for entry in folder.iterdir()], 3)
    meant = " or ".join(repr(name) for name in near)
    hint = f" Did you mean {meant}?" if near else f" The folder is {folder.resolve()}."
    return f"there is no file {text!r}.{hint}"


def read_file(path: Path, sheet: str | None, names: Names) -> Sheet:
    """A file, or what comes out of a pipe or device, as a sheet, by what is in it, whatever its
    ending says."""
    with _readable(path), regular_file(path) as regular:
        return _read_regular(regular, sheet, names)


def _read_regular(path: Path, sheet: str | None, names: Names) -> Sheet:
    header = names.written.header
    with _readable(path):
        magic = _magic(path)
        if magic[:4] == b"PAR1":
            from lstmcast.data.bigfiles import read_parquet

            return read_parquet(path)
        if header is None and path.stat().st_size >= formats.LARGE and _may_be_rows(magic):
            refuse_binary(magic, path.name)
            from lstmcast.data.bigfiles import read_large

            large = read_large(path, path.name, file_label(path.name))
            if large is not None:
                return large
        raw = path.read_bytes()
    return _sheet_of(raw, path.name, sheet, names)


def _sheet_of(raw: bytes, source: str, sheet: str | None, names: Names) -> Sheet:
    choose = partial(choose_sheet, source=source, names=names)
    return formats.sheet_from_bytes(
        raw, source, sheet=sheet, header=names.written.header, choose=choose
    )


def _may_be_rows(magic: bytes) -> bool:
    """Whether a file that begins so may be rows of cells, which DuckDB reads."""
    other = magic.lstrip()[:1] in (b"{", b"[", b"<", b"@")
    return not (other or packing(magic) or b"\0" in magic or magic == formats.OLD_WORKBOOK)


def _require_workbook(paths: Sequence[Path] | None, sheet: str) -> None:
    """UsageError for a sheet that is named where no file has sheets."""
    if _first_workbook(paths) is not None:
        return
    what = (
        "these are data in memory or in a database" if paths is None else f"{paths[0].name} is none"
    )
    what = what if paths is None or len(paths) == 1 else f"none of the {len(paths)} files is one"
    raise UsageError(
        f"{sheet=} (--sheet) would have no effect: only workbooks such as .xlsx have sheets, and "
        f"{what}. Leave it out."
    )


def _first_workbook(paths: Sequence[Path] | None) -> Path | None:
    for path in paths or ():
        with _readable(path):
            magic = _magic(path)
            if magic == formats.OLD_WORKBOOK:
                return path
            if packing(magic) == "zip" and formats.is_workbook(path.read_bytes()):
                return path
    return None


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a DataError that names the file."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None


def _magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _joined(tables: Sequence[tuple[Path, Table]]) -> Table:
    """Several files under each other: equal ids are one series; unnamed series are called after
    their files."""
    first_path, first = tables[0]
    for path, table in tables[1:]:
        if table.times.dtype.kind != first.times.dtype.kind:
            raise DataError(
                f"{path.name} has {_time_word(table)} and {first_path.name} has "
                f"{_time_word(first)}. Files that are read together need times of one sort."
            )
    places: dict[str, int] = {}
    own = [
        np.array([places.setdefault(str(name), len(places)) for name in table.ids], np.int64)
        for _, table in tables
    ]
    codes = [numbers[table.series] for numbers, (_, table) in zip(own, tables, strict=True)]
    first_of_each = np.unique(np.concatenate(own), return_index=True)[1]
    ids = objects(places)
    findings = [_of_file(path, finding) for path, table in tables for finding in table.dropped]
    zones = {table.time_zone for _, table in tables}
    return replace(
        first,
        series=np.concatenate(codes),
        ids=ids,
        times=np.concatenate([table.times for _, table in tables]),
        values=np.concatenate([table.values for _, table in tables]),
        lines=np.concatenate([table.lines for _, table in tables]),
        source=f"{len(tables)} files",
        dropped=tuple(findings),
        time_zone=first.time_zone if len(zones) == 1 else None,
        keys=joined([table.keys for _, table in tables]).take(first_of_each),
        past={
            name: np.concatenate([table.past[name] for _, table in tables]) for name in first.past
        },
        known=tuple(rows for _, table in tables for rows in table.known),
        static=tuple(one for _, table in tables for one in table.static),
    )


def _of_file(path: Path, finding: Finding) -> Finding:
    return replace(finding, message=f"{path.name}: {finding.message}")


def _time_word(table: Table) -> str:
    return "dates" if table.times.dtype.kind == "M" else "whole numbers as times"
