"""stocks: the shapes that a network reads and answers, and 400 prices that it learns from as they
come.

First the shapes of the article: windows of three returns, four LSTM units, the last answer or every
one, state kept or not. Then what its answer is really about: one network, a row of the batch for
each stock, the state kept from tick to tick, a prediction and an update at each tick. The prices
are simulated: a part of each return comes again two ticks later, and from one tick on the opposite
comes. Real prices have no such rule.

T ticks · S stocks · O origins, from which several ticks are forecast · H ticks ahead
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.articles.runs import ExampleRun, Measure, rmse, training_seconds
from lstmcast.data.panel import Panel
from lstmcast.forecaster import LSTMForecaster
from lstmcast.model.inputs import Running, Transformed
from lstmcast.model.lstm import USUAL, Cell
from lstmcast.model.network import NetworkConfig
from lstmcast.streaming.learning import Learning
from lstmcast.streaming.stream import Stream
from lstmcast.training_config import (
    Batching,
    Optimiser,
    Stateful,
    TrainingConfig,
    Validation,
    Windows,
)
from lstmcast.transforms import Difference, Log1p, Standard

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# steps of a window; prices of each stock that the shapes are trained on
LOOK_BACK, HISTORY = 3, 150
COMES_AGAIN, AFTER = 0.6, 2  # the part of a return that comes again, and how many ticks later
TOGETHER = 25  # ticks of a rolling error
# forecasts of several ticks: how many, from every so many of the last ticks; and how many the
# shipped network has read before them
AHEAD, EVERY, LATE, READ = 5, 5, 60, 140
LEARNED = 0.98  # of the naive error: a network that is above it has learned nothing
JAPANESE = {
    "error of the next price, % of the price": "次の価格の誤差(価格に対する%)",
    "root mean square over 400 stocks and 25 ticks": "400銘柄・25ティックの二乗平均平方根",
    "learning at each tick": "毎ティック学習",
    "no longer learning": "学習を止めたもの",
    "naive: the last price": "ナイーブ(直前の価格)",
    "the rule turns round": "規則が反転",
    "learning stops for the copy": "複製は学習を停止",
    "tick": "ティック",
    "price, the first one = 100": "価格(初値=100)",
    "A few of the 400 stocks": "400銘柄の一部",
    "One network, 400 stocks, one tick after the other": (
        "1つのネットワーク・400銘柄・1ティックずつ"
    ),
    "ticks per second": "毎秒ティック数",
    "predicting and learning": "予測と学習",
    "predicting": "予測のみ",
    "400 stocks are predicted at each tick": "各ティックで400銘柄を予測",
    "Several ticks ahead, from the state of the stream": "ストリームの状態から何ティックか先まで",
    "ticks ahead": "何ティック先か",
    "error, % of the price": "誤差(価格に対する%)",
    "shipped network": "同梱のネットワーク",
    "return, %": "リターン(%)",
    "what came": "実際の値",
    "One stock before the change": "変化前の1銘柄",
    "the same stock at the end": "同じ銘柄の最後の部分",
}


@dataclass(frozen=True)
class Settings:
    """Sizes of a run. `ticks`: of the stream; from `change` on the rule is another, and a copy
    stops at `stops`."""

    layers: tuple[int, ...]
    epochs: int
    batch: int
    learning_rate: float
    trained: int  # stocks on which the shapes are trained
    learning: Learning
    cell: Cell = USUAL
    stocks: int = 400
    ticks: int = 2000
    change: int = 1000
    stops: int = 750


# Keras 1: its LSTM has hard_sigmoid gates, and no gradient goes from one batch to the one before
FAITHFUL = Settings(
    layers=(4,),
    epochs=100,
    batch=1,
    learning_rate=1e-3,
    trained=1,
    learning=Learning(learning_rate=1e-3, chunk=1, clip=None),
    cell=Cell(recurrent_activation="hard_sigmoid"),
)
OURS = Settings((16,), 20, 64, 1e-2, 20, Learning(learning_rate=1e-2, chunk=4))


def run(to: ExampleRun, faithful: bool, seed: int) -> list[Measure]:
    """Both parts; the stream's measures come first."""
    settings = FAITHFUL if faithful else OURS
    prices_TS = simulated(seed, settings.stocks, settings.ticks, settings.change)
    shapes = train_shapes(to, settings, prices_TS[:HISTORY], seed)
    return [*stream(to, settings, prices_TS, seed), *shapes]


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


