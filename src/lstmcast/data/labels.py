"""Labels of periods that no shape of a date says, rewritten as dates: fiscal years, quarters, weeks
and months in other words, decimal years, ranges of times.

What a label means is decided for a whole column: `2009/10` alone is a month, beside `1998/99` and
`2010/11` it is a year that ends in the next one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .periodwords import Period, named_period
from .ranges import range_start
from .shapes import DIGITS, MONTHS, match_shape
from .timenumbers import decimal_times

# U distinct texts

_PAIR = re.compile(
    r"(?P<prefix>(?:fy|sy|ay) ?)?'?(?P<a>\d{1,4}) ?(?P<sep>[-/.:_ ]) ?'?(?P<b>\d{1,12})(?: ?年度?)?"
)
_SAMPLE = 20
_MOST = 0.9  # of the texts, that must follow a rule for it to be believed
_SINGLE_YEAR_FROM = 4  # texts without a century need that many to show which part is the year
_YEARS = range(1500, 2201)
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
    (r"(.*\d) um (\d.*)", r"\1 \2"),
    (r"(.*\d) ?uhr", r"\1"),
)
_ZONE_NAMES = re.compile(
    r"(.*\d:\d\d(?::\d\d)?(?: ?[ap]m)?) ?"
    r"\(?(?:[ecmpa]e?[sd]t|cet|cest|bst|ist|jst|wet|west|eet|eest|msk)\)?"
)
_ERA_LETTERS = {"r": "令和", "h": "平成", "s": "昭和", "t": "大正", "m": "明治"}
_ERA = re.compile(
    r"(令和|平成|昭和|大正|明治|[rhstm])\.? ?(\d\d?|元) ?(?:年度?|[./-]) ?"
    r"(?:(\d\d?) ?[月./-]?)? ?(?:(\d\d?) ?日?)?期?"
)


@dataclass(frozen=True)
class Labels:
    """Texts of a column (U,) rewritten as dates; "" where missing, as they were where the rule
    does not hold. `form` is "year" where the labels could be numbers as well."""

    texts: list[str]
    notes: tuple[str, ...] = ()
    form: str = ""
    problem: str | None = None


class _Pair(NamedTuple):
    """Two numbers with a sign between them: 2009/10, 1990.25, 2010:01."""

    prefix: str
    a: str
    sep: str
    b: str


class _Rule(NamedTuple):
    """How the pairs of a column are rewritten."""

    rewrite: Callable[[_Pair], str]
    note: str
    form: str = ""


def ambiguous_labels(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """Labels that have the shape of a date and may mean something else; None where they are what
    they look like.

    tidy: the texts in small letters, "" where missing; known: those that are there.
    """
    sample = known[:: max(1, len(known) // _SAMPLE)]
    if any(_MONTH_DAY.fullmatch(text) for text in sample):
        return _days_without_year(tidy, known, _MONTH_DAY)
    if _mostly(_CLOCKS.fullmatch(text) for text in sample):
        return _clock_ranges(tidy, known)
    if not _mostly(_looks_paired(text) for text in sample):
        return None
    matches = [_PAIR.fullmatch(text) if text else None for text in tidy]
    pairs = [
        _Pair(*(part or "" for part in match.groups())) if match else None for match in matches
    ]
    there = [pair for pair in pairs if pair is not None]
    if len(there) < _MOST * len(known):
        return None
    for rule_of in (_seasons, _decimals, _numbered, _short_months):
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
    if len({end for _, end in pairs}) <= 2 or ordered < _MOST * len(pairs):
        return None
    texts = [
        text if match is None else f"{match[1].rstrip()} {match[2]}"
        for match, text in zip(matches, tidy, strict=True)
    ]
    return Labels(texts, (f"ranges such as {known[0]!r} read as their beginnings",))


def _mostly(facts: Iterable[object]) -> bool:
    told = [bool(fact) for fact in facts]
    return bool(told) and sum(told) >= _MOST * len(told)


def _looks_paired(text: str) -> bool:
    """Whether a text may be a pair of which one number is a year: 50.37 is none."""
    match = _PAIR.fullmatch(text)
    if match is None:
        return False
    if match["sep"] == ".":
        return len(match["a"]) == 4 and int(match["a"]) in _YEARS
    return True


def _no_date(pair: _Pair) -> str:
    """A text that no shape fits, for the few pairs that break the rule of their column."""
    return f"{pair.a}?{pair.b}"


# ---------------------------------------------------------------- pairs


def _seasons(pairs: list[_Pair]) -> _Rule | None:
    """1980/81, 1980-1981, FY80/81: years that end in the next one."""
    following = [_follows(pair) for pair in pairs]
    starts = {pair.a for pair, follows in zip(pairs, following, strict=True) if follows}
    if not _mostly(following) or any(pair.sep not in "-/" for pair in pairs):
        return None
    first = pairs[0]
    sure = first.prefix or len(first.b) == 4 or any(int(pair.b) > 12 for pair in pairs)
    fewest = 2 if len(first.a) == 4 else 3
    if first.prefix or (sure and len(first.a) == 4):
        fewest = 1
    if len(starts) < fewest:
        return None

    def rewrite(pair: _Pair) -> str:
        return f"{_year(pair.a)}-01" if _follows(pair) else _no_date(pair)

    shown = f"{first.a}{first.sep}{first.b}"
    return _Rule(
        rewrite, f"labels such as {shown!r} read as the year that begins in {_year(first.a)}"
    )


def _follows(pair: _Pair) -> bool:
    if len(pair.a) not in (2, 4) or len(pair.b) not in (2, 4) or len(pair.b) > len(pair.a):
        return False
    following = int(pair.a) + 1
    return int(pair.b) == (following if len(pair.b) == 4 else following % 100)


def _year(text: str) -> int:
    """A year of two or four digits; two are those of 1941 to 2040."""
    year = int(text)
    return year if len(text) == 4 else year + (1900 if year > 40 else 2000)


def _decimals(pairs: list[_Pair]) -> _Rule | None:
    """1980.0, 1990.1 to 1990.4, 2010.083: years with a quarter or with a fraction."""
    if any(pair.sep != "." or len(pair.a) != 4 or int(pair.a) not in _YEARS for pair in pairs):
        return None
    fractions = {pair.b for pair in pairs}
    if all(int(text) == 0 for text in fractions):
        return _Rule(lambda pair: f"{pair.a}-01", "", "year")
    padded = any(len(text) == 2 and text[0] == "0" and text != "00" for text in fractions)
    if all(len(text) <= 2 and 1 <= int(text.ljust(1 + padded, "0")) <= 12 for text in fractions):
        if padded and any(len(text) == 1 for text in fractions):
            note = "'.1' read as month 10, whose zero was lost: the other months have two digits"
            return _Rule(lambda pair: f"{pair.a}-{pair.b.ljust(2, '0')}", note, "year")
        if padded or max(map(int, fractions)) > 4:
            return None  # 2010.01: a month, as dates.py reads it
    return _fractions_of_years(pairs)


def _fractions_of_years(pairs: list[_Pair]) -> _Rule | None:
    """Fractions that are all twelfths, or the middles of months: 2010.25, 2010.083, 2000.042."""
    digits = max(len(pair.b) for pair in pairs)
    years = np.array([float(f"{pair.a}.{pair.b}") for pair in pairs])
    for shift in (0.0, 0.5):  # the beginnings of months, and their middles
        months = years * 12 - shift
        # half of the last digit, and what a sum of rounded twelfths adds to it
        near = np.abs(months - np.rint(months)) <= max(12 * 0.6 * 10.0**-digits, 0.01)
        if digits >= 2 and near.mean() >= 0.95:
            break
    else:
        return None
    steps = set(np.diff(np.unique(np.rint(months)))) or {12.0}
    if min(steps) < 1 or (min(steps) > 1 and len(steps) > 3):
        return None

    def rewrite(pair: _Pair) -> str:
        month = int(np.rint(float(f"{pair.a}.{pair.b}") * 12 - shift))
        return f"{month // 12}-{month % 12 + 1:02d}"

    what = "middles" if shift else "beginnings"
    return _Rule(rewrite, f"decimal years read as the {what} of months", "year")


def _numbered(pairs: list[_Pair]) -> _Rule | None:
    """2000:1 as a quarter, 2010:01 as a month, 2019-33 as a week, 2010-060 as a day of the year."""
    swapped = all(len(pair.b) == 4 and len(pair.a) <= 2 for pair in pairs)
    if swapped:
        pairs = [pair._replace(a=pair.b, b=pair.a) for pair in pairs]
    if not all(len(pair.a) == 4 and int(pair.a) in _YEARS for pair in pairs):
        return None
    unit = _unit_of(pairs)
    if unit is None or (unit == "month" and pairs[0].sep in "-/."):
        return None  # 2010-01: a month, as dates.py reads it
    form = "year" if pairs[0].sep == "." else ""

    def rewrite(pair: _Pair) -> str:
        year, number = (pair.b, pair.a) if swapped else (pair.a, pair.b)
        return Period(int(year), unit, int(number)).text

    first = pairs[0]
    shown = f"{first.b}{first.sep}{first.a}" if swapped else f"{first.a}{first.sep}{first.b}"
    named = {"day": "day of the year", "week": "ISO week", "half": "half-year"}.get(unit, unit)
    return _Rule(rewrite, f"labels such as {shown!r} read as year and {named}", form)


def _unit_of(pairs: list[_Pair]) -> str | None:
    """What the numbers after the years count."""
    numbers = [int(pair.b) for pair in pairs]
    lengths = {len(pair.b) for pair in pairs}
    per_year = Counter(pair.a for pair in pairs)
    # the first and the last year may be incomplete
    whole = [count for year, count in per_year.items() if min(per_year) < year < max(per_year)]
    if min(numbers) < 1 or (pairs[0].sep == "." and max(numbers) > 4):
        return None
    if lengths == {1} and max(numbers) <= 4 and len(per_year) > 1:
        if len(set(numbers)) >= 3 and all(count == 4 for count in whole):
            return "quarter"
        if max(numbers) == 2 and len(per_year) > 2 and all(count == 2 for count in whole):
            return "half"
    if pairs[0].sep == ".":
        return None
    if lengths == {3} and max(numbers) <= 366:
        return "day"
    if max(lengths) == 2 and 12 < max(numbers) <= 53:
        return "week"
    return "month" if max(lengths) <= 2 and max(numbers) <= 12 else None


def _short_months(pairs: list[_Pair]) -> _Rule | None:
    """01/10 as January 2010, or 10/01: whichever makes steps of one length."""
    if len(pairs) < _SINGLE_YEAR_FROM or any(
        pair.sep not in "-/" or max(len(pair.a), len(pair.b)) > 2 for pair in pairs
    ):
        return None
    readings = [
        (name, year, month)
        for name, year, month in (("month/year", "b", "a"), ("year/month", "a", "b"))
        if _steps_evenly([_month_number(getattr(p, year), getattr(p, month)) for p in pairs])
    ]
    if len(readings) != 1:
        return None
    name, year, month = readings[0]

    def rewrite(pair: _Pair) -> str:
        number = _month_number(getattr(pair, year), getattr(pair, month))
        return _no_date(pair) if number is None else f"{number // 12}-{number % 12 + 1:02d}"

    first = pairs[0]
    return _Rule(rewrite, f"labels such as '{first.a}{first.sep}{first.b}' read as {name}")


def _month_number(year: str, month: str) -> int | None:
    return 12 * _year(year.zfill(2)) + int(month) - 1 if 1 <= int(month) <= 12 else None


def _steps_evenly(numbers: Sequence[int | None]) -> bool:
    """Whether nearly all numbers in order of appearance are there and one step apart."""
    there = np.array([number for number in numbers if number is not None])
    if len(there) < max(3, _MOST * len(numbers)):
        return False
    steps, counts = np.unique(np.diff(there), return_counts=True)
    usual = steps[np.argmax(counts)]
    return bool(abs(usual) in (1, 2, 3, 6) and counts.max() >= _MOST * (len(there) - 1))


# ---------------------------------------------------------------- without a shape


def _spelled(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """Dates and clock times that are written a little otherwise: 2022-03-01 05, 18.00.00 after a
    date, 20220301:0100."""
    sample = known[:: max(1, len(known) // _SAMPLE)]
    for pattern, replacement in _SPELLINGS:
        compiled = re.compile(pattern)

        def rewrite(text: str, compiled=compiled, replacement=replacement) -> str:
            match = compiled.fullmatch(text)
            return match.expand(replacement) if match else text

        if _mostly(match_shape(rewrite(text).translate(DIGITS)) is not None for text in sample):
            return Labels([rewrite(text) for text in tidy])
    return None


def _zoned(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """Clock times with the name of their zone behind them, which is left off."""
    sample = known[:: max(1, len(known) // _SAMPLE)]
    if not _mostly(_ZONE_NAMES.fullmatch(text) for text in sample):
        return None
    matches = [_ZONE_NAMES.fullmatch(text) for text in tidy]
    texts = [m[1] if m is not None else text for m, text in zip(matches, tidy, strict=True)]
    match = _ZONE_NAMES.fullmatch(known[0])
    zone = known[0][match.end(1) :].strip(" ()").upper() if match is not None else "of some"
    return Labels(texts, (f"the name of the time zone ({zone}) was left off: clock times",))


def _eras(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """令和2年1月, R2.1, 平成22年度: years of Japanese eras in any spelling."""
    sample = known[:: max(1, len(known) // _SAMPLE)]
    if not _mostly(_ERA.fullmatch(text) is not None for text in sample):
        return None

    def rewrite(text: str) -> str:
        match = _ERA.fullmatch(text)
        if match is None:
            return text
        era, year, month, day = match.groups()
        end = (f"{month}月" if month else "") + (f"{day}日" if day else "")
        return f"{_ERA_LETTERS.get(era, era)}{year}年{end}"

    return Labels([rewrite(text) for text in tidy])


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
    if not _mostly(rewrite(text) != text for text in sample):
        return None
    return Labels(
        [rewrite(text) if text else "" for text in tidy],
        (f"ranges such as {known[0]!r} read as their beginnings",),
    )


def _periods(tidy: list[str], known: Sequence[str]) -> Labels | None:
    """Years with quarters, weeks, months or half-years in words: FY19 Q1, 2010 Week 05, 2010M01."""
    sample = known[:: max(1, len(known) // _SAMPLE)]
    if not _mostly(named_period(text) is not None for text in sample):
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
    if len(there) < max(_MOST * len(known), 3) or not _mostly(month for month, _ in there):
        return None
    months = [(month or 0, number) for month, number in there]
    if _steps_evenly([12 * _year(number.zfill(2)) + month for month, number in months]):
        if pattern is _MONTH_DAY:
            return None  # Jan-10: as dates.py reads it
        texts = [
            text if m is None else f"{_year(m['number'].zfill(2))}-{MONTHS.get(m['name'], 99):02d}"
            for m, text in zip(matches, tidy, strict=True)
        ]
        return Labels(texts, (f"labels such as {known[0]!r} read as year and month",))
    days = [31 * month + int(number) for month, number in months]
    ascending = np.diff(days)
    if pattern is _MONTH_DAY and not (_mostly(0 < step <= 4 for step in ascending.tolist())):
        return None
    # a leap year has every day; the problem is told should this be the column of times
    texts = [
        text if m is None else f"2000-{MONTHS.get(m['name'], 99):02d}-{int(m['number']):02d}"
        for m, text in zip(matches, tidy, strict=True)
    ]
    return Labels(texts, (), "", _NO_YEAR.format(known[0]))
