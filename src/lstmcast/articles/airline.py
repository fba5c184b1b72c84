"""Article 1: monthly airline passengers. Differences, min–max scaling, a 5-4-3 LSTM, the whole
sequence in one pass.

The article, of 2017, does this by hand in Chainer 1.24. Followed to the letter it is one network
here. By default there are four forecasters of the same months, none of which has seen the part that
is forecast: three small networks that differ in their transforms only, and the network that this
package ships.

    X passengers (144) · D differences (143) · pairs D(i) → D(i+1): 99 of training, 43 held back
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import lstmcast as lc
from lstmcast.articles.runs import ExampleRun, Measure, rmse, training_seconds
from lstmcast.data.examples import airline
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.model.summary import summary
from lstmcast.output.learning_curve import LearningCurve
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
    from matplotlib.axes import Axes

    from lstmcast.data.panel import Panel
    from lstmcast.training_history import History

HELD_BACK = 43  # months at the end: 30 % of the 142 pairs
TITLE = "International airline passengers: monthly totals in thousands. Jan 49 ? Dec 60"

INPUTS = Transformed(Chain((Difference(), MinMax()), apart=True))
NETWORK = NetworkConfig(layers=(5, 4, 3), inputs=INPUTS, head="point", horizon=1)
TRAINING = TrainingConfig(
    epochs=1000,
    batch_size=1,
    batching=WholeSequence(),
    optimiser=Optimiser("rmsprop", learning_rate=1e-2, decay=0.99, epsilon=1e-8),  # Chainer's
    loss=Loss("mse"),
    validation=Validation(steps=HELD_BACK, fresh=True),
    initialiser="chainer",
)

# Chosen by the errors of the three transforms together within the training part, from its first 60,
# 72 and 84 months.
OWN_NETWORK = NetworkConfig(layers=(32,), inputs=Transformed(), head="point", horizon=1)
OWN_TRAINING = TrainingConfig(
    epochs=60,
    batch_size=16,
    batching=Windows(12, loss="every"),
    optimiser=Optimiser("adam", learning_rate=5e-3, clip=1.0, schedule=Schedule("cosine")),
    validation=None,
    members=3,
    average=Ema(0.98),
)
OWN_INPUTS = {
    "differences": Transformed(Difference(), Standard()),
    "logarithms, differences": Transformed(Log1p(), Difference(), Standard()),
    "logarithms, yearly differences": Transformed(Log1p(), Difference(12), Standard()),
}
SHIPPED = "shipped network"

JAPANESE = {
    "International airline passengers": "国際線の航空旅客数",
    "thousands a month": "千人／月",
    "Differences from month to month": "前月との差",
    "of passengers": "旅客数の差",
    "of their logarithms": "対数の差",
    "With observations: each month from those before it": (
        "観測値による予測：各月をそれまでの観測値から"
    ),
    "Fed back: 43 months from the end of the training part": (
        "自分の予測を入力に戻す予測：学習部分の末尾から43か月"
    ),
    "Learning curve": "学習曲線",
    "observed": "観測値",
    "predicted": "予測",
    "end of training": "学習部分の終わり",
    "differences": "差分",
    "logarithms, differences": "対数・差分",
    "logarithms, yearly differences": "対数・前年同月との差",
    "shipped network": "同梱のネットワーク",
    "epoch": "エポック",
    "loss": "損失",
    "training": "学習",
    "validation": "検証",
    "kept": "採用",
    "mean": "平均",
}


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a forecaster says: each month from those before it, and the months held back from the
    end of training."""

    name: str
    observed: NDArray  # as long as the series, NaN where nothing is predicted
    free: NDArray  # (HELD_BACK,)
    seconds: float

    def errors(self, passengers: NDArray) -> tuple[float, float, float]:
        """RMSE in passengers: with observations in the training part and after it, and fed back."""
        train, back = slice(None, -HELD_BACK), slice(-HELD_BACK, None)
        observed = [rmse(self.observed[part], passengers[part]) for part in (train, back)]
        return observed[0], observed[1], rmse(self.free, passengers[back])


