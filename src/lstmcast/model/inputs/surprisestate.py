"""What is remembered of surprises and of the values before them, and what is recent.

B series of a batch, R those looked at closely · L values of the tail
2: the value, and its change over a cycle (NaN without a season)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LATELY = 12  # values within which what comes again is no surprise
FAR = 10.0  # times as large as all recent values, or as small
CALM_FAR, CALM = 5.0, 10.0  # the same, if it is as many usual changes


class Axis(NamedTuple):
    """How series are read."""

    log_B: NDArray
    # How many times farther a value must be to be a surprise. Among square roots it is far: to sell
    # nothing for long, and then a lot, is what such series are like.
    slack_B: NDArray
    fewest: int  # values that must have been read first
    season: int  # the shortest; 1 without any


class Surprises(NamedTuple):
    """What must be remembered of values that were set aside, and of those that were read; values
    are less the reference and the shift, on the reading axis."""

    shift_B: NDArray  # that was believed: taken off what is read, added to what is answered
    before_B: NDArray  # the shift before it
    # On which side the newest value was a surprise, −1 or 1; 0 where it was none.
    side_B: NDArray
    aside_B22: NDArray  # lowest and highest that was set aside,
    since_B2: NDArray  # and how long ago
    cycle_BL: NDArray  # newest changes over a cycle
    last_B2: NDArray  # what was read last
    change_B2: NDArray  # decayed sum of the changes from one to the next,
    weight_B2: NDArray  # and of their number
    largest_B2: NDArray  # of these changes
    largest_before_B2: NDArray  # the same before the newest shift
    count_B2: NDArray  # how many were read
    doubt_B: NDArray  # how many more values may take the newest shift back
    # Where the level may be as well after a surprise, less where it is read; else 0.
    other_B: NDArray

    @property
    def usual_B2(self) -> NDArray:
        """The usual change from one value to the next, 0 where there was none."""
        return self.change_B2 / np.maximum(self.weight_B2, 1.0)


def no_surprises(rows: int, tail: int) -> Surprises:
    """Before the first value."""
    zeros, pairs, unknown = np.zeros(rows), np.zeros((rows, 2)), np.full((rows, 2), np.nan)
    return Surprises(
        shift_B=zeros,
        before_B=zeros,
        side_B=zeros,
        aside_B22=np.full((rows, 2, 2), np.nan),
        since_B2=pairs,
        cycle_BL=np.full((rows, tail), np.nan),
        last_B2=unknown,
        change_B2=pairs,
        weight_B2=pairs,
        largest_B2=pairs,
        largest_before_B2=pairs,
        count_B2=pairs,
        doubt_B=zeros,
        other_B=zeros,
    )


class Range(NamedTuple):
    """The smallest and the largest of recent values, and of their changes over a cycle."""

    low_R2: NDArray
    high_R2: NDArray

    @classmethod
    def of(cls, recent_RL2: NDArray) -> Range:
        """That of the known ones."""
        low_R2 = np.fmin.reduce(recent_RL2, axis=1)
        high_R2 = np.fmax.reduce(recent_RL2, axis=1)
        return cls(low_R2, high_R2)

    def with_aside(self, state: Surprises, cycles: tuple[int, ...]) -> Range:
        """The range with what was set aside lately or a cycle ago within it: it may be a habit."""
        recent_R2 = state.since_B2[:, :, None] <= LATELY
        for cycle in cycles:
            recent_R2 |= np.abs(state.since_B2[:, :, None] - cycle) <= 1
        aside_R22 = np.where(recent_R2, state.aside_B22, np.nan)
        low_R2 = np.fmin(self.low_R2, aside_R22[:, 0])
        high_R2 = np.fmax(self.high_R2, aside_R22[:, 1])
        return Range(low_R2, high_R2)

    def side(self, now_R2: NDArray, allowed_R2: NDArray) -> NDArray:
        """Whether values lie too far below (−1) or above (1), or their changes do, else 0."""
        above_R = (now_R2 > self.high_R2 + allowed_R2).any(axis=1)
        below_R = (now_R2 < self.low_R2 - allowed_R2).any(axis=1)
        return above_R.astype(float) - below_R

    def is_far(self, y_R: NDArray, usual_R: NDArray, axis: Axis) -> NDArray:
        """Whether values are FAR times as large as all recent ones, or as small; less than that,
        where the usual change is small; as they are: FAR times their range away. An error is more
        likely than a level."""
        low_R, high_R = self.low_R2[:, 0], self.high_R2[:, 0]
        calm_R = np.clip(CALM * usual_R, np.log(CALM_FAR), np.log(FAR))
        of_logs_R = np.where(usual_R > 0, calm_R, np.log(FAR))
        far_R = np.where(axis.log_B, of_logs_R, FAR * (high_R - low_R))
        return (y_R > high_R + far_R) | (y_R < low_R - far_R)