# ---------------------------------------------------------------- shapes


class Shape(NamedTuple):
    """One way to cut series into what a network reads, and the sizes of what goes in and comes
    out."""

    name: str
    batching: str
    inputs: str  # (samples, time steps, features)
    lstm: str
    dense: str
    loss: str  # the boxes of the unrolled picture that have one


def schemes(faithful: bool) -> dict[str, Batching]:
    """The article's four; Keras' stateful windows overlap, so that its state has read two values
    of three before."""
    stride = 1 if faithful else LOOK_BACK
    return {
        "many-to-one": Windows(LOOK_BACK, loss="last", shuffle=not faithful),
        "many-to-many": Windows(LOOK_BACK, loss="every", shuffle=not faithful),
        "stateful, many-to-one": Stateful(LOOK_BACK, loss="last", reset="epoch", stride=stride),
        "stateful, many-to-many": Stateful(LOOK_BACK, loss="every", reset="epoch", stride=stride),
    }


def shapes(settings: Settings, samples: int, rows: int) -> list[Shape]:
    """What each batching scheme reads and answers: `samples` windows, `rows` series at once."""
    D, S = settings.layers[-1], settings.stocks
    return [
        _shape("many-to-one", "Windows(3, loss='last')", samples, LOOK_BACK, D, every=False),
        _shape("many-to-many", "Windows(3, loss='every')", samples, LOOK_BACK, D, every=True),
        _shape(
            "stateful, many-to-one", "Stateful(3, loss='last')", rows, LOOK_BACK, D, every=False
        ),
        _shape(
            "stateful, many-to-many", "Stateful(3, loss='every')", rows, LOOK_BACK, D, every=True
        ),
        _shape(
            "8 kinds of market data",
            "Transformed(past=8 names)",
            samples,
            LOOK_BACK,
            D,
            every=False,
            features=8,
        ),
        _shape("online", "Stream", S, 1, D, every=False),
    ]


def _shape(
    name: str,
    batching: str,
    samples: int,
    steps: int,
    units: int,
    *,
    every: bool,
    features: int = 1,
) -> Shape:
    """A dense layer is applied to each output of the LSTM that it is given: to the last one, or
    to every one."""
    answered = (samples, steps) if every else (samples,)
    loss = f"boxes 1 to {steps}" if every else f"box {steps}, the newest"
    return Shape(
        name,
        batching,
        str((samples, steps, features)),
        str((*answered, units)),
        str((*answered, features)),
        loss,
    )


def panel_of(prices_TS: NDArray) -> Panel:
    """Prices as named series."""
    return Panel.from_arrays(
        {name: prices_TS[:, s] for s, name in enumerate(names(prices_TS.shape[1]))}
    )


def names(stocks: int) -> list[str]:
    """Of the stocks."""
    return [f"stock{s + 1:03}" for s in range(stocks)]


def forecaster(settings: Settings, batching: Batching, seed: int) -> LSTMForecaster:
    """The article's network, trained in one of its ways."""
    inputs = Transformed(Log1p(), Difference(), Standard())
    return LSTMForecaster(
        horizon=1,
        weights="scratch",
        network=NetworkConfig(
            settings.layers, inputs=inputs, head="point", horizon=1, cell=settings.cell
        ),
        training=TrainingConfig(
            epochs=settings.epochs,
            batch_size=settings.batch,
            batching=batching,
            optimiser=Optimiser("adam", settings.learning_rate),
            loss="mse",  # pyright: ignore[reportArgumentType]
            validation=Validation(share=0.3),
        ),
        seed=seed,
    )


