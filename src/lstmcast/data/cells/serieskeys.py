"""Find the columns that name the series: the smallest set that distinguishes rows of one time."""

# N rows

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, combinations

import numpy as np
from numpy import ndarray

from lstmcast.advice import advise
from lstmcast.data.cells.columns import (
    CALENDAR_PARTS,
    NUMBER_SHARE,
    TARGET_NAMES,
    changes,
    words_of,
)
from lstmcast.data.cells.timecolumns import DATE_SHARE
from lstmcast.data.sheet import Column, Sheet, columns_without, folded
from lstmcast.errors import DataError
from lstmcast.util.patterns import pattern_of

# largest ratio of distinct times to rows in a panel; above it, repeats are mistakes in one series
_PANEL_SHARE = 0.75
_ID_WORDS = """
id ids code key no nr store shop plant werk item sku product article branch site sensor client
customer region country dept department family line station meter filiale artikel 店舗 商品 品番
"""
_ID_NAMES = frozenset(_ID_WORDS.split())
_MEASURES = frozenset(
    ["reading", "readings", "price", "cost", "total", "rate", "usage", "load"]
)
_SERIES_NAMES = (
    "unique_id",
    "series_id",
    "series",
    "series_name",
    "item_id",
    "ts_id",
    "系列",
)
_CODE_OF = pattern_of(r"(.*[^\W_])[ _-]?(?:code|コード)")
_ID_ENDING = pattern_of(r"(id|code|店|コード)$")
# largest share of rows that repeat a time and a key, for a key to be accepted
_REPEATED = 0.01
_MOST_COLUMNS = 4  # columns that name the series together
_MOST_CANDIDATES = 10
_SAMPLE = 20_000  # rows on which a set of columns is tried first


def find_series(
    sheet: Sheet, times: ndarray, time: Column | None, target: Column | None
) -> list[Column]:
    """The columns that name the series: none for one series; DataError if several sets could."""
    candidates = columns_without(sheet.columns, [time, target])
    called_series = _called_series(candidates)
    if called_series and _is_believed(times, called_series[0]):
        return called_series[:1]
    if (times[1:] > times[:-1]).all():
        return []
    in_turn = [column for column in candidates if _comes_in_turn(times, column)]
    # series that never share a time: each ended before the next began
    if len(in_turn) == 1:
        return in_turn
    if len(np.unique(times)) > _PANEL_SHARE * len(times):
        return _in_blocks(times, candidates)
    usable = [column for column in candidates if _may_name(column)]
    name_columns = _without_codes_of_names(filter(_is_name, usable))
    sets = _telling_sets(times, name_columns)
    if len(sets) == 1:
        return sets[0]
    if not sets and len(name_columns) == 1 and _halves_repeats(times, name_columns[0]):
        return name_columns
    if not sets and target is None:
        sets = _sets_with_numbers(times, usable)
    if len(sets) == 1:
        return sets[0]
    if called_series and not sets:
        return called_series[:1]
    if sets or name_columns:
        raise DataError(_ask_series(sheet, sets, name_columns))
    return []


def _in_blocks(times: ndarray, candidates: Sequence[Column]) -> list[Column]:
    """The only column of names, one in each row, that puts times in order, block by block, where
    few of them come in several; none elsewhere."""
    if len(np.unique(times)) == len(times):
        return []
    names = [column for column in candidates if column.is_text and _may_name(column)]
    names = [
        column for column in names if _is_name(column) and not column.missing.any()
    ]
    blocks = [column for column in names if _puts_in_order(times, _codes_of(column))]
    return blocks if len(blocks) == 1 else []


def _is_believed(times: ndarray, column: Column) -> bool:
    """Whether a column identifies the series as its name says: "item_id" may be only a part."""
    return column.name.casefold() != "item_id" or _alone(times, column)


def _called_series(columns: Sequence[Column]) -> list[Column]:
    """Columns with usual names of series, the most usual name first."""
    series_columns = []
    for name in _SERIES_NAMES:
        for column in columns:
            if folded(column.name) == name and not column.missing.all():
                series_columns.append(column)
    return series_columns


def _comes_in_turn(times: ndarray, column: Column) -> bool:
    """Whether the times are in order within each code, one code after another."""
    if not column.is_text or not is_code(column.name):
        return False
    return _puts_in_order(times, _codes_of(column))


def _alone(times: ndarray, column: Column) -> bool:
    """Whether a column distinguishes the rows of each time, except for a few mistakes."""
    return _tells_apart(times, [_codes_of(column)])


