"""Climate indices as text: the first and the last year above rows of twelve months, and the code
for missing values below them."""

from __future__ import annotations

from collections.abc import Sequence

from lstmcast.data.files.firstrows import Row
from lstmcast.util.patterns import pattern_of

_YEAR = pattern_of(r"1[5-9]\d\d|20\d\d")
_NUMBER = pattern_of(r"-?\d+\.?\d*")
_FEWEST = 4  # rows


def without_span(rows: Sequence[Row]) -> tuple[list[Row], dict[int, str]]:
    """Rows without the years above them and the code below them, with its cells empty, and why
    those lines were dropped; all rows where they are anything else.

    >>> table = [["2020", "2022"], ["2020", "5"], ["2021", "-9"], ["2022", "7"], ["-9"]]
    >>> kept, dropped = without_span([Row(line, cells) for line, cells in enumerate(table, 1)])
    >>> [row.cells for row in kept], dropped[5]
    ([['2020', '5'], ['2021', ''], ['2022', '7']], 'the code for missing values')
    """
    if not _has_span(rows):
        return list(rows), {}
    span, *body = rows
    dropped = {span.line: "the first and the last year"}
    code = None
    data = []
    for row in body:
        texts = _texts(row)
        if len(texts) == 1 and _NUMBER.fullmatch(texts[0]):
            code = float(texts[0])
            dropped[row.line] = "the code for missing values"
        else:
            data.append(row)
    if code is not None:
        data = [Row(row.line, _without_code(row, code)) for row in data]
    return data, dropped


def _has_span(rows: Sequence[Row]) -> bool:
    if len(rows) < _FEWEST:
        return False
    years = _texts(rows[0])
    if len(years) != 2 or not all(map(_YEAR.fullmatch, years)):
        return False
    first_cells = [_texts(row)[0] for row in rows[1:]]
    return first_cells[0] == years[0] and years[1] in first_cells


def _texts(row: Row) -> list[str]:
    return [cell.strip() for cell in row.cells if cell.strip()]


def _without_code(row: Row, code: float) -> list[str]:
    cells = []
    for cell in row.cells:
        is_number = _NUMBER.fullmatch(cell.strip())
        is_code = is_number is not None and float(cell) == code
        kept = "" if is_code else cell
        cells.append(kept)
    return cells
