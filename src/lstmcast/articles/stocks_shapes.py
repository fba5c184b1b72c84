"""The shapes of the article on stocks: windows of three returns, four LSTM units, the last output
or every one, state kept or not. Each batching scheme is trained and compared with the naive
forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.articles.measures import Measure, rmse, training_seconds
from lstmcast.articles.runs import ExampleRun
from lstmcast.articles.stocks_prices import matrix, moves
from lstmcast.errors import DataError
from lstmcast.forecaster import LSTMForecaster
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.training_config import (
    Batching,
    Optimiser,
    Stateful,
    TrainingConfig,
    Validation,
    Windows,
)
from lstmcast.transforms import Difference, Standard
from lstmcast.windows import split_of, window_counts

if TYPE_CHECKING:
    from lstmcast.articles.stocks import Settings
    from lstmcast.data.panel import Panel

LOOK_BACK = 3  # steps of a window
HISTORY, SHARE = 150, 0.3  # ticks for training the shapes; share that is held back


class Shape(NamedTuple):
    """A batching scheme, and the shapes of the network's inputs and outputs with it."""

    name: str
    batching: str
    inputs: str  # (samples, time steps, features)
    lstm: str
    dense: str
    loss: str  # the boxes of the unrolled picture that have a loss


def schemes(faithful: bool) -> dict[str, Batching]:
    """The article's four batching schemes; stateful windows in Keras overlap, so the state has read
    two of three values before."""
    stride = 1 if faithful else LOOK_BACK
    return {
        "many-to-one": Windows(LOOK_BACK, loss="last", shuffle=not faithful),
        "many-to-many": Windows(LOOK_BACK, loss="every", shuffle=not faithful),
        "stateful, many-to-one": Stateful(
            LOOK_BACK, loss="last", reset="epoch", stride=stride
        ),
        "stateful, many-to-many": Stateful(
            LOOK_BACK, loss="every", reset="epoch", stride=stride
        ),
    }


def shapes(settings: Settings, samples: int, rows: int) -> list[Shape]:
    """The shapes of each batching scheme, for `samples` windows and `rows` series at once."""
    D = settings.layers[-1]
    S = settings.stocks
    return [
        _shape(
            "many-to-one",
            "Windows(3, loss='last')",
            samples,
            LOOK_BACK,
            D,
            every_step=False,
        ),
        _shape(
            "many-to-many",
            "Windows(3, loss='every')",
            samples,
            LOOK_BACK,
            D,
            every_step=True,
        ),
        _shape(
            "stateful, many-to-one",
            "Stateful(3, loss='last')",
            rows,
            LOOK_BACK,
            D,
            every_step=False,
        ),
        _shape(
            "stateful, many-to-many",
            "Stateful(3, loss='every')",
            rows,
            LOOK_BACK,
            D,
            every_step=True,
        ),
        _shape(
            "8 kinds of market data",
            "Transformed(past=8 names)",
            samples,
            LOOK_BACK,
            D,
            every_step=False,
            features=8,
        ),
        _shape("online", "Stream", S, 1, D, every_step=False),
    ]


def _shape(
    name: str,
    batching: str,
    samples: int,
    steps: int,
    units: int,
    *,
    every_step: bool,
    features: int = 1,
) -> Shape:
    """The shape of a scheme whose dense layer is applied to the last output of the LSTM, or to
    every one."""
    answered = (samples, steps) if every_step else (samples,)
    loss = f"boxes 1 to {steps}" if every_step else f"box {steps}, the newest"
    return Shape(
        name,
        batching,
        str((samples, steps, features)),
        str((*answered, units)),
        str((*answered, features)),
        loss,
    )


def forecaster(settings: Settings, batching: Batching, seed: int) -> LSTMForecaster:
    """The article's network with one of its batching schemes."""
    inputs = Transformed(settings.logarithm, Difference(), Standard())
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
            validation=Validation(share=SHARE),
        ),
        seed=seed,
    )


def history(prices: Panel, count: int) -> Panel:
    """The first ticks of at most `count` stocks: those whose prices change most often in both the
    training and the held-back part; DataError if there is none."""
    moved_TS = moves(matrix(prices)[:HISTORY])
    first_ticks = prices.until(np.full(len(prices), HISTORY))
    trained = int(training_ends(first_ticks)[0])
    moves_trained_S = moved_TS[:trained].sum(axis=0)
    moves_held_back_S = moved_TS[trained:].sum(axis=0)
    often_S = np.minimum(moves_trained_S, moves_held_back_S)
    if not often_S.any():
        raise DataError(
            f"no price changes both within the first {trained} ticks, which are trained on, and "
            f"in the {HISTORY - trained} after them, which are compared. Give prices that move "
            "from the beginning on."
        )
    stocks = np.sort(np.argsort(-often_S, kind="stable")[:count])
    return prices.select(prices.ids[stocks]).until(np.full(len(stocks), HISTORY))


def training_ends(panel: Panel) -> NDArray:
    """The number of training ticks of each stock (S,)."""
    return Validation(share=SHARE).training_ends(panel.lengths, 1)


def samples_of(panel: Panel, forecaster: LSTMForecaster) -> int:
    """The number of windows in the training part."""
    data, _ = forecaster.config.inputs.data(panel, training_ends(panel))
    return int(window_counts(split_of(data), LOOK_BACK).sum())


def train_shapes(
    to: ExampleRun, settings: Settings, panel: Panel, seed: int
) -> list[Measure]:
    """Train the four batching schemes on a few stocks; write shapes and one-step errors."""
    ways = schemes(settings.faithful)
    ends = training_ends(panel)
    samples = samples_of(panel, forecaster(settings, ways["many-to-one"], seed))
    table = shapes(settings, samples, min(settings.batch, len(panel)))
    to.say(
        f"{'':24}{'(samples, steps, features)':28}{'LSTM gives':18}{'dense gives':18}loss at"
    )
    for row in table:
        to.say(f"{row.name:24}{row.inputs:28}{row.lstm:18}{row.dense:18}{row.loss}")
    to.table(
        "shapes",
        {
            field: [row[column] for row in table]
            for column, field in enumerate(Shape._fields)
        },
    )
    measures = []
    for number, (name, batching) in enumerate(ways.items()):
        model = to.fit(forecaster(settings, batching, seed), panel, f"shape{number}")
        error = against_naive(model, panel, ends)
        measures.append(
            Measure(
                f"error / naive error, {name}", error, training_seconds(model.history)
            )
        )
        to.say(
            f"{measures[-1].measure}: {measures[-1].value:.3f} ({measures[-1].seconds:.1f} s)"
        )
        if name == "many-to-one":
            to.model(model)
    return measures


def against_naive(model: LSTMForecaster, panel: Panel, ends: NDArray) -> float:
    """The RMSE of one-step forecasts of the held-back part, relative to prices, divided by that of
    the last price."""
    one_step = model.predict(panel, mode="one-step").point[:, 0]
    predicted = one_step.reshape(len(panel), -1)
    values = panel.values.reshape(len(panel), -1)
    late = slice(int(ends[0]), None)
    actual = values[:, late]
    last_price = values[:, int(ends[0]) - 1 : -1]
    predicted = predicted[:, predicted.shape[1] - actual.shape[1] :]
    return rmse(predicted / last_price, actual / last_price) / rmse(
        np.ones_like(last_price), actual / last_price
    )
