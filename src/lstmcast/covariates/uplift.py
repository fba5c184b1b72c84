"""Effects of known columns on a mean that cannot be negative, as factors that multiply it.

The forecast of a head for counts or amounts stays valid if its mean is multiplied, but not if its
quantiles are shifted. So the effect that the regression found on the axis of a series becomes a
ratio of means: with the effect, over without it. The level is the mean of the series on that axis,
about which the effect was estimated.

The mean r of the square roots of counts with mean λ is close to λ / √(λ + 1): to λ itself if nearly
all counts are 0 or 1, and to √λ if they are large. So λ follows from r by a quadratic equation.

    N steps
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.inputs.axis import LOG, ROOT

SMALLEST, LARGEST = 0.1, 10.0  # limits of the factor; anything beyond is not credible
TINY = 1e-4  # size of an effect whose slope is also used for smaller ones


def uplift_of(effect_N: NDArray, axis: int, level: float) -> NDArray:
    """The factors by which effects on an axis multiply the mean of a series with this level there.

    >>> uplift_of(np.array([0.0, np.log(1.5)]), LOG, 3.0)
    array([1. , 1.5])
    >>> uplift_of(np.array([0.0, 0.1, 1.0]), ROOT, 0.1).round(2)
    array([ 1. ,  2.1, 10. ])
    """
    if axis == LOG:
        uplift_N = np.exp(np.clip(effect_N, -np.log(LARGEST), np.log(LARGEST)))
    elif not level > 0:
        uplift_N = np.ones(len(effect_N))
    elif axis == ROOT:
        uplift_N = _mean_of_roots(level + effect_N) / _mean_of_roots(np.array(level))
    else:
        uplift_N = (level + effect_N) / level
    return np.clip(uplift_N, SMALLEST, LARGEST)


def _mean_of_roots(root_N: NDArray) -> NDArray:
    """The mean of counts whose square roots have these means; 0 if those are not positive."""
    root_N = np.maximum(root_N, 0.0)
    return 0.5 * root_N * (root_N + np.sqrt(root_N**2 + 4.0))


def per_log(axis: int, level: float) -> float:
    """How far a small effect on the logarithm of a mean moves the values on an axis, per unit of
    the effect; 0 if that is unknown.

    >>> per_log(LOG, 3.0), round(per_log(ROOT, 0.01), 3), round(per_log(ROOT, 100.0), 1)
    (1.0, 0.01, 50.0)
    """
    if axis == LOG:
        return 1.0
    if axis != ROOT or not level > 0:
        return 0.0
    mean = float(_mean_of_roots(np.array(level)))
    return level * (mean + 2.0) / (2.0 * (mean + 1.0))


def shares_of_log(effect_NC: NDArray, axis: int, level: float) -> NDArray:
    """The logarithm of the uplift, divided between columns like their effects on the axis (N, C).

    >>> parts = shares_of_log(np.array([[0.2, 0.1]]), ROOT, 1.0)
    >>> bool(np.isclose(np.exp(parts.sum()), uplift_of(np.array([0.3]), ROOT, 1.0)[0]))
    True
    """
    total_N = effect_NC.sum(axis=1)
    # Effects that cancel out still have shares.
    asked_N = np.where(np.abs(total_N) < TINY, TINY, total_N)
    slope_N = np.log(uplift_of(asked_N, axis, level)) / asked_N
    return effect_NC * slope_N[:, None]
