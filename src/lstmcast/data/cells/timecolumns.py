"""Find the column of times, or ask which it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from lstmcast.advice import advise
from lstmcast.data.cells.columns import (
    NUMBER_SHARE,
    changes,
    folded_name,
    micros_of,
    words_of,
)
from lstmcast.data.cells.twoclocks import by_one_clock
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.errors import DataError
from lstmcast.util.patterns import pattern_of

# share of the filled cells, as some are titles and totals
DATE_SHARE = 0.6

_TIME_WORDS = """
ds date datetime timestamp time ts day week month quarter year period dteday unix epoch
datum zeit zeitpunkt tag woche monat quartal jahr fecha mes año ano semana data mois jour semaine
année annee trimestre giorno mese anno created tstamp prd période periode periodo período okres
rok år dato vuosi період период год дата tarih dönem yıl data periodo időszak datum období kuupäev
uge uke vecka viikko settimana tydzień týden hét hafta неделя kw yyww
年月日 日付 日時 年月 月 年 年度 期間 週 四半期
"""
_BEGINNING_WORDS = (
    "from start starts starting begin begins beginning von ab anfang beginn inicio inizio début "
    "van desde dal od fra från alku başlangıç início 開始 开始 validfrom datefrom"
)
_END_WORDS = (
    "to end ends ending until stop bis ende fin fine tot hasta til till slut loppu bitiş fim até "
    "koniec konec 終了 结束 validto dateto"
)
_BEGINNING = frozenset(_BEGINNING_WORDS.split())
_END = frozenset(_END_WORDS.split())
# in names without spaces, such as INTERVALSTARTTIME
_BEGINS = pattern_of(r"start|begin|from")
_ENDS = pattern_of(r"end|stop|until")
# of columns that say when a row was written
_WRITTEN = frozenset(
    [
        "created",
        "updated",
        "modified",
        "inserted",
        "loaded",
        "exported",
        "received",
        "retrieved",
    ]
)
# preferred in this order if several columns hold dates
_TIME_NAMES = _TIME_WORDS.split()
_INDEX_NAMES = [
    "t",
    "time",
    "index",
    "step",
    "idx",
    "time_idx",
    "time_index",
    "period",
    "ds",
    "elapsed",
]
_FEWEST_YEARS = 5  # that follow each other, by which a column is one of years
_FEWEST_STEPS = 11  # of numbers that are times by their steps alone
_STAMP = pattern_of(r"column\d+|t|ts|dt|at")


def find_time(sheet: Sheet) -> Column | None:
    """The column of times, None if there is none; DataError if several columns could be it."""
    dated = []
    for column in sheet.columns:
        if column.time_share >= DATE_SHARE and not column.missing.all():
            dated.append(column)
    sure = [column for column in dated if _holds_dates(column)]
    if len(sure) > 1:
        changing = [column for column in sure if changes(column)]
        sure = _best_named(sure, _TIME_NAMES) or changing
    sure = by_one_clock(_without_ends(sure))
    if len(sure) > 1:
        raise DataError(
            f"{sheet.source} has {len(sure)} columns of dates. Choose the time column with "
            f"{advise('time', sure[0].name)}:\n{sheet.describe(sure)}"
        )
    if sure:
        return sure[0]
    return _find_numeric_time(sheet, dated)


def _without_ends(dated: list[Column]) -> list[Column]:
    """Columns of dates without those that say the same as an earlier one, end what it begins, or
    say when rows were written."""
    about_data = [
        column for column in dated if _WRITTEN.isdisjoint(words_of(column.name))
    ]
    dated = about_data or dated
    needed: list[Column] = []
    for column in dated:
        if not any(
            _begins(first, column) or _says_the_same(first, column) for first in needed
        ):
            needed.append(column)
    return needed


def _says_the_same(first: Column, second: Column) -> bool:
    """Whether two columns hold the same time in each row, or the second only its day, as the end of
    what the first begins."""
    begin = micros_of(first)
    end = micros_of(second)
    if begin is None or end is None or not changes(first):
        return False
    if np.array_equal(begin, end, equal_nan=True):
        return True
    days = begin.astype("datetime64[D]")
    is_named_end = not _END.isdisjoint(words_of(second.name))
    if not is_named_end or (end != end.astype("datetime64[D]")).any():
        return False
    lengths = end - days
    within_a_day = np.array([0, 1], "timedelta64[D]")
    return bool(np.isin(lengths, within_a_day).all())


def _has_form(column: Column, form: str) -> bool:
    """Whether the times of a column have this form."""
    return column.times is not None and column.times.form == form


def _holds_dates(column: Column) -> bool:
    """Whether a column holds dates that cannot be read as numbers."""
    return _has_form(column, "date") and column.number_share < NUMBER_SHARE


def _begins(first: Column, second: Column) -> bool:
    """Whether two date columns are starts and ends of periods.

    An end is the next start, or the day before it.
    """
    if first.times is None or second.times is None:
        return False
    begins = _is_named(first, _BEGINNING, _BEGINS)
    if not begins or not _is_named(second, _END, _ENDS):
        return False
    begin = first.spread(first.times.values).astype("datetime64[us]")
    end = second.spread(second.times.values).astype("datetime64[us]")
    lengths = end - begin
    if len(begin) < 3 or np.isnat(lengths).any():
        return False
    if (lengths <= np.timedelta64(0, "us")).any():
        return False
    gaps = begin[1:] - end[:-1]
    usual_gap = np.median(gaps)
    return bool(np.mean(gaps == usual_gap) > 0.9)


def _is_named(column: Column, words: frozenset[str], part: re.Pattern[str]) -> bool:
    """Whether a name has one of the words, or a part of it, where it has no spaces."""
    own_words = words_of(column.name)
    return bool(words & own_words) or any(map(part.search, own_words))


def _find_numeric_time(sheet: Sheet, dated: list[Column]) -> Column | None:
    """A column of whole numbers that are times: 202403, 1949, unix seconds, or 1, 2, 3 by its
    name."""
    if len(sheet.columns) == 1:
        return None
    dated = [column for column in dated if column.times is not None]
    counters = [column for column in dated if _has_form(column, "index")]
    numeric = columns_without(dated, counters)
    best_named = _best_named(numeric, _TIME_NAMES)
    if best_named:
        return best_named[0]
    first = sheet.columns[0]
    is_numeric = any(column is first for column in numeric)
    if is_numeric and changes(first) and (_ascends(first) or _counts_years(first)):
        return first
    stamps = [column for column in numeric if _is_nameless_stamp(column)]
    steady = stamps or [column for column in numeric if _counts_times(column)]
    steady = steady or [column for column in numeric if _counts_years(column)]
    if len(steady) == 1:
        return steady[0]
    best_named = _best_named(counters, _INDEX_NAMES)
    if best_named:
        return best_named[0]
    # a column of dates with much text in it: the error should name its lines
    partly_dated = []
    for column in sheet.columns:
        if column.time_share > 0.2 and _has_form(column, "date"):
            partly_dated.append(column)
    best_named = _best_named(partly_dated, _TIME_NAMES)
    return best_named[0] if best_named else None


def _is_nameless_stamp(column: Column) -> bool:
    """Whether a column without a name, or with one of a letter or two, counts seconds since 1970,
    which little else does."""
    if _STAMP.fullmatch(column.name) is None or column.times is None:
        return False
    return column.times.zone is not None and changes(column) and _ascends(column)


def _counts_years(column: Column) -> bool:
    """Whether a column holds a year in each row, one after the other, up or down."""
    times = micros_of(column)
    if times is None or not _has_form(column, "year") or column.missing.any():
        return False
    years = times.astype("datetime64[Y]").astype(np.int64)
    steps = np.diff(years)
    is_steady = len(steps) >= _FEWEST_YEARS and (steps == steps[0]).all()
    return bool(is_steady and abs(steps[0]) == 1)


def _counts_times(column: Column) -> bool:
    """Whether whole numbers such as 202401, 20240131 and seconds since 1970 are times in even
    steps, whatever their name."""
    times = micros_of(column)
    if times is None or not _has_form(column, "number") or not _ascends(column):
        return False
    distinct = np.unique(times[~np.isnat(times)])
    months = distinct.astype("datetime64[M]")
    units = months if (distinct == months).all() else distinct
    steps = np.diff(units.astype(np.int64))
    return len(steps) >= _FEWEST_STEPS and bool((steps == steps[0]).all())


def _best_named(columns: list[Column], names: Sequence[str]) -> list[Column]:
    """The column with the first of the names, else the only column whose name contains one."""
    folded = [folded_name(column) for column in columns]
    for name in names:
        if name in folded:
            return [columns[folded.index(name)]]
    containing = []
    for column in columns:
        if not words_of(column.name).isdisjoint(names):
            containing.append(column)
    return containing if len(containing) == 1 else []


def _ascends(column: Column) -> bool:
    """Whether times never decrease within a series."""
    if column.times is None:
        return False
    times = column.spread(column.times.values)
    steps = np.diff(times.astype(np.int64))
    steps_back = int(np.count_nonzero(steps < 0))
    return len(steps) > 0 and steps_back <= 0.2 * len(steps)
