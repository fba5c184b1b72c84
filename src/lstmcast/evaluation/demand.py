"""Forecasts of intermittent demand, which is mostly 0.

Croston's method and its two best-known corrections smooth the size and the frequency of demands
separately. The bootstrap uses past sizes, and the probability of a demand after steps with and
without one. All use at most the newest `MEMORY` values and skip missing ones, such as stock-outs
marked as missing.

    O origins · W newest values · H horizon · Q quantile levels
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.observed import on_grid
from lstmcast.data.origins import Origins, checked_horizon, origins_of, window
from lstmcast.data.read import as_panel
from lstmcast.errors import UsageError
from lstmcast.evaluation.intervals import predicted
from lstmcast.forecast import QUANTILES, Forecast
from lstmcast.util.config import is_whole

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel

MEMORY = 400  # largest number of newest values used
BLOCK = 1 << 14  # histories of that length per batch
INTERMITTENT = 0.4  # share of zeros from which a series of counts is intermittent
PRIOR = 2.0  # weight, in steps per state, of the overall probability of a demand


class _Rate:
    """Base of forecasts of a mean per step, the same for every step."""

    horizon: int | None
    quantiles: tuple[float, ...]

    def predict(
        self,
        panel: Any,
        horizon: int | None = None,
        *,
        cutoffs: NDArray | None = None,
    ) -> Forecast:
        """Forecast from the end of each series, or from `cutoffs` (S, K), counts of known
        observations. `panel`: a Panel or anything that `lstmcast.read` reads."""
        return predicted(self, as_panel(panel), horizon, cutoffs)

    def points(self, panel: Panel, origins: Origins, steps: int) -> NDArray:
        """Forecasts (O, H) at any origins, NaN if no value is known."""
        width = min(MEMORY, int(origins.counts.max()))
        rates = []
        for history_OW in _histories(panel, origins, width):
            known_O = np.isfinite(history_OW).any(axis=1)
            rate_O = np.where(known_O, self._rate(history_OW), np.nan)
            rates.append(rate_O)
        rate_O1 = np.concatenate(rates)[:, None]
        return np.repeat(rate_O1, steps, axis=1)

    def _rate(self, history_OW: NDArray) -> NDArray:
        """The mean per step (O,) after these histories."""
        raise NotImplementedError


@dataclass(frozen=True)
class Croston(_Rate):
    """The smoothed demand size divided by the smoothed interval between demands.

    `alpha` is the weight of the newest demand; the first ones are averaged. The forecast is the
    mean demand per step, equal for all steps, and 0 before the first demand.

    Croston, "Forecasting and stock control for intermittent demands", Operational Research
    Quarterly 23 (1972).

    >>> from lstmcast.data.panel import Panel
    >>> Croston().predict(Panel.from_arrays([0.0, 6.0, 0.0, 0.0, 0.0, 6.0]), 2).point
    array([[2., 2.]])
    """

    horizon: int | None = None
    alpha: float = 0.1
    name: str = "Croston"
    quantiles: tuple[float, ...] = QUANTILES

    def __post_init__(self) -> None:
        _require_weight("alpha", self.alpha)

    def _rate(self, history_OW: NDArray) -> NDArray:
        return _size_over_interval(history_OW, self.alpha)


@dataclass(frozen=True)
class SBA(_Rate):
    """Croston's method with bias correction: its forecast times 1 − alpha/2.

    Syntetos & Boylan, "The accuracy of intermittent demand estimates", International Journal of
    Forecasting 21 (2005).

    >>> from lstmcast.data.panel import Panel
    >>> SBA().predict(Panel.from_arrays([0.0, 6.0, 0.0, 0.0, 0.0, 6.0]), 2).point
    array([[1.9, 1.9]])
    """

    horizon: int | None = None
    alpha: float = 0.1
    name: str = "SBA"
    quantiles: tuple[float, ...] = QUANTILES

    def __post_init__(self) -> None:
        _require_weight("alpha", self.alpha)

    def _rate(self, history_OW: NDArray) -> NDArray:
        return (1 - self.alpha / 2) * _size_over_interval(history_OW, self.alpha)


@dataclass(frozen=True)
class TSB(_Rate):
    """The smoothed demand size times the smoothed probability of a demand.

    Both are updated at every step, so that the forecast of a product that no longer sells fades
    out.

    Teunter, Syntetos & Babai, "Intermittent demand: linking forecasting to inventory obsolescence",
    European Journal of Operational Research 214 (2011).

    >>> from lstmcast.data.panel import Panel
    >>> TSB().predict(Panel.from_arrays([0.0, 6.0, 0.0, 0.0, 0.0, 6.0]), 2).point
    array([[2., 2.]])
    """

    horizon: int | None = None
    alpha: float = 0.1  # weight for sizes
    beta: float = 0.05  # weight for the probability of a demand
    name: str = "TSB"
    quantiles: tuple[float, ...] = QUANTILES

    def __post_init__(self) -> None:
        _require_weight("alpha", self.alpha)
        _require_weight("beta", self.beta)

    def _rate(self, history_OW: NDArray) -> NDArray:
        known_OW = np.isfinite(history_OW)
        demand_OW = _demands(history_OW)
        size_O = _smoothed(history_OW, demand_OW, self.alpha)
        likely_O = _smoothed(demand_OW.astype(float), known_OW, self.beta)
        return np.where(demand_OW.any(axis=1), size_O * likely_O, 0.0)


@dataclass(frozen=True)
class DemandBootstrap:
    """Bootstrapped quantiles of intermittent demand.

    Occurrence of demand follows a two-state Markov chain from the newest step on; sizes are drawn
    from the newest sizes. This is the bootstrap of Willemain, Smart & Schwarz, "A new approach to
    forecasting intermittent demand for service parts inventories", International Journal of
    Forecasting 20 (2004), without jitter and without draws: the distribution of each step is
    computed. The point is its median.

    >>> from lstmcast.data.panel import Panel
    >>> often = Panel.from_arrays(np.tile([0.0, 4.0, 0.0, 0.0, 2.0, 0.0], 20))
    >>> DemandBootstrap(quantiles=(0.4, 0.6, 0.9)).predict(often, 1).quantiles
    array([[[0., 2., 4.]]])
    """

    horizon: int | None = None
    memory: int = 112  # number of newest values to draw from
    name: str = "bootstrap"
    quantiles: tuple[float, ...] = QUANTILES
    spreads: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not is_whole(self.memory, 2) or self.memory > MEMORY:
            raise UsageError(
                f"memory must be from 2 to {MEMORY} values, got {self.memory!r}."
            )

    def predict(
        self,
        panel: Any,
        horizon: int | None = None,
        *,
        cutoffs: NDArray | None = None,
    ) -> Forecast:
        """Forecast from the end of each series, or from `cutoffs` (S, K), counts of known
        observations. `panel`: a Panel or anything that `lstmcast.read` reads."""
        panel = as_panel(panel)
        origins = origins_of(panel, cutoffs)
        horizon = checked_horizon(horizon, self.horizon)
        _, steps, rows = on_grid(panel, origins, horizon)
        levels = tuple(self.quantiles)
        quantiles_OHQ = self.distribution(panel, origins, steps, (*levels, 0.5))
        point_OH = quantiles_OHQ[..., -1]
        quantiles_OHQ = quantiles_OHQ[..., :-1]
        return Forecast.at_origins(
            panel, origins, point_OH, quantiles_OHQ, levels, rows=rows
        )

    def points(self, panel: Panel, origins: Origins, steps: int) -> NDArray:
        """Medians (O, H) at any origins."""
        return self.distribution(panel, origins, steps, (0.5,))[..., 0]

    def distribution(
        self, panel: Panel, origins: Origins, steps: int, levels: tuple[float, ...]
    ) -> NDArray:
        """Quantiles (O, H, Q) at any origins."""
        width = min(self.memory, int(origins.counts.max()))
        histories = _histories(panel, origins, width)
        quantiles = [_resampled(history_OW, steps, levels) for history_OW in histories]
        return np.concatenate(quantiles)


Demand = Croston | SBA | TSB | DemandBootstrap


def demand_baselines() -> tuple[Croston, SBA, TSB, DemandBootstrap]:
    """The baselines for intermittent series, without intervals, as only points are compared."""
    return (
        Croston(quantiles=()),
        SBA(quantiles=()),
        TSB(quantiles=()),
        DemandBootstrap(quantiles=()),
    )


def demand_named(name: str) -> Demand | None:
    """The demand baseline with this name, with intervals, or None.

    >>> demand_named("tsb").name, demand_named("Holt-Winters")
    ('TSB', None)
    """
    for baseline in (Croston(), SBA(), TSB(), DemandBootstrap()):
        if baseline.name.lower() == name.lower():
            return baseline
    return None


def mostly_intermittent(panel: Panel) -> bool:
    """Whether most series are counts with many zeros, for which these forecasts are made.

    >>> from dataclasses import replace
    >>> from lstmcast.data.panel import Panel
    >>> sold = Panel.from_arrays({"a": [0.0, 0.0, 2.0, 0.0], "b": [0.0, 1.0, 0.0, 0.0]})
    >>> mostly_intermittent(sold), mostly_intermittent(replace(sold, kind="count"))
    (False, True)
    """
    begins = panel.offsets[:-1]
    zeros_S = np.add.reduceat(panel.values == 0, begins, dtype=np.int64)
    known_S = np.add.reduceat(np.isfinite(panel.values), begins, dtype=np.int64)
    has_many_S = (zeros_S >= INTERMITTENT * known_S) & (zeros_S < known_S)
    is_intermittent_S = (panel.kinds == "count") & has_many_S
    return bool(2 * is_intermittent_S.sum() > len(panel))


def _require_weight(name: str, value: float) -> None:
    if not 0 < value <= 1:
        raise UsageError(f"{name} must be above 0 and at most 1, got {value:g}.")


class OriginBlock(NamedTuple):
    """Origins whose histories are processed together, and their rows among all origins."""

    rows: slice
    origins: Origins


def origin_blocks(origins: Origins) -> Iterator[OriginBlock]:
    """Split the origins into blocks."""
    for first in range(0, len(origins.series), BLOCK):
        rows = slice(first, first + BLOCK)
        yield OriginBlock(rows, Origins(origins.series[rows], origins.counts[rows]))


def _histories(panel: Panel, origins: Origins, width: int) -> Iterator[NDArray]:
    """The newest values (O, W) before each block of origins."""
    for block in origin_blocks(origins):
        yield window(panel, block.origins, width)


def _demands(history_OW: NDArray) -> NDArray:
    """Whether there was demand at each step; missing values are no demand."""
    return np.isfinite(history_OW) & (history_OW != 0)


def _smoothed(values_OW: NDArray, counted_OW: NDArray, weight: float) -> NDArray:
    """Exponential smoothing (O,) of the counted values, which starts as their plain mean."""
    level_O = np.zeros(len(values_OW))
    number_O = np.zeros(len(values_OW))
    for value_O, counts_O in zip(values_OW.T, counted_OW.T, strict=True):
        number_O += counts_O
        gain_O = np.maximum(weight, 1 / np.maximum(number_O, 1))
        moved_O = level_O + gain_O * (value_O - level_O)
        level_O = np.where(counts_O, moved_O, level_O)
    return level_O


def _size_over_interval(history_OW: NDArray, alpha: float) -> NDArray:
    """Croston's rate (O,); steps since the newest demand are not used."""
    demand_OW = _demands(history_OW)
    steps_OW = np.cumsum(np.isfinite(history_OW), axis=1)  # of known values only
    at_OW = np.where(demand_OW, steps_OW, 0)
    newest_OW = np.maximum.accumulate(at_OW, axis=1)
    before_OW = np.zeros_like(newest_OW)
    before_OW[:, 1:] = newest_OW[:, :-1]
    intervals_OW = (at_OW - before_OW).astype(float)
    size_O = _smoothed(history_OW, demand_OW, alpha)
    interval_O = _smoothed(intervals_OW, demand_OW, alpha)
    has_interval_O = interval_O > 0
    divisor_O = np.where(has_interval_O, interval_O, 1.0)
    return np.where(has_interval_O, size_O / divisor_O, 0.0)


