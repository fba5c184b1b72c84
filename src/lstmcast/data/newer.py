"""Newer data for a saved model: read with what the model knows of its data, wherever nothing
else is said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lstmcast.data.beside import Beside
from lstmcast.data.cellformat import CellFormat
from lstmcast.data.columns import NoSuchColumnError
from lstmcast.data.findings import Finding, advise
from lstmcast.data.frequency import OFF_GRID, Frequency
from lstmcast.data.frequency_inference import infer
from lstmcast.data.frequencychecks import table_offsets
from lstmcast.data.observing import Remembered
from lstmcast.data.opening import has_sheets
from lstmcast.data.panel import Columns, Panel, ReadOptions, Recipe, Table
from lstmcast.data.read import read_table
from lstmcast.data.repairs import grid_positions, one_row_per_time
from lstmcast.data.tablerows import in_order
from lstmcast.data.tabular import panel_from_table
from lstmcast.data.zones import converted, on_midnights
from lstmcast.errors import DataError, ModelError

_TELLING = 3  # times of one series that show a frequency; fewer are taken to have the saved one


def read_newer(
    source: object,
    known: Panel,
    options: ReadOptions | None = None,
    *,
    time: str | Sequence[str] | None = None,
    target: str | Sequence[str] | None = None,
    series: str | Sequence[str] | None = None,
    sheet: str | None = None,
    past: str | Sequence[str] | None = None,
    written: CellFormat | None = None,
    beside: Beside | None = None,
    said: Collection[str] = (),
) -> Panel:
    """Read what came after `known`, in the way in which that was read wherever nothing else is
    said.

    That is so for columns (those beside the target included), repairs and aggregation, kind and
    periods. One row is enough. The
    frequency is that of `known` where the times are too few to show another; times of another zone
    are converted to its zone. A Panel is taken as it is. Missing values stay missing even where
    they are to be interpolated: that is for whoever joins the two. `said`: names of options that
    count even where they are the usual ones. Other arguments and errors as for `lstmcast.read`, and
    ModelError for dates where numbers are known, and for another aggregation.

    >>> known = Panel.from_arrays([3.0, 4.0, 5.0], frequency="MS", start="2024-01")
    >>> read_newer({"ds": ["2024-04", "2024-05"], "y": [6.0, 7.0]}, known)
    Panel(1 series, 2 values, monthly (month starts), 2024-04-01 to 2024-05-01)
    """
    if isinstance(source, Panel):
        return source
    recipe = known.report.recipe or Recipe()
    options = _as_before(replace(options or ReadOptions(), fewest=1), recipe, said)
    saved = _named(known.columns, recipe)
    if known.covariates.past:
        saved["past"] = list(known.covariates.past)
    if sheet is None and recipe.sheet is not None and has_sheets(source):
        sheet = recipe.sheet
    try:
        table = read_table(
            source,
            time=time or saved.get("time"),
            target=target or saved.get("target"),
            series=series or saved.get("series"),
            aggregate=options.aggregate,
            sheet=sheet,
            past=past or saved.get("past"),
            written=_written_as_before(written or CellFormat(), recipe),
            on_error=options.on_error,
            beside=(beside or Beside()).as_before(recipe),
        )
    except NoSuchColumnError as error:
        raise DataError(f"{error}\n{_expected(saved)}") from None
    return _newer_panel(table, known, options)


def _newer_panel(table: Table, known: Panel, options: ReadOptions) -> Panel:
    """The panel of newer data, masked where values are missing."""
    table = _in_zone_of(known, table)
    options = _completed(options, table, known)
    remembered = None if known.calendar is None else Remembered(known.calendar, known.ids)
    panel = panel_from_table(table, options, remembered)
    if options.missing != "interpolate":
        return panel
    masked = panel_from_table(table, replace(options, missing="mask"), remembered)
    return replace(panel, values=masked.values)


def _written_as_before(written: CellFormat, recipe: Recipe) -> CellFormat:
    """How cells are written, with what was said of the saved data where nothing else is."""
    usual, names = CellFormat(), ("day_first", "decimal", "header", "date_format", "missing_codes")
    unsaid = [name for name in names if getattr(written, name) == getattr(usual, name)]
    return replace(written, **{name: getattr(recipe, name) for name in unsaid})


def _as_before(options: ReadOptions, recipe: Recipe, said: Collection[str]) -> ReadOptions:
    """The options, with those of the saved data where the usual was left; ModelError for another
    aggregation."""
    if options.aggregate not in (None, recipe.aggregate) and recipe.aggregate is not None:
        raise ModelError(
            f"The saved model was made with {advise('aggregate', recipe.aggregate)}: values made "
            f"by {options.aggregate} do not continue it. Leave the option out, or save a model of "
            "such values."
        )
    usual = ReadOptions()
    names = (
        ("aggregate", "gaps", "missing", "calendar")
        if recipe.aggregate
        else ("duplicates", "gaps", "missing", "calendar")
    )
    unsaid = [
        name
        for name in names
        if name not in said and getattr(options, name) == getattr(usual, name)
    ]
    if options.aggregate is not None and "duplicates" in unsaid:
        unsaid.remove("duplicates")  # the two exclude each other
    return replace(options, **{name: getattr(recipe, name) for name in unsaid})


def _named(columns: Columns, recipe: Recipe) -> dict[str, Any]:
    """The columns of the saved data: the names that they had, or what was said where several were
    read.

    The package's own names stand for data that had none: those are left to be found.
    """
    own = Columns()
    said = {"time": recipe.time, "target": recipe.target, "series": recipe.series}
    names = {role: getattr(columns, role) for role in said}
    names = {
        role: said[role]
        if name == getattr(own, role) or (role == "time" and isinstance(said[role], tuple))
        else name
        for role, name in names.items()
    }
    return {role: name for role, name in names.items() if name is not None}


def _expected(saved: dict[str, Any]) -> str:
    names = {role: [name] if isinstance(name, str) else name for role, name in saved.items()}
    places = {role: f"for the {role}" for role in names} | {"past": "beside the target"}
    columns = " and ".join(
        f"{', '.join(map(repr, each))} {places[role]}" for role, each in names.items()
    )
    options = ", ".join(f"--{role} NAME" for role in saved if role != "past")
    another = f", or name another ({options})" if options else ""
    return f"The saved model was made with {columns}. Rename the column{another}."


def _in_zone_of(known: Panel, table: Table) -> Table:
    """The table with its times in the zone of the saved ones, or with a warning where one of the
    two names none."""
    ours, theirs = known.report.time_zone, table.time_zone
    if ours == theirs or table.times.dtype.kind != "M":
        return table
    if ours is None or theirs is None:
        whose, others = (
            ("saved model's", "data's") if theirs is None else ("data's", "saved model's")
        )
        message = (
            f"the {whose} times carry the time zone {ours or theirs}, and of the {others} none is "
            "known"
        )
        told = Finding(
            "time zone", "warning", message, "Both are taken for clock times of one zone."
        )
        return replace(table, dropped=(*table.dropped, told))
    if on_midnights(known.starts, known.frequency) and on_midnights(table.times, known.frequency):
        return replace(table, time_zone=ours)
    times = converted(table.times, theirs, ours)
    if times is None:
        raise ModelError(
            f"The times of {table.source} are those of {theirs}, the saved model's those of "
            f"{ours}, and one of the two is not known here. Install the package tzdata, or convert "
            "the times before reading them."
        )
    told = Finding(
        "time zone",
        "note",
        f"the times came in the time zone {theirs}",
        f"They are converted to {ours}.",
    )
    return replace(table, times=times, time_zone=ours, dropped=(*table.dropped, told))


def _completed(options: ReadOptions, table: Table, known: Panel) -> ReadOptions:
    """The options, with what is known in the place of what was not said."""
    frequency = options.frequency
    if frequency is None and (options.aggregate is not None or _may_be(known.frequency, table)):
        frequency = known.frequency.code
    # What was recognised holds too, but newer values may take it back: whoever joins the two
    # decides.
    kind = options.kind or (known.kind if known.recognised is None else None)
    periods = options.periods or known.periods
    return replace(options, frequency=frequency, kind=kind, periods=periods)


def _may_be(frequency: Frequency, table: Table) -> bool:
    """Whether a frequency is the one of these times: they show no other, or none that leaves fewer
    gaps.

    Monday to Friday of one week look daily, and are business days just as well.
    """
    if (table.times.dtype.kind == "M") == (frequency.unit == "integer"):
        found, expected = (
            ("numbers", "dates") if frequency.unit != "integer" else ("dates", "plain numbers")
        )
        raise ModelError(
            f"The times of {table.source} are {found}, but the saved model was made with "
            f"{expected} ({frequency.name}). Name the right column with --time NAME."
        )
    table = one_row_per_time(in_order(table), "first")
    offsets = table_offsets(table)
    if np.diff(offsets).max(initial=0) < _TELLING:
        return True
    shown = infer(table.times, offsets).frequency
    return shown is not None and _cells(table, frequency) <= _cells(table, shown)


def _cells(table: Table, frequency: Frequency) -> float:
    """Times of the grid that the series span, those without a row included; infinitely many
    where rows are off it."""
    positions = grid_positions(table, frequency)
    if np.any(positions == OFF_GRID):
        return np.inf
    return float((positions[table_offsets(table)[1:] - 1] + 1).sum())
