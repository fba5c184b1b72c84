"""Grids of cells to sheets: where the header is, which lines are data, and which are titles,
notes and blanks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from lstmcast.data.files.climate import without_span
from lstmcast.data.files.countheaders import counts_on
from lstmcast.data.files.firstrows import Row, kind_of
from lstmcast.data.files.footers import without_notes_below
from lstmcast.data.files.headercomments import without_comments
from lstmcast.data.files.headers import (
    Header,
    column_names,
    find_header,
    header_at,
    is_year_alone,
    looks_like_data,
)
from lstmcast.data.files.partednumbers import with_whole_numbers
from lstmcast.data.files.textfiles import CellGrid
from lstmcast.data.files.titledblocks import titles_of_blocks
from lstmcast.data.findings import dropped_lines
from lstmcast.data.limits import require_columns
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.table import Finding
from lstmcast.errors import DataError
from lstmcast.util.patterns import pattern_of

# more rows than this with too many cells, and the file is refused instead of thinned out
_LONG_SHARE = 0.01
_FEW_ROWS = 8
_MOST_TITLES = 40  # lines that are looked at for titles
_DAY_OF_YEAR = pattern_of(
    r"(?:[^\W\d_]+,? )?[^\W\d_]{3,10}\.? \d\d?|\d\d? [^\W\d_]{3,10}"
)
_YEAR = pattern_of(r"(?:19|20)\d\d")
_SHORT_YEAR = pattern_of(r"'\d\d")
_SERIES = "series"  # the column of the titles of tables
_LONGEST_TITLE = 200  # characters


def sheet_from_grid(
    grid: CellGrid, source: str, label: str, header: int | None = None
) -> Sheet:
    """Find header and data in a grid. Other lines are reported with their numbers; DataError if
    none is data.

    >>> cells = [["Sales report"], ["month", "sales"], ["2024-01", "5"], ["2024-02", "6"], []]
    >>> grid = CellGrid([*cells, ["Source: us"]], [1, 2, 3, 4, 5, 6], ",")
    >>> sheet = sheet_from_grid(grid, "sales.csv", "sales")
    >>> sheet.names, sheet.lines.tolist(), sheet.notes[0].count
    (['month', 'sales'], [3, 4], 3)
    """
    width = max(map(len, grid.rows), default=0)
    require_columns(width, source)
    rows = list(map(Row, grid.lines, grid.rows))
    filled_rows = [row for row in rows if not _is_blank(row)]
    if not filled_rows:
        raise _empty(source)
    filled_rows, comments = without_comments(filled_rows)
    filled_rows, said_above = _without_titles(filled_rows)
    filled_rows, beside_years = without_span(filled_rows)
    filled_rows, commas = _with_whole_cells(filled_rows, grid.delimiter)
    table_rows, dropped = _regular(filled_rows, _width(filled_rows), source)
    header_rows = _header(table_rows, header, source)
    names, first = column_names(header_rows.names), header_rows.first
    data, repeated = _without_headers(table_rows[first:], header_rows)
    data, notes_below = without_notes_below(data)
    if not data:
        raise _without_data(source, names)
    above = [row for row in table_rows[:first] if row not in header_rows.rows]
    if above and is_year_alone(above[-1]) and any(map(is_year_alone, data)):
        data.insert(0, above.pop())  # each year has a header of its own
    dropped |= beside_years | said_above
    dropped |= _reasons(rows, comments, repeated, notes_below)
    blocks = titles_of_blocks(rows, data, [*header_rows.rows, *repeated])
    if blocks is not None:
        data = blocks.rows
        above = [row for row in above if row.line not in blocks.lines]
        dropped = _without(dropped, blocks.lines)
    notes = [*grid.notes, *commas, *_notes_on_dropped(above, dropped)]
    notes += [] if header_rows.rows else [_NO_HEADER]
    lines = np.array([row.line for row in data], np.int64)
    columns = _columns(data, names, header_rows, grid)
    if blocks is not None:
        columns = (Column.of_texts(_SERIES, blocks.of_rows), *columns)
        notes.append(_titles_note(blocks.of_rows))
    header_lines = {row.line for row in header_rows.rows}
    titles = _titles([*rows[:_MOST_TITLES], *comments], header_lines, data[0])
    return Sheet(columns, lines, source, "file", tuple(notes), label, titles=titles)


def _without(reasons: dict[int, str], lines: set[int]) -> dict[int, str]:
    return {line: reasons[line] for line in reasons if line not in lines}


def _reasons(
    rows: list[Row], comments: list[Row], repeated: list[Row], notes_below: list[Row]
) -> dict[int, str]:
    """Why lines other than those of data were dropped."""
    reasons = {row.line: _quote(row, "a comment") for row in comments}
    reasons |= {row.line: "the header again" for row in repeated}
    reasons |= {row.line: _quote(row, "below the data") for row in notes_below}
    return reasons | {row.line: "blank" for row in rows if _is_blank(row)}


def _titles_note(titles: Sequence[str]) -> Finding:
    distinct = list(dict.fromkeys(titles))
    message = (
        f"{len(distinct)} tables below each other, named by the titles above them: {distinct[0]!r} "
        f"to {distinct[-1]!r}"
    )
    return Finding("layout", "note", message, count=len(distinct))


def _empty(source: str) -> DataError:
    return DataError(
        f"{source} is empty. A table with a column of dates and a column of numbers is "
        "expected."
    )


def _without_data(source: str, names: Sequence[str]) -> DataError:
    name_list = ", ".join(names[:6])
    return DataError(
        f"{source} has a header ({name_list}) but no rows below it. Dates and values are "
        "expected."
    )


def _titles(
    rows: list[Row], header_lines: set[int], first_of_data: Row
) -> tuple[str, ...]:
    """The texts above the data that are no names of columns."""
    titles = []
    for row in rows:
        if row.line < first_of_data.line and row.line not in header_lines:
            texts = [cell.strip() for cell in row.cells if cell.strip()]
            if len(texts) == 2:
                texts = [" ".join(texts)]  # a word and what it is: Created, 2024-04-03
            titles += [text[:_LONGEST_TITLE] for text in texts]
    return tuple(titles)


def _without_titles(rows: list[Row]) -> tuple[list[Row], dict[int, str]]:
    """Rows without titles that look like names of columns or like data, and why these were
    dropped."""
    rows, entries = _without_entries(rows)
    rows, titles = _without_titles_of_counts(rows)
    return rows, entries | titles


def _without_entries(rows: list[Row]) -> tuple[list[Row], dict[int, str]]:
    """Rows without those at the top that are a word with a colon and what it is, such as "Year:"
    and 2023; and why these were dropped."""
    dropped = {}
    for row in rows[:_MOST_TITLES]:
        texts = list(filter(None, map(str.strip, row.cells)))
        if len(texts) != 2 or not re.fullmatch(r"[^\W\d].*:", row.cells[0].strip()):
            break
        dropped[row.line] = _quote(row, "before the header")
    remaining_rows = rows[len(dropped) :]
    return (remaining_rows, dropped) if len(remaining_rows) > 1 else (rows, {})


def _without_titles_of_counts(rows: list[Row]) -> tuple[list[Row], dict[int, str]]:
    """Rows without those of a cell or two above a header of numbered hours or days, though they may
    be a date, as a row of data begins; and why these were dropped."""
    for place, (row, following) in enumerate(pairwise(rows[:_MOST_TITLES])):
        if len(row.cells) > 2 and counts_on(row.cells, following.cells):
            titles = rows[:place]
            break
    else:
        return rows, {}
    dropped = {}
    for title in titles:
        texts = list(filter(str.strip, title.cells))
        if len(texts) > 2:
            return rows, {}
        dropped[title.line] = _quote(title, "before the header")
    return rows[place:], dropped


def _is_blank(row: Row) -> bool:
    return not any(cell.strip() for cell in row.cells)


def _without_headers(rows: list[Row], header: Header) -> tuple[list[Row], list[Row]]:
    """The rows of data, and those that are the header again."""
    if not header.rows:
        return rows, []
    data, repeated = [], []
    for row in rows:
        is_header = row.cells == header.names
        (repeated if is_header else data).append(row)
    return data, repeated


def _header(rows: list[Row], line: int | None, source: str) -> Header:
    """The header, found or in the line that was named."""
    if line is None:
        header = find_header(rows)
        if (
            len(header.rows) == 1
            and is_year_alone(row := header.rows[0])
            and row.cells[0].strip()
        ):
            # a year above its months, and no names of columns
            return Header([""] * len(row.cells), [], rows.index(row))
        return header
    header = header_at(rows, line)
    if header is None:
        raise DataError(
            f"{source}: line {line} cannot be the header (--header): it is not a row of the table, "
            f"which goes from line {rows[0].line} to line {rows[-1].line}."
        )
    return header


def _notes_on_dropped(above: list[Row], dropped: dict[int, str]) -> tuple[Finding, ...]:
    """What is said of dropped lines: those above the data that look like data deserve a warning."""
    noted = dict(dropped)
    warned = {}
    for row in above:
        if looks_like_data(row):
            warned[row.line] = _quote(row, "before the header, and it looks like data")
        else:
            noted[row.line] = _quote(row, "before the header")
    return (*dropped_lines(noted), *dropped_lines(warned, "warning"))


_NO_HEADER = Finding(
    "header",
    "note",
    "there is no header line",
    "The columns are called column1, column2, ….",
)


def _columns(
    data: list[Row], names: list[str], header: Header, grid: CellGrid
) -> tuple[Column, ...]:
    """The columns, but for those that have neither a name nor a cell."""
    is_comma_likely = grid.delimiter in (";", "\t")
    columns = []
    for number, name in enumerate(names):
        column = Column.of_texts(
            name,
            _unquoted([row.cells[number] for row in data]),
            decimal_comma_likely=is_comma_likely,
            plain=grid.plain,
        )
        has_name = bool(header.names[number].strip())
        if has_name or not column.missing.all():
            columns.append(column)
    return tuple(columns)


def _unquoted(cells: list[str]) -> list[str]:
    """Cells without the apostrophe that has spreadsheets take them as texts, where all have it."""
    if not all(cell[:1] in ("", "'") for cell in cells):
        return cells
    if all(map(_SHORT_YEAR.fullmatch, cells)):
        return cells
    return [cell.strip("'") for cell in cells]


def _with_whole_cells(
    rows: list[Row], delimiter: str
) -> tuple[list[Row], tuple[Finding, ...]]:
    """Rows with whole dates and numbers, where commas in them had no quotes, and a note."""
    rows = _with_whole_dates(_without_last_blanks(rows))
    return with_whole_numbers(rows) if delimiter == "," else (rows, ())


def _with_whole_dates(rows: list[Row]) -> list[Row]:
    """Rows whose dates have a comma and no quotes, March 5, 2024, with these in one cell again."""
    width = len(rows[-1].cells)
    parted = [row for row in rows if len(row.cells) == width]
    if width < 3 or len(parted) < len(rows) - 1 or len(rows[0].cells) != width - 1:
        return rows
    whole_rows = rows[: len(rows) - len(parted)]
    for row in parted:
        day, year, *cells = row.cells
        is_day = _DAY_OF_YEAR.fullmatch(day.strip())
        if not is_day or not _YEAR.fullmatch(year.strip()):
            return rows
        date = f"{day},{year}"
        whole_rows.append(Row(row.line, [date, *cells]))
    return whole_rows


def _without_last_blanks(rows: list[Row]) -> list[Row]:
    """Rows without a delimiter at their end, where all of the data have one and the names above
    them do not."""
    width = max(len(row.cells) for row in rows)
    widest = [row for row in rows if len(row.cells) == width]
    if len(widest) < 2 or any(row.cells[-1].strip() for row in widest):
        return rows
    place = rows.index(widest[0])
    names = rows[place - 1].cells if place else []
    if len(names) != width - 1 or not all(map(str.strip, names)):
        return rows
    return [Row(row.line, row.cells[: width - 1]) for row in rows]


def _width(rows: list[Row]) -> int:
    """Cells per row: the commonest count, the larger one in a draw."""
    counts = Counter(len(row.cells) for row in rows)
    only_cells = [row.cells[0] for row in rows if len(row.cells) == 1]
    if len(only_cells) < len(rows) and not kind_of(only_cells):
        del counts[1]  # titles and notes
    if max(counts.values()) < _FEW_ROWS:
        # a small table across: its rows are the widest, and notes have commas too
        wide = {width: width * count for width, count in counts.items() if count > 1}
        if wide:
            return max(wide, key=lambda width: (wide[width], width))
    return max(counts, key=lambda width: (counts[width], width))


def _regular(
    rows: list[Row], width: int, source: str
) -> tuple[list[Row], dict[int, str]]:
    """Rows with `width` cells, and why each other line was dropped. Short rows that begin as
    data are filled up."""
    regular_rows, dropped, long_rows = [], {}, []
    for row in rows:
        cells = _with_width(row, width, rows)
        if cells is not None:
            regular_rows.append(Row(row.line, cells))
            continue
        count = len(row.cells)
        fields = "cell" if count == 1 else "cells"
        dropped[row.line] = _quote(row, f"{count} {fields} where {width} are expected")
        if count > width and kind_of(row.cells[:1]):
            long_rows.append(row)
    if len(long_rows) > max(3, _LONG_SHARE * len(rows)):
        first = long_rows[0]
        raise DataError(
            f"{source} has {len(long_rows)} rows with more than {width} cells; the first is line "
            f"{first.line}: {_clip(', '.join(first.cells))!r}. Put numbers with commas and "
            "text with commas in quotes, or use semicolons between the cells."
        )
    return regular_rows, dropped


def _with_width(row: Row, width: int, rows: list[Row]) -> list[str] | None:
    """The cells of a row as so many cells; None where it is not a row of the table."""
    cells = row.cells
    if len(cells) == width:
        return cells
    if len(cells) > width:
        spare = Row(row.line, cells[width:])
        return cells[:width] if _is_blank(spare) or _is_comment(cells[-1]) else None
    is_first = row is rows[0]
    if is_first and len(cells) == width - 1 and _names_rest(row, rows):
        return ["", *cells]
    if kind_of(cells[:1]):
        return cells + [""] * (width - len(cells))
    return None


def _is_comment(name: str) -> bool:
    """Whether a cell names a column of comments, which rows without one leave out."""
    return name.strip().casefold() in ("comment", "comments", "remarks", "notes")


def _names_rest(row: Row, rows: list[Row]) -> bool:
    """Whether a first row that is a cell short names all columns but that of row names, as R writes
    tables."""
    names = [cell.strip() for cell in row.cells]
    distinct = set(names) - {""}
    if len(names) < 2 or len(distinct) < len(names):
        return False
    if any(kind_of([name]) for name in names):
        return False
    return all(len(following.cells) > len(names) for following in rows[1:3])


def _quote(row: Row, reason: str) -> str:
    texts = filter(None, map(str.strip, row.cells))
    text = ", ".join(texts)
    return f"{_clip(text)!r}: {reason}"


def _clip(text: str) -> str:
    return text if len(text) <= 48 else text[:47] + "…"
