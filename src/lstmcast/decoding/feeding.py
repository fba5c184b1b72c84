"""Answers of any number of steps, fed back: the same for all kinds of inputs.

N positions where forecasts begin · T steps · K columns of a row · C input channels · M members
D units · H horizon · X quantiles, one point, or one draw of each sample path
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Context
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN, ONE, ZERO
from lstmcast.model.inputs import FittedTransforms
from lstmcast.model.inputs.past import require_no_feeding
from lstmcast.model.lstm import State
from lstmcast.model.network import Network

LONG_CHUNK = 256  # steps that the network reads at once of inputs that are there already
PATHS = 400  # sample paths, where quantiles cannot be had directly


@dataclass(frozen=True, eq=False)
class Reader:
    """A network, what its inputs learned, and how much of a series it reads.

    Args:
        network: the network.
        fitted: what its transforms learned; None where nothing was fitted: then they are fitted on
            what is known of each series.
        context: what a forecast has read; the inputs' own unless given.
        changes: the mean absolute change of each series, by its id, as far as it was measured
            before.
        rates: whether the network knows series of any rate, so that sums over several steps can be
            read too; not where it only ever saw those of one frequency.
    """

    network: Network
    fitted: FittedTransforms | None = None
    context: Context | None = None
    changes: Mapping[str, float] = field(default_factory=dict)
    rates: bool = True

    @property
    def reads_rates(self) -> bool:
        """Whether far horizons are answered at several rates (see `rates`)."""
        head = self.network.head
        return self.rates and head.affine and self.network.config.inputs.from_context


class ForecastState(NamedTuple):
    """What the network knows at N positions: enough to answer and to go on, without the history."""

    hidden_MND: list[NDArray]
    x_NC: NDArray
    known: Any  # of the way back, by the inputs
    inputs: Any  # state of the inputs, a row per position
    recurrent: tuple[State, ...]
    # The newest steps, where a context is read anew for every step that is fed back (T, N, C), (T,
    # N).
    window: tuple[NDArray, NDArray] | None = None


def answers_from(
    network: Network,
    state: ForecastState,
    horizon: int,
    block: int,
    rng: np.random.Generator | None,
) -> NDArray:
    """Answers (N, horizon, K, X) on the axis of the inputs: each block of steps follows from those
    before.

    With a generator, answers are draws. Of quantiles, the errors of the blocks add up as
    independent ones. UsageError where the inputs read columns of which nothing is known then.
    """
    require_no_feeding(network.config.inputs.past, network.config.steps, block, horizon)
    blocks = [placed(network, state, rng)[:, :block]]
    done = blocks[0].shape[1]
    while done < horizon:
        newest = blocks[-1]
        state = _fed(network, state, newest[..., newest.shape[3] // 2])
        answer = placed(network, state, rng)[:, :block]
        blocks.append(_widened(answer, newest) if answer.shape[3] > 1 else answer)
        done += answer.shape[1]
    return np.concatenate(blocks, axis=1)[:, :horizon]


def placed(
    network: Network, state: ForecastState, rng: np.random.Generator | None = None
) -> NDArray:
    """What the network answers at each position, or a draw of it, on the axis of the inputs."""
    inputs, affine = network.config.inputs, network.head.affine
    # The members' affine answers are averaged before they are placed.
    around = (ZERO, ONE) if affine else inputs.around(state.known)
    if rng is None:
        answer = network.answer(state.hidden_MND, state.x_NC, *around)
    else:
        answer = network.draw(state.hidden_MND, state.x_NC, rng, *around)
    return inputs.place(answer, state.known) if affine else answer


def path_quantiles(network: Network, paths: NDArray, axis: int) -> NDArray:
    """Quantiles (Q, …) of sample paths along an axis: between two draws for an affine head, one of
    the draws for any other, whose values need not lie everywhere."""
    method = "linear" if network.head.affine else "inverted_cdf"
    return np.quantile(paths, HEAD_QUANTILES, axis=axis, method=method)


def _widened(answer_NHKX: NDArray, before_NHKX: NDArray) -> NDArray:
    """Quantiles as wide as their own errors and those of the last step before them together."""
    median, middle = answer_NHKX[..., MEDIAN : MEDIAN + 1], before_NHKX[..., MEDIAN : MEDIAN + 1]
    before = (before_NHKX - middle)[:, -1:]
    spread = np.sqrt((answer_NHKX - median) ** 2 + before**2)
    return median + np.sign(np.array(HEAD_QUANTILES) - 0.5) * spread


def _fed(network: Network, state: ForecastState, point_NHK: NDArray) -> ForecastState:
    """The state after points were read as if they had been observed."""
    seen, inputs = network.config.inputs.feed(point_NHK, state.inputs)
    x_HNC = np.ascontiguousarray(seen.x_BTC.transpose(1, 0, 2))
    begun_HN = seen.begun_BT.T
    known = None if state.known is None else network.config.inputs.known(inputs)
    if state.window is None:
        hidden, recurrent = run_chunks(network, x_HNC, begun_HN, state.recurrent)
        return ForecastState(hidden, seen.x_BTC[:, -1], known, inputs, recurrent)
    length = len(state.window[0])
    window = (
        np.concatenate([state.window[0], x_HNC])[-length:],
        np.concatenate([state.window[1], begun_HN])[-length:],
    )
    hidden, recurrent = run_chunks(network, *window, network.start(len(point_NHK)))
    return ForecastState(hidden, seen.x_BTC[:, -1], known, inputs, recurrent, window)


def run_chunks(
    network: Network, x_TNC: NDArray, begun_TN: NDArray, state: tuple[State, ...]
) -> tuple[list[NDArray], tuple[State, ...]]:
    """What each member's stack gives after the last step (N, D), and the state."""
    hidden: list[NDArray] = []
    for first in range(0, len(x_TNC), LONG_CHUNK):
        chunk = slice(first, first + LONG_CHUNK)
        outs, state = network.run(x_TNC[chunk], begun_TN[chunk], state)
        hidden = [out_TND[-1] for out_TND in outs]
    return hidden, state


def generator_of(names: NDArray) -> np.random.Generator:
    """Draws follow from the series' names alone: no batch and no saved context changes a forecast,
    and the errors of the paths of many series are not the same."""
    return np.random.default_rng([zlib.crc32(str(name).encode()) for name in names])
