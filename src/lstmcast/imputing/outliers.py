"""Outliers: values far from their forecasts, judged only by earlier values.

S series · N observations of all series · O origins, one before each value but the first
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.effects import read_by
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import places, series_numbers
from lstmcast.decoding import one_step_ahead
from lstmcast.forecaster import LSTMForecaster
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN
from lstmcast.one_series import panel_and_network

# typical errors: 8 standard deviations of a normal distribution, as in `check`
FARTHEST = 10.0
FEWEST = 20  # errors needed to know what is typical
CLIPPED = 4.0  # typical errors at which a single error is clipped
LOWER = HEAD_QUANTILES.index(0.1)
UPPER = HEAD_QUANTILES.index(0.9)
# relative to the forecast: a network's smaller spread is not credible
LEAST_SPREAD = 1e-3


def mask_outliers(data: Any, model: LSTMForecaster | None = None) -> Panel:
    """Mark values that are more than ten typical errors away from their forecasts as missing.

    Forecasts and typical errors use only earlier values, so that a masked panel can be forecast
    from any cutoff, and backtested with `truth=`. A permanent level shift loses at most its first
    values. `lstmcast.impute` fills the masked values, also using later ones.

    Args:
        data: A Panel, or anything that `lstmcast.read` reads.
        model: A fitted or loaded forecaster. Defaults to the shipped network.

    Raises:
        UsageError: The network reads several columns together.
        DataError: The data cannot be read.

    >>> values = 100 + 10 * np.sin(np.arange(96) / 6 * np.pi)
    >>> values[50] = 400
    >>> masked = mask_outliers(Panel.from_arrays(values, frequency="MS", start="2016-01"))
    >>> np.flatnonzero(np.isnan(masked.values))
    array([50])
    """
    panel, fitted = panel_and_network(
        data, model, "values are repaired series by series"
    )
    series = series_numbers(panel.offsets)
    place = places(panel.offsets)
    rows = np.flatnonzero(place > 0)  # first values have no forecast
    origins = Origins(series[rows], place[rows])
    # A value that known columns explain is not an outlier.
    read_panel = read_by(panel, fitted.network.head.affine).panel
    answers_O1Q = one_step_ahead(fitted.reader, read_panel, origins)
    error_N = np.full(len(panel.values), np.nan)
    error_N[rows] = _errors(read_panel.values[rows], answers_O1Q[:, 0])
    is_far_N = _far(error_N, panel)
    values = np.where(is_far_N, np.nan, panel.values)
    return replace(panel, values=values)


def _errors(values_O: NDArray, answers_OQ: NDArray) -> NDArray:
    """Errors in units of the forecast's spread on their side of the median (O,)."""
    middle_O = answers_OQ[:, MEDIAN]
    above_O = answers_OQ[:, UPPER] - middle_O
    below_O = middle_O - answers_OQ[:, LOWER]
    spread_O = np.where(values_O > middle_O, above_O, below_O)
    smallest = np.finfo(np.float32).tiny
    least_O = LEAST_SPREAD * np.abs(middle_O) + smallest
    with np.errstate(over="ignore"):
        return np.abs(values_O - middle_O) / (spread_O + least_O)


def _far(error_N: NDArray, panel: Panel) -> NDArray:
    """Which errors are far larger than the earlier ones in their series (N,)."""
    far_N = np.zeros(len(error_N), bool)
    total_S = np.zeros(len(panel))
    count_S = np.zeros(len(panel))
    for step in range(1, int(panel.lengths.max(initial=0))):
        series = np.flatnonzero(panel.lengths > step)
        rows = panel.offsets[series] + step
        is_known = np.isfinite(error_N[rows])
        series = series[is_known]
        rows = rows[is_known]
        error = error_N[rows]
        has_enough = count_S[series] >= FEWEST
        mean = total_S[series] / np.maximum(count_S[series], 1)
        mean = np.where(has_enough, mean, np.inf)
        far_N[rows] = error > FARTHEST * mean
        total_S[series] += np.minimum(error, CLIPPED * mean)
        count_S[series] += 1
    return far_N
