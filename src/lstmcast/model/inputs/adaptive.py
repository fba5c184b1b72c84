"""What the network sees: causal inputs made from raw observations, and the way back to units.

Everything at step t depends on observations up to t alone. One function, `advance`, serves a whole
batch of series and a single new observation of a stream: state in, state out, so that both give the
same numbers.

    B series of a batch · T steps · W window · H horizon · P seasonal periods · C input channels

A series is read on one of two axes: its logarithm (all values positive: `a·X` in gives `a·f` out)
or as it is (`a·X + b` in gives `a·f + b` out). On that axis, z_t is split as

    z_t = level_t + seasonal_t + rest,

where the seasonal indices are decayed means, per phase, of z − centred moving average (the newest
one known at t belongs to step t − m//2), and the network sees the last W seasonally adjusted values
relative to the newest one, in units of a running mean absolute change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import CONTEXT
from lstmcast.data.frequency import FAMILIES
from lstmcast.errors import UsageError

# of the construction below: weights are only used with the inputs that they were trained on
VERSION = 2
CLIP = 20.0
SMOOTHING = (0.5, 0.2, 0.05, 0.0)  # of the level; 0 is the mean of everything read
SLOW, FAST = 0.8, 0.3  # what is left of a seasonal deviation after one more cycle
PRIOR_WEIGHT, PRIOR_SHARE = 4.0, 0.5  # of the seasonal share, in observations
# of the scale: observations, or cycles of the shortest season
SHORTEST_MEMORY, MEMORY_CYCLES = 32.0, 4.0
RELEARN = 0.1  # what the changes before a season was known still count
# mean absolute change of a log series, before anything is known
LOG_PRIOR_SCALE, LOG_PRIOR_COUNT = 0.05, 3.0


@dataclass(frozen=True)
class InputConfig:
    """Which part of the past and of the coming seasonal pattern the network is shown."""

    window: int = 12
    horizon: int = 24

    @property
    def channels(self) -> int:
        """Number of input channels C."""
        return (
            (self.window - 1) + self.window + len(SMOOTHING) + 6 + len(FAMILIES) + 3 * self.horizon
        )


class SeasonState(NamedTuple):
    """Seasonal indices of one period m: decayed sums of the last m steps that have a centred
    mean."""

    slow_BM: NDArray
    slow_weight_BM: NDArray
    fast_BM: NDArray
    fast_weight_BM: NDArray
    product_B: NDArray  # Σ change × foretold change
    square_B: NDArray  # Σ foretold change²
    count_B: NDArray


class InputState(NamedTuple):
    """All that `advance` must remember of what it has read."""

    # last L observations on the reading axis less the reference; NaN = missing or not begun
    z_BL: NDArray
    seen_BL: NDArray  # whether the series had begun
    reference_B: NDArray  # first observation; keeps sums exact for values with a large offset
    # the newest seasonally adjusted observation as it was at each of those steps, less the
    # reference
    level_BL: NDArray
    smooth_BA: NDArray
    # decayed sums that the scale is made of: absolute changes, their number, the rest of the prior
    scale_B3: NDArray
    age_B: NDArray  # observations read
    seasons: tuple[SeasonState, ...]


class Inputs(NamedTuple):
    """Network inputs of T steps, and what turns the head's answers back into units."""

    x_BTC: NDArray  # float32
    begun_BT: NDArray  # false before the first observation
    level_BT: NDArray
    scale_BT: NDArray
    seasonal_BTH: NDArray  # known at t for t+1 … t+H, on the reading axis


def to_axis(values: NDArray, log: bool) -> NDArray:
    """Observations on the reading axis: their logarithms, or themselves."""
    return np.log(values) if log else np.asarray(values, float)


def from_axis(z: NDArray, log: bool) -> NDArray:
    """The inverse of `to_axis`; beyond the largest and the smallest positive float it stops
    there."""
    return np.exp(np.clip(z, -744.0, 709.0)) if log else z


