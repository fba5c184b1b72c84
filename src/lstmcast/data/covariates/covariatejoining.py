"""Joining covariates of series that continue with newer data or form one panel."""

# M observations of all series and of their coming steps · S series

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lstmcast.advice import advise
from lstmcast.data.features import Columns, Covariates, Future, Levels, listed
from lstmcast.data.levels import recoded
from lstmcast.data.ragged import offsets_of, segments, spread
from lstmcast.data.ragged import places as steps_of
from lstmcast.errors import DataError

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel


def continued_future(
    older: Future, newer: Future, places: NDArray, steps: NDArray
) -> Future:
    """Future columns of series that continue with newer data (S,): newer values win.

    Missing newer values erase nothing. places (S,): indices of the saved series, −1 for none ·
    steps (S,): steps of the joined series at which the newer data begin.
    """
    newer_lengths = newer.lengths if newer else np.zeros_like(places)
    newer_offsets = offsets_of(newer_lengths)
    older_lengths = np.zeros_like(places)
    from_places = older_lengths[:0]
    if older:
        older_lengths = np.append(older.lengths, 0)[places]
        older_places = np.maximum(places, 0)
        from_places, _ = segments(older.offsets, older_places, 0, older_lengths)
    older_offsets = offsets_of(older_lengths)
    ends = np.where(newer_lengths > 0, steps + newer_lengths, 0)
    lengths = np.maximum(older_lengths, ends)
    offsets = offsets_of(np.maximum(lengths, 0))
    begins = offsets[:-1]
    to_older_places = spread(begins, older_offsets) + steps_of(older_offsets)
    newer_steps = spread(steps, newer_offsets) + steps_of(newer_offsets)
    to_newer_places = spread(begins, newer_offsets) + newer_steps
    columns, levels = {}, {}
    for name in dict.fromkeys([*older.columns, *newer.columns]):
        joined_M = np.full(offsets[-1], np.nan)
        union = _union(older.levels, newer.levels, name)
        if union:
            levels[name] = union
        if name in older.columns:
            own_levels = older.levels.get(name)
            values = recoded(older.columns[name], own_levels, union)
            joined_M[to_older_places] = values[from_places]
        if name in newer.columns:
            own_levels = newer.levels.get(name)
            values = recoded(newer.columns[name], own_levels, union)
            is_said = ~np.isnan(values) & (newer_steps >= 0)
            to_places = to_newer_places[is_said]
            joined_M[to_places] = values[is_said]
        columns[name] = joined_M
    if not columns:
        return Future()
    return Future(columns, offsets, levels, older.apart or newer.apart, older.share)


def _union(older: Levels, newer: Levels, name: str) -> tuple[str, ...]:
    """The categories that a column has in either of two panels, the older ones first."""
    older_texts = older.get(name, ())
    newer_texts = newer.get(name, ())
    return tuple(dict.fromkeys(older_texts + newer_texts))


def continued_static(
    older: Covariates, newer: Covariates, places: NDArray
) -> tuple[Columns, Levels]:
    """Static columns of series that continue with newer data, and category names: newer values win.

    Missing newer values erase nothing. places (S,): indices of the saved series, −1 for none.
    """
    columns, levels = {}, {}
    for name in dict.fromkeys([*older.static, *newer.static]):
        union = _union(older.static_levels, newer.static_levels, name)
        if union:
            levels[name] = union
        values = np.full(len(places), np.nan)
        if name in older.static:
            own_levels = older.static_levels.get(name)
            old_values = recoded(older.static[name], own_levels, union)
            values = np.append(old_values, np.nan)[places]
        if name in newer.static:
            own_levels = newer.static_levels.get(name)
            new_values = recoded(newer.static[name], own_levels, union)
            is_unknown = np.isnan(new_values)
            values = np.where(is_unknown, values, new_values)
        columns[name] = values
    return columns, levels


def joined_futures(first: Future, second: Future, counts: tuple[int, int]) -> Future:
    """The future columns of two panels, concatenated."""
    of_first, of_second = counts
    absent = np.full(of_second, -1)
    places = np.append(np.arange(of_first), absent)
    if second:
        no_steps = np.zeros(of_first, np.int64)
        offsets = np.append(no_steps, second.offsets)
        second = replace(second, offsets=offsets)
    if first and len(first.offsets) != of_first + 1:
        raise ValueError("the future columns belong to other series")
    begin = np.zeros(len(places), np.int64)
    return continued_future(first, second, places, begin)


def require_columns(
    remembered: Covariates, newer: Panel, is_continued_S: NDArray
) -> None:
    """Raise DataError where newer data lack columns of saved data: past ones, and those that are
    known in advance, of which a saved plan may still hold where all series continue."""
    source = newer.report.source
    newer.covariates.require(remembered.past, source)
    newer_columns = newer.covariates.future.columns
    lacking = [name for name in remembered.future.columns if name not in newer_columns]
    if not lacking or is_continued_S.all():
        return
    columns, are_or_is = ("column", "is") if len(lacking) == 1 else ("columns", "are")
    raise DataError(
        f"{source}: the {columns} {listed(lacking)}, known in advance in the data of the model, "
        f"{are_or_is} missing. Read the data with {advise('future', ','.join(lacking))}."
    )
