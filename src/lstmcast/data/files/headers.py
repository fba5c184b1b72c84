"""Where the header of a table is: titles above it, levels of names, the first row of data."""

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
    has_number,
    is_full,
    is_title,
    kind_of,
    text_count,
    texts_in,
)
from lstmcast.data.missingwords import is_missing
from lstmcast.data.times.calendars import micros_of, month_of
from lstmcast.data.times.dates import parse_times
from lstmcast.util.patterns import pattern_of

_MOST_SAID = 4  # rows of values that are said of a file
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


def find_header(rows: Sequence[Row]) -> Header:
    """The header of rows that all have C cells, and where the data begin.

    A row with a readable time is data. The header is the first row above them that is full of
    distinct texts; where there is none, the levels of names are joined, or the fullest row counts.
    """
    body = FirstRows.of(rows)
    first = body.first_data(rows)
    if first == 0:
        return _header_in_first_rows(rows)
    if first is None:
        return _header_above_no_data(rows)
    first_row = rows[first]
    if _names_times(first_row) and all(map(is_title, rows[:first])):
        # years below titles
        return Header(first_row.cells, [first_row], first + 1)
    first = _below_other_names(rows, first)
    below = rows[first : first + WITHIN]
    header = _named_by(rows[:first], first, below)
    lowest_line = header.rows[-1].line
    while first > 1:  # a year above its months, not above the header
        above = rows[first - 1]
        if above.line <= lowest_line or not is_year_alone(above):
            break
        first -= 1
    return header._replace(first=first)


def _header_in_first_rows(rows: Sequence[Row]) -> Header:
    """The header where the first row seems to be data: years, or numbers that count on, may be
    names."""
    row = rows[0]
    if len(rows) > 2 and _names_times_in_runs(row, rows[1]):
        levels = _levels(rows[:2])
        if levels is not None:
            return Header(*levels, 2)
    if len(rows) > 1:
        below = rows[1]
        if _names_times(row) or counts_on(row.cells, below.cells):
            return Header(row.cells, [row], 1)
    nameless = [""] * len(row.cells)
    return Header(nameless, [], 0)


def _header_above_no_data(rows: Sequence[Row]) -> Header:
    """The fullest row, or the levels of names above it where it is the last one and has values."""
    place = _fullest(rows[:WITHIN])
    row = rows[place]
    if place == len(rows) - 1 and has_number(row.cells):
        levels = _levels(rows[:place])
        if levels:
            return Header(*levels, place)
    return Header(row.cells, [row], place + 1)


def _below_other_names(rows: Sequence[Row], first: int) -> int:
    """Where data begin if names stand below what seemed to be data: names and values of what is
    said of a file."""
    names_above = [row.cells for row in rows[:first]]
    descriptions = list(takewhile(_begins_with_words, rows[first:WITHIN]))
    end_of_said = first + len(descriptions)
    begin = first
    end = max(first + _MOST_SAID, end_of_said)
    end = min(end, len(rows) - 2)
    for place in range(first + 1, end):
        if begin > first and place >= end_of_said:
            break
        is_said = place < end_of_said
        if rows[place].cells in names_above:
            continue
        if _names_below(rows, place, is_said):
            begin = place + 1
    return begin


def _begins_with_words(row: Row) -> bool:
    return not kind_of(row.cells[:1])


def _names_below(rows: Sequence[Row], place: int, is_said: bool) -> bool:
    """Whether a row names the columns of the rows below it. is_said: whether it and those above it
    begin with words, so that two columns are enough."""
    begin = place + 1
    below = rows[begin : begin + WITHIN]
    used_columns = _used_columns(below)
    row_of_names = rows[place]
    names = [row_of_names.cells[column] for column in used_columns]
    most_too_few = 1 if is_said else 2
    if len(used_columns) <= most_too_few or not is_full(names):
        return False
    for column in used_columns:
        cells = [row.cells[column] for row in below]
        if not kind_of(cells):
            return False
    return not any(kind_of([name]) for name in names)


def _used_columns(rows: Sequence[Row]) -> list[int]:
    """The columns that have cells."""
    used_columns = []
    for column, _ in enumerate(rows[0].cells):
        if any(row.cells[column].strip() for row in rows):
            used_columns.append(column)
    return used_columns


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
            used_cells = [row.cells[column] for column in used_columns]
            if is_full(used_cells):
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
    naming = []
    for row in rows:
        first_cell = row.cells[0].strip()
        if _DESCRIBES.fullmatch(first_cell) is None:
            naming.append(row)
    return naming or rows


def _names_times_in_runs(row: Row, below: Row) -> bool:
    """Whether a row holds times such as 2020.01, each as often as the next one, above names of
    values."""
    cells = [cell.strip() for cell in row.cells if kind_of([cell])]
    distinct = list(dict.fromkeys(cells))
    count = len(cells) // max(len(distinct), 1)
    runs = [cell for cell in distinct for _ in range(count)]
    if count < 2 or cells != runs:
        return False
    if any(kind_of([cell]) for cell in below.cells):
        return False
    header = Row(row.line, ["", *distinct])
    return _names_times(header)


def _below_values(block: Sequence[Row]) -> Sequence[Row]:
    """The rows below the last one that holds numbers: what is said of a file stands above the
    header as names and values."""
    place = len(block)
    while place > 0 and not has_number(block[place - 1].cells):
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
    are_years = all(map(_YEAR.fullmatch, cells))
    is_beside_a_name = len(cells) < len(row.cells) and are_years
    fewest = 2 if is_beside_a_name else 4
    if len(cells) < fewest:
        return False
    times = parse_times(cells)
    if times is None or times.form == "index" or times.bad.any():
        return False
    micros = micros_of(times.values)
    if all(map(_DAY.fullmatch, cells)):
        return bool((np.diff(micros) > 0).all())
    months = month_of(micros)
    steps = np.diff(months)
    if is_beside_a_name and len(cells) > 2:  # years that somebody compares
        return bool((steps > 0).all() or (steps < 0).all())
    return len(set(steps)) == 1 and 0 not in steps


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
