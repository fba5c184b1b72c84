"""Decoding with inputs computed from the whole series, of which the network reads its context.

O origins (series × cutoff) · N positions where forecasts begin · B rows of a batch · T steps
K columns of a row · C input channels · M members · D units · H horizon
Q quantiles of the head · X quantiles, one point, or one draw of each sample path
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Context, Newest, Whole
from lstmcast.data.origins import Origins, mean_changes
from lstmcast.data.panel import Panel
from lstmcast.decoding.feeding import (
    LONG_CHUNK,
    PATHS,
    ForecastState,
    Reader,
    answers_from,
    generator_of,
    path_quantiles,
    run_chunks,
)
from lstmcast.errors import UsageError
from lstmcast.model.heads import HEAD_QUANTILES, ONE, SCORES, ZERO, Head
from lstmcast.model.inputs import FittedTransforms, Transformed
from lstmcast.model.inputs.base import with_uplift
from lstmcast.model.inputs.transformedparts import (
    TransformedKnown,
    TransformedState,
    WholeRows,
)
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.model.static import codes_of
from lstmcast.util.parallel import side_by_side

BATCH_POSITIONS = 256  # that are read together, each with a context of its own
MOST_VALUES = 4_000_000  # read at once for origins whose transforms are fitted anew


def decode_whole(
    reader: Reader,
    panel: Panel,
    origins: Origins,
    horizon: int,
    block: int,
    feed: str | None,
) -> NDArray:
    """Quantiles (O, horizon, Q) in the units of the data; see `decode`."""
    result_OHQ = np.empty((len(origins.series), horizon, len(HEAD_QUANTILES)))
    for share in _fitted_alike(reader, panel, origins):
        of_share = reader.of(share.rows)
        quantiles = _read_whole(
            of_share, share.panel, share.origins, horizon, block, feed
        )
        result_OHQ[share.rows] = quantiles
    return result_OHQ


def transformed(reader: Reader) -> Transformed:
    """The inputs, of which each series is made once as a whole."""
    inputs = reader.network.config.inputs
    assert isinstance(inputs, Transformed)
    return inputs


class Positions(NamedTuple):
    """Where forecasts begin: rows, and how many of their steps are known."""

    row: NDArray
    known_count: NDArray
    uplift_NH: NDArray | None = None  # see `ForecastState`

    def with_uplift(self, uplift_OH: NDArray | None, place_O: NDArray) -> Positions:
        """The same with the uplift of origins that lie at these places."""
        if uplift_OH is None:
            return self
        uplift_NH = np.ones((len(self.row), uplift_OH.shape[1]))
        uplift_NH[place_O] = uplift_OH
        return self._replace(uplift_NH=uplift_NH)


def _read_whole(
    reader: Reader,
    panel: Panel,
    origins: Origins,
    horizon: int,
    block: int,
    feed: str | None,
) -> NDArray:
    """`decode` with one state of the transforms for each series."""
    network = reader.network
    inputs = transformed(reader)
    fitted = inputs.fitted_to(panel, reader.fitted)
    feeds_back = horizon > block
    needs_paths = feeds_back or inputs.adds_up(horizon)
    may_draw = feed != "median" or not network.head.affine
    paths = network.head.spreads and needs_paths and may_draw
    if paths:
        check_quantiles(network.config, network.head, horizon)
    values_OHX = _of_origins(reader, panel, fitted, origins, horizon, block, paths)
    if paths:
        quantiles_QOH = path_quantiles(network, values_OHX, 2)
        quantiles_OHQ = quantiles_QOH.transpose(1, 2, 0)
        # The first answer needs no draws.
        if feeds_back and not inputs.adds_up(block):
            quantiles_OHQ[:, :block] = _read_whole(
                reader, panel, origins, block, block, feed
            )
        return quantiles_OHQ
    if values_OHX.shape[2] > 1:
        return values_OHX
    return around_points(values_OHX, reader, panel, origins)


def check_quantiles(config: NetworkConfig, head: Head, horizon: int) -> None:
    """UsageError where the quantiles of several steps that are answered at once would have to be
    added up."""
    if head.spreads and config.steps > 1 and config.inputs.adds_up(horizon):
        instead = "NetworkConfig(horizon=1), which draws sample paths, or head='point'"
        if config.inputs.past:  # of which nothing is known where a path continues
            instead = f"head='point', or differences over a lag of at least {horizon}"
        raise UsageError(
            f"The transforms add up the forecasts of {horizon} steps, and quantiles of a sum are "
            f"not sums of quantiles. Use {instead}."
        )


class Share(NamedTuple):
    """Origins that share a state of the transforms: which of all they are, and the panel and
    origins to decode them with."""

    rows: NDArray
    panel: Panel
    origins: Origins


def _fitted_alike(reader: Reader, panel: Panel, origins: Origins) -> Iterator[Share]:
    """Groups of origins that can share fitted transforms, with the panel and origins of each.

    Transforms fitted to a series are used at all of its origins. For other series, they are fitted
    to what is known at each origin; otherwise a forecast would use later values, or depend on the
    other origins.
    """
    inputs = transformed(reader)
    if not inputs.learns:
        yield Share(np.arange(len(origins.series)), panel, origins)
        return
    learned_O = _learned(reader, panel)[origins.series]
    if learned_O.any():
        rows = np.flatnonzero(learned_O)
        yield Share(rows, panel, Origins(origins.series[rows], origins.counts[rows]))
    unknown_N = np.flatnonzero(~learned_O)
    if inputs.columns > 1:
        yield from _rows_as_known(inputs.rows(panel), panel, origins, unknown_N)
        return
    for rows in _known_together(reader, origins, unknown_N):
        counts = origins.counts[rows]
        until_cutoffs = panel.part(origins.series[rows], 0, counts)
        yield Share(rows, until_cutoffs, Origins(np.arange(len(rows)), counts))


def _learned(reader: Reader, panel: Panel) -> NDArray:
    """Of which series the transforms have learned (S,): of all those of a row, or of none."""
    ids = set()
    if reader.fitted is not None:
        ids.update(reader.fitted.state.ids.tolist())
    learned_S = np.array([name in ids for name in panel.ids.tolist()], bool)
    rows_RK = transformed(reader).rows(panel)
    learned_S[rows_RK] = learned_S[rows_RK].all(axis=1, keepdims=True)
    return learned_S


def _rows_as_known(
    rows_RK: NDArray, panel: Panel, origins: Origins, unknown_N: NDArray
) -> Iterator[Share]:
    """Origins of one row at one cutoff, with what is known there of the series of the row."""
    row_S = np.empty(len(panel), np.int64)
    column_S = np.empty(len(panel), np.int64)
    row_S[rows_RK], column_S[rows_RK] = np.indices(rows_RK.shape)
    series_N = origins.series[unknown_N]
    count_N = origins.counts[unknown_N]
    row_N = row_S[series_N]
    pairs = np.unique(np.stack([row_N, count_N]), axis=1)
    for row, count in pairs.T:
        is_same_N = (row_N == row) & (count_N == count)
        counts_K = np.full(rows_RK.shape[1], count)
        column_N = column_S[series_N[is_same_N]]
        yield Share(
            rows=unknown_N[is_same_N],
            panel=panel.part(rows_RK[row], 0, counts_K),
            origins=Origins(column_N, count_N[is_same_N]),
        )


def _known_together(
    reader: Reader, origins: Origins, unknown_N: NDArray
) -> Iterator[NDArray]:
    """Origins whose series are learned from in one go: by the k-th of each series, or as many as
    fit."""
    inputs = transformed(reader)
    series_N = origins.series[unknown_N]
    count_N = origins.counts[unknown_N]
    if reader.fitted is None and inputs.pooled:
        order = np.lexsort((count_N, series_N))
        sorted_N = series_N[order]
        key_N = np.empty_like(count_N)
        key_N[order] = np.arange(len(order)) - np.searchsorted(sorted_N, sorted_N)
    else:
        key_N = np.cumsum(count_N) // MOST_VALUES
    for key in np.unique(key_N):
        yield unknown_N[key_N == key]


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
    inputs = transformed(reader)
    rows = _with_codes(inputs.whole(panel, fitted), reader.network.config, panel)
    row_S, column_S = rows.places()
    keys_O = np.stack([row_S[origins.series], origins.counts])
    keys, place = np.unique(keys_O, axis=1, return_inverse=True)
    positions = Positions(*keys).with_uplift(reader.uplift_OH, place)
    at_once = horizon <= block and not paths
    reads_all = isinstance(reader.context or Whole(), Whole)
    has_many = len(positions.row) > len(rows.offsets)
    if at_once and reads_all and has_many:
        z_NHKX = _in_one_pass(reader.network, rows, positions, horizon)
    else:
        z_NHKX = _each(reader, rows, fitted, positions, horizon, block, paths)
    newest_N = rows.offsets[positions.row] + positions.known_count - 1
    z_NHKX[~rows.begun_N[newest_N]] = np.nan  # nothing was read
    z_OHX = z_NHKX[place, :, column_S[origins.series]]
    way_back = TransformedKnown(
        fitted.state, rows.applied, origins.series[:, None], origins.counts
    )
    return inputs.units(z_OHX[:, :, None], way_back, paths)[:, :, 0]


def _with_codes(rows: WholeRows, config: NetworkConfig, panel: Panel) -> WholeRows:
    """Rows with the codes of static columns: those of the first series of each row."""
    codes_RP = codes_of(config.static, panel, rows.rows_RK[:, 0])
    if codes_RP is None:
        return rows
    codes_NP = np.repeat(codes_RP, np.diff(rows.offsets), axis=0)
    return rows._replace(x_NC=np.concatenate([rows.x_NC, codes_NP], axis=1))


def _in_one_pass(
    network: Network, rows: WholeRows, positions: Positions, horizon: int
) -> NDArray:
    """Answers at many positions of few rows, each row read once from its beginning: (N, horizon,
    K, X)."""
    answers = []
    for row, (begin, end) in enumerate(pairwise(rows.offsets)):
        is_here_N = positions.row == row
        count_N = positions.known_count[is_here_N]
        if not len(count_N):
            continue
        hidden_MTD = _hidden(network, rows, begin, end)
        hidden_MND = [hidden_TD[count_N - 1] for hidden_TD in hidden_MTD]
        around = ZERO, ONE
        if positions.uplift_NH is not None:
            around = with_uplift(around, positions.uplift_NH[is_here_N])
        answers.append(network.answer(hidden_MND, np.empty(0), *around, steps=horizon))
    return np.concatenate(answers)


def _hidden(network: Network, rows: WholeRows, begin: int, end: int) -> list[NDArray]:
    """What each member's stack gives at every step of a row (T, D)."""
    state = network.start(1)
    chunks = []
    for first in range(begin, end, LONG_CHUNK):
        chunk = slice(first, min(first + LONG_CHUNK, end))
        outs, state = network.run(
            rows.x_NC[chunk, None], rows.begun_N[chunk, None], state
        )
        chunks.append([out_T1D[:, 0] for out_T1D in outs])
    return [np.concatenate(member) for member in zip(*chunks, strict=True)]


