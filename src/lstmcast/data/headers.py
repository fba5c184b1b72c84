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
    above = next((i for i, row in enumerate(rows) if _mark_of(row) is None), len(rows))
    comments, rest = list(rows[:above]), [row for row in rows[above:] if _mark_of(row) is None]
    comments += [row for row in rows[above:] if _mark_of(row) is not None]
    width = len(rest[0].cells) if rest else 0
    if above and rest:
        last = rows[above - 1]
        cells = _bare(last)
        if len(last.cells) == width and last.cells[0].strip() in _COMMENTS:
            cells = last.cells  # "#" is the name of a column of row numbers
        if width > 1 and len(cells) == width and _is_full(cells) and not _any_value(cells):
            comments.remove(last)
            return [Row(last.line, cells), *rest], comments
    return (rest, comments) if rest else (list(rows), [])


def _mark_of(row: Row) -> str | None:
    """The sign of a comment at the start of a row; None where it has none, or is a number."""
    first = next((cell.strip() for cell in row.cells if cell.strip()), "")
    return next((mark for mark in _COMMENTS if first.startswith(mark)), None)


def _bare(row: Row) -> list[str]:
    """The cells of a comment without its sign."""
    mark = _mark_of(row) or ""
    cells = list(row.cells)
    place = next(i for i, cell in enumerate(cells) if cell.strip())
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
        first = 1 + max(range(min(len(rows), WITHIN)), key=lambda i: (_fullness(rows[i]), -i))
        return Header(rows[first - 1].cells, [rows[first - 1]], first)
    header = _named_by(rows[:first], first)
    below = header.rows[-1].line
    while first > 1 and rows[first - 1].line > below and _is_year_alone(rows[first - 1]):
        first -= 1  # a year above its months, not above the header
    return header._replace(first=first)


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
    return len(kinds) > 1 and (("time" in kinds) or kinds[0] == "number") and "number" in kinds[1:]


def kind_of(cells: Sequence[str]) -> str:
    """What most of the cells are: "time", "number", or "" for text."""
    there = [cell for cell in cells if not is_missing(cell)]
    if not there:
        return ""
    if parse_numbers(there).bad.mean() < 0.5:
        return "number"
    times = parse_times(there)
    return "time" if times is not None and times.bad.mean() < 0.5 else ""


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
        columns = range(len(rows[0].cells))
        kinds = [kind_of([row.cells[j] for row in body]) for j in columns]
        # together with the body: 2003/04 is a fiscal year there, and alone it would be a month
        reads = [
            _reading(
                [row.cells[j] for row in top], [row.cells[j] for row in body[:WITHIN]], kinds[j]
            )
            for j in columns
        ]
        missing = [[is_missing(row.cells[j]) for j in columns] for row in top]
        return cls(kinds, np.array(reads, bool).T, np.array(missing, bool))

    def first_data(self, rows: Sequence[Row]) -> int | None:
        """The first row of data among the first ones."""
        names_above = False
        timed = [kind == "time" for kind in self.kinds]
        for place, row in enumerate(rows[:WITHIN]):
            if (
                self._is_data(place, timed, names_above)
                and not self._is_title(place, rows, timed)
                and not (not names_above and self._stands_above_names(place, rows))
            ):
                return place
            names_above |= _is_full(row.cells) and not self.reads[place].any()
        return None

    def _is_data(self, place: int, timed: list[bool], names_above: bool) -> bool:
        """Whether a row has a time; below a row of names, half of its cells being what their
        columns hold is enough."""
        typed = np.array([kind != "" for kind in self.kinds]) & ~self.missing[place]
        reads = self.reads[place] & typed
        if (reads & timed).any():
            return True
        if not any(timed) and typed.any() and reads[typed].all():
            return True
        return names_above and bool(reads.any()) and 2 * reads.sum() >= typed.sum()

    def _stands_above_names(self, place: int, rows: Sequence[Row]) -> bool:
        """Whether the next row has only text where columns hold numbers: years above months."""
        below = place + 1
        if below >= min(len(rows), WITHIN) or not self.missing[place].any():
            return False
        typed = np.array([kind != "" for kind in self.kinds]) & ~self.missing[below]
        return bool(typed.sum() > 1 and not self.reads[below].any())

    def _is_title(self, place: int, rows: Sequence[Row], timed: list[bool]) -> bool:
        """Whether a row with nothing but a time stands above names: when a table was written."""
        if (~self.missing[place]).sum() > 1 or len(timed) < 2:
            return False
        later = range(place + 1, min(len(rows), WITHIN))
        return any(_fullness(rows[i]) > 1 and not self.reads[i].any() for i in later)


def _reading(top: list[str], body: list[str], kind: str) -> list[bool]:
    """Which of the first cells of a column read as what it holds."""
    if not kind:
        return [False] * len(top)
    distinct = list(dict.fromkeys(top + body))
    if kind == "number":
        bad = parse_numbers(distinct).bad
    else:
        times = parse_times(distinct)
        bad = np.ones(len(distinct), bool)
        if times is not None:  # "(h)" is a weekday to be left off, and nothing else
            bad = times.bad | (np.isnat(times.values) if times.values.dtype.kind == "M" else False)
    good = {text for text, wrong in zip(distinct, bad, strict=True) if not wrong}
    return [cell in good and not is_missing(cell) for cell in top]


def _named_by(above: Sequence[Row], first: int) -> Header:
    """The names that the rows above the data give."""
    full = [row for row in above if _is_full(row.cells)]
    if full:
        return Header(full[0].cells, [full[0]], first)
    levels = _levels(above)
    if levels is not None:
        return Header(levels[0], levels[1], first)
    fullest = max(_fullness(row) for row in above)
    named = [row for row in above if _fullness(row) == fullest]
    chosen = named[0] if _is_units(named[-1]) else named[-1]
    return Header(chosen.cells, [chosen], first)


def _levels(above: Sequence[Row]) -> tuple[list[str], list[Row]] | None:
    """Names in several rows, joined where they are distinct only together; an empty cell of an
    upper level continues the one before it, as merged cells do."""
    wide = [place for place, row in enumerate(above) if _filled(row) > 1]
    if len(wide) < 2:
        return None
    rows = [row for row in above[wide[0] :] if _filled(row)]
    lowest = above[wide[-1]]
    uppers = [_carried(row.cells) if row.line < lowest.line else row.cells for row in rows]
    parts = [
        [
            cells[j].strip()
            for cells, row in zip(uppers, rows, strict=True)
            if _counts(j, row, lowest)
        ]
        for j in range(len(lowest.cells))
    ]
    names = [_LEVELS.join(dict.fromkeys(part for part in column if part)) for column in parts]
    given = [name for name in names if name]
    return (names, rows) if len(set(given)) == len(given) > len(_distinct(lowest)) else None


def _counts(j: int, row: Row, lowest: Row) -> bool:
    """Whether a level names column j: what is carried on from the left does so only where the
    lowest level has a name too."""
    return bool(row.cells[j].strip() or (row.line < lowest.line and lowest.cells[j].strip()))


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
    times = parse_times(cells) if len(cells) >= 4 else None
    if times is None or times.form == "index" or times.bad.any():
        return False
    months = times.values.astype("datetime64[M]").astype(np.int64)
    return bool(len(set(np.diff(months))) == 1 and months[1] != months[0])


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
    taken: dict[str, int] = {}
    names: list[str] = []
    for place, cell in enumerate(cells, start=1):
        wanted = " ".join(cell.split()) or f"column{place}"
        name, number = wanted, taken.get(wanted, 1)
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        taken[wanted] = number
        taken.setdefault(name, 1)
        names.append(name)
    return names
