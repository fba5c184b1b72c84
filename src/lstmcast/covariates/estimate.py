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
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.closing import Closing
from lstmcast.covariates.columns import About, Design, Kind, Known, about, design
from lstmcast.model.inputs.axis import LOG, ROOT, reading_axis, to_axis
from lstmcast.model.inputs.regression import PHIS, Layout, fit_together, without_base
from lstmcast.model.inputs.slow_clock import LEAST_GAIN, LIMIT, SPREAD, TREND

FEWEST, CYCLES = 32, 3  # steps, and cycles with a few more, before the first solution
MORE = 8
PER_OCTAVE = 3  # solutions while a history doubles
NOTHING = 1e-12  # share of squares that is told from rounding
LONG = 4  # cycles, from which on a season has means of its own phases
FITS = 3  # of each solution, to tell unusual values
BASE = 2  # columns of the trend
MOST_SURE = 50.0  # difference of log evidences, from which on there is no doubt


@dataclass(frozen=True, eq=False)
class Solution:
    """What is known of effects once `count` steps were observed.

    `axis`: on which they are; `effect`: at any steps, relative to its mean until then;
    `covariance_PP`: how sure coefficients are.
    """

    count: int
    axis: int
    known: Known
    what: tuple[About, ...]
    coefficients_P: NDArray
    middle_P: NDArray
    groups: tuple[str, ...]
    closing: Closing
    covariance_PP: NDArray = field(default_factory=lambda: np.zeros((0, 0)))

    def effect(self, steps_N: NDArray) -> NDArray:
        """At some steps (N,), on the axis."""
        if not self.coefficients_P.any():
            return np.zeros(len(steps_N))
        return (self.columns(steps_N) - self.middle_P) @ self.coefficients_P

    def columns(self, steps_N: NDArray) -> NDArray:
        """The columns of the regression at some steps (N, P)."""
        return design(self.known, self.what, steps_N, self.count).columns_NP

    def uncertainty(self, columns_NP: NDArray) -> NDArray:
        """The standard deviation of what is said of differences of columns (N,), on the axis."""
        used_NP = columns_NP * (self.coefficients_P != 0)
        return np.sqrt(np.einsum("np,pq,nq->n", used_NP, self.covariance_PP, used_NP))

    def parts(self, steps_N: NDArray) -> dict[str, NDArray]:
        """What each column as given, and the dates, add to it (N,)."""
        if not self.coefficients_P.any():
            return {}
        made = design(self.known, self.what, steps_N, self.count)
        each_NP = (made.columns_NP - self.middle_P) * self.coefficients_P
        sources = np.array(made.sources, object)
        found = {name: each_NP[:, sources == name].sum(axis=1) for name in made.sources}
        return {name: part_N for name, part_N in found.items() if part_N.any()}


def renewals(steps: int, season: int) -> list[int]:
    """After how many of so many observed steps a solution is made.

    >>> renewals(100, 7)
    [32, 42, 52, 62, 72, 93]
    """
    result, count = [], max(FEWEST, CYCLES * season + MORE)
    while count <= steps:
        result.append(count)
        count = next_renewal(count)
    return result


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
    values_T: NDArray, known: Known, periods: tuple[int, ...], roots: bool
) -> Iterator[Solution]:
    """The solutions of a series, one after the other."""
    for count in renewals(len(values_T), first_season(periods)):
        yield solution_of(values_T[:count], known, periods, roots)


def solution_of(values_N: NDArray, known: Known, periods: tuple[int, ...], roots: bool) -> Solution:
    """The solution once these values were observed."""
    return Task.of(values_N, known, periods, roots).alone().solution()