def _each(
    reader: Reader,
    rows: WholeRows,
    fitted: FittedTransforms,
    positions: Positions,
    horizon: int,
    block: int,
    paths: bool,
) -> NDArray:
    """Each position read for itself, and fed back as far as the horizon asks: (N, horizon, K,
    X)."""
    network = reader.network
    columns = transformed(reader).columns
    copies = PATHS if paths else 1
    order = np.argsort(positions.known_count, kind="stable")
    # the paths of a position do not depend on its batch
    size = 1 if paths else BATCH_POSITIONS
    batches = [order[first : first + size] for first in range(0, len(order), size)]
    X = copies if paths or not network.head.spreads else len(HEAD_QUANTILES)
    result_NHKX = np.empty((len(order), horizon, columns, X))

    def fill(batch: NDArray) -> None:
        copied = np.repeat(batch, copies)
        state = _state_at(reader, rows, fitted, positions, copied)
        if positions.uplift_NH is not None:
            state = state._replace(uplift_NH=positions.uplift_NH[copied])
        rng = None
        if paths:
            row_ids = fitted.state.ids[rows.rows_RK[positions.row[batch[0]]]]
            rng = generator_of(row_ids)
        z_BHKX = answers_from(network, state, horizon, block, rng)
        if paths:
            # each copy answers one draw: they stand beside each other in the place of quantiles
            shape = (len(batch), copies, horizon, columns, -1)
            z_BHKX = np.moveaxis(z_BHKX.reshape(shape), 1, 3)[..., 0]
        result_NHKX[batch] = z_BHKX

    side_by_side(fill, batches)
    return result_NHKX


