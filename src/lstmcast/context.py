"""Which observations a forecast reads: one rule for predictions, backtests and streams.

Blocks(K)    from a multiple of K observations on: between K and 2K, once there are that many
Newest(L)    the newest L observations, from a fresh state for every step that is fed back
Whole()      everything, with the state kept

This module also places the held-out cutoffs, since forecasts there read the past too.

O origins · J held-out cutoffs of each
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmcast.util.config import settings

MOST_CUTOFFS, FEWEST_CUTOFFS = 24, 4  # held out of few series, and of each of many
STUCK = 7  # equal values, or all but one of a cycle, that may not be believed
EARLIEST = 8  # observations that a held-out cutoff must know
# longest segment of a series that is read before a forecast, in training as in use
CONTEXT = 1024


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
        """K for these seasonal periods: half of the longest context, or three longest periods.

        >>> Blocks.of((24, 168)), Blocks.of((288, 2016))
        (Blocks(length=512), Blocks(length=6048))
        """
        return cls(max(CONTEXT // 2, 3 * max(periods, default=1)))

    def start(self, counts: NDArray) -> NDArray:
        """The first observation read by forecasts that know this many observations."""
        return np.maximum(counts // self.length - 1, 0) * self.length


@settings
class Newest:
    """A forecast reads the newest `length` observations, like the windows in training.

    >>> Newest(80).start(np.array([30, 100])).tolist()
    [0, 20]
    """

    length: int

    def start(self, counts: NDArray) -> NDArray:
        """The first observation read by forecasts that know this many observations."""
        return np.maximum(counts - self.length, 0)


@settings
class Whole:
    """A forecast reads every observation.

    >>> Whole().start(np.array([30, 100])).tolist()
    [0, 0]
    """

    def start(self, counts: NDArray) -> NDArray:
        """The first observation read by forecasts that know this many observations."""
        return np.zeros_like(counts)


Context: TypeAlias = Blocks | Newest | Whole


def shortest_season(periods: tuple[int, ...]) -> int:
    """The shortest seasonal period above 1; 0 if there is none.

    >>> shortest_season((168, 24, 1)), shortest_season((1,))
    (24, 0)
    """
    return min((period for period in periods if period > 1), default=0)


def most_stuck(periods: tuple[int, ...]) -> int:
    """How many equal values may be taken for a sensor that is stuck, or for an outage: fewer than
    a cycle, or a few.

    >>> most_stuck((24, 168)), most_stuck((7,)), most_stuck((1,))
    (23, 7, 7)
    """
    return max(STUCK, shortest_season(periods) - 1)


def farthest_held_out(periods: tuple[int, ...]) -> int:
    """Largest distance, in steps, of a held-out cutoff from its origin. At most three quarters of
    K, so that few contexts are read; cutoffs lie whole cycles, or equal parts of a cycle, apart.

        >>> [farthest_held_out(periods) for periods in [(1,), (7,), (12,), (24, 168), (288, 2016)]]
        [384, 336, 288, 288, 3456]
    """
    farthest_apart = 3 * Blocks.of(periods).length // 4 // MOST_CUTOFFS
    cycle = shortest_season(periods) or 1
    if cycle <= farthest_apart:
        return MOST_CUTOFFS * (farthest_apart // cycle * cycle)
    divisors = [steps for steps in range(1, farthest_apart + 1) if cycle % steps == 0]
    return MOST_CUTOFFS * max(divisors)


def held_out_counts(
    counts_O: NDArray, periods: tuple[int, ...], cutoffs: int
) -> tuple[NDArray, NDArray]:
    """Held-out cutoffs before each origin (O, J), 0 for none, and the steps between them (O,).

    They are spread evenly over the later half of the observations, as far back as allowed. They do
    not depend on the horizon: errors at step 3 are the same whether 6 or 60 steps are forecast.

    >>> counts, apart = held_out_counts(np.array([20, 5000]), (24, 168), 4)
    >>> counts.tolist(), apart.tolist()
    ([[18, 16, 14, 12], [4928, 4856, 4784, 4712]], [2, 72])
    """
    latest_O = counts_O - np.maximum(EARLIEST, counts_O // 2)
    farthest_apart = farthest_held_out(periods) // cutoffs
    apart_O = np.clip(latest_O // cutoffs, 1, farthest_apart)
    distance_OJ = apart_O[:, None] * np.arange(1, cutoffs + 1)
    is_late_OJ = distance_OJ <= latest_O[:, None]
    held_out_OJ = np.where(is_late_OJ, counts_O[:, None] - distance_OJ, 0)
    return held_out_OJ, apart_O
