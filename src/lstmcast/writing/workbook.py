"""Tables as Excel workbooks: dates are dates, numbers are numbers, and text is never a formula.

Excel counts days from 30 December 1899, keeps 15 digits, and has no time zones: times are written
as local times.
"""

# N rows

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from lstmcast.errors import OutputError
from lstmcast.util.files import whole_file
from lstmcast.util.objects import none_where_unknown
from lstmcast.util.text import decimals_of

MOST_ROWS = 1_048_575  # rows below the header: a sheet has 2**20 rows
MOST_LETTERS = 32_767  # characters of one cell
MOST_DIGITS = 10**15  # whole numbers below this are exact
# Excel has a 29 February 1900, which did not exist: programs disagree on the days before it.
FIRST_DAY = np.datetime64("1900-03-01")
LAST_DAY = np.datetime64("9999-12-31")
DAY_ZERO = np.datetime64("1899-12-30", "us")
NARROW, WIDE = 8, 42  # widths of columns, in characters
_MEASURED = 1_000  # rows that determine the width
_DAY = 86_400_000_000  # microseconds
# formats of times, by the microseconds that all times are multiples of
_CLOCKS = (
    (_DAY, ""),
    (60_000_000, " hh:mm"),
    (1_000_000, " hh:mm:ss"),
    (1, " hh:mm:ss.000"),
)


class _Column(NamedTuple):
    """A column as it is written: its cells (None for an empty one), their format, and the width in
    characters."""

    cells: list[Any]
    format: str
    width: int


def require_rows(rows: int, path: str | os.PathLike[str]) -> None:
    """Raise OutputError if a sheet cannot hold this many rows.

    >>> require_rows(2_000_000, "all.xlsx")
    Traceback (most recent call last):
    lstmcast.errors.OutputError: 'all.xlsx' cannot be written: the table has 2,000,000 rows, but
    an Excel sheet ...
    """
    if Path(path).suffix.lower() == ".xlsx" and rows > MOST_ROWS:
        raise OutputError(
            f"{str(path)!r} cannot be written: the table has {rows:,} rows, but an Excel sheet "
            f"holds at most {MOST_ROWS:,} below its header. Write .csv or .parquet, or forecast "
            "fewer series at a time."
        )


class Chart(NamedTuple):
    """A line chart over times or numbers."""

    title: str
    lines: list[Line]
    dated: bool  # whether the x values are times
    at: str  # the cell at its upper left corner


class Line(NamedTuple):
    """One line of a chart: y over x, given as column numbers of a sheet, between two rows (0 is the
    first below the header). Bounds are thin and dashed."""

    name: str
    sheet: str
    x: int
    y: int
    rows: tuple[int, int]
    colour: str
    thin: bool = False


class Sheet(NamedTuple):
    """One sheet of a workbook: a table of equally long columns (N,), or lines of cells (texts,
    numbers, None for an empty cell), in which headers of tables are marked."""

    name: str
    columns: dict[str, ndarray] | None = None
    lines: Sequence[Sequence[Any]] = ()
    headers: Collection[int] = ()
    chart: Chart | None = None


def write_workbook(
    columns: dict[str, ndarray], path: str | os.PathLike[str], sheet: str = "forecast"
) -> Path:
    """Write equally long columns (N,) as one sheet; if it raises OutputError, nothing was written.

    The header stays visible when the sheet is scrolled. Unknown numbers are empty cells. Dates that
    Excel does not support (before March 1900) and integers of more than 15 digits, which it would
    round, become text.
    """
    return write_sheets([Sheet(sheet, columns)], path)


def write_sheets(sheets: Sequence[Sheet], path: str | os.PathLike[str]) -> Path:
    """Write several sheets, each as `write_workbook` writes one."""
    columns_by_sheet = []
    for sheet in sheets:
        columns = sheet.columns or {}
        require_rows(max(map(len, columns.values()), default=0), path)
        formatted = {
            name: _column(name, column, path) for name, column in columns.items()
        }
        columns_by_sheet.append(formatted)
    # XlsxWriter keeps rows in a temporary file of its own, which is removed with this folder even
    # if writing is interrupted.
    with (
        whole_file(path) as temporary,
        tempfile.TemporaryDirectory(prefix="lstmcast-") as scratch,
    ):
        _write(sheets, columns_by_sheet, temporary, scratch)
    return Path(path)


def _write(
    sheets: Sequence[Sheet],
    columns_by_sheet: Sequence[dict[str, _Column]],
    place: Path,
    scratch: str,
) -> None:
    import xlsxwriter  # imported late: only callers that write a workbook wait for it
    from xlsxwriter.exceptions import FileCreateError

    book = xlsxwriter.Workbook(place, {"constant_memory": True, "tmpdir": scratch})
    pages = []
    try:
        for sheet, sheet_columns in zip(sheets, columns_by_sheet, strict=True):
            pages.append(book.add_worksheet(sheet.name))
            if sheet.columns is not None:
                _fill(book, pages[-1], sheet_columns)
            else:
                _fill_lines(book, pages[-1], sheet)
            if sheet.chart is not None:
                pages[-1].insert_chart(sheet.chart.at, _chart(book, sheet.chart))
        book.close()
    except FileCreateError as error:
        # it wraps the system's error, which has the reason
        reason = error.args[0]
        if isinstance(reason, OSError):
            raise reason from error
        raise OSError(str(error)) from error
    finally:
        for page in pages:
            # closes its temporary file, which stays open if writing fails
            page._opt_close()


