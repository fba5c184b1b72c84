"""Which columns hold parts of times, by their names and contents, and the numbers they hold."""

# N rows

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from lstmcast.data.scripts import in_western_signs
from lstmcast.data.shapes import MONTHS
from lstmcast.data.sheet import Column

_WORDS = {
    "year": "year yr yyyy jahr année annee an año ano anno jaar rok år 年 年度",
    "half": "half semester semestre halbjahr 半期",
    "quarter": "quarter qtr quart q quartal trimestre trim kvartal kwartaal 四半期",
    "month": "month mo mm mnth mon monat mois mes mês mese maand måned 月",
    "week": "week wk weeknum weekno isoweek kw woche semaine semana settimana uge vecka 週",
    "yearday": "doy dayofyear yday jday julianday ydays",
    "day": "day dd dy dom mday tag jour día dia giorno dag 日",
    "hour": "hour hr hh h he stunde heure hora ora uur time 時 時間",
    "minute": "minute minutes min mi minuten minuto 分",
    "second": "second seconds sec ss sekunde seconde segundo 秒",
    "slot": "period slot interval sp settlementperiod timeslot zeitintervall 時刻コード コマ",
}
_NAMED = {word: kind for kind, words in _WORDS.items() for word in words.split()}
# words beside those that do not change what a column is
_BESIDE_WORDS = """
of the no nr number start begin beginning ending end local utc gmt cet cest iso mtu settlement in
hours num index calendar fiscal period obs observation reference ref time
"""
_BESIDE = frozenset(_BESIDE_WORDS.split())
_HIGHEST = {
    "half": 2,
    "quarter": 4,
    "month": 13,
    "week": 53,
    "yearday": 366,
    "day": 31,
    "hour": 24,
    "minute": 59,
    "second": 60,
    "slot": 300,
}
_NUMBER = re.compile(
    r"(?:[^\W\d_]{0,6}[. ]?)(\d{1,4})(?:\.0+)?(?:st|nd|rd|th|四半期|半期| ?uhr| ?hrs?|[^\W\d_])?\.?"
)
_CLOCK = re.compile(
    r"(?P<H>\d\d?)(?:[:.h](?P<M>\d\d))(?:[:.](?P<S>\d\d))?(?:[.,]\d+)? ?(?P<half>[ap])?\.?(?:m\.?)?"
    r"(?: ?[-~–] ?\d\d?[:.h]\d\d(?:[:.]\d\d)?(?: ?[ap]\.?m\.?)?)?"
)
_COMPACT = re.compile(r"\b(time|hhmm|hour|hr|stunde|uhrzeit|zeit|heure|hora|時刻)\b")
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}


@dataclass(frozen=True, eq=False)
class Part:
    """A column of a part: its kind, and the numbers of its rows (N,), NaN where there is none."""

    column: Column
    kind: str
    numbers: ndarray


def parts_by_kind(columns: Sequence[Column]) -> dict[str, Part]:
    """The first column of each kind of part that names and contents show."""
    by_kind: dict[str, Part] = {}
    for column in columns:
        kind = kind_of_name(column.name)
        if kind is None or kind in by_kind:
            continue
        part = _part_of(column, kind)
        if part is not None:
            by_kind.setdefault(part.kind, part)
    return by_kind


