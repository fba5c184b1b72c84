"""Newer data of a series joined to what is remembered of it, value by value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.frequency import OFF_GRID
from lstmcast.data.panel import Panel, Recipe
from lstmcast.data.ragged import offsets_of
from lstmcast.data.repairs import interpolated
from lstmcast.data.table import format_time

# Steps that may be missing between what is remembered and newer data, which then continue as
# after a gap inside a file:
# as many as two of the longest seasonal cycles, or four weeks of days where cycles are short (a
# shop's holidays, a
# machine's repair). After longer ones the old level and season say little of the new ones. Never
# more than the values
# that are remembered: a forecast should rest on values, not on gaps.
BRIDGED_CYCLES, BRIDGED_STEPS = 2, 28
# Data that reach back farther than what is remembered are a history of their own, but for
# corrections: rows of which
# fewer than this share of the times remembered between them have a value.
_PATCHED = 0.5
NEW = "they are new"  # why a series starts afresh that nothing was remembered of


class Piece(NamedTuple):
    """One series of newer data, joined where it could be; `why` not, else empty. Numbers of
    steps:"""

    values: NDArray
    lead: int = 0  # remembered, before the data
    why: str = ""
    bridged: int = 0  # without a value, between what is remembered and the data
    skipped: int = 0  # of the data, before what is remembered begins
    filled: int = 0  # without a value in the data, but remembered
    kept: int = 0  # remembered, after the data
    stale: int = 0  # remembered, after the data, and not used


@dataclass(frozen=True)
class Pieces:
    """Joins series to what a panel remembers of them."""

    panel: Panel

    def of(self, newer: Panel, places: NDArray, recipe: Recipe) -> list[Piece]:
        distances = newer.frequency.position(newer.starts, self.panel.starts[places])
        # In a sum or count, times without a row are 0 wherever the data begin earlier, as they are
        # inside of a file.
        adds = recipe.aggregate in ("sum", "count") or recipe.gaps == "zero"
        zeros = (
            newer.frequency.position(newer.starts, newer.starts.min())
            if adds
            else np.zeros(len(newer), np.int64)
        )
        return [
            Piece(newer.series(i), why=NEW)
            if place < 0
            else self._piece(place, newer.series(i), *steps)
            for i, (place, *steps) in enumerate(
                zip(places, distances.tolist(), zeros.tolist(), strict=True)
            )
        ]

    def _piece(self, place: int, values: NDArray, distance: int, zeros: int) -> Piece:
        """A series joined to what is remembered of it, which begins `distance` steps before it."""
        known = self.panel.series(place)
        if distance == OFF_GRID:
            return Piece(values, why="their times are not on the saved grid")
        behind, skipped = max(0, len(known) - distance - len(values)), max(0, -distance)
        if distance <= 0:
            values, whole = values[-distance:], values
            lost = np.isnan(values[: len(known)]) & ~np.isnan(known[: len(values)])
            if not len(values) or np.count_nonzero(lost) <= _PATCHED * len(lost):
                return Piece(
                    whole, why="the data reach back as far as what was saved", stale=behind
                )
            distance = 0
        bridged = max(0, distance - zeros - len(known))
        if bridged > self._most_bridged(known):
            end = format_time(self.panel.ends[place])
            return Piece(
                values,
                why=f"as {steps_are(bridged)} missing between the saved end ({end}) and the data",
            )
        joined = np.full(max(len(known), distance + len(values)), np.nan)
        joined[: len(known)] = known
        joined[max(len(known), distance - zeros) : distance] = 0.0
        covered = joined[distance : distance + len(values)]
        unknown = np.isnan(values)
        filled = int(np.count_nonzero(unknown & ~np.isnan(covered)))
        covered[~unknown] = values[~unknown]
        return Piece(joined, distance, skipped=skipped, filled=filled, kept=behind)._replace(
            bridged=self._expected(place, len(known), bridged)
        )

    def _expected(self, place: int, first: int, count: int) -> int:
        """How many of the steps after the first ones of a series occur."""
        if self.panel.calendar is None or not count:
            return count
        times = self.panel.frequency.range(self.panel.starts[place], count, first)
        return int(self.panel.calendar.occurs(times, place).sum())

    def _most_bridged(self, known: NDArray) -> int:
        longest = max(BRIDGED_CYCLES * max(self.panel.periods, default=1), BRIDGED_STEPS)
        return min(longest, int(np.count_nonzero(~np.isnan(known))))


def laid_out(pieces: list[Piece]) -> tuple[NDArray, NDArray]:
    """The values of all pieces, one after the other, and their offsets."""
    lengths = np.array([len(piece.values) for piece in pieces])
    return np.concatenate([piece.values for piece in pieces]), offsets_of(lengths)


def side_by_side(remembered: NDArray, newer: NDArray, piece: Piece) -> NDArray:
    """Values of a column at the steps of a joined series."""
    joined = np.full(len(piece.values), np.nan)
    joined[: len(remembered)] = remembered
    covered = joined[piece.lead : piece.lead + len(newer)]
    covered[~np.isnan(newer)] = newer[~np.isnan(newer)]
    return joined


def on_lines(values: NDArray, whole: bool) -> NDArray:
    """Missing values between others on straight lines; a series without any value stays as it
    is."""
    return values if np.isnan(values).all() else interpolated(values, whole)


def steps_are(count: int) -> str:
    return "1 step is" if count == 1 else f"{count:,} steps are"
