"""From a table to a panel."""

from __future__ import annotations

import numpy as np

from lstmcast.data.covariates.placing import Grid
from lstmcast.data.covariates.public_holidays import with_holidays
from lstmcast.data.covariates.static import of_series
from lstmcast.data.features import Covariates, listed
from lstmcast.data.findings import Finding, Findings
from lstmcast.data.kinds import common_kind
from lstmcast.data.observing import Remembered
from lstmcast.data.panel import Panel
from lstmcast.data.repairs import Regular, regularise, skipping
from lstmcast.data.table import DataReport, ReadOptions, Table, recipe_of
from lstmcast.data.tolerance import skipped_findings


def panel_from_table(
    table: Table,
    options: ReadOptions | None = None,
    remembered: Remembered | None = None,
) -> Panel:
    """Check a table, repair it by `options`, and place its series on regular grids.

    Findings are in the panel's report. remembered: the calendar of a saved model that the table
    continues. Raises one DataError with all errors.

    >>> times = np.array(["2024-01-01", "2024-03-01", "2024-04-01"], "datetime64[us]")
    >>> ids, values = np.array(["y"], object), np.array([3.0, 4.5, 5.0])
    >>> table = Table(np.zeros(3, int), ids, times, values, np.arange(2, 5))
    >>> panel = panel_from_table(table)
    >>> panel.values, panel.frequency.code
    (array([3. , nan, 4.5, 5. ]), 'MS')
    >>> print(panel.report.findings)
    warning: 1 of 4 times has no row: 2024-02-01 (after row 2). It becomes a missing value and is
    masked.
    """
    options = options or ReadOptions()
    regular, findings = regularise(table, options, remembered)
    if regular is None and options.on_error == "skip" and len(table.ids) > 1:
        table, options = skipping(table, options, remembered)
        regular, findings = regularise(table, options, remembered)
    if regular is None:
        findings.raise_errors(table.source)
        raise AssertionError("a table without errors gives regular series")
    return _panel(regular, findings, table, options)


def check_table(table: Table, options: ReadOptions | None = None) -> Findings:
    """All findings about a table and, if it can be used, about its panel.

    Never raises for bad data: errors are among the findings.
    """
    options = options or ReadOptions()
    regular, findings = regularise(table, options)
    if regular is None:
        return findings
    return _panel(regular, findings, table, options).check()


def _panel(
    regular: Regular, findings: Findings, table: Table, options: ReadOptions
) -> Panel:
    covariates, covariate_findings = _covariates(regular, table)
    all_findings = [*findings, *covariate_findings, *skipped_findings(table.skipped)]
    report = DataReport(
        table.source,
        len(table),
        Findings(all_findings),
        table.frame,
        table.time_zone,
        recipe_of(table, options),
        frame_zone=table.frame_zone,
        skipped=table.skipped,
    )
    recognised = regular.recognised if options.kind is None else None
    return Panel(
        values=regular.values,
        offsets=regular.offsets,
        ids=regular.ids.copy(),
        starts=regular.starts,
        frequency=regular.frequency,
        periods=options.periods or regular.frequency.seasonal_periods,
        kind=options.kind or common_kind(regular.recognised),
        columns=table.columns,
        report=report,
        keys=regular.keys,
        recognised=recognised,
        covariates=covariates,
        calendar=regular.calendar,
    )


def _covariates(regular: Regular, table: Table) -> tuple[Covariates, list[Finding]]:
    """The covariates, including holidays, with findings."""
    static, levels, static_findings = of_series(table.static, regular.ids)
    lengths = np.diff(regular.offsets)
    grid = Grid(regular.ids, regular.starts, lengths, regular.frequency)
    codes = table.recipe.holidays or ()
    future, holiday_findings = with_holidays(regular.future, codes, grid)
    covariates = Covariates(regular.past, future, static, levels)
    return covariates, [*static_findings, *holiday_findings, *_in_hindsight(table)]


def _in_hindsight(table: Table) -> list[Finding]:
    """A warning about columns that are read as future columns but were not known in advance."""
    names = table.recipe.hindsight
    if not names:
        return []
    verb = "is" if len(names) == 1 else "are"
    message = f"{listed(names)} {verb} known in hindsight only"
    measured = "Accuracy is measured as if coming values had been known"
    action = f"{measured}, so it will be lower in practice."
    return [Finding("hindsight", "warning", message, action)]