def _codes_of(column: Column) -> ndarray:
    """The codes of the cells of a column (N,)."""
    codes, _ = column.as_ids()
    return codes


def _may_name(column: Column) -> bool:
    """Whether a column may name series: not a row number, and not a part of the date."""
    if column.missing.all() or not changes(column):
        return False
    name = folded(column.name)
    is_tag = name == "tag" and column.is_text and column.number_share < NUMBER_SHARE
    # a sensor tag is not a German day ("Tag")
    if name in CALENDAR_PARTS and not is_tag:
        return False
    _, ids = column.as_ids()
    return len(ids) < len(column)


def _is_name(column: Column) -> bool:
    """Whether a column holds names, or numbers that are codes by its name."""
    if column.number_share >= NUMBER_SHARE:
        return is_code(column.name)
    return column.is_text and column.time_share < DATE_SHARE


def _without_codes_of_names(columns: Iterable[Column]) -> list[Column]:
    """Columns without those of codes beside the names that they stand for: Area Code beside
    Area."""
    columns = list(columns)
    by_name = {folded(column.name): column for column in columns}
    remaining = []
    for column in columns:
        match = _CODE_OF.fullmatch(folded(column.name))
        base = by_name.get(match[1]) if match is not None else None
        if base is None or not _divide_alike(column, base):
            remaining.append(column)
    return remaining


def _divide_alike(first: Column, second: Column) -> bool:
    return np.array_equal(_ranked(_codes_of(first)), _ranked(_codes_of(second)))


def is_code(name: str) -> bool:
    """Whether a column is named like ids and codes: store, item_id, 店コード."""
    if _ID_ENDING.search(folded(name)) is not None:
        return True
    has_id_word = not _ID_NAMES.isdisjoint(words_of(name))
    return has_id_word and not _is_measure(name)


def _is_measure(name: str) -> bool:
    """Whether a column is named like what is measured or sold: meter_reading, store_sales."""
    words = words_of(name)
    return not words.isdisjoint(TARGET_NAMES) or not words.isdisjoint(_MEASURES)


def _telling_sets(times: ndarray, candidates: Sequence[Column]) -> list[list[Column]]:
    """The smallest sets of columns that distinguish the rows of each time; at most a few.

    Of sets that divide the rows equally, one is kept.
    """
    codes_first = sorted(candidates, key=lambda column: not is_code(column.name))
    candidates = codes_first[:_MOST_CANDIDATES]
    codes_by_column = {id(column): _codes_of(column) for column in candidates}
    sample = _sample_of(times)
    for size in range(1, _MOST_COLUMNS + 1):
        sets: list[tuple[list[Column], ndarray]] = []
        for columns in combinations(candidates, size):
            codes = [codes_by_column[id(column)] for column in columns]
            in_sample = [column_codes[sample] for column_codes in codes]
            if not _tells_apart(times[sample], in_sample):
                continue
            joint = _joint(codes)
            has_repeats = joint.max() < 0.5 * len(times)
            if has_repeats and _tells_apart(times, [joint]):
                sets.append((list(columns), joint))
        if sets:
            return _distinct(sets)
    return []


def _distinct(sets: list[tuple[list[Column], ndarray]]) -> list[list[Column]]:
    """The sets without those that divide the rows equally; sets of codes are preferred."""
    distinct: list[list[Column]] = []
    divisions: list[ndarray] = []
    for columns, joint in sets:
        division = _ranked(joint)
        if not any(np.array_equal(division, earlier) for earlier in divisions):
            distinct.append(columns)
            divisions.append(division)
    of_codes = [columns for columns in distinct if _are_codes(columns)]
    if len(of_codes) == 1 and len(distinct[0]) > 1:
        return of_codes
    return distinct


def _are_codes(columns: Sequence[Column]) -> bool:
    return all(is_code(column.name) for column in columns)


