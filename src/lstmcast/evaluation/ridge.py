"""Ridge regressions of many steps at once, with penalties chosen by cross-validation.

H regressions · N examples · P columns · L priors
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PRIORS = 10.0 ** np.arange(-3.5, 1.5, 0.5)  # variances of the columns are 1
FIRST = 0.03  # prior of the first fit, before outliers are known
LIMIT = 3.0  # standard deviations; examples with larger residuals get less weight
USUAL = 1.4826  # standard deviations of a normal variable per median absolute value
MOST_USED = 0.9  # largest ratio of effective coefficients to examples
ROUNDING = 1e-10  # smaller variances, relative to the squared mean, are rounding errors
TINY = 1e-300


class Ridge(NamedTuple):
    """Fitted regressions: an intercept and coefficients for each step."""

    intercept_H: NDArray
    weights_HP: NDArray

    @classmethod
    def fitted(
        cls,
        columns_HNP: NDArray,
        target_HN: NDArray,
        weight_HN: NDArray,
        size_P: NDArray,
    ) -> Ridge:
        """Fit regressions robustly: examples with large residuals get less weight.

        The penalties are chosen by generalised cross-validation (Golub, Heath & Wahba 1979).

        Args:
            columns_HNP: inputs of each example.
            target_HN: observed values.
            weight_HN: weight of each example.
            size_P: prior standard deviation of the effect of each column, relative to the others.

        >>> x = np.linspace(-1, 1, 50)
        >>> ridge = Ridge.fitted(x[None, :, None], 3 * x[None] + 1, np.ones((1, 50)), np.ones(1))
        >>> ridge.intercept_H.round(2), ridge.weights_HP.round(2)
        (array([1.]), array([[3.]]))
        """

        sums = Sums.of(columns_HNP, target_HN, weight_HN)

        def trusted(ridge: Ridge) -> Moments:
            said_HN = ridge.applied(columns_HNP)
            surprise_HN = np.abs(target_HN - said_HN)
            lost_HN = weight_HN * (1.0 - _trust(surprise_HN))
            trusted_sums = sums.without(lost_HN, columns_HNP, target_HN, weight_HN)
            return Moments.of(trusted_sums, size_P)

        all_moments = Moments.of(sums, size_P)
        first_prior_H = np.repeat(FIRST, len(target_HN))
        first_ridge = all_moments.solved(first_prior_H)
        moments = trusted(first_ridge)
        prior_H = moments.best_priors()
        second_ridge = moments.solved(prior_H)
        return trusted(second_ridge).solved(prior_H)

    def applied(self, columns_HNP: NDArray) -> NDArray:
        """Predictions for these examples (H, N)."""
        moved_HN1 = columns_HNP @ self.weights_HP[:, :, None]
        return self.intercept_H[:, None] + moved_HN1[:, :, 0]

    def applied_each(self, columns_HNP: NDArray) -> NDArray:
        """The same, slower: to the last bit, no prediction depends on the other examples."""
        # In this order in memory, the sum of a row is taken in the same way however many there are.
        parts_HNP = np.multiply(columns_HNP, self.weights_HP[:, None], order="C")
        moved_HN = parts_HNP.sum(axis=2)
        return self.intercept_H[:, None] + moved_HN


def _trust(surprise_HN: NDArray) -> NDArray:
    """Weights (H, N) that fall with the squared residual beyond the limit."""
    usual_H1 = USUAL * np.median(surprise_HN, axis=1, keepdims=True)
    limit_H1 = np.maximum(LIMIT * usual_H1, TINY)
    share_HN = limit_H1 / np.maximum(surprise_HN, limit_H1)
    return np.where(usual_H1 > 0, share_HN**2, 1.0)


class Sums(NamedTuple):
    """Weighted sums over the examples."""

    weight_H: NDArray
    squared_weight_H: NDArray
    columns_HP: NDArray
    target_H: NDArray
    products_HPP: NDArray
    cross_HP: NDArray
    squares_H: NDArray

    @classmethod
    def of(cls, columns_HNP: NDArray, target_HN: NDArray, weight_HN: NDArray) -> Sums:
        """The sums over these examples."""
        root_HN = np.sqrt(weight_HN)
        rooted_HNP = columns_HNP * root_HN[:, :, None]
        rooted_target_HN = target_HN * root_HN
        return cls(
            weight_H=weight_HN.sum(axis=1),
            squared_weight_H=(weight_HN**2).sum(axis=1),
            columns_HP=(root_HN[:, None, :] @ rooted_HNP)[:, 0],
            target_H=(weight_HN * target_HN).sum(axis=1),
            products_HPP=rooted_HNP.swapaxes(1, 2) @ rooted_HNP,
            cross_HP=(rooted_target_HN[:, None, :] @ rooted_HNP)[:, 0],
            squares_H=(rooted_target_HN**2).sum(axis=1),
        )

    def without(
        self,
        lost_HN: NDArray,
        columns_HNP: NDArray,
        target_HN: NDArray,
        weight_HN: NDArray,
    ) -> Sums:
        """The sums with so much less weight of each example, from those that lose any: they are
        few."""
        count_H = np.count_nonzero(lost_HN, axis=1)
        losers_first_HN = np.argsort(lost_HN == 0, axis=1, kind="stable")
        place_HM = losers_first_HN[:, : int(count_H.max())]
        place_HM1 = place_HM[:, :, None]
        lost_HM = np.take_along_axis(lost_HN, place_HM, axis=1)
        target_HM = np.take_along_axis(target_HN, place_HM, axis=1)
        columns_HMP = np.take_along_axis(columns_HNP, place_HM1, axis=1)
        lost_sums = Sums.of(columns_HMP, target_HM, lost_HM)
        kept_HN = weight_HN - lost_HN
        return Sums(
            weight_H=self.weight_H - lost_sums.weight_H,
            squared_weight_H=(kept_HN**2).sum(axis=1),
            columns_HP=self.columns_HP - lost_sums.columns_HP,
            target_H=self.target_H - lost_sums.target_H,
            products_HPP=self.products_HPP - lost_sums.products_HPP,
            cross_HP=self.cross_HP - lost_sums.cross_HP,
            squares_H=self.squares_H - lost_sums.squares_H,
        )


class Moments(NamedTuple):
    """Weighted means and products of the target and of columns scaled to their sizes."""

    mean_HP: NDArray
    mean_H: NDArray
    unit_HP: NDArray
    gram_HPP: NDArray
    cross_HP: NDArray
    variance_H: NDArray
    examples_H: NDArray  # effective number

    @classmethod
    def of(cls, sums: Sums, size_P: NDArray) -> Moments:
        """The moments that sums over examples give."""
        share_H = 1.0 / np.maximum(sums.weight_H, TINY)
        mean_HP = sums.columns_HP * share_H[:, None]
        mean_H = sums.target_H * share_H
        products_HPP = sums.products_HPP * share_H[:, None, None]
        products_HPP -= mean_HP[:, :, None] * mean_HP[:, None, :]
        cross_HP = sums.cross_HP * share_H[:, None]
        cross_HP -= mean_HP * mean_H[:, None]
        square_H = sums.squares_H * share_H
        variance_H = np.maximum(square_H - mean_H**2, 0.0)
        variance_HP = np.diagonal(products_HPP, axis1=1, axis2=2)
        least_HP = ROUNDING * mean_HP**2 + TINY
        is_moving_HP = variance_HP > least_HP
        variance_HP = np.where(is_moving_HP, variance_HP, 1.0)
        unit_HP = np.where(is_moving_HP, size_P / np.sqrt(variance_HP), 0.0)
        gram_HPP = products_HPP * unit_HP[:, :, None]
        return cls(
            mean_HP=mean_HP,
            mean_H=mean_H,
            unit_HP=unit_HP,
            gram_HPP=gram_HPP * unit_HP[:, None, :],
            cross_HP=cross_HP * unit_HP,
            variance_H=variance_H,
            examples_H=sums.weight_H**2 / np.maximum(sums.squared_weight_H, TINY),
        )

    def solved(self, prior_H: NDArray) -> Ridge:
        """Solve each regression with its prior."""
        unit_PP = np.eye(self.gram_HPP.shape[1])
        left_HPP = self.gram_HPP + prior_H[:, None, None] * unit_PP
        cross_HP1 = self.cross_HP[:, :, None]
        solved_HP1 = np.linalg.solve(left_HPP, cross_HP1)
        weights_HP = solved_HP1[:, :, 0] * self.unit_HP
        of_means_H = (self.mean_HP * weights_HP).sum(axis=1)
        return Ridge(self.mean_H - of_means_H, weights_HP)

    def best_priors(self) -> NDArray:
        """The priors (H,) with the smallest cross-validation error. The error of each regression is
        averaged with the mean error of all, since that of a single one is noisy."""
        size_HP, vectors_HPP = np.linalg.eigh(self.gram_HPP)
        size_HP = np.maximum(size_HP, 0.0)
        size_HP1 = size_HP[:, :, None]
        along_H1P = self.cross_HP[:, None, :] @ vectors_HPP
        along_HP1 = along_H1P.swapaxes(1, 2)
        inverse_HPL = 1.0 / (size_HP1 + PRIORS)
        kept_HPL = size_HP1 * inverse_HPL
        gain_HPL = inverse_HPL * (2.0 - kept_HPL)
        explained_HL = (along_HP1**2 * gain_HPL).sum(axis=1)
        left_HL = self.variance_H[:, None] - explained_HL
        left_HL = np.maximum(left_HL, TINY)
        used_HL = 1.0 + kept_HPL.sum(axis=1)
        examples_H = np.maximum(self.examples_H, 1.0)
        share_HL = used_HL / examples_H[:, None]
        is_possible_L = (share_HL < MOST_USED).all(axis=0)
        if not is_possible_L.any():
            return np.repeat(PRIORS[-1], len(share_HL))
        unused_HL = 1.0 - np.minimum(share_HL, MOST_USED)
        error_HL = np.log(left_HL) - 2.0 * np.log(unused_HL)
        error_HL = error_HL + error_HL.mean(axis=0)
        error_HL = np.where(is_possible_L, error_HL, np.inf)
        return PRIORS[error_HL.argmin(axis=1)]
