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
from typing import TypeGuard

import numpy as np

from lstmcast.advice import advise
from lstmcast.data.covariates.beside import ColumnNames
from lstmcast.data.files import formats
from lstmcast.data.files.archives import LONGEST_MAGIC, packing
from lstmcast.data.files.binaries import database_in, sheet_of_binary
from lstmcast.data.files.textfiles import refuse_binary
from lstmcast.data.keys import joined
from lstmcast.data.layouts.layout import Names, table_from_sheet
from lstmcast.data.layouts.sheetchoice import choose_sheet
from lstmcast.data.limits import is_source, regular_file, require_columns
from lstmcast.data.sheet import Sheet
from lstmcast.data.table import (
    Finding,
    Recipe,
    Table,
    file_label,
)
from lstmcast.databases.address import Address, address_of, hidden, is_address
from lstmcast.errors import DataError, UsageError
from lstmcast.util.objects import objects

STDIN = "-"  # the source that is read from standard input
_STDIN_NAME = "standard input"


def has_sheets(source: object) -> bool:
    """Whether a source is a workbook, or has one among its files."""
    return _first_workbook(paths_of(source)) is not None


def tables_of(source: object, names: Names, sheet: str | None) -> Table:
    """The table of a source, with a record of how it was asked to be read."""
    paths = paths_of(source)
    if sheet is not None and not is_stdin(source):
        _require_workbook(paths, sheet)
    recipe = Recipe(
        time=_frozen(names.time),
        target=_frozen(names.target),
        series=_frozen(names.series),
        sheet=sheet,
        past=_frozen(names.past),
        **asdict(names.written),
        **names.beside.said(),
    )
    table = _read_paths(source, paths, names, sheet)
    return replace(table, recipe=recipe)


def _frozen(names: ColumnNames) -> str | tuple[str, ...] | None:
    return names if names is None or isinstance(names, str) else tuple(names)


def _read_paths(
    source: object, paths: list[Path] | None, names: Names, sheet_name: str | None
) -> Table:
    if is_stdin(source):
        content = sys.stdin.buffer.read()
        sheet = _sheet_of(content, _STDIN_NAME, sheet_name, names)
        return table_from_sheet(sheet, names)
    if paths is None:
        sheet = sheet_of_object(source)
        require_columns(len(sheet.columns), sheet.source)
        return table_from_sheet(sheet, names)
    tables = []
    for path in paths:
        sheet = read_file(path, sheet_name, names)
        tables.append(table_from_sheet(sheet, names))
    return tables[0] if len(tables) == 1 else _joined(paths, tables)


def sheet_of_object(source: object) -> Sheet:
    """A database table, or data in memory, as a sheet."""
    if isinstance(source, str | Address) and is_address(source):
        from lstmcast.data.files.dbtables import sheet_from_database

        return sheet_from_database(address_of(source))
    from lstmcast.data.files.frames import sheet_from_object

    return sheet_from_object(source)


def with_query(source: object, query: str | None) -> object:
    """A source with the rows of a query, if given; UsageError if the source is not a database."""
    if query is None:
        return source
    if isinstance(source, str | os.PathLike) and not is_address(source):
        files = paths_of(source) or []
        database = database_in(files[0]) if len(files) == 1 else None
        source = database or source
    if not isinstance(source, str | Address) or not is_address(source):
        raise UsageError(
            "--query needs a database, such as duckdb:///shop.db. Leave it out, or give "
            "the address of a database as data."
        )
    return address_of(source, query)


def is_stdin(source: object) -> bool:
    return isinstance(source, str) and source == STDIN


