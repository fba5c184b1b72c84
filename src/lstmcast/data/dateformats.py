"""Times in a format that somebody named, as strptime has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from .numbers import is_missing
from .times import Times


def formatted_times(texts: Sequence[str], written: str) -> Times | None:
    """Texts as times in one format; what is not written so is bad. None where nothing is.

    >>> formatted_times(["31 12 99", "01 01 00"], "%d %m %y").values.tolist()[0].year
    1999
    """
    values = np.full(len(texts), np.datetime64("NaT"), "datetime64[us]")
    zoned = False
    for place, text in enumerate(texts):
        try:
            time = datetime.strptime(text.strip(), written)
        except ValueError:
            continue
        if time.tzinfo is not None:
            zoned, time = True, time.astimezone(UTC).replace(tzinfo=None)
        values[place] = np.datetime64(time, "us")
    there = np.array([not is_missing(text) for text in texts])
    bad = np.isnat(values) & there
    if not (there & ~bad).any():
        return None
    return Times(values, bad, "date", "UTC" if zoned else None)
