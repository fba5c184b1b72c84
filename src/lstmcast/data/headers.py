"""Where the header of a table is: titles and comments above it, several levels of names, the first
row of data."""

# C columns

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lstmcast.data.dates import parse_times
from lstmcast.data.numbers import is_missing, parse_numbers

WITHIN = 40  # rows; titles above a header are never longer in practice
_BODY = 60  # rows below those, which show what the columns hold
_COMMENTS = ("#", "%", "//", "!")
# levels of names are joined by this: store A/sales
_LEVELS = "/"
_YEAR = re.compile(r"(?:19|20)\d\d")


class Row(NamedTuple):
    """Cells of one line (from 1)."""

    line: int
    cells: list[str]


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
    is_comment = [_mark_of(row) is not None for row in rows]
    above = is_comment.index(False) if False in is_comment else len(rows)
    data = [row for row, comment in zip(rows, is_comment, strict=True) if not comment]
    comments = [row for row, comment in zip(rows, is_comment, strict=True) if comment]
    if not data:
        return list(rows), []
    if above:
        last = rows[above - 1]
        numbered = [row.cells[0].strip() for row in data[:2]] in (["0", "1"], ["1", "2"])
        cells = _header_in_comment(last, len(data[0].cells), numbered)
        if cells is not None:
            comments.remove(last)
            return [Row(last.line, cells), *data], comments
    return data, comments


def _header_in_comment(row: Row, width: int, numbered: bool) -> list[str] | None:
    """The names in a comment, where it may be the header of that many columns."""
    cells = _bare(row)
    if len(row.cells) == width and row.cells[0].strip() in _COMMENTS and numbered:
        cells = row.cells  # "#" is the name of a column of row numbers
    fits = width > 1 and len(cells) == width
    return cells if fits and _is_full(cells) and not _any_value(cells) else None


def _mark_of(row: Row) -> str | None:
    """The sign of a comment at the start of a row; None where it has none, or is a number."""
    texts = (cell.strip() for cell in row.cells if cell.strip())
    first = next(texts, "")
    marks = (mark for mark in _COMMENTS if first.startswith(mark))
    return next(marks, None)


def _bare(row: Row) -> list[str]:
    """The cells of a comment without its sign."""
    mark = _mark_of(row) or ""
    cells = list(row.cells)
    place = next(place for place, cell in enumerate(cells) if cell.strip())
    cells[place] = cells[place].strip().lstrip(mark[0]).strip()
    return cells[place + 1 :] if not cells[place] else cells


def find_header(rows: Sequence[Row]) -> Header:
    """The header of rows that all have C cells, and where the data begin.

    A row with a readable time is data. The header is the first row above them that is full of
    distinct texts; where there is none, the levels of names are joined, or the fullest row counts.
    """
    width = len(rows[0].cells)
    shown = _Shown.of(rows)
    first = shown.first_data(rows)
    if first == 0:
        if _names_times(rows[0], shown) and len(rows) > 1:
            return Header(rows[0].cells, [rows[0]], 1)
        return Header([""] * width, [], 0)
    if first is None:
        fullest = _fullest(rows[:WITHIN])
        return Header(rows[fullest].cells, [rows[fullest]], fullest + 1)
    header = _named_by(rows[:first], first)
    below = header.rows[-1].line
    while first > 1 and rows[first - 1].line > below and _is_year_alone(rows[first - 1]):
        first -= 1  # a year above its months, not above the header
    return header._replace(first=first)


def _fullest(rows: Sequence[Row]) -> int:
    """Which row has the most distinct texts, the first of several."""
    counts = [_fullness(row) for row in rows]
    return counts.index(max(counts))


def _is_year_alone(row: Row) -> bool:
    filled = [cell.strip() for cell in row.cells if cell.strip()]
    return len(filled) == 1 and re.fullmatch(r"\d{4}年?", filled[0]) is not None


def header_at(rows: Sequence[Row], line: int) -> Header | None:
    """The header in a line that was named; None where no row of the table begins there."""
    for place, row in enumerate(rows):
        if row.line == line:
            return Header(row.cells, [row], place + 1)
    return None


