"""Daily counts of many series: the newest values of each, in the week that they share.

Quantiles of eight weeks of a series say what a few pieces a day look like, but its own week is lost
in chance. So the values are divided by a week that the series of the panel share, and the
quantiles of the result are multiplied by it. They are averaged with the forecast by the losses of
both at held-out cutoffs. The shared week is renewed each week, from what all had observed by then.

    S series · W weeks · D days of a week · R forecasts · N newest values
    O origins · J held-out cutoffs of each · H horizon · Q quantile levels
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import shortest_season
from lstmcast.data.origins import Origins, window
from lstmcast.data.panel import Panel
from lstmcast.evaluation.held_out import HeldOut, Tried
from lstmcast.evaluation.trust import average_of
from lstmcast.evaluation.weights import FADE, TRUST
from lstmcast.model.heads import HEAD_QUANTILES

DAYS = 7
WEEKS = 8  # newest ones, of which both the shared week and the values are
FEWEST_SERIES, MOST_SERIES = 5, 200  # series of counts that share a week, taken evenly
FEWEST = 28  # known values that quantiles are made of
LARGEST = 3.0  # medians of the levels: no series says more of the shared week
CLOSED = 0.05  # of the mean of a week: values of such days say nothing of others
SILENT, CHANCE = 5, 1e-6  # weeks without a sale, and their probability, of closed days
POWER = 8.0  # of the losses beside each other
LEVELS = np.array(HEAD_QUANTILES)
NAME = "own values in the shared week"


class SharedWeek(NamedTuple):
    """The share of each day after each week of a panel (W, D), 1 in the mean of a week; NaN where
    fewer than five series say it; and whether no series sells on it, which is no chance.

    `first_S`: days from the first week to each series.
    """

    shape_WD: NDArray
    closed_WD: NDArray
    first_S: NDArray
    is_count_S: NDArray

    @classmethod
    def of(cls, panel: Panel) -> SharedWeek | None:
        """The week of the counts of a panel; None if they are not daily, or too few."""
        frequency = panel.frequency
        is_count_S = panel.kinds == "count"
        is_daily = frequency.unit == "day" and frequency.every == 1
        has_week = is_daily and shortest_season(panel.periods) == DAYS
        if not has_week or is_count_S.sum() < FEWEST_SERIES:
            return None
        day_S = panel.starts.astype("datetime64[D]").astype(np.int64)
        begin = day_S.min() - day_S.min() % DAYS
        first_S = day_S - begin
        values_SWD = _by_week(panel, np.flatnonzero(is_count_S), first_S)
        return cls(_shape(values_SWD), _closed(values_SWD), first_S, is_count_S)

    def quantiles(self, panel: Panel, origins: Origins, horizon: int) -> NDArray:
        """Quantiles of the newest values of each, in the shared week (R, H, Q); NaN where the week
        or the values are not known."""
        day_R, week_R, is_said_R = self._places(origins)
        shape_RD = np.where(is_said_R[:, None], self.shape_WD[week_R], np.nan)
        newest_RN = window(panel, origins, WEEKS * DAYS)
        past_days = np.arange(-WEEKS * DAYS, 0)
        past_RN = _on_days(shape_RD, day_R, past_days)
        is_open_RN = past_RN > CLOSED
        level_RN = np.full_like(newest_RN, np.nan)
        np.divide(newest_RN, past_RN, out=level_RN, where=is_open_RN)
        level_RQ = _quantiles(level_RN)
        ahead_RH = _on_days(shape_RD, day_R, np.arange(horizon))
        return level_RQ[:, None] * ahead_RH[..., None]

    def closed(self, origins: Origins, horizon: int) -> NDArray:
        """Whether no series sells on each coming day (R, H)."""
        day_R, week_R, is_said_R = self._places(origins)
        closed_RD = self.closed_WD[week_R] & is_said_R[:, None]
        return _on_days(closed_RD, day_R, np.arange(horizon))

    def _places(self, origins: Origins) -> tuple[NDArray, NDArray, NDArray]:
        """The days and the newest whole weeks of origins (R,), and of which something is said."""
        day_R = self.first_S[origins.series] + origins.counts
        week_R = day_R // DAYS - 1
        is_said_R = self.is_count_S[origins.series] & (week_R >= 0)
        return day_R, np.clip(week_R, 0, len(self.shape_WD) - 1), is_said_R


def _by_week(panel: Panel, rows: NDArray, first_S: NDArray) -> NDArray:
    """The values of some of these series, on a grid of weeks (S, W, D); NaN outside of them."""
    evenly = np.linspace(0, len(rows) - 1, min(len(rows), MOST_SERIES))
    example_E = rows[evenly.astype(int)]
    end = int((first_S + panel.lengths)[example_E].max())
    weeks = -(-end // DAYS)
    values_ST = np.full((len(example_E), weeks * DAYS), np.nan)
    for values_T, series in zip(values_ST, example_E.tolist(), strict=True):
        first = first_S[series]
        values_T[first : first + panel.lengths[series]] = panel.series(series)
    return values_ST.reshape(len(example_E), weeks, DAYS)


def _shape(values_SWD: NDArray) -> NDArray:
    """The shared week after each week (W, D), from the newest weeks by then."""
    is_known_SWD = np.isfinite(values_SWD)
    count_SWD = _newest(is_known_SWD.astype(float))
    total_SWD = _newest(np.where(is_known_SWD, values_SWD, 0.0))
    mean_SWD = total_SWD / np.maximum(count_SWD, 1.0)
    level_SW = mean_SWD.mean(axis=2)
    is_said_SW = (count_SWD > 0).all(axis=2) & (level_SW > 0)
    number_W = is_said_SW.sum(axis=0)
    week_K = np.flatnonzero(number_W >= FEWEST_SERIES)
    level_SW = np.where(is_said_SW, level_SW, np.nan)
    most_W = LARGEST * np.nanmedian(level_SW[:, week_K], axis=0)
    shape_WD = np.full(values_SWD.shape[1:], np.nan)
    weight_SW = np.nan_to_num(np.minimum(level_SW[:, week_K], most_W))
    relative_SWD = (
        mean_SWD[:, week_K] / np.nan_to_num(level_SW[:, week_K], nan=1.0)[..., None]
    )
    weighed_WD = (weight_SW[..., None] * relative_SWD).sum(axis=0)
    shape_WD[week_K] = weighed_WD / weighed_WD.mean(axis=1, keepdims=True)
    return shape_WD


def _closed(values_SWD: NDArray) -> NDArray:
    """On which days no series has sold anything in the newest weeks, where that is no chance
    (W, D): as seldom as on other days, they would have."""
    known_SWD = _newest(np.isfinite(values_SWD).astype(float))
    zeros_SWD = _newest((values_SWD == 0).astype(float))
    other_SWD = known_SWD.sum(axis=2, keepdims=True) - known_SWD
    other_zeros_SWD = zeros_SWD.sum(axis=2, keepdims=True) - zeros_SWD
    share_SWD = other_zeros_SWD / np.maximum(other_SWD, 1.0)
    sure_SWD = np.log(np.maximum(share_SWD, CHANCE))
    chance_WD = (zeros_SWD * np.where(other_SWD > 0, sure_SWD, 0.0)).sum(axis=0)
    has_weeks_WD = zeros_SWD.max(axis=0) >= SILENT
    sells_WD = (known_SWD > zeros_SWD).any(axis=0)
    return has_weeks_WD & ~sells_WD & (chance_WD < np.log(CHANCE))


def _newest(values_SWD: NDArray) -> NDArray:
    """The sums over the newest weeks up to each; whole numbers, so they are exact."""
    sums_SWD = np.cumsum(values_SWD, axis=1)
    newest_SWD = sums_SWD.copy()
    newest_SWD[:, WEEKS:] -= sums_SWD[:, :-WEEKS]
    return newest_SWD


def _on_days(shape_RD: NDArray, day_R: NDArray, steps_X: NDArray) -> NDArray:
    """The shares of days so many steps after others (R, X)."""
    phase_RX = (day_R[:, None] + steps_X) % DAYS
    return np.take_along_axis(shape_RD, phase_RX, axis=1)


def _quantiles(values_RN: NDArray) -> NDArray:
    """Quantiles of the known values (R, Q), between their ranks; NaN if there are too few."""
    count_R1 = np.isfinite(values_RN).sum(axis=1)[:, None]
    most_R1 = np.maximum(count_R1 - 1, 0)
    rank_RQ = np.clip(LEVELS * count_R1 - 0.5, 0, most_R1)
    below_RQ = np.floor(rank_RQ).astype(np.int64)
    above_RQ = np.minimum(below_RQ + 1, most_R1)
    sorted_RN = np.sort(values_RN, axis=1)  # unknown ones last
    low_RQ = np.take_along_axis(sorted_RN, below_RQ, axis=1)
    high_RQ = np.take_along_axis(sorted_RN, above_RQ, axis=1)
    between_RQ = low_RQ + (rank_RQ - below_RQ) * (high_RQ - low_RQ)
    return np.where(count_R1 >= FEWEST, between_RQ, np.nan)


class InWeek:
    """Averages forecasts with those of own values in the shared week, batch by batch.

    `share_O`: the share of the latter in the forecast of each origin, once its batch has passed.
    """

    def __init__(self, week: SharedWeek, panel: Panel, held_out: HeldOut) -> None:
        self._week = week
        self._panel = panel
        self._held_out = held_out
        self.share_O = np.zeros(len(held_out.counts_OJ))

    def averaged(
        self, batches: Iterable[tuple[slice, Tried]]
    ) -> Iterator[tuple[slice, Tried]]:
        """Yield the same batches, averaged."""
        for rows, forecasts in batches:
            yield rows, self._averaged(rows, forecasts)

    def _averaged(self, rows: slice, forecasts: Tried) -> Tried:
        horizon = forecasts.quantiles_OHQ.shape[1]
        in_week_OHQ, in_week_OJHQ = self._held_out.rows(rows).forecasts(
            lambda origins: self._week.quantiles(self._panel, origins, horizon)
        )
        in_week = Tried(in_week_OHQ, in_week_OJHQ, forecasts.actual_OJH)
        share_O = shares(in_week, forecasts)
        self.share_O[rows] = share_O
        return forecasts._replace(
            quantiles_OHQ=average_of(forecasts.quantiles_OHQ, in_week_OHQ, share_O),
            before_OJHQ=average_of(forecasts.before_OJHQ, in_week_OJHQ, share_O),
        )


def shares(in_week: Tried, forecasts: Tried) -> NDArray:
    """The share of own values (O,), by losses at the held-out cutoffs: a half where they are alike,
    towards which few cutoffs are drawn; 0 where they say nothing of now."""
    loss_OJ, is_known_OJ = _losses(in_week)
    other_OJ, is_other_OJ = _losses(forecasts)
    is_both_OJ = is_known_OJ & is_other_OJ
    fading_J = FADE ** np.arange(is_both_OJ.shape[1])  # the newest cutoff first
    loss_O = (fading_J * np.where(is_both_OJ, loss_OJ, 0.0)).sum(axis=1)
    other_O = (fading_J * np.where(is_both_OJ, other_OJ, 0.0)).sum(axis=1)
    is_judged_O = (loss_O > 0) & (other_O > 0)
    ratio_O = np.log(np.where(is_judged_O, loss_O, 1.0))
    ratio_O -= np.log(np.where(is_judged_O, other_O, 1.0))
    count_O = is_both_OJ.sum(axis=1)
    drawn_O = ratio_O * count_O / (count_O + TRUST)
    share_O = 1 / (1 + np.exp(POWER * drawn_O))
    says_O = np.isfinite(in_week.quantiles_OHQ).all(axis=(1, 2))
    return np.where(says_O, share_O, 0.0)


def _losses(forecasts: Tried) -> tuple[NDArray, NDArray]:
    """The pinball losses at each held-out cutoff, and whether there is one (O, J)."""
    error_OJHQ = forecasts.actual_OJH[..., None] - forecasts.before_OJHQ
    loss_OJH = np.maximum(LEVELS * error_OJHQ, (LEVELS - 1) * error_OJHQ).sum(axis=3)
    is_known_OJ = np.isfinite(loss_OJH).any(axis=2)
    return np.nansum(loss_OJH, axis=2), is_known_OJ
