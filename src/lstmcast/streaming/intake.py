"""Intake of ticks: they are checked together with future columns, read, and learned from.

R rows of a tick · K columns of a row · P past covariates · H horizon
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.streaming.answers import Answers
from lstmcast.streaming.coming import Told, checked_future
from lstmcast.streaming.ticks import checked_tick
from lstmcast.streaming.updates import Updates


class CheckedTick(NamedTuple):
    """A checked tick of some rows."""

    row_R: NDArray
    values_RK: NDArray
    past_RP: NDArray | None  # past covariates
    cells_CR: Told  # future columns


class Intake:
    """Checks ticks and reads them into the rows of a stream.

    Args:
        answers: the states of the rows, and their forecasts.
        learner: learns from the ticks; None if the network does not learn.
    """

    def __init__(self, answers: Answers, learner: Updates | None) -> None:
        self.answers = answers
        self.learner = learner
        self.rows = answers.rows
        self.known = answers.known
        self.open_times = answers.open_times
        self.inputs = answers.network.config.inputs

    def checked(
        self,
        values: Any,
        ids: Iterable[Any] | None,
        past: Any,
        future: Any,
        missing: Sequence[int] = (),
    ) -> CheckedTick:
        """Check a tick that follows `missing` skipped ticks of each row.

        Raises UsageError and DataError like `Stream.observe`, without any change.
        """
        row_R, values_RK, past_RP = checked_tick(
            self.rows, self.inputs, values, ids, past
        )
        names = self.rows.ids[row_R]
        if self.known is None:
            return CheckedTick(
                row_R, values_RK, past_RP, checked_future(future, (), names)
            )
        cells_CR = self.known.checked(future, names)
        steps_R1 = self.answers.steps(row_R, 1) + _column(missing, len(row_R))
        self.known.require(names, steps_R1, cells_CR, np.isfinite(values_RK[:, 0]))
        return CheckedTick(row_R, values_RK, past_RP, cells_CR)

    def require_known(
        self, tick: CheckedTick, horizon: int, missing: Sequence[int]
    ) -> None:
        """Raise DataError if a forecast after a tick would lack future columns."""
        if self.known is not None and horizon:
            row_R = tick.row_R
            steps_RH = self.answers.steps(row_R, 1 + horizon) + _column(
                missing, len(row_R)
            )
            self.known.require(self.rows.ids[row_R], steps_RH, tick.cells_CR)

    def history(self, panel: Panel) -> None:
        """Read the series of a panel, each to its end."""
        self.answers.reading.history(panel)
        if self.open_times is not None:
            self.open_times.history(self.rows, panel)

    def read(
        self, number: int, row_R: NDArray, values_RK: NDArray, past_RP: NDArray | None
    ) -> None:
        """Read the values of a tick with this number, and learn from it if the network learns."""
        if self.learner is None:
            self.answers.reading.tick(row_R, values_RK, past_RP)
        else:
            self.learner.tick(number, row_R, values_RK, past_RP)

    def pass_closed(self, number: int, row_R: NDArray, past_RP: NDArray | None) -> None:
        """Read missing values at closed times up to the next time that occurs."""
        if self.open_times is None:
            return
        closed_R = self.open_times.ahead(self.rows, row_R, 1)[:, 0]
        for step in range(int(closed_R.max(initial=0))):
            passed_R = closed_R > step
            unknown_NK = np.full(
                (np.count_nonzero(passed_R), self.inputs.columns), np.nan
            )
            past_NP = (
                None if past_RP is None else np.full_like(past_RP[passed_R], np.nan)
            )
            self.read(number, row_R[passed_R], unknown_NK, past_NP)


def _column(missing: Sequence[int], rows: int) -> NDArray:
    """The number of skipped ticks of each row (R, 1), by default 0."""
    counts = missing if len(missing) else [0] * rows
    return np.array(counts, np.int64)[:, None]
