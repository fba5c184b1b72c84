"""Labels of time that are written in full only where they change: a year before its first month or
quarter, a day before its first hour."""

# N rows

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstmcast.data.shapes import DIGITS, MONTHS, tidied
from lstmcast.data.sheet import Column, Sheet, dropped_lines

_YEAR_FIRST = re.compile(
    r"(?P<head>(?:\d{4}|(?:令和|平成|昭和|大正|明治)\d{1,2})\s?[年/.\s-]\s?)(?P<rest>\S.*)"
)
_YEAR_LAST = re.compile(r"(?P<rest>[^\W\d_]{3,9})(?P<head>\.?[ ,'-]+\d{4})")
_DAY_FIRST = re.compile(
    r"(?P<head>(?:\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{4})[ t]+)(?P<rest>\d\d?:\d\d.*)"
)
_YEAR_ALONE = re.compile(r"\d{4}年?")
_HEADS = (_YEAR_FIRST, _YEAR_LAST, _DAY_FIRST)
_MOST_TEXTS = 5000
_FEWEST_ROWS = 4


def with_carried_labels(sheet: Sheet) -> Sheet:
    """The sheet with the labels of one column completed by the year or day above them; as it is
    where all are complete."""
    for column in sheet.columns:
        if not column.is_text or len(column.data) > _MOST_TEXTS or len(column) < _FEWEST_ROWS:
            continue
        texts = [tidied(str(text)) for text in column.data]
        patterns = [pattern for pattern in _HEADS if _mixed(texts, pattern)]
        if not patterns and not _mixed(texts, _YEAR_ALONE):
            continue
        assert column.codes is not None
        cells = [texts[code] for code in column.codes.tolist()]
        for pattern in patterns:
            completed = _carried(cells, pattern)
            if completed is not None:
                return _replaced(sheet, column, completed, cells)
        if _years_stand_above(cells):
            return _without_years(sheet, column, cells)
    return sheet


def _mixed(texts: Sequence[str], pattern: re.Pattern[str]) -> bool:
    """Whether some of the distinct texts are of a pattern, and some are not."""
    fits = {pattern.fullmatch(text) is not None for text in texts if text}
    return len(fits) > 1


def _carried(cells: Sequence[str], pattern: re.Pattern[str]) -> list[str] | None:
    """The cells, each with the head of the newest one that has one; None where that is not how
    they are written."""
    matches = [pattern.fullmatch(cell) for cell in cells]
    if not _are_headed_first(cells, matches):
        return None
    head = ""
    completed = []
    for cell, match in zip(cells, matches, strict=True):
        if match:
            head = match["head"]
        if match or not cell:
            completed.append(cell)
        elif pattern is _YEAR_LAST:
            completed.append(cell + head)
        else:
            completed.append(head + cell)
    return completed


def _are_headed_first(cells: Sequence[str], matches: Sequence[re.Match[str] | None]) -> bool:
    """Whether the first label has a head, and many others look like it without theirs."""
    kinds = {_kind(match["rest"]) for match in matches if match}
    labels = [(cell, match) for cell, match in zip(cells, matches, strict=True) if cell]
    if not labels or labels[0][1] is None:
        return False
    headless = [cell for cell, match in labels if match is None]
    alike = [cell for cell in headless if _kind(cell) in kinds]
    return len(headless) >= 0.4 * len(labels) and len(alike) >= 0.9 * len(headless)


def _kind(text: str) -> str:
    """What a label without its year looks like: digits as 0, names of months alike."""
    tidy = text.strip().rstrip(".")
    if tidy in MONTHS:
        return "month"
    shape = re.sub(r"0+", "0", tidy.translate(DIGITS))
    return re.sub(r"\s+", "", shape)


def _years_stand_above(cells: Sequence[str]) -> bool:
    """Whether years stand in rows of their own, above rows with the names of months."""
    labels = [cell for cell in cells if cell]
    if not labels or not _is_year(labels[0]):
        return False
    years = sum(_is_year(label) for label in labels)
    months = sum(label.rstrip(".") in MONTHS for label in labels)
    return months >= 0.7 * len(labels) and years + months >= 0.95 * len(labels)


def _is_year(label: str) -> bool:
    return _YEAR_ALONE.fullmatch(label) is not None


def _without_years(sheet: Sheet, column: Column, cells: Sequence[str]) -> Sheet:
    year = ""
    above = {}
    completed = []
    data_rows = []
    for row, cell in enumerate(cells):
        if _is_year(cell):
            year = cell.rstrip("年")
            above[int(sheet.lines[row])] = f"the year {year} above its months"
        else:
            data_rows.append(row)
        completed.append(cell and f"{cell.rstrip('.')} {year}")
    dropped = dropped_lines(above)
    return _replaced(sheet, column, completed, cells).take(np.array(data_rows), *dropped)


def _replaced(
    sheet: Sheet, column: Column, completed: Sequence[str], cells: Sequence[str]
) -> Sheet:
    pairs = zip(cells, completed, strict=True)
    cell, label = next(pair for pair in pairs if pair[0] and pair[0] != pair[1])
    note = f"labels such as {cell!r} completed by what stands above it: {label!r}"
    new_column = replace(Column.of_texts(column.name, completed), notes=(note,))
    columns = list(sheet.columns)
    columns[columns.index(column)] = new_column
    return replace(sheet, columns=tuple(columns))