@dataclass(frozen=True, eq=False)
class Task:
    """A regression that is to be solved: the values so far on their axis, without closed steps, and
    the columns beside them."""

    known: Known
    closing: Closing
    axis: int
    z_N: NDArray
    season: int
    what: tuple[About, ...]
    made: Design

    @classmethod
    def of(cls, values_N: NDArray, known: Known, periods: tuple[int, ...], roots: bool) -> Task:
        """That of a series of which these values were observed."""
        count = len(values_N)
        closing = Closing.of(known, values_N)
        open_N = np.where(closing.closed(np.arange(count)), np.nan, values_N)
        axis = int(reading_axis(open_N[None], periods, roots=roots)[0])
        z_N = to_axis(open_N[None], axis == LOG, axis == ROOT)[0]
        season = max((period for period in periods if count >= LONG * period), default=1)
        what = about(known, count)
        made = design(known, what, np.arange(count), count)
        return cls(known, closing, axis, z_N, season, what, made)

    def alone(self) -> Solved:
        """The regression as the series alone says."""
        return Solved(self, _fitted(self.z_N, self.made, self.season))

    def around(self, expected_P: NDArray) -> Solved:
        """The regression where these coefficients are expected before anything is seen."""
        z_N = self.z_N - self.made.columns_NP @ expected_P
        return Solved(self, _fitted(z_N, self.made, self.season), expected_P)


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
        unused = self.fitted.gain < LEAST_GAIN
        return self.fitted.evidence - (self.fitted.gain if unused else 0.0)

    @property
    def coefficients_P(self) -> NDArray:
        """What the columns do; those of the year, which adaptive inputs know, are left to them."""
        assert self.fitted is not None
        found_P = self.fitted.coefficients_P * (self.fitted.gain >= LEAST_GAIN)
        used_P = np.array([kind is not Kind.YEAR for kind in self.task.made.kinds])
        return (self.expected_P + found_P) * used_P

    def solution(self, other: Solved | None = None) -> Solution:
        """What is in force, or the average with another one, as the evidence for both says."""
        task, nothing = self.task, np.zeros(0)
        count = len(task.z_N)
        if self.fitted is None:
            closing = task.closing
            return Solution(count, task.axis, task.known, (), nothing, nothing, (), closing)
        coefficients_P, share = self.coefficients_P, 0.0
        if other is not None and other.fitted is not None:
            ahead = np.clip(other.evidence - self.evidence, -MOST_SURE, MOST_SURE)
            share = 1.0 / (1.0 + np.exp(-ahead))
            coefficients_P = (1.0 - share) * coefficients_P + share * other.coefficients_P
        surer = other.fitted if other is not None and share > 0.5 else self.fitted
        assert surer is not None
        return Solution(
            count,
            task.axis,
            task.known,
            task.what,
            coefficients_P,
            self.fitted.middle_P,
            task.made.groups,
            task.closing,
            surer.covariance_PP,
        )


def _fitted(z_N: NDArray, made: Design, season: int) -> Fitted | None:
    """The regression; None where too little is known."""
    known_N = np.isfinite(z_N)
    if not known_N.any() or not made.groups:
        return None
    trend_N = np.arange(len(z_N)) / TREND
    z_N = z_N - z_N[known_N][0]  # sums stay exact for values with a large offset
    rows_NV = np.column_stack([trend_N, trend_N**2, made.columns_NP, z_N])
    rows_NV = np.where(known_N[:, None], rows_NV, 0.0)
    known_E = (known_N[1:] & known_N[:-1]).astype(float)
    layout = Layout(BASE, tuple(len(list(same)) for _, same in groupby(made.groups)))
    weight_E, fitted = known_E, None
    for _ in range(FITS):
        fitted = Fitted.of(Sums.of(rows_NV, weight_E, season), layout, fitted)
        if fitted is None:
            return None
        weight_E = known_E * _trust(fitted.surprises(rows_NV), known_E)
    assert fitted is not None
    return fitted._replace(middle_P=rows_NV[known_N, BASE:-1].mean(axis=0))