def train_shapes(
    to: ExampleRun, settings: Settings, prices_TS: NDArray, seed: int
) -> list[Measure]:
    """Train the four batching schemes on the first stocks: tables of shapes, one-step errors."""
    panel = panel_of(prices_TS[:, : settings.trained])
    ends = Validation(share=0.3).training_ends(panel.lengths, 1)
    # the first of `ends` prices has no return, the last has no target
    samples = int((ends - 1 - LOOK_BACK).sum())
    table = shapes(settings, samples, min(settings.batch, settings.trained))
    to.say(f"{'':24}{'(samples, steps, features)':28}{'LSTM gives':18}{'dense gives':18}loss at")
    for row in table:
        to.say(f"{row.name:24}{row.inputs:28}{row.lstm:18}{row.dense:18}{row.loss}")
    to.table("shapes", {field: [row[k] for row in table] for k, field in enumerate(Shape._fields)})
    measures = []
    for number, (name, batching) in enumerate(schemes(settings is FAITHFUL).items()):
        model = to.fit(forecaster(settings, batching, seed), panel, f"shape{number}")
        error = against_naive(model, panel, ends)
        measures.append(
            Measure(f"error / naive error, {name}", error, training_seconds(model.history))
        )
        to.say(f"{measures[-1].measure}: {measures[-1].value:.3f} ({measures[-1].seconds:.1f} s)")
        if name == "many-to-one":
            to.model(model)
    return measures


def against_naive(model: LSTMForecaster, panel: Panel, ends: NDArray) -> float:
    """RMSE of one-step forecasts of what was held back, relative to prices, over that of the
    last price."""
    predicted = model.predict(panel, mode="one-step").point[:, 0].reshape(len(panel), -1)
    values = panel.values.reshape(len(panel), -1)
    late = slice(int(ends[0]), None)
    actual, last = values[:, late], values[:, int(ends[0]) - 1 : -1]
    predicted = predicted[:, predicted.shape[1] - actual.shape[1] :]
    return rmse(predicted / last, actual / last) / rmse(np.ones_like(last), actual / last)


# ---------------------------------------------------------------- stream


class Followed(NamedTuple):
    """What happened at each tick: errors relative to the last price (T, S), and seconds (T,)."""

    learning: NDArray
    stopped: NDArray
    naive: NDArray
    seconds_learning: NDArray
    seconds_stopped: NDArray


class Ahead(NamedTuple):
    """Prices that were forecast from some ticks on, (O, S, H) each, by who forecast them."""

    origins: tuple[int, ...]  # ticks that had come
    forecasts: dict[str, list[NDArray]]

    def look(self, tick: int, **streams: Stream) -> None:
        """Forecasts of these streams, if this is one of the ticks."""
        if tick in self.origins:
            for name, one in streams.items():
                self.forecasts.setdefault(name, []).append(one.predict(AHEAD))

    def errors(self, prices_TS: NDArray) -> dict[str, NDArray]:
        """Root mean squares at each tick ahead (H,), in percent of the last price; the naive
        forecast's too."""
        last_OS1 = prices_TS[np.array(self.origins) - 1][:, :, None]
        actual_OSH = np.stack([prices_TS[tick : tick + AHEAD].T for tick in self.origins])
        forecasts = {name: np.stack(made) for name, made in self.forecasts.items()}
        forecasts["naive"] = np.broadcast_to(last_OS1, actual_OSH.shape)
        return {
            name: 100 * np.sqrt(np.mean(((made - actual_OSH) / last_OS1) ** 2, axis=(0, 1)))
            for name, made in forecasts.items()
        }


def origins_of(ticks: int) -> tuple[int, ...]:
    """After how many ticks several are forecast: some of the last ones."""
    return tuple(range(ticks - LATE, ticks - AHEAD + 1, EVERY))


def follow(
    online: Stream,
    prices_TS: NDArray,
    stops: int,
    tell: Callable[[int, Followed], None] = lambda tick, so_far: None,
    ahead: Ahead | None = None,
) -> tuple[Followed, Stream]:
    """Give a network the prices one tick at a time; from `stops` on a copy that no longer learns
    goes beside it. `ahead` is asked for forecasts of several ticks."""
    T, S = prices_TS.shape
    learning, copied, naive = (np.full((T, S), np.nan) for _ in range(3))
    done = Followed(learning, copied, naive, np.full(T, np.nan), np.full(T, np.nan))
    stopped = online
    for t in range(T):
        last_S = prices_TS[max(t - 1, 0)]
        began = time.perf_counter()
        done.learning[t] = online.observe(prices_TS[t]) / last_S
        done.seconds_learning[t] = time.perf_counter() - began
        done.stopped[t] = done.learning[t]
        if stopped is not online:
            began = time.perf_counter()
            done.stopped[t] = stopped.observe(prices_TS[t]) / last_S
            done.seconds_stopped[t] = time.perf_counter() - began
        done.naive[t] = (prices_TS[t] - last_S) / last_S if t else np.nan
        if t + 1 == stops:
            stopped = online.frozen()
        if ahead is not None:
            ahead.look(t + 1, learning=online, stopped=stopped)
        tell(t, done)
    return done, stopped


