"""The line protocol of InfluxDB: measurement,tag=text field=number time."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.table import Finding
from lstmcast.errors import DataError

_SAMPLE = 20  # lines that are looked at
_TEXT = r"(?:\\.|[^\s,=\\])+"  # a backslash stands before spaces, commas and = in names
_FIELD = rf'{_TEXT}=(?:"(?:\\.|[^"\\])*"|{_TEXT})'
_LINE = re.compile(
    rf"(?P<measurement>{_TEXT})(?P<tags>(?:,{_TEXT}={_TEXT})*) +"
    rf"(?P<fields>{_FIELD}(?:,{_FIELD})*)(?: +(?P<time>-?\d+))?"
)
_PAIR = re.compile(rf'({_TEXT})=("(?:\\.|[^"\\])*"|{_TEXT})')


class _Point(NamedTuple):
    """One line: its number, what names the series, the fields and the time."""

    line: int
    labels: dict[str, str]
    fields: dict[str, str]
    time: int


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
    columns = []
    for name in _names([point.labels for point in points]):
        texts = [point.labels.get(name, "") for point in points]
        columns.append(Column.of_texts(name, texts))
    columns.append(Column("time", np.array([point.time for point in points], np.int64)))
    for name in _names([point.fields for point in points]):
        texts = [point.fields.get(name, "") for point in points]
        columns.append(Column.of_texts(name, texts, plain=True))
    lines = np.array([point.line for point in points], np.int64)
    note = Finding(
        "layout", "note", f"{len(points):,} points of InfluxDB's line protocol were read"
    )
    return Sheet(tuple(columns), lines, source, "file", (note,), label)


def _names(mappings: list[dict[str, str]]) -> list[str]:
    """The names of several mappings, in the order in which they first come."""
    names: dict[str, None] = {}
    for mapping in mappings:
        names |= dict.fromkeys(mapping)
    return list(names)


def _point(line: str, number: int, source: str) -> _Point:
    match = _LINE.fullmatch(line)
    if match is None or match["time"] is None:
        raise DataError(
            f"{source}: line {number} is not a point of InfluxDB's line protocol with a time: "
            f"{line[:60]!r}. Lines such as 'cpu,host=a load=0.5 1672531200000000000' are expected."
        )
    labels = {"measurement": _plain(match["measurement"])} | _pairs(match["tags"])
    fields = {name: _value(text) for name, text in _pairs(match["fields"]).items()}
    return _Point(number, labels, fields, int(match["time"]))


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
