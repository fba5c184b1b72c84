"""The regression behind the effects on one series: a trend, a season, columns, and autoregressive
errors.

    T observed steps · N some of them · E pairs of neighbouring steps · P columns
    V trend, columns and z · W columns and z · S phases of the season · F values of φ
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.columns import Design
from lstmcast.model.inputs.regression import PHIS, Layout, fit_together, without_base
from lstmcast.model.inputs.slow_clock import LIMIT, SPREAD, TREND

NOTHING = 1e-12  # share of squares below which a remainder is rounding error
FITS = 3  # fits per solution, to down-weight unusual values
BASE = 2  # columns of the trend


def fitted_to(z_N: NDArray, columns: Design, season: int) -> Fitted | None:
    """The fitted regression; None if too little is known."""
    known_N = np.isfinite(z_N)
    if not known_N.any() or not columns.groups:
        return None
    trend_N = np.arange(len(z_N)) / TREND
    z_N = z_N - z_N[known_N][0]  # sums stay exact for values with a large offset
    rows_NV = np.column_stack([trend_N, trend_N**2, columns.columns_NP, z_N])
    rows_NV = np.where(known_N[:, None], rows_NV, 0.0)
    known_E = (known_N[1:] & known_N[:-1]).astype(float)
    layout = Layout(BASE, sizes_of(columns.groups))
    weight_E = known_E
    fitted = None
    for _ in range(FITS):
        sums = Sums.of(rows_NV, weight_E, season)
        fitted = Fitted.of(sums, layout, fitted)
        if fitted is None:
            return None
        weight_E = known_E * _trust(fitted.surprises(rows_NV), known_E)
    assert fitted is not None
    middle_P = rows_NV[known_N, BASE:-1].mean(axis=0)
    return fitted._replace(middle_P=middle_P)


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
        first_EV = rows[:-1]
        second_EV = rows[1:]
        weight_E1 = weight_E[:, None]
        weighted_second_EV = weight_E1 * second_EV
        weighted_first_EV = weight_E1 * first_EV
        between_VV = first_EV.T @ weighted_second_EV
        phase_E = np.arange(1, len(rows)) % season
        return cls(
            own_VV=second_EV.T @ weighted_second_EV,
            between_VV=between_VV + between_VV.T,
            back_VV=first_EV.T @ weighted_first_EV,
            now_SV=_by_phase(weighted_second_EV, season),
            before_SV=_by_phase(weighted_first_EV, season),
            weight_S=np.bincount(phase_E, weight_E, season),
        )

    def without_season(self, phis: tuple[float, ...]) -> tuple[NDArray, NDArray]:
        """Products of quasi-differences less their phase means (F, V, V), and those means
        (F, S, V)."""
        inverse_S = 1.0 / np.maximum(self.weight_S, 1e-12)
        inverse_S = np.where(self.weight_S > 0, inverse_S, 0.0)
        products = []
        means = []
        for phi in phis:
            sum_SV = self.now_SV - phi * self.before_SV
            mean_SV = sum_SV * inverse_S[:, None]
            means.append(mean_SV)
            product_VV = self.own_VV - phi * self.between_VV + phi**2 * self.back_VV
            left_VV = product_VV - sum_SV.T @ mean_SV
            products.append(_without_rounding(left_VV, product_VV))
        return np.stack(products), np.stack(means)


def _without_rounding(left_VV: NDArray, whole_VV: NDArray) -> NDArray:
    """Products that are left of whole ones, 0 of columns of which nothing but rounding is left: a
    column that repeats with the season is explained by it."""
    is_left_V = np.diag(left_VV) > NOTHING * np.diag(whole_VV)
    return left_VV * np.outer(is_left_V, is_left_V)


def _by_phase(rows: NDArray, season: int) -> NDArray:
    """Sums of rows by phase (S, V), from step 1 on."""
    in_cycles = len(rows) // season * season
    cycles = rows[:in_cycles].reshape(-1, season, rows.shape[1])
    total_SV = cycles.sum(axis=0)
    total_SV[: len(rows) - in_cycles] += rows[in_cycles:]
    return np.roll(total_SV, 1, axis=0)


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
    def of(cls, sums: Sums, layout: Layout, former: Fitted | None = None) -> Fitted | None:
        """The fitted regression; None if too little is known. φ stays near that of a former fit."""
        free_pairs = sums.weight_S.sum() - np.count_nonzero(sums.weight_S)
        if free_pairs <= BASE + 1:
            return None
        phis = PHIS
        if former is not None:  # down-weighted values change φ only a little
            place = PHIS.index(former.phi)
            phis = PHIS[max(place - 1, 0) : place + 2]
        products_FVV, means_FSV = sums.without_season(phis)
        unexplained = products_FVV[:, -1, -1].min()
        if not unexplained > NOTHING * sums.own_VV[-1, -1]:
            return None  # the season explains everything
        count_1 = np.array([free_pairs])
        fit, covariance_1PP, evidence_1 = fit_together(products_FVV[None], count_1, layout, phis)
        place = phis.index(float(fit.phi_B[0]))
        coefficients_K = fit.coefficients_BK[0]
        noise = float(fit.noise_B[0])
        products_WW, _ = without_base(products_FVV[place], BASE)
        return cls(
            trend_B=coefficients_K[:BASE],
            coefficients_P=coefficients_K[BASE:],
            phi=phis[place],
            noise=noise,
            gain=float(fit.gain_BG[0, 0]),
            season_S=means_FSV[place] @ np.append(-coefficients_K, 1.0),
            covariance_PP=covariance_1PP[0],
            evidence=float(evidence_1[0]),
            free_pairs=free_pairs,
            products_WW=products_WW / noise**2,
            middle_P=np.zeros(layout.columns - BASE),
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