def follow_shipped(prices_TS: NDArray, ahead: Ahead) -> None:
    """Give the shipped network the last prices: it has read a history, and goes on tick by tick."""
    begin = max(ahead.origins[0] - READ, 0)
    history = panel_of(prices_TS[begin : ahead.origins[0]])
    shipped = Stream(LSTMForecaster(AHEAD), history)
    ahead.look(ahead.origins[0], shipped=shipped)
    for tick in range(ahead.origins[0], ahead.origins[-1]):
        shipped.observe(prices_TS[tick])
        ahead.look(tick + 1, shipped=shipped)


def stream(to: ExampleRun, settings: Settings, prices_TS: NDArray, seed: int) -> list[Measure]:
    """Follow all prices; tables, pictures and the saved network."""
    network = NetworkConfig(
        settings.layers, inputs=Running("returns"), head="point", horizon=1, cell=settings.cell
    )
    ids, ahead = names(settings.stocks), Ahead(origins_of(settings.ticks), {})
    online = Stream(network, ids, learning=settings.learning, seed=seed)

    def tell(t: int, so_far: Followed) -> None:
        if (t + 1) % 250 == 0:
            late = slice(t - 99, t + 1)
            mine, other, naive = (100 * rmse(part[late], np.zeros(1)) for part in so_far[:3])
            copy = f", no longer learning {other:.2f} %" if t >= settings.stops else ""
            to.say(
                f"tick {t + 1:5}: error of the last 100 ticks {mine:.2f} %{copy}, naive "
                f"{naive:.2f} %"
            )

    began = time.perf_counter()
    done, stopped = follow(online, prices_TS, settings.stops, tell, ahead)
    seconds = time.perf_counter() - began
    follow_shipped(prices_TS, ahead)
    to.say(f"{online!r}; updates skipped: {online.skipped}")
    online.save(to.folder / "online")
    write_tables(to, settings, prices_TS, done, online, stopped)
    errors = ahead.errors(prices_TS)
    to.table("ahead", {"ticks_ahead": np.arange(1, AHEAD + 1), **errors})
    draw_ahead(to, errors)
    draw_errors(to, settings, done)
    draw_stocks(to, settings, prices_TS, done)
    draw_speed(to, done)
    shares = share_measures(settings, prices_TS, done, seconds)
    of_stream = stream_measures(settings, done, seconds)
    measures = [*of_stream[:2], *shares, *of_stream[2:], *ahead_measures(errors, seconds)]
    for row in measures:
        to.say(f"{row.measure}: {row.value:.4g}")
    to.say(verdict(shares))
    return measures


def periods(settings: Settings) -> dict[str, slice]:
    """Ticks over which errors are compared."""
    change = settings.change
    return {
        "before the change": slice(settings.stops, change),
        "the 100 ticks after it": slice(change, change + 100),
        "from 100 ticks after it": slice(change + 100, settings.ticks),
    }


def stream_measures(settings: Settings, done: Followed, seconds: float) -> list[Measure]:
    """Errors of each period, in percent of the price, the newest period first; ticks per second."""
    who = {"learning": done.learning, "naive": done.naive, "no longer learning": done.stopped}
    measures = [
        Measure(
            f"RMSE in % of the price, {name}, {period}",
            100 * rmse(part[ticks], np.zeros(1)),
            seconds,
        )
        for period, ticks in reversed(periods(settings).items())
        for name, part in who.items()
    ]
    speeds = {"predicting and learning": done.seconds_learning, "predicting": done.seconds_stopped}
    return [
        *measures,
        *(
            Measure(
                f"ticks per second, {name}", 1 / float(np.nanmedian(part)), float(np.nansum(part))
            )
            for name, part in speeds.items()
        ),
    ]


