"""Holt–Winters exponential smoothing of many histories at once, with its parameters chosen for
each.

    p = level + φ·trend                     the level that is foretold
    e = y − p·season                        (additive: y − p − season)
    level' = p + α·e/season
    trend' = φ·trend + α·β·e/season
    season' = season + γ·(1 − α)·e/p

This is the error-correction form of Holt (1957) and Winters (1960), damped as by Gardner & McKenzie
(1985); Hyndman et al., "Forecasting with Exponential Smoothing" (2008), chapter 2. A missing value
has no error: the state continues as foretold.

Shapes: n histories, T time (all end at T − 1), m period, G settings tried at once, H horizon.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy import ndarray
from numpy.lib.stride_tricks import sliding_window_view

FLOOR = 1e-3  # of the mean value: what a level, or a seasonal factor, is at least when it divides
LOWEST = 0.05  # of the mean value: the line from which a multiplicative history starts
# the segments from which the first season and the first line are taken
START_CYCLES, START_VALUES = 4, 10
STEP, ROUNDS = 1.0, 3  # of the search after the grid, on the logit scale; halved in each round
# numbers of a seasonal state that are worked on at once: 2 MB, which a cache still holds
CHUNK = 1 << 18
# what the grid tries: of the level, the trend, the season and the damping
ALPHAS = (0.05, 0.2, 0.45, 0.8)
BETAS = (0.003, 0.05)
GAMMAS = (0.05, 0.2, 0.5, 0.9)
PHIS = (1.0, 0.9)


class State(NamedTuple):
    """Level and trend (G, n), and the seasonal part by time modulo m, (m, G, n)."""

    level: ndarray
    trend: ndarray
    season: ndarray


class Settings(NamedTuple):
    """Of the level, the trend, the season and the damping; each (G, n), or (G, 1) for all
    histories."""

    alpha: ndarray
    beta: ndarray
    gamma: ndarray
    phi: ndarray


def holt_winters(y_nT: ndarray, period: int, horizon: int, multiplicative: bool) -> ndarray:
    """The forecast (n, H) of histories that end together; NaN on their left and where values are
    missing.

    Each history needs a value that is known and, for a period above 1, two cycles; multiplicative
    ones are positive.
    """
    lengths = y_nT.shape[1] - np.argmax(np.isfinite(y_nT), axis=1)
    order = np.argsort(-lengths, kind="stable")
    tried = len(_grid(period).alpha)
    size = max(1, CHUNK // (period * tried))
    forecast = np.empty((len(y_nT), horizon))
    for first in range(0, len(order), size):
        rows = order[first : first + size]
        longest = lengths[rows[0]]
        newest = y_nT[rows, -longest:]
        forecast[rows] = _chunk(newest, lengths[rows], period, horizon, multiplicative)
    return forecast


def _chunk(
    y_nT: ndarray, lengths: ndarray, period: int, horizon: int, multiplicative: bool
) -> ndarray:
    scale = np.nanmean(np.abs(y_nT), axis=1)
    scale[scale == 0] = 1
    y_Tn = np.ascontiguousarray((y_nT / scale[:, None]).T)
    begins = y_Tn.shape[0] - lengths
    start = _start(y_Tn, begins, period, multiplicative)
    known = np.isfinite(y_Tn).sum(0)

    def errors(settings: Settings) -> ndarray:
        _, squares = smooth(y_Tn, begins, start, settings, multiplicative)
        return criterion(squares, settings, known)

    best = _best(errors, _grid(period))
    start = _backcast(y_Tn, begins, best, period, multiplicative)
    # the first start, a mean over cycles, made a season that changes look fixed
    best = _best(errors, _grid(period))
    start = _backcast(y_Tn, begins, best, period, multiplicative)
    best = _refined(errors, best)
    state, _ = smooth(y_Tn, begins, start, best, multiplicative)
    forecast = _ahead(state, best.phi, len(y_Tn), horizon, multiplicative)
    return (forecast * scale).T


def smooth(
    y_Tn, begins, start: State, settings: Settings, multiplicative: bool
) -> tuple[State, ndarray]:
    """The state after the last value, and the sum of the squared one-step errors (G, n).

    Histories are sorted, the longest first, so that those that have begun are the first ones.
    """
    steps, count = y_Tn.shape
    tried = len(settings.alpha)
    period = len(start.season)
    level = np.repeat(start.level[None], tried, 0)
    trend = np.repeat(start.trend[None], tried, 0)
    season = np.repeat(start.season[:, None], tried, 1)
    total = np.zeros((tried, count))
    alpha, beta, gamma, phi = _over_histories(settings, count)
    to_season = gamma * (1 - alpha)
    begun = np.searchsorted(begins, np.arange(steps), side="right")
    has_missing = np.isnan(y_Tn).any(1)
    for step in range(steps):
        here = np.s_[:, : begun[step]]
        factor = season[step % period][here]
        drift = trend[here] * phi[here]
        foretold = level[here] + drift
        if multiplicative:
            # a level that crosses zero turns the season over: not this setting
            total[here][foretold < FLOOR] = np.inf
            np.maximum(foretold, FLOOR, out=foretold)
            error = y_Tn[step, : begun[step]] - foretold * factor
        else:
            error = y_Tn[step, : begun[step]] - (foretold + factor)
        if has_missing[step]:
            error[np.isnan(error)] = 0
        total[here] += error * error
        level_error = error / factor if multiplicative else error
        change = alpha[here] * level_error
        level[here] = foretold + change
        trend[here] = drift + beta[here] * change
        if period > 1:
            factor_error = error / foretold if multiplicative else error
            factor += to_season[here] * factor_error
            if multiplicative:
                np.maximum(factor, FLOOR, out=factor)
    return State(level, trend, season), total


def _over_histories(settings: Settings, count: int) -> Settings:
    shape = (len(settings.alpha), count)
    return Settings(*(np.broadcast_to(share, shape) for share in settings))


def criterion(total, settings: Settings, known):
    """Akaike's information criterion of each setting: a trend, and its damping, must earn their
    place."""
    has_trend = settings.phi > 0
    is_damped = has_trend & (settings.phi < 1)
    parameters = 2 + 2 * has_trend + is_damped
    mean = np.maximum(total, 1e-12) / known
    return known * np.log(mean) + 2 * parameters


def _grid(period: int) -> Settings:
    gammas = GAMMAS if period > 1 else (0.0,)
    # without a trend: nothing can go astray here
    rows = [(alpha, 0.0, gamma, 0.0) for alpha in ALPHAS for gamma in gammas]
    rows += [
        (alpha, beta, gamma, phi)
        for alpha in ALPHAS
        for gamma in gammas
        for phi in PHIS
        for beta in BETAS
    ]
    return Settings(*np.array(rows).T[:, :, None])


def _best(errors, tried: Settings) -> Settings:
    best = errors(tried).argmin(0)
    histories = np.arange(len(best))
    spread = _over_histories(tried, len(best))
    return Settings(*(share[best, histories][None] for share in spread))


def _refined(errors, best: Settings) -> Settings:
    """A pattern search from the best point of the grid: steps along each parameter, halved from
    round to round."""
    moves = [(0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
    for step in STEP * 0.5 ** np.arange(ROUNDS):
        tried = []
        for parameter, share in enumerate(best[:3]):
            moved = [_moved(share, step * move[parameter]) for move in moves]
            tried.append(np.concatenate(moved))
        alpha, beta, gamma = tried
        phi = np.repeat(best.phi, len(moves), 0)
        best = _best(errors, Settings(alpha, beta, gamma, phi))
    return best


def _moved(share, by):
    """A share between 0 and 1 after a step on the logit scale; 0 stays 0."""
    odds = share / (1 - share) * np.exp(by)
    return np.minimum(odds / (1 + odds), 0.995)


def _start(y_Tn, begins, period: int, multiplicative: bool) -> State:
    """The state before the first value: seasonal means over the first cycles, then a line
    through the first one."""
    steps, count = y_Tn.shape
    cycle = np.arange(steps) % period
    season = np.full((period, count), 1.0 if multiplicative else 0.0)
    if period > 1:
        middle = _centred_mean(y_Tn, period)
        around = y_Tn / middle if multiplicative else y_Tn - middle
        early = np.arange(steps)[:, None] < begins + START_CYCLES * period
        season = _by_phase(np.where(early, around, np.nan), cycle, period, multiplicative)
    adjusted = y_Tn / season[cycle] if multiplicative else y_Tn - season[cycle]
    width = max(START_VALUES, period)
    rows = begins + np.arange(width)[:, None]
    newest_rows = np.minimum(rows, steps - 1)
    first_values = np.take_along_axis(adjusted, newest_rows, 0)
    intercept, slope = _line(np.where(rows < steps, first_values, np.nan))
    if multiplicative:  # a line that comes near zero is no level: the lowest value is one
        lowest = np.minimum(intercept - slope, intercept + slope * width)
        is_low = lowest < LOWEST
        intercept = np.where(is_low, np.nanmin(adjusted, 0), intercept)
        slope = np.where(is_low, 0, slope)
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
    backwards = np.take_along_axis(y_Tn, np.where(inside, rows, 0), 0)
    backwards = np.where(inside, backwards, np.nan)
    start = _start(backwards, begins, period, multiplicative)
    state, _ = smooth(backwards, begins, start, settings, multiplicative)
    last_level, last_trend = state.level[0], state.trend[0]
    level = last_level + last_trend
    trend = -last_trend
    if multiplicative:
        is_low = level < LOWEST
        level = np.where(is_low, np.maximum(last_level, LOWEST), level)
        trend = np.where(is_low, 0, trend)
    phases = (turned - np.arange(period)[:, None]) % period
    season = np.take_along_axis(state.season[:, 0], phases, 0)
    return State(level, trend, season)


def _centred_mean(y_Tn, period: int):
    """The mean over the cycle around each value, NaN where it is not whole; both ends of an even
    one count half."""
    weights = np.ones(period + 1 - period % 2)
    if period % 2 == 0:
        weights[[0, -1]] = 0.5
    half = len(weights) // 2
    middle = np.full_like(y_Tn, np.nan)
    windows = sliding_window_view(y_Tn, len(weights), axis=0)
    middle[half : len(y_Tn) - half] = windows @ (weights / weights.sum())
    return middle


def _by_phase(around, cycle, period: int, multiplicative: bool):
    """The mean of each phase, (m, n), brought to a mean of 1 (factors) or 0; neutral where
    nothing is known."""
    neutral = 1.0 if multiplicative else 0.0
    known = np.isfinite(around)
    shape = (period, around.shape[1])
    total = np.zeros(shape)
    number = np.zeros(shape)
    np.add.at(total, cycle, np.where(known, around, 0))
    np.add.at(number, cycle, known)
    season = np.where(number > 0, total, neutral) / np.maximum(number, 1)
    if multiplicative:
        return np.maximum(season / season.mean(0), FLOOR)
    return season - season.mean(0)


def _line(y_Tn):
    """Least squares over what is known: intercept and slope, each (n,)."""
    known = np.isfinite(y_Tn)
    number = np.maximum(known.sum(0), 1)
    steps = np.arange(len(y_Tn))[:, None]
    centred = steps - (known * steps).sum(0) / number
    values = np.where(known, y_Tn, 0)
    spread = (known * centred * centred).sum(0)
    divisor = np.where(spread > 0, spread, 1)
    slope = (known * centred * values).sum(0) / divisor
    intercept = values.sum(0) / number + slope * centred[0]
    return intercept, slope


def _ahead(state: State, phi, steps: int, horizon: int, multiplicative: bool):
    """The forecast (H, n) from the state of the one setting that was chosen."""
    ahead = np.arange(1, horizon + 1)
    damped = np.cumsum(phi ** ahead[:, None], axis=0)
    level = state.level + damped * state.trend
    phases = (steps - 1 + ahead) % len(state.season)
    season = state.season[phases, 0]
    return np.maximum(level, 0) * season if multiplicative else level + season
