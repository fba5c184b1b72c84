"""Whether a point or a comma groups thousands, where the values of a column alone do not tell."""

from __future__ import annotations

import re
from dataclasses import replace

from lstmcast.data.findings import Finding
from lstmcast.data.numbers import DECIMAL_COMMA, is_missing
from lstmcast.data.sheet import Column, Sheet, columns_without

_POINTS = re.compile(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+")
_COMMAS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+")
_SMALL = re.compile(r"[-+]?\d{1,3}")  # whole numbers that have no thousands
_GERMAN_DATE = re.compile(r"\d\d?\.\d\d?\.(?:\d\d){1,2}(?: .*)?")
_BESIDE = re.compile(r"[^\d.,:/+-]")  # units, currencies, spaces
_FEWEST = 3  # values that all have three digits behind the mark
_SAMPLE = 2000


def settled(sheet: Sheet, column: Column) -> tuple[Column, list[Finding]]:
    """A column of numbers with its decimal mark decided by the whole sheet where its values could
    be read in two ways, and a finding about that.

    5.037 in a file cut by semicolons, beside dates such as 31.12.2024 or numbers such as 1,5, is
    5037. Where nothing in the sheet decides it, the numbers stay as they are, with a warning.
    """
    mark = doubtful_mark(column)
    if not mark:
        return column, []
    if mark == ".":
        return _settled_points(sheet, column)
    is_decimal = column.numbers is not None and DECIMAL_COMMA in column.numbers.notes
    return column, [_warning(column, ",", ".")] if is_decimal else []


def _settled_points(sheet: Sheet, column: Column) -> tuple[Column, list[Finding]]:
    """Points that could group thousands: they do beside decimal commas and dates with points."""
    if not column.decimal_comma_likely:
        return column, []
    other_columns = columns_without(sheet.columns, [column])
    text_columns = [text_column for text_column in other_columns if text_column.is_text]
    if any(map(_has_decimal_points, text_columns)):
        return column, []
    if any(_writes_decimal_commas(text_column) for text_column in text_columns):
        return replace(column, decimal=","), [_grouped(column)]
    return column, [_warning(column, ".", ",")]


def _sample(column: Column) -> list[str]:
    step = max(1, len(column.data) // _SAMPLE)
    texts = map(str, column.data[::step])
    return [_BESIDE.sub("", text) for text in texts if not is_missing(text)]


def doubtful_mark(column: Column) -> str:
    """The mark that stands before three digits in all values that have one; "" where a value shows
    what it is."""
    if not column.is_text or column.plain or column.decimal:
        return ""
    texts = _sample(column)
    for mark, grouped in ((".", _POINTS), (",", _COMMAS)):
        marked = [text for text in texts if mark in text]
        unmarked = [text for text in texts if mark not in text]
        are_grouped = all(grouped.fullmatch(text) for text in marked)
        are_small = all(_SMALL.fullmatch(text) for text in unmarked)
        is_clear = any(text.count(mark) > 1 for text in marked)
        if len(marked) >= _FEWEST and are_grouped and are_small and not is_clear:
            return mark
    return ""


def _has_decimal_points(column: Column) -> bool:
    decimals = re.compile(r"[-+]?\d+\.\d+")
    texts = list(filter(decimals.fullmatch, _sample(column)))
    return len(texts) >= _FEWEST and not all(map(_POINTS.fullmatch, texts))


def _has_decimal_commas(column: Column) -> bool:
    decimals = re.compile(r"[-+]?[\d.]+,\d+")
    texts = list(filter(decimals.fullmatch, _sample(column)))
    return len(texts) >= _FEWEST and not all(map(_COMMAS.fullmatch, texts))


def _writes_decimal_commas(column: Column) -> bool:
    return _has_decimal_commas(column) or _has_german_dates(column)


def _has_german_dates(column: Column) -> bool:
    texts = _sample(column)
    return len(texts) >= _FEWEST and all(map(_GERMAN_DATE.fullmatch, texts))


def _example(column: Column, mark: str) -> str:
    return next(text for text in _sample(column) if mark in text)


def _grouped(column: Column) -> Finding:
    example = _example(column, ".")
    message = (
        f"column {column.name!r}: points read as thousands separators "
        f"({example} = {example.replace('.', '')}), as the dates or other numbers of the file tell"
    )
    action = "If they are decimal points, use decimal='.' (--decimal .)."
    return Finding("numbers", "warning", message, action, value=example)


def _warning(column: Column, mark: str, option: str) -> Finding:
    example = _example(column, mark)
    grouped_number = example.replace(mark, "")
    decimal = example.replace(mark, ".")
    message = (
        f"column {column.name!r}: {example} can be read as {decimal} or as {grouped_number}, and "
        f"nothing in the file tells which; it was read as {decimal}"
    )
    action = f"If it is {grouped_number}, use decimal={option!r} (--decimal {option})."
    return Finding("numbers", "warning", message, action, value=example)
