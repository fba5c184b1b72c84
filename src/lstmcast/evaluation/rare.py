"""Events that are too rare to determine the width of intervals.

One failed month in six years is one value in seventy-two. It may nevertheless be one of the two
dozen held-out values of every step, so that each 95% interval would extend as far. Therefore a
value unlike all others, after which the series returned to normal, is not used as a held-out value,
nor a cutoff right after it as a held-out cutoff, if there are fewer such values than lie beyond the
outermost interval anyway.

A level that shifted once and has lasted is such an event, too: cutoffs that look across the shift
say how far the level moved, not how wide intervals are at the new one. Whatever else changed,
errors far beyond all those of the newest cutoffs are of a time that is over. Before values differed
for the first time, nothing could be measured.

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
LASTED = 8  # number of values, and a cycle, that a new level must have lasted
BELIEVED = 2  # number of values after which a new level is accepted
RETURNED = 3  # number of newest values that are as before an event
NEWEST = 12  # number of values, or a cycle, that determine what is usual now
# multiple of the outermost distance to the median above which a value may be an event
SURPRISED = 2.0
# multiples of the errors of the newest cutoffs: of a cutoff's usual error, of any error
OUTGROWN, OUTGROWN_ANY = 2.5, 2.0


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
        values_T = panel.values[first:end]
        cutoff_J1 = held_out.counts_OJ[row][:, None] - starts[row]
        is_rare_JH = _looks_across(cutoff_J1, steps_H, lasting_shift(values_T, season))
        is_rare_JH |= _at(cutoff_J1 - 1, over_since(values_T, season))
        is_rare_JH |= cutoff_J1 <= first_change(values_T)
        newest = _newest(cutoff_J1[:, 0], season)
        is_rare_JH |= outgrown(_errors(forecasts, int(row)), newest)
        is_event_T = events(values_T, season)
        if is_event_T.any():
            is_rare_JH |= _at(cutoff_J1 + steps_H, is_event_T)
            is_rare_JH |= _at(cutoff_J1 - 1, is_event_T)
        actual_OJH[row][is_rare_JH] = np.nan
    return forecasts._replace(actual_OJH=actual_OJH)


def _errors(forecasts: Tried, row: int) -> NDArray:
    """The sizes of the errors of one origin (J, H), as ratios if all values are positive."""
    actual_JH = forecasts.actual_OJH[row]
    median_JH = forecasts.before_OJHQ[row, ..., MEDIAN]
    compared_JH = np.isfinite(actual_JH + median_JH)
    if (actual_JH[compared_JH] > 0).all() and (median_JH[compared_JH] > 0).all():
        return np.abs(np.log(actual_JH / median_JH))
    return np.abs(actual_JH - median_JH)


def _newest(cutoff_J: NDArray, season: int) -> int:
    """How many of the held-out cutoffs, the newest ones first, say how large errors are now: some,
    and those of the last cycle."""
    in_cycle = np.count_nonzero(cutoff_J > cutoff_J[0] - season)
    return max(LASTED, int(in_cycle))


def outgrown(error_JH: NDArray, newest: int) -> NDArray:
    """Which errors are no longer made (J, H): those of older cutoffs whose usual errors are far
    larger than those of each of the newest ones, or that are far larger than all of these.

    >>> errors = np.array([[1.0, 2.0]] * 3 + [[4.5, 9.0]] + [[1.0, 5.0]])
    >>> np.flatnonzero(outgrown(errors, newest=3).any(axis=1)).tolist()
    [3, 4]
    """
    is_over_JH = np.zeros(error_JH.shape, bool)
    is_known_J = np.count_nonzero(np.isfinite(error_JH), axis=1) > 0
    if np.count_nonzero(is_known_J[:newest]) < min(newest, LASTED):
        return is_over_JH
    usual_J = np.zeros(len(error_JH))
    usual_J[is_known_J] = np.nanmedian(error_JH[is_known_J], axis=1)
    largest_usual = usual_J[:newest].max()
    if largest_usual == 0:  # they say nothing of other values
        return is_over_JH
    largest = np.nanmax(error_JH[:newest])
    is_over_J = usual_J > OUTGROWN * largest_usual
    is_over_JH[is_over_J] = True
    is_over_JH |= error_JH > OUTGROWN_ANY * largest
    is_over_JH[:newest] = False
    return is_over_JH


def first_change(values_T: NDArray) -> int:
    """The first value that differs from those before it; 0 if that is not known.

    >>> first_change(np.array([0.0, np.nan, 0.0, 3.0]))
    3
    """
    known = np.flatnonzero(~np.isnan(values_T))
    is_other = values_T[known] != values_T[known[:1]]
    return int(known[is_other.argmax()]) if is_other.any() else 0


def _at(steps_JX: NDArray, is_event_T: NDArray) -> NDArray:
    """Whether there was an event at some steps (J, X), which may lie beyond the known ones."""
    is_inside_JX = (steps_JX >= 0) & (steps_JX < len(is_event_T))
    places_JX = np.where(is_inside_JX, steps_JX, 0)
    return is_inside_JX & is_event_T[places_JX]


def _looks_across(cutoff_J1: NDArray, steps_H: NDArray, shift: int | None) -> NDArray:
    """Whether a cutoff did not know a level yet that a value is at (J, H)."""
    is_across_JH = np.zeros((len(cutoff_J1), len(steps_H)), bool)
    if shift is None:
        return is_across_JH
    did_not_know_J1 = cutoff_J1 <= shift + BELIEVED
    return did_not_know_J1 & (cutoff_J1 + steps_H >= shift)


def lasting_shift(values_T: NDArray, season: int) -> int | None:
    """Where a level begins that has lasted, if the series shifted once: the changes over a cycle
    that span the shift are alike in sign, and each far larger than all others.

    >>> lasting_shift(np.r_[np.full(30, 5.0), np.full(10, 50.0)] + np.arange(40) % 2, season=1)
    30
    """
    z_T = _filled(values_T)
    if len(z_T) <= 3 * season + LASTED:
        return None
    if z_T.min() > 0:
        z_T = np.log(z_T)
    change_T = z_T[season:] - z_T[:-season]
    order = np.argsort(-np.abs(change_T), kind="stable")
    spanning = np.sort(order[:season])
    largest_other = np.abs(change_T[order[season]])
    shift = int(spanning[0]) + season
    has_lasted = len(z_T) - shift >= max(LASTED, season)
    are_together = spanning[-1] - spanning[0] == season - 1
    spanning_T = change_T[spanning]
    is_one_way = (spanning_T > 0).all() or (spanning_T < 0).all()
    is_unlike = np.abs(spanning_T).min() > UNLIKE * largest_other
    # else errors about the new level are not what intervals measure
    is_noisy = largest_other > 0
    is_shift = has_lasted and are_together and is_one_way and is_unlike and is_noisy
    return len(values_T) - len(z_T) + shift if is_shift else None


def over_since(values_T: NDArray, season: int) -> NDArray:
    """Which values lie far outside of those of the newest cycle, though others before them did not
    (T,): a plunge that is over. What was forecast from it says nothing of now.

    >>> values = np.r_[np.full(30, 9.0), np.full(5, 2.0), np.full(20, 9.0)] + np.arange(55) % 2
    >>> np.flatnonzero(over_since(values, season=1)).tolist()
    [30, 31, 32, 33, 34]
    """
    z_T = _filled(values_T)
    is_over_T = np.zeros(len(values_T), bool)
    if not len(z_T):
        return is_over_T
    if z_T.min() > 0:
        z_T = np.log(z_T)
    cycle = max(season, NEWEST)
    is_far_T = _far_from(z_T[-cycle:], z_T)
    first_ordinary = int(is_far_T.argmin())
    is_far_T[:first_ordinary] = False  # a level before this one, or growth
    is_far_T[-2 * cycle :] |= _just_over(z_T, cycle)
    is_over_T[len(values_T) - len(z_T) :] = is_far_T
    return is_over_T


def _far_from(usual_T: NDArray, z_T: NDArray) -> NDArray:
    """Which values lie outside of usual ones by more than the range of these."""
    low = usual_T.min()
    high = usual_T.max()
    room = high - low
    return np.asarray((z_T < low - room) | (z_T > high + room))


def _just_over(z_T: NDArray, cycle: int) -> NDArray:
    """Which of the values of the newest two cycles lie far outside of those of the cycle before, to
    which the newest ones have returned."""
    newest_T = z_T[-2 * cycle :]
    if len(z_T) < 3 * cycle:
        return np.zeros(len(newest_T), bool)
    before_T = z_T[-3 * cycle : -2 * cycle]
    is_far_T = _far_from(before_T, newest_T)
    if is_far_T[-RETURNED:].any():
        is_far_T[:] = False
    return is_far_T


def _filled(values_T: NDArray) -> NDArray:
    """From the first known value on, unknown ones as the one before."""
    known = np.flatnonzero(~np.isnan(values_T))
    if not len(known):
        return values_T[:0]
    steps = np.arange(known[0], len(values_T))
    newest = np.searchsorted(known, steps, side="right") - 1
    return values_T[known[newest]]


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
