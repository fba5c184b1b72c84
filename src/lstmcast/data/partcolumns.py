"""Which columns hold parts of times, by their names and contents, and the numbers they hold."""

# N rows

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

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
    "slot": "period slot interval sp settlementperiod timeslot zeitintervall",
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
    found: dict[str, Part] = {}
    for column in columns:
        kind = kind_of_name(column.name)
        if kind is None or kind in found:
            continue
        part = _part_of(column, kind)
        if part is not None:
            found[part.kind] = found.get(part.kind, part)
    return found


def kind_of_name(name: str) -> str | None:
    """What part of a time a name says, if it says nothing else."""
    words = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold())
    told = [_NAMED[word] for word in words if word in _NAMED]
    if "of" in words and "year" in words and "day" in words:
        return "yearday"
    others = [word for word in words if word not in _NAMED and word not in _BESIDE]
    if not told or others:
        return None
    exact = [kind for kind in told if kind not in ("slot", "hour")] or told
    return exact[0]


def _part_of(column: Column, kind: str) -> Part | None:
    """A column of a kind, where what it holds is that."""
    if kind == "year":
        times = column.times
        if times is None or times.values.dtype.kind != "M" or column.time_share < 0.5:
            return None
        values = column.spread(times.values)
        if not (
            values[~np.isnat(values)] == values[~np.isnat(values)].astype("datetime64[Y]")
        ).all():
            return None
        years = values.astype("datetime64[Y]").astype(np.int64) + 1970
        return Part(column, kind, np.where(np.isnat(values), np.nan, years))
    numbers = _part_numbers(column)
    known = numbers[np.isfinite(numbers)]
    if len(known) < 0.9 * np.count_nonzero(~column.missing) or not len(known):
        return None
    low, high = known.min(), known.max()
    if kind == "slot" and column.is_text and high <= 13:
        kind = _slot_of_letters(column) or kind  # "Period" M01 or Q1, as statistical offices write
    lowest = 0 if kind in ("hour", "minute", "second") else 1
    fits = lowest <= low and high <= _HIGHEST[kind] and (known == np.rint(known)).all()
    return Part(column, kind, numbers) if fits else None


def _slot_of_letters(column: Column) -> str | None:
    letters = {str(text).strip()[:1].casefold() for text in column.data if str(text).strip()}
    kinds = {"m": "month", "q": "quarter", "w": "week", "s": "half", "h": "half"}
    kind = kinds.get(next(iter(letters), "")) if len(letters) == 1 else None
    names = {MONTHS.get(str(text).strip().casefold().rstrip(".")) for text in column.data}
    return "month" if names and None not in names else kind


def _part_numbers(column: Column) -> ndarray:
    """The numbers of a column of parts (N,): 7, 07, M07, Jul; NaN where there is none."""
    if not column.is_text:
        if column.data.dtype.kind not in "if":
            return np.full(len(column), np.nan)
        return column.data.astype(np.float64)
    if len(column.data) > 500:
        return np.full(len(column), np.nan)
    return column.spread(np.array([_part_number(str(text)) for text in column.data], np.float64))


def _part_number(text: str) -> float:
    tidy = text.strip().casefold()
    month = MONTHS.get(tidy.rstrip(".")) or _ROMAN.get(tidy)
    if month is not None:
        return month
    match = _NUMBER.fullmatch(tidy)
    if match is not None:
        return int(match[1])
    return np.nan


def clock_of(column: Column) -> Part | None:
    """A column of clock times, in microseconds since midnight: 13:00, 1:00 PM, 13.00.00, and 1300
    where it is named as a time."""
    if column.is_text:
        sample = [str(text) for text in column.data[:: max(1, len(column.data) // 20)]]
        if len(column.data) > 100_000 or sum(map(_is_clock, sample)) < 0.5 * len(sample):
            return _compact_clock_of(column)
        micros = np.array([_clock_micros(str(text)) for text in column.data])
        there = np.array([bool(str(text).strip()) for text in column.data])
        if there.any() and np.isfinite(micros[there]).mean() > 0.9:
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
    if not len(known) or known.max() <= 24 or known.max() > 2400 or (known % 100 > 59).any():
        return None
    return Part(column, "clock", (numbers // 100 * 60 + numbers % 100) * 60 * 10**6)


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
