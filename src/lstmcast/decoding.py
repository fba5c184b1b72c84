"""From a network and series to quantile forecasts: directly, recursively, or one step ahead of every observation.

What a forecast has read follows from its context (`context`), for prediction, backtests and saved
models alike. Inputs that start where the network does (adaptive ones) are read along with it, block
by block; others are made of the whole series, of which the network then reads its context.

    O origins (series × cutoff) · N positions where forecasts begin · B rows of a batch · T steps
    K columns of a row · C input channels · M members · D units · H horizon
    Q quantiles of the head · X quantiles, one point, or one draw of each sample path
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Blocks, Context, Newest, Whole
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.forecast import Origins
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN, SCORES, spreads
from lstmcast.model.inputs import Adaptive, FittedTransforms, Grid, Transformed
from lstmcast.model.inputs.adaptive import linear_unit, reads_logarithms
from lstmcast.model.inputs.base import positions_of, rows_of
from lstmcast.model.inputs.transformed import TransformedKnown, TransformedState
from lstmcast.model.lstm import State
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.util.threads import side_by_side

# Fewest and most rows read together: matrices large enough that threads need not wait.
BATCH_ROWS = (64, 512)
BATCH_POSITIONS = 256  # that are read together, each with a context of its own
CHUNK = 128  # steps that adaptive inputs and network read at once: few enough for the caches
LONG_CHUNK = 256  # steps that the network reads at once of inputs that are there already
PATHS = 400  # sample paths, where quantiles cannot be had directly
MOST_VALUES = 4_000_000  # read at once for origins whose transforms are fitted anew

Feed = Literal["median", "paths"]


@dataclass(frozen=True, eq=False)
class Reader:
    """A network, what its inputs learned, and how much of a series it reads.

    Args:
        network: the network.
        fitted: what its transforms learned; None where nothing was fitted: then they are fitted on
            what is known of each series.
        context: what a forecast has read; the inputs' own unless given.
        changes: the mean absolute change of each series, by its id, as far as it was measured before.
    """

    network: Network
    fitted: FittedTransforms | None = None
    context: Context | None = None
    changes: Mapping[str, float] = field(default_factory=dict)


class Reading(NamedTuple):
    """What the network knows at N positions: enough to answer and to go on, without the history."""

    hidden_MND: list[NDArray]
    x_NC: NDArray
    known: Any  # of the way back, by the inputs
    inputs: Any  # state of the inputs, a row per position
    recurrent: tuple[State, ...]
    # The newest steps, where a context is read anew for every step that is fed back (T, N, C), (T, N).
    window: tuple[NDArray, NDArray] | None = None


def decode(
    reader: Reader,
    panel: Panel,
    origins: Origins,
    horizon: int,
    *,
    recursive: bool = False,
    feed: Feed | None = None,
) -> NDArray:
    """Quantiles (O, horizon, Q) at `heads.HEAD_QUANTILES` in the units of the data.

    The head answers its H steps at once and longer horizons feed them back; with `recursive`, every
    single step is fed back. What is fed back are medians, whose errors add up as independent ones,
    or draws of sample paths; `feed` says which, else the inputs do. Heads without a distribution
    give the point with spreads of a random walk of the series' own changes, to be calibrated.

    Raises:
        UsageError: where quantiles would have to be added up.
        DataError: where columns that are read together do not share their times.
    """
    block = 1 if recursive else reader.network.config.steps
    if isinstance(reader.network.config.inputs, Adaptive):
        return _read_along(reader, panel, origins, horizon, block, feed or "median")
    result_OHQ = np.empty((len(origins.series), horizon, len(HEAD_QUANTILES)))
    for chosen, known, at in _fitted_alike(reader, panel, origins):
        result_OHQ[chosen] = _read_whole(reader, known, at, horizon, block, feed)
    return result_OHQ


def one_step_ahead(reader: Reader, panel: Panel, origins: Origins) -> NDArray:
    """Quantiles (O, 1, Q) of the observation after each origin: fast where origins are most steps."""
    if not isinstance(reader.network.config.inputs, Adaptive):
        return decode(reader, panel, origins, 1)
    result_OHQ = _last_known(panel, origins, 1)

    def fill(batch: Batch) -> None:
        for here, reading in _at_every_step(reader.network, panel, batch):
            z_NHKX = _placed(reader.network, reading)[:, :1]
            values = reader.network.config.inputs.units(z_NHKX, reading.known)
            result_OHQ[batch.origin[here]] = values[:, :, 0]

    side_by_side(fill, _batches(panel, origins, Blocks.of(panel.periods)))
    return result_OHQ


# ---- feeding back, for all kinds of inputs


def answers_from(
    network: Network, reading: Reading, horizon: int, block: int, rng: np.random.Generator | None
) -> NDArray:
    """Answers (N, horizon, K, X) on the axis of the inputs: each block of steps follows from those before.

    With a generator, answers are draws. Of quantiles, the errors of the blocks add up as independent
    ones.
    """
    blocks = [_placed(network, reading, rng)[:, :block]]
    done = blocks[0].shape[1]
    while done < horizon:
        newest = blocks[-1]
        reading = _fed(network, reading, newest[..., newest.shape[3] // 2])
        answer = _placed(network, reading, rng)[:, :block]
        blocks.append(_widened(answer, newest) if answer.shape[3] > 1 else answer)
        done += answer.shape[1]
    return np.concatenate(blocks, axis=1)[:, :horizon]


def _placed(network: Network, reading: Reading, rng: np.random.Generator | None = None) -> NDArray:
    """What the network answers at each position, or a draw of it, on the axis of the inputs."""
    if rng is None:
        answer = network.answer(reading.hidden_MND, reading.x_NC)
    else:
        answer = network.draw(reading.hidden_MND, reading.x_NC, rng)
    return network.config.inputs.place(answer, reading.known)


def _widened(answer_NHKX: NDArray, before_NHKX: NDArray) -> NDArray:
    """Quantiles as wide as their own errors and those of the last step before them together."""
    median, middle = answer_NHKX[..., MEDIAN : MEDIAN + 1], before_NHKX[..., MEDIAN : MEDIAN + 1]
    before = (before_NHKX - middle)[:, -1:]
    spread = np.sqrt((answer_NHKX - median) ** 2 + before**2)
    return median + np.sign(np.array(HEAD_QUANTILES) - 0.5) * spread


def _fed(network: Network, reading: Reading, point_NHK: NDArray) -> Reading:
    """The reading after points were read as if they had been observed."""
    seen, inputs = network.config.inputs.feed(point_NHK, reading.inputs)
    x_HNC = np.ascontiguousarray(seen.x_BTC.transpose(1, 0, 2))
    begun_HN = seen.begun_BT.T
    known = None if reading.known is None else network.config.inputs.known(inputs)
    if reading.window is None:
        hidden, recurrent = _run(network, x_HNC, begun_HN, reading.recurrent)
        return Reading(hidden, seen.x_BTC[:, -1], known, inputs, recurrent)
    length = len(reading.window[0])
    window = (
        np.concatenate([reading.window[0], x_HNC])[-length:],
        np.concatenate([reading.window[1], begun_HN])[-length:],
    )
    hidden, recurrent = _run(network, *window, network.start(len(point_NHK)))
    return Reading(hidden, seen.x_BTC[:, -1], known, inputs, recurrent, window)


def _run(
    network: Network, x_TNC: NDArray, begun_TN: NDArray, state: tuple[State, ...]
) -> tuple[list[NDArray], tuple[State, ...]]:
    """What each member's stack gives after the last step (N, D), and the state."""
    hidden: list[NDArray] = []
    for first in range(0, len(x_TNC), LONG_CHUNK):
        chunk = slice(first, first + LONG_CHUNK)
        outs, state = network.run(x_TNC[chunk], begun_TN[chunk], state)
        hidden = [out_TND[-1] for out_TND in outs]
    return hidden, state


