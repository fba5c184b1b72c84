"""Example tables, so that somebody without data sees something at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from lstmcast.data.examples import airline
from lstmcast.data.table import format_time

DAYS, AHEAD = 500, 28  # days of the shop, and planned days
_WEEK = np.array([0.8, 0.85, 0.9, 1.0, 1.25, 1.4, 0.8])


def airline_table() -> bytes:
    """The airline series as a CSV file.

    >>> airline_table().decode().splitlines()[:2]
    ['month,passengers', '1949-01-01,112']
    """
    panel = airline()
    times = map(format_time, panel.times(0))
    rows = [
        f"{time},{value:g}" for time, value in zip(times, panel.values, strict=True)
    ]
    return "\n".join(["month,passengers", *rows, ""]).encode()


def shop_table() -> bytes:
    """A simulated shop as a CSV file: its daily sales, prices and promotions, and the plan for the
    next weeks.

    >>> [line.count(",") for line in shop_table().decode().splitlines()[:2]]
    [3, 3]
    """
    random = np.random.default_rng(7)
    steps = np.arange(DAYS + AHEAD)
    days = np.datetime64("2024-01-01") + steps
    price = np.where((steps // 45) % 2 == 0, 4.5, 4.9)
    promo = (random.random(len(steps)) < 0.15).astype(int)
    level = 120 * np.exp(0.0004 * steps) * _WEEK[steps % 7] * (price / 4.5) ** -1.8
    sold = np.rint(
        level * np.where(promo == 1, 1.5, 1.0) * random.lognormal(0, 0.08, len(steps))
    )
    texts = [f"{value:g}" for value in sold[:DAYS]] + [""] * AHEAD
    rows = [
        f"{day},{text},{cost:g},{is_promoted}"
        for day, text, cost, is_promoted in zip(days, texts, price, promo, strict=True)
    ]
    return "\n".join(["day,sold,price,promo", *rows, ""]).encode()


EXAMPLES: Mapping[str, Callable[[], bytes]] = {
    "airline.csv": airline_table,
    "shop.csv": shop_table,
}
