"""Article 2: one LSTM learns the next value from windows of 80 steps, then continues on its own for
200 steps.

The article is a Keras tutorial for Colab with two waves, `sine` and `beats`. Its 300 units learn
from windows in one random order to predict one value from 80 true ones, and must then do something
that they were never trained for: read their own predictions. By default a network of 48 units is
trained for just that: it starts with true values only, and reads more and more of its own
predictions as training continues.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import lstmcast as lc
from lstmcast.articles.measures import Measure, rmse, training_seconds
from lstmcast.articles.runs import ExampleRun
from lstmcast.model.inputs import Transformed
from lstmcast.model.lstm import Cell
from lstmcast.model.network import NetworkConfig
from lstmcast.model.summary import summary
from lstmcast.output.learning_curve import LearningCurve
from lstmcast.output.looks import BLUE
from lstmcast.training.callbacks import Callback, SaveBest
from lstmcast.training_config import (
    Ema,
    Initialiser,
    Loss,
    Optimiser,
    Rollout,
    Schedule,
    TrainingConfig,
    Validation,
    Windows,
)
from lstmcast.transforms import MinMax

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.training_history import History

CYCLE, STEPS = 80, 200
PRINTED = 100  # number of predictions that the second exercise prints
EPOCHS = {"sine": 40, "beats": 60}  # epochs of our own training: two waves take longer
LENGTHS = {"sine": 50 * CYCLE, "beats": 200 * CYCLE}
RED = "#c8322b"

JAPANESE = {
    "The first cycles": "最初の数周期",
    "A window of 80 steps and its label": "80ステップの窓とラベル",
    "input": "入力",
    "label": "ラベル",
    "200 steps fed back": "自分の予測を入力に戻して200ステップ先まで予測",
    "true": "真の値",
    "predicted": "予測",
    "last window": "最後の窓",
    "error": "誤差",
    "step": "ステップ",
    "Learning curve": "学習曲線",
    "epoch": "エポック",
    "loss": "損失",
    "training": "学習",
    "validation": "検証",
    "kept": "採用",
}
_WORDS = {
    "epoch": "epoch",
    "loss": "loss",
    "train": "training",
    "validation": "validation",
    "kept": "kept",
}


def wave(name: str, steps: NDArray) -> NDArray:
    """The wave at steps t.

    >>> wave("sine", np.array([0, 20, 40])).round(3)
    array([0., 1., 0.])
    >>> wave("beats", np.array([0, 4]))
    array([-5.        ,  0.06107374])
    """
    angle = 2 * np.pi * np.asarray(steps) / CYCLE
    if name == "sine":
        return np.sin(angle)
    return 3 * np.sin(5 * angle) - 5 * np.cos(3 * angle)


def data(name: str, extra_steps: int = 0) -> Panel:
    """The article's data, 50 cycles of the sine or 200 of the beats, and some extra steps."""
    steps = np.arange(LENGTHS[name] + extra_steps)
    return lc.Panel.from_arrays({name: wave(name, steps)})


def as_in_the_article(seed: int) -> lc.LSTMForecaster:
    """The article's network and training: one value from each window, windows in one random order,
    RMSprop as in Keras, early stopping."""
    # np.random.seed(seed) and the first draw / 10; in all four gates, including the forget gate
    bias = float(np.random.RandomState(seed).rand() / 10)
    training = TrainingConfig(
        epochs=1000,
        batch_size=256,
        batching=Windows(length=CYCLE, loss="last", shuffle="once"),
        optimiser=Optimiser("rmsprop", learning_rate=1e-3, decay=0.9, epsilon=1e-7),
        loss=Loss("mse"),
        validation=Validation(share=0.3, by="windows"),
        patience=20,
        initialiser=Initialiser(bias=bias, forget_bias=bias),
    )
    network = NetworkConfig(
        layers=(300,),
        inputs=Transformed(),
        head="point",
        horizon=1,
        cell=Cell(recurrent_activation="hard_sigmoid"),
    )
    return _untrained(network, training, seed)


def our_own(seed: int, name: str = "sine") -> lc.LSTMForecaster:
    """Our forecaster: segments of two cycles, the second of which consists of true values at first
    and of the network's own predictions in the end."""
    training = TrainingConfig(
        epochs=EPOCHS[name],
        batch_size=32,
        steps_per_epoch=10,
        batching=Rollout(length=2 * CYCLE, support=2 * CYCLE, support_end=CYCLE),
        optimiser=Optimiser(
            "adam",
            learning_rate=7e-3,
            clip=1.0,
            schedule=Schedule("cosine"),
        ),
        loss=Loss("mse"),
        validation=Validation(share=0.1, most=64),
        average=Ema(0.98),
    )
    inputs = Transformed(MinMax(-3, 3))
    network = NetworkConfig(layers=(48,), inputs=inputs, head="point", horizon=1)
    return _untrained(network, training, seed)


def _untrained(
    network: NetworkConfig, training: TrainingConfig, seed: int
) -> lc.LSTMForecaster:
    return lc.LSTMForecaster(
        STEPS,
        weights="scratch",
        network=network,
        training=training,
        seed=seed,
    )


