"""Anchors: which day of a week, month, quarter or year the times of a frequency are."""

# N times

from __future__ import annotations

import re

import numpy as np
from numpy import ndarray

from lstmcast.data.calendars import (
    MONTHS,
    WEEKDAYS,
    day_of_month,
    days_in_month,
    first_business_day,
    last_business_day,
    month_of,
)

MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}
HOLIDAYS = 4  # days by which holidays move the first or last business day of a month, at most
_MOSTLY = 0.6  # share of months of which it is the weekday next to the month's edge


def business_anchor(months: ndarray, days: ndarray) -> str:
    """The anchor of days of months that are first or last business days, but for a few that a
    holiday moves; "" for other days.

    >>> business_anchor(np.array([650, 651]), np.array([29, 30]))
    'business end'
    """
    early, late = days - first_business_day(months), last_business_day(months) - days
    for anchor, moved in (("business start", early), ("business end", late)):
        near = (moved >= 0) & (moved <= HOLIDAYS)
        if near.all() and np.mean(moved == 0) >= _MOSTLY:
            return anchor
    return ""


def anchor_ends(anchor: str) -> bool:
    """Whether the times of an anchor are those of the ends of periods."""
    return anchor.removeprefix("business ").startswith("end")


def anchored_day(anchor: str, months: ndarray, own: ndarray) -> ndarray:
    """The day of each month that an anchor means; the time's own without one."""
    if anchor.startswith("business"):
        return last_business_day(months) if anchor_ends(anchor) else first_business_day(months)
    return np.minimum(anchor_day(anchor) or own, days_in_month(months))


def anchor_day(anchor: str) -> int:
    """Day of the month that an anchor means; 31 (shortened where needed) for month ends, 0 for
    none."""
    word = anchor.split(" ")[0]
    return int(anchor.split(" ")[1]) if word == "day" else {"start": 1, "end": 31}.get(word, 0)


def anchor_fits(unit: str, anchor: str) -> bool:
    if not anchor:
        return True
    if unit == "week":
        return anchor in WEEKDAYS
    if unit == "half month":
        return anchor in ("start", "end")
    if unit not in MONTHS_IN:
        return False
    days = r"(?:(?:business )?(?:start|end)|day ([1-9]|[12]\d|3[01]))"
    match = re.fullmatch(days + r"(?: ([A-Z]{3}))?", anchor)
    return match is not None and (match[2] is None or (unit != "month" and match[2] in MONTHS))


def anchor_name(unit: str, anchor: str) -> str:
    if unit == "week":
        stems = ("Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun")
        return stems[WEEKDAYS.index(anchor)] + "days"
    if unit == "half month":
        return "15th and last day" if anchor == "end" else "1st and 15th"
    word, month = anchor, ""
    if anchor[-3:] in MONTHS:
        word, month = anchor[:-4], anchor[-3:].capitalize()
    if word.startswith("day"):
        return f"{word} of {month or 'the month'}"
    if word.startswith("business"):
        unit, word = f"business {unit}", word.removeprefix("business ")
    return f"{unit} {word}s in {month}" if month else f"{unit} {word}s"


def month_code(unit: str, anchor: str) -> str:
    letter = ("B" if anchor.startswith("business") else "") + unit[0].upper()
    word, _, rest = anchor.removeprefix("business ").partition(" ")
    code = letter + {"start": "S", "end": "E"}.get(word, "")
    return "-".join([code, *rest.split()])


def parsed_anchor(unit: str, anchor: str, rest: str) -> str:
    """The anchor from the letter after the unit and the parts after the hyphens: S, -APR ->
    'start APR'."""
    if unit == "week" or not rest:
        return rest or anchor
    parts = rest.split("-")
    if parts[0].isdigit() and not anchor:
        day = int(parts.pop(0))
        anchor = {1: "start", 31: "end"}.get(day, f"day {day}")
    if not parts:
        return anchor
    # "Q-DEC" and "A-MAR": what older pandas calls quarters and years by their last month
    anchor = anchor or "end"
    if len(parts) > 1 or parts[0] not in MONTHS or unit == "month":
        raise ValueError(rest)
    return f"{anchor} {_canonical_month(unit, anchor, parts[0])}".rstrip()


def _canonical_month(unit: str, anchor: str, month: str) -> str:
    """One name for equal anchors: quarters from July are quarters from January; the calendar's
    own have no month."""
    phase = MONTHS.index(month) % MONTHS_IN[unit]
    usual = MONTHS_IN[unit] - 1 if anchor_ends(anchor) else 0
    return "" if phase == usual else MONTHS[phase]


def month_anchor(unit: str, micros: ndarray) -> str:
    """The anchor that times of a unit of months show; "" where they show none."""
    months, days = month_of(micros), day_of_month(micros)
    last_days = days_in_month(months)
    latest = int(days.max())
    if latest == 1:
        anchor = "start"
    elif np.all(days == last_days):
        anchor = "end"
    elif np.all(days == np.minimum(latest, last_days)):
        anchor = f"day {latest}"
    else:
        anchor = business_anchor(months, days)
    if not anchor:
        return ""
    phases = np.unique(months % MONTHS_IN[unit])
    usual_phase = MONTHS_IN[unit] - 1 if anchor_ends(anchor) else 0
    if len(phases) > 1 or phases[0] == usual_phase:
        return anchor
    return f"{anchor} {MONTHS[phases[0]]}"
