"""Events that are too rare to determine the width of intervals.

One failed month in six years is one value in seventy-two. It may nevertheless be one of the two
dozen held-out values of every step, so that each 95% interval would extend as far. Therefore a
value unlike all others, after which the series returned to normal, is not used as a held-out value,
nor a cutoff right after it as a held-out cutoff, if there are fewer such values than lie beyond the
outermost interval anyway.

    O origins · J held-out cutoffs of each · H horizon · Q quantile levels · T values of a series
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Blocks, shortest_season
from lstmcast.data.panel import Panel
from lstmcast.evaluation.held_out import HeldOut, Tried
from lstmcast.model.heads import MEDIAN

SHARE = 0.025  # upper bound of the share of values that are events
UNLIKE = 2.0  # multiple of the largest other change over a cycle
# multiple of the outermost distance to the median above which a value may be an event
SURPRISED = 2.0


def without_events(
    batches: Iterable[tuple[slice, Tried]], panel: Panel, held_out: HeldOut
) -> Iterator[tuple[slice, Tried]]:
    """The results with rare events among the actual values set to unknown."""
    for rows, forecasts in batches:
        yield rows, _ordinary(forecasts, panel, held_out.rows(rows))


def _ordinary(forecasts: Tried, panel: Panel, held_out: HeldOut) -> Tried:
    rows = np.flatnonzero(_surprised(forecasts))
    if not len(rows):
        return forecasts
    actual_OJH = forecasts.actual_OJH.copy()
    series, counts = held_out.origins
    starts = Blocks.of(panel.periods).start(counts)
    steps_H = np.arange(actual_OJH.shape[2])
    season = shortest_season(panel.periods) or 1
    for row in rows:
        begin = panel.offsets[series[row]]
        first = begin + starts[row]
        end = begin + counts[row]
        is_event_T = events(panel.values[first:end], season)
        if not is_event_T.any():
            continue
        cutoff_J1 = held_out.counts_OJ[row][:, None] - starts[row]
        is_event_JH = _at(cutoff_J1 + steps_H, is_event_T)
        is_after_J1 = _at(cutoff_J1 - 1, is_event_T)
        actual_OJH[row][is_event_JH | is_after_J1] = np.nan
    return forecasts._replace(actual_OJH=actual_OJH)


def _at(steps_JX: NDArray, is_event_T: NDArray) -> NDArray:
    """Whether there was an event at some steps (J, X), which may lie beyond the known ones."""
    is_inside_JX = (steps_JX >= 0) & (steps_JX < len(is_event_T))
    places_JX = np.where(is_inside_JX, steps_JX, 0)
    return is_inside_JX & is_event_T[places_JX]


def _surprised(forecasts: Tried) -> NDArray:
    """Origins with a held-out value far beyond the outermost interval (O,)."""
    before_OJHQ = forecasts.before_OJHQ
    median_OJH = before_OJHQ[..., MEDIAN]
    above_OJH = forecasts.actual_OJH - median_OJH
    high_OJH = before_OJHQ[..., -1] - median_OJH
    low_OJH = median_OJH - before_OJHQ[..., 0]
    is_above_OJH = above_OJH > SURPRISED * high_OJH
    is_below_OJH = -above_OJH > SURPRISED * low_OJH
    is_far_OJH = is_above_OJH | is_below_OJH
    return np.asarray(is_far_OJH.any(axis=(1, 2)))


def events(values_T: NDArray, season: int) -> NDArray:
    """Which values are unlike all others, with a return to normal after them (T,): their changes
    over a cycle are far larger than all changes between other values.

    >>> values = 50 + np.sin(np.arange(60.0))
    >>> values[40] = 5
    >>> np.flatnonzero(events(values, season=1)).tolist()
    [40]
    """
    count = len(values_T)
    is_event_T = np.zeros(count, bool)
    known_count = np.count_nonzero(~np.isnan(values_T))
    event_count = int(SHARE * known_count)
    if event_count < 1 or count <= 3 * season:
        return is_event_T
    is_positive = np.nanmin(values_T) > 0
    z_T = np.log(values_T) if is_positive else values_T
    change_T = _change(z_T, season)
    unknown = np.full(season, np.nan)
    back_T = np.append(change_T[season:], unknown)
    is_recent_T = np.isnan(back_T)
    # A value one cycle after an event has an equal change, but not over two cycles.
    twice_T = _change(z_T, 2 * season)
    second_T = np.where(is_recent_T, twice_T, back_T)
    alone_T = np.minimum(change_T, second_T)
    alone_T = np.nan_to_num(alone_T)
    order = np.argsort(-alone_T, kind="stable")
    candidates = order[:event_count]
    has_part_T = np.zeros(count + season, bool)
    has_part_T[candidates] = True
    has_part_T[candidates + season] = True
    ordinary_T = change_T[~has_part_T[:count]]
    largest = np.fmax.reduce(ordinary_T, initial=np.nan)
    # Return one cycle later, or with the next value if that is not known yet.
    next_T = np.append(change_T[1:], np.nan)
    is_over_T = ~is_recent_T | (next_T <= largest)
    is_unlike_T = alone_T > UNLIKE * largest
    is_event_T[candidates] = (is_unlike_T & is_over_T)[candidates]
    return is_event_T


def _change(z_T: NDArray, lag: int) -> NDArray:
    unknown = np.full(lag, np.nan)
    with np.errstate(over="ignore"):  # between the largest floats
        size_T = np.abs(z_T[lag:] - z_T[:-lag])
    return np.append(unknown, size_T)
