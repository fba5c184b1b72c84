"""Public holidays as columns that are known in advance: whether a step is one, and which.

Their dates come from the package `holidays`: countries (DE, JP), parts of them (DE-BY, US-CA), and
markets (XNYS). Eves, bridge days and what else lies around holidays is left to those who read the
columns, as are weekdays.
"""

# S series · M steps of all series · D days · W periods

from __future__ import annotations

import datetime
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy import ndarray

from lstmcast.data.calendars import DAY, micros_of, times_of, weekday_of
from lstmcast.data.covariatejoining import continued_future
from lstmcast.data.features import Future
from lstmcast.data.findings import Finding
from lstmcast.data.frequency import Frequency
from lstmcast.data.levels import coded
from lstmcast.data.placing import period_of
from lstmcast.data.placingnotes import Grid
from lstmcast.data.ragged import offsets_of, places, series_numbers
from lstmcast.data.table import format_time
from lstmcast.data.values import NO_CATEGORY
from lstmcast.errors import DataError, UsageError

HOLIDAY, NAME = MADE = "holiday", "holiday name"  # what the columns are called
_AHEAD_DAYS = 731  # two years
_AHEAD_STEPS = 17_544  # two years of hours: finer steps have no more
_AHEAD_IN_ALL = 20_000_000  # steps of all series, but for the fewest of each
_FEWEST_AHEAD = 100
_EDGE = 800  # days that periods may reach beyond the first and the last step
_ENGLISH = "en_US"
_SUGGESTED = 5


def holiday_codes(given: str | Sequence[str]) -> tuple[str, ...]:
    """Codes of countries and their parts, each once; UsageError for one that is not known, with
    near ones.

    >>> holiday_codes("jp, DE-BY")
    ('JP', 'DE-BY')
    """
    each = [given] if isinstance(given, str) else [str(one) for one in given]
    parts = [part.strip() for one in each for part in one.split(",") if part.strip()]
    if not parts:
        raise UsageError(f"holidays={given!r} names no country. Give a code such as DE or US-CA.")
    return tuple(dict.fromkeys(_known_code(part) for part in parts))


def _known_code(text: str) -> str:
    from holidays.utils import list_supported_countries, list_supported_financial

    countries, markets = list_supported_countries(), list_supported_financial()
    country, _, part = text.partition("-")
    country, part = country.upper(), part.strip()
    if not part and country in markets:
        return country
    if country not in countries:
        raise UsageError(
            f"the holidays of {text!r} are not known. Give a country, such as "
            f"{', '.join(_near(text, list(countries)))}, or a part of one, such as DE-BY."
        )
    if not part:
        return country
    own = {name.upper(): name for name in countries[country]}
    if part.upper() not in own:
        raise UsageError(
            f"{country} has no part {part!r} whose holidays are known. "
            + (f"Choose one of: {', '.join(countries[country])}." if own else "Leave it out.")
        )
    return f"{country}-{own[part.upper()]}"


def _near(text: str, codes: list[str]) -> list[str]:
    """Codes that may be meant: of countries that are called so, or written nearly so."""
    from holidays.registry import COUNTRIES

    called = {name.replace("_", " "): entry[1] for name, entry in COUNTRIES.items()}
    called |= {entry[2].casefold(): entry[1] for entry in COUNTRIES.values()}
    word = text.partition("-")[0].strip().casefold()
    names = get_close_matches(word, list(called), 3, 0.75)
    near = [called[name] for name in names] + get_close_matches(word.upper(), codes, 5, 0.5)
    return list(dict.fromkeys(near))[:_SUGGESTED] or ["DE", "JP", "US"]


def with_holidays(future: Future, codes: Sequence[str], grid: Grid) -> tuple[Future, list[Finding]]:
    """What is known in advance with columns of public holidays, two years beyond the ends.

    Steps of a day or less: `holiday` is 1 on one and 0 else, `holiday name` is its name. Weeks:
    the number of holidays on working days, and the name of the first holiday. Longer steps: the
    number alone. Raises DataError for numbered steps, and where data have such columns.
    """
    if not codes:
        return future, []
    if grid.frequency.unit == "integer":
        raise DataError(
            f"holidays of {', '.join(codes)} were asked for, and the steps are numbered: they have "
            "no dates. Name a column of dates, or leave holidays out."
        )
    taken = [name for name in (HOLIDAY, NAME) if name in future.columns]
    if taken:
        raise DataError(
            f"the data have a column {taken[0]!r}, and holidays of {', '.join(codes)} make one. "
            "Rename the column, or leave one of the two out."
        )
    lengths = grid.lengths + _ahead(grid)
    if future:
        lengths = np.maximum(lengths, future.lengths)
    offsets = offsets_of(lengths)
    times = grid.frequency.advance(grid.starts[series_numbers(offsets)], places(offsets))
    columns, levels, findings = _columns(codes, times, grid.frequency)
    same = np.arange(len(lengths)), np.zeros(len(lengths), np.int64)
    own = Future(columns, offsets, levels)
    last = grid.frequency.advance(grid.starts, lengths - 1).max()
    made = " and ".join(map(repr, columns))
    message = f"holidays of {', '.join(codes)} until {format_time(last)}: {made}"
    return continued_future(future, own, *same), [*findings, Finding("holidays", "note", message)]