def run(to: ExampleRun, faithful: bool, seed: int) -> list[Measure]:
    """Read the file, train, predict in both ways, and say how far off the predictions are."""
    panel = _read(to)
    _draw_series(to, panel)
    predicted = [_faithful(to, panel, seed)] if faithful else _own(to, panel, seed)
    errors = np.array([each.errors(panel.values) for each in predicted])
    _tables(to, panel, predicted, errors)
    _draw_predictions(to, panel, predicted)
    best = predicted[-1]
    return [
        Measure(f"RMSE of {HELD_BACK} months fed back, {best.name}", errors[-1, 2], best.seconds),
        Measure(
            f"RMSE of {HELD_BACK} months with observations, {best.name}",
            errors[-1, 1],
            best.seconds,
        ),
        *(
            Measure(f"RMSE of {HELD_BACK} months {how}, {each.name}", row[k], each.seconds)
            for each, row in zip(predicted[:-1], errors, strict=False)
            for how, k in (("fed back", 2), ("with observations", 1))
        ),
    ]


def _read(to: ExampleRun) -> Panel:
    """The file as it was downloaded in 2017, three lines at its end that are no data included."""
    months = airline().times(0).astype("datetime64[M]")
    rows = [f'"{month}",{value:.0f}' for month, value in zip(months, airline().values, strict=True)]
    path = to.folder / "airline.csv"
    path.write_text(
        "\r\n".join([f'"Month","{TITLE}"', *rows, "", TITLE, "", ""]), encoding="utf-8", newline=""
    )
    panel = lc.read(path)
    to.say(str(panel))
    for finding in panel.check():
        to.say(str(finding))
    return panel


def _faithful(to: ExampleRun, panel: Panel, seed: int) -> Predicted:
    """The article's network: the weights of the epoch with the lowest validation loss."""
    to.say(f"{summary(NETWORK)}")
    forecaster = lc.LSTMForecaster(
        1, weights="scratch", network=NETWORK, training=TRAINING, seed=seed
    )
    fitted = to.fit(forecaster, panel, callbacks=[SaveEvery(to.saved_networks("swa"), 100)])
    to.say(str(fitted.history))
    _draw_learning(to, fitted.history)
    to.model(fitted)
    return _predicted(
        "5-4-3 network of the article", fitted, panel, training_seconds(fitted.history)
    )


def _own(to: ExampleRun, panel: Panel, seed: int) -> list[Predicted]:
    """Three networks that know the training part only, and the shipped one, which has learned
    from no part of it."""
    known = panel.until(panel.lengths - HELD_BACK)
    predicted, histories = [], []
    for name, inputs in OWN_INPUTS.items():
        forecaster = lc.LSTMForecaster(
            1,
            weights="scratch",
            network=replace(OWN_NETWORK, inputs=inputs),
            training=OWN_TRAINING,
            seed=seed,
        )
        fitted = to.fit(forecaster, known, name.replace(", ", "-").replace(" ", "-"))
        predicted.append(_predicted(name, fitted, panel, training_seconds(fitted.history)))
        histories.append(fitted.history)
    _draw_learning(to, histories[-1])
    shipped = lc.LSTMForecaster(12)
    predicted.append(_predicted(SHIPPED, shipped, panel, 0.0))
    to.model(shipped, panel)
    return predicted


def _predicted(name: str, forecaster: Any, panel: Panel, trained: float) -> Predicted:
    began = time.perf_counter()
    in_sample = forecaster.predict(panel, mode="one-step").point[:, 0]
    observed = np.r_[np.full(len(panel.values) - len(in_sample), np.nan), in_sample]
    free = forecaster.predict(
        panel, HELD_BACK, cutoffs=(panel.lengths - HELD_BACK)[:, None], mode="recursive"
    ).point[0]
    return Predicted(name, observed, free, trained + time.perf_counter() - began)


