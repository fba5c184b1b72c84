"""Headers of tables whose columns are numbered: hours 1 to 24, days 1 to 31."""

from __future__ import annotations

from collections.abc import Sequence

_FEWEST = 12  # columns that are numbered, such as months, hours and days


def counts_on(cells: Sequence[str], following_cells: Sequence[str]) -> bool:
    """Whether a row counts 1, 2, 3, … or from 0, beside an empty cell or a name above names.

    >>> counts_on(["", *map(str, range(1, 25))], ["price", *["5.5"] * 24])
    True
    """
    title, *numbered = [cell.strip() for cell in cells]
    name = following_cells[0].strip()
    counts = list(filter(None, numbered))
    if title[:1].isdigit() or not name[:1].isalpha() or len(counts) < _FEWEST:
        return False
    if not all(map(str.isdecimal, counts)):
        return False
    lowest = int(counts[0])
    return lowest < 2 and list(map(int, counts)) == list(
        range(lowest, lowest + len(counts))
    )
