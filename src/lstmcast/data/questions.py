"""What is asked about cells that cannot be read, with options that were tried before they are
advised."""

from __future__ import annotations

import re

from numpy import ndarray

from lstmcast.data.columns import ask
from lstmcast.data.sheet import Column, Sheet

_SHOWN = 4
_MOST_CODES = 6  # distinct texts that may be codes for missing values
_MOST_SHARE = 0.5  # of the cells
_LIMIT = re.compile(r"[<>≤≥]=? ?\d[\d.,]*")


def text_among_numbers(sheet: Sheet, column: Column, rows: ndarray, role: str) -> str:
    """What is said of text in some rows of a column of numbers."""
    shown = ", ".join(
        f"{sheet.row_word} {sheet.lines[row]} has {column.cell(row)!r}" for row in rows[:_SHOWN]
    )
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return (
        f"{sheet.source}: text in the {role} column {column.name!r}: "
        f"{shown or 'it is empty'}{more}. Numbers are expected. {_advised_codes(column, rows)}"
        "Write the numbers, leave the cell empty where the value is missing, or name another "
        f"column with {ask(role, 'NAME')}."
    )


def _advised_codes(column: Column, rows: ndarray) -> str:
    """The option that makes missing values of the texts, where they may be codes for them."""
    distinct = list(dict.fromkeys(column.cell(row).strip() for row in rows.tolist()))
    few = 0 < len(distinct) <= _MOST_CODES and len(rows) <= _MOST_SHARE * len(column)
    if not few or any("," in text or "=" in text or len(text) > 30 for text in distinct):
        return ""
    codes = ",".join(distinct)
    if all(_LIMIT.fullmatch(text) for text in distinct):
        first = distinct[0]
        number = first.lstrip("<>≤≥ ")
        return (
            f"To read {first!r} as a number, use {_said(f'{first}={number}')}; to leave it "
            f"unknown, {_said(codes)}. "
        )
    return f"If this stands for missing values, use {_said(codes)}. "


def _said(codes: str) -> str:
    listed = codes.split(",")
    python = repr(listed[0] if len(listed) == 1 else listed)
    return f'--missing-codes "{codes}" (in Python: missing_codes={python})'