def start(batch: int, periods: tuple[int, ...], config: InputConfig) -> InputState:
    """State before the first observation of `batch` series with the given seasonal periods (1 is
    no season)."""
    periods = seasonal(periods)
    tail = max((config.window, *periods))
    zeros = np.zeros(batch)
    tables = (np.zeros((batch, m)) for m in periods)
    seasons = tuple(
        SeasonState(table, table, table, table, zeros, zeros, zeros) for table in tables
    )
    return InputState(
        z_BL=np.full((batch, tail), np.nan),
        seen_BL=np.zeros((batch, tail), bool),
        reference_B=np.full(batch, np.nan),
        level_BL=np.zeros((batch, tail)),
        smooth_BA=np.zeros((batch, len(SMOOTHING))),
        scale_B3=np.tile([0.0, 0.0, 1.0], (batch, 1)),
        age_B=zeros,
        seasons=seasons,
    )


def seasonal(periods: tuple[int, ...]) -> tuple[int, ...]:
    """The periods that are seasons: ascending, without 1."""
    if any(m < 1 for m in periods):
        raise UsageError(f"A seasonal period is a number of steps, at least 1, but got {periods}.")
    return tuple(sorted({m for m in periods if m > 1}))


def advance(
    state: InputState,
    z_BT: NDArray,
    periods: tuple[int, ...],
    family: str,
    log: bool,
    config: InputConfig,
) -> tuple[Inputs, InputState]:
    """Read T more observations of each series (NaN = missing): the network's inputs at each of
    them, and the new state.

    Leading NaN of a series that has not begun cost nothing: series of unequal lengths are read
    right-aligned.
    """
    T = z_BT.shape[1]
    tail = state.z_BL.shape[1]
    reference_B = _first_known(state.reference_B, z_BT)
    z_BU = np.concatenate([state.z_BL, z_BT - reference_B[:, None]], axis=1)  # U = L + T
    known_BU = ~np.isnan(z_BU)
    seen_BU = np.concatenate(
        [state.seen_BL, state.seen_BL[:, -1:] | np.maximum.accumulate(known_BU[:, tail:], 1)], 1
    )
    filled_BU = np.where(known_BU, z_BU, 0.0)
    age_BT = state.age_B[:, None] + np.cumsum(known_BU[:, tail:], axis=1)

    seasons, shares_PBT, total = _read_seasons(
        state.seasons, seasonal(periods), filled_BU, known_BU, seen_BU, T, config
    )
    adjusted_BTW, known_BTW, level_BU = _adjusted_window(
        state.level_BL, filled_BU, known_BU, total.past_BTW
    )
    level_BT = level_BU[:, tail:]
    scale_BT, scale_B3 = _running_scale(
        state.scale_B3, adjusted_BTW, known_BTW, total.settled_BT, periods, log
    )
    smooth_BTA = _smooth(state.smooth_BA, level_BT, known_BTW[:, :, 0], age_BT)

    # nothing has changed yet: nothing to see
    unit_BT1 = np.where(scale_BT > 0, scale_BT, np.inf)[:, :, None]
    relative_BTW = np.clip((adjusted_BTW - level_BT[:, :, None]) / unit_BT1, -CLIP, CLIP)
    channels = [
        relative_BTW[:, :, 1:],
        known_BTW,
        np.clip((smooth_BTA - level_BT[:, :, None]) / unit_BT1, -CLIP, CLIP),
        _context(relative_BTW, scale_BT, age_BT, shares_PBT, periods, log),
        np.broadcast_to(_one_hot(family), (*age_BT.shape, len(FAMILIES))),
        *(np.clip(part_BTH / unit_BT1, -CLIP, CLIP) for part_BTH in total[1:4]),
    ]
    x_BTC = np.concatenate([np.asarray(part, np.float32) for part in channels], axis=2)
    begun_BT = seen_BU[:, tail:]
    x_BTC *= begun_BT[:, :, None]
    new = InputState(
        z_BU[:, -tail:],
        seen_BU[:, -tail:],
        reference_B,
        level_BU[:, -tail:],
        smooth_BTA[:, -1],
        scale_B3,
        age_BT[:, -1],
        seasons,
    )
    absolute_BT = np.where(begun_BT, level_BT + reference_B[:, None], 0.0)
    return Inputs(x_BTC, begun_BT, absolute_BT, scale_BT, total.expected_BTH), new


