"""Labels of time that are written in full only where they change: a year before its first month or
quarter, a day before its first hour."""

# N rows

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstmcast.data.findings import Finding
from lstmcast.data.partjoining import last_filled
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
_MOST_TEXTS = 5000
_FEWEST_ROWS = 4
_SHARED = 0.75  # distinct times per row, at most, for several series
_EMPTY = 0.3  # share of cells that merged ones leave empty, at least


def with_carried_labels(sheet: Sheet) -> Sheet:
    """The sheet with the labels of one column completed by the year or day above them; as it is
    where all are complete."""
    for column in sheet.columns:
        if not column.is_text or len(column.data) > _MOST_TEXTS or len(column) < _FEWEST_ROWS:
            continue
        texts = [tidied(str(text)) for text in column.data]
        patterns = [p for p in (_YEAR_FIRST, _YEAR_LAST, _DAY_FIRST) if _mixed(texts, p)]
        if not patterns and not _mixed(texts, _YEAR_ALONE):
            continue
        assert column.codes is not None
        cells = [texts[code] for code in column.codes.tolist()]
        for pattern in patterns:
            carried = _carried(cells, pattern)
            if carried is not None:
                return _replaced(sheet, column, carried, cells)
        if _years_stand_above(cells):
            return _without_years(sheet, column, cells)
    return sheet


def with_carried_keys(sheet: Sheet, time: str) -> Sheet:
    """The sheet with empty cells of names filled by the one above them, as merged cells leave them,
    where that tells the rows of each time apart; as it is elsewhere."""
    times = next(column for column in sheet.columns if column.name == time)
    codes = times.as_ids()[0]
    if len(np.unique(codes)) > _SHARED * len(sheet):
        return sheet
    merged = [column for column in sheet.columns if _looks_merged(column)]
    if not merged:
        return sheet
    for keys in (*([column] for column in merged), merged):
        completed = {id(column): column.take(last_filled(column.nameless)) for column in keys}
        if not _tell_apart(codes, [column.as_ids()[0] for column in completed.values()]):
            continue
        names = ", ".join(column.name for column in keys)
        note = Finding("series", "note", f"empty cells of {names} read as the one above them")
        columns = tuple(completed.get(id(column), column) for column in sheet.columns)
        return replace(sheet, columns=columns, notes=(*sheet.notes, note))
    return sheet


def _looks_merged(column: Column) -> bool:
    """Whether a column of texts begins with one and has many empty cells below."""
    empty = column.nameless
    if not column.is_text or column.number_share >= 0.5 or len(column) < _FEWEST_ROWS:
        return False
    return bool(not empty[0] and empty.mean() >= _EMPTY)


def _tell_apart(times: np.ndarray, keys: Sequence[np.ndarray]) -> bool:
    """Whether no row repeats the time and the keys of another one."""
    rows = np.stack([times, *keys], axis=1)
    return len(np.unique(rows, axis=0)) == len(times)


def _mixed(texts: Sequence[str], pattern: re.Pattern[str]) -> bool:
    """Whether some of the distinct texts are of a pattern, and some are not."""
    fits = {pattern.fullmatch(text) is not None for text in texts if text}
    return len(fits) > 1


def _carried(cells: Sequence[str], pattern: re.Pattern[str]) -> list[str] | None:
    """The cells, each with the head of the newest one that has one; None where that is not how
    they are written."""
    first = next((cell for cell in cells if cell), "")
    start = pattern.fullmatch(first)
    if start is None:
        return None
    rests = {_kind(match["rest"]) for match in map(pattern.fullmatch, cells) if match}
    bare = [cell for cell in cells if cell and pattern.fullmatch(cell) is None]
    known = sum(bool(cell) for cell in cells)
    if len(bare) < 0.4 * known or sum(_kind(cell) in rests for cell in bare) < 0.9 * len(bare):
        return None
    head, completed = "", []
    for cell in cells:
        match = pattern.fullmatch(cell)
        head = match["head"] if match else head
        last = pattern is _YEAR_LAST
        whole = cell if match or not cell else (cell + head if last else head + cell)
        completed.append(whole)
    return completed


def _kind(text: str) -> str:
    """What a label without its year looks like: digits as 0, names of months alike."""
    tidy = text.strip().rstrip(".")
    if tidy in MONTHS:
        return "month"
    return re.sub(r"\s+", "", re.sub(r"0+", "0", tidy.translate(DIGITS)))


def _years_stand_above(cells: Sequence[str]) -> bool:
    """Whether years stand in rows of their own, above rows with the names of months."""
    years = [bool(_YEAR_ALONE.fullmatch(cell)) for cell in cells]
    months = [cell.rstrip(".") in MONTHS for cell in cells]
    there = sum(bool(cell) for cell in cells)
    first = next((place for place, cell in enumerate(cells) if cell), 0)
    return years[first] and sum(months) >= 0.7 * there and sum(years) + sum(months) >= 0.95 * there


def _without_years(sheet: Sheet, column: Column, cells: Sequence[str]) -> Sheet:
    year, completed, above = "", [], {}
    for row, cell in enumerate(cells):
        if _YEAR_ALONE.fullmatch(cell):
            year = cell.rstrip("年")
            above[int(sheet.lines[row])] = f"the year {year} above its months"
        completed.append(f"{cell.rstrip('.')} {year}" if cell else "")
    rest = np.flatnonzero([not _YEAR_ALONE.fullmatch(cell) for cell in cells])
    return _replaced(sheet, column, completed, cells).take(rest, *dropped_lines(above))


def _replaced(
    sheet: Sheet, column: Column, completed: Sequence[str], cells: Sequence[str]
) -> Sheet:
    shown = next((c, w) for c, w in zip(cells, completed, strict=True) if c and c != w)
    note = f"labels such as {shown[0]!r} completed by what stands above it: {shown[1]!r}"
    filled = replace(Column.of_texts(column.name, completed), notes=(note,))
    return replace(sheet, columns=tuple(filled if own is column else own for own in sheet.columns))
