"""Synthetic series for pretraining, tests and examples.

A series is a sum of parts on a latent axis (trend, cycle, seasons, noise, shocks), each present or
absent at random and of random size. It is turned into observations in one of several ways
(exponential, additive, counts, clipped, bounded). The distributions are wide, and were fixed before
any forecast was scored.

    B series · T steps
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lstmcast.data.syntheticparts import (
    Draws,
    cycle_part,
    day_factors,
    noise_part,
    outlier_part,
    season_part,
    shift_part,
    trend_part,
    wave_part,
    workday_part,
)


@dataclass(frozen=True)
class Kind:
    """Properties of the series of one family of frequencies.

    `growth`: typical drift per step of positive series; `wander`: step size of the random level, in
    units of the noise; `turn`: that of the slope; `season`: probability of each period; `lengths`:
    shortest and longest; `positive`: probability that all values are positive.
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
    Kind(
        "yearly",
        periods=((1,),),
        growth=0.04,
        wander=1.0,
        turn=0.06,
        season=0.0,
        lengths=(16, 72),
        positive=0.92,
    ),
    Kind(
        "quarterly",
        periods=((4,),),
        growth=0.012,
        wander=0.5,
        turn=0.04,
        season=0.7,
        lengths=(24, 96),
        positive=0.92,
    ),
    Kind(
        "monthly",
        periods=((12,),),
        growth=0.005,
        wander=0.3,
        turn=0.02,
        season=0.75,
        lengths=(48, 192),
        positive=0.9,
    ),
    Kind(
        "weekly",
        periods=((52,),),
        growth=0.002,
        wander=0.25,
        turn=0.01,
        season=0.7,
        lengths=(104, 520),
        positive=0.85,
    ),
    Kind(
        "daily",
        periods=((7,), (7,), (5,)),
        growth=0.0007,
        wander=0.2,
        turn=0.005,
        season=0.65,
        lengths=(56, 512),
        positive=0.75,
    ),
    Kind(
        "hourly",
        periods=((24, 168), (24, 168), (24,), (48, 336), (96,), (144,), (288,)),
        growth=0.0001,
        wander=0.06,
        turn=0.001,
        season=0.8,
        lengths=(192, 1000),
        positive=0.65,
    ),
    Kind(
        "other",
        periods=((1,), (1,), (4,), (6,), (12,), (24,), (60,)),
        growth=0.004,
        wander=0.4,
        turn=0.03,
        season=0.6,
        lengths=(24, 256),
        positive=0.6,
    ),
)


def synthetic(
    rng: Generator,
    count: int,
    length: int,
    kind: Kind,
    periods: tuple[int, ...],
) -> NDArray[np.float64]:
    """Draw `count` series of `length` values (B, T) of one kind, without missing values.

    >>> synthetic(np.random.default_rng(0), 2, 30, KINDS[2], (12,)).shape
    (2, 30)
    """
    draws = Draws(rng, count, length)
    noise_B1 = draws.log_uniform(0.004, 0.35)
    latent = noise_B1 * noise_part(draws)
    latent += trend_part(draws, noise_B1, kind)
    # Each part first draws whether it is present, then its values: the order of draws is fixed.
    weight_B1 = draws.indicator(0.35) * noise_B1
    latent += weight_B1 * cycle_part(draws)
    for period in periods:
        if period > 1:
            weight_B1 = draws.indicator(kind.season) * noise_B1
            latent += weight_B1 * season_part(draws, period)
    if len(periods) > 1:
        weight_B1 = draws.indicator(kind.season) * noise_B1
        latent += weight_B1 * workday_part(draws, periods)
    shortest = periods[0] if periods else 1
    if shortest >= 24:
        latent *= day_factors(draws, shortest)
        weight_B1 = draws.indicator(0.6) * noise_B1
        swings = weight_B1 * np.log(day_factors(draws, shortest))
        latent += swings * draws.log_uniform(1, 8)
    weight_B1 = draws.indicator(0.2) * noise_B1
    latent += weight_B1 * shift_part(draws)
    weight_B1 = draws.indicator(0.25) * noise_B1
    latent += weight_B1 * outlier_part(draws)
    is_pure = draws.by_chance(0.04)
    latent = np.where(is_pure, noise_B1 * wave_part(draws), latent)
    return _observe(draws, latent, kind)


