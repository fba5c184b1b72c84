"""Times in a format that somebody named, as strptime has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from lstmcast.data.missingwords import is_missing
from lstmcast.data.times.times import Times


def formatted_times(texts: Sequence[str], date_format: str) -> Times | None:
    """Texts as times in one format; what is not written so is bad. None where nothing is.

    >>> formatted_times(["31 12 99", "01 01 00"], "%d %m %y").values.tolist()[0].year
    1999
    """
    values = np.full(len(texts), np.datetime64("NaT"), "datetime64[us]")
    zone = None
    for place, text in enumerate(texts):
        try:
            time = datetime.strptime(text.strip(), date_format)
        except ValueError:
            continue
        if time.tzinfo is not None:
            zone = "UTC"
            time = time.astimezone(UTC).replace(tzinfo=None)
        values[place] = np.datetime64(time, "us")
    is_text = np.array([not is_missing(text) for text in texts])
    is_bad = np.isnat(values) & is_text
    if not (is_text & ~is_bad).any():
        return None
    return Times(values, is_bad, "date", zone)
