"""Labels that name a part of a year, such as 01.03., KW 5 and March, and how they look with their
year."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lstmcast.data.sheet import Column
from lstmcast.data.times.shapes import month_named, tidied
from lstmcast.util.patterns import pattern_of

# weeks, months, days of a month and quarters
_PART = pattern_of(
    r"(?:week|wk|w|kw|woche|semaine|semana|day|tag|month|monat|q|quarter|t|trim|trimestre|quartal|"
    r"kvartal|uge|vecka|uke|v|se|settimana) ?\d{1,3}\.?|\d\d?\.? (?:kw|quartal|trimestre|kvartal)|"
    r"\d\d?週|第?[1-4]四半期|\d\d?[/-]\d\d?|\d\d?\.\d\d?\.|\d\d?月(?:\d\d?日)?|"
    r"\d\d? [^\W\d_]{3,9}\.? \d\d?:\d\d(?::\d\d)?"
)
_CLOCK_OF_DAY = pattern_of(r"\d\d?\.?(?:,? \d\d?:\d\d(?::\d\d)?)?")
_CLOCK = pattern_of(
    r"(?P<day>.*?\S)(?P<clock>,? \d\d?:\d\d(?::\d\d)?|(?<=日) ?\d\d?時.*)"
)
_DAY_AND_NAME = pattern_of(r"\d\d?(?:\.|st|nd|rd|th|º)? (?:de )?(?P<name>[^\W\d_]+)\.?")
_SHARE = 0.8  # of the labels that are parts of a year, at least
_MOST_OTHERS = 0.25  # share above which the labels that are left cannot reach that


def is_yearless(column: Column) -> bool:
    """Whether a column holds weeks, months or days of a year that is not there."""
    if not column.is_text or column.missing.all():
        return False
    most_others = _MOST_OTHERS * len(column.data)
    parts = others = 0
    for text in filter(None, (tidied(str(text)) for text in column.data)):
        if _is_part_of_year(text):
            parts += 1
        else:
            others += 1
        if others > most_others:
            return False  # of 100,000 names, a quarter is enough
    return parts >= _SHARE * (parts + others) > 0


def _is_part_of_year(text: str) -> bool:
    match = _CLOCK.fullmatch(text)
    if match is not None:
        text = match["day"]
    if _PART.fullmatch(text) or month_named(text) is not None:
        return True
    first_word, _, following = text.partition(" ")
    if month_named(first_word.rstrip(",")) and _CLOCK_OF_DAY.fullmatch(following):
        return True
    day_and_name = _DAY_AND_NAME.fullmatch(text)
    return day_and_name is not None and month_named(day_and_name["name"]) is not None


def has_digits(column: Column) -> bool:
    """Whether labels are more than names of months."""
    return any(any(map(str.isdigit, str(text))) for text in column.data)


def with_years(column: Column, years: Sequence[str]) -> Column:
    """Labels without a year completed by the year of each row (N,)."""
    cells = column.spread(column.data).tolist()
    texts = [
        _with_year(str(cell), year) for cell, year in zip(cells, years, strict=True)
    ]
    return Column.of_texts(column.name, texts)


def _with_year(text: str, year: str) -> str:
    """01.03. as 01.03.2024, Mar 1 10:00 as Mar 1 2024 10:00, 3月1日 as 2024年3月1日.

    >>> _with_year("01.03. 10:00", "2024"), _with_year("KW 5", "2024"), _with_year("3/1", "2024")
    ('01.03.2024 10:00', 'KW 5 2024', '3/1/2024')
    """
    text = text.strip()
    if not text:
        return text
    match = _CLOCK.fullmatch(text)
    day, clock = (text, "") if match is None else match.groups()
    if re.match(r"\d\d?月|第?\d四半期|\d\d?週", day):
        return f"{year}年{day}{clock}"
    if re.fullmatch(r"\d\d?\.\d\d?\.?", day):
        return f"{day.rstrip('.')}.{year}{clock}"
    if re.fullmatch(r"\d\d?[/-]\d\d?", day):
        return f"{day}{'/' if '/' in day else '-'}{year}{clock}"
    return f"{day} {year}{clock}"
