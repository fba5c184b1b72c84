"""What is known of each series, as rows that DuckDB unnests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lstmcast.data.panel import Panel


def forecast_rows(
    panel: Panel, horizon: int | None, levels: Sequence[float], method: str
) -> list[dict[str, Any]]:
    """A forecast of each series; of one season unless a horizon is given."""
    from lstmcast.data.ahead import one_season
    from lstmcast.forecaster import LSTMForecaster
    from lstmcast.predict import quantiles_of

    steps = one_season(panel) if horizon is None else horizon
    model = LSTMForecaster(steps, quantiles=quantiles_of(levels), method=method)
    forecast = model.predict(panel)
    return [
        {
            "id": _texts(panel, row),
            "times": forecast.times[row].astype("datetime64[us]").tolist(),
            "point": _known(forecast.point[row]),
            "quantiles": [_known(one) for one in forecast.quantiles[row].T],
            "flags": [],
        }
        for row in range(len(panel))
    ]


def score_rows(panel: Panel, rate: float) -> list[dict[str, Any]]:
    """How surprising each value was."""
    from lstmcast.alerting import anomalies

    found = anomalies(panel, rate=rate)
    bounds = panel.offsets
    return [
        {
            "id": _texts(panel, row),
            "times": panel.times(row).astype("datetime64[us]").tolist(),
            "point": _known(panel.values[bounds[row] : bounds[row + 1]]),
            "quantiles": [_known(found.scores[bounds[row] : bounds[row + 1]])],
            "flags": found.alerts[bounds[row] : bounds[row + 1]].tolist(),
        }
        for row in range(len(panel))
    ]


def _texts(panel: Panel, row: int) -> list[str]:
    """What the ids of a series are, as texts."""
    return [str(column[row]) for column in panel.keys.values()]


def _known(numbers: np.ndarray) -> list[float | None]:
    """Numbers, None where they are unknown."""
    return [value if np.isfinite(value) else None for value in numbers.tolist()]
