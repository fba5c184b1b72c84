"""Running inputs: values, changes or returns of each row in units of its own recent past.

Nothing is fitted, and only values up to a tick are used, so that a new network can learn from a
stream whose rows have any scale.

    B rows · T steps · K columns · H horizon · X one point, quantiles or paths
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, field
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lstmcast.context import Whole
from lstmcast.data.panel import Panel
from lstmcast.errors import DataError, UsageError
from lstmcast.model.inputs.base import Grid, Seen
from lstmcast.util.config import settings

YOUNG = 10  # weight of the past below which changes enter the scale without a limit


class RunningState(NamedTuple):
    """Decayed sums of each column of each row."""

    weight_BK: NDArray  # of past ticks
    centre_BK: NDArray  # the mean, or the newest value
    square_BK: NDArray  # sum of squares
    x_BK: NDArray  # the newest known input


@settings
class Running:
    """Inputs of each row in units of its own recent past.

    Args:
        of: "values" are read relative to their mean, in standard deviations; "changes" from the
            previous value, and "returns" (changes of the logarithm; values must be positive), in
            units of their root mean square.
        memory: number of ticks after which the weight of a value is 1/e.
        limit: largest value of a tick, in units of the running scale, in inputs, labels and the
            scale itself, so that a wrong value has little effect; None for no limit.
        columns: K, number of values of a row that are read together.

    >>> inputs = Running("changes")
    >>> seen, state = inputs.advance(inputs.start(Grid(1), 1), np.array([[[5.0], [7.0], [6.0]]]))
    >>> seen.x_BTC.ravel().astype(float).round(2).tolist(), seen.label_BTK.ravel().tolist()
    ([0.0, 1.0, -0.63], [nan, nan, -0.5])
    """

    of: Literal["values", "changes", "returns"] = "values"
    memory: Annotated[float, Field(gt=1)] = 250.0
    limit: Annotated[float, Field(gt=0)] | None = 10.0
    columns: Annotated[int, Field(ge=1)] = 1
    kind: Literal["running"] = field(default="running", repr=False, kw_only=True)

    @property
    def past(self) -> tuple[str, ...]:
        """None: every column is predicted."""
        return ()

    @property
    def skips(self) -> bool:
        """False: the network has no path besides its layers."""
        return False

    @property
    def from_context(self) -> bool:
        """False: the scale comes from all ticks."""
        return False

    @property
    def fewest(self) -> int:
        """0: a row needs no values before its first forecast."""
        return 0

    def adds_up(self, horizon: int) -> bool:
        """False: answers are not added up across steps."""
        return False

    def context(self, periods: tuple[int, ...]) -> Whole:
        """All ticks are read."""
        return Whole()

    def of_rows(self, fitted: None, ids: list[Any]) -> None:
        """No parameters are fitted."""

    def fitted_from(self, arrays: Mapping[str, NDArray], ids: NDArray) -> None:
        """No parameters are fitted."""

    def described(self) -> dict[str, Any]:
        """The inputs as JSON values."""
        return asdict(self)

    def width(self, horizon: int) -> int:
        """C: one channel for each column."""
        return self.columns

    def data(
        self,
        panel: Panel,
        ends: NDArray,
        horizon: int | None = None,
        fitted: Any = None,
    ) -> tuple[Any, Any]:
        """Raise UsageError: a network with running inputs is trained on a stream."""
        raise UsageError(
            "A network with Running() inputs learns tick by tick. Use lc.Stream, or other inputs."
        )

    def start(self, grid: Grid, rows: int, fitted: None = None) -> RunningState:
        """The state before the first value of this number of rows."""
        zeros = np.zeros((rows, self.columns))
        unknown = np.full((rows, self.columns), np.nan)
        return RunningState(zeros, unknown, zeros, unknown)

    def advance(
        self, state: RunningState, values_BTK: NDArray, known: NDArray | None = None
    ) -> tuple[Seen, RunningState]:
        """Read T more values of each row (NaN = missing)."""
        u_BTK = np.log(values_BTK) if self.of == "returns" else values_BTK
        inputs = np.empty(u_BTK.shape)
        labels = np.empty(u_BTK.shape)
        for tick in range(u_BTK.shape[1]):
            x_BK, label_BK, state = self._tick(state, u_BTK[:, tick])
            inputs[:, tick] = x_BK
            labels[:, tick] = label_BK
        begun_BT = np.logical_and.reduce(np.isfinite(inputs), axis=2)
        x_BTC = np.where(begun_BT[:, :, None], inputs, 0.0).astype(np.float32)
        return Seen(x_BTC, begun_BT, None, labels), state

    def _tick(
        self, state: RunningState, u_BK: NDArray
    ) -> tuple[NDArray, NDArray, RunningState]:
        """Input, label and state of one tick.

        The label is in units of the scale known before the tick, the input in units of the scale
        that includes it. The sums follow West (1979) with decaying weights.
        """
        weight, centre, square, newest_x = state
        reads_values = self.of == "values"
        decay = np.exp(-1 / self.memory)
        away = u_BK - centre
        scale = _scale(weight, square)
        limited = self._limited(away / scale)
        label = np.where(square > 0, limited, np.nan)

        has_moved = ~np.isnan(away)
        is_first = np.isnan(centre) & ~np.isnan(u_BK)
        start_weight = np.where(is_first, float(reads_values), weight)
        new_weight = np.where(has_moved, decay * weight + 1, start_weight)
        change = np.where(weight < YOUNG, away, scale * limited)
        change = np.where(has_moved, change, 0.0)
        share = 1.0
        newest = u_BK
        if reads_values:
            share = decay * weight / np.maximum(new_weight, 1)
            newest = centre + change / np.maximum(new_weight, 1)
        square = np.where(has_moved, decay * square + share * change**2, square)
        start_centre = np.where(is_first, u_BK, centre)
        centre = np.where(has_moved, newest, start_centre)

        distance = u_BK - centre if reads_values else away
        read_BK = self._limited(distance / _scale(new_weight, square))
        x_BK = np.where(np.isnan(read_BK), newest_x, read_BK)
        return x_BK, label, RunningState(new_weight, centre, square, x_BK)

    def known(self, state: RunningState) -> RunningState:
        """The values needed to invert answers after the newest values of each row."""
        return state

    def place(self, answer_NHKX: NDArray, known: RunningState | None) -> NDArray:
        """Answers unchanged: they are in units of the row, which stay fixed while they are fed
        back."""
        return answer_NHKX

    def widths_of(self, known: RunningState | None) -> None:
        """None: the head's widths are used."""

    def around(self, known: RunningState | None) -> tuple[NDArray, NDArray]:
        """0 and 1: answers are in units of the row."""
        return np.zeros((1, 1, 1)), np.ones((1, 1, 1))

    def feed(
        self, point_NHK: NDArray, state: RunningState
    ) -> tuple[Seen, RunningState]:
        """Read answers as inputs."""
        begun_NH = np.ones(point_NHK.shape[:2], bool)
        return Seen(point_NHK.astype(np.float32), begun_NH, None), state

    def units(
        self,
        z_NHKX: NDArray,
        known: RunningState,
        paths: bool = False,
        moves: bool = True,
    ) -> NDArray:
        """Answers rescaled by centre and scale of each row; a row that never moved stays
        constant."""
        scale_NK = np.sqrt(known.square_BK / np.maximum(known.weight_BK, 1))
        moves_NHKX = scale_NK[:, None, :, None] * z_NHKX
        if self.of != "values":  # each step builds on the previous one
            moves_NHKX = np.cumsum(moves_NHKX, axis=1)
        u_NHKX = known.centre_BK[:, None, :, None] + moves_NHKX
        return np.exp(u_NHKX) if self.of == "returns" else u_NHKX

    def check(self, values_RK: NDArray, ids: NDArray) -> None:
        """Raise DataError for values of a tick without a logarithm, with the first such row; `ids`
        (R,) names the rows."""
        if self.of != "returns":
            return
        row_R = np.flatnonzero((values_RK <= 0).any(axis=1))
        if len(row_R):
            value = float(np.nanmin(values_RK[row_R[0]]))
            of_rows = ""
            if len(row_R) > 1:
                of_rows = f" (one of {len(row_R)} such rows in this tick)"
            raise DataError(
                f"Row {ids[row_R[0]]!r} has the value {value!r}{of_rows}, but returns need "
                "positive values. Use Running('changes') for values that may be zero or negative, "
                "or nan for unknown values."
            )

    def _limited(self, units: NDArray) -> NDArray:
        return units if self.limit is None else np.clip(units, -self.limit, self.limit)


def _scale(weight: NDArray, square: NDArray) -> NDArray:
    """Root of the mean square; 1 where that is zero."""
    return np.where(square > 0, np.sqrt(square / np.maximum(weight, 1)), 1.0)
