"""Batches of segments of series that are read together, with their axes.

O origins (series × cutoff) · N positions where forecasts begin · B segments of a batch · T steps
R spans of series
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

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
    stop: NDArray  # (B,) observation to stop before
    axis: int  # on which adaptive inputs read
    periods: tuple[int, ...]  # seasonal ones
    row: NDArray  # of each of the origins below: which segment
    count: NDArray  # its number of known observations
    origin: NDArray  # its place in the result
    effects: Effects | None = None  # that are known in advance

    @property
    def length(self) -> int:
        """T: steps of the longest segment."""
        return int((self.stop - self.first).max())

    def known(self, first: int, stop: int, horizon: int) -> NDArray | None:
        """Effects at some steps of the aligned segments, and at the H after each (B, T, 1 + H);
        None where there are none."""
        if self.effects is None:
            return None
        begin_B = self.stop - self.length
        steps_BT = begin_B[:, None] + np.arange(first, stop)
        return self.effects.known(self.series, steps_BT, horizon)

    def ahead(self, index_N: NDArray, steps: int) -> NDArray | None:
        """Effects at so many steps after some of the origins (N, steps); None where there are
        none."""
        if self.effects is None:
            return None
        series_N = self.series[self.row[index_N]]
        newest_N = self.count[index_N] - 1
        known_N1F = self.effects.known(series_N, newest_N[:, None], steps)
        if known_N1F is None:
            return np.zeros((len(index_N), steps))
        return known_N1F[:, 0, 1:]


def batches(
    panel: Panel,
    origins: Origins,
    context: Context,
    affine: bool,
    plain_O: NDArray | None = None,
) -> Iterator[OriginBatch]:
    """Origins of a series that share start, axis and periods are read in one pass; segments of
    like length together."""
    first_O = context.start(origins.counts)
    if plain_O is None:
        axis_O = reading_axes(panel, origins, first_O, affine)
        period_O = own_periods(panel, origins, first_O)
    else:
        axis_O = np.where(plain_O, LINEAR, LOG)
        period_O = np.zeros_like(first_O)
    segments = Segments.of(origins, first_O, axis_O, period_O)
    for axis, period in segments.kinds():
        rows = segments.rows_of(axis, period)
        effects = None
        if axis != ROOT and plain_O is None:
            effects = effects_of(panel, axis == LOG, segments.series[rows])
        periods = (period,) if period else panel.periods
        for batch_rows in segments.together(rows):
            place = np.full(len(segments.series), -1)
            place[batch_rows] = np.arange(len(batch_rows))
            place_O = place[segments.row_O]
            origin = np.flatnonzero(place_O >= 0)
            yield OriginBatch(
                series=segments.series[batch_rows],
                first=segments.first[batch_rows],
                stop=segments.stop[batch_rows],
                axis=axis,
                periods=periods,
                row=place_O[origin],
                count=origins.counts[origin],
                origin=origin,
                effects=effects,
            )


class Segments(NamedTuple):
    """Different segments of series, and which of them each origin belongs to."""

    series: NDArray
    first: NDArray  # observation to start from
    stop: NDArray  # observation to stop before
    axis: NDArray
    period: NDArray
    row_O: NDArray

    @classmethod
    def of(
        cls, origins: Origins, first_O: NDArray, axis_O: NDArray, period_O: NDArray
    ) -> Segments:
        """One for the origins that share series, start, axis and period."""
        keys_O = np.stack([origins.series, first_O, axis_O, period_O])
        keys, row_O = np.unique(keys_O, axis=1, return_inverse=True)
        series, first, axis, period = keys
        stop = np.zeros(len(series), np.int64)
        np.maximum.at(stop, row_O, origins.counts)
        return cls(series, first, stop, axis, period, row_O)

    def kinds(self) -> list[tuple[int, int]]:
        """Each axis with each period that occurs with it."""
        pairs = np.stack([self.axis, self.period])
        return [(axis, period) for axis, period in np.unique(pairs, axis=1).T.tolist()]

    def rows_of(self, axis: int, period: int) -> NDArray:
        """The segments of one kind, short ones first."""
        is_kind = (self.axis == axis) & (self.period == period)
        rows = np.flatnonzero(is_kind)
        length = self.stop[rows] - self.first[rows]
        return rows[np.argsort(length, kind="stable")]

    def together(self, rows: NDArray) -> Iterator[NDArray]:
        """Segments that are read together, of some that are in order of their length."""
        threads = os.cpu_count() or 1
        size = int(np.clip(-(-len(self.series) // threads), *BATCH_ROWS))
        values = int(np.clip(ALL_VALUES // threads, *THREAD_VALUES))
        length = self.stop[rows] - self.first[rows]
        start = 0
        while start < len(rows):
            stop = _batch_end(length, start, size, values)
            yield rows[start:stop]
            start = stop


def _batch_end(lengths: NDArray, start: int, size: int, values: int) -> int:
    """Segments that are read together: at most so many, or so many values at once, and at most
    twice as long as the first, so that little is padding."""
    alike = int(np.searchsorted(lengths, 2 * lengths[start], side="right"))
    stop = min(start + size, alike)
    steps_at_once = min(int(lengths[stop - 1]), CHUNK)
    rows_at_once = max(values // max(steps_at_once, 1), 1)
    return min(stop, start + rows_at_once)


def reading_axes(
    panel: Panel, origins: Origins, first: NDArray, affine: bool
) -> NDArray:
    """The axis on which each origin's observations are read (O,)."""
    until = first + decided(origins.counts - first)
    newest = _not_positive(panel, origins)
    after_newest = np.where(newest > 0, newest + 1, 0)
    until = np.maximum(until, np.minimum(after_newest, origins.counts))
    keys = np.stack([origins.series, first, until])
    spans, place = np.unique(keys, axis=1, return_inverse=True)
    axes = np.empty(spans.shape[1], np.int64)
    for begin in range(0, len(axes), SPANS):
        rows = slice(begin, begin + SPANS)
        series, start, stop = spans[:, rows]
        values_RT = spans_of(panel, series, start, stop)
        axes[rows] = reading_axis(
            values_RT, panel.periods, affine, not panel.declared_real
        )
    return axes[place]


