"""Labels of periods that no shape of a date says, rewritten as dates: fiscal years, quarters, weeks
and months in other words, decimal years, ranges of times.

What a label means is decided for a whole column: `2009/10` alone is a month, beside `1998/99` and
`2010/11` it is a year that ends in the next one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lstmcast.data.labelpairs import (
    MOST,
    PAIR,
    Pair,
    decimal_rule,
    full_year,
    looks_paired,
    mostly,
    numbered_rule,
    season_rule,
    short_month_rule,
    steps_evenly,
)

from .periodwords import named_period
from .ranges import range_start
from .scripts import REPUBLIC
from .shapes import DIGITS, MONTHS, match_shape
from .timenumbers import decimal_times

_SAMPLE = 20
_MONTH_DAY = re.compile(r"(?P<name>[^\W\d_]{3,9})\.?[ -]?(?P<number>\d\d)")
_DAY_MONTH = re.compile(r"(?P<number>\d{1,2})[ -]?(?P<name>[^\W\d_]{3,9})\.?")
_CLOCKS = re.compile(r"(.*\d{4}.*|\d{4}.*) ?(\d\d:\d\d)-(\d\d:\d\d)")
_NO_YEAR = (
    "dates such as {!r} have no year. Write it, or number the rows with --time index --period N, N "
    "rows being one season (in Python: time='index', periods=N)."
)
# spellings of dates and clock times that no shape has, and what to write for them
_SPELLINGS = (
    (r"(.*\d{2,4}[ t_])(\d\d?)\.(\d\d)\.(\d\d)", r"\1\2:\3:\4"),
    (r"(.*[-/.]\d{2,4}[ t_])(\d\d?)\.(\d\d)", r"\1\2:\3"),
    (
        r"(\d{4}[-/.]?\d\d[-/.]?\d\d|\d\d?[-/.]\d\d?[-/.]\d{4})[ t_](\d\d?) ?(?:h|hrs?|uhr|時)?",
        r"\1 \2:00",
    ),
    (r"(.*[-/.]\d{1,4})[ t_](\d\d)(\d\d)", r"\1 \2:\3"),
    (r"(\d{8}):(\d{4}(?:\d\d)?)", r"\1 \2"),
    (r"(\d\d?[a-z]{3}\d{2,4}):(\d\d:.*)", r"\1 \2"),
    (r"(\d{4})[./] ?(\d\d?)[./] ?(\d\d?)\.?", r"\1-\2-\3"),
    (r"(\d\d?:\d\d(?::\d\d)?(?: ?[ap]m)?),? (.*\d)", r"\2 \1"),
    (
        r"(?:the )?(?:week|month|w/?[ecb]) ?"
        r"(?:of|ending|ended|commencing|beginning|starting)? (.*)",
        r"\1",
    ),
    (
        r"(?:end of|as (?:of|at)|q/?e|(?:year|quarter|month|period|\d+ months?)[- ]"
        r"(?:end(?:ed|ing)?|to)) (.*)",
        r"\1",
    ),
    (r"([a-z]{3,9}) (?:qtr|quarter) (\d{4})", r"\1 \2"),
    (r"(\d\d?)\. (\d{4})", r"\1/\2"),
    (r"(\d{4})(\d\d)(\d\d) ?[-~] ?\d{8}", r"\1-\2-\3"),
    (r"(?:yr|year|y)? ?(\d{4})(?: \[.*\])?", r"\1-01"),
    (r"tháng (\d\d?[/-]\d{4})", r"\1"),
    (r"(.*\d{4}) г\.?", r"\1"),
    (r"(.*\d) um (\d.*)", r"\1 \2"),
    # as Oracle, web servers, C and JavaScript write times
    (r"(\d\d-[a-z]{3}-\d\d) (\d\d)\.(\d\d)\.(\d\d)\.(\d+)( [ap]m)?", r"\1 \2:\3:\4\6"),
    (r"\[?(\d\d/[a-z]{3}/\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})\]?", r"\1 \2\3"),
    (r"(?:[a-z]{3} )?([a-z]{3}) (\d\d?) (\d\d:\d\d:\d\d) (\d{4})", r"\2 \1 \4 \3"),
    (
        r"(?:[a-z]{3} )?([a-z]{3}) (\d\d?) (\d{4}) (\d\d:\d\d:\d\d) gmt([+-]\d{4})(?: \(.*\))?",
        r"\2 \1 \3 \4\5",
    ),
    (r"(.*\d) ?uhr", r"\1"),
)
_ZONE_NAMES = re.compile(
    r"(.*\d:\d\d(?::\d\d)?(?: ?[ap]m)?) ?"
    r"\(?(?:[ecmpa]e?[sd]t|cet|cest|bst|ist|jst|wet|west|eet|eest|msk)\)?"
)
_ERA_LETTERS = {"r": "令和", "h": "平成", "s": "昭和", "t": "大正", "m": "明治"}
_ERA = re.compile(
    r"(令和|平成|昭和|大正|明治|[rhstm])\.? ?(\d\d?|元) ?(?:年度?|[./-]) ?"
    r"(?:(0?\d|1[012]) ?[月./-]?)? ?(?:(\d\d?) ?日?)?期?"
)

_REPUBLIC = re.compile(r"1[0-4]\d/\d\d?(?:/\d\d?)?")
# and before 2011, which had year 100
_REPUBLIC_BESIDE = re.compile(r"(\d{2,3})/(\d\d?(?:/\d\d?)?)")


@dataclass(frozen=True)
class Labels:
    """Texts of a column (U,) rewritten as dates; "" where missing, as they were where the rule
    does not hold. `form` is "year" where the labels could be numbers as well."""

    texts: list[str]
    notes: tuple[str, ...] = ()
    form: str = ""
    problem: str | None = None


def ambiguous_labels(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """Labels that have the shape of a date and may mean something else; None where they are what
    they look like.

    tidy: the texts in small letters, "" where missing; known: those that are there.
    """
    sample = known[:: max(1, len(known) // _SAMPLE)]
    if any(_MONTH_DAY.fullmatch(text) for text in sample):
        return _days_without_year(tidy, known, _MONTH_DAY)
    if any(_REPUBLIC.fullmatch(text) for text in (*sample, known[-1])):
        return _republic(tidy, known)
    if mostly(_CLOCKS.fullmatch(text) for text in sample):
        return _clock_ranges(tidy, known)
    if not mostly(looks_paired(text) for text in sample):
        return None
    matches = [PAIR.fullmatch(text) if text else None for text in tidy]
    pairs = [Pair(*(part or "" for part in match.groups())) if match else None for match in matches]
    there = [pair for pair in pairs if pair is not None]
    if len(there) < MOST * len(known):
        return None
    for rule_of in (season_rule, decimal_rule, numbered_rule, short_month_rule):
        rule = rule_of(there)
        if rule is not None:
            texts = [
                rule.rewrite(pair) if pair is not None else text
                for pair, text in zip(pairs, tidy, strict=True)
            ]
            return Labels(texts, (rule.note,) if rule.note else (), rule.form)
    return None


def rewritten_labels(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """Labels that have no shape of a date, rewritten as dates; None where nothing is known of
    them."""
    for labels_of in (_zoned, _spelled, _eras, _ranges, _periods, _seconds):
        labels = labels_of(tidy, known)
        if labels is not None:
            return labels
    return _days_without_year(tidy, known, _DAY_MONTH)


def _clock_ranges(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """2024-03-01 14:00-15:00: what looks like an offset from UTC, and is another at every hour."""
    matches = [_CLOCKS.fullmatch(text) for text in tidy]
    pairs = [(match[2], match[3]) for match in matches if match is not None]
    ordered = sum(start < end or end == "00:00" for start, end in pairs)
    if len({end for _, end in pairs}) <= 2 or ordered < MOST * len(pairs):
        return None
    texts = [
        text if match is None else f"{match[1].rstrip()} {match[2]}"
        for match, text in zip(matches, tidy, strict=True)
    ]
    return Labels(texts, (f"ranges such as {known[0]!r} read as their beginnings",))


def _spelled(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """Dates and clock times that are written a little otherwise: 2022-03-01 05, 18.00.00 after a
    date, 20220301:0100."""
    sample = known[:: max(1, len(known) // _SAMPLE)]
    for pattern, replacement in _SPELLINGS:
        compiled = re.compile(pattern)

        def rewrite(text: str, compiled=compiled, replacement=replacement) -> str:
            match = compiled.fullmatch(text)
            return match.expand(replacement) if match else text

        if mostly(match_shape(rewrite(text).translate(DIGITS)) is not None for text in sample):
            return Labels([rewrite(text) for text in tidy])
    return None


def _zoned(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """Clock times with the name of their zone behind them, which is left off."""
    sample = known[:: max(1, len(known) // _SAMPLE)]
    if not mostly(_ZONE_NAMES.fullmatch(text) for text in sample):
        return None
    matches = [_ZONE_NAMES.fullmatch(text) for text in tidy]
    texts = [m[1] if m is not None else text for m, text in zip(matches, tidy, strict=True)]
    match = _ZONE_NAMES.fullmatch(known[0])
    zone = known[0][match.end(1) :].strip(" ()").upper() if match is not None else "of some"
    return Labels(texts, (f"the name of the time zone ({zone}) was left off: clock times",))


def _eras(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """令和2年1月, R2.1, 平成22年度: years of Japanese eras in any spelling."""
    sample = known[:: max(1, len(known) // _SAMPLE)]
    if not mostly(_ERA.fullmatch(text) is not None for text in sample):
        return None

    def rewrite(text: str) -> str:
        match = _ERA.fullmatch(text)
        if match is None:
            return text
        era, year, month, day = match.groups()
        end = (f"{month}月" if month else "") + (f"{day}日" if day else "")
        return f"{_ERA_LETTERS.get(era, era)}{year}年{end}"

    return Labels([rewrite(text) for text in tidy])


def _republic(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """113/04 and 113/04/01: years of the Republic of China, as Taiwan counts them."""
    matches = [_REPUBLIC_BESIDE.fullmatch(text) for text in known]
    if not mostly(matches):
        return None

    def rewrite(text: str) -> str:
        match = _REPUBLIC_BESIDE.fullmatch(text)
        if match is None:
            return text
        return f"{int(match[1]) + REPUBLIC}-" + match[2].replace("/", "-")

    era = "years of the Republic of China"
    note = f"labels such as {known[0]!r} read as {era}: {rewrite(known[0])}"
    return Labels([rewrite(text) for text in tidy], (note,))


def _ranges(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """Ranges of times, read as their beginnings."""
    cut: dict[str, Callable[[str], str] | None] = {}

    def rewrite(text: str) -> str:
        shape = text.translate(DIGITS)
        if shape not in cut:
            cut[shape] = range_start(text)
        start = cut[shape]
        return text if start is None else start(text)

    sample = known[:: max(1, len(known) // _SAMPLE)]
    if not mostly(rewrite(text) != text for text in sample):
        return None
    return Labels(
        [rewrite(text) if text else "" for text in tidy],
        (f"ranges such as {known[0]!r} read as their beginnings",),
    )


def _periods(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """Years with quarters, weeks, months or half-years in words: FY19 Q1, 2010 Week 05, 2010M01."""
    sample = known[:: max(1, len(known) // _SAMPLE)]
    if not mostly(named_period(text) is not None for text in sample):
        return None
    periods = [named_period(text) if text else None for text in tidy]
    highest = max(period.number for period in periods if period is not None)
    texts = [
        text if period is None else period.settled(highest).text
        for period, text in zip(periods, tidy, strict=True)
    ]
    first = next(period for period in periods if period is not None).settled(highest)
    fiscal = any(period is not None and period.fiscal for period in periods)
    if fiscal:
        what = "years" if first.unit == "year" else f"years and {first.unit}s"
        note = f"labels such as {known[0]!r} read as fiscal {what}, placed as those of the calendar"
    else:
        note = f"labels such as {known[0]!r} read as {_UNIT_NAMES[first.unit]}"
    return Labels(texts, (note,))


_UNIT_NAMES = {
    "year": "years",
    "quarter": "quarters",
    "half": "half-years",
    "month": "months",
    "week": "ISO weeks, which begin on Monday",
    "day": "days of the year",
}
_SECONDS = re.compile(
    r"(?:/?date\()?(?P<whole>\d{9,13})(?P<fraction>\.\d+)?(?:[+-]\d{4})?(?:\)/?)?"
)


def _seconds(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """1640995200.5 as seconds since 1970, /Date(1640995200000)/ as milliseconds."""
    matches = [_SECONDS.fullmatch(text) for text in tidy]
    there = [match for match in matches if match is not None]
    if len(there) < len(known):
        return None
    numbers = np.array([float(m["whole"] + (m["fraction"] or "")) for m in there])
    scale = 1000.0 if numbers.min() > 1e11 else 1.0
    times = decimal_times(numbers / scale)
    if times is None:
        return None
    written = iter(times.values.astype("datetime64[us]").astype(str).tolist())
    texts = ["" if match is None else f"{next(written).casefold()}z" for match in matches]
    unit = "milliseconds" if scale > 1 else "seconds"
    return Labels(texts, (f"numbers read as {unit} since 1970 (UTC)",), "year")


def _days_without_year(
    tidy: list[str], known: Sequence[str], pattern: re.Pattern[str]
) -> Labels | None:
    """10-Jan, Jan-10: a year and a month where that makes even steps; days without a year are a
    problem."""
    matches = [pattern.fullmatch(text) for text in tidy]
    there = [(MONTHS.get(m["name"]), m["number"]) for m in matches if m is not None]
    if len(there) < max(MOST * len(known), 3) or not mostly(month for month, _ in there):
        return None
    months = [(month or 0, number) for month, number in there]
    lengths = (1, 2, 3, 6)
    if any(int(number) > 31 for _, number in months):
        lengths = (*lengths, 12)  # Mar-95, Mar-96: no days
    counted = [12 * full_year(number.zfill(2)) + month for month, number in months]
    if steps_evenly(counted, lengths):
        if pattern is _MONTH_DAY:
            return None  # Jan-10: as dates.py reads it
        texts = [
            text
            if m is None
            else f"{full_year(m['number'].zfill(2))}-{MONTHS.get(m['name'], 99):02d}"
            for m, text in zip(matches, tidy, strict=True)
        ]
        return Labels(texts, (f"labels such as {known[0]!r} read as year and month",))
    days = [31 * month + int(number) for month, number in months]
    ascending = np.diff(days)
    if pattern is _MONTH_DAY and not (mostly(0 < step <= 4 for step in ascending.tolist())):
        return None
    # a leap year has every day; the problem is told should this be the column of times
    texts = [
        text if m is None else f"2000-{MONTHS.get(m['name'], 99):02d}-{int(m['number']):02d}"
        for m, text in zip(matches, tidy, strict=True)
    ]
    return Labels(texts, (), "", _NO_YEAR.format(known[0]))
