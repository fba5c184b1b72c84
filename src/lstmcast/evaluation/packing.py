"""Compact storage of held-out forecasts until the weights of all series are known.

O origins · J held-out cutoffs of each · H horizon · Q quantile levels
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.evaluation.held_out import HeldOut, Tried, actual_after, per_origin
from lstmcast.model.heads import MEDIAN
from lstmcast.util.parallel import give_back_memory

# relative to the largest distance: error bound of 32-bit quantiles, with a margin
ROUNDING = 2.0**-22


class PackedQuantiles(NamedTuple):
    """Quantiles (O, …, Q) as medians, and distances from them in 32 bits, with a rounding error
    below a ten-millionth of the largest distance of their origin."""

    median: NDArray
    largest_O: NDArray
    distance: NDArray  # float32, relative to the largest one

    @classmethod
    def of(cls, quantiles: NDArray) -> PackedQuantiles:
        """Pack quantiles in 64 bits."""
        median = quantiles[..., MEDIAN].copy()
        distance = quantiles - median[..., None]
        sizes = np.abs(distance).reshape(len(distance), -1)
        largest_O = np.fmax.reduce(sizes, axis=1, initial=0.0)
        is_unit_O = np.isfinite(largest_O) & (largest_O > 0)
        largest_O = np.where(is_unit_O, largest_O, 1.0)
        distance /= per_origin(largest_O, distance)
        return cls(median, largest_O, distance.astype(np.float32))

    def unpacked(self) -> NDArray:
        """The quantiles (O, …, Q). Whole numbers changed by rounding are restored: a bound slightly
        above 0 would exclude the zeros of a series."""
        distance = self.distance.astype(np.float64)
        largest = per_origin(self.largest_O, distance)
        quantiles = self.median[..., None] + distance * largest
        nearest_whole = np.rint(quantiles)
        is_rounded = np.abs(quantiles - nearest_whole) <= ROUNDING * largest
        return np.where(is_rounded, nearest_whole, quantiles)


class Packed(NamedTuple):
    """Packed results of some origins. Actual values are not stored, as the panel has them."""

    quantiles_OHQ: PackedQuantiles
    before_OJHQ: PackedQuantiles

    @classmethod
    def of(cls, forecasts: Tried) -> Packed:
        """Pack the results."""
        return cls(
            quantiles_OHQ=PackedQuantiles.of(forecasts.quantiles_OHQ),
            before_OJHQ=PackedQuantiles.of(forecasts.before_OJHQ),
        )

    def unpacked(self, panel: Panel, held_out: HeldOut) -> Tried:
        """The results for these held-out cutoffs of a panel."""
        quantiles_OHQ = self.quantiles_OHQ.unpacked()
        series, until = held_out.origins
        horizon = quantiles_OHQ.shape[1]
        return Tried(
            quantiles_OHQ=quantiles_OHQ,
            before_OJHQ=self.before_OJHQ.unpacked(),
            actual_OJH=actual_after(panel, series, held_out.counts_OJ, until, horizon),
        )


class Waiting:
    """Batches of results that wait until the weights of all series are known. Several batches are
    packed, and freed when they are taken."""

    def __init__(self, panel: Panel, held_out: HeldOut) -> None:
        self._panel = panel
        self._held_out = held_out
        self._batches: list[tuple[slice, Tried | Packed]] = []
        self.horizon = 0

    def put(self, rows: slice, forecasts: Tried) -> bool:
        """Store the results for some origins; return whether these are all origins."""
        is_all = rows == slice(0, len(self._held_out.counts_OJ))
        waiting = forecasts if is_all else Packed.of(forecasts)
        self._batches.append((rows, waiting))
        self.horizon = forecasts.quantiles_OHQ.shape[1]
        return is_all

    def taken(self) -> Iterator[tuple[slice, Tried]]:
        """Yield each batch as it was stored, and free it."""
        while self._batches:
            rows, batch = self._batches.pop(0)
            if isinstance(batch, Packed):
                batch = batch.unpacked(self._panel, self._held_out.rows(rows))
                give_back_memory()
            yield rows, batch