# ---- inputs that start where the network does


@dataclass(frozen=True, eq=False)
class Batch:
    """Segments of series to be read from a fresh state, right-aligned, and the origins on their way."""

    series: NDArray  # (B,)
    first: NDArray  # (B,) observation to start from
    last: NDArray  # (B,) observation to stop before
    log: bool
    row: NDArray  # of each of the origins below: which segment
    count: NDArray  # its number of known observations
    origin: NDArray  # its place in the result


def _read_along(
    reader: Reader, panel: Panel, origins: Origins, horizon: int, block: int, feed: Feed
) -> NDArray:
    """`decode` for inputs whose state begins with the context."""
    network = reader.network
    result_OHQ = _last_known(panel, origins, horizon)

    def fill(batch: Batch) -> None:
        for here, reading in _at_origins(network, panel, batch):
            if feed == "paths":
                values = _from_paths(
                    network, panel, batch.series[batch.row[here]], reading, horizon, block
                )
            else:
                z_NHKX = answers_from(network, reading, horizon, block, None)
                values = network.config.inputs.units(z_NHKX, reading.known)[:, :, 0]
            read = reading.known.age > 0
            result_OHQ[batch.origin[here[read]]] = values[read]

    side_by_side(fill, _batches(panel, origins, reader.context or Blocks.of(panel.periods)))
    return result_OHQ


