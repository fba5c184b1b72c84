"""The solutions of all series of a panel, which lean on each other where they know little.

A first regression of each series is made of it alone. What these say of each coefficient is added
up over the series, and one regression of the sums gives the coefficients that a series of the panel
usually has (empirical Bayes). Around those each series is solved once more, and the evidence of its
own values weighs the two. So a short series has the effects of the others, and a long one its own.

A solution uses what all series had observed by its time, and nothing after it.

    S series · W columns and z of one of them · A all columns of all series
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.columns import Known
from lstmcast.covariates.estimate import (
    Fitted,
    Solution,
    Solved,
    Task,
    first_season,
    renewals,
    solutions,
)
from lstmcast.data.panel import Panel
from lstmcast.model.inputs.axis import LOG
from lstmcast.model.inputs.regression import Layout, fit_together
from lstmcast.model.inputs.slow_clock import LEAST_GAIN

FEWEST = 5  # series with a column, from which on others lean on them
MOST = 200  # series that are leaned on, evenly from all of them
RENEWED = 0.1  # of what is added up, until it is solved anew

Key = tuple[str, int]  # a column of the regression: its group, and which one of it


def solutions_of(panel: Panel) -> list[list[Solution]]:
    """The solutions of each series, one after the other."""
    everything = range(len(panel))
    known_S = [Known.of(panel, series) for series in everything]
    roots = not panel.declared_real
    if len(panel) < FEWEST or panel.covariates.future.apart:
        return [
            list(solutions(panel.series(series), known_S[series], panel.periods, roots))
            for series in everything
        ]
    found_S: list[list[Solution]] = [[] for _ in everything]
    pooled = Pooled(len(panel))
    for renewed in _by_time(panel):
        solved: list[tuple[int, Solved]] = []
        for series, count in renewed:
            values_N = panel.series(series)[:count]
            task = Task.of(values_N, known_S[series], panel.periods, roots)
            alone = task.alone()
            solved.append((series, alone))
            pooled.take(series, alone)
        for series, alone in solved:
            found_S[series].append(pooled.leaning(alone))
    return found_S


def _by_time(panel: Panel) -> Iterator[list[tuple[int, int]]]:
    """Series and their counts at which they are solved, those of one time together."""
    season = first_season(panel.periods)
    due: list[tuple[Any, int, int]] = []
    for series, length in enumerate(panel.lengths.tolist()):
        counts = renewals(length, season)
        steps = np.array(counts, np.int64) - 1
        times = panel.frequency.advance(panel.starts[series], steps)
        due += zip(times.astype(np.int64).tolist(), [series] * len(counts), counts, strict=True)
    due.sort()
    for _, same in groupby(due, key=lambda one: one[0]):
        yield [(series, count) for _, series, count in same]


class Said(NamedTuple):
    """What a series says of the coefficients: their keys, products in units of its noise, and of
    how many pairs of steps."""

    keys: tuple[Key, ...]
    products_WW: NDArray
    free: float


class Pooled:
    """What series say of coefficients in common, by now.

    Args:
        series: how many there are.
    """

    def __init__(self, series: int) -> None:
        self._asked = set(np.linspace(0, series - 1, min(series, MOST)).astype(int).tolist())
        self._said: dict[int, Said] = {}
        self._news = 0  # series that have said something else since they were added up
        self._usual: dict[Key, float] = {}

    def take(self, series: int, solved: Solved) -> None:
        """What a series says now; relative effects alone can be compared."""
        if series not in self._asked or solved.fitted is None or solved.task.axis != LOG:
            return
        fitted: Fitted = solved.fitted
        keys = _keys(solved.task.made.groups)
        self._said[series] = Said(keys, fitted.products_WW, fitted.free)
        self._news += 1

    def leaning(self, alone: Solved) -> Solution:
        """The solution of a series that may lean on all."""
        usual = self._coefficients()
        if alone.fitted is None or alone.task.axis != LOG or not usual:
            return alone.solution()
        keys = _keys(alone.task.made.groups)
        expected_P = np.array([usual.get(key, 0.0) for key in keys])
        if not expected_P.any():
            return alone.solution()
        return alone.solution(alone.task.around(expected_P))

    def _coefficients(self) -> dict[Key, float]:
        """Those that a series usually has, of columns that enough series have."""
        if self._news and self._news >= RENEWED * len(self._said):
            self._usual, self._news = self._solved(), 0
        return self._usual

    def _solved(self) -> dict[Key, float]:
        if len(self._said) < FEWEST:
            return {}
        counts: dict[Key, int] = {}
        for said in self._said.values():
            for key in said.keys:
                counts[key] = counts.get(key, 0) + 1
        # Groups stand side by side: in the order in which they came, each in its own order.
        first = {group: place for place, group in enumerate(dict.fromkeys(g for g, _ in counts))}
        keys = sorted(counts, key=lambda key: (first[key[0]], key[1]))
        places = {key: place for place, key in enumerate(keys)}
        summed_AA = np.zeros((len(keys) + 1, len(keys) + 1))
        for said in self._said.values():
            own = [*(places[key] for key in said.keys), len(keys)]
            summed_AA[np.ix_(own, own)] += said.products_WW
        sizes = [len(list(same)) for _, same in groupby(group for group, _ in keys)]
        free = sum(said.free for said in self._said.values())
        layout = Layout(0, tuple(sizes))
        found = fit_together(summed_AA[None, None], np.array([free]), layout, (1.0,)).fit
        if found.gain_BG[0, 0] < LEAST_GAIN:
            return {}
        each = zip(keys, found.coefficients_BK[0].tolist(), strict=True)
        return {key: value for key, value in each if counts[key] >= FEWEST}


def _keys(groups: tuple[str, ...]) -> tuple[Key, ...]:
    """The columns of a regression, by the names of their groups."""
    seen: dict[str, int] = {}
    keys = []
    for group in groups:
        seen[group] = seen.get(group, -1) + 1
        keys.append((group, seen[group]))
    return tuple(keys)