def _tables(to: ExampleRun, panel: Panel, predicted: list[Predicted], errors: NDArray) -> None:
    """The predictions of every month, and the errors of every forecaster."""
    columns: dict[str, Any] = {"month": panel.times(0), "passengers": panel.values}
    for each in predicted:
        columns[f"with observations, {each.name}"] = each.observed
        columns[f"fed back, {each.name}"] = np.r_[
            np.full(len(panel.values) - HELD_BACK, np.nan), each.free
        ]
    to.table("predictions", columns)
    names = (
        "with observations, training part",
        "with observations, held back",
        "fed back, held back",
    )
    to.table(
        "errors",
        {
            "forecaster": [each.name for each in predicted],
            **{f"RMSE {name}": errors[:, k] for k, name in enumerate(names)},
            "seconds": np.array([each.seconds for each in predicted]),
        },
    )


# ---------------------------------------------------------------- pictures


def _draw_series(to: ExampleRun, panel: Panel) -> None:
    times, passengers = panel.times(0), panel.values
    with to.figure("series") as figure:
        ax = figure.subplots()
        ax.plot(times, passengers, label=to.text("observed"))
        _dress(to, ax, times, "International airline passengers")
    with to.figure("differences", (10, 6)) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True)
        for ax, values, name in (
            (upper, passengers, "of passengers"),
            (lower, np.log(passengers), "of their logarithms"),
        ):
            ax.plot(times[1:], np.diff(values))
            ax.set_title(to.text(name))
            ax.axvline(_end(times), color="#6b7785", linestyle="--", linewidth=1)
        figure.suptitle(to.text("Differences from month to month"))


def _draw_predictions(to: ExampleRun, panel: Panel, predicted: list[Predicted]) -> None:
    times, passengers = panel.times(0), panel.values
    titles = {
        "observed": "With observations: each month from those before it",
        "fed-back": "Fed back: 43 months from the end of the training part",
    }
    for name, title in titles.items():
        with to.figure(f"prediction-{name}", (10, 2 + 2.4 * len(predicted))) as figure:
            panes = figure.subplots(len(predicted), 1, sharex=True, sharey=True, squeeze=False)[
                :, 0
            ]
            for ax, each in zip(panes, predicted, strict=True):
                ax.plot(times, passengers, label=to.text("observed"))
                x, y = (
                    (times, each.observed)
                    if name == "observed"
                    else (times[-HELD_BACK:], each.free)
                )
                ax.plot(x, y, label=to.text("predicted"))
                _dress(to, ax, times, each.name if len(predicted) > 1 else title)
                if ax is not panes[0]:  # one legend serves all
                    ax.legend([], [])
            if len(predicted) > 1:
                figure.suptitle(to.text(title))


def _draw_learning(to: ExampleRun, history: History) -> None:
    """The loss of each epoch, on a straight and on a logarithmic axis."""
    words = {name: to.text(word) for name, word in _WORDS.items()}
    curve = LearningCurve.from_history(history, words)
    with to.figure("learning-curve", (12, 4.5)) as figure:
        for ax, log in zip(figure.subplots(1, 2), (False, True), strict=True):
            curve.draw(ax, log=log)
        figure.suptitle(to.text("Learning curve"))


_WORDS = {
    "epoch": "epoch",
    "loss": "loss",
    "train": "training",
    "validation": "validation",
    "kept": "kept",
    "mean": "mean",
}


def _dress(to: ExampleRun, ax: Axes, times: NDArray, title: str) -> None:
    ax.axvline(
        _end(times), color="#6b7785", linestyle="--", linewidth=1, label=to.text("end of training")
    )
    ax.set_title(to.text(title))
    ax.set_ylabel(to.text("thousands a month"))


def _end(times: NDArray) -> Any:
    """The last month of the training part."""
    return times[-HELD_BACK - 1]
