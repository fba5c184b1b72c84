"""Cutoffs before a forecast that are held out: what was forecast there, and what came.

S series · O origins · J held-out cutoffs of each · H horizon · Q quantile levels
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import FEWEST_CUTOFFS, MOST_CUTOFFS, held_out_counts
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.util.parallel import give_back_memory

ENOUGH_SERIES = 250  # of which four cutoffs, a horizon apart, are enough
# Forecasts, at origins and at held-out cutoffs, whose quantiles are worked on together: each array
# of so many takes 11 MB, and a combination makes a dozen of them.
AT_ONCE = 1 << 13

# quantiles (O, H, Q) at `heads.HEAD_QUANTILES`, in the units of the data
Decode = Callable[[Panel, Origins, int], NDArray]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Origins, and the cutoffs before each of them (O, J) that were held out; count 0 = none."""

    origins: Origins
    counts_OJ: NDArray
    apart_O: NDArray  # steps between these cutoffs

    @classmethod
    def of(cls, panel: Panel, origins: Origins) -> HeldOut:
        """The cutoffs that say how good forecasts would have been: many of few series, few of each
        of many."""
        cutoffs = FEWEST_CUTOFFS if len(panel) >= ENOUGH_SERIES else MOST_CUTOFFS
        return cls(origins, *held_out_counts(origins.counts, panel.periods, cutoffs))

    @property
    def distinct(self) -> Origins:
        """All origins and cutoffs, once each, whichever origins share them: what `forecasts` asks
        its forecaster for."""
        return Origins(*self._distinct()[0])

    def forecasts(self, answer: Callable[[Origins], NDArray]) -> tuple[NDArray, NDArray]:
        """What a forecaster answers at the origins (O, …) and at the held-out cutoffs (O, J, …).

        It is asked once for each cutoff of a series, whichever origins share it. NaN where there
        is no cutoff.
        """
        count = len(self.origins.series)
        different, known, place = self._distinct()
        answers = answer(Origins(*different))
        filled = np.full((len(known), *answers.shape[1:]), np.nan)
        filled[known] = answers
        filled = filled[place].reshape(count, -1, *answers.shape[1:])
        return filled[:, 0], filled[:, 1:]

    def _distinct(self) -> tuple[NDArray, NDArray, NDArray]:
        """Series and counts that are asked for (2, A), which of the different pairs they are, and
        the pair of each origin and each of its cutoffs."""
        everything = np.concatenate([self.origins.counts[:, None], self.counts_OJ], axis=1)
        series = np.broadcast_to(self.origins.series[:, None], everything.shape)
        pairs = np.stack([series.ravel(), everything.ravel()])
        different, place = np.unique(pairs, axis=1, return_inverse=True)
        known = different[1] > 0
        return different[:, known], known, place

    def tried(self, decode: Decode, panel: Panel, horizon: int) -> Tried:
        """The network's forecasts, and what came after the held-out cutoffs."""
        return self.whole(self.tried_in_parts(decode, panel, horizon))

    def whole(self, parts: Iterable[tuple[slice, Tried]]) -> Tried:
        """What was tried of some origins after the other, together."""
        whole: Tried | None = None
        for rows, tried in parts:
            if rows == slice(0, len(self.counts_OJ)):
                return tried
            if whole is None:
                whole = Tried(*(np.empty((len(self.counts_OJ), *part.shape[1:])) for part in tried))
            for everything, part in zip(whole, tried, strict=True):
                everything[rows] = part
        assert whole is not None  # there is at least one part
        return whole

    def tried_in_parts(
        self, decode: Decode, panel: Panel, horizon: int
    ) -> Iterator[tuple[slice, Tried]]:
        """`tried` of some origins after the other, and which they are."""
        for rows in self.parts(len(panel)):
            own = self.rows(rows)
            quantiles, before = own.forecasts(lambda at: decode(panel, at, horizon))
            series, until = own.origins
            actual = actual_after(panel, series, own.counts_OJ, until, horizon)
            yield rows, Tried(quantiles, before, actual)
            del quantiles, before, actual
            if len(own.counts_OJ) < len(self.counts_OJ):
                give_back_memory()

    def rows(self, rows: slice) -> HeldOut:
        """Some of the origins."""
        origins = Origins(self.origins.series[rows], self.origins.counts[rows])
        return HeldOut(origins, self.counts_OJ[rows], self.apart_O[rows])

    def parts(self, series: int) -> list[slice]:
        """The origins of some series after the other, all cutoffs of a series together."""
        count, cutoffs = self.counts_OJ.shape
        per_series = max(count // max(series, 1), 1)
        size = max(AT_ONCE // (per_series * (1 + cutoffs)), 1) * per_series
        return [slice(k, min(k + size, count)) for k in range(0, max(count, 1), size)]


class Tried(NamedTuple):
    """Quantiles at origins and at the held-out cutoffs before them, with what came after those."""

    quantiles_OHQ: NDArray
    before_OJHQ: NDArray
    actual_OJH: NDArray  # as far as it may be known, then NaN

    def rows(self, rows: slice | NDArray) -> Tried:
        """Some of the origins."""
        return Tried(*(part[rows] for part in self))

    @property
    def positive(self) -> NDArray:
        """Where all of it is above 0, so that logarithms can be taken (O,)."""
        return (
            all_positive(self.quantiles_OHQ)
            & all_positive(self.before_OJHQ)
            & (all_positive(self.actual_OJH))
        )


class HeldBack(NamedTuple):
    """Forecasts by weights that had not seen what they are compared with."""

    origins: Origins
    quantiles_OHQ: NDArray
    actual_OH: NDArray


def held_back(decode: Decode, panel: Panel, ends: NDArray, horizon: int) -> HeldBack | None:
    """Forecasts at cutoffs from `ends` (S,) on; None where no series has a value after its end."""
    spacing = horizon if len(panel) >= ENOUGH_SERIES else max(1, horizon // 3)
    most = FEWEST_CUTOFFS if len(panel) >= ENOUGH_SERIES else MOST_CUTOFFS
    counts = ends[:, None] + spacing * np.arange(most)
    counts = np.where((counts < panel.lengths[:, None]) & (ends[:, None] > 0), counts, 0)
    series, cutoff = np.nonzero(counts)
    if not len(series):
        return None
    origins = Origins(series, counts[series, cutoff])
    quantiles = decode(panel, origins, horizon)
    cutoffs, until = origins.counts[:, None], panel.lengths[series]
    actual_O1H = actual_after(panel, series, cutoffs, until, horizon)
    return HeldBack(origins, quantiles, actual_O1H[:, 0])


def groups_of(origins: Origins, series: int) -> list[NDArray]:
    """Origins that share a calibration: the k-th cutoff of every series."""
    per_series = len(origins.series) // max(series, 1)
    return [np.arange(k, len(origins.series), per_series) for k in range(per_series)]


def all_positive(values: NDArray) -> NDArray:
    """Which origins have no known value that is 0 or less (O,)."""
    return np.logical_not((values <= 0).reshape(len(values), -1).any(axis=1))


def actual_after(
    panel: Panel, series: NDArray, held_out: NDArray, known_until: NDArray, horizon: int
) -> NDArray:
    """Actual values after each held-out cutoff (O, J, H), as far as they may be known, then NaN."""
    steps = held_out[:, :, None] + np.arange(horizon)
    known = (steps < known_until[:, None, None]) & (held_out[:, :, None] > 0)
    positions = panel.offsets[series][:, None, None] + np.where(known, steps, 0)
    return np.where(known, panel.values[positions], np.nan)
