"""Inspect a source, whether or not its data can be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Unpack

from lstmcast.data.cells.cellformat import CellFormat
from lstmcast.data.covariates.beside import Beside
from lstmcast.data.panel import Findings, Panel, ReadOptions, Table
from lstmcast.data.read import read_table
from lstmcast.data.tabular import check_table, panel_from_table
from lstmcast.data.words import Words, columns_said, options_said
from lstmcast.errors import DataError, UsageError
from lstmcast.util.text import brief


class Inspection(NamedTuple):
    """The table of a source, its panel (None if there are errors), and all findings."""

    table: Table
    panel: Panel | None
    findings: Findings


def check(
    source: object, options: ReadOptions | None = None, **words: Unpack[Words]
) -> Findings:
    """Check a source, and return all findings, errors included.

    words: the arguments of `read`; `options` may hold those on repairs. Each finding says where the
        problem is and what is done or advised. Raises DataError only for a source without a table
        of times and values, and UsageError for invalid arguments.

    >>> months = ["2024-01", "2024-02", "2024-02", "2024-03"]
    >>> for finding in check({"ds": months, "y": [5.5, 6.0, 6.5, 7.0]}):
    ...     print(finding.severity, finding.rule)
    error duplicate times
    """
    read_options = options_said(words)
    if options is not None and read_options != ReadOptions():
        raise UsageError(
            "options= is given together with arguments that it holds. Leave out one of them."
        )
    options_used = read_options if options is None else options
    return inspect(source, options_used, **columns_said(words)).findings


def inspect(
    source: object,
    options: ReadOptions,
    *,
    time: str | Sequence[str] | None = None,
    target: str | Sequence[str] | None = None,
    series: str | Sequence[str] | None = None,
    sheet: str | None = None,
    past: str | Sequence[str] | None = None,
    written: CellFormat | None = None,
    beside: Beside | None = None,
) -> Inspection:
    """Read a source, and return the table, the panel and the findings.

    Arguments and errors as for `check`.
    """
    if not isinstance(options, ReadOptions):
        raise UsageError(
            f"options={brief(options)} is not a ReadOptions object. Give one, such as "
            'ReadOptions(gaps="error").'
        )
    table = read_table(
        source,
        time=time,
        target=target,
        series=series,
        aggregate=options.aggregate,
        sheet=sheet,
        past=past,
        written=written,
        on_error=options.on_error,
        beside=beside,
    )
    try:
        panel = panel_from_table(table, options)
    except DataError:  # its message holds the errors as text: collect them one by one
        return Inspection(table, None, check_table(table, options))
    return Inspection(table, panel, panel.check())
