"""Records of XML that count from the start of their period, as those of electricity markets do:
their times."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from lstmcast.util.patterns import pattern_of

_NEEDED = ("start", "resolution", "position")
_RESOLUTION = pattern_of(r"P(?:(\d{1,3})D|T(\d{1,4})([MH]))")


def with_times(records: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Records with a time in place of their position, and of start and step of their period;
    unchanged where one has none.

    >>> point = {"resolution": "PT15M", "start": "2024-03-01T00:00Z", "position": "3", "price": "5"}
    >>> with_times([point])
    [{'time': '2024-03-01T00:30:00+00:00', 'price': '5'}]
    """
    timed = []
    for record in records:
        time = _time_of(record)
        if time is None:
            return [dict(record) for record in records]
        others = {
            name: value
            for name, value in record.items()
            if name not in _NEEDED and name != "end"
        }
        timed.append({"time": time} | others)
    return timed


def _time_of(record: Mapping[str, str]) -> str | None:
    start, resolution, position = (record.get(name, "") for name in _NEEDED)
    match = _RESOLUTION.fullmatch(resolution)
    if match is None or not position.isdecimal() or len(position) > 6:
        return None
    try:
        first = datetime.datetime.fromisoformat(start)
    except ValueError:
        return None
    days, count, unit = match.groups()
    step = datetime.timedelta(days=int(days or 0))
    if count:
        minutes = int(count) * {"M": 1, "H": 60}[unit]
        step = datetime.timedelta(minutes=minutes)
    return (first + (int(position) - 1) * step).isoformat()
