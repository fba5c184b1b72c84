"""One row per series, whose lists DuckDB unnests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.util.objects import none_where_unknown

Numbers: TypeAlias = list[float | None]


def forecast_rows(
    panel: Panel, horizon: int | None, levels: Sequence[float], method: str
) -> list[dict[str, Any]]:
    """A forecast of each series, over one season unless a horizon is given."""
    from lstmcast.data.ahead import one_season
    from lstmcast.evaluation.calibration import quantiles_of
    from lstmcast.forecaster import LSTMForecaster

    steps = one_season(panel) if horizon is None else horizon
    model = LSTMForecaster(steps, quantiles=quantiles_of(levels), method=method)
    forecast = model.predict(panel)
    rows = []
    for row in range(len(panel)):
        quantiles = [none_where_unknown(column) for column in forecast.quantiles[row].T]
        rows.append(
            _row(panel, row, forecast.times[row], forecast.point[row], quantiles)
        )
    return rows


def score_rows(panel: Panel, rate: float) -> list[dict[str, Any]]:
    """How surprising each value was."""
    from lstmcast.alerting import anomalies

    scored = anomalies(panel, rate=rate)
    rows = []
    for row in range(len(panel)):
        span = slice(panel.offsets[row], panel.offsets[row + 1])
        scores = [none_where_unknown(scored.scores[span])]
        entry = _row(panel, row, panel.times(row), panel.values[span], scores)
        rows.append(entry | {"flags": scored.alerts[span].tolist()})
    return rows


def _row(
    panel: Panel, row: int, times: NDArray, point: NDArray, quantiles: list[Numbers]
) -> dict[str, Any]:
    """The row of a series, with the field names of the DuckDB structure."""
    return {
        "id": [str(column[row]) for column in panel.keys.values()],
        "times": times.astype("datetime64[us]").tolist(),
        "point": none_where_unknown(point),
        "quantiles": quantiles,
        "flags": [],
    }