def _state_at(
    reader: Reader,
    rows: WholeRows,
    fitted: FittedTransforms,
    positions: Positions,
    index_B: NDArray,
) -> ForecastState:
    """What the network knows at some positions, once it has read up to there."""
    context = reader.context or Whole()
    series_BK = rows.rows_RK[positions.row[index_B]]
    window = _windows(context, rows, positions, index_B)
    start = reader.network.start(len(series_BK))
    hidden, recurrent = run_chunks(reader.network, *window, start)
    empty = np.empty((0, 0, 0))
    x_TBC, _ = window
    state = ForecastState(
        hidden_MND=hidden,
        x_NC=x_TBC[-1],
        known=None,
        inputs=TransformedState(fitted, series_BK, empty, empty, empty),
        recurrent=recurrent,
    )
    if isinstance(context, Newest):
        state = state._replace(window=window)
    return state


def _windows(
    context: Context, rows: WholeRows, positions: Positions, index_B: NDArray
) -> tuple[NDArray, NDArray]:
    """What some positions read (T, B, C), right-aligned, and where it has begun (T, B)."""
    row_B = positions.row[index_B]
    count_B = positions.known_count[index_B]
    length = int(count_B.max())
    if isinstance(context, Newest):
        length = context.length
    steps_TB = count_B - length + np.arange(length)[:, None]
    exists_TB = steps_TB >= 0
    place_TB = rows.offsets[row_B] + np.where(exists_TB, steps_TB, 0)
    return rows.x_NC[place_TB], rows.begun_N[place_TB] & exists_TB


