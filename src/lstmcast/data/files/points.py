"""Points of a log or a protocol, one a line, as a sheet: what names the series, times, fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.table import Finding


class Point(NamedTuple):
    """One line: its number, what names the series, the fields, and the time as it is written."""

    line: int
    labels: Mapping[str, str]
    fields: Mapping[str, str]
    time: str


def sheet_of_points(
    points: Sequence[Point], source: str, label: str, protocol: str
) -> Sheet:
    """The points as a sheet; the note says of which protocol they are."""
    label_columns = _columns([point.labels for point in points])
    field_columns = _columns([point.fields for point in points], plain=True)
    times = Column.of_texts("time", [point.time for point in points])
    columns = (*label_columns, times, *field_columns)
    lines = np.array([point.line for point in points], np.int64)
    note = Finding("layout", "note", f"{len(points):,} points of {protocol} were read")
    return Sheet(columns, lines, source, "file", (note,), label)


def _columns(
    cells_of_points: Sequence[Mapping[str, str]], plain: bool = False
) -> list[Column]:
    """A column for each name that the points have, empty where a point has it not."""
    names: dict[str, None] = {}
    for cells in cells_of_points:
        names |= dict.fromkeys(cells)
    columns = []
    for name in names:
        texts = [cells.get(name, "") for cells in cells_of_points]
        columns.append(Column.of_texts(name, texts, plain=plain))
    return columns
