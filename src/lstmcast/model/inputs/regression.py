"""Bayesian linear regression on columns known in advance, from sums of fixed size.

    z_t = base_t · a + columns_t · b + u_t,    u_t = φ u_{t−1} + noise

is ordinary regression on the quasi-differences z_t − φ z_{t−1} (Cochrane & Orcutt 1949). Their
sums of products follow, for every φ at once, from three sums over pairs of neighbouring days:
v_t v_t', v_t v_{t−1}' + v_{t−1} v_t' and v_{t−1} v_{t−1}', with v = (base, columns, z). The base
has no prior. Each group of columns has one prior variance, chosen by the evidence (MacKay 1992,
"Bayesian interpolation").

    B series · D days (or other steps) · K columns, those of the base first · P columns with a prior
    G groups of those · M different products of two columns · F values of φ
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.util.states import rows_of, with_rows

PHIS = (0.3, 0.6, 0.8, 0.9, 0.97, 1.0)  # candidate values of φ; 1 makes u a random walk
ITERATIONS = 8  # updates of a prior variance, enough to converge where it matters
# of a scaled base column: one without information gets a coefficient of 0
RIDGE = 1e-10
SMALLEST = 1e-12  # share of a variance that is distinguishable from 0
# smallest prior variance of coefficients, in units of the noise variance
LEAST_PRIOR = 1e-18
# Smallest prior precision of a column, relative to its precision in the data: if collinear columns
# explain everything, the precision of the data leaves no other digits.
LEAST_PRECISION = 1e-12


class Layout(NamedTuple):
    """The order of the columns: those of the base first, then one group after the other."""

    base: int
    groups: tuple[int, ...] = ()  # number of columns of each

    @property
    def columns(self) -> int:
        """K."""
        return self.base + sum(self.groups)

    @property
    def products(self) -> int:
        """M: all pairs of columns, each column with z, and z with itself."""
        columns = self.columns
        pairs = columns * (columns + 1) // 2
        return pairs + columns + 1

    @property
    def group_P(self) -> NDArray:
        """The group of each column that belongs to one."""
        return np.repeat(np.arange(len(self.groups)), self.groups)


class Fit(NamedTuple):
    """Coefficients of all columns, 0 for groups that are not used; all fields have a row per
    series."""

    coefficients_BK: NDArray
    phi_B: NDArray
    noise_B: NDArray  # standard deviation of the noise
    gain_BG: NDArray  # log evidence of each group minus that of the base alone


class Together(NamedTuple):
    """A fit with all groups, with the covariance (B, P, P) of the coefficients that have a prior,
    and its log evidence."""

    fit: Fit
    covariance_BPP: NDArray
    evidence_B: NDArray


def products_of(columns_DK: NDArray) -> NDArray:
    """The contribution of the columns to the sums on every day but the first (D − 1, 3 · products
    of two columns)."""
    row, column = np.tril_indices(columns_DK.shape[1])
    today, yesterday = columns_DK[1:], columns_DK[:-1]
    now_row, now_column = today[:, row], today[:, column]
    before_row, before_column = yesterday[:, row], yesterday[:, column]
    mixed = now_row * before_column + before_row * now_column
    products = (now_row * now_column, mixed, before_row * before_column)
    return np.concatenate(products, axis=1)


def sums_of(
    columns_DK: NDArray, products: NDArray, z_BD: NDArray, weight_BE: NDArray
) -> tuple[NDArray, NDArray]:
    """Weighted sums (B, 3, M) over the pairs of neighbouring days, and sums of the weights (B,).

    `products`: from `products_of`. Each row is multiplied separately rather than in one matrix
    product, so that the numbers of a row do not depend on the other rows.
    """
    weight = weight_BE[:, None]
    z_now, z_before = z_BD[:, None, 1:], z_BD[:, None, :-1]
    x_now, x_before = columns_DK[1:], columns_DK[:-1]
    of_columns = (weight @ products).reshape(len(z_BD), 3, -1)
    weighted_now, weighted_before = weight * z_now, weight * z_before
    mixed = weighted_before @ x_now + weighted_now @ x_before
    with_z = np.concatenate(
        [weighted_now @ x_now, mixed, weighted_before @ x_before], axis=1
    )
    square_now = (weighted_now * z_now).sum(2)
    square_before = (weighted_before * z_before).sum(2)
    squares = np.stack(
        [square_now, 2 * (weighted_now * z_before).sum(2), square_before], axis=1
    )
    sums_B3M = np.concatenate([of_columns, with_z, squares], axis=2)
    return sums_B3M, weight_BE.sum(axis=1)


def base_sums(sums_B3M: NDArray, layout: Layout) -> NDArray:
    """The sums of only the base and z."""
    base_and_z = np.append(np.arange(layout.base), layout.columns)
    places = _places(layout.columns)[base_and_z[:, None], base_and_z]
    row, column = np.tril_indices(layout.base)
    places_M = np.concatenate([places[row, column], places[-1]])
    return sums_B3M[..., places_M]


def fit(
    sums_B3M: NDArray,
    count_B: NDArray,
    layout: Layout,
    least_gain: NDArray | float = 0.0,
) -> Fit:
    """The regression from these sums; groups whose log evidence gain is at least `least_gain` are
    used. The limit is the same for all series or one per series."""
    full_BFVV = _quasi_differences(sums_B3M, layout)
    rest_BFVV, base_BFKV = without_base(full_BFVV, layout.base)
    freedom_BF = _freedom(count_B, layout, len(PHIS))
    plain = _without_groups(rest_BFVV, freedom_BF)
    series, groups = len(count_B), len(layout.groups)
    by_group = []
    gain_BG = np.zeros((series, groups))
    for group in range(groups):
        members_BP = np.tile(layout.group_P == group, (series, 1))
        evidence = _with_groups(
            rest_BFVV, freedom_BF, plain, layout.group_P, members_BP
        )
        gain_BG[:, group] = _gain(evidence, plain)
        by_group.append(evidence)
    used_BG = gain_BG >= np.reshape(least_gain, (-1, 1))
    fitted = plain
    if groups == 1:
        fitted = by_group[0]
    elif groups > 1:
        used_BP = used_BG[:, layout.group_P]
        fitted = _with_groups(rest_BFVV, freedom_BF, plain, layout.group_P, used_BP)
    plain_only = np.flatnonzero(~used_BG.any(axis=1))
    fitted = fitted._replace(covariance_BFPP=plain.covariance_BFPP)
    fitted = with_rows(fitted, plain_only, rows_of(plain, plain_only))
    return _of_best_phi(fitted, base_BFKV, gain_BG)


def fit_together(
    full_BFVV: NDArray, count_B: NDArray, layout: Layout, phis: tuple[float, ...] = PHIS
) -> Together:
    """The regression with all groups at once, from sums of products of quasi-differences for each
    of these φ; `gain_BG` (B, 1) is the gain of all groups together."""
    rest_BFVV, base_BFKV = without_base(full_BFVV, layout.base)
    freedom_BF = _freedom(count_B, layout, len(phis))
    plain = _without_groups(rest_BFVV, freedom_BF)
    group_P = layout.group_P
    all_BP = np.ones((len(count_B), len(group_P)), bool)
    largest_V = np.diagonal(rest_BFVV, axis1=2, axis2=3).max(axis=(0, 1))
    varying_P = np.flatnonzero(largest_V[:-1] > 0)
    evidence = _with_groups(rest_BFVV, freedom_BF, plain, group_P, all_BP, varying_P)
    gain_B = _gain(evidence, plain)
    best_fit = _of_best_phi(evidence, base_BFKV, gain_B[:, None], phis)
    rows = np.arange(len(count_B))
    best_phi_B = evidence.evidence_BF.argmax(axis=1)
    return Together(
        best_fit,
        evidence.covariance_BFPP[rows, best_phi_B],
        evidence.evidence_BF[rows, best_phi_B],
    )


def _freedom(count_B: NDArray, layout: Layout, phis: int) -> NDArray:
    """Residual degrees of freedom after the base, the same for each φ (B, F)."""
    freedom_B = np.maximum(count_B - layout.base, 1.0)
    return np.repeat(freedom_B[:, None], phis, axis=1)


def _gain(evidence: _Evidence, plain: _Evidence) -> NDArray:
    """Log evidence minus that of the base alone, each at its best φ (B,)."""
    return evidence.evidence_BF.max(axis=1) - plain.evidence_BF.max(axis=1)


class _Evidence(NamedTuple):
    """Results for each φ."""

    evidence_BF: NDArray  # −∞ for a φ that is ruled out
    coefficients_BFP: NDArray
    variance_BF: NDArray  # of the noise
    covariance_BFPP: NDArray  # of the coefficients; empty without groups


def _of_best_phi(
    evidence: _Evidence,
    base_BFKV: NDArray,
    gain_BG: NDArray,
    phis: tuple[float, ...] = PHIS,
) -> Fit:
    """The results for the φ with the greatest evidence; zeros where squares overflowed."""
    rows = np.arange(len(gain_BG))
    best_B = evidence.evidence_BF.argmax(axis=1)
    of_groups_BP = evidence.coefficients_BFP[rows, best_B]
    base_BKV = base_BFKV[rows, best_B]
    explained_BK = (base_BKV[..., :-1] @ of_groups_BP[..., None])[..., 0]
    of_base_BK = base_BKV[..., -1] - explained_BK
    return Fit(
        np.concatenate([of_base_BK, of_groups_BP], axis=1),
        np.array(phis)[best_B],
        np.sqrt(evidence.variance_BF[rows, best_B]),
        gain_BG,
    )


@lru_cache(maxsize=8)
def _places(columns: int) -> NDArray:
    """The index among the M sums of each pair of columns, including z (K + 1, K + 1)."""
    row, column = np.tril_indices(columns)
    pairs = len(row)
    places = np.empty((columns + 1, columns + 1), np.int64)
    places[row, column] = places[column, row] = np.arange(pairs)
    places[-1, :-1] = places[:-1, -1] = pairs + np.arange(columns)
    places[-1, -1] = pairs + columns
    return places


def _quasi_differences(sums_B3M: NDArray, layout: Layout) -> NDArray:
    """Sums of products of the quasi-differences, for each φ (B, F, K + 1, K + 1)."""
    phi_F1 = np.array(PHIS)[:, None]
    square_today, mixed, square_before = (
        sums_B3M[:, None, which] for which in range(3)
    )
    sums_BFM = square_today - phi_F1 * mixed + phi_F1**2 * square_before
    return sums_BFM[..., _places(layout.columns)]


def without_base(sums: NDArray, base: int) -> tuple[NDArray, NDArray]:
    """The sums of the other columns and z after regressing out the base, and the coefficients of
    the base in that regression (…, base, P + 1)."""
    gram = sums[..., :base, :base]
    diagonal = np.diagonal(gram, axis1=-2, axis2=-1)
    positive = diagonal > 0
    root = np.sqrt(np.where(positive, diagonal, 1.0))
    scale = np.where(positive, 1.0 / root, 0.0)
    within = gram * scale[..., :, None] * scale[..., None, :]
    across = sums[..., :base, base:] * scale[..., :, None]
    solved = np.linalg.solve(within + RIDGE * np.eye(base), across)
    explained = np.swapaxes(across, -1, -2) @ solved
    remaining = sums[..., base:, base:] - explained
    return remaining, solved * scale[..., :, None]


def _without_groups(rest_BFVV: NDArray, freedom_BF: NDArray) -> _Evidence:
    """Results of the base alone."""
    square_BF = rest_BFVV[..., -1, -1]
    variance_BF = np.maximum(square_BF / freedom_BF, np.finfo(float).tiny)
    coefficients_BFP = np.zeros((*freedom_BF.shape, rest_BFVV.shape[-1] - 1))
    evidence_BF = -0.5 * freedom_BF * (np.log(variance_BF) + 1.0)
    nothing_BF00 = np.zeros((*freedom_BF.shape, 0, 0))
    return _Evidence(evidence_BF, coefficients_BFP, variance_BF, nothing_BF00)


def _with_groups(
    rest_BFVV: NDArray,
    freedom_BF: NDArray,
    plain: _Evidence,
    group_P: NDArray,
    chosen_BP: NDArray,
    varying_P: NDArray | None = None,
) -> _Evidence:
    """Results with the groups chosen for each series, for each φ that can still be the best.
    `varying_P`: the columns that are not 0 throughout, if only these matter."""
    shape = (*freedom_BF.shape, 1, len(group_P))
    chosen_BF1P = np.broadcast_to(chosen_BP[:, None, None], shape)
    chosen_BFP = chosen_BF1P[..., 0, :]
    # In units of the noise without groups, so that the scale of the data does not matter.
    unit_BF1 = np.sqrt(plain.variance_BF)[..., None]
    both_BFPP = chosen_BF1P & np.swapaxes(chosen_BF1P, -1, -2)
    A_BFPP = rest_BFVV[..., :-1, :-1] * both_BFPP
    b_BFP = rest_BFVV[..., :-1, -1] * chosen_BFP / unit_BF1
    # No prior makes the values more likely than the best coefficients do: that rules out most φ.
    ridge_BF1 = RIDGE * _trace(A_BFPP)[..., None]
    ridge_BFPP = _diagonal(np.where(chosen_BFP, ridge_BF1, 1.0))
    freely_BFP = np.linalg.solve(A_BFPP + ridge_BFPP, b_BFP[..., None])[..., 0]
    left_BF = _left(A_BFPP, b_BFP, freedom_BF, freely_BFP)
    most_BF = plain.evidence_BF - 0.5 * freedom_BF * np.log(left_BF / freedom_BF)
    least_B1 = plain.evidence_BF.max(axis=1)[:, None]
    looked_at = B, _ = np.nonzero(most_BF >= least_B1)
    members = _Members.of(group_P, chosen_BP[B], varying_P)
    gain_N, beta_NP, variance_N, covariance_NPP = _mackay(
        A_BFPP[looked_at], b_BFP[looked_at], freedom_BF[looked_at], members
    )
    unit_N1 = unit_BF1[looked_at]
    outcome = _Evidence(
        np.full_like(freedom_BF, -np.inf),
        np.zeros_like(b_BFP),
        plain.variance_BF.copy(),
        np.zeros_like(A_BFPP),
    )
    outcome.evidence_BF[looked_at] = plain.evidence_BF[looked_at] + gain_N
    outcome.coefficients_BFP[looked_at] = beta_NP * unit_N1
    outcome.variance_BF[looked_at] *= variance_N
    outcome.covariance_BFPP[looked_at] = covariance_NPP * unit_N1[..., None] ** 2
    return outcome


def _mackay(
    A_NPP: NDArray, b_NP: NDArray, freedom_N: NDArray, members: _Members
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Log evidence gained, coefficients, variance of the noise, and covariance of the coefficients,
    each of N regressions in units of the noise without groups (MacKay 1992, eq. 4.4 and 4.8)."""
    diagonal_NP = np.diagonal(A_NPP, axis1=1, axis2=2)
    divisor_NP = np.where(diagonal_NP > 0, diagonal_NP, np.inf)
    alone_NP = b_NP / divisor_NP
    prior_NG = np.maximum(members.mean(alone_NP**2), LEAST_PRIOR)
    variance_N = np.ones_like(freedom_N)
    inverse_NPP, precision_NP, beta_NP = _posterior(
        A_NPP, b_NP, prior_NG, variance_N, members
    )
    for _ in range(ITERATIONS):
        variances_NP = np.diagonal(inverse_NPP, axis1=1, axis2=2)
        known_NP = 1.0 - variances_NP * precision_NP
        known_NG = np.maximum(members.sum(known_NP), SMALLEST)
        prior_NG = np.maximum(members.sum(beta_NP**2) / known_NG, LEAST_PRIOR)
        left_N = _left(A_NPP, b_NP, freedom_N, beta_NP)
        remaining_N = np.maximum(freedom_N - known_NP.sum(axis=1), 1.0)
        variance_N = left_N / remaining_N
        inverse_NPP, precision_NP, beta_NP = _posterior(
            A_NPP, b_NP, prior_NG, variance_N, members
        )
    gain_N = (
        0.5 * freedom_N * (1.0 - np.log(variance_N))
        - 0.5 * _left(A_NPP, b_NP, freedom_N, beta_NP) / variance_N
        - 0.5 * (beta_NP**2 * precision_NP).sum(axis=1)
        + 0.5 * np.linalg.slogdet(inverse_NPP)[1]
        + 0.5 * np.log(precision_NP).sum(axis=1)
    )
    return gain_N, beta_NP, variance_N, inverse_NPP


