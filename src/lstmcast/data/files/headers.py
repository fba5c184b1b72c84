"""Where the header of a table is: titles and comments above it, several levels of names, the first
row of data."""

# C columns

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

import numpy as np

from lstmcast.data.files.countheaders import counts_on
from lstmcast.data.files.firstrows import (
    WITHIN,
    FirstRows,
    Row,
    is_full,
    kind_of,
    text_count,
    texts_in,
)
from lstmcast.data.missingwords import is_missing
from lstmcast.data.times.calendars import micros_of, month_of
from lstmcast.data.times.dates import parse_times
from lstmcast.util.patterns import pattern_of

_LEVELS_IN_COMMENTS = 3
_MOST_SAID = 4  # rows of values that are said of a file
_COMMENTS = ("#", "%", "//", "!")
# levels of names are joined by this: store A/sales
_LEVELS = "/"
_DESCRIBES = pattern_of(
    r"(?:data )?source|provider|frequency|type|units?|description|seasonal adjustment|単位|出典|"
    r"(?:publication|release|last)[ _](?:date|updated?)|quelle|einheit|unité|unidad|fuente",
    re.IGNORECASE,
)
_DAY = pattern_of(r"(?:19|20)\d{6}")
_YEAR = pattern_of(r"(?:19|20)\d\d")


class Header(NamedTuple):
    """The names that the header gives (C,), "" where it has none; the rows they come from, none of
    them where there is no header; the position of the first row of data."""

    names: list[str]
    rows: list[Row]
    first: int


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
        (data if _mark_of(row) is None else comments).append(row)
    if not data or not comments:
        return list(rows), []
    titles = list(takewhile(lambda row: text_count(row) < 2, data))
    table = data[len(titles) :] or data
    names = None
    if any(kind_of([cell]) for cell in table[0].cells):  # or they are the names
        above = [row for row in comments if row.line < table[0].line]
        names = _names_in_comments(above[-_LEVELS_IN_COMMENTS:], table)
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
        elif len(_bare(row)) != width:
            break
    return names


def _header_in_comment(row: Row, width: int, numbered: bool) -> list[str] | None:
    """The names in a comment, where it may be the header of that many columns."""
    cells = _bare(row)
    first = row.cells[0].strip()
    if first in _COMMENTS and len(row.cells) == width and numbered:
        cells = row.cells  # "#" is the name of a column of row numbers
    if width < 2 or len(cells) != width:
        return None
    return cells if is_full(cells) and not _any_value(cells) else None


def _mark_of(row: Row) -> str | None:
    """The sign of a comment at the start of a row; None where it has none, or is a number."""
    if row.cells[0][:1].isalnum():
        return None  # as nearly all rows begin
    first = next(filter(None, map(str.strip, row.cells)), "")
    if re.fullmatch(r"#\d+", first):
        return None  # the number of an order
    return next(filter(first.startswith, _COMMENTS), None)


def _bare(row: Row) -> list[str]:
    """The cells of a comment without its sign."""
    mark = _mark_of(row) or ""
    cells = list(row.cells)
    text = texts_in(row)[0]
    place = [cell.strip() for cell in cells].index(text)
    cells[place] = text.lstrip(mark[0]).strip()
    return cells if cells[place] else cells[place + 1 :]


def find_header(rows: Sequence[Row]) -> Header:
    """The header of rows that all have C cells, and where the data begin.

    A row with a readable time is data. The header is the first row above them that is full of
    distinct texts; where there is none, the levels of names are joined, or the fullest row counts.
    """
    body = FirstRows.of(rows)
    first = body.first_data(rows)
    if first == 0 and len(rows) > 2:
        levels = _levels(rows[:2]) if _names_times_in_runs(rows[0], rows[1]) else None
        if levels is not None:
            return Header(*levels, 2)
    if first == 0:
        row = rows[0]
        if len(rows) > 1 and (_names_times(row) or counts_on(row.cells, rows[1].cells)):
            return Header(row.cells, [row], 1)
        nameless = [""] * len(row.cells)
        return Header(nameless, [], 0)
    if first is None:
        place = _fullest(rows[:WITHIN])
        row = rows[place]
        if place == len(rows) - 1 and _any_value(row.cells):
            levels = _levels(rows[:place])  # above the only row of data
            return Header(*(levels or (row.cells, [row])), place + (not levels))
        return Header(row.cells, [row], place + 1)
    if _names_times(rows[first]) and all(text_count(row) < 2 for row in rows[:first]):
        # years below titles
        return Header(rows[first].cells, [rows[first]], first + 1)
    first = _below_other_names(rows, first)
    header = _named_by(rows[:first], first, rows[first : first + WITHIN])
    lowest_line = header.rows[-1].line
    while first > 1:  # a year above its months, not above the header
        above = rows[first - 1]
        if above.line <= lowest_line or not is_year_alone(above):
            break
        first -= 1
    return header._replace(first=first)


