"""Sheets of a workbook, or files of an archive, that hold one series each, called alike: a sheet
for every region, a file for every station; and numbered parts of one table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from lstmcast.data.covariates.roles import Names
from lstmcast.data.layouts.periodsheets import (
    are_periods,
    is_one_table,
    stacked_sheets,
    table_of,
)
from lstmcast.data.sheet import Column, Sheet
from lstmcast.util.patterns import pattern_of

_SERIES = "series"  # the column of their names
_ANY_NAME = pattern_of(  # what programs call a sheet or a file that nobody named
    r"(?:sheet|tabelle|feuil|feuille|hoja|planilha|foglio|blatt|blad|ark|arkusz|list|munka1?|taul|"
    r"лист|シート|sayfa|工作表|시트|part|data|file|export|page|chunk|table|download)?"
    r"[ _.-]*\(?(\d*)\)?",
    re.IGNORECASE,
)
# largest ratio of distinct times to rows where sheets have times in common
_OVERLAP = 0.75


def joined_parts(sheets: Mapping[str, Sheet], names: Names) -> Sheet | None:
    """The rows of sheets with numbers for names under each other, where no time comes twice; None
    elsewhere."""
    numbers = [_ANY_NAME.fullmatch(_stem(name)) for name in sheets]
    if len(sheets) < 2 or not all(match is not None and match[1] for match in numbers):
        return None
    stacked = stacked_sheets(list(sheets.values()))
    if stacked is None or not is_one_table(stacked, names):
        return None
    return stacked


def joined_series(sheets: Mapping[str, Sheet], names: Names) -> Sheet | None:
    """The rows of all sheets under each other, with a column of what tells their names apart; None
    where names or columns do not say that each is a series."""
    if not len(sheets) > 1 or are_periods(sheets) or _are_copies(list(sheets.values())):
        return None
    if any(map(_ANY_NAME.fullmatch, map(_stem, sheets))):
        return None
    stacked = stacked_sheets(list(sheets.values()))
    if stacked is None or stacked.has_column(_SERIES):
        return None
    labels = []
    for label, sheet in zip(distinct_parts(sheets), sheets.values(), strict=True):
        labels += [label] * len(sheet)
    column = replace(Column.of_texts(_SERIES, labels, dtype="text"), invented=True)
    with_names = replace(stacked, columns=(column, *stacked.columns))
    return with_names if _are_series(with_names, names, len(sheets)) else None


def distinct_parts(names: Iterable[str]) -> list[str]:
    """The words of names that not all of them begin or end with.

    >>> distinct_parts(["sales_north.csv", "sales_south.csv"])
    ['north', 'south']
    """
    words_of_names = []
    for name in names:
        words = re.split(r"(?<=[ _/-])|(?=[ _/-])", _stem(name))
        words_of_names.append(words)
    shortest = min(map(len, words_of_names))
    begin = 0
    while begin < shortest - 1 and _share_word(words_of_names, begin):
        begin += 1
    end = 0
    while end < shortest - begin - 1 and _share_word(words_of_names, -1 - end):
        end += 1
    distinct = []
    for words in words_of_names:
        own_words = words[begin : len(words) - end]
        distinct.append("".join(own_words).strip(" _/-"))
    return distinct


def _share_word(words_of_names: Sequence[Sequence[str]], place: int) -> bool:
    """Whether all names have the same word at a place."""
    first = words_of_names[0][place]
    return all(words[place] == first for words in words_of_names)


def _stem(name: str) -> str:
    """A name without the ending of a file."""
    ending = PurePosixPath(name).suffix
    return (
        name.removesuffix(ending)
        if re.fullmatch(r"\.[a-z]{1,7}", ending.casefold())
        else name
    )


def _are_copies(sheets: Sequence[Sheet]) -> bool:
    """Whether two sheets hold the same cells."""
    contents = set()
    for sheet in sheets:
        cells = []
        for column in sheet.columns:
            values = column.spread(column.data)
            cells.append(tuple(values.tolist()))
        contents.add(tuple(cells))
    return len(contents) < len(sheets)


def _are_series(sheet: Sheet, names: Names, count: int) -> bool:
    """Whether each of so many sheets is at least one series, at the same times as others."""
    table = table_of(sheet, names) or table_of(sheet, replace(names, target="*"))
    if table is None or table.times.dtype.kind != "M" or len(table.ids) < count:
        return False
    return len(np.unique(table.times)) <= _OVERLAP * len(table.times)
