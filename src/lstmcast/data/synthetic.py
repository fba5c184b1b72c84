"""Series made by a generator: for pre-training, tests and examples.

A series is a sum of parts on a latent axis (trend, cycle, seasons, noise, shocks), each present or
absent by chance and of random size, turned into observations in one of several ways (exponential,
additive, counts, clipped, bounded). All sizes are drawn from wide distributions that were written
down before any forecast was scored.

    B series · T steps
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


@dataclass(frozen=True)
class Kind:
    """What series of one family of frequencies are like.

    `growth`: typical drift per step of positive series; `wander`: how far the level wanders in a
    step, in units of the noise, and `turn`: how fast its slope does; `season`: chance of each
    period to matter; `lengths`: shortest and longest; `positive`: chance of values that are all
    positive.
    """

    family: str
    periods: tuple[tuple[int, ...], ...]  # one is drawn
    growth: float
    wander: float
    turn: float
    season: float
    lengths: tuple[int, int]
    positive: float = 0.8


KINDS = (
    Kind("yearly", ((1,),), 0.04, 1.0, 0.06, 0.0, (16, 72), 0.92),
    Kind("quarterly", ((4,),), 0.012, 0.5, 0.04, 0.7, (24, 96), 0.92),
    Kind("monthly", ((12,),), 0.005, 0.3, 0.02, 0.75, (48, 192), 0.9),
    Kind("weekly", ((52,),), 0.002, 0.25, 0.01, 0.7, (104, 520), 0.85),
    Kind("daily", ((7,), (7,), (5,)), 0.0007, 0.2, 0.005, 0.65, (56, 512), 0.75),
    Kind(
        "hourly",
        ((24, 168), (24, 168), (24,), (48, 336), (96,), (144,), (288,)),
        0.0001,
        0.06,
        0.001,
        0.8,
        (192, 1000),
        0.65,
    ),
    Kind(
        "other",
        ((1,), (1,), (4,), (6,), (12,), (24,), (60,)),
        0.004,
        0.4,
        0.03,
        0.6,
        (24, 256),
        0.6,
    ),
)


def synthetic(
    rng: Generator, count: int, length: int, kind: Kind, periods: tuple[int, ...]
) -> NDArray[np.float64]:
    """`count` series of `length` values (B, T) of one kind; no value is missing.

    >>> synthetic(np.random.default_rng(0), 2, 30, KINDS[2], (12,)).shape
    (2, 30)
    """
    shape = (count, length)
    noise_B1 = np.exp(rng.uniform(np.log(0.004), np.log(0.35), (count, 1)))
    latent = noise_B1 * _noise(rng, shape)
    latent += _trend(rng, shape, noise_B1, kind)
    latent += _maybe(rng, count, 0.35) * noise_B1 * _cycle(rng, shape)
    for m in periods:
        if m > 1:
            latent += _maybe(rng, count, kind.season) * noise_B1 * _season(rng, shape, m)
    if len(periods) > 1:
        latent += _maybe(rng, count, kind.season) * noise_B1 * _workday(rng, shape, periods)
    shortest = periods[0] if periods else 1
    if shortest >= 24:
        latent *= _days(rng, shape, shortest)
        matters = _maybe(rng, count, 0.6) * noise_B1
        latent += matters * np.log(_days(rng, shape, shortest)) * _log_uniform(rng, 1, 8, count)
    latent += _maybe(rng, count, 0.2) * noise_B1 * _shifts(rng, shape)
    latent += _maybe(rng, count, 0.25) * noise_B1 * _outliers(rng, shape)
    pure = rng.random((count, 1)) < 0.04
    latent = np.where(pure, noise_B1 * _waves(rng, shape), latent)
    return _observe(rng, latent, noise_B1, kind)


def with_missing(rng: Generator, values_BT: NDArray, share: float = 0.15) -> NDArray[np.float64]:
    """A copy in which that share of the series lacks values: single ones at random and one
    longer segment."""
    B, T = values_BT.shape
    chosen = _maybe(rng, B, share) > 0
    scattered = rng.random((B, T)) < rng.uniform(0, 0.25, (B, 1)) ** 2 * 4
    first = rng.integers(0, T, (B, 1))
    last = first + rng.integers(0, max(2, T // 8), (B, 1))
    steps = np.arange(T)
    segment = (steps >= first) & (steps < last) & (rng.random((B, 1)) < 0.5)
    return np.where(chosen & (scattered | segment), np.nan, values_BT)


def draw_periods(rng: Generator, kind: Kind) -> tuple[int, ...]:
    """One of the kind's sets of seasonal periods."""
    return kind.periods[rng.integers(len(kind.periods))]


