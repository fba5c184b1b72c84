"""Reading newer data for a saved model with the options of its data as defaults."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from lstmcast.advice import advise
from lstmcast.data.cells.cellformat import CellFormat
from lstmcast.data.cells.columns import NoSuchColumnError
from lstmcast.data.covariates.beside import Beside, ColumnNames
from lstmcast.data.findings import Finding
from lstmcast.data.frequencychecks import table_offsets
from lstmcast.data.observing import Remembered
from lstmcast.data.opening import has_sheets
from lstmcast.data.panel import Columns, Panel, ReadOptions, Recipe, Table
from lstmcast.data.read import read_table
from lstmcast.data.repairs import grid_positions, one_row_per_time
from lstmcast.data.tablerows import in_order
from lstmcast.data.tabular import panel_from_table
from lstmcast.data.times.frequency import OFF_GRID, Frequency
from lstmcast.data.times.frequency_inference import infer
from lstmcast.data.times.zones import converted, on_midnights
from lstmcast.errors import DataError, ModelError

_TELLING = 3  # smallest number of times to infer a frequency; fewer have the saved one
_CELL_OPTIONS = ("day_first", "decimal", "header", "date_format", "missing_codes")


def read_newer(
    source: object,
    saved_panel: Panel,
    options: ReadOptions | None = None,
    *,
    time: ColumnNames = None,
    target: ColumnNames = None,
    series: ColumnNames = None,
    sheet: str | None = None,
    past: ColumnNames = None,
    written: CellFormat | None = None,
    beside: Beside | None = None,
    said: Collection[str] = (),
) -> Panel:
    """Read data that continue `saved_panel`, as that was read unless options say otherwise.

    This applies to columns (including covariates), repairs, aggregation, kind and periods. One row
    is enough. The frequency is that of `saved_panel` unless there are enough times to infer
    another; times are converted to its time zone. A Panel is returned unchanged. Missing values
    stay missing even if they are to be interpolated, which happens when both are joined. `said`:
    names of options that were given explicitly. Other arguments and errors as in `lstmcast.read`;
    also ModelError for dates instead of numbers, or another aggregation.

    >>> saved = Panel.from_arrays([3.0, 4.0, 5.0], frequency="MS", start="2024-01")
    >>> read_newer({"ds": ["2024-04", "2024-05"], "y": [6.0, 7.0]}, saved)
    Panel(1 series, 2 values, monthly (month starts), 2024-04-01 to 2024-05-01)
    """
    if isinstance(source, Panel):
        return source
    recipe = saved_panel.report.recipe or Recipe()
    options = _as_before(options or ReadOptions(), recipe, said)
    saved = _named(saved_panel, recipe)
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
        raise DataError(_with_expected(error, saved, saved_panel)) from None
    return _newer_panel(table, saved_panel, options)


def _newer_panel(table: Table, saved_panel: Panel, options: ReadOptions) -> Panel:
    """The panel of newer data, with missing values masked."""
    table = _in_zone_of(saved_panel, table)
    options = _completed(options, table, saved_panel)
    remembered = (
        None
        if saved_panel.calendar is None
        else Remembered(saved_panel.calendar, saved_panel.ids)
    )
    panel = panel_from_table(table, options, remembered)
    if options.missing != "interpolate":
        return panel
    masked = panel_from_table(table, replace(options, missing="mask"), remembered)
    return replace(panel, values=masked.values)


def _written_as_before(cell_format: CellFormat, recipe: Recipe) -> CellFormat:
    """How cells are written: as in the saved data, where nothing else is asked for."""
    return _filled_in(cell_format, CellFormat(), recipe, _CELL_OPTIONS)


def _filled_in(
    options: Any, defaults: Any, recipe: Recipe, names: Collection[str]
) -> Any:
    """The options, with those of the saved data where the default was left."""
    left_out = [
        name for name in names if getattr(options, name) == getattr(defaults, name)
    ]
    return replace(options, **{name: getattr(recipe, name) for name in left_out})


def _as_before(
    options: ReadOptions, recipe: Recipe, explicit: Collection[str]
) -> ReadOptions:
    """The options, with those of the saved data where the default was left, for rows of which one
    is enough; ModelError for another aggregation."""
    if (
        options.aggregate not in (None, recipe.aggregate)
        and recipe.aggregate is not None
    ):
        raise ModelError(
            f"The saved model was made with {advise('aggregate', recipe.aggregate)}: values "
            f"aggregated by {options.aggregate} do not continue it. Leave out the option, or save "
            "a model of such values."
        )
    names = ["gaps", "missing", "calendar"]
    if recipe.aggregate:
        names.append("aggregate")
    elif options.aggregate is None:  # the two exclude each other
        names.append("duplicates")
    names = [name for name in names if name not in explicit]
    options = replace(options, fewest=1)
    return _filled_in(options, ReadOptions(), recipe, names)


def _named(saved_panel: Panel, recipe: Recipe) -> dict[str, Any]:
    """The columns of the saved data: the names that they had, or what was asked for where several
    were read.

    The package's own names stand for data that had none: those are left to be found.
    """
    defaults = Columns()
    choices = {"time": recipe.time, "target": recipe.target, "series": recipe.series}
    names: dict[str, Any] = {}
    for role, choice in choices.items():
        name = getattr(saved_panel.columns, role)
        is_joined = role == "time" and isinstance(choice, tuple)
        if name == getattr(defaults, role) or is_joined:
            name = choice
        if name is not None:
            names[role] = name
    if saved_panel.covariates.past:
        names["past"] = list(saved_panel.covariates.past)
    return names


def _expected(saved: dict[str, Any]) -> str:
    phrases = []
    for role, names in saved.items():
        place = "beside the target" if role == "past" else f"for the {role}"
        name_list = [names] if isinstance(names, str) else names
        phrases.append(f"{', '.join(map(repr, name_list))} {place}")
    options = ", ".join(f"--{role} NAME" for role in saved if role != "past")
    another = f", or name another ({options})" if options else ""
    columns = " and ".join(phrases)
    return f"The saved model was made with {columns}. Rename the column{another}."


def _with_expected(
    error: NoSuchColumnError, saved: dict[str, Any], saved_panel: Panel
) -> str:
    """The message about a missing column with those that are expected, and where else columns that
    are known in advance may be, if it is one of them."""
    message = f"{error.message}\n{_expected(saved)}"
    missing = error.message.partition("\n")[0]
    if any(repr(name) in missing for name in saved_panel.covariates.future.columns):
        message += (
            " What is known in advance may have a table of its own: --future-data FILE."
        )
    return message


def _in_zone_of(saved_panel: Panel, table: Table) -> Table:
    """The table with its times in the zone of the saved ones, or with a warning where one of the
    two names none."""
    saved_zone = saved_panel.report.time_zone
    new_zone = table.time_zone
    if saved_zone == new_zone or table.times.dtype.kind != "M":
        return table
    if saved_zone is None or new_zone is None:
        return _with_note(table, _one_zone_unknown(saved_zone, new_zone))
    frequency = saved_panel.frequency
    if on_midnights(saved_panel.starts, frequency) and on_midnights(
        table.times, frequency
    ):
        return replace(table, time_zone=saved_zone)
    times = converted(table.times, new_zone, saved_zone)
    if times is None:
        raise ModelError(
            f"The times of {table.source} are in {new_zone} and those of the saved model in "
            f"{saved_zone}, but one of these time zones is unknown here. Install the package "
            "tzdata, or convert the times before reading them."
        )
    message = f"the times came in the time zone {new_zone}"
    action = f"They are converted to {saved_zone}."
    table = replace(table, times=times, time_zone=saved_zone)
    return _with_note(table, Finding("time zone", "note", message, action))


def _one_zone_unknown(saved_zone: str | None, new_zone: str | None) -> Finding:
    with_zone, without_zone = "data's", "saved model's"
    if new_zone is None:
        with_zone, without_zone = without_zone, with_zone
    message = (
        f"the {with_zone} times have the time zone {saved_zone or new_zone}, but the "
        f"{without_zone} times have none"
    )
    action = "Both are treated as local times of one time zone."
    return Finding("time zone", "warning", message, action)


def _with_note(table: Table, note: Finding) -> Table:
    return replace(table, dropped=(*table.dropped, note))


def _completed(options: ReadOptions, table: Table, saved_panel: Panel) -> ReadOptions:
    """The options, completed with what the saved model knows."""
    frequency = options.frequency
    if frequency is None and (
        options.aggregate is not None or _may_be(saved_panel.frequency, table)
    ):
        frequency = saved_panel.frequency.code
    kind = options.kind
    # Recognised kinds hold too, but newer values may revoke them when both are joined.
    if not kind and saved_panel.recognised is None:
        kind = saved_panel.kind
    periods = options.periods or saved_panel.periods
    return replace(options, frequency=frequency, kind=kind, periods=periods)


def _may_be(frequency: Frequency, table: Table) -> bool:
    """Whether a frequency is the one of these times: they show no other, or none that leaves fewer
    gaps.

    Monday to Friday of one week look daily, and are business days just as well.
    """
    counts_integers = frequency.unit == "integer"
    has_dates = table.times.dtype.kind == "M"
    if has_dates == counts_integers:
        actual, expected = (
            ("dates", "plain numbers") if has_dates else ("numbers", "dates")
        )
        raise ModelError(
            f"The times of {table.source} are {actual}, but the saved model was made with "
            f"{expected} ({frequency.name}). Name the right column with --time NAME."
        )
    table = one_row_per_time(in_order(table), "first")
    offsets = table_offsets(table)
    if np.diff(offsets).max(initial=0) < _TELLING:
        return True
    inferred = infer(table.times, offsets).frequency
    return inferred is not None and _cells(table, frequency) <= _cells(table, inferred)


def _cells(table: Table, frequency: Frequency) -> float:
    """Times of the grid that the series span, those without a row included; infinitely many
    where rows are off it."""
    positions = grid_positions(table, frequency)
    if np.any(positions == OFF_GRID):
        return np.inf
    last_positions = positions[table_offsets(table)[1:] - 1]
    return float((last_positions + 1).sum())
