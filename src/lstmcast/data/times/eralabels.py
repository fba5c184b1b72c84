"""Years of eras and of the Republic of China, in labels: 令和2年1月, R2.1, S63, 113/04."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import numpy as np

from lstmcast.data.scripts import REPUBLIC
from lstmcast.data.times.labelpairs import mostly
from lstmcast.data.times.rewritten import Labels, replaced, sample_of
from lstmcast.data.times.shapes import ERAS
from lstmcast.util.patterns import pattern_of

_ERA_LETTERS = {"r": "令和", "h": "平成", "s": "昭和", "t": "大正", "m": "明治"}
_ERA = pattern_of(
    r"(令和|平成|昭和|大正|明治|[rhstm])\.? ?(\d\d?|元) ?(?:年度?|[./-]) ?"
    r"(?:(0?\d|1[012]) ?[月./-]?)? ?(?:(\d\d?) ?日?)?期?"
)

IS_REPUBLIC = pattern_of(r"1[0-4]\d/\d\d?(?:/\d\d?)?")
# and before 2011, which had year 100
_REPUBLIC_BESIDE = pattern_of(r"(\d{2,3})/(\d\d?(?:/\d\d?)?)")


def eras(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """令和2年1月, R2.1, 平成22年度: years of Japanese eras in any spelling."""
    if mostly(_ERA.fullmatch(text) for text in sample_of(texts_present)):
        return Labels(replaced(tidy, _ERA, _era_text))
    years = replaced(texts_present, _ERA_YEAR, _era_year)
    numbers = [int(year) for year in years if year.isdecimal()]
    letters = {text[0] for text in texts_present}
    if len(numbers) < len(years) or len(letters) < 2 or set(np.diff(numbers)) != {1}:
        return None
    note = f"labels such as {texts_present[0]!r} read as years of eras: {years[0]}"
    return Labels(
        replaced(tidy, _ERA_YEAR, lambda match: f"{_era_year(match)}年"), (note,)
    )


def with_western_years(texts: Sequence[str]) -> list[str] | None:
    """令和4年1-3月 as 2022年1-3月; None where most texts do not begin with an era.

    >>> with_western_years(["令和4年1-3月", "令和元年度上期"])
    ['2022年1-3月', '2019年度上期']
    """
    if not mostly(_ERA_BEFORE.match(text) for text in texts if text):
        return None
    return [
        _ERA_BEFORE.sub(lambda match: f"{_western_year(match)}年", text)
        for text in texts
    ]


_ERA_BEFORE = pattern_of(r"(令和|平成|昭和|大正|明治) ?(\d\d?|元) ?年")
_ERA_YEAR = pattern_of(r"([mtshr]) ?(\d\d?|元)")


def _era_year(match: re.Match[str]) -> str:
    """S63 and H1 as 1988 and 1989, which letters alone do not tell from codes."""
    return str(_western_year(match))


def _western_year(match: re.Match[str]) -> int:
    era, year = match.groups()
    number = 1 if year == "元" else int(year)
    return ERAS[_ERA_LETTERS.get(era, era)] + number


def _era_text(match: re.Match[str]) -> str:
    era, year, month, day = match.groups()
    text = f"{_ERA_LETTERS.get(era, era)}{year}年"
    if month:
        text += f"{month}月"
    if day:
        text += f"{day}日"
    return text


def republic(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """113/04 and 113/04/01: years of the Republic of China, as Taiwan counts them."""
    matches = [_REPUBLIC_BESIDE.fullmatch(text) for text in texts_present]
    if not mostly(matches):
        return None

    def rewrite(text: str) -> str:
        match = _REPUBLIC_BESIDE.fullmatch(text)
        if match is None:
            return text
        return f"{int(match[1]) + REPUBLIC}-" + match[2].replace("/", "-")

    example = texts_present[0]
    note = f"labels such as {example!r} read as years of the Republic of China: {rewrite(example)}"
    return Labels([rewrite(text) for text in tidy], (note,))


def before_hundred(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """99年12月 before 100年1月, of the Republic of China."""
    starts = [text.partition("年")[0] for text in texts_present if "年" in text]
    short = {int(start) for start in starts if len(start) == 2 and start.isdecimal()}
    long = {int(start) for start in starts if len(start) == 4 and start.isdecimal()}
    if not short or not long or max(short) != 99 or min(long) != REPUBLIC + 100:
        return None
    rewrite = partial(
        re.sub, r"^(\d\d)(?=年)", lambda match: str(int(match[1]) + REPUBLIC)
    )
    example = rewrite(texts_present[0])
    note = f"labels such as {texts_present[0]!r} read as years of the Republic of China: {example}"
    return Labels([rewrite(text) for text in tidy], (note,))
