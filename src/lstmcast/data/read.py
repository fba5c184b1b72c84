"""Anything to a Panel: files, folders of files, data frames, arrays. The way in for all data.

A source becomes a Sheet (columns as they came), the Sheet a Table (long: series, time, value), the
Table a Panel.
"""

# N rows · S series

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import numpy as np

from lstmcast.data import formats
from lstmcast.data.archives import packing
from lstmcast.data.beside import Beside
from lstmcast.data.cellformat import CellFormat
from lstmcast.data.features import continued_future
from lstmcast.data.keys import joined
from lstmcast.data.layout import Names, table_from_sheet
from lstmcast.data.limits import is_source, regular_file, require_columns
from lstmcast.data.owntables import Owners, OwnTable, known_of, own_table, static_of
from lstmcast.data.panel import Findings, Panel
from lstmcast.data.placing import Grid, placed
from lstmcast.data.sheet import Sheet
from lstmcast.data.sheetchoice import choose_sheet
from lstmcast.data.table import (
    Aggregate,
    CalendarChoice,
    Duplicates,
    Finding,
    Gaps,
    Kind,
    Missing,
    OnError,
    ReadOptions,
    Recipe,
    Table,
    checked_periods,
    file_label,
)
from lstmcast.data.tabular import panel_from_table
from lstmcast.data.textfiles import refuse_binary
from lstmcast.data.tolerance import collecting
from lstmcast.data.words import Words
from lstmcast.databases.address import Address, address_of, hidden, is_address
from lstmcast.errors import DataError, UsageError
from lstmcast.util.objects import objects

STDIN = "-"  # the source that is read from standard input
_STDIN_NAME = "standard input"


def read(
    source: object,
    *,
    time: str | Sequence[str] | None = None,
    target: str | Sequence[str] | None = None,
    series: str | Sequence[str] | None = None,
    frequency: str | None = None,
    periods: int | Sequence[int] | None = None,
    kind: Kind | None = None,
    aggregate: Aggregate | None = None,
    duplicates: Duplicates = "error",
    gaps: Gaps = "fill",
    missing: Missing = "mask",
    sheet: str | None = None,
    past: str | Sequence[str] | None = None,
    future: str | Sequence[str] | None = None,
    future_data: object = None,
    static: str | Sequence[str] | None = None,
    static_data: object = None,
    holidays: str | Sequence[str] | None = None,
    hindsight: str | Sequence[str] | None = None,
    day_first: bool | None = None,
    decimal: str | None = None,
    header: int | None = None,
    date_format: str | None = None,
    missing_codes: str | float | Sequence[str | float] = (),
    calendar: CalendarChoice | None = None,
    on_error: OnError = "fail",
    query: str | None = None,
) -> Panel:
    """Read series from files, databases, a data frame, arrays or a dict of them, check them, and
    bring them to a regular grid.

    source: a path, a glob, a list of paths or "-" for standard input (CSV and its kin, JSON, Excel,
    Parquet, .tsf, archives of one) · the address of a table, such as
    "postgresql://user@host/database?table=sales", or of a database for a `query` · pandas,
    polars or Arrow data · a DuckDB relation · a NumPy array, series in rows · a dict of columns, or
    of {id: values}. time, target, series: names of columns, found by themselves where there is one
    sensible choice. time="index" numbers the rows; target may be a list, or "*" for every column of
    numbers as a series; series may be several: "store,item". sheet: of a workbook, and of nothing
    else. past: columns beside the target that a network is to read, and that are known no longer
    than it is. future: columns that are known in advance, such as prices and promotions: rows after
    the last value of the target hold their coming values. future_data: coming values in a table
    of their own, all of its columns unless future names some; series may share its rows, and other
    frequencies are aligned. static, static_data: columns that are constant in each series, of the
    data or of a table with a row for each. holidays: countries, such as "JP" or "DE-BY,US-CA",
    whose public holidays are columns that are known in advance. hindsight: as future, of columns
    that were not known then, which a warning says. time may be several columns that are joined:
    ["date", "hour"]. day_first, decimal, header, date_format, missing_codes: how cells
    are written, as in `CellFormat`, where that cannot be found. The other arguments are those of
    ReadOptions. Raises DataError, which says what is wrong with the data and what to do, and
    UsageError for senseless arguments.

    >>> read({"ds": ["2024-01", "2024-02", "2024-03", "2024-04"], "y": [5.0, 6.0, 7.0, 8.0]})
    Panel(1 series, 4 values, monthly (month starts), 2024-01-01 to 2024-04-01)
    """
    whole = None if periods is None else checked_periods(periods)
    repairs = (aggregate, duplicates, gaps, missing)
    options = ReadOptions(frequency, whole, kind, *repairs, calendar=calendar, on_error=on_error)
    written = CellFormat(day_first, decimal, header, date_format, missing_codes)
    table = read_table(
        with_query(source, query),
        time=time,
        target=target,
        series=series,
        aggregate=aggregate,
        sheet=sheet,
        past=past,
        written=written,
        on_error=on_error,
        beside=Beside(future, future_data, static, static_data, holidays, hindsight),
    )
    return panel_from_table(table, options)


