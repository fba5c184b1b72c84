"""Few values: a straight line goes on, and a season that was seen once comes again.

With up to two cycles no candidate can be tried, and the network believes in little. Its forecast is
moved towards the line through the values, the more they look like one, and towards the last cycle,
the more the values of one cycle are like those of the one before. The weights were chosen on the
last 4 to 36 values before the validation windows of real series.

    O origins · R some of them · G those with equally many values · T values · H horizon
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import shortest_season
from lstmcast.data.origins import Origins, window
from lstmcast.data.panel import Panel
from lstmcast.evaluation.candidates import Cycle, span
from lstmcast.evaluation.held_out import HeldOut, Tried
from lstmcast.forecast import Combination
from lstmcast.model.heads import MEDIAN

FEWEST, MOST = 4, 12  # values of which a line may be made
# mean change, in standard deviations of the changes, at which a line has half the weight, and below
# which it has none
STRAIGHT, CROOKED = 5.0, 2.0
# largest weight of the last cycle; where changes over a cycle are so many times as large as those
# over a step it has none
CYCLE, UNLIKE = 0.9, 1.4
LINE = "straight line"


class Few(NamedTuple):
    """What few values say of the steps after them, and its weight (R,): two simple forecasts."""

    line_RH: NDArray
    line_weight_R: NDArray
    cycle_RH: NDArray
    cycle_weight_R: NDArray

    @property
    def weight_R(self) -> NDArray:
        """The weight of both beside the rest of the forecast."""
        return 1 - (1 - self.line_weight_R) * (1 - self.cycle_weight_R)

    @classmethod
    def none(cls, count: int, horizon: int) -> Few:
        """Of so many forecasts that nothing is said of."""
        unknown_RH = np.zeros((count, horizon))
        no_weight_R = np.zeros(count)
        return cls(unknown_RH, no_weight_R, unknown_RH.copy(), no_weight_R.copy())

    @classmethod
    def of(cls, panel: Panel, origins: Origins, horizon: int) -> Few | None:
        """What the values before each origin say; None where none has few enough."""
        season = shortest_season(panel.periods)
        counts_R = origins.counts
        is_few_R = (counts_R >= FEWEST) & (counts_R <= max(MOST, 2 * season))
        if not is_few_R.any():
            return None
        simple = cls.none(len(counts_R), horizon)
        for count in np.unique(counts_R[is_few_R]).tolist():
            rows_G = np.flatnonzero(counts_R == count)
            alike = Origins(origins.series[rows_G], counts_R[rows_G])
            values_GT = window(panel, alike, count)
            is_known_G = np.isfinite(values_GT).all(axis=1)
            simple._put(rows_G[is_known_G], values_GT[is_known_G], season)
        return simple

    def _put(self, rows_G: NDArray, values_GT: NDArray, season: int) -> None:
        """The same with series of equally many values."""
        count, steps_H = values_GT.shape[1], np.arange(self.line_RH.shape[1])
        change_GT = np.diff(values_GT, axis=1)
        if count <= MOST:
            slope_G = change_GT.mean(axis=1)
            ahead_GH = slope_G[:, None] * (1 + steps_H)
            self.line_RH[rows_G] = values_GT[:, -1:] + ahead_GH
            self.line_weight_R[rows_G] = _straightness(change_GT)
        if season < count <= 2 * season:
            self.cycle_RH[rows_G] = values_GT[:, -season:][:, steps_H % season]
            self.cycle_weight_R[rows_G] = _likeness(values_GT, season)

    def moved(self, quantiles_RHQ: NDArray) -> NDArray:
        """Quantiles moved towards what few values say: as ratios to a cycle, where all are
        positive; as they are to a line."""
        median_RH = quantiles_RHQ[..., MEDIAN]
        is_positive_RH = (quantiles_RHQ > 0).all(axis=2) & (self.cycle_RH > 0)
        weight_R1 = self.cycle_weight_R[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio_RH = (self.cycle_RH / median_RH) ** weight_R1
        ratio_RH1 = np.where(is_positive_RH, ratio_RH, 1.0)[..., None]
        away_RH = weight_R1 * (self.cycle_RH - median_RH)
        away_RH1 = np.where(is_positive_RH, 0.0, away_RH)[..., None]
        moved_RHQ = quantiles_RHQ * ratio_RH1 + away_RH1
        to_line_RH = self.line_RH - moved_RHQ[..., MEDIAN]
        by_line_RH = self.line_weight_R[:, None] * to_line_RH
        return moved_RHQ + by_line_RH[..., None]


def _straightness(change_GT: NDArray) -> NDArray:
    """How much values with these changes look like a straight line (G,), from 0 to 1.

    >>> _straightness(np.array([[2.0, 2.0, 2.0], [3.0, 4.0, 5.0], [0.0, 1.0, 2.0]])).round(2)
    array([1.  , 0.39, 0.  ])
    """
    slope_G = change_GT.mean(axis=1)
    noise_G = change_GT.std(axis=1, ddof=1)
    total_G = slope_G**2 + (STRAIGHT * noise_G) ** 2
    weight_G = slope_G**2 / np.where(total_G > 0, total_G, 1.0)
    return np.where(np.abs(slope_G) < CROOKED * noise_G, 0.0, weight_G)


def _likeness(values_GT: NDArray, season: int) -> NDArray:
    """The weight of the last cycle (G,): more, the more often and the more closely values agree
    with those one cycle before.

    >>> _likeness(np.array([[1.0, 9, 1, 9], [1.0, 2, 3, 4], [5.0, 5, 5, 5]]), 2).round(2)
    array([0.6, 0. , 0. ])
    """
    pairs = values_GT.shape[1] - season
    over_cycle_G = np.abs(values_GT[:, season:] - values_GT[:, :-season]).mean(axis=1)
    over_step_G = np.abs(np.diff(values_GT, axis=1)).mean(axis=1)
    is_level_G = over_step_G == 0
    ratio_G = over_cycle_G / np.where(is_level_G, 1.0, over_step_G)
    weight_G = CYCLE * np.maximum(1 - ratio_G / UNLIKE, 0.0) * pairs / (pairs + 1)
    return np.where(is_level_G, 0.0, weight_G)


def with_few(
    batches: Iterable[tuple[slice, Tried]], panel: Panel, held_out: HeldOut
) -> Iterator[tuple[slice, Tried]]:
    """The forecasts, moved where few values were known, at the origins and before them."""
    for rows, forecasts in batches:
        batch = held_out.rows(rows)
        before_OJHQ = forecasts.before_OJHQ
        cutoffs = batch.counts_OJ.shape[1]
        cutoff_series = np.repeat(batch.origins.series, cutoffs)
        at_cutoffs = Origins(cutoff_series, batch.counts_OJ.ravel())
        at_cutoffs_RHQ = before_OJHQ.reshape(-1, *before_OJHQ.shape[2:])
        before_OJHQ = _moved(at_cutoffs_RHQ, panel, at_cutoffs).reshape(
            before_OJHQ.shape
        )
        quantiles_OHQ = _moved(forecasts.quantiles_OHQ, panel, batch.origins)
        forecasts = forecasts._replace(
            quantiles_OHQ=quantiles_OHQ, before_OJHQ=before_OJHQ
        )
        yield rows, forecasts


def _moved(quantiles_RHQ: NDArray, panel: Panel, origins: Origins) -> NDArray:
    simple = Few.of(panel, origins, quantiles_RHQ.shape[1])
    if simple is None or not simple.weight_R.any():
        return quantiles_RHQ
    return np.where(
        simple.weight_R[:, None, None] > 0, simple.moved(quantiles_RHQ), quantiles_RHQ
    )


def shares_with_few(
    combination: Combination | None, panel: Panel, origins: Origins
) -> Combination | None:
    """The shares, with those of the line and the cycle through few values, which are not used
    beside columns that are known in advance."""
    if combination is None or panel.covariates.future:
        return combination
    simple = Few.of(panel, origins, 1)
    if simple is None or not simple.weight_R.any():
        return combination
    rest_R1 = 1 - simple.weight_R[:, None]
    shares = {
        name: combination.shares[:, place] * rest_R1[:, 0]
        for place, name in enumerate(combination.names)
    }
    cycle = Cycle(
        season := shortest_season(panel.periods), span(panel.frequency, season)
    )
    extra = {cycle.name: simple.cycle_weight_R * (1 - simple.line_weight_R)}
    extra[LINE] = simple.line_weight_R
    for name, share_R in extra.items():
        if share_R.any():
            shares[name] = shares.get(name, 0.0) + share_R
    return Combination(tuple(shares), np.stack(list(shares.values()), axis=1))
