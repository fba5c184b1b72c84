"""Rewrite labels of periods as dates: fiscal years, quarters, decimal years, ranges of times.

The meaning of labels is decided for a whole column: `2009/10` alone is a month; with `1998/99` and
`2010/11` it is a year that ends in the next one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from lstmcast.data.times.eralabels import (
    IS_REPUBLIC,
    before_hundred,
    eras,
    republic,
    with_western_years,
)
from lstmcast.data.times.hourlabels import half_days, hours_behind_dates
from lstmcast.data.times.labelpairs import (
    MOST,
    PAIR,
    Pair,
    decimal_rule,
    looks_paired,
    mostly,
    numbered_rule,
    season_rule,
    short_month_rule,
    steps_evenly,
    weeks_before_years,
)
from lstmcast.data.times.monthweeks import weeks_of_months
from lstmcast.data.times.periodwords import full_year, named_period
from lstmcast.data.times.ranges import range_start
from lstmcast.data.times.rewritten import Labels, replaced, sample_of
from lstmcast.data.times.rollingspans import rolling_spans
from lstmcast.data.times.romanmonths import roman_months
from lstmcast.data.times.seasonlabels import seasons_as_months
from lstmcast.data.times.shapes import DIGITS, MONTHS, match_shape
from lstmcast.data.times.shortyears import decades, short_years
from lstmcast.data.times.spellings import SPELLINGS
from lstmcast.data.times.timenumbers import decimal_times
from lstmcast.data.times.zonedlabels import zoned_labels
from lstmcast.util.patterns import pattern_of

_WEEK = r"(?:w/?[bce] ?|week (?:of|commencing|beginning|starting|ending) )?"
_MONTH_DAY = pattern_of(rf"{_WEEK}(?P<name>[^\W\d_]{{3,9}})\.?[ -]?(?P<number>\d\d?)")
_DAY_MONTH = pattern_of(_WEEK + r"(?P<number>\d{1,2})[ -]?(?P<name>[^\W\d_]{3,9})\.?")
_CLOCKS = pattern_of(r"(.*\d{4}.*|\d{4}.*) ?(\d\d:\d\d)-(\d\d:\d\d)")
_SEASON = pattern_of(
    r"(?:season|saison|temporada|stagione|(?:crop|marketing|school|academic) year|[mcsa]y) ?"
    r"(\d{2,4} ?[/-].*)|"
    r"(\d.*) (?:season|saison|(?:crop|marketing|school|academic) year)"
)
_DAY_ZERO = pattern_of(r"(\d{4}[-/.]\d\d)[-/.]00")
_DAY_FIRST = pattern_of(
    r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])((?:19|20)\d\d)[ t_](\d\d?:\d\d.*)"
)
_NO_YEAR = (
    "dates such as {!r} have no year. Add the year, or number the rows with --time index --period "
    "N, where N rows are one season."
)


def ambiguous_labels(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Labels that have the shape of a date and may mean something else; None where they are what
    they look like.

    tidy: the texts in small letters, "" where missing; texts_present: those that are not.
    """
    sample = sample_of(texts_present)
    if any(_MONTH_DAY.fullmatch(text) for text in sample):
        return _days_without_year(tidy, texts_present, _MONTH_DAY)
    if any(IS_REPUBLIC.fullmatch(text) for text in (*sample, texts_present[-1])):
        return republic(tidy, texts_present)
    if mostly(_CLOCKS.fullmatch(text) for text in sample):
        return _clock_ranges(tidy, texts_present)
    if _SEASON.fullmatch(texts_present[0]):
        return ambiguous_labels(
            *(_without_season(texts) for texts in (tidy, texts_present))
        )
    for labels_of in (_misleading, before_hundred):
        labels = labels_of(tidy, texts_present)
        if labels is not None:
            return labels
    if not mostly(looks_paired(text) for text in sample):
        return None
    pairs = [_pair_of(text) for text in tidy]
    present_pairs = [pair for pair in pairs if pair is not None]
    if len(present_pairs) < MOST * len(texts_present):
        return None
    for rule_of in (season_rule, decimal_rule, numbered_rule, short_month_rule):
        rule = rule_of(present_pairs)
        if rule is None:
            continue
        texts = list(tidy)
        for place, pair in enumerate(pairs):
            if pair is not None:
                texts[place] = rule.rewrite(pair)
        notes = (rule.note,) if rule.note else ()
        return Labels(texts, notes, rule.form)
    return None


def _without_season(texts: Sequence[str]) -> list[str]:
    """2019/20 for season 2019/20 and 2019/20 season."""
    return replaced(texts, _SEASON, lambda match: match[1] or match[2])


