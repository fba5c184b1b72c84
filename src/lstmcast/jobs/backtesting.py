"""Measure accuracy at earlier cutoffs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.jobs.documents import tested_document
from lstmcast.jobs.events import DataRead, ignore
from lstmcast.jobs.repairing import Repairs, require_no_totals
from lstmcast.jobs.source import Source, source_with_totals
from lstmcast.output.places import TABLES, Place, Written, check_place
from lstmcast.writing.tables import write_table

if TYPE_CHECKING:
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.evaluation.plan import Forecasts, Refit
    from lstmcast.hierarchy.reconciled import Hierarchy
    from lstmcast.jobs.events import Notify

    Baselines = bool | Literal["classical"] | Sequence[Forecasts]


@dataclass(frozen=True, eq=False)
class BacktestJob:
    """Measure accuracy at earlier cutoffs.

    `table`: where the held-out forecasts are written. The other arguments are those of
    `lstmcast.backtest`; `fit_options` are for models that are trained.
    """

    model: Any
    source: Source
    cutoffs: int = 5
    baselines: Baselines = True
    refit: Refit | None = None
    fit_options: dict[str, Any] | None = None
    workers: int | None = None
    folder: str | Path | None = None
    table: Place = None
    hierarchy: Hierarchy | None = None  # totals that are forecast too
    repairs: Repairs = field(default_factory=Repairs)

    def __post_init__(self) -> None:
        require_no_totals(self.repairs, self.hierarchy)
        if self.repairs.outliers == "repair" or self.repairs.missing:
            setting = (
                "outliers='repair'" if not self.repairs.missing else "missing='model'"
            )
            raise UsageError(
                f"{setting}: repairs use later values, which a backtest must not know. Keep "
                "missing values, and use --outliers mask."
            )

    @property
    def trains(self) -> bool:
        """Whether the backtest trains the model, which takes a while."""
        return getattr(self.model, "needs_fit", False) or self.refit in ("once", "each")

    def run(self, notify: Notify = ignore) -> BacktestResult:
        """Run the job. Raises LstmcastError; if nothing can be held out, the result says why."""
        from lstmcast.evaluation.backtest import backtest

        check_place(self.table, TABLES, self.source.paths)
        model = self.model
        source = self.source
        if self.hierarchy is not None:
            source = source_with_totals(source, self.hierarchy, model, notify)
            model = self.hierarchy.model(model)
        panel = self.repairs.announced(source.of(model).read())
        notify(DataRead(panel))
        of_training: dict[str, Any] = {}
        if self.trains:
            of_training = {"fit_options": self.fit_options, "progress": notify}
        tested = backtest(
            model,
            self.repairs.masked(panel, notify),
            truth=panel,
            cutoffs=self.cutoffs,
            baselines=self.baselines,
            refit=self.refit,
            workers=self.workers,
            folder=self.folder,
            **of_training,
        )
        return BacktestResult(panel, tested, self._written(tested))

    def _written(self, tested: Backtest) -> Written:
        if self.table is None:
            return Written()
        if tested.reason:
            return Written(notes=(f"nothing written: {tested.reason}",))
        write_table(tested.held_out(), self.table)
        return Written((str(self.table),))


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """The accuracy of forecasts at past cutoffs."""

    panel: Panel
    backtest: Backtest
    written: Written

    def document(self, held_out: bool = False) -> dict[str, Any]:
        """The JSON document of `lstmcast backtest --json`; held-out forecasts on request."""
        return tested_document(self.panel, self.backtest, held_out)
