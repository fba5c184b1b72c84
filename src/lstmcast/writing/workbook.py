"""Tables as Excel workbooks: dates are dates, numbers are numbers, and text is never a formula.

Excel counts days from 30 December 1899, keeps 15 digits, and knows no time zones: times are written
as they are read on the clock.
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

MOST_ROWS = 1_048_575  # below the header: a sheet has 2**20 rows
MOST_LETTERS = 32_767  # of one cell
MOST_DIGITS = 10**15  # whole numbers below this are exact
# Excel has a 29 February 1900, which never was: programs disagree on the days before.
FIRST_DAY, LAST_DAY = np.datetime64("1900-03-01"), np.datetime64("9999-12-31")
DAY_ZERO = np.datetime64("1899-12-30", "us")
NARROW, WIDE = 8, 42  # columns, in letters
_MEASURED = 1_000  # rows by which the width is chosen
_DAY = 86_400_000_000  # microseconds
# how the clock is shown, by the microseconds that all times are multiples of
_CLOCKS = (
    (_DAY, ""),
    (60_000_000, " hh:mm"),
    (1_000_000, " hh:mm:ss"),
    (1, " hh:mm:ss.000"),
)


class _Column(NamedTuple):
    """How a column is written: its cells (None leaves one empty), their format, and their width
    in letters."""

    cells: list[Any]
    format: str
    width: int


def require_rows(rows: int, path: str | os.PathLike[str]) -> None:
    """Raise OutputError where a sheet has no room for so many rows; other formats have.

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
    """A chart of lines over times, or over numbers."""

    title: str
    lines: list[Line]
    dated: bool  # whether x are times
    at: str  # the cell of its upper left corner


class Line(NamedTuple):
    """One line of a chart: y over x, columns of a sheet by number, from one row to another (0 is
    the first below the header). Thin and dashed for a bound."""

    name: str
    sheet: str
    x: int
    y: int
    rows: tuple[int, int]
    colour: str
    thin: bool = False


class Sheet(NamedTuple):
    """One sheet of a workbook: a table of equally long columns (N,), or lines of cells: texts,
    numbers, None for an empty one; the header of a table among them is marked as one."""

    name: str
    columns: dict[str, ndarray] | None = None
    lines: Sequence[Sequence[Any]] = ()
    headers: Collection[int] = ()
    chart: Chart | None = None


def write_workbook(
    columns: dict[str, ndarray], path: str | os.PathLike[str], sheet: str = "forecast"
) -> Path:
    """Write equally long columns (N,) as one sheet: the whole file or, with an OutputError,
    nothing.

    The header stays in sight when the sheet is scrolled. Unknown numbers are empty cells. Dates
    that Excel does not have (before March 1900) and whole numbers of more than 15 digits, which it
    would round, become text.
    """
    return write_sheets([Sheet(sheet, columns)], path)


def write_sheets(sheets: Sequence[Sheet], path: str | os.PathLike[str]) -> Path:
    """Write several sheets, as `write_workbook` writes one."""
    columns_by_sheet = []
    for sheet in sheets:
        columns = sheet.columns or {}
        require_rows(max(map(len, columns.values()), default=0), path)
        formatted = {name: _column(name, column, path) for name, column in columns.items()}
        columns_by_sheet.append(formatted)
    # XlsxWriter keeps rows in a temporary file of its own; should anything end the writing, the
    # folder takes it along.
    with whole_file(path) as temporary, tempfile.TemporaryDirectory(prefix="lstmcast-") as scratch:
        _write(sheets, columns_by_sheet, temporary, scratch)
    return Path(path)


def _write(
    sheets: Sequence[Sheet],
    columns_by_sheet: Sequence[dict[str, _Column]],
    place: Path,
    scratch: str,
) -> None:
    import xlsxwriter  # late: only who writes a workbook waits for it
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
    except FileCreateError as error:  # it wraps the system's error, which says why
        reason = error.args[0]
        if isinstance(reason, OSError):
            raise reason from error
        raise OSError(str(error)) from error
    finally:
        for page in pages:
            page._opt_close()  # its temporary file, which stays open when the writing fails


def _fill(book: Any, page: Any, columns: dict[str, _Column]) -> None:
    """A table with its header, row by row, as constant memory asks for."""
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
    """Lines of texts and numbers; a long text runs over the empty cells beside it."""
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
    """A number that is shown in percent."""


def _chart(book: Any, chart: Chart) -> Any:
    """A native chart of Excel, with a line for each of its lines."""
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
    is_within = (times >= FIRST_DAY) & (times <= LAST_DAY)  # NaT is not
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
    """Cells with the format of text, so that Excel makes no formula or date of them, even when
    somebody edits one."""
    if too_long := next((text for text in texts if len(text) > MOST_LETTERS), None):
        raise OutputError(
            f"{str(path)!r} cannot be written: {name!r} has a text of {len(too_long):,} letters "
            f"({too_long[:20]!r}…), and a cell of Excel holds {MOST_LETTERS:,}. Write .csv or "
            ".parquet, or give shorter names."
        )
    return _Column(texts, "@", _width(name, texts[:_MEASURED]))


def _width(name: str, texts: list[str]) -> int:
    """Room for the widest text and for the header with its filter button; an ideograph takes two
    letters' room."""
    widest = len(name) + 3
    for text in texts:
        ideographs = sum(letter >= "\u1100" for letter in text[:WIDE])
        widest = max(widest, len(text[:WIDE]) + ideographs)
    return int(np.clip(widest + 1, NARROW, WIDE))
