"""Comments above a table: lines that begin with a sign, of which one may be the header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from lstmcast.data.files.firstrows import (
    Row,
    has_number,
    is_full,
    is_title,
    kind_of,
    texts_in,
)

_LEVELS_IN_COMMENTS = 3
_LEADS = ("fields:", "columns:")  # words before the names, as in logs of web servers
_COMMENTS = ("#", "%", "//", "!")


def without_comments(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Rows and comments above them: lines that begin with a sign of comments, of which the last one
    may be the header.

    >>> rows = [Row(1, ["# of us"]), Row(2, ["#day", "sold"]), Row(3, ["2024-01-01", "5"])]
    >>> kept, comments = without_comments(rows)
    >>> kept[0].cells, len(comments)
    (['day', 'sold'], 1)
    """
    data, comments = [], []
    for row in rows:
        is_comment = _mark_of(row) is not None
        group = comments if is_comment else data
        group.append(row)
    if not data or not comments:
        return list(rows), []
    titles = list(takewhile(is_title, data))
    table = data[len(titles) :] or data
    first_row = table[0]
    names = None
    if any(kind_of([cell]) for cell in first_row.cells):  # or they are the names
        above = [row for row in comments if row.line < first_row.line]
        nearest = above[-_LEVELS_IN_COMMENTS:]
        names = _names_in_comments(nearest, table)
    if names is None:
        return data, comments
    comments = [row for row in comments if row.line != names.line]
    return [names, *table], [*comments, *titles]


def _names_in_comments(above: Sequence[Row], data: Sequence[Row]) -> Row | None:
    """The highest of the comments next to the data that may be the header: units stand below it."""
    first_cells = [row.cells[0].strip() for row in data[:2]]
    numbered = first_cells in (["0", "1"], ["1", "2"])
    width = len(data[0].cells)
    names = None
    for row in reversed(above):
        cells = _header_in_comment(row, width, numbered)
        if cells is not None:
            names = Row(row.line, cells)
        elif len(_cells_without_sign(row)) != width:
            break
    return names


def _header_in_comment(row: Row, width: int, numbered: bool) -> list[str] | None:
    """The names in a comment, where it may be the header of that many columns."""
    cells = _cells_without_sign(row)
    first = row.cells[0].strip()
    if first in _COMMENTS and len(row.cells) == width and numbered:
        cells = row.cells  # "#" is the name of a column of row numbers
    if width < 2 or len(cells) != width:
        return None
    are_names = is_full(cells) and not has_number(cells)
    return cells if are_names else None


def _mark_of(row: Row) -> str | None:
    """The sign of a comment at the start of a row; None where it has none, or is a number."""
    if row.cells[0][:1].isalnum():
        return None  # as nearly all rows begin
    texts = filter(None, map(str.strip, row.cells))
    first = next(texts, "")
    if re.fullmatch(r"#\d+", first):
        return None  # the number of an order
    return next(filter(first.startswith, _COMMENTS), None)


def _cells_without_sign(row: Row) -> list[str]:
    """The cells of a comment without its sign."""
    mark = _mark_of(row) or ""
    cells = list(row.cells)
    text = texts_in(row)[0]
    stripped = [cell.strip() for cell in cells]
    place = stripped.index(text)
    name = text.lstrip(mark[0]).strip()
    if not name:
        return cells[place + 1 :]
    if name.casefold() in _LEADS and len(cells) > place + 2:
        return cells[place + 1 :]
    cells[place] = name
    return cells
