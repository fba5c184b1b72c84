"""Pictures of the article on airline passengers: series and differences, inputs and labels,
learning curve, both predictions in each unit, and the effect of preprocessing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
WITH_OBSERVATIONS = "With observations: each month predicted from the months before it"
FED_BACK = "Fed back: predictions from the end of the training part"

JAPANESE = {
    "International airline passengers": "国際線の航空旅客数",
    "thousands per month": "千人／月",
    "Month-to-month differences": "前月との差",
    "of passengers": "旅客数の差",
    "of their logarithms": "対数の差",
    "Inputs and labels of the network": "ネットワークの入力と正解",
    "scaled to 0–1 on the training part": "学習部分で0～1に正規化した値",
    "input: the difference of this month": "入力：今月の差分",
    "label: the difference of the next month": "正解：翌月の差分",
    "With observations: each month predicted from the months before it": (
        "観測値による予測：各月をそれまでの観測値から予測"
    ),
    "Fed back: predictions from the end of the training part": (
        "自分の予測を入力に戻す予測：学習部分の終わりから先を予測"
    ),
    "in scaled units": "正規化した値",
    "differences, in thousands": "差分(千人)",
    "Passengers: fit to the training part, then fed back": (
        "旅客数：学習部分への当てはめと、その先の予測"
    ),
    "① with observations": "① 観測値による予測",
    "② fed back": "② 予測を入力に戻す予測",
    "② fed back from the predicted last month": "② 最終月の予測値から続けた予測",
    "② fed back from the observed last month": "② 最終月の観測値から続けた予測",
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
    "shipped network, fine-tuned": "同梱のネットワークを微調整したもの",
    "epoch": "エポック",
    "loss": "損失",
    "training": "学習",
    "validation": "検証",
    "kept": "採用",
    "mean": "平均",
}


@dataclass(frozen=True)
class Pane:
    """Axes for values of a series whose last `held_out` times are not used for training."""

    to: ExampleRun
    ax: Axes
    times: NDArray
    held_out: int

    def line(
        self, name: str, values: NDArray, color: str | None = None, linestyle: str = "-"
    ) -> None:
        """Values up to the last time."""
        self._plot(name, self.times[-len(values) :], values, color, linestyle)

    def early_line(self, name: str, values: NDArray, color: str | None = None) -> None:
        """Values from the first time on."""
        self._plot(name, self.times[: len(values)], values, color, "-")

    def _plot(
        self,
        name: str,
        times: NDArray,
        values: NDArray,
        color: str | None,
        linestyle: str,
    ) -> None:
        label = self.to.text(name)
        self.ax.plot(times, values, color=color, linestyle=linestyle, label=label)

    def finish(self, title: str, unit: str = "thousands per month") -> None:
        """Add the line between training and validation, the title, and the unit if it is known."""
        end = self.times[-self.held_out - 1]
        label = self.to.text("end of training")
        self.ax.axvline(end, color=RED, linewidth=1, label=label)
        self.ax.set_title(title)
        if self.to.own is None or unit == "in scaled units":
            self.ax.set_ylabel(self.to.text(unit))


def draw_series(to: ExampleRun, panel: Panel, held_out: int) -> None:
    """The series; its differences, and those of its logarithms if all values are positive."""
    times = panel.times(0)
    values = panel.values
    with to.figure("series") as figure:
        pane = Pane(to, figure.subplots(), times, held_out)
        pane.line("observed", values)
        pane.finish(_name(to, panel))
    panes = {"of passengers": values}
    if np.nanmin(values) > 0:
        panes["of their logarithms"] = np.log(values)
    with to.figure("differences", (10, 3 * len(panes))) as figure:
        axes = figure.subplots(len(panes), 1, sharex=True, squeeze=False)[:, 0]
        for ax, (title, series) in zip(axes, panes.items(), strict=True):
            ax.plot(times[1:], np.diff(series))
            ax.set_title(to.text(title))
            ax.axvline(times[-held_out - 1], color=RED, linewidth=1)
        figure.suptitle(to.text("Month-to-month differences"))


def draw_learning(to: ExampleRun, history: History) -> None:
    """The loss of each epoch, on a linear and on a logarithmic axis."""
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
    """Differences of the values, scaled as in the article: inputs and labels separately, each to
    0–1 on the training part.

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
        """The input of each pair."""
        return (self.changes[:-1] - self._low) / (self._width or 1.0)

    @property
    def labels(self) -> NDArray:
        """The label of each pair."""
        return self.as_label(self.changes[1:])

    def as_label(self, changes: NDArray) -> NDArray:
        """Differences in the units of the labels."""
        return (changes - self.low) / (self.width or 1.0)


def _range_of(changes: NDArray) -> tuple[float, float]:
    """The lowest of some changes, and their range."""
    finite = changes[np.isfinite(changes)]
    return float(finite.min()), float(np.ptp(finite))


