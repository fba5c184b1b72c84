"""Which columns name the series: the smallest set that was checked to tell the rows of each time
apart, or a question."""

# N rows

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy import ndarray

from lstmcast.data.columns import (
    CALENDAR_PARTS,
    DATE_SHARE,
    NUMBER_SHARE,
    ask,
    changes,
    words_of,
)
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.errors import DataError

# distinct times per row, at most, for a panel; more, and the repeats are mistakes in one series
_PANEL_SHARE = 0.75
_ID_WORDS = """
id ids code key no nr store shop item sku product article branch site sensor client customer region
country dept department family line station meter filiale artikel 店舗 商品 品番
"""
_ID_NAMES = frozenset(_ID_WORDS.split())
_SERIES_NAMES = ("unique_id", "series_id", "series", "series_name", "item_id", "ts_id", "系列")
_ID_ENDING = re.compile(r"(id|code|店|コード)$")
_REPEATED = 0.01  # share of rows that repeat a time and a key, at most, for a key to be believed
_MOST_COLUMNS = 4  # that name the series together
_MOST_CANDIDATES = 10
_SAMPLE = 20_000  # rows that a set of columns is tried on first


def find_series(
    sheet: Sheet, times: ndarray, time: Column | None, target: Column | None
) -> list[Column]:
    """The columns that name the series: none for one series; DataError where several sets of
    columns could."""
    free = columns_without(sheet.columns, [time, target])
    called = _called_series(free)
    if called and (called[0].name.casefold() != "item_id" or _alone(times, called[0])):
        return called[:1]
    if (times[1:] > times[:-1]).all():
        return []
    in_turn = [column for column in free if _comes_in_turn(times, column)]
    if len(in_turn) == 1:  # series that never share a time: one ended before the next began
        return in_turn
    if len(np.unique(times)) > _PANEL_SHARE * len(times):
        return []
    usable = [column for column in free if _may_name(column)]
    named = [column for column in usable if _is_name(column)]
    sets = _telling_sets(times, named)
    if len(sets) == 1:
        return sets[0]
    if not sets and len(named) == 1 and _halves_repeats(times, named[0]):
        return named
    if not sets and target is None:
        sets = _sets_with_numbers(times, usable)
        if len(sets) == 1:
            return sets[0]
    if called and not sets:
        return called[:1]
    if sets or named:
        raise DataError(_ask_series(sheet, sets, named))
    return []


def _called_series(columns: Sequence[Column]) -> list[Column]:
    """Columns that are called as series are, the most usual name first."""
    called = []
    for name in _SERIES_NAMES:
        for column in columns:
            if column.name.strip().casefold() == name and not column.missing.all():
                called.append(column)
    return called


def _comes_in_turn(times: ndarray, column: Column) -> bool:
    """Whether a column of codes puts the times in order, one code after the other."""
    if not column.is_text or not is_code(column.name):
        return False
    return _puts_in_order(times, column.as_ids()[0])


def _alone(times: ndarray, column: Column) -> bool:
    """Whether a column tells the rows of each time apart, but for a few mistakes."""
    return _tells_apart(times, [column.as_ids()[0]])


def _may_name(column: Column) -> bool:
    """Whether a column may tell series apart: one that differs in every row numbers the rows, and a
    part of the date is one of the time."""
    if column.missing.all() or not changes(column):
        return False
    name = column.name.strip().casefold()
    is_tag = name == "tag" and column.is_text and column.number_share < NUMBER_SHARE
    if name in CALENDAR_PARTS and not is_tag:  # a tag of a sensor is no German day
        return False
    return len(column.as_ids()[1]) < len(column)


def _is_name(column: Column) -> bool:
    """Whether a column holds names, or numbers that its own name calls codes."""
    if column.number_share >= NUMBER_SHARE:
        return is_code(column.name)
    return column.is_text and column.time_share < DATE_SHARE


def is_code(name: str) -> bool:
    """Whether a column is called as ids and codes are: store, item_id, 店コード."""
    return bool(_ID_NAMES & words_of(name)) or bool(_ID_ENDING.search(name.strip().casefold()))


def _telling_sets(times: ndarray, candidates: Sequence[Column]) -> list[list[Column]]:
    """The smallest sets of columns of which each row of a time has other cells, one of those that
    divide the rows alike; at most a few."""
    codes_first = sorted(candidates, key=lambda column: not is_code(column.name))
    candidates = codes_first[:_MOST_CANDIDATES]
    codes = {id(column): column.as_ids()[0] for column in candidates}
    sample = _sample_of(times)
    for size in range(1, _MOST_COLUMNS + 1):
        sets: list[tuple[list[Column], ndarray]] = []
        for columns in combinations(candidates, size):
            codes_of_columns = [codes[id(column)] for column in columns]
            in_sample = [column_codes[sample] for column_codes in codes_of_columns]
            if not _tells_apart(times[sample], in_sample):
                continue
            joint = _joint(codes_of_columns)
            if _tells_apart(times, [joint]) and joint.max() < 0.5 * len(times):
                sets.append((list(columns), joint))
        if sets:
            return _distinct(sets)
    return []