class Chain(NamedTuple):
    """Probabilities of a demand at each step, given the previous step (O,)."""

    after_none: NDArray
    after_one: NDArray
    current: NDArray  # whether there was demand at the newest known step

    @classmethod
    def of(cls, history_OW: NDArray) -> Chain:
        """Estimate from pairs of adjacent known values, shrunk towards the overall probability."""
        known_OW = np.isfinite(history_OW)
        demand_OW = _demands(history_OW)
        number_O = np.maximum(known_OW.sum(axis=1), 1)
        usual_O = demand_OW.sum(axis=1) / number_O
        is_pair_OW = known_OW[:, 1:] & known_OW[:, :-1]

        def after(state_OW: NDArray) -> NDArray:
            pairs_OW = is_pair_OW & state_OW[:, :-1]
            hits_O = (pairs_OW & demand_OW[:, 1:]).sum(axis=1)
            return (hits_O + PRIOR * usual_O) / (pairs_OW.sum(axis=1) + PRIOR)

        from_newest_OW = known_OW[:, ::-1]
        newest_O = history_OW.shape[1] - 1 - from_newest_OW.argmax(axis=1)
        current_O = demand_OW[np.arange(len(demand_OW)), newest_O]
        return cls(
            after_none=after(known_OW & ~demand_OW),
            after_one=after(demand_OW),
            current=current_O.astype(float),
        )

    def ahead(self, steps: int) -> NDArray:
        """The probability of a demand at each step ahead (O, H)."""
        likely_OH = np.empty((len(self.current), steps))
        likely_O = self.current
        for step in range(steps):
            likely_O = likely_O * self.after_one + (1 - likely_O) * self.after_none
            likely_OH[:, step] = likely_O
        return likely_OH


