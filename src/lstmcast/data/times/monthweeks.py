"""Weeks numbered within their month: 2022/1/3週, Jan 2022 week 3."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from datetime import date, timedelta

from lstmcast.data.times.labelpairs import mostly
from lstmcast.data.times.rewritten import Labels, sample_of
from lstmcast.data.times.shapes import month_named
from lstmcast.util.patterns import pattern_of

_WEEK = r"(?:week|wk|w|kw|woche|semaine|semana|settimana)\.?[ -]?(?P<w>[1-6])"
_NAME = r"(?P<m>[^\W\d_]{3,10})\.?"
_YEAR = r"(?P<y>(?:19|20)\d\d)"
_FORMS = (
    pattern_of(rf"{_YEAR}[年/. -] ?(?P<m>\d\d?)(?:月|[/. -]) ?第?(?P<w>[1-6])週目?"),
    pattern_of(rf"{_YEAR}[-/. ](?P<m>\d\d?)[-/. ]{_WEEK}"),
    pattern_of(rf"{_YEAR}[-/. ]{_NAME}[-/., ]+{_WEEK}"),
    pattern_of(rf"{_NAME}[-/., ]+{_YEAR}[-/., ]+\(?{_WEEK}\)?"),
    pattern_of(rf"{_NAME}[-/., ]+{_WEEK}[-/., ]+{_YEAR}"),
    pattern_of(rf"{_WEEK}[-/., ]+(?:of |de )?{_NAME}[-/., ]+(?:de )?{_YEAR}"),
    pattern_of(
        rf"(?P<w>[1-5])(?:st|nd|rd|th|\.|ª)? (?:week|woche|semana)(?: of| de| im)? {_NAME},? "
        rf"(?:de )?{_YEAR}"
    ),
)
# Monday first, then Sunday: of weekdays that come as often, the one that weeks begin with
_WEEKDAYS = (0, 6, 5, 4, 3, 2, 1)
_DAY_NAMES = (
    "Mondays",
    "Tuesdays",
    "Wednesdays",
    "Thursdays",
    "Fridays",
    "Saturdays",
    "Sundays",
)
_Month = tuple[int, int]


def weeks_of_months(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Labels of weeks as the weekday that each month has as often as weeks; None for other labels.

    A problem where no weekday is: months of five weeks each have weeks that overlap.
    """
    form = next((form for form in _FORMS if form.fullmatch(texts_present[0])), None)
    if form is None or not mostly(map(form.fullmatch, sample_of(texts_present))):
        return None
    matches = [form.fullmatch(text) for text in tidy]
    weeks = list(map(_week_of, matches))
    counts: dict[_Month, int] = {}
    for week in filter(None, weeks):
        month = week[:2]
        counts[month] = max(week[2], counts.get(month, 0))
    if not counts:
        return None
    weekday = _weekday_of(counts)
    texts = list(tidy)
    for place, week in enumerate(weeks):
        if week is not None:
            texts[place] = str(_day_of(week, weekday or 0))
    example = f"labels such as {texts_present[0]!r}"
    if weekday is None:
        return Labels(texts, problem=_problem(example, counts))
    note = f"{example} read as the {_DAY_NAMES[weekday]} of their month"
    return Labels(texts, (note,))


def _week_of(match: re.Match[str] | None) -> tuple[int, int, int] | None:
    """The year, month and week that a label names."""
    if match is None:
        return None
    name = match["m"]
    month = int(name) if name.isdigit() else month_named(name)
    if month is None or not 1 <= month <= 12:
        return None
    return int(match["y"]), month, int(match["w"])


def _weekday_of(counts: Mapping[_Month, int]) -> int | None:
    """The weekday, 0 for Monday, that comes as often in each month as there are weeks of it; the
    first and the last month may be parts. None where no weekday does."""
    ends = (min(counts), max(counts))
    has_inner_months = len(counts) > len(set(ends))
    for weekday in _WEEKDAYS:
        if has_inner_months and _fits(weekday, counts, ends):
            return weekday
    return None


def _fits(
    weekday: int,
    counts: Mapping[_Month, int],
    ends: Container[_Month],
) -> bool:
    """Whether months have as many of a weekday as weeks, or more if they are at the ends."""
    for month, count in counts.items():
        day_count = len(_days_of(month, weekday))
        if day_count < count:
            return False
        if day_count > count and month not in ends:
            return False
    return True


def _days_of(month: _Month, weekday: int) -> list[date]:
    """The days of a month that are a weekday."""
    first = date(*month, 1)
    day = first + timedelta((weekday - first.weekday()) % 7)
    days = []
    while day.month == first.month:
        days.append(day)
        day += timedelta(7)
    return days


def _day_of(week: tuple[int, int, int], weekday: int) -> date:
    year, month, number = week
    first = _days_of((year, month), weekday)[0]
    return first + timedelta(7 * (number - 1))


def _problem(example: str, counts: Mapping[_Month, int]) -> str:
    per_year = round(12 * sum(counts.values()) / len(counts))
    return (
        f"{example} are weeks of months, and no day of the week comes as often in each month as "
        "its weeks. Write the first day of each week, or number the rows with --time index "
        f"--period {per_year} (in Python: time='index', periods={per_year})."
    )
