"""Estimates for missing values: the network from both sides, a line and a season, weighted by how
well each fills gaps with known values.

Artificial gaps of a gap's length are made where values are known, filled by all three, and compared
with the known values. A weight is the error to the power −8, as in forecast combinations; errors of
a series are shrunk towards those of all series. The same comparisons determine the width of
intervals.

    N observations of all series · M missing values · C candidates · G artificial gaps
    Q quantiles · S series
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.data.ragged import places, series_numbers
from lstmcast.decoding import Reader
from lstmcast.imputing.gaps import Gaps, from_both_sides, of_alike_lengths
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN

POWER = 8.0
TRUST = 4.0  # gaps of a series that count as much as all other series
MOST = 256  # artificial gaps of one length at a time
MOST_OF_SERIES = 16
ROUNDS, ENOUGH = 4, 128  # rounds of gaps at other places, until there are enough
# distance of gaps in lengths, plus three seasons: many gaps would distort the trial
APART = 12
FEWEST = 40  # compared values that are needed to determine the width of intervals
CANDIDATES = 3
CYCLES = 3  # cycles searched on either side for a value of the same phase


class Fill(NamedTuple):
    """Candidates for missing values (C, M), the network's median first, and the network's quantiles
    (M, Q)."""

    points_CM: NDArray
    quantiles_MQ: NDArray


class Trial(NamedTuple):
    """The result of artificial gaps of one length: weights (S, C), those of the network alone if
    there are no gaps, and factors for the distances of quantiles from the median (Q,)."""

    weights_SC: NDArray
    widening_Q: NDArray


def fill(reader: Reader, panel: Panel, gaps: Gaps) -> Fill:
    """All candidates for the missing values of some gaps."""
    places_M = gaps.places(panel.offsets)
    quantiles_MQ = from_both_sides(reader, panel, gaps)
    network_M = quantiles_MQ[:, MEDIAN]
    line_M = line(panel)[places_M]
    season_M = season(panel)[places_M]
    points_CM = np.stack([network_M, line_M, season_M])
    # If only one side is known, there is neither line nor season.
    points_CM = np.where(np.isnan(points_CM), network_M, points_CM)
    return Fill(points_CM, quantiles_MQ)


def filled(reader: Reader, panel: Panel, gaps: Gaps) -> NDArray:
    """The quantiles (M, Q) of the missing values of all gaps, weighted and widened as needed."""
    result_MQ = np.full((int(gaps.length.sum()), len(HEAD_QUANTILES)), np.nan)
    gap_M = np.repeat(np.arange(len(gaps.series)), gaps.length)
    for _, rows in of_alike_lengths(gaps):
        batch = gaps.some(rows)
        trial = tried(reader, panel, int(np.median(batch.length)))
        candidates = fill(reader, panel, batch)
        series_M = np.repeat(batch.series, batch.length)
        weights_CM = trial.weights_SC[series_M].T
        point_M = (weights_CM * candidates.points_CM).sum(axis=0)
        quantiles_MQ = candidates.quantiles_MQ
        distance_MQ = quantiles_MQ - quantiles_MQ[:, [MEDIAN]]
        is_batch_M = np.isin(gap_M, rows)
        result_MQ[is_batch_M] = point_M[:, None] + distance_MQ * trial.widening_Q
    return result_MQ


def tried(reader: Reader, panel: Panel, length: int) -> Trial:
    """Make artificial gaps of this length where all values are known, and compare."""
    errors = []
    quantiles = []
    series = []
    for number in range(ROUNDS):
        gaps = places_for(panel, length, number)
        count = sum(len(series_G) for series_G in series)
        if count >= ENOUGH or not len(gaps.series):
            continue
        places_M = gaps.places(panel.offsets)
        values = panel.values.copy()
        values[places_M] = np.nan
        candidates = fill(reader, replace(panel, values=values), gaps)
        errors.append(panel.values[places_M] - candidates.points_CM)
        quantiles.append(candidates.quantiles_MQ)
        series.append(gaps.series)
    if not errors:
        return _network_alone(len(panel))
    error_CM = np.concatenate(errors, axis=1)
    series_G = np.concatenate(series)
    by_gap_CGL = np.abs(error_CM).reshape(CANDIDATES, -1, length)
    weights_SC = _weights(by_gap_CGL.mean(axis=2), series_G, len(panel))
    weights_CM = weights_SC[np.repeat(series_G, length)].T
    error_M = (weights_CM * error_CM).sum(axis=0)
    return Trial(weights_SC, _widening(error_M, np.concatenate(quantiles)))


def _network_alone(series: int) -> Trial:
    weights_SC = np.zeros((series, CANDIDATES))
    weights_SC[:, 0] = 1.0
    return Trial(weights_SC, np.ones(len(HEAD_QUANTILES)))


def places_for(panel: Panel, length: int, number: int) -> Gaps:
    """Places for artificial gaps of this length, different for each `number`: far from each other,
    between known values, and outside of the first and last tenth of a series."""
    distance = max(APART * length, 3 * panel.periods[0])
    offset = number * distance // ROUNDS
    series = []
    first = []
    for row in _spread_out(len(panel), MOST).tolist():
        possible = _possible_places(panel.series(row), length, offset)
        places = _far_apart(possible, distance)
        places = places[_spread_out(len(places), MOST_OF_SERIES)]
        series += [row] * len(places)
        first += places.tolist()
    rows = _spread_out(len(series), MOST)
    return Gaps(
        series=np.array(series, np.int64)[rows],
        first=np.array(first, np.int64)[rows],
        length=np.full(len(rows), length),
    )


def _possible_places(values_T: NDArray, length: int, offset: int) -> NDArray:
    """The steps of a series at which a gap of this length can begin: its values, the one before
    and the one after are known; they begin `offset` steps after the first tenth."""
    steps = len(values_T)
    known_before = np.concatenate([[0], np.cumsum(np.isfinite(values_T))])
    first = np.arange(1, steps - length)
    known_count = known_before[first + length + 1] - known_before[first - 1]
    is_known = known_count == length + 2
    edge = max(steps // 10, 2 * length)
    is_inside = (first >= edge + offset) & (first + length <= steps - edge)
    return first[is_known & is_inside]


def line(panel: Panel) -> NDArray:
    """The straight line between the neighbours of each missing value (N,); NaN if there is only
    one neighbour."""
    known_places = np.flatnonzero(np.isfinite(panel.values))
    if not len(known_places):
        return panel.values.copy()
    series = series_numbers(panel.offsets)
    steps = np.arange(len(panel.values))
    previous = np.searchsorted(known_places, steps, side="right") - 1
    following = np.searchsorted(known_places, steps)
    has_both = (previous >= 0) & (following < len(known_places))
    series_before = series[known_places[np.maximum(previous, 0)]]
    series_after = series[known_places[np.minimum(following, len(known_places) - 1)]]
    in_series = has_both & (series_before == series) & (series_after == series)
    line_N = np.interp(steps, known_places, panel.values[known_places])
    return np.where(in_series, line_N, np.nan)


def season(panel: Panel) -> NDArray:
    """The mean of the nearest values of the same phase before and after, plus a line between the
    deviations of the neighbours from theirs (N,); NaN if there is no season or no such value."""
    period = panel.periods[0]
    if period == 1:
        return np.full(len(panel.values), np.nan)
    sides_2N = np.stack([_of_phase(panel, -period), _of_phase(panel, period)])
    known_2N = np.isfinite(sides_2N)
    count_N = known_2N.sum(axis=0)
    total_N = np.where(known_2N, sides_2N, 0.0).sum(axis=0)
    mean_N = np.full(len(count_N), np.nan)
    np.divide(total_N, count_N, out=mean_N, where=count_N > 0)
    differences = replace(panel, values=panel.values - mean_N)
    return mean_N + line(differences)


def _of_phase(panel: Panel, lag: int) -> NDArray:
    """The nearest known value of the series a few whole cycles away (N,)."""
    place_N = places(panel.offsets)
    length_N = panel.lengths[series_numbers(panel.offsets)]
    nearest_N = np.full(len(panel.values), np.nan)
    for cycles in range(CYCLES, 0, -1):
        away = cycles * lag
        is_inside_N = (place_N + away >= 0) & (place_N + away < length_N)
        rows = np.flatnonzero(is_inside_N)
        values = panel.values[rows + away]
        is_known = np.isfinite(values)
        nearest_N[rows[is_known]] = values[is_known]
    return nearest_N


def _far_apart(places: NDArray, distance: int) -> NDArray:
    """Some of these places, at least `distance` apart."""
    separate = []
    newest = -distance
    for place in places.tolist():
        if place - newest >= distance:
            separate.append(place)
            newest = place
    return np.array(separate, np.int64)


def _spread_out(count: int, limit: int) -> NDArray:
    """At most `limit` of `count` numbers, evenly spaced."""
    evenly = np.linspace(0, count - 1, min(count, limit))
    return np.unique(evenly.astype(np.int64))


def _weights(error_CG: NDArray, series_G: NDArray, series: int) -> NDArray:
    """The weight of each candidate in each series (S, C)."""
    smallest = np.finfo(np.float32).tiny
    count_S = np.bincount(series_G, minlength=series)
    totals = [np.bincount(series_G, error_G, minlength=series) for error_G in error_CG]
    error_CS = np.stack(totals)
    # Relative to the largest error, in logarithms: series of any size count equally.
    largest_S = error_CS.max(axis=0) + smallest
    log_CS = np.log(error_CS / largest_S + 1e-6)
    known_S = count_S > 0
    weighted_CS = log_CS[:, known_S] * count_S[known_S]
    common_C = weighted_CS.sum(axis=1) / count_S.sum()
    drawn_CS = (count_S * log_CS + TRUST * common_C[:, None]) / (count_S + TRUST)
    excess_CS = drawn_CS - drawn_CS.min(axis=0)
    weight_CS = np.exp(-POWER * excess_CS)
    share_CS = weight_CS / weight_CS.sum(axis=0)
    return share_CS.T


def _widening(error_M: NDArray, quantiles_MQ: NDArray) -> NDArray:
    """The factor for the distance of each quantile from the median (Q,), so that intervals contain
    the promised share of these values."""
    widening_Q = np.ones(len(HEAD_QUANTILES))
    if len(error_M) < FEWEST:
        return widening_Q
    distance_MQ = np.abs(quantiles_MQ - quantiles_MQ[:, [MEDIAN]])
    for lower in range(MEDIAN):
        upper = len(HEAD_QUANTILES) - 1 - lower
        side_M = np.where(error_M > 0, distance_MQ[:, upper], distance_MQ[:, lower])
        has_width_M = side_M > 0
        if has_width_M.any():
            level = HEAD_QUANTILES[upper] - HEAD_QUANTILES[lower]
            ratio = np.abs(error_M[has_width_M]) / side_M[has_width_M]
            widening_Q[[lower, upper]] = np.quantile(ratio, level)
    return widening_Q
