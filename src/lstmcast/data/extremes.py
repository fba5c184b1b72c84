"""How often values touched their largest one, and what else says whether it is a limit.

It is counted while values arrive, or at once of values that are given; both give the same. The
smallest values are the largest ones of the negated values.

    S series · R some of them · T values of each
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# How often a limit was touched, left and touched again: where values near it are rare, as those
# that were clipped are, and where they are not. What lies beyond would have been seen.
VISITS_ALONE, VISITS = 5, 20
ALONE = 3.0  # times as many values at a limit as at the nearest other value
SHARE = 0.02  # of all values, at the limit
RISES = 20  # changes that all went one way


class Top(NamedTuple):
    """The largest values of series, as far as they were read; NaN where there are none yet."""

    known_S: NDArray  # number of known values
    highest_S: NDArray
    touches_S: NDArray  # values that are the largest one
    visits_S: NDArray  # runs of these
    is_there_S: NDArray  # whether the newest known value is one
    nearest_S: NDArray  # the largest of all other values
    nearest_count_S: NDArray  # number of values that are the nearest one
    rises_S: NDArray  # how often the largest value became larger
    has_fallen_S: NDArray  # whether any value was below the largest one before it

    def limits(self) -> NDArray:
        """The upper limits of the series (S,); inf where there is none."""
        fewest_S = np.maximum(VISITS_ALONE, SHARE * self.known_S)
        is_frequent_S = self.touches_S >= fewest_S
        is_alone_S = self.touches_S >= ALONE * self.nearest_count_S
        returns_S = (self.visits_S >= VISITS) | (
            (self.visits_S >= VISITS_ALONE) & is_alone_S
        )
        has_others_S = self.nearest_count_S > 0
        is_long_S = self.known_S >= 2 * VISITS_ALONE
        is_limit_S = is_frequent_S & returns_S & has_others_S & is_long_S
        return np.where(is_limit_S, self.highest_S, np.inf)

    def only_rises(self) -> NDArray:
        """Which series have risen often and never fallen (S,)."""
        return ~self.has_fallen_S & (self.rises_S >= RISES)


def start_top(count: int) -> Top:
    """Of so many series, of which nothing was read."""
    return Top(
        known_S=np.zeros(count, np.int64),
        highest_S=np.full(count, np.nan),
        touches_S=np.zeros(count, np.int64),
        visits_S=np.zeros(count, np.int64),
        is_there_S=np.zeros(count, bool),
        nearest_S=np.full(count, np.nan),
        nearest_count_S=np.zeros(count, np.int64),
        rises_S=np.zeros(count, np.int64),
        has_fallen_S=np.zeros(count, bool),
    )


def next_top(top: Top, values_S: NDArray) -> Top:
    """After one more value of each series, NaN where it is unknown.

    >>> top = start_top(1)
    >>> for value in (3.0, 5.0, 5.0, np.nan, 4.0, 5.0):
    ...     top = next_top(top, np.array([value]))
    >>> int(top.touches_S[0]), int(top.visits_S[0]), float(top.nearest_S[0])
    (3, 2, 4.0)
    """
    is_known_S = ~np.isnan(values_S)
    is_first_S = is_known_S & (top.known_S == 0)
    is_higher_S = values_S > top.highest_S
    is_new_S = is_first_S | is_higher_S
    is_same_S = values_S == top.highest_S
    is_lower_S = values_S < top.highest_S
    begins_visit_S = is_same_S & ~top.is_there_S

    # A largest value that is passed is the nearest one to the new one.
    nearest_S = np.where(is_higher_S, top.highest_S, top.nearest_S)
    nearest_count_S = np.where(is_higher_S, top.touches_S, top.nearest_count_S)
    is_nearer_S = is_lower_S & ~(values_S <= nearest_S)
    is_as_near_S = values_S == nearest_S
    return Top(
        known_S=top.known_S + is_known_S,
        highest_S=np.where(is_new_S, values_S, top.highest_S),
        touches_S=np.where(is_new_S, 1, top.touches_S + is_same_S),
        visits_S=np.where(is_new_S, 1, top.visits_S + begins_visit_S),
        is_there_S=np.where(is_known_S, is_new_S | is_same_S, top.is_there_S),
        nearest_S=np.where(is_nearer_S, values_S, nearest_S),
        nearest_count_S=np.where(is_nearer_S, 1, nearest_count_S + is_as_near_S),
        rises_S=top.rises_S + is_higher_S,
        has_fallen_S=top.has_fallen_S | is_lower_S,
    )


def top_of(values_ST: NDArray) -> Top:
    """Of series with these values, NaN where one is unknown."""
    count, length = values_ST.shape
    if not length:
        return start_top(count)
    is_known_ST = ~np.isnan(values_ST)
    so_far_ST = np.fmax.accumulate(values_ST, axis=1)
    highest_S = so_far_ST[:, -1]
    is_there_ST = values_ST == highest_S[:, None]
    newest_ST = _of_newest_known(is_there_ST, is_known_ST)
    begins_ST = is_there_ST.copy()
    begins_ST[:, 1:] &= ~newest_ST[:, :-1]
    others_ST = np.where(is_there_ST, np.nan, values_ST)
    nearest_S = np.fmax.reduce(others_ST, axis=1)
    is_nearest_ST = others_ST == nearest_S[:, None]
    has_risen_ST = so_far_ST[:, 1:] > so_far_ST[:, :-1]
    has_fallen_ST = values_ST < so_far_ST
    return Top(
        known_S=np.count_nonzero(is_known_ST, axis=1),
        highest_S=highest_S,
        touches_S=np.count_nonzero(is_there_ST, axis=1),
        visits_S=np.count_nonzero(begins_ST, axis=1),
        is_there_S=newest_ST[:, -1],
        nearest_S=nearest_S,
        nearest_count_S=np.count_nonzero(is_nearest_ST, axis=1),
        rises_S=np.count_nonzero(has_risen_ST, axis=1),
        has_fallen_S=np.any(has_fallen_ST, axis=1),
    )


def _of_newest_known(truth_ST: NDArray, is_known_ST: NDArray) -> NDArray:
    """What is true of the newest known value at each step; False before the first one."""
    if is_known_ST.all():
        return truth_ST
    step_T = np.arange(truth_ST.shape[1])
    known_step_ST = np.where(is_known_ST, step_T, 0)
    newest_step_ST = np.maximum.accumulate(known_step_ST, axis=1)
    return np.take_along_axis(truth_ST, newest_step_ST, axis=1)
