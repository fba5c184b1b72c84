"""Held-out cutoffs before a forecast: forecasts there, and actual values.

S series · O origins · J held-out cutoffs of each · H horizon · Q quantile levels
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import FEWEST_CUTOFFS, MOST_CUTOFFS, held_out_counts
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.util.parallel import kept_memory

ENOUGH_SERIES = 250  # from this number on, four cutoffs a horizon apart are enough
# Forecasts, at origins and at held-out cutoffs, whose quantiles are processed together: an array
# of that size takes 11 MB, and a combination makes a dozen of them.
AT_ONCE = 1 << 13

# quantiles (O, H, Q) at `heads.HEAD_QUANTILES`, in the units of the data
Decode = Callable[[Panel, Origins, int], NDArray]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Origins, and the held-out cutoffs before each of them (O, J); count 0 = none."""

    origins: Origins
    counts_OJ: NDArray
    apart_O: NDArray  # steps between these cutoffs
    group_O: NDArray  # origins with equal numbers share a calibration

    @classmethod
    def of(cls, panel: Panel, origins: Origins) -> HeldOut:
        """The cutoffs at which past forecasts are evaluated: many for few series, few for many."""
        cutoffs = _cutoffs_of_each(panel)
        counts_OJ, apart_O = held_out_counts(origins.counts, panel.periods, cutoffs)
        # the k-th cutoff of every series
        cutoffs_of_each = len(origins.series) // max(len(panel), 1)
        group_O = np.arange(len(origins.series)) % max(cutoffs_of_each, 1)
        return cls(origins, counts_OJ, apart_O, group_O)

    @classmethod
    def stacked(cls, of_panels: Sequence[HeldOut], lengths: Sequence[int]) -> HeldOut:
        """The held-out cutoffs of several panels of these lengths, each calibrated separately."""
        first_series = first_group = 0
        columns = []
        for held_out, length in zip(of_panels, lengths, strict=True):
            series, counts = held_out.origins
            column = (
                series + first_series,
                counts,
                held_out.counts_OJ,
                held_out.apart_O,
                held_out.group_O + first_group,
            )
            columns.append(column)
            first_series += length
            first_group += len(held_out.groups)
        arrays = map(np.concatenate, zip(*columns, strict=True))
        series, counts, counts_OJ, apart_O, group_O = arrays
        return cls(Origins(series, counts), counts_OJ, apart_O, group_O)

    @cached_property
    def groups(self) -> list[NDArray]:
        """The indices of origins that share a calibration."""
        order = np.argsort(self.group_O, kind="stable")
        changes = np.diff(self.group_O[order])
        begins = np.flatnonzero(changes) + 1
        return np.split(order, begins)

    def forecasts(
        self, answer: Callable[[Origins], NDArray]
    ) -> tuple[NDArray, NDArray]:
        """Forecasts of a forecaster at the origins (O, …) and at the held-out cutoffs (O, J, …).

        Each cutoff of a series is forecast once, even if several origins share it. NaN if there is
        no cutoff.
        """
        distinct, is_asked, place = self._distinct
        answers = answer(distinct)
        shape = answers.shape[1:]
        by_pair = np.full((len(is_asked), *shape), np.nan)
        by_pair[is_asked] = answers
        by_cutoff = by_pair[place].reshape(len(self.origins.series), -1, *shape)
        return by_cutoff[:, 0], by_cutoff[:, 1:]

    @cached_property
    def _distinct(self) -> tuple[Origins, NDArray, NDArray]:
        """Series and counts to forecast, which of the unique pairs they are, and the pair of each
        origin and each of its cutoffs."""
        counts = np.concatenate([self.origins.counts[:, None], self.counts_OJ], axis=1)
        series = np.broadcast_to(self.origins.series[:, None], counts.shape)
        count_limit = counts.max(initial=0) + 1
        pairs = series * count_limit + counts
        distinct, place = np.unique(pairs.ravel(), return_inverse=True)
        series, counts = np.divmod(distinct, count_limit)
        is_asked = counts > 0
        return Origins(series[is_asked], counts[is_asked]), is_asked, place

    def tried(self, decode: Decode, panel: Panel, horizon: int) -> Tried:
        """The network's forecasts, and the actual values after the held-out cutoffs."""
        return self.whole(self.tried_in_parts(decode, panel, horizon))

    def whole(self, batches: Iterable[tuple[slice, Tried]]) -> Tried:
        """The results for all batches of origins, joined."""
        origin_count = len(self.counts_OJ)
        all_forecasts: Tried | None = None
        for rows, forecasts in batches:
            if rows == slice(0, origin_count):
                return forecasts
            if all_forecasts is None:
                shapes = [(origin_count, *array.shape[1:]) for array in forecasts]
                all_forecasts = Tried(*(np.empty(shape) for shape in shapes))
            for target, array in zip(all_forecasts, forecasts, strict=True):
                target[rows] = array
        assert all_forecasts is not None  # there is at least one batch
        return all_forecasts

    def tried_in_parts(
        self, decode: Decode, panel: Panel, horizon: int
    ) -> Iterator[tuple[slice, Tried]]:
        """`tried` in batches of origins, each with its slice."""

        def answer(origins: Origins) -> NDArray:
            return decode(panel, origins, horizon)

        parts = self.parts(len(panel))
        # Each part needs as much memory as the one before: getting it anew took an eighth of the
        # time of a forecast of many series.
        with kept_memory() if len(parts) > 1 else nullcontext():
            for rows in parts:
                batch = self.rows(rows)
                quantiles_OHQ, before_OJHQ = batch.forecasts(answer)
                series, until = batch.origins
                actual_OJH = actual_after(
                    panel, series, batch.counts_OJ, until, horizon
                )
                yield rows, Tried(quantiles_OHQ, before_OJHQ, actual_OJH)
                del quantiles_OHQ, before_OJHQ, actual_OJH

    def rows(self, rows: slice) -> HeldOut:
        """A subset of the origins."""
        if rows == slice(0, len(self.counts_OJ)):
            return self
        origins = Origins(self.origins.series[rows], self.origins.counts[rows])
        return HeldOut(
            origins, self.counts_OJ[rows], self.apart_O[rows], self.group_O[rows]
        )

    def parts(self, series: int) -> list[slice]:
        """Slices of origins that keep all cutoffs of a series together."""
        count, cutoffs = self.counts_OJ.shape
        per_series = max(count // max(series, 1), 1)
        forecasts_per_series = per_series * (1 + cutoffs)
        series_at_once = max(AT_ONCE // forecasts_per_series, 1)
        size = series_at_once * per_series
        begins = range(0, max(count, 1), size)
        return [slice(begin, min(begin + size, count)) for begin in begins]


class Tried(NamedTuple):
    """Quantiles at origins and at the held-out cutoffs before them, with actual values after
    those."""

    quantiles_OHQ: NDArray
    before_OJHQ: NDArray
    actual_OJH: NDArray  # NaN beyond what may be known

    def rows(self, rows: slice | NDArray) -> Tried:
        """A subset of the origins."""
        return Tried(
            quantiles_OHQ=self.quantiles_OHQ[rows],
            before_OJHQ=self.before_OJHQ[rows],
            actual_OJH=self.actual_OJH[rows],
        )

    @property
    def positive(self) -> NDArray:
        """Whether all values of an origin are positive, so that logarithms exist (O,)."""
        is_positive_O = all_positive(self.quantiles_OHQ)
        is_positive_O &= all_positive(self.before_OJHQ)
        is_positive_O &= all_positive(self.actual_OJH)
        return is_positive_O


class HeldBack(NamedTuple):
    """Forecasts by weights that had not seen the values that they are compared with."""

    origins: Origins
    quantiles_OHQ: NDArray
    actual_OH: NDArray


def held_back(
    decode: Decode, panel: Panel, ends: NDArray, horizon: int
) -> HeldBack | None:
    """Forecasts at cutoffs from `ends` (S,) on; None if no series has later values."""
    spacing = horizon if len(panel) >= ENOUGH_SERIES else max(1, horizon // 3)
    end_S1 = ends[:, None]
    counts_SJ = end_S1 + spacing * np.arange(_cutoffs_of_each(panel))
    is_inside_SJ = (counts_SJ < panel.lengths[:, None]) & (end_S1 > 0)
    counts_SJ = np.where(is_inside_SJ, counts_SJ, 0)
    series, column = np.nonzero(counts_SJ)
    if not len(series):
        return None
    origins = Origins(series, counts_SJ[series, column])
    quantiles_OHQ = decode(panel, origins, horizon)
    cutoffs_O1 = origins.counts[:, None]
    actual_O1H = actual_after(panel, series, cutoffs_O1, panel.lengths[series], horizon)
    return HeldBack(origins, quantiles_OHQ, actual_O1H[:, 0])


def _cutoffs_of_each(panel: Panel) -> int:
    """The number of held-out cutoffs of each series, which is smaller for many series."""
    return FEWEST_CUTOFFS if len(panel) >= ENOUGH_SERIES else MOST_CUTOFFS


def alike(groups: Iterable[NDArray], limit: int) -> Iterator[NDArray]:
    """Groups of equal size, stacked up to a number of origins (P, G).

    >>> groups = [np.array([0, 1]), np.array([2]), np.array([3, 4])]
    >>> [together.tolist() for together in alike(groups, 4)]
    [[[0, 1], [3, 4]], [[2]]]
    """
    of_size: dict[int, list[NDArray]] = {}
    for group in groups:
        of_size.setdefault(len(group), []).append(group)
    for size, of_equal_size in of_size.items():
        count = max(limit // max(size, 1), 1)
        for first in range(0, len(of_equal_size), count):
            yield np.stack(of_equal_size[first : first + count])


def all_positive(values: NDArray) -> NDArray:
    """Which origins have only positive known values (O,)."""
    is_low = (values <= 0).reshape(len(values), -1)
    return np.logical_not(is_low.any(axis=1))


def per_origin(values_O: NDArray, like: NDArray) -> NDArray:
    """A value for each origin with as many axes as `like`, for broadcasting.

    >>> per_origin(np.array([1, 2]), np.zeros((2, 3, 4))).shape
    (2, 1, 1)
    """
    return values_O.reshape(-1, *[1] * (like.ndim - 1))


def actual_after(
    panel: Panel, series: NDArray, held_out: NDArray, known_until: NDArray, horizon: int
) -> NDArray:
    """Actual values after each held-out cutoff (O, J, H), NaN beyond what may be known."""
    count_OJ1 = held_out[:, :, None]
    steps_OJH = count_OJ1 + np.arange(horizon)
    is_known_OJH = (steps_OJH < known_until[:, None, None]) & (count_OJ1 > 0)
    begin_O11 = panel.offsets[series][:, None, None]
    positions_OJH = begin_O11 + np.where(is_known_OJH, steps_OJH, 0)
    return np.where(is_known_OJH, panel.values[positions_OJH], np.nan)
