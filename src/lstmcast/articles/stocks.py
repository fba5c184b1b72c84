"""Article 4: the shapes of a network's inputs and outputs, and 400 prices that it learns from as
they arrive.

First the shapes of the article: windows of three returns, four LSTM units, the last output or every
one, state kept or not. Then its actual question: one network, a row of the batch for each stock,
the state kept from tick to tick, a prediction and an update at each tick. The prices are simulated:
a part of each return is repeated two ticks later, and from one tick on it is repeated with the
opposite sign. Real prices have no such rule, so the reader's own are not compared with one, and the
copy stops learning halfway.

T ticks · S stocks · O origins, from which several ticks are forecast · H ticks ahead
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.articles import stocks_pictures as pictures
from lstmcast.articles.measures import Measure, rmse, root_mean_square
from lstmcast.articles.runs import ExampleRun
from lstmcast.articles.stocks_measures import (
    AHEAD,
    EVERY,
    LATE,
    READ,
    Followed,
    ahead_measures,
    share_measures,
    stream_measures,
    verdict,
    verdict_of_own,
)
from lstmcast.articles.stocks_pictures import JAPANESE as JAPANESE
from lstmcast.articles.stocks_prices import (
    last_known,
    matrix,
    on_common_ticks,
    panel_of,
    require_moves,
)
from lstmcast.articles.stocks_prices import simulated as simulated
from lstmcast.articles.stocks_shapes import history, train_shapes
from lstmcast.forecaster import LSTMForecaster
from lstmcast.model.inputs import Running
from lstmcast.model.lstm import USUAL, Cell
from lstmcast.model.network import NetworkConfig
from lstmcast.streaming.learning import Learning
from lstmcast.streaming.stream import Stream
from lstmcast.transforms import BoxCox, Log1p

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel


@dataclass(frozen=True)
class Settings:
    """The sizes of a run.

    `ticks`: length of the stream · `change`: the tick from which on the rule is reversed, if there
    is a rule · `stops`: the tick at which the copy stops learning · `logarithm`: the transform of
    the prices on which the shapes are trained."""

    layers: tuple[int, ...]
    epochs: int
    batch: int
    learning_rate: float
    trained: int  # number of stocks on which the shapes are trained
    learning: Learning
    cell: Cell = USUAL
    stocks: int = 400
    ticks: int = 2000
    change: int | None = 1000
    stops: int = 750
    faithful: bool = False
    logarithm: Log1p | BoxCox = field(default_factory=Log1p)

    def of_own(self, prices: Panel) -> Settings:
        """Settings for the reader's prices: the copy stops halfway, and no change is known."""
        ticks = int(prices.lengths[0])
        return replace(
            self,
            stocks=len(prices),
            ticks=ticks,
            change=None,
            stops=ticks // 2,
            logarithm=BoxCox(0.0),  # for prices far below 1
        )


# Keras 1: its LSTM has hard_sigmoid gates, and no gradient flows back to the previous batch
FAITHFUL = Settings(
    layers=(4,),
    epochs=100,
    batch=1,
    learning_rate=1e-3,
    trained=1,
    learning=Learning(learning_rate=1e-3, chunk=1, clip=None),
    cell=Cell(recurrent_activation="hard_sigmoid"),
    faithful=True,
)
OURS = Settings((16,), 20, 64, 1e-2, 20, Learning(learning_rate=1e-2, chunk=4))


def run(to: ExampleRun, faithful: bool, seed: int) -> list[Measure]:
    """Run both parts; the measures of the stream come first."""
    settings = FAITHFUL if faithful else OURS
    if to.own is None:
        end = settings.change or settings.ticks
        prices = panel_of(simulated(seed, settings.stocks, settings.ticks, end))
    else:
        prices = own_prices(to, to.own)
        settings = settings.of_own(prices)
    shapes = train_shapes(to, settings, history(prices, settings.trained), seed)
    return [*stream(to, settings, prices, seed), *shapes]


