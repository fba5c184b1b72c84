"""Series that are mostly 0: quantiles are averaged with those of recent values.

The network forecasts smooth quantiles, unlike those of demand with zeros and small numbers. The
more of the newest values are 0, the larger the weight of their quantiles, except if zeros are
seasonal, such as solar power at night.

N positions where forecasts begin · W newest values · H horizon · Q quantiles of the head
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.heads import HEAD_QUANTILES

NEWEST = 56  # values: eight weeks of days
FEWEST = 16  # known ones
# Shares of zeros from which the own quantiles begin to count, and count alone.
SOME, MOST = 0.4, 0.8
AGREEMENT = 0.3  # of zeros with those a season before, beyond chance: Cohen's kappa


def with_own_past(
    values_NHQ: NDArray, newest_NW: NDArray, root_N: NDArray, season: int = 1
) -> NDArray:
    """Quantiles averaged with those of the newest values (NaN = unknown), in the units of the data,
    of the series that are read as square roots; `season`: the shortest.

    >>> zeros = np.where(np.arange(56) % 7 == 3, 2.0, 0.0)[None]
    >>> with_own_past(np.full((1, 1, 7), 0.6), zeros, np.array([True])).round(1)
    array([[[0., 0., 0., 0., 0., 2., 2.]]])
    """
    count_N = (~np.isnan(newest_NW)).sum(axis=1)
    zeros_N = (newest_NW == 0).sum(axis=1)
    share_N = zeros_N / np.maximum(count_N, 1)
    weight_N = np.clip((share_N - SOME) / (MOST - SOME), 0.0, 1.0)
    usable_N = root_N & (count_N >= FEWEST) & (weight_N > 0)
    rows = np.flatnonzero(usable_N & ~_come_with_season(newest_NW, season))
    if not len(rows) or values_NHQ.shape[2] != len(HEAD_QUANTILES):
        return values_NHQ
    weight_R11 = weight_N[rows, None, None]
    past_R1Q = _quantiles(newest_NW[rows], count_N[rows])[:, None]
    mixed_NHQ = values_NHQ.copy()
    mixed_NHQ[rows] = (1 - weight_R11) * values_NHQ[rows] + weight_R11 * past_R1Q
    return mixed_NHQ


def _come_with_season(newest_NW: NDArray, season: int) -> NDArray:
    """Whether zeros come with the season (N,), or could without being seen."""
    if season == 1:
        return np.zeros(len(newest_NW), bool)
    if 2 * season > newest_NW.shape[1]:
        return np.ones(len(newest_NW), bool)
    known_NW = ~np.isnan(newest_NW)
    is_pair_NW = known_NW[:, season:] & known_NW[:, :-season]
    count_N = np.maximum(is_pair_NW.sum(axis=1), 1)

    def share(is_so_NW: NDArray) -> NDArray:
        return (is_pair_NW & is_so_NW).sum(axis=1) / count_N

    zero_NW = newest_NW == 0
    is_now_NW = zero_NW[:, season:]
    was_before_NW = zero_NW[:, :-season]
    now_N = share(is_now_NW)
    before_N = share(was_before_NW)
    chance_N = now_N * before_N + (1 - now_N) * (1 - before_N)
    same_N = share(is_now_NW == was_before_NW)
    return same_N - chance_N > AGREEMENT * (1 - chance_N)


def _quantiles(newest_RW: NDArray, count_R: NDArray) -> NDArray:
    """One of the known values for each level (R, Q), as inverted distribution functions give it."""
    levels_Q = np.array(HEAD_QUANTILES)
    rank_RQ = np.ceil(levels_Q * count_R[:, None]).astype(np.int64) - 1
    sorted_RW = np.sort(newest_RW, axis=1)
    return np.take_along_axis(sorted_RW, np.maximum(rank_RQ, 0), axis=1)
