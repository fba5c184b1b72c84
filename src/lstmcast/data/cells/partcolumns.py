"""Find columns that hold parts of times, by name and content, and read their numbers."""

# N rows

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.acrossparts import WEEKDAYS
from lstmcast.data.cells.columns import NUMBER_SHARE
from lstmcast.data.scripts import western_halves
from lstmcast.data.sheet import Column, folded
from lstmcast.data.times.seasonlabels import middle_month
from lstmcast.data.times.shapes import month_named, tidied
from lstmcast.util.patterns import pattern_of

_HIGHEST = {
    "half": 2,
    "quarter": 4,
    "bimonth": 6,
    "month": 13,
    "week": 53,
    "weekday": 7,
    "yearday": 366,
    "day": 31,
    "hour": 25,
    "minute": 59,
    "second": 60,
    "slot": 300,
}
_NUMBER = pattern_of(
    r"(?:[^\W\d_]{0,6}[. ]?)(\d{1,6})(?:\.0+)?"
    r"(?:st|nd|rd|th|四半期|半期| ?uhr| ?hrs?| ?h| ?utc| ?gmt|[^\W\d_])?\.?"
    r"(?: ?(?:quartal|quarter|qtr|trimestre|kwartał|čtvrtletí|halbjahr|semestre))?"
    r"(?: ?[-~] ?\d{1,2} ?(?:時|h|uhr)?)?"
)
_CLOCK = pattern_of(
    r"(?P<H>\d\d?)(?:[:.h](?P<M>\d\d)|(?= ?[ap]\.?m))(?:[:.](?P<S>\d\d))?(?:[.,]\d+)?"
    r" ?(?P<half>[ap])?\.?(?:m\.?)?(?: ?(?:hrs?\.?|h|uhr|uur))?"
    r"(?: ?[-~–] ?\d\d?[:.h]\d\d(?:[:.]\d\d)?(?: ?[ap]\.?m\.?)?)?"
)
_HOUR_RANGE = pattern_of(r"(\d\d?) ?(?:h|uhr)? ?[-–~] ?(\d\d?) ?(?:h|uhr)?")
_COMPACT = pattern_of(
    r"\b(time|hhmm|hhmmss|hour|hr|stunde|uhrzeit|zeit|heure|hora|ora|ore|klo|tid|tijd|godzina|"
    r"czas|čas|hodina|uur|saat|óra|idő|время|час|clock|時刻|時間|时间|时刻|시간)\b"
)
# names of rows that sum up a year, in a column of months or quarters
_SUMS = pattern_of(
    r"(?:m13|q0?5|s0?3|a0?1|fy|total|annual|annual average|year|average|avg|mean|sum|jahr|gesamt|"
    r"summe|année|anual|計|合計|年計|年間|通年|平均)\.?"
)
_SLOT_LETTERS = {"m": "month", "q": "quarter", "w": "week", "s": "half", "h": "half"}
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}


@dataclass(frozen=True, eq=False)
class Part:
    """A column of a part: its kind, and its numbers (N,), NaN if missing."""

    column: Column
    kind: str
    numbers: ndarray


_MAY_BE_PARTED = ("day", "yearday", "hour")  # days and hours with fractions


def part_of(column: Column, kind: str) -> Part | None:
    """A column of a kind, if its content agrees."""
    if kind == "year":
        return year_part(column)
    if kind in ("day", "weekday") and _names_weekdays(column):
        days = [WEEKDAYS.get(folded(text), np.nan) for text in column.data]
        return Part(column, "weekday", column.spread(np.array(days)) + 1)
    numbers = part_numbers(column)
    if kind in _MAY_BE_PARTED:
        numbers = _with_fractions(column, numbers)
    known_numbers = numbers[np.isfinite(numbers)]
    filled_cells = np.count_nonzero(~column.missing & ~sums_of(column))
    if not len(known_numbers) or len(known_numbers) < 0.9 * filled_cells:
        return None
    low = known_numbers.min()
    high = known_numbers.max()
    if kind == "slot" and column.is_text and high <= 13:
        # "Period" M01 or Q1, as statistical offices write
        kind = slot_of_letters(column) or kind
    lowest = 0 if kind in ("hour", "minute", "second", "slot") else 1
    is_inside = lowest <= low and high <= _HIGHEST[kind]
    is_whole = kind in _MAY_BE_PARTED or _are_whole(known_numbers)
    high = np.floor(high)
    return Part(column, kind, numbers) if is_inside and is_whole else None


