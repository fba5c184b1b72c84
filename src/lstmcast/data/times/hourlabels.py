"""Hours of a day behind its date, as power markets number them: 2024-03-01 HE05, 01/03/2024 H3A."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lstmcast.data.times.labelpairs import mostly
from lstmcast.data.times.rewritten import Labels, replaced, sample_of
from lstmcast.data.times.shapes import DIGITS, match_shape
from lstmcast.util.patterns import pattern_of

_HOUR = pattern_of(
    r"(?P<date>.*\d)[ ,_-]*(?P<word>he|hour ending|hour|hr|h|stunde|std|heure)[ ._]?"
    r"(?P<hour>\d\d?)(?P<twin>[ab]?)"
)
_HALF_DAY = pattern_of(r"(.*[-/. ]\d{1,4}),? ([ap])\.?m\.?")
_ENDINGS = ("he", "hour ending")


def hours_behind_dates(
    tidy: Sequence[str], texts_present: Sequence[str]
) -> list[str] | None:
    """Texts with such an hour as dates and clock times, others as they are; None where these are no
    such labels.

    Hours that are named by their ends, or count from 1 to 24, are read as their beginnings. The
    hour that comes twice when clocks are put back, 3A and 3B, is twice the same clock time.
    """
    matches = [
        _HOUR.fullmatch(text)
        for text in texts_present[:: max(1, len(texts_present) // 20)]
    ]
    if not mostly(match is not None and _is_date(match["date"]) for match in matches):
        return None
    matches = [_HOUR.fullmatch(text) for text in tidy]
    hours = [int(match["hour"]) for match in matches if match is not None]
    is_ending = any(
        match is not None and match["word"] in _ENDINGS for match in matches
    )
    counts_from_one = min(hours) >= 1 and max(hours) == 24
    shift = 1 if (is_ending and min(hours) >= 1) or counts_from_one else 0
    texts = list(tidy)
    for place, match in enumerate(matches):
        if match is not None:
            texts[place] = (
                f"{match['date'].strip()} {int(match['hour']) - shift:02d}:00"
            )
    return texts


def _is_date(text: str) -> bool:
    return match_shape(text.strip().translate(DIGITS)) is not None


def half_days(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Days with AM or PM and no hour, 2024-03-01 AM, at midnight and noon; None where the labels
    are anything else."""
    if not mostly(_HALF_DAY.fullmatch(text) for text in sample_of(texts_present)):
        return None
    texts = replaced(tidy, _HALF_DAY, _at_midnight_or_noon)
    return Labels(
        texts, (f"labels such as {texts_present[0]!r} read as halves of days",)
    )


def _at_midnight_or_noon(match: re.Match[str]) -> str:
    clock = "0:00" if match[2] == "a" else "12:00"
    return f"{match[1]} {clock}"