def read_table(
    source: object,
    *,
    time: str | Sequence[str] | None = None,
    target: str | Sequence[str] | None = None,
    series: str | Sequence[str] | None = None,
    aggregate: Aggregate | None = None,
    sheet: str | None = None,
    past: str | Sequence[str] | None = None,
    written: CellFormat | None = None,
    on_error: OnError = "fail",
    beside: Beside | None = None,
) -> Table:
    """Read a source into long form with nothing repaired; arguments and errors as read(), of which
    `beside` holds those about columns beside the target.

    >>> table = read_table({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0]})
    >>> table.ids.tolist(), table.times.tolist(), table.values.tolist()
    (['a', 'b'], [1, 2, 3, 1, 2], [1.0, 2.0, 3.0, 4.0, 5.0])
    """
    names = Names(
        time,
        target,
        series,
        aggregate is not None,
        past,
        written or CellFormat(),
        beside or Beside(),
    )
    sheets = _own_sheets(names.beside.future_data, names, "future")
    coming = [own_table(one, names) for one in sheets]
    elsewhere = dict.fromkeys(name for one in coming for name in one.likely(names))
    constant = _own_sheets(names.beside.static_data, names, "static")
    attributes = tuple(name for one in constant for name in one.names)
    names = replace(names, elsewhere=tuple(elsewhere), attributes=attributes)
    with collecting(on_error == "skip") as bad:
        table = _tables(source, names, sheet)
    table = _with_coming(bad.without(table), coming, names)
    return _with_static(table, constant, names)


def _with_static(table: Table, sheets: Sequence[Sheet], names: Names) -> Table:
    """A table with what a table of its own says of each series that does not change."""
    owners = Owners(table.ids, table.keys, table.columns, table.time_zone)
    for sheet in sheets:
        static, told = static_of(sheet, owners, names)
        table = replace(table, static=(*table.static, static), dropped=(*table.dropped, *told))
    return table


def _own_sheets(source: object, names: Names, role: str) -> list[Sheet]:
    """The sheets of a table of its own: of one file or frame, or of several files."""
    if source is None:
        return []
    if isinstance(source, Panel) or _is_stdin(source):
        raise UsageError(
            f"{role}_data={source!r} is no table. Give the path of a file, a frame or a dict of "
            "columns."
        )
    # a line of the header is one of the data
    own = replace(names, written=replace(names.written, header=None))
    paths = _paths(source)
    if paths is not None:
        return [_read_file(path, None, own) for path in paths]
    try:
        sheet = _sheet_of_object(source)
    except (DataError, UsageError) as error:
        raise type(error)(f"{role}_data: {error}") from None
    return [replace(sheet, source=f"the {role} table ({sheet.source})")]


def _with_coming(table: Table, coming: Sequence[OwnTable], names: Names) -> Table:
    """A table with what tables of their own say in advance of its series."""
    owners = Owners(table.ids, table.keys, table.columns, table.time_zone)
    for own in coming:
        rows, told = known_of(own, owners, names)
        table = replace(table, known=(*table.known, rows), dropped=(*table.dropped, *told))
    return table