def share_measures(
    settings: Settings, prices_TS: NDArray, done: Followed, seconds: float
) -> list[Measure]:
    """Errors over the naive forecast's, long after the change: of the network that learns, and of
    one that knows the rule, which is the least that there can be."""
    period, ticks = list(periods(settings).items())[-1]
    rule = by_the_rule(prices_TS, settings.change)
    naive = rmse(done.naive[ticks], np.zeros(1))
    return [
        Measure(
            f"error / naive error, {name}, {period}",
            rmse(part[ticks], np.zeros(1)) / naive,
            seconds,
        )
        for name, part in (("learning", done.learning), ("who knows the rule", rule))
    ]


def by_the_rule(prices_TS: NDArray, change: int) -> NDArray:
    """Errors relative to the last price (T, S) of forecasts by the rule that made the prices."""
    returns_TS = np.diff(np.log(prices_TS), axis=0, prepend=np.nan)
    back_TS = np.full_like(returns_TS, np.nan)
    back_TS[AFTER:] = returns_TS[:-AFTER]
    sign_T = np.where(np.arange(len(prices_TS)) < change, COMES_AGAIN, -COMES_AGAIN)
    return np.exp(returns_TS) - np.exp(sign_T[:, None] * back_TS)


def ahead_measures(errors: dict[str, NDArray], seconds: float) -> list[Measure]:
    """Errors of the price several ticks ahead."""
    who = {"learning": "learning", "stopped": "no longer learning", "shipped": "shipped network"}
    return [
        Measure(
            f"RMSE in % of the price, {who.get(name, name)}, {AHEAD} ticks ahead",
            error_H[-1],
            seconds,
        )
        for name, error_H in errors.items()
    ]


def verdict(measures: list[Measure]) -> str:
    """What the network that learns has learned of the new rule."""
    learning, least = (row.value for row in measures)
    if learning > LEARNED:
        return (
            f"The network has not learned the new rule: its error is {learning:.1%} of the naive "
            f"forecast's, where the rule itself has {least:.1%}."
        )
    return (
        f"The network has learned the new rule: its error is {learning:.1%} of the naive "
        f"forecast's, and the rule itself has {least:.1%}."
    )


def write_tables(
    to: ExampleRun,
    settings: Settings,
    prices_TS: NDArray,
    done: Followed,
    online: Stream,
    stopped: Stream,
) -> None:
    """Errors of each tick, and what is expected of each stock next."""
    who = {"learning": done.learning, "no_longer_learning": done.stopped, "naive": done.naive}
    root = {name: 100 * np.sqrt(np.mean(np.square(part), axis=1)) for name, part in who.items()}
    to.table("errors", {"tick": np.arange(1, settings.ticks + 1), **root})
    next_ = {"next": online.predict(), "next_no_longer_learning": stopped.predict()}
    to.table("stocks", {"stock": online.ids, "last": prices_TS[-1], **next_})


def rolling(errors_TS: NDArray) -> NDArray:
    """Root mean square over all stocks and the newest ticks, in percent (T,); NaN before there
    are so many."""
    mean_T = np.mean(np.square(errors_TS), axis=1)
    means = np.convolve(mean_T, np.full(TOGETHER, 1 / TOGETHER), "valid")
    return 100 * np.sqrt(np.concatenate([np.full(TOGETHER - 1, np.nan), means]))


def draw_errors(to: ExampleRun, settings: Settings, done: Followed) -> None:
    """The rolling error of the two networks and of the naive forecast."""
    with to.figure("error", size=(10, 4.8)) as figure:
        ax = figure.subplots()
        ax.margins(y=0.09)
        ticks = np.arange(settings.ticks) + 1
        ax.plot(ticks, rolling(done.naive), color="#6b7785", label=to.text("naive: the last price"))
        late = ticks > settings.stops
        ax.plot(
            ticks[late],
            rolling(done.stopped)[late],
            color="#d9822b",
            label=to.text("no longer learning"),
        )
        ax.plot(
            ticks, rolling(done.learning), color="#1556b0", label=to.text("learning at each tick")
        )
        for tick, text, side, height in (
            (settings.stops, "learning stops for the copy", "right", 0.03),
            (settings.change, "the rule turns round", "left", 0.95),
        ):
            ax.axvline(tick, color="#1f2933", linewidth=0.8, linestyle=":")
            words, place = f" {to.text(text)} ", ax.get_xaxis_transform()
            ax.text(tick, height, words, transform=place, fontsize=9, horizontalalignment=side)
        figure.suptitle(to.text("One network, 400 stocks, one tick after the other"))
        ax.set_title(to.text("root mean square over 400 stocks and 25 ticks"), fontsize=9)
        ax.set_xlabel(to.text("tick"))
        ax.set_ylabel(to.text("error of the next price, % of the price"))


