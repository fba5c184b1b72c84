"""Which column is the time, which the target, which names the series: the one sensible choice,
or a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np
from numpy import ndarray

from lstmcast.data.sheet import Column, Sheet
from lstmcast.errors import DataError

# of the filled cells; not all of them, since titles and totals stand in a column of times too
_DATE_SHARE = 0.6
_NUMBER_SHARE = 0.5
# distinct times per row, at most, for a panel; more, and the repeats are mistakes in one series
_PANEL_SHARE = 0.75

_TIME_WORDS = """
ds date datetime timestamp time day week month quarter year period dteday
datum zeit zeitpunkt tag woche monat quartal jahr fecha mes año ano semana data mois jour semaine
année annee trimestre giorno mese anno 年月日 日付 日時 年月 月 年 年度 期間 週 四半期
"""
_CALENDAR_WORDS = """
year yr month mnth day hour hr minute second weekday dayofweek dow week quarter season decimal
jahr monat tag stunde woche wochentag quartal 年 月 日 時 曜日
"""
_TARGET_WORDS = """
value values val sales demand quantity qty amount count revenue turnover orders units volume
passengers visitors close
wert umsatz absatz menge anzahl valeur ventes valor ventas cantidad valore vendite
値 売上 売上高 数量 金額 販売数 販売量 販売数量 需要
"""
_ID_WORDS = """
id ids code key no nr store shop item sku product article branch site sensor client customer region
country dept department family line station meter filiale artikel 店舗 商品 品番
"""
_TIME_NAMES = _TIME_WORDS.split()  # in this order, should several columns hold dates
_CALENDAR_PARTS = frozenset(_CALENDAR_WORDS.split())
_TARGET_NAMES = frozenset(_TARGET_WORDS.split())
_ID_NAMES = frozenset(_ID_WORDS.split())
_INDEX_NAMES = ("t", "time", "index", "step", "idx", "time_idx", "time_index", "period", "ds")
_SERIES_NAMES = ("unique_id", "series_id", "series", "item_id", "ts_id", "系列")
_ID_ENDING = re.compile(r"(id|code|店|コード)$")
_ROW_NUMBER = re.compile(r"(unnamed.*|column\d+|index|id|no|nr|row|instant|#)\.?")


class NoSuchColumnError(DataError):
    """A column that was named is not there."""


def ask(option: str, example: str) -> str:
    """How to name a column, on the command line and in Python.

    >>> ask("target", "sales")
    "--target sales (in Python: target='sales')"
    """
    shell = f'"{example}"' if re.search(r"[^\w.,-]", example) else example
    return f"--{option} {shell} (in Python: {option}={example!r})"


def named_column(sheet: Sheet, name: str, role: str) -> Column:
    """The column that the user named, in any case of letters; DataError listing the columns when
    there is none."""
    for column in sheet.columns:
        if column.name == name:
            return column
    folded = [
        column
        for column in sheet.columns
        if column.name.strip().casefold() == str(name).strip().casefold()
    ]
    if len(folded) == 1:
        return folded[0]
    close = get_close_matches(str(name), sheet.names, 1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise NoSuchColumnError(
        f"{sheet.source} has no column {name!r} for the {role}.{hint} Its columns "
        f"are:\n{sheet.describe()}"
    )


def named_columns(sheet: Sheet, names: str | Sequence[str], role: str) -> list[Column]:
    """One or several named columns: a list of names, or one text with commas in it."""
    return [named_column(sheet, name, role) for name in names_in(sheet, names)]


def names_in(sheet: Sheet, names: str | Sequence[str]) -> list[str]:
    """The names that were given, each once; one text with commas in it is several, unless a column
    is called so."""
    if isinstance(names, str):
        own = [column.name.strip().casefold() for column in sheet.columns]
        single = names.strip().casefold() in own or "," not in names
        names = [names] if single else [part.strip() for part in names.split(",") if part.strip()]
    return list(dict.fromkeys(names))


def find_time(sheet: Sheet) -> Column | None:
    """The column of times, None where there is none, DataError where several columns could be
    it."""
    dated = [c for c in sheet.columns if c.time_share >= _DATE_SHARE and not c.missing.all()]
    sure = [
        c
        for c in dated
        if c.times is not None and c.times.form == "date" and c.number_share < _NUMBER_SHARE
    ]
    if len(sure) > 1:
        sure = _best_named(sure, _TIME_NAMES) or [c for c in sure if _changes(c)]
    if len(sure) > 1:
        raise DataError(
            f"{sheet.source} has {len(sure)} columns of dates. Say which one is the time with "
            f"{ask('time', sure[0].name)}:\n{sheet.describe(sure)}"
        )
    if sure:
        return sure[0]
    return _find_numeric_time(sheet, [c for c in dated if c.times is not None])


def _find_numeric_time(sheet: Sheet, dated: list[Column]) -> Column | None:
    """Whole numbers that are times: 202403, 1949, unix seconds, or 1, 2, 3 where the name says
    so."""
    if len(sheet.columns) == 1:
        return None
    counted = [c for c in dated if c.times is not None and c.times.form == "index"]
    numeric = [c for c in dated if not any(c is other for other in counted)]
    named = _best_named(numeric, _TIME_NAMES)
    if named:
        return named[0]
    first = sheet.columns[0]
    if any(c is first for c in numeric) and _changes(first) and _ascends(first):
        return first
    counted = _best_named(counted, _INDEX_NAMES)
    if counted:
        return counted[0]
    half = [
        c
        for c in sheet.columns
        if c.time_share > 0.2 and c.times is not None and c.times.form == "date"
    ]
    # a column of dates with much text in it: the refusal should name its lines
    named = _best_named(half, _TIME_NAMES)
    return named[0] if named else None


def find_target(sheet: Sheet, others: Sequence[Column]) -> Column:
    """The column of numbers to forecast; DataError listing the candidates unless there is one
    sensible choice."""
    numeric = numeric_columns(sheet, others)
    if not numeric:
        raise DataError(
            f"{sheet.source} has no column of numbers to forecast. Numbers are expected beside the "
            f"times; the columns are:\n{sheet.describe()}"
        )
    names = {c.name.strip().casefold(): c for c in numeric}
    for sure in ("y", "target"):
        if sure in names:
            return names[sure]
    likely = [c for name, c in names.items() if name in _TARGET_NAMES]
    if len(likely) == 1 or len(numeric) == 1:
        return (likely or numeric)[0]
    every = (
        ""
        if len(numeric) < 2
        else f", or {ask('target', '*')} for every column as a series of its own"
    )
    raise DataError(
        f"{sheet.source} has {len(numeric)} columns of numbers that could be the target. Say which "
        f"one with {ask('target', _likeliest(numeric).name)}{every}:\n{sheet.describe(numeric)}"
    )


def _likeliest(numeric: list[Column]) -> Column:
    """The column for the example in a question: with a target's name inside its own, else the
    first that is no flag."""
    words = [c for c in numeric if _TARGET_NAMES & _words(c.name)]
    return next(iter(words), next((c for c in numeric if len(np.unique(c.data)) > 2), numeric[0]))


def numeric_columns(sheet: Sheet, others: Sequence[Column]) -> list[Column]:
    """Columns of numbers that may be targets: not `others`, no row numbers, no parts of the
    date."""
    free = [c for c in sheet.columns if not any(c is other for other in others)]
    numeric = [c for c in free if c.number_share >= _NUMBER_SHARE]
    likely = [
        c
        for c in numeric
        if c.name.strip().casefold() not in _CALENDAR_PARTS and not _counts_rows(c)
    ]
    return likely or numeric


def find_series(
    sheet: Sheet, times: ndarray, time: Column | None, target: Column | None
) -> list[Column]:
    """The columns that name the series: none for one series; DataError where several columns
    could be it."""
    free = [c for c in sheet.columns if c is not time and c is not target]
    for name in _SERIES_NAMES:
        for column in free:
            if column.name.strip().casefold() == name and not column.missing.all():
                return [column]
    if (times[1:] > times[:-1]).all():
        return []
    in_turn = [
        c for c in free if c.is_text and _is_code(c.name) and _puts_in_order(times, c.as_ids()[0])
    ]
    if len(in_turn) == 1:  # series that never share a time: one ended before the next began
        return in_turn
    if len(np.unique(times)) > _PANEL_SHARE * len(times):
        return []
    text = [
        c
        for c in free
        if c.number_share < _NUMBER_SHARE and c.time_share < _DATE_SHARE and c.is_text
    ]
    coded = [c for c in free if c.number_share >= _NUMBER_SHARE and _is_code(c.name)]
    candidates = [c for c in (*text, *coded) if not c.missing.all() and _changes(c)]
    repeats = {id(c): _repeats(times, c.as_ids()[0]) for c in candidates}
    telling = [c for c in candidates if repeats[id(c)] <= 0.01 * len(times)]
    if len(telling) == 1 or (telling and _same_rows(telling)):
        return telling[:1]
    if len(candidates) == 1 and repeats[id(candidates[0])] <= 0.5 * _repeats(
        times, np.zeros(len(times), np.int64)
    ):
        return candidates
    if candidates:
        raise DataError(_ask_series(sheet, telling or candidates, bool(telling)))
    return _whole_number_series(sheet, times, free) if target is None else []


def _is_code(name: str) -> bool:
    return bool(_ID_NAMES & _words(name)) or bool(_ID_ENDING.search(name.strip().casefold()))


def _whole_number_series(sheet: Sheet, times: ndarray, free: list[Column]) -> list[Column]:
    """A column of few whole numbers that tells the rows of one time apart, beside another column
    of numbers."""
    numeric = [c for c in free if c.number_share >= _NUMBER_SHARE]
    few = [
        c
        for c in numeric
        if len(c.as_ids()[1]) <= len(times) // 3 and _repeats(times, c.as_ids()[0]) == 0
    ]
    return few if len(few) == 1 and len(numeric) > 1 else []


def _ask_series(sheet: Sheet, columns: list[Column], telling: bool) -> str:
    joined = ",".join(c.name for c in columns[:2])
    several = "" if telling or len(columns) < 2 else f", or {ask('series', joined)}"
    return (
        f"{sheet.source} has several rows for each time, and {len(columns)} "
        f"{'columns' if len(columns) > 1 else 'column'} that could name the series. Say which with "
        f"{ask('series', columns[0].name)}{several}; or add the rows of each period up with "
        f"{ask('aggregate', 'sum')}. The columns are:\n{sheet.describe(columns)}"
    )


def _puts_in_order(times: ndarray, codes: ndarray) -> bool:
    """Whether times that step back ascend within each of a few codes, without a repeat."""
    order = np.argsort(codes, kind="stable")
    times, codes = times[order], codes[order]
    same = codes[1:] == codes[:-1]
    return bool(
        3 * np.count_nonzero(same) >= 2 * len(times) and (times[1:] > times[:-1])[same].all()
    )


def _repeats(times: ndarray, codes: ndarray) -> int:
    """How many rows repeat an earlier row's time and code."""
    places = np.unique(times, return_inverse=True)[1].astype(np.int64)
    return len(times) - len(np.unique(places * (int(codes.max()) + 1) + codes))


