"""What the values of the rows of a stream can be, and what that means for predictions.

S series, a row each · R rows of a tick · K columns of a row · H horizon · X quantiles or a point
N observations of all series
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Context
from lstmcast.data.origins import origins_of
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import reduced
from lstmcast.data.table import Kind
from lstmcast.data.wholes import LARGEST, fractions, made_whole, whole_origins
from lstmcast.model.network import Network
from lstmcast.streaming.answers import Answers
from lstmcast.streaming.opening import remembered, stops_after, was_asked
from lstmcast.streaming.rows import Rows

# What rows are: of any values; of small whole numbers so far; of counts until a fraction comes.
FRACTIONS, SMALL, COUNTS = range(3)


def whole_of_new(start: Any, panel: Panel | None, kind: Kind | None) -> int:
    """What rows are that begin empty: counts, if that is declared or was recognised."""
    if kind is None:
        known_panel = panel
        if panel is None or not was_asked(panel):
            known_panel = remembered(start)
        kind = None if known_panel is None else known_panel.kind
    return COUNTS if kind == "count" else FRACTIONS


class RowKinds:
    """What the values of rows can be: where forecasts stop, and whether they are whole numbers.

    `stops`, `are_whole`: those of rows that begin empty.
    """

    def __init__(
        self, rows: Rows, network: Network, stops: int, are_whole: int
    ) -> None:
        self.rows = rows
        self.common = are_whole
        self.spreads = network.head.spreads
        rows.add("stops", lambda count: np.full(count, stops, np.int64))
        rows.add("whole", lambda count: np.full(count, are_whole, np.int64))

    def history(
        self, panel: Panel, stops_S: Any, context: Context, is_declared: bool
    ) -> None:
        """What the series of a panel are, which are the rows."""
        self.rows["stops"][:] = stops_S
        ends = origins_of(panel)
        if is_declared or not was_asked(panel):
            self.rows["whole"][:] = _whole_after(
                self.rows["whole"], _largest_fractions(panel)
            )
            return
        is_whole_S = whole_origins(panel, ends, context.start(ends.counts))
        whole_S = np.where(panel.kinds == "count", COUNTS, SMALL)
        self.rows["whole"][:] = np.where(is_whole_S, whole_S, FRACTIONS)

    def read(self, row_R: NDArray, values_RK: NDArray) -> None:
        """What rows are that have had these values."""
        self.rows["stops"][row_R] = stops_after(self.rows["stops"][row_R], values_RK)
        whole_R = self.rows["whole"][row_R]
        if (whole_R != FRACTIONS).any():
            self.rows["whole"][row_R] = _whole_after(whole_R, values_RK)

    def shown(self, answers: Answers, answer_RHKX: NDArray, row_R: NDArray) -> NDArray:
        """Answers as they are shown."""
        return self.made_whole(answers.shown(answer_RHKX, row_R), row_R)

    def made_whole(self, answer_RHKX: NDArray, row_R: NDArray) -> NDArray:
        """Whole numbers in rows of counts, but not of a head without quantiles, whose answers may
        be means."""
        if not self.spreads:
            return answer_RHKX
        return made_whole(answer_RHKX, self.rows["whole"][row_R] != FRACTIONS)


def _largest_fractions(panel: Panel) -> NDArray:
    """The largest fraction of the values of each series (S, 1), 0 where all are whole."""
    fraction_N = np.nan_to_num(fractions(panel.values))
    return reduced(np.maximum, fraction_N, panel.offsets, empty=0.0)[:, None]


def _whole_after(whole_R: NDArray, values_RK: NDArray) -> NDArray:
    """What rows are (R,) that have had these values."""
    has_fraction_R = (fractions(values_RK) > 0).any(axis=1)
    is_large_R = (values_RK > LARGEST).any(axis=1)
    is_no_longer_R = has_fraction_R | (is_large_R & (whole_R == SMALL))
    return np.where(is_no_longer_R, FRACTIONS, whole_R)