def _are_whole(numbers: ndarray) -> bool:
    return bool((numbers == np.rint(numbers)).all())


def _with_fractions(column: Column, numbers: ndarray) -> ndarray:
    """The numbers of a column of days or hours, with their fractions where it has some (N,)."""
    if column.numbers is None or column.number_share < 1:
        return numbers
    values = column.spread(column.numbers.values).astype(np.float64)
    known_values = values[np.isfinite(values)]
    has_several = len(np.unique(known_values % 1)) > 1
    return values if has_several else numbers


def _names_weekdays(column: Column) -> bool:
    """Whether a column of texts holds nothing but names of days of the week."""
    if not column.is_text or not 1 < len(column.data) <= 8:
        return False
    texts = [folded(text) for text in column.data if str(text).strip()]
    return len(texts) > 1 and all(text in WEEKDAYS for text in texts)


def year_part(column: Column) -> Part | None:
    times = _without_notes(column).times
    if times is None or times.values.dtype.kind != "M":
        return None
    values = column.spread(times.values)
    is_missing = np.isnat(values)
    if 2 * np.count_nonzero(~is_missing) < np.count_nonzero(~column.missing):
        return None
    years = values.astype("datetime64[Y]")
    begins_year = values == years
    if not begins_year[~is_missing].all():
        return None
    numbers = years.astype(np.int64) + 1970
    return Part(column, "year", np.where(is_missing, np.nan, numbers))


def sums_of(column: Column) -> ndarray:
    """Whether each row of a column of months or quarters sums up the others (N,)."""
    if not column.is_text:
        return column.data == 13
    texts = [str(text).strip().casefold() for text in column.data]
    higher = {text[0] for text in texts if part_number(text) > 13}
    are_sums = []
    for text in texts:
        # S03 beside S52 is a semaine
        is_week = text[:1] in higher and text[-1:].isdigit()
        are_sums.append(_SUMS.fullmatch(text) is not None and not is_week)
    return column.spread(np.array(are_sums, bool))


def _without_notes(column: Column) -> Column:
    """A column of years with other text, such as notes below the table, removed."""
    if not column.is_text or column.times is not None:
        return column
    is_year = [
        re.fullmatch(r"\s*\d{4}\s*", str(text)) is not None for text in column.data
    ]
    return replace(column, data=np.where(is_year, column.data, ""))


def slot_of_letters(column: Column) -> str | None:
    texts = [folded(text) for text in column.data]
    if texts and all(map(month_named, texts)):
        return "month"
    letters = {text[0] for text in texts if text}
    if len(letters) != 1:
        return None
    return _SLOT_LETTERS.get(letters.pop())


def part_numbers(column: Column) -> ndarray:
    """The numbers of a column of parts (N,): 7, 07, M07, Jul; NaN where there is none."""
    if not column.is_text:
        if column.data.dtype.kind not in "if":
            return np.full(len(column), np.nan)
        return column.data.astype(np.float64)
    if len(column.data) > 500:
        return np.full(len(column), np.nan)
    numbers = [part_number(str(text)) for text in column.data]
    return column.spread(np.array(numbers, np.float64))


def part_number(text: str) -> float:
    tidy = folded(text)
    month = month_named(tidy) or _ROMAN.get(tidy) or middle_month(tidy)
    tidy = tidy if tidy.isascii() else tidied(tidy)
    if month is not None:
        return month
    match = _NUMBER.fullmatch(tidy)
    if match is not None:
        return int(match[1])
    return np.nan


