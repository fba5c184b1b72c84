"""Article 1: monthly airline passengers. Differences, min–max scaling, a 5-4-3 LSTM, the whole
sequence in one pass.

The article, of 2017, does this by hand in Chainer 1.24. The faithful version is the article's
network, compared with the same network without preprocessing. By default several forecasters
predict the same months, which none of them has seen: small networks that differ only in their
transforms, and the network that this package ships.

    X passengers (144) · D differences (143) · pairs D(i) → D(i+1): 99 for training, 43 held back
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import lstmcast as lc
from lstmcast.articles import airline_pictures as pictures
from lstmcast.articles.airline_pictures import JAPANESE as JAPANESE
from lstmcast.articles.measures import Measure, rmse, training_seconds
from lstmcast.articles.runs import ExampleRun
from lstmcast.data.examples import airline
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.model.summary import summary
from lstmcast.training.callbacks import SaveEvery
from lstmcast.training_config import (
    Ema,
    Loss,
    Optimiser,
    Schedule,
    TrainingConfig,
    Validation,
    WholeSequence,
    Windows,
)
from lstmcast.transforms import Chain, Difference, Log1p, MinMax, Standard

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel

SHARE = 0.3  # share of the pairs that is held back
MOST_UPDATES = 20  # per epoch of our own networks, for the reader's long series
TITLE = "International airline passengers: monthly totals in thousands. Jan 49 ? Dec 60"

INPUTS = Transformed(Chain((Difference(), MinMax()), apart=True))
NETWORK = NetworkConfig(layers=(5, 4, 3), inputs=INPUTS, head="point", horizon=1)
TRAINING = TrainingConfig(
    epochs=1000,
    batch_size=1,
    batching=WholeSequence(),
    # as in Chainer
    optimiser=Optimiser("rmsprop", learning_rate=1e-2, decay=0.99, epsilon=1e-8),
    loss=Loss("mse"),
    validation=Validation(steps=43, fresh=True),
    initialiser="chainer1",
)
ARTICLE = "5-4-3 network of the article"
PLAIN = "5-4-3 network without preprocessing"

OWN_TRAINING = TrainingConfig(
    epochs=120,
    batch_size=16,
    batching=Windows(12, loss="every"),
    optimiser=Optimiser(
        "adam", learning_rate=5e-3, clip=1.0, schedule=Schedule("cosine")
    ),
    validation=None,
    average=Ema(0.98),
)
SHIPPED, TUNED = "shipped network", "shipped network, fine-tuned"


class Choice(NamedTuple):
    """A small network of our own: inputs, units, steps of a window, and epochs."""

    inputs: Transformed
    units: int
    window: int
    epochs: int

    def forecaster(self, seed: int, values: int) -> lc.LSTMForecaster:
        """The untrained forecaster, for a series with this number of values."""
        steps_per_epoch = MOST_UPDATES if values > 16 * MOST_UPDATES else None
        return lc.LSTMForecaster(
            1,
            weights="scratch",
            network=NetworkConfig(
                (self.units,), inputs=self.inputs, head="point", horizon=1
            ),
            training=replace(
                OWN_TRAINING,
                epochs=self.epochs,
                steps_per_epoch=steps_per_epoch,
                batching=Windows(self.window, loss="every"),
            ),
            seed=seed,
        )


def held_back(values: int) -> int:
    """The number of validation pairs at the end: 30%, rounded up as in scikit-learn.

    >>> held_back(144)
    43
    """
    return math.ceil(SHARE * (values - 2))


HELD_BACK = held_back(144)


@dataclass(frozen=True, eq=False)
class Predicted:
    """The predictions of a forecaster: each value from the observed ones before it, and the
    held-back values from the last observed value of the training part."""

    name: str
    observed: NDArray  # as long as the series, NaN without a prediction
    fed_back: NDArray  # as long as the held-back part
    seconds: float
    of_differences: bool = False  # whether the network reads differences of the values

    def from_own(self, values: NDArray) -> NDArray:
        """The held-back values predicted from the *predicted* end of the training part, as in the
        article: X̂(101) = D̂(100) + X̂(100). NaN unless the network reads differences.

        The predicted differences are the same as from the observed end; only the level differs.
        """
        if not self.of_differences:
            return np.full(len(self.fed_back), np.nan)
        trained_end = len(values) - len(self.fed_back) - 1
        return self.fed_back + self.observed[trained_end] - values[trained_end]

    def errors(self, values: NDArray) -> tuple[float, float, float, float]:
        """The RMSE with observations, in the training part and after it, and fed back, from the
        observed and from the predicted end of the training part."""
        count = len(self.fed_back)
        held_back = values[-count:]
        training_error = rmse(self.observed[:-count], values[:-count])
        held_back_error = rmse(self.observed[-count:], held_back)
        fed_back_error = rmse(self.fed_back, held_back)
        from_own = math.nan
        if self.of_differences:
            from_own = rmse(self.from_own(values), held_back)
        return training_error, held_back_error, fed_back_error, from_own


def run(to: ExampleRun, faithful: bool, seed: int) -> list[Measure]:
    """Read the file, train, predict in both ways, and report the errors."""
    panel = to.panel(partial(_read, to))
    for finding in panel.check():
        to.say(str(finding))
    pictures.draw_series(to, panel, held_back(len(panel.values)))
    if faithful:
        return _faithful(to, panel, seed)
    return _default(to, panel, seed)


def _read(to: ExampleRun) -> Panel:
    """The file as it was downloaded in 2017, including three lines at its end that hold no data."""
    months = airline().times(0).astype("datetime64[M]")
    rows = [
        f'"{month}",{value:.0f}'
        for month, value in zip(months, airline().values, strict=True)
    ]
    path = to.folder / "airline.csv"
    path.write_text(
        "\r\n".join([f'"Month","{TITLE}"', *rows, "", TITLE, "", ""]),
        encoding="utf-8",
        newline="",
    )
    return lc.read(path)


# ---------------------------------------------------------------- as in the article


def _faithful(to: ExampleRun, panel: Panel, seed: int) -> list[Measure]:
    """Run the article's network, and the same network without preprocessing."""
    to.say(f"{summary(NETWORK)}")
    snapshots = SaveEvery(to.saved_networks("snapshots"), 1, "model_epoch-{epoch}")
    forecaster = article_forecaster(panel, INPUTS, seed)
    fitted = to.fit(forecaster, panel, "article", [snapshots], printed=True)
    to.say(str(fitted.history))
    to.model(fitted)
    plain = to.fit(article_forecaster(panel, Transformed(), seed), panel, "plain")
    article = _predicted(ARTICLE, fitted, panel, training_seconds(fitted.history))
    predicted = [
        replace(article, of_differences=True),
        _predicted(PLAIN, plain, panel, training_seconds(plain.history)),
    ]
    errors = _tables(to, panel, predicted)
    pictures.draw_learning(to, fitted.history)
    pictures.draw_article(to, panel, predicted[0])
    pictures.draw_plain(to, panel, predicted)
    H, seconds = (
        _held_back_words(to, panel),
        [forecast.seconds for forecast in predicted],
    )
    return [
        Measure(f"RMSE of {H} fed back, {ARTICLE}", errors[0, 3], seconds[0]),
        Measure(f"RMSE of {H} with observations, {ARTICLE}", errors[0, 1], seconds[0]),
        Measure(
            f"RMSE of {H} fed back from the last observed value, {ARTICLE}",
            errors[0, 2],
            seconds[0],
        ),
        Measure(f"RMSE of {H} fed back, {PLAIN}", errors[1, 2], seconds[1]),
        Measure(f"RMSE of {H} with observations, {PLAIN}", errors[1, 1], seconds[1]),
    ]


