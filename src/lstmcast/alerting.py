"""Which values of known data were anomalies, as a stream would have said at the time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.covariates.effects import read_by
from lstmcast.data.panel import Panel
from lstmcast.data.read import read
from lstmcast.databases.address import DatabaseTable
from lstmcast.errors import UsageError
from lstmcast.evaluation.anomalies import Alerts
from lstmcast.forecaster import LSTMForecaster
from lstmcast.streaming.scoring import read_surprises
from lstmcast.writing.tables import frame_of, write_table


@dataclass(frozen=True, eq=False)
class Anomalies:
    """Scores and alerts of the values of a panel, in its order.

    scores: from 0 to 1; 1 − score is the share of earlier errors of the series that were as large.
    NaN where a value is unknown or nothing was forecast of it. alerts: which values are worth one.
    """

    panel: Panel
    scores: NDArray
    alerts: NDArray
    rate: float

    def columns(self, only_alerts: bool = False) -> dict[str, NDArray]:
        """Series, time, value, score and alert as columns, of all values or of alerts alone."""
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
        """The same as a pandas frame."""
        return frame_of(self.columns(only_alerts), "pandas")

    def save(self, path: str | Path | DatabaseTable) -> None:
        """Write all of it as .csv, .parquet or .xlsx, or into a table of a database.
        OutputError."""
        write_table(self.columns(), path)

    def document(self) -> dict[str, Any]:
        """The alerts for JSON, and the scores in the order of the values of each series."""
        alert_columns = self.columns(only_alerts=True)
        alerts = [
            {"series": series, "time": str(time), "value": value, "score": round(score, 6)}
            for series, time, value, score in zip(
                alert_columns["series"],
                alert_columns["time"],
                alert_columns["value"],
                alert_columns["score"],
                strict=True,
            )
        ]
        return {"rate": self.rate, "values": int(np.isfinite(self.scores).sum()), "alerts": alerts}

    def __str__(self) -> str:
        scored = int(np.isfinite(self.scores).sum())
        count = int(self.alerts.sum())
        return (
            f"{count:,} alert{'s' * (count != 1)} in {scored:,} values, at most about "
            f"{self.rate * scored:,.1f} of them false"
        )


def anomalies(data: Any, model: LSTMForecaster | None = None, *, rate: float = 0.001) -> Anomalies:
    """Scores and alerts of all values, each made of what was known before it, in one pass.

    What a `Stream(model, …, alerts=Alerts(rate))` says of the same values, one by one. What columns
    that are known in advance explain, such as a promotion, is no surprise.

    Args:
        data: a Panel, or anything that `lstmcast.read` reads.
        model: a fitted or loaded forecaster; the shipped network unless given.
        rate: of false alarms, per value.

    Raises:
        UsageError: for a rate that is none, or a network that reads several columns together.
        DataError: for data that cannot be read.

    >>> import numpy as np
    >>> values = np.random.default_rng(2).normal(100, 1, 900)
    >>> values[800] = 120
    >>> found = anomalies({"machine": values})
    >>> found.to_pandas(only_alerts=True)["value"].tolist()
    [120.0]
    """
    alerts = Alerts(rate)
    panel = data if isinstance(data, Panel) else read(data)
    fitted = (model or LSTMForecaster(horizon=1)).model
    columns = fitted.network.config.inputs.columns
    if columns > 1:
        raise UsageError(
            f"The network reads {columns} columns together, and anomalies are those of series that "
            "are forecast one by one. Use a network of one column."
        )
    panel.covariates.require(fitted.network.config.inputs.past, panel.report.source)
    # What known columns explain is no surprise.
    read_panel = read_by(panel, fitted.network.head.affine).panel
    scores, alerted, _ = read_surprises(fitted.reader, read_panel, alerts)
    return Anomalies(panel, scores, alerted, rate)
