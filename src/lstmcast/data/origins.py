"""Origins of forecasts: their times, and what is known at each.

S series · K cutoffs of each · O origins · H horizon · N observations of all series
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.ragged import newest_known
from lstmcast.errors import UsageError
from lstmcast.util.config import is_whole

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel

# nearly a year of 5-minute steps; more is probably a typing error
LONGEST_HORIZON = 100_000


class Origins(NamedTuple):
    """Origins of forecasts: index of the series and number of known observations."""

    series: NDArray  # (O,) int64
    counts: NDArray  # (O,) int64


def checked_horizon(horizon: int | None, default: int | None = None) -> int:
    """The given horizon, or the forecaster's own; UsageError if it is out of range."""
    steps = default if horizon is None else horizon
    if steps is None:
        raise UsageError(
            "No horizon is given. Give the number of steps to forecast, for example horizon=12."
        )
    if not is_whole(steps, 1) or steps > LONGEST_HORIZON:
        raise UsageError(
            f"--horizon must be a whole number of steps from 1 to {LONGEST_HORIZON:,}, such as 12, "
            f"got {steps!r}."
        )
    return int(steps)


def origins_of(panel: Panel, cutoffs: NDArray | None = None) -> Origins:
    """The origins for `cutoffs`, counts of known observations (S, K), or the end of each series.

    They are series-major: all of the first series come first. UsageError unless every count is
    between 1 and the length of its series.
    """
    lengths = np.asarray(panel.lengths)
    counts = lengths[:, None] if cutoffs is None else np.asarray(cutoffs)
    has_shape = counts.ndim == 2 and len(counts) == len(lengths)
    if not has_shape or counts.dtype.kind not in "iu":
        raise UsageError(
            f"cutoffs has shape {counts.shape} and type {counts.dtype}; whole numbers of shape "
            f"({len(lengths)}, K) are expected: the number of known observations of each series."
        )
    is_wrong = (counts < 1) | (counts > lengths[:, None])
    if is_wrong.any():
        series, column = np.argwhere(is_wrong)[0]
        raise UsageError(
            f"series {str(panel.ids[series])!r}: {counts[series, column]} known observations "
            f"cannot be a cutoff; from 1 to {lengths[series]} (the length of the series) are "
            "expected."
        )
    series_count, cutoff_count = counts.shape
    series = np.repeat(np.arange(series_count), cutoff_count)
    return Origins(series, counts.ravel().astype(np.int64))


def origin_times(
    panel: Panel, origins: Origins, horizon: int
) -> tuple[NDArray, NDArray]:
    """The last known time (O,) and the times forecast (O, H) of each origin."""
    last_steps = origins.counts - 1
    steps = last_steps[:, None] + np.arange(horizon + 1)
    starts = panel.starts[origins.series]
    times = panel.frequency.advance(starts[:, None], steps)
    return times[:, 0], times[:, 1:]


def needed(panel: Panel, origins: Origins) -> tuple[Panel, Origins]:
    """The series with origins, if they are few of a panel, to avoid work on all values.

    >>> from lstmcast.data.panel import Panel
    >>> panel = Panel.from_arrays({name: [1.0, 2.0, 3.0] for name in "abc"})
    >>> part, origins = needed(panel, Origins(np.array([2, 2]), np.array([1, 3])))
    >>> part.ids.tolist(), origins.series.tolist()
    (['c'], [0, 0])
    """
    series = np.unique(origins.series)
    if 2 * len(series) >= len(panel):
        return panel, origins
    small_panel = panel.part(series, 0, panel.lengths[series])
    numbers = np.searchsorted(series, origins.series)
    return small_panel, Origins(numbers, origins.counts)


