"""Forecasts of a network with plain inputs: transform, read, answer, feed back, and back to the
units of the data.

What a forecast has read follows from how the network was trained: with a `context` of L it reads
the newest L steps from a fresh state, anew for every step that is fed back, as the windows of its
training were read; without one it reads the series from its beginning and keeps its state.

    S series · N observations · R rows, what the network reads: a series, or all columns of a joint
    network together P positions (row × count) · T steps · K channels · M members · D units · H
    horizon · X one point, quantiles or paths
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of
from lstmcast.errors import DataError, UsageError
from lstmcast.model.heads import HEAD_QUANTILES, SCORES
from lstmcast.model.lstm import State
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.transforms import Transforms, TransformsState
from lstmcast.util.threads import side_by_side
from lstmcast.windows import PlainData

BATCH = 256  # positions that are read together
CHUNK = 256  # steps read at once
LARGEST = 1e30  # that the network reads: products stay within 32-bit numbers
PATHS = 400  # sample paths, where quantiles cannot be had directly
MOST_VALUES = 4_000_000  # read at once for origins whose transforms learn anew


@dataclass(frozen=True, eq=False)
class Plain:
    """A network on plain inputs, the transforms around it and what they learned.

    `context`: newest steps that a forecast reads, None for all. `state`: None where nothing was
    fitted: then the transforms are fitted on what is known of each series. `changes`: the mean
    change of each series, by its id, as far as it was measured before.
    """

    network: Network
    transforms: Transforms
    state: TransformsState | None = None
    context: int | None = None
    changes: Mapping[str, float] = field(default_factory=dict)

    @property
    def joint(self) -> bool:
        """Whether all series are columns of one row."""
        return self.network.config.channels > 1


class Prepared(NamedTuple):
    """A panel as the network reads it."""

    inputs_NC: NDArray  # float32; missing values carried forward
    begun_N: NDArray  # whether every channel has had a value
    offsets: NDArray  # (R+1,)


class Positions(NamedTuple):
    """Where forecasts begin: rows, and how many of their steps are known."""

    row: NDArray
    known: NDArray


def decode(
    plain: Plain, panel: Panel, origins: Origins, horizon: int, *, recursive: bool = False
) -> NDArray:
    """Quantiles (O, horizon, Q) at `heads.HEAD_QUANTILES` in the units of the data.

    The head answers its H steps at once and longer horizons feed them back; with `recursive`, every
    single step is fed back. Heads without a distribution give the point with spreads of a random
    walk of the series' own changes, to be calibrated. Raises UsageError where quantiles would have
    to be added up, DataError where joint series do not share their times.
    """
    result = np.empty((len(origins.series), horizon, len(HEAD_QUANTILES)))
    for chosen, known, at in _scaled_alike(plain, panel, origins):
        result[chosen] = _decode(plain, known, at, horizon, recursive)
    return result


def _decode(plain: Plain, panel: Panel, origins: Origins, horizon: int, recursive: bool) -> NDArray:
    """`decode` with one state of the transforms for each series."""
    state = fitted(plain, panel)
    values_OHX, paths = _transformed(plain, panel, state, origins, horizon, recursive)
    applied = plain.transforms.apply(panel.values, panel.offsets, state)
    units_OHX = plain.transforms.invert(values_OHX, *origins, applied, state, paths=paths)
    if paths:
        quantiles_OHQ = np.quantile(units_OHX, HEAD_QUANTILES, axis=2).transpose(1, 2, 0)
        steps = 1 if recursive else plain.network.config.steps
        # the first answer needs no draws
        if horizon > steps and not plain.transforms.adds_up(steps):
            quantiles_OHQ[:, :steps] = _decode(plain, panel, origins, steps, recursive)
        return quantiles_OHQ
    return units_OHX if units_OHX.shape[2] > 1 else _around(units_OHX, plain, panel, origins)


def _scaled_alike(
    plain: Plain, panel: Panel, origins: Origins
) -> Iterator[tuple[NDArray, Panel, Origins]]:
    """Which origins (P,) can share a state of the transforms, and the panel and origins to decode
    them with.

    What was learned of a series holds wherever it is forecast. Of other series the transforms learn
    what is known at an origin, anew at each: otherwise a forecast would know what came later, or
    depend on which others are asked for.
    """
    everything = np.arange(len(origins.series))
    if not plain.transforms.learns:
        yield everything, panel, origins
        return
    learned = set() if plain.state is None else set(plain.state.ids.tolist())
    learned_S = np.array([name in learned for name in panel.ids.tolist()], bool)
    learned_O = (
        np.full(len(everything), learned_S.all()) if plain.joint else learned_S[origins.series]
    )
    if learned_O.any():
        chosen = everything[learned_O]
        yield chosen, panel, Origins(origins.series[chosen], origins.counts[chosen])
    for chosen in _known_together(plain, origins, everything[~learned_O]):
        series, counts = origins.series[chosen], origins.counts[chosen]
        if plain.joint:
            require_joint(plain.network.config.channels, panel)
            yield chosen, panel.until(np.full(len(panel), counts[0])), Origins(series, counts)
        else:
            yield chosen, _as_known(panel, series, counts), Origins(np.arange(len(chosen)), counts)


def _known_together(plain: Plain, origins: Origins, fresh_P: NDArray) -> Iterator[NDArray]:
    """Origins whose series are learned from in one go: by count, by the k-th of each series, or
    as many as fit."""
    series, counts = origins.series[fresh_P], origins.counts[fresh_P]
    if plain.joint:
        key = counts
    elif plain.state is None and plain.transforms.pooled:
        order = np.lexsort((counts, series))
        key = np.empty_like(counts)
        key[order] = np.arange(len(order)) - np.searchsorted(series[order], series[order])
    else:
        key = np.cumsum(counts) // MOST_VALUES
    for one in np.unique(key):
        yield fresh_P[key == one]


def _as_known(panel: Panel, series: NDArray, counts: NDArray) -> Panel:
    """The first values of some series, as many of each as `counts` says; a series may come more
    than once."""
    offsets = offsets_of(counts)
    places = np.arange(offsets[-1]) + np.repeat(panel.offsets[series] - offsets[:-1], counts)
    return replace(
        panel,
        values=panel.values[places],
        offsets=offsets,
        ids=panel.ids[series],
        starts=panel.starts[series],
    )


def fitted(plain: Plain, panel: Panel) -> TransformsState:
    """What the transforms know of each series: as learned, or from the panel where nothing was."""
    if plain.state is None:
        return plain.transforms.fit(panel.values, panel.offsets, panel.ids)
    return plain.transforms.align(plain.state, panel.values, panel.offsets, panel.ids)


def prepare(plain: Plain, panel: Panel, state: TransformsState, labels: bool = False) -> Prepared:
    """What the network reads of a panel: transformed, missing values carried forward, joint
    series side by side."""
    applied = plain.transforms.apply(panel.values, panel.offsets, state, labels=labels)
    _check_size(applied.values, panel)
    if not plain.joint:
        return _filled(applied.values[:, None], panel.offsets)
    require_joint(plain.network.config.channels, panel)
    return _filled(applied.values.reshape(len(panel), -1).T, panel.offsets[:2])


def require_joint(channels: int, panel: Panel) -> None:
    """DataError unless the panel's series are as many as the network's channels, and share their
    times."""
    alike = len(set(panel.lengths.tolist())) == 1 and len(set(panel.starts.tolist())) == 1
    if len(panel) != channels or not alike:
        found = f"{len(panel)} series" + ("" if alike else " with different times")
        raise DataError(
            f"The network reads {channels} columns together, but the data have {found}. Exactly "
            f"{channels} series with the same first and last time are expected."
        )


def learning_data(
    channels: int, transforms: Transforms, panel: Panel, ends: NDArray
) -> tuple[PlainData, TransformsState]:
    """What a network learns from, and what the transforms learned: from the first `ends` (S,)
    values of each series.

    UsageError where labels become inputs in another way than by a straight line.
    """
    known = panel.until(np.maximum(ends, 1))
    state = transforms.fit(known.values, known.offsets, known.ids)
    inputs, labels = (
        transforms.apply(panel.values, panel.offsets, state, labels=part).values
        for part in (False, True)
    )
    _check_size(inputs, panel)
    _check_size(labels, panel)
    scale, shift = (
        _label_to_input(transforms, state, len(panel)) if transforms.apart else (None, None)
    )
    if channels == 1:
        columns = inputs[:, None], labels[:, None], panel.offsets, ends, panel.ids
        apart = (None, None) if scale is None or shift is None else (scale[:, None], shift[:, None])
        return PlainData(*columns, *apart), state
    require_joint(channels, panel)
    columns = inputs.reshape(channels, -1).T, labels.reshape(channels, -1).T
    together = np.array([" and ".join(map(str, panel.ids[:3]))], object)
    apart = (None, None) if scale is None or shift is None else (scale[None], shift[None])
    return PlainData(*columns, panel.offsets[:2], ends[:1], together, *apart), state


def check_quantiles(config: NetworkConfig, transforms: Transforms, horizon: int) -> None:
    """UsageError where the quantiles of several steps that are answered at once would have to be
    added up."""
    if config.head != "point" and config.steps > 1 and transforms.adds_up(horizon):
        raise UsageError(
            f"The transforms add up the forecasts of {horizon} steps, and quantiles of a sum are "
            "not sums of quantiles. Use NetworkConfig(horizon=1), which draws sample paths, or "
            "head='point'."
        )


def _check_size(values_N: NDArray, panel: Panel) -> None:
    """DataError for transformed values that 32-bit numbers cannot hold."""
    large = np.flatnonzero(np.abs(values_N) > LARGEST)
    if len(large):
        name = panel.ids[np.searchsorted(panel.offsets, large[0], side="right") - 1]
        raise DataError(
            f"series {str(name)!r}: the network would read {values_N[large[0]]:.3g}; it computes "
            f"with 32-bit numbers, up to {LARGEST:g}. Use a transform that scales, such as "
            "Standard()."
        )


def _label_to_input(
    transforms: Transforms, state: TransformsState, series: int
) -> tuple[NDArray, NDArray]:
    """Scale and shift (S,) by which a label becomes an input, where they are scaled apart."""
    rows = np.arange(series)
    at_0, at_half, at_1 = (
        transforms.as_input(np.full(series, x), rows, state) for x in (0.0, 0.5, 1.0)
    )
    if not np.allclose(at_0 + at_1, 2 * at_half, equal_nan=True):
        raise UsageError(
            "Only scalings can be fitted apart for inputs and labels; move the other transforms "
            "before them."
        )
    return at_1 - at_0, at_0


def hidden_states(plain: Plain, panel: Panel) -> list[list[tuple[NDArray, NDArray]]]:
    """For each row, h and c of each layer of the first member at every step, each (T, D); zeros
    before it has begun."""
    prepared = prepare(plain, panel, fitted(plain, panel))
    result = []
    for begin, end in zip(prepared.offsets[:-1], prepared.offsets[1:], strict=True):
        state, steps = plain.network.start(1), []
        for t in range(begin, end):
            _, state = plain.network.run(
                prepared.inputs_NC[None, t : t + 1], prepared.begun_N[None, t : t + 1], state
            )
            steps.append(state[0])
        layers = range(len(plain.network.config.layers))
        result.append(
            [
                tuple(np.concatenate([step[k][part] for step in steps]) for part in (0, 1))
                for k in layers
            ]
        )
    return result


def _transformed(
    plain: Plain,
    panel: Panel,
    state: TransformsState,
    origins: Origins,
    horizon: int,
    recursive: bool,
) -> tuple[NDArray, bool]:
    """What the network says of each origin (O, horizon, X), in the space of labels, and whether
    X are sample paths."""
    prepared = prepare(plain, panel, state)
    row = np.zeros_like(origins.series) if plain.joint else origins.series
    where, place = np.unique(np.stack([row, origins.counts]), axis=1, return_inverse=True)
    positions = Positions(*where)
    once = horizon <= (1 if recursive else plain.network.config.steps)
    point = plain.network.head.name == "point"
    paths = not point and (not once or plain.transforms.adds_up(horizon))
    if paths:
        check_quantiles(plain.network.config, plain.transforms, horizon)
    if once and plain.context is None and not paths and len(positions.row) > len(prepared.offsets):
        answers_PHKX = _in_one_pass(plain, prepared, positions, horizon)
    else:
        answers_PHKX = _each(
            plain,
            prepared,
            state,
            positions,
            horizon,
            1 if recursive else plain.network.config.steps,
            paths,
        )
    known_P = prepared.begun_N[prepared.offsets[positions.row] + positions.known - 1]
    answers_PHKX[~known_P] = np.nan  # nothing was read
    channel = origins.series if plain.joint else np.zeros_like(origins.series)
    return answers_PHKX[place, :, channel], paths


def _in_one_pass(plain: Plain, prepared: Prepared, positions: Positions, horizon: int) -> NDArray:
    """Answers at many positions of few rows, each row read once from its beginning: (P, horizon,
    K, X)."""
    network, parts = plain.network, []
    for r, (begin, end) in enumerate(zip(prepared.offsets[:-1], prepared.offsets[1:], strict=True)):
        count = positions.known[positions.row == r]
        if not len(count):
            continue
        state, hidden = network.start(1), []
        for first in range(begin, end, CHUNK):
            chunk = slice(first, min(first + CHUNK, end))
            outs, state = network.run(
                prepared.inputs_NC[chunk, None], prepared.begun_N[chunk, None], state
            )
            hidden.append([out_TBD[:, 0] for out_TBD in outs])
        hidden_MND = [np.concatenate(member)[count - 1] for member in zip(*hidden, strict=True)]
        parts.append(_answers(network, hidden_MND)[:, :horizon])
    return np.concatenate(parts)


def _each(
    plain: Plain,
    prepared: Prepared,
    state: TransformsState,
    positions: Positions,
    horizon: int,
    block: int,
    paths: bool,
) -> NDArray:
    """Each position read for itself, and fed back as far as the horizon asks: (P, horizon, K,
    X)."""
    copies = PATHS if paths else 1
    order = np.argsort(positions.known, kind="stable")
    size = 1 if paths else BATCH  # the paths of a position do not depend on the company it is in
    batches = [order[first : first + size] for first in range(0, len(order), size)]
    X = copies if paths or plain.network.head.name == "point" else len(HEAD_QUANTILES)
    result = np.empty((len(order), horizon, plain.network.config.channels, X))

    def fill(chosen: NDArray) -> None:
        run = _Run(plain, state, np.repeat(positions.row[chosen], copies), paths)
        x_TBC, begun_TB = _segments(plain, prepared, positions, np.repeat(chosen, copies))
        answers_BHKX = run.forecast(x_TBC, begun_TB, horizon, block)
        shape = (len(chosen), copies, horizon, plain.network.config.channels, -1)
        result[chosen] = (
            np.moveaxis(answers_BHKX.reshape(shape), 1, 3)[..., 0] if paths else answers_BHKX
        )

    side_by_side(fill, batches)
    return result


class _Run:
    """Reading and feeding back of one batch."""

    def __init__(self, plain: Plain, state: TransformsState, row_B: NDArray, paths: bool) -> None:
        self.plain, self.state, self.row_B, self.paths = plain, state, row_B, paths
        # Draws follow from the series' names alone: neither company nor memory changes a forecast,
        # and the errors of
        # the paths of many series are not the same.
        names = state.ids if plain.joint else state.ids[row_B[:1]]
        self.rng = np.random.default_rng([zlib.crc32(str(name).encode()) for name in names])

    def forecast(self, x_TBC: NDArray, begun_TB: NDArray, horizon: int, block: int) -> NDArray:
        """Answers (B, horizon, K, X): each block of steps follows from the ones before."""
        network = self.plain.network
        hidden, kept = _read(network, x_TBC, begun_TB, network.start(len(self.row_B)))
        answers = [self._answer(hidden)[:, :block]]
        done = answers[0].shape[1]
        while done < horizon:
            fed_bBC = self._as_inputs(answers[-1]).astype(np.float32)
            begun_bB = np.ones(fed_bBC.shape[:2], bool)
            if self.plain.context is None:
                hidden, kept = _read(network, fed_bBC, begun_bB, kept)
            else:
                length = len(x_TBC)
                x_TBC = np.concatenate([x_TBC, fed_bBC])[-length:]
                begun_TB = np.concatenate([begun_TB, begun_bB])[-length:]
                hidden, _ = _read(network, x_TBC, begun_TB, network.start(len(self.row_B)))
            answers.append(self._answer(hidden)[:, :block])
            done += answers[-1].shape[1]
        return np.concatenate(answers, axis=1)[:, :horizon]

    def _answer(self, hidden_MBD: list[NDArray]) -> NDArray:
        if not self.paths:
            return _answers(self.plain.network, hidden_MBD)
        raws = list(self.plain.network.raw(hidden_MBD, np.empty(0)))
        # each path is drawn from one of the members
        member = np.arange(len(self.row_B)) % len(raws)
        chosen = np.stack(raws)[member, np.arange(len(member))]
        return self.plain.network.head.sample(chosen, self.rng)[..., None]

    def _as_inputs(self, answers_BbKX: NDArray) -> NDArray:
        """The point of each answer (or its one sample) as network inputs (b, B, C)."""
        point_BbK = answers_BbKX[..., answers_BbKX.shape[3] // 2]
        K = point_BbK.shape[2]
        if K == 1:
            fed_BbK = self.plain.transforms.as_input(point_BbK[:, :, 0], self.row_B, self.state)[
                :, :, None
            ]
        else:
            rows = (np.full(len(point_BbK), k) for k in range(K))
            parts = (
                self.plain.transforms.as_input(point_BbK[:, :, k], row, self.state)
                for k, row in enumerate(rows)
            )
            fed_BbK = np.stack(list(parts), axis=2)
        return fed_BbK.transpose(1, 0, 2)


def _answers(network: Network, hidden_MND: list[NDArray]) -> NDArray:
    """What the members say on average: quantiles (N, H, K, Q), or points (N, H, K, 1)."""
    head, raws = network.head, network.raw(hidden_MND, np.empty(0))
    if head.name == "point":
        return np.mean([head.point(raw_NHKR, np) for raw_NHKR in raws], axis=0)[..., None]
    return np.mean([head.quantiles(raw_NHKR, np) for raw_NHKR in raws], axis=0)


def _read(
    network: Network, x_TBC: NDArray, begun_TB: NDArray, state: tuple[State, ...]
) -> tuple[list[NDArray], tuple[State, ...]]:
    """What each member's stack gives after the last step (B, D), and the state."""
    hidden: list[NDArray] = []
    for first in range(0, len(x_TBC), CHUNK):
        chunk = slice(first, first + CHUNK)
        outs, state = network.run(x_TBC[chunk], begun_TB[chunk], state)
        hidden = [out_TBD[-1] for out_TBD in outs]
    return hidden, state


