"""Other formats of tables and series as text: .tsf of the Monash archive, .arff of Weka."""

from __future__ import annotations

import re

import numpy as np

from lstmcast.data.dates import parse_times
from lstmcast.data.frequency import parse_frequency
from lstmcast.data.numbers import is_missing
from lstmcast.data.sheet import Column, Sheet
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
    lines = [line.strip() for line in start.splitlines()[:400]]
    told = [line for line in lines if line and line[0] not in "#%"]
    return bool(told) and re.match(r"@\w+", told[0]) is not None


def is_tsf(text: str) -> bool:
    """Whether a text with attributes holds a series per line."""
    head = text[: 1 << 16].casefold()
    return "@frequency" in head or "@missing" in head or "@equallength" in head


def sheet_from_tsf(text: str, source: str, label: str) -> Sheet:
    """Series of a .tsf file under each other: columns of their attributes, times, values."""
    lines = text.splitlines()
    begin = next((n for n, line in enumerate(lines) if line.strip().casefold() == "@data"), None)
    if begin is None:
        raise DataError(
            f"{source} has no line @data. A .tsf file with its series below is expected."
        )
    told = [line.split() for line in lines[:begin] if line.strip().startswith("@")]
    names = [parts[1] for parts in told if parts[0].casefold() == "@attribute" and len(parts) > 1]
    code = next((parts[1] for parts in told if parts[0].casefold() == "@frequency"), "")
    rows = [(n + 1, line.strip()) for n, line in enumerate(lines) if n > begin and line.strip()]
    if not rows:
        raise DataError(f"{source} has no series below @data. One line for each is expected.")
    series = [_series(line, number, names, source) for number, line in rows]
    return _under_each_other(series, names, code.casefold(), source, label)


def _series(
    line: str, number: int, names: list[str], source: str
) -> tuple[int, list[str], list[str]]:
    """Line, attributes and values of one series."""
    parts = line.split(":")
    if len(parts) != len(names) + 1:
        raise DataError(
            f"{source}: line {number} has {len(parts)} parts with colons between them. "
            f"{len(names)} attributes ({', '.join(names)}) and the values are expected."
        )
    return number, [part.strip() for part in parts[:-1]], parts[-1].split(",")


def _under_each_other(
    series: list[tuple[int, list[str], list[str]]],
    names: list[str],
    code: str,
    source: str,
    label: str,
) -> Sheet:
    counts = [len(values) for _, _, values in series]
    codes = np.repeat(np.arange(len(series)), counts)
    starts = [i for i, name in enumerate(names) if "start" in name.casefold()]
    columns = [
        _attribute(name, [attributes[i] for _, attributes, _ in series], codes)
        for i, name in enumerate(names)
        if i not in starts
    ]
    begun = [attributes[starts[0]] for _, attributes, _ in series] if starts else None
    columns.append(_times(begun, counts, code))
    numbers = [_number(text) for _, _, values in series for text in values]
    columns.append(Column("y", np.array(numbers)))
    lines = np.repeat([number for number, _, _ in series], counts)
    return Sheet(tuple(columns), lines, source, "file", (), label)


def _attribute(name: str, texts: list[str], codes: np.ndarray) -> Column:
    column = Column.of_texts(name, texts)
    assert column.codes is not None
    return Column(name, column.data, column.codes[codes])


def _times(starts: list[str] | None, counts: list[int], code: str) -> Column:
    """Times from the starts of the series; numbers where they or the frequency are not known."""
    numbered = np.concatenate([np.arange(1, count + 1) for count in counts])
    if starts is None or code not in _FREQUENCIES:
        return Column("t", numbered)
    written = [re.sub(r" (\d\d)-(\d\d)-(\d\d)$", r" \1:\2:\3", start) for start in starts]
    times = parse_times(written)
    if times is None or times.bad.any() or times.values.dtype.kind != "M":
        return Column("t", numbered)
    made = [
        parse_frequency(_FREQUENCIES[code]).anchored(times.values[i : i + 1]).range(start, count)
        for i, (start, count) in enumerate(zip(times.values, counts, strict=True))
    ]
    return Column("ds", np.concatenate(made).astype("datetime64[us]"))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan if is_missing(text) else float("inf")


def csv_from_arff(text: str, source: str) -> str:
    """The table of an .arff file as CSV with its names in the first line."""
    names: list[str] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        told = line.strip()
        match = re.match(r"@attribute\s+('[^']*'|\"[^\"]*\"|\S+)", told, re.IGNORECASE)
        if match is not None:
            names.append(match[1].strip("'\""))
        if told.casefold() == "@data":
            rows = [row for row in lines[number + 1 :] if not row.strip().startswith("%")]
            # as many lines as before, so that messages name the right ones
            above = [""] * number
            header = ",".join(f'"{name}"' for name in names)
            return "\n".join([*above, header, *rows])
    raise DataError(f"{source} has no line @data. An .arff file with its rows below is expected.")
