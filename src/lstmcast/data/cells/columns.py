"""Find the columns of targets and those that were named, or ask which they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from lstmcast.advice import advise
from lstmcast.data.cells.answers import answers_of
from lstmcast.data.cells.codecolumns import without_codes, without_traits
from lstmcast.data.cells.nestednames import of_level, on_path
from lstmcast.data.cells.partnames import kind_of_name
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.errors import DataError
from lstmcast.util.patterns import pattern_of
from lstmcast.util.spelling import did_you_mean

# share of the filled cells; not all, since a column may hold titles and totals
NUMBER_SHARE = 0.5

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
CALENDAR_PARTS = frozenset(_CALENDAR_WORDS.split())
TARGET_NAMES = frozenset(_TARGET_WORDS.split())
_COUNTS = frozenset(["count", "orders", "quantity", "qty", "units", "anzahl"])
_SUMS = frozenset(["gross", "net", "total", "brutto", "netto"])
_PRICES = frozenset(["price", "last", "kurs", "cours", "precio"])
_KINDS_OF_PERIODS = ("year", "half", "quarter", "month", "week", "yearday", "weekday")
_COUNTERS = frozenset(
    ["time", "elapsed", "t", "sec", "seconds", "zeit", "step", "frame", "sample"]
)
_MOST_ABOVE = 20  # numbered rows above the first one that is read
_ID_NAME = r"(?:.*[\W_])?(?:id|objectid|fid|oid|gid|rowid)"
_ID = pattern_of(_ID_NAME)
_ROW_NUMBER = pattern_of(
    rf"(unnamed.*|column\d+|index|{_ID_NAME}|no|nr|row|record|seq|instant|position|#)\.?"
)
_ENDS = pattern_of(
    r"(?:end|ending|to|bis)[ _](?:hour|hr|minute|period)|"
    r"(?:hour|hr|minute|period|stunde|hora)[ _](?:end|to|bis|hasta)"
)
_CODE = pattern_of(r"(?:.*[\W_])?(?:code|id|oid|uuid|guid)|.*コード")


class NoSuchColumnError(DataError):
    """A named column does not exist."""


def named_column(sheet: Sheet, name: str, role: str) -> Column:
    """The column that the user named, ignoring case; DataError with the columns if there is
    none."""
    for column in sheet.columns:
        if column.name == name:
            return column
    folded = str(name).strip().casefold()
    alike = [column for column in sheet.columns if folded_name(column) == folded]
    alike = alike or on_path(sheet, name)
    if len(alike) == 1:
        return alike[0]
    hint = did_you_mean(name, sheet.names)
    raise NoSuchColumnError(
        f"{sheet.source} has no column {name!r} for the {role}.{hint} Its columns "
        f"are:\n{sheet.describe()}"
    )


def folded_name(column: Column) -> str:
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
        is_name = names.strip().casefold() in map(folded_name, sheet.columns)
        if is_name or "," not in names:
            return [names]
        names = list(filter(None, map(str.strip, names.split(","))))
    return list(dict.fromkeys(names))


def find_target(
    sheet: Sheet, excluded: Sequence[Column], series: Sequence[Column] = ()
) -> Column:
    """The numeric column to forecast; DataError with the candidates unless one is clear.

    excluded: columns with another use, of which series name the series.
    """
    numeric = numeric_columns(sheet, excluded)
    numeric = without_traits(numeric, series)
    if not numeric:
        raise DataError(
            f"{sheet.source} has no numeric column to forecast. Numbers are expected beside the "
            f"times. {_yes_no_advice(sheet, excluded)}Its columns are:\n{sheet.describe()}"
        )
    by_name = {folded_name(column): column for column in numeric}
    for name in ("y", "target"):
        if name in by_name:
            return by_name[name]
    likely = [
        column for name, column in by_name.items() if name.strip("_") in TARGET_NAMES
    ]
    if len(likely) == 1 and _counts_beside_sums(likely[0], numeric):
        likely = []
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
    question = advise("target", example.name)
    if len(readable) == len(numeric):
        question += f", or {advise('target', '*')} to make every column a series"
    raise DataError(
        f"{sheet.source} has {len(numeric)} numeric columns that could be the target. Choose one "
        f"with {question}:\n{sheet.describe(numeric)}"
    )


def _yes_no_advice(sheet: Sheet, excluded: Sequence[Column]) -> str:
    """The option that reads yes and no as numbers, if a column holds them."""
    for column in columns_without(sheet.columns, excluded):
        if answers_of(column) is not None:
            return (
                f"To read yes and no as 1 and 0, use {advise('target', column.name)}. "
            )
    return ""


def _counts_beside_sums(column: Column, numeric: Sequence[Column]) -> bool:
    """Whether a column counts what others sum up: orders beside their gross amounts, the volume of
    trade beside prices."""
    name = folded_name(column).strip("_")
    summed = _SUMS if name in _COUNTS else frozenset()
    if name == "volume":
        summed = _PRICES
    return any(not summed.isdisjoint(words_of(rival.name)) for rival in numeric)


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
        name = folded_name(column)
        says_no_value = name in CALENDAR_PARTS or _CODE.fullmatch(name) is not None
        says_no_value |= kind_of_name(column.name) in _KINDS_OF_PERIODS
        says_no_value |= _ENDS.fullmatch(name) is not None
        if not (counts or repeats or says_no_value):
            likely.append(column)
    return likely or numeric


def _is_clock(column: Column) -> bool:
    """Whether a column counts in even steps and is named like a clock, such as "Time (s)"."""
    if column.numbers is None or not words_of(column.name) & _COUNTERS:
        return False
    steps = np.diff(column.spread(column.numbers.values))
    if len(steps) <= 2 or steps[0] == 0:
        return False
    return bool(np.allclose(steps, steps[0], rtol=1e-6))


def _repeats(column: Column, used_column: Column) -> bool:
    """Whether two columns are the same times, such as a date and seconds since 1970, but for the
    zone of their clocks."""
    times = micros_of(column)
    used_times = micros_of(used_column)
    if times is None or used_times is None or not changes(column):
        return False
    shift = times - used_times
    is_zone = np.abs(shift[0]) < np.timedelta64(1, "D")
    return bool(is_zone and (shift == shift[0]).all())


def micros_of(column: Column) -> np.ndarray | None:
    """The times of a column (N,); None where it has none but numbers of steps."""
    times = column.times
    if times is None or times.values.dtype.kind != "M":
        return None
    return column.spread(times.values).astype("datetime64[us]")


def words_of(name: str) -> set[str]:
    """The words of a column's name: 'InvoiceDate' and 'invoice_date' have the same two."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return set(re.findall(r"[^\W_]+", spaced.casefold()))


def changes(column: Column) -> bool:
    """Whether a column holds more than one value."""
    cells = column.cell_keys
    return len(cells) > 1 and bool((cells != cells[0]).any())


def _counts_rows(column: Column) -> bool:
    """Whether a column only numbers the rows, by values and name: up or down from 0, 1 or a little
    more where rows above were left out."""
    if column.numbers is None or not _ROW_NUMBER.fullmatch(folded_name(column)):
        return False
    values = column.spread(column.numbers.values)
    numbers = values[np.isfinite(values)]  # totals have no number
    is_id = _ID.fullmatch(folded_name(column)) is not None
    if len(numbers) < 3 or not (is_id or numbers.min() in range(_MOST_ABOVE)):
        return False
    steps = np.diff(numbers)
    return bool(np.abs(steps[0]) == 1 and (steps == steps[0]).all())
