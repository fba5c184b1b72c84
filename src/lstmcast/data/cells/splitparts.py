"""Columns that tell one part of a time together: hours beside AM or PM, years beside their era."""

# N rows

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np

from lstmcast.data.cells.columns import words_of
from lstmcast.data.cells.partcolumns import clock_of
from lstmcast.data.cells.partnames import kind_of_name
from lstmcast.data.scripts import western_halves
from lstmcast.data.sheet import Column, Sheet, columns_without, folded
from lstmcast.data.times.shapes import ERAS
from lstmcast.util.patterns import pattern_of

_HALF = pattern_of(r"[ap]\.? ?m\.?")
_YEAR_OF_ERA = pattern_of(r"0?[1-9]|[1-5]\d|6[0-4]")
_MORNING_WORDS = "morning matin mañana manhã mattina vormittag vormittags"
_AFTERNOON_WORDS = "afternoon après-midi tarde pomeriggio nachmittag nachmittags"
_MORNINGS = frozenset(_MORNING_WORDS.split())
_AFTERNOONS = frozenset(_AFTERNOON_WORDS.split())
# names of columns in which AM and PM name who was there
_CREW_WORDS = "shift crew team session schicht turno équipe equipe シフト 勤務"
_CREWS = frozenset(_CREW_WORDS.split())
_NOON = 13 * 3600 * 10**6


def with_whole_parts(sheet: Sheet, used_columns: Sequence[Column] = ()) -> Sheet:
    """The sheet with hours and their halves of the day in one column, and eras and their years."""
    sheet = _with_pair(sheet, used_columns, _is_half_of_day, _has_halves)
    sheet = _with_half_days(sheet, used_columns)
    return _with_pair(sheet, used_columns, _is_era, _is_year_of_era)


def whole_names(sheet: Sheet, names: Sequence[str]) -> list[str]:
    """Names of columns, those of two that became one column of the sheet as its name."""
    merged_names = list(names)
    for number, word in permutations(names, 2):
        pair = _pair_name(number, word)
        if pair in sheet.names:
            place = merged_names.index(number)
            merged_names[place] = pair
            merged_names.remove(word)
    return merged_names


def _pair_name(number: str, word: str) -> str:
    return f"{number}-{word}"


def _with_pair(
    sheet: Sheet,
    used_columns: Sequence[Column],
    is_word: Callable[[Column], bool],
    is_number: Callable[[Column], bool],
) -> Sheet:
    """The sheet with one column for the only column of words and the only one that they belong
    to."""
    columns = columns_without(sheet.columns, used_columns)
    words = list(filter(is_word, columns))
    if len(words) != 1:
        return sheet
    other_columns = columns_without(columns, words)
    numbers = list(filter(is_number, other_columns))
    if len(numbers) != 1:
        return sheet
    return _paired(sheet, numbers[0], words[0])


def _with_half_days(sheet: Sheet, used_columns: Sequence[Column]) -> Sheet:
    """The sheet with AM and PM as clock times, where they stand beside days and no hours."""
    columns = columns_without(sheet.columns, used_columns)
    halves = list(filter(_is_half_of_day, columns))
    other_columns = columns_without(sheet.columns, halves)
    if len(halves) != 1 or not any(map(_holds_days, other_columns)):
        return sheet
    (half,) = halves
    names_crews = not _CREWS.isdisjoint(words_of(half.name))
    if names_crews or any(map(_has_halves, other_columns)):
        return sheet
    clocks = map(_start_of_half, _texts_of(half))
    clock = Column.of_texts(half.name, clocks)
    columns = list(sheet.columns)
    columns[columns.index(half)] = clock
    return replace(sheet, columns=tuple(columns))


def _start_of_half(word: str) -> str:
    return "0:00" if _half(word).startswith("a") else "12:00"


def _holds_days(column: Column) -> bool:
    """Whether a column holds dates without clock times."""
    times = column.times
    if times is None or times.form != "date" or column.time_share < 1:
        return False
    known = times.values[~np.isnat(times.values)]
    return bool(len(known) and (known == known.astype("datetime64[D]")).all())


def _paired(sheet: Sheet, number: Column, word: Column) -> Sheet:
    """The sheet with two columns as one of their texts, in the place of the first."""
    write = _year_of_era if _is_era(word) else _clock
    numbers = _texts_of(number)
    words = _texts_of(word)
    name = _pair_name(number.name, word.name)
    pair = Column.of_texts(name, map(write, numbers, words))
    is_number = [column is number for column in sheet.columns]
    columns = list(sheet.columns)
    columns[is_number.index(True)] = pair
    remaining = columns_without(columns, [word])
    return replace(sheet, columns=tuple(remaining))


def _year_of_era(year: str, era: str) -> str:
    return f"{era}{year}年"


def _clock(hour: str, word: str) -> str:
    return f"{hour} {_half(word)}"


def _texts_of(column: Column) -> list[str]:
    texts = [folded(text) for text in column.spread(column.data).tolist()]
    return [re.sub(r"\.0+$|年$", "", text) for text in texts]


def _is_half_of_day(column: Column) -> bool:
    """Whether a column holds AM and PM and nothing else, in any language."""
    if not column.is_text or not 1 < len(column.data) <= 8 or column.missing.any():
        return False
    texts = map(folded, column.data)
    words = set(map(_half, texts))
    first_letters = {word[:1] for word in words}
    return len(first_letters) == 2 and all(map(_HALF.fullmatch, words))


def _half(word: str) -> str:
    """am for 午前 and Vormittag, and what is none as it is."""
    if word in _MORNINGS or word in _AFTERNOONS:
        return "am" if word in _MORNINGS else "pm"
    clock = western_halves(f"{word} 1:00")
    return clock.replace("1:00", "").strip()


def _has_halves(column: Column) -> bool:
    """Whether a column holds clock times or hours up to 12."""
    clock = clock_of(column)
    if clock is not None:
        return bool(np.nanmax(clock.numbers) < _NOON)
    if kind_of_name(column.name) != "hour" or column.numbers is None:
        return False
    hours = column.numbers.values
    if column.numbers.bad.any() or hours.min() < 0:
        return False
    return hours.max() in (11, 12)


def _is_era(column: Column) -> bool:
    if not column.is_text or column.missing.any():
        return False
    eras = {era for era in ERAS if not era.isascii()}
    # one after the other: of 100,000 names, the first says that they are none
    return len(column.data) > 0 and all(folded(text) in eras for text in column.data)


def _is_year_of_era(column: Column) -> bool:
    """Whether a column is named as years and holds numbers up to 64."""
    if kind_of_name(column.name) != "year":
        return False
    texts = set(_texts_of(column)) - {"元"}
    return all(map(_YEAR_OF_ERA.fullmatch, texts))
