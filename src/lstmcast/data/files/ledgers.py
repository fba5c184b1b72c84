"""Transactions of accounts as programs of banks keep them: QIF, and OFX with its bookings."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from lstmcast.util.patterns import pattern_of

_QIF = pattern_of(r"\s*!(?:type|account|option)", re.IGNORECASE)
_OFX = pattern_of(r"\s*(?:<\?[^>]*>\s*)*(?:OFXHEADER|<OFX>)", re.IGNORECASE)
_FIELDS = {"D": "date", "T": "amount", "P": "payee", "L": "category", "M": "memo"}
_BOOKING = pattern_of(
    r"<STMTTRN>(.*?)(?=</STMTTRN>|<STMTTRN>|</BANKTRANLIST>)", re.IGNORECASE | re.DOTALL
)
_TAG = pattern_of(r"<(DTPOSTED|TRNAMT|NAME)>\s*([^<\r\n]+)", re.IGNORECASE)
_TAGS = {"DTPOSTED": "date", "TRNAMT": "amount", "NAME": "payee"}


def is_ledger(start: str) -> bool:
    """Whether a text begins as QIF or OFX does.

    >>> is_ledger("!Type:Bank"), is_ledger("OFXHEADER:100"), is_ledger("day,n")
    (True, True, False)
    """
    return (_QIF.match(start) or _OFX.match(start)) is not None


def csv_from_ledger(text: str) -> str:
    """The bookings, a row for each, as CSV with a date, an amount and what tells them apart.

    >>> csv_from_ledger("!Type:Bank\\nD1/ 5'24\\nT-1,200.50\\n^").splitlines()
    ['date,amount', '1/5/2024,"-1,200.50"']
    """
    bookings_of = _of_qif if _QIF.match(text) else _of_ofx
    bookings = list(bookings_of(text))
    names = []
    for name in _FIELDS.values():
        if any(name in booking for booking in bookings):
            names.append(name)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, names, restval="")
    writer.writeheader()
    writer.writerows(bookings)
    return buffer.getvalue()


def _of_qif(text: str) -> Iterator[dict[str, str]]:
    booking: dict[str, str] = {}
    for line in map(str.strip, text.splitlines()):
        if line.startswith("^"):
            if "amount" in booking:
                yield booking
            booking = {}
        elif line[:1] in _FIELDS:
            letter = line[0]
            value = line[1:].strip()
            if letter == "D":
                value = _day(value)
            booking[_FIELDS[letter]] = value


def _day(text: str) -> str:
    """1/5/2024 for 1/ 5'24 and 1/ 5' 4."""
    match = re.fullmatch(r"(\d\d?)[/.-] ?(\d\d?)' ?(\d{1,4})", text.strip())
    if match is None:
        return text.replace(" ", "")
    year = match[3]
    if len(year) < 4:
        year = str(2000 + int(year))
    return f"{match[1]}/{match[2]}/{year}"


def _of_ofx(text: str) -> Iterator[dict[str, str]]:
    for block in _BOOKING.finditer(text):
        booking = {}
        for tag in _TAG.finditer(block[1]):
            name = _TAGS[tag[1].upper()]
            booking[name] = tag[2].strip()
        if "date" in booking and "amount" in booking:
            day = booking["date"][:8]
            booking["date"] = f"{day[:4]}-{day[4:6]}-{day[6:]}"
            yield booking
