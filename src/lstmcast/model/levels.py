"""The quantile levels of heads."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

HEAD_QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
MEDIAN = HEAD_QUANTILES.index(0.5)
# quantiles of the normal distribution
SCORES = np.array([NormalDist().inv_cdf(level) for level in HEAD_QUANTILES])
