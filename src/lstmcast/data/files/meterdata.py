"""Meter data of Australia's electricity market (NEM12): a line for each day of a register."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.table import Finding
from lstmcast.errors import DataError
from lstmcast.util.patterns import pattern_of

_HEADER = pattern_of(r"\s*(?:100,NEM12,|200,[^\n]*\n\s*300,\d{8},)", re.IGNORECASE)
_REGISTER, _DAY = "200", "300"  # kinds of lines
_MINUTES_OF_DAY = 1440


class _Interval(NamedTuple):
    """What a register measured from one time to the next, as it is written."""

    line: int
    register: str
    time: np.datetime64
    value: str


def is_nem12(start: str) -> bool:
    """Whether a text begins as meter data do.

    >>> is_nem12("100,NEM12,202405011135,MDP1,RET1\\n200,6001234567,E1,1,E1,N1,M1,kWh,30,")
    True
    """
    return _HEADER.match(start) is not None


def sheet_from_nem12(text: str, source: str, label: str) -> Sheet:
    """The intervals of all registers under each other, named by what begins them."""
    intervals = list(_intervals(text, source))
    if not intervals:
        raise DataError(
            f"{source} holds meter data (NEM12) without a line of intervals. Lines such as "
            "'300,20240201,0.35,0.41,…' below a line that begins with 200 are expected."
        )
    registers = [interval.register for interval in intervals]
    columns = (
        Column.of_texts("series", registers),
        Column("time", np.array([interval.time for interval in intervals])),
        Column.of_texts(
            "value", [interval.value for interval in intervals], plain=True
        ),
    )
    count = len(set(registers))
    registers_read = "1 register" if count == 1 else f"{count} registers"
    note = Finding(
        "layout", "note", f"meter data (NEM12) of {registers_read} were read"
    )
    lines = np.array([interval.line for interval in intervals], np.int64)
    return Sheet(columns, lines, source, "file", (note,), label)


def _intervals(text: str, source: str) -> Iterator[_Interval]:
    register, minutes = "", 0
    for line, cells in enumerate(csv.reader(text.splitlines()), start=1):
        kind = cells[0].strip() if cells else ""
        if kind == _REGISTER:
            register = f"{cells[1]}/{cells[4]}"
            minutes = _length_of(cells, line, source)
        elif kind == _DAY and minutes:
            yield from _of_day(line, cells, register, minutes)


def _length_of(cells: Sequence[str], line: int, source: str) -> int:
    """The minutes of each interval of a register."""
    text = cells[8].strip() if len(cells) > 8 else ""
    if text.isdecimal() and int(text) > 0 and _MINUTES_OF_DAY % int(text) == 0:
        return int(text)
    raise DataError(
        f"{source}: line {line} begins meter data of a register (NEM12), and {text!r} is not a "
        "number of minutes that divides a day. 5, 15 or 30 is expected as its ninth cell."
    )


def _of_day(
    line: int, cells: Sequence[str], register: str, minutes: int
) -> Iterator[_Interval]:
    """The intervals of a day; their values are empty where it says that there is none."""
    count = _MINUTES_OF_DAY // minutes
    date = cells[1].strip()
    first = np.datetime64(f"{date[:4]}-{date[4:6]}-{date[6:8]}", "us")
    quality = cells[2 + count] if len(cells) > 2 + count else ""
    values = cells[2 : 2 + count]
    if quality.upper().startswith("N"):
        values = [""] * count
    for place, value in enumerate(values):
        time = first + np.timedelta64(place * minutes, "m")
        yield _Interval(line, register, time, value)
