"""The memory of learning: the newest chunk of ticks of each row, the range of backpropagation.

Tick p of a row, counted from 0 since it joined, is stored in slot p modulo the length of the chunk,
with the state before it and the label after it.

    S series, a row each · R some of their rows · L ticks of a chunk · T ticks of a window
    C input channels · K columns · D units
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.model.lstm import State
from lstmcast.model.network import Network
from lstmcast.util.states import mapped
from lstmcast.windows import TickWindow


class TickMemory(NamedTuple):
    """The newest ticks of each row."""

    count_S: NDArray  # number of ticks read
    waits_S: NDArray  # whether a label has not been learned from yet
    x_SLC: NDArray
    label_SLK: NDArray
    # of each member: h and c of each layer before each tick (S, L, D)
    before: tuple[State, ...]


def start_memory(network: Network, chunk: int, rows: int) -> TickMemory:
    """The empty memory of this number of rows."""
    config = network.config
    return TickMemory(
        np.zeros(rows, np.int64),
        np.zeros(rows, bool),
        np.zeros((rows, chunk, config.width), np.float32),
        np.full((rows, chunk, config.inputs.columns), np.nan, np.float32),
        mapped(
            lambda h_RD: np.repeat(h_RD[:, None], chunk, axis=1), network.start(rows)
        ),
    )


def remembered(
    memory: TickMemory, x_RC: NDArray, states: tuple[State, ...]
) -> TickMemory:
    """The memory of R rows after one more tick: its input, and the states before it."""
    row = np.arange(len(x_RC))
    slot = memory.count_S % memory.x_SLC.shape[1]

    def with_slot(array_RL: NDArray, new_R: NDArray) -> NDArray:
        array_RL = array_RL.copy()
        array_RL[row, slot] = new_R
        return array_RL

    unknown = np.full(memory.label_SLK[:, 0].shape, np.nan, np.float32)
    return memory._replace(
        count_S=memory.count_S + 1,
        x_SLC=with_slot(memory.x_SLC, x_RC),
        label_SLK=with_slot(memory.label_SLK, unknown),
        before=mapped(with_slot, memory.before, states),
    )


def labelled(memory: TickMemory, label_RK: NDArray) -> TickMemory:
    """The memory of R rows after their actual values: each is stored with the tick from which it
    was predicted."""
    begun_R = memory.count_S > 0
    row = np.flatnonzero(begun_R)
    label_SLK = memory.label_SLK.copy()
    slot = (memory.count_S[row] - 1) % label_SLK.shape[1]
    label_SLK[row, slot] = label_RK[row]
    news_R = begun_R & ~np.isnan(label_RK).all(axis=1)
    return memory._replace(label_SLK=label_SLK, waits_S=memory.waits_S | news_R)


def newest_window(memory: TickMemory) -> tuple[NDArray, TickWindow] | None:
    """Rows with labels to learn from (R,), and their newest ticks, left-aligned; None if there are
    none."""
    row_R = np.flatnonzero(memory.waits_S)
    if not len(row_R):
        return None
    L = memory.x_SLC.shape[1]
    count_R = memory.count_S[row_R]
    first_R = np.maximum(count_R - L, 0)
    ticks_R = np.minimum(count_R, L)
    steps_T = np.arange(ticks_R.max())
    slot_RT = (first_R[:, None] + steps_T) % L
    inside_RT1 = (steps_T < ticks_R[:, None])[..., None]
    x_RTC = memory.x_SLC[row_R[:, None], slot_RT]
    x_RTC = np.where(inside_RT1, x_RTC, np.float32(0))
    label_RTK = memory.label_SLK[row_R[:, None], slot_RT]
    label_RTK = np.where(inside_RT1, label_RTK, np.float32(np.nan))
    states = mapped(lambda h_SLD: h_SLD[row_R, first_R % L], memory.before)
    return row_R, TickWindow(x_RTC, label_RTK, states)
