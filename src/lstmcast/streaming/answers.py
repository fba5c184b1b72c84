"""Predictions for the rows of a stream after their newest ticks, computed on request.

S series, a row each · R some of their rows · K columns of a row · H horizon
G steps of the grid, those that do not occur too · N rows that have begun
X quantiles, or one point
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Whole
from lstmcast.data.kinds import stopped
from lstmcast.data.origins import checked_horizon
from lstmcast.decoding import Reader, answers_from, at_several_rates, rates_of
from lstmcast.errors import UsageError
from lstmcast.model.heads import HEAD_QUANTILES
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.streaming.closed import OpenTimes
from lstmcast.streaming.coming import Told, longest
from lstmcast.streaming.known import KnownColumns
from lstmcast.streaming.lanes import Lane
from lstmcast.streaming.opening import stop_now
from lstmcast.streaming.reading import RowReader
from lstmcast.streaming.rowcontexts import RowContexts
from lstmcast.util.blas import one_blas_thread
from lstmcast.util.text import counted

TOGETHER = 512  # rows: the numbers in between stay in the processor's memory


class Answers:
    """Predictions of all rows, cached until the next tick.

    Args:
        network: the network that predicts.
        reading: the reader of the rows.
        rates: whether far horizons are predicted at several rates.
        open_times: the times of the rows that occur; None if all do.
        known: the future columns of the rows: predictions exclude their effects until they are
            `shown`. None without any.
    """

    def __init__(
        self,
        network: Network,
        reading: RowReader,
        rates: bool,
        open_times: OpenTimes | None,
        known: KnownColumns | None = None,
    ) -> None:
        self.network = network
        self.reading = reading
        self.contexts = RowContexts(reading)
        self.rates = rates
        self.rows = reading.rows
        self.open_times = open_times
        if open_times is not None:
            open_times.begin(self.rows)
        self.known = known
        self._kept: dict[int, NDArray] = {}  # of all rows, by horizon

    def forget(self) -> None:
        """Forget cached predictions after a tick or a change of rows."""
        self._kept = {}

    @one_blas_thread()
    def following(self, horizon: int | None, ids: Iterable[Any] | None) -> NDArray:
        """Predictions for the rows with these ids (R, H, K, X); default: all rows, one step."""
        steps = 1 if horizon is None else checked_horizon(horizon)
        if ids is None:
            return self.of_all(steps)
        return self.of(steps, self.rows.at(ids))

    def of_all(self, horizon: int) -> NDArray:
        """Predictions for every row (S, H, K, X), in the units of the data."""
        kept_SHKX = self._kept_of(horizon)
        if kept_SHKX is None:
            kept_SHKX = self._answer(horizon, self.rows.at(None))
            self._kept[horizon] = kept_SHKX
        return kept_SHKX

    def of(self, horizon: int, row_R: NDArray) -> NDArray:
        """Predictions for some of the rows (R, H, K, X)."""
        kept_SHKX = self._kept_of(horizon)
        return self._answer(horizon, row_R) if kept_SHKX is None else kept_SHKX[row_R]

    def flat(self, answer_SHK: NDArray, horizon: int | None) -> NDArray:
        """Without the axes of a single step and a single column."""
        steps = 0 if horizon is None else slice(None)
        columns = 0 if self.network.config.inputs.columns == 1 else slice(None)
        return answer_SHK[:, steps, columns].copy()

    def _kept_of(self, horizon: int) -> NDArray | None:
        """The first steps of cached predictions."""
        if horizon in self._kept or self.open_times is not None:
            return self._kept.get(horizon)
        steps = self.network.config.steps
        for longer_horizon, kept_SHKX in self._kept.items():
            if horizon < longer_horizon <= steps:
                return kept_SHKX[:, :horizon]
        return None

    def _answer(self, horizon: int, row_R: NDArray) -> NDArray:
        """Predictions at times that occur (R, H, K, X)."""
        if self.open_times is None:
            return self._on_grid(horizon, row_R)
        steps_RH = self.open_times.ahead(self.rows, row_R, horizon)
        answer_RGKX = self._on_grid(int(steps_RH.max(initial=0)) + 1, row_R)
        return np.take_along_axis(answer_RGKX, steps_RH[:, :, None, None], axis=1)

    def _on_grid(self, horizon: int, row_R: NDArray) -> NDArray:
        """Predictions at all coming steps of the grid (R, H, K, X)."""
        return self.stopped(self.unstopped(horizon, row_R), row_R)

    def steps(self, row_R: NDArray, count: int) -> NDArray:
        """The next steps of rows (R, H) that occur, counted from their first one."""
        ahead_RH = np.tile(np.arange(count), (len(row_R), 1))
        if self.open_times is not None:
            ahead_RH = self.open_times.ahead(self.rows, row_R, count)
        return self.rows["count"][row_R][:, None] + ahead_RH

    def shown(self, answer_RHKX: NDArray, row_R: NDArray) -> NDArray:
        """Predictions with the effects of future columns; DataError if these are unknown there."""
        if self.known is None:
            return answer_RHKX
        has_begun_R = np.any(np.isfinite(answer_RHKX), axis=(1, 2, 3))
        ids = self.rows.ids[row_R]
        steps_RH = self.steps(row_R, answer_RHKX.shape[1])
        self.known.require(ids, steps_RH, is_asked_R=has_begun_R)
        shown_RHKX = self.known.shown(ids, steps_RH, answer_RHKX)
        return stopped(shown_RHKX, stop_now(self.rows["stops"][row_R]))

    def told(self, answer_RHKX: NDArray, row_R: NDArray, cells: Told) -> NDArray:
        """The prediction of the next step, with the columns of a tick."""
        if self.known is None:
            return answer_RHKX
        steps_RN = self.steps(row_R, longest(cells))
        shown_RHKX = self.known.tell(self.rows.ids[row_R], steps_RN, cells, answer_RHKX)
        return stopped(shown_RHKX, stop_now(self.rows["stops"][row_R]))

    def left_of(self, values_RK: NDArray, row_R: NDArray) -> NDArray:
        """The values of a tick without the effects of future columns."""
        if self.known is None:
            return values_RK
        steps_R1 = self.steps(row_R, 1)
        ids_R = self.rows.ids[row_R]
        left_R = self.known.observe(ids_R, steps_R1[:, 0], values_RK[:, 0])
        return left_R[:, None]

    def stopped(self, answer_RHKX: NDArray, row_R: NDArray) -> NDArray:
        """Answers of rows that stop at 0, or nowhere, and at what their values have never passed;
        where something is known in advance, they stop at 0 once they are shown."""
        if self.known is not None:
            return answer_RHKX
        stops_R = stop_now(self.rows["stops"][row_R])
        answer_RHKX = stopped(answer_RHKX, stops_R)
        answer_RHKX = self.contexts.shut(answer_RHKX, row_R, stops_R)
        return self.contexts.within_bounds(answer_RHKX, row_R)

    def unstopped(self, horizon: int, row_R: NDArray) -> NDArray:
        """The same, below 0 too where values are not."""
        network = self.network
        X = len(HEAD_QUANTILES) if network.head.spreads else 1
        _require_no_sums(network.config, horizon, X)
        _require_widening(network, horizon)
        shape = (len(row_R), horizon, network.config.inputs.columns, X)
        answer_RHKX = np.full(shape, np.nan)
        for begun_N, lane in self.contexts.answering(row_R, TOGETHER):
            if len(begun_N) == len(row_R):
                return self._of_lane(horizon, row_R, lane)
            answer_RHKX[begun_N] = self._of_lane(horizon, row_R[begun_N], lane)
        return answer_RHKX

    def _of_lane(self, horizon: int, row_N: NDArray, lane: Lane) -> NDArray:
        """Predictions for started rows of one lane (N, H, K, X)."""
        network = self.network
        fed = horizon if horizon > network.config.steps else 0
        state = self.contexts.forecast_state(lane, row_N, fed)
        z_NHKX = answers_from(network, state, horizon, network.config.steps, None)
        answer_NHKX = network.units(z_NHKX, state.known)
        answer_NHKX = self.contexts.with_own_past(answer_NHKX, lane, row_N)
        return self._at_several_rates(row_N, lane, answer_NHKX)

    def _at_several_rates(
        self, row_N: NDArray, lane: Lane, answer_NHKX: NDArray
    ) -> NDArray:
        """Far answers of rows that have begun, moved as those of a forecaster are."""
        periods = self.reading.reader.grid.periods
        rates = rates_of(periods, self.network.config.steps, answer_NHKX.shape[1])
        reader = Reader(self.network, context=Whole(), rates=self.rates)
        if not rates or not reader.reads_rates or lane.inputs.grid.periods != periods:
            return answer_NHKX
        panel, ends = self.contexts.read_by(row_N)
        axes_N = self.reading.reader.own_axes(lane)
        moved_NHX = at_several_rates(reader, panel, ends, answer_NHKX[:, :, 0], axes_N)
        return moved_NHX[:, :, None]


def require_quantiles(answer_RHKX: NDArray) -> None:
    """UsageError for answers that are points."""
    if answer_RHKX.shape[3] < len(HEAD_QUANTILES):
        raise UsageError(
            "A point head has no quantiles. Use another one, such as head='quantiles'."
        )


def _require_no_sums(config: NetworkConfig, horizon: int, answers: int) -> None:
    """UsageError where quantiles of several steps would have to be added up."""
    if answers > 1 and config.inputs.adds_up(horizon):
        raise UsageError(
            f"The transforms add up the forecasts of {horizon} steps, and quantiles of a sum are "
            "not sums of quantiles. Predict one step at a time, or use head='point'."
        )


def _require_widening(network: Network, horizon: int) -> None:
    """UsageError where quantiles would have to widen by stretching, and the head's must not."""
    head = network.head
    steps = network.config.steps
    if horizon > steps and head.spreads and not head.affine:
        raise UsageError(
            f"The network forecasts {counted(steps, 'step')}, and quantiles of the head "
            f"{head.name!r} "
            f"cannot be extended to {horizon}. Use a horizon of at most {steps}, or a forecaster, "
            "which draws sample paths."
        )
