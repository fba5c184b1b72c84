"""Cold start: a series with little history is forecast like those with similar attributes.

Forecasts of products with similar attributes at the same time are mixed into one distribution,
weighted by similarity and shifted towards the level of the new series. The fewer values it has, the
larger is the weight of this mixture relative to the forecast of the network.

    O origins · S series · D similar series · H horizon · Q quantiles of the head
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.features import Covariates
from lstmcast.data.origins import Origins, known_counts, origin_times, window
from lstmcast.data.panel import Panel
from lstmcast.model.heads import HEAD_QUANTILES

# Known values from which a series is forecast alone; at most half of the longest series.
ENOUGH = 28
# Known values at which the mixture would get half the weight, before it fades out towards
# ENOUGH; and those at which the level of the series gets half the weight.
SHAPE_TRUST, LEVEL_TRUST = 16.0, 4.0
LIKE = "series like it"  # name of the mixture among the shares of a forecast
RECENT = 28  # newest values whose mean is the level
OTHER_CATEGORY, OTHER_NUMBER = 3.0, 1.0  # log-weight penalty for a different value
MOST = 200  # largest number of series to compare with
# Probability mass that each quantile represents: halfway to its neighbours.
_EDGES = np.array([0.0, *(sum(pair) / 2 for pair in pairwise(HEAD_QUANTILES)), 1.0])
MASS = np.diff(_EDGES)


def with_typical(
    panel: Panel, origins: Origins, quantiles_OHQ: NDArray
) -> tuple[NDArray, NDArray]:
    """Forecasts with those of young series shrunk towards similar series, and the weights (O,).

    Only series with enough history that are forecast from the same time are used.

    >>> series = {"old": [6.0] * 40, "new": [float("nan")]}
    >>> static = {"group": ["mugs", "mugs"]}
    >>> panel = Panel.from_arrays(series, start=[0, 39], static=static)
    >>> forecasts = np.stack([np.full((1, 7), 6.0), np.full((1, 7), np.nan)])
    >>> mixed, share = with_typical(panel, Origins(np.array([0, 1]), np.array([40, 1])), forecasts)
    >>> mixed[1].tolist(), share.tolist()
    ([[6.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0]], [0.0, 1.0])
    """
    share_O = np.zeros(len(origins.series))
    if not panel.covariates.static:
        return quantiles_OHQ, share_O
    young = Young.of(panel, origins, quantiles_OHQ)
    mixed_OHQ = quantiles_OHQ.copy()
    for origin in young.origins:
        like = young.like(origin)
        if not len(like):
            continue
        typical_HQ = young.typical(origin, like, quantiles_OHQ)
        network_HQ = quantiles_OHQ[origin]
        if np.isnan(network_HQ).any():
            share_O[origin] = 1.0
            mixed_OHQ[origin] = typical_HQ
            continue
        share = young.share_of_others(origin)
        share_O[origin] = share
        mixed_OHQ[origin] = share * typical_HQ + (1 - share) * network_HQ
    return mixed_OHQ, share_O


class Young(NamedTuple):
    """Origins with little history, and the data for finding similar ones."""

    origins: NDArray  # indices of these origins
    mature: NDArray  # indices of origins with enough history
    known_O: NDArray
    enough_O: NDArray
    level_O: NDArray
    times_O: NDArray
    distance: Distance
    series_O: NDArray
    negative_O: NDArray  # whether any value is negative

    @classmethod
    def of(cls, panel: Panel, origins: Origins, quantiles_OHQ: NDArray) -> Young:
        """The young origins of a forecast."""
        known_O = known_counts(panel, origins)
        times_O, _ = origin_times(panel, origins, 1)
        # only at the same time: a forecast must not depend on later cutoffs
        _, time_O = np.unique(times_O, return_inverse=True)
        most_T = np.zeros(len(known_O), np.int64)
        np.maximum.at(most_T, time_O, known_O)
        enough_O = np.minimum(ENOUGH, most_T[time_O] // 2)
        is_young_O = known_O < enough_O
        is_answered_O = np.isfinite(quantiles_OHQ).all(axis=(1, 2))
        return cls(
            origins=np.flatnonzero(is_young_O),
            mature=np.flatnonzero(~is_young_O & is_answered_O),
            known_O=known_O,
            enough_O=enough_O,
            level_O=_recent_level(panel, origins),
            times_O=times_O,
            distance=Distance.of(panel.covariates),
            series_O=origins.series,
            negative_O=_negative(panel, origins),
        )

    def share_of_others(self, origin: int) -> float:
        """The weight of the mixture of other series, which decreases with the number of known
        values."""
        count = float(self.known_O[origin])
        trust = SHAPE_TRUST / (SHAPE_TRUST + count)
        return trust * (1 - count / self.enough_O[origin])

    def like(self, origin: int) -> NDArray:
        """Indices of the most similar origins, nearest first (D,)."""
        is_same_time = self.times_O[self.mature] == self.times_O[origin]
        neighbours = self.mature[is_same_time]
        apart_D = self.distance.between(
            self.series_O[origin], self.series_O[neighbours]
        )
        nearest = np.argsort(apart_D, kind="stable")[:MOST]
        return neighbours[nearest]

    def typical(self, origin: int, like: NDArray, quantiles_OHQ: NDArray) -> NDArray:
        """The mixture of the forecasts of others (H, Q), shifted towards the level of the
        series."""
        count = self.known_O[origin]
        trust = count / (count + LEVEL_TRUST)
        level = self.level_O[origin]
        level_D = self.level_O[like]
        values_DHQ = quantiles_OHQ[like]
        has_negative = self.negative_O[[origin, *like]].any()
        if has_negative:
            values_DHQ = values_DHQ + trust * (level - level_D)[:, None, None]
        else:
            # a level of 0 is treated as small: a tenth of the usual one
            smallest = 0.1 * max(float(level_D.mean()), 1e-12)
            ratio_D = np.maximum(level, smallest) / np.maximum(level_D, smallest)
            ratio_D = ratio_D**trust
            values_DHQ = values_DHQ * ratio_D[:, None, None]
        apart_D = self.distance.between(self.series_O[origin], self.series_O[like])
        return mixture(values_DHQ, np.exp(-apart_D))


def _recent_level(panel: Panel, origins: Origins) -> NDArray:
    """The mean of the newest values (O,), 0 if none is known."""
    recent_OW = window(panel, origins, RECENT)
    count_O = np.isfinite(recent_OW).sum(axis=1)
    total_O = np.nan_to_num(recent_OW).sum(axis=1)
    return total_O / np.maximum(count_O, 1)


def _negative(panel: Panel, origins: Origins) -> NDArray:
    """Whether a known value at an origin is negative (O,)."""
    below = np.concatenate([[0], np.cumsum(panel.values < 0)])
    begin = panel.offsets[origins.series]
    return below[begin + origins.counts] > below[begin]


class Distance(NamedTuple):
    """Dissimilarity of series by attributes: the sum of penalties for differences."""

    categories_SC: NDArray  # NaN = unknown, which matches nothing
    numbers_SN: NDArray  # in standard deviations; 0 if unknown

    @classmethod
    def of(cls, covariates: Covariates) -> Distance:
        """The distance given by the static columns of a panel."""
        columns = covariates.static
        levels = covariates.static_levels
        series_count = len(next(iter(columns.values())))
        empty_S0 = np.empty((series_count, 0))
        categories = [columns[name][:, None] for name in levels]
        numbers = [
            standardised(column)[:, None]
            for name, column in columns.items()
            if name not in levels
        ]
        return cls(
            categories_SC=np.concatenate([empty_S0, *categories], axis=1),
            numbers_SN=np.concatenate([empty_S0, *numbers], axis=1),
        )

    def between(self, series: int, others_D: NDArray) -> NDArray:
        """Distances from a series to others (D,)."""
        other_DC = self.categories_SC[others_D] != self.categories_SC[series]
        apart_DN = np.abs(self.numbers_SN[others_D] - self.numbers_SN[series])
        return OTHER_CATEGORY * other_DC.sum(axis=1) + OTHER_NUMBER * apart_DN.sum(
            axis=1
        )


def standardised(values_S: NDArray) -> NDArray:
    """Numbers in standard deviations from their mean, 0 if unknown.

    >>> standardised(np.array([1.0, 3.0, np.nan]))
    array([-1.,  1.,  0.])
    """
    observed = values_S[np.isfinite(values_S)]
    if not len(observed):
        return np.zeros_like(values_S)
    spread = float(observed.std()) or 1.0
    return np.nan_to_num((values_S - observed.mean()) / spread)


def mixture(values_DHQ: NDArray, weight_D: NDArray) -> NDArray:
    """Quantiles (H, Q) of a mixture of distributions given by quantiles.

    >>> mixture(np.stack([np.zeros((1, 7)), np.full((1, 7), 8.0)]), np.array([3.0, 1.0]))
    array([[0., 0., 0., 0., 6., 8., 8.]])
    """
    D, H, Q = values_DHQ.shape
    pooled_HX = values_DHQ.transpose(1, 0, 2).reshape(H, D * Q)
    weight_X = (weight_D[:, None] * MASS).ravel()
    order_HX = np.argsort(pooled_HX, axis=1, kind="stable")
    value_HX = np.take_along_axis(pooled_HX, order_HX, axis=1)
    weight_HX = weight_X[order_HX]
    below_HX = np.cumsum(weight_HX, axis=1) - weight_HX / 2
    below_HX /= weight_X.sum()
    quantiles = [
        np.interp(HEAD_QUANTILES, below_X, value_X)
        for below_X, value_X in zip(below_HX, value_HX, strict=True)
    ]
    return np.stack(quantiles)