def draw_ahead(to: ExampleRun, errors: dict[str, NDArray]) -> None:
    """The error of each tick ahead, by who forecast it."""
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
            steps, label = np.arange(1, AHEAD + 1), to.text(words[name])
            ax.plot(steps, error_H, color=colours[name], marker="o", label=label)
        ax.set(xticks=range(1, AHEAD + 1), ylim=(0, None))
        ax.set_title(to.text("Several ticks ahead, from the state of the stream"))
        ax.set(xlabel=to.text("ticks ahead"), ylabel=to.text("error, % of the price"))


def draw_stocks(to: ExampleRun, settings: Settings, prices_TS: NDArray, done: Followed) -> None:
    """A few prices, and the returns of one stock with what was said of them, before the change
    and long after."""
    with to.figure("stocks", size=(10, 7)) as figure:
        parts = figure.subplot_mosaic([["all", "all"], ["before", "end"]])
        ax = parts["all"]
        ax.plot(
            np.arange(settings.ticks) + 1, 100 * prices_TS[:, :6] / prices_TS[0, :6], linewidth=1.0
        )
        ax.axvline(settings.change, color="#1f2933", linewidth=0.8, linestyle=":")
        ax.set_title(to.text("A few of the 400 stocks"))
        ax.set_ylabel(to.text("price, the first one = 100"))
        parts["before"].set_ylabel(to.text("return, %"))
        parts["end"].sharey(parts["before"])
        for pane, end, text in (
            ("before", settings.change, "One stock before the change"),
            ("end", settings.ticks, "the same stock at the end"),
        ):
            draw_returns(to, parts[pane], np.arange(end - 40, end), done, named=pane == "before")
            parts[pane].set_title(to.text(text))
        shown = np.concatenate(
            [done.naive[end - 40 : end, 0] for end in (settings.change, settings.ticks)]
        )
        highest = 110 * float(np.abs(shown).max())
        parts["before"].set_ylim(-1.5 * highest, highest)  # room for the legend
        parts["before"].legend(ncols=3, loc="lower left", columnspacing=1.0)


def draw_returns(to: ExampleRun, ax: Axes, ticks: NDArray, done: Followed, named: bool) -> None:
    """What came, and what the two networks had said."""
    came = 100 * done.naive[ticks, 0]
    ax.plot(
        ticks + 1,
        came,
        color="#1f2933",
        linewidth=0,
        marker="o",
        markersize=3,
        label=to.text("what came") if named else None,
    )
    for part, color, text in (
        (done.stopped, "#d9822b", "no longer learning"),
        (done.learning, "#1556b0", "learning at each tick"),
    ):
        ax.plot(
            ticks + 1,
            came - 100 * part[ticks, 0],
            color=color,
            label=to.text(text) if named else None,
        )
    ax.set_xlabel(to.text("tick"))


def draw_speed(to: ExampleRun, done: Followed) -> None:
    """Ticks per second, medians of 25 ticks."""
    with to.figure("speed", size=(10, 3.6)) as figure:
        ax = figure.subplots()
        for part, text in (
            (done.seconds_stopped, "predicting"),
            (done.seconds_learning, "predicting and learning"),
        ):
            whole = len(part) // TOGETHER * TOGETHER
            seconds = np.median(part[:whole].reshape(-1, TOGETHER), axis=1)
            ax.plot(np.arange(1, len(seconds) + 1) * TOGETHER, 1 / seconds, label=to.text(text))
        ax.set_yscale("log")
        ax.set_title(to.text("400 stocks are predicted at each tick"))
        ax.set_xlabel(to.text("tick"))
        ax.set_ylabel(to.text("ticks per second"))
