"""Frequency: the step of a regular grid of times, its seasonal periods, and how it is written.

Only this module, calendars.py (arithmetic) and frequency_inference.py know months, weeks and
weekends; all other code counts steps.
"""

# N times

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike

from lstmcast.data.times.anchors import (
    MONTHS_IN,
    anchor_ends,
    anchor_fits,
    anchored_day,
    first_day,
    first_month,
    month_anchor,
    parsed_anchor,
    week_start,
)
from lstmcast.data.times.calendars import (
    DAY,
    FIXED_UNITS,
    WEEKDAYS,
    business_day_of,
    business_day_start,
    day_of_month,
    half_month_of,
    half_month_start,
    micros_of,
    month_of,
    month_start,
    times_of,
    weekday_of,
)
from lstmcast.data.times.frequencywords import (
    FAMILY_OF,
    LONGER,
    UNIT_OF,
    code_of,
    cycles_of,
    name_of,
)
from lstmcast.errors import UsageError
from lstmcast.util.patterns import pattern_of

FAMILIES = ("yearly", "quarterly", "monthly", "weekly", "daily", "hourly", "other")
# result of position() for a time that is not on the grid
OFF_GRID = int(np.iinfo(np.int64).min)
# a number, a unit, parts of an anchor
_WRITTEN = pattern_of(r"\s*(\d{0,6})\s*([A-Za-z ]+?)((?:-\w+){0,2})\s*")
_UNITS = (
    "year",
    "quarter",
    "month",
    "half month",
    "week",
    "day",
    "business day",
    "hour",
    "minute",
    "second",
    "integer",
)


