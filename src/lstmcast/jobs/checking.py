"""Check data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lstmcast.data.inspection import Inspection
from lstmcast.jobs.documents import as_document, described, kind_of, rows_of
from lstmcast.jobs.source import Source

if TYPE_CHECKING:
    from lstmcast.alerting import Anomalies


@dataclass(frozen=True, eq=False)
class CheckJob:
    """Report what is in the data, and what is wrong with them.

    `anomalies`: whether values are also compared with their forecasts, if the data can be used as
    they are.
    """

    source: Source
    anomalies: bool = False

    def run(self) -> CheckResult:
        """Read and check. Raises UsageError, and DataError if no table can be found."""
        inspection = self.source.inspect()
        if not self.anomalies or inspection.panel is None:
            return CheckResult(inspection)
        from lstmcast.alerting import anomalies

        return CheckResult(inspection, anomalies(inspection.panel))


@dataclass(frozen=True, eq=False)
class CheckResult:
    """A table, its panel if the data can be used as they are, all findings, and surprising values
    if they were searched for."""

    inspection: Inspection
    anomalies: Anomalies | None = None

    def document(self) -> dict[str, Any]:
        """The JSON document of `lstmcast check --json`."""
        table, panel, findings = self.inspection
        unusable = {
            "source": table.source,
            "rows": len(table),
            "usable": panel is not None,
        }
        data = described(panel) | kind_of(panel) if panel else unusable
        surprising = (
            {} if self.anomalies is None else {"anomalies": self.anomalies.document()}
        )
        return as_document(data=data, findings=rows_of(findings), **surprising)
