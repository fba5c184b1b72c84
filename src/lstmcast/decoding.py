"""From a network and series to quantile forecasts: directly, freely, or one step ahead of every observation.

One rule says what a forecast has read, for prediction, backtests and saved states alike: a forecast that knows n
observations of a series starts from a fresh state at observation max(0, n // K − 1) · K and reads from there, so
between K and 2K of them once the series is that long (K is half of the longest context, more for long seasons). It
reads on the log axis where all these values are positive, as they are otherwise.

O origins (series × cutoff) · B stretches in a batch · T steps · H horizon · Q quantile levels of the head
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.forecast import Origins
from lstmcast.model.heads import LEVELS, MEDIAN
from lstmcast.model.inputs import CONTEXT, from_axis
from lstmcast.model.network import Network, Reading, ReadingState

BATCH_VALUES = 32_768  # steps × series read together: few enough for the caches
SHORTEST = 4  # observations; with fewer the last one is the forecast


@dataclass(frozen=True, eq=False)
class Batch:
    """Stretches of series to be read from a fresh state, right-aligned, and the origins on their way."""

    series: NDArray  # (B,)
    first: NDArray  # (B,) observation to start from
    last: NDArray  # (B,) observation to stop before
    log: bool
    row: NDArray  # of each of the origins below: which stretch
    count: NDArray  # its number of known observations
    origin: NDArray  # its place in the result


def block_length(periods: tuple[int, ...]) -> int:
    """K: a forecast has read between K and 2K observations, once there are that many."""
    return max(CONTEXT // 2, 3 * max(periods, default=1))


def context_start(counts: NDArray, block: int) -> NDArray:
    """The observation from which a forecast that knows `counts` observations has read."""
    return np.maximum(counts // block - 1, 0) * block


def decode(network: Network, panel: Panel, origins: Origins, horizon: int, *, free: bool = False) -> NDArray:
    """Quantiles (O, horizon, Q) at `heads.LEVELS` in the units of the data.

    The head answers its H steps at once and longer horizons feed its medians back; with `free`, every single step is
    fed back.
    """
    result = np.full((len(origins.series), horizon, len(LEVELS)), np.nan)
    for batch in _batches(panel, origins):
        for rows, state, reading in _states(network, panel, batch):
            answer = network.answer(reading)
            z_NHQ = _feed_back(network, panel, batch.log, state, answer, horizon, 1 if free else answer.shape[1])
            result[batch.origin[rows]] = from_axis(z_NHQ, batch.log)
    return _naive_where_short(panel, origins, result)


def one_step_ahead(network: Network, panel: Panel, origins: Origins) -> NDArray:
    """Quantiles (O, 1, Q) of the observation after each origin: fast where origins are most steps of their series."""
    result = np.full((len(origins.series), 1, len(LEVELS)), np.nan)
    for batch in _batches(panel, origins):
        values_BT = _right_aligned(panel, batch)
        state = network.start(len(batch.series), panel.periods)
        reading, _ = network.read(state, values_BT, panel.periods, panel.frequency.family, batch.log, every=True)
        step = values_BT.shape[1] - 1 - (batch.last[batch.row] - batch.count)
        chosen = reading.rows(batch.row * values_BT.shape[1] + step)
        result[batch.origin] = from_axis(network.answer(chosen)[:, :1], batch.log)
    return _naive_where_short(panel, origins, result)


def _batches(panel: Panel, origins: Origins) -> Iterator[Batch]:
    """Origins of a series that share start and axis are read in one pass; stretches of like length together."""
    first = context_start(origins.counts, block_length(panel.periods))
    log = _on_log_axis(panel, origins, first)
    keys, row = np.unique(np.stack([origins.series, first, log]), axis=1, return_inverse=True)
    last = np.zeros(keys.shape[1], np.int64)
    np.maximum.at(last, row, origins.counts)
    for axis in (False, True):
        chosen = np.flatnonzero(keys[2] == axis)
        chosen = chosen[np.argsort(last[chosen] - keys[1, chosen], kind="stable")]
        start = 0
        while start < len(chosen):
            stop = _batch_end(last[chosen] - keys[1, chosen], start)
            part = chosen[start:stop]
            place = np.full(keys.shape[1], -1)
            place[part] = np.arange(len(part))
            origin = np.flatnonzero(place[row] >= 0)
            yield Batch(
                keys[0, part], keys[1, part], last[part], axis, place[row[origin]], origins.counts[origin], origin
            )
            start = stop


def _batch_end(lengths: NDArray, start: int) -> int:
    """As many stretches as fit; lengths ascend, so the last one decides."""
    sizes = lengths[start:] * np.arange(1, len(lengths) - start + 1)
    return start + max(1, int(np.searchsorted(sizes, BATCH_VALUES, side="right")))


def _on_log_axis(panel: Panel, origins: Origins, first: NDArray) -> NDArray:
    """Whether all values that an origin has read are positive."""
    not_positive = np.concatenate([[0], np.cumsum(panel.values <= 0)])  # NaN <= 0 is false
    begin = panel.offsets[origins.series]
    return not_positive[begin + origins.counts] == not_positive[begin + first]


def _states(network: Network, panel: Panel, batch: Batch) -> Iterator[tuple[NDArray, ReadingState, Reading]]:
    """Read the batch once; wherever origins lie, which they are, and state and reading of their series there."""
    values_BT = _right_aligned(panel, batch)
    distance = batch.last[batch.row] - batch.count  # steps before the end of the stretch
    state = network.start(len(batch.series), panel.periods)
    done = 0
    for stop in np.unique(values_BT.shape[1] - distance):
        reading, state = network.read(state, values_BT[:, done:stop], panel.periods, panel.frequency.family, batch.log)
        here = np.flatnonzero(values_BT.shape[1] - distance == stop)
        rows = batch.row[here]
        yield here, state.rows(rows), reading.rows(rows)
        done = stop


def _right_aligned(panel: Panel, batch: Batch) -> NDArray:
    length = int((batch.last - batch.first).max())
    back = np.arange(length, 0, -1)
    steps = batch.last[:, None] - back
    inside = steps >= batch.first[:, None]
    positions = panel.offsets[batch.series][:, None] + np.where(inside, steps, batch.first[:, None])
    return np.where(inside, panel.values[positions], np.nan)


def _feed_back(
    network: Network, panel: Panel, log: bool, state: ReadingState, answer: NDArray, horizon: int, block: int
) -> NDArray:
    """Blocks of answers, each after the medians of the one before were read.

    Errors of the blocks add up as independent ones.
    """
    blocks = [answer[:, :block]]
    done = answer[:, :block].shape[1]
    while done < horizon:
        medians = from_axis(blocks[-1][:, :, MEDIAN], log)
        reading, state = network.read(state, medians, panel.periods, panel.frequency.family, log)
        answer = network.answer(reading)[:, :block]
        median = answer[:, :, MEDIAN : MEDIAN + 1]
        before = (blocks[-1] - blocks[-1][:, :, MEDIAN : MEDIAN + 1])[:, -1:]
        spread = np.sqrt((answer - median) ** 2 + before**2)
        blocks.append(median + np.sign(np.array(LEVELS) - 0.5) * spread)
        done += answer.shape[1]
    return np.concatenate(blocks, axis=1)[:, :horizon]


def _naive_where_short(panel: Panel, origins: Origins, quantiles: NDArray) -> NDArray:
    """Fewer than SHORTEST observations say nothing but the last one: quantiles are moved onto it."""
    known = np.concatenate([[0], np.cumsum(~np.isnan(panel.values))])
    begin = panel.offsets[origins.series]
    short = known[begin + origins.counts] - known[begin] < SHORTEST
    if not short.any():
        return quantiles
    last = _last_known(panel, origins)
    moved = _around_last(quantiles, last[:, None])
    return np.where(short[:, None, None], moved, quantiles)


def _around_last(quantiles: NDArray, last: NDArray) -> NDArray:
    return quantiles - quantiles[..., MEDIAN : MEDIAN + 1] + last[..., None]


def _last_known(panel: Panel, origins: Origins) -> NDArray:
    """The newest observation of each origin that is not missing; NaN where there is none."""
    steps = np.where(np.isnan(panel.values), -1, np.arange(len(panel.values)))
    begin = panel.offsets[origins.series]
    newest = np.maximum.accumulate(steps)[begin + origins.counts - 1]
    return np.where(newest >= begin, panel.values[np.maximum(newest, 0)], np.nan)