class Sums(NamedTuple):
    """Weighted sums over pairs of neighbouring steps, and by phase of the second step."""

    own_VV: NDArray  # products of the second
    between_VV: NDArray  # of both, either way
    back_VV: NDArray  # of the first
    now_SV: NDArray
    before_SV: NDArray
    weight_S: NDArray

    @classmethod
    def of(cls, rows: NDArray, weight_E: NDArray, season: int) -> Sums:
        """Those of the rows of all steps."""
        now, before, w = rows[1:], rows[:-1], weight_E[:, None]
        own, back = w * now, w * before
        between = before.T @ own
        phase_E = np.arange(1, len(rows)) % season
        return cls(
            now.T @ own,
            between + between.T,
            before.T @ back,
            _by_phase(own, season),
            _by_phase(back, season),
            np.bincount(phase_E, weight_E, season),
        )

    def without_season(self, phis: tuple[float, ...]) -> tuple[NDArray, NDArray]:
        """Products of quasi-differences without their means by phase (F, V, V), and those means
        (F, S, V)."""
        inverse_S = np.where(self.weight_S > 0, 1.0 / np.maximum(self.weight_S, 1e-12), 0.0)
        products, means = [], []
        for phi in phis:
            sum_SV = self.now_SV - phi * self.before_SV
            means.append(sum_SV * inverse_S[:, None])
            whole = self.own_VV - phi * self.between_VV + phi**2 * self.back_VV
            products.append(whole - sum_SV.T @ means[-1])
        return np.stack(products), np.stack(means)


def _by_phase(rows: NDArray, season: int) -> NDArray:
    """Sums of rows of the same phase (S, V), from step 1 on."""
    whole = len(rows) // season * season
    total_SV = rows[:whole].reshape(-1, season, rows.shape[1]).sum(axis=0)
    total_SV[: len(rows) - whole] += rows[whole:]
    return np.roll(total_SV, 1, axis=0)


class Fitted(NamedTuple):
    """The solution of a regression, before its shares."""

    trend_B: NDArray
    coefficients_P: NDArray
    phi: float
    noise: float  # standard deviation
    gain: float  # log evidence
    season_S: NDArray  # means of what is left of quasi-differences, by phase
    covariance_PP: NDArray  # how sure the coefficients are
    evidence: float  # log evidence
    free: float  # pairs of steps that were free to say something
    # Products of quasi-differences of columns and z, without season and trend, in units of the
    # noise: all that the series says of its coefficients.
    products_WW: NDArray
    middle_P: NDArray  # means of the columns

    @classmethod
    def of(cls, sums: Sums, layout: Layout, former: Fitted | None = None) -> Fitted | None:
        """The regression; None where too little is known. φ is near that of the former fit."""
        free = sums.weight_S.sum() - np.count_nonzero(sums.weight_S)
        if free <= BASE + 1:
            return None
        phis = PHIS
        if former is not None:  # unusual values change little
            place = PHIS.index(former.phi)
            phis = PHIS[max(place - 1, 0) : place + 2]
        products_FVV, means_FSV = sums.without_season(phis)
        left = products_FVV[:, -1, -1].min()
        if not left > NOTHING * sums.own_VV[-1, -1]:
            return None  # seasons explain all of it
        count_1 = np.array([free])
        result, covariance_1PP, evidence_1 = fit_together(products_FVV[None], count_1, layout, phis)
        f = phis.index(float(result.phi_B[0]))
        all_K = result.coefficients_BK[0]
        noise = float(result.noise_B[0])
        rest_WW, _ = without_base(products_FVV[f], BASE)
        return cls(
            all_K[:BASE],
            all_K[BASE:],
            phis[f],
            noise,
            float(result.gain_BG[0, 0]),
            means_FSV[f] @ np.append(-all_K, 1.0),
            covariance_1PP[0],
            float(evidence_1[0]),
            free,
            rest_WW / noise**2,
            np.zeros(layout.columns - BASE),
        )

    def surprises(self, rows: NDArray) -> NDArray:
        """How far quasi-differences are from what is expected, of the rows of all steps."""
        rest_N = rows @ np.concatenate([-self.trend_B, -self.coefficients_P, [1.0]])
        phase_E = np.arange(1, len(rows)) % len(self.season_S)
        return _quasi_difference(rest_N, self.phi) - self.season_S[phase_E]


def _trust(surprise_E: NDArray, known_E: NDArray) -> NDArray:
    """How much each pair of steps counts: no surprise says more than one at the limit does."""
    size_E = np.abs(surprise_E)
    some_E = size_E[known_E > 0]
    usual = SPREAD * float(np.median(some_E)) if len(some_E) else 0.0
    limit = LIMIT * usual
    return np.minimum(1.0, limit / np.maximum(size_E, limit)) ** 2 if limit > 0 else np.ones(1)


def _quasi_difference(of_N: NDArray, phi: float) -> NDArray:
    return of_N[1:] - phi * of_N[:-1]