def article_forecaster(
    panel: Panel, inputs: Transformed, seed: int
) -> lc.LSTMForecaster:
    """The article's network and training, for these inputs."""
    validation = Validation(steps=held_back(len(panel.values)), fresh=True)
    return lc.LSTMForecaster(
        1,
        weights="scratch",
        network=replace(NETWORK, inputs=inputs),
        training=replace(TRAINING, validation=validation),
        seed=seed,
    )


# ---------------------------------------------------------------- by default


def own_choices(panel: Panel) -> dict[str, Choice]:
    """The transforms to compare, as far as the values and their season allow.

    For the airline, units, windows and epochs were chosen within the training part: by the errors
    of forecasts from its first 60, 72 and 84 months, one step ahead and fed back.
    """
    choices = {
        "differences": Choice(Transformed(Difference(), Standard()), 16, 12, 120)
    }
    if np.nanmin(panel.values) > 0:
        inputs = Transformed(Log1p(), Difference(), Standard())
        choices["logarithms, differences"] = Choice(inputs, 16, 24, 120)
        season = panel.periods[0] if panel.periods else 0
        if 0 < 3 * season < len(panel.values) // 2:
            inputs = Transformed(Log1p(), Difference(season), Standard())
            choices["logarithms, yearly differences"] = Choice(inputs, 8, 12, 60)
    return choices


