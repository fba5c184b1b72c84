"""What the first rows of a table hold: which are data, by what the columns hold further down."""

# C columns

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lstmcast.data.missingwords import is_missing
from lstmcast.data.numbers import parse_numbers
from lstmcast.data.times.dates import parse_times

WITHIN = 40  # rows; titles above a header are never longer in practice
_BODY = 60  # rows below those, which show what the columns hold


class Row(NamedTuple):
    """Cells of one line (from 1)."""

    line: int
    cells: list[str]


def texts_in(row: Row) -> list[str]:
    """The cells of a row that are not empty."""
    return [cell.strip() for cell in row.cells if cell.strip()]


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


def has_number(cells: Sequence[str]) -> bool:
    """Whether a cell is a number."""
    return any(kind_of([cell]) == "number" for cell in cells)


class FirstRows(NamedTuple):
    """What the columns hold below the header, and which of the first cells are that, (rows, C)."""

    kinds: list[str]
    reads: np.ndarray
    missing: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[Row]) -> FirstRows:
        skipped = min(WITHIN, len(rows) // 2)
        body = rows[skipped : skipped + _BODY]
        top = rows[:WITHIN]
        kinds, reads, missing = [], [], []
        for column, _ in enumerate(rows[0].cells):
            top_cells = [row.cells[column] for row in top]
            body_cells = [row.cells[column] for row in body]
            kind = kind_of(body_cells)
            kinds.append(kind)
            # together with the body: 2003/04 is a fiscal year there, and alone it would be a month
            reads.append(_reading(top_cells, body_cells[:WITHIN], kind))
            missing.append(list(map(is_missing, top_cells)))
        reads_CR = np.array(reads, bool)
        missing_CR = np.array(missing, bool)
        return cls(kinds, reads_CR.T, missing_CR.T)

    @property
    def has_time(self) -> np.ndarray:
        """Which columns hold times, (C,)."""
        return np.array(self.kinds) == "time"

    def typed(self, place: int) -> np.ndarray:
        """Which columns have a cell in that row and hold times or numbers below, (C,)."""
        has_kind = np.array(self.kinds) != ""
        return has_kind & ~self.missing[place]

    def first_data(self, rows: Sequence[Row]) -> int | None:
        """The first row of data among the first ones."""
        names_above = False
        for place, row in enumerate(rows[:WITHIN]):
            if self._begins_data(place, names_above, rows):
                return place
            if is_full(row.cells) and not self.reads[place].any():
                names_above = True
        return None

    def _begins_data(self, place: int, names_above: bool, rows: Sequence[Row]) -> bool:
        """Whether a row is data, and neither a title nor a name of columns."""
        if not self._is_data(place, names_above) or self._is_title(place, rows):
            return False
        return names_above or not self._stands_above_names(place)

    def _is_data(self, place: int, names_above: bool) -> bool:
        """Whether a row has a time; below a row of names, half of its cells being what their
        columns hold is enough."""
        typed = self.typed(place)
        reads = self.reads[place] & typed
        if (reads & self.has_time).any():
            return True
        if not reads.any():
            return False
        read_share = reads.sum() / typed.sum()
        if read_share == 1 and not self.has_time.any():
            return True
        return names_above and bool(read_share >= 0.5)

    def _stands_above_names(self, place: int) -> bool:
        """Whether the next row has only text where columns hold numbers: years above months."""
        below = place + 1
        if below == len(self.reads) or not self.missing[place].any():
            return False
        has_two_cells = self.typed(below).sum() > 1
        return bool(has_two_cells and not self.reads[below].any())

    def _is_title(self, place: int, rows: Sequence[Row]) -> bool:
        """Whether a row with nothing but a time stands above names: when a table was written."""
        has_cell = ~self.missing[place]
        if has_cell.sum() > 1 or len(has_cell) < 2:
            return False
        reads_any = np.any(self.reads, axis=1)
        for lower in range(place + 1, len(self.reads)):
            if text_count(rows[lower]) > 1 and not reads_any[lower]:
                return True
        return False


def _reading(top: list[str], body: list[str], kind: str) -> list[bool]:
    """Which of the first cells of a column read as what it holds."""
    if not kind:
        return [False] * len(top)
    distinct = list(dict.fromkeys(top + body))
    is_bad = parse_numbers(distinct).bad if kind == "number" else _no_times(distinct)
    is_bad_text = dict(zip(distinct, is_bad, strict=True))
    return [not is_missing(cell) and not is_bad_text[cell] for cell in top]


def _no_times(texts: list[str]) -> np.ndarray:
    """Which texts are no times."""
    times = parse_times(texts)
    if times is None:
        return np.ones(len(texts), bool)
    if times.values.dtype.kind != "M":
        return times.bad
    # "(h)" is a weekday to be left off, and nothing else
    return times.bad | np.isnat(times.values)


def text_count(row: Row) -> int:
    return len(set(texts_in(row)))


def is_title(row: Row) -> bool:
    """Whether a row has one text at most."""
    return text_count(row) < 2


def is_full(cells: Sequence[str]) -> bool:
    texts = [cell.strip() for cell in cells]
    return all(texts) and len(set(texts)) == len(texts)
