"""Names of frequencies: units as written in pandas, polars and words."""

# N times

from __future__ import annotations

from lstmcast.data.times.anchors import MONTHS_IN, anchor_name, month_code
from lstmcast.data.times.calendars import DAY, FIXED_UNITS, HOUR, MINUTE, WEEK

_NAMES = {
    "year": "Y A year years yearly annual annually",
    "quarter": "Q quarter quarters quarterly",
    "month": "M mo month months monthly",
    "week": "W wk week weeks weekly",
    "day": "D day days daily",
    "business day": "B bday bdays businessday businessdays business",
    "hour": "h hr hour hours hourly",
    "minute": "min T mins minute minutes minutely",
    "second": "s sec secs second seconds secondly",
    "integer": "integer int i index step steps",
}
UNIT_OF = {
    word.lower(): (unit, "") for unit, words in _NAMES.items() for word in words.split()
}
UNIT_OF |= {
    f"{letter}{ending}": (unit, anchor)
    for letter, unit in {"y": "year", "a": "year", "q": "quarter", "m": "month"}.items()
    for ending, anchor in {"s": "start", "e": "end"}.items()
}
UNIT_OF |= {
    f"b{letter}{ending}": (unit, f"business {anchor}")
    for letter, unit in {"y": "year", "a": "year", "q": "quarter", "m": "month"}.items()
    for ending, anchor in {"s": "start", "e": "end", "": "end"}.items()
}
UNIT_OF |= {"sm": ("half month", "end"), "sme": ("half month", "end")}
UNIT_OF |= {"sms": ("half month", "start")}
LONGER = {
    ("month", 3): "quarter",
    ("month", 12): "year",
    ("quarter", 4): "year",
    ("day", 7): "week",
    ("hour", 24): "day",
    ("minute", 60): "hour",
    ("second", 60): "minute",
}

FAMILY_OF = {
    "integer": "other",
    "day": "daily",
    "business day": "daily",
    "minute": "hourly",
    "second": "hourly",
    "half month": "monthly",
}
# how many units make a cycle; shorter units have cycles of hours, days and weeks
CYCLE_IN_UNITS = {
    "year": 1,
    "quarter": 4,
    "month": 12,
    "half month": 24,
    "week": 52,
    "day": 7,
    "business day": 5,
    "integer": 1,
}
_CODES = {
    "week": "W",
    "day": "D",
    "business day": "B",
    "hour": "h",
    "minute": "min",
    "second": "s",
}
_NAMES_OF_ONE = {
    "day": "daily",
    "business day": "business days",
    "minute": "every minute",
    "second": "every second",
    "half month": "twice a month",
    "integer": "numbered steps",
}


def cycles_of(unit: str, count: int) -> list[tuple[int, int]]:
    """(length of a cycle, length of a step of so many units), both in one unit."""
    if unit in CYCLE_IN_UNITS:
        return [(CYCLE_IN_UNITS[unit], count)]
    step = count * FIXED_UNITS[unit]
    if step >= 5 * MINUTE:
        return [(DAY, step), (WEEK, step)]
    if step >= MINUTE:
        return [(HOUR, step), (DAY, step)]
    return [(MINUTE, step), (HOUR, step)]


def code_of(unit: str, count: int, anchor: str) -> str:
    """A frequency as short text: 'MS', 'W-MON', '15min'."""
    number = "" if count == 1 else str(count)
    if unit == "half month":
        return number + ("SME" if anchor == "end" else "SMS")
    if unit in MONTHS_IN:
        return number + month_code(unit, anchor)
    ending = f"-{anchor}" if anchor else ""
    return number + _CODES.get(unit, unit) + ending


def name_of(unit: str, count: int, anchor: str) -> str:
    """The readable name of a frequency: 'monthly (month starts)', 'every 15 minutes'."""
    if count == 1:
        name = _NAMES_OF_ONE.get(unit, f"{unit}ly")
    elif unit == "integer":
        name = f"numbered steps of {count}"
    else:
        name = f"every {count} {unit}s"
    return f"{name} ({anchor_name(unit, anchor)})" if anchor else name
