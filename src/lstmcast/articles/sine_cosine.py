"""Article 3: a sine and a cosine, each predicted from both; trained by rollouts, judged by how the
error grows.

The article, of 2017, does this in Chainer 2. All variables come out that go in, so the output can
be fed back for ever, and the network is trained to live with that: for the first `support` steps of
a rollout the next input is the truth, after them its own prediction. Two columns that are read
together are a panel of two series and `channels=2`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import lstmcast as lc
from lstmcast.articles.runs import ExampleRun, Measure, training_seconds
from lstmcast.evaluation.by_horizon import errors_by_horizon
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.model.summary import summary
from lstmcast.output.learning_curve import LearningCurve
from lstmcast.output.plots import BLUE, FAINT
from lstmcast.training.callbacks import SaveEvery
from lstmcast.training_config import Ema, Loss, Optimiser, Rollout, Schedule, TrainingConfig

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.training_history import History

POINTS, TRAIN = 200, 150
OBSERVED, FREE = 10, 20  # steps of truth before a free run, and its own steps
# of the long prediction: 10 steps of truth, 20 that can be compared, 20 past the end
BEGIN, AHEAD = 170, 50
RED = "#c8322b"

JAPANESE = {
    "Two variables": "2つの変数",
    "sine": "サイン",
    "cosine": "コサイン",
    "total": "全体",
    "training": "学習",
    "test": "テスト",
    "step": "ステップ",
    "steps fed back": "自分の予測を入力に戻したステップ数",
    "Error of free runs on the test part": "テスト部分での自走予測の誤差",
    "Total error as training goes on": "学習の進行と全体の誤差",
    "epoch": "エポック",
    "true": "真の値",
    "predicted": "予測",
    "end of the truth as input": "真の値を入力する区間の終わり",
    "end of the data": "データの終わり",
    "50 steps ahead": "50ステップ先まで",
    "Learning curve": "学習曲線",
    "loss": "損失",
    "kept": "採用",
}
_WORDS = {"epoch": "epoch", "loss": "loss", "train": "training", "kept": "kept"}


def data(begin: int = 0, end: int = POINTS) -> Panel:
    """Steps begin … end of the article's two columns.

    >>> data(end=3).values.round(3)
    array([0.   , 0.2  , 0.387, 0.8  , 0.794, 0.775])
    """
    t = np.linspace(0, 8 * np.pi, POINTS)[begin:end]
    return lc.Panel.from_arrays({"sine": 0.8 * np.sin(2 * t), "cosine": 0.8 * np.cos(t)})


def as_in_the_article(seed: int) -> lc.LSTMForecaster:
    """Linear, LSTM, linear with 100 units; Adam; rollouts of ten steps, of which the first five
    are given the truth."""
    training = TrainingConfig(
        epochs=100,
        batch_size=10,
        steps_per_epoch=TRAIN // 10,
        batching=Rollout(length=10, support=5),
        optimiser=Optimiser("adam", learning_rate=1e-3),
        loss=Loss("mse"),
        validation=None,
        initialiser="chainer",
    )
    network = NetworkConfig(
        layers=(100,), before=(100,), inputs=Transformed(columns=2), head="point", horizon=1
    )
    return lc.LSTMForecaster(FREE, weights="scratch", network=network, training=training, seed=seed)


def our_own(seed: int) -> lc.LSTMForecaster:
    """Rollouts as long as what is asked for; the truth gives way to own predictions as training
    goes on."""
    training = TrainingConfig(
        epochs=100,
        batch_size=16,
        steps_per_epoch=10,
        batching=Rollout(length=OBSERVED + FREE, support=OBSERVED + FREE, support_end=OBSERVED),
        optimiser=Optimiser(
            "adam", learning_rate=2e-2, betas=(0.9, 0.98), clip=1.0, schedule=Schedule("cosine")
        ),
        loss=Loss("mse"),
        validation=None,
        average=Ema(0.98),
    )
    network = NetworkConfig(layers=(48,), inputs=Transformed(columns=2), head="point", horizon=1)
    return lc.LSTMForecaster(FREE, weights="scratch", network=network, training=training, seed=seed)


def run(to: ExampleRun, faithful: bool, seed: int) -> list[Measure]:
    """Train on the first 150 points; free runs from every offset of the others; 50 steps past
    the end of the data."""
    return train_and_judge(to, as_in_the_article(seed) if faithful else our_own(seed))


def train_and_judge(to: ExampleRun, forecaster: lc.LSTMForecaster) -> list[Measure]:
    """The same for any network and training."""
    panel, snapshots = data(), to.saved_networks("swa")
    to.say(f"{panel}\n{summary(forecaster.config)}")
    fitted = to.fit(
        forecaster, panel.until([TRAIN, TRAIN]), "sine-cosine", [SaveEvery(snapshots, epochs=10)]
    )
    to.model(fitted)
    began = time.perf_counter()
    errors = free_run_errors(fitted, panel)
    seconds = training_seconds(fitted.history) + time.perf_counter() - began
    to.table("errors", errors)
    _say(to, errors)
    of_snapshots = _of_snapshots(snapshots, panel)
    to.table("errors-of-snapshots", {"horizon": errors["horizon"], **of_snapshots})
    predicted = predict(fitted, BEGIN, OBSERVED, AHEAD)
    to.table("prediction", predicted)
    _draw(to, panel, fitted.history)
    _draw_errors(to, errors, of_snapshots)
    _draw_prediction(to, predicted)
    return [
        Measure(f"RMSE of {FREE} steps fed back, {name}", _mean(errors[name]), seconds)
        for name in _order(errors)
    ]


def free_run_errors(model: lc.LSTMForecaster, panel: Panel) -> dict[str, NDArray]:
    """RMSE of each of 20 steps that follow ten observed ones, over all offsets of the test part:
    a table."""
    cutoffs = np.arange(TRAIN + OBSERVED, POINTS - FREE + 1)
    return errors_by_horizon(model, panel, FREE, cutoffs, observed=OBSERVED)


def _of_snapshots(folder: Path, panel: Panel) -> dict[str, NDArray]:
    """The total error of each snapshot, read back from its folder."""
    saved = {
        path.name: lc.LSTMForecaster(FREE, weights=path)
        for path in sorted(folder.glob("snapshot*"))
    }
    return {name: free_run_errors(model, panel)["total"] for name, model in saved.items()}


def predict(model: lc.LSTMForecaster, begin: int, observed: int, steps: int) -> dict[str, NDArray]:
    """`steps` steps after the one at `begin`: each from the truth for `observed` steps, then from
    own predictions.

    A table: the number of each step, and for each variable what is predicted and, where there is
    any, the truth.
    """
    known, later = data(begin, begin + observed), data(begin + 1, begin + 1 + steps)
    with_truth = model.predict(known, mode="one-step").point.reshape(len(known), -1)
    alone = model.predict(known, steps - observed + 1, mode="recursive").point
    predicted = np.concatenate([with_truth, alone], axis=1)
    table = {"step": begin + np.arange(1, steps + 1)}
    for s, name in enumerate(known.ids):
        true = np.append(later.series(s), np.full(steps - len(later.series(s)), np.nan))
        table |= {f"{name} predicted": predicted[s], f"{name} true": true}
    return table


def _order(errors: dict[str, NDArray]) -> list[str]:
    return ["total", *(name for name in errors if name not in ("horizon", "total"))]


def _mean(error_H: NDArray) -> float:
    """RMSE of all steps together."""
    return float(np.sqrt(np.mean(error_H**2)))


def _say(to: ExampleRun, errors: dict[str, NDArray]) -> None:
    names = _order(errors)
    to.say("RMSE on the test part")
    to.say(f"{'step':>7}" + "".join(f"{name:>10}" for name in names))
    for h, step in enumerate(errors["horizon"]):
        to.say(f"{step:>7}" + "".join(f"{errors[name][h]:>10.4f}" for name in names))


def _draw(to: ExampleRun, panel: Panel, history: History) -> None:
    with to.figure("series", (10, 3.5)) as figure:
        ax = figure.subplots()
        for s, name in enumerate(panel.ids):
            ax.plot(panel.series(s), label=to.text(str(name)))
        ax.axvline(TRAIN - 0.5, color=FAINT, linestyle="--")
        ax.text(TRAIN + 1, 0.9, to.text("test"), color=FAINT)
        ax.set(title=to.text("Two variables"), xlabel=to.text("step"), ylim=(-0.9, 1.05))
    with to.figure("learning-curve") as figure:
        words = {key: to.text(word) for key, word in _WORDS.items()}
        LearningCurve.from_history(history, words).draw(figure.subplots(), log=True)
        figure.suptitle(to.text("Learning curve"))


def _draw_errors(
    to: ExampleRun, errors: dict[str, NDArray], of_snapshots: dict[str, NDArray]
) -> None:
    with to.figure("errors") as figure:
        ax = figure.subplots()
        for name in _order(errors):
            ax.plot(errors["horizon"], errors[name], marker="o", markersize=3, label=to.text(name))
        ax.set(
            title=to.text("Error of free runs on the test part"),
            xlabel=to.text("steps fed back"),
            ylabel="RMSE",
        )
        ax.set(xticks=errors["horizon"][::3], ylim=(0, None))
    with to.figure("errors-of-snapshots") as figure:
        import matplotlib

        ax, colours = (
            figure.subplots(),
            matplotlib.colormaps["viridis_r"].resampled(len(of_snapshots) + 1),
        )
        for k, (name, error_H) in enumerate(of_snapshots.items()):
            epoch = f"{to.text('epoch')} {int(name.removeprefix('snapshot'))}"
            ax.semilogy(errors["horizon"], error_H, color=colours(k + 1), label=epoch)
        ax.set(
            title=to.text("Total error as training goes on"),
            xlabel=to.text("steps fed back"),
            ylabel="RMSE",
        )
        ax.set(xticks=errors["horizon"][::3])
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _draw_prediction(to: ExampleRun, table: dict[str, NDArray]) -> None:
    with to.figure("prediction", (10, 6)) as figure:
        axes = figure.subplots(2, sharex=True)
        for ax, name in zip(axes, ("sine", "cosine"), strict=True):
            ax.plot(table["step"], table[f"{name} true"], color=RED, linewidth=3.5, alpha=0.5)
            ax.plot(table["step"], table[f"{name} predicted"], color=BLUE, marker=".")
            ax.axvline(BEGIN + OBSERVED - 0.5, color=FAINT, linestyle="--")
            ax.axvline(POINTS - 0.5, color=FAINT, linestyle=":")
            ax.set(ylabel=to.text(name), ylim=(-1, 1))
        words = [
            to.text(word)
            for word in ("true", "predicted", "end of the truth as input", "end of the data")
        ]
        axes[0].legend(axes[0].lines, words, ncols=4, loc="lower right", bbox_to_anchor=(1.0, 1.0))
        axes[1].set(xlabel=to.text("step"))
        figure.suptitle(to.text("50 steps ahead"), x=0.02, ha="left")
