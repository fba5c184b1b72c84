"""The effects of what is known in advance on one series: a regression that is renewed while the
series grows.

    z_t = season_t + trend_t + columns_t · b + u_t,    u_t = φ u_{t−1} + noise

with z the series on its axis, a season with a mean for each of its phases, and b with one prior
variance for each group of columns, as `model.inputs.regression` solves it. The phases are taken out
of the quasi-differences by their means, which is the same as a column for each of them (Frisch &
Waugh 1933).

A solution holds until the history has grown by a quarter or a third. It is made of values up to
there alone, so what is said at a step depends on nothing after it, in a backtest as in use; a step
costs the square of the number of columns, as solutions are so few.

    T steps that are observed · N of them · E pairs of neighbouring ones · P columns
    V trend, columns and z · W columns and z · S phases of the season · F values of φ
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.closing import Closing
from lstmcast.covariates.columns import About, Design, Kind, Known, about, design
from lstmcast.covariates.regression import Fitted, fitted_to
from lstmcast.covariates.uplift import per_log, uplift_of
from lstmcast.model.inputs.axis import LOG, ROOT, reading_axis, to_axis
from lstmcast.model.inputs.slow_clock import LEAST_GAIN

FEWEST, CYCLES = 32, 3  # steps, and cycles with a few more, before the first solution
MORE = 8
PER_OCTAVE = 3  # solutions while a history doubles
LONG = 4  # cycles, from which on a season has means of its own phases
MOST_SURE = 50.0  # difference of log evidences, from which on there is no doubt


@dataclass(frozen=True, eq=False)
class Solution:
    """What is known of effects once `count` steps were observed.

    `axis`: on which they are; `effect`: at any steps, relative to its mean until then;
    `covariance_PP`: how sure coefficients are; `level`: the mean of the values on the axis.
    """

    count: int
    axis: int
    covariates: Known
    abouts: tuple[About, ...]
    coefficients_P: NDArray
    middle_P: NDArray
    groups: tuple[str, ...]
    closing: Closing
    covariance_PP: NDArray = field(default_factory=lambda: np.zeros((0, 0)))
    level: float = 0.0

    def scaled(self, share: float) -> Solution:
        """That of which a share is used."""
        if share == 1:
            return self
        coefficients_P = share * self.coefficients_P
        covariance_PP = share**2 * self.covariance_PP
        return replace(self, coefficients_P=coefficients_P, covariance_PP=covariance_PP)

    def effect(self, steps_N: NDArray) -> NDArray:
        """At some steps (N,), on the axis."""
        if not self.coefficients_P.any():
            return np.zeros(len(steps_N))
        return (self.columns(steps_N) - self.middle_P) @ self.coefficients_P

    def uplift(self, steps_N: NDArray) -> NDArray:
        """By how many times it multiplies the mean at some steps (N,)."""
        return uplift_of(self.effect(steps_N), self.axis, self.level)

    def columns(self, steps_N: NDArray) -> NDArray:
        """The columns of the regression at some steps (N, P)."""
        return design(self.covariates, self.abouts, steps_N, self.count).columns_NP

    def uncertainty(self, columns_NP: NDArray) -> NDArray:
        """The standard deviation of what is said of differences of columns (N,), on the axis."""
        is_used_P = self.coefficients_P != 0
        used_NP = columns_NP * is_used_P
        variance_N = np.einsum("np,pq,nq->n", used_NP, self.covariance_PP, used_NP)
        return np.sqrt(variance_N)

    def parts(self, steps_N: NDArray) -> dict[str, NDArray]:
        """What each column as given, and the dates, add to it (N,)."""
        if not self.coefficients_P.any():
            return {}
        columns = design(self.covariates, self.abouts, steps_N, self.count)
        effects_NP = (columns.columns_NP - self.middle_P) * self.coefficients_P
        sources = np.array(columns.sources, object)
        by_source = {}
        for name in dict.fromkeys(columns.sources):
            effect_N = effects_NP[:, sources == name].sum(axis=1)
            if effect_N.any():
                by_source[name] = effect_N
        return by_source


def renewals(steps: int, season: int) -> list[int]:
    """After how many of so many observed steps a solution is made.

    >>> renewals(100, 7)
    [32, 42, 52, 62, 72, 93]
    """
    counts = []
    count = max(FEWEST, CYCLES * season + MORE)
    while count <= steps:
        counts.append(count)
        count = next_renewal(count)
    return counts


def next_renewal(count: int) -> int:
    """After how many steps the solution is made that follows the one made after `count`."""
    octave = 2 ** int(np.floor(np.log2(count)))
    return count + max(octave // PER_OCTAVE, 1)


def first_renewal(periods: tuple[int, ...]) -> int:
    """After how many steps the first solution is made, of a series with these seasons."""
    return max(FEWEST, CYCLES * first_season(periods) + MORE)


def first_season(periods: tuple[int, ...]) -> int:
    """The shortest season, which the first solution waits for; 1 without any."""
    return next((period for period in periods if period > 1), 1)


def solutions(
    values_T: NDArray, covariates: Known, periods: tuple[int, ...], roots: bool
) -> Iterator[Solution]:
    """The solutions of a series, one after the other."""
    for count in renewals(len(values_T), first_season(periods)):
        yield solution_of(values_T[:count], covariates, periods, roots)


def solution_of(
    values_N: NDArray, covariates: Known, periods: tuple[int, ...], roots: bool
) -> Solution:
    """The solution once these values were observed."""
    return Task.of(values_N, covariates, periods, roots).alone().solution()


@dataclass(frozen=True, eq=False)
class Task:
    """A regression that is to be solved: the values so far on their axis, without closed steps, and
    the columns beside them."""

    covariates: Known
    closing: Closing
    axis: int
    z_N: NDArray
    season: int
    abouts: tuple[About, ...]
    design: Design

    @classmethod
    def of(
        cls, values_N: NDArray, covariates: Known, periods: tuple[int, ...], roots: bool
    ) -> Task:
        """That of a series of which these values were observed."""
        count = len(values_N)
        closing = Closing.of(covariates, values_N)
        is_closed_N = closing.closed(np.arange(count))
        open_1N = np.where(is_closed_N, np.nan, values_N)[None]
        axis = int(reading_axis(open_1N, periods, roots=roots)[0])
        z_N = to_axis(open_1N, axis == LOG, axis == ROOT)[0]
        season = max((period for period in periods if count >= LONG * period), default=1)
        abouts = about(covariates, count)
        return cls(
            covariates=covariates,
            closing=closing,
            axis=axis,
            z_N=z_N,
            season=season,
            abouts=abouts,
            design=design(covariates, abouts, np.arange(count), count),
        )

    @property
    def level(self) -> float:
        """The mean of the values on the axis; 0 where none is known."""
        known_values = self.z_N[np.isfinite(self.z_N)]
        if not len(known_values):
            return 0.0
        return float(known_values.mean())

    @property
    def per_log(self) -> float:
        """How far a small effect on logarithms moves the values on the axis."""
        return per_log(self.axis, self.level)

    def alone(self) -> Solved:
        """The regression as the series alone says."""
        return Solved(self, fitted_to(self.z_N, self.design, self.season))

    def around(self, expected_P: NDArray) -> Solved:
        """The regression where these coefficients are expected before anything is seen."""
        z_N = self.z_N - self.design.columns_NP @ expected_P
        return Solved(self, fitted_to(z_N, self.design, self.season), expected_P)


@dataclass(frozen=True, eq=False)
class Solved:
    """A regression that was solved; `fitted` is None where too little is known."""

    task: Task
    fitted: Fitted | None
    expected_P: NDArray | float = 0.0

    @property
    def evidence(self) -> float:
        """The log evidence, of what is expected alone where columns add too little to it."""
        if self.fitted is None:
            return -np.inf
        if self.fitted.gain < LEAST_GAIN:
            return self.fitted.evidence - self.fitted.gain
        return self.fitted.evidence

    @property
    def coefficients_P(self) -> NDArray:
        """What the columns do; those of the year, which adaptive inputs know, are left to them."""
        assert self.fitted is not None
        fitted_P = self.fitted.coefficients_P * (self.fitted.gain >= LEAST_GAIN)
        is_used_P = np.array([kind is not Kind.YEAR for kind in self.task.design.kinds])
        return (self.expected_P + fitted_P) * is_used_P

    def solution(self, pooled: Solved | None = None) -> Solution:
        """What is in force, or the average with a regression that leans on others, as the evidence
        for both says."""
        task = self.task
        if self.fitted is None:
            return self._without_effects()
        coefficients_P = self.coefficients_P
        covariance_PP = self.fitted.covariance_PP
        if pooled is not None and pooled.fitted is not None:
            ahead = np.clip(pooled.evidence - self.evidence, -MOST_SURE, MOST_SURE)
            share = 1.0 / (1.0 + np.exp(-ahead))
            coefficients_P = (1.0 - share) * coefficients_P + share * pooled.coefficients_P
            if share > 0.5:
                covariance_PP = pooled.fitted.covariance_PP
        return Solution(
            count=len(task.z_N),
            axis=task.axis,
            covariates=task.covariates,
            abouts=task.abouts,
            coefficients_P=coefficients_P,
            middle_P=self.fitted.middle_P,
            groups=task.design.groups,
            closing=task.closing,
            covariance_PP=covariance_PP,
            level=task.level,
        )

    def _without_effects(self) -> Solution:
        task = self.task
        return Solution(
            count=len(task.z_N),
            axis=task.axis,
            covariates=task.covariates,
            abouts=(),
            coefficients_P=np.zeros(0),
            middle_P=np.zeros(0),
            groups=(),
            closing=task.closing,
        )