def _below_other_names(rows: Sequence[Row], first: int) -> int:
    """Where data begin if names stand below what seemed to be data: names and values of what is
    said of a file."""
    names_above = [row.cells for row in rows[:first]]
    said = list(takewhile(lambda row: not kind_of(row.cells[:1]), rows[first:WITHIN]))
    end_of_said = first + len(said)
    begin = first
    for place in range(
        first + 1, min(max(first + _MOST_SAID, end_of_said), len(rows) - 2)
    ):
        if begin > first and place >= end_of_said:
            break
        is_said = place < end_of_said
        if rows[place].cells not in names_above and _names_below(rows, place, is_said):
            begin = place + 1
    return begin


def _names_below(rows: Sequence[Row], place: int, is_said: bool) -> bool:
    """Whether a row names the columns of the rows below it. is_said: whether it and those above it
    begin with words, so that two columns are enough."""
    below = rows[place + 1 : place + 1 + WITHIN]
    used_columns = _used_columns(below)
    names = [rows[place].cells[column] for column in used_columns]
    if len(used_columns) <= (1 if is_said else 2) or not is_full(names):
        return False
    kinds = [kind_of([row.cells[column] for row in below]) for column in used_columns]
    return all(kinds) and not any(kind_of([name]) for name in names)


def _used_columns(rows: Sequence[Row]) -> list[int]:
    """The columns that have cells."""
    return [
        column
        for column, _ in enumerate(rows[0].cells)
        if any(row.cells[column].strip() for row in rows)
    ]


def _fullest(rows: Sequence[Row]) -> int:
    """Which row has the most distinct texts, the first of several."""
    counts = [text_count(row) for row in rows]
    return counts.index(max(counts))


def is_year_alone(row: Row) -> bool:
    texts = texts_in(row)
    return len(texts) == 1 and bool(re.fullmatch(r"\d{4}年?", texts[0]))


def header_at(rows: Sequence[Row], line: int) -> Header | None:
    """The header in a line that was named; None where no row of the table begins there."""
    for place, row in enumerate(rows):
        if row.line == line:
            return Header(row.cells, [row], place + 1)
    return None


def looks_like_data(row: Row) -> bool:
    """Whether a row holds a time and a number beside it."""
    cells = [cell for cell in row.cells if not is_missing(cell)]
    if len(cells) < 2:
        return False
    kinds = [kind_of([cell]) for cell in cells]
    has_time = "time" in kinds or kinds[0] == "number"
    return has_time and "number" in kinds[1:]


def _named_by(above: Sequence[Row], first: int, below: Sequence[Row]) -> Header:
    """The names that the rows above the data give."""
    used_columns = _used_columns(below)
    for block in reversed(_blocks(above)):
        full_rows = []
        for row in [*_below_values(block), *block]:
            if is_full([row.cells[column] for column in used_columns]):
                full_rows.append(row)
        if full_rows:
            row = _without_descriptions(full_rows)[0]
            return Header(row.cells, [row], first)
    levels = _levels(above)
    if levels is not None:
        return Header(*levels, first)
    fullness = max(text_count(row) for row in above)
    fullest = [row for row in above if text_count(row) == fullness]
    # units stand below the names
    row_of_names = fullest[-1]
    if _is_units(row_of_names):
        row_of_names = fullest[0]
    return Header(row_of_names.cells, [row_of_names], first)


def _without_descriptions(rows: Sequence[Row]) -> Sequence[Row]:
    """Rows that name columns, and do not say where they are from or what they are counted in; all
    of them where none does."""
    naming = [row for row in rows if _DESCRIBES.fullmatch(row.cells[0].strip()) is None]
    return naming or rows


def _names_times_in_runs(row: Row, below: Row) -> bool:
    """Whether a row holds times such as 2020.01, each as often as the next one, above names of
    values."""
    cells = [cell.strip() for cell in row.cells if kind_of([cell])]
    distinct = list(dict.fromkeys(cells))
    count = len(cells) // max(len(distinct), 1)
    if count < 2 or cells != [cell for cell in distinct for _ in range(count)]:
        return False
    is_named = not any(map(kind_of, ([cell] for cell in below.cells)))
    return is_named and _names_times(Row(row.line, ["", *distinct]))


