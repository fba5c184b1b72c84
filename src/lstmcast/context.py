"""The rule of what a forecast has read, as a value: the same for prediction, backtests, saved
models and streams.

Blocks(K)    from a multiple of K observations on: between K and 2K, once there are that many
Newest(L)    the newest L observations, from a fresh state for every step that is fed back
Whole()      everything, with the state kept
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmcast.util.config import settings

CONTEXT = 1024  # longest segment of a series that is read before a forecast, in training as in use


@settings
class Blocks:
    """A forecast that knows n observations starts at observation max(0, n // K − 1) · K.

    Starting points lie on a grid, so neighbouring cutoffs share one and are read in one pass.

    >>> Blocks(512).start(np.array([100, 1023, 1024, 1600])).tolist()
    [0, 0, 512, 1024]
    """

    length: int = CONTEXT // 2

    @classmethod
    def of(cls, periods: tuple[int, ...]) -> Blocks:
        """K for series with these seasonal periods: half of the longest context, or three of the
        longest period.

        >>> Blocks.of((24, 168)), Blocks.of((288, 2016))
        (Blocks(length=512), Blocks(length=6048))
        """
        return cls(max(CONTEXT // 2, 3 * max(periods, default=1)))

    def start(self, counts: NDArray) -> NDArray:
        """The observation from which a forecast that knows so many has read."""
        return np.maximum(counts // self.length - 1, 0) * self.length


@settings
class Newest:
    """A forecast reads the newest `length` observations, as windows of its training were read.

    >>> Newest(80).start(np.array([30, 100])).tolist()
    [0, 20]
    """

    length: int

    def start(self, counts: NDArray) -> NDArray:
        """The observation from which a forecast that knows so many has read."""
        return np.maximum(counts - self.length, 0)


@settings
class Whole:
    """A forecast has read everything.

    >>> Whole().start(np.array([30, 100])).tolist()
    [0, 0]
    """

    def start(self, counts: NDArray) -> NDArray:
        """The observation from which a forecast that knows so many has read."""
        return np.zeros_like(counts)


Context: TypeAlias = Blocks | Newest | Whole
