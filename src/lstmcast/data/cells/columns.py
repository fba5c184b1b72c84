"""Find the columns of times, target and series, or ask which they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from lstmcast.data.cells.codecolumns import without_codes
from lstmcast.data.cells.nestednames import of_level, on_path
from lstmcast.data.cells.twoclocks import on_one_clock
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.errors import DataError
from lstmcast.util.spelling import did_you_mean

# share of the filled cells; not all, since a column of times may hold titles and totals
DATE_SHARE = 0.6
NUMBER_SHARE = 0.5

_TIME_WORDS = """
ds date datetime timestamp time ts day week month quarter year period dteday unix epoch
datum zeit zeitpunkt tag woche monat quartal jahr fecha mes año ano semana data mois jour semaine
année annee trimestre giorno mese anno created tstamp prd
年月日 日付 日時 年月 月 年 年度 期間 週 四半期
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
_BEGINNING_WORDS = (
    "from start starts starting begin begins beginning von ab anfang beginn inicio inizio début "
    "開始 validfrom datefrom"
)
_END_WORDS = "to end ends ending until stop bis ende fin fine 終了 validto dateto"
_BEGINNING = frozenset(_BEGINNING_WORDS.split())
_END = frozenset(_END_WORDS.split())
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
CALENDAR_PARTS = frozenset(_CALENDAR_WORDS.split())
TARGET_NAMES = frozenset(_TARGET_WORDS.split())
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
]
_COUNTERS = frozenset(
    ["time", "elapsed", "t", "sec", "seconds", "zeit", "step", "frame", "sample"]
)
_ROW_NUMBER = re.compile(
    r"(unnamed.*|column\d+|index|(?:.*[\W_])?(?:id|objectid|fid|oid|gid|rowid)|no|nr|row|record|"
    r"seq|instant|position|#)\.?"
)
_FEWEST_STEPS = 11  # of numbers that are times by their steps alone
_ENDS = re.compile(r"(?:end|ending|to|bis)[ _](?:hour|hr|minute|period)")
_CODE = re.compile(r"(?:.*[\W_])?code|.*コード")


class NoSuchColumnError(DataError):
    """A named column does not exist."""


def ask(option: str, example: str) -> str:
    """The option that names a column, on the command line and in Python.

    >>> ask("target", "sales")
    "--target sales (in Python: target='sales')"
    """
    shell = f'"{example}"' if re.search(r"[^\w.,-]", example) else example
    return f"--{option} {shell} (in Python: {option}={example!r})"


def named_column(sheet: Sheet, name: str, role: str) -> Column:
    """The column that the user named, ignoring case; DataError with the columns if there is
    none."""
    for column in sheet.columns:
        if column.name == name:
            return column
    folded = str(name).strip().casefold()
    alike = [column for column in sheet.columns if _folded(column) == folded]
    alike = alike or on_path(sheet, name)
    if len(alike) == 1:
        return alike[0]
    hint = did_you_mean(name, sheet.names)
    raise NoSuchColumnError(
        f"{sheet.source} has no column {name!r} for the {role}.{hint} Its columns "
        f"are:\n{sheet.describe()}"
    )


def _folded(column: Column) -> str:
    """The name of a column in lower case."""
    return column.name.strip().casefold()


def named_columns(sheet: Sheet, names: str | Sequence[str], role: str) -> list[Column]:
    """One or several named columns: a list of names, or one text with commas in it.

    As targets, a name of two levels of names, close/AAPL and close/MSFT, is all of its columns.
    """
    columns: list[Column] = []
    for name in names_in(sheet, names):
        group = of_level(sheet, name) if role == "target" else []
        columns += group or [named_column(sheet, name, role)]
    return columns


