"""Closed steps: those with a category, known in advance, at which a series has always been 0.

Such a step says nothing about the others, so it is treated as missing where the series is read,
and its forecast is 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.columns import MOST_CATEGORIES, Known

FEWEST = 5  # observed steps of the category
ALWAYS = 0.98  # share of the category's steps that are 0
ELSE = 0.5  # share of the other steps: if fewer are 0, so many steps are enough
# probability that the steps of a product that seldom sells are 0 by chance
CHANCE = 1e-6
NEAR = 3  # steps on either side that such steps are compared with


class Closing(NamedTuple):
    """The categories at which a series is closed, each with its column and its code."""

    covariates: Known
    at: tuple[tuple[int, float], ...]

    @classmethod
    def of(cls, covariates: Known, values_T: NDArray) -> Closing:
        """The closed categories according to the observed values."""
        observed_T = np.isfinite(values_T)
        zero_T = values_T == 0
        if not zero_T.any():
            return cls(covariates, ())
        closing = []
        for column, column_T in enumerate(covariates.values_CM[:, : len(values_T)]):
            categories = np.unique(column_T[np.isfinite(column_T)])
            if len(categories) > MOST_CATEGORIES:
                continue
            for category in categories.tolist():
                here_T = (column_T == category) & observed_T
                else_T = (column_T != category) & observed_T
                if _means_closed(zero_T, here_T, else_T):
                    closing.append((column, category))
        return cls(covariates, tuple(closing))

    def closed(self, steps_N: NDArray) -> NDArray:
        """Whether the series is closed at each of these steps (N,)."""
        result_N = np.zeros(len(steps_N), bool)
        inside_N = self.covariates.inside(steps_N)
        place_N = np.where(inside_N, self.covariates.places(steps_N), 0)
        for column, category in self.at:
            value_N = self.covariates.values_CM[column, place_N]
            result_N |= inside_N & (value_N == category)
        return result_N


def _means_closed(zero_T: NDArray, here_T: NDArray, else_T: NDArray) -> bool:
    """Whether the values at some steps are always 0, and this is no wonder only if it is closed."""
    if here_T.sum() < FEWEST or not else_T.any():
        return False
    share_here = zero_T[here_T].mean()
    if share_here >= ALWAYS and zero_T[else_T].mean() < ELSE:
        return True
    return share_here == 1.0 and _by_chance(zero_T, here_T, else_T) < CHANCE


def _by_chance(zero_T: NDArray, here_T: NDArray, else_T: NDArray) -> float:
    """Probability that a product sells at none of these steps, as seldom as at those beside them.

    Those far away may be of a time at which it was not on sale, whatever the category; so steps
    that follow each other count as one.
    """
    window = np.ones(2 * NEAR + 1)
    beside_T = (np.convolve(here_T, window)[NEAR:-NEAR] > 0) & else_T
    if beside_T.sum() < FEWEST:
        return 1.0
    runs = np.count_nonzero(here_T[1:] & ~here_T[:-1]) + bool(here_T[0])
    return float(zero_T[beside_T].mean() ** runs)
