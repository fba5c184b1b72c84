"""Bookings as DATEV exports them: days and months without a year, which the header tells."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from lstmcast.data.findings import Finding

_DAY = "Belegdatum"
# fields of the header: the first and the last day of the bookings
_BEGIN, _END = 14, 15


def is_datev(start: str) -> bool:
    """Whether a text begins as a file of DATEV's format.

    >>> is_datev('"EXTF";700;21;"Buchungsstapel";12;2023')
    True
    """
    return start.lstrip('"').startswith(("EXTF", "DTVF"))


def with_years(text: str) -> tuple[str, tuple[Finding, ...]]:
    """The bookings with whole dates, below a blank line in the place of the header, and what is
    said of it; the text as it is where it has no such days."""
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    begin, end = _span(rows[0])
    if not begin or len(rows) < 3 or _DAY not in rows[1]:
        return text, ()
    place = rows[1].index(_DAY)
    for row in rows[2:]:
        if len(row) > place:
            row[place] = _whole_date(row[place], begin)
    output = io.StringIO()
    writer = csv.writer(output, delimiter=";", lineterminator="\n")
    writer.writerows([[], *rows[1:]])
    message = f"the years of {_DAY!r} are those of DATEV's header: {begin} to {end}"
    return output.getvalue(), (Finding("dates", "note", message),)


def _span(header: Sequence[str]) -> tuple[str, str]:
    """The first and the last day of the bookings, as 20240131; empty where it has none."""
    if len(header) <= _END:
        return "", ""
    begin = header[_BEGIN]
    end = header[_END]
    return (begin, end) if begin.isdecimal() and len(begin) == 8 else ("", "")


def _whole_date(text: str, begin: str) -> str:
    """3101 as 31.01.2024; a month before the first one belongs to the next year."""
    digits = text.strip().zfill(4)
    if len(digits) != 4 or not digits.isdecimal():
        return text
    day = digits[:2]
    month = digits[2:]
    year = int(begin[:4])
    if month < begin[4:6]:
        year += 1
    return f"{day}.{month}.{year}"