def _from_paths(
    network: Network, panel: Panel, series_N: NDArray, reading: Reading, horizon: int, block: int
) -> NDArray:
    """Quantiles (N, horizon, Q) of sample paths from each position; draws follow from the series alone."""
    result = np.empty((len(series_N), horizon, len(HEAD_QUANTILES)))
    for n, series in enumerate(series_N):
        copies = np.full(PATHS, n)
        own = _copied(reading, copies)
        rng = _generator(panel.ids[[series]])
        z_NHKX = answers_from(network, own, horizon, block, rng)
        paths = network.config.inputs.units(z_NHKX, own.known)[:, :, 0, 0]
        result[n] = np.quantile(paths, HEAD_QUANTILES, axis=0).T
    return result


def _copied(reading: Reading, rows: NDArray) -> Reading:
    """Some of the positions, each as often as it is named."""
    hidden = [hidden_ND[rows] for hidden_ND in reading.hidden_MND]
    known, inputs, recurrent = (rows_of(part, rows) for part in reading[2:5])
    return Reading(hidden, reading.x_NC[rows], known, inputs, recurrent)


def _batches(panel: Panel, origins: Origins, context: Context) -> Iterator[Batch]:
    """Origins of a series that share start and axis are read in one pass; segments of like length together."""
    first = context.start(origins.counts)
    log = _on_log_axis(panel, origins, first)
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
            yield Batch(
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
    """Segments that are read together: at most twice as long as the first, so that little is padding."""
    alike = int(np.searchsorted(lengths, 2 * lengths[start], side="right"))
    return min(start + size, alike)


def _on_log_axis(panel: Panel, origins: Origins, first: NDArray) -> NDArray:
    """Whether what an origin has read is read on the log axis (O,)."""
    known = np.append(
        panel.values, np.nan
    )  # one more, so that a span may end behind the last value
    begin = panel.offsets[origins.series]
    spans = np.stack([begin + first, begin + origins.counts], axis=1).ravel()
    return reads_logarithms(*(reduce.reduceat(known, spans)[::2] for reduce in (np.fmin, np.fmax)))


def _at_origins(network: Network, panel: Panel, batch: Batch) -> Iterator[tuple[NDArray, Reading]]:
    """Read the batch once; wherever origins lie, which they are, and the reading of their series there."""
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
            yield here, Reading(hidden_MND, x_NC, known, own, rows_of(recurrent, rows))
        done = stop


def _at_every_step(
    network: Network, panel: Panel, batch: Batch
) -> Iterator[tuple[NDArray, Reading]]:
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
            Reading([out_TBD[at[::-1]] for out_TBD in hidden], seen.x_BTC[at], known, None, ()),
        )
        done = stop


def _start(network: Network, panel: Panel, batch: Batch, values_BT: NDArray) -> Any:
    """State of the inputs before the first value of a batch."""
    grid = Grid(
        network.config.steps,
        panel.periods,
        panel.frequency.family,
        np.full(len(values_BT), batch.log),
        np.ones(len(values_BT)) if batch.log else linear_unit(values_BT),
    )
    return network.config.inputs.start(grid, len(values_BT))


def _by_steps(x_BTC: NDArray, begun_BT: NDArray) -> tuple[NDArray, NDArray]:
    return np.ascontiguousarray(x_BTC.transpose(1, 0, 2)), begun_BT.T


def _chunk_ends(length: int) -> NDArray:
    """Where to pause in a segment, counted from its end: what is read with it does not move the pauses."""
    return np.arange(length % CHUNK or CHUNK, length + 1, CHUNK)


