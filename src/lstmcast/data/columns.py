"""Which column is the time, which the target, which names the series: the one sensible choice,
or a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.errors import DataError

# of the filled cells; not all of them, since titles and totals stand in a column of times too
DATE_SHARE = 0.6
NUMBER_SHARE = 0.5

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
_BEGINNING = frozenset(["from", "start", "begin", "von", "anfang", "beginn", "inicio", "開始"])
_END = frozenset(["to", "end", "until", "stop", "bis", "ende", "fin", "終了"])
_TIME_NAMES = _TIME_WORDS.split()  # in this order, should several columns hold dates
CALENDAR_PARTS = frozenset(_CALENDAR_WORDS.split())
TARGET_NAMES = frozenset(_TARGET_WORDS.split())
_INDEX_NAMES = ("t", "time", "index", "step", "idx", "time_idx", "time_index", "period", "ds")
_COUNTERS = frozenset(["time", "elapsed", "t", "sec", "seconds", "zeit", "step", "frame", "sample"])
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
    dated = [
        column
        for column in sheet.columns
        if column.time_share >= DATE_SHARE and not column.missing.all()
    ]
    sure = [
        column
        for column in dated
        if column.times is not None
        and column.times.form == "date"
        and column.number_share < NUMBER_SHARE
    ]
    if len(sure) > 1:
        sure = _best_named(sure, _TIME_NAMES) or [c for c in sure if changes(c)]
    if len(sure) > 1 and _begins(sure[0], sure[1]):
        sure = sure[:1]
    if len(sure) > 1:
        raise DataError(
            f"{sheet.source} has {len(sure)} columns of dates. Say which one is the time with "
            f"{ask('time', sure[0].name)}:\n{sheet.describe(sure)}"
        )
    if sure:
        return sure[0]
    return _find_numeric_time(sheet, [column for column in dated if column.times is not None])


def _begins(first: Column, second: Column) -> bool:
    """Whether two columns of dates are the beginnings and the ends of periods: an end is the next
    beginning, or the day before it."""
    named = _BEGINNING & words_of(first.name) and _END & words_of(second.name)
    if not named or first.times is None or second.times is None:
        return False
    begin = first.spread(first.times.values).astype("datetime64[us]")
    end = second.spread(second.times.values).astype("datetime64[us]")
    lengths = end - begin
    if len(begin) < 3 or np.isnat(lengths).any() or (lengths <= np.timedelta64(0, "us")).any():
        return False
    gaps = begin[1:] - end[:-1]
    return bool((gaps == np.median(gaps.astype(np.int64)).astype("timedelta64[us]")).mean() > 0.9)


def _find_numeric_time(sheet: Sheet, dated: list[Column]) -> Column | None:
    """Whole numbers that are times: 202403, 1949, unix seconds, or 1, 2, 3 where the name says
    so."""
    if len(sheet.columns) == 1:
        return None
    counted = [
        column for column in dated if column.times is not None and column.times.form == "index"
    ]
    numeric = columns_without(dated, counted)
    named = _best_named(numeric, _TIME_NAMES)
    if named:
        return named[0]
    first = sheet.columns[0]
    if any(column is first for column in numeric) and changes(first) and _ascends(first):
        return first
    counted = _best_named(counted, _INDEX_NAMES)
    if counted:
        return counted[0]
    half = [
        column
        for column in sheet.columns
        if column.time_share > 0.2 and column.times is not None and column.times.form == "date"
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
    names = {column.name.strip().casefold(): column for column in numeric}
    for sure in ("y", "target"):
        if sure in names:
            return names[sure]
    likely = [c for name, c in names.items() if name in TARGET_NAMES]
    changing = [column for column in numeric if changes(column)]
    if not likely and len(changing) == 1:
        return changing[0]
    if len(likely) == 1 or len(numeric) == 1:
        return (likely or numeric)[0]
    readable = [column for column in numeric if _reads_whole(column)]
    every = (
        f", or {ask('target', '*')} for every column as a series of its own"
        if len(readable) == len(numeric)
        else ""
    )
    raise DataError(
        f"{sheet.source} has {len(numeric)} columns of numbers that could be the target. Say which "
        f"one with {ask('target', _likeliest(readable or numeric).name)}{every}:\n"
        f"{sheet.describe(numeric)}"
    )


def _reads_whole(column: Column) -> bool:
    """Whether a column can be a target as it is: numbers in all of its cells, some of them
    there."""
    if column.numbers is None or column.missing.all():
        return False
    return not column.numbers.bad.any()


def _likeliest(numeric: list[Column]) -> Column:
    """The column for the example in a question: with a target's name inside its own, else the
    first that is no flag."""
    numeric = [column for column in numeric if not _is_decimal_years(column)] or numeric
    words = [column for column in numeric if TARGET_NAMES & words_of(column.name)]
    return next(
        iter(words),
        next((column for column in numeric if len(np.unique(column.data)) > 2), numeric[0]),
    )


def _is_decimal_years(column: Column) -> bool:
    """Whether a column holds years with a fraction, beside the time that was found."""
    times = column.times
    return times is not None and times.form == "year" and column.time_share == 1


def numeric_columns(sheet: Sheet, others: Sequence[Column]) -> list[Column]:
    """Columns of numbers that may be targets: not `others`, no row numbers, no parts of the
    date."""
    free = columns_without(sheet.columns, others)
    numeric = [column for column in free if column.number_share >= NUMBER_SHARE]
    likely = [
        column
        for column in numeric
        if column.name.strip().casefold() not in CALENDAR_PARTS
        and not _counts_rows(column)
        and not _is_clock(column)
    ]
    return likely or numeric


def _is_clock(column: Column) -> bool:
    """Whether a column counts on in even steps under a name for that, such as "Time (s)"."""
    if column.numbers is None or not words_of(column.name) & _COUNTERS:
        return False
    steps = np.diff(column.spread(column.numbers.values))
    return len(steps) > 2 and steps[0] != 0 and bool(np.allclose(steps, steps[0], rtol=1e-6))


def _best_named(columns: list[Column], names: Sequence[str]) -> list[Column]:
    """The column with the first of the names; else those with a name as a word in theirs, if
    there is just one."""
    folded = [column.name.strip().casefold() for column in columns]
    for name in names:
        if name in folded:
            return [columns[folded.index(name)]]
    inside = [column for column in columns if set(names) & words_of(column.name)]
    return inside if len(inside) == 1 else []


def words_of(name: str) -> set[str]:
    """The words of a column's name: 'InvoiceDate' and 'invoice_date' have the same two."""
    return set(re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()))


def changes(column: Column) -> bool:
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
