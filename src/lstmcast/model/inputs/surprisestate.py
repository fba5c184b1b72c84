"""The state of surprises, the reading axis, and the range of recent values.

B series of a batch, R those examined · L values of the tail
2: the value, and its change over a cycle (NaN without a season)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LATELY = 12  # values within which a repeated surprise is none
FAR = 10.0  # ratio to all recent values that makes a value far from them
CALM_FAR, CALM = 5.0, 10.0  # a smaller ratio, if it is this many usual changes


class Axis(NamedTuple):
    """Properties of the reading axis."""

    log_B: NDArray
    # Multiple of the limits. It is large for square roots: such series often have long runs of
    # zeros followed by a large value.
    slack_B: NDArray
    fewest: int  # number of values that must have been read before
    season: int  # the shortest season; 1 if there is none


class Surprises(NamedTuple):
    """The state: values set aside and values read, minus reference and shift, on the reading
    axis."""

    shift_B: NDArray  # accepted shift: subtracted from what is read, added to answers
    before_B: NDArray  # the previous shift
    # Side of the newest value if it was a surprise, −1 or 1; else 0.
    side_B: NDArray
    aside_B22: NDArray  # lowest and highest value set aside,
    since_B2: NDArray  # and the number of steps since
    cycle_BL: NDArray  # newest changes over a cycle
    last_B2: NDArray  # the last values read
    change_B2: NDArray  # decayed sum of changes between consecutive values,
    weight_B2: NDArray  # and of their number
    largest_B2: NDArray  # largest of these changes
    largest_before_B2: NDArray  # the same before the newest shift
    count_B2: NDArray  # number of values read
    doubt_B: NDArray  # number of further values that may undo the newest shift
    # Another possible level after a surprise, relative to the current one; else 0.
    other_B: NDArray

    @property
    def usual_B2(self) -> NDArray:
        """The usual change from one value to the next, 0 where there was none."""
        return self.change_B2 / np.maximum(self.weight_B2, 1.0)


def no_surprises(rows: int, tail: int) -> Surprises:
    """The state before the first value."""
    zeros, pairs, unknown = (
        np.zeros(rows),
        np.zeros((rows, 2)),
        np.full((rows, 2), np.nan),
    )
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
    """Minimum and maximum of recent values, and of their changes over a cycle."""

    low_R2: NDArray
    high_R2: NDArray

    @classmethod
    def of(cls, recent_RL2: NDArray) -> Range:
        """The range of the known values."""
        low_R2 = np.fmin.reduce(recent_RL2, axis=1)
        high_R2 = np.fmax.reduce(recent_RL2, axis=1)
        return cls(low_R2, high_R2)

    def with_aside(self, state: Surprises, cycles: tuple[int, ...]) -> Range:
        """The range extended to values set aside recently or one cycle ago, which may recur."""
        recent_R2 = state.since_B2[:, :, None] <= LATELY
        for cycle in cycles:
            recent_R2 |= np.abs(state.since_B2[:, :, None] - cycle) <= 1
        aside_R22 = np.where(recent_R2, state.aside_B22, np.nan)
        low_R2 = np.fmin(self.low_R2, aside_R22[:, 0])
        high_R2 = np.fmax(self.high_R2, aside_R22[:, 1])
        return Range(low_R2, high_R2)

    def side(self, now_R2: NDArray, allowed_R2: NDArray) -> NDArray:
        """−1 or 1 for values, or changes, too far below or above the range; else 0."""
        above_R = (now_R2 > self.high_R2 + allowed_R2).any(axis=1)
        below_R = (now_R2 < self.low_R2 - allowed_R2).any(axis=1)
        return above_R.astype(float) - below_R

    def is_far(self, y_R: NDArray, usual_R: NDArray, axis: Axis) -> NDArray:
        """Whether values are FAR times as large or as small as all recent ones, or fewer times if
        changes are usually small (on the linear axis: FAR times their range away), where an error
        is more likely than a new level."""
        low_R = self.low_R2[:, 0]
        high_R = self.high_R2[:, 0]
        calm_R = np.clip(CALM * usual_R, np.log(CALM_FAR), np.log(FAR))
        of_logs_R = np.where(usual_R > 0, calm_R, np.log(FAR))
        far_R = np.where(axis.log_B, of_logs_R, FAR * (high_R - low_R))
        return (y_R > high_R + far_R) | (y_R < low_R - far_R)
