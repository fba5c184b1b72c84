"""Questions about unreadable cells, with advice that was tried first."""

from __future__ import annotations

from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.sheet import Column, Sheet
from lstmcast.util.patterns import pattern_of

_SHOWN = 4
_MOST_CODES = 6  # largest number of distinct texts that may be codes for missing values
_MOST_SHARE = 0.5  # of the cells
_LIMIT = pattern_of(r"[<>≤≥]=? ?\d[\d.,]*")


def text_among_numbers(sheet: Sheet, column: Column, rows: ndarray, role: str) -> str:
    """The message about text in some rows of a numeric column."""
    cells = [_cell_text(sheet, column, row) for row in rows[:_SHOWN]]
    examples = ", ".join(cells) or "it is empty"
    if len(rows) > _SHOWN:
        examples += f" and {len(rows) - _SHOWN} more"
    return (
        f"{sheet.source}: text in the {role} column {column.name!r}: {examples}. Numbers are "
        f"expected. {_advised_codes(column, rows)}Write numbers, leave cells empty where values "
        f"are missing, or name another column with {advise(role, 'NAME')}."
    )


def _cell_text(sheet: Sheet, column: Column, row: int) -> str:
    return f"{sheet.row_word} {sheet.lines[row]} has {column.cell(row)!r}"


def _advised_codes(column: Column, rows: ndarray) -> str:
    """The option that reads the texts as missing, if they may be codes for missing values."""
    texts = [column.cell(row).strip() for row in rows.tolist()]
    distinct = list(dict.fromkeys(texts))
    are_few = 0 < len(distinct) <= _MOST_CODES
    are_rare = len(rows) <= _MOST_SHARE * len(column)
    if not are_few or not are_rare or not all(map(_may_be_code, distinct)):
        return ""
    if not all(map(_LIMIT.fullmatch, distinct)):
        return f"If this means a missing value, use {_said(distinct)}. "
    limit = distinct[0]
    number = limit.lstrip("<>≤≥= ")
    return (
        f"To read {limit!r} as a number, use {_said([f'{limit}={number}'])}; to leave it unknown, "
        f"{_said(distinct)}. "
    )


def _may_be_code(text: str) -> bool:
    has_value = "=" in text and _LIMIT.fullmatch(text) is None
    return not has_value and "'" not in text and len(text) <= 30


def _quoted(code: str) -> str:
    return f"'{code}'" if "," in code else code


def _said(codes: list[str]) -> str:
    """The option that names codes, those with a comma in quotes."""
    return f'--missing-codes "{",".join(map(_quoted, codes))}"'
