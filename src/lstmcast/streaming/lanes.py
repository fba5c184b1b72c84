"""What a stream has read of each row, in one lane or two: the same as a forecast of the whole
history has read.

Where a context begins at multiples of K observations, a row keeps two states, the second one begun
at each multiple of K. When K more have come it takes over, and nothing is ever read again.

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
from lstmcast.model.inputs.adaptive import AdaptiveState, linear_unit, reads_logarithms
from lstmcast.model.lstm import State
from lstmcast.model.network import Network
from lstmcast.util.states import rows_of, with_rows

# Powers of two that a row's largest value may be away from its unit: squares stay in range.
LARGE = 300


class Lane(NamedTuple):
    """What the network knows of each row."""

    inputs: Any
    recurrent: tuple[State, ...]
    hidden: tuple[NDArray, ...]  # (S, D) of each member after the newest tick
    x_SC: NDArray
    begun_S: NDArray
    # Inputs of the newest steps, where a context is read anew for every step; none otherwise.
    window_SLC: NDArray
    window_begun_SL: NDArray
    low_S: NDArray  # smallest and largest value that was read
    high_S: NDArray


class LaneReader:
    """Reads ticks into lanes; it holds no state of its own.

    Args:
        network: what reads.
        grid: what is known of all rows.
        context: what a forecast has read.
    """

    def __init__(self, network: Network, grid: Grid, context: Context) -> None:
        self.network, self.grid, self.context = network, grid, context
        self.inputs = network.config.inputs
        self.kept = context.length if isinstance(context, Newest) else 0

    def start(self, rows: int, fitted: FittedTransforms | None = None) -> Lane:
        """Nothing was read of so many rows."""
        config, unknown = self.network.config, np.full(rows, np.nan)
        return Lane(
            self.inputs.start(self.grid, rows, fitted),
            self.network.start(rows),
            tuple(np.zeros((rows, config.layers[-1]), np.float32) for _ in self.network.members),
            np.zeros((rows, config.width), np.float32),
            np.zeros(rows, bool),
            np.zeros((rows, self.kept, config.width), np.float32),
            np.zeros((rows, self.kept), bool),
            unknown,
            unknown,
        )

    def advance(self, lane: Lane, values_RTK: NDArray, past_RTP: NDArray | None = None) -> Lane:
        """Read T ticks of each row (NaN = missing), and what is known beside them: the columns that
        are only read, or effects."""
        for first in range(0, values_RTK.shape[1], CHUNK):
            chunk = slice(first, first + CHUNK)
            beside = None if past_RTP is None else past_RTP[:, chunk]
            lane = self._advance(lane, values_RTK[:, chunk], beside)
        return lane

    def _advance(self, lane: Lane, values_RTK: NDArray, past_RTP: NDArray | None) -> Lane:
        seen, inputs = self.inputs.advance(lane.inputs, values_RTK, past_RTP)
        if self.inputs.from_context:
            values_RT = values_RTK[:, :, 0]
            low_S = np.fmin(lane.low_S, np.fmin.reduce(values_RT, axis=1))
            high_S = np.fmax(lane.high_S, np.fmax.reduce(values_RT, axis=1))
            lane = lane._replace(low_S=low_S, high_S=high_S)
        return self.read(lane, seen, inputs)

    def read(self, lane: Lane, seen: Seen, inputs: Any) -> Lane:
        """The lane after the network has read what the inputs, whose new state this is, have
        seen."""
        lane = lane._replace(inputs=inputs, x_SC=seen.x_BTC[:, -1], begun_S=seen.begun_BT[:, -1])
        if self.kept:
            return self._window_read(lane, seen.x_BTC, seen.begun_BT)
        begun = np.flatnonzero(lane.begun_S)
        some = len(begun) < len(lane.begun_S)
        own = rows_of(lane.recurrent, begun) if some else lane.recurrent
        x_TRC = np.ascontiguousarray(seen.x_BTC[begun].transpose(1, 0, 2))
        outs, recurrent = self.network.run(x_TRC, seen.begun_BT[begun].T, own)
        hidden = tuple(out_TRD[-1] for out_TRD in outs)
        if some:
            recurrent = with_rows(lane.recurrent, begun, recurrent)
            hidden = with_rows(lane.hidden, begun, hidden)
        return lane._replace(recurrent=recurrent, hidden=hidden)

    def _window_read(self, lane: Lane, x_RTC: NDArray, begun_RT: NDArray) -> Lane:
        """Keep the newest steps, and read them from a fresh state."""
        window_RLC = np.concatenate([lane.window_SLC, x_RTC], axis=1)[:, -self.kept :]
        begun_RL = np.concatenate([lane.window_begun_SL, begun_RT], axis=1)[:, -self.kept :]
        x_LRC = np.ascontiguousarray(window_RLC.transpose(1, 0, 2))
        outs, _ = self.network.run(x_LRC, begun_RL.T, self.network.start(len(x_RTC)))
        hidden = tuple(out_LRD[-1] for out_LRD in outs)
        return lane._replace(hidden=hidden, window_SLC=window_RLC, window_begun_SL=begun_RL)

    def axis_of(self, values_RT: NDArray) -> NDArray:
        """Whether rows of adaptive inputs (R,) read the logarithms of these values."""
        low_R, high_R = np.fmin.reduce(values_RT, axis=1), np.fmax.reduce(values_RT, axis=1)
        return reads_logarithms(low_R, high_R, self.network.head.affine)

    def on_axis(self, values_RT: NDArray, known_RTF: NDArray | None) -> Lane:
        """Rows of adaptive inputs read anew, on the axis that suits their values; NaN before
        they begin. `known_RTF`: effects on that axis."""
        log_R = self.axis_of(values_RT)
        unit_R = np.where(log_R, 1.0, linear_unit(values_RT, self.network.head.affine))
        grid = self.grid._replace(log_B=log_R, unit_B=unit_R)
        lane = self.start(len(values_RT))
        lane = lane._replace(inputs=self.inputs.start(grid, len(values_RT)))
        return self.advance(lane, values_RT[:, :, None], known_RTF)

    def stale(self, lane: Lane, values_RK: NDArray) -> NDArray:
        """Rows (R,) whose axis or unit is another one with the values of a tick."""
        if not self.inputs.from_context:
            return np.zeros(len(values_RK), bool)
        state: AdaptiveState = lane.inputs
        low_R = np.fmin(lane.low_S, values_RK[:, 0])
        high_R = np.fmax(lane.high_S, values_RK[:, 0])
        log_R = reads_logarithms(low_R, high_R, self.network.head.affine)
        largest_R = np.fmax(np.abs(low_R), np.abs(high_R))
        power_R, own_R = np.frexp(largest_R)[1], np.frexp(state.grid.unit_B)[1]
        far_R = (largest_R > 0) & (np.abs(power_R - own_R) > LARGE)
        young_R = np.isnan(lane.low_S) & ~np.isnan(low_R)  # the unit is that of the first value
        return (log_R != state.grid.log_B) | (~log_R & (far_R | young_R))

    def forecast_state(self, lane: Lane) -> ForecastState:
        """What the network knows, as `decoding` goes on from it."""
        window = None
        if self.kept:
            window = lane.window_SLC.transpose(1, 0, 2), lane.window_begun_SL.T
        known = self.inputs.known(lane.inputs)
        return ForecastState(
            list(lane.hidden), lane.x_SC, known, lane.inputs, lane.recurrent, window
        )


def block_of(context: Context) -> int | None:
    """K where a context begins at multiples of K observations, None otherwise."""
    return context.length if isinstance(context, Blocks) else None