def kind_of_name(name: str) -> str | None:
    """What part of a time a name says, if it says nothing else."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = re.findall(r"[^\W\d_]+", spaced.casefold())
    if {"day", "of", "year"} <= set(words):
        return "yearday"
    kinds = [_NAMED[word] for word in words if word in _NAMED]
    others = [word for word in words if word not in _NAMED and word not in _BESIDE]
    if not kinds or others:
        return None
    exact = [kind for kind in kinds if kind not in ("slot", "hour")]
    return (exact or kinds)[0]


def _part_of(column: Column, kind: str) -> Part | None:
    """A column of a kind, where what it holds is that."""
    if kind == "year":
        return _year_part(column)
    numbers = _part_numbers(column)
    known = numbers[np.isfinite(numbers)]
    filled = np.count_nonzero(~column.missing)
    if len(known) < 0.9 * filled or not len(known):
        return None
    low, high = known.min(), known.max()
    if kind == "slot" and column.is_text and high <= 13:
        kind = _slot_of_letters(column) or kind  # "Period" M01 or Q1, as statistical offices write
    lowest = 0 if kind in ("hour", "minute", "second") else 1
    is_inside = lowest <= low and high <= _HIGHEST[kind]
    is_whole = (known == np.rint(known)).all()
    return Part(column, kind, numbers) if is_inside and is_whole else None


def _year_part(column: Column) -> Part | None:
    times = column.times
    if times is None or times.values.dtype.kind != "M" or column.time_share < 0.5:
        return None
    values = column.spread(times.values)
    known = values[~np.isnat(values)]
    if (known != known.astype("datetime64[Y]")).any():
        return None
    years = values.astype("datetime64[Y]").astype(np.int64) + 1970
    return Part(column, "year", np.where(np.isnat(values), np.nan, years))


def _slot_of_letters(column: Column) -> str | None:
    texts = [str(text).strip().casefold() for text in column.data]
    months = {MONTHS.get(text.rstrip(".")) for text in texts}
    if months and None not in months:
        return "month"
    letters = {text[:1] for text in texts if text}
    if len(letters) != 1:
        return None
    kinds = {"m": "month", "q": "quarter", "w": "week", "s": "half", "h": "half"}
    return kinds.get(letters.pop())


def _part_numbers(column: Column) -> ndarray:
    """The numbers of a column of parts (N,): 7, 07, M07, Jul; NaN where there is none."""
    if not column.is_text:
        if column.data.dtype.kind not in "if":
            return np.full(len(column), np.nan)
        return column.data.astype(np.float64)
    if len(column.data) > 500:
        return np.full(len(column), np.nan)
    numbers = [_part_number(str(text)) for text in column.data]
    return column.spread(np.array(numbers, np.float64))


def _part_number(text: str) -> float:
    tidy = text.strip().casefold()
    month = MONTHS.get(tidy.rstrip(".")) or _ROMAN.get(tidy)
    tidy = in_western_signs(tidy)
    if month is not None:
        return month
    match = _NUMBER.fullmatch(tidy)
    if match is not None:
        return int(match[1])
    return np.nan


def clock_of(column: Column) -> Part | None:
    """A column of clock times, in microseconds since midnight: 13:00, 1:00 PM, 13.00.00, and 1300
    where it is named as a time."""
    if not column.is_text:
        return _compact_clock_of(column)
    texts = [str(text) for text in column.data]
    sample = texts[:: max(1, len(texts) // 20)]
    clocks = sum(_is_clock(text) for text in sample)
    if len(texts) <= 100_000 and clocks >= 0.5 * len(sample):
        micros = np.array([_clock_micros(text) for text in texts])
        is_filled = np.array([bool(text.strip()) for text in texts])
        if is_filled.any() and np.isfinite(micros[is_filled]).mean() > 0.9:
            return Part(column, "clock", column.spread(micros))
    return _compact_clock_of(column)


def _is_clock(text: str) -> bool:
    return _CLOCK.fullmatch(text.strip().casefold()) is not None


def _compact_clock_of(column: Column) -> Part | None:
    """1300 as a clock time, in a column whose name says so."""
    if not _COMPACT.search(column.name.casefold()):
        return None
    numbers = _part_numbers(column)
    known = numbers[np.isfinite(numbers)]
    if not len(known) or known.max() <= 24 or known.max() > 2400:
        return None
    if (known % 100 > 59).any():
        return None
    minutes = numbers // 100 * 60 + numbers % 100
    return Part(column, "clock", minutes * 60 * 10**6)


def _clock_micros(text: str) -> float:
    match = _CLOCK.fullmatch(text.strip().casefold())
    if match is None:
        return np.nan
    hour = int(match["H"])
    if match["half"] is not None:
        hour = hour % 12 + 12 * (match["half"] == "p")
    minute, second = int(match["M"] or 0), int(match["S"] or 0)
    if hour > 24 or minute > 59 or second > 60:
        return np.nan
    return ((hour * 60 + minute) * 60 + second) * 10.0**6
