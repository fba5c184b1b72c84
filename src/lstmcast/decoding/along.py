"""Decoding with inputs that start where the network does: both read a segment together, block by
block.

O origins (series × cutoff) · N positions where forecasts begin · B segments of a batch · T steps
C input channels · M members · D units · H horizon · Q quantiles of the head
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Blocks, Context, shortest_season
from lstmcast.data.origins import Origins, last_known, needed
from lstmcast.data.panel import Panel
from lstmcast.decoding.feeding import (
    PATHS,
    ForecastState,
    Reader,
    answers_from,
    generator_of,
    path_quantiles,
    placed,
    stretched,
)
from lstmcast.decoding.intermittent import NEWEST, with_own_past
from lstmcast.model.heads import HEAD_QUANTILES
from lstmcast.model.inputs import Grid
from lstmcast.model.inputs.adaptivestate import with_effects_ahead
from lstmcast.model.inputs.axis import LINEAR, LOG, ROOT, decided, reading_axis, units_of
from lstmcast.model.inputs.base import positions_of
from lstmcast.model.inputs.effects import Effects, effects_of
from lstmcast.model.inputs.periods import may_differ, periods_in_force
from lstmcast.model.network import Network
from lstmcast.model.static import beside, codes_of
from lstmcast.util.parallel import side_by_side
from lstmcast.util.states import rows_of

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

    def known(self, first: int, stop: int, horizon: int) -> NDArray | None:
        """Effects at some steps of the aligned segments, and at the H after each (B, T, 1 + H);
        None where there are none."""
        if self.effects is None:
            return None
        begin_B = self.last - int((self.last - self.first).max())
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


def read_along(
    reader: Reader,
    panel: Panel,
    origins: Origins,
    horizon: int,
    block: int,
    paths: bool,
    plain_O: NDArray | None = None,
) -> NDArray:
    """`decode` for inputs whose state begins with the context; `plain_O` names the origins that
    are read as they are, whatever axis they would have."""
    network = reader.network
    panel, origins = needed(panel, origins)
    # Quantiles that are fed back widen by shifting and stretching, which only affine heads bear.
    paths = paths or (horizon > block and network.head.spreads and not network.head.affine)
    result_OHQ = _last_known(panel, origins, horizon)

    def fill(batch: OriginBatch) -> None:
        for here, state in _at_origins(network, panel, batch, horizon if horizon > block else 0):
            if paths:
                values = _from_paths(
                    network, panel, batch.series[batch.row[here]], state, horizon, block
                )
            else:
                z_NHKX = answers_from(network, state, horizon, block, None)
                values = _units(network, panel, batch, here, z_NHKX, state)
            read = state.known.age > 0
            result_OHQ[batch.origin[here[read]]] = values[read]

    context = reader.context or Blocks.of(panel.periods)
    side_by_side(fill, _batches(panel, origins, context, network.head.affine, plain_O))
    return result_OHQ


def _units(
    network: Network,
    panel: Panel,
    batch: OriginBatch,
    here: NDArray,
    z_NHKX: NDArray,
    state: ForecastState,
) -> NDArray:
    """Answers (N, H, X) in the units of the data, with what was read last in view."""
    values_NHX = network.units(z_NHKX, state.known)[:, :, 0]
    if batch.axis != ROOT:
        return values_NHX
    row, count = batch.row[here], batch.count[here]
    first = np.maximum(batch.first[row], count - NEWEST)
    newest_NW = _spans(panel, batch.series[row], first, count)
    season = shortest_season(batch.periods) or 1
    return with_own_past(values_NHX, newest_NW, np.ones(len(here), bool), season)


def _from_paths(
    network: Network,
    panel: Panel,
    series_N: NDArray,
    state: ForecastState,
    horizon: int,
    block: int,
) -> NDArray:
    """Quantiles (N, horizon, Q) of sample paths from each position; draws follow from the series
    alone."""
    result = np.empty((len(series_N), horizon, len(HEAD_QUANTILES)))
    for n, series in enumerate(series_N):
        copies = np.full(PATHS, n)
        own = _copied(state, copies)
        rng = generator_of(panel.ids[[series]])
        z_NHKX = answers_from(network, own, horizon, block, rng)
        paths = network.units(z_NHKX, own.known)[:, :, 0, 0]
        result[n] = path_quantiles(network, paths, 0).T
    return result


def _copied(state: ForecastState, rows: NDArray) -> ForecastState:
    """Some of the positions, each as often as it is named."""
    hidden = [hidden_ND[rows] for hidden_ND in state.hidden_MND]
    known, inputs, recurrent = (rows_of(part, rows) for part in state[2:5])
    return ForecastState(hidden, state.x_NC[rows], known, inputs, recurrent)


def _batches(
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
        values_RT = _spans(panel, series, start, stop)
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
        return _spans(panel, series[rows], begin_R, until_R)

    return periods_in_force(values_between, start, count, usual)[place]


def _not_positive(panel: Panel, origins: Origins) -> NDArray:
    """How many observations there are up to the newest one that has no logarithm (O,)."""
    steps = np.arange(1, len(panel.values) + 1)
    newest = np.maximum.accumulate(np.where(panel.values <= 0, steps, 0))
    begin = panel.offsets[origins.series]
    return np.maximum(np.append(newest, 0)[begin + origins.counts - 1] - begin, 0)


def _at_origins(
    network: Network, panel: Panel, batch: OriginBatch, fed: int
) -> Iterator[tuple[NDArray, ForecastState]]:
    """Read the batch once; wherever origins lie, which they are, and the state of their series
    there, from which answers of so many steps can be `fed` back."""
    values_BT = _right_aligned(panel, batch)
    length = values_BT.shape[1]
    stop_of_origin = length - (batch.last[batch.row] - batch.count)
    inputs, recurrent = _start(network, panel, batch, values_BT), network.start(len(values_BT))
    codes_BP = codes_of(network.config.static, panel, batch.series)
    done = 0
    for stop in np.union1d(stop_of_origin, _chunk_ends(length)):
        known_BTF = batch.known(done, stop, network.config.steps)
        seen, inputs = network.config.inputs.advance(
            inputs, values_BT[:, done:stop, None], known_BTF
        )
        seen = seen._replace(x_BTC=beside(seen.x_BTC, codes_BP))
        hidden, recurrent = network.run(*_by_steps(seen.x_BTC, seen.begun_BT), recurrent)
        here = np.flatnonzero(stop_of_origin == stop)
        if len(here):
            rows = batch.row[here]
            own = rows_of(inputs, rows)
            ahead_NF = batch.ahead(here, fed + network.config.steps) if fed else None
            if ahead_NF is not None:
                own = with_effects_ahead(own, ahead_NF)
            known = network.config.inputs.known(own)
            hidden_MND = [out_TBD[-1, rows] for out_TBD in hidden]
            x_NC = seen.x_BTC[rows, -1]
            yield here, ForecastState(hidden_MND, x_NC, known, own, rows_of(recurrent, rows))
        del seen, hidden  # before the next ones are made
        done = stop


def _at_every_step(
    network: Network, panel: Panel, batch: OriginBatch
) -> Iterator[tuple[NDArray, ForecastState]]:
    """Read the batch once; in each chunk, which origins lie in it, and what is known there."""
    values_BT = _right_aligned(panel, batch)
    step = values_BT.shape[1] - 1 - (batch.last[batch.row] - batch.count)
    inputs, recurrent = _start(network, panel, batch, values_BT), network.start(len(values_BT))
    codes_BP = codes_of(network.config.static, panel, batch.series)
    done = 0
    for stop in _chunk_ends(values_BT.shape[1]):
        known_BTF = batch.known(done, stop, network.config.steps)
        seen, inputs = network.config.inputs.advance(
            inputs, values_BT[:, done:stop, None], known_BTF
        )
        seen = seen._replace(x_BTC=beside(seen.x_BTC, codes_BP))
        hidden, recurrent = network.run(*_by_steps(seen.x_BTC, seen.begun_BT), recurrent)
        here = np.flatnonzero((step >= done) & (step < stop))
        at = batch.row[here], step[here] - done
        here, at = here[seen.known.age[at] > 0], tuple(a[seen.known.age[at] > 0] for a in at)
        known = positions_of(seen.known, *at)
        if len(here):  # a chunk before the first origin has none
            hidden_MND = [out_TBD[at[::-1]] for out_TBD in hidden]
            yield here, ForecastState(hidden_MND, seen.x_BTC[at], known, None, ())
        del seen, hidden  # before the next ones are made
        done = stop


def _start(network: Network, panel: Panel, batch: OriginBatch, values_BT: NDArray) -> Any:
    """State of the inputs before the first value of a batch."""
    axes_B = np.full(len(values_BT), batch.axis)
    grid = Grid(
        network.config.steps,
        batch.periods,
        panel.frequency.family,
        axes_B == LOG,
        axes_B == ROOT,
        units_of(values_BT, axes_B, network.head.affine),
    )
    return network.config.inputs.start(grid, len(values_BT))


def _by_steps(x_BTC: NDArray, begun_BT: NDArray) -> tuple[NDArray, NDArray]:
    return np.ascontiguousarray(x_BTC.transpose(1, 0, 2)), begun_BT.T


def _chunk_ends(length: int) -> NDArray:
    """Where to pause in a segment, counted from its end: what is read with it does not move the
    pauses."""
    return np.arange(length % CHUNK or CHUNK, length + 1, CHUNK)


def _right_aligned(panel: Panel, batch: OriginBatch) -> NDArray:
    """The segments (B, T), NaN before they begin."""
    return _spans(panel, batch.series, batch.first, batch.last)


def _spans(panel: Panel, series: NDArray, first: NDArray, last: NDArray) -> NDArray:
    """Observations of spans of series (R, T), right-aligned, NaN before they begin."""
    length = int((last - first).max())
    back = np.arange(length, 0, -1)
    steps = last[:, None] - back
    inside = steps >= first[:, None]
    positions = panel.offsets[series][:, None] + np.where(inside, steps, first[:, None])
    return np.where(inside, panel.values[positions], np.nan)


def _last_known(panel: Panel, origins: Origins, horizon: int) -> NDArray:
    """The newest observation as the forecast, for origins that have nothing to read; NaN where
    none is known."""
    last_O11 = last_known(panel, origins)[:, None, None]
    return np.tile(last_O11, (1, horizon, len(HEAD_QUANTILES)))


def read_every_step(
    reader: Reader, panel: Panel, origins: Origins, steps: tuple[int, ...] = (1,)
) -> NDArray:
    """Quantiles (O, len(steps), Q) of the observation after each origin, or so many steps after
    it: fast where origins are most steps."""
    result_OHQ = _last_known(panel, origins, len(steps))
    chosen = np.array(steps) - 1

    def fill(batch: OriginBatch) -> None:
        for here, state in _at_every_step(reader.network, panel, batch):
            width_NH = reader.network.config.inputs.widths_of(state.known)
            z_NHKX = stretched(placed(reader.network, state), width_NH)[:, chosen]
            values = _units(reader.network, panel, batch, here, z_NHKX, state)
            result_OHQ[batch.origin[here]] = values

    context = Blocks.of(panel.periods)
    side_by_side(fill, _batches(panel, origins, context, reader.network.head.affine))
    return result_OHQ
