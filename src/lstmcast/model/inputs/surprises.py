"""Single values unlike anything before them, set aside; levels that shifted, read as if they had not.

A value is a surprise where it lies outside of what the last cycle held, by more than several times
the usual change. The first one is set aside: it is missing for level, scale, seasons and network. A
second one in a row on the same side is believed: from there on all is read less the shift, so that
the network sees one level without a jump, and answers at the new one. A value back at the level
before takes the shift back.

    B series of a batch · T steps · L values of the last cycle
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LIMIT = 6.0  # usual changes outside of the last cycle's range, from which a value is a surprise
FLOOR = 0.02  # of the usual change on the axis of logarithms
MEMORY = 64.0  # values that the usual change remembers
FADE = 0.99  # of the largest change that lasted, per value


class Surprises(NamedTuple):
    """What must be remembered of values that were set aside, and of those that were not; values
    are less the reference and the shift, on the reading axis."""

    shift_B: NDArray  # that was believed: taken off what is read, added to what is answered
    before_B: NDArray  # the shift before it
    # On which side the newest value was a surprise, −1 or 1; 0 where it was none.
    side_B: NDArray
    aside_B2: NDArray  # lowest and highest value that was set aside, and how long ago
    since_B2: NDArray
    last_B: NDArray  # the newest value that was read
    change_B2: NDArray  # decayed sum of the changes that were read, and of their number
    largest_B: NDArray  # of these changes
    largest_before_B: NDArray  # the same before the newest shift
    count_B: NDArray  # values that were read


def no_surprises(rows: int) -> Surprises:
    """Before the first value."""
    zeros, pairs = np.zeros(rows), np.zeros((rows, 2))
    return Surprises(
        shift_B=zeros,
        before_B=zeros,
        side_B=zeros,
        aside_B2=np.full((rows, 2), np.nan),
        since_B2=pairs,
        last_B=np.full(rows, np.nan),
        change_B2=pairs,
        largest_B=zeros,
        largest_before_B=zeros,
        count_B=zeros,
    )


def set_aside(
    state: Surprises, z_BT: NDArray, tail_BL: NDArray, log_B: NDArray, root_B: NDArray
) -> tuple[NDArray, NDArray, Surprises]:
    """T more values without the surprises among them and less the shift; the shift at each step.

    Series that are read as square roots keep all: to sell nothing for long, and then a lot, is what
    they are like.
    """
    quiet_BT, after, candidate_B = _without_check(state, z_BT, tail_BL, log_B, root_B)
    shift_BT = np.broadcast_to(state.shift_B[:, None], z_BT.shape)
    rows = np.flatnonzero(candidate_B)
    if not len(rows):
        return quiet_BT, shift_BT, after
    own = Surprises(*(part[rows] for part in state))
    read_RT, shift_RT, own = _step_by_step(own, z_BT[rows], tail_BL[rows], log_B[rows])
    shift_BT = shift_BT.copy()
    quiet_BT[rows], shift_BT[rows] = read_RT, shift_RT
    parts = [_replaced(part, rows, new) for part, new in zip(after, own, strict=True)]
    return quiet_BT, shift_BT, Surprises(*parts)


def _replaced(part: NDArray, rows: NDArray, new: NDArray) -> NDArray:
    part = part.copy()
    part[rows] = new
    return part


def _without_check(
    state: Surprises, z_BT: NDArray, tail_BL: NDArray, log_B: NDArray, root_B: NDArray
) -> tuple[NDArray, Surprises, NDArray]:
    """All values read, the state then, and which series must be looked at closely: those with a
    change that is too large for a usual one, and those whose newest value was set aside."""
    y_BT = z_BT - state.shift_B[:, None]
    candidate_B = (state.side_B != 0) & ~root_B
    for t in range(y_BT.shape[1]):
        change_B = np.abs(y_BT[:, t] - state.last_B)
        large_B = change_B > _allowed(state, log_B, tail_BL.shape[1])
        candidate_B = candidate_B | (large_B & ~root_B)
        state = _read(state, y_BT[:, t], change_B)
    return y_BT, state, candidate_B


def _allowed(state: Surprises, log_B: NDArray, cycle: int) -> NDArray:
    """How far outside of the last cycle's range a value may be (B,)."""
    total_B, count_B = state.change_B2.T
    usual_B = np.maximum(total_B / np.maximum(count_B, 1.0), np.where(log_B, FLOOR, 0.0))
    allowed_B = np.maximum(LIMIT * usual_B, state.largest_B)
    return np.where(state.count_B >= cycle + 4, allowed_B, np.inf)


