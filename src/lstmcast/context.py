"""The rule of what a forecast has read: for prediction, backtests, saved models and training alike.

A forecast that knows n observations of a series starts from a fresh state at observation
max(0, n // K − 1) · K and reads from there: between K and 2K of them, once the series is that long.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CONTEXT = 1024  # longest segment of a series that is read before a forecast, in training as in use


def block_length(periods: tuple[int, ...]) -> int:
    """K: a forecast has read between K and 2K observations, once there are that many."""
    return max(CONTEXT // 2, 3 * max(periods, default=1))


def context_start(counts: NDArray, block: int) -> NDArray:
    """The observation from which a forecast that knows `counts` observations has read."""
    return np.maximum(counts // block - 1, 0) * block