def names_in(sheet: Sheet, names: str | Sequence[str]) -> list[str]:
    """The given names without repeats; a text with commas is several names unless it is a
    column."""
    if isinstance(names, str):
        is_name = names.strip().casefold() in map(_folded, sheet.columns)
        if is_name or "," not in names:
            return [names]
        names = list(filter(None, map(str.strip, names.split(","))))
    return list(dict.fromkeys(names))


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
    sure = on_one_clock(_without_ends(sure))
    if len(sure) > 1:
        raise DataError(
            f"{sheet.source} has {len(sure)} columns of dates. Choose the time column with "
            f"{ask('time', sure[0].name)}:\n{sheet.describe(sure)}"
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
    begin, end = _micros_of(first), _micros_of(second)
    if begin is None or end is None or not changes(first):
        return False
    if np.array_equal(begin, end, equal_nan=True):
        return True
    days = begin.astype("datetime64[D]")
    is_end = (
        bool(_END & words_of(second.name))
        and (end == end.astype("datetime64[D]")).all()
    )
    return is_end and bool(
        np.isin(end - days, np.array([0, 1], "timedelta64[D]")).all()
    )


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
    are_named = _BEGINNING & words_of(first.name) and _END & words_of(second.name)
    if not are_named or first.times is None or second.times is None:
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
    if is_numeric and changes(first) and _ascends(first):
        return first
    stamps = [column for column in numeric if _is_nameless_stamp(column)]
    steady = stamps or [column for column in numeric if _counts_times(column)]
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
    """Whether a column without a name counts seconds since 1970, which little else does."""
    if re.fullmatch(r"column\d+", column.name) is None or column.times is None:
        return False
    return column.times.zone is not None and changes(column) and _ascends(column)


def _counts_times(column: Column) -> bool:
    """Whether whole numbers such as 202401, 20240131 and seconds since 1970 are times in even
    steps, whatever their name."""
    times = _micros_of(column)
    if times is None or not _has_form(column, "number") or not _ascends(column):
        return False
    distinct = np.unique(times[~np.isnat(times)])
    months = distinct.astype("datetime64[M]")
    units = months if (distinct == months).all() else distinct
    steps = np.diff(units.astype(np.int64))
    return len(steps) >= _FEWEST_STEPS and bool((steps == steps[0]).all())


def find_target(sheet: Sheet, excluded: Sequence[Column]) -> Column:
    """The numeric column to forecast; DataError with the candidates unless one is clear."""
    numeric = numeric_columns(sheet, excluded)
    if not numeric:
        raise DataError(
            f"{sheet.source} has no numeric column to forecast. Numbers are expected beside the "
            f"times. Its columns are:\n{sheet.describe()}"
        )
    by_name = {_folded(column): column for column in numeric}
    for name in ("y", "target"):
        if name in by_name:
            return by_name[name]
    likely = [
        column for name, column in by_name.items() if name.strip("_") in TARGET_NAMES
    ]
    changing = [column for column in numeric if changes(column)]
    if len(changing) > 1:
        changing = without_codes(sheet, changing)
    if not likely and len(changing) == 1:
        return changing[0]
    if len(likely) == 1:
        return likely[0]
    if len(numeric) == 1:
        return (likely or numeric)[0]
    readable = [column for column in numeric if _reads_whole(column)]
    example = _likeliest(readable or numeric)
    question = ask("target", example.name)
    if len(readable) == len(numeric):
        question += f", or {ask('target', '*')} to make every column a series"
    raise DataError(
        f"{sheet.source} has {len(numeric)} numeric columns that could be the target. Choose one "
        f"with {question}:\n{sheet.describe(numeric)}"
    )


def _reads_whole(column: Column) -> bool:
    """Whether a column can be a target as it is: all of its cells are numbers or empty."""
    if column.numbers is None or column.missing.all():
        return False
    return not column.numbers.bad.any()


def _likeliest(numeric: list[Column]) -> Column:
    """The example column of a question: one with the name of a target in its own, else the first.

    Flags are not chosen.
    """
    numeric = [column for column in numeric if not _is_decimal_years(column)] or numeric
    for column in numeric:
        if TARGET_NAMES & words_of(column.name):
            return column
    for column in numeric:
        if len(np.unique(column.data)) > 2:
            return column
    return numeric[0]


def _is_decimal_years(column: Column) -> bool:
    """Whether a column holds fractional years, besides the time column."""
    times = column.times
    return times is not None and times.form == "year" and column.time_share == 1


def numeric_columns(sheet: Sheet, excluded: Sequence[Column]) -> list[Column]:
    """Numeric columns that may be targets: not `excluded`, no row numbers, no parts of the date."""
    candidates = columns_without(sheet.columns, excluded)
    numeric = [column for column in candidates if column.number_share >= NUMBER_SHARE]
    likely = []
    for column in numeric:
        counts = _counts_rows(column) or _is_clock(column)
        repeats = any(_repeats(column, used_column) for used_column in excluded)
        name = _folded(column)
        says_no_value = name in CALENDAR_PARTS or _CODE.fullmatch(name) is not None
        says_no_value |= _ENDS.fullmatch(name) is not None
        if not (counts or repeats or says_no_value):
            likely.append(column)
    return likely or numeric


def _is_clock(column: Column) -> bool:
    """Whether a column counts in even steps and is named like a clock, such as "Time (s)"."""
    if column.numbers is None or not words_of(column.name) & _COUNTERS:
        return False
    steps = np.diff(column.spread(column.numbers.values))
    return (
        len(steps) > 2
        and steps[0] != 0
        and bool(np.allclose(steps, steps[0], rtol=1e-6))
    )


def _repeats(column: Column, used_column: Column) -> bool:
    """Whether two columns are the same times, such as a date and seconds since 1970, but for the
    zone of their clocks."""
    times, used_times = _micros_of(column), _micros_of(used_column)
    if times is None or used_times is None or not changes(column):
        return False
    shift = times - used_times
    is_zone = np.abs(shift[0]) < np.timedelta64(1, "D")
    return bool(is_zone and (shift == shift[0]).all())


def _micros_of(column: Column) -> np.ndarray | None:
    """The times of a column (N,); None where it has none but numbers of steps."""
    times = column.times
    if times is None or times.values.dtype.kind != "M":
        return None
    return column.spread(times.values).astype("datetime64[us]")


def _best_named(columns: list[Column], names: Sequence[str]) -> list[Column]:
    """The column with the first of the names, else the only column whose name contains one."""
    folded = [_folded(column) for column in columns]
    for name in names:
        if name in folded:
            return [columns[folded.index(name)]]
    containing = []
    for column in columns:
        if not words_of(column.name).isdisjoint(names):
            containing.append(column)
    return containing if len(containing) == 1 else []


def words_of(name: str) -> set[str]:
    """The words of a column's name: 'InvoiceDate' and 'invoice_date' have the same two."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return set(re.findall(r"[^\W_]+", spaced.casefold()))


def changes(column: Column) -> bool:
    """Whether a column holds more than one value."""
    cells = column.data if column.codes is None else column.codes
    return len(cells) > 1 and bool((cells != cells[0]).any())


def _ascends(column: Column) -> bool:
    """Whether times never decrease within a series."""
    if column.times is None:
        return False
    times = column.spread(column.times.values)
    steps = np.diff(times.astype(np.int64))
    steps_back = int(np.count_nonzero(steps < 0))
    return len(steps) > 0 and steps_back <= 0.2 * len(steps)


def _counts_rows(column: Column) -> bool:
    """Whether a column only numbers the rows (0, 1, 2, … or 1, 2, 3, …), by values and name."""
    if column.numbers is None or not _ROW_NUMBER.fullmatch(_folded(column)):
        return False
    values = column.spread(column.numbers.values)
    if len(values) < 3 or values[0] not in (0, 1):
        return False
    row_numbers = values[0] + np.arange(len(values))
    return bool((values == row_numbers).all())
