"""Anchors: the day of the week, month, quarter or year of the times of a frequency."""

# N times

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.data.times.calendars import (
    DAY,
    MONDAY,
    MONTHS,
    WEEKDAYS,
    day_of_month,
    days_in_month,
    first_business_day,
    last_business_day,
    month_of,
)
from lstmcast.errors import UsageError
from lstmcast.util.patterns import pattern_of

MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}
# days by which holidays move the first or last business day of a month, at most
HOLIDAYS = 4
_MOSTLY = 0.6  # share of months of which it is the weekday next to the month's edge
_MONTH_ANCHOR = pattern_of(
    r"(?:(?:business )?(?:start|end)|day ([1-9]|[12]\d|3[01]))(?: ([A-Z]{3}))?"
)


def business_anchor(months: ndarray, days: ndarray) -> str:
    """The anchor of days of months that are first or last business days, but for a few that a
    holiday moves; "" for other days.

    >>> business_anchor(np.array([650, 651]), np.array([29, 30]))
    'business end'
    """
    after_first = days - first_business_day(months)
    if _are_near(after_first):
        return "business start"
    before_last = last_business_day(months) - days
    return "business end" if _are_near(before_last) else ""


def _are_near(distances: ndarray) -> bool:
    """Whether days are at most some holidays away from a day, and mostly that day itself."""
    if (distances < 0).any() or (distances > HOLIDAYS).any():
        return False
    return bool(np.mean(distances == 0) >= _MOSTLY)


def anchor_ends(anchor: str) -> bool:
    """Whether the times of an anchor are those of the ends of periods."""
    return anchor.removeprefix("business ").startswith("end")


def anchored_day(anchor: str, months: ndarray, own_days: ndarray) -> ndarray:
    """The day of each month that an anchor means; the time's own without one."""
    if anchor.startswith("business"):
        return (
            last_business_day(months)
            if anchor_ends(anchor)
            else first_business_day(months)
        )
    days = anchor_day(anchor) or own_days
    return np.minimum(days, days_in_month(months))


def anchor_day(anchor: str) -> int:
    """Day of the month that an anchor means; 31 (shortened where needed) for month ends, 0 for
    none."""
    words = anchor.split(" ")
    if words[0] == "day":
        return int(words[1])
    return {"start": 1, "end": 31}.get(words[0], 0)


def week_start(unit: str, anchor: str) -> int:
    """From where weeks are counted, in microseconds: the day after the one that they end on; 0 for
    other units."""
    if unit != "week":
        return 0
    last_weekday = WEEKDAYS.index(anchor or "SUN")
    return MONDAY + (last_weekday + 1) % 7 * DAY


def first_day(anchor: str) -> int:
    """The day of the month on which a period of months begins. Raises UsageError."""
    day = anchor_day(anchor) if anchor.startswith("day") else 1
    if day > 28:
        raise UsageError(
            f"periods cannot start on day {day}, which some months do not have. Use MS, ME or "
            "a day up to 28."
        )
    return day


def first_month(anchor: str, length: int) -> int:
    """Which month of 1970 (0 = January) begins a period of so many months."""
    month = anchor[-3:]
    if month not in MONTHS:
        return 0
    return (MONTHS.index(month) + anchor_ends(anchor)) % length


def anchor_fits(unit: str, anchor: str) -> bool:
    if not anchor:
        return True
    if unit == "week":
        return anchor in WEEKDAYS
    if unit == "half month":
        return anchor in ("start", "end")
    if unit not in MONTHS_IN:
        return False
    match = _MONTH_ANCHOR.fullmatch(anchor)
    if match is None:
        return False
    month = match[2]
    return month is None or (unit != "month" and month in MONTHS)


def anchor_name(unit: str, anchor: str) -> str:
    if unit == "week":
        return _DAY_STEMS[WEEKDAYS.index(anchor)] + "days"
    if unit == "half month":
        return "15th and last day" if anchor == "end" else "1st and 15th"
    word = anchor
    month = ""
    if anchor[-3:] in MONTHS:
        word = anchor[:-4]
        month = anchor[-3:].capitalize()
    if word.startswith("day"):
        return f"{word} of {month or 'the month'}"
    if word.startswith("business"):
        unit = f"business {unit}"
        word = word.removeprefix("business ")
    name = f"{unit} {word}s"
    return f"{name} in {month}" if month else name


_DAY_STEMS = ("Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun")


def month_code(unit: str, anchor: str) -> str:
    business = "B" if anchor.startswith("business") else ""
    word, _, month = anchor.removeprefix("business ").partition(" ")
    ending = {"start": "S", "end": "E"}.get(word, "")
    code = business + unit[0].upper() + ending
    return "-".join([code, *month.split()])


def parsed_anchor(unit: str, anchor: str, ending: str) -> str:
    """The anchor from the letter after the unit and the parts after the hyphens: S, -APR ->
    'start APR'."""
    if unit == "week" or not ending:
        return ending or anchor
    words = ending.split("-")
    if words[0].isdigit() and not anchor:
        day = int(words.pop(0))
        anchor = {1: "start", 31: "end"}.get(day, f"day {day}")
    if not words:
        return anchor
    # "Q-DEC" and "A-MAR": what older pandas calls quarters and years by their last month
    anchor = anchor or "end"
    month = words[0]
    if len(words) > 1 or month not in MONTHS or unit == "month":
        raise ValueError(ending)
    return _with_month(unit, anchor, MONTHS.index(month) % MONTHS_IN[unit])


def _with_month(unit: str, anchor: str, phase: int) -> str:
    """An anchor and its month, one name for equal anchors: quarters from July are quarters from
    January; the calendar's own have no month."""
    usual_phase = MONTHS_IN[unit] - 1 if anchor_ends(anchor) else 0
    return anchor if phase == usual_phase else f"{anchor} {MONTHS[phase]}"


def month_anchor(unit: str, micros: ndarray) -> str:
    """The anchor that times of a unit of months show; "" where they show none."""
    months = month_of(micros)
    anchor = _day_anchor(months, day_of_month(micros))
    phases = np.unique(months % MONTHS_IN[unit])
    if not anchor or len(phases) > 1:
        return anchor
    return _with_month(unit, anchor, phases[0])


def _day_anchor(months: ndarray, days: ndarray) -> str:
    """The anchor of days of months: "start", "day 15", "business end" …; "" for others."""
    last_days = days_in_month(months)
    latest = int(days.max())
    if latest == 1:
        return "start"
    if np.all(days == last_days):
        return "end"
    if np.all(days == np.minimum(latest, last_days)):
        return f"day {latest}"
    return business_anchor(months, days)
