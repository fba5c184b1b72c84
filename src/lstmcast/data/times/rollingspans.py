"""Spans of months that overlap, each a month later than the one before: Jan-Mar 2018, Feb-Apr
2018."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from lstmcast.data.times.labelpairs import mostly
from lstmcast.data.times.rewritten import Labels, replaced, sample_of
from lstmcast.data.times.shapes import MONTHS
from lstmcast.util.patterns import pattern_of

_SPAN = pattern_of(
    r"(?P<first>[^\W\d_]{3,9})\.?(?: \d{4})? ?(?:-|to|/) ?"
    r"(?P<last>[^\W\d_]{3,9})\.? (?P<year>\d{4})"
)


def rolling_spans(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Such spans as their middle months; None where they follow each other without an overlap."""
    if not mostly(_SPAN.fullmatch(text) for text in sample_of(texts_present)):
        return None
    matches = list(filter(None, map(_SPAN.fullmatch, texts_present)))
    if any(
        match["first"] not in MONTHS or match["last"] not in MONTHS for match in matches
    ):
        return None
    lengths = set(map(_length, matches))
    ends = np.unique(list(map(_last_month, matches)))
    if len(lengths) > 1 or len(ends) < 3 or (np.diff(ends) != 1).any():
        return None
    (length,) = lengths

    def rewrite(match: re.Match[str]) -> str:
        year, month = divmod(_last_month(match) - length // 2, 12)
        return f"{year}-{month + 1:02d}"

    example = texts_present[0]
    middle = rewrite(matches[0])
    note = (
        f"spans such as {example!r} overlap: each is read as its middle month, {middle}"
    )
    return Labels(replaced(tidy, _SPAN, rewrite), (note,))


def _length(match: re.Match[str]) -> int:
    return (MONTHS[match["last"]] - MONTHS[match["first"]]) % 12 + 1


def _last_month(match: re.Match[str]) -> int:
    """The months from the year 0 to the last one of a span."""
    return 12 * int(match["year"]) + MONTHS[match["last"]] - 1
