"""Limits on the size of sources, checked before memory is allocated.

What is rejected is not a plausible table of series, or has to be read in another way.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.errors import DataError
from lstmcast.util.patterns import pattern_of

# The cells of a sheet between its first and last row and column, empty ones included: a million
# rows of twenty columns, 0.5 GB.
MOST_CELLS = 20_000_000
MOST_COLUMNS = 20_000  # more than a spreadsheet has (16,384)
# What a packed file may hold: tables shrink to a tenth, seldom to a fiftieth.
MOST_SHRUNK = 100
MOST_REPEATED = 1000  # the same of files of columns, which hold equal values once
ANYWAY = 1 << 28
MOST_UNPACKED = 1 << 31
# times that Python, pandas and files know
FIRST_TIME, LAST_TIME = (
    np.datetime64("0001-01-01", "us"),
    np.datetime64("9999-12-31T23:59:59", "us"),
)
LARGEST = 1e100  # a value: squares of it are numbers too
# where a series of many steps may end
FARTHEST_TIME = np.datetime64("99999-12-31", "us")
MOST_PIPED = 1 << 30  # bytes that are taken from a pipe or device
_BLOCK = 1 << 20
# what opening a part of a damaged archive raises
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
)
_CELL = pattern_of(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_TEXTS = "xl/sharedStrings.xml"  # the distinct texts of all sheets
_TEXT_COUNT = pattern_of(rb"""\buniqueCount\s*=\s*["'](\d+)""")
_SHORTEST_TEXT = len("<si/>")


class Allowance(NamedTuple):
    """The largest amounts that are read of one file: unpacked bytes, and cells."""

    unpacked: int
    cells: int


_ALLOWANCE: ContextVar[Allowance | None] = ContextVar("_ALLOWANCE", default=None)


@contextmanager
def allowing(allowance: Allowance) -> Iterator[None]:
    """A context with lower limits, as for files that are sent to a server."""
    token = _ALLOWANCE.set(allowance)
    try:
        yield
    finally:
        _ALLOWANCE.reset(token)


def require_columns(count: int, source: str) -> None:
    """Raise DataError for a table with too many columns to examine."""
    if count > MOST_COLUMNS:
        raise DataError(
            f"{source} has {count:,} columns; at most {MOST_COLUMNS:,} are read. Give it with a "
            "row per series and time (a long table), or in several files."
        )


def require_span(starts: ndarray, ends: ndarray, source: str) -> None:
    """Raise DataError for times outside the years 1 to 9999, or numbers that a float cannot hold.

    Steps may count beyond these years.
    """
    if not len(starts):
        return
    is_date = starts.dtype.kind == "M"
    if is_date:
        is_beyond = (
            (starts < FIRST_TIME) | (starts > LAST_TIME) | (ends > FARTHEST_TIME)
        )
        is_beyond |= np.isnat(starts)
        expected = "A start in the years 1 to 9999 is expected"
    else:
        is_beyond = (np.abs(starts) > 2**53) | (np.abs(ends) > 2**53)
        expected = "Whole numbers up to 2^53 are expected"
    is_wrong = is_beyond | (ends < starts)
    if is_wrong.any():
        start = starts[is_wrong][0]
        end = ends[is_wrong][0]
        start_text = "no time" if is_date and np.isnat(start) else start
        raise DataError(
            f"{source}: a series starts at {start_text} and ends at {end}. {expected}: correct "
            "the times, or give another frequency."
        )


def unpacked_bytes(packed: int) -> int:
    """The largest unpacked size of a packed file of this size, in bytes.

    >>> unpacked_bytes(3_000_000)
    300000000
    """
    limit = min(max(MOST_SHRUNK * packed, ANYWAY), MOST_UNPACKED)
    allowance = _ALLOWANCE.get()
    return limit if allowance is None else min(limit, allowance.unpacked)


def require_cells(rows: int, columns: int, source: str) -> None:
    """Raise DataError for a table with more cells than allowed here, by default any number."""
    allowance = _ALLOWANCE.get()
    if allowance is not None and rows * columns > allowance.cells:
        raise DataError(
            f"{source} has {rows:,} rows of {columns:,} columns: at most {allowance.cells:,} cells "
            "are read here. Send fewer series or columns."
        )


