"""Holt–Winters exponential smoothing of many histories at once, each with its own parameters.

    p = level + φ·trend                     the predicted level
    e = y − p·season                        (additive: y − p − season)
    level' = p + α·e/season
    trend' = φ·trend + α·β·e/season
    season' = season + γ·(1 − α)·e/p

This is the error-correction form of Holt (1957) and Winters (1960), damped as by Gardner &
McKenzie (1985); Hyndman et al., "Forecasting with Exponential Smoothing" (2008), chapter 2. A
missing value has no error: the state continues as predicted.

Shapes: n histories, T time (all end at T − 1), m period, G settings tried at once, H horizon.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy import ndarray
from numpy.lib.stride_tricks import sliding_window_view

# lower bound of levels and seasonal factors in denominators, as a share of the mean value
FLOOR = 1e-3
# lower bound of the initial line of a multiplicative history, as a share of the mean value
LOWEST = 0.05
# segments that determine the first season and the first line
START_CYCLES, START_VALUES = 4, 10
# of the pattern search after the grid, on the logit scale; halved in each round
STEP, ROUNDS = 1.0, 3
# numbers of a seasonal state per batch: 2 MB, which fits into a cache
CHUNK = 1 << 18
# the grid: smoothing of level, trend and season, and damping
ALPHAS = (0.05, 0.2, 0.45, 0.8)
BETAS = (0.003, 0.05)
GAMMAS = (0.05, 0.2, 0.5, 0.9)
PHIS = (1.0, 0.9)


class Histories(NamedTuple):
    """Histories that end together, longest first: NaN before they begin and for missing values."""

    y_Tn: ndarray
    begins: ndarray  # the first step of each (n,)
    period: int
    multiplicative: bool

    def backwards(self) -> Histories:
        """The histories in reverse order of time."""
        steps = len(self.y_Tn)
        rows = self.turned - np.arange(steps)[:, None]
        has_value = rows < steps
        existing_rows = np.where(has_value, rows, 0)
        y_Tn = np.take_along_axis(self.y_Tn, existing_rows, 0)
        return self._replace(y_Tn=np.where(has_value, y_Tn, np.nan))

    @property
    def turned(self) -> ndarray:
        """Step t of a history is step `turned` − t of its reversed copy (n,)."""
        return self.begins + len(self.y_Tn) - 1

    def without(self, base) -> ndarray:
        """The values relative to a mean or a season."""
        return self.y_Tn / base if self.multiplicative else self.y_Tn - base


class State(NamedTuple):
    """Level and trend (G, n), and the seasonal part by time modulo m, (m, G, n)."""

    level: ndarray
    trend: ndarray
    season: ndarray


class Settings(NamedTuple):
    """Smoothing of level, trend and season, and damping; each (G, n), or (G, 1) for all
    histories."""

    alpha: ndarray
    beta: ndarray
    gamma: ndarray
    phi: ndarray


def holt_winters(
    y_nT: ndarray, period: int, horizon: int, multiplicative: bool
) -> ndarray:
    """The forecast (n, H) of histories that end together; NaN on their left and for missing values.

    Each history needs a known value and, for a period above 1, two cycles; multiplicative ones must
    be positive.
    """
    leading_missing = np.argmax(np.isfinite(y_nT), axis=1)
    lengths = y_nT.shape[1] - leading_missing
    order = np.argsort(-lengths, kind="stable")
    settings_count = len(_grid(period).alpha)
    size = max(1, CHUNK // (period * settings_count))
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
    scaled_nT = y_nT / scale[:, None]
    y_Tn = np.ascontiguousarray(scaled_nT.T)
    histories = Histories(y_Tn, len(y_Tn) - lengths, period, multiplicative)
    start = _start(histories)
    known_count = np.isfinite(y_Tn).sum(0)

    def errors(settings: Settings) -> ndarray:
        _, squares = smooth(histories, start, settings)
        return criterion(squares, settings, known_count)

    settings = _best(errors, _grid(period))
    start = _backcast(histories, settings)
    # the first estimate, a mean over cycles, treats a changing season as fixed
    settings = _best(errors, _grid(period))
    start = _backcast(histories, settings)
    settings = _refined(errors, settings)
    state, _ = smooth(histories, start, settings)
    forecast = _ahead(histories, state, settings.phi, horizon)
    return (forecast * scale).T


def smooth(
    histories: Histories, start: State, settings: Settings
) -> tuple[State, ndarray]:
    """The state after the last value, and the sum of the squared one-step errors (G, n)."""
    y_Tn = histories.y_Tn
    multiplicative = histories.multiplicative
    steps, count = y_Tn.shape
    settings_count = len(settings.alpha)
    period = len(start.season)
    level = np.repeat(start.level[None], settings_count, 0)
    trend = np.repeat(start.trend[None], settings_count, 0)
    season = np.repeat(start.season[:, None], settings_count, 1)
    total = np.zeros((settings_count, count))
    alpha, beta, gamma, phi = _over_histories(settings, count)
    to_season = gamma * (1 - alpha)
    # sorted by length, so the histories that have begun come first
    begun_T = np.searchsorted(histories.begins, np.arange(steps), side="right")
    has_missing = np.asarray(np.isnan(y_Tn).any(axis=1))
    for step in range(steps):
        begun_rows = np.s_[:, : begun_T[step]]
        value_n = y_Tn[step, : begun_T[step]]
        factor = season[step % period][begun_rows]
        drift = trend[begun_rows] * phi[begun_rows]
        foretold = level[begun_rows] + drift
        if multiplicative:
            # a level that crosses zero would invert the season: exclude the setting
            total[begun_rows][foretold < FLOOR] = np.inf
            np.maximum(foretold, FLOOR, out=foretold)
            error = value_n - foretold * factor
        else:
            error = value_n - (foretold + factor)
        if has_missing[step]:
            error[np.isnan(error)] = 0
        squares = error * error
        total[begun_rows] += squares
        level_error = error / factor if multiplicative else error
        change = alpha[begun_rows] * level_error
        level[begun_rows] = foretold + change
        trend[begun_rows] = drift + beta[begun_rows] * change
        if period > 1:
            factor_error = error / foretold if multiplicative else error
            factor += to_season[begun_rows] * factor_error
            if multiplicative:
                np.maximum(factor, FLOOR, out=factor)
    return State(level, trend, season), total


def _over_histories(settings: Settings, count: int) -> Settings:
    shape = (len(settings.alpha), count)
    return Settings(
        alpha=np.broadcast_to(settings.alpha, shape),
        beta=np.broadcast_to(settings.beta, shape),
        gamma=np.broadcast_to(settings.gamma, shape),
        phi=np.broadcast_to(settings.phi, shape),
    )


def criterion(total, settings: Settings, known_count):
    """Akaike's information criterion of each setting, which penalises a trend and its damping."""
    has_trend = settings.phi > 0
    is_damped = has_trend & (settings.phi < 1)
    parameters = 2 + 2 * has_trend + is_damped
    mean = np.maximum(total, 1e-12) / known_count
    return known_count * np.log(mean) + 2 * parameters


