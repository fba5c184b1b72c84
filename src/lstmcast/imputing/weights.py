"""What missing values are filled with: the network from both sides, a line, a season; weighed by
how well each fills gaps whose values are known.

Of as many steps as a gap has, gaps are made where values are known, filled by all three, and
compared. A weight is the error to the power −8, as in forecast combinations; errors of a series are
drawn towards those of all. The same comparisons say how wide intervals have to be.

    N observations of all series · M missing values · C candidates · G gaps that were made
    Q quantiles · S series
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.data.ragged import places, series_numbers
from lstmcast.decoding import Reader
from lstmcast.imputing.gaps import Gaps, from_both_sides
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN

POWER = 8.0
TRUST = 4.0  # gaps of a series that weigh as much as what the other series say
MOST = 256  # gaps that are made of one length at a time
MOST_OF_SERIES = 16
ROUNDS, ENOUGH = 4, 128  # how often gaps are made elsewhere, until there are so many
APART = 12  # lengths that gaps lie apart, and three seasons: many holes would spoil what is tried
FEWEST = 40  # values compared, to say how wide intervals have to be
CANDIDATES = 3
CYCLES = 3  # looked at on either side for a value of the same phase


class Fill(NamedTuple):
    """Candidates for missing values (C, M), the first of which is the network's median, and the
    network's quantiles (M, Q)."""

    points_CM: NDArray
    quantiles_MQ: NDArray


class Made(NamedTuple):
    """What gaps say that were made of one length: weights (S, C), the network alone where there
    are none, and what the distances of quantiles from the median are multiplied by (Q,)."""

    weights_SC: NDArray
    widening_Q: NDArray


def fill(reader: Reader, panel: Panel, gaps: Gaps) -> Fill:
    """All candidates for the missing values of some gaps."""
    at = gaps.places(panel.offsets)
    quantiles_MQ = from_both_sides(reader, panel, gaps)
    line_N, season_N = line(panel), season(panel)
    points_CM = np.stack([quantiles_MQ[:, MEDIAN], line_N[at], season_N[at]])
    # Where only one side is known there is neither line nor season.
    return Fill(np.where(np.isnan(points_CM), points_CM[0], points_CM), quantiles_MQ)


def filled(reader: Reader, panel: Panel, gaps: Gaps) -> NDArray:
    """The quantiles (M, Q) of the missing values of all gaps, weighed and as wide as they have to
    be."""
    result_MQ = np.full((int(gaps.length.sum()), len(HEAD_QUANTILES)), np.nan)
    gap_M = np.repeat(np.arange(len(gaps.series)), gaps.length)
    for chosen in of_alike_lengths(gaps):
        some = gaps.some(chosen)
        known = made(reader, panel, int(np.median(some.length)))
        candidates = fill(reader, panel, some)
        weights_MC = known.weights_SC[np.repeat(some.series, some.length)]
        point_M = (weights_MC.T * candidates.points_CM).sum(axis=0)
        own_MQ = candidates.quantiles_MQ
        away_MQ = (own_MQ - own_MQ[:, [MEDIAN]]) * known.widening_Q
        result_MQ[np.isin(gap_M, chosen)] = point_M[:, None] + away_MQ
    return result_MQ


def of_alike_lengths(gaps: Gaps) -> Iterator[NDArray]:
    """Which gaps are filled together: those of 1, 2, 3 to 4, 5 to 8, … missing values."""
    size = np.ceil(np.log2(gaps.length)).astype(np.int64)
    for bucket in np.unique(size):
        yield np.flatnonzero(size == bucket)


def made(reader: Reader, panel: Panel, length: int) -> Made:
    """What gaps of so many values say, made where all values are known."""
    errors, quantiles, series = [], [], []
    for number in range(ROUNDS):
        gaps = places_for(panel, length, number)
        if sum(map(len, series)) >= ENOUGH or not len(gaps.series):
            continue
        at = gaps.places(panel.offsets)
        values = panel.values.copy()
        values[at] = np.nan
        tried = fill(reader, replace(panel, values=values), gaps)
        errors.append(panel.values[at] - tried.points_CM)
        quantiles.append(tried.quantiles_MQ)
        series.append(gaps.series)
    if not errors:
        alone = np.zeros((len(panel), CANDIDATES))
        alone[:, 0] = 1.0
        return Made(alone, np.ones(len(HEAD_QUANTILES)))
    error_CM, series_G = np.concatenate(errors, axis=1), np.concatenate(series)
    of_gaps_CG = np.abs(error_CM).reshape(CANDIDATES, -1, length).mean(axis=2)
    weights_SC = _weights(of_gaps_CG, series_G, len(panel))
    error_M = (weights_SC[np.repeat(series_G, length)].T * error_CM).sum(axis=0)
    return Made(weights_SC, _widening(error_M, np.concatenate(quantiles)))


