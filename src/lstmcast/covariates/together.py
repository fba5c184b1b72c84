"""The solutions of all series of a panel, which borrow strength from each other.

A first regression uses each series alone. Their statistics of each coefficient are summed over the
series, and one regression on the sums gives the coefficients that a series of the panel usually has
(empirical Bayes). With those as prior means each series is solved once more, and the two solutions
are averaged by the evidence of the series' own values. So a short series has the effects of the
others, and a long one has its own.

A solution uses what all series had observed by its time, and nothing later.

    S series · W columns and z of one series · A all columns of all series
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.columns import Known
from lstmcast.covariates.estimate import (
    Solution,
    Solved,
    Task,
    first_season,
    renewals,
    solutions,
    solved_each,
)
from lstmcast.covariates.regression import sizes_of
from lstmcast.data.panel import Panel
from lstmcast.model.inputs.regression import Layout, fit_together
from lstmcast.model.inputs.slow_clock import LEAST_GAIN

FEWEST = 5  # series with a column that are needed for pooling
MOST = 200  # series that are pooled, taken evenly from all
# share of the pooled series that changes before the sums are solved again
RENEWED = 0.1

# a column of the regression: its group, and its position in the group
Key = tuple[str, int]


def solutions_of(panel: Panel) -> list[list[Solution]]:
    """The solutions of each series, in order."""
    covariates_S = [Known.of(panel, series) for series in range(len(panel))]
    roots = not panel.declared_real
    solutions_S: list[list[Solution]] = [[] for _ in covariates_S]
    if len(panel) < FEWEST or panel.covariates.future.apart:
        for series, covariates in enumerate(covariates_S):
            solutions_S[series] += solutions(
                panel.series(series), covariates, panel.periods, roots
            )
        return solutions_S
    pooled = Pooled(len(panel))
    for renewed in _by_time(panel):
        tasks = [
            Task.of(
                panel.series(series)[:count], covariates_S[series], panel.periods, roots
            )
            for series, count in renewed
        ]
        solved = solved_each(tasks)
        for (series, _), regression in zip(renewed, solved, strict=True):
            pooled.take(series, regression)
        for (series, _), solution in zip(renewed, pooled.leaning(solved), strict=True):
            solutions_S[series].append(solution)
    return solutions_S


def _by_time(panel: Panel) -> Iterator[list[tuple[int, int]]]:
    """Series and the counts at which they are solved, grouped by time."""
    season = first_season(panel.periods)
    due: list[tuple[Any, int, int]] = []
    for series, length in enumerate(panel.lengths.tolist()):
        counts = renewals(length, season)
        steps = np.array(counts, np.int64) - 1
        times = panel.frequency.advance(panel.starts[series], steps)
        for time, count in zip(times.astype(np.int64).tolist(), counts, strict=True):
            due.append((time, series, count))
    due.sort()
    for _, at_one_time in groupby(due, key=itemgetter(0)):
        yield [(series, count) for _, series, count in at_one_time]


class Evidence(NamedTuple):
    """What a series says about the coefficients: their keys, products in units of its noise, and
    the number of pairs of steps."""

    keys: tuple[Key, ...]
    products_WW: NDArray
    free_pairs: float


class Pooled:
    """What all series together say about the coefficients so far.

    Args:
        series: The number of series.
    """

    def __init__(self, series: int) -> None:
        evenly = np.linspace(0, series - 1, min(series, MOST))
        self._sample = set(evenly.astype(int).tolist())
        self._evidence: dict[int, Evidence] = {}
        self._news = 0  # series whose statistics changed since the sums were made
        self._expected: dict[Key, float] = {}

    def take(self, series: int, solved: Solved) -> None:
        """Take the newest statistics of a series; only relative effects can be pooled."""
        fitted = solved.fitted
        per_log = solved.task.per_log
        if series not in self._sample or fitted is None or not per_log:
            return
        keys = _keys(solved.task.design.groups)
        scale_W = np.append(np.full(len(keys), per_log), 1.0)
        products_WW = fitted.products_WW * np.outer(scale_W, scale_W)
        self._evidence[series] = Evidence(keys, products_WW, fitted.free_pairs)
        self._news += 1

    def leaning(self, regressions: Sequence[Solved]) -> list[Solution]:
        """The solutions of series, each averaged with the pooled one if there is one."""
        expected = [self._expected_of(regression) for regression in regressions]
        places = [place for place, means_P in enumerate(expected) if means_P.any()]
        tasks = [regressions[place].task for place in places]
        around = solved_each(tasks, [expected[place] for place in places])
        by_place = dict(zip(places, around, strict=True))
        return [
            regression.solution(by_place.get(place))
            for place, regression in enumerate(regressions)
        ]

    def _expected_of(self, regression: Solved) -> NDArray:
        """The usual coefficients of a regression (P,), on the axis of its series; 0 if there are
        none."""
        keys = _keys(regression.task.design.groups)
        coefficients = self._coefficients()
        per_log = regression.task.per_log
        if regression.fitted is None or not per_log:
            return np.zeros(len(keys))
        return per_log * np.array([coefficients.get(key, 0.0) for key in keys])

    def _coefficients(self) -> dict[Key, float]:
        """The usual coefficients, for columns that enough series have."""
        if self._news and self._news >= RENEWED * len(self._evidence):
            self._expected = self._solved()
            self._news = 0
        return self._expected

    def _solved(self) -> dict[Key, float]:
        if len(self._evidence) < FEWEST:
            return {}
        counts = Counter[Key]()
        for evidence in self._evidence.values():
            counts.update(evidence.keys)
        keys = _side_by_side(list(counts))
        places = {key: place for place, key in enumerate(keys)}
        size = len(keys) + 1
        summed_AA = np.zeros((size, size))
        free_pairs = 0.0
        for evidence in self._evidence.values():
            rows = [places[key] for key in evidence.keys]
            rows.append(size - 1)
            summed_AA[np.ix_(rows, rows)] += evidence.products_WW
            free_pairs += evidence.free_pairs
        layout = Layout(0, sizes_of(group for group, _ in keys))
        fit = fit_together(
            summed_AA[None, None], np.array([free_pairs]), layout, (1.0,)
        ).fit
        if fit.gain_BG[0, 0] < LEAST_GAIN:
            return {}
        coefficients = zip(keys, fit.coefficients_BK[0].tolist(), strict=True)
        return {key: value for key, value in coefficients if counts[key] >= FEWEST}


def _side_by_side(keys: list[Key]) -> list[Key]:
    """The keys with the columns of each group together: groups in order of appearance, columns in
    their order in the group."""
    groups = list(dict.fromkeys(group for group, _ in keys))
    first = {group: place for place, group in enumerate(groups)}

    def place_of(key: Key) -> tuple[int, int]:
        group, number = key
        return first[group], number

    return sorted(keys, key=place_of)


def _keys(groups: tuple[str, ...]) -> tuple[Key, ...]:
    """The keys of a regression's columns, from the names of their groups."""
    counts = Counter[str]()
    keys = []
    for group in groups:
        keys.append((group, counts[group]))
        counts[group] += 1
    return tuple(keys)
