"""Public holidays as future columns: whether a step is one, and which.

Dates come from the package `holidays`: countries (DE, JP), their subdivisions (DE-BY, US-CA) and
markets (XNYS). Eves, bridge days and weekdays are handled where the columns are used.
"""

# S series · M steps of all series · D days · W periods

from __future__ import annotations

import datetime
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from lstmcast.data.cells.values import NO_CATEGORY
from lstmcast.data.covariates.covariatejoining import continued_future
from lstmcast.data.covariates.placing import period_of
from lstmcast.data.covariates.placingnotes import Grid
from lstmcast.data.features import Future
from lstmcast.data.findings import Finding
from lstmcast.data.levels import CodedColumns, coded
from lstmcast.data.ragged import offsets_of, places, series_numbers
from lstmcast.data.table import format_time
from lstmcast.data.times.calendars import DAY, micros_of, times_of, weekday_of
from lstmcast.data.times.frequency import Frequency
from lstmcast.errors import DataError, UsageError

HOLIDAY, NAME = MADE = "holiday", "holiday name"  # names of the columns
_AHEAD_DAYS = 731  # two years
_AHEAD_STEPS = 17_544  # two years of hours: finer steps get no more
# steps limit for all series together, above the minimum of each
_AHEAD_IN_ALL = 20_000_000
_FEWEST_AHEAD = 100
_EDGE = 800  # days by which periods may extend beyond the first and the last step
_ENGLISH = "en_US"
_SUGGESTED = 5


def holiday_codes(given: str | Sequence[str]) -> tuple[str, ...]:
    """Codes of countries and subdivisions without repeats; UsageError for unknown ones.

    >>> holiday_codes("jp, DE-BY")
    ('JP', 'DE-BY')
    """
    texts = [given] if isinstance(given, str) else map(str, given)
    names = ",".join(texts).split(",")
    names = [name.strip() for name in names if name.strip()]
    if not names:
        raise UsageError(
            f"holidays={given!r} does not name a country. Give a code such as DE or US-CA."
        )
    return tuple(dict.fromkeys(map(_known_code, names)))


def _known_code(text: str) -> str:
    from holidays.utils import list_supported_countries, list_supported_financial

    countries = list_supported_countries()
    country, _, part = text.partition("-")
    country = country.upper()
    part = part.strip()
    if not part and country in list_supported_financial():
        return country
    if country not in countries:
        raise UsageError(
            f"the holidays of {text!r} are not known. Give a country, such as "
            f"{', '.join(_near(text, list(countries)))}, or a subdivision, such as DE-BY."
        )
    if not part:
        return country
    for name in countries[country]:
        if name.upper() == part.upper():
            return f"{country}-{name}"
    choices = ", ".join(countries[country])
    action = f"Choose one of: {choices}." if choices else "Leave it out."
    raise UsageError(
        f"{country} has no subdivision {part!r} with known holidays. {action}"
    )


def _near(text: str, codes: list[str]) -> list[str]:
    """Codes of countries with this name or similar codes."""
    from holidays.registry import COUNTRIES

    code_of_name = {}
    for name, entry in COUNTRIES.items():
        code_of_name[name.replace("_", " ")] = entry[1]
    for entry in COUNTRIES.values():  # such as DEU
        code_of_name[entry[2].casefold()] = entry[1]
    word = text.partition("-")[0].strip().casefold()
    names = get_close_matches(word, list(code_of_name), 3, 0.75)
    near = [code_of_name[name] for name in names]
    near += get_close_matches(word.upper(), codes, 5, 0.5)
    distinct = list(dict.fromkeys(near))
    return distinct[:_SUGGESTED] or ["DE", "JP", "US"]


def with_holidays(
    future: Future, codes: Sequence[str], grid: Grid
) -> tuple[Future, list[Finding]]:
    """Add columns of public holidays to the future columns, two years beyond the ends.

    Steps of a day or less: `holiday` is 1 on holidays, else 0, and `holiday name` is the name.
    Weeks: the number of holidays on working days, and the name of the first holiday. Longer steps:
    only the number. Raises DataError for numbered steps, and if the data have such columns.
    """
    if not codes:
        return future, []
    places_text = ", ".join(codes)
    if grid.frequency.unit == "integer":
        raise DataError(
            f"holidays of {places_text} cannot be added: the steps are numbered and have no "
            "dates. Name a column of dates, or leave out holidays."
        )
    taken_names = [name for name in (HOLIDAY, NAME) if name in future.columns]
    if taken_names:
        raise DataError(
            f"the data have a column {taken_names[0]!r}, and so have the holidays of "
            f"{places_text}. Rename the column, or leave out one of the two."
        )
    lengths = grid.lengths + _ahead(grid)
    if future:
        lengths = np.maximum(lengths, future.lengths)
    offsets = offsets_of(lengths)
    starts = grid.starts[series_numbers(offsets)]
    times = grid.frequency.advance(starts, places(offsets))
    columns, levels, findings = _columns(codes, times, grid.frequency)
    holidays = Future(columns, offsets, levels)
    last_time = grid.frequency.advance(grid.starts, lengths - 1).max()
    names_text = " and ".join(map(repr, columns))
    message = f"holidays of {places_text} until {format_time(last_time)}: {names_text}"
    findings.append(Finding("holidays", "note", message))
    same_series = np.arange(len(lengths))
    no_delay = np.zeros(len(lengths), np.int64)
    return continued_future(future, holidays, same_series, no_delay), findings


