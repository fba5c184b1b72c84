"""Time labels written in full only where they change, such as a year before its first month."""

# N rows

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstmcast.data.cells.partjoining import last_filled
from lstmcast.data.findings import Finding, dropped_lines
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.times.shapes import DIGITS, MONTHS, tidied
from lstmcast.util.patterns import pattern_of

_YEAR_FIRST = pattern_of(
    r"(?P<head>(?:\d{4}|(?:令和|平成|昭和|大正|明治)\d{1,2})\s?[年/.\s-]\s?)(?P<rest>\S.*)"
)
_YEAR_LAST = pattern_of(r"(?P<rest>[^\W\d_]{3,9})(?P<head>\.?[ ,'-]+\d{4})")
_DAY_FIRST = pattern_of(
    r"(?P<head>(?:\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{4})[ t]+)(?P<rest>\d\d?:\d\d.*)"
)
_QUARTER = pattern_of(r"[qtk][1-4]|[1-4][qtk]|i{1,3}|iv")
_YEAR_ALONE = pattern_of(r"\d{4}年?")
_HEADS = (_YEAR_FIRST, _YEAR_LAST, _DAY_FIRST)
_MOST_TEXTS = 5000
_FEWEST_ROWS = 4
_SHARED = 0.75  # largest ratio of distinct times to rows with several series
_EMPTY = 0.3  # smallest share of cells that merged ones leave empty


def with_carried_labels(sheet: Sheet) -> Sheet:
    """The sheet with time labels completed by the year or day above them."""
    for column in sheet.columns:
        if not column.is_text or len(column) < _FEWEST_ROWS:
            continue
        if len(column.data) > _MOST_TEXTS:
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


def with_carried_keys(sheet: Sheet, time: str) -> Sheet:
    """The sheet with empty cells of names filled from above, if merged cells explain them.

    They do if the names then distinguish the rows of each time.
    """
    merged = [column for column in sheet.columns if _looks_merged(column)]
    if not merged:
        return sheet
    times = next(column for column in sheet.columns if column.name == time)
    codes = times.as_ids()[0]
    if len(np.unique(codes)) > _SHARED * len(sheet):
        return sheet
    for keys in (*([column] for column in merged), merged):
        completed = {
            id(column): column.take(last_filled(column.nameless)) for column in keys
        }
        if not _tell_apart(
            codes, [column.as_ids()[0] for column in completed.values()]
        ):
            continue
        names = ", ".join(column.name for column in keys)
        note = Finding(
            "series", "note", f"empty cells of {names} read as the cell above them"
        )
        columns = tuple(completed.get(id(column), column) for column in sheet.columns)
        return replace(sheet, columns=columns, notes=(*sheet.notes, note))
    return sheet


def _looks_merged(column: Column) -> bool:
    """Whether a text column starts with a text and has many empty cells below."""
    empty = column.nameless
    if not column.is_text or column.number_share >= 0.5 or len(column) < _FEWEST_ROWS:
        return False
    return bool(not empty[0] and empty.mean() >= _EMPTY)


def _tell_apart(times: np.ndarray, keys: Sequence[np.ndarray]) -> bool:
    """Whether no row repeats the time and the keys of another row."""
    rows = np.stack([times, *keys], axis=1)
    return len(np.unique(rows, axis=0)) == len(times)


def _mixed(texts: Sequence[str], pattern: re.Pattern[str]) -> bool:
    """Whether some, but not all, of the distinct texts match a pattern."""
    fits = {pattern.fullmatch(text) is not None for text in texts if text}
    return len(fits) > 1


def _carried(cells: Sequence[str], pattern: re.Pattern[str]) -> list[str] | None:
    """The cells, each completed with the last head before it; None if they are not written like
    this."""
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


def _are_headed_first(
    cells: Sequence[str], matches: Sequence[re.Match[str] | None]
) -> bool:
    """Whether the first label has a head and many others look like it without one."""
    kinds = {_kind(match["rest"]) for match in matches if match}
    headed, headless, alike = 0, 0, 0
    for cell, match in zip(cells, matches, strict=True):
        if not cell:
            continue
        if match:
            headed += 1
            continue
        if not headed:
            return False
        headless += 1
        alike += _kind(cell) in kinds
    labels = headed + headless
    return headed > 0 and headless >= 0.4 * labels and alike >= 0.9 * headless


def _kind(text: str) -> str:
    """The form of a label without its year: digits as 0, month names as one word."""
    tidy = text.strip().rstrip(".")
    if tidy in MONTHS:
        return "month"
    shape = re.sub(r"0+", "0", tidy.translate(DIGITS))
    return re.sub(r"\s+", "", shape)


def _years_stand_above(cells: Sequence[str]) -> bool:
    """Whether years have their own rows above rows with names of months or quarters."""
    labels = [cell for cell in cells if cell]
    if not labels or not _is_year(labels[0]):
        return False
    years = sum(_is_year(label) for label in labels)
    months = sum(_is_part_of_year(label) for label in labels)
    if months < 0.7 * len(labels):
        return False
    return years + months >= 0.95 * len(labels)


def _is_part_of_year(label: str) -> bool:
    return label.rstrip(".") in MONTHS or _QUARTER.fullmatch(label) is not None


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
            above[int(sheet.lines[row])] = f"the year {year} above its parts"
        else:
            data_rows.append(row)
        completed.append(cell and f"{cell.rstrip('.')} {year}")
    dropped = dropped_lines(above)
    replaced = _replaced(sheet, column, completed, cells)
    return replaced.take(np.array(data_rows), *dropped)


def _replaced(
    sheet: Sheet, column: Column, completed: Sequence[str], cells: Sequence[str]
) -> Sheet:
    pairs = zip(cells, completed, strict=True)
    example = next((cell, label) for cell, label in pairs if cell not in ("", label))
    note = "labels such as {!r} completed by the cells above it: {!r}".format(*example)
    new_column = Column.of_texts(column.name, completed)
    new_column = replace(new_column, notes=(note,))
    columns = list(sheet.columns)
    columns[columns.index(column)] = new_column
    return replace(sheet, columns=tuple(columns))
