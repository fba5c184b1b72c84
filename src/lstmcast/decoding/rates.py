"""Long horizons at several rates: a network for hours also reads means over 4 and 12 hours.

A network with S steps feeds its medians back for more, and its level drifts. The same network
forecasts S means over k steps at once, which is k times as far. Beyond S steps, the recursive
forecast therefore gives the shape and slower rates give the level: the difference between each
forecast mean and that of the shape over the same steps, linearly interpolated between the middles
of the means, is added.

The result of a rate at a step does not depend on the horizon (except for the last steps, which lack
a whole mean): step h uses the rates at which it is 4 to S means ahead. Their weight grows with the
distance, 1 − S / h, from 0 at the end of the head's own steps. All rates read the context of the
forecast (`context`), aggregated backwards from its newest value.

    O origins (series × cutoff) · H horizon · S steps of the head · R rates · J means of a rate
    Q quantiles of the head · B segments of series, each with its own beginning
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Whole
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of
from lstmcast.decoding.along import read_along
from lstmcast.decoding.feeding import Reader
from lstmcast.decoding.origin_batches import own_periods, reading_axes
from lstmcast.model.heads import MEDIAN
from lstmcast.model.inputs.adaptive import LARGEST
from lstmcast.model.inputs.axis import LOG, ROOT
from lstmcast.model.inputs.seasonfamilies import seasonal

# that a season needs: of shorter ones a mean over a few steps leaves nothing
PHASES = 24
SLOWER = 4  # steps of the fastest of the rates; less is hardly another view
APART = 3  # how many times slower the next one is, at least
NEAREST = 4  # means ahead that a step must lie to be answered
FEWEST_MEANS = 16  # that a rate must have read


def rates_of(periods: tuple[int, ...], steps: int, horizon: int) -> tuple[int, ...]:
    """Over how many steps means are taken: divisors of the shortest season with many phases, at
    which some step beyond the head's lies few enough means ahead.

    >>> rates_of((24, 168), steps=24, horizon=48), rates_of((24, 168), steps=24, horizon=96)
    ((4, 12), (4, 12))
    >>> rates_of((288, 2016), steps=24, horizon=288), rates_of((7,), steps=24, horizon=56)
    ((4, 12, 36), ())
    """
    if horizon <= steps:
        return ()
    season = min(
        (period for period in seasonal(periods) if period >= PHASES), default=0
    )
    slowest = min(season, horizon // NEAREST)
    fastest = SLOWER
    rates: list[int] = []
    for rate in range(SLOWER, slowest + 1):
        if season % rate == 0 and rate >= fastest:
            rates.append(rate)
            fastest = APART * rate
    return tuple(rates)


def axes_moved(reader: Reader, panel: Panel, origins: Origins) -> NDArray:
    """The axis (O,) on which answers are moved; square roots stand for those that are not: what is
    mostly 0, and what has another period than those that rates are made for."""
    first_O = _first_read(reader, panel, origins)
    axes_O = reading_axes(panel, origins, first_O, reader.network.head.affine)
    has_usual_period_O = own_periods(panel, origins, first_O) == 0
    return np.where(has_usual_period_O, axes_O, ROOT)


def _first_read(reader: Reader, panel: Panel, origins: Origins) -> NDArray:
    """The first observation that each origin has read (O,)."""
    return reader.context_for(panel.periods).start(origins.counts)


def at_several_rates(
    reader: Reader,
    panel: Panel,
    origins: Origins,
    quantiles_OHQ: NDArray,
    axes_O: NDArray | None = None,
) -> NDArray:
    """Quantiles (O, H, Q) of an answer that was fed back, moved to the levels that slower rates
    foretell; their widths stay, as ratios where a series is read on the log axis.

    `axes_O`: those of `axes_moved`, where they are known.
    """
    horizon = quantiles_OHQ.shape[1]
    rates = rates_of(panel.periods, reader.network.config.steps, horizon)
    if not rates or not len(origins.series):
        return quantiles_OHQ
    if axes_O is None:
        axes_O = axes_moved(reader, panel, origins)
    rows = np.flatnonzero(axes_O != ROOT)
    if not len(rows):
        return quantiles_OHQ
    moved_origins = Origins(origins.series[rows], origins.counts[rows])
    log_O = axes_O[rows] == LOG
    result_OHQ = quantiles_OHQ.copy()
    result_OHQ[rows] = _at_rates(
        rates, reader, panel, moved_origins, quantiles_OHQ[rows], log_O
    )
    return result_OHQ


def _at_rates(
    rates: tuple[int, ...],
    reader: Reader,
    panel: Panel,
    origins: Origins,
    quantiles_OHQ: NDArray,
    log_O: NDArray,
) -> NDArray:
    """The same for these rates, of origins that are all moved."""
    horizon = quantiles_OHQ.shape[1]
    steps = reader.network.config.steps
    shape_OH = quantiles_OHQ[:, :, MEDIAN]
    total_OH = np.zeros_like(shape_OH)
    weight_OH = np.zeros_like(shape_OH)
    for rate in rates:
        # The slowest rate answers all that lies beyond, and feeds back its means in its turn.
        is_slowest = rate == rates[-1]
        farthest = horizon if is_slowest else rate * steps
        mean_count = min(farthest, horizon) // rate
        means_OJ = _foretold(reader, panel, origins, rate, mean_count, log_O)
        gap_OJ = _gap(means_OJ, shape_OH, log_O, rate)
        is_whole_O = np.isfinite(gap_OJ).all(axis=1)
        share_OH = np.outer(is_whole_O, _answers(rate, farthest, horizon))
        lines_JH = _lines(rate, mean_count, horizon)
        total_OH += share_OH * (np.nan_to_num(gap_OJ) @ lines_JH)
        weight_OH += share_OH
    beyond_H = 1.0 - steps / np.maximum(np.arange(1, horizon + 1), steps)
    by_OH = beyond_H * total_OH / np.maximum(weight_OH, 1.0)
    return _moved(quantiles_OHQ, by_OH[:, :, None], log_O)


def _moved(quantiles_OHQ: NDArray, by_OH1: NDArray, log_O: NDArray) -> NDArray:
    log_O11 = log_O[:, None, None]
    with np.errstate(over="ignore"):
        multiplied_OHQ = quantiles_OHQ * np.exp(np.where(log_O11, by_OH1, 0.0))
        added_OHQ = quantiles_OHQ + by_OH1
    moved_OHQ = np.where(log_O11, multiplied_OHQ, added_OHQ)
    moved_OHQ = np.clip(moved_OHQ, -LARGEST, LARGEST)
    # Where nothing is known to move by, nothing changes, to the last bit.
    return np.where(by_OH1 == 0, quantiles_OHQ, moved_OHQ)


def _answers(rate: int, farthest: int, horizon: int) -> NDArray:
    """Which steps a rate answers (H,), as 0 and 1."""
    steps_H = np.arange(1, horizon + 1)
    is_answered_H = (steps_H >= NEAREST * rate) & (steps_H <= farthest)
    return is_answered_H.astype(float)


def _lines(rate: int, count: int, horizon: int) -> NDArray:
    """How much of each mean's difference each step takes (J, H): straight lines from nothing at
    the newest observation through the middles of the means, and level after the last."""
    middles = rate * np.arange(count) + (rate + 1) / 2
    knots = np.append(0.0, middles)
    steps_H = np.arange(1, horizon + 1)
    unit_vectors = np.eye(count + 1)[1:]
    return np.stack([np.interp(steps_H, knots, vector) for vector in unit_vectors])


def _gap(means_OJ: NDArray, shape_OH: NDArray, log_O: NDArray, rate: int) -> NDArray:
    """How far the means that were forecast lie from those of the shape (O, J): the logarithm of
    their ratio, or their difference; NaN where there is none."""
    count = means_OJ.shape[1]
    whole_OH = shape_OH[:, : count * rate]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        shape_OJ = whole_OH.reshape(len(shape_OH), count, rate).mean(axis=2)
        log_ratio_OJ = np.log(means_OJ / shape_OJ)
        gap_OJ = np.where(log_O[:, None], log_ratio_OJ, means_OJ - shape_OJ)
    return np.where(np.isfinite(gap_OJ), gap_OJ, np.nan)


class Slow(NamedTuple):
    """Series of means, and where origins lie in them."""

    panel: Panel
    origins: Origins


def _foretold(
    reader: Reader,
    panel: Panel,
    origins: Origins,
    rate: int,
    count: int,
    log_O: NDArray,
) -> NDArray:
    """Medians of the next `count` means over so many steps (O, J); NaN where too few of them were
    read.

    What is read as it is stays so: means of a series that crosses 0 may all be above it.
    """
    first_O = _first_read(reader, panel, origins)
    result_OJ = np.full((len(first_O), count), np.nan)
    means_O = (origins.counts - first_O) // rate
    rows = np.flatnonzero(means_O >= FEWEST_MEANS)
    if len(rows):
        long_origins = Origins(origins.series[rows], origins.counts[rows])
        slow = slowed(panel, long_origins, first_O[rows], rate)
        reads_all = replace(reader, context=Whole())
        block = reader.network.config.steps
        plain_O = ~log_O[rows]
        quantiles_OJQ = read_along(
            reads_all, slow.panel, slow.origins, count, block, False, plain_O
        )
        result_OJ[rows] = quantiles_OJQ[:, :, MEDIAN]
    return result_OJ


def slowed(panel: Panel, origins: Origins, first_O: NDArray, rate: int) -> Slow:
    """What each origin has read since its first observation, as means over so many steps that end
    with the newest one; a mean of which more than half is missing is missing.

    Origins that begin alike and lie whole means apart share a series.
    """
    count_O, skipped_O = np.divmod(origins.counts - first_O, rate)
    keys_O = np.stack([origins.series, first_O + skipped_O])
    (series, first), row_O = np.unique(keys_O, axis=1, return_inverse=True)
    row_O = row_O.reshape(-1)
    longest_B = np.zeros(len(series), np.int64)
    np.maximum.at(longest_B, row_O, count_O)
    offsets = offsets_of(longest_B)
    begin_B = panel.offsets[series] + first
    number_N = np.arange(offsets[-1]) - np.repeat(offsets[:-1], longest_B)
    begin_N = np.repeat(begin_B, longest_B) + rate * number_N
    values_NK = panel.values[begin_N[:, None] + np.arange(rate)]
    periods = [
        period // rate
        for period in panel.periods
        if period % rate == 0 and period > rate
    ]
    slow_panel = Panel(
        values=_means(values_NK),
        offsets=offsets,
        ids=panel.ids[series],
        starts=panel.starts[series],
        frequency=replace(panel.frequency, every=panel.frequency.every * rate),
        periods=tuple(periods) or (1,),
    )
    return Slow(slow_panel, Origins(row_O, count_O))


def _means(values_NK: NDArray) -> NDArray:
    """Means of what is known in each row; NaN where more than half is missing."""
    known_NK = ~np.isnan(values_NK)
    count_N = known_NK.sum(axis=1)
    # Divided first: sums of the largest numbers that there are would overflow.
    divisor_N1 = np.maximum(count_N, 1)[:, None]
    shares_NK = np.where(known_NK, values_NK, 0.0) / divisor_N1
    has_half_N = 2 * count_N >= values_NK.shape[1]
    return np.where(has_half_N, shares_NK.sum(axis=1), np.nan)