def _default(to: ExampleRun, panel: Panel, seed: int) -> list[Measure]:
    """Run networks trained on the training part only, and the shipped network, which was not
    trained on this series: as it is, and fine-tuned on the training part."""
    training_panel = panel.until(panel.lengths - held_back(len(panel.values)))
    predicted, histories = [], []
    for name, choice in own_choices(panel).items():
        fitted = to.fit(
            choice.forecaster(seed, len(training_panel.values)),
            training_panel,
            name.replace(", ", "-").replace(" ", "-"),
        )
        predicted.append(
            _predicted(name, fitted, panel, training_seconds(fitted.history))
        )
        histories.append(fitted.history)
    shipped = lc.LSTMForecaster(12, seed=seed)
    predicted.append(_predicted(SHIPPED, shipped, panel, 0.0))
    tuned = to.fit(shipped, training_panel, "fine-tuned")
    predicted.append(_predicted(TUNED, tuned, panel, training_seconds(tuned.history)))
    to.model(tuned, panel)
    errors = _tables(to, panel, predicted)
    pictures.draw_learning(to, histories[-1])
    pictures.draw_predictions(to, panel, predicted)
    H = _held_back_words(to, panel)
    measures = []
    for forecast, row in zip(reversed(predicted), errors[::-1], strict=True):
        _, observed, fed_back, _ = row
        name = f"RMSE of {H} fed back, {forecast.name}"
        measures.append(Measure(name, fed_back, forecast.seconds))
        name = f"RMSE of {H} with observations, {forecast.name}"
        measures.append(Measure(name, observed, forecast.seconds))
    return measures


# ---------------------------------------------------------------- both


def _predicted(name: str, forecaster: Any, panel: Panel, trained: float) -> Predicted:
    began = time.perf_counter()
    count = len(panel.values)
    held_out = held_back(count)
    one_step = forecaster.predict(panel, mode="one-step").point[:, 0]
    observed = np.full(count, np.nan)
    observed[count - len(one_step) :] = one_step
    cutoffs = (panel.lengths - held_out)[:, None]
    fed_back = forecaster.predict(panel, held_out, cutoffs=cutoffs, mode="recursive")
    seconds = trained + time.perf_counter() - began
    return Predicted(name, observed, fed_back.point[0], seconds)


def swing(fed_back: NDArray, panel: Panel) -> float:
    """The range of the last season as fed back, relative to its true range."""
    steps = len(fed_back)
    if panel.periods:
        steps = min(panel.periods[0], steps)
    return float(np.ptp(fed_back[-steps:]) / np.ptp(panel.values[-steps:]))


def _held_back_words(to: ExampleRun, panel: Panel) -> str:
    return f"{held_back(len(panel.values))} {'months' if to.own is None else 'steps'}"


def _tables(to: ExampleRun, panel: Panel, predicted: list[Predicted]) -> NDArray:
    """Write the predictions of every step and the errors of every forecaster; return the errors."""
    name = "passengers" if to.own is None else str(panel.ids[0])
    columns: dict[str, Any] = {"time": panel.times(0), name: panel.values}
    for forecast in predicted:
        unknown = np.full(len(panel.values) - len(forecast.fed_back), np.nan)
        columns[f"with observations, {forecast.name}"] = forecast.observed
        columns[f"fed back, {forecast.name}"] = np.r_[unknown, forecast.fed_back]
        if forecast.of_differences:
            from_own = np.r_[unknown, forecast.from_own(panel.values)]
            columns[f"fed back from its own last value, {forecast.name}"] = from_own
    to.table("predictions", columns)
    errors = np.array([forecast.errors(panel.values) for forecast in predicted])
    swings = [swing(forecast.fed_back, panel) for forecast in predicted]
    table = {
        "forecaster": [forecast.name for forecast in predicted],
        "RMSE with observations, training part": errors[:, 0],
        "RMSE with observations, held back": errors[:, 1],
        "RMSE fed back from the last observed value": errors[:, 2],
        "RMSE fed back from the last predicted value": errors[:, 3],
        "swing of the last year, share of the true one": np.array(swings),
        "seconds": np.array([forecast.seconds for forecast in predicted]),
    }
    to.table("errors", table)
    return errors
