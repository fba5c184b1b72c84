"""Periods in words: a year with a quarter, half-year, month, week or day of it, in any order."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lstmcast.util.patterns import pattern_of

_UNITS = {
    "quarter": "q cq qtr qu quarter quartal kvartal kvt kv k trim trimestre trimester tr t "
    "四半 кв квартал qq kwartał čtvrtletí çeyrek negyedév kwartaal štvrťrok "
    "kvartali kvartalas četrtletje тримесечие тромесечје triwulan quý ketvirtis "
    "ceturksnis neljännes",
    "half": "h hy half hj halbjahr sem semester semestre s 半 półrocze pololetí полугодие",
    "month": "m mm mo mth month monat mois mes p per period maand miesiąc месяц tháng bulan",
    "week": "w wk week kw cw ww woche semaine semana settimana sett u uge uke v "
    "vecka viikko vko 週 se tydzień tydz týden týždeň hafta hét неделя tjedan teden nädal minggu",
    "day": "d doy day tag",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_FISCAL = {"fy", "fye", "fiscal", "cy", "gj", "度"}
# of ordinal numbers: 1st, 1º, 1er, 2ème
_ORDINAL = {"st", "nd", "rd", "th", "o", "e", "er", "ere", "ère", "eme", "ème", "г"}
_FILLERS = {
    "of",
    "the",
    "iso",
    "y",
    "de",
    "do",
    "des",
    "del",
    "di",
    "du",
    "no",
    "nr",
    "n",
    "year",
}
_FILLERS |= {"yr", "a", "roku", "rok", "r", "год", "года", "năm", *_ORDINAL}
_HALVES = {"上": 1, "下": 2}
_ORDINAL_WORDS = {"first": "1", "second": "2", "third": "3", "fourth": "4"}
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_MOST = {"quarter": 4, "half": 2, "month": 12, "week": 53, "day": 366, "year": 1}
_MONTHS_LONG = {"month": 1, "quarter": 3, "half": 6, "year": 12}
# a word that stands for another unit where its numbers are too large for the first one
_OTHERWISE = {"half": "week", "quarter": "week"}
_KNOWN_WORDS = {*_UNIT_OF, *_FISCAL, *_FILLERS, *_HALVES, *_ROMAN, "'", "年", "第"}
_FIRST_YEAR, _LAST_YEAR = 1000, 2999
# 12.50K and 3.4M are numbers
_SIZE = pattern_of(r"\d{1,3}[.,]\d{1,3} ?[kmb]")
_TOKENS = pattern_of(r"\d+|[a-zà-žа-яјăạ-ỹ]+|四半|[週半上下度']|年|第")


class Period(NamedTuple):
    """One period of a year; `fiscal` where the label says that the year is not the calendar's."""

    year: int
    unit: str
    number: int
    fiscal: bool = False

    def settled(self, highest: int) -> Period:
        """The period with the unit that fits the highest number of its column."""
        if highest <= _MOST[self.unit]:
            return self
        return self._replace(unit=_OTHERWISE.get(self.unit, self.unit))

    @property
    def text(self) -> str:
        """The period as a date that dates.py reads; a text that is none where there is no such
        period.

        >>> Period(2024, "quarter", 2).text, Period(2024, "week", 9).text
        ('2024-04', '2024-w09')
        """
        year, unit, number, _ = self
        if not 1 <= number <= _MOST[unit]:
            return f"{year}?{number}"
        if unit == "week":
            return f"{year}-w{number:02d}"
        if unit == "day":
            first_day = np.datetime64(f"{year}-01-01")
            return str(first_day + np.timedelta64(number - 1, "D"))
        month = (number - 1) * _MONTHS_LONG[unit] + 1
        return f"{year}-{month:02d}"


