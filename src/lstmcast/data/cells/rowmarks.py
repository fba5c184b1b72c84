"""Columns that say of each row what its value is: a debit or a credit, an actual value or one that
was planned."""

# R rows of the sheet · K target columns

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from lstmcast.data.findings import Finding
from lstmcast.data.sheet import Column, Sheet, folded
from lstmcast.util.patterns import pattern_of

# debit and credit, where the words mean nothing else
_SIDES = (
    ("dr", "cr"),
    ("db", "cr"),
    ("soll", "haben"),
    ("debe", "haber"),
    ("dare", "avere"),
    ("借方", "貸方"),
)
# and where the name of the column says what they mean: cards are debit and credit cards, too
_NAMED_SIDES = (("d", "c"), ("s", "h"), ("debit", "credit"), ("débit", "crédit"))
_NAMED_SIDES += (("débito", "crédito"), ("debito", "credito"))
_SIDE_NAME = pattern_of(
    r"(?:^|\W)(?:dr|cr|s/h|sh|d/c|c/d|dc)(?:$|\W)|soll|haben|transaction|indicator|sign|"
    r"kennzeichen|débit|debit|d[eé]bito"
)
_NOT_SIDE_NAME = pattern_of(
    r"card|payment|method|tender|karte|zahlung|carte|paiement|tarjeta"
)
_MARKED = 0.9  # share of the rows that carry a mark
_UNIT_NAME = pattern_of(
    r"(?:^|[\W_])(?:unit|units|uom|unit of measure|currency|einheit|me|währung|waehrung|unité|"
    r"devise|unidad|moneda|moeda)(?:$|[\W_])|単位|通貨"
)
_ACTUAL_WORDS = """
actual actuals observed history historical ist réel real 実績 実績値
"""
_PLANNED_WORDS = """
forecast forecasts fc fcst forecasted projected projection projections plan planned budget
prognose prévision previsión 予測 見込 見込み 計画
"""
_ACTUAL = frozenset(_ACTUAL_WORDS.split())
_PLANNED = frozenset(_PLANNED_WORDS.split())


def with_debits(
    sheet: Sheet, columns: Sequence[Column], values_RK: ndarray
) -> tuple[ndarray, list[Finding]]:
    """Values of which debits are negative, where none is and a column that is not used otherwise
    says of each row whether it is a debit or a credit; and what is said of that."""
    if not (values_RK[np.isfinite(values_RK)] >= 0).all():
        return values_RK, []
    for column in columns:
        debit = _debit_in(column)
        if not debit:
            continue
        is_debit = _rows_with(column, frozenset([debit]))
        message = (
            f"the column {column.name!r} marks debits ({debit!r}): the values of these rows are "
            "read as negative"
        )
        finding = Finding("debits", "note", message, count=int(is_debit.sum()))
        return np.where(is_debit[:, None], -values_RK, values_RK), [finding]
    return values_RK, []


def _debit_in(column: Column) -> str:
    """The mark of debits in a column that marks rows with one of two; "" in any other."""
    if (
        not column.is_text
        or len(column.data) > 3
        or column.missing.mean() > 1 - _MARKED
    ):
        return ""
    marks = {_mark(text) for text in column.data} - {""}
    name = folded(column.name)
    is_named = (
        _SIDE_NAME.search(name) is not None and _NOT_SIDE_NAME.search(name) is None
    )
    for debit, credit in (*_SIDES, *(_NAMED_SIDES if is_named else ())):
        if marks == {debit, credit}:
            return debit
    return ""


def _mark(text: object) -> str:
    return folded(text).rstrip(".")


def _rows_with(column: Column, marks: frozenset[str]) -> ndarray:
    """Which rows have one of the marks (R,)."""
    return column.spread(np.array([_mark(text) in marks for text in column.data]))


def doubtful_rows(
    sheet: Sheet, columns: Sequence[Column], codes: ndarray
) -> list[Finding]:
    """Warnings where a column that is not used says that values are no actual ones, or have several
    units. codes: the series of each row (R,)."""
    return _planned_rows(sheet, columns) + _mixed_units(columns, codes)


def _planned_rows(sheet: Sheet, columns: Sequence[Column]) -> list[Finding]:
    """A warning where a column that is not used says that some values are no actual ones."""
    for column in columns:
        if not column.is_text or len(column.data) > 4:
            continue
        marks = {_mark(text) for text in column.data}
        if marks.isdisjoint(_ACTUAL) or marks.isdisjoint(_PLANNED):
            continue
        is_planned = _rows_with(column, _PLANNED)
        row = int(np.argmax(is_planned))
        count = int(is_planned.sum())
        message = (
            f"the column {column.name!r} says {column.cell(row)!r} in {count:,} of {len(sheet):,} "
            f"rows, the first in {sheet.row_word} {sheet.lines[row]}"
        )
        action = (
            "They are read as actual values. Leave these rows out if they are none."
        )
        line = int(sheet.lines[row])
        return [
            Finding(
                "planned values", "warning", message, action, line=line, count=count
            )
        ]
    return []


def _mixed_units(columns: Sequence[Column], codes: ndarray) -> list[Finding]:
    """A warning where a column says that values of one series have several units or currencies."""
    for column in columns:
        if not _UNIT_NAME.search(folded(column.name)) or not column.is_text:
            continue
        unit_codes, units = column.as_ids()
        pairs_2R = np.stack([codes, unit_codes])[:, ~column.missing]
        series, unit_of_pair = np.unique(pairs_2R, axis=1)
        is_mixed = series[1:] == series[:-1]
        if not is_mixed.any():
            continue
        mixed_series = series[np.argmax(is_mixed)]
        codes_of_units = unit_of_pair[series == mixed_series]
        names = [repr(str(units[code])) for code in codes_of_units.tolist()]
        message = (
            f"the column {column.name!r} says several units of one series: "
            f"{', '.join(names[:4])}"
        )
        action = (
            "The values are read as they are. Bring them to one unit, or name the column with "
            "--series."
        )
        return [Finding("units", "warning", message, action, count=len(names))]
    return []
