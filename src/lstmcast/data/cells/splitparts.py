"""Columns that tell one part of a time together: hours beside AM or PM, years beside their era."""

# N rows

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np

from lstmcast.data.cells.partcolumns import clock_of, kind_of_name
from lstmcast.data.scripts import western_halves
from lstmcast.data.sheet import Column, Sheet, columns_without, folded
from lstmcast.data.times.shapes import ERAS

_HALF = re.compile(r"[ap]\.? ?m\.?")
_NOON = 13 * 3600 * 10**6


def with_whole_parts(sheet: Sheet, used_columns: Sequence[Column] = ()) -> Sheet:
    """The sheet with hours and their halves of the day in one column, and eras and their years."""
    sheet = _with_pair(sheet, used_columns, _is_half_of_day, _has_halves)
    return _with_pair(sheet, used_columns, _is_era, _is_year_of_era)


def whole_names(sheet: Sheet, names: Sequence[str]) -> list[str]:
    """Names of columns, those of two that became one column of the sheet as its name."""
    whole = list(names)
    pairs = {f"{first}-{second}": (first, second) for first, second in permutations(names, 2)}
    for name in filter(pairs.__contains__, sheet.names):
        first, second = pairs[name]
        whole[whole.index(first)] = name
        whole.remove(second)
    return whole


def _with_pair(
    sheet: Sheet,
    used_columns: Sequence[Column],
    is_word: Callable[[Column], bool],
    is_number: Callable[[Column], bool],
) -> Sheet:
    """The sheet with one column for the only column of words and the only one that they belong
    to."""
    columns = columns_without(sheet.columns, used_columns)
    words = [column for column in columns if is_word(column)]
    if len(words) != 1:
        return sheet
    numbers = [column for column in columns_without(columns, words) if is_number(column)]
    return sheet if len(numbers) != 1 else _paired(sheet, numbers[0], words[0])


def _paired(sheet: Sheet, number: Column, word: Column) -> Sheet:
    """The sheet with two columns as one of their texts, in the place of the first."""
    numbers, words = _texts_of(number), _texts_of(word)
    if _is_era(word):
        texts = [f"{era}{year}年" for era, year in zip(words, numbers, strict=True)]
    else:
        texts = [f"{hour} {_half(word)}" for hour, word in zip(numbers, words, strict=True)]
    pair = Column.of_texts(f"{number.name}-{word.name}", texts)
    place = [column is number for column in sheet.columns].index(True)
    columns = [*sheet.columns[:place], pair, *sheet.columns[place + 1 :]]
    return replace(sheet, columns=tuple(columns_without(columns, [word])))


def _texts_of(column: Column) -> list[str]:
    texts = [folded(text) for text in column.spread(column.data).tolist()]
    return [re.sub(r"\.0+$|年$", "", text) for text in texts]


def _is_half_of_day(column: Column) -> bool:
    """Whether a column holds AM and PM and nothing else, in any language."""
    if not column.is_text or not 1 < len(column.data) <= 8 or column.missing.any():
        return False
    words = {_half(folded(text)) for text in column.data}
    return all(map(_HALF.fullmatch, words)) and len({word[0] for word in words}) == 2


def _half(word: str) -> str:
    """am for 午前, and what is none as it is."""
    return western_halves(f"{word} 1:00").replace("1:00", "").strip()


def _has_halves(column: Column) -> bool:
    """Whether a column holds clock times or hours up to 12."""
    clock = clock_of(column)
    if clock is not None:
        return bool(np.nanmax(clock.numbers) < _NOON)
    if kind_of_name(column.name) != "hour" or column.numbers is None:
        return False
    hours = column.numbers.values
    return bool(not column.numbers.bad.any() and hours.min() >= 0 and hours.max() in (11, 12))


def _is_era(column: Column) -> bool:
    if not column.is_text or column.missing.any():
        return False
    eras = [era for era in ERAS if not era.isascii()]
    return len(column.data) > 0 and all(str(text).strip() in eras for text in column.data)


def _is_year_of_era(column: Column) -> bool:
    """Whether a column is named as years and holds numbers up to 64."""
    if kind_of_name(column.name) != "year":
        return False
    texts = set(_texts_of(column)) - {"元"}
    return all(text.isdigit() and 1 <= int(text) <= 64 for text in texts)