def paths_of(source: object) -> list[Path] | None:
    """The files that a source names; None when it is data itself."""
    if _is_list_of_paths(source):
        _require_files(source)
        return [path for entry in source for path in paths_of(entry) or ()]
    if not isinstance(source, (str, os.PathLike)) or is_address(source):
        return None
    text = os.path.expanduser(os.fspath(source))
    if text == STDIN:
        return None
    if isinstance(text, str) and text.startswith("file://"):
        text = _path_of_address(text)
    if isinstance(text, bytes) or "\0" in text or not text.strip():
        raise UsageError(
            f"{source!r} is not a path. Give the path of a file, or a glob such as 'data/*.csv'."
        )
    path = Path(text)
    try:
        if is_source(path):  # a file name may contain any letters
            return [path]
        if path.is_dir():
            raise DataError(
                f"{text} is a folder. Give a file in it, or a glob: "
                f"'{os.path.join(text, '*.csv')}'."
            )
        matches = glob.glob(_with_literal_folders(text), recursive=True)
        files = sorted(Path(name) for name in matches if os.path.isfile(name))
    except OSError as error:  # for example a text too long for a path
        raise DataError(
            f"{text[:80]!r} cannot be opened: {error.strerror}. The path of a file is expected."
        ) from None
    if not files:
        raise DataError(_not_there(text))
    return files


