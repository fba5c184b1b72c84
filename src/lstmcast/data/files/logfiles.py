"""Logs and metrics as text, a point a line: key=value, Prometheus, Graphite, OpenTSDB."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from lstmcast.data.files.points import Point, sheet_of_points
from lstmcast.data.sheet import Sheet
from lstmcast.errors import DataError
from lstmcast.util.patterns import pattern_of

_SAMPLE = 20  # lines that are looked at
_LABELS = pattern_of(r'([^\s,;={}]+)="?((?:\\.|[^"\\,;\s])*)"?')
_QUOTED_LABELS = pattern_of(r'(\w+)="((?:\\.|[^"\\])*)"')
_VALUE = r"[-+]?(?:\d[\d.]*|\.\d+)(?:e[-+]?\d+)?|nan|[-+]?inf"
_PAIR = r'[^\W\d][\w.@/-]*=(?:"(?:\\.|[^"\\])*"|[^\s",;=]*)'
_PAIRS = pattern_of(r'([^\W\d][\w.@/-]*)=("(?:\\.|[^"\\])*"|[^\s",;=]*)')
_CLOCK = r"\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:z|[+-]\d\d:?\d\d)?"
_TIME = rf"\d{{4}}[-/]\d\d[-/]\d\d[t ]{_CLOCK}|[a-z]{{3}} +\d\d? {_CLOCK}|\d{{10,19}}(?:\.\d+)?"
_TIME_NAMES = ("time", "ts", "timestamp", "@timestamp", "datetime", "date", "t")
_METRIC = r"[a-z_:][\w:]*"


class _Format(NamedTuple):
    """A format of lines: what it is called, a pattern of a line, and how a match is a point."""

    name: str
    line: re.Pattern[str]
    point: Callable[[int, re.Match[str]], Point]


def log_of(start: str) -> _Format | None:
    """The format of a text by its first lines, None where it is no log.

    >>> log_of("time=2024-03-01T00:00Z load=0.5\\ntime=2024-03-01T01:00Z load=0.4\\n").name
    'key=value lines'
    """
    lines = [line for _, line in _numbered(start)][:_SAMPLE]
    if len(lines) < 2:
        return None
    formats = _FORMATS
    if _DECLARED.search(start) is not None:
        formats = (_SCRAPE, *_FORMATS)
    for log_format in formats:
        if all(map(log_format.line.fullmatch, lines)):
            return log_format
    return None


def sheet_from_log(text: str, log_format: _Format, source: str, label: str) -> Sheet:
    """The points of a log as a sheet; DataError where they have no time."""
    points = []
    for number, line in _numbered(text):
        match = log_format.line.fullmatch(line)
        if match is not None:
            points.append(log_format.point(number, match))
    if not any(point.time for point in points):
        raise DataError(
            f"{source} holds {log_format.name} without times: what was measured at one moment. "
            "Write a time in each line, or export a range of times, as Prometheus does as JSON "
            "(/api/v1/query_range)."
        )
    return sheet_of_points(points, source, label, log_format.name)


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are neither empty nor comments, with their numbers."""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def _metric(number: int, match: re.Match[str]) -> Point:
    """A value of a metric with its labels."""
    labels = {"metric": match["metric"]} | _labels_in(match["labels"] or "")
    return Point(number, labels, {"value": match["value"]}, match["time"] or "")


def _labels_in(text: str) -> dict[str, str]:
    pattern = _QUOTED_LABELS if '"' in text else _LABELS
    return dict(pattern.findall(text))


def _pairs(number: int, match: re.Match[str]) -> Point:
    """Keys and values behind a time, or with the time among them."""
    fields = {name: value.strip('"') for name, value in _PAIRS.findall(match["pairs"])}
    time = match["time"] or _time_among(fields)
    words = (match["words"] or "").split()
    labels = {
        f"word{place}": word.strip(":[]") for place, word in enumerate(words, start=1)
    }
    return Point(number, labels, fields, time)


def _time_among(fields: dict[str, str]) -> str:
    """The time among keys and values, taken out of them; "" where there is none."""
    for name in _TIME_NAMES:
        if name in fields:
            return fields.pop(name)
    return ""


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _prometheus(labels: str) -> _Format:
    pattern = (
        rf"(?P<metric>{_METRIC}){labels} +(?P<value>{_VALUE})"
        r"(?: +(?P<time>\d{9,13}(?:\.\d+)?))?"
    )
    return _Format("metrics of Prometheus", _compiled(pattern), _metric)


_DECLARED = pattern_of(r"^# (?:TYPE|HELP) \S", re.MULTILINE)
# labels may be absent where types are declared
_SCRAPE = _prometheus(r"(?:\{(?P<labels>.*)\})?")
_FORMATS = (
    _prometheus(r"\{(?P<labels>.+)\}"),
    _Format(
        "metrics of Graphite",
        _compiled(
            rf"(?P<metric>[\w.-]+)(?P<labels>(?:;[^\s;=]+=[^\s;]+)+) +(?P<value>{_VALUE}) +"
            r"(?P<time>\d{9,13})"
        ),
        _metric,
    ),
    _Format(
        "metrics of OpenTSDB",
        _compiled(
            rf"(?:put +)?(?P<metric>[\w./-]+) +(?P<time>\d{{10,13}}) +(?P<value>{_VALUE})"
            r"(?P<labels>(?: +[^\s=]+=\S+)+)"
        ),
        _metric,
    ),
    _Format(
        "key=value lines",
        _compiled(
            rf"(?:\[?(?P<time>{_TIME})\]?(?P<words>(?: +[^\s=,;]+)*?)[ ,;]+)?"
            rf"(?P<pairs>{_PAIR}(?:[ ,;]+{_PAIR})*)"
        ),
        _pairs,
    ),
)
