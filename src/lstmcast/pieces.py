"""Joining newer data of a series to its saved values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.kinds import common_kind
from lstmcast.data.panel import Panel, Recipe
from lstmcast.data.ragged import offsets_of
from lstmcast.data.repairs import interpolated
from lstmcast.data.table import format_time
from lstmcast.data.times.frequency import OFF_GRID

# Longest gap between saved and newer values that is treated like a gap inside a file: two of the
# longest seasonal cycles, or four weeks where cycles are short (a shop's holidays, a machine's
# repair). After longer gaps, the old level and season say little about the new ones. Never more
# steps than there are saved values.
BRIDGED_CYCLES = 2
BRIDGED_STEPS = 28
# Data that reach back farther than the saved values replace them, unless they are corrections: rows
# with values at fewer than this share of the saved times that they span.
_PATCHED = 0.5
NEW = "they are new"  # the reason of a series that was not saved


class Piece(NamedTuple):
    """A series of newer data, joined if possible; `reason`: why not, else empty. Numbers of
    steps:"""

    values: NDArray
    lead: int = 0  # saved, before the data
    reason: str = ""
    bridged: int = 0  # without a value, between saved values and the data
    skipped: int = 0  # of the data, before the first saved value
    restored: int = 0  # without a value in the data, but saved
    kept_after: int = 0  # saved, after the data
    stale: int = 0  # saved, after the data, and not used


@dataclass(frozen=True)
class Pieces:
    """Joins newer series to those of a saved panel."""

    panel: Panel

    def of(self, newer: Panel, places: NDArray, recipe: Recipe) -> list[Piece]:
        """The series of newer data, each joined to the saved one at its place."""
        distances = newer.frequency.position(newer.starts, self.panel.starts[places])
        zeros = np.zeros(len(newer), np.int64)
        # In sums and counts, times without a row are 0, also before a series begins in the data.
        if recipe.aggregate in ("sum", "count") or recipe.gaps == "zero":
            zeros = newer.frequency.position(newer.starts, newer.starts.min())
        steps = zip(places, distances.tolist(), zeros.tolist(), strict=True)
        pieces = []
        for series, (place, distance, zero_count) in enumerate(steps):
            values = newer.series(series)
            if place < 0:
                pieces.append(Piece(values, reason=NEW))
            else:
                pieces.append(self._piece(place, values, distance, zero_count))
        return pieces

    def _piece(
        self, place: int, values: NDArray, distance: int, zero_count: int
    ) -> Piece:
        """A series joined to its saved values, which begin `distance` steps before it."""
        remembered = self.panel.series(place)
        saved_end = len(remembered)
        if distance == OFF_GRID:
            return Piece(values, reason="their times are not on the saved grid")
        steps_behind = max(0, saved_end - distance - len(values))
        if distance <= 0 and _is_whole_history(values[-distance:], remembered):
            reason = "the data reach back as far as the saved values"
            return Piece(values, reason=reason, stale=steps_behind)
        skipped = max(0, -distance)
        values = values[skipped:]
        begin = max(0, distance)
        end = begin + len(values)
        bridged = max(0, begin - zero_count - saved_end)
        if bridged > self._most_bridged(remembered):
            time = format_time(self.panel.ends[place])
            missing = f"{steps_are(bridged)} missing between the saved end ({time}) and the data"
            return Piece(values, reason=f"as {missing}")
        joined_values = np.full(max(saved_end, end), np.nan)
        joined_values[:saved_end] = remembered
        first_zero = max(saved_end, begin - zero_count)
        joined_values[first_zero:begin] = 0.0
        covered = joined_values[begin:end]
        is_known = ~np.isnan(values)
        restored = np.count_nonzero(~is_known & ~np.isnan(covered))
        covered[is_known] = values[is_known]
        return Piece(
            joined_values,
            lead=begin,
            bridged=self._expected(place, saved_end, bridged),
            skipped=skipped,
            restored=int(restored),
            kept_after=steps_behind,
        )

    def _expected(self, place: int, first: int, count: int) -> int:
        """How many steps after the first ones exist in the calendar of the series."""
        if self.panel.calendar is None or not count:
            return count
        times = self.panel.frequency.range(self.panel.starts[place], count, first)
        return int(self.panel.calendar.occurs(times, place).sum())

    def _most_bridged(self, remembered: NDArray) -> int:
        """How many steps may be missing."""
        longest_period = max(self.panel.periods, default=1)
        most_steps = max(BRIDGED_CYCLES * longest_period, BRIDGED_STEPS)
        known_values = np.count_nonzero(~np.isnan(remembered))
        return min(most_steps, int(known_values))


def _is_whole_history(values: NDArray, remembered: NDArray) -> bool:
    """Whether data that begin no later than the saved values are a whole history."""
    if not len(values):
        return True
    shared = min(len(values), len(remembered))
    is_lost = np.isnan(values[:shared]) & ~np.isnan(remembered[:shared])
    return bool(np.count_nonzero(is_lost) <= _PATCHED * shared)


def laid_out(pieces: list[Piece]) -> tuple[NDArray, NDArray]:
    """The values of all pieces, concatenated, and their offsets."""
    values = [piece.values for piece in pieces]
    lengths = np.array([len(series) for series in values])
    return np.concatenate(values), offsets_of(lengths)


def stacked_fields(panels: Sequence[Panel]) -> dict[str, Any]:
    """The fields of a panel with the series of several panels: values, ids, times and kinds.

    Kinds are kept if they were recognised in all of the panels.
    """
    fields: dict[str, Any] = {"kind": panels[0].kind, "recognised": None}
    for name in ("values", "ids", "starts"):
        fields[name] = np.concatenate([getattr(panel, name) for panel in panels])
    lengths = np.concatenate([panel.lengths for panel in panels])
    fields["offsets"] = offsets_of(lengths)
    recognised = [panel.recognised for panel in panels if panel.recognised is not None]
    if len(recognised) == len(panels):
        fields["recognised"] = np.concatenate(recognised)
        fields["kind"] = common_kind(fields["recognised"])
    return fields


def side_by_side(remembered: NDArray, newer: NDArray, piece: Piece) -> NDArray:
    """The values of a covariate at the steps of a joined series."""
    column = np.full(len(piece.values), np.nan)
    column[: len(remembered)] = remembered
    covered = column[piece.lead : piece.lead + len(newer)]
    is_known = ~np.isnan(newer)
    covered[is_known] = newer[is_known]
    return column


def on_lines(values: NDArray, whole_numbers: bool) -> NDArray:
    """Fill missing values by linear interpolation; a series without values is unchanged."""
    return values if np.isnan(values).all() else interpolated(values, whole_numbers)


def steps_are(count: int) -> str:
    return "1 step is" if count == 1 else f"{count:,} steps are"
