"""Article 3: a sine and a cosine, each predicted from both, judged by how the error of free runs
grows.

The article, of 2017, does this in Chainer 2. The network outputs all variables that it reads, so
its output can be fed back indefinitely. Its rollouts can read true values for the first `support`
steps and their own predictions afterwards, but with the article's settings (10 steps, 10 of them
supported) they read only true values. By default the network here is trained for its task: it reads
one observed step and then its own predictions. Two columns that are read together are a panel of
two series and `columns=2`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import lstmcast as lc
from lstmcast.articles.measures import Measure, training_seconds
from lstmcast.articles.runs import ExampleRun
from lstmcast.evaluation.by_horizon import errors_by_horizon
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.model.summary import summary
from lstmcast.output.learning_curve import LearningCurve
from lstmcast.output.looks import BLUE, FAINT
from lstmcast.training.callbacks import SaveEvery
from lstmcast.training_config import (
    Ema,
    Loss,
    Optimiser,
    Rollout,
    Schedule,
    TrainingConfig,
)
from lstmcast.transforms import MinMax

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.training_history import History

POINTS, FREE = 200, 20  # points of the data; steps of a free run
# the long prediction starts 40 steps before the end of the data and continues for 50 steps
BEFORE, AHEAD = 40, 50
# observed steps before a free run: the article's s = 0 is one, its last picture has s = 25
ONE, LAST_PICTURE = 1, 26
OURS = (10, ONE)
Table = dict[str, NDArray]
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
    "after {} observed steps": "観測値{}ステップのあと",
    "after one observed step": "観測値1ステップのあと",
    "Error of free runs on the test part": "テスト部分での自走予測の誤差",
    "Total error during training": "学習の進行に伴う全体の誤差",
    "epoch": "エポック",
    "true": "真の値",
    "predicted": "予測",
    "end of the true inputs": "真の値を入力する区間の終わり",
    "end of the data": "データの終わり",
    "50 steps ahead": "50ステップ先まで",
    "Learning curve": "学習曲線",
    "loss": "損失",
    "kept": "採用",
}
_WORDS = {"epoch": "epoch", "loss": "loss", "train": "training", "kept": "kept"}


def data() -> Panel:
    """The article's two columns.

    >>> data().values[:3].round(3), data().values[200:203].round(3)
    (array([0.   , 0.2  , 0.387]), array([0.8  , 0.794, 0.775]))
    """
    angle = np.linspace(0, 8 * np.pi, POINTS)
    sine = 0.8 * np.sin(2 * angle)
    cosine = 0.8 * np.cos(angle)
    return lc.Panel.from_arrays({"sine": sine, "cosine": cosine})


def training_length(panel: Panel) -> int:
    """The number of steps in the training part, the first 75%."""
    return int(panel.lengths.min()) * 3 // 4


def steps_of(panel: Panel, begin: int, end: int) -> Panel:
    """The steps from begin to end of each series, as a panel of their own."""
    columns = {}
    for series, name in enumerate(panel.ids):
        values = panel.series(series)
        columns[str(name)] = values[begin:end]
    return lc.Panel.from_arrays(columns)


def as_in_the_article(seed: int) -> lc.LSTMForecaster:
    """The article's forecaster: linear, LSTM, linear with 100 units; Adam; rollouts of ten steps,
    all of them supported, which is pure teacher forcing."""
    training = TrainingConfig(
        epochs=100,
        batch_size=10,
        steps_per_epoch=150 // 10,  # an epoch is iteration × batch // rows
        batching=Rollout(length=10, support=10),
        optimiser=Optimiser("adam", learning_rate=1e-3),
        loss=Loss("mse"),
        validation=None,
        initialiser="chainer",
    )
    network = NetworkConfig(
        layers=(100,),
        before=(100,),
        inputs=Transformed(columns=2),
        head="point",
        horizon=1,
    )
    return _untrained(network, training, seed)


def our_own(seed: int) -> lc.LSTMForecaster:
    """Our forecaster: rollouts as long as a free run, which read true values for one step, for all
    steps, or for any number in between, and its own predictions afterwards."""
    length = OURS[0] + FREE
    training = TrainingConfig(
        epochs=72,
        batch_size=16,
        steps_per_epoch=10,
        batching=Rollout(length, support=length - 1, support_from=0),
        optimiser=Optimiser(
            "adam",
            learning_rate=2e-2,
            betas=(0.9, 0.98),
            clip=1.0,
            schedule=Schedule("cosine"),
        ),
        loss=Loss("mse"),
        validation=None,
        average=Ema(0.98),
    )
    network = NetworkConfig(
        layers=(48,),
        before=(32,),
        activation="tanh",
        # wider than the range of the data: near the cosine's zero, phases differ by little
        inputs=Transformed(MinMax(-3, 3), columns=2),
        head="point",
        horizon=1,
    )
    return _untrained(network, training, seed)


def _untrained(
    network: NetworkConfig, training: TrainingConfig, seed: int
) -> lc.LSTMForecaster:
    return lc.LSTMForecaster(
        FREE,
        weights="scratch",
        network=network,
        training=training,
        seed=seed,
    )


def run(to: ExampleRun, faithful: bool, seed: int) -> list[Measure]:
    """Train on the first 75%, run freely from every offset of the rest, and predict 50 steps, past
    the end of the data."""
    if faithful:
        return train_and_judge(to, as_in_the_article(seed), (ONE,))
    return train_and_judge(to, our_own(seed), OURS)


def train_and_judge(
    to: ExampleRun, forecaster: lc.LSTMForecaster, observed: tuple[int, ...]
) -> list[Measure]:
    """The same for any network and training; `observed`: numbers of observed steps before a free
    run, the first of which is shown in the comparison of all examples."""
    panel = to.panel(data)
    snapshots = to.saved_networks("snapshots")
    to.say(f"{summary(forecaster.config)}")
    training_part = panel.until([training_length(panel)] * len(panel))
    saving = SaveEvery(snapshots, epochs=10)
    fitted = to.fit(forecaster, training_part, "sine-cosine", [saving], updates=True)
    to.model(fitted)
    began = time.perf_counter()
    errors = {steps: free_run_errors(fitted, panel, steps) for steps in observed}
    seconds = training_seconds(fitted.history) + time.perf_counter() - began
    for steps, table in errors.items():
        _say(to, table, steps)
        to.table(f"errors-after-{steps}", table)
    of_snapshots = _of_snapshots(snapshots, panel, observed[0])
    to.table("errors-of-snapshots", {"horizon": np.arange(1, FREE + 1), **of_snapshots})
    predicted = {steps: _ahead(fitted, panel, steps) for steps in (ONE, LAST_PICTURE)}
    for steps, table in predicted.items():
        to.table(f"prediction-after-{steps}", table)
    _draw(to, panel, fitted.history)
    _draw_errors(to, errors)
    _draw_snapshots(to, of_snapshots)
    _draw_prediction(to, panel, predicted)
    measures = []
    for name in _ordered(errors[observed[0]]):
        for steps, table in errors.items():
            title = f"RMSE of {FREE} steps fed back, {_after(steps)}, {name}"
            measures.append(Measure(title, _mean(table[name]), seconds))
    return measures


def free_run_errors(model: lc.LSTMForecaster, panel: Panel, observed: int) -> Table:
    """A table with the RMSE of each of the 20 steps after these observed steps, over the offsets of
    the test part.

    The article's offsets are `arange(0, 50 - 20 - s - 1 - 1)`, with s + 1 observed steps.
    """
    first = training_length(panel)
    points = int(panel.lengths.min())
    offsets = np.arange(points - first - FREE - observed - 1)
    cutoffs = first + offsets + observed
    return errors_by_horizon(model, panel, FREE, cutoffs, observed=observed)


def _of_snapshots(folder: Path, panel: Panel, observed: int) -> Table:
    """The total error of each snapshot, loaded from its folder."""
    totals = {}
    for path in sorted(folder.glob("snapshot*")):
        errors = free_run_errors(lc.load(path), panel, observed)
        totals[path.name] = errors["total"]
    return totals


def predict(
    model: lc.LSTMForecaster, panel: Panel, begin: int, observed: int, steps: int
) -> Table:
    """Predict the `steps` steps after `begin`: from true values for `observed` steps, then from the
    network's own predictions.

    Returns a table with the number of each step and, for each variable, the prediction and the true
    value if there is one.
    """
    observed_panel = steps_of(panel, begin, begin + observed)
    coming_panel = steps_of(panel, begin + 1, begin + 1 + steps)
    one_step = model.predict(observed_panel, mode="one-step").point
    with_truth = one_step.reshape(len(observed_panel), -1)
    fed_back = model.predict(
        observed_panel, steps - observed + 1, mode="recursive"
    ).point
    predicted = np.concatenate([with_truth, fed_back], axis=1)
    table = {"step": begin + np.arange(1, steps + 1)}
    for series, name in enumerate(observed_panel.ids):
        true = np.full(steps, np.nan)
        values = coming_panel.series(series)
        true[: len(values)] = values
        table[f"{name} predicted"] = predicted[series]
        table[f"{name} true"] = true
    return table


def _ahead(model: lc.LSTMForecaster, panel: Panel, observed: int) -> Table:
    return predict(model, panel, int(panel.lengths.min()) - BEFORE, observed, AHEAD)


def _after(observed: int) -> str:
    if observed == 1:
        return "after one observed step"
    return f"after {observed} observed steps"


def _after_in(to: ExampleRun, observed: int) -> str:
    """The same in the language of the pictures."""
    if observed == 1:
        return to.text("after one observed step")
    return to.text("after {} observed steps").format(observed)


def _ordered(errors: Table) -> Table:
    """The error columns, the total first."""
    ordered = {"total": errors["total"]}
    for name, error_H in errors.items():
        if name != "horizon":
            ordered[name] = error_H
    return ordered


def _mean(error_H: NDArray) -> float:
    """The RMSE of all steps together."""
    return float(np.sqrt(np.mean(error_H**2)))


def _say(to: ExampleRun, errors: Table, observed: int) -> None:
    columns = _ordered(errors)
    to.say(f"RMSE on the test part, {_after(observed)}")
    names = "".join(f"{name:>10}" for name in columns)
    to.say(f"{'step':>7}{names}")
    for step, *row in zip(errors["horizon"], *columns.values(), strict=True):
        cells = "".join(f"{error:>10.4f}" for error in row)
        to.say(f"{step:>7}{cells}")


def _draw(to: ExampleRun, panel: Panel, history: History) -> None:
    with to.figure("series", (10, 3.5)) as figure:
        ax = figure.subplots()
        for series, name in enumerate(panel.ids):
            ax.plot(panel.series(series), label=to.text(str(name)))
        test = training_length(panel)
        ax.axvline(test - 0.5, color=FAINT, linestyle="--")
        highest = ax.get_ylim()[1]
        ax.text(
            test + 1, highest, to.text("test"), color=FAINT, verticalalignment="bottom"
        )
        ax.set(title=to.text("Two variables"), xlabel=to.text("step"))
    with to.figure("learning-curve") as figure:
        words = {key: to.text(word) for key, word in _WORDS.items()}
        LearningCurve.from_history(history, words).draw(figure.subplots(), log=True)
        figure.suptitle(to.text("Learning curve"))


def _draw_errors(to: ExampleRun, errors: dict[int, Table]) -> None:
    width = 10 if len(errors) > 1 else 5
    with to.figure("errors", (width, 5)) as figure:
        axes = figure.subplots(1, len(errors), squeeze=False)[0]
        for ax, (observed, table) in zip(axes, errors.items(), strict=True):
            steps = table["horizon"]
            for name, error_H in _ordered(table).items():
                ax.plot(steps, error_H, marker="o", markersize=3, label=to.text(name))
            ax.set_title(_after_in(to, observed))
            ax.set_xlabel(to.text("steps fed back"))
            ax.set_xticks(steps[::3])
            ax.set_ylim(0, None)
        axes[0].set_ylabel("RMSE")
        figure.suptitle(to.text("Error of free runs on the test part"))


def _draw_snapshots(to: ExampleRun, of_snapshots: Table) -> None:
    with to.figure("errors-of-snapshots") as figure:
        import matplotlib

        ax = figure.subplots()
        steps = np.arange(1, FREE + 1)
        colours = matplotlib.colormaps["viridis_r"].resampled(len(of_snapshots) + 1)
        for number, (name, error_H) in enumerate(of_snapshots.items(), start=1):
            epoch = int(name.removeprefix("snapshot"))
            label = f"{to.text('epoch')} {epoch}"
            ax.semilogy(steps, error_H, color=colours(number), label=label)
        ax.set_title(to.text("Total error during training"))
        ax.set_ylabel("RMSE")
        ax.set_xlabel(to.text("steps fed back"))
        ax.set_xticks(steps[::3])
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _draw_prediction(to: ExampleRun, panel: Panel, predicted: dict[int, Table]) -> None:
    """Draw a row for each variable and a column for each number of observed steps."""
    end = int(panel.lengths.min()) - 0.5
    with to.figure("prediction", (11, 6)) as figure:
        axes = figure.subplots(
            len(panel), len(predicted), sharex=True, sharey="row", squeeze=False
        )
        for column, (observed, table) in enumerate(predicted.items()):
            steps = table["step"]
            end_of_truth = steps[0] + observed - 1.5
            for ax, name in zip(axes[:, column], panel.ids, strict=True):
                ax.plot(
                    steps, table[f"{name} true"], color=RED, linewidth=3.5, alpha=0.5
                )
                ax.plot(steps, table[f"{name} predicted"], color=BLUE, marker=".")
                ax.axvline(end_of_truth, color=FAINT, linestyle="--")
                ax.axvline(end, color=FAINT, linestyle=":")
            axes[-1, column].set_xlabel(to.text("step"))
            axes[0, column].set_title(_after_in(to, observed))
        for ax, name in zip(axes[:, 0], panel.ids, strict=True):
            ax.set_ylabel(to.text(str(name)))
        words = ("true", "predicted", "end of the true inputs", "end of the data")
        labels = [to.text(word) for word in words]
        figure.legend(axes[0, 0].lines, labels, ncols=4, loc="outside lower center")
        figure.suptitle(to.text("50 steps ahead"))
