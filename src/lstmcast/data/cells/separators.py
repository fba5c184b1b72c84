"""Decide whether a point or comma groups thousands if the values of a column are ambiguous."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from lstmcast.advice import advise
from lstmcast.data.cells.columns import words_of
from lstmcast.data.findings import Finding
from lstmcast.data.missingwords import is_missing
from lstmcast.data.numbers import CURRENCY_SIGNS, DECIMAL_COMMA
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.util.patterns import pattern_of

_POINTS = pattern_of(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+")
_COMMAS = pattern_of(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+")
# kinds of whole numbers without thousands separators
_SMALL = pattern_of(r"[-+]?\d{1,3}")
_GERMAN_DATE = pattern_of(r"\d\d?\.\d\d?\.(?:\d\d){1,2}(?: .*)?")
_SLASH_DATE = pattern_of(r"(\d\d?)[/-](\d\d?)[/-](?:\d\d){1,2}(?: .*)?")
# of languages that write decimal commas, in names of columns
_WORDS = """
datum monat jahr woche stunde quartal umsatz menge anzahl wert betrag preis absatz
date_valeur mois année annee jour semaine trimestre période ventes quantité montant valeur
fecha mes año semana día periodo ventas cantidad importe precio valor
mês ano período vendas quantidade preço receita mese anno giorno settimana vendite quantità
dato måned år uge antal beløb datums jaar maand aantal bedrag omzet vuosi kuukausi määrä
tarih ay yıl satış miktar tutar rok miesiąc kwartał wartość liczba měsíc množství období
tanggal bulan tahun jumlah penjualan дата месяц год период количество значение
"""
_COMMA_WORDS = frozenset(_WORDS.split())
_BESIDE = pattern_of(r"[^\d.,:/+-]")  # units, currencies, spaces
_FEWEST = 3  # values with three digits after every mark
_SAMPLE = 2000
_TRIANGLES = "▲△"  # a minus of Japanese accounts, which have no decimals
_ELSEWHERE = "as the dates or other numbers of the file show"
_ACCOUNTS = (
    "since accounts, with negative numbers in brackets, have two decimals or none"
)
_MONEY = "since amounts of money have two decimals or none"


def settled(sheet: Sheet, column: Column) -> tuple[Column, list[Finding]]:
    """A numeric column with its ambiguous decimal mark decided from the whole sheet.

    5.037 in a file with semicolons, next to dates such as 31.12.2024 or numbers such as 1,5, is
    5037. If nothing in the sheet decides it, the numbers stay as they are, with a warning.
    """
    mark = doubtful_mark(column)
    if not mark:
        return column, []
    if mark == ".":
        return _settled_points(sheet, column)
    if column.numbers is None:
        return column, []
    if DECIMAL_COMMA not in column.numbers.notes:
        return _settled_commas(sheet, column)
    if _is_money(column, ","):
        return replace(column, decimal="."), [_grouped(column, ",", _MONEY)]
    if _has_brackets(column):
        return replace(column, decimal="."), [_grouped(column, ",", _ACCOUNTS)]
    texts = [c for c in columns_without(sheet.columns, [column]) if c.is_text]
    if any(map(_has_decimal_points, texts)) or any(map(_has_months_first, texts)):
        return replace(column, decimal="."), [_grouped(column, ",", _ELSEWHERE)]
    return column, [_warning(column, ",", ".")]


def _settled_points(sheet: Sheet, column: Column) -> tuple[Column, list[Finding]]:
    """Decide points that may group thousands: they do next to decimal commas and dates with
    points."""
    if _is_money(column, "."):
        return replace(column, decimal=","), [_grouped(column, ".", _MONEY)]
    other_columns = columns_without(sheet.columns, [column])
    text_columns = [text_column for text_column in other_columns if text_column.is_text]
    if not column.decimal_comma_likely:
        is_doubtful = _names_are_of_commas(sheet)
        is_doubtful |= any(map(_has_days_before_months, text_columns))
        is_doubtful &= not any(map(_has_decimal_points, text_columns))
        return column, [_warning(column, ".", ",")] if is_doubtful else []
    if any(map(_has_decimal_points, text_columns)):
        return column, []
    if _names_are_of_commas(sheet) or any(
        _writes_decimal_commas(text_column) or _has_days_before_months(text_column)
        for text_column in text_columns
    ):
        return replace(column, decimal=","), [_grouped(column, ".", _ELSEWHERE)]
    return column, [_warning(column, ".", ",")]


def _settled_commas(sheet: Sheet, column: Column) -> tuple[Column, list[Finding]]:
    """Decide commas that were read as groups: where every value has one, as 53,270 kg, they are
    decimal ones next to dates with points."""
    other_columns = columns_without(sheet.columns, [column])
    text_columns = [text_column for text_column in other_columns if text_column.is_text]
    is_everywhere = all("," in text for text in _sample(column))
    if (
        not is_everywhere
        or _is_money(column, ",")
        or any(map(_has_decimal_points, text_columns))
    ):
        return column, []
    if not any(map(_writes_decimal_commas, text_columns)):
        return column, []
    example = _example(column, ",")
    message = (
        f"column {column.name!r}: commas read as decimal commas "
        f"({example} = {example.replace(',', '.')}), {_ELSEWHERE}"
    )
    action = f"If they separate thousands, use {advise('decimal', '.')}."
    finding = Finding("numbers", "warning", message, action, value=example)
    return replace(column, decimal=","), [finding]


def _sample(column: Column) -> list[str]:
    step = max(1, len(column.data) // _SAMPLE)
    texts = [unicodedata.normalize("NFKC", str(text)) for text in column.data[::step]]
    bare = [_BESIDE.sub("", text) for text in texts if not is_missing(text)]
    return [text.removesuffix("-") for text in bare]


def doubtful_mark(column: Column) -> str:
    """The mark before three digits in all values that have one; "" if a value shows its meaning."""
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


def _is_money(column: Column, mark: str) -> bool:
    """Whether values have a currency sign: money has two decimals or none.

    A price of 1.459 per litre remains ambiguous.
    """
    notes = column.numbers.notes if column.numbers is not None else ()
    has_sign = any(note.startswith(CURRENCY_SIGNS) for note in notes)
    has_sign = has_sign or any(
        str(text).strip()[:1] in _TRIANGLES for text in column.data
    )
    return has_sign and any(
        text.lstrip("+-").find(mark) > 1 for text in _sample(column)
    )


def _has_brackets(column: Column) -> bool:
    """Whether negative values stand in brackets, as in accounts: they have two decimals or none."""
    texts = [str(text).strip() for text in column.data[:_SAMPLE]]
    return any(text[:1] == "(" and text[-1:] == ")" for text in texts)


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


def _has_days_before_months(column: Column) -> bool:
    """Whether dates are written 31/12/2024, or with points, as where decimals have commas."""
    if _has_german_dates(column):
        return True
    first, second = _highest_fields(column)
    return first > 12 and second <= 12


def _names_are_of_commas(sheet: Sheet) -> bool:
    """Whether names of columns are in a language that writes decimal commas."""
    return any(not _COMMA_WORDS.isdisjoint(words_of(name)) for name in sheet.names)


def _has_months_first(column: Column) -> bool:
    """Whether dates are written 12/31/2024, as where decimals have points."""
    first, second = _highest_fields(column)
    return first <= 12 and second > 12


def _highest_fields(column: Column) -> tuple[int, int]:
    """The highest first and second number of dates such as 31/12/2024; 0 where they are none."""
    matches = [
        _SLASH_DATE.fullmatch(str(text))
        for text in column.data[:_SAMPLE]
        if not is_missing(str(text))
    ]
    if len(matches) < _FEWEST or not all(matches):
        return 0, 0
    fields = [(int(match[1]), int(match[2])) for match in matches if match is not None]
    first, second = zip(*fields, strict=True)
    return max(first), max(second)


def _example(column: Column, mark: str) -> str:
    return next(text for text in _sample(column) if mark in text)


def _grouped(column: Column, mark: str, why: str) -> Finding:
    example = _example(column, mark)
    what = "points" if mark == "." else "commas"
    message = (
        f"column {column.name!r}: {what} read as thousands separators "
        f"({example} = {example.replace(mark, '')}), {why}"
    )
    action = f"If they are decimal {what}, use {advise('decimal', mark)}."
    return Finding("numbers", "warning", message, action, value=example)


def _warning(column: Column, mark: str, option: str) -> Finding:
    example = _example(column, mark)
    grouped_number = example.replace(mark, "")
    decimal = example.replace(mark, ".")
    message = (
        f"column {column.name!r}: {example} can be read as {decimal} or as {grouped_number}, and "
        f"the file does not show which; it was read as {decimal}"
    )
    action = f"If it is {grouped_number}, use {advise('decimal', option)}."
    return Finding("numbers", "warning", message, action, value=example)