def _maybe(rng: Generator, count: int, chance: float) -> NDArray:
    return (rng.random((count, 1)) < chance).astype(float)


def _log_uniform(rng: Generator, low: float, high: float, count: int) -> NDArray:
    return np.exp(rng.uniform(np.log(low), np.log(high), (count, 1)))


def _noise(rng: Generator, shape: tuple[int, int]) -> NDArray:
    """White, autocorrelated or heavy-tailed, unit scale; for a fifth of the series its size
    changes over time."""
    count = shape[0]
    shocks = rng.standard_normal(shape)
    heavy = rng.standard_t(3, shape) / 1.7
    shocks = np.where(rng.random((count, 1)) < 0.25, heavy, shocks)
    volatility = np.exp(0.5 * _scaled_walk(rng, shape))
    shocks = np.where(rng.random((count, 1)) < 0.2, shocks * volatility, shocks)
    memory = np.where(rng.random((count, 1)) < 0.45, rng.beta(2, 1.2, (count, 1)) * 0.97, 0.0)
    memory = np.where(rng.random((count, 1)) < 0.08, rng.uniform(-0.6, 0.0, (count, 1)), memory)
    return _autoregression(shocks, memory) * np.sqrt(1 - memory**2)


def _autoregression(shocks_BT: NDArray, memory_B1: NDArray) -> NDArray:
    result = np.empty_like(shocks_BT)
    value = shocks_BT[:, 0] / np.sqrt(np.maximum(1 - memory_B1[:, 0] ** 2, 1e-3))
    for t in range(shocks_BT.shape[1]):
        value = memory_B1[:, 0] * value + shocks_BT[:, t]
        result[:, t] = value
    return result


def _scaled_walk(rng: Generator, shape: tuple[int, int]) -> NDArray:
    """A random walk of unit spread over the whole length."""
    return np.cumsum(rng.standard_normal(shape), axis=1) / np.sqrt(shape[1])


def _trend(rng: Generator, shape: tuple[int, int], noise_B1: NDArray, kind: Kind) -> NDArray:
    """Local linear trend, damped or not, with breaks (Holt 1957; Gardner & McKenzie 1985)."""
    count, length = shape
    growth = kind.growth
    walk_B1 = noise_B1 * _maybe(rng, count, 0.7) * kind.wander * _log_uniform(rng, 0.15, 6.0, count)
    slope_B1 = rng.laplace(0.3 * growth, growth, (count, 1)) * _maybe(rng, count, 0.75)
    slope_B1 += noise_B1 * kind.wander * rng.laplace(0, 0.1, (count, 1)) * _maybe(rng, count, 0.4)
    turn_B1 = noise_B1 * _maybe(rng, count, 0.4) * kind.turn * _log_uniform(rng, 0.1, 10.0, count)
    damping_B1 = np.where(rng.random((count, 1)) < 0.6, rng.uniform(0.7, 0.995, (count, 1)), 1.0)
    centre_B1 = slope_B1 * _maybe(rng, count, 0.7)  # what a damped slope returns to
    breaks = (rng.random(shape) < 1.5 / length) * _maybe(rng, count, 0.25)
    jumps = breaks * rng.laplace(0, 1, shape) * (2 * growth + 0.1 * noise_B1)
    steps = turn_B1 * rng.standard_normal(shape) + jumps
    steps[:, :1] += slope_B1 - centre_B1
    # A deviation from the long-run slope that turns at random would grow without bound when it is
    # not damped.
    damping_B1 = np.where((turn_B1 > 0) & (damping_B1 == 1.0), 0.98, damping_B1)
    slopes = centre_B1 + _from_zero(steps, damping_B1)
    return np.cumsum(slopes + walk_B1 * rng.standard_normal(shape), axis=1)


def _from_zero(shocks_BT: NDArray, memory_B1: NDArray) -> NDArray:
    result = np.empty_like(shocks_BT)
    value = np.zeros(len(shocks_BT))
    for t in range(shocks_BT.shape[1]):
        value = memory_B1[:, 0] * value + shocks_BT[:, t]
        result[:, t] = value
    return result


