"""What the cells of a column say: numbers of a target or beside it, yes or no, or categories."""

# R rows of the sheet · U distinct texts of a column

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.data.cellformat import CellFormat
from lstmcast.data.levels import coded
from lstmcast.data.questions import text_among_numbers
from lstmcast.data.separators import settled
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.table import Finding
from lstmcast.data.tolerance import refuse
from lstmcast.errors import DataError
from lstmcast.util.objects import objects

_YES_WORDS = "yes y true t on ja j wahr oui vrai si sí sì sim vero はい 有 あり ○"
_NO_WORDS = "no n false f off nein falsch non faux não nao falso いいえ 無 なし ×"
_YES, _NO = frozenset(_YES_WORDS.split()), frozenset(_NO_WORDS.split())
NO_CATEGORY = "none"  # what an empty cell says where most cells of a column of categories are empty
_MOSTLY_EMPTY = 0.5  # share of empty cells from which they are no missing values
_MOSTLY_NUMBERS = 0.5  # share of numbers from which a text among them is a mistake
_MOST_LEVELS = 1000  # of categories: more are notes, names or ids


def numbers_of(
    sheet: Sheet,
    column: Column,
    written: CellFormat,
    notes: list[Finding] | None,
    role: str = "target",
) -> ndarray:
    """The numbers (R,) of a target or of a column beside it; DataError where text stands among
    them. notes: None where the columns are many, and nothing is said of each."""
    column = written.without_codes(column)
    if notes is not None:
        column, told = settled(sheet, column)
        notes += told
    numbers = column.numbers
    bad = ~column.missing if numbers is None else column.spread(numbers.bad)
    if numbers is None or bad.any():
        rows = np.flatnonzero(bad)
        error = DataError(text_among_numbers(sheet, column, rows, role))
        if numbers is None:
            raise error
        refuse(column.name, sheet.lines[rows], error)
    if notes is not None:
        notes += [
            Finding("numbers", "note", f"column {column.name!r}: {note}") for note in numbers.notes
        ]
    return column.spread(numbers.values)


def past_values(sheet: Sheet, column: Column, written: CellFormat, notes: list[Finding]) -> ndarray:
    """The numbers of a column beside the target (R,), yes as 1 and no as 0."""
    if column.data.dtype == bool:
        return column.data.astype(np.float64)
    return numbers_of(sheet, column, written, notes, "past")


def known_values(
    sheet: Sheet, column: Column, written: CellFormat, notes: list[Finding], role: str = "future"
) -> tuple[ndarray, tuple[str, ...]]:
    """A column that is known in advance or does not change, as numbers (R,), and the names of the
    categories that they stand for; none of a column of numbers. NaN = missing.

    Yes and no are 1 and 0. A column of texts, or of texts and fewer distinct numbers, holds
    categories; text in any other column of numbers is a DataError.
    """
    if column.data.dtype == bool:
        return column.data.astype(np.float64), ()
    if not column.is_text and column.data.dtype.kind == "M":
        raise DataError(
            f"{sheet.source}: the {role} column {column.name!r} holds dates: "
            f"{column.cell(0) if len(column) else 'it is empty'}. Numbers, yes and no, or "
            "categories are expected. Give the days since or until that date as a number."
        )
    column = written.without_codes(column)
    answers = _yes_or_no(column)
    if answers is not None:
        return answers, ()
    if _holds_categories(column):
        return _categories(sheet, column, notes, role)
    return numbers_of(sheet, column, written, notes, role), ()


def holds_something(column: Column) -> bool:
    """Whether a column may be known in advance: numbers, yes and no, or not too many texts."""
    if column.missing.all() or (not column.is_text and column.data.dtype.kind == "M"):
        return False
    numeric = not column.is_text or column.number_share >= _MOSTLY_NUMBERS
    return numeric or len(column.data) <= _MOST_LEVELS


def is_plain(column: Column) -> bool:
    """Whether a column holds numbers, or yes and no."""
    if column.missing.all() or (not column.is_text and column.data.dtype.kind == "M"):
        return False
    if not column.is_text or column.number_share >= _MOSTLY_NUMBERS:
        return True
    return _yes_or_no(column) is not None


def _yes_or_no(column: Column) -> ndarray | None:
    """1 and 0 for yes and no in one of several languages; None where something else is said."""
    if not column.is_text:
        return None
    texts = [str(text).strip().casefold() for text in column.data]
    said = {text for text in texts if text} - {"nan", "none", "null", "na", "n/a"}
    if not said or not said <= (_YES | _NO):
        return None
    answers = {**dict.fromkeys(_YES, 1.0), **dict.fromkeys(_NO, 0.0)}
    return column.spread(np.array([answers.get(text, np.nan) for text in texts]))


def _holds_categories(column: Column) -> bool:
    """Whether a column holds categories: texts alone, or at least as many as distinct numbers."""
    if column.categories is not None:
        return True
    if not column.is_text or column.missing.all():
        return False
    numbers = column.numbers
    if numbers is None:
        return True
    texts = np.unique(column.codes[~column.missing]) if column.codes is not None else []
    bad = int(np.count_nonzero(numbers.bad[texts]))
    return bad > 0 and bad >= len(np.unique(numbers.values[texts][~numbers.bad[texts]]))


def _categories(
    sheet: Sheet, column: Column, notes: list[Finding], role: str
) -> tuple[ndarray, tuple[str, ...]]:
    """The codes of categories (R,) and their names."""
    named = ["" if _is_nothing(text) else str(text).strip() for text in column.data]
    cells = objects(named)[column.codes] if column.codes is not None else objects(named)
    empty = cells == ""
    if empty.mean() > _MOSTLY_EMPTY:
        cells = np.where(empty, NO_CATEGORY, cells)
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


def _is_nothing(text: object) -> bool:
    """Whether a cell of a category says nothing. "none" is one, as of promotions or holidays."""
    return str(text).strip().casefold() in ("", "nan", "null", "na", "n/a", "<na>", "nat")
