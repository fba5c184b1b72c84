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

from lstmcast.context import Blocks, Context
from lstmcast.data.origins import Origins, last_known
from lstmcast.data.panel import Panel
from lstmcast.decoding.feeding import (
    PATHS,
    ForecastState,
    Reader,
    answers_from,
    generator_of,
    path_quantiles,
    placed,
)
from lstmcast.model.heads import HEAD_QUANTILES
from lstmcast.model.inputs import Grid
from lstmcast.model.inputs.adaptive import linear_unit, reads_logarithms
from lstmcast.model.inputs.base import positions_of
from lstmcast.model.network import Network
from lstmcast.util.parallel import side_by_side
from lstmcast.util.states import rows_of

# Fewest and most rows read together: matrices large enough that threads need not wait.
BATCH_ROWS = (64, 512)
CHUNK = 128  # steps that inputs and network read at once: few enough for the caches


@dataclass(frozen=True, eq=False)
class OriginBatch:
    """Segments of series to be read from a fresh state, right-aligned, and the origins on their
    way."""

    series: NDArray  # (B,)
    first: NDArray  # (B,) observation to start from
    last: NDArray  # (B,) observation to stop before
    log: bool
    row: NDArray  # of each of the origins below: which segment
    count: NDArray  # its number of known observations
    origin: NDArray  # its place in the result


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
    # Quantiles that are fed back widen by shifting and stretching, which only affine heads bear.
    paths = paths or (horizon > block and network.head.spreads and not network.head.affine)
    result_OHQ = _last_known(panel, origins, horizon)

    def fill(batch: OriginBatch) -> None:
        for here, state in _at_origins(network, panel, batch):
            if paths:
                values = _from_paths(
                    network, panel, batch.series[batch.row[here]], state, horizon, block
                )
            else:
                z_NHKX = answers_from(network, state, horizon, block, None)
                values = network.units(z_NHKX, state.known)[:, :, 0]
            read = state.known.age > 0
            result_OHQ[batch.origin[here[read]]] = values[read]

    context = reader.context or Blocks.of(panel.periods)
    side_by_side(fill, _batches(panel, origins, context, network.head.affine, plain_O))
    return result_OHQ


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
    """Origins of a series that share start and axis are read in one pass; segments of like
    length together."""
    first = context.start(origins.counts)
    log = on_log_axis(panel, origins, first, affine)
    if plain_O is not None:
        log &= ~plain_O
    keys, row = np.unique(np.stack([origins.series, first, log]), axis=1, return_inverse=True)
    last = np.zeros(keys.shape[1], np.int64)
    np.maximum.at(last, row, origins.counts)
    size = int(np.clip(-(-keys.shape[1] // (os.cpu_count() or 1)), *BATCH_ROWS))
    for axis in (False, True):
        chosen = np.flatnonzero(keys[2] == axis)
        chosen = chosen[np.argsort(last[chosen] - keys[1, chosen], kind="stable")]
        start = 0
        while start < len(chosen):
            stop = _batch_end(last[chosen] - keys[1, chosen], start, size)
            segments = chosen[start:stop]
            place = np.full(keys.shape[1], -1)
            place[segments] = np.arange(len(segments))
            origin = np.flatnonzero(place[row] >= 0)
            yield OriginBatch(
                series=keys[0, segments],
                first=keys[1, segments],
                last=last[segments],
                log=axis,
                row=place[row[origin]],
                count=origins.counts[origin],
                origin=origin,
            )
            start = stop


def _batch_end(lengths: NDArray, start: int, size: int) -> int:
    """Segments that are read together: at most twice as long as the first, so that little is
    padding."""
    alike = int(np.searchsorted(lengths, 2 * lengths[start], side="right"))
    return min(start + size, alike)


def on_log_axis(panel: Panel, origins: Origins, first: NDArray, affine: bool) -> NDArray:
    """Whether what an origin has read is read on the log axis (O,)."""
    known = np.append(
        panel.values, np.nan
    )  # one more, so that a span may end behind the last value
    begin = panel.offsets[origins.series]
    spans = np.stack([begin + first, begin + origins.counts], axis=1).ravel()
    low, high = (reduce.reduceat(known, spans)[::2] for reduce in (np.fmin, np.fmax))
    return reads_logarithms(low, high, affine)


def _at_origins(
    network: Network, panel: Panel, batch: OriginBatch
) -> Iterator[tuple[NDArray, ForecastState]]:
    """Read the batch once; wherever origins lie, which they are, and the state of their series
    there."""
    values_BT = _right_aligned(panel, batch)
    length = values_BT.shape[1]
    stop_of_origin = length - (batch.last[batch.row] - batch.count)
    inputs, recurrent = _start(network, panel, batch, values_BT), network.start(len(values_BT))
    done = 0
    for stop in np.union1d(stop_of_origin, _chunk_ends(length)):
        seen, inputs = network.config.inputs.advance(inputs, values_BT[:, done:stop, None])
        hidden, recurrent = network.run(*_by_steps(seen.x_BTC, seen.begun_BT), recurrent)
        here = np.flatnonzero(stop_of_origin == stop)
        if len(here):
            rows = batch.row[here]
            own = rows_of(inputs, rows)
            known = network.config.inputs.known(own)
            hidden_MND = [out_TBD[-1, rows] for out_TBD in hidden]
            x_NC = seen.x_BTC[rows, -1]
            yield here, ForecastState(hidden_MND, x_NC, known, own, rows_of(recurrent, rows))
        done = stop


def _at_every_step(
    network: Network, panel: Panel, batch: OriginBatch
) -> Iterator[tuple[NDArray, ForecastState]]:
    """Read the batch once; in each chunk, which origins lie in it, and what is known there."""
    values_BT = _right_aligned(panel, batch)
    step = values_BT.shape[1] - 1 - (batch.last[batch.row] - batch.count)
    inputs, recurrent = _start(network, panel, batch, values_BT), network.start(len(values_BT))
    done = 0
    for stop in _chunk_ends(values_BT.shape[1]):
        seen, inputs = network.config.inputs.advance(inputs, values_BT[:, done:stop, None])
        hidden, recurrent = network.run(*_by_steps(seen.x_BTC, seen.begun_BT), recurrent)
        here = np.flatnonzero((step >= done) & (step < stop))
        at = batch.row[here], step[here] - done
        here, at = here[seen.known.age[at] > 0], tuple(a[seen.known.age[at] > 0] for a in at)
        known = positions_of(seen.known, *at)
        yield (
            here,
            ForecastState(
                [out_TBD[at[::-1]] for out_TBD in hidden], seen.x_BTC[at], known, None, ()
            ),
        )
        done = stop


def _start(network: Network, panel: Panel, batch: OriginBatch, values_BT: NDArray) -> Any:
    """State of the inputs before the first value of a batch."""
    grid = Grid(
        network.config.steps,
        panel.periods,
        panel.frequency.family,
        np.full(len(values_BT), batch.log),
        np.ones(len(values_BT)) if batch.log else linear_unit(values_BT, network.head.affine),
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
    length = int((batch.last - batch.first).max())
    back = np.arange(length, 0, -1)
    steps = batch.last[:, None] - back
    inside = steps >= batch.first[:, None]
    positions = panel.offsets[batch.series][:, None] + np.where(inside, steps, batch.first[:, None])
    return np.where(inside, panel.values[positions], np.nan)


def _last_known(panel: Panel, origins: Origins, horizon: int) -> NDArray:
    """The newest observation as the forecast, for origins that have nothing to read; NaN where
    none is known."""
    last_O11 = last_known(panel, origins)[:, None, None]
    return np.tile(last_O11, (1, horizon, len(HEAD_QUANTILES)))


def read_every_step(reader: Reader, panel: Panel, origins: Origins) -> NDArray:
    """Quantiles (O, 1, Q) of the observation after each origin: fast where origins are most
    steps."""
    result_OHQ = _last_known(panel, origins, 1)

    def fill(batch: OriginBatch) -> None:
        for here, state in _at_every_step(reader.network, panel, batch):
            z_NHKX = placed(reader.network, state)[:, :1]
            values = reader.network.units(z_NHKX, state.known)
            result_OHQ[batch.origin[here]] = values[:, :, 0]

    context = Blocks.of(panel.periods)
    side_by_side(fill, _batches(panel, origins, context, reader.network.head.affine))
    return result_OHQ
