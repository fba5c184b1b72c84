"""Look at data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lstmcast.data.inspection import Inspection
from lstmcast.jobs.documents import as_document, described, kind_of, rows_of
from lstmcast.jobs.source import Source


@dataclass(frozen=True, eq=False)
class CheckJob:
    """What is in the data, and what is wrong."""

    source: Source

    def run(self) -> CheckResult:
        """Read and check. Raises DataError where no table can be found, UsageError."""
        return CheckResult(self.source.inspect())


@dataclass(frozen=True, eq=False)
class CheckResult:
    """A table, its panel where the data can be used as they are, and all findings."""

    inspection: Inspection

    def document(self) -> dict[str, Any]:
        """The JSON document of `lstmcast check --json`."""
        table, panel, findings = self.inspection
        unusable = {"source": table.source, "rows": len(table), "usable": panel is not None}
        data = described(panel) | kind_of(panel) if panel else unusable
        return as_document(data=data, findings=rows_of(findings))
