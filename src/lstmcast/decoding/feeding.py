"""Recursive answers for any number of steps, common to all kinds of inputs.

N positions where forecasts begin · T steps · K columns of a row · C input channels · M members
D units · H horizon · X quantiles, one point, or one draw of each sample path
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Blocks, Context
from lstmcast.model.heads import HEAD_QUANTILES, ONE, ZERO
from lstmcast.model.inputs import FittedTransforms
from lstmcast.model.inputs.base import with_uplift
from lstmcast.model.inputs.past import require_no_feeding
from lstmcast.model.lstm import State
from lstmcast.model.network import Network
from lstmcast.model.static import beside
from lstmcast.util.states import joined

# steps that the network reads at once of inputs that are there already
LONG_CHUNK = 256
FEWEST_GROWN = 4  # steps of a head, twice, from which the growth of its errors is taken
PATHS = 400  # sample paths, where quantiles cannot be had directly


@dataclass(frozen=True, eq=False)
class Reader:
    """A network, its fitted transforms, and its context.

    Args:
        network: the network.
        fitted: its fitted transforms; with None, they are fitted to the known values of each
            series.
        context: which observations a forecast reads. Defaults to that of the inputs.
        changes: the mean absolute change of each series, by its id, as far as it was measured
            before.
        rates: whether the network knows series of any rate, so that sums over several steps can be
            read too; not where it only ever saw those of one frequency.
        uplift_OH: by how many times known columns multiply the mean of each coming step of the
            origins that are asked for, where the head is not affine; None for none.
    """

    network: Network
    fitted: FittedTransforms | None = None
    context: Context | None = None
    changes: Mapping[str, float] = field(default_factory=dict)
    rates: bool = True
    uplift_OH: NDArray | None = None

    def context_for(self, periods: tuple[int, ...]) -> Context:
        """What a forecast reads of series with these seasonal periods."""
        return self.context or Blocks.of(periods)

    def of(self, origins: NDArray) -> Reader:
        """The same for some of the origins."""
        if self.uplift_OH is None:
            return self
        return replace(self, uplift_OH=self.uplift_OH[origins])

    def at(self, state: ForecastState, origin_N: NDArray) -> ForecastState:
        """What the network knows at some of the origins, with the uplift of what follows."""
        if self.uplift_OH is None:
            return state
        return state._replace(uplift_NH=self.uplift_OH[origin_N])

    @property
    def reads_rates(self) -> bool:
        """Whether far horizons are answered at several rates (see `rates`)."""
        head = self.network.head
        config = self.network.config
        return (
            self.rates
            and head.affine
            and config.inputs.from_context
            and not config.static
        )


class ForecastState(NamedTuple):
    """The state of a forecast at N positions, sufficient to answer and continue without history."""

    hidden_MND: list[NDArray]
    x_NC: NDArray
    known: Any  # of the way back, by the inputs
    inputs: Any  # state of the inputs, a row per position
    recurrent: tuple[State, ...]
    # The newest steps, where a context is read anew for every step that is fed back (T, N, C), (T,
    # N).
    window: tuple[NDArray, NDArray] | None = None
    # Of the mean of the coming steps, for a head that is not affine; None for none.
    uplift_NH: NDArray | None = None

    def uplift_of(self, steps: int) -> NDArray:
        """That of the next steps (N, steps); 1 beyond those of which it is known."""
        uplift_NH = np.ones((len(self.x_NC), steps))
        if self.uplift_NH is not None:
            known_NH = self.uplift_NH[:, :steps]
            uplift_NH[:, : known_NH.shape[1]] = known_NH
        return uplift_NH

    def later(self, steps: int) -> NDArray | None:
        """That of what follows so many steps later."""
        if self.uplift_NH is None:
            return None
        return self.uplift_NH[:, steps:]


def joined_states(states: Sequence[ForecastState]) -> ForecastState:
    """The positions of several states, one after the other."""
    if len(states) == 1:
        return states[0]
    of_members = zip(*(state.hidden_MND for state in states), strict=True)
    hidden_MND = [np.concatenate(members) for members in of_members]
    bare = [state._replace(hidden_MND=[]) for state in states]
    return joined(*bare)._replace(hidden_MND=hidden_MND)


def answers_from(
    network: Network,
    state: ForecastState,
    horizon: int,
    block: int,
    rng: np.random.Generator | None,
    *,
    wide: bool = False,
) -> NDArray:
    """Answers (N, horizon, K, X) on the axis of the inputs: each block of steps follows from those
    before.

    With a generator, answers are draws. Of quantiles, the errors of the blocks add up as
    independent ones, and grow at least as those of the first block do. UsageError where the inputs
    read columns of which nothing is known then. `wide`: as in `Network.run`.
    """
    inputs = network.config.inputs
    require_no_feeding(inputs.past, network.config.steps, block, horizon)
    if horizon <= block and rng is None:
        answer = placed(network, state, steps=horizon)
        return stretched(answer, _widths(network, state, horizon))
    newest = placed(network, state, rng)[:, :block]
    blocks = [newest]
    widths = [_widths(network, state, block)]
    step_count = newest.shape[1]
    growth = Growth.of(newest, _periods(network, state))
    while step_count < horizon:
        point_NHK = newest[..., newest.shape[3] // 2]
        if state.uplift_NH is not None:  # what is read is without it
            point_NHK = point_NHK / state.uplift_of(point_NHK.shape[1])[:, :, None]
        state = _fed(network, state, point_NHK, wide)
        answer = placed(network, state, rng)[:, :block]
        if answer.shape[3] > 1:
            ahead_H = step_count + 1 + np.arange(answer.shape[1])
            answer = _widened(answer, newest, growth.spread(ahead_H))
        newest = answer
        blocks.append(newest)
        widths.append(_widths(network, state, block))
        step_count += newest.shape[1]
    answers = np.concatenate(blocks, axis=1)[:, :horizon]
    stated = [width_NH for width_NH in widths if width_NH is not None]
    if not stated:
        return answers
    width_NH = np.concatenate(stated, axis=1)[:, :horizon]
    return stretched(answers, width_NH)


def _widths(network: Network, state: ForecastState, steps: int) -> NDArray | None:
    """How wide quantiles of the next steps are beside each other; None where nothing is said."""
    width_NH = network.config.inputs.widths_of(state.known)
    return None if width_NH is None else width_NH[:, :steps]


def answers_at_once(
    network: Network, state: ForecastState, steps: int, *, wide: bool = False
) -> NDArray:
    """Answers (N, steps, K, X) of the first steps that the head answers at once, as `answers_from`
    gives them, but without a state to continue from. `wide`: as in `Network.answer`."""
    answer = placed(network, state, steps=steps, wide=wide)
    return stretched(answer, _widths(network, state, steps))


def placed(
    network: Network,
    state: ForecastState,
    rng: np.random.Generator | None = None,
    steps: int | None = None,
    *,
    wide: bool = False,
) -> NDArray:
    """What the network answers at each position, or a draw of it, on the axis of the inputs.

    `steps`: how many of the head's steps are asked for, all unless given; draws are of all.
    `wide`: as in `Network.answer`.
    """
    inputs = network.config.inputs
    affine = network.head.affine
    # The members' affine answers are averaged before they are placed.
    location, scale = (ZERO, ONE) if affine else _around(network, state)
    if rng is None:
        answer = network.answer(
            state.hidden_MND, state.x_NC, location, scale, steps=steps, wide=wide
        )
    else:
        answer = network.draw(state.hidden_MND, state.x_NC, rng, location, scale)
    return inputs.place(answer, state.known) if affine else answer


def _around(network: Network, state: ForecastState) -> tuple[NDArray, NDArray]:
    """Location and scale of what a head that is not affine answers."""
    around = network.config.inputs.around(state.known)
    if state.uplift_NH is None:
        return around
    return with_uplift(around, state.uplift_of(network.config.steps))


def stretched(answer_NHKX: NDArray, width_NH: NDArray | None) -> NDArray:
    """Quantiles of steps that are so wide beside each other; as they are where nothing is said."""
    if width_NH is None:
        return answer_NHKX
    median_NHK1 = _median(answer_NHKX)
    wide_NHKX = answer_NHKX - median_NHK1
    wide_NHKX *= width_NH[:, :, None, None]
    wide_NHKX += median_NHK1
    return wide_NHKX


def path_quantiles(network: Network, paths: NDArray, axis: int) -> NDArray:
    """Quantiles (Q, …) of sample paths along an axis: between two draws for an affine head, one of
    the draws for any other, whose values need not lie everywhere."""
    method = "linear" if network.head.affine else "inverted_cdf"
    return np.quantile(paths, HEAD_QUANTILES, axis=axis, method=method)


class Growth(NamedTuple):
    """The growth of the errors of a head as a power of the distance, also beyond its steps.

    Fed-back medians are smoother than observations, so a network that reads them underestimates its
    errors: it answers steps 25 to 48 as after step 24 of a calm series. The spread of the first
    block is based on observations.
    """

    end_N1KX: NDArray  # distances to the median around the end of the head
    step: float  # where they stand
    power_NK: NDArray  # of the distance, between 0 (bounded errors) and 1

    @classmethod
    def of(cls, answer_NHKX: NDArray, periods: tuple[int, ...]) -> Growth:
        """From the last two spans of whole seasonal cycles of a head's answer.

        0 where a cycle is longer than half of the head, whose phases would look like growth.
        """
        steps = answer_NHKX.shape[1]
        distance_NHKX = np.abs(answer_NHKX - _median(answer_NHKX))
        cycle = max(periods, default=1)
        span = steps // 2 // cycle * cycle
        if span < FEWEST_GROWN:
            power_NK = np.zeros(answer_NHKX.shape[:3:2])
            return cls(distance_NHKX[:, -1:], steps, power_NK)
        end = slice(steps - span, steps)
        middle = slice(steps - 2 * span, steps - span)
        ahead_H = np.log(np.arange(1, steps + 1))
        end_ahead = ahead_H[end].mean()
        log_distance = end_ahead - ahead_H[middle].mean()
        width_NHK = distance_NHKX.sum(axis=3)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio_NK = width_NHK[:, end].mean(1) / width_NHK[:, middle].mean(1)
            grown_NK = np.log(ratio_NK) / log_distance
        return cls(
            end_N1KX=distance_NHKX[:, end].mean(axis=1, keepdims=True),
            step=float(np.exp(end_ahead)),
            power_NK=np.clip(np.nan_to_num(grown_NK), 0.0, 1.0),
        )

    def spread(self, ahead_H: NDArray) -> NDArray:
        """Distances to the median (N, H, K, X) of steps so far ahead; nothing where errors do not
        grow."""
        power_N1K = self.power_NK[:, None]
        times_NHK = (ahead_H[:, None] / self.step) ** power_N1K
        times_NHK = np.where(power_N1K > 0, times_NHK, 0.0)
        return self.end_N1KX * times_NHK[..., None]


def _periods(network: Network, state: ForecastState) -> tuple[int, ...]:
    """Seasonal periods that the inputs know of; none for those that know of no season."""
    return state.inputs.grid.periods if network.config.inputs.from_context else ()


def _median(answer_NHKX: NDArray) -> NDArray:
    middle = answer_NHKX.shape[3] // 2
    return answer_NHKX[..., middle : middle + 1]


def _widened(
    answer_NHKX: NDArray, before_NHKX: NDArray, least_NHKX: NDArray
) -> NDArray:
    """Quantiles as wide as their own errors and those of the last step before them together, and
    no narrower than `least`."""
    median = _median(answer_NHKX)
    distance = answer_NHKX - median
    distances_before = before_NHKX - _median(before_NHKX)
    last_distance = distances_before[:, -1:]
    spread = np.sqrt(distance**2 + last_distance**2)
    spread = np.maximum(spread, least_NHKX)
    side = np.sign(np.array(HEAD_QUANTILES) - 0.5)
    return median + side * spread


def _fed(
    network: Network, state: ForecastState, point_NHK: NDArray, wide: bool
) -> ForecastState:
    """The state after points were read as if they had been observed."""
    config = network.config
    channels, inputs = config.inputs.feed(point_NHK, state.inputs)
    if config.static:
        codes_NP = state.x_NC[:, config.own_width :]
        channels = channels._replace(x_BTC=beside(channels.x_BTC, codes_NP))
    x_HNC = np.ascontiguousarray(channels.x_BTC.transpose(1, 0, 2))
    begun_HN = channels.begun_BT.T
    x_NC = channels.x_BTC[:, -1]
    way_back = None if state.known is None else config.inputs.known(inputs)
    uplift_NH = state.later(point_NHK.shape[1])
    read = x_HNC, begun_HN
    window = None
    before = state.recurrent
    if state.window is not None:
        window_TNC, begun_TN = state.window
        length = len(window_TNC)
        window_TNC = np.concatenate([window_TNC, x_HNC])[-length:]
        begun_TN = np.concatenate([begun_TN, begun_HN])[-length:]
        read = window = window_TNC, begun_TN
        before = network.start(len(point_NHK))
    hidden, recurrent = run_chunks(network, *read, before, wide=wide)
    return ForecastState(
        hidden_MND=hidden,
        x_NC=x_NC,
        known=way_back,
        inputs=inputs,
        recurrent=recurrent,
        window=window,
        uplift_NH=uplift_NH,
    )


def run_chunks(
    network: Network,
    x_TNC: NDArray,
    begun_TN: NDArray,
    state: tuple[State, ...],
    *,
    wide: bool = False,
) -> tuple[list[NDArray], tuple[State, ...]]:
    """What each member's stack gives after the last step (N, D), and the state. `wide`: as in
    `Network.run`."""
    hidden: list[NDArray] = []
    for first in range(0, len(x_TNC), LONG_CHUNK):
        chunk = slice(first, first + LONG_CHUNK)
        outs, state = network.run(x_TNC[chunk], begun_TN[chunk], state, wide=wide)
        hidden = [out_TND[-1] for out_TND in outs]
    return hidden, state


def generator_of(names: NDArray) -> np.random.Generator:
    """Draws follow from the series' names alone: no batch and no saved context changes a forecast,
    and the errors of the paths of many series are not the same."""
    seeds = [zlib.crc32(str(name).encode()) for name in names]
    return np.random.default_rng(seeds)
