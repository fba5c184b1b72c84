"""JSON that says where values begin and how far apart they are: pointStart and pointInterval of
Highcharts, start and step of RRDtool and others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from lstmcast.data.files.jsontables import DEEPEST, Records, are_times, is_scalar
from lstmcast.data.times.dates import parse_times
from lstmcast.data.times.frequency import Frequency, parse_frequency
from lstmcast.errors import UsageError
from lstmcast.util.patterns import pattern_of

_FEWEST = 3  # values that follow each other
_STARTS = (
    "pointStart",
    "start",
    "startTime",
    "start_time",
    "startDate",
    "start_date",
    "begin",
    "t0",
)
_STEPS = ("pointInterval", "step", "interval", "resolution", "timestep", "granularity")
_UNIT = "pointIntervalUnit"
_NAMES = ("name", "label", "id", "title")
_VALUES = ("data", "values", "y", "value")
_UNITS = {"day": "D", "month": "MS", "year": "YS"}
_ISO = pattern_of(r"P(?:T?(\d+)([DHMSWY]))")
_ISO_UNITS = {"D": "D", "H": "h", "S": "s", "W": "W", "Y": "YS"}
_FIRST_MILLIS = 1e11  # of 1973; smaller numbers are seconds
_LAST_YEAR = 2200
_LAST_SECOND = 5e9  # of 2128
_Clock = tuple[np.datetime64, Frequency]


def counted_series(document: Any) -> Records:
    """The values of all series in a document whose times are counted from a start; [] where it has
    none.

    >>> counted_series({"start": 1704067200, "step": 3600, "values": [5, 6, 7]})[1]
    {'time': '2024-01-01T01:00:00', 'value': 6}
    """
    all_series = list(_series_in(document, {}, 0))
    records: Records = []
    for number, (names, clock, rows) in enumerate(all_series, start=1):
        start, frequency = clock
        times = frequency.range(start, len(rows))
        time_texts = times.astype("datetime64[s]").astype(str)
        labels = {}
        if len(all_series) > 1:
            labels["series"] = names[0] or f"series_{number}"
        for time, row in zip(time_texts.tolist(), rows, strict=True):
            cells = row if isinstance(row, list) else [row]
            columns = ["value"] if len(cells) == 1 else names[1:]
            values = dict(zip(columns, cells, strict=True))
            record = {**labels, "time": time, **values}
            records.append(record)
    return records


def _series_in(
    value: Any,
    above: Mapping[str, Any],
    depth: int,
) -> Iterator[tuple[list[str], _Clock, list[Any]]]:
    """The name, clock and values of each series. above: what mappings above say of start and
    step."""
    if is_scalar(value) or depth > DEEPEST:
        return
    if isinstance(value, list):
        for entry in value:
            yield from _series_in(entry, above, depth + 1)
        return
    settings = {**above, **_said_in(value)}
    clock = _clock_of(settings)
    for key in _VALUES:
        rows = _values_of(value.get(key))
        if rows and clock is not None:
            names = [str(value[name]) for name in _NAMES if name in value]
            name_of_series = names[0] if names else ""
            first_row = rows[0]
            width = len(first_row) if isinstance(first_row, list) else 0
            legend = list(map(str, settings.get("legend") or ()))
            columns = legend if len(legend) == width else _numbered(width)
            yield [name_of_series, *columns], clock, rows
            return
    for inner in value.values():
        yield from _series_in(inner, settings, depth + 1)


def _numbered(width: int) -> list[str]:
    return [f"value_{number}" for number in range(1, width + 1)]


def _said_in(value: Mapping[str, Any]) -> dict[str, Any]:
    """What a mapping, its options and its description say of start and step."""
    settings: dict[str, Any] = {}
    options = value.get("plotOptions")
    inner = []
    if isinstance(options, Mapping):
        inner = list(options.values())
    keys = (*_STARTS, *_STEPS, _UNIT, "legend")
    for source in (value.get("meta"), *inner, value):
        if not isinstance(source, Mapping):
            continue
        for key in keys:
            if source.get(key) is not None:
                settings[key] = source[key]
    return settings


def _values_of(rows: Any) -> list[Any]:
    """Numbers, or rows of as many numbers each that begin with no time; [] for anything else."""
    if not isinstance(rows, list) or len(rows) < _FEWEST:
        return []
    rows = list(map(_without_options, rows))
    if all(map(_is_number, rows)) and any(row is not None for row in rows):
        return rows
    if not all(map(_is_row_of_numbers, rows)):
        return []
    widths = set(map(len, rows))
    if len(widths) > 1 or not rows[0]:
        return []
    firsts = [str(row[0]) for row in rows]
    has_several = len(rows[0]) > 1 and len(set(firsts)) > 1
    has_times = has_several and are_times(firsts)
    return [] if has_times else rows


def _is_row_of_numbers(row: Any) -> bool:
    return isinstance(row, list) and all(map(_is_number, row))


def _without_options(row: Any) -> Any:
    """5 for {"y": 5, "color": "red"}."""
    is_point = isinstance(row, Mapping) and "y" in row and "x" not in row
    return row["y"] if is_point else row


def _is_number(value: Any) -> bool:
    return value is None or _is_plain_number(value)


def _is_plain_number(value: Any) -> bool:
    """Whether a value is a number, as true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _clock_of(settings: Mapping[str, Any]) -> _Clock | None:
    """The first time and the frequency that a document says; None where it lacks one of them."""
    start = _first_of(_STARTS, settings)
    step = _first_of(_STEPS, settings)
    unit = settings.get(_UNIT)
    is_year = isinstance(start, int) and 1500 <= start <= _LAST_YEAR
    if is_year and step in (None, 1) and unit is None:
        start = str(start)
        step = 1
        unit = "year"
    first = _time_of(start)
    is_of_charts = "pointStart" in settings
    is_millis = is_of_charts or _is_millis(start)
    frequency = _frequency_of(step, unit, is_millis)
    if first is None or frequency is None:
        return None
    times = np.array([first], "datetime64[us]")
    try:
        return first, frequency.anchored(times)
    except UsageError:
        return None