def named_period(text: str) -> Period | None:
    """The period that a label in small letters names; None where it names none.

    >>> named_period("fy19 q1"), named_period("week 5, 2010").text
    (Period(year=2019, unit='quarter', number=1, fiscal=True), '2010-w05')
    """
    if text.startswith(tuple(_ORDINAL_WORDS)):
        word, _, rest_of_label = text.partition(" ")
        text = f"{_ORDINAL_WORDS.get(word, word)} {rest_of_label}"
    tokens = _TOKENS.findall(text)
    if "".join(tokens) != re.sub(r"[\s.,/:;_()期目月~°-]", "", text):
        return None
    if _SIZE.fullmatch(text):
        return None
    span = _month_span(text, tokens)
    if span is not None:
        return span
    words = [token for token in tokens if not token.isdigit()]
    units = [_UNIT_OF[word] for word in words if word in _UNIT_OF]
    is_fiscal = any(word in _FISCAL for word in words)
    most_units = 2 if "半" in words else 1
    if not _KNOWN_WORDS.issuperset(words) or len(units) > most_units:
        return None
    places = [place for place, token in enumerate(tokens) if token.isdigit()]
    if len(places) == 1:
        return _around_one_number(tokens, is_fiscal)
    if not units:
        return None
    if len(places) == 3:
        # FY2019/20 Q1 and Q1 FY2019-20: the second year says what the first one does
        following = [
            later
            for earlier, later in pairwise(places)
            if _is_next_year(tokens[earlier], tokens[later])
        ]
        if not following:
            return None
        del tokens[following[0]]
    elif len(places) != 2:
        return None
    return _of_two_numbers(tokens, units[0], is_fiscal)


def _is_next_year(first: str, second: str) -> bool:
    next_year = int(first) + 1
    return int(second) in (next_year, next_year % 100)


def _around_one_number(tokens: list[str], fiscal: bool) -> Period | None:
    """FY2019, 2010 IV, 2010年上期."""
    halves = [_HALVES[token] for token in tokens if token in _HALVES]
    quarters = [_ROMAN[token] for token in tokens if token in _ROMAN]
    digits = next(token for token in tokens if token.isdigit())
    if len(digits) not in (2, 4):
        return None
    year = full_year(digits)
    if halves:
        return Period(year, "half", halves[0], fiscal)
    if len(quarters) == 1 and len(digits) == 4:
        return Period(year, "quarter", quarters[0], fiscal)
    return Period(year, "year", 1, True) if fiscal else None


def _of_two_numbers(tokens: list[str], unit: str, fiscal: bool) -> Period | None:
    first, second = [token for token in tokens if token.isdigit()]
    year = first
    number = second
    if not _year_comes_first(tokens, first, second):
        year = second
        number = first
    if len(year) not in (2, 4) or len(number) > 3:
        return None
    if not _FIRST_YEAR <= full_year(year) <= _LAST_YEAR:
        return None  # such as the port of host h1:9100
    return Period(full_year(year), unit, int(number), fiscal)


def _year_comes_first(tokens: list[str], first: str, second: str) -> bool:
    """Whether the first of two numbers is the year: by its length, or by what stands before it."""
    if len(first) == 4 or len(second) == 4:
        return len(first) == 4
    first_place, second_place = [
        place for place, token in enumerate(tokens) if token.isdigit()
    ]
    for place, token in enumerate(tokens):
        if token in _FISCAL or token == "'":
            return first_place == place + 1
    unit_place = next(place for place, token in enumerate(tokens) if token in _UNIT_OF)
    return first_place < unit_place < second_place and len(second) == 1


def _month_span(text: str, tokens: list[str]) -> Period | None:
    """1994/ 1- 3., 2010年1-3月期, Jan-Mar 2010: three months that are a quarter, or six."""
    from lstmcast.data.times.shapes import MONTHS

    if not re.search(r"\d ?月? ?[-~] ?\d|[a-z]\.? ?[-~/] ?[a-z]", text):
        return None
    digits = [token for token in tokens if token.isdigit()]
    years = [token for token in digits if len(token) == 4]
    months = [int(token) for token in digits if len(token) < 3]
    months = months or [MONTHS[token] for token in tokens if token in MONTHS]
    if len(years) != 1 or len(months) != 2:
        return None
    begin, end = months
    length = end - begin + 1
    if length not in (2, 3, 4, 6) or not 1 <= begin <= 12:
        return None
    number, remainder = divmod(begin - 1, length)
    if remainder:
        return None
    unit = {3: "quarter", 6: "half"}.get(length)
    if unit is None:
        return Period(int(years[0]), "month", begin)
    return Period(int(years[0]), unit, number + 1)


def full_year(text: str) -> int:
    """A year of two or four digits; two are those of 1941 to 2040.

    >>> full_year("98"), full_year("2024")
    (1998, 2024)
    """
    year = int(text)
    if len(text) == 4:
        return year
    return year + (1900 if year > 40 else 2000)
