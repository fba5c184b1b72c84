"""What is known at each origin: windows, carried values and sums of the observations before the
cutoff.

Shapes: O origins, N observations of all series, W window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lstmcast.data.origins import Origins
    from lstmcast.data.panel import Panel


def window(
    panel: Panel, origins: Origins, width: int, values: np.ndarray | None = None
) -> np.ndarray:
    """The last `width` observations before each cutoff, (O, W); NaN on the left where the
    history is shorter."""
    values = panel.values if values is None else values
    steps = origins.counts[:, None] - width + np.arange(width)
    rows = panel.offsets[origins.series][:, None] + np.maximum(steps, 0)
    return np.where(steps >= 0, values[rows], np.nan)


def carried(panel: Panel, lag: int = 1) -> np.ndarray:
    """The values, (N,), with each missing one replaced by the newest known one that lies a multiple
    of `lag` before.

    Nothing comes from later times, so one array serves every cutoff. What has nothing before it
    stays NaN.
    """
    known = np.isfinite(panel.values)
    if known.all():
        return panel.values
    series = np.repeat(np.arange(len(panel)), panel.lengths)
    phase = (np.arange(len(known)) - panel.offsets[series]) % lag
    group = series * lag + phase
    order = np.argsort(group, kind="stable")
    newest = np.maximum.accumulate(np.where(known[order], np.arange(len(known)), 0))
    source = order[newest]
    filled = np.empty(len(known))
    filled[order] = np.where(
        known[source] & (group[source] == group[order]), panel.values[source], np.nan
    )
    return filled


def lowest(panel: Panel, origins: Origins) -> np.ndarray:
    """The lowest known value before each cutoff, (O,); inf where none is known."""
    values = np.append(np.where(np.isfinite(panel.values), panel.values, np.inf), np.inf)
    return np.minimum.reduceat(values, _spans(panel, origins))[::2]


def known_counts(panel: Panel, origins: Origins) -> np.ndarray:
    """How many values before each cutoff are not missing, (O,)."""
    known = np.append(np.isfinite(panel.values), False).astype(np.int64)
    return np.add.reduceat(known, _spans(panel, origins))[::2]


def mean_change(
    panel: Panel, origins: Origins, lag: int, values: np.ndarray, power: int
) -> tuple[np.ndarray, np.ndarray]:
    """The mean of (y[t] − y[t − lag])^power before each cutoff, and over how many known pairs, both
    (O,).

    Power 0 stands for the absolute change. The mean of no pairs is NaN.
    """
    # one more, so that a span may end behind the last value
    change = np.full(len(values) + 1, np.nan)
    change[lag:-1] = values[lag:] - values[: max(0, len(values) - lag)]
    change = np.abs(change) if power == 0 else change**power
    known = np.isfinite(change)
    # earlier ones reach into the series before
    spans = _spans(panel, origins, np.minimum(lag, origins.counts))
    some = origins.counts > lag
    pairs = np.where(some, np.add.reduceat(known.astype(np.int64), spans)[::2], 0)
    total = np.add.reduceat(np.where(known, change, 0.0), spans)[::2]
    return np.where(pairs > 0, total, np.nan) / np.maximum(pairs, 1), pairs


def _spans(panel: Panel, origins: Origins, skipped: np.ndarray | int = 0) -> np.ndarray:
    """First and last bound of each history, interleaved: every second result of `reduceat` is that
    of a history.

    Sums within the history alone stay exact where a running sum over all series would lose the
    digits of small ones.
    """
    starts = panel.offsets[origins.series]
    return np.stack([starts + skipped, starts + origins.counts], axis=1).ravel()