def _distinct(sets: list[tuple[list[Column], ndarray]]) -> list[list[Column]]:
    """The sets, one of those that divide the rows alike; the one of codes alone if there is one."""
    distinct: list[list[Column]] = []
    divisions: list[ndarray] = []
    for columns, joint in sets:
        division = _ranked(joint)
        if not any(np.array_equal(division, other) for other in divisions):
            distinct.append(columns)
            divisions.append(division)
    of_codes = []
    for columns in distinct:
        if all(is_code(column.name) for column in columns):
            of_codes.append(columns)
    return of_codes if len(of_codes) == 1 and len(distinct[0]) > 1 else distinct


def _ranked(codes: ndarray) -> ndarray:
    """Codes renumbered in order of their first rows."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _sample_of(times: ndarray) -> ndarray:
    """Rows of some of the times, all rows of each of them."""
    if len(times) <= _SAMPLE:
        return np.arange(len(times))
    distinct, counts = np.unique(times, return_counts=True)
    most_rows_first = np.argsort(-counts, kind="stable")
    stride = max(1, len(times) // _SAMPLE)
    few = distinct[most_rows_first[::stride]]
    return np.flatnonzero(np.isin(times, few))


def _joint(codes_of_columns: Sequence[ndarray]) -> ndarray:
    """One code (N,) for the codes of several columns."""
    joint = codes_of_columns[0].astype(np.int64)
    for codes in codes_of_columns[1:]:
        pairs = joint * (int(codes.max()) + 1) + codes
        joint = np.unique(pairs, return_inverse=True)[1]
    return joint


def _tells_apart(times: ndarray, parts: Sequence[ndarray]) -> bool:
    return _repeats(times, _joint(parts)) <= _REPEATED * len(times)


def _halves_repeats(times: ndarray, column: Column) -> bool:
    """Whether a column tells half of the repeated rows apart; the others are mistakes."""
    together = _repeats(times, np.zeros(len(times), np.int64))
    apart_by_column = _repeats(times, column.as_ids()[0])
    return apart_by_column <= 0.5 * together


def _sets_with_numbers(times: ndarray, usable: Sequence[Column]) -> list[list[Column]]:
    """Sets with columns of few whole numbers, beside another column of numbers."""
    numeric = [column for column in usable if column.number_share >= NUMBER_SHARE]
    most = len(times) // 3
    few = [column for column in numeric if len(column.as_ids()[1]) <= most and _is_whole(column)]
    others = columns_without(filter(_is_name, usable), few)
    sets = _telling_sets(times, [*others, *few])
    return [columns for columns in sets if columns_without(numeric, columns)]


def _is_whole(column: Column) -> bool:
    if column.numbers is None:
        return False
    values = column.numbers.values
    known = values[np.isfinite(values)]
    return bool((known == np.rint(known)).all())


def _ask_series(sheet: Sheet, sets: list[list[Column]], named: list[Column]) -> str:
    """A question that names only sets that were found to tell all rows apart."""
    if sets:
        shown = [ask("series", ",".join(c.name for c in chosen)) for chosen in sets[:3]]
        columns = list({id(c): c for chosen in sets for c in chosen}.values())
        several = f"{len(sets)} {'sets of columns' if len(sets[0]) > 1 else 'columns'}"
        return (
            f"{sheet.source} has several rows for each time, and {several} that could name the "
            f"series. Say which with {', or '.join(shown)}; or add the rows of each period up with "
            f"{ask('aggregate', 'sum')}. The columns are:\n{sheet.describe(columns)}"
        )
    return (
        f"{sheet.source} has several rows for each time, and its columns of names do not tell them "
        f"apart, not even together. Add the rows of each period up with {ask('aggregate', 'sum')}, "
        f"or give one column that names the series. The columns are:\n{sheet.describe(named)}"
    )


def _puts_in_order(times: ndarray, codes: ndarray) -> bool:
    """Whether times that step back ascend within each of a few codes, without a repeat."""
    order = np.argsort(codes, kind="stable")
    times, codes = times[order], codes[order]
    same = codes[1:] == codes[:-1]
    mostly_same = 3 * np.count_nonzero(same) >= 2 * len(times)
    ascends = times[1:] > times[:-1]
    return bool(mostly_same and ascends[same].all())


def _repeats(times: ndarray, codes: ndarray) -> int:
    """How many rows repeat an earlier row's time and code."""
    places = np.unique(times, return_inverse=True)[1].astype(np.int64)
    pairs = places * (int(codes.max()) + 1) + codes
    return len(times) - len(np.unique(pairs))


def names_of_rows(others: Sequence[Column], size: int) -> list[Column]:
    """The columns that name each row of a table with a row per series: one alone, else the smallest
    set of names that does; empty cells count where another column is filled."""
    named = [column for column in others if _is_name(column) and not column.missing.all()]
    for column in named:
        if _names_each(column, size):
            return [column]
    for count in range(2, _MOST_COLUMNS + 1):
        for columns in combinations(named[:_MOST_CANDIDATES], count):
            joint = _joint([column.as_ids()[0] for column in columns])
            if len(np.unique(joint)) == size:
                return list(columns)
    for column in others:
        if _names_each(column, size):
            return [column]
    return [column for column in others if column.is_text and not column.missing.all()]


def _names_each(column: Column, rows: int) -> bool:
    return len(column.as_ids()[1]) == rows and not column.missing.any()
