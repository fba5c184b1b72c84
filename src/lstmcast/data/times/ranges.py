"""Ranges of times, of which the beginning is read: '01.03.2022 00:00 - 01.03.2022 01:00'."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from lstmcast.data.times.shapes import DIGITS, MONTHS, match_shape
from lstmcast.util.patterns import pattern_of

_TO = "to|bis|until|thru|through|a|à|au|al|até|ao|e|tot|till|til|do|по"  # in many languages
_SEPARATOR = pattern_of(rf" ?(?:-+|~|\.\.|/| (?:{_TO}|から) |から|至|到) ?")
# from, or the week with its number, in front of its days
_FROM = pattern_of(
    r"(?:from|del|dal|du|de|desde|entre|von|vom|van|från|fra|od|с|自) (?=.*\d.* )|"
    r"(?:week|wk|kw|w|semaine|semana|settimana|sem|uge|uke|vecka)\.? ?\d{1,2} ?(?:[:,-] ?|\(| )"
)
_BRACKETS = pattern_of(r"[\[(](.+), (.+)[\])]")  # as pandas writes intervals
_DURATION = pattern_of(r"p(?:t?0+[a-z])+")  # 2024-03-01T00:00Z/PT1H
_CLOCK = pattern_of(r"00?[:.]00(?:[:.]00)?(?: ?[ap]\.?m\.?)?")
_DAY_OF_YEAR = pattern_of(r"00?([./-])00?|(?:00?月)?00?日")  # an end without its year
# the year stands at the end only
_YEAR_LATE = (
    pattern_of(
        rf"(?P<m>[^\W\d_]+)\.? (?P<d>\d{{1,2}}) ?(?:-|~|{_TO}) ?(?:(?P<m2>[^\W\d_]+)\.? )?\d{{1,2}}"
        r",? (?P<y>\d{4})"
    ),
    pattern_of(
        rf"(?P<d>\d{{1,2}})\.?(?: (?:de )?(?P<m>[^\W\d_]+)\.?)? ?(?:-|~|{_TO}) ?\d{{1,2}}\.? "
        r"(?:de )?(?P<m2>[^\W\d_]+)\.?,? (?:de )?(?P<y>\d{4})"
    ),
)
_DAYS_LATE = pattern_of(
    rf"(?P<a>\d{{1,2}})(?P<s>[./])(?P<b>\d{{1,2}})\.? ?(?:-|~|{_TO}) ?"
    r"(?P<c>\d{1,2})(?P=s)(?P<e>\d{1,2})(?P=s)(?P<y>\d{4})"
)


def range_start(text: str) -> Callable[[str], str] | None:
    """How to cut the beginning out of a range and out of all texts of its shape; None where the
    text, in small letters, is no range.

    >>> range_start("2022-03-01 00:00 - 2022-03-01 01:00")("2022-03-02 05:00 - 2022-03-02 06:00")
    '2022-03-02 05:00'
    """
    if _BRACKETS.fullmatch(text):
        return _first_in_brackets
    for pattern in _YEAR_LATE:
        if pattern.fullmatch(text):
            return partial(_with_late_year, pattern=pattern)
    if _DAYS_LATE.fullmatch(text):
        return _with_late_day_year
    bare = _without_from(text)
    if bare != text:
        start = range_start(bare)
        return None if start is None else partial(_start_of_bare, start=start)
    shape = text.translate(DIGITS)
    for match in _SEPARATOR.finditer(shape):
        begin = shape[: match.start()].strip()
        end = shape[match.end() :].strip()
        ends_in_time = match_shape(end) is not None or _CLOCK.fullmatch(end)
        if (begin[:4] == "0000" and _DAY_OF_YEAR.fullmatch(end)) or _DURATION.fullmatch(
            end
        ):
            ends_in_time = True
        if match_shape(begin) is not None and ends_in_time:
            return partial(_cut, length=match.start())
    return None


def _first_in_brackets(text: str) -> str:
    match = _BRACKETS.fullmatch(text)
    return text if match is None else match[1]


def _without_from(text: str) -> str:
    """07/01/2019 al 13/01/2019 for del 07/01/2019 al 13/01/2019."""
    match = _FROM.match(text)
    if match is None:
        return text
    bare = text[match.end() :]
    return bare.removesuffix(")") if match[0].endswith("(") else bare


def _start_of_bare(text: str, start: Callable[[str], str]) -> str:
    return start(_without_from(text))


def _cut(text: str, length: int) -> str:
    return text[:length].strip()


def _with_late_year(text: str, pattern: re.Pattern[str]) -> str:
    match = pattern.fullmatch(text)
    if match is None:
        return text
    last_month = MONTHS.get(match["m2"] or "", 0)
    first_month = MONTHS.get(match["m"] or "", last_month)
    year = int(match["y"])
    if 0 < last_month < first_month:
        year -= 1
    return f"{year}-{first_month:02d}-{int(match['d']):02d}"


def _with_late_day_year(text: str) -> str:
    """30/12 - 05/01/2022 begins in 2021, whichever of the numbers is the month."""
    match = _DAYS_LATE.fullmatch(text)
    if match is None:
        return text
    first, second, end_first, end_second = map(int, match.group("a", "b", "c", "e"))
    year = int(match["y"])
    over_new_year = second == 12 and end_second == 1  # days before months
    over_new_year |= first == 12 and end_first == 1 and second >= end_second
    if over_new_year:
        year -= 1
    return f"{match['a']}/{match['b']}/{year}"
