"""Find anomalies, values that differ from their forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmcast.jobs.documents import as_document, described
from lstmcast.jobs.events import ignore
from lstmcast.jobs.source import Source, read_for
from lstmcast.output.places import TABLES, Place, Written, check_place

if TYPE_CHECKING:
    from lstmcast.alerting import Anomalies
    from lstmcast.jobs.events import Notify


@dataclass(frozen=True, eq=False)
class AnomalyJob:
    """Score each value by how surprising it was.

    `model`: a saved model, by default the shipped network; `table`: where scores are written.
    """

    source: Source
    model: Path | None = None
    rate: float = 0.001
    table: Place = None

    def run(self, notify: Notify = ignore) -> AnomalyResult:
        """Run the job. Raises LstmcastError."""
        from lstmcast.alerting import anomalies
        from lstmcast.evaluation.anomalies import Alerts
        from lstmcast.forecaster import LSTMForecaster
        from lstmcast.loading import load

        Alerts(self.rate)  # check the rate before anything is read
        check_place(self.table, TABLES, self.source.paths)
        model = LSTMForecaster(horizon=1) if self.model is None else load(self.model)
        scored = anomalies(read_for(self.source, model, notify), model, rate=self.rate)
        if self.table is None:
            return AnomalyResult(scored, Written())
        scored.save(self.table)
        return AnomalyResult(scored, Written((str(self.table),)))


@dataclass(frozen=True, eq=False)
class AnomalyResult:
    """The scores of all values."""

    anomalies: Anomalies
    written: Written

    def document(self) -> dict[str, Any]:
        """The JSON document of `lstmcast anomalies --json`."""
        return as_document(
            data=described(self.anomalies.panel),
            anomalies=self.anomalies.document(),
            written=list(self.written.files),
        )
