"""Interpret labels of two numbers in a column: 2009/10, 1990.25, 2010:01."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from lstmcast.data.times.periodwords import Period, full_year
from lstmcast.data.times.rewritten import replaced
from lstmcast.data.times.timenumbers import are_quarters
from lstmcast.util.patterns import pattern_of

# U distinct texts

PAIR = pattern_of(
    r"(?P<prefix>(?:fy|sy|ay) ?)?'?(?P<first>\d{1,4}) ?(?P<sep>[-/.:_' ]) ?"
    r"'?(?P<second>\d{1,12})(?: ?年度?)?"
)
_WEEK_AND_YEAR = pattern_of(r"(\d\d?)\.((?:19|20)\d\d)")
MOST = 0.9  # of the texts, that must follow a rule for it to be believed
# texts without a century need that many to show which part is the year
_SINGLE_YEAR_FROM = 4
_YEARS = range(1500, 2201)


class Pair(NamedTuple):
    """Two numbers with a sign between them: 2009/10, 1990.25, 2010:01."""

    prefix: str
    first: str
    sep: str
    second: str

    @property
    def text(self) -> str:
        """The pair as a label shows it."""
        return f"{self.first}{self.sep}{self.second}"


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
    if match["sep"] != "." or _is_year(match["first"]):
        return True
    if len(match["first"]) == len(match["second"]) == 2:
        return True  # 95.01, if all follow each other
    return _is_numbered_year(match["first"], match["second"])


def weeks_before_years(
    tidy: list[str], texts_present: Sequence[str]
) -> list[str] | None:
    """2022-w13 for 13.2022, where some of the numbers are too large for months; None elsewhere.

    >>> weeks_before_years(["12.2022", "13.2022"], ["12.2022", "13.2022"])
    ['2022-w12', '2022-w13']
    """
    matches = [_WEEK_AND_YEAR.fullmatch(text) for text in texts_present]
    weeks = [int(match[1]) for match in matches if match is not None]
    if len(weeks) < len(matches) or not 12 < max(weeks) <= 53 or min(weeks) < 1:
        return None
    return replaced(
        tidy, _WEEK_AND_YEAR, lambda match: f"{match[2]}-w{int(match[1]):02d}"
    )


def _is_numbered_year(number: str, year: str) -> bool:
    """001.2021, the first period of a fiscal year."""
    return len(number) == 3 and number[0] == "0" and _is_year(year)


def _no_date(pair: Pair) -> str:
    """A text that no shape fits, for the few pairs that break the rule of their column."""
    return f"{pair.first}?{pair.second}"


def season_rule(pairs: list[Pair]) -> _Rule | None:
    """1980/81, 1980-1981, FY80/81: years that end in the next one."""
    if any(pair.sep not in "-/" for pair in pairs):
        return None
    seasons = [pair for pair in pairs if _follows(pair)]
    if len(seasons) < MOST * len(pairs):
        return None
    example = pairs[0]
    years = {pair.first for pair in seasons}
    if len(years) < _fewest_seasons(pairs):
        return None

    def rewrite(pair: Pair) -> str:
        if not _follows(pair):
            return _no_date(pair)
        return f"{full_year(pair.first)}-01"

    year = full_year(example.first)
    note = f"labels such as {example.text!r} read as the year that starts in {year}"
    return _Rule(rewrite, note)


def _fewest_seasons(pairs: list[Pair]) -> int:
    """How many seasons show that pairs are some: 2009/10 alone is a month."""
    example = pairs[0]
    four_digits = len(example.first) == 4
    highest = max(int(pair.second) for pair in pairs)
    no_month = len(example.second) == 4 or highest > 12
    if example.prefix or (no_month and four_digits):
        return 1
    return 2 if four_digits else 3


def _follows(pair: Pair) -> bool:
    lengths = len(pair.first), len(pair.second)
    if lengths not in ((2, 2), (4, 2), (4, 4)):
        return False
    following = int(pair.first) + 1
    if len(pair.second) == 2:
        following %= 100
    return int(pair.second) == following


def decimal_rule(pairs: list[Pair]) -> _Rule | None:
    """1980.0, 1990.1 to 1990.4, 2010.083: years with a quarter or with a fraction."""
    if not all(map(_is_decimal_year, pairs)):
        return None
    fractions = {pair.second for pair in pairs}
    if all(int(text) == 0 for text in fractions):
        return _Rule(lambda pair: f"{pair.first}-01", "", "year")
    if len(pairs) > 2 and all(text.rstrip("0") == "5" for text in fractions):
        note = "decimal years read as the middles of years"
        return _Rule(lambda pair: f"{pair.first}-01", note, "year")
    if not _may_be_months(fractions):
        return _fractions_of_years(pairs)
    if not _are_padded(fractions):
        is_quarter = max(map(int, fractions)) <= 4
        # 2010.10: a month, as dates.py reads it
        return _fractions_of_years(pairs) if is_quarter else None
    lost_zero = any(len(text) == 1 for text in fractions)
    if not lost_zero:
        return None  # 2010.01: a month as well
    note = (
        "'.1' read as month 10 with its zero lost, since other months have two digits"
    )
    return _Rule(lambda pair: f"{pair.first}-{pair.second.ljust(2, '0')}", note, "year")


def _is_decimal_year(pair: Pair) -> bool:
    return pair.sep == "." and _is_year(pair.first)


def _are_padded(fractions: set[str]) -> bool:
    """Whether there are months of two digits, such as 01."""
    return not fractions.isdisjoint(f"0{digit}" for digit in range(1, 10))


def _may_be_months(fractions: set[str]) -> bool:
    """Whether all may be months; beside 01 to 09, a 1 is the month 10."""
    if any(len(text) > 2 for text in fractions):
        return False
    width = 2 if _are_padded(fractions) else 1
    months = [int(text.ljust(width, "0")) for text in fractions]
    return all(1 <= month <= 12 for month in months)


def _is_year(text: str) -> bool:
    return len(text) == 4 and int(text) in _YEARS


def _fractions_of_years(pairs: list[Pair]) -> _Rule | None:
    """Fractions that are all twelfths, or the middles of months: 2010.25, 2010.083, 2000.042."""
    digits = max(len(pair.second) for pair in pairs)
    years = np.array([_decimal_year(pair) for pair in pairs])
    # half of the last digit, and what a sum of rounded twelfths adds to it
    tolerance = max(12 * 0.6 * 10.0**-digits, 0.01)
    for shift in (0.0, 0.5):  # the beginnings of months, and their middles
        months = years * 12 - shift
        nearest = np.rint(months)
        is_near = np.abs(months - nearest) <= tolerance
        if digits >= 2 and is_near.mean() >= 0.95:
            break
    else:
        return None
    distinct = np.unique(nearest)
    steps = set(np.diff(distinct)) or {12.0}
    smallest = min(steps)
    if smallest < 1 or (smallest > 1 and len(steps) > 3):
        return None

    def rewrite(pair: Pair) -> str:
        month = np.rint(_decimal_year(pair) * 12 - shift)
        return _month_text(int(month))

    edge = "middles" if shift else "beginnings"
    return _Rule(rewrite, f"decimal years read as the {edge} of months", "year")


def _decimal_year(pair: Pair) -> float:
    return float(f"{pair.first}.{pair.second}")


def _month_text(number: int) -> str:
    """A month by its number since the year 0."""
    return f"{number // 12}-{number % 12 + 1:02d}"


def numbered_rule(pairs: list[Pair]) -> _Rule | None:
    """2000:1 as a quarter, 2010:01 as a month, 2019-33 as a week, 2010-060 as a day of the year."""
    example = pairs[0]
    year_last = all(map(_ends_in_year, pairs))
    if year_last:
        pairs = [_swapped(pair) for pair in pairs]
    if not all(_is_year(pair.first) for pair in pairs):
        return None
    unit = _unit_of(pairs)
    if unit == "month" and _count_quarters(pairs):
        unit = "quarter"
    if unit is None or (
        unit == "month" and example.sep in "-/." and len(pairs[0].second) < 3
    ):
        return None  # 2010-01: a month, as dates.py reads it

    def rewrite(pair: Pair) -> str:
        if year_last:
            pair = _swapped(pair)
        return Period(int(pair.first), unit, int(pair.second)).text

    unit_name = _UNIT_NAMES.get(unit, unit)
    note = f"labels such as '{example.text}' read as year and {unit_name}"
    form = "year" if example.sep == "." else ""
    return _Rule(rewrite, note, form)


_UNIT_NAMES = {"day": "day of the year", "week": "ISO week", "half": "half-year"}


def _count_quarters(pairs: list[Pair]) -> bool:
    """Whether two digits count quarters, 1998-01 to 1998-04 in every year."""
    years = np.array([int(pair.first) for pair in pairs])
    numbers = np.array([int(pair.second) for pair in pairs])
    return are_quarters(years, numbers)


def _ends_in_year(pair: Pair) -> bool:
    return len(pair.second) == 4 and len(pair.first) <= 3


def _swapped(pair: Pair) -> Pair:
    return pair._replace(first=pair.second, second=pair.first)


def _unit_of(pairs: list[Pair]) -> str | None:
    """What the numbers after the years count."""
    numbers = [int(pair.second) for pair in pairs]
    highest = max(numbers)
    lengths = {len(pair.second) for pair in pairs}
    years = {pair.first for pair in pairs}
    longest = max(lengths)
    is_decimal = pairs[0].sep == "."
    if lengths == {3} and min(numbers) >= 1 and highest <= 12 and len(years) > 1:
        return "month"  # 2021.001 or 2021/001, as SAP writes periods
    if is_decimal and lengths == {2} and 50 < highest <= 53 and _count_on(pairs):
        return "week"
    if min(numbers) < 1 or (is_decimal and highest > 4):
        return None
    unit = _quarter_or_half(pairs, set(numbers)) if lengths == {1} else None
    if unit is not None or is_decimal:
        return unit
    if lengths == {3} and highest <= 366:
        return "day"
    if longest == 2 and 12 < highest <= 53:
        return "week"
    return "month" if longest <= 2 and highest <= 12 else None


def _quarter_or_half(pairs: list[Pair], numbers: set[int]) -> str | None:
    """What single digits count where each year has all of them, but for the first and the last."""
    per_year = Counter(pair.first for pair in pairs)
    inner_years = sorted(per_year)[1:-1]
    inner_counts = {per_year[year] for year in inner_years}
    highest = max(numbers)
    are_quarters = highest <= 4 and len(numbers) >= 3
    if are_quarters and len(per_year) > 1 and inner_counts <= {4}:
        return "quarter"
    if highest == 2 and len(per_year) > 2 and inner_counts <= {2}:
        return "half"
    return None


def _count_on(pairs: list[Pair]) -> bool:
    """Whether the numbers of each year follow each other."""
    steps = np.diff([[int(pair.first), int(pair.second)] for pair in pairs], axis=0)
    same_year = steps[:, 0] == 0
    return bool(same_year.any() and (steps[same_year, 1] == 1).all())


def short_month_rule(pairs: list[Pair]) -> _Rule | None:
    """01/10 as January 2010, or 10/01: whichever makes steps of one length."""
    if len(pairs) < _SINGLE_YEAR_FROM or not all(map(_is_short, pairs)):
        return None
    month_first = [_month_number(pair.second, pair.first) for pair in pairs]
    year_first = [_month_number(pair.first, pair.second) for pair in pairs]
    begins_with_month = steps_evenly(month_first)
    if begins_with_month == steps_evenly(year_first):
        return None

    def rewrite(pair: Pair) -> str:
        year_and_month = _swapped(pair) if begins_with_month else pair
        number = _month_number(year_and_month.first, year_and_month.second)
        return _no_date(pair) if number is None else _month_text(number)

    order = "month/year" if begins_with_month else "year/month"
    form = "year" if pairs[0].sep == "." else ""
    return _Rule(rewrite, f"labels such as '{pairs[0].text}' read as {order}", form)


def _is_short(pair: Pair) -> bool:
    lengths = {len(pair.first), len(pair.second)}
    if pair.sep == ".":
        return lengths == {2}
    return pair.sep in "-/'" and max(lengths) <= 2


def _month_number(year: str, month: str) -> int | None:
    """Months since the year 0; None for a month that there is not."""
    if not 1 <= int(month) <= 12:
        return None
    return 12 * full_year(year.zfill(2)) + int(month) - 1


def steps_evenly(
    numbers: Sequence[int | None], lengths: Sequence[int] = (1, 2, 3, 6)
) -> bool:
    """Whether nearly all numbers in order of appearance are there and one step apart, which has one
    of these lengths."""
    months = [number for number in numbers if number is not None]
    if len(months) < max(3, MOST * len(numbers)):
        return False
    steps, counts = np.unique(np.diff(months), return_counts=True)
    commonest = steps[np.argmax(counts)]
    has_length = abs(commonest) in lengths
    are_even = counts.max() >= MOST * (len(months) - 1)
    return bool(has_length and are_even)