def _resampled(history_OW: NDArray, steps: int, levels: tuple[float, ...]) -> NDArray:
    """Quantiles (O, H, Q) of past values, weighted by the probability of a demand, or of none."""
    known_OW = np.isfinite(history_OW)
    ascending_OW = np.where(known_OW, history_OW, np.inf)
    order_OW = np.argsort(ascending_OW, axis=1, kind="stable")
    value_OW = np.take_along_axis(history_OW, order_OW, axis=1)
    demand_OW = _demands(value_OW)
    none_OW = np.isfinite(value_OW) & ~demand_OW
    # a series may have only demands, or none
    each_OW = demand_OW / np.maximum(demand_OW.sum(axis=1, keepdims=True), 1)
    other_OW = none_OW / np.maximum(none_OW.sum(axis=1, keepdims=True), 1)
    likely_OH = Chain.of(history_OW).ahead(steps)
    result_OHQ = np.empty((len(history_OW), steps, len(levels)))
    rows = np.arange(len(history_OW))
    for step in range(steps):
        likely_O1 = likely_OH[:, step, None]
        weight_OW = likely_O1 * each_OW + (1 - likely_O1) * other_OW
        below_OW = np.cumsum(weight_OW, axis=1)
        total_O1 = below_OW[:, -1:]
        for column, level in enumerate(levels):
            # weights do not add up to 1 if all values are demands, or none is
            reached_OW = below_OW >= level * total_O1 - 1e-12
            place_O = reached_OW.argmax(axis=1)
            result_OHQ[:, step, column] = value_OW[rows, place_O]
    return result_OHQ
