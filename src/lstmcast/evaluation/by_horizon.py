"""The growth of the error of recursive forecasts with the horizon.

S series · K cutoffs · H horizon
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmcast.data.observed import without
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of
from lstmcast.errors import UsageError
from lstmcast.evaluation.metrics import rmse
from lstmcast.forecast import Forecast


class RunsFree(Protocol):
    """A model with recursive forecasts, such as LSTMForecaster."""

    def predict(
        self,
        data: Any = None,
        horizon: int | None = None,
        *,
        cutoffs: NDArray | None = None,
        mode: Any = "direct",
    ) -> Forecast:
        """Forecast from each cutoff (S, K)."""
        ...


def errors_by_horizon(
    model: RunsFree,
    panel: Panel,
    horizon: int,
    cutoffs: ArrayLike,
    observed: int | None = None,
) -> dict[str, NDArray]:
    """RMSE at each step of recursive forecasts: columns `horizon` (1 … H), each series, `total`.

    `cutoffs` (K,): numbers of observations of each series after which recursive forecasts start.
    `observed`: number of these that the model reads, from a fresh state; None for all. Steps after
    the end of the data do not count. Raises UsageError for cutoffs outside the data or with fewer
    than `observed` values before them, and for series with the names of other columns.

    >>> from lstmcast import LSTMForecaster
    >>> panel = Panel.from_arrays({"up": np.arange(60.0), "flat": np.ones(60)})
    >>> list(errors_by_horizon(LSTMForecaster(3), panel, 3, cutoffs=[40, 50]))
    ['horizon', 'up', 'flat', 'total']
    """
    panel = without(panel)  # steps are those of the grid
    counts_K = _checked(np.asarray(cutoffs, np.int64), panel, observed)
    if observed is None:
        cutoffs_SK = np.tile(counts_K, (len(panel), 1))
        forecast = model.predict(panel, horizon, cutoffs=cutoffs_SK, mode="recursive")
        forecast_SKH = forecast.point.reshape(len(panel), len(counts_K), horizon)
    else:
        points = []
        for count in counts_K:
            segment = _segment(panel, count - observed, count)
            points.append(model.predict(segment, horizon, mode="recursive").point)
        forecast_SKH = np.stack(points, axis=1)
    actual_SKH = _actual(panel, counts_K, horizon)
    columns = {"horizon": np.arange(1, horizon + 1)}
    errors_SH = np.asarray(rmse(actual_SKH, forecast_SKH, axis=1))
    for name, errors_H in zip(panel.ids, errors_SH, strict=True):
        columns[str(name)] = errors_H
    columns["total"] = np.asarray(rmse(actual_SKH, forecast_SKH, axis=(0, 1)))
    return columns


def _checked(counts_K: NDArray, panel: Panel, observed: int | None) -> NDArray:
    smallest = observed or 1
    largest = int(panel.lengths.min()) - 1
    is_list = counts_K.ndim == 1 and len(counts_K) > 0
    if not is_list or counts_K.min() < smallest or counts_K.max() > largest:
        raise UsageError(
            f"cutoffs={counts_K.tolist()} and {observed=} do not fit these data. A list of counts "
            f"from {smallest} to {largest} is expected, with observations before and after each "
            "in every series."
        )
    ids = {str(name) for name in panel.ids}
    duplicates = {"horizon", "total"} & ids
    if duplicates:
        raise UsageError(
            f"A series has the name of another column of the table: {sorted(duplicates)}. Give it "
            "another id."
        )
    return counts_K


def _segment(panel: Panel, begin: int, end: int) -> Panel:
    """Steps begin … end of each series as a separate panel.

    Its times start at those of the panel, so that a model does not join it to earlier data that it
    has saved.
    """
    values_ST = np.stack(
        [panel.series(series)[begin:end] for series in range(len(panel))]
    )
    lengths = np.full(len(panel), end - begin)
    return replace(panel, values=values_ST.ravel(), offsets=offsets_of(lengths))


def _actual(panel: Panel, counts_K: NDArray, horizon: int) -> NDArray:
    """Actual values after each cutoff (S, K, H); NaN past the end of a series."""
    steps_KH = counts_K[:, None] + np.arange(horizon)
    padding = np.full(horizon, np.nan)
    actual = []
    for series in range(len(panel)):
        values = np.append(panel.series(series), padding)
        actual.append(values[steps_KH])
    return np.stack(actual)
