"""Rows of a stream whose values are whole numbers: what is predicted of them is so as well.

S series · R rows of a tick · K columns of a row · N forecasts
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.origins import Origins, origins_of
from lstmcast.data.panel import Panel
from lstmcast.data.table import Kind
from lstmcast.data.wholes import LARGEST, whole_origins
from lstmcast.model.network import Network
from lstmcast.streaming.opening import remembered, was_asked

# What rows are: of any values; of small whole numbers so far; of counts until a fraction comes.
FRACTIONS, SMALL, COUNTS = range(3)


def whole_of_new(start: Any, panel: Panel | None, kind: Kind | None) -> int:
    """What rows are that begin empty: counts, if that is declared or was recognised."""
    if kind is None:
        known_panel = panel if panel is not None and was_asked(panel) else remembered(start)
        kind = None if known_panel is None else known_panel.kind
    return COUNTS if kind == "count" else FRACTIONS


def whole_of_panel(panel: Panel, context: Any, common: int, is_declared: bool) -> NDArray:
    """What the series of a panel are (S,)."""
    ends = origins_of(panel)
    if is_declared or not was_asked(panel):
        return whole_after(np.full(len(panel), common), _values(panel, ends))
    is_whole_S = whole_origins(panel, ends, context.start(ends.counts))
    whole_S = np.where(panel.kinds == "count", COUNTS, SMALL)
    return np.where(is_whole_S, whole_S, FRACTIONS)


def _values(panel: Panel, ends: Origins) -> NDArray:
    """A fraction of each series that has any, else a whole number (S, 1)."""
    fraction_N = np.nan_to_num(np.abs(panel.values - np.rint(panel.values)))
    begin_S = panel.offsets[:-1]
    largest_S = np.zeros(len(panel))
    has_values_S = ends.counts > 0
    if has_values_S.any():
        largest_S[has_values_S] = np.maximum.reduceat(fraction_N, begin_S[has_values_S])
    return largest_S[:, None]


def whole_after(whole_R: NDArray, values_RK: NDArray) -> NDArray:
    """What rows are (R,) that have had these values."""
    has_fraction_R = (np.abs(values_RK - np.rint(values_RK)) > 0).any(axis=1)
    is_large_R = (values_RK > LARGEST).any(axis=1)
    is_no_longer_R = has_fraction_R | (is_large_R & (whole_R == SMALL))
    return np.where(is_no_longer_R, FRACTIONS, whole_R)


def are_answered_whole(network: Network, whole_R: NDArray) -> NDArray:
    """Which rows are answered in whole numbers (R,): none by a head without quantiles, whose answer
    may be a mean."""
    return (whole_R != FRACTIONS) & network.head.spreads