def _misleading(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """2010-01-00 as a month; 13.2022 as a week; 31032010 12:00, which is no year 3103."""
    weeks = weeks_before_years(tidy, texts_present)
    if weeks is not None:
        note = f"labels such as {texts_present[0]!r} read as ISO week and year"
        return Labels(weeks, (note,))
    if all(map(_DAY_ZERO.fullmatch, texts_present)):
        return Labels(replaced(tidy, _DAY_ZERO, lambda match: match[1]))
    begin_as_years = all(text[:2] in ("19", "20") for text in texts_present)
    if begin_as_years or not all(map(_DAY_FIRST.fullmatch, texts_present)):
        return None
    rewrite = partial(re.Match.expand, template=r"\1/\2/\3 \4")
    return Labels(replaced(tidy, _DAY_FIRST, rewrite))


def _pair_of(text: str) -> Pair | None:
    match = PAIR.fullmatch(text)
    if match is None:
        return None
    return Pair(*(field or "" for field in match.groups()))


def rewritten_labels(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Labels that have no shape of a date, rewritten as dates; None where nothing is known of
    them."""
    for labels_of in (
        short_years,
        decades,
        half_days,
        _hours,
        weeks_of_months,
        _seasons,
        zoned_labels,
        roman_months,
        rolling_spans,
        _spelled,
        eras,
        _of_eras,
        _ranges,
        _periods,
        _seconds,
    ):
        labels = labels_of(tidy, texts_present)
        if labels is not None:
            return labels
    return _days_without_year(tidy, texts_present, _DAY_MONTH)


def _of_eras(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Quarters and half-years of years of eras, as those of western years."""
    texts = with_western_years(tidy)
    if texts is None:
        return None
    labels = rewritten_labels(texts, [text for text in texts if text])
    if labels is None:
        return None
    first = next(text for text in texts if text)
    notes = [note.replace(repr(first), repr(texts_present[0])) for note in labels.notes]
    return replace(labels, notes=tuple(notes))


def _hours(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """2024-03-01 HE05: hours of a day, as power markets number them."""
    texts = hours_behind_dates(tidy, texts_present)
    if texts is None:
        return None
    example = texts[tidy.index(texts_present[0])]
    return Labels(
        texts, (f"labels such as {texts_present[0]!r} read as hours: {example}",)
    )


def _seasons(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Winter 2019/20, Summer 2020."""
    texts, unit = seasons_as_months(tidy, texts_present)
    return (
        Labels(texts, (f"labels such as {texts_present[0]!r} read as {unit}",))
        if unit
        else None
    )


def _clock_ranges(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """2024-03-01 14:00-15:00: what looks like an offset from UTC, and is another at every hour."""
    matches = list(filter(None, map(_CLOCKS.fullmatch, tidy)))
    ends = {match[3] for match in matches}
    if len(ends) <= 2 or not mostly(map(_ends_later, matches)):
        return None
    texts = replaced(tidy, _CLOCKS, lambda match: f"{match[1].rstrip(' t')} {match[2]}")
    return Labels(texts, (_beginnings_note(texts_present),))


def _ends_later(match: re.Match[str]) -> bool:
    return match[2] < match[3] or match[3] == "00:00"


def _beginnings_note(texts_present: Sequence[str]) -> str:
    return f"ranges such as {texts_present[0]!r} read as their starts"


def _spelled(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Dates and clock times that are written a little otherwise: 2022-03-01 05, 18.00.00 after a
    date, 20220301:0100."""
    sample = sample_of(texts_present)
    for pattern, replacement in SPELLINGS:
        compiled = re.compile(pattern)
        rewrite = partial(re.Match.expand, template=replacement)
        rewritten = replaced(sample, compiled, rewrite)
        if mostly(
            match_shape(text.translate(DIGITS)) is not None for text in rewritten
        ):
            return Labels(replaced(tidy, compiled, rewrite))
    return None


def _ranges(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Ranges of times, read as their starts."""
    start_of_shape: dict[str, Callable[[str], str] | None] = {}

    def rewrite(text: str) -> str:
        shape = text.translate(DIGITS)
        if shape not in start_of_shape:
            start_of_shape[shape] = range_start(text)
        start = start_of_shape[shape]
        return text if start is None else start(text)

    if not mostly(rewrite(text) != text for text in sample_of(texts_present)):
        return None
    texts = list(tidy)
    for place, text in enumerate(tidy):
        if text:
            texts[place] = rewrite(text)
    return Labels(texts, (_beginnings_note(texts_present),))


def _periods(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Years with quarters, weeks, months or half-years in words: FY19 Q1, 2010 Week 05, 2010M01."""
    if not mostly(named_period(text) for text in sample_of(texts_present)):
        return None
    period_of_place = {}
    for place, text in enumerate(tidy):
        period = named_period(text) if text else None
        if period is not None:
            period_of_place[place] = period
    periods = period_of_place.values()
    highest = max(period.number for period in periods)
    texts = list(tidy)
    for place, period in period_of_place.items():
        texts[place] = period.settled(highest).text
    unit = next(iter(periods)).settled(highest).unit
    example = f"labels such as {texts_present[0]!r}"
    if not any(period.fiscal for period in periods):
        return Labels(texts, (f"{example} read as {_UNIT_NAMES[unit]}",))
    fiscal_periods = "years" if unit == "year" else f"years and {unit}s"
    note = f"{example} read as fiscal {fiscal_periods}, placed as calendar periods"
    return Labels(texts, (note,))


_UNIT_NAMES = {
    "year": "years",
    "quarter": "quarters",
    "half": "half-years",
    "month": "months",
    "week": "ISO weeks, which start on Monday",
    "day": "days of the year",
}
_SECONDS = pattern_of(
    r"(?:/?date\()?(?P<whole>\d{9,13})(?P<fraction>\.\d+)?(?:[+-]\d{4})?(?:\)/?)?:?"
)


def _seconds(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """1640995200.5 as seconds since 1970, /Date(1640995200000)/ as milliseconds."""
    matches = [_SECONDS.fullmatch(text) for text in tidy]
    numbers = [_number_of(match) for match in matches if match is not None]
    if len(numbers) < len(texts_present):
        return None
    is_millis = min(numbers) > 1e11
    scale = 1000.0 if is_millis else 1.0
    times = decimal_times(np.array(numbers) / scale)
    if times is None:
        return None
    micros = times.values.astype("datetime64[us]")
    dates = iter(micros.astype(str).tolist())
    texts = []
    for match in matches:
        text = "" if match is None else f"{next(dates).casefold()}z"
        texts.append(text)
    unit = "milliseconds" if is_millis else "seconds"
    return Labels(texts, (f"numbers read as {unit} since 1970 (UTC)",), "year")


def _number_of(match: re.Match[str]) -> float:
    fraction = match["fraction"] or ""
    return float(match["whole"] + fraction)


def _days_without_year(
    tidy: list[str], texts_present: Sequence[str], pattern: re.Pattern[str]
) -> Labels | None:
    """10-Jan, Jan-10: a year and a month where that makes even steps; days without a year are a
    problem."""
    matches = list(filter(None, map(pattern.fullmatch, tidy)))
    months = [MONTHS.get(match["name"], 0) for match in matches]
    numbers = [match["number"] for match in matches]
    if len(matches) < max(MOST * len(texts_present), 3) or not mostly(months):
        return None
    lengths = (1, 2, 3, 6)
    if any(match is not None and int(match["number"]) > 31 for match in matches):
        lengths = (*lengths, 12)  # Mar-95, Mar-96: no days
    if steps_evenly(list(map(_month_since_year_0, matches)), lengths):
        if pattern is _MONTH_DAY:
            return None  # Jan-10: as dates.py reads it
        texts = replaced(tidy, pattern, _year_and_month)
        note = f"labels such as {texts_present[0]!r} read as year and month"
        return Labels(texts, (note,))
    days = [
        31 * month + int(number) for month, number in zip(months, numbers, strict=True)
    ]
    steps = np.diff(days).tolist()
    are_days = any(len(number) == 1 for number in numbers)
    if (
        pattern is _MONTH_DAY
        and not are_days
        and not mostly(0 < step <= 4 for step in steps)
    ):
        return None
    texts = replaced(tidy, pattern, _day_of_leap_year)
    return Labels(texts, (), "", _NO_YEAR.format(texts_present[0]))


def _year_and_month(match: re.Match[str]) -> str:
    """Such as 2010-01; the month 99, which is none, for a name that is none of a month."""
    month = MONTHS.get(match["name"], 99)
    return f"{_short_year(match)}-{month:02d}"


def _month_since_year_0(match: re.Match[str]) -> int:
    month = MONTHS.get(match["name"], 0)
    return 12 * _short_year(match) + month


def _short_year(match: re.Match[str]) -> int:
    return full_year(match["number"].zfill(2))


def _day_of_leap_year(match: re.Match[str]) -> str:
    """A leap year has every day; the problem is reported should this be the column of times."""
    month = MONTHS.get(match["name"], 99)
    day = int(match["number"])
    return f"2000-{month:02d}-{day:02d}"
