"""Anomalies in recorded data, as a stream would have reported them at the time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.effects import read_by
from lstmcast.data.panel import Panel
from lstmcast.databases.address import DatabaseTable
from lstmcast.evaluation.anomalies import Alerts
from lstmcast.forecaster import LSTMForecaster
from lstmcast.one_series import panel_and_network
from lstmcast.streaming.scoring import read_surprises
from lstmcast.util.text import counted
from lstmcast.writing.tables import frame_of, write_table


@dataclass(frozen=True, eq=False)
class Anomalies:
    """Anomaly scores and alerts for the values of a panel, in its order.

    scores: from 0 to 1; 1 − score is the share of earlier errors of the series that were at least
    as large. NaN where a value is missing or was not forecast. alerts: whether each value raises an
    alert.
    """

    panel: Panel
    scores: NDArray
    alerts: NDArray
    rate: float

    def columns(self, only_alerts: bool = False) -> dict[str, NDArray]:
        """Series, time, value, score and alert as columns, for all values or for alerts only."""
        panel = self.panel
        is_shown = self.alerts if only_alerts else np.ones(len(panel.values), bool)
        times = [panel.times(row) for row in range(len(panel))]
        columns = {
            "series": np.repeat(panel.ids.astype(object), panel.lengths),
            "time": np.concatenate(times),
            "value": panel.values,
            "score": self.scores,
            "alert": self.alerts,
        }
        return {name: column[is_shown] for name, column in columns.items()}

    def to_pandas(self, only_alerts: bool = False) -> Any:
        """The same columns as a pandas DataFrame."""
        return frame_of(self.columns(only_alerts), "pandas")

    def save(self, path: str | Path | DatabaseTable) -> None:
        """Write the columns to a .csv, .parquet or .xlsx file, or to a database table.
        Raises OutputError where that fails."""
        write_table(self.columns(), path)

    def document(self) -> dict[str, Any]:
        """The alerts as JSON values, and the scores of each series in time order."""
        alert_columns = self.columns(only_alerts=True)
        alerts = [
            {
                "series": series,
                "time": str(time),
                "value": value,
                "score": round(score, 6),
            }
            for series, time, value, score in zip(
                alert_columns["series"],
                alert_columns["time"],
                alert_columns["value"],
                alert_columns["score"],
                strict=True,
            )
        ]
        return {
            "rate": self.rate,
            "values": int(np.isfinite(self.scores).sum()),
            "alerts": alerts,
        }

    def __repr__(self) -> str:
        """The numbers of values and alerts."""
        return f"Anomalies({self})"

    def __str__(self) -> str:
        scored = int(np.isfinite(self.scores).sum())
        count = int(self.alerts.sum())
        return (
            f"{counted(count, 'alert')} in {scored:,} values, at most about "
            f"{self.rate * scored:,.1f} of them false"
        )


def anomalies(
    data: Any, model: LSTMForecaster | None = None, *, rate: float = 0.001
) -> Anomalies:
    """Score every value against a forecast from the values before it, and raise alerts.

    The results equal those of a `Stream(model, …, alerts=Alerts(rate))` that receives the same
    values one by one. Changes that future columns explain, such as a promotion, are not anomalies.

    Args:
        data: a Panel, or anything that `lstmcast.read` reads.
        model: a fitted or loaded forecaster. Defaults to the shipped network.
        rate: false alarms per value.

    Raises:
        UsageError: the rate is invalid, or the network reads several columns together.
        DataError: the data cannot be read.

    >>> import numpy as np
    >>> values = np.random.default_rng(2).normal(100, 1, 900)
    >>> values[800] = 120
    >>> found = anomalies({"machine": values})
    >>> found.to_pandas(only_alerts=True)["value"].tolist()
    [120.0]
    """
    alerts = Alerts(rate)
    purpose = "anomalies are scored for series that are forecast one by one"
    panel, fitted = panel_and_network(data, model, purpose)
    # What future columns explain is not an anomaly.
    read_panel = read_by(panel, fitted.network.head.affine).panel
    scores, alerted, _ = read_surprises(fitted.reader, read_panel, alerts)
    return Anomalies(panel, scores, alerted, rate)
