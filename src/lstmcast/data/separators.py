"""Whether a point or a comma groups thousands, where the values of a column alone do not tell."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from lstmcast.data.findings import Finding
from lstmcast.data.numbers import CURRENCY_SIGNS, DECIMAL_COMMA, is_missing
from lstmcast.data.sheet import Column, Sheet

_POINTS = re.compile(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+")
_COMMAS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+")
_SMALL = re.compile(r"[-+]?\d{1,3}")  # whole numbers that have no thousands
_GERMAN_DATE = re.compile(r"\d\d?\.\d\d?\.(?:\d\d){1,2}(?: .*)?")
_BESIDE = re.compile(r"[^\d.,:/+-]")  # units, currencies, spaces
_FEWEST = 3  # values that all have three digits behind the mark
_SAMPLE = 2000
_TRIANGLES = "▲△"  # a minus of Japanese accounts, which have no decimals
_ELSEWHERE = "as the dates or other numbers of the file tell"
_MONEY = "as amounts of money have two decimals or none"


def settled(sheet: Sheet, column: Column) -> tuple[Column, list[Finding]]:
    """A column of numbers with its decimal mark decided by the whole sheet where its values could
    be read in two ways, and what is said of that.

    5.037 in a file cut by semicolons, beside dates such as 31.12.2024 or numbers such as 1,5, is
    5037. Where nothing in the sheet tells, the numbers stay as they are, with a warning.
    """
    mark = doubtful_mark(column)
    if not mark:
        return column, []
    if mark == ".":
        return _settled_points(sheet, column)
    note = column.numbers.notes if column.numbers is not None else ()
    if DECIMAL_COMMA not in note:
        return column, []
    if _is_money(column, ","):
        return replace(column, decimal="."), [_grouped(column, ",", _MONEY)]
    texts = [c for c in sheet.columns if c is not column and c.is_text]
    if any(map(_has_decimal_points, texts)):
        return replace(column, decimal="."), [_grouped(column, ",", _ELSEWHERE)]
    return column, [_warning(column, ",", ".")]


def _settled_points(sheet: Sheet, column: Column) -> tuple[Column, list[Finding]]:
    """Points that could group thousands: they do beside decimal commas and dates with points."""
    if _is_money(column, "."):
        return replace(column, decimal=","), [_grouped(column, ".", _MONEY)]
    if not column.decimal_comma_likely:
        return column, []
    others = [c for c in sheet.columns if c is not column and c.is_text]
    if any(_has_decimal_points(other) for other in others):
        return column, []
    if any(_has_decimal_commas(other) or _has_german_dates(other) for other in others):
        return replace(column, decimal=","), [_grouped(column, ".", _ELSEWHERE)]
    return column, [_warning(column, ".", ",")]


def _sample(column: Column) -> list[str]:
    texts = column.data[:: max(1, len(column.data) // _SAMPLE)]
    plain = (unicodedata.normalize("NFKC", str(text)) for text in texts)
    return [_BESIDE.sub("", text) for text in plain if not is_missing(text)]


def doubtful_mark(column: Column) -> str:
    """The mark that stands before three digits in all values that have one; "" where a value shows
    what it is."""
    if not column.is_text or column.plain or column.decimal:
        return ""
    texts = _sample(column)
    for mark, grouped in ((".", _POINTS), (",", _COMMAS)):
        marked = [text for text in texts if mark in text]
        rest = [text for text in texts if mark not in text]
        if (
            len(marked) >= _FEWEST
            and all(grouped.fullmatch(text) for text in marked)
            and all(_SMALL.fullmatch(text) for text in rest)
            and not any(text.count(mark) > 1 for text in marked)
        ):
            return mark
    return ""


def _is_money(column: Column, mark: str) -> bool:
    """Whether values have a sign of money, which has two decimals or none. A price of 1.459 for a
    litre stays open."""
    notes = column.numbers.notes if column.numbers is not None else ()
    has_sign = any(note.startswith(CURRENCY_SIGNS) for note in notes)
    has_sign = has_sign or any(str(text).strip()[:1] in _TRIANGLES for text in column.data)
    return has_sign and any(text.lstrip("+-").find(mark) > 1 for text in _sample(column))


def _has_decimal_points(column: Column) -> bool:
    texts = [text for text in _sample(column) if re.fullmatch(r"[-+]?\d+\.\d+", text)]
    return len(texts) >= _FEWEST and not all(_POINTS.fullmatch(text) for text in texts)


def _has_decimal_commas(column: Column) -> bool:
    texts = [text for text in _sample(column) if re.fullmatch(r"[-+]?[\d.]+,\d+", text)]
    return len(texts) >= _FEWEST and not all(_COMMAS.fullmatch(text) for text in texts)


def _has_german_dates(column: Column) -> bool:
    texts = _sample(column)
    return len(texts) >= _FEWEST and all(_GERMAN_DATE.fullmatch(text) for text in texts)


def _example(column: Column, mark: str) -> str:
    return next(text for text in _sample(column) if mark in text)


def _grouped(column: Column, mark: str, why: str) -> Finding:
    shown = _example(column, mark)
    what = "points" if mark == "." else "commas"
    message = (
        f"column {column.name!r}: {what} read as thousands separators "
        f"({shown} = {shown.replace(mark, '')}), {why}"
    )
    marks = "decimal points" if mark == "." else "decimal commas"
    action = f"If they are {marks}, use decimal={mark!r} (--decimal {mark})."
    return Finding("numbers", "warning", message, action, value=shown)


def _warning(column: Column, mark: str, option: str) -> Finding:
    shown = _example(column, mark)
    whole = shown.replace(mark, "")
    decimal = shown.replace(mark, ".")
    message = (
        f"column {column.name!r}: {shown} can be read as {decimal} or as {whole}, and nothing in "
        f"the file tells which; it was read as {decimal}"
    )
    action = f"If it is {whole}, use decimal={option!r} (--decimal {option})."
    return Finding("numbers", "warning", message, action, value=shown)
