"""What is in a source and what is wrong with it, without needing it to be right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lstmcast.data.panel import Findings, Panel, ReadOptions, Table, check_table, panel_from_table
from lstmcast.data.read import read_table
from lstmcast.errors import DataError, UsageError


class Inspection(NamedTuple):
    """A table as read, the panel that it gives (None where errors are in the way), and all
    findings."""

    table: Table
    panel: Panel | None
    findings: Findings


def check(
    source: object,
    options: ReadOptions | None = None,
    *,
    time: str | None = None,
    target: str | Sequence[str] | None = None,
    series: str | Sequence[str] | None = None,
    sheet: str | None = None,
    past: str | Sequence[str] | None = None,
) -> Findings:
    """All that is noticed about a source, errors included: where, what, and what is done about it
    or what to do.

    time, target, series, sheet and past are those of `read`; `options` are its other arguments.
    Raises DataError only for a source in which no table of times and values can be found, and
    UsageError for senseless arguments.

    >>> months = ["2024-01", "2024-02", "2024-02", "2024-03"]
    >>> for finding in check({"ds": months, "y": [5.5, 6.0, 6.5, 7.0]}):
    ...     print(finding.severity, finding.rule)
    error duplicate times
    """
    options = ReadOptions() if options is None else options
    return inspect(
        source, options, time=time, target=target, series=series, sheet=sheet, past=past
    ).findings


def inspect(
    source: object,
    options: ReadOptions,
    *,
    time: str | None = None,
    target: str | Sequence[str] | None = None,
    series: str | Sequence[str] | None = None,
    sheet: str | None = None,
    past: str | Sequence[str] | None = None,
) -> Inspection:
    """Read a source and keep all three: the table, the panel and the findings. Arguments and
    errors as for `check`."""
    if not isinstance(options, ReadOptions):
        raise UsageError(
            f'{options=} are no ReadOptions. Give some, such as ReadOptions(gaps="error").'
        )
    table = read_table(
        source,
        time=time,
        target=target,
        series=series,
        aggregate=options.aggregate,
        sheet=sheet,
        past=past,
        on_error=options.on_error,
    )
    try:
        panel = panel_from_table(table, options)
    except DataError:  # its message holds the errors as text: ask again for them one by one
        return Inspection(table, None, check_table(table, options))
    return Inspection(table, panel, panel.check())