def _cycle(rng: Generator, shape: tuple[int, int]) -> NDArray:
    """Stochastic cycle of random length (Harvey 1989, section 2.3.3)."""
    count, length = shape
    frequency = 2 * np.pi / _log_uniform(rng, 5.0, max(12.0, 1.0 * length), count)[:, 0]
    damping = 1 - _log_uniform(rng, 0.0005, 0.1, count)[:, 0]
    size = _log_uniform(rng, 0.3, 8.0, count)[:, 0]
    shocks = rng.standard_normal((2, count, length)) * (size * np.sqrt(1 - damping**2))[:, None]
    a, b = rng.standard_normal((2, count)) * size
    cosine, sine = damping * np.cos(frequency), damping * np.sin(frequency)
    result = np.empty(shape)
    for t in range(length):
        a, b = cosine * a + sine * b + shocks[0, :, t], cosine * b - sine * a + shocks[1, :, t]
        result[:, t] = a
    return result


def _season(rng: Generator, shape: tuple[int, int], m: int) -> NDArray:
    """A pattern of period m, smooth or free or spiky, that may change from cycle to cycle and
    grow or shrink."""
    count, length = shape
    cycles = -(-length // m) + 1
    size_B11 = _log_uniform(rng, 0.3, 25.0, count)[:, :, None]
    pattern_BM = _pattern(rng, count, m)
    drift = _maybe(rng, count, 0.45) * _log_uniform(rng, 0.02, 0.35, count)
    steps = rng.standard_normal((count, cycles, m)) * drift[:, :, None]
    change = np.cumsum(_smooth_over_phases(rng, steps), axis=1)
    modulation = np.exp(
        0.5 * _maybe(rng, count, 0.3)[:, :, None] * _scaled_walk(rng, (count, cycles))[:, :, None]
    )
    whole = ((pattern_BM[:, None, :] + change) * modulation * size_B11).reshape(count, cycles * m)
    offset = rng.integers(m)
    return whole[:, offset : offset + length]


def _pattern(rng: Generator, count: int, m: int) -> NDArray:
    """Patterns of unit spread: sums of harmonics, free values, or a few high or low phases (B,
    M)."""
    phases = 2 * np.pi * np.arange(m) / m
    harmonics = np.arange(1, min(m // 2, 8) + 1)
    decay = harmonics ** -rng.uniform(0.3, 2.0, (count, 1))
    sines, cosines = rng.standard_normal((2, count, len(harmonics))) * decay
    smooth = sines @ np.sin(np.outer(harmonics, phases)) + cosines @ np.cos(
        np.outer(harmonics, phases)
    )
    free = rng.standard_t(4, (count, m))
    spiky = (rng.random((count, m)) < rng.uniform(0.05, 0.4, (count, 1))) * rng.normal(
        1, 0.5, (count, m)
    )
    choice = rng.random((count, 1))
    pattern = np.where(choice < 0.55, smooth, np.where(choice < 0.85, free, spiky))
    pattern -= pattern.mean(axis=1, keepdims=True)
    return pattern / np.maximum(pattern.std(axis=1, keepdims=True), 0.2)


def _smooth_over_phases(rng: Generator, steps_BKM: NDArray) -> NDArray:
    """For half of the series neighbouring phases change together."""
    neighbours = sum(np.roll(steps_BKM, k, axis=2) for k in (-2, -1, 0, 1, 2)) / np.sqrt(5)
    return np.where(rng.random((len(steps_BKM), 1, 1)) < 0.5, neighbours, steps_BKM)


def _workday(rng: Generator, shape: tuple[int, int], periods: tuple[int, ...]) -> NDArray:
    """The short pattern times a factor per day of the long cycle: working days and days off."""
    count, length = shape
    short, long = periods[0], periods[-1]
    days = long // short
    daily = _pattern(rng, count, short)
    off = rng.random((count, days)) < np.where(np.arange(days) >= 5, 0.7, 0.05)
    factor = np.where(off, rng.uniform(-0.8, 0.3, (count, 1)), rng.normal(0, 0.1, (count, days)))
    level = np.where(off, rng.normal(-0.5, 0.7, (count, 1)), 0.0)
    week = (factor[:, :, None] * daily[:, None, :] + level[:, :, None]).reshape(count, days * short)
    repeats = -(-length // week.shape[1]) + 1
    offset = rng.integers(week.shape[1])
    return np.tile(week, repeats)[:, offset : offset + length] * _log_uniform(rng, 0.5, 25.0, count)


def _days(rng: Generator, shape: tuple[int, int], m: int) -> NDArray:
    """A positive factor for each cycle, so that no two days are alike: weather, and what else
    lasts a day."""
    count, length = shape
    cycles = -(-length // m) + 1
    memory = rng.uniform(0.0, 0.9, (count, 1))
    walk = _autoregression(rng.standard_normal((count, cycles)), memory) * np.sqrt(1 - memory**2)
    size = _maybe(rng, count, 0.7) * _log_uniform(rng, 0.03, 0.6, count)
    offset = rng.integers(m)
    return np.repeat(np.exp(size * walk), m, axis=1)[:, offset : offset + length]


def _shifts(rng: Generator, shape: tuple[int, int]) -> NDArray:
    """Sudden changes of level."""
    happens = rng.random(shape) < 2.0 / shape[1]
    return np.cumsum(happens * rng.standard_t(3, shape) * 4, axis=1)


def _outliers(rng: Generator, shape: tuple[int, int]) -> NDArray:
    """Single values far off."""
    happens = rng.random(shape) < rng.uniform(0, 0.04, (shape[0], 1))
    return happens * rng.standard_t(3, shape) * 5


def _waves(rng: Generator, shape: tuple[int, int]) -> NDArray:
    """One to three undisturbed sines of any period, with next to no noise."""
    count, length = shape
    steps = np.arange(length)
    total = np.zeros(shape)
    for k in range(3):
        period = _log_uniform(rng, 4.0, max(4.0, 1.0 * length), count)
        size = _log_uniform(rng, 0.5, 6.0, count) * (1.0 if k == 0 else _maybe(rng, count, 0.5))
        total += size * np.sin(2 * np.pi * (steps / period + rng.random((count, 1))))
    return total + 0.02 * rng.standard_normal(shape)


def _observe(rng: Generator, latent: NDArray, noise_B1: NDArray, kind: Kind) -> NDArray:
    """Observations from the latent axis: most positive series are exponentials, a third additive
    in levels."""
    count = len(latent)
    latent = latent - latent[:, :1]
    spread = latent.std(axis=1, keepdims=True)
    exponential = np.exp(np.clip(latent * np.minimum(1.0, 3.0 / np.maximum(spread, 1e-9)), -12, 12))
    floor = -latent.min(axis=1, keepdims=True)
    additive = latent + floor + (floor + spread) * _log_uniform(rng, 0.05, 10.0, count)
    positive = np.where(rng.random((count, 1)) < 0.65, exponential, additive) * _log_uniform(
        rng, 0.01, 1e5, count
    )
    return np.where(
        rng.random((count, 1)) < kind.positive, positive, _signed(rng, latent, spread, noise_B1)
    )


def _signed(rng: Generator, latent: NDArray, spread: NDArray, noise_B1: NDArray) -> NDArray:
    """Series that are not all positive: plain, counts with zeros, clipped at zero, or bounded."""
    count = len(latent)
    unit = latent / np.maximum(spread, 1e-9)
    plain = latent + spread * rng.normal(0, 2, (count, 1))
    rate = np.exp(np.clip(0.7 * unit + rng.uniform(-2.0, 2.5, (count, 1)), -6, 6))
    dispersion = rng.gamma(3.0, 1 / 3.0, latent.shape)
    counts = rng.poisson(np.where(rng.random((count, 1)) < 0.5, rate, rate * dispersion)).astype(
        float
    )
    clipped = np.maximum(unit + rng.normal(0, 0.8, (count, 1)), 0.0)
    bounded = 1 / (1 + np.exp(-np.clip(unit + rng.normal(0, 1, (count, 1)), -8, 8)))
    choice = rng.random((count, 1))
    signed = np.where(
        choice < 0.45,
        plain,
        np.where(choice < 0.75, counts, np.where(choice < 0.9, clipped, bounded)),
    )
    return signed * _log_uniform(rng, 0.1, 1e3, count) ** (choice >= 0.75)
