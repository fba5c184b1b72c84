"""The cutoffs of a backtest.

Shapes: S series, K cutoffs of each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lstmcast.data.observed import occurring
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import series_numbers
from lstmcast.errors import UsageError
from lstmcast.util.text import are, counted, some_names

# smallest number of known values at a cutoff, if two cycles are too many to require
FEWEST_KNOWN = (8, 4)


def spaced_cutoffs(
    lengths: np.ndarray,
    horizon: int,
    cutoffs: int = 5,
    step: int | None = None,
    minimum: int = 8,
) -> np.ndarray:
    """Counts of known observations at evenly spaced cutoffs (S, K), oldest first; the last leaves
    `horizon` values.

    The longest series determines the spacing: `step`, or a horizon, or less so that `cutoffs` of
    them fit. K is smaller if even adjacent cutoffs do not fit. The count is 0 if a series would
    keep fewer than `minimum` values.

    >>> spaced_cutoffs(np.array([40, 20]), horizon=6, cutoffs=3)
    array([[22, 28, 34],
           [ 0,  8, 14]])
    """
    room = int(np.max(lengths, initial=0)) - horizon - minimum
    if room < 0:
        return np.zeros((len(lengths), 0), np.int64)
    step = step or min(horizon, max(1, room // max(1, cutoffs - 1)))
    number = min(cutoffs, room // step + 1)
    last_cutoffs = np.asarray(lengths)[:, None] - horizon
    steps_before = step * np.arange(number)[::-1]
    counts = last_cutoffs - steps_before
    return np.where(counts >= minimum, counts, 0)


def cutoff_counts(
    panel: Panel, horizon: int, cutoffs: Any, step: int | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    if not isinstance(cutoffs, (int, np.integer)):
        if step is not None:
            raise UsageError(
                f"{step=} has no effect if cutoffs= lists every cutoff. Leave it out."
            )
        return _given_counts(panel, np.asarray(cutoffs)), ()
    if cutoffs < 1 or (step is not None and step < 1):
        raise UsageError(
            f"{cutoffs=} and {step=}: at least one cutoff and a step of at least 1 are expected."
        )
    fewest = (max(2 * int(panel.periods[0]), FEWEST_KNOWN[0]), *FEWEST_KNOWN)
    counts = np.zeros((len(panel), 0), np.int64)
    rows = _Rows.of(panel)
    for minimum in fewest:
        if not counts.any():
            enough = max(1, round(minimum * rows.share))
            counts = spaced_cutoffs(rows.lengths, horizon, int(cutoffs), step, enough)
    return rows.on_grid(counts), _notes(counts, horizon, int(cutoffs), step, panel.ids)


class _Rows(NamedTuple):
    """Steps of series that occur; cutoffs are spaced by them and lie on them.

    places: positions on the grid of each series, counted from 1 · begins (S,): index of the first
    position of each series · lengths (S,): number of positions.
    """

    places: np.ndarray
    begins: np.ndarray
    lengths: np.ndarray
    share: float

    @classmethod
    def of(cls, panel: Panel) -> _Rows:
        rows = np.flatnonzero(occurring(panel))
        series = series_numbers(panel.offsets)[rows]
        lengths = np.bincount(series, minlength=len(panel))
        return cls(
            places=rows - panel.offsets[series] + 1,
            begins=np.cumsum(lengths) - lengths,
            lengths=lengths,
            share=len(rows) / max(1, len(panel.values)),
        )

    def on_grid(self, counts: np.ndarray) -> np.ndarray:
        """Counts of rows (S, K) as counts of grid steps; 0 is unchanged."""
        rows = self.begins[:, None] + np.maximum(counts, 1) - 1
        return np.where(counts > 0, self.places[rows], 0)


def _given_counts(panel: Panel, counts: np.ndarray) -> np.ndarray:
    lengths = panel.lengths[:, None]
    if counts.ndim != 2 or len(counts) != len(panel) or counts.dtype.kind not in "iu":
        raise UsageError(
            f"cutoffs has shape {counts.shape}; a number of cutoffs, or counts of known "
            f"observations of shape ({len(panel)}, K), are expected."
        )
    impossible = np.argwhere((counts < 0) | (counts >= lengths))
    if len(impossible):
        series, column = impossible[0]
        raise UsageError(
            f"series {str(panel.ids[series])!r}: a cutoff after {counts[series, column]} of "
            f"{lengths[series, 0]} values leaves nothing to compare with. Give counts from 1 to "
            "the length minus 1."
        )
    return counts.astype(np.int64)


def _notes(
    counts: np.ndarray, horizon: int, cutoffs: int, step: int | None, ids: np.ndarray
) -> tuple[str, ...]:
    if not counts.any():
        return ()
    possible = counts.shape[1]
    used_S = (counts > 0).sum(1)
    notes = []
    if possible < cutoffs:
        notes.append(f"The history is long enough for {possible} of {cutoffs} cutoffs.")
    if possible > 1 and step is None:
        longest = used_S.argmax()
        spacing = int(np.diff(counts, axis=1)[longest, -1])
        if spacing < horizon:
            notes.append(
                f"The cutoffs are {counted(spacing, 'step')} apart, so the compared "
                "values overlap."
            )
    is_unused = used_S == 0
    if is_unused.any():
        names = some_names(ids[is_unused])
        notes.append(
            f"{is_unused.sum()} of {len(ids)} series {are(is_unused.sum())} too short to hold out "
            f"{horizon} steps: {names}."
        )
    is_partly_used = (used_S > 0) & (used_S < possible)
    if is_partly_used.any():
        notes.append(
            f"{is_partly_used.sum()} of {len(ids)} series {are(is_partly_used.sum())} long enough "
            "for only some of the cutoffs."
        )
    return tuple(notes)