def _segments(
    plain: Plain, prepared: Prepared, positions: Positions, chosen: NDArray
) -> tuple[NDArray, NDArray]:
    """What the chosen positions read (T, B, C), right-aligned, and where it has begun (T, B)."""
    row, count = positions.row[chosen], positions.known[chosen]
    length = int(count.max()) if plain.context is None else plain.context
    steps_TB = count - length + np.arange(length)[:, None]
    inside_TB = steps_TB >= 0
    place_TB = prepared.offsets[row] + np.where(inside_TB, steps_TB, 0)
    return prepared.inputs_NC[place_TB], prepared.begun_N[place_TB] & inside_TB


def _filled(values_NC: NDArray, offsets: NDArray) -> Prepared:
    """Missing inputs as the newest known ones; before all channels have had one, nothing has
    begun."""
    known_NC = ~np.isnan(values_NC)
    newest_NC = np.maximum.accumulate(
        np.where(known_NC, np.arange(len(values_NC))[:, None], -1), axis=0
    )
    first_N = np.repeat(offsets[:-1], np.diff(offsets))
    begun_NC = newest_NC >= first_N[:, None]
    filled_NC = np.take_along_axis(values_NC, np.maximum(newest_NC, 0), axis=0)
    return Prepared(
        np.where(begun_NC, filled_NC, 0.0).astype(np.float32),
        np.logical_and.reduce(begun_NC, axis=1),
        offsets,
    )


def _around(point_OH1: NDArray, plain: Plain, panel: Panel, origins: Origins) -> NDArray:
    """Quantiles about a point: of a random walk whose steps are as large as the series' own, on
    average."""
    ids = panel.ids[origins.series]
    measured_O = np.array([plain.changes.get(str(name), np.nan) for name in ids], float)
    mean_O = np.where(np.isnan(measured_O), mean_changes(panel, origins), measured_O)
    spread_OH = np.maximum(mean_O, 1e-12)[:, None] * np.sqrt(np.arange(1, point_OH1.shape[1] + 1))
    return point_OH1 + spread_OH[:, :, None] * SCORES


def mean_changes(panel: Panel, origins: Origins) -> NDArray:
    """The mean absolute change from one value to the next in what is known at each origin (O,);
    0 without any."""
    changes = np.abs(np.diff(panel.values, prepend=np.nan))
    changes[panel.offsets[:-1]] = np.nan
    known = np.concatenate([[0], np.cumsum(~np.isnan(changes))])
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(changes))])
    begin, end = panel.offsets[origins.series], panel.offsets[origins.series] + origins.counts
    return (total[end] - total[begin]) / np.maximum(known[end] - known[begin], 1)
