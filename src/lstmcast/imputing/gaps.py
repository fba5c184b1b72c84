"""Gaps between the values of series, and what a network expects in them from either side.

From the left a gap is forecast; from the right the series is read backwards, from its end, and
forecast too. The nearer side knows more, and so does the one whose forecast is surer of itself.

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

AT_ONCE = 1 << 21  # numbers of forecasts that are held at once
LOWER, UPPER = HEAD_QUANTILES.index(0.1), HEAD_QUANTILES.index(0.9)


class Gaps(NamedTuple):
    """Runs of missing values: of which series, how many of its values lie before, how many are
    missing. (G,) each."""

    series: NDArray
    first: NDArray
    length: NDArray

    def some(self, chosen: NDArray) -> Gaps:
        """Some of them."""
        return Gaps(*(array[chosen] for array in self))

    def places(self, offsets: NDArray) -> NDArray:
        """Where the missing values lie among those of all series (M,), gap by gap."""
        return np.repeat(offsets[self.series] + self.first, self.length) + self.steps() - 1

    def steps(self) -> NDArray:
        """Which value of its gap each of these is (M,), from 1."""
        ends = np.cumsum(self.length)
        return np.arange(self.length.sum()) - np.repeat(ends - self.length, self.length) + 1


def gaps_of(panel: Panel) -> Gaps:
    """All gaps of a panel.

    >>> gaps = gaps_of(Panel.from_arrays([1.0, np.nan, np.nan, 4.0, np.nan, 6.0]))
    >>> gaps.first.tolist(), gaps.length.tolist()
    ([1, 4], [2, 1])
    """
    missing = np.isnan(panel.values)
    begins = missing & ~np.concatenate([[False], missing[:-1]])
    begins[panel.offsets[:-1]] = missing[panel.offsets[:-1]]
    first = np.flatnonzero(begins)
    count = np.cumsum(np.concatenate([[0], missing]))
    stops = np.append(first[1:], len(missing))
    series, place = series_numbers(panel.offsets), places(panel.offsets)
    return Gaps(series[first], place[first], count[stops] - count[first])


def from_both_sides(reader: Reader, panel: Panel, gaps: Gaps) -> NDArray:
    """What the network expects of the missing values (M, Q), gap by gap; NaN in series of which
    nothing is known."""
    result_MQ = np.full((int(gaps.length.sum()), len(HEAD_QUANTILES)), np.nan)
    ends = np.cumsum(gaps.length)
    reverse = backwards(panel)
    for chosen in _parts(gaps):
        some = gaps.some(chosen)
        steps = int(some.length.max())
        after = panel.lengths[some.series] - some.first - some.length
        before_GLQ = _forecast(reader, panel, some.series, some.first, steps)
        behind_GLQ = _forecast(reader, reverse, some.series, after, steps)
        gap = np.repeat(np.arange(len(chosen)), some.length)
        step = some.steps()
        left = some.length[gap] + 1 - step
        joined = _joined(before_GLQ[gap, step - 1], behind_GLQ[gap, left - 1], step, left)
        result_MQ[(ends - gaps.length)[chosen][gap] + step - 1] = joined
    return result_MQ


def backwards(panel: Panel) -> Panel:
    """The series from their ends, without what is known in advance or of the times before."""
    series, place = series_numbers(panel.offsets), places(panel.offsets)
    mirrored = panel.offsets[series + 1] - 1 - place
    past = {name: column[mirrored] for name, column in panel.covariates.past.items()}
    return replace(
        panel,
        values=panel.values[mirrored],
        covariates=replace(panel.covariates, past=past, future=Future()),
        earlier=None,
        calendar=None,
    )


def _parts(gaps: Gaps) -> Iterator[NDArray]:
    """Gaps that are forecast together: of alike lengths, so that few steps are asked in vain."""
    size = np.ceil(np.log2(gaps.length)).astype(np.int64)
    for bucket in np.unique(size):
        chosen = np.flatnonzero(size == bucket)
        steps = 2 ** int(bucket) * len(HEAD_QUANTILES)
        parts = max(1, -(-len(chosen) * steps // AT_ONCE))
        yield from np.array_split(chosen, parts)


def _forecast(
    reader: Reader, panel: Panel, series: NDArray, counts: NDArray, steps: int
) -> NDArray:
    """Forecasts (G, L, Q) after so many values; NaN where none of these is known."""
    known = np.cumsum(np.concatenate([[0], np.isfinite(panel.values)]))
    begin = panel.offsets[series]
    some = np.flatnonzero(known[begin + counts] > known[begin])
    result_GLQ = np.full((len(series), steps, len(HEAD_QUANTILES)), np.nan)
    if len(some):
        origins = Origins(series[some], counts[some])
        result_GLQ[some] = decode(reader, panel, origins, steps)
    return result_GLQ


def _joined(before_MQ: NDArray, behind_MQ: NDArray, step: NDArray, left: NDArray) -> NDArray:
    """Both sides, each with a weight between that of its distance and that of its spread; one
    alone where the other knows nothing."""
    spread_M = before_MQ[:, UPPER] - before_MQ[:, LOWER]
    other_M = behind_MQ[:, UPPER] - behind_MQ[:, LOWER]
    total_M = spread_M + other_M
    by_spread_M = np.divide(other_M, total_M, out=np.full(len(step), 0.5), where=total_M > 0)
    weight_M1 = ((by_spread_M + left / (step + left)) / 2)[:, None]
    both_MQ = weight_M1 * before_MQ + (1 - weight_M1) * behind_MQ
    both_MQ = np.where(np.isnan(behind_MQ[:, [MEDIAN]]), before_MQ, both_MQ)
    return np.where(np.isnan(before_MQ[:, [MEDIAN]]), behind_MQ, both_MQ)
