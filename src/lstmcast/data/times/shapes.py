"""Shapes of dates: texts with every digit replaced by 0, and the patterns that name their fields.

`2024-03-01` has the shape `0000-00-00`. A column has few shapes, so each is matched once.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmcast.data.missingwords import is_missing
from lstmcast.data.rarermonths import RARER_MONTHS
from lstmcast.data.scripts import OTHER_MONTHS, in_western_signs
from lstmcast.util.patterns import pattern_of

# dashes of any length, and waves, as ranges and fiscal years are written
_STROKES = str.maketrans("‐‑‒–—―−〜～", "-------~~")
DIGITS = str.maketrans("0123456789", "0" * 10)
MONTHS = (
    {
        name: number
        for number, names in enumerate(
            [
                "jan january januar janvier enero ene gennaio gen janeiro januari jaenner jänner",
                "feb february februar février fevrier févr fevr febrero febbraio fevereiro fev "
                "februari",
                "mar march märz maerz mär mrz mars marzo março marco maart mrt",
                "apr april avril avr abril abr aprile",
                "may mai mayo maggio mag maio mei",
                "jun june juni juin junio giugno giu junho",
                "jul july juli juillet juil julio luglio lug julho",
                "aug august août aout agosto ago augustus",
                "sep sept september septembre septiembre settembre set setembro",
                "oct october oktober okt octobre octubre ottobre ott outubro out",
                "nov november novembre noviembre novembro",
                "dec december dezember dez décembre decembre déc diciembre dic dicembre dezembro",
            ],
            start=1,
        )
        for name in names.split()
    }
    | OTHER_MONTHS
    | RARER_MONTHS
)
_WEEKDAY = (
    r"(?:(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)(?:day|sday|nesday|rsday|urday)?"
    # not "mar", which is March
    r"|mo|di|mi|do|fr|sa|so|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend"
    r"|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lun|mer|jeu|ven|sam|dim"
    r"|lunes|martes|miércoles|jueves|viernes|sábado|domingo|mié|jue|vie|sáb|dom"
    r"|(?:lune|marte|mercole|giove|vener)dì|sabato|domenica|gio|sab"
    r"|(?:segunda|terça|quarta|quinta|sexta)(?:-feira)?"
    r"|(?:maan|dins|woens|donder|vrij|zater|zon)dag|ma|wo|vr|za|zo)"
)
# before a whole date in digits it is no month
_TUESDAY = r"mar(?=[.,]? +\d+[-/.]\d+[-/.]\d)"
# a weekday before or behind a date, or a word in brackets behind it; behind a clock time, it is
# the name of a zone
_AROUND_DATES = (
    rf"^(?:{_WEEKDAY}|{_TUESDAY})[.,]? +|[ ,]+{_WEEKDAY}\.?$|[ ]?\({_WEEKDAY}\)$|"
    r"(?<!:\d\d)(?<!:\d\d )[ ]?\([^()\d]{1,9}\)$"
)
# the year before the first of each era
ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867}
ERAS |= {"r": 2018, "h": 1988, "s": 1925, "t": 1911}

_TIME = (
    r"(?:(?:t|,? +|_|(?=00?時))(?P<H>00?)(?=[:h時]| ?[ap]\.?m)(?:[:h時](?P<M>00?)分?)?"
    r"(?:[:](?P<S>00)|(?P<S2>00?)秒|時)?(?:[.,](?P<f>0{1,9}))?"
    r"(?: ?(?P<half>[ap])\.?m\.?)?(?: ?(?P<zone>z|utc|gmt|[+-]00:?00|[+-]00))?"
    r"(?: ?\[?[a-z]+/[a-z_/]+\]?)?)?"
)
_NAME = r"(?P<name>[^\W\d_]+)\.?"
_SHAPES = [
    pattern + _TIME
    for pattern in (
        r"(?P<y>0000)(?P<s>[-/._])(?P<m>00?)(?:(?P=s)(?P<d>00?))?",
        r"(?P<y>0000) (?P<m>00)(?: (?P<d>00))?",
        r"(?P<a>00?)(?P<s>[-/. ]) ?(?P<b>00?)(?P=s) ?(?P<y>0000|00)",
        r"(?P<y>0000) ?年(?:度)? ?(?:(?P<m>00?) ?月 ?(?:(?P<d>00?) ?日)?)?",
        r"(?P<era>令和|平成|昭和|大正|明治) ?(?P<ey>00?|元) ?年 ?"
        r"(?:(?P<m>00?) ?月 ?(?:(?P<d>00?) ?日)?)?",
        r"(?P<era>[rhst])(?P<ey>00?)[./-](?P<m>00?)(?:[./-](?P<d>00?))?",
        rf"{_NAME}[ ,/_-]*'?(?P<y>0000|00)",
        rf"(?P<y>0000)[. ,/_-]*{_NAME}",
        rf"(?P<d>00?)(?:\.|st|nd|rd|th|(?:er|o)(?= ))?[ /_-]*(?:of |de )?{_NAME}(?: de)?[ ,/_-]*"
        r"'?(?P<y>0000|00)",
        rf"{_NAME}[ -]+(?P<d>00?)(?:st|nd|rd|th)?[ ,-]+(?P<y>0000)",
        rf"(?P<y>0000)[. /-]+{_NAME}[ /-]+(?P<d>00?)\.?",
        r"(?P<y>0000)[ /_-]?q(?P<q>0)",
        r"q(?P<q>0)[ /_-]*(?P<y>0000|00)",
        r"(?P<q>0)q[ /_-]?(?P<y>0000|00)",
        r"(?P<y>0000)年 ?第?(?P<q>0)四半期",
        r"(?P<y>0000)[ -]?(?:w|kw|week ?)(?P<w>00?)(?:-(?P<wd>0))?",
        r"(?P<y>0000)(?P<m>00)(?P<d>00)(?=t|[ _]00:?00)",
        r"(?P<b>00?)/(?P<y>0000)",
        r"(?P<b>00?)[.-](?P<y>0000)",
    )
]
_COMPACT_TIME = (
    r"(?P<y>0000)-?(?P<m>00)-?(?P<d>00)[t _](?P<H>00)(?P<M>00)(?P<S>00)?(?P<zone>z)?"
)
_FOREIGN = pattern_of(r"[^\w /.,:'+\[\]-]")  # in none of the shapes
# when first tried: most columns of dates need the first one only
_compiled = cache(re.compile)


def month_named(text: str) -> int | None:
    """The number of the month that a name in small letters is, in any language; None where it is
    none.

    >>> month_named("märz"), month_named("มีนาคม"), month_named("north")
    (3, 3, None)
    """
    number = MONTHS.get(text.rstrip("."))
    if number is None and not text.isascii():
        number = MONTHS.get(tidied(text).rstrip("."))
    return number


def tidied(text: str) -> str:
    """Small letters, plain digits, no weekday; "" where missing."""
    is_plain = text.isascii() and "  " not in text
    if is_plain and text[:1].isdigit() and text[-1:].isdigit():
        return text.casefold()  # a million time stamps take this way
    if is_missing(text):
        return ""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = text.translate(_STROKES).replace("元年", "1年")
        text = in_western_signs(text)
    text = text.strip().lstrip(".").casefold()  # ..2020, indented
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)  # μαΐ is three signs more
    text = re.sub(r"(?<=[ap]\.) (?=m\.$)", "", text)  # 01:30 p. m.
    first = text[:1]
    end = text[-1:]
    if first.isalpha() or end.isalpha() or end == ")":
        text = re.sub(_AROUND_DATES, "", text)
    return " ".join(text.split())


def match_shape(shape: str) -> re.Match[str] | None:
    # as a number has, so that no pattern is compiled for it
    has_digits_only = not shape.strip("0")
    if has_digits_only or "0" not in shape or _FOREIGN.search(shape):
        return None
    for pattern in (*_SHAPES, _COMPACT_TIME):
        match = _compiled(pattern).fullmatch(shape)
        if match is None:
            continue
        fields = match.groupdict()
        month_name = fields.get("name")
        # Jan 10 10:00 is a day, not a month of 2010
        is_day = (
            fields.get("H")
            and fields.get("y") == "00"
            and not (fields.get("d") or fields.get("b"))
        )
        if not is_day and (not month_name or month_name in MONTHS):
            return match
    return None


def from_fields(year: ArrayLike, month: ArrayLike, day: ArrayLike) -> NDArray:
    """datetime64[us]; NaT for what no calendar has, such as 31 February."""
    year, month, day = np.broadcast_arrays(year, month, day)
    exists = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    years_since_1970 = np.where(exists, year, 1970) - 1970
    months_since_1970 = years_since_1970 * 12 + np.where(exists, month, 1) - 1
    months = months_since_1970.astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    exists &= days.astype("datetime64[M]") == months
    return np.where(exists, days, np.datetime64("NaT")).astype("datetime64[us]")
