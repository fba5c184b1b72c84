"""Which character separates the cells of a text."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable

from lstmcast.data.numbers import parse_numbers
from lstmcast.data.times.dates import parse_times

_DELIMITERS = ";\t|,"
_RARE = "~^§¦"


def find_delimiter(text: str) -> str:
    """The delimiter that splits most lines into equally many cells; "," if there is none.

    >>> find_delimiter("Datum;Umsatz\\n01.02.2024;1,5\\n02.02.2024;2,5\\n")
    ';'
    """
    lines = text[: 1 << 17].splitlines(keepends=True)[:400]
    lines = [line for line in lines if line.strip()]
    declared = re.fullmatch(r'"?sep=(.)"?', lines[0].strip()) if lines else None
    if declared is not None:  # Excel writes and reads it
        return declared[1]
    lines = [line for line in lines if not line.lstrip().startswith("#")] or lines
    best_delimiter, best_share = "", 0.0
    for delimiter in _between_quotes(lines) or _DELIMITERS:
        share = _evenness(_sample_rows(lines, delimiter))
        if share > best_share + 0.1:
            best_delimiter = delimiter
            best_share = share
    if best_delimiter and best_share >= 0.5:
        return best_delimiter
    whole_lines = [line.strip() for line in lines[1:50]]
    if not _are_single_cells(whole_lines) and _evenness(map(str.split, lines)) >= 0.6:
        return " "
    return best_delimiter or _of_largest_table(lines) or _rare(lines) or ","


def _rare(lines: list[str]) -> str:
    """A rare delimiter that all lines have, as often as each other; "" where there is none."""
    for delimiter in _RARE:
        counts = {line.count(delimiter) for line in lines}
        if len(counts) == 1 and 0 not in counts and len(lines) > 2:
            return delimiter
    return ""


def _of_largest_table(lines: list[str]) -> str:
    """The delimiter with most cells in rows of one width, where most lines are text beside a small
    table; "" where there is none."""
    likeliest = ""
    most_cells = 0
    for delimiter in (*_DELIMITERS, " "):
        if delimiter == " ":
            rows = map(str.split, lines)
        else:
            rows = _sample_rows(lines, delimiter)
        widths = Counter(map(len, rows))
        for width, count in widths.items():
            fewest = 3 if delimiter == " " else 2
            is_table = count >= fewest and width > 3
            if is_table and count * width > most_cells:
                likeliest = delimiter
                most_cells = count * width
    return likeliest


def _are_single_cells(texts: list[str]) -> bool:
    """Whether most texts are times, or numbers."""
    times = parse_times(texts)
    if times is not None and times.bad.mean() < 0.5:
        return True
    return len(texts) > 0 and bool(parse_numbers(texts).bad.mean() < 0.5)


def _between_quotes(lines: list[str]) -> str:
    """The character between quoted cells in nearly all lines."""
    for delimiter in _DELIMITERS:
        between = f'"{delimiter}"'
        if sum(between in line for line in lines) >= 0.9 * len(lines) > 0:
            return delimiter
    return ""


def _sample_rows(lines: list[str], delimiter: str) -> list[list[str]]:
    """The rows of some lines, none where one row is as long as half of them: a quote behind some
    other delimiter opens a cell there that never ends."""
    rows = []
    longest = 0
    last_line = 0
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for row in reader:
            rows.append(row)
            longest = max(longest, reader.line_num - last_line)
            last_line = reader.line_num
    except csv.Error:
        return rows
    return [] if longest > max(3, len(lines) / 2) else rows


def _evenness(rows: Iterable[list[str]]) -> float:
    """Share of the rows with the most common number of cells; 0 if that is one."""
    counts = Counter()
    for row in rows:
        if any(cell.strip() for cell in row):
            counts[len(row)] += 1
    if not counts:
        return 0.0
    width, count = counts.most_common(1)[0]
    return count / counts.total() if width > 1 else 0.0
