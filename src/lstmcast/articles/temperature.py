"""Article 5: a temperature from a CSV file, windows of 20 values, the next five values; callbacks
and a summary.

The article is a course page for Keras in Colab with 101 values. Its LSTM kernel is initialised with
zeros: the network answers 0 at first but still learns, as the gradient of the candidate's kernel
comes through the head and does not depend on the kernel. By default there are more days, and the
network is trained until it is good. The reader's own series, of days or of ten minutes, is treated
in the same way.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

import lstmcast as lc
from lstmcast.articles.measures import Measure, rmse, training_seconds
from lstmcast.articles.runs import ExampleRun
from lstmcast.evaluation.baselines import Naive
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.model.summary import summary
from lstmcast.output.learning_curve import LearningCurve
from lstmcast.training.callbacks import SaveBest
from lstmcast.training_config import (
    Ema,
    Loss,
    Optimiser,
    Schedule,
    TrainingConfig,
    Validation,
    Windows,
)
from lstmcast.transforms import Standard

if TYPE_CHECKING:
    from lstmcast.articles.recording import Metrics
    from lstmcast.data.panel import Panel
    from lstmcast.forecast import Forecast
    from lstmcast.model.network import Network
    from lstmcast.training_history import History

WINDOW, AHEAD = 20, 5
FEW, MANY = 101, 1461  # days: as in the course; four years
MOST_MEASURED = (
    # windows of each part for which the mean absolute error of an epoch is measured
    2_000
)


class Settings(NamedTuple):
    """The network and its training."""

    network: NetworkConfig
    training: TrainingConfig


def settings(faithful: bool, days: int) -> Settings:
    """The settings of the article, or our own; the validation and test parts are each a fifth of
    the days."""
    validation = Validation(steps=days // 5)
    inputs = Transformed(Standard())
    if faithful:
        training = TrainingConfig(
            epochs=100,
            batch_size=32,
            batching=Windows(WINDOW, loss="last"),
            optimiser=Optimiser("adam", 1e-3, epsilon=1e-7),  # as in Keras
            loss=Loss("mse"),
            validation=validation,
            patience=2,
            initialiser="zeros",
        )
        return Settings(
            NetworkConfig(layers=(20,), inputs=inputs, head="point", horizon=1),
            training,
        )
    training = TrainingConfig(
        epochs=20,
        batch_size=32,
        batching=Windows(WINDOW, loss="every"),
        optimiser=Optimiser("adam", 3e-3, clip=1.0, schedule=Schedule("cosine")),
        validation=validation,
        patience=5,
        average=Ema(0.98),
    )
    return Settings(
        NetworkConfig(layers=(32,), inputs=inputs, head="point", horizon=1), training
    )


JAPANESE = {
    "Daily temperature": "日平均気温",
    "degrees Celsius": "気温(℃)",
    "training": "学習",
    "validation": "検証",
    "test": "テスト",
    "The next five days": "次の5日間",
    "The next five steps": "次の5ステップ",
    "observed": "観測値",
    "predicted": "予測",
    "last known value": "直前の値",
    "Error of each step on the test part": "テスト部分における予測ステップごとの誤差",
    "steps ahead": "予測先までのステップ数",
    "Learning curve": "学習曲線",
    "epoch": "エポック",
    "loss": "損失",
    "kept": "採用",
    "mean": "平均",
}


def temperatures(days: int, seed: int = 0) -> tuple[NDArray, NDArray]:
    """Dates and simulated daily temperatures: a yearly cycle, and weather that lasts a few days.

    >>> temperatures(3)[1]
    array([22.4, 21.7, 22.6])
    """
    rng = np.random.default_rng([seed, 5])
    shocks = np.sqrt(1 - 0.75**2) * (2.5 * rng.normal(size=days))
    weather = np.zeros(days)
    deviation = 0.0
    # an autoregression: three quarters of a deviation remain a day later
    for step in range(days):
        deviation = 0.75 * deviation + shocks[step]
        weather[step] = deviation
    day = np.arange(days)
    yearly = 16 + 10 * np.cos(2 * np.pi * (day - 50) / 365.25)
    return np.datetime64("2020-06-06") + day, np.round(yearly + weather, 1)


def run(to: ExampleRun, faithful: bool, seed: int) -> list[Measure]:
    """Write and read the file, train, and forecast five steps from each step of the test part."""
    days = FEW if faithful else MANY
    panel = to.panel(partial(_simulated, to, days))
    setup = settings(faithful, len(panel.values))
    to.say(str(summary(setup.network)))
    return forecast_five(to, panel, setup, seed)


def _simulated(to: ExampleRun, days: int) -> Panel:
    dates, values = temperatures(days)
    return lc.read(to.table("temperature", {"date": dates, "temperature": values}))


def forecast_five(
    to: ExampleRun, panel: Panel, setup: Settings, seed: int = 0
) -> list[Measure]:
    """The same for any series: the last fifth is for testing, the fifth before it for validation,
    and the rest for training."""
    before_test = panel.until(panel.lengths - panel.lengths // 5)
    forecaster = lc.LSTMForecaster(
        AHEAD,
        weights="scratch",
        network=setup.network,
        training=setup.training,
        seed=seed,
    )
    fitted = to.fit(
        forecaster,
        before_test,
        callbacks=[SaveBest(to.saved_networks("best-network"), only=True)],
        metrics=mean_absolute_errors(before_test),
    )
    to.say(str(fitted.history))
    to.model(fitted, panel)
    began = time.perf_counter()
    days = len(panel.values)
    cutoffs_1K = np.arange(int(before_test.lengths[0]), days - AHEAD + 1)[None]
    forecast = fitted.predict(panel, cutoffs=cutoffs_1K, mode="recursive")
    naive = Naive(quantiles=()).predict(panel, AHEAD, cutoffs=cutoffs_1K)
    actual_KH = panel.values[cutoffs_1K[0][:, None] + np.arange(AHEAD)]
    seconds = training_seconds(fitted.history) + time.perf_counter() - began
    _say_next_five(to, forecast, actual_KH)
    _table_of_errors(to, forecast, naive, actual_KH)
    _draw(to, panel, before_test, fitted.history, forecast, naive)
    steps = "days" if to.own is None else "steps"
    return _measures_of_five(steps, forecast.point, naive.point, actual_KH, seconds)


def _measures_of_five(
    steps: str, point_KH: NDArray, naive_KH: NDArray, actual_KH: NDArray, seconds: float
) -> list[Measure]:
    """Errors of five days, or other `steps`, from all cutoffs and from the last one."""
    error = rmse(point_KH, actual_KH)
    absolute_error = float(np.nanmean(np.abs(point_KH - actual_KH)))
    naive_error = rmse(naive_KH, actual_KH)
    last_error = rmse(point_KH[-1], actual_KH[-1])
    return [
        Measure(f"RMSE of five {steps}, each fed back", error, seconds),
        Measure(f"RMSE of five {steps}, last known value", naive_error, 0.0),
        Measure(f"MAE of five {steps}, each fed back", absolute_error, seconds),
        Measure(f"RMSE of the last five {steps}", last_error, seconds),
    ]


def mean_absolute_errors(panel: Panel) -> Metrics:
    """The metric of the course, in the units of the data: the error of each window's next value, in
    the training and validation parts."""
    values = panel.values
    # without the validation part, a fifth of all values
    trained = len(values) - len(values) // 4
    mean = float(np.nanmean(values[:trained]))
    deviation = float(np.nanstd(values[:trained])) or 1.0
    z_T = np.nan_to_num((values - mean) / deviation).astype(np.float32)
    windows_BT = np.lib.stride_tricks.sliding_window_view(z_T, WINDOW)[:-1]
    targets_B = values[WINDOW:]

    def of(span: slice) -> NDArray:
        return np.arange(len(targets_B))[span][-MOST_MEASURED:]

    def error(rows: NDArray, network: Network) -> float:
        answers_B = mean + deviation * next_values(network, windows_BT[rows])
        return float(np.nanmean(np.abs(answers_B - targets_B[rows])))

    windows_of = {
        "train": of(slice(trained - WINDOW)),
        "validation": of(slice(trained - WINDOW, None)),
    }
    return {f"{name}_mae": partial(error, rows) for name, rows in windows_of.items()}


def next_values(network: Network, windows_BT: NDArray) -> NDArray:
    """The answer of a network with a point head after each window (B,), in its own units."""
    x_TBC = windows_BT.T[:, :, None]
    begun_TB = np.ones(x_TBC.shape[:2], bool)
    hidden, _ = network.run(x_TBC, begun_TB, network.start(len(windows_BT)))
    outputs = network.raw([hidden_TBD[-1] for hidden_TBD in hidden], x_TBC[-1])
    return np.mean([raw_BHKR[:, 0, 0, 0] for raw_BHKR in outputs], axis=0)


def _say_next_five(to: ExampleRun, forecast: Forecast, actual_KH: NDArray) -> None:
    steps = "days " if to.own is None else "steps"
    to.say(f"the last five {steps}    predicted      true")
    times = forecast.times[-1]
    predicted_H = forecast.point[-1]
    for when, predicted, true in zip(times, predicted_H, actual_KH[-1], strict=True):
        to.say(f"  {str(when)[:16]:<20}{predicted:>10.2f}{true:>10.2f}")


def _table_of_errors(
    to: ExampleRun, forecast: Forecast, naive: Forecast, actual_KH: NDArray
) -> None:
    """Write the errors of each step and the last forecasts, as tables and as a picture."""
    steps = np.arange(1, AHEAD + 1)
    errors = {
        "network": _errors_by_step(forecast, actual_KH),
        "last known value": _errors_by_step(naive, actual_KH),
    }
    table = {"step": steps}
    for name, error_H in errors.items():
        table[f"RMSE {name}"] = error_H
    to.table("errors", table)
    next_five = {
        "date": forecast.times[-1],
        "predicted": forecast.point[-1],
        "true": actual_KH[-1],
        "last known value": naive.point[-1],
    }
    to.table("next-five", next_five)
    with to.figure("errors", (7, 4.5)) as figure:
        ax = figure.subplots()
        labels = {"network": "predicted", "last known value": "last known value"}
        for number, (name, label) in enumerate(labels.items(), start=1):
            ax.plot(
                steps,
                errors[name],
                color=f"C{number}",
                marker="o",
                label=to.text(label),
            )
        ax.set_title(to.text("Error of each step on the test part"))
        ax.set_xlabel(to.text("steps ahead"))
        ax.set_ylabel("RMSE")
        ax.set_xticks(steps)
        ax.set_ylim(0, None)


def _errors_by_step(forecast: Forecast, actual_KH: NDArray) -> NDArray:
    """The RMSE of each step (H,)."""
    errors = []
    for step in range(AHEAD):
        errors.append(rmse(forecast.point[:, step], actual_KH[:, step]))
    return np.array(errors)


def _draw(
    to: ExampleRun,
    panel: Panel,
    before_test: Panel,
    history: History,
    forecast: Forecast,
    naive: Forecast,
) -> None:
    _draw_series(to, panel, int(before_test.lengths[0]))
    _draw_next_five(to, panel, forecast, naive)
    words = {name: to.text(word) for name, word in _WORDS.items()}
    with to.figure("learning-curve") as figure:
        LearningCurve.from_history(history, words).draw(figure.subplots())
        figure.suptitle(to.text("Learning curve"))


def _draw_series(to: ExampleRun, panel: Panel, held_back: int) -> None:
    """The values, and which of them are for training, for validation and, from `held_back` on,
    for testing."""
    times = panel.times(0)
    values = panel.values
    trained = held_back - (len(values) - held_back)
    with to.figure("series") as figure:
        ax = figure.subplots()
        spans = (
            ("training", 0, trained),
            ("validation", trained, held_back),
            ("test", held_back, len(values)),
        )
        for name, first, end in spans:
            ax.plot(
                times[first:end], values[first:end], linewidth=1, label=to.text(name)
            )
        title = to.text("Daily temperature") if to.own is None else str(panel.ids[0])
        ax.set(title=title, ylabel=_unit(to))


def _draw_next_five(
    to: ExampleRun, panel: Panel, forecast: Forecast, naive: Forecast
) -> None:
    """The newest values, and both forecasts of the last five."""
    times = panel.times(0)[-40:]
    values = panel.values[-40:]
    next_times = forecast.times[-1]
    next_values = forecast.point[-1]
    last_value = to.text("last known value")
    with to.figure("next-five") as figure:
        ax = figure.subplots()
        points = {"marker": "o", "markersize": 3}
        ax.plot(times, values, label=to.text("observed"), **points)
        points["markersize"] = 4
        ax.plot(next_times, next_values, label=to.text("predicted"), **points)
        ax.plot(naive.times[-1], naive.point[-1], linestyle="--", label=last_value)
        title = "The next five days" if to.own is None else "The next five steps"
        ax.set(title=to.text(title), ylabel=_unit(to))


def _unit(to: ExampleRun) -> str:
    """The unit of the values; that of the reader's own series is unknown."""
    return to.text("degrees Celsius") if to.own is None else ""


_WORDS = {
    "epoch": "epoch",
    "loss": "loss",
    "train": "training",
    "validation": "validation",
    "kept": "kept",
    "mean": "mean",
}