def _below_values(block: Sequence[Row]) -> Sequence[Row]:
    """The rows below the last one that holds numbers: what is said of a file stands above the
    header as names and values."""
    place = len(block)
    while place > 0 and not _any_value(block[place - 1].cells):
        place -= 1
    return block[place:]


def _blocks(above: Sequence[Row]) -> list[list[Row]]:
    """Rows above the data, parted where a line between them is left out: titles and what they say
    of a file are set off by blank lines."""
    blocks: list[list[Row]] = []
    line = 0
    for row in above:
        if not blocks or row.line > line + 1:
            blocks.append([])
        blocks[-1].append(row)
        line = row.line
    return blocks


def _levels(above: Sequence[Row]) -> tuple[list[str], list[Row]] | None:
    """Names in several rows, joined where they are distinct only together; an empty cell of an
    upper level continues the one before it, as merged cells do."""
    text_counts = [len(texts_in(row)) for row in above]
    wide = [row for row, count in zip(above, text_counts, strict=True) if count > 1]
    if len(wide) < 2:
        return None
    begin = above.index(wide[0])
    rows = [row for row in above[begin:] if texts_in(row)]
    lowest = wide[-1]
    names = []
    for column, _ in enumerate(lowest.cells):
        names.append(_joined_name(column, rows, lowest))
    filled_names = list(filter(None, names))
    are_distinct = len(set(filled_names)) == len(filled_names)
    if not are_distinct or len(filled_names) <= text_count(lowest):
        return None
    return names, rows


def _joined_name(column: int, rows: Sequence[Row], lowest: Row) -> str:
    """The name that several levels give a column."""
    texts = []
    for row in rows:
        is_upper = row.line < lowest.line
        cells = _carried(row.cells) if is_upper else row.cells
        text = cells[column].strip()
        if text and _counts(column, row, lowest):
            texts.append(text)
    return _LEVELS.join(dict.fromkeys(texts))


def _counts(column: int, row: Row, lowest: Row) -> bool:
    """Whether a level names a column: what is carried on from the left does so only where the
    lowest level has a name too."""
    if row.cells[column].strip():
        return True
    lowest_text = lowest.cells[column].strip()
    return row.line < lowest.line and lowest_text != ""


def _carried(cells: Sequence[str]) -> list[str]:
    """Cells with empty ones filled by the one to their left."""
    carried = []
    previous = ""
    for cell in cells:
        if cell.strip():
            previous = cell
        carried.append(previous)
    return carried


def _names_times(row: Row) -> bool:
    """Whether a row of numbers is a header of consecutive years or months, or of days such as
    20240131, as in tables with a column per year."""
    cells = [cell for cell in row.cells if kind_of([cell])]
    is_beside_a_name = len(cells) < len(row.cells) and all(map(_YEAR.fullmatch, cells))
    if len(cells) < (2 if is_beside_a_name else 4):
        return False
    times = parse_times(cells)
    if times is None or times.form == "index" or times.bad.any():
        return False
    if all(map(_DAY.fullmatch, cells)):
        return bool((np.diff(micros_of(times.values)) > 0).all())
    months = month_of(micros_of(times.values))
    steps = np.diff(months)
    if is_beside_a_name and len(cells) > 2:  # years that somebody compares
        return bool((steps > 0).all() or (steps < 0).all())
    return len(set(steps)) == 1 and 0 not in steps


def _any_value(cells: Sequence[str]) -> bool:
    return any(kind_of([cell]) == "number" for cell in cells)


def _is_units(row: Row) -> bool:
    return all(text[0] in "([" for text in texts_in(row))


def column_names(cells: Sequence[str]) -> list[str]:
    """Distinct names: empty ones numbered, repeated ones with _2, _3, …

    >>> column_names(["y", "", "y"])
    ['y', 'column2', 'y_2']
    """
    numbers: dict[str, int] = {}  # the last number of each name
    names: list[str] = []
    for place, cell in enumerate(cells, start=1):
        base = " ".join(cell.split()) or f"column{place}"
        name = base
        number = numbers.get(base, 1)
        while name in numbers:
            number += 1
            name = f"{base}_{number}"
        numbers[base] = number
        numbers.setdefault(name, 1)
        names.append(name)
    return names