def _same_rows(columns: list[Column]) -> bool:
    first = columns[0].as_ids()[0]
    return all(np.array_equal(first, column.as_ids()[0]) for column in columns[1:])


def _best_named(columns: list[Column], names: Sequence[str]) -> list[Column]:
    """The column with the first of the names; else those with a name as a word in theirs, if
    there is just one."""
    folded = [column.name.strip().casefold() for column in columns]
    for name in names:
        if name in folded:
            return [columns[folded.index(name)]]
    inside = [column for column in columns if set(names) & _words(column.name)]
    return inside if len(inside) == 1 else []


def _words(name: str) -> set[str]:
    """The words of a column's name: 'InvoiceDate' and 'invoice_date' have the same two."""
    return set(re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()))


def _changes(column: Column) -> bool:
    distinct = column.data if column.codes is None else np.unique(column.codes)
    return len(distinct) > 1 and (
        column.codes is not None or bool((column.data != column.data[0]).any())
    )


def _ascends(column: Column) -> bool:
    """Whether the times never step back, but at the start of another series."""
    times = column.spread(column.times.values) if column.times else np.zeros(0)
    steps = np.diff(times.astype(np.int64))
    return bool((steps < 0).sum() <= 0.2 * len(steps)) and len(steps) > 0


def _counts_rows(column: Column) -> bool:
    """Whether the column only numbers the rows: 0, 1, 2, … or 1, 2, 3, …, under a name such as
    'id' or none at all."""
    if column.numbers is None or not _ROW_NUMBER.fullmatch(column.name.strip().casefold()):
        return False
    values = column.spread(column.numbers.values)
    return (
        len(values) > 2
        and bool((values == values[0] + np.arange(len(values))).all())
        and values[0] in (0, 1)
    )