def _grid(period: int) -> Settings:
    gammas = GAMMAS if period > 1 else (0.0,)
    # without a trend, forecasts cannot diverge here
    rows = [(alpha, 0.0, gamma, 0.0) for alpha in ALPHAS for gamma in gammas]
    rows += [
        (alpha, beta, gamma, phi)
        for alpha in ALPHAS
        for gamma in gammas
        for phi in PHIS
        for beta in BETAS
    ]
    return Settings(*np.array(rows).T[:, :, None])


def _best(errors, settings: Settings) -> Settings:
    rows = errors(settings).argmin(0)
    histories = np.arange(len(rows))
    spread = _over_histories(settings, len(rows))
    return Settings(*(share[rows, histories][None] for share in spread))


def _refined(errors, settings: Settings) -> Settings:
    """A pattern search from the best grid point: steps along each parameter, halved in each
    round."""
    moves = [
        (0, 0, 0),
        (1, 0, 0),
        (-1, 0, 0),
        (0, 1, 0),
        (0, -1, 0),
        (0, 0, 1),
        (0, 0, -1),
    ]
    for step in STEP * 0.5 ** np.arange(ROUNDS):
        neighbours = []
        for parameter, share in enumerate(settings[:3]):
            shares = [_moved(share, step * move[parameter]) for move in moves]
            neighbours.append(np.concatenate(shares))
        alpha, beta, gamma = neighbours
        phi = np.repeat(settings.phi, len(moves), 0)
        settings = _best(errors, Settings(alpha, beta, gamma, phi))
    return settings


def _moved(share, step):
    """A share between 0 and 1 after a step on the logit scale; 0 is unchanged."""
    odds = share / (1 - share) * np.exp(step)
    return np.minimum(odds / (1 + odds), 0.995)


