"""Choose the sheet of a workbook: the only one with times and numbers, or ask."""

from __future__ import annotations

from lstmcast.data.cells.columns import ask
from lstmcast.data.layouts.layout import Names, table_from_sheet
from lstmcast.data.sheet import Sheet
from lstmcast.errors import DataError, LstmcastError

# parts of the messages about a table that needs one more option
_ASKED = ("could be the target", "columns of dates", "several rows for each time", "can be read as")


def choose_sheet(sheets: dict[str, Sheet], source: str, names: Names) -> str:
    """The name of the only readable sheet; DataError with the names if there are several.

    If none can be read, the first one is taken, and its error explains the problem.
    """
    usable = [name for name, sheet in sheets.items() if _is_readable(sheet, names)]
    if not usable:
        return next(iter(sheets))
    if len(usable) == 1:
        return usable[0]
    descriptions = [f"  {name!r}: {_description(sheets[name])}" for name in usable[:12]]
    if len(usable) > 12:
        descriptions.append(f"  … and {len(usable) - 12} more")
    lines = "\n".join(descriptions)
    raise DataError(
        f"{source} has {len(usable)} sheets with series. Choose one with "
        f"{ask('sheet', usable[0])}:\n{lines}"
    )


def _is_readable(sheet: Sheet, names: Names) -> bool:
    try:
        table_from_sheet(sheet, names)
    except LstmcastError as error:
        return any(text in str(error) for text in _ASKED)
    return True


def _description(sheet: Sheet) -> str:
    columns = ", ".join(sheet.names[:4])
    if len(sheet.names) > 4:
        columns += ", …"
    return f"{len(sheet):,} rows of {columns}"
