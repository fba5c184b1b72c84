"""Values that repeat where values hardly ever do: a sensor that is stuck, an outage.

Read as they are, they are a new level without noise, and the forecast stays there with an interval
that excludes all other values. Of series by the day or finer such a run was over within a cycle, in
nearly all sets that were looked at. So the forecast is the one from before it, and the outermost
interval reaches to the value that repeats.

    O origins · R those of them at which values are stuck · H horizon · Q quantile levels
    T values of a series
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Blocks, most_stuck, shortest_season
from lstmcast.data.origins import Origins, origins_of
from lstmcast.data.panel import Panel
from lstmcast.evaluation.held_out import HeldOut
from lstmcast.evaluation.methods import COMBINED
from lstmcast.util.text import some_names

UNITS = ("second", "minute", "hour", "day", "business day")
FEWEST = 36  # values that must be known before
REPEATS = 4  # equal values that count as stuck,
TIMES = 3  # this many times as many as ever before,
SHARE = 0.05  # of series in which no larger share of the values repeats
ZEROS = 2  # zeros that count as an outage
NEWEST = 12  # values, or a cycle, that lay far above 0 before an outage:
FAR = 0.2  # the smallest is at least this share of the largest


def stuck_counts(panel: Panel, origins: Origins) -> NDArray:
    """How many of the newest values before each origin are left out, as they are stuck (O,); none
    beside columns that are known in advance."""
    counts_O = np.zeros(len(origins.series), np.int64)
    if panel.frequency.unit not in UNITS or panel.covariates.future:
        return counts_O
    season = shortest_season(panel.periods) or 1
    start_O = Blocks.of(panel.periods).start(origins.counts)
    begin_O = panel.offsets[origins.series] + start_O
    end_O = panel.offsets[origins.series] + origins.counts
    has_many_O = end_O - begin_O > FEWEST
    last_O = np.maximum(end_O - 1, 0)
    is_same_O = panel.values[last_O] == panel.values[np.maximum(last_O - 1, 0)]
    is_count_O = panel.kinds[origins.series] == "count"
    for row in np.flatnonzero(has_many_O & is_same_O):
        values_T = panel.values[begin_O[row] : end_O[row]]
        # goods that are not sold are not an outage
        if values_T[-1] != 0 or not is_count_O[row]:
            counts_O[row] = stuck_count(values_T, season)
    return counts_O


def stuck_note(panel: Panel, method: str) -> str:
    """What is said of series whose newest values are left out by this method; "" if there are
    none."""
    if method != COMBINED:
        return ""
    origins = origins_of(panel)
    series = origins.series[stuck_counts(panel, origins) > 0]
    if not len(series):
        return ""
    if len(panel) == 1:
        return (
            f"at the end, {panel.values[-1]:,.15g} repeats as no value did before: the forecast is "
            "made from the values before it"
        )
    return (
        f"in {len(series):,} of {len(panel):,} series ({some_names(panel.ids[series])}), a value "
        "at the end repeats as none did before: the forecast is made from the values before it"
    )


def stuck_count(values_T: NDArray, season: int) -> int:
    """How many of the newest values are stuck, without the first one, which was measured; all of
    them in an outage.

    >>> values = 9 + np.sin(np.arange(50.0))
    >>> stuck_count(np.append(values, [8.5] * 4), season=1)
    3
    >>> stuck_count(np.append(values, [0.0] * 4), season=1)
    4
    """
    places = np.flatnonzero(~np.isnan(values_T))
    if len(places) <= FEWEST:
        return 0
    known_T = values_T[places]
    is_other_T = known_T != values_T[-1]
    begin = len(known_T) - int(is_other_T[::-1].argmax())
    run = len(known_T) - begin
    if begin < FEWEST or run == 0 or run > most_stuck((season,)):
        return 0
    unread = len(values_T) - int(places[begin])
    before_T = known_T[:begin]
    if values_T[-1] == 0:
        return unread if run >= ZEROS and _is_outage(before_T, season) else 0
    same_T = before_T[1:] == before_T[:-1]
    is_rare = same_T.mean() <= SHARE
    longest = 1 + _longest_run(same_T)
    is_stuck = run >= max(REPEATS, TIMES * longest)
    return unread - 1 if is_stuck and is_rare else 0


def _is_outage(before_T: NDArray, season: int) -> bool:
    """Whether values fell to 0 from far above, and were never 0 twice in a row before."""
    is_zero_T = before_T == 0
    newest_T = before_T[~is_zero_T][-max(season, NEWEST) :]
    is_far = newest_T.min() >= FAR * newest_T.max()
    return bool(is_far and _longest_run(is_zero_T) < ZEROS and before_T.min() >= 0)


def _longest_run(flag_T: NDArray) -> int:
    """The largest number of true flags in a row."""
    ends = np.flatnonzero(~np.concatenate([[False], flag_T, [False]]))
    return int(np.diff(ends).max()) - 1


def from_before(
    answer: Callable[[HeldOut, int], NDArray],
    panel: Panel,
    origins: Origins,
    left_out_R: NDArray,
    horizon: int,
) -> NDArray:
    """The forecasts (R, H, Q) from before what is left out of the newest values.

    `answer`: calibrated quantiles at the origins of held-out cutoffs. Each is calibrated by its own
    series, as others may have been known for longer.
    """
    earlier = Origins(origins.series, origins.counts - left_out_R)
    held_out = HeldOut.of(panel, earlier)
    alone = HeldOut(
        earlier, held_out.counts_OJ, held_out.apart_O, np.arange(len(left_out_R))
    )
    quantiles_RHQ = answer(alone, horizon + int(left_out_R.max()))
    steps_RH = left_out_R[:, None] + np.arange(horizon)
    later_RHQ = np.take_along_axis(quantiles_RHQ, steps_RH[..., None], axis=1)
    end_R = panel.offsets[origins.series] + origins.counts
    return reaching(later_RHQ, panel.values[end_R - 1])


def reaching(quantiles_RHQ: NDArray, stuck_R: NDArray) -> NDArray:
    """The quantiles, the outermost interval of each step reaching to the value that repeats.

    >>> reaching(np.array([[[4.0, 5.0, 6.0]]]), np.array([0.0]))
    array([[[0., 5., 6.]]])
    """
    stuck_R1 = stuck_R[:, None]
    quantiles_RHQ = quantiles_RHQ.copy()
    quantiles_RHQ[..., 0] = np.minimum(quantiles_RHQ[..., 0], stuck_R1)
    quantiles_RHQ[..., -1] = np.maximum(quantiles_RHQ[..., -1], stuck_R1)
    return quantiles_RHQ
