"""The values of a column: numbers, yes or no, or categories."""

# R rows of the sheet · U distinct texts of a column

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.answers import answers_of, yes_or_no
from lstmcast.data.cells.cellformat import CellFormat
from lstmcast.data.cells.questions import text_among_numbers
from lstmcast.data.cells.separators import settled
from lstmcast.data.levels import Levels, coded
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.table import Finding
from lstmcast.data.tolerance import refuse
from lstmcast.errors import DataError
from lstmcast.util.objects import objects

NO_CATEGORY = "none"  # category of empty cells if most cells of a column are empty
_MOSTLY_EMPTY = 0.5  # share of empty cells above which they are a category
_MOSTLY_NUMBERS = 0.5  # share of numbers above which a text among them is a mistake
# largest number of categories: columns with more hold notes, names or ids
_MOST_LEVELS = 1000


def numbers_of(
    sheet: Sheet,
    column: Column,
    cell_format: CellFormat,
    notes: list[Finding] | None,
    role: str = "target",
) -> ndarray:
    """The numbers (R,) of a target or covariate; DataError for text among them.

    notes: the list that takes findings, None for no findings.
    """
    column = cell_format.without_codes(column)
    if notes is not None:
        column, findings = settled(sheet, column)
        notes += findings
    numbers = column.numbers
    is_bad = ~column.missing if numbers is None else column.spread(numbers.bad)
    answers = answers_of(column) if role == "target" and is_bad.any() else None
    if answers is not None:
        message = f"column {column.name!r}: yes and no read as 1 and 0"
        if notes is not None:
            notes.append(Finding("numbers", "note", message))
        return answers
    if numbers is None or is_bad.any():
        rows = np.flatnonzero(is_bad)
        error = DataError(text_among_numbers(sheet, column, rows, role))
        if numbers is None:
            raise error
        refuse(column.name, sheet.lines[rows], error)
    if notes is not None:
        for note in numbers.notes:
            notes.append(Finding("numbers", "note", f"column {column.name!r}: {note}"))
    return column.spread(numbers.values)


def past_values(
    sheet: Sheet, column: Column, cell_format: CellFormat, notes: list[Finding]
) -> ndarray:
    """The numbers of a covariate (R,), yes as 1 and no as 0."""
    if column.data.dtype == bool:
        return column.data.astype(np.float64)
    return numbers_of(sheet, column, cell_format, notes, "past")


def known_values(
    sheet: Sheet,
    column: Column,
    cell_format: CellFormat,
    notes: list[Finding],
    role: str = "future",
) -> tuple[ndarray, Levels]:
    """The numbers (R,) of a future or static column, and the names of their categories, if any.

    NaN is missing; yes and no are 1 and 0. A column of text, or with more distinct texts than
    numbers, holds categories; text in any other numeric column is a DataError.
    """
    if column.data.dtype == bool:
        return column.data.astype(np.float64), ()
    if _holds_dates(column):
        example = column.cell(0) if len(column) else "it is empty"
        raise DataError(
            f"{sheet.source}: the {role} column {column.name!r} holds dates: {example}. Numbers, "
            "yes and no, or categories are expected. Give the days since or until that date as a "
            "number."
        )
    column = cell_format.without_codes(column)
    answers = yes_or_no(column)
    if answers is not None:
        return answers, ()
    if _holds_categories(column):
        return _categories(sheet, column, notes, role)
    return numbers_of(sheet, column, cell_format, notes, role), ()


def _holds_dates(column: Column) -> bool:
    return not column.is_text and column.data.dtype.kind == "M"


def holds_something(column: Column) -> bool:
    """Whether a column may be a future column: numbers, yes and no, or not too many texts."""
    if column.missing.all() or _holds_dates(column):
        return False
    is_numeric = not column.is_text or column.number_share >= _MOSTLY_NUMBERS
    return is_numeric or len(column.data) <= _MOST_LEVELS


def is_plain(column: Column) -> bool:
    """Whether a column holds numbers, or yes and no."""
    if column.missing.all() or _holds_dates(column):
        return False
    if not column.is_text or column.number_share >= _MOSTLY_NUMBERS:
        return True
    return yes_or_no(column) is not None


def _holds_categories(column: Column) -> bool:
    """Whether a column holds categories: only text, or at least as many texts as numbers."""
    if column.categories is not None:
        return True
    if column.codes is None or column.missing.all():
        return False
    numbers = column.numbers
    if numbers is None:
        return True
    distinct = np.unique(column.codes[~column.missing])
    is_text = numbers.bad[distinct]
    text_count = int(np.count_nonzero(is_text))
    distinct_numbers = np.unique(numbers.values[distinct][~is_text])
    return text_count > 0 and text_count >= len(distinct_numbers)


def _categories(
    sheet: Sheet, column: Column, notes: list[Finding], role: str
) -> tuple[ndarray, Levels]:
    """The codes of categories (R,) and their names."""
    cells = objects(map(_category, column.data))
    if column.codes is not None:
        cells = cells[column.codes]
    is_empty = cells == ""
    if is_empty.mean() > _MOSTLY_EMPTY:
        cells = np.where(is_empty, NO_CATEGORY, cells)
        message = f"column {column.name!r}: most cells are empty"
        action = f"They are treated as the category {NO_CATEGORY!r}."
        notes.append(Finding("categories", "note", message, action))
    (codes,), levels = coded([cells])
    if len(levels) > _MOST_LEVELS:
        raise DataError(
            f"{sheet.source}: the {role} column {column.name!r} has {len(levels):,} different "
            f"texts, such as {levels[0]!r} and {levels[1]!r}. Up to {_MOST_LEVELS:,} categories "
            "are expected. Name another column, or group its texts."
        )
    return codes, levels


def _category(cell: object) -> str:
    """The text of a category, empty for a missing cell.

    "none" is a category, for example of promotions or holidays.
    """
    text = str(cell).strip()
    if text.casefold() in ("", "nan", "null", "na", "n/a", "<na>", "nat"):
        return ""
    return text
