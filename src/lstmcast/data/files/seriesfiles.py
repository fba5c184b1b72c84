"""Other formats of tables and series as text: .tsf of the Monash archive, .arff of Weka."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from lstmcast.data.missingwords import is_missing
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.times.dates import parse_times
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.errors import DataError

_FREQUENCIES = {
    "yearly": "YS",
    "quarterly": "QS",
    "monthly": "MS",
    "weekly": "W",
    "daily": "D",
    "hourly": "h",
    "half_hourly": "30min",
    "10_minutes": "10min",
    "minutely": "min",
    "4_seconds": "4s",
}


def looks_attributed(start: str) -> bool:
    """Whether a text begins with lines such as "@relation", below comments or not.

    >>> looks_attributed("# of us\\n@relation sales\\n@data\\n")
    True
    """
    for line in start.splitlines()[:400]:
        stripped = line.strip()
        if stripped and stripped[0] not in "#%":
            return re.match(r"@\w+", stripped) is not None
    return False


def is_tsf(text: str) -> bool:
    """Whether a text with attributes holds a series per line."""
    head = text[: 1 << 16].casefold()
    return "@frequency" in head or "@missing" in head or "@equallength" in head


class _Series(NamedTuple):
    """A series of a .tsf file: its line, its attributes and its values, as texts."""

    line: int
    attributes: list[str]
    values: list[str]


def sheet_from_tsf(text: str, source: str, label: str) -> Sheet:
    """Series of a .tsf file under each other: columns of their attributes, times, values."""
    names = []
    code = ""
    lines = enumerate(text.splitlines(), start=1)
    for _, line in lines:
        if line.strip().casefold() == "@data":
            break  # the lines that are left are series
        keyword, *words = line.split() or [""]
        if keyword.casefold() == "@attribute" and words:
            names.append(words[0])
        if keyword.casefold() == "@frequency" and words and not code:
            code = words[0].casefold()
    else:
        raise DataError(
            f"{source} has no line @data. A .tsf file with its series below is expected."
        )
    series = [
        _series(line, number, names, source) for number, line in lines if line.strip()
    ]
    if not series:
        raise DataError(
            f"{source} has no series below @data. One line for each is expected."
        )
    columns = _columns(series, names, code)
    counts = [len(one_series.values) for one_series in series]
    row_lines = np.repeat([one_series.line for one_series in series], counts)
    return Sheet(tuple(columns), row_lines, source, "file", label=label)


def _series(line: str, number: int, names: list[str], source: str) -> _Series:
    """Line, attributes and values of one series."""
    fields = line.strip().split(":")
    if len(fields) != len(names) + 1:
        raise DataError(
            f"{source}: line {number} has {len(fields)} parts with colons between them. "
            f"{len(names)} attributes ({', '.join(names)}) and the values are expected."
        )
    *attributes, values = fields
    return _Series(number, list(map(str.strip, attributes)), values.split(","))


def _columns(series: list[_Series], names: list[str], code: str) -> list[Column]:
    """The attributes of the series, the times and the values, for all rows under each other."""
    counts = [len(one_series.values) for one_series in series]
    codes = np.repeat(np.arange(len(series)), counts)
    columns = []
    starts = None
    for place, name in enumerate(names):
        texts = [one_series.attributes[place] for one_series in series]
        if "start" not in name.casefold():
            columns.append(_attribute(name, texts, codes))
        elif starts is None:
            starts = texts
    columns.append(_times(starts, counts, code))
    numbers = [_number(text) for one_series in series for text in one_series.values]
    columns.append(Column("y", np.array(numbers)))
    return columns


def _attribute(name: str, texts: list[str], codes: np.ndarray) -> Column:
    column = Column.of_texts(name, texts)
    assert column.codes is not None
    return Column(name, column.data, column.codes[codes])


def _times(starts: list[str] | None, counts: list[int], code: str) -> Column:
    """Times from the starts of the series; numbers where they or the frequency are not known."""
    numbered = np.concatenate([np.arange(1, count + 1) for count in counts])
    if starts is None or code not in _FREQUENCIES:
        return Column("t", numbered)
    start_texts = [
        re.sub(r" (\d\d)-(\d\d)-(\d\d)$", r" \1:\2:\3", start) for start in starts
    ]
    times = parse_times(start_texts)
    if times is None or times.bad.any() or times.values.dtype.kind != "M":
        return Column("t", numbered)
    frequency = parse_frequency(_FREQUENCIES[code])
    times_of_series = []
    for start, count in zip(times.values, counts, strict=True):
        anchored = frequency.anchored(np.array([start]))
        times_of_series.append(anchored.range(start, count))
    all_times = np.concatenate(times_of_series)
    return Column("ds", all_times.astype("datetime64[us]"))


def _number(text: str) -> float:
    """NaN for a missing value; infinity, which is reported, for what is no number."""
    try:
        return float(text)
    except ValueError:
        return np.nan if is_missing(text) else np.inf


def csv_from_arff(text: str, source: str) -> str:
    """The table of an .arff file as CSV with its names in the first line."""
    names: list[str] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        stripped = line.strip()
        match = re.match(
            r"@attribute\s+('[^']*'|\"[^\"]*\"|\S+)", stripped, re.IGNORECASE
        )
        if match is not None:
            names.append(match[1].strip("'\""))
        if stripped.casefold() == "@data":
            rows = [
                row for row in lines[number + 1 :] if not row.strip().startswith("%")
            ]
            # as many lines as before, so that messages name the right ones
            above = [""] * number
            header = ",".join(f'"{name}"' for name in names)
            return "\n".join([*above, header, *rows])
    raise DataError(
        f"{source} has no line @data. An .arff file with its rows below is expected."
    )
