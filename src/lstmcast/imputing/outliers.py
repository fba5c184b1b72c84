"""Values that are unlike what was expected of them, as it was known when each came.

S series · N observations of all series · O origins, one before each value but the first
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.effects import adjusted
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import places, series_numbers
from lstmcast.data.read import read
from lstmcast.decoding import one_step_ahead
from lstmcast.forecaster import LSTMForecaster
from lstmcast.imputing.networks import network_for
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN

FARTHEST = 10.0  # usual errors: of a normal distribution 8 standard deviations, as `check` has it
FEWEST = 20  # errors that say what is usual
CLIPPED = 4.0  # usual errors that one error counts as at most
LOWER, UPPER = HEAD_QUANTILES.index(0.1), HEAD_QUANTILES.index(0.9)
LEAST_SPREAD = 1e-3  # of the forecast: a network that is surer of itself is not believed


def mask_outliers(data: Any, model: LSTMForecaster | None = None) -> Panel:
    """The data with values as missing ones that lie ten usual errors from what was expected.

    What is expected of a value, and what is usual, follows from the values before it alone: so a
    panel that was masked can be forecast from at any cutoff, and backtested with `truth=`. A level
    that changes for good loses its first values at most. `lstmcast.impute` fills the places with
    what is expected given what came after, too.

    Args:
        data: a Panel, or anything that `lstmcast.read` reads.
        model: a fitted or loaded forecaster; the shipped network unless given.

    Raises:
        UsageError: for a network that reads several columns together.
        DataError: for data that cannot be read.

    >>> values = 100 + 10 * np.sin(np.arange(96) / 6 * np.pi)
    >>> values[50] = 400
    >>> masked = mask_outliers(Panel.from_arrays(values, frequency="MS", start="2016-01"))
    >>> np.flatnonzero(np.isnan(masked.values))
    array([50])
    """
    panel = data if isinstance(data, Panel) else read(data)
    fitted = network_for(panel, model)
    series, place = series_numbers(panel.offsets), places(panel.offsets)
    later = np.flatnonzero(place > 0)  # nothing was forecast of a first value
    read_panel = adjusted(panel)  # what known columns explain is no outlier
    answers_O1Q = one_step_ahead(fitted.reader, read_panel, Origins(series[later], place[later]))
    error_N = np.full(len(panel.values), np.nan)
    error_N[later] = _errors(read_panel.values[later], answers_O1Q[:, 0])
    outlier_N = _far(error_N, panel)
    return replace(panel, values=np.where(outlier_N, np.nan, panel.values))


def _errors(values_O: NDArray, answers_OQ: NDArray) -> NDArray:
    """Errors in units of the spread that the network states on their side (O,)."""
    middle_O = answers_OQ[:, MEDIAN]
    above_O, below_O = answers_OQ[:, UPPER] - middle_O, middle_O - answers_OQ[:, LOWER]
    spread_O = np.where(values_O > middle_O, above_O, below_O)
    least_O = LEAST_SPREAD * np.abs(middle_O) + np.finfo(np.float32).tiny
    with np.errstate(over="ignore"):
        return np.abs(values_O - middle_O) / (spread_O + least_O)


def _far(error_N: NDArray, panel: Panel) -> NDArray:
    """Which errors are far from those before them in their series (N,)."""
    far_N = np.zeros(len(error_N), bool)
    total_S, count_S = np.zeros(len(panel)), np.zeros(len(panel))
    for step in range(1, int(panel.lengths.max(initial=0))):
        at = np.flatnonzero(panel.lengths > step)
        here = panel.offsets[at] + step
        known = np.isfinite(error_N[here])
        at, here = at[known], here[known]
        enough = count_S[at] >= FEWEST
        usual = np.where(enough, total_S[at] / np.maximum(count_S[at], 1), np.inf)
        far_N[here] = error_N[here] > FARTHEST * usual
        total_S[at] += np.minimum(error_N[here], CLIPPED * usual)
        count_S[at] += 1
    return far_N