def draw_article(to: ExampleRun, panel: Panel, predicted: Predicted) -> None:
    """Draw all pictures of the article that follow the training."""
    values = panel.values
    held_out = len(predicted.fed_back)
    scaled = Scaled(values, held_out)
    # ① and ② as differences: D̂(1) … D̂(N-2)
    with_observations = predicted.observed[2:] - values[1:-1]
    fed_back = np.diff(predicted.fed_back, prepend=values[-held_out - 1])
    # observations through the training part, fed back after it
    continued = np.concatenate([with_observations[:-held_out], fed_back])
    _draw_pairs(to, panel.times(0), scaled, held_out)
    pictures = {
        "scaled-observed": (WITH_OBSERVATIONS, with_observations),
        "scaled-fed-back": (FED_BACK, continued),
    }
    for name, (title, answers) in pictures.items():
        with to.figure(name) as figure:
            pane = Pane(to, figure.subplots(), panel.times(0), held_out)
            pane.line("observed", scaled.labels)
            pane.line("predicted", scaled.as_label(answers))
            pane.finish(to.text(title), "in scaled units")
    answers = {"① with observations": with_observations, "② fed back": continued}
    with to.figure("differences-predicted", (10, 7)) as figure:
        axes = figure.subplots(2, 1, sharex=True, sharey=True)
        for ax, (title, changes) in zip(axes, answers.items(), strict=True):
            pane = Pane(to, ax, panel.times(0), held_out)
            pane.line("observed", scaled.changes[1:])
            pane.line("predicted", changes)
            pane.finish(to.text(title), "differences, in thousands")
    _draw_passengers(to, panel, predicted)


def _draw_pairs(to: ExampleRun, times: NDArray, scaled: Scaled, held_out: int) -> None:
    input_label = to.text("input: the difference of this month")
    label_label = to.text("label: the difference of the next month")
    with to.figure("inputs-and-labels") as figure:
        ax = figure.subplots()
        ax.plot(times[1:-1], scaled.inputs, label=input_label)
        ax.plot(times[1:-1], scaled.labels, label=label_label)
        ax.axvline(
            times[-held_out - 2],
            color=RED,
            linewidth=1,
            label=to.text("end of training"),
        )
        ax.set_title(to.text("Inputs and labels of the network"))
        ax.set_ylabel(to.text("scaled to 0–1 on the training part"))


def _draw_passengers(to: ExampleRun, panel: Panel, predicted: Predicted) -> None:
    """Draw ① for all months; then the fit to the training part and ② in one picture."""
    values = panel.values
    held_out = len(predicted.fed_back)
    with to.figure("prediction-observed") as figure:
        pane = Pane(to, figure.subplots(), panel.times(0), held_out)
        pane.line("observed", values)
        pane.line("① with observations", predicted.observed)
        pane.finish(to.text(WITH_OBSERVATIONS))
    with to.figure("prediction-fed-back") as figure:
        pane = Pane(to, figure.subplots(), panel.times(0), held_out)
        pane.line("observed", values)
        pane.early_line("① with observations", predicted.observed[:-held_out], BLUE)
        pane.line(
            "② fed back from the predicted last month",
            predicted.from_own(values),
            AMBER,
        )
        pane.line(
            "② fed back from the observed last month", predicted.fed_back, GREEN, "--"
        )
        pane.finish(to.text("Passengers: fit to the training part, then fed back"))


def draw_plain(to: ExampleRun, panel: Panel, predicted: Sequence[Predicted]) -> None:
    """Draw the network with the article's preprocessing, and the one without any."""
    titles = ("differences, scaled", "no preprocessing")
    with to.figure("preprocessing", (10, 7)) as figure:
        axes = figure.subplots(2, 1, sharex=True, sharey=True)
        for ax, title, forecast in zip(axes, titles, predicted, strict=True):
            pane = Pane(to, ax, panel.times(0), len(forecast.fed_back))
            pane.line("observed", panel.values)
            pane.line("① with observations", forecast.observed)
            pane.line("② fed back", forecast.fed_back)
            pane.finish(to.text(title))
        figure.suptitle(to.text("With and without preprocessing"))


# ---------------------------------------------------------------- by default


def draw_predictions(
    to: ExampleRun, panel: Panel, predicted: Sequence[Predicted]
) -> None:
    """Draw both predictions of several forecasters, one below the other."""
    observed = [forecast.observed for forecast in predicted]
    fed_back = [forecast.fed_back for forecast in predicted]
    pictures = {
        "prediction-observed": (WITH_OBSERVATIONS, observed),
        "prediction-fed-back": (FED_BACK, fed_back),
    }
    for name, (title, answers) in pictures.items():
        with to.figure(name, (10, 2 + 2.4 * len(predicted))) as figure:
            axes = figure.subplots(len(predicted), 1, sharex=True, sharey=True)
            axes = np.atleast_1d(axes)
            for ax, forecast, values in zip(axes, predicted, answers, strict=True):
                pane = Pane(to, ax, panel.times(0), len(forecast.fed_back))
                pane.line("observed", panel.values)
                pane.line("predicted", values)
                pane.finish(to.text(forecast.name))
            for ax in axes[1:]:  # one legend serves all
                ax.legend([], [])
            figure.suptitle(to.text(title))


def _name(to: ExampleRun, panel: Panel) -> str:
    if to.own is None:
        return to.text("International airline passengers")
    return str(panel.ids[0])
