"""Gaps in series, and a network's estimates of their values from either side.

From the left, a gap is forecast; from the right, it is forecast from the series in reverse order.
The side that is nearer, or whose forecast has a smaller spread, gets more weight.

    S series · N observations of all series · G gaps · L steps · M missing values · Q quantiles
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.features import Future
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import places, series_numbers
from lstmcast.decoding import Reader, decode
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN

AT_ONCE = 1 << 21  # numbers in the forecasts that are held in memory at once
LOWER = HEAD_QUANTILES.index(0.1)
UPPER = HEAD_QUANTILES.index(0.9)


class Gaps(NamedTuple):
    """Runs of missing values, (G,) each: the series, the number of values before, and the number of
    missing values."""

    series: NDArray
    first: NDArray
    length: NDArray

    def some(self, rows: NDArray) -> Gaps:
        """Some of the gaps."""
        return Gaps(self.series[rows], self.first[rows], self.length[rows])

    def places(self, offsets: NDArray) -> NDArray:
        """The positions of the missing values in the values of all series (M,), gap by gap."""
        begin_G = offsets[self.series] + self.first
        return np.repeat(begin_G, self.length) + self.steps() - 1

    def begins(self) -> NDArray:
        """The position of each gap's first value among all missing values (G,)."""
        return np.cumsum(self.length) - self.length

    def steps(self) -> NDArray:
        """The number of each missing value in its gap (M,), from 1."""
        place_M = np.arange(self.length.sum())
        return place_M - np.repeat(self.begins(), self.length) + 1


def gaps_of(panel: Panel) -> Gaps:
    """All gaps of a panel.

    >>> gaps = gaps_of(Panel.from_arrays([1.0, np.nan, np.nan, 4.0, np.nan, 6.0]))
    >>> gaps.first.tolist(), gaps.length.tolist()
    ([1, 4], [2, 1])
    """
    missing_N = np.isnan(panel.values)
    missing_before_N = np.concatenate([[False], missing_N[:-1]])
    begins_N = missing_N & ~missing_before_N
    first_of_series = panel.offsets[:-1]
    begins_N[first_of_series] = missing_N[first_of_series]
    first_G = np.flatnonzero(begins_N)
    next_G = np.append(first_G[1:], len(missing_N))
    count = np.cumsum(np.concatenate([[0], missing_N]))
    return Gaps(
        series=series_numbers(panel.offsets)[first_G],
        first=places(panel.offsets)[first_G],
        length=count[next_G] - count[first_G],
    )


def from_both_sides(reader: Reader, panel: Panel, gaps: Gaps) -> NDArray:
    """The network's estimates of the missing values (M, Q), gap by gap; NaN in series without known
    values."""
    result_MQ = np.full((int(gaps.length.sum()), len(HEAD_QUANTILES)), np.nan)
    begins = gaps.begins()
    reverse = backwards(panel)
    for rows in _alike(gaps):
        batch = gaps.some(rows)
        longest = int(batch.length.max())
        from_left_GLQ = _forecast(reader, panel, batch.series, batch.first, longest)
        after_G = panel.lengths[batch.series] - batch.first - batch.length
        from_right_GLQ = _forecast(reader, reverse, batch.series, after_G, longest)
        gap_M = np.repeat(np.arange(len(rows)), batch.length)
        step_M = batch.steps()
        back_M = batch.length[gap_M] + 1 - step_M
        place_M = begins[rows][gap_M] + step_M - 1
        from_left_MQ = from_left_GLQ[gap_M, step_M - 1]
        from_right_MQ = from_right_GLQ[gap_M, back_M - 1]
        result_MQ[place_M] = _averaged(from_left_MQ, from_right_MQ, step_M, back_M)
    return result_MQ


def backwards(panel: Panel) -> Panel:
    """The series in reverse order, without columns known in advance and without their dates."""
    series = series_numbers(panel.offsets)
    mirrored = panel.offsets[series + 1] - 1 - places(panel.offsets)
    past = {name: column[mirrored] for name, column in panel.covariates.past.items()}
    covariates = replace(panel.covariates, past=past, future=Future())
    return replace(
        panel,
        values=panel.values[mirrored],
        covariates=covariates,
        earlier=None,
        calendar=None,
    )


def of_alike_lengths(gaps: Gaps) -> Iterator[tuple[int, NDArray]]:
    """Yield gaps of 1, 2, 3 to 4, 5 to 8, … missing values: their greatest length, and a mask of
    them."""
    octave = np.ceil(np.log2(gaps.length)).astype(np.int64)
    for power in np.unique(octave):
        yield 2 ** int(power), np.flatnonzero(octave == power)


def _alike(gaps: Gaps) -> Iterator[NDArray]:
    """Gaps to forecast together, of similar lengths so that few steps are wasted."""
    for longest, rows in of_alike_lengths(gaps):
        numbers = len(rows) * longest * len(HEAD_QUANTILES)
        batch_count = max(1, -(-numbers // AT_ONCE))
        yield from np.array_split(rows, batch_count)


def _forecast(
    reader: Reader, panel: Panel, series: NDArray, counts: NDArray, steps: int
) -> NDArray:
    """Forecasts (G, L, Q) after these numbers of values; NaN if none of the values is known."""
    is_known = np.isfinite(panel.values)
    known_before = np.cumsum(np.concatenate([[0], is_known]))
    begin = panel.offsets[series]
    rows = np.flatnonzero(known_before[begin + counts] > known_before[begin])
    result_GLQ = np.full((len(series), steps, len(HEAD_QUANTILES)), np.nan)
    if len(rows):
        origins = Origins(series[rows], counts[rows])
        result_GLQ[rows] = decode(reader, panel, origins, steps)
    return result_GLQ


def _averaged(
    left_MQ: NDArray, right_MQ: NDArray, step_M: NDArray, back_M: NDArray
) -> NDArray:
    """The average of both sides, each weighted by its distance and its spread; one side alone if
    the other is unknown."""
    left_spread_M = left_MQ[:, UPPER] - left_MQ[:, LOWER]
    right_spread_M = right_MQ[:, UPPER] - right_MQ[:, LOWER]
    total_M = left_spread_M + right_spread_M
    by_spread_M = np.full(len(step_M), 0.5)
    np.divide(right_spread_M, total_M, out=by_spread_M, where=total_M > 0)
    by_distance_M = back_M / (step_M + back_M)
    weight_M = (by_spread_M + by_distance_M) / 2
    weight_M1 = weight_M[:, None]
    mean_MQ = weight_M1 * left_MQ + (1 - weight_M1) * right_MQ
    mean_MQ = np.where(np.isnan(right_MQ[:, [MEDIAN]]), left_MQ, mean_MQ)
    return np.where(np.isnan(left_MQ[:, [MEDIAN]]), right_MQ, mean_MQ)