def _read(state: Surprises, y_B: NDArray, change_B: NDArray) -> Surprises:
    """The state after values that were read (NaN = none)."""
    known_B, changed_B = ~np.isnan(y_B), ~np.isnan(change_B)
    keep_B = np.where(changed_B, 1.0 - 1.0 / MEMORY, 1.0)
    new_B2 = np.stack([np.where(changed_B, change_B, 0.0), changed_B], axis=1)
    faded_B = np.where(changed_B, FADE * state.largest_B, state.largest_B)
    return state._replace(
        since_B2=state.since_B2 + 1,
        last_B=np.where(known_B, y_B, state.last_B),
        change_B2=keep_B[:, None] * state.change_B2 + new_B2,
        largest_B=np.maximum(faded_B, new_B2[:, 0]),
        count_B=state.count_B + known_B,
    )


def _step_by_step(
    state: Surprises, z_RT: NDArray, tail_RL: NDArray, log_R: NDArray
) -> tuple[NDArray, NDArray, Surprises]:
    """What `set_aside` does, of series in which it may happen."""
    L = tail_RL.shape[1]
    read_RU = np.concatenate([tail_RL, np.full_like(z_RT, np.nan)], axis=1)
    shift_RT = np.empty_like(z_RT)
    for t in range(z_RT.shape[1]):
        read_RU[:, L + t], state = _one(state, z_RT[:, t], read_RU[:, t : L + t], log_R)
        shift_RT[:, t] = state.shift_B
    return read_RU[:, L:], shift_RT, state


def _one(
    state: Surprises, z_R: NDArray, cycle_RL: NDArray, log_R: NDArray
) -> tuple[NDArray, Surprises]:
    """The next value of each series, as it is read; and the state after it."""
    y_R, allowed_R = z_R - state.shift_B, _allowed(state, log_R, cycle_RL.shape[1])
    low_R, high_R = np.fmin.reduce(cycle_RL, axis=1), np.fmax.reduce(cycle_RL, axis=1)
    side_R = _side(y_R, low_R, high_R, allowed_R)
    again_R = (state.side_B != 0) & (side_R == state.side_B)
    back_R = y_R + state.shift_B - state.before_B
    returned_R = (side_R != 0) & ~again_R & (state.before_B != state.shift_B)
    returned_R &= _side(back_R, low_R, high_R, allowed_R) == 0
    recent_R2 = np.where(state.since_B2 <= cycle_RL.shape[1], state.aside_B2, np.nan)
    wide_R = _side(
        y_R, np.fmin(low_R, recent_R2[:, 0]), np.fmax(high_R, recent_R2[:, 1]), allowed_R
    )
    aside_R = (wide_R != 0) & ~again_R & ~returned_R
    state = _shifted(state, again_R, returned_R, z_R - state.last_B)
    read_R = np.where(aside_R, np.nan, z_R - state.shift_B)
    state = _read(state, read_R, np.abs(read_R - state.last_B))
    return read_R, _remembered(state, np.where(aside_R, wide_R, 0), y_R, ~np.isnan(z_R))


def _side(y_R: NDArray, low_R: NDArray, high_R: NDArray, allowed_R: NDArray) -> NDArray:
    """Whether values lie too far below (−1) or above (1) a range, else 0."""
    return (y_R > high_R + allowed_R).astype(float) - (y_R < low_R - allowed_R)


def _shifted(
    state: Surprises, again_R: NDArray, returned_R: NDArray, shift_R: NDArray
) -> Surprises:
    """The state where a surprise came again, or the level before did."""
    size_R = np.abs(shift_R - state.shift_B)
    largest_R = np.where(again_R, np.fmax(state.largest_B, size_R), state.largest_B)
    either_R = again_R | returned_R
    return state._replace(
        shift_B=np.where(again_R, shift_R, np.where(returned_R, state.before_B, state.shift_B)),
        before_B=np.where(either_R, state.shift_B, state.before_B),
        largest_B=np.where(returned_R, state.largest_before_B, largest_R),
        largest_before_B=np.where(either_R, state.largest_B, state.largest_before_B),
    )


def _remembered(state: Surprises, side_R: NDArray, y_R: NDArray, known_R: NDArray) -> Surprises:
    """The state that remembers which values were set aside, and on which side."""
    sides_R2 = side_R[:, None] == np.array([-1, 1])
    return state._replace(
        side_B=np.where(known_R, side_R, state.side_B),
        aside_B2=np.where(sides_R2, y_R[:, None], state.aside_B2),
        since_B2=np.where(sides_R2, 1.0, state.since_B2),
    )
