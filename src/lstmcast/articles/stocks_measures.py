"""What the streams of article 4 are measured by, and what it says of them.

T ticks · S stocks · H ticks ahead
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.articles.measures import Measure, rmse
from lstmcast.articles.stocks_prices import by_the_rule

if TYPE_CHECKING:
    from lstmcast.articles.stocks import Settings

# forecasts several ticks ahead: number of ticks, distance between origins, and the number of
# ticks that the shipped network has read before
AHEAD, EVERY, LATE, READ = 5, 5, 60, 140
LEARNED = 0.98  # relative to the naive error: a network above it has learned nothing


class Followed(NamedTuple):
    """The results of each tick: errors relative to the last price (T, S), and seconds (T,)."""

    learning: NDArray
    stopped: NDArray
    naive: NDArray
    seconds_learning: NDArray
    seconds_stopped: NDArray


def periods(settings: Settings) -> dict[str, slice]:
    """The periods over which errors are compared."""
    change = settings.change
    if change is None:
        return {"the second half": slice(settings.stops, settings.ticks)}
    return {
        "before the change": slice(settings.stops, change),
        "the 100 ticks after it": slice(change, change + 100),
        "from 100 ticks after it": slice(change + 100, settings.ticks),
    }


def stream_measures(
    settings: Settings, followed: Followed, seconds: float
) -> list[Measure]:
    """Errors in percent of the price, for the newest period first, and ticks per second."""
    who = {
        "learning": followed.learning,
        "naive": followed.naive,
        "no longer learning": followed.stopped,
    }
    measures = [
        Measure(
            f"RMSE in % of the price, {name}, {period}",
            100 * rmse(values[ticks], np.zeros(1)),
            seconds,
        )
        for period, ticks in reversed(periods(settings).items())
        for name, values in who.items()
    ]
    speeds = {
        "predicting and learning": followed.seconds_learning,
        "predicting": followed.seconds_stopped,
    }
    return [
        *measures,
        *(
            Measure(
                f"ticks per second, {name}",
                1 / float(np.nanmedian(values)),
                float(np.nansum(values)),
            )
            for name, values in speeds.items()
        ),
    ]


def share_measures(
    settings: Settings, prices_TS: NDArray, followed: Followed, seconds: float
) -> list[Measure]:
    """Errors in the newest period relative to the naive forecast: of the learning network and, if
    there is a rule, of a forecast that knows it, whose error is the lowest possible."""
    period, ticks = list(periods(settings).items())[-1]
    who = {"learning": followed.learning}
    if settings.change is not None:
        who["who knows the rule"] = by_the_rule(prices_TS, settings.change)
    naive = rmse(followed.naive[ticks], np.zeros(1))
    return [
        Measure(
            f"error / naive error, {name}, {period}",
            rmse(errors[ticks], np.zeros(1)) / naive,
            seconds,
        )
        for name, errors in who.items()
    ]


def ahead_measures(errors: dict[str, NDArray], seconds: float) -> list[Measure]:
    """Errors of prices several ticks ahead."""
    who = {
        "learning": "learning",
        "stopped": "no longer learning",
        "shipped": "shipped network",
    }
    return [
        Measure(
            f"RMSE in % of the price, {who.get(name, name)}, {AHEAD} ticks ahead",
            error_H[-1],
            seconds,
        )
        for name, error_H in errors.items()
    ]


def verdict(measures: list[Measure]) -> str:
    """A sentence on whether the learning network has learned the new rule."""
    learning, by_rule = (row.value for row in measures)
    if learning > LEARNED:
        return (
            f"The network has not learned the new rule: its error is {learning:.1%} of the naive "
            f"forecast's, where the rule itself has {by_rule:.1%}."
        )
    return (
        f"The network has learned the new rule: its error is {learning:.1%} of the naive "
        f"forecast's, and the rule itself has {by_rule:.1%}."
    )


def verdict_of_own(share: float) -> str:
    """A sentence on what the network has learned, by its error relative to the naive forecast; with
    real prices, this is mostly nothing."""
    error = f"in the second half its error is {share:.1%} of the naive forecast's, the last price."
    if share < LEARNED:
        return f"The network has learned something of these prices: {error}"
    if share < 1 / LEARNED:
        return f"The network has learned nothing that helps to forecast these prices: {error}"
    return f"What the network has learned of these prices does harm: {error}"