def _first_of(keys: Sequence[str], settings: Mapping[str, Any]) -> Any:
    """What a document says under the first of some keys that it has; None where it has none."""
    for key in keys:
        if key in settings:
            return settings[key]
    return None


def _is_millis(start: Any) -> bool:
    return isinstance(start, (int, float)) and abs(start) >= _FIRST_MILLIS


def _time_of(start: Any) -> np.datetime64 | None:
    if _is_plain_number(start):
        seconds = start / 1000 if _is_millis(start) else start
        if not 0 <= seconds < _LAST_SECOND:
            return None
        moment = datetime.fromtimestamp(seconds, UTC)
        moment = moment.replace(tzinfo=None)
        return np.datetime64(moment, "us")
    times = parse_times([str(start)]) if start else None
    if times is None or times.bad.any() or times.problem or times.form == "index":
        return None
    values = times.values.astype("datetime64[us]")
    return values[0]


def _frequency_of(step: Any, unit: Any, is_millis: bool) -> Frequency | None:
    """A frequency such as 3600 s, "PT1H", "1h", 1 month."""
    if unit in _UNITS:
        return _parsed(f"{step or 1}{_UNITS[unit]}")
    if _is_plain_number(step):
        seconds = step / 1000 if is_millis else step
        is_whole = seconds >= 1 and seconds == int(seconds)
        if not is_whole:
            return None
        code = _code_of(int(seconds))
        return _parsed(code)
    text = str(step)
    match = _ISO.fullmatch(text)
    if match is None:
        return _parsed(text) if step else None
    minutes_or_months = "min" if "T" in text else "MS"
    code = _ISO_UNITS.get(match[2], minutes_or_months)
    return _parsed(f"{match[1]}{code}")


def _code_of(seconds: int) -> str:
    for length, code in ((86_400, "D"), (3600, "h"), (60, "min")):
        if seconds % length == 0:
            return f"{seconds // length}{code}"
    return f"{seconds}s"


def _parsed(code: str) -> Frequency | None:
    short_code = re.sub(r"^1(?=\D)", "", code)
    try:
        return parse_frequency(short_code)
    except UsageError:
        return None
