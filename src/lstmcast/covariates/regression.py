"""The regression behind the effects on one series: a trend, a season, columns, and autoregressive
errors.

    T observed steps · N some of them · E pairs of neighbouring steps · P columns
    V trend, columns and z · W columns and z · S phases of the season · F values of φ
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.columns import Design
from lstmcast.model.inputs.regression import (
    PHIS,
    Layout,
    Together,
    fit_together,
    without_base,
)
from lstmcast.model.inputs.slow_clock import LIMIT, SPREAD, TREND

NOTHING = 1e-12  # share of squares below which a remainder is rounding error
FITS = 3  # fits per solution, to down-weight unusual values
BASE = 2  # columns of the trend
TOGETHER = 16  # regressions, whose matrices fit into a cache


def fitted_to(z_N: NDArray, columns: Design, season: int) -> Fitted | None:
    """The fitted regression; None if too little is known."""
    return fitted_each([Problem.of(z_N, columns, season)])[0]


class Problem(NamedTuple):
    """A regression to fit: the rows of all steps, 0 where z is unknown; the weights of pairs of
    neighbouring steps, 1 where both are known; the columns of each group; the season."""

    rows_NV: NDArray
    known_E: NDArray
    middle_P: NDArray
    layout: Layout
    season: int

    @classmethod
    def of(cls, z_N: NDArray, columns: Design, season: int) -> Problem | None:
        """The regression of z on these columns; None if there is nothing to fit."""
        known_N = np.isfinite(z_N)
        if not known_N.any() or not columns.groups:
            return None
        trend_N = np.arange(len(z_N)) / TREND
        z_N = z_N - z_N[known_N][0]  # sums stay exact for values with a large offset
        rows_NV = np.column_stack([trend_N, trend_N**2, columns.columns_NP, z_N])
        return cls(
            rows_NV=np.where(known_N[:, None], rows_NV, 0.0),
            known_E=(known_N[1:] & known_N[:-1]).astype(float),
            middle_P=rows_NV[known_N, BASE:-1].mean(axis=0),
            layout=Layout(BASE, sizes_of(columns.groups)),
            season=season,
        )


def fitted_each(problems: Sequence[Problem | None]) -> list[Fitted | None]:
    """The fitted regressions, in the same order; None if too little is known."""
    possible: dict[int, Problem] = {}
    for place, problem in enumerate(problems):
        if problem is not None:
            possible[place] = problem
    places = list(possible)
    fits: dict[int, Fitted] = {}
    for _ in range(FITS):
        all_sums: dict[int, QuasiSums] = {}
        for place in places:
            sums = QuasiSums.of(possible[place], fits.get(place))
            if sums is not None:
                all_sums[place] = sums
        fits = _solved(all_sums)
        places = list(fits)
    return [fits.get(place) for place in range(len(problems))]


def _solved(all_sums: dict[int, QuasiSums]) -> dict[int, Fitted]:
    """The solutions. Those with the same groups of columns are solved together: matrices are so
    small that calls take as long as what they compute."""
    alike: dict[tuple[Layout, tuple[float, ...]], list[int]] = {}
    for place, sums in all_sums.items():
        kind = sums.problem.layout, sums.phis
        alike.setdefault(kind, []).append(place)
    fits: dict[int, Fitted] = {}
    for (layout, phis), places in alike.items():
        for first in range(0, len(places), TOGETHER):
            batch = places[first : first + TOGETHER]
            batch_sums = [all_sums[place] for place in batch]
            products_BFVV = np.stack([sums.products_FVV for sums in batch_sums])
            count_B = np.array([sums.free_pairs for sums in batch_sums])
            solution = fit_together(products_BFVV, count_B, layout, phis)
            for row, place in enumerate(batch):
                fits[place] = Fitted.of(all_sums[place], solution, row)
    return fits


def sizes_of(groups: Iterable[str]) -> tuple[int, ...]:
    """The number of columns in each group; columns of a group are adjacent.

    >>> sizes_of(["sale", "price", "price"])
    (1, 2)
    """
    return tuple(len(list(columns)) for _, columns in groupby(groups))


class Sums(NamedTuple):
    """Weighted sums over pairs of neighbouring steps, and by phase of the second step."""

    own_VV: NDArray  # products of the second steps
    between_VV: NDArray  # products of first and second steps, both ways
    back_VV: NDArray  # products of the first steps
    now_SV: NDArray
    before_SV: NDArray
    weight_S: NDArray

    @classmethod
    def of(cls, rows: NDArray, weight_E: NDArray, season: int) -> Sums:
        """The sums over the rows of all steps."""
        root_E1 = np.sqrt(weight_E)[:, None]
        second_EV = root_E1 * rows[1:]
        first_EV = root_E1 * rows[:-1]
        between_VV = first_EV.T @ second_EV
        phase_E = np.arange(1, len(rows)) % season
        return cls(
            own_VV=second_EV.T @ second_EV,  # of an array with itself: half the work
            between_VV=between_VV + between_VV.T,
            back_VV=first_EV.T @ first_EV,
            now_SV=_by_phase(root_E1 * second_EV, season),
            before_SV=_by_phase(root_E1 * first_EV, season),
            weight_S=np.bincount(phase_E, weight_E, season),
        )

    def without_season(self, phis: tuple[float, ...]) -> tuple[NDArray, NDArray]:
        """Products of quasi-differences less their phase means (F, V, V), and those means
        (F, S, V)."""
        inverse_S = 1.0 / np.maximum(self.weight_S, 1e-12)
        inverse_S = np.where(self.weight_S > 0, inverse_S, 0.0)
        phi_F11 = np.array(phis)[:, None, None]
        sum_FSV = self.now_SV - phi_F11 * self.before_SV
        mean_FSV = sum_FSV * inverse_S[:, None]
        product_FVV = (
            self.own_VV - phi_F11 * self.between_VV + phi_F11**2 * self.back_VV
        )
        left_FVV = product_FVV - sum_FSV.swapaxes(1, 2) @ mean_FSV
        return _without_rounding(left_FVV, product_FVV), mean_FSV


def _without_rounding(left_FVV: NDArray, whole_FVV: NDArray) -> NDArray:
    """Products that are left of whole ones, 0 of columns of which nothing but rounding is left: a
    column that repeats with the season is explained by it."""
    left_FV = np.diagonal(left_FVV, axis1=1, axis2=2)
    is_left_FV = left_FV > NOTHING * np.diagonal(whole_FVV, axis1=1, axis2=2)
    return left_FVV * (is_left_FV[:, :, None] & is_left_FV[:, None, :])


def _by_phase(rows: NDArray, season: int) -> NDArray:
    """Sums of rows by phase (S, V), from step 1 on."""
    in_cycles = len(rows) // season * season
    cycles = rows[:in_cycles].reshape(-1, season, rows.shape[1])
    total_SV = cycles.sum(axis=0)
    total_SV[: len(rows) - in_cycles] += rows[in_cycles:]
    return np.roll(total_SV, 1, axis=0)


class QuasiSums(NamedTuple):
    """Products of quasi-differences less their phase means, and those means, for each φ."""

    problem: Problem
    phis: tuple[float, ...]
    products_FVV: NDArray
    means_FSV: NDArray
    free_pairs: float

    @classmethod
    def of(cls, problem: Problem, former: Fitted | None) -> QuasiSums | None:
        """Those of a problem, with less weight for what surprises a former fit; None if too little
        is known. φ stays near that of a former fit, as down-weighted values change it little."""
        phis = PHIS
        weight_E = problem.known_E
        if former is not None:
            place = PHIS.index(former.phi)
            phis = PHIS[max(place - 1, 0) : place + 2]
            weight_E = weight_E * _trust(former.surprises(problem.rows_NV), weight_E)
        sums = Sums.of(problem.rows_NV, weight_E, problem.season)
        free_pairs = sums.weight_S.sum() - np.count_nonzero(sums.weight_S)
        if free_pairs <= BASE + 1:
            return None
        products_FVV, means_FSV = sums.without_season(phis)
        unexplained = products_FVV[:, -1, -1].min()
        if not unexplained > NOTHING * sums.own_VV[-1, -1]:
            return None  # the season explains everything
        return cls(problem, phis, products_FVV, means_FSV, float(free_pairs))


class Fitted(NamedTuple):
    """The solution of a regression."""

    trend_B: NDArray
    coefficients_P: NDArray
    phi: float
    noise: float  # standard deviation
    gain: float  # log evidence
    season_S: NDArray  # mean residuals of quasi-differences, by phase
    covariance_PP: NDArray  # covariance of the coefficients
    evidence: float  # log evidence
    free_pairs: float  # residual degrees of freedom, in pairs of steps
    # Products of quasi-differences of columns and z, without season and trend, in units of the
    # noise: sufficient statistics of the coefficients.
    products_WW: NDArray
    middle_P: NDArray  # means of the columns

    @classmethod
    def of(cls, sums: QuasiSums, solution: Together, row: int) -> Fitted:
        """The regression of a row of what was solved together."""
        place = sums.phis.index(float(solution.fit.phi_B[row]))
        coefficients_K = solution.fit.coefficients_BK[row]
        noise = float(solution.fit.noise_B[row])
        products_WW, _ = without_base(sums.products_FVV[place], BASE)
        return cls(
            trend_B=coefficients_K[:BASE],
            coefficients_P=coefficients_K[BASE:],
            phi=sums.phis[place],
            noise=noise,
            gain=float(solution.fit.gain_BG[row, 0]),
            season_S=sums.means_FSV[place] @ np.append(-coefficients_K, 1.0),
            covariance_PP=solution.covariance_BPP[row],
            evidence=float(solution.evidence_B[row]),
            free_pairs=sums.free_pairs,
            products_WW=products_WW / noise**2,
            middle_P=sums.problem.middle_P,
        )

    def surprises(self, rows: NDArray) -> NDArray:
        """The residuals of quasi-differences, given the rows of all steps."""
        weights_V = np.concatenate([-self.trend_B, -self.coefficients_P, [1.0]])
        remainder_N = rows @ weights_V
        phase_E = np.arange(1, len(rows)) % len(self.season_S)
        return _quasi_difference(remainder_N, self.phi) - self.season_S[phase_E]


def _trust(surprise_E: NDArray, known_E: NDArray) -> NDArray:
    """The weight of each pair of steps: a surprise beyond the limit counts like one at it."""
    size_E = np.abs(surprise_E)
    observed = size_E[known_E > 0]
    spread = SPREAD * float(np.median(observed)) if len(observed) else 0.0
    limit = LIMIT * spread
    if not limit > 0:
        return np.ones(1)
    share_E = limit / np.maximum(size_E, limit)
    return np.minimum(1.0, share_E) ** 2


def _quasi_difference(of_N: NDArray, phi: float) -> NDArray:
    return of_N[1:] - phi * of_N[:-1]
