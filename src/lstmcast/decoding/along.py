"""Decoding with inputs that start with the context: both read a segment block by block.

O origins (series × cutoff) · N positions where forecasts begin · B segments of a batch · T steps
C input channels · M members · D units · H horizon · Q quantiles of the head
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Blocks, shortest_season
from lstmcast.data.origins import Origins, last_known, needed
from lstmcast.data.panel import Panel
from lstmcast.decoding.feeding import (
    PATHS,
    ForecastState,
    Reader,
    answers_at_once,
    answers_from,
    generator_of,
    joined_states,
    path_quantiles,
)
from lstmcast.decoding.intermittent import NEWEST, with_own_past
from lstmcast.decoding.origin_batches import CHUNK as CHUNK
from lstmcast.decoding.origin_batches import OriginBatch, batches, spans_of
from lstmcast.model.heads import HEAD_QUANTILES
from lstmcast.model.inputs import Grid
from lstmcast.model.inputs.adaptivestate import with_effects_ahead
from lstmcast.model.inputs.axis import LOG, ROOT, units_of
from lstmcast.model.inputs.base import Seen, positions_of
from lstmcast.model.lstm import State
from lstmcast.model.network import Network
from lstmcast.model.static import beside, codes_of
from lstmcast.model.wide import FEWEST_ROWS
from lstmcast.util.parallel import side_by_side
from lstmcast.util.states import rows_of

# Steps that are read at once of so few series that calls cost more time than what they compute.
FEW_ROWS, LONG_CHUNK = 8, 512
# positions whose answers are fed back at once, in batches that have as many
FED_TOGETHER = 512


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
    feeds_back = horizon > block
    needs_paths = network.head.spreads and not network.head.affine
    paths = paths or (feeds_back and needs_paths)
    result_OHQ = _last_known(panel, origins, horizon)
    fed = horizon if feeds_back else 0
    at_once = not feeds_back and not paths

    def states(batch: OriginBatch) -> Iterator[tuple[NDArray, ForecastState]]:
        if at_once:
            return _positions(network, panel, batch)
        paused = _states(network, panel, batch, fed)
        is_joined = _is_wide(batch, at_once) and not paths
        return _together(paused) if is_joined else paused

    def answered(state: ForecastState, wide: bool) -> NDArray:
        if at_once:
            return answers_at_once(network, state, horizon, wide=wide)
        return answers_from(network, state, horizon, block, None, wide=wide)

    def fill(batch: OriginBatch) -> None:
        wide = _is_wide(batch, at_once)
        for index_N, state_without in states(batch):
            state = reader.at(state_without, batch.origin[index_N])
            if paths:
                series_N = batch.series[batch.row[index_N]]
                values = _from_paths(network, panel, series_N, state, horizon, block)
            else:
                z_NHKX = answered(state, wide)
                values = _units(network, panel, batch, index_N, z_NHKX, state)
            has_read = state.known.age > 0
            origin = batch.origin[index_N[has_read]]
            result_OHQ[origin] = values[has_read]

    context = reader.context_for(panel.periods)
    side_by_side(fill, batches(panel, origins, context, network.head.affine, plain_O))
    return result_OHQ


def _is_wide(batch: OriginBatch, at_once: bool) -> bool:
    """Whether a batch has many rows, or many origins whose answers are fed back."""
    if at_once:
        return len(batch.series) >= FEWEST_ROWS
    return len(batch.origin) >= FED_TOGETHER


def _units(
    network: Network,
    panel: Panel,
    batch: OriginBatch,
    index_N: NDArray,
    z_NHKX: NDArray,
    state: ForecastState,
) -> NDArray:
    """Answers (N, H, X) in the units of the data, with what was read last in view."""
    values_NHX = network.units(z_NHKX, state.known)[:, :, 0]
    if batch.axis != ROOT:
        return values_NHX
    row = batch.row[index_N]
    count = batch.count[index_N]
    first = np.maximum(batch.first[row], count - NEWEST)
    newest_NW = spans_of(panel, batch.series[row], first, count)
    season = shortest_season(batch.periods) or 1
    root_N = np.ones(len(index_N), bool)
    return with_own_past(values_NHX, newest_NW, root_N, season)


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
    quantiles_NHQ = np.empty((len(series_N), horizon, len(HEAD_QUANTILES)))
    for position, series in enumerate(series_N):
        copies = np.full(PATHS, position)
        path_states = _copied(state, copies)
        rng = generator_of(panel.ids[[series]])
        z_NHKX = answers_from(network, path_states, horizon, block, rng)
        paths = network.units(z_NHKX, path_states.known)[:, :, 0, 0]
        quantiles_NHQ[position] = path_quantiles(network, paths, 0).T
    return quantiles_NHQ


def _copied(state: ForecastState, rows: NDArray) -> ForecastState:
    """Some of the positions, each as often as it is named."""
    uplift_NH = state.uplift_NH
    if uplift_NH is not None:
        uplift_NH = uplift_NH[rows]
    return ForecastState(
        hidden_MND=[hidden_ND[rows] for hidden_ND in state.hidden_MND],
        x_NC=state.x_NC[rows],
        known=rows_of(state.known, rows),
        inputs=rows_of(state.inputs, rows),
        recurrent=rows_of(state.recurrent, rows),
        uplift_NH=uplift_NH,
    )


class Read(NamedTuple):
    """Some steps of a batch, read."""

    first: int  # of the aligned segments
    stop: int
    channels: Seen
    hidden: list[NDArray]  # of each member (T, B, D)
    inputs: Any  # states after the last of the steps
    recurrent: tuple[State, ...]


def _read(
    network: Network, panel: Panel, batch: OriginBatch, stops: NDArray
) -> Iterator[Read]:
    """Read the batch once, from each of some steps to the next."""
    config = network.config
    values_BT = _right_aligned(panel, batch)
    inputs = _start(network, panel, batch, values_BT)
    recurrent = network.start(len(values_BT))
    codes_BP = codes_of(config.static, panel, batch.series)
    first = 0
    for stop in stops:
        values_BT1 = values_BT[:, first:stop, None]
        known_BTF = batch.known(first, stop, config.steps)
        channels, inputs = config.inputs.advance(inputs, values_BT1, known_BTF)
        channels = channels._replace(x_BTC=beside(channels.x_BTC, codes_BP))
        x_TBC = _by_steps(channels.x_BTC)
        begun_TB = channels.begun_BT.T
        hidden, recurrent = network.run(x_TBC, begun_TB, recurrent, wide=True)
        yield Read(first, stop, channels, hidden, inputs, recurrent)
        del channels, hidden
        first = stop


def _states(
    network: Network, panel: Panel, batch: OriginBatch, fed: int
) -> Iterator[tuple[NDArray, ForecastState]]:
    """Wherever origins lie, which they are, and the state of their series there, from which
    answers of so many steps can be `fed` back."""
    config = network.config
    stop_of_origin = batch.length - (batch.stop[batch.row] - batch.count)
    chunk_ends = _chunk_ends(batch.length, len(batch.series))
    for read in _read(network, panel, batch, np.union1d(stop_of_origin, chunk_ends)):
        index_N = np.flatnonzero(stop_of_origin == read.stop)
        if len(index_N):
            rows = batch.row[index_N]
            inputs = rows_of(read.inputs, rows)
            ahead_NF = batch.ahead(index_N, fed + config.steps) if fed else None
            if ahead_NF is not None:
                inputs = with_effects_ahead(inputs, ahead_NF)
            state = ForecastState(
                hidden_MND=[out_TBD[-1, rows] for out_TBD in read.hidden],
                x_NC=read.channels.x_BTC[rows, -1],
                known=config.inputs.known(inputs),
                inputs=inputs,
                recurrent=rows_of(read.recurrent, rows),
            )
            yield index_N, state
        del read  # before the next one is made


def _together(
    paused: Iterator[tuple[NDArray, ForecastState]],
) -> Iterator[tuple[NDArray, ForecastState]]:
    """The states of several pauses joined: what is fed back takes many calls, of few rows each."""
    indices: list[NDArray] = []
    states: list[ForecastState] = []
    for index_N, state in paused:
        indices.append(index_N)
        states.append(state)
        if sum(map(len, indices)) >= FED_TOGETHER:
            yield np.concatenate(indices), joined_states(states)
            indices, states = [], []
    if states:
        yield np.concatenate(indices), joined_states(states)


def _positions(
    network: Network, panel: Panel, batch: OriginBatch
) -> Iterator[tuple[NDArray, ForecastState]]:
    """In each chunk, which origins lie in it, and what is known there: enough to answer what the
    head answers at once."""
    step_of_origin = batch.length - 1 - (batch.stop[batch.row] - batch.count)
    for read in _read(
        network, panel, batch, _chunk_ends(batch.length, len(batch.series))
    ):
        is_in_chunk = (step_of_origin >= read.first) & (step_of_origin < read.stop)
        index_N = np.flatnonzero(is_in_chunk)
        rows = batch.row[index_N]
        steps = step_of_origin[index_N] - read.first
        has_begun = read.channels.known.age[rows, steps] > 0
        index_N = index_N[has_begun]
        rows = rows[has_begun]
        steps = steps[has_begun]
        if len(index_N):  # a chunk before the first origin has none
            state = ForecastState(
                hidden_MND=[out_TBD[steps, rows] for out_TBD in read.hidden],
                x_NC=read.channels.x_BTC[rows, steps],
                known=positions_of(read.channels.known, rows, steps),
                inputs=None,
                recurrent=(),
            )
            yield index_N, state
        del read  # before the next one is made


def _start(
    network: Network, panel: Panel, batch: OriginBatch, values_BT: NDArray
) -> Any:
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


def _by_steps(x_BTC: NDArray) -> NDArray:
    return np.ascontiguousarray(x_BTC.transpose(1, 0, 2))


def _chunk_ends(length: int, rows: int) -> NDArray:
    """Where to pause in segments that are read together, counted from their end."""
    chunk = LONG_CHUNK if rows <= FEW_ROWS else CHUNK
    return np.arange(length % chunk or chunk, length + 1, chunk)


def _right_aligned(panel: Panel, batch: OriginBatch) -> NDArray:
    """The segments (B, T), NaN before they begin."""
    return spans_of(panel, batch.series, batch.first, batch.stop)


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
    network = reader.network
    columns = np.array(steps) - 1

    def fill(batch: OriginBatch) -> None:
        for index_N, state_without in _positions(network, panel, batch):
            state = reader.at(state_without, batch.origin[index_N])
            z_NHKX = answers_at_once(network, state, max(steps))[:, columns]
            values = _units(network, panel, batch, index_N, z_NHKX, state)
            result_OHQ[batch.origin[index_N]] = values

    context = Blocks.of(panel.periods)
    side_by_side(fill, batches(panel, origins, context, network.head.affine))
    return result_OHQ
