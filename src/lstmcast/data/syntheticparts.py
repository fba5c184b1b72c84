"""The components of synthetic series: noise, trend, cycle, seasons, shocks.

B series · T steps · M steps of a period · K cycles · D days
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lstmcast.data.synthetic import Kind


@dataclass(frozen=True)
class Draws:
    """Random numbers for `count` series of `length` steps; results depend on the order of draws."""

    rng: Generator
    count: int
    length: int

    @property
    def shape(self) -> tuple[int, int]:
        """(B, T)."""
        return self.count, self.length

    def fractions(self) -> NDArray:
        """A number from 0 to 1 for each series, (B, 1)."""
        return self.rng.random((self.count, 1))

    def by_chance(self, chance: float) -> NDArray:
        """Whether an event happens in each series (B, 1)."""
        return self.fractions() < chance

    def indicator(self, chance: float) -> NDArray:
        """1 for series in which an event happens, else 0 (B, 1)."""
        return self.by_chance(chance).astype(float)

    def uniform(self, low: float, high: float) -> NDArray:
        return self.rng.uniform(low, high, (self.count, 1))

    def log_uniform(self, low: float, high: float) -> NDArray:
        return np.exp(self.uniform(np.log(low), np.log(high)))

    def normal(self, mean: float, spread: float) -> NDArray:
        return self.rng.normal(mean, spread, (self.count, 1))

    def laplace(self, mean: float, scale: float) -> NDArray:
        return self.rng.laplace(mean, scale, (self.count, 1))


def noise_part(draws: Draws) -> NDArray:
    """White, autocorrelated or heavy-tailed noise of unit scale, heteroscedastic in a fifth of
    series."""
    rng = draws.rng
    shocks = rng.standard_normal(draws.shape)
    heavy_tailed = rng.standard_t(3, draws.shape) / 1.7
    is_heavy = draws.by_chance(0.25)
    shocks = np.where(is_heavy, heavy_tailed, shocks)
    volatility = np.exp(0.5 * _scaled_walk(rng, draws.shape))
    is_volatile = draws.by_chance(0.2)
    shocks = np.where(is_volatile, shocks * volatility, shocks)
    remembers = draws.by_chance(0.45)
    positive = rng.beta(2, 1.2, (draws.count, 1)) * 0.97
    memory = np.where(remembers, positive, 0.0)
    alternates = draws.by_chance(0.08)
    negative = draws.uniform(-0.6, 0.0)
    memory = np.where(alternates, negative, memory)
    return _autoregression(shocks, memory) * np.sqrt(1 - memory**2)


def _autoregression(shocks_BT: NDArray, memory_B1: NDArray) -> NDArray:
    """An autoregressive process, started from its stationary distribution."""
    memory_B = memory_B1[:, 0]
    variance_share_B = np.maximum(1 - memory_B**2, 1e-3)
    start_B = shocks_BT[:, 0] / np.sqrt(variance_share_B)
    return _remembered(shocks_BT, memory_B1, start_B)


def _from_zero(shocks_BT: NDArray, memory_B1: NDArray) -> NDArray:
    start_B = np.zeros(len(shocks_BT))
    return _remembered(shocks_BT, memory_B1, start_B)


def _remembered(shocks_BT: NDArray, memory_B1: NDArray, value_B: NDArray) -> NDArray:
    """Shocks added to a share of the previous value, starting after `value_B`."""
    memory_B = memory_B1[:, 0]
    result_BT = np.empty_like(shocks_BT)
    for step in range(shocks_BT.shape[1]):
        value_B = memory_B * value_B + shocks_BT[:, step]
        result_BT[:, step] = value_B
    return result_BT


def _scaled_walk(rng: Generator, shape: tuple[int, int]) -> NDArray:
    """A random walk of unit spread over the whole length."""
    steps = rng.standard_normal(shape)
    return np.cumsum(steps, axis=1) / np.sqrt(shape[1])


def trend_part(draws: Draws, noise_B1: NDArray, kind: Kind) -> NDArray:
    """Local linear trend, damped or not, with breaks (Holt 1957; Gardner & McKenzie 1985)."""
    rng = draws.rng
    length = draws.length
    growth = kind.growth
    walk_B1 = noise_B1 * draws.indicator(0.7) * kind.wander
    walk_B1 = walk_B1 * draws.log_uniform(0.15, 6.0)
    slope_B1 = draws.laplace(0.3 * growth, growth)
    slope_B1 = slope_B1 * draws.indicator(0.75)
    wander_B1 = noise_B1 * kind.wander * draws.laplace(0, 0.1)
    slope_B1 += wander_B1 * draws.indicator(0.4)
    turn_B1 = noise_B1 * draws.indicator(0.4) * kind.turn
    turn_B1 = turn_B1 * draws.log_uniform(0.1, 10.0)
    is_damped = draws.by_chance(0.6)
    damping_B1 = draws.uniform(0.7, 0.995)
    damping_B1 = np.where(is_damped, damping_B1, 1.0)
    centre_B1 = slope_B1 * draws.indicator(0.7)  # long-run slope of a damped trend
    breaks = rng.random(draws.shape) < 1.5 / length
    breaks = breaks * draws.indicator(0.25)
    jump_size_B1 = 2 * growth + 0.1 * noise_B1
    jumps = breaks * rng.laplace(0, 1, draws.shape) * jump_size_B1
    steps = turn_B1 * rng.standard_normal(draws.shape) + jumps
    steps[:, :1] += slope_B1 - centre_B1
    # A deviation from the long-run slope that turns at random would grow without bound when it is
    # not damped.
    is_unbounded = (turn_B1 > 0) & (damping_B1 == 1.0)
    damping_B1 = np.where(is_unbounded, 0.98, damping_B1)
    slopes = centre_B1 + _from_zero(steps, damping_B1)
    walk = walk_B1 * rng.standard_normal(draws.shape)
    return np.cumsum(slopes + walk, axis=1)


def cycle_part(draws: Draws) -> NDArray:
    """Stochastic cycle of random length (Harvey 1989, section 2.3.3)."""
    rng = draws.rng
    count, length = draws.shape
    longest = max(12.0, 1.0 * length)
    period_B = draws.log_uniform(5.0, longest)[:, 0]
    frequency_B = 2 * np.pi / period_B
    damping_B = 1 - draws.log_uniform(0.0005, 0.1)[:, 0]
    size_B = draws.log_uniform(0.3, 8.0)[:, 0]
    shock_size_B = size_B * np.sqrt(1 - damping_B**2)
    shocks_2BT = rng.standard_normal((2, count, length)) * shock_size_B[:, None]
    cycle_B, quadrature_B = rng.standard_normal((2, count)) * size_B
    cosine_B = damping_B * np.cos(frequency_B)
    sine_B = damping_B * np.sin(frequency_B)
    cycle_BT = np.empty(draws.shape)
    for step in range(length):
        shock_B, quadrature_shock_B = shocks_2BT[:, :, step]
        turned_B = cosine_B * cycle_B + sine_B * quadrature_B + shock_B
        quadrature_B = cosine_B * quadrature_B - sine_B * cycle_B + quadrature_shock_B
        cycle_B = turned_B
        cycle_BT[:, step] = cycle_B
    return cycle_BT


def season_part(draws: Draws, period: int) -> NDArray:
    """A smooth, free or spiky pattern that may change from cycle to cycle, and grow or shrink."""
    rng = draws.rng
    count, length = draws.shape
    cycles = -(-length // period) + 1
    size_B1 = draws.log_uniform(0.3, 25.0)
    pattern_BM = _pattern(draws, period)
    drift_B1 = draws.indicator(0.45)
    drift_B1 = drift_B1 * draws.log_uniform(0.02, 0.35)
    shocks_BKM = rng.standard_normal((count, cycles, period))
    steps_BKM = shocks_BKM * drift_B1[:, :, None]
    change_BKM = np.cumsum(_smooth_over_phases(draws, steps_BKM), axis=1)
    grows_B1 = draws.indicator(0.3)
    growth_BK = _scaled_walk(rng, (count, cycles))
    modulation_BK = np.exp(0.5 * grows_B1 * growth_BK)
    cycles_BKM = pattern_BM[:, None, :] + change_BKM
    cycles_BKM = cycles_BKM * modulation_BK[:, :, None] * size_B1[:, :, None]
    values_BU = cycles_BKM.reshape(count, cycles * period)
    offset = rng.integers(period)
    return values_BU[:, offset : offset + length]


def _pattern(draws: Draws, period: int) -> NDArray:
    """Patterns of unit spread: sums of harmonics, free values, or a few high or low phases (B,
    M)."""
    smooth_BM = _harmonics(draws, period)
    free_BM = _any_values(draws, period)
    spiky_BM = _spikes(draws, period)
    choice_B1 = draws.fractions()
    rough_BM = np.where(choice_B1 < 0.85, free_BM, spiky_BM)
    pattern_BM = np.where(choice_B1 < 0.55, smooth_BM, rough_BM)
    pattern_BM -= pattern_BM.mean(axis=1, keepdims=True)
    spread_B1 = pattern_BM.std(axis=1, keepdims=True)
    return pattern_BM / np.maximum(spread_B1, 0.2)


def _harmonics(draws: Draws, period: int) -> NDArray:
    phases = 2 * np.pi * np.arange(period) / period
    count_of_harmonics = min(period // 2, 8)
    harmonics = np.arange(1, count_of_harmonics + 1)
    exponent_B1 = draws.uniform(0.3, 2.0)
    decay = harmonics**-exponent_B1
    weights = draws.rng.standard_normal((2, draws.count, len(harmonics)))
    sines, cosines = weights * decay
    angles = np.outer(harmonics, phases)
    return sines @ np.sin(angles) + cosines @ np.cos(angles)


def _any_values(draws: Draws, period: int) -> NDArray:
    return draws.rng.standard_t(4, (draws.count, period))


def _spikes(draws: Draws, period: int) -> NDArray:
    rng = draws.rng
    draws_BM = rng.random((draws.count, period))
    is_spike_BM = draws_BM < draws.uniform(0.05, 0.4)
    return is_spike_BM * rng.normal(1, 0.5, (draws.count, period))


def _smooth_over_phases(draws: Draws, steps_BKM: NDArray) -> NDArray:
    """Neighbouring phases change together in half of the series."""
    shifts = (-2, -1, 0, 1, 2)
    total = sum(np.roll(steps_BKM, shift, axis=2) for shift in shifts)
    neighbours_BKM = total / np.sqrt(5)
    draws_B11 = draws.rng.random((len(steps_BKM), 1, 1))
    return np.where(draws_B11 < 0.5, neighbours_BKM, steps_BKM)


def workday_part(draws: Draws, periods: tuple[int, ...]) -> NDArray:
    """The short pattern times a factor per day of the long cycle: working days and days off."""
    rng = draws.rng
    count, length = draws.shape
    short = periods[0]
    long = periods[-1]
    days = long // short
    daily_BM = _pattern(draws, short)
    is_weekend = np.arange(days) >= 5
    chance_off_D = np.where(is_weekend, 0.7, 0.05)
    is_off_BD = rng.random((count, days)) < chance_off_D
    off_factor_B1 = draws.uniform(-0.8, 0.3)
    work_factor_BD = rng.normal(0, 0.1, (count, days))
    factor_BD = np.where(is_off_BD, off_factor_B1, work_factor_BD)
    off_level_B1 = draws.normal(-0.5, 0.7)
    level_BD = np.where(is_off_BD, off_level_B1, 0.0)
    week_BDM = factor_BD[:, :, None] * daily_BM[:, None, :]
    week_BDM += level_BD[:, :, None]
    cycle = days * short
    week_BU = week_BDM.reshape(count, cycle)
    repeats = -(-length // cycle) + 1
    offset = rng.integers(cycle)
    weeks_BU = np.tile(week_BU, repeats)
    weeks_BT = weeks_BU[:, offset : offset + length]
    return weeks_BT * draws.log_uniform(0.5, 25.0)


def day_factors(draws: Draws, period: int) -> NDArray:
    """A positive factor for each cycle, like the weather of a day."""
    rng = draws.rng
    count, length = draws.shape
    cycles = -(-length // period) + 1
    memory_B1 = draws.uniform(0.0, 0.9)
    shocks_BK = rng.standard_normal((count, cycles))
    walk_BK = _autoregression(shocks_BK, memory_B1)
    walk_BK = walk_BK * np.sqrt(1 - memory_B1**2)
    size_B1 = draws.indicator(0.7)
    size_B1 = size_B1 * draws.log_uniform(0.03, 0.6)
    offset = rng.integers(period)
    factor_BK = np.exp(size_B1 * walk_BK)
    factor_BU = np.repeat(factor_BK, period, axis=1)
    return factor_BU[:, offset : offset + length]


def shift_part(draws: Draws) -> NDArray:
    """Sudden changes of level."""
    fractions_BT = draws.rng.random(draws.shape)
    happens = fractions_BT < 2.0 / draws.length
    jumps = happens * draws.rng.standard_t(3, draws.shape) * 4
    return np.cumsum(jumps, axis=1)


def outlier_part(draws: Draws) -> NDArray:
    """Single outliers."""
    fractions_BT = draws.rng.random(draws.shape)
    happens = fractions_BT < draws.uniform(0, 0.04)
    return happens * draws.rng.standard_t(3, draws.shape) * 5


def wave_part(draws: Draws) -> NDArray:
    """One to three sines of any period, almost without noise."""
    length = draws.length
    steps = np.arange(length)
    longest = max(4.0, 1.0 * length)
    total = np.zeros(draws.shape)
    for wave in range(3):
        period_B1 = draws.log_uniform(4.0, longest)
        size_B1 = draws.log_uniform(0.5, 6.0)
        if wave > 0:
            size_B1 = size_B1 * draws.indicator(0.5)
        turns = steps / period_B1 + draws.fractions()
        total += size_B1 * np.sin(2 * np.pi * turns)
    return total + 0.02 * draws.rng.standard_normal(draws.shape)