def own_periods(panel: Panel, origins: Origins, first: NDArray) -> NDArray:
    """The period that each origin's observations clearly show, where it is not the usual one (O,);
    else 0."""
    if not may_differ(panel.periods, panel.frequency):
        return np.zeros(len(first), np.int64)
    until = first + decided(origins.counts - first)
    keys = np.stack([origins.series, first, until])
    spans, place = np.unique(keys, axis=1, return_inverse=True)
    series, start, count = spans

    def values_between(rows: NDArray, begin_R: NDArray, until_R: NDArray) -> NDArray:
        return spans_of(panel, series[rows], begin_R, until_R)

    usual_period = shortest_season(panel.periods)
    periods = periods_in_force(values_between, start, count, usual_period)
    return periods[place]


def _not_positive(panel: Panel, origins: Origins) -> NDArray:
    """How many observations there are up to the newest one that has no logarithm (O,)."""
    steps_N = np.arange(1, len(panel.values) + 1)
    newest_N = np.maximum.accumulate(np.where(panel.values <= 0, steps_N, 0))
    newest_N = np.append(newest_N, 0)
    begin_O = panel.offsets[origins.series]
    newest_O = newest_N[begin_O + origins.counts - 1]
    return np.maximum(newest_O - begin_O, 0)


def spans_of(panel: Panel, series: NDArray, first: NDArray, stop: NDArray) -> NDArray:
    """Observations of spans of series (R, T), right-aligned, NaN before they begin."""
    length = int((stop - first).max())
    first_R1 = first[:, None]
    steps_RT = stop[:, None] - np.arange(length, 0, -1)
    has_begun_RT = steps_RT >= first_R1
    positions_RT = panel.offsets[series][:, None] + np.where(
        has_begun_RT, steps_RT, first_R1
    )
    return np.where(has_begun_RT, panel.values[positions_RT], np.nan)