def places_for(panel: Panel, length: int, number: int) -> Gaps:
    """Where gaps of so many values can be made, each `number` elsewhere: far from each other,
    between known values, and not in the first or last tenth of a series."""
    distance = max(APART * length, 3 * panel.periods[0])
    series_G, first_G = [], []
    for row in _spread_out(len(panel), MOST).tolist():
        known = np.isfinite(panel.series(row))
        count = np.concatenate([[0], np.cumsum(known)])
        first = np.arange(1, len(known) - length)
        whole = count[first + length + 1] - count[first - 1] == length + 2
        edge = max(len(known) // 10, 2 * length)
        begin = edge + number * distance // ROUNDS
        inside = (first >= begin) & (first + length <= len(known) - edge)
        apart = _apart(first[whole & inside], distance)
        apart = apart[_spread_out(len(apart), MOST_OF_SERIES)]
        series_G += [row] * len(apart)
        first_G += apart.tolist()
    chosen = _spread_out(len(series_G), MOST)
    series, firsts = np.array(series_G, np.int64)[chosen], np.array(first_G, np.int64)[chosen]
    return Gaps(series, firsts, np.full(len(chosen), length))


def line(panel: Panel) -> NDArray:
    """The straight line between the neighbours of each missing value (N,); NaN where there is
    only one."""
    known = np.flatnonzero(np.isfinite(panel.values))
    if not len(known):
        return panel.values.copy()
    series, at = series_numbers(panel.offsets), np.arange(len(panel.values))
    before = np.searchsorted(known, at, side="right") - 1
    after = np.searchsorted(known, at)
    inside = (before >= 0) & (after < len(known))
    before, after = known[np.maximum(before, 0)], known[np.minimum(after, len(known) - 1)]
    both_N = inside & (series[before] == series) & (series[after] == series)
    return np.where(both_N, np.interp(at, known, panel.values[known]), np.nan)


def season(panel: Panel) -> NDArray:
    """The mean of the nearest values of the same phase before and after (N,), and the line of what
    values differ from it; NaN where there is no season or no value."""
    period = panel.periods[0]
    if period == 1:
        return np.full(len(panel.values), np.nan)
    sides_2N = np.stack([_of_phase(panel, -period), _of_phase(panel, period)])
    known_2N = np.isfinite(sides_2N)
    count_N = known_2N.sum(axis=0)
    total_N = np.where(known_2N, sides_2N, 0.0).sum(axis=0)
    alike_N = np.divide(total_N, count_N, out=np.full(len(count_N), np.nan), where=count_N > 0)
    rest = replace(panel, values=panel.values - alike_N)
    return alike_N + line(rest)


def _of_phase(panel: Panel, lag: int) -> NDArray:
    """The nearest known value a few whole cycles away, in its series (N,)."""
    place, series = places(panel.offsets), series_numbers(panel.offsets)
    length = panel.lengths[series]
    result_N = np.full(len(panel.values), np.nan)
    for cycles in range(CYCLES, 0, -1):
        there = place + cycles * lag
        inside = np.flatnonzero((there >= 0) & (there < length))
        value = panel.values[inside + cycles * lag]
        known = np.isfinite(value)
        result_N[inside[known]] = value[known]
    return result_N


def _apart(first: NDArray, distance: int) -> NDArray:
    """Some of these places, none closer to another than this."""
    chosen, newest = [], -distance
    for place in first.tolist():
        if place - newest >= distance:
            chosen.append(place)
            newest = place
    return np.array(chosen, np.int64)


def _spread_out(count: int, most: int) -> NDArray:
    """At most so many of this many, evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _weights(error_CG: NDArray, series_G: NDArray, series: int) -> NDArray:
    """The weight of each candidate in each series (S, C)."""
    least = np.finfo(np.float32).tiny
    count_S = np.bincount(series_G, minlength=series)
    own_CS = np.stack([np.bincount(series_G, error_G, minlength=series) for error_G in error_CG])
    # Beside the largest error, as logarithms: series of any size count alike.
    known_S = count_S > 0
    largest_S = own_CS.max(axis=0) + least
    log_CS = np.log(own_CS / largest_S + 1e-6)
    common_C = (log_CS[:, known_S] * count_S[known_S]).sum(axis=1) / count_S.sum()
    drawn_CS = (count_S * log_CS + TRUST * common_C[:, None]) / (count_S + TRUST)
    weight_CS = np.exp(-POWER * (drawn_CS - drawn_CS.min(axis=0)))
    return (weight_CS / weight_CS.sum(axis=0)).T


def _widening(error_M: NDArray, quantiles_MQ: NDArray) -> NDArray:
    """What the distance of each quantile from the median is multiplied by (Q,), so that intervals
    contain as many of these values as they promise."""
    result_Q = np.ones(len(HEAD_QUANTILES))
    if len(error_M) < FEWEST:
        return result_Q
    away_MQ = np.abs(quantiles_MQ - quantiles_MQ[:, [MEDIAN]])
    for lower in range(MEDIAN):
        upper = len(HEAD_QUANTILES) - 1 - lower
        side_M = np.where(error_M > 0, away_MQ[:, upper], away_MQ[:, lower])
        some = side_M > 0
        if some.any():
            level = HEAD_QUANTILES[upper] - HEAD_QUANTILES[lower]
            factor = np.quantile(np.abs(error_M[some]) / side_M[some], level)
            result_Q[[lower, upper]] = factor
    return result_Q
