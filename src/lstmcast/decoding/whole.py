"""Decoding with inputs that are made of the whole series, of which the network then reads its
context.

O origins (series × cutoff) · N positions where forecasts begin · B rows of a batch · T steps
K columns of a row · C input channels · M members · D units · H horizon
Q quantiles of the head · X quantiles, one point, or one draw of each sample path
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

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
from lstmcast.model.heads import HEAD_QUANTILES, SCORES, Head
from lstmcast.model.inputs import FittedTransforms, Transformed
from lstmcast.model.inputs.transformedparts import TransformedKnown, TransformedState, WholeRows
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.model.static import codes_of
from lstmcast.util.parallel import side_by_side

BATCH_POSITIONS = 256  # that are read together, each with a context of its own
MOST_VALUES = 4_000_000  # read at once for origins whose transforms are fitted anew


def decode_whole(
    reader: Reader, panel: Panel, origins: Origins, horizon: int, block: int, feed: str | None
) -> NDArray:
    """Quantiles (O, horizon, Q) in the units of the data; see `decode`."""
    result_OHQ = np.empty((len(origins.series), horizon, len(HEAD_QUANTILES)))
    for chosen, known, at in _fitted_alike(reader, panel, origins):
        result_OHQ[chosen] = _read_whole(reader, known, at, horizon, block, feed)
    return result_OHQ


def transformed(reader: Reader) -> Transformed:
    """The inputs, of which each series is made once as a whole."""
    inputs = reader.network.config.inputs
    assert isinstance(inputs, Transformed)
    return inputs


class Positions(NamedTuple):
    """Where forecasts begin: rows, and how many of their steps are known."""

    row: NDArray
    known: NDArray


def _read_whole(
    reader: Reader, panel: Panel, origins: Origins, horizon: int, block: int, feed: str | None
) -> NDArray:
    """`decode` with one state of the transforms for each series."""
    network, inputs = reader.network, transformed(reader)
    fitted = inputs.fitted_to(panel, reader.fitted)
    once, adds_up = horizon <= block, inputs.adds_up(horizon)
    drawn = feed != "median" or not network.head.affine
    paths = network.head.spreads and (not once or adds_up) and drawn
    if paths:
        check_quantiles(network.config, network.head, horizon)
    values_OHX = _of_origins(reader, panel, fitted, origins, horizon, block, paths)
    if paths:
        quantiles_OHQ = path_quantiles(network, values_OHX, 2).transpose(1, 2, 0)
        # The first answer needs no draws.
        if horizon > block and not inputs.adds_up(block):
            quantiles_OHQ[:, :block] = _read_whole(reader, panel, origins, block, block, feed)
        return quantiles_OHQ
    return values_OHX if values_OHX.shape[2] > 1 else _around(values_OHX, reader, panel, origins)


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


def _fitted_alike(
    reader: Reader, panel: Panel, origins: Origins
) -> Iterator[tuple[NDArray, Panel, Origins]]:
    """Which origins can share a state of the transforms, and the panel and origins to decode them
    with.

    What was learned of a series holds wherever it is forecast. Of other series the transforms learn
    what is known at an origin, anew at each: otherwise a forecast would know what came later, or
    depend on which others are asked for.
    """
    inputs = transformed(reader)
    everything = np.arange(len(origins.series))
    if not inputs.learns:
        yield everything, panel, origins
        return
    learned = set() if reader.fitted is None else set(reader.fitted.state.ids.tolist())
    learned_S = np.array([name in learned for name in panel.ids.tolist()], bool)
    rows = inputs.rows(panel)
    learned_S[rows] = learned_S[rows].all(axis=1, keepdims=True)
    learned_O = learned_S[origins.series]
    if learned_O.any():
        chosen = everything[learned_O]
        yield chosen, panel, Origins(origins.series[chosen], origins.counts[chosen])
    fresh = everything[~learned_O]
    if inputs.columns > 1:
        yield from _rows_as_known(rows, panel, origins, fresh)
        return
    for chosen in _known_together(reader, origins, fresh):
        series, counts = origins.series[chosen], origins.counts[chosen]
        yield chosen, panel.part(series, 0, counts), Origins(np.arange(len(chosen)), counts)


def _rows_as_known(
    rows_RK: NDArray, panel: Panel, origins: Origins, fresh_O: NDArray
) -> Iterator[tuple[NDArray, Panel, Origins]]:
    """Origins of one row at one cutoff, with what is known there of the series of the row."""
    row_S, column_S = (np.empty(len(panel), np.int64) for _ in range(2))
    row_S[rows_RK], column_S[rows_RK] = np.indices(rows_RK.shape)
    series, counts = origins.series[fresh_O], origins.counts[fresh_O]
    for row, count in np.unique(np.stack([row_S[series], counts]), axis=1).T:
        here = (row_S[series] == row) & (counts == count)
        known = np.full(rows_RK.shape[1], count)
        at = Origins(column_S[series[here]], counts[here])
        yield fresh_O[here], panel.part(rows_RK[row], 0, known), at


def _known_together(reader: Reader, origins: Origins, fresh_N: NDArray) -> Iterator[NDArray]:
    """Origins whose series are learned from in one go: by the k-th of each series, or as many as
    fit."""
    inputs = transformed(reader)
    series, counts = origins.series[fresh_N], origins.counts[fresh_N]
    if reader.fitted is None and inputs.pooled:
        order = np.lexsort((counts, series))
        key = np.empty_like(counts)
        key[order] = np.arange(len(order)) - np.searchsorted(series[order], series[order])
    else:
        key = np.cumsum(counts) // MOST_VALUES
    for one in np.unique(key):
        yield fresh_N[key == one]


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
    whole = _with_codes(inputs.whole(panel, fitted), reader.network.config, panel)
    row_S, column_S = whole.places()
    row = row_S[origins.series]
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
    z_OHX = z_NHKX[place, :, column_S[origins.series]]
    known = TransformedKnown(fitted.state, whole.applied, origins.series[:, None], origins.counts)
    return inputs.units(z_OHX[:, :, None], known, paths)[:, :, 0]


def _with_codes(whole: WholeRows, config: NetworkConfig, panel: Panel) -> WholeRows:
    """Rows with the codes of static columns: those of the first series of each row."""
    codes_RP = codes_of(config.static, panel, whole.rows_RK[:, 0])
    if codes_RP is None:
        return whole
    codes_NP = np.repeat(codes_RP, np.diff(whole.offsets), axis=0)
    return whole._replace(x_NC=np.concatenate([whole.x_NC, codes_NP], axis=1))


def _in_one_pass(network: Network, whole: Any, positions: Positions, horizon: int) -> NDArray:
    """Answers at many positions of few rows, each row read once from its beginning: (N, horizon,
    K, X)."""
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
    """Each position read for itself, and fed back as far as the horizon asks: (N, horizon, K,
    X)."""
    network, inputs = reader.network, transformed(reader)
    copies = PATHS if paths else 1
    order = np.argsort(positions.known, kind="stable")
    size = 1 if paths else BATCH_POSITIONS  # the paths of a position do not depend on its batch
    batches = [order[first : first + size] for first in range(0, len(order), size)]
    X = copies if paths or not network.head.spreads else len(HEAD_QUANTILES)
    result = np.empty((len(order), horizon, inputs.columns, X))

    def fill(chosen: NDArray) -> None:
        series_BK = whole.rows_RK[np.repeat(positions.row[chosen], copies)]
        window = _windows(reader.context or Whole(), whole, positions, np.repeat(chosen, copies))
        hidden, recurrent = run_chunks(network, *window, network.start(len(series_BK)))
        nothing = np.empty((0, 0, 0))
        state = TransformedState(fitted, series_BK, nothing, nothing, nothing)
        kept = window if isinstance(reader.context, Newest) else None
        at = ForecastState(hidden, window[0][-1], None, state, recurrent, kept)
        rng = generator_of(fitted.state.ids[series_BK[0]]) if paths else None
        z_BHKX = answers_from(network, at, horizon, block, rng)
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


def _around(point_OH1: NDArray, reader: Reader, panel: Panel, origins: Origins) -> NDArray:
    """Quantiles about a point: of a random walk whose steps are as large as the series' own, on
    average."""
    ids = panel.ids[origins.series]
    measured_O = np.array([reader.changes.get(str(name), np.nan) for name in ids], float)
    seen_O, _ = mean_changes(panel, origins)
    mean_O = np.nan_to_num(np.where(np.isnan(measured_O), seen_O, measured_O))
    spread_OH = np.maximum(mean_O, 1e-12)[:, None] * np.sqrt(np.arange(1, point_OH1.shape[1] + 1))
    return point_OH1 + spread_OH[:, :, None] * SCORES


def hidden_states(reader: Reader, panel: Panel) -> list[list[tuple[NDArray, NDArray]]]:
    """For each row, h and c of each layer of the first member at every step, each (T, D); zeros
    before it has begun."""
    network, inputs = reader.network, transformed(reader)
    whole = inputs.whole(panel, inputs.fitted_to(panel, reader.fitted))
    whole = _with_codes(whole, network.config, panel)
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
