"""Numbers with commas and without quotes between commas: 2024-03-01,1,234 below date,value."""

from __future__ import annotations

from collections.abc import Sequence

from lstmcast.data.files.firstrows import Row, kind_of
from lstmcast.data.findings import Finding
from lstmcast.util.patterns import pattern_of

_WHOLE = pattern_of(r"\s*[-+(]?[$€£]?\d+")
_REST = pattern_of(r"\d+\)?\s*")
_SAMPLE = 200


def with_whole_numbers(rows: Sequence[Row]) -> tuple[list[Row], tuple[Finding, ...]]:
    """Rows whose numbers were parted at their commas, with these in one cell again, and a warning:
    two columns are named, the first holds times, and most rows have more cells, of digits only."""
    place = _first_of_several_cells(rows)
    names = rows[place : place + 1]
    data = rows[place + 1 :]
    if not names or len(names[0].cells) != 2:
        return list(rows), ()
    if any(map(_kind_of_cell, names[0].cells)):
        return list(rows), ()
    parted = [row for row in data if len(row.cells) > 2]
    if len(parted) < 3 or 2 * len(parted) < len(data):
        return list(rows), ()
    if not all(map(_is_parted, parted)):
        return list(rows), ()
    first_cells = [row.cells[0] for row in parted[:_SAMPLE]]
    if kind_of(first_cells) != "time":
        return list(rows), ()
    whole_rows = list(rows[: place + 1])
    for row in data:
        time, *digits = row.cells
        if digits:
            number = ",".join(digits)
            row = Row(row.line, [time, number])
        whole_rows.append(row)
    example = ",".join(parted[0].cells[1:])
    message = (
        f"numbers with commas and without quotes, such as {example}, read as one cell"
    )
    warning = Finding("numbers", "warning", message, count=len(parted))
    return whole_rows, (warning,)


def _first_of_several_cells(rows: Sequence[Row]) -> int:
    """Which row is the first with two cells or more; the number of rows where none is."""
    for place, row in enumerate(rows):
        if len(row.cells) > 1:
            return place
    return len(rows)


def _kind_of_cell(cell: str) -> str:
    return kind_of([cell])


def _is_parted(row: Row) -> bool:
    _, beginning, *further = row.cells
    are_digits = all(map(_REST.fullmatch, further))
    return are_digits and _WHOLE.fullmatch(beginning) is not None
