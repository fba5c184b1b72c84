"""The width of text in a terminal, and line breaks, in any script."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from unicodedata import combining, east_asian_width

from lstmcast.util.patterns import pattern_of


def width(text: str) -> int:
    """The number of terminal columns that a text needs: two for an ideograph.

    >>> width("MAE"), width("誤差")
    (3, 4)
    """
    letters = [letter for letter in text if not combining(letter)]
    return len(letters) + sum(east_asian_width(letter) in "WF" for letter in letters)


# What is not divided by line breaks: a word or, in scripts without spaces (Chinese, Japanese), one
# letter with the brackets before it and the marks after it.
_WIDE = "\\u2e80-\\u9fff\\uac00-\\ud7af\\uf900-\\ufaff\\uff00-\\uff60"
_UNBROKEN = pattern_of(
    rf"[「『（]*(?:[^\s{_WIDE}]+|\s+|.)[、。，．：；？！」』）％ー…)\]]*"
)


def wrapped(text: str, columns: int, initial: str = "", subsequent: str = "") -> str:
    """Text wrapped to this number of columns, also if it is written without spaces.

    >>> print(wrapped("系列ごとに予測します。", 12))
    系列ごとに予
    測します。
    """
    if text.isascii():
        return textwrap.fill(
            text, columns, initial_indent=initial, subsequent_indent=subsequent
        )
    lines = []
    line = initial
    for piece in _UNBROKEN.findall(text):
        if width(line) + width(piece.rstrip()) > columns and line.strip():
            lines.append(line.rstrip())
            line = subsequent
        line += piece if line.strip() else piece.lstrip()
    return "\n".join([*lines, line.rstrip()])


def aligned(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    left_aligned: Sequence[str] = (),
) -> str:
    """A table with right-aligned columns, except for those in `left_aligned`.

    >>> rows = [["naive", "12.5"], ["lstmcast", "7.25"]]
    >>> print(aligned(["model", "MAE"], rows, left_aligned=["model"]))
    model      MAE
    naive     12.5
    lstmcast  7.25
    """
    widths = [max(map(width, column)) for column in zip(header, *rows, strict=True)]
    sides = [name in left_aligned for name in header]
    lines = (
        "  ".join(
            padded(cell, wide, side)
            for cell, wide, side in zip(row, widths, sides, strict=True)
        )
        for row in (header, *rows)
    )
    return "\n".join(line.rstrip() for line in lines)


def fitting(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    columns: int | None,
    left_aligned: Sequence[str] = (),
    keys: int = 1,
) -> str:
    """The same table for a terminal of this width: columns that do not fit follow below, with the
    first `keys` columns repeated, which tell the rows apart.

    >>> header, rows = ["model", "MAE", "RMSE"], [["naive", "12.5", "14.1"]]
    >>> print(fitting(header, rows, 12, left_aligned=["model"]))
    model   MAE
    naive  12.5
    <BLANKLINE>
    model  RMSE
    naive  14.1

    >>> header, rows = ["id", "day", "low", "high"], [["a", "1", "12.5", "14.1"]]
    >>> print(fitting(header, rows, 14, left_aligned=["id"], keys=2))
    id  day   low
    a     1  12.5
    <BLANKLINE>
    id  day  high
    a     1  14.1
    """
    cells = [header, *rows]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    if columns is None or sum(widths) + 2 * (len(widths) - 1) <= columns:
        return aligned(header, rows, left_aligned)
    labels = list(range(keys))
    blocks: list[list[int]] = [[*labels]]
    for number in range(keys, len(widths)):
        wide = sum(widths[index] + 2 for index in blocks[-1])
        is_full = wide + widths[number] > columns
        if is_full and len(blocks[-1]) > keys:
            blocks.append([*labels])
        blocks[-1].append(number)
    tables = []
    for block in blocks:
        lines = [[row[number] for number in block] for row in cells]
        tables.append(aligned(lines[0], lines[1:], left_aligned))
    return "\n\n".join(tables)


def padded(cell: str, columns: int, is_left: bool) -> str:
    """Text padded with spaces to this number of columns."""
    space = " " * (columns - width(cell))
    return cell + space if is_left else space + cell