def own_prices(to: ExampleRun, panel: Panel) -> Panel:
    """The reader's prices on common ticks, which are reported; DataError if they never change."""
    to.say(str(panel))
    prices = on_common_ticks(panel)
    missing = int(np.isnan(prices.values).sum())
    to.say(
        f"ticks, times at which any series has a price: {prices.lengths[0]:,}; prices missing at "
        f"them: {missing:,}"
    )
    require_moves(prices, int(prices.lengths[0]) // 2, panel.report.source)
    return prices


class Ahead(NamedTuple):
    """Forecast prices after some of the ticks, (O, S, H) for each forecaster."""

    origins: tuple[int, ...]  # number of ticks that had arrived
    forecasts: dict[str, list[NDArray]]

    def look(self, tick: int, **streams: Stream) -> None:
        """Forecast with these streams if this tick is one of the origins."""
        if tick in self.origins:
            for name, model in streams.items():
                self.forecasts.setdefault(name, []).append(model.predict(AHEAD))

    def errors(self, prices_TS: NDArray) -> dict[str, NDArray]:
        """The root mean squared error at each tick ahead (H,), in percent of the last price, also
        of the naive forecast."""
        last_OS = last_known(prices_TS)[np.array(self.origins) - 1]
        last_OS1 = last_OS[:, :, None]
        actual_OSH = np.stack(
            [prices_TS[tick : tick + AHEAD].T for tick in self.origins]
        )
        errors = {}
        for name, forecasts in self.forecasts.items():
            errors[name] = (np.stack(forecasts) - actual_OSH) / last_OS1
        errors["naive"] = (last_OS1 - actual_OSH) / last_OS1
        # the same prices for all: not every forecaster forecasts a row that has just begun
        known_OSH = np.logical_and.reduce(
            [np.isfinite(error) for error in errors.values()]
        )
        shared = {
            name: np.where(known_OSH, error, np.nan) for name, error in errors.items()
        }
        return {
            name: 100 * root_mean_square(error, axis=(0, 1))
            for name, error in shared.items()
        }


def origins_of(ticks: int) -> tuple[int, ...]:
    """The numbers of ticks after which to forecast: some of the last ones."""
    return tuple(range(ticks - LATE, ticks - AHEAD + 1, EVERY))


def follow(
    online: Stream,
    prices_TS: NDArray,
    stops: int,
    tell: Callable[[int, Followed], None] = lambda tick, so_far: None,
    ahead: Ahead | None = None,
) -> tuple[Followed, Stream]:
    """Feed a network the prices one tick at a time; from `stops` on, also a copy of it that no
    longer learns. `ahead` takes the forecasts several ticks ahead."""
    T, S = prices_TS.shape
    known_TS = last_known(prices_TS)
    shapes = [(T, S)] * 3 + [(T,)] * 2
    followed = Followed(*(np.full(shape, np.nan) for shape in shapes))
    stopped = online
    for number in range(T):
        price_S = prices_TS[number]
        last_S = known_TS[max(number - 1, 0)]
        began = time.perf_counter()
        followed.learning[number] = online.observe(price_S) / last_S
        followed.seconds_learning[number] = time.perf_counter() - began
        followed.stopped[number] = followed.learning[number]
        if stopped is not online:
            began = time.perf_counter()
            followed.stopped[number] = stopped.observe(price_S) / last_S
            followed.seconds_stopped[number] = time.perf_counter() - began
        if number:
            followed.naive[number] = (price_S - last_S) / last_S
        if number + 1 == stops:
            stopped = online.frozen()
        if ahead is not None:
            ahead.look(number + 1, learning=online, stopped=stopped)
        tell(number, followed)
    return followed, stopped


def follow_shipped(prices: Panel, ahead: Ahead) -> None:
    """Feed the shipped network the last prices: it reads a history first, then continues tick by
    tick."""
    begin = max(ahead.origins[0] - READ, 0)
    first = prices.until(np.full(len(prices), ahead.origins[0])).since(begin)
    shipped = Stream(LSTMForecaster(AHEAD), first)
    prices_TS = matrix(prices)
    ahead.look(ahead.origins[0], shipped=shipped)
    for tick in range(ahead.origins[0], ahead.origins[-1]):
        shipped.observe(prices_TS[tick])
        ahead.look(tick + 1, shipped=shipped)


def _network(settings: Settings) -> NetworkConfig:
    """A network that reads returns and answers the next price."""
    return NetworkConfig(
        settings.layers,
        inputs=Running("returns"),
        head="point",
        horizon=1,
        cell=settings.cell,
    )


def _progress(settings: Settings, tick: int, so_far: Followed) -> str:
    """A line on the last 100 ticks up to this one."""
    late = slice(tick - 99, tick + 1)
    mine, frozen, naive = (
        100 * rmse(errors[late], np.zeros(1)) for errors in so_far[:3]
    )
    copy = ""
    if tick >= settings.stops:
        copy = f", no longer learning {frozen:.2f}%"
    return (
        f"tick {tick + 1:5}: error of the last 100 ticks {mine:.2f} %{copy}, naive "
        f"{naive:.2f}%"
    )


def stream(
    to: ExampleRun, settings: Settings, prices: Panel, seed: int
) -> list[Measure]:
    """Follow all prices; write tables, pictures and the network."""
    prices_TS = matrix(prices)
    ahead = Ahead(origins_of(settings.ticks), {})
    network = _network(settings)
    online = Stream(network, prices.ids.tolist(), learning=settings.learning, seed=seed)

    def tell(tick: int, so_far: Followed) -> None:
        if (tick + 1) % 250 == 0:
            to.say(_progress(settings, tick, so_far))

    began = time.perf_counter()
    followed, stopped = follow(online, prices_TS, settings.stops, tell, ahead)
    seconds = time.perf_counter() - began
    follow_shipped(prices, ahead)
    to.say(f"{online!r}; updates skipped: {online.skipped}")
    online.save(to.folder / "online")
    write_tables(to, settings, prices_TS, followed, online, stopped)
    errors = ahead.errors(prices_TS)
    to.table("ahead", {"ticks_ahead": np.arange(1, AHEAD + 1), **errors})
    pictures.draw_ahead(to, errors)
    pictures.draw_errors(to, settings, followed)
    pictures.draw_stocks(to, settings, prices_TS, followed)
    pictures.draw_speed(to, followed)
    shares = share_measures(settings, prices_TS, followed, seconds)
    of_stream = stream_measures(settings, followed, seconds)
    of_ahead = ahead_measures(errors, seconds)
    measures = [*of_stream[:2], *shares, *of_stream[2:], *of_ahead]
    for row in measures:
        to.say(f"{row.measure}: {row.value:.4g}")
    conclusion = verdict(shares) if settings.change else verdict_of_own(shares[0].value)
    to.say(conclusion)
    return measures


def write_tables(
    to: ExampleRun,
    settings: Settings,
    prices_TS: NDArray,
    followed: Followed,
    online: Stream,
    stopped: Stream,
) -> None:
    """Write the errors of each tick, and the next expected price of each stock."""
    who = {
        "learning": followed.learning,
        "no_longer_learning": followed.stopped,
        "naive": followed.naive,
    }
    root = {
        name: 100 * root_mean_square(errors, axis=1) for name, errors in who.items()
    }
    to.table("errors", {"tick": np.arange(1, settings.ticks + 1), **root})
    next_ = {"next": online.predict(), "next_no_longer_learning": stopped.predict()}
    to.table(
        "stocks", {"stock": online.ids, "last": last_known(prices_TS)[-1], **next_}
    )
