"""Clock times with the name of their zone behind them: 2024-03-01 12:00 CET."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lstmcast.data.times.labelpairs import mostly
from lstmcast.data.times.rewritten import Labels, replaced, sample_of
from lstmcast.data.times.zonenames import offset_named

_ZONE_NAMES = re.compile(
    r"(.*\d:\d\d(?::\d\d)?(?: ?[ap]m)?) ?"
    r"\(?(?:[ecmpa]e?[sd]t|cet|cest|bst|ist|jst|wet|west|eet|eest|msk)\)?"
)


def zoned_labels(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Clock times with the name of their zone behind them, which is left off."""
    if not mostly(_ZONE_NAMES.fullmatch(text) for text in sample_of(texts_present)):
        return None
    in_utc = _with_offsets(tidy)
    if in_utc is not None:
        return in_utc
    texts = replaced(tidy, _ZONE_NAMES, lambda match: match[1])
    example = texts_present[0]
    zone = "of some"
    match = _ZONE_NAMES.fullmatch(example)
    if match is not None:
        zone = example[match.end(1) :].strip(" ()").upper()
    return Labels(
        texts, (f"the name of the time zone ({zone}) was removed: local times",)
    )


def _with_offsets(tidy: list[str]) -> Labels | None:
    """Clock times with two names of zones, EST and EDT, with the offsets that these mean."""
    zones = {_zone_named(match) for match in map(_ZONE_NAMES.fullmatch, tidy) if match}
    offsets = {zone: offset_named(zone) for zone in zones}
    if len(set(offsets.values())) < 2 or None in offsets.values():
        return None

    def rewrite(match: re.Match[str]) -> str:
        minutes = offsets[_zone_named(match)] or 0
        sign = "-" if minutes < 0 else "+"
        hours, minutes = divmod(abs(minutes), 60)
        return f"{match[1]}{sign}{hours:02d}:{minutes:02d}"

    return Labels(replaced(tidy, _ZONE_NAMES, rewrite))


def _zone_named(match: re.Match[str]) -> str:
    return match.string[match.end(1) :].strip(" ()")
