"""Times: the texts or numbers of one column, parsed as times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# U distinct texts


@dataclass(frozen=True, eq=False)
class Times:
    """Texts read as times.

    `values` (U,) datetime64[us] (or int64 for form "index"), `bad` (U,) where a text is neither
    time nor missing, `form` how sure the reading is: "date" (nothing else looks like that), "year",
    "number" (20240301, unix seconds) or "index" (plain whole numbers). `problem` is a sentence
    where the column cannot be read without a decision. `frame_zone`: the zone of the user's frame,
    where `zone` is another.
    """

    values: np.ndarray
    bad: np.ndarray
    form: str
    zone: str | None = None
    notes: tuple[str, ...] = ()
    problem: str | None = None
    frame_zone: str | None = None

    @classmethod
    def of(
        cls, values: np.ndarray, form: str, *notes: str, zone: str | None = None
    ) -> Times:
        """Times of which none is bad."""
        return cls(values, np.zeros(len(values), bool), form, zone, notes)
