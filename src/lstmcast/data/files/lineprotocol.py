"""The line protocol of InfluxDB: measurement,tag=text field=number time."""

from __future__ import annotations

import re

from lstmcast.data.files.points import Point, sheet_of_points
from lstmcast.data.sheet import Sheet
from lstmcast.errors import DataError
from lstmcast.util.patterns import pattern_of

_SAMPLE = 20  # lines that are looked at
_TEXT = r"(?:\\.|[^\s,=\\])+"  # a backslash stands before spaces, commas and = in names
_FIELD = rf'{_TEXT}=(?:"(?:\\.|[^"\\])*"|{_TEXT})'
_LINE = pattern_of(
    rf"(?P<measurement>{_TEXT})(?P<tags>(?:,{_TEXT}={_TEXT})*) +"
    rf"(?P<fields>{_FIELD}(?:,{_FIELD})*)(?: +(?P<time>-?\d+))?"
)
_PAIR = pattern_of(rf'({_TEXT})=("(?:\\.|[^"\\])*"|{_TEXT})')


def is_line_protocol(start: str) -> bool:
    """Whether a text begins with lines of the protocol, below comments or not.

    >>> is_line_protocol("# DML\\ncpu,host=a load=0.5 1672531200000\\ncpu,host=b load=0.4")
    True
    """
    lines = [line for line in start.splitlines()[:200] if _is_point(line)][:_SAMPLE]
    return len(lines) > 1 and all(_LINE.fullmatch(line.strip()) for line in lines)


def _is_point(line: str) -> bool:
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith("#")


def sheet_from_line_protocol(text: str, source: str, label: str) -> Sheet:
    """The points as a sheet: columns of what names the series, the times, and the fields."""
    points = []
    for number, line in enumerate(text.splitlines(), start=1):
        if _is_point(line):
            points.append(_point(line.strip(), number, source))
    return sheet_of_points(points, source, label, "InfluxDB's line protocol")


def _point(line: str, number: int, source: str) -> Point:
    match = _LINE.fullmatch(line)
    if match is None or match["time"] is None:
        raise DataError(
            f"{source}: line {number} is not a point of InfluxDB's line protocol with a time: "
            f"{line[:60]!r}. Lines such as 'cpu,host=a load=0.5 1672531200000000000' are expected."
        )
    labels = {"measurement": _plain(match["measurement"])} | _pairs(match["tags"])
    fields = {name: _value(text) for name, text in _pairs(match["fields"]).items()}
    return Point(number, labels, fields, match["time"])


def _pairs(text: str) -> dict[str, str]:
    return {_plain(name): _plain(value) for name, value in _PAIR.findall(text)}


def _plain(text: str) -> str:
    """A text without the backslashes before its signs."""
    return re.sub(r"\\(.)", r"\1", text)


def _value(text: str) -> str:
    """A field as a cell: integers end in i or u, texts stand in quotes."""
    if re.fullmatch(r"-?\d+[iu]", text):
        return text[:-1]
    return text.strip('"')