def _path_of_address(address: str) -> str:
    """The path that a file:// address names."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return url2pathname(urlsplit(address).path)


def _with_literal_folders(pattern: str) -> str:
    """A pattern in which the folders that exist by their name match only themselves."""
    path = Path(pattern)
    for folder in path.parents:
        if glob.has_magic(str(folder)) and folder.is_dir():
            below = str(path.relative_to(folder))
            return os.path.join(glob.escape(str(folder)), below)
    return pattern


def _is_list_of_paths(source: object) -> TypeGuard[Sequence[str | os.PathLike]]:
    if not isinstance(source, (list, tuple)) or not source:
        return False
    return all(isinstance(entry, (str, os.PathLike)) for entry in source)


def _require_files(sources: Sequence[object]) -> None:
    """UsageError for a database among several sources."""
    for source in sources:
        if is_address(source):
            raise UsageError(
                f"{hidden(str(source))} is in a list of sources, but a database is read alone. "
                "Give a query that joins its tables, such as SELECT … UNION ALL SELECT …."
            )


def _not_there(text: str) -> str:
    if "://" in text:
        return (
            f"{hidden(text)} is an address. Download the file first and give its path. Databases "
            "are read from duckdb:///, sqlite:///, postgresql:// and mysql://."
        )
    if glob.has_magic(text):
        return (
            f"no file matches {text!r}. Check the quotes and the folder: the current one is "
            f"{os.getcwd()}."
        )
    path = Path(text)
    folder = path.parent
    if path.is_symlink():
        return f"{text!r} is a link to {os.readlink(path)!r}, which does not exist."
    if not folder.is_dir():
        return f"there is no file {text!r}: the folder {str(folder)!r} does not exist."
    names = [entry.name for entry in folder.iterdir()]
    near = get_close_matches(path.name, names, 3)
    meant = " or ".join(repr(name) for name in near)
    hint = f" Did you mean {meant}?" if near else f" The folder is {folder.resolve()}."
    return f"there is no file {text!r}.{hint}"


def read_file(path: Path, sheet: str | None, names: Names) -> Sheet:
    """A file, pipe or device as a sheet, by its content rather than its extension."""
    with _readable(path), regular_file(path) as regular:
        return _read_regular(regular, sheet, names)


def _read_regular(path: Path, sheet: str | None, names: Names) -> Sheet:
    header = names.written.header
    with _readable(path):
        binary = sheet_of_binary(path)
        if binary is not None:
            return binary
        magic = _magic(path)
        is_large = path.stat().st_size >= formats.LARGE
        if header is None and is_large and _may_be_rows(magic):
            refuse_binary(magic, path.name)
            from lstmcast.data.files.bigfiles import read_large

            large = read_large(path, path.name, file_label(path.name))
            if large is not None:
                return large
        content = path.read_bytes()
    return _sheet_of(content, path.name, sheet, names)


def _sheet_of(content: bytes, source: str, sheet: str | None, names: Names) -> Sheet:
    choose = partial(choose_sheet, source=source, names=names)
    return formats.sheet_from_bytes(
        content, source, sheet=sheet, header=names.written.header, choose=choose
    )


def _may_be_rows(magic: bytes) -> bool:
    """Whether a file that begins so may be rows of cells, which DuckDB reads."""
    has_structure = magic.lstrip()[:1] in (b"{", b"[", b"<", b"@")
    is_packed = bool(packing(magic)) or magic.startswith(formats.OLD_WORKBOOK)
    return not has_structure and not is_packed and b"\0" not in magic


def _require_workbook(paths: Sequence[Path] | None, sheet: str) -> None:
    """UsageError for a sheet that is named where no file has sheets."""
    if _first_workbook(paths) is not None:
        return
    if paths is None:
        problem = "these are data in memory or in a database"
    elif len(paths) == 1:
        problem = f"{paths[0].name} is not one"
    else:
        problem = f"none of the {len(paths)} files is one"
    raise UsageError(
        f"{advise('sheet', sheet)} would have no effect: only workbooks such as .xlsx have sheets, "
        f"but {problem}. Leave it out."
    )


def _first_workbook(paths: Sequence[Path] | None) -> Path | None:
    for path in paths or ():
        with _readable(path):
            magic = _magic(path)
            if magic.startswith(formats.OLD_WORKBOOK):
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
        return file.read(LONGEST_MAGIC)


def _joined(paths: Sequence[Path], tables: Sequence[Table]) -> Table:
    """Several files as one table: equal ids are one series; unnamed series are named after
    files."""
    tables = _named_apart(paths, tables)
    first = tables[0]
    findings = []
    for path, table in zip(paths, tables, strict=True):
        if table.times.dtype.kind != first.times.dtype.kind:
            raise DataError(
                f"{path.name} has {_time_word(table)} and {paths[0].name} has "
                f"{_time_word(first)}. Files that are read together need the same kind of times."
            )
        findings += [_of_file(path, finding) for finding in table.dropped]
    places: dict[str, int] = {}
    numbers = []
    for table in tables:
        own_numbers = [places.setdefault(str(name), len(places)) for name in table.ids]
        numbers.append(np.array(own_numbers, np.int64))
    codes = [
        series_numbers[table.series]
        for series_numbers, table in zip(numbers, tables, strict=True)
    ]
    _, first_of_each = np.unique(np.concatenate(numbers), return_index=True)
    keys = joined([table.keys for table in tables])
    past = {}
    for name in first.past:
        past[name] = np.concatenate([table.past[name] for table in tables])
    zones = {table.time_zone for table in tables}
    zone = first.time_zone if len(zones) == 1 else None
    return replace(
        first,
        series=np.concatenate(codes),
        ids=objects(places),
        times=np.concatenate([table.times for table in tables]),
        values=np.concatenate([table.values for table in tables]),
        lines=np.concatenate([table.lines for table in tables]),
        source=f"{len(tables)} files",
        dropped=tuple(findings),
        time_zone=zone,
        keys=keys.take(first_of_each),
        past=past,
        known=tuple(rows for table in tables for rows in table.known),
        static=tuple(columns for table in tables for columns in table.static),
    )


def _named_apart(paths: Sequence[Path], tables: Sequence[Table]) -> list[Table]:
    """Tables of which those that are named after files of one name, and hold the same times, are
    named after their folders too."""
    labels = [file_label(path.name) for path in paths]
    named = list(tables)
    for label in set(labels):
        alike = [
            place
            for place, table in enumerate(tables)
            if labels[place] == label and table.ids.tolist() == [label]
        ]
        if len(alike) < 2 or not _repeat_times([tables[place] for place in alike]):
            continue
        folders = [paths[place].resolve().parent for place in alike]
        root = os.path.commonpath(folders)
        for place, folder in zip(alike, folders, strict=True):
            name = (folder.relative_to(root) / label).as_posix()
            named[place] = replace(tables[place], ids=objects([name]))
    return named


def _repeat_times(tables: Sequence[Table]) -> bool:
    """Whether tables of one series each hold a time more than once between them."""
    if len({table.times.dtype.kind for table in tables}) > 1:
        return False
    distinct_times = [np.unique(table.times) for table in tables]
    times = np.concatenate(distinct_times)
    return len(np.unique(times)) < len(times)


def _of_file(path: Path, finding: Finding) -> Finding:
    return replace(finding, message=f"{path.name}: {finding.message}")


def _time_word(table: Table) -> str:
    return "dates" if table.times.dtype.kind == "M" else "whole numbers as times"
