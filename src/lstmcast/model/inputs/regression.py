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

from lstmcast.model.inputs.evidence import RIDGE, Evidence, with_groups, without_groups
from lstmcast.util.states import rows_of, with_rows

PHIS = (0.3, 0.6, 0.8, 0.9, 0.97, 1.0)  # candidate values of φ; 1 makes u a random walk


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
    today = columns_DK[1:]
    yesterday = columns_DK[:-1]
    now_row = today[:, row]
    now_column = today[:, column]
    before_row = yesterday[:, row]
    before_column = yesterday[:, column]
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
    z_now = z_BD[:, None, 1:]
    z_before = z_BD[:, None, :-1]
    x_now = columns_DK[1:]
    x_before = columns_DK[:-1]
    of_columns = (weight @ products).reshape(len(z_BD), 3, -1)
    weighted_now = weight * z_now
    weighted_before = weight * z_before
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
    plain = without_groups(rest_BFVV, freedom_BF)
    series = len(count_B)
    groups = len(layout.groups)
    by_group = []
    gain_BG = np.zeros((series, groups))
    for group in range(groups):
        members_BP = np.tile(layout.group_P == group, (series, 1))
        evidence = with_groups(rest_BFVV, freedom_BF, plain, layout.group_P, members_BP)
        gain_BG[:, group] = _gain(evidence, plain)
        by_group.append(evidence)
    used_BG = gain_BG >= np.reshape(least_gain, (-1, 1))
    fitted = plain
    if groups == 1:
        fitted = by_group[0]
    elif groups > 1:
        used_BP = used_BG[:, layout.group_P]
        fitted = with_groups(rest_BFVV, freedom_BF, plain, layout.group_P, used_BP)
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
    plain = without_groups(rest_BFVV, freedom_BF)
    group_P = layout.group_P
    all_BP = np.ones((len(count_B), len(group_P)), bool)
    largest_V = np.diagonal(rest_BFVV, axis1=2, axis2=3).max(axis=(0, 1))
    varying_P = np.flatnonzero(largest_V[:-1] > 0)
    evidence = with_groups(rest_BFVV, freedom_BF, plain, group_P, all_BP, varying_P)
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


def _gain(evidence: Evidence, plain: Evidence) -> NDArray:
    """Log evidence minus that of the base alone, each at its best φ (B,)."""
    return evidence.evidence_BF.max(axis=1) - plain.evidence_BF.max(axis=1)


def _of_best_phi(
    evidence: Evidence,
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
