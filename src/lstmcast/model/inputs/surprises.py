"""Surprises: single unusual values are set aside, and level shifts are removed.

A value is a surprise if it, or its change over a cycle of the shortest season, lies outside the
recent range by several times the usual change from one value to the next. The first one is set
aside: it is missing for level, scale, seasons and network. A second one in a row on the same side
is accepted as a level shift: later values are read minus the shift, so that the network sees one
level without a jump, and the shift is added to its answers. A value back at the previous level
undoes it.

    B series of a batch, R of them examined closely · T steps · U steps with the tail before them
    L values of the tail · 2: the value, and its change over a cycle (NaN without a season)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.inputs.base import decayed_sums
from lstmcast.model.inputs.surprisestate import Axis, Range, Surprises
from lstmcast.util.states import rows_of, with_rows

# distance from the recent range at which a value is a surprise, in usual changes
LIMIT = 6.0
FLOOR = 0.02  # lower bound of the usual change on the logarithmic axis
MEMORY = 64.0  # number of values over which the usual change is averaged
# values after a shift, within which one nearer to the previous level undoes it
DOUBT = 4
FADE = 0.99  # decay per value of the largest change that persisted
# multiple of the limit above which a surprise is accepted at once, unless
AT_ONCE = 2.0
# limit for the first values on the logarithmic axis: this ratio to them,
EARLY_FAR = 20.0
EARLY_LARGEST = 10.0  # or this multiple of the largest change so far;
# after a cycle and this many more: this multiple of it;
CYCLE_MORE, CYCLE_LARGEST = 4, 4.0
EQUAL = 4  # after this many equal values: any change


class Calmed(NamedTuple):
    """T values as they are read: without surprises, and minus the shift."""

    read_BT: NDArray
    shift_BT: NDArray
    other_BT: NDArray  # another possible level, at each step
    state: Surprises  # after them


def set_aside(state: Surprises, z_BT: NDArray, tail_BL: NDArray, axis: Axis) -> Calmed:
    """Set aside the surprises among T more values, in series that have any."""
    read_BT, new_state, close_B = _all_read(state, z_BT, tail_BL, axis)
    steps = z_BT.shape[1]
    shift_BT = np.repeat(state.shift_B[:, None], steps, axis=1)
    other_BT = np.repeat(state.other_B[:, None], steps, axis=1)
    rows = np.flatnonzero(close_B)
    if len(rows):
        own_axis = axis._replace(log_B=axis.log_B[rows], slack_B=axis.slack_B[rows])
        close = _step_by_step(rows_of(state, rows), z_BT[rows], tail_BL[rows], own_axis)
        read_BT[rows] = close.read_BT
        shift_BT[rows] = close.shift_BT
        other_BT[rows] = close.other_BT
        new_state = with_rows(new_state, rows, close.state)
    return Calmed(read_BT, shift_BT, other_BT, new_state)


def _all_read(
    state: Surprises, z_BT: NDArray, tail_BL: NDArray, axis: Axis
) -> tuple[NDArray, Surprises, NDArray]:
    """All values as if read, the state after them, and which series need a closer look: those with
    an unusually large change, and those whose newest value was set aside."""
    L = tail_BL.shape[1]
    y_BU = np.concatenate([tail_BL, z_BT - state.shift_B[:, None]], axis=1)
    cycle_BU = _with_cycle(state, y_BU, axis.season, L)
    new_BT = y_BU[:, L:]
    new_cycle_BT = cycle_BU[:, L:]
    pairs_TB2 = np.stack([new_BT.T, new_cycle_BT.T], axis=2)
    now_TB2 = np.ascontiguousarray(pairs_TB2)
    before_T, state = _read_all(state, now_TB2)
    # After a shift, a value may also return, which the changes before the shift decide.
    has_shifted_B1 = (state.before_B != state.shift_B)[:, None]
    smaller_TB2 = np.minimum(before_T.largest_B2, state.largest_before_B2)
    largest_TB2 = np.where(has_shifted_B1, smaller_TB2, before_T.largest_B2)
    allowed_TB2 = _allowed(before_T, largest_TB2, axis)
    large_TB2 = np.abs(now_TB2 - before_T.last_B2) > allowed_TB2
    unsettled_B = (state.side_B != 0) | (state.other_B != 0) | (state.doubt_B > 0)
    close_B = unsettled_B | large_TB2.any(axis=(0, 2))
    new_state = state._replace(cycle_BL=cycle_BU[:, -L:])
    return new_BT, new_state, close_B


def _read_all(state: Surprises, now_TB2: NDArray) -> tuple[Surprises, Surprises]:
    """Read T values in a row as `_read` does: the state before each of them (T, B, 2), restricted
    to the fields that `_allowed` and the changes need, and the state after the last.

    Only the sums are computed step by step, in the same order as in `_read`.
    """
    last_TB2 = _newest(state.last_B2, now_TB2)
    change_TB2 = np.abs(now_TB2 - last_TB2[:-1])
    known_TB2 = ~np.isnan(now_TB2)
    changed_TB2 = ~np.isnan(change_TB2)
    change_TB2 = np.where(changed_TB2, change_TB2, 0.0)
    keep_TB2 = np.where(changed_TB2, 1.0 - 1.0 / MEMORY, 1.0)
    before_2B2 = np.stack([state.change_B2, state.weight_B2])
    more_T2B2 = np.stack([change_TB2, changed_TB2], axis=1)
    sums_T2B2 = decayed_sums(before_2B2, keep_TB2[:, None], more_T2B2)
    counts = np.concatenate([state.count_B2[None], known_TB2])
    largest_TB2 = _faded_largest(state.largest_B2, changed_TB2, change_TB2)
    sums = {
        "last_B2": last_TB2,
        "change_B2": sums_T2B2[:, 0],
        "weight_B2": sums_T2B2[:, 1],
        "largest_B2": largest_TB2,
        "count_B2": np.cumsum(counts, axis=0),
    }
    earlier = {name: array_TB2[:-1] for name, array_TB2 in sums.items()}
    newest = {name: array_TB2[-1].copy() for name, array_TB2 in sums.items()}
    since_B2 = state.since_B2 + len(now_TB2)
    return state._replace(**earlier), state._replace(since_B2=since_B2, **newest)


def _newest(before_B2: NDArray, now_TB2: NDArray) -> NDArray:
    """The newest known value before each of T and after the last (1 + T, B, 2)."""
    values = np.concatenate([before_B2[None], now_TB2])
    steps = np.arange(len(values))[:, None, None]
    known_steps = np.where(np.isnan(values), 0, steps)
    newest = np.maximum.accumulate(known_steps, axis=0)
    return np.take_along_axis(values, newest, axis=0)


def _faded_largest(
    before_B2: NDArray, changed_TB2: NDArray, change_TB2: NDArray
) -> NDArray:
    """The largest persistent change before each value and after the last (1 + T, B, 2)."""
    fade_TB2 = np.where(changed_TB2, FADE, 1.0)
    largest_TB2 = np.empty((1 + len(change_TB2), *before_B2.shape))
    largest_TB2[0] = before_B2
    for step in range(len(change_TB2)):
        newest_B2 = largest_TB2[step + 1]
        np.multiply(fade_TB2[step], largest_TB2[step], out=newest_B2)
        np.maximum(newest_B2, change_TB2[step], out=newest_B2)
    return largest_TB2


def _with_cycle(state: Surprises, y_BU: NDArray, season: int, tail: int) -> NDArray:
    """Changes over a cycle at each step; those of the tail come from the state."""
    cycle_BU = np.full_like(y_BU, np.nan)
    cycle_BU[:, :tail] = state.cycle_BL
    if season > 1:
        stop = y_BU.shape[1] - season
        cycle_BU[:, tail:] = y_BU[:, tail:] - y_BU[:, tail - season : stop]
    return cycle_BU


def _allowed(state: Surprises, largest_B2: NDArray, axis: Axis) -> NDArray:
    """The allowed distance from the recent range (B, 2), given the largest persistent changes."""
    # A constant series has no usual change: its first change is a real event.
    has_changed_B2 = state.change_B2 > 0
    floor_B2 = np.where(axis.log_B[:, None] & has_changed_B2, FLOOR, 0.0)
    usual_B2 = np.maximum(state.usual_B2, floor_B2)
    farthest_B2 = np.maximum(LIMIT * usual_B2, largest_B2)
    allowed_B2 = axis.slack_B[:, None] * farthest_B2
    early_B2 = _allowed_early(state.count_B2, largest_B2, allowed_B2, axis)
    return np.where(state.count_B2 >= axis.fewest, allowed_B2, early_B2)


def _allowed_early(
    count_B2: NDArray, largest_B2: NDArray, allowed_B2: NDArray, axis: Axis
) -> NDArray:
    """The allowed distance from the first values (B, 2).

    For the first few values: a large ratio on the logarithmic axis, or a multiple of any earlier
    change. After a cycle of the shortest season: a multiple of any earlier change. Constant values
    may not change.
    """
    early_B2 = np.full(largest_B2.shape, np.inf)
    count_B = count_B2[..., 0]
    largest_B = largest_B2[..., 0]
    far_B = np.maximum(np.log(EARLY_FAR), EARLY_LARGEST * largest_B)
    far_B = np.where(axis.log_B, far_B, np.inf)
    cycle_far_B = axis.slack_B * CYCLE_LARGEST * largest_B
    after_cycle_B = np.maximum(allowed_B2[..., 0], cycle_far_B)
    if axis.season > 1:
        has_cycle_B = count_B >= axis.season + CYCLE_MORE
        far_B = np.where(has_cycle_B, after_cycle_B, far_B)
    is_equal_B = (largest_B == 0) & (count_B >= EQUAL)
    early_B2[..., 0] = np.where(is_equal_B, 0.0, far_B)
    return early_B2


def _read(state: Surprises, now_B2: NDArray) -> Surprises:
    """The state after values that were read (NaN = missing)."""
    change_B2 = np.abs(now_B2 - state.last_B2)
    known_B2 = ~np.isnan(now_B2)
    changed_B2 = ~np.isnan(change_B2)
    change_B2 = np.where(changed_B2, change_B2, 0.0)
    keep_B2 = np.where(changed_B2, 1.0 - 1.0 / MEMORY, 1.0)
    fade_B2 = np.where(changed_B2, FADE, 1.0)
    faded_B2 = fade_B2 * state.largest_B2
    return state._replace(
        since_B2=state.since_B2 + 1,
        last_B2=np.where(known_B2, now_B2, state.last_B2),
        change_B2=keep_B2 * state.change_B2 + change_B2,
        weight_B2=keep_B2 * state.weight_B2 + changed_B2,
        largest_B2=np.maximum(faded_B2, change_B2),
        count_B2=state.count_B2 + known_B2,
    )


def _step_by_step(
    state: Surprises, z_RT: NDArray, tail_RL: NDArray, axis: Axis
) -> Calmed:
    """`set_aside` for series that may have surprises, step by step."""
    rows, T = z_RT.shape
    L = tail_RL.shape[1]
    season = axis.season
    read_RU2 = np.full((rows, L + T, 2), np.nan)
    read_RU2[:, :L, 0] = tail_RL
    read_RU2[:, :L, 1] = state.cycle_BL
    shift_RT = np.empty_like(z_RT)
    other_RT = np.empty_like(z_RT)
    cycle_before_R = np.full(rows, np.nan)
    for step in range(T):
        if season > 1:
            cycle_before_R = read_RU2[:, L + step - season, 0]
        recent_RL2 = read_RU2[:, step : L + step]
        read_R2, state = _one(state, z_RT[:, step], cycle_before_R, recent_RL2, axis)
        read_RU2[:, L + step] = read_R2
        shift_RT[:, step] = state.shift_B
        other_RT[:, step] = state.other_B
    new_state = state._replace(cycle_BL=read_RU2[:, T:, 1])
    return Calmed(read_RU2[:, L:, 0], shift_RT, other_RT, new_state)


def _one(
    state: Surprises, z_R: NDArray, before_R: NDArray, recent_RL2: NDArray, axis: Axis
) -> tuple[NDArray, Surprises]:
    """The next value of each series and its change over a cycle, as read, and the state after
    them. `before_R`: the values one cycle before."""
    allowed_R2 = _allowed(state, state.largest_B2, axis)
    recent = Range.of(recent_RL2)
    now_R2 = _and_change(z_R - state.shift_B, before_R)
    returned_R = _returned(state, z_R, before_R, recent, axis)
    side_R = np.where(returned_R, 0.0, recent.side(now_R2, allowed_R2))
    again_R = (state.side_B != 0) & (side_R == state.side_B)
    wide = recent.with_aside(state, (axis.season, recent_RL2.shape[1]))
    is_outside_R = wide.side(now_R2, allowed_R2) != 0
    first_R = ~returned_R & ~again_R & is_outside_R
    jump_R = now_R2[:, 0] - _expected(state, before_R)
    small_R = np.abs(jump_R) <= AT_ONCE * allowed_R2[:, 0]
    is_far_R = recent.is_far(now_R2[:, 0], state.usual_B2[:, 0], axis)
    aside_R = first_R & (small_R | is_far_R)
    believed_R = again_R | (first_R & ~aside_R)
    state = _shifted(state, believed_R, returned_R, z_R, before_R)
    back_R = np.where(state.doubt_B == DOUBT, state.before_B - state.shift_B, 0.0)
    other_R = np.where(aside_R, jump_R, back_R)
    z_read_R = np.where(aside_R, np.nan, z_R - state.shift_B)
    read_R2 = _and_change(z_read_R, before_R)
    state = _read(state, read_R2)
    first_side_R = np.where(first_R, side_R, 0.0)
    state = _remembered(state, first_side_R, now_R2)
    missing_R = np.isnan(z_R)
    newest_R = np.where(aside_R, side_R, 0.0)
    newest_R = np.where(missing_R, state.side_B, newest_R)
    other_R = np.where(missing_R, state.other_B, other_R)
    return read_R2, state._replace(side_B=newest_R, other_B=other_R)


def _returned(
    state: Surprises, z_R: NDArray, before_R: NDArray, recent: Range, axis: Axis
) -> NDArray:
    """Whether values are back at the level before the newest shift and not at the one after it;
    while the shift is in doubt, whether they are nearer to the former."""
    allowed_R2 = _allowed(state, state.largest_before_B2, axis)
    now_R2 = _and_change(z_R - state.shift_B, before_R)
    back_R2 = _and_change(z_R - state.before_B, before_R)
    is_off_now_R = recent.side(now_R2, allowed_R2) != 0
    fits_before_R = recent.side(back_R2, allowed_R2) == 0
    expected_R = _expected(state, before_R)
    now_R = np.abs(now_R2[:, 0] - expected_R)
    back_R = np.abs(back_R2[:, 0] - expected_R)
    nearer_R = (state.doubt_B > 0) & (back_R < now_R)
    has_shifted_R = state.before_B != state.shift_B
    return has_shifted_R & (nearer_R | (is_off_now_R & fits_before_R))


def _and_change(y_R: NDArray, before_R: NDArray) -> NDArray:
    return np.stack([y_R, y_R - before_R], axis=1)


def _expected(state: Surprises, before_R: NDArray) -> NDArray:
    """The expected value: the one a cycle before plus the newest change over a cycle, or the newest
    value."""
    expected_R = before_R + state.last_B2[:, 1]
    return np.where(np.isnan(expected_R), state.last_B2[:, 0], expected_R)


def _shifted(
    state: Surprises,
    again_R: NDArray,
    returned_R: NDArray,
    z_R: NDArray,
    before_R: NDArray,
) -> Surprises:
    """The state with recurring surprises accepted as shifts, and undone shifts removed."""
    jump_R = z_R - _expected(state, before_R)
    moved_R = np.where(again_R, jump_R, state.shift_B)
    shift_R = np.where(returned_R, state.before_B, moved_R)
    change_R = np.abs(shift_R - state.shift_B)
    largest_R2 = np.fmax(state.largest_B2, change_R[:, None])
    either_R = again_R | returned_R
    doubt_R = np.maximum(state.doubt_B - ~np.isnan(z_R), 0.0)
    doubt_R = np.where(returned_R, 0.0, doubt_R)
    largest_before_R2 = state.largest_before_B2
    kept_R2 = np.where(returned_R[:, None], largest_before_R2, state.largest_B2)
    new_before_R2 = np.where(either_R[:, None], state.largest_B2, largest_before_R2)
    return state._replace(
        shift_B=shift_R,
        before_B=np.where(either_R, state.shift_B, state.before_B),
        largest_B2=np.where(again_R[:, None], largest_R2, kept_R2),
        doubt_B=np.where(again_R, DOUBT, doubt_R),
        largest_before_B2=new_before_R2,
    )


def _remembered(state: Surprises, side_R: NDArray, now_R2: NDArray) -> Surprises:
    """The state with the surprises among the newest values, and their sides, recorded."""
    sides_R2 = side_R[:, None] == np.array([-1, 1])
    is_aside_R21 = sides_R2[:, :, None]
    return state._replace(
        aside_B22=np.where(is_aside_R21, now_R2[:, None], state.aside_B22),
        since_B2=np.where(sides_R2, 1.0, state.since_B2),
    )
