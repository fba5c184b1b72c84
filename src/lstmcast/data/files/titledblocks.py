"""Tables of the same columns below each other, each with a title that names its series."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

from lstmcast.data.files.firstrows import Row, kind_of, texts_in

_FEWEST_ROWS = 3  # of each table
_SIGNS = "#%! \"'"


class Titles(NamedTuple):
    """The title of each row of data, these rows, and the lines that the titles stand in."""

    of_rows: list[str]
    rows: list[Row]
    lines: set[int]


def titles_of_blocks(
    rows: Iterable[Row], data: Sequence[Row], headers: Iterable[Row]
) -> Titles | None:
    """The titles of tables whose rows repeat each other's first cells; None where there is one
    table, or one without a title.

    rows: all rows; data: those of data; headers: those of names.

    >>> lines = ["A", "1 5", "2 5", "3 5", "B", "1 6", "2 6", "3 6"]
    >>> rows = [Row(number, line.split()) for number, line in enumerate(lines)]
    >>> titles_of_blocks(rows, [row for row in rows if len(row.cells) > 1], []).of_rows
    ['A', 'A', 'A', 'B', 'B', 'B']
    """
    of_data = {row.line for row in data if not _is_alone(row)}
    tables = of_data | {row.line for row in headers}
    titles = _titles(rows, tables)
    if len(titles) < 2 or len(set(titles.values())) < len(titles):
        return None
    lines = sorted(titles)
    rows_of_data = [row for row in data if row.line not in titles]
    first_cells: dict[str, list[str]] = {}
    of_rows = []
    for row in rows_of_data:
        place = bisect_left(lines, row.line) - 1
        if place < 0:
            return None
        title = titles[lines[place]]
        first_cells.setdefault(title, []).append(row.cells[0])
        of_rows.append(title)
    blocks = list(first_cells.values())
    if not _repeat_each_other(blocks):
        return None
    return Titles(of_rows, rows_of_data, set(lines))


def _is_alone(row: Row) -> bool:
    """Whether a row has a first cell, no other one, and no number or time in it."""
    cells = row.cells
    further = cells[1:]
    if not further or any(further):
        return False
    has_title = cells[0].strip() != ""
    return has_title and not kind_of(cells[:1])


def _titles(rows: Iterable[Row], tables: Container[int]) -> dict[int, str]:
    """Rows with one text, or a comment, right above a table, by their lines."""
    titles: dict[int, str] = {}
    title_row: Row | None = None
    for row in rows:
        if row.line in tables:
            if title_row is not None:
                title = " ".join(texts_in(title_row))
                titles[title_row.line] = title.strip(_SIGNS)
            title_row = None
            continue
        texts = texts_in(row)
        if texts:
            is_title = len(texts) == 1 or texts[0][0] in "#%"
            title_row = row if is_title and not kind_of(texts) else None
    return titles


def _repeat_each_other(blocks: Sequence[list[str]]) -> bool:
    """Whether all blocks are long enough, and begin rows with what others do, as each has all
    times."""
    if len(blocks) < 2 or min(map(len, blocks)) < _FEWEST_ROWS:
        return False
    first, *further = map(set, blocks)
    return all(len(first & cells) >= _FEWEST_ROWS for cells in further)
