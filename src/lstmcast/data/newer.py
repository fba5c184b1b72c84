"""Newer data for a saved model: read with what the model knows of its data, wherever nothing else is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstmcast.data.checks import table_offsets
from lstmcast.data.frequency import OFF_GRID, Frequency
from lstmcast.data.inference import infer
from lstmcast.data.panel import Columns, Panel, ReadOptions, Table, panel_from_table
from lstmcast.data.readers import read_table
from lstmcast.data.repairs import grid_positions, in_order, one_row_per_time
from lstmcast.data.roles import NoSuchColumnError
from lstmcast.errors import DataError, ModelError

_TELLING = 3  # times of one series that show a frequency; fewer are taken to have the saved one


def read_newer(
    source: object,
    known: Panel,
    options: ReadOptions | None = None,
    *,
    time: str | None = None,
    target: str | Sequence[str] | None = None,
    series: str | Sequence[str] | None = None,
    sheet: str | None = None,
) -> Panel:
    """Read what came after `known`; its columns, kind and periods count where no others are named.

    One row is enough. The frequency is that of `known` where the times are too few to show another. A Panel is taken
    as it is. Arguments and errors as for `lstmcast.read`, and ModelError for dates where numbers are known.

    >>> known = Panel.from_arrays([3.0, 4.0, 5.0], frequency="MS", start="2024-01")
    >>> read_newer({"ds": ["2024-04", "2024-05"], "y": [6.0, 7.0]}, known)
    Panel(1 series, 2 values, monthly (month starts), 2024-04-01 to 2024-05-01)
    """
    if isinstance(source, Panel):
        return source
    options = replace(options or ReadOptions(), fewest=1)
    saved = _named(known.columns)
    try:
        table = read_table(
            source,
            time=time or saved.get("time"),
            target=target or saved.get("target"),
            series=series or saved.get("series"),
            aggregate=options.aggregate,
            sheet=sheet,
        )
    except NoSuchColumnError as error:
        raise DataError(f"{error}\n{_expected(saved)}") from None
    return panel_from_table(table, _completed(options, table, known))


def _named(columns: Columns) -> dict[str, str]:
    """The names that the saved data had. The package's own stand for data that had none: those are left to be found."""
    own = Columns()
    names = {"time": columns.time, "target": columns.target, "series": columns.series}
    return {role: name for role, name in names.items() if name != getattr(own, role)}


def _expected(saved: dict[str, str]) -> str:
    columns = " and ".join(f"{name!r} for the {role}" for role, name in saved.items())
    options = ", ".join(f"--{role} NAME" for role in saved)
    return f"The saved model was made with {columns}. Rename the column, or name another ({options})."


def _completed(options: ReadOptions, table: Table, known: Panel) -> ReadOptions:
    """The options, with what is known in the place of what was not said."""
    frequency = options.frequency
    if frequency is None and (options.aggregate is not None or _may_be(known.frequency, table)):
        frequency = known.frequency.code
    kind, periods = options.kind or known.kind, options.periods or known.periods
    return replace(options, frequency=frequency, kind=kind, periods=periods)


def _may_be(frequency: Frequency, table: Table) -> bool:
    """Whether a frequency is the one of these times: they show no other, or none that leaves fewer gaps.

    Monday to Friday of one week look daily, and are business days just as well.
    """
    if (table.times.dtype.kind == "M") == (frequency.unit == "integer"):
        found, expected = ("numbers", "dates") if frequency.unit != "integer" else ("dates", "plain numbers")
        raise ModelError(
            f"The times of {table.source} are {found}, but the saved model was made with {expected} "
            f"({frequency.name}). Name the right column with --time NAME."
        )
    table = one_row_per_time(in_order(table), "first")
    offsets = table_offsets(table)
    if np.diff(offsets).max(initial=0) < _TELLING:
        return True
    shown = infer(table.times, offsets).frequency
    return shown is not None and _cells(table, frequency) <= _cells(table, shown)


def _cells(table: Table, frequency: Frequency) -> float:
    """Times of the grid that the series span, those without a row included; infinitely many where rows are off it."""
    positions = grid_positions(table, frequency)
    if np.any(positions == OFF_GRID):
        return np.inf
    return float((positions[table_offsets(table)[1:] - 1] + 1).sum())
