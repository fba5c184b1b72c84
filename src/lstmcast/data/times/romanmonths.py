"""Months as Roman numbers, as in Poland and Hungary: 6.I.2020, XII 2020."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lstmcast.data.times.labelpairs import mostly
from lstmcast.data.times.rewritten import Labels, replaced, sample_of
from lstmcast.util.patterns import pattern_of

_ROMAN = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"]
_LABEL = pattern_of(
    r"(?:(?P<day>\d\d?)[. /-]+)?(?P<month>[ivx]{1,4})[. /-]+(?P<year>\d{4})(?: ?r\.?| ?г\.?)?"
)
_QUARTERS = {"i", "ii", "iii", "iv"}


def roman_months(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Labels with such months as dates; None where they are none, or may be quarters."""
    matches = [_LABEL.fullmatch(text) for text in sample_of(texts_present)]
    if not mostly(match is not None and _is_month(match) for match in matches):
        return None
    have_days = any(match["day"] for match in matches if match is not None)
    months = {match["month"] for match in map(_LABEL.fullmatch, tidy) if match}
    if not have_days and months <= _QUARTERS:
        return None
    return Labels(replaced(tidy, _LABEL, _as_date))


def _is_month(match: re.Match[str]) -> bool:
    return match["month"] in _ROMAN


def _as_date(match: re.Match[str]) -> str:
    if not _is_month(match):
        return match.string
    day = match["day"]
    month = _ROMAN.index(match["month"]) + 1
    date = f"{match['year']}-{month:02d}"
    return f"{date}-{int(day):02d}" if day else date
