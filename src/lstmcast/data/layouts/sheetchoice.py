"""Which sheet of a workbook, or file of an archive, is meant: the one with times and numbers, all
of them where they are the years of one table, or a question."""

from __future__ import annotations

from lstmcast.advice import advise
from lstmcast.data.layouts.layout import Names, table_from_sheet
from lstmcast.data.layouts.namedsheets import joined_parts, joined_series
from lstmcast.data.layouts.periodsheets import joined_periods
from lstmcast.data.sheet import Chosen, Sheet
from lstmcast.errors import DataError, LstmcastError

# parts of the messages about a table that needs one more option
_ASKED = (
    "could be the target",
    "columns of dates",
    "several rows for each time",
    "can be read as",
)


def choose_sheet(
    sheets: dict[str, Sheet], packed: bool, *, source: str, names: Names
) -> Chosen:
    """The only sheet that can be read, or all sheets that can as one where their names are periods;
    DataError with their names where several can. packed: they are files of an archive.

    If none can be read, the first one is taken, and its error explains the problem.
    """
    usable = [name for name, sheet in sheets.items() if _is_readable(sheet, names)]
    # older copies and lists for charts are often hidden
    usable = [name for name in usable if not sheets[name].hidden] or usable
    candidates = usable or list(sheets)
    all_periods = joined_periods({name: sheets[name] for name in candidates}, names)
    if all_periods is not None:
        return Chosen(tuple(candidates), all_periods)
    usable_sheets = {name: sheets[name] for name in usable}
    one_table = joined_parts(usable_sheets, names)
    if one_table is not None:
        return Chosen(tuple(usable), one_table)
    all_series = joined_series(usable_sheets, names)
    if all_series is not None:
        return Chosen(tuple(usable), all_series, are_series=True)
    if len(usable) < 2:
        return Chosen((candidates[0],), sheets[candidates[0]])
    if packed:
        raise DataError(_several_files(source, usable))
    descriptions = [f"  {name!r}: {_description(sheets[name])}" for name in usable[:12]]
    if len(usable) > 12:
        descriptions.append(f"  … and {len(usable) - 12} more")
    lines = "\n".join(descriptions)
    raise DataError(
        f"{source} has {len(usable)} sheets with series. Choose one with "
        f"{advise('sheet', usable[0])}:\n{lines}"
    )


def _several_files(source: str, names: list[str]) -> str:
    shown_names = ", ".join(map(repr, names[:6]))
    if len(names) > 6:
        shown_names += f" and {len(names) - 6} more"
    return (
        f"{source} is a ZIP archive with {len(names)} files: {shown_names}. One table is expected. "
        "Unpack it, and name the files."
    )


def _is_readable(sheet: Sheet, names: Names) -> bool:
    try:
        table_from_sheet(sheet, names)
    except LstmcastError as error:
        return any(text in error.message for text in _ASKED)
    return True


def _description(sheet: Sheet) -> str:
    columns = ", ".join(sheet.names[:4])
    if len(sheet.names) > 4:
        columns += ", …"
    return f"{len(sheet):,} rows of {columns}"