def _posterior(
    A_NPP: NDArray,
    b_NP: NDArray,
    prior_NG: NDArray,
    variance_N: NDArray,
    members: _Members,
) -> tuple[NDArray, NDArray, NDArray]:
    """Covariance and mean of the coefficients, with the prior precision in between."""
    told_NPP = A_NPP / variance_N[:, None, None]
    least_NP = LEAST_PRECISION * np.diagonal(told_NPP, axis1=1, axis2=2)
    precision_NP = np.maximum(1.0 / members.spread(prior_NG), least_NP)
    covariance_NPP = members.inverse(told_NPP, precision_NP)
    mean_NP = (covariance_NPP @ b_NP[..., None])[..., 0]
    return covariance_NPP, precision_NP, mean_NP / variance_N[:, None]


class _Members(NamedTuple):
    """The assignment of columns to groups."""

    group_P: NDArray
    first_G: NDArray  # first column of each group; the columns of a group are adjacent
    size_NG: NDArray  # number of chosen columns
    varying_P: NDArray | None  # columns that are not 0 throughout; None if any may be

    @classmethod
    def of(
        cls, group_P: NDArray, chosen_NP: NDArray, varying_P: NDArray | None
    ) -> _Members:
        if varying_P is not None and len(varying_P) == len(group_P):
            varying_P = None
        first_G = np.searchsorted(group_P, np.arange(group_P.max() + 1))
        size_NG = np.add.reduceat(chosen_NP.astype(float), first_G, axis=1)
        return cls(group_P, first_G, np.maximum(size_NG, 1.0), varying_P)

    def inverse(self, told_NPP: NDArray, precision_NP: NDArray) -> NDArray:
        """The inverse of what the data and the prior say: of columns that are 0 throughout, the
        prior alone says something."""
        if self.varying_P is None:
            return np.linalg.inv(told_NPP + _diagonal(precision_NP))
        row_P1 = self.varying_P[:, None]
        within_NPP = told_NPP[:, row_P1, self.varying_P]
        within_NPP += _diagonal(precision_NP[:, self.varying_P])
        inverse_NPP = _diagonal(1.0 / precision_NP)
        inverse_NPP[:, row_P1, self.varying_P] = np.linalg.inv(within_NPP)
        return inverse_NPP

    def sum(self, of_NP: NDArray) -> NDArray:
        """Sums over each group (N, G)."""
        return np.add.reduceat(of_NP, self.first_G, axis=1)

    def mean(self, of_NP: NDArray) -> NDArray:
        """Means over the chosen columns of each group (N, G)."""
        return self.sum(of_NP) / self.size_NG

    def spread(self, of_NG: NDArray) -> NDArray:
        """The value of each column's group (N, P)."""
        return of_NG[:, self.group_P]


def _diagonal(of_P: NDArray) -> NDArray:
    """Diagonal matrices (…, P, P)."""
    return of_P[..., None] * np.eye(of_P.shape[-1])


def _trace(A: NDArray) -> NDArray:
    return np.trace(A, axis1=-2, axis2=-1) + np.finfo(float).tiny


def _left(gram: NDArray, product: NDArray, total: NDArray, beta: NDArray) -> NDArray:
    """Residual sum of squares with these coefficients; slightly positive where rounding makes it
    0."""
    fitted = (gram @ beta[..., None])[..., 0]
    squares_left = total - (beta * (2.0 * product - fitted)).sum(axis=-1)
    return np.maximum(squares_left, SMALLEST * total)
