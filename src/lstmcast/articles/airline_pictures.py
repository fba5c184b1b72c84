"""Pictures of the article on airline passengers: series and differences, what the network reads,
learning curve, both predictions in each unit, and what preprocessing brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.output.learning_curve import LearningCurve
from lstmcast.output.looks import AMBER, BLUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from lstmcast.articles.airline import Predicted
    from lstmcast.articles.runs import ExampleRun
    from lstmcast.data.panel import Panel
    from lstmcast.training_history import History

RED, GREEN = "#c8322b", "#2f8f5b"

JAPANESE = {
    "International airline passengers": "国際線の航空旅客数",
    "thousands a month": "千人／月",
    "Differences from month to month": "前月との差",
    "of passengers": "旅客数の差",
    "of their logarithms": "対数の差",
    "What the network reads, and what it is to answer": "ネットワークの入力と、その正解",
    "scaled to 0 … 1 on the training part": "学習部分で0～1に正規化した値",
    "input: the difference of this month": "入力：今月の差分",
    "label: the difference of the next month": "正解：翌月の差分",
    "With observations: each month from those before it": (
        "観測値による予測：各月をそれまでの観測値から"
    ),
    "Fed back: on from the end of the training part": (
        "自分の予測を入力に戻す予測：学習部分の末尾から先"
    ),
    "in scaled units": "正規化した値",
    "differences, in thousands": "差分(千人)",
    "Passengers: fit of the training part, and fed back after it": (
        "旅客数：学習部分への当てはめと、その先の予測"
    ),
    "① with observations": "① 観測値による予測",
    "② fed back": "② 予測を入力に戻す予測",
    "② on from the predicted last month": "② 予測した最終月から",
    "② on from the observed last month": "② 観測した最終月から",
    "With and without preprocessing": "前処理の有無",
    "differences, scaled": "差分と正規化あり",
    "no preprocessing": "前処理なし",
    "Learning curve": "学習曲線",
    "observed": "観測値",
    "predicted": "予測",
    "end of training": "学習部分の終わり",
    "differences": "差分",
    "logarithms, differences": "対数・差分",
    "logarithms, yearly differences": "対数・前年同月との差",
    "shipped network": "同梱のネットワーク",
    "shipped network, fine-tuned": "同梱のネットワークを追加学習したもの",
    "epoch": "エポック",
    "loss": "損失",
    "training": "学習",
    "validation": "検証",
    "kept": "採用",
    "mean": "平均",
}


def draw_series(to: ExampleRun, panel: Panel, held_out: int) -> None:
    """The series; its differences, and those of its logarithms where it has any."""
    times, values = panel.times(0), panel.values
    with to.figure("series") as figure:
        ax = figure.subplots()
        ax.plot(times, values, label=to.text("observed"))
        _dress(to, ax, times, held_out)
        ax.set_title(_name(to, panel))
    panes = {"of passengers": values}
    if np.nanmin(values) > 0:
        panes["of their logarithms"] = np.log(values)
    with to.figure("differences", (10, 3 * len(panes))) as figure:
        axes = figure.subplots(len(panes), 1, sharex=True, squeeze=False)[:, 0]
        for ax, (title, series) in zip(axes, panes.items(), strict=True):
            ax.plot(times[1:], np.diff(series))
            ax.set_title(to.text(title))
            ax.axvline(_end(times, held_out), color=RED, linewidth=1)
        figure.suptitle(to.text("Differences from month to month"))


def draw_learning(to: ExampleRun, history: History) -> None:
    """The loss of each epoch, on a straight and on a logarithmic axis."""
    words = ("epoch", "loss", "validation", "kept", "mean")
    labels = {word: to.text(word) for word in words}
    labels["train"] = to.text("training")
    curve = LearningCurve.from_history(history, labels)
    with to.figure("learning-curve", (12, 4.5)) as figure:
        for ax, log in zip(figure.subplots(1, 2), (False, True), strict=True):
            curve.draw(ax, log=log)
        figure.suptitle(to.text("Learning curve"))


# ---------------------------------------------------------------- as in the article


class Scaled:
    """Differences of the values, as the article scales them: inputs and labels apart, each to
    0 … 1 on the training part.

    >>> scaled = Scaled(np.array([0.0, 1.0, 3.0, 4.0, 6.0, 7.0]), held_out=1)
    >>> scaled.inputs, scaled.labels
    (array([0., 1., 0., 1.]), array([1., 0., 1., 0.]))
    """

    def __init__(self, values: NDArray, held_out: int) -> None:
        self.changes = np.diff(values)  # D(0) … D(N-2)
        pairs = len(self.changes) - 1 - held_out
        self._low, self._width = _range_of(self.changes[:pairs])
        self.low, self.width = _range_of(self.changes[1 : pairs + 1])

    @property
    def inputs(self) -> NDArray:
        """What the network reads at each pair."""
        return (self.changes[:-1] - self._low) / (self._width or 1.0)

    @property
    def labels(self) -> NDArray:
        """What it is to answer."""
        return self.as_label(self.changes[1:])

    def as_label(self, changes: NDArray) -> NDArray:
        """Differences in the units of the labels."""
        return (changes - self.low) / (self.width or 1.0)


def _range_of(changes: NDArray) -> tuple[float, float]:
    """The lowest of some changes, and how far the highest is from it."""
    finite = changes[np.isfinite(changes)]
    return float(finite.min()), float(np.ptp(finite))


def draw_article(to: ExampleRun, panel: Panel, predicted: Predicted) -> None:
    """All pictures of the article that come after the training."""
    values, held_out = panel.values, len(predicted.fed_back)
    times, scaled = panel.times(0), Scaled(values, held_out)
    with_observations = predicted.observed[2:] - values[1:-1]  # ① as differences: D̂(1) … D̂(N-2)
    fed_back = np.diff(np.r_[values[-held_out - 1], predicted.fed_back])  # ② likewise
    continued = np.r_[
        with_observations[:-held_out], fed_back
    ]  # observations through the training part, fed back after it
    _draw_pairs(to, times, scaled, held_out)
    for name, title, answers in (
        (
            "scaled-observed",
            "With observations: each month from those before it",
            with_observations,
        ),
        ("scaled-fed-back", "Fed back: on from the end of the training part", continued),
    ):
        with to.figure(name) as figure:
            ax = figure.subplots()
            ax.plot(times[2:], scaled.labels, label=to.text("observed"))
            ax.plot(times[2:], scaled.as_label(answers), label=to.text("predicted"))
            _dress(to, ax, times, held_out, "in scaled units")
            ax.set_title(to.text(title))
    _draw_changes(to, times, scaled.changes[1:], (with_observations, continued), held_out)
    _draw_passengers(to, panel, predicted)


def _draw_pairs(to: ExampleRun, times: NDArray, scaled: Scaled, held_out: int) -> None:
    with to.figure("inputs-and-labels") as figure:
        ax = figure.subplots()
        ax.plot(times[1:-1], scaled.inputs, label=to.text("input: the difference of this month"))
        ax.plot(
            times[1:-1], scaled.labels, label=to.text("label: the difference of the next month")
        )
        ax.axvline(times[-held_out - 2], color=RED, linewidth=1, label=to.text("end of training"))
        ax.set_title(to.text("What the network reads, and what it is to answer"))
        ax.set_ylabel(to.text("scaled to 0 … 1 on the training part"))


def _draw_changes(
    to: ExampleRun, times: NDArray, changes: NDArray, answers: Sequence[NDArray], held_out: int
) -> None:
    with to.figure("differences-predicted", (10, 7)) as figure:
        titles = ("① with observations", "② fed back")
        for ax, title, answered in zip(
            figure.subplots(2, 1, sharex=True, sharey=True), titles, answers, strict=True
        ):
            ax.plot(times[2:], changes, label=to.text("observed"))
            ax.plot(times[2:], answered, label=to.text("predicted"))
            _dress(to, ax, times, held_out, "differences, in thousands")
            ax.set_title(to.text(title))


def _draw_passengers(to: ExampleRun, panel: Panel, predicted: Predicted) -> None:
    """① of all months; the fit of the training part and ② in one picture."""
    times, values, held_out = panel.times(0), panel.values, len(predicted.fed_back)
    with to.figure("prediction-observed") as figure:
        ax = figure.subplots()
        ax.plot(times, values, label=to.text("observed"))
        ax.plot(times, predicted.observed, label=to.text("① with observations"))
        _dress(to, ax, times, held_out)
        ax.set_title(to.text("With observations: each month from those before it"))
    with to.figure("prediction-fed-back") as figure:
        ax = figure.subplots()
        ax.plot(times, values, label=to.text("observed"))
        fit, held_out_times = predicted.observed[:-held_out], times[-held_out:]
        ax.plot(times[:-held_out], fit, color=BLUE, label=to.text("① with observations"))
        from_predicted = predicted.from_own(values)
        ax.plot(
            held_out_times,
            from_predicted,
            color=AMBER,
            label=to.text("② on from the predicted last month"),
        )
        style: dict[str, Any] = {"color": GREEN, "linestyle": "--"}
        ax.plot(
            held_out_times,
            predicted.fed_back,
            **style,
            label=to.text("② on from the observed last month"),
        )
        _dress(to, ax, times, held_out)
        ax.set_title(to.text("Passengers: fit of the training part, and fed back after it"))


def draw_plain(to: ExampleRun, panel: Panel, predicted: Sequence[Predicted]) -> None:
    """The network with the article's preprocessing, and the one without any."""
    times, values = panel.times(0), panel.values
    with to.figure("preprocessing", (10, 7)) as figure:
        titles = ("differences, scaled", "no preprocessing")
        panes = figure.subplots(2, 1, sharex=True, sharey=True)
        for ax, title, forecast in zip(panes, titles, predicted, strict=True):
            held_out = len(forecast.fed_back)
            ax.plot(times, values, label=to.text("observed"))
            ax.plot(times, forecast.observed, label=to.text("① with observations"))
            ax.plot(times[-held_out:], forecast.fed_back, label=to.text("② fed back"))
            _dress(to, ax, times, held_out)
            ax.set_title(to.text(title))
        figure.suptitle(to.text("With and without preprocessing"))


