"""Conformal intervals of a stream, and drift of errors.

S series, a row each · R rows of a tick · H steps that are tracked · Q quantiles
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.bounds import bounds_of, within
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.decoding import Reader, at_steps
from lstmcast.decoding.weekdays import shut, unsold
from lstmcast.errors import UsageError
from lstmcast.evaluation.conformal import (
    Conformal,
    Tracked,
    adjusted,
    advance,
    coverage,
    start,
)
from lstmcast.model.network import Network
from lstmcast.streaming.rows import Rows

# values of a history that intervals are adjusted on before a stream begins
NEWEST = 1000
AT_ONCE = 1 << 20  # answers of a history that are held at once


class Tracker:
    """Compares forecasts with actual values, and adjusts the bounds of intervals.

    Args:
        settings: the rate of false signals of drift.
        rows: whose intervals these are; they get the state that this needs.
        network: what forecasts. UsageError where it answers points, or reads several columns.
    """

    def __init__(self, settings: Conformal, rows: Rows, network: Network) -> None:
        if network.config.inputs.columns > 1:
            raise UsageError(
                "conformal= is for rows of one column, but this network reads several."
            )
        if not network.head.spreads:
            raise UsageError(
                "conformal= adjusts intervals, but a point head has none. Use head='quantiles', "
                "'normal' or 'student_t'."
            )
        self.settings = settings
        self.rows = rows
        self.steps = min(settings.steps or network.config.steps, network.config.steps)
        rows.add("tracked", lambda count: start(count, self.steps))

    def history(self, reader: Reader, panel: Panel) -> None:
        """Adjust on the newest values of the series of a panel, each compared with what would have
        been forecast of it."""
        series_at_once = max(AT_ONCE // (NEWEST * self.steps), 1)
        for first in range(0, len(panel), series_at_once):
            series_R = np.arange(first, min(first + series_at_once, len(panel)))
            self._history(reader, panel, series_R)

    def _history(self, reader: Reader, panel: Panel, series_R: NDArray) -> None:
        length_R = panel.lengths[series_R]
        # nothing was forecast of a first value
        first_R = np.maximum(length_R - NEWEST, 1)
        forecasts_R = length_R - first_R
        begins_R = np.cumsum(forecasts_R) - forecasts_R
        series_O = np.repeat(series_R, forecasts_R)
        shift_O = np.repeat(begins_R - first_R, forecasts_R)
        counts_O = np.arange(len(series_O)) - shift_O
        steps = tuple(range(1, self.steps + 1))
        origins = Origins(series_O, counts_O)
        answers_OHQ = at_steps(reader, panel, origins, steps)
        if reader.network.config.inputs.from_context:  # as they would have been shown
            first_O = reader.context_for(panel.periods).start(counts_O)
            bounds = bounds_of(panel, origins, first_O, answers_OHQ)
            closed_OH = unsold(panel, origins, self.steps)
            answers_OHQ = within(shut(answers_OHQ, closed_OH), bounds)
        state: Tracked = self.rows["tracked"]
        state.count_S[series_R] = first_R
        for step in range(int(forecasts_R.max(initial=0))):
            going = np.flatnonzero(forecasts_R > step)
            series_N = series_R[going]
            place_N = panel.offsets[series_N] + first_R[going] + step
            answer_NHQ = answers_OHQ[begins_R[going] + step]
            advance(state, series_N, panel.values[place_N], answer_NHQ, self.settings)

    def tick(self, row_R: NDArray, values_R: NDArray, answer_RHQ: NDArray) -> NDArray:
        """Compare a tick of these rows: whether it shows that errors have grown (R,)."""
        return advance(self.rows["tracked"], row_R, values_R, answer_RHQ, self.settings)

    def adjusted(self, row_R: NDArray, answer_RHQ: NDArray) -> NDArray:
        """What the network answers of these rows, with the bounds that their errors ask for."""
        return adjusted(self.rows["tracked"], row_R, answer_RHQ)

    def coverage(self, row_R: NDArray) -> NDArray:
        """The share of values in the intervals, of late (R, H, L)."""
        return coverage(self.rows["tracked"], row_R)
