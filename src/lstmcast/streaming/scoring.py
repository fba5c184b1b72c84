"""Anomaly scores of all values of a panel in one pass.

S series · O origins, one before each value but the first · H steps of the head · Q quantiles
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.decoding import Reader, at_steps
from lstmcast.evaluation.anomalies import MIDDLE, Alerts, Surprises, advance, start
from lstmcast.util.states import mapped, rows_of


def read_surprises(
    reader: Reader, panel: Panel, alerts: Alerts
) -> tuple[NDArray, NDArray, Surprises]:
    """Scores and alerts of all values of a panel, in order, from one pass, and the state at its
    end. The first value of a series has no score, as there is no forecast of it."""
    H = far_step(reader)
    spreads = reader.network.head.spreads
    series_O = np.repeat(np.arange(len(panel)), panel.lengths - 1)
    # index of the first origin of each series
    first_S = panel.offsets[:-1] - np.arange(len(panel))
    counts_O = np.arange(len(series_O)) - first_S[series_O] + 1
    answers_O2Q = at_steps(reader, panel, Origins(series_O, counts_O), (1, H))
    near_OQ = answers_O2Q[:, 0, :] if spreads else answers_O2Q[:, 0, MIDDLE, None]
    far_O = answers_O2Q[:, 1, MIDDLE]
    scores = np.full(len(panel.values), np.nan)
    alerted = np.zeros(len(panel.values), bool)
    longest_first = np.argsort(-panel.lengths, kind="stable")
    state = start(len(panel), H)
    state.count_S[:] = 1
    for step in range(1, int(panel.lengths.max(initial=0))):
        count = np.count_nonzero(panel.lengths > step)
        series_R = longest_first[:count]
        going = _first(state, len(series_R))
        place_R = panel.offsets[series_R] + step
        origin_R = first_S[series_R] + step - 1
        value_R = panel.values[place_R]
        score_R, is_alert_R = advance(
            going, value_R, near_OQ[origin_R], far_O[origin_R], alerts
        )
        scores[place_R] = score_R
        alerted[place_R] = is_alert_R
    return scores, alerted, rows_of(state, np.argsort(longest_first))


def _first(state: Surprises, rows: int) -> Surprises:
    """Views of the first rows: writing to them changes the state."""
    return mapped(lambda array: array[:rows], state)


def far_step(reader: Reader) -> int:
    """The number of steps ahead of the second forecast that a value is compared with."""
    network = reader.network
    steps = network.config.steps
    if network.head.spreads and network.config.inputs.adds_up(steps):
        return 1
    return steps
