"""Clock times with the name of their zone behind them: 2024-03-01 12:00 CET."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lstmcast.data.times.labelpairs import mostly
from lstmcast.data.times.rewritten import Labels, replaced, sample_of
from lstmcast.data.times.zonenames import ZONED_CLOCK, offset_named


def zoned_labels(tidy: list[str], texts_present: Sequence[str]) -> Labels | None:
    """Clock times with the name of their zone behind them, which is left off."""
    if not mostly(ZONED_CLOCK.fullmatch(text) for text in sample_of(texts_present)):
        return None
    in_utc = _with_offsets(tidy)
    if in_utc is not None:
        return in_utc
    texts = replaced(tidy, ZONED_CLOCK, lambda match: match["clock"])
    example = texts_present[0]
    zone = "of some"
    match = ZONED_CLOCK.fullmatch(example)
    if match is not None:
        zone = match["zone"].upper()
    return Labels(
        texts, (f"the name of the time zone ({zone}) was removed: local times",)
    )


def _with_offsets(tidy: list[str]) -> Labels | None:
    """Clock times with two names of zones, EST and EDT, with the offsets that these mean."""
    zones = {match["zone"] for match in map(ZONED_CLOCK.fullmatch, tidy) if match}
    offsets = {zone: offset_named(zone) for zone in zones}
    if len(set(offsets.values())) < 2 or None in offsets.values():
        return None

    def rewrite(match: re.Match[str]) -> str:
        minutes = offsets[match["zone"]] or 0
        sign = "-" if minutes < 0 else "+"
        hours, minutes = divmod(abs(minutes), 60)
        return f"{match['clock']}{sign}{hours:02d}:{minutes:02d}"

    return Labels(replaced(tidy, ZONED_CLOCK, rewrite))