def _ahead(grid: Grid) -> int:
    """Steps beyond the end of each series: two years, fewer if that is many steps."""
    start = np.datetime64("2024-01-01", "us")
    next_time = grid.frequency.advance(start, 1)
    days = int(micros_of(next_time) - micros_of(start)) / DAY
    two_years = int(_AHEAD_DAYS / days) + 1
    share_of_all = _AHEAD_IN_ALL // len(grid.ids) + 1
    steps = min(two_years, _AHEAD_STEPS, share_of_all)
    twenty_years = int(10 * _AHEAD_DAYS / days) + 1
    return max(steps, min(_FEWEST_AHEAD, twenty_years))


@dataclass(frozen=True, eq=False)
class _Days:
    """Holidays from a day on: names (D,), empty on other days, and whether on a working day."""

    first: int  # days since 1970
    names: ndarray
    working: ndarray

    @property
    def times(self) -> ndarray:
        days = self.first + np.arange(len(self.names))
        return times_of(days * DAY)


def _columns(
    codes: Sequence[str], times: ndarray, frequency: Frequency
) -> CodedColumns:
    """The columns (M,) at these times, the names of holidays, and findings."""
    days = micros_of(times) // DAY
    first_day = int(days.min()) - _EDGE
    last_day = int(days.max()) + _EDGE
    calendar, findings = _days(codes, first_day, last_day)
    if frequency.unit in ("second", "minute", "hour", "day", "business day"):
        names = calendar.names[days - calendar.first]
        is_holiday = (names != "").astype(np.float64)
        return _with_names({HOLIDAY: is_holiday}, names, findings)
    period = period_of(frequency)
    bins = period.bins(calendar.times)
    first_bin = bins[0]
    bins = bins - first_bin
    bins_of_times = period.bins(times) - first_bin
    counts = np.bincount(bins, calendar.working)
    columns = {HOLIDAY: counts[bins_of_times]}
    if frequency.unit != "week":
        return CodedColumns(columns, {}, findings)
    names = _first_names(calendar, bins)
    return _with_names(columns, names[bins_of_times], findings)


def _with_names(
    columns: dict[str, ndarray], names: ndarray, findings: list[Finding]
) -> CodedColumns:
    """The columns with the names of holidays added."""
    texts = np.where(names == "", NO_CATEGORY, names)
    (codes,), levels = coded([texts])
    return CodedColumns(columns | {NAME: codes}, {NAME: levels}, findings)


def _first_names(calendar: _Days, bins: ndarray) -> ndarray:
    """The name of the first holiday of each period (W,), empty if there is none."""
    period_count = int(bins.max()) + 1
    names = np.full(period_count, "", object)
    holiday_days = np.flatnonzero(calendar.names != "")[::-1]
    # the last assignment stays
    names[bins[holiday_days]] = calendar.names[holiday_days]
    return names


def _days(
    codes: Sequence[str], first_day: int, last_day: int
) -> tuple[_Days, list[Finding]]:
    """The holidays of all places; if several are on a day, the name from the first place."""
    names = np.full(last_day - first_day + 1, "", object)
    working = np.zeros(len(names), bool)
    days = first_day + np.arange(len(names))
    weekdays = weekday_of(days * DAY)
    begin = _date(first_day)
    end = _date(last_day)
    findings = []
    for code in codes:
        holidays = _place(code, range(begin.year, end.year + 1))
        findings += _beyond(code, holidays, begin, end)
        days_off = set(getattr(holidays, "weekend", {5, 6}))
        for date, name in sorted(holidays.items()):
            day = (date - begin).days
            if not 0 <= day < len(names):
                continue
            names[day] = names[day] or name
            working[day] |= int(weekdays[day]) not in days_off
    return _Days(first_day, names, working), findings


def _date(day: int) -> datetime.date:
    """The date of a day number since 1970."""
    return np.datetime64(day, "D").astype(datetime.date)


def _place(code: str, years: range) -> Any:
    """The holidays of a country, subdivision or market by date.

    Names are in English if available, so that they do not depend on the machine.
    """
    import holidays
    from holidays.utils import list_supported_financial

    country, _, subdivision = code.partition("-")
    if country in list_supported_financial():
        entity: Any = partial(holidays.financial_holidays, country)
    else:
        entity = partial(holidays.country_holidays, country, subdiv=subdivision or None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # for unknown years, which a finding reports
        default_holidays = entity()
        language = default_holidays.default_language
        if _ENGLISH in default_holidays.supported_languages:
            language = _ENGLISH
        return entity(years=years, language=language)


def _beyond(
    code: str, place: Any, begin: datetime.date, end: datetime.date
) -> list[Finding]:
    """A note if the package knows only the holidays of some years."""
    first_year = getattr(place, "start_year", 1)
    last_year = getattr(place, "end_year", 9999)
    margin = datetime.timedelta(days=_EDGE)
    has_first = first_year <= (begin + margin).year
    has_last = last_year >= (end - margin).year
    if has_first and has_last:
        return []
    message = f"holidays of {code} are only known from {first_year} to {last_year}"
    return [Finding("holidays", "warning", message, "Other years have none.")]
