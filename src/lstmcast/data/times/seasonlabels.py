"""Seasons of years: Winter 2019/20, Summer 2020; Spring 2015 to Winter 2015; MAM 2015."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lstmcast.data.times.labelpairs import mostly
from lstmcast.data.times.periodwords import full_year
from lstmcast.util.patterns import pattern_of

# the seasons of the meteorologists, which begin in March, June, September and December
_WORDS = (
    "spring frühling frühjahr printemps primavera mam 春",
    "summer sommer été verano estate verão jja 夏",
    "autumn fall herbst automne otoño autunno outono son 秋",
    "winter hiver invierno inverno djf 冬",
)
_SEASONS = {
    word: number for number, words in enumerate(_WORDS) for word in words.split()
}
_SPRING, _SUMMER, _AUTUMN, _WINTER = range(4)
_YEAR = r"(?P<year>\d{4})(?: ?[/-] ?(?P<next>\d{4}|\d\d))?"
_LABEL = pattern_of(
    rf"(?P<word>[^\W\d_]+)[ ',-]*{_YEAR}|{_YEAR.replace('year', 'year2').replace('next', 'next2')}"
    r" ?年?[ ,-]*(?P<word2>[^\W\d_]+)"
)


_INITIALS = "djfmamjjasondj"  # of the months from December to January


def middle_month(text: str) -> int | None:
    """The month in the middle of three that are named by their first letters, as climatologists
    name running means; None for any other text.

    >>> middle_month("djf"), middle_month("ndj"), middle_month("may")
    (1, 12, None)
    """
    place = _INITIALS.find(text)
    return place + 1 if len(text) == 3 and place >= 0 else None


class _Season(NamedTuple):
    """A season of a year; `spans` where the label names two years."""

    number: int
    year: int
    spans: bool


def seasons_as_months(
    tidy: Sequence[str], texts_present: Sequence[str]
) -> tuple[list[str], str]:
    """Labels of seasons as the months in which they begin, and what they were read as; "" where
    they are no such labels, or where their years cannot be told.

    A winter has one year where it begins or one where it ends, as the order of the rows shows.
    """
    seasons = [_season_of(text) for text in tidy]
    present = [season for season in seasons if season is not None]
    if len(present) < 3 or not mostly(
        _season_of(text) is not None for text in texts_present
    ):
        return list(tidy), ""
    numbers = {season.number for season in present}
    if len(numbers) == 1:
        return _rewritten(tidy, seasons, 0, (0, 0, 0, 0)), "years"
    if numbers == {_SUMMER, _WINTER}:
        first_months, unit = (
            (4, 4, 10, 10),
            "half-years that begin in April and October",
        )
    elif numbers == {_SPRING, _AUTUMN}:  # terms of universities
        first_months, unit = (
            (3, 3, 9, 9),
            "half-years that begin in March and September",
        )
    elif len(numbers) == 4:
        first_months, unit = (
            (3, 6, 9, 12),
            "quarters that begin in March, June, September, December",
        )
    else:
        return list(tidy), ""
    for years_back in (0, 1):
        months = [_month_of(season, years_back, first_months) for season in present]
        if len(set(np.diff(months).tolist())) == 1:
            return _rewritten(tidy, seasons, years_back, first_months), unit
    return list(tidy), ""


def _season_of(text: str) -> _Season | None:
    match = _LABEL.fullmatch(text)
    if match is None:
        return None
    number = _SEASONS.get(match["word"] or match["word2"])
    if number is None:
        return None
    year = int(match["year"] or match["year2"])
    next_year = match["next"] or match["next2"]
    if next_year and full_year(next_year.zfill(2)) % 100 != (year + 1) % 100:
        return None
    return _Season(number, year, bool(next_year))


def _month_of(season: _Season, years_back: int, first_months: Sequence[int]) -> int:
    """The month in which a season begins, counted from year 0; years_back: of winters that are
    called after the year in which they end."""
    is_late = season.number == _WINTER and not season.spans
    year = season.year - years_back * is_late
    return 12 * year + max(first_months[season.number], 1) - 1


def _rewritten(
    tidy: Sequence[str],
    seasons: Sequence[_Season | None],
    years_back: int,
    first_months: Sequence[int],
) -> list[str]:
    texts = list(tidy)
    for place, season in enumerate(seasons):
        if season is not None:
            year, month = divmod(_month_of(season, years_back, first_months), 12)
            texts[place] = f"{year}-{month + 1:02d}"
    return texts
