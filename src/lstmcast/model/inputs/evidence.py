"""Coefficients of groups of columns and their prior variances, chosen by the evidence.

Each group of columns has one prior variance (MacKay 1992, "Bayesian interpolation").

    B series · P columns with a prior · G groups of those · F values of φ
    N regressions: pairs of a series and a φ · V columns with a prior, and z
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ITERATIONS = 8  # updates of a prior variance, enough to converge where it matters
# of a scaled base column: one without information gets a coefficient of 0
RIDGE = 1e-10
SMALLEST = 1e-12  # share of a variance that is distinguishable from 0
# smallest prior variance of coefficients, in units of the noise variance
LEAST_PRIOR = 1e-18
# Smallest prior precision of a column, relative to its precision in the data: if collinear columns
# explain everything, the precision of the data leaves no other digits.
LEAST_PRECISION = 1e-12


class Evidence(NamedTuple):
    """Results for each φ."""

    evidence_BF: NDArray  # −∞ for a φ that is ruled out
    coefficients_BFP: NDArray
    variance_BF: NDArray  # of the noise
    covariance_BFPP: NDArray  # of the coefficients; empty without groups


def without_groups(rest_BFVV: NDArray, freedom_BF: NDArray) -> Evidence:
    """Results of the base alone."""
    square_BF = rest_BFVV[..., -1, -1]
    variance_BF = np.maximum(square_BF / freedom_BF, np.finfo(float).tiny)
    coefficients_BFP = np.zeros((*freedom_BF.shape, rest_BFVV.shape[-1] - 1))
    evidence_BF = -0.5 * freedom_BF * (np.log(variance_BF) + 1.0)
    nothing_BF00 = np.zeros((*freedom_BF.shape, 0, 0))
    return Evidence(evidence_BF, coefficients_BFP, variance_BF, nothing_BF00)


def with_groups(
    rest_BFVV: NDArray,
    freedom_BF: NDArray,
    plain: Evidence,
    group_P: NDArray,
    chosen_BP: NDArray,
    varying_P: NDArray | None = None,
) -> Evidence:
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
    outcome = Evidence(
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
