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
    """Rows whose numbers were parted at their commas, with these in one cell again, and a note: two
    columns are named, the first holds times, and most rows have more cells, of digits only."""
    place = next((n for n, row in enumerate(rows) if len(row.cells) > 1), len(rows))
    names, data = rows[place : place + 1], rows[place + 1 :]
    if not names or len(names[0].cells) != 2 or any(map(_kind_of_cell, names[0].cells)):
        return list(rows), ()
    parted = [row for row in data if len(row.cells) > 2]
    if len(parted) < 3 or 2 * len(parted) < len(data):
        return list(rows), ()
    if not all(map(_is_parted, parted)):
        return list(rows), ()
    if kind_of([row.cells[0] for row in parted[:_SAMPLE]]) != "time":
        return list(rows), ()
    whole_rows = list(rows[: place + 1])
    for row in data:
        first, *others = row.cells
        if others:
            row = Row(row.line, [first, ",".join(others)])
        whole_rows.append(row)
    example = ",".join(parted[0].cells[1:])
    message = (
        f"numbers with commas and without quotes, such as {example}, read as one cell"
    )
    return whole_rows, (Finding("numbers", "note", message, count=len(parted)),)


def _kind_of_cell(cell: str) -> str:
    return kind_of([cell])


def _is_parted(row: Row) -> bool:
    _, whole, *others = row.cells
    digits = all(_REST.fullmatch(cell) for cell in others)
    return digits and _WHOLE.fullmatch(whole) is not None