def _right_aligned(panel: Panel, batch: Batch) -> NDArray:
    """The segments (B, T), NaN before they begin."""
    length = int((batch.last - batch.first).max())
    back = np.arange(length, 0, -1)
    steps = batch.last[:, None] - back
    inside = steps >= batch.first[:, None]
    positions = panel.offsets[batch.series][:, None] + np.where(inside, steps, batch.first[:, None])
    return np.where(inside, panel.values[positions], np.nan)


def _last_known(panel: Panel, origins: Origins, horizon: int) -> NDArray:
    """The newest observation as the forecast, for origins that have nothing to read; NaN where none is known."""
    steps = np.where(np.isnan(panel.values), -1, np.arange(len(panel.values)))
    begin = panel.offsets[origins.series]
    newest = np.maximum.accumulate(steps)[begin + origins.counts - 1]
    last = np.where(newest >= begin, panel.values[np.maximum(newest, 0)], np.nan)
    return np.broadcast_to(last[:, None, None], (len(last), horizon, len(HEAD_QUANTILES))).copy()


# ---- inputs that are made of the whole series


class Positions(NamedTuple):
    """Where forecasts begin: rows, and how many of their steps are known."""

    row: NDArray
    known: NDArray


def _read_whole(
    reader: Reader, panel: Panel, origins: Origins, horizon: int, block: int, feed: Feed | None
) -> NDArray:
    """`decode` with one state of the transforms for each series."""
    network, inputs = reader.network, reader.network.config.inputs
    assert isinstance(inputs, Transformed)
    fitted = inputs.fitted_to(panel, reader.fitted)
    once, adds_up = horizon <= block, inputs.transforms.adds_up(horizon)
    paths = spreads(network.head) and (not once or adds_up) and feed != "median"
    if paths:
        check_quantiles(network.config, horizon)
    values_OHX = _of_origins(reader, panel, fitted, origins, horizon, block, paths)
    if paths:
        quantiles_OHQ = np.quantile(values_OHX, HEAD_QUANTILES, axis=2).transpose(1, 2, 0)
        # The first answer needs no draws.
        if horizon > block and not inputs.transforms.adds_up(block):
            quantiles_OHQ[:, :block] = _read_whole(reader, panel, origins, block, block, feed)
        return quantiles_OHQ
    return values_OHX if values_OHX.shape[2] > 1 else _around(values_OHX, reader, panel, origins)


def check_quantiles(config: NetworkConfig, horizon: int) -> None:
    """UsageError where the quantiles of several steps that are answered at once would have to be added up."""
    inputs = config.inputs
    if not isinstance(inputs, Transformed) or config.head == "point" or config.steps == 1:
        return
    if inputs.transforms.adds_up(horizon):
        raise UsageError(
            f"The transforms add up the forecasts of {horizon} steps, and quantiles of a sum are not "
            "sums of quantiles. Use NetworkConfig(horizon=1), which draws sample paths, or head='point'."
        )


def _fitted_alike(
    reader: Reader, panel: Panel, origins: Origins
) -> Iterator[tuple[NDArray, Panel, Origins]]:
    """Which origins can share a state of the transforms, and the panel and origins to decode them with.

    What was learned of a series holds wherever it is forecast. Of other series the transforms learn
    what is known at an origin, anew at each: otherwise a forecast would know what came later, or
    depend on which others are asked for.
    """
    inputs = reader.network.config.inputs
    assert isinstance(inputs, Transformed)
    everything = np.arange(len(origins.series))
    if not inputs.transforms.learns:
        yield everything, panel, origins
        return
    learned = set() if reader.fitted is None else set(reader.fitted.state.ids.tolist())
    learned_S = np.array([name in learned for name in panel.ids.tolist()], bool)
    joint = inputs.columns > 1
    learned_O = np.full(len(everything), learned_S.all()) if joint else learned_S[origins.series]
    if learned_O.any():
        chosen = everything[learned_O]
        yield chosen, panel, Origins(origins.series[chosen], origins.counts[chosen])
    for chosen in _known_together(reader, origins, everything[~learned_O]):
        series, counts = origins.series[chosen], origins.counts[chosen]
        if joint:
            inputs.rows(panel)  # refuses what cannot be read together
            yield chosen, panel.until(np.full(len(panel), counts[0])), Origins(series, counts)
        else:
            yield chosen, _as_known(panel, series, counts), Origins(np.arange(len(chosen)), counts)


