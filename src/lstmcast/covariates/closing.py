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
ELSE = 0.5  # share of the other steps: if as many are 0, the category says nothing


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
                if here_T.sum() < FEWEST or not else_T.any():
                    continue
                if zero_T[here_T].mean() >= ALWAYS and zero_T[else_T].mean() < ELSE:
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