def run_sine(to: ExampleRun, faithful: bool, seed: int) -> list[Measure]:
    """A sine of 80 steps."""
    return _run_as(to, "sine", faithful, seed)


def run_beats(to: ExampleRun, faithful: bool, seed: int) -> list[Measure]:
    """Two waves added, of 16 and of 26⅔ steps."""
    return _run_as(to, "beats", faithful, seed)


def _run_as(to: ExampleRun, name: str, faithful: bool, seed: int) -> list[Measure]:
    """Run as in the article, with a model saved at each improvement, or with our settings.

    Our training improves at nearly every epoch, and saving a model that reads 16,000 steps, with
    its intervals measured, takes as long as an epoch.
    """
    if not faithful:
        return run(to, name, our_own(seed, name))
    saving = SaveBest(to.saved_networks("improvements"))
    return run(to, name, as_in_the_article(seed), [saving])


def run(
    to: ExampleRun,
    name: str,
    forecaster: lc.LSTMForecaster,
    callbacks: Sequence[Callback] = (),
) -> list[Measure]:
    """Train on all but the last 200 steps, let the network continue on its own, and report its
    error."""
    panel = to.panel(lambda: data(name, STEPS))
    training = panel.until(panel.lengths - STEPS)
    to.say(f"the last {STEPS} are compared with\n{summary(forecaster.config)}")
    fitted = to.fit(forecaster, training, name, callbacks)
    to.say(str(fitted.history))
    to.model(fitted)
    began = time.perf_counter()
    predicted = fitted.predict(mode="recursive").point[0]
    seconds = training_seconds(fitted.history) + time.perf_counter() - began
    true = panel.series(0)[-STEPS:]
    steps = np.arange(1, STEPS + 1)
    to.table("free-run", {"step": steps, "true": true, "predicted": predicted})
    if name == "beats":  # the second exercise
        _print_first(to, true, predicted)
    _draw_series(to, training.series(0))
    _draw(to, fitted.history, training.series(0), true, predicted)
    error = rmse(predicted, true)
    amplitude = float(np.nanmax(np.abs(training.values)))
    to.say(f"{error:.4f} is {error / amplitude:.2%} of the amplitude, {amplitude:.2f}")
    return [
        Measure(f"RMSE of {STEPS} steps fed back", error, seconds),
        Measure(
            "RMSE of the last 50 of them", rmse(predicted[-50:], true[-50:]), seconds
        ),
        *_epochs(fitted.history),
    ]


def _print_first(to: ExampleRun, true: NDArray, predicted: NDArray) -> None:
    """Print the first 100 predictions in rows of ten, and write them to a file."""
    lines = []
    for row in predicted[:PRINTED].reshape(-1, 10):
        lines.append("".join(f"{value:9.4f}" for value in row))
    to.say(f"the first {PRINTED} predictions")
    to.say("\n".join(lines))
    columns = {
        "step": np.arange(1, PRINTED + 1),
        "true": true[:PRINTED],
        "predicted": predicted[:PRINTED],
    }
    to.table(f"first-{PRINTED}", columns)


def _epochs(history: History) -> list[Measure]:
    columns = history.columns()
    epochs = columns["epoch"].astype(float).tolist()
    seconds = columns["seconds"].tolist()
    best_row = int(np.flatnonzero(columns["best"])[0])
    return [
        Measure("best epoch", epochs[best_row], seconds[best_row]),
        Measure("epochs trained", epochs[-1], seconds[-1]),
    ]


def _draw_series(to: ExampleRun, values: NDArray) -> None:
    """Draw the first cycles, and a window with the value that follows it."""
    with to.figure("series", (10, 5)) as figure:
        ax, below = figure.subplots(2)
        ax.plot(values[: 5 * CYCLE])
        ax.set_title(to.text("The first cycles"))
        below.plot(values[:CYCLE], marker=".", label=to.text("input"))
        below.plot(CYCLE, values[CYCLE], "o", color=RED, label=to.text("label"))
        below.set_title(to.text("A window of 80 steps and its label"))
        below.set_xlabel(to.text("step"))


def _draw(
    to: ExampleRun,
    history: History,
    training_values: NDArray,
    true: NDArray,
    predicted: NDArray,
) -> None:
    with to.figure("free-run", (10, 6)) as figure:
        ax, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
        window = np.arange(-CYCLE + 1, 1)
        steps = np.arange(1, STEPS + 1)
        ax.plot(window, training_values[-CYCLE:], label=to.text("last window"))
        ax.plot(steps, true, color=RED, linewidth=3.5, alpha=0.5, label=to.text("true"))
        ax.plot(
            steps,
            predicted,
            color=BLUE,
            linestyle=(0, (4, 2)),
            label=to.text("predicted"),
        )
        ax.set_title(to.text("200 steps fed back"))
        ax.legend(ncols=3, loc="lower left", bbox_to_anchor=(0.55, 1.0))
        below.plot(steps, predicted - true, color=BLUE)
        below.set_xlabel(to.text("step"))
        below.set_ylabel(to.text("error"))
    with to.figure("learning-curve") as figure:
        words = {key: to.text(word) for key, word in _WORDS.items()}
        LearningCurve.from_history(history, words).draw(figure.subplots(), log=True)
        figure.suptitle(to.text("Learning curve"))
