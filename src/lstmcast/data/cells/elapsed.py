"""Times since a start: 0:00:00, 0:01:00, …, 0 days 01:00:00 and seconds such as 0.1, 0.2, as steps
that count up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lstmcast.data.cells.columns import NUMBER_SHARE
from lstmcast.data.cells.durations import hours_of
from lstmcast.data.findings import Finding
from lstmcast.data.sheet import Column, Sheet, columns_without, folded
from lstmcast.data.times.timenumbers import integer_times
from lstmcast.util.patterns import pattern_of

_FEWEST = 8
_TOLERANCE = 0.01  # of a step, as digits are rounded
_SHARE = 0.9  # of the steps that are one long, at least
_NAME = pattern_of(
    r"(?:t|time|elapsed|elapsed[ _]time|time[ _]elapsed|zeit|laufzeit|temps|tiempo|tempo|"
    r"x[ _]?value|sec|secs|seconds|sekunden|時間|経過時間|timestamp)"
    r"(?:[ _]?[(\[]?(?:s|ms|us|µs|ns|sec|secs|seconds|min|minutes|h|hr|hours|d|days)[)\]]?)?"
)


def with_elapsed_steps(sheet: Sheet, time: str | None) -> tuple[Sheet, str | None]:
    """A sheet with times since a start as whole numbers of steps, and the name of their column;
    unchanged where another column holds dates. time: the column that was named."""
    for column in sheet.columns:
        if time is not None and folded(column.name) != folded(time):
            continue
        if _holds_times(column):
            continue
        remaining = columns_without(sheet.columns, [column])
        if time is None and any(map(_holds_times, remaining)):
            continue
        values = _since_start(column, time is not None)
        steps = None if values is None else _steps_in(values)
        if steps is None or not any(map(_holds_numbers, remaining)):
            continue
        return _with_steps(sheet, column, steps), column.name
    return sheet, time


def _holds_times(column: Column) -> bool:
    times = column.times
    return times is not None and times.form != "index" and column.time_share >= 0.5


def _holds_numbers(column: Column) -> bool:
    return column.number_share >= NUMBER_SHARE


def _since_start(column: Column, is_named: bool) -> np.ndarray | None:
    """Durations as hours, or fractions of seconds and other units (R,); None for anything else."""
    hours = hours_of(column) if column.is_text else None
    if hours is not None:
        return hours
    says_time = is_named or _NAME.fullmatch(folded(column.name)) is not None
    if not says_time or column.number_share < 1 or column.numbers is None:
        return None
    values = column.spread(column.numbers.values).astype(np.float64)
    is_whole = values == np.round(values)
    return None if is_whole.all() else values  # whole numbers count as they are


def _steps_in(values: np.ndarray) -> np.ndarray | None:
    """Whole numbers of steps of one length (R,); None where values do not count up so."""
    if not np.isfinite(values).all():
        return None
    distinct, first_rows = np.unique(values, return_index=True)
    if len(distinct) < _FEWEST or (np.diff(first_rows) <= 0).any():
        return None
    lengths = np.diff(distinct)
    step = np.median(lengths)
    first = distinct[0]
    distances = (distinct - first) / step
    off_steps = np.abs(distances - np.round(distances))
    is_near = off_steps < _TOLERANCE
    off_length = np.abs(lengths / step - 1)
    is_one_long = off_length < _TOLERANCE
    if not is_near.all() or np.mean(is_one_long) < _SHARE:
        return None
    distances_of_rows = (values - first) / step
    since_first = np.round(distances_of_rows).astype(np.int64)
    steps = since_first + int(np.round(first / step))
    # 1800, 1801, … would be years
    is_index = integer_times(steps).form == "index"
    return steps if is_index else since_first


def _with_steps(sheet: Sheet, column: Column, steps: np.ndarray) -> Sheet:
    columns = list(sheet.columns)
    for place, candidate in enumerate(columns):
        if candidate is column:
            columns[place] = Column(column.name, steps)
    unit = f"{column.cell(0)}, {column.cell(1)}, …"
    message = (
        f"column {column.name!r}: times since a start, {unit}, read as numbers of steps"
    )
    action = (
        "If a season has N steps, add --period N (in Python: periods=N); if the start is known, "
        "write dates."
    )
    note = Finding("time", "note", message, action)
    return replace(sheet, columns=tuple(columns), notes=(*sheet.notes, note))
