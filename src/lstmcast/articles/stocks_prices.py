"""Prices for the stocks example: simulated ones with a known rule, and the reader's own.

T ticks · S stocks
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.errors import DataError

COMES_AGAIN = 0.6  # the share of a return that is repeated
AFTER = 2  # ticks after which it is repeated


def simulated(
    seed: int, stocks: int = 400, ticks: int = 2000, change: int = 1000
) -> NDArray:
    """Simulate prices (T, S) with a common market factor; the rule is reversed at `change`.

    >>> prices = simulated(0, stocks=3, ticks=500, change=500)
    >>> returns = np.diff(np.log(prices), axis=0)
    >>> float(np.corrcoef(returns[2:, 0], returns[:-2, 0])[0, 1].round(1))
    0.6
    """
    rng = np.random.default_rng([seed, 400])
    pull_S = rng.uniform(0.5, 1.5, stocks)
    usual_S = 0.005 * np.exp(rng.normal(0, 0.3, stocks))
    market_T = rng.normal(size=ticks)
    own_TS = rng.normal(size=(ticks, stocks))
    shocks_TS = 0.6 * pull_S * market_T[:, None] + own_TS
    unexplained = np.sqrt(1 - COMES_AGAIN**2)
    news_TS = usual_S * shocks_TS * unexplained
    returns_TS = news_TS.copy()
    for tick in range(AFTER, ticks):
        share = COMES_AGAIN if tick < change else -COMES_AGAIN
        returns_TS[tick] += share * returns_TS[tick - AFTER]
    first_S = rng.uniform(20, 200, stocks)
    growth_TS = np.exp(np.cumsum(returns_TS, axis=0))
    return first_S * growth_TS


def by_the_rule(prices_TS: NDArray, change: int) -> NDArray:
    """Errors, relative to the last price (T, S), of forecasts by the true rule."""
    returns_TS = np.diff(np.log(prices_TS), axis=0, prepend=np.nan)
    earlier_TS = np.full_like(returns_TS, np.nan)
    earlier_TS[AFTER:] = returns_TS[:-AFTER]
    is_before_T = np.arange(len(prices_TS)) < change
    share_T = np.where(is_before_T, COMES_AGAIN, -COMES_AGAIN)
    foretold_TS = share_T[:, None] * earlier_TS
    return np.exp(returns_TS) - np.exp(foretold_TS)


def panel_of(prices_TS: NDArray, ids: Sequence[str] | None = None) -> Panel:
    """Prices as series, named stock001, stock002, … unless their names are given."""
    names = ids or [f"stock{number + 1:03}" for number in range(prices_TS.shape[1])]
    return Panel.from_arrays(dict(zip(names, prices_TS.T, strict=True)))


def matrix(panel: Panel) -> NDArray:
    """Series of one length as columns (T, S)."""
    return np.ascontiguousarray(panel.values.reshape(len(panel), -1).T)


def on_common_ticks(panel: Panel) -> Panel:
    """The panel at all times with any price, the ticks; NaN where a series has none.

    >>> days = Panel.from_arrays({"a": [1, np.nan, 3], "b": [5, np.nan]})
    >>> on_common_ticks(days).series(0), on_common_ticks(days).series(1)
    (array([1., 3.]), array([ 5., nan]))
    """
    times = [panel.times(stock) for stock in range(len(panel))]
    all_T = np.unique(np.concatenate(times))
    prices_TS = np.full((len(all_T), len(panel)), np.nan)
    for stock, stock_times in enumerate(times):
        ticks = np.searchsorted(all_T, stock_times)
        prices_TS[ticks, stock] = panel.series(stock)
    prices_TS = prices_TS[~np.isnan(prices_TS).all(axis=1)]
    panel_without_prices = panel_of(
        np.zeros_like(prices_TS), [str(name) for name in panel.ids]
    )
    # a stock that ends early stays among the ticks, without prices
    return replace(panel_without_prices, values=prices_TS.T.ravel())


def last_known(prices_TS: NDArray) -> NDArray:
    """The newest known price at each tick (T, S); NaN before the first.

    >>> last_known(np.array([[np.nan], [2.0], [np.nan]])).ravel()
    array([nan,  2.,  2.])
    """
    ticks_T1 = np.arange(len(prices_TS))[:, None]
    known_TS = np.where(np.isnan(prices_TS), 0, ticks_T1)
    newest_TS = np.maximum.accumulate(known_TS, axis=0)
    return np.take_along_axis(prices_TS, newest_TS, axis=0)


def moves(prices_TS: NDArray) -> NDArray:
    """Whether each price differs from the last known one (T, S)."""
    last_TS = last_known(prices_TS)
    moved_TS = np.zeros(prices_TS.shape, bool)
    change_TS = np.abs(prices_TS[1:] - last_TS[:-1])
    moved_TS[1:] = change_TS > 0  # False if one of them is unknown
    return moved_TS


def require_moves(prices: Panel, first: int, source: str) -> None:
    """Raise DataError if no price changes after the first ticks."""
    if not moves(matrix(prices))[first:].any():
        raise DataError(
            f"no price of {source} changes after the first {first} ticks, so that there is nothing "
            "to learn, and nothing to compare with. Give prices that move until the end."
        )