def _ranked(codes: ndarray) -> ndarray:
    """Codes renumbered in order of their first rows."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    in_order = np.argsort(first)
    rank = np.argsort(in_order)
    return rank[inverse]


def _sample_of(times: ndarray) -> ndarray:
    """All rows of some of the times."""
    if len(times) <= _SAMPLE:
        return np.arange(len(times))
    distinct, counts = np.unique(times, return_counts=True)
    most_rows_first = np.argsort(-counts, kind="stable")
    stride = max(1, len(times) // _SAMPLE)
    sampled_times = distinct[most_rows_first[::stride]]
    return np.flatnonzero(np.isin(times, sampled_times))


def _joint(codes_of_columns: Sequence[ndarray]) -> ndarray:
    """One code (N,) for the codes of several columns."""
    joint = codes_of_columns[0].astype(np.int64)
    for codes in codes_of_columns[1:]:
        pairs = joint * (int(codes.max()) + 1) + codes
        joint = np.unique(pairs, return_inverse=True)[1]
    return joint


def _tells_apart(times: ndarray, codes_of_columns: Sequence[ndarray]) -> bool:
    return _repeats(times, _joint(codes_of_columns)) <= _REPEATED * len(times)


def _halves_repeats(times: ndarray, column: Column) -> bool:
    """Whether a column distinguishes half of the repeated rows; the others are mistakes."""
    one_code = np.zeros(len(times), np.int64)
    repeats = _repeats(times, one_code)
    return _repeats(times, _codes_of(column)) <= 0.5 * repeats


def _sets_with_numbers(times: ndarray, usable: Sequence[Column]) -> list[list[Column]]:
    """Sets with columns of few whole numbers, if there is another numeric column."""
    numeric = [column for column in usable if column.number_share >= NUMBER_SHARE]
    code_limit = len(times) // 3
    code_columns = []
    for column in numeric:
        if _is_measure(column.name):
            continue
        _, ids = column.as_ids()
        if len(ids) <= code_limit and _is_whole(column):
            code_columns.append(column)
    name_columns = columns_without(filter(_is_name, usable), code_columns)
    sets = _telling_sets(times, [*name_columns, *code_columns])
    return [columns for columns in sets if columns_without(numeric, columns)]


def _is_whole(column: Column) -> bool:
    if column.numbers is None:
        return False
    values = column.numbers.values
    known_values = values[np.isfinite(values)]
    return bool((known_values == np.rint(known_values)).all())


def _ask_series(
    sheet: Sheet, sets: list[list[Column]], name_columns: list[Column]
) -> str:
    """A question that names only sets that distinguish all rows."""
    if not sets:
        return (
            f"{sheet.source} has several rows for each time, but no combination of its columns of "
            "names distinguishes them. Add up the rows of each period with "
            f"{advise('aggregate', 'sum')}, or give one column that names the series. The columns "
            f"are:\n{sheet.describe(name_columns)}"
        )
    options = []
    for columns in sets[:3]:
        names = ",".join(column.name for column in columns)
        options.append(advise("series", names))
    columns_of_sets = list(dict.fromkeys(chain.from_iterable(sets)))
    noun = "sets of columns" if len(sets[0]) > 1 else "columns"
    return (
        f"{sheet.source} has several rows for each time, and {len(sets)} {noun} that could name "
        f"the series. Choose one with {', or '.join(options)}; or add up the rows of each period "
        f"with {advise('aggregate', 'sum')}. The columns are:\n{sheet.describe(columns_of_sets)}"
    )


def _puts_in_order(times: ndarray, codes: ndarray) -> bool:
    """Whether times that are not in order increase strictly within each of a few codes."""
    order = np.argsort(codes, kind="stable")
    times = times[order]
    codes = codes[order]
    same_code = codes[1:] == codes[:-1]
    ascends = times[1:] > times[:-1]
    mostly_same = 3 * np.count_nonzero(same_code) >= 2 * len(times)
    return bool(mostly_same and ascends[same_code].all())


def _repeats(times: ndarray, codes: ndarray) -> int:
    """How many rows repeat an earlier row's time and code."""
    _, places = np.unique(times, return_inverse=True)
    code_count = int(codes.max()) + 1
    pairs = places.astype(np.int64) * code_count + codes
    return len(times) - len(np.unique(pairs))


def names_of_rows(columns: Sequence[Column], size: int) -> list[Column]:
    """The columns that name the rows of a table with one row per series.

    It is one column, or else the smallest set of columns; cells may be empty if another one is
    filled.
    """
    filled_columns = [column for column in columns if not column.missing.all()]
    name_columns = _without_codes_of_names(filter(_is_name, filled_columns))
    for column in name_columns:
        if _names_each(column, size):
            return [column]
    for count in range(2, _MOST_COLUMNS + 1):
        for chosen_columns in combinations(name_columns[:_MOST_CANDIDATES], count):
            joint = _joint(list(map(_codes_of, chosen_columns)))
            if len(np.unique(joint)) == size:
                return list(chosen_columns)
    for column in columns:
        if _names_each(column, size):
            return [column]
    return [column for column in filled_columns if column.is_text]


def _names_each(column: Column, rows: int) -> bool:
    _, ids = column.as_ids()
    return len(ids) == rows and not column.missing.any()