def clock_of(column: Column) -> Part | None:
    """A column of clock times, in microseconds since midnight: 13:00, 1:00 PM, 13.00.00, and 1300
    where it is named as a time."""
    clock = None
    if column.is_text:
        clock = _from_beginnings(_written_clock_of(column)) or _hour_ranges_of(column)
    for clock_of_numbers in (_minutes_of_day, _compact_clock_of, _fractions_of_day):
        clock = clock or clock_of_numbers(column)
    return clock


def _from_beginnings(clock: Part | None) -> Part | None:
    """Clock times of the ends of periods, 01:00 to 24:00, as their beginnings."""
    if clock is None:
        return clock
    length = np.nanmin(clock.numbers)
    is_day = np.nanmax(clock.numbers) == _DAY and length > 0
    if not is_day or (clock.numbers % length > 0).any():
        return clock
    says_so = _ENDS.search(_spaced_name(clock.column)) is not None
    ends = np.unique(clock.numbers[np.isfinite(clock.numbers)])
    if not says_so and len(ends) * length != _DAY:
        return clock
    return replace(clock, numbers=clock.numbers - length)


_FEWEST_OF_A_DAY = 23  # steps of an hour
_PADDED = pattern_of(r"(?:[01]\d|2[0-4])[0-5]\d(?:[0-5]\d)?")
_NEARLY = 0.08  # of a minute, as four digits of a day tell
_DAY = 24 * 3600 * 10**6
_ENDS = pattern_of(r"\b(?:ending|he)\b")


