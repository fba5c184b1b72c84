"""The lanes of a stream: states of each row, equal to those after reading the whole history.

If contexts start at multiples of K observations, a row keeps two states, the second one started at
each multiple of K. After K more observations it replaces the first, so that nothing is read again.

    S series, a row each · R some of their rows · T ticks · K columns of a row · P columns beside
    them that are only read · C input channels
    L newest steps that are kept · D units
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Blocks, Context, Newest
from lstmcast.decoding import CHUNK, ForecastState
from lstmcast.model.inputs import FittedTransforms, Grid, Seen
from lstmcast.model.inputs.adaptivestate import AdaptiveState
from lstmcast.model.inputs.axis import (
    LINEAR,
    LOG,
    ROOT,
    axis_in_force,
    decided,
    units_of,
)
from lstmcast.model.lstm import State
from lstmcast.model.network import Network
from lstmcast.util.states import joined, rows_of, with_rows

# Largest distance of a row's largest value from its unit, in powers of two: squares stay in range.
LARGE = 300
# Largest number of ticks of rows read at once, and smallest number of rows: intermediate results
# stay in the processor cache.
AT_ONCE, FEWEST_AT_ONCE = 2048, 256


class Lane(NamedTuple):
    """The state of the network for each row."""

    inputs: Any
    recurrent: tuple[State, ...]
    hidden: tuple[NDArray, ...]  # (S, D) of each member after the newest tick
    x_SC: NDArray
    begun_S: NDArray
    # Inputs of the newest steps, if the context is read again for every step; else empty.
    window_SLC: NDArray
    window_begun_SL: NDArray
    low_S: NDArray  # smallest and largest value that was read
    high_S: NDArray

    def range_with(self, values_ST: NDArray) -> tuple[NDArray, NDArray]:
        """The smallest and the largest value (S,) once these are read too."""
        low_S = np.fmin.reduce(values_ST, axis=1)
        high_S = np.fmax.reduce(values_ST, axis=1)
        return np.fmin(self.low_S, low_S), np.fmax(self.high_S, high_S)


class LaneReader:
    """Reads ticks into lanes; it has no state itself.

    Args:
        network: the network.
        grid: common properties of all rows.
        context: which observations a forecast reads.
    """

    def __init__(self, network: Network, grid: Grid, context: Context) -> None:
        self.network = network
        self.grid = grid
        self.context = context
        self.inputs = network.config.inputs
        self.kept = context.length if isinstance(context, Newest) else 0

    def start(self, rows: int, fitted: FittedTransforms | None = None) -> Lane:
        """The initial lane of a number of rows."""
        config = self.network.config
        hidden_SD = np.zeros((rows, config.layers[-1]), np.float32)
        unknown_S = np.full(rows, np.nan)
        return Lane(
            inputs=self.inputs.start(self.grid, rows, fitted),
            recurrent=self.network.start(rows),
            hidden=tuple(hidden_SD.copy() for _ in self.network.members),
            x_SC=np.zeros((rows, config.width), np.float32),
            begun_S=np.zeros(rows, bool),
            window_SLC=np.zeros((rows, self.kept, config.width), np.float32),
            window_begun_SL=np.zeros((rows, self.kept), bool),
            low_S=unknown_S,
            high_S=unknown_S,
        )

    def advance(
        self, lane: Lane, values_RTK: NDArray, past_RTP: NDArray | None = None
    ) -> Lane:
        """Read T ticks of each row (NaN = missing), with past covariates or effects."""
        for first in range(0, values_RTK.shape[1], CHUNK):
            chunk = slice(first, first + CHUNK)
            chunk_past = None if past_RTP is None else past_RTP[:, chunk]
            lane = self._in_parts(lane, values_RTK[:, chunk], chunk_past)
        return lane

    def _in_parts(
        self, lane: Lane, values_RTK: NDArray, past_RTP: NDArray | None
    ) -> Lane:
        """Read rows in groups."""
        rows, ticks = values_RTK.shape[:2]
        row_limit = max(FEWEST_AT_ONCE, AT_ONCE // ticks)
        if rows <= row_limit:
            return self._advance(lane, values_RTK, past_RTP)
        read = []
        for first in range(0, rows, row_limit):
            batch = slice(first, first + row_limit)
            past_NTP = None if past_RTP is None else past_RTP[batch]
            batch_lane = rows_of(lane, batch)
            read.append(self._advance(batch_lane, values_RTK[batch], past_NTP))
        return joined(*read)

    def _advance(
        self, lane: Lane, values_RTK: NDArray, past_RTP: NDArray | None
    ) -> Lane:
        reading, inputs = self.inputs.advance(lane.inputs, values_RTK, past_RTP)
        if self.inputs.from_context:
            low_S, high_S = lane.range_with(values_RTK[:, :, 0])
            lane = lane._replace(low_S=low_S, high_S=high_S)
        return self.read(lane, reading, inputs)

    def read(self, lane: Lane, reading: Seen, inputs: Any) -> Lane:
        """The lane after the network has read the channels of its inputs.

        inputs: their new state.
        """
        x_newest_SC = reading.x_BTC[:, -1]
        begun_S = reading.begun_BT[:, -1]
        lane = lane._replace(inputs=inputs, x_SC=x_newest_SC, begun_S=begun_S)
        if self.kept:
            return self._window_read(lane, reading.x_BTC, reading.begun_BT)
        if begun_S.all():
            hidden, recurrent = self._run(lane, reading)
            return lane._replace(recurrent=recurrent, hidden=hidden)
        begun_N = np.flatnonzero(begun_S)
        x_NTC, begun_NT = reading.x_BTC[begun_N], reading.begun_BT[begun_N]
        begun = reading._replace(x_BTC=x_NTC, begun_BT=begun_NT)
        hidden, recurrent = self._run(rows_of(lane, begun_N), begun)
        return lane._replace(
            recurrent=with_rows(lane.recurrent, begun_N, recurrent),
            hidden=with_rows(lane.hidden, begun_N, hidden),
        )

    def _run(
        self, lane: Lane, reading: Seen
    ) -> tuple[tuple[NDArray, ...], tuple[State, ...]]:
        """What the network makes of the newest step of rows, and its states after it."""
        x_TRC = np.ascontiguousarray(reading.x_BTC.transpose(1, 0, 2))
        outs, recurrent = self.network.run(x_TRC, reading.begun_BT.T, lane.recurrent)
        return tuple(out_TRD[-1] for out_TRD in outs), recurrent

    def _window_read(self, lane: Lane, x_RTC: NDArray, begun_RT: NDArray) -> Lane:
        """Keep the newest steps, and read them from a fresh state."""
        newest = slice(-self.kept, None)
        read_RTC = np.concatenate([lane.window_SLC, x_RTC], axis=1)
        begun_read_RT = np.concatenate([lane.window_begun_SL, begun_RT], axis=1)
        window_RLC = read_RTC[:, newest]
        begun_RL = begun_read_RT[:, newest]
        x_LRC = np.ascontiguousarray(window_RLC.transpose(1, 0, 2))
        fresh_state = self.network.start(len(x_RTC))
        outs, _ = self.network.run(x_LRC, begun_RL.T, fresh_state)
        hidden = tuple(out_LRD[-1] for out_LRD in outs)
        return lane._replace(
            hidden=hidden, window_SLC=window_RLC, window_begun_SL=begun_RL
        )

    def of_window(self, lane: Lane) -> Lane:
        """A lane that keeps no window, with the states after the window that it kept."""
        x_LSC = np.ascontiguousarray(lane.window_SLC.transpose(1, 0, 2))
        fresh_state = self.network.start(len(lane.x_SC))
        _, recurrent = self.network.run(x_LSC, lane.window_begun_SL.T, fresh_state)
        return lane._replace(
            recurrent=recurrent,
            window_SLC=lane.window_SLC[:, :0],
            window_begun_SL=lane.window_begun_SL[:, :0],
        )

    def on_axis(
        self, values_RT: NDArray, axes_R: NDArray, known_RTF: NDArray | None = None
    ) -> Lane:
        """Rows of adaptive inputs read anew on these axes; right-aligned, NaN before they begin.
        `known_RTF`: effects on that axis."""
        rows = len(values_RT)
        is_log_R = axes_R == LOG
        is_root_R = axes_R == ROOT
        unit_R = units_of(values_RT, axes_R, self.network.head.affine)
        grid = self.grid._replace(log_B=is_log_R, root_B=is_root_R, unit_B=unit_R)
        inputs = self.inputs.start(grid, rows)
        lane = self.start(rows)._replace(inputs=inputs)
        return self.advance(lane, values_RT[:, :, None], known_RTF)

    def axes(self, values_RT: NDArray, counts_R: NDArray) -> NDArray:
        """The axis of such rows (R,)."""
        grid = self.grid
        affine = self.network.head.affine
        return axis_in_force(values_RT, counts_R, grid.periods, affine, grid.roots)

    def chooses(self, values_RU: NDArray, counts_R: NDArray) -> NDArray:
        """Whether the axis of each row is chosen again with its newest values (R,).

        values_RU: the newest values and the one before them; counts_R: number of values.
        """
        ticks = values_RU.shape[1] - 1
        counts_before_R = counts_R - ticks
        is_due_R = decided(counts_R) > counts_before_R
        has_no_logarithm_R = (values_RU <= 0).any(axis=1)
        return is_due_R | has_no_logarithm_R

    def stale(self, lane: Lane, values_RTK: NDArray, axes_R: NDArray) -> NDArray:
        """Whether each row needs another axis or unit after some ticks (R,)."""
        state: AdaptiveState = lane.inputs
        low_R, high_R = lane.range_with(values_RTK[:, :, 0])
        largest_R = np.fmax(np.abs(low_R), np.abs(high_R))
        _, power_R = np.frexp(largest_R)
        _, unit_power_R = np.frexp(state.grid.unit_B)
        distance_R = np.abs(power_R - unit_power_R)
        is_far_R = (largest_R > 0) & (distance_R > LARGE)
        was_unknown_R = np.isnan(lane.low_S)
        is_first_R = was_unknown_R & ~np.isnan(low_R)  # which determines the unit
        has_unit_R = axes_R != LOG
        needs_other_unit_R = has_unit_R & (is_far_R | is_first_R)
        needs_other_axis_R = axes_R != self.own_axes(lane)
        return needs_other_axis_R | needs_other_unit_R

    def own_axes(self, lane: Lane) -> NDArray:
        """The axis on which each row is read (R,)."""
        if not self.inputs.from_context:
            return np.full(len(lane.begun_S), LINEAR)
        grid: Grid = lane.inputs.grid
        axes_R = np.where(grid.root_B, ROOT, LINEAR)
        return np.where(grid.log_B, LOG, axes_R)

    def forecast_state(self, lane: Lane) -> ForecastState:
        """The state from which `decoding` continues."""
        window = None
        if self.kept:
            window_LSC = lane.window_SLC.transpose(1, 0, 2)
            window = window_LSC, lane.window_begun_SL.T
        hidden = list(lane.hidden)
        way_back = self.inputs.known(lane.inputs)
        return ForecastState(
            hidden, lane.x_SC, way_back, lane.inputs, lane.recurrent, window
        )


def block_of(context: Context) -> int | None:
    """K if contexts start at multiples of K observations, else None."""
    return context.length if isinstance(context, Blocks) else None