def with_coming(panel: Panel, beside: Beside, written: CellFormat | None = None) -> Panel:
    """A panel with the coming values of `future_data` joined to what it knows in advance: the newer
    word counts. Raises DataError, UsageError.

    >>> panel = Panel.from_arrays([5.0, 6.0, 7.0], frequency="D", start="2024-03-01")
    >>> plan = {"ds": ["2024-03-04", "2024-03-05"], "promo": ["yes", "no"]}
    >>> with_coming(panel, Beside(future_data=plan)).covariates.future.columns
    {'promo': array([nan, nan, nan,  1.,  0.])}
    """
    columns = panel.columns
    names = Names(columns.time, columns.target, written=written or CellFormat(), beside=beside)
    owners = Owners(panel.ids, panel.keys, columns, panel.report.time_zone)
    found: list[Finding] = []
    known = []
    for sheet in _own_sheets(beside.future_data, names, "future"):
        rows, told = known_of(own_table(sheet, names), owners, names)
        known.append(rows)
        found += told
    grid = Grid(panel.ids, panel.starts, panel.lengths, panel.frequency)
    future, told = placed(known, grid, ReadOptions())
    Findings(told).raise_errors(panel.report.source)
    same = np.arange(len(panel)), np.zeros(len(panel), np.int64)
    joined = continued_future(panel.covariates.future, future, *same)
    report = replace(panel.report, findings=Findings([*panel.report.findings, *found, *told]))
    covariates = replace(panel.covariates, future=joined)
    return replace(panel, covariates=covariates, report=report)


def as_panel(data: object, past: Iterable[str] = (), words: Words | None = None) -> Panel:
    """A Panel as it is; anything else as read() reads it, with these columns beside the target.
    UsageError for words that say how to read a Panel.

    >>> panel = Panel.from_arrays([1.0, 2.0, 3.0])
    >>> as_panel(panel) is panel
    True
    """
    if not isinstance(data, Panel):
        said: Words = {"past": list(past) or None}
        return read(data, **(said | (words or {})))
    require_unread(words)
    return data


def require_unread(words: Words | None) -> None:
    """UsageError where words say how to read data that are read already."""
    if words:
        raise UsageError(
            f"{', '.join(words)} would have no effect: the data are a Panel, which has been read. "
            "Give them to lstmcast.read, which makes it."
        )


def has_sheets(source: object) -> bool:
    """Whether a source is a workbook, or has one among its files."""
    return _first_workbook(_paths(source)) is not None


def column_names(source: object, sheet: str | None = None) -> list[str]:
    """What the columns of a source are called, of the first of several files. Raises DataError.

    >>> column_names({"ds": ["2024-01", "2024-02"], "y": [5.0, 6.0]})
    ['ds', 'y']
    """
    paths = _paths(source)
    if paths is not None:
        return _read_file(paths[0], sheet, Names()).names
    from lstmcast.data.frames import sheet_from_object

    return sheet_from_object(source).names


def _tables(source: object, names: Names, sheet: str | None) -> Table:
    """The table of a source, with what was said about how to read it."""
    paths = _paths(source)
    if sheet is not None and not _is_stdin(source):
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
    if _is_stdin(source):
        raw = sys.stdin.buffer.read()
        return table_from_sheet(_sheet_of(raw, _STDIN_NAME, sheet_name, names), names)
    if paths is None:
        sheet = _sheet_of_object(source)
        require_columns(len(sheet.columns), sheet.source)
        return table_from_sheet(sheet, names)
    if len(paths) == 1:
        return table_from_sheet(_read_file(paths[0], sheet_name, names), names)
    return _joined(
        [(path, table_from_sheet(_read_file(path, sheet_name, names), names)) for path in paths]
    )


def _sheet_of_object(source: object) -> Sheet:
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


def _is_stdin(source: object) -> bool:
    return isinstance(source, str) and source == STDIN


def _paths(source: object) -> list[Path] | None:
    """The files that a source names; None when it is data itself."""
    if (
        isinstance(source, (list, tuple))
        and source
        and all(isinstance(item, (str, os.PathLike)) for item in source)
    ):
        _require_files(source)
        return [path for item in source for path in _paths(item) or ()]
    if not isinstance(source, (str, os.PathLike)) or is_address(source):
        return None
    text = os.path.expanduser(os.fspath(source))
    if text == STDIN:
        return None
    if isinstance(text, bytes) or "\0" in text or not text.strip():
        raise UsageError(
            f"{source!r} is no path. Give the path of a file, or a glob such as 'data/*.csv'."
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


def _read_file(path: Path, sheet: str | None, names: Names) -> Sheet:
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