class _Seasonal(NamedTuple):
    """Sum over the periods, at every step: for the W newest steps and for the next H."""

    past_BTW: NDArray
    expected_BTH: NDArray  # each period times its share: what is taken out of the target
    doubted_BTH: NDArray  # what the shares left out
    recent_BTH: NDArray  # last cycles less the long-run indices
    settled_BT: NDArray  # whether a season became known at this step


def _first_known(reference_B: NDArray, z_BT: NDArray) -> NDArray:
    known_BT = ~np.isnan(z_BT)
    first_B = z_BT[np.arange(len(z_BT)), known_BT.argmax(axis=1)]  # NaN where nothing is known
    return np.where(np.isnan(reference_B), first_B, reference_B)


def _read_seasons(
    states: tuple[SeasonState, ...],
    periods: tuple[int, ...],
    z_BU: NDArray,
    known_BU: NDArray,
    seen_BU: NDArray,
    T: int,
    config: InputConfig,
) -> tuple[tuple[SeasonState, ...], list[NDArray], _Seasonal]:
    """Each period explains what the shorter ones left."""
    B = len(z_BU)
    W, H = config.window, config.horizon
    nothing = np.zeros((B, T, H))
    total = _Seasonal(np.zeros((B, T, W)), nothing, nothing, nothing, np.zeros((B, T), bool))
    explained: list[tuple[_Indices, NDArray]] = []
    new, shares = [], []
    for state, m in zip(states, periods, strict=True):
        known_BT, deviation_BT = _deviation(z_BU, known_BU, seen_BU, m, T)
        inner = max((shorter for shorter in periods if shorter < m and m % shorter == 0), default=m)
        for shorter, share_BT in explained:
            # else the daily part of a weekly table is taken out of the whole table
            if m % shorter.m:
                deviation_BT = deviation_BT - share_BT * shorter.at(-(m // 2))
        slow = _decayed_means(state.slow_BM, state.slow_weight_BM, deviation_BT, known_BT, SLOW)
        fast = _decayed_means(state.fast_BM, state.fast_weight_BM, deviation_BT, known_BT, FAST)
        indices, recent = _Indices(*slow, m, T, inner), _Indices(*fast, m, T, inner)
        lag = inner if inner < m else max(1, m // 6)
        change_BT = _change(z_BU, known_BU, lag, T)
        for shorter, share_BT in explained:
            change_BT = change_BT - share_BT * shorter.foretold_change(lag)
        share_BT, sums = _share(state, change_BT, indices.foretold_change(lag))
        ahead_BTH = indices.range(1, H + 1)
        total = _Seasonal(
            total.past_BTW + share_BT[:, :, None] * indices.range(0, -W, -1),
            total.expected_BTH + share_BT[:, :, None] * ahead_BTH,
            total.doubted_BTH + (1 - share_BT[:, :, None]) * ahead_BTH,
            total.recent_BTH + recent.range(1, H + 1) - ahead_BTH,
            total.settled_BT | indices.settled(),
        )
        explained.append((indices, share_BT))
        shares.append(share_BT)
        new.append(
            SeasonState(slow[0][:, -m:], slow[1][:, -m:], fast[0][:, -m:], fast[1][:, -m:], *sums)
        )
    return tuple(new), shares, total


def _change(z_BU: NDArray, known_BU: NDArray, lag: int, T: int) -> NDArray:
    """z_t − z_{t − lag} for the last T steps; NaN where one of the two is missing."""
    now, before = (
        slice(z_BU.shape[1] - T, None),
        slice(z_BU.shape[1] - T - lag, z_BU.shape[1] - lag),
    )
    return np.where(known_BU[:, now] & known_BU[:, before], z_BU[:, now] - z_BU[:, before], np.nan)


def _deviation(
    z_BU: NDArray, known_BU: NDArray, seen_BU: NDArray, m: int, T: int
) -> tuple[NDArray, NDArray]:
    """z − centred moving average over one cycle, for the step m//2 before each of the last T;
    and where it is known."""
    tail = z_BU.shape[1] - T
    total_BT, weight_BT = (_centred_sum(part, m, tail) for part in (z_BU, known_BU.astype(float)))
    centre = slice(tail - m // 2, z_BU.shape[1] - m // 2)
    whole_BT = seen_BU[:, tail - 2 * (m // 2) : z_BU.shape[1] - 2 * (m // 2)]  # the cycle had begun
    known_BT = known_BU[:, centre] & whole_BT & (weight_BT >= 0.6 * m)
    return known_BT, z_BU[:, centre] - total_BT / np.maximum(weight_BT, 1.0)


def _centred_sum(values_BU: NDArray, m: int, tail: int) -> NDArray:
    """Sum over the cycle that ends at each step from `tail` on; an even cycle takes half of both
    its ends."""
    sums = np.concatenate([np.zeros((len(values_BU), 1)), np.cumsum(values_BU, axis=1)], axis=1)
    end = values_BU.shape[1]
    if m % 2:
        return sums[:, tail + 1 :] - sums[:, tail + 1 - m : end + 1 - m]
    ends = values_BU[:, tail:] + values_BU[:, tail - m : end - m]
    return sums[:, tail + 1 :] - sums[:, tail - m : end - m] - 0.5 * ends


def _decayed_means(
    sum_BM: NDArray, weight_BM: NDArray, deviation_BT: NDArray, known_BT: NDArray, decay: float
) -> tuple[NDArray, NDArray]:
    """Decayed sums and weights per phase: a step starts from the one a cycle before. First come
    the m old columns."""
    m, T = sum_BM.shape[1], deviation_BT.shape[1]
    sums = np.concatenate([sum_BM, np.zeros_like(deviation_BT)], axis=1)
    weights = np.concatenate([weight_BM, np.zeros_like(deviation_BT)], axis=1)
    for first in range(0, T, m):
        last = min(first + m, T)
        old, new = slice(first, last), slice(m + first, m + last)
        known = known_BT[:, old]
        sums[:, new] = np.where(known, decay * sums[:, old] + deviation_BT[:, old], sums[:, old])
        weights[:, new] = np.where(known, decay * weights[:, old] + 1.0, weights[:, old])
    return sums, weights


class _Indices:
    """Seasonal indices of one period as known at each of T steps, for any distance from that
    step."""

    def __init__(self, sums: NDArray, weights: NDArray, m: int, T: int, inner: int) -> None:
        known = weights > 0
        # (B, m + T): one step per new phase
        mean = np.where(known, sums / np.where(known, weights, 1.0), 0.0)
        # One step earlier too: (B, 1 + T).
        count, total = (_rolling_sum(part, m) for part in (known.astype(float), mean))
        whole = count >= 0.9 * m  # less than a cycle is no season
        self._whole, self._whole_before = whole[:, 1:], whole[:, :-1]
        self._centre = (total / np.maximum(count, 1.0))[:, 1:]
        self._mean, self._known, self.m, self._T = mean, known, m, T
        self._inner, self._inner_mean = inner, _strided_mean(mean, m, inner)

    def at(self, distance: int, asof: int = 0) -> NDArray:
        """Index for the step `distance` after each step (B, T), as known `asof` steps before it."""
        columns = self._columns(self.m, distance, asof)
        index = self._mean[:, columns]
        if self._inner < self.m:
            index = index - self._inner_mean[:, self._columns(self._inner, distance, asof)]
        elif not asof:  # for differences the centre cancels
            index = index - self._centre
        return index if asof else np.where(self._whole & self._known[:, columns], index, 0.0)

    def range(self, start: int, stop: int, step: int = 1) -> NDArray:
        """Indices for several distances (B, T, len(range))."""
        return np.stack([self.at(distance) for distance in range(start, stop, step)], axis=2)

    def foretold_change(self, lag: int) -> NDArray:
        """What the indices known one step earlier said about the change over the last `lag`
        steps (B, T)."""
        change = self.at(0, asof=1) - self.at(-lag, asof=1)
        return np.where(self._whole_before, change, 0.0)

    def settled(self) -> NDArray:
        """Whether the indices became known at each step (B, T)."""
        return self._whole & ~self._whole_before

    def _columns(self, cycle: int, distance: int, asof: int) -> slice:
        """Where the newest index of that phase of a cycle stands, as known at each step."""
        ahead = distance + asof + self.m // 2  # of the newest step with an index
        first = self.m + ahead - cycle * -(-ahead // cycle) - asof
        return slice(first, first + self._T)


def _strided_mean(mean: NDArray, m: int, inner: int) -> NDArray:
    """Mean over the last m columns of those a multiple of `inner` back: what an inner cycle
    repeats of a table."""
    if inner == m:
        return mean
    total = np.zeros_like(mean)
    for back in range(0, m, inner):
        total[:, back:] += mean[:, : mean.shape[1] - back]
    return total * inner / m


def _rolling_sum(values: NDArray, m: int) -> NDArray:
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    return sums[:, m:] - sums[:, :-m]


def _share(
    state: SeasonState, change_BT: NDArray, foretold_BT: NDArray
) -> tuple[NDArray, tuple[NDArray, ...]]:
    """How much of the seasonal indices to believe: regression of the changes that came on the
    changes foretold."""
    use = ~np.isnan(change_BT) & (foretold_BT != 0)
    change = np.where(use, change_BT, 0.0)
    foretold = np.where(use, foretold_BT, 0.0)
    product = state.product_B[:, None] + np.cumsum(change * foretold, axis=1)
    square = state.square_B[:, None] + np.cumsum(foretold**2, axis=1)
    count = state.count_B[:, None] + np.cumsum(use, axis=1)
    sums = (product[:, -1], square[:, -1], count[:, -1])
    return _shrunk(product, square, count), sums


def _shrunk(product: NDArray, square: NDArray, count: NDArray) -> NDArray:
    slope = product / np.where(square > 0, square, 1.0)
    return np.clip((count * slope + PRIOR_WEIGHT * PRIOR_SHARE) / (count + PRIOR_WEIGHT), 0.0, 1.0)


def _adjusted_window(
    level_BL: NDArray, z_BU: NDArray, known_BU: NDArray, past_BTW: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """The W newest values less their seasonal part, newest first; a missing one repeats the
    level known at its time."""
    T, W = past_BTW.shape[1:]
    tail = level_BL.shape[1]
    level_BT = _carry_forward(
        level_BL[:, -1], z_BU[:, tail:] - past_BTW[:, :, 0], known_BU[:, tail:]
    )
    level_BU = np.concatenate([level_BL, level_BT], axis=1)
    columns_TW = tail + np.arange(T)[:, None] - np.arange(W)
    known_BTW = known_BU[:, columns_TW]
    adjusted_BTW = np.where(known_BTW, z_BU[:, columns_TW] - past_BTW, level_BU[:, columns_TW])
    return adjusted_BTW, known_BTW, level_BU


def _carry_forward(before_B: NDArray, values_BT: NDArray, known_BT: NDArray) -> NDArray:
    """Each unknown value becomes the newest known one, or `before_B`."""
    newest = np.maximum.accumulate(
        np.where(known_BT, np.arange(1, known_BT.shape[1] + 1), 0), axis=1
    )
    return np.take_along_axis(
        np.concatenate([before_B[:, None], values_BT], axis=1), newest, axis=1
    )


def _running_scale(
    sums_B3: NDArray,
    adjusted_BTW: NDArray,
    known_BTW: NDArray,
    settled_BT: NDArray,
    periods: tuple[int, ...],
    log: bool,
) -> tuple[NDArray, NDArray]:
    """Mean absolute change of the adjusted series (B, T), slowly forgetting; on the log axis it
    starts from a prior.

    Before a season is known, its ups and downs count as changes: most of them is forgotten when it
    becomes known.
    """
    use_BT = known_BTW[:, :, 0] & known_BTW[:, :, 1]
    change_BT = np.where(use_BT, np.abs(adjusted_BTW[:, :, 0] - adjusted_BTW[:, :, 1]), 0.0)
    new_BT3 = np.stack([change_BT, use_BT, np.zeros_like(change_BT)], axis=2)
    memory = max(SHORTEST_MEMORY, MEMORY_CYCLES * min(seasonal(periods), default=1))
    keep_BT = np.where(use_BT, 1.0 - 1.0 / memory, 1.0) * np.where(settled_BT, RELEARN, 1.0)
    sums_BT3 = np.empty_like(new_BT3)
    for t in range(new_BT3.shape[1]):
        sums_B3 = keep_BT[:, t, None] * sums_B3 + new_BT3[:, t]
        sums_BT3[:, t] = sums_B3
    change_BT, count_BT, prior_BT = np.moveaxis(sums_BT3, 2, 0)
    if log:
        weight_BT = LOG_PRIOR_COUNT * prior_BT
        scale_BT = (change_BT + weight_BT * LOG_PRIOR_SCALE) / (count_BT + weight_BT)
    else:
        scale_BT = change_BT / np.where(count_BT > 0, count_BT, 1.0)
    return scale_BT, sums_B3


def _smooth(smooth_BA: NDArray, level_BT: NDArray, known_BT: NDArray, age_BT: NDArray) -> NDArray:
    """Exponential smoothing of the level (Brown 1959), each constant's starting as a plain mean
    (B, T, A)."""
    result = np.empty((*level_BT.shape, len(SMOOTHING)))
    for t in range(level_BT.shape[1]):
        weight_BA = (
            np.maximum(SMOOTHING, 1.0 / np.maximum(age_BT[:, t, None], 1.0)) * known_BT[:, t, None]
        )
        smooth_BA = smooth_BA + weight_BA * (level_BT[:, t, None] - smooth_BA)
        result[:, t] = smooth_BA
    return result


def _context(
    relative_BTW: NDArray,
    scale_BT: NDArray,
    age_BT: NDArray,
    shares_PBT: list[NDArray],
    periods: tuple[int, ...],
    log: bool,
) -> NDArray:
    """About the whole series: scale, recent against usual change, age, trust in the season, its
    length, the axis."""
    recent_BT = np.abs(np.diff(relative_BTW, axis=2)).mean(axis=2)
    share_BT = shares_PBT[0] if shares_PBT else np.zeros_like(age_BT)
    longest = max(periods, default=1)
    parts = [
        np.log(scale_BT) + 3.0 if log else np.zeros_like(scale_BT),
        np.log(recent_BT + 0.05),
        np.log1p(np.minimum(age_BT, CONTEXT)) - 3.5,
        share_BT,
        np.full_like(age_BT, np.log(longest) - 1.5),
        np.full_like(age_BT, 1.0 if log else -1.0),
    ]
    return np.stack(parts, axis=2)


def _one_hot(family: str) -> NDArray:
    """Code of the family of frequencies; all zeros for one that is not known."""
    return np.array([float(family == name) for name in FAMILIES], np.float32)