# ---------------------------------------------------------------- by default


def draw_predictions(to: ExampleRun, panel: Panel, predicted: Sequence[Predicted]) -> None:
    """Both predictions of several forecasters, one below the other."""
    times, values = panel.times(0), panel.values
    titles = {
        "observed": "With observations: each month from those before it",
        "fed-back": "Fed back: on from the end of the training part",
    }
    for name, title in titles.items():
        with to.figure(f"prediction-{name}", (10, 2 + 2.4 * len(predicted))) as figure:
            panes = figure.subplots(len(predicted), 1, sharex=True, sharey=True)
            for ax, forecast in zip(np.atleast_1d(panes), predicted, strict=True):
                held_out = len(forecast.fed_back)
                ax.plot(times, values, label=to.text("observed"))
                line = (
                    (times, forecast.observed)
                    if name == "observed"
                    else (times[-held_out:], forecast.fed_back)
                )
                ax.plot(*line, label=to.text("predicted"))
                _dress(to, ax, times, held_out)
                ax.set_title(to.text(forecast.name))
                if forecast is not predicted[0]:  # one legend serves all
                    ax.legend([], [])
            figure.suptitle(to.text(title))


def _dress(
    to: ExampleRun, ax: Axes, times: NDArray, held_out: int, unit: str = "thousands a month"
) -> None:
    """The line between training and validation, and the unit, where it is known."""
    ax.axvline(_end(times, held_out), color=RED, linewidth=1, label=to.text("end of training"))
    if to.own is None or unit == "in scaled units":
        ax.set_ylabel(to.text(unit))


def _end(times: NDArray, held_out: int) -> Any:
    """The last time of the training part."""
    return times[-held_out - 1]


def _name(to: ExampleRun, panel: Panel) -> str:
    if to.own is None:
        return to.text("International airline passengers")
    return str(panel.ids[0])
