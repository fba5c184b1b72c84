"""Excel workbooks (xlsx, xls, xlsb, ods) to grids of cells."""

from __future__ import annotations

import datetime
import io
from typing import Any

from lstmcast.advice import advise
from lstmcast.data.files.textfiles import CellGrid
from lstmcast.data.limits import require_sheets
from lstmcast.data.sheet import Chosen
from lstmcast.data.table import Finding
from lstmcast.errors import DataError, MissingExtraError, UsageError


def read_sheets(
    content: bytes, source: str, sheet: str | None = None
) -> tuple[dict[str, CellGrid], list[str]]:
    """The cells of all sheets with a table, or of the named one, and the names of all sheets.

    Raises DataError if no sheet has a table.
    """
    try:
        import python_calamine as calamine
    except ImportError:
        raise MissingExtraError(
            f"{source} is an Excel workbook, but the package python-calamine is not installed. "
            "Run pip install python-calamine, or save the sheet as CSV."
        ) from None
    require_sheets(content, source)
    try:
        book = calamine.load_workbook(io.BytesIO(content))
        names = list(book.sheet_names)
        if sheet is not None and sheet not in names:
            raise UsageError(
                f"{source} has no sheet {sheet!r}. Its sheets are: {', '.join(names)}."
            )
        names_to_read = [sheet] if sheet else names
        hidden_names = _hidden_sheets(book, calamine.SheetVisibleEnum.Visible)
        rows_of_sheets = {
            name: _cells(book.get_sheet_by_name(name)) for name in names_to_read
        }
    except UsageError:
        raise
    except (calamine.CalamineError, OSError, ValueError) as error:
        reason = str(error)
        if "password" in reason.lower():
            reason = "it is protected by a password"
        raise DataError(
            f"{source} cannot be opened as a workbook ({reason}). Save it again as .xlsx or CSV."
        ) from None
    tables = {}
    for name, rows in rows_of_sheets.items():
        if _is_table(rows):
            lines = list(range(1, len(rows) + 1))
            tables[name] = CellGrid(
                rows, lines, plain=True, hidden=name in hidden_names
            )
    if not tables:
        raise DataError(
            f"{source} has no sheet with a table. Rows of dates and numbers are expected; sheets: "
            f"{', '.join(names)}."
        )
    return tables, names


def _hidden_sheets(book: Any, visible: Any) -> set[str]:
    """The names of the sheets of a workbook that people do not see."""
    return {sheet.name for sheet in book.sheets_metadata if sheet.visible != visible}


def sheet_note(
    choice: Chosen, tables: list[str], names: list[str]
) -> tuple[Finding, ...]:
    """The finding about the sheets that were read, where a workbook has several."""
    if len(names) == 1:
        return ()
    chosen_names = choice.names
    first = chosen_names[0]
    span = f"{first!r} to {chosen_names[-1]!r}"
    if choice.are_series:
        message = (
            f"the {len(chosen_names)} sheets {span} have the same columns: "
            "each became a series"
        )
        action = f"To read one of them, name it with {advise('sheet', first)}."
        return (
            Finding("sheet", "note", message, action, value=", ".join(chosen_names)),
        )
    if len(chosen_names) > 1:
        message = (
            f"the {len(chosen_names)} sheets {span} have the same columns: "
            "their rows were joined"
        )
        return (Finding("sheet", "note", message, value=", ".join(chosen_names)),)
    other_tables = [name for name in tables if name != first]
    action = ""
    if other_tables:
        action = f"Other sheets with tables: {', '.join(other_tables)}. Choose one with sheet=."
    return (
        Finding("sheet", "note", f"the sheet {first!r} was read", action, value=first),
    )


def _is_table(rows: list[list[str]]) -> bool:
    return sum(map(any, rows)) >= 2


def _cells(sheet: Any) -> list[list[str]]:
    """All rows from the first line on, so that positions are line numbers, without empty left
    columns."""
    rows = []
    for values in sheet.to_python(skip_empty_area=False):
        rows.append([_text(value) for value in values])
    starts = [_first_filled(row) for row in rows if any(row)]
    start = min(starts, default=0)
    return [row[start:] for row in rows]


def _first_filled(row: list[str]) -> int:
    return next(column for column, cell in enumerate(row) if cell)


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return "" if value is None else str(value)
