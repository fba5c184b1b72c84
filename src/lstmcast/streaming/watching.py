"""Comparison of values with their forecasts: anomaly scores, alerts, and intervals.

S series, a row each · R rows of a tick · H steps ahead · L levels · X quantiles, or one point
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.decoding import Reader
from lstmcast.errors import UsageError
from lstmcast.evaluation.anomalies import Alerts, advance, start
from lstmcast.evaluation.conformal import Conformal
from lstmcast.model.inputs import FittedTransforms
from lstmcast.streaming.answers import Answers
from lstmcast.streaming.scoring import far_step, read_surprises
from lstmcast.streaming.tracking import Tracker


class Watch:
    """Computes scores, alerts and conformal intervals, if requested.

    Args:
        answers: the forecasts of the rows, whose states for watching are added.
        learned: fitted transforms of the network.
        alerts: settings of alerts; None for no alerts.
        conformal: settings of conformal intervals; None for the network's own.
    """

    def __init__(
        self,
        answers: Answers,
        learned: FittedTransforms | None,
        alerts: Alerts | None,
        conformal: Conformal | None,
    ) -> None:
        self.answers = answers
        # of whole series, in one pass
        context = answers.reading.context
        self.reader = Reader(answers.network, learned, context, rates=False)
        self.rows = answers.rows
        self.alerts = alerts
        self.tracker = None
        self.scores, self.alerted = np.empty(0), np.empty(0, bool)
        self.drifted = np.empty(0, bool)
        if alerts is not None:
            if answers.network.config.inputs.columns > 1:
                raise UsageError(
                    "alerts= is for rows of one column, but this network reads several."
                )
            self.rows.add(
                "surprises", lambda count: start(count, far_step(self.reader))
            )
        if conformal is not None:
            self.tracker = Tracker(conformal, self.rows, answers.network)

    def history(self, panel: Panel) -> None:
        """Read the series of a panel, each to its end."""
        if self.alerts is not None:
            *_, surprises = read_surprises(self.reader, panel, self.alerts)
            self.rows.put("surprises", np.arange(len(panel)), surprises)
        # Closed times are steps of the grid, but not ticks.
        if self.tracker is not None and self.answers.open_times is None:
            self.tracker.history(self.reader, panel)

    def compare(self, row_R: NDArray, values_R: NDArray) -> None:
        """Compare the values of a tick with the bounds that were shown."""
        if self.tracker is not None:
            answer_RHX = self.answers.of(self.tracker.steps, row_R)[:, :, 0]
            self.drifted = self.tracker.tick(row_R, values_R, answer_RHX)

    def score(self, row_R: NDArray, values_R: NDArray) -> None:
        """Compute the anomaly scores and alerts of the values of a tick before it is read."""
        if self.alerts is None:
            return
        answer_RHX = self.answers.unstopped(far_step(self.reader), row_R)[:, :, 0]
        state = self.rows.of("surprises", row_R)
        far_R = answer_RHX[:, -1, answer_RHX.shape[2] // 2]
        self.scores, self.alerted = advance(
            state, values_R, answer_RHX[:, 0], far_R, self.alerts
        )
        self.rows.put("surprises", row_R, state)

    def adjusted(self, row_R: NDArray, answer_RHKX: NDArray) -> NDArray:
        """Answers with bounds adjusted to the errors of their rows."""
        if self.tracker is None:
            return answer_RHKX
        moved_RHX = self.tracker.adjusted(row_R, answer_RHKX[:, :, 0])
        return self.answers.stopped(moved_RHX[:, :, None], row_R)

    def coverage(self, row_R: NDArray) -> NDArray:
        """The recent coverage of the intervals (R, H, L)."""
        if self.tracker is None:
            raise UsageError("coverage is only measured with conformal=lc.Conformal().")
        return self.tracker.coverage(row_R)
