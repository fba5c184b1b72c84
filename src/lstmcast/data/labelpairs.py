"""Labels of two numbers, and what they mean in a column: 2009/10, 1990.25, 2010:01."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from .periodwords import Period

# U distinct texts

PAIR = re.compile(
    r"(?P<prefix>(?:fy|sy|ay) ?)?'?(?P<a>\d{1,4}) ?(?P<sep>[-/.:_ ]) ?'?(?P<b>\d{1,12})(?: ?年度?)?"
)
MOST = 0.9  # of the texts, that must follow a rule for it to be believed
_SINGLE_YEAR_FROM = 4  # texts without a century need that many to show which part is the year
_YEARS = range(1500, 2201)


class Pair(NamedTuple):
    """Two numbers with a sign between them: 2009/10, 1990.25, 2010:01."""

    prefix: str
    a: str
    sep: str
    b: str


class _Rule(NamedTuple):
    """How the pairs of a column are rewritten."""

    rewrite: Callable[[Pair], str]
    note: str
    form: str = ""


def mostly(facts: Iterable[object]) -> bool:
    are_true = [bool(fact) for fact in facts]
    return bool(are_true) and sum(are_true) >= MOST * len(are_true)


def looks_paired(text: str) -> bool:
    """Whether a text may be a pair of which one number is a year: 50.37 is none."""
    match = PAIR.fullmatch(text)
    if match is None:
        return False
    return match["sep"] != "." or _is_year(match["a"]) or _is_numbered_year(match["a"], match["b"])


def _is_numbered_year(number: str, year: str) -> bool:
    """001.2021, the first period of a fiscal year."""
    return len(number) == 3 and number[0] == "0" and _is_year(year)


def _no_date(pair: Pair) -> str:
    """A text that no shape fits, for the few pairs that break the rule of their column."""
    return f"{pair.a}?{pair.b}"


def season_rule(pairs: list[Pair]) -> _Rule | None:
    """1980/81, 1980-1981, FY80/81: years that end in the next one."""
    following = [_follows(pair) for pair in pairs]
    starts = {pair.a for pair, follows in zip(pairs, following, strict=True) if follows}
    if not mostly(following) or any(pair.sep not in "-/" for pair in pairs):
        return None
    first = pairs[0]
    four_digits = len(first.a) == 4
    no_month = len(first.b) == 4 or any(int(pair.b) > 12 for pair in pairs)
    fewest = 2 if four_digits else 3
    if first.prefix or (no_month and four_digits):
        fewest = 1
    if len(starts) < fewest:
        return None

    def rewrite(pair: Pair) -> str:
        return f"{full_year(pair.a)}-01" if _follows(pair) else _no_date(pair)

    label = f"{first.a}{first.sep}{first.b}"
    year = full_year(first.a)
    return _Rule(rewrite, f"labels such as {label!r} read as the year that begins in {year}")


def _follows(pair: Pair) -> bool:
    lengths = len(pair.a), len(pair.b)
    if lengths not in ((2, 2), (4, 2), (4, 4)):
        return False
    following = int(pair.a) + 1
    if len(pair.b) == 2:
        following %= 100
    return int(pair.b) == following


def full_year(text: str) -> int:
    """A year of two or four digits; two are those of 1941 to 2040."""
    year = int(text)
    if len(text) == 4:
        return year
    return year + (1900 if year > 40 else 2000)


def decimal_rule(pairs: list[Pair]) -> _Rule | None:
    """1980.0, 1990.1 to 1990.4, 2010.083: years with a quarter or with a fraction."""
    if not all(pair.sep == "." and _is_year(pair.a) for pair in pairs):
        return None
    fractions = {pair.b for pair in pairs}
    if all(int(text) == 0 for text in fractions):
        return _Rule(lambda pair: f"{pair.a}-01", "", "year")
    padded = any(len(text) == 2 and text[0] == "0" and text != "00" for text in fractions)
    months = [int(text.ljust(1 + padded, "0")) for text in fractions if len(text) <= 2]
    if len(months) == len(fractions) and all(1 <= month <= 12 for month in months):
        if padded and any(len(text) == 1 for text in fractions):
            note = "'.1' read as month 10, whose zero was lost: the other months have two digits"
            return _Rule(lambda pair: f"{pair.a}-{pair.b.ljust(2, '0')}", note, "year")
        if padded or max(map(int, fractions)) > 4:
            return None  # 2010.01: a month, as dates.py reads it
    return _fractions_of_years(pairs)


def _is_year(text: str) -> bool:
    return len(text) == 4 and int(text) in _YEARS


def _fractions_of_years(pairs: list[Pair]) -> _Rule | None:
    """Fractions that are all twelfths, or the middles of months: 2010.25, 2010.083, 2000.042."""
    digits = max(len(pair.b) for pair in pairs)
    years = np.array([float(f"{pair.a}.{pair.b}") for pair in pairs])
    # half of the last digit, and what a sum of rounded twelfths adds to it
    tolerance = max(12 * 0.6 * 10.0**-digits, 0.01)
    for shift in (0.0, 0.5):  # the beginnings of months, and their middles
        months = years * 12 - shift
        is_near = np.abs(months - np.rint(months)) <= tolerance
        if digits >= 2 and is_near.mean() >= 0.95:
            break
    else:
        return None
    distinct = np.unique(np.rint(months))
    steps = set(np.diff(distinct)) or {12.0}
    if min(steps) < 1 or (min(steps) > 1 and len(steps) > 3):
        return None

    def rewrite(pair: Pair) -> str:
        month = int(np.rint(float(f"{pair.a}.{pair.b}") * 12 - shift))
        return f"{month // 12}-{month % 12 + 1:02d}"

    edge = "middles" if shift else "beginnings"
    return _Rule(rewrite, f"decimal years read as the {edge} of months", "year")


def numbered_rule(pairs: list[Pair]) -> _Rule | None:
    """2000:1 as a quarter, 2010:01 as a month, 2019-33 as a week, 2010-060 as a day of the year."""
    swapped = all(len(pair.b) == 4 and len(pair.a) <= 3 for pair in pairs)
    if swapped:
        pairs = [pair._replace(a=pair.b, b=pair.a) for pair in pairs]
    if not all(_is_year(pair.a) for pair in pairs):
        return None
    first = pairs[0]
    unit = _unit_of(pairs)
    if unit is None or (unit == "month" and first.sep in "-/." and len(first.b) < 3):
        return None  # 2010-01: a month, as dates.py reads it

    def rewrite(pair: Pair) -> str:
        year, number = (pair.b, pair.a) if swapped else (pair.a, pair.b)
        return Period(int(year), unit, int(number)).text

    left, right = (first.b, first.a) if swapped else (first.a, first.b)
    named = {"day": "day of the year", "week": "ISO week", "half": "half-year"}.get(unit, unit)
    note = f"labels such as '{left}{first.sep}{right}' read as year and {named}"
    return _Rule(rewrite, note, "year" if first.sep == "." else "")


def _unit_of(pairs: list[Pair]) -> str | None:
    """What the numbers after the years count."""
    numbers = [int(pair.b) for pair in pairs]
    highest = max(numbers)
    lengths = {len(pair.b) for pair in pairs}
    per_year = Counter(pair.a for pair in pairs)
    # the first and the last year may be incomplete
    first, last = min(per_year), max(per_year)
    between = [count for year, count in per_year.items() if first < year < last]
    is_decimal = pairs[0].sep == "."
    if lengths == {3} and min(numbers) >= 1 and highest <= 12 and len(per_year) > 1:
        return "month"  # 2021.001 or 2021/001, as SAP writes periods
    if is_decimal and lengths == {2} and 50 < highest <= 53 and _count_on(pairs):
        return "week"
    if min(numbers) < 1 or (is_decimal and highest > 4):
        return None
    if lengths == {1} and highest <= 4 and len(per_year) > 1:
        if len(set(numbers)) >= 3 and all(count == 4 for count in between):
            return "quarter"
        if highest == 2 and len(per_year) > 2 and all(count == 2 for count in between):
            return "half"
    if is_decimal:
        return None
    if lengths == {3} and highest <= 366:
        return "day"
    if max(lengths) == 2 and 12 < highest <= 53:
        return "week"
    return "month" if max(lengths) <= 2 and highest <= 12 else None


def _count_on(pairs: list[Pair]) -> bool:
    """Whether the numbers of each year follow each other."""
    steps = np.diff([[int(pair.a), int(pair.b)] for pair in pairs], axis=0)
    same_year = steps[:, 0] == 0
    return bool(same_year.any() and (steps[same_year, 1] == 1).all())


def short_month_rule(pairs: list[Pair]) -> _Rule | None:
    """01/10 as January 2010, or 10/01: whichever makes steps of one length."""
    if len(pairs) < _SINGLE_YEAR_FROM or any(
        pair.sep not in "-/" or max(len(pair.a), len(pair.b)) > 2 for pair in pairs
    ):
        return None
    readings = [
        (name, year, month)
        for name, year, month in (("month/year", "b", "a"), ("year/month", "a", "b"))
        if steps_evenly([_month_number(getattr(p, year), getattr(p, month)) for p in pairs])
    ]
    if len(readings) != 1:
        return None
    name, year, month = readings[0]

    def rewrite(pair: Pair) -> str:
        number = _month_number(getattr(pair, year), getattr(pair, month))
        return _no_date(pair) if number is None else f"{number // 12}-{number % 12 + 1:02d}"

    first = pairs[0]
    return _Rule(rewrite, f"labels such as '{first.a}{first.sep}{first.b}' read as {name}")


def _month_number(year: str, month: str) -> int | None:
    return 12 * full_year(year.zfill(2)) + int(month) - 1 if 1 <= int(month) <= 12 else None


def steps_evenly(numbers: Sequence[int | None], lengths: Sequence[int] = (1, 2, 3, 6)) -> bool:
    """Whether nearly all numbers in order of appearance are there and one step apart, which has one
    of these lengths."""
    known = np.array([number for number in numbers if number is not None])
    if len(known) < max(3, MOST * len(numbers)):
        return False
    steps, counts = np.unique(np.diff(known), return_counts=True)
    commonest = steps[np.argmax(counts)]
    has_length = abs(commonest) in lengths
    return bool(has_length and counts.max() >= MOST * (len(known) - 1))