def with_missing(
    rng: Generator, values_BT: NDArray, share: float = 0.15
) -> NDArray[np.float64]:
    """A copy in which a share of the series has missing values: single ones and one longer
    segment."""
    B, T = values_BT.shape
    draws = Draws(rng, B, T)
    lacks_B1 = draws.by_chance(share)
    draws_BT = rng.random((B, T))
    chance_B1 = draws.uniform(0, 0.25) ** 2 * 4
    is_scattered_BT = draws_BT < chance_B1
    first_B1 = rng.integers(0, T, (B, 1))
    length_B1 = rng.integers(0, max(2, T // 8), (B, 1))
    steps = np.arange(T)
    in_segment_BT = (steps >= first_B1) & (steps < first_B1 + length_B1)
    in_segment_BT &= draws.by_chance(0.5)
    missing_BT = lacks_B1 & (is_scattered_BT | in_segment_BT)
    return np.where(missing_BT, np.nan, values_BT)


def draw_periods(rng: Generator, kind: Kind) -> tuple[int, ...]:
    """One of the kind's sets of seasonal periods."""
    return kind.periods[rng.integers(len(kind.periods))]


def _observe(draws: Draws, latent: NDArray, kind: Kind) -> NDArray:
    """Observations from the latent axis: most positive series are exponentials, a third additive
    in levels."""
    latent = latent - latent[:, :1]
    spread = latent.std(axis=1, keepdims=True)
    shrinking = np.minimum(1.0, 3.0 / np.maximum(spread, 1e-9))
    logarithms = np.clip(latent * shrinking, -12, 12)
    exponential = np.exp(logarithms)
    floor = -latent.min(axis=1, keepdims=True)
    above_zero = (floor + spread) * draws.log_uniform(0.05, 10.0)
    additive = latent + floor + above_zero
    is_exponential = draws.by_chance(0.65)
    positive = np.where(is_exponential, exponential, additive)
    positive = positive * draws.log_uniform(0.01, 1e5)
    is_positive = draws.by_chance(kind.positive)
    signed = _signed(draws, latent, spread)
    return np.where(is_positive, positive, signed)


def _signed(draws: Draws, latent: NDArray, spread: NDArray) -> NDArray:
    """Series that may not be positive: plain, counts with zeros, clipped at zero, or bounded."""
    unit = latent / np.maximum(spread, 1e-9)
    plain = latent + spread * draws.normal(0, 2)
    counts = _counts(draws, unit)
    shift_B1 = draws.normal(0, 0.8)
    clipped = np.maximum(unit + shift_B1, 0.0)
    shift_B1 = draws.normal(0, 1)
    log_odds = np.clip(unit + shift_B1, -8, 8)
    bounded = 1 / (1 + np.exp(-log_odds))
    choice_B1 = draws.fractions()
    limited = np.where(choice_B1 < 0.9, clipped, bounded)
    not_plain = np.where(choice_B1 < 0.75, counts, limited)
    signed = np.where(choice_B1 < 0.45, plain, not_plain)
    # counts keep their unit, and so do plain values
    size_B1 = draws.log_uniform(0.1, 1e3)
    has_size = choice_B1 >= 0.75
    return signed * size_B1**has_size


def _counts(draws: Draws, unit: NDArray) -> NDArray:
    """Counts whose rate follows the series, half of them more dispersed than a Poisson variable."""
    log_rate = 0.7 * unit + draws.uniform(-2.0, 2.5)
    rate = np.exp(np.clip(log_rate, -6, 6))
    dispersion = draws.rng.gamma(3.0, 1 / 3.0, unit.shape)
    is_poisson = draws.by_chance(0.5)
    rate = np.where(is_poisson, rate, rate * dispersion)
    return draws.rng.poisson(rate).astype(float)
