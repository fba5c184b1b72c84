"""Forecast data in one call."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmcast.data.findings import Finding
from lstmcast.data.panel import Panel
from lstmcast.data.table import file_label
from lstmcast.errors import UsageError
from lstmcast.jobs.answers import (
    ended_at,
    require_coming,
    require_numbers,
    require_totals,
    tell_of_stuck,
    totals_of,
    without_forecast,
)
from lstmcast.jobs.documents import made_of, parsed, tested_document
from lstmcast.jobs.events import DataRead, Note, ignore
from lstmcast.jobs.repairing import Repairs, require_no_totals
from lstmcast.jobs.source import Source, source_with_totals
from lstmcast.output.places import Outputs, Written
from lstmcast.totals import COUNTED_TWICE

if TYPE_CHECKING:
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.forecast import Forecast
    from lstmcast.hierarchy.reconciled import Hierarchy
    from lstmcast.jobs.backtesting import Baselines
    from lstmcast.jobs.events import Notify
    from lstmcast.scenarios import Scenarios
    from lstmcast.totals import Asked, Totals

AS_GIVEN = "as given"  # the scenario with the coming values in the data


@dataclass(frozen=True, eq=False)
class ForecastJob:
    """Read, check, measure accuracy at held-out cutoffs, forecast and write.

    `cutoffs` and `baselines` are those of `lstmcast.backtest`; with 0 cutoffs, accuracy is not
    measured.

    >>> from lstmcast.evaluation.baselines import SeasonalNaive
    >>> panel = Panel.from_arrays([1.0, 5.0, 9.0] * 8, periods=(3,))
    >>> result = ForecastJob(SeasonalNaive(2), Source(panel)).run()
    >>> result.forecast.point, result.backtest.scores["seasonal naive"]["mae"]
    (array([[1., 5.]]), 0.0)
    """

    model: Any  # an `evaluation.refitting.Forecasts` with a `horizon`
    source: Source
    cutoffs: int = 5
    baselines: Baselines = True
    outputs: Outputs = field(default_factory=Outputs)
    totals: Asked | None = None
    until: str | None = None  # a date after which no step is wanted
    scenarios: tuple[str | Path, ...] = ()  # tables of coming values to compare
    hierarchy: Hierarchy | None = None  # totals that are forecast too
    repairs: Repairs = field(default_factory=Repairs)

    def __post_init__(self) -> None:
        require_no_totals(self.repairs, self.hierarchy)

    def run(self, notify: Notify = ignore) -> ForecastResult:
        """Run the job. Raises LstmcastError, such as DataError if no series could be forecast."""
        if self.hierarchy is not None:
            return self._with_totals(self.hierarchy, notify)
        paths = [*self.source.paths, *map(str, self.scenarios)]
        extras = ["totals"] * (self.totals is not None) + ["scenarios"] * bool(
            self.scenarios
        )
        self.outputs.check(paths, extras)
        panels = self._panels(notify)
        original = next(iter(panels.values()))
        # Repairs depend on later values, which must be unknown at held-out cutoffs.
        masked = self.repairs.masked(original, notify)
        repaired = self.repairs.filled(original, masked, notify)
        panels = {
            name: _with_values(scenario_panel, repaired)
            for name, scenario_panel in panels.items()
        }
        panel = next(iter(panels.values()))
        require_totals(self.totals, panel, self.model.horizon)
        for scenario_panel in panels.values():
            require_coming(self.model, scenario_panel)
        self.outputs.looks.require(set(map(str, panel.ids)))
        self.outputs.check_rows(len(panel) * self.model.horizon)
        tested = self._tested(masked, original)
        scenarios = self._compared(panels)
        first = None if scenarios is None else next(iter(scenarios.forecasts.values()))
        all_steps = self.model.predict(panel) if first is None else first
        tell_of_stuck(panel, self.model, notify)
        forecast = ended_at(self.until, all_steps, panel)
        require_numbers(forecast, panel)
        totals = totals_of(self.totals, forecast)
        files = self.outputs.write(
            forecast, panel, tested, self.model, totals, scenarios
        )
        return ForecastResult(panel, forecast, tested, files, totals, scenarios)

    def _with_totals(self, hierarchy: Hierarchy, notify: Notify) -> ForecastResult:
        """The same for the series and their totals, made to add up."""
        if self.outputs.model is not None:
            raise UsageError(
                "--save stores a forecaster for single series, which cannot reconcile. Leave out "
                "--save or --reconcile."
            )
        if self.totals is not None and self.totals.by:
            raise UsageError(COUNTED_TWICE)
        self.outputs.check(self.source.paths)
        source = source_with_totals(self.source, hierarchy, self.model, notify)
        model = hierarchy.model(self.model)
        outcome = replace(self, model=model, source=source, hierarchy=None).run(notify)
        count = _unmeasured(outcome.forecast) if model.method == "mint" else 0
        if count:
            reason = (
                "too few known errors, for which the median of their level is assumed"
            )
            notify(Note(f"{count} series with {reason}"))
        return outcome

    def _panels(self, notify: Notify) -> dict[str, Panel]:
        """The data by scenario, if there are several; the first one is forecast."""
        if not self.scenarios:
            panel = self._read(self.source)
            notify(DataRead(panel))
            return {"": panel}
        panels = {} if len(self.scenarios) > 1 else {AS_GIVEN: self._read(self.source)}
        for path in self.scenarios:
            name = file_label(Path(path).name)
            if name in panels:
                raise UsageError(
                    f"two scenarios are named {name!r} after their files. Give files with "
                    "different names."
                )
            coming = replace(self.source.beside, future_data=path)
            panels[name] = self._read(replace(self.source, beside=coming))
        first, *alternatives = panels.values()
        notify(DataRead(first))
        for finding in _only_in(alternatives, first):
            notify(Note(finding.text))
        return panels

    def _read(self, source: Source) -> Panel:
        return self.repairs.announced(source.of(self.model).read())

    def _compared(self, panels: dict[str, Panel]) -> Scenarios | None:
        if len(panels) < 2:
            return None
        from lstmcast.scenarios import compare_scenarios

        return compare_scenarios(self.model, panels)

    def _tested(self, panel: Panel, truth: Panel) -> Backtest | None:
        if self.cutoffs == 0:
            return None
        from lstmcast.evaluation.backtest import backtest

        return backtest(
            self.model,
            panel,
            cutoffs=self.cutoffs,
            baselines=self.baselines,
            truth=truth,
        )


def _only_in(alternatives: list[Panel], first: Panel) -> list[Finding]:
    """Warnings about scenarios that do not concern the first one."""
    known_findings = set(first.report.findings)
    warnings = []
    for panel in alternatives:
        for finding in panel.report.findings:
            if finding.severity == "warning" and finding not in known_findings:
                known_findings.add(finding)
                warnings.append(finding)
    return warnings


def _unmeasured(forecast: Forecast) -> int:
    """The number of series with too few known errors for a measurement."""
    from lstmcast.hierarchy.joint import Joint

    joint = forecast.joint
    return joint.covariance.unmeasured if isinstance(joint, Joint) else 0


def _with_values(panel: Panel, repaired: Panel) -> Panel:
    """A repaired panel with the coming values of another scenario."""
    return (
        panel
        if repaired.values is panel.values
        else replace(panel, values=repaired.values)
    )


@dataclass(frozen=True, eq=False)
class ForecastResult:
    """A forecast with the data that it continues; `backtest` is None if nothing was measured."""

    panel: Panel
    forecast: Forecast
    backtest: Backtest | None
    written: Written
    totals: Totals | None = None
    scenarios: Scenarios | None = None

    def document(self, held_out: bool = False) -> dict[str, Any]:
        """The JSON document of `lstmcast forecast --json`; held-out forecasts on request."""
        return tested_document(
            self.panel,
            self.backtest,
            held_out,
            forecast=parsed(self.forecast),
            totals=parsed(self.totals),
            scenarios=parsed(self.scenarios),
            method=self.forecast.method,
            combination=made_of(self.forecast),
            without_forecast=without_forecast(self.forecast),
            files=list(self.written.files),
        )