def _known_together(reader: Reader, origins: Origins, fresh_N: NDArray) -> Iterator[NDArray]:
    """Origins whose series are learned from in one go: by count, by the k-th of each series, or as many as fit."""
    inputs = reader.network.config.inputs
    assert isinstance(inputs, Transformed)
    series, counts = origins.series[fresh_N], origins.counts[fresh_N]
    if inputs.columns > 1:
        key = counts
    elif reader.fitted is None and inputs.transforms.pooled:
        order = np.lexsort((counts, series))
        key = np.empty_like(counts)
        key[order] = np.arange(len(order)) - np.searchsorted(series[order], series[order])
    else:
        key = np.cumsum(counts) // MOST_VALUES
    for one in np.unique(key):
        yield fresh_N[key == one]


def _as_known(panel: Panel, series: NDArray, counts: NDArray) -> Panel:
    """The first values of some series, as many of each as `counts` says; a series may come more than once."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    places = np.arange(offsets[-1]) + np.repeat(panel.offsets[series] - offsets[:-1], counts)
    return replace(
        panel,
        values=panel.values[places],
        offsets=offsets,
        ids=panel.ids[series],
        starts=panel.starts[series],
    )


def _of_origins(
    reader: Reader,
    panel: Panel,
    fitted: FittedTransforms,
    origins: Origins,
    horizon: int,
    block: int,
    paths: bool,
) -> NDArray:
    """What the network says of each origin (O, horizon, X), in the units of the data."""
    inputs = reader.network.config.inputs
    assert isinstance(inputs, Transformed)
    whole = inputs.whole(panel, fitted)
    joint = inputs.columns > 1
    row = np.zeros_like(origins.series) if joint else origins.series
    where, place = np.unique(np.stack([row, origins.counts]), axis=1, return_inverse=True)
    positions = Positions(*where)
    once = horizon <= block and not paths
    in_one_pass = once and isinstance(reader.context or Whole(), Whole)
    if in_one_pass and len(positions.row) > len(whole.offsets):
        z_NHKX = _in_one_pass(reader.network, whole, positions, horizon)
    else:
        z_NHKX = _each(reader, whole, fitted, panel, positions, horizon, block, paths)
    known_N = whole.begun_N[whole.offsets[positions.row] + positions.known - 1]
    z_NHKX[~known_N] = np.nan  # nothing was read
    channel = origins.series if joint else np.zeros_like(origins.series)
    z_OHX = z_NHKX[place, :, channel]
    known = TransformedKnown(fitted.state, whole.applied, origins.series[:, None], origins.counts)
    return inputs.units(z_OHX[:, :, None], known, paths)[:, :, 0]


def _in_one_pass(network: Network, whole: Any, positions: Positions, horizon: int) -> NDArray:
    """Answers at many positions of few rows, each row read once from its beginning: (N, horizon, K, X)."""
    answers = []
    for r, (begin, end) in enumerate(zip(whole.offsets[:-1], whole.offsets[1:], strict=True)):
        count = positions.known[positions.row == r]
        if not len(count):
            continue
        state, hidden = network.start(1), []
        for first in range(begin, end, LONG_CHUNK):
            chunk = slice(first, min(first + LONG_CHUNK, end))
            outs, state = network.run(whole.x_NC[chunk, None], whole.begun_N[chunk, None], state)
            hidden.append([out_TBD[:, 0] for out_TBD in outs])
        hidden_MND = [np.concatenate(member)[count - 1] for member in zip(*hidden, strict=True)]
        answers.append(network.answer(hidden_MND, np.empty(0))[:, :horizon])
    return np.concatenate(answers)


def _each(
    reader: Reader,
    whole: Any,
    fitted: FittedTransforms,
    panel: Panel,
    positions: Positions,
    horizon: int,
    block: int,
    paths: bool,
) -> NDArray:
    """Each position read for itself, and fed back as far as the horizon asks: (N, horizon, K, X)."""
    network, inputs = reader.network, reader.network.config.inputs
    assert isinstance(inputs, Transformed)
    rows = inputs.rows(panel)
    copies = PATHS if paths else 1
    order = np.argsort(positions.known, kind="stable")
    size = 1 if paths else BATCH_POSITIONS  # the paths of a position do not depend on its batch
    batches = [order[first : first + size] for first in range(0, len(order), size)]
    X = copies if paths or not spreads(network.head) else len(HEAD_QUANTILES)
    result = np.empty((len(order), horizon, inputs.columns, X))

    def fill(chosen: NDArray) -> None:
        series_BK = rows[np.repeat(positions.row[chosen], copies)]
        window = _windows(reader.context or Whole(), whole, positions, np.repeat(chosen, copies))
        hidden, recurrent = _run(network, *window, network.start(len(series_BK)))
        nothing = np.empty((0, 0, 0))
        state = TransformedState(fitted, series_BK, nothing, nothing, nothing)
        kept = window if isinstance(reader.context, Newest) else None
        reading = Reading(hidden, window[0][-1], None, state, recurrent, kept)
        rng = _generator(fitted.state.ids[series_BK[0]]) if paths else None
        z_BHKX = answers_from(network, reading, horizon, block, rng)
        shape = (len(chosen), copies, horizon, inputs.columns, -1)
        result[chosen] = np.moveaxis(z_BHKX.reshape(shape), 1, 3)[..., 0] if paths else z_BHKX

    side_by_side(fill, batches)
    return result


def _windows(
    context: Context, whole: Any, positions: Positions, chosen: NDArray
) -> tuple[NDArray, NDArray]:
    """What the chosen positions read (T, B, C), right-aligned, and where it has begun (T, B)."""
    row, count = positions.row[chosen], positions.known[chosen]
    length = context.length if isinstance(context, Newest) else int(count.max())
    steps_TB = count - length + np.arange(length)[:, None]
    inside_TB = steps_TB >= 0
    place_TB = whole.offsets[row] + np.where(inside_TB, steps_TB, 0)
    return whole.x_NC[place_TB], whole.begun_N[place_TB] & inside_TB


def _generator(names: NDArray) -> np.random.Generator:
    """Draws follow from the series' names alone: no batch and no saved context changes a forecast, and the
    errors of the paths of many series are not the same."""
    return np.random.default_rng([zlib.crc32(str(name).encode()) for name in names])


def _around(point_OH1: NDArray, reader: Reader, panel: Panel, origins: Origins) -> NDArray:
    """Quantiles about a point: of a random walk whose steps are as large as the series' own, on average."""
    ids = panel.ids[origins.series]
    measured_O = np.array([reader.changes.get(str(name), np.nan) for name in ids], float)
    mean_O = np.where(np.isnan(measured_O), mean_changes(panel, origins), measured_O)
    spread_OH = np.maximum(mean_O, 1e-12)[:, None] * np.sqrt(np.arange(1, point_OH1.shape[1] + 1))
    return point_OH1 + spread_OH[:, :, None] * SCORES


