"""The bytes of a file as a sheet, by content: text, workbook, JSON, archive or web page."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from lstmcast.data.files.archives import (
    LONGEST_MAGIC,
    files_note,
    is_workbook_archive,
    packing,
    unpacked,
)
from lstmcast.data.files.binaries import columns_in
from lstmcast.data.files.datev import is_datev, with_years
from lstmcast.data.files.documents import document_of
from lstmcast.data.files.grids import sheet_from_grid
from lstmcast.data.files.jsonfiles import (
    looks_like_json,
    sheet_from_json,
    sheet_of_document,
)
from lstmcast.data.files.ledgers import csv_from_ledger, is_ledger
from lstmcast.data.files.lineprotocol import is_line_protocol, sheet_from_line_protocol
from lstmcast.data.files.logfiles import log_of, sheet_from_log
from lstmcast.data.files.markup import looks_like_markup, read_markup
from lstmcast.data.files.meterdata import is_nem12, sheet_from_nem12
from lstmcast.data.files.seriesfiles import (
    csv_from_arff,
    is_tsf,
    looks_attributed,
    sheet_from_tsf,
)
from lstmcast.data.files.sqldumps import csv_from_sql, is_sql_dump
from lstmcast.data.files.textfiles import decode, encoding_notes, grid_of_text
from lstmcast.data.sheet import Chosen, Sheet
from lstmcast.data.table import Finding, file_label
from lstmcast.errors import DataError

LARGE = 2 << 20  # bytes from which DuckDB reads a text file faster than Python
_DEEPEST = 2  # archives in archives
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# which of the sheets of a workbook, or of the files of an archive, are meant
Choice = Callable[[dict[str, Sheet], bool], Chosen]


def sheet_from_bytes(
    content: bytes,
    source: str,
    *,
    sheet: str | None,
    header: int | None,
    choose: Choice,
    depth: int = 0,
) -> Sheet:
    """The table in the bytes of a file; DataError if there is none.

    sheet: name of a sheet of a workbook; header: line of the header, if given; choose: chooses one
        of several sheets.
    """
    if not content.strip():
        raise DataError(
            f"{source} is empty. A table with a column of dates and a column of numbers is "
            "expected."
        )
    label = file_label(source)
    if is_workbook(content):
        return _of_workbook(content, source, sheet, header, choose)
    stored_columns = columns_in(content, source)
    if stored_columns is not None:
        return stored_columns
    if packing(content[:LONGEST_MAGIC]) and depth < _DEEPEST:
        read_inner = partial(
            _of_inner,
            source=source,
            header=header,
            sheet=sheet,
            choose=choose,
            depth=depth,
        )
        contents = unpacked(content, source)
        if len(contents) > 1:
            return _of_archive(contents, read_inner, choose, label)
        ((name, inner_content),) = contents.items()
        return replace(read_inner(name, inner_content), source=source, label=label)
    return _of_text(content, source, label, header)


def is_workbook(content: bytes) -> bool:
    """Whether bytes are those of an Excel or OpenDocument workbook."""
    if content[:8] == OLD_WORKBOOK:
        return True
    return content[:4] == b"PK\x03\x04" and is_workbook_archive(content)


def _of_text(content: bytes, source: str, label: str, header: int | None) -> Sheet:
    text, encoding = decode(content, source)
    notes = encoding_notes(encoding)
    if looks_like_json(text[:1000]):
        return _with(sheet_from_json(text, source, label), notes)
    if is_ledger(text[:1000]):
        return sheet_from_grid(
            grid_of_text(csv_from_ledger(text), notes), source, label, header
        )
    if looks_like_markup(text[:1000]):
        return _with(
            sheet_from_grid(read_markup(text, source), source, label, header), notes
        )
    if is_nem12(text[:1000]):
        return _with(sheet_from_nem12(text, source, label), notes)
    if is_line_protocol(text[: 1 << 16]):
        return _with(sheet_from_line_protocol(text, source, label), notes)
    if is_datev(text[:10]):
        text, notes_on_years = with_years(text)
        notes = (*notes, *notes_on_years)
    if is_sql_dump(text[: 1 << 16]):
        text = csv_from_sql(text)
    log_format = log_of(text[: 1 << 16])
    if log_format is not None:
        return _with(sheet_from_log(text, log_format, source, label), notes)
    written = document_of(text)
    if written is not None:
        form, document = written
        document_sheet = sheet_of_document(document, source, label, form)
        if document_sheet is not None:
            return _with(document_sheet, notes)
    if looks_attributed(text[: 1 << 16]):
        if is_tsf(text):
            return _with(sheet_from_tsf(text, source, label), notes)
        text = csv_from_arff(text, source)
    return sheet_from_grid(grid_of_text(text, notes), source, label, header)


def _of_inner(
    name: str,
    content: bytes,
    *,
    source: str,
    header: int | None,
    sheet: str | None,
    choose: Choice,
    depth: int,
) -> Sheet:
    """The table of one file that came out of a packed one."""
    if not content.strip():
        raise DataError(
            f"{source} is an empty archive. A table with a column of dates and a column of "
            "numbers is expected."
        )
    large = _large(content, source) if header is None else None
    if large is not None:
        return large
    return sheet_from_bytes(
        content, name, sheet=sheet, header=header, choose=choose, depth=depth + 1
    )


def _of_archive(
    contents: dict[str, bytes],
    read_inner: Callable[[str, bytes], Sheet],
    choose: Choice,
    label: str,
) -> Sheet:
    """The table among the files of an archive, or those of all periods as one."""
    sheets = {}
    for name, content in contents.items():
        try:
            sheets[name] = replace(read_inner(name, content), label=label)
        except DataError:
            continue
    if not sheets:
        name, content = next(iter(contents.items()))
        return read_inner(name, content)
    choice = choose(sheets, True)
    return _with(choice.sheet, files_note(choice, list(contents)))


def _with(sheet: Sheet, notes: tuple[Finding, ...]) -> Sheet:
    return replace(sheet, notes=(*notes, *sheet.notes))


def _large(content: bytes, source: str) -> Sheet | None:
    """The content of an archive, read by DuckDB if it is large and regular."""
    if len(content) < LARGE or b"\0" in content[:64]:
        return None
    from lstmcast.data.files.bigfiles import read_bytes_large

    with tempfile.TemporaryDirectory() as folder:
        return read_bytes_large(content, source, file_label(source), Path(folder))


def _of_workbook(
    content: bytes, source: str, sheet: str | None, header: int | None, choose: Choice
) -> Sheet:
    from lstmcast.data.files.workbooks import read_sheets, sheet_note

    grids, names = read_sheets(content, source, sheet)
    label = file_label(source)
    sheets = {}
    for name, grid in grids.items():
        try:
            read_sheet = sheet_from_grid(grid, source, label, header)
            sheets[name] = replace(read_sheet, hidden=grid.hidden)
        except DataError:
            if len(grids) == 1:
                raise
    first = next(iter(grids))
    if not sheets:
        sheets[first] = sheet_from_grid(grids[first], source, label, header)
    if len(grids) == 1:
        choice = Chosen((first,), sheets[first])
    else:
        choice = choose(sheets, False)
    return _with(choice.sheet, sheet_note(choice, list(sheets), names))