def _spaced_name(column: Column) -> str:
    """The name of a column in small letters, HourEnding in two words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column.name).casefold()


def _minutes_of_day(column: Column) -> Part | None:
    """Minutes or seconds since midnight, in a column whose name says so."""
    name = _spaced_name(column)
    match = re.search(
        r"(minute|second)s?[ _]?(?:of[ _]?(?:the[ _]?)?day|(?:since|after)[ _]?midn)",
        name,
    )
    numbers = part_numbers(column)
    if match is None:
        if re.fullmatch(r"min|minutes?", name) and _fill_a_day(numbers):
            return Part(column, "clock", numbers * 60 * 10**6)
        if re.fullmatch(r"sec|seconds?", name) and _fill_a_day(numbers / 60):
            return Part(column, "clock", numbers * 10**6)
        return None
    unit = {"minute": 60, "second": 1}[match[1]]
    known_numbers = numbers[np.isfinite(numbers)]
    if not len(known_numbers) or known_numbers.max() * unit > 86_400:
        return None
    return Part(column, "clock", numbers * unit * 10**6)


def _fill_a_day(minutes: ndarray) -> bool:
    """Whether minutes such as 0, 15, …, 1425 are all steps of a day."""
    distinct = np.unique(minutes)
    steps = np.diff(distinct)
    if len(steps) < _FEWEST_OF_A_DAY or (steps != steps[0]).any():
        return False
    return bool(distinct[0] in (0, steps[0]) and len(distinct) * steps[0] == 1440)


def _fractions_of_day(column: Column) -> Part | None:
    """Fractions of a day, as spreadsheets keep clock times, in a column named as one: 0.5."""
    if not _COMPACT.search(column.name.casefold()) or column.numbers is None:
        return None
    fractions = column.spread(column.numbers.values)
    known_fractions = fractions[np.isfinite(fractions)]
    if not len(known_fractions) or known_fractions.max() >= 1:
        return None
    minutes = known_fractions * 1440
    are_minutes = np.abs(minutes - np.rint(minutes)) < _NEARLY
    if known_fractions.min() < 0 or minutes.max() == 0 or not are_minutes.all():
        return None
    return Part(column, "clock", np.rint(fractions * 1440) * 60 * 10**6)


def _hour_ranges_of(column: Column) -> Part | None:
    """00 - 01, 01 - 02, …, 23 - 00: hours from one to the next."""
    if not 12 <= len(column.data) <= 30:
        return None
    hours = []
    for text in column.data:
        hour = _hour_of_range(folded(text))
        if hour is None:
            return None
        hours.append(hour)
    micros = np.array(hours, np.float64) * 3600 * 10**6
    return Part(column, "clock", column.spread(micros))


def _hour_of_range(text: str) -> float | None:
    """The hour that a range begins with, NaN where the text is empty; None where it is none."""
    if not text:
        return np.nan
    match = _HOUR_RANGE.fullmatch(text)
    if match is None:
        return None
    begin = int(match[1])
    end = int(match[2])
    return begin if begin < 24 and end in (begin + 1, 0) else None


def _written_clock_of(column: Column) -> Part | None:
    """Clock times with a colon or the like."""
    if column.number_share >= NUMBER_SHARE and not _COMPACT.search(
        column.name.casefold()
    ):
        return None  # 20.25 is a longitude, and half past ten in a column called time
    texts = [str(text) for text in column.data]
    sample = texts[:: max(1, len(texts) // 20)]
    clocks = sum(_is_clock(text) for text in sample)
    if len(texts) > 100_000 or clocks < 0.5 * len(sample):
        return None
    micros = np.array([_clock_micros(text) for text in texts])
    is_filled = np.array([bool(text.strip()) for text in texts])
    is_clock = np.isfinite(micros[is_filled])
    if not len(is_clock) or is_clock.mean() <= 0.9:
        return None
    return Part(column, "clock", column.spread(micros))


def _is_clock(text: str) -> bool:
    return _CLOCK.fullmatch(_clock_text(text)) is not None


def _clock_text(text: str) -> str:
    """A clock time in small letters, with am and pm behind it."""
    folded_text = folded(text)
    if folded_text.isascii():
        return re.sub(r"(?<=[ap]\.) (?=m\.$)", "", folded_text)
    return western_halves(tidied(folded_text))


def _compact_clock_of(column: Column) -> Part | None:
    """Read 1300 as a clock time, in a column named as a time, or 0100 and 010000 without a name."""
    says_so = _COMPACT.search(column.name.casefold()) is not None
    if not says_so and not _has_padded_clocks(column):
        return None
    numbers = part_numbers(column)
    known_numbers = numbers[np.isfinite(numbers)]
    if not len(known_numbers) or known_numbers.max() < 100:
        return None
    if known_numbers.max() > 2400:
        return _compact_seconds(column, numbers)
    if (known_numbers % 100 > 59).any():
        return None
    minutes = numbers // 100 * 60 + numbers % 100
    return Part(column, "clock", minutes * 60 * 10**6)


def _has_padded_clocks(column: Column) -> bool:
    """Whether a column without a name holds most hours of a day in four or six digits."""
    is_unnamed = re.fullmatch(r"column\d+", column.name) is not None
    if not is_unnamed or not column.is_text:
        return False
    texts = [str(text).strip() for text in column.data]
    if not all(map(_PADDED.fullmatch, texts)) or len(set(map(len, texts))) > 1:
        return False
    return len({text[:2] for text in texts}) >= _FEWEST_OF_A_DAY


def _compact_seconds(column: Column, numbers: ndarray) -> Part | None:
    """Read 130000 as 13:00:00."""
    known = numbers[np.isfinite(numbers)]
    hours = known // 10_000
    minutes = known // 100 % 100
    seconds = known % 100
    if hours.max() > 24 or minutes.max() > 59 or seconds.max() > 59:
        return None
    in_seconds = numbers // 10_000 * 3600 + numbers // 100 % 100 * 60 + numbers % 100
    return Part(column, "clock", in_seconds * 10**6)


def _clock_micros(text: str) -> float:
    match = _CLOCK.fullmatch(_clock_text(text))
    if match is None:
        return np.nan
    hour = int(match["H"])
    minute = int(match["M"] or 0)
    second = int(match["S"] or 0)
    if match["half"] is not None:
        hour %= 12
    if match["half"] == "p":
        hour += 12
    if hour > 24 or minute > 59 or second > 60:
        return np.nan
    minutes = hour * 60 + minute
    return (minutes * 60 + second) * 10.0**6
