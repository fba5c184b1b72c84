"""What was tried, kept in half of the memory until the weights of all series are known.

O origins · J held-out cutoffs of each · H horizon · Q quantile levels
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.evaluation.held_out import HeldOut, Tried, actual_after
from lstmcast.model.heads import MEDIAN
from lstmcast.util.parallel import give_back_memory

ROUNDING = 2.0**-22  # of the largest distance, that 32 bits move a quantile by, and some more


class PackedQuantiles(NamedTuple):
    """Quantiles (O, …, Q) as medians, and distances from them in 32 bits: these are rounded by
    less than a ten-millionth of the largest distance of their origin."""

    median: NDArray
    largest_O: NDArray
    apart: NDArray  # float32, in units of the largest

    @classmethod
    def of(cls, quantiles: NDArray) -> PackedQuantiles:
        """From quantiles in 64 bits."""
        median = quantiles[..., MEDIAN].copy()
        apart = quantiles - median[..., None]
        sizes = np.abs(apart).reshape(len(apart), -1)
        largest_O = np.fmax.reduce(sizes, axis=1, initial=0.0)
        largest_O = np.where(np.isfinite(largest_O) & (largest_O > 0), largest_O, 1.0)
        apart /= _as_rows(largest_O, apart)
        return cls(median, largest_O, apart.astype(np.float32))

    def unpacked(self) -> NDArray:
        """The quantiles (O, …, Q). Those that rounding has moved from a whole number are that
        again: a bound of 0 that lies above 0 would leave out the zeros of a series."""
        apart = self.apart.astype(np.float64)
        largest = _as_rows(self.largest_O, apart)
        quantiles = self.median[..., None] + apart * largest
        whole = np.rint(quantiles)
        moved = np.abs(quantiles - whole) <= ROUNDING * largest
        return np.where(moved, whole, quantiles)


class Packed(NamedTuple):
    """What was tried of some origins. Actual values are not kept: the panel has them."""

    quantiles_OHQ: PackedQuantiles
    before_OJHQ: PackedQuantiles

    @classmethod
    def of(cls, tried: Tried) -> Packed:
        """From what was tried."""
        before = PackedQuantiles.of(tried.before_OJHQ)
        return cls(PackedQuantiles.of(tried.quantiles_OHQ), before)

    def unpacked(self, panel: Panel, held_out: HeldOut) -> Tried:
        """What was tried of these held-out cutoffs of a panel."""
        quantiles, before = self.quantiles_OHQ.unpacked(), self.before_OJHQ.unpacked()
        series, until = held_out.origins
        horizon = quantiles.shape[1]
        actual = actual_after(panel, series, held_out.counts_OJ, until, horizon)
        return Tried(quantiles, before, actual)


class Waiting:
    """Parts of what was tried, which wait until the weights of all series are known: packed where
    there are several, and freed when they are taken."""

    def __init__(self, panel: Panel, held_out: HeldOut) -> None:
        self._panel, self._held_out = panel, held_out
        self._parts: list[tuple[slice, Tried | Packed]] = []
        self.horizon = 0

    def put(self, rows: slice, tried: Tried) -> bool:
        """Take in what was tried of some origins; whether these are all of them."""
        whole = rows == slice(0, len(self._held_out.counts_OJ))
        self._parts.append((rows, tried if whole else Packed.of(tried)))
        self.horizon = tried.quantiles_OHQ.shape[1]
        return whole

    def taken(self) -> Iterator[tuple[slice, Tried]]:
        """Each part as it came; it is not kept any longer."""
        while self._parts:
            rows, part = self._parts.pop(0)
            if isinstance(part, Packed):
                part = part.unpacked(self._panel, self._held_out.rows(rows))
                give_back_memory()
            yield rows, part


def _as_rows(values_O: NDArray, like: NDArray) -> NDArray:
    """Values with a row per origin, as many axes as `like`."""
    return values_O.reshape(-1, *[1] * (like.ndim - 1))
