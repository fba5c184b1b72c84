"""The effects of columns known in advance on one series: a regression that is solved again as the
series grows.

    z_t = season_t + trend_t + columns_t · b + u_t,    u_t = φ u_{t−1} + noise

where z is the series on its axis, the season has a mean for each of its phases, and each group of
columns in b has its own prior variance, as `model.inputs.regression` solves it. The phase means of
the quasi-differences are subtracted, which is equivalent to a column for each phase (Frisch & Waugh
1933).

A solution holds until the history has grown by a quarter or a third. It is made only from the
values up to its step, so nothing depends on later values, in a backtest or in use. As solutions are
so few, the cost of a step is the square of the number of columns.

    T observed steps · N some of them · E pairs of neighbouring steps · P columns
    V trend, columns and z · W columns and z · S phases of the season · F values of φ
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.closing import Closing
from lstmcast.covariates.columns import About, Design, Kind, Known, about, design
from lstmcast.covariates.regression import Fitted, Problem, fitted_each
from lstmcast.covariates.uplift import per_log, uplift_of
from lstmcast.model.inputs.axis import LOG, ROOT, reading_axis, to_axis
from lstmcast.model.inputs.slow_clock import LEAST_GAIN

FEWEST, CYCLES = 32, 3  # steps, and cycles plus a few steps, before the first solution
MORE = 8
PER_OCTAVE = 3  # solutions while the history doubles
LONG = 4  # cycles from which on the season has a mean for each phase
MOST_SURE = 50.0  # difference of log evidences beyond which there is no doubt


@dataclass(frozen=True, eq=False)
class Solution:
    """What is known about effects after `count` observed steps.

    `axis`: the axis of the effects; `effect`: the effect at any steps, relative to its mean so far;
    `covariance_PP`: the covariance of the coefficients; `level`: the mean of the values on the
    axis.
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

    def reading(self, covariates: Known) -> Solution:
        """The same for other values of the columns."""
        closing = Closing(covariates, self.closing.at)
        return replace(self, covariates=covariates, closing=closing)

    def effect(self, steps_N: NDArray) -> NDArray:
        """The effect at some steps (N,), on the axis."""
        if not self.coefficients_P.any():
            return np.zeros(len(steps_N))
        return (self.columns(steps_N) - self.middle_P) @ self.coefficients_P

    def uplift(self, steps_N: NDArray) -> NDArray:
        """The factor by which the effect multiplies the mean at some steps (N,)."""
        return uplift_of(self.effect(steps_N), self.axis, self.level)

    def columns(self, steps_N: NDArray) -> NDArray:
        """The columns of the regression at some steps (N, P)."""
        return design(self.covariates, self.abouts, steps_N, self.count).columns_NP

    def uncertainty(self, columns_NP: NDArray) -> NDArray:
        """The standard deviation of the effects of differences of columns (N,), on the axis."""
        is_used_P = self.coefficients_P != 0
        used_NP = columns_NP * is_used_P
        variance_N = np.einsum("np,pq,nq->n", used_NP, self.covariance_PP, used_NP)
        return np.sqrt(variance_N)

    def parts(self, steps_N: NDArray) -> dict[str, NDArray]:
        """The contributions of each column as given, and of the dates, to the effect (N,)."""
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
    """The numbers of observed steps, up to `steps`, after which a solution is made.

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
    """The number of steps of the solution that follows the one made after `count`."""
    octave = 2 ** int(np.floor(np.log2(count)))
    return count + max(octave // PER_OCTAVE, 1)


def first_renewal(periods: tuple[int, ...]) -> int:
    """The number of steps before the first solution of a series with these seasons."""
    return max(FEWEST, CYCLES * first_season(periods) + MORE)


def first_season(periods: tuple[int, ...]) -> int:
    """The shortest season, which the first solution waits for; 1 if there is none."""
    return next((period for period in periods if period > 1), 1)


def solutions(
    values_T: NDArray, covariates: Known, periods: tuple[int, ...], roots: bool
) -> Iterator[Solution]:
    """Yield the solutions of a series, one after the other."""
    for count in renewals(len(values_T), first_season(periods)):
        yield solution_of(values_T[:count], covariates, periods, roots)


def solution_of(
    values_N: NDArray, covariates: Known, periods: tuple[int, ...], roots: bool
) -> Solution:
    """The solution after these observed values."""
    task = Task.of(values_N, covariates, periods, roots)
    return solved_each([task])[0].solution()


@dataclass(frozen=True, eq=False)
class Task:
    """A regression to solve: the values so far on their axis, without closed steps, and the columns
    at the same steps."""

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
        """The regression of a series after these observed values."""
        count = len(values_N)
        closing = Closing.of(covariates, values_N)
        is_closed_N = closing.closed(np.arange(count))
        open_1N = np.where(is_closed_N, np.nan, values_N)[None]
        axis = int(reading_axis(open_1N, periods, roots=roots)[0])
        z_N = to_axis(open_1N, axis == LOG, axis == ROOT)[0]
        season = max(
            (period for period in periods if count >= LONG * period), default=1
        )
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
        """The mean of the values on the axis; 0 if none is known."""
        known_values = self.z_N[np.isfinite(self.z_N)]
        if not len(known_values):
            return 0.0
        return float(known_values.mean())

    @property
    def per_log(self) -> float:
        """How far a small effect in logarithms moves the values on the axis."""
        return per_log(self.axis, self.level)

    def problem(self, expected_P: NDArray | float = 0.0) -> Problem | None:
        """The regression to fit, with these coefficients as prior means."""
        z_N = self.z_N
        if isinstance(expected_P, np.ndarray):
            z_N = z_N - self.design.columns_NP @ expected_P
        return Problem.of(z_N, self.design, self.season)


def solved_each(
    tasks: Sequence[Task], expected: Sequence[NDArray | float] | None = None
) -> list[Solved]:
    """The tasks solved, each from its series alone or with `expected` coefficients as prior
    means."""
    if expected is None:
        expected = [0.0 for _ in tasks]
    problems = []
    for task, expected_P in zip(tasks, expected, strict=True):
        problems.append(task.problem(expected_P))
    fits = fitted_each(problems)
    return [
        Solved(task, fitted, expected_P)
        for task, fitted, expected_P in zip(tasks, fits, expected, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class Solved:
    """A solved regression; `fitted` is None if too little is known."""

    task: Task
    fitted: Fitted | None
    expected_P: NDArray | float = 0.0

    @property
    def evidence(self) -> float:
        """The log evidence; that of the prior means alone if the columns add too little."""
        if self.fitted is None:
            return -np.inf
        if self.fitted.gain < LEAST_GAIN:
            return self.fitted.evidence - self.fitted.gain
        return self.fitted.evidence

    @property
    def coefficients_P(self) -> NDArray:
        """The coefficients, without those of the year, which adaptive inputs model themselves."""
        assert self.fitted is not None
        fitted_P = self.fitted.coefficients_P * (self.fitted.gain >= LEAST_GAIN)
        is_used_P = np.array([kind is not Kind.YEAR for kind in self.task.design.kinds])
        return (self.expected_P + fitted_P) * is_used_P

    def solution(self, pooled: Solved | None = None) -> Solution:
        """The solution in force, averaged with a pooled regression, if any, by the evidence for
        both."""
        task = self.task
        if self.fitted is None:
            return self._without_effects()
        coefficients_P = self.coefficients_P
        covariance_PP = self.fitted.covariance_PP
        if pooled is not None and pooled.fitted is not None:
            ahead = np.clip(pooled.evidence - self.evidence, -MOST_SURE, MOST_SURE)
            share = 1.0 / (1.0 + np.exp(-ahead))
            coefficients_P = (
                1.0 - share
            ) * coefficients_P + share * pooled.coefficients_P
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
