"""How wide a text is in a terminal, and where its lines may break, in any script."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from unicodedata import combining, east_asian_width


def width(text: str) -> int:
    """Columns that a terminal needs: two for an ideograph.

    >>> width("MAE"), width("誤差")
    (3, 4)
    """
    return sum(
        2 if east_asian_width(letter) in "WF" else 1 for letter in text if not combining(letter)
    )


# What a line does not break: a word, or where there are no spaces (Chinese, Japanese) one letter,
# with the brackets before it and the marks after it.
_WIDE = "\\u2e80-\\u9fff\\uac00-\\ud7af\\uf900-\\ufaff\\uff00-\\uff60"
_UNBROKEN = re.compile(rf"[「『（]*(?:[^\s{_WIDE}]+|\s+|.)[、。，．：；？！」』）％ー…)\]]*")


def wrapped(text: str, columns: int, initial: str = "", later: str = "") -> str:
    """Text in lines of so many columns, also where it is written without spaces.

    >>> print(wrapped("系列ごとに予測します。", 12))
    系列ごとに予
    測します。
    """
    if text.isascii():
        return textwrap.fill(text, columns, initial_indent=initial, subsequent_indent=later)
    lines, line = [], initial
    for piece in _UNBROKEN.findall(text):
        if width(line) + width(piece.rstrip()) > columns and line.strip():
            lines.append(line.rstrip())
            line = later
        line += piece if line.strip() else piece.lstrip()
    return "\n".join([*lines, line.rstrip()])


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[str] = ()) -> str:
    """Columns aligned to the right, or to the left for those named.

    >>> print(aligned(["model", "MAE"], [["naive", "12.5"], ["lstmcast", "7.25"]], left=["model"]))
    model      MAE
    naive     12.5
    lstmcast  7.25
    """
    widths = [max(map(width, column)) for column in zip(header, *rows, strict=True)]
    sides = [name in left for name in header]
    lines = (
        "  ".join(
            padded(cell, wide, side) for cell, wide, side in zip(row, widths, sides, strict=True)
        )
        for row in (header, *rows)
    )
    return "\n".join(line.rstrip() for line in lines)


def fitting(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    columns: int | None,
    left: Sequence[str] = (),
) -> str:
    """The same in a terminal of so many columns: what has no room stands below, with the first
    column again.

    >>> print(fitting(["model", "MAE", "RMSE"], [["naive", "12.5", "14.1"]], 12, left=["model"]))
    model   MAE
    naive  12.5
    <BLANKLINE>
    model  RMSE
    naive  14.1
    """
    cells = [header, *rows]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    if columns is None or sum(widths) + 2 * (len(widths) - 1) <= columns:
        return aligned(header, rows, left)
    blocks: list[list[int]] = [[0]]
    for i in range(1, len(widths)):
        wide = sum(widths[k] + 2 for k in blocks[-1]) + widths[i]
        if wide > columns and len(blocks[-1]) > 1:
            blocks.append([0])
        blocks[-1].append(i)
    parts = ([[row[i] for i in block] for row in cells] for block in blocks)
    return "\n\n".join(aligned(part[0], part[1:], left) for part in parts)


def padded(cell: str, columns: int, left: bool) -> str:
    """Text filled up with spaces to so many columns."""
    space = " " * (columns - width(cell))
    return cell + space if left else space + cell
