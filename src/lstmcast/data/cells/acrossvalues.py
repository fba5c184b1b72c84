"""Several values for each time across: Jan 2023 above Actual and Budget, 2021 Price beside 2021
Volume."""

# R rows of the sheet · T times across

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from lstmcast.data.cells.across import is_totals, stacked_cells
from lstmcast.data.cells.acrossparts import half_of, quarter_of
from lstmcast.data.cells.leveltimes import times_of_names
from lstmcast.data.findings import Finding
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.data.times.shapes import month_named

_FEWEST, _MOST = 6, 5000  # columns with times in their names
_MOST_VALUES = 12  # of each time
_MOST_WORDS = 3  # in the name of one of them
# between the words of a name, and what joins these again
_MARKS = (
    (r" ?/ ?", "/"),
    (r"[ _]+", " "),
    (r" ?[-|:;] ?", " "),
)
_Split = tuple[str, str]  # the text of a time, and the name of a value


def with_values_apart(sheet: Sheet) -> Sheet:
    """A sheet with a row for each time across and a column for each of its values; as it was where
    the names of its columns are no grid of times and values, or a column holds dates."""
    numbered = []
    for column in sheet.columns:
        if re.search(r"\d", column.name):
            numbered.append(column)
    count = len(numbered)
    if not _FEWEST <= count <= _MOST or 2 * count < len(sheet.columns):
        return sheet
    names_of_columns = [column.name for column in numbered]
    for names in _ways(names_of_columns):
        grid = _grid_of(numbered, names)
        if grid is None:
            continue
        remaining = columns_without(sheet.columns, numbered)
        if not all(map(_may_be_values, numbered)):
            continue
        if not any(map(_holds_dates, remaining)):
            return _long(sheet, remaining, *grid)
    return sheet


def _may_be_values(column: Column) -> bool:
    return bool(column.missing.all()) or column.number_share >= 0.5


def _holds_dates(column: Column) -> bool:
    times = column.times
    return times is not None and times.form == "date" and column.time_share >= 0.5


def _ways(names: Sequence[str]) -> Iterator[list[_Split]]:
    """How names may be split into times and names of values: by their levels, or by words."""
    stripped = [name.strip() for name in names]
    for mark, joint in _MARKS:
        words_of_names = [re.split(mark, name) for name in stripped]
        fewest = min(map(len, words_of_names), default=0)
        end = min(fewest, _MOST_WORDS + 1)
        for count in range(1, end):
            for at_end in (True, False):
                splits = []
                for words in words_of_names:
                    split = _split(words, count, at_end, joint)
                    splits.append(split)
                yield splits


def _split(words: Sequence[str], count: int, at_end: bool, joint: str) -> _Split:
    """The time and the value in words, of which so many name the value."""
    place = len(words) - count if at_end else count
    front = joint.join(words[:place])
    end = joint.join(words[place:])
    time, value = (front, end) if at_end else (end, front)
    return time.strip("() -"), value.strip("()[] -")


_Grid = tuple[dict[str, list[Column]], np.ndarray]


def _grid_of(columns: Sequence[Column], names: Sequence[_Split]) -> _Grid | None:
    """The columns of each value in the order of times, and the times (T,); None where some times
    lack some values."""
    places: dict[str, dict[str, Column]] = {}
    for column, (time, value) in zip(columns, names, strict=True):
        by_time = places.setdefault(value, {})
        if time in by_time or not _is_name(value):
            return None
        by_time[time] = column
    if not 2 <= len(places) <= _MOST_VALUES:
        return None
    columns_by_time = list(places.values())
    texts = list(columns_by_time[0])
    for by_time in columns_by_time:
        if set(by_time) != set(texts):
            return None
    times = times_of_names(texts)
    if times is None:
        return None
    order = np.argsort(times.values, kind="stable")
    in_order = [texts[place] for place in order.tolist()]
    columns_of_values = {}
    for value, by_time in places.items():
        columns_of_values[value] = [by_time[text] for text in in_order]
    return columns_of_values, times.values[order]


def _is_name(text: str) -> bool:
    """Whether a text can be the name of a value: no number, and no part of a time."""
    tidy = text.casefold().rstrip(".")
    if not re.search(r"[^\W\d_]|[%$€£¥]", text):
        return False
    return not (month_named(tidy) or quarter_of(tidy) or half_of(tidy))


def _long(
    sheet: Sheet,
    remaining: Sequence[Column],
    columns_of_values: dict[str, list[Column]],
    times: np.ndarray,
) -> Sheet:
    """One row for each row and time, up to the last known value."""
    repeated_columns = [column for column in remaining if not is_totals(column)]
    shape = (len(sheet), len(times))
    indices = np.indices(shape)
    rows, steps = map(np.ravel, indices)
    values = []
    is_known = np.zeros(len(rows), bool)
    for name, columns in columns_of_values.items():
        column = stacked_cells(columns, rows, steps, name)
        is_known |= ~column.missing
        values.append(column)
    times_of_rows = times[steps]
    time = Column("time", times_of_rows)
    repeated = [column.take(rows) for column in repeated_columns]
    names = " and ".join(map(repr, columns_of_values))
    message = f"the columns hold {names} of {len(times)} times: each time became a row"
    note = Finding("layout", "note", message)
    long_sheet = replace(
        sheet,
        columns=(time, *repeated, *values),
        lines=sheet.lines[rows],
        notes=(*sheet.notes, note),
    )
    if not is_known.any():
        return long_sheet
    last_known = times_of_rows[is_known].max()
    is_within = times_of_rows <= last_known
    return long_sheet.take(np.flatnonzero(is_within))