def _ahead(grid: Grid) -> int:
    """Steps beyond the end of each series: those of two years, and fewer where they are many."""
    start = np.datetime64("2024-01-01", "us")
    days = int(micros_of(grid.frequency.advance(start, 1)) - micros_of(start)) / DAY
    steps = min(int(_AHEAD_DAYS / days) + 1, _AHEAD_STEPS, _AHEAD_IN_ALL // len(grid.ids) + 1)
    return max(steps, min(_FEWEST_AHEAD, int(10 * _AHEAD_DAYS / days) + 1))


@dataclass(frozen=True, eq=False)
class _Days:
    """Holidays from one day on: names (D,), empty on other days, and whether each is one on a
    working day."""

    first: int  # days since 1970
    names: ndarray
    working: ndarray

    @property
    def times(self) -> ndarray:
        return times_of((self.first + np.arange(len(self.names))) * DAY)


def _columns(
    codes: Sequence[str], times: ndarray, frequency: Frequency
) -> tuple[dict[str, ndarray], dict[str, tuple[str, ...]], list[Finding]]:
    """The columns (M,) at these times, the names of holidays, and what was noticed."""
    days = micros_of(times) // DAY
    calendar, findings = _days(codes, int(days.min()) - _EDGE, int(days.max()) + _EDGE)
    if frequency.unit in ("second", "minute", "hour", "day", "business day"):
        here = days - calendar.first
        names = calendar.names[here]
        columns = {HOLIDAY: (names != "").astype(np.float64)}
    else:
        period = period_of(frequency)
        bins = period.bins(calendar.times)
        here = period.bins(times) - bins[0]
        columns = {HOLIDAY: np.bincount(bins - bins[0], calendar.working)[here]}
        if frequency.unit != "week":
            return columns, {}, findings
        names = _first_names(calendar, bins - bins[0])[here]
    (numbers,), levels = coded([np.where(names == "", NO_CATEGORY, names)])
    return columns | {NAME: numbers}, {NAME: levels}, findings


def _first_names(calendar: _Days, bins: ndarray) -> ndarray:
    """The name of the first holiday of each period (W,), empty where there is none."""
    names = np.full(int(bins.max()) + 1, "", object)
    named = np.flatnonzero(calendar.names != "")[::-1]
    names[bins[named]] = calendar.names[named]  # the last assignment stays
    return names


def _days(codes: Sequence[str], first: int, last: int) -> tuple[_Days, list[Finding]]:
    """The holidays of all these places; of several on one day the name of the first place."""
    names = np.full(last - first + 1, "", object)
    working = np.zeros(len(names), bool)
    weekdays = weekday_of((first + np.arange(len(names))) * DAY)
    epoch, findings = datetime.date(1970, 1, 1), []
    begin, end = (np.datetime64(day, "D").astype(datetime.date) for day in (first, last))
    for code in codes:
        place = _place(code, range(begin.year, end.year + 1))
        findings += _beyond(code, place, begin, end)
        free = set(getattr(place, "weekend", {5, 6}))
        for day, name in sorted(place.items()):
            at = (day - epoch).days - first
            if not 0 <= at < len(names):
                continue
            names[at] = names[at] or name
            working[at] |= int(weekdays[at]) not in free
    return _Days(first, names, working), findings


def _place(code: str, years: range) -> Any:
    """The holidays of a country, a part of it or a market, by date: names are English wherever the
    package has them, so that they do not depend on the machine."""
    import holidays
    from holidays.utils import list_supported_financial

    country, _, part = code.partition("-")
    market = country in list_supported_financial()
    entity: Any = holidays.financial_holidays if market else holidays.country_holidays
    said: dict[str, Any] = {} if market else {"subdiv": part or None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of years that it does not know: said by a finding
        usual = entity(country, **said)
        english = _ENGLISH in usual.supported_languages
        language = _ENGLISH if english else usual.default_language
        return entity(country, years=years, language=language, **said)


def _beyond(code: str, place: Any, begin: datetime.date, end: datetime.date) -> list[Finding]:
    """A note where the package knows the holidays of some years only."""
    first, last = getattr(place, "start_year", 1), getattr(place, "end_year", 9999)
    margin = datetime.timedelta(days=_EDGE)
    if first <= (begin + margin).year and last >= (end - margin).year:
        return []
    message = f"holidays of {code} are known from {first} to {last} only"
    return [Finding("holidays", "warning", message, "Other years have none.")]