def _fill(book: Any, page: Any, columns: dict[str, _Column]) -> None:
    """Write a table with its header, row by row as the mode of constant memory requires."""
    head = book.add_format({"bold": True, "bottom": 1})
    styles = []
    for number, (name, column) in enumerate(columns.items()):
        page.write_string(0, number, name, head)
        page.set_column(number, number, column.width)
        styles.append(book.add_format({"num_format": column.format}))
    page.freeze_panes(1, 0)
    cells_by_column = [column.cells for column in columns.values()]
    if columns:
        page.autofilter(0, 0, len(cells_by_column[0]), len(columns) - 1)
    writers: dict[type, Callable] = {
        str: page.write_string,
        int: page.write_number,
        float: page.write_number,
        bool: page.write_boolean,
    }
    for row, line in enumerate(zip(*cells_by_column, strict=True), start=1):
        for number, cell in enumerate(line):
            if cell is not None:
                writers[type(cell)](row, number, cell, styles[number])


def _fill_lines(book: Any, page: Any, sheet: Sheet) -> None:
    """Write lines of texts and numbers; a long text extends over the empty cells beside it."""
    head = book.add_format({"bold": True, "bottom": 1})
    texts, numbers, shares = (
        book.add_format({"num_format": style}) for style in ("@", "#,##0.00", "0%")
    )
    page.set_column(0, 0, 30)
    page.set_column(1, 12, 16)
    for row, line in enumerate(sheet.lines):
        for column, cell in enumerate(line):
            if isinstance(cell, str):
                style = head if row in sheet.headers else texts
                page.write_string(row, column, cell[:MOST_LETTERS], style)
            elif cell is not None and np.isfinite(cell):
                style = shares if isinstance(cell, Share) else numbers
                page.write_number(row, column, float(cell), style)


class Share(float):
    """A number that is shown as a percentage."""


def _chart(book: Any, chart: Chart) -> Any:
    """A native Excel chart with these lines."""
    native = book.add_chart({"type": "scatter", "subtype": "straight"})
    for line in chart.lines:
        begin, end = (1 + row for row in line.rows)
        style: dict[str, Any] = {"color": line.colour, "width": 2.0}
        if line.thin:
            style |= {"width": 1.0, "dash_type": "dash"}
        native.add_series(
            {
                "name": line.name,
                "categories": [line.sheet, begin, line.x, end, line.x],
                "values": [line.sheet, begin, line.y, end, line.y],
                "line": style,
                "marker": {"type": "none"},
            }
        )
    axis: dict[str, Any] = {"major_gridlines": {"visible": False}}
    if chart.dated:
        axis["num_format"] = "yyyy-mm-dd"
    native.set_x_axis(axis)
    native.set_title({"name": chart.title, "name_font": {"size": 12}, "overlay": False})
    native.set_legend({"position": "bottom"})
    native.set_size({"width": 760, "height": 380})
    return native


def _column(name: str, column: ndarray, path: str | os.PathLike[str]) -> _Column:
    """The cells of a column, by its type."""
    if column.dtype.kind == "M":
        return _times(name, column)
    if column.dtype.kind == "f":
        return _numbers(name, column)
    if column.dtype.kind == "b":
        return _Column(column.tolist(), "General", _width(name, ["FALSE"]))
    if column.dtype.kind in "iu" and np.all(np.abs(column) < MOST_DIGITS):
        numbers = column.tolist()
        return _Column(numbers, "0", _width(name, list(map(str, numbers[:_MEASURED]))))
    return _texts(name, list(map(str, column.tolist())), path)


def _numbers(name: str, column: ndarray) -> _Column:
    decimals = decimals_of(column)
    cells = none_where_unknown(column)
    if decimals is None:
        return _Column(cells, "0.000E+00", _width(name, ["0.000E+000"]))
    measured = [cell for cell in cells[:_MEASURED] if cell is not None]
    texts = [f"{value:,.{decimals}f}" for value in measured]
    style = "#,##0"
    if decimals:
        style += "." + "0" * decimals
    return _Column(cells, style, _width(name, texts))


def _times(name: str, column: ndarray) -> _Column:
    times = column.astype("datetime64[us]")
    is_within = (times >= FIRST_DAY) & (times <= LAST_DAY)  # False for NaT
    if not is_within.all():
        is_midnight = times == times.astype("datetime64[D]")
        unit = "D" if is_midnight.all() else "auto"
        texts = np.datetime_as_string(times, unit=unit).tolist()
        return _Column(texts, "@", _width(name, texts[:1]))
    microseconds = (times - DAY_ZERO).astype(np.int64)
    for unit, clock in _CLOCKS:
        if not np.any(microseconds % unit):
            style = "yyyy-mm-dd" + clock
            return _Column((microseconds / _DAY).tolist(), style, _width(name, [style]))
    raise AssertionError("every time is a whole number of microseconds")


def _texts(name: str, texts: list[str], path: str | os.PathLike[str]) -> _Column:
    """Cells in the text format, which Excel never turns into formulas or dates, even when they are
    edited."""
    if too_long := next((text for text in texts if len(text) > MOST_LETTERS), None):
        raise OutputError(
            f"{str(path)!r} cannot be written: {name!r} has a text of {len(too_long):,} letters "
            f"({too_long[:20]!r}…), and a cell of Excel holds {MOST_LETTERS:,}. Write .csv or "
            ".parquet, or give shorter names."
        )
    return _Column(texts, "@", _width(name, texts[:_MEASURED]))


def _width(name: str, texts: list[str]) -> int:
    """The width for the widest text and for the header with its filter button; an ideograph is as
    wide as two letters."""
    widest = len(name) + 3
    for text in texts:
        ideographs = sum(letter >= "\u1100" for letter in text[:WIDE])
        widest = max(widest, len(text[:WIDE]) + ideographs)
    return int(np.clip(widest + 1, NARROW, WIDE))