def looks_like_data(row: Row) -> bool:
    """Whether a row holds a time and a number beside it."""
    kinds = [kind_of([cell]) for cell in row.cells if not is_missing(cell)]
    if len(kinds) < 2:
        return False
    has_time = "time" in kinds or kinds[0] == "number"
    return has_time and "number" in kinds[1:]


def kind_of(cells: Sequence[str]) -> str:
    """What most of the cells are: "time", "number", or "" for text."""
    texts = [cell for cell in cells if not is_missing(cell)]
    if not texts:
        return ""
    if parse_numbers(texts).bad.mean() < 0.5:
        return "number"
    times = parse_times(texts)
    are_times = times is not None and times.bad.mean() < 0.5
    return "time" if are_times else ""


class _Shown(NamedTuple):
    """What the columns hold below the header, and which of the first cells are that, (rows, C)."""

    kinds: list[str]
    reads: np.ndarray
    missing: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[Row]) -> _Shown:
        skipped = min(WITHIN, len(rows) // 2)
        body = rows[skipped : skipped + _BODY]
        top = rows[:WITHIN]
        kinds, reads, missing = [], [], []
        for column in range(len(rows[0].cells)):
            top_cells = [row.cells[column] for row in top]
            body_cells = [row.cells[column] for row in body]
            kind = kind_of(body_cells)
            kinds.append(kind)
            # together with the body: 2003/04 is a fiscal year there, and alone it would be a month
            reads.append(_reading(top_cells, body_cells[:WITHIN], kind))
            missing.append([is_missing(cell) for cell in top_cells])
        return cls(kinds, np.array(reads, bool).T, np.array(missing, bool).T)

    def first_data(self, rows: Sequence[Row]) -> int | None:
        """The first row of data among the first ones."""
        names_above = False
        timed = [kind == "time" for kind in self.kinds]
        for place, row in enumerate(rows[:WITHIN]):
            is_data = self._is_data(place, timed, names_above)
            is_data = is_data and not self._is_title(place, rows, timed)
            if is_data and (names_above or not self._stands_above_names(place, rows)):
                return place
            names_above |= _is_full(row.cells) and not self.reads[place].any()
        return None

    def _is_data(self, place: int, timed: list[bool], names_above: bool) -> bool:
        """Whether a row has a time; below a row of names, half of its cells being what their
        columns hold is enough."""
        has_kind = np.array([kind != "" for kind in self.kinds])
        typed = has_kind & ~self.missing[place]
        reads = self.reads[place] & typed
        if (reads & timed).any():
            return True
        if not any(timed) and typed.any() and reads[typed].all():
            return True
        mostly_read = bool(reads.any()) and 2 * reads.sum() >= typed.sum()
        return names_above and mostly_read

    def _stands_above_names(self, place: int, rows: Sequence[Row]) -> bool:
        """Whether the next row has only text where columns hold numbers: years above months."""
        below = place + 1
        if below >= min(len(rows), WITHIN) or not self.missing[place].any():
            return False
        has_kind = np.array([kind != "" for kind in self.kinds])
        typed = has_kind & ~self.missing[below]
        return bool(typed.sum() > 1 and not self.reads[below].any())

    def _is_title(self, place: int, rows: Sequence[Row], timed: list[bool]) -> bool:
        """Whether a row with nothing but a time stands above names: when a table was written."""
        if (~self.missing[place]).sum() > 1 or len(timed) < 2:
            return False
        for later in range(place + 1, min(len(rows), WITHIN)):
            if _fullness(rows[later]) > 1 and not self.reads[later].any():
                return True
        return False


def _reading(top: list[str], body: list[str], kind: str) -> list[bool]:
    """Which of the first cells of a column read as what it holds."""
    if not kind:
        return [False] * len(top)
    distinct = list(dict.fromkeys(top + body))
    if kind == "number":
        bad = parse_numbers(distinct).bad
    else:
        bad = _no_times(distinct)
    good = {text for text, is_bad in zip(distinct, bad, strict=True) if not is_bad}
    return [cell in good and not is_missing(cell) for cell in top]


def _no_times(texts: list[str]) -> np.ndarray:
    """Which texts are no times."""
    times = parse_times(texts)
    if times is None:
        return np.ones(len(texts), bool)
    if times.values.dtype.kind != "M":
        return times.bad
    # "(h)" is a weekday to be left off, and nothing else
    return times.bad | np.isnat(times.values)


def _named_by(above: Sequence[Row], first: int) -> Header:
    """The names that the rows above the data give."""
    for row in above:
        if _is_full(row.cells):
            return Header(row.cells, [row], first)
    levels = _levels(above)
    if levels is not None:
        return Header(*levels, first)
    most = max(_fullness(row) for row in above)
    fullest = [row for row in above if _fullness(row) == most]
    chosen = fullest[0] if _is_units(fullest[-1]) else fullest[-1]
    return Header(chosen.cells, [chosen], first)


def _levels(above: Sequence[Row]) -> tuple[list[str], list[Row]] | None:
    """Names in several rows, joined where they are distinct only together; an empty cell of an
    upper level continues the one before it, as merged cells do."""
    wide = [place for place, row in enumerate(above) if _filled(row) > 1]
    if len(wide) < 2:
        return None
    rows = [row for row in above[wide[0] :] if _filled(row)]
    lowest = above[wide[-1]]
    names = [_joined_name(column, rows, lowest) for column in range(len(lowest.cells))]
    given = [name for name in names if name]
    are_distinct = len(set(given)) == len(given)
    return (names, rows) if are_distinct and len(given) > len(_distinct(lowest)) else None


def _joined_name(column: int, rows: Sequence[Row], lowest: Row) -> str:
    """The name that several levels give a column."""
    texts = []
    for row in rows:
        cells = _carried(row.cells) if row.line < lowest.line else row.cells
        text = cells[column].strip()
        if text and _counts(column, row, lowest):
            texts.append(text)
    return _LEVELS.join(dict.fromkeys(texts))


def _counts(column: int, row: Row, lowest: Row) -> bool:
    """Whether a level names a column: what is carried on from the left does so only where the
    lowest level has a name too."""
    if row.cells[column].strip():
        return True
    return row.line < lowest.line and bool(lowest.cells[column].strip())


def _carried(cells: Sequence[str]) -> list[str]:
    """Cells with empty ones filled by the one to their left."""
    carried, last = [], ""
    for cell in cells:
        last = cell if cell.strip() else last
        carried.append(last)
    return carried


def _names_times(row: Row, shown: _Shown) -> bool:
    """Whether a row of numbers is a header of consecutive years or months, as in tables with a
    column per year."""
    cells = [cell for cell in row.cells if kind_of([cell])]
    # few of them count beside a name, as in "Month, 2022, 2023"
    fewest = 2 if len(cells) < len(row.cells) and all(map(_YEAR.fullmatch, cells)) else 4
    times = parse_times(cells) if len(cells) >= fewest else None
    if times is None or times.form == "index" or times.bad.any():
        return False
    months = times.values.astype("datetime64[M]").astype(np.int64)
    steps = set(np.diff(months))
    return len(steps) == 1 and 0 not in steps


def _filled(row: Row) -> int:
    return sum(bool(cell.strip()) for cell in row.cells)


def _distinct(row: Row) -> set[str]:
    return {cell.strip() for cell in row.cells} - {""}


def _fullness(row: Row) -> int:
    return len(_distinct(row))


def _is_full(cells: Sequence[str]) -> bool:
    named = [cell.strip() for cell in cells]
    return all(named) and len(set(named)) == len(named)


def _any_value(cells: Sequence[str]) -> bool:
    return any(kind_of([cell]) == "number" for cell in cells)


def _is_units(row: Row) -> bool:
    named = [cell.strip() for cell in row.cells if cell.strip()]
    return all(cell[0] in "([" for cell in named)


def column_names(cells: Sequence[str]) -> list[str]:
    """Distinct names: empty ones numbered, repeated ones with _2, _3, …

    >>> column_names(["y", "", "y"])
    ['y', 'column2', 'y_2']
    """
    numbers: dict[str, int] = {}  # the last number of each name
    names: list[str] = []
    for place, cell in enumerate(cells, start=1):
        wanted = " ".join(cell.split()) or f"column{place}"
        name, number = wanted, numbers.get(wanted, 1)
        while name in numbers:
            number += 1
            name = f"{wanted}_{number}"
        numbers[wanted] = number
        numbers.setdefault(name, 1)
        names.append(name)
    return names
