"""Origins that share what transforms have learned, with the panel to decode them with.

O origins (series × cutoff) · N some of them · S series · R rows of K columns
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.decoding.feeding import Reader
from lstmcast.model.inputs import Transformed

MOST_VALUES = 4_000_000  # read at once for origins whose transforms are fitted anew


def transformed(reader: Reader) -> Transformed:
    """The inputs, of which each series is made once as a whole."""
    inputs = reader.network.config.inputs
    assert isinstance(inputs, Transformed)
    return inputs


class Share(NamedTuple):
    """Origins that share a state of the transforms: which of all they are, and the panel and
    origins to decode them with."""

    rows: NDArray
    panel: Panel
    origins: Origins


def fitted_alike(reader: Reader, panel: Panel, origins: Origins) -> Iterator[Share]:
    """Groups of origins that can share fitted transforms, with the panel and origins of each.

    Transforms fitted to a series are used at all of its origins. For other series, they are fitted
    to what is known at each origin; otherwise a forecast would use later values, or depend on the
    other origins.
    """
    inputs = transformed(reader)
    if not inputs.learns:
        yield Share(np.arange(len(origins.series)), panel, origins)
        return
    learned_O = _learned(reader, panel)[origins.series]
    if learned_O.any():
        rows = np.flatnonzero(learned_O)
        yield Share(rows, panel, Origins(origins.series[rows], origins.counts[rows]))
    unknown_N = np.flatnonzero(~learned_O)
    if inputs.columns > 1:
        yield from _rows_as_known(inputs.rows(panel), panel, origins, unknown_N)
        return
    for rows in _known_together(reader, origins, unknown_N):
        counts = origins.counts[rows]
        until_cutoffs = panel.part(origins.series[rows], 0, counts)
        yield Share(rows, until_cutoffs, Origins(np.arange(len(rows)), counts))


def _learned(reader: Reader, panel: Panel) -> NDArray:
    """Of which series the transforms have learned (S,): of all those of a row, or of none."""
    ids = set()
    if reader.fitted is not None:
        ids.update(reader.fitted.state.ids.tolist())
    learned_S = np.array([name in ids for name in panel.ids.tolist()], bool)
    rows_RK = transformed(reader).rows(panel)
    learned_S[rows_RK] = learned_S[rows_RK].all(axis=1, keepdims=True)
    return learned_S


def _rows_as_known(
    rows_RK: NDArray, panel: Panel, origins: Origins, unknown_N: NDArray
) -> Iterator[Share]:
    """Origins of one row at one cutoff, with what is known there of the series of the row."""
    row_S = np.empty(len(panel), np.int64)
    column_S = np.empty(len(panel), np.int64)
    row_S[rows_RK], column_S[rows_RK] = np.indices(rows_RK.shape)
    series_N = origins.series[unknown_N]
    count_N = origins.counts[unknown_N]
    row_N = row_S[series_N]
    pairs = np.unique(np.stack([row_N, count_N]), axis=1)
    for row, count in pairs.T:
        is_same_N = (row_N == row) & (count_N == count)
        counts_K = np.full(rows_RK.shape[1], count)
        column_N = column_S[series_N[is_same_N]]
        yield Share(
            rows=unknown_N[is_same_N],
            panel=panel.part(rows_RK[row], 0, counts_K),
            origins=Origins(column_N, count_N[is_same_N]),
        )


def _known_together(
    reader: Reader, origins: Origins, unknown_N: NDArray
) -> Iterator[NDArray]:
    """Origins whose series are learned from in one go: by the k-th of each series, or as many as
    fit."""
    inputs = transformed(reader)
    series_N = origins.series[unknown_N]
    count_N = origins.counts[unknown_N]
    if reader.fitted is None and inputs.pooled:
        order = np.lexsort((count_N, series_N))
        sorted_N = series_N[order]
        key_N = np.empty_like(count_N)
        key_N[order] = np.arange(len(order)) - np.searchsorted(sorted_N, sorted_N)
    else:
        key_N = np.cumsum(count_N) // MOST_VALUES
    for key in np.unique(key_N):
        yield unknown_N[key_N == key]
