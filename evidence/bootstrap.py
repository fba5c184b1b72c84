"""How certain a mean of ratios is: bootstrap intervals, clustered by data set.

Series of one data set are alike, so a mean over all series looks more certain than it is. Whole
data sets are drawn with replacement instead (Field & Welsh, "Bootstrapping clustered data",
J. R. Stat. Soc. B 69, 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

DRAWS, SEED, LEVEL = 10_000, 0, 95


class Interval(NamedTuple):
    """A geometric mean with the bounds of its interval."""

    mean: float
    lower: float
    upper: float
    clusters: int


def ratio_interval(ratios: Sequence[float], clusters: Sequence[str]) -> Interval:
    """The geometric mean of ratios, and its 95% percentile interval over draws of clusters.

    >>> ratio_interval([0.5, 2.0], ["m3", "m4"])
    Interval(mean=1.0, lower=0.5, upper=2.0, clusters=2)
    """
    logs = np.log(np.asarray(ratios, dtype=float))
    names, cluster_of = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(cluster_of, weights=logs)
    sizes = np.bincount(cluster_of)
    drawn = np.random.default_rng(SEED).integers(len(names), size=(DRAWS, len(names)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    outside = (100 - LEVEL) / 2
    lower, upper = np.percentile(means, [outside, 100 - outside])
    mean, lower, upper = np.exp([logs.mean(), lower, upper]).tolist()
    return Interval(mean, lower, upper, len(names))
