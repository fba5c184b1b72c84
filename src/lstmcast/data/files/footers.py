"""Notes below a table that have as many cells as its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lstmcast.data.files.firstrows import Row, kind_of
from lstmcast.util.patterns import pattern_of

_MOST = 20  # rows below the data
_BODY = 60  # rows that show what the first column holds
_WORDS = pattern_of(
    r"(?:sources?|notes?|footnotes?|quellen?|anmerkung(?:en)?|hinweis|fuente|nota|fonte|źródło|zdroj|"
    r"forrás|kaynak|lähde|källa|kilde|bron|источник|примечани[ея]|出典|資料|注|资料来源|출처|자료)\b",
    re.IGNORECASE,
)


def without_notes_below(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Rows of data, and the notes below them: texts where the first column holds times or numbers,
    below a blank line or begun by a word such as "Source".

    >>> rows = [Row(1, ["2024", "5"]), Row(2, ["2025", "6"]), Row(4, ["Source: us", " 2024"])]
    >>> len(without_notes_below(rows)[0])
    2
    """
    body = [row.cells[0] for row in rows[:_BODY]]
    first_text = _first_text(rows)
    if first_text == len(rows) or not kind_of(body):
        return list(rows), []
    for place in range(max(1, first_text), len(rows)):
        is_set_off = rows[place].line > rows[place - 1].line + 1
        if is_set_off or _WORDS.match(rows[place].cells[0].strip()):
            return list(rows[:place]), list(rows[place:])
    return list(rows), []


def _first_text(rows: Sequence[Row]) -> int:
    """From where on rows begin with a text and nothing else, among the last ones."""
    place = len(rows)
    while place > max(0, len(rows) - _MOST):
        cell = rows[place - 1].cells[0].strip()
        if not cell or kind_of([cell]):
            break
        place -= 1
    return place
