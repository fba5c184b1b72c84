"""Tables of JSON whose cells stand in boxes of their own, beside the names of their columns: Google
Charts and Sheets, BigQuery, Athena, and PxWeb of statistical offices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstmcast.data.files.jsontables import Records
from lstmcast.util.patterns import pattern_of

_CELLS = ("c", "f", "Data")  # where a row keeps its cells
_VALUES = ("v", "VarCharValue")  # where a cell keeps its value
_DATE = pattern_of(
    r"(?:new )?Date\((\d{4}), ?(\d{1,2})(?:, ?(\d{1,2}))?((?:, ?\d{1,3})*)\)"
)
# names of columns, or what wraps it, beside rows
_NAMES = ("cols", "columns", "schema")


def boxed_table(document: Any) -> Records:
    """The records of a table whose rows are {"c": [{"v": 5}, …]}, {"f": [{"v": "5"}, …]} or
    {"key": […], "values": […]}; [] where a document is none.

    >>> columns = [{"label": "day"}, {"label": "sales"}]
    >>> boxed_table({"cols": columns, "rows": [{"c": [{"v": "Date(2024,0,31)"}, {"v": 5}]}]})
    [{'day': '2024-01-31', 'sales': 5}]
    """
    if not isinstance(document, Mapping):
        return []
    rows = document.get("rows", document.get("data", document.get("Rows")))
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        return []
    cells_of_rows = list(map(_cells_in, rows))
    if not cells_of_rows or not all(cells_of_rows):
        return []
    names = _names_in(document)
    if names is None and len(cells_of_rows) > 1:
        # Athena writes them in the first row
        names = list(map(str, cells_of_rows.pop(0)))
    if not names or any(len(cells) > len(names) for cells in cells_of_rows):
        return []
    return [dict(zip(names, cells, strict=False)) for cells in cells_of_rows]


def _cells_in(row: Mapping[str, Any]) -> list[Any]:
    """The values of the cells of a row; [] where it has none in boxes."""
    if isinstance(row.get("key"), list) and isinstance(row.get("values"), list):
        return [*row["key"], *row["values"]]
    boxes = []
    for name in _CELLS:
        if isinstance(row.get(name), list):
            boxes = row[name]
    values = []
    for box in boxes:
        if not (box is None or isinstance(box, Mapping)):
            return []
        values.append(_value_in(box or {}))
    return values


def _value_in(box: Mapping[str, Any]) -> Any:
    """The value of a cell; Date(2024, 0, 31), as JavaScript counts months, as 2024-01-31."""
    value = next((box[name] for name in _VALUES if name in box), None)
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    year, months_before, day_of_month, clock = match.groups()
    month = int(months_before) + 1
    day = int(day_of_month or 1)
    date = f"{year}-{month:02d}-{day:02d}"
    numbers = list(map(int, re.findall(r"\d+", clock)))
    if not any(numbers):
        return date
    numbers += [0, 0]
    hours, minutes, seconds = numbers[:3]
    return f"{date} {hours:02d}:{minutes:02d}:{seconds:02d}"


def _names_in(document: Mapping[str, Any]) -> list[str] | None:
    """The names of the columns of a table; None where it has none."""
    columns = next((document[name] for name in _NAMES if name in document), None)
    if isinstance(columns, Mapping):
        columns = columns.get("fields")
    if not isinstance(columns, list) or not all(
        isinstance(column, Mapping) for column in columns
    ):
        return None
    return list(_distinct(columns))


def _distinct(columns: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The labels of columns, with a number where one has none, or another one's."""
    names: set[str] = set()
    for number, column in enumerate(columns, start=1):
        labels = [column.get(key) for key in ("label", "text", "name", "id", "code")]
        name = str(next(filter(None, labels), f"column{number}"))
        if name in names:
            name = f"{name}_{number}"
        names.add(name)
        yield name
