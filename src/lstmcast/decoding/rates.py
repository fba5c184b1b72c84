"""Far horizons at several rates: the network that reads hours reads means over 4 and 12 hours too.

A network that answers S steps feeds its medians back for more, and its level drifts. The same
network answers S means over k steps at once, which is k times as far. So, beyond S steps, the fed
back answer gives the shape and the slower rates give the level: each mean that was forecast is
compared with that of the shape over the same steps, and the difference, on straight lines between
the middles of the means, is put on top.

What a rate answers at a step does not depend on the horizon that is asked for (but for the last
steps, of which no mean is whole): step h is answered by the rates at which it lies 4 to S means
ahead. Their say grows with the distance, 1 − S / h, and begins with nothing where the head's own
steps end. All rates read what a forecast has read anyway (`context`), summed up from its newest
value back.

    O origins (series × cutoff) · H horizon · S steps of the head · R rates · J means of a rate
    Q quantiles of the head · B segments of series, each with its own beginning
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Blocks, Whole
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

PHASES = 24  # that a season needs: of shorter ones a mean over a few steps leaves nothing
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
    season = min((m for m in seasonal(periods) if m >= PHASES), default=0)
    chosen: list[int] = []
    for k in range(SLOWER, min(season, horizon // NEAREST) + 1):
        if season % k == 0 and k >= APART * (chosen[-1] if chosen else 0):
            chosen.append(k)
    return tuple(chosen) if horizon > steps else ()


def axes_moved(reader: Reader, panel: Panel, origins: Origins) -> NDArray:
    """The axis (O,) on which answers are moved; square roots stand for those that are not: what is
    mostly 0, and what has another period than those that rates are made for."""
    first_O = (reader.context or Blocks.of(panel.periods)).start(origins.counts)
    axes_O = reading_axes(panel, origins, first_O, reader.network.head.affine)
    return np.where(own_periods(panel, origins, first_O) == 0, axes_O, ROOT)


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
    horizon, steps = quantiles_OHQ.shape[1], reader.network.config.steps
    rates = rates_of(panel.periods, steps, horizon)
    if not rates or not len(origins.series):
        return quantiles_OHQ
    axes_O = axes_moved(reader, panel, origins) if axes_O is None else axes_O
    moved = np.flatnonzero(axes_O != ROOT)
    if not len(moved):
        return quantiles_OHQ
    result, own = quantiles_OHQ.copy(), Origins(origins.series[moved], origins.counts[moved])
    log_O = axes_O[moved] == LOG
    result[moved] = _at_rates(rates, reader, panel, own, quantiles_OHQ[moved], log_O)
    return result


def _at_rates(
    rates: tuple[int, ...],
    reader: Reader,
    panel: Panel,
    origins: Origins,
    quantiles_OHQ: NDArray,
    log_O: NDArray,
) -> NDArray:
    """The same for these rates, of origins that are all moved."""
    horizon, steps = quantiles_OHQ.shape[1], reader.network.config.steps
    first_O = (reader.context or Blocks.of(panel.periods)).start(origins.counts)
    shape_OH = quantiles_OHQ[:, :, MEDIAN]
    moved_OH, weight_OH = np.zeros_like(shape_OH), np.zeros_like(shape_OH)
    for k in rates:
        # The slowest rate answers all that lies beyond, and feeds back its means in its turn.
        farthest = horizon if k == rates[-1] else k * steps
        means_OJ = _foretold(reader, panel, origins, first_O, k, min(farthest, horizon) // k, log_O)
        gap_OJ = _gap(means_OJ, shape_OH, log_O, k)
        use_O = np.isfinite(gap_OJ).all(axis=1)
        share_OH = np.outer(use_O, _answers(k, farthest, horizon))
        lines_JH = _lines(k, gap_OJ.shape[1], horizon)
        moved_OH += share_OH * (np.nan_to_num(gap_OJ) @ lines_JH)
        weight_OH += share_OH
    beyond_H = 1.0 - steps / np.maximum(np.arange(1, horizon + 1), steps)
    moved_OH = beyond_H * moved_OH / np.maximum(weight_OH, 1.0)
    return _moved(quantiles_OHQ, moved_OH[:, :, None], log_O)


def _moved(quantiles_OHQ: NDArray, by_OH1: NDArray, log_O: NDArray) -> NDArray:
    with np.errstate(over="ignore"):
        ratios = quantiles_OHQ * np.exp(np.where(log_O[:, None, None], by_OH1, 0.0))
    moved = np.where(log_O[:, None, None], ratios, quantiles_OHQ + by_OH1)
    # Where nothing is known to move by, nothing changes, to the last bit.
    return np.where(by_OH1 == 0, quantiles_OHQ, np.clip(moved, -LARGEST, LARGEST))


def _answers(k: int, farthest: int, horizon: int) -> NDArray:
    """Which steps a rate answers (H,), as 0 and 1."""
    steps_H = np.arange(1, horizon + 1)
    return ((steps_H >= NEAREST * k) & (steps_H <= farthest)).astype(float)


def _lines(k: int, count: int, horizon: int) -> NDArray:
    """How much of each mean's difference each step takes (J, H): straight lines from nothing at
    the newest observation through the middles of the means, and level after the last."""
    middles = np.append(0.0, k * np.arange(count) + (k + 1) / 2)
    steps_H = np.arange(1, horizon + 1)
    return np.stack([np.interp(steps_H, middles, row) for row in np.eye(count + 1)[1:]])


def _gap(means_OJ: NDArray, shape_OH: NDArray, log_O: NDArray, k: int) -> NDArray:
    """How far the means that were forecast lie from those of the shape (O, J): the logarithm of
    their ratio, or their difference; NaN where there is none."""
    count = means_OJ.shape[1]
    own_OJ = shape_OH[:, : count * k].reshape(len(shape_OH), count, k).mean(axis=2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        gap_OJ = np.where(log_O[:, None], np.log(means_OJ / own_OJ), means_OJ - own_OJ)
    return np.where(np.isfinite(gap_OJ), gap_OJ, np.nan)


class Slow(NamedTuple):
    """Series of means, and where origins lie in them."""

    panel: Panel
    origins: Origins


def _foretold(
    reader: Reader,
    panel: Panel,
    origins: Origins,
    first_O: NDArray,
    k: int,
    count: int,
    log_O: NDArray,
) -> NDArray:
    """Medians of the next `count` means over k steps (O, J); NaN where too few of them were read.

    What is read as it is stays so: means of a series that crosses 0 may all be above it.
    """
    result_OJ = np.full((len(first_O), count), np.nan)
    enough = np.flatnonzero((origins.counts - first_O) // k >= FEWEST_MEANS)
    if len(enough):
        own = Origins(origins.series[enough], origins.counts[enough])
        slow = slowed(panel, own, first_O[enough], k)
        whole, block = replace(reader, context=Whole()), reader.network.config.steps
        plain_O = ~log_O[enough]
        q_OJQ = read_along(whole, slow.panel, slow.origins, count, block, False, plain_O)
        result_OJ[enough] = q_OJQ[:, :, MEDIAN]
    return result_OJ


def slowed(panel: Panel, origins: Origins, first_O: NDArray, k: int) -> Slow:
    """What each origin has read since its first observation, as means over k steps that end with
    the newest one; a mean of which more than half is missing is missing.

    Origins that begin alike and lie whole means apart share a series.
    """
    skipped_O = (origins.counts - first_O) % k
    keys, row_O = np.unique(
        np.stack([origins.series, first_O + skipped_O]), axis=1, return_inverse=True
    )
    row_O, count_O = row_O.reshape(-1), (origins.counts - first_O) // k
    longest_B = np.zeros(keys.shape[1], np.int64)
    np.maximum.at(longest_B, row_O, count_O)
    offsets = offsets_of(longest_B)
    begin_B = panel.offsets[keys[0]] + keys[1]
    number = np.arange(offsets[-1]) - np.repeat(offsets[:-1], longest_B)
    values = panel.values[(np.repeat(begin_B, longest_B) + k * number)[:, None] + np.arange(k)]
    return Slow(
        Panel(
            values=_means(values),
            offsets=offsets,
            ids=panel.ids[keys[0]],
            starts=panel.starts[keys[0]],
            frequency=replace(panel.frequency, every=panel.frequency.every * k),
            periods=tuple(m // k for m in panel.periods if m % k == 0 and m > k) or (1,),
        ),
        Origins(row_O, count_O),
    )


def _means(values_NK: NDArray) -> NDArray:
    """Means of what is known in each row; NaN where more than half is missing."""
    known_NK = ~np.isnan(values_NK)
    count_N = known_NK.sum(axis=1)
    # Divided first: sums of the largest numbers that there are would overflow.
    parts_NK = np.where(known_NK, values_NK, 0.0) / np.maximum(count_N, 1)[:, None]
    return np.where(2 * count_N >= values_NK.shape[1], parts_NK.sum(axis=1), np.nan)