def require_plausible(rows: int, columns: int, packed: int, source: str) -> None:
    """Raise DataError for a file of columns whose values would take far more memory than the file
    has bytes: equal values are written once."""
    size = 8 * rows * columns
    if size > max(ANYWAY, MOST_REPEATED * packed):
        raise DataError(
            f"{source} has {rows:,} rows of {columns:,} columns in {packed:,} bytes, which is "
            "unusual for a table of series: nearly all of its values are equal. Aggregate it, or "
            "select rows and columns first."
        )


def require_sheets(content: bytes, source: str) -> None:
    """Raise DataError for a workbook whose sheets would take too much memory.

    Its parts are compressed too well, or a cell is far from all others.
    """
    try:
        book = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile:
        return  # an old workbook, or none: whoever opens it says so
    size = sum(entry.file_size for entry in book.infolist())
    limit = unpacked_bytes(len(content))
    if size > limit:
        raise DataError(
            f"{source} holds {size:,} bytes in a compressed file of {len(content):,}: at most "
            f"{limit:,} are read. Save its table as CSV."
        )
    for entry in book.infolist():
        name = entry.filename
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            _require_near_cells(book, entry, source)
        elif name == _TEXTS:
            _require_texts(book, entry, source)


def _require_texts(book: zipfile.ZipFile, entry: zipfile.ZipInfo, source: str) -> None:
    """DataError for a workbook that says it holds more texts than its bytes can: memory would be
    allocated for all of them."""
    try:
        with book.open(entry) as file:
            head = file.read(_BLOCK)
    except _DAMAGED:
        return  # whoever opens it says so
    match = _TEXT_COUNT.search(head)
    count = int(match[1][:20]) if match else 0
    if count * _SHORTEST_TEXT > entry.file_size:
        raise DataError(
            f"{source} says that it holds {count:,} different texts, but they are in "
            f"{entry.file_size:,} bytes. Save it again as .xlsx or CSV."
        )


def _require_near_cells(
    book: zipfile.ZipFile, entry: zipfile.ZipInfo, source: str
) -> None:
    """DataError for a sheet whose cells span too large an area."""
    rows, columns, last_letters = 0, 0, b""
    try:
        with book.open(entry) as file:
            tail = b""
            while block := file.read(_BLOCK):
                for letters, digits in set(_CELL.findall(tail + block)):
                    rows = max(rows, int(digits))
                    if _number(letters) > columns:
                        columns = _number(letters)
                        last_letters = letters
                tail = block[-32:]
    except _DAMAGED:
        return  # whoever opens it says so
    require_cells(rows, columns, source)
    if rows * columns > MOST_CELLS:
        raise DataError(
            f"{source} has a sheet of {rows:,} rows and {columns:,} columns (to "
            f"{last_letters.decode()}{rows}), empty cells included: at most {MOST_CELLS:,} cells "
            "are read. Delete cells far from the table, or save only the table, or save it as CSV."
        )


def _number(letters: bytes) -> int:
    """The number of a column by its letters, from 1."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


@contextmanager
def regular_file(path: Path) -> Iterator[Path]:
    """A file that can be read twice: `path` itself, or a copy of the content of a pipe or device.

    Raises DataError if the content does not end, and OSError.
    """
    if path.is_file() or not path.exists():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="lstmcast-") as folder:
        copy = Path(folder, path.name or "data")
        _copied(path, copy)
        yield copy


def _copied(path: Path, copy: Path) -> None:
    refusal = (
        f"{path} gives more than {MOST_PIPED:,} bytes. "
        "Write them to a file first, and read that."
    )
    with path.open("rb", buffering=0) as source, copy.open("wb") as target:
        for block in blocks_of(source, MOST_PIPED, refusal):
            target.write(block)


def blocks_of(file: IO[bytes], limit: int, refusal: str) -> Iterator[bytes]:
    """The content of a file in blocks; DataError if it exceeds `limit` bytes."""
    size = 0
    while block := file.read(_BLOCK):
        size += len(block)
        if size > limit:
            raise DataError(refusal)
        yield block


def is_source(path: Path) -> bool:
    """Whether a path is a file, a pipe or a device."""
    return path.exists() and not path.is_dir()
