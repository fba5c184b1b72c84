"""Prices for the example of stocks: simulated ones, that follow a rule, and what the rule itself
makes of them.

T ticks · S stocks
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel

COMES_AGAIN, AFTER = 0.6, 2  # the part of a return that comes again, and how many ticks later


def simulated(seed: int, stocks: int = 400, ticks: int = 2000, change: int = 1000) -> NDArray:
    """Prices (T, S): a market moves them all, each by its own measure; the rule turns round at
    `change`.

    >>> prices = simulated(0, stocks=3, ticks=500, change=500)
    >>> returns = np.diff(np.log(prices), axis=0)
    >>> float(np.corrcoef(returns[2:, 0], returns[:-2, 0])[0, 1].round(1))
    0.6
    """
    rng = np.random.default_rng([seed, 400])
    pull_S, usual_S = rng.uniform(0.5, 1.5, stocks), 0.005 * np.exp(rng.normal(0, 0.3, stocks))
    market_T, own_TS = rng.normal(size=ticks), rng.normal(size=(ticks, stocks))
    news_TS = usual_S * (0.6 * pull_S * market_T[:, None] + own_TS) * np.sqrt(1 - COMES_AGAIN**2)
    returns_TS = news_TS.copy()
    for t in range(AFTER, ticks):
        returns_TS[t] += (COMES_AGAIN if t < change else -COMES_AGAIN) * returns_TS[t - AFTER]
    return rng.uniform(20, 200, stocks) * np.exp(np.cumsum(returns_TS, axis=0))


def by_the_rule(prices_TS: NDArray, change: int) -> NDArray:
    """Errors relative to the last price (T, S) of forecasts by the rule that made the prices."""
    returns_TS = np.diff(np.log(prices_TS), axis=0, prepend=np.nan)
    back_TS = np.full_like(returns_TS, np.nan)
    back_TS[AFTER:] = returns_TS[:-AFTER]
    sign_T = np.where(np.arange(len(prices_TS)) < change, COMES_AGAIN, -COMES_AGAIN)
    return np.exp(returns_TS) - np.exp(sign_T[:, None] * back_TS)


def panel_of(prices_TS: NDArray) -> Panel:
    """Prices as named series."""
    return Panel.from_arrays(
        {name: prices_TS[:, s] for s, name in enumerate(names(prices_TS.shape[1]))}
    )


def names(stocks: int) -> list[str]:
    """Of the stocks."""
    return [f"stock{s + 1:03}" for s in range(stocks)]
