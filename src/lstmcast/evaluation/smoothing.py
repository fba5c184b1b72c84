"""Holt–Winters exponential smoothing of many histories at once, with its parameters chosen for
each.

    p = level + φ·trend                     the level that is foretold
    e = y − p·season                        (additive: y − p − season)
    level' = p + α·e/season
    trend' = φ·trend + α·β·e/season
    season' = season + γ·(1 − α)·e/p

This is the error-correction form of Holt (1957) and Winters (1960), damped as by Gardner & McKenzie
(1985); Hyndman et al., "Forecasting with Exponential Smoothing" (2008), chapter 2. A missing value
has no error: the state goes on as foretold.

Shapes: n histories, T time (all end at T − 1), m period, G settings tried at once, H horizon.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FLOOR = 1e-3  # of the mean value: what a level, or a seasonal factor, is at least when it divides
LOWEST = 0.05  # of the mean value: the line from which a multiplicative history starts
# the segments from which the first season and the first line are taken
START_CYCLES, START_VALUES = 4, 10
STEP, ROUNDS = 1.0, 3  # of the search after the grid, on the logit scale; halved in each round
# numbers of a seasonal state that are worked on at once: 2 MB, which a cache still holds
CHUNK = 1 << 18
ALPHAS, BETAS, GAMMAS, PHIS = (
    (0.05, 0.2, 0.45, 0.8),
    (0.003, 0.05),
    (0.05, 0.2, 0.5, 0.9),
    (1.0, 0.9),
)


class State(NamedTuple):
    """Level and trend (G, n), and the seasonal part by time modulo m, (m, G, n)."""

    level: np.ndarray
    trend: np.ndarray
    season: np.ndarray


class Settings(NamedTuple):
    """Of the level, the trend, the season and the damping; each (G, n), or (G, 1) for all
    histories."""

    alpha: np.ndarray
    beta: np.ndarray
    gamma: np.ndarray
    phi: np.ndarray


def holt_winters(y_nT: np.ndarray, period: int, horizon: int, multiplicative: bool) -> np.ndarray:
    """The forecast (n, H) of histories that end together; NaN on their left and where values are
    missing.

    Each history needs a value that is known and, for a period above 1, two cycles; multiplicative
    ones are positive.
    """
    lengths = y_nT.shape[1] - np.argmax(np.isfinite(y_nT), axis=1)
    order = np.argsort(-lengths, kind="stable")
    size = max(1, CHUNK // (period * len(_grid(period).alpha)))
    forecast = np.empty((len(y_nT), horizon))
    for chosen in (order[i : i + size] for i in range(0, len(order), size)):
        longest = lengths[chosen[0]]
        forecast[chosen] = _chunk(
            y_nT[chosen, -longest:], lengths[chosen], period, horizon, multiplicative
        )
    return forecast


def _chunk(
    y_nT: np.ndarray, lengths: np.ndarray, period: int, horizon: int, multiplicative: bool
) -> np.ndarray:
    scale = np.nanmean(np.abs(y_nT), axis=1)
    scale[scale == 0] = 1
    y_Tn = np.ascontiguousarray((y_nT / scale[:, None]).T)
    begins = y_Tn.shape[0] - lengths
    start = _start(y_Tn, begins, period, multiplicative)
    known = np.isfinite(y_Tn).sum(0)

    def errors(settings: Settings) -> np.ndarray:
        return criterion(smooth(y_Tn, begins, start, settings, multiplicative)[1], settings, known)

    best = _best(errors, _grid(period))
    start = _backcast(y_Tn, begins, best, period, multiplicative)
    # the first start, a mean over cycles, made a season that changes look fixed
    best = _best(errors, _grid(period))
    start = _backcast(y_Tn, begins, best, period, multiplicative)
    best = _refined(errors, best)
    state = smooth(y_Tn, begins, start, best, multiplicative)[0]
    return (_ahead(state, best.phi, y_Tn.shape[0], horizon, multiplicative) * scale).T


def smooth(
    y_Tn, begins, start: State, settings: Settings, multiplicative: bool
) -> tuple[State, np.ndarray]:
    """The state after the last value, and the sum of the squared one-step errors (G, n).

    Histories are sorted, the longest first, so that those that have begun are the first ones.
    """
    steps, count = y_Tn.shape
    tried = len(settings.alpha)
    period = len(start.season)
    level, trend = (np.repeat(part[None], tried, 0) for part in (start.level, start.trend))
    season = np.repeat(start.season[:, None], tried, 1)
    total = np.zeros((tried, count))
    alpha, beta, gamma, phi = (np.broadcast_to(part, (tried, count)) for part in settings)
    to_season = gamma * (1 - alpha)
    begun = np.searchsorted(begins, np.arange(steps), side="right")
    missing = np.isnan(y_Tn).any(1)
    for t in range(steps):
        n = begun[t]
        a, b, g = alpha[:, :n], beta[:, :n], to_season[:, :n]
        s = season[t % period, :, :n]
        drift = trend[:, :n] * phi[:, :n]
        p = level[:, :n] + drift
        if multiplicative:
            # a level that crosses zero turns the season over: not this setting
            total[:, :n][p < FLOOR] = np.inf
            np.maximum(p, FLOOR, out=p)
        e = y_Tn[t, :n] - (p * s if multiplicative else p + s)
        if missing[t]:
            e[np.isnan(e)] = 0
        total[:, :n] += e * e
        up = a * (e / s if multiplicative else e)
        level[:, :n] = p + up
        trend[:, :n] = drift + b * up
        if period > 1:
            s += g * (e / p if multiplicative else e)
            if multiplicative:
                np.maximum(s, FLOOR, out=s)
    return State(level, trend, season), total


def criterion(total, settings: Settings, known):
    """Akaike's information criterion of each setting: a trend, and its damping, must earn their
    place."""
    free = 2 + 2 * (settings.phi > 0) + ((settings.phi > 0) & (settings.phi < 1))
    return known * np.log(np.maximum(total, 1e-12) / known) + 2 * free


def _grid(period: int) -> Settings:
    gammas = GAMMAS if period > 1 else (0.0,)
    # without a trend: nothing can go astray here
    rows = [(a, 0.0, g, 0.0) for a in ALPHAS for g in gammas]
    rows += [(a, b, g, f) for a in ALPHAS for g in gammas for f in PHIS for b in BETAS]
    return Settings(*np.array(rows).T[:, :, None])


def _best(errors, tried: Settings) -> Settings:
    chosen = errors(tried).argmin(0)
    each = np.arange(len(chosen))
    full = (np.broadcast_to(part, (len(part), len(chosen))) for part in tried)
    return Settings(*(part[chosen, each][None] for part in full))


def _refined(errors, best: Settings) -> Settings:
    """A pattern search from the best point of the grid: steps along each parameter, halved from
    round to round."""
    for step in STEP * 0.5 ** np.arange(ROUNDS):
        alpha, beta, gamma, phi = best
        moves = [(0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
        alpha, beta, gamma = (
            np.concatenate([_moved(part, step * move[i]) for move in moves])
            for i, part in enumerate((alpha, beta, gamma))
        )
        best = _best(errors, Settings(alpha, beta, gamma, np.repeat(phi, len(moves), 0)))
    return best


def _moved(share, by):
    """A share between 0 and 1 after a step on the logit scale; 0 stays 0."""
    odds = share / (1 - share) * np.exp(by)
    return np.minimum(odds / (1 + odds), 0.995)


def _start(y_Tn, begins, period: int, multiplicative: bool) -> State:
    """The state before the first value: seasonal means over the first cycles, then a line
    through the first one."""
    steps = len(y_Tn)
    cycle = np.arange(steps) % period
    season = np.full((period, y_Tn.shape[1]), 1.0 if multiplicative else 0.0)
    if period > 1:
        middle = _centred_mean(y_Tn, period)
        rest = y_Tn / middle if multiplicative else y_Tn - middle
        early = np.arange(steps)[:, None] < begins + START_CYCLES * period
        season = _by_phase(np.where(early, rest, np.nan), cycle, period, multiplicative)
    adjusted = y_Tn / season[cycle] if multiplicative else y_Tn - season[cycle]
    width = max(START_VALUES, period)
    rows = begins + np.arange(width)[:, None]
    first = np.where(
        rows < steps, np.take_along_axis(adjusted, np.minimum(rows, steps - 1), 0), np.nan
    )
    intercept, slope = _line(first)
    if multiplicative:  # a line that comes near zero is no level: the lowest value is one
        low = np.minimum(intercept - slope, intercept + slope * width) < LOWEST
        intercept, slope = np.where(low, np.nanmin(adjusted, 0), intercept), np.where(low, 0, slope)
    return State(intercept - slope, slope, season)


def _backcast(y_Tn, begins, settings: Settings, period: int, multiplicative: bool) -> State:
    """The state before the first value, from smoothing the histories backwards with the settings
    found for them.

    Box & Jenkins, "Time Series Analysis" (1970), section 7.1.4; it stands in for 2 + m more
    parameters to be searched.
    """
    steps = len(y_Tn)
    turned = begins + steps - 1  # t of a history is turned − t of the same one read backwards
    rows = turned - np.arange(steps)[:, None]
    inside = rows < steps
    backwards = np.where(inside, np.take_along_axis(y_Tn, np.where(inside, rows, 0), 0), np.nan)
    start = _start(backwards, begins, period, multiplicative)
    state = smooth(backwards, begins, start, settings, multiplicative)[0]
    level, trend = state.level[0] + state.trend[0], -state.trend[0]
    if multiplicative:
        low = level < LOWEST
        level, trend = (
            np.where(low, np.maximum(state.level[0], LOWEST), level),
            np.where(low, 0, trend),
        )
    season = np.take_along_axis(
        state.season[:, 0], (turned - np.arange(period)[:, None]) % period, 0
    )
    return State(level, trend, season)


def _centred_mean(y_Tn, period: int):
    """The mean over the cycle around each value, NaN where it is not whole; both ends of an even
    one count half."""
    weights = np.ones(period + 1 - period % 2)
    if period % 2 == 0:
        weights[[0, -1]] = 0.5
    half = len(weights) // 2
    middle = np.full_like(y_Tn, np.nan)
    around = np.lib.stride_tricks.sliding_window_view(y_Tn, len(weights), axis=0)
    middle[half : len(y_Tn) - half] = around @ (weights / weights.sum())
    return middle


def _by_phase(rest, cycle, period: int, multiplicative: bool):
    """The mean of each phase, (m, n), brought to a mean of 1 (factors) or 0; neutral where
    nothing is known."""
    neutral = 1.0 if multiplicative else 0.0
    known = np.isfinite(rest)
    total, number = np.zeros((period, rest.shape[1])), np.zeros((period, rest.shape[1]))
    np.add.at(total, cycle, np.where(known, rest, 0))
    np.add.at(number, cycle, known)
    season = np.where(number > 0, total, neutral) / np.maximum(number, 1)
    return np.maximum(season / season.mean(0), FLOOR) if multiplicative else season - season.mean(0)


def _line(y_Tn):
    """Least squares over what is known: intercept and slope, each (n,)."""
    known = np.isfinite(y_Tn)
    number = np.maximum(known.sum(0), 1)
    t = np.arange(len(y_Tn))[:, None] - (known * np.arange(len(y_Tn))[:, None]).sum(0) / number
    y = np.where(known, y_Tn, 0)
    spread = (known * t * t).sum(0)
    slope = (known * t * y).sum(0) / np.where(spread > 0, spread, 1)
    return y.sum(0) / number + slope * t[0], slope


def _ahead(state: State, phi, steps: int, horizon: int, multiplicative: bool):
    """The forecast (H, n) from the state of the one setting that was chosen."""
    h = np.arange(1, horizon + 1)[:, None]
    damped = np.cumsum(phi ** np.arange(1, horizon + 1)[:, None], axis=0)
    level = state.level + damped * state.trend
    season = state.season[(steps - 1 + h[:, 0]) % len(state.season), 0]
    return np.maximum(level, 0) * season if multiplicative else level + season
