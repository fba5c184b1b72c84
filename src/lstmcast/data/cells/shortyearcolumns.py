"""Columns of years of two digits that count on: 98, 99, 00, 01."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lstmcast.data.cells.partnames import kind_of_name
from lstmcast.data.findings import Finding
from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.times.periodwords import full_year
from lstmcast.util.patterns import pattern_of

_SHORT = pattern_of(r"\d{1,2}")
_FEWEST = 4  # years
_OLD = 41  # smaller ones may count years since a start


def with_full_years(sheet: Sheet) -> Sheet:
    """A sheet whose years of two digits, in a column of such a name, have four; unchanged where
    there are none."""
    columns = list(sheet.columns)
    for place, column in enumerate(columns):
        years = _years_of(column) if kind_of_name(column.name) == "year" else None
        if years is None:
            continue
        texts = column.spread(np.array(years, str).astype(object))
        columns[place] = Column.of_texts(column.name, texts.tolist())
        message = f"column {column.name!r}: years of two digits read as {years[0]} to {years[-1]}"
        note = Finding("dates", "note", message)
        return replace(sheet, columns=tuple(columns), notes=(*sheet.notes, note))
    return sheet


def _years_of(column: Column) -> list[int] | None:
    """The full years of distinct texts that count up or down by one; None for anything else."""
    if not column.is_text or len(column.data) < _FEWEST:
        return None
    texts = [str(text).strip() for text in column.data]
    if not all(map(_SHORT.fullmatch, texts)):
        return None
    numbers = np.array(texts, int)
    steps = np.diff(numbers)
    directions = set((steps % 100).tolist())
    if directions not in ({1}, {99}):
        return None
    turns = bool((np.abs(steps) > 1).any())
    has_zeros = any(len(text) == 2 and text[0] == "0" for text in texts)
    if not (turns or has_zeros or numbers.min() >= _OLD):
        return None
    is_upwards = directions == {1}
    newest = full_year(max(texts[0], texts[-1], key=full_year))
    years = range(newest - len(texts) + 1, newest + 1)
    return list(years) if is_upwards else list(reversed(years))
