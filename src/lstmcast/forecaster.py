"""LSTMForecaster: the public estimator. It wires the parts together and does nothing else.

S series · O origins · J held-out cutoffs · H horizon · Q quantile levels
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstmcast import decoding
from lstmcast.data.panel import Columns, Panel
from lstmcast.display import block, table
from lstmcast.errors import UsageError
from lstmcast.evaluation.calibration import calibrate
from lstmcast.forecast import LEVELS, Forecast, Origins, checked_horizon, origins_of
from lstmcast.memory import Continuation, Memory
from lstmcast.model import heads
from lstmcast.model.inputs import from_axis
from lstmcast.model.network import Network, load_network

WEIGHTS = Path(__file__).parent / "weights"
MOST_CUTOFFS, FEWEST_CUTOFFS = 24, 4  # held out for the intervals of one origin: more for one series than for hundreds
ENOUGH_SERIES = 250  # of which four cutoffs, a horizon apart, are enough
EARLIEST = 8  # observations that a held-out cutoff must know

Mode = Literal["direct", "observed", "free"]
logger = logging.getLogger("lstmcast")


class LSTMForecaster:
    """Forecasts series with an LSTM network that arrives trained.

    `horizon`: steps to forecast unless `predict` is asked for another number. `weights`: "pretrained" for the shipped
    network, a folder that holds a network, or the network itself. `levels`: quantile levels of the forecast, between 0
    and 1.

    >>> import numpy as np, lstmcast as lc
    >>> panel = lc.Panel.from_arrays(10 + np.arange(48) % 12, frequency="MS", start="2020-01")
    >>> forecast = lc.LSTMForecaster(horizon=3).predict(panel)
    >>> forecast.point.round()
    array([[10., 11., 12.]])
    """

    name = "lstmcast"

    def __init__(
        self, horizon: int, *, weights: str | Path | Network = "pretrained", levels: Iterable[float] = LEVELS
    ) -> None:
        self.horizon = checked_horizon(horizon)
        self.levels = _checked_levels(levels)
        self.network = _network(weights)
        self.memory: Memory | None = None

    def __repr__(self) -> str:
        remembers = f", remembers {len(self.memory.panel)} series" if self.memory else ""
        return f"LSTMForecaster(horizon={self.horizon}{remembers})"

    def _repr_html_(self) -> str:
        """What it is, for notebooks."""
        config, members = self.network.config, self.network.members
        numbers = sum(array.size for arrays in members for array in arrays.values())
        rows = [
            ("horizon", f"{self.horizon:,} steps"),
            ("quantile levels", ", ".join(f"{level:g}" for level in self.levels) or "none"),
            ("network", f"{len(members)} × LSTM {'-'.join(map(str, config.layers))}, {numbers:,} weights"),
        ]
        remembered = [("remembers", repr(self.memory.panel))] if self.memory else []
        return block("LSTMForecaster", table(("", ""), rows + remembered, left=(0, 1), wrap=True))

    @property
    def columns(self) -> Columns:
        """Names of the columns of the data that a saved model remembers; the usual ones otherwise."""
        return self.memory.panel.columns if self.memory else Columns()

    def predict(
        self, data: Any = None, horizon: int | None = None, *, cutoffs: NDArray | None = None, mode: Mode = "direct"
    ) -> Forecast:
        """Forecast what comes after each series, or after each cutoff.

        `data`: a Panel or anything that `lstmcast.read` reads; a loaded model goes on from what it remembers, and
        forecasts just that when there are no data. `cutoffs` (S, K): how many observations of each series are known,
        instead of all. `mode`: "direct" reads all steps from the newest state; "free" feeds every step back; "observed"
        forecasts each known observation from those before it, one step ahead, with the network's own intervals.
        Raises `DataError`, `UsageError` or `ModelError`.
        """
        if mode not in ("direct", "observed", "free"):
            raise UsageError(f"{mode=} is not known. Use 'direct', 'observed' or 'free'.")
        horizon = checked_horizon(horizon, self.horizon)
        panel = self._panel(data)
        if mode == "observed":
            return self._observed(panel, cutoffs)
        origins = origins_of(panel, cutoffs)
        quantiles = _calibrated(self.network, panel, origins, horizon, free=mode == "free")
        return self._forecast(panel, origins, quantiles)

    def continued(self, data: Any) -> Continuation:
        """Newer data joined to what a loaded model remembers; it says which series go on and which start afresh.

        `data`: a Panel or what `lstmcast.read` reads, with the columns of the saved data; one row is enough.
        """
        from lstmcast.data.newer import read_newer

        if self.memory is None:
            raise UsageError("This forecaster remembers no data: only a model that was saved and loaded can go on.")
        return self.memory.join(read_newer(data, self.memory.panel))

    def save(self, folder: str | Path, data: Any) -> None:
        """Save the network and as much of the data as its next forecasts need, so that `load` can go on from there.

        The folder then contains values of the data. Raises `OutputError` where it cannot be written.
        """
        Memory.of(self._panel(data), self.horizon, MOST_CUTOFFS).save(folder, self.network, self.horizon, self.levels)

    def _panel(self, data: Any) -> Panel:
        if self.memory is None:
            if data is None:
                raise UsageError("There are no data to forecast. Give a Panel, a file's path or a frame.")
            from lstmcast.data.readers import as_panel

            return as_panel(data)
        if data is None:
            return self.memory.panel
        continuation = self.continued(data)
        logger.info("%s", continuation)
        return continuation.panel

    def _observed(self, panel: Panel, cutoffs: NDArray | None) -> Forecast:
        if cutoffs is not None:
            raise UsageError("mode='observed' forecasts every known observation: cutoffs have no place in it.")
        lengths = panel.lengths
        series = np.repeat(np.arange(len(panel)), lengths)
        counts = np.arange(len(series)) - panel.offsets[series]
        origins = Origins(series[counts > 0], counts[counts > 0])
        return self._forecast(panel, origins, decoding.one_step_ahead(self.network, panel, origins))

    def _forecast(self, panel: Panel, origins: Origins, quantiles: NDArray) -> Forecast:
        if panel.kind in ("count", "positive"):
            quantiles = np.maximum(quantiles, 0.0)
        point = quantiles[:, :, heads.MEDIAN]
        return Forecast.at_origins(panel, origins, point, _at_levels(quantiles, self.levels), self.levels)


def load(folder: str | Path, *, levels: Iterable[float] | None = None) -> LSTMForecaster:
    """A model saved by `LSTMForecaster.save`, with what it remembers; `ModelError` where it is damaged or newer.

    `levels`: quantile levels of its forecasts, those that it was saved with unless given.
    """
    network, memory, horizon, saved_levels = Memory.load(Path(folder))
    forecaster = LSTMForecaster(horizon, weights=network, levels=saved_levels if levels is None else levels)
    forecaster.memory = memory
    return forecaster


def _network(weights: str | Path | Network) -> Network:
    if isinstance(weights, Network):
        return weights
    return _shipped() if weights == "pretrained" else load_network(Path(weights))[0]


@cache
def _shipped() -> Network:
    return load_network(WEIGHTS)[0]


def _checked_levels(levels: Iterable[float]) -> tuple[float, ...]:
    try:
        checked = tuple(sorted({float(level) for level in levels}))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{levels=} are not quantile levels. A list is expected, such as [0.1, 0.5, 0.9].") from error
    if not all(0.001 <= level <= 0.999 for level in checked):
        raise UsageError(
            f"{levels=} are not quantile levels. Numbers between 0.001 and 0.999 are expected, such as 0.1 and 0.9."
        )
    return checked


def _calibrated(network: Network, panel: Panel, origins: Origins, horizon: int, free: bool) -> NDArray:
    """Quantiles (O, H, Q) whose intervals are stretched by what held-out cutoffs before each origin showed."""
    held_out = _held_out(origins, horizon, len(panel))
    everything = np.concatenate([np.stack(origins), held_out.reshape(2, -1)], axis=1)
    different, place = np.unique(everything, axis=1, return_inverse=True)
    known = different[1] > 0
    quantiles = np.full((different.shape[1], horizon, len(heads.LEVELS)), np.nan)
    quantiles[known] = decoding.decode(network, panel, Origins(*different[:, known]), horizon, free=free)
    quantiles = quantiles[place]
    count = len(origins.series)
    result, before = quantiles[:count], quantiles[count:].reshape(*held_out.shape[1:], horizon, -1)
    actual = _actual(panel, origins, held_out[1], horizon)
    positive = _all_positive(result) & _all_positive(before) & _all_positive(actual)
    result, before, actual = (_on_axis(part, positive) for part in (result, before, actual))
    for group in _groups(origins, len(panel)):
        result[group] = calibrate(result[group], heads.LEVELS, before[group], actual[group])
    return np.where(positive[:, None, None], from_axis(result, log=True), result)


def _all_positive(values: NDArray) -> NDArray:
    """Which origins have no known value that is 0 or less (O,)."""
    return np.logical_not((values <= 0).reshape(len(values), -1).any(axis=1))


def _on_axis(values: NDArray, positive: NDArray) -> NDArray:
    """Logarithms where all is positive: there, intervals are stretched as ratios and stay above 0."""
    rows = positive.reshape(-1, *[1] * (values.ndim - 1))
    return np.where(rows, np.log(np.where(rows, values, 1.0)), values)


def _held_out(origins: Origins, horizon: int, series: int) -> NDArray:
    """Series and counts (2, O, J) of cutoffs before each origin, in the later half of what it knows; count 0 = none.

    Few series need many cutoffs, so these overlap; those of many series lie a horizon apart, as a backtest's do.
    """
    many = series >= ENOUGH_SERIES
    cutoffs, spacing = (FEWEST_CUTOFFS, horizon) if many else (MOST_CUTOFFS, max(1, horizon // 3))
    counts = origins.counts[:, None] - spacing * np.arange(1, cutoffs + 1)
    usable = counts >= np.maximum(EARLIEST, origins.counts[:, None] // 2)
    return np.stack([np.broadcast_to(origins.series[:, None], counts.shape), np.where(usable, counts, 0)])


def _actual(panel: Panel, origins: Origins, held_out: NDArray, horizon: int) -> NDArray:
    """What came after each held-out cutoff (O, J, H), as far as the origin knows it; NaN beyond."""
    steps = held_out[:, :, None] + np.arange(horizon)
    known = (steps < origins.counts[:, None, None]) & (held_out[:, :, None] > 0)
    positions = panel.offsets[origins.series][:, None, None] + np.where(known, steps, 0)
    return np.where(known, panel.values[positions], np.nan)


def _groups(origins: Origins, series: int) -> list[NDArray]:
    """Origins that share a calibration: the k-th cutoff of every series."""
    per_series = len(origins.series) // max(series, 1)
    return [np.arange(k, len(origins.series), per_series) for k in range(per_series)]


def _at_levels(quantiles: NDArray, levels: tuple[float, ...]) -> NDArray:
    """Quantiles at other levels than the head's: straight lines between them over the normal distribution's scores."""
    scores = np.array([NormalDist().inv_cdf(level) for level in heads.LEVELS])
    result = np.empty((*quantiles.shape[:2], len(levels)))
    for i, level in enumerate(levels):
        score = NormalDist().inv_cdf(level)
        right = int(np.clip(np.searchsorted(scores, score), 1, len(scores) - 1))
        share = (score - scores[right - 1]) / (scores[right] - scores[right - 1])
        low, high = quantiles[:, :, right - 1], quantiles[:, :, right]
        result[:, :, i] = low + share * (high - low)
    return result
