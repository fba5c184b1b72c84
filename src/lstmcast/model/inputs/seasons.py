"""Seasons as known at each step: indices of every period, and how much of them to believe.

A seasonal index is a decayed mean, per phase of its period, of the observation less the centred
moving average over one cycle; the newest one that is known at t belongs to step t − m//2. Each
period explains what the shorter ones left. Its *share*, how much of what it foretold came true, is
a regression of the changes that came on the changes that were foretold.

    B series of a batch · T steps · U steps with the tail before them · W window · H coming steps
    M steps of a period · P periods
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import UsageError

SLOW, FAST = 0.8, 0.3  # what is left of a seasonal deviation after one more cycle
PRIOR_WEIGHT, PRIOR_SHARE = 4.0, 0.5  # of the seasonal share, in observations


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


class Seasonal(NamedTuple):
    """Sum over the periods, at every step: for the W newest steps and for the next H."""

    past_BTW: NDArray
    expected_BTH: NDArray  # each period times its share: what is taken out of the target
    doubted_BTH: NDArray  # what the shares left out
    recent_BTH: NDArray  # last cycles less the long-run indices
    settled_BT: NDArray  # whether a season became known at this step


def seasonal(periods: tuple[int, ...]) -> tuple[int, ...]:
    """The periods that are seasons: ascending, without 1."""
    if any(m < 1 for m in periods):
        raise UsageError(f"A seasonal period is a number of steps, at least 1, but got {periods}.")
    return tuple(sorted({m for m in periods if m > 1}))


def start_seasons(rows: int, periods: tuple[int, ...]) -> tuple[SeasonState, ...]:
    """Nothing is known of any period."""
    zeros = np.zeros(rows)
    tables = (np.zeros((rows, m)) for m in periods)
    return tuple(SeasonState(table, table, table, table, zeros, zeros, zeros) for table in tables)


def read_seasons(
    states: tuple[SeasonState, ...],
    periods: tuple[int, ...],
    z_BU: NDArray,
    known_BU: NDArray,
    seen_BU: NDArray,
    T: int,
    window: int,
    horizon: int,
) -> tuple[tuple[SeasonState, ...], list[NDArray], Seasonal]:
    """Each period explains what the shorter ones left."""
    B = len(z_BU)
    W, H = window, horizon
    nothing = np.zeros((B, T, H))
    total = Seasonal(np.zeros((B, T, W)), nothing, nothing, nothing, np.zeros((B, T), bool))
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
        total = Seasonal(
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
