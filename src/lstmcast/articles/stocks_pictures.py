"""Pictures of the article on stocks: errors of the two networks and of the naive forecast, also for
several ticks ahead, a few prices and returns, ticks per second. The reader's own prices have no
known change, so none is drawn.

T ticks · S stocks · H ticks ahead
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.articles.measures import root_mean_square
from lstmcast.articles.stocks_prices import last_known, moves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lstmcast.articles.runs import ExampleRun
    from lstmcast.articles.stocks import Settings
    from lstmcast.articles.stocks_measures import Followed

TOGETHER = 25  # ticks in a rolling error
LINES, SHOWN = 6, 40  # prices in a picture; ticks in the close-up of returns
JAPANESE = {
    "error of the next price, % of the price": "次の価格の誤差(価格に対する%)",
    "root mean square over 400 stocks and 25 ticks": "400銘柄・25ティックの二乗平均平方根",
    "learning at each tick": "ティックごとに学習",
    "no longer learning": "学習を停止した複製",
    "naive: the last price": "ナイーブ(直前の価格)",
    "the rule is reversed": "規則が反転",
    "the copy stops learning": "複製が学習を停止",
    "tick": "ティック",
    "price (first price = 100)": "価格(最初の価格=100)",
    "A few of the 400 stocks": "400銘柄の一部",
    "One network, 400 stocks, tick by tick": "1つのネットワークで400銘柄を1ティックずつ",
    "ticks per second": "1秒あたりのティック数",
    "predicting and learning": "予測と学習",
    "predicting": "予測のみ",
    "400 stocks are predicted at each tick": "ティックごとに400銘柄を予測",
    "Forecasts several ticks ahead, from the state of the stream": (
        "ストリームの状態から数ティック先までの予測"
    ),
    "ticks ahead": "予測先までのティック数",
    "error, % of the price": "誤差(価格に対する%)",
    "shipped network": "同梱のネットワーク",
    "return, %": "リターン(%)",
    "actual": "実際の値",
    "One stock before the change": "規則が変わる前の1銘柄",
    "the same stock at the end": "同じ銘柄の終わりの部分",
    "One network for all series, tick by tick": (
        "1つのネットワークですべての系列を1ティックずつ"
    ),
    "root mean square over all series and 25 ticks": "すべての系列・25ティックの二乗平均平方根",
    "All series are predicted at each tick": "ティックごとにすべての系列を予測",
    "The prices": "価格",
    "A few of the prices": "価格の一部",
    "One series after the copy stopped learning": "複製が学習を停止した後の1系列",
    "the same series at the end": "同じ系列の終わりの部分",
}


def rolling(errors_TS: NDArray) -> NDArray:
    """The root mean square over all stocks and the newest ticks, in percent (T,); NaN at the first
    ticks."""
    mean_T = root_mean_square(errors_TS, axis=1) ** 2
    means = np.convolve(mean_T, np.full(TOGETHER, 1 / TOGETHER), "valid")
    unknown = np.full(TOGETHER - 1, np.nan)
    return 100 * np.sqrt(np.concatenate([unknown, means]))


def draw_errors(to: ExampleRun, settings: Settings, followed: Followed) -> None:
    """Draw the rolling error of the two networks and of the naive forecast."""
    with to.figure("error", size=(10, 4.8)) as figure:
        ax = figure.subplots()
        ax.margins(y=0.09)
        ticks = np.arange(settings.ticks) + 1
        ax.plot(
            ticks,
            rolling(followed.naive),
            color="#6b7785",
            label=to.text("naive: the last price"),
        )
        late = ticks > settings.stops
        ax.plot(
            ticks[late],
            rolling(followed.stopped)[late],
            color="#d9822b",
            label=to.text("no longer learning"),
        )
        ax.plot(
            ticks,
            rolling(followed.learning),
            color="#1556b0",
            label=to.text("learning at each tick"),
        )
        marks = [(settings.stops, "the copy stops learning", "right", 0.03)]
        if settings.change is not None:
            marks.append((settings.change, "the rule is reversed", "left", 0.95))
        for tick, text, side, height in marks:
            ax.axvline(tick, color="#1f2933", linewidth=0.8, linestyle=":")
            words = f" {to.text(text)} "
            place = ax.get_xaxis_transform()
            ax.text(
                tick,
                height,
                words,
                transform=place,
                fontsize=9,
                horizontalalignment=side,
            )
        title = "One network for all series, tick by tick"
        measure = "root mean square over all series and 25 ticks"
        if to.own is None:
            title = "One network, 400 stocks, tick by tick"
            measure = "root mean square over 400 stocks and 25 ticks"
        figure.suptitle(to.text(title))
        ax.set_title(to.text(measure), fontsize=9)
        ax.set_xlabel(to.text("tick"))
        ax.set_ylabel(to.text("error of the next price, % of the price"))


def draw_ahead(to: ExampleRun, errors: dict[str, NDArray]) -> None:
    """Draw the error of each tick ahead, for each forecaster."""
    words = {
        "learning": "learning at each tick",
        "stopped": "no longer learning",
        "shipped": "shipped network",
        "naive": "naive: the last price",
    }
    colours = {
        "learning": "#1556b0",
        "stopped": "#d9822b",
        "shipped": "#2f8f5b",
        "naive": "#6b7785",
    }
    with to.figure("ahead", size=(8, 4.2)) as figure:
        ax = figure.subplots()
        for name, error_H in errors.items():
            steps = np.arange(1, len(error_H) + 1)
            label = to.text(words[name])
            ax.plot(steps, error_H, color=colours[name], marker="o", label=label)
        ax.set(xticks=range(1, len(errors["naive"]) + 1), ylim=(0, None))
        ax.set_title(
            to.text("Forecasts several ticks ahead, from the state of the stream")
        )
        ax.set(xlabel=to.text("ticks ahead"), ylabel=to.text("error, % of the price"))


class Close(NamedTuple):
    """The close-ups of returns: the ticks at which they end, and their titles."""

    first: int
    end: int
    titles: tuple[str, str]


def close(settings: Settings) -> Close:
    """Close-ups before the change and long after it; if there is none, after the copy stopped
    learning and at the end."""
    if settings.change is None:
        titles = (
            "One series after the copy stopped learning",
            "the same series at the end",
        )
        return Close(settings.stops + SHOWN, settings.ticks, titles)
    titles = ("One stock before the change", "the same stock at the end")
    return Close(settings.change, settings.ticks, titles)


def draw_stocks(
    to: ExampleRun, settings: Settings, prices_TS: NDArray, followed: Followed
) -> None:
    """Draw a few prices, and the returns of one stock with their predictions, early and late."""
    close_up = close(settings)
    with to.figure("stocks", size=(10, 7)) as figure:
        panes = figure.subplot_mosaic([["all", "all"], ["before", "end"]])
        draw_prices(to, panes["all"], settings, prices_TS)
        panes["before"].set_ylabel(to.text("return, %"))
        panes["end"].sharey(panes["before"])
        # the one whose price changes most often
        stock = int(moves(prices_TS).sum(axis=0).argmax())
        ends = {"before": close_up.first, "end": close_up.end}
        for (pane, end), title in zip(ends.items(), close_up.titles, strict=True):
            ticks = np.arange(end - SHOWN, end)
            draw_returns(
                to, panes[pane], ticks, stock, followed, with_labels=pane == "before"
            )
            panes[pane].set_title(to.text(title))
        came = np.concatenate(
            [followed.naive[end - SHOWN : end, stock] for end in ends.values()]
        )
        highest = 110 * float(np.nanmax(np.abs(came), initial=0.0)) or 1.0
        panes["before"].set_ylim(-1.5 * highest, highest)  # room for the legend
        panes["before"].legend(ncols=3, loc="lower left", columnspacing=1.0)


def draw_prices(
    to: ExampleRun, ax: Axes, settings: Settings, prices_TS: NDArray
) -> None:
    """Draw a few prices, each in percent of its first known one."""
    known_TS = last_known(prices_TS)[:, :LINES]
    first_known_S = np.argmax(~np.isnan(known_TS), axis=0)
    first_S = known_TS[first_known_S, np.arange(len(first_known_S))]
    percent_TS = 100 * prices_TS[:, :LINES] / first_S
    ax.plot(np.arange(settings.ticks) + 1, percent_TS, linewidth=1.0)
    if settings.change is not None:
        ax.axvline(settings.change, color="#1f2933", linewidth=0.8, linestyle=":")
    title = "The prices" if settings.stocks <= LINES else "A few of the prices"
    if to.own is None:
        title = "A few of the 400 stocks"
    ax.set_title(to.text(title))
    ax.set_ylabel(to.text("price (first price = 100)"))


def draw_returns(
    to: ExampleRun,
    ax: Axes,
    ticks: NDArray,
    stock: int,
    followed: Followed,
    with_labels: bool,
) -> None:
    """Draw actual returns, and the predictions of the two networks."""
    came = 100 * followed.naive[ticks, stock]
    stopped = came - 100 * followed.stopped[ticks, stock]
    learning = came - 100 * followed.learning[ticks, stock]
    dots: dict[str, Any] = {"linewidth": 0, "marker": "o", "markersize": 3}
    lines = [
        *ax.plot(ticks + 1, came, color="#1f2933", **dots),
        *ax.plot(ticks + 1, stopped, color="#d9822b"),
        *ax.plot(ticks + 1, learning, color="#1556b0"),
    ]
    if with_labels:
        words = ("actual", "no longer learning", "learning at each tick")
        for line, word in zip(lines, words, strict=True):
            line.set_label(to.text(word))
    ax.set_xlabel(to.text("tick"))


def draw_speed(to: ExampleRun, followed: Followed) -> None:
    """Draw ticks per second, as medians of 25 ticks."""
    with to.figure("speed", size=(10, 3.6)) as figure:
        ax = figure.subplots()
        for seconds_T, text in (
            (followed.seconds_stopped, "predicting"),
            (followed.seconds_learning, "predicting and learning"),
        ):
            end = len(seconds_T) // TOGETHER * TOGETHER
            medians = np.median(seconds_T[:end].reshape(-1, TOGETHER), axis=1)
            ticks = np.arange(1, len(medians) + 1) * TOGETHER
            ax.plot(ticks, 1 / medians, label=to.text(text))
        ax.set_yscale("log")
        title = "All series are predicted at each tick"
        if to.own is None:
            title = "400 stocks are predicted at each tick"
        ax.set_title(to.text(title))
        ax.set_xlabel(to.text("tick"))
        ax.set_ylabel(to.text("ticks per second"))