@dataclass(frozen=True)
class Frequency:
    """The step of a regular grid of times: every `every` units, tied to the calendar by `anchor`.

    unit: year, quarter, month, half month, week, day, business day, hour, minute, second or
    integer. anchor of a week: its weekday, "MON" to "SUN"; of a month, quarter or year: "start",
    "end", "business start", "business end" (its first or last weekday from Monday to Friday) or
    "day 15", for quarters and years followed by a month if they do not follow the calendar: "start
    APR" is a year from April, "end JUN" one to June; of half a month: "start" (the 1st and 15th) or
    "end" (the 15th and the last day). "" infers the anchor from the data. Raises UsageError for
    anything else.

    >>> monthly = Frequency("month", anchor="end")
    >>> print(monthly.range(np.datetime64("2024-01-31"), 3).astype("datetime64[D]"))
    ['2024-01-31' '2024-02-29' '2024-03-31']
    >>> monthly.code, monthly.name, monthly.family, monthly.seasonal_periods
    ('ME', 'monthly (month ends)', 'monthly', (12,))
    """

    unit: str
    every: int = 1
    anchor: str = ""

    def __post_init__(self) -> None:
        if self.unit not in _UNITS or self.every < 1:
            raise UsageError(
                f"every {self.every} {self.unit!r} is not a frequency. Units are: "
                f"{', '.join(_UNITS)}."
            )
        if not anchor_fits(self.unit, self.anchor):
            raise UsageError(
                f"a frequency of unit {self.unit!r} cannot have the anchor {self.anchor!r}."
            )

    @property
    def code(self) -> str:
        """Short text that parse_frequency can read: 'MS', 'W-MON', '15min'."""
        return code_of(self.unit, self.every, self.anchor)

    @property
    def name(self) -> str:
        """Readable name: 'monthly (month starts)', 'every 15 minutes'."""
        return name_of(self.unit, self.every, self.anchor)

    @property
    def family(self) -> str:
        """One of FAMILIES: business days are daily, minutes and seconds hourly, integers other."""
        return FAMILY_OF.get(self.unit, f"{self.unit}ly")

    @property
    def seasonal_periods(self) -> tuple[int, ...]:
        """Typical seasonal periods of this frequency in steps, ascending; (1,) if there are none.

        >>> parse_frequency("h").seasonal_periods, parse_frequency("15min").seasonal_periods
        ((24, 168), (96, 672))
        """
        whole_periods = set()
        for cycle, step in cycles_of(self.unit, self.every):
            if cycle % step == 0 and cycle > step:
                whole_periods.add(cycle // step)
        return tuple(sorted(whole_periods)) or (1,)

    def advance(self, times: ArrayLike, steps: ArrayLike) -> ndarray:
        """The times `steps` steps after `times` (before, if negative), with broadcasting.

        The day of the month is that of the anchor or of the time itself, or the last day of a
        shorter month.

        >>> days = Frequency("business day").advance(np.datetime64("2024-03-01"), [1, -1])
        >>> print(days.astype("datetime64[D]"))
        ['2024-03-04' '2024-02-29']
        """
        steps = np.asarray(steps, dtype=np.int64) * self.every
        if self.unit == "integer":
            return np.asarray(times, dtype=np.int64) + steps
        micros = micros_of(times)
        if self.unit in FIXED_UNITS:
            return times_of(micros + steps * FIXED_UNITS[self.unit])
        if self.unit == "business day":
            days = business_day_of(micros) + steps
            return times_of(business_day_start(days) + micros % DAY)
        if self.unit == "half month":
            halves = half_month_of(micros, self.anchor == "end") + steps
            midnights = half_month_start(halves, self.anchor == "end")
            return times_of(midnights + micros % DAY)
        months = month_of(micros) + steps * MONTHS_IN[self.unit]
        day = anchored_day(self.anchor, months, day_of_month(micros))
        return times_of(month_start(months) + (day - 1) * DAY + micros % DAY)

    def range(self, start: np.datetime64 | int, count: int, offset: int = 0) -> ndarray:
        """`count` times, the first `offset` steps after `start`: (count,) datetime64[us], or int64
        for integers.

        >>> quarters = parse_frequency("QS").range(np.datetime64("2024-01-01"), 2, offset=1)
        >>> print(quarters.astype("datetime64[M]"))
        ['2024-04' '2024-07']
        """
        return self.advance(start, np.arange(offset, offset + count))

    def position(self, times: ArrayLike, start: ArrayLike) -> ndarray:
        """Number of steps of each time after `start` (negative: before); OFF_GRID for times off the
        grid.

        times (N,), start one time or (N,); returns (N,) int64.

        >>> dates = np.array(["2024-03-01", "2024-03-02"], "datetime64[us]")
        >>> positions = parse_frequency("MS").position(dates, np.datetime64("2024-01-01"))
        >>> (positions == [2, OFF_GRID]).all()
        np.True_
        """
        steps = (self._count(times) - self._count(start)) // self.every
        return np.where(self.advance(start, steps) == times, steps, OFF_GRID)

    def _count(self, times: ArrayLike) -> ndarray:
        """Units since 1970, rounded down: grows by one per unit from any time within a unit to
        the same in the next."""
        if self.unit == "integer":
            return np.asarray(times, dtype=np.int64)
        micros = micros_of(times)
        if self.unit in FIXED_UNITS:
            return micros // FIXED_UNITS[self.unit]
        if self.unit == "business day":
            return business_day_of(micros)
        if self.unit == "half month":
            return half_month_of(micros, self.anchor == "end")
        return month_of(micros) // MONTHS_IN[self.unit]

    def bins(self, times: ArrayLike) -> ndarray:
        """The index of the calendar period of each time (N,), increasing by one per period.

        Weeks end on the weekday of the anchor, as in pandas (by default on Sunday). Months,
        quarters and years start at the anchor. With business days, weekends belong to the Friday
        before.

        >>> days = np.array(["2024-01-31", "2024-02-01", "2024-02-29"], "datetime64[us]")
        >>> np.diff(parse_frequency("ME").bins(days))
        array([1, 0])
        """
        if self.unit not in MONTHS_IN:
            shift = week_start(self.unit, self.anchor)
            if shift:
                times = np.asarray(times) - np.timedelta64(shift, "us")
            return self._count(times) // self.every
        months = month_of(micros_of(times) - (first_day(self.anchor) - 1) * DAY)
        length = self.every * MONTHS_IN[self.unit]
        return (months - first_month(self.anchor, length)) // length

    def bin_starts(self, bins: ndarray) -> ndarray:
        """The first moment of each period: datetime64[us], or int64 for integers."""
        units = np.asarray(bins, dtype=np.int64) * self.every
        if self.unit == "integer":
            return units
        if self.unit in FIXED_UNITS:
            shift = week_start(self.unit, self.anchor)
            return times_of(units * FIXED_UNITS[self.unit] + shift)
        if self.unit == "business day":
            return times_of(business_day_start(units))
        if self.unit == "half month":
            months, second = np.divmod(units, 2)
            days_before = 15 if self.anchor == "end" else 14
            days = np.where(second == 1, days_before, 0)
            return times_of(month_start(months) + days * DAY)
        length = self.every * MONTHS_IN[self.unit]
        months = units * MONTHS_IN[self.unit] + first_month(self.anchor, length)
        return times_of(month_start(months) + (first_day(self.anchor) - 1) * DAY)

    def bin_labels(self, bins: ndarray) -> ndarray:
        """The time that labels each period: its last day for anchor "end" and weeks, else its
        start.

        With a business anchor it is the first or last business day.

        >>> quarter = parse_frequency("QE")
        >>> bins = quarter.bins(np.array(["2024-02-10"], "datetime64[us]"))
        >>> print(quarter.bin_labels(bins).astype("datetime64[D]"))
        ['2024-03-31']
        """
        if anchor_ends(self.anchor) or self.unit == "week":
            next_starts = self.bin_starts(np.asarray(bins) + 1)
            labels = times_of(micros_of(next_starts) - DAY)
        else:
            labels = self.bin_starts(bins)
        if self.anchor.startswith("business"):
            return self.advance(labels, 0)
        return labels

    def anchored(self, times: ArrayLike) -> Frequency:
        """This frequency with the anchor inferred from times, if it has none and they show one.

        >>> times = np.array(["2024-01-31", "2024-02-29"], "datetime64[us]")
        >>> parse_frequency("M").anchored(times).code
        'ME'
        """
        units = ("week", "half month", *MONTHS_IN)
        if self.anchor or self.unit not in units or not np.size(times):
            return self
        micros = micros_of(times)
        if self.unit == "half month":
            is_late = np.any(day_of_month(micros) > 15)
            anchor = "end" if is_late else "start"
            return replace(self, anchor=anchor)
        if self.unit == "week":
            days = np.unique(weekday_of(micros))
            return replace(self, anchor=WEEKDAYS[days[0]]) if len(days) == 1 else self
        return replace(self, anchor=month_anchor(self.unit, micros))

    def grounded(self) -> Frequency:
        """This frequency with the default anchor if it has none: month starts, weeks ending on
        Sunday.

        >>> [parse_frequency(text).grounded().code for text in ("monthly", "W", "h")]
        ['MS', 'W-SUN', 'h']
        """
        if self.anchor:
            return self
        if self.unit == "week":
            return replace(self, anchor="SUN")
        if self.unit in MONTHS_IN or self.unit == "half month":
            return replace(self, anchor="start")
        return self


def some_frequency(family: str) -> Frequency:
    """The default frequency of a family.

    >>> some_frequency("hourly"), some_frequency("other").name
    (Frequency(unit='hour', every=1, anchor=''), 'numbered steps')
    """
    unlike = {"daily": "day", "other": "integer"}
    return Frequency(unlike.get(family, family.removesuffix("ly")))


def parse_frequency(text: str) -> Frequency:
    """Parse a frequency as written in pandas, polars or words; UsageError for anything else.

    "M", "month" and "monthly" may be month starts or ends, as the data show; "MS" and "ME" are
    specific; "BMS" and "BME" are first and last business days. "W-SUN" is weekly on Sundays; if
    rows are aggregated to weeks, these end on Sunday, as in pandas. A number in front is a
    multiple: "15min", "2W", "6h".

    >>> parse_frequency("MS"), parse_frequency("15T").code, parse_frequency("yearly").code
    (Frequency(unit='month', every=1, anchor='start'), '15min', 'Y')
    >>> parse_frequency("soon")
    Traceback (most recent call last):
      ...
    lstmcast.errors.UsageError: the frequency 'soon' is not known. Expected for example MS (month
    starts), ME (month ends), QS, YS, W-MON, D, B (business days), h, 15min, s or integer.
    """
    match = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise _unknown(text)
    number, word, endings = match.groups()
    word = word.replace(" ", "")
    # m means minutes in polars, ms milliseconds in pandas, and people may mean months
    if word in ("m", "ms"):
        raise UsageError(
            f"the frequency {text!r} is ambiguous. Write 'min' for minutes, 'M' or 'MS' for months."
        )
    if word.lower() not in UNIT_OF or (number and int(number) == 0):
        raise _unknown(text)
    unit, anchor = UNIT_OF[word.lower()]
    try:
        anchor = parsed_anchor(unit, anchor, endings[1:].upper())
        return longest(Frequency(unit, int(number or 1), anchor))
    except (UsageError, ValueError):
        raise _unknown(text) from None


def _unknown(text: object) -> UsageError:
    return UsageError(
        f"the frequency {text!r} is not known. Expected for example MS (month starts), ME (month "
        "ends), QS, YS, W-MON, D, B (business days), h, 15min, s or integer."
    )


def longest(frequency: Frequency) -> Frequency:
    """The same step in the longest unit: 3 months are a quarter, 7 days a week, 60 minutes an
    hour."""
    unit = frequency.unit
    every = frequency.every
    for (short, count), longer in LONGER.items():
        if unit == short and every % count == 0:
            unit = longer
            every = every // count
    return replace(frequency, unit=unit, every=every)