def mean_changes(panel: Panel, origins: Origins) -> NDArray:
    """The mean absolute change from one value to the next in what is known at each origin (O,); 0 without any."""
    changes = np.abs(np.diff(panel.values, prepend=np.nan))
    changes[panel.offsets[:-1]] = np.nan
    known = np.concatenate([[0], np.cumsum(~np.isnan(changes))])
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(changes))])
    begin, end = panel.offsets[origins.series], panel.offsets[origins.series] + origins.counts
    return (total[end] - total[begin]) / np.maximum(known[end] - known[begin], 1)


def hidden_states(reader: Reader, panel: Panel) -> list[list[tuple[NDArray, NDArray]]]:
    """For each row, h and c of each layer of the first member at every step, each (T, D); zeros before it has begun."""
    network, inputs = reader.network, reader.network.config.inputs
    assert isinstance(inputs, Transformed)
    whole = inputs.whole(panel, inputs.fitted_to(panel, reader.fitted))
    result = []
    for begin, end in zip(whole.offsets[:-1], whole.offsets[1:], strict=True):
        state, steps = network.start(1), []
        for t in range(begin, end):
            x_11C, begun_11 = whole.x_NC[None, t : t + 1], whole.begun_N[None, t : t + 1]
            _, state = network.run(x_11C, begun_11, state)
            steps.append(state[0])
        layers = range(len(network.config.layers))
        result.append(
            [
                tuple(np.concatenate([step[k][part] for step in steps]) for part in (0, 1))
                for k in layers
            ]
        )
    return result
