"""Decoding with inputs computed from the whole series, of which the network reads its context.

O origins (series × cutoff) · N positions where forecasts begin · B rows of a batch · T steps
K columns of a row · C input channels · M members · D units · H horizon
Q quantiles of the head · X quantiles, one point, or one draw of each sample path
"""

from __future__ import annotations

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
from lstmcast.decoding.shares import fitted_alike, transformed
from lstmcast.errors import UsageError
from lstmcast.model.heads import HEAD_QUANTILES, ONE, SCORES, ZERO, Head
from lstmcast.model.inputs import FittedTransforms
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
    for share in fitted_alike(reader, panel, origins):
        of_share = reader.of(share.rows)
        quantiles = _read_whole(
            of_share, share.panel, share.origins, horizon, block, feed
        )
        result_OHQ[share.rows] = quantiles
    return result_OHQ


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
