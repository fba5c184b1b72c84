"""From a network and series to quantile forecasts: directly, recursively, or one step ahead of every
observation.

One rule says what a forecast has read, for prediction, backtests and saved states alike: a forecast
that knows n observations of a series starts from a fresh state at observation max(0, n // K − 1) ·
K and reads from there, so between K and 2K of them once the series is that long (K is half of the
longest context, more for long seasons). It reads on the log axis where all these values are
positive and differ by more than a hair, as they are otherwise. Where fewer than SHORTEST of them
are known, the newest one is the forecast.

O origins (series × cutoff) · B segments in a batch · T steps · H horizon · Q quantile levels of
the head
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import block_length, context_start
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.model import encoder as causal
from lstmcast.model.encoder import Reading, ReadingState
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN
from lstmcast.model.inputs.adaptive import from_axis
from lstmcast.model.network import Network
from lstmcast.util.threads import side_by_side

# fewest and most read together: matrices large enough that threads need not wait
BATCH_SERIES = (64, 512)
CHUNK = 128  # steps read at once: few enough for the caches
LARGEST = np.finfo(float).max
FLAT = 0.01  # of the largest value
SHORTEST = 4  # observations; with fewer the last one is the forecast


@dataclass(frozen=True, eq=False)
class Batch:
    """Segments of series to be read from a fresh state, right-aligned, and the origins on their
    way."""

    series: NDArray  # (B,)
    first: NDArray  # (B,) observation to start from
    last: NDArray  # (B,) observation to stop before
    log: bool
    row: NDArray  # of each of the origins below: which segment
    count: NDArray  # its number of known observations
    origin: NDArray  # its place in the result


def decode(
    network: Network, panel: Panel, origins: Origins, horizon: int, *, recursive: bool = False
) -> NDArray:
    """Quantiles (O, horizon, Q) at `heads.HEAD_QUANTILES` in the units of the data.

    The head answers its H steps at once and longer horizons feed its medians back; with `recursive`,
    every single step is fed back.
    """
    result = _last_known(panel, origins, horizon)

    def fill(batch: Batch) -> None:
        values_BT, unit_B = _right_aligned(panel, batch)
        for here, state, reading in _states(network, panel, batch, values_BT):
            answer = causal.answer(network, reading)
            z_NHQ = _feed_back(
                network,
                panel,
                batch.log,
                state,
                answer,
                horizon,
                1 if recursive else answer.shape[1],
            )
            z_NHQ = _newest_where_short(z_NHQ, reading, state.inputs.age_B)
            read = state.inputs.age_B > 0
            result[batch.origin[here[read]]] = _in_units(z_NHQ, batch, unit_B, here)[read]

    side_by_side(fill, _batches(panel, origins))
    return _exact_where_constant(result, panel, origins)


def one_step_ahead(network: Network, panel: Panel, origins: Origins) -> NDArray:
    """Quantiles (O, 1, Q) of the observation after each origin: fast where origins are most
    steps of their series."""
    result = _last_known(panel, origins, 1)

    def fill(batch: Batch) -> None:
        values_BT, unit_B = _right_aligned(panel, batch)
        step = values_BT.shape[1] - 1 - (batch.last[batch.row] - batch.count)
        age = np.cumsum(~np.isnan(values_BT), axis=1)[batch.row, step]
        state = causal.start(network, len(batch.series), panel.periods)
        done = 0
        for stop in _chunk_ends(values_BT.shape[1]):
            part_BT = values_BT[:, done:stop]
            reading, state = causal.read(
                network,
                state,
                part_BT,
                panel.periods,
                panel.frequency.family,
                batch.log,
                every=True,
            )
            here = np.flatnonzero((step >= done) & (step < stop) & (age > 0))
            chosen = reading.rows(batch.row[here] * (stop - done) + step[here] - done)
            z_NHQ = _newest_where_short(causal.answer(network, chosen)[:, :1], chosen, age[here])
            result[batch.origin[here]] = _in_units(z_NHQ, batch, unit_B, here)
            done = stop

    side_by_side(fill, _batches(panel, origins))
    return _exact_where_constant(result, panel, origins)


def _batches(panel: Panel, origins: Origins) -> Iterator[Batch]:
    """Origins of a series that share start and axis are read in one pass; segments of like
    length together."""
    first = context_start(origins.counts, block_length(panel.periods))
    log = _on_log_axis(panel, origins, first)
    keys, row = np.unique(np.stack([origins.series, first, log]), axis=1, return_inverse=True)
    last = np.zeros(keys.shape[1], np.int64)
    np.maximum.at(last, row, origins.counts)
    size = int(np.clip(-(-keys.shape[1] // (os.cpu_count() or 1)), *BATCH_SERIES))
    for axis in (False, True):
        chosen = np.flatnonzero(keys[2] == axis)
        chosen = chosen[np.argsort(last[chosen] - keys[1, chosen], kind="stable")]
        start = 0
        while start < len(chosen):
            stop = _batch_end(last[chosen] - keys[1, chosen], start, size)
            part = chosen[start:stop]
            place = np.full(keys.shape[1], -1)
            place[part] = np.arange(len(part))
            origin = np.flatnonzero(place[row] >= 0)
            yield Batch(
                keys[0, part],
                keys[1, part],
                last[part],
                axis,
                place[row[origin]],
                origins.counts[origin],
                origin,
            )
            start = stop


def _batch_end(lengths: NDArray, start: int, size: int) -> int:
    """Segments that are read together: at most twice as long as the first, so that little is
    padding."""
    alike = int(np.searchsorted(lengths, 2 * lengths[start], side="right"))
    return min(start + size, alike)


def _on_log_axis(panel: Panel, origins: Origins, first: NDArray) -> NDArray:
    """Whether all values that an origin has read are positive, and differ by more than a hair (or
    not at all).

    Where they differ by less than FLAT of their size both axes are the same straight line, but the
    log axis starts from a guess of the changes that drowns such small ones (measured: ten times
    their size in error at 1e-6).
    """
    # one more, so that a span may end behind the last value
    known = np.append(panel.values, np.nan)
    begin = panel.offsets[origins.series]
    spans = np.stack([begin + first, begin + origins.counts], axis=1).ravel()
    low, high = (reduce.reduceat(known, spans)[::2] for reduce in (np.fmin, np.fmax))
    return ~(low <= 0) & ((low == high) | (low < (1 - FLAT) * high))


def _states(
    network: Network, panel: Panel, batch: Batch, values_BT: NDArray
) -> Iterator[tuple[NDArray, ReadingState, Reading]]:
    """Read the batch once; wherever origins lie, which they are, and state and reading of their
    series there."""
    length = values_BT.shape[1]
    stop_of_origin = length - (batch.last[batch.row] - batch.count)
    state = causal.start(network, len(batch.series), panel.periods)
    done = 0
    for stop in np.union1d(stop_of_origin, _chunk_ends(length)):
        reading, state = causal.read(
            network,
            state,
            values_BT[:, done:stop],
            panel.periods,
            panel.frequency.family,
            batch.log,
        )
        here = np.flatnonzero(stop_of_origin == stop)
        if len(here):
            rows = batch.row[here]
            yield here, state.rows(rows), reading.rows(rows)
        done = stop


def _chunk_ends(length: int) -> NDArray:
    """Where to pause in a segment, counted from its end: what is read with it does not move the
    pauses."""
    return np.arange(length % CHUNK or CHUNK, length + 1, CHUNK)


def _right_aligned(panel: Panel, batch: Batch) -> tuple[NDArray, NDArray]:
    """The segments (B, T) and the unit of each, in which they are read.

    On the linear axis that is a power of two near the largest value: squares of any numbers stay
    within range, and no digit changes, so it does not matter that it depends on all of the segment.
    """
    length = int((batch.last - batch.first).max())
    back = np.arange(length, 0, -1)
    steps = batch.last[:, None] - back
    inside = steps >= batch.first[:, None]
    positions = panel.offsets[batch.series][:, None] + np.where(inside, steps, batch.first[:, None])
    values_BT = np.where(inside, panel.values[positions], np.nan)
    if batch.log:
        return values_BT, np.ones(len(values_BT))
    largest = np.abs(np.nan_to_num(values_BT)).max(axis=1)
    unit_B = np.ldexp(1.0, np.frexp(largest)[1] - 1)
    return values_BT / unit_B[:, None], unit_B


def _in_units(z_NHQ: NDArray, batch: Batch, unit_B: NDArray, here: NDArray) -> NDArray:
    """From the reading axis to the units of the data; what would be larger than any number is
    the largest number."""
    with np.errstate(over="ignore"):
        values = from_axis(z_NHQ, batch.log) * unit_B[batch.row[here], None, None]
    return np.clip(values, -LARGEST, LARGEST)


def _feed_back(
    network: Network,
    panel: Panel,
    log: bool,
    state: ReadingState,
    answer: NDArray,
    horizon: int,
    block: int,
) -> NDArray:
    """Blocks of answers, each after the medians of the one before were read.

    Errors of the blocks add up as independent ones.
    """
    blocks = [answer[:, :block]]
    done = answer[:, :block].shape[1]
    while done < horizon:
        medians = from_axis(blocks[-1][:, :, MEDIAN], log)
        reading, state = causal.read(
            network, state, medians, panel.periods, panel.frequency.family, log
        )
        answer = causal.answer(network, reading)[:, :block]
        median = answer[:, :, MEDIAN : MEDIAN + 1]
        before = (blocks[-1] - blocks[-1][:, :, MEDIAN : MEDIAN + 1])[:, -1:]
        spread = np.sqrt((answer - median) ** 2 + before**2)
        blocks.append(median + np.sign(np.array(HEAD_QUANTILES) - 0.5) * spread)
        done += answer.shape[1]
    return np.concatenate(blocks, axis=1)[:, :horizon]


def _newest_where_short(z_NHQ: NDArray, reading: Reading, age_N: NDArray) -> NDArray:
    """Quantiles moved onto the newest observation where fewer than SHORTEST were read."""
    # so few have no season
    moved = z_NHQ - z_NHQ[:, :, MEDIAN : MEDIAN + 1] + reading.level_N[:, None, None]
    return np.where(age_N[:, None, None] < SHORTEST, moved, z_NHQ)


def _exact_where_constant(quantiles_OHQ: NDArray, panel: Panel, origins: Origins) -> NDArray:
    """Forecasts that have read one value only are moved onto it; their intervals keep their
    width."""
    begin = panel.offsets[origins.series]
    end = begin + origins.counts
    known = np.flatnonzero(~np.isnan(panel.values))
    values = panel.values[known]
    changes = known[1:][values[1:] != values[:-1]]
    first = np.searchsorted(
        known, begin + context_start(origins.counts, block_length(panel.periods))
    )
    first = np.append(known, len(panel.values))[first]
    newest = np.append(-1, changes)[np.searchsorted(changes, end)]
    constant = (first < end) & (newest <= first)
    value = panel.values[first[constant], None]
    quantiles_OHQ[constant] += (value - quantiles_OHQ[constant, :, MEDIAN])[:, :, None]
    quantiles_OHQ[constant, :, MEDIAN] = value
    return quantiles_OHQ


def _last_known(panel: Panel, origins: Origins, horizon: int) -> NDArray:
    """The newest observation as the forecast, for origins that have nothing to read; NaN where
    none is known."""
    steps = np.where(np.isnan(panel.values), -1, np.arange(len(panel.values)))
    begin = panel.offsets[origins.series]
    newest = np.maximum.accumulate(steps)[begin + origins.counts - 1]
    last = np.where(newest >= begin, panel.values[np.maximum(newest, 0)], np.nan)
    return np.broadcast_to(last[:, None, None], (len(last), horizon, len(HEAD_QUANTILES))).copy()
