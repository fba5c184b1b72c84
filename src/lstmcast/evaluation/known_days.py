"""Inputs of the regression by time of day from columns that are known in advance.

They are those of Lago et al. (2021), bends, and what models of loads and prices add: means of the
last days, whose bends tell a heat wave from a hot hour (Wang, Liu & Hong 2016, "the recency
effect"); the time of the year and its products with numbers (Hong's benchmark of GEFCom2012); and
products of two numbers, as the price depends on the load less the wind.

    N origins · H steps of a day · P columns · M steps with known columns · C known columns
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.columns import BENDS, About, Known, standardised
from lstmcast.covariates.dates import PATIENCE, harmonics_of

# size of the effects of bends, products and the year, relative to other columns
SMALLER = 0.3
DAYS_AGO = (1, 2)  # daily means that are inputs, besides that up to the step
MOST_MULTIPLIED = 6  # numbers, of which each two are multiplied
YEARS = 2  # harmonics of a year
YEAR = 365.25  # days
WEEK = 7

Sized = tuple[NDArray, float]  # a column (H, N), and the size of its effect


class Inputs(NamedTuple):
    """Columns (H, N, P), and the prior standard deviation of the effect of each, relative to the
    others."""

    columns_HNP: NDArray
    size_P: NDArray

    @classmethod
    def of(cls, columns: Iterable[Sized], shape: tuple[int, int]) -> Inputs:
        """Columns side by side; in memory, origins are."""
        arrays, sizes = zip(*columns, strict=True)
        stacked_HPN = np.empty((shape[0], len(arrays), shape[1]))
        for place, column_HN in enumerate(arrays):
            stacked_HPN[:, place] = column_HN
        return cls(stacked_HPN.swapaxes(1, 2), np.array(sizes))

    def with_columns(self, right: Inputs) -> Inputs:
        """Both, laid out as each of them is."""
        own_HPN = self.columns_HNP.swapaxes(1, 2)
        other_HPN = right.columns_HNP.swapaxes(1, 2)
        joined_HPN = np.concatenate([own_HPN, other_HPN], axis=1)
        size_P = np.concatenate([self.size_P, right.size_P])
        return Inputs(joined_HPN.swapaxes(1, 2), size_P)

    def since(self, first: int) -> Inputs:
        """Without the first origins."""
        return Inputs(self.columns_HNP[:, first:], self.size_P)


@dataclass(frozen=True, eq=False)
class KnownDays:
    """The known columns of a series, numbers in standard deviations.

    numbers_C: whether each column is numeric · day: steps of a day · has_years: whether the time of
    the year is an input.
    """

    column_CM: NDArray
    numbers_C: NDArray
    day: int
    has_years: bool

    @classmethod
    def of(
        cls, covariates: Known, abouts: tuple[About, ...], day: int, count: int
    ) -> KnownDays:
        """Those of a series of which so many values are known."""
        columns = []
        numbers = []
        for column_M, is_number in _columns(covariates, abouts):
            columns.append(column_M)
            numbers.append(is_number)
        return cls(
            column_CM=np.array(columns),
            numbers_C=np.array(numbers, bool),
            day=day,
            has_years=count >= PATIENCE * YEAR * day,
        )

    def before(self, origin_N: NDArray) -> Iterator[Sized]:
        """Columns on the day before each origin: their values at the same time, and the means of
        numbers."""
        yesterday_HN = origin_N - self.day + self._step_H1
        for column_M, sum_M, is_number in self._each():
            yield _at(column_M, yesterday_HN), 1.0
            if is_number:
                yield _mean_until(sum_M, origin_N - 1, self.day), 1.0

    def coming(self, origin_N: NDArray, ahead: int) -> Iterator[Sized]:
        """Columns on the day that begins `ahead` days after each origin, the day of the week and
        the time of the year."""
        then_HN = origin_N + ahead * self.day + self._step_H1
        numbers = []
        for column_M, sum_M, is_number in self._each():
            now_HN = _at(column_M, then_HN)
            yield now_HN, 1.0
            if is_number:
                numbers.append(now_HN)
                yield from _bends(now_HN)
                yield from self._recent(sum_M, then_HN)
        if len(numbers) <= MOST_MULTIPLIED:
            for first_HN, second_HN in combinations(numbers, 2):
                yield first_HN * second_HN, SMALLER
        if self.has_years:
            yield from self._of_year(then_HN, numbers)
        weekday_HN = then_HN // self.day % WEEK
        for weekday in range(WEEK):
            yield (weekday_HN == weekday).astype(float), 1.0

    def _recent(self, sum_M: NDArray, then_HN: NDArray) -> Iterator[Sized]:
        """Means of a number over half a day and a day up to each step, and over the days before."""
        yield _mean_until(sum_M, then_HN, self.day // 2), 1.0
        mean_HN = _mean_until(sum_M, then_HN, self.day)
        yield mean_HN, 1.0
        yield from _bends(mean_HN)
        for days in DAYS_AGO:
            yield _mean_until(sum_M, then_HN - days * self.day, self.day), 1.0

    def _of_year(self, then_HN: NDArray, numbers: list[NDArray]) -> Iterator[Sized]:
        """Waves of a year, and their products with numbers."""
        turns_M = then_HN.ravel() / (YEAR * self.day)
        for wave_M in harmonics_of(turns_M, YEARS).T:
            wave_HN = wave_M.reshape(then_HN.shape)
            yield wave_HN, SMALLER
            for number_HN in numbers:
                yield wave_HN * number_HN, SMALLER

    def _each(self) -> Iterator[tuple[NDArray, NDArray, bool]]:
        """Each column, its cumulative sums, and whether it is numeric."""
        return zip(self.column_CM, self._sums_CM, self.numbers_C.tolist(), strict=True)

    @property
    def _step_H1(self) -> NDArray:
        return np.arange(self.day)[:, None]

    @cached_property
    def _sums_CM(self) -> NDArray:
        sums_CM = np.cumsum(self.column_CM, axis=1)
        return np.pad(sums_CM, ((0, 0), (1, 0)))


def _columns(
    covariates: Known, abouts: tuple[About, ...]
) -> Iterator[tuple[NDArray, bool]]:
    """Known columns (M,), one for each category, and whether each is numeric."""
    for about in abouts:
        if about.categories:
            values_M = covariates.values_CM[about.column]
            for category in about.categories:
                yield (values_M == category).astype(float), False
            continue
        carried_M = covariates.carried_CM[about.column]
        number_M = standardised(carried_M, about)
        if about.gaps:
            is_known_M = ~np.isnan(covariates.values_CM[about.column])
            number_M = np.where(is_known_M, number_M, 0.0)
        yield number_M, True


def _bends(number_HN: NDArray) -> Iterator[Sized]:
    for bend in BENDS:
        yield np.maximum(number_HN - bend, 0.0), SMALLER


def _at(column_M: NDArray, steps: NDArray) -> NDArray:
    """A column at these steps; beyond its end, its last value."""
    return column_M[np.minimum(steps, len(column_M) - 1)]


def _mean_until(sum_M: NDArray, steps: NDArray, length: int) -> NDArray:
    """The mean of a column over the last `length` steps up to each of `steps`, from its cumulative
    sums."""
    stop = np.minimum(steps + 1, len(sum_M) - 1)
    first = np.maximum(stop - length, 0)
    return (sum_M[stop] - sum_M[first]) / length