def last_known(panel: Panel, origins: Origins) -> NDArray:
    """The newest known value at each origin: (O,), NaN where none is known.

    >>> from lstmcast.data.panel import Panel
    >>> panel, series = Panel.from_arrays([3.0, float("nan"), 5.0]), np.array([0, 0])
    >>> last_known(panel, Origins(series, np.array([2, 3])))
    array([3., 5.])
    """
    newest_N = newest_known(panel.values, panel.offsets)
    last_rows = panel.offsets[origins.series] + origins.counts - 1
    newest_O = newest_N[last_rows]
    values_O = panel.values[np.maximum(newest_O, 0)]
    return np.where(newest_O >= 0, values_O, np.nan)


def mean_changes(
    panel: Panel,
    origins: Origins,
    lag: int = 1,
    values_N: NDArray | None = None,
    measure: Callable[[NDArray], NDArray] = np.abs,
    first_O: NDArray | int = 0,
) -> tuple[NDArray, NDArray]:
    """Mean of |y[t] − y[t − lag]| over the known values at each origin, and the number of pairs
    (O,).

    The mean of no pairs is NaN.

    Args:
        panel: the series.
        origins: which series, and how many of its observations are known.
        lag: steps between the two values of a pair.
        values_N: values used in place of the panel's own, for example with missing ones filled.
        measure: function of the changes that is averaged, such as `np.square` or `np.positive`
            (signed changes).
        first_O: the first observation of each history that is used.

    >>> from lstmcast.data.panel import Panel
    >>> panel, series = Panel.from_arrays([3.0, 5.0, 4.0]), np.array([0, 0])
    >>> mean_changes(panel, Origins(series, np.array([1, 3])))
    (array([nan, 1.5]), array([0, 2]))
    """
    values = panel.values if values_N is None else values_N
    # one more, so that a history may end behind the last value
    change = np.full(len(values) + 1, np.nan)
    earlier = values[: max(0, len(values) - lag)]
    change[lag:-1] = measure(values[lag:] - earlier)
    is_known = np.isfinite(change)
    # the first `lag` changes reach into what is not used, or the series before
    skipped_O = first_O + lag
    spans = _histories(panel, origins, np.minimum(skipped_O, origins.counts))
    counts = np.add.reduceat(is_known.astype(np.int64), spans)[::2]
    pairs = np.where(origins.counts > skipped_O, counts, 0)
    known_change = np.where(is_known, change, 0.0)
    total = np.add.reduceat(known_change, spans)[::2]
    total = np.where(pairs > 0, total, np.nan)
    return total / np.maximum(pairs, 1), pairs


def window(
    panel: Panel, origins: Origins, width: int, values: NDArray | None = None
) -> NDArray:
    """The last `width` observations before each cutoff, (O, W); NaN on the left where the
    history is shorter."""
    values = panel.values if values is None else values
    starts = panel.offsets[origins.series]
    first_steps = origins.counts - width
    steps = first_steps[:, None] + np.arange(width)
    rows = starts[:, None] + np.maximum(steps, 0)
    return np.where(steps >= 0, values[rows], np.nan)


def lowest(panel: Panel, origins: Origins, first_O: NDArray | int = 0) -> NDArray:
    """The lowest known value before each cutoff, from observation `first_O` on, (O,); inf where
    none is known."""
    known_values = np.where(np.isfinite(panel.values), panel.values, np.inf)
    values = np.append(known_values, np.inf)
    spans = _histories(panel, origins, first_O)
    return np.minimum.reduceat(values, spans)[::2]


def known_counts(panel: Panel, origins: Origins) -> NDArray:
    """How many values before each cutoff are not missing, (O,)."""
    is_known = np.append(np.isfinite(panel.values), False)
    spans = _histories(panel, origins, 0)
    return np.add.reduceat(is_known.astype(np.int64), spans)[::2]


def _histories(panel: Panel, origins: Origins, skipped_O: NDArray | int) -> NDArray:
    """First and last bound of each history, interleaved: every second result of `reduceat` is that
    of a history.

    Sums within a history stay exact, whereas a running sum over all series loses digits of small
    values.
    """
    starts = panel.offsets[origins.series]
    begins = starts + skipped_O
    ends = starts + origins.counts
    return np.stack([begins, ends], axis=1).ravel()