def _start(histories: Histories) -> State:
    """The state before the first value: seasonal means over the first cycles, then a line
    through the first one."""
    begins = histories.begins
    period = histories.period
    steps, count = histories.y_Tn.shape
    cycle = np.arange(steps) % period
    neutral = 1.0 if histories.multiplicative else 0.0
    season = np.full((period, count), neutral)
    if period > 1:
        around = histories.without(_centred_mean(histories.y_Tn, period))
        is_early = np.arange(steps)[:, None] < begins + START_CYCLES * period
        early = np.where(is_early, around, np.nan)
        season = _by_phase(early, cycle, period, histories.multiplicative)
    adjusted = histories.without(season[cycle])
    width = max(START_VALUES, period)
    rows = begins + np.arange(width)[:, None]
    existing_rows = np.minimum(rows, steps - 1)
    first_values = np.take_along_axis(adjusted, existing_rows, 0)
    first_values = np.where(rows < steps, first_values, np.nan)
    intercept, slope = _line(first_values)
    if histories.multiplicative:
        # a line close to zero cannot be a level: use the lowest value
        lowest = np.minimum(intercept - slope, intercept + slope * width)
        is_low = lowest < LOWEST
        intercept = np.where(is_low, np.nanmin(adjusted, 0), intercept)
        slope = np.where(is_low, 0, slope)
    return State(intercept - slope, slope, season)


def _backcast(histories: Histories, settings: Settings) -> State:
    """The state before the first value, from smoothing the reversed histories with the selected
    settings.

    Box & Jenkins, "Time Series Analysis" (1970), section 7.1.4; it avoids a search over 2 + m more
    parameters.
    """
    period = histories.period
    backwards = histories.backwards()
    start = _start(backwards)
    state, _ = smooth(backwards, start, settings)
    last_level = state.level[0]
    last_trend = state.trend[0]
    level = last_level + last_trend
    trend = -last_trend
    if histories.multiplicative:
        is_low = level < LOWEST
        level = np.where(is_low, np.maximum(last_level, LOWEST), level)
        trend = np.where(is_low, 0, trend)
    phases = (histories.turned - np.arange(period)[:, None]) % period
    season = np.take_along_axis(state.season[:, 0], phases, 0)
    return State(level, trend, season)


def _centred_mean(y_Tn, period: int):
    """The mean over the cycle around each value, NaN if it is incomplete; for an even cycle, both
    ends count half."""
    weights = np.ones(period + 1 - period % 2)
    if period % 2 == 0:
        weights[[0, -1]] = 0.5
    half = len(weights) // 2
    middle = np.full_like(y_Tn, np.nan)
    windows = sliding_window_view(y_Tn, len(weights), axis=0)
    middle[half : len(y_Tn) - half] = windows @ (weights / weights.sum())
    return middle


def _by_phase(around, cycle, period: int, multiplicative: bool):
    """The mean of each phase (m, n), normalised to a mean of 1 (factors) or 0; neutral for unknown
    phases."""
    neutral = 1.0 if multiplicative else 0.0
    is_known = np.isfinite(around)
    shape = (period, around.shape[1])
    total = np.zeros(shape)
    np.add.at(total, cycle, np.where(is_known, around, 0))
    number = np.zeros(shape)
    np.add.at(number, cycle, is_known)
    season = np.where(number > 0, total, neutral) / np.maximum(number, 1)
    if multiplicative:
        return np.maximum(season / season.mean(0), FLOOR)
    return season - season.mean(0)


def _line(y_Tn):
    """Least-squares line through the known values: intercept and slope, each (n,)."""
    is_known = np.isfinite(y_Tn)
    number = np.maximum(is_known.sum(0), 1)
    steps = np.arange(len(y_Tn))[:, None]
    mean_step = (is_known * steps).sum(0) / number
    centred = steps - mean_step
    values = np.where(is_known, y_Tn, 0)
    spread = (is_known * centred * centred).sum(0)
    divisor = np.where(spread > 0, spread, 1)
    slope = (is_known * centred * values).sum(0) / divisor
    mean_value = values.sum(0) / number
    intercept = mean_value + slope * centred[0]
    return intercept, slope


def _ahead(histories: Histories, state: State, phi, horizon: int):
    """The forecast (H, n) from the state of the selected setting."""
    ahead = np.arange(1, horizon + 1)
    damped = np.cumsum(phi ** ahead[:, None], axis=0)
    level = state.level + damped * state.trend
    phases = (len(histories.y_Tn) - 1 + ahead) % histories.period
    season = state.season[phases, 0]
    if histories.multiplicative:
        return np.maximum(level, 0) * season
    return level + season
