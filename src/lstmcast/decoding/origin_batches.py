"""Which segments of series are read together, and on which axis each is read.

O origins (series × cutoff) · N positions where forecasts begin · B segments of a batch · T steps
R spans of series
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Context, shortest_season
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.model.inputs.axis import LINEAR, LOG, ROOT, decided, reading_axis
from lstmcast.model.inputs.effects import Effects, effects_of
from lstmcast.model.inputs.periods import may_differ, periods_in_force

# Fewest and most rows read together: matrices large enough that threads need not wait.
BATCH_ROWS = (64, 512)
# Fewest and most values that a thread reads at once, and all threads: each takes several kB.
THREAD_VALUES = (1 << 13, 1 << 15)
ALL_VALUES = 1 << 16
SPANS = 4096  # whose axis is chosen at once
CHUNK = 128  # steps that inputs and network read at once: few enough for the caches


@dataclass(frozen=True, eq=False)
class OriginBatch:
    """Segments of series to be read from a fresh state, right-aligned, and the origins on their
    way."""

    series: NDArray  # (B,)
    first: NDArray  # (B,) observation to start from
    last: NDArray  # (B,) observation to stop before
    axis: int  # on which adaptive inputs read
    periods: tuple[int, ...]  # seasonal ones
    row: NDArray  # of each of the origins below: which segment
    count: NDArray  # its number of known observations
    origin: NDArray  # its place in the result
    effects: Effects | None = None  # that are known in advance

    @property
    def length(self) -> int:
        """T: steps of the longest segment."""
        return int((self.last - self.first).max())

    def known(self, first: int, stop: int, horizon: int) -> NDArray | None:
        """Effects at some steps of the aligned segments, and at the H after each (B, T, 1 + H);
        None where there are none."""
        if self.effects is None:
            return None
        begin_B = self.last - self.length
        steps_BT = begin_B[:, None] + np.arange(first, stop)
        return self.effects.known(self.series, steps_BT, horizon)

    def ahead(self, here: NDArray, steps: int) -> NDArray | None:
        """Effects at so many steps after some of the origins (N, steps); None where there are
        none."""
        if self.effects is None:
            return None
        series_N, newest_N = self.series[self.row[here]], self.count[here] - 1
        known_N1F = self.effects.known(series_N, newest_N[:, None], steps)
        return np.zeros((len(here), steps)) if known_N1F is None else known_N1F[:, 0, 1:]


def batches(
    panel: Panel,
    origins: Origins,
    context: Context,
    affine: bool,
    plain_O: NDArray | None = None,
) -> Iterator[OriginBatch]:
    """Origins of a series that share start, axis and periods are read in one pass; segments of
    like length together."""
    first = context.start(origins.counts)
    if plain_O is None:
        axes_O = reading_axes(panel, origins, first, affine)
        kind = np.stack([axes_O, own_periods(panel, origins, first)])
    else:
        kind = np.stack([np.where(plain_O, LINEAR, LOG), np.zeros_like(first)])
    segments = np.stack([origins.series, first, *kind])
    keys, row = np.unique(segments, axis=1, return_inverse=True)
    last = np.zeros(keys.shape[1], np.int64)
    np.maximum.at(last, row, origins.counts)
    threads = os.cpu_count() or 1
    size = int(np.clip(-(-keys.shape[1] // threads), *BATCH_ROWS))
    values = int(np.clip(ALL_VALUES // threads, *THREAD_VALUES))
    for axis, period in np.unique(keys[2:], axis=1).T.tolist():
        chosen = np.flatnonzero((keys[2] == axis) & (keys[3] == period))
        chosen = chosen[np.argsort(last[chosen] - keys[1, chosen], kind="stable")]
        effects = (
            None
            if axis == ROOT or plain_O is not None
            else effects_of(panel, axis == LOG, keys[0, chosen])
        )
        start = 0
        while start < len(chosen):
            stop = _batch_end(last[chosen] - keys[1, chosen], start, size, values)
            segments = chosen[start:stop]
            place = np.full(keys.shape[1], -1)
            place[segments] = np.arange(len(segments))
            origin = np.flatnonzero(place[row] >= 0)
            yield OriginBatch(
                series=keys[0, segments],
                first=keys[1, segments],
                last=last[segments],
                axis=axis,
                periods=(period,) if period else panel.periods,
                row=place[row[origin]],
                count=origins.counts[origin],
                origin=origin,
                effects=effects,
            )
            start = stop


def _batch_end(lengths: NDArray, start: int, size: int, values: int) -> int:
    """Segments that are read together: at most so many, or so many values at once, and at most
    twice as long as the first, so that little is padding."""
    alike = int(np.searchsorted(lengths, 2 * lengths[start], side="right"))
    stop = min(start + size, alike)
    at_once = min(int(lengths[stop - 1]), CHUNK)
    return min(stop, start + max(values // max(at_once, 1), 1))


def reading_axes(panel: Panel, origins: Origins, first: NDArray, affine: bool) -> NDArray:
    """The axis on which each origin's observations are read (O,)."""
    until = first + decided(origins.counts - first)
    newest = _not_positive(panel, origins)
    until = np.maximum(until, np.minimum(np.where(newest > 0, newest + 1, 0), origins.counts))
    spans, place = np.unique(np.stack([origins.series, first, until]), axis=1, return_inverse=True)
    axes = np.empty(spans.shape[1], np.int64)
    for begin in range(0, len(axes), SPANS):
        series, start, stop = spans[:, begin : begin + SPANS]
        values_RT = spans_of(panel, series, start, stop)
        chosen = reading_axis(values_RT, panel.periods, affine, not panel.declared_real)
        axes[begin : begin + SPANS] = chosen
    return axes[place]


def own_periods(panel: Panel, origins: Origins, first: NDArray) -> NDArray:
    """The period that each origin's observations clearly show, where it is not the usual one (O,);
    else 0."""
    if not may_differ(panel.periods, panel.frequency):
        return np.zeros(len(first), np.int64)
    usual = shortest_season(panel.periods)
    until = first + decided(origins.counts - first)
    keys, place = np.unique(np.stack([origins.series, first, until]), axis=1, return_inverse=True)
    series, start, count = keys

    def values_between(rows: NDArray, begin_R: NDArray, until_R: NDArray) -> NDArray:
        return spans_of(panel, series[rows], begin_R, until_R)

    return periods_in_force(values_between, start, count, usual)[place]


def _not_positive(panel: Panel, origins: Origins) -> NDArray:
    """How many observations there are up to the newest one that has no logarithm (O,)."""
    steps = np.arange(1, len(panel.values) + 1)
    newest = np.maximum.accumulate(np.where(panel.values <= 0, steps, 0))
    begin = panel.offsets[origins.series]
    return np.maximum(np.append(newest, 0)[begin + origins.counts - 1] - begin, 0)


def spans_of(panel: Panel, series: NDArray, first: NDArray, last: NDArray) -> NDArray:
    """Observations of spans of series (R, T), right-aligned, NaN before they begin."""
    length = int((last - first).max())
    back = np.arange(length, 0, -1)
    steps = last[:, None] - back
    inside = steps >= first[:, None]
    positions = panel.offsets[series][:, None] + np.where(inside, steps, first[:, None])
    return np.where(inside, panel.values[positions], np.nan)