def around_points(
    point_OH1: NDArray, reader: Reader, panel: Panel, origins: Origins
) -> NDArray:
    """Quantiles about a point: of a random walk whose steps are as large as the series' own, on
    average."""
    ids = panel.ids[origins.series]
    measured_O = np.array(
        [reader.changes.get(str(name), np.nan) for name in ids], float
    )
    observed_O, _ = mean_changes(panel, origins)
    mean_O = np.where(np.isnan(measured_O), observed_O, measured_O)
    size_O = np.maximum(np.nan_to_num(mean_O), 1e-12)
    steps_H = np.arange(1, point_OH1.shape[1] + 1)
    spread_OH = size_O[:, None] * np.sqrt(steps_H)
    return point_OH1 + spread_OH[:, :, None] * SCORES


def hidden_states(reader: Reader, panel: Panel) -> list[list[tuple[NDArray, NDArray]]]:
    """For each row, h and c of each layer of the first member at every step, each (T, D); zeros
    before it has begun."""
    network = reader.network
    inputs = transformed(reader)
    rows = inputs.whole(panel, inputs.fitted_to(panel, reader.fitted))
    rows = _with_codes(rows, network.config, panel)
    by_row = []
    for begin, end in pairwise(rows.offsets):
        state = network.start(1)
        steps = []
        for step in range(begin, end):
            x_11C = rows.x_NC[None, step : step + 1]
            begun_11 = rows.begun_N[None, step : step + 1]
            _, state = network.run(x_11C, begun_11, state)
            steps.append(state[0])
        by_layer = []
        for layer in range(len(network.config.layers)):
            hidden = np.concatenate([states[layer][0] for states in steps])
            cell = np.concatenate([states[layer][1] for states in steps])
            by_layer.append((hidden, cell))
        by_row.append(by_layer)
    return by_row
